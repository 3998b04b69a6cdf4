//! Writing into a buffer without ever leaving it, and numbers and words as they are shown.

use crate::fact::Nanos;
pub use crate::fact::thousands;
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;

/// How many columns `text` takes, counted as the buffer counts: grapheme by grapheme.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true).map(|g| usize::from(g.cell_width())).sum()
}

/// `text` cut to `most` columns, with `…` in the last where something was cut.
#[must_use]
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if width(text) <= most {
        return Cow::Borrowed(text);
    }
    if most == 0 {
        return Cow::Borrowed("");
    }
    let mut out = String::new();
    let mut left = most - 1;
    for grapheme in text.graphemes(true) {
        let wide = usize::from(grapheme.cell_width());
        if wide > left {
            break;
        }
        left -= wide;
        out.push_str(grapheme);
    }
    out.push('…');
    Cow::Owned(out)
}

/// Writes `text` at column `x` of row `y`, both counted from the corner of `area`, cut where the area ends. Returns the
/// column after it.
pub fn put(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    let area = area.intersection(buf.area);
    if x >= area.width || y >= area.height {
        return x.saturating_add(u16::try_from(width(text)).unwrap_or(u16::MAX));
    }
    let text = cut(text, usize::from(area.width - x));
    buf.set_stringn(area.x + x, area.y + y, &text, usize::from(area.width - x), style).0 - area.x
}

/// Writes `text` so that it ends before column `end`. Nothing if it does not fit.
pub fn put_right(buf: &mut Buffer, area: Rect, end: u16, y: u16, text: &str, style: Style) {
    if let Some(x) = u16::try_from(width(text)).ok().and_then(|w| end.checked_sub(w)) {
        put(buf, area, x, y, text, style);
    }
}

/// Writes a line of spans as [`put`] does.
pub fn put_line(buf: &mut Buffer, area: Rect, x: u16, y: u16, line: &Line<'_>) -> u16 {
    line.spans.iter().fold(x, |x, span| put(buf, area, x, y, &span.content, line.style.patch(span.style)))
}

/// Lays `style` over `width` cells from column `x` of row `y` of `area`.
pub fn paint(buf: &mut Buffer, area: Rect, x: u16, y: u16, width: u16, style: Style) {
    let area = area.intersection(buf.area);
    if x < area.width && y < area.height {
        buf.set_style(Rect::new(area.x + x, area.y + y, width.min(area.width - x), 1), style);
    }
}

/// "1 time", "1,051 times".
#[must_use]
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

/// A moment as seconds, to a tenth of a millisecond: "1.2340 s".
#[must_use]
pub fn moment(t: Nanos) -> String {
    format!("{:.4} s", t.seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_commas() {
        assert_eq!([0, 999, 1_000, 1_051, 1_234_567].map(thousands), ["0", "999", "1,000", "1,051", "1,234,567"]);
        assert_eq!((count(1, "time", "times"), count(0, "time", "times")), ("1 time".into(), "0 times".into()));
        assert_eq!(moment(Nanos(1_234_012_345)), "1.2340 s");
    }

    #[test]
    fn what_is_cut_fits() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("线程与进程", 4), "线…");
        assert_eq!((cut("线", 1), cut("ab", 0)), ("…".into(), "".into()));
    }

    #[test]
    fn nothing_is_written_outside() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 2));
        let area = Rect::new(2, 1, 50, 50);
        assert_eq!(put(&mut buf, area, 0, 0, "线程", Style::new()), 1, "a wide character does not fit beside the cut");
        put(&mut buf, area, 9, 0, "x", Style::new());
        put(&mut buf, area, 0, 9, "x", Style::new());
        put_right(&mut buf, area, 2, 0, "xyz", Style::new());
        paint(&mut buf, area, 1, 0, 900, Style::new().bold());
        assert_eq!(buf.content().iter().map(|c| c.symbol()).collect::<String>(), "      … ");
    }
}
