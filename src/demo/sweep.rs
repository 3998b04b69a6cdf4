//! What rounds with more and more workers come to: how many times the work of one worker, how sure that is, and what was the
//! limit. Pure; knows no demo.

use crate::demo::spread::{Spread, two};
use crate::fact::{DOUBT, Tally, Values};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Rounds without which nothing is said.
pub(super) const LEAST: usize = 5;

/// The table that holds each measurement as it was made, where a run has one such table only.
pub(super) const ROUNDS: &str = "rounds";

/// Quartiles farther apart than this share of the median: the rounds disagree.
const APART: f64 = 0.15;

/// Cores' worth of time that others may take, as a share of all cores, but never less than of one core.
const OTHERS: (f64, f64) = (0.1, 0.15);

/// As many as: at most this much less, as a share. Some is always lost to the clock of a busy processor, and to who watches.
const NEARLY: f64 = 0.2;

/// One number of workers, in one round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    /// The round, from 1 on.
    pub(super) round: usize,
    /// Workers that ran.
    pub(super) workers: usize,
    /// What all of them did in a second.
    pub(super) rate: f64,
    /// CPU time of the workers over time, by the kernel's account: cores' worth.
    pub(super) busy: Option<f64>,
    /// The same for whoever else was on these cores: `/proc/stat` without the workers.
    pub(super) others: Option<f64>,
}

impl Measured {
    /// What the row in [`ROUNDS`] is called.
    pub(super) fn name(&self) -> String {
        format!("round {}, {} workers", self.round, self.workers)
    }

    /// The row's values.
    pub(super) fn values(&self) -> Values {
        [
            ("round", json!(self.round)),
            ("workers", json!(self.workers)),
            ("rate", json!(self.rate)),
            ("busy", json!(self.busy.map(two))),
            ("others", json!(self.others.map(two))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn read(values: &Values) -> Option<Self> {
        let number = |name: &str| values.get(name).and_then(Value::as_f64);
        let count = |name: &str| values.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        Some(Self {
            round: count("round")?,
            workers: count("workers")?,
            rate: number("rate")?,
            busy: number("busy"),
            others: number("others"),
        })
    }
}

/// The numbers of workers that are tried: powers of two, one for each core, one more, and the most.
pub(super) fn plan(cores: usize, most: usize) -> Vec<usize> {
    let doubled = std::iter::successors(Some(1_usize), |n| n.checked_mul(2)).take_while(|n| *n <= most);
    let all: BTreeSet<usize> = doubled.chain([cores, cores + 1, most]).filter(|n| (1..=most).contains(n)).collect();
    all.into_iter().collect()
}

/// So many cores' worth of time, which others had, is too much to say anything of what ran beside them.
#[expect(clippy::cast_precision_loss, reason = "a number of cores")]
pub(super) fn disturbs(others: f64, cores: usize) -> bool {
    let (share, least) = OTHERS;
    others > (share * cores as f64).max(least)
}

/// How sure a speed-up is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sure {
    /// The rounds agree and nobody disturbed them.
    Steady,
    /// Too few rounds yet.
    TooFew,
    /// They are too far apart.
    Unsteady,
    /// Others were on these cores.
    Disturbed,
}

impl Sure {
    /// In the table's last column.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::TooFew => "too few rounds",
            Self::Unsteady => "inconclusive: rounds differ",
            Self::Disturbed => "inconclusive: others ran",
        }
    }
}

/// All measurements of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Sweep {
    cores: usize,
    all: Vec<Measured>,
}

impl Sweep {
    /// Nothing measured yet, on so many cores.
    pub(super) fn new(cores: usize) -> Self {
        Self { cores, all: Vec::new() }
    }

    /// What was told of, in this table.
    pub(super) fn told(tally: &Tally, table: &str) -> Self {
        let cores = tally.start.as_ref().map_or(0, |start| start.cpus.len());
        Self { cores, all: tally.table(table).iter().filter_map(|row| Measured::read(&row.values)).collect() }
    }

