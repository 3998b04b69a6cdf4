//! The queue and the futures, as words of memory that all have in common.

use super::future::{Future, Record, State};
use super::{MOST, Outcome};
use crate::demo::area::{Area, Bells};
use crate::fact::Nanos;
use rustix::thread::futex;
use std::io;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

// The bells: some for all, then the state of each future.
/// Tasks that were ever put into the queue.
const POSTED: usize = 0;
/// Things that have happened to futures.
const NEWS: usize = 1;
/// Nothing more will be put into the queue.
const CLOSED: usize = 2;
/// Futures that there are.
const LENGTH: usize = 3;
/// Workers that may take tasks.
const OPEN: usize = 4;
const STATES: usize = 16;

/// Words that each future has on the page of values.
const EACH: usize = 8;
const ARGUMENT: usize = 0;
const SUBMITTED: usize = 1;
const BEGAN: usize = 2;
const ENDED: usize = 3;
const KIND: usize = 4;
const VALUE: usize = 5;
const WORKER: usize = 6;
const CPU: usize = 7;

/// What the outcome is, in the word `KIND`.
const NO_OUTCOME: u64 = 0;
const RETURNED: u64 = 1;
const FAILED: u64 = 2;

/// The states in the low byte of a future's word; the worker's number stands above, for no moment must there be a running
/// task of nobody.
const PENDING: u32 = 1;
const RUNNING: u32 = 2;
const CANCELLED: u32 = 3;
const FINISHED: u32 = 4;
const LOW: u32 = 0xff;

/// The longest sleep for a task: who is sent off without a call looks up by then.
const NAP: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Hall {
    bells: Bells,
    values: Area,
}

impl Hall {
    pub(super) fn new() -> io::Result<Self> {
        let hall = Self { bells: Bells::shared()?, values: Area::shared(1)? };
        hall.word(OPEN).store(u32::MAX, Relaxed);
        Ok(hall)
    }

    fn word(&self, word: usize) -> &AtomicU32 {
        self.bells.bell(word)
    }

    fn state(&self, future: Future) -> &AtomicU32 {
        self.word(STATES + future.0)
    }

    fn value(&self, future: Future, value: usize) -> &AtomicU64 {
        self.values.word_of(0, future.0 * EACH + value)
    }

    fn set(&self, future: Future, value: usize, to: u64) {
        self.value(future, value).store(to, Relaxed);
    }

    /// One more on a word that others sleep on.
    fn bump(&self, word: usize) {
        self.word(word).fetch_add(1, Release);
        self.wake(word);
    }

    fn wake(&self, word: usize) {
        let _ = futex::wake(self.word(word), futex::Flags::empty(), i32::MAX.unsigned_abs());
    }

    /// Sleeps while `word` is `known`, for `patience` at most; may return sooner.
    fn wait(&self, word: usize, known: u32, patience: Duration) {
        let Ok(patience) = futex::Timespec::try_from(patience) else { return };
        // A wake, a signal, another value and the time all mean the same to the caller: look again.
        let _ = futex::wait(self.word(word), futex::Flags::empty(), known, Some(&patience));
    }

    pub(super) fn futures(&self) -> impl Iterator<Item = Future> + use<> {
        let length = usize::try_from(self.word(LENGTH).load(Acquire)).unwrap_or(0).min(MOST);
        (0..length).map(Future)
    }

    /// Only the one who submits calls this.
    pub(super) fn add(&self, argument: u64, at: Nanos) -> Option<Future> {
        let length = self.word(LENGTH).load(Relaxed);
        let future = usize::try_from(length).ok().filter(|n| *n < MOST).map(Future)?;
        for (value, to) in
            [(ARGUMENT, argument), (SUBMITTED, at.0), (BEGAN, 0), (ENDED, 0), (KIND, 0), (WORKER, 0), (CPU, 0)]
        {
            self.set(future, value, to);
        }
        self.state(future).store(PENDING, Release);
        self.word(LENGTH).store(length + 1, Release);
        self.bump(POSTED);
        Some(future)
    }

    /// The first of the queue, for the worker of this number.
    pub(super) fn take(&self, worker: usize, at: Nanos) -> Option<Future> {
        let number = u32::try_from(worker).ok().filter(|_| self.is_open(worker))?;
        let taken = self.futures().find(|future| self.swap(*future, PENDING, RUNNING | (number + 1) << 8))?;
        self.set(taken, WORKER, u64::from(number) + 1);
        self.value(taken, BEGAN).store(at.0, Release);
        self.bump(NEWS);
        Some(taken)
    }

