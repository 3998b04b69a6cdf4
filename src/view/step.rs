//! A step beside its stage.

use super::document::{Answered, Document};
use super::panel::{Panes, inside, panel};
use super::put::{put_line, put_right, width};
use super::theme::Role;
use super::{Extent, View};
use crate::fact::clean_line;
use crate::lesson::{Block, Step};
use crate::tour::{Click, Pane, Player};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

impl View<'_> {
    pub(super) fn step(&self, player: &Player, body: Rect, buf: &mut Buffer) -> Extent {
        let (panes, document) = self.panes(player, body);
        let mut extent = self.words(player, &document, panes.text, buf);
        if let Some(watch) = &player.watch
            && panes.stage.height > 0
        {
            extent.stage = self.stage(watch, player.pane == Pane::Stage, panes.stage, buf);
        }
        extent
    }

    /// The panes, and the words that stand in the text's.
    fn panes(&self, player: &Player, body: Rect) -> (Panes, Document) {
        let columns = self.tour.step().map_or(0, drawn);
        let of = |rows| Panes::of(body, player.pane, player.watch.is_some(), rows, columns);
        let width = reading(inside(of(0).text)).width;
        let document = self.tour.step().filter(|_| width > 0).map(|step| self.document(player, step, width));
        let document = document.unwrap_or_default();
        (of(document.answer.map_or(0, Answered::rows)), document)
    }

    fn words(&self, player: &Player, document: &Document, area: Rect, buf: &mut Buffer) -> Extent {
        let Some(step) = self.tour.step() else { return Extent::default() };
        if area.width == 0 || area.height == 0 {
            return Extent { text: usize::MAX, scroll: player.scroll, ..Extent::default() };
        }
        let focused = player.pane == Pane::Text || player.watch.is_none();
        let inner = reading(panel(self.theme, &clean_line(&step.title), "", focused, area, buf));
        let (scroll, beyond) = document.scroll(player, inner.height);
        for (y, line) in (0..inner.height).zip(document.lines.iter().skip(scroll)) {
            put_line(buf, inner, 0, y, line);
        }
        if scroll < beyond {
            let words = format!(" ↓ {} more ", beyond - scroll);
            put_right(buf, area, area.width.saturating_sub(2), area.height - 1, &words, self.theme.style(Role::Accent));
        }
        Extent { text: beyond, below: document.below(scroll, inner.height), scroll, ..Extent::default() }
    }

    pub(super) fn pane_of(&self, player: &Player, body: Rect, x: u16, y: u16) -> Pane {
        if self.panes(player, body).0.stage.contains((x, y).into()) { Pane::Stage } else { Pane::Text }
    }

    pub(super) fn hit_step(&self, player: &Player, body: Rect, x: u16, y: u16) -> Option<Click> {
        let (panes, document) = self.panes(player, body);
        let at = (x, y).into();
        if panes.stage.contains(at) {
            let hit = player.watch.as_ref().and_then(|watch| self.hit_stage(watch, panes.stage, x, y));
            return Some(hit.unwrap_or(Click::Pane(Pane::Stage)));
        }
        if !panes.text.contains(at) {
            return None;
        }
        let inner = reading(inside(panes.text));
        let (scroll, _) = document.scroll(player, inner.height);
        let line = usize::from(y.checked_sub(inner.y)?) + scroll;
        let option = document.options.iter().rposition(|begins| *begins <= line).filter(|_| line < document.ends);
        Some(option.map_or(Click::Pane(Pane::Text), Click::Option))
    }
}

/// Columns of the widest drawing of a step: it is the only thing in it that cannot be wrapped.
fn drawn(step: &Step) -> u16 {
    let lines = step
        .blocks
        .iter()
        .flat_map(|block| if let Block::Picture(drawing) = block { drawing.lines() } else { "".lines() });
    u16::try_from(lines.map(width).max().unwrap_or(0)).unwrap_or(u16::MAX)
}

/// Lines longer than this tire the eye.
const MEASURE: u16 = 76;

fn reading(inner: Rect) -> Rect {
    let width = inner.width.min(MEASURE);
    Rect { x: inner.x + (inner.width - width) / 2, width, ..inner }
}
