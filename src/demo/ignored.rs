//! `ignored`: a record that all change under one lock, and one passenger that does not take the lock. Both halves of the
//! record are atomic words, so nobody ever reads half a number; what breaks is that they belong together.

use super::Demo;
use super::area::Area;
use super::arenas;
use super::pace::{self, Cut};
use super::posix::{Kind, Mutex};
use super::train::{self, After, Attendant, Passenger, Roll, Ticket};
use crate::fact::{
    As, ColumnSpec, DemoSpec, Fact, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, TableSpec, Tally,
    Unavailable, Values,
};
use crate::stage::{Settings, Stage, Worker};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

/// See the module.
pub(super) struct Ignored;

/// What the lock is called, and where somebody is who has not asked for it.
const PLACE: &str = "record";
const UNASKED: &str = "without the lock";

static RECORD: TableSpec = TableSpec {
    name: "changes",
    head: "worker",
    columns: &[
        ColumnSpec { value: "lock", head: "lock", kind: ReturnKind::Word },
        ColumnSpec { value: "changes", head: "visits", kind: ReturnKind::Count },
        ColumnSpec { value: "half", head: "half-done", kind: ReturnKind::Count },
        ColumnSpec { value: "under", head: "overwritten", kind: ReturnKind::Count },
        ColumnSpec { value: "saw", head: "last found", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "ignored",
    title: "one that does not take the lock",
    part: "Sharing without tears",
    about: "Workers change a record of two halves, always both, under a lock. The last of them does the same without the lock: \
            nothing stops it. Those who hold the lock look whether the halves agree.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 2, max: 8, default: 3, unit: "" },
            help: "how many change the record",
        },
        ParamSpec {
            name: "hold",
            kind: ParamKind::Int { min: 1, max: 1000, default: 20, unit: "ms" },
            help: "from one half to the other",
        },
        ParamSpec { name: "ignores", kind: ParamKind::Flag(true), help: "whether the last one leaves out the lock" },
    ],
    returns: &[
        ReturnSpec {
            name: "corrupted",
            kind: ReturnKind::Count,
            help: "visits with the lock that found the record half-done, or overwritten meanwhile",
        },
        ReturnSpec { name: "visits", kind: ReturnKind::Count, help: "visits with the lock" },
        ReturnSpec { name: "unasked", kind: ReturnKind::Count, help: "visits without it" },
        ReturnSpec { name: "together", kind: ReturnKind::Count, help: "the most that changed it at a time" },
        ReturnSpec { name: "max_inside", kind: ReturnKind::Count, help: "the most that had the lock at a time" },
    ],
    pictures: &[Picture::Log(&RECORD), Picture::Queue, Picture::Lanes],
    controls: &[pace::SLOWER, pace::FASTER, train::KILL],
    lasts_ms: |_| 4000,
    limits: arenas::room,
    ..DemoSpec::BASE
};

