//! What is shown: the tour and the scene to cells. It is told everything and touches nothing.

mod canvas;
mod catalogue;
mod document;
mod keys_shown;
mod ledger;
mod notice;
mod panel;
mod pictures;
mod present;
pub mod put;
pub mod scrub;
mod stage;
mod step;
pub mod text;
pub mod theme;
pub mod widget;

use crate::fact::{Source, clean_line};
use crate::scene::Scene;
use crate::tour::{Click, Pane, Screen, Scrolled, Side, Tour};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use theme::{Role, Theme};
use widget::{Header, TooSmall};

/// Everything that a screen is made from.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Where the learner is.
    pub tour: &'a Tour,
    /// What is true of the run, or was when the picture was paused.
    pub scene: &'a Scene,
    /// How it looks.
    pub theme: &'a Theme,
}

/// What drawing found out and the tour must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// How far the text can be scrolled, in lines.
    pub text: usize,
    /// Lines of the waiting question that lie below what is seen.
    pub below: usize,
    /// How far it is scrolled now, in lines.
    pub scroll: usize,
    /// How far the pictures on the stage are scrolled.
    pub stage: Scrolled,
}

/// The three parts of the screen.
#[derive(Debug, Clone, Copy)]
struct Parts {
    header: Rect,
    body: Rect,
    footer: Rect,
}

impl Parts {
    fn of(area: Rect) -> Self {
        let row = |y| Rect { x: area.x, y, width: area.width, height: 1 };
        let body = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
        Self { header: row(area.y), body, footer: row(area.bottom().saturating_sub(1)) }
    }
}

impl View<'_> {
    /// Draws the whole screen.
    pub fn render(&self, frame: &mut Frame) -> Extent {
        let area = frame.area();
        self.draw(area, frame.buffer_mut())
    }

    /// Draws the whole screen into a buffer.
    pub fn draw(&self, area: Rect, buf: &mut Buffer) -> Extent {
        buf.set_style(area, self.theme.style(Role::Screen));
        let extent = if TooSmall::applies(area) {
            TooSmall { theme: self.theme }.render(area, buf);
            Extent::default()
        } else {
            let extent = self.screen(area, buf);
            self.help(area, buf);
            extent
        };
        scrub::scrub(buf, self.theme.charset());
        extent
    }

    fn screen(&self, area: Rect, buf: &mut Buffer) -> Extent {
        let parts = Parts::of(area);
        let extent = match &self.tour.screen {
            Screen::Catalogue(catalogue) => {
                self.catalogue(catalogue, parts.body, buf);
                Extent::default()
            }
            Screen::Lesson(player) => self.step(player, parts.body, buf),
            Screen::Present(player, clock) => return self.present(player, *clock, area, buf),
            Screen::Replay(watch) => Extent { stage: self.stage(watch, true, parts.body, buf), ..Extent::default() },
            Screen::Ledger(page) => self.ledger(page, parts.body, buf),
        };
        self.header(parts.header, buf);
        match self.tour.notice.as_ref().or(self.tour.banner.as_ref()) {
            Some(words) => self.notice(words, area, buf),
            None => self.footer(parts.footer, panel::one_at_a_time(parts.body), buf),
        }
        extent
    }

    fn header(&self, area: Rect, buf: &mut Buffer) {
        let (title, place) = match &self.tour.screen {
            Screen::Catalogue(_) => ("Processes and threads, tested on your own cores".to_owned(), String::new()),
            Screen::Replay(watch) => (format!("{} (recorded)", watch.spec.name), String::new()),
            Screen::Ledger(page) => {
                let title = self.tour.claims.lang.pick("The ledger: what is true?", "账本：什么是真的？");
                (title.to_owned(), ledger::run_of(page).unwrap_or_default())
            }
            Screen::Lesson(player) | Screen::Present(player, _) => {
                let lesson = self.tour.lesson();
                let title = lesson.map(|l| format!("{} {}", l.number, l.title)).unwrap_or_default();
                let steps = lesson.map_or(0, |l| l.steps.len());
                (title, format!("step {}/{steps}", player.step + 1))
            }
        };
        let truth = self.truth();
        let truth: Vec<(&str, Role)> = truth.iter().map(|(words, role)| (words.as_str(), *role)).collect();
        let title = clean_line(&title);
        Header { theme: self.theme, title: &title, place: &place, truth: &truth }.render(area, buf);
    }

    /// How we know what is shown: source, cores, losses.
    fn truth(&self) -> Vec<(String, Role)> {
        let Some(watch) = self.tour.watch() else { return Vec::new() };
        let Some(start) = &self.scene.tally.start else { return Vec::new() };
        let mut truth = Vec::new();
        if watch.recorded {
            truth.push(("recorded".to_owned(), Role::Warning));
        }
        let source = match start.hz {
            Some(hz) => format!("{} at {hz} Hz", start.source),
            None => start.source.to_string(),
        };
        truth.push((source, Role::Dim));
        truth.push((put::count(start.cpus.len() as u64, "core", "cores"), Role::Dim));
        if start.source == Source::Unwatched {
            return truth;
        }
        truth.push(match self.scene.tally.lost {
            0 => ("nothing lost".to_owned(), Role::Dim),
            n => (format!("{} lost", put::thousands(n)), Role::Warning),
        });
        truth
    }

    /// What a click at (`x`, `y`) hits.
    #[must_use]
    pub fn hit(&self, area: Rect, x: u16, y: u16) -> Option<Click> {
        if TooSmall::applies(area) || self.tour.help.is_some() {
            return None;
        }
        let body = Parts::of(area).body;
        match &self.tour.screen {
            Screen::Catalogue(_) => self.hit_catalogue(body, x, y),
            Screen::Lesson(player) => self.hit_step(player, body, x, y),
            Screen::Present(..) => None,
            Screen::Replay(watch) => self.hit_stage(watch, body, x, y),
            Screen::Ledger(page) => self.hit_ledger(page, body, x, y),
        }
    }

    /// The pane that the wheel turns over at (`x`, `y`).
    #[must_use]
    pub fn pane_at(&self, area: Rect, x: u16, y: u16) -> Pane {
        match &self.tour.screen {
            Screen::Catalogue(_) => Pane::Text,
            Screen::Lesson(player) => self.pane_of(player, Parts::of(area).body, x, y),
            Screen::Present(player, _) => {
                if player.watch.is_some() {
                    Pane::Stage
                } else {
                    Pane::Text
                }
            }
            Screen::Replay(_) => Pane::Stage,
            Screen::Ledger(page) => match self.hit_ledger(page, Parts::of(area).body, x, y) {
                Some(Click::Side(Side::Stage) | Click::Worker(_) | Click::Moment(..)) => Pane::Stage,
                _ => Pane::Text,
            },
        }
    }
}

#[cfg(test)]
mod tests;
