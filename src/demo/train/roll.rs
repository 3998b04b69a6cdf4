//! Who is inside, written down in memory that outlives whoever dies there. A passenger writes itself in after it got the lock
//! and crosses itself out before it gives it back; so of a lock that admits one, whoever still stands there when another got
//! it is dead.

use super::super::area::Area;
use crate::fact::Tid;
use std::io;
use std::sync::atomic::Ordering::SeqCst;

/// The words of the page: how many visits there were, who waits for its end, and then those of each passenger.
const VISITS: usize = 0;
const AWAITS: usize = 1;
const FIRST: usize = 2;

/// The words of a passenger: the visit that it is on, its thread id, and how many visits it has made.
const EACH: usize = 3;
const VISIT: usize = 0;
const TID: usize = 1;
const MADE: usize = 2;

/// Beside the number of the visit: another has taken the place over.
const TAKEN_OVER: u64 = 1 << 63;

/// The page, in common memory.
#[derive(Debug)]
pub(in crate::demo) struct Roll {
    area: Area,
}

impl Roll {
    /// # Errors
    /// The kernel's refusal of the memory.
    pub(in crate::demo) fn new() -> io::Result<Self> {
        Ok(Self { area: Area::shared(1)? })
    }

    fn word(&self, passenger: usize, word: usize) -> &std::sync::atomic::AtomicU64 {
        self.area.word_of(0, FIRST + passenger * EACH + word)
    }

    /// Passenger `number` is inside from now on. The number of this visit among those of all, counted from 1.
    pub(in crate::demo) fn enter(&self, number: usize, tid: Tid) -> u64 {
        let visit = self.area.word_of(0, VISITS).fetch_add(1, SeqCst) + 1;
        self.word(number, TID).store(u64::from(tid.0), SeqCst);
        self.word(number, MADE).fetch_add(1, SeqCst);
        self.word(number, VISIT).store(visit, SeqCst);
        visit
    }

    /// It is no longer.
    pub(in crate::demo) fn leave(&self, number: usize) {
        self.word(number, VISIT).store(0, SeqCst);
    }

    /// Who of the first `passengers` is inside, or died there and has not been replaced.
    pub(in crate::demo) fn inside(&self, passengers: usize) -> impl Iterator<Item = usize> {
        (0..passengers).filter(|n| matches!(self.word(*n, VISIT).load(SeqCst), 1..TAKEN_OVER))
    }

    /// The dead owner in whose place another comes, if there is one, and its thread id. Only for who has a lock that admits
    /// one.
    pub(in crate::demo) fn take_over(&self, passengers: usize) -> Option<(usize, Tid)> {
        let dead = self.inside(passengers).next()?;
        self.word(dead, VISIT).fetch_or(TAKEN_OVER, SeqCst);
        let tid = self.word(dead, TID).load(SeqCst);
        Some((dead, Tid(u32::try_from(tid).unwrap_or(0))))
    }

    /// On which visit a passenger that ended was, if it was inside.
    pub(in crate::demo) fn died_on(&self, number: usize) -> Option<u64> {
        Some(self.word(number, VISIT).load(SeqCst) & !TAKEN_OVER).filter(|visit| *visit > 0)
    }

    /// How many visits there were, of all and of one.
    pub(in crate::demo) fn visits(&self) -> u64 {
        self.area.word_of(0, VISITS).load(SeqCst)
    }

    /// See [`Roll::visits`].
    pub(in crate::demo) fn visits_of(&self, number: usize) -> u64 {
        self.word(number, MADE).load(SeqCst)
    }

    /// Passenger `number` is where it is to be killed.
    pub(in crate::demo) fn await_end(&self, number: usize) {
        self.area.word_of(0, AWAITS).store(number as u64 + 1, SeqCst);
    }

    /// Who that is.
    pub(in crate::demo) fn awaits_end(&self) -> Option<usize> {
        usize::try_from(self.area.word_of(0, AWAITS).load(SeqCst)).ok()?.checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_left_is_not_inside_and_who_died_is() {
        let roll = Roll::new().expect("a memfd");
        assert_eq!((roll.enter(0, Tid(70)), roll.enter(1, Tid(71)), roll.visits()), (1, 2, 2));
        roll.leave(0);
        assert_eq!(roll.inside(3).collect::<Vec<_>>(), [1]);
        assert_eq!((roll.died_on(0), roll.died_on(1), roll.visits_of(0)), (None, Some(2), 1));
    }

    #[test]
    fn a_dead_owner_is_replaced_once_and_still_known_to_have_died_there() {
        let roll = Roll::new().expect("a memfd");
        roll.enter(2, Tid(72));
        assert_eq!(roll.take_over(4), Some((2, Tid(72))));
        assert_eq!(roll.take_over(4), None);
        assert_eq!((roll.inside(4).count(), roll.died_on(2)), (0, Some(1)));
    }

    #[test]
    fn who_waits_for_its_end_is_known() {
        let roll = Roll::new().expect("a memfd");
        assert_eq!(roll.awaits_end(), None);
        roll.await_end(0);
        assert_eq!(roll.awaits_end(), Some(0));
    }
}
