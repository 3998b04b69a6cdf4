//! The ledger's page: keys and runs in, effects and state out. The claims are those of the program.

mod testing;

use super::super::keys::Context;
use super::super::tests::{press, scene, started};
use super::super::*;
use super::*;
use crate::demo;
use crate::fact::{Fact, Outcome, Values};
use crate::lesson::{Library, embed};
use crate::lore::{Came, Ledger, Stands, Verdict as Says, judge};
use serde_json::json;

fn book() -> Ledger {
    let (file, text) = embed::lore();
    Ledger::read(&file, &text, &demo::specs(), &embed::claims()).expect("the ledger of the program")
}

/// A tour with its ledger open.
fn tour() -> Tour {
    let lessons: Vec<_> = Library::new(embed::lessons(), "en").lessons().cloned().collect();
    let mut tour = Tour::new(lessons, demo::specs(), Recall::default()).with_ledger(Ok(book()), Lang::En);
    press(&mut tour, &Scene::new(), "L");
    assert_eq!(tour.contexts()[0], Context::Ledger);
    tour
}

/// A tour at the claim with this id.
fn at(id: &str) -> Tour {
    let mut tour = tour();
    let n = tour.claims.find(id).expect(id);
    tour.page_mut().expect("open").cursor = n;
    tour
}

/// What a run has told when its values could be judged.
fn told(values: &[(&str, Value)]) -> Scene {
    scene(vec![Fact::SoFar {
        values: values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    }])
}

/// What a run has told at its end.
fn ended(values: &[(&str, Value)], seconds: f64, broke: Option<&str>) -> Scene {
    let values: Values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let broke = broke.map(str::to_owned);
    scene(vec![Fact::Outcome(Outcome { values, lost: 0, seconds, clean: true, left_behind: 0, broke })])
}

fn says(tour: &Tour, id: &str) -> Option<Says> {
    tour.recall.answers.get(id).map(|told| told.verdict)
}

fn running(tour: &Tour) -> RunId {
    tour.watch().filter(|watch| watch.running).expect("a run").run
}

/// Two processes share memory: fewer than two values seen is against it.
const SHARE: &str = "004-06";

/// A verdict by itself.
fn verdict(verdict: Says) -> Told {
    Told { verdict, because: String::new(), shown: Vec::new(), elsewhere: None }
}

#[test]
fn what_the_learner_says_is_kept_and_can_be_said_otherwise() {
    let (mut tour, empty) = (at(SHARE), Scene::new());
    for (keys, so) in [("y", Some(true)), ("n", Some(false)), ("d", None), ("1", Some(true)), ("3", None)] {
        let effects = press(&mut tour, &empty, keys);
        assert_eq!(effects, [Effect::Remember(Memory::Believed { claim: SHARE.to_owned(), so })]);
        assert_eq!(tour.recall.beliefs[SHARE], so);
    }
    assert_eq!(tour.score().said, 1);
}

#[test]
fn what_was_said_before_the_machine_answered_stays() {
    let (mut tour, empty) = (at(SHARE), Scene::new());
    tour.recall.answers.insert(SHARE.to_owned(), verdict(Says::Holds));
    assert_eq!(press(&mut tour, &empty, "n").len(), 1, "the answer waits until the learner has spoken");
    assert_eq!(press(&mut tour, &empty, "y"), []);
    assert_eq!(tour.recall.beliefs[SHARE], Some(false));
    assert!(tour.notice.as_deref().is_some_and(|notice| notice.contains("stays")), "{:?}", tour.notice);
}

#[test]
fn esc_lists_all_again_before_it_leaves() {
    let (mut tour, empty) = (at(SHARE), Scene::new());
    press(&mut tour, &empty, "/");
    for c in "shared".chars() {
        tour.typed(c);
    }
    press(&mut tour, &empty, "\n");
    assert!(tour.listed().len() < 245 && tour.page().is_some_and(|page| !page.typing && !page.search.is_empty()));
    press(&mut tour, &empty, "\u{1b}");
    assert_eq!((tour.listed().len(), tour.page().map(|page| page.search.as_str())), (245, Some("")));
    press(&mut tour, &empty, "\u{1b}");
    assert!(tour.page().is_none());
}

