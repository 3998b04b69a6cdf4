//! `footprint`: workers come on one by one, and after each the whole tree is measured. Then a process of its own gets one more
//! thread and one more process in turn, round after round, so that the two can be compared.

mod one_more;
#[cfg(test)]
mod tests;

use super::Demo;
use super::pace::{self, Cut, Pace};
use super::rounds;
use super::sizes::{self, Sizes};
use crate::fact::{
    As, ColumnSpec, CurveSpec, CurvesSpec, DemoSpec, Fact, Limits, Need, ParamKind, ParamSpec, Params, Picture, Pid,
    ReturnKind, ReturnSpec, SETTLED, Stroke, TableSpec, Tally, Unavailable, Values,
};
use crate::lab::Estimate;
use crate::stage::{Cue, Settings, Stage, Worker};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Footprint;

/// Workers that a run can have; the board has room for 64.
const MOST: i64 = 62;

/// How often the leader looks whether a worker is ready.
const LOOK: Duration = Duration::from_millis(5);

/// The step that all have come on.
const ALL: &str = "all";

/// How long all stay when they are counted.
const STAY: Duration = Duration::from_secs(1);

/// One way to measure the tree: the name of its curve, in a table, and what it counts.
struct Measure {
    curve: &'static str,
    row: &'static str,
    counts: &'static str,
}

const PSS: Measure = Measure { curve: "pss", row: "Pss", counts: "each page once, shared out" };
/// Not drawn: Pss, and what forklore's processes above the tree pay for files that they share with it. Each new worker takes
/// over a part of that: Pss goes up by it, and nothing more is in RAM. In this sum it stays where it was.
const PAID: &str = "paid";
const RSS: Measure = Measure { curve: "rss", row: "RSS, added up", counts: "shared pages many times: too much" };
const PRIVATE: Measure = Measure { curve: "private", row: "private", counts: "pages that one process has alone" };
const VSZ: Measure = Measure { curve: "vsz", row: "VSZ, added up", counts: "addresses, with or without a page" };
const TABLES: Measure = Measure { curve: "tables", row: "page tables", counts: "kernel pages, in none of the above" };

static IN_RAM: CurvesSpec = CurvesSpec {
    name: "memory",
    x: "workers",
    y: "KiB in RAM",
    kind: ReturnKind::Kib,
    curves: &[
        CurveSpec { curve: PSS.curve, label: "Pss: the true sum", stroke: Stroke::Measured },
        CurveSpec { curve: RSS.curve, label: "RSS, added up", stroke: Stroke::Measured },
        CurveSpec { curve: PRIVATE.curve, label: "private", stroke: Stroke::Measured },
    ],
};

static RESERVED: CurvesSpec = CurvesSpec {
    name: "reserved",
    x: "workers",
    y: "KiB",
    kind: ReturnKind::Kib,
    curves: &[
        CurveSpec { curve: VSZ.curve, label: "VSZ, added up", stroke: Stroke::Measured },
        CurveSpec { curve: PSS.curve, label: "Pss", stroke: Stroke::Measured },
    ],
};

