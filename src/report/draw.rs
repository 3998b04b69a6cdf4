//! Charts as shapes on a small sheet. Names stand above their bars, so that a sheet fits a phone and long names have room.

use super::chart::{Chart, Counts, Curve, Curves, Intervals, Point};
use crate::fact::{ReturnKind, thousands};
use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How wide a sheet is, in the units of the drawing; letters are 11 of them high.
const WIDTH: f64 = 400.0;
/// What is left free on either side.
const SIDE: f64 = 10.0;
/// How high a row with a name above its bar is.
const ROW: f64 = 35.0;
/// Columns of text that stand beside each other on a sheet.
const COLUMNS: usize = 66;

/// A chart, drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawing {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

/// A shape. `class` says how it looks.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Line { class: &'static str, x1: f64, y1: f64, x2: f64, y2: f64 },
    Circle { class: &'static str, x: f64, y: f64, r: f64 },
    Box { class: String, x: f64, y: f64, width: f64, height: f64 },
    Path { class: String, d: String },
    Words { class: &'static str, x: f64, y: f64, anchor: &'static str, text: String },
}

/// Draws a chart.
pub(super) fn draw(chart: &Chart) -> Drawing {
    match chart {
        Chart::Intervals(chart) => intervals(chart),
        Chart::Curves(chart) => curves(chart),
        Chart::Counts(chart) => counts(chart),
    }
}

/// A logarithmic axis from one round value to another.
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    /// One that holds all of `values`, which are positive.
    fn around(values: impl Iterator<Item = f64> + Clone) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(0.0, f64::max);
        let (from, to) = (round_below(least), round_above(most));
        if from < to { Self { from, to } } else { Self { from: from / 2.0, to: to * 2.0 } }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value / self.from).ln() / (self.to / self.from).ln();
        SIDE + share.clamp(0.0, 1.0) * (WIDTH - 2.0 * SIDE)
    }

    /// Where lines stand: at 1, 2 and 5 of few decades, at each or every third of many.
    fn ticks(&self) -> Vec<f64> {
        let decades = (self.to / self.from).log10();
        let steps: &[f64] = if decades <= 2.01 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = if decades > 7.0 { 3 } else { 1 };
        let first = self.from.log10().floor();
        let powers = (0..=40).map(|n| 10_f64.powf(first + f64::from(n))).step_by(every);
        let all = powers.flat_map(|power| steps.iter().map(move |step| step * power));
        all.filter(|tick| (self.from * 0.999..=self.to * 1.001).contains(tick)).collect()
    }
}

/// The greatest of 1, 2, 5, 10, .. that is not above.
fn round_below(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let step = [5.0, 2.0].into_iter().find(|step| step * power <= value * 1.000_001);
    step.unwrap_or(1.0) * power
}

/// The least that is not below.
fn round_above(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().find(|step| step * power >= value * 0.999_999);
    step.unwrap_or(10.0) * power
}

fn intervals(chart: &Intervals) -> Drawing {
    let values = chart.points.iter().flat_map(|point| {
        let (low, high) = point.ends.unwrap_or((point.value, point.value));
        [low, point.value, high]
    });
    let axis = Axis::around(values.chain(chart.against));
    #[expect(clippy::cast_precision_loss, reason = "some rows")]
    let bottom = 8.0 + ROW * chart.points.len() as f64;
    let mut shapes = Vec::new();
    for tick in axis.ticks() {
        let x = axis.place(tick);
        shapes.push(Shape::Line { class: "grid", x1: x, y1: 4.0, x2: x, y2: bottom });
        shapes.push(label(x, bottom + 14.0, tick_words(chart.kind, tick)));
    }
    let mut y = 8.0;
    for point in &chart.points {
        shapes.extend(row(&axis, point, chart.against, y));
        y += ROW;
    }
    Drawing { width: WIDTH, height: bottom + 20.0, shapes }
}

/// A name and its value, and below them the median in its interval.
fn row(axis: &Axis, point: &Point, against: Option<f64>, y: f64) -> Vec<Shape> {
    let (said, x, middle) = (cut(&point.said, COLUMNS - 12), axis.place(point.value), y + 20.0);
    let name = cut(&point.name, COLUMNS.saturating_sub(said.width() + 2).max(10));
    let mut shapes = vec![
        Shape::Line { class: "track", x1: SIDE, y1: middle, x2: WIDTH - SIDE, y2: middle },
        Shape::Words { class: "name", x: SIDE, y: y + 10.0, anchor: "start", text: name },
        Shape::Words { class: "said", x: WIDTH - SIDE, y: y + 10.0, anchor: "end", text: said },
    ];
    if let Some(x) = against.map(|against| axis.place(against)) {
        shapes.push(Shape::Line { class: "against", x1: x, y1: middle - 8.0, x2: x, y2: middle + 8.0 });
    }
    if let Some((low, high)) = point.ends {
        let (from, to) = (axis.place(low), axis.place(high));
        shapes.push(Shape::Line { class: "whisker", x1: from, y1: middle, x2: to, y2: middle });
        for end in [from, to] {
            shapes.push(Shape::Line { class: "whisker", x1: end, y1: middle - 4.5, x2: end, y2: middle + 4.5 });
        }
    }
    let class = if point.open { "dot open" } else { "dot" };
    shapes.push(Shape::Circle { class, x, y: middle, r: 3.6 });
    shapes
}

