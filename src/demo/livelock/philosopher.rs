//! A polite philosopher, and the table at which it sits.

use super::TABLE;
use crate::demo::area::Area;
use crate::demo::posix::{Kind, Mutex};
use crate::demo::script::row;
use crate::fact::{Fact, LockStep};
use crate::stage::Worker;
use serde_json::json;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Duration;

/// The movements of a try: the left fork, the right one, both back.
pub(super) const MOVEMENTS: u64 = 3;

/// What a philosopher is to do, as a number other than 0 and those that the stage keeps for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The bell has rung so often: one movement.
    Ring(u64),
    /// Go your own way, with waits about so many milliseconds long.
    OwnWay(u64),
}

impl Order {
    pub(super) fn encode(self) -> u64 {
        match self {
            Self::Ring(rung) => rung << 1,
            Self::OwnWay(millis) => (millis << 1) | 1,
        }
    }

    fn decode(order: u64) -> Self {
        if order & 1 == 1 { Self::OwnWay(order >> 1) } else { Self::Ring(order >> 1) }
    }
}

/// Forks, one between each two neighbours, and a note at each seat of how far its philosopher has come.
#[derive(Debug)]
pub(super) struct Table {
    forks: Vec<Mutex>,
    notes: Area,
}

impl Table {
    /// Lays it for so many.
    ///
    /// # Errors
    /// The kernel's refusal of shared memory.
    pub(super) fn lay(seats: usize) -> io::Result<Self> {
        let forks = (0..seats).map(|_| Mutex::new(Kind::Plain)).collect::<io::Result<_>>()?;
        Ok(Self { forks, notes: Area::shared(2)? })
    }

    /// The last ring at which this seat has moved.
    pub(super) fn moved(&self, seat: usize) -> u64 {
        self.notes.word_of(0, seat).load(Acquire)
    }

    /// How often this seat has tried to eat.
    pub(super) fn tries(&self, seat: usize) -> u64 {
        self.tried(seat).load(Acquire)
    }

    fn tried(&self, seat: usize) -> &AtomicU64 {
        self.notes.word_of(1, seat)
    }

    /// Seats a philosopher, who stays until it is told to leave.
    pub(super) fn seat(&self, seat: usize, worker: &Worker) {
        let mut philosopher = Philosopher {
            worker,
            table: self,
            seat,
            holds: [false; 2],
            tries: 0,
            gave_up: 0,
            meals: 0,
            chance: Chance::new(u64::from(worker.tid().0)),
        };
        philosopher.tell("thinks");
        let mut known = 0;
        loop {
            known = worker.wait(known, Duration::MAX);
            if known == Worker::HALT {
                return philosopher.put_back("leaves");
            }
            match Order::decode(known) {
                Order::Ring(rung) => {
                    philosopher.moves(rung);
                    self.notes.word_of(0, seat).store(rung, Release);
                }
                Order::OwnWay(millis) => philosopher.goes_its_own_way(known, millis),
            }
        }
    }
}

/// One of those at the table.
#[derive(Debug)]
struct Philosopher<'t> {
    worker: &'t Worker,
    table: &'t Table,
    seat: usize,
    /// The left fork, and the right one.
    holds: [bool; 2],
    tries: u64,
    gave_up: u64,
    meals: u64,
    chance: Chance,
}

