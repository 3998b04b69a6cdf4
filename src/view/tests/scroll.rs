//! What the stage has no room for: it can be scrolled to, by keys and by the wheel, and nothing of it is lost.

use super::fixture::{Set, TIMESLICE, rows};
use super::{TURNS, during};
use crate::demo;
use crate::tour::Key::{Char, Down, End, Home, PageDown, PageUp, Tab, Up};
use crate::tour::{Event, Pane, Scrolled};
use crate::view::View;
use crate::view::theme::Theme;
use ratatui::layout::Rect;
use serde_json::json;
use std::collections::BTreeSet;

/// A demo that measures `rows` things and their ratios, recorded.
fn ladder(rows: usize) -> Set {
    let mut set = Set::new();
    set.tour.replay(demo::find("ladder").expect("a demo of ours").spec());
    fill(&mut set, rows);
    set
}

fn fill(set: &mut Set, rows: usize) {
    let names: Vec<String> = (0..rows).map(|n| format!("thing {n:02}")).collect();
    let values = json!({"ns": 52.0, "low": 50.0, "high": 53.0, "ratio": 2.0, "verdict": "more"});
    let told: Vec<_> = names.iter().map(|name| (name.as_str(), values.clone())).collect();
    let ratios: Vec<String> = (0..rows).map(|n| format!("ratio {n:02}")).collect();
    let ratios: Vec<_> = ratios.iter().map(|name| (name.as_str(), values.clone())).collect();
    for picture in set.tour.watch().expect("it is watched").spec.pictures {
        match picture {
            crate::fact::Picture::Bars(spec) => set.scene.tally.put_table(spec.table, &told),
            crate::fact::Picture::Table(spec) => set.scene.tally.put_table(spec.name, &ratios),
            _ => {}
        }
    }
}

fn seen(set: &mut Set, (width, height): (u16, u16)) -> String {
    rows(&set.draw_and_tell(width, height)).join("\n")
}

fn scrolled(set: &Set) -> Scrolled {
    set.tour.watch().expect("it is watched").scrolled
}

#[test]
fn it_begins_at_its_top_and_every_row_can_be_scrolled_to() {
    for size in [(40, 12), (60, 15), (80, 24), (100, 24), (120, 36), (160, 50)] {
        let mut set = ladder(30);
        let top = seen(&mut set, size);
        assert!(top.contains("thing 00") && !top.contains("↑"), "{top}");
        let mut found: BTreeSet<String> = BTreeSet::new();
        for _ in 0..400 {
            let now = seen(&mut set, size);
            let names = ["thing", "ratio"].into_iter().flat_map(|what| (0..30).map(move |n| format!("{what} {n:02}")));
            found.extend(names.filter(|name| now.contains(name.as_str())));
            let before = scrolled(&set).at;
            set.key(Down);
            seen(&mut set, size);
            if scrolled(&set).at == before {
                break;
            }
        }
        assert_eq!(found.len(), 60, "{size:?}");
        let end = seen(&mut set, size);
        assert!(end.contains(&format!(" ↑ {} more ", scrolled(&set).beyond)), "{end}");
        assert_eq!(scrolled(&set).at, scrolled(&set).beyond);
    }
}

#[test]
fn the_mark_says_how_much_is_above_and_below() {
    let mut set = ladder(20);
    let beyond = |set: &mut Set| (seen(set, (80, 24)), scrolled(set).beyond);
    let (first, all) = beyond(&mut set);
    assert!(first.contains(&format!(" ↓ {all} more ")), "{first}");
    set.keys([Down, Down]);
    let (second, _) = beyond(&mut set);
    assert!(second.contains(&format!(" ↑ 2  ↓ {} more ", all - 2)), "{second}");
    set.key(End);
    assert!(beyond(&mut set).0.contains(&format!(" ↑ {all} more ")));
    set.keys([PageUp, PageDown, Home]);
    // But for the foot: that there is something to scroll was found by drawing it.
    let picture = |screen: &str| screen.lines().take(23).collect::<Vec<_>>().join("\n");
    assert_eq!(picture(&beyond(&mut set).0), picture(&first));
}

#[test]
fn a_run_that_ends_or_another_picture_keeps_it_in_range() {
    let mut set = ladder(30);
    seen(&mut set, (80, 24));
    set.key(End);
    seen(&mut set, (80, 24));
    let far = scrolled(&set).at;
    fill(&mut set, 3);
    let now = seen(&mut set, (80, 24));
    assert!(scrolled(&set).at <= scrolled(&set).beyond && scrolled(&set).beyond < far, "{now}");
    assert!(now.contains("ratio 02"), "{now}");
    fill(&mut set, 30);
    set.key(Char('v'));
    assert!(seen(&mut set, (80, 24)).contains("ratio 00"), "the next picture begins at its top");
}

#[test]
fn keys_scroll_what_has_the_focus_and_the_wheel_what_it_is_over() {
    let mut set = during(TURNS, TIMESLICE, 700);
    let size = (80, 24);
    seen(&mut set, size);
    assert!(scrolled(&set).beyond > 0 && set.tour.player().is_some_and(|player| player.pane == Pane::Stage));
    let text = |set: &Set| set.tour.player().expect("a step").scroll;
    let before = text(&set);
    set.key(Down);
    seen(&mut set, size);
    assert_eq!((scrolled(&set).at, text(&set)), (1, before));
    set.keys([Tab, Home, Down]);
    seen(&mut set, size);
    assert_eq!((scrolled(&set).at, text(&set)), (1, 1));
    let pane = |set: &Set, y| {
        let view = View { tour: &set.tour, scene: &set.scene, theme: &Theme::default() };
        view.pane_at(Rect::new(0, 0, 80, 24), 20, y)
    };
    assert_eq!([2, 22].map(|y| pane(&set, y)), [Pane::Text, Pane::Stage]);
    set.event(Event::Wheel(Pane::Stage, 3));
    assert_eq!((scrolled(&set).at, text(&set)), (4, 1));
    set.event(Event::Wheel(Pane::Text, 2));
    assert_eq!((scrolled(&set).at, text(&set)), (4, 3));
    set.keys([Tab, Up]);
    assert_eq!(scrolled(&set).at, 3);
}

#[test]
fn a_presenters_remote_goes_to_the_next_step_even_where_the_stage_could_be_scrolled() {
    let mut set = Set::presenting(TURNS);
    set.answer(1).run().play_all(TIMESLICE);
    seen(&mut set, (60, 16));
    assert!(scrolled(&set).beyond > 0);
    set.key(PageDown);
    assert_eq!(set.tour.player().map(|player| player.step), Some(TURNS + 1));
}

#[test]
fn of_a_log_the_newest_is_seen_until_it_is_scrolled() {
    let mut set = Set::new();
    set.tour.replay(demo::find("trespass").expect("a demo of ours").spec());
    let names: Vec<String> = (0..40).map(|n| format!("try {n:02}")).collect();
    let told: Vec<_> = names.iter().map(|name| (name.as_str(), json!({"outcome": "EPERM"}))).collect();
    let crate::fact::Picture::Log(spec) = demo::find("trespass").expect("it").spec().pictures[0] else {
        panic!("it tells a story")
    };
    for many in [5, 20, 40] {
        set.scene.tally.put_table(spec.name, &told[..many]);
        let now = seen(&mut set, (80, 24));
        assert!(now.contains(&names[many - 1]), "{now}");
    }
    set.key(Up);
    let now = seen(&mut set, (80, 24));
    assert!(now.contains(" ↓ 1 more ") && !now.contains(&names[39]), "{now}");
}
