//! The keys, in a window over the screen: as wide as it must be, scrolled where it is too long.

use crate::view::put::{put, put_line, width};
use crate::view::text::{Piece, wrap};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

/// A window with rows of keys and what they do. A row without keys is a heading.
#[derive(Debug, Clone, Copy)]
pub struct Help<'a> {
    /// How it looks.
    pub theme: &'a Theme,
    /// What stands in the frame.
    pub title: &'a str,
    /// Keys and what they do.
    pub rows: &'a [(String, String)],
    /// Lines that are scrolled past.
    pub scroll: usize,
}

/// Wider than this is hard to read across.
const MOST: u16 = 76;

/// Columns that any one key's name has.
const KEY: usize = 9;

/// Columns of the screen behind that are left at either side, or none.
const RIM: u16 = 4;

impl Help<'_> {
    /// The furthest that it can be scrolled in `area`.
    #[must_use]
    pub fn furthest(&self, area: Rect) -> usize {
        let window = self.window(area);
        self.lines(window.width.saturating_sub(4)).len().saturating_sub(window.height.saturating_sub(2).into())
    }

    fn window(&self, area: Rect) -> Rect {
        let keys = self.keys(area.width);
        let what = self.rows.iter().map(|(_, what)| width(what)).max().unwrap_or(0);
        let wide = u16::try_from(keys + 2 + what + 4).unwrap_or(u16::MAX).max(20);
        let wide = wide.min(MOST).min(area.width);
        // A rim of the screen behind would be too narrow to be told from the window.
        let wide = if area.width - wide < 2 * RIM { area.width } else { wide };
        let lines = u16::try_from(self.lines(wide.saturating_sub(4)).len()).unwrap_or(u16::MAX);
        let high = lines.saturating_add(2).min(area.height);
        Rect { x: area.x + (area.width - wide) / 2, y: area.y + (area.height - high) / 2, width: wide, height: high }
    }

    /// The width of the keys in `room` columns: at most a quarter of it, where one key at least has its place.
    fn keys(&self, room: u16) -> usize {
        let most = usize::from(room / 4).max(KEY);
        self.rows.iter().map(|(keys, _)| width(first_of(keys, most))).max().unwrap_or(0)
    }

    fn lines(&self, room: u16) -> Vec<Line<'static>> {
        let keys = self.keys(room);
        let what = usize::from(room).saturating_sub(keys + 2).max(8);
        let mut lines = Vec::new();
        for (key, text) in self.rows {
            if key.is_empty() {
                if !lines.is_empty() {
                    lines.push(Line::default());
                }
                lines.push(Line::styled(text.clone(), self.theme.style(Role::Heading)));
                continue;
            }
            let style = self.theme.style(Role::Text);
            for (i, mut line) in wrap(&[Piece::new(text.clone(), style)], what).into_iter().enumerate() {
                let key = if i == 0 { first_of(key, keys) } else { "" };
                let pad = " ".repeat(keys.saturating_sub(width(key)));
                line.spans.insert(0, Span::styled(format!("{pad}{key}  "), self.theme.style(Role::Key)));
                lines.push(line);
            }
        }
        lines
    }
}

impl Widget for &Help<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let window = self.window(area);
        if window.width < 4 || window.height < 3 {
            return;
        }
        clear(buf, window);
        buf.set_style(window, self.theme.style(Role::Screen));
        let border = self.theme.style(Role::BorderFocused);
        let (right, bottom) = (window.width - 1, window.height - 1);
        let edge = "─".repeat(usize::from(window.width - 2));
        put(buf, window, 0, 0, &format!("┌{edge}┐"), border);
        put(buf, window, 0, bottom, &format!("└{edge}┘"), border);
        for y in 1..bottom {
            put(buf, window, 0, y, "│", border);
            put(buf, window, right, y, "│", border);
        }
        put(buf, Rect { width: right, ..window }, 2, 0, &format!(" {} ", self.title), self.theme.style(Role::Title));

        let inner = Rect { x: window.x + 2, y: window.y + 1, width: window.width - 4, height: window.height - 2 };
        let lines = self.lines(inner.width);
        let room = usize::from(inner.height);
        let from = self.scroll.min(lines.len().saturating_sub(room));
        for (line, y) in lines.iter().skip(from).take(room).zip(0..) {
            put_line(buf, inner, 0, y, line);
        }
        let (above, below) = (from, lines.len().saturating_sub(from + room));
        let more = [(above, "↑"), (below, "↓")]
            .map(|(n, arrow)| if n > 0 { format!(" {arrow} {n} more ") } else { String::new() });
        put(buf, Rect { width: right, ..window }, 2, bottom, &more.concat(), self.theme.style(Role::Dim));
    }
}

/// As many of the keys, which commas part, as `most` columns hold: the first is the one to learn.
fn first_of(keys: &str, most: usize) -> &str {
    let ends = keys.match_indices(", ").map(|(at, _)| at).chain([keys.len()]);
    ends.take_while(|end| width(&keys[..*end]) <= most).last().map_or(keys, |end| &keys[..end])
}

/// Empties `window`. A wide character whose second half it covers would be drawn over its left edge, so that goes too.
fn clear(buf: &mut Buffer, window: Rect) {
    if let Some(left) = window.x.checked_sub(1) {
        for y in window.top()..window.bottom() {
            if let Some(cell) = buf.cell_mut((left, y)).filter(|c| c.symbol().cell_width() > 1) {
                cell.set_symbol(" ");
            }
        }
    }
    Clear.render(window, buf);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::widget::fixture::{self, shown};
    use insta::assert_snapshot;

    fn rows() -> Vec<(String, String)> {
        [
            ("", "A lesson"),
            ("n, →, Page Down", "the next step"),
            ("b, ←, Page Up", "the step before"),
            ("", "A running demo"),
            ("space", "run it, or stop it and keep what it showed on the screen"),
            ("p", "pause"),
        ]
        .map(|(k, w)| (k.to_owned(), w.to_owned()))
        .into()
    }

    fn help(width: u16, height: u16) -> String {
        let (theme, rows) = (Theme::default(), rows());
        shown(&Help { theme: &theme, title: "Keys", rows: &rows, scroll: 1 }, width, height)
    }

    #[test]
    fn it_is_as_wide_as_it_must_be_and_scrolls() {
        assert_snapshot!(format!("{}----\n{}", help(90, 12), help(40, 7)));
    }

    #[test]
    fn it_scrolls_no_further_than_its_end() {
        let (theme, rows) = (Theme::default(), rows());
        let help = Help { theme: &theme, title: "Keys", rows: &rows, scroll: 0 };
        assert_eq!(help.furthest(Rect::new(0, 0, 90, 40)), 0);
        assert_eq!(help.furthest(Rect::new(0, 0, 90, 5)), 5);
    }

    #[test]
    fn a_wide_character_under_the_left_edge_is_taken_away() {
        let (theme, rows) = (Theme::default(), rows());
        let area = Rect::new(0, 0, 100, 11);
        let mut buf = Buffer::empty(area);
        let help = Help { theme: &theme, title: "Keys", rows: &rows, scroll: 0 };
        let left = help.window(area).x;
        buf.set_string(left - 1, 5, "线", ratatui::style::Style::new());
        help.render(area, &mut buf);
        assert_eq!((buf[(left - 1, 5)].symbol(), buf[(left, 5)].symbol()), (" ", "│"));
    }

    #[test]
    fn any_size_is_safe() {
        fixture::any_size(help);
    }
}
