//! Processes killed, stopped and signalled at moments that nobody chose, while each kind of demo runs.

use super::common::{
    DEMOS, Dice, Lessons, all_gone, below, descriptors, leave, opened, plays, rounds, run, sane_after, saved, send,
    state, status, step, ui, warden,
};
use crate::support::{Ended, Load, Patience, Process, Pty, User};
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

const MOST: Duration = Duration::from_millis(900);

/// How soon demos are gone, or what became of their warden is told.
const SOON: Duration = Duration::from_secs(1);

/// A tour whose demo number `round` was just asked for, as one user or the other.
fn on_stage(lessons: &Lessons, round: u32) -> Pty {
    let users = User::all();
    let place = format!("try:{}", usize::try_from(round).expect("few") % DEMOS.len() + 1);
    let pty = lessons.tour(users[round as usize % users.len()], &place).start();
    opened(&pty);
    pty.send(" ");
    pty
}

#[test]
fn a_killed_screen_takes_every_demo_with_it() {
    let (lessons, mut dice) = (Lessons::trial(), Dice::new(1));
    for round in 0..rounds(14) {
        let load = Load::watch();
        let mut pty = on_stage(&lessons, round);
        let ui = ui(&pty);
        saved(pty.surroundings.home());
        dice.pause(MOST);
        // Not SIGSEGV: Rust's own handler takes a first one that no fault sent for its own.
        let signal = [Signal::SIGKILL, Signal::SIGKILL, Signal::SIGABRT, Signal::SIGILL][round as usize % 4];
        assert!(send(&ui, signal));
        load.assert_within(SOON, all_gone(&pty, Instant::now()), "the end of the demo");
        sane_after(&mut pty, Ended::Code(128 + signal as i32));
        let log = String::from_utf8_lossy(&pty.raw_log()).into_owned();
        assert!(log.contains(&format!("forklore was ended by {signal}; the terminal has been restored")), "{log}");
        let kept = state(pty.surroundings.home());
        assert!(kept["lessons"]["try"]["seen"].as_array().is_some_and(|seen| !seen.is_empty()), "{kept}");
    }
}

#[test]
fn a_killed_guard_ends_the_tour_and_the_demo() {
    let (lessons, mut dice) = (Lessons::trial(), Dice::new(2));
    for round in 0..rounds(6) {
        let mut pty = on_stage(&lessons, round * 5);
        dice.pause(MOST);
        pty.signal(Signal::SIGKILL);
        sane_after(&mut pty, Ended::Signal(Signal::SIGKILL));
        let log = String::from_utf8_lossy(&pty.raw_log()).into_owned();
        assert!(log.contains("outer process was killed"), "{log}");
    }
}

#[test]
fn a_killed_warden_is_told_and_the_tour_goes_on() {
    let (lessons, mut dice) = (Lessons::trial(), Dice::new(3));
    for round in 0..rounds(6) {
        let word = ["timeslice", "ignore-term", "stop", "escape", "crash", "vfork-hang"][round as usize % 6];
        let users = User::all();
        let user = users[round as usize % users.len()];
        let mut pty = lessons.tour(user, &format!("try:{}", step(word))).start();
        opened(&pty);
        run(&pty);
        dice.pause(Duration::from_millis(300));
        let (ui, warden) = (ui(&pty), warden(&pty));
        let load = Load::watch();
        assert!(send(&warden, Signal::SIGKILL), "{word}");
        let killed = Instant::now();
        pty.until(|screen| screen.contains("warden was killed"), &format!("what became of {word}"));
        load.assert_within(SOON, killed.elapsed(), &format!("{word}: what became of its warden"));
        let swept = Patience(Duration::from_secs(10)).wait(|| (below(ui.pid) == 0).then_some(()));
        assert!(swept.is_some(), "{word}: {:?}", pty.children());
        run(&pty);
        leave(&mut pty);
    }
}

