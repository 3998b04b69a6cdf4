//! TOML inside a lesson: its values as JSON, its errors at their places in the file.

use super::Parser;
use super::piece::Piece;
use crate::lesson::{Diagnostic, Pos, read_limits};
use serde_json::{Value, json};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// A key with its value, both with their places.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: (Pos, usize),
    pub(super) value: Value,
    pub(super) value_at: (Pos, usize),
}

/// The entries of a TOML table in the order of their places, and the first sentence of what was wrong with it.
pub(super) fn read(parser: &mut Parser<'_>, piece: &Piece<'_>) -> (Vec<Entry>, Option<String>) {
    let too_much = if piece.text.len() > read_limits::TOML {
        Some((0, format!("this is too long; {} bytes are the most", read_limits::TOML)))
    } else {
        too_deep(piece.text).map(|at| (at, format!("this is nested too deep; {DEPTH} levels are the most")))
    };
    if let Some((byte, what)) = too_much {
        let at = (piece.at(parser, byte), 1);
        let sentence = parser.wrong(Diagnostic::error(parser.file, at, what));
        return (Vec::new(), Some(sentence));
    }
    let (table, errors) = DeTable::parse_recoverable(piece.text);
    let mut first = None;
    let mut last_line = 0;
    for error in errors {
        let at = place(parser, piece, error.span().unwrap_or(0..0));
        // What else is wrong on a line follows from the first mistake in it.
        if std::mem::replace(&mut last_line, at.0.line) == at.0.line {
            continue;
        }
        let what = format!("this is not TOML: {}", error.message().lines().next().unwrap_or_default());
        let sentence = parser.wrong(Diagnostic::error(parser.file, at, what));
        first.get_or_insert(sentence);
    }
    let mut entries = Vec::new();
    for (key, value) in table.get_ref() {
        let (at, value_at) = (place(parser, piece, key.span()), place(parser, piece, value.span()));
        match to_json(value.get_ref()) {
            Ok(value) => entries.push(Entry { key: key.get_ref().to_string(), at, value, value_at }),
            Err(what) => {
                let what = format!("{} {what}", key.get_ref());
                let sentence = parser.wrong(Diagnostic::error(parser.file, value_at, what));
                first.get_or_insert(sentence);
            }
        }
    }
    entries.sort_by_key(|e| e.at.0);
    (entries, first)
}

/// Tables and lists within each other. The TOML reader goes down with them, 80 levels, on a stack that may be small.
const DEPTH: usize = 8;

/// Where brackets, or the dots of a key, nest too deep. Brackets inside texts count too: nothing here needs that many.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut dots) = (0_usize, 0_usize);
    for (i, c) in text.bytes().enumerate() {
        match c {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'.' => dots += 1,
            b'\n' | b'=' | b',' | b'"' => dots = 0,
            _ => {}
        }
        if depth > DEPTH || dots > DEPTH {
            return Some(i);
        }
    }
    None
}

/// A span of bytes as a place and a width; a span over several lines is shown at its first character.
fn place(parser: &Parser<'_>, piece: &Piece<'_>, span: Range<usize>) -> (Pos, usize) {
    let inside = piece.text.get(span.clone()).filter(|s| !s.contains('\n')).unwrap_or(" ");
    (piece.at(parser, span.start), inside.chars().count().max(1))
}

fn to_json(value: &DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(s) => json!(s),
        DeValue::Boolean(b) => json!(b),
        DeValue::Integer(n) => {
            json!(i64::from_str_radix(n.as_str(), n.radix()).map_err(|_| "is too large a number".to_owned())?)
        }
        DeValue::Float(f) => {
            let number: f64 = f.as_str().parse().unwrap_or(f64::NAN);
            if number.is_finite() { json!(number) } else { return Err("is not a finite number".to_owned()) }
        }
        DeValue::Datetime(_) => return Err("is a date; nothing here takes one".to_owned()),
        DeValue::Array(list) => list.iter().map(|v| to_json(v.get_ref())).collect::<Result<_, _>>()?,
        DeValue::Table(table) => {
            let entries = table.iter().map(|(k, v)| Ok((k.get_ref().to_string(), to_json(v.get_ref())?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
    })
}
