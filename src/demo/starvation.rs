//! `starvation`: one who wants to write, and readers who are let in beside each other while it waits. Whether it ever gets in
//! is up to the lock: a read-write lock of POSIX, which lets readers or writers go first (pthread_rwlockattr_setkind_np(3)).
//!
//! Readers relieve each other: none leaves before another is inside, so that there is never a moment for the writer. Where
//! they came and went by chance such a moment would come sooner or later, as it does in life at night. One leaves without relief
//! only if another has come and the lock has sent it to wait.

mod reader;

use super::Demo;
use super::arenas;
use super::pace::{self, Cut, Pace};
use super::posix::{Prefer, RwLock};
use super::script::{row, step};
use super::train::Passenger;
use crate::fact::{
    As, ColumnSpec, DemoSpec, Fact, LockTally, Nanos, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec,
    SETTLED, TableSpec, Tally, TaskTally, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage, Worker};
use reader::Room;
use serde_json::{Map, Value, json};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub(super) struct Starvation;

/// What the lock is called.
const PLACE: &str = "timetable";

/// Of the writer and of each reader, in the table.
const WRITER: &str = "writer";
const READER: &str = "reader";

/// The writer's longest wait that is over, however it ended: a value that it tells.
const LONGEST: &str = "longest_ns";

/// Visits of the readers, all together, after which it may be judged whether the writer has got in.
const ENOUGH: u64 = 12;

/// How often the leader looks how long the writer has waited.
const GLANCE: Duration = Duration::from_millis(100);

static TABLE: TableSpec = TableSpec {
    name: "visits",
    head: "who",
    columns: &[
        ColumnSpec { value: "is", head: "is a", kind: ReturnKind::Word },
        ColumnSpec { value: "visits", head: "visits", kind: ReturnKind::Count },
        ColumnSpec { value: "waits_ns", head: "has waited", kind: ReturnKind::Nanos },
        ColumnSpec { value: "now", head: "now", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "starvation",
    title: "a writer behind readers",
    part: "Sharing without tears",
    about: "Readers relieve each other at a timetable: none leaves before another is there, so that there is always one inside. \
            A writer wants to change it and needs it alone. A read-write lock lets readers go first, or the writer.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "readers",
            kind: ParamKind::Int { min: 2, max: 8, default: 3, unit: "" },
            help: "how many read, beside the one that writes",
        },
        ParamSpec {
            name: "prefer",
            kind: ParamKind::Choice(&["readers", "writers"]),
            help: "who goes first while a writer waits",
        },
        ParamSpec {
            name: "hold",
            kind: ParamKind::Int { min: 1, max: 5000, default: 150, unit: "ms" },
            help: "how long each stays at least",
        },
    ],
    returns: &[
        ReturnSpec { name: "writer_got_in", kind: ReturnKind::Flag, help: "it has written" },
        ReturnSpec { name: "reads", kind: ReturnKind::Count, help: "visits of the readers" },
        ReturnSpec { name: "writes", kind: ReturnKind::Count, help: "visits of the writer" },
        ReturnSpec {
            name: "longest_wait_ns",
            kind: ReturnKind::Nanos,
            help: "the longest wait of the writer; it may still last",
        },
        ReturnSpec { name: "progress", kind: ReturnKind::Table, help: "visits of each" },
    ],
    pictures: &[Picture::Queue, Picture::Table(&TABLE), Picture::Lanes],
    controls: &[pace::SLOWER, pace::FASTER],
    lasts_ms: |params| 4000 + 10 * params.int("hold").unsigned_abs(),
    limits: arenas::room,
    ..DemoSpec::BASE
};

