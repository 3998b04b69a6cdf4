//! One cell of a lane to one character and its style. Knows no time and no place.

use crate::fact::{Tid, clean_line};
use crate::scene::Scene;
use crate::scene::lanes::{Cell, Occupant};
use crate::view::theme::{ColourDepth, Role, Theme, Worker};
use ratatui::style::Style;
use std::collections::HashMap;
use unicode_segmentation::UnicodeSegmentation;

/// A column that saw more than one change of hands (each an out and an in) is finer than the picture.
const CROWDED: u32 = 4;

/// A letter stands where a slice begins and in every column that this divides.
const EVERY: u64 = 8;

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
        for cell in cells {
            if let Occupant::Task(tid) = cell.who {
                looks.entry(tid).or_insert_with(|| (String::new(), stranger));
            }
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

    /// The character and the style of `cell`, which stands in `column` after `before`.
    pub(super) fn glyph(&self, cell: Option<&Cell>, before: Option<&Cell>, column: u64, faded: bool) -> (&str, Style) {
        let Some(cell) = cell else { return (" ", Style::new()) };
        match cell.who {
            _ if cell.gap => ("?", self.theme.style(Role::Gap)),
            Occupant::Unknown => ("?", self.theme.style(Role::Gap)),
            Occupant::Nobody if crowded(cell.switches) => ("≡", self.theme.style(Role::Dim)),
            Occupant::Nobody => ("·", self.theme.style(Role::Nobody)),
            Occupant::Task(tid) => {
                let (letter, worker) = self.look(tid);
                let begins = before.is_none_or(|b| b.who != cell.who) || column.is_multiple_of(EVERY);
                if crowded(cell.switches) {
                    ("≡", if faded { worker.faded } else { worker.fill })
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
            (Some(_), Some(_)) if self.theme.depth() == ColourDepth::None => ("█", Style::new()),
            (Some(fg), Some(bg)) => ("▀", Style { fg, bg, ..Style::new() }),
        }
    }
}
