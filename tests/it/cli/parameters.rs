//! Every parameter of every demo at its bounds and beyond them, as `list --json` tells them: alone, and all at once; from
//! the command line, and from a lesson.

use super::{Said, forklore};
use crate::support::{Launch, Patience, Surroundings, User};
use forklore::fact::{DemoSpec, ParamKind, ParamSpec, Params, Tally, Values};
use serde_json::{Value, json};
use std::fmt::Write;

/// Values of a parameter that are taken, and such that are not.
fn values(param: &Value) -> (Vec<String>, Vec<String>) {
    let number = |key: &str| param[key].as_i64().expect("a bound");
    let words = |all: &[&str]| all.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let (good, mut bad) = match param["kind"].as_str().expect("a kind") {
        "int" => {
            let (min, max) = (number("min"), number("max"));
            (vec![min.to_string(), max.to_string()], vec![(min - 1).to_string(), (max + 1).to_string()])
        }
        "ints" => {
            let (min, max, most) = (number("min"), number("max"), number("most"));
            let many = vec!["0"; usize::try_from(most).expect("a count") + 1].join(",");
            (vec![min.to_string(), max.to_string()], vec![(min - 1).to_string(), (max + 1).to_string(), many])
        }
        "choice" => {
            let all = param["words"].as_array().expect("words").iter();
            (all.map(|w| w.as_str().expect("a word").to_owned()).collect(), words(&["", "none of them"]))
        }
        "cpu" => {
            let first = forklore::kernel::allowed_cpus()[0];
            (vec![first.to_string()], words(&["-1", "65535", "65536"]))
        }
        "letter" => (words(&["A", "a"]), words(&["", "1", "AB", "ä"])),
        "flag" => (words(&["yes", "no"]), words(&["", "maybe"])),
        other => panic!("a new kind of parameter: {other}"),
    };
    bad.extend(words(&["99999999999999999999", "$(id)", "\u{1b}[2J"]));
    (good, bad)
}

/// Has every parameter of every demo looked at, by the users in turn: a demo's name, and what is told of a parameter.
fn each(mut look: impl FnMut(&Surroundings, &str, &Value)) {
    let all: Vec<_> = User::all().into_iter().map(Surroundings::new).collect();
    let mut turns = all.iter().cycle();
    let json = forklore(&all[0], "list --json").json();
    for demo in json["demos"].as_array().expect("demos") {
        for param in demo["params"].as_array().expect("parameters") {
            look(turns.next().expect("somebody"), demo["name"].as_str().expect("a name"), param);
        }
    }
    all.iter().for_each(|here| here.marker.assert_gone(Patience::default()));
}

#[test]
fn beyond_its_range_a_parameter_is_refused_in_one_sentence() {
    each(|here, demo, param| {
        let name = param["name"].as_str().expect("a name");
        for value in values(param).1 {
            let said = Said::by(here.forklore(["run", demo, &format!("{name}={value}")]));
            said.could_not(&format!("forklore: {name}"));
        }
        Said::by(here.forklore(["run", demo, name])).could_not("is not of the form name=value");
    });
}

#[test]
fn within_its_range_a_parameter_is_taken() {
    each(|here, demo, param| {
        let name = param["name"].as_str().expect("a name");
        let spec = forklore::demo::find(demo).expect("it is listed").spec();
        for value in values(param).0 {
            let word = format!("{name}={value}");
            let said = Said::by(here.forklore(["run", demo, &word, "--for", "0.05"]));
            // Another parameter's default may not go with it.
            if let Err(errors) = Params::from_words(spec, &[&word]) {
                said.could_not(&errors[0].sentence);
                continue;
            }
            // The machine may refuse what the range allows, such as a nice value below 0.
            assert!(matches!(said.code, 0 | 1), "{demo} {word}: {} {}{}", said.code, said.out, said.err);
            assert!(said.out.contains("\nafter "), "{demo} {word}: {}{}", said.out, said.err);
        }
    });
}

#[test]
fn an_unknown_parameter_is_told_those_that_there_are() {
    each(|here, demo, param| {
        let said = Said::by(here.forklore(["run", demo, "LD_PRELOAD=/x"]));
        said.could_not(&format!("is no parameter of {demo}"));
        assert!(said.err.contains(param["name"].as_str().expect("a name")), "{}", said.err);
    });
}

