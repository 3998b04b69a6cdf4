//! The workers in a diagram of states: a box for running, ready and blocked, and the ways from one to the other. Below it
//! how each has spent its life, and the same in words.
//!
//! Where a worker is now comes from its switches. These do not show that one was woken and waits for a core: it stays in
//! the box of the blocked until it runs. The shares are the kernel's account, and there it is ready.

use super::Rows;
use super::workers::FOLLOWED;
use crate::fact::{Source, State, TaskTally, Tid, clean_line};
use crate::scene::Scene;
use crate::view::put::{cut, put, put_line, put_right, thousands, width};
use crate::view::text::{Piece, wrap};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use serde_json::Value;

/// The diagram of a scene's workers.
#[derive(Debug, Clone, Copy)]
pub struct States<'a> {
    /// What is drawn.
    pub scene: &'a Scene,
    /// How it looks.
    pub theme: &'a Theme,
    /// The worker that the learner's keys act on.
    pub chosen: Option<Tid>,
}

/// Rows of the diagram, the least columns of it, and the most.
const HIGH: u16 = 7;
const NARROW: u16 = 40;
const WIDE: u16 = 110;
/// Columns from which on those that are stopped and those that ended have boxes of their own.
const FIVE_BOXES: u16 = 84;
/// Columns between ready and running, for the words on the ways.
const WAY: u16 = 16;
/// Columns of the box of those that ended, and of the way to it.
const ENDED: u16 = 16;
const WAY_OUT: u16 = 9;

/// The boxes, in the order of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Running,
    Ready,
    Blocked,
    Stopped,
    Ended,
}

const PLACES: [Place; 5] = [Place::Running, Place::Ready, Place::Blocked, Place::Stopped, Place::Ended];

impl Place {
    const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Blocked => "blocked",
            Self::Stopped => "stopped",
            Self::Ended => "ended",
        }
    }

    /// Where a task is; none if that is not known.
    fn of(task: &TaskTally, source: Source) -> Option<Self> {
        let letter = task.values.get("state").and_then(Value::as_str);
        Some(match (task.state(), letter) {
            (State::Ended, _) => Self::Ended,
            (State::Stopped, _) => Self::Stopped,
            // Looks at /proc do not tell why it is off its core. The kernel's letter does.
            (State::Running(_), Some("R") | None) if source == Source::Sampled => Self::Running,
            (_, Some("R")) if source == Source::Sampled => Self::Ready,
            (_, Some("S" | "D" | "I")) if source == Source::Sampled => Self::Blocked,
            _ if source == Source::Sampled => return None,
            (State::Running(_), _) => Self::Running,
            (State::Ready, _) => Self::Ready,
            (State::Blocked, _) => Self::Blocked,
            (State::Unknown, _) => return None,
        })
    }
}

/// A column of the table below the diagram.
struct Column {
    head: &'static str,
    cells: Vec<String>,
    left: bool,
}

