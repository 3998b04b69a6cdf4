//! Bytes into text: what is no text, or too much of it, is refused here, before anything looks for markdown in it.

use super::START;
use crate::lesson::{Diagnostic, Pos, read_limits};
use std::borrow::Cow;

/// The text of a lesson's file as the parser sees it: no byte order mark, line feeds only. Never longer than the limit.
pub(in crate::lesson) fn text(source: &[u8]) -> String {
    let source = &source[..source.len().min(read_limits::BYTES)];
    let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
    let text = String::from_utf8_lossy(source);
    let text = if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { text };
    text.into_owned()
}

/// The text, with a message if it is spoilt.
///
/// # Errors
/// The message that says why the file is not read.
pub(super) fn read(source: &[u8], file: &str) -> Result<(String, Option<Diagnostic>), Diagnostic> {
    let refuse = |what: String, help: &str| Err(Diagnostic::error(file, START, what).help(help));
    if source.len() > read_limits::BYTES {
        let what = format!("the file has {} bytes; a lesson has at most {}", source.len(), read_limits::BYTES);
        return refuse(what, "split it into several lessons");
    }
    if source.starts_with(b"\xff\xfe") || source.starts_with(b"\xfe\xff") {
        return refuse("the file is UTF-16".to_owned(), "save it as UTF-8");
    }
    let text = text(source);
    if let Some((at, nul)) = find(&text, |c| c == '\0') {
        return Err(Diagnostic::error(file, (at, nul), "the file is not text: here is a NUL").help("save it as UTF-8"));
    }
    if text.trim().is_empty() {
        return refuse("the file is empty".to_owned(), EXAMPLE);
    }
    for (n, line) in text.split('\n').enumerate() {
        if let Some(what) = too_much(n, line) {
            let at = (Pos { line: n + 1, column: 1 }, 1);
            return Err(Diagnostic::error(file, at, what).help("make it simpler, or split it"));
        }
    }
    let spoilt = (std::str::from_utf8(source).is_err()).then(|| {
        let at = find(&text, |c| c == char::REPLACEMENT_CHARACTER).unwrap_or(START);
        Diagnostic::error(file, at, "the file is not UTF-8 from here on").help("save it as UTF-8")
    });
    Ok((text, spoilt))
}

/// Whether a line is more than any lesson needs.
fn too_much(n: usize, line: &str) -> Option<String> {
    let begins = line.trim_start_matches(|c: char| c.is_ascii_digit() || " \t>-+*.)".contains(c)).len();
    let begins = &line.as_bytes()[..line.len() - begins];
    let blank = |i: usize| matches!(begins.get(i + 1), None | Some(b' ' | b'\t'));
    let mark = |(i, c): (usize, &u8)| *c == b'>' || (b"-+*.)".contains(c) && blank(i));
    let marks = begins.iter().enumerate().filter(|found| mark(*found)).count();
    let indent = begins.iter().take_while(|c| c.is_ascii_whitespace()).count();
    if n >= read_limits::LINES {
        Some(format!("the file goes on after line {}, the last that is read", read_limits::LINES))
    } else if line.len() > read_limits::LINE {
        Some(format!("this line is too long; a line has at most {} bytes", read_limits::LINE))
    } else if marks > read_limits::MARKS || indent > read_limits::INDENT {
        Some(format!("this line is nested too deep; {} levels are the most", read_limits::DEPTH))
    } else {
        None
    }
}

/// What a lesson begins with, for those who begin one.
const EXAMPLE: &str = "begin with a line +++, then id = \"name\", title = \"Title\", part = \"Part\", and a line +++";

/// The place of the first such character.
fn find(text: &str, wanted: impl Fn(char) -> bool) -> Option<(Pos, usize)> {
    let byte = text.find(wanted)?;
    let before = &text[..byte];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Some((Pos { line, column }, 1))
}
