//! Pools against the kernel: who does the tasks, what a killed worker or leader leaves, and that waits overlap.

use super::talking::listen;
use crate::support::User;
use forklore::fact::{Fact, Outcome, Tid};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn sigkill(pid: u32) {
    kill(Pid::from_raw(i32::try_from(pid).expect("a pid")), Signal::SIGKILL).expect("it is there");
}

/// The future of this number is told to be in this state.
fn is_told(fact: &Fact, number: &str, state: &str) -> bool {
    let Fact::Row { table, row, values } = fact else { return false };
    table == "futures" && row == number && values.get("state").and_then(Value::as_str) == Some(state)
}

fn value<'o>(told: &'o Outcome, name: &str) -> &'o Value {
    told.values.get(name).unwrap_or(&Value::Null)
}

#[test]
fn all_six_are_tested_by_the_workers_that_were_hired() {
    for user in User::all() {
        for what in ["as=processes", "as=threads"] {
            let (mut hired, mut took) = (BTreeSet::new(), BTreeSet::new());
            let told = listen(user, &["pool", what, "workers=3", "times=4", "learn=block"], |fact, workers| {
                hired.extend(workers.values().map(|(Tid(tid), _)| *tid));
                if let Fact::Row { values, .. } = fact
                    && let Some(by) = values.get("by").and_then(Value::as_str)
                    && let Some(tid) = by.split(' ').nth(1)
                {
                    took.insert(tid.parse::<u32>().expect("a thread id"));
                }
            });
            let told = told.expect("an outcome");
            let results = ["prime", "prime", "prime", "prime", "prime", "not prime"];
            assert_eq!(value(&told, "results"), &json!(results), "{user:?} {what}");
            assert_eq!((value(&told, "finished"), value(&told, "alive_after")), (&json!(6), &json!(0)));
            assert!(!took.is_empty() && took.is_subset(&hired), "{took:?} of {hired:?}");
        }
    }
}

#[test]
fn a_worker_that_is_killed_breaks_its_own_task_and_no_other() {
    let mut killed = false;
    let told = listen(User::Me, &["pool", "as=processes", "workers=2", "times=40"], |fact, workers| {
        if !killed && is_told(fact, "1", "running") {
            killed = true;
            let Fact::Row { values, .. } = fact else { return };
            let letter = values["by"].as_str().and_then(|by| by.split(' ').next()).expect("who runs it");
            sigkill(workers[letter].0.0);
        }
    });
    let told = told.expect("an outcome");
    assert!(killed, "{told:?}");
    assert_eq!(value(&told, "results")[0], json!("error: its worker ended"), "{told:?}");
    assert_eq!((value(&told, "finished"), value(&told, "failed")), (&json!(6), &json!(1)), "{told:?}");
}

#[test]
fn with_nobody_left_what_is_queued_is_broken() {
    let mut killed = false;
    let told = listen(User::Me, &["pool", "as=processes", "workers=1", "times=40"], |fact, workers| {
        if !killed && is_told(fact, "1", "running") {
            killed = true;
            sigkill(workers["A"].0.0);
        }
    });
    let told = told.expect("an outcome");
    assert_eq!((value(&told, "failed"), value(&told, "cancelled")), (&json!(6), &json!(0)), "{told:?}");
    assert_eq!(value(&told, "last_result"), &json!("error: no worker is left"), "{told:?}");
}

#[test]
fn a_leader_that_is_killed_leaves_no_worker_and_no_server() {
    for args in
        [["pool", "as=processes", "times=40"], ["bound", "as=processes", "kind=io"], ["bound", "as=threads", "kind=io"]]
    {
        let mut killed = false;
        // `listen` looks that nothing is left.
        let told = listen(User::Me, &args, |fact, workers| {
            let begun =
                is_told(fact, "1", "running") || matches!(fact, Fact::Step { name } if name.starts_with("round"));
            if !killed && begun {
                killed = true;
                sigkill(workers.values().next().expect("workers").1);
            }
        });
        assert!(killed && told.is_some_and(|told| told.broke.is_some()), "{args:?}");
    }
}

#[test]
fn many_waits_take_the_time_of_few() {
    for what in ["as=processes", "as=threads"] {
        let args = ["bound", what, "kind=io", "workers=8", "tasks=8", "delay=200", "rounds=5"];
        let told = listen(User::Me, &args, |_, _| {}).expect("an outcome");
        let seconds = value(&told, "io_seconds");
        // However busy the machine: eight waits one after the other are longer than the half of them.
        let (one, eight) = (seconds["1"].as_f64(), seconds["8"].as_f64());
        assert!(one >= Some(1.6) && eight >= Some(0.2) && eight < one.map(|s| s / 2.0), "{told:?}");
        assert_eq!((value(&told, "errors"), value(&told, "tasks")), (&json!(1), &json!(8)));
    }
}
