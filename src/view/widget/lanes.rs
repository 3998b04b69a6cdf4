//! Who ran when on each core, drawn as an oscilloscope draws: a head moves to the right, wraps, and erases a little
//! ahead of itself, so that a redraw changes a few cells a lane and never all of them.
//!
//! Columns are multiples of the column's width since the release, so a cell does not change once it is complete. What
//! stands right of the head is the sweep before; what is about to be erased has faded.

mod fold;
mod glyph;
mod words;

pub use words::describe_slice;

use crate::fact::{Cpu, Nanos};
use crate::scene::Scene;
use crate::scene::lanes::Cell;
use crate::view::put::{moment, paint, put, put_line, width as width_of};
use crate::view::text::{Piece, wrap};
use crate::view::theme::{Role, Theme};
use fold::Row;
use glyph::{BEFORE, Cast};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

/// Rows for scale and words that taller lanes leave: a second row of words is wanted less.
const WORDS: u16 = 2;

/// Columns ahead of the head that are blank.
const AHEAD: u64 = 2;

/// Which part of the run is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The run goes on: the head stands at `now`.
    Live {
        /// The moment that is drawn last.
        now: Nanos,
    },
    /// Paused or scrolled back: nothing moves.
    Frozen {
        /// The moment at the left edge; rounded down to a column.
        from: Nanos,
        /// The core and the moment that are pointed at.
        cursor: Option<(Cpu, Nanos)>,
    },
}

/// The lanes of a scene.
#[derive(Debug, Clone, Copy)]
pub struct Lanes<'a> {
    /// What is drawn.
    pub scene: &'a Scene,
    /// How it looks.
    pub theme: &'a Theme,
    /// The time that one column stands for: the zoom.
    pub column: Nanos,
    /// Which part is seen.
    pub window: Window,
    /// Rows that a core may have where there is room: 1 beside a text, more for the last row of a hall.
    pub tall: u16,
}

/// Where columns of time stand.
#[derive(Debug, Clone, Copy)]
struct Sweep {
    /// Columns that the lanes are wide.
    wide: u64,
    /// The first and the last column of time that are seen.
    first: u64,
    last: u64,
    /// The head's column of time; none while frozen.
    head: Option<u64>,
}

impl Sweep {
    fn x(&self, column: u64) -> u64 {
        if self.head.is_some() { column % self.wide } else { column - self.first }
    }

    fn faded(&self, column: u64) -> bool {
        self.head.is_some_and(|head| head - column > self.wide * 2 / 3)
    }
}

/// Cells of a core from a column of time on.
type Fetch<'a> = dyn Fn(Cpu, u64, usize) -> Vec<Cell> + 'a;

