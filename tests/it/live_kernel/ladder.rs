//! The ladder of ways to talk: nobody watches it unless asked to, every round is there, and what it says is possible.

use super::{alone, run};
use crate::support::{Patience, Surroundings, User, skip};
use forklore::fact::{Fact, Source, Stamped};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};

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
                // Those in which others were on the core are left out, and counted.
                assert!((1.0..=20.0).contains(&figure("rounds")), "{what}: {way}: {found}");
                assert!(
                    figure("low_ns") <= figure("latency_ns") && figure("latency_ns") <= figure("high_ns"),
                    "{way}: {found}"
                );
                // A message takes two system calls at least, and each some 50 ns on the fastest machines.
                assert!(figure("latency_ns") > 100.0, "{way}: {found}");
            }
            assert_eq!(values["rounds"], 20, "{what}");
            assert!(values["noise"].is_string() && values["same"].is_number(), "{what}: {values:?}");
            let compared = values["ratios"].as_object().expect("a table");
            assert!(compared.contains_key("shm / queue"), "{what}: {compared:?}");
            assert!(missing.iter().any(|name| name == "signal 4 KiB"), "a signal carries a word: {missing:?}");
        }
    }
}

#[test]
fn on_two_cores_the_one_is_idle_while_the_other_works() {
    let _one = alone();
    let words: Vec<&str> = SHORT.into_iter().chain(["place=two-cores"]).collect();
    let heard = match run(User::Me, &[], &words) {
        Ok(heard) => heard,
        Err(why) => return skip("two cores", &why),
    };
    let values = &heard.outcome.values;
    assert!(heard.outcome.clean && heard.outcome.broke.is_none(), "{:?}", heard.outcome);
    let cpus = values["cpus"].as_array().expect("a list");
    assert!(cpus.len() == 2 && cpus[0] != cpus[1], "{cpus:?}");
    assert_eq!(values["rounds"], 20);
}

#[test]
fn without_one_of_the_two_there_is_an_end_and_a_reason() {
    let _one = alone();
    for killed in ["A", "B"] {
        let here = Surroundings::new(User::Me);
        let mut child = here.start(["run", "ipc", "size=8", "rounds=2000", "--json"]);
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let (mut who, mut said) = (None, String::new());
        while !said.contains(r#""name":"round "#) {
            said.clear();
            assert!(out.read_line(&mut said).expect("a line") > 0, "it ended before it began");
            let fact: Stamped = serde_json::from_str(&said).expect("a fact");
            if let Fact::Task { pid, name, .. } = fact.fact
                && name == killed
            {
                who = i32::try_from(pid.0).ok().map(Pid::from_raw);
            }
        }
        kill(who.expect("a worker"), Signal::SIGKILL).expect("it is ours");
        let mut rest = String::new();
        out.read_to_string(&mut rest).expect("plain text");
        child.wait().expect("a child of ours");
        let last: Stamped = serde_json::from_str(rest.lines().last().expect("a last line")).expect("a fact");
        let Fact::Outcome(outcome) = last.fact else { panic!("{last:?}") };
        assert!(outcome.clean, "{killed}: {outcome:?}");
        assert!(outcome.broke.as_ref().is_some_and(|why| why.contains("has ended")), "{killed}: {:?}", outcome.broke);
        here.marker.assert_gone(Patience::default());
    }
}

#[test]
fn who_asks_for_the_records_gets_them() {
    let _one = alone();
    let words: Vec<&str> = ["--source", "sampled"].into_iter().chain(SHORT).collect();
    let heard = run(User::Me, &[], &words).expect("/proc can be read");
    assert_eq!((heard.start.source, &heard.outcome.values["rounds"]), (Source::Sampled, &Value::from(20)));
}
