//! Totals, task by task. What a switch means for time on a CPU is decided in `cores`; here it is added up.

use super::cores::{Change, End};
use super::lanes::Occupant;
use super::locks;
use crate::fact::{Account, Ending, Fact, Nanos, Pid, Source, Stamped, Tally, TaskTally, Tid, Why};
use std::collections::{HashMap, HashSet};

#[cfg(test)]
mod tests;
mod told;

/// Tasks that are listed. Beyond it those that ended are dropped, except workers.
const MOST_TASKS: usize = 16_384;

/// Names, regions and steps that are kept: far more than any demo has, so that a damaged stream cannot fill memory.
const MOST_NAMES: usize = 4096;

/// What the fold remembers besides the totals.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    /// Those that wait for a CPU, by position.
    waiting: HashSet<usize>,
    /// The tasks of each process that has not ended, by position.
    members: HashMap<Pid, Vec<usize>>,
    /// How many ended that could be dropped from the list.
    spent: usize,
}

impl Tasks {
    /// Adds up what a fact changed on the CPUs.
    pub(super) fn change(&mut self, tally: &mut Tally, change: &Change) {
        match *change {
            Change::In { cpu, tid, at, .. } => {
                let Some(i) = self.seen(tally, tid, at) else { return };
                self.end_wait(tally, i, at);
                let task = &mut tally.tasks[i];
                task.migrations += u64::from(task.cpu.is_some_and(|last| last != cpu));
                (task.cpu, task.on_since) = (Some(cpu), Some(at));
            }
            Change::Over { who: Occupant::Task(tid), from, to, why, end, .. } => {
                let Some(i) = tally.position(tid) else { return };
                let task = &mut tally.tasks[i];
                task.ran = task.ran + to.since(from);
                task.on_since = None;
                task.left = None;
                match end {
                    End::Told => {
                        task.turns.add(to.since(from));
                        self.leave(tally, i, to, why);
                    }
                    End::Inferred => task.switches += 1,
                    End::RunOver => {}
                }
            }
            Change::Out { cpu, tid, at, why, .. } => {
                let Some(i) = self.seen(tally, tid, at) else { return };
                tally.tasks[i].cpu = Some(cpu);
                self.leave(tally, i, at, why);
            }
            Change::Void { tid, .. } => {
                let Some(i) = tally.position(tid) else { return };
                (tally.tasks[i].on_since, tally.tasks[i].left) = (None, None);
            }
            Change::Late { tid, from, to, ended, why, .. } => {
                let Some(i) = tally.position(tid) else { return };
                let task = &mut tally.tasks[i];
                if task.born > from {
                    return;
                }
                task.turns.add(ended.since(from));
                // It was counted when its end was inferred.
                task.switches = task.switches.saturating_sub(1);
                self.leave(tally, i, to, why);
            }
            Change::Core(_) | Change::Over { .. } => {}
        }
    }

    /// Takes in what a fact says besides.
    pub(super) fn apply(&mut self, tally: &mut Tally, stamped: &Stamped) {
        let t = stamped.t;
        tally.now = tally.now.max(t);
        match &stamped.fact {
            Fact::Start(start) => drop(tally.start.get_or_insert_with(|| start.clone())),
            Fact::Task { tid, pid, parent, name, slot } => {
                let Some(i) = self.known(tally, *tid, *pid, t) else { return };
                let task = &mut tally.tasks[i];
                if *parent != 0 {
                    task.parent = *parent;
                }
                // A worker keeps its letter, whatever the kernel calls its program.
                if !name.is_empty() && (slot.is_some() || task.slot.is_none()) {
                    task.name.clone_from(name);
                }
                task.slot = slot.or(task.slot);
            }
            Fact::Exit { tid, pid, code, signal, core } => {
                let ending = match (code, signal) {
                    (_, Some(signal)) => Ending::Signal(signal.clone(), core.unwrap_or(false)),
                    (Some(code), None) => Ending::Code(*code),
                    (None, None) => Ending::Unseen,
                };
                self.exit(tally, *tid, *pid, t, ending);
            }
            Fact::Stopped { pid, stopped } => {
                for &i in self.members.get(pid).into_iter().flatten() {
                    tally.tasks[i].stopped = *stopped;
                }
            }
            Fact::Lost { records } => {
                tally.lost = tally.lost.saturating_add(*records);
                for i in self.waiting.drain() {
                    (tally.tasks[i].ready_since, tally.tasks[i].left) = (None, None);
                }
            }
            Fact::Outcome(_) => {
                for i in std::mem::take(&mut self.waiting) {
                    end_wait(&mut tally.tasks[i], t);
                }
            }
            Fact::Step { name } if tally.steps.len() < MOST_NAMES => tally.steps.push((t, name.clone())),
            Fact::Pages { pid, region, map } => {
                let key = (*pid, region.clone());
                if tally.pages.len() < MOST_NAMES || tally.pages.contains_key(&key) {
                    tally.pages.insert(key, map.clone());
                }
            }
            Fact::Row { table, row, values } => told::row(tally, t, table, row, values),
            Fact::Point { curve, x, y } => told::point(tally, curve, *x, *y),
            Fact::Lock { tid, lock, step } => locks::apply(tally, t, *tid, lock, *step),
            _ => self.about_a_task(tally, t, &stamped.fact),
        }
    }

