//! Every demo, refused by the machine: it says so in a sentence in its place, ends in order, leaves nothing behind.

use super::common::{Lessons, leave, lesson, rounds};
use super::machines::Machine;
use crate::support::{Patience, Surroundings, User};
use forklore::fact::{DemoSpec, Fact, Outcome, ParamKind, ParamSpec, Params, ReturnKind, Source, Stamped, Start};
use serde_json::Value;
use std::fmt::Write;

/// Seconds of a run. Its steps come as fast as they can.
const BRIEF: &str = "0.3";

/// What a run under a machine that refuses came to.
struct Came {
    /// The demo and its parameters, in one line.
    what: String,
    code: i32,
    facts: Vec<Fact>,
    errors: String,
}

impl Came {
    fn of(machine: &Machine, demo: &DemoSpec, words: &[String]) -> Self {
        let what = format!("{}: {} {}", machine.name, demo.name, words.join(" "));
        let here = Surroundings::new(machine.starter);
        machine.settle(here.home());
        let args = ["run", demo.name, "--json", "--for", BRIEF].into_iter().chain(words.iter().map(String::as_str));
        let output = here.forklore_under(&machine.under(), args).timeout(Patience::default().0).output();
        let output = output.expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let (out, errors) = (text(&output.stdout), text(&output.stderr));
        for said in [&out, &errors] {
            assert!(!said.contains("panicked") && !said.contains('\u{1b}'), "{what}: {said}");
        }
        let code = output.status.code().unwrap_or_else(|| panic!("{what}: {}, {errors}", output.status));
        let read = |line| serde_json::from_str::<Stamped>(line).unwrap_or_else(|e| panic!("{what}: {e}: {line}")).fact;
        let facts = out.lines().map(read).collect();
        here.marker.assert_gone(Patience::default());
        let left: Vec<_> = std::fs::read_dir(here.home()).expect("the home").flatten().map(|e| e.file_name()).collect();
        assert!(left.is_empty(), "{what}: {left:?} lies about");
        Self { what, code, facts, errors }
    }

    fn start(&self) -> &Start {
        match self.facts.first() {
            Some(Fact::Start(start)) => start,
            other => panic!("{}: no start but {other:?}; {}", self.what, self.errors),
        }
    }

    fn outcome(&self) -> &Outcome {
        match self.facts.last() {
            Some(Fact::Outcome(outcome)) => outcome,
            other => panic!("{}: no outcome but {other:?}; {}", self.what, self.errors),
        }
    }

    /// What was refused, each as the sentence that a learner reads.
    fn refused(&self) -> Vec<String> {
        let refused = self.facts.iter().filter_map(|fact| match fact {
            Fact::Refused(refused) => Some(refused.to_string()),
            _ => None,
        });
        refused.collect()
    }

    /// That it ended as documented, and said why in sentences.
    fn is_in_order(&self, demo: &DemoSpec) {
        let what = &self.what;
        assert!((0..=2).contains(&self.code), "{what}: {}: {}", self.code, self.errors);
        if self.facts.is_empty() {
            assert_eq!((self.code, self.errors.lines().count()), (2, 1), "{what}: {}", self.errors);
            return is_a_sentence(what, self.errors.trim());
        }
        let outcome = self.outcome();
        assert_eq!(self.start().demo, demo.name, "{what}");
        assert!(outcome.clean, "{what}: {outcome:?}");
        assert_eq!(self.code == 0, outcome.broke.is_none(), "{what}: {}: {outcome:?}", self.code);
        let mut said = self.refused();
        // What it went on without was told as well, and what it could not go on without.
        if let Some(broke) = &outcome.broke {
            let of_the_stage = broke.contains("its bounds") || broke.contains("from outside or for want");
            assert!(of_the_stage || said.contains(broke), "{what}: it broke by what was not told: {broke}; {said:?}");
            said.push(broke.clone());
        }
        said.extend(self.start().because.clone());
        said.iter().for_each(|sentence| is_a_sentence(what, sentence));
        for value in demo.returns {
            let found = outcome.values.get(value.name).unwrap_or_else(|| panic!("{what}: no {}", value.name));
            assert!(fits(value.kind, found), "{what}: {} is {found}, no {:?}", value.name, value.kind);
        }
    }
}

