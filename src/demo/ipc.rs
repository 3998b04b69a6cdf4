//! `ipc`: all ways to talk, side by side, by the same clock and in the same rounds. What is shown of each elsewhere is
//! measured here, with nobody watching.

mod measure;
mod sides;

use super::Demo;
use super::channel::{Side, Way};
use super::pace::{self, Cut};
use super::script::row;
use crate::fact::{
    As, BarsSpec, Cpu, DemoSpec, Fact, ParamError, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Row,
    Scale, Tally, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage};
use serde_json::{Map, Value, json};
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

/// As many ways may share an end of the ladder.
const ALIKE: usize = 3;
/// What is said when there are more.
const INCONCLUSIVE: &str = "inconclusive";

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
        ReturnSpec { name: "widest", kind: ReturnKind::Word, help: "those with the greatest throughput" },
        ReturnSpec { name: "widest_rate", kind: ReturnKind::Rate, help: "the greatest throughput" },
        ReturnSpec { name: "pipe_ns", kind: ReturnKind::Nanos, help: "the latency of a pipe" },
        ReturnSpec { name: "pipe_rate", kind: ReturnKind::Rate, help: "the throughput of a pipe" },
        ReturnSpec { name: "shm_ns", kind: ReturnKind::Nanos, help: "the latency of shared memory" },
        ReturnSpec { name: "queue_ns", kind: ReturnKind::Nanos, help: "the latency of a queue between threads" },
        ReturnSpec {
            name: "shm_by_queue",
            kind: ReturnKind::Number,
            help: "shared memory's latency by that of the queue: the median of the rounds' ratios",
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
        account(params, tally)
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

/// All cells, size by size.
fn cells(params: &Params) -> Vec<Cell> {
    let sizes: Vec<usize> = params.ints("size").iter().filter_map(|n| usize::try_from(*n).ok()).collect();
    let name = |way: Way, size: usize| match (sizes.len(), size % 1024) {
        (0 | 1, _) => way.name().to_owned(),
        (_, 0) => format!("{} {} KiB", way.name(), size / 1024),
        _ => format!("{} {size} B", way.name()),
    };
    sizes.iter().flat_map(|size| Way::ALL.map(|way| Cell { row: name(way, *size), way, size: *size })).collect()
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let what = params.workers_as();
    let cpus = cpus(stage, params.word("place"))?;
    let cells = cells(&params);
    let mut links: Links = Vec::new();
    for cell in &cells {
        // The timing worker opens its queue itself.
        let link = if cell.way == Way::Queue { Ok(None) } else { cell.way.open(what, cell.size).map(Some) };
        let mut values = json!({ "way": cell.way.name(), "size": cell.size, "place": words(cpus) });
        links.push(
            link.unwrap_or_else(|refused| {
                values["why"] = json!(refused.why);
                stage.tell(Fact::Refused(refused));
                None
            })
            .map(Arc::new),
        );
        stage.tell(row(TABLE, &cell.row, values));
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

/// A row's figures, if it has any.
fn figures(row: &Row) -> Option<Value> {
    row.values.get("latency_ns")?;
    let keys = ["latency_ns", "low", "high", "p99_ns", "bytes_per_s", "rounds"];
    let one = |key: &str| (key.to_owned(), row.values.get(key).cloned().unwrap_or(Value::Null));
    Some(Value::Object(keys.map(one).into_iter().collect::<Map<_, _>>()))
}

/// Which end of a ladder.
#[derive(Clone, Copy, PartialEq)]
enum Most {
    Least,
    Greatest,
}

/// Who is at an end of a ladder.
#[derive(Default)]
struct Best {
    words: Option<String>,
    value: Option<f64>,
}

impl Best {
    /// The way with the least or the greatest value, and with it those that cannot be told from it: their intervals meet.
    fn of(rows: &[&Row], value: &str, most: Most) -> Self {
        let [low, high] =
            if value == LATENCY.value { [LATENCY.low, LATENCY.high] } else { [THROUGHPUT.low, THROUGHPUT.high] };
        let number = |row: &Row, key: &str| row.values.get(key).and_then(Value::as_f64);
        let known = || rows.iter().copied().filter_map(|row| Some((number(row, value)?, row)));
        let end = match most {
            Most::Least => known().min_by(|a, b| a.0.total_cmp(&b.0)),
            Most::Greatest => known().max_by(|a, b| a.0.total_cmp(&b.0)),
        };
        let Some((value, end)) = end else { return Self::default() };
        // Without an interval a row meets everybody.
        let ends = |row: &Row| (number(row, low).unwrap_or(0.0), number(row, high).unwrap_or(f64::INFINITY));
        let meet = |a: &Row, b: &Row| ends(a).0 <= ends(b).1 && ends(b).0 <= ends(a).1;
        let same: Vec<&str> =
            known().filter(|(_, row)| meet(row, end)).filter_map(|(_, row)| row.values.get("way")?.as_str()).collect();
        let words = if same.len() > ALIKE { INCONCLUSIVE.to_owned() } else { same.join(" or ") };
        Self { words: Some(words), value: Some(value) }
    }
}

fn account(params: &Params, tally: &Tally) -> Values {
    let rows = tally.table(TABLE);
    let of = |row: &Row, key: &str| row.values.get(key).cloned().unwrap_or(Value::Null);
    let size = rows.first().map_or(Value::Null, |row| of(row, "size"));
    let first: Vec<&Row> = rows.iter().filter(|row| of(row, "size") == size).collect();
    let find = |way: &str| first.iter().find(|row| of(row, "way") == json!(way)).copied();
    let [fastest, slowest, widest] =
        [(LATENCY.value, Most::Least), (LATENCY.value, Most::Greatest), (THROUGHPUT.value, Most::Greatest)]
            .map(|(value, most)| Best::of(&first, value, most));
    let from = |row: Option<&Row>, key: &str| row.map_or(Value::Null, |row| of(row, key));
    let mut sizes: Map<String, Value> = Map::new();
    for row in rows {
        let name = of(row, "way").as_str().unwrap_or_default().to_owned();
        let size = sizes.entry(of(row, "size").to_string()).or_insert_with(|| json!({}));
        size[name] = figures(row).unwrap_or(Value::Null);
    }
    let missing: Vec<&String> = rows.iter().filter(|r| r.values.contains_key("why")).map(|r| &r.name).collect();
    let rounds = rows.iter().filter_map(|row| row.values.get("rounds")?.as_u64()).min();
    let cpus: Vec<u32> = tally.workers().filter_map(|w| w.cpus.as_ref()?.first()).map(|cpu| cpu.0).collect();
    let ways = Way::ALL.map(|way| (way.name(), find(way.name()).and_then(figures).unwrap_or(Value::Null)));
    let others = [
        ("sizes", Value::Object(sizes)),
        ("fastest", json!(fastest.words)),
        ("fastest_ns", json!(fastest.value)),
        ("slowest", json!(slowest.words)),
        ("slowest_ns", json!(slowest.value)),
        ("widest", json!(widest.words)),
        ("widest_rate", json!(widest.value)),
        ("pipe_ns", from(find("pipe"), "latency_ns")),
        ("pipe_rate", from(find("pipe"), "bytes_per_s")),
        ("shm_ns", from(find("shm"), "latency_ns")),
        ("queue_ns", from(find("queue"), "latency_ns")),
        ("shm_by_queue", from(find("shm"), "by_queue")),
        ("missing", json!(missing)),
        ("rounds", json!(rounds)),
        ("place", json!(params.word("place"))),
        ("cpus", json!(cpus)),
    ];
    ways.into_iter().chain(others).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Nanos;

    fn tally(rows: &[(&str, Value)]) -> Tally {
        let mut tally = Tally::default();
        let row = |(name, values): &(&str, Value)| Row {
            name: (*name).to_owned(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: serde_json::from_value(values.clone()).expect("an object"),
        };
        tally.tables.insert(TABLE.to_owned(), rows.iter().map(row).collect());
        tally
    }

    fn outcome(tally: &Tally) -> Values {
        Ipc.outcome(&Params::defaults(&SPEC), tally)
    }

    fn pipe() -> Value {
        json!({"way": "pipe", "size": 64, "latency_ns": 2500.5, "low": 2480.0, "high": 2533.0, "p99_ns": 4000,
               "bytes_per_s": 6e7, "rate_low": 5e7, "rate_high": 7e7, "rounds": 25})
    }

    #[test]
    fn each_way_has_its_figures_and_a_missing_one_is_null() {
        let values = outcome(&tally(&[
            ("pipe 64 B", pipe()),
            (
                "tcp 64 B",
                json!({"way": "tcp", "size": 64, "latency_ns": 7000, "low": 6900, "high": 7100,
                                "bytes_per_s": 9e7, "rate_low": 8e7, "rate_high": 10e7, "rounds": 24}),
            ),
            ("mqueue 64 B", json!({"way": "mqueue", "size": 64, "why": "ENOSYS"})),
            ("tcp 64 KiB", json!({"way": "tcp", "size": 65536, "latency_ns": 1, "bytes_per_s": 2e9, "rounds": 24})),
        ]));
        let pipe = json!({"latency_ns": 2500.5, "low": 2480.0, "high": 2533.0, "p99_ns": 4000, "bytes_per_s": 6e7, "rounds": 25});
        assert_eq!((&values["pipe"], &values["mqueue"]), (&pipe, &Value::Null));
        assert_eq!((&values["fastest"], &values["slowest"]), (&json!("pipe"), &json!("tcp")), "the first size only");
        assert_eq!((&values["widest"], &values["pipe_ns"]), (&json!("tcp"), &json!(2500.5)));
        assert_eq!((&values["missing"], &values["rounds"]), (&json!(["mqueue 64 B"]), &json!(24)));
        assert_eq!(values["sizes"]["65536"]["tcp"]["bytes_per_s"], json!(2e9));
        assert_eq!(values["sizes"]["65536"]["tcp"]["low"], Value::Null, "too few rounds for an interval");
    }

    #[test]
    fn who_cannot_be_told_apart_is_not() {
        let row = |way: &str, low: f64| {
            (way.to_owned(), json!({"way": way, "size": 8, "latency_ns": low + 5.0, "low": low, "high": low + 10.0}))
        };
        let fastest = |rows: &[(String, Value)]| {
            let rows: Vec<(&str, Value)> = rows.iter().map(|(name, values)| (name.as_str(), values.clone())).collect();
            outcome(&tally(&rows))["fastest"].clone()
        };
        let mut rows = vec![row("pipe", 105.0), row("shm", 100.0), row("tcp", 200.0)];
        assert_eq!(fastest(&rows), json!("pipe or shm"));
        rows.extend([row("fifo", 101.0), row("mqueue", 102.0)]);
        assert_eq!(fastest(&rows), json!("inconclusive"));
        rows.push(row("signal", 10.0));
        assert_eq!(fastest(&rows), json!("signal"));
        rows.push(("rpc".to_owned(), json!({"way": "rpc", "size": 8, "latency_ns": 50.0})));
        assert_eq!(fastest(&rows), json!("signal or rpc"), "after few rounds nobody knows");
    }

    #[test]
    fn before_the_first_round_nothing_is_known() {
        let values = outcome(&tally(&[("pipe", json!({"way": "pipe", "size": 8}))]));
        let names = ["pipe", "fastest", "slowest_ns", "rounds", "shm_by_queue"];
        assert!(names.iter().all(|name| values[*name] == Value::Null), "{values:?}");
    }

    #[test]
    fn a_row_has_its_size_only_where_there_are_several() {
        let mut params = Params::defaults(&SPEC);
        let names = |params: &Params| cells(params).iter().map(|cell| cell.row.clone()).collect::<Vec<_>>();
        assert_eq!((names(&params)[0].as_str(), names(&params)[9].as_str()), ("pipe 64 B", "pipe 64 KiB"));
        params = Params::from_values(&SPEC, &[("size".to_owned(), json!([8]))].into()).expect("a list");
        assert_eq!((names(&params)[0].as_str(), names(&params).len()), ("pipe", Way::ALL.len()));
    }
}
