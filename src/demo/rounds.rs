//! The lab on stage: variants measured in turn, round after round, by workers that do as they are told; what they come to so
//! far is told while it goes on. It knows no demo.
//!
//! The leader orders one measurement at a time and sleeps meanwhile, on another core where there is one. Workers are pinned
//! to one core, or two that talk to one each, which is stated; what is no time is measured on any. The learner can end it early or have as many rounds again.

mod account;
mod desk;
mod machine;
mod report;
pub(super) mod specs;

pub(super) use account::Spent;
pub(super) use desk::{Desk, Measured};
pub(super) use report::{
    FIGURES, HISTOGRAM, RATIOS, RUN_TABLE, SURE, Unit, bars, bars_of, figure, figure_of, ratio_of, ratio_table, run_of,
};

use super::pace::Cut;
use crate::fact::{Arg, Control, Cpu, Fact, On, ParamKind, ParamSpec, SETTLED, Unavailable};
use crate::lab::{Conditions, Noise, Plan, Sample, Series, compare, times};
use crate::stage::{Cue, Stage};
use desk::Taken;
use machine::Machine;
use nix::sched::{CpuSet, sched_setaffinity};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one measurement is to take. A look at the clock takes some 30 ns, and a time slice of others some milliseconds:
/// long against the one, short against the other.
const LENGTH: Duration = Duration::from_millis(2);

/// How often the leader looks whether a measurement is done; and how often, where it may be on one of their cores.
const LOOK: Duration = Duration::from_micros(500);
const SELDOM: Duration = LENGTH;

/// How often what has been found so far is told.
const TELL: Duration = Duration::from_millis(200);

/// How long one measurement may take before its worker is given up. It is to take [`LENGTH`], and the machine may be very busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// More rounds than this are not made, however often the learner goes on.
const MOST: usize = 100_000;

/// It is good enough.
pub(super) const ENOUGH: Control =
    Control { key: 'e', verb: "enough", label: "stop here, it is good enough", on: On::Demo, arg: Arg::None };
/// It is not yet.
pub(super) const MORE: Control =
    Control { key: 'o', verb: "more", label: "go on: as many rounds again", on: On::Demo, arg: Arg::None };

/// The parameter for how many rounds there are.
pub(super) const fn param(default: i64) -> ParamSpec {
    let kind = ParamKind::Int { min: 10, max: 2000, default, unit: "" };
    ParamSpec { name: "rounds", kind, help: "how often each is measured" }
}

/// One thing that is measured.
#[derive(Debug)]
pub(super) struct Variant {
    /// What its row is called; nothing, if it has none: it is there for a comparison only.
    pub(super) row: String,
    /// Who measures it: a place at the desk, in the order of the workers. None: it cannot be measured here, and why.
    pub(super) place: Result<usize, String>,
    /// The number by which that worker knows it.
    pub(super) what: usize,
    /// How often it may be done in one measurement.
    pub(super) most: u32,
    /// What its figure is.
    pub(super) unit: Unit,
}

impl Variant {
    fn is_shown(&self) -> bool {
        !self.row.is_empty()
    }
}

/// Two variants that are compared: how many times as long the first takes.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) row: String,
    pub(super) a: usize,
    pub(super) b: usize,
}

/// A run in rounds.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) desk: Arc<Desk>,
    /// The numbers on stage of those who measure, by place.
    pub(super) workers: Vec<usize>,
    /// Of those without whom nothing can be measured any more.
    pub(super) partners: Vec<usize>,
    pub(super) variants: Vec<Variant>,
    pub(super) pairs: Vec<Pair>,
    /// Two variants that are the same thing.
    same: Option<(usize, usize)>,
    found: Vec<Series>,
    p99: Vec<Option<f64>>,
    times: Vec<u32>,
    number: u64,
    machine: Machine,
}