/// One line, short enough to be read, that names the errno by its name.
fn is_a_sentence(what: &str, sentence: &str) {
    let said = sentence.trim();
    assert!(said.lines().count() == 1 && (10..400).contains(&said.chars().count()), "{what}: no sentence: {said:?}");
    assert!(!said.contains("os error") && !said.contains("Os {"), "{what}: an errno by its number: {said}");
}

/// Whether a value of an outcome is of its kind, or unknown.
fn fits(kind: ReturnKind, value: &Value) -> bool {
    let share = |value: &Value| value.as_f64().is_some_and(|share| (0.0..=1.0).contains(&share));
    value.is_null()
        || match kind {
            ReturnKind::Count | ReturnKind::Nanos | ReturnKind::Kib | ReturnKind::Rate | ReturnKind::Number => {
                value.is_number()
            }
            ReturnKind::Share => share(value),
            ReturnKind::Word => value.is_string(),
            ReturnKind::Flag => value.is_boolean(),
            ReturnKind::List => value.is_array(),
            ReturnKind::Table => value.is_object(),
        }
}

/// Parameters that ask for much in a short time: pauses as short as they may be, and of each choice another word in each
/// `turn`.
fn asking(demo: &DemoSpec, turn: usize) -> Vec<String> {
    let word = |param: &ParamSpec| match &param.kind {
        ParamKind::Int { min, unit: "ms", .. } => Some(format!("{}={min}", param.name)),
        ParamKind::Choice(words) => Some(format!("{}={}", param.name, words[turn % words.len()])),
        _ => None,
    };
    let words: Vec<_> = demo.params.iter().filter_map(word).collect();
    if Params::from_words(demo, &words).is_ok() { words } else { Vec::new() }
}

/// A demo that was refused something, with the parameters and the sentence.
#[derive(Debug)]
struct Refusal {
    demo: &'static DemoSpec,
    words: Vec<String>,
    sentence: String,
}

/// Every demo on this machine, with parameters that change from turn to turn: what was refused, one for each demo.
fn all_on(machine: &Machine, turn: usize, look: impl Fn(&Came)) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for demo in forklore::demo::specs() {
        for round in 0..rounds(1) as usize {
            let words = asking(demo, turn + round);
            refusals.extend(one_on(machine, demo, words, &look).filter(|_| round == 0));
        }
    }
    refusals
}

/// One demo on this machine, and what it was refused last.
fn one_on(machine: &Machine, demo: &'static DemoSpec, words: Vec<String>, look: impl Fn(&Came)) -> Option<Refusal> {
    let came = Came::of(machine, demo, &words);
    came.is_in_order(demo);
    look(&came);
    Some(Refusal { demo, sentence: came.refused().pop()?, words })
}

/// In the tour: each sentence stands on the stage, and the next step opens.
fn shown_on(machine: &Machine, refusals: &[Refusal]) {
    let mut steps = String::new();
    for (n, Refusal { demo, words, .. }) in refusals.iter().enumerate() {
        let params = Params::from_words(demo, words).expect("they ran");
        write!(steps, "## Refusal {n}.\nWords.\n\n```demo {}\n", demo.name).expect("a string grows");
        for (name, value) in params.values().iter().filter(|(_, value)| !value.is_null()) {
            writeln!(steps, "{name} = {value}").expect("a string grows");
        }
        steps.push_str("expect = {}\n```\n\n");
    }
    write!(steps, "## Refusal {}.\nThe last.\n", refusals.len()).expect("a string grows");
    let lessons = Lessons::empty();
    lessons.write("01-try.md", lesson("try", "Trying", &steps));
    refusals.iter().for_each(|r| println!("{}: {} {:?}: {}", machine.name, r.demo.name, r.words, r.sentence));
    let mut pty = lessons.tour(machine.starter, "try:1").size(200, 50).under(machine.under()).start();
    for (n, Refusal { demo, words, sentence }) in refusals.iter().enumerate() {
        let title = |n: usize| format!("Refusal {n}.");
        pty.until(|screen| screen.contains(&title(n)), &title(n));
        pty.send(" ");
        // As much of it as fits into a line.
        let head: String = sentence.chars().take(30).collect();
        pty.until(
            |screen| screen.contains(head.trim()),
            &format!("{}: {} {words:?}: {sentence}", machine.name, demo.name),
        );
        pty.send("n");
        pty.until(|screen| screen.contains(&title(n + 1)), &format!("{}: what follows {}", machine.name, demo.name));
    }
    leave(&mut pty);
}

