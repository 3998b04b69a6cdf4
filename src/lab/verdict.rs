//! What two things come to, compared: less, more, no difference, or that nothing can be said.

use super::noise::Noise;
use super::stats::Estimate;

/// An interval around 1 that reaches farther than this to either side is too wide for "no difference": one that is worth
/// speaking of could hide in it.
const NARROW: f64 = 0.1;

/// How a thing compares with another, by the interval of their ratio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It takes less: the whole interval is below 1, by more than the lab itself is off by.
    Less,
    /// It takes more: the whole interval is above 1, by more than the lab itself is off by.
    More,
    /// The interval is narrow and holds 1, or what the lab cannot tell from 1: a difference, if there is one, is below a tenth.
    NoDifference,
    /// Nothing can be said, and why.
    Inconclusive(String),
}

impl Verdict {
    /// What `ratio` comes to, in spite of whatever disturbed the run. What disturbs can only take from a verdict: the interval
    /// has to stay on its side of 1 even if the noise had moved it by all that it can move one. `resolution` is the factor
    /// below which the lab tells no difference ([`super::Conditions::resolution`]).
    #[must_use]
    pub fn of(ratio: Option<&Estimate>, noises: &[Noise], resolution: f64) -> Self {
        let Some(ratio) = ratio else { return Self::Inconclusive("it was not measured".to_owned()) };
        let Some((low, high)) = ratio.low.zip(ratio.high) else {
            return Self::Inconclusive(format!("too few rounds: {}", ratio.n));
        };
        let calm = match () {
            () if high * resolution < 1.0 => Self::Less,
            () if low / resolution > 1.0 => Self::More,
            () if low >= 1.0 - NARROW && high <= 1.0 + NARROW => Self::NoDifference,
            () => return Self::Inconclusive(format!("the interval is wide: {low:.2} to {high:.2}")),
        };
        let overturns = |noise: &&Noise| match calm {
            Self::Less => high * noise.reach >= 1.0,
            Self::More => low / noise.reach <= 1.0,
            Self::NoDifference | Self::Inconclusive(_) => noise.reach > 1.0 + NARROW,
        };
        match noises.iter().find(overturns) {
            Some(noise) => Self::Inconclusive(noise.why.clone()),
            None => calm,
        }
    }

    /// The verdict in a word or two.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Less => "less",
            Self::More => "more",
            Self::NoDifference => "no difference",
            Self::Inconclusive(_) => "inconclusive",
        }
    }

    /// Why nothing can be said, if so.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        if let Self::Inconclusive(why) = self { Some(why) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(low: f64, high: f64) -> Estimate {
        Estimate { median: f64::midpoint(low, high), low: Some(low), high: Some(high), n: 30 }
    }

    fn word(low: f64, high: f64, noises: &[Noise]) -> &'static str {
        Verdict::of(Some(&ratio(low, high)), noises, 1.0).word()
    }

    #[test]
    fn what_the_same_thing_twice_differs_by_is_no_difference() {
        let word = |low, high, resolution| Verdict::of(Some(&ratio(low, high)), &[], resolution).word();
        assert_eq!([word(1.005, 1.011, 1.01), word(1.02, 1.03, 1.019)], ["no difference", "more"]);
        assert_eq!([word(0.985, 0.995, 1.01), word(0.96, 0.97, 1.02)], ["no difference", "less"]);
        assert_eq!(word(1.01, 1.4, 1.02), "inconclusive", "it is wide, and may be next to nothing");
    }

    #[test]
    fn the_interval_decides_and_not_the_median() {
        assert_eq!([word(0.8, 0.99, &[]), word(1.01, 1.2, &[])], ["less", "more"]);
        assert_eq!([word(0.97, 1.02, &[]), word(0.9, 1.1, &[]), word(1.0, 1.05, &[])], ["no difference"; 3]);
        assert_eq!(word(0.7, 1.4, &[]), "inconclusive", "half as much again could hide in it");
    }

    #[test]
    fn what_was_not_measured_or_too_seldom_is_inconclusive_and_says_so() {
        assert_eq!(Verdict::of(None, &[], 1.0).why(), Some("it was not measured"));
        let few = Estimate { median: 9.0, low: None, high: None, n: 4 };
        assert_eq!(Verdict::of(Some(&few), &[], 1.0).why(), Some("too few rounds: 4"));
    }

    #[test]
    fn noise_takes_a_verdict_that_it_could_have_made_and_no_other() {
        let loud = [Noise { why: "the clock changed".to_owned(), reach: 1.3 }];
        assert_eq!(Verdict::of(Some(&ratio(1.05, 1.2)), &loud, 1.0).why(), Some("the clock changed"));
        assert_eq!(Verdict::of(Some(&ratio(0.8, 0.95)), &loud, 1.0).why(), Some("the clock changed"));
        assert_eq!(word(0.99, 1.01, &loud), "inconclusive", "a difference could have been levelled");
        // A thing that takes a thousand times as long does so at any clock speed.
        assert_eq!([word(900.0, 1_100.0, &loud), word(0.001, 0.002, &loud)], ["more", "less"]);
        let faint = [Noise { why: "x".to_owned(), reach: 1.02 }];
        assert_eq!([word(0.99, 1.01, &faint), word(1.05, 1.2, &faint)], ["no difference", "more"]);
    }
}