/// The core on which is measured: the last that may be used, since the first has most of the machine's interrupts. The leader
/// leaves it, where there is another.
pub(super) fn settle(stage: &Stage) -> Cpu {
    let last = stage.cpus().last().copied().unwrap_or(Cpu(0));
    leave(stage, &[last]);
    last
}

/// The leader leaves these cores to those who measure, where there are others.
pub(super) fn leave(stage: &Stage, cores: &[Cpu]) {
    let mut others = CpuSet::new();
    let free = stage.cpus().iter().filter(|cpu| !cores.contains(cpu));
    if free.filter(|cpu| others.set(cpu.0 as usize).is_ok()).count() > 0 {
        // If it is refused, the leader's looks cost the measurements some microseconds each.
        let _ = sched_setaffinity(nix::unistd::Pid::from_raw(0), &others);
    }
}

impl Bench {
    /// A bench at which `workers` measure, pinned to `cpus`; to none, where what they measure is no time.
    pub(super) fn new(
        desk: Arc<Desk>,
        cpus: Vec<Cpu>,
        workers: Vec<usize>,
        variants: Vec<Variant>,
        pairs: Vec<Pair>,
    ) -> Self {
        let found = variants.iter().map(|_| Series::default()).collect();
        let (times, p99) = (vec![1; variants.len()], vec![None; variants.len()]);
        let (partners, machine) = (Vec::new(), Machine::new(cpus));
        Self { desk, workers, partners, variants, pairs, same: None, found, p99, times, number: 0, machine }
    }

    /// Has a variant measured twice a round, as if it were two: what it differs from itself by is the lab's own error.
    pub(super) fn twice(&mut self, variant: usize) {
        let Some(Variant { place, what, most, unit, .. }) = self.variants.get(variant) else { return };
        let again = Variant { row: String::new(), place: place.clone(), what: *what, most: *most, unit: *unit };
        self.variants.push(again);
        self.found.push(Series::default());
        self.p99.push(None);
        self.times.push(1);
        self.same = Some((variant, self.variants.len() - 1));
    }

    /// Measures all variants in so many rounds, tells what they come to, and stays for whoever wants more.
    ///
    /// # Errors
    /// The learner has seen enough of the demo, which is its usual end; or nobody is left to measure.
    pub(super) fn run(&mut self, stage: &mut Stage, rounds: usize) -> Result<(), Cut> {
        let plan = Plan::new(self.variants.len());
        let mut wish = Wish { rounds, asked: rounds };
        self.announce(stage);
        let mut told = Instant::now();
        let mut round = 0;
        loop {
            while plan.counts(round).is_none_or(|n| n <= wish.rounds) {
                for variant in plan.order(round) {
                    self.measure(stage, variant, plan.counts(round).is_some(), &mut wish)?;
                }
                self.machine.look();
                if told.elapsed() >= TELL {
                    told = Instant::now();
                    self.tell(stage, plan.counts(round).unwrap_or(0), wish.rounds);
                }
                round += 1;
            }
            let done = self.found.iter().map(Series::measured).max().unwrap_or(0);
            self.tell(stage, done, done);
            stage.tell(Fact::Step { name: SETTLED.to_owned() });
            self.stay(stage, &mut wish)?;
            stage.tell(Fact::Step { name: "goes on".to_owned() });
        }
    }

