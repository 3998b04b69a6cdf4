//! The graph in all its states, at all sizes.

use super::*;
use crate::fact::{Ending, LockTally, Nanos, Pid, Row, TaskTally};
use crate::view::widget::fixture::{any_size, shown};
use insta::assert_snapshot;
use serde_json::json;

static SPEC: WaitForSpec = WaitForSpec { name: "wait-for graph", lock: "fork", count: ("meals", "meal") };

/// So many workers and as many locks; worker `n` has and wants what `of(n)` says.
fn table(seats: u32, of: impl Fn(u32) -> (Vec<u32>, Vec<u32>)) -> Tally {
    let mut tally = Tally::default();
    for n in 0..seats {
        let letter = char::from(b'A' + u8::try_from(n).expect("few"));
        let mut task = TaskTally::new(Tid(100 + n), Pid(100 + n), Nanos::ZERO);
        (task.name, task.slot) = (letter.to_string(), u16::try_from(n).ok());
        task.values.insert("meals".into(), json!(n));
        tally.tasks.push(task);
        tally.locks.insert((n + 1).to_string(), LockTally::default());
    }
    for n in 0..seats {
        let (has, wants) = of(n);
        let lock = |tally: &mut Tally, name: u32, inside: bool| {
            let lock = tally.locks.get_mut(&(name + 1).to_string()).expect("a lock of the table");
            let list = if inside { &mut lock.inside } else { &mut lock.queue };
            list.push((Tid(100 + n), Nanos::ZERO));
        };
        has.into_iter().for_each(|name| lock(&mut tally, name, true));
        wants.into_iter().for_each(|name| lock(&mut tally, name, false));
    }
    let note = "All take a first fork before anybody asks for a second: bad luck, arranged.";
    let values = [("words".to_owned(), json!(note))].into();
    let row = Row { name: "note".into(), first: Nanos::ZERO, last: Nanos::ZERO, values };
    tally.tables.insert(SPEC.name.into(), vec![row]);
    tally
}

fn deadlock(seats: u32) -> Tally {
    table(seats, |n| (vec![n], vec![(n + 1) % seats]))
}

/// C gave its fork back: B has two and eats, A and E wait, D has one.
fn opened() -> Tally {
    table(5, |n| match n {
        0 => (vec![0], vec![1]),
        1 => (vec![1, 2], vec![]),
        2 => (vec![], vec![2]),
        3 => (vec![3], vec![]),
        _ => (vec![4], vec![0]),
    })
}

/// C was killed with its fork.
fn bereft() -> Tally {
    let mut tally = deadlock(5);
    tally.tasks[2].ended = Some((Nanos(5), Ending::Signal("SIGKILL".into(), false)));
    tally.locks.get_mut("4").expect("a lock of the table").queue.clear();
    tally
}

fn graph(tally: &Tally, width: u16, height: u16) -> String {
    shown(&WaitFor { tally, spec: &SPEC, theme: &Theme::default(), chosen: Some(Tid(102)) }, width, height)
}

#[test]
fn a_circle_round_a_table() {
    assert_snapshot!(graph(&deadlock(5), 60, 14));
    assert_snapshot!("two", graph(&deadlock(2), 60, 14));
    assert_snapshot!("eight", graph(&deadlock(8), 58, 16));
}

#[test]
fn an_open_table() {
    assert_snapshot!(format!("{}----\n{}", graph(&opened(), 60, 14), graph(&opened(), 78, 8)));
}

#[test]
fn what_the_dead_have() {
    assert_snapshot!(format!("{}----\n{}", graph(&bereft(), 60, 14), graph(&bereft(), 78, 8)));
}

#[test]
fn a_line_for_each_where_there_is_no_room_for_a_table() {
    let all = [(5, 78, 8), (8, 78, 8), (2, 78, 8), (5, 40, 8)].map(|(n, w, h)| graph(&deadlock(n), w, h));
    assert_snapshot!(all.join("----\n"));
}

#[test]
fn locks_that_are_not_beside_their_workers_are_told_in_lines() {
    let across = table(3, |n| if n == 0 { (vec![2], vec![]) } else { (vec![], vec![2]) });
    let drawn = graph(&across, 60, 14);
    assert!(drawn.contains("A  has 3 · 0 meals") && drawn.contains("B  wants 3 (A has it)"), "{drawn}");
}

#[test]
fn who_left_with_the_end_of_the_run_is_not_dead() {
    let mut tally = deadlock(2);
    tally.steps.push((Nanos(4), Tally::CLOSING.to_owned()));
    for task in &mut tally.tasks {
        task.ended = Some((Nanos(5), Ending::Code(0)));
    }
    let drawn = graph(&tally, 78, 8);
    assert!(drawn.starts_with("Deadlock: A waits for B waits for A.") && !drawn.contains("dead,"), "{drawn}");
}

#[test]
fn any_size_is_drawn_within_it() {
    for tally in [Tally::default(), deadlock(2), deadlock(8), opened(), bereft()] {
        any_size(|w, h| graph(&tally, w, h));
        for (w, h) in [(48, 11), (49, 11), (60, 14), (200, 60), (48, 60), (400, 11)] {
            graph(&tally, w, h);
        }
    }
}
