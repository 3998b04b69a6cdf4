//! The middle of some measurements, and between which two numbers the middle half of them lies. It knows no demo.

/// Median and quartiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    /// A quarter of the measurements lies below.
    pub(super) low: f64,
    /// Half of them lies below.
    pub(super) median: f64,
    /// A quarter of them lies above.
    pub(super) high: f64,
}

impl Spread {
    /// Of these measurements; none if there are none. Between two of them a straight line is drawn (Hyndman and Fan 1996,
    /// type 7, as R and NumPy do).
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = |quarter: usize| {
            let (whole, rest) = (last * quarter / 4, last * quarter % 4);
            let (below, above) = (sorted[whole], sorted[(whole + 1).min(last)]);
            below + (above - below) * [0.0, 0.25, 0.5, 0.75][rest]
        };
        Some(Self { low: at(1), median: at(2), high: at(3) })
    }

    /// How far the quartiles lie apart, as a share of the median.
    pub(super) fn width(&self) -> f64 {
        (self.high - self.low) / self.median.abs().max(f64::MIN_POSITIVE)
    }
}

/// To two decimals: more would be noise.
pub(super) fn two(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_those_of_r() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[f64::NAN]), None);
        assert_eq!(Spread::of(&[3.0]), Some(Spread { low: 3.0, median: 3.0, high: 3.0 }));
        assert_eq!(Spread::of(&[4.0, 1.0, 3.0, 2.0]), Some(Spread { low: 1.75, median: 2.5, high: 3.25 }));
        let five = Spread::of(&[5.0, 4.0, 3.0, 2.0, 1.0]).expect("five");
        assert_eq!(five, Spread { low: 2.0, median: 3.0, high: 4.0 });
        assert!((five.width() - 2.0 / 3.0).abs() < 1e-12);
    }
}
