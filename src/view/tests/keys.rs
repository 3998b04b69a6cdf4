//! Whatever is pressed, in whatever order, on the real lessons: nothing panics, every screen can be drawn, and who presses
//! Esc often enough is out.

use super::fixture::{CRASH, ISOLATION, Set, TIMESLICE};
use crate::demo;
use crate::fact::{Cpu, Nanos, RunId};
use crate::lesson::{Library, embed};
use crate::lore::{Lang, Ledger};
use crate::tour::keys::BINDINGS;
use crate::tour::{Click, Effect, Event, Key, Pane, Scrolled, Side};
use crate::view::theme::Theme;
use proptest::prelude::*;

/// What happens in a story: to the tour, or to the run.
#[derive(Debug, Clone)]
enum Turn {
    Event(Event),
    Facts(&'static str, u64),
}

fn key() -> impl Strategy<Value = Key> {
    let bound = BINDINGS.iter().flat_map(|b| b.keys.iter().copied());
    let own = demo::specs().into_iter().flat_map(|s| s.controls).map(|c| Key::Char(c.key));
    let known: Vec<Key> = bound.chain(own).filter(|key| *key != Key::Ctrl('c')).collect();
    prop_oneof![
        8 => prop::sample::select(known),
        4 => prop::sample::select(vec![Key::Enter, Key::Char(' '), Key::Char('n'), Key::Char('1')]),
        1 => any::<char>().prop_map(Key::Char),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let run = || (0..12_u64).prop_map(RunId);
    prop_oneof![
        12 => key().prop_map(Event::Key),
        1 => (0..9_usize).prop_map(|n| Event::Click(Click::Lesson(n))),
        1 => (0..9_usize).prop_map(|n| Event::Click(Click::Option(n))),
        1 => "[A-G]".prop_map(|name| Event::Click(Click::Worker(name))),
        1 => (0..4_u32, any::<u64>()).prop_map(|(cpu, t)| Event::Click(Click::Moment(Cpu(cpu), Nanos(t)))),
        1 => Just(Event::Click(Click::Pane(Pane::Stage))),
        1 => (0..300_usize).prop_map(|n| Event::Click(Click::Claim(n))),
        1 => prop::sample::select(vec![Side::List, Side::Claim, Side::Stage]).prop_map(|s| Event::Click(Click::Side(s))),
        1 => run().prop_map(|run| Event::Late { run }),
        1 => ".{0,60}".prop_map(Event::CannotRun),
        1 => (any::<bool>(), any::<i32>()).prop_map(|(stage, lines)| Event::Wheel(if stage { Pane::Stage } else { Pane::Text }, lines)),
        2 => run().prop_map(|run| Event::Settled { run }),
        2 => run().prop_map(|run| Event::Over { run }),
        1 => ".{0,60}".prop_map(Event::Notice),
        1 => proptest::option::of(".{0,60}").prop_map(Event::Banner),
        1 => any::<u64>().prop_map(Event::Clock),
        1 => (0..50_usize, 0..9_usize, 0..50_usize, 0..50_usize).prop_map(|(text, below, scroll, beyond)| {
            Event::Extent { text, below, scroll, stage: Scrolled { at: scroll, beyond, page: 10, by_hand: false } }
        }),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    let recording = prop::sample::select(vec![TIMESLICE, ISOLATION, CRASH]);
    prop_oneof![
        12 => event().prop_map(Turn::Event),
        1 => (recording, 0..2_000_u64).prop_map(|(recording, ms)| Turn::Facts(recording, ms)),
    ]
}

fn real() -> Set {
    let lessons: Vec<_> = Library::new(embed::lessons(), "en").lessons().cloned().collect();
    assert!(lessons.len() >= 3, "the lessons of the program");
    let mut set = Set::with(lessons);
    let (file, text) = embed::lore();
    let ledger = Ledger::read(&file, &text, &demo::specs(), &embed::claims()).expect("the ledger of the program");
    set.tour = set.tour.with_ledger(Ok(ledger), Lang::En);
    set
}

fn leaves(set: &mut Set) -> bool {
    (0..9).any(|_| set.key(Key::Esc).contains(&Effect::Quit))
}

fn live(mut set: Set, turns: Vec<Turn>) -> Result<(), TestCaseError> {
    for (n, turn) in turns.into_iter().enumerate() {
        match turn {
            Turn::Event(event) => _ = set.event(event),
            Turn::Facts(recording, ms) => _ = set.play(recording, ms),
        }
        if n % 8 == 0 {
            let (width, height) = [(40, 12), (80, 24), (100, 23), (1, 1)][n / 8 % 4];
            set.draw(width, height, &Theme::default());
        }
    }
    prop_assert!(leaves(&mut set), "Esc does not lead out: {:?}", set.tour.contexts());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_story_ends_well(turns in prop::collection::vec(turn(), 0..120), begin in 0..5_usize) {
        let mut set = real();
        match begin {
            0 => {}
            1 => _ = set.tour.present(1, 0),
            2 => set = Set::replaying(CRASH),
            3 => set.keys([Key::Char('L'), Key::Char('a')]),
            _ => _ = set.tour.open(usize::MAX, usize::MAX),
        }
        live(set, turns)?;
    }
}

#[test]
fn a_learner_who_only_presses_enter_sees_every_step_of_every_lesson() {
    let mut set = real();
    for lesson in 0..set.tour.lessons.len() {
        set.tour.open(lesson, 0);
        let steps = set.tour.lessons[lesson].steps.len();
        for _ in 0..steps * 4 {
            set.key(Key::Enter);
        }
        let id = set.tour.lessons[lesson].id.clone();
        assert_eq!(set.tour.recall.seen[&id].len(), steps, "{id}");
        assert!(set.tour.recall.done.contains(&id), "{id}");
    }
}

#[test]
fn each_of_a_demos_own_keys_has_a_word_at_the_foot_where_there_is_room() {
    let mut set = real();
    let pools = set.tour.lessons.iter().position(|lesson| lesson.id == "pools").expect("it is there");
    set.tour.open(pools, 0);
    set.answer(1).run();
    let mut foot = |width| super::fixture::rows(&set.draw_and_tell(width, 24)).pop().expect("a foot");
    let narrow = foot(80);
    for word in ["a submit", "c cancel", "t ask", "x kill", "q leave"] {
        assert!(narrow.contains(word), "{word}: {narrow}");
    }
    let wide = foot(160);
    assert!(wide.contains("a submit another task") && wide.contains("x kill the chosen process"), "{wide}");
    let tiny = foot(66);
    assert!(tiny.contains("a c t x"), "{tiny}");
}
