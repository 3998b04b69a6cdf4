//! A framed panel with a title on the left and a word on the right, and how panels share the screen.

use super::put::{cut, put, put_right, width};
use super::theme::{Role, Theme};
use crate::tour::Pane;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Widget};

/// Draws the frame; the room inside, one blank column at each side.
pub(super) fn panel(theme: &Theme, title: &str, right: &str, focused: bool, area: Rect, buf: &mut Buffer) -> Rect {
    let area = area.intersection(buf.area);
    if area.width < 4 || area.height < 2 {
        return Rect { width: 0, height: 0, ..area };
    }
    let border = theme.style(if focused { Role::BorderFocused } else { Role::Border });
    let kind = if focused { BorderType::Thick } else { BorderType::Plain };
    Block::bordered().border_type(kind).border_style(border).render(area, buf);
    let room = usize::from(area.width.saturating_sub(6));
    let right_room = if width(title) + width(right) + 2 <= room { width(right) + 2 } else { 0 };
    let title = cut(title, room.saturating_sub(right_room));
    if !title.is_empty() {
        put(buf, area, 2, 0, &format!(" {title} "), theme.style(Role::Title));
    }
    if right_room > 0 && !right.is_empty() {
        put_right(buf, area, area.width.saturating_sub(2), 0, &format!(" {right} "), theme.style(Role::Dim));
    }
    inside(area)
}

/// The room inside a panel.
pub(super) fn inside(area: Rect) -> Rect {
    Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(4), height: area.height.saturating_sub(2) }
}

/// Where the text and the stage stand; a pane that is not shown has no area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Panes {
    pub(super) text: Rect,
    pub(super) stage: Rect,
}

/// From this width the panes stand side by side.
const BESIDE: u16 = 100;
/// From this height (of the whole screen) they stand one above the other.
const ABOVE: u16 = 24;
/// Rows of a panel's frame.
const FRAME: u16 = 2;
/// Columns of a panel's frame, and of the blanks inside it.
const SIDES: u16 = 4;

/// Whether both panes stand side by side on a screen of this width.
pub(super) fn beside(width: u16) -> bool {
    width >= BESIDE
}

/// Whether only one of two panes has room in `body`.
pub(super) fn one_at_a_time(body: Rect) -> bool {
    !beside(body.width) && body.height + 2 < ABOVE
}

impl Panes {
    /// Side by side from 100 columns, stacked from 24 rows, one at a time below; without a stage the text has it all.
    /// A stage that is looked at leaves the text above it `rows` to read, if that is not more than half; beside it, what
    /// cannot be wrapped has its `columns`, if these are not more than half.
    pub(super) fn of(body: Rect, pane: Pane, stage: bool, rows: u16, columns: u16) -> Self {
        let none = Rect { width: 0, height: 0, ..body };
        if !stage {
            return Self { text: body, stage: none };
        }
        if beside(body.width) {
            let wide = (body.width * 2 / 5).clamp(38, 64).max(columns.saturating_add(SIDES).min(body.width / 2));
            let text = Rect { width: wide, ..body };
            return Self { text, stage: Rect { x: body.x + wide, width: body.width - wide, ..body } };
        }
        if !one_at_a_time(body) {
            let high = match pane {
                Pane::Text => body.height * 3 / 5,
                Pane::Stage => rows.saturating_add(FRAME).min(body.height / 2).max(body.height * 2 / 5),
            };
            let text = Rect { height: high, ..body };
            return Self { text, stage: Rect { y: body.y + high, height: body.height - high, ..body } };
        }
        match pane {
            Pane::Text => Self { text: body, stage: none },
            Pane::Stage => Self { text: none, stage: body },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_share_the_screen_by_its_size() {
        let at = |w, h, pane| Panes::of(Rect::new(0, 1, w, h), pane, true, 0, 0);
        let wide = at(120, 34, Pane::Text);
        assert_eq!((wide.text.width, wide.stage.x, wide.stage.width), (48, 48, 72));
        let small = at(80, 22, Pane::Stage);
        assert_eq!((small.text.height, small.stage.height), (8, 14));
        let tiny = at(40, 10, Pane::Text);
        assert_eq!((tiny.text.height, tiny.stage.height), (10, 0));
        assert_eq!(at(40, 10, Pane::Stage).text.width, 0);
        assert_eq!(Panes::of(Rect::new(0, 1, 80, 22), Pane::Text, false, 0, 0).text.height, 22);
        let drawn = |columns| Panes::of(Rect::new(0, 1, 100, 34), Pane::Text, true, 0, columns).text.width;
        assert_eq!([0, 36, 46, 47, u16::MAX].map(drawn), [40, 40, 50, 50, 50]);
        let reading = |rows| Panes::of(Rect::new(0, 1, 80, 22), Pane::Stage, true, rows, 0).text.height;
        assert_eq!([0, 6, 8, 9, 60, u16::MAX].map(reading), [8, 8, 10, 11, 11, 11]);
        assert_eq!(
            [(80, 22), (80, 21), (100, 21)].map(|(w, h)| one_at_a_time(Rect::new(0, 1, w, h))),
            [false, true, false]
        );
    }
}
