//! Whether a machine was quiet enough to be measured on: a judgement of what was read beside the measurements.

use super::stats::Estimate;

/// Shares of the time beyond which something is no longer the machine's own rustling.
const STEAL: f64 = 0.02;
const OTHERS: f64 = 0.25;
const WAITED: f64 = 0.1;

/// Clock speeds may differ by this much, as a share.
const CLOCK: f64 = 0.05;

/// The same thing, measured twice, may differ by this much: the lab's own goal.
const SAME: f64 = 0.02;

/// No lab of this kind tells less than this: where pages and stacks come to lie differs from process to process.
const LEAST: f64 = 1.01;

/// Rounds from which on that is trusted.
const SURE: usize = 20;

/// What was read of the machine over a run. What cannot be read is none, and nothing is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Conditions {
    /// Measurements that were made.
    pub measured: usize,
    /// Of these, those in which others were on the core.
    pub disturbed: usize,
    /// The share of the core's time that the hypervisor kept (`/proc/stat`, steal).
    pub steal: Option<f64>,
    /// The share of the core's time in which others of this machine had it (`/proc/stat` without what was ours).
    pub others: Option<f64>,
    /// The share of the time in which we stood ready on the run queue while strangers ran (`schedstat`).
    pub waited: Option<f64>,
    /// The least and the greatest clock speed that was read, in any unit (`scaling_cur_freq`).
    pub clock: Option<(f64, f64)>,
    /// One thing against itself: the ratio of two series that should be 1.
    pub same: Option<Estimate>,
}

/// One thing that disturbed.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// What it was, as the end of "inconclusive: ..".
    pub why: String,
    /// By which factor it can have moved a ratio; above 1.
    pub reach: f64,
}

impl Conditions {
    /// What disturbed, the worst first. None: the machine was quiet as far as can be told.
    #[must_use]
    pub fn noises(&self) -> Vec<Noise> {
        let error = self.error();
        let mut found: Vec<Noise> =
            [self.mostly_disturbed(), self.stolen(), self.shared(), self.queued(), self.clock(), self.unlike()]
                .into_iter()
                .flatten()
                .map(|noise| Noise { reach: noise.reach.min(error), ..noise })
                .collect();
        found.sort_by(|a, b| b.reach.total_cmp(&a.reach));
        found
    }

    /// How far a ratio of this run can be off, as far as is known: the end of the interval of what should be 1. That is
    /// measured, in the same rounds; what else is said of a reach is only an upper bound.
    fn error(&self) -> f64 {
        let ends = self.same.filter(|same| same.n >= SURE).and_then(|same| same.low.zip(same.high));
        ends.map_or(f64::INFINITY, |(low, high)| high.max(1.0 / low.max(f64::MIN_POSITIVE)).max(1.0))
    }

    /// The factor by which two things must differ at least for the lab to tell them apart: what the same thing, measured twice,
    /// may differ by in this run; the lab's own goal, where that is not known.
    #[must_use]
    pub fn resolution(&self) -> f64 {
        let error = self.error();
        if error.is_finite() { error.max(LEAST) } else { 1.0 + SAME }
    }

    fn mostly_disturbed(&self) -> Option<Noise> {
        let Self { measured, disturbed, .. } = *self;
        // Whoever leaves out more than he keeps chooses.
        (measured > 0 && disturbed * 2 > measured).then(|| Noise {
            why: format!("others were on the core in {disturbed} of {measured} measurements"),
            reach: 2.0,
        })
    }

    fn stolen(&self) -> Option<Noise> {
        let share = self.steal.filter(|share| *share > STEAL)?;
        Some(Noise { why: format!("the hypervisor kept {} of the core's time", percent(share)), reach: kept(share) })
    }

    fn shared(&self) -> Option<Noise> {
        let share = self.others.filter(|share| *share > OTHERS)?;
        // The measurements that are kept were not interrupted; caches that strangers emptied are what is left.
        Some(Noise { why: format!("others had the core {} of the time", percent(share)), reach: 1.0 + share / 2.0 })
    }

    fn queued(&self) -> Option<Noise> {
        let share = self.waited.filter(|share| *share > WAITED)?;
        Some(Noise {
            why: format!("{} of the time went by on the run queue", percent(share)),
            reach: 1.0 + share / 2.0,
        })
    }

