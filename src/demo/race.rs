//! `race`: several workers add to one counter, with and without a guard, and what memory holds in the end is compared with what
//! they have added.
//!
//! The counter lies in memory that processes share as well, so that both kinds of worker race alike.

mod guard;

use super::Demo;
use super::area::Area;
use super::pace::{self, Cut, Pace};
use crate::fact::{
    ColumnSpec, CurveSpec, CurvesSpec, DemoSpec, Fact, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec,
    Source, Stroke, TableSpec, Tally, TaskTally, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage, Worker, now};
use guard::Guard;
pub(super) use guard::bump;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Race;

/// Adds between two looks at the orders.
const CHUNK: u64 = 256;

/// How long one guard may take: alone, and as one of five. A spinlock on one core, or with others who want the cores, would
/// take minutes for what takes a tenth of a second otherwise.
const BUDGET: [Duration; 2] = [Duration::from_secs(10), Duration::from_millis(1500)];

/// How often the counter is looked at: in the first second, so that a store of an old number is seen as a step down, and after
/// that, when the curve has points enough.
const LOOK: [Duration; 2] = [Duration::from_millis(4), Duration::from_millis(20)];

/// How often all of it is told.
const TELL: Duration = Duration::from_millis(100);

/// How long the workers may take to see that the time is over.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the result stays, in milliseconds.
const STAY_MS: i64 = 1000;

static GUARDS: TableSpec = TableSpec {
    name: "guards",
    head: "guard",
    columns: &[
        ColumnSpec { value: "expected", head: "should be", kind: ReturnKind::Count },
        ColumnSpec { value: "found", head: "memory holds", kind: ReturnKind::Count },
        ColumnSpec { value: "lost", head: "lost", kind: ReturnKind::Count },
        ColumnSpec { value: "lost_share", head: "share", kind: ReturnKind::Share },
        ColumnSpec { value: "per_second", head: "adds a second", kind: ReturnKind::Count },
    ],
};

static COUNTER: CurvesSpec = CurvesSpec {
    name: "counter",
    x: "ms",
    y: "adds",
    kind: ReturnKind::Count,
    curves: &[
        CurveSpec { curve: "found", label: "memory holds", stroke: Stroke::Measured },
        CurveSpec { curve: "expected", label: "should be", stroke: Stroke::Reference },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "race",
    title: "several add to one counter",
    part: "Sharing without tears",
    about: "Each worker adds 1 to one counter, many times: it loads the counter, adds 1, and stores the sum. Without a guard \
            one stores over what another has stored meanwhile. What memory holds in the end says how much was lost.",
    params: &[
        ParamSpec { name: "as", kind: ParamKind::Choice(&["threads", "processes"]), help: "what the workers are" },
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 1, max: 8, default: 2, unit: "" },
            help: "how many add",
        },
        ParamSpec {
            name: "adds",
            kind: ParamKind::Int { min: 1, max: 1_000_000_000, default: 5_000_000, unit: "" },
            help: "how often each adds 1, at most; after 10 s all stop",
        },
        ParamSpec {
            name: "guard",
            kind: ParamKind::Choice(&["none", "atomic", "mutex", "spin", "rwlock", "each"]),
            help: "what stands between them; each: one after the other",
        },
        ParamSpec {
            name: "cpus",
            kind: ParamKind::Choice(&["all", "one"]),
            help: "each on a core of its own as far as there are any, or all on one",
        },
    ],
    returns: &[
        ReturnSpec { name: "expected", kind: ReturnKind::Count, help: "adds that were done, under the last guard" },
        ReturnSpec { name: "found", kind: ReturnKind::Count, help: "what memory holds in the end" },
        ReturnSpec { name: "lost", kind: ReturnKind::Count, help: "adds that memory knows nothing of" },
        ReturnSpec { name: "lost_share", kind: ReturnKind::Share, help: "of the adds, those that were lost" },
        ReturnSpec {
            name: "per_second",
            kind: ReturnKind::Count,
            help: "adds a second by the workers' clocks, while they were watched",
        },
        ReturnSpec {
            name: "lost_guarded",
            kind: ReturnKind::Count,
            help: "adds that were lost under any guard but none",
        },
        ReturnSpec { name: "pushed_off", kind: ReturnKind::Count, help: "times that a worker was pushed off its core" },
        ReturnSpec { name: "losses", kind: ReturnKind::Table, help: "lost under each guard" },
        ReturnSpec { name: "speeds", kind: ReturnKind::Table, help: "adds a second under each guard" },
        ReturnSpec {
            name: "price",
            kind: ReturnKind::Table,
            help: "how many times longer an add takes under each guard than under none",
        },
        ReturnSpec { name: "mutex_price", kind: ReturnKind::Number, help: "the same for the mutex alone" },
    ],
    pictures: &[Picture::Table(&GUARDS), Picture::Curves(&COUNTER), Picture::Cards, Picture::Lanes],
    ..DemoSpec::BASE
};

