//! Terminals of every size and kind, and none at all.

use super::common::{Lessons, is_sane, leave, opened, run, step};
use crate::support::{Ended, Launch, Patience, Surroundings, User};
use std::path::Path;

#[test]
fn every_size_has_a_layout_or_a_sentence() {
    let lessons = Lessons::trial();
    for user in User::all() {
        for size in [(0, 0), (1, 1), (2, 2), (20, 5), (39, 11), (40, 12), (80, 24), (500, 200)] {
            let mut pty = lessons.tour(user, "try:2").size(size.0, size.1).start();
            // A terminal that has no size is taken for one of 80x24, which the emulator cannot show.
            match size {
                (0..10, _) => {
                    let frame = Patience::default().wait(|| (pty.raw_log().len() > 50).then_some(()));
                    assert!(frame.is_some(), "a frame on {size:?}");
                }
                (..40, _) => _ = pty.until(|screen| screen.contains("needs 40"), "what it needs"),
                _ => opened(&pty),
            }
            pty.send(" ");
            pty.send("?");
            pty.resize(60, 20);
            pty.until(|screen| screen.contains("Keys"), "the help, on a terminal that has grown");
            leave(&mut pty);
        }
    }
}

#[test]
fn a_thousand_resizes_beside_a_flood_end_in_the_last() {
    let lessons = Lessons::trial();
    let mut pty = lessons.tour(User::Me, &format!("try:{}", step("flood"))).start();
    opened(&pty);
    run(&pty);
    for n in 0..1000_u16 {
        pty.resize(n * 7 % 131, n * 5 % 43);
    }
    pty.resize(77, 25);
    pty.send("?");
    let screen = pty.until(|screen| screen.contains("Keys"), "the help");
    assert!(screen.lines().count() <= 25);
    pty.send("?");
    pty.until(|screen| screen.contains("running ") || screen.contains("ended after"), "the last size's frame");
    leave(&mut pty);
}

/// One line on standard error, exit code 2, and not an escape.
#[track_caller]
fn refuses(here: &Surroundings, redirection: &str) {
    let script = format!("\"$0\" {redirection}");
    let mut command = here.forklore_under(&["sh", "-c", &script], [""; 0]);
    let output = command.timeout(Patience::default().0).output().expect("it starts");
    assert_eq!(output.status.code(), Some(2), "{redirection}");
    let said = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&said);
    assert!(!text.contains('\x1b') && !text.contains("panicked"), "{redirection}: {text:?}");
    if !redirection.contains("2>") {
        assert_eq!(text.trim_end().lines().count(), 1, "{redirection}: {text:?}");
    }
}

#[test]
fn without_a_terminal_it_says_so_in_one_line() {
    for user in User::all() {
        let here = Surroundings::new(user);
        for redirection in [
            "</dev/null",
            "</dev/null | cat; exit 2",
            "</dev/null >/dev/null",
            "</dev/null >/dev/null 2>/dev/null",
            "<&-",
            ">&-",
            "<&- >&-",
            "<&- >&- 2>&-",
        ] {
            refuses(&here, redirection);
        }
        // Commands that need none work without any.
        let script =
            "\"$0\" list </dev/null >/dev/null 2>&- && \"$0\" list <&- >/dev/null && ! \"$0\" run x <&- >&- 2>&-";
        here.forklore_under(&["sh", "-c", script], [""; 0]).timeout(Patience::default().0).assert().success();
        here.marker.assert_gone(Patience::default());
    }
}

#[test]
fn a_terminal_on_one_side_only_is_none() {
    for redirection in ["</dev/null", ">/dev/null", "| cat"] {
        let here = Surroundings::new(User::Me);
        let script = format!("forklore {redirection}; exit 0");
        let path = here.forklore([""; 0]).get_program().to_owned();
        let script = script.replace("forklore", &path.display().to_string());
        let mut pty = Launch::program("/bin/sh").args(["-c", &script]).start();
        assert_eq!(pty.wait(), Ended::Code(0));
        let log = pty.raw_log();
        assert!(!log.contains(&0x1b), "{redirection}: {:?}", String::from_utf8_lossy(&log));
        is_sane(&pty);
    }
}

