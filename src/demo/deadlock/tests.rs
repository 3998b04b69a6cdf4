//! Totals in, values out.

use super::*;
use crate::fact::{Ending, LockTally, Pid, Row, TaskTally, Tid};

/// So many philosophers, each with its left fork and waiting for its right one; the last of them asked last.
fn closed(seats: u32) -> Tally {
    let mut tally = Tally { now: Nanos::from_millis(9000), ..Tally::default() };
    for seat in 0..seats {
        let mut task = TaskTally::new(Tid(10 + seat), Pid(10 + seat), Nanos::ZERO);
        task.name = char::from(b'A' + u8::try_from(seat).expect("few")).to_string();
        task.slot = u16::try_from(seat).ok();
        task.values.insert(MEALS.to_owned(), json!(seat));
        tally.tasks.push(task);
        let lock = LockTally {
            inside: vec![(Tid(10 + seat), Nanos(1))],
            queue: vec![(Tid(10 + (seat + seats - 1) % seats), Nanos(100 + u64::from((seat + seats - 1) % seats)))],
            ..LockTally::default()
        };
        tally.locks.insert((seat + 1).to_string(), lock);
    }
    looked(&mut tally, 2000, 3500, true);
    tally
}

/// The accounts last changed and were last looked at at these milliseconds.
fn looked(tally: &mut Tally, ran: u64, at: u64, read: bool) {
    let row = |name: &str, at| {
        let values = [("read".to_owned(), json!(read))].into();
        Row { name: name.to_owned(), first: Nanos::ZERO, last: Nanos::from_millis(at), values }
    };
    tally.tables.insert("accounts".to_owned(), vec![row("ran", ran), row("looked", at)]);
}

fn values(tally: &Tally) -> Values {
    Deadlock.outcome(&Params::defaults(&SPEC), tally)
}

fn of(tally: &Tally, names: &[&str]) -> Vec<Value> {
    let values = values(tally);
    names.iter().map(|name| values[*name].clone()).collect()
}

#[test]
fn a_circle_is_told_from_the_facts_with_the_request_that_closed_it() {
    let tally = closed(2);
    let found = of(&tally, &["deadlocked", "cycle", "stuck", "detected_after_ns", "idle_ns", "confirmed"]);
    let wanted =
        [json!(true), json!(["A", "2", "B", "1"]), json!(2), json!(101), json!(1_500_000_000_u64), json!(true)];
    assert_eq!(found, wanted);
    assert_eq!(of(&closed(5), &["cycle"]), [json!(["A", "2", "B", "3", "C", "4", "D", "5", "E", "1"])]);
}

#[test]
fn a_circle_is_no_more_than_that_while_somebody_runs_or_nobody_looked() {
    let mut tally = closed(5);
    looked(&mut tally, 3000, 3500, true);
    assert_eq!(of(&tally, &["deadlocked", "confirmed"]), [json!(true), json!(false)]);
    looked(&mut tally, 2000, 3500, false);
    assert_eq!(of(&tally, &["deadlocked", "idle_ns", "confirmed"]), [json!(true), Value::Null, Value::Null]);
    tally.tables.clear();
    assert_eq!(of(&tally, &["deadlocked", "idle_ns", "confirmed"]), [json!(true), Value::Null, Value::Null]);
}

#[test]
fn idle_alone_is_no_deadlock() {
    let mut tally = closed(5);
    tally.locks.get_mut("3").expect("a fork").queue.clear();
    let found = of(&tally, &["deadlocked", "cycle", "stuck", "detected_after_ns", "confirmed"]);
    assert_eq!(found, [json!(false), json!([]), json!(0), Value::Null, json!(false)]);
}

#[test]
fn who_waits_for_a_dead_one_is_stuck_without_a_circle() {
    let mut tally = closed(5);
    tally.tasks[2].ended = Some((Nanos(500), Ending::Signal("SIGKILL".to_owned(), false)));
    tally.locks.get_mut("4").expect("a fork").queue.clear();
    assert_eq!(of(&tally, &["deadlocked", "stuck"]), [json!(false), json!(4)]);
}

#[test]
fn meals_are_counted_by_letter() {
    let mut tally = closed(3);
    tally.tasks[2].values.insert(RIGHT_FIRST.to_owned(), json!(true));
    tally.tasks[1].values.insert(RIGHT_FIRST.to_owned(), json!(false));
    let found = of(&tally, &["meals", "eaten", "fewest", "turned"]);
    assert_eq!(found, [json!({"A": 0, "B": 1, "C": 2}), json!(3), json!(0), json!(1)]);
}
