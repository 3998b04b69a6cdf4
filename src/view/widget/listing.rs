//! A program that several workers go through: its lines, a cursor with each worker's letter at the line that it runs next, the
//! registers of each, memory, and the last step in words. Where there is no room beside the program, registers stand below it.

use super::Rows;
use crate::fact::{ListingSpec, Row, Tally, TaskTally, clean_line, thousands};
use crate::view::put::{put_line, width};
use crate::view::text::{Piece, wrap};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use serde_json::Value;

/// One program and those who are in it.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// The totals that hold the rows.
    pub tally: &'a Tally,
    /// Which table, and the program's lines.
    pub spec: &'a ListingSpec,
    /// How it looks.
    pub theme: &'a Theme,
}

/// A line, as what stands at which column.
type Placed = Vec<(u16, Line<'static>)>;

/// Columns of a worker's registers, beside those of the next.
const REGISTERS: usize = 16;
/// Columns of a cursor: letter, arrow, a space.
const CURSOR: usize = 3;
/// The rows that are no worker's.
const MEMORY: &str = "memory";
const LAST: &str = "last";
/// Values of a worker's row that are no register.
const PLACE: [&str; 2] = ["at", "round"];
/// What stands below the last line.
const THROUGH: &str = "(through)";

impl Listing<'_> {
    fn row(&self, name: &str) -> Option<&Row> {
        self.tally.table(self.spec.table).iter().find(|row| row.name == name)
    }

    /// The workers that are in the program, each with its row.
    fn workers(&self) -> Vec<(&TaskTally, &Row)> {
        self.tally.workers().filter_map(|worker| Some((worker, self.row(&worker.name)?))).collect()
    }

    fn span(&self, words: impl Into<String>, role: Role) -> Span<'static> {
        Span::styled(words.into(), self.theme.style(role))
    }

    /// The program with its cursors: a heading, each line, and the end.
    fn program(&self, workers: &[(&TaskTally, &Row)]) -> Vec<Line<'static>> {
        let cursors = workers.len().max(1) * CURSOR;
        let ends = std::iter::once(&THROUGH);
        let mut lines = vec![Line::from(self.span(" ".repeat(cursors) + "  the program of each", Role::Dim))];
        for (text, number) in self.spec.lines.iter().chain(ends).zip(1_u64..) {
            let through = number > self.spec.lines.len() as u64;
            let mut spans = Vec::new();
            let mut here = false;
            for (worker, row) in workers {
                let at = row.values.get("at").and_then(Value::as_u64);
                here |= at == Some(number);
                let mark = if at == Some(number) { format!("{}▸", clean_line(&worker.name)) } else { String::new() };
                let pad = " ".repeat(CURSOR.saturating_sub(width(&mark)));
                spans.push(Span::styled(mark, self.theme.worker(worker.slot).ink));
                spans.push(Span::raw(pad));
            }
            if workers.is_empty() {
                spans.push(Span::raw(" ".repeat(CURSOR)));
            }
            let role = if here && !through { Role::Strong } else { Role::Dim };
            let number = if through { " ".to_owned() } else { number.to_string() };
            spans.push(self.span(format!("{number} "), Role::Dim));
            spans.push(self.span(*text, role));
            lines.push(Line::from(spans));
        }
        lines
    }

    /// What a worker has: its letter, which round it is in, its registers.
    fn registers(&self, worker: &TaskTally, row: &Row) -> Vec<Line<'static>> {
        let look = self.theme.worker(worker.slot);
        let name = Span::styled(format!(" {} ", clean_line(&worker.name)), look.fill);
        let pattern = Span::styled(look.pattern.repeat(2), look.ink);
        let mut lines = vec![Line::from(vec![name, pattern])];
        if let Some(round) = row.values.get("round") {
            lines.push(Line::from(self.span(shown(round), Role::Dim)));
        }
        let registers = row.values.iter().filter(|(name, _)| !PLACE.contains(&name.as_str()));
        lines.extend(registers.map(|(name, value)| self.cell(name, value)));
        lines
    }

    /// "r = 1", the value standing out.
    fn cell(&self, name: &str, value: &Value) -> Line<'static> {
        Line::from(vec![
            self.span(format!("{} = ", clean_line(name)), Role::Text),
            self.span(shown(value), Role::Strong),
        ])
    }

    /// Memory, word by word in one line.
    fn memory(&self) -> Line<'static> {
        let mut spans = vec![self.span("memory  ", Role::Accent)];
        for (name, value) in self.row(MEMORY).iter().flat_map(|row| &row.values) {
            spans.extend(self.cell(name, value).spans);
            spans.push(Span::raw("  "));
        }
        Line::from(spans)
    }

    /// The last step, and in which order they went.
    fn words(&self, wide: u16) -> Vec<Placed> {
        let Some(last) = self.row(LAST) else { return Vec::new() };
        let word = |name: &str| last.values.get(name).and_then(Value::as_str).map(clean_line);
        let text = self.theme.style(Role::Text);
        let mut lines = Vec::new();
        if let Some(words) = word("words") {
            lines.extend(wrap(&[Piece::new(words, text)], usize::from(wide).max(1)));
        }
        if let Some(order) = word("order").filter(|order| !order.is_empty()) {
            let pieces =
                [Piece::new("order so far: ".to_owned(), self.theme.style(Role::Dim)), Piece::new(order, text)];
            lines.extend(wrap(&pieces, usize::from(wide).max(1)));
        }
        lines.into_iter().map(|line| vec![(0, line)]).collect()
    }

    fn lines(&self, wide: u16) -> Vec<Placed> {
        let workers = self.workers();
        if workers.is_empty() {
            return vec![vec![(0, Line::from(self.span("Nobody is in the program yet.", Role::Dim)))]];
        }
        let program = self.program(&workers);
        let beside = program.iter().map(Line::width).max().unwrap_or(0) + 3;
        let columns: Vec<_> = workers.iter().map(|(worker, row)| self.registers(worker, row)).collect();
        let fits = beside + columns.len() * REGISTERS <= usize::from(wide);
        let column = |n: usize| u16::try_from(beside + n * REGISTERS).unwrap_or(u16::MAX);
        let mut lines: Vec<Placed> = program.into_iter().map(|line| vec![(0, line)]).collect();
        if fits {
            let high = columns.iter().map(Vec::len).max().unwrap_or(0).max(lines.len() - 1);
            lines.resize(lines.len().max(high + 1), Vec::new());
            for (cells, n) in columns.into_iter().zip(0..) {
                lines.iter_mut().zip(cells).for_each(|(line, cell)| line.push((column(n), cell)));
            }
            lines[high].push((column(0), self.memory()));
        } else {
            for cells in columns {
                let apart = |mut line: Line<'static>| {
                    line.spans.push(Span::raw("  "));
                    line.spans
                };
                lines.push(vec![(0, Line::from(cells.into_iter().flat_map(apart).collect::<Vec<_>>()))]);
            }
            lines.push(vec![(0, self.memory())]);
        }
        lines.extend(self.words(wide));
        lines
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Number(n) => n.as_u64().map_or_else(|| n.to_string(), thousands),
        Value::String(words) => clean_line(words),
        Value::Null => "–".to_owned(),
        other => clean_line(&other.to_string()),
    }
}

