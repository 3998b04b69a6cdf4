//! What the two workers do. One goes through the rounds, takes the time and tells what they came to; the other answers when
//! it is called. A queue lies in one process's memory, so there the timing worker is answered by a thread of its own.

use super::measure::{self, Plan, Round};
use super::{Cell, TABLE};
use crate::demo::channel::{Link, Side, Way};
use crate::demo::script::row;
use crate::fact::{As, Cpu, Fact, Unavailable};
use crate::lab::{Estimate, ratio};
use crate::stage::Worker;
use hdrhistogram::Histogram;
use nix::sched::{CpuSet, sched_setaffinity};
use serde_json::{Value, json};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Rounds that are not counted: to find out how much a round has to do.
const CALIBRATIONS: usize = 2;

/// The links that one answering side has, by the numbers of their cells.
pub(super) type Links = Vec<Option<Arc<Link>>>;

/// The answering side: a byte on `calls` is the number of a cell. It ends when nobody can call it any more.
pub(super) fn answering(cells: &[Cell], links: &Links, mut calls: PipeReader, mut ready: PipeWriter) {
    take(links, Side::Right);
    let _ = ready.write_all(&[0]);
    drop(ready);
    let mut call = [0];
    while calls.read_exact(&mut call).is_ok() {
        let number = usize::from(call[0]);
        let (Some(Some(link)), Some(cell)) = (links.get(number), cells.get(number)) else { continue };
        if measure::answer(link, &mut vec![0; cell.size]).is_err() {
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

/// What is known of a cell.
struct Course {
    link: Option<Arc<Link>>,
    plan: Plan,
    message: Vec<u8>,
    rounds: Vec<Round>,
    singles: Histogram<u64>,
}

/// The timing side.
pub(super) struct Timing {
    pub(super) cells: Vec<Cell>,
    pub(super) links: Links,
    pub(super) other: Answering,
    /// Where a thread that answers is to run.
    pub(super) answers_on: Cpu,
    pub(super) rounds: usize,
}

impl Timing {
    /// All rounds of all cells in turn, until the worker is told to leave.
    pub(super) fn go(mut self, worker: &Worker) {
        take(&self.links, Side::Left);
        // After that: a thread begins with the mask of who makes it, and a signal to this process must find nobody but the
        // one that waits for it.
        let (mut thread, joined) = match self.thread() {
            Ok((thread, joined)) => (Some(thread), Some(joined)),
            Err(refused) => {
                worker.tell(Fact::Refused(Unavailable::new("a thread that answers", refused.to_string())));
                (None, None)
            }
        };
        for answering in std::iter::once(&mut self.other).chain(thread.as_mut()) {
            let _ = answering.ready.read_exact(&mut [0]);
        }
        let mut courses: Vec<Course> = self.cells.iter().zip(&self.links).filter_map(Course::new).collect();
        'all: for round in 0..self.rounds + CALIBRATIONS {
            for (number, cell) in self.cells.iter().enumerate() {
                if worker.order() == Worker::HALT {
                    break 'all;
                }
                let Some(course) = courses.get_mut(number) else { continue };
                let answering = if cell.way == Way::Queue { thread.as_mut() } else { Some(&mut self.other) };
                let Some((link, answering)) = course.link.clone().zip(answering) else { continue };
                match course.one(&link, answering, number, round >= CALIBRATIONS) {
                    Ok(()) => {}
                    Err(error) => {
                        link.hang_up(Side::Left);
                        course.link = None;
                        let why = Unavailable::new(format!("a round by {}", cell.way.name()), error.to_string());
                        worker.tell(row(TABLE, &cell.row, json!({ "why": why.why.clone() })));
                        worker.tell(Fact::Refused(why));
                    }
                }
            }
            if round >= CALIBRATIONS {
                self.tell(worker, &courses);
            }
        }
        // Nobody can call any more: whoever answers leaves.
        drop((self.other, thread));
        if let Some(joined) = joined {
            let _ = joined.join();
        }
    }

    /// The thread that answers by a queue, and the queues.
    fn thread(&mut self) -> io::Result<(Answering, JoinHandle<()>)> {
        let mut theirs: Links = vec![None; self.cells.len()];
        for (number, cell) in self.cells.iter().enumerate().filter(|(_, cell)| cell.way == Way::Queue) {
            let link = cell.way.open(As::Threads, cell.size).map_err(io::Error::other)?;
            theirs[number] = Some(Arc::new(link));
            self.links[number].clone_from(&theirs[number]);
        }
        let (called, calls) = io::pipe()?;
        let (ready, tells) = io::pipe()?;
        let (cells, cpu) = (self.cells.clone(), self.answers_on);
        let joined = std::thread::Builder::new().stack_size(256 * 1024).spawn(move || {
            let mut set = CpuSet::new();
            // The stage has pinned the worker to a CPU of the same list.
            let _ = set.set(cpu.0 as usize).and_then(|()| sched_setaffinity(nix::unistd::Pid::from_raw(0), &set));
            answering(&cells, &theirs, called, tells);
        })?;
        Ok((Answering { calls, ready }, joined))
    }

    fn tell(&self, worker: &Worker, courses: &[Course]) {
        for (cell, course) in self.cells.iter().zip(courses) {
            let Some(mut values) = course.values() else { continue };
            if cell.way == Way::Shm {
                let queue = self.cells.iter().position(|c| c.way == Way::Queue && c.size == cell.size);
                let queue = queue.and_then(|number| courses.get(number)).map(Course::latencies);
                let by = queue.and_then(|queue| ratio(&course.latencies(), &queue));
                put(&mut values, ["by_queue", "by_queue_low", "by_queue_high"], by.as_ref(), 4);
            }
            worker.tell(row(TABLE, &cell.row, values));
        }
    }
}

impl Course {
    fn new((cell, link): (&Cell, &Option<Arc<Link>>)) -> Option<Self> {
        // Three figures, and it grows to fit.
        let singles = Histogram::new(3).ok()?;
        let message = vec![0; cell.size];
        Some(Self { link: link.clone(), plan: Plan::FIRST, message, rounds: Vec::new(), singles })
    }

    /// One round: it is counted, or it says how much the next one has to do.
    fn one(&mut self, link: &Link, answering: &mut Answering, number: usize, counts: bool) -> io::Result<()> {
        let call = u8::try_from(number).map_err(io::Error::other)?;
        answering.calls.write_all(&[call])?;
        let round = measure::round(link, self.plan, &mut self.message, &mut self.singles)?;
        if counts {
            self.rounds.push(round);
        } else {
            self.plan = Plan::after(&round, self.message.len());
            self.singles.reset();
        }
        Ok(())
    }

    fn latencies(&self) -> Vec<f64> {
        self.rounds.iter().map(|round| round.latency_ns).collect()
    }

    /// What its row says; none before its first round.
    fn values(&self) -> Option<Value> {
        let latency = Estimate::of(&self.latencies())?;
        let rate = Estimate::of(&self.rounds.iter().map(|round| round.bytes_per_s).collect::<Vec<_>>())?;
        let mut values = json!({
            "p99_ns": self.singles.value_at_quantile(0.99) / 2,
            "rounds": self.rounds.len(),
        });
        put(&mut values, ["latency_ns", "low", "high"], Some(&latency), 1);
        put(&mut values, ["bytes_per_s", "rate_low", "rate_high"], Some(&rate), 0);
        Some(values)
    }
}

/// Writes an estimate into a row, to so many decimals. What is not known is left out.
fn put(values: &mut Value, [median, low, high]: [&str; 3], estimate: Option<&Estimate>, decimals: i32) {
    let Some(estimate) = estimate else { return };
    let tens = 10_f64.powi(decimals);
    let ends = [(low, estimate.low), (high, estimate.high)];
    let known = ends.into_iter().filter_map(|(name, end)| Some((name, end?)));
    for (name, value) in std::iter::once((median, estimate.median)).chain(known) {
        values[name] = json!((value * tens).round() / tens);
    }
}
