//! What the totals of a run come to.

use super::*;
use crate::fact::{Nanos, TaskTally, Tid};

fn row(name: &str, values: Value) -> Row {
    let values = serde_json::from_value::<Values>(values).expect("an object");
    Row { name: name.into(), first: Nanos::ZERO, last: Nanos::ZERO, values }
}

/// Two threads that compute and one that waits, in a space with a text, a library, a heap and three stacks.
fn tally() -> Tally {
    let region = |from: u64, to: u64, perms: &str, kind: &str| {
        row(&hex(from), json!({"from": hex(from), "to": hex(to), "perms": perms, "kind": kind, "name": ""}))
    };
    let regions = vec![
        region(0x1000, 0x9000, "r-xp", "text"),
        region(0xa000, 0xb000, "rw-p", "heap"),
        region(0xb000, 0xd000, "rw-p", "heap"),
        region(0x10_0000, 0x90_0000, "---p", "reserve"),
        region(0x90_0000, 0x91_0000, "rw-p", "stack"),
        region(0x92_0000, 0x93_0000, "rw-p", "stack"),
        region(0x94_0000, 0x95_0000, "r-xp", "library"),
        region(0xf0_0000, 0xf1_0000, "rw-p", "stack"),
        row("0xff000", json!({"to": null})),
    ];
    let threads = vec![
        row("A", json!({"pc": "0x1234", "sp": "0xf0fff0", "computes": true})),
        row("B", json!({"pc": "0x8fff", "sp": "0x92ff00", "computes": true})),
        row("C", json!({"pc": "0x940010", "sp": "0x90ff00", "computes": false})),
    ];
    let mut tally = Tally::default();
    tally.tables.insert(REGIONS.into(), regions);
    tally.tables.insert(THREADS.into(), threads);
    tally
}

fn outcome_of(tally: &Tally) -> Values {
    outcome(&Params::defaults(&SPEC), tally)
}

#[test]
fn it_is_what_the_regions_and_registers_say() {
    let values = outcome_of(&tally());
    let wanted = [
        ("regions", json!(8)),
        ("stacks", json!(3)),
        ("distinct_stack_pointers", json!(3)),
        ("stack_pointers_in", json!(3)),
        ("same_text", json!(true)),
        ("stacks_apart_kib", json!(0x60_0000 / 1024)),
        ("largest_region_kib", json!(64)),
        ("heap_kib", json!(12)),
    ];
    for (name, value) in wanted {
        assert_eq!(values[name], value, "{name}");
    }
}

#[test]
fn a_thread_elsewhere_is_not_in_the_same_text() {
    for elsewhere in ["0x940010", "0x50"] {
        let mut tally = tally();
        let rows = tally.tables.get_mut(THREADS).expect("told");
        rows[1].values.insert("pc".into(), json!(elsewhere));
        assert_eq!(outcome_of(&tally)["same_text"], json!(false), "{elsewhere}");
    }
}

#[test]
fn what_nobody_could_see_has_no_value() {
    let mut asleep = tally();
    for row in asleep.tables.get_mut(THREADS).expect("told") {
        row.values.remove("computes");
    }
    let values = outcome_of(&asleep);
    assert_eq!((&values["same_text"], &values["stack_pointers_in"]), (&Value::Null, &json!(3)), "none computed");
    let mut blind = tally();
    blind.tables.remove(THREADS);
    let values = outcome_of(&blind);
    assert_eq!((&values["distinct_stack_pointers"], &values["stacks"]), (&Value::Null, &json!(3)), "no registers");
    let values = outcome_of(&Tally::default());
    let known: Vec<_> = values.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str()).collect();
    assert_eq!(known, ["pages"], "nothing was told yet");
}

#[test]
fn what_the_process_told_of_itself_is_passed_on() {
    let mut tally = tally();
    let mut task = TaskTally::new(Tid(7), Pid(7), Nanos::ZERO);
    (task.name, task.slot) = ("A".into(), Some(0));
    let told = [("pages", json!(9)), ("faults_touching", json!(3)), ("same_addresses", json!(false))];
    task.values = told.clone().map(|(name, value)| (name.to_owned(), value)).into();
    tally.tasks.push(task);
    tally.tables.insert(PLACES.name.into(), vec![row("a global variable", json!({"kind": "data"}))]);
    let values = outcome_of(&tally);
    for (name, value) in told {
        assert_eq!(values[name], value, "{name}");
    }
    assert_eq!((&values["global_in"], &values["local_in"]), (&json!("data"), &Value::Null));
}

#[test]
fn the_pace_doubles_and_halves_within_its_bounds() {
    assert_eq!([scaled(20, 1), scaled(20, -1), scaled(0, 1), scaled(1, -1)], [40, 10, 2, 0]);
    assert_eq!([scaled(1500, 1), scaled(20, i64::MAX), scaled(20, i64::MIN)], [2000, 2000, 0]);
}
