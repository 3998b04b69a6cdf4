//! How long the machine keeps anybody waiting just now, so that a bound on the program can be a bound on the program.
//!
//! A probe beside the test does what the program does between a key and a frame: it sleeps, wakes, and computes for a
//! while. What it takes longer than that is nobody's fault but the machine's: other work, a hypervisor.

use nix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What the probe sleeps, and then computes: a sixth of one core, and several time slices of a busy one.
const SLEEP: Duration = Duration::from_millis(50);
const COMPUTE: Duration = Duration::from_millis(10);

/// Waits between a key and what the test sees of it: the terminal, the input thread, the one that draws, the terminal,
/// the emulator.
const HOPS: u32 = 5;

/// How the probe was kept waiting, in microseconds.
#[derive(Default)]
struct Kept {
    /// The longest beyond one sleep and one computation.
    worst: AtomicU64,
    /// All computations, by the clock on the wall, and how many they were.
    computed: AtomicU64,
    times: AtomicU64,
}

/// A probe that runs until it is dropped.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    kept: Arc<Kept>,
    probe: Option<JoinHandle<()>>,
}

impl Load {
    /// Starts it.
    pub(crate) fn watch() -> Self {
        let (stop, kept) = (Arc::new(AtomicBool::new(false)), Arc::new(Kept::default()));
        let (stopped, told) = (Arc::clone(&stop), Arc::clone(&kept));
        let probe = thread::Builder::new().spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                told.once();
            }
        });
        Self { stop, kept, probe: Some(probe.expect("a thread")) }
    }

    /// The longest that the machine kept the probe waiting so far.
    pub(crate) fn worst(&self) -> Duration {
        Duration::from_micros(self.kept.worst.load(Ordering::Relaxed))
    }

    /// How many times longer a computation takes here than it would alone, on average.
    fn stretch(&self) -> f64 {
        let times = self.kept.times.load(Ordering::Relaxed);
        let alone = Duration::from_micros(self.kept.computed.load(Ordering::Relaxed)).as_secs_f64();
        if times == 0 { 1.0 } else { (alone / (COMPUTE.as_secs_f64() * times as f64)).max(1.0) }
    }

    /// `bound`, which is for a machine with nothing else to do: longer by as much as computations take longer here, and
    /// by what this machine added to each wait on the way.
    pub(crate) fn allows(&self, bound: Duration) -> Duration {
        bound.mul_f64(self.stretch()) + self.worst() * HOPS
    }

    /// That `took` is within `bound` here and now.
    #[track_caller]
    pub(crate) fn assert_within(&self, bound: Duration, took: Duration, what: &str) {
        let allowed = self.allows(bound);
        assert!(
            took <= allowed,
            "{what} took {took:?}; {bound:?} is promised, {allowed:?} allowed where others wait {:?} and need {:.1} times \
             as long",
            self.worst(),
            self.stretch()
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

impl Kept {
    /// One sleep and one computation.
    fn once(&self) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let begun = Instant::now();
        thread::sleep(SLEEP);
        let (woken, computed) = (Instant::now(), spent() + COMPUTE);
        while spent() < computed {
            std::hint::spin_loop();
        }
        self.worst.fetch_max(micros(begun.elapsed().saturating_sub(SLEEP + COMPUTE)), Ordering::Relaxed);
        self.computed.fetch_add(micros(woken.elapsed()), Ordering::Relaxed);
        self.times.fetch_add(1, Ordering::Relaxed);
    }
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
        let slow = || load.worst() > Duration::from_millis(2) && load.stretch() > 1.3;
        let waited = super::Patience::default().wait(|| slow().then_some(()));
        stop.store(true, Ordering::Relaxed);
        waited
    });
    assert!(waited.is_some(), "beside others the probe must wait: {:?}, {}", load.worst(), load.stretch());
    assert!(load.allows(Duration::from_secs(1)) > Duration::from_millis(1300));
    let mut times: Vec<_> = (1..=100).map(Duration::from_millis).collect();
    assert_eq!(p99(&mut times), Duration::from_millis(99));
}
