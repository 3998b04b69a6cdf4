//! What the two workers do. One measures what it is ordered to; the other answers when it is called. A queue lies in one
//! process's memory, so there the timing worker is answered by a thread of its own.

use super::measure;
use super::{Cell, Part, What};
use crate::demo::area::Area;
use crate::demo::channel::{Link, Side, Way};
use crate::demo::rounds::{Desk, Measured, Spent};
use crate::fact::{As, Cpu};
use crate::lab::Plan;
use crate::stage::Worker;
use hdrhistogram::Histogram;
use nix::sched::{CpuSet, sched_setaffinity};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::thread::JoinHandle;
use std::time::Duration;

/// The links that one side has, by the numbers of their cells; or why there is none.
pub(super) type Links = Vec<Result<Arc<Link>, String>>;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The other worker.
    Worker,
    /// A thread of the timing worker, by a queue.
    Thread,
}

/// What those who answer spent in the last measurement, for the timing side to read.
#[derive(Debug)]
pub(super) struct Bills(Area);

impl Bills {
    /// For workers that come on later.
    ///
    /// # Errors
    /// The kernel's refusal of the memory.
    pub(super) fn new() -> io::Result<Self> {
        Area::shared(1).map(Self)
    }

    fn put(&self, who: Who, spent: Spent) {
        for (word, time) in self.words(who).iter().zip([spent.ran, spent.waited]) {
            word.store(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Release);
        }
    }

    fn of(&self, who: Who) -> Spent {
        let [ran, waited] = [0, 1].map(|n| Duration::from_nanos(self.words(who)[n].load(Acquire)));
        Spent { ran, waited }
    }

    fn words(&self, who: Who) -> &[std::sync::atomic::AtomicU64] {
        let from = if who == Who::Worker { 0 } else { 2 };
        &self.0.words(0)[from..from + 2]
    }
}

/// The answering side: a byte on `calls` is the number of a cell. It ends when nobody can call it any more.
pub(super) fn answering(
    who: Who,
    cells: &[Cell],
    links: &Links,
    bills: &Bills,
    mut calls: PipeReader,
    mut ready: PipeWriter,
) {
    take(links, Side::Right);
    let _ = ready.write_all(&[0]);
    drop(ready);
    let mut call = [0];
    while calls.read_exact(&mut call).is_ok() {
        let number = usize::from(call[0]);
        let (Some(Ok(link)), Some(cell)) = (links.get(number), cells.get(number)) else { continue };
        let begun = Spent::of_this_thread();
        let closing = || bills.put(who, Spent::of_this_thread().since(begun));
        if measure::answer(link, &mut vec![0; cell.size], closing).is_err() {
            link.hang_up(Side::Right);
        }
    }
}

/// Is `side` of all of them. Of one that is refused, the other side learns by being hung up on.
fn take(links: &Links, side: Side) {
    links.iter().flatten().filter(|link| link.take(side).is_err()).for_each(|link| link.hang_up(side));
}

/// Who answers, as the timing side knows it.
pub(super) struct Answering {
    pub(super) calls: PipeWriter,
    pub(super) ready: PipeReader,
}

/// The timing side.
pub(super) struct Timing {
    pub(super) cells: Vec<Cell>,
    pub(super) whats: Vec<What>,
    pub(super) links: Links,
    pub(super) other: Answering,
    pub(super) bills: Arc<Bills>,
    /// The CPU of this side, and where who answers is.
    pub(super) cpus: [Cpu; 2],
}

/// A thing that is measured, as the timing side goes on with it.
struct Course {
    what: What,
    message: Vec<u8>,
    /// Measurements so far: one a round.
    measured: usize,
    singles: Histogram<u64>,
}

impl Timing {
    /// Measures what is ordered over the desk, until the worker is told to leave.
    pub(super) fn go(mut self, worker: &Worker, desk: &Desk) {
        take(&self.links, Side::Left);
        // After that: a thread begins with the mask of who makes it, and a signal to this process must find nobody but the
        // one that waits for it.
        let (mut thread, joined) = self.thread().map_or_else(
            |refused| {
                let why = format!("a thread that answers: {refused}");
                let queues = self.cells.iter().zip(&mut self.links).filter(|(cell, _)| cell.way == Way::Queue);
                queues.for_each(|(_, link)| *link = Err(why.clone()));
                (None, None)
            },
            |(thread, joined)| (Some(thread), Some(joined)),
        );
        for answering in std::iter::once(&mut self.other).chain(thread.as_mut()) {
            let _ = answering.ready.read_exact(&mut [0]);
        }
        let mut courses: Vec<Course> = self.whats.iter().filter_map(|what| Course::new(*what, &self.cells)).collect();
        desk.serve(worker, 0, |what, times| {
            let course = courses.get_mut(what).ok_or("there is no such thing to be measured")?;
            self.measure(course, thread.as_mut(), times)
        });
        // Nobody can call any more: whoever answers leaves.
        drop((self.other, thread));
        if let Some(joined) = joined {
            let _ = joined.join();
        }
    }

