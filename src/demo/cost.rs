//! Things that cost time, each done so often and timed: from a function call to a new process. A worker that is a process of
//! its own does them, on the core to which it is pinned; it knows no demo.
//!
//! Between two of them it has no other thread and no child, so that it may fork.

mod birth;
pub(super) mod coroutine;
mod pingpong;
mod tiny;

use super::area::{Area, Bells};
use super::rounds::{Desk, Measured};
use crate::fact::As;
use crate::stage::Worker;
pub(super) use pingpong::reap;
use pingpong::{Futex, Pipes, touch};
use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// A working set: words that are written to.
type Set<'a> = &'a [AtomicU64];

/// By what two tasks wake each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A futex in shared memory.
    Futex,
    /// A pipe each way.
    Pipe,
}

/// One thing that costs time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// A call of a function that does nothing, and its return.
    Call,
    /// A look at the clock: code of the kernel's that is mapped into every process (vdso(7)), and enters no kernel.
    Clock,
    /// The shortest way into the kernel and back: getppid(2).
    Syscall,
    /// The first touch of a page: the kernel finds one, clears it, and maps it.
    Fault,
    /// Writing to a working set of so many KiB and then to another, halved, and no switch: what stands in the figures of those
    /// that switch.
    Touch(usize),
    /// From a coroutine to another or back, each with its working set.
    Coroutine(usize),
    /// From a task to another: half a round trip.
    Switch(By, As, usize),
    /// A thread is made, ends and is joined (`pthread_create`, `pthread_join` of the C library, no closure, no name).
    Thread,
    /// A process is forked, ends and is waited for.
    Fork,
    /// The end of a thread: from its last look at the clock to the return of `pthread_join`.
    ThreadEnd,
    /// The end of a forked process: from its last look at the clock to the return of waitpid(2).
    ForkEnd,
    /// A process that executes a program of one page, and is waited for (`posix_spawn`).
    Spawn,
    /// The same with this program, which is large and linked as it is started.
    Program,
}

impl Cost {
    /// How often it may be done in one measurement: what takes memory is done less often.
    pub(super) fn most(self) -> u32 {
        if self == Self::Fault { 2048 } else { 1 << 24 }
    }
}

/// What a worker has at hand.
struct Kit<'a> {
    worker: &'a Worker,
    bells: Bells,
    birth: birth::Ward,
}

/// Two working sets. Each measurement has new ones: which pages the kernel gives decides how they share the caches, and with
/// the same ones in every round that chance would stay, and pass for a difference.
struct Sets {
    ours: Arc<Area>,
    theirs: Arc<Area>,
    words: usize,
}

impl Sets {
    /// Two of so many KiB, written to already: the first touch is another cost.
    fn new(kib: usize) -> io::Result<Self> {
        let bytes = kib * 1024;
        let area = || Area::private(bytes.div_ceil(rustix::param::page_size()).max(1)).map(Arc::new);
        let new = Self { ours: area()?, theirs: area()?, words: bytes / size_of::<u64>() };
        touch(new.ours());
        touch(new.theirs());
        Ok(new)
    }

    fn ours(&self) -> Set<'_> {
        &self.ours.words(0)[..self.words]
    }

    fn theirs(&self) -> Set<'_> {
        &self.theirs.words(0)[..self.words]
    }
}

/// A worker's part: it has so much memory resident, and does what is ordered over the desk, one of `costs`.
pub(super) fn play(worker: &Worker, desk: &Desk, place: usize, costs: &[Cost], resident: &Resident) {
    let all = || -> io::Result<_> {
        let held = resident.hold()?;
        Ok((held, Kit { worker, bells: Bells::shared()?, birth: birth::Ward::new()? }))
    };
    let all = all();
    desk.serve(worker, place, |what, times| match (&all, costs.get(what)) {
        (Ok((_, kit)), Some(cost)) => kit.time(*cost, times).map(Measured::from),
        (Ok(_), None) => Err("there is no such thing to be measured".to_owned()),
        (Err(refused), _) => Err(format!("memory for it: {refused}")),
    });
}

/// Memory that a worker writes to, page by page, before anything is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resident {
    /// How much.
    pub(super) mib: usize,
    /// In huge pages, where the kernel has any.
    pub(super) huge: bool,
}

