//! A worker that walks, moves when it is told to, and tells how long the walks took; and what all of that comes to.

use super::walk::{self, Path};
use super::{KINDS, MOVED, STAYED, TRIPS};
use crate::demo::spread::{Spread, two};
use crate::fact::{Cpu, Fact, Nanos, Tally, Unavailable, Values};
use crate::stage::Worker;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// Walks that are looked at one by one after a move, and before it.
const WALKS: usize = 12;

/// Moves, and stays, without which nothing is said.
const LEAST: usize = 5;

/// The first walk takes as long after a move as after staying: up to this much more or less, as a share.
const ALIKE: f64 = 0.15;

/// Quartiles of the control farther apart than this share of its median: something else disturbed it.
const APART: f64 = 0.5;

/// The order to go to the next core, or to stay. Each has a number of its own.
pub(super) fn order(number: u64, to_another: bool) -> u64 {
    number * 2 + u64::from(to_another)
}

/// What an order adds to a worker's counter: the walk that it was on, those before the call and those after it.
pub(super) fn beats(kib: usize) -> u64 {
    (2 * WALKS as u64 + 1) * walk::beats(kib)
}

/// What became of one order: how long the walks took before it and after it.
#[derive(Debug, Clone, PartialEq)]
struct Trip {
    moved: bool,
    before: Vec<f64>,
    after: Vec<f64>,
}

/// A worker on its way.
pub(super) struct Traveller<'w> {
    worker: &'w Worker,
    cpus: Vec<Cpu>,
    here: usize,
    path: Path,
    /// It is the one whose walks are drawn.
    speaks: bool,
    trips: Vec<Trip>,
}

impl<'w> Traveller<'w> {
    pub(super) fn new(worker: &'w Worker, cpus: Vec<Cpu>, here: usize, kib: usize, speaks: bool) -> Self {
        Self { worker, cpus, here, path: Path::new(kib), speaks, trips: Vec::new() }
    }

    /// Walks until it is told to leave.
    pub(super) fn travel(mut self) {
        let mut pulse = self.worker.pulse();
        let (mut known, mut core, mut migrations) = (0, rustix::thread::sched_getcpu(), 0_u64);
        loop {
            let order = self.worker.order();
            if order == Worker::HALT {
                return;
            }
            if order == known {
                self.path.walk(&mut pulse);
                continue;
            }
            known = order;
            // Who gave the order has just run, perhaps on this very core: first the memory is made warm again.
            let before: Vec<Nanos> = (0..WALKS).map(|_| self.path.walk(&mut pulse)).collect();
            if let Some(moved) = self.depart(order % 2 == 1) {
                let after: Vec<Nanos> = (0..WALKS).map(|_| self.path.walk(&mut pulse)).collect();
                migrations += u64::from(arrived(&mut core));
                self.tell("migrations", json!(migrations));
                self.arrive(moved, &before, &after);
            }
        }
    }

    /// The call that moves, or that leaves all as it is; none if the kernel refuses it.
    fn depart(&mut self, to_another: bool) -> Option<bool> {
        let next = if to_another { (self.here + 1) % self.cpus.len() } else { self.here };
        let cpu = *self.cpus.get(next)?;
        let mut set = CpuSet::new();
        let done = set.set(cpu.0 as usize).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
        if let Err(error) = done {
            let why = format!("the kernel refused it ({error})");
            self.worker.tell(Fact::Refused(Unavailable::new(format!("a move to core {}", cpu.0), why)));
            return None;
        }
        self.here = next;
        Some(to_another)
    }

    fn arrive(&mut self, moved: bool, before: &[Nanos], after: &[Nanos]) {
        if moved {
            let cpus = self.cpus.get(self.here).map(|cpu| vec![*cpu]);
            self.worker.tell(Fact::Setting { tid: self.worker.tid(), nice: None, cpus });
        }
        let numbers = |walks: &[Nanos]| walks.iter().map(|n| float(*n)).collect::<Vec<f64>>();
        let trip = Trip { moved, before: numbers(before), after: numbers(after) };
        let name = format!("{} {}", self.worker.name(), self.trips.len() + 1);
        self.worker.tell(Fact::Row { table: TRIPS.to_owned(), row: name, values: trip.values() });
        self.trips.push(trip);
        if self.speaks {
            self.show(moved);
        }
    }

