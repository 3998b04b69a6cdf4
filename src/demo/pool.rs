//! `pool`: some workers, and more tasks than workers. Each task has a future, which is asked whether it is done, for its
//! result, and to be cancelled.

mod board;
mod story;

use super::Demo;
use super::pace::end_of;
use super::train;
use crate::fact::{
    Arg, ColumnSpec, Control, DemoSpec, Limits, On, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Row,
    TableSpec, Tally, Values,
};
use crate::stage::Stage;
use serde_json::{Value, json};

/// See the module.
pub(super) struct Pool;

/// The table of the futures, and that of what holds for all of them.
static FUTURES: TableSpec = TableSpec {
    name: "futures",
    head: "#",
    columns: &[
        ColumnSpec { value: "state", head: "future", kind: ReturnKind::Word },
        ColumnSpec { value: "by", head: "worker", kind: ReturnKind::Word },
        ColumnSpec { value: "queued_ns", head: "queued", kind: ReturnKind::Nanos },
        ColumnSpec { value: "took_ns", head: "took", kind: ReturnKind::Nanos },
        ColumnSpec { value: "cpu_ns", head: "CPU", kind: ReturnKind::Nanos },
        ColumnSpec { value: "answer", head: "result", kind: ReturnKind::Word },
    ],
};
const ALL: &str = "pool";
/// The table of the callbacks that were run, and by whom: a worker's letter, or this.
const CALLBACKS: &str = "callbacks";
const MAIN: &str = "main";

const SUBMIT: Control =
    Control { key: 'a', verb: "submit", label: "submit another task", on: On::Demo, arg: Arg::None };
const CANCEL: Control =
    Control { key: 'c', verb: "cancel", label: "cancel the last one that is pending", on: On::Demo, arg: Arg::None };
const ASK: Control = Control {
    key: 't',
    verb: "ask",
    label: "ask for the next result, and wait 100 ms at most",
    on: On::Demo,
    arg: Arg::None,
};

/// The ways by which the main thread learns that a task is done.
const WAIT: &str = "wait";
const POLL: &str = "poll";
const CALLBACK: &str = "callback";
const BLOCK: &str = "block";

static SPEC: DemoSpec = DemoSpec {
    name: "pool",
    title: "six tasks, four workers, and a future for each",
    part: "In practice",
    about: "Six numbers are to be tested for primality. They go into one queue, from which workers that are hired once take \
            task after task. The main thread holds a future for each: it asks for results, waits no longer than it likes, and \
            cancels.",
    params: &[
        ParamSpec { name: "as", kind: ParamKind::Choice(&["threads", "processes"]), help: "what the workers are" },
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 1, max: 16, default: 4, unit: "" },
            help: "how many are hired",
        },
        ParamSpec {
            name: "tasks",
            kind: ParamKind::Int { min: 1, max: 12, default: 6, unit: "" },
            help: "how many there are: numbers to test, from the first again after the sixth",
        },
        ParamSpec {
            name: "task",
            kind: ParamKind::Choice(&["primes", "wait"]),
            help: "to test a number by trial division, or to wait as long as `wait` says",
        },
        ParamSpec {
            name: "times",
            kind: ParamKind::Int { min: 1, max: 100, default: 15, unit: "" },
            help: "how often each number is tested, so that it takes a visible time",
        },
        ParamSpec {
            name: "wait",
            kind: ParamKind::Int { min: 1, max: 1000, default: 300, unit: "ms" },
            help: "how long a task waits that only waits",
        },
        ParamSpec {
            name: "order",
            kind: ParamKind::Choice(&["submission", "completion"]),
            help: "in which order the results are taken",
        },
        ParamSpec {
            name: "learn",
            kind: ParamKind::Choice(&[WAIT, POLL, CALLBACK, BLOCK]),
            help: "how the main thread learns of results: it waits, asks now and then, is called, or leaves the block first",
        },
        ParamSpec {
            name: "cancel",
            kind: ParamKind::Flag(false),
            help: "cancel the first task when it runs, and the last in the queue",
        },
        ParamSpec {
            name: "timeout",
            kind: ParamKind::Int { min: 0, max: 500, default: 0, unit: "ms" },
            help: "wait so long for the first result before all else; 0: do not",
        },
        ParamSpec { name: "fail", kind: ParamKind::Flag(false), help: "one task more, which fails" },
    ],
    returns: &[
        ReturnSpec {
            name: "results",
            kind: ReturnKind::List,
            help: "the results, in the order in which they were taken",
        },
        ReturnSpec { name: "last_result", kind: ReturnKind::Word, help: "the result that was taken last" },
        ReturnSpec {
            name: "order",
            kind: ReturnKind::List,
            help: "the tasks' numbers in the order of their completion",
        },
        ReturnSpec {
            name: "finished",
            kind: ReturnKind::Count,
            help: "tasks that came to an end, failed ones included",
        },
        ReturnSpec { name: "cancelled", kind: ReturnKind::Count, help: "tasks that were cancelled" },
        ReturnSpec { name: "failed", kind: ReturnKind::Count, help: "tasks that failed: their future holds an error" },
        ReturnSpec { name: "timed_out", kind: ReturnKind::Count, help: "waits for a result that ended before it came" },
        ReturnSpec { name: "cancel_running", kind: ReturnKind::Flag, help: "what cancelling the first, running, said" },
        ReturnSpec { name: "cancel_queued", kind: ReturnKind::Flag, help: "what cancelling the last, queued, said" },
        ReturnSpec { name: "submit_ns", kind: ReturnKind::Nanos, help: "how long it took to submit a task (median)" },
        ReturnSpec { name: "result_ns", kind: ReturnKind::Nanos, help: "from the first submission to the last result" },
        ReturnSpec {
            name: "task_ns",
            kind: ReturnKind::Nanos,
            help: "how long the tasks took by the clock, all together; waiting for a core counts",
        },
        ReturnSpec { name: "task_cpu_ns", kind: ReturnKind::Nanos, help: "the CPU time of the tasks, all together" },
        ReturnSpec { name: "close_ns", kind: ReturnKind::Nanos, help: "how long the end of the block waited" },
        ReturnSpec { name: "asks", kind: ReturnKind::Count, help: "times that the main thread asked" },
        ReturnSpec {
            name: "called_by",
            kind: ReturnKind::Word,
            help: "who ran the callbacks: workers or the main thread",
        },
        ReturnSpec { name: "workers_used", kind: ReturnKind::Count, help: "workers that did a task" },
        ReturnSpec { name: "most_by_one", kind: ReturnKind::Count, help: "the most tasks that one worker did" },
        ReturnSpec { name: "alive_after", kind: ReturnKind::Count, help: "workers that were left after the block" },
    ],
    pictures: &[Picture::Futures, Picture::Table(&FUTURES), Picture::Lanes, Picture::Cards, Picture::Workers],
    // The C library sets 128 MiB of addresses aside for each thread that allocates (glibc's HEAP_MAX_SIZE, twice).
    limits: |_| Limits { process_mib: 16 * 1024, ..Limits::DEFAULT },
    controls: &[SUBMIT, CANCEL, ASK, train::KILL],
    keys_change_it: true,
    ..DemoSpec::BASE
};

