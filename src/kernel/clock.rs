//! The clock by which every fact is stamped. It knows nothing else.

use crate::fact::Nanos;
use nix::time::{ClockId, clock_gettime};

/// `CLOCK_MONOTONIC`, in nanoseconds.
#[must_use]
pub fn now() -> Nanos {
    // Linux has had this clock since 2.6 and seccomp cannot see the vDSO: a refusal would be a kernel without a clock.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Nanos::ZERO, |t| std::time::Duration::from(t).into())
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_goes_forward() {
        let first = super::now();
        assert!(first.0 > 0 && super::now() >= first);
    }
}
