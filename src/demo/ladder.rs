//! `ladder`: ten things that a program does, from a function call to a new program, on one scale.

use super::Demo;
use super::cost::{self, By, Cost, Resident};
use super::pace::{self, Cut};
use super::rounds::{self, Bench, Desk, Pair, Unit, Variant, figure, ratio_of, run_of};
use crate::fact::{
    As, BarsSpec, DemoSpec, Params, Picture, ReturnKind, ReturnSpec, TableSpec, Tally, Unavailable, Values,
};
use crate::stage::{Settings, Stage};
use serde_json::{Value, json};
use std::sync::Arc;

/// See the module.
pub(super) struct Ladder;

/// A rung: what is done, what its row is called, and its value in the outcome.
struct Rung {
    cost: Cost,
    row: &'static str,
    value: &'static str,
}

const fn rung(cost: Cost, row: &'static str, value: &'static str) -> Rung {
    Rung { cost, row, value }
}

/// From what is cheap as a rule to what is dear.
static RUNGS: [Rung; 10] = [
    rung(Cost::Call, "function call", "call_ns"),
    rung(Cost::Coroutine(0), "coroutine switch", "coroutine_ns"),
    rung(Cost::Clock, "look at the clock", "clock_ns"),
    rung(Cost::Syscall, "system call", "syscall_ns"),
    rung(Cost::Fault, "page fault", "fault_ns"),
    rung(Cost::Switch(By::Futex, As::Threads, 0), "thread switch", "thread_switch_ns"),
    rung(Cost::Switch(By::Futex, As::Processes, 0), "process switch", "process_switch_ns"),
    rung(Cost::Thread, "new thread", "thread_ns"),
    rung(Cost::Fork, "fork", "fork_ns"),
    rung(Cost::Spawn, "new program", "exec_ns"),
];

/// The comparisons: what they are called, and which rungs.
const COMPARED: [(&str, usize, usize); 6] = [
    ("system / function call", 3, 0),
    ("thread switch / system call", 5, 3),
    ("thread / coroutine switch", 5, 1),
    ("process / thread switch", 6, 5),
    ("fork / new thread", 8, 7),
    ("thread switch / function call", 5, 0),
];

/// The rung that is measured twice: one that neither sleeps nor makes anything.
const TWICE: usize = 3;

static RATIOS: TableSpec = rounds::ratio_table("how many times");
static BARS: BarsSpec = rounds::bars("ladder", "each");

const fn nanos(name: &'static str, help: &'static str) -> ReturnSpec {
    ReturnSpec { name, kind: ReturnKind::Nanos, help }
}

const fn number(name: &'static str, help: &'static str) -> ReturnSpec {
    ReturnSpec { name, kind: ReturnKind::Number, help }
}

static SPEC: DemoSpec = DemoSpec {
    name: "ladder",
    title: "ten costs on one scale",
    part: "What it costs",
    about: "One small process on one core does ten things in turn, round after round: a function call, a coroutine switch, a \
            look at the clock, a system call, the first touch of a page, a switch to another thread and to another process, \
            and a new thread, a fork and a new program, each ended and waited for. The scale is logarithmic: each mark is ten \
            times the one before.",
    params: &[rounds::param(100)],
    returns: &[
        nanos("call_ns", "a function call and its return"),
        nanos("coroutine_ns", "from one coroutine to another"),
        nanos("clock_ns", "a look at the clock, without entering the kernel (vDSO)"),
        nanos("syscall_ns", "the shortest system call (getppid)"),
        nanos("fault_ns", "the first touch of a page"),
        nanos("thread_switch_ns", "to another thread, woken by a futex"),
        nanos("process_switch_ns", "to another process, woken by a futex"),
        nanos("thread_ns", "a thread, made and joined"),
        nanos("fork_ns", "a small process forked, ended and waited for"),
        nanos("exec_ns", "a program of one page, started and waited for"),
        number("syscall_by_call", "system call by function call"),
        number("switch_by_call", "thread switch by function call"),
        number("switch_by_syscall", "thread switch by system call"),
        number("switch_by_coroutine", "thread switch by coroutine switch"),
        number("process_by_thread", "process switch by thread switch"),
        number("fork_by_thread", "fork by new thread"),
        number("span", "the dearest by the cheapest"),
        ReturnSpec { name: "cheapest", kind: ReturnKind::Word, help: "what costs least" },
        ReturnSpec { name: "dearest", kind: ReturnKind::Word, help: "what costs most" },
        rounds::specs::ROUNDS,
        rounds::specs::LEFT_OUT,
        rounds::specs::OUTLIERS,
        rounds::specs::NOISE,
        number("same", "system call by system call: what the lab itself is off by"),
        rounds::specs::CPU,
    ],
    pictures: &[Picture::Bars(&BARS), Picture::Table(&RATIOS), Picture::Table(&rounds::RUN_TABLE)],
    controls: &[rounds::ENOUGH, rounds::MORE],
    unwatched: true,
    stays: true,
    ..DemoSpec::BASE
};

