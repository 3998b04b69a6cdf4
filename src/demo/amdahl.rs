//! `amdahl`: work of which a part cannot be divided, done by more and more workers, beside the law that says how much faster it
//! can get at best (Amdahl 1967).
//!
//! The serial part is one task, which one worker of a pool does while the others wait. The rest is cut into pieces, which
//! all workers take from one queue. Each round does the same number of steps with each number of workers.

use super::Demo;
use super::executor::Timed;
use super::pace::{self, Cut, Pace};
use super::script;
use super::spread::{Spread, two};
use super::sweep::{self, Sure, Sweep};
use crate::fact::{
    As, ColumnSpec, CurveSpec, CurvesSpec, DOUBT, DemoSpec, Fact, Limits, Need, ParamKind, ParamSpec, Params, Picture,
    ReturnKind, ReturnSpec, SETTLED, Stroke, TableSpec, Tally, Values,
};
use crate::stage::{Stage, Worker};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Amdahl;

/// Pieces that the rest is cut into, about: small against the whole, and as many as the queue has room for.
const PIECES: usize = 60;

/// The most workers: each gets a piece.
const MOST: i64 = 60;

/// Steps of the generator in a unit of work: some microseconds.
const STEPS: u64 = 1500;

/// Units by which one worker's speed is found.
const TRIAL: u64 = 4000;

/// How long the result stays, in milliseconds.
const STAY_MS: i64 = 1000;

/// The only error of a task: the run is over.
const CALLED_OFF: u32 = 1;

/// As the law says: at most so much more or less, as a share.
const NEARLY: f64 = 0.15;

const ROUNDS: &str = "rounds";

static CURVES: CurvesSpec = CurvesSpec {
    name: "speed-up",
    x: "workers",
    y: "speed-up",
    kind: ReturnKind::Number,
    curves: &[
        CurveSpec { curve: "measured", label: "measured", stroke: Stroke::Measured },
        CurveSpec { curve: "law", label: "the law", stroke: Stroke::Reference },
        CurveSpec { curve: "here", label: "law, your cores", stroke: Stroke::Reference },
    ],
};

static TABLE: TableSpec = TableSpec {
    name: "by workers",
    head: "workers",
    columns: &[
        ColumnSpec { value: "speedup", head: "speed-up", kind: ReturnKind::Number },
        ColumnSpec { value: "half", head: "half lie in", kind: ReturnKind::Word },
        ColumnSpec { value: "law", head: "law", kind: ReturnKind::Number },
        ColumnSpec { value: "here", head: "cores here", kind: ReturnKind::Number },
        ColumnSpec { value: "says", head: "how sure", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "amdahl",
    title: "work that cannot all be divided",
    part: "In practice",
    about: "The same work with 1, 2 and more workers. A part of it can be done by one only, while the others wait. How much faster \
            does it get, and what does the law say?",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "serial",
            kind: ParamKind::Int { min: 0, max: 100, default: 10, unit: "%" },
            help: "the part that one worker must do alone",
        },
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 0, max: MOST, default: 0, unit: "" },
            help: "the most at a time; 0: twice as many as cores",
        },
        ParamSpec {
            name: "rounds",
            kind: ParamKind::Int { min: 5, max: 25, default: 7, unit: "" },
            help: "how often all is measured",
        },
        ParamSpec {
            name: "length",
            kind: ParamKind::Int { min: 20, max: 2000, default: 200, unit: "ms" },
            help: "about how long one worker takes for all of it",
        },
    ],
    returns: &[
        ReturnSpec { name: "speedup", kind: ReturnKind::Table, help: "times as fast as one worker, by workers" },
        ReturnSpec {
            name: "law",
            kind: ReturnKind::Table,
            help: "what the law allows with a core for each, by workers",
        },
        ReturnSpec { name: "here", kind: ReturnKind::Table, help: "what it allows with the cores here, by workers" },
        ReturnSpec { name: "limit", kind: ReturnKind::Number, help: "what the law allows with any number of cores" },
        ReturnSpec { name: "best_speedup", kind: ReturnKind::Number, help: "the largest; none if inconclusive" },
        ReturnSpec {
            name: "of_law",
            kind: ReturnKind::Share,
            help: "measured over the law, with as many workers as cores; none if inconclusive",
        },
        ReturnSpec {
            name: "follows",
            kind: ReturnKind::Word,
            help: "whether that is as the law says: law, below or above; none if inconclusive",
        },
        ReturnSpec { name: "serial", kind: ReturnKind::Share, help: "the part that cannot be divided" },
        ReturnSpec { name: "cores", kind: ReturnKind::Count, help: "cores that may be used" },
        ReturnSpec { name: "others", kind: ReturnKind::Number, help: "cores' worth of time that others had" },
        ReturnSpec { name: "rounds", kind: ReturnKind::Count, help: "rounds that were measured" },
        ReturnSpec { name: "verdict", kind: ReturnKind::Word, help: "clear or inconclusive" },
        DOUBT,
    ],
    pictures: &[Picture::Table(&TABLE), Picture::Curves(&CURVES), Picture::Lanes, Picture::Workers],
    // The C library sets 128 MiB of addresses aside for each thread that allocates (glibc's HEAP_MAX_SIZE, twice).
    limits: |_| Limits { process_mib: 16 * 1024, ..Limits::DEFAULT },
    needs: &[Need { capability: "a second core", without: "a speed-up above one" }],
    ..DemoSpec::BASE
};

