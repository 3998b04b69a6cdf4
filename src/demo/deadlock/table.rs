//! The table: its forks, and what each philosopher is at, in memory that threads and processes share.
//!
//! All forks lie in one word, a bit each, as the kernel's own bit locks do (`wait_on_bit_lock`): so one compare-and-swap
//! takes one fork, or two at once. The upper bits count the changes. Whoever waits sleeps at that word by a futex, and a change
//! that comes between its look and its sleep is not missed, for then the word is another (EAGAIN).

use crate::demo::area::Bells;
use rustix::thread::futex;
use std::io;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

/// The most that sit at it.
pub(super) const SEATS: usize = 8;

/// The words of the page. From `DOING` on there is one of each for each philosopher.
const FORKS: usize = 0;
const RULE: usize = 1;
const PACE: usize = 2;
const CLOSED: usize = 3;
const ROUND: usize = 4;
const DOING: usize = 8;
const WISH: usize = DOING + SEATS;
const TURNED: usize = WISH + SEATS;
const HAS: usize = TURNED + SEATS;

/// One change of the forks' word.
const CHANGE: u32 = 1 << SEATS;

/// The bit, among those that a sleeper waits for, of a change of the round; the lower ones are the forks.
const ROUND_BIT: u32 = 1 << SEATS;

/// Which of the conditions of Coffman is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Off {
    /// None: all four hold.
    None,
    /// A fork can be had by two.
    MutualExclusion,
    /// Both forks at once or none.
    HoldAndWait,
    /// Who cannot have the second gives the first back.
    NoPreemption,
    /// The fork with the lower number first.
    CircularWait,
}

impl Off {
    /// The words of the parameter, in the order of the values.
    pub(super) const WORDS: &'static [&'static str] =
        &["none", "mutual-exclusion", "hold-and-wait", "no-preemption", "circular-wait"];

    const ALL: [Self; 5] =
        [Self::None, Self::MutualExclusion, Self::HoldAndWait, Self::NoPreemption, Self::CircularWait];

    /// The value of a word; all conditions hold if it is none of them.
    pub(super) fn of(word: &str) -> Self {
        let at = Self::WORDS.iter().position(|w| *w == word);
        at.and_then(|at| Self::ALL.get(at)).copied().unwrap_or(Self::None)
    }
}

/// What a philosopher is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// It thinks, or is about to do something: sooner or later it goes on by itself.
    Busy,
    /// It eats.
    Eats,
    /// It has its first fork and waits until all who can have theirs.
    Gathered,
    /// It sleeps until these forks (bits) are free.
    Waits(u32),
    /// It is dead or has left.
    Gone,
}

/// The table. A process that is forked later sits at the same one.
#[derive(Debug)]
pub(super) struct Table {
    words: Bells,
    seats: usize,
}

impl Table {
    pub(super) fn new(seats: usize, off: Off, pace: u64) -> io::Result<Self> {
        let table = Self { words: Bells::shared()?, seats: seats.min(SEATS) };
        table.turn_off(off);
        table.set_pace(pace);
        Ok(table)
    }

    fn word(&self, k: usize) -> &AtomicU32 {
        self.words.bell(k)
    }

    pub(super) fn seats(&self) -> usize {
        self.seats
    }

    /// The condition that is off now.
    pub(super) fn off(&self) -> Off {
        Off::ALL.get(self.word(RULE).load(SeqCst) as usize).copied().unwrap_or(Off::None)
    }

    pub(super) fn turn_off(&self, off: Off) {
        self.word(RULE).store(off as u32, SeqCst);
        self.nudge();
    }

    /// From one step to the next.
    pub(super) fn pace(&self) -> Duration {
        Duration::from_millis(self.word(PACE).load(SeqCst).into())
    }

    pub(super) fn set_pace(&self, millis: u64) {
        self.word(PACE).store(millis.try_into().unwrap_or(u32::MAX), SeqCst);
    }