/// Values of a parameter as a lesson gives them: such as its kind takes, its bounds among them, and such as it does not.
fn in_lessons(param: &ParamSpec) -> (Vec<Value>, Vec<Value>) {
    let (good, mut bad) = match &param.kind {
        ParamKind::Int { min, max, default, unit } => {
            let mut good = vec![json!(min), json!(max), json!(default)];
            good.extend((!unit.is_empty()).then(|| json!(format!("{max} {unit}"))));
            (good, vec![json!(min - 1), json!(max + 1), json!(1.5), json!([min]), json!("many")])
        }
        ParamKind::Ints { min, max, most, default } => {
            let full = |value: &i64| json!(vec![*value; *most]);
            let beyond = json!(vec![*max; most + 1]);
            (vec![json!([]), full(min), full(max), json!(default)], vec![json!([min - 1]), json!([max + 1]), beyond])
        }
        ParamKind::Choice(words) => {
            (words.iter().map(|word| json!(word)).collect(), vec![json!("none of them"), json!([words[0]])])
        }
        // One that no machine has is refused when it is to run.
        ParamKind::Cpu => (vec![json!(0), json!(65_535)], vec![json!(-1), json!(65_536), json!("0")]),
        ParamKind::Letter(_) => (vec![json!("A"), json!("z")], vec![json!("AB"), json!("1"), json!("\u{e4}")]),
        ParamKind::Flag(_) => (vec![json!(true), json!(false), json!("yes"), json!("no")], vec![json!("maybe")]),
    };
    // No parameter takes these, except that there may be a choice of one of them.
    bad.extend([json!(9_999_999_999_999_i64), json!(""), json!("$(id)")]);
    (good, bad)
}

/// A lesson with a step for each demo and its parameters, and the lines on which the parameters stand.
fn lesson<'a>(runs: impl IntoIterator<Item = (&'a DemoSpec, &'a str, &'a Value)>) -> (String, Vec<usize>) {
    let mut text =
        "+++\nid = \"bounds\"\ntitle = \"Bounds\"\npart = \"Trials\"\nminutes = 1\n+++\nAbout.\n\n".to_owned();
    let mut lines = Vec::new();
    for (n, (demo, name, value)) in runs.into_iter().enumerate() {
        write!(text, "## Bound {n}.\nWords.\n\n```demo {}\n", demo.name).expect("a string grows");
        lines.push(text.lines().count() + 1);
        write!(text, "{name} = {value}\nexpect = {{}}\n```\n\n").expect("a string grows");
    }
    (text, lines)
}

#[test]
fn in_a_lesson_each_wrong_value_is_told_on_its_line() {
    let here = Surroundings::new(User::Me);
    for demo in forklore::demo::specs() {
        let mut runs: Vec<(&str, Value)> = Vec::new();
        for param in demo.params {
            let (good, bad) = in_lessons(param);
            let read =
                |value: &Value| Params::from_values(demo, &Values::from([(param.name.to_owned(), value.clone())]));
            for value in &bad {
                let errors =
                    read(value).expect_err(&format!("{} {}={value} is beyond its range", demo.name, param.name));
                let ours = errors.iter().all(|e| e.param == param.name && e.sentence.starts_with(param.name));
                assert!(ours && errors.len() == 1, "{} {}={value}: {errors:?}", demo.name, param.name);
            }
            // What lies within its range may not go with another's default.
            for value in &good {
                let errors = read(value).err().unwrap_or_default();
                let kind = param.kind.read(value).err();
                assert_eq!((kind, errors.len() <= 1), (None, true), "{} {}={value}: {errors:?}", demo.name, param.name);
            }
            runs.extend(good.into_iter().chain(bad).map(|value| (param.name, value)));
        }
        let (text, lines) = lesson(runs.iter().map(|(name, value)| (demo, *name, value)));
        std::fs::write(here.home().join("01-bounds.md"), text).expect("our own folder");
        let said = forklore(&here, "check 01-bounds.md");
        let mut wrong = 0;
        for ((name, value), line) in runs.iter().zip(lines) {
            let told =
                said.out.lines().filter(|l| l.starts_with(&format!("01-bounds.md:{line}:")) && l.contains(" error: "));
            let told: Vec<_> = told.filter_map(|l| l.split_once(" error: ")).map(|(_, sentence)| sentence).collect();
            let errors = Params::from_values(demo, &Values::from([((*name).to_owned(), value.clone())])).err();
            let of_its_own = errors.unwrap_or_default();
            wrong += of_its_own.len();
            // One that is another parameter's stands on the line of the demo.
            let here: Vec<_> = of_its_own.iter().filter(|e| e.param == *name).map(|e| e.sentence.as_str()).collect();
            assert_eq!(told, here, "{} {name} = {value}, line {line}:\n{}", demo.name, said.out);
        }
        let (code, count) = (i32::from(wrong > 0), format!("{wrong} error"));
        assert!(said.code == code && said.out.contains(&count), "{}: {count}: {}", demo.name, said.out);
    }
}