#[test]
fn a_killed_leader_ends_the_run_only() {
    let lessons = Lessons::trial();
    let mut pty = lessons.tour(User::Me, "try:1").start();
    opened(&pty);
    run(&pty);
    let leader = Patience::default().wait(|| pty.children().into_iter().find(|p| plays(p, "__stage")));
    assert!(send(&leader.expect("a leader"), Signal::SIGKILL));
    pty.until(|screen| screen.contains("ended after"), "the run's end");
    run(&pty);
    leave(&mut pty);
}

#[test]
fn every_signal_ends_it_with_its_code_and_progress_is_kept() {
    let (lessons, mut dice) = (Lessons::trial(), Dice::new(4));
    let signals = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT];
    for round in 0..rounds(8) {
        let signal = signals[round as usize % 4];
        let mut pty = on_stage(&lessons, round);
        let ui = ui(&pty);
        dice.pause(MOST);
        if round % 8 < 4 {
            assert!(send(&ui, signal))
        } else {
            pty.signal(signal)
        }
        sane_after(&mut pty, Ended::Code(128 + signal as i32));
        let kept = state(pty.surroundings.home());
        assert!(!kept["lessons"]["try"]["seen"].as_array().expect("steps").is_empty(), "{kept}");
    }
}

/// The demo's processes, without their warden.
fn players(pty: &Pty) -> Vec<Process> {
    let warden = warden(pty).pid;
    crate::support::descendants(warden).into_iter().filter(|p| p.state != 'Z').collect()
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_the_demo_rests() {
    let (lessons, mut dice) = (Lessons::trial(), Dice::new(5));
    for round in 0..rounds(6) {
        let users = User::all();
        let mut pty = lessons.tour(users[round as usize % users.len()], "try:1").start();
        opened(&pty);
        pty.send(" ");
        // Some while the demo is being raised.
        let raised = round >= 3;
        if raised {
            pty.until(|screen| screen.contains("running "), "the demo");
        } else {
            dice.pause(Duration::from_millis(60));
        }
        for _ in 0..2 {
            pty.send("\x1a");
            pty.wait_stopped();
            let sane = || (pty.modes_left().is_empty() && pty.termios_unchanged()).then_some(());
            assert!(Patience::default().wait(sane).is_some(), "round {round}: {:?}", pty.modes_left());
            if raised {
                let rest = Patience::default().wait(|| players(&pty).iter().all(|p| p.state == 'T').then_some(()));
                assert!(rest.is_some(), "they rest: {:?}", players(&pty));
            }
            pty.bring_back();
            pty.until(|screen| screen.contains("running "), "the demo again");
        }
        pty.send(" ");
        pty.until(|screen| screen.contains("ended after"), "the run's end");
        leave(&mut pty);
    }
}

#[test]
fn killed_while_stopped_it_leaves_nothing() {
    let lessons = Lessons::trial();
    for user in User::all() {
        let mut pty = lessons.tour(user, "try:1").start();
        opened(&pty);
        run(&pty);
        pty.send("\x1a");
        pty.wait_stopped();
        pty.signal(Signal::SIGTERM);
        pty.bring_back();
        sane_after(&mut pty, Ended::Code(143));
    }
}

/// Runs on while the pause lasts: what is tried is that nothing runs.
fn a_while() {
    std::thread::sleep(Duration::from_secs(2));
}

#[test]
fn a_stopped_screen_recovers() {
    let lessons = Lessons::trial();
    let mut pty = lessons.tour(User::Me, "try:1").start();
    opened(&pty);
    run(&pty);
    assert!(send(&ui(&pty), Signal::SIGSTOP));
    pty.wait_stopped();
    a_while();
    pty.bring_back();
    pty.send("?");
    pty.until(|screen| screen.contains("─ Keys ─"), "the help");
    pty.send("?");
    pty.until(|screen| screen.contains("running "), "the demo goes on");
    leave(&mut pty);
}

/// As by somebody in another shell.
#[test]
fn a_worker_that_is_stopped_from_outside_is_shown_so_and_goes_with_the_step() {
    let lessons = Lessons::trial();
    for user in User::all() {
        let mut pty = lessons.tour(user, "try:1").start();
        opened(&pty);
        run(&pty);
        // Not the leader: it would be the demo that stands still.
        let worker = || players(&pty).into_iter().find(|p| !plays(p, "__stage") || p.parent != warden(&pty).pid);
        let worker = Patience::default().wait(worker).expect("a worker");
        assert!(send(&worker, Signal::SIGSTOP));
        pty.until(|screen| screen.contains("stopped"), "that it is stopped");
        pty.send("\x1b");
        pty.until(|screen| screen.contains("of 1 done"), "the catalogue");
        let ui = ui(&pty).pid;
        let gone = Patience(Duration::from_secs(10)).wait(|| (below(ui) == 0).then_some(()));
        assert!(gone.is_some(), "{:?}", pty.children());
        leave(&mut pty);
    }
}

#[test]
fn a_stopped_warden_holds_nobody() {
    let lessons = Lessons::trial();
    for word in ["timeslice", "ignore-term"] {
        let mut pty = lessons.tour(User::Me, &format!("try:{}", step(word))).start();
        opened(&pty);
        run(&pty);
        assert!(send(&warden(&pty), Signal::SIGSTOP));
        pty.send("?");
        pty.until(|screen| screen.contains("─ Keys ─"), "the help");
        pty.send("?");
        pty.until(|screen| screen.contains("running "), "the demo");
        // Leaving is not for the warden to refuse.
        leave(&mut pty);
    }
}

#[test]
fn everything_stopped_and_continued_goes_on() {
    let lessons = Lessons::trial();
    let mut pty = lessons.tour(User::Me, "try:1").start();
    opened(&pty);
    run(&pty);
    // A machine that sleeps: nothing of it runs, and its clocks go on.
    let frozen = pty.children();
    frozen.iter().for_each(|p| _ = send(p, Signal::SIGSTOP));
    pty.wait_stopped();
    a_while();
    frozen.iter().for_each(|p| _ = send(p, Signal::SIGCONT));
    pty.bring_back();
    pty.send("?");
    pty.until(|screen| screen.contains("─ Keys ─"), "the help");
    pty.send("?");
    let screen = pty.until(|screen| screen.contains("running "), "the demo goes on");
    assert!(!screen.contains(" -0.") && !screen.contains(" -1"), "no time is negative: {screen}");
    pty.send(" ");
    pty.until(|screen| screen.contains("ended after"), "the run's end");
    leave(&mut pty);
}

#[test]
fn opened_and_closed_again_and_again_it_grows_not() {
    let lessons = Lessons::trial();
    let mut pty = lessons.tour(User::Me, "try:1").start();
    opened(&pty);
    let ui = ui(&pty).pid;
    let mut after_a_few = (0, 0);
    for round in 0..rounds(24) {
        run(&pty);
        pty.send("q");
        pty.until(|screen| screen.contains("of 1 done"), "the catalogue");
        let alone = Patience::default().wait(|| (below(ui) == 0).then_some(()));
        assert!(alone.is_some(), "round {round}: {:?}", pty.children());
        if round == 7 {
            after_a_few = (descriptors(ui), status(ui, "VmRSS").expect("it lives"));
        }
        pty.send("\r");
        opened(&pty);
    }
    // The thread of the last run closes what it had after its processes are gone.
    let closed = Patience::default().wait(|| (descriptors(ui) <= after_a_few.0).then_some(()));
    assert!(closed.is_some(), "descriptors: {}, {} before", descriptors(ui), after_a_few.0);
    let resident = status(ui, "VmRSS").expect("it lives");
    assert!(resident <= after_a_few.1 * 21 / 20 + 2048, "resident: {resident} kB, {} kB before", after_a_few.1);
    leave(&mut pty);
}