    pub(super) fn add(&mut self, measured: Measured) {
        self.all.push(measured);
    }

    fn of(&self, workers: usize) -> impl Iterator<Item = &Measured> {
        self.all.iter().filter(move |m| m.workers == workers)
    }

    fn middle(&self, workers: usize, what: impl Fn(&Measured) -> Option<f64>) -> Option<f64> {
        Spread::of(&self.of(workers).filter_map(what).collect::<Vec<_>>()).map(|s| s.median)
    }

    /// Times the work of `base` workers, each round by itself.
    fn ratios(&self, workers: usize, base: usize) -> Vec<f64> {
        let rates: BTreeMap<usize, f64> = self.of(base).map(|m| (m.round, m.rate)).collect();
        let ratio = |m: &Measured| rates.get(&m.round).filter(|rate| **rate > 0.0).map(|rate| m.rate / rate);
        self.of(workers).filter_map(ratio).collect()
    }

    /// Times the work of one. For one itself: how its rounds lie about their own middle.
    pub(super) fn speedup(&self, workers: usize) -> Option<Spread> {
        if workers > 1 {
            return Spread::of(&self.ratios(workers, 1));
        }
        let middle = self.middle(1, |m| Some(m.rate)).filter(|rate| *rate > 0.0)?;
        Spread::of(&self.of(1).map(|m| m.rate / middle).collect::<Vec<_>>())
    }

    /// Cores' worth of time that these workers had.
    pub(super) fn busy(&self, workers: usize) -> Option<f64> {
        self.middle(workers, |m| m.busy)
    }

