//! Styled words to lines, broken where Unicode allows it (UAX 14) and measured as the buffer measures.

use crate::view::put::width as width_of;
use icu_segmenter::options::LineBreakOptions;
use icu_segmenter::{LineSegmenter, LineSegmenterBorrowed};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// Where lines may break. Thai, Lao, Khmer and Burmese, which need a dictionary, are broken between characters.
static BREAKS: LineSegmenterBorrowed<'static> = LineSegmenter::new_for_non_complex_scripts(LineBreakOptions::default());

/// Clean words with one style. A `\n` within is a hard break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The words.
    pub text: String,
    /// Their style.
    pub style: Style,
    /// They stay on one line if a line can hold them.
    whole: bool,
}

impl Piece {
    /// `text` in `style`.
    #[must_use]
    pub fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style, whole: false }
    }

    /// The same, kept on one line if a line can hold them.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }
}

/// The lines of `pieces`, none wider than `width` columns; a word wider than that is broken where it must be. At least
/// one line, and none at all for a width of 0.
#[must_use]
pub fn wrap(pieces: &[Piece], width: usize) -> Vec<Line<'static>> {
    if width == 0 {
        return Vec::new();
    }
    let text: String = pieces.iter().map(|p| p.text.as_str()).collect();
    let whole = wholes(pieces);
    let mut lines = Vec::new();
    let mut start = 0;
    for hard in text.split('\n') {
        let within = |at: usize| whole.iter().any(|r| r.start < start + at && start + at < r.end);
        let soft = break_line(hard, width, &within);
        lines.extend(soft.into_iter().map(|r| styled(&text, pieces, start + r.start..start + r.end, width)));
        start += hard.len() + 1;
    }
    lines
}

/// Where pieces stand that are to stay whole; those that touch are one.
fn wholes(pieces: &[Piece]) -> Vec<Range<usize>> {
    let mut whole: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for piece in pieces {
        let end = at + piece.text.len();
        match whole.last_mut().filter(|before| before.end == at) {
            Some(before) if piece.whole => before.end = end,
            _ if piece.whole => whole.push(at..end),
            _ => {}
        }
        at = end;
    }
    whole
}

/// Where `text` is broken: at the end of each stretch that stays together. No end lies `within` what is to stay whole,
/// unless the stretch is wider than a line.
fn ends(text: &str, width: usize, within: &dyn Fn(usize) -> bool) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut from, mut passed) = (0, Vec::new());
    for to in BREAKS.segment_str(text).skip(1) {
        if within(to) {
            passed.push(to);
            continue;
        }
        if width_of(text[from..to].trim_end_matches(' ')) > width {
            ends.append(&mut passed);
        }
        passed.clear();
        ends.push(to);
        from = to;
    }
    ends
}

/// The ranges of `text` that stand on one line each, spaces at their ends left out.
fn break_line(text: &str, width: usize, within: &dyn Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let (mut start, mut end, mut used) = (0, 0, 0);
    let mut from = 0;
    for to in ends(text, width, within) {
        let segment = &text[from..to];
        let words = segment.trim_end_matches(' ');
        let wide = width_of(words);
        if used + wide > width && from > start {
            // Where only spaces stand before, they give way.
            if end > start {
                lines.push(start..end);
            }
            (start, used) = (from, 0);
        }
        end = from + words.len();
        if wide > width {
            let mut at = from;
            for grapheme in words.graphemes(true) {
                let wide = width_of(grapheme);
                if used + wide > width && at > start {
                    lines.push(start..at);
                    (start, used) = (at, 0);
                }
                used += wide;
                at += grapheme.len();
            }
            used += segment.len() - words.len();
        } else {
            used += wide + segment.len() - words.len();
        }
        from = to;
    }
    lines.push(start..end);
    lines
}

