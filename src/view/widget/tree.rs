//! Processes and threads below those that made them, each with a bar from its birth to its end. What happens to one is
//! told in its bar by a sign: another program, another parent, ended and not yet waited for, gone.

mod life;

use super::Rows;
use crate::fact::{Nanos, Tally, TreeSpec, clean_line};
use crate::view::put::{put, put_line, put_right, width};
use crate::view::text::{Piece, wrap};
use crate::view::theme::{Role, Theme};
use life::{Event, Life, lives};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

/// One tree.
#[derive(Debug, Clone, Copy)]
pub struct Tree<'a> {
    /// The totals that hold the rows and the tasks.
    pub tally: &'a Tally,
    /// Which rows.
    pub spec: &'a TreeSpec,
    /// How it looks.
    pub theme: &'a Theme,
}

/// The signs, and what they mean: those of what changes stand where it becomes another.
const LEGEND: [(&str, &str); 6] =
    [("═", "process"), ("─", "thread"), ("Z", "ended, kept"), ("▸", "program"), ("↑", "new parent"), ("×", "gone")];

/// Columns that the longest sentence takes. As many lines are kept for each, so that the tree stands still.
const WORDS: u16 = 64;

/// The columns of the picture.
struct Shape {
    /// What is left for the names.
    names: u16,
    /// Where the numbers end.
    numbers: u16,
    /// Where the bars begin, and how wide they are.
    bars: u16,
    wide: u16,
    /// The moments at their ends.
    from: Nanos,
    to: Nanos,
}

impl Shape {
    /// The column of a moment.
    fn at(&self, t: Nanos) -> u16 {
        let all = u128::from(self.to.since(self.from).0.max(1));
        let x = u128::from(t.since(self.from).0) * u128::from(self.wide.saturating_sub(1)) / all;
        u16::try_from(x).unwrap_or(u16::MAX).min(self.wide.saturating_sub(1))
    }
}

impl Tree<'_> {
    /// What has just happened.
    fn words(&self, wide: u16) -> Vec<Line<'static>> {
        let what = self.tally.table(self.spec.table).iter().rev().find_map(|row| row.values.get("what")?.as_str());
        let Some(what) = what else { return Vec::new() };
        let mut lines = wrap(&[Piece::new(clean_line(what), self.theme.style(Role::Strong))], usize::from(wide));
        lines.resize(usize::from(WORDS.div_ceil(wide.max(1)).clamp(1, 3)), Line::default());
        lines
    }

    fn legend(&self, wide: u16) -> Vec<Line<'static>> {
        let (text, dim) = (self.theme.style(Role::Text), self.theme.style(Role::Dim));
        let mut lines: Vec<Line<'static>> = Vec::new();
        for (sign, means) in LEGEND {
            let both = [Span::styled(sign, text), Span::styled(format!(" {means}"), dim)];
            // Sign and meaning stay on one line.
            match lines.last_mut().filter(|line| line.width() + 4 + means.len() <= usize::from(wide)) {
                Some(line) => line.spans.extend([Span::raw("  ")].into_iter().chain(both)),
                None => lines.push(Line::from(both.to_vec())),
            }
        }
        lines
    }

    fn shape(&self, lives: &[Life], wide: u16) -> Shape {
        let names = lives.iter().map(|life| width(&life.branch) + width(&life.name)).max().unwrap_or(0);
        let numbers = lives.iter().map(|life| width(&life.number())).max().unwrap_or(0);
        let names = u16::try_from(names).unwrap_or(u16::MAX).min(wide / 3);
        let mut numbers = names.saturating_add(u16::try_from(numbers).unwrap_or(u16::MAX)).saturating_add(1);
        // Without room for the bars the numbers go first.
        if numbers + 1 + 8 > wide {
            numbers = names;
        }
        let bars = numbers.saturating_add(1).min(wide);
        let from = lives.iter().map(|life| life.born).min().unwrap_or(Nanos::ZERO);
        let to = lives.iter().filter_map(|life| life.events.last()).map(|(t, _)| *t).max().unwrap_or(from);
        Shape { names, numbers, bars, wide: wide - bars, from, to: to.max(self.tally.now) }
    }

    fn put_life(&self, buf: &mut Buffer, row: Rect, life: &Life, shape: &Shape) {
        let (text, dim) = (self.theme.style(Role::Text), self.theme.style(Role::Dim));
        let names = Rect { width: shape.names.min(row.width), ..row };
        let ink = self.tally.tasks.iter().find(|task| Some(task.tid.0) == life.id).map(|task| task.slot);
        let ink = ink.flatten().map_or(text, |slot| self.theme.worker(Some(slot)).ink);
        let x = put(buf, names, 0, 0, &life.branch, dim);
        put(buf, names, x, 0, &life.name, if life.alive() { ink } else { dim });
        if shape.numbers > shape.names {
            put_right(buf, row, shape.numbers, 0, &life.number(), dim);
        }
        let bars = Rect { x: row.x + shape.bars.min(row.width), width: shape.wide.min(row.width), ..row };
        self.put_bar(buf, bars, life, shape, ink);
    }

    /// The bar, and over it the signs. A later sign is not covered by the name of an earlier one.
    fn put_bar(&self, buf: &mut Buffer, bars: Rect, life: &Life, shape: &Shape, ink: Style) {
        let style = |event: &Event| match event {
            Event::Ended => self.theme.style(Role::Warning),
            Event::Gone => self.theme.style(Role::Dim),
            _ => ink,
        };
        let (mut cell, mut cell_style) = (if life.thread { "─" } else { "═" }, ink);
        let mut x = shape.at(life.born);
        for (i, (t, event)) in life.events.iter().enumerate() {
            let at = shape.at(*t).max(x);
            (x..at).for_each(|x| _ = put(buf, bars, x, 0, cell, cell_style));
            x = at;
            match event {
                Event::Ended => (cell, cell_style) = ("Z", style(event)),
                Event::Gone => {
                    put(buf, bars, x, 0, "×", style(event));
                    return;
                }
                Event::Program(name) | Event::Parent(name) => {
                    let sign = if matches!(event, Event::Program(_)) { "▸" } else { "↑" };
                    let next = life.events.get(i + 1).map_or(shape.to, |(t, _)| *t);
                    let room = usize::from(shape.at(next).saturating_sub(x));
                    let named = format!("{sign}{name}");
                    let said = if width(&named) <= room { &named } else { sign };
                    x = put(buf, bars, x, 0, said, self.theme.style(Role::Strong));
                }
            }
        }
        (x..=shape.at(shape.to)).for_each(|x| _ = put(buf, bars, x, 0, cell, cell_style));
    }

    fn put_scale(&self, buf: &mut Buffer, row: Rect, shape: &Shape) {
        let dim = self.theme.style(Role::Dim);
        let bars = Rect { x: row.x + shape.bars.min(row.width), width: shape.wide.min(row.width), ..row };
        let end = format!("{:.1} s┘", shape.to.since(shape.from).seconds());
        let x = put(buf, bars, 0, 0, "└ time ", dim);
        let from = bars.width.saturating_sub(u16::try_from(width(&end)).unwrap_or(u16::MAX));
        (x..from).for_each(|x| _ = put(buf, bars, x, 0, "─", dim));
        if x <= from {
            put_right(buf, bars, bars.width, 0, &end, dim);
        }
    }
}

