//! The tour as a learner meets it: keys in, effects and state out.

use super::*;
use crate::fact::{Arg, As, Control, Fact, Nanos, On, ParamKind, ParamSpec, Params, Pid, Stamped, Tid};
use crate::lesson::{Block, Choice, Demo, Expect, Matches, Predict, Quiz, QuizOption, Step, Text};
use serde_json::json;

static SPEC: DemoSpec = DemoSpec {
    name: "sample",
    title: "a sample",
    part: "Tests",
    about: "",
    params: &[
        As::PARAM,
        ParamSpec { name: "fault", kind: ParamKind::Choice(&["segv", "abort"]), help: "" },
        ParamSpec { name: "victim", kind: ParamKind::Letter('B'), help: "" },
    ],
    returns: &[],
    controls: &[
        Control { key: '+', verb: "add", label: "", on: On::Demo, arg: Arg::None },
        Control { key: 'x', verb: "break", label: "", on: On::Worker, arg: Arg::Choice { param: "fault", next: 'f' } },
    ],
    check: |_: &Params| Ok(()),
    ..DemoSpec::BASE
};

static FRAGILE: DemoSpec =
    DemoSpec { keys_change_it: true, ..DemoSpec { name: "sample", controls: SPEC.controls, ..DemoSpec::BASE } };

fn step(title: &str, blocks: Vec<Block>) -> Step {
    Step { title: title.to_owned(), blocks, ..Step::default() }
}

fn experiment() -> Step {
    let option = |n: f64| Choice { label: n.to_string(), matches: Matches::Number(n) };
    let predict = Predict {
        at: crate::lesson::Pos::default(),
        question: Text::plain("How many?"),
        options: vec![option(0.0), option(5.0)],
        answer: "survivors".to_owned(),
    };
    let expect = Expect { written: "5".to_owned(), matches: Matches::Number(5.0) };
    let demo = Demo {
        at: crate::lesson::Pos::default(),
        name: "sample".to_owned(),
        params: [("victim".to_owned(), json!("B"))].into(),
        expect: [("survivors".to_owned(), expect)].into(),
    };
    step("Try it", vec![Block::Predict(predict), Block::Demo(demo)])
}

fn tour() -> Tour {
    let lesson = |id: &str| Lesson {
        id: id.to_owned(),
        steps: vec![step("Words", vec![]), experiment(), step("The end", vec![])],
        ..Lesson::default()
    };
    Tour::new(vec![lesson("one"), lesson("two")], vec![&SPEC], Recall::default())
}

pub(super) fn press(tour: &mut Tour, scene: &Scene, keys: &str) -> Vec<Effect> {
    keys.chars()
        .flat_map(|c| {
            let key = match c {
                '\n' => Key::Enter,
                '\x1b' => Key::Esc,
                c => Key::Char(c),
            };
            tour.update(Event::Key(key), scene)
        })
        .collect()
}

pub(super) fn scene(facts: Vec<Fact>) -> Scene {
    let mut scene = Scene::new();
    let stamped: Vec<_> = facts.into_iter().map(|f| Stamped::new(Nanos(1), f)).collect();
    scene.extend(&stamped);
    scene
}

fn worker(tid: u32, name: &str, slot: u16) -> Fact {
    Fact::Task { tid: Tid(tid), pid: Pid(tid), parent: 1, name: name.to_owned(), slot: Some(slot) }
}

pub(super) fn started(effects: &[Effect]) -> Option<RunId> {
    effects.iter().find_map(|e| if let Effect::Start(start) = e { Some(start.run) } else { None })
}

#[test]
fn a_learner_predicts_runs_and_the_machine_answers() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "\nn");
    assert_eq!(tour.step().map(|s| s.title.as_str()), Some("Try it"));
    press(&mut tour, &empty, "j\n");
    assert_eq!(tour.player().expect("in a lesson").asked[0].chosen, Some(1));
    let run = started(&press(&mut tour, &empty, " ")).expect("space runs the demo");
    let told = scene(vec![Fact::SoFar { values: [("survivors".to_owned(), json!(5))].into() }]);
    let effects = tour.update(Event::Settled { run }, &told);
    let player = tour.player().expect("in a lesson");
    assert_eq!((player.asked[0].right, &player.verdict), (Some(1), &Some(Verdict::AsExpected)));
    let remembered =
        Memory::Predicted { lesson: "one".into(), step: 1, chosen: "5".into(), right: Some(true), measured: json!(5) };
    assert!(effects.contains(&Effect::Remember(remembered)), "{effects:?}");
    assert_eq!(tour.recall.figures["sample.survivors"], json!(5));
}

