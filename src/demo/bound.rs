//! `bound`: one pool, and two kinds of work. What is CPU-bound gains as far as there are cores; what is I/O-bound waits, and
//! more workers wait at the same time.
//!
//! The I/O is a request to a server of the demo's own, on this machine: it answers after a while, and knows all names but one.

mod server;

use super::Demo;
use super::executor::{Outcome, Timed};
use super::matrix;
use super::pace::{self, Cut, Pace};
use super::primes::{NUMBERS, is_prime};
use super::script;
use super::spread::two;
use super::sweep::{Sure, Sweep};
use crate::fact::{
    ColumnSpec, CurveSpec, CurvesSpec, DemoSpec, Fact, Limits, ParamError, ParamKind, ParamSpec, Params, Picture,
    ReturnKind, ReturnSpec, SETTLED, Stroke, TableSpec, Tally, Unavailable, Values,
};
use crate::stage::{Settings, Stage, Worker};
use serde_json::{Map, Value, json};
use server::{Address, Server};
use std::collections::BTreeSet;
use std::time::Duration;

/// See the module.
pub(super) struct Bound;

/// The kinds of work: as curves, as parts of the tables' names.
const KINDS: [&str; 2] = ["cpu", "io"];

/// What is computed where the work is CPU-bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compute {
    /// A number is tested for primality.
    Primes,
    /// Two matrices are multiplied.
    Matrix,
}

impl Compute {
    const WORDS: &[&str] = &["primes", "matrix"];

    fn of(params: &Params) -> Self {
        if params.word("compute") == Self::WORDS[1] { Self::Matrix } else { Self::Primes }
    }
}

/// How long the result stays, in milliseconds.
const STAY_MS: i64 = 1000;

/// The errors of tasks.
const NO_SUCH_NAME: u32 = 1;
const NO_ANSWER: u32 = 2;
const CALLED_OFF: u32 = 3;

static CURVES: CurvesSpec = CurvesSpec {
    name: "time by workers",
    x: "workers",
    y: "seconds for all tasks",
    kind: ReturnKind::Number,
    curves: &[
        CurveSpec { curve: "cpu", label: "CPU-bound", stroke: Stroke::Measured },
        CurveSpec { curve: "io", label: "I/O-bound", stroke: Stroke::Measured },
    ],
};

static TABLE: TableSpec = TableSpec {
    name: "by workers",
    head: "workers",
    columns: &[
        ColumnSpec { value: "cpu_s", head: "CPU: s", kind: ReturnKind::Number },
        ColumnSpec { value: "cpu_times", head: "speed-up", kind: ReturnKind::Number },
        ColumnSpec { value: "io_s", head: "I/O: s", kind: ReturnKind::Number },
        ColumnSpec { value: "io_times", head: "speed-up", kind: ReturnKind::Number },
        ColumnSpec { value: "says", head: "how sure", kind: ReturnKind::Word },
    ],
};

/// The table of what holds for all.
const ALL: &str = "bound";

