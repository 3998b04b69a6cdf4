//! The first and the last line of the screen, fitted to any width by leaving parts out in order.

use crate::view::put::{cut, put, put_right, width};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

/// The header: ` forklore   4 One core   step 3/7   exact · 2 cores · nothing lost`.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// How it looks.
    pub theme: &'a Theme,
    /// What is open: a lesson with its number, a demo, a recording. Cut when only how we know is left beside it.
    pub title: &'a str,
    /// Where one is in it: "step 3/7".
    pub place: &'a str,
    /// How we know, most important first; the last is left out first. A role tells what is to be minded.
    pub truth: &'a [(&'a str, Role)],
}

/// The footer: ` space run  p pause ... ? help  q leave`.
#[derive(Debug, Clone, Copy)]
pub struct Footer<'a> {
    /// How it looks.
    pub theme: &'a Theme,
    /// Keys and what they do, most important first.
    pub keys: &'a [(&'a str, &'a str)],
    /// How many of the last keys stay when others are left out: help and leave.
    pub keep: usize,
}

const NAME: &str = "forklore";

/// On fewer columns the title stands alone.
const TITLE: usize = 30;

impl Widget for &Header<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let room = usize::from(area.width);
        let separate = |texts: &[(&str, Role)]| texts.iter().map(|(t, _)| width(t) + 3).sum::<usize>();
        let place = if self.place.is_empty() { 0 } else { width(self.place) + 3 };
        let need = |name: bool, place: usize, truth: usize| {
            1 + if name { NAME.len() + 3 } else { 0 } + width(self.title) + place + separate(&self.truth[..truth]) + 1
        };
        // What is left out, one after the other: facts from the last to the second, our own name, the place.
        let all = self.truth.len();
        let least = all.min(1);
        let mut tries: Vec<(bool, usize, usize)> = (least..=all).rev().map(|n| (true, place, n)).collect();
        tries.extend([(false, place, least), (false, 0, least)]);
        let fits = tries.into_iter().find(|(name, place, truth)| need(*name, *place, *truth) <= room);
        // A live picture always says how we know: rather is the title cut.
        let (name, place, truth) = fits.unwrap_or((false, 0, if room < TITLE { 0 } else { least }));

        let dim = self.theme.style(Role::Dim);
        let mut x = 1;
        if name {
            x = put(buf, area, x, 0, NAME, self.theme.style(Role::Accent)) + 3;
        }
        let beside = separate(&self.truth[..truth]);
        put(buf, area, x, 0, &cut(self.title, room.saturating_sub(2 + beside)), self.theme.style(Role::Title));
        let mut end = area.width.saturating_sub(1);
        for (i, (text, role)) in self.truth[..truth].iter().enumerate().rev() {
            put_right(buf, area, end, 0, text, self.theme.style(*role));
            end = end.saturating_sub(u16::try_from(width(text) + 3).unwrap_or(u16::MAX));
            if i > 0 {
                put(buf, area, end + 1, 0, "·", dim);
            }
        }
        if place > 0 {
            put_right(buf, area, end, 0, self.place, dim);
        }
    }
}

impl Widget for &Footer<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let room = usize::from(area.width);
        let wide = |(key, what): &(&str, &str)| width(key) + 1 + width(what) + 2;
        let (first, last) = self.keys.split_at(self.keys.len().saturating_sub(self.keep));
        let kept: usize = last.iter().map(wide).sum();
        let mut used = 1 + kept;
        let fits = first.iter().take_while(|key| {
            used += wide(key);
            // Two columns behind the last key may be missing.
            used <= room + 2
        });
        let mut x = 1;
        for (key, what) in fits.chain(last) {
            x = put(buf, area, x, 0, key, self.theme.style(Role::Key)).saturating_add(1);
            x = put(buf, area, x, 0, what, self.theme.style(Role::Dim)).saturating_add(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::widget::fixture::{self, shown};
    use insta::assert_snapshot;

    fn header(width: u16, height: u16) -> String {
        let theme = Theme::default();
        let truth = [("exact", Role::Good), ("2 cores", Role::Dim), ("nothing lost", Role::Dim)];
        let title = "4 One core: the scheduler's illusion";
        shown(&Header { theme: &theme, title, place: "step 3/7", truth: &truth }, width, height)
    }

    fn footer(width: u16, height: u16) -> String {
        let theme = Theme::default();
        let keys = [
            ("space", "run"),
            ("p", "pause"),
            ("n/b", "step"),
            ("[ ]", "zoom"),
            ("+ -", "workers"),
            ("?", "help"),
            ("q", "leave"),
        ];
        shown(&Footer { theme: &theme, keys: &keys, keep: 2 }, width, height)
    }

    #[test]
    fn parts_are_left_out_in_order() {
        let lines: String = [110, 90, 80, 70, 60, 50, 40, 20].map(|w| header(w, 1)).concat();
        let keys: String = [80, 50, 40, 30, 20, 10].map(|w| footer(w, 1)).concat();
        assert_snapshot!(format!("{lines}----\n{keys}"));
    }

    #[test]
    fn any_size_is_safe() {
        fixture::any_size(header);
        fixture::any_size(footer);
    }
}
