//! The demos on this machine's kernel: what forklore says of them is what the kernel says.
//!
//! The machine may be busy. What is compared is two accounts of the same run, never a run with what it should have been
//! on a machine of one's own; where that is the question, a disturbed run is inconclusive.

mod addresses;
mod anatomy;
mod belongings;
mod cores;
mod how_many;
mod ladder;
mod lives;
mod memory;
mod stopping;
mod talking;

use crate::support::{Patience, Surroundings, User, inconclusive, skip};
use forklore::fact::{Cpu, Fact, Nanos, Outcome, Source, Stamped, Start, Tid};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The longest that a turn can be told differently by the switch records and by schedstat, in nanoseconds. Both of its
/// records are written some microseconds after the run queue's clock was read for the account, so that the difference of
/// two delays is left: either way, by who leaves and who comes, whatever the turn's length. Where the kernel accounts for it
/// (`CONFIG_PARAVIRT_TIME_ACCOUNTING`, `CONFIG_IRQ_TIME_ACCOUNTING`), that clock leaves out stolen time and interrupts too:
/// what that comes to is in the hundredth part that is allowed besides.
const PER_TURN: u64 = 10_000;

/// Shares that differ by less are the same: three points of a hundred.
const POINTS: f64 = 0.03;

/// The weights of nice 0, 5 and 10 (`sched_prio_to_weight`).
const WEIGHTS: [f64; 3] = [1024.0, 335.0, 110.0];

/// One test at a time: each would disturb the others.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run that was listened to.
struct Heard {
    facts: Vec<Stamped>,
    start: Start,
    outcome: Outcome,
}

/// A worker's account.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    at: Nanos,
    switches: u64,
    ran: u64,
}