    fn measure(&mut self, course: &mut Course, thread: Option<&mut Answering>, times: u32) -> Result<Measured, String> {
        let number = course.what.cell;
        let link = self.links[number].clone()?;
        let (who, answering) = match (self.cells[number].way, thread) {
            (Way::Queue, Some(thread)) => (Who::Thread, thread),
            _ => (Who::Worker, &mut self.other),
        };
        let begun = Spent::of_this_thread();
        let (each, p99) = course.measure(&link, answering, times).map_err(|error| {
            link.hang_up(Side::Left);
            self.links[number] = Err(error.to_string());
            error.to_string()
        })?;
        let (own, theirs) = (Spent::of_this_thread().since(begun), self.bills.of(who));
        let spent = if self.cpus[0] == self.cpus[1] { own.on_one_core(theirs) } else { own.on_two_cores(theirs) };
        Ok(Measured { each, p99, spent: Some(spent) })
    }

    /// The thread that answers by a queue, and the queues.
    fn thread(&mut self) -> io::Result<(Answering, JoinHandle<()>)> {
        let mut theirs: Links = self.cells.iter().map(|_| Err("another answers".to_owned())).collect();
        for (number, cell) in self.cells.iter().enumerate().filter(|(_, cell)| cell.way == Way::Queue) {
            let link = Arc::new(cell.way.open(As::Threads, cell.size).map_err(io::Error::other)?);
            theirs[number] = Ok(Arc::clone(&link));
            self.links[number] = Ok(link);
        }
        let (called, calls) = io::pipe()?;
        let (ready, tells) = io::pipe()?;
        let (cells, cpu, bills) = (self.cells.clone(), self.cpus[1], Arc::clone(&self.bills));
        let joined = std::thread::Builder::new().stack_size(256 * 1024).spawn(move || {
            let mut set = CpuSet::new();
            // The stage has pinned the worker to a CPU of the same list.
            let _ = set.set(cpu.0 as usize).and_then(|()| sched_setaffinity(nix::unistd::Pid::from_raw(0), &set));
            answering(Who::Thread, &cells, &theirs, &bills, called, tells);
        })?;
        Ok((Answering { calls, ready }, joined))
    }
}

impl Course {
    fn new(what: What, cells: &[Cell]) -> Option<Self> {
        let message = vec![0; cells.get(what.cell)?.size];
        // Three figures, and it grows to fit.
        Some(Self { what, message, measured: 0, singles: Histogram::new(3).ok()? })
    }

    /// One measurement: nanoseconds of one; and, of a latency, of all but one in a hundred trips so far, at most.
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a trip, far below 2^52")]
    fn measure(&mut self, link: &Link, answering: &mut Answering, times: u32) -> io::Result<(f64, Option<f64>)> {
        let call = u8::try_from(self.what.cell).map_err(io::Error::other)?;
        answering.calls.write_all(&[call])?;
        if self.what.part == Part::Stream {
            return Ok((measure::stream(link, times, &mut self.message)?, None));
        }
        // What the rounds that warm up have found does not count.
        if Plan::new(1).counts(self.measured).is_none_or(|round| round == 1) {
            self.singles.reset();
        }
        self.measured += 1;
        let half = measure::latency(link, times, &mut self.message, &mut self.singles)?;
        Ok((half, Some(self.singles.value_at_quantile(0.99) as f64 / 2.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_bill_of_its_own() {
        let bills = Bills::new().expect("memory");
        let spent = |ran, waited| Spent { ran: Duration::from_nanos(ran), waited: Duration::from_nanos(waited) };
        bills.put(Who::Worker, spent(3, 4));
        bills.put(Who::Thread, spent(5, 6));
        assert_eq!((bills.of(Who::Worker), bills.of(Who::Thread)), (spent(3, 4), spent(5, 6)));
    }
}
