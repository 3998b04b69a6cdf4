//! Totals in, values out.

use super::*;

fn tally(futures: &[Value], all: Value) -> Tally {
    let mut tally = Tally::default();
    let rows = ["1", "2", "3", "4"].into_iter().zip(futures).map(|(name, values)| (name, values.clone()));
    tally.put_table(FUTURES.name, &rows.collect::<Vec<_>>());
    tally.put_table(ALL, &[(ALL, all)]);
    tally
}

fn outcome(tally: &Tally) -> Values {
    Pool.outcome(&Params::defaults(&SPEC), tally)
}

#[test]
fn the_order_is_that_of_completion() {
    let done = |by: &str, took: u64, ended: u64| json!({"state": "finished", "by": by, "took_ns": took, "cpu_ns": took / 5, "ended_ns": ended});
    let futures = [done("A 1", 30, 30), done("B 2", 20, 20), done("B 2", 5, 25), json!({"state": "cancelled"})];
    let values = outcome(&tally(&futures, json!({"results": ["prime"], "asks": 3, "cancel_queued": true})));
    assert_eq!(values["order"], json!([2, 3, 1]));
    assert_eq!([&values["finished"], &values["cancelled"], &values["failed"]], [3, 1, 0].map(|n| json!(n)).each_ref());
    assert_eq!([&values["workers_used"], &values["most_by_one"]], [json!(2), json!(2)].each_ref());
    assert_eq!([&values["task_ns"], &values["asks"]], [json!(55), json!(3)].each_ref());
    assert_eq!(values["task_cpu_ns"], json!(11), "of the time by the clock most was waiting for a core");
    assert_eq!([&values["last_result"], &values["cancel_queued"]], [json!("prime"), json!(true)].each_ref());
}

#[test]
fn what_was_not_asked_is_not_known() {
    let values = outcome(&Tally::default());
    for name in ["results", "timed_out", "cancel_running", "submit_ns", "close_ns", "called_by", "alive_after"] {
        assert_eq!(values[name], Value::Null, "{name}");
    }
}

#[test]
fn a_failed_task_is_finished_and_has_failed() {
    let futures = [json!({"state": "finished", "by": "A 1", "ended_ns": 1, "error": "error: no such question"})];
    let values = outcome(&tally(&futures, json!({})));
    assert_eq!([&values["finished"], &values["failed"]], [json!(1), json!(1)].each_ref());
}

#[test]
fn who_ran_the_callbacks_is_what_they_told() {
    let mut tally = tally(&[], json!({}));
    for (rows, by) in [(vec!["A", "B"], "workers"), (vec![MAIN], "the main thread"), (vec!["A", MAIN], "both")] {
        let rows: Vec<_> = rows.into_iter().map(|by| (by, json!({ "by": by }))).collect();
        tally.put_table(CALLBACKS, &rows);
        assert_eq!(outcome(&tally)["called_by"], json!(by));
    }
}