impl Demo for Ladder {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let found: Vec<(&Rung, Value)> =
            RUNGS.iter().map(|rung| (rung, figure(tally, rung.row)["ns"].clone())).collect();
        let mut known: Vec<(f64, &str)> =
            found.iter().filter_map(|(rung, ns)| Some((ns.as_f64()?, rung.row))).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (least, most) = (known.first(), known.last());
        let span =
            least.zip(most).filter(|_| known.len() == RUNGS.len()).map(|(least, most)| (most.0 / least.0).round());
        let ratio = |n: usize| ratio_of(tally, COMPARED[n].0)["ratio"].clone();
        let run = ["rounds", "left_out", "outliers", "noise", "same", "cpu"].map(|name| (name, run_of(tally, name)));
        let values = [
            ("syscall_by_call", ratio(0)),
            ("switch_by_syscall", ratio(1)),
            ("switch_by_coroutine", ratio(2)),
            ("process_by_thread", ratio(3)),
            ("fork_by_thread", ratio(4)),
            ("switch_by_call", ratio(5)),
            ("span", json!(span)),
            ("cheapest", json!(least.map(|(_, row)| row))),
            ("dearest", json!(most.map(|(_, row)| row))),
        ];
        let rungs = found.iter().map(|(rung, ns)| (rung.value, ns.clone()));
        rungs.chain(values).chain(run).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let cpu = rounds::settle(stage);
    let desk = Desk::new(1).map_err(|refused| Unavailable::new("shared memory", refused.to_string()))?;
    let desk = Arc::new(desk);
    let variant = |what: usize, row: &str| {
        let most = RUNGS[what].cost.most();
        Variant { row: row.to_owned(), place: Ok(0), what, most, unit: Unit::Nanos }
    };
    let variants: Vec<Variant> = (0..RUNGS.len()).map(|what| variant(what, RUNGS[what].row)).collect();
    let pairs = COMPARED.map(|(row, a, b)| Pair { row: row.to_owned(), a, b }).into();
    let settings = Settings { cpus: vec![cpu], ..Settings::default() };
    let theirs = Arc::clone(&desk);
    let worker = stage.enter(As::Processes, &settings, move |worker| {
        let costs: Vec<Cost> = RUNGS.iter().map(|rung| rung.cost).collect();
        cost::play(worker, &theirs, 0, &costs, &Resident { mib: 0, huge: false });
    })?;
    let mut bench = Bench::new(desk, vec![cpu], vec![worker], variants, pairs);
    bench.twice(TWICE);
    bench.run(stage, params.count("rounds"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Row};

    fn tally(figures: &[(&str, Value)]) -> Tally {
        let mut tally = Tally::default();
        let row = |(name, values): &(&str, Value)| Row {
            name: (*name).to_owned(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: serde_json::from_value(values.clone()).expect("an object"),
        };
        tally.tables.insert(rounds::FIGURES.to_owned(), figures.iter().map(row).collect());
        tally
    }

    #[test]
    fn the_span_is_known_when_all_rungs_are() {
        let mut all: Vec<(&str, Value)> =
            RUNGS.iter().zip(1_u32..).map(|(rung, n)| (rung.row, json!({"ns": f64::from(n) * 10.0}))).collect();
        let values = Ladder.outcome(&Params::defaults(&SPEC), &tally(&all));
        assert_eq!(
            (&values["call_ns"], &values["exec_ns"], &values["span"]),
            (&json!(10.0), &json!(100.0), &json!(10.0))
        );
        assert_eq!((&values["cheapest"], &values["dearest"]), (&json!("function call"), &json!("new program")));
        all[9].1 = json!({"why": "memfd_create: ENOSYS"});
        let values = Ladder.outcome(&Params::defaults(&SPEC), &tally(&all));
        assert_eq!((&values["exec_ns"], &values["span"]), (&Value::Null, &Value::Null));
        assert_eq!(values["dearest"], json!("fork"));
    }

    #[test]
    fn the_comparisons_are_of_the_rungs_that_they_name() {
        let named = COMPARED.map(|(name, a, b)| (name, RUNGS[a].row, RUNGS[b].row));
        assert_eq!(named[0], ("system / function call", "system call", "function call"));
        assert_eq!(named[3], ("process / thread switch", "process switch", "thread switch"));
        assert_eq!(named[4], ("fork / new thread", "fork", "new thread"));
        assert_eq!(RUNGS[TWICE].row, "system call");
    }
}