    /// One measurement of one variant.
    fn measure(&mut self, stage: &mut Stage, variant: usize, counts: bool, wish: &mut Wish) -> Result<(), Cut> {
        let Variant { place: Ok(place), what, most, .. } = self.variants[variant] else { return Ok(()) };
        let look = if self.machine.cpus().len() > 1 { SELDOM } else { LOOK };
        let Some(worker) = self.workers.get(place).copied() else { return Ok(()) };
        self.number += 1;
        stage.order(worker, Desk::order(self.number, what, self.times[variant]));
        let begun = Instant::now();
        let taken = loop {
            if let Some(taken) = self.desk.look(place, self.number) {
                break taken;
            }
            self.hear(stage, Some(look), wish)?;
            // It may have ended at any time, also while another was measuring.
            if stage.on().all(|n| n != worker) {
                return self.lost(stage, place, "the process that measures it has ended");
            }
            if begun.elapsed() > PATIENCE {
                let row = &self.variants[variant].row;
                let why = format!("a measurement ({row}) did not end within {} s", PATIENCE.as_secs());
                stage.dismiss(&[worker]);
                return self.lost(stage, place, &why);
            }
        };
        let foreign = self.machine.add(&taken);
        let Taken { each, p99, .. } = taken;
        self.p99[variant] = p99;
        match each {
            Ok(value) if counts => self.found[variant].push(Some(Sample { value, foreign })),
            Ok(value) if value > 0.0 => self.times[variant] = times(value, nanos(LENGTH), most),
            // Too short for the clock: it is done as often as before.
            Ok(_) => {}
            Err(why) => self.refused(stage, variant, why),
        }
        Ok(())
    }

    /// Goes on without a variant that cannot be measured, nor any other figure of its row.
    fn refused(&mut self, stage: &mut Stage, variant: usize, why: String) {
        let row = self.variants[variant].row.clone();
        let others = self.variants.iter_mut().filter(|other| other.row == row);
        others.for_each(|other| other.place = Err(why.clone()));
        stage.tell(Fact::Refused(Unavailable::new(row, why)));
    }

    /// Goes on without a worker that has ended.
    fn lost(&mut self, stage: &mut Stage, place: usize, why: &str) -> Result<(), Cut> {
        stage.tell(Fact::Refused(Unavailable::new("a part of the figures", why)));
        for variant in self.variants.iter_mut().filter(|variant| variant.place == Ok(place)) {
            variant.place = Err(why.to_owned());
        }
        let left = self.variants.iter().any(|variant| variant.place.is_ok());
        if left { Ok(()) } else { Err(Unavailable::new("the figures", why).into()) }
    }

    /// Leaves everything as it is until the learner wants more rounds.
    fn stay(&self, stage: &mut Stage, wish: &mut Wish) -> Result<(), Cut> {
        // The end that was asked for early is the beginning of what is asked for now.
        let ended = self.found.iter().map(Series::measured).max().unwrap_or(0).min(wish.rounds);
        wish.rounds = ended;
        while wish.rounds <= ended {
            wish.rounds = ended;
            self.hear(stage, None, wish)?;
        }
        Ok(())
    }

    /// Hears the learner, for `patience` at most where there is an end to it.
    fn hear(&self, stage: &mut Stage, patience: Option<Duration>, wish: &mut Wish) -> Result<(), Cut> {
        match stage.next(patience) {
            Cue::Finish => return Err(Cut::Finish),
            Cue::Ended(number) if self.partners.contains(&number) => {
                return Err(Unavailable::new("the other rounds", "one of those that take part has ended").into());
            }
            Cue::Steer(steer) if steer.verb == ENOUGH.verb => wish.rounds = 0,
            Cue::Steer(steer) if steer.verb == MORE.verb => wish.rounds = (wish.rounds + wish.asked).min(MOST),
            Cue::Ended(_) | Cue::Steer(_) | Cue::Time => {}
        }
        Ok(())
    }

    /// What was read of the machine so far, and what of it disturbed.
    fn conditions(&self) -> (Conditions, Vec<Noise>) {
        let conditions = Conditions {
            measured: self.found.iter().map(Series::measured).sum(),
            disturbed: self.found.iter().map(Series::disturbed).sum(),
            same: self.same.and_then(|(a, b)| compare(&self.found[a], &self.found[b])).map(|found| found.ratio),
            ..self.machine.conditions()
        };
        let noises = conditions.noises();
        (conditions, noises)
    }
}

/// How many rounds are wished for.
#[derive(Debug)]
struct Wish {
    rounds: usize,
    /// By how many more each time.
    asked: usize,
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}