impl Rows for Listing<'_> {
    /// Rows that it needs at least, and likes at this width; none while nobody is in the program.
    fn rows(&self, wide: u16, _: u16) -> (u16, u16) {
        if self.workers().is_empty() {
            return (0, 0);
        }
        let liked = u16::try_from(self.lines(wide).len()).unwrap_or(u16::MAX);
        (liked, liked)
    }
}

impl Widget for &Listing<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        for (line, y) in self.lines(area.width).iter().zip(0..area.height) {
            for (x, words) in line {
                put_line(buf, area, *x, y, words);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Pid, Tid};
    use crate::view::widget::fixture::{any_size, shown as drawn};
    use insta::assert_snapshot;
    use serde_json::json;

    static SPEC: ListingSpec = ListingSpec {
        name: "program",
        table: "program",
        lines: &["load  r, [counter]", "add   r, 1", "store [counter], r"],
    };

    fn tally(rows: &[(&str, Value)]) -> Tally {
        let mut tally = Tally::default();
        for (slot, name) in (0..).zip(["A", "B"]) {
            let mut task = TaskTally::new(Tid(101 + u32::from(slot)), Pid(100), Nanos::ZERO);
            (task.name, task.slot) = (name.to_owned(), Some(slot));
            tally.tasks.push(task);
        }
        tally.put_table(SPEC.table, rows);
        tally
    }

    fn midway() -> Tally {
        tally(&[
            ("A", json!({"at": 2, "round": "round 1 of 2", "r": 0})),
            ("B", json!({"at": 4, "round": "through", "r": 2})),
            ("memory", json!({"counter": 2})),
            ("last", json!({"words": "B stored 2. Memory held 1, and holds 2 now.", "order": "A B B B B B B"})),
        ])
    }

    fn show(tally: &Tally, width: u16, height: u16) -> String {
        drawn(&Listing { tally, spec: &SPEC, theme: &Theme::default() }, width, height)
    }

    #[test]
    fn cursors_registers_and_memory_stand_beside_the_program() {
        assert_snapshot!(show(&midway(), 76, 8));
    }

    #[test]
    fn where_it_is_narrow_registers_stand_below() {
        assert_snapshot!(show(&midway(), 44, 12));
    }

    #[test]
    fn two_at_one_line_have_a_cursor_each_and_what_was_not_loaded_is_a_dash() {
        let tally = tally(&[("A", json!({"at": 1, "r": null})), ("B", json!({"at": 1, "r": null}))]);
        let text = show(&tally, 76, 6);
        assert!(text.contains("A▸ B▸ 1 load"), "{text}");
        assert!(text.contains("r = –"), "{text}");
    }

    #[test]
    fn nobody_in_it_is_said() {
        assert_eq!(show(&Tally::default(), 40, 1), "Nobody is in the program yet.\n");
    }

    #[test]
    fn any_size_is_drawn_within_it() {
        let tally = midway();
        any_size(|w, h| show(&tally, w, h));
    }
}
