//! What the programs say, and what it comes to.

use super::*;
use crate::fact::{Nanos, Row};

fn seen(lines: &[Value]) -> Seen {
    let mut seen = Seen::default();
    lines.iter().for_each(|line| seen.hear(line));
    seen.over = true;
    seen
}

fn outcome(methods: &[(&str, Value)]) -> Values {
    outcome_of(methods, &[])
}

fn outcome_of(methods: &[(&str, Value)], words: &[&str]) -> Values {
    let mut tally = Tally::default();
    let rows = methods.iter().map(|(name, values)| Row {
        name: (*name).to_owned(),
        first: Nanos::ZERO,
        last: Nanos::ZERO,
        values: serde_json::from_value(values.clone()).expect("an object"),
    });
    tally.tables.insert(RESULTS.name.to_owned(), rows.collect());
    Spawn.outcome(&Params::from_words(&SPEC, words).expect("good"), &tally)
}

fn child(letter: &str, took: f64, parent: u64, sees: &str) -> Value {
    let pid = 20 + u32::from(letter.as_bytes()[0]);
    json!({"child": letter, "took": took, "sees": sees, "pid": pid, "parent": parent})
}

#[test]
fn a_start_is_timed_and_its_parent_is_told() {
    let main = json!({"runs": "__main__", "pid": 10});
    let again = json!({"runs": "__mp_main__", "pid": 20});
    let fork = seen(&[main.clone(), child("B", 0.002, 10, "changed later"), child("A", 0.004, 10, "changed later")]);
    let spawn = seen(&[main.clone(), again.clone(), child("A", 0.06, 10, "as written")]);
    let server = seen(&[main, again, child("A", 0.1, 11, "as written")]);
    let values = outcome(&[("fork", fork.values()), ("spawn", spawn.values()), ("forkserver", server.values())]);
    assert_eq!((&values["started"], &values["failed"], &values["error"]), (&json!(4), &json!(0), &Value::Null));
    let took = ["fork_ns", "spawn_ns", "forkserver_ns"].map(|name| values[name].clone());
    assert_eq!(took, [json!(2_000_000), json!(60_000_000), json!(100_000_000)]);
    assert_eq!(values["spawn_over_fork"], json!(30.0));
    assert_eq!(values["runs"], json!({"fork": 1, "spawn": 2, "forkserver": 2}));
    assert_eq!(values["finds"], json!({"fork": "changed later", "spawn": "as written", "forkserver": "as written"}));
    assert_eq!((fork.child_of, server.child_of), (Some("program"), Some("server")));
}

#[test]
fn without_a_guard_the_child_has_one_error_and_the_parent_another() {
    let main = json!({"runs": "__main__", "pid": 10});
    let fork = seen(&[main.clone(), json!({"came": 1024})]);
    let broken = json!({"error": "BrokenProcessPool", "words": "x"});
    let mut spawn = seen(&[main, json!({"runs": "__mp_main__", "pid": 20}), broken]);
    (spawn.error, spawn.words) = (Some("RuntimeError".into()), Some("RuntimeError: no.".into()));
    assert_eq!(spawn.what(), "in the child RuntimeError: no. The parent gets BrokenProcessPool");
    let values = outcome(&[("fork", fork.values()), ("spawn", spawn.values())]);
    assert_eq!((&values["started"], &values["failed"]), (&json!(1), &json!(1)));
    assert_eq!((&values["error"], &values["error_parent"]), (&json!("RuntimeError"), &json!("BrokenProcessPool")));
    assert_eq!((&values["runs_fork"], &values["runs_spawn"]), (&json!(1), &json!(2)));
}

#[test]
fn a_function_that_cannot_be_sent_is_told() {
    let values = lambda(&json!({"function": "lambda", "error": "PicklingError", "words": "Can't \u{1b}[2J"}));
    let values = outcome(&[(LAMBDA, values.expect("a function"))]);
    assert_eq!((&values["lambda"], &values["started"]), (&json!("PicklingError"), &Value::Null));
    assert_eq!(lambda(&json!({"came": 1})), None);
    assert_eq!(outcome(&[(LAMBDA, lambda(&json!({"function": "x"})).expect("one"))])["lambda"], json!("none"));
}

#[test]
fn what_has_not_come_to_its_end_is_not_judged() {
    let mut half = seen(&[json!({"runs": "__main__", "pid": 10}), json!({"error": "BrokenProcessPool"})]);
    half.over = false;
    let values = outcome(&[("spawn", half.values())]);
    assert_eq!((&values["failed"], &values["started"]), (&Value::Null, &Value::Null));
}

#[test]
fn what_python_does_otherwise_than_it_says_is_seen() {
    let judged = |method: &str, runs: u64, error: Option<&str>, words: &[&str]| {
        let row = json!({"runs": runs, "error_parent": error, "over": true});
        outcome_of(&[(method, row)], words)["consistent"] == json!(true)
    };
    let bare = &["guard=no"][..];
    assert!(judged("fork", 1, None, &[]) && judged("spawn", 4, None, &[]) && judged("spawn", 2, None, &["children=1"]));
    assert!(judged("fork", 1, None, bare) && judged("spawn", 2, Some("BrokenProcessPool"), bare));
    assert!(!judged("fork", 2, None, &[]) && !judged("fork", 1, Some("RuntimeError"), bare));
    assert!(!judged("spawn", 1, None, &[]) && !judged("spawn", 9, Some("x"), bare) && !judged("spawn", 2, None, bare));
    assert_eq!(outcome(&[])["consistent"], Value::Null, "nothing was tried");
}

#[test]
fn children_have_numbers_of_their_own_and_a_thread_has_not() {
    let main = json!({"runs": "__main__", "pid": 10});
    let children = [main.clone(), child("A", 0.1, 10, ""), child("B", 0.1, 10, "")];
    let within = |pid: u64| json!({"thread": "Thread-1", "pid": pid});
    let of = |lines: &[Value]| {
        let values = outcome(&[("fork", seen(lines).values()), ("spawn", seen(&children).values())]);
        ["own_numbers", "thread_within"].map(|name| values[name].clone())
    };
    assert_eq!(of(&children), [json!(true), Value::Null], "no thread was heard of");
    assert_eq!(of(&[&children[..], &[within(10)]].concat()), [json!(true), json!(true)]);
    assert_eq!(of(&[&children[..], &[within(11)]].concat()), [json!(true), json!(false)]);
    let in_one = [main, child("A", 0.1, 10, ""), json!({"child": "B", "pid": 10, "parent": 9})];
    assert_eq!(of(&in_one), [json!(false), Value::Null]);
}