    fn clock(&self) -> Option<Noise> {
        let (least, most) = self.clock.filter(|(least, _)| *least > 0.0)?;
        let reach = most / least;
        (reach > 1.0 + CLOCK)
            .then(|| Noise { why: format!("the clock speed changed by {}", percent(reach - 1.0)), reach })
    }

    fn unlike(&self) -> Option<Noise> {
        let same = self.same?;
        let (low, high) = same.low.zip(same.high)?;
        let off = (same.median - 1.0).abs();
        // Five in a hundred intervals miss by chance; only a miss that matters counts.
        (off > SAME && !(low..=high).contains(&1.0)).then(|| Noise {
            why: format!("the same thing, measured twice, differed by {}", percent(off)),
            reach: high.max(1.0 / low.max(f64::MIN_POSITIVE)),
        })
    }
}

/// By how much a time is longer of which this share was taken away.
fn kept(share: f64) -> f64 {
    1.0 / (1.0 - share.clamp(0.0, 0.9))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whys(conditions: Conditions) -> Vec<String> {
        conditions.noises().into_iter().map(|noise| noise.why).collect()
    }

    #[test]
    fn a_quiet_machine_and_one_that_tells_nothing_have_no_noise() {
        assert_eq!(whys(Conditions::default()), [""; 0]);
        let same = Estimate { median: 1.01, low: Some(1.005), high: Some(1.015), n: 30 };
        let quiet = Conditions {
            measured: 100,
            disturbed: 50,
            steal: Some(0.01),
            others: Some(0.2),
            waited: Some(0.05),
            clock: Some((2_000.0, 2_050.0)),
            same: Some(same),
        };
        assert_eq!(whys(quiet), [""; 0]);
    }

    #[test]
    fn each_noise_has_its_sentence_and_its_reach() {
        let one = |conditions: Conditions| {
            let found = conditions.noises();
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].reach > 1.0);
            found[0].why.clone()
        };
        let quiet = Conditions::default();
        assert_eq!(
            one(Conditions { measured: 100, disturbed: 51, ..quiet }),
            "others were on the core in 51 of 100 measurements"
        );
        assert_eq!(one(Conditions { steal: Some(0.2), ..quiet }), "the hypervisor kept 20 % of the core's time");
        assert_eq!(one(Conditions { others: Some(0.5), ..quiet }), "others had the core 50 % of the time");
        assert_eq!(one(Conditions { waited: Some(0.3), ..quiet }), "30 % of the time went by on the run queue");
        assert_eq!(one(Conditions { clock: Some((2.0, 3.0)), ..quiet }), "the clock speed changed by 50 %");
        let same = Estimate { median: 0.9, low: Some(0.88), high: Some(0.92), n: 30 };
        assert_eq!(one(Conditions { same: Some(same), ..quiet }), "the same thing, measured twice, differed by 10 %");
    }

    #[test]
    fn the_worst_comes_first_and_reaches_as_far_as_it_can() {
        let found = Conditions { steal: Some(0.5), clock: Some((2.0, 3.0)), ..Conditions::default() }.noises();
        assert_eq!(found.iter().map(|noise| noise.reach).collect::<Vec<_>>(), [2.0, 1.5]);
    }

    #[test]
    fn what_the_lab_is_off_by_is_measured_where_it_can_be() {
        let same = |n| Some(Estimate { median: 1.005, low: Some(0.99), high: Some(1.015), n });
        let reach = |n| Conditions { others: Some(0.5), same: same(n), ..Conditions::default() }.noises()[0].reach;
        assert_eq!([reach(19), reach(20)], [1.25, 1.015]);
    }

    #[test]
    fn nothing_is_told_apart_that_differs_less_than_the_same_thing_twice() {
        let same = |low, high, n| Some(Estimate { median: 1.0, low: Some(low), high: Some(high), n });
        let of = |same| Conditions { same, ..Conditions::default() }.resolution();
        assert_eq!([of(same(0.99, 1.03, 30)), of(same(0.999, 1.001, 30))], [1.03, LEAST]);
        assert_eq!([of(same(0.9, 1.1, 5)), of(None)], [1.02, 1.02]);
    }

    #[test]
    fn an_interval_that_holds_one_is_no_noise_however_wide() {
        let same = Estimate { median: 1.2, low: Some(0.7), high: Some(1.9), n: 8 };
        assert_eq!(whys(Conditions { same: Some(same), ..Conditions::default() }), [""; 0]);
    }
}
