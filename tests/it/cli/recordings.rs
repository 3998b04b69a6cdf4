//! `run --record` and `replay`, and recordings that are not what they should be.

use super::{Said, forklore, one_that_goes_on};
use crate::support::{Patience, Surroundings, User};
use std::fs;

/// What is said of the outcome: everything from the line that says how long it took.
fn outcome(said: &Said) -> Option<&str> {
    said.out.find("\nafter ").map(|at| &said.out[at..])
}

#[test]
fn what_is_recorded_is_replayed() {
    for user in User::all() {
        for demo in forklore::demo::specs() {
            let here = Surroundings::new(user);
            let run = forklore(&here, &format!("run {} --for 0.3 --record a.rec", demo.name));
            let replay = forklore(&here, "replay a.rec");
            assert_eq!((run.code, replay.code), (replay.code, run.code), "{}{}", run.err, replay.err);
            assert!(replay.out.contains("recorded: Linux "), "{}", replay.out);
            assert!(outcome(&run).is_some() && outcome(&run) == outcome(&replay), "{}\n{}", run.out, replay.out);
            here.marker.assert_gone(Patience::default());
        }
    }
}

#[test]
fn what_sixteen_cpus_told_is_replayed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recordings/sixteen");
    let here = Surroundings::new(User::Me);
    let files = fs::read_dir(folder).expect("it is in the tree").map(|entry| entry.expect("an entry").path());
    let recordings: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "rec")).collect();
    assert!(recordings.len() >= 10, "{recordings:?}");
    for path in recordings {
        fs::copy(&path, here.home().join("a.rec")).expect("a recording");
        let said = forklore(&here, "replay a.rec");
        assert_eq!((said.code, &*said.err), (0, ""), "{}", path.display());
        assert!(said.out.contains("recorded: Linux 6.1.0"), "{}: {}", path.display(), said.out);
        assert!(outcome(&said).is_some_and(|o| o.contains("nothing lost")), "{}: {}", path.display(), said.out);
    }
}

#[test]
fn a_recording_may_be_overwritten_and_nothing_else() {
    let here = Surroundings::new(User::Me);
    fs::write(here.home().join("thesis.txt"), "years of work").expect("written");
    let words = format!("run {} --for 0.05 --record", one_that_goes_on());
    forklore(&here, &format!("{words} thesis.txt")).could_not("thesis.txt: this file is there and is no recording");
    assert_eq!(fs::read_to_string(here.home().join("thesis.txt")).expect("there"), "years of work");
    forklore(&here, &format!("{words} no/such/folder")).could_not("cannot open it");
    forklore(&here, &format!("{words} /dev/full")).could_not("is no recording");
    for _ in 0..2 {
        assert_eq!(forklore(&here, &format!("{words} a.rec")).code, 0);
    }
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_run() {
    let here = Surroundings::new(User::Me);
    if Said::by(here.shell("unshare -m true")).code != 0 {
        assert!(std::env::var_os("FORKLORE_REQUIRE_KERNEL").is_none_or(|v| v != "1"), "no mount namespace");
        println!("SKIP: no mount namespace, so no small disk");
        return;
    }
    let run = format!("exec \"$0\" run {} --for 1 --record full/a.rec", one_that_goes_on());
    let script = format!("mkdir full && mount -t tmpfs -o size=4k none full && {run}");
    let said = Said::by(here.shell(&format!("exec unshare -m sh -c '{script}' \"$0\"")));
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(outcome(&said).is_some(), "the run went on: {}", said.out);
    assert_eq!(said.err.lines().count(), 1, "one sentence: {}", said.err);
    assert!(said.err.contains("a.rec: cannot write it: No space left"), "{}", said.err);
}

/// A recording as lines, with what was done to it.
fn replayed(change: impl FnOnce(&mut Vec<String>)) -> Said {
    let here = Surroundings::new(User::Me);
    let run = forklore(&here, &format!("run {} --for 0.2 --json", one_that_goes_on()));
    let mut lines: Vec<String> = run.out.lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(here.home().join("a.rec"), lines.join("\n")).expect("written");
    forklore(&here, "replay a.rec")
}

#[test]
fn a_recording_that_breaks_off_is_told_as_far_as_it_goes() {
    let said = replayed(|lines| lines.truncate(lines.len() - 1));
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.contains(one_that_goes_on()) && outcome(&said).is_none(), "{}", said.out);
    assert!(said.err.contains("a.rec, line ") && said.err.contains("ends before its run did"), "{}", said.err);
}

#[test]
fn a_recording_that_cannot_be_read_is_one_sentence() {
    replayed(|lines| lines[2] = "{\"t\":1,\"kind\":\"in\",\"cpu\":\"\u{1b}[2J\"}".to_owned())
        .could_not("a.rec, line 3: the recording is damaged here");
    replayed(|lines| lines[0] = lines[0].replace("\"format\":1", "\"format\":99"))
        .could_not("a newer forklore reads it");
    replayed(|lines| lines.clear()).could_not("this is no recording (it is empty); `forklore run");
    replayed(|lines| lines[0] = "hello".to_owned()).could_not("a.rec, line 1: this is no recording");
}

#[test]
fn the_demo_of_a_recording_may_be_unknown_here() {
    let said = replayed(|lines| lines[0] = lines[0].replace(&format!("\"{}\"", one_that_goes_on()), "\"of-tomorrow\""));
    assert_eq!((said.code, &*said.err), (0, ""));
    assert!(said.out.contains("of-tomorrow: this forklore has no such demo"), "{}", said.out);
    assert!(outcome(&said).is_some_and(|o| o.lines().count() > 2), "{}", said.out);
}

#[test]
fn hostile_words_of_a_recording_do_no_harm() {
    let said = replayed(|lines| {
        let said = "{\"t\":5,\"kind\":\"said\",\"text\":\"\\u001b]0;owned\\u0007 \\u202eabc\"}";
        lines.insert(1, said.to_owned());
        lines.insert(1, said.replace("said", "refused").replace("text", "what\":\"x\",\"why"));
    });
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("it says: \u{fffd}]0;owned"), "{}", said.out);
}

#[test]
fn what_is_no_file_is_no_recording() {
    let here = Surroundings::new(User::Me);
    nix::unistd::mkfifo(&here.home().join("pipe"), nix::sys::stat::Mode::from_bits_truncate(0o600)).expect("a FIFO");
    forklore(&here, "replay pipe").could_not("not an ordinary file");
    forklore(&here, "replay .").could_not("not an ordinary file");
}
