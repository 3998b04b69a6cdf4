//! Interpreters that are none: what is called python3 hangs, crashes, prints anything, may not be executed, or is not there.
//! And the machine's own, where there is one: what it starts is on the lanes.

use super::common::has;
use crate::support::{Patience, Surroundings, User, skip};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tempfile::TempDir;

/// What stands in front of each; nothing else is in its `PATH`.
const SHELL: &str = "#!/bin/sh\n";

/// Says that it is an interpreter when it is asked, which is without any further words; and then is none.
const LIAR: &str = r#"case "$5" in "") printf '{"version":"3.11.0","implementation":"CPython","executable":"",'
    printf '"free_threaded":false,"gil":true,"switch_ns":5000000}\n'; exit 0;; esac
"#;

/// What it does, and what of it must be told.
const FAKES: &[(&str, &str)] = &[
    ("exec /bin/sleep 600", "does not answer: it said nothing for 5 s"),
    ("trap '' TERM HUP; /bin/sleep 600 & wait; wait", "does not answer: it said nothing for 5 s"),
    ("kill -SEGV $$", "ended by SIGSEGV"),
    ("kill -KILL $$", "ended by SIGKILL"),
    ("exit 3", "ended with code 3"),
    ("echo 'no module named \x1b[2Jencodings' >&2; exit 1", "ended with code 1: no module named"),
    ("printf 'Python \\033[2J 2\\n'", "printed something else than it was asked for"),
    ("echo '{}'", "is no Python 3 that we know"),
    ("while :; do echo '{\"version\":\"3.9.9\"}'; done", "is no Python 3 that we know"),
    ("while :; do echo words >&2; done", "said nothing for 5 s"),
];

/// A folder with a file that is called python3, which all may execute unless it is `closed`.
fn fake(text: &str, closed: bool) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("python3");
    fs::write(&file, format!("{SHELL}{text}\n")).expect("our own folder");
    let mode = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own");
    mode(file.as_path(), if closed { 0o644 } else { 0o755 });
    mode(folder.path(), 0o755);
    folder
}

/// All that a run says whose `PATH` is this; it must end in order and leave nothing.
fn run(user: User, path: &str, args: &[&str]) -> Vec<Value> {
    run_to(0, user, path, args)
}

/// The same for one that ends with this code.
fn run_to(code: i32, user: User, path: &str, args: &[&str]) -> Vec<Value> {
    let here = Surroundings::new(user);
    let words = ["run"].iter().chain(args).chain(&["--json"]);
    let output = here.forklore_under(&["/usr/bin/env", &format!("PATH={path}")], words);
    let output = { output }.timeout(Patience::default().0 * 4).output().expect("it starts");
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{path} {args:?}: {errors} {out}");
    assert!(!out.contains("panicked") && !out.contains('\u{1b}'), "{path} {args:?}: {out}");
    here.marker.assert_gone(Patience(Duration::from_secs(10)));
    let litter: Vec<_> = fs::read_dir(here.home()).expect("the home").flatten().map(|e| e.file_name()).collect();
    assert!(litter.is_empty(), "{path} {args:?}: {litter:?}");
    let facts: Vec<Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    assert_eq!(facts.last().expect("an outcome")["clean"], true, "{path} {args:?}: {facts:?}");
    facts
}

fn refused(facts: &[Value]) -> Vec<String> {
    let all = facts.iter().filter(|fact| fact["kind"] == "refused");
    all.map(|fact| format!("{}: {}", fact["what"].as_str().unwrap_or(""), fact["why"].as_str().unwrap_or(""))).collect()
}

fn values(facts: &[Value]) -> &Value {
    &facts.last().expect("an outcome")["values"]
}

#[test]
fn one_that_hangs_is_told_while_it_is_waited_for_and_named_afterwards() {
    let folder = fake("exec /bin/sleep 600", false);
    let path = folder.path().to_str().expect("plain");
    for (demo, more) in [("gil", "part=50"), ("pyrace", "adds=1000"), ("spawn", "method=spawn")] {
        let code = if demo == "spawn" { 2 } else { 0 };
        let facts = run_to(code, User::Me, path, &[demo, more]);
        let asking = format!("asking {path}/python3 who it is");
        let says = |words: &str| {
            facts.iter().any(|fact| ["interpreter", "what"].iter().any(|cell| fact["values"][*cell] == json!(words)))
        };
        assert!(says(&asking) && says(&format!("{asking}: no answer for 3 s")), "{demo}: {facts:?}");
        if demo != "spawn" {
            let interpreter = values(&facts)["interpreter"].as_str().unwrap_or("");
            assert!(interpreter.starts_with(&format!("{path}/python3 does not answer: ")), "{demo}: {interpreter}");
        }
    }
}