/// No controlling terminal, though descriptors 0 to 2 are one.
#[test]
fn a_terminal_that_controls_nobody_is_none() {
    let lessons = Lessons::trial();
    let mut pty = lessons.tour(User::Me, "try:1").under(["setsid", "-w"]).start();
    assert_eq!(pty.wait(), Ended::Code(2), "{}", pty.screen());
    let text = pty.screen();
    assert!(text.contains("terminal") && !pty.raw_log().contains(&0x1b), "{text}");
    is_sane(&pty);
}

/// Whether an SGR sequence of the log sets a colour.
fn colours(log: &[u8]) -> bool {
    let log = String::from_utf8_lossy(log);
    let mut sequences = log.split("\x1b[").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
        rest[end..].starts_with('m').then(|| &rest[..end])
    });
    sequences.any(|params| {
        params
            .split([';', ':'])
            .filter_map(|n| n.parse().ok())
            .any(|n: u16| matches!(n, 30..=38 | 40..=48 | 58 | 90..=97 | 100..=107))
    })
}

#[test]
fn no_color_means_none() {
    let lessons = Lessons::trial();
    for user in User::all() {
        for (colourless, launch) in [
            (false, lessons.tour(user, "try:2")),
            (true, lessons.tour(user, "try:2").env("NO_COLOR", "1")),
            (true, lessons.tour(user, "try:2").env("TERM", "vt100")),
            (true, lessons.tour(user, "try:2").env("NO_COLOR", "1").env("COLORTERM", "truecolor")),
        ] {
            let mut pty = launch.start();
            opened(&pty);
            run(&pty);
            pty.until(|screen| screen.contains("ended after") || screen.contains("alive"), "the cards");
            pty.send("?");
            pty.until(|screen| screen.contains("Keys"), "the help");
            pty.send("?T");
            leave(&mut pty);
            assert_eq!(colours(&pty.raw_log()), !colourless);
        }
    }
}

#[test]
fn every_kind_of_terminal_is_usable_or_told() {
    let lessons = Lessons::trial();
    for term in ["xterm", "linux", "vt100", "screen", "tmux-256color", "bogus", "xterm-kitty", "../../x", "\u{7f}"] {
        let mut pty = lessons.tour(User::Me, "try:1").env("TERM", term).start();
        opened(&pty);
        leave(&mut pty);
    }
    for launch in [lessons.tour(User::Me, "try:1").env("TERM", "dumb"), lessons.tour(User::Me, "try:1").without("TERM")]
    {
        let mut pty = launch.start();
        assert_eq!(pty.wait(), Ended::Code(2), "{}", pty.screen());
        assert!(!pty.raw_log().contains(&0x1b), "{}", pty.screen());
        is_sane(&pty);
    }
}

#[test]
fn a_locale_without_unicode_gets_ascii() {
    let lessons = Lessons::trial();
    for (name, value) in [("LANG", "C"), ("LC_ALL", "POSIX"), ("LANG", "de_DE.ISO-8859-1"), ("LANG", "")] {
        let mut pty = lessons.tour(User::Me, "try:2").env(name, value).start();
        opened(&pty);
        run(&pty);
        leave(&mut pty);
        assert!(pty.raw_log().is_ascii(), "{name}={value}: {:?}", pty.raw_log().iter().find(|b| !b.is_ascii()));
    }
}

/// A planted program must not be run for what a system call tells.
#[test]
fn no_program_of_the_path_is_asked_for_the_size() {
    let home = super::common::home(User::Me);
    let witness = home.path().join("asked");
    for name in ["tput", "stty", "resize", "infocmp", "locale"] {
        let tool = home.path().join(name);
        std::fs::write(&tool, format!("#!/bin/sh\necho {name} >> '{}'\n", witness.display())).expect("our own folder");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&tool, mode).expect("our own file");
    }
    let path = format!("{}:/usr/bin:/bin", home.path().display());
    let lessons = Lessons::trial();
    let mut pty = lessons.tour(User::Me, "").env("PATH", path).size(0, 0).start();
    let frame = Patience::default().wait(|| (pty.raw_log().len() > 200).then_some(()));
    assert!(frame.is_some(), "a frame");
    leave(&mut pty);
    assert!(!Path::exists(&witness), "{:?}", std::fs::read_to_string(&witness));
}