/// The part `range` of `text`, the words of all `pieces`, in their styles.
fn styled(text: &str, pieces: &[Piece], range: Range<usize>, width: usize) -> Line<'static> {
    let mut line = Line::default();
    let mut at = 0;
    for piece in pieces {
        let (from, to) = (range.start.max(at), range.end.min(at + piece.text.len()));
        at += piece.text.len();
        if from < to {
            // A style may change within a character and its marks; the buffer then keeps the first.
            line.push_span(Span::styled(text[from..to].to_owned(), piece.style));
        }
    }
    if width == 1 && line.width() > 1 {
        line = Line::styled("…", line.spans.first().map_or(Style::new(), |s| s.style));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        wrap(&[Piece::new(text, Style::new())], width).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn words_stay_whole_and_long_ones_are_broken() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a incomprehensibilities b", 8), ["a", "incompre", "hensibil", "ities b"]);
        assert_eq!(wrapped("fork()ed well-known", 8), ["fork()ed", "well-", "known"]);
        assert_eq!(wrapped("a\nb\n\nc", 5), ["a", "b", "", "c"]);
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("gone", 0), [""; 0]);
    }

    #[test]
    fn chinese_breaks_between_characters_but_not_before_a_stop() {
        assert_eq!(wrapped("线程共享内存，进程不共享。", 8), ["线程共享", "内存，进", "程不共", "享。"]);
        assert_eq!(wrapped("线程 thread 与进程", 9), ["线程", "thread 与", "进程"]);
        assert_eq!(wrapped("线程", 1), ["…", "…"]);
    }

    #[test]
    fn marks_and_joined_emoji_are_not_torn() {
        assert_eq!(wrapped("e\u{301}e\u{301}e\u{301}", 2), ["e\u{301}e\u{301}", "e\u{301}"]);
        assert_eq!(wrapped("👩\u{200d}🚀👩\u{200d}🚀", 3), ["👩\u{200d}🚀", "👩\u{200d}🚀"]);
    }

    #[test]
    fn styles_follow_their_words() {
        let bold = Style::new().bold();
        let pieces =
            [Piece::new("plain ", Style::new()), Piece::new("bold words", bold), Piece::new(" end", Style::new())];
        let lines = wrap(&pieces, 10);
        assert_eq!(lines[0], Line::from(vec![Span::raw("plain "), Span::styled("bold", bold)]));
        assert_eq!(lines[1], Line::from(vec![Span::styled("words", bold), Span::raw(" end")]));
    }

    #[test]
    fn code_is_broken_only_where_a_line_cannot_hold_it() {
        let pieces = |before: &str, code: &str, after: &str| {
            [Piece::new(before, Style::new()), Piece::new(code, Style::new()).whole(), Piece::new(after, Style::new())]
        };
        let broken = |pieces: &[Piece], width| wrap(pieces, width).iter().map(ToString::to_string).collect::<Vec<_>>();
        let grep = pieces("Try grep: ", "grep Sig /proc/PID/status", ", then go on.");
        assert_eq!(broken(&grep, 30), ["Try grep:", "grep Sig /proc/PID/status,", "then go on."]);
        assert_eq!(broken(&grep, 25).concat().replace(' ', ""), "Trygrep:grepSig/proc/PID/status,thengoon.");
        let chinese = pieces("运行", "06-zombie.py -n 2", "，然后再看。");
        assert_eq!(broken(&chinese, 20), ["运行", "06-zombie.py -n 2，", "然后再看。"]);
        let long = pieces("Say ", "one two three four", " or not.");
        assert_eq!(broken(&long, 10), ["Say one", "two three", "four or", "not."], "wider than a line");
        let two =
            [Piece::new("ab cd", Style::new()).whole(), Piece::new("", Style::new()), Piece::new(" ef", Style::new())];
        assert_eq!(broken(&two, 6), ["ab cd", "ef"]);
    }

    proptest! {
        #[test]
        fn whole_pieces_lose_no_word_either(texts in prop::collection::vec("[a-c线 ./-]{0,12}", 0..8), width in 2_usize..24) {
            let pieces: Vec<Piece> = texts.iter().zip(0..).map(|(text, n)| match n % 2 {
                0 => Piece::new(text, Style::new()),
                _ => Piece::new(text, Style::new()).whole(),
            }).collect();
            let lines: Vec<String> = wrap(&pieces, width).iter().map(ToString::to_string).collect();
            for line in &lines {
                prop_assert!(width_of(line) <= width, "{line:?}");
            }
            let letters = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&texts.concat()));
        }

        #[test]
        fn no_line_is_too_wide_and_no_word_is_lost(text in "[a-z线程é👍 \u{301}\n-]{0,80}", width in 2_usize..30) {
            let text = crate::fact::clean(&text);
            let lines = wrapped(&text, width);
            for line in &lines {
                prop_assert!(width_of(line) <= width, "{line:?}");
            }
            let letters = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