/// The law: how many times as fast, where the share `serial` is done by one and the rest by `workers` at once.
#[expect(clippy::cast_precision_loss, reason = "a number of workers")]
fn law(serial: f64, workers: usize) -> f64 {
    1.0 / (serial + (1.0 - serial) / workers.max(1) as f64)
}

#[expect(clippy::cast_precision_loss, reason = "per cent")]
fn serial(params: &Params) -> f64 {
    params.int("serial") as f64 / 100.0
}

impl Demo for Amdahl {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        let cores = tally.start.as_ref().map(|start| start.cpus.len());
        let (sweep, serial) = (Sweep::told(tally, ROUNDS), serial(params));
        let measured = sweep.measured();
        let table = |value: &dyn Fn(usize) -> Option<f64>| -> Value {
            let entries = measured.iter().filter_map(|n| Some((n.to_string(), json!(two(value(*n)?)))));
            Value::Object(entries.collect::<Map<_, _>>())
        };
        let steady = |n: &usize| *n == 1 || sweep.sure(*n) == Sure::Steady;
        let clear = measured.len() > 1 && measured.iter().all(steady);
        let best = measured.iter().filter_map(|n| sweep.speedup(*n)).map(|s| s.median).reduce(f64::max);
        let of_law = of_law(&sweep, serial, cores.unwrap_or(0));
        let follows = of_law.map(|share| match share {
            share if share < 1.0 - NEARLY => "below",
            share if share > 1.0 + NEARLY => "above",
            _ => "law",
        });
        [
            ("speedup", table(&|n| sweep.speedup(n).map(|s| s.median))),
            ("law", table(&|n| Some(law(serial, n)))),
            ("here", table(&|n| cores.map(|cores| law(serial, n.min(cores))))),
            ("limit", json!((serial > 0.0).then(|| two(1.0 / serial)))),
            ("best_speedup", json!(best.filter(|_| clear).map(two))),
            ("of_law", json!(of_law.map(|share| (share * 1000.0).round() / 1000.0))),
            ("follows", json!(follows)),
            ("serial", json!(serial)),
            ("cores", json!(cores)),
            ("others", json!(sweep.others().map(two))),
            ("rounds", json!(sweep.rounds())),
            ("verdict", json!(if clear { "clear" } else { "inconclusive" })),
            (DOUBT.name, json!(sweep.doubt().filter(|_| !clear))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// The speed-up over what the law says, with as many workers as cores, or the most below; none of one worker, and none
/// where it is not sure.
fn of_law(sweep: &Sweep, serial: f64, cores: usize) -> Option<f64> {
    let workers = sweep.measured().into_iter().filter(|n| (2..=cores).contains(n)).max()?;
    let sure = sweep.sure(workers) == Sure::Steady;
    sweep.speedup(workers).filter(|_| sure).map(|s| s.median / law(serial, workers))
}

/// A task: so many units of work.
fn compute(worker: &Worker, units: u64) -> Result<u64, u32> {
    let mut x = units;
    for _ in 0..units {
        for _ in 0..STEPS {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        }
        std::hint::black_box(x);
        if worker.order() == Worker::HALT {
            return Err(CALLED_OFF);
        }
    }
    Ok(units)
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let timed = Timed::new(stage)?;
    let mut bench = Bench { sweep: Sweep::new(timed.cpus().len()), timed, units: 0, serial: serial(&params) };
    let most = bench.hire(stage, &params)?;
    let plan = sweep::plan(bench.timed.cpus().len(), most);
    bench.draw_law(stage, &plan);
    bench.size(stage, Duration::from_millis(params.int("length").unsigned_abs()))?;
    let rounds = params.count("rounds");
    for round in 1..=rounds {
        for &workers in &plan {
            script::step(stage, &format!("round {round} of {rounds}, {workers} workers"));
            bench.measure(stage, round, workers)?;
        }
    }
    for &workers in &plan {
        let sure = bench.sweep.sure(workers);
        let says = if workers == 1 && sure == Sure::Steady { "the measure" } else { sure.words() };
        stage.tell(script::row(TABLE.name, &workers.to_string(), json!({ "says": says })));
    }
    script::step(stage, SETTLED);
    Pace::new(STAY_MS).rest(stage)
}

/// Who measures: the leader, which sleeps while the workers are at it.
struct Bench {
    timed: Timed,
    sweep: Sweep,
    /// Units of the whole work.
    units: u64,
    serial: f64,
}

impl Bench {
    /// Brings the workers on; how many there are.
    fn hire(&mut self, stage: &mut Stage, params: &Params) -> Result<usize, Cut> {
        let wanted = match params.count("workers") {
            0 => (2 * self.timed.cpus().len()).min(usize::try_from(MOST).unwrap_or(1)),
            given => given,
        };
        for n in 0..wanted {
            match self.timed.executor.hire(stage, params.workers_as(), compute, |_, _| {}) {
                Ok(_) => {}
                Err(refused) if n == 0 => return Err(refused.into()),
                Err(refused) => {
                    stage.tell(Fact::Refused(refused));
                    return Ok(n);
                }
            }
        }
        Ok(wanted)
    }

    /// Draws what the law says.
    #[expect(clippy::cast_precision_loss, reason = "a number of workers")]
    fn draw_law(&self, stage: &mut Stage, plan: &[usize]) {
        for &n in plan {
            let (all, here) = (two(law(self.serial, n)), two(law(self.serial, n.min(self.timed.cpus().len()))));
            stage.tell(script::row(TABLE.name, &n.to_string(), json!({ "law": all, "here": here })));
            for (curve, y) in [("law", all), ("here", here)] {
                stage.tell(Fact::Point { curve: curve.to_owned(), x: n as f64, y });
            }
        }
    }

    /// Finds how many units one worker does in `length`.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "about")]
    fn size(&mut self, stage: &mut Stage, length: Duration) -> Result<(), Cut> {
        self.timed.executor.open(1);
        let mut times = Vec::new();
        for _ in 0..3 {
            let begun = Instant::now();
            self.timed.finish(stage, &[TRIAL])?;
            times.push(begun.elapsed().as_secs_f64());
        }
        let trial = Spread::of(&times).map_or(1.0, |s| s.low);
        self.units = ((length.as_secs_f64() / trial) * TRIAL as f64).max(1.0) as u64;
        Ok(())
    }

    /// Lets so many workers do the whole work.
    #[expect(clippy::cast_precision_loss, reason = "a number of workers")]
    fn measure(&mut self, stage: &mut Stage, round: usize, workers: usize) -> Result<(), Cut> {
        let (alone, pieces) = cut(self.units, self.serial, workers);
        let (measured, _) = self.timed.measure(stage, round, workers, &[&alone, &pieces])?;
        stage.tell(Fact::Row { table: ROUNDS.to_owned(), row: measured.name(), values: measured.values() });
        self.sweep.add(measured);
        if let Some(spread) = self.sweep.speedup(workers) {
            let (speedup, half) = (two(spread.median), sweep::range(&spread));
            let values = json!({ "speedup": speedup, "half": half, "says": format!("{round} rounds") });
            stage.tell(script::row(TABLE.name, &workers.to_string(), values));
            stage.tell(Fact::Point { curve: "measured".to_owned(), x: workers as f64, y: speedup });
        }
        Ok(())
    }
}

/// The whole work, cut: the part for one alone, and pieces for so many workers, the same number for each.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
fn cut(units: u64, serial: f64, workers: usize) -> (Vec<u64>, Vec<u64>) {
    let alone = ((units as f64 * serial).round() as u64).min(units);
    let pieces = (workers * (PIECES / workers.max(1)).max(1)) as u64;
    let rest = units - alone;
    let each = (0..pieces).map(|n| rest * (n + 1) / pieces - rest * n / pieces);
    let some = |units: &u64| *units > 0;
    (Some(alone).filter(some).into_iter().collect(), each.filter(some).collect())
}

#[cfg(test)]
mod tests;
