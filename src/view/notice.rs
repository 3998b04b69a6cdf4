//! A sentence for the learner at the foot of the screen: whole, or with what can be spared left out of its paths.

use super::View;
use super::put::{cut, put, width};
use super::text::{Piece, wrap};
use super::theme::Role;
use crate::fact::clean_line;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};
use std::borrow::Cow;

/// Rows that a sentence may cover, of a screen that is high enough.
const ROWS: u16 = 3;

impl View<'_> {
    /// Writes `words` in the last row of `area`, and over those above it if they are longer than a row.
    pub(super) fn notice(&self, words: &str, area: Rect, buf: &mut Buffer) {
        let words = clean_line(words);
        let room = usize::from(area.width.saturating_sub(2));
        let most = ROWS.min(area.height / 4).max(1);
        let style = self.theme.style(Role::Warning);
        // In a row if it can be; what cannot keeps its paths as far as the rows do, a fifth of which is lost to line breaks.
        let mut text = shorten(&words, room);
        if width(&text) > room {
            text = shorten(&words, room * usize::from(most) * 4 / 5);
        }
        let mut lines = wrap(&[Piece::new(text.into_owned(), style)], room.max(1));
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(most).min(area.height);
        if let Some(rest) = lines.len().checked_sub(usize::from(rows)).filter(|rest| *rest > 0) {
            let last: String =
                lines.split_off(usize::from(rows) - 1).iter().take(rest + 1).map(|l| format!("{l} ")).collect();
            lines.push(cut(last.trim_end(), room).into_owned().into());
        }
        let place = Rect { y: area.bottom() - rows, height: rows, ..area };
        Clear.render(place, buf);
        buf.set_style(place, self.theme.style(Role::Screen));
        for (line, y) in lines.iter().zip(0..rows) {
            put(buf, place, 1, y, &line.to_string(), style);
        }
    }
}

/// `text` with directories left out of the middle of its paths, until it takes `most` columns or no path has any to spare.
/// The file's name stays.
fn shorten(text: &str, most: usize) -> Cow<'_, str> {
    let mut words: Vec<Cow<'_, str>> = text.split(' ').map(Cow::Borrowed).collect();
    let all = |words: &[Cow<'_, str>]| words.iter().map(|word| width(word)).sum::<usize>() + words.len() - 1;
    while all(&words) > most {
        let spare = words.iter().enumerate().filter_map(|(n, word)| Some((width(word), n, without_one(word)?)));
        let Some((_, n, shorter)) = spare.max_by_key(|(wide, ..)| *wide) else { break };
        words[n] = Cow::Owned(shorter);
    }
    if words.iter().all(|word| matches!(word, Cow::Borrowed(_))) { Cow::Borrowed(text) } else { words.join(" ").into() }
}

/// A path with one directory fewer, `…` for those that are gone; none if it has none to spare.
fn without_one(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    // The root, or what a relative path begins with, and the name.
    let first = if parts.first()?.is_empty() { 2 } else { 1 };
    let last = parts.len().checked_sub(1)?;
    match parts.iter().position(|part| *part == "…") {
        None if last > first => parts[usize::midpoint(first, last - 1)] = "…",
        Some(gap) if gap > first => _ = parts.remove(gap - 1),
        Some(gap) if gap + 1 < last => _ = parts.remove(gap + 1),
        Some(1) | None => return None,
        Some(gap) => _ = parts.remove(gap - 1),
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_middle_and_keep_their_ends() {
        let text = "cannot create /home/somebody/.local/state/forklore: Permission denied (os error 13)";
        assert_eq!(shorten(text, 200), text);
        assert_eq!(shorten(text, 80), "cannot create /home/somebody/…/state/forklore: Permission denied (os error 13)");
        assert_eq!(shorten(text, 40), "cannot create /…/forklore: Permission denied (os error 13)");
        assert_eq!(shorten("no path at all", 5), "no path at all");
        assert_eq!(shorten("", 0), "");
        let two = "/a/long/way/progress.json cannot be read; it was moved to /a/long/way/progress.json.bad-1790000000";
        assert_eq!(
            shorten(two, 60),
            "/…/progress.json cannot be read; it was moved to /…/progress.json.bad-1790000000"
        );
        assert_eq!(shorten("lessons/en/a/b/one.md:3: wrong", 10), "lessons/…/one.md:3: wrong");
    }
}
