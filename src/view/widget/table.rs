//! A table of rows that a demo told. Where it is too wide, each row is a heading with a line for each of its values.

use super::Rows;
use crate::fact::{ColumnSpec, ReturnKind, Row, TableSpec, Tally, clean_line};
use crate::view::put::{cut, put_line, put_right, width};
use crate::view::text::{Piece, wrap};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;
use serde_json::Value;

/// One table.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// The totals that hold the rows.
    pub tally: &'a Tally,
    /// Which table, and its columns.
    pub spec: &'a TableSpec,
    /// How it looks.
    pub theme: &'a Theme,
}

/// Columns that the last column must have at least, unless it is narrower, or the table is told line by line.
const LEAST: usize = 16;
/// Columns between two columns.
const APART: usize = 2;

/// The places of the columns: of the rows' names, and of each column but the last, with its width.
struct Places {
    columns: Vec<(u16, u16)>,
    last: u16,
}

impl Table<'_> {
    fn cell(column: &ColumnSpec, row: &Row) -> String {
        row.values.get(column.value).filter(|v| !v.is_null()).map_or_else(|| "–".to_owned(), |v| show(column, v))
    }

    /// Where the columns stand, if they all fit.
    fn places(&self, wide: u16) -> Option<Places> {
        let rows = self.tally.table(self.spec.name);
        let names = rows.iter().map(|r| width(&clean_line(&r.name))).max()?.max(width(self.spec.head));
        let mut x = names + APART;
        let (last, others) = self.spec.columns.split_last()?;
        let widest = rows.iter().map(|r| width(&Self::cell(last, r))).max()?.max(width(last.head));
        let mut columns = Vec::new();
        for column in others {
            let cells = rows.iter().map(|r| width(&Self::cell(column, r))).max().unwrap_or(0);
            let cells = cells.max(width(column.head));
            columns.push((u16::try_from(x).ok()?, u16::try_from(cells).ok()?));
            x += cells + APART;
        }
        (x + LEAST.min(widest) <= usize::from(wide)).then_some(Places { columns, last: u16::try_from(x).ok()? })
    }

    /// The whole table as lines, each a list of what stands at which column.
    fn lines(&self, wide: u16) -> Vec<Vec<(u16, Line<'static>)>> {
        let rows = self.tally.table(self.spec.name);
        if rows.is_empty() {
            return vec![vec![(0, self.line("Nothing has happened yet.", Role::Dim))]];
        }
        match (self.places(wide), self.spec.columns.split_last()) {
            (Some(places), Some((last, others))) => {
                let mut lines = vec![self.heads(&places, others, last)];
                rows.iter().for_each(|row| lines.extend(self.row(&places, others, last, row, wide)));
                lines
            }
            _ => rows.iter().flat_map(|row| self.stacked(row, wide)).collect(),
        }
    }

    fn line(&self, words: &str, role: Role) -> Line<'static> {
        Line::styled(words.to_owned(), self.theme.style(role))
    }

    fn heads(&self, places: &Places, others: &[ColumnSpec], last: &ColumnSpec) -> Vec<(u16, Line<'static>)> {
        let mut line = vec![(0, self.line(self.spec.head, Role::Dim))];
        for (column, place) in others.iter().zip(&places.columns) {
            line.push((at(column, *place, column.head), self.line(column.head, Role::Dim)));
        }
        line.push((places.last, self.line(last.head, Role::Dim)));
        line
    }

    fn row(
        &self,
        places: &Places,
        others: &[ColumnSpec],
        last: &ColumnSpec,
        row: &Row,
        wide: u16,
    ) -> Vec<Vec<(u16, Line<'static>)>> {
        let mut first = vec![(0, self.line(&clean_line(&row.name), Role::Strong))];
        for (column, place) in others.iter().zip(&places.columns) {
            let cell = Self::cell(column, row);
            first.push((at(column, *place, &cell), self.line(&cell, Role::Text)));
        }
        let room = usize::from(wide.saturating_sub(places.last));
        let mut wrapped = wrap(&[Piece::new(Self::cell(last, row), self.theme.style(Role::Text))], room).into_iter();
        first.extend(wrapped.next().map(|line| (places.last, line)));
        std::iter::once(first).chain(wrapped.map(|line| vec![(places.last, line)])).collect()
    }

    fn stacked(&self, row: &Row, wide: u16) -> Vec<Vec<(u16, Line<'static>)>> {
        let mut lines = vec![vec![(0, self.line(&clean_line(&row.name), Role::Strong))]];
        for column in self.spec.columns.iter().filter(|c| row.values.get(c.value).is_some_and(|v| !v.is_null())) {
            let pieces = [
                Piece::new(format!("{}: ", column.head), self.theme.style(Role::Dim)),
                Piece::new(Self::cell(column, row), self.theme.style(Role::Text)),
            ];
            let room = usize::from(wide.saturating_sub(2)).max(1);
            lines.extend(wrap(&pieces, room).into_iter().map(|line| vec![(2, line)]));
        }
        lines
    }
}

