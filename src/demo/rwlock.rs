//! `rwlock`: a timetable that many read and one changes. Readers stand before it together, whoever writes stands there alone.

use super::Demo;
use super::pace::{self, Cut};
use super::posix::{Prefer, RwLock};
use super::train::{self, After, Attendant, Passenger, Roll, Ticket, returns};
use crate::fact::{
    As, DemoSpec, ParamError, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Tally, Unavailable, Values,
};
use crate::stage::{Settings, Stage, Worker};
use serde_json::{Value, json};
use std::sync::Arc;

/// See the module.
pub(super) struct Timetable;

/// What the lock is called.
const PLACE: &str = "timetable";

/// What a passenger tells of itself: what it is there for, and how often it met somebody beside whom it must not be there.
const ROLE: &str = "role";
const MET: &str = "met";

static SPEC: DemoSpec = DemoSpec {
    name: "rwlock",
    title: "many read, one writes",
    part: "Sharing without tears",
    about: "Passengers read one timetable, and some change it. A read-write lock lets readers in together, and whoever writes \
            alone.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "readers",
            kind: ParamKind::Int { min: 0, max: 8, default: 4, unit: "" },
            help: "how many read",
        },
        ParamSpec {
            name: "writers",
            kind: ParamKind::Int { min: 0, max: 4, default: 1, unit: "" },
            help: "how many write",
        },
        ParamSpec {
            name: "hold",
            kind: ParamKind::Int { min: 1, max: 5000, default: 100, unit: "ms" },
            help: "how long each stays",
        },
        ParamSpec {
            name: "prefer",
            kind: ParamKind::Choice(&["readers", "writers"]),
            help: "who goes first while a writer waits",
        },
        ParamSpec {
            name: "victim",
            kind: ParamKind::Choice(&["none", "reader", "writer"]),
            help: "whether one is killed inside, on its second visit",
        },
    ],
    returns: &[
        returns::WAITS,
        returns::MAX_INSIDE,
        ReturnSpec { name: "writer_alone", kind: ReturnKind::Flag, help: "nobody met a writer inside" },
        ReturnSpec { name: "reads", kind: ReturnKind::Count, help: "visits of readers" },
        ReturnSpec { name: "writes", kind: ReturnKind::Count, help: "visits of writers" },
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
    check,
    ..DemoSpec::BASE
};

fn check(params: &Params) -> Result<(), ParamError> {
    if params.int("readers") + params.int("writers") == 0 {
        return Err(ParamError::new("readers", "and writers are 0: nobody would come"));
    }
    for (victim, many) in [("reader", "readers"), ("writer", "writers")] {
        if params.word("victim") == victim && params.int(many) == 0 {
            return Err(ParamError::new("victim", &format!("is a {victim}, and {many} are 0")));
        }
    }
    train::check(params)
}

impl Demo for Timetable {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        train::arrive(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let got = |tid| tally.locks.get(PLACE).and_then(|lock| lock.visits.get(&tid)).map_or(0, |visits| visits.got);
        let of = |does: Does| {
            let those =
                tally.workers().filter(move |w| w.values.get(ROLE).and_then(Value::as_str) == Some(does.word()));
            those.map(|w| got(w.tid)).sum::<u64>()
        };
        let (reads, writes) = (of(Does::Read), of(Does::Write));
        let met: u64 = tally.workers().filter_map(|w| w.number(MET)).sum();
        let own = [
            ("writer_alone", if writes > 0 { json!(met == 0) } else { Value::Null }),
            ("reads", json!(reads)),
            ("writes", json!(writes)),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        train::account(tally, &[PLACE]).into_iter().chain(own).chain(train::outcome(tally, PLACE)).collect()
    }
}

/// What a passenger is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Read,
    Write,
}

