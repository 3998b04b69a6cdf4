//! The ladder of ways to talk: nobody watches it unless asked to, every round is there, and what it says is possible.

use super::{alone, run};
use crate::support::User;
use forklore::fact::{Fact, Source, Stamped};
use serde_json::Value;

const SHORT: [&str; 5] = ["run", "ipc", "size=8,4096", "rounds=20", "--json"];

fn is_switch(fact: &Stamped) -> bool {
    matches!(fact.fact, Fact::In { .. } | Fact::Out { .. })
}

#[test]
fn each_way_has_its_rounds_and_nobody_watches() {
    let _one = alone();
    for user in User::all() {
        for what in ["as=processes", "as=threads"] {
            let words: Vec<&str> = SHORT.into_iter().chain([what]).collect();
            let heard = run(user, &[], &words).unwrap_or_else(|why| panic!("{what}: {why}"));
            assert_eq!(heard.start.source, Source::Unwatched);
            assert!(!heard.facts.iter().any(is_switch), "somebody watched");
            assert!(heard.outcome.clean && heard.outcome.broke.is_none(), "{:?}", heard.outcome);
            let values = &heard.outcome.values;
            let missing = values["missing"].as_array().expect("a list");
            for way in ["pipe", "fifo", "socket", "tcp", "mqueue", "shm", "signal", "rpc", "queue"] {
                let found = &values[way];
                if found.is_null() {
                    let said = |name: &Value| name.as_str().is_some_and(|name| name.starts_with(way));
                    assert!(missing.iter().any(said), "{what}: {way} is missing, and nothing says so");
                    continue;
                }
                let figure = |name: &str| found[name].as_f64().unwrap_or_else(|| panic!("{what}: {way}: {found}"));
                assert_eq!(found["rounds"], 20, "{what}: {way}");
                assert!(
                    figure("low_ns") <= figure("latency_ns") && figure("latency_ns") <= figure("high_ns"),
                    "{way}: {found}"
                );
                // A message takes two system calls at least, and each some 50 ns on the fastest machines.
                assert!(figure("latency_ns") > 100.0, "{way}: {found}");
            }
            assert!(missing.iter().any(|name| name == "signal 4 KiB"), "a signal carries a word: {missing:?}");
        }
    }
}

#[test]
fn who_asks_for_the_records_gets_them() {
    let _one = alone();
    let words: Vec<&str> = ["--source", "sampled"].into_iter().chain(SHORT).collect();
    let heard = run(User::Me, &[], &words).expect("/proc can be read");
    assert_eq!((heard.start.source, &heard.outcome.values["rounds"]), (Source::Sampled, &Value::from(20)));
}
