//! A core that goes in the middle of a run. It goes for the whole machine, so this is tried only where it is asked for:
//! `FORKLORE_OFFLINE_CPU=1`, as root.

use super::common::{Lessons, echoes, is_root, leave, lesson, opened, run};
use crate::support::{Load, Patience, Pty, Surroundings, User};
use serde_json::Value;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The core that goes. The first cannot.
const SWITCH: &str = "/sys/devices/system/cpu/cpu1/online";

/// The longest that the screen may stand still, the kernel's work included.
const GAP: Duration = Duration::from_millis(500);

/// The core is off while this lives. Should the test be killed, somebody else brings it back: a process in a session of
/// its own, that waits for the end of a pipe whose other end only we hold, and for no longer than a minute.
struct Offline(Child);

impl Offline {
    fn new() -> Self {
        let keeper = format!("trap '' TERM INT HUP QUIT; timeout 60 cat; echo 1 > {SWITCH}");
        let mut command = Command::new("setsid");
        let command = command.args(["sh", "-c", &keeper]).stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
        let offline = Self(command.spawn().expect("setsid and sh"));
        fs::write(SWITCH, "0").expect("root may switch a core off");
        offline
    }

    /// The core is there again.
    fn end(mut self) {
        self.back();
        assert_eq!(fs::read_to_string(SWITCH).expect("the switch").trim(), "1");
    }

    fn back(&mut self) {
        // The keeper hears the end of its input, and brings it back too.
        let _ = fs::write(SWITCH, "1");
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl Drop for Offline {
    fn drop(&mut self) {
        self.back();
    }
}

fn asked_for() -> bool {
    let asked = std::env::var("FORKLORE_OFFLINE_CPU").is_ok_and(|value| value == "1");
    let can = is_root() && fs::metadata(SWITCH).is_ok();
    if !asked || !can {
        println!("SKIP: a core goes only with FORKLORE_OFFLINE_CPU=1, as root, where {SWITCH} is");
    }
    asked && can
}

/// What the screen says of a run on the core that went: it goes on, or it says why not.
fn goes_on_or_says_why(pty: &Pty, what: &str) -> String {
    let said = |screen: &str| ["running ", "ended after", "cannot"].iter().any(|word| screen.contains(word));
    pty.until(said, &format!("{what}: what became of the run"))
}

#[test]
fn a_core_that_goes_in_the_middle_of_a_run_takes_nothing_with_it() {
    if !asked_for() {
        return;
    }
    let lessons = Lessons::empty();
    let steps = "## On trial\nWords.\n\n```demo timeslice\ncpu = 1\nworkers = 3\nexpect = {}\n```\n";
    lessons.write("01-core.md", lesson("core", "A core", steps));
    for user in User::all() {
        for source in ["best", "exact", "self-timed", "sampled"] {
            let mut pty = lessons.tour(user, "core").args(["--source", source]).start();
            opened(&pty);
            run(&pty);
            let load = Load::watch();
            let before = echoes(&pty, 6).into_iter().max().unwrap_or_default();
            let gone = Instant::now();
            let core = Offline::new();
            let switched = gone.elapsed();
            let without = echoes(&pty, 20).into_iter().max().unwrap_or_default();
            let screen = goes_on_or_says_why(&pty, source);
            core.end();
            let after = echoes(&pty, 6).into_iter().max().unwrap_or_default();
            eprintln!(
                "{user:?} {source}: echo {before:?} before, {without:?} without the core, {after:?} with it again; \
                 switching took {switched:?}, others waited {:?}\n{screen}",
                load.worst()
            );
            load.assert_within(GAP, without.max(after), &format!("{source}: the longest echo"));
            goes_on_or_says_why(&pty, source);
            leave(&mut pty);
        }
    }
}

#[test]
fn without_a_screen_it_comes_to_its_outcome() {
    if !asked_for() {
        return;
    }
    for user in User::all() {
        for source in ["best", "exact", "self-timed", "sampled"] {
            let here = Surroundings::new(user);
            let args = ["run", "timeslice", "cpu=1", "workers=3", "--for", "3", "--json", "--source", source];
            let child = here.start(args);
            let on = Patience::default().wait(|| {
                let spins = |pid: i32| fs::read_to_string(format!("/proc/{pid}/wchan")).is_ok_and(|w| w == "0");
                let workers = here.marker.processes();
                (workers.len() >= 6 && workers.iter().filter(|p| p.state == 'R' || spins(p.pid)).count() >= 2)
                    .then_some(())
            });
            assert!(on.is_some(), "{source}: {:?}", here.marker.processes());
            let core = Offline::new();
            let output = child.wait_with_output().expect("our child");
            core.end();
            let lines = String::from_utf8(output.stdout).expect("UTF-8");
            let outcome: Value = serde_json::from_str(lines.lines().last().expect("facts")).expect("JSON");
            eprintln!("{user:?} {source}: {:?} {outcome}", output.status.code());
            assert_eq!((&outcome["kind"], &outcome["clean"]), (&"outcome".into(), &true.into()), "{source}: {outcome}");
            assert!(matches!(output.status.code(), Some(0 | 1)), "{source}: {:?}", output.status);
            here.marker.assert_gone(Patience(Duration::from_secs(10)));
        }
    }
}
