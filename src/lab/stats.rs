//! Medians with intervals that assume nothing of how the values are spread.

/// How sure an interval is.
const CONFIDENCE: f64 = 0.95;

/// Rounds below which no interval can be given: the least and the greatest of five values have the median between them in
/// only 93.75 % of all cases.
const FEWEST: usize = 6;

/// How often a sample is drawn anew. Percentiles of 2,000 are steady to about a percent of the interval's width.
const DRAWS: usize = 2_000;

/// A median, and the 95 % interval in which the true one lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The median of the values.
    pub median: f64,
    /// Where the interval begins; none where there are too few values for one.
    pub low: Option<f64>,
    /// Where it ends.
    pub high: Option<f64>,
    /// Of how many values.
    pub n: usize,
}

impl Estimate {
    /// The median of `values` with its interval, by order statistics: each value lies below the true median with a chance of
    /// one half, whatever their distribution, so how many do is binomial. Of the intervals between two values, equally far
    /// from both ends, it is the narrowest that is right in 95 % of all cases at least (Conover, Practical Nonparametric
    /// Statistics, 3.2). It is exact; nothing is drawn at random. None without a value, or where one is no number.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let sorted = sorted(values)?;
        let n = sorted.len();
        let ends = (n >= FEWEST).then(|| outside(n)).map(|out| (sorted[out], sorted[n - 1 - out]));
        Some(Self { median: middle(&sorted), low: ends.map(|e| e.0), high: ends.map(|e| e.1), n })
    }

    /// Whether `value` can be the true one, as far as these rounds tell; none where there are too few of them.
    #[must_use]
    pub fn allows(&self, value: f64) -> Option<bool> {
        Some((self.low?..=self.high?).contains(&value))
    }
}

/// The median; none without a value, or where one is no number.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    sorted(values).map(|sorted| middle(&sorted))
}

/// `a` against `b`, measured in the same rounds: the median of the rounds' own ratios. What disturbs a round disturbs both, so
/// the ratio of a round is steadier than either. None if the rounds are not as many, or one of `b` is 0.
#[must_use]
pub fn ratio(a: &[f64], b: &[f64]) -> Option<Estimate> {
    if a.len() != b.len() {
        return None;
    }
    // A division by 0 is no finite number, and so no estimate.
    Estimate::of(&a.iter().zip(b).map(|(a, b)| a / b).collect::<Vec<_>>())
}

/// Any `statistic` of `values` with its 95 % interval, by the percentile bootstrap: samples of the same size are drawn from
/// the values, with replacement, and the middle 95 % of what the statistic makes of them is the interval (Efron, 1979). For
/// what has no exact interval, such as a quantile or a mean. The draws are the same each time: the same values give the same
/// interval. None without a value, or where one is no number.
#[must_use]
pub fn bootstrap(values: &[f64], statistic: impl Fn(&[f64]) -> f64) -> Option<Estimate> {
    let n = sorted(values)?.len();
    let whole = statistic(values);
    if n < FEWEST {
        return Some(Estimate { median: whole, low: None, high: None, n });
    }
    let mut draw = SplitMix(1);
    let mut sample = vec![0.0; n];
    let mut found: Vec<f64> = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        sample.iter_mut().for_each(|value| *value = values[draw.below(n)]);
        found.push(statistic(&sample));
    }
    let found = sorted(&found)?;
    let out = DRAWS / 40;
    Some(Estimate { median: whole, low: Some(found[out]), high: Some(found[DRAWS - 1 - out]), n })
}

/// In rising order; none if there is nothing, or something that is no finite number.
fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(sorted)
}

fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

/// Of `n` values in order, how many at each end are left outside the interval.
#[expect(clippy::cast_precision_loss, reason = "numbers of rounds, far below 2^52")]
fn outside(n: usize) -> usize {
    let half = (1.0 - CONFIDENCE) / 2.0;
    // Logarithms: for a thousand rounds 0.5^n is no f64 any more.
    let mut log_term = n as f64 * 0.5_f64.ln();
    let (mut below, mut out) = (log_term.exp(), 0);
    while below <= half {
        out += 1;
        log_term += ((n - out + 1) as f64 / out as f64).ln();
        below += log_term.exp();
    }
    // `below` is now the chance that `out` values or fewer lie below the median: one too many.
    out.saturating_sub(1)
}

