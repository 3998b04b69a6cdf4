//! What demos do that demos must not do: by the command, for what the stage makes of it, and in the tour, for what the
//! screen makes of it.

use super::common::{HEARTBEAT, Lessons, below, descriptors, echoes, leave, opened, run, status, step, ui};
use crate::support::{Load, Marker, Patience, Surroundings, User, p99};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What must come of one way to misbehave.
struct Case {
    how: &'static str,
    /// Any of these.
    refused_by: &'static [&'static str],
    /// How far it may come.
    count: std::ops::RangeInclusive<u64>,
    left_behind: u64,
    code: i32,
}

const CASES: &[Case] = &[
    Case { how: "ignore-term", refused_by: &["nothing"], count: 4..=4, left_behind: 0, code: 0 },
    Case { how: "stop", refused_by: &["nothing"], count: 1..=1, left_behind: 0, code: 0 },
    Case { how: "escape", refused_by: &["nothing"], count: 1..=1, left_behind: 1, code: 0 },
    Case { how: "files", refused_by: &["EMFILE"], count: 1..=256, left_behind: 0, code: 0 },
    Case { how: "disk", refused_by: &["EFBIG"], count: 16..=16, left_behind: 0, code: 0 },
    Case { how: "flood", refused_by: &["nothing"], count: 0..=1024, left_behind: 0, code: 0 },
    Case { how: "line", refused_by: &["nothing"], count: 0..=1024, left_behind: 0, code: 0 },
    Case { how: "linger", refused_by: &["nothing"], count: 1..=1, left_behind: 1, code: 0 },
    Case { how: "segfaults", refused_by: &["nothing"], count: 1..=1000, left_behind: 0, code: 0 },
    Case { how: "deadlock", refused_by: &["nothing"], count: 0..=2, left_behind: 0, code: 0 },
    Case { how: "vfork-hang", refused_by: &["nothing"], count: 1..=1, left_behind: 1, code: 0 },
];

/// Runs it for a second; the exit code, the outcome, and how long it all took.
fn unruly(here: &Surroundings, how: &str) -> (i32, Value, Duration) {
    let begun = Instant::now();
    let mut command = here.forklore(["run", "unruly", &format!("how={how}"), "--for", "1", "--json"]);
    let output = command.timeout(Patience::default().0).output().expect("it starts");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    assert!(!text.bytes().chain(output.stderr).any(|b| b == 0x1b), "{how}: not an escape byte");
    let last = text.lines().last().unwrap_or_else(|| panic!("{how}: it says nothing"));
    let outcome: Value = serde_json::from_str(last).unwrap_or_else(|e| panic!("{how}: {e}: {last}"));
    assert_eq!(outcome["kind"], "outcome", "{how}: {last}");
    (output.status.code().unwrap_or(-1), outcome, begun.elapsed())
}

/// Nothing of it lives, nothing lies about.
fn nothing_remains(here: &Surroundings, how: &str) {
    here.marker.assert_gone(Patience(Duration::from_secs(10)));
    let litter: Vec<_> = std::fs::read_dir(here.home()).expect("the home").flatten().map(|e| e.file_name()).collect();
    assert!(litter.is_empty(), "{how}: {litter:?}");
}

#[test]
fn the_stage_bounds_and_ends_whatever_a_demo_does() {
    for user in User::all() {
        for case in CASES {
            let (here, how) = (Surroundings::new(user), case.how);
            let (code, outcome, took) = unruly(&here, how);
            let refused_by = outcome["values"]["refused_by"].as_str().unwrap_or_default();
            assert!(case.refused_by.contains(&refused_by), "{how}: {outcome}");
            let count = outcome["values"]["count"].as_u64().expect("a count");
            assert!(case.count.contains(&count), "{how}: {outcome}");
            assert_eq!(outcome["clean"], json!(true), "{how}: {outcome}");
            assert_eq!(outcome["left_behind"].as_u64().unwrap_or(0), case.left_behind, "{how}: {outcome}");
            assert_eq!(code, case.code, "{how}: {outcome}");
            // A second, four to finish, a grace, and a loaded machine.
            assert!(took < Duration::from_secs(15), "{how} took {took:?}");
            nothing_remains(&here, how);
        }
    }
}