/// That somebody was refused something: else the test tries nothing.
fn some(machine: &Machine, refusals: &[Refusal]) {
    assert!(!refusals.is_empty(), "nobody asks for what is refused: {}", machine.name);
}

#[test]
fn without_tracing_records_programs_and_a_second_core() {
    for (turn, user) in User::all().into_iter().enumerate() {
        let Some(machine) = Machine::poor(user) else { return };
        let refusals = all_on(&machine, turn, |came| {
            let start = came.start();
            assert_eq!(start.cpus.len(), 1, "{}", came.what);
            // Who wants no records is not told why there are none.
            let wants = start.source != Source::Unwatched;
            let named = start.because.as_ref().is_some_and(|why| why.contains("EACCES"));
            assert_eq!(named, wants, "{}: there are no records, and why not: {:?}", came.what, start.because);
        });
        some(&machine, &refusals);
        if turn == 0 {
            shown_on(&machine, &refusals);
        }
    }
}

#[test]
fn where_files_of_proc_are_closed() {
    for (turn, user) in User::all().into_iter().enumerate() {
        let Some(machine) = Machine::closed(user) else { return };
        let refusals = all_on(&machine, turn, |_| ());
        some(&machine, &refusals);
        if turn == 0 {
            shown_on(&machine, &refusals);
        }
    }
}

#[test]
fn where_nothing_can_be_written_and_others_are_hidden() {
    let users = User::all();
    let machines = [Machine::full(), users.last().and_then(|user| Machine::hidden(*user))];
    for (turn, machine) in machines.into_iter().flatten().enumerate() {
        let mut refusals = all_on(&machine, turn, |_| ());
        refusals.extend(without_room(&machine));
        some(&machine, &refusals);
        shown_on(&machine, &refusals);
    }
}

/// What those are refused that ask for a disk.
fn without_room(machine: &Machine) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for demo in forklore::demo::specs() {
        for param in
            demo.params.iter().filter(|p| matches!(p.kind, ParamKind::Choice(words) if words.contains(&"disk")))
        {
            refusals.extend(one_on(machine, demo, vec![format!("{}=disk", param.name)], |_| ()));
        }
    }
    refusals
}

#[test]
fn where_few_tasks_are_allowed() {
    let users = User::all();
    if let Some(machine) = users.last().and_then(|user| Machine::few(*user, 64)) {
        all_on(&machine, 0, |_| ());
    }
    // Too few for some, enough for others: each is refused somewhere on its way.
    let Some(machine) = Machine::few(users[0], 6) else { return };
    let refusals = all_on(&machine, 1, |_| ());
    some(&machine, &refusals);
    let Some(machine) = Machine::few(users[0], 10) else { return };
    let refusals = all_on(&machine, 0, |_| ());
    shown_on(&machine, &refusals);
}

#[test]
fn a_nice_value_below_zero_is_refused_to_ordinary_users() {
    let user = *User::all().last().expect("oneself");
    if user.uid() == 0 {
        println!("SKIP: root may set any nice value");
        return;
    }
    let machine = Machine::plain(user);
    let mut refusals = Vec::new();
    for demo in forklore::demo::specs() {
        let below = |param: &&ParamSpec| matches!(param.kind, ParamKind::Ints { min: ..0, .. });
        for param in demo.params.iter().filter(below) {
            let refusal = one_on(&machine, demo, vec![format!("{}=-5,0", param.name)], |_| ());
            refusals.push(refusal.unwrap_or_else(|| panic!("{}: {} was not refused", demo.name, param.name)));
        }
    }
    some(&machine, &refusals);
    shown_on(&machine, &refusals);
}