impl Demo for Ignored {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        train::arrive(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let rows = || tally.table(RECORD.name).iter();
        let number = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or(0);
        let asks = |row: &&crate::fact::Row| row.values.get("lock") == Some(&json!(ASKS));
        let sum = |name: &str| rows().filter(asks).map(|row| number(row.values.get(name))).sum::<u64>();
        let unasked = rows().filter(|row| !asks(row)).map(|row| number(row.values.get("changes"))).sum::<u64>();
        let together = rows().filter_map(|row| row.values.get("together")?.as_u64()).max();
        [
            ("corrupted", json!(sum("corrupted"))),
            ("visits", json!(sum("changes"))),
            ("unasked", json!(unasked)),
            ("together", together.map_or(Value::Null, |most| json!(most))),
            ("max_inside", json!(tally.locks.get(PLACE).map_or(0, |lock| lock.most_inside))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// What a row says of the lock.
const ASKS: &str = "takes it";
const IGNORES: &str = "does not";

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let lock = Mutex::new(Kind::Plain).map_err(|error| Unavailable::new("a mutex", error.to_string()))?;
    let record = Area::shared(1).map_err(|error| Unavailable::new("the record", error.to_string()))?;
    let roll = Arc::new(Roll::new().map_err(|error| Unavailable::new("the roll", error.to_string()))?);
    let common = Arc::new((lock, record));
    let (passengers, hold) = (params.count("workers"), params.int("hold").unsigned_abs());
    for number in 0..passengers {
        let common = Arc::clone(&common);
        let ticket = Ticket { roll: Arc::clone(&roll), number, passengers, doomed: false };
        let lock = !params.flag("ignores") || number + 1 < passengers;
        let entered = stage.enter(params.workers_as(), &Settings::default(), move |worker| {
            part(worker, lock.then_some(&common.0), &Record(&common.1), &ticket, hold);
        })?;
        // Rows keep the order in which they came: that of the letters, whoever is first at the record.
        let name = stage.cast().get(entered).map(|entry| entry.name.clone()).unwrap_or_default();
        stage.tell(super::script::row(RECORD.name, &name, json!({ "lock": if lock { ASKS } else { IGNORES } })));
    }
    Attendant { roll, place: PLACE, passengers, victim: false, after: After::Unknown }.travel(stage, params.int("hold"))
}

/// Two words that belong together: they are the same, or the record is half-done.
struct Record<'a>(&'a Area);

impl Record<'_> {
    fn half(&self, n: usize) -> &AtomicU64 {
        self.0.word_of(0, n)
    }

    fn read(&self) -> (u64, u64) {
        (self.half(0).load(SeqCst), self.half(1).load(SeqCst))
    }

    /// Changes both halves to `to`, with `between` between the two. What the record was before, and whether all of this was
    /// left alone meanwhile.
    fn change(&self, to: u64, between: impl FnOnce()) -> ((u64, u64), bool) {
        let before = self.read();
        self.half(0).store(to, SeqCst);
        between();
        let alone = self.read() == (to, before.1);
        self.half(1).store(to, SeqCst);
        (before, alone && self.read() == (to, to))
    }
}

/// What one worker has found.
#[derive(Debug, Default)]
struct Found {
    changes: u64,
    half: u64,
    under: u64,
    corrupted: u64,
    together: usize,
    saw: Option<(u64, u64)>,
}

impl Found {
    fn row(&self, worker: &Worker, asks: bool) -> Fact {
        let values = json!({
            "lock": if asks { ASKS } else { IGNORES },
            "changes": self.changes,
            "half": self.half,
            "under": self.under,
            "corrupted": self.corrupted,
            "together": self.together,
            "saw": self.saw.map(|(first, second)| format!("{first} and {second}")),
        });
        super::script::row(RECORD.name, worker.name(), values)
    }
}

/// A worker's part: in, change both halves, out, sit for a while. With the lock, if it asks for one.
fn part(worker: &Worker, lock: Option<&Mutex>, record: &Record<'_>, ticket: &Ticket, hold: u64) {
    let mut passenger = Passenger::new(worker);
    let mut found = Found::default();
    loop {
        let got = match lock {
            Some(lock) => passenger.ask(PLACE, || lock.try_lock().is_ok(), || lock.lock().is_ok()),
            None => passenger.enter(UNASKED),
        };
        if !got {
            return;
        }
        // A number that nobody else writes.
        let to = ticket.roll.enter(ticket.number, worker.tid());
        let mut on = true;
        let (before, alone) = record.change(to, || on = passenger.rest(hold, 4));
        found.changes += 1;
        found.together = found.together.max(ticket.roll.inside(ticket.passengers).count());
        let half = before.0 != before.1;
        found.half += u64::from(half);
        found.under += u64::from(!alone);
        found.corrupted += u64::from(half || !alone);
        if half {
            found.saw = Some(before);
        }
        passenger.give_back(if lock.is_some() { PLACE } else { UNASKED }, || {
            ticket.leave();
            lock.map(Mutex::unlock);
        });
        worker.tell(found.row(worker, lock.is_some()));
        if !on || !passenger.rest(hold, 2) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Row};

    #[test]
    fn a_change_that_another_breaks_into_is_noticed() {
        let area = Area::shared(1).expect("a memfd");
        let record = Record(&area);
        assert_eq!(record.change(1, || ()), ((0, 0), true));
        // Another does the whole of its change between our two halves, or only begins it.
        let breaks_in = || assert_eq!(record.change(3, || ()), ((2, 1), true));
        assert_eq!(record.change(2, breaks_in), ((1, 1), false));
        assert_eq!(record.read(), (3, 2), "and the record is left half-done");
        assert_eq!(record.change(4, || record.half(0).store(5, SeqCst)), ((3, 2), false));
        assert_eq!(record.change(6, || ()), ((5, 4), true));
        assert_eq!(record.read(), (6, 6), "the next one who is left alone makes it whole");
    }

    #[test]
    fn what_the_one_without_the_lock_found_does_not_count() {
        let mut tally = Tally::default();
        let row = |(name, values): (&str, Value)| Row {
            name: name.to_owned(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: serde_json::from_value(values).expect("an object"),
        };
        let rows = [
            ("A", json!({"lock": ASKS, "changes": 9, "corrupted": 4, "together": 2})),
            ("B", json!({"lock": IGNORES, "changes": 7, "corrupted": 7, "together": 2})),
        ];
        tally.tables.insert(RECORD.name.to_owned(), rows.map(row).into());
        let values = Ignored.outcome(&Params::defaults(&SPEC), &tally);
        assert_eq!([&values["corrupted"], &values["visits"], &values["unasked"]], [&json!(4), &json!(9), &json!(7)]);
        assert_eq!(values["together"], json!(2));
    }
}
