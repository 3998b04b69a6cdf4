//! What things cost: the order that holds on every machine, and what becomes of a run whose worker is killed.

use super::{alone, run};
use crate::support::{Patience, Surroundings, User};
use forklore::fact::{Fact, Outcome, Stamped};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};

/// The figure of this name, which must have been measured.
fn figure(outcome: &Outcome, name: &str) -> f64 {
    outcome.values[name].as_f64().unwrap_or_else(|| panic!("{name}: {:?}", outcome.values))
}

fn outcome(user: User, args: &[&str]) -> Outcome {
    let words: Vec<&str> = ["run"].iter().chain(args).chain(&["--json"]).copied().collect();
    let outcome = run(user, &[], &words).expect("it runs").outcome;
    assert!(outcome.clean && outcome.broke.is_none(), "{outcome:?}");
    outcome
}

#[test]
fn the_rungs_of_the_ladder_are_in_their_order() {
    let _alone = alone();
    for user in User::all() {
        let found = outcome(user, &["ladder", "rounds=10"]);
        let order = ["call_ns", "syscall_ns", "thread_switch_ns", "thread_ns", "fork_ns"];
        let figures = order.map(|name| figure(&found, name));
        assert!(figures.is_sorted() && figures[0] > 0.0, "{order:?}: {figures:?}");
        assert!(figure(&found, "coroutine_ns") < figure(&found, "thread_switch_ns"), "{found:?}");
        assert!(figure(&found, "clock_ns") > figure(&found, "call_ns"), "{found:?}");
        assert!(figure(&found, "exec_ns") > figure(&found, "syscall_ns"), "{found:?}");
        assert_eq!(figure(&found, "rounds"), 10.0);
    }
}

#[test]
fn a_fork_costs_what_the_parent_has_and_a_thread_does_not() {
    let _alone = alone();
    for part in ["part=whole", "part=end"] {
        let found = outcome(User::Me, &["create", "rounds=10", "resident_mib=0,64", part]);
        assert_eq!((&found.values["cheapest"], figure(&found, "big_mib")), (&"thread".into(), 64.0), "{part}");
        assert!(figure(&found, "fork_growth") > 2.0 && figure(&found, "fork_by_thread") > 1.0, "{part}: {found:?}");
        assert!(figure(&found, "thread_growth") < figure(&found, "fork_growth"), "{part}: {found:?}");
    }
}

#[test]
fn threads_processes_and_coroutines_switch_with_and_without_a_working_set() {
    let _alone = alone();
    let found = outcome(User::Me, &["switch", "rounds=10", "working_set_kib=0,256"]);
    for name in ["thread_ns", "process_ns", "thread_pipe_ns", "process_pipe_ns", "coroutine_ns"] {
        assert!(figure(&found, name) > 0.0, "{name}");
    }
    assert!(figure(&found, "thread_by_coroutine") > 1.0, "{found:?}");
    assert!(figure(&found, "thread_big_ns") > figure(&found, "touch_big_ns"), "{found:?}");
}

#[test]
fn what_a_killed_worker_measured_is_null_and_the_rest_goes_on() {
    let _alone = alone();
    let here = Surroundings::new(User::Me);
    let mut child = here.start(["run", "create", "rounds=20", "resident_mib=0,16", "--json"]);
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let (mut second, mut said) = (None, String::new());
    while !said.contains(r#""name":"round "#) {
        said.clear();
        assert!(out.read_line(&mut said).expect("a line") > 0, "it ended before it began");
        let fact: Stamped = serde_json::from_str(&said).expect("a fact");
        if let Fact::Task { pid, name, .. } = fact.fact
            && name == "B"
        {
            second = i32::try_from(pid.0).ok().map(Pid::from_raw);
        }
    }
    kill(second.expect("the second worker"), Signal::SIGKILL).expect("it is ours");
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("plain text");
    child.wait().expect("a child of ours");
    let last: Stamped = serde_json::from_str(rest.lines().last().expect("a last line")).expect("a fact");
    let Fact::Outcome(outcome) = last.fact else { panic!("{last:?}") };
    assert!(outcome.clean && outcome.broke.is_none(), "{outcome:?}");
    assert_eq!(figure(&outcome, "rounds"), 20.0);
    assert_eq!(outcome.values["figures"]["fork, 16 MiB"], serde_json::Value::Null);
    assert_eq!(figure(&outcome, "big_mib"), 0.0, "the largest that was measured");
    assert!(rest.contains("the process that measures it has ended"), "{rest}");
    here.marker.assert_gone(Patience::default());
}
