//! `check` and `check --run`, and folders of lessons that are not what they should be.

use super::{Said, forklore};
use crate::support::{Patience, Surroundings, User};
use forklore::fact::{DemoSpec, ReturnKind};
use forklore::lesson::embed;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;

/// A demo that counts something, and what it counts.
fn counting() -> (&'static DemoSpec, &'static str) {
    let counts = |spec: &'static DemoSpec| {
        spec.returns.iter().find(|r| r.kind == ReturnKind::Count).map(|value| (spec, value.name))
    };
    forklore::demo::specs().into_iter().find_map(counts).expect("one of them counts")
}

/// A lesson that expects `expect` of a value.
fn lesson(here: &Surroundings, expect: &str) {
    let (demo, value) = counting();
    let text = format!(
        "+++\nid = \"sample\"\ntitle = \"A sample\"\npart = \"Samples\"\nminutes = 1\n+++\nAbout.\n\n## One\nRun it.\n\n\
         ```demo {}\nexpect = {{ {value} = \"{expect}\" }}\n```\n",
        demo.name
    );
    fs::write(here.home().join("01-sample.md"), text).expect("written");
}

#[test]
fn a_lesson_that_is_right_and_one_that_is_not() {
    for user in User::all() {
        let here = Surroundings::new(user);
        lesson(&here, "at least 0");
        let said = forklore(&here, "check 01-sample.md");
        assert_eq!((said.code, &*said.out, &*said.err), (0, "1 lesson in 1 file, 0 errors, 0 warnings\n", ""));
        lesson(&here, "never in a lifetime");
        let said = forklore(&here, "check .");
        assert_eq!((said.code, &*said.err), (1, ""));
        assert!(said.out.contains("./01-sample.md:13:") && said.out.contains("^^"), "{}", said.out);
        assert!(said.out.ends_with("1 lesson in 1 file, 1 error, 0 warnings\n"), "{}", said.out);
    }
}

#[test]
fn a_lesson_in_two_languages_is_one_in_two_files() {
    let here = Surroundings::new(User::Me);
    lesson(&here, "at least 0");
    for folder in ["en", "zh"] {
        fs::create_dir(here.home().join(folder)).expect("made");
        fs::copy(here.home().join("01-sample.md"), here.home().join(folder).join("01-sample.md")).expect("copied");
    }
    let said = forklore(&here, "check en zh");
    assert_eq!((said.code, &*said.out), (0, "1 lesson in 2 files, 0 errors, 0 warnings\n"));
    let said = forklore(&here, "check");
    let counts: Vec<usize> = said.out.split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(said.out.contains(" lessons in ") && counts[1] == 2 * counts[0], "{}", said.out);
}

/// The ledger that comes with the program, in which one demo's name is misspelt.
fn misspelt(here: &Surroundings) -> std::path::PathBuf {
    let (_, text) = embed::lore();
    let path = here.home().join(embed::LORE);
    let wrong = text.replacen("demo = \"", "demo = \"x", 1);
    assert_ne!(wrong, text);
    fs::write(&path, wrong).expect("written");
    path
}

#[test]
fn the_ledger_is_checked_with_the_lessons() {
    let here = Surroundings::new(User::Me);
    let said = forklore(&here, "check");
    assert_eq!(said.code, 0, "{}", said.out);
    assert!(said.out.ends_with(" files, a ledger of 245 claims, 0 errors, 0 warnings\n"), "{}", said.out);
    // A folder without one has none that could be wrong.
    lesson(&here, "at least 0");
    let said = forklore(&here, "check --lessons .");
    assert_eq!((said.code, &*said.out), (0, "1 lesson in 1 file, 0 errors, 0 warnings\n"));
    let whole = misspelt(&here).display().to_string();
    let line = embed::lore().1.lines().position(|line| line.starts_with("demo = ")).expect("one has a test") + 1;
    for (words, counted) in [
        ("check .".to_owned(), "1 lesson in 1 file, a ledger, 1 error, 0 warnings\n"),
        ("check --lessons .".to_owned(), "1 lesson in 1 file, a ledger, 1 error, 0 warnings\n"),
        ("check lore.toml".to_owned(), "a ledger, 1 error, 0 warnings\n"),
        (format!("check {whole} 01-sample.md"), "1 lesson in 1 file, a ledger, 1 error, 0 warnings\n"),
        ("check 01-sample.md".to_owned(), "1 lesson in 1 file, 0 errors, 0 warnings\n"),
    ] {
        let said = forklore(&here, &words);
        assert_eq!((said.code, &*said.err), (i32::from(counted.contains(" 1 error")), ""), "{words}: {}", said.out);
        assert!(said.out.ends_with(counted), "{words}: {}", said.out);
        if said.code == 1 {
            let parts = [&format!("lore.toml:{line}:8: error: there is no demo x"), "^^^^", "help: "];
            assert!(parts.iter().all(|part| said.out.contains(*part)), "{words}: {}", said.out);
        }
    }
}

