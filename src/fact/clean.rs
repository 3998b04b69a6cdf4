//! The one function through which every foreign string passes before it is shown.
//!
//! Lessons, demo output, thread names and file names are untrusted. Control characters (ESC among them), bidi
//! controls, line and paragraph separators, tag characters, stray zero-width characters and piles of combining marks are
//! replaced, never deleted, so that what was there is seen to have been there.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

/// What stands where a character was not let through.
const REPLACEMENT: char = '\u{fffd}';

/// More combining marks than this on one character are a pile, not writing.
const MARKS: usize = 4;

/// `text` with everything replaced that could act on a terminal; line feeds stay, tabs become four spaces.
#[must_use]
pub fn clean(text: &str) -> String {
    if text.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for grapheme in text.graphemes(true) {
        clean_grapheme(grapheme, &mut out);
    }
    out
}

/// As [`clean`], and line feeds become spaces: for names, titles and single lines.
#[must_use]
pub fn clean_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

fn clean_grapheme(grapheme: &str, out: &mut String) {
    let emoji =
        grapheme.chars().any(|c| ('\u{1f000}'..'\u{20000}').contains(&c) || ('\u{2190}'..'\u{2c00}').contains(&c));
    let mut marks = 0;
    for c in grapheme.chars() {
        match c {
            '\n' => out.push('\n'),
            '\r' if grapheme == "\r\n" => {}
            '\t' => out.push_str("    "),
            '\u{200d}' | '\u{fe0f}' | '\u{fe0e}' if emoji => out.push(c),
            c if forbidden(c) => out.push(REPLACEMENT),
            c if c.width() == Some(0) => {
                marks += 1;
                if marks <= MARKS {
                    out.push(c);
                } else if marks == MARKS + 1 {
                    out.push(REPLACEMENT);
                }
            }
            c => out.push(c),
        }
    }
}

/// Characters that never reach a cell. `unicode.org/reports/tr9` lists the twelve bidi controls.
fn forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{2028}' | '\u{2029}'
            | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}'
            | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_survives() {
        let nasty = "a\u{1b}[31mb\u{9b}2Jc\u{7}\u{8}\u{7f}\rd\u{202e}e\u{2066}\u{200b}\u{e0041}\u{2028}";
        let shown = clean(nasty);
        assert!(shown.chars().all(|c| !forbidden(c)), "{shown:?}");
        assert!(shown.starts_with("a\u{fffd}[31mb\u{fffd}2Jc"), "replaced, not deleted: {shown:?}");
    }

    #[test]
    fn writing_of_every_kind_stays() {
        for text in ["plain", "线程与进程", "e\u{301}te\u{301}", "👩\u{200d}🚀", "❤\u{fe0f}", "“quoted”", "नमस्ते"]
        {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn a_pile_of_marks_is_cut() {
        let pile = format!("z{}", "\u{301}".repeat(4096));
        assert_eq!(clean(&pile).chars().count(), 1 + MARKS + 1);
    }

    #[test]
    fn line_ends_are_kept_or_folded() {
        assert_eq!(clean("a\r\nb\tc"), "a\nb    c");
        assert_eq!(clean_line("a\nb"), "a b");
    }
}
