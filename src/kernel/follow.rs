//! From records to facts: who is on a CPU, who made whom, what they are called. Pure but for the name of a task that was
//! never introduced, which the caller looks up. It knows no ring and no clock.

use super::ring::{Record, What};
use crate::fact::{Cpu, Fact, Nanos, Pid, Stamped, Tid, Why};
use std::collections::HashMap;

/// More tasks than this are not remembered: after losses some will never be seen to exit.
const REMEMBERED: usize = 1 << 16;

/// Looks up what the kernel calls a task, given its process and itself.
pub(super) type NameOf = fn(u32, u32) -> Option<String>;

/// The tasks of a tree, as its records tell them.
pub(super) struct Follow {
    tasks: HashMap<u32, Task>,
    name_of: NameOf,
}

#[derive(Default)]
struct Task {
    name: String,
    parent: u32,
    on: Option<u32>,
}

impl Follow {
    pub(super) fn new(name_of: NameOf) -> Self {
        Self { tasks: HashMap::new(), name_of }
    }

    /// Turns the next record, in order of time, into facts.
    pub(super) fn apply(&mut self, record: Record, out: &mut Vec<Stamped>) {
        let Record { t, cpu, pid, tid, what } = record;
        let mut tell = |fact| out.push(Stamped::new(Nanos(t), fact));
        if let What::Lost(records) = what {
            self.tasks.values_mut().for_each(|task| task.on = None);
            return tell(Fact::Lost { records });
        }
        // The kernel writes -1 for a task that has given up its id already, and 0 for one outside our namespace.
        if tid == 0 || i32::try_from(tid).is_err() {
            return;
        }
        if let What::Fork { parent_pid, parent_tid } = what {
            let inherited = self.tasks.get(&parent_tid).map(|task| task.name.clone());
            let name = inherited.or_else(|| (self.name_of)(pid, tid)).unwrap_or_default();
            return tell(self.introduce(pid, tid, parent_pid, name));
        }
        if !self.tasks.contains_key(&tid) && !matches!(what, What::Comm(_) | What::Exit) {
            let name = (self.name_of)(pid, tid).unwrap_or_default();
            tell(self.introduce(pid, tid, 0, name));
        }
        let (cpu, task) = (Cpu(cpu), Tid(tid));
        match what {
            What::In => {
                self.set_on(tid, Some(cpu.0));
                tell(Fact::In { cpu, tid: task });
            }
            What::Out { preempted } => {
                self.set_on(tid, None);
                let why = if preempted { Why::Preempted } else { Why::Blocked };
                tell(Fact::Out { cpu, tid: task, why });
            }
            What::Comm(name) => {
                if self.tasks.get(&tid).is_none_or(|task| task.name != name) {
                    tell(self.introduce(pid, tid, 0, name));
                }
            }
            What::Exit => {
                // An exiting task leaves its perf context before it leaves the CPU (do_exit), so its last switch-out is
                // never recorded: this is it.
                if let Some(cpu) = self.tasks.remove(&tid).and_then(|task| task.on) {
                    tell(Fact::Out { cpu: Cpu(cpu), tid: task, why: Why::Blocked });
                }
                tell(Fact::Exit { tid: task, pid: Pid(pid), code: None, signal: None, core: None });
            }
            What::Fork { .. } | What::Lost(_) => {}
        }
    }

    /// Remembers a task, or its new name. A parent of 0 is one that is not known, or known already.
    pub(super) fn introduce(&mut self, pid: u32, tid: u32, parent: u32, name: String) -> Fact {
        if self.tasks.len() >= REMEMBERED {
            self.tasks.clear();
        }
        let task = self.tasks.entry(tid).or_default();
        task.name.clone_from(&name);
        if parent != 0 {
            task.parent = parent;
        }
        Fact::Task { tid: Tid(tid), pid: Pid(pid), parent: task.parent, name, slot: None }
    }

    fn set_on(&mut self, tid: u32, cpu: Option<u32>) {
        if let Some(task) = self.tasks.get_mut(&tid) {
            task.on = cpu;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(records: &[(u64, u32, u32, What)]) -> Vec<String> {
        let mut follow = Follow::new(|_, _| Some("looked-up".into()));
        follow.introduce(10, 10, 1, "root".into());
        let mut out = Vec::new();
        for (t, pid, tid, what) in records {
            follow.apply(Record { t: *t, cpu: 0, pid: *pid, tid: *tid, what: what.clone() }, &mut out);
        }
        out.iter().map(|fact| serde_json::to_string(fact).expect("plain data")).collect()
    }

    #[test]
    fn switches_are_told_with_their_reason() {
        let told = told(&[
            (1, 10, 10, What::In),
            (2, 10, 10, What::Out { preempted: true }),
            (3, 10, 10, What::In),
            (4, 10, 10, What::Out { preempted: false }),
        ]);
        assert_eq!(told[0], r#"{"t":1,"kind":"in","cpu":0,"tid":10}"#);
        assert_eq!(told[1], r#"{"t":2,"kind":"out","cpu":0,"tid":10,"why":"preempted"}"#);
        assert_eq!(told[3], r#"{"t":4,"kind":"out","cpu":0,"tid":10,"why":"blocked"}"#);
    }

    #[test]
    fn a_child_inherits_its_makers_name_until_it_takes_its_own() {
        let told = told(&[
            (1, 10, 11, What::Fork { parent_pid: 10, parent_tid: 10 }),
            (2, 10, 11, What::Comm("root".into())),
            (3, 10, 11, What::Comm("B".into())),
        ]);
        assert_eq!(
            told,
            [
                r#"{"t":1,"kind":"task","tid":11,"pid":10,"parent":10,"name":"root"}"#,
                r#"{"t":3,"kind":"task","tid":11,"pid":10,"parent":10,"name":"B"}"#,
            ]
        );
    }

    #[test]
    fn an_exit_is_the_last_switch_out() {
        let told = told(&[(1, 10, 10, What::In), (2, 10, 10, What::Exit), (3, 10, 12, What::Exit)]);
        assert_eq!(told[1], r#"{"t":2,"kind":"out","cpu":0,"tid":10,"why":"blocked"}"#);
        let exit = |t: u64, tid: u32| format!(r#"{{"t":{t},"kind":"exit","tid":{tid},"pid":10}}"#);
        assert_eq!(told[2..], [exit(2, 10), exit(3, 12)]);
    }

    #[test]
    fn after_a_loss_nobody_is_known_to_be_on_a_cpu_and_strangers_are_introduced() {
        let told = told(&[
            (1, 10, 10, What::In),
            (2, 0, 0, What::Lost(7)),
            (3, 10, 10, What::Exit),
            (4, 20, 21, What::In),
            (5, u32::MAX, u32::MAX, What::Out { preempted: false }),
        ]);
        assert_eq!(
            told[1..],
            [
                r#"{"t":2,"kind":"lost","records":7}"#,
                r#"{"t":3,"kind":"exit","tid":10,"pid":10}"#,
                r#"{"t":4,"kind":"task","tid":21,"pid":20,"parent":0,"name":"looked-up"}"#,
                r#"{"t":4,"kind":"in","cpu":0,"tid":21}"#,
            ]
        );
    }
}
