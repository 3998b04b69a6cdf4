//! `cores`: more and more CPU-bound workers over all allowed cores, and how much more they do.
//!
//! A speed-up is a ratio of two rates of one round: that of so many workers, and that of one, a second or so apart. Rounds
//! are repeated, so that it is seen whether they agree. All workers stay on stage; those that are not in turn sleep.

use super::Demo;
use super::account;
use super::spread::two;
use super::sweep::{self, Measured, ROUNDS, Sure, Sweep};
use crate::fact::{
    As, ColumnSpec, Cpu, CurveSpec, CurvesSpec, DOUBT, DemoSpec, Fact, Limits, Need, ParamKind, ParamSpec, Params,
    Picture, ReturnKind, ReturnSpec, Stroke, TableSpec, Tally, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage, Worker};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Cores;

/// Workers that the board has room for.
const MOST: i64 = 64;

/// Orders: compute, and sleep.
const RUN: u64 = 1;
const REST: u64 = 2;

/// From the order to run to the first look: until all have woken and the kernel has spread them.
const SPREAD: Duration = Duration::from_millis(40);

/// From the order to sleep to the next one to run: until all sleep, and an idle core can be seen.
const PAUSE: Duration = Duration::from_millis(80);

/// A look at all counters that takes longer than this is taken again.
const GLANCE: Duration = Duration::from_micros(200);

/// How long everybody stays when all is measured.
const STAY: Duration = Duration::from_secs(1);

/// The curves, the table of what they come to, and the table of what the machine is.
const MEASURED: &str = "measured";
const LIMIT: &str = "limit";
const SPEEDUPS: &str = "by workers";
const MACHINE: &str = "machine";

static CURVES: CurvesSpec = CurvesSpec {
    name: "speed-up",
    x: "workers",
    y: "times the work of one",
    kind: ReturnKind::Number,
    curves: &[
        CurveSpec { curve: MEASURED, label: "measured", stroke: Stroke::Measured },
        CurveSpec { curve: LIMIT, label: "what the cores allow", stroke: Stroke::Reference },
    ],
};

static TABLE: TableSpec = TableSpec {
    name: SPEEDUPS,
    head: "workers",
    columns: &[
        ColumnSpec { value: "speedup", head: "speed-up", kind: ReturnKind::Number },
        ColumnSpec { value: "half", head: "half lie in", kind: ReturnKind::Word },
        ColumnSpec { value: "busy", head: "cores", kind: ReturnKind::Number },
        ColumnSpec { value: "says", head: "how sure", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "cores",
    title: "more and more workers over all cores",
    part: "Who runs when",
    about: "One worker that only computes, then 2, 4 and more of them, over all cores that may be used; and that again, \
            round after round. See on which cores they run, who changes the core, and how many times the work of one they do.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 0, max: MOST, default: 0, unit: "" },
            help: "the most at a time; 0: twice as many as cores",
        },
        ParamSpec { name: "pin", kind: ParamKind::Flag(false), help: "each worker may use one core only" },
        ParamSpec {
            name: "rounds",
            kind: ParamKind::Int { min: 5, max: 25, default: 7, unit: "" },
            help: "how often all is measured",
        },
        ParamSpec {
            name: "length",
            kind: ParamKind::Int { min: 50, max: 1000, default: 300, unit: "ms" },
            help: "how long each number of workers runs in a round",
        },
    ],
    returns: &[
        ReturnSpec { name: "speedup", kind: ReturnKind::Table, help: "times the work of one, by number of workers" },
        ReturnSpec { name: "spread", kind: ReturnKind::Table, help: "between what half of the rounds lie" },
        ReturnSpec { name: "best_speedup", kind: ReturnKind::Number, help: "the largest; none if inconclusive" },
        ReturnSpec {
            name: "limit_is",
            kind: ReturnKind::Word,
            help: "what the most workers come up to: cores, workers, one or between; none if inconclusive",
        },
        ReturnSpec {
            name: "one_more",
            kind: ReturnKind::Number,
            help: "times the work of a worker a core with one more; none if inconclusive",
        },
        ReturnSpec { name: "busy", kind: ReturnKind::Number, help: "cores' worth of time that the most workers had" },
        ReturnSpec { name: "others", kind: ReturnKind::Number, help: "cores' worth of time that others had" },
        ReturnSpec { name: "migrations", kind: ReturnKind::Count, help: "times that a worker changed the core" },
        ReturnSpec { name: "cores", kind: ReturnKind::Count, help: "cores that may be used, as Linux counts them" },
        ReturnSpec { name: "installed", kind: ReturnKind::Count, help: "cores that Linux runs here" },
        ReturnSpec { name: "physical", kind: ReturnKind::Count, help: "of those that may be used, cores in hardware" },
        ReturnSpec { name: "rounds", kind: ReturnKind::Count, help: "rounds that were measured" },
        ReturnSpec { name: "verdict", kind: ReturnKind::Word, help: "clear or inconclusive" },
        DOUBT,
    ],
    pictures: &[Picture::Lanes, Picture::Table(&TABLE), Picture::Curves(&CURVES), Picture::Workers],
    // The C library sets 128 MiB of addresses aside for each thread that allocates (glibc's HEAP_MAX_SIZE, twice).
    limits: |_| Limits { process_mib: 16 * 1024, ..Limits::DEFAULT },
    needs: &[Need { capability: "a second core", without: "a speed-up above one" }],
    ..DemoSpec::BASE
};

