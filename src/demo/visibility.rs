//! `visibility`: written is not yet seen. A flag that a compiler keeps in a register, and writes that a core delays.

mod flag;
mod order;

use super::Demo;
use crate::fact::{
    ColumnSpec, DemoSpec, Fact, Need, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, TableSpec, Tally,
    Values,
};
use crate::stage::{Cue, Stage};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Visibility;

/// How long the tables stay when all is measured.
const STAY: Duration = Duration::from_secs(1);

/// One table for both tests: what comes of it as it is, and with what the language has for order.
static RESULTS: TableSpec = TableSpec {
    name: "results",
    head: "result",
    columns: &[
        ColumnSpec { value: AS_IT_IS, head: "as it is", kind: ReturnKind::Count },
        ColumnSpec { value: ORDERED, head: "ordered", kind: ReturnKind::Count },
        ColumnSpec { value: "how", head: "how it comes about", kind: ReturnKind::Word },
    ],
};

/// The columns: a plain flag, writes and reads without a fence; an atomic flag, a fence between write and read.
const AS_IT_IS: &str = "as_it_is";
const ORDERED: &str = "ordered";

static SPEC: DemoSpec = DemoSpec {
    name: "visibility",
    title: "written is not yet seen",
    part: "Memory",
    about: "One thread sets a flag, another spins until it sees it: once with a plain variable, once with an atomic one. \
            Then two threads each write one word and read the other's, many times: do both ever read the old one?",
    params: &[
        ParamSpec {
            name: "test",
            kind: ParamKind::Choice(&["both", "flag", "order"]),
            help: "the flags, the order of writes and reads, or both",
        },
        ParamSpec {
            name: "rounds",
            kind: ParamKind::Int { min: 100, max: 1_000_000, default: 100_000, unit: "" },
            help: "how often the two write and read, at most",
        },
        ParamSpec {
            name: "patience",
            kind: ParamKind::Int { min: 50, max: 3000, default: 500, unit: "ms" },
            help: "how long a reader may wait for a flag",
        },
    ],
    returns: &[
        ReturnSpec { name: "shown_by", kind: ReturnKind::Word, help: "a compiled C program, or by hand" },
        ReturnSpec { name: "plain_seen", kind: ReturnKind::Flag, help: "the plain flag was seen in time" },
        ReturnSpec { name: "atomic_seen", kind: ReturnKind::Flag, help: "the atomic flag was seen in time" },
        ReturnSpec { name: "atomic_seen_ns", kind: ReturnKind::Nanos, help: "how long after it was set" },
        ReturnSpec { name: "rounds", kind: ReturnKind::Count, help: "rounds without a fence" },
        ReturnSpec {
            name: "reorderings",
            kind: ReturnKind::Count,
            help: "of them those in which both read the old word",
        },
        ReturnSpec { name: "fenced_rounds", kind: ReturnKind::Count, help: "rounds with a fence" },
        ReturnSpec { name: "fenced_reorderings", kind: ReturnKind::Count, help: "the same, with a fence" },
        ReturnSpec { name: "cores", kind: ReturnKind::Count, help: "cores that the two had" },
    ],
    pictures: &[Picture::Table(&RESULTS), Picture::Lanes],
    needs: &[Need { capability: "a C compiler", without: "a plain flag as a compiler has it; it is done by hand" }],
    ..DemoSpec::BASE
};

impl Demo for Visibility {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let test = params.word("test").to_owned();
        let patience = Duration::from_millis(params.int("patience").unsigned_abs());
        // The flags come first: their processes are forked while the leader has a single thread.
        if test != "order" && !flag::show(stage, patience)? {
            return Ok(());
        }
        if test != "flag" && !order::show(stage, params.count("rounds"))? {
            return Ok(());
        }
        stage.tell(Fact::settled());
        until(stage, STAY, |_| false);
        Ok(())
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let flag = |value: &str| tally.cell(RESULTS.name, flag::ROW, value).cloned();
        let counts = |column: &str| -> Vec<u64> {
            order::ROWS.iter().filter_map(|row| tally.cell(RESULTS.name, row.0, column)?.as_u64()).collect()
        };
        let (relaxed, fenced) = (counts(AS_IT_IS), counts(ORDERED));
        let all = |counts: &[u64]| (!counts.is_empty()).then(|| json!(counts.iter().sum::<u64>()));
        // The last of the rows is that in which both read the old word.
        let odd = |counts: &[u64]| counts.get(order::ROWS.len() - 1).map(|n| json!(n));
        let cores = tally.start.as_ref().map(|start| json!(start.cpus.len().min(2)));
        [
            ("shown_by", flag("shown_by")),
            ("plain_seen", flag("plain_seen")),
            ("atomic_seen", flag("atomic_seen")),
            ("atomic_seen_ns", flag("atomic_seen_ns")),
            ("rounds", all(&relaxed)),
            ("reorderings", odd(&relaxed)),
            ("fenced_rounds", all(&fenced)),
            ("fenced_reorderings", odd(&fenced)),
            ("cores", cores),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

/// Waits until `done`, for `patience` at most, looking every few milliseconds. False if the run is to come to its end.
fn until(stage: &mut Stage, patience: Duration, mut done: impl FnMut(&mut Stage) -> bool) -> bool {
    let begun = Instant::now();
    while !done(stage) && begun.elapsed() < patience {
        if stage.next(Some(Duration::from_millis(5))) == Cue::Finish {
            return false;
        }
    }
    true
}

/// The worker of this number has ended.
fn gone(stage: &Stage, number: usize) -> bool {
    stage.cast().get(number).is_none_or(|entry| entry.ended.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Row};

    fn tell(tally: &mut Tally, row: &str, values: Value) {
        let values = serde_json::from_value(values).expect("an object");
        let row = Row { name: row.to_owned(), first: Nanos::ZERO, last: Nanos::ZERO, values };
        tally.tables.entry(RESULTS.name.to_owned()).or_default().push(row);
    }

    #[test]
    fn what_was_not_tried_has_no_value() {
        let values = Visibility.outcome(&Params::defaults(&SPEC), &Tally::default());
        assert!(values.values().all(Value::is_null), "{values:?}");
    }

    #[test]
    fn flags_and_rounds_are_told_apart() {
        let mut tally = Tally::default();
        let flags = json!({"plain_seen": false, "atomic_seen": true, "atomic_seen_ns": 900, "shown_by": "compiled C"});
        tell(&mut tally, flag::ROW, flags);
        for (row, count) in order::ROWS.iter().zip([10, 40, 45, 5]) {
            tell(&mut tally, row.0, json!({AS_IT_IS: count}));
        }
        let values = Visibility.outcome(&Params::defaults(&SPEC), &tally);
        assert_eq!((&values["plain_seen"], &values["atomic_seen"]), (&json!(false), &json!(true)));
        assert_eq!((&values["atomic_seen_ns"], &values["shown_by"]), (&json!(900), &json!("compiled C")));
        assert_eq!((&values["rounds"], &values["reorderings"]), (&json!(100), &json!(5)));
        assert_eq!((&values["fenced_rounds"], &values["fenced_reorderings"]), (&Value::Null, &Value::Null));
    }
}
