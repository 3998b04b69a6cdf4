//! The projector's screen: the step reduced to its headline and its question, the stage large, no chrome.

use super::put::{put, put_line, put_right};
use super::theme::Role;
use super::{Extent, View};
use crate::fact::clean_line;
use crate::tour::{Clock, Player};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

impl View<'_> {
    pub(super) fn present(&self, player: &Player, clock: Clock, area: Rect, buf: &mut Buffer) -> Extent {
        let Some(step) = self.tour.step() else { return Extent::default() };
        let inner = Rect {
            x: area.x + 2,
            y: area.y + u16::from(area.height > 20),
            width: area.width.saturating_sub(4),
            height: area.height.saturating_sub(1 + u16::from(area.height > 20)),
        };
        put(buf, inner, 0, 0, &clean_line(&step.title), self.theme.style(Role::Heading));
        if clock.shown {
            let time = format!("{}:{:02}", clock.seconds / 60, clock.seconds % 60);
            put_right(buf, inner, inner.width, 0, &time, self.theme.style(Role::Dim));
        }
        let below = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
        let extent = match &player.watch {
            None => self.large(player, below, buf),
            Some(watch) => {
                let asked = self.asked_lines(player, below.width);
                let high = u16::try_from(asked.len()).unwrap_or(u16::MAX).min(below.height / 3);
                for (y, line) in (0..high).zip(&asked) {
                    put_line(buf, below, 0, y, line);
                }
                let gap = u16::from(high > 0);
                let stage = Rect { y: below.y + high + gap, height: below.height.saturating_sub(high + gap), ..below };
                Extent { stage: self.stage(watch, false, stage, buf), ..Extent::default() }
            }
        };
        if let Some(notice) = &self.tour.notice {
            self.notice(notice, area, buf);
        }
        extent
    }

    /// The words of a step without a run, in the middle of the screen.
    fn large(&self, player: &Player, area: Rect, buf: &mut Buffer) -> Extent {
        let Some(step) = self.tour.step() else { return Extent::default() };
        let wide = area.width.min(72);
        let document = self.document(player, step, wide);
        let widest = document.lines.iter().map(Line::width).max().unwrap_or(0);
        let wide = u16::try_from(widest).unwrap_or(wide).min(wide).max(wide.min(40));
        let (scroll, beyond) = document.scroll(player, area.height);
        let high = u16::try_from(document.lines.len()).unwrap_or(u16::MAX).min(area.height);
        let middle = Rect {
            x: area.x + (area.width - wide) / 2,
            y: area.y + (area.height - high) / 3,
            width: wide,
            height: high,
        };
        for (y, line) in (0..high).zip(document.lines.iter().skip(scroll)) {
            put_line(buf, middle, 0, y, line);
        }
        Extent { text: beyond, below: document.below(scroll, high), scroll, ..Extent::default() }
    }

    /// The question that waits, or that was answered last, for above the stage.
    fn asked_lines(&self, player: &Player, room: u16) -> Vec<Line<'static>> {
        let last = || player.asked.iter().rev().find(|asked| asked.afterwards && asked.chosen.is_some());
        let first = || player.asked.iter().find(|asked| !asked.afterwards);
        let asked = player.asking().or_else(last).or_else(first);
        asked.map(|asked| self.asked(player, asked, room)).unwrap_or_default()
    }
}
