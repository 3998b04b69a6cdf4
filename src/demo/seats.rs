//! `seats`: trains with one free seat each, and clerks who look whether it is free and then sell it. Every access is atomic, so
//! there is no data race; and a seat may be sold twice all the same.
//!
//! What is shared is one word a train: how many tickets its seat was sold for. Sequential consistency, the strongest order there
//! is, does not help: between the look and the sale there is time for another.

use super::Demo;
use super::area::Area;
use super::arenas;
use super::meeting::{LINE, Meeting};
use super::pace::{self, Cut, Pace};
use super::script;
use crate::fact::{
    CountsSpec, DemoSpec, Fact, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Tally, Unavailable,
    Values,
};
use crate::stage::{Cue, Settings, Stage, Worker};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Seats;

/// Seats that are free in each train.
const FREE: u64 = 1;

/// How long they may take; then to leave; and to leave when the learner has seen enough.
const BUDGET: Duration = Duration::from_secs(10);
const PATIENCE: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(1)];

/// How often it is told.
const TELL: Duration = Duration::from_millis(100);

/// How long the result stays, in milliseconds.
const STAY_MS: i64 = 1000;

/// The order to begin.
const SELL: u64 = 1;

static SOLD: CountsSpec = CountsSpec { name: "seats", table: "seats", head: "seat", of: "trains", count: "trains" };

static SPEC: DemoSpec = DemoSpec {
    name: "seats",
    title: "the last seat, sold twice",
    part: "Sharing without tears",
    about: "In each of many trains one seat is free. Clerks look whether it is, and if so sell it. All that they share is read and \
            written by atomic operations: no data race. How many seats are sold more than once?",
    params: &[
        ParamSpec { name: "as", kind: ParamKind::Choice(&["threads", "processes"]), help: "what the clerks are" },
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 2, max: 8, default: 2, unit: "" },
            help: "how many clerks",
        },
        ParamSpec {
            name: "trains",
            kind: ParamKind::Int { min: 1, max: 100_000, default: 50_000, unit: "" },
            help: "how many trains with one free seat, at most; after 10 s all stop",
        },
        ParamSpec {
            name: "sale",
            kind: ParamKind::Choice(&["check-then-act", "compare-and-swap"]),
            help: "look and sell in two steps, or in one",
        },
    ],
    returns: &[
        ReturnSpec {
            name: "seats",
            kind: ReturnKind::Count,
            help: "seats that there were, in trains that all clerks have seen",
        },
        ReturnSpec { name: "sold", kind: ReturnKind::Count, help: "tickets that were sold for them" },
        ReturnSpec { name: "oversold", kind: ReturnKind::Count, help: "tickets beyond the seats" },
    ],
    pictures: &[Picture::Counts(&SOLD), Picture::Cards, Picture::Lanes],
    limits: arenas::room,
    ..DemoSpec::BASE
};

impl Demo for Seats {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let number = |row: &crate::fact::Row, name: &str| row.values.get(name).and_then(Value::as_u64);
        let rows = || tally.table(SOLD.table).iter();
        let seats: u64 = rows().filter_map(|row| number(row, SOLD.count)).sum::<u64>() * FREE;
        let sold: u64 = rows().filter_map(|row| Some(number(row, SOLD.count)? * number(row, "at")?)).sum();
        let known = |n: u64| if seats > 0 { json!(n) } else { Value::Null };
        [("seats", known(seats)), ("sold", known(sold)), ("oversold", known(sold.saturating_sub(seats)))]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }
}

/// What the clerks have in common: the tickets of each train, and where they meet before each.
#[derive(Debug)]
struct Counter {
    tickets: Area,
    meeting: Meeting,
    trains: usize,
    at_once: bool,
}

impl Counter {
    fn new(trains: usize, clerks: usize, at_once: bool) -> std::io::Result<Self> {
        let tickets = Area::shared(trains.div_ceil(Self::on_a_page()))?;
        Ok(Self { tickets, meeting: Meeting::new(clerks)?, trains, at_once })
    }

    /// Trains on a page: each is alone on its lines of cache.
    fn on_a_page() -> usize {
        rustix::param::page_size() / size_of::<u64>() / LINE
    }

    fn tickets(&self, train: usize) -> &AtomicU64 {
        self.tickets.word_of(train / Self::on_a_page(), train % Self::on_a_page() * LINE)
    }

    /// A clerk's part.
    fn serve(&self, clerk: usize, worker: &Worker) {
        if worker.wait(0, Duration::MAX) != SELL {
            return;
        }
        let mut sold = 0;
        self.meeting.each(clerk, self.trains, worker, |train| {
            let tickets = self.tickets(train);
            sold += u64::from(if self.at_once { sell_at_once(tickets) } else { sell(tickets) });
            worker.set_work(sold);
        });
    }
}

/// Check, then act: each is atomic, the two together are not. Whether a ticket was sold.
fn sell(tickets: &AtomicU64) -> bool {
    let free = tickets.load(SeqCst) < FREE;
    if free {
        tickets.fetch_add(1, SeqCst);
    }
    free
}

