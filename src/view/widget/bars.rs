//! Figures that were measured, a bar each on one axis, with a whisker from end to end of the interval in which the true value
//! lies. What cannot be measured here has its reason in the bar's place.

mod axis;

use super::Rows;
use crate::fact::{BarsSpec, Row, Tally, clean_line};
use crate::view::put::{cut, put, put_right, width};
use crate::view::theme::{Role, Theme};
use axis::Axis;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use serde_json::{Value, json};

/// The bars of one picture.
#[derive(Debug, Clone, Copy)]
pub struct Bars<'a> {
    /// The totals that hold the rows.
    pub tally: &'a Tally,
    /// Which rows, and what they are.
    pub spec: &'a BarsSpec,
    /// How it looks.
    pub theme: &'a Theme,
}

/// Columns that a bar has at least, or it is left out.
const LEAST: u16 = 12;
/// Columns between two columns.
const APART: u16 = 2;
/// Of a whole width, what a name may take.
const NAMES: u16 = 3;

/// A row as it is drawn.
struct Bar {
    name: String,
    what: What,
}

/// What there is to be drawn of it.
enum What {
    /// Nothing yet.
    ToCome,
    /// It cannot be measured here.
    Missing(String),
    /// A figure, and the ends of its interval once there is one.
    Figure(f64, Option<(f64, f64)>),
}

/// Where things stand in a line.
struct Places {
    names: u16,
    /// First column, and how many.
    bars: Option<(u16, u16)>,
    /// Where the figures end.
    figures: u16,
    /// Where the intervals end.
    intervals: Option<u16>,
}

