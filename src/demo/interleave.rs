//! `interleave`: two workers add to one counter, one machine step at a time and in an order that is chosen; then the same for
//! real, many times, in whatever order comes.

mod steps;
mod trials;

use super::Demo;
use super::area::Area;
use super::pace::{self, Cut, Pace};
use crate::fact::{
    Arg, Control, CountsSpec, DemoSpec, Fact, ListingSpec, On, ParamError, ParamKind, ParamSpec, Params, Picture,
    ReturnKind, ReturnSpec, Tally, Unavailable, Values,
};
use crate::stage::{Settings, Stage, Worker};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub(super) struct Interleave;

/// How long the result of the trials stays, in milliseconds.
const STAY_MS: i64 = 1000;

static PROGRAM: ListingSpec = ListingSpec { name: "program", table: "program", lines: &steps::LINES };

static TOTALS: CountsSpec =
    CountsSpec { name: "totals", table: "totals", head: "total", of: "trials", count: "trials" };

/// The keys by which the learner says whose turn it is, or begins again.
const STEP_A: Control =
    Control { key: 'a', verb: "step A", label: "A does its next step", on: On::Demo, arg: Arg::None };
const STEP_B: Control =
    Control { key: 'b', verb: "step B", label: "B does its next step", on: On::Demo, arg: Arg::None };
const OVER: Control =
    Control { key: 'o', verb: "over", label: "over again, in an order of yours", on: On::Demo, arg: Arg::None };

static SPEC: DemoSpec = DemoSpec {
    name: "interleave",
    title: "two programs, step by step",
    part: "Sharing without tears",
    about: "Two workers go through the same three steps: load the counter, add 1, store it. Each is held until it is told to do \
            its next step, so that the order is yours. Then the same is run for real, many times.",
    params: &[
        ParamSpec { name: "as", kind: ParamKind::Choice(&["threads", "processes"]), help: "what the workers are" },
        ParamSpec {
            name: "schedule",
            kind: ParamKind::Choice(&["wrong", "right", "learner", "none"]),
            help: "in which order they step: to the least total, one after the other, by the keys, or not at all",
        },
        ParamSpec {
            name: "rounds",
            kind: ParamKind::Int { min: 1, max: 5, default: 1, unit: "" },
            help: "how often each adds 1, step by step",
        },
        pace::param(800),
        ParamSpec {
            name: "trials",
            kind: ParamKind::Int { min: 0, max: 20_000, default: 20_000, unit: "" },
            help: "how often the same is run for real, at most",
        },
        ParamSpec {
            name: "adds",
            kind: ParamKind::Int { min: 1, max: 100_000, default: 10, unit: "" },
            help: "how often each adds 1 in a trial",
        },
    ],
    returns: &[
        ReturnSpec { name: "stepped_total", kind: ReturnKind::Count, help: "what memory held after the last step" },
        ReturnSpec { name: "stepped_expected", kind: ReturnKind::Count, help: "what it should have held" },
        ReturnSpec { name: "order", kind: ReturnKind::Word, help: "whose step each was" },
        ReturnSpec { name: "trials", kind: ReturnKind::Count, help: "trials that were run" },
        ReturnSpec { name: "expected", kind: ReturnKind::Count, help: "the right total of a trial" },
        ReturnSpec { name: "right", kind: ReturnKind::Count, help: "trials with the right total" },
        ReturnSpec { name: "wrong", kind: ReturnKind::Count, help: "trials with another" },
        ReturnSpec { name: "least", kind: ReturnKind::Count, help: "the least total" },
        ReturnSpec { name: "most", kind: ReturnKind::Count, help: "the greatest total" },
        ReturnSpec { name: "different", kind: ReturnKind::Count, help: "different totals that came" },
        ReturnSpec { name: "found", kind: ReturnKind::Table, help: "how many trials had each total, or range" },
    ],
    pictures: &[Picture::Listing(&PROGRAM), Picture::Counts(&TOTALS), Picture::Lanes],
    controls: &[STEP_A, STEP_B, OVER, pace::SLOWER, pace::FASTER],
    lasts_ms: |params| {
        let all = params.int("pace").unsigned_abs() * 6 * params.int("rounds").unsigned_abs() + 2000;
        match (params.word("schedule"), params.int("trials")) {
            ("learner", _) => all + steps::IDLE_MS,
            (_, 0) => all,
            _ => 0,
        }
    },
    check: |params| match (params.word("schedule"), params.int("trials")) {
        ("none", 0) => Err(ParamError::new("trials", "is 0, and without a schedule there would be nothing to see")),
        _ => Ok(()),
    },
    ..DemoSpec::BASE
};

