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
    /// Writing to a working set of so many KiB, and no switch: what stands in the figures of those that switch.
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
    ours: Arc<Area>,
    theirs: Arc<Area>,
    birth: birth::Ward,
}

/// A worker's part: it has so much memory resident, and does what is ordered over the desk, one of `costs`.
pub(super) fn play(worker: &Worker, desk: &Desk, place: usize, costs: &[Cost], resident: &Resident) {
    let page = rustix::param::page_size();
    let sets = costs.iter().map(|cost| match cost {
        Cost::Touch(kib) | Cost::Coroutine(kib) | Cost::Switch(_, _, kib) => kib * 1024 / page,
        _ => 0,
    });
    let pages = sets.max().unwrap_or(0).max(1);
    let all = || -> io::Result<_> {
        let held = resident.hold()?;
        let (ours, theirs) = (Arc::new(Area::private(pages)?), Arc::new(Area::private(pages)?));
        Ok((held, Kit { worker, bells: Bells::shared()?, ours, theirs, birth: birth::Ward::new()? }))
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
                let ours = self.set(&self.ours, kib);
                (repeat(times, || touch(ours)), 1.0)
            }
            Cost::Coroutine(kib) => (self.coroutine(times, kib).map_err(refused)?, 2.0),
            Cost::Switch(by, what, kib) => {
                let sets = (self.set(&self.ours, kib), self.set(&self.theirs, kib));
                (self.switch(by, what, times, sets)?, 2.0)
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

    fn set<'a>(&self, area: &'a Area, kib: usize) -> Set<'a> {
        let words = area.words(0);
        &words[..(kib * 1024 / size_of::<u64>()).min(words.len())]
    }

    fn coroutine(&self, times: u32, kib: usize) -> io::Result<Duration> {
        let theirs = Arc::clone(&self.theirs);
        let words = kib * 1024 / size_of::<u64>();
        let ours = self.set(&self.ours, kib);
        coroutine::round_trips(times, || touch(ours), move || touch(&theirs.words(0)[..words]))
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
