//! The graph round a table: each worker between two locks. What one has is joined to it by a solid line, what it waits for by a
//! broken one with an arrow.

use super::WaitFor;
use super::graph::{Graph, Waiter};
use crate::fact::clean_line;
use crate::view::put::{cut, put, put_line, width};
use crate::view::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// The least columns and rows that a table takes.
pub(super) const LEAST: (u16, u16) = (48, 11);

/// The rectangle on whose edge all stand, walked clockwise from its upper left corner.
struct Edge {
    /// Where all is drawn.
    base: Rect,
    /// The rectangle, counted from the corner of `base`.
    area: Rect,
}

/// The way that the edge goes at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Right,
    Down,
    Left,
    Up,
    Corner(usize),
}

/// How a worker and a lock beside it are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    Has,
    Wants,
    Not,
}

impl Edge {
    /// Steps along the upper edge, and along a side.
    fn sides(&self) -> (u16, u16) {
        (self.area.width - 1, self.area.height - 1)
    }

    fn length(&self) -> u16 {
        let (wide, high) = self.sides();
        2 * (wide + high)
    }

    /// The cell after so many steps, and the way there.
    fn at(&self, steps: u16) -> (u16, u16, Way) {
        let (wide, high) = self.sides();
        let at = steps % self.length();
        let corners = [0, wide, wide + high, 2 * wide + high];
        let (x, y, way) = match at {
            _ if at < wide => (at, 0, Way::Right),
            _ if at < wide + high => (wide, at - wide, Way::Down),
            _ if at < 2 * wide + high => (2 * wide + high - at, high, Way::Left),
            _ => (0, self.length() - at, Way::Up),
        };
        let way = corners.iter().position(|corner| *corner == at).map_or(way, Way::Corner);
        (self.area.x + x, self.area.y + y, way)
    }

    /// Where each of `items` stands: one on each side, the others above and below.
    fn places(&self, items: u16) -> Vec<u16> {
        let (wide, high) = self.sides();
        let across = items / 2 - 1;
        let above = (1..=across).map(|n| wide * n / (across + 1));
        let below = (1..=across).map(|n| wide + high + wide * n / (across + 1));
        above.chain([wide + high / 2]).chain(below).chain([2 * wide + high + high / 2]).collect()
    }
}

impl Way {
    fn line(self, join: Join) -> &'static str {
        match (join, self) {
            (Join::Not, _) => " ",
            (Join::Has, Self::Right | Self::Left) => "━",
            (Join::Has, Self::Down | Self::Up) => "┃",
            (Join::Has, Self::Corner(n)) => ["┏", "┓", "┛", "┗"][n % 4],
            (Join::Wants, Self::Right | Self::Left) => "╌",
            (Join::Wants, Self::Down | Self::Up) => "│",
            (Join::Wants, Self::Corner(n)) => ["┌", "┐", "┘", "└"][n % 4],
        }
    }

    fn arrow(self, back: bool) -> &'static str {
        match (self, back) {
            (Self::Right | Self::Corner(_), false) | (Self::Left, true) => "▸",
            (Self::Down, false) | (Self::Up, true) => "▾",
            (Self::Left, false) | (Self::Right | Self::Corner(_), true) => "◂",
            (Self::Up, false) | (Self::Down, true) => "▴",
        }
    }
}

/// The lock between worker `n - 1` and worker `n`.
fn lock_before<'a>(graph: &Graph<'a>, n: usize) -> &'a str {
    graph.locks[n % graph.locks.len()]
}

/// Whether they can sit at a table: as many locks as workers, and each has and wants none but the two beside it.
fn fits(graph: &Graph<'_>) -> bool {
    let beside = |(n, worker): (usize, &Waiter<'_>)| {
        let two = [lock_before(graph, n), lock_before(graph, n + 1)];
        worker.has.iter().chain(&worker.wants).all(|lock| two.contains(lock))
    };
    let count = graph.workers.len();
    (2..=8).contains(&count) && graph.locks.len() == count && graph.workers.iter().enumerate().all(beside)
}

