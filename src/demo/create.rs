//! `create`: what it takes to make a thread or a process, to have it end, and to wait for it; with more and more memory in
//! the parent.
//!
//! For each size there is a parent of its own, a small process with so much memory resident, so that all are measured in the
//! same rounds.

mod memory;

use super::Demo;
use super::cost::{self, Cost, Resident};
use super::pace::{self, Cut};
use super::rounds::{self, Bench, Desk, Pair, Unit, Variant, figure, ratio_of, run_of};
use crate::fact::{
    As, BarsSpec, DemoSpec, Limits, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, TableSpec, Tally,
    Unavailable, Values,
};
use crate::stage::{Settings, Stage};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// See the module.
pub(super) struct Create;

/// What the rows begin with.
const THREAD: &str = "thread";
const FORK: &str = "fork";
const SPAWN: &str = "tiny program";
const PROGRAM: &str = "forklore";

/// Which part of a life is measured.
const PARTS: [&str; 2] = ["whole", "end"];

/// What is measured of which part.
const WHOLE: [(Cost, &str); 4] =
    [(Cost::Thread, THREAD), (Cost::Fork, FORK), (Cost::Spawn, SPAWN), (Cost::Program, PROGRAM)];
const END: [(Cost, &str); 2] = [(Cost::ThreadEnd, THREAD), (Cost::ForkEnd, FORK)];

fn kinds(part: &str) -> &'static [(Cost, &'static str)] {
    if part == PARTS[1] { &END } else { &WHOLE }
}

static RATIOS: TableSpec = rounds::ratio_table("how many times");
static BARS: BarsSpec = rounds::bars("costs", "each");

static SPEC: DemoSpec = DemoSpec {
    name: "create",
    title: "what a new thread takes, and a new process",
    part: "What it costs",
    about: "A small process makes threads, forks itself, and starts programs, each of which ends at once and is waited for; \
            all in turn, round after round, on one core. It does so with little memory of its own and with much. Threads are \
            those of the C library. What starting a program costs depends on the program: a tiny one of one page, and forklore.",
    params: &[
        rounds::param(200),
        ParamSpec {
            name: "resident_mib",
            kind: ParamKind::Ints { min: 0, max: 2048, most: 4, default: &[0, 64, 512] },
            help: "memory that the parent has written to",
        },
        ParamSpec {
            name: "part",
            kind: ParamKind::Choice(&PARTS),
            help: "from the making to the wait for the end; or the end alone",
        },
        ParamSpec { name: "huge_pages", kind: ParamKind::Flag(false), help: "that memory is in huge pages" },
    ],
    returns: &[
        ReturnSpec {
            name: "thread_ns",
            kind: ReturnKind::Nanos,
            help: "a thread, made and joined; the smallest parent",
        },
        ReturnSpec {
            name: "fork_ns",
            kind: ReturnKind::Nanos,
            help: "a fork, ended and waited for; the smallest parent",
        },
        ReturnSpec { name: "spawn_ns", kind: ReturnKind::Nanos, help: "a program of one page, started and waited for" },
        ReturnSpec { name: "program_ns", kind: ReturnKind::Nanos, help: "forklore itself, started and waited for" },
        ReturnSpec { name: "big_mib", kind: ReturnKind::Count, help: "the largest parent that was measured, in MiB" },
        ReturnSpec { name: "thread_big_ns", kind: ReturnKind::Nanos, help: "a thread of the largest parent" },
        ReturnSpec { name: "fork_big_ns", kind: ReturnKind::Nanos, help: "a fork of the largest parent" },
        ReturnSpec {
            name: "spawn_big_ns",
            kind: ReturnKind::Nanos,
            help: "a program of one page, by the largest parent",
        },
        ReturnSpec {
            name: "fork_by_thread",
            kind: ReturnKind::Number,
            help: "a fork by a thread; the smallest parent",
        },
        ReturnSpec { name: "fork_says", kind: ReturnKind::Word, help: "the verdict on it" },
        ReturnSpec { name: "spawn_by_thread", kind: ReturnKind::Number, help: "the tiny program by a thread" },
        ReturnSpec {
            name: "fork_big_by_thread",
            kind: ReturnKind::Number,
            help: "a fork by a thread; the largest parent",
        },
        ReturnSpec { name: "fork_big_says", kind: ReturnKind::Word, help: "the verdict on it" },
        ReturnSpec {
            name: "fork_growth",
            kind: ReturnKind::Number,
            help: "a fork of the largest parent by one of the smallest",
        },
        ReturnSpec { name: "spawn_growth", kind: ReturnKind::Number, help: "the same for the tiny program" },
        ReturnSpec { name: "thread_growth", kind: ReturnKind::Number, help: "the same for a thread" },
        ReturnSpec { name: "cheapest", kind: ReturnKind::Word, help: "what costs least with the largest parent" },
        ReturnSpec { name: "dearest", kind: ReturnKind::Word, help: "what costs most with the largest parent" },
        ReturnSpec { name: "figures", kind: ReturnKind::Table, help: "ns, low, high, rounds by kind and MiB" },
        ReturnSpec { name: "ratios", kind: ReturnKind::Table, help: "ratio, low, high, verdict of each comparison" },
        rounds::specs::ROUNDS,
        rounds::specs::LEFT_OUT,
        rounds::specs::OUTLIERS,
        rounds::specs::NOISE,
        ReturnSpec {
            name: "same",
            kind: ReturnKind::Number,
            help: "a thread by a thread: what the lab itself is off by",
        },
        rounds::specs::CPU,
    ],
    pictures: &[
        Picture::Bars(&BARS),
        Picture::Table(&RATIOS),
        Picture::Table(&rounds::RUN_TABLE),
        Picture::Curves(&rounds::HISTOGRAM),
        Picture::Curves(&rounds::SURE),
    ],
    controls: &[rounds::ENOUGH, rounds::MORE],
    unwatched: true,
    stays: true,
    check: |params| rounds::specs::rising(params, "resident_mib"),
    limits: |params| {
        let sizes: Vec<u64> = params.ints("resident_mib").iter().map(|mib| mib.unsigned_abs()).collect();
        let (sum, most) = (sizes.iter().sum::<u64>(), sizes.iter().max().copied().unwrap_or(0));
        // A child of the largest counts as much again while it lives.
        Limits { tree_mib: 768 + sum + most, process_mib: 1024 + most, ..Limits::DEFAULT }
    },
    ..DemoSpec::BASE
};

