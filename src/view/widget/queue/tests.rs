//! Queues whose picture is known: words and shapes at the sizes that matter, and no cell outside at any size.

use super::*;
use crate::fact::{Ending, LockTally, Nanos, Row, Visits};
use crate::view::widget::fixture::{any_size, shown, six_tabs};
use insta::assert_snapshot;
use serde_json::json;

fn at(tids: &[(u32, u64)]) -> Vec<(Tid, Nanos)> {
    tids.iter().map(|(tid, ms)| (Tid(*tid), Nanos::from_millis(*ms))).collect()
}

/// A place: its name, who is inside, who waits; each with the moment since when, in milliseconds.
type Told<'a> = (&'a str, &'a [(u32, u64)], &'a [(u32, u64)]);

/// Six passengers of whom some are in `inside` and some in the `queue`, and the time is 1 s.
fn train(places: &[Told<'_>]) -> Tally {
    let mut tally = six_tabs().tally;
    tally.now = Nanos::from_millis(1000);
    tally.tasks.iter_mut().for_each(|task| task.ended = None);
    for (name, inside, queue) in places {
        let visits = Visits { asked: 9, got: 4, longest: Nanos::from_millis(812), ..Visits::default() };
        let lock = LockTally {
            inside: at(inside),
            queue: at(queue),
            most_inside: inside.len(),
            most_waiting: queue.len(),
            visits: inside.iter().map(|(tid, _)| (Tid(*tid), visits)).collect(),
            order: Vec::new(),
        };
        tally.locks.insert((*name).to_owned(), lock);
    }
    tally
}

fn seats(tally: &mut Tally, place: &str, seats: u64) {
    tell(tally, place, "seats", json!(seats));
}

fn tell(tally: &mut Tally, place: &str, name: &str, value: serde_json::Value) {
    let values = [(name.to_owned(), value)].into();
    let row = Row { name: place.to_owned(), first: Nanos::ZERO, last: Nanos::ZERO, values };
    tally.tables.entry("places".to_owned()).or_default().push(row);
}

fn drawn(tally: &Tally, wide: u16, high: u16) -> String {
    let theme = Theme::default();
    shown(&Queue { tally, theme: &theme, chosen: Some(Tid(201)) }, wide, high)
}

const RESTROOM: Told<'_> = ("restroom", &[(200, 880)], &[(201, 190), (202, 400), (203, 700), (204, 950)]);

#[test]
fn one_is_inside_and_the_others_stand_in_line() {
    let tally = train(&[RESTROOM]);
    let sizes = [(78, 6), (78, 4), (100, 20), (50, 10), (36, 6), (78, 1)];
    let all: Vec<String> = sizes.map(|(w, h)| drawn(&tally, w, h)).into();
    assert_snapshot!(all.join("----\n"));
}

#[test]
fn a_dead_owner_is_marked_and_said() {
    let mut tally = train(&[RESTROOM]);
    tally.tasks[0].ended = Some((Nanos::from_millis(900), Ending::Signal("SIGKILL".into(), false)));
    let seen = drawn(&tally, 78, 6);
    assert!(seen.contains("A ▓ ") && seen.contains("dead 100 ms"), "{seen}");
    assert!(seen.contains("A died inside. 4 visits"), "{seen}");
    assert!(drawn(&tally, 36, 1).contains("A ▓ dead 100 ms inside"));
    tell(&mut tally, "restroom", "says", json!("Nobody got in since."));
    assert!(drawn(&tally, 78, 6).contains("Nobody got in since. 4 visits."));
}

#[test]
fn all_the_dead_are_named_and_that_no_seat_is_left() {
    let mut tally = train(&[("cafeteria", &[(200, 880), (201, 890), (202, 900)], &[(203, 950)])]);
    seats(&mut tally, "cafeteria", 3);
    let mut die = |n: usize| {
        tally.tasks[n].ended = Some((Nanos::from_millis(910), Ending::Signal("SIGKILL".into(), false)));
        drawn(&tally, 78, 6)
    };
    assert!(die(0).contains("A died inside. 12 visits"));
    assert!(die(2).contains("A and C died inside. 12 visits"));
    let seen = die(1);
    assert!(seen.contains("A, B and C died inside. Nobody will get in. 12 visits."), "{seen}");
    tally.locks.get_mut("cafeteria").expect("it is there").queue.clear();
    assert!(drawn(&tally, 78, 6).contains("died inside. 12 visits."), "nobody wants to");
}

#[test]
fn free_seats_are_shown_and_several_places_one_below_the_other() {
    let mut tally = train(&[("cafeteria", &[(200, 880), (201, 990)], &[]), ("restroom", &[(202, 10)], &[(203, 20)])]);
    seats(&mut tally, "restroom", 1);
    seats(&mut tally, "cafeteria", 3);
    assert!(drawn(&tally, 78, 12).starts_with("┌─ restroom"), "in the order in which the demo told of them");
    let all: Vec<String> = [(78, 12), (78, 6), (78, 3)].map(|(w, h)| drawn(&tally, w, h)).into();
    assert_snapshot!(all.join("----\n"));
}

#[test]
fn roles_are_said_and_many_inside_stand_beside_each_other() {
    let inside: Vec<(u32, u64)> = (200..205).map(|tid| (tid, 900)).collect();
    let mut tally = train(&[("timetable", &inside, &[(205, 500)])]);
    for (task, role) in tally.tasks.iter_mut().zip(["reads", "reads", "reads", "reads", "reads", "writes"]) {
        task.values.insert("role".to_owned(), json!(role));
    }
    let all: Vec<String> = [(78, 8), (78, 5), (60, 3)].map(|(w, h)| drawn(&tally, w, h)).into();
    assert_snapshot!(all.join("----\n"));
}

#[test]
fn who_has_no_row_is_named() {
    let seen = drawn(&train(&[RESTROOM]), 78, 4);
    assert!(seen.contains("and 3 more: C D E"), "{seen}");
}

#[test]
fn nothing_is_jumped_to_while_they_come_and_go() {
    let mut tally = train(&[RESTROOM]);
    let theme = Theme::default();
    let before = Queue { tally: &tally, theme: &theme, chosen: None }.rows(80, 0);
    tally.locks.get_mut("restroom").expect("it is there").queue.clear();
    assert_eq!(Queue { tally: &tally, theme: &theme, chosen: None }.rows(80, 0), before);
    assert_eq!(before, (2, 6));
}

#[test]
fn any_size_and_any_totals_are_safe() {
    any_size(|w, h| drawn(&Tally::default(), w, h));
    any_size(|w, h| drawn(&train(&[RESTROOM]), w, h));
    let inside: Vec<(u32, u64)> = (0..300).map(|tid| (tid, 5_000)).collect();
    let mut tally = train(&[("a", &inside, &inside), ("宿舍\u{202e}", &[], &inside), ("c", &[], &[])]);
    seats(&mut tally, "a", u64::MAX);
    any_size(|w, h| drawn(&tally, w, h));
}

#[test]
fn who_left_with_the_end_of_the_run_is_not_dead() {
    let mut tally = train(&[RESTROOM]);
    tally.steps.push((Nanos::from_millis(950), Tally::CLOSING.to_owned()));
    let before = drawn(&tally, 78, 6);
    tally.tasks[0].ended = Some((Nanos::from_millis(960), Ending::Code(0)));
    tally.now = Nanos::from_millis(1500);
    assert_eq!(drawn(&tally, 78, 6), before, "it stays as it was");
}
