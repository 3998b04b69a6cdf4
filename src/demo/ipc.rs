//! `ipc`: all ways to talk, side by side, by the same clock and in the same rounds. What is shown of each elsewhere is
//! measured here, with nobody watching.

mod account;
mod measure;
mod sides;

use super::Demo;
use super::channel::{Link, Way};
use super::pace::{self, Cut};
use super::rounds::{self, Bench, Desk, Pair, Unit, Variant};
use super::script::row;
use crate::fact::{
    As, BarsSpec, Cpu, DemoSpec, Fact, ParamError, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec,
    TableSpec, Tally, Unavailable, Values,
};
use crate::stage::{Settings, Stage};
use serde_json::json;
use sides::{Answering, Bills, Links, Timing, Who};
use std::io;
use std::sync::Arc;

/// See the module.
pub(super) struct Ipc;

/// Where the two are.
const PLACES: [&str; 2] = ["same-core", "two-cores"];

/// The most sizes in one run: each has its own links, and those their descriptors.
const SIZES: usize = 3;

/// More round trips, or messages, are not in one measurement.
const MOST: u32 = 100_000;

static LATENCY: BarsSpec = rounds::bars("latency", "half a round trip");
static THROUGHPUT: BarsSpec = rounds::bars_of("throughput", "one direction", Unit::Rate { message: 1 });
static RATIOS: TableSpec = rounds::ratio_table("latency of / by that of");

const fn way(name: &'static str) -> ReturnSpec {
    ReturnSpec { name, kind: ReturnKind::Table, help: "latency and throughput; the first size" }
}

static SPEC: DemoSpec = DemoSpec {
    name: "ipc",
    title: "nine ways to talk, and what each takes",
    part: "Talking",
    about: "Two workers send a message to and fro, by each way in turn, round after round. Latency is half a round trip, \
            throughput what goes in one direction. The queue is always one between threads. What p99_ns tells is the time \
            that 99 in 100 single messages take at most; all other figures are medians of the rounds.",
    params: &[
        As::PARAM,
        ParamSpec { name: "place", kind: ParamKind::Choice(&PLACES), help: "where the two are pinned" },
        ParamSpec {
            name: "size",
            kind: ParamKind::Ints { min: 1, max: 1 << 20, most: SIZES, default: &[64, 65_536] },
            help: "bytes of a message",
        },
        rounds::param(50),
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
        ReturnSpec { name: "sizes", kind: ReturnKind::Table, help: "the same for the other sizes" },
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
        ReturnSpec { name: "shm_says", kind: ReturnKind::Word, help: "the verdict on it" },
        ReturnSpec { name: "long_pipe_ns", kind: ReturnKind::Nanos, help: "the latency of a pipe, for the last size" },
        ReturnSpec { name: "long_shm_ns", kind: ReturnKind::Nanos, help: "that of shared memory" },
        ReturnSpec {
            name: "pipe_growth",
            kind: ReturnKind::Number,
            help: "a pipe's latency for the last size by that for the first: the median of the rounds' ratios",
        },
        ReturnSpec { name: "ratios", kind: ReturnKind::Table, help: "ratio, low, high, verdict of each comparison" },
        ReturnSpec { name: "missing", kind: ReturnKind::List, help: "the ways that could not be measured" },
        rounds::specs::ROUNDS,
        rounds::specs::LEFT_OUT,
        rounds::specs::OUTLIERS,
        rounds::specs::NOISE,
        ReturnSpec {
            name: "same",
            kind: ReturnKind::Number,
            help: "the first way by itself: what the lab itself is off by",
        },
        ReturnSpec { name: "place", kind: ReturnKind::Word, help: "where the two were" },
        ReturnSpec { name: "cpus", kind: ReturnKind::List, help: "the CPU of each" },
    ],
    pictures: &[
        Picture::Bars(&LATENCY),
        Picture::Bars(&THROUGHPUT),
        Picture::Table(&RATIOS),
        Picture::Table(&rounds::RUN_TABLE),
        Picture::Curves(&rounds::HISTOGRAM),
        Picture::Curves(&rounds::SURE),
    ],
    controls: &[rounds::ENOUGH, rounds::MORE],
    unwatched: true,
    stays: true,
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

/// What of a cell is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Half a round trip.
    Latency,
    /// One message of many in one direction.
    Stream,
}

