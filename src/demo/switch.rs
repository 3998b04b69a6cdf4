//! `switch`: what it takes to go from one thread to another, from one process to another, and from one coroutine to another;
//! on one core, with and without memory that each of the two works on.

use super::Demo;
use super::cost::{self, By, Cost, Resident};
use super::pace::{self, Cut};
use super::rounds::{self, Bench, Desk, Pair, Unit, Variant, figure, ratio_of, run_of};
use crate::fact::{
    As, BarsSpec, DemoSpec, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, TableSpec, Tally,
    Unavailable, Values,
};
use crate::stage::{Settings, Stage};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// See the module.
pub(super) struct Switch;

static RATIOS: TableSpec = rounds::ratio_table("process / thread");
static BARS: BarsSpec = rounds::bars("costs", "one switch");

static SPEC: DemoSpec = DemoSpec {
    name: "switch",
    title: "from one thread to another, and from one process to another",
    part: "What it costs",
    about: "Two threads wake each other in turn, on one core, by a futex or by a pipe; two processes do the same, by the same \
            calls; two coroutines hand over to each other. Before each handing over, either writes to a working set of its own. \
            A switch is half a round trip, with all that belongs to it: the calls, and the working set.",
    params: &[
        rounds::param(100),
        ParamSpec {
            name: "working_set_kib",
            kind: ParamKind::Ints { min: 0, max: 16_384, most: 4, default: &[0, 64, 1024] },
            help: "memory that each writes to between switches",
        },
    ],
    returns: &[
        ReturnSpec { name: "thread_ns", kind: ReturnKind::Nanos, help: "to another thread by futex; the smallest set" },
        ReturnSpec {
            name: "process_ns",
            kind: ReturnKind::Nanos,
            help: "to another process by futex; the smallest set",
        },
        ReturnSpec {
            name: "thread_pipe_ns",
            kind: ReturnKind::Nanos,
            help: "to another thread by pipe; the smallest set",
        },
        ReturnSpec {
            name: "process_pipe_ns",
            kind: ReturnKind::Nanos,
            help: "to another process by pipe; the smallest set",
        },
        ReturnSpec { name: "coroutine_ns", kind: ReturnKind::Nanos, help: "to another coroutine; the smallest set" },
        ReturnSpec {
            name: "futex_ratio",
            kind: ReturnKind::Number,
            help: "process by thread, by futex; the smallest set",
        },
        ReturnSpec { name: "futex_low", kind: ReturnKind::Number, help: "where its interval begins" },
        ReturnSpec { name: "futex_high", kind: ReturnKind::Number, help: "where it ends" },
        ReturnSpec { name: "futex_says", kind: ReturnKind::Word, help: "the verdict on it" },
        ReturnSpec {
            name: "pipe_ratio",
            kind: ReturnKind::Number,
            help: "process by thread, by pipe; the smallest set",
        },
        ReturnSpec { name: "pipe_low", kind: ReturnKind::Number, help: "where its interval begins" },
        ReturnSpec { name: "pipe_high", kind: ReturnKind::Number, help: "where it ends" },
        ReturnSpec { name: "pipe_says", kind: ReturnKind::Word, help: "the verdict on it" },
        ReturnSpec {
            name: "thread_by_coroutine",
            kind: ReturnKind::Number,
            help: "thread by coroutine; the smallest set",
        },
        ReturnSpec { name: "big_kib", kind: ReturnKind::Kib, help: "the largest working set" },
        ReturnSpec {
            name: "thread_big_ns",
            kind: ReturnKind::Nanos,
            help: "to another thread by futex; the largest set",
        },
        ReturnSpec {
            name: "process_big_ns",
            kind: ReturnKind::Nanos,
            help: "to another process by futex; the largest set",
        },
        ReturnSpec { name: "touch_big_ns", kind: ReturnKind::Nanos, help: "writing to the largest set and no switch" },
        ReturnSpec {
            name: "big_ratio",
            kind: ReturnKind::Number,
            help: "process by thread, by futex; the largest set",
        },
        ReturnSpec { name: "big_says", kind: ReturnKind::Word, help: "the verdict on it" },
        ReturnSpec { name: "figures", kind: ReturnKind::Table, help: "ns, low, high, rounds by kind, way and KiB" },
        ReturnSpec { name: "ratios", kind: ReturnKind::Table, help: "ratio, low, high, verdict of each comparison" },
        rounds::specs::ROUNDS,
        rounds::specs::LEFT_OUT,
        rounds::specs::OUTLIERS,
        rounds::specs::NOISE,
        ReturnSpec { name: "same", kind: ReturnKind::Number, help: "thread by thread: what the lab itself is off by" },
        rounds::specs::CPU,
    ],
    pictures: &[
        Picture::Table(&RATIOS),
        Picture::Bars(&BARS),
        Picture::Curves(&rounds::HISTOGRAM),
        Picture::Table(&rounds::RUN_TABLE),
        Picture::Curves(&rounds::SURE),
    ],
    controls: &[rounds::ENOUGH, rounds::MORE],
    unwatched: true,
    stays: true,
    check: |params| rounds::specs::rising(params, "working_set_kib"),
    ..DemoSpec::BASE
};

