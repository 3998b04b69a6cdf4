//! A step beside its stage.

use super::panel::{Panes, panel};
use super::put::{put_line, put_right};
use super::theme::Role;
use super::{Extent, View};
use crate::fact::clean_line;
use crate::tour::{Click, Pane, Player};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

impl View<'_> {
    pub(super) fn step(&self, player: &Player, body: Rect, buf: &mut Buffer) -> Extent {
        let panes = self.panes(player, body);
        let extent = self.words(player, panes.text, buf);
        if let Some(watch) = &player.watch
            && panes.stage.height > 0
        {
            self.stage(watch, player.pane == Pane::Stage, panes.stage, buf);
        }
        extent
    }

    fn panes(&self, player: &Player, body: Rect) -> Panes {
        Panes::of(body, player.pane, player.watch.is_some())
    }

    fn words(&self, player: &Player, area: Rect, buf: &mut Buffer) -> Extent {
        let Some(step) = self.tour.step() else { return Extent::default() };
        if area.width == 0 || area.height == 0 {
            return Extent { text: usize::MAX, below: 0 };
        }
        let focused = player.pane == Pane::Text || player.watch.is_none();
        let inner = reading(panel(self.theme, &clean_line(&step.title), "", focused, area, buf));
        let document = self.document(player, step, inner.width);
        let beyond = document.lines.len().saturating_sub(inner.height.into());
        let scroll = player.scroll.min(beyond);
        for (y, line) in (0..inner.height).zip(document.lines.iter().skip(scroll)) {
            put_line(buf, inner, 0, y, line);
        }
        if scroll < beyond {
            let words = format!(" ↓ {} more ", beyond - scroll);
            put_right(buf, area, area.width.saturating_sub(2), area.height - 1, &words, self.theme.style(Role::Accent));
        }
        Extent { text: beyond, below: document.below(scroll, inner.height) }
    }

    pub(super) fn hit_step(&self, player: &Player, body: Rect, x: u16, y: u16) -> Option<Click> {
        let panes = self.panes(player, body);
        let at = (x, y).into();
        if panes.stage.contains(at) {
            let hit = player.watch.as_ref().and_then(|watch| self.hit_stage(watch, panes.stage, x, y));
            return Some(hit.unwrap_or(Click::Pane(Pane::Stage)));
        }
        if !panes.text.contains(at) {
            return None;
        }
        let step = self.tour.step()?;
        let area = panes.text;
        let inner = reading(Rect {
            x: area.x + 2,
            y: area.y + 1,
            width: area.width.saturating_sub(4),
            height: area.height.saturating_sub(2),
        });
        let document = self.document(player, step, inner.width);
        let scroll = player.scroll.min(document.lines.len().saturating_sub(inner.height.into()));
        let line = usize::from(y.checked_sub(inner.y)?) + scroll;
        let option = document.options.iter().rposition(|begins| *begins <= line).filter(|_| line < document.ends);
        Some(option.map_or(Click::Pane(Pane::Text), Click::Option))
    }
}

/// Lines longer than this tire the eye.
const MEASURE: u16 = 76;

fn reading(inner: Rect) -> Rect {
    let width = inner.width.min(MEASURE);
    Rect { x: inner.x + (inner.width - width) / 2, width, ..inner }
}