impl Demo for Cores {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let mut bench = Bench::new(stage);
        bench.tell_machine(stage);
        let most = bring_on(stage, &params, &bench.cpus)?;
        let plan = sweep::plan(bench.cpus.len(), most);
        bench.draw_limit(stage, &plan);
        let rounds = params.count("rounds");
        let length = Duration::from_millis(params.int("length").unsigned_abs());
        if rest(stage, PAUSE) == Went::Finish {
            return Ok(());
        }
        'rounds: for round in 1..=rounds {
            for &workers in &plan {
                stage.tell(Fact::Step { name: format!("round {round} of {rounds}, {workers} workers") });
                Bench::say(stage, workers, &format!("running: round {round} of {rounds}"));
                match bench.measure(stage, round, workers, length) {
                    Went::On => {
                        bench.show(stage, workers);
                        Bench::say(stage, workers, &format!("{round} of {rounds} rounds"));
                    }
                    Went::Finish => return Ok(()),
                    Went::Lost(name) => {
                        let why = format!("worker {name} ended before its time");
                        stage.tell(Fact::Refused(Unavailable::new("the rest of the rounds", why)));
                        break 'rounds;
                    }
                }
            }
        }
        for &workers in &plan {
            let sure = bench.sweep.sure(workers);
            let measure = workers == 1 && sure == Sure::Steady;
            Bench::say(stage, workers, if measure { "the measure" } else { sure.words() });
        }
        stage.tell(Fact::settled());
        rest(stage, STAY);
        Ok(())
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let cores = tally.start.as_ref().map(|start| start.cpus.len());
        let machine = |value: &str| tally.cell(MACHINE, "this machine", value).cloned().unwrap_or(Value::Null);
        let moved: u64 = tally.workers().filter_map(|w| w.number("migrations")).sum();
        let mut values = Sweep::told(tally, ROUNDS).values();
        values.push(("migrations", json!(moved)));
        values.push(("cores", json!(cores)));
        values.push(("installed", machine("installed")));
        values.push(("physical", machine("physical")));
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Brings the workers on, asleep; how many there are.
fn bring_on(stage: &mut Stage, params: &Params, cpus: &[Cpu]) -> Result<usize, Unavailable> {
    let wanted = match params.count("workers") {
        0 => (2 * cpus.len()).min(usize::try_from(MOST).unwrap_or(1)),
        given => given,
    };
    for (n, home) in (0..wanted).zip(cpus.iter().cycle()) {
        let cpus = if params.flag("pin") { vec![*home] } else { Vec::new() };
        match stage.enter(params.workers_as(), &Settings { cpus, nice: 0 }, compute) {
            Ok(number) => stage.order(number, REST),
            Err(refused) if n == 0 => return Err(refused),
            Err(refused) => {
                stage.tell(Fact::Refused(refused));
                return Ok(n);
            }
        }
    }
    Ok(wanted)
}

/// A worker's part: it computes while it is told to, and counts how often it finds itself on another core.
fn compute(worker: &Worker) {
    let mut pulse = worker.pulse();
    let (mut core, mut moved, mut told) = (None, 0_u64, 0);
    loop {
        match worker.order() {
            RUN => {
                pulse.beat();
                let here = rustix::thread::sched_getcpu();
                moved += u64::from(core.replace(here).is_some_and(|last| last != here));
            }
            Worker::HALT => return,
            order => {
                if moved > told {
                    told = moved;
                    worker.tell(Fact::Value { tid: worker.tid(), name: "migrations".to_owned(), value: json!(moved) });
                }
                let _ = worker.wait(order, Duration::MAX);
            }
        }
    }
}

/// How a wait ended.
#[derive(Debug, PartialEq, Eq)]
enum Went {
    /// Its time is over.
    On,
    /// The run is to end.
    Finish,
    /// This worker is no more.
    Lost(String),
}

/// Lets time pass.
fn rest(stage: &mut Stage, time: Duration) -> Went {
    let until = Instant::now() + time;
    loop {
        match stage.next(Some(until.saturating_duration_since(Instant::now()))) {
            Cue::Time => return Went::On,
            Cue::Finish => return Went::Finish,
            Cue::Ended(number) => {
                return Went::Lost(stage.cast().get(number).map(|entry| entry.name.clone()).unwrap_or_default());
            }
            Cue::Steer(_) => {}
        }
    }
}

