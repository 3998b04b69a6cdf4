//! The wait-for graph: who has which lock, and who waits for which. A circle is said in words, and so is what the dead still
//! have. Round a table where there is room for one, a line for each worker elsewhere.

mod graph;
mod ring;

use super::Rows;
use crate::fact::{Tally, Tid, WaitForSpec};
use crate::view::put::{paint, put, put_line, put_right, width};
use crate::view::text::{Piece, wrap};
use crate::view::theme::{Role, Theme};
use graph::{Graph, State};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Widget;

/// The graph of one run.
#[derive(Debug, Clone, Copy)]
pub struct WaitFor<'a> {
    /// The totals that hold the locks.
    pub tally: &'a Tally,
    /// What the locks are called.
    pub spec: &'a WaitForSpec,
    /// How it looks.
    pub theme: &'a Theme,
    /// The worker that is chosen.
    pub chosen: Option<Tid>,
}

impl WaitFor<'_> {
    fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    fn wrapped(&self, words: &str, role: Role, wide: u16) -> Vec<Line<'static>> {
        wrap(&[Piece::new(words.to_owned(), self.style(role))], wide.into())
    }

    /// What the whole comes to, as lines.
    fn words(&self, graph: &Graph<'_>, wide: u16) -> Vec<Line<'static>> {
        let (words, state) = graph.words();
        let role = match state {
            State::Circle | State::Bereft => Role::Bad,
            State::Open => Role::Strong,
        };
        self.wrapped(&words, role, wide)
    }

    /// A line for each worker, in two columns where they do not fit below each other.
    fn put_lines(&self, buf: &mut Buffer, area: Rect, graph: &Graph<'_>) {
        let words = self.words(graph, area.width);
        for (line, y) in words.iter().zip(0..area.height) {
            put_line(buf, area, 0, y, line);
        }
        let begin = u16::try_from(words.len()).unwrap_or(u16::MAX);
        let room = area.height.saturating_sub(begin);
        let mut lines: Vec<String> = graph.workers.iter().map(|worker| graph.line(worker)).collect();
        let widest = u16::try_from(lines.iter().map(|line| width(line)).max().unwrap_or(0)).unwrap_or(u16::MAX);
        let column = widest.saturating_add(8);
        let fits = usize::from(room) >= lines.len() || column.saturating_mul(2) > area.width.saturating_add(2);
        let across = if fits { 1 } else { 2 };
        if across == 1 {
            for (line, worker) in lines.iter_mut().zip(&graph.workers) {
                line.push_str(&format!(" · {}", graph.counted(worker)));
            }
        }
        let down = u16::try_from(lines.len().div_ceil(across)).unwrap_or(u16::MAX);
        let mut shown = 0;
        for ((worker, line), n) in graph.workers.iter().zip(&lines).zip(0_u16..) {
            let (x, y) = (n / down.max(1) * column, n % down.max(1));
            if y < room {
                shown += 1;
                let wide = if across == 1 { area.width } else { column.saturating_sub(2) };
                let row = Rect { x: area.x + x.min(area.width), y: area.y + begin + y, width: wide, height: 1 };
                self.put_worker(buf, row.intersection(area), graph, worker, line);
            }
        }
        let hidden = lines.len() - shown;
        if hidden > 0 && area.height > 1 {
            put_right(buf, area, area.width, area.height - 1, &format!(" ↓ {hidden} more"), self.style(Role::Dim));
        } else if let Some(left) = room.checked_sub(down).filter(|left| *left > 0) {
            let note = self.wrapped(&graph.note, Role::Dim, area.width);
            for (line, y) in note.iter().zip(area.height - left..area.height) {
                put_line(buf, area, 0, y, line);
            }
        }
    }

    fn put_worker(&self, buf: &mut Buffer, row: Rect, graph: &Graph<'_>, worker: &graph::Waiter<'_>, line: &str) {
        let chosen = Some(worker.task.tid) == self.chosen;
        put(buf, row, 0, 0, if chosen { "▸" } else { " " }, self.style(Role::Accent));
        let look = self.theme.worker(worker.task.slot);
        let x = put(buf, row, 1, 0, &format!(" {} ", graph.letter(worker)), look.fill);
        let role = match (worker.dead, graph.is_stuck(worker)) {
            (true, _) => Role::Dim,
            (false, true) => Role::Bad,
            (false, false) => Role::Text,
        };
        put(buf, row, x.saturating_add(1), 0, line, self.style(role));
        if chosen {
            paint(buf, row, 0, 0, row.width, self.style(Role::Selection));
        }
    }
}

impl Rows for WaitFor<'_> {
    /// Rows that it needs at least, and likes at this width.
    fn rows(&self, wide: u16, left: u16) -> (u16, u16) {
        let graph = Graph::of(self.tally, self.spec);
        let workers = u16::try_from(graph.workers.len()).unwrap_or(u16::MAX).max(2);
        let words = u16::try_from(self.words(&graph, wide).len()).unwrap_or(u16::MAX);
        if wide >= ring::LEAST.0 && left >= ring::LEAST.1 {
            return (ring::LEAST.1, left.min(16));
        }
        let least = workers.saturating_add(words);
        (least, least.max(workers.saturating_add(3)))
    }
}

impl Widget for &WaitFor<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let graph = Graph::of(self.tally, self.spec);
        if graph.workers.is_empty() {
            put(buf, area, 0, 0, "Nobody is here yet.", self.style(Role::Dim));
        } else if !self.put_ring(buf, area, &graph) {
            self.put_lines(buf, area, &graph);
        }
    }
}

#[cfg(test)]
mod tests;
