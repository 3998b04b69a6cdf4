//! Owners of locks that are killed with them: for each kind of lock, what becomes of the others, and that the run ends and
//! leaves nothing whatever they wait for.

use crate::support::{Load, Patience, Surroundings, User};
use serde_json::{Value, json};
use std::time::Duration;

/// What must come of an owner's death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Nobody gets in any more.
    Nobody,
    /// Somebody does, and is told this.
    Told(&'static str),
    /// Others who read do, and nobody who writes.
    Readers,
}

const CASES: &[(&str, &[&str], Then)] = &[
    ("mutex", &["kind=plain", "victim=owner"], Then::Nobody),
    ("mutex", &["kind=robust", "victim=owner"], Then::Told("EOWNERDEAD")),
    ("mutex", &["kind=flock", "victim=owner"], Then::Told("nothing")),
    ("spinlock", &["workers=3", "wait=spin", "victim=owner"], Then::Nobody),
    ("spinlock", &["workers=3", "wait=sleep", "victim=owner"], Then::Nobody),
    ("spinlock", &["workers=3", "cpus=one", "victim=owner"], Then::Nobody),
    ("rwlock", &["victim=reader"], Then::Readers),
    ("rwlock", &["victim=writer"], Then::Nobody),
    ("rwlock", &["victim=writer", "prefer=writers"], Then::Nobody),
];

/// How soon a run has ended that was told to: the stage waits a second for workers that do not leave.
const ENDS: Duration = Duration::from_secs(3);

/// All that a run said, and what was left of it must be nothing.
fn facts(here: &Surroundings, demo: &str, params: &[&str], more: &[&str]) -> Vec<Value> {
    let words =
        ["run", demo, "hold=50", "--json"].into_iter().chain(params.iter().copied()).chain(more.iter().copied());
    let output = here.forklore(words).timeout(Patience::default().0).output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{demo} {params:?}: {}", String::from_utf8_lossy(&output.stderr));
    here.marker.assert_gone(Patience(Duration::from_secs(10)));
    let litter: Vec<_> = std::fs::read_dir(here.home()).expect("the home").flatten().map(|e| e.file_name()).collect();
    assert!(litter.is_empty(), "{demo} {params:?}: {litter:?}");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

fn time(fact: &Value) -> Duration {
    Duration::from_nanos(fact["t"].as_u64().expect("a moment"))
}

/// When the victim was seen to be dead.
fn death(facts: &[Value]) -> Duration {
    let victim = facts.iter().find(|f| f["kind"] == "exit" && f["signal"] == "SIGKILL");
    time(victim.expect("the victim was killed"))
}

/// Those who write and were inside after `moment`.
fn writers_inside(facts: &[Value], moment: Duration) -> usize {
    let writes = |tid: &Value| {
        facts.iter().any(|f| f["kind"] == "value" && f["name"] == "role" && f["value"] == "writes" && f["tid"] == *tid)
    };
    facts.iter().filter(|f| f["kind"] == "lock" && f["step"] == "has" && time(f) > moment && writes(&f["tid"])).count()
}

#[test]
fn what_becomes_of_the_others_depends_on_the_kind_of_lock() {
    for user in User::all() {
        for (demo, params, then) in CASES {
            let (here, load) = (Surroundings::new(user), Load::watch());
            let facts = facts(&here, demo, params, &[]);
            let outcome = facts.last().expect("an outcome");
            let (values, said) = (&outcome["values"], format!("{demo} {params:?}: {outcome}"));
            assert_eq!((&outcome["clean"], &values["ended_by"]), (&json!(true), &json!("SIGKILL")), "{said}");
            let after = values["visits_after"].as_u64().expect("somebody died inside");
            match then {
                Then::Nobody => assert_eq!((after, &values["next"]), (0, &json!("nobody")), "{said}"),
                Then::Told(what) => assert!(after > 0 && values["told"] == *what, "{said}"),
                Then::Readers => assert!(after > 0 && writers_inside(&facts, death(&facts)) == 0, "{said}"),
            }
            // It stays for three seconds, so that all of it can be read.
            let settled = facts.iter().find(|f| f["kind"] == "step" && f["name"] == "settled").expect("it settles");
            load.assert_within(ENDS + Duration::from_secs(3), time(outcome) - time(settled), &said);
        }
    }
}

#[test]
fn who_waits_for_a_dead_owner_is_ended_with_the_run() {
    for (demo, params, _) in CASES {
        let (here, load) = (Surroundings::new(User::Me), Load::watch());
        // By then the owner is dead or about to be; the run ends however it stands.
        let facts = facts(&here, demo, params, &["--for", "1.5"]);
        let outcome = facts.last().expect("an outcome");
        assert_eq!(outcome["clean"], json!(true), "{demo} {params:?}: {outcome}");
        let bound = ENDS + Duration::from_millis(1500);
        load.assert_within(bound, time(outcome), &format!("{demo} {params:?}: {outcome}"));
    }
}

#[test]
fn a_thread_is_not_killed_alone() {
    let here = Surroundings::new(User::Me);
    for (demo, params, _) in CASES {
        let words = ["run", *demo, "as=threads"].into_iter().chain(params.iter().copied());
        let output = here.forklore(words).timeout(Patience::default().0).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{demo} {params:?}: {said}");
        assert!(said.contains("victim needs as=processes"), "{demo} {params:?}: {said}");
    }
}