/// Numbers end where their column ends, words begin where it begins.
fn at(column: &ColumnSpec, (x, wide): (u16, u16), cell: &str) -> u16 {
    match column.kind {
        ReturnKind::Word | ReturnKind::Flag | ReturnKind::List | ReturnKind::Table => x,
        _ => (x + wide).saturating_sub(u16::try_from(width(cell)).unwrap_or(wide)),
    }
}

fn show(column: &ColumnSpec, value: &Value) -> String {
    column.kind.show(value)
}

impl Rows for Table<'_> {
    /// Rows that it needs at least, and likes at this width.
    fn rows(&self, wide: u16, _: u16) -> (u16, u16) {
        let all = u16::try_from(self.lines(wide).len()).unwrap_or(u16::MAX).max(3);
        (all, all)
    }
}

impl Widget for &Table<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let lines = self.lines(area.width);
        let high = usize::from(area.height);
        let hidden = lines.len().saturating_sub(high);
        for (line, y) in lines.iter().zip(0..area.height) {
            for (x, words) in line {
                put_line(buf, area, *x, y, words);
            }
        }
        if hidden > 0 {
            let more = cut(&format!("↓ {hidden} more"), usize::from(area.width)).into_owned();
            put_right(buf, area, area.width, area.height - 1, &more, self.theme.style(Role::Dim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Values};
    use crate::view::widget::fixture::{any_size, shown};
    use insta::assert_snapshot;
    use serde_json::json;

    static SPEC: TableSpec = TableSpec {
        name: "tries",
        head: "tried",
        columns: &[
            ColumnSpec { value: "outcome", head: "outcome", kind: ReturnKind::Word },
            ColumnSpec { value: "after", head: "after", kind: ReturnKind::Nanos },
            ColumnSpec { value: "by", head: "what stopped it", kind: ReturnKind::Word },
        ],
    };

    fn tally() -> Tally {
        let mut tally = Tally::default();
        let row = |name: &str, values: serde_json::Value| Row {
            name: name.into(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: serde_json::from_value::<Values>(values).expect("an object"),
        };
        let rows = vec![
            row("null pointer", json!({"outcome": "SIGSEGV", "after": 81_000, "by": "the MMU: no page at 0x0"})),
            row(
                "a stranger's memory",
                json!({"outcome": "EPERM", "by": "the kernel, which asked whether we may trace process 1, and we may not"}),
            ),
            row("to come", json!({})),
        ];
        tally.tables.insert("tries".into(), rows);
        tally
    }

    #[test]
    fn a_wide_table_has_columns_and_wraps_the_last() {
        let (theme, tally) = (Theme::default(), tally());
        assert_snapshot!(shown(&Table { tally: &tally, spec: &SPEC, theme: &theme }, 72, 7));
    }

    #[test]
    fn a_narrow_one_is_told_line_by_line() {
        let (theme, tally) = (Theme::default(), tally());
        assert_snapshot!(shown(&Table { tally: &tally, spec: &SPEC, theme: &theme }, 38, 10));
    }

    #[test]
    fn of_too_many_rows_the_first_are_shown() {
        let (theme, tally) = (Theme::default(), tally());
        assert_snapshot!(shown(&Table { tally: &tally, spec: &SPEC, theme: &theme }, 72, 3));
    }

    #[test]
    fn any_size_is_drawn_within_it() {
        let (theme, tally) = (Theme::default(), tally());
        any_size(|w, h| shown(&Table { tally: &tally, spec: &SPEC, theme: &theme }, w, h));
        let nothing = Tally::default();
        any_size(|w, h| shown(&Table { tally: &nothing, spec: &SPEC, theme: &theme }, w, h));
        assert_eq!(shown(&Table { tally: &nothing, spec: &SPEC, theme: &theme }, 40, 1), "Nothing has happened yet.\n");
    }
}
