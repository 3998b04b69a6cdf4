//! The ledger's screen on a real terminal: something is said, the machine is asked, and both are remembered.

use super::{ENTER, ESC, WIDE, forklore, leave, press, sees};
use crate::support::{Launch, Pty, User};
use std::fs;

/// Chooses the claim with this id by searching for it.
fn find(pty: &Pty, id: &str) {
    press(pty, &format!("/{id}"), &[&format!("/ {id}")]);
    pty.send(ENTER);
    let chosen = |screen: &str| screen.lines().any(|line| line.contains('▸') && line.contains(id));
    pty.until(chosen, id);
}

#[test]
fn what_one_says_and_what_the_machine_says_is_remembered() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let start = || {
        let pty = Launch::forklore().size(WIDE.0, WIDE.1).env("XDG_STATE_HOME", state.path()).start();
        sees(&pty, &["Lessons", "L ledger"]);
        press(&pty, "L", &["The ledger: what is true?", "all claims", "of 245 said"]);
        find(&pty, "000-27");
        pty
    };
    let pty = start();
    sees(&pty, &["What do you say?", "it is not so", "0 of 245 said"]);
    press(&pty, " ", &["First say what you believe"]);
    press(&pty, "y", &["You say: it is so", "Not tested on this machine yet", "1 of 245 said"]);
    press(&pty, " ", &["crash: 6 threads"]);
    sees(&pty, &["The machine: holds here, as you say", "survivors 0", "the machine agrees on 1"]);
    // The lesson that takes it up, and back.
    press(&pty, ENTER, &["r again", "step "]);
    press(&pty, ESC, &["The machine: holds here, as you say", "a test all"]);
    // The first leaves the search.
    leave(pty, "qqq");

    let pty = start();
    sees(&pty, &["You said: it is so", "The machine: holds here, as you say", "survivors 0", "1 of 245 said"]);
    press(&pty, "n", &["what you said before it stays", "▸= 000-27"]);
    leave(pty, "\x03");
}

#[test]
fn all_are_tested_in_turn_until_the_learner_stops() {
    for user in User::all() {
        let pty = forklore(&[], WIDE, user);
        sees(&pty, &["Lessons"]);
        press(&pty, "L", &["all claims"]);
        press(&pty, "a", &["run 1 of ", "a stop all"]);
        // One says meanwhile what one believes.
        press(&pty, "y", &["You say: it is so"]);
        sees(&pty, &["run 2 of ", " left"]);
        press(&pty, ESC, &["Stopped; what was measured is kept"]);
        leave(pty, "qq");
    }
}

#[test]
fn a_damaged_ledger_is_told_there_and_hurts_nothing_else() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lesson = concat!(env!("CARGO_MANIFEST_DIR"), "/lessons/en/04-one-core.md");
    fs::copy(lesson, folder.path().join("04-one-core.md")).expect("our own folder");
    fs::write(folder.path().join("lore.toml"), "[[claim]]\nid = 7\n").expect("our own folder");
    let pty = forklore(&["--lessons", &folder.path().display().to_string()], (80, 24), User::Me);
    sees(&pty, &["One core", "L ledger"]);
    press(&pty, "L", &["the ledger cannot be used", "lore.toml:2"]);
    press(&pty, ESC, &["Lessons"]);
    press(&pty, ENTER, &["Two processes, one core"]);
    leave(pty, "qq");
}