    /// The meal is over: whoever sleeps here wakes and leaves.
    pub(super) fn close(&self) {
        self.word(CLOSED).store(1, SeqCst);
        self.nudge();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.word(CLOSED).load(SeqCst) != 0
    }

    /// Asks a philosopher to give back what it has.
    pub(super) fn ask_to_give(&self, seat: usize) {
        self.word(WISH + seat).store(1, SeqCst);
        self.nudge();
    }

    /// Whether it is asked to; asked once, it is heard once.
    pub(super) fn is_asked(&self, seat: usize) -> bool {
        self.word(WISH + seat).swap(0, SeqCst) != 0
    }

    /// Has a philosopher take its other fork first, or its first one again; whether it is turned now.
    pub(super) fn turn(&self, seat: usize) -> bool {
        self.word(TURNED + seat).fetch_xor(1, SeqCst) == 0
    }

    pub(super) fn is_turned(&self, seat: usize) -> bool {
        self.word(TURNED + seat).load(SeqCst) != 0
    }

    /// The forks (bits) that a philosopher has.
    pub(super) fn has(&self, seat: usize) -> u32 {
        self.word(HAS + seat).load(SeqCst)
    }

    pub(super) fn set_has(&self, seat: usize, forks: u32) {
        self.word(HAS + seat).store(forks, SeqCst);
    }

    /// Wakes everybody who sleeps here, to look again.
    fn nudge(&self) {
        self.word(FORKS).fetch_add(CHANGE, SeqCst);
        self.wake(u32::MAX);
    }

    fn wake(&self, bits: u32) {
        if let Some(bits) = NonZeroU32::new(bits) {
            let all = i32::MAX.unsigned_abs();
            let _ = futex::wake_bitset(self.word(FORKS), futex::Flags::empty(), all, bits);
        }
    }

    /// The forks as they are: for [`Table::sleep`].
    pub(super) fn look(&self) -> u32 {
        self.word(FORKS).load(SeqCst)
    }

    /// Takes all of `forks` (bits), or none of them if one is taken.
    pub(super) fn take(&self, forks: u32) -> bool {
        let free = |word: u32| (word & forks == 0).then_some(word | forks);
        self.word(FORKS).fetch_update(SeqCst, SeqCst, free).is_ok()
    }

    /// Puts `forks` back and wakes who waits for one of them.
    pub(super) fn put_back(&self, forks: u32) {
        let back = |word: u32| Some((word & !forks).wrapping_add(CHANGE));
        let _ = self.word(FORKS).fetch_update(SeqCst, SeqCst, back);
        self.wake(forks);
    }

    /// Sleeps until one of `forks` is put back, or there is other news, if the forks are still as `seen`. Without a time: who
    /// waits for a fork that never comes back is never on a CPU again.
    pub(super) fn sleep(&self, seen: u32, forks: u32) {
        if let Some(bits) = NonZeroU32::new(forks) {
            // A wake, a signal and another value all mean the same here: look again.
            let _ = futex::wait_bitset(self.word(FORKS), futex::Flags::empty(), seen, None, bits);
        }
    }

    /// What a philosopher is at.
    pub(super) fn doing(&self, seat: usize) -> Doing {
        match self.word(DOING + seat).load(SeqCst) {
            0 => Doing::Busy,
            1 => Doing::Eats,
            2 => Doing::Gathered,
            3 => Doing::Gone,
            forks => Doing::Waits(forks / CHANGE),
        }
    }

    /// Says what a philosopher is at.
    pub(super) fn now(&self, seat: usize, doing: Doing) {
        let word = match doing {
            Doing::Busy => 0,
            Doing::Eats => 1,
            Doing::Gathered => 2,
            Doing::Gone => 3,
            Doing::Waits(forks) => forks * CHANGE,
        };
        self.word(DOING + seat).store(word, SeqCst);
    }

    /// The number of the round.
    pub(super) fn round(&self) -> u32 {
        self.word(ROUND).load(SeqCst)
    }

