//! What workers had of a core and how they spent their lives: the demos' account, which is the kernel's, held against the
//! switch records, and shares held against the kernel's weights.

use super::{Heard, POINTS, WEIGHTS, alone, exact};
use crate::support::{User, inconclusive};
use forklore::fact::{Fact, Nanos, Tid, Why};

/// Two accounts of how a life was spent are the same if they differ by less.
const SAME: f64 = 0.05;

/// A value of a table of the outcome.
fn cell(heard: &Heard, table: &str, name: &str) -> f64 {
    heard.outcome.values[table][name].as_f64().unwrap_or_else(|| panic!("{table} of {name}: {:?}", heard.outcome))
}

/// How often a worker left its core for each reason, by the switch records: of its own accord, pushed off.
fn left(heard: &Heard, worker: Tid) -> [usize; 2] {
    [Why::Blocked, Why::Preempted].map(|reason| {
        let is = |fact: &&_| matches!(fact, Fact::Out { tid, why, .. } if *tid == worker && *why == reason);
        heard.facts.iter().map(|stamped| &stamped.fact).filter(is).count()
    })
}

#[test]
fn shares_agree_with_the_weights_or_say_what_disturbed_them() {
    let _alone = alone();
    for what in ["as=processes", "as=threads"] {
        let Some(heard) = exact(User::Me, &["priority", what, "nice=0,5,10", "--for", "3"]) else { return };
        heard.assert_well();
        let all: f64 = WEIGHTS.iter().sum();
        let shares = heard.shares();
        assert_eq!(shares.len(), WEIGHTS.len(), "{shares:?}");
        let off = shares.values().zip(WEIGHTS).map(|(share, weight)| (share - weight / all).abs());
        let off = off.fold(0.0, f64::max);
        let said = heard.outcome.values["largest_error"].as_f64().expect("a share");
        assert!((off - said).abs() < 0.001, "it says {said}, and it is {off}: {:?}", heard.outcome);
        let disturbed = heard.outcome.values["disturbed"].as_str().expect("a word");
        if disturbed == "nothing" {
            assert!(off < POINTS, "{what}: {shares:?} is {off:.3} from the weights, and nothing disturbed it");
        } else if off >= POINTS {
            inconclusive("shares by weight", disturbed);
        }
        // The records tell of the whole run; the demo's measuring begins when all are on.
        let now = heard.facts.last().map_or(Nanos::ZERO, |fact| fact.t);
        let workers = heard.workers();
        let ran: Vec<u64> = workers.keys().map(|tid| heard.records(*tid, now).ran).collect();
        let sum: u64 = ran.iter().sum();
        for (name, ran) in workers.values().zip(ran) {
            #[expect(clippy::cast_precision_loss, reason = "shares")]
            let recorded = ran as f64 / sum as f64;
            assert!((recorded - shares[name]).abs() < POINTS, "{what}, {name}: {recorded:.3} recorded, {shares:?}");
        }
    }
}

#[test]
fn a_company_with_a_stranger_on_its_core_says_so() {
    let _alone = alone();
    let stranger = std::sync::atomic::AtomicBool::new(true);
    let core = *super::allowed().last().expect("some core");
    let heard = std::thread::scope(|scope| {
        let spin = || {
            super::pin_this_thread(core);
            while stranger.load(std::sync::atomic::Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        };
        std::thread::Builder::new().spawn_scoped(scope, spin).expect("a thread");
        let heard = exact(User::Me, &["priority", &format!("cpu={core}"), "--for", "2"]);
        stranger.store(false, std::sync::atomic::Ordering::Relaxed);
        heard
    });
    let Some(heard) = heard else { return };
    heard.assert_well();
    let disturbed = heard.outcome.values["disturbed"].as_str().expect("a word");
    assert_ne!(disturbed, "nothing", "{:?}", heard.outcome);
}

#[test]
fn a_life_is_told_alike_by_the_account_and_by_the_records() {
    let _alone = alone();
    for user in User::all() {
        for args in [&["states"][..], &["states", "as=threads"], &["states", "io=sleep"], &["states", "io=cached"]] {
            let args: Vec<&str> = args.iter().copied().chain(["--for", "2"]).collect();
            let Some(heard) = exact(user, &args) else { continue };
            heard.assert_well();
            let workers = heard.workers();
            assert_eq!(workers.len(), 3, "{workers:?}");
            for (tid, name) in workers {
                let told = format!("{user:?}, {args:?}, {name}: {:?}", heard.outcome.values);
                let spent = ["ran", "ready", "blocked"].map(|table| cell(&heard, table, &name));
                assert!((spent.iter().sum::<f64>() - 1.0).abs() < 0.001, "{told}");
                // The last account is read by the worker itself, which then leaves its core once more, for good.
                for (table, recorded) in ["voluntary", "involuntary"].into_iter().zip(left(&heard, tid)) {
                    #[expect(clippy::cast_precision_loss, reason = "a count of switches")]
                    let recorded = recorded as f64;
                    assert!(
                        (recorded - cell(&heard, table, &name)).abs() <= 2.0,
                        "{table}: {recorded} recorded, {told}"
                    );
                }
                let born = heard.facts.iter().find(|f| matches!(f.fact, Fact::Task { tid: t, .. } if t == tid));
                let until = heard.kernels(tid).last().map_or(Nanos::ZERO, |account| account.at);
                let life = until.since(born.map_or(Nanos::ZERO, |fact| fact.t)).seconds();
                let recorded = Nanos(heard.records(tid, until).ran).seconds() / life;
                assert!((recorded - spent[0]).abs() < SAME, "{recorded:.3} of its life recorded on a core, {told}");
            }
        }
    }
}
