//! The same race for real, many times: two workers meet, each adds to the trial's own counter, and what that holds is counted.

use super::{Area, TOTALS, TRIALS};
use crate::demo::meeting::{LINE, Meeting};
use crate::demo::pace::Cut;
use crate::demo::race::bump;
use crate::demo::script::row;
use crate::fact::{Unavailable, thousands};
use crate::stage::{Cue, Stage, Worker};
use serde_json::json;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Acquire;
use std::time::{Duration, Instant};

/// The table of all trials, and its row.
pub(super) const TABLE: &str = "trials";
pub(super) const ROW: &str = "all";

/// How long all trials may take. Where others want the cores, fewer are done in it.
const BUDGET: Duration = Duration::from_secs(10);

/// How long the two may take to leave, and how long when the learner has seen enough.
const PATIENCE: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(1)];

/// How often it is counted and told.
const TELL: Duration = Duration::from_millis(100);

/// More totals than this, and neighbours are counted together.
const MOST_TOTALS: u64 = 40;

/// What the two have in common: where they meet, and a counter for each trial.
#[derive(Debug)]
pub(super) struct Trials {
    meeting: Meeting,
    counters: Area,
    trials: usize,
    adds: u64,
}

impl Trials {
    pub(super) fn new(trials: usize, adds: u64) -> io::Result<Self> {
        let pages = trials.div_ceil(Self::on_a_page()).max(1);
        Ok(Self { meeting: Meeting::new(2)?, counters: Area::shared(pages)?, trials, adds })
    }

    /// Counters on a page: each is alone on its lines of cache.
    fn on_a_page() -> usize {
        rustix::param::page_size() / size_of::<u64>() / LINE
    }

    fn counter(&self, trial: usize) -> &AtomicU64 {
        self.counters.word_of(trial / Self::on_a_page(), trial % Self::on_a_page() * LINE)
    }

    /// One side's part.
    pub(super) fn play(&self, side: usize, worker: &Worker) {
        self.meeting.each(side, self.trials, worker, |trial| {
            let counter = self.counter(trial);
            (0..self.adds).for_each(|_| bump(counter));
        });
    }
}

/// What has been counted.
#[derive(Debug, Default)]
struct Count {
    done: u64,
    totals: BTreeMap<u64, u64>,
}

impl Count {
    /// Adds the trials that are done since.
    fn take(&mut self, trials: &Trials) {
        self.take_until(trials, trials.meeting.done());
    }

    fn take_until(&mut self, trials: &Trials, done: u64) {
        for trial in self.done..done {
            let Ok(trial) = usize::try_from(trial) else { return };
            *self.totals.entry(trials.counter(trial).load(Acquire)).or_default() += 1;
        }
        self.done = done;
    }

    fn tell(&self, stage: &mut Stage, right: u64) {
        for (name, values) in bins(&self.totals, right) {
            stage.tell(row(TOTALS.table, &name, values));
        }
        let values = json!({
            "trials": self.done,
            "expected": right,
            "right": self.totals.get(&right).copied().unwrap_or(0),
            "least": self.totals.keys().next(),
            "most": self.totals.keys().next_back(),
            "different": self.totals.len(),
        });
        stage.tell(row(TABLE, ROW, values));
    }
}

/// The rows of the counts: a total each, or where there can be too many, ranges of them. The right total stands alone.
fn bins(totals: &BTreeMap<u64, u64>, right: u64) -> Vec<(String, serde_json::Value)> {
    let wide = if right <= MOST_TOTALS { 1 } else { right.div_ceil(MOST_TOTALS / 2) };
    let mut bins = BTreeMap::<u64, u64>::new();
    for (total, count) in totals {
        let from = if *total == right { right } else { total / wide * wide };
        *bins.entry(from).or_default() += count;
    }
    let named = bins.into_iter().map(|(from, count)| {
        let last = (from + wide).min(right) - 1;
        let name = if from >= last { thousands(from) } else { format!("{} – {}", thousands(from), thousands(last)) };
        (name, json!({ "at": from, TOTALS.count: count, "note": (from == right).then_some("right") }))
    });
    named.collect()
}

/// Runs the trials, and tells the counts as they grow.
pub(super) fn show(stage: &mut Stage, trials: &Trials) -> Result<(), Cut> {
    let (begun, mut told) = (Instant::now(), None::<Instant>);
    (0..2).for_each(|side| stage.order(side, TRIALS));
    let gone = |stage: &Stage| (0..2).all(|side| stage.cast().get(side).is_none_or(|entry| entry.ended.is_some()));
    let (mut count, mut finish, mut stopped) = (Count::default(), false, None::<Instant>);
    while !gone(stage) {
        finish |= stage.next(Some(Duration::from_millis(10))) == Cue::Finish;
        if stopped.is_none() && (finish || begun.elapsed() > BUDGET) {
            stopped = Some(Instant::now());
            trials.meeting.stop();
        }
        if stopped.is_some_and(|stopped| stopped.elapsed() > PATIENCE[usize::from(finish)]) {
            let late = Unavailable::new("the end of the trials", "the two did not come to their end");
            return Err(if finish { Cut::Finish } else { late.into() });
        }
        if told.is_none_or(|told| told.elapsed() >= TELL) {
            told = Some(Instant::now());
            count.take(trials);
            count.tell(stage, 2 * trials.adds);
        }
    }
    count.take(trials);
    count.tell(stage, 2 * trials.adds);
    if finish { Err(Cut::Finish) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn each_trial_has_a_counter_of_its_own_and_counts_once() {
        let trials = Trials::new(100, 10).expect("shared memory");
        (0..100).for_each(|n| trials.counter(n).store(n as u64 % 3, Relaxed));
        let mut count = Count::default();
        count.take(&trials);
        assert_eq!((count.done, count.totals.len()), (0, 0), "nobody is through with any");
        for done in [30, 60, 60] {
            count.take_until(&trials, done);
        }
        assert_eq!((count.done, count.totals), (60, [(0, 20), (1, 20), (2, 20)].into()));
    }

    #[test]
    fn few_totals_stand_alone_and_many_in_ranges_with_the_right_one_apart() {
        let names = |totals: &[u64], right| -> Vec<String> {
            bins(&totals.iter().map(|t| (*t, 1)).collect(), right).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(&[11, 20, 12], 20), ["11", "12", "20"]);
        assert_eq!(names(&[0, 1, 99, 100, 1999, 2000], 2000), ["0 – 99", "100 – 199", "1,900 – 1,999", "2,000"]);
        let sum: u64 =
            bins(&[(1, 5), (2, 6), (2000, 7)].into(), 2000).iter().filter_map(|(_, v)| v[TOTALS.count].as_u64()).sum();
        assert_eq!(sum, 18);
    }
}