#[test]
fn learner_and_machine_agree_differ_or_leave_it_open() {
    use Standing::{Agree, Differ, NotSaid, NotTested, Open};
    let mut tour = at(SHARE);
    let claim = book().find(SHARE).expect(SHARE).clone();
    assert_eq!(tour.standing(&claim), NotSaid);
    let table = [
        (Some(true), Says::Holds, Agree),
        (Some(true), Says::CpythonOnly, Agree),
        (Some(true), Says::Fails, Differ),
        (Some(false), Says::Fails, Agree),
        (Some(false), Says::Holds, Differ),
        (Some(false), Says::Inconclusive, Open),
        (None, Says::Holds, Open),
    ];
    for (so, says, standing) in table {
        tour.recall.answers.clear();
        tour.recall.beliefs.insert(SHARE.to_owned(), so);
        assert_eq!(tour.standing(&claim), NotTested);
        tour.recall.answers.insert(SHARE.to_owned(), verdict(says));
        assert_eq!(tour.standing(&claim), standing, "{so:?} {says:?}");
        let score = tour.score();
        assert_eq!((score.all, score.said, score.agree + score.differ + score.open + score.untested), (245, 1, 1));
    }
}

#[test]
fn filters_list_what_they_say_and_no_verdict_before_the_learner_has_spoken() {
    let (mut tour, empty) = (at(SHARE), Scene::new());
    let testable = |tour: &Tour| tour.claims.iter().filter(|claim| claim.test.is_some()).count();
    let listed = |tour: &mut Tour| {
        press(tour, &empty, "f");
        (tour.page().expect("open").filter, tour.listed().len())
    };
    tour.recall.answers.insert(SHARE.to_owned(), verdict(Says::Fails));
    assert_eq!(listed(&mut tour), (Filter::NotSaid, 245));
    assert_eq!(listed(&mut tour), (Filter::NotTested, testable(&tour) - 1));
    assert_eq!(listed(&mut tour), (Filter::Differ, 0));
    assert_eq!(tour.chosen_claim(), None, "nothing is chosen where nothing is listed");
    assert_eq!(listed(&mut tour), (Filter::Fails, 0), "the learner has not said yet");
    tour.recall.beliefs.insert(SHARE.to_owned(), Some(true));
    assert_eq!(tour.listed().len(), 1);
    assert_eq!(listed(&mut tour), (Filter::Open, 245 - testable(&tour)));
    assert_eq!(listed(&mut tour), (Filter::All, 245));
}

#[test]
fn whoever_answers_among_those_not_said_yet_still_reads_what_they_answered() {
    let (mut tour, empty) = (at(SHARE), Scene::new());
    press(&mut tour, &empty, "fy");
    assert_eq!(tour.chosen_claim().map(|(_, claim)| claim.id.as_str()), Some(SHARE));
    let before = tour.listed().len();
    press(&mut tour, &empty, "j");
    assert_eq!(tour.listed().len(), before - 1);
    assert_ne!(tour.chosen_claim().map(|(_, claim)| claim.id.as_str()), Some(SHARE));
}

#[test]
fn a_search_finds_words_and_ids_and_takes_all_keys_meanwhile() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "/thread memory");
    assert_eq!(tour.contexts(), [Context::Search]);
    let found = tour.listed();
    assert!((2..40).contains(&found.len()), "{}", found.len());
    press(&mut tour, &empty, "\n");
    assert_eq!(tour.chosen_claim().map(|(n, _)| n), Some(found[0]));
    press(&mut tour, &empty, "/");
    for _ in 0..40 {
        tour.update(Event::Key(Key::Backspace), &empty);
    }
    assert_eq!(tour.listed().len(), 245);
    press(&mut tour, &empty, SHARE);
    assert_eq!(tour.chosen_claim().map(|(_, claim)| claim.id.as_str()), Some(SHARE));
    press(&mut tour, &empty, "进程?qq");
    assert_eq!((tour.listed(), tour.help), (Vec::new(), None));
    assert_eq!(press(&mut tour, &empty, "\x1b"), []);
    assert_eq!((tour.listed().len(), tour.contexts()[0]), (245, Context::Ledger));
}