/// What the row of a kind for a parent of this size is called.
fn row(kind: &str, mib: i64) -> String {
    format!("{kind}, {mib} MiB")
}

/// The comparisons that the outcome asks for, by the sizes of the smallest and the largest parent.
fn compared(kind: &str, with: &str, mib: i64) -> String {
    format!("{kind} / {with}, {mib} MiB")
}

fn grown(kind: &str, small: i64, big: i64) -> String {
    format!("{kind}, {big} / {small} MiB")
}

impl Demo for Create {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        account(params, tally)
    }
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let sizes = params.ints("resident_mib");
    let cpu = rounds::settle(stage);
    let desk = Desk::new(sizes.len()).map_err(|refused| Unavailable::new("shared memory", refused.to_string()))?;
    let desk = Arc::new(desk);
    let kinds = kinds(params.word("part"));
    let (mut workers, mut places) = (Vec::new(), Vec::new());
    for mib in &sizes {
        let resident = Resident { mib: usize::try_from(*mib).unwrap_or(0), huge: params.flag("huge_pages") };
        places.push(match memory::short_of(resident.mib) {
            Some(why) => Err(why),
            None => {
                let (place, desk) = (workers.len(), Arc::clone(&desk));
                let settings = Settings { cpus: vec![cpu], ..Settings::default() };
                let costs: Vec<Cost> = kinds.iter().map(|(cost, _)| *cost).collect();
                workers.push(stage.enter(As::Processes, &settings, move |worker| {
                    cost::play(worker, &desk, place, &costs, &resident);
                })?);
                Ok(place)
            }
        });
    }
    let variants = variants(kinds, &sizes, &places);
    let pairs = pairs(&variants, &sizes);
    let mut bench = Bench::new(desk, vec![cpu], workers, variants, pairs);
    bench.twice(0);
    bench.run(stage, params.count("rounds"))
}

/// All kinds for each size; forklore for the first alone, since posix_spawn does not mind the parent's size.
fn variants(kinds: &[(Cost, &str)], sizes: &[i64], places: &[Result<usize, String>]) -> Vec<Variant> {
    let each = |what: usize, n: usize| {
        let (cost, kind) = kinds[what];
        Variant { row: row(kind, sizes[n]), place: places[n].clone(), what, most: cost.most(), unit: Unit::Nanos }
    };
    let of = |kind: &str| if kind == PROGRAM { 1 } else { sizes.len() };
    let counted = kinds.iter().enumerate().flat_map(|(what, (_, kind))| (0..of(kind)).map(move |n| (what, n)));
    let mut counted: Vec<(usize, usize)> = counted.collect();
    // A small screen shows the first rows only: what differs stands before what does not.
    counted.sort_by_key(|(what, n)| match (kinds[*what].1, n) {
        (THREAD, 0) => 0,
        (FORK, _) => 1,
        (SPAWN, _) => 2,
        (THREAD, _) => 3,
        _ => 4,
    });
    counted.into_iter().map(|(what, n)| each(what, n)).collect()
}