impl Demo for Interleave {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        let stepped = |value: &str| tally.cell(PROGRAM.table, "last", value).cloned();
        let trial = |value: &str| tally.cell(trials::TABLE, trials::ROW, value).cloned();
        let count = |value: &str| trial(value).and_then(|v| v.as_u64());
        let wrong = count("trials").zip(count("right")).map(|(all, right)| json!(all.saturating_sub(right)));
        let rows = tally.table(TOTALS.table);
        let found: serde_json::Map<_, _> =
            rows.iter().filter_map(|row| Some((row.name.clone(), row.values.get(TOTALS.count)?.clone()))).collect();
        let stepped_expected = (params.word("schedule") != "none").then(|| json!(2 * params.int("rounds")));
        [
            ("stepped_total", stepped("total")),
            ("stepped_expected", stepped_expected),
            ("order", stepped("whole")),
            ("trials", trial("trials")),
            ("expected", trial("expected")),
            ("right", trial("right")),
            ("wrong", wrong),
            ("least", trial("least")),
            ("most", trial("most")),
            ("different", trial("different")),
            ("found", (!found.is_empty()).then_some(Value::Object(found))),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

/// The order to go through the trials; lower ones are steps.
const TRIALS: u64 = 1 << 40;

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let refused = |error: std::io::Error| Unavailable::new("shared memory", error.to_string());
    let desk = steps::Desk::new(Area::shared(1).map_err(refused)?, params.int("rounds").unsigned_abs());
    let many = trials::Trials::new(params.count("trials"), params.int("adds").unsigned_abs()).map_err(refused)?;
    let (desk, many) = (Arc::new(desk), Arc::new(many));
    for side in 0..2 {
        let cpu = stage.cpus().get(side % stage.cpus().len().max(1)).copied();
        let settings = Settings { cpus: cpu.into_iter().collect(), nice: 0 };
        let (desk, many) = (Arc::clone(&desk), Arc::clone(&many));
        stage.enter(params.workers_as(), &settings, move |worker| part(worker, side, &desk, &many))?;
    }
    let trials = params.count("trials") > 0;
    if params.word("schedule") != "none" {
        steps::show(stage, &desk, &params, trials)?;
    }
    if trials {
        trials::show(stage, &many)?;
    }
    settled(stage);
    Pace::new(STAY_MS).rest(stage)
}

fn settled(stage: &mut Stage) {
    stage.tell(Fact::settled());
}

/// A worker's part: the steps that it is told to do, and the trials when they are called.
fn part(worker: &Worker, side: usize, desk: &steps::Desk, many: &trials::Trials) {
    let mut program = steps::Program::default();
    let mut known = 0;
    loop {
        known = worker.wait(known, Duration::MAX);
        match known {
            Worker::HALT => return,
            TRIALS => return many.play(side, worker),
            0 => {}
            order => {
                program.obey(order, side, desk, worker);
                worker.set_work(order);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Row};

    fn tell(tally: &mut Tally, table: &str, row: &str, values: Value) {
        let values = serde_json::from_value(values).expect("an object");
        let row = Row { name: row.to_owned(), first: Nanos::ZERO, last: Nanos::ZERO, values };
        tally.tables.entry(table.to_owned()).or_default().push(row);
    }

    #[test]
    fn steps_alone_say_nothing_of_trials() {
        let mut tally = Tally::default();
        tell(&mut tally, PROGRAM.table, "last", json!({"total": 1, "whole": "A B A B A B"}));
        let values = Interleave.outcome(&Params::defaults(&SPEC), &tally);
        assert_eq!((&values["stepped_total"], &values["stepped_expected"]), (&json!(1), &json!(2)));
        assert_eq!(
            (&values["order"], &values["trials"], &values["found"]),
            (&json!("A B A B A B"), &json!(null), &json!(null))
        );
    }

    #[test]
    fn trials_are_right_or_wrong() {
        let mut tally = Tally::default();
        let all = json!({"trials": 50, "right": 30, "expected": 20, "least": 11, "most": 20, "different": 3});
        tell(&mut tally, trials::TABLE, trials::ROW, all);
        for (total, count) in [("20", 30), ("11", 5), ("12", 15)] {
            tell(&mut tally, TOTALS.table, total, json!({"trials": count}));
        }
        let values = Interleave.outcome(&Params::defaults(&SPEC), &tally);
        assert_eq!((&values["right"], &values["wrong"], &values["least"]), (&json!(30), &json!(20), &json!(11)));
        assert_eq!(values["found"], json!({"20": 30, "11": 5, "12": 15}));
        assert_eq!(values["stepped_total"], Value::Null);
    }

    #[test]
    fn with_nothing_to_do_it_is_refused() {
        let error = Params::from_words(&SPEC, &["schedule=none", "trials=0"]).expect_err("nothing to see");
        assert!(error[0].sentence.starts_with("trials is 0"), "{}", error[0].sentence);
    }
}