impl Demo for Race {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        // A guard whose workers are not through yet has no speed.
        let done = || tally.table(GUARDS.name).iter().filter(|row| row.values.contains_key("per_second"));
        let last = |name: &str| done().next_back().and_then(|row| row.values.get(name).cloned());
        let by_guard = |name: &str| -> Option<Value> {
            let table: serde_json::Map<_, _> =
                done().filter_map(|row| Some((row.name.clone(), row.values.get(name)?.clone()))).collect();
            (!table.is_empty()).then_some(Value::Object(table))
        };
        let prices = by_guard("per_second").and_then(|speeds| price(&speeds));
        let guarded: Vec<u64> = done()
            .filter(|row| row.name != guard::WORDS[0])
            .filter_map(|row| row.values.get("lost")?.as_u64())
            .collect();
        [
            ("expected", last("expected")),
            ("found", last("found")),
            ("lost", last("lost")),
            ("lost_share", last("lost_share")),
            ("per_second", last("per_second")),
            ("lost_guarded", (!guarded.is_empty()).then(|| json!(guarded.iter().sum::<u64>()))),
            ("pushed_off", pushed_off(tally).map(|n| json!(n))),
            ("losses", by_guard("lost")),
            ("speeds", by_guard("per_second")),
            ("mutex_price", prices.as_ref().and_then(|prices| prices.get("mutex")).cloned()),
            ("price", prices),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

/// How often the workers were pushed off: as the kernel's records say, or else its own account, which each worker leaves at its
/// end.
fn pushed_off(tally: &Tally) -> Option<u64> {
    let exact = tally.start.as_ref()?.source == Source::Exact;
    let of = |worker: &TaskTally| -> Option<u64> {
        if exact { Some(worker.preempted) } else { Some(worker.counters.as_ref()?.involuntary) }
    };
    // Before there is anything to count nobody knows how often it was.
    tally.workers().next()?;
    tally.workers().map(of).sum()
}

/// How many times longer an add takes than under no guard, where that was measured too.
fn price(speeds: &Value) -> Option<Value> {
    let open = speeds.get(guard::WORDS[0])?.as_f64()?;
    let times =
        |speed: &Value| speed.as_f64().filter(|speed| *speed > 0.0).map(|speed| (open / speed * 10.0).round() / 10.0);
    let guarded = speeds.as_object()?.iter().filter(|(word, _)| *word != guard::WORDS[0]);
    let table: serde_json::Map<_, _> =
        guarded.filter_map(|(word, speed)| Some((word.clone(), json!(times(speed)?)))).collect();
    (!table.is_empty()).then_some(Value::Object(table))
}

/// What the workers have in common: the counter, alone on its page, and a line of cache for what each says of itself.
#[derive(Debug)]
struct Ground {
    area: Area,
    guards: Vec<(&'static str, Guard)>,
    adds: u64,
}

/// What a worker says of itself, and in which word of its line.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// How many guards it is through with.
    Through,
    /// Its adds under this guard.
    Done,
    /// When it began with this guard, on CLOCK_MONOTONIC.
    Begun,
    /// When it ended.
    Ended,
}

/// Words in a line of cache, or in two that some processors fetch together.
const LINE: usize = 16;

impl Ground {
    fn new(words: &[&'static str], adds: u64) -> std::io::Result<Self> {
        let guards = words.iter().map(|word| Ok((*word, Guard::of(word)?))).collect::<std::io::Result<_>>()?;
        Ok(Self { area: Area::shared(2)?, guards, adds })
    }

    fn counter(&self) -> &AtomicU64 {
        self.area.word(0)
    }

    fn said(&self, worker: usize, what: Says) -> &AtomicU64 {
        self.area.word_of(1, worker * LINE + what as usize)
    }

    /// A worker's part: under each guard, when its turn comes, it adds. An order is the number of a guard, counted from 1,
    /// and [`STOP`] more when the time for it is over.
    fn play(&self, worker: &Worker, number: usize) {
        for ((_, guard), turn) in self.guards.iter().zip(1_u64..) {
            let mut order = worker.order();
            while order != Worker::HALT && order % STOP < turn {
                order = worker.wait(order, Duration::MAX);
            }
            let (counter, done_word) = (self.counter(), self.said(number, Says::Done));
            self.said(number, Says::Begun).store(now().0, Relaxed);
            let mut done = 0;
            while done < self.adds && worker.order() == turn {
                let part = CHUNK.min(self.adds - done);
                if !guard.add(counter, part) {
                    break;
                }
                done += part;
                done_word.store(done, Relaxed);
                worker.set_work(done);
            }
            self.said(number, Says::Ended).store(now().0, Relaxed);
            self.said(number, Says::Through).store(turn, Release);
            if worker.order() == Worker::HALT {
                return;
            }
        }
    }

    /// What all have added under the guard that is on.
    fn expected(&self, workers: usize) -> u64 {
        (0..workers).map(|n| self.said(n, Says::Done).load(Relaxed)).sum()
    }

    /// The nanoseconds from the first that began to the last that ended.
    fn took(&self, workers: usize) -> u64 {
        let all = |what| (0..workers).map(move |n| self.said(n, what).load(Relaxed));
        let (begun, ended) = (all(Says::Begun).min().unwrap_or(0), all(Says::Ended).max().unwrap_or(0));
        ended.saturating_sub(begun)
    }
}

/// Added to the order of a guard: stop.
const STOP: u64 = 1 << 32;

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let each = params.word("guard") == "each";
    let words: Vec<_> = guard::WORDS.into_iter().filter(|word| each || *word == params.word("guard")).collect();
    let ground = Ground::new(&words, params.int("adds").unsigned_abs());
    let ground = Arc::new(ground.map_err(|error| Unavailable::new("the shared counter", error.to_string()))?);
    let workers = params.count("workers");
    let cores = if params.word("cpus") == "one" { 1 } else { stage.cpus().len() };
    for number in 0..workers {
        let cpu = stage.cpus().get(number % cores.max(1)).copied();
        let settings = Settings { cpus: cpu.into_iter().collect(), nice: 0 };
        let ground = Arc::clone(&ground);
        stage.enter(params.workers_as(), &settings, move |worker| ground.play(worker, number))?;
    }
    let budget = BUDGET[usize::from(each)];
    for turn in 1..=words.len() {
        let whole = turn_of(stage, &ground, (turn, workers), budget)?;
        if !whole {
            return Err(Cut::Finish);
        }
    }
    stage.tell(Fact::Step { name: "settled".to_owned() });
    Pace::new(STAY_MS).rest(stage)
}

/// Lets the workers add under one guard, and tells how it goes and what it came to. False if the learner has seen enough.
fn turn_of(
    stage: &mut Stage,
    ground: &Ground,
    (turn, workers): (usize, usize),
    budget: Duration,
) -> Result<bool, Unavailable> {
    let order = turn as u64;
    let (word, alone) = (ground.guards[turn - 1].0, ground.guards.len() == 1);
    ground.counter().store(0, Relaxed);
    (0..workers).for_each(|n| ground.said(n, Says::Done).store(0, Relaxed));
    (0..workers).for_each(|n| stage.order(n, order));
    let through = |stage: &Stage| {
        (0..workers).all(|n| {
            ground.said(n, Says::Through).load(Acquire) >= order
                || stage.cast().get(n).is_none_or(|entry| entry.ended.is_some())
        })
    };
    let (begun, mut told) = (Instant::now(), None::<Instant>);
    let (mut stopped, mut go_on) = (false, true);
    while !through(stage) {
        let late = begun.elapsed() > Duration::from_secs(1);
        if stage.next(Some(LOOK[usize::from(late)])) == Cue::Finish {
            go_on = false;
        }
        if !stopped && (!go_on || begun.elapsed() > budget) {
            stopped = true;
            (0..workers).for_each(|n| stage.order(n, order + STOP));
        }
        if begun.elapsed() > budget + PATIENCE {
            return Err(Unavailable::new("the end of the adds", "a worker holds the lock and does not give it back"));
        }
        let (found, expected) = (ground.counter().load(Relaxed), ground.expected(workers));
        if alone {
            point(stage, begun, found, expected);
        }
        if told.is_none_or(|told| told.elapsed() >= TELL) {
            told = Some(Instant::now());
            row(stage, word, found, expected, None);
        }
    }
    let (found, expected) = (ground.counter().load(Relaxed), ground.expected(workers));
    if alone {
        point(stage, begun, found, expected);
    }
    row(stage, word, found, expected, Some(ground.took(workers)));
    Ok(go_on)
}

/// A point of the curves: the counter, and what it should be.
fn point(stage: &mut Stage, begun: Instant, found: u64, expected: u64) {
    #[expect(clippy::cast_precision_loss, reason = "2^53 adds would take a year")]
    let point = |curve: &str, y: u64| Fact::Point {
        curve: curve.to_owned(),
        x: (begun.elapsed().as_secs_f64() * 1e3).round(),
        y: y as f64,
    };
    stage.tell(point("found", found));
    stage.tell(point("expected", expected));
}

/// The row of a guard. While the workers run, they are read one after the other: what is lost is known to some thousands. The
/// speed is told when all are through.
fn row(stage: &mut Stage, guard: &str, found: u64, expected: u64, took: Option<u64>) {
    let lost = expected.saturating_sub(found);
    #[expect(clippy::cast_precision_loss, reason = "2^53 adds would take a year")]
    let share = (expected > 0).then(|| (lost as f64 / expected as f64 * 1e4).round() / 1e4);
    let mut values = json!({ "expected": expected, "found": found, "lost": lost, "lost_share": share });
    if let Some(took) = took {
        let per_second = u128::from(expected) * 1_000_000_000 / u128::from(took.max(1));
        values["per_second"] = json!(u64::try_from(per_second).unwrap_or(u64::MAX));
    }
    stage.tell(super::script::row(GUARDS.name, guard, values));
}

#[cfg(test)]
mod tests;