static SPEC: DemoSpec = DemoSpec {
    name: "bound",
    title: "one pool, work that computes and work that waits",
    part: "In practice",
    about: "A pool does the same tasks with 1, 2, 4 and 8 workers. CPU-bound: each tests a number for primality, \
            or multiplies two matrices. I/O-bound: each asks a server on this machine, which answers after a while and \
            knows all names but one.",
    params: &[
        ParamSpec { name: "as", kind: ParamKind::Choice(&["threads", "processes"]), help: "what the workers are" },
        ParamSpec { name: "kind", kind: ParamKind::Choice(&["both", "cpu", "io"]), help: "the work" },
        ParamSpec {
            name: "compute",
            kind: ParamKind::Choice(Compute::WORDS),
            help: "what is CPU-bound: numbers tested for primality, or products of two matrices",
        },
        ParamSpec {
            name: "workers",
            kind: ParamKind::Ints { min: 1, max: 32, most: 8, default: &[1, 2, 4, 8] },
            help: "how many of them; 1 is always among them",
        },
        ParamSpec {
            name: "tasks",
            kind: ParamKind::Int { min: 1, max: 60, default: 16, unit: "" },
            help: "tasks that all do together",
        },
        ParamSpec {
            name: "delay",
            kind: ParamKind::Int { min: 1, max: 500, default: 40, unit: "ms" },
            help: "after how long the server answers",
        },
        ParamSpec {
            name: "rounds",
            kind: ParamKind::Int { min: 1, max: 15, default: 5, unit: "" },
            help: "how often all is measured",
        },
    ],
    returns: &[
        ReturnSpec { name: "cpu_seconds", kind: ReturnKind::Table, help: "seconds of the CPU-bound work, by workers" },
        ReturnSpec { name: "io_seconds", kind: ReturnKind::Table, help: "seconds of the I/O-bound work, by workers" },
        ReturnSpec { name: "cpu_speedup", kind: ReturnKind::Table, help: "times as fast as one worker, CPU-bound" },
        ReturnSpec { name: "io_speedup", kind: ReturnKind::Table, help: "times as fast as one worker, I/O-bound" },
        ReturnSpec {
            name: "cpu_most",
            kind: ReturnKind::Number,
            help: "that of the most workers; none if inconclusive",
        },
        ReturnSpec {
            name: "io_most",
            kind: ReturnKind::Number,
            help: "that of the most workers; none if inconclusive",
        },
        ReturnSpec { name: "tasks", kind: ReturnKind::Count, help: "tasks of one round" },
        ReturnSpec {
            name: "errors",
            kind: ReturnKind::Count,
            help: "of the requests, those whose future held an error",
        },
        ReturnSpec { name: "server", kind: ReturnKind::Word, help: "by what the server is asked: tcp or unix" },
        ReturnSpec { name: "cores", kind: ReturnKind::Count, help: "cores that may be used" },
        ReturnSpec { name: "rounds", kind: ReturnKind::Count, help: "rounds that were measured" },
    ],
    pictures: &[Picture::Table(&TABLE), Picture::Curves(&CURVES), Picture::Lanes, Picture::Workers],
    check: |params| {
        let distinct = counts(params).into_iter().next_back().unwrap_or(1);
        if distinct > 60 { Err(ParamError::new("workers", "takes 60 at most")) } else { Ok(()) }
    },
    limits: |_| Limits { process_mib: 16 * 1024, ..Limits::DEFAULT },
    ..DemoSpec::BASE
};

/// The numbers of workers, rising.
fn counts(params: &Params) -> BTreeSet<usize> {
    let given = params.ints("workers").into_iter().filter_map(|n| usize::try_from(n).ok());
    given.chain([1]).filter(|n| *n > 0).collect()
}

fn rounds_of(kind: &str) -> String {
    format!("{kind} rounds")
}

