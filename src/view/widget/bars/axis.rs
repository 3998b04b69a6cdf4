//! From values to columns: where a bar ends, and what stands on its axis. Numbers and words only.

use crate::fact::{ReturnKind, Scale};
use serde_json::json;

/// Columns from one tick's word to the next.
const APART: usize = 2;

/// The axis of some bars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    scale: Scale,
    /// What its first and its last column stand for.
    from: f64,
    to: f64,
}

impl Axis {
    /// The axis on which all `values` have their place. None if there is no value that it could show.
    pub(super) fn of(scale: Scale, values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let shown = |v: &f64| v.is_finite() && (*v > 0.0 || scale == Scale::Linear);
        let (least, most) = values
            .into_iter()
            .filter(shown)
            .fold((f64::INFINITY, 0.0_f64), |(least, most), v| (least.min(v.max(0.0)), most.max(v)));
        if least.is_infinite() {
            return None;
        }
        let (from, to) = match scale {
            // The least value still has a bar, and the greatest some room for what is not certain.
            Scale::Logarithmic => (power_of_ten((least / 1.5).log10().floor()), most * 1.3),
            Scale::Linear => (0.0, if most > 0.0 { most * 1.1 } else { 1.0 }),
        };
        (from.is_finite() && to.is_finite() && from < to).then_some(Self { scale, from, to })
    }

    /// The column of `value` among `columns`: from 0, the beginning, to `columns`, the end.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the columns")]
    pub(super) fn column(&self, value: f64, columns: u16) -> u16 {
        let share = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Logarithmic if value > 0.0 => (value / self.from).ln() / (self.to / self.from).ln(),
            Scale::Logarithmic => 0.0,
        };
        (share * f64::from(columns)).round().clamp(0.0, f64::from(columns)) as u16
    }

    /// The ticks that have room on `columns`, each with its column and its words. The first is where the axis begins.
    pub(super) fn ticks(&self, kind: ReturnKind, columns: u16) -> Vec<(u16, String)> {
        let mut ticks: Vec<(u16, String)> = Vec::new();
        let mut free = 0;
        for value in self.steps() {
            let (at, words) = (self.column(value, columns), words(kind, value));
            let end = usize::from(at) + words.chars().count();
            if usize::from(at) >= free && end <= usize::from(columns) {
                free = end + APART;
                ticks.push((at, words));
            }
        }
        ticks
    }

    fn steps(&self) -> Vec<f64> {
        match self.scale {
            Scale::Logarithmic => {
                std::iter::successors(Some(self.from), |v| Some(v * 10.0)).take_while(|v| *v <= self.to).collect()
            }
            Scale::Linear => {
                // The largest of 1, 2, 5, 10, .. that leaves four steps.
                let rough = self.to / 4.0;
                let ten = power_of_ten(rough.log10().floor());
                let step = [5.0, 2.0, 1.0].map(|n| n * ten).into_iter().find(|step| *step <= rough).unwrap_or(ten);
                (0..=20).map(|n| f64::from(n) * step).take_while(|v| *v <= self.to).collect()
            }
        }
    }
}

/// Powers far beyond any figure stay finite.
#[expect(clippy::cast_possible_truncation, reason = "clamped")]
fn power_of_ten(exponent: f64) -> f64 {
    10_f64.powi(exponent.clamp(-300.0, 300.0) as i32)
}

/// A tick's words: no figures behind the point that say nothing.
fn words(kind: ReturnKind, value: f64) -> String {
    let shown = match kind {
        // Two decimals at most; the kind itself would show all that an f64 has.
        ReturnKind::Number | ReturnKind::Count => format!("{value:.2}"),
        kind => kind.show(&json!(value)),
    };
    let (number, unit) = shown.split_once(' ').map_or((shown.as_str(), None), |(number, unit)| (number, Some(unit)));
    let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    unit.map_or_else(|| number.to_owned(), |unit| format!("{number} {unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(scale: Scale, values: &[f64]) -> Axis {
        Axis::of(scale, values.iter().copied()).expect("it can be shown")
    }

    #[test]
    fn a_tenfold_is_as_wide_wherever_it_stands() {
        let axis = axis(Scale::Logarithmic, &[150.0, 76_900.0]);
        let columns: Vec<u16> = [100.0, 1_000.0, 10_000.0, 100_000.0].map(|v| axis.column(v, 90)).into();
        assert_eq!(columns, [0, 30, 60, 90]);
        assert_eq!((axis.column(0.0, 90), axis.column(1.0, 90), axis.column(1e30, 90)), (0, 0, 90));
    }

    #[test]
    fn the_least_value_has_a_bar() {
        assert!(axis(Scale::Logarithmic, &[1_000.0, 50_000.0]).column(1_000.0, 40) > 0);
        assert!(axis(Scale::Logarithmic, &[1_000.0]).column(1_000.0, 40) > 0);
    }

    #[test]
    fn ticks_are_decades_with_their_units_and_leave_out_what_has_no_room() {
        let axis = axis(Scale::Logarithmic, &[150.0, 76_900.0]);
        let ticks = axis.ticks(ReturnKind::Nanos, 90);
        assert_eq!(ticks, [(0, "100 ns".to_owned()), (30, "1 µs".to_owned()), (60, "10 µs".to_owned())]);
        assert_eq!(axis.ticks(ReturnKind::Nanos, 15), [(0, "100 ns".to_owned()), (10, "10 µs".to_owned())]);
        assert_eq!(axis.ticks(ReturnKind::Nanos, 3), []);
    }

    #[test]
    fn a_linear_axis_begins_at_nothing() {
        let axis = axis(Scale::Linear, &[0.0, 3.7]);
        let ticks: Vec<String> = axis.ticks(ReturnKind::Number, 60).into_iter().map(|(_, words)| words).collect();
        assert_eq!(ticks, ["0", "1", "2", "3", "4"]);
        assert_eq!(axis.column(0.0, 60), 0);
    }

    #[test]
    fn what_cannot_be_shown_makes_no_axis() {
        assert_eq!(Axis::of(Scale::Logarithmic, []), None);
        assert_eq!(Axis::of(Scale::Logarithmic, [0.0, -3.0, f64::NAN]), None);
        for values in [[1e-320, 1e308], [f64::MIN_POSITIVE, f64::MAX], [0.0, 0.0]] {
            for scale in [Scale::Linear, Scale::Logarithmic] {
                if let Some(axis) = Axis::of(scale, values) {
                    assert!(axis.ticks(ReturnKind::Number, 50).len() <= 50);
                }
            }
        }
    }
}
