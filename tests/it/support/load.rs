//! How long the machine keeps anybody waiting just now, so that a bound on the program can be a bound on the program.
//!
//! A probe beside the test does what the program does between a key and a frame: it sleeps, wakes, and computes for a
//! while. What it takes longer than that is nobody's fault but the machine's: other work, a hypervisor.

use nix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What the probe sleeps, and then computes: a sixth of one core.
const SLEEP: Duration = Duration::from_millis(30);
const COMPUTE: Duration = Duration::from_millis(6);

/// Waits between a key and what the test sees of it: the terminal, the input thread, the one that draws, the terminal,
/// the emulator.
const HOPS: u32 = 5;

/// A probe that runs until it is dropped.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    worst: Arc<AtomicU64>,
    probe: Option<JoinHandle<()>>,
}

impl Load {
    /// Starts it.
    pub(crate) fn watch() -> Self {
        let (stop, worst) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, told) = (Arc::clone(&stop), Arc::clone(&worst));
        let probe = thread::Builder::new().spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let late = u64::try_from(late().as_micros()).unwrap_or(u64::MAX);
                told.fetch_max(late, Ordering::Relaxed);
            }
        });
        Self { stop, worst, probe: Some(probe.expect("a thread")) }
    }

    /// The longest that the machine kept the probe waiting so far.
    pub(crate) fn worst(&self) -> Duration {
        Duration::from_micros(self.worst.load(Ordering::Relaxed))
    }

    /// `bound`, which is for a machine with nothing else to do, and what this one added to each wait on the way.
    pub(crate) fn allows(&self, bound: Duration) -> Duration {
        bound + self.worst() * HOPS
    }

    /// That `took` is within `bound` here and now.
    #[track_caller]
    pub(crate) fn assert_within(&self, bound: Duration, took: Duration, what: &str) {
        let allowed = self.allows(bound);
        assert!(
            took <= allowed,
            "{what} took {took:?}; {bound:?} is promised, {allowed:?} allowed where others wait {:?}",
            self.worst()
        );
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(probe) = self.probe.take() {
            let _ = probe.join();
        }
    }
}

/// What one sleep and one computation took beyond what they should.
fn late() -> Duration {
    let begun = Instant::now();
    thread::sleep(SLEEP);
    let computed = spent() + COMPUTE;
    while spent() < computed {
        std::hint::spin_loop();
    }
    begun.elapsed().saturating_sub(SLEEP + COMPUTE)
}

/// The CPU time of this thread.
fn spent() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every thread has one").into()
}

/// Of a hundred times, the one that no more than one is longer than.
pub(crate) fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[(times.len() * 99).div_ceil(100) - 1]
}

#[test]
fn a_machine_that_keeps_one_waiting_is_noticed() {
    let load = Load::watch();
    assert_eq!(load.allows(Duration::from_secs(1)), Duration::from_secs(1) + load.worst() * HOPS);
    // As many that compute as it takes for the probe to have to wait.
    let stop = AtomicBool::new(false);
    let waited = thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(4, usize::from) * 4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let waited = super::Patience::default().wait(|| (load.worst() > Duration::from_millis(2)).then_some(()));
        stop.store(true, Ordering::Relaxed);
        waited
    });
    assert!(waited.is_some(), "beside others the probe must wait: {:?}", load.worst());
    let mut times: Vec<_> = (1..=100).map(Duration::from_millis).collect();
    assert_eq!(p99(&mut times), Duration::from_millis(99));
}
