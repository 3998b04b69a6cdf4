//! How often each thing happened: a bar for each, its count, and a word where there is one to say. Neighbours share a bar where
//! there are more of them than rows, so that all are counted at every size.

use super::Rows;
use crate::fact::{CountsSpec, Row, Tally, clean_line, thousands};
use crate::view::put::{cut, put, put_right, width};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

/// The counts of one table.
#[derive(Debug, Clone, Copy)]
pub struct Counts<'a> {
    /// The totals that hold the rows.
    pub tally: &'a Tally,
    /// Which table, and what is counted.
    pub spec: &'a CountsSpec,
    /// How it looks.
    pub theme: &'a Theme,
}

/// One bar: what it is of, how many, and what is to be said of it.
struct Bar {
    name: String,
    count: u64,
    note: Option<String>,
}

/// The parts of a column, an eighth each.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

impl Counts<'_> {
    /// The rows as they stand, from the top.
    fn sorted(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.tally.table(self.spec.table).iter().collect();
        // Without a number all are equal, and the sort keeps their order.
        let at = |row: &Row| row.values.get("at").and_then(serde_json::Value::as_f64).unwrap_or(f64::INFINITY);
        rows.sort_by(|a, b| at(a).total_cmp(&at(b)));
        rows
    }

    /// At most `most` bars. One that has something to be said of it has its bar to itself, as long as there are bars.
    fn bars(&self, most: usize) -> Vec<Bar> {
        let rows = self.sorted();
        let of = |row: &&Row| Bar {
            name: clean_line(&row.name),
            count: row.values.get(self.spec.count).and_then(serde_json::Value::as_u64).unwrap_or(0),
            note: row.values.get("note").and_then(serde_json::Value::as_str).map(clean_line),
        };
        let bars: Vec<Bar> = rows.iter().map(of).collect();
        (1..=bars.len()).map(|size| merged(&bars, size)).find(|bars| bars.len() <= most).unwrap_or_default()
    }
}

/// `bars`, up to `size` neighbours in one; what has a note stays alone unless all are to be one.
fn merged(bars: &[Bar], size: usize) -> Vec<Bar> {
    let mut out: Vec<(Bar, usize)> = Vec::new();
    for bar in bars {
        let all = size == bars.len();
        match out.last_mut() {
            Some((last, held)) if all || (*held < size && last.note.is_none() && bar.note.is_none()) => {
                last.name = format!("{} – {}", last.name.split(" – ").next().unwrap_or_default(), end(&bar.name));
                last.count = last.count.saturating_add(bar.count);
                *held += 1;
            }
            _ => out.push((Bar { name: bar.name.clone(), count: bar.count, note: bar.note.clone() }, 1)),
        }
    }
    out.into_iter().map(|(bar, _)| bar).collect()
}

/// The end of a range's name, or the name.
fn end(name: &str) -> &str {
    name.rsplit(" – ").next().unwrap_or(name)
}

/// A bar of `eighths` eighths of a column.
fn bar(eighths: u64) -> String {
    let whole = "█".repeat(usize::try_from(eighths / 8).unwrap_or(0));
    whole + EIGHTHS[usize::try_from(eighths % 8).unwrap_or(0)]
}

impl Rows for Counts<'_> {
    /// Rows that it needs at least, and likes where `left` are left; none before anything was counted.
    fn rows(&self, _: u16, left: u16) -> (u16, u16) {
        match u16::try_from(self.tally.table(self.spec.table).len()).unwrap_or(u16::MAX) {
            0 => (0, 0),
            all => (4, all.saturating_add(1).clamp(4, left.max(4))),
        }
    }
}