#[test]
fn too_many_tasks_and_too_much_memory_are_refused_or_ended() {
    for user in User::all() {
        for how in ["threads", "spawn", "memory"] {
            let here = Surroundings::new(user);
            let (code, outcome, _) = unruly(&here, how);
            let (count, broke) = (outcome["values"]["count"].as_u64().expect("a count"), &outcome["broke"]);
            assert!((1..=1024).contains(&count), "{how}: {outcome}");
            assert_eq!((&outcome["clean"], code), (&json!(true), i32::from(!broke.is_null())), "{how}: {outcome}");
            nothing_remains(&here, how);
        }
    }
}

#[test]
fn a_reader_that_leaves_ends_the_run() {
    let here = Surroundings::new(User::Me);
    let script = "\"$0\" run unruly how=escape --for 20 --json | head -n 1";
    let mut shell = here.forklore_under(&["sh", "-c", script], [""; 0]);
    shell.timeout(Patience::default().0).assert().success();
    here.marker.assert_gone(Patience(Duration::from_secs(10)));
}

/// How soon a key is seen, how soon a step is left, and what a demo that ignores TERM gets before KILL.
const ECHO: Duration = Duration::from_millis(100);
const LEFT: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_millis(300);

/// In the tour: what the step shows, what must be seen, and that the screen is there all the time.
#[test]
fn the_screen_goes_on_whatever_a_demo_does() {
    let lessons = Lessons::trial();
    let users = User::all();
    let shows = [
        ("stop", "stopped", 10),
        ("ignore-term", "running ", 10),
        ("linger", "left 1 process behind", 10),
        ("flood", "running ", 100),
        ("line", "running ", 100),
        ("deadlock", "running ", 10),
        ("vfork-hang", "running ", 10),
        ("memory", "running ", 10),
        ("segfaults", "running ", 10),
    ];
    for (n, (how, seen, keys)) in shows.into_iter().enumerate() {
        let load = Load::watch();
        let mut pty = lessons.tour(users[n % users.len()], &format!("try:{}", step(how))).start();
        opened(&pty);
        let ui = ui(&pty).pid;
        let before = status(ui, "VmHWM").expect("it lives");
        run(&pty);
        pty.until(|screen| screen.contains(seen) || screen.contains("ended after"), seen);
        // Keys are heard while it misbehaves.
        let mut took = echoes(&pty, keys);
        load.assert_within(
            HEARTBEAT,
            took.iter().copied().max().unwrap_or_default(),
            &format!("{how}: the longest echo"),
        );
        load.assert_within(ECHO, p99(&mut took), &format!("{how}: 99 of 100 echoes"));
        let most = status(ui, "VmHWM").expect("it lives");
        assert!(most < before + 50 * 1024, "{how}: {before} kB resident at first, {most} kB at most");
        let left = Instant::now();
        pty.send("\x1b");
        pty.until(|screen| screen.contains("of 1 done"), "the catalogue");
        load.assert_within(LEFT, left.elapsed(), &format!("{how}: leaving"));
        let gone = Patience::default().wait(|| (below(ui) == 0).then_some(()));
        assert!(gone.is_some(), "{how}: {:?}", pty.children());
        load.assert_within(GRACE + LEFT, left.elapsed(), &format!("{how}: its end"));
        leave(&mut pty);
    }
}

#[test]
fn a_thousand_crashes_leave_no_zombie_and_no_descriptor() {
    let lessons = Lessons::trial();
    let mut pty = lessons.tour(User::Me, &format!("try:{}", step("segfaults"))).start();
    opened(&pty);
    let ui = ui(&pty).pid;
    run(&pty);
    pty.until(|screen| screen.contains("ended after"), "its end");
    let first = descriptors(ui);
    run(&pty);
    pty.until(|screen| screen.contains("ended after"), "its end again");
    let left = Patience::default().wait(|| (super::common::below(ui) == 0 && descriptors(ui) <= first).then_some(()));
    assert!(left.is_some(), "{:?}; {} descriptors, {first} before", pty.children(), descriptors(ui));
    leave(&mut pty);
}

/// What hides leaves its environment behind, and with it the mark: it is looked for by the name it gives itself.
#[test]
fn what_hides_is_found_without_its_mark() {
    let here = Surroundings::new(User::Me);
    let ours = || crate::support::all().into_iter().filter(|p| p.name == "kworker/0:9" && p.parent > 2).count();
    let before = ours();
    unruly(&here, "escape");
    // Tests beside this one may have theirs on at this moment.
    let gone = Patience::default().wait(|| (ours() <= before).then_some(()));
    assert!(gone.is_some(), "{} is not the only way to be found", Marker::NAME);
}
