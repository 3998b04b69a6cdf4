//! What a run has come to so far, task by task. `scene` folds it from the stream; a demo reads its outcome from it.

use super::{Account, Cpu, LockTally, Nanos, Pid, Start, Tid, Values, Why};
use hdrhistogram::Histogram;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Totals of a run.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The moment of the last fact.
    pub now: Nanos,
    /// How the run began.
    pub start: Option<Start>,
    /// Every task ever seen, in order of appearance.
    pub tasks: Vec<TaskTally>,
    /// Records lost.
    pub lost: u64,
    /// The named steps of the demo's script, with their moments.
    pub steps: Vec<(Nanos, String)>,
    /// The newest map of each region of each process.
    pub pages: BTreeMap<(Pid, String), String>,
    /// The demo's own tables.
    pub tables: BTreeMap<String, Vec<Row>>,
    /// The demo's own curves, each by rising `x`.
    pub curves: BTreeMap<String, Vec<(f64, f64)>>,
    /// The locks that were told of: who is inside, who waits. Once the demo has told [`Tally::CLOSING`] they stay as they
    /// were.
    pub locks: BTreeMap<String, LockTally>,
    /// Where in `tasks` a thread id was last seen.
    pub(crate) index: Index,
}

/// A row of one of the demo's tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// When it was first told.
    pub first: Nanos,
    /// When it was last told.
    pub last: Nanos,
    /// Its values, newest of each.
    pub values: Values,
}

/// The newest position of each thread id. Tasks pushed to the list by hand, past `upto`, are found too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    newest: HashMap<Tid, usize>,
    upto: usize,
}

impl Tally {
    /// The step by which a demo says that it comes to its end and sends everybody off: what follows is no part of its story.
    pub const CLOSING: &'static str = "closing";

    /// When the demo came to its end, if it has said so.
    #[must_use]
    pub fn closing(&self) -> Option<Nanos> {
        self.step(Self::CLOSING)
    }

    /// The task ended before the demo came to its end.
    #[must_use]
    pub fn is_dead(&self, tid: Tid) -> bool {
        let ended = self.task(tid).and_then(|task| task.ended.as_ref());
        ended.is_some_and(|(at, _)| self.closing().is_none_or(|closing| *at < closing))
    }

    /// The demo's own workers, in the order of their letters.
    pub fn workers(&self) -> impl Iterator<Item = &TaskTally> {
        let mut workers: Vec<_> = self.tasks.iter().filter(|t| t.slot.is_some()).collect();
        workers.sort_by_key(|t| t.slot);
        workers.into_iter()
    }

    /// The task with this thread id. Where an id was used again, the newest.
    #[must_use]
    pub fn task(&self, tid: Tid) -> Option<&TaskTally> {
        self.position(tid).map(|i| &self.tasks[i])
    }

    /// Where the newest task with this thread id is in the list.
    pub(crate) fn position(&self, tid: Tid) -> Option<usize> {
        let upto = self.index.upto.min(self.tasks.len());
        let by_hand = self.tasks[upto..].iter().rposition(|t| t.tid == tid).map(|i| upto + i);
        by_hand.or_else(|| self.index.newest.get(&tid).copied().filter(|&i| i < upto && self.tasks[i].tid == tid))
    }

    /// Adds a task to the list and says where.
    pub(crate) fn push(&mut self, task: TaskTally) -> usize {
        self.tasks.push(task);
        self.reindex();
        self.tasks.len() - 1
    }

