//! Claims tested from the page: what is run, what is judged, and what becomes of runs that go wrong.

use super::*;

#[test]
fn a_claim_is_tested_by_its_run_and_so_are_the_others_that_it_answers() {
    let (mut tour, empty) = (at(SHARE), Scene::new());
    assert_eq!(started(&press(&mut tour, &empty, " ")), None, "first say");
    assert!(tour.notice.as_deref().is_some_and(|words| words.starts_with("First say")));
    press(&mut tour, &empty, "n");
    let effects = press(&mut tour, &empty, " ");
    let [Effect::Start(start)] = effects.as_slice() else { panic!("{effects:?}") };
    let claim = book().find(SHARE).expect(SHARE).clone();
    let test = claim.test.clone().expect("it is tested");
    assert_eq!(start.demo, test.spec.name);
    let params = crate::fact::Params::from_values(test.spec, &start.params).expect("they are right");
    assert_eq!(params, test.params, "what differs from the defaults is all there is to say");
    assert_eq!(tour.page().map(|page| page.side), Some(Side::Stage));

    let values = told(&[]);
    let effects = tour.update(Event::Settled { run: start.run }, &values);
    let judged = effects.iter().filter(|e| matches!(e, Effect::Remember(Memory::Answered { .. }))).count();
    assert_eq!(judged, tour.page().expect("open").answers().len(), "all that the run answers");
    assert_eq!(effects.last(), Some(&Effect::Finish), "then it is asked to end");
    let came: Came = Ok(Values::new());
    assert_eq!(says(&tour, SHARE), Some(judge(&claim, Some(&came), Lang::En).verdict), "as the command judges it");
    assert_eq!(tour.update(Event::Over { run: start.run }, &ended(&[], 2.0, None)), []);
    let page = tour.page().expect("open");
    assert!(page.testing.is_none() && page.side == Side::Claim, "and the verdict is looked at");
}

#[test]
fn what_settled_is_judged_and_not_how_it_ended() {
    let (mut tour, empty) = (at("000-27"), Scene::new());
    press(&mut tour, &empty, "y ");
    let run = running(&tour);
    let values = |n: u64| vec![("survivors", json!(n)), ("tabs", json!(6)), ("died", json!(["C"]))];
    tour.update(Event::Settled { run }, &told(&values(0)));
    let first = tour.recall.answers["000-27"].clone();
    tour.update(Event::Over { run }, &ended(&values(6), 2.0, None));
    assert_eq!(tour.recall.answers["000-27"], first);
    press(&mut tour, &empty, " ");
    let run = running(&tour);
    tour.update(Event::Settled { run }, &told(&values(0)));
    tour.update(Event::Over { run }, &ended(&values(0), 2.0, Some("its warden was killed")));
    assert_eq!(says(&tour, "000-27"), Some(Says::Inconclusive), "unless it broke");
}

#[test]
fn a_run_that_breaks_is_refused_or_hangs_leaves_its_claims_open_and_says_why() {
    type Way = fn(&mut Tour, RunId) -> Vec<Effect>;
    let ways: [(Way, &str); 4] = [
        (|tour, run| tour.update(Event::Over { run }, &ended(&[], 1.0, Some("it fell over"))), "it fell over"),
        (|tour, run| tour.update(Event::Over { run }, &ended(&[], 0.0, Some("no python3"))), "no python3"),
        (|tour, _| tour.update(Event::CannotRun("no room".to_owned()), &Scene::new()), "no room"),
        (
            |tour, run| {
                assert_eq!(tour.update(Event::Late { run }, &Scene::new()), [Effect::Finish]);
                tour.update(Event::Over { run }, &ended(&[], 99.0, None))
            },
            "neither settled nor ended",
        ),
    ];
    for (way, why) in ways {
        let (mut tour, empty) = (at(SHARE), Scene::new());
        press(&mut tour, &empty, "y ");
        let run = running(&tour);
        way(&mut tour, run);
        let told = tour.recall.answers.get(SHARE).expect(why).clone();
        assert_eq!(told.verdict, Says::Inconclusive);
        assert!(told.because.contains(why), "{}", told.because);
        assert!(tour.page().is_some_and(|page| page.testing.is_none()) && !tour.watch().is_some_and(|w| w.running));
        assert!(started(&press(&mut tour, &empty, " ")).is_some(), "space tries again");
    }
}

#[test]
fn what_the_learner_ends_too_early_is_not_judged() {
    let (mut tour, empty) = (at(SHARE), Scene::new());
    press(&mut tour, &empty, "y ");
    let run = running(&tour);
    assert_eq!(press(&mut tour, &empty, " "), [Effect::Finish]);
    tour.update(Event::Over { run }, &ended(&[], 0.2, None));
    assert_eq!(says(&tour, SHARE), None);
    assert!(tour.notice.as_deref().is_some_and(|words| words.starts_with("You ended it")));
}

