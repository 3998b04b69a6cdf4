//! A hatch between a kitchen and its guests: a bounded buffer in memory that threads and processes share, with one mutex and
//! two condition variables. What the demos about waiting for a condition have in common. It knows no demo.
//!
//! All that is told of the buffer is told by who has the mutex, into one pipe: so the facts come in the order of the visits.

mod account;
mod hand;

pub(super) use account::{Account, is_stuck};
pub(super) use hand::Hand;

use super::area::Area;
use super::posix::{Condition, Kind, Mutex};
use super::script::row;
use crate::fact::{As, BufferSpec, Fact, Tid};
use crate::stage::{Left, Stage, Target, Worker};
use serde_json::json;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::time::Duration;

/// What the mutex is called, and the two things that one waits for.
pub(super) const HATCH: &str = "hatch";
pub(super) const NOT_FULL: &str = "not full";
pub(super) const NOT_EMPTY: &str = "not empty";

/// The values that a worker tells of itself. Who makes tells the first from the beginning on, who takes the second.
pub(super) const MADE: &str = "made";
pub(super) const TAKEN: &str = "taken";
pub(super) const TOOK_NOTHING: &str = "took_nothing";
pub(super) const WOKEN_FOR_NOTHING: &str = "woken_for_nothing";
const MOST: &str = "most_in_buffer";

/// The picture of it.
pub(super) static PICTURE: BufferSpec = BufferSpec {
    name: "hatch",
    table: "slots",
    lock: HATCH,
    puts: NOT_FULL,
    takes: NOT_EMPTY,
    items: ("dish", "dishes"),
};

/// The most slots that there are.
pub(super) const MOST_SLOTS: i64 = 16;

/// Words of the page: what was ever put, what was ever taken, who looked and then let go, and the slots.
const PUT: usize = 0;
const TOOK: usize = 1;
const ASIDE: usize = 2;
/// Who has the mutex, or had it last, by thread id; and how many sleep at each condition.
const OWNER: usize = 3;
const ASLEEP: [usize; 2] = [4, 5];
/// Calls that somebody heard.
const HEARD: usize = 6;
const SLOTS: usize = 8;

/// How long the end waits for the mutex, which a dead worker may have.
const PATIENCE: Duration = Duration::from_millis(200);

/// The hatch.
#[derive(Debug)]
pub(super) struct Hatch {
    area: Area,
    slots: u64,
    pub(super) mutex: Mutex,
    pub(super) not_full: Condition,
    pub(super) not_empty: Condition,
}

impl Hatch {
    /// An empty one.
    ///
    /// # Errors
    /// The kernel's refusal of the memory.
    pub(super) fn new(slots: u64) -> io::Result<Self> {
        let (mutex, area) = (Mutex::new(Kind::Plain)?, Area::shared(1)?);
        Ok(Self { area, slots, mutex, not_full: Condition::new()?, not_empty: Condition::new()? })
    }

    fn word(&self, k: usize) -> &AtomicU64 {
        self.area.word_of(0, k)
    }

    fn slot(&self, visit: u64) -> (u64, &AtomicU64) {
        let slot = visit % self.slots;
        (slot, self.word(SLOTS + usize::try_from(slot).unwrap_or(0)))
    }

    /// How many lie in it.
    pub(super) fn len(&self) -> u64 {
        self.put_so_far().saturating_sub(self.taken_so_far())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.slots
    }

    /// How many were ever put.
    pub(super) fn put_so_far(&self) -> u64 {
        self.word(PUT).load(Acquire)
    }

    /// How many were ever taken.
    pub(super) fn taken_so_far(&self) -> u64 {
        self.word(TOOK).load(Acquire)
    }

    /// Puts the next one: its slot and its number. For who has the mutex and has looked.
    fn put(&self) -> (u64, u64) {
        let visit = self.word(PUT).load(Relaxed);
        let (slot, word) = self.slot(visit);
        word.store(visit + 1, Relaxed);
        self.word(PUT).store(visit + 1, Release);
        (slot, visit + 1)
    }

    /// Takes the oldest: its slot and its number. None if nothing is there: who takes without having looked would take
    /// whatever lies in the slot, an old dish or none; here it is seen and told.
    fn take(&self) -> Option<(u64, u64)> {
        let visit = self.word(TOOK).load(Relaxed);
        let (slot, word) = self.slot(visit);
        let item = Some(word.swap(0, Relaxed)).filter(|item| *item > 0)?;
        self.word(TOOK).store(visit + 1, Release);
        Some((slot, item))
    }

    /// How many sleep at `side`. For who has the mutex.
    pub(super) fn asleep(&self, side: Side) -> u64 {
        self.word(side.asleep()).load(Relaxed)
    }

    /// A call was heard.
    pub(super) fn hear(&self) {
        self.word(HEARD).fetch_add(1, AcqRel);
    }

    /// How many calls were.
    pub(super) fn heard(&self) -> u64 {
        self.word(HEARD).load(Acquire)
    }

