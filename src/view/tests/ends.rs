//! What text and stage say when a run was judged, and when it has ended.

use super::fixture::{Set, TIMESLICE, rows};
use super::{TURNS, after, during};
use crate::fact::{Fact, Nanos, Outcome, Stamped, Unavailable};
use crate::tour::Key::Char;

#[test]
fn the_text_follows_the_stage_and_the_answer_says_when_it_was_measured() {
    let mut set = during(TURNS, TIMESLICE, 700);
    let values = |ms: f64| {
        let values = [("median_turn_ns".to_owned(), serde_json::json!(ms * 1e6))].into();
        [Stamped::new(Nanos::from_millis(710), Fact::SoFar { values })]
    };
    let seen = |set: &mut Set| rows(&set.draw_and_tell(200, 60)).join("\n");
    set.scene.extend(&values(3.5));
    set.settle();
    assert!(seen(&mut set).contains("Yours was 3.50 ms"), "{}", seen(&mut set));
    assert!(seen(&mut set).contains("measured: 3.50 ms, you said"), "{}", seen(&mut set));
    set.scene.extend(&values(4.5));
    assert!(seen(&mut set).contains("Yours was 4.50 ms"), "{}", seen(&mut set));
    let answer = seen(&mut set);
    assert!(answer.contains("measured: 3.50 ms in the first 0.7 s"), "{answer}");
    set.play_all(TIMESLICE);
    let ended = seen(&mut set);
    assert!(ended.contains("Yours was 3.98 ms") && ended.contains("measured: 3.50 ms in the first 0.7 s"), "{ended}");
}

#[test]
fn after_the_end_the_lanes_show_where_something_ran_last() {
    let lane = |set: &mut Set| {
        let drawn = rows(&set.draw_and_tell(100, 24));
        drawn.into_iter().find(|row| row.contains("core 0 ▏")).expect("a lane")
    };
    for mut set in [after(TURNS, TIMESLICE, 1), Set::replaying(TIMESLICE)] {
        // Its workers had left, and for a minute it did something else.
        set.scene.advance(Nanos::from_millis(60_000));
        let row = lane(&mut set);
        assert!(["A", "B", "C"].iter().all(|who| row.contains(who)), "{row}");
        set.key(Char('p'));
        let row = lane(&mut set);
        assert!(["A", "B", "C"].iter().any(|who| row.contains(who)), "a pause begins there too: {row}");
    }
}

/// A run of the first step that ended with these values after so many seconds.
fn ended<V: Into<serde_json::Value> + Clone>(
    set: &mut Set,
    values: &[(&str, V)],
    seconds: f64,
    broke: Option<&str>,
) -> String {
    let values = values.iter().map(|(name, n)| ((*name).to_owned(), n.clone().into())).collect();
    let broke = broke.map(str::to_owned);
    let outcome = Outcome { values, lost: 0, seconds, clean: true, left_behind: 0, broke };
    set.scene.apply(&Stamped::new(Nanos::from_millis(3000), Fact::Outcome(outcome)));
    set.over();
    rows(&set.draw_and_tell(200, 60)).join("\n")
}

#[test]
fn a_prediction_that_stays_open_is_said_first() {
    let mut set = Set::at(TURNS);
    set.answer(1).run();
    let seen = ended(&mut set, &[("switches", 10)], 3.0, None);
    assert!(seen.contains("Your prediction stays open: this run could not answer it. The rest is as"), "{seen}");
    assert!(!seen.contains('✓'), "{seen}");
}

#[test]
fn a_run_that_cannot_tell_says_so_and_ticks_nothing() {
    let mut set = Set::at(TURNS);
    set.answer(1).run();
    let seen = ended(&mut set, &[("verdict", "inconclusive")], 3.0, None);
    assert!(seen.contains("This run cannot tell: inconclusive. Your prediction stays open."), "{seen}");
    assert!(!seen.contains('✓') && !seen.contains("as the lesson says"), "{seen}");
}

#[test]
fn a_run_that_was_refused_says_so_once() {
    let mut set = Set::at(TURNS);
    set.answer(1).run();
    let refused = Unavailable::new("self-timed slices", "its workers sleep");
    set.scene.apply(&Stamped::new(Nanos::ZERO, Fact::Refused(refused.clone())));
    let seen = ended::<u64>(&mut set, &[], 0.0, Some(&refused.to_string()));
    assert_eq!(seen.matches("its workers sleep").count(), 1, "{seen}");
    assert!(seen.contains("✗ It could not run here: self-timed slices: its workers sleep"), "{seen}");
}