impl Demo for Starvation {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let lock = tally.locks.get(PLACE);
        let is = |task: &TaskTally, what: &str| {
            tally.cell(TABLE.name, &task.name, "is").and_then(Value::as_str).is_some_and(|is| is == what)
        };
        let visits = |task: &TaskTally| lock.and_then(|lock| lock.visits.get(&task.tid)).map_or(0, |visits| visits.got);
        let of = |what: &str| tally.workers().filter(|task| is(task, what)).map(visits).sum::<u64>();
        let writer = tally.workers().find(|task| is(task, WRITER));
        // Only then can anything be said of whether it got in.
        let asked = writer.zip(lock).filter(|(task, lock)| lock.visits.get(&task.tid).is_some_and(|v| v.asked > 0));
        let progress: Map<_, _> = tally.workers().map(|task| (task.name.clone(), json!(visits(task)))).collect();
        [
            ("writer_got_in", asked.map_or(Value::Null, |(task, _)| json!(visits(task) > 0))),
            ("reads", json!(of(READER))),
            ("writes", json!(of(WRITER))),
            ("longest_wait_ns", asked.map_or(Value::Null, |(task, lock)| json!(longest(lock, task, tally.now).0))),
            ("progress", Value::Object(progress)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// The longest wait of the writer, one that still lasts included, and one that ended without the lock.
fn longest(lock: &LockTally, task: &TaskTally, now: Nanos) -> Nanos {
    let over = Nanos(task.number(LONGEST).unwrap_or(0));
    lock.waiting(now).find(|(tid, _)| *tid == task.tid).map_or(over, |(_, wait)| wait.max(over))
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let prefer = if params.word("prefer") == "writers" { Prefer::Writers } else { Prefer::Readers };
    let room = Arc::new(Room::new(prefer).map_err(|error| refused(prefer, &error))?);
    let (what, hold) = (params.workers_as(), params.int("hold"));
    // The writer is the first: it is the first to hear that it may leave, too, and so knows that it was not its turn.
    let theirs = Arc::clone(&room);
    let writer = stage.enter(what, &Settings::default(), move |worker| write(worker, &theirs, hold.unsigned_abs()))?;
    for _ in 0..params.count("readers") {
        let theirs = Arc::clone(&room);
        let reader = stage
            .enter(what, &Settings::default(), move |worker| reader::read(worker, &theirs, hold.unsigned_abs()))?;
        introduce(stage, reader, READER, "comes");
    }
    introduce(stage, writer, WRITER, "waits until there are readers");
    let mut watch = Watch { room, pace: Pace::new(hold), writer, asked: false, settled: false };
    loop {
        watch.look(stage)?;
    }
}

/// A lock that lets writers go first is not to be had everywhere.
fn refused(prefer: Prefer, error: &io::Error) -> Unavailable {
    if prefer == Prefer::Writers && error.raw_os_error() == Some(libc::ENOSYS) {
        let why =
            "this program was built with a C library that has none (ENOSYS; pthread_rwlockattr_setkind_np is glibc's)";
        return Unavailable::new("a read-write lock that lets writers go first", why)
            .remedy("A build with glibc has it");
    }
    Unavailable::new("a read-write lock", error.to_string())
}

fn introduce(stage: &mut Stage, number: usize, what: &str, now: &str) {
    let name = stage.cast().get(number).map(|entry| entry.name.clone()).unwrap_or_default();
    stage.tell(row(TABLE.name, &name, json!({ "is": what, "visits": 0, "now": now })));
}

/// The leader's eye on the room.
#[derive(Debug)]
struct Watch {
    room: Arc<Room>,
    pace: Pace,
    writer: usize,
    asked: bool,
    settled: bool,
}

impl Watch {
    /// One look: sends the writer once there is a reader, and says how long it waits.
    fn look(&mut self, stage: &mut Stage) -> Result<(), Cut> {
        match stage.next(Some(GLANCE)) {
            Cue::Finish => return Err(Cut::Finish),
            Cue::Steer(steer) if self.pace.obey(&steer) => {
                // The writer's order says that it may write as well: it is given only once it may.
                let all = stage.on().filter(|number| *number != self.writer || self.asked);
                all.for_each(|number| stage.order(number, self.pace.millis()));
            }
            Cue::Ended(_) if stage.on().next().is_none() => return Err(Cut::Finish),
            Cue::Steer(_) | Cue::Ended(_) | Cue::Time => {}
        }
        if !self.asked && self.room.inside() > 0 {
            self.asked = true;
            stage.order(self.writer, self.pace.millis());
        }
        if let Some(waits) = self.room.writer_waits() {
            let name = stage.cast().get(self.writer).map(|entry| entry.name.clone()).unwrap_or_default();
            stage.tell(row(TABLE.name, &name, json!({ "waits_ns": waits.0 })));
        }
        let reads: u64 = stage.on().filter(|number| *number != self.writer).map(|number| stage.work(number)).sum();
        if self.asked && !self.settled && reads >= ENOUGH {
            self.settled = true;
            step(stage, SETTLED);
        }
        Ok(())
    }
}

/// The writer's part: once there are readers it asks, and asks again after each visit.
fn write(worker: &Worker, room: &Room, hold: u64) {
    let mut passenger = Passenger::new(worker);
    role(worker, "writes");
    let (mut visits, mut longest) = (0, Nanos::ZERO);
    let tell = |visits: u64, now: &str| {
        let values = json!({ "visits": visits, "waits_ns": null, "now": now });
        worker.tell(row(TABLE.name, worker.name(), values));
    };
    if worker.wait(0, Duration::MAX) == Worker::HALT {
        return;
    }
    loop {
        tell(visits, "wants to write");
        room.writer_asks();
        let got = passenger.ask(PLACE, || room.lock.try_write().is_ok(), || waits(worker, &room.lock));
        longest = longest.max(room.writer_is_answered());
        worker.tell(Fact::Value { tid: worker.tid(), name: LONGEST.to_owned(), value: json!(longest.0) });
        if !got {
            return tell(visits, "was sent off before it was its turn");
        }
        visits += 1;
        tell(visits, "writes");
        let on = passenger.rest(hold, 4);
        passenger.give_back(PLACE, || give_back(&room.lock));
        tell(visits, "has written");
        if !on || !passenger.rest(hold, 4) {
            return;
        }
    }
}

/// Says what a worker is in the room for.
fn role(worker: &Worker, what: &str) {
    worker.tell(Fact::Value { tid: worker.tid(), name: "role".to_owned(), value: json!(what) });
}

/// Waits for the lock. What the writer gets only because all are sent off is no visit.
fn waits(worker: &Worker, lock: &RwLock) -> bool {
    if lock.write().is_err() {
        return false;
    }
    let in_turn = worker.order() != Worker::HALT;
    if !in_turn {
        give_back(lock);
    }
    in_turn
}

/// Linux tells no error of it.
fn give_back(lock: &RwLock) {
    let _ = lock.unlock();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{LockTally, Pid, Row, Tid, Visits};

    /// Readers and a writer, each with the visits that it asked for and got, at a moment when the writer waits since `since`.
    fn tally(all: &[(&str, &str, u64, u64)], since: Option<u64>) -> Tally {
        let mut tally = Tally { now: Nanos(100), ..Tally::default() };
        let mut lock = LockTally::default();
        for ((name, is, asked, got), slot) in all.iter().zip(0_u16..) {
            let tid = Tid(u32::from(slot) + 10);
            let mut task = TaskTally::new(tid, Pid(1), Nanos::ZERO);
            (task.name, task.slot) = ((*name).to_owned(), Some(slot));
            tally.tasks.push(task);
            lock.visits.insert(tid, Visits { asked: *asked, got: *got, ..Visits::default() });
            let values = [("is".to_owned(), json!(is))].into();
            let row = Row { name: (*name).to_owned(), first: Nanos::ZERO, last: Nanos::ZERO, values };
            tally.tables.entry(TABLE.name.to_owned()).or_default().push(row);
            if let (Some(since), true) = (since, *is == WRITER) {
                lock.queue.push((tid, Nanos(since)));
            }
        }
        tally.locks.insert(PLACE.to_owned(), lock);
        tally
    }

    fn outcome(tally: &Tally) -> Values {
        Starvation.outcome(&Params::defaults(&SPEC), tally)
    }

    #[test]
    fn one_who_has_not_asked_cannot_have_been_kept_out() {
        for tally in [Tally::default(), tally(&[("A", WRITER, 0, 0), ("B", READER, 1, 1)], None)] {
            let values = outcome(&tally);
            assert_eq!((&values["writer_got_in"], &values["longest_wait_ns"]), (&Value::Null, &Value::Null));
        }
    }

    #[test]
    fn a_wait_that_lasts_counts_as_long_as_it_has_lasted() {
        let values = outcome(&tally(&[("A", WRITER, 1, 0), ("B", READER, 7, 7), ("C", READER, 8, 7)], Some(40)));
        assert_eq!((&values["writer_got_in"], &values["longest_wait_ns"]), (&json!(false), &json!(60)));
        assert_eq!((&values["reads"], &values["writes"]), (&json!(14), &json!(0)));
        assert_eq!(values["progress"], json!({"A": 0, "B": 7, "C": 7}));
    }

    #[test]
    fn the_longest_wait_is_kept_when_it_is_over() {
        let mut tally = tally(&[("A", WRITER, 2, 2), ("B", READER, 7, 7)], None);
        tally.tasks[0].values.insert(LONGEST.to_owned(), json!(33));
        let values = outcome(&tally);
        assert_eq!((&values["writer_got_in"], &values["longest_wait_ns"]), (&json!(true), &json!(33)));
        // It waits again, but not yet as long.
        tally.locks.get_mut(PLACE).expect("there").queue.push((Tid(10), Nanos(90)));
        assert_eq!(outcome(&tally)["longest_wait_ns"], json!(33));
    }

    #[test]
    fn a_c_library_without_the_choice_is_named() {
        let error = io::Error::from_raw_os_error(libc::ENOSYS);
        assert!(refused(Prefer::Writers, &error).to_string().contains("ENOSYS"));
        assert!(!refused(Prefer::Readers, &error).to_string().contains("glibc"));
    }
}
