//! What is known of the tasks while they run: words that they write and the leader reads.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Instant;

/// Bits of a task's number in the word that holds the queue.
const BITS: u32 = 4;

/// How often a look is begun anew because a task came on meanwhile.
const TRIES: usize = 100;

/// All of it. Moments are nanoseconds since it was made, by `CLOCK_MONOTONIC`.
#[derive(Debug)]
pub(super) struct Desk {
    begun: Instant,
    lines: Vec<Line>,
    queue: AtomicU64,
    handed_over: AtomicU64,
    /// Since when waits count: before it other wishes held.
    since: AtomicU64,
    every: AtomicU64,
    greedy: AtomicBool,
    over: AtomicBool,
}

/// What is known of one task.
#[derive(Debug, Default)]
struct Line {
    steps: AtomicU64,
    turns: AtomicU64,
    longest: AtomicU64,
    /// When it last had the processor, as far as it knows; 0 while it has it.
    left: AtomicU64,
}

/// A look at a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) steps: u64,
    pub(super) turns: u64,
    /// Its longest wait that is over, nanoseconds.
    pub(super) longest: u64,
    /// How long it has waited by now.
    pub(super) waiting: u64,
    /// Its place in the queue, 0 for who runs.
    pub(super) place: Option<usize>,
}

impl Desk {
    pub(super) fn new(tasks: usize, every: u64, greedy: bool) -> Self {
        let lines: Vec<Line> = (0..tasks).map(|_| Line::default()).collect();
        // All are ready from the beginning, and wait for their first turn.
        lines.iter().for_each(|line| line.left.store(1, Relaxed));
        Self {
            begun: Instant::now(),
            lines,
            queue: AtomicU64::new(0),
            handed_over: AtomicU64::new(0),
            since: AtomicU64::new(0),
            every: AtomicU64::new(every),
            greedy: AtomicBool::new(greedy),
            over: AtomicBool::new(false),
        }
    }

    /// Now. Never 0.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    pub(super) fn tasks(&self) -> usize {
        self.lines.len()
    }

    /// Task `n` comes on.
    pub(super) fn comes(&self, n: usize) {
        let line = &self.lines[n];
        let wait = self.now().saturating_sub(line.left.swap(0, Relaxed).max(self.since.load(Acquire)));
        self.waited(n, wait);
    }

    /// Task `n` has been off for so long, and has a new turn.
    pub(super) fn waited(&self, n: usize, nanos: u64) {
        let line = &self.lines[n];
        line.longest.fetch_max(nanos, Relaxed);
        line.turns.fetch_add(1, Relaxed);
    }

    /// Task `n` is off from now on, or might be.
    pub(super) fn leaves(&self, n: usize) {
        self.lines[n].left.store(self.now(), Release);
    }

    /// Task `n` has done a step.
    pub(super) fn step(&self, n: usize) {
        self.lines[n].steps.fetch_add(1, Relaxed);
    }

    /// Who runs, and who is ready in which order.
    pub(super) fn set_queue(&self, order: impl DoubleEndedIterator<Item = usize>) {
        self.queue.store(pack(order), Release);
    }

    /// The thread has gone from one task to another.
    pub(super) fn handed_over(&self) {
        self.handed_over.fetch_add(1, Release);
    }

    /// How often it has.
    pub(super) fn handings_over(&self) -> u64 {
        self.handed_over.load(Acquire)
    }

    /// A look at all tasks, at one moment unless they are faster than the look again and again.
    pub(super) fn look(&self) -> Vec<Seen> {
        for _ in 0..TRIES {
            let before = self.handings_over();
            let seen = self.glance();
            if self.handings_over() == before {
                return seen;
            }
        }
        self.glance()
    }

    fn glance(&self) -> Vec<Seen> {
        let (now, since, queue) = (self.now(), self.since.load(Acquire), self.queue.load(Acquire));
        let seen = |(n, line): (usize, &Line)| {
            let left = line.left.load(Acquire);
            Seen {
                steps: line.steps.load(Relaxed),
                turns: line.turns.load(Relaxed),
                longest: line.longest.load(Relaxed),
                waiting: if left == 0 { 0 } else { now.saturating_sub(left.max(since)) },
                place: place(queue, n),
            }
        };
        self.lines.iter().enumerate().map(seen).collect()
    }

    /// Steps between two yields.
    pub(super) fn every(&self) -> u64 {
        self.every.load(Relaxed)
    }

    /// Whether task `n` never yields: the first, where one is greedy.
    pub(super) fn is_greedy(&self, n: usize) -> bool {
        n == 0 && self.greedy.load(Acquire)
    }

    /// Other wishes hold from now on, and waits count from now on.
    pub(super) fn wish(&self, every: u64, greedy: bool) {
        self.since.store(self.now(), Release);
        self.lines.iter().for_each(|line| line.longest.store(0, Relaxed));
        self.every.store(every, Relaxed);
        // Last: no task that it kept waiting comes on before.
        self.greedy.store(greedy, Release);
    }

    /// All are to return. Even one that never yields looks at this.
    pub(super) fn end(&self) {
        self.over.store(true, Release);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Acquire)
    }
}

/// A queue in one word, so that nobody sees half of a change: the first in the lowest bits, each counted from 1.
fn pack(order: impl DoubleEndedIterator<Item = usize>) -> u64 {
    order.rev().fold(0, |word, n| word << BITS | (n as u64 + 1))
}

fn place(queue: u64, n: usize) -> Option<usize> {
    (0..u64::BITS / BITS).position(|at| (queue >> (at * BITS)) & 0xf == n as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_fits_a_word() {
        let queue = pack([2, 0, 7, 1].into_iter());
        assert_eq!([2, 0, 7, 1, 3].map(|n| place(queue, n)), [Some(0), Some(1), Some(2), Some(3), None]);
        assert_eq!(place(pack(std::iter::empty()), 0), None);
    }

    #[test]
    fn waits_begin_at_the_newest_wish_and_whoever_waits_still_is_seen() {
        let desk = Desk::new(2, 10, false);
        let later = |than: u64| while desk.now() <= than {};
        later(2_000_000);
        assert!(desk.look().iter().all(|seen| seen.waiting > 1_000_000 && seen.longest == 0));
        desk.comes(0);
        let seen = desk.look()[0];
        assert!((seen.waiting, seen.turns) == (0, 1) && seen.longest > 1_000_000, "{seen:?}");
        later(50_000_000);
        let before = desk.now();
        desk.wish(5, true);
        later(desk.now() + 1_000_000);
        desk.comes(1);
        let seen = desk.look();
        assert_eq!((seen[0].longest, desk.every(), desk.is_greedy(0), desk.is_greedy(1)), (0, 5, true, false));
        assert!(seen[1].longest >= 1_000_000 && seen[1].longest <= desk.now() - before, "{seen:?}");
    }
}