/// Steele, Lea and Flood's `SplitMix64` (2014): small, and good enough to draw with.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; its bias is below `n` in 2^64.
    fn below(&mut self, n: usize) -> usize {
        let wide = u128::from(self.next()) * n as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up_to(n: u32) -> Vec<f64> {
        (1..=n).map(f64::from).collect()
    }

    /// The ranks, from 1, of the two values that bound the interval.
    fn ranks(n: u32) -> (f64, f64) {
        let estimate = Estimate::of(&up_to(n)).expect("values");
        (estimate.low.expect("enough"), estimate.high.expect("enough"))
    }

    #[test]
    fn the_ranks_are_those_of_the_printed_tables() {
        // Conover, table A3, and every text's table for the sign test: 6 to 50 values at 95 %.
        let known = [(6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (15, 4), (17, 5), (20, 6), (25, 8), (30, 10), (50, 18)];
        for (n, low) in known {
            assert_eq!(ranks(n), (f64::from(low), f64::from(n + 1 - low)), "{n} values");
        }
    }

    #[test]
    fn the_median_is_the_middle_one_or_the_midpoint_of_two() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!((median(&[]), median(&[1.0, f64::NAN])), (None, None));
    }

    #[test]
    fn five_rounds_have_a_median_and_no_interval() {
        let five = Estimate::of(&up_to(5)).expect("values");
        assert_eq!((five.median, five.low, five.high, five.n), (3.0, None, None, 5));
        assert_eq!(five.allows(3.0), None);
        let six = Estimate::of(&up_to(6)).expect("values");
        assert_eq!((six.allows(6.0), six.allows(6.5)), (Some(true), Some(false)));
    }

    #[test]
    fn of_many_rounds_the_interval_is_that_of_the_normal_approximation() {
        // Ranks n/2 -+ 1.96 sqrt(n)/2, for numbers where 0.5^n is no f64.
        let (low, high) = ranks(5_000);
        assert!((low - 2_430.7).abs() < 2.0 && (high - 2_570.3).abs() < 2.0, "{low} {high}");
    }

    #[test]
    fn one_wild_round_moves_neither_the_median_nor_its_interval() {
        let mut values = up_to(21);
        let calm = Estimate::of(&values);
        values[20] = 1e12;
        assert_eq!(Estimate::of(&values), calm);
    }

    #[test]
    fn the_true_median_is_in_95_of_100_intervals() {
        // An uneven distribution, as times are: the square of a uniform one; its median is a quarter.
        let mut draw = SplitMix(7);
        #[expect(clippy::cast_precision_loss, reason = "53 bits of a random number")]
        let mut uniform = || (draw.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut right = [0, 0];
        for _ in 0..400 {
            let values: Vec<f64> = (0..25).map(|_| uniform().powi(2)).collect();
            let both = [Estimate::of(&values), bootstrap(&values, |v| median(v).expect("values"))];
            for (right, estimate) in right.iter_mut().zip(both) {
                *right += i32::from(estimate.and_then(|e| e.allows(0.25)) == Some(true));
            }
        }
        // 25 values in order give 95.7 %; the percentile bootstrap of a median is a little less sure.
        assert!(right[0] >= 370 && right[0] < 400, "order statistics: {} of 400", right[0]);
        assert!(right[1] >= 360 && right[1] < 400, "bootstrap: {} of 400", right[1]);
    }

    #[test]
    fn a_ratio_is_that_of_the_rounds() {
        // The rounds get slower and slower, which both suffer: the ratio does not.
        let a: Vec<f64> = up_to(20).iter().map(|v| v * 3.0).collect();
        let found = ratio(&a, &up_to(20)).expect("as many rounds");
        assert_eq!((found.median, found.low, found.high, found.n), (3.0, Some(3.0), Some(3.0), 20));
        assert_eq!(ratio(&a, &up_to(19)), None);
        assert_eq!(ratio(&[1.0], &[0.0]), None);
    }

    #[test]
    fn a_bootstrap_is_the_same_each_time_and_takes_any_statistic() {
        let values = up_to(40);
        #[expect(clippy::cast_precision_loss, reason = "forty values")]
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let found = bootstrap(&values, mean).expect("values");
        assert_eq!(Some(found), bootstrap(&values, mean));
        // The standard error of this mean is 1.83: the interval is some 1.96 of it to either side of 20.5.
        let (low, high) = (found.low.expect("enough"), found.high.expect("enough"));
        assert_eq!(found.median, 20.5);
        assert!((low - 16.9).abs() < 0.5 && (high - 24.1).abs() < 0.5, "{low} {high}");
    }
}
