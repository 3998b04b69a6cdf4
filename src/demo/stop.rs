//! `stop`: one of three workers is paused, asked to end, cancelled or killed, and the other two go on or do not.
//!
//! The leader is the parent: it sends the signal, takes the time until the kernel knows the answer, and looks at /proc. Where
//! the workers are threads, they live in a child of the leader, since what ends one of them may end them all.

mod act;
mod worker;

use super::Demo;
use crate::demo::script::{NOW, Over, pass, step, told};
use crate::fact::{
    Arg, As, ColumnSpec, Control, DemoSpec, On, ParamError, ParamKind, ParamSpec, Params, Picture, ReturnKind,
    ReturnSpec, Row, TableSpec, Tally, Values,
};
use crate::stage::Stage;
use act::Company;
use serde_json::{Value, json};
use std::time::Duration;

/// See the module.
pub(super) struct Stop;

/// The table of what was done.
const TABLE: &str = "ways";

/// What is done to a worker; the last is all of the others in turn.
const HOW: &[&str] = &["pause", "term", "tidy", "ignore", "kill", "flag", "cancel", "no-point", "all"];

/// What only a thread can suffer.
const FOR_THREADS: &[&str] = &["cancel", "no-point"];

/// How many workers there are, and which one is struck: B of A, B and C.
const COMPANY: usize = 3;

/// From one way to the next where all are shown.
const BETWEEN: Duration = Duration::from_millis(300);

static SPEC: DemoSpec = DemoSpec {
    name: "stop",
    title: "three workers, and one of them is stopped",
    part: "When things go wrong",
    about: "A, B and C work: each a process, or all three threads of one process. B is paused, asked to end, cancelled or \
            killed. See what ends, how soon, who goes on, and what whoever waits for B is told.",
    params: &[
        As::PARAM,
        ParamSpec { name: "how", kind: ParamKind::Choice(HOW), help: "what is done to B" },
        ParamSpec {
            name: "after",
            kind: ParamKind::Int { min: 200, max: 60_000, default: 1500, unit: "ms" },
            help: "when, unless you are first",
        },
        ParamSpec {
            name: "grace",
            kind: ParamKind::Int { min: 100, max: 2000, default: 500, unit: "ms" },
            help: "how long B may leave a request unanswered",
        },
    ],
    returns: &[
        ReturnSpec { name: "what", kind: ReturnKind::Word, help: "what ended: nothing, thread or process" },
        ReturnSpec { name: "ended", kind: ReturnKind::Table, help: "the same for each thing that was done" },
        ReturnSpec { name: "stop_ns", kind: ReturnKind::Nanos, help: "from the last call to the answer" },
        ReturnSpec { name: "took", kind: ReturnKind::Table, help: "the same for each thing that was done" },
        ReturnSpec { name: "survivors", kind: ReturnKind::Count, help: "workers that still exist afterwards" },
        ReturnSpec { name: "went_on", kind: ReturnKind::Count, help: "workers that went on working afterwards" },
        ReturnSpec { name: "signal", kind: ReturnKind::Word, help: "the signal that ended or stopped B, or none" },
        ReturnSpec { name: "letter", kind: ReturnKind::Word, help: "B's state in /proc when its end was known" },
        ReturnSpec { name: "left_kib", kind: ReturnKind::Kib, help: "memory that B's process still had then" },
        ReturnSpec { name: "half_made", kind: ReturnKind::Flag, help: "B's last change was left half done" },
        ReturnSpec { name: "cancelled", kind: ReturnKind::Flag, help: "pthread_cancel ended B within the grace" },
        ReturnSpec {
            name: "alive_after_tid_kill",
            kind: ReturnKind::Count,
            help: "threads left after a deadly signal to one",
        },
    ],
    pictures: &[
        Picture::Cards,
        Picture::Table(&TableSpec {
            name: TABLE,
            head: "done to B",
            columns: &[
                ColumnSpec { value: "ended", head: "ended", kind: ReturnKind::Word },
                ColumnSpec { value: "letters", head: "state", kind: ReturnKind::Word },
                ColumnSpec { value: "took", head: "after", kind: ReturnKind::Nanos },
                ColumnSpec { value: "told", head: "who waits is told", kind: ReturnKind::Word },
            ],
        }),
        Picture::Lanes,
        Picture::Workers,
    ],
    controls: &[Control { key: 'x', verb: NOW, label: "do it now", on: On::Demo, arg: Arg::None }],
    check,
    ..DemoSpec::BASE
};

fn check(params: &Params) -> Result<(), ParamError> {
    let how = params.word("how");
    if params.workers_as() == As::Processes && FOR_THREADS.contains(&how) {
        return Err(ParamError::new("how", &format!("{how} needs as=threads: pthread_cancel knows threads only")));
    }
    Ok(())
}

impl Demo for Stop {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let how = params.word("how");
        let after = Duration::from_millis(params.int("after").unsigned_abs());
        told(stage, |stage| {
            if how != "all" {
                return way_of(stage, &params, how, COMPANY, after);
            }
            let threads = params.workers_as() == As::Threads;
            let ways = HOW.iter().filter(|way| **way != "all" && (threads || !FOR_THREADS.contains(way)));
            ways.copied().try_for_each(|way| way_of(stage, &params, way, 1, BETWEEN))
        })
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let rows = tally.table(TABLE);
        let value = |row: &Row, name: &str| row.values.get(name).filter(|v| !v.is_null()).cloned();
        let last = |name: &str| rows.iter().rev().find_map(|row| value(row, name));
        let first = |name: &str| rows.iter().find_map(|row| value(row, name));
        let each = |name: &str| {
            let cells: serde_json::Map<_, _> =
                rows.iter().filter_map(|row| Some((row.name.clone(), value(row, name)?))).collect();
            (!cells.is_empty()).then_some(Value::Object(cells))
        };
        // To let a stopped one go on is not to stop it.
        let stopped = rows.iter().rev().filter(|row| row.name != act::CONTINUE).find_map(|row| value(row, "took"));
        [
            ("what", last("ended")),
            ("ended", each("ended")),
            ("stop_ns", stopped),
            ("took", each("took")),
            ("survivors", last("alive")),
            ("went_on", last("went_on")),
            ("signal", last("signal").or_else(|| last("ended").map(|_| json!("none")))),
            ("letter", last("letter")),
            ("left_kib", last("left_kib")),
            ("half_made", last("half_made")),
            ("cancelled", first("cancelled")),
            ("alive_after_tid_kill", last("threads")),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

/// Brings a company on, waits, does it, and sends the company off.
fn way_of(stage: &mut Stage, params: &Params, how: &str, size: usize, after: Duration) -> Result<(), Over> {
    let company = Company::raise(stage, params.workers_as(), how, size)?;
    step(stage, "open");
    pass(stage, after)?;
    step(stage, "struck");
    let grace = Duration::from_millis(params.int("grace").unsigned_abs());
    act::act(stage, &company, how, grace)?;
    if size < COMPANY {
        stage.dismiss(&company.numbers());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