impl Rows for Tree<'_> {
    /// Rows that it needs at least, and likes at this width.
    fn rows(&self, wide: u16, _: u16) -> (u16, u16) {
        let least = lives(self.tally, self.spec).len() + self.words(wide).len();
        let liked = least + 1 + self.legend(wide).len();
        let rows = |rows: usize| u16::try_from(rows).unwrap_or(u16::MAX).max(4);
        (rows(least), rows(liked))
    }
}

impl Widget for &Tree<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let lives = lives(self.tally, self.spec);
        if lives.is_empty() {
            put(buf, area, 0, 0, "Nobody has been seen yet.", self.theme.style(Role::Dim));
            return;
        }
        // The sentence and the newest lives come first, then the scale, then the signs' meanings.
        let high = usize::from(area.height);
        let words = self.words(area.width);
        let words = if words.len() < high { words } else { Vec::new() };
        let shown = lives.len().min(high - words.len());
        let mut spare = high - words.len() - shown;
        let scale = spare > 0;
        spare -= usize::from(scale);
        let legend = self.legend(area.width);
        let legend = if legend.len() <= spare { legend } else { Vec::new() };

        let shape = self.shape(&lives, area.width);
        let mut y = 0;
        for line in &words {
            put_line(buf, area, 0, y, line);
            y += 1;
        }
        let hidden = lives.len() - shown;
        for life in lives.iter().skip(hidden) {
            self.put_life(buf, Rect { y: area.y + y, height: 1, ..area }, life, &shape);
            y += 1;
        }
        if hidden > 0 {
            let more = format!(" ↑ {hidden} more");
            let first = y - u16::try_from(shown).unwrap_or(y);
            put_right(buf, area, area.width, first, &more, self.theme.style(Role::Dim));
        }
        if scale {
            self.put_scale(buf, Rect { y: area.y + y, height: 1, ..area }, &shape);
            y += 1;
        }
        for line in &legend {
            put_line(buf, area, 0, y, line);
            y += 1;
        }
    }
}

#[cfg(test)]
mod tests;