    /// Cores' worth of time that others had, in the middle of all rounds.
    pub(super) fn others(&self) -> Option<f64> {
        Spread::of(&self.all.iter().filter_map(|m| m.others).collect::<Vec<_>>()).map(|s| s.median)
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of cores")]
    fn cores(&self) -> f64 {
        self.cores as f64
    }

    /// How sure the speed-up of so many workers is. Everything is measured against one worker: where that is disturbed,
    /// all is.
    pub(super) fn sure(&self, workers: usize) -> Sure {
        let disturbed = |n| self.middle(n, |m| m.others).is_some_and(|others| disturbs(others, self.cores));
        let lone: Vec<f64> = self.of(1).map(|m| m.rate).collect();
        let apart = |values: &[f64]| Spread::of(values).is_some_and(|s| s.width() > APART);
        let ratios = self.ratios(workers, 1);
        if ratios.len() < LEAST {
            Sure::TooFew
        } else if disturbed(1) || disturbed(workers) {
            Sure::Disturbed
        } else if apart(&lone) || apart(&ratios) {
            Sure::Unsteady
        } else {
            Sure::Steady
        }
    }

    /// Why nothing can be concluded: what is wrong with the first number of workers that is not sure.
    pub(super) fn doubt(&self) -> Option<String> {
        let unsure = |n: &usize| *n > 1 && self.sure(*n) != Sure::Steady;
        let workers = self.measured().into_iter().find(unsure)?;
        let of = |n: usize| format!("of {n} workers, {} rounds", self.ratios(n, 1).len());
        Some(match self.sure(workers) {
            Sure::Disturbed => {
                let most = [1, workers].into_iter().filter_map(|n| self.middle(n, |m| m.others)).reduce(f64::max);
                format!("others had {:.2} cores' worth of time", most.unwrap_or_default())
            }
            Sure::TooFew => format!("too few rounds: {}", of(workers)),
            Sure::Unsteady | Sure::Steady => format!("the rounds are too far apart: {}", of(workers)),
        })
    }

    /// There are rounds enough, and they agree, whoever else was on these cores.
    pub(super) fn agree(&self, workers: usize) -> bool {
        let ratios = self.ratios(workers, 1);
        ratios.len() >= LEAST && Spread::of(&ratios).is_some_and(|s| s.width() <= APART)
    }

    /// Seconds that the whole work took with so many workers, where the rate is that of the whole work a second.
    pub(super) fn seconds(&self, workers: usize) -> Option<f64> {
        self.middle(workers, |m| (m.rate > 0.0).then(|| 1.0 / m.rate))
    }

    /// The numbers of workers that were measured.
    pub(super) fn measured(&self) -> Vec<usize> {
        self.all.iter().map(|m| m.workers).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The most workers, if they are more than one and sure.
    fn most(&self) -> Option<usize> {
        self.measured().into_iter().next_back().filter(|n| *n > 1 && self.sure(*n) == Sure::Steady)
    }

    /// What the speed-up of the most workers came to; none where it is more than can be: then something was measured wrong.
    #[expect(clippy::cast_precision_loss, reason = "a number of workers")]
    fn limit(&self) -> Option<&'static str> {
        let most = self.most()?;
        let times = self.speedup(most)?.median;
        let nearly = |n: f64| times >= n * (1.0 - NEARLY) && times <= n * (1.0 + NEARLY);
        let (workers, cores) = (most as f64, self.cores());
        Some(match () {
            () if most <= self.cores && nearly(workers) => "workers",
            () if most > self.cores && nearly(cores) => "cores",
            () if times > cores.min(workers) => return None,
            () if nearly(1.0) => "one",
            () => "between",
        })
    }

    /// Times the work of one worker a core that one worker more does.
    fn one_more(&self) -> Option<f64> {
        let steady = |n| n == 1 || self.sure(n) == Sure::Steady;
        let (each, more) = (self.cores, self.cores + 1);
        let ratios = self.ratios(more, each);
        let spread = Spread::of(&ratios).filter(|s| ratios.len() >= LEAST && s.width() <= APART)?;
        (steady(each) && steady(more)).then(|| two(spread.median))
    }

    /// Rounds that are complete.
    pub(super) fn rounds(&self) -> usize {
        self.measured().into_iter().map(|n| self.of(n).count()).min().unwrap_or(0)
    }

    /// The values of the outcome that come from the rounds.
    pub(super) fn values(&self) -> Vec<(&'static str, Value)> {
        let measured = self.measured();
        let spreads: Vec<_> = measured.iter().filter_map(|n| Some((n.to_string(), self.speedup(*n)?))).collect();
        let many = spreads.len() > 1;
        let table = |value: fn(&Spread) -> Value| -> Value {
            let entry = |(name, spread): &(String, Spread)| (name.clone(), value(spread));
            Value::Object(spreads.iter().filter(|_| many).map(entry).collect::<Map<_, _>>())
        };
        let steady = |n: &&usize| self.sure(**n) == Sure::Steady;
        let best = measured.iter().filter(steady).filter_map(|n| self.speedup(*n)).map(|s| s.median).reduce(f64::max);
        let limit = self.limit();
        let verdict = if limit.is_some() { "clear" } else { "inconclusive" };
        vec![
            ("speedup", table(|s| json!(two(s.median)))),
            ("spread", table(|s| json!(range(s)))),
            ("best_speedup", json!(best.filter(|_| limit.is_some()).map(two))),
            ("limit_is", json!(limit)),
            ("one_more", json!(self.one_more())),
            ("busy", json!(measured.last().and_then(|n| self.busy(*n)).map(two))),
            ("others", json!(self.others().map(two))),
            ("rounds", json!(self.rounds())),
            ("verdict", json!(verdict)),
            (DOUBT.name, json!(self.doubt().filter(|_| limit.is_none()))),
        ]
    }
}

/// The middle half of the rounds, in words.
pub(super) fn range(spread: &Spread) -> String {
    format!("{:.2} – {:.2}", spread.low, spread.high)
}

#[cfg(test)]
mod tests;