static SIZES: TableSpec = TableSpec {
    name: "sizes",
    head: "measure",
    columns: &[
        ColumnSpec { value: "all", head: "whole tree", kind: ReturnKind::Kib },
        ColumnSpec { value: "each", head: "one more", kind: ReturnKind::Kib },
        ColumnSpec { value: "sure", head: "95 %", kind: ReturnKind::Word },
        ColumnSpec { value: "counts", head: "what it counts", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "footprint",
    title: "what one more worker costs",
    part: "Memory",
    about: "Workers come on one by one, and wait. After each, all processes of the demo are measured: addresses \
            reserved (VSZ), pages in RAM counted in full (RSS) and shared out (Pss), pages of one process alone. What \
            one more costs is the median step from a worker to the next. When all are gone, a process of one thread gets one \
            more thread and one more process in turn, round after round; what either adds in RAM, pages of files aside, is \
            compared.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "count",
            kind: ParamKind::Int { min: 2, max: MOST, default: 32, unit: "" },
            help: "how many workers come on",
        },
        ParamSpec {
            name: "touch_kib",
            kind: ParamKind::Int { min: 0, max: 4096, default: 0, unit: "KiB" },
            help: "memory of its own that each writes to",
        },
        pace::param(60),
        rounds::param(20),
    ],
    returns: &[
        ReturnSpec { name: "workers", kind: ReturnKind::Count, help: "workers that came on" },
        ReturnSpec { name: "kib_per_worker", kind: ReturnKind::Table, help: "what one more costs, by measure, in KiB" },
        ReturnSpec {
            name: "steps",
            kind: ReturnKind::Table,
            help: "what one more costs, by measure: kib, low, high of n steps",
        },
        ReturnSpec { name: "pss_per_worker_kib", kind: ReturnKind::Kib, help: "Pss that one more costs" },
        ReturnSpec { name: "rss_per_worker_kib", kind: ReturnKind::Kib, help: "RSS, added up, that one more costs" },
        ReturnSpec { name: "vsz_per_worker_kib", kind: ReturnKind::Kib, help: "addresses that one more reserves" },
        ReturnSpec { name: "private_per_worker_kib", kind: ReturnKind::Kib, help: "pages of its own of one more" },
        ReturnSpec { name: "tables_per_worker_kib", kind: ReturnKind::Kib, help: "page tables of one more" },
        ReturnSpec { name: "pss_kib", kind: ReturnKind::Kib, help: "Pss of all in the end" },
        ReturnSpec { name: "rss_kib", kind: ReturnKind::Kib, help: "RSS of all in the end, added up" },
        ReturnSpec { name: "rss_over_pss", kind: ReturnKind::Number, help: "how many times too much RSS adds up to" },
        ReturnSpec { name: "thread_kib", kind: ReturnKind::Kib, help: "what one more thread adds, in the rounds" },
        ReturnSpec {
            name: "process_kib",
            kind: ReturnKind::Kib,
            help: "what one more process adds, in the same rounds",
        },
        ReturnSpec { name: "process_by_thread", kind: ReturnKind::Number, help: "the one by the other" },
        ReturnSpec { name: "process_says", kind: ReturnKind::Word, help: "the verdict on it" },
        ReturnSpec { name: "figures", kind: ReturnKind::Table, help: "kib, low, high, rounds of either" },
        rounds::specs::ROUNDS,
        rounds::specs::OUTLIERS,
        rounds::specs::NOISE,
        ReturnSpec {
            name: "same",
            kind: ReturnKind::Number,
            help: "a thread by a thread: what the rounds themselves are off by",
        },
    ],
    pictures: &[
        Picture::Curves(&IN_RAM),
        Picture::Table(&SIZES),
        Picture::Bars(&one_more::BARS),
        Picture::Curves(&RESERVED),
        Picture::Table(&one_more::RATIOS),
        Picture::Table(&rounds::RUN_TABLE),
        Picture::Curves(&rounds::HISTOGRAM),
        Picture::Curves(&rounds::SURE),
    ],
    controls: &[pace::SLOWER, pace::FASTER, rounds::ENOUGH, rounds::MORE],
    unwatched: true,
    stays: true,
    limits: |params| {
        let (count, touch) = (params.int("count").unsigned_abs(), params.int("touch_kib").unsigned_abs());
        let touched = count * touch / 1024;
        Limits { tree_mib: 512 + count * 16 + touched, process_mib: 1024 + touched, ..Limits::DEFAULT }
    },
    needs: &[Need { capability: "memory totals", without: "Pss and private pages" }],
    ..DemoSpec::BASE
};