/// A thing that is measured: which part of which cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct What {
    cell: usize,
    part: Part,
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

fn sizes(params: &Params) -> Vec<usize> {
    params.ints("size").iter().filter_map(|n| usize::try_from(*n).ok()).collect()
}

/// All cells, way by way.
fn cells(params: &Params) -> Vec<Cell> {
    let sizes = sizes(params);
    let count = sizes.len();
    let of = |way| sizes.iter().map(move |size| Cell { row: name(way, *size, count), way, size: *size });
    Way::ALL.into_iter().flat_map(of).collect()
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let what = params.workers_as();
    let cpus = cpus(stage, params.word("place"))?;
    rounds::leave(stage, &cpus);
    let cells = cells(&params);
    let links: Links = cells.iter().map(|cell| open(stage, what, cell)).collect();
    let refused = |error: io::Error| Unavailable::new("what the two workers need", error.to_string());
    let (called, calls) = io::pipe().map_err(refused)?;
    let (ready, tells) = io::pipe().map_err(refused)?;
    let (desk, bills) = (Arc::new(Desk::new(1).map_err(refused)?), Arc::new(Bills::new().map_err(refused)?));
    let whats = whats(&cells, &links);
    let timing = Timing {
        cells: cells.clone(),
        whats: whats.clone(),
        links: links.clone(),
        other: Answering { calls, ready },
        bills: Arc::clone(&bills),
        cpus,
    };
    let settings = |cpu: Cpu| Settings { cpus: vec![cpu], ..Settings::default() };
    let orders = Arc::clone(&desk);
    let first = stage.enter(what, &settings(cpus[0]), move |worker| timing.go(worker, &orders))?;
    let (theirs, theirs_of) = (links.clone(), cells.clone());
    let second = stage.enter(what, &settings(cpus[1]), move |_| {
        sides::answering(Who::Worker, &theirs_of, &theirs, &bills, called, tells);
    })?;
    links.iter().flatten().for_each(|link| link.leave());
    let mut pinned = cpus.to_vec();
    pinned.dedup();
    let variants: Vec<Variant> = whats.iter().enumerate().map(|(n, what)| variant(&cells, n, *what)).collect();
    let pairs = pairs(&variants, &sizes(&params));
    let mut bench = Bench::new(desk, pinned, vec![first], variants, pairs);
    bench.partners = vec![second];
    bench.twice(0);
    let ended = bench.run(stage, params.count("rounds"));
    // Whoever waits for the other, which may be gone, is woken, and hears that it is to leave.
    links.iter().flatten().for_each(|link| link.close());
    ended
}

/// What the row of a way is called, with messages of one of so many sizes.
fn name(way: Way, size: usize, sizes: usize) -> String {
    match (sizes, size % 1024) {
        (0 | 1, _) => way.name().to_owned(),
        (_, 0) => format!("{} {} KiB", way.name(), size / 1024),
        _ => format!("{} {size} B", way.name()),
    }
}

/// Tells the row of a cell, and opens its link; or why there is none.
fn open(stage: &mut Stage, what: As, cell: &Cell) -> Result<Arc<Link>, String> {
    let mut values = json!({ "way": cell.way.name(), "size": cell.size });
    let link = match cell.way {
        // The timing worker opens its queue itself.
        Way::Queue => Err("it is opened by who uses it".to_owned()),
        // That is what it is, and nothing that this machine refuses.
        way if cell.size > way.most() => {
            let why = format!("a message has {} bytes at most", way.most());
            values["why"] = json!(why);
            Err(why)
        }
        way => way.open(what, cell.size).map(Arc::new).map_err(|refused| {
            let why = refused.why.clone();
            values["why"] = json!(why);
            stage.tell(Fact::Refused(refused));
            why
        }),
    };
    stage.tell(row(rounds::FIGURES, &cell.row, values));
    link
}

