//! `race`: several workers add to one counter, with and without a guard, and what memory holds in the end is compared with what
//! they have added.
//!
//! The counter lies in memory that processes share as well, so that both kinds of worker race alike.

mod ground;
mod guard;
mod watch;

use super::Demo;
use super::arenas;
use super::pace::{self, Cut, Pace};
use crate::fact::{
    ColumnSpec, CurveSpec, CurvesSpec, DemoSpec, Fact, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec,
    Source, Stroke, TableSpec, Tally, TaskTally, Unavailable, Values,
};
use crate::stage::{Settings, Stage};
use ground::Ground;
use watch::Watch;

pub(super) use guard::bump;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub(super) struct Race;

/// How long one guard may take: alone, and as one of five. So a run ends where a lock is many times slower than elsewhere: a
/// spinlock whose holder is off the core while others go round.
const BUDGET: [Duration; 2] = [Duration::from_secs(10), Duration::from_millis(1500)];

/// How long the result stays, in milliseconds.
const STAY_MS: i64 = 1000;

static GUARDS: TableSpec = TableSpec {
    name: "guards",
    head: "guard",
    columns: &[
        ColumnSpec { value: "expected", head: "should be", kind: ReturnKind::Count },
        ColumnSpec { value: "found", head: "in memory", kind: ReturnKind::Count },
        ColumnSpec { value: "lost", head: "lost", kind: ReturnKind::Count },
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
        ReturnSpec {
            name: "falls",
            kind: ReturnKind::Count,
            help: "looks at memory that found less than the look before, of a thousand a second at most",
        },
        ReturnSpec { name: "deepest", kind: ReturnKind::Count, help: "the most that it was less" },
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
    limits: arenas::room,
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
            ("falls", last("falls")),
            ("deepest", last("deepest")),
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
    let mut watch = Watch::new(workers, BUDGET[usize::from(each)]);
    (1..=words.len()).try_for_each(|turn| watch.turn(stage, &ground, turn))?;
    stage.tell(Fact::settled());
    Pace::new(STAY_MS).rest(stage)
}

#[cfg(test)]
mod tests;