impl Demo for Footprint {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let step = |measure: &Measure| median_step(tally.curve(measure.steps()));
        let each = |measure: &Measure| json!(step(measure).map(|step| whole(step.median)));
        let last = |measure: &Measure| tally.curve(measure.curve).last().map(|(_, kib)| *kib);
        let workers = tally.curve(VSZ.curve).last().map_or(0.0, |(workers, _)| *workers);
        let over = last(&RSS).zip(last(&PSS)).filter(|(_, pss)| *pss > 0.0).map(|(rss, pss)| tenth(rss / pss));
        [
            ("workers", json!(whole(workers))),
            ("kib_per_worker", json!({"pss": each(&PSS), "rss": each(&RSS), "vsz": each(&VSZ)})),
            ("steps", steps(step)),
            ("pss_per_worker_kib", each(&PSS)),
            ("rss_per_worker_kib", each(&RSS)),
            ("vsz_per_worker_kib", each(&VSZ)),
            ("private_per_worker_kib", each(&PRIVATE)),
            ("tables_per_worker_kib", each(&TABLES)),
            ("pss_kib", json!(last(&PSS).map(whole))),
            ("rss_kib", json!(last(&RSS).map(whole))),
            ("rss_over_pss", json!(over)),
        ]
        .into_iter()
        .chain(one_more::account(tally))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

/// What one more costs, measure by measure, and how sure that is.
fn steps(step: impl Fn(&Measure) -> Option<Estimate>) -> Value {
    let one = |measure: &Measure| {
        let step = step(measure)?;
        let [low, high] = [step.low, step.high].map(|end| end.map(whole));
        Some((measure.curve.to_owned(), json!({ "kib": whole(step.median), "low": low, "high": high, "n": step.n })))
    };
    Value::Object([PSS, RSS, PRIVATE, VSZ, TABLES].iter().filter_map(one).collect::<Map<_, _>>())
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    sizes::make_plain();
    let mut pace = Pace::new(params.int("pace"));
    let mut scale = Scale::new(params.workers_as());
    scale.weigh(stage);
    let touch = params.count("touch_kib") * 1024;
    for _ in 0..params.count("count") {
        let come = Instant::now();
        let number = match stage.enter(scale.what, &Settings::default(), move |worker| rest(worker, touch)) {
            Ok(number) => number,
            Err(refused) => {
                stage.tell(Fact::Refused(refused));
                break;
            }
        };
        wait(stage, &mut pace, |stage, _| stage.work(number) > 0)?;
        scale.weigh(stage);
        wait(stage, &mut pace, |_, pause| come.elapsed() >= pause)?;
    }
    step(stage, ALL);
    let all = Instant::now();
    wait(stage, &mut pace, |_, _| all.elapsed() >= STAY)?;
    let crowd: Vec<usize> = stage.on().collect();
    stage.dismiss(&crowd);
    if scale.blind {
        step(stage, SETTLED);
        return Ok(());
    }
    one_more::compare(stage, touch, params.count("rounds"))
}

fn step(stage: &mut Stage, name: &str) {
    stage.tell(Fact::Step { name: name.to_owned() });
}

/// Does what the learner wishes until `enough` is true of the stage and the pace.
///
/// # Errors
/// The run is over before.
fn wait(stage: &mut Stage, pace: &mut Pace, enough: impl Fn(&Stage, Duration) -> bool) -> Result<(), Cut> {
    while !enough(stage, Duration::from_millis(pace.millis())) {
        match stage.next(Some(LOOK)) {
            Cue::Steer(steer) => {
                pace.obey(&steer);
            }
            // What is left of the tree is not what was to be measured.
            Cue::Finish | Cue::Ended(_) => return Err(Cut::Finish),
            Cue::Time => {}
        }
    }
    Ok(())
}

/// A worker's part: it writes to memory of its own, says that it is ready, and waits.
fn rest(worker: &Worker, touch: usize) {
    let own = std::hint::black_box(vec![1_u8; touch]);
    worker.set_work(1);
    while worker.wait(0, Duration::MAX) != Worker::HALT {}
    drop(own);
}

/// Measures the tree, and tells what it comes to.
struct Scale {
    what: As,
    told: Vec<(Measure, Vec<(f64, f64)>)>,
    above: Vec<Pid>,
    blind: bool,
}

impl Scale {
    fn new(what: As) -> Self {
        let told = [PSS, RSS, PRIVATE, VSZ, TABLES].map(|measure| (measure, Vec::new())).into();
        Self { what, told, above: Sizes::above(), blind: false }
    }

