//! `responsive`: a clock that ticks, and a long task: on the thread of the clock, on another, or in slices.

mod clock;
mod task;

use super::Demo;
use crate::fact::{
    Arg, As, ColumnSpec, Control, CurveSpec, CurvesSpec, DemoSpec, Fact, On, ParamKind, ParamSpec, Params, Picture,
    ReturnKind, ReturnSpec, Steer, Stroke, TableSpec, Tally, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage};
use clock::Clock;
use serde_json::Value;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// See the module.
pub(super) struct Responsive;

/// Where a long task can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On the thread of the clock, as one piece.
    Same,
    /// On another thread.
    Other,
    /// On the thread of the clock, in slices after each of which it yields.
    Yielding,
    /// On another thread, with a lock that the clock needs for each tick.
    Locked,
}

impl Place {
    const ALL: [Self; 4] = [Self::Same, Self::Other, Self::Yielding, Self::Locked];
    const WORDS: &[&str] = &["same", "other", "yielding", "locked"];

    fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|place| place.word() == word).unwrap_or(Self::Same)
    }

    fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }
}

/// The longest that the first task is waited for.
const LEAD: Duration = Duration::from_secs(2);

/// A row for each long task.
static TASKS: TableSpec = TableSpec {
    name: "long tasks",
    head: "task",
    columns: &[
        ColumnSpec { value: "where", head: "thread", kind: ReturnKind::Word },
        ColumnSpec { value: "dropped", head: "dropped", kind: ReturnKind::Count },
        ColumnSpec { value: "worst_gap_ns", head: "worst gap", kind: ReturnKind::Nanos },
        ColumnSpec { value: "marks", head: "● tick  ○ dropped  │ task", kind: ReturnKind::Word },
    ],
};

static GAPS: CurvesSpec = CurvesSpec {
    name: "gaps",
    x: "ticks since the task began",
    y: "gap before a tick",
    kind: ReturnKind::Nanos,
    curves: &[
        CurveSpec { curve: "same", label: "same thread", stroke: Stroke::Measured },
        CurveSpec { curve: "other", label: "other thread", stroke: Stroke::Measured },
        CurveSpec { curve: "yielding", label: "yielding", stroke: Stroke::Measured },
        CurveSpec { curve: "locked", label: "with a lock", stroke: Stroke::Measured },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "responsive",
    title: "a clock ticks beside a long task",
    part: "In practice",
    about: "Thread A is to tick at a steady pace, as a program that answers its user. Then comes a long task: on the same \
            thread, on another, in slices that yield, or on another with a lock that the clock needs.",
    params: &[
        ParamSpec { name: "where", kind: ParamKind::Choice(Place::WORDS), help: "where the long task is done" },
        ParamSpec {
            name: "task_ms",
            kind: ParamKind::Int { min: 50, max: 5000, default: 800, unit: "ms" },
            help: "how much CPU time the task takes",
        },
        ParamSpec {
            name: "tick_ms",
            kind: ParamKind::Int { min: 10, max: 1000, default: 50, unit: "ms" },
            help: "from one tick to the next",
        },
    ],
    returns: &[
        ReturnSpec { name: "worst_gap_ns", kind: ReturnKind::Nanos, help: "the longest time between two ticks" },
        ReturnSpec { name: "ticks", kind: ReturnKind::Count, help: "ticks since the last task began" },
        ReturnSpec { name: "expected_ticks", kind: ReturnKind::Count, help: "ticks that were due in that time" },
        ReturnSpec { name: "dropped", kind: ReturnKind::Count, help: "ticks that were due and did not come" },
        ReturnSpec { name: "took_ns", kind: ReturnKind::Nanos, help: "from the begin of the task to its end" },
    ],
    pictures: &[Picture::Table(&TASKS), Picture::Lanes, Picture::Curves(&GAPS)],
    controls: &[
        Control { key: 'x', verb: "task", label: "another long task", on: On::Demo, arg: Arg::None },
        Control { key: 'w', verb: "where", label: "the next one elsewhere", on: On::Demo, arg: Arg::None },
    ],
    lasts_ms: |params| params.int("task_ms").unsigned_abs() * 3 + params.int("tick_ms").unsigned_abs() * 24 + 500,
    ..DemoSpec::BASE
};

impl Demo for Responsive {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        enter(stage, &params)?;
        direct(stage, &params);
        Ok(())
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let last = tally.table(TASKS.name).last();
        let value = |name: &str| last.and_then(|row| row.values.get(name)).cloned().unwrap_or(Value::Null);
        ["worst_gap_ns", "ticks", "expected_ticks", "dropped", "took_ns"].map(|n| (n.to_owned(), value(n))).into()
    }
}

/// Brings on the thread of the clock, and the one that takes over what the clock does not do itself.
fn enter(stage: &mut Stage, params: &Params) -> Result<(), Unavailable> {
    let (size, tick) = (millis(params, "task_ms"), millis(params, "tick_ms"));
    let (give, take) = mpsc::channel();
    let lock = Arc::new(std::sync::Mutex::new(()));
    let theirs = Arc::clone(&lock);
    stage.enter(As::Threads, &Settings::default(), move |worker| Clock::new(worker, tick, size, lock, give).run())?;
    // It leaves when the clock has: then nobody is left to hand it anything.
    stage.enter(As::Threads, &Settings::default(), move |worker| task::serve(worker, &take, &theirs, tick))?;
    Ok(())
}

fn millis(params: &Params, name: &str) -> Duration {
    Duration::from_millis(params.int(name).unsigned_abs())
}

/// Orders a long task, and others as the learner wishes.
fn direct(stage: &mut Stage, params: &Params) {
    let mut place = Place::of(params.word("where"));
    let mut ordered = 1;
    let mut order = |stage: &mut Stage, place: Place| {
        ordered += 1;
        stage.order(0, clock::order(ordered, place));
    };
    // A few ticks first, so that one sees what is lost.
    let mut lead = Some((millis(params, "tick_ms") * clock::BESIDE).min(LEAD));
    loop {
        match stage.next(lead) {
            Cue::Steer(Steer { verb, .. }) if verb == "task" => order(stage, place),
            Cue::Steer(Steer { verb, .. }) if verb == "where" => {
                place = place.next();
                order(stage, place);
            }
            Cue::Time => {
                lead = None;
                order(stage, place);
            }
            Cue::Finish => return,
            Cue::Ended(_) if stage.on().next().is_none() => return,
            Cue::Ended(_) | Cue::Steer(_) => {}
        }
    }
}

/// Tells a fact about a task's row.
fn row(name: &str, values: Value) -> Fact {
    super::script::row(TASKS.name, name, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Row};
    use serde_json::json;

    #[test]
    fn the_last_task_counts() {
        let mut tally = Tally::default();
        assert!(Responsive.outcome(&Params::defaults(&SPEC), &tally).values().all(Value::is_null));
        let row = |name: &str, dropped: u64| Row {
            name: name.to_owned(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: [("dropped".to_owned(), json!(dropped)), ("ticks".to_owned(), json!(7))].into(),
        };
        tally.tables.insert(TASKS.name.to_owned(), vec![row("1", 15), row("2", 0)]);
        let values = Responsive.outcome(&Params::defaults(&SPEC), &tally);
        assert_eq!((&values["dropped"], &values["ticks"], &values["took_ns"]), (&json!(0), &json!(7), &Value::Null));
    }

    #[test]
    fn places_go_round_and_have_their_words() {
        assert!(Place::ALL.iter().all(|place| Place::of(place.word()) == *place));
        assert_eq!(Place::Locked.next(), Place::Same);
    }
}