    /// Tells how the walks of this kind have come out so far, and those before a move.
    fn show(&self, moved: bool) {
        let of_kind = || self.trips.iter().filter(|trip| trip.moved == moved);
        let (row, curve) = if moved { ("first after a move", MOVED) } else { ("first after staying", STAYED) };
        self.row(row, &of_kind().filter_map(|t| t.after.first().copied()).collect::<Vec<_>>());
        let before: Vec<f64> = self.trips.iter().filter_map(|t| Spread::of(&t.before)).map(|s| s.median).collect();
        self.row("before either", &before);
        for (x, n) in (1_u32..).zip(0..WALKS) {
            let walks: Vec<f64> = of_kind().filter_map(|t| t.after.get(n).copied()).collect();
            if let Some(spread) = Spread::of(&walks) {
                self.worker.tell(Fact::Point { curve: curve.to_owned(), x: f64::from(x), y: spread.median.round() });
            }
        }
    }

    fn row(&self, name: &str, walks: &[f64]) {
        let Some(spread) = Spread::of(walks) else { return };
        let half = format!("{} – {}", nanos(spread.low), nanos(spread.high));
        let values = [("count", json!(walks.len())), ("median", whole(spread.median)), ("half", json!(half))];
        let values = values.map(|(name, value)| (name.to_owned(), value)).into();
        self.worker.tell(Fact::Row { table: KINDS.to_owned(), row: name.to_owned(), values });
    }

    fn tell(&self, name: &str, value: Value) {
        self.worker.tell(Fact::Value { tid: self.worker.tid(), name: name.to_owned(), value });
    }
}

/// Whether this thread is on another core than it was.
fn arrived(core: &mut usize) -> bool {
    let here = rustix::thread::sched_getcpu();
    std::mem::replace(core, here) != here
}

