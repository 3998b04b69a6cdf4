//! The outcome, given what was told.

use super::*;

fn outcome(rows: &[(&str, Value)]) -> Values {
    let mut tally = Tally::default();
    tally.put_table(TABLE, rows);
    Spoiled.outcome(&Params::defaults(&SPEC), &tally)
}

#[test]
fn nothing_is_known_before_anything_has_happened() {
    assert!(outcome(&[]).values().all(Value::is_null));
}

#[test]
fn a_signal_ends_one_and_an_error_warns_another() {
    let values = outcome(&[
        ("pipe", json!({"reached": "SIGPIPE", "alive": false, "took": 30})),
        ("pipe, prepared", json!({"reached": "EPIPE", "alive": true, "recovered": true})),
    ]);
    assert_eq!(values["reached"], json!({"pipe": "SIGPIPE", "pipe, prepared": "EPIPE"}));
    assert_eq!((&values["spread"], &values["survivors"]), (&json!(2), &json!(1)));
    assert_eq!((&values["signal"], &values["errno"]), (&json!("SIGPIPE"), &json!("EPIPE")));
    assert_eq!((&values["recovered"], &values["took_ns"]), (&json!(true), &json!(30)));
}

#[test]
fn what_does_not_reach_the_other_does_not_spread() {
    let values = outcome(&[("memory", json!({"reached": "nothing", "alive": true}))]);
    assert_eq!((&values["spread"], &values["signal"], &values["errno"]), (&json!(0), &json!("none"), &json!("none")));
    assert_eq!(
        (&values["survivors"], &values["recovered"], &values["took_ns"]),
        (&json!(1), &json!(false), &Value::Null)
    );
}
