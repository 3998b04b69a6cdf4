//! What one variant took, round by round, and who else was on its core meanwhile.

use super::noise::Noise;
use super::stats::{Estimate, FEWEST, median, sorted};

/// A measurement of which others had a greater share than this is disturbed. Less than this is what the machine's own
/// interrupts take.
pub const DISTURBED: f64 = 0.1;

/// Beyond so many interquartile ranges from the quartiles a value is an outlier: Tukey's outer fences (Exploratory Data
/// Analysis, 1977), which of normally spread values three in a million pass.
const FENCE: f64 = 3.0;

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// What was measured.
    pub value: f64,
    /// The share of the time in which the core was not ours: with others, with interrupts, or idle.
    pub foreign: f64,
}

impl Sample {
    fn is_quiet(self) -> bool {
        self.foreign <= DISTURBED
    }
}

/// The measurements of one variant, one a round; none for a round in which it could not be measured.
///
/// A measurement is left out for one reason only, and counted: others were on the core. One that lies far away for no known
/// reason stays, and is counted too: a median does not mind it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series(Vec<Option<Sample>>);

impl Series {
    /// Adds the measurement of the next round.
    pub fn push(&mut self, sample: Option<Sample>) {
        self.0.push(sample.filter(|s| s.value.is_finite()));
    }

    /// How many rounds were measured.
    #[must_use]
    pub fn measured(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// How many of them are left out, since others were on the core.
    #[must_use]
    pub fn left_out(&self) -> usize {
        let quiet = self.0.iter().flatten().filter(|s| s.is_quiet()).count();
        // With too few quiet ones all are kept.
        if quiet < FEWEST { 0 } else { self.measured() - quiet }
    }

    /// How many were disturbed, left out or not.
    #[must_use]
    pub fn disturbed(&self) -> usize {
        self.0.iter().flatten().filter(|s| !s.is_quiet()).count()
    }

    /// How many of those that are kept lie beyond the outer fences.
    #[must_use]
    pub fn outliers(&self) -> usize {
        let Some(values) = sorted(&self.quiet()) else { return 0 };
        let quartile = |n: usize| values[(values.len() - 1) * n / 4];
        let reach = FENCE * (quartile(3) - quartile(1));
        values.iter().filter(|v| **v < quartile(1) - reach || **v > quartile(3) + reach).count()
    }

    /// The median of the quiet rounds with its interval; of all rounds, where too few were quiet.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        let quiet = self.quiet();
        if quiet.len() >= FEWEST {
            return Estimate::of(&quiet);
        }
        Estimate::of(&self.0.iter().flatten().map(|s| s.value).collect::<Vec<_>>())
    }

    /// The values of the rounds in which nobody disturbed.
    #[must_use]
    pub fn quiet(&self) -> Vec<f64> {
        self.0.iter().flatten().filter(|s| s.is_quiet()).map(|s| s.value).collect()
    }
}

/// Two variants, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The median of the rounds' own ratios.
    pub ratio: Estimate,
    /// What to think of it, where hardly a round was quiet and all had to be kept.
    pub noise: Option<Noise>,
}

/// `a` against `b`, as [`super::ratio`], of the rounds in which neither was disturbed. Where those are too few it is that of all
/// rounds, and says by how much others can have lengthened one of the two.
#[must_use]
pub fn compare(a: &Series, b: &Series) -> Option<Compared> {
    let quiet = ratios(a, b);
    if quiet.len() >= FEWEST {
        return Some(Compared { ratio: Estimate::of(&quiet)?, noise: None });
    }
    let both: Vec<(Sample, Sample)> = a.0.iter().zip(&b.0).filter_map(|(a, b)| (*a).zip(*b)).collect();
    let all: Vec<f64> = both.iter().map(|(a, b)| a.value / b.value).collect();
    let ratio = Estimate::of(&all)?;
    // Half of the rounds were lengthened by more than this: the half that the median is not in.
    let foreign: Vec<f64> = both.iter().map(|(a, b)| a.foreign.max(b.foreign)).collect();
    let reach = 1.0 / (1.0 - median(&foreign)?.clamp(0.0, 0.95));
    let why = format!("others were on the core in {} of {} rounds", all.len() - quiet.len(), all.len());
    Some(Compared { ratio, noise: (quiet.len() < all.len()).then_some(Noise { why, reach }) })
}

