//! How big and how many, by a second account: the sizes that are added up, and the room that is left to others.

use super::{alone, run};
use crate::support::{Patience, Surroundings, User, inconclusive};
use forklore::fact::{Fact, Source, Stamped};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout};

/// A run that has come to a step, and whose process `held` is stopped, so that all stays as it is.
struct Settled {
    child: Child,
    out: BufReader<ChildStdout>,
    facts: Vec<Stamped>,
    held: Pid,
}

impl Settled {
    /// Runs forklore until the demo tells `step`, then stops the process that `who` chooses. It is a copy that nobody else
    /// runs: what a process has of a shared page changes with each that comes and goes, as those of other tests do.
    fn run(here: &Surroundings, args: &[&str], step: &str, who: impl Fn(&[Stamped]) -> u32) -> Self {
        let mut child = here.start_copy(["run"].iter().chain(args).chain(&["--json"]));
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut facts: Vec<Stamped> = Vec::new();
        let come = |fact: &Stamped| matches!(&fact.fact, Fact::Step { name } if name == step);
        while !facts.last().is_some_and(come) {
            let mut line = String::new();
            assert!(out.read_line(&mut line).expect("a line") > 0, "it ended before {step}: {:?}", facts.last());
            facts.push(serde_json::from_str(&line).expect("a fact"));
        }
        let held = Pid::from_raw(who(&facts).try_into().expect("a pid"));
        // It may be gone already, on a machine that is busy enough: then what is looked for is not there.
        let _ = kill(held, Signal::SIGSTOP);
        Self { child, out, facts, held }
    }

    /// Lets it go on, to its end.
    fn finish(mut self) -> Fact {
        let _ = kill(self.held, Signal::SIGCONT);
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("plain text");
        self.child.wait().expect("a child of ours");
        let last: Stamped = serde_json::from_str(rest.lines().last().expect("a last line")).expect("a fact");
        last.fact
    }

    /// The newest point of a curve.
    fn last(&self, name: &str) -> Option<f64> {
        let point = |fact: &Stamped| match &fact.fact {
            Fact::Point { curve, y, .. } if curve == name => Some(*y),
            _ => None,
        };
        self.facts.iter().rev().find_map(point)
    }
}

/// The workers' processes and those of their parents.
fn tree(facts: &[Stamped]) -> BTreeMap<u32, u32> {
    let task = |fact: &Stamped| match &fact.fact {
        Fact::Task { pid, parent, slot: Some(_), .. } => Some((pid.0, *parent)),
        _ => None,
    };
    facts.iter().filter_map(task).collect()
}

/// The sum of a field over all mappings in /proc/PID/smaps, and how many there are; none if the process is gone.
fn over_all_mappings(pid: u32, name: &str) -> Option<(u64, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps")).ok()?;
    let kib = text.lines().filter_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<u64>().ok());
    let all: Vec<u64> = kib.collect();
    (!all.is_empty()).then(|| (all.iter().sum(), all.len() as u64))
}

#[test]
fn what_is_added_up_is_what_the_mappings_come_to() {
    let _alone = alone();
    for user in User::all() {
        for what in ["as=processes", "as=threads"] {
            let here = Surroundings::new(user);
            let leader = |facts: &[Stamped]| {
                let (pid, parent) = tree(facts).pop_first().expect("workers");
                if what == "as=processes" { parent } else { pid }
            };
            let args = ["footprint", what, "count=8", "touch_kib=512", "pace=1"];
            let run = Settled::run(&here, &args, "all", leader);
            let mut all: Vec<u32> = tree(&run.facts).into_keys().collect();
            all.extend(u32::try_from(run.held.as_raw()));
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), if what == "as=processes" { 9 } else { 1 });
            for (curve, field) in [("pss", "Pss:"), ("rss", "Rss:")] {
                let said = run.last(curve).expect("a point");
                let sums: Option<Vec<_>> = all.iter().map(|pid| over_all_mappings(*pid, field)).collect();
                let Some(sums) = sums else {
                    inconclusive("the sizes of a tree", "it had ended before it could be looked at");
                    continue;
                };
                let (sum, mappings) = sums.into_iter().fold((0, 0), |(a, b), (kib, n)| (a + kib, b + n));
                #[expect(clippy::cast_precision_loss, reason = "some MiB")]
                let (sum, mappings) = (sum as f64, mappings as f64);
                // Each mapping's Pss is rounded down to a KiB; others who share the libraries come and go; the leader went on
                // for a moment.
                let slack = mappings + sum / 10.0 + 256.0;
                assert!((said - sum).abs() <= slack, "{user:?}, {what}, {curve}: said {said}, found {sum} ± {slack}");
            }
            let Fact::Outcome(outcome) = run.finish() else { panic!("no outcome") };
            assert!(outcome.clean, "{outcome:?}");
            here.marker.assert_gone(Patience::default());
        }
    }
}

