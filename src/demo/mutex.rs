//! `mutex`: one restroom, and passengers who want into it. The lock of its door is a mutex of POSIX, in memory that threads
//! and processes share, or one of a file. One of them may die inside.

mod door;

use super::Demo;
use super::pace::{self, Cut};
use super::train::{self, After, Attendant, Passenger, Roll, Ticket, returns};
use crate::fact::{As, DemoSpec, Fact, ParamKind, ParamSpec, Params, Picture, Tally, Unavailable, Values};
use crate::stage::{Settings, Stage, Worker};
use door::{Door, KINDS};
use std::sync::Arc;

/// See the module.
pub(super) struct Restroom;

/// What the lock is called.
const PLACE: &str = "restroom";

static SPEC: DemoSpec = DemoSpec {
    name: "mutex",
    title: "one restroom, several passengers",
    part: "Sharing without tears",
    about: "Passengers want into one restroom. A lock lets one in; the others sleep until it is their turn. What happens when \
            the one inside dies depends on the kind of lock.",
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
        ParamSpec {
            name: "kind",
            kind: ParamKind::Choice(KINDS),
            help: "a mutex, one that notices when its owner dies, or flock(2) on a file",
        },
        ParamSpec {
            name: "victim",
            kind: ParamKind::Choice(&["none", "owner"]),
            help: "whether A is killed inside, on its second visit",
        },
    ],
    returns: &[
        returns::WAITS,
        returns::MAX_INSIDE,
        returns::CPU_WAITING,
        returns::FAIRNESS,
        train::ENDED_BY,
        train::NEXT,
        train::TOLD,
        train::VISITS_AFTER,
    ],
    pictures: &[Picture::Queue, Picture::Waiting, Picture::Lanes],
    controls: &[pace::SLOWER, pace::FASTER, train::KILL],
    lasts_ms: |params| if params.word("victim") == "none" { 4000 } else { 0 },
    check: train::check,
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
        train::account(tally, &[PLACE]).into_iter().chain(train::outcome(tally, PLACE)).collect()
    }
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let kind = params.word("kind");
    let (door, hold) = (Arc::new(Door::new(kind)?), params.int("hold").unsigned_abs());
    let (passengers, victim) = (params.count("workers"), params.word("victim") == "owner");
    let roll = Roll::new().map_err(|error| Unavailable::new("the roll", error.to_string()))?;
    let roll = Arc::new(roll);
    for number in 0..passengers {
        let door = Arc::clone(&door);
        let ticket = Ticket { roll: Arc::clone(&roll), number, passengers, doomed: victim && number == 0 };
        stage.enter(params.workers_as(), &Settings::default(), move |worker| part(worker, &door, &ticket, hold))?;
    }
    let after = if kind == "plain" || passengers == 1 { After::Unknown } else { After::Heir };
    Attendant { roll, place: PLACE, passengers, victim, after }.travel(stage, params.int("hold"))
}

/// A passenger's part: in, stay, out, sit for a while.
fn part(worker: &Worker, door: &Door, ticket: &Ticket, hold: u64) {
    let handle = match door.handle() {
        Ok(handle) => handle,
        Err(error) => {
            let why = format!("the file cannot be opened a second time ({error})");
            return worker.tell(Fact::Refused(Unavailable::new("a lock of a file", why)));
        }
    };
    let come = |wait| handle.take(wait).map(|told| ticket.inherit(worker, PLACE, told)).is_some();
    let mut passenger = Passenger::new(worker);
    loop {
        if !passenger.ask(PLACE, || come(false), || come(true)) {
            return;
        }
        ticket.meet_end(&mut passenger);
        let on = passenger.rest(hold, 4);
        passenger.give_back(PLACE, || {
            ticket.leave();
            handle.give_back();
        });
        if !on || !passenger.rest(hold, 2) {
            return;
        }
    }
}
