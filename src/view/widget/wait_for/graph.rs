//! The graph as it is read from the totals, and in words.

use crate::fact::{Tally, TaskTally, Tid, WaitForSpec, clean_line, cycle, stuck};
use crate::view::put::count;
use std::collections::BTreeSet;

/// A worker in the graph.
pub(super) struct Waiter<'a> {
    pub(super) task: &'a TaskTally,
    /// It died; what it had it has still.
    pub(super) dead: bool,
    /// The locks that it has, and those that it waits for.
    pub(super) has: Vec<&'a str>,
    pub(super) wants: Vec<&'a str>,
}

/// What the whole comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Some wait for each other.
    Circle,
    /// Some wait for what the dead have.
    Bereft,
    /// Nobody is stuck.
    Open,
}

/// The workers in the order of their letters, and the locks in that of their names.
pub(super) struct Graph<'a> {
    pub(super) workers: Vec<Waiter<'a>>,
    pub(super) locks: Vec<&'a str>,
    pub(super) note: String,
    /// The letters of the circle, each waiting for the next.
    circle: Vec<Tid>,
    stuck: BTreeSet<Tid>,
    spec: &'a WaitForSpec,
}

impl<'a> Graph<'a> {
    pub(super) fn of(tally: &'a Tally, spec: &'a WaitForSpec) -> Self {
        let names = |holds: &dyn Fn(&crate::fact::LockTally) -> bool| {
            tally.locks.iter().filter(|(_, lock)| holds(lock)).map(|(name, _)| name.as_str()).collect()
        };
        let workers = tally.workers().map(|task| {
            let is = |(tid, _): &(Tid, _)| *tid == task.tid;
            let has = names(&|lock| lock.inside.iter().any(is));
            let wants = names(&|lock| lock.queue.iter().any(is));
            Waiter { task, dead: tally.is_dead(task.tid), has, wants }
        });
        let note = tally.cell(spec.name, "note", "words").and_then(|words| words.as_str());
        Self {
            workers: workers.collect(),
            locks: tally.locks.keys().map(String::as_str).collect(),
            note: clean_line(note.unwrap_or_default()),
            circle: cycle(&tally.locks).into_iter().map(|(tid, _)| tid).collect(),
            stuck: stuck(&tally.locks, |tid| tally.is_dead(tid)),
            spec,
        }
    }

    pub(super) fn letter(&self, worker: &Waiter<'_>) -> String {
        clean_line(&worker.task.name)
    }

    pub(super) fn is_stuck(&self, worker: &Waiter<'_>) -> bool {
        self.stuck.contains(&worker.task.tid)
    }

    /// It is one of the circle.
    pub(super) fn is_in_circle(&self, worker: &Waiter<'_>) -> bool {
        self.circle.contains(&worker.task.tid)
    }

    fn name(&self, tid: Tid) -> String {
        self.workers.iter().find(|w| w.task.tid == tid).map_or_else(|| tid.0.to_string(), |w| self.letter(w))
    }

    /// A sentence on the whole.
    pub(super) fn words(&self) -> (String, State) {
        if let Some(first) = self.circle.first() {
            let chain: Vec<String> = self.circle.iter().map(|tid| self.name(*tid)).collect();
            let words = format!(
                "Deadlock: {} waits for {}. None of them will ever go on.",
                chain.join(" waits for "),
                self.name(*first)
            );
            return (words, State::Circle);
        }
        let for_the_dead = self.workers.iter().filter(|w| self.is_stuck(w)).find_map(|waiter| {
            let owner = |lock: &&&str| self.workers.iter().find(|w| w.dead && w.has.contains(*lock));
            waiter.wants.iter().find_map(|lock| Some((waiter, lock, owner(&lock)?)))
        });
        if let Some((waiter, lock, owner)) = for_the_dead {
            let words = format!(
                "No circle, but {} waits for {} {lock} of {}, who is dead: it will never come back. {} for ever.",
                self.letter(waiter),
                self.spec.lock,
                self.letter(owner),
                if self.stuck.len() == 1 { "1 waits".to_owned() } else { format!("{} wait", self.stuck.len()) },
            );
            return (words, State::Bereft);
        }
        let waiting = self.workers.iter().filter(|w| !w.wants.is_empty()).count();
        let words = match waiting {
            0 => "Nobody waits.".to_owned(),
            1 => "No circle: 1 waits, and will get on.".to_owned(),
            n => format!("No circle: {n} wait, and will get on."),
        };
        (words, State::Open)
    }

    /// How often it has eaten, entered, or whatever is counted here.
    pub(super) fn counted(&self, worker: &Waiter<'_>) -> String {
        count(worker.task.number(self.spec.count.0).unwrap_or(0), self.spec.count.1, self.spec.count.0)
    }

    /// The value that is counted.
    pub(super) fn count_value(&self) -> &'static str {
        self.spec.count.0
    }

    /// What a worker has and wants: "has 1, wants 2 (B has it)".
    pub(super) fn line(&self, worker: &Waiter<'_>) -> String {
        let mut parts = Vec::new();
        if worker.dead {
            parts.push("dead".to_owned());
        }
        if !worker.has.is_empty() {
            parts.push(format!(
                "has {}",
                worker.has.iter().map(|lock| clean_line(lock)).collect::<Vec<_>>().join(" and ")
            ));
        }
        for lock in worker.wants.iter().filter(|_| !worker.dead) {
            let owners = self.workers.iter().filter(|w| w.has.contains(lock));
            let owners = owners.map(|w| format!("{}{}", self.letter(w), if w.dead { ", dead," } else { "" }));
            let owners = owners.collect::<Vec<_>>().join(", ");
            let whose = if owners.is_empty() { "free".to_owned() } else { format!("{owners} has it") };
            parts.push(format!("wants {} ({whose})", clean_line(lock)));
        }
        if parts.is_empty() {
            parts.push(format!("has no {}", self.spec.lock));
        }
        parts.join(", ")
    }
}
