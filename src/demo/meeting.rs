//! Several workers that do the same thing at the same moment, again and again: before each time they meet. For demos that look at
//! what comes of it; knows no demo.

use super::area::Area;
use crate::stage::Worker;
use std::hint::black_box;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Turns at a meeting before the core is given away: longer than another core takes to arrive, and short where there is no
/// other.
const SPINS: u32 = 200;

/// Words in two lines of cache, which some processors fetch together.
pub(super) const LINE: usize = 16;

/// Where they meet, in memory that processes share.
#[derive(Debug)]
pub(super) struct Meeting {
    area: Area,
    sides: usize,
}

impl Meeting {
    /// For so many, 15 at most.
    ///
    /// # Errors
    /// The kernel's refusal of the memory.
    pub(super) fn new(sides: usize) -> io::Result<Self> {
        Ok(Self { area: Area::shared(1)?, sides })
    }

    /// The time that this side has come to.
    fn come(&self, side: usize) -> &AtomicU64 {
        self.area.word_of(0, side * LINE)
    }

    /// The times that this side is through with: beside the word above, for only its owner writes either.
    fn through(&self, side: usize) -> &AtomicU64 {
        self.area.word_of(0, side * LINE + 1)
    }

    fn over(&self) -> &AtomicU64 {
        self.area.word_of(0, self.sides * LINE)
    }

    /// Nobody is to meet any more.
    pub(super) fn stop(&self) {
        self.over().store(1, Relaxed);
    }

    /// The times that all are through with.
    pub(super) fn done(&self) -> u64 {
        (0..self.sides).map(|side| self.through(side).load(Acquire)).min().unwrap_or(0)
    }

    /// One side's part: meets the others and does `act`, for each of `times`, counted from 0.
    pub(super) fn each(&self, side: usize, times: usize, worker: &Worker, mut act: impl FnMut(usize)) {
        let called_off = || self.over().load(Relaxed) != 0 || worker.order() == Worker::HALT;
        let mut chance = side as u64 + 1;
        for (time, nth) in (0..times).zip(1..) {
            if !self.meet(side, nth, called_off) {
                return;
            }
            // Who comes last to the meeting leaves it first; a little delay by chance evens that out.
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            for n in 0..chance >> 59 {
                black_box(n);
            }
            act(time);
            self.through(side).store(nth, Release);
        }
    }

    /// Waits until the others have come to the `nth` time, too. False if it is called off.
    fn meet(&self, side: usize, nth: u64, called_off: impl Fn() -> bool) -> bool {
        self.come(side).store(nth, Release);
        let mut turns = 0_u32;
        while (0..self.sides).any(|other| self.come(other).load(Acquire) < nth) {
            turns = turns.saturating_add(1);
            if turns < SPINS {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
            if turns.is_multiple_of(16) && called_off() {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_a_time_ahead_of_the_others() {
        let meeting = Meeting::new(3).expect("shared memory");
        let times = 500;
        let (meeting, at) = (&meeting, &[const { AtomicU64::new(0) }; 3]);
        std::thread::scope(|scope| {
            for side in 0..3 {
                scope.spawn(move || {
                    for nth in 1..=times {
                        assert!(meeting.meet(side, nth, || false));
                        at[side].store(nth, Release);
                        let others = at.iter().map(|at| at.load(Acquire));
                        assert!(others.into_iter().all(|other| nth.abs_diff(other) <= 1), "{nth}");
                        meeting.through(side).store(nth, Release);
                    }
                });
            }
        });
        assert_eq!(meeting.done(), times);
    }

    #[test]
    fn who_waits_alone_can_be_called_off() {
        let meeting = Meeting::new(2).expect("shared memory");
        meeting.stop();
        assert!(!meeting.meet(0, 1, || meeting.over().load(Relaxed) != 0));
        assert_eq!(meeting.done(), 0);
    }
}
