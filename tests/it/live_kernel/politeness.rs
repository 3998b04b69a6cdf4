//! Tasks that take turns on one thread, and a clock beside a long task: who has to wait for whom.

use super::{Heard, alone, run};
use crate::support::{User, inconclusive};
use forklore::fact::{Fact, Outcome};
use std::collections::BTreeSet;

fn heard(user: User, args: &[&str]) -> Heard {
    let words: Vec<&str> = ["run"].iter().chain(args).chain(&["--json"]).copied().collect();
    let heard = run(user, &[], &words).expect("it runs");
    assert!(heard.outcome.clean && heard.outcome.broke.is_none(), "{:?}", heard.outcome);
    heard
}

fn number(outcome: &Outcome, name: &str) -> u64 {
    outcome.values[name].as_u64().unwrap_or_else(|| panic!("{name}: {:?}", outcome.values))
}

/// The threads that take part.
fn threads(heard: &Heard) -> usize {
    let worker = |fact: &Fact| if let Fact::Task { tid, slot: Some(_), .. } = fact { Some(*tid) } else { None };
    heard.facts.iter().filter_map(|stamped| worker(&stamped.fact)).collect::<BTreeSet<_>>().len()
}

#[test]
fn one_that_never_yields_starves_coroutines_and_no_threads() {
    let _alone = alone();
    for user in User::all() {
        let polite = heard(user, &["coroutine", "tasks=3", "yield_every=2"]);
        assert!(number(&polite.outcome, "least_turns") > 1 && threads(&polite) == 1, "{:?}", polite.outcome);
        // Whatever else is on this core: turns are those of the queue, so each comes after the other two.
        let turns = polite.outcome.values["turns"].as_object().expect("a table");
        let turns: Vec<u64> = turns.values().filter_map(serde_json::Value::as_u64).collect();
        assert!(turns.iter().max().expect("three") - turns.iter().min().expect("three") <= 1, "{turns:?}");

        let greedy = heard(user, &["coroutine", "tasks=3", "greedy=one"]);
        let (switches, least) = (number(&greedy.outcome, "switches"), number(&greedy.outcome, "least_turns"));
        assert_eq!((switches, least, threads(&greedy)), (0, 0, 1));
        assert!(number(&greedy.outcome, "worst_wait_ns") > 2_000_000_000, "{:?}", greedy.outcome);

        let kernel = heard(user, &["coroutine", "as=threads", "tasks=3", "greedy=one"]);
        assert!(number(&kernel.outcome, "least_turns") > 1 && threads(&kernel) == 3, "{:?}", kernel.outcome);
        assert!(kernel.outcome.values["switches"].is_null(), "the kernel's queue is not ours to count");
    }
}

#[test]
fn a_clock_drops_what_was_due_while_its_thread_was_busy() {
    let _alone = alone();
    for place in ["same", "other", "yielding", "locked"] {
        let place_word = format!("where={place}");
        let words = ["responsive", &place_word, "task_ms=300", "tick_ms=20", "--for", "8"];
        let outcome = heard(User::Me, &words).outcome;
        let Some(took) = outcome.values["took_ns"].as_u64() else {
            inconclusive("dropped ticks", "300 ms of computing took over 7 s");
            continue;
        };
        let [ticks, due, dropped] = ["ticks", "expected_ticks", "dropped"].map(|name| number(&outcome, name));
        assert_eq!(ticks + dropped, due, "{place}");
        assert!(
            took >= 295_000_000,
            "{place}: it takes its CPU time, and a core has no more than one a second: {took}"
        );
        let gap = number(&outcome, "worst_gap_ns");
        match place {
            "same" => assert!(gap >= took && dropped >= 13, "{outcome:?}"),
            // It holds the lock for four ticks of computing.
            "locked" => assert!(gap >= 60_000_000 && dropped >= 2, "{outcome:?}"),
            // It ticked while the task went on: more often than before it and after it.
            _ => assert!(gap < took && ticks > 7, "{outcome:?}"),
        }
    }
}