#[expect(clippy::cast_precision_loss, reason = "a time far below 2^53 ns")]
fn float(n: Nanos) -> f64 {
    n.0 as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of some microseconds")]
fn nanos(n: f64) -> Nanos {
    Nanos(n.max(0.0).round() as u64)
}

fn whole(n: f64) -> Value {
    json!(nanos(n).0)
}

impl Trip {
    fn values(&self) -> Values {
        [
            ("kind", json!(if self.moved { "move" } else { "stay" })),
            ("first", json!(self.after.first().map(|n| nanos(*n).0))),
            ("before", json!(Spread::of(&self.before).map(|s| nanos(s.median).0))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// What all orders came to.
#[derive(Debug, Default)]
pub(super) struct Totals {
    moves: Vec<f64>,
    stays: Vec<f64>,
    before: Vec<f64>,
}

impl Totals {
    /// As the workers told it.
    pub(super) fn told(tally: &Tally) -> Self {
        let mut totals = Self::default();
        for row in tally.table(TRIPS) {
            let number = |name: &str| row.values.get(name).and_then(Value::as_f64);
            let kind = row.values.get("kind").and_then(Value::as_str);
            match (kind, number("first")) {
                (Some("move"), Some(first)) => totals.moves.push(first),
                (Some("stay"), Some(first)) => totals.stays.push(first),
                _ => continue,
            }
            totals.before.extend(number("before"));
        }
        totals
    }

    /// The first walk after a move, as so many times the first one after staying: each move by itself.
    fn ratio(&self) -> Option<Spread> {
        let stay = Spread::of(&self.stays).filter(|s| s.median > 0.0)?.median;
        Spread::of(&self.moves.iter().map(|first| first / stay).collect::<Vec<_>>())
    }

    fn verdict(&self) -> Option<&'static str> {
        let ratio = self.ratio()?;
        let enough = self.moves.len() >= LEAST && self.stays.len() >= LEAST;
        let disturbed = Spread::of(&self.stays).is_none_or(|s| s.width() > APART);
        Some(match ratio {
            _ if !enough || disturbed => "inconclusive",
            r if r.low > 1.0 + ALIKE => "slower",
            r if r.high <= 1.0 + ALIKE && r.low >= 1.0 - ALIKE => "no difference",
            _ => "inconclusive",
        })
    }

    /// The values of the outcome that come from the walks.
    pub(super) fn values(&self) -> Vec<(&'static str, Value)> {
        let median = |walks: &[f64]| Spread::of(walks).map_or(Value::Null, |s| whole(s.median));
        let verdict = self.verdict();
        let ratio = self.ratio();
        let sure = ratio.filter(|_| verdict.is_some_and(|v| v != "inconclusive"));
        vec![
            ("moves", json!(self.moves.len())),
            ("stays", json!(self.stays.len())),
            ("cold_first_turn", median(&self.moves)),
            ("warm_turn_ns", median(&self.before)),
            ("stay_turn_ns", median(&self.stays)),
            ("cold_to_warm", json!(sure.map(|r| two(r.median)))),
            ("spread", json!(ratio.map(|r| format!("{:.2} – {:.2}", r.low, r.high)))),
            ("verdict", json!(verdict)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Row;

    fn totals(moves: &[f64], stays: &[f64]) -> Totals {
        let mut tally = Tally::default();
        let trip =
            |moved, first: f64| Trip { moved, before: vec![10_000.0, 9_000.0, 12_000.0], after: vec![first, 1.0] };
        let trips = moves.iter().map(|n| trip(true, *n)).chain(stays.iter().map(|n| trip(false, *n)));
        let row = |(n, trip): (usize, Trip)| Row {
            name: format!("A {n}"),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: trip.values(),
        };
        tally.tables.insert(TRIPS.to_owned(), trips.enumerate().map(row).collect());
        Totals::told(&tally)
    }

    fn value(totals: &Totals, name: &str) -> Value {
        totals.values().into_iter().find(|(n, _)| *n == name).map(|(_, value)| value).expect(name)
    }

    #[test]
    fn the_first_walk_is_compared_with_that_of_who_stayed() {
        let stays = [10_000.0, 10_500.0, 9_500.0, 10_000.0, 11_000.0];
        let slower = totals(&[30_000.0, 35_000.0, 25_000.0, 30_000.0, 31_000.0], &stays);
        assert_eq!((value(&slower, "verdict"), value(&slower, "cold_to_warm")), (json!("slower"), json!(3.0)));
        assert_eq!((value(&slower, "cold_first_turn"), value(&slower, "stay_turn_ns")), (json!(30_000), json!(10_000)));
        assert_eq!((value(&slower, "warm_turn_ns"), value(&slower, "spread")), (json!(10_000), json!("3.00 – 3.10")));
        assert_eq!((value(&slower, "moves"), value(&slower, "stays")), (json!(5), json!(5)));
        let alike = totals(&[10_100.0, 10_200.0, 10_300.0, 9_900.0, 10_000.0], &stays);
        assert_eq!((value(&alike, "verdict"), value(&alike, "cold_to_warm")), (json!("no difference"), json!(1.01)));
    }

    #[test]
    fn what_is_not_sure_has_no_ratio() {
        let stays = [10_000.0, 10_500.0, 9_500.0, 10_000.0, 11_000.0];
        for (why, totals) in [
            ("too few", totals(&[30_000.0; 4], &stays)),
            ("now so, now so", totals(&[10_000.0, 30_000.0, 10_000.0, 30_000.0, 10_000.0], &stays)),
            (
                "a control that was disturbed",
                totals(&[30_000.0; 5], &[10_000.0, 30_000.0, 10_000.0, 30_000.0, 10_000.0]),
            ),
        ] {
            let found = (value(&totals, "verdict"), value(&totals, "cold_to_warm"));
            assert_eq!(found, (json!("inconclusive"), Value::Null), "{why}");
            assert!(value(&totals, "cold_first_turn").is_u64(), "{why}: what was measured is told");
        }
    }

    #[test]
    fn on_one_core_nobody_moves() {
        let totals = totals(&[], &[10_000.0; 6]);
        assert_eq!((value(&totals, "verdict"), value(&totals, "cold_first_turn")), (Value::Null, Value::Null));
        assert_eq!((value(&totals, "stay_turn_ns"), value(&totals, "moves")), (json!(10_000), json!(0)));
    }
}