fn pairs(variants: &[Variant], sizes: &[i64]) -> Vec<Pair> {
    let (Some(small), Some(big)) = (sizes.first().copied(), sizes.last().copied()) else { return Vec::new() };
    let find = |row: &str| variants.iter().position(|variant| variant.row == row);
    let mut pairs = Vec::new();
    let mut pair = |name: String, a: String, b: String| {
        if let Some((a, b)) = find(&a).zip(find(&b)) {
            pairs.push(Pair { row: name, a, b });
        }
    };
    pair(compared(FORK, THREAD, small), row(FORK, small), row(THREAD, small));
    if big != small {
        for (n, mib) in sizes.iter().enumerate().skip(1) {
            pair(compared(FORK, THREAD, *mib), row(FORK, sizes[n]), row(THREAD, sizes[n]));
        }
    }
    pair(compared(SPAWN, THREAD, small), row(SPAWN, small), row(THREAD, small));
    for mib in sizes.iter().skip(1) {
        for kind in [FORK, SPAWN, THREAD] {
            pair(grown(kind, small, *mib), row(kind, *mib), row(kind, small));
        }
    }
    pairs
}

fn account(params: &Params, tally: &Tally) -> Values {
    let sizes = params.ints("resident_mib");
    let small = sizes.first().copied().unwrap_or(0);
    let known = |mib: &i64| !figure(tally, &row(FORK, *mib)).is_null();
    let big = sizes.iter().rev().find(|mib| known(mib)).copied();
    let nanos =
        |kind: &str, mib: Option<i64>| mib.map_or(Value::Null, |mib| figure(tally, &row(kind, mib))["ns"].clone());
    let of = |name: Option<String>, value: &str| name.map_or(Value::Null, |name| ratio_of(tally, &name)[value].clone());
    let larger = big.filter(|big| *big != small);
    let growth = |kind: &str| of(larger.map(|big| grown(kind, small, big)), "ratio");
    let at_big = |kind: &str| nanos(kind, big).as_f64().map(|ns| (ns, kind.to_owned()));
    let mut by_cost: Vec<(f64, String)> = [THREAD, FORK, SPAWN].into_iter().filter_map(at_big).collect();
    by_cost.sort_by(|a, b| a.0.total_cmp(&b.0));
    let word = |cost: Option<&(f64, String)>| json!(cost.map(|(_, kind)| kind));
    let all = |rows: &[crate::fact::Row], one: fn(&Tally, &str) -> Value| -> Value {
        Value::Object(rows.iter().map(|row| (row.name.clone(), one(tally, &row.name))).collect::<Map<_, _>>())
    };
    let (fork, fork_big) = (Some(compared(FORK, THREAD, small)), big.map(|big| compared(FORK, THREAD, big)));
    let run = ["rounds", "left_out", "outliers", "noise", "same", "cpu"].map(|name| (name, run_of(tally, name)));
    let values = [
        ("thread_ns", nanos(THREAD, Some(small))),
        ("fork_ns", nanos(FORK, Some(small))),
        ("spawn_ns", nanos(SPAWN, Some(small))),
        ("program_ns", nanos(PROGRAM, Some(small))),
        ("big_mib", json!(big)),
        ("thread_big_ns", nanos(THREAD, big)),
        ("fork_big_ns", nanos(FORK, big)),
        ("spawn_big_ns", nanos(SPAWN, big)),
        ("fork_by_thread", of(fork.clone(), "ratio")),
        ("fork_says", of(fork, "verdict")),
        ("spawn_by_thread", of(Some(compared(SPAWN, THREAD, small)), "ratio")),
        ("fork_big_by_thread", of(fork_big.clone(), "ratio")),
        ("fork_big_says", of(fork_big, "verdict")),
        ("fork_growth", growth(FORK)),
        ("spawn_growth", growth(SPAWN)),
        ("thread_growth", growth(THREAD)),
        ("cheapest", word(by_cost.first())),
        ("dearest", word(by_cost.last())),
        ("figures", all(tally.table(rounds::FIGURES), figure)),
        ("ratios", all(tally.table(rounds::RATIOS), ratio_of)),
    ];
    values.into_iter().chain(run).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Row};

    fn tally(figures: &[(&str, Value)], ratios: &[(&str, Value)]) -> Tally {
        let mut tally = Tally::default();
        let row = |(name, values): &(&str, Value)| Row {
            name: (*name).to_owned(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: serde_json::from_value(values.clone()).expect("an object"),
        };
        tally.tables.insert(rounds::FIGURES.to_owned(), figures.iter().map(row).collect());
        tally.tables.insert(rounds::RATIOS.to_owned(), ratios.iter().map(row).collect());
        tally
    }

    fn outcome(tally: &Tally) -> Values {
        Create.outcome(&Params::defaults(&SPEC), tally)
    }

    #[test]
    fn the_largest_parent_is_the_largest_that_was_measured() {
        let figures = [
            ("thread, 0 MiB", json!({"ns": 20_000, "low": 19_000, "high": 21_000, "rounds": 30})),
            ("thread, 64 MiB", json!({"ns": 20_100})),
            ("fork, 0 MiB", json!({"ns": 110_000})),
            ("fork, 64 MiB", json!({"ns": 1_900_000})),
            ("fork, 512 MiB", json!({"why": "too little memory"})),
            ("tiny program, 64 MiB", json!({"ns": 116_000})),
        ];
        let ratios = [
            ("fork / thread, 0 MiB", json!({"ratio": 5.4, "low": 5.2, "high": 5.6, "verdict": "more"})),
            ("fork / thread, 64 MiB", json!({"ratio": 95.0, "low": 90.0, "high": 99.0, "verdict": "more"})),
            ("fork, 64 / 0 MiB", json!({"ratio": 17.0})),
        ];
        let values = outcome(&tally(&figures, &ratios));
        assert_eq!((&values["thread_ns"], &values["fork_big_ns"]), (&json!(20_000), &json!(1_900_000)));
        assert_eq!((&values["big_mib"], &values["fork_growth"]), (&json!(64), &json!(17.0)));
        assert_eq!((&values["fork_says"], &values["fork_big_by_thread"]), (&json!("more"), &json!(95.0)));
        assert_eq!((&values["cheapest"], &values["dearest"]), (&json!("thread"), &json!("fork")));
        assert_eq!(values["figures"]["fork, 512 MiB"], Value::Null);
        assert_eq!(values["figures"]["thread, 0 MiB"]["high"], json!(21_000));
    }

    #[test]
    fn before_the_first_round_nothing_is_known() {
        let values = outcome(&tally(&[("thread, 0 MiB", json!({"note": "warming up"}))], &[]));
        let names = ["thread_ns", "big_mib", "fork_says", "fork_growth", "cheapest", "rounds", "noise"];
        assert!(names.iter().all(|name| values[*name] == Value::Null), "{values:?}");
    }

    #[test]
    fn every_comparison_has_its_two_variants() {
        let sizes = [0, 64, 512];
        let places = [Ok(0), Ok(1), Err("short".to_owned())];
        let variants = variants(&WHOLE, &sizes, &places);
        let pairs = pairs(&variants, &sizes);
        assert_eq!((variants.len(), pairs.len()), (10, 10));
        let named = |n: usize| variants[n].row.as_str();
        assert_eq!((named(pairs[0].a), named(pairs[0].b)), ("fork, 0 MiB", "thread, 0 MiB"));
        assert_eq!(variants.iter().filter(|v| v.place.is_err()).count(), 3);
    }

    #[test]
    fn of_the_end_there_are_two_kinds() {
        let variants = variants(&END, &[0, 64], &[Ok(0), Ok(1)]);
        let named: Vec<&str> = variants.iter().map(|v| v.row.as_str()).collect();
        assert_eq!(named, ["thread, 0 MiB", "fork, 0 MiB", "fork, 64 MiB", "thread, 64 MiB"]);
        assert_eq!(pairs(&variants, &[0, 64]).len(), 4);
    }

    #[test]
    fn sizes_rise() {
        let read = |word: &str| Params::from_words(&SPEC, &[word]);
        assert!(read("resident_mib=0,8").is_ok());
        assert!(
            read("resident_mib=8,0").is_err() && read("resident_mib=").is_err() && read("resident_mib=1,1").is_err()
        );
    }
}
