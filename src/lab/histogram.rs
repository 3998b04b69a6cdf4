//! How often which value came out.

/// The most bins that there are; what lies beyond them on either side is in none.
const MOST: i32 = 80;

/// Counts values that are above 0 in bins, each wider than the one before by the share `width`: the middle of each bin and how
/// many are in it, in rising order, empty ones between others included. The bins lie the same for all values, so that one
/// that has been drawn stays where it is. Bins far from the median are left out.
#[must_use]
pub fn bins(values: &[f64], width: f64) -> Vec<(f64, u32)> {
    let step = width.max(1e-6).ln_1p();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast of a float that is too large stops at the largest integer"
    )]
    let mut found: Vec<i32> = values.iter().filter(|v| **v > 0.0).map(|v| (v.ln() / step).round() as i32).collect();
    found.sort_unstable();
    let Some(middle) = found.get(found.len() / 2).copied() else { return Vec::new() };
    found.retain(|bin| bin.saturating_sub(middle).saturating_abs() <= MOST / 2);
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return Vec::new() };
    let count = |bin: i32| u32::try_from(found.iter().filter(|b| **b == bin).count()).unwrap_or(u32::MAX);
    (*first..=*last).map(|bin| ((f64::from(bin) * step).exp(), count(bin))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_where_they_lie_and_gaps_are_bins_too() {
        let found = bins(&[1.0, 1.001, 0.999, 1.045], 0.02);
        assert_eq!(found.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [3, 0, 1]);
        assert!((found[0].0 - 1.0).abs() < 1e-9 && (found[2].0 - 1.02 * 1.02).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn bins_stay_where_they_are() {
        let few = bins(&[5.0, 5.2], 0.02);
        let more = bins(&[5.0, 5.2, 5.9, 4.5], 0.02);
        assert!(few.iter().all(|(at, _)| more.iter().any(|(other, _)| (at - other).abs() < 1e-9)));
    }

    #[test]
    fn far_ones_and_impossible_ones_are_in_no_bin() {
        assert_eq!(bins(&[], 0.02), []);
        assert_eq!(bins(&[-1.0, 0.0, f64::NAN], 0.02), []);
        let found = bins(&[1.0, 1.0, 1.0, 1e9, 1e300], 0.02);
        assert_eq!((found.len(), found[0].1), (1, 3));
    }
}