/// Runs forklore; what it said, or why it could not.
fn run(user: User, before: &[&str], args: &[&str]) -> Result<Heard, String> {
    let here = Surroundings::new(user);
    let mut command = match before.split_first() {
        None => here.forklore(args),
        Some((program, rest)) => {
            let own = here.forklore([""; 0]).get_program().to_owned();
            let rest = rest.iter().map(|word| (*word).into()).chain([own]);
            here.program(Path::new(program), rest.chain(args.iter().map(|word| (*word).into())))
        }
    };
    let output = command.timeout(Patience::default().0).output().expect("it can be started");
    here.marker.assert_gone(Patience::default());
    if output.status.code() == Some(2) {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let facts: Vec<Stamped> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let Some(Fact::Start(start)) = facts.first().map(|f| f.fact.clone()) else { panic!("no start: {text}") };
    let Some(Fact::Outcome(outcome)) = facts.last().map(|f| f.fact.clone()) else { panic!("no outcome: {text}") };
    if let Some(refused) = outcome.broke.clone().filter(|_| outcome.seconds == 0.0) {
        return Err(refused);
    }
    Ok(Heard { facts, start, outcome })
}

/// As [`run`], from the exact source; none where the machine refuses that.
fn exact(user: User, args: &[&str]) -> Option<Heard> {
    let words: Vec<&str> = ["--source", "exact", "run"].iter().chain(args).chain(&["--json"]).copied().collect();
    match run(user, &[], &words) {
        Ok(heard) => Some(heard),
        Err(why) => {
            skip("exact switch records", &why);
            None
        }
    }
}

impl Heard {
    /// The workers with their letters.
    fn workers(&self) -> BTreeMap<Tid, String> {
        let worker = |fact: &Stamped| match &fact.fact {
            Fact::Task { tid, name, slot: Some(_), .. } => Some((*tid, name.clone())),
            _ => None,
        };
        self.facts.iter().filter_map(worker).collect()
    }

    /// The kernel's accounts of a worker, oldest first.
    fn kernels(&self, worker: Tid) -> Vec<Account> {
        let account = |fact: &Stamped| match fact.fact {
            Fact::Counters { tid, voluntary, involuntary, ran, .. } if tid == worker => {
                Some(Account { at: fact.t, switches: voluntary + involuntary, ran })
            }
            _ => None,
        };
        self.facts.iter().filter_map(account).collect()
    }

    /// What the switch records come to up to a moment.
    fn records(&self, worker: Tid, until: Nanos) -> Account {
        let (mut account, mut since) = (Account { at: until, ..Account::default() }, None);
        for fact in self.facts.iter().filter(|f| f.t <= until) {
            match fact.fact {
                Fact::In { tid, .. } if tid == worker => since = Some(fact.t),
                Fact::Out { tid, .. } if tid == worker => {
                    account.switches += 1;
                    account.ran += since.take().map_or(0, |from| fact.t.since(from).0);
                }
                _ => {}
            }
        }
        account.ran += since.map_or(0, |from| until.since(from).0);
        account
    }

    /// Each worker's share of the time that all of them had, by the kernel's own account.
    fn kernels_shares(&self) -> BTreeMap<String, f64> {
        let ran = |tid: &Tid| self.kernels(*tid).last().map_or(0, |account| account.ran);
        let workers = self.workers();
        let all: u64 = workers.keys().map(ran).sum();
        #[expect(clippy::cast_precision_loss, reason = "shares")]
        workers.into_iter().map(|(tid, name)| (name, ran(&tid) as f64 / all as f64)).collect()
    }

    /// As the demo says it.
    fn shares(&self) -> BTreeMap<String, f64> {
        let shares = self.outcome.values["share"].as_object().expect("a table");
        shares.iter().map(|(name, share)| (name.clone(), share.as_f64().expect("a share"))).collect()
    }

    fn assert_well(&self) {
        let Outcome { lost, clean, left_behind, broke, .. } = &self.outcome;
        assert_eq!((*lost, *clean, *left_behind, broke), (0, true, 0, &None), "{:?}", self.outcome);
    }
}

#[test]
fn every_switch_is_seen_and_the_time_is_the_kernels() {
    let _alone = alone();
    for user in User::all() {
        for what in ["as=processes", "as=threads"] {
            let Some(heard) = exact(user, &["timeslice", what, "--for", "2"]) else { continue };
            assert_eq!(heard.start.source, Source::Exact);
            heard.assert_well();
            let workers = heard.workers();
            assert_eq!(workers.len(), 3, "{workers:?}");
            for (tid, name) in workers {
                let kernels = heard.kernels(tid);
                // The last account is read when the worker has stopped; the ones before while it went on, in several steps.
                let last = *kernels.last().expect("an account of each worker");
                let seen = heard.records(tid, last.at);
                let told = format!("{user:?}, {what}, {name}: records {seen:?}, kernel {last:?}");
                assert!(last.switches > 0 && last.ran > 0, "{told}");
                assert!(seen.switches.abs_diff(last.switches) <= 1, "{told}");
                assert!(seen.ran.abs_diff(last.ran) <= (last.ran / 100).max(seen.switches * PER_TURN), "{told}");
                let agree = |k: &&Account| heard.records(tid, k.at).switches.abs_diff(k.switches) <= 1;
                let agreeing = kernels.iter().filter(agree).count();
                assert!(agreeing * 2 > kernels.len(), "{told}: {agreeing} of {} accounts agree", kernels.len());
            }
        }
    }
}

#[test]
fn turns_on_a_core_never_overlap() {
    let _alone = alone();
    let Some(heard) = exact(User::Me, &["timeslice", "workers=5", "--for", "1"]) else { return };
    let mut on: BTreeMap<Cpu, Tid> = BTreeMap::new();
    let mut newest = Nanos::ZERO;
    for fact in &heard.facts {
        match fact.fact {
            Fact::In { cpu, tid } => {
                assert!(!on.values().any(|other| *other == tid), "{tid} is in two places at {}", fact.t);
                let before = on.insert(cpu, tid);
                assert_eq!(before, None, "two on core {cpu} at {}", fact.t);
            }
            Fact::Out { cpu, tid, .. } => assert_eq!(on.remove(&cpu), Some(tid), "on core {cpu} at {}", fact.t),
            _ => continue,
        }
        assert!(fact.t >= newest, "the switches are not in order at {}", fact.t);
        newest = fact.t;
    }
}

#[test]
fn nice_shares_a_core_as_the_kernels_weights_say() {
    let _alone = alone();
    let Some(heard) = exact(User::Me, &["timeslice", "nice=0,5,10", "--for", "3"]) else { return };
    heard.assert_well();
    let (said, kernels) = (heard.shares(), heard.kernels_shares());
    for (name, share) in &said {
        assert!((share - kernels[name]).abs() < POINTS, "{name}: {said:?}, the kernel says {kernels:?}");
    }
    let all: f64 = WEIGHTS.iter().sum();
    let off = said.values().zip(WEIGHTS).map(|(share, weight)| (share - weight / all).abs()).fold(0.0, f64::max);
    let ran: u64 = heard.workers().keys().filter_map(|tid| Some(heard.kernels(*tid).last()?.ran)).sum();
    let had = Nanos(ran).seconds() / heard.outcome.seconds;
    if had >= 0.9 {
        assert!(off < POINTS, "{said:?} is {off:.3} from the weights");
    } else if off >= POINTS {
        inconclusive("shares by weight", &format!("the workers had {:.0} % of their core", had * 100.0));
    }
}

#[test]
fn the_three_sources_agree_with_the_kernel() {
    let _alone = alone();
    for source in Source::ALL {
        let args = ["--source", source.word(), "run", "timeslice", "nice=0,5", "workers=2", "--for", "2", "--json"];
        let heard = match run(User::Me, &[], &args) {
            Ok(heard) => heard,
            Err(why) => {
                skip(source.word(), &why);
                continue;
            }
        };
        assert_eq!(heard.start.source, source);
        assert_eq!(heard.start.hz.is_some(), source == Source::Sampled, "{source}: a rate is the sampled source's");
        heard.assert_well();
        let (said, kernels) = (heard.shares(), heard.kernels_shares());
        assert_eq!(said.len(), 2, "{source}: {said:?}");
        for (name, share) in &said {
            assert!((share - kernels[name]).abs() < POINTS, "{source}, {name}: {said:?}, the kernel says {kernels:?}");
        }
    }
}

#[test]
fn every_demo_cleans_up_as_every_user() {
    let _alone = alone();
    let demos: Vec<_> = forklore::demo::specs().iter().map(|spec| spec.name).collect();
    assert!(demos.len() >= 3, "{demos:?}");
    for user in User::all() {
        for demo in &demos {
            let heard = run(user, &[], &["run", demo, "--json"]).unwrap_or_else(|why| panic!("{demo}: {why}"));
            heard.assert_well();
            assert!(heard.outcome.values.values().any(|value| !value.is_null()), "{demo}: {:?}", heard.outcome);
        }
    }
}

/// The CPUs that this process may use, as /proc lists them: "0-1,4".
fn allowed() -> Vec<u32> {
    let status = std::fs::read_to_string("/proc/self/status").expect("our own status");
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).expect("the kernel's list");
    let number = |word: &str| word.parse::<u32>().expect("a number");
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => (number(first)..=number(last)).collect(),
        None => vec![number(part)],
    };
    list.trim().split(',').flat_map(range).collect()
}