#[test]
fn a_run_leaves_the_claims_to_lore_and_says_so() {
    let here = Surroundings::new(User::Me);
    fs::write(here.home().join(embed::LORE), embed::lore().1).expect("written");
    lesson(&here, "at least 0");
    let said = forklore(&here, "check --run .");
    assert_eq!(said.code, 0, "{}", said.out);
    let closing = "\n1 lesson in 1 file, a ledger of 245 claims (`forklore lore` runs them), 0 errors, 0 warnings\n";
    assert!(said.out.ends_with(closing), "{}", said.out);
    here.marker.assert_gone(Patience::default());
}

#[test]
fn a_ledger_that_is_no_text_is_told_of() {
    for user in User::all() {
        let here = Surroundings::new(user);
        lesson(&here, "at least 0");
        let ledger = here.home().join(embed::LORE);
        fs::write(&ledger, b"[[claim]]\n\xff").expect("written");
        forklore(&here, "check .").could_not("lore.toml: invalid utf-8");
        fs::write(&ledger, vec![b'#'; (1 << 20) + 1]).expect("written");
        forklore(&here, "check --lessons .").could_not("that is no ledger");
        fs::write(&ledger, "\u{1b}]0;owned\u{7} = [").expect("written");
        let said = forklore(&here, "check lore.toml");
        assert_eq!((said.code, &*said.err), (1, ""));
        assert!(said.out.contains("lore.toml:1:2: error: ") && !said.out.contains('\u{1b}'), "{}", said.out);
        fs::remove_file(&ledger).expect("ours");
        nix::unistd::mkfifo(&ledger, nix::sys::stat::Mode::from_bits_truncate(0o666)).expect("a FIFO");
        forklore(&here, "check .").could_not("not a regular file");
        fs::remove_file(&ledger).expect("ours");
        std::os::unix::fs::symlink("nowhere", &ledger).expect("a link");
        forklore(&here, "check .").could_not("lore.toml: No such file");
    }
}

#[test]
fn one_lesson_may_refer_to_its_folder_and_to_those_of_the_program() {
    let here = Surroundings::new(User::Me);
    lesson(&here, "at least 0");
    let known = &forklore(&here, "list --json").json()["lessons"][0]["id"];
    let text = format!(
        "+++\nid = \"mine\"\ntitle = \"Mine\"\npart = \"Samples\"\n+++\n## One\n[There](lesson:{}), [here](lesson:sample), \
         [nowhere](lesson:nowhere).\n",
        known.as_str().expect("an id")
    );
    fs::write(here.home().join("02-mine.md"), text).expect("written");
    let whole = here.home().join("02-mine.md");
    for path in ["02-mine.md", "./02-mine.md", whole.to_str().expect("plain")] {
        let said = forklore(&here, &format!("check {path}"));
        assert!(said.out.contains("there is no lesson nowhere"), "{}", said.out);
        assert!(said.out.ends_with("\n1 lesson in 1 file, 1 error, 0 warnings\n"), "{}", said.out);
    }
    // A folder is a course of its own: the tour that reads it has no other lessons.
    let said = forklore(&here, "check .");
    assert!(said.out.ends_with("\n2 lessons in 2 files, 2 errors, 0 warnings\n"), "{}", said.out);
}