/// What the row of a cost is called.
fn row(cost: Cost) -> String {
    match cost {
        Cost::Switch(by, what, kib) => {
            let what = if what == As::Threads { "thread" } else { "process" };
            format!("{what}, {}, {kib} KiB", way(by))
        }
        Cost::Coroutine(kib) => format!("coroutine, {kib} KiB"),
        Cost::Touch(kib) => format!("no switch, {kib} KiB"),
        _ => String::new(),
    }
}

fn way(by: By) -> &'static str {
    match by {
        By::Futex => "futex",
        By::Pipe => "pipe",
    }
}

/// What the row of a comparison of process and thread is called.
fn compared(by: By, kib: i64) -> String {
    format!("{}, {kib} KiB", way(by))
}

/// What the row of the comparison of thread and coroutine is called.
fn lighter() -> String {
    "thread / coroutine".to_owned()
}

impl Demo for Switch {
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
    let sets = params.ints("working_set_kib");
    let cpu = rounds::settle(stage);
    let desk = Desk::new(1).map_err(|refused| Unavailable::new("shared memory", refused.to_string()))?;
    let desk = Arc::new(desk);
    let costs = costs(&sets);
    let all = costs.iter().enumerate();
    let variants: Vec<Variant> = all
        .map(|(what, cost)| Variant { row: row(*cost), place: Ok(0), what, most: cost.most(), unit: Unit::Nanos })
        .collect();
    let pairs = pairs(&costs, &sets);
    let settings = Settings { cpus: vec![cpu], ..Settings::default() };
    let theirs = Arc::clone(&desk);
    let small = Resident { mib: 0, huge: false };
    let worker = stage.enter(As::Processes, &settings, move |worker| cost::play(worker, &theirs, 0, &costs, &small))?;
    let mut bench = Bench::new(desk, vec![cpu], vec![worker], variants, pairs);
    bench.twice(0);
    bench.run(stage, params.count("rounds"))
}

/// All kinds and ways for each working set.
fn costs(sets: &[i64]) -> Vec<Cost> {
    let each = |kib: &i64| {
        let kib = usize::try_from(*kib).unwrap_or(0);
        let mut costs: Vec<Cost> = [By::Futex, By::Pipe]
            .into_iter()
            .flat_map(|by| [As::Threads, As::Processes].map(|what| Cost::Switch(by, what, kib)))
            .collect();
        costs.push(Cost::Coroutine(kib));
        costs.extend((kib > 0).then_some(Cost::Touch(kib)));
        costs
    };
    sets.iter().flat_map(each).collect()
}

fn pairs(costs: &[Cost], sets: &[i64]) -> Vec<Pair> {
    let find = |cost: Cost| costs.iter().position(|other| *other == cost);
    let mut pairs = Vec::new();
    for kib in sets {
        let set = usize::try_from(*kib).unwrap_or(0);
        for by in [By::Futex, By::Pipe] {
            let of = |what: As| find(Cost::Switch(by, what, set));
            pairs.extend(of(As::Processes).zip(of(As::Threads)).map(|(a, b)| Pair { row: compared(by, *kib), a, b }));
        }
    }
    let least = sets.first().copied().unwrap_or(0);
    let set = usize::try_from(least).unwrap_or(0);
    let light = find(Cost::Switch(By::Futex, As::Threads, set)).zip(find(Cost::Coroutine(set)));
    pairs.extend(light.map(|(a, b)| Pair { row: lighter(), a, b }));
    pairs
}