/// A word below an axis, which stays on the sheet.
fn label(x: f64, y: f64, text: String) -> Shape {
    let anchor = match x {
        x if x < 24.0 => "start",
        x if x > WIDTH - 24.0 => "end",
        _ => "middle",
    };
    Shape::Words { class: "tick", x, y, anchor, text }
}

/// A round value without the figures that say nothing.
fn tick_words(kind: ReturnKind, value: f64) -> String {
    match kind {
        ReturnKind::Number if value >= 1.0 => thousands(whole(value)),
        ReturnKind::Number => format!("{}", (value * 1e9).round() / 1e9),
        _ => {
            let shown = kind.show(&Value::from(value));
            let (number, unit) = shown.split_once(' ').unwrap_or((&shown, ""));
            let short = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
            format!("{short} {unit}").trim_end().to_owned()
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a round number that is not negative")]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

fn curves(chart: &Curves) -> Drawing {
    const LEFT: f64 = 34.0;
    const TOP: f64 = 22.0;
    const BOTTOM: f64 = 212.0;
    let points = || chart.curves.iter().flat_map(|curve| curve.points.iter());
    let (first, last) = (points().map(|p| p.0).min().unwrap_or(0), points().map(|p| p.0).max().unwrap_or(1));
    let most = points().map(|p| p.1).fold(0.0, f64::max);
    let step = round_above((most / 5.0).max(1e-9));
    let top = (most / step).ceil().max(1.0) * step;
    let across = f64::from(last.saturating_sub(first).max(1));
    let x = |value: u32| LEFT + f64::from(value.saturating_sub(first)) / across * (WIDTH - LEFT - 14.0);
    let y = |value: f64| BOTTOM - value / top * (BOTTOM - TOP);
    let mut shapes =
        vec![Shape::Words { class: "axis", x: 4.0, y: 11.0, anchor: "start", text: cut(&chart.y, COLUMNS) }];
    for n in 0..=whole(top / step) {
        #[expect(clippy::cast_precision_loss, reason = "a few lines")]
        let value = step * n as f64;
        shapes.push(Shape::Line { class: "grid", x1: LEFT, y1: y(value), x2: WIDTH - 14.0, y2: y(value) });
        let text = format!("{}", (value * 1e6).round() / 1e6);
        shapes.push(Shape::Words { class: "tick", x: LEFT - 5.0, y: y(value) + 3.5, anchor: "end", text });
    }
    // About ten words fit below.
    let every = (last.saturating_sub(first) / 10).max(1);
    for value in (first..=last).step_by(usize::try_from(every).unwrap_or(1)) {
        let text = thousands(value.into());
        shapes.push(Shape::Words { class: "tick", x: x(value), y: BOTTOM + 15.0, anchor: "middle", text });
    }
    shapes.push(Shape::Words {
        class: "axis",
        x: WIDTH - 14.0,
        y: BOTTOM + 31.0,
        anchor: "end",
        text: cut(&chart.x, COLUMNS),
    });
    let mut legend = BOTTOM + 34.0;
    // What was measured is drawn last, over what it is compared with.
    for (n, curve) in chart.curves.iter().enumerate().rev() {
        shapes.extend(line(curve, n, &x, &y));
    }
    for (n, curve) in chart.curves.iter().enumerate() {
        let sample = Curve { points: vec![], ..curve.clone() };
        let d = format!("M{:.1} {:.1}H{:.1}", 4.0, legend - 3.5, 34.0);
        shapes.push(Shape::Path { class: look(&sample, n), d });
        if curve.measured {
            shapes.push(Shape::Circle { class: "dot", x: 19.0, y: legend - 3.5, r: 3.2 });
        }
        let text = cut(&curve.label, COLUMNS / 2);
        shapes.push(Shape::Words { class: "name", x: 40.0, y: legend, anchor: "start", text });
        legend += 16.0;
    }
    Drawing { width: WIDTH, height: legend, shapes }
}

/// A solid line with dots for what was measured; a dashed or dotted one for what it is compared with.
fn line(curve: &Curve, n: usize, x: &impl Fn(u32) -> f64, y: &impl Fn(f64) -> f64) -> Vec<Shape> {
    let mut d = String::new();
    for (at, value) in &curve.points {
        let mark = if d.is_empty() { 'M' } else { 'L' };
        d.push_str(&format!("{mark}{:.1} {:.1}", x(*at), y(*value)));
    }
    let mut shapes = vec![Shape::Path { class: look(curve, n), d }];
    if curve.measured {
        let dot = |(at, value): &(u32, f64)| Shape::Circle { class: "dot", x: x(*at), y: y(*value), r: 3.2 };
        shapes.extend(curve.points.iter().map(dot));
    }
    shapes
}

fn look(curve: &Curve, n: usize) -> String {
    if curve.measured { "curve measured".to_owned() } else { format!("curve reference-{}", n % 3) }
}

fn counts(chart: &Counts) -> Drawing {
    let mut shapes = Vec::new();
    let (mut x, all) = (SIDE, chart.all().max(1));
    for (n, (_, count)) in chart.parts.iter().enumerate().filter(|(_, (_, count))| *count > 0) {
        #[expect(clippy::cast_precision_loss, reason = "a share of a drawing")]
        let width = (WIDTH - 2.0 * SIDE) * *count as f64 / all as f64;
        shapes.push(Shape::Box { class: format!("part part-{}", n % 5), x, y: 6.0, width, height: 22.0 });
        x += width;
    }
    let mut y = 46.0;
    for (n, (name, count)) in chart.parts.iter().enumerate() {
        shapes.push(Shape::Box {
            class: format!("part part-{}", n % 5),
            x: SIDE,
            y: y - 10.0,
            width: 18.0,
            height: 12.0,
        });
        let text = cut(name, COLUMNS - 12);
        shapes.push(Shape::Words { class: "name", x: SIDE + 26.0, y, anchor: "start", text });
        let text = thousands(*count as u64);
        shapes.push(Shape::Words { class: "said", x: WIDTH - SIDE, y, anchor: "end", text });
        y += 18.0;
    }
    Drawing { width: WIDTH, height: y - 6.0, shapes }
}

/// As much of `text` as fits into so many columns.
fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= columns
    };
    format!("{}\u{2026}", text.chars().take_while(fits).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_holds_what_is_drawn_and_ends_at_round_values() {
        for values in [vec![52.0, 48_000.0], vec![1.0], vec![0.98, 1.02], vec![2.0, 5.0], vec![1e-9, 1e17]] {
            let axis = Axis::around(values.iter().copied());
            let places: Vec<f64> = values.iter().map(|value| axis.place(*value)).collect();
            assert!(places.iter().all(|x| (SIDE..=WIDTH - SIDE).contains(x)), "{values:?}: {places:?}");
            assert!(axis.from <= values[0] && axis.to >= values[values.len() - 1], "{} {}", axis.from, axis.to);
            let ticks = axis.ticks();
            assert!((2..=12).contains(&ticks.len()), "{values:?}: {ticks:?}");
        }
    }

    #[test]
    fn ticks_are_said_without_empty_figures() {
        let nanos = [100.0, 1e3, 2e4, 5e5, 1e6, 1e9].map(|n| tick_words(ReturnKind::Nanos, n));
        assert_eq!(nanos, ["100 ns", "1 µs", "20 µs", "500 µs", "1 ms", "1 s"]);
        let ratios = [0.05, 0.5, 1.0, 1_000.0].map(|n| tick_words(ReturnKind::Number, n));
        assert_eq!(ratios, ["0.05", "0.5", "1", "1,000"]);
        assert_eq!(tick_words(ReturnKind::Rate, 5e7), "50 MB/s");
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        assert_eq!(
            (cut("fork", 10), cut("a long name", 6), cut("线程与进程", 6)),
            ("fork".into(), "a lon…".into(), "线程…".into())
        );
    }

    #[test]
    fn an_inconclusive_ratio_is_hollow_and_the_line_at_one_is_drawn() {
        let point =
            |value: f64, open| Point { name: "a / b".into(), value, ends: Some((0.9, 1.3)), said: String::new(), open };
        let chart = Intervals::chart("t", ReturnKind::Number, Some(1.0), vec![point(1.1, true), point(1.2, false)])
            .expect("two");
        let shapes = draw(&chart).shapes;
        let dots: Vec<_> = shapes
            .iter()
            .filter_map(|s| if let Shape::Circle { class, .. } = s { Some(*class) } else { None })
            .collect();
        assert_eq!(dots, ["dot open", "dot"]);
        assert!(shapes.iter().any(|s| matches!(s, Shape::Line { class: "against", .. })));
    }

    #[test]
    fn parts_fill_the_bar_and_all_are_named() {
        let parts = vec![("a".to_owned(), 3), ("b".to_owned(), 0), ("c".to_owned(), 1)];
        let drawing = draw(&Counts::chart("t", parts).expect("four"));
        let bars: Vec<_> = drawing
            .shapes
            .iter()
            .filter_map(|s| if let Shape::Box { y: 6.0, width, .. } = s { Some(*width) } else { None })
            .collect();
        assert_eq!(bars, [285.0, 95.0]);
        let names = drawing.shapes.iter().filter(|s| matches!(s, Shape::Words { class: "name", .. })).count();
        assert_eq!(names, 3);
    }
}