impl Lanes<'_> {
    /// How many columns of time are seen in `area`, for those that scroll.
    #[must_use]
    pub fn columns(&self, area: Rect) -> u16 {
        area.width.saturating_sub(self.label(area.width))
    }

    /// The core and the moment that are drawn at (`x`, `y`) of the screen, for the mouse.
    #[must_use]
    pub fn at(&self, area: Rect, x: u16, y: u16) -> Option<(Cpu, Nanos)> {
        self.find(area, self.scene.lanes.cpus(), x, y)
    }

    fn find(&self, area: Rect, cpus: &[Cpu], x: u16, y: u16) -> Option<(Cpu, Nanos)> {
        let (rows, below) = self.rows(area, cpus);
        let tall = self.tall(&rows, area.height.saturating_sub(below.min(WORDS)));
        let cpu = match rows.get(usize::from(y.checked_sub(area.y)? / tall))? {
            Row::One(cpu) | Row::Two(cpu, _) => *cpu,
            Row::Rest(_) | Row::Quiet(..) => return None,
        };
        let x = u64::from(x.checked_sub(area.x)?.checked_sub(self.label(area.width))?);
        let sweep = self.sweep(area)?;
        let column = (sweep.first..=sweep.last).find(|c| sweep.x(*c) == x)?;
        Some((cpu, Nanos(column.saturating_mul(self.column.0).saturating_add(self.column.0 / 2))))
    }

    /// Columns before the lanes: `core 0 ▏`, the word left out where it is narrow.
    fn label(&self, width: u16) -> u16 {
        let most = self.scene.lanes.cpus().iter().map(|c| c.0).max().unwrap_or(0);
        let digits = u16::try_from(most.to_string().len()).unwrap_or(2);
        if width < 30 { digits + 1 } else { digits + 7 }
    }

    fn sweep(&self, area: Rect) -> Option<Sweep> {
        let wide = u64::from(self.columns(area));
        if wide == 0 || self.column == Nanos::ZERO {
            return None;
        }
        Some(match self.window {
            Window::Live { now } => {
                let head = now.0 / self.column.0;
                let seen = wide.saturating_sub(AHEAD + 1).max(1);
                Sweep { wide, first: head.saturating_sub(seen - 1), last: head, head: Some(head) }
            }
            Window::Frozen { from, .. } => {
                let first = from.0 / self.column.0;
                Sweep { wide, first, last: first.saturating_add(wide - 1), head: None }
            }
        })
    }

    /// Rows of the screen for each of `rows` in a height of `room`.
    fn tall(&self, rows: &[Row], room: u16) -> u16 {
        let rows = u16::try_from(rows.len()).unwrap_or(u16::MAX).max(1);
        self.tall.min(room / rows).max(1)
    }

    fn draw(&self, area: Rect, buf: &mut Buffer, cpus: &[Cpu], fetch: &Fetch<'_>) {
        let area = area.intersection(buf.area);
        let Some(sweep) = self.sweep(area).filter(|_| !area.is_empty()) else { return };
        let label = self.label(area.width);
        let (rows, below) = self.rows(area, cpus);
        let lane = Rect { x: area.x + label, width: area.width - label, ..area };
        // A few columns more on the left tell whether a slice begins in the first.
        let from = sweep.first.saturating_sub(BEFORE as u64);
        let lead = usize::try_from(sweep.first - from).unwrap_or(0);
        let seen = usize::try_from(sweep.last - sweep.first + 1).unwrap_or(0);
        let cells = |cpu: Cpu| fetch(cpu, from, seen + lead);
        let drawn: Vec<(Row, Vec<Cell>, Vec<Cell>)> = rows
            .into_iter()
            .map(|row| match row {
                Row::One(cpu) => (row, cells(cpu), Vec::new()),
                Row::Two(a, b) => (row, cells(a), b.map(cells).unwrap_or_default()),
                Row::Rest(_) | Row::Quiet(..) => (row, Vec::new(), Vec::new()),
            })
            .collect();
        let cast = Cast::new(self.scene, self.theme, drawn.iter().flat_map(|(_, a, b)| a.iter().chain(b)));
        let mut crowded = 0;
        let tall = self.tall(&drawn.iter().map(|(row, ..)| *row).collect::<Vec<_>>(), area.height - below.min(WORDS));
        for ((row, upper, lower), y) in drawn.iter().zip((0..).step_by(tall.into())) {
            self.put_label(buf, area, (y, tall), *row);
            crowded = upper.iter().chain(lower).map(|c| c.switches).max().unwrap_or(0).max(crowded);
            if !row.is_lane() {
                continue;
            }
            for column in sweep.first..=sweep.last {
                let i = usize::try_from(column - from).unwrap_or(0);
                let before = upper.get(i.saturating_sub(BEFORE)..i).unwrap_or_default();
                let faded = sweep.faded(column);
                let (symbol, style) = match row {
                    Row::Two(..) => cast.half(upper.get(i), lower.get(i), faded),
                    _ if self.pointed(*row, column) => cast.pointed(upper.get(i)),
                    _ => cast.glyph(upper.get(i), before, column, faded),
                };
                let style = if self.pointed(*row, column) { self.theme.style(Role::Cursor) } else { style };
                set(buf, lane, sweep.x(column), y + tall / 2, symbol, style);
                // Above and below its letter a slice goes on.
                let (symbol, style) = match row {
                    _ if tall == 1 => continue,
                    Row::One(_) => cast.texture(upper.get(i), faded),
                    _ => (symbol, style),
                };
                for y in (y..y + tall).filter(|row| *row != y + tall / 2) {
                    set(buf, lane, sweep.x(column), y, symbol, style);
                }
            }
            if let Some(head) = sweep.head {
                for y in y..y + tall {
                    set(buf, lane, head.saturating_add(1) % sweep.wide, y, "▌", self.theme.style(Role::Head));
                }
            }
        }
        let y = u16::try_from(drawn.len()).unwrap_or(u16::MAX).saturating_mul(tall);
        if below >= 2 {
            self.put_scale(buf, lane, y, &sweep);
        }
        let (skip, left) = if below >= 2 { (1, below - 1) } else { (0, below) };
        let words = Rect { y: area.y.saturating_add(y).saturating_add(skip), height: left, ..area };
        self.put_words(buf, words.intersection(area), cpus, crowded);
    }

    fn pointed(&self, row: Row, column: u64) -> bool {
        let Window::Frozen { cursor: Some((cpu, t)), .. } = self.window else { return false };
        row.holds(cpu) && t.0 / self.column.0 == column
    }

    fn put_label(&self, buf: &mut Buffer, area: Rect, (top, tall): (u16, u16), row: Row) {
        let y = top + tall / 2;
        let wide = usize::from(self.label(area.width));
        let (dim, border) = (self.theme.style(Role::Dim), self.theme.style(Role::Border));
        if let Some(words) = row.words() {
            put(buf, area, 0, y, &words, dim);
            return;
        }
        let text = match row {
            Row::Rest(_) | Row::Quiet(..) => return,
            Row::One(cpu) if wide < 8 => cpu.to_string(),
            Row::One(cpu) => format!("core {cpu}"),
            Row::Two(a, Some(b)) if format!("{a}+{b}").len() < wide => format!("{a}+{b}"),
            Row::Two(a, _) => a.to_string(),
        };
        let end = u16::try_from(wide - 1).unwrap_or(u16::MAX);
        let style = match self.window {
            Window::Frozen { cursor: Some((cpu, _)), .. } if row.holds(cpu) => self.theme.style(Role::Strong),
            _ => dim,
        };
        put(buf, Rect { width: end.min(area.width), ..area }, 0, y, &text, style);
        for y in top..top + tall {
            put(buf, area, end, y, "▏", border);
        }
    }

    /// `└──────────┘ 40 ms`, and below the head or the cursor an arrow.
    fn put_scale(&self, buf: &mut Buffer, lane: Rect, y: u16, sweep: &Sweep) {
        let dim = self.theme.style(Role::Dim);
        let columns = if sweep.wide >= 40 { 10 } else { 5 };
        let bar =
            format!("└{}┘ {}", "─".repeat(columns - 2), short(Nanos(self.column.0.saturating_mul(columns as u64))));
        let (column, word) = match self.window {
            Window::Live { .. } => (sweep.last.saturating_add(1), "now".to_owned()),
            Window::Frozen { cursor: Some((_, t)), .. } => (t.0 / self.column.0, moment(t)),
            Window::Frozen { cursor: None, .. } => (u64::MAX, String::new()),
        };
        let bar_wide = u16::try_from(width_of(&bar)).unwrap_or(u16::MAX);
        if column < sweep.first || column > sweep.last.saturating_add(1) {
            put(buf, lane, 0, y, &bar, dim);
            return;
        }
        let x = u16::try_from(if sweep.head.is_some() { column % sweep.wide } else { sweep.x(column) }).unwrap_or(0);
        let word_wide = u16::try_from(width_of(&word) + 1).unwrap_or(u16::MAX);
        // The scale stands on the left, and gives way to the arrow.
        let left = x >= bar_wide.saturating_add(word_wide + 1);
        put(buf, lane, if left { 0 } else { lane.width.saturating_sub(bar_wide) }, y, &bar, dim);
        if x >= word_wide {
            put(buf, lane, x - word_wide, y, &word, dim);
        }
        put(buf, lane, x, y, "▲", self.theme.style(Role::Head));
    }

    fn put_words(&self, buf: &mut Buffer, area: Rect, cpus: &[Cpu], crowded: u32) {
        let text = match self.window {
            Window::Frozen { cursor: Some((cpu, t)), .. } => describe_slice(self.scene, cpu, t),
            Window::Frozen { .. } => words::of_the_run(self.scene, cpus, self.scene.now(), crowded),
            Window::Live { now } => words::of_the_run(self.scene, cpus, now, crowded),
        };
        paint(buf, area, 0, 0, area.width, self.theme.style(Role::Text));
        let lines = wrap(&[Piece::new(text, self.theme.style(Role::Text))], area.width.into());
        if area.height == 1 && lines.len() > 1 {
            // One row: as much as stands in it, with the cut marked.
            let all: Vec<_> = lines.iter().map(ToString::to_string).collect();
            put(buf, area, 0, 0, &all.join(" "), self.theme.style(Role::Text));
            return;
        }
        for (line, y) in lines.iter().zip(0..area.height) {
            put_line(buf, area, 0, y, line);
        }
    }
}

impl Widget for &Lanes<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let lanes = &self.scene.lanes;
        let fetch =
            |cpu, from: u64, columns| lanes.cells(cpu, Nanos(from.saturating_mul(self.column.0)), self.column, columns);
        self.draw(area, buf, lanes.cpus(), &fetch);
    }
}

/// A length of time without needless noughts: "40 ms" for 40.0 ms.
fn short(t: Nanos) -> String {
    let long = t.to_string();
    let Some((value, unit)) = long.split_once(' ') else { return long };
    let value = if value.contains('.') { value.trim_end_matches('0').trim_end_matches('.') } else { value };
    format!("{value} {unit}")
}

fn set(buf: &mut Buffer, lane: Rect, x: u64, y: u16, symbol: &str, style: Style) {
    let Some(x) = u16::try_from(x).ok().filter(|x| *x < lane.width && y < lane.height) else { return };
    if let Some(cell) = buf.cell_mut((lane.x + x, lane.y + y)) {
        cell.set_symbol(symbol).set_style(style);
    }
}

#[cfg(test)]
mod tests;