#[test]
fn all_are_tested_one_run_after_the_other_whatever_becomes_of_each() {
    let (mut tour, empty) = (tour(), Scene::new());
    let mut effects = press(&mut tour, &empty, "a");
    let runs = tour.page().and_then(|page| page.testing.as_ref()).expect("it tests").runs.len();
    assert!(runs > 40, "{runs}");
    for n in 0..runs {
        let run = started(&effects).unwrap_or_else(|| panic!("run {n} of {runs}: {effects:?}"));
        let testing = tour.page().and_then(|page| page.testing.as_ref()).expect("it goes on");
        assert_eq!((testing.at, testing.left().is_some()), (n, n > 0));
        effects = match n % 4 {
            0 => tour.update(Event::CannotRun("no room".to_owned()), &empty),
            1 => tour.update(Event::Over { run }, &ended(&[], 1.0, Some("it broke"))),
            2 => tour.update(Event::Over { run }, &ended(&[], 1.0, None)),
            _ => {
                tour.update(Event::Settled { run }, &told(&[]));
                tour.update(Event::Over { run }, &ended(&[], 1.0, None))
            }
        };
    }
    assert_eq!(started(&effects), None);
    let untold = tour.claims.iter().filter(|claim| tour.told(claim).is_none()).count();
    assert_eq!(untold, 0, "each claim has a verdict");
    let testable = tour.claims.iter().filter(|claim| claim.test.is_some()).count();
    assert_eq!(tour.recall.answers.len(), testable);
    assert!(tour.page().is_some_and(|page| page.testing.is_none()));
    press(&mut tour, &empty, "a");
    let again = tour.page().and_then(|page| page.testing.as_ref()).expect("all again").runs.len();
    assert_eq!(again, runs, "where none is left, all are");
}

#[test]
fn testing_all_is_stopped_at_any_time_and_what_was_measured_stays() {
    for stop in ["a", " ", "\x1b"] {
        let (mut tour, empty) = (tour(), Scene::new());
        let first = started(&press(&mut tour, &empty, "a")).expect("runs");
        let effects = tour.update(Event::Over { run: first }, &ended(&[], 1.0, None));
        let second = started(&effects).expect("and goes on");
        let kept = tour.recall.answers.clone();
        assert!(!kept.is_empty());
        let effects = press(&mut tour, &empty, stop);
        assert!(matches!(effects.as_slice(), [Effect::Finish | Effect::Stop]), "{effects:?}");
        assert!(tour.page().is_some(), "still in the ledger");
        assert_eq!(started(&tour.update(Event::Over { run: second }, &ended(&[], 0.1, None))), None);
        assert_eq!(tour.recall.answers, kept);
        assert!(tour.page().is_some_and(|page| page.testing.is_none()));
        let left = started(&press(&mut tour, &empty, "a"));
        assert!(left.is_some());
        let testing = tour.page().and_then(|page| page.testing.as_ref()).expect("what is left");
        assert!(
            testing
                .runs
                .iter()
                .flat_map(|run| &run.claims)
                .all(|n| { tour.claims.get(*n).is_some_and(|claim| !kept.contains_key(&claim.id)) })
        );
    }
}

#[test]
fn a_run_of_before_is_not_taken_for_the_one_that_goes_on() {
    let (mut tour, empty) = (at(SHARE), Scene::new());
    press(&mut tour, &empty, "y ");
    let run = running(&tour);
    press(&mut tour, &empty, "\x1b");
    assert_eq!(tour.update(Event::Settled { run }, &told(&[])), []);
    assert_eq!(tour.update(Event::Over { run }, &ended(&[], 1.0, None)), []);
    assert_eq!(says(&tour, SHARE), None);
}

#[test]
fn what_no_run_could_answer_needs_none() {
    let ledger = book();
    let claim = ledger.claims().iter().find(|claim| claim.stands == Stands::NotTestable).expect("there are some");
    let (mut tour, empty) = (at(&claim.id), Scene::new());
    assert_eq!(
        press(&mut tour, &empty, "y "),
        [Effect::Remember(Memory::Believed { claim: claim.id.clone(), so: Some(true) })]
    );
    assert!(tour.notice.as_deref().is_some_and(|words| words.starts_with("No run")));
    assert_eq!(tour.told(claim).map(|told| told.verdict), Some(Says::NotTestable));
    assert_eq!((tour.standing(claim), tour.score().open), (Standing::Open, 1));
}

#[test]
fn on_the_stage_the_demos_own_keys_count_and_elsewhere_the_ledgers() {
    let empty = Scene::new();
    let ledger = book();
    let claims = ledger.claims().iter();
    // A demo with a key that the ledger has as well.
    let clashes = |claim: &&Claim| {
        claim
            .test
            .as_ref()
            .is_some_and(|test| test.spec.controls.iter().any(|c| c.key == 'c' && c.on == crate::fact::On::Demo))
    };
    let Some(claim) = claims.into_iter().find(clashes) else { return };
    let mut tour = at(&claim.id);
    press(&mut tour, &empty, "y ");
    assert!(matches!(press(&mut tour, &empty, "c").as_slice(), [Effect::Steer(_)]), "{}", claim.id);
    tour.update(Event::Click(Click::Side(Side::List)), &empty);
    assert_eq!(press(&mut tour, &empty, "c"), []);
}
