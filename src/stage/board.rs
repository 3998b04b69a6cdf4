//! The layout of the shared memory: one slot a worker, with its counter, its orders and the ring of its own slices.

use super::shared_memory::{Words, create};
use crate::fact::{Account, Nanos};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// Workers that a run can have, those that have left included.
pub(super) const SLOTS: usize = 64;

/// Slices that a worker's ring holds. At 1,000 turns a second it fills in a second; it is read 30 times in that.
const RING: usize = 1024;
const ENTRY: usize = 3;
const RING_AT: usize = 24;
const SLOT: usize = RING_AT + RING * ENTRY;
const WORDS: usize = SLOTS * SLOT;

const STATE: usize = 0;
const WORK: usize = 1;
const ORDER: usize = 2;
const SINCE: usize = 3;
const LAST: usize = 4;
const CPU: usize = 5;
const HEAD: usize = 6;
const ACCOUNT: usize = 8;

/// The whole board.
#[derive(Debug, Clone)]
pub(super) struct Board(Arc<Words>);

impl Board {
    /// A new board, mapped for reading, and the descriptor for those who write on it.
    pub(super) fn create() -> io::Result<(Self, OwnedFd)> {
        let fd = create(WORDS)?;
        Ok((Self(Arc::new(Words::map(&fd, WORDS, false)?)), fd))
    }

    /// The board behind `fd`, for writing.
    pub(super) fn open(fd: impl AsFd) -> io::Result<Self> {
        Ok(Self(Arc::new(Words::map(fd, WORDS, true)?)))
    }

    /// The slot of a worker; `index` is taken modulo the number of slots.
    pub(super) fn slot(&self, index: usize) -> Slot {
        Slot { words: Arc::clone(&self.0), base: (index % SLOTS) * SLOT }
    }
}

/// One worker's place on the board.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    words: Arc<Words>,
    base: usize,
}

/// What a worker is, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody has had this slot yet.
    Empty,
    /// At work.
    Working,
    /// Its part is played; the account is final.
    Done,
}

/// A turn on a CPU, as the worker timed it itself. Absolute CLOCK_MONOTONIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct OwnSlice {
    pub(super) cpu: u32,
    pub(super) from: Nanos,
    pub(super) to: Nanos,
}

impl Slot {
    fn get(&self, word: usize) -> u64 {
        self.words.load(self.base + word)
    }

    fn set(&self, word: usize, value: u64) {
        self.words.store(self.base + word, value);
    }

    pub(super) fn state(&self) -> State {
        match self.get(STATE) {
            0 => State::Empty,
            1 => State::Working,
            _ => State::Done,
        }
    }

    pub(super) fn set_state(&self, state: State) {
        self.set(STATE, state as u64);
    }

    pub(super) fn work(&self) -> u64 {
        self.get(WORK)
    }

    pub(super) fn set_work(&self, work: u64) {
        self.set(WORK, work);
    }

    pub(super) fn order(&self) -> u64 {
        self.get(ORDER)
    }

    pub(super) fn set_order(&self, order: u64) {
        self.set(ORDER, order);
        self.words.wake(self.base + ORDER);
    }

    /// Takes `order` down if it is still the one that stands.
    pub(super) fn clear_order(&self, order: u64) {
        self.words.replace(self.base + ORDER, order, 0);
    }

    /// Sleeps while the order is `known`, for `patience` at most; may return sooner.
    pub(super) fn wait_order(&self, known: u64, patience: Duration) {
        self.words.wait(self.base + ORDER, known, patience);
    }

    /// The turn it is on, or was on when it last looked at the clock; none while it begins another.
    pub(super) fn current(&self) -> Option<OwnSlice> {
        let since = self.get(SINCE);
        let slice = OwnSlice { cpu: narrow(self.get(CPU)), from: Nanos(since), to: Nanos(self.get(LAST)) };
        (since != 0 && since == self.get(SINCE)).then_some(slice)
    }

