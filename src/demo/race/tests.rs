//! What the totals of a race come to.

use super::*;

fn tally(rows: &[(&str, Value)]) -> Tally {
    let mut tally = Tally::default();
    tally.put_table(GUARDS.name, rows);
    tally
}

fn outcome(rows: &[(&str, Value)]) -> Values {
    Race.outcome(&Params::defaults(&SPEC), &tally(rows))
}

fn through(lost: u64, per_second: u64) -> Value {
    json!({"expected": 1000, "found": 1000 - lost, "lost": lost, "lost_share": 0.1, "per_second": per_second})
}

#[test]
fn while_they_add_nothing_is_final() {
    let values = outcome(&[("none", json!({"expected": 1000, "found": 900, "lost": 100, "lost_share": 0.1}))]);
    assert!(values.values().all(Value::is_null), "{values:?}");
}

#[test]
fn what_is_lost_without_a_guard_is_no_guards_loss() {
    let values = outcome(&[("none", through(100, 900))]);
    assert_eq!((&values["expected"], &values["found"], &values["lost"]), (&json!(1000), &json!(900), &json!(100)));
    assert_eq!((&values["lost_guarded"], &values["price"]), (&Value::Null, &Value::Null));
}

#[test]
fn each_guard_has_its_loss_and_its_price() {
    let values = outcome(&[("none", through(100, 900)), ("mutex", through(0, 90)), ("spin", through(0, 300))]);
    assert_eq!((&values["lost"], &values["lost_guarded"]), (&json!(0), &json!(0)), "the last one's, and all guards'");
    assert_eq!(values["losses"], json!({"none": 100, "mutex": 0, "spin": 0}));
    assert_eq!(values["price"], json!({"mutex": 10.0, "spin": 3.0}));
    assert_eq!(values["mutex_price"], json!(10.0));
}
