//! A worker killed in the middle of waiting, or with in its hands what others wait for: they may wait for ever, and the run
//! still ends when it is asked to, and leaves nothing.

use crate::support::{Load, Patience, Surroundings, User};
use forklore::fact::{Fact, LockStep, Outcome, Stamped, Tid};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

/// How long a run goes on before it is asked to end, and how soon it has ended then: its demo has four seconds.
const ON: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_secs(4);

/// Runs `words` for a while. The worker that `moment` names by one of the facts is killed, unless the demo itself kills one. What
/// the run came to.
fn killed(here: &Surroundings, words: &str, moment: impl Fn(&Fact) -> Option<Tid>) -> Outcome {
    let seconds = ON.as_secs().to_string();
    let words = ["run"].into_iter().chain(words.split_whitespace()).chain(["--json", "--for", &seconds]);
    let load = Load::watch();
    let mut child = here.start(words);
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (mut begun, mut victim, mut told, mut outcome) = (Instant::now(), None, false, None);
    for line in lines {
        let fact = serde_json::from_str::<Stamped>(&line.expect("plain text")).expect("a fact").fact;
        match (&fact, victim) {
            (Fact::Start(_), _) => begun = Instant::now(),
            (Fact::Outcome(found), _) => outcome = Some(found.clone()),
            (Fact::Exit { tid, signal: Some(signal), .. }, _) if victim.is_none_or(|victim| *tid == victim) => {
                told |= signal == "SIGKILL";
            }
            (fact, None) => {
                victim = moment(fact);
                if let Some(Tid(pid)) = victim {
                    // The worker is a process, and its only thread has the same number.
                    kill(Pid::from_raw(pid.try_into().expect("a pid")), Signal::SIGKILL).expect("it lives");
                }
            }
            _ => {}
        }
    }
    load.assert_within(SOON, begun.elapsed().saturating_sub(ON), "the end of the run");
    assert!(told, "it was killed, and its end told");
    let ended = Patience::default().wait(|| child.try_wait().expect("a child of ours")).expect("it ends");
    let outcome = outcome.expect("its last fact");
    assert!(ended.success() && outcome.clean && outcome.left_behind == 0 && outcome.broke.is_none(), "{outcome:?}");
    here.marker.assert_gone(Patience::default());
    outcome
}

/// Somebody's step at this lock.
fn at(place: &str, wanted: LockStep) -> impl Fn(&Fact) -> Option<Tid> {
    move |fact| match fact {
        Fact::Lock { tid, lock, step } if lock == place && *step == wanted => Some(*tid),
        _ => None,
    }
}

/// Somebody's value of this name, once it is over 0.
fn value(wanted: &str) -> impl Fn(&Fact) -> Option<Tid> {
    move |fact| match fact {
        Fact::Value { tid, name, value } if name == wanted && value.as_u64() > Some(0) => Some(*tid),
        _ => None,
    }
}

#[test]
fn a_diner_killed_in_its_seat_or_in_line() {
    for user in User::all() {
        let here = Surroundings::new(user);
        let outcome = killed(&here, "semaphore seats=1 hold=5000", at("cafeteria", LockStep::Has));
        assert_eq!(outcome.values["seats_left"], json!(0));
        // The first value of this name is told by who does not find a seat.
        let outcome = killed(&here, "semaphore seats=1 hold=5000", value("waits"));
        assert_eq!(outcome.values["seats_left"], json!(1));
    }
}

#[test]
fn a_producer_killed_with_the_mutex_of_a_condition() {
    for user in User::all() {
        let here = Surroundings::new(user);
        for words in ["condvar victim=producer", "monitor victim=producer"] {
            let outcome = killed(&here, words, |_| None);
            assert_eq!(outcome.values["stuck"], json!(true), "{words}");
        }
        let outcome = killed(&here, "condvar hold=50", at("not empty", LockStep::Wants));
        assert_eq!(outcome.values["took_nothing"], json!(0));
    }
}

#[test]
fn a_passenger_killed_at_the_barrier_or_on_its_way() {
    for user in User::all() {
        let here = Surroundings::new(user);
        killed(&here, "barrier rounds=100 hold=50", at("train", LockStep::Wants));
        let outcome = killed(&here, "barrier rounds=100 hold=50", at("train", LockStep::Leaves));
        assert_eq!(outcome.values["passed_early"], json!(0));
    }
}