    /// Who was the last to have the mutex.
    pub(super) fn owner(&self) -> Tid {
        Tid(u32::try_from(self.word(OWNER).load(Acquire)).unwrap_or(0))
    }

    /// One more stands aside, who has looked and let go of the mutex.
    pub(super) fn step_aside(&self) {
        self.word(ASIDE).fetch_add(1, AcqRel);
    }

    /// How many ever stood aside.
    pub(super) fn aside(&self) -> u64 {
        self.word(ASIDE).load(Acquire)
    }

    /// Tells of the empty slots, before anybody comes.
    pub(super) fn show(&self, stage: &mut Stage) {
        (0..self.slots).for_each(|slot| stage.tell(slot_row(slot, None)));
    }

    /// Somebody was killed, perhaps while it slept at a condition.
    pub(super) fn has_dead(&self, stage: &Stage) -> bool {
        stage.cast().iter().any(|entry| matches!(entry.ended, Some(Left::Signal(_))))
    }

    /// Tells everybody to leave, and wakes who sleeps: it then sees that it is to leave.
    ///
    /// Not where a process has been killed. If it slept at a condition, the condition variable still counts it among those
    /// that have to be woken, and may wait for it; the stage ends those that are left.
    pub(super) fn close(&self, stage: &Stage) {
        super::train::all_out(stage);
        if self.has_dead(stage) {
            return;
        }
        // With the mutex: nobody is then between its look at the order and its sleep.
        let locked = self.mutex.lock_within(PATIENCE).is_ok();
        self.not_full.broadcast();
        self.not_empty.broadcast();
        if locked {
            let _ = self.mutex.unlock();
        }
    }
}

fn slot_row(slot: u64, item: Option<u64>) -> Fact {
    row(PICTURE.table, &(slot + 1).to_string(), json!({ "item": item }))
}

/// Whom a call wakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    /// One that sleeps, if there is one (pthread_cond_signal(3p)).
    One,
    /// All that sleep (pthread_cond_broadcast(3p)).
    All,
}

/// One of the two conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    NotFull,
    NotEmpty,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::NotFull => NOT_FULL,
            Self::NotEmpty => NOT_EMPTY,
        }
    }

    const fn asleep(self) -> usize {
        match self {
            Self::NotFull => ASLEEP[0],
            Self::NotEmpty => ASLEEP[1],
        }
    }

    const fn condition(self, hatch: &Hatch) -> &Condition {
        match self {
            Self::NotFull => &hatch.not_full,
            Self::NotEmpty => &hatch.not_empty,
        }
    }
}

/// Tells that those at `side` were called, and calls. For who has the mutex.
pub(super) fn call(hatch: &Hatch, side: Side, wake: Wake, tell: impl FnOnce(Fact)) {
    tell(row(CALLS, side.name(), json!({})));
    match wake {
        Wake::One => side.condition(hatch).signal(),
        Wake::All => side.condition(hatch).broadcast(),
    }
}

/// The table of the last call for each condition: who began to sleep later was not called.
const CALLS: &str = "calls";

/// The part of the one that ends with the mutex in its hands: a thread returns, a process stays until it is killed.
pub(super) fn end_inside(hand: &mut Hand<'_>, worker: &Worker, what: As) {
    if hand.enter() && what == As::Processes {
        while worker.wait(worker.order(), Duration::MAX) != Worker::HALT {}
    }
}

/// Kills the first worker once it is inside, where it stays. Whether that was done, or cannot be.
pub(super) fn kill_inside(stage: &Stage, what: As) -> bool {
    if what == As::Threads {
        return true;
    }
    // Its counter says that it has told that it is inside.
    let inside = stage.work(0) > 0;
    if inside && let Some(target) = stage.cast().first().and_then(|entry| Target::open(entry.pid)) {
        let _ = target.signal(rustix::process::Signal::KILL);
    }
    inside
}

/// What is shown below the hatch: what has just come about.
pub(super) fn says(words: &str) -> Fact {
    row(PICTURE.table, NOW, json!({ "says": words }))
}

/// Tells that so many sleep through something, so that it is known when they have been woken to leave.
pub(super) fn slept(count: u64) -> Fact {
    row(PICTURE.table, NOW, json!({ SLEPT: count }))
}

/// The row for what has come about, and a value of it.
const NOW: &str = "now";
const SLEPT: &str = "slept_through";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_taken_in_order_and_no_more_than_that() {
        let hatch = Hatch::new(2).expect("memory");
        assert!(hatch.is_empty() && hatch.take().is_none());
        assert_eq!((hatch.put(), hatch.put()), ((0, 1), (1, 2)));
        assert!(hatch.is_full());
        assert_eq!(hatch.take(), Some((0, 1)));
        assert_eq!(hatch.put(), (0, 3));
        assert_eq!((hatch.take(), hatch.take(), hatch.take()), (Some((1, 2)), Some((0, 3)), None));
        assert_eq!((hatch.len(), hatch.put_so_far(), hatch.taken_so_far()), (0, 3, 3));
    }
}