impl Widget for &Counts<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let (text, dim) = (self.theme.style(Role::Text), self.theme.style(Role::Dim));
        let head = u16::from(area.height >= 3);
        let bars = self.bars(usize::from(area.height - head));
        if bars.is_empty() {
            put(buf, area, 0, 0, "Nothing has been counted yet.", dim);
            return;
        }
        let wide = |columns: usize| u16::try_from(columns).unwrap_or(u16::MAX);
        let names = bars.iter().map(|bar| width(&bar.name)).max().unwrap_or(0).max(width(self.spec.head));
        let counts = bars.iter().map(|bar| width(&thousands(bar.count))).max().unwrap_or(0).max(width(self.spec.of));
        let notes = bars.iter().filter_map(|bar| Some(width(bar.note.as_ref()?) + 4)).max().unwrap_or(0);
        let name_end = wide(names);
        let count_end = name_end.saturating_add(wide(counts + 2));
        if head > 0 {
            put_right(buf, area, name_end, 0, self.spec.head, dim);
            put_right(buf, area, count_end, 0, self.spec.of, dim);
        }
        let from = count_end.saturating_add(2);
        let room = u64::from(area.width.saturating_sub(from).saturating_sub(wide(notes)));
        let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
        for (one, y) in bars.iter().zip(head..) {
            if area.width < count_end {
                let line = format!("{}: {}", one.name, thousands(one.count));
                put(buf, area, 0, y, &cut(&line, area.width.into()), text);
                continue;
            }
            put_right(buf, area, name_end, y, &one.name, self.theme.style(Role::Strong));
            put_right(buf, area, count_end, y, &thousands(one.count), text);
            // What is there at all is seen.
            let eighths = (u128::from(one.count) * u128::from(room) * 8).div_ceil(u128::from(most));
            let eighths = u64::try_from(eighths).unwrap_or(0);
            let x = put(buf, area, from, y, &bar(eighths), self.theme.style(Role::Accent));
            if let Some(note) = &one.note {
                put(buf, area, x.saturating_add(1), y, &format!("◂ {note}"), text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Nanos;
    use crate::view::widget::fixture::{any_size, shown};
    use insta::assert_snapshot;
    use serde_json::json;

    static SPEC: CountsSpec =
        CountsSpec { name: "totals", table: "totals", head: "total", of: "trials", count: "trials" };

    fn tally(rows: &[(u64, u64)]) -> Tally {
        let mut tally = Tally::default();
        let row = |(at, trials): &(u64, u64)| Row {
            name: at.to_string(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: [("at", json!(at)), ("trials", json!(trials)), ("note", json!((*at == 20).then_some("right")))]
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
        };
        tally.tables.insert("totals".into(), rows.iter().map(row).collect());
        tally
    }

    fn drawn(tally: &Tally, width: u16, height: u16) -> String {
        shown(&Counts { tally, spec: &SPEC, theme: &Theme::default() }, width, height)
    }

    const SOME: [(u64, u64); 7] = [(20, 612), (13, 40), (12, 155), (10, 1), (14, 9), (15, 70), (19, 113)];

    #[test]
    fn bars_stand_in_the_order_of_what_they_count() {
        assert_snapshot!(drawn(&tally(&SOME), 60, 9));
    }

    #[test]
    fn neighbours_share_a_bar_where_rows_are_few_and_the_right_one_stays_alone() {
        assert_snapshot!(drawn(&tally(&SOME), 60, 4));
    }

    #[test]
    fn all_are_counted_at_every_height() {
        let tally = tally(&SOME);
        let counts = Counts { tally: &tally, spec: &SPEC, theme: &Theme::default() };
        for most in 1..10 {
            let bars = counts.bars(most);
            assert!((1..=most).contains(&bars.len()));
            assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 1000, "{most}");
        }
        assert_eq!(counts.bars(1)[0].name, "10 – 20");
    }

    #[test]
    fn nothing_counted_is_said() {
        assert_eq!(drawn(&Tally::default(), 40, 1), "Nothing has been counted yet.\n");
    }

    #[test]
    fn any_size_is_drawn_within_it() {
        let tally = tally(&[(20, u64::MAX), (1, 0), (7, 3)]);
        any_size(|w, h| drawn(&tally, w, h));
    }
}
