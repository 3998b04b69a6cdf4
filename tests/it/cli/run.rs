//! `run`: its stream, its signals, its readers that leave.

use super::{Said, forklore, one_that_goes_on};
use crate::support::{Patience, Surroundings, User};
use forklore::fact::{Fact, Stamped};
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsRawFd;
use std::process::{Child, ChildStdout};

#[test]
fn the_stream_begins_with_start_and_ends_with_outcome() {
    for user in User::all() {
        let here = Surroundings::new(user);
        for demo in forklore::demo::specs() {
            let said = forklore(&here, &format!("run {} --json --for 0.3", demo.name));
            let facts = said.facts();
            assert!(matches!(&facts[0].fact, Fact::Start(start) if start.demo == demo.name), "{:?}", facts[0]);
            let Some(Stamped { fact: Fact::Outcome(outcome), .. }) = facts.last() else {
                panic!("{}: {:?}", demo.name, facts.last())
            };
            assert!(outcome.clean, "{}: {outcome:?}", demo.name);
            assert_eq!(said.code == 0, outcome.broke.is_none(), "{}: {outcome:?}", demo.name);
            let ends = facts.iter().filter(|f| matches!(f.fact, Fact::Start(_) | Fact::Outcome(_))).count();
            assert_eq!(ends, 2, "one of each");
            assert!(facts.iter().all(|f| f.fact != Fact::Unknown), "{}: a kind that nobody knows", demo.name);
        }
        here.marker.assert_gone(Patience::default());
    }
}

#[test]
fn the_source_that_is_asked_for_is_the_one_that_is_told() {
    let here = Surroundings::new(User::Me);
    for demo in forklore::demo::specs() {
        let facts = forklore(&here, &format!("run {} --json --for 0.2 --source sampled", demo.name)).facts();
        assert!(matches!(&facts[0].fact, Fact::Start(s) if s.source.word() == "sampled" && s.hz.is_some()));
        if !demo.self_timed {
            let said = forklore(&here, &format!("run {} --source self-timed", demo.name));
            assert_eq!(said.code, 2, "{}", said.out);
            assert!(said.out.contains("it could not run") && said.out.contains("do not spin"), "{}", said.out);
        }
    }
}

/// A run that would go on for long, and has begun: it, what it still says, and its first line.
fn begun(here: &Surroundings, format: &str) -> (Child, BufReader<ChildStdout>) {
    let demo = one_that_goes_on();
    let words: Vec<_> = ["run", demo, "--for", "600"].into_iter().chain(format.split_whitespace()).collect();
    let mut child = here.start(words);
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("the first line");
    assert!(line.contains(demo), "{line}");
    (child, out)
}

pub(super) fn end(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().expect("a pid")), signal).expect("it runs");
}

pub(super) fn code(child: &mut Child) -> Option<i32> {
    let ended = Patience::default().wait(|| child.try_wait().expect("a child of ours"));
    ended.expect("it ends").code()
}

#[test]
fn a_signal_ends_a_run_in_order() {
    for user in User::all() {
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
            let here = Surroundings::new(user);
            let (mut child, mut out) = begun(&here, "--json");
            end(&child, signal);
            let mut rest = String::new();
            out.read_to_string(&mut rest).expect("plain text");
            assert_eq!(code(&mut child), Some(128 + signal as i32), "{signal}");
            let last = rest.lines().last().expect("a last line");
            let last: Stamped = serde_json::from_str(last).expect("a fact");
            assert!(matches!(&last.fact, Fact::Outcome(outcome) if outcome.clean), "{last:?}");
            here.marker.assert_gone(Patience::default());
        }
    }
}

#[test]
fn a_signal_ends_a_run_whose_reader_does_not_read() {
    let here = Surroundings::new(User::Me);
    let (mut child, out) = begun(&here, "--json");
    // A pipe of one page is full as soon as something is in it; one that holds more already cannot be made smaller.
    match fcntl(out.get_ref(), FcntlArg::F_SETPIPE_SZ(4096)) {
        Ok(_) | Err(nix::Error::EBUSY) => {}
        Err(error) => panic!("a smaller pipe: {error}"),
    }
    let full = Patience::default().wait(|| (queued(out.get_ref()) > 0).then_some(()));
    assert!(full.is_some(), "nothing more was said");
    end(&child, Signal::SIGTERM);
    assert_eq!(code(&mut child), Some(128 + Signal::SIGTERM as i32));
    here.marker.assert_gone(Patience::default());
    drop(out);
}

nix::ioctl_read_bad!(fionread, libc::FIONREAD, libc::c_int);

/// Bytes in a pipe that nobody has read.
#[expect(unsafe_code, reason = "an ioctl")]
fn queued(pipe: &ChildStdout) -> libc::c_int {
    let mut count = 0;
    // SAFETY: the descriptor is open and the number ours.
    unsafe { fionread(pipe.as_raw_fd(), &raw mut count) }.expect("a pipe can be asked");
    count
}

#[test]
fn a_reader_that_leaves_ends_the_run() {
    for user in User::all() {
        for format in ["--json", ""] {
            let here = Surroundings::new(user);
            let (mut child, out) = begun(&here, format);
            drop(out);
            if format.is_empty() {
                // In words nothing more is said before the end.
                end(&child, Signal::SIGTERM);
            }
            let wanted = if format.is_empty() { 128 + 15 } else { 128 + 13 };
            assert_eq!(code(&mut child), Some(wanted));
            here.marker.assert_gone(Patience::default());
        }
    }
}

#[test]
fn what_a_shell_ignores_stays_ignored() {
    let here = Surroundings::new(User::Me);
    let demo = one_that_goes_on();
    let script =
        format!("trap '' INT; \"$0\" run {demo} --json --for 1 | {{ read -r l; kill -INT 0; cat; }} >o; cat o");
    let said = Said::by(here.shell(&format!("exec setsid -w sh -c '{}' \"$0\"", script.replace('\'', "'\\''"))));
    let last: Stamped = serde_json::from_str(said.out.lines().last().expect("a line")).expect("a fact");
    let Fact::Outcome(outcome) = last.fact else { panic!("{last:?}") };
    assert!(outcome.seconds >= 1.0, "it was ended early: {outcome:?}");
}