#[test]
fn space_asks_for_an_answer_once_and_then_gives_way() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "\nn");
    assert_eq!(started(&press(&mut tour, &empty, " ")), None);
    assert!(tour.notice.as_deref().is_some_and(|n| n.starts_with("First say")));
    assert!(started(&press(&mut tour, &empty, " ")).is_some());
}

#[test]
fn a_demo_that_goes_otherwise_or_breaks_is_shown_as_that() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "\nn");
    let run = started(&press(&mut tour, &empty, "  ")).expect("runs");
    let told = scene(vec![Fact::SoFar { values: [("survivors".to_owned(), json!(4))].into() }]);
    tour.update(Event::Settled { run }, &told);
    let expected = Verdict::Otherwise(vec![("survivors".into(), "5".into(), json!(4))]);
    assert_eq!(tour.player().and_then(|p| p.verdict.clone()), Some(expected));
    assert_eq!(tour.player().expect("lesson").asked[0].right, None, "no option covers 4");
    tour.update(Event::Settled { run: RunId(99) }, &told);
    let mut broken = told.clone();
    broken.outcome = Some(crate::fact::Outcome {
        values: Default::default(),
        lost: 0,
        seconds: 1.0,
        clean: true,
        left_behind: 0,
        broke: Some("its warden was killed".into()),
    });
    tour.update(Event::Over { run }, &broken);
    assert_eq!(tour.player().and_then(|p| p.verdict.clone()), Some(Verdict::Broke("its warden was killed".into())));
    assert!(!tour.watch().expect("still shown").running);
}

#[test]
fn the_demos_own_keys_steer_the_chosen_worker() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "\nn  ");
    let on = scene(vec![worker(11, "A", 0), worker(12, "B", 1), worker(13, "C", 2)]);
    let steer = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Steer(steer)] => (steer.verb.clone(), steer.worker.clone(), steer.value.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(steer(press(&mut tour, &on, "x")), ("break".into(), Some("B".into()), json!("segv")));
    assert_eq!(steer(press(&mut tour, &on, "f.x")), ("break".into(), Some("C".into()), json!("abort")));
    assert_eq!(steer(press(&mut tour, &on, "+")), ("add".into(), None, serde_json::Value::Null));
}

#[test]
fn a_paused_picture_is_held_and_esc_lets_it_go() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "\nn  ");
    assert_eq!(press(&mut tour, &empty, "p"), [], "nothing to pause before there is a lane");
    let watch = tour.watch_mut().expect("running");
    assert_eq!(watch.pause_at(crate::fact::Cpu(0), Nanos(5), &empty), [Effect::Hold]);
    assert_eq!(press(&mut tour, &empty, "\x1b"), [Effect::Release]);
    assert_eq!(tour.watch().and_then(|w| w.paused), None);
    assert!(matches!(tour.screen, Screen::Lesson(_)), "esc left the pause, not the lesson");
}

#[test]
fn the_last_step_makes_a_lesson_done_and_the_place_is_kept() {
    let (mut tour, empty) = (tour(), Scene::new());
    let done = |effects: &[Effect]| effects.iter().any(|e| matches!(e, Effect::Remember(Memory::Done { .. })));
    assert!(!done(&press(&mut tour, &empty, "j\nnn")), "it is reached, and there is something to read");
    let effects = press(&mut tour, &empty, "q");
    assert!(effects.contains(&Effect::Remember(Memory::Done { lesson: "two".into() })), "to its end, and back");
    assert!(matches!(tour.screen, Screen::Catalogue(Catalogue { cursor: 1 })));
    press(&mut tour, &empty, "\n");
    assert_eq!(tour.player().map(|p| (p.lesson, p.step)), Some((1, 2)), "resumed where it was left");
    assert_eq!(press(&mut tour, &empty, "qq").last(), Some(&Effect::Quit));
}