impl Bars<'_> {
    fn bar(&self, row: &Row) -> Bar {
        let number = |name: &str| row.values.get(name).and_then(Value::as_f64).filter(|n| n.is_finite());
        let what = match (number(self.spec.value), row.values.get(self.spec.why).and_then(Value::as_str)) {
            (Some(value), _) => What::Figure(value, number(self.spec.low).zip(number(self.spec.high))),
            (None, Some(why)) => What::Missing(clean_line(why)),
            (None, None) => What::ToCome,
        };
        Bar { name: clean_line(&row.name), what }
    }

    fn note(&self) -> Option<String> {
        self.tally.table(self.spec.table).first()?.values.get(self.spec.note)?.as_str().map(clean_line)
    }

    /// The line below the bars: what holds for all, where it has not been said, and what a whisker means, in as many words
    /// as there is room for.
    fn words(&self, bars: &[Bar], noted: bool, wide: u16) -> String {
        let note = self.note().filter(|_| !noted).map(|note| format!("{note}. ")).unwrap_or_default();
        if !bars.iter().any(|bar| matches!(bar.what, What::Figure(_, Some(_)))) {
            return note;
        }
        let means = ["95 % interval of the median of this run", "95 % interval of the median", "95 %"];
        let lines = means.map(|means| format!("{note}├─┤ {means}"));
        lines.into_iter().find(|line| width(line) <= usize::from(wide)).unwrap_or(note)
    }

    fn show(&self, value: f64) -> String {
        self.spec.kind.show(&json!(value))
    }

    fn figure(&self, bar: &Bar) -> String {
        if let What::Figure(value, _) = &bar.what { self.show(*value) } else { String::new() }
    }

    /// "2.51 .. 2.60 µs": the unit once, where both ends have the same.
    fn interval(&self, bar: &Bar) -> String {
        let What::Figure(_, Some((low, high))) = &bar.what else { return String::new() };
        let (low, high) = (self.show(*low), self.show(*high));
        match (low.split_once(' '), high.split_once(' ')) {
            (Some((number, unit)), Some((_, same))) if unit == same => format!("{number} .. {high}"),
            _ => format!("{low} .. {high}"),
        }
    }

    fn places(&self, bars: &[Bar], wide: u16) -> Places {
        let names = widest(bars.iter().map(|bar| bar.name.clone())).min(wide / NAMES);
        let figures = widest(bars.iter().map(|bar| self.figure(bar)));
        let intervals = widest(bars.iter().map(|bar| self.interval(bar)));
        let from = names + APART;
        let room = |right: u16| wide.saturating_sub(from).saturating_sub(right).saturating_sub(APART);
        // Without room for all three, the figure is worth more than the bar, and the bar more than its ends in words.
        let both = figures + APART + intervals;
        let shown = intervals > 0 && room(both) >= LEAST * 2;
        let right = if shown { both } else { figures };
        let bar = (room(right) >= LEAST).then(|| (from, room(right)));
        let end = bar.map_or(from + figures, |(from, bar)| from + bar + APART + figures).min(wide);
        Places { names, bars: bar, figures: end, intervals: shown.then_some(wide) }
    }

    /// The axis above the bars, and at the right what the figures are, or how many are not shown; and
    /// what holds for all, if there is room. Whether there was.
    fn put_head(&self, buf: &mut Buffer, line: Rect, axis: Option<&Axis>, places: &Places, hidden: usize) -> bool {
        let dim = self.theme.style(Role::Dim);
        let mut free = 0;
        if let (Some(axis), Some((from, wide))) = (axis, places.bars) {
            for (at, words) in axis.ticks(self.spec.kind, wide) {
                free = put(buf, line, from + at, 0, &words, dim) + APART;
            }
        }
        let room = usize::from(line.width.saturating_sub(free));
        let words = if hidden > 0 { format!("and {hidden} more") } else { self.spec.head.to_owned() };
        let noted = self.note().map(|note| format!("{words}, {note}")).filter(|noted| width(noted) <= room);
        let all = noted.is_some();
        put_right(buf, line, line.width, 0, &cut(&noted.unwrap_or(words), room), dim);
        all
    }

    fn put_bar(&self, buf: &mut Buffer, line: Rect, bar: &Bar, axis: Option<&Axis>, places: &Places) {
        let (text, dim) = (self.theme.style(Role::Text), self.theme.style(Role::Dim));
        put(buf, line, 0, 0, &cut(&bar.name, places.names.into()), self.theme.style(Role::Strong));
        let after = places.names + APART;
        let (value, interval) = match &bar.what {
            What::ToCome => {
                put(buf, line, after, 0, "to be measured", dim);
                return;
            }
            What::Missing(why) => {
                put(buf, line, after, 0, why, self.theme.style(Role::Warning));
                return;
            }
            What::Figure(value, interval) => (*value, interval),
        };
        put_right(buf, line, places.figures, 0, &self.figure(bar), text);
        if let Some(end) = places.intervals {
            put_right(buf, line, end, 0, &self.interval(bar), dim);
        }
        let (Some(axis), Some((from, wide))) = (axis, places.bars) else { return };
        let filled = "█".repeat(axis.column(value, wide).into());
        put(buf, line, from, 0, &filled, self.theme.style(Role::Accent));
        let Some((low, high)) = interval else { return };
        // An end is drawn in the column before the edge at which it lies.
        let at = |value: f64| axis.column(value, wide).saturating_sub(1);
        let (low, median, high) = (at(*low), at(value), at(*high));
        let strong = self.theme.style(Role::Strong);
        for column in low..=high {
            let sign = match column {
                _ if low == high => "┃",
                _ if column == low => "├",
                _ if column == high => "┤",
                _ if column == median => "┼",
                _ => "─",
            };
            put(buf, line, from + column, 0, sign, strong);
        }
    }
}

fn widest(texts: impl Iterator<Item = String>) -> u16 {
    u16::try_from(texts.map(|t| width(&t)).max().unwrap_or(0)).unwrap_or(u16::MAX / 8).min(u16::MAX / 8)
}

impl Rows for Bars<'_> {
    /// Rows that it needs at least, and likes: one for the axis, one a row, one for the words.
    fn rows(&self, _: u16, _: u16) -> (u16, u16) {
        let rows = u16::try_from(self.tally.table(self.spec.table).len()).unwrap_or(u16::MAX);
        (rows.saturating_add(1).max(3), rows.saturating_add(2).max(3))
    }
}

