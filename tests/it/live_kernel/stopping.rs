//! What a demo says of a task that was stopped or ended, held against the kernel's switch records and exits.

use super::{Heard, alone, exact};
use crate::support::User;
use forklore::fact::{Fact, Nanos, Tid};
use serde_json::json;
use std::collections::BTreeMap;

const WAYS: [&str; 2] = ["as=processes", "as=threads"];

impl Heard {
    /// A, B and C: not the main thread of a process that only holds them.
    fn company(&self) -> BTreeMap<Tid, String> {
        self.workers().into_iter().filter(|(_, name)| name.len() == 1).collect()
    }

    fn moment(&self, what: &str, is: impl Fn(&Fact) -> bool) -> Nanos {
        self.facts.iter().find(|fact| is(&fact.fact)).unwrap_or_else(|| panic!("{what} was not told")).t
    }
}

#[test]
fn who_is_stopped_gets_no_core_and_who_goes_on_does() {
    let _alone = alone();
    for user in User::all() {
        for way in WAYS {
            let Some(heard) = exact(user, &["stop", "how=pause", "after=300", way]) else { return };
            heard.assert_well();
            let stopped = heard.moment("the stop", |fact| matches!(fact, Fact::Stopped { stopped: true, .. }));
            let watched = heard.moment("who went on", |fact| {
                matches!(fact, Fact::Row { row, values, .. } if row == "SIGSTOP" && values.contains_key("went_on"))
            });
            let had_a_turn = |worker: &Tid| {
                heard.facts.iter().any(|fact| {
                    matches!(fact.fact, Fact::In { tid, .. } if tid == *worker) && (stopped..watched).contains(&fact.t)
                })
            };
            let company = heard.company();
            let turns: Vec<_> =
                company.iter().filter(|(tid, _)| had_a_turn(tid)).map(|(_, name)| name.clone()).collect();
            assert_eq!(company.len(), 3, "{way}");
            assert_eq!(heard.outcome.values["went_on"], json!(turns.len()), "{way}: {turns:?} had turns");
            assert!(!turns.contains(&"B".to_owned()), "{way}: B had a turn while it was stopped");
        }
    }
}

#[test]
fn who_survives_is_who_has_no_exit() {
    let _alone = alone();
    for user in User::all() {
        for (way, how) in WAYS.iter().flat_map(|way| ["how=kill", "how=flag"].map(|how| (way, how))) {
            let Some(heard) = exact(user, &["stop", how, "after=300", way]) else { return };
            heard.assert_well();
            let settled = heard.moment("the end", |fact| matches!(fact, Fact::Step { name } if name == "settled"));
            let ended = |worker: &Tid| {
                heard
                    .facts
                    .iter()
                    .any(|fact| matches!(fact.fact, Fact::Exit { tid, .. } if tid == *worker) && fact.t < settled)
            };
            let left = heard.company().keys().filter(|tid| !ended(tid)).count();
            assert_eq!(heard.outcome.values["survivors"], json!(left), "{way} {how}");
        }
    }
}

#[test]
fn what_reached_the_other_is_in_its_wait_status() {
    let _alone = alone();
    for user in User::all() {
        for case in ["pipe", "lock", "file", "memory"] {
            let Some(heard) = exact(user, &["spoiled", &format!("case={case}"), "after=300"]) else { return };
            heard.assert_well();
            let of = |name: &str| {
                let worker = heard.company().into_iter().find(|(_, letter)| letter == name)?.0;
                heard.facts.iter().find_map(|fact| match &fact.fact {
                    Fact::Exit { tid, signal, .. } if *tid == worker => signal.clone(),
                    _ => None,
                })
            };
            let others: Vec<_> = ["B", "C"].into_iter().filter_map(of).collect();
            let said = &heard.outcome.values["signal"];
            let expected = others.first().map_or("none", String::as_str);
            assert_eq!(said, &json!(expected), "{case}: {others:?}; {:?}", heard.outcome.values);
            if case == "lock" {
                assert_eq!(heard.outcome.values["errno"], json!("EOWNERDEAD"));
                assert_eq!(of("A").as_deref(), Some("SIGKILL"), "the owner died");
            }
        }
    }
}