/// Check and act in one: the ticket is sold only if nothing was sold since the look.
fn sell_at_once(tickets: &AtomicU64) -> bool {
    let mut known = tickets.load(SeqCst);
    while known < FREE {
        match tickets.compare_exchange(known, known + 1, SeqCst, SeqCst) {
            Ok(_) => return true,
            Err(now) => known = now,
        }
    }
    false
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let clerks = params.count("workers");
    let counter = Counter::new(params.count("trains"), clerks, params.word("sale") == "compare-and-swap");
    let counter = Arc::new(counter.map_err(|error| Unavailable::new("the shared seats", error.to_string()))?);
    for clerk in 0..clerks {
        let cpu = stage.cpus().get(clerk % stage.cpus().len().max(1)).copied();
        let settings = Settings { cpus: cpu.into_iter().collect(), nice: 0 };
        let counter = Arc::clone(&counter);
        stage.enter(params.workers_as(), &settings, move |worker| counter.serve(clerk, worker))?;
    }
    (0..clerks).for_each(|clerk| stage.order(clerk, SELL));
    let (begun, mut told) = (Instant::now(), None::<Instant>);
    let (mut counted, mut finish, mut stopped) = (Counted::default(), false, None::<Instant>);
    while stage.on().next().is_some() {
        finish |= stage.next(Some(Duration::from_millis(10))) == Cue::Finish;
        if stopped.is_none() && (finish || begun.elapsed() > BUDGET) {
            stopped = Some(Instant::now());
            counter.meeting.stop();
        }
        if stopped.is_some_and(|stopped| stopped.elapsed() > PATIENCE[usize::from(finish)]) {
            let late = Unavailable::new("the end of the sale", "a clerk does not come to an end");
            return Err(if finish { Cut::Finish } else { late.into() });
        }
        if told.is_none_or(|told| told.elapsed() >= TELL) {
            told = Some(Instant::now());
            counted.take(&counter);
            counted.tell(stage);
        }
    }
    counted.take(&counter);
    counted.tell(stage);
    if finish {
        return Err(Cut::Finish);
    }
    stage.tell(Fact::settled());
    Pace::new(STAY_MS).rest(stage)
}

/// How many trains sold their seat so often.
#[derive(Debug, Default)]
struct Counted {
    done: u64,
    trains: std::collections::BTreeMap<u64, u64>,
}

impl Counted {
    fn take(&mut self, counter: &Counter) {
        self.take_until(counter, counter.meeting.done());
    }

    fn take_until(&mut self, counter: &Counter, done: u64) {
        for train in self.done..done {
            let Ok(train) = usize::try_from(train) else { return };
            *self.trains.entry(counter.tickets(train).load(SeqCst)).or_default() += 1;
        }
        self.done = done;
    }

    fn tell(&self, stage: &mut Stage) {
        for (sold, trains) in &self.trains {
            let name = match sold {
                1 => "sold once".to_owned(),
                2 => "sold twice".to_owned(),
                n => format!("sold {n} times"),
            };
            let note = (*sold == FREE).then_some("right");
            stage.tell(script::row(SOLD.table, &name, json!({ "at": sold, SOLD.count: trains, "note": note })));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Row};

    #[test]
    fn one_clerk_sells_a_seat_once_either_way() {
        for way in [sell, sell_at_once] {
            let tickets = AtomicU64::new(0);
            assert_eq!((way(&tickets), way(&tickets), tickets.into_inner()), (true, false, 1));
        }
    }

    #[test]
    fn in_one_step_a_seat_is_sold_once_however_many_clerks() {
        let tickets: Vec<AtomicU64> = (0..20_000).map(|_| AtomicU64::new(0)).collect();
        let sold: usize = std::thread::scope(|scope| {
            let clerk = || tickets.iter().filter(|train| sell_at_once(train)).count();
            let clerks = [scope.spawn(clerk), scope.spawn(clerk), scope.spawn(clerk)];
            clerks.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert!(tickets.iter().all(|train| train.load(SeqCst) == 1));
        assert_eq!(sold, tickets.len());
    }

    #[test]
    fn a_train_counts_once() {
        let counter = Counter::new(10, 2, false).expect("shared memory");
        (0..10).for_each(|train| counter.tickets(train).store(if train == 3 { 2 } else { 1 }, SeqCst));
        let mut counted = Counted::default();
        counted.take(&counter);
        assert_eq!(counted.done, 0, "no clerk is through with any");
        for done in [2, 5, 5] {
            counted.take_until(&counter, done);
        }
        assert_eq!((counted.done, counted.trains), (5, [(1, 4), (2, 1)].into()));
    }

    #[test]
    fn tickets_beyond_the_seats_are_oversold() {
        let mut tally = Tally::default();
        let values = |tally: &Tally| Seats.outcome(&Params::defaults(&SPEC), tally);
        assert!(values(&tally).values().all(Value::is_null));
        let row = |name: &str, at: u64, trains: u64| Row {
            name: name.to_owned(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: [("at".to_owned(), json!(at)), ("trains".to_owned(), json!(trains))].into(),
        };
        tally.tables.insert(SOLD.table.to_owned(), vec![row("sold once", 1, 90), row("sold twice", 2, 10)]);
        let values = values(&tally);
        assert_eq!((&values["seats"], &values["sold"], &values["oversold"]), (&json!(100), &json!(110), &json!(10)));
    }
}