#[test]
fn reading_leads_to_the_lessons_step_and_back_to_the_claim() {
    let (mut tour, empty) = (at(SHARE), Scene::new());
    let place = tour.claims.place(tour.page().expect("open").cursor).expect("it has one");
    press(&mut tour, &empty, "y \n");
    assert_eq!(tour.player().map(|p| (Some(p.lesson), Some(p.step))), Some((place.lesson, place.step)));
    press(&mut tour, &empty, "n");
    let effects = press(&mut tour, &empty, "\x1b");
    assert!(effects.contains(&Effect::Stop));
    assert_eq!(tour.chosen_claim().map(|(_, claim)| claim.id.as_str()), Some(SHARE));
    assert!(tour.watch().is_none() && tour.page().is_some_and(|page| page.testing.is_none()));
    press(&mut tour, &empty, "\nL");
    assert!(tour.page().is_some(), "the same page, not another one on top");
    press(&mut tour, &empty, "\x1b");
    assert!(matches!(tour.screen, Screen::Catalogue(_)));
    press(&mut tour, &empty, "L");
    assert_eq!(tour.chosen_claim().map(|(_, claim)| claim.id.as_str()), Some(SHARE), "where it was left");
}

#[test]
fn from_a_lesson_it_opens_at_the_claims_of_the_step_and_leads_back_to_it() {
    let empty = Scene::new();
    let mut tour = tour();
    press(&mut tour, &empty, "\x1b");
    let lesson = tour.lessons.iter().position(|lesson| lesson.id == "ledger").expect("the lesson");
    let step =
        tour.lessons[lesson].steps.iter().position(|step| step.claims.iter().any(|id| id == SHARE)).expect("a step");
    tour.open(lesson, step);
    press(&mut tour, &empty, "1");
    press(&mut tour, &empty, " ");
    let run = running(&tour);
    tour.update(Event::Over { run }, &ended(&[("values_seen", json!(3)), ("shared_pages", json!(1))], 2.0, None));
    let told = tour.player().expect("a lesson").clone();
    let effects = press(&mut tour, &empty, "L");
    assert_eq!(effects, [Effect::Stop]);
    let chosen = tour.chosen_claim().map(|(_, claim)| claim.id.clone());
    assert_eq!(chosen.as_ref(), tour.lessons[lesson].steps[step].claims.first());
    press(&mut tour, &empty, "\x1b");
    let player = tour.player().expect("the lesson again");
    assert_eq!((player.lesson, player.step, &player.asked), (lesson, step, &told.asked));
    assert!(player.told() && player.watch.is_none(), "what was answered stays answered");
}

#[test]
fn whoever_reads_a_claim_goes_on_to_the_next() {
    let (mut tour, empty) = (at(SHARE), Scene::new());
    let n = tour.page().expect("open").cursor;
    press(&mut tour, &empty, "y ");
    let run = running(&tour);
    tour.update(Event::Over { run }, &ended(&[], 1.0, None));
    press(&mut tour, &empty, "jj");
    assert_eq!(tour.page().map(|page| (page.cursor, page.scroll)), Some((n, 2)), "down is down in what is read");
    tour.update(Event::Key(Key::Right), &empty);
    assert_eq!(tour.page().map(|page| (page.cursor, page.scroll, page.side)), Some((n + 1, 0, Side::Claim)));
    assert_eq!(tour.watch(), None, "the run was about the one before");
}

#[test]
fn a_ledger_that_cannot_be_read_is_said_and_no_key_hurts() {
    let lessons: Vec<_> = Library::new(embed::lessons(), "en").lessons().cloned().collect();
    let mut tour = Tour::new(lessons, demo::specs(), Recall::default()).with_ledger(Err("line 7".to_owned()), Lang::En);
    let empty = Scene::new();
    assert_eq!(press(&mut tour, &empty, "Lynd aacf/x\n\njk gG"), []);
    assert_eq!(tour.claims.wrong.as_deref(), Some("line 7"));
    assert_eq!(press(&mut tour, &empty, "\x1b\x1b").last(), Some(&Effect::Quit));
}
