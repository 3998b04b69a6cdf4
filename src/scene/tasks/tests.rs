//! Totals beyond those of the scenarios: names, values, ends, bounds.

use super::*;
use crate::fact::{Cpu, State};
use crate::scene::Totals;
use serde_json::json;

fn totals(facts: impl IntoIterator<Item = (u64, serde_json::Value)>) -> Totals {
    let mut totals = Totals::default();
    for (t, mut fact) in facts {
        fact["t"] = t.into();
        totals.apply(&serde_json::from_value(fact).expect("a fact"));
    }
    totals
}

fn task(tid: u32, pid: u32, name: &str) -> serde_json::Value {
    json!({"kind": "task", "tid": tid, "pid": pid, "parent": 1, "name": name, "slot": 0})
}

#[test]
fn a_task_keeps_its_name_and_a_repeated_one_renames_it() {
    let totals = totals([
        (1, json!({"kind": "in", "cpu": 0, "tid": 5})),
        (2, json!({"kind": "task", "tid": 5, "pid": 4, "parent": 3, "name": "worker"})),
        (3, json!({"kind": "task", "tid": 5, "pid": 4, "parent": 0, "name": "A", "slot": 2})),
    ]);
    let task = totals.tally().task(Tid(5)).expect("it was seen");
    assert_eq!((task.name.as_str(), task.parent, task.pid, task.slot), ("A", 3, Pid(4), Some(2)));
    assert_eq!((task.born, task.state(), totals.tally().tasks.len()), (Nanos(1), State::Running(Cpu(0)), 1));
}

#[test]
fn values_accounts_settings_steps_and_pages_are_the_newest() {
    let counters = |ran| json!({"kind": "counters", "tid": 5, "voluntary": 1, "involuntary": 2, "ran": ran, "waited": 4, "turns": 5});
    let totals = totals([
        (0, task(5, 5, "A")),
        (1, json!({"kind": "value", "tid": 5, "name": "counter", "value": 1})),
        (2, json!({"kind": "value", "tid": 5, "name": "counter", "value": 2})),
        (4, counters(29)),
        (4, counters(30)),
        (3, counters(20)),
        (5, json!({"kind": "setting", "tid": 5, "nice": 10})),
        (6, json!({"kind": "setting", "tid": 5, "cpus": [1]})),
        (7, json!({"kind": "step", "name": "forked"})),
        (8, json!({"kind": "pages", "pid": 5, "region": "heap", "map": "ss"})),
        (9, json!({"kind": "pages", "pid": 5, "region": "heap", "map": "Xs"})),
        (10, json!({"kind": "lost", "records": 3})),
    ]);
    let tally = totals.tally();
    let task = tally.task(Tid(5)).expect("it was seen");
    assert_eq!((task.number("counter"), task.nice, task.cpus.clone()), (Some(2), Some(10), Some(vec![Cpu(1)])));
    assert_eq!(task.counters.map(|c| (c.at, c.ran)), Some((Nanos(4), Nanos(30))), "an older reading changes nothing");
    assert_eq!((tally.step("forked"), tally.lost, tally.now), (Some(Nanos(7)), 3, Nanos(10)));
    assert_eq!(tally.pages.values().collect::<Vec<_>>(), ["Xs"]);
}

