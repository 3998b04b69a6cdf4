//! The store-buffer test: `x = 1; r1 = y` beside `y = 1; r2 = x`. In no order of these four do both read 0; and yet.
//!
//! Known as SB in the literature (Sewell et al., "x86-TSO", 2010; Alglave et al., "litmus", 2011). In place of 0 and 1 the
//! round's number is written, so nothing need be put back between rounds. All accesses are atomic and relaxed: the test is
//! well defined, and any of the four outcomes is allowed. With a sequentially consistent fence between write and read, that
//! both read the old word is forbidden (C++20 [atomics.order], which Rust has adopted).

use super::{AS_IT_IS, ORDERED, RESULTS, gone, until};
use crate::fact::{As, Fact, Unavailable};
use crate::stage::{Settings, Stage, Worker};
use serde_json::json;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, fence};
use std::time::{Duration, Instant};

/// The outcomes, and how each can come about.
pub(super) const ROWS: [(&str, &str); 4] = [
    ("r1=1 r2=1", "both wrote, then both read"),
    ("r1=0 r2=1", "thread 1 was through first"),
    ("r1=1 r2=0", "thread 2 was through first"),
    ("r1=0 r2=0", "by no order of the four lines"),
];

/// How long a test may take. Where others want the cores, fewer rounds are done in it.
const BUDGET: Duration = Duration::from_millis(2500);

/// How long the two may take to leave.
const PATIENCE: Duration = Duration::from_secs(5);

/// Turns of the barrier before it gives the core away: longer than another core takes to arrive, and short where there is no
/// other.
const SPINS: u32 = 200;

/// Alone on its lines of cache, two of which some processors fetch together.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line(AtomicU64);

/// What the two threads have in common.
#[derive(Debug)]
struct Test {
    fenced: bool,
    words: [Line; 2],
    /// The round that each has come to.
    at: [Line; 2],
    /// What each read in each round: 0 not yet, 1 the old word, 2 the new one.
    read: [Vec<AtomicU8>; 2],
    stop: AtomicBool,
}

impl Test {
    fn new(rounds: usize, fenced: bool) -> Self {
        let none = || (0..rounds).map(|_| AtomicU8::new(0)).collect();
        let lines = <[Line; 2]>::default;
        Self { fenced, words: lines(), at: lines(), read: [none(), none()], stop: AtomicBool::new(false) }
    }

    /// One side's part.
    fn play(&self, side: usize, worker: &Worker) {
        let (mine, theirs) = (&self.words[side].0, &self.words[1 - side].0);
        let mut chance = side as u64 + 1;
        for (read, round) in self.read[side].iter().zip(1..) {
            if !self.meet(side, round, worker) {
                return;
            }
            // Who comes last to the meeting leaves it first; a little delay by chance evens that out.
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            for n in 0..chance >> 58 {
                black_box(n);
            }
            mine.store(round, Relaxed);
            if self.fenced {
                fence(SeqCst);
            }
            let found = theirs.load(Relaxed);
            read.store(1 + u8::from(found == round), Release);
            if round % 64 == 0 {
                worker.set_work(round);
            }
        }
    }

    /// Waits until the other has come to this round, too. False if the test is over.
    fn meet(&self, side: usize, round: u64, worker: &Worker) -> bool {
        self.at[side].0.store(round, Release);
        let mut turns = 0_u32;
        while self.at[1 - side].0.load(Acquire) < round {
            turns = turns.saturating_add(1);
            if turns < SPINS {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
            if turns.is_multiple_of(16) && (self.stop.load(Relaxed) || worker.order() == Worker::HALT) {
                return false;
            }
        }
        !self.stop.load(Relaxed)
    }

    /// Adds the rounds that both have done since; `done` of them were counted before.
    fn count(&self, counts: &mut [u64; 4], done: &mut usize) {
        while let (Some(first), Some(second)) = (self.read[0].get(*done), self.read[1].get(*done)) {
            let at = match (first.load(Acquire), second.load(Acquire)) {
                (0, _) | (_, 0) => return,
                (2, 2) => 0,
                (1, 2) => 1,
                (2, 1) => 2,
                _ => 3,
            };
            counts[at] += 1;
            *done += 1;
        }
    }
}

/// Runs the test without and with a fence, and tells the counts as they grow. False if the run is to come to its end.
///
/// # Errors
/// The machine refuses a thread.
pub(super) fn show(stage: &mut Stage, rounds: usize) -> anyhow::Result<bool> {
    if stage.cpus().len() < 2 {
        let why = "it takes two cores at once, and there is one here";
        stage.tell(Fact::Refused(Unavailable::new("to see reads overtake writes", why)));
    }
    for (fenced, column) in [(false, AS_IT_IS), (true, ORDERED)] {
        let test = Arc::new(Test::new(rounds, fenced));
        let pinned: Vec<_> = if stage.cpus().len() < 2 { Vec::new() } else { stage.cpus().to_vec() };
        let mut pair = Vec::new();
        for side in 0..2 {
            let test = Arc::clone(&test);
            let settings = Settings { cpus: pinned.get(side).copied().into_iter().collect(), nice: 0 };
            pair.push(stage.enter(As::Threads, &settings, move |worker| test.play(side, worker))?);
        }
        let (mut counts, mut done) = ([0; 4], 0);
        let mut told = Instant::now();
        let over = |stage: &Stage| pair.iter().all(|n| gone(stage, *n));
        let mut look = |stage: &mut Stage, at_once: bool| {
            if at_once || told.elapsed() >= Duration::from_millis(100) {
                told = Instant::now();
                test.count(&mut counts, &mut done);
                tell(stage, column, &counts);
            }
        };
        let go_on = until(stage, BUDGET, |stage| {
            look(stage, false);
            over(stage)
        });
        test.stop.store(true, Relaxed);
        if !go_on || !until(stage, PATIENCE, |stage| over(stage)) {
            return Ok(false);
        }
        look(stage, true);
    }
    Ok(true)
}

fn tell(stage: &mut Stage, column: &str, counts: &[u64; 4]) {
    for ((row, how), count) in ROWS.iter().zip(counts) {
        let values = [("how", json!(how)), (column, json!(count))].map(|(name, value)| (name.to_owned(), value));
        stage.tell(Fact::Row { table: RESULTS.name.to_owned(), row: (*row).to_owned(), values: values.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_row_and_a_round_counts_once() {
        let test = Test::new(6, false);
        let read = |round: usize, first, second| {
            test.read[0][round].store(first, Relaxed);
            test.read[1][round].store(second, Relaxed);
        };
        [(2, 2), (1, 2), (2, 1), (1, 1)].iter().zip(0..).for_each(|((a, b), n)| read(n, *a, *b));
        read(4, 1, 0);
        let (mut counts, mut done) = ([0; 4], 0);
        test.count(&mut counts, &mut done);
        test.count(&mut counts, &mut done);
        assert_eq!((counts, done), ([1, 1, 1, 1], 4), "the fifth round is not over");
        read(4, 1, 1);
        test.count(&mut counts, &mut done);
        assert_eq!((counts, done), ([1, 1, 1, 2], 5));
    }
}