    fn swap(&self, future: Future, from: u32, to: u32) -> bool {
        self.state(future).compare_exchange(from, to, AcqRel, Relaxed).is_ok()
    }

    /// `cpu`: the CPU time that it took.
    pub(super) fn finish(&self, future: Future, outcome: Outcome, at: Nanos, cpu: Nanos) {
        let (kind, value) = match outcome {
            Ok(value) => (RETURNED, value),
            Err(error) => (FAILED, u64::from(error)),
        };
        for (word, to) in [(VALUE, value), (ENDED, at.0), (KIND, kind), (CPU, cpu.0)] {
            self.set(future, word, to);
        }
        self.state(future).store(FINISHED, Release);
        self.bump(NEWS);
    }

    pub(super) fn cancel(&self, future: Future) -> bool {
        let cancelled = self.swap(future, PENDING, CANCELLED);
        if cancelled {
            self.bump(NEWS);
        }
        cancelled
    }

    pub(super) fn record(&self, future: Future) -> Record {
        let word = self.state(future).load(Acquire);
        let value = |value| self.value(future, value).load(Acquire);
        let moment = |word| Some(value(word)).filter(|at| *at != 0).map(Nanos);
        let worker = |number: u64| number.checked_sub(1).and_then(|n| usize::try_from(n).ok());
        let running = worker(u64::from(word >> 8));
        let state = match (word & LOW, running) {
            (RUNNING, Some(worker)) => State::Running(worker),
            (CANCELLED, _) => State::Cancelled,
            (FINISHED, _) => State::Finished,
            _ => State::Pending,
        };
        let finished = state == State::Finished;
        let outcome = match value(KIND) {
            RETURNED if finished => Some(Ok(value(VALUE))),
            FAILED if finished => Some(Err(u32::try_from(value(VALUE)).unwrap_or(u32::MAX))),
            _ => None,
        };
        Record {
            argument: value(ARGUMENT),
            state,
            worker: running.or_else(|| worker(value(WORKER)).filter(|_| finished)),
            submitted: Nanos(value(SUBMITTED)),
            began: moment(BEGAN),
            ended: moment(ENDED).filter(|_| finished),
            cpu: moment(CPU).filter(|_| finished),
            outcome,
        }
    }

    /// What this worker had begun will have no answer.
    pub(super) fn bereave(&self, worker: usize, at: Nanos) {
        for future in self.futures() {
            let word = self.state(future).load(Acquire);
            if self.record(future).state == State::Running(worker) {
                self.set(future, KIND, NO_OUTCOME);
                self.set(future, ENDED, at.0);
                if self.swap(future, word, FINISHED) {
                    self.bump(NEWS);
                }
            }
        }
    }

    /// What is in the queue will have no answer: nobody is left to take it.
    pub(super) fn abandon(&self, at: Nanos) {
        for future in self.futures().filter(|future| self.record(*future).state == State::Pending) {
            self.set(future, ENDED, at.0);
            if self.swap(future, PENDING, FINISHED) {
                self.bump(NEWS);
            }
        }
    }

    pub(super) fn clear(&self) {
        self.word(LENGTH).store(0, Release);
    }

    pub(super) fn set_open(&self, workers: usize) {
        self.word(OPEN).store(u32::try_from(workers).unwrap_or(u32::MAX), Release);
        self.wake(OPEN);
    }

    /// Whether this worker may take tasks. All may leave.
    pub(super) fn is_open(&self, worker: usize) -> bool {
        self.is_closed() || u32::try_from(worker).is_ok_and(|number| number < self.word(OPEN).load(Acquire))
    }

    /// Sleeps until another number of workers is let take tasks.
    pub(super) fn wait_open(&self, worker: usize) {
        let known = self.word(OPEN).load(Acquire);
        if !self.is_open(worker) {
            self.wait(OPEN, known, NAP);
        }
    }

    pub(super) fn posted(&self) -> u32 {
        self.word(POSTED).load(Acquire)
    }

    pub(super) fn wait_posted(&self, known: u32) {
        self.wait(POSTED, known, NAP);
    }

    pub(super) fn news(&self) -> u32 {
        self.word(NEWS).load(Acquire)
    }

    pub(super) fn wait_news(&self, known: u32, patience: Duration) {
        self.wait(NEWS, known, patience);
    }

    pub(super) fn close(&self) {
        self.word(CLOSED).store(1, Release);
        // Who sleeps for leave to begin looks at the same word, which has to be another then.
        self.set_open(MOST);
        self.bump(POSTED);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.word(CLOSED).load(Acquire) != 0
    }
}
