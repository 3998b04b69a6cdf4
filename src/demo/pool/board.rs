//! What is told of the futures: a row for each, whenever something has happened to it.

use super::{ALL, FUTURES};
use crate::demo::executor::{Executor, Future, Missing, Record, State};
use crate::fact::{Fact, Nanos, Values};
use crate::stage::Stage;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The states, by the names of `concurrent.futures`.
pub(super) const PENDING: &str = "pending";
pub(super) const RUNNING: &str = "running";
pub(super) const CANCELLED: &str = "cancelled";
pub(super) const FINISHED: &str = "finished";

/// The only error of a task's own.
pub(super) const NOT_TESTABLE: u32 = 1;
/// A task that was called off with the whole run.
pub(super) const CALLED_OFF: u32 = 2;

/// What was told last of each future.
#[derive(Debug, Default)]
pub(super) struct Board {
    told: BTreeMap<Future, Record>,
    first: Option<Nanos>,
}

impl Board {
    /// Tells what has changed since the last look.
    pub(super) fn look(&mut self, stage: &mut Stage, executor: &Executor) {
        for future in executor.futures() {
            let record = executor.record(future);
            let before = self.told.insert(future, record.clone());
            if before.as_ref() == Some(&record) {
                continue;
            }
            let first = *self.first.get_or_insert(record.submitted);
            let by = record.worker.and_then(|n| executor.hired().get(n)).and_then(|n| stage.cast().get(*n));
            let by = by.map(|entry| format!("{} {}", entry.name, entry.tid));
            let at = record.ended.or(record.began).unwrap_or(record.submitted);
            let fact = row(FUTURES.name, &future.number().to_string(), values(&record, by, first));
            stage.tell_at(at, fact);
        }
    }
}

/// Tells what holds for all of them.
pub(super) fn tell_all(stage: &mut Stage, name: &str, value: Value) {
    stage.tell(row(ALL, ALL, [(name.to_owned(), value)].into()));
}

fn row(table: &str, name: &str, values: Values) -> Fact {
    Fact::Row { table: table.to_owned(), row: name.to_owned(), values }
}

fn values(record: &Record, by: Option<String>, first: Nanos) -> Values {
    let state = match record.state {
        State::Pending => PENDING,
        State::Running(_) => RUNNING,
        State::Cancelled => CANCELLED,
        State::Finished => FINISHED,
    };
    let mut values = vec![("number", json!(record.argument.to_string())), ("state", json!(state)), ("by", json!(by))];
    if let Some(began) = record.began {
        values.push(("queued_ns", json!(began.since(record.submitted))));
        values.push(("began_ns", json!(began.since(first))));
    }
    if let (Some(began), Some(ended)) = (record.began, record.ended) {
        values.push(("took_ns", json!(ended.since(began))));
        values.push(("ended_ns", json!(ended.since(first))));
    }
    if let Some(cpu) = record.cpu {
        values.push(("cpu_ns", json!(cpu)));
    }
    if let Some(answer) = record.answer() {
        values.push(("answer", json!(words(answer))));
        if let Err(Missing::Failed(_) | Missing::Broken | Missing::Abandoned) = answer {
            values.push(("error", json!(words(answer))));
        }
    }
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A result as it is shown.
pub(super) fn words(answer: Result<u64, Missing>) -> &'static str {
    match answer {
        Ok(0) => "not prime",
        Ok(1) => "prime",
        Ok(_) => "waited",
        Err(Missing::TimedOut) => "timed out",
        Err(Missing::Cancelled) => "none: cancelled",
        Err(Missing::Failed(NOT_TESTABLE)) => "error: no such question",
        Err(Missing::Failed(_)) => "error: called off",
        Err(Missing::Broken) => "error: its worker ended",
        Err(Missing::Abandoned) => "error: no worker is left",
    }
}
