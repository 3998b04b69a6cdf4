//! Ends that the tour itself comes to: panics of the thread that draws, an abort, a stack that overflows, no memory.
//! None can be had by a key; a library between program and C library brings them about (`shim.c`), and the kernel.

use super::common::{
    DEMOS, Lessons, all_gone, home, is_restored, is_root, log, opened, rounds, run, saved, state, step, tells_of_a_cut,
    ui,
};
use super::group::Group;
use crate::support::{Ended, Load, Patience, Pty, Shim, User};
use std::path::Path;
use std::time::{Duration, Instant};

/// How soon a demo is gone when the tour is.
const GONE: Duration = Duration::from_secs(1);

/// What must hold after each: nothing lives, the terminal is back, what was done is kept, and the next start says so.
#[track_caller]
fn survived(pty: &mut Pty, (lessons, user, home): (&Lessons, User, &Path), ended: Ended, from: Instant, load: &Load) {
    load.assert_within(GONE, all_gone(pty, from), "the end of the demo");
    assert_eq!(pty.wait(), ended, "{}", pty.screen());
    is_restored(pty);
    let kept = state(home);
    assert!(kept["lessons"]["try"]["seen"].as_array().is_some_and(|seen| !seen.is_empty()), "{kept}");
    assert!(tells_of_a_cut(lessons, user, home), "the next start says that this one was cut off");
}

/// A fault of the thread that draws while a demo runs; what the terminal was told.
#[track_caller]
fn struck(fault: &str, round: usize, ended: Ended) -> Option<String> {
    let shim = Shim::new(fault)?;
    let (lessons, users, load) = (Lessons::trial(), User::all(), Load::watch());
    let user = users[round % users.len()];
    let (home, place) = (home(user), format!("try:{}", round * 5 % DEMOS.len() + 1));
    let mut pty = shim.before(lessons.tour(user, &place).env("HOME", home.path())).start();
    opened(&pty);
    run(&pty);
    saved(home.path());
    shim.fault(fault);
    let met = Patience::default().wait(|| {
        // The next frame looks at the clock.
        pty.send("?");
        shim.met().then_some(())
    });
    let from = Instant::now();
    assert!(met.is_some(), "{fault} did not come\n{}", pty.screen());
    survived(&mut pty, (&lessons, user, home.path()), ended, from, &load);
    Some(log(&pty))
}

/// What stands on the main screen after the program.
fn last_words(log: &str) -> &str {
    log.rsplit_once("\x1b[?1049l").map_or("", |(_, after)| after)
}

#[test]
fn a_panic_of_the_screen_is_readable_and_everything_is_put_back() {
    for round in 0..rounds(3) {
        let Some(log) = struck("panic", round as usize, Ended::Code(101)) else { return };
        let said = last_words(&log);
        assert!(said.contains("a fault of the program itself ended it. Thread 'main' panicked at"), "{said:?}");
    }
}

#[test]
fn a_panic_while_a_panic_unwinds_is_put_back_by_the_guard() {
    for round in 0..User::all().len() {
        let Some(log) = struck("panic twice", round, Ended::Code(134)) else { return };
        assert!(log.contains("Thread 'main' panicked at"), "the first is told: {log}");
        assert!(last_words(&log).contains("forklore was ended by SIGABRT; the terminal has been restored"), "{log}");
    }
}

#[test]
fn a_panic_while_a_panic_is_told_is_put_back_by_the_guard() {
    let Some(log) = struck("panic in panic", 0, Ended::Code(134)) else { return };
    assert!(last_words(&log).contains("forklore was ended by SIGABRT"), "{log}");
}

#[test]
fn an_abort_a_wild_write_and_a_stack_that_overflows_are_put_back_by_the_guard() {
    for (round, (fault, signal, code)) in
        [("abort", "SIGABRT", 134), ("segv", "SIGSEGV", 139), ("overflow", "SIGABRT", 134)].into_iter().enumerate()
    {
        let Some(log) = struck(fault, round, Ended::Code(code)) else { return };
        let said = format!("forklore was ended by {signal}; the terminal has been restored");
        assert!(last_words(&log).contains(&said), "{fault}: {log}");
        // Rust's own words: it was the stack, and nothing else.
        assert_eq!(log.contains("has overflowed its stack"), fault == "overflow", "{log}");
    }
}

/// The kernel's own choice of whom to end: in a group with too little memory the tour is alone.
#[test]
fn killed_for_want_of_memory_it_is_put_back_by_the_guard() {
    if !is_root() {
        println!("SKIP: a group with little memory needs root");
        return;
    }
    let lessons = Lessons::trial();
    for user in User::all() {
        let Some(little) = Group::new("memory", &[("memory.limit_in_bytes", "262144")]) else {
            println!("SKIP: no group for memory can be made here");
            return;
        };
        let (home, load) = (home(user), Load::watch());
        let mut pty = lessons.tour(user, &format!("try:{}", step("timeslice"))).env("HOME", home.path()).start();
        opened(&pty);
        run(&pty);
        saved(home.path());
        // What it has stays with the group it came from; what it takes from now on is counted.
        little.take(&ui(&pty));
        let killed = || little.read("memory.oom_control").lines().any(|line| line == "oom_kill 1");
        let ended = Patience::default().wait(|| {
            // A larger terminal needs larger frames.
            [(500, 200), (100, 30)].into_iter().for_each(|(columns, rows)| pty.resize(columns, rows));
            killed().then_some(())
        });
        let from = Instant::now();
        assert!(ended.is_some(), "{}\n{}", little.read("memory.oom_control"), pty.screen());
        survived(&mut pty, (&lessons, user, home.path()), Ended::Code(137), from, &load);
        assert!(last_words(&log(&pty)).contains("forklore was ended by SIGKILL; the terminal has been restored"));
    }
}
