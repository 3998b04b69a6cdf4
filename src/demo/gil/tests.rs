//! Totals in, values out; and what the program says.

use super::*;
use crate::fact::{Nanos, Row};

fn measure(way: &'static str, seconds: f64, cpu: f64) -> Measure {
    Measure { way, seconds, cpu, others: Some(0.02), passed: None }
}

fn outcome(results: &[Measure]) -> Values {
    let mut tally = Tally::default();
    let mut so_far = Results { cores: 2, all: Vec::new() };
    for one in results {
        let values = serde_json::from_value(so_far.values(one)).expect("an object");
        let row = Row { name: one.way.to_owned(), first: Nanos::ZERO, last: Nanos::ZERO, values };
        tally.tables.entry(RESULTS.name.to_owned()).or_default().push(row);
        so_far.all.push(one.clone());
    }
    Gil.outcome(&Params::defaults(&SPEC), &tally)
}

#[test]
fn a_lock_is_seen_in_what_threads_do_not_gain() {
    let threads = Measure { passed: Some((160, 5_000_000)), ..measure("threads", 0.8, 0.8) };
    let values = outcome(&[measure("serial", 0.8, 0.8), threads, measure("processes", 0.4, 0.8)]);
    assert_eq!(
        (&values["serial_s"], &values["threads_s"], &values["processes_s"]),
        (&json!(0.8), &json!(0.8), &json!(0.4))
    );
    assert_eq!((&values["speedup_threads"], &values["speedup_processes"]), (&json!(1.0), &json!(2.0)));
    assert_eq!((&values["cores_threads"], &values["cores_processes"]), (&json!(1.0), &json!(2.0)));
    assert_eq!((&values["passed"], &values["kept_ns"]), (&json!(160), &json!(5_000_000)));
    assert_eq!((&values["speedup_hash"], &values["interpreter"]), (&Value::Null, &Value::Null));
}

#[test]
fn sha256_is_compared_with_sha256() {
    let values =
        outcome(&[measure("serial", 0.8, 0.8), measure("hash serial", 0.6, 0.6), measure("hash threads", 0.3, 0.6)]);
    assert_eq!((&values["speedup_hash"], &values["cores_hash"]), (&json!(2.0), &json!(2.0)));
    assert_eq!(values["speedup_threads"], Value::Null);
    let alone = outcome(&[measure("hash threads", 0.3, 0.6)]);
    assert_eq!(alone["speedup_hash"], Value::Null, "there is nothing to compare it with");
}

#[test]
fn what_the_program_says_is_not_believed_blindly() {
    let line = json!({"way": "threads", "seconds": 0.5, "cpu": 0.4, "others": 0.1, "passed": 9, "kept_ns": 5});
    let good = Measure { way: "threads", seconds: 0.5, cpu: 0.4, others: Some(0.1), passed: Some((9, 5)) };
    assert_eq!(Measure::parse(&line), Some(good));
    for (name, value) in
        [("way", json!("\u{1b}[2J")), ("seconds", json!(0)), ("seconds", json!(-1)), ("cpu", json!("x"))]
    {
        let mut odd = line.clone();
        odd[name] = value;
        assert_eq!(Measure::parse(&odd), None, "{name}");
    }
}

#[test]
fn one_after_the_other_is_always_there_to_compare_with() {
    let words = |kind: &str| words(&Params::from_words(&SPEC, &[format!("kind={kind}")]).expect("good"));
    assert_eq!(words("threads"), ["2", "400", "serial", "threads"]);
    assert_eq!(words("hash"), ["2", "400", "hash"]);
    assert_eq!(words("all"), ["2", "400", "serial", "threads", "processes", "hash"]);
}

#[test]
fn threads_that_compute_side_by_side_speak_against_a_lock() {
    let judged = |gil: &str, way: &'static str, cpu: f64| {
        let mut tally = Tally::default();
        let cpus = vec![crate::fact::Cpu(0), crate::fact::Cpu(1)];
        let start = json!({"format": 1, "demo": "gil", "params": {}, "source": "exact", "cpus": cpus, "kernel": "", "hz": null});
        tally.start = Some(serde_json::from_value(start).expect("a start"));
        for (table, name, values) in [
            (RESULTS.name, way, Results { cores: 2, all: Vec::new() }.values(&measure(way, 1.0, cpu))),
            (WHO.name, RUNS, json!({ "gil": gil })),
        ] {
            let values = serde_json::from_value(values).expect("an object");
            let row = Row { name: name.to_owned(), first: Nanos::ZERO, last: Nanos::ZERO, values };
            tally.tables.entry(table.to_owned()).or_default().push(row);
        }
        Gil.outcome(&Params::defaults(&SPEC), &tally)["consistent"] == json!(true)
    };
    assert_eq!([1.0, 1.2, 1.9].map(|cpu| judged("yes", "threads", cpu)), [true, true, false]);
    assert!(judged("no", "threads", 1.9) && judged("yes", "processes", 1.9) && judged("yes", "hash threads", 1.9));
    assert!(!judged("no", "threads", 2.9) && !judged("own machine", "threads", 1.9));
    let nothing = outcome(&[]);
    assert_eq!((&nothing["consistent"], &nothing["verdict"]), (&Value::Null, &json!("inconclusive")));
}

#[test]
fn what_was_measured_beside_others_is_no_answer() {
    let beside = |way, seconds, cpu| Measure { others: Some(1.66), ..measure(way, seconds, cpu) };
    // As it was seen beside two processes that did nothing but write: even one by one had a third of a core.
    let values = outcome(&[beside("serial", 3.4, 1.02), beside("threads", 1.28, 0.97)]);
    for name in ["speedup_threads", "cores_threads", "consistent"] {
        assert_eq!(values[name], Value::Null, "{name}");
    }
    assert_eq!((&values["verdict"], &values["others"]), (&json!("inconclusive"), &json!(1.66)));
    assert_eq!(values["doubt"], json!("others had 1.66 cores' worth"));
    assert_eq!((&values["serial_s"], &values["threads_s"]), (&json!(3.4), &json!(1.28)), "that is how long it took");
    let values = outcome(&[measure("serial", 1.0, 0.99), beside("threads", 1.0, 0.5), measure("processes", 0.5, 1.0)]);
    assert_eq!((&values["speedup_processes"], &values["cores_processes"]), (&json!(2.0), &json!(2.0)));
    assert_eq!((&values["cores_threads"], &values["verdict"]), (&Value::Null, &json!("inconclusive")));
    // Others take time, and give none: too much of it is not their doing.
    assert_eq!(outcome(&[beside("threads", 1.0, 1.9)])["consistent"], json!(false));
}

#[test]
fn on_one_core_nothing_is_said_of_a_lock() {
    let results = Results { cores: 1, all: vec![measure("serial", 1.0, 0.99)] };
    let values = results.values(&measure("threads", 1.0, 1.0));
    assert_eq!((&values["speedup"], &values["doubt"]), (&Value::Null, &json!("one core")));
    assert_eq!(values["how"], json!("one core: this says nothing of a lock"));
}
