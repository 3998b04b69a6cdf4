//! Cells in, glyphs out, and how many of them a frame changes.

use super::*;
use crate::fact::{Fact, Pid, Stamped, TaskTally, Tid, Why};
use crate::scene::lanes::Occupant;
use crate::view::theme::{Charset, ColourDepth};
use crate::view::widget::fixture;
use insta::assert_snapshot;

/// Three workers by letter. Columns are a millisecond wide and each worker has four of them in turn.
fn scene() -> Scene {
    let mut scene = Scene::new();
    for (slot, name) in (0_u16..).zip(["A", "B", "C"]) {
        let mut task = TaskTally::new(Tid(slot.into()), Pid(1), Nanos::ZERO);
        (task.name, task.slot) = (name.into(), Some(slot));
        scene.tally.tasks.push(task);
    }
    scene
}

const COLUMN: Nanos = Nanos::from_millis(1);

/// Core 0 is taken in turns, core 1 is idle but for two short visits, core 2 has a gap; more are like core 0.
fn cell(cpu: Cpu, column: u64) -> Cell {
    let task = |n: u64| Occupant::Task(Tid(u32::try_from(n % 3).expect("small")));
    let turn = Cell { who: task(column / 4), switches: if column.is_multiple_of(4) { 2 } else { 0 }, gap: false };
    match (cpu.0, column) {
        (1, 10..12) => Cell { who: task(1), switches: 9, gap: false },
        (1, _) => Cell::default(),
        (2, 20..26) => Cell { who: Occupant::Unknown, switches: 0, gap: true },
        (2, 26) => Cell { gap: true, ..turn },
        _ => turn,
    }
}

fn draw(lanes: &Lanes<'_>, cores: u32, width: u16, height: u16) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    let cpus: Vec<Cpu> = (0..cores).map(Cpu).collect();
    lanes.draw(area, &mut buf, &cpus, &|cpu, from, n| (from..from + n as u64).map(|c| cell(cpu, c)).collect());
    buf
}

fn text(buf: &Buffer) -> String {
    let rows = buf.content().chunks(usize::from(buf.area.width).max(1));
    rows.map(|row| row.iter().map(|c| c.symbol()).collect::<String>().trim_end().to_owned() + "\n").collect()
}

fn live(ms: u64, cores: u32, width: u16, height: u16) -> String {
    let (scene, theme) = (scene(), Theme::default());
    let window = Window::Live { now: Nanos::from_millis(ms) };
    text(&draw(&Lanes { scene: &scene, theme: &theme, column: COLUMN, window, tall: 1 }, cores, width, height))
}

#[test]
fn the_head_moves_wraps_and_erases() {
    assert_snapshot!(format!("{}----\n{}----\n{}", live(30, 3, 60, 5), live(75, 3, 60, 5), live(102, 3, 60, 5)));
}

#[test]
fn many_cores_fold() {
    assert_snapshot!(format!("{}----\n{}----\n{}", live(30, 4, 40, 4), live(30, 40, 40, 6), live(30, 2, 24, 1)));
}

#[test]
fn who_has_a_core_alone_is_not_quiet() {
    let mut scene = Scene::new();
    let mut on = |from: u64, to: u64, cpu: u32, tid: u32| {
        let (cpu, tid) = (Cpu(cpu), Tid(tid));
        let out = Fact::Out { cpu, tid, why: Why::Preempted };
        let (from, to) = (Nanos::from_millis(from), Nanos::from_millis(to));
        scene.extend(&[Stamped::new(from, Fact::In { cpu, tid }), Stamped::new(to, out)]);
    };
    // Two take turns on core 0, a third has core 5 for half of the time, and who started them was on core 7 for a moment.
    on(0, 1, 7, 9);
    (1..200).for_each(|ms| on(ms, ms + 1, 0, 1 + u32::try_from(ms % 2).expect("0 or 1")));
    on(100, 200, 5, 3);
    let cpus: Vec<Cpu> = (0..16).map(Cpu).collect();
    assert_eq!(fold::used(&scene, &cpus), [(199, Cpu(0)), (1, Cpu(5))]);
    let theme = Theme::default();
    let lanes =
        Lanes { scene: &scene, theme: &theme, column: COLUMN, window: Window::Live { now: scene.now() }, tall: 1 };
    let (rows, below) = lanes.rows(Rect::new(0, 0, 40, 8), &cpus);
    assert_eq!((&rows[..2], below), (&[Row::One(Cpu(0)), Row::One(Cpu(5))][..], 3));
    assert_eq!(rows[2].words().as_deref(), Some("14 other cores: hardly anybody of this run"));
    assert_eq!(lanes.rows(Rect::new(0, 0, 40, 4), &cpus).0, [Row::One(Cpu(0)), Row::Rest(15)]);
}

#[test]
fn frozen_it_stands_still_with_a_cursor() {
    let (scene, theme) = (scene(), Theme::default());
    let window = Window::Frozen { from: COLUMN, cursor: Some((Cpu(1), Nanos::from_millis(25))) };
    let buf = draw(&Lanes { scene: &scene, theme: &theme, column: COLUMN, window, tall: 1 }, 3, 60, 6);
    assert_snapshot!(text(&buf));
    assert_eq!(buf[(8 + 24, 1)].style().bg, theme.style(Role::Cursor).bg);
    assert_ne!(buf[(8 + 24, 0)].style().bg, theme.style(Role::Cursor).bg);
}

