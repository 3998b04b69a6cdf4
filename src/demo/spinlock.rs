//! `spinlock`: one desk in the train, and passengers who have work to do there. Who waits for it goes round a loop, or sleeps
//! for comparison; on all cores, or on one that they share with whoever works.

use super::Demo;
use super::pace::{self, Cut};
use super::posix::{Kind, Mutex, Spin};
use super::train::{self, After, Attendant, Passenger, Roll, Ticket, returns};
use crate::fact::{
    As, DemoSpec, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Tally, Unavailable, Values,
};
use crate::stage::{Settings, Stage, Worker};
use serde_json::{Value, json};
use std::sync::Arc;

/// See the module.
pub(super) struct Desk;

/// What the lock is called.
const PLACE: &str = "desk";

static SPEC: DemoSpec = DemoSpec {
    name: "spinlock",
    title: "who waits goes round and round",
    part: "Sharing without tears",
    about: "Passengers work at one desk. Who finds it taken tries again, and again, until it is free: that takes no call to the \
            kernel, and a whole CPU. On one core it is taken from the one at the desk.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 1, max: 8, default: 2, unit: "" },
            help: "how many work there",
        },
        ParamSpec {
            name: "hold",
            kind: ParamKind::Int { min: 1, max: 1000, default: 50, unit: "ms" },
            help: "how much each has to compute at the desk",
        },
        ParamSpec { name: "wait", kind: ParamKind::Choice(&["spin", "sleep"]), help: "how they wait" },
        ParamSpec { name: "cpus", kind: ParamKind::Choice(&["all", "one"]), help: "how many cores they have" },
        ParamSpec {
            name: "victim",
            kind: ParamKind::Choice(&["none", "owner"]),
            help: "whether A is killed at the desk, on its second visit",
        },
    ],
    returns: &[
        returns::WAITS,
        ReturnSpec { name: "max_inside", kind: ReturnKind::Count, help: "the most that were at the desk at a time" },
        returns::CPU_WAITING,
        returns::FAIRNESS,
        ReturnSpec { name: "burnt", kind: ReturnKind::Nanos, help: "CPU time that all together spent on waiting" },
        ReturnSpec { name: "worked", kind: ReturnKind::Nanos, help: "CPU time that was spent on work at the desk" },
        ReturnSpec {
            name: "slowdown",
            kind: ReturnKind::Number,
            help: "how many times as long the work took as it needs on a CPU of its own",
        },
        train::ENDED_BY,
        train::NEXT,
        train::TOLD,
        train::VISITS_AFTER,
    ],
    pictures: &[Picture::Waiting, Picture::Queue, Picture::Lanes],
    controls: &[pace::SLOWER, pace::FASTER, train::KILL],
    lasts_ms: |params| if params.word("victim") == "none" { 4000 } else { 0 },
    check: train::check,
    ..DemoSpec::BASE
};

impl Demo for Desk {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        train::arrive(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let sum = |name: &str| tally.workers().filter_map(|w| w.number(name)).sum::<u64>();
        let (worked, took) = (sum(train::WORKED), sum(train::WORKED_IN));
        #[expect(clippy::cast_precision_loss, reason = "2^53 ns are 104 days")]
        let slowdown = (worked > 0).then(|| json!((took as f64 / worked as f64 * 100.0).round() / 100.0));
        let own = [
            ("burnt".to_owned(), json!(sum(train::BURNT))),
            ("worked".to_owned(), json!(worked)),
            ("slowdown".to_owned(), slowdown.unwrap_or(Value::Null)),
        ];
        train::account(tally, &[PLACE]).into_iter().chain(own).chain(train::outcome(tally, PLACE)).collect()
    }
}

/// What stands before the desk.
#[derive(Debug)]
enum Lock {
    Spin(Spin),
    Sleep(Mutex),
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let made = if params.word("wait") == "spin" {
        Spin::new().map(Lock::Spin)
    } else {
        Mutex::new(Kind::Plain).map(Lock::Sleep)
    };
    let lock = Arc::new(made.map_err(|error| Unavailable::new("the lock", error.to_string()))?);
    let roll = Arc::new(Roll::new().map_err(|error| Unavailable::new("the roll", error.to_string()))?);
    let (passengers, victim) = (params.count("workers"), params.word("victim") == "owner");
    let hold = params.int("hold").unsigned_abs();
    let cpus = if params.word("cpus") == "one" { stage.cpus().first().copied() } else { None };
    let settings = Settings { cpus: cpus.into_iter().collect(), ..Settings::default() };
    for number in 0..passengers {
        let lock = Arc::clone(&lock);
        let ticket = Ticket { roll: Arc::clone(&roll), number, passengers, doomed: victim && number == 0 };
        stage.enter(params.workers_as(), &settings, move |worker| part(worker, &lock, &ticket, hold))?;
    }
    Attendant { roll, place: PLACE, passengers, victim, after: After::Unknown }.travel(stage, params.int("hold"))
}

/// A passenger's part: to the desk, work, away from it, sit for a while.
fn part(worker: &Worker, lock: &Lock, ticket: &Ticket, hold: u64) {
    let mut passenger = Passenger::new(worker);
    loop {
        let got = match lock {
            Lock::Spin(spin) => passenger.ask_spinning(PLACE, || spin.try_lock()),
            Lock::Sleep(mutex) => passenger.ask(PLACE, || mutex.try_lock().is_ok(), || mutex.lock().is_ok()),
        };
        if !got {
            return;
        }
        ticket.enter(worker);
        ticket.meet_end(&mut passenger);
        let on = passenger.work(hold);
        passenger.give_back(PLACE, || {
            ticket.leave();
            match lock {
                Lock::Spin(spin) => spin.unlock(),
                Lock::Sleep(mutex) => drop(mutex.unlock().ok()),
            }
        });
        if !on || !passenger.rest(hold, 2) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Pid, TaskTally, Tid};

    #[test]
    fn work_that_took_longer_than_it_needs_was_slowed_down() {
        let mut tally = Tally::default();
        let values = |tally: &Tally| Desk.outcome(&Params::defaults(&SPEC), tally);
        assert_eq!(values(&tally)["slowdown"], Value::Null);
        for (slot, (worked, took)) in (0..).zip([(100, 100), (100, 500)]) {
            let mut task = TaskTally::new(Tid(u32::from(slot) + 7), Pid(1), Nanos::ZERO);
            task.slot = Some(slot);
            task.values = [(train::WORKED, worked), (train::WORKED_IN, took), (train::BURNT, 40)]
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .into();
            tally.tasks.push(task);
        }
        let values = values(&tally);
        assert_eq!((&values["slowdown"], &values["worked"], &values["burnt"]), (&json!(3.0), &json!(200), &json!(80)));
    }
}