impl States<'_> {
    fn source(&self) -> Source {
        self.scene.tally.start.as_ref().map_or(Source::Exact, |start| start.source)
    }

    /// The workers in a box, each with what it waits for.
    fn in_box(&self, place: Place) -> Vec<&TaskTally> {
        self.scene.tally.workers().filter(|task| Place::of(task, self.source()) == Some(place)).collect()
    }

    /// A worker in its box.
    fn figure(&self, task: &TaskTally, place: Place) -> Vec<Span<'static>> {
        let chosen = Some(task.tid) == self.chosen;
        let mut spans = vec![Span::styled(format!(" {} ", clean_line(&task.name)), self.theme.worker(task.slot).fill)];
        if chosen {
            spans.insert(0, Span::styled("▸", self.theme.style(Role::Accent)));
        }
        if let Some(what) = waits_for(task).filter(|_| place == Place::Blocked) {
            spans.push(Span::styled(format!(" {what}"), self.theme.style(Role::Text)));
        }
        spans
    }

    fn put_box(&self, buf: &mut Buffer, area: Rect, place: Place) {
        let border = self.theme.style(Role::Border);
        let across = usize::from(area.width.saturating_sub(2));
        let title = cut(&format!(" {} ", place.word()), across).into_owned();
        put(buf, area, 0, 0, &format!("┌{}┐", "─".repeat(across)), border);
        put(buf, area, 1, 0, &title, self.theme.style(Role::Strong));
        for y in 1..area.height.saturating_sub(1) {
            put(buf, area, 0, y, &format!("│{}│", " ".repeat(across)), border);
        }
        put(buf, area, 0, area.height.saturating_sub(1), &format!("└{}┘", "─".repeat(across)), border);
        let inner = Rect {
            x: area.x + 2,
            y: area.y + 1,
            width: area.width.saturating_sub(4),
            height: area.height.saturating_sub(2),
        };
        let (mut x, mut y) = (0_u16, 0_u16);
        let tasks = self.in_box(place);
        for (n, task) in tasks.iter().enumerate() {
            let spans = self.figure(task, place);
            let wide = u16::try_from(spans.iter().map(|s| width(&s.content)).sum::<usize>()).unwrap_or(u16::MAX);
            let last = y + 1 >= inner.height;
            let more = if n + 1 < tasks.len() && last { 4 } else { 0 };
            if x > 0 && x.saturating_add(wide).saturating_add(more) > inner.width {
                if last {
                    put(buf, inner, x, y, &format!("+{}", tasks.len() - n), self.theme.style(Role::Dim));
                    return;
                }
                (x, y) = (0, y + 1);
            }
            x = put_line(buf, inner, x, y, &Line::from(spans)).saturating_add(1);
        }
    }

    /// The boxes, and the ways between them with their names.
    fn put_diagram(&self, buf: &mut Buffer, area: Rect) {
        let five = area.width >= FIVE_BOXES;
        let three = area.width - if five { ENDED + WAY_OUT } else { 0 };
        let wide = (three - WAY) / 2;
        let running = wide + WAY;
        let place = |x: u16, y: u16, width: u16, height: u16| Rect { x: area.x + x, y: area.y + y, width, height };
        self.put_box(buf, place(0, 0, wide, 3), Place::Ready);
        self.put_box(buf, place(running, 0, wide, 3), Place::Running);
        let (from, to) = (wide / 2 + 3, running + wide / 2 - 3);
        self.put_box(buf, place(from, 4, to - from, 3), Place::Blocked);
        let (dim, text) = (self.theme.style(Role::Dim), self.theme.style(Role::Text));
        put(buf, area, wide + 1, 0, "─────────────▶", dim);
        put(buf, area, wide + 2, 0, " dispatched ", text);
        put(buf, area, wide + 1, 2, "◀─────────────", dim);
        put(buf, area, wide + 3, 2, " preempted ", text);
        let (left, right) = (wide / 2 - 2, running + wide / 2 + 2);
        let arm = |cells: u16| "─".repeat(usize::from(cells.saturating_sub(2)));
        put(buf, area, left, 3, "▲", dim);
        put(buf, area, left + 2, 3, "wakes up", text);
        put(buf, area, left, 4, "│", dim);
        put(buf, area, left, 5, &format!("└{}", arm(from - left)), dim);
        put_right(buf, area, right - 1, 3, "waits", text);
        put(buf, area, right, 3, "│", dim);
        put(buf, area, right, 4, "│", dim);
        put(buf, area, to + 1, 5, &format!("◀{}┘", arm(right - to)), dim);
        if five {
            self.put_box(buf, place(three + WAY_OUT, 0, ENDED, 3), Place::Ended);
            self.put_box(buf, place(three + WAY_OUT, 4, ENDED, 3), Place::Stopped);
            put(buf, area, three + 1, 1, "───────▶", dim);
            put(buf, area, three + 2, 1, " ends ", text);
        } else {
            // Without boxes of their own they stand beside that of the blocked.
            put(buf, area, 0, 6, &cut(&self.those(Place::Stopped), (from - 1).into()), text);
            put(buf, area, to + 1, 6, &self.those(Place::Ended), text);
        }
    }

    /// "stopped: B, C", or nothing.
    fn those(&self, place: Place) -> String {
        let names: Vec<String> = self.in_box(place).into_iter().map(|task| clean_line(&task.name)).collect();
        if names.is_empty() { String::new() } else { format!("{}: {}", place.word(), names.join(", ")) }
    }

    fn columns(&self, tasks: &[&TaskTally], boxes: bool) -> Vec<Column> {
        let values = self.scene.values();
        let share = |name: &'static str| {
            let of = |task: &&TaskTally| values.get(name)?.get(&task.name)?.as_f64();
            let cells = tasks.iter().map(|t| of(t).map_or_else(|| "–".to_owned(), |s| format!("{:.1} %", s * 100.0)));
            Column { head: name, cells: cells.collect(), left: false }
        };
        let account = |head, take: fn(&crate::fact::Account) -> u64| {
            let cells = tasks.iter().map(|t| t.counters.as_ref().map_or("–".to_owned(), |a| thousands(take(a))));
            Column { head, cells: cells.collect(), left: false }
        };
        // What nobody has ever said has no column; what one that has ended said last is no longer so.
        let said = |name: &str, head| {
            let of = |task: &TaskTally| task.values.get(name).and_then(Value::as_str).map(clean_line);
            let cell = |task: &&TaskTally| of(task).filter(|_| task.alive()).unwrap_or_else(|| "–".to_owned());
            let column = || Column { head, cells: tasks.iter().map(cell).collect(), left: true };
            tasks.iter().any(|task| of(task).is_some()).then(column)
        };
        let now = |task: &&TaskTally| Place::of(task, self.source()).map_or("–", Place::word).to_owned();
        let placed = tasks.iter().any(|task| Place::of(task, self.source()).is_some());
        let now =
            (placed && !boxes).then(|| Column { head: "now", cells: tasks.iter().map(now).collect(), left: true });
        now.into_iter()
            .chain(["ran", "ready", "blocked"].map(share))
            .chain([account("voluntary", |a| a.voluntary), account("involuntary", |a| a.involuntary)])
            .chain(
                [said("state", "ps"), said("waits_for", "waits for"), said("wchan", "in the kernel")]
                    .into_iter()
                    .flatten(),
            )
            .collect()
    }

    /// How each has spent its life: as many columns as fit, and as many workers.
    fn put_table(&self, buf: &mut Buffer, area: Rect, boxes: bool) {
        let tasks: Vec<&TaskTally> = self.scene.tally.workers().collect();
        let (dim, text) = (self.theme.style(Role::Dim), self.theme.style(Role::Text));
        let names: Vec<String> =
            tasks.iter().map(|t| format!("{} {}", clean_line(&t.name), self.theme.worker(t.slot).pattern)).collect();
        let mut x = u16::try_from(names.iter().map(|n| width(n)).max().unwrap_or(0)).unwrap_or(u16::MAX);
        for ((task, name), y) in tasks.iter().zip(&names).zip(1..area.height) {
            put(buf, area, 0, y, name, self.theme.worker(task.slot).ink);
        }
        for column in self.columns(&tasks, boxes) {
            let wide = column.cells.iter().map(|c| width(c)).chain([width(column.head)]).max().unwrap_or(0);
            let end = x.saturating_add(2).saturating_add(u16::try_from(wide).unwrap_or(u16::MAX));
            if end > area.width {
                return;
            }
            for ((cell, style), y) in std::iter::once((column.head, dim))
                .chain(column.cells.iter().map(|c| (c.as_str(), text)))
                .zip(0..area.height)
            {
                if column.left {
                    put(buf, area, x + 2, y, cell, style);
                } else {
                    put_right(buf, area, end, y, cell, style);
                }
            }
            x = end;
        }
    }

    /// The words below; none where all have ended: the diagram or the table has said so.
    fn words_below(&self) -> String {
        let over = self.scene.tally.workers().all(|task| !task.alive());
        if over { String::new() } else { self.words() }
    }

    /// Who is where, in a sentence.
    fn words(&self) -> String {
        let one = |task: &TaskTally, place| match waits_for(task).filter(|_| place == Place::Blocked) {
            Some(what) => format!("{} ({what})", clean_line(&task.name)),
            None => clean_line(&task.name),
        };
        let parts = PLACES.iter().filter_map(|place| {
            let who: Vec<String> = self.in_box(*place).into_iter().map(|task| one(task, *place)).collect();
            (!who.is_empty()).then(|| format!("{}: {}", place.word(), who.join(", ")))
        });
        parts.collect::<Vec<_>>().join("; ")
    }
}