    /// The leader and whoever is on: processes beside it, or threads within it.
    fn weigh(&mut self, stage: &mut Stage) {
        let workers: Vec<_> = stage.on().filter_map(|number| stage.cast().get(number)).map(|entry| entry.pid).collect();
        let others = if self.what == As::Processes { workers.as_slice() } else { &[] };
        let own = Pid(std::process::id());
        let all = std::iter::once(&own).chain(others).map(|pid| Sizes::of(*pid));
        // One that has just gone is told by its end.
        let Some(sum) = all.reduce(|a, b| Some(a? + b?)).flatten() else { return };
        if sum.walked.is_none() && !std::mem::replace(&mut self.blind, true) {
            let refused = std::iter::once(&own).chain(others).find_map(|pid| Sizes::unwalked(*pid));
            let why = refused.unwrap_or_else(|| "/proc/PID/smaps_rollup does not tell them".to_owned());
            stage.tell(Fact::Refused(Unavailable::new("Pss and private pages", why)));
        }
        let x = f64::from(u32::try_from(workers.len()).unwrap_or(u32::MAX));
        let above = self.above.iter().filter_map(|pid| Some(Sizes::of(*pid)?.walked?.of_files)).sum::<u64>();
        #[expect(clippy::cast_precision_loss, reason = "2^53 KiB are more than there are addresses")]
        let point = |stage: &mut Stage, curve: &str, kib: u64| {
            let y = kib as f64;
            stage.tell(Fact::Point { curve: curve.to_owned(), x, y });
            (x, y)
        };
        for (measure, points) in &mut self.told {
            let Some(kib) = measure.of(&sum) else { continue };
            let drawn = point(stage, measure.curve, kib);
            points.push(if measure.steps() == PAID { point(stage, PAID, kib + above) } else { drawn });
            let step = median_step(points);
            let ends = step.and_then(|step| step.low.zip(step.high));
            let values = [
                ("all", json!(kib)),
                ("each", json!(step.map(|step| whole(step.median)))),
                ("sure", json!(ends.map(|(low, high)| format!("{} .. {}", whole(low), whole(high))))),
                ("counts", json!(measure.counts)),
            ]
            .map(|(name, value)| (name.to_owned(), value));
            let row = measure.row.to_owned();
            stage.tell(Fact::Row { table: SIZES.name.to_owned(), row, values: values.into() });
        }
    }
}

impl Measure {
    /// The curve of which the steps are what one more worker costs.
    fn steps(&self) -> &'static str {
        if self.curve == PSS.curve { PAID } else { self.curve }
    }

    /// What it finds.
    fn of(&self, sizes: &Sizes) -> Option<u64> {
        match self.curve {
            "pss" => sizes.walked.map(|walked| walked.pss),
            "private" => sizes.walked.map(|walked| walked.private),
            "rss" => Some(sizes.rss),
            "vsz" => Some(sizes.vsz),
            _ => Some(sizes.tables),
        }
    }
}

/// The median step from one worker to the next, in KiB, and how sure it is; none for fewer than two workers. The first step is
/// left out: with it the pages of the leader begin to be shared. The median, since another program that comes or goes
/// meanwhile, and shares a library with ours, moves one step and not the others.
fn median_step(points: &[(f64, f64)]) -> Option<Estimate> {
    let later = points.windows(2).filter(|pair| pair[0].0 >= 1.0 && pair[1].0 > pair[0].0);
    Estimate::of(&later.map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0)).collect::<Vec<_>>())
}

#[expect(clippy::cast_possible_truncation, reason = "KiB of a process are far below 2^53")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
