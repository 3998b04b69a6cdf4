//! `timeslice`: CPU-bound workers, pinned to one core, take turns.

use super::Demo;
use crate::fact::{
    Arg, As, Control, Cpu, DemoSpec, Fact, Nanos, On, ParamError, ParamKind, ParamSpec, Params, Picture, ReturnKind,
    ReturnSpec, Source, Steer, Tally, TaskTally, Turns, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage};
use serde_json::{Value, json};

/// See the module.
pub(super) struct Timeslice;

/// Workers that can be on at a time.
const MOST: i64 = 16;

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
        ParamSpec {
            name: "cpu",
            kind: ParamKind::Cpu,
            help: "the core they share; the first allowed one if not given",
        },
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
        ReturnSpec { name: "work", kind: ReturnKind::List, help: "loops that each worker did" },
    ],
    pictures: &[Picture::Lanes, Picture::Workers, Picture::Turns],
    controls: &[
        Control { key: '+', verb: "add", label: "add a worker", on: On::Demo, arg: Arg::None },
        Control { key: '-', verb: "remove", label: "remove the chosen worker", on: On::Worker, arg: Arg::None },
        Control { key: 'i', verb: "nice", label: "nicer: gives way", on: On::Worker, arg: Arg::By(1) },
        Control { key: 'I', verb: "nice", label: "less nice: pushes", on: On::Worker, arg: Arg::By(-1) },
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
        let mut company = Company::new(stage, &params);
        let nice = params.ints("nice");
        for n in 0..params.count("workers") {
            let nice = nice.get(n).copied().unwrap_or(0);
            company.add(stage, i32::try_from(nice).unwrap_or(0))?;
        }
        loop {
            match stage.next(None) {
                Cue::Steer(steer) => {
                    if let Err(refused) = company.obey(stage, &steer) {
                        stage.tell(Fact::Refused(refused));
                    }
                }
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
        let all: f64 = ran.iter().sum();
        let shares: Vec<f64> = ran.iter().map(|r| if all > 0.0 { round(r / all) } else { 0.0 }).collect();
        let table: serde_json::Map<String, Value> =
            workers.iter().zip(&shares).map(|(w, share)| (w.name.clone(), json!(share))).collect();
        let least = shares.iter().copied().reduce(f64::min).unwrap_or(0.0);
        let most = shares.iter().copied().reduce(f64::max).unwrap_or(0.0);
        let work: Vec<u64> = workers.iter().map(|w| w.number("work").unwrap_or(0)).collect();
        [
            ("switches", json!(workers.iter().map(|w| switches(w, source)).sum::<u64>())),
            ("preempted", json!(workers.iter().map(|w| preempted(w, source)).sum::<u64>())),
            ("median_turn_ns", turns.median().map_or(Value::Null, |m| json!(m.0))),
            ("share", Value::Object(table)),
            ("least_share", json!(least)),
            ("most_share", json!(most)),
            ("work", json!(work)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// Time on the core: from the lanes, or from the kernel's account where the lanes are only sampled.
fn ran(worker: &TaskTally, source: Option<Source>, now: Nanos) -> Nanos {
    match (source, &worker.counters) {
        (Some(Source::Sampled), Some(account)) => account.ran,
        _ => worker.ran_until(now),
    }
}

/// Times that it left the core, from the kernel's account where the lanes are only sampled.
fn switches(worker: &TaskTally, source: Option<Source>) -> u64 {
    match (source, &worker.counters) {
        (Some(Source::Sampled), Some(account)) => account.voluntary + account.involuntary,
        _ => worker.switches,
    }
}

/// Times that it was pushed off, from the kernel's account where the lanes do not tell why it left.
fn preempted(worker: &TaskTally, source: Option<Source>) -> u64 {
    match (source, &worker.counters) {
        (Some(Source::Sampled | Source::SelfTimed), Some(account)) => account.involuntary,
        _ => worker.preempted,
    }
}

/// Shares are shown and compared to a tenth of a per mille; more would be noise.
fn round(share: f64) -> f64 {
    (share * 1e4).round() / 1e4
}

/// What the leader remembers of its workers' settings.
struct Company {
    what: As,
    home: Cpu,
    nice: Vec<i32>,
    pinned: Vec<Option<Cpu>>,
}

impl Company {
    fn new(stage: &Stage, params: &Params) -> Self {
        let first = stage.cpus().first().copied().unwrap_or(Cpu(0));
        let home = params.maybe("cpu").and_then(|n| u32::try_from(n).ok()).map_or(first, Cpu);
        Self { what: params.workers_as(), home, nice: Vec::new(), pinned: Vec::new() }
    }

    fn add(&mut self, stage: &mut Stage, nice: i32) -> Result<(), Unavailable> {
        if stage.on().count() >= usize::try_from(MOST).unwrap_or(0) {
            return Err(Unavailable::new("another worker", format!("{MOST} are enough for one core")));
        }
        // The kernel would take it: an affinity mask is no lock, and its own owner may widen it (sched_setaffinity(2)).
        if !stage.cpus().is_empty() && !stage.cpus().contains(&self.home) {
            let why = format!("forklore may not use core {} (its affinity mask, or its cpuset)", self.home.0);
            return Err(Unavailable::new("a worker on that core", why));
        }
        let settings = Settings { cpus: vec![self.home], nice };
        stage.enter(self.what, &settings, |worker| {
            worker.spin();
        })?;
        self.nice.push(nice);
        self.pinned.push(Some(self.home));
        Ok(())
    }

    fn obey(&mut self, stage: &mut Stage, steer: &Steer) -> Result<(), Unavailable> {
        let chosen = steer.worker.as_deref().and_then(|name| stage.find(name));
        match (steer.verb.as_str(), chosen) {
            ("add", _) => self.add(stage, 0),
            ("remove", chosen) => {
                let last = stage.on().next_back();
                if let Some(number) = chosen.or(last).filter(|_| stage.on().count() > 1) {
                    stage.dismiss(&[number]);
                }
                Ok(())
            }
            ("nice", Some(number)) => {
                let by = i32::try_from(steer.value.as_i64().unwrap_or(0)).unwrap_or(0);
                let Some(nice) = self.nice.get_mut(number) else { return Ok(()) };
                let wanted = nice.saturating_add(by).clamp(-20, 19);
                stage.nice(number, wanted)?;
                *nice = wanted;
                Ok(())
            }
            ("pin", Some(number)) => self.pin_on(stage, number),
            _ => Ok(()),
        }
    }

    /// From core to core, then to all, then to the first again.
    fn pin_on(&mut self, stage: &mut Stage, number: usize) -> Result<(), Unavailable> {
        let all = stage.cpus().to_vec();
        let Some(pinned) = self.pinned.get_mut(number) else { return Ok(()) };
        let next = match *pinned {
            None => all.first().copied(),
            Some(cpu) => all.iter().position(|c| *c == cpu).and_then(|at| all.get(at + 1)).copied(),
        };
        let cpus = next.map_or(all, |cpu| vec![cpu]);
        stage.pin(number, &cpus)?;
        *pinned = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Pid, Tid};

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
        let values = Timeslice.outcome(&Params::defaults(&SPEC), &tally);
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
