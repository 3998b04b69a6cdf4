//! The terminal that the program is tested in, tested itself: it must see what it is there to see.

use crate::support::{Ended, Launch, Marker, Patience, Process, Surroundings, User, all, descendants};
use nix::sys::signal::Signal;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

/// Long enough to see that something does not come, short enough to wait for.
const SHORT: Patience = Patience(Duration::from_millis(200));

fn shell(script: &str) -> Launch {
    Launch::program("/bin/sh").args(["-c", script])
}

/// The message of the failure that `test` must end in.
fn failure(test: impl FnOnce()) -> String {
    let failed = catch_unwind(AssertUnwindSafe(test)).expect_err("it should have failed");
    *failed.downcast::<String>().expect("a failure with a message")
}

/// Waits until one process of this name is all that `look` sees: what was just forked has yet to become it.
fn alone(name: &str, look: impl Fn() -> Vec<Process>) -> Process {
    let found = Patience::default().wait(|| match look().as_slice() {
        [one] if one.name == name => Some(one.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{name} alone should be there: {:?}", look()))
}

#[test]
fn keys_go_in_and_the_screen_comes_out() {
    let mut pty = shell("stty raw -echo; printf 'ready \\033[1;31mred\\033[0m 线程'; head -c 3; stty sane").start();
    let screen = pty.until(|screen| screen.contains("线程"), "the first words");
    assert_eq!(screen.trim_end(), "ready red 线程");
    let cell = pty.cell(0, 6);
    assert_eq!((cell.contents(), cell.fgcolor(), cell.bold()), ("r", vt100::Color::Idx(1), true));
    pty.send("abc");
    assert_eq!(pty.wait(), Ended::Code(0));
    assert!(pty.screen().contains("线程abc"), "what was written last is read: {}", pty.screen());
}

#[test]
fn until_gives_up_and_shows_the_last_screen() {
    let pty = shell("printf 'all there is'; sleep 100").patience(SHORT).start();
    let message = failure(|| drop(pty.until(|screen| screen.contains("more"), "more than there is")));
    assert!(message.contains("more than there is") && message.contains("|all there is"), "{message}");
    assert!(message.contains("80x24"), "{message}");
}

#[test]
fn how_it_ended_is_told() {
    assert_eq!(shell("exit 7").start().wait(), Ended::Code(7));
    let mut pty = shell("sleep 100").start();
    pty.signal(Signal::SIGTERM);
    assert_eq!(pty.wait(), Ended::Signal(Signal::SIGTERM));
    let message = failure(|| assert_eq!(shell("sleep 100").patience(SHORT).start().wait(), Ended::Code(0)));
    assert!(message.contains("it did not end within"), "{message}");
}

#[test]
fn modes_and_settings_left_on_are_found() {
    let mut pty = shell("stty raw -echo; printf '\\033[?1049h\\033[?25l\\033]2;title\\007'").start();
    pty.wait();
    assert_eq!(pty.modes_left(), ["?1049 set", "?25 reset"]);
    assert!(!pty.termios_unchanged(), "stty raw was not taken back");
    assert!(pty.csi_foreign().iter().any(|what| what.contains("Other")), "{:?}", pty.csi_foreign());

    let mut pty = shell("old=$(stty -g); stty raw; printf '\\033[?1049h\\033[?1049l'; stty $old").start();
    pty.wait();
    assert_eq!((pty.modes_left(), pty.csi_foreign(), pty.termios_unchanged()), (vec![], vec![], true));
    assert_eq!(pty.raw_log(), b"\x1b[?1049h\x1b[?1049l");
}

#[test]
fn a_process_left_behind_is_found_and_ended() {
    let mut pty = shell("sleep 100 & echo $!").start();
    pty.wait();
    let left = alone("sleep", || pty.children());
    assert_eq!(pty.surroundings.marker.processes()[0].pid, left.pid, "it carries the mark");
    assert!(failure(|| pty.assert_nothing_left(SHORT)).contains(&format!("{} (sleep", left.pid)));
    drop(pty);
    assert!(all().iter().all(|p| p.pid != left.pid || p.name != "sleep"), "dropping ends it");
}

#[test]
fn nothing_escapes_by_leaving_session_and_environment() {
    let daemon = "env -i setsid sh -c 'env -i setsid sleep 100 & exit 0' & wait";
    let mut pty = shell(daemon).start();
    assert_eq!(pty.wait(), Ended::Code(0));
    let found = Patience::default().wait(|| pty.children().into_iter().find(|p| p.name == "sleep"));
    let daemon = found.expect("the daemon is still below the keeper");
    assert!(pty.surroundings.marker.processes().iter().all(|p| p.pid != daemon.pid), "it has no mark any more");
    daemon.kill();
    pty.assert_nothing_left(Patience::default());
}

#[test]
fn children_are_seen_while_the_program_runs() {
    let pty = shell("sleep 100 & sleep 100 & echo started; wait").start();
    pty.until(|screen| screen.contains("started"), "the start");
    let found = Patience::default().wait(|| {
        let children = pty.children();
        (children.len() == 2 && children.iter().all(|p| p.parent == pty.pid())).then_some(())
    });
    assert!(found.is_some(), "two children of {}: {:?}", pty.pid(), pty.children());
    assert_eq!(descendants(pty.pid()).len(), 2);
}

#[test]
fn a_new_size_is_told_to_the_program_and_drawn() {
    let mut pty = shell("trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.01; done").size(100, 30).start();
    pty.until(|screen| screen.contains("30 100"), "the first size");
    pty.resize(40, 12);
    assert_eq!(pty.wait(), Ended::Code(0));
    assert!(pty.screen().contains("12 40"), "{}", pty.screen());
    let mut pty = shell("stty size").size(0, 0).start();
    pty.wait();
    assert!(pty.raw_log().starts_with(b"0 0"), "no size at all is a size too");
}

/// Asks the terminal two questions and prints what it says, or that it says nothing.
const ASK: &str = r#"
import os, select, sys, tty
tty.setraw(0)
for question in ("\x1b[3;5H\x1b[6n", "\x1b[c"):
    os.write(1, question.encode())
    said = select.select([0], [], [], float(sys.argv[1]))[0] and os.read(0, 100)
    os.write(1, repr(said).encode() + b"\r\n")
"#;

#[test]
fn the_terminal_answers_what_it_is_asked() {
    let ask = |wait: &str| Launch::program("/usr/bin/env").args(["python3", "-c", ASK, wait]);
    let mut pty = ask("20").start();
    pty.wait();
    let screen = pty.screen();
    assert!(screen.contains("[3;5R") && screen.contains("[?62;22c"), "{screen}");
    let mut pty = ask("0.1").mute().start();
    pty.wait();
    assert_eq!(pty.screen().matches("[]").count(), 2, "{}", pty.screen());
}

#[test]
fn ctrl_z_stops_it_and_it_goes_on() {
    let mut pty = shell("echo up; read line; echo got $line").start();
    pty.until(|screen| screen.contains("up"), "the start");
    pty.send("\x1a");
    pty.wait_stopped();
    pty.signal(Signal::SIGCONT);
    pty.send("it\n");
    assert_eq!(pty.wait(), Ended::Code(0));
    assert!(pty.screen().contains("got it"), "{}", pty.screen());
}

#[test]
fn a_hang_up_is_heard() {
    let mut pty = shell("trap 'exit 3' HUP; echo up; while :; do sleep 0.01; done").start();
    pty.until(|screen| screen.contains("up"), "the start");
    pty.hang_up();
    assert_eq!(pty.wait(), Ended::Code(3));
}

#[test]
fn held_output_holds_the_program() {
    let mut pty = shell("echo up; read go; head -c 200000 /dev/zero | tr '\\0' x; echo; echo done").start();
    pty.until(|screen| screen.contains("up"), "the start");
    pty.hold_output(true);
    pty.send("\n");
    let blocked = Patience::default().wait(|| pty.children().into_iter().find(|p| p.name == "tr" && p.state == 'S'));
    assert!(blocked.is_some() && !pty.screen().contains("done"));
    pty.hold_output(false);
    assert_eq!(pty.wait(), Ended::Code(0));
    assert!(pty.screen().contains("done"));
}

#[test]
fn an_ordinary_user_is_one() {
    for user in User::all() {
        let mut pty = shell("id -u; touch ~/mine && echo \"$HOME\"; : >/dev/tty && echo tty").user(user).start();
        assert_eq!(pty.wait(), Ended::Code(0), "{}", pty.screen());
        assert!(pty.raw_log().starts_with(format!("{}\r\n", user.uid()).as_bytes()), "{}", pty.screen());
        assert!(pty.surroundings.home().join("mine").is_file() && pty.screen().contains("tty"));
    }
}

#[test]
fn the_environment_is_what_the_test_says() {
    let mut pty = Launch::program("/usr/bin/env").env("NO_COLOR", "1").size(200, 50).start();
    pty.wait();
    let screen = pty.screen();
    let mut names: Vec<_> = screen.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.sort_unstable();
    assert_eq!(names, [Marker::NAME, "HOME", "LANG", "NO_COLOR", "PATH", "TERM", "TMPDIR"]);
}

#[test]
fn a_command_runs_as_each_user_and_its_leftovers_are_found() {
    for user in User::all() {
        let here = Surroundings::new(user);
        here.forklore(["--help"]).assert().success();
        let said = here.program(Path::new("/bin/sh"), ["-c", "id -u; sleep 100 >/dev/null 2>&1 &"]).assert().success();
        assert_eq!(String::from_utf8_lossy(&said.get_output().stdout).trim(), user.uid().to_string());
        let left = alone("sleep", || here.marker.processes());
        let message = failure(|| here.marker.assert_gone(SHORT));
        assert!(message.contains("left behind") && message.contains(&format!("{} (sleep", left.pid)), "{message}");
        left.kill();
        here.marker.assert_gone(Patience::default());
    }
}

#[test]
fn forklore_itself_starts_in_it() {
    for user in User::all() {
        let mut pty = Launch::forklore().args(["--help"]).user(user).start();
        pty.wait();
        pty.assert_nothing_left(Patience::default());
    }
}
