//! Where the workers add: the counter, the guards, and what each worker says of itself.

use super::guard::Guard;
use crate::demo::area::Area;
use crate::demo::meeting::LINE;
use crate::stage::{Worker, now};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

/// Adds between two looks at the orders.
const CHUNK: u64 = 256;

/// Added to the order of a guard: stop.
pub(super) const STOP: u64 = 1 << 32;

/// What the workers have in common: the counter, alone on its page, and a line of cache for what each says of itself.
#[derive(Debug)]
pub(super) struct Ground {
    area: Area,
    guards: Vec<(&'static str, Guard)>,
    adds: u64,
}

/// What a worker says of itself, and in which word of its line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Says {
    /// How many guards it is through with.
    Through,
    /// Its adds under this guard.
    Done,
    /// When it began with this guard, on CLOCK_MONOTONIC.
    Begun,
    /// When it ended.
    Ended,
}

impl Ground {
    pub(super) fn new(words: &[&'static str], adds: u64) -> std::io::Result<Self> {
        let guards = words.iter().map(|word| Ok((*word, Guard::of(word)?))).collect::<std::io::Result<_>>()?;
        Ok(Self { area: Area::shared(2)?, guards, adds })
    }

    pub(super) fn counter(&self) -> &AtomicU64 {
        self.area.word(0)
    }

    pub(super) fn said(&self, worker: usize, what: Says) -> &AtomicU64 {
        self.area.word_of(1, worker * LINE + what as usize)
    }

    /// A worker's part: under each guard, when its turn comes, it adds. An order is the number of a guard, counted from 1,
    /// and [`STOP`] more when the time for it is over.
    pub(super) fn play(&self, worker: &Worker, number: usize) {
        for ((_, guard), turn) in self.guards.iter().zip(1_u64..) {
            let mut order = worker.order();
            while order != Worker::HALT && order % STOP < turn {
                order = worker.wait(order, Duration::MAX);
            }
            let (counter, done_word) = (self.counter(), self.said(number, Says::Done));
            self.said(number, Says::Begun).store(now().0, Relaxed);
            let mut done = 0;
            while done < self.adds && worker.order() == turn {
                let part = CHUNK.min(self.adds - done);
                if !guard.add(counter, part) {
                    break;
                }
                done += part;
                done_word.store(done, Relaxed);
                worker.set_work(done);
            }
            self.said(number, Says::Ended).store(now().0, Relaxed);
            self.said(number, Says::Through).store(turn, Release);
            if worker.order() == Worker::HALT {
                return;
            }
        }
    }

    /// What all have added under the guard that is on.
    pub(super) fn expected(&self, workers: usize) -> u64 {
        (0..workers).map(|n| self.said(n, Says::Done).load(Relaxed)).sum()
    }

    /// All are through with the guard of this number, or have ended.
    pub(super) fn are_through(&self, turn: u64, workers: usize, ended: impl Fn(usize) -> bool) -> bool {
        (0..workers).all(|n| self.said(n, Says::Through).load(Acquire) >= turn || ended(n))
    }

    /// The counter holds 0, and nobody has added anything.
    pub(super) fn clear(&self, workers: usize) {
        self.counter().store(0, Relaxed);
        (0..workers).for_each(|n| self.said(n, Says::Done).store(0, Relaxed));
    }

    /// The word of the guard of this number, counted from 1.
    pub(super) fn word(&self, turn: usize) -> &'static str {
        self.guards[turn - 1].0
    }

    /// The nanoseconds from the first that began to the last that ended.
    pub(super) fn took(&self, workers: usize) -> u64 {
        let all = |what| (0..workers).map(move |n| self.said(n, what).load(Relaxed));
        let (begun, ended) = (all(Says::Begun).min().unwrap_or(0), all(Says::Ended).max().unwrap_or(0));
        ended.saturating_sub(begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_from_the_first_that_began_to_the_last_that_ended() {
        let ground = Ground::new(&["none"], 10).expect("shared memory");
        for (n, begun, ended, done) in [(0, 100, 200, 4), (1, 150, 400, 6)] {
            for (what, value) in [(Says::Begun, begun), (Says::Ended, ended), (Says::Done, done)] {
                ground.said(n, what).store(value, Relaxed);
            }
        }
        assert_eq!((ground.took(2), ground.expected(2)), (300, 10));
        ground.clear(2);
        assert_eq!(ground.expected(2), 0);
    }

    #[test]
    fn who_has_ended_is_not_waited_for() {
        let ground = Ground::new(&["none"], 10).expect("shared memory");
        ground.said(0, Says::Through).store(1, Release);
        assert!(!ground.are_through(1, 2, |_| false));
        assert!(ground.are_through(1, 2, |n| n == 1));
    }
}
