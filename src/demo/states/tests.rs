//! What a run came to, from totals alone.

use super::*;
use crate::fact::{Ending, Pid, Tid};

fn worker(slot: u16, name: &str, account: Option<(u64, u64, u64, u64, u64)>) -> TaskTally {
    let id = 10 + u32::from(slot);
    let mut task = TaskTally::new(Tid(id), Pid(id), Nanos::from_millis(0));
    (task.name, task.slot) = (name.to_owned(), Some(slot));
    task.counters = account.map(|(at, ran, waited, voluntary, involuntary)| Account {
        at: Nanos::from_millis(at),
        voluntary,
        involuntary,
        ran: Nanos::from_millis(ran),
        waited: Nanos::from_millis(waited),
        turns: voluntary + involuntary,
    });
    task
}

fn outcome(tasks: Vec<TaskTally>) -> Values {
    let tally = Tally { now: Nanos::from_millis(2_200), tasks, ..Tally::default() };
    States.outcome(&Params::defaults(&SPEC), &tally)
}

#[test]
fn a_life_is_ran_ready_and_the_rest() {
    let mut b = worker(1, "B", Some((2_000, 100, 100, 98, 2)));
    b.values.insert("waits_for".into(), json!("pipe"));
    let values = outcome(vec![worker(0, "A", Some((2_000, 1_600, 400, 1, 99))), b]);
    assert_eq!(values["ran"], json!({"A": 0.8, "B": 0.05}));
    assert_eq!(values["ready"], json!({"A": 0.2, "B": 0.05}));
    assert_eq!(values["blocked"], json!({"A": 0.0, "B": 0.9}));
    assert_eq!((&values["voluntary"], &values["involuntary"]), (&json!({"A": 1, "B": 98}), &json!({"A": 99, "B": 2})));
    assert_eq!((&values["cpu_voluntary"], &values["io_voluntary"]), (&json!(0.01), &json!(0.98)));
    assert_eq!((&values["io_blocked"], &values["lock_blocked"]), (&json!(0.9), &Value::Null));
    assert_eq!(values["waits_for"], json!({"B": "pipe"}));
}

#[test]
fn an_account_that_did_not_change_holds_until_the_newest_was_read() {
    let values =
        outcome(vec![worker(0, "A", Some((2_000, 2_000, 0, 0, 5))), worker(2, "C", Some((500, 100, 0, 7, 0)))]);
    assert_eq!((&values["lock_ran"], &values["lock_blocked"]), (&json!(0.05), &json!(0.95)));
}

#[test]
fn a_life_ends_with_the_worker() {
    let mut c = worker(2, "C", Some((1_000, 500, 250, 7, 0)));
    c.ended = Some((Nanos::from_millis(1_240), Ending::Signal("SIGKILL".into(), false)));
    let values = outcome(vec![worker(0, "A", Some((2_000, 2_000, 0, 0, 5))), c]);
    assert_eq!(
        [&values["lock_ran"], &values["lock_ready"], &values["lock_blocked"]],
        [0.5, 0.25, 0.25].map(|s| json!(s)).each_ref()
    );
}

#[test]
fn a_clock_that_is_ahead_makes_no_negative_share() {
    let values = outcome(vec![worker(0, "A", Some((1_000, 1_004, 3, 0, 0)))]);
    assert_eq!(
        (&values["cpu_ran"], &values["cpu_ready"], &values["cpu_blocked"]),
        (&json!(1.0), &json!(0.0), &json!(0.0))
    );
    assert_eq!(values["cpu_voluntary"], Value::Null, "no switch, no share of switches");
}

#[test]
fn without_an_account_nothing_is_known() {
    let values = outcome(vec![worker(0, "A", None)]);
    assert_eq!((&values["ran"], &values["cpu_ran"]), (&json!({}), &Value::Null));
}

#[test]
fn the_time_for_which_it_was_stopped_is_no_part_of_its_life() {
    let mut a = worker(0, "A", Some((2_000, 800, 200, 1, 9)));
    a.values.insert("stopped_ns".into(), json!(1_000_000_000));
    let values = outcome(vec![a]);
    assert_eq!(
        [&values["cpu_ran"], &values["cpu_ready"], &values["cpu_blocked"]],
        [0.8, 0.2, 0.0].map(|s| json!(s)).each_ref()
    );
}
