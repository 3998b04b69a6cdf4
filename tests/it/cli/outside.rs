//! What stands around the commands: standard files that are closed, full or nobody's.

use super::{Said, one_that_goes_on};
use crate::support::{Patience, Surroundings, User};

/// Every command that needs no terminal, with the code it ends with.
fn commands() -> Vec<(String, i32)> {
    let demo = one_that_goes_on();
    [("list", 0), ("list --json", 0), ("doctor", 0), ("doctor --json", 0), ("check nowhere", 2), ("replay nowhere", 2)]
        .map(|(words, code)| (words.to_owned(), code))
        .into_iter()
        .chain([
            (String::new(), 2),
            (format!("run {demo} --for 0.05"), 0),
            (format!("run {demo} --for 0.05 --json"), 0),
        ])
        .collect()
}

/// Each command in a shell, with something done to its files. The code is what the shell says of it.
fn each(files: &str, code: impl Fn(i32) -> i32) {
    for user in User::all() {
        for (words, usual) in commands() {
            let here = Surroundings::new(user);
            let said = Said::by(here.shell(&format!("\"$0\" {words} {files}; echo $? >code; cat code")));
            let found = said.out.lines().last().and_then(|line| line.parse().ok());
            assert_eq!(found, Some(code(usual)), "forklore {words} {files}: {}{}", said.out, said.err);
            here.marker.assert_gone(Patience::default());
        }
    }
}

#[test]
fn nothing_to_read_is_nothing_to_miss() {
    each("</dev/null", |usual| usual);
}

#[test]
fn closed_files_change_nothing() {
    each("<&-", |usual| usual);
    each(">&-", |usual| usual);
    each("2>&-", |usual| usual);
    each("<&- >&- 2>&-", |usual| usual);
}

#[test]
fn a_full_disk_below_standard_output_is_said() {
    each(">/dev/full", |usual| if usual == 0 { 1 } else { usual });
}

#[test]
fn a_reader_that_is_gone_ends_it_as_it_ends_any_program() {
    for user in User::all() {
        for words in ["list", "list --json", "doctor", "doctor --json", "check"] {
            let here = Surroundings::new(user);
            // The reader is gone for sure before the first word.
            let wait = "while [ ! -e gone ]; do :; done";
            let script = format!("({wait}; \"$0\" {words}; echo $? >code) | (exec <&-; : >gone); cat code");
            let said = Said::by(here.shell(&script));
            assert_eq!((&*said.out, &*said.err), ("141\n", ""), "forklore {words}");
        }
    }
}
