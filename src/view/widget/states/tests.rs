//! The diagram at its sizes, and who stands in which box.

use super::*;
use crate::fact::{Account, Nanos, Why};
use crate::view::widget::fixture::{self, any_size, shown};
use insta::assert_snapshot;
use serde_json::json;

/// A runs, B is ready, C is blocked; shares and counts are known.
fn scene() -> Scene {
    let mut scene = fixture::three_workers();
    for (n, task) in scene.tally.tasks.iter_mut().enumerate() {
        task.left = Some(if n == 2 { Why::Blocked } else { Why::Preempted });
        task.counters = Some(Account {
            at: Nanos(1),
            voluntary: 1_234 * n as u64,
            involuntary: 7,
            ran: Nanos(1),
            waited: Nanos(1),
            turns: 9,
        });
        task.values.insert("waits_for".into(), json!(["nothing", "pipe", "lock"][n]));
        task.values.insert("state".into(), json!(["R", "R", "S"][n]));
    }
    scene.tally.tasks[2].values.insert("wchan".into(), json!("futex_do_wait"));
    for (name, value) in [
        ("ran", json!({"A": 0.81, "B": 0.05, "C": 0.02})),
        ("ready", json!({"A": 0.19, "B": 0.01, "C": 0.08})),
        ("blocked", json!({"A": 0.0, "B": 0.94, "C": 0.9})),
    ] {
        scene.so_far.insert(name.into(), value);
    }
    scene
}

fn drawn(scene: &Scene, width: u16, height: u16) -> String {
    let theme = Theme::default();
    shown(&States { scene, theme: &theme, chosen: Some(Tid(103)) }, width, height)
}

#[test]
fn three_boxes_five_where_it_is_wide_and_lines_where_it_is_small() {
    let scene = scene();
    let sizes = [(40, 12), (78, 13), (66, 16), (120, 14), (50, 5), (20, 3)];
    let all: Vec<String> = sizes.map(|(w, h)| drawn(&scene, w, h)).into();
    assert_snapshot!(all.join("----\n"));
}

#[test]
fn what_is_told_of_a_worker_decides_its_box() {
    let mut scene = scene();
    let words = |scene: &Scene| States { scene, theme: &Theme::default(), chosen: None }.words();
    assert_eq!(words(&scene), "running: A; ready: B; blocked: C (lock)");
    scene.tally.tasks[1].stopped = true;
    scene.tally.tasks[2].ended = Some((Nanos(9), crate::fact::Ending::Code(0)));
    assert_eq!(words(&scene), "running: A; stopped: B; ended: C");
    let seen = drawn(&scene, 78, 11);
    assert!(seen.contains("stopped: B") && seen.contains("ended: C"), "{seen}");
}

#[test]
fn after_the_end_it_is_said_once_and_no_letter_is_left() {
    let mut scene = scene();
    for task in &mut scene.tally.tasks {
        task.ended = Some((Nanos(9), crate::fact::Ending::Code(0)));
    }
    for (width, height) in [(78, 13), (66, 16), (120, 14), (50, 5), (200, 20)] {
        let seen = drawn(&scene, width, height);
        let told = seen.matches("ended").count() - if height == 5 { 2 } else { 0 };
        assert_eq!(told, 1, "{width}x{height}: {seen}");
        assert!(!seen.contains("futex_do_wait") && !seen.contains("pipe"), "{seen}");
    }
    let letters = |scene: &Scene| {
        let states = States { scene, theme: &Theme::default(), chosen: None };
        let tasks: Vec<&TaskTally> = scene.tally.workers().collect();
        states.columns(&tasks, true).into_iter().find(|column| column.head == "ps").expect("the letters").cells
    };
    assert_eq!(letters(&scene), ["–", "–", "–"]);
    scene.tally.tasks[0].ended = None;
    assert_eq!(letters(&scene), ["R", "–", "–"]);
}

#[test]
fn looks_at_proc_take_the_kernels_letter() {
    let mut scene = scene();
    scene.tally.start.as_mut().expect("a start").source = Source::Sampled;
    for task in &mut scene.tally.tasks {
        task.left = Some(Why::Unknown);
    }
    let words = |scene: &Scene| States { scene, theme: &Theme::default(), chosen: None }.words();
    assert_eq!(words(&scene), "running: A; ready: B; blocked: C (lock)");
    scene.tally.tasks[2].values.insert("state".into(), json!("D"));
    scene.tally.tasks[1].values.remove("state");
    assert_eq!(words(&scene), "running: A; blocked: C (lock)", "of B nothing is known");
}

#[test]
fn a_box_that_is_full_counts_the_rest() {
    let mut scene = scene();
    for n in 0..13_u16 {
        let mut task = TaskTally::new(Tid(200 + u32::from(n)), crate::fact::Pid(100), Nanos::ZERO);
        (task.name, task.slot, task.left) = (format!("W{n}"), Some(3 + n), Some(Why::Blocked));
        scene.tally.tasks.push(task);
    }
    let seen = drawn(&scene, 60, 9);
    assert!(seen.lines().any(|line| line.contains(" C  lock") && line.contains('+')), "{seen}");
}

#[test]
fn any_size_is_safe() {
    let (scene, nothing) = (scene(), Scene::new());
    any_size(|w, h| drawn(&scene, w, h));
    any_size(|w, h| drawn(&nothing, w, h));
    for width in 36..130 {
        drawn(&scene, width, 9);
    }
}
