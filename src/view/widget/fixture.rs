//! Scenes and helpers for the tests of widgets.

use crate::fact::{Cpu, Ending, Nanos, Pid, Source, Start, TaskTally, Tid, Values};
use crate::scene::Scene;
use crate::view::put::put;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use serde_json::json;

/// What `widget` shows in an area of this size that lies within a larger buffer, row by row; nothing beside the area.
pub(crate) fn shown<W>(widget: W, width: u16, height: u16) -> String
where
    W: Widget,
{
    let area = Rect::new(1, 1, width, height);
    let mut buf = Buffer::empty(Rect::new(0, 0, width + 2, height + 2));
    for y in 0..height + 2 {
        put(&mut buf, Rect::new(0, 0, width + 2, height + 2), 0, y, &"#".repeat(usize::from(width) + 2), Style::new());
    }
    ratatui::widgets::Clear.render(area, &mut buf);
    widget.render(area, &mut buf);
    let mut out = String::new();
    for y in 0..height + 2 {
        let mut row = String::new();
        let mut hidden = 0_usize;
        for x in 0..width + 2 {
            let symbol = buf[(x, y)].symbol();
            if y == 0 || y == height + 1 || x == 0 || x == width + 1 {
                assert_eq!(symbol, "#", "written outside at {x}, {y}");
            } else if hidden > 0 {
                hidden -= 1;
            } else {
                hidden = crate::view::put::width(symbol).saturating_sub(1);
                row.push_str(symbol);
            }
        }
        if (1..=height).contains(&y) {
            out.push_str(row.trim_end());
            out.push('\n');
        }
    }
    out
}

/// Draws at every small size, at narrow and at flat ones.
pub(crate) fn any_size(draw: impl Fn(u16, u16) -> String) {
    for width in 0..30 {
        for height in 0..10 {
            draw(width, height);
        }
    }
    for (width, height) in [(0, 60), (1, 60), (2, 60), (400, 0), (400, 1), (400, 120)] {
        draw(width, height);
    }
}

fn start(demo: &str) -> Start {
    Start {
        format: 1,
        demo: demo.into(),
        params: Values::new(),
        source: Source::Exact,
        cpus: vec![Cpu(0), Cpu(1)],
        kernel: "6.18.44".into(),
        hz: None,
        because: None,
        page_size: Some(4096),
    }
}

fn task<'a>(scene: &'a mut Scene, tid: u32, pid: u32, name: &str, slot: u16) -> &'a mut TaskTally {
    let mut task = TaskTally::new(Tid(tid), Pid(pid), Nanos::ZERO);
    (task.name, task.slot) = (name.into(), Some(slot));
    scene.tally.tasks.push(task);
    scene.tally.tasks.last_mut().expect("just pushed")
}

/// Three workers that took turns of about four milliseconds for 4.2 s.
pub(crate) fn three_workers() -> Scene {
    let mut scene = Scene::new();
    scene.tally.now = Nanos::from_millis(4_200);
    scene.tally.start = Some(start("timeslice"));
    for (slot, name) in (0..).zip(["A", "B", "C"]) {
        let task = task(&mut scene, 101 + u32::from(slot), 100, name, slot);
        for n in 0..350_u64 {
            task.turns.add(Nanos(3_950_000 + (n * 7_919 + u64::from(slot)) % 100_000));
        }
        task.turns.add(Nanos::from_millis(17));
        (task.ran, task.waited) = (Nanos::from_millis(1_396), Nanos::from_millis(2_790));
        (task.switches, task.preempted, task.cpu) = (350, 350 - u64::from(slot), Some(Cpu(0)));
        (task.nice, task.cpus) = (Some(0), Some(vec![Cpu(0)]));
        task.values.insert("work".into(), json!(123_456_789 + u64::from(slot)));
        match slot {
            0 => task.on_since = Some(Nanos::from_millis(4_198)),
            1 => task.ready_since = Some(Nanos::from_millis(4_197)),
            _ => {}
        }
    }
    scene
}

/// A parent and a child with sixty-four pages, twelve of them no longer shared.
pub(crate) fn two_processes() -> Scene {
    let mut scene = Scene::new();
    scene.tally.start = Some(start("isolation"));
    for (slot, (pid, value, pss)) in (0..).zip([(300_u32, 1, 152), (301, 2, 176)]) {
        let task = task(&mut scene, pid, pid, ["A", "B"][usize::from(slot)], slot);
        task.parent = if pid == 301 { 300 } else { 99 };
        for (name, value) in [
            ("address", json!("0x7f3a5c000000")),
            ("value", json!(value)),
            ("pss_kib", json!(pss)),
            ("private_dirty_kib", json!(48)),
        ] {
            task.values.insert(name.into(), value);
        }
        let map = format!("{}{}{}", "X".repeat(12), "s".repeat(48), ".".repeat(4));
        scene.tally.pages.insert((Pid(pid), "heap".into()), map);
    }
    scene
}

/// Six tabs: one ended by a signal, one with a code, one pushed off, one stopped.
pub(crate) fn six_tabs() -> Scene {
    let mut scene = Scene::new();
    scene.tally.start = Some(start("crash"));
    for (slot, name) in (0..).zip(["A", "B", "C", "D", "E", "F"]) {
        let pid = 200 + u32::from(slot);
        let task = task(&mut scene, pid, pid, name, slot);
        task.values.insert("counter".into(), json!(1_234_567 * (u64::from(slot) + 1)));
        let at = Nanos::from_millis(900);
        match slot {
            2 => task.ended = Some((at, Ending::Signal("SIGSEGV".into(), false))),
            3 => task.ended = Some((at, Ending::Code(3))),
            4 => task.ready_since = Some(at),
            5 => task.stopped = true,
            _ => task.on_since = Some(at),
        }
    }
    scene
}