impl Philosopher<'_> {
    /// The movement of this ring.
    fn moves(&mut self, rung: u64) {
        match rung % MOVEMENTS {
            1 => {
                self.takes_the_left();
            }
            2 => {
                self.takes_the_right();
            }
            _ => {
                let what = if self.holds[1] { "puts both forks back" } else { "puts the left fork back" };
                self.put_back(what);
            }
        }
    }

    /// Tries on and on, with waits of its own, until another order stands than `known`.
    fn goes_its_own_way(&mut self, known: u64, millis: u64) {
        let pause = Duration::from_millis(millis);
        self.put_back("waits, as long as chance says");
        loop {
            let wait = pause.mul_f64(2.0 * self.chance.share());
            if !self.pass(known, wait) || (self.takes_the_left() && !self.pass(known, pause)) {
                break;
            }
            if self.holds[0] && self.takes_the_right() && !self.pass(known, pause) {
                break;
            }
            self.put_back("waits, as long as chance says");
        }
        self.put_back("listens for the bell");
    }

    /// Lets time pass; false if another order stands than `known`.
    fn pass(&self, known: u64, time: Duration) -> bool {
        self.worker.wait(known, time) == known
    }

    fn takes_the_left(&mut self) -> bool {
        self.tries += 1;
        let got = self.take(0);
        if !got {
            self.gave_up += 1;
        }
        self.tell(if got { "has the left fork" } else { "finds the left fork taken" });
        self.table.tried(self.seat).store(self.tries, Release);
        got
    }

    fn takes_the_right(&mut self) -> bool {
        let got = self.take(1);
        if got {
            self.meals += 1;
            self.worker.set_work(self.meals);
        } else {
            self.gave_up += 1;
        }
        self.tell(if got { "eats" } else { "finds the right fork taken" });
        got
    }

    /// The fork on one side: that of its own seat on the left, that of the next on the right.
    fn fork(&self, side: usize) -> usize {
        (self.seat + side) % self.table.forks.len()
    }

    fn take(&mut self, side: usize) -> bool {
        let fork = self.fork(side);
        self.holds[side] = self.table.forks.get(fork).is_some_and(|fork| fork.try_lock().is_ok());
        if self.holds[side] {
            self.tell_of(fork, LockStep::Has);
        }
        self.holds[side]
    }

    /// Puts back whatever it has; then it does `what`.
    fn put_back(&mut self, what: &str) {
        for side in 0..2 {
            if std::mem::take(&mut self.holds[side]) {
                let fork = self.fork(side);
                self.tell_of(fork, LockStep::Leaves);
                let _ = self.table.forks.get(fork).map(Mutex::unlock);
            }
        }
        self.tell(what);
    }

    fn tell_of(&self, fork: usize, step: LockStep) {
        let lock = format!("fork {}", fork + 1);
        self.worker.tell(Fact::Lock { tid: self.worker.tid(), lock, step });
    }

    fn tell(&self, now: &str) {
        let values = json!({ "tries": self.tries, "gave_up": self.gave_up, "meals": self.meals, "now": now });
        self.worker.tell(row(TABLE.name, self.worker.name(), values));
    }
}

/// Chance, as far as it is needed here: shares of one, other ones for each philosopher (Knuth's MMIX generator).
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    /// From a number that no other philosopher has, and what a clock says.
    fn new(own: u64) -> Self {
        let clock = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).tv_nsec;
        let mut chance = Self(own.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ clock.unsigned_abs());
        chance.share();
        chance
    }

    /// From 0 up to 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let upper = u32::try_from(self.0 >> 32).unwrap_or(0);
        f64::from(upper) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_told_apart_and_never_mistaken_for_those_of_the_stage() {
        for order in [Order::Ring(1), Order::Ring(1 << 40), Order::OwnWay(1), Order::OwnWay(5000)] {
            assert_eq!(Order::decode(order.encode()), order);
            assert!(![0, Worker::HALT, Worker::HALT - 1].contains(&order.encode()), "{order:?}");
        }
    }

    #[test]
    fn chance_is_spread_over_all_of_its_range() {
        let mut chance = Chance::new(4711);
        let shares: Vec<f64> = (0..10_000).map(|_| chance.share()).collect();
        assert!(shares.iter().all(|s| (0.0..=1.0).contains(s)));
        for tenth in 0..10 {
            let (from, to) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
            let found = shares.iter().filter(|s| (from..to).contains(*s)).count();
            assert!((700..1300).contains(&found), "{found} of 10,000 between {from} and {to}");
        }
        // Two with the same clock differ.
        assert!((Chance(1).share() - Chance(2).share()).abs() > f64::EPSILON);
    }
}