/// Each combination of what its parameters take at their bounds, as values.
fn combinations(demo: &DemoSpec) -> Vec<Values> {
    let mut all = vec![Values::new()];
    for param in demo.params.iter().filter(|p| !matches!(p.kind, ParamKind::Cpu)) {
        let with = |values: &Values| {
            in_lessons(param)
                .0
                .into_iter()
                .map(|value| {
                    let mut values = values.clone();
                    values.insert(param.name.to_owned(), value);
                    values
                })
                .collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

#[test]
fn whatever_is_within_the_ranges_is_taken_or_refused_in_one_sentence() {
    for demo in forklore::demo::specs() {
        let (mut taken, all) = (0, combinations(demo));
        for values in &all {
            let params = match Params::from_values(demo, values) {
                Ok(params) => params,
                Err(errors) => {
                    let [error] = errors.as_slice() else { panic!("{} {values:?}: {errors:?}", demo.name) };
                    assert!(demo.param(&error.param).is_some(), "{} {values:?}: {error}", demo.name);
                    assert!(
                        error.sentence.lines().count() == 1 && error.sentence.len() > error.param.len() + 5,
                        "{error}"
                    );
                    continue;
                }
            };
            taken += 1;
            // Nothing of what it says of itself overflows, and it has an outcome before anything has happened.
            let (bounds, lasts) = ((demo.limits)(&params), (demo.lasts_ms)(&params));
            assert!(bounds.tasks > 0 && bounds.process_mib > 0, "{} {values:?}: {bounds:?}", demo.name);
            assert!(lasts < 24 * 3600 * 1000, "{} {values:?}: {lasts} ms", demo.name);
            let outcome = forklore::demo::find(demo.name).expect("it is there").outcome(&params, &Tally::default());
            assert_eq!(outcome.len(), demo.returns.len(), "{} {values:?}", demo.name);
        }
        assert!(taken > 0, "{}: none of {} is taken", demo.name, all.len());
    }
}

#[test]
fn all_at_their_least_and_all_at_their_most_run_and_end() {
    let users = User::all();
    for (n, demo) in forklore::demo::specs().into_iter().enumerate() {
        let here = Surroundings::new(users[n % users.len()]);
        for most in [false, true] {
            let word = |param: &ParamSpec| match &param.kind {
                ParamKind::Int { min, max, .. } => Some(format!("{}={}", param.name, if most { max } else { min })),
                ParamKind::Ints { max, most: long, .. } if most => {
                    Some(format!("{}={}", param.name, vec![max.to_string(); *long].join(",")))
                }
                ParamKind::Choice(words) => {
                    words.get(if most { words.len() - 1 } else { 0 }).map(|w| format!("{}={w}", param.name))
                }
                ParamKind::Flag(_) => Some(format!("{}={}", param.name, if most { "yes" } else { "no" })),
                ParamKind::Ints { .. } | ParamKind::Letter(_) | ParamKind::Cpu => None,
            };
            let words: Vec<_> = demo.params.iter().filter_map(word).collect();
            let what = format!("{} {}", demo.name, words.join(" "));
            let args = ["run", demo.name, "--for", "0.1"].into_iter().chain(words.iter().map(String::as_str));
            let said = Said::by(here.forklore(args));
            match Params::from_words(demo, &words) {
                Ok(_) => {
                    assert!(matches!(said.code, 0 | 1), "{what}: {} {}{}", said.code, said.out, said.err);
                    assert!(said.out.contains("\nafter ") && !said.out.contains("panicked"), "{what}: {}", said.out);
                }
                Err(errors) => said.could_not(&errors[0].sentence),
            }
            here.marker.assert_gone(Patience::default());
        }
    }
}

#[test]
fn a_step_with_a_wrong_value_says_so_in_the_tour_and_the_next_opens() {
    let wrong: Vec<_> = forklore::demo::specs()
        .into_iter()
        .filter_map(|demo| demo.params.first().map(|param| (demo, param.name, in_lessons(param).1.remove(0))))
        .collect();
    let (text, _) = lesson(wrong.iter().map(|(demo, name, value)| (*demo, *name, value)));
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("01-bounds.md"), text + "## Bound last.\nNo demo.\n").expect("our own folder");
    let lessons = ["--lessons".as_ref(), folder.path().as_os_str()];
    let mut pty = Launch::forklore().args(lessons).args(["bounds:1"]).size(120, 40).start();
    for (n, (demo, name, value)) in wrong.iter().enumerate() {
        pty.until(|screen| screen.contains(&format!("Bound {n}.")), "the step");
        pty.send(" ");
        let says = |screen: &str| screen.contains(&format!("{name} takes"));
        pty.until(says, &format!("{} {name} = {value}", demo.name));
        pty.send("n");
    }
    pty.until(|screen| screen.contains("Bound last."), "the last step");
    pty.send("\x03");
    assert_eq!(pty.wait(), crate::support::Ended::Code(0));
    pty.assert_nothing_left(Patience::default());
}
