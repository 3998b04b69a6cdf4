//! Workers over several cores: where they say that they are is where the kernel's records see them.

use super::{Heard, alone, exact};
use crate::support::{User, skip};
use forklore::fact::{Cpu, Fact, Nanos, Stamped, Tid};
use serde_json::Value;
use std::collections::BTreeSet;

impl Heard {
    /// The cores that a task was on from a moment on, one after the other.
    fn way(&self, task: Tid, from: Nanos) -> Vec<Cpu> {
        let on = |fact: &Stamped| match fact.fact {
            Fact::In { cpu, tid } if tid == task && fact.t >= from => Some(cpu),
            _ => None,
        };
        let mut way: Vec<Cpu> = self.facts.iter().filter_map(on).collect();
        way.dedup();
        way
    }

    /// When the CPUs of a task were set, and to which.
    fn set(&self, task: Tid) -> Vec<(Nanos, Vec<Cpu>)> {
        let set = |fact: &Stamped| match &fact.fact {
            Fact::Setting { tid, cpus: Some(cpus), .. } if *tid == task => Some((fact.t, cpus.clone())),
            _ => None,
        };
        self.facts.iter().filter_map(set).collect()
    }

    fn count(&self, name: &str) -> u64 {
        self.outcome.values[name].as_u64().unwrap_or_else(|| panic!("{name} is no count: {:?}", self.outcome))
    }

    /// The values of a task of this name, oldest first.
    fn told(&self, task: Tid, wanted: &str) -> Vec<Value> {
        let value = |fact: &Stamped| match &fact.fact {
            Fact::Value { tid, name, value } if *tid == task && name == wanted => Some(value.clone()),
            _ => None,
        };
        self.facts.iter().filter_map(value).collect()
    }
}

#[test]
fn a_worker_that_is_sent_on_goes_where_it_says() {
    let _alone = alone();
    for user in User::all() {
        for what in ["as=processes", "as=threads"] {
            let Some(heard) = exact(user, &["pinning", what, "moves=6", "pace=50"]) else { continue };
            heard.assert_well();
            let (worker, _) = heard.workers().into_iter().next().expect("a worker");
            let set = heard.set(worker);
            let asked: Vec<Cpu> = set.iter().filter_map(|(_, cpus)| cpus.first().copied()).collect();
            // It is pinned before its first step; from then on each core that it is on is one that it was sent to.
            let (pinned, _) = set.first().expect("it is pinned");
            assert_eq!(heard.way(worker, *pinned), asked, "{user:?}, {what}");
            let moves = if heard.start.cpus.len() > 1 { 6 } else { 0 };
            assert_eq!((heard.count("moves"), heard.count("migrations")), (moves, moves), "{user:?}, {what}");
            assert!(heard.count("stays") >= 6, "{user:?}, {what}: {:?}", heard.outcome);
        }
    }
}

#[test]
fn pinned_workers_stay_and_each_has_its_core() {
    let _alone = alone();
    let Some(heard) = exact(User::Me, &["cores", "pin=yes", "rounds=5", "length=50"]) else { return };
    heard.assert_well();
    assert_eq!((heard.count("migrations"), heard.count("cores")), (0, heard.start.cpus.len() as u64));
    for (worker, name) in heard.workers() {
        let (pinned, cpus) = heard.set(worker).into_iter().next().expect("each is pinned");
        assert_eq!((heard.way(worker, pinned), cpus.len()), (cpus, 1), "{name}");
    }
}

#[test]
fn no_worker_counts_a_migration_that_the_kernel_did_not_make() {
    let _alone = alone();
    let Some(heard) = exact(User::Me, &["cores", "rounds=5", "length=50"]) else { return };
    heard.assert_well();
    assert_eq!(heard.count("rounds"), 5);
    let mut met = BTreeSet::new();
    for (worker, name) in heard.workers() {
        let way = heard.way(worker, Nanos::ZERO);
        let counted = heard.told(worker, "migrations").last().and_then(Value::as_u64).unwrap_or(0);
        // It counts while it computes: a core on which it woke only to fall asleep again is not among them.
        assert!(counted < way.len() as u64, "{name}: it counted {counted}, and was on {way:?}");
        met.extend(way);
    }
    if heard.start.cpus.len() < 2 {
        skip("several cores", "only one may be used here");
    } else {
        assert!(met.len() > 1, "all workers stayed on {met:?}");
    }
}
