//! `mutex`: one restroom, and passengers who want into it. A mutex of POSIX, in memory that threads and processes share.

use super::Demo;
use super::pace::{self, Cut};
use super::posix::{Kind, Mutex};
use super::train::{self, Passenger};
use crate::fact::{
    As, DemoSpec, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Tally, Unavailable, Values,
};
use crate::stage::{Settings, Stage, Worker};
use std::sync::Arc;

/// See the module.
pub(super) struct Restroom;

/// What the lock is called.
const PLACE: &str = "restroom";

static SPEC: DemoSpec = DemoSpec {
    name: "mutex",
    title: "one restroom, several passengers",
    part: "Sharing without tears",
    about: "Passengers want into one restroom. A mutex lets one in; the others sleep until it is their turn.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 1, max: 8, default: 4, unit: "" },
            help: "how many want in",
        },
        ParamSpec {
            name: "hold",
            kind: ParamKind::Int { min: 1, max: 5000, default: 200, unit: "ms" },
            help: "how long each stays",
        },
    ],
    returns: &[
        ReturnSpec { name: "waits", kind: ReturnKind::Count, help: "visits that had to wait" },
        ReturnSpec { name: "max_inside", kind: ReturnKind::Count, help: "the most that were inside at a time" },
        ReturnSpec { name: "cpu_waiting", kind: ReturnKind::Share, help: "of the waiting, what was spent on a CPU" },
        ReturnSpec { name: "fairness", kind: ReturnKind::Share, help: "fewest visits of one against most of one" },
    ],
    pictures: &[Picture::Queue, Picture::Waiting, Picture::Lanes],
    controls: &[pace::SLOWER, pace::FASTER, train::KILL],
    settles_ms: 2000,
    lasts_ms: |_| 4000,
    ..DemoSpec::BASE
};

impl Demo for Restroom {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        train::arrive(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        train::account(tally, &[PLACE]).into()
    }
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let lock = Mutex::new(Kind::Plain).map_err(|error| Unavailable::new("a mutex", error.to_string()))?;
    let (lock, hold) = (Arc::new(lock), params.int("hold").unsigned_abs());
    for _ in 0..params.count("workers") {
        let lock = Arc::clone(&lock);
        stage.enter(params.workers_as(), &Settings::default(), move |worker| part(worker, &lock, hold))?;
    }
    train::travel(stage, params.int("hold"))
}

/// A passenger's part: in, stay, out, sit for a while.
fn part(worker: &Worker, lock: &Mutex, hold: u64) {
    let mut passenger = Passenger::new(worker);
    loop {
        if !passenger.ask(PLACE, || lock.try_lock().is_ok(), || lock.lock().is_ok()) {
            return;
        }
        let on = passenger.rest(hold, 4);
        passenger.give_back(PLACE, || {
            let _ = lock.unlock();
        });
        if !on || !passenger.rest(hold, 2) {
            return;
        }
    }
}