impl Does {
    const fn word(self) -> &'static str {
        match self {
            Self::Read => "reads",
            Self::Write => "writes",
        }
    }
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let prefer = if params.word("prefer") == "writers" { Prefer::Writers } else { Prefer::Readers };
    let lock = RwLock::new(prefer).map_err(|error| {
        Unavailable::new("the read-write lock", error.to_string()).remedy("prefer=readers is to be had everywhere")
    })?;
    let lock = Arc::new(lock);
    let roll = Arc::new(Roll::new().map_err(|error| Unavailable::new("the roll", error.to_string()))?);
    let (readers, hold) = (params.count("readers"), params.int("hold").unsigned_abs());
    let passengers = readers + params.count("writers");
    let doomed = match params.word("victim") {
        "reader" => Some(0),
        "writer" => Some(readers),
        _ => None,
    };
    for number in 0..passengers {
        let does = if number < readers { Does::Read } else { Does::Write };
        let lock = Arc::clone(&lock);
        let ticket = Ticket { roll: Arc::clone(&roll), number, passengers, doomed: doomed == Some(number) };
        let body = move |worker: &Worker| part(worker, &lock, &ticket, does, readers, hold);
        stage.enter(params.workers_as(), &Settings::default(), body)?;
    }
    Attendant { roll, place: PLACE, passengers, victim: doomed.is_some(), after: After::Unknown }
        .travel(stage, params.int("hold"))
}

/// A passenger's part: to the timetable, read or write, away from it, sit for a while.
fn part(worker: &Worker, lock: &RwLock, ticket: &Ticket, does: Does, readers: usize, hold: u64) {
    let mut passenger = Passenger::new(worker);
    passenger.say(ROLE, json!(does.word()));
    let mut met = 0;
    loop {
        let got = match does {
            Does::Read => passenger.ask(PLACE, || lock.try_read().is_ok(), || lock.read().is_ok()),
            Does::Write => passenger.ask(PLACE, || lock.try_write().is_ok(), || lock.write().is_ok()),
        };
        if !got {
            return;
        }
        ticket.enter(worker);
        let meets = || {
            let others = ticket.roll.inside(ticket.passengers).filter(|n| *n != ticket.number);
            // Readers are the first in the cast.
            others.filter(|other| does == Does::Write || *other >= readers).count()
        };
        let first = meets();
        ticket.meet_end(&mut passenger);
        let on = passenger.rest(hold, 4);
        if first + meets() > 0 {
            met += 1;
            passenger.say(MET, json!(met));
        }
        passenger.give_back(PLACE, || {
            ticket.leave();
            let _ = lock.unlock();
        });
        if !on || !passenger.rest(hold, 8) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{LockTally, Nanos, Pid, TaskTally, Tid, Visits};

    /// A reader with ten visits and a writer with `writes`, who met somebody `met` times.
    fn tally(writes: u64, met: u64) -> Tally {
        let mut tally = Tally::default();
        let mut lock = LockTally::default();
        for (slot, (role, got)) in (0..).zip([("reads", 10), ("writes", writes)]) {
            let tid = Tid(u32::from(slot) + 7);
            let mut task = TaskTally::new(tid, Pid(1), Nanos::ZERO);
            task.slot = Some(slot);
            task.values = [(ROLE.to_owned(), json!(role))].into();
            if role == "writes" && met > 0 {
                task.values.insert(MET.to_owned(), json!(met));
            }
            tally.tasks.push(task);
            lock.visits.insert(tid, Visits { got, ..Visits::default() });
        }
        tally.locks.insert(PLACE.to_owned(), lock);
        tally
    }

    #[test]
    fn a_writer_that_met_somebody_was_not_alone() {
        let values = |tally: &Tally| Timetable.outcome(&Params::defaults(&SPEC), tally);
        let (alone, not) = (values(&tally(3, 0)), values(&tally(3, 1)));
        assert_eq!((&alone["writer_alone"], &alone["reads"], &alone["writes"]), (&json!(true), &json!(10), &json!(3)));
        assert_eq!(not["writer_alone"], json!(false));
        assert_eq!(values(&tally(0, 0))["writer_alone"], Value::Null, "there was no writer to be alone");
    }

    #[test]
    fn a_victim_needs_somebody_of_its_kind() {
        let fits = |words: &[&str]| Params::from_words(&SPEC, words).is_ok();
        assert!(fits(&["victim=writer"]) && fits(&["readers=0"]));
        assert!(!fits(&["victim=writer", "writers=0"]) && !fits(&["readers=0", "writers=0"]));
        assert!(!fits(&["victim=reader", "as=threads"]));
    }
}
