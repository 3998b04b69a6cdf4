//! Workers that wait for each other for ever: whoever has seen enough of them is rid of them at once, and a learner can open
//! their circle and see it close again.

use super::common::{Lessons, below, leave, lesson, ui};
use crate::support::{Load, Patience, Pty, Surroundings, User};
use forklore::fact::{Fact, Outcome, Stamped};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

/// How long one who leaves may be kept.
const AT_ONCE: Duration = Duration::from_secs(1);

const BOTH: [&str; 2] = ["threads", "processes"];

fn fact(line: &str) -> Stamped {
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))
}

/// Runs eight philosophers until nobody has run for a second, then sends the signal; its outcome.
fn stuck_then(here: &Surroundings, what: &str, signal: Signal) -> Outcome {
    let load = Load::watch();
    let what = format!("as={what}");
    let mut child = here.start(["run", "deadlock", &what, "philosophers=8", "pace=20", "--for", "600", "--json"]);
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    loop {
        line.clear();
        assert!(out.read_line(&mut line).expect("plain text") > 0, "{what}: it ended before all were stuck");
        if matches!(fact(&line).fact, Fact::Step { name } if name == "settled") {
            break;
        }
    }
    let begun = Instant::now();
    kill(Pid::from_raw(child.id().try_into().expect("a pid")), signal).expect("it runs");
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("plain text");
    let ended = Patience::default().wait(|| child.try_wait().expect("a child of ours")).expect("it ends");
    load.assert_within(AT_ONCE, begun.elapsed(), &format!("the end of a deadlock, {what}, by {signal}"));
    assert_eq!(ended.code(), Some(128 + signal as i32), "{what}, {signal}");
    here.marker.assert_gone(Patience::default());
    match fact(rest.lines().last().expect("an outcome")).fact {
        Fact::Outcome(outcome) => outcome,
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn a_deadlock_ends_with_the_signal_and_leaves_nothing() {
    for user in User::all() {
        for what in BOTH {
            for signal in [Signal::SIGTERM, Signal::SIGINT] {
                let outcome = stuck_then(&Surroundings::new(user), what, signal);
                assert!(outcome.clean && outcome.left_behind == 0 && outcome.broke.is_none(), "{what}: {outcome:?}");
            }
        }
    }
}

/// The tour at a table of five who are stuck.
fn tour(user: User, what: &str) -> Pty {
    let lessons = Lessons::empty();
    let step = format!("## On trial\nWords.\n\n```demo deadlock\nas = \"{what}\"\npace = 100\nexpect = {{}}\n```\n\n");
    lessons.write("01-try.md", lesson("try", "Trying", &step));
    // Too small for a picture of a table: a line for each is easier to read, for a test too.
    let pty = lessons.tour(user, "try:1").size(80, 24).start();
    pty.until(|screen| screen.contains("On trial"), "the step");
    pty.send(" ");
    pty.until(|screen| screen.contains("A waits for B"), "a circle");
    pty
}

#[test]
fn who_leaves_a_deadlock_is_rid_of_it_at_once() {
    for user in User::all() {
        for what in BOTH {
            let load = Load::watch();
            let mut pty = tour(user, what);
            let ui = ui(&pty).pid;
            assert!(below(ui) > 0);
            let begun = Instant::now();
            pty.send("\x1b");
            pty.until(|screen| screen.contains("Lessons"), "the catalogue");
            let gone = Patience::default().wait(|| (below(ui) == 0).then_some(()));
            assert!(gone.is_some(), "{what}: {:?}", pty.children());
            load.assert_within(AT_ONCE, begun.elapsed(), &format!("leaving a deadlock of {what}"));
            leave(&mut pty);
        }
    }
}

#[test]
fn who_ends_the_run_sees_the_circle_still() {
    for what in BOTH {
        let mut pty = tour(User::Me, what);
        let ui = ui(&pty).pid;
        pty.send(" ");
        pty.until(|screen| screen.contains("ended after"), "the end of the run");
        let gone = Patience::default().wait(|| (below(ui) == 0).then_some(()));
        assert!(gone.is_some(), "{what}: {:?}", pty.children());
        pty.until(|screen| screen.contains("A waits for B") && !screen.contains("dead,"), "the circle as it was");
        leave(&mut pty);
    }
}

#[test]
fn a_circle_opens_and_closes_again_and_does_not_once_one_is_turned() {
    let mut pty = tour(User::Me, "processes");
    // A gives its fork back: E eats, and in the end all are stuck again, with the same habit.
    pty.send("g");
    pty.until(|screen| screen.contains("No circle") || screen.contains("· 1 meal"), "an open circle");
    pty.until(|screen| screen.contains("A waits for B") && screen.contains("· 1 meal"), "the circle once more");
    // Turned, it is the one that does not fit into a circle.
    pty.send("og");
    pty.until(|screen| screen.contains("· 6 meals"), "meals without end");
    leave(&mut pty);
}

#[test]
fn the_fork_of_a_dead_one_stays_taken_and_a_thread_is_not_killed() {
    let mut pty = tour(User::Me, "processes");
    pty.send("k");
    pty.until(|screen| screen.contains("of A, who is dead") && screen.contains("4 wait for ever"), "the dead owner");
    leave(&mut pty);
    let mut pty = tour(User::Me, "threads");
    pty.send("k");
    pty.until(|screen| screen.contains("killing one thread"), "the refusal");
    leave(&mut pty);
}