#[test]
fn a_column_more_changes_a_few_cells_a_lane() {
    let (scene, theme) = (scene(), Theme::default());
    let frame = |ms| {
        let window = Window::Live { now: Nanos::from_millis(ms) };
        draw(&Lanes { scene: &scene, theme: &theme, column: COLUMN, window, tall: 1 }, 20, 120, 22)
    };
    let mut before = frame(0);
    let mut below = 0;
    // Two sweeps and more: the wrap is no exception.
    for ms in 1..300 {
        let after = frame(ms);
        let in_lanes = before.diff(&after).iter().filter(|(_, y, _)| *y < 20).count();
        // The new cell, the head, the cell erased ahead of it and the one that fades.
        assert!(in_lanes <= 4 * 20, "{in_lanes} cells of 20 lanes at {ms} ms");
        below += before.diff(&after).len() - in_lanes;
        before = after;
    }
    // A sentence may come or go; mostly it is the arrow that moves.
    assert!(below <= 300 * 16, "{below} cells below the lanes in 300 frames");
}

#[test]
fn a_complete_cell_keeps_its_character_until_it_is_erased() {
    let (scene, theme) = (scene(), Theme::default());
    let frame = |ms| {
        let window = Window::Live { now: Nanos::from_millis(ms) };
        draw(&Lanes { scene: &scene, theme: &theme, column: COLUMN, window, tall: 1 }, 1, 60, 3)
    };
    let drawn = frame(20);
    for ms in 21..60_u64 {
        let later = frame(ms);
        for x in 8..8 + 20_u16 {
            // Wrapped, the head erases two columns ahead of where it stands.
            if ms + 3 < 52 + u64::from(x) - 8 {
                assert_eq!(drawn[(x, 0)].symbol(), later[(x, 0)].symbol(), "column {x} at {ms} ms");
            }
        }
    }
}

#[test]
fn without_colour_letters_and_patterns_tell_who() {
    let scene = scene();
    let theme = Theme::default().on(ColourDepth::None, Charset::Unicode);
    let window = Window::Live { now: Nanos::from_millis(30) };
    let buf = draw(&Lanes { scene: &scene, theme: &theme, column: COLUMN, window, tall: 1 }, 3, 60, 5);
    assert!(buf.content().iter().all(|c| c.fg == ratatui::style::Color::Reset && c.bg == ratatui::style::Color::Reset));
    assert!(text(&buf).contains("A▓▓▓B▒▒▒C░░░"), "{}", text(&buf));
}

#[test]
fn the_mouse_finds_core_and_moment() {
    let (scene, theme) = (scene(), Theme::default());
    let area = Rect::new(3, 2, 60, 9);
    let found = |window, x, y| {
        let lanes = Lanes { scene: &scene, theme: &theme, column: COLUMN, window, tall: 2 };
        lanes.find(area, &[Cpu(0), Cpu(4)], x, y).map(|(cpu, t)| (cpu.0, t.0))
    };
    let frozen = Window::Frozen { from: Nanos::from_millis(5), cursor: None };
    assert_eq!(found(frozen, 3 + 8, 2), Some((0, 5_500_000)));
    assert_eq!(found(frozen, 3 + 8 + 4, 2 + 3), Some((4, 9_500_000)));
    let live = Window::Live { now: Nanos::from_millis(60) };
    assert_eq!(found(live, 3 + 8, 2), Some((0, 52_500_000)), "the lane of 52 columns has wrapped");
    for (x, y) in [(0, 2), (11, 0), (11, 7), (10, 2), (3 + 8 + 10, 2)] {
        assert_eq!(found(live, x, y), None, "{x}, {y}");
    }
}

#[test]
fn any_size_and_any_zoom_is_safe() {
    fixture::any_size(|width, height| {
        for cores in [0, 3, 40] {
            live(77, cores, width, height);
        }
        String::new()
    });
    let (scene, theme) = (scene(), Theme::default());
    for column in [Nanos::ZERO, Nanos(1), Nanos(u64::MAX)] {
        for window in [
            Window::Live { now: Nanos(u64::MAX) },
            Window::Frozen { from: Nanos(u64::MAX), cursor: Some((Cpu(0), Nanos(u64::MAX))) },
        ] {
            (&Lanes { scene: &scene, theme: &theme, column, window, tall: 1 })
                .render(Rect::new(0, 0, 40, 5), &mut Buffer::empty(Rect::new(0, 0, 30, 4)));
        }
    }
}

#[test]
fn lanes_are_tall_where_they_may() {
    let (scene, theme) = (scene(), Theme::default());
    let window = Window::Live { now: Nanos::from_millis(30) };
    let lanes = Lanes { scene: &scene, theme: &theme, column: COLUMN, window, tall: 3 };
    assert_snapshot!(format!("{}----\n{}", text(&draw(&lanes, 2, 50, 10)), text(&draw(&lanes, 2, 50, 7))));
}
