//! What is clicked, and what is scrolled.

use super::event::{Click, Effect};
use super::{Screen, Scrolled, Sight, Tour};
use crate::scene::Scene;

impl Tour {
    /// What was drawn: how far the text can be scrolled, how much of a question lies below, and where it stands; and the same
    /// of the stage.
    pub(super) fn drawn(&mut self, (text, below, scroll): (usize, usize, usize), stage: Scrolled) {
        if let Some(watch) = self.watch_mut() {
            watch.scrolled.found(stage);
        }
        if let Some(player) = self.player_mut() {
            player.scroll = scroll.min(text);
            player.below = below;
        }
        if let Some(page) = self.page_mut() {
            page.scroll = scroll.min(text);
        }
    }

    pub(super) fn scroll(&mut self, lines: i32) {
        let by = |n: usize| n.saturating_add_signed(isize::try_from(lines).unwrap_or(0));
        if let Some(help) = &mut self.help {
            *help = by(*help);
            return;
        }
        let lessons = &self.lessons;
        match &mut self.screen {
            Screen::Catalogue(catalogue) => catalogue.move_by(lines, lessons.len()),
            Screen::Lesson(player) | Screen::Present(player, _) => {
                player.scroll = by(player.scroll);
                player.sight = Sight::Scrolled;
            }
            Screen::Replay(_) => {}
            Screen::Ledger(_) => self.scroll_ledger(lines),
        }
    }

    pub(super) fn click(&mut self, click: Click, scene: &Scene) -> Vec<Effect> {
        match click {
            Click::Lesson(n) => {
                let Screen::Catalogue(catalogue) = &mut self.screen else { return Vec::new() };
                // The first click chooses, the second opens: a slip of the hand does not leave the page.
                if catalogue.cursor == n {
                    return self.open_chosen();
                }
                catalogue.cursor = n;
                Vec::new()
            }
            Click::Option(n) if self.page().is_some() => self.click_answer(n),
            Click::Option(n) => {
                self.choose_option(Some(n));
                Vec::new()
            }
            Click::Claim(n) => {
                self.click_claim(n);
                Vec::new()
            }
            Click::Side(side) => {
                if let Some(page) = self.page_mut() {
                    page.side = side;
                }
                Vec::new()
            }
            Click::Worker(name) => {
                if let Some(watch) = self.watch_mut() {
                    watch.chosen = Some(name);
                }
                Vec::new()
            }
            Click::Moment(cpu, t) => self.watch_mut().map_or_else(Vec::new, |watch| watch.pause_at(cpu, t, scene)),
            Click::Pane(pane) => {
                self.with_player(|p| p.pane = pane);
                Vec::new()
            }
        }
    }
}
