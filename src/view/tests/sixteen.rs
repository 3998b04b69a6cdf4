//! Screens of a machine with sixteen CPUs: recorded there, not drawn by hand (`tests/data/recordings/sixteen`).

use super::fixture::{Set, rows, unpacked};
use super::{SIZES, TURNS, after, at_all_sizes, during};
use crate::fact::{Nanos, Picture};
use crate::tour::Key::{Char, Down};
use crate::view::View;
use crate::view::theme::{Charset, ColourDepth, Role, Theme};
use insta::assert_snapshot;
use ratatui::layout::Rect;

/// The recordings, each with its name.
macro_rules! recordings {
    ($($name:literal),*) => {
        [$(($name, include_bytes!(concat!("../../../tests/data/recordings/sixteen/", $name, ".rec")).as_slice())),*]
    };
}

const RECORDINGS: &[(&str, &[u8])] = &recordings![
    "timeslice",
    "timeslice-self-timed",
    "priority",
    "cores",
    "pinning",
    "states",
    "isolation",
    "crash",
    "crash-threads",
    "crash-sampled",
    "stop",
    "visibility"
];

fn recording(name: &str) -> String {
    let (_, bytes) = RECORDINGS.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no {name}"));
    unpacked(bytes)
}

/// The replay of a recording, the picture at `place` first.
fn replay(name: &str, place: usize) -> Set {
    let mut set = Set::replaying(&recording(name));
    set.keys(std::iter::repeat_n(Char('v'), place));
    set
}

fn text(set: &Set, (width, height): (u16, u16), theme: &Theme) -> String {
    rows(&set.draw(width, height, theme)).join("\n")
}

#[test]
fn lanes_fold_by_what_happened_on_them() {
    for name in ["timeslice", "cores", "pinning"] {
        assert_snapshot!(name, at_all_sizes(&replay(name, 0)));
    }
    assert_snapshot!("crash", at_all_sizes(&replay("crash", 0)));
    assert_snapshot!("tabs_on_lanes", at_all_sizes(&replay("crash", 1)));
}

#[test]
fn table_and_curve_of_more_workers_than_fit() {
    assert_snapshot!("cores_table", at_all_sizes(&replay("cores", 1)));
    assert_snapshot!("cores_curve", at_all_sizes(&replay("cores", 2)));
}

#[test]
fn a_step_keeps_the_letters_of_the_one_core_that_is_used() {
    let recording = recording("timeslice");
    assert_snapshot!("turns_during", at_all_sizes(&during(TURNS, &recording, 700)));
    assert_snapshot!("turns_after", at_all_sizes(&after(TURNS, &recording, 1)));
}

#[test]
fn the_header_counts_the_cores() {
    for (name, _) in RECORDINGS {
        let set = replay(name, 0);
        for size in &SIZES[1..] {
            let head = text(&set, *size, &Theme::default()).lines().next().unwrap_or_default().to_owned();
            assert!(head.contains("16 cores"), "{name}: {head}");
        }
    }
}

#[test]
fn every_recording_is_drawn_at_any_size_with_any_picture() {
    for (name, bytes) in RECORDINGS {
        let lines = unpacked(bytes);
        let whole = Set::replaying(&lines);
        let last = whole.scene.now().0 / 1_000_000;
        for ms in [1, last / 3, last] {
            let mut set = Set::replaying(&lines);
            set.scene = crate::scene::Scene::new();
            set.play(&lines, ms);
            for _ in 0..set.tour.watch().map_or(0, |watch| watch.spec.pictures.len()) {
                for (width, height) in SIZES.into_iter().chain([(0, 0), (1, 1), (0, 60), (200, 0), (81, 23), (99, 30)])
                {
                    let drawn = set.draw(width, height, &Theme::default());
                    assert_eq!(*drawn.area(), Rect::new(0, 0, width, height), "{name}");
                    let view = View { tour: &set.tour, scene: &set.scene, theme: &Theme::default() };
                    for y in 0..height {
                        let _ = view.hit(*drawn.area(), width / 2, y);
                    }
                }
                set.key(Char('v'));
            }
        }
    }
}

#[test]
fn who_is_on_a_core_is_never_told_by_colour_alone() {
    let set = replay("cores", 0);
    let plain = Theme::default().on(ColourDepth::None, Charset::Unicode);
    let small = text(&set, (40, 12), &Theme::default());
    assert!(small.contains("more cores"), "{small}");
    let stage = during(TURNS, &recording("cores"), 30_000);
    for (theme, halves) in [(Theme::default(), true), (plain, false)] {
        let drawn = text(&stage, (80, 24), &theme);
        assert_eq!(drawn.contains("0+1"), halves, "{drawn}");
        assert_eq!(drawn.contains("more cores"), !halves, "{drawn}");
    }
}

#[test]
fn the_core_that_is_pointed_at_has_a_row() {
    for name in ["timeslice", "cores", "crash"] {
        let mut set = replay(name, 0);
        set.key(Char('p'));
        for _ in 0..16 {
            let at = set.tour.watch().and_then(|w| w.paused).map(|p| p.cpu).expect("it is paused");
            let drawn = text(&set, (40, 12), &Theme::default());
            let label = format!("core {at} ");
            assert!(drawn.contains(&label), "{name}: no {label} in {drawn}");
            set.key(Down);
        }
    }
}

#[test]
fn two_cores_in_a_row_are_marked_as_the_one_that_is_pointed_at() {
    let mut set = replay("cores", 0);
    set.key(Char('p'));
    let theme = Theme::default();
    let drawn = set.draw(80, 14, &theme);
    let shown = rows(&drawn);
    let strong = theme.style(Role::Strong);
    let marked = |y: usize| {
        let cell = &drawn[(2, u16::try_from(y).expect("a row"))];
        cell.fg == strong.fg.unwrap_or_default() && cell.modifier.contains(strong.add_modifier)
    };
    let labels: Vec<usize> = (0..shown.len()).filter(|y| shown[*y].contains('+') && shown[*y].contains('▏')).collect();
    assert_eq!(labels.len(), 8, "{shown:#?}");
    assert_eq!(labels.iter().filter(|y| marked(**y)).count(), 1, "{shown:#?}");
}

#[test]
fn all_lanes_stand_where_there_is_room_for_the_next_picture_too() {
    let set = replay("timeslice", 0);
    let pictures = set.tour.watch().expect("a recording is watched").spec.pictures;
    assert!(matches!(pictures[..2], [Picture::Lanes, Picture::Workers]), "the test looks for these");
    let (small, large) = (text(&set, (80, 24), &Theme::default()), text(&set, (120, 36), &Theme::default()));
    assert!(small.contains("14 other cores: nobody of this run") && small.contains("pushed off"), "{small}");
    assert!(large.contains("core 15 ") && !large.contains("other cores") && large.contains("pushed off"), "{large}");
    assert!(set.scene.now() > Nanos::from_millis(2_000));
}
