//! `ipc`: all ways to talk, side by side, by the same clock and in the same rounds. What is shown of each elsewhere is
//! measured here, with nobody watching.

mod account;
mod measure;
mod sides;

use super::Demo;
use super::channel::{Side, Way};
use super::pace::{self, Cut};
use super::script::row;
use crate::fact::{
    As, BarsSpec, Cpu, DemoSpec, Fact, ParamError, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec,
    Scale, Tally, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage};
use serde_json::json;
use sides::{Answering, Links, Timing};
use std::io;
use std::sync::Arc;

/// See the module.
pub(super) struct Ipc;

/// The table: a row for each way and size.
const TABLE: &str = "ways";

/// Where the two are.
const PLACES: [&str; 2] = ["same-core", "two-cores"];

/// The most sizes in one run: each has its own links, and those their descriptors.
const SIZES: usize = 3;

const fn bars(
    name: &'static str,
    head: &'static str,
    [value, low, high]: [&'static str; 3],
    kind: ReturnKind,
) -> BarsSpec {
    BarsSpec { name, table: TABLE, head, value, low, high, why: "why", note: "place", kind, scale: Scale::Logarithmic }
}

static LATENCY: BarsSpec = bars("latency", "half a round trip", ["latency_ns", "low", "high"], ReturnKind::Nanos);
static THROUGHPUT: BarsSpec =
    bars("throughput", "one direction", ["bytes_per_s", "rate_low", "rate_high"], ReturnKind::Rate);

const fn way(name: &'static str) -> ReturnSpec {
    let help =
        "latency_ns (half a round trip) with its interval low to high, p99_ns, bytes_per_s, rounds; for the first size";
    ReturnSpec { name, kind: ReturnKind::Table, help }
}

static SPEC: DemoSpec = DemoSpec {
    name: "ipc",
    title: "nine ways to talk, and what each takes",
    part: "Talking",
    about: "Two workers send a message to and fro, by each way in turn, round after round. Latency is half a round trip, \
            throughput what goes in one direction. The queue is always one between threads.",
    params: &[
        As::PARAM,
        ParamSpec { name: "place", kind: ParamKind::Choice(&PLACES), help: "where the two are pinned" },
        ParamSpec {
            name: "size",
            kind: ParamKind::Ints { min: 1, max: 1 << 20, most: SIZES, default: &[64, 65_536] },
            help: "bytes of a message",
        },
        ParamSpec {
            name: "rounds",
            kind: ParamKind::Int { min: 20, max: 1000, default: 25, unit: "" },
            help: "how often each is measured",
        },
    ],
    returns: &[
        way("pipe"),
        way("fifo"),
        way("socket"),
        way("tcp"),
        way("mqueue"),
        way("shm"),
        way("signal"),
        way("rpc"),
        way("queue"),
        ReturnSpec { name: "sizes", kind: ReturnKind::Table, help: "the same for every size" },
        ReturnSpec {
            name: "fastest",
            kind: ReturnKind::Word,
            help: "the ways with the least latency, those that cannot be told apart; or inconclusive",
        },
        ReturnSpec { name: "fastest_ns", kind: ReturnKind::Nanos, help: "the least latency" },
        ReturnSpec { name: "slowest", kind: ReturnKind::Word, help: "those with the greatest latency" },
        ReturnSpec { name: "slowest_ns", kind: ReturnKind::Nanos, help: "the greatest latency" },
        ReturnSpec {
            name: "widest",
            kind: ReturnKind::Word,
            help: "those with the greatest throughput, for the last size",
        },
        ReturnSpec { name: "widest_rate", kind: ReturnKind::Rate, help: "the greatest throughput" },
        ReturnSpec { name: "pipe_ns", kind: ReturnKind::Nanos, help: "the latency of a pipe" },
        ReturnSpec { name: "shm_ns", kind: ReturnKind::Nanos, help: "the latency of shared memory" },
        ReturnSpec { name: "queue_ns", kind: ReturnKind::Nanos, help: "the latency of a queue between threads" },
        ReturnSpec {
            name: "shm_by_queue",
            kind: ReturnKind::Number,
            help: "shared memory's latency by that of the queue: the median of the rounds' ratios",
        },
        ReturnSpec { name: "long_pipe_ns", kind: ReturnKind::Nanos, help: "the latency of a pipe, for the last size" },
        ReturnSpec { name: "long_shm_ns", kind: ReturnKind::Nanos, help: "that of shared memory" },
        ReturnSpec {
            name: "pipe_growth",
            kind: ReturnKind::Number,
            help: "a pipe's latency for the last size by that for the first",
        },
        ReturnSpec { name: "missing", kind: ReturnKind::List, help: "the ways that could not be measured" },
        ReturnSpec { name: "rounds", kind: ReturnKind::Count, help: "rounds that every way has had" },
        ReturnSpec { name: "place", kind: ReturnKind::Word, help: "where the two were" },
        ReturnSpec { name: "cpus", kind: ReturnKind::List, help: "the CPU of each" },
    ],
    pictures: &[Picture::Bars(&LATENCY), Picture::Bars(&THROUGHPUT)],
    unwatched: true,
    check: |params| {
        let mut sizes = params.ints("size");
        let all = sizes.len();
        sizes.sort_unstable();
        sizes.dedup();
        let good = all > 0 && sizes.len() == all;
        if good { Ok(()) } else { Err(ParamError::new("size", "takes at least one number, and each once")) }
    },
    ..DemoSpec::BASE
};

/// A way, with messages of a size.
#[derive(Debug, Clone)]
struct Cell {
    /// What its row is called.
    row: String,
    way: Way,
    size: usize,
}

impl Demo for Ipc {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        account::account(params, tally)
    }
}