/// All that is measured: both parts of each cell that there is.
fn whats(cells: &[Cell], links: &Links) -> Vec<What> {
    let there = cells.iter().zip(links).enumerate().filter(|(_, (cell, link))| cell.way == Way::Queue || link.is_ok());
    there.flat_map(|(cell, _)| [Part::Latency, Part::Stream].map(|part| What { cell, part })).collect()
}

fn variant(cells: &[Cell], number: usize, what: What) -> Variant {
    let cell = &cells[what.cell];
    let unit = if what.part == Part::Latency { Unit::Nanos } else { Unit::Rate { message: cell.size } };
    Variant { row: cell.row.clone(), place: Ok(0), what: number, most: MOST, unit }
}

/// What the row of a comparison is called: two ways, with messages of the first size; a pipe, with those of the last and the first.
fn compared(way: Way, by: Way) -> String {
    format!("{} / {}", way.name(), by.name())
}

const GROWN: &str = "pipe, last size / first";

fn pairs(variants: &[Variant], sizes: &[usize]) -> Vec<Pair> {
    const COMPARED: [(Way, Way); 6] = [
        (Way::Shm, Way::Queue),
        (Way::Pipe, Way::Shm),
        (Way::Socket, Way::Pipe),
        (Way::Mqueue, Way::Pipe),
        (Way::Tcp, Way::Socket),
        (Way::Rpc, Way::Socket),
    ];
    let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else { return Vec::new() };
    let find = |way: Way, size: usize| {
        let row = name(way, size, sizes.len());
        variants.iter().position(|variant| variant.row == row && variant.unit == Unit::Nanos)
    };
    let pair = |row: String, a: Option<usize>, b: Option<usize>| a.zip(b).map(|(a, b)| Pair { row, a, b });
    let ways = COMPARED.iter().filter_map(|(a, b)| pair(compared(*a, *b), find(*a, *first), find(*b, *first)));
    let grown = (first != last).then(|| pair(GROWN.to_owned(), find(Way::Pipe, *last), find(Way::Pipe, *first)));
    ways.chain(grown.flatten()).collect()
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

    /// All cells, of which those of the queue and those of these ways can be measured.
    fn variants(params: &Params, ways: &[Way]) -> Vec<Variant> {
        let cells = cells(params);
        let link = |cell: &Cell| {
            let opened = ways.contains(&cell.way).then(|| Arc::new(Way::Shm.open(As::Threads, 8).expect("memory")));
            opened.ok_or_else(|| "no".to_owned())
        };
        let links: Links = cells.iter().map(link).collect();
        whats(&cells, &links).iter().enumerate().map(|(n, what)| variant(&cells, n, *what)).collect()
    }

    #[test]
    fn each_cell_that_there_is_has_a_latency_and_a_rate() {
        let params = Params::defaults(&SPEC);
        let found = variants(&params, &[Way::Pipe, Way::Tcp]);
        let named: Vec<(&str, Unit)> = found.iter().map(|v| (v.row.as_str(), v.unit)).collect();
        assert_eq!(named[0], ("pipe 64 B", Unit::Nanos));
        assert_eq!(named[3], ("pipe 64 KiB", Unit::Rate { message: 65_536 }));
        assert_eq!((named[8].0, named.len()), ("queue 64 B", 12));
        assert!(found.iter().enumerate().all(|(n, variant)| variant.what == n), "as the timing side counts them");
    }

    #[test]
    fn what_is_compared_is_there() {
        let params = Params::defaults(&SPEC);
        let pairs_of = |ways: &[Way]| {
            let found = variants(&params, ways);
            let pairs = pairs(&found, &sizes(&params));
            assert!(pairs.iter().all(|pair| pair.a != pair.b && found[pair.a].unit == Unit::Nanos));
            pairs.into_iter().map(|pair| pair.row).collect::<Vec<_>>()
        };
        assert_eq!(pairs_of(&Way::ALL).len(), 7);
        assert_eq!(pairs_of(&[Way::Pipe, Way::Socket]), ["socket / pipe", GROWN]);
        assert_eq!(pairs_of(&[]), [""; 0]);
    }
}