#[test]
fn lessons_that_need_an_interpreter_are_said_not_to_have_run() {
    let here = Surroundings::new(User::Me);
    let lesson = here.home().join("21-a.md");
    let text = "+++\nid = \"a\"\ntitle = \"T\"\npart = \"P\"\n+++\n## One\nWords.\n\n```demo spawn\nmethod = \"fork\"\n\
                expect = { consistent = true }\n```\n";
    fs::write(&lesson, text).expect("our own folder");
    let words = ["check", "--run", lesson.to_str().expect("plain")];
    let output = here.forklore_under(&["/usr/bin/env", "PATH=/nowhere"], words);
    let output = { output }.timeout(Patience::default().0 * 4).output().expect("it starts");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("could not run here: the Python of this machine: there is no python3 in PATH"), "{out}");
    assert!(out.contains("1 step with a demo, 0 failed, 1 could not run here"), "{out}");
    assert_eq!(output.status.code(), Some(2), "{out}");
}

/// The machine of our own took its part, and said so.
fn went_on_without(facts: &[Value], what: &str) {
    let values = values(facts);
    assert_eq!(values["gil"], json!("own machine"), "{what}: {values}");
    let words = values["interpreter"].as_str().unwrap_or("");
    assert!(words.contains("a small bytecode machine of our own"), "{what}: {values}");
    // It is what the ledger quotes as its reason.
    assert_eq!(values["doubt"], values["interpreter"], "{what}: {values}");
    assert!(values["serial_s"].as_f64().is_some_and(|s| s > 0.0), "{what}: {values}");
}

#[test]
fn an_interpreter_that_is_none_is_told_and_not_waited_for() {
    for (n, (text, told)) in FAKES.iter().enumerate() {
        let users = User::all();
        let folder = fake(text, false);
        let path = folder.path().to_str().expect("plain");
        let facts = run(users[n % users.len()], path, &["gil", "part=50", "kind=serial"]);
        let said = refused(&facts);
        assert!(said.iter().any(|said| said.contains(told)), "{text}: {said:?}");
        went_on_without(&facts, text);
    }
}

#[test]
fn one_that_may_not_be_executed_or_is_not_there_is_told() {
    let (closed, empty) = (fake("exit 0", true), tempfile::tempdir().expect("a temporary folder"));
    let closed_path = closed.path().to_str().expect("plain");
    let cases = [
        (closed_path, "may not be executed (EACCES)"),
        (empty.path().to_str().expect("plain"), "there is no python3 in PATH"),
        ("", "there is no python3 in PATH"),
    ];
    for user in User::all() {
        for (path, told) in cases {
            let facts = run(user, path, &["gil", "part=50", "kind=threads"]);
            assert!(refused(&facts).iter().any(|said| said.contains(told)), "{path}: {:?}", refused(&facts));
            went_on_without(&facts, path);
            let facts = run(user, path, &["pyrace", "adds=1000"]);
            let values = values(&facts);
            assert_eq!(
                (&values["lost_locked"], &values["gil"]),
                (&json!(0), &json!("own machine")),
                "{path}: {values}"
            );
        }
    }
}

#[test]
fn without_an_interpreter_nothing_is_said_of_its_ways_to_start_a_process() {
    for guard in ["guard=yes", "guard=no"] {
        let facts = run_to(2, User::Me, "", &["spawn", guard]);
        let values = values(&facts).as_object().expect("values");
        let known: Vec<_> =
            values.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str()).collect();
        assert!(known.is_empty(), "{values:?}");
        let outcome = facts.last().expect("an outcome");
        assert!(outcome["broke"].as_str().is_some_and(|why| why.contains("there is no python3 in PATH")), "{outcome}");
        let said = |fact: &&Value| fact["values"]["what"] == json!("could not run: no python3 here");
        assert!(facts.iter().any(|fact| said(&fact)), "its table says so: {facts:?}");
        assert!(refused(&facts).iter().any(|said| said.contains("there is no python3")), "{:?}", refused(&facts));
    }
}

#[test]
fn one_that_answers_and_then_is_none_is_told() {
    let cases = [
        ("echo hello", "printed something else"),
        ("kill -BUS $$", "ended by SIGBUS"),
        ("exit 0", "ended with code 0"),
    ];
    for (text, told) in cases {
        let folder = fake(&format!("{LIAR}{text}"), false);
        let path = folder.path().to_str().expect("plain");
        for (demo, more) in [("gil", "part=50"), ("pyrace", "adds=1000"), ("spawn", "method=spawn")] {
            let facts = run(User::Me, path, &[demo, more]);
            let said = refused(&facts);
            assert!(said.iter().any(|said| said.contains(told)), "{demo}, {text}: {said:?}");
            if demo == "gil" {
                went_on_without(&facts, text);
            }
        }
    }
}