#[test]
fn a_lesson_of_one_step_is_done_when_the_step_is() {
    let quiz = || {
        let option = |right| QuizOption { label: Text::plain("a"), right, reason: Text::plain("b") };
        let options = vec![option(false), option(true)];
        let quiz = Quiz { at: crate::lesson::Pos::default(), question: Text::plain("Who?"), options };
        step("Asked", vec![Block::Quiz(quiz)])
    };
    let lesson = |id: &str, step: Step| Lesson { id: id.to_owned(), steps: vec![step], ..Lesson::default() };
    let lessons = vec![lesson("words", step("Words", vec![])), lesson("run", experiment()), lesson("asked", quiz())];
    let (mut tour, empty) = (Tour::new(lessons, vec![&SPEC], Recall::default()), Scene::new());
    let done = |tour: &Tour| tour.recall.done.iter().cloned().collect::<Vec<_>>();
    for at in 0..3 {
        tour.open(at, 0);
        press(&mut tour, &empty, "q");
    }
    assert_eq!(done(&tour), [""; 0], "opened is not done");
    tour.open(0, 0);
    press(&mut tour, &empty, "n");
    assert_eq!(done(&tour), ["words"]);
    tour.open(1, 0);
    press(&mut tour, &empty, "2n");
    assert_eq!(done(&tour), ["words"], "a prediction is no run");
    let run = started(&press(&mut tour, &empty, " ")).expect("runs");
    let told = scene(vec![Fact::SoFar { values: [("survivors".to_owned(), json!(5))].into() }]);
    let effects = tour.update(Event::Settled { run }, &told);
    assert!(effects.contains(&Effect::Remember(Memory::Done { lesson: "run".into() })), "{effects:?}");
    tour.open(2, 0);
    press(&mut tour, &empty, "1");
    assert_eq!(done(&tour), ["asked", "run", "words"], "answered, rightly or not");
}

#[test]
fn help_opens_everywhere_and_swallows_no_way_out() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "?");
    assert_eq!(tour.contexts(), [Context::Help]);
    press(&mut tour, &empty, "\x1b");
    assert_eq!(tour.help, None);
    press(&mut tour, &empty, "?");
    assert_eq!(tour.update(Event::Key(Key::Ctrl('c')), &empty), [Effect::Quit]);
}

#[test]
fn an_answer_can_be_taken_back_until_the_machine_has_answered() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "\nn1");
    assert_eq!(tour.player().expect("lesson").asked[0].chosen, Some(0));
    tour.update(Event::Key(Key::Backspace), &empty);
    assert_eq!(tour.player().expect("lesson").asked[0].chosen, None);
    press(&mut tour, &empty, "2");
    let run = started(&press(&mut tour, &empty, " ")).expect("runs");
    let told = scene(vec![Fact::SoFar { values: [("survivors".to_owned(), json!(5))].into() }]);
    tour.update(Event::Settled { run }, &told);
    tour.update(Event::Key(Key::Backspace), &told);
    assert_eq!(tour.player().expect("lesson").asked[0].chosen, Some(1));
}

#[test]
fn a_run_that_cannot_be_started_is_over_and_says_why() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "\nn  ");
    tour.update(Event::CannotRun("victim must be one of the tabs".to_owned()), &empty);
    let player = tour.player().expect("lesson");
    assert!(!player.watch.as_ref().expect("a stage").running);
    assert_eq!(player.verdict, Some(Verdict::Broke("victim must be one of the tabs".to_owned())));
    assert!(started(&press(&mut tour, &empty, " ")).is_some(), "space tries again");
}

/// What a run has told by `seconds`, at its end if `over`.
fn told(survivors: u64, seconds: u64, over: bool) -> Scene {
    let values = crate::fact::Values::from([("survivors".to_owned(), json!(survivors))]);
    let fact = match over {
        false => Fact::SoFar { values },
        true => Fact::Outcome(crate::fact::Outcome {
            values,
            lost: 0,
            seconds: 1.0,
            clean: true,
            left_behind: 0,
            broke: None,
        }),
    };
    let mut scene = Scene::new();
    scene.apply(&Stamped::new(Nanos::from_millis(seconds * 1000), fact));
    scene
}

#[test]
fn the_figures_end_as_the_run_does_and_the_answer_stays_as_it_was_judged() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "\nn2");
    let run = started(&press(&mut tour, &empty, " ")).expect("runs");
    tour.update(Event::Settled { run }, &told(5, 3, false));
    let effects = tour.update(Event::Over { run }, &told(4, 9, true));
    assert_eq!(tour.recall.figures["sample.survivors"], json!(4));
    let kept = Memory::Figure { name: "sample.survivors".into(), value: json!(4) };
    assert_eq!(effects, [Effect::Remember(kept)], "kept for the next session too");
    let player = tour.player().expect("in a lesson");
    let asked = &player.asked[0];
    assert_eq!((&asked.measured, asked.measured_in.seconds(), asked.right), (&Some(json!(5)), 3.0, Some(1)));
    assert_eq!(player.verdict, Some(Verdict::AsExpected));
}

