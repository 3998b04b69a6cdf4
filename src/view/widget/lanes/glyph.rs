//! One cell of a lane to one character and its style. Knows no time and no place.

use crate::fact::{Tid, clean_line};
use crate::scene::Scene;
use crate::scene::lanes::{Cell, Occupant};
use crate::view::theme::{Role, Theme, Worker};
use ratatui::style::Style;
use std::collections::HashMap;
use unicode_segmentation::UnicodeSegmentation;

/// A column that saw more than one change of hands (each an out and an in) is finer than the picture.
const CROWDED: u32 = 4;

/// A letter stands where a slice begins, and again in every column that this divides, so that long slices are named.
const EVERY: u64 = 8;

/// But not so soon after the last that letters crowd.
pub(super) const BEFORE: usize = 4;

/// How those look who are seen in some cells.
pub(super) struct Cast<'a> {
    theme: &'a Theme,
    looks: HashMap<Tid, (String, Worker<'a>)>,
    stranger: Worker<'a>,
}

/// Whether a cell has more in it than can be drawn.
pub(super) fn crowded(switches: u32) -> bool {
    switches >= CROWDED
}

impl<'a> Cast<'a> {
    /// The cast of `cells`.
    pub(super) fn new<'c>(scene: &Scene, theme: &'a Theme, cells: impl Iterator<Item = &'c Cell>) -> Self {
        let stranger = theme.worker(None);
        let mut looks = HashMap::new();
        let mut last = Occupant::Nobody;
        for cell in cells {
            // Slices are longer than a cell: one look-up each will do.
            if let (Occupant::Task(tid), true) = (cell.who, cell.who != last) {
                looks.entry(tid).or_insert_with(|| (String::new(), stranger));
            }
            last = cell.who;
        }
        // Where an id was used again, the newest task stands last and is kept.
        for task in &scene.tally.tasks {
            if let Some(look) = looks.get_mut(&task.tid) {
                let name = clean_line(&task.name);
                let letter = name.graphemes(true).next().filter(|g| super::width_of(g) == 1);
                let worker = theme.worker(task.slot);
                let letter = task.slot.and(letter).unwrap_or(worker.pattern);
                *look = (letter.to_owned(), worker);
            }
        }
        Self { theme, looks, stranger }
    }

    fn look(&self, tid: Tid) -> (&str, &Worker<'a>) {
        self.looks.get(&tid).map_or((self.stranger.pattern, &self.stranger), |(letter, worker)| (letter, worker))
    }

    /// The character and the style of `cell`, which stands in `column` after `before`, up to [`BEFORE`] cells.
    pub(super) fn glyph(&self, cell: Option<&Cell>, before: &[Cell], column: u64, faded: bool) -> (&str, Style) {
        let Some(cell) = cell else { return (" ", Style::new()) };
        match cell.who {
            _ if cell.gap => ("?", self.theme.style(Role::Gap)),
            Occupant::Unknown => ("?", self.theme.style(Role::Gap)),
            Occupant::Nobody if crowded(cell.switches) => ("≡", self.theme.style(Role::Dim)),
            Occupant::Nobody => ("·", self.theme.style(Role::Nobody)),
            Occupant::Task(tid) => {
                let (letter, worker) = self.look(tid);
                let begins = before.last().is_none_or(|b| b.who != cell.who)
                    || column.is_multiple_of(EVERY) && before.iter().all(|b| b.who == cell.who);
                if crowded(cell.switches) {
                    ("≡", if faded { worker.faded } else { worker.texture })
                } else if faded {
                    (
                        if begins { letter } else { worker.pattern },
                        if begins { worker.faded_letter } else { worker.faded },
                    )
                } else if begins {
                    (letter, worker.fill)
                } else {
                    (worker.pattern, worker.texture)
                }
            }
        }
    }

    /// The letter of who is in `cell`, for the one that is pointed at.
    pub(super) fn pointed(&self, cell: Option<&Cell>) -> (&str, Style) {
        match cell.map(|c| c.who) {
            Some(Occupant::Task(tid)) => (self.look(tid).0, Style::new()),
            _ => self.glyph(cell, &[], 0, false),
        }
    }

    /// The character and style of `cell` where its letter stands elsewhere.
    pub(super) fn texture(&self, cell: Option<&Cell>, faded: bool) -> (&str, Style) {
        match cell {
            Some(Cell { who: Occupant::Task(tid), gap: false, .. }) => {
                let worker = self.look(*tid).1;
                (worker.pattern, if faded { worker.faded } else { worker.texture })
            }
            Some(Cell { who: Occupant::Nobody, gap: false, .. }) => (" ", Style::new()),
            _ => self.glyph(cell, &[], 0, false),
        }
    }

    /// Two cells in one, by colour alone; the line of words below says the rest.
    pub(super) fn half(&self, upper: Option<&Cell>, lower: Option<&Cell>, faded: bool) -> (&'static str, Style) {
        let colour = |cell: Option<&Cell>| {
            let cell = cell?;
            match cell.who {
                Occupant::Nobody if !cell.gap => None,
                Occupant::Task(tid) if !cell.gap => {
                    let worker = self.look(tid).1;
                    Some(if faded { worker.faded.bg.or(worker.ink.fg) } else { worker.ink.fg })
                }
                _ => Some(self.theme.style(Role::Warning).fg),
            }
        };
        match (colour(upper), colour(lower)) {
            (None, None) => ("·", self.theme.style(Role::Nobody)),
            (Some(fg), None) => ("▀", Style { fg, ..Style::new() }),
            (None, Some(fg)) => ("▄", Style { fg, ..Style::new() }),
            (Some(fg), Some(bg)) => ("▀", Style { fg, bg, ..Style::new() }),
        }
    }
}