impl Demo for Bound {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        let all = |name: &str| tally.cell(ALL, ALL, name).cloned().unwrap_or(Value::Null);
        let [cpu, io] = KINDS.map(|kind| Sweep::told(tally, &rounds_of(kind)));
        let most = |sweep: &Sweep, sure: bool| {
            let workers = sweep.measured().into_iter().next_back().filter(|n| *n > 1)?;
            let sure = if sure { sweep.sure(workers) == Sure::Steady } else { sweep.agree(workers) };
            sweep.speedup(workers).filter(|_| sure).map(|s| two(s.median))
        };
        let table = |sweep: &Sweep, value: fn(&Sweep, usize) -> Option<f64>| -> Value {
            let entries =
                sweep.measured().into_iter().filter_map(|n| Some((n.to_string(), json!(two(value(sweep, n)?)))));
            let entries: Map<_, _> = entries.collect();
            // The other kind was not tried.
            if entries.is_empty() { Value::Null } else { Value::Object(entries) }
        };
        let speedup = |sweep: &Sweep, n: usize| sweep.speedup(n).map(|s| s.median);
        let rounds = [&cpu, &io].into_iter().filter(|s| !s.measured().is_empty()).map(Sweep::rounds).min();
        [
            ("cpu_seconds", table(&cpu, Sweep::seconds)),
            ("io_seconds", table(&io, Sweep::seconds)),
            ("cpu_speedup", table(&cpu, speedup)),
            ("io_speedup", table(&io, speedup)),
            ("cpu_most", json!(most(&cpu, true))),
            // Who waits does not need the cores that others have.
            ("io_most", json!(most(&io, false))),
            ("tasks", json!(params.count("tasks"))),
            ("errors", all("errors")),
            ("server", all("server")),
            ("cores", json!(tally.start.as_ref().map(|start| start.cpus.len()))),
            ("rounds", json!(rounds.unwrap_or(0))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// What a worker does with a task: a request for a name below the number of names, or the test of a number.
fn work(worker: &Worker, argument: u64, compute: Compute, address: Option<&Address>) -> Outcome {
    let called_off = || worker.order() == Worker::HALT;
    let go_on = || !called_off();
    let name = usize::try_from(argument).ok().and_then(server::name);
    let (Some(name), Some(address)) = (name, address) else {
        let answer = match compute {
            Compute::Primes => is_prime(argument, go_on).map(u64::from),
            Compute::Matrix => matrix::product(matrix::SIZE, argument, go_on),
        };
        return answer.ok_or(CALLED_OFF);
    };
    match address.ask(name, called_off) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(NO_SUCH_NAME),
        Err(_) if called_off() => Err(CALLED_OFF),
        Err(_) => Err(NO_ANSWER),
    }
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let kinds: Vec<_> = KINDS.into_iter().filter(|kind| ["both", *kind].contains(&params.word("kind"))).collect();
    let timed = Timed::new(stage)?;
    let mut bench = Bench { sweeps: KINDS.map(|_| Sweep::new(timed.cpus().len())), timed };
    let delay = Duration::from_millis(params.int("delay").unsigned_abs());
    let server = if kinds.contains(&"io") { Some(open(stage, delay)?) } else { None };
    let (counts, compute) = (counts(&params), Compute::of(&params));
    for _ in 0..counts.last().copied().unwrap_or(1) {
        let address = server.as_ref().map(|(_, address)| address.clone());
        let work = move |worker: &Worker, argument| work(worker, argument, compute, address.as_ref());
        bench.timed.executor.hire(stage, params.workers_as(), work, |_, _| {})?;
    }
    if let Some((server, _)) = server {
        stage.enter_named("server", params.workers_as(), &Settings::default(), move |worker| server.serve(worker))?;
    }
    let rounds = params.count("rounds");
    for round in 1..=rounds {
        for kind in &kinds {
            for &workers in &counts {
                script::step(stage, &format!("round {round} of {rounds}: {kind}, {workers} workers"));
                bench.measure(stage, &params, kind, round, workers)?;
            }
        }
    }
    script::step(stage, SETTLED);
    Pace::new(STAY_MS).rest(stage)
}

/// Opens the server, before there is anybody who asks.
fn open(stage: &mut Stage, delay: Duration) -> Result<(Server, Address), Unavailable> {
    let (server, address) = Server::open(delay).map_err(|error| {
        let why = format!("neither TCP on 127.0.0.1 nor a socket of this machine can be had ({error})");
        Unavailable::new("the server", why)
    })?;
    Bench::say(stage, "server", json!(address.by()));
    Ok((server, address))
}

/// Who measures: the leader, which sleeps while the workers are at it.
struct Bench {
    timed: Timed,
    sweeps: [Sweep; 2],
}

impl Bench {
    fn say(stage: &mut Stage, name: &str, value: Value) {
        stage.tell(script::row(ALL, ALL, json!({ name: value })));
    }

    /// Lets so many workers do all tasks of this kind.
    #[expect(clippy::cast_precision_loss, reason = "a number of workers")]
    fn measure(
        &mut self,
        stage: &mut Stage,
        params: &Params,
        kind: &str,
        round: usize,
        workers: usize,
    ) -> Result<(), Cut> {
        let tasks: Vec<u64> = (0..params.count("tasks")).map(|n| task(kind, n)).collect();
        let (measured, errors) = self.timed.measure(stage, round, workers, &[&tasks])?;
        stage.tell(Fact::Row { table: rounds_of(kind), row: measured.name(), values: measured.values() });
        if kind == "io" {
            Self::say(stage, "errors", json!(errors));
        }
        let sweep = &mut self.sweeps[usize::from(kind == "io")];
        sweep.add(measured);
        if let (Some(seconds), Some(speedup)) = (sweep.seconds(workers), sweep.speedup(workers)) {
            stage.tell(Fact::Point { curve: kind.to_owned(), x: workers as f64, y: three(seconds) });
            let (s, times) = (format!("{kind}_s"), format!("{kind}_times"));
            let values = json!({ s: three(seconds), times: two(speedup.median), "says": self.says(workers) });
            stage.tell(script::row(TABLE.name, &workers.to_string(), values));
        }
        Ok(())
    }

    /// How sure the figures of so many workers are.
    fn says(&self, workers: usize) -> String {
        let [cpu, io] = &self.sweeps;
        let io =
            (!io.measured().is_empty()).then(|| if io.agree(workers) { "I/O: steady" } else { "I/O: not yet sure" });
        let cpu = (!cpu.measured().is_empty()).then(|| format!("CPU: {}", cpu.sure(workers).words()));
        cpu.into_iter().chain(io.map(str::to_owned)).collect::<Vec<_>>().join("; ")
    }
}

/// Task `n` of a kind, as its argument. Numbers to test are larger than those of names.
fn task(kind: &str, n: usize) -> u64 {
    if kind == "io" { n as u64 } else { NUMBERS[n % (NUMBERS.len() - 1)] }
}

fn three(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests;