#[test]
fn only_allowed_cores_are_used_and_one_is_enough() {
    const TASKSET: &str = "/usr/bin/taskset";
    let _alone = alone();
    if !Path::new(TASKSET).exists() {
        return skip("one core", "there is no taskset");
    }
    let last = *allowed().last().expect("some core");
    let word = last.to_string();
    for demo in [
        &["timeslice", "--for", "1"][..],
        &["priority", "--for", "1"],
        &["states", "--for", "1"],
        &["isolation", "pace=5"],
        &["crash", "after=200", "--for", "1"],
    ] {
        let args: Vec<&str> = ["run"].iter().chain(demo).chain(&["--json"]).copied().collect();
        let heard = run(User::Me, &[TASKSET, "-c", &word], &args).unwrap_or_else(|why| panic!("{demo:?}: {why}"));
        heard.assert_well();
        assert_eq!(heard.start.cpus, [Cpu(last)], "{demo:?}");
        let workers = heard.workers();
        for fact in &heard.facts {
            if let Fact::In { cpu, tid } = fact.fact {
                assert!(cpu == Cpu(last) || !workers.contains_key(&tid), "{demo:?}: {tid} on core {cpu} at {}", fact.t);
            }
        }
    }
}

/// Binds the calling thread to one core.
fn pin_this_thread(core: u32) {
    let mut set = nix::sched::CpuSet::new();
    set.set(core as usize).expect("a core of this machine");
    nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set).expect("an allowed core");
}