impl Resident {
    fn hold(&self) -> io::Result<Option<memmap2::MmapMut>> {
        if self.mib == 0 {
            return Ok(None);
        }
        let mut map = memmap2::MmapMut::map_anon(self.mib << 20)?;
        // A kernel without huge pages refuses either (EINVAL), and has plain ones.
        let _ = map.advise(if self.huge { memmap2::Advice::HugePage } else { memmap2::Advice::NoHugePage });
        map.iter_mut().step_by(rustix::param::page_size()).for_each(|byte| *byte = 1);
        Ok(Some(map))
    }
}

impl Kit<'_> {
    /// Nanoseconds of one, or why it cannot be done.
    fn time(&self, cost: Cost, times: u32) -> Result<f64, String> {
        let refused = |error: io::Error| error.to_string();
        // A round trip is two switches.
        let (took, done) = match cost {
            Cost::Call => (repeat(times, || _ = nothing(black_box(1))), 1.0),
            Cost::Clock => (repeat(times, || _ = black_box(Instant::now())), 1.0),
            Cost::Syscall => (repeat(times, || _ = black_box(rustix::process::getppid())), 1.0),
            Cost::Fault => (fault(times).map_err(refused)?, 1.0),
            Cost::Touch(kib) => {
                let sets = Sets::new(kib).map_err(refused)?;
                let both = || {
                    touch(sets.ours());
                    touch(sets.theirs());
                };
                (repeat(times, both), 2.0)
            }
            Cost::Coroutine(kib) => {
                let sets = Sets::new(kib).map_err(refused)?;
                let (words, theirs) = (sets.words, Arc::clone(&sets.theirs));
                let their_part = move || touch(&theirs.words(0)[..words]);
                (coroutine::round_trips(times, || touch(sets.ours()), their_part).map_err(refused)?, 2.0)
            }
            Cost::Switch(by, what, kib) => {
                let sets = Sets::new(kib).map_err(refused)?;
                (self.switch(by, what, times, (sets.ours(), sets.theirs()))?, 2.0)
            }
            Cost::Thread => (birth::Ward::threads(times)?, 1.0),
            Cost::Fork => (birth::forks(self.worker, times)?, 1.0),
            Cost::ThreadEnd => (self.birth.thread_ends(times)?, 1.0),
            Cost::ForkEnd => (self.birth.fork_ends(self.worker, times)?, 1.0),
            Cost::Spawn => (self.birth.spawns(times)?, 1.0),
            Cost::Program => (birth::programs(times)?, 1.0),
        };
        #[expect(clippy::cast_precision_loss, reason = "2^53 ns are a hundred days")]
        let nanos = took.as_nanos() as f64;
        Ok(nanos / f64::from(times.max(1)) / done)
    }

    fn switch(&self, by: By, what: As, times: u32, sets: (Set, Set)) -> Result<Duration, String> {
        match by {
            By::Futex => {
                self.bells.bell(0).store(0, std::sync::atomic::Ordering::Release);
                self.bells.bell(1).store(0, std::sync::atomic::Ordering::Release);
                let end = |own| Futex { bells: &self.bells, own };
                pingpong::round_trips(self.worker, what, times, sets, (end(0), end(1)))
            }
            By::Pipe => {
                let ends = Pipes::pair().map_err(|refused| format!("a pipe: {refused}"))?;
                pingpong::round_trips(self.worker, what, times, sets, ends)
            }
        }
    }
}

/// How long it takes to do a thing so often.
fn repeat(times: u32, mut what: impl FnMut()) -> Duration {
    let begun = Instant::now();
    for _ in 0..times {
        what();
    }
    begun.elapsed()
}

#[inline(never)]
fn nothing(n: u32) -> u32 {
    black_box(n)
}

/// The first touch of so many pages, new ones each time.
fn fault(times: u32) -> io::Result<Duration> {
    let pages = usize::try_from(times).unwrap_or(1).max(1);
    let area = Area::private(pages)?;
    let begun = Instant::now();
    for page in 0..pages {
        area.word(page).store(1, std::sync::atomic::Ordering::Relaxed);
    }
    Ok(begun.elapsed())
}
