//! What the rows come to, for each thing that can have happened.

use super::story::adopter;
use super::*;
use crate::fact::Nanos;

fn outcome(rows: &[Value]) -> Values {
    let mut tally = Tally::default();
    let rows = rows.iter().enumerate().map(|(n, values)| Row {
        name: n.to_string(),
        first: Nanos(n as u64),
        last: Nanos(n as u64),
        values: serde_json::from_value(values.clone()).expect("an object"),
    });
    tally.tables.insert(TABLE.to_owned(), rows.collect());
    Family.outcome(&Params::defaults(&SPEC), &tally)
}

fn b(step: &str, program: &str, started: u64, state: &str) -> Value {
    json!({"who": "B", "pid": 7, "step": step, "program": program, "started": started, "state": state})
}

#[test]
fn a_chapter_that_was_not_played_is_not_known() {
    let values = outcome(&[json!({"who": "warden", "pid": 1})]);
    for (name, value) in values {
        assert_eq!(value, if name == "steps" { json!(0) } else { Value::Null }, "{name}");
    }
}

#[test]
fn the_number_is_kept_only_where_the_process_is_the_same() {
    let values = outcome(&[b("forked", "forklore A", 50, "S"), b("executed", "cat", 50, "S")]);
    assert_eq!((&values["pid_kept"], &values["steps"]), (&json!(true), &json!(2)));
    assert_eq!((&values["program_before"], &values["program_after"]), (&json!("forklore A"), &json!("cat")));
    let values = outcome(&[b("forked", "forklore A", 50, "S"), b("executed", "cat", 51, "S")]);
    assert_eq!(values["pid_kept"], json!(false), "the number was used again for another process");
    let values = outcome(&[b("forked", "forklore A", 50, "S")]);
    assert_eq!((&values["pid_kept"], &values["program_before"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_zombie_is_one_that_ended_and_is_listed() {
    let reaped = json!({"who": "B", "pid": 7, "step": "reaped", "state": "gone", "code": 3});
    let values = outcome(&[b("ended", "forklore A", 50, "Z"), reaped]);
    assert_eq!((&values["zombie_seen"], &values["after_exit"]), (&json!(true), &json!("Z")));
    assert_eq!((&values["exit_code"], &values["reaped"]), (&json!(3), &json!(true)));
    let values = outcome(&[b("ended", "forklore A", 50, "gone")]);
    assert_eq!((&values["zombie_seen"], &values["after_exit"]), (&json!(false), &json!("gone")));
    assert_eq!((&values["exit_code"], &values["reaped"]), (&Value::Null, &Value::Null));
}

#[test]
fn the_new_parent_and_the_thread_that_went_on_are_as_they_were_seen() {
    let adopted = json!({"who": "C", "pid": 8, "step": "adopted", "parent": 3, "adopter": "warden"});
    let ended = |went_on: bool| json!({"who": "main", "pid": 9, "tid": 9, "step": "main ended", "went_on": went_on});
    let values = outcome(&[adopted, ended(true)]);
    assert_eq!((&values["new_parent"], &values["main_thread_gone_first"]), (&json!("warden"), &json!(true)));
    assert_eq!(outcome(&[ended(false)])["main_thread_gone_first"], json!(false));
}

#[test]
fn who_adopts_has_a_name() {
    let parent = rustix::process::getppid().expect("a parent").as_raw_nonzero().get().unsigned_abs();
    assert_eq!(adopter(parent), "warden", "the parent of who asks");
    assert_eq!(adopter(std::process::id()), "leader");
    assert_eq!(adopter(u32::MAX), u32::MAX.to_string(), "it has ended meanwhile");
}