    /// Opens the next round if none is still on its way to its first fork: each has it, sleeps for one that is taken, or is gone.
    pub(super) fn open_round(&self) {
        let forks = self.look();
        let ready = |seat| match self.doing(seat) {
            Doing::Gathered | Doing::Gone => true,
            Doing::Waits(wanted) => wanted & forks != 0,
            Doing::Busy | Doing::Eats => false,
        };
        if (0..self.seats).all(ready) && (0..self.seats).any(|seat| self.doing(seat) == Doing::Gathered) {
            self.word(ROUND).fetch_add(1, SeqCst);
            self.word(FORKS).fetch_add(CHANGE, SeqCst);
            self.wake(ROUND_BIT);
        }
    }

    /// Sleeps until the round opens or there is other news, if the forks are still as `seen`.
    pub(super) fn sleep_for_round(&self, seen: u32) {
        self.sleep(seen, ROUND_BIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn table(seats: usize) -> Arc<Table> {
        Arc::new(Table::new(seats, Off::None, 1).expect("memory"))
    }

    #[test]
    fn two_forks_are_had_at_once_or_not_at_all() {
        let table = table(5);
        assert!(table.take(0b00011) && !table.take(0b00110) && table.take(0b00100));
        table.put_back(0b00010);
        assert!(!table.take(0b00110), "the other one is still taken");
        table.put_back(0b00100);
        assert!(table.take(0b00110));
    }

    #[test]
    fn a_word_of_the_parameter_is_its_condition() {
        for (word, off) in Off::WORDS.iter().zip(Off::ALL) {
            let table = Table::new(2, Off::of(word), 1).expect("memory");
            assert_eq!(table.off(), off);
        }
        assert_eq!(Off::of("bad luck"), Off::None);
    }

    #[test]
    fn the_round_opens_when_nobody_is_on_its_way() {
        let table = table(4);
        assert!(table.take(0b0001));
        let opens = |table: &Table| {
            let before = table.round();
            table.open_round();
            table.round() != before
        };
        for (seat, doing) in [Doing::Gathered, Doing::Waits(0b0001), Doing::Gone].into_iter().enumerate() {
            table.now(seat, doing);
            assert_eq!(table.doing(seat), doing);
            assert!(!opens(&table), "the last one still thinks");
        }
        table.now(3, Doing::Eats);
        assert!(!opens(&table), "who eats will give something back");
        table.now(3, Doing::Waits(0b1000));
        assert!(!opens(&table), "who waits for a free fork is about to have it");
        assert!(table.take(0b1000) && opens(&table));
    }

    #[test]
    fn who_sleeps_hears_of_its_fork_of_a_wish_and_of_the_end() {
        let changes: [fn(&Table); 4] =
            [|t| t.put_back(0b01), |t| t.ask_to_give(1), |t| t.turn_off(Off::HoldAndWait), Table::close];
        for change in changes {
            let table = table(2);
            assert!(table.take(0b01));
            let theirs = Arc::clone(&table);
            let sleeper = std::thread::Builder::new().spawn(move || {
                let seen = theirs.look();
                theirs.now(1, Doing::Waits(0b01));
                // Whether the change comes before or after it sleeps, it ends.
                while theirs.look() == seen {
                    theirs.sleep(seen, 0b01);
                }
            });
            while table.doing(1) != Doing::Waits(0b01) {
                std::thread::yield_now();
            }
            change(&table);
            sleeper.expect("a thread").join().expect("no panic");
        }
    }

    #[test]
    fn a_wish_is_heard_once_and_a_turn_stays() {
        let table = table(2);
        table.ask_to_give(1);
        assert_eq!((table.is_asked(0), table.is_asked(1), table.is_asked(1)), (false, true, false));
        assert_eq!((table.turn(1), table.is_turned(1), table.turn(1), table.is_turned(1)), (true, true, false, false));
    }
}
