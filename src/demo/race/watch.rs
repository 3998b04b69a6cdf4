//! The leader's eye on the counter while the workers add: it looks, tells what it finds, and stops them when their time is over.

use super::GUARDS;
use super::ground::{Ground, STOP};
use crate::demo::pace::Cut;
use crate::demo::script;
use crate::fact::{Fact, Unavailable};
use crate::stage::{Cue, Stage};
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// How often the counter is looked at: in the first second so often that a whole turn's adds are not missed when they go.
const LOOK: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];

/// How often a point of the curves is told, and how often all of it.
const POINT: Duration = Duration::from_millis(10);
const TELL: Duration = Duration::from_millis(100);

/// How long the workers may take to see that the time is over, and how long when the learner has seen enough.
const PATIENCE: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(1)];

/// What has been seen of all guards so far.
#[derive(Debug)]
pub(super) struct Watch {
    workers: usize,
    budget: Duration,
    begun: Instant,
    /// What memory held and should have held under the guards before this one.
    before: (u64, u64),
}

/// What has been seen under one guard.
#[derive(Debug)]
struct Seen {
    last: u64,
    falls: u64,
    deepest: u64,
}

impl Seen {
    /// A look: what memory holds now.
    fn look(&mut self, found: u64) {
        if found < self.last {
            self.falls += 1;
            self.deepest = self.deepest.max(self.last - found);
        }
        self.last = found;
    }
}

impl Watch {
    pub(super) fn new(workers: usize, budget: Duration) -> Self {
        Self { workers, budget, begun: Instant::now(), before: (0, 0) }
    }

    fn order(&self, stage: &Stage, order: u64) {
        (0..self.workers).for_each(|n| stage.order(n, order));
    }

    /// Lets the workers add under the guard of this number, and tells how it goes and what it came to.
    ///
    /// # Errors
    /// The learner has seen enough, or a worker does not come to its end.
    pub(super) fn turn(&mut self, stage: &mut Stage, ground: &Ground, turn: usize) -> Result<(), Cut> {
        ground.clear(self.workers);
        self.order(stage, turn as u64);
        let (begun, mut stopped, mut finish) = (Instant::now(), None::<Instant>, false);
        let (mut told, mut pointed) = (None::<Instant>, None::<Instant>);
        let mut seen = Seen { last: 0, falls: 0, deepest: 0 };
        let due = |last: &mut Option<Instant>, every: Duration| {
            let due = last.is_none_or(|last| last.elapsed() >= every);
            if due {
                *last = Some(Instant::now());
            }
            due
        };
        while !self.are_through(stage, ground, turn) {
            let late = begun.elapsed() > Duration::from_secs(1);
            finish |= stage.next(Some(LOOK[usize::from(late)])) == Cue::Finish;
            if stopped.is_none() && (finish || begun.elapsed() > self.budget) {
                stopped = Some(Instant::now());
                self.order(stage, turn as u64 + STOP);
            }
            if stopped.is_some_and(|stopped| stopped.elapsed() > PATIENCE[usize::from(finish)]) {
                let why = "a worker holds the lock, or has died with it";
                return Err(if finish { Cut::Finish } else { Unavailable::new("the end of the adds", why).into() });
            }
            let (found, expected) = (ground.counter().load(Relaxed), ground.expected(self.workers));
            seen.look(found);
            if due(&mut pointed, POINT) {
                self.point(stage, found, expected);
            }
            if due(&mut told, TELL) {
                row(stage, ground.word(turn), found, expected, None);
            }
        }
        let (found, expected) = (ground.counter().load(Relaxed), ground.expected(self.workers));
        seen.look(found);
        self.point(stage, found, expected);
        self.before = (self.before.0 + found, self.before.1 + expected);
        row(stage, ground.word(turn), found, expected, Some((ground.took(self.workers), &seen)));
        if finish { Err(Cut::Finish) } else { Ok(()) }
    }

    fn are_through(&self, stage: &Stage, ground: &Ground, turn: usize) -> bool {
        let ended = |n: usize| stage.cast().get(n).is_none_or(|entry| entry.ended.is_some());
        ground.are_through(turn as u64, self.workers, ended)
    }

    /// A point of the curves: what memory holds and what it should, under all guards so far.
    fn point(&self, stage: &mut Stage, found: u64, expected: u64) {
        let x = (self.begun.elapsed().as_secs_f64() * 1e3).round();
        for (curve, adds) in [("found", self.before.0 + found), ("expected", self.before.1 + expected)] {
            #[expect(clippy::cast_precision_loss, reason = "2^53 adds would take a year")]
            stage.tell(Fact::Point { curve: curve.to_owned(), x, y: adds as f64 });
        }
    }
}

/// The row of a guard. While the workers run, they are read one after the other: what is lost is known to some thousands. The
/// speed is told when all are through.
fn row(stage: &mut Stage, guard: &str, found: u64, expected: u64, through: Option<(u64, &Seen)>) {
    let lost = expected.saturating_sub(found);
    #[expect(clippy::cast_precision_loss, reason = "2^53 adds would take a year")]
    let share = (expected > 0).then(|| (lost as f64 / expected as f64 * 1e4).round() / 1e4);
    let mut values = json!({ "expected": expected, "found": found, "lost": lost, "lost_share": share });
    if let Some((took, seen)) = through {
        let per_second = u128::from(expected) * 1_000_000_000 / u128::from(took.max(1));
        values["per_second"] = json!(u64::try_from(per_second).unwrap_or(u64::MAX));
        values["falls"] = json!(seen.falls);
        values["deepest"] = json!(seen.deepest);
    }
    stage.tell(script::row(GUARDS.name, guard, values));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_is_a_look_that_finds_less_than_the_look_before() {
        let mut seen = Seen { last: 0, falls: 0, deepest: 0 };
        [10, 900, 300, 400, 390].into_iter().for_each(|found| seen.look(found));
        assert_eq!((seen.falls, seen.deepest, seen.last), (2, 600, 390));
    }
}