/// The ratios of the rounds in which neither was disturbed.
#[must_use]
pub fn ratios(a: &Series, b: &Series) -> Vec<f64> {
    let both = a.0.iter().zip(&b.0).filter_map(|(a, b)| (*a).zip(*b));
    both.filter(|(a, b)| a.is_quiet() && b.is_quiet())
        .map(|(a, b)| a.value / b.value)
        .filter(|r| r.is_finite())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[(f64, f64)]) -> Series {
        Series(values.iter().map(|(value, foreign)| Some(Sample { value: *value, foreign: *foreign })).collect())
    }

    fn quiet(values: &[f64]) -> Series {
        series(&values.iter().map(|v| (*v, 0.0)).collect::<Vec<_>>())
    }

    #[test]
    fn a_round_with_others_on_the_core_is_left_out_and_counted() {
        let mut all: Vec<(f64, f64)> = (0..8).map(|_| (10.0, 0.02)).collect();
        all.extend([(90.0, 0.5), (91.0, 0.11), (92.0, 1.0)]);
        let found = series(&all);
        let estimate = found.estimate().expect("values");
        assert_eq!((estimate.median, estimate.n, found.left_out(), found.measured()), (10.0, 8, 3, 11));
    }

    #[test]
    fn where_hardly_a_round_was_quiet_all_are_kept_and_it_is_said() {
        let mut all: Vec<(f64, f64)> = (0..5).map(|_| (10.0, 0.0)).collect();
        all.extend((0..9).map(|_| (30.0, 0.6)));
        let loud = series(&all);
        let estimate = loud.estimate().expect("values");
        assert_eq!((estimate.median, estimate.n, loud.left_out(), loud.disturbed()), (30.0, 14, 0, 9));
        let found = compare(&loud, &quiet(&[1.0; 14])).expect("rounds");
        let noise = found.noise.expect("others were there");
        assert_eq!((found.ratio.median, noise.why.as_str()), (30.0, "others were on the core in 9 of 14 rounds"));
        assert!((noise.reach - 2.5).abs() < 1e-9, "{}", noise.reach);
        // Few rounds that nobody disturbed are few, and no more.
        assert_eq!(compare(&quiet(&[3.0; 3]), &quiet(&[1.0; 3])).expect("rounds").noise, None);
    }

    #[test]
    fn outliers_are_kept_and_counted() {
        let mut values: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(quiet(&values).outliers(), 0);
        values.push(1e6);
        assert_eq!((quiet(&values).outliers(), quiet(&values).estimate().map(|e| e.n)), (1, Some(21)));
        assert_eq!((quiet(&[]).outliers(), quiet(&[3.0]).outliers()), (0, 0));
    }

    #[test]
    fn rounds_are_compared_with_themselves_only() {
        // The machine gets slower; a round that lacks one of the two, or in which one was disturbed, says nothing.
        let mut a = series(&(1..=10).map(|n| (f64::from(n) * 3.0, 0.0)).collect::<Vec<_>>());
        let mut b = quiet(&(1..=10).map(f64::from).collect::<Vec<_>>());
        a.push(None);
        b.push(Some(Sample { value: 1.0, foreign: 0.0 }));
        a.push(Some(Sample { value: 500.0, foreign: 0.4 }));
        b.push(Some(Sample { value: 1.0, foreign: 0.0 }));
        let found = compare(&a, &b).expect("rounds").ratio;
        assert_eq!((found.median, found.low, found.high, found.n), (3.0, Some(3.0), Some(3.0), 10));
        assert_eq!(compare(&a, &Series::default()), None);
    }

    #[test]
    fn what_is_no_number_is_no_measurement() {
        let mut found = Series::default();
        found.push(Some(Sample { value: f64::NAN, foreign: 0.0 }));
        found.push(None);
        assert_eq!((found.measured(), found.estimate()), (0, None));
    }
}
