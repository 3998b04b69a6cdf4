//! Trees of rows, trees of tasks, and what a damaged stream could hold.

use super::*;
use crate::fact::{Ending, Fact, Pid, Row, Stamped, TaskTally, Tid, Values};
use crate::scene::Scene;
use crate::view::widget::fixture::{any_size, shown};
use insta::assert_snapshot;
use serde_json::{Value, json};

static SPEC: TreeSpec = TreeSpec { name: "family tree", table: "family" };

fn tally(rows: &[(u64, Value)]) -> Tally {
    let mut tally = Tally::default();
    let rows = rows.iter().enumerate().map(|(n, (ms, values))| Row {
        name: n.to_string(),
        first: Nanos::from_millis(*ms),
        last: Nanos::from_millis(*ms),
        values: serde_json::from_value::<Values>(values.clone()).expect("an object"),
    });
    tally.tables.insert("family".into(), rows.collect());
    tally.now = Nanos::from_millis(9000);
    tally
}

/// Everything that can happen to a process.
fn family() -> Tally {
    let of = |who: &str, pid: u32, parent: u32, program: &str, state: &str| json!({"who": who, "pid": pid, "parent": parent, "program": program, "state": state});
    let thread = |who: &str, tid: u32, state: &str| json!({"who": who, "pid": 61002, "tid": tid, "parent": 60990, "program": "forklore D", "state": state});
    let mut rows = vec![
        (0, of("warden", 60988, 60900, "forklore warden", "S")),
        (0, of("leader", 60990, 60988, "forklore leader", "S")),
        (500, of("A", 60995, 60990, "forklore A", "S")),
        (1500, of("B", 60996, 60995, "forklore A", "S")),
        (3000, of("B", 60996, 60995, "cat", "S")),
        (4000, of("B", 60996, 60995, "cat", "Z")),
        (5000, json!({"who": "B", "pid": 60996, "state": "gone"})),
        (5200, of("C", 60999, 60995, "forklore A", "S")),
        (6000, json!({"who": "A", "pid": 60995, "state": "gone"})),
        (6000, of("C", 60999, 60988, "forklore A", "S")),
        (7000, of("D", 61002, 60990, "forklore D", "S")),
        (7000, thread("main", 61002, "S")),
        (7000, thread("other", 61003, "S")),
        (8000, thread("main", 61002, "Z")),
    ];
    rows[13].1["what"] = json!("D's main thread has ended (Z). The other counts on: D lives.");
    tally(&rows)
}

fn tree(tally: &Tally, wide: u16, high: u16) -> String {
    shown(&Tree { tally, spec: &SPEC, theme: &Theme::default() }, wide, high)
}

#[test]
fn a_family_at_the_sizes_of_panels() {
    let tally = family();
    assert_snapshot!([(38, 12), (48, 18), (72, 14), (120, 14)].map(|(w, h)| tree(&tally, w, h)).join("----\n"));
}

#[test]
fn what_does_not_fit_is_left_out_from_the_top() {
    let tally = family();
    assert_snapshot!([(60, 8), (40, 4), (24, 3), (12, 3)].map(|(w, h)| tree(&tally, w, h)).join("----\n"));
    assert_eq!(Tree { tally: &tally, spec: &SPEC, theme: &Theme::default() }.rows(80, 0), (9, 11));
}

#[test]
fn without_rows_all_tasks_are_shown() {
    let mut scene = Scene::new();
    let task = |tid, pid, parent, name: &str| Fact::Task {
        tid: Tid(tid),
        pid: Pid(pid),
        parent,
        name: name.into(),
        slot: None,
    };
    let exit = Fact::Exit { tid: Tid(12), pid: Pid(12), code: Some(0), signal: None, core: None };
    let facts = [(0, task(10, 10, 1, "sh")), (1, task(11, 10, 1, "helper")), (2, task(12, 12, 10, "ls")), (8, exit)];
    scene.extend(&facts.map(|(s, fact)| Stamped::new(Nanos::from_millis(s * 1000), fact)));
    scene.tally.now = Nanos::from_millis(9000);
    assert_eq!(
        tree(&scene.tally, 40, 4),
        "sh       10 ════════════════════════════\n\
         ├ helper 11    ─────────────────────────\n\
         └ ls     12       ══════════════════×\n\
         \u{20}           └ time ───────────────9.0 s┘\n"
    );
}

#[test]
fn an_end_that_no_row_tells_is_taken_from_the_tasks() {
    let mut tally = family();
    let mut task = TaskTally::new(Tid(60999), Pid(60999), Nanos::ZERO);
    task.ended = Some((Nanos::from_millis(6500), Ending::Code(0)));
    tally.tasks.push(task);
    let shown = tree(&tally, 72, 14);
    let c = shown.lines().find(|line| line.contains(" C ")).expect("C's line");
    assert!(c.ends_with('×'), "{c}");
}

#[test]
fn rings_and_strangers_of_a_damaged_stream_are_drawn() {
    let ring = tally(&[
        (1, json!({"who": "A", "pid": 1, "parent": 2})),
        (2, json!({"who": "B", "pid": 2, "parent": 1})),
        (3, json!({"who": "self", "pid": 3, "parent": 3})),
        (4, json!({"pid": 4})),
        (5, json!({"who": "", "state": "gone"})),
        (6, json!({"who": "odd", "pid": -1, "tid": "x", "parent": 1e300, "state": 7, "program": null})),
    ]);
    let shown = tree(&ring, 40, 8);
    assert_eq!(["A", "B", "self", "odd"].map(|who| shown.contains(who)), [true; 4], "{shown}");
    any_size(|w, h| tree(&ring, w, h));
}

#[test]
fn any_size_is_safe() {
    let (tally, nobody) = (family(), Tally::default());
    any_size(|w, h| tree(&tally, w, h));
    any_size(|w, h| tree(&nobody, w, h));
    assert_eq!(tree(&nobody, 40, 1), "Nobody has been seen yet.\n");
}