/// Who measures: the leader, which sleeps while the workers run.
struct Bench {
    cpus: Vec<Cpu>,
    sweep: Sweep,
}

/// The workers' counters at a moment.
struct Look {
    at: Instant,
    work: u64,
}

impl Bench {
    fn new(stage: &Stage) -> Self {
        let cpus = stage.cpus().to_vec();
        Self { sweep: Sweep::new(cpus.len()), cpus }
    }

    fn tell_machine(&self, stage: &mut Stage) {
        let values = [("installed", account::installed()), ("physical", account::physical(&self.cpus))];
        let values = values.map(|(name, value)| (name.to_owned(), json!(value))).into();
        stage.tell(Fact::Row { table: MACHINE.to_owned(), row: "this machine".to_owned(), values });
    }

    /// Draws what a core for each worker would give.
    #[expect(clippy::cast_precision_loss, reason = "numbers of workers")]
    fn draw_limit(&self, stage: &mut Stage, plan: &[usize]) {
        for &n in plan {
            let (x, y) = (n as f64, n.min(self.cpus.len()) as f64);
            stage.tell(Fact::Point { curve: LIMIT.to_owned(), x, y });
        }
    }

    /// Lets so many workers run, and the others sleep.
    fn measure(&mut self, stage: &mut Stage, round: usize, workers: usize, length: Duration) -> Went {
        let (begun, not_idle) = (Instant::now(), account::not_idle(&self.cpus));
        let ran = Self::ran(stage, workers);
        (0..workers).for_each(|n| stage.order(n, RUN));
        let mut went = rest(stage, SPREAD);
        let first = look(stage, workers);
        if went == Went::On {
            went = rest(stage, length);
        }
        let last = look(stage, workers);
        (0..workers).for_each(|n| stage.order(n, REST));
        // Of the pause nothing is counted: there the others would catch up.
        let (running, not_idle) = (begun.elapsed().as_secs_f64(), since(account::not_idle(&self.cpus), not_idle));
        if went == Went::On {
            went = rest(stage, PAUSE);
        }
        if went != Went::On {
            return went;
        }
        let ran = since(Self::ran(stage, workers), ran);
        let others = since(not_idle, ran).map(|s| s.max(0.0));
        let time = last.at.saturating_duration_since(first.at).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
        let rate = last.work.saturating_sub(first.work) as f64 / time.max(f64::MIN_POSITIVE);
        let (busy, others) = (ran.map(|s| s / running), others.map(|s| s / running));
        let measured = Measured { round, workers, rate, busy, others };
        stage.tell(Fact::Row { table: ROUNDS.to_owned(), row: measured.name(), values: measured.values() });
        self.sweep.add(measured);
        Went::On
    }

    /// Seconds of CPU time that these workers have had, if they sleep.
    fn ran(stage: &Stage, workers: usize) -> Option<f64> {
        stage.cast().iter().take(workers).map(|entry| account::ran(entry.pid, entry.tid)).sum()
    }

    fn row(stage: &mut Stage, workers: usize, values: Values) {
        stage.tell(Fact::Row { table: SPEEDUPS.to_owned(), row: workers.to_string(), values });
    }

    fn say(stage: &mut Stage, workers: usize, words: &str) {
        Self::row(stage, workers, [("says".to_owned(), json!(words))].into());
    }

    /// Tells what this number of workers has come to so far.
    #[expect(clippy::cast_precision_loss, reason = "a number of workers")]
    fn show(&self, stage: &mut Stage, workers: usize) {
        let Some(spread) = self.sweep.speedup(workers) else { return };
        let values = [
            ("speedup", json!(two(spread.median))),
            ("half", json!(sweep::range(&spread))),
            ("busy", json!(self.sweep.busy(workers).map(two))),
        ];
        Self::row(stage, workers, values.map(|(name, value)| (name.to_owned(), value)).into());
        stage.tell(Fact::Point { curve: MEASURED.to_owned(), x: workers as f64, y: two(spread.median) });
    }
}

/// The difference of two readings, if both were to be had.
fn since(now: Option<f64>, then: Option<f64>) -> Option<f64> {
    Some(now? - then?)
}

/// All counters at one moment, as nearly as the leader can look.
fn look(stage: &Stage, workers: usize) -> Look {
    let glance = || {
        let begun = Instant::now();
        let work = (0..workers).map(|n| stage.work(n)).sum();
        (begun.elapsed(), Look { at: begun, work })
    };
    let (mut took, mut look) = glance();
    for _ in 0..5 {
        if took <= GLANCE {
            break;
        }
        (took, look) = glance();
    }
    look
}

#[cfg(test)]
mod tests;
