//! How long turns were: a histogram on a logarithmic axis, its median marked, and the same in words.

use crate::fact::{Nanos, Turns};
use crate::view::put::{put, thousands, width};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

/// A histogram of turns.
#[derive(Debug, Clone, Copy)]
pub struct Histogram<'a> {
    /// The turns.
    pub turns: &'a Turns,
    /// How it looks.
    pub theme: &'a Theme,
    /// How the bars look: a worker's ink, or the accent.
    pub bars: Style,
}

const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Narrower bins than this many a decade would show the histogram's own steps: it keeps two significant figures.
const MOST_A_DECADE: f64 = 60.0;

impl Histogram<'_> {
    /// The turns in a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let of = |q| self.turns.quantile(q);
        let (Some(median), Some(low), Some(high)) = (of(0.5), of(0.05), of(0.95)) else {
            return "No turn is over yet.".to_owned();
        };
        format!("median {median}, 90 % between {low} and {high}, n = {}", thousands(self.turns.count()))
    }

    /// The decades that are shown: enough for all turns, one at least.
    fn decades(&self) -> Option<(i32, i32)> {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a power of ten below 20")]
        let log = |n: Nanos, round: fn(f64) -> f64| round((n.0.max(1) as f64).log10()) as i32;
        // The histogram rounds up to its own step: a hundredth below is still within the decade.
        let (low, high) = (self.turns.quantile(0.0)?, self.turns.quantile(1.0)?);
        let low = log(low, f64::floor);
        Some((low, log(Nanos(high.0 - high.0 / 64), f64::ceil).max(low + 1)))
    }

    /// How many turns were shorter than each of `ends`, which ascend, and not than the one before.
    fn binned(&self, ends: impl Iterator<Item = Nanos>) -> Vec<u64> {
        let mut turns = self.turns.each().peekable();
        let below = |end| std::iter::from_fn(|| turns.next_if(|(length, _)| *length < end)).map(|(_, n)| n).sum();
        ends.map(below).collect()
    }
}

/// `10^x` nanoseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn power(x: f64) -> Nanos {
    Nanos(10_f64.powf(x).round() as u64)
}

/// "1 ms" for a decade.
fn decade(exponent: i32) -> String {
    let (unit, base) = match exponent {
        ..3 => ("ns", 0),
        3..6 => ("µs", 3),
        6..9 => ("ms", 6),
        _ => ("s", 9),
    };
    format!("{} {unit}", 10_u64.saturating_pow(u32::try_from(exponent - base).unwrap_or(0)))
}

impl Widget for &Histogram<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let (text, dim) = (self.theme.style(Role::Text), self.theme.style(Role::Dim));
        put(buf, area, 0, area.height - 1, &self.words(), text);
        let Some((low, high)) = self.decades().filter(|_| area.height >= 3 && area.width >= 12) else { return };
        let span = f64::from(high - low);
        let columns = f64::from(area.width).min(span * MOST_A_DECADE).floor();
        let at = |column: f64| power(f64::from(low) + span * column / columns);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a column of the area")]
        let (x_of, columns) = (|log: f64| ((log - f64::from(low)) / span * columns) as u16, columns as u16);
        let counts = self.binned((1..=columns).map(|x| at(x.into())));
        let most = counts.iter().copied().max().unwrap_or(0).max(1);

        let axis = area.height - 2;
        let head = u16::from(area.height >= 5);
        let rows = axis - head;
        for (x, count) in (0..columns).zip(&counts) {
            // What is there at all is seen.
            let eighths = (count * u64::from(rows) * 8).div_ceil(most);
            for row in 0..rows {
                let here = eighths.saturating_sub(u64::from(row) * 8).min(8);
                if here > 0 {
                    put(buf, area, x, axis - 1 - row, EIGHTHS[usize::try_from(here).unwrap_or(8)], self.bars);
                }
            }
        }
        if let Some(median) = self.turns.median().filter(|_| head > 0) {
            #[expect(clippy::cast_precision_loss, reason = "to place it in a column")]
            let x = x_of((median.0.max(1) as f64).log10()).min(columns - 1);
            let label = format!("▼ median {median}");
            let fits = usize::from(x) + width(&label) <= usize::from(area.width);
            put(buf, area, x, 0, if fits { &label } else { "▼" }, self.theme.style(Role::Strong));
        }
        for exponent in low..=high {
            let label = decade(exponent);
            let wide = u16::try_from(width(&label)).unwrap_or(0);
            let x = x_of(exponent.into());
            // The last stands to the left of the edge that it names.
            let x = if exponent == high { x.saturating_sub(wide + 1) } else { x };
            let mark = if exponent == high { format!("{label}┘") } else { format!("└{label}") };
            let step = columns / u16::try_from(high - low).unwrap_or(1).max(1);
            if step > wide + 1 || exponent == low || exponent == high && step * 2 > wide {
                put(buf, area, x, axis, &mark, dim);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::widget::fixture::{self, shown};
    use insta::assert_snapshot;

    fn histogram(width: u16, height: u16) -> String {
        let scene = fixture::three_workers();
        let theme = Theme::default();
        let turns = &scene.tally.tasks[0].turns;
        shown(&Histogram { turns, theme: &theme, bars: Style::new() }, width, height)
    }

    #[test]
    fn turns_are_seen_marked_and_said() {
        assert_snapshot!(format!("{}----\n{}----\n{}", histogram(70, 8), histogram(40, 4), histogram(20, 1)));
    }

    #[test]
    fn no_turn_is_said_too() {
        let (turns, theme) = (Turns::default(), Theme::default());
        let shown = shown(&Histogram { turns: &turns, theme: &theme, bars: Style::new() }, 30, 5);
        assert!(shown.contains("No turn is over yet."), "{shown}");
    }

    #[test]
    fn every_turn_stands_in_a_column() {
        let mut turns = Turns::default();
        let mut n = 3;
        while n < 20_000_000_000 {
            turns.add(Nanos(n));
            n = n * 3 / 2;
        }
        let theme = Theme::default();
        let histogram = Histogram { turns: &turns, theme: &theme, bars: Style::new() };
        let (low, high) = histogram.decades().expect("turns");
        let bins = histogram.binned((low + 1..=high).map(|exponent| power(exponent.into())));
        assert_eq!((bins.len(), bins.iter().sum()), (usize::try_from(high - low).expect("few"), turns.count()));
    }

    #[test]
    fn any_size_is_safe() {
        fixture::any_size(histogram);
    }
}
