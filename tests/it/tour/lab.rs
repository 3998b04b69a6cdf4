//! The lab in the tour: it ends early at a wish, waits, goes on at another, and what it came to is kept when one leaves it.

use super::{ENTER, WIDE, leave, press, sees, word_after};
use crate::support::Launch;
use std::fs;

/// The rounds that the foot of the chart tells.
fn rounds(screen: &str) -> Option<usize> {
    let line = screen.lines().find(|line| line.contains("rounds on CPU"))?;
    line.split_once("rounds on CPU")?.0.split_whitespace().last()?.replace(',', "").parse().ok()
}

#[test]
fn it_stays_until_one_leaves_and_is_kept_then() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let start = Launch::forklore().args(["starting:2"]).size(WIDE.0, WIDE.1);
    let pty = start.env("XDG_STATE_HOME", state.path()).start();
    sees(&pty, &["A thread against a fork"]);
    press(&pty, "2", &["you said"]);
    press(&pty, " ", &["rounds on CPU"]);
    press(&pty, "e", &["measured, running", "rounds on CPU", "predicted"]);
    let first = rounds(&pty.screen()).expect("rounds are told");
    pty.send("p");
    let paused = sees(&pty, &["paused at"]);
    assert!(word_after(&paused, "paused at").is_some(), "{paused}");
    press(&pty, "o", &["The picture is paused"]);
    press(&pty, "p", &["measured, running"]);
    pty.send("o");
    pty.until(|screen| rounds(screen).is_some_and(|now| now > first), "more rounds");
    press(&pty, "e", &["measured, running"]);
    press(&pty, ENTER, &["step 3/"]);
    leave(pty, "qq");
    let file = state.path().join("forklore/results.json");
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(file).expect("results")).expect("JSON");
    let runs = kept["runs"].as_object().expect("runs");
    let run = runs.values().next().expect("a run");
    assert_eq!(
        (runs.len(), &run["demo"], &run["lesson"], &run["step"]),
        (1, &"create".into(), &"starting".into(), &2.into())
    );
    let note = run["tables"]["figures"][0]["values"]["note"].as_str().expect("a note");
    assert!(rounds(note).is_some_and(|kept| kept > first), "{note}, after {first} rounds");
}
