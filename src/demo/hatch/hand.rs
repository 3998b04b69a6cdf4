//! A worker at the hatch: what it does there, and tells of it.

use super::{HATCH, Hatch, MADE, MOST, OWNER, Side, TAKEN, TOOK_NOTHING, WOKEN_FOR_NOTHING, Wake, call, slot_row};
use crate::demo::train::Passenger;
use crate::fact::Tid;
use crate::stage::Worker;
use serde_json::json;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// Dishes that one eats quickly, and then as many slowly.
const COURSE: u64 = 6;

/// A worker at the hatch.
#[derive(Debug)]
pub(in crate::demo) struct Hand<'w> {
    passenger: Passenger<'w>,
    hatch: &'w Hatch,
    done: u64,
    most: u64,
    took_nothing: u64,
    woken_for_nothing: u64,
}

impl<'w> Hand<'w> {
    /// One that makes, or that takes.
    pub(in crate::demo) fn new(worker: &'w Worker, hatch: &'w Hatch, makes: bool) -> Self {
        let passenger = Passenger::new(worker);
        passenger.say(if makes { MADE } else { TAKEN }, json!(0));
        Self { passenger, hatch, done: 0, most: 0, took_nothing: 0, woken_for_nothing: 0 }
    }

    /// Where it works.
    pub(in crate::demo) fn hatch(&self) -> &'w Hatch {
        self.hatch
    }

    /// It is to leave.
    pub(in crate::demo) fn is_called_off(&self) -> bool {
        self.passenger.is_called_off()
    }

    /// Eats. Appetite comes and goes, so that now those that take wait, and now those that make.
    pub(in crate::demo) fn eat(&mut self, usual: u64) -> bool {
        let slow = self.done / COURSE % 2 == 1;
        self.passenger.rest(usual, if slow { 10 } else { 4 })
    }

    /// Works, or eats, for `parts` quarters of `usual` milliseconds. False if it is to leave.
    pub(in crate::demo) fn rest(&mut self, usual: u64, parts: u32) -> bool {
        self.passenger.rest(usual, parts)
    }

    /// Takes the mutex.
    pub(in crate::demo) fn enter(&mut self) -> bool {
        let mutex = &self.hatch.mutex;
        let got = self.passenger.ask(HATCH, || mutex.try_lock().is_ok(), || mutex.lock().is_ok());
        if got {
            self.own();
        }
        got
    }

    /// Writes down that the mutex is its own.
    fn own(&self) {
        self.hatch.word(OWNER).store(u64::from(self.tid().0), Release);
    }

    pub(in crate::demo) fn tid(&self) -> Tid {
        self.passenger.worker().tid()
    }

    /// Gives it back.
    pub(in crate::demo) fn leave(&self) {
        self.passenger.give_back(HATCH, || _ = self.hatch.mutex.unlock());
    }

    /// Sleeps at `side`, without the mutex, until it is called; then has the mutex again.
    pub(in crate::demo) fn sleep(&self, side: Side) {
        let asleep = self.hatch.word(side.asleep());
        asleep.fetch_add(1, Relaxed);
        self.passenger.sleep_at(side.name(), HATCH, || _ = side.condition(self.hatch).wait(&self.hatch.mutex));
        asleep.fetch_sub(1, Relaxed);
        self.own();
    }

    /// Sleeps at `side` for as long as `so`: looks before each sleep, and after it. False if it is to leave. For who has the
    /// mutex, and has it still.
    pub(in crate::demo) fn sleep_while(&mut self, side: Side, so: impl Fn(&Hatch) -> bool) -> bool {
        let mut slept = false;
        while so(self.hatch) {
            if self.is_called_off() {
                return false;
            }
            if slept {
                self.woken_for_nothing += 1;
                self.value(WOKEN_FOR_NOTHING, self.woken_for_nothing);
            }
            self.sleep(side);
            slept = true;
        }
        !self.is_called_off()
    }

    /// Calls those at `side`.
    pub(in crate::demo) fn call(&self, side: Side, wake: Wake) {
        call(self.hatch, side, wake, |fact| self.passenger.worker().tell(fact));
    }

    /// Puts one. For who has the mutex, and has seen that there is room.
    pub(in crate::demo) fn put(&mut self) {
        let (slot, item) = self.hatch.put();
        self.passenger.worker().tell(slot_row(slot, Some(item)));
        self.done += 1;
        self.value(MADE, self.done);
        let lie = self.hatch.len();
        if lie > self.most {
            self.most = lie;
            self.value(MOST, lie);
        }
    }

    /// Takes one, if one is there. For who has the mutex.
    pub(in crate::demo) fn take(&mut self) {
        if let Some((slot, _)) = self.hatch.take() {
            self.passenger.worker().tell(slot_row(slot, None));
            self.done += 1;
            self.value(TAKEN, self.done);
        } else {
            self.took_nothing += 1;
            self.value(TOOK_NOTHING, self.took_nothing);
        }
    }

    /// A number of its own.
    pub(in crate::demo) fn value(&self, name: &str, value: u64) {
        self.passenger.say(name, json!(value));
    }
}
