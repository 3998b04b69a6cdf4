//! The sentence that stands where a picture would be broken.

use crate::view::put::put_line;
use crate::view::text::{Piece, wrap};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

/// The least columns and rows that screens are made for.
pub const LEAST: (u16, u16) = (40, 12);

/// A sentence in the middle of a terminal that is too small.
#[derive(Debug, Clone, Copy)]
pub struct TooSmall<'a> {
    /// How it looks.
    pub theme: &'a Theme,
}

impl TooSmall<'_> {
    /// Whether `area` is too small for a screen.
    #[must_use]
    pub fn applies(area: Rect) -> bool {
        area.width < LEAST.0 || area.height < LEAST.1
    }
}

impl Widget for &TooSmall<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let (columns, rows) = LEAST;
        let text = format!(
            "forklore needs {columns} columns and {rows} rows. This terminal has {} and {}.",
            area.width, area.height
        );
        let lines = wrap(&[Piece::new(text, self.theme.style(Role::Text))], area.width.into());
        let high = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let top = area.height.saturating_sub(high) / 2;
        for (line, y) in lines.iter().zip(top..area.height) {
            let wide = u16::try_from(line.width()).unwrap_or(u16::MAX);
            put_line(buf, area, area.width.saturating_sub(wide) / 2, y, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::widget::fixture::{self, shown};
    use insta::assert_snapshot;

    fn small(width: u16, height: u16) -> String {
        shown(&TooSmall { theme: &Theme::default() }, width, height)
    }

    #[test]
    fn the_sentence_stands_in_the_middle() {
        assert!(TooSmall::applies(Rect::new(0, 0, 39, 12)) && !TooSmall::applies(Rect::new(0, 0, 40, 12)));
        assert_snapshot!(format!("{}----\n{}", small(38, 8), small(12, 3)));
    }

    #[test]
    fn any_size_is_safe() {
        fixture::any_size(small);
    }
}