/// Where the two are pinned: the last of the allowed CPUs, since the first has the machine's interrupts as a rule.
fn cpus(stage: &Stage, place: &str) -> Result<[Cpu; 2], Unavailable> {
    let last = |n: usize| stage.cpus().iter().rev().nth(n).copied();
    match (last(0), last(1)) {
        (Some(last), _) if place == PLACES[0] => Ok([last, last]),
        (Some(last), Some(other)) => Ok([other, last]),
        _ => {
            Err(Unavailable::new("two cores", "this session may use one CPU only").remedy("place=same-core needs one"))
        }
    }
}

fn words([timing, answering]: [Cpu; 2]) -> String {
    if timing == answering {
        format!("both on CPU {}", timing.0)
    } else {
        format!("CPUs {} and {}", timing.0, answering.0)
    }
}

/// All cells, way by way.
fn cells(params: &Params) -> Vec<Cell> {
    let sizes: Vec<usize> = params.ints("size").iter().filter_map(|n| usize::try_from(*n).ok()).collect();
    let name = |way: Way, size: usize| match (sizes.len(), size % 1024) {
        (0 | 1, _) => way.name().to_owned(),
        (_, 0) => format!("{} {} KiB", way.name(), size / 1024),
        _ => format!("{} {size} B", way.name()),
    };
    let of = |way| sizes.iter().map(move |size| Cell { row: name(way, *size), way, size: *size });
    Way::ALL.into_iter().flat_map(of).collect()
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let what = params.workers_as();
    let cpus = cpus(stage, params.word("place"))?;
    let cells = cells(&params);
    let mut links: Links = Vec::new();
    for cell in &cells {
        let mut values = json!({ "way": cell.way.name(), "size": cell.size, "place": words(cpus) });
        // The timing worker opens its queue itself.
        let link = match cell.way {
            Way::Queue => None,
            // That is what it is, and nothing that this machine refuses.
            way if cell.size > way.most() => {
                values["why"] = json!(format!("a message has {} bytes at most", way.most()));
                None
            }
            way => way
                .open(what, cell.size)
                .map(Arc::new)
                .map_err(|refused| {
                    values["why"] = json!(refused.why);
                    stage.tell(Fact::Refused(refused));
                })
                .ok(),
        };
        stage.tell(row(TABLE, &cell.row, values));
        links.push(link);
    }
    let refused = |error: io::Error| Unavailable::new("a pipe to the other worker", error.to_string());
    let (called, calls) = io::pipe().map_err(refused)?;
    let (ready, tells) = io::pipe().map_err(refused)?;
    let timing = Timing {
        cells: cells.clone(),
        links: links.clone(),
        other: Answering { calls, ready },
        answers_on: cpus[1],
        rounds: params.count("rounds"),
    };
    let settings = |cpu: Cpu| Settings { cpus: vec![cpu], ..Settings::default() };
    let first = stage.enter(what, &settings(cpus[0]), move |worker| timing.go(worker))?;
    let theirs = links.clone();
    stage.enter(what, &settings(cpus[1]), move |_| sides::answering(&cells, &theirs, called, tells))?;
    links.iter().flatten().for_each(|link| link.leave());
    loop {
        match stage.next(None) {
            // A round takes some milliseconds; then the timing worker sees its order, and the other that nobody calls.
            Cue::Finish => return Err(Cut::Finish),
            Cue::Ended(number) if number == first => {
                links.iter().flatten().for_each(|link| link.hang_up(Side::Left));
                return Ok(());
            }
            Cue::Ended(_) => links.iter().flatten().for_each(|link| link.hang_up(Side::Right)),
            Cue::Steer(_) | Cue::Time => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_size_only_where_there_are_several() {
        let mut params = Params::defaults(&SPEC);
        let names = |params: &Params| cells(params).iter().map(|cell| cell.row.clone()).collect::<Vec<_>>();
        assert_eq!((names(&params)[0].as_str(), names(&params)[1].as_str()), ("pipe 64 B", "pipe 64 KiB"));
        params = Params::from_values(&SPEC, &[("size".to_owned(), json!([8]))].into()).expect("a list");
        assert_eq!((names(&params)[0].as_str(), names(&params).len()), ("pipe", Way::ALL.len()));
    }
}
