//! A message about a lesson: what is wrong, where to the character, and what to do about it. Knows no lesson, only places.

use super::Pos;
use crate::fact::clean_line;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Part of the lesson cannot be shown or will not do what it says.
    Error,
    /// The lesson works; it could be better.
    Warning,
}

/// One message about one place in a lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file as it was named.
    pub file: String,
    /// Where.
    pub pos: Pos,
    /// How many characters it is about, from `pos` on; at least 1.
    pub width: usize,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, as a sentence without its full stop.
    pub sentence: String,
    /// What to do.
    pub remedy: Option<String>,
}

/// Characters of a source line that are shown. Of a longer one, half of them before the place and half from it on.
const SHOWN: usize = 120;

impl Diagnostic {
    /// An error at `at`: a place and how many characters wide it is.
    #[must_use]
    pub fn error(file: &str, at: (Pos, usize), sentence: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            pos: at.0,
            width: at.1.max(1),
            severity: Severity::Error,
            sentence: sentence.into(),
            remedy: None,
        }
    }

    /// A warning at `at`.
    #[must_use]
    pub fn warning(file: &str, at: (Pos, usize), sentence: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(file, at, sentence) }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn help(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// The same, with “did you mean” if one of `known` is close to `word`.
    #[must_use]
    pub fn did_you_mean<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, known) {
            Some(near) => self.help(format!("did you mean “{near}”?")),
            None => self,
        }
    }

    /// The message with the line of `source` that it is about and a caret under the place, ending in a line feed.
    /// Nothing in it can act on a terminal.
    #[must_use]
    pub fn render(&self, source: &str) -> String {
        let kind = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Pos { line, column } = self.pos;
        let mut out = format!("{}:{line}:{column}: {kind}: {}\n", clean_line(&self.file), clean_line(&self.sentence));
        if let Some(text) = line.checked_sub(1).and_then(|n| lines(source).nth(n)) {
            let [before, place, after] = self.cut(text);
            let gutter = " ".repeat(line.to_string().len());
            let under = " ".repeat(before.width());
            let carets = "^".repeat(place.width().max(1));
            let shown = format!("{line} | {before}{place}{after}");
            let _ = write!(out, "{gutter} |\n{}\n{gutter} | {under}{carets}\n", shown.trim_end());
        }
        if let Some(remedy) = &self.remedy {
            let _ = writeln!(out, "help: {}", clean_line(remedy));
        }
        out
    }

    /// The line before, at and after the place, fit to be shown.
    fn cut(&self, text: &str) -> [String; 3] {
        let column = self.pos.column.saturating_sub(1);
        let long = text.chars().nth(SHOWN).is_some();
        let from = if long { column.saturating_sub(SHOWN / 2) } else { 0 };
        let room = if long { SHOWN / 2 } else { SHOWN };
        let width = self.width.min(room);
        let take = |from: usize, n: usize| clean_line(&text.chars().skip(from).take(n).collect::<String>());
        let mut before = take(from, column - from);
        if from > 0 {
            before.insert(0, '…');
        }
        let mut after = take(column + width, room - width);
        if text.chars().nth(column + room).is_some() {
            after.push('…');
        }
        [before, take(column, width), after]
    }
}

/// Lines as markdown counts them: ended by a line feed, a carriage return, or both.
pub(super) fn lines(source: &str) -> impl Iterator<Item = &str> {
    source.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// The one of `known` that `word` was probably meant to be: the closest by edit distance, if it is close.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > 64 {
        return None;
    }
    let close = (length / 3).max(1);
    known.into_iter().map(|k| (distance(word, k), k)).filter(|(d, _)| *d <= close).min().map(|(_, k)| k)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = [Vec::new(), (0..=b.len()).collect::<Vec<usize>>(), Vec::new()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[1][j] + 1).min(row[j - 1] + 1).min(rows[1][j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[0][j - 2] + 1);
            }
            row.push(least);
        }
        rows = [std::mem::take(&mut rows[1]), row, Vec::new()];
    }
    rows[1][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize, width: usize) -> Diagnostic {
        Diagnostic::error("a.md", (Pos { line, column }, width), "it is wrong").help("mend it")
    }

    #[test]
    fn the_caret_stands_under_the_place() {
        assert_eq!(
            at(2, 5, 3).render("one\ntwo bad\n"),
            "a.md:2:5: error: it is wrong\n  |\n2 | two bad\n  |     ^^^\nhelp: mend it\n"
        );
    }

    #[test]
    fn wide_characters_and_tabs_move_it() {
        assert_eq!(
            at(1, 4, 2).render("线\t程错误"),
            "a.md:1:4: error: it is wrong\n  |\n1 | 线    程错误\n  |         ^^^^\nhelp: mend it\n"
        );
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let shown = at(1, 30_001, 3).render(&format!("{}bad{}", "a".repeat(30_000), "b".repeat(30_000)));
        assert_eq!(shown.lines().nth(2).map(str::len), Some("1 | ".len() + SHOWN + 2 * '…'.len_utf8()));
        assert!(shown.contains("aaabadbbb"), "{shown}");
    }

    #[test]
    fn a_place_outside_the_source_and_hostile_words_do_no_harm() {
        let mut wrong = at(99, 99, 9);
        wrong.sentence = "bad \u{1b}[31m".into();
        assert_eq!(wrong.render("x"), "a.md:99:99: error: bad \u{fffd}[31m\nhelp: mend it\n");
        assert!(at(1, 1, 1).render("").contains("1 |\n  | ^"));
        assert!(!at(1, 1, 3).render("\u{1b}]8;;x\u{7}").contains('\u{1b}'));
    }

    #[test]
    fn all_three_line_ends_count() {
        assert_eq!(lines("a\r\nb\rc\nd").collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    }

    #[test]
    fn the_nearest_word_is_close_or_none() {
        let known = ["survivors", "signal", "tabs"];
        assert_eq!(nearest("surviors", known), Some("survivors"));
        assert_eq!(nearest("tbas", known), Some("tabs"));
        assert_eq!(nearest("counter", known), None);
        assert_eq!((distance("kitten", "sitting"), distance("ab", "ba"), distance("", "abc")), (3, 1, 3));
    }
}
