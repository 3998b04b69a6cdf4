//! As many threads as a demo takes: each of them starts.

use super::alone;
use crate::support::{Patience, Surroundings, User};
use forklore::fact::{Fact, ParamKind, Stamped};
use std::collections::BTreeSet;

/// Demos and the parameters that say how many workers there are, and how many come beside those.
const CASES: &[(&str, &[&str], i64)] = &[
    ("semaphore", &["workers"], 0),
    ("condvar", &["producers", "consumers"], 0),
    ("monitor", &["producers", "consumers"], 0),
    ("barrier", &["workers"], 0),
    ("mutex", &["workers"], 0),
    ("spinlock", &["workers"], 0),
    ("rwlock", &["readers", "writers"], 0),
    ("race", &["workers"], 0),
    ("ignored", &["workers"], 0),
    ("seats", &["workers"], 0),
    ("deadlock", &["philosophers"], 0),
    ("livelock", &["philosophers"], 0),
    ("starvation", &["readers"], 1),
];

/// The C library maps addresses for each thread that allocates, and a process has a bound on them.
#[test]
fn the_most_threads_that_a_demo_takes_all_start() {
    let _alone = alone();
    let all: Vec<_> = User::all().into_iter().map(Surroundings::new).collect();
    for ((demo, names, beside), here) in CASES.iter().zip(all.iter().cycle()) {
        let spec = forklore::demo::find(demo).expect("it is listed").spec();
        let most = |name: &&str| match spec.param(name).expect("its parameter").kind {
            ParamKind::Int { max, .. } => max,
            _ => panic!("{demo} {name} is no number"),
        };
        let words = names.iter().map(|name| format!("{name}={}", most(name)));
        let args: Vec<_> = ["run", demo, "as=threads", "--json", "--for", "1"].map(str::to_owned).into();
        let output = here.forklore(args.into_iter().chain(words)).timeout(Patience::default().0).output();
        let output = output.expect("it starts");
        let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
        let facts = text.lines().map(|line| serde_json::from_str::<Stamped>(line).expect("a fact").fact);
        let mut slots = BTreeSet::new();
        for fact in facts {
            match fact {
                Fact::Task { slot: Some(slot), .. } => _ = slots.insert(slot),
                Fact::Refused(why) => assert!(!why.what.contains("start"), "{demo}: {why}"),
                _ => {}
            }
        }
        let wanted = names.iter().map(most).sum::<i64>() + beside;
        assert_eq!(i64::try_from(slots.len()), Ok(wanted), "{demo}: {}", String::from_utf8_lossy(&output.stderr));
        here.marker.assert_gone(Patience::default());
    }
}
