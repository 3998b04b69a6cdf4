//! Computing for so much CPU time, whoever else wants the core meanwhile. It knows no demo.

use crate::fact::Nanos;
use std::hint::black_box;
use std::time::Duration;

/// How long this thread has been on a CPU (`CLOCK_THREAD_CPUTIME_ID`, clock_gettime(2)).
pub(super) fn on_cpu() -> Nanos {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0)).into()
}

/// Computes until this thread has had `size` more of a CPU, or it is to stop.
pub(super) fn compute(size: Duration, stop: impl Fn() -> bool) {
    let (begun, mut x) = (on_cpu(), 1_u64);
    while on_cpu().since(begun) < size.into() && !stop() {
        // Some microseconds between two looks at the clock.
        for _ in 0..1000 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        }
    }
    black_box(x);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_its_cpu_time_unless_it_is_stopped() {
        let before = on_cpu();
        compute(Duration::from_millis(3), || false);
        assert!(on_cpu().since(before) >= Nanos::from_millis(3));
        let before = on_cpu();
        compute(Duration::from_secs(3600), || true);
        assert!(on_cpu().since(before) < Nanos::from_millis(60_000));
    }
}