    /// Forgets the tasks for which `keep` is false. Positions change.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&TaskTally) -> bool) {
        self.tasks.retain(keep);
        self.index = Index::default();
        self.reindex();
    }

    fn reindex(&mut self) {
        for (i, task) in self.tasks.iter().enumerate().skip(self.index.upto) {
            self.index.newest.insert(task.tid, i);
        }
        self.index.upto = self.tasks.len();
    }

    /// The worker with this letter.
    #[must_use]
    pub fn worker(&self, name: &str) -> Option<&TaskTally> {
        self.workers().find(|t| t.name == name)
    }

    /// Puts a table in, for tests of what is made of totals: rows by name, each with an object of values.
    #[cfg(test)]
    pub(crate) fn put_table(&mut self, table: &str, rows: &[(&str, Value)]) {
        let row = |(name, values): &(&str, Value)| Row {
            name: (*name).to_owned(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: serde_json::from_value(values.clone()).expect("an object"),
        };
        self.tables.insert(table.to_owned(), rows.iter().map(row).collect());
    }

    /// The rows of a table; none if nothing was told of it.
    #[must_use]
    pub fn table(&self, name: &str) -> &[Row] {
        self.tables.get(name).map_or(&[], Vec::as_slice)
    }

    /// A value of a row of a table.
    #[must_use]
    pub fn cell(&self, table: &str, row: &str, value: &str) -> Option<&Value> {
        self.table(table).iter().find(|r| r.name == row)?.values.get(value)
    }

    /// The points of a curve; none if nothing was told of it.
    #[must_use]
    pub fn curve(&self, name: &str) -> &[(f64, f64)] {
        self.curves.get(name).map_or(&[], Vec::as_slice)
    }

    /// When the demo reached the step called `name`, if it did.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<Nanos> {
        self.steps.iter().find(|(_, step)| step == name).map(|(t, _)| *t)
    }
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Code(i32),
    /// By a signal of this name; whether a core-dump bit was set.
    Signal(String, bool),
    /// Its process was ended, and it with it.
    WithItsProcess,
    /// It is gone; nobody saw how.
    Unseen,
}

/// What a task is doing, as far as its switches tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is on this CPU.
    Running(Cpu),
    /// It could run and waits for a CPU.
    Ready,
    /// It left its CPU of its own accord and was not seen on one since. That it was woken in the meantime, and is ready,
    /// cannot be told from switches.
    Blocked,
    /// A signal stopped its process.
    Stopped,
    /// It is no more.
    Ended,
    /// It has not been on a CPU yet, or records were lost.
    Unknown,
}

/// Totals of one task.
#[derive(Debug, Clone)]
pub struct TaskTally {
    /// Its thread id.
    pub tid: Tid,
    /// Its process.
    pub pid: Pid,
    /// The process that made it; 0 if not known.
    pub parent: u32,
    /// Its name; a letter for a worker.
    pub name: String,
    /// Its number in the cast, for workers.
    pub slot: Option<u16>,
    /// When it was first seen.
    pub born: Nanos,
    /// When it ended, and how.
    pub ended: Option<(Nanos, Ending)>,
    /// Time on a CPU, summed from the lanes.
    pub ran: Nanos,
    /// Time between being pushed off and running again, summed from the lanes.
    pub waited: Nanos,
    /// How often it left a CPU.
    pub switches: u64,
    /// How often it was pushed off (involuntary switches).
    pub preempted: u64,
    /// The CPU it is on or was last on.
    pub cpu: Option<Cpu>,
    /// Since when it is on that CPU; none while it is off or unknown.
    pub on_since: Option<Nanos>,
    /// Since when it waits for a CPU after being pushed off.
    pub ready_since: Option<Nanos>,
    /// Why it last left a CPU; none while that is not known.
    pub left: Option<Why>,
    /// How often it came back on another CPU than the one it left.
    pub migrations: u64,
    /// How long its turns were.
    pub turns: Turns,
    /// Its named values, newest of each.
    pub values: BTreeMap<String, Value>,
    /// The kernel's own account, newest.
    pub counters: Option<Account>,
    /// Its nice value, where known.
    pub nice: Option<i32>,
    /// The CPUs it may use, where known.
    pub cpus: Option<Vec<Cpu>>,
    /// It is stopped by a signal.
    pub stopped: bool,
}

impl TaskTally {
    /// A task that was just seen for the first time.
    #[must_use]
    pub fn new(tid: Tid, pid: Pid, born: Nanos) -> Self {
        Self {
            tid,
            pid,
            parent: 0,
            name: String::new(),
            slot: None,
            born,
            ended: None,
            ran: Nanos::ZERO,
            waited: Nanos::ZERO,
            switches: 0,
            preempted: 0,
            cpu: None,
            on_since: None,
            ready_since: None,
            left: None,
            migrations: 0,
            turns: Turns::default(),
            values: BTreeMap::new(),
            counters: None,
            nice: None,
            cpus: None,
            stopped: false,
        }
    }

    /// It has not ended.
    #[must_use]
    pub fn alive(&self) -> bool {
        self.ended.is_none()
    }

