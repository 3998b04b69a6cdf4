//! The clock by which every fact is stamped, and the one by which we watch our own price. It knows nothing else.

use crate::fact::Nanos;
use nix::time::{ClockId, clock_gettime};

/// `CLOCK_MONOTONIC`, in nanoseconds.
#[must_use]
pub fn now() -> Nanos {
    read(ClockId::CLOCK_MONOTONIC)
}

/// The time that the calling thread has spent on a CPU.
pub(super) fn spent() -> Nanos {
    read(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

fn read(clock: ClockId) -> Nanos {
    // Linux has had both since 2.6: a refusal would be a kernel without a clock.
    clock_gettime(clock).map_or(Nanos::ZERO, |t| std::time::Duration::from(t).into())
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_goes_forward() {
        let first = super::now();
        assert!(first.0 > 0 && super::now() >= first);
    }
}
