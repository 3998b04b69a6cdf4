//! `lore`: claims that are tested here, alone or all; a ledger with mistakes; a signal in the middle.

use super::run::{code, end};
use super::{Said, forklore};
use crate::support::{Patience, Surroundings, User};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};

const KEYS: [&str; 8] = ["id", "claim", "stands", "verdict", "why", "demo", "measured", "lesson"];
const VERDICTS: [&str; 5] = ["holds", "fails", "cpython-only", "inconclusive", "not-testable"];

/// The claims of these lines, each the object of the contract with its keys in their order.
fn claims(lines: &str) -> Vec<Value> {
    let read = |line: &str| {
        let mut from = 0;
        for key in KEYS {
            let mark = format!("\"{key}\":");
            from += line[from..].find(&mark).unwrap_or_else(|| panic!("no {key}, or not in its place: {line}"));
        }
        let claim: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert_eq!(claim.as_object().map(serde_json::Map::len), Some(KEYS.len()), "{line}");
        assert!(VERDICTS.contains(&claim["verdict"].as_str().expect("a word")), "{line}");
        claim
    };
    lines.lines().map(read).collect()
}

fn verdicts(said: &Said) -> Vec<(String, String)> {
    let word = |claim: &Value, key: &str| claim[key].as_str().expect("a word").to_owned();
    claims(&said.out).iter().map(|claim| (word(claim, "id"), word(claim, "verdict"))).collect()
}

#[test]
fn single_claims_are_tested_and_come_out_as_the_machine_says() {
    for user in User::all() {
        let here = Surroundings::new(user);
        let said = forklore(&here, "lore --json 004-06 000-15 003-38 003-28 004-06");
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        let expected = [("000-15", "holds"), ("003-28", "fails"), ("004-06", "fails"), ("003-38", "not-testable")];
        assert_eq!(verdicts(&said), expected.map(|(id, verdict)| (id.to_owned(), verdict.to_owned())));
        let claims = claims(&said.out);
        assert_eq!(claims[0]["measured"]["same_address"], true, "{}", claims[0]);
        assert_eq!((&claims[3]["demo"], claims[3]["lesson"].as_str()), (&Value::Null, Some("ledger")));
        assert_eq!(claims[1]["measured"], claims[2]["measured"], "one run for both");
        here.marker.assert_gone(Patience::default());
    }
}

#[test]
fn in_words_it_says_what_was_measured_and_where_claims_contradict_each_other() {
    let here = Surroundings::new(User::Me);
    let said = forklore(&here, "lore 004-06 004-07 000-18");
    assert_eq!(said.code, 0, "{}", said.err);
    for part in [
        "holds here: ",
        "does not hold here: values_seen 3",
        "cannot be tested here: no browser is run here",
        "Read: forklore isolation:6",
        "The machine sides with 004-07",
    ] {
        assert!(said.out.contains(part), "{part} is not in:\n{}", said.out);
    }
    let chinese = forklore(&here, "lore --lang zh 004-06 000-18");
    for part in ["在此不成立", "进程", "课文：forklore isolation:6", "无法在此检验：这里不运行浏览器"]
    {
        assert!(chinese.out.contains(part), "{part} is not in:\n{}", chinese.out);
    }
    let line = &claims(&forklore(&here, "lore --json --lang zh 000-18").out)[0];
    let why = line["why"].as_str().expect("words");
    assert!(why.starts_with("这里不运行浏览器") && !why.contains(". "), "{why}");
}

#[test]
fn a_claim_that_contradicts_itself_is_shown_once_with_the_reason() {
    let here = Surroundings::new(User::Me);
    for (lang, heading, sentence) in [
        ("en", "claims that contradict each other", "It contradicts itself. It is “at most” that is right."),
        ("zh", "互相矛盾的说法", "它自相矛盾。“至多”才对。"),
    ] {
        let said = forklore(&here, &format!("lore --lang {lang} 002-25"));
        assert_eq!(said.code, 0, "{}", said.err);
        let (_, contradictions) = said.out.split_once(heading).unwrap_or_else(|| panic!("{}", said.out));
        assert!(contradictions.contains(sentence), "{contradictions}");
        assert_eq!(contradictions.matches("002-25").count(), 1, "{contradictions}");
    }
}

#[test]
fn an_unknown_claim_is_told_with_the_nearest() {
    let here = Surroundings::new(User::Me);
    forklore(&here, "lore 000-15 00-16").could_not("there is no claim 00-16; did you mean 000-16?");
    forklore(&here, "lore all").could_not("they look like 000-04");
}

#[test]
fn a_ledger_of_ones_own_is_read_and_its_mistakes_are_told() {
    let here = Surroundings::new(User::Me);
    let folder = here.home().join("course");
    std::fs::create_dir_all(folder.join("en")).expect("a folder of ours");
    let lesson = "+++\nid = \"mine\"\ntitle = \"T\"\npart = \"P\"\n+++\nX.\n\n## One\nY.\n";
    std::fs::write(folder.join("en/01-mine.md"), lesson).expect("a file of ours");
    let words = format!("lore --lessons {}", folder.display());
    forklore(&here, &words).could_not("lore.toml");
    std::fs::write(folder.join("lore.toml"), "[[claim]]\nid = \"000-01\"\nstands = 3\n").expect("a file of ours");
    let said = forklore(&here, &words);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("lore.toml:") && said.err.contains("help: "), "{}", said.err);
}

#[test]
fn a_signal_in_the_middle_keeps_what_was_measured() {
    for user in User::all() {
        let here = Surroundings::new(user);
        let mut child = here.start(["lore", "--json"]);
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first = String::new();
        out.read_line(&mut first).expect("the first claim");
        end(&child, Signal::SIGINT);
        let mut rest = String::new();
        out.read_to_string(&mut rest).expect("plain text");
        assert_eq!(code(&mut child), Some(128 + Signal::SIGINT as i32));
        let told = claims(&(first + &rest));
        assert!((1..245).contains(&told.len()), "{}", told.len());
        here.marker.assert_gone(Patience::default());
    }
}
