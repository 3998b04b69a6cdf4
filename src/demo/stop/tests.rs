//! The outcome, given what was told.

use super::*;

fn outcome(rows: &[(&str, Value)]) -> Values {
    let mut tally = Tally::default();
    tally.put_table(TABLE, rows);
    Stop.outcome(&Params::defaults(&SPEC), &tally)
}

#[test]
fn nothing_is_known_before_anything_was_done() {
    assert!(outcome(&[]).values().all(Value::is_null));
}

#[test]
fn a_pause_ends_nothing_and_its_time_is_that_of_the_stop() {
    let stop = json!({"ended": "nothing", "took": 70, "went_on": 2, "alive": 3, "signal": "SIGSTOP", "letter": "T"});
    let go_on = json!({"ended": "nothing", "took": 5, "alive": 3});
    let values = outcome(&[("SIGSTOP", stop), (act::CONTINUE, go_on)]);
    assert_eq!((&values["what"], &values["stop_ns"]), (&json!("nothing"), &json!(70)));
    assert_eq!((&values["went_on"], &values["survivors"], &values["letter"]), (&json!(2), &json!(3), &json!("T")));
    assert_eq!(values["took"], json!({"SIGSTOP": 70, "SIGCONT": 5}));
    assert_eq!((&values["signal"], &values["cancelled"]), (&json!("SIGSTOP"), &Value::Null));
}

#[test]
fn the_last_of_two_signals_is_the_one_that_ended_it() {
    let term = json!({"ended": "nothing", "went_on": 3, "alive": 3, "letter": "S"});
    let kill = json!({"ended": "process", "took": 9, "went_on": 2, "alive": 2, "signal": "SIGKILL", "letter": "Z",
        "left_kib": 0, "half_made": true, "threads": null});
    let values = outcome(&[("SIGTERM ignored", term), ("SIGKILL after it", kill)]);
    assert_eq!(
        (&values["what"], &values["signal"], &values["letter"]),
        (&json!("process"), &json!("SIGKILL"), &json!("Z"))
    );
    assert_eq!(values["ended"], json!({"SIGTERM ignored": "nothing", "SIGKILL after it": "process"}));
    assert_eq!((&values["left_kib"], &values["half_made"]), (&json!(0), &json!(true)));
    assert_eq!(values["alive_after_tid_kill"], Value::Null, "it was a process");
}

#[test]
fn a_cancellation_that_had_to_wait_is_none() {
    let deaf = json!({"ended": "nothing", "cancelled": false, "letter": "R"});
    let point = json!({"ended": "thread", "cancelled": true, "took": 4, "alive": 2});
    let values = outcome(&[("cancel busy", deaf), ("a point at last", point)]);
    assert_eq!(
        (&values["cancelled"], &values["what"], &values["signal"]),
        (&json!(false), &json!("thread"), &json!("none"))
    );
}

#[test]
fn what_is_for_threads_is_refused_for_processes() {
    let with = |what: &str, how: &str| {
        let words = [("as".to_owned(), json!(what)), ("how".to_owned(), json!(how))].into();
        Params::from_values(&SPEC, &words).map(|_| ())
    };
    assert!(with("processes", "cancel").is_err_and(|e| e[0].to_string().contains("as=threads")));
    assert_eq!((with("threads", "no-point"), with("processes", "all")), (Ok(()), Ok(())));
}