impl WaitFor<'_> {
    /// Draws the table, if there is room and it is one.
    pub(super) fn put_ring(&self, buf: &mut Buffer, area: Rect, graph: &Graph<'_>) -> bool {
        if area.width < LEAST.0 || area.height < LEAST.1 || !fits(graph) {
            return false;
        }
        let note = self.wrapped(&graph.note, Role::Dim, area.width);
        let below = u16::try_from(note.len()).unwrap_or(0).min(2) + 1;
        let wide = area.width.saturating_sub(4).min(96);
        let ring = Rect::new((area.width - wide) / 2, 0, wide, area.height.saturating_sub(below));
        let edge = Edge { base: area, area: ring };
        let items = u16::try_from(graph.workers.len() * 2).unwrap_or(16);
        let places = edge.places(items);
        for (n, worker) in graph.workers.iter().enumerate() {
            self.put_joins(buf, &edge, graph, (n, worker), &places);
        }
        for (n, worker) in graph.workers.iter().enumerate() {
            self.put_seat(buf, &edge, graph, worker, places[2 * n]);
            self.put_lock(buf, &edge, graph, n + 1, places[2 * n + 1]);
        }
        self.put_middle(buf, &edge, graph);
        self.put_foot(buf, Rect { y: area.bottom() - below, height: below, ..area }, &note);
        true
    }

    fn put_joins(&self, buf: &mut Buffer, edge: &Edge, graph: &Graph<'_>, seat: (usize, &Waiter<'_>), places: &[u16]) {
        let (n, worker) = seat;
        let look = self.theme.worker(worker.task.slot);
        let own = places[2 * n];
        let before = places[(2 * n + places.len() - 1) % places.len()];
        let sides = [(n, before, own, true), (n + 1, own, places[2 * n + 1], false)];
        for (lock, from, to, lock_is_first) in sides {
            let lock = lock_before(graph, lock);
            let join = match (worker.has.contains(&lock), worker.wants.contains(&lock) && !worker.dead) {
                (true, _) => Join::Has,
                (_, true) => Join::Wants,
                _ => Join::Not,
            };
            let wanted = if graph.is_in_circle(worker) { self.style(Role::Bad) } else { look.ink };
            let style = if join == Join::Wants { wanted } else { look.ink };
            self.put_join(buf, edge, (from, to), join, lock_is_first, style);
        }
    }

    fn put_join(&self, buf: &mut Buffer, edge: &Edge, ends: (u16, u16), join: Join, lock_is_first: bool, style: Style) {
        let (from, to) = ends;
        let steps = (to + edge.length() - from) % edge.length();
        // A label is three columns wide and one row high.
        let room = |steps: u16| match edge.at(steps).2 {
            Way::Right | Way::Left => 2,
            Way::Down | Way::Up | Way::Corner(_) => 1,
        };
        let (first, last) = (room(from), steps.saturating_sub(room(to)));
        for step in first..=last {
            let (x, y, way) = edge.at(from + step);
            let head = join == Join::Wants && step == if lock_is_first { first } else { last };
            let gap = join == Join::Wants && !head && !matches!(way, Way::Corner(_)) && step % 2 == 1;
            let symbol = match (head, gap) {
                (true, _) => way.arrow(lock_is_first),
                (_, true) => " ",
                _ => way.line(join),
            };
            put(buf, edge.base, x, y, symbol, style);
        }
    }

    /// A worker's letter, and beside it towards the middle what it has come to.
    fn put_seat(&self, buf: &mut Buffer, edge: &Edge, graph: &Graph<'_>, worker: &Waiter<'_>, place: u16) {
        let (x, y, way) = edge.at(place);
        let look = self.theme.worker(worker.task.slot);
        let letter = cut(&graph.letter(worker), 1).into_owned();
        let chosen = Some(worker.task.tid) == self.chosen;
        let letter = if chosen { format!("▸{letter}◂") } else { format!(" {letter} ") };
        put(buf, edge.base, x.saturating_sub(1), y, &letter, look.fill);
        let (words, role) = if worker.dead {
            ("dead".to_owned(), Role::Bad)
        } else if graph.workers.len() > 5 {
            (worker.task.number(graph.count_value()).unwrap_or(0).to_string(), Role::Dim)
        } else {
            (graph.counted(worker), Role::Dim)
        };
        let row = if way == Way::Left { y.saturating_sub(1) } else { y + 1 };
        let wide = u16::try_from(width(&words)).unwrap_or(0);
        let left = match way {
            Way::Down => (x + 2).saturating_sub(wide),
            Way::Up => x.saturating_sub(1),
            _ => x.saturating_sub(wide / 2),
        };
        put(buf, edge.base, left, row, &words, self.style(role));
    }

    fn put_lock(&self, buf: &mut Buffer, edge: &Edge, graph: &Graph<'_>, lock: usize, place: u16) {
        let (x, y, _) = edge.at(place);
        let lock = lock_before(graph, lock);
        let taken = graph.workers.iter().any(|worker| worker.has.contains(&lock));
        let role = if taken { Role::Strong } else { Role::Dim };
        let words = format!("({})", cut(&clean_line(lock), 1));
        put(buf, edge.base, x.saturating_sub(1), y, &words, self.style(role));
    }

    /// What it comes to, in the middle of the table.
    fn put_middle(&self, buf: &mut Buffer, edge: &Edge, graph: &Graph<'_>) {
        let inner = Rect {
            x: edge.base.x + edge.area.x + 10,
            y: edge.base.y + edge.area.y + 2,
            width: edge.area.width.saturating_sub(20),
            height: edge.area.height.saturating_sub(4),
        };
        let lines = self.words(graph, inner.width);
        let high = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let top = inner.height.saturating_sub(high) / 2;
        for (line, y) in lines.iter().zip(top..inner.height) {
            let wide = u16::try_from(line.width()).unwrap_or(inner.width);
            put_line(buf, inner, inner.width.saturating_sub(wide) / 2, y, line);
        }
    }

    fn put_foot(&self, buf: &mut Buffer, foot: Rect, note: &[ratatui::text::Line<'static>]) {
        let legend = format!("━━━ has    ╌ ╌▸ waits for    (1) a {}", self.spec.lock);
        put(buf, foot, 0, 0, &legend, self.style(Role::Dim));
        for (line, y) in note.iter().zip(1..foot.height) {
            put_line(buf, foot, 0, y, line);
        }
    }
}