#[test]
fn once_the_machine_has_answered_nobody_predicts_any_more() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "\nn2");
    let run = started(&press(&mut tour, &empty, " ")).expect("runs");
    tour.update(Event::Settled { run }, &told(5, 3, false));
    press(&mut tour, &empty, "r");
    let run = started(&press(&mut tour, &empty, "  ")).expect("runs without an answer");
    tour.update(Event::Settled { run }, &told(5, 3, false));
    let asked = |tour: &Tour| tour.player().expect("in a lesson").asked[0].clone();
    assert_eq!((asked(&tour).chosen, asked(&tour).measured), (None, Some(json!(5))));
    press(&mut tour, &empty, "2");
    assert_eq!(asked(&tour).chosen, None);
}

#[test]
fn what_comes_after_a_run_stays_covered_where_the_learner_ended_it_too_early() {
    let (mut tour, empty) = (tour(), Scene::new());
    let player = |tour: &Tour| tour.player().expect("in a lesson").told();
    press(&mut tour, &empty, "\nn2");
    let run = started(&press(&mut tour, &empty, " ")).expect("runs");
    press(&mut tour, &empty, " ");
    tour.update(Event::Over { run }, &told(5, 1, true));
    assert!(!player(&tour), "nothing was judged");
    let run = started(&press(&mut tour, &empty, " ")).expect("runs again");
    tour.update(Event::Over { run }, &told(5, 3, true));
    assert!(player(&tour));
    let run = started(&press(&mut tour, &empty, " ")).expect("and again");
    press(&mut tour, &empty, " ");
    tour.update(Event::Over { run }, &told(5, 1, true));
    assert!(player(&tour), "what was read once is not covered again");
}

#[test]
fn a_run_that_could_not_be_judged_takes_no_figure_away() {
    let (mut tour, empty) = (tour(), Scene::new());
    press(&mut tour, &empty, "\nn2");
    tour.recall.figures.insert("sample.other".to_owned(), json!(1));
    let first = started(&press(&mut tour, &empty, " ")).expect("runs");
    tour.update(Event::Over { run: first }, &told(5, 3, true));
    let figures = tour.recall.figures.clone();
    assert_eq!(figures, [("sample.survivors".to_owned(), json!(5))].into(), "what it did not measure is not its own");
    let second = started(&press(&mut tour, &empty, " ")).expect("runs again");
    press(&mut tour, &empty, " ");
    assert_eq!(tour.update(Event::Over { run: second }, &told(6, 1, true)), []);
    let player = tour.player().expect("in a lesson");
    assert_eq!((&player.verdict, &player.asked[0].measured), (&Some(Verdict::EndedEarly), &Some(json!(5))));
    assert_eq!(tour.recall.figures, figures);
}

#[test]
fn a_run_that_decides_nothing_ticks_nothing() {
    let run = |values: serde_json::Value| {
        let (mut tour, empty) = (tour(), Scene::new());
        press(&mut tour, &empty, "\nn2");
        let run = started(&press(&mut tour, &empty, " ")).expect("runs");
        let values = serde_json::from_value(values).expect("an object");
        tour.update(Event::Settled { run }, &scene(vec![Fact::SoFar { values }]));
        let player = tour.player().expect("in a lesson");
        (player.verdict.clone().expect("it was judged"), player.asked[0].right)
    };
    let open = Verdict::Undecided("inconclusive".to_owned(), false);
    assert_eq!(run(json!({"survivors": null, "verdict": "inconclusive"})), (open, None));
    let one_core = Verdict::Undecided("one core".to_owned(), true);
    assert_eq!(run(json!({"survivors": 5, "verdict": "one core"})), (one_core, Some(1)));
    assert!(matches!(run(json!({"survivors": 4, "verdict": "inconclusive"})).0, Verdict::Otherwise(_)));
    assert!(matches!(run(json!({"survivors": null, "verdict": "clear"})).0, Verdict::Otherwise(_)));
}

#[test]
fn a_run_that_the_learner_has_changed_is_not_judged() {
    let judged = |spec: &'static DemoSpec, keys: &str| {
        let (mut tour, empty) = (tour(), Scene::new());
        tour.specs = vec![spec];
        press(&mut tour, &empty, "\nn2");
        let run = started(&press(&mut tour, &empty, " ")).expect("runs");
        press(&mut tour, &empty, keys);
        tour.update(Event::Settled { run }, &told(3, 3, false));
        let player = tour.player().expect("in a lesson");
        (player.verdict.clone().expect("it was judged"), player.asked[0].measured.clone())
    };
    assert_eq!(judged(&FRAGILE, "+"), (Verdict::Changed, None), "the prediction stays open");
    assert!(matches!(judged(&FRAGILE, "v").0, Verdict::Otherwise(_)), "who only looks changes nothing");
    assert!(matches!(judged(&SPEC, "+").0, Verdict::Otherwise(_)), "where the keys are the experiment it is judged");
}