#[test]
fn what_lessons_expect_is_compared_with_what_happens() {
    for user in User::all() {
        let here = Surroundings::new(user);
        lesson(&here, "at least 0");
        let said = forklore(&here, "check --run 01-sample.md");
        assert_eq!(said.code, 0, "{}", said.out);
        assert!(
            said.out.contains("\nok: ") && said.out.contains("(lesson sample, step 1, 01-sample.md:"),
            "{}",
            said.out
        );
        lesson(&here, "under 0");
        let said = forklore(&here, "check --run 01-sample.md");
        assert_eq!(said.code, 1, "{}", said.out);
        let sentence = format!("not as expected: {} expected under 0, measured ", counting().1);
        assert!(said.out.contains(&sentence), "{}", said.out);
        here.marker.assert_gone(Patience::default());
    }
}

#[test]
fn ctrl_c_ends_a_check_and_its_run() {
    let here = Surroundings::new(User::Me);
    lesson(&here, "at least 0");
    let mut child = here.start(["check", "--run", "01-sample.md"]);
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with(&format!("running {}", counting().0.name))));
    kill(Pid::from_raw(child.id().try_into().expect("a pid")), Signal::SIGINT).expect("it runs");
    let ended = Patience::default().wait(|| child.try_wait().expect("a child of ours"));
    assert_eq!(ended.expect("it ends").code(), Some(130));
    here.marker.assert_gone(Patience::default());
}

#[test]
fn a_folder_without_lessons_is_one_sentence() {
    for user in User::all() {
        let here = Surroundings::new(user);
        let folder = |name: &str| here.home().join(name);
        fs::create_dir(folder("empty")).expect("made");
        fs::create_dir(folder("closed")).expect("made");
        fs::set_permissions(folder("closed"), fs::Permissions::from_mode(0o000)).expect("ours");
        for command in ["list", "list --json", "check"] {
            forklore(&here, &format!("{command} --lessons missing")).could_not("missing: No such file");
            forklore(&here, &format!("{command} --lessons empty")).could_not("empty: no lesson");
            // Nothing is closed to root.
            let part = if user.uid() == 0 { "closed: no lesson" } else { "closed: Permission denied" };
            forklore(&here, &format!("{command} --lessons closed")).could_not(part);
        }
    }
}

#[test]
fn a_lesson_that_is_no_file_does_not_hold_anybody_up() {
    for user in User::all() {
        let here = Surroundings::new(user);
        lesson(&here, "at least 0");
        let pipe = here.home().join("02-pipe.md");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_truncate(0o666)).expect("a FIFO");
        for command in ["list --lessons .", "check .", "check 02-pipe.md"] {
            let said = forklore(&here, command);
            assert_eq!(said.code, 2, "{}", said.out);
            assert!(said.err.contains("02-pipe.md: "), "{}", said.err);
        }
        forklore(&here, "check /dev/zero").could_not("/dev/zero: not a regular file");
    }
}

#[test]
fn hostile_names_and_words_are_shown_harmless() {
    let here = Surroundings::new(User::Me);
    let name = "01-\u{1b}]0;owned\u{7}\u{202e}.md";
    let text = "+++\nid = \"\\u001b[2J\"\ntitle = \"\\u001b]52;c;eA==\\u0007\"\npart = \"\\u202e\"\n+++\n## \u{1b}[31m\n&#27;[0m\n";
    fs::write(here.home().join(name), text).expect("written");
    for command in ["list --lessons .", "list --json --lessons .", "check .", "check --run ."] {
        let said = Said::by(here.forklore(command.split(' ')));
        assert!(said.code <= 1 && said.err.is_empty(), "{command}: {}", said.err);
    }
}

#[test]
fn bytes_that_are_no_lesson_are_told_of() {
    let here = Surroundings::new(User::Me);
    let big = vec![b'#'; 3 << 20];
    for (n, bytes) in [&b""[..], b"\xff\xfe\0a", b"\0\0\0", &big, b"+++", b"\r\r\r"].into_iter().enumerate() {
        fs::write(here.home().join(format!("0{n}-bad.md")), bytes).expect("written");
    }
    let said = forklore(&here, "check .");
    assert_eq!((said.code, &*said.err), (1, ""));
    for n in 0..6 {
        assert!(said.out.contains(&format!("./0{n}-bad.md:")), "{n}: {}", said.out);
    }
    assert_eq!(forklore(&here, "list --lessons .").code, 0, "what of them can be read opens");
}
