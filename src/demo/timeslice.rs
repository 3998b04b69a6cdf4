//! `timeslice`: CPU-bound workers, pinned to one core, take turns.

use super::Demo;
use super::company::{self, Company, MOST, ran, shares, switches};
use crate::fact::{
    Arg, As, Control, DemoSpec, On, ParamError, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Source,
    Tally, TaskTally, Turns, Values,
};
use crate::stage::{Cue, Stage};
use serde_json::{Value, json};

/// See the module.
pub(super) struct Timeslice;

static SPEC: DemoSpec = DemoSpec {
    name: "timeslice",
    title: "workers take turns on one core",
    part: "Who runs when",
    about: "Workers that only compute, all pinned to one core. None of them ever waits for anything, so the scheduler \
            alone decides who runs. See how long a turn is, who is pushed off, and how the core is shared.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 1, max: MOST, default: 3, unit: "" },
            help: "how many compute",
        },
        company::CPU,
        ParamSpec {
            name: "nice",
            kind: ParamKind::Ints { min: -20, max: 19, most: 16, default: &[] },
            help: "the nice value of each; 0 where the list ends",
        },
    ],
    returns: &[
        ReturnSpec { name: "switches", kind: ReturnKind::Count, help: "times that a worker left the core" },
        ReturnSpec { name: "preempted", kind: ReturnKind::Count, help: "times that it was pushed off" },
        ReturnSpec { name: "median_turn_ns", kind: ReturnKind::Nanos, help: "median length of a turn" },
        ReturnSpec { name: "share", kind: ReturnKind::Table, help: "share of the workers' CPU time, by letter" },
        ReturnSpec { name: "least_share", kind: ReturnKind::Share, help: "the smallest share" },
        ReturnSpec { name: "most_share", kind: ReturnKind::Share, help: "the largest share" },
        ReturnSpec { name: "core_share", kind: ReturnKind::Share, help: "what the workers had of their core's time" },
        ReturnSpec { name: "work", kind: ReturnKind::List, help: "loops that each worker did" },
    ],
    pictures: &[Picture::Lanes, Picture::Workers, Picture::Turns],
    controls: &[
        company::ADD,
        company::REMOVE,
        company::NICER,
        company::LESS_NICE,
        Control { key: 'c', verb: "pin", label: "pin to the next core, then to none", on: On::Worker, arg: Arg::None },
    ],
    self_timed: true,
    settles_ms: 3000,
    lasts_ms: |_| 3000,
    check,
    ..DemoSpec::BASE
};

fn check(params: &Params) -> Result<(), ParamError> {
    if params.ints("nice").len() > params.count("workers") {
        return Err(ParamError::new("nice", "has more numbers than there are workers"));
    }
    Ok(())
}

impl Demo for Timeslice {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let nice = params.ints("nice");
        let each = (0..params.count("workers")).map(|n| nice.get(n).copied().unwrap_or(0));
        let mut company = Company::enter(stage, &params, each)?;
        loop {
            match stage.next(None) {
                Cue::Steer(steer) => company.obey(stage, &steer),
                Cue::Finish => return Ok(()),
                Cue::Ended(_) | Cue::Time => {}
            }
        }
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let workers: Vec<&TaskTally> = tally.workers().collect();
        let source = tally.start.as_ref().map(|start| start.source);
        let mut turns = Turns::default();
        // Between two looks at /proc many turns may lie: what was seen there is no turn's length.
        workers.iter().filter(|_| source != Some(Source::Sampled)).for_each(|w| turns.merge(&w.turns));
        let ran: Vec<f64> = workers.iter().map(|w| ran(w, source, tally.now).seconds()).collect();
        let shares = shares(&ran);
        let table: serde_json::Map<String, Value> =
            workers.iter().zip(&shares).map(|(w, share)| (w.name.clone(), json!(share))).collect();
        let least = shares.iter().copied().reduce(f64::min).unwrap_or(0.0);
        let most = shares.iter().copied().reduce(f64::max).unwrap_or(0.0);
        let time = tally.now.seconds();
        let had = Some(ran.iter().sum::<f64>() / time).filter(|_| time > 0.0);
        let work: Vec<u64> = workers.iter().map(|w| w.number("work").unwrap_or(0)).collect();
        [
            ("switches", json!(workers.iter().map(|w| switches(w, source)).sum::<u64>())),
            ("preempted", json!(workers.iter().map(|w| preempted(w, source)).sum::<u64>())),
            ("median_turn_ns", turns.median().map_or(Value::Null, |m| json!(m.0))),
            ("share", Value::Object(table)),
            ("least_share", json!(least)),
            ("most_share", json!(most)),
            ("core_share", had.map_or(Value::Null, |had| json!(had))),
            ("work", json!(work)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// Times that it was pushed off, from the kernel's account where the lanes do not tell why it left.
fn preempted(worker: &TaskTally, source: Option<Source>) -> u64 {
    match (source, &worker.counters) {
        (Some(Source::Sampled | Source::SelfTimed), Some(account)) => account.involuntary,
        _ => worker.preempted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Pid, Tid};

    #[test]
    fn shares_add_up_and_the_median_is_that_of_all_turns() {
        let mut tally = Tally::default();
        for (n, (name, ms)) in [("A", 60), ("B", 30), ("C", 10)].into_iter().enumerate() {
            let id = 10 + u32::try_from(n).expect("small");
            let mut task = TaskTally::new(Tid(id), Pid(id), Nanos::ZERO);
            task.name = name.to_owned();
            task.slot = u16::try_from(n).ok();
            task.ran = Nanos::from_millis(ms);
            task.turns.add(Nanos::from_millis(ms));
            (task.switches, task.preempted) = (5, 4);
            tally.tasks.push(task);
        }
        tally.now = Nanos::from_millis(125);
        let values = Timeslice.outcome(&Params::defaults(&SPEC), &tally);
        let share = values["core_share"].as_f64().expect("a number");
        assert!((share - 0.8).abs() < 1e-9, "{share}");
        assert_eq!(values["share"], json!({"A": 0.6, "B": 0.3, "C": 0.1}));
        assert_eq!((&values["least_share"], &values["most_share"]), (&json!(0.1), &json!(0.6)));
        assert_eq!((&values["switches"], &values["preempted"]), (&json!(15), &json!(12)));
        let median = values["median_turn_ns"].as_u64().expect("a number");
        assert!(median.abs_diff(30_000_000) < 300_000, "{median}");
    }

    #[test]
    fn more_nice_values_than_workers_are_refused() {
        let error = Params::from_words(&SPEC, &["workers=1", "nice=0,5"]).expect_err("two for one");
        assert_eq!(error[0].sentence, "nice has more numbers than there are workers");
    }
}