impl Demo for Pool {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        end_of(story::tell(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let rows = tally.table(FUTURES.name);
        let all = |name: &str| tally.cell(ALL, ALL, name).cloned().unwrap_or(Value::Null);
        let states = |state: &str| json!(rows.iter().filter(|row| word(row, "state") == Some(state)).count());
        let mut values: Vec<_> = ["results", "timed_out", "cancel_running", "cancel_queued", "submit_ns", "result_ns"]
            .into_iter()
            .chain(["close_ns", "asks", "alive_after"])
            .map(|name| (name, all(name)))
            .collect();
        let taken = by_worker(rows);
        values.extend([
            ("order", json!(completed(rows))),
            ("last_result", json!(all("results").as_array().and_then(|results| results.last()))),
            ("called_by", json!(called_by(tally.table(CALLBACKS)))),
            ("finished", states(board::FINISHED)),
            ("cancelled", states(board::CANCELLED)),
            ("failed", json!(rows.iter().filter(|row| row.values.contains_key("error")).count())),
            ("task_ns", json!(rows.iter().filter_map(|row| number(row, "took_ns")).sum::<u64>())),
            ("task_cpu_ns", json!(rows.iter().filter_map(|row| number(row, "cpu_ns")).sum::<u64>())),
            ("workers_used", json!(taken.len())),
            ("most_by_one", json!(taken.values().max().copied().unwrap_or(0))),
        ]);
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn word<'r>(row: &'r Row, name: &str) -> Option<&'r str> {
    row.values.get(name).and_then(Value::as_str)
}

fn number(row: &Row, name: &str) -> Option<u64> {
    row.values.get(name).and_then(Value::as_u64)
}

/// The numbers of the tasks that came to an end, the first to do so first.
fn completed(rows: &[Row]) -> Vec<u64> {
    let mut ended: Vec<(u64, u64)> =
        rows.iter().filter_map(|row| Some((number(row, "ended_ns")?, row.name.parse().ok()?))).collect();
    ended.sort_unstable();
    ended.into_iter().map(|(_, name)| name).collect()
}

/// How many tasks each worker did.
fn by_worker(rows: &[Row]) -> std::collections::BTreeMap<&str, u64> {
    let mut taken = std::collections::BTreeMap::new();
    for by in rows.iter().filter(|row| number(row, "ended_ns").is_some()).filter_map(|row| word(row, "by")) {
        *taken.entry(by).or_default() += 1;
    }
    taken
}

/// Who ran the callbacks, if any were run.
fn called_by(rows: &[Row]) -> Option<&'static str> {
    let by_main = rows.iter().filter(|row| word(row, "by") == Some(MAIN)).count();
    match by_main {
        _ if rows.is_empty() => None,
        0 => Some("workers"),
        n if n == rows.len() => Some("the main thread"),
        _ => Some("both"),
    }
}

#[cfg(test)]
mod tests;
