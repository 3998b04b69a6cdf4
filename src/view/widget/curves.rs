//! Curves of points that a demo told: what was measured, and beside it what a law or a limit says. A curve is told by the
//! letter at its points, not by its colour.

use super::Rows;
use crate::fact::{CurveSpec, CurvesSpec, Stroke, Tally};
use crate::view::put::{put, put_right, width};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::widgets::Widget;
use ratatui::widgets::canvas::{Canvas, Line};
use serde_json::json;

/// The curves of one picture.
#[derive(Debug, Clone, Copy)]
pub struct Curves<'a> {
    /// The totals that hold the points.
    pub tally: &'a Tally,
    /// Which curves, and what they are.
    pub spec: &'a CurvesSpec,
    /// How it looks.
    pub theme: &'a Theme,
}

/// A curve with points to draw.
struct Curve<'a> {
    spec: &'a CurveSpec,
    letter: char,
    points: &'a [(f64, f64)],
    style: Style,
}

/// What the axes show.
struct Bounds {
    x: (f64, f64),
    y: (f64, f64),
}

impl Curves<'_> {
    fn curves(&self) -> Vec<Curve<'_>> {
        // One alone need not be told from others.
        let letters = if self.spec.curves.len() == 1 { 'o'..='o' } else { 'a'..='z' };
        let letters = letters.cycle().zip(0..);
        let with_points = self.spec.curves.iter().zip(letters).filter_map(|(spec, (letter, slot))| {
            let points = self.tally.curve(spec.curve);
            let style = match spec.stroke {
                Stroke::Measured | Stroke::Counted => self.theme.worker(Some(slot)).ink,
                Stroke::Reference => self.theme.style(Role::Dim),
            };
            (!points.is_empty()).then_some(Curve { spec, letter, points, style })
        });
        with_points.collect()
    }

    fn show(&self, y: f64) -> String {
        let value = if y.fract().abs() < 1e-9 && y.abs() < 1e15 {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 10^15")]
            let whole = y as i64;
            json!(whole)
        } else {
            json!((y * 100.0).round() / 100.0)
        };
        self.spec.kind.show(&value)
    }

    /// What the newest points say, in words; what they have in common is said once.
    fn words(&self, curves: &[Curve<'_>]) -> String {
        if let Some(curve) = curves.iter().find(|curve| curve.spec.stroke == Stroke::Counted) {
            let most = curve.points.iter().max_by(|a, b| a.1.total_cmp(&b.1));
            return most
                .map(|(x, y)| format!("most at {x}: {} {}", curve.spec.label, self.show(*y)))
                .unwrap_or_default();
        }
        let newest = curves.iter().filter(|c| c.spec.stroke == Stroke::Measured).filter_map(|c| {
            let (x, y) = c.points.last()?;
            Some((*x, format!("{} {}", c.spec.label, self.show(*y))))
        });
        let newest: Vec<(f64, String)> = newest.collect();
        let first = newest.first().map(|(x, _)| *x);
        if newest.iter().all(|(x, _)| Some(*x) == first) {
            let list: Vec<_> = newest.into_iter().map(|(_, words)| words).collect();
            return first.map(|x| format!("at {x}: {}", list.join("; "))).unwrap_or_default();
        }
        newest.into_iter().map(|(x, words)| format!("at {x}: {words}")).collect::<Vec<_>>().join("; ")
    }

    fn put_legend(&self, buf: &mut Buffer, area: Rect, curves: &[Curve<'_>]) {
        let dim = self.theme.style(Role::Dim);
        let mut x = put(buf, area, 0, 0, self.spec.y, dim).saturating_add(3);
        // What goes up says it already.
        for curve in curves.iter().filter(|curve| curve.spec.label != self.spec.y) {
            let words = format!("{} {}", curve.letter, curve.spec.label);
            if usize::from(x) + width(&words) > usize::from(area.width) {
                return;
            }
            x = put(buf, area, x, 0, &words, curve.style).saturating_add(3);
        }
    }

    /// The rows for the plot, between the legend and the words, with its axes written beside and below it.
    fn put_axes(&self, buf: &mut Buffer, area: Rect, bounds: &Bounds) -> Rect {
        let dim = self.theme.style(Role::Dim);
        let (top, bottom) = (self.show(bounds.y.1), self.show(bounds.y.0));
        let gutter = u16::try_from(width(&top).max(width(&bottom))).unwrap_or(0).min(area.width / 3);
        let high = area.height.saturating_sub(1);
        put_right(buf, area, gutter, 0, &top, dim);
        put_right(buf, area, gutter, high.saturating_sub(1), &bottom, dim);
        let plot = Rect {
            x: area.x + gutter.saturating_add(1).min(area.width),
            width: area.width.saturating_sub(gutter.saturating_add(1)),
            height: high,
            ..area
        };
        for y in 0..high {
            put(buf, area, gutter, y, "│", dim);
        }
        let below = Rect { y: area.y + high, height: area.height - high, ..plot };
        let (first, last) = (format!("{}", bounds.x.0), format!("{} {}", bounds.x.1, self.spec.x));
        let after = put(buf, below, 0, 0, &first, dim);
        if usize::from(after) + 1 + width(&last) <= usize::from(below.width) {
            put_right(buf, below, below.width, 0, &last, dim);
        }
        plot
    }
}

/// What the axes must show for all points: from nothing up, and a little more than the highest.
fn bounds(curves: &[Curve<'_>]) -> Option<Bounds> {
    let all = || curves.iter().flat_map(|c| c.points.iter().copied());
    let left = all().map(|p| p.0).reduce(f64::min)?;
    let right = all().map(|p| p.0).reduce(f64::max)?;
    let low = all().map(|p| p.1).fold(0.0, f64::min);
    let high = all().map(|p| p.1).fold(0.0, f64::max);
    let right = if right > left { right } else { left + 1.0 };
    let high = if high > low { high } else { low + 1.0 };
    Some(Bounds { x: (left, right), y: (low, high) })
}

/// The cell of `value` among `cells` that go from `low` to `high`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last cell")]
fn cell(value: f64, (low, high): (f64, f64), cells: u16) -> u16 {
    let last = f64::from(cells.saturating_sub(1));
    ((value - low) / (high - low) * last).round().clamp(0.0, last) as u16
}

fn draw(buf: &mut Buffer, plot: Rect, curves: &[Curve<'_>], bounds: &Bounds, ground: Color) {
    let canvas = Canvas::default()
        // One dot a cell: not every terminal's font has Braille, and the letters stand at the points.
        .marker(Marker::Custom('·'))
        // It paints the whole plot, with the terminal's own ground if it is not told the theme's.
        .background_color(ground)
        .x_bounds([bounds.x.0, bounds.x.1])
        .y_bounds([bounds.y.0, bounds.y.1])
        .paint(|context| {
            for curve in curves.iter().rev() {
                let colour = curve.style.fg.unwrap_or_default();
                for pair in curve.points.windows(2) {
                    let [(x1, y1), (x2, y2)] = [pair[0], pair[1]];
                    context.draw(&Line { x1, y1, x2, y2, color: colour });
                }
            }
        });
    canvas.render(plot, buf);
    // Points so close that their letters would touch are told by the line alone, but for the last.
    for curve in curves.iter().rev() {
        let apart = usize::from(plot.width / 3).max(1);
        let every = curve.points.len().div_ceil(apart);
        let last = curve.points.len().saturating_sub(1);
        for (n, (x, y)) in curve.points.iter().enumerate() {
            if n == last || (n % every == 0 && curve.spec.stroke != Stroke::Reference) {
                let up = cell(*y, bounds.y, plot.height);
                let row = plot.height.saturating_sub(1).saturating_sub(up);
                put(buf, plot, cell(*x, bounds.x, plot.width), row, &curve.letter.to_string(), curve.style);
            }
        }
    }
}

impl Rows for Curves<'_> {
    /// Rows that it needs at least, and likes.
    fn rows(&self, _: u16, left: u16) -> (u16, u16) {
        (5, left.clamp(8, 14))
    }

    fn in_parts(&self) -> bool {
        false
    }
}

impl Widget for &Curves<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let text = self.theme.style(Role::Text);
        let curves = self.curves();
        let Some(bounds) = bounds(&curves) else {
            put(buf, area, 0, 0, "Nothing has been measured yet.", self.theme.style(Role::Dim));
            return;
        };
        put(buf, area, 0, area.height - 1, &self.words(&curves), text);
        if area.height < 4 || area.width < 16 {
            return;
        }
        self.put_legend(buf, area, &curves);
        let middle = Rect { y: area.y + 1, height: area.height - 2, ..area };
        let plot = self.put_axes(buf, middle, &bounds);
        if !plot.is_empty() {
            draw(buf, plot, &curves, &bounds, self.theme.style(Role::Screen).bg.unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::ReturnKind;
    use crate::view::widget::fixture::{any_size, shown};
    use insta::assert_snapshot;

    static SPEC: CurvesSpec = CurvesSpec {
        name: "speed-up",
        x: "workers",
        y: "times the work of one",
        kind: ReturnKind::Number,
        curves: &[
            CurveSpec { curve: "measured", label: "measured", stroke: Stroke::Measured },
            CurveSpec { curve: "fair", label: "one core each", stroke: Stroke::Reference },
        ],
    };

    fn tally() -> Tally {
        let mut tally = Tally::default();
        tally.curves.insert("measured".into(), vec![(1.0, 1.0), (2.0, 1.93), (4.0, 1.9)]);
        tally.curves.insert("fair".into(), vec![(1.0, 1.0), (2.0, 2.0), (4.0, 2.0)]);
        tally
    }

    #[test]
    fn what_was_measured_stands_out_from_what_should_be() {
        let (theme, tally) = (Theme::default(), tally());
        let curves = Curves { tally: &tally, spec: &SPEC, theme: &theme };
        assert_snapshot!(shown(&curves, 60, 12));
    }

    #[test]
    fn one_that_is_counted_tells_where_it_is_highest_and_needs_no_legend() {
        static COUNTED: CurvesSpec = CurvesSpec {
            name: "histogram",
            x: "ratio",
            y: "rounds",
            kind: ReturnKind::Count,
            curves: &[CurveSpec { curve: "rounds", label: "rounds", stroke: Stroke::Counted }],
        };
        let (theme, mut tally) = (Theme::default(), Tally::default());
        tally.curves.insert("rounds".into(), vec![(7.9, 2.0), (8.0, 14.0), (8.1, 3.0)]);
        let drawn = shown(&Curves { tally: &tally, spec: &COUNTED, theme: &theme }, 40, 8);
        let lines: Vec<&str> = drawn.lines().map(str::trim).collect();
        assert_eq!((lines.first(), lines.last()), (Some(&"rounds"), Some(&"most at 8: rounds 14")), "{drawn}");
        assert!(drawn.contains('o') && !drawn.contains("a "), "{drawn}");
    }

    #[test]
    fn nothing_measured_is_said() {
        let (theme, tally) = (Theme::default(), Tally::default());
        let curves = Curves { tally: &tally, spec: &SPEC, theme: &theme };
        assert_eq!(shown(&curves, 40, 1), "Nothing has been measured yet.\n");
    }

    #[test]
    fn any_size_and_any_points_are_drawn_within_it() {
        let theme = Theme::default();
        for points in [vec![(0.0, 0.0)], vec![(3.0, -2.0), (3.5, 7e14)], vec![(-1e300, 1e-300), (1e300, 1e300)]] {
            let mut tally = tally();
            tally.curves.insert("measured".into(), points);
            any_size(|w, h| shown(&Curves { tally: &tally, spec: &SPEC, theme: &theme }, w, h));
        }
    }

    #[test]
    fn the_plot_stands_on_the_themes_ground() {
        let theme = Theme::named("light").expect("it comes with the program");
        let tally = tally();
        let area = Rect::new(0, 0, 40, 10);
        let mut buf = Buffer::empty(area);
        buf.set_style(area, theme.style(Role::Screen));
        Curves { tally: &tally, spec: &SPEC, theme: &theme }.render(area, &mut buf);
        let ground = theme.style(Role::Screen).bg;
        assert!(ground.is_some() && buf.content().iter().all(|cell| Some(cell.bg) == ground));
    }
}
