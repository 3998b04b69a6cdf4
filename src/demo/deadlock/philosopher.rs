//! A philosopher's part: it thinks, takes one fork, takes the other, eats, puts both back.

use super::table::{Doing, Off, Table};
use crate::fact::{Fact, LockStep};
use crate::stage::Worker;
use serde_json::{Value, json};
use std::time::Duration;

/// The value by which it says how often it has eaten.
pub(super) const MEALS: &str = "meals";

/// The value by which it says whether it took its right fork first.
pub(super) const RIGHT_FIRST: &str = "right_first";

/// Why it does not eat.
enum Left {
    /// The meal is over.
    Over,
    /// It has given back what it had.
    GaveBack,
}

/// A philosopher at its seat.
pub(super) struct Philosopher<'w> {
    worker: &'w Worker,
    table: &'w Table,
    seat: usize,
    /// All take their first fork before anybody asks for the second.
    arranged: bool,
    meals: u64,
    right_first: bool,
    /// The forks (bits) that it has locked. Of those that can be shared it has locked none.
    locked: u32,
}

impl<'w> Philosopher<'w> {
    pub(super) fn new(worker: &'w Worker, table: &'w Table, seat: usize, arranged: bool) -> Self {
        Self { worker, table, seat, arranged, meals: 0, right_first: false, locked: 0 }
    }

    /// Plays its part until it is told to leave. Who is told so while it sleeps for a fork leaves with what it has.
    pub(super) fn play(&mut self) {
        // One after the other they come to table, so that one can follow.
        let mut thinks = if self.arranged { self.beats(self.seat + 1) } else { Duration::ZERO };
        let mut again = false;
        loop {
            if self.rest(thinks).is_err() {
                return;
            }
            match self.dine(again) {
                Ok(()) => (again, thinks) = (false, self.table.pace()),
                // Each thinks for a time of its own before it tries again. If all took the same time, all would try, fail and
                // give back together, again and again.
                Err(Left::GaveBack) => (again, thinks) = (true, self.beats(self.seat + 2)),
                Err(Left::Over) => return,
            }
        }
    }

    /// So many halves of a pace.
    fn beats(&self, count: usize) -> Duration {
        self.table.pace() * u32::try_from(count).unwrap_or(1) / 2
    }

    fn rest(&self, long: Duration) -> Result<(), Left> {
        if self.worker.wait(0, long) == 0 && !self.table.is_closed() { Ok(()) } else { Err(Left::Over) }
    }

    /// The forks (bits) in the order in which it takes them.
    fn order(&self) -> (u32, u32) {
        let (left, right) = (1 << self.seat, 1 << ((self.seat + 1) % self.table.seats()));
        match self.table.off() {
            Off::CircularWait => (left.min(right), left.max(right)),
            _ if self.table.is_turned(self.seat) => (right, left),
            _ => (left, right),
        }
    }

    fn dine(&mut self, again: bool) -> Result<(), Left> {
        let (first, second) = self.order();
        if self.right_first != (first != 1 << self.seat) {
            self.right_first = !self.right_first;
            self.value(RIGHT_FIRST, json!(self.right_first));
        }
        if self.table.off() == Off::HoldAndWait {
            self.ask(first | second, 0)?;
        } else {
            self.ask(first, 0)?;
            // Who has just given way asks at a time of its own.
            if !again && self.is_arranged() {
                self.gather(first)?;
            }
            self.ask(second, first)?;
        }
        self.table.now(self.seat, Doing::Eats);
        self.rest(self.table.pace())?;
        self.meals += 1;
        self.worker.set_work(self.meals);
        self.value(MEALS, json!(self.meals));
        self.table.now(self.seat, Doing::Busy);
        self.put_back(first | second);
        Ok(())
    }

    /// Asks for all of `wanted`, while it has `held`, and sleeps until it has them.
    fn ask(&mut self, wanted: u32, held: u32) -> Result<(), Left> {
        self.tell(wanted, LockStep::Wants);
        loop {
            let seen = self.table.look();
            if self.table.is_closed() {
                return Err(Left::Over);
            }
            let mut gives = self.table.is_asked(self.seat) && held != 0;
            let off = self.table.off();
            if !gives {
                if off == Off::MutualExclusion || self.table.take(wanted) {
                    self.locked |= if off == Off::MutualExclusion { 0 } else { wanted };
                    self.table.now(self.seat, Doing::Busy);
                    self.table.set_has(self.seat, held | wanted);
                    self.tell(wanted, LockStep::Has);
                    return Ok(());
                }
                gives = held != 0 && matches!(off, Off::HoldAndWait | Off::NoPreemption);
            }
            if gives {
                self.table.now(self.seat, Doing::Busy);
                self.tell(wanted, LockStep::Leaves);
                self.put_back(held);
                return Err(Left::GaveBack);
            }
            self.table.now(self.seat, Doing::Waits(wanted));
            self.table.open_round();
            self.table.sleep(seen, wanted);
        }
    }

    /// Bad luck is arranged for every meal while nothing is done against it; once something is, for the first one alone, or those
    /// who sleep for the others would keep them from eating.
    fn is_arranged(&self) -> bool {
        self.arranged && (self.table.off() == Off::None || self.table.round() == 0)
    }

    /// Sleeps, with its first fork, until all who can have theirs; then they ask for the second one after the other.
    fn gather(&mut self, held: u32) -> Result<(), Left> {
        let round = self.table.round();
        loop {
            let seen = self.table.look();
            if self.table.is_closed() {
                return Err(Left::Over);
            }
            if self.table.is_asked(self.seat) || self.table.off() == Off::HoldAndWait {
                self.table.now(self.seat, Doing::Busy);
                self.put_back(held);
                return Err(Left::GaveBack);
            }
            self.table.now(self.seat, Doing::Gathered);
            self.table.open_round();
            if self.table.round() != round || !self.is_arranged() {
                self.table.now(self.seat, Doing::Busy);
                return self.rest(self.beats(self.seat));
            }
            self.table.sleep_for_round(seen);
        }
    }

    fn put_back(&mut self, forks: u32) {
        self.tell(forks, LockStep::Leaves);
        self.table.set_has(self.seat, 0);
        self.table.put_back(self.locked);
        self.locked = 0;
    }

    fn value(&self, name: &str, value: Value) {
        self.worker.tell(Fact::Value { tid: self.worker.tid(), name: name.to_owned(), value });
    }

    fn tell(&self, forks: u32, step: LockStep) {
        for fork in (0..self.table.seats()).filter(|fork| forks & (1 << fork) != 0) {
            self.worker.tell(Fact::Lock { tid: self.worker.tid(), lock: name(fork), step });
        }
    }
}

/// What the fork at the left of this seat is called.
fn name(fork: usize) -> String {
    (fork + 1).to_string()
}