    /// What it is doing.
    #[must_use]
    pub fn state(&self) -> State {
        if !self.alive() {
            return State::Ended;
        }
        if self.stopped {
            return State::Stopped;
        }
        match (self.on_since, self.cpu, self.left) {
            (Some(_), Some(cpu), _) => State::Running(cpu),
            // A self-timed worker spins: a gap in its time means that it was pushed off.
            (None, _, Some(Why::Preempted | Why::Unknown)) => State::Ready,
            (None, _, Some(Why::Blocked)) => State::Blocked,
            _ => State::Unknown,
        }
    }

    /// A whole-number value by name.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.values.get(name).and_then(Value::as_u64)
    }

    /// Time on a CPU up to `now`, an open turn included.
    #[must_use]
    pub fn ran_until(&self, now: Nanos) -> Nanos {
        self.ran + self.on_since.map_or(Nanos::ZERO, |since| now.since(since))
    }

    /// Time waited for a CPU up to `now`, an open wait included.
    #[must_use]
    pub fn waited_until(&self, now: Nanos) -> Nanos {
        self.waited + self.ready_since.map_or(Nanos::ZERO, |since| now.since(since))
    }
}

/// Lengths of turns. Kept to two significant figures (hdrhistogram), exact in count.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    lengths: Option<Box<Histogram<u64>>>,
}

impl Turns {
    /// Adds a turn of this length.
    pub fn add(&mut self, length: Nanos) {
        if self.lengths.is_none() {
            self.lengths = Histogram::new(2).ok().map(Box::new);
        }
        if let Some(lengths) = &mut self.lengths {
            // Grows to fit; u64 nanoseconds always do.
            let _ = lengths.record(length.0.max(1));
        }
    }

    /// Adds all turns of `other`.
    pub fn merge(&mut self, other: &Self) {
        let Some(theirs) = &other.lengths else { return };
        match &mut self.lengths {
            None => self.lengths = Some(theirs.clone()),
            // An auto-resizing histogram of the same precision takes every value of another.
            Some(ours) => drop(ours.add(&**theirs)),
        }
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.lengths.as_ref().map_or(0, |l| l.len())
    }

    /// The length that a share `q` (0 to 1) of the turns does not exceed; none without turns.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Nanos> {
        self.lengths.as_ref().filter(|l| !l.is_empty()).map(|l| Nanos(l.value_at_quantile(q)))
    }

    /// The median length.
    #[must_use]
    pub fn median(&self) -> Option<Nanos> {
        self.quantile(0.5)
    }

    /// The lengths that there were, shortest first, with how many turns each had.
    pub fn each(&self) -> impl Iterator<Item = (Nanos, u64)> {
        self.lengths.iter().flat_map(|l| l.iter_recorded()).map(|v| (Nanos(v.value_iterated_to()), v.count_at_value()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_found_however_it_came_to_the_list() {
        let mut tally = Tally::default();
        let task = |tid, born| TaskTally::new(Tid(tid), Pid(1), Nanos(born));
        tally.push(task(1, 1));
        tally.push(task(2, 2));
        tally.tasks.push(task(1, 3));
        assert_eq!(tally.position(Tid(1)), Some(2));
        assert_eq!(tally.task(Tid(2)).map(|t| t.born), Some(Nanos(2)));
        tally.push(task(4, 4));
        assert_eq!((tally.position(Tid(1)), tally.position(Tid(4)), tally.position(Tid(9))), (Some(2), Some(3), None));
        tally.retain(|t| t.tid != Tid(2));
        assert_eq!((tally.position(Tid(1)), tally.position(Tid(2))), (Some(1), None));
        tally.tasks.clear();
        assert!(tally.task(Tid(1)).is_none());
    }

    #[test]
    fn turns_know_their_median_and_their_histogram() {
        let mut turns = Turns::default();
        assert_eq!((turns.median(), turns.count()), (None, 0));
        for ms in [1, 4, 4, 4, 100] {
            turns.add(Nanos::from_millis(ms));
        }
        let median = turns.median().expect("five turns").0;
        assert!(median.abs_diff(4_000_000) < 40_000, "{median}");
        assert_eq!(turns.each().map(|(_, count)| count).collect::<Vec<_>>(), [1, 3, 1]);
        let mut other = Turns::default();
        other.merge(&turns);
        other.merge(&turns);
        assert_eq!(other.count(), 10);
    }
}
