//! Tests of the picture of an address space.

use super::model::Model;
use super::*;
use crate::fact::{Nanos, Pid, Row, TaskTally, Values};
use crate::view::widget::fixture::{any_size, shown};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn row(name: &str, values: Value) -> Row {
    let values = serde_json::from_value::<Values>(values).expect("an object");
    Row { name: name.into(), first: Nanos::ZERO, last: Nanos::ZERO, values }
}

/// A program with two threads, as one was listed on Linux 6.18.
fn tally() -> Tally {
    let regions = [
        (0x55a6_9ed1_6000_u64, 0x55a6_9f38_2000_u64, "r--p", "constants", "prog"),
        (0x55a6_9f38_2000, 0x55a6_a190_f000, "r-xp", "text", "prog"),
        (0x55a6_a190_f000, 0x55a6_a19e_e000, "r--p", "constants", "prog"),
        (0x55a6_a19e_e000, 0x55a6_a19f_0000, "rw-p", "data", "prog"),
        (0x55a6_a78c_c000, 0x55a6_a796_f000, "rw-p", "heap", ""),
        (0x7f10_b400_0000, 0x7f10_b402_1000, "rw-p", "arena", "heap for threads"),
        (0x7f10_b402_1000, 0x7f10_b800_0000, "---p", "reserve", "of the arena"),
        (0x7f10_bd07_c000, 0x7f10_bd0b_c000, "r--s", "file", "prog"),
        (0x7f10_bd0b_c000, 0x7f10_bdcb_d000, "rw-p", "mapping", "a large block"),
        (0x7f10_c00b_e000, 0x7f10_c00b_f000, "---p", "guard", "below stack B"),
        (0x7f10_c00b_f000, 0x7f10_c08b_f000, "rw-p", "stack", "of B"),
        (0x7f10_c0a4_4000, 0x7f10_c0a6_a000, "r--p", "library", "libc.so.6"),
        (0x7f10_c0a6_a000, 0x7f10_c0bc_0000, "r-xp", "library", "libc.so.6"),
        (0x7f10_c0bc_0000, 0x7f10_c0c1_9000, "rw-p", "library", "libc.so.6"),
        (0x7f10_c0d3_1000, 0x7f10_c0d3_7000, "r--p", "vdso", "vvar"),
        (0x7f10_c0d3_7000, 0x7f10_c0d3_9000, "r-xp", "vdso", ""),
        (0x7f10_c0d3_9000, 0x7f10_c0d6_e000, "r-xp", "library", "ld-linux-x86-64.so.2"),
        (0x7ffe_61d7_0000, 0x7ffe_61d9_1000, "rw-p", "stack", "of A"),
    ];
    let each = regions.iter().map(|(from, to, perms, kind, name)| {
        let mut values = json!({
            "from": format!("{from:#x}"), "to": format!("{to:#x}"), "perms": perms, "kind": kind, "name": name,
        });
        if *kind == "file" {
            values["note"] = json!("16/64 pages loaded");
        }
        row(&format!("{from:#x}"), values)
    });
    let mut tally = Tally::default();
    tally.tables.insert(model::REGIONS.into(), each.collect());
    let threads = vec![
        row("A", json!({"pc": "0x55a6a185ded6", "sp": "0x7ffe61d85860"})),
        row("B", json!({"pc": "0x55a6a185ec8f", "sp": "0x7f10c08ac270"})),
        row("C", json!({"pc": "0x7f10c0b45829", "sp": null})),
    ];
    tally.tables.insert(model::THREADS.into(), threads);
    for (slot, name) in (0..).zip(["A", "B", "C"]) {
        let mut task = TaskTally::new(Tid(100 + u32::from(slot)), Pid(100), Nanos::ZERO);
        (task.name, task.slot) = (name.into(), Some(slot));
        tally.tasks.push(task);
    }
    tally
}

pub(super) fn model() -> Model {
    Model::read(&tally(), None)
}

fn drawn(tally: &Tally, width: u16, height: u16) -> String {
    let theme = Theme::default();
    shown(&Space { tally, theme: &theme, chosen: Some(Tid(100)) }, width, height)
}

#[test]
fn a_list_where_there_is_little_room() {
    assert_snapshot!(drawn(&tally(), 40, 12));
}

#[test]
fn a_small_panel() {
    assert_snapshot!(drawn(&tally(), 76, 11));
}

#[test]
fn a_usual_panel() {
    assert_snapshot!(drawn(&tally(), 68, 29));
}

#[test]
fn a_large_panel() {
    assert_snapshot!(drawn(&tally(), 120, 50));
}

#[test]
fn a_row_for_several_has_permissions_only_if_they_are_the_same() {
    let tally = tally();
    let model = Model::read(&tally, None);
    let of = |kind: &str| model.areas.iter().filter(|area| area.kind == kind).collect::<Vec<_>>();
    assert_eq!(perms(&of("constants")), "r--p");
    assert_eq!(perms(&of("stack")), "rw-p");
    assert_eq!(perms(&of("library")), "");
    assert_eq!(perms(&[of("file"), of("constants")].concat()), "", "shared and private are not the same");
    assert_eq!(perms(&[]), "");
}

#[test]
fn before_anybody_looked() {
    assert_eq!(drawn(&Tally::default(), 44, 1), "Nobody has looked at the address space yet.\n");
}

#[test]
fn arrows_stand_where_they_point_to() {
    let text = drawn(&tally(), 90, 40);
    let line = |words: &str| text.lines().find(|line| line.contains(words)).unwrap_or_default().to_owned();
    assert!(line("◀ A B pc").contains('≡'), "both compute in the program's text:\n{text}");
    assert!(line("◀ C pc").contains("library"), "C waits in the library:\n{text}");
    assert!(line("◀ B sp").contains("stack of B"), "{text}");
}

#[test]
fn any_size_and_any_rows_are_safe() {
    let tally = tally();
    any_size(|w, h| drawn(&tally, w, h));
    let mut strange = Tally::default();
    let whole =
        |n: u64| row(&n.to_string(), json!({"from": n, "to": u64::MAX - (n % 3), "perms": "线", "kind": "\u{1b}[2J"}));
    strange.tables.insert(model::REGIONS.into(), (0..9).map(|n| whole(n << 60)).collect());
    let pointer = row("线程", json!({"pc": u64::MAX, "sp": 1}));
    strange.tables.insert(model::THREADS.into(), vec![pointer]);
    any_size(|w, h| drawn(&strange, w, h));
    let many = |n: u64| row(&n.to_string(), json!({"from": n << 31, "to": (n << 31) + 4096, "kind": "stack"}));
    strange.tables.insert(model::REGIONS.into(), (0..900).map(many).collect());
    any_size(|w, h| drawn(&strange, w, h));
}
