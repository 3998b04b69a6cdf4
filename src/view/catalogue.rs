//! The lessons to choose from: parts, lessons, minutes, what is done.

use super::View;
use super::panel::panel;
use super::put::{cut, put, put_right, width};
use super::text::{Context, layout};
use super::theme::Role;
use crate::fact::clean_line;
use crate::lesson::Lesson;
use crate::tour::{Catalogue, Click};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A row of the list.
#[derive(Debug, Clone, Copy)]
enum Row<'a> {
    Blank,
    Part(&'a str),
    Lesson(usize),
}

/// From this width the chosen lesson is described beside the list.
const BESIDE: u16 = 90;

impl View<'_> {
    pub(super) fn catalogue(&self, catalogue: &Catalogue, body: Rect, buf: &mut Buffer) {
        let (list, about) = split(body);
        let done = self.tour.lessons.iter().filter(|l| self.tour.recall.done.contains(&l.id)).count();
        let right = format!("{done} of {} done", self.tour.lessons.len());
        let inner = panel(self.theme, "Lessons", &right, true, list, buf);
        let rows = self.rows();
        let first = first_row(&rows, catalogue.cursor, inner.height);
        for (y, row) in (0..inner.height).zip(rows.iter().skip(first)) {
            self.row(*row, catalogue.cursor, y, inner, buf);
        }
        if let Some(lesson) = self.tour.lessons.get(catalogue.cursor) {
            self.about(lesson, about, buf);
        }
        if self.tour.lessons.is_empty() {
            put(buf, inner, 0, 0, "There are no lessons here.", self.theme.style(Role::Warning));
        }
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let mut rows = Vec::new();
        let mut part = None;
        for (n, lesson) in self.tour.lessons.iter().enumerate() {
            if part != Some(lesson.part.as_str()) {
                part = Some(lesson.part.as_str());
                if !rows.is_empty() {
                    rows.push(Row::Blank);
                }
                rows.push(Row::Part(&lesson.part));
            }
            rows.push(Row::Lesson(n));
        }
        rows
    }

    fn row(&self, row: Row<'_>, cursor: usize, y: u16, area: Rect, buf: &mut Buffer) {
        match row {
            Row::Blank => {}
            Row::Part(part) => {
                put(buf, area, 0, y, &clean_line(part), self.theme.style(Role::Heading));
            }
            Row::Lesson(n) => {
                let Some(lesson) = self.tour.lessons.get(n) else { return };
                let chosen = n == cursor;
                let mark = if chosen { "▸" } else { " " };
                let (sign, right) = self.state(lesson);
                let left = format!("{mark}{sign} {:>2} {}", lesson.number, clean_line(&lesson.title));
                let room = usize::from(area.width).saturating_sub(width(&right) + 2);
                let style = self.theme.style(if chosen { Role::Strong } else { Role::Text });
                put(buf, area, 0, y, &cut(&left, room), style);
                put_right(buf, area, area.width, y, &right, self.theme.style(Role::Dim));
                if chosen {
                    super::put::paint(buf, area, 0, y, area.width, self.theme.style(Role::Selection));
                }
            }
        }
    }

    /// A sign and a word for how far the learner is in a lesson.
    fn state(&self, lesson: &Lesson) -> (&'static str, String) {
        let recall = &self.tour.recall;
        let minutes = if lesson.minutes > 0 { format!("{} min", lesson.minutes) } else { String::new() };
        let seen = recall.seen.get(&lesson.id).map_or(0, std::collections::BTreeSet::len);
        if recall.done.contains(&lesson.id) {
            ("✓", format!("done · {minutes}"))
        } else if seen > 0 {
            ("•", format!("{seen} of {} steps · {minutes}", lesson.steps.len()))
        } else {
            (" ", minutes)
        }
    }

    fn about(&self, lesson: &Lesson, area: Rect, buf: &mut Buffer) {
        if area.width == 0 {
            return;
        }
        let inner = panel(self.theme, &clean_line(&lesson.title), "", false, area, buf);
        let mut y = 0;
        for line in layout(&lesson.intro, inner.width, self.theme, &Context::PLAIN) {
            super::put::put_line(buf, inner, 0, y, &line);
            y += 1;
        }
        y += 1;
        for (n, step) in lesson.steps.iter().enumerate() {
            let seen = self.tour.recall.seen.get(&lesson.id).is_some_and(|s| s.contains(&n));
            let sign = if seen { "✓" } else { " " };
            let role = if seen { Role::Dim } else { Role::Text };
            put(buf, inner, 0, y, &format!("{sign} {}  {}", n + 1, clean_line(&step.title)), self.theme.style(role));
            y += 1;
        }
        let here = self.tour.recall.place.as_ref().filter(|(id, step)| *id == lesson.id && *step > 0);
        let words = match here {
            Some((_, step)) => format!("enter goes on at step {}", step + 1),
            None => "enter begins".to_owned(),
        };
        put(buf, inner, 0, y + 1, &words, self.theme.style(Role::Accent));
    }

    pub(super) fn hit_catalogue(&self, body: Rect, x: u16, y: u16) -> Option<Click> {
        let crate::tour::Screen::Catalogue(catalogue) = &self.tour.screen else { return None };
        let (list, _) = split(body);
        let inner = Rect {
            x: list.x + 2,
            y: list.y + 1,
            width: list.width.saturating_sub(4),
            height: list.height.saturating_sub(2),
        };
        if !inner.contains((x, y).into()) {
            return None;
        }
        let rows = self.rows();
        let first = first_row(&rows, catalogue.cursor, inner.height);
        match rows.get(first + usize::from(y - inner.y))? {
            Row::Lesson(n) => Some(Click::Lesson(*n)),
            Row::Blank | Row::Part(_) => None,
        }
    }
}

/// The list and the description; the latter has no width on a small screen.
fn split(body: Rect) -> (Rect, Rect) {
    if body.width < BESIDE {
        return (body, Rect { width: 0, height: 0, ..body });
    }
    let list = body.width / 2;
    (Rect { width: list, ..body }, Rect { x: body.x + list, width: body.width - list, ..body })
}

/// The row at the top, so that the cursor is in sight, with its part's heading where there is room.
fn first_row(rows: &[Row<'_>], cursor: usize, height: u16) -> usize {
    let at = rows.iter().position(|r| matches!(r, Row::Lesson(n) if *n == cursor)).unwrap_or(0);
    at.saturating_sub(usize::from(height / 2)).min(rows.len().saturating_sub(usize::from(height)))
}