    fn about_a_task(&mut self, tally: &mut Tally, t: Nanos, fact: &Fact) {
        let (Fact::Value { tid, .. } | Fact::Counters { tid, .. } | Fact::Setting { tid, .. }) = fact else { return };
        let Some(i) = self.seen(tally, *tid, t) else { return };
        let task = &mut tally.tasks[i];
        match fact {
            Fact::Value { name, value, .. } => {
                if let Some(old) = task.values.get_mut(name) {
                    old.clone_from(value);
                } else if task.values.len() < MOST_NAMES {
                    task.values.insert(name.clone(), value.clone());
                }
            }
            &Fact::Counters { voluntary, involuntary, ran, waited, turns, .. } => {
                let (ran, waited) = (Nanos(ran), Nanos(waited));
                if task.counters.is_none_or(|known| known.at <= t) {
                    task.counters = Some(Account { at: t, voluntary, involuntary, ran, waited, turns });
                }
            }
            Fact::Setting { nice, cpus, .. } => {
                task.nice = nice.or(task.nice);
                if cpus.is_some() {
                    task.cpus.clone_from(cpus);
                }
            }
            _ => {}
        }
    }

    /// The task left its CPU at `at`, for this reason.
    fn leave(&mut self, tally: &mut Tally, i: usize, at: Nanos, why: Why) {
        let self_timed = tally.start.as_ref().is_some_and(|s| s.source == Source::SelfTimed);
        let task = &mut tally.tasks[i];
        task.switches += 1;
        task.preempted += u64::from(why == Why::Preempted);
        task.left = Some(why);
        // A self-timed worker never sleeps: where it has a gap, it was ready.
        let waits = why == Why::Preempted || (why == Why::Unknown && self_timed);
        if waits && task.alive() {
            task.ready_since = Some(at);
            self.waiting.insert(i);
        }
    }

    fn end_wait(&mut self, tally: &mut Tally, i: usize, at: Nanos) {
        if self.waiting.remove(&i) {
            end_wait(&mut tally.tasks[i], at);
        }
    }

    fn exit(&mut self, tally: &mut Tally, tid: Tid, pid: Pid, t: Nanos, ending: Ending) {
        let Some(i) = self.seen(tally, tid, t) else { return };
        self.join(tally, i, pid);
        self.end(tally, i, t, ending);
        if tid.0 == pid.0 {
            for i in self.members.remove(&pid).unwrap_or_default() {
                self.end(tally, i, t, Ending::WithItsProcess);
            }
        }
    }

    fn end(&mut self, tally: &mut Tally, i: usize, t: Nanos, ending: Ending) {
        self.end_wait(tally, i, t);
        let task = &mut tally.tasks[i];
        if let Some((_, known @ Ending::Unseen)) = &mut task.ended {
            // Who waited for it knows how it ended, and may be heard after who only saw that it did.
            if ending != Ending::WithItsProcess {
                *known = ending;
            }
        } else if task.ended.is_none() {
            task.ended = Some((t, ending));
            task.stopped = false;
            self.spent += usize::from(task.slot.is_none());
            locks::ended(tally, tally.tasks[i].tid);
        }
    }

    /// The task with this id, which a `Task` fact names: another one than before if that one has ended.
    fn known(&mut self, tally: &mut Tally, tid: Tid, pid: Pid, t: Nanos) -> Option<usize> {
        let old = tally.position(tid).filter(|&i| tally.tasks[i].ended.as_ref().is_none_or(|(end, _)| t <= *end));
        let i = match old {
            Some(i) => i,
            None => {
                let old = tally.position(tid).map(|i| (tally.tasks[i].cpu, tally.tasks[i].on_since.take()));
                let i = self.add(tally, tid, pid, t)?;
                if let Some((cpu, Some(since))) = old {
                    // It was seen on a CPU before its name was heard.
                    (tally.tasks[i].cpu, tally.tasks[i].on_since) = (cpu, Some(since));
                }
                i
            }
        };
        self.join(tally, i, pid);
        Some(i)
    }

    /// The task with this id, of which a fact speaks. Its `Task` fact may be yet to come: till then it counts as a process.
    fn seen(&mut self, tally: &mut Tally, tid: Tid, t: Nanos) -> Option<usize> {
        tally.position(tid).or_else(|| self.add(tally, tid, Pid(tid.0), t))
    }

    fn add(&mut self, tally: &mut Tally, tid: Tid, pid: Pid, t: Nanos) -> Option<usize> {
        if tally.tasks.len() >= MOST_TASKS {
            self.make_room(tally);
        }
        if tally.tasks.len() >= MOST_TASKS {
            return None;
        }
        let i = tally.push(TaskTally::new(tid, pid, t));
        self.members.entry(pid).or_default().push(i);
        Some(i)
    }

    fn join(&mut self, tally: &mut Tally, i: usize, pid: Pid) {
        let was = std::mem::replace(&mut tally.tasks[i].pid, pid);
        if was != pid {
            if let Some(members) = self.members.get_mut(&was) {
                members.retain(|&member| member != i);
            }
            self.members.entry(pid).or_default().push(i);
        }
    }

    /// Drops those that ended, when enough have for it to be worth the walk.
    fn make_room(&mut self, tally: &mut Tally) {
        if self.spent < MOST_TASKS / 4 {
            return;
        }
        tally.retain(|task| task.alive() || task.slot.is_some() || task.on_since.is_some());
        *self = Self::default();
        for (i, task) in tally.tasks.iter().enumerate() {
            if task.ready_since.is_some() {
                self.waiting.insert(i);
            }
            if task.alive() {
                self.members.entry(task.pid).or_default().push(i);
            }
        }
    }
}

fn end_wait(task: &mut TaskTally, at: Nanos) {
    if let Some(since) = task.ready_since.take() {
        task.waited = task.waited + at.since(since);
    }
}
