//! The lab on stage: variants measured in turn, round after round, by workers that do as they are told; what they come to so
//! far is told while it goes on. It knows no demo.
//!
//! The leader orders one measurement at a time and sleeps meanwhile, on another core where there is one. Workers are pinned
//! to one core, which is stated. The learner can end it early or have as many rounds again.

mod desk;
mod machine;
mod report;
pub(super) mod specs;

pub(super) use desk::Desk;
pub(super) use report::{FIGURES, HISTOGRAM, RATIOS, RUN_TABLE, SURE, bars, figure, ratio_of, ratio_table, run_of};

use super::pace::Cut;
use crate::fact::{Arg, Control, Cpu, Fact, On, ParamKind, ParamSpec, Unavailable};
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

/// How often the leader looks whether a measurement is done.
const LOOK: Duration = Duration::from_micros(500);

/// How often what has been found so far is told.
const TELL: Duration = Duration::from_millis(200);

/// How long all stay when all is measured, for who wants to go on.
const STAY: Duration = Duration::from_secs(2);

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
    pub(super) cpu: Cpu,
    /// The numbers on stage of those who measure, by place.
    pub(super) workers: Vec<usize>,
    pub(super) variants: Vec<Variant>,
    pub(super) pairs: Vec<Pair>,
    /// Two variants that are the same thing: what they differ by is the lab's own error.
    pub(super) same: Option<(usize, usize)>,
    found: Vec<Series>,
    times: Vec<u32>,
    number: u64,
    ours: Duration,
    waited: Duration,
    wall: Duration,
    machine: Machine,
}

/// The core on which is measured: the last that may be used, since the first has most of the machine's interrupts. The leader
/// leaves it, where there is another.
pub(super) fn settle(stage: &Stage) -> Cpu {
    let cpus = stage.cpus();
    let last = cpus.last().copied().unwrap_or(Cpu(0));
    let mut others = CpuSet::new();
    let others_set = cpus.iter().filter(|cpu| **cpu != last).filter(|cpu| others.set(cpu.0 as usize).is_ok()).count();
    if others_set > 0 {
        // If it is refused, the leader's looks cost the measurements some microseconds each.
        let _ = sched_setaffinity(nix::unistd::Pid::from_raw(0), &others);
    }
    last
}

impl Bench {
    pub(super) fn new(
        desk: Arc<Desk>,
        cpu: Cpu,
        workers: Vec<usize>,
        variants: Vec<Variant>,
        pairs: Vec<Pair>,
    ) -> Self {
        let found = variants.iter().map(|_| Series::default()).collect();
        let times = vec![1; variants.len()];
        let (ours, waited, wall) = Default::default();
        let machine = Machine::new(cpu);
        Self { desk, cpu, workers, variants, pairs, same: None, found, times, number: 0, ours, waited, wall, machine }
    }

    /// Measures all variants in so many rounds, tells what they come to, and stays for a while.
    ///
    /// # Errors
    /// The learner has seen enough of the demo; or nobody is left to measure.
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
            stage.tell(Fact::Step { name: "settled".to_owned() });
            if !self.stay(stage, &mut wish)? {
                return Ok(());
            }
        }
    }

    /// One measurement of one variant.
    fn measure(&mut self, stage: &mut Stage, variant: usize, counts: bool, wish: &mut Wish) -> Result<(), Cut> {
        let Variant { place: Ok(place), what, most, .. } = self.variants[variant] else { return Ok(()) };
        let Some(worker) = self.workers.get(place).copied() else { return Ok(()) };
        self.number += 1;
        stage.order(worker, Desk::order(self.number, what, self.times[variant]));
        let begun = Instant::now();
        let taken = loop {
            if let Some(taken) = self.desk.look(place, self.number) {
                break taken;
            }
            hear(stage, LOOK, wish)?;
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
        let (foreign, Taken { each, wall, ours, waited }) = (taken.foreign(), taken);
        (self.wall, self.ours, self.waited) = (self.wall + wall, self.ours + ours, self.waited + waited);
        match each {
            Ok(value) if counts => self.found[variant].push(Some(Sample { value, foreign })),
            Ok(value) if value > 0.0 => self.times[variant] = times(value, nanos(LENGTH), most),
            // Too short for the clock: it is done as often as before.
            Ok(_) => {}
            Err(why) => {
                let refused = Unavailable::new(self.variants[variant].row.clone(), why);
                self.variants[variant].place = Err(refused.why.clone());
                stage.tell(Fact::Refused(refused));
            }
        }
        Ok(())
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

    /// Leaves everything as it is for a while; whether the learner wants more rounds.
    fn stay(&self, stage: &mut Stage, wish: &mut Wish) -> Result<bool, Cut> {
        let (until, before) = (Instant::now() + STAY, wish.rounds);
        // The end that was asked for early is the beginning of what is asked for now.
        wish.rounds = self.found.iter().map(Series::measured).max().unwrap_or(0).min(wish.rounds);
        let ended = wish.rounds.min(before);
        while wish.rounds == ended && Instant::now() < until {
            hear(stage, until.saturating_duration_since(Instant::now()), wish)?;
        }
        Ok(wish.rounds > ended)
    }

    /// What was read of the machine so far, and what of it disturbed.
    fn conditions(&self) -> (Conditions, Vec<Noise>) {
        let shares = self.machine.shares(self.ours);
        let wall = self.wall.as_secs_f64();
        let conditions = Conditions {
            measured: self.found.iter().map(Series::measured).sum(),
            disturbed: self.found.iter().map(Series::disturbed).sum(),
            steal: shares.map(|(steal, _)| steal),
            others: shares.map(|(_, others)| others),
            waited: (wall > 0.0).then(|| self.waited.as_secs_f64() / wall),
            clock: self.machine.clock(),
            same: self.same.and_then(|(a, b)| compare(&self.found[a], &self.found[b])).map(|found| found.ratio),
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

/// Hears the learner for `patience` at most.
fn hear(stage: &mut Stage, patience: Duration, wish: &mut Wish) -> Result<(), Cut> {
    match stage.next(Some(patience)) {
        Cue::Finish => return Err(Cut::Finish),
        Cue::Steer(steer) if steer.verb == ENOUGH.verb => wish.rounds = 0,
        Cue::Steer(steer) if steer.verb == MORE.verb => wish.rounds = (wish.rounds + wish.asked).min(MOST),
        Cue::Ended(_) | Cue::Steer(_) | Cue::Time => {}
    }
    Ok(())
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}
