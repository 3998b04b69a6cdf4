//! Every parameter of every demo at its bounds and beyond them, as `list --json` tells them.

use super::{Said, forklore};
use crate::support::{Patience, Surroundings, User};
use serde_json::Value;

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

fn each(here: &Surroundings, mut look: impl FnMut(&str, &Value)) {
    let json = forklore(here, "list --json").json();
    for demo in json["demos"].as_array().expect("demos") {
        for param in demo["params"].as_array().expect("parameters") {
            look(demo["name"].as_str().expect("a name"), param);
        }
    }
}

#[test]
fn beyond_its_range_a_parameter_is_refused_in_one_sentence() {
    for user in User::all() {
        let here = Surroundings::new(user);
        each(&here, |demo, param| {
            let name = param["name"].as_str().expect("a name");
            for value in values(param).1 {
                let said = Said::by(here.forklore(["run", demo, &format!("{name}={value}")]));
                said.could_not(&format!("forklore: {name}"));
            }
            Said::by(here.forklore(["run", demo, name])).could_not("is not of the form name=value");
        });
        here.marker.assert_gone(Patience::default());
    }
}

#[test]
fn within_its_range_a_parameter_is_taken() {
    for user in User::all() {
        let here = Surroundings::new(user);
        each(&here, |demo, param| {
            let name = param["name"].as_str().expect("a name");
            for value in values(param).0 {
                let word = format!("{name}={value}");
                let said = Said::by(here.forklore(["run", demo, &word, "--for", "0.05"]));
                // Another parameter's default may not go with it; then that one is named.
                if said.code == 2 && !said.err.starts_with(&format!("forklore: {name}")) {
                    said.could_not("forklore: ");
                    continue;
                }
                // The machine may refuse what the range allows, such as a nice value below 0.
                assert!(matches!(said.code, 0 | 1), "{demo} {word}: {} {}{}", said.code, said.out, said.err);
                assert!(said.out.contains("\nafter "), "{demo} {word}: {}{}", said.out, said.err);
            }
        });
        here.marker.assert_gone(Patience::default());
    }
}

#[test]
fn an_unknown_parameter_is_told_those_that_there_are() {
    let here = Surroundings::new(User::Me);
    each(&here, |demo, param| {
        let said = Said::by(here.forklore(["run", demo, "LD_PRELOAD=/x"]));
        said.could_not(&format!("is no parameter of {demo}"));
        assert!(said.err.contains(param["name"].as_str().expect("a name")), "{}", said.err);
    });
}
