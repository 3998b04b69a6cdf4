//! `spoiled`: what one process does to another in spite of the wall between their memories: by a pipe, a lock, a disk, and
//! the amount of memory that there is.

mod disk;
mod lock;
mod memory;
mod pipe;

use super::Demo;
use crate::demo::script::{NOW, Over, step, told};
use crate::fact::{
    Arg, ColumnSpec, Control, DemoSpec, Need, On, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Row,
    TableSpec, Tally, Values,
};
use crate::stage::Stage;
use serde_json::{Value, json};
use std::time::Duration;

/// See the module.
pub(super) struct Spoiled;

/// The table of what reached the other.
const TABLE: &str = "cases";

/// The cases; the last is all of the others in turn.
const CASES: &[&str] = &["pipe", "lock", "file", "memory", "all"];

static SPEC: DemoSpec = DemoSpec {
    name: "spoiled",
    title: "two processes, a wall between them, and what passes it",
    part: "When things go wrong",
    about: "A does something, mostly it dies; B and C have a memory of their own and have done nothing wrong. See what \
            reaches them all the same, by a pipe, a shared lock, a full disk, a bound on memory, and who is prepared for it.",
    params: &[
        ParamSpec { name: "case", kind: ParamKind::Choice(CASES), help: "what they share" },
        ParamSpec {
            name: "after",
            kind: ParamKind::Int { min: 200, max: 60_000, default: 1500, unit: "ms" },
            help: "when it happens, unless you are first",
        },
    ],
    returns: &[
        ReturnSpec { name: "reached", kind: ReturnKind::Table, help: "what reached the other, for each thing tried" },
        ReturnSpec { name: "spread", kind: ReturnKind::Count, help: "how many of them reached the other" },
        ReturnSpec { name: "signal", kind: ReturnKind::Word, help: "the signal that ended another, or none" },
        ReturnSpec { name: "errno", kind: ReturnKind::Word, help: "the error that another was told, or none" },
        ReturnSpec { name: "survivors", kind: ReturnKind::Count, help: "others that lived on" },
        ReturnSpec { name: "recovered", kind: ReturnKind::Flag, help: "another was told, and could go on as before" },
        ReturnSpec { name: "took_ns", kind: ReturnKind::Nanos, help: "from the deed to the first who felt it" },
    ],
    pictures: &[
        Picture::Log(&TableSpec {
            name: TABLE,
            head: "shared",
            columns: &[
                ColumnSpec { value: "did", head: "what A did", kind: ReturnKind::Word },
                ColumnSpec { value: "reached", head: "reached", kind: ReturnKind::Word },
                ColumnSpec { value: "got", head: "what became of the other", kind: ReturnKind::Word },
            ],
        }),
        Picture::Cards,
        Picture::Lanes,
        Picture::Workers,
    ],
    controls: &[Control { key: 'x', verb: NOW, label: "do it now", on: On::Demo, arg: Arg::None }],
    needs: &[Need { capability: "user namespaces", without: "a real disk that is full; a file in memory stands in" }],
    ..DemoSpec::BASE
};

impl Demo for Spoiled {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let chosen = params.word("case");
        let after = Duration::from_millis(params.int("after").unsigned_abs());
        told(stage, |stage| {
            CASES.iter().filter(|case| **case != "all" && (chosen == "all" || **case == chosen)).try_for_each(|case| {
                step(stage, case);
                one(stage, case, after)?;
                if chosen == "all" {
                    stage.close();
                }
                Ok(())
            })
        })
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let rows = tally.table(TABLE);
        let reached: Vec<_> =
            rows.iter().filter_map(|row| Some((row.name.clone(), row.values.get("reached")?.as_str()?))).collect();
        let known = |value: Value| (!reached.is_empty()).then_some(value);
        let of = |is: fn(&str) -> bool| reached.iter().map(|(_, what)| *what).find(|what| is(what)).unwrap_or("none");
        let value = |row: &Row, name: &str| row.values.get(name).filter(|v| !v.is_null()).cloned();
        let alive = rows.iter().filter(|row| row.values.get("alive").is_some_and(|v| v == true)).count();
        [
            ("reached", known(reached.iter().map(|(row, what)| (row.clone(), json!(what))).collect())),
            ("spread", known(json!(reached.iter().filter(|(_, what)| *what != "nothing").count()))),
            ("signal", known(json!(of(|what| what.starts_with("SIG"))))),
            ("errno", known(json!(of(|what| what.starts_with('E'))))),
            ("survivors", known(json!(alive))),
            ("recovered", known(json!(rows.iter().any(|row| row.values.get("recovered").is_some_and(|v| v == true))))),
            ("took_ns", rows.iter().find_map(|row| value(row, "took"))),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

fn one(stage: &mut Stage, case: &str, after: Duration) -> Result<(), Over> {
    match case {
        "pipe" => pipe::play(stage, after),
        "lock" => lock::play(stage, after),
        "file" => disk::play(stage, after),
        _ => memory::play(stage, after),
    }
}

/// A row of the table.
fn row(name: &str, values: Value) -> crate::fact::Fact {
    crate::demo::script::row(TABLE, name, values)
}

#[cfg(test)]
mod tests;