#[test]
fn one_more_of_either_is_weighed_in_turn_and_has_its_own_memory() {
    let _alone = alone();
    for user in User::all() {
        let words = ["run", "footprint", "as=threads", "count=3", "touch_kib=256", "pace=1", "rounds=10", "--json"];
        let heard = run(user, &[], &words).expect("it runs");
        assert_eq!(heard.start.source, Source::Unwatched);
        let outcome = heard.outcome;
        assert!(outcome.clean && outcome.broke.is_none(), "{outcome:?}");
        let figure = |name: &str| outcome.values[name].as_f64().unwrap_or_else(|| panic!("{name}: {outcome:?}"));
        assert_eq!(figure("rounds"), 10.0);
        // Both have 256 KiB of their own; what else they take is more than nothing, and others who share our files come and go.
        for name in ["thread_kib", "process_kib"] {
            assert!(figure(name) >= 240.0 && figure(name) < 4096.0, "{name}: {outcome:?}");
        }
        assert!(figure("process_by_thread") > 0.5, "{outcome:?}");
    }
}

#[test]
fn others_can_start_processes_while_it_is_at_its_cap() {
    let _alone = alone();
    for user in User::all() {
        let here = Surroundings::new(user);
        let child = |facts: &[Stamped]| *tree(facts).first_key_value().expect("a worker").0;
        let run =
            Settled::run(&here, &["limits", "bound=none", "stack_kib=64", "cap=2000", "pace=1"], "settled", child);
        let status = fs::read_to_string(format!("/proc/{}/status", run.held)).unwrap_or_default();
        let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")?.trim().parse::<u64>().ok());
        for n in 0..20 {
            here.program(Path::new("/bin/true"), [""; 0]).assert().try_success().unwrap_or_else(|e| panic!("{n}: {e}"));
        }
        let still = fs::read_to_string(format!("/proc/{}/status", run.held)).unwrap_or_default();
        if !still.contains("State:\tT") {
            inconclusive("room for others", "it had ended before the others were started");
        }
        let Fact::Outcome(outcome) = run.finish() else { panic!("no outcome") };
        assert!(outcome.clean, "{outcome:?}");
        let started = outcome.values["started"].as_u64().expect("a count");
        assert_eq!(outcome.values["refused_by"], "the cap", "{outcome:?}");
        if let Some(threads) = threads.filter(|_| still.contains("State:\tT")) {
            assert_eq!(threads, started + 1, "the kernel counts the child's first thread as well");
        }
        here.marker.assert_gone(Patience::default());
    }
}

#[test]
fn a_bound_on_tasks_is_met_by_root_and_by_others() {
    let _alone = alone();
    for user in User::all() {
        let here = Surroundings::new(user);
        let mut command = here.forklore(["run", "limits", "bound=tasks", "tasks=50", "cap=300", "pace=1", "--json"]);
        let output = command.timeout(Patience::default().0).output().expect("it starts");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let facts: Vec<Stamped> = text.lines().map(|line| serde_json::from_str(line).expect("a fact")).collect();
        let Some(Fact::Outcome(outcome)) = facts.last().map(|fact| fact.fact.clone()) else { panic!("{text}") };
        here.marker.assert_gone(Patience::default());
        if facts.iter().any(|fact| matches!(fact.fact, Fact::Refused(_))) {
            inconclusive("a bound on tasks", "the machine refused it");
            continue;
        }
        assert_eq!(
            (&outcome.values["refused_by"], &outcome.values["errno"]),
            (&"RLIMIT_NPROC".into(), &"EAGAIN".into())
        );
        let started = outcome.values["started"].as_u64().expect("a count");
        // The user may have others, who come and go.
        assert!((30..=70).contains(&started), "{user:?}: {outcome:?}");
    }
}
