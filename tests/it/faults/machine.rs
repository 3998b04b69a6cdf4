//! Machines that refuse: processes, threads, the kernel's switch records, cores.

use super::common::{Lessons, echoes, has, is_root, is_sane, leave, opened, run};
use super::group::Group;
use crate::support::{Ended, Load, Patience, Pty, Surroundings, User};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

/// What a command said and how it ended. No panic and no escape is in it.
struct Said {
    code: i32,
    facts: Vec<Value>,
    errors: String,
}

impl Said {
    fn of(here: &Surroundings, under: &[&str], args: &[&str]) -> Self {
        let output = here.forklore_under(under, args).timeout(Patience::default().0).output().expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!errors.contains("panicked") && !errors.contains('\x1b'), "{under:?} {args:?}: {errors}");
        let code = output.status.code().unwrap_or_else(|| panic!("{under:?} {args:?}: {:?} {errors}", output.status));
        let lines = String::from_utf8(output.stdout).expect("UTF-8");
        let facts = lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")));
        here.marker.assert_gone(Patience(Duration::from_secs(10)));
        Self { code, facts: facts.collect(), errors }
    }

    fn one(&self, kind: &str) -> &Value {
        let found = self.facts.iter().find(|fact| fact["kind"] == kind);
        found.unwrap_or_else(|| panic!("no {kind} in {:?}; {}", self.facts.len(), self.errors))
    }
}

const RUN: &[&str] = &["run", "timeslice", "--for", "0.5", "--json"];

/// The tour under a limit: it may say in a line that it cannot start, or that its demo cannot; it ends as asked.
fn tour_bears_it(mut pty: Pty, what: &str) {
    let opened = |screen: &str| screen.contains("On trial");
    let up = Patience(Duration::from_secs(10)).wait(|| {
        let log = String::from_utf8_lossy(&pty.raw_log()).into_owned();
        (opened(&pty.screen()) || log.contains("forklore: ") || log.contains("cannot")).then_some(())
    });
    assert!(up.is_some(), "{what}: {}", pty.screen());
    if opened(&pty.screen()) {
        pty.send(" ");
        let told = |screen: &str| {
            ["running ", "ended after", "cannot", "did not", "refused"].iter().any(|word| screen.contains(word))
        };
        pty.until(told, &format!("{what}: the demo, or why there is none"));
        leave(&mut pty);
    } else {
        assert_eq!(pty.wait(), Ended::Code(2), "{what}: {}", pty.screen());
        is_sane(&pty);
    }
}

/// The tour where there is little to compute with: while its demo runs, no key waits longer than `gap`.
fn tour_is_heard(mut pty: Pty, gap: Duration, what: &str) {
    let load = Load::watch();
    opened(&pty);
    run(&pty);
    let longest = echoes(&pty, 10).into_iter().max().unwrap_or_default();
    load.assert_within(gap, longest, &format!("{what}: the longest echo"));
    leave(&mut pty);
}

#[test]
fn a_limit_on_processes_is_told() {
    if !has("prlimit") {
        return;
    }
    let user = *User::all().last().expect("oneself");
    if is_root() && user == User::Me {
        println!("SKIP: root has no limit on processes");
        return;
    }
    let lessons = Lessons::trial();
    // The user's other processes count, too, and come and go: some of these are too few for anything, some enough.
    let now = tasks_of(user.uid());
    for more in [0, 1, 2, 3, 4, 6, 8, 12] {
        let here = Surroundings::new(user);
        let limit = format!("--nproc={}", now + more);
        let said = Said::of(&here, &["prlimit", &limit], RUN);
        match said.code {
            0 => {}
            1 => assert!(said.one("outcome")["broke"].is_string(), "{limit}: {}", said.one("outcome")),
            2 => assert!(said.errors.contains("cannot") || !said.facts.is_empty(), "{limit}: {}", said.errors),
            code => panic!("{limit}: {code}: {}", said.errors),
        }
    }
    for more in [0, 2, 5, 7] {
        let limit = format!("--nproc={}", now + more);
        let pty = lessons.tour(user, "try:1").under(["prlimit", &limit]).start();
        tour_bears_it(pty, &limit);
    }
}

/// Tasks of a user, as RLIMIT_NPROC counts them.
pub(super) fn tasks_of(uid: u32) -> usize {
    let of_user = |pid: i32| super::common::status(pid, "Uid") == Some(u64::from(uid));
    let tasks = |pid: i32| fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    crate::support::all().into_iter().filter(|p| of_user(p.pid)).map(|p| tasks(p.pid)).sum()
}

#[test]
fn a_group_that_allows_few_tasks_is_told() {
    let lessons = Lessons::trial();
    for tasks in ["1", "2", "4", "8", "16"] {
        let Some(few) = Group::new("pids", &[("pids.max", tasks)]) else {
            println!("SKIP: no group for pids can be made here");
            return;
        };
        let enter = few.enter();
        let here = Surroundings::new(User::Me);
        let said = Said::of(&here, &["sh", "-c", &enter], RUN);
        assert!((0..=2).contains(&said.code), "{tasks}: {} {}", said.code, said.errors);
        tour_bears_it(lessons.tour(User::Me, "try:1").under(["sh", "-c", &enter]).start(), &format!("{tasks} tasks"));
    }
}

