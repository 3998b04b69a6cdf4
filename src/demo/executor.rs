//! An executor: workers that are hired once and take task after task from one queue, and a future for each task. What
//! Python calls `concurrent.futures`. For demos that use one; knows no demo.
//!
//! The queue and all futures are words of shared memory, so that processes and threads work alike. A task is taken, and a
//! task is cancelled, by the same compare-and-swap on the state of its future: one of the two comes first. Who waits sleeps in
//! futex(2).

mod future;
mod hall;
mod timed;

pub(super) use future::{Answer, Future, Missing, Record, State};
pub(super) use timed::Timed;

use super::labour::on_cpu;
use crate::fact::{As, Unavailable};
use crate::stage::{Settings, Stage, Worker, now};
use hall::Hall;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most tasks between two calls of [`Executor::clear`].
pub(super) const MOST: usize = 64;

/// What a task comes to: a number, or the number of an error, which stands for an exception.
pub(super) type Outcome = Result<u64, u32>;

/// The executor, in the hands of who submits: one thread, the leader's.
#[derive(Debug)]
pub(super) struct Executor {
    hall: Arc<Hall>,
    hired: Vec<usize>,
}

impl Executor {
    /// One without workers.
    ///
    /// # Errors
    /// The kernel's refusal of the memory.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { hall: Arc::new(Hall::new()?), hired: Vec::new() })
    }

    /// Brings on a worker that does `work` for each task that it takes: given the task's number, as in [`Future::number`], and
    /// its argument. `then` is called by the worker once the future has its answer. The worker leaves when the executor is
    /// shut down and nothing is left to do, or when it is sent off.
    ///
    /// # Errors
    /// As [`Stage::enter`].
    pub(super) fn hire(
        &mut self,
        stage: &mut Stage,
        what: As,
        work: impl Fn(&Worker, u64) -> Outcome + Send + 'static,
        then: impl Fn(&Worker, Future) + Send + 'static,
    ) -> Result<usize, Unavailable> {
        let (hall, number) = (Arc::clone(&self.hall), self.hired.len());
        let worker =
            stage.enter(what, &Settings::default(), move |worker| serve(&hall, worker, number, &work, &then))?;
        self.hired.push(worker);
        Ok(worker)
    }

    /// The workers, as the stage numbers them.
    pub(super) fn hired(&self) -> &[usize] {
        &self.hired
    }

    /// Lets only so many of the workers take tasks; the others sleep.
    pub(super) fn open(&self, workers: usize) {
        self.hall.set_open(workers);
    }

    /// Puts a task into the queue, and returns at once: no worker is waited for. None if there is no room for another.
    pub(super) fn submit(&self, argument: u64) -> Option<Future> {
        self.hall.add(argument, now())
    }

    /// Attempts to cancel: true if nobody has begun the task, and then nobody will.
    pub(super) fn cancel(&self, future: Future) -> bool {
        self.hall.cancel(future)
    }

    /// What there is to know of a future now.
    pub(super) fn record(&self, future: Future) -> Record {
        self.hall.record(future)
    }

    /// All futures since the last [`Executor::clear`], in the order of submission.
    pub(super) fn futures(&self) -> impl Iterator<Item = Future> {
        self.hall.futures()
    }

    /// The answer, waiting for it no longer than `patience`.
    ///
    /// # Errors
    /// Why there is none: the time is over, it was cancelled, the task failed, or its worker ended.
    pub(super) fn result(&self, future: Future, patience: Duration) -> Answer {
        let begun = Instant::now();
        loop {
            let news = self.news();
            let record = self.record(future);
            if let Some(answer) = record.answer() {
                return answer;
            }
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(Missing::TimedOut);
            }
            self.wait(news, left);
        }
    }

    /// Counts what has happened to any future.
    pub(super) fn news(&self) -> u32 {
        self.hall.news()
    }

    /// Sleeps until something happens to a future that is not counted in `known`, for `patience` at most.
    pub(super) fn wait(&self, known: u32, patience: Duration) {
        self.hall.wait_news(known, patience);
    }

    /// The stage's worker of this number has ended: whoever has its answer to wait for is told that there will be none.
    /// Python calls that a broken pool.
    pub(super) fn bereave(&self, worker: usize) {
        if let Some(number) = self.hired.iter().position(|hired| *hired == worker) {
            self.hall.bereave(number, now());
        }
    }

    /// No worker is left: whoever waits for a task in the queue is told that it will not be begun.
    pub(super) fn abandon(&self) {
        self.hall.abandon(now());
    }

    /// Forgets all futures, if all are done.
    pub(super) fn clear(&self) -> bool {
        let done = self.futures().all(|future| self.record(future).is_done());
        if done {
            self.hall.clear();
        }
        done
    }

    /// Takes no more tasks. What is in the queue will still be done; then the workers leave.
    pub(super) fn shut_down(&self) {
        self.hall.close();
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // Nobody must go on to sleep for a task that cannot come.
        self.hall.close();
    }
}

/// A worker's part.
fn serve(
    hall: &Hall,
    worker: &Worker,
    number: usize,
    work: &impl Fn(&Worker, u64) -> Outcome,
    then: &impl Fn(&Worker, Future),
) {
    let mut done = 0;
    while worker.order() != Worker::HALT {
        if !hall.is_open(number) {
            hall.wait_open(number);
            continue;
        }
        let posted = hall.posted();
        if let Some(future) = hall.take(number, now()) {
            let before = on_cpu();
            let outcome = work(worker, hall.record(future).argument);
            hall.finish(future, outcome, now(), on_cpu().since(before));
            done += 1;
            worker.set_work(done);
            then(worker, future);
        } else if hall.is_closed() {
            return;
        } else {
            hall.wait_posted(posted);
        }
    }
}

#[cfg(test)]
mod tests;