#[test]
fn one_that_answers_and_then_hangs_ends_with_the_run() {
    let folder = fake(&format!("{LIAR}/bin/sleep 600 & wait"), false);
    let path = folder.path().to_str().expect("plain");
    for demo in ["gil", "pyrace", "spawn"] {
        let facts = run(User::Me, path, &[demo, "--for", "0.5"]);
        assert_eq!(facts.last().expect("an outcome")["left_behind"], Value::Null, "{demo}");
    }
}

#[test]
fn what_the_machines_own_interpreter_starts_is_on_the_lanes() {
    if !has("python3") {
        return skip("the machine's own Python", "there is no python3 here");
    }
    let path = std::env::var("PATH").expect("it has python3 in it");
    for user in User::all() {
        let facts = run(user, &path, &["gil", "part=100", "kind=all"]);
        if values(&facts)["gil"] == json!("own machine") {
            // Root's own interpreter may lie where others cannot go.
            assert!(!refused(&facts).is_empty(), "{user:?}: it says why it went without");
            continue;
        }
        let named = |name: &str| -> BTreeSet<u64> {
            let tasks = facts.iter().filter(|f| f["kind"] == "task" && f["slot"].is_u64() && f["name"] == name);
            tasks.filter_map(|task| task["tid"].as_u64()).collect()
        };
        let counted: BTreeSet<u64> = facts
            .iter()
            .filter(|f| ["in", "counters"].contains(&f["kind"].as_str().unwrap_or("")))
            .filter_map(|f| f["tid"].as_u64())
            .collect();
        // Two processes, two threads, and two more threads with sha256.
        for name in ["M", "A", "B", "C", "D", "E", "F"] {
            let tids = named(name);
            assert_eq!(tids.len(), 1, "{user:?}: {name} is {tids:?}");
            assert!(tids.is_subset(&counted), "{user:?}: nobody saw {name} run");
        }
        let values = values(&facts);
        assert!(refused(&facts).is_empty(), "{:?}", refused(&facts));
        for name in ["serial_s", "threads_s", "processes_s"] {
            assert!(values[name].as_f64().is_some_and(|n| n > 0.0), "{name}: {values}");
        }
        let clear = values["verdict"] == json!("clear");
        for name in ["cores_threads", "cores_processes", "speedup_hash"] {
            assert!(!clear || values[name].as_f64().is_some_and(|n| n > 0.0), "{name}: {values}");
        }
        assert_ne!(values["consistent"], json!(false), "{values}");
        if clear && values["gil"] == json!("yes") {
            // CPU seconds are those of two clocks, read one after the other.
            assert!(values["cores_threads"].as_f64().is_some_and(|cores| cores < 1.25), "one at a time: {values}");
        }
    }
}

#[test]
fn a_lock_of_ones_own_keeps_every_add_and_a_child_without_a_guard_ends() {
    if !has("python3") {
        return skip("the machine's own Python", "there is no python3 here");
    }
    let path = std::env::var("PATH").expect("it has python3 in it");
    let facts = run(User::Me, &path, &["pyrace", "adds=50000"]);
    assert_eq!((&values(&facts)["lost_locked"], values(&facts)["lost_call"].is_u64()), (&json!(0), true));
    let facts = run(User::Me, &path, &["spawn", "guard=no", "method=spawn"]);
    let values = values(&facts);
    assert_eq!((&values["error"], &values["runs_spawn"]), (&json!("RuntimeError"), &json!(2)), "{values}");
}

#[test]
fn whatever_an_interpreter_has_started_is_told_to_have_ended() {
    if !has("python3") {
        return skip("the machine's own Python", "there is no python3 here");
    }
    let path = std::env::var("PATH").expect("it has python3 in it");
    // What Python starts itself it waits for itself: nobody of ours sees its wait status.
    for (method, child) in [("spawn", "child"), ("fork", "worker"), ("forkserver", "child")] {
        let facts = run(User::Me, &path, &["spawn", "guard=no", &format!("method={method}")]);
        let numbers = |kind: &str| -> BTreeSet<u64> {
            let processes = facts.iter().filter(|fact| fact["kind"] == kind && fact["tid"] == fact["pid"]);
            processes.filter_map(|fact| fact["pid"].as_u64()).collect()
        };
        let living: Vec<_> = numbers("task").difference(&numbers("exit")).copied().collect();
        assert!(living.is_empty(), "{method}: {living:?} never ended");
        let named = |fact: &&Value| fact["values"]["who"] == json!(format!("{method}: {child}"));
        let planted = facts.iter().find(named).unwrap_or_else(|| panic!("{method}: its {child} is not in the tree"));
        let pid = planted["values"]["pid"].as_u64().expect("a number");
        assert!(numbers("exit").contains(&pid), "{method}: {pid} is drawn alive");
    }
}