#[test]
fn a_group_that_allows_one_core_is_the_whole_machine() {
    let Some(one) = Group::new("cpuset", &[("cpuset.mems", "0"), ("cpuset.cpus", "0")]) else {
        println!("SKIP: no group for CPUs can be made here");
        return;
    };
    let enter = one.enter();
    let said = Said::of(&Surroundings::new(User::Me), &["sh", "-c", &enter], RUN);
    assert_eq!((said.code, &said.one("start")["cpus"]), (0, &json!([0])), "{}", said.errors);
    let crash = ["run", "crash", "after=300", "--json"];
    let said = Said::of(&Surroundings::new(User::Me), &["sh", "-c", &enter], &crash);
    assert_eq!(said.one("outcome")["values"]["survivors"], json!(5), "{}", said.errors);
}

#[test]
fn a_group_with_a_tenth_of_a_core_is_slow_and_right() {
    let quota = [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "10000")];
    let Some(tenth) = Group::new("cpu", &quota) else {
        println!("SKIP: no group for CPU time can be made here");
        return;
    };
    let enter = tenth.enter();
    let said = Said::of(&Surroundings::new(User::Me), &["sh", "-c", &enter], RUN);
    let outcome = said.one("outcome");
    assert_eq!((said.code, &outcome["clean"]), (0, &json!(true)), "{}", said.errors);
    let lessons = Lessons::trial();
    let pty = lessons.tour(User::Me, "try:1").under(["sh", "-c", &enter]).start();
    tour_is_heard(pty, Duration::from_secs(1), "a tenth of a core");
}

#[test]
fn each_refusal_of_the_kernels_records_is_named_and_there_is_another_source() {
    if !has("strace") {
        return;
    }
    for user in User::all() {
        for error in ["EACCES", "EPERM", "ENOSYS", "ENOENT", "EMFILE", "EBUSY", "EINVAL"] {
            let inject = format!("inject=perf_event_open:error={error}");
            let under = ["strace", "-f", "-o", "/dev/null", "-e", "trace=perf_event_open", "-e", &inject];
            let here = Surroundings::new(user);
            let said = Said::of(&here, &under, &["run", "timeslice", "--for", "1", "--json"]);
            let start = said.one("start");
            assert_eq!((said.code, &start["source"]), (0, &json!("self-timed")), "{error}: {start} {}", said.errors);
            assert!(start["because"].as_str().is_some_and(|why| why.contains(error)), "{error}: {start}");
            let switches = said.one("outcome")["values"]["switches"].clone();
            assert!(switches.is_null() || switches.as_u64() > Some(0), "{error}: no false zero: {switches}");

            let said = Said::of(&here, &under, &["run", "timeslice", "--for", "1", "--json", "--source", "exact"]);
            assert!(matches!(said.code, 1 | 2), "{error}: {}", said.code);
            let why = said.errors.clone() + &said.facts.iter().map(Value::to_string).collect::<String>();
            assert!(why.contains(error), "{error}: {why}");
        }
    }
}

#[test]
fn one_core_is_enough() {
    if !has("taskset") {
        return;
    }
    let lessons = Lessons::trial();
    for user in User::all() {
        let here = Surroundings::new(user);
        let said = Said::of(&here, &["taskset", "-c", "0"], &["run", "timeslice", "--for", "1", "--json"]);
        assert_eq!((said.code, &said.one("start")["cpus"]), (0, &json!([0])), "{}", said.errors);
        let pty = lessons.tour(user, "try:1").under(["taskset", "-c", "0"]).start();
        tour_is_heard(pty, Duration::from_millis(500), "one core");
        let said = Said::of(&here, &["nice", "-n", "19"], RUN);
        assert_eq!(said.code, 0, "{}", said.errors);
    }
}

#[test]
fn a_core_that_is_not_ours_is_refused_in_a_sentence() {
    if !has("taskset") {
        return;
    }
    let here = Surroundings::new(User::Me);
    let args = ["run", "timeslice", "cpu=1", "--for", "0.5", "--json"];
    let said = Said::of(&here, &["taskset", "-c", "0"], &args);
    assert_eq!((said.code, said.facts.len()), (2, 0), "nothing was run: {}", said.errors);
    assert!(said.errors.contains("CPU 1 is not allowed here"), "{}", said.errors);
}

#[test]
fn few_descriptors_and_little_memory_are_told() {
    if !has("prlimit") {
        return;
    }
    let lessons = Lessons::trial();
    for user in User::all() {
        for limit in ["--nofile=16", "--nofile=24", "--as=200000000", "--stack=262144", "--fsize=0", "--core=0"] {
            let here = Surroundings::new(user);
            let said = Said::of(&here, &["prlimit", limit], RUN);
            assert!((0..=2).contains(&said.code), "{limit}: {} {}", said.code, said.errors);
            let pty = lessons.tour(user, "try:1").under(["prlimit", limit]).start();
            tour_bears_it(pty, limit);
        }
    }
}