fn account(params: &Params, tally: &Tally) -> Values {
    let sets = params.ints("working_set_kib");
    let (least, most) = (sets.first().copied().unwrap_or(0), sets.last().copied().unwrap_or(0));
    let size = |kib: i64| usize::try_from(kib).unwrap_or(0);
    let nanos = |cost: Cost| figure(tally, &row(cost))["ns"].clone();
    let switch = |by: By, what: As, kib: i64| nanos(Cost::Switch(by, what, size(kib)));
    let of = |name: String, value: &str| ratio_of(tally, &name)[value].clone();
    let all = |rows: &[crate::fact::Row], one: fn(&Tally, &str) -> Value| -> Value {
        Value::Object(rows.iter().map(|row| (row.name.clone(), one(tally, &row.name))).collect::<Map<_, _>>())
    };
    let run = ["rounds", "left_out", "outliers", "noise", "same", "cpu"].map(|name| (name, run_of(tally, name)));
    let values = [
        ("thread_ns", switch(By::Futex, As::Threads, least)),
        ("process_ns", switch(By::Futex, As::Processes, least)),
        ("thread_pipe_ns", switch(By::Pipe, As::Threads, least)),
        ("process_pipe_ns", switch(By::Pipe, As::Processes, least)),
        ("coroutine_ns", nanos(Cost::Coroutine(size(least)))),
        ("futex_ratio", of(compared(By::Futex, least), "ratio")),
        ("futex_low", of(compared(By::Futex, least), "low")),
        ("futex_high", of(compared(By::Futex, least), "high")),
        ("futex_says", of(compared(By::Futex, least), "verdict")),
        ("pipe_ratio", of(compared(By::Pipe, least), "ratio")),
        ("pipe_low", of(compared(By::Pipe, least), "low")),
        ("pipe_high", of(compared(By::Pipe, least), "high")),
        ("pipe_says", of(compared(By::Pipe, least), "verdict")),
        ("thread_by_coroutine", of(lighter(), "ratio")),
        ("big_kib", json!(most)),
        ("thread_big_ns", switch(By::Futex, As::Threads, most)),
        ("process_big_ns", switch(By::Futex, As::Processes, most)),
        ("touch_big_ns", nanos(Cost::Touch(size(most)))),
        ("big_ratio", of(compared(By::Futex, most), "ratio")),
        ("big_says", of(compared(By::Futex, most), "verdict")),
        ("figures", all(tally.table(rounds::FIGURES), figure)),
        ("ratios", all(tally.table(rounds::RATIOS), ratio_of)),
    ];
    values.into_iter().chain(run).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Row};

    fn tally(tables: &[(&str, &str, Value)]) -> Tally {
        let mut tally = Tally::default();
        for (table, name, values) in tables {
            let values = serde_json::from_value(values.clone()).expect("an object");
            let row = Row { name: (*name).to_owned(), first: Nanos::ZERO, last: Nanos::ZERO, values };
            tally.tables.entry((*table).to_owned()).or_default().push(row);
        }
        tally
    }

    #[test]
    fn the_smallest_and_the_largest_set_are_told_apart() {
        let verdict = |ratio: f64, verdict: &str| json!({"ratio": ratio, "low": ratio - 0.02, "high": ratio + 0.02, "verdict": verdict});
        let values = Switch.outcome(
            &Params::defaults(&SPEC),
            &tally(&[
                ("figures", "thread, futex, 0 KiB", json!({"ns": 2_100})),
                ("figures", "process, pipe, 0 KiB", json!({"ns": 2_500})),
                ("figures", "coroutine, 0 KiB", json!({"ns": 1.4})),
                ("figures", "thread, futex, 1024 KiB", json!({"ns": 20_100})),
                ("figures", "no switch, 1024 KiB", json!({"ns": 17_000})),
                ("ratios", "futex, 0 KiB", verdict(1.13, "more")),
                ("ratios", "futex, 1024 KiB", verdict(1.0, "no difference")),
                ("run", "outcome", json!({"rounds": 200, "noise": "none"})),
            ]),
        );
        assert_eq!((&values["thread_ns"], &values["process_pipe_ns"]), (&json!(2_100), &json!(2_500)));
        assert_eq!((&values["futex_says"], &values["big_says"]), (&json!("more"), &json!("no difference")));
        assert_eq!((&values["coroutine_ns"], &values["touch_big_ns"]), (&json!(1.4), &json!(17_000)));
        assert_eq!((&values["pipe_ratio"], &values["process_ns"]), (&Value::Null, &Value::Null));
        assert_eq!((&values["rounds"], &values["noise"]), (&json!(200), &json!("none")));
    }

    #[test]
    fn all_that_is_compared_is_measured() {
        let sets = [0, 64, 1024];
        let costs = costs(&sets);
        let pairs = pairs(&costs, &sets);
        assert_eq!((costs.len(), pairs.len()), (17, 7));
        assert_eq!(row(costs[pairs[0].a]), "process, futex, 0 KiB");
        assert_eq!(row(costs[pairs[0].b]), "thread, futex, 0 KiB");
        let names: std::collections::BTreeSet<String> = costs.iter().map(|cost| row(*cost)).collect();
        assert_eq!(names.len(), costs.len(), "each has a row of its own");
    }
}