    /// A new turn begins.
    pub(super) fn begin(&self, cpu: u32, at: Nanos) {
        self.set(SINCE, 0);
        self.set(CPU, u64::from(cpu));
        self.set(LAST, at.0);
        self.set(SINCE, at.0);
    }

    /// It is still on.
    pub(super) fn last(&self, at: Nanos) {
        self.set(LAST, at.0);
    }

    /// Slices ever completed.
    pub(super) fn head(&self) -> u64 {
        self.get(HEAD)
    }

    /// Writes down a turn that is over.
    pub(super) fn push(&self, slice: OwnSlice) {
        let head = self.head();
        let at = entry(head);
        self.set(at, u64::from(slice.cpu));
        self.set(at + 1, slice.from.0);
        self.set(at + 2, slice.to.0);
        self.set(HEAD, head + 1);
    }

    /// The slices from the `from`th on that are still there, and how many were overwritten before they were read.
    pub(super) fn slices(&self, from: u64, head: u64) -> (Vec<OwnSlice>, u64) {
        let ring = RING as u64;
        let first = from.max(head.saturating_sub(ring - 1)).min(head);
        let read = |n: u64| {
            let at = entry(n);
            OwnSlice { cpu: narrow(self.get(at)), from: Nanos(self.get(at + 1)), to: Nanos(self.get(at + 2)) }
        };
        let slices: Vec<_> = (first..head).map(read).collect();
        // What the writer overtook while it was read is not believed.
        let overtaken = self.head().saturating_sub(ring - 1).saturating_sub(first).min(head - first);
        let keep = slices.get(usize::try_from(overtaken).unwrap_or(usize::MAX)..).unwrap_or_default().to_vec();
        (keep, first.saturating_sub(from) + overtaken)
    }

    pub(super) fn account(&self) -> Account {
        let word = |n: usize| self.get(ACCOUNT + n);
        Account {
            at: Nanos(word(0)),
            voluntary: word(1),
            involuntary: word(2),
            ran: Nanos(word(3)),
            waited: Nanos(word(4)),
            turns: word(5),
        }
    }

    pub(super) fn set_account(&self, a: &Account) {
        for (n, value) in [a.at.0, a.voluntary, a.involuntary, a.ran.0, a.waited.0, a.turns].into_iter().enumerate() {
            self.set(ACCOUNT + n, value);
        }
    }
}

fn entry(n: u64) -> usize {
    RING_AT + usize::try_from(n % RING as u64).unwrap_or(0) * ENTRY
}

fn narrow(word: u64) -> u32 {
    u32::try_from(word).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn who_waits_for_an_order_is_woken_by_it() {
        let (_, fd) = Board::create().expect("memfd");
        let (ours, theirs) = (Board::open(&fd).expect("map").slot(2), Board::open(&fd).expect("map").slot(2));
        let begun = Instant::now();
        let waits = std::thread::Builder::new().spawn(move || {
            while theirs.order() == 0 {
                theirs.wait_order(0, Duration::from_secs(600));
            }
            theirs.order()
        });
        ours.set_order(u64::MAX);
        assert_eq!(waits.expect("a thread").join().expect("no panic"), u64::MAX);
        ours.wait_order(7, Duration::from_secs(600));
        assert!(begun.elapsed() < Duration::from_secs(300), "another order than the known one is not waited for");
    }

    #[test]
    fn slices_are_read_once_and_the_overwritten_are_counted() {
        let (_, fd) = Board::create().expect("memfd");
        let slot = Board::open(&fd).expect("map").slot(3);
        let slice = |n: u64| OwnSlice { cpu: 1, from: Nanos(n * 10), to: Nanos(n * 10 + 5) };
        (0..10).for_each(|n| slot.push(slice(n)));
        assert_eq!(slot.slices(4, slot.head()), ((4..10).map(slice).collect(), 0));
        (10..3000).for_each(|n| slot.push(slice(n)));
        let (left, lost) = slot.slices(10, slot.head());
        assert_eq!(left.len() as u64 + lost, 2990);
        assert_eq!(left.last(), Some(&slice(2999)));
        assert_eq!(slot.slices(u64::MAX, slot.head()).0, []);
    }
}