impl Widget for &Bars<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let dim = self.theme.style(Role::Dim);
        let bars: Vec<Bar> = self.tally.table(self.spec.table).iter().map(|row| self.bar(row)).collect();
        if bars.is_empty() {
            put(buf, area, 0, 0, "Nothing has been measured yet.", dim);
            return;
        }
        let values = bars.iter().filter_map(|bar| match &bar.what {
            What::Figure(value, interval) => Some([Some(*value), interval.map(|i| i.0), interval.map(|i| i.1)]),
            What::ToCome | What::Missing(_) => None,
        });
        let axis = Axis::of(self.spec.scale, values.flatten().flatten());
        let places = self.places(&bars, area.width);
        let line = |y: u16| Rect { y: area.y + y, height: 1, ..area };
        // With one row it is the first bar's; the axis comes with the second.
        let head = u16::from(area.height > 1);
        let room = area.height - head;
        let hidden = bars.len().saturating_sub(room.into());
        let noted = head > 0 && self.put_head(buf, line(0), axis.as_ref(), &places, hidden);
        for (bar, y) in bars.iter().zip(head..area.height) {
            self.put_bar(buf, line(y), bar, axis.as_ref(), &places);
        }
        if usize::from(room) > bars.len() && places.bars.is_some() {
            put(buf, line(area.height - 1), 0, 0, &self.words(&bars, noted, area.width), dim);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{ReturnKind, Scale};
    use crate::view::widget::fixture::{any_size, shown};
    use insta::assert_snapshot;

    const SPEC: BarsSpec = BarsSpec {
        name: "ladder",
        table: "ways",
        head: "one way",
        value: "ns",
        low: "low",
        high: "high",
        why: "why",
        note: "place",
        kind: ReturnKind::Nanos,
        scale: Scale::Logarithmic,
    };

    fn tally(rows: &[(&str, Value)]) -> Tally {
        let mut tally = Tally::default();
        tally.put_table("ways", rows);
        tally
    }

    fn ladder() -> Tally {
        tally(&[
            ("pipe", json!({"place": "both on CPU 1", "ns": 2_555.0, "low": 2_510.0, "high": 2_600.0})),
            ("tcp", json!({"ns": 6_850.0, "low": 5_100.0, "high": 11_900.0})),
            ("mqueue", json!({"why": "no mqueue: ENOSYS"})),
            ("spin", json!({"ns": 52.0})),
            ("rpc", json!({})),
        ])
    }

    fn drawn(tally: &Tally, spec: &BarsSpec, width: u16, height: u16) -> String {
        shown(&Bars { tally, spec, theme: &Theme::default() }, width, height)
    }

    #[test]
    fn bars_stand_on_decades_with_whiskers_and_figures() {
        let ladder = ladder();
        let sizes = [(78, 7), (120, 6), (58, 6), (48, 7), (24, 4), (78, 3), (78, 1)];
        let all: Vec<String> = sizes.map(|(w, h)| drawn(&ladder, &SPEC, w, h)).into();
        assert_snapshot!(all.join("----\n"));
    }

    #[test]
    fn a_linear_axis_begins_at_nothing() {
        let spec = BarsSpec { kind: ReturnKind::Number, scale: Scale::Linear, head: "times", ..SPEC };
        let tally = tally(&[("none", json!({"ns": 0.0})), ("twice", json!({"ns": 2.0, "low": 1.8, "high": 2.3}))]);
        assert_snapshot!(drawn(&tally, &spec, 70, 4));
    }

    #[test]
    fn what_is_not_there_says_why_in_the_bars_place() {
        let seen = drawn(&ladder(), &SPEC, 78, 8);
        let line = |name: &str| seen.lines().find(|l| l.starts_with(name)).expect(name).to_owned();
        assert!(line("mqueue").contains("ENOSYS") && !line("mqueue").contains('█'), "{seen}");
        assert!(line("rpc").contains("to be measured"), "{seen}");
        assert!(line("spin").contains('█') && !line("spin").contains('┤'), "no interval is known: {seen}");
        assert_eq!(drawn(&Tally::default(), &SPEC, 40, 1), "Nothing has been measured yet.\n");
    }

    #[test]
    fn any_size_and_any_values_are_safe() {
        let ladder = ladder();
        any_size(|w, h| drawn(&ladder, &SPEC, w, h));
        let odd = tally(&[
            ("a", json!({"ns": -5.0, "low": 1e300, "high": 0.0})),
            ("线程线程线程线程线程线程", json!({"ns": 1e-300, "low": 9.0, "high": 2.0})),
            ("c", json!({"ns": "x", "why": "w".repeat(500)})),
        ]);
        any_size(|w, h| drawn(&odd, &SPEC, w, h));
        any_size(|w, h| drawn(&odd, &BarsSpec { scale: Scale::Linear, ..SPEC }, w, h));
    }
}