/// What a worker says that it waits for; none if it waits for nothing.
fn waits_for(task: &TaskTally) -> Option<String> {
    task.values.get("waits_for").and_then(Value::as_str).filter(|what| *what != "nothing").map(clean_line)
}

impl Rows for States<'_> {
    /// Rows that it needs at least, and likes where it is `wide` and `left` rows are left.
    fn rows(&self, wide: u16, left: u16) -> (u16, u16) {
        let table = u16::try_from(self.scene.tally.workers().count()).unwrap_or(u16::MAX).saturating_add(2);
        let whole = table.saturating_add(HIGH);
        // The words are left out before the table, and the table before the diagram.
        let liked = match left {
            _ if wide < NARROW || left < HIGH => table,
            _ if left >= whole.saturating_add(8) => whole + 1,
            _ if left + 1 >= whole => left.min(whole),
            _ => HIGH + 1,
        };
        (if liked > table { liked } else { table.min(FOLLOWED) }, liked)
    }
}

impl Widget for &States<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let workers = u16::try_from(self.scene.tally.workers().count()).unwrap_or(u16::MAX);
        if area.is_empty() || workers == 0 {
            return;
        }
        let boxes = area.width >= NARROW && area.height >= HIGH;
        if boxes {
            self.put_diagram(buf, Rect { width: area.width.min(WIDE), ..area });
        }
        let mut below = area;
        if boxes {
            (below.y, below.height) = (area.y + HIGH, area.height - HIGH);
        }
        // The table where it fits whole, or where there is nothing else; the words where a row is left.
        if !boxes || below.height > workers {
            self.put_table(buf, below, boxes);
            let used = workers.saturating_add(1).min(below.height);
            (below.y, below.height) = (below.y + used, below.height - used);
        }
        put(buf, below, 0, 0, &self.words_below(), self.theme.style(Role::Text));
        let note = match self.source() {
            Source::Exact => "Woken, and no core yet: still in the box of the blocked, but ready in the shares.",
            _ => "The boxes are what /proc says at each look.",
        };
        let lines = wrap(&[Piece::new(note.to_owned(), self.theme.style(Role::Dim))], usize::from(area.width));
        if lines.len() < usize::from(below.height) {
            for (line, y) in lines.iter().zip(1..) {
                put_line(buf, below, 0, y, line);
            }
        }
    }
}

#[cfg(test)]
mod tests;