#[test]
fn a_process_takes_its_threads_with_it_and_an_id_can_come_again() {
    let totals = totals([
        (0, task(5, 5, "A")),
        (0, task(6, 5, "B")),
        (0, task(7, 5, "C")),
        (0, task(8, 8, "D")),
        (1, json!({"kind": "exit", "tid": 7, "pid": 5})),
        (2, json!({"kind": "exit", "tid": 7, "pid": 5, "code": 4})),
        (2, json!({"kind": "stopped", "pid": 8, "stopped": true})),
        (3, json!({"kind": "exit", "tid": 5, "pid": 5, "signal": "SIGSEGV", "core": true})),
        (3, json!({"kind": "exit", "tid": 5, "pid": 5, "code": 1})),
        (3, task(6, 5, "B, late")),
        (9, task(6, 6, "E")),
    ]);
    let tally = totals.tally();
    let ends: Vec<_> = tally.tasks.iter().map(|t| t.ended.clone()).collect();
    assert_eq!(
        ends,
        [
            Some((Nanos(3), Ending::Signal("SIGSEGV".into(), true))),
            Some((Nanos(3), Ending::WithItsProcess)),
            Some((Nanos(1), Ending::Code(4))),
            None,
            None
        ]
    );
    assert_eq!((tally.tasks[1].name.as_str(), tally.tasks[3].state()), ("B, late", State::Stopped));
    assert_eq!(tally.task(Tid(6)).map(|t| t.name.as_str()), Some("E"));
}

#[test]
fn a_thread_whose_process_is_corrected_does_not_end_with_the_wrong_one() {
    let totals = totals([
        (0, task(6, 5, "B")),
        (1, task(6, 4, "B")),
        (2, json!({"kind": "exit", "tid": 5, "pid": 5})),
        (3, json!({"kind": "in", "cpu": 0, "tid": 6})),
    ]);
    let task = totals.tally().task(Tid(6)).expect("it was seen");
    assert_eq!((task.pid, task.state()), (Pid(4), State::Running(Cpu(0))));
}

#[test]
fn late_word_makes_a_turn_no_longer_than_was_counted() {
    let totals = totals([
        (0, json!({"kind": "in", "cpu": 0, "tid": 5})),
        (4, json!({"kind": "in", "cpu": 0, "tid": 6})),
        (6, json!({"kind": "out", "cpu": 0, "tid": 5, "why": "blocked"})),
    ]);
    let task = totals.tally().task(Tid(5)).expect("it was seen");
    assert_eq!((task.ran, task.turns.each().collect::<Vec<_>>()), (Nanos(4), vec![(Nanos(4), 1)]));
}

#[test]
fn states_follow_the_reason() {
    let out = |why: &str| {
        let facts = [
            (1, json!({"kind": "in", "cpu": 0, "tid": 5})),
            (2, json!({"kind": "out", "cpu": 0, "tid": 5, "why": why})),
        ];
        totals(facts).tally().tasks[0].state()
    };
    assert_eq!([out("preempted"), out("blocked"), out("unknown")], [State::Ready, State::Blocked, State::Ready]);
    assert_eq!(totals([(0, task(5, 5, "A"))]).tally().tasks[0].state(), State::Unknown);
}

#[test]
fn those_that_ended_make_room_and_workers_stay() {
    let mut totals = totals([(0, task(1, 1, "A")), (0, json!({"kind": "exit", "tid": 1, "pid": 1}))]);
    for i in 0..40_000_u32 {
        let tid = Tid(10 + i);
        let cpu = Cpu(i % 2);
        let t = Nanos(u64::from(i) * 10);
        totals.apply(&Stamped::new(t, Fact::In { cpu, tid }));
        totals.apply(&Stamped::new(t + Nanos(5), Fact::Out { cpu, tid, why: Why::Preempted }));
        if i % 100 != 0 {
            totals.apply(&Stamped::new(
                t + Nanos(6),
                Fact::Exit { tid, pid: Pid(tid.0), code: Some(0), signal: None, core: None },
            ));
        }
    }
    let tally = totals.tally();
    assert!(tally.tasks.len() <= MOST_TASKS, "{}", tally.tasks.len());
    assert!(tally.task(Tid(1)).is_some(), "the worker");
    assert!(tally.task(Tid(10)).is_some_and(TaskTally::alive), "one that is alive");
    assert!(tally.task(Tid(11)).is_none() && tally.task(Tid(40_009)).is_some());
    assert_eq!(tally.tasks.iter().filter(|t| t.alive()).count(), 400);
}
