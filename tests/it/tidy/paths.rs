//! The paths that a piece of code names: `use` trees taken apart, and paths in the middle of code.

/// A path, and where it begins.
#[derive(Debug, PartialEq)]
pub(super) struct Named {
    /// The byte at which the last of it begins, or its first segment where that is elsewhere on the line.
    pub(super) at: usize,
    /// Its segments; `*` for a glob.
    pub(super) segments: Vec<String>,
}

impl Named {
    /// Whether the path begins with `prefix`, written with `::`.
    pub(super) fn is_under(&self, prefix: &str) -> bool {
        let mut mine = self.segments.iter();
        prefix.split("::").all(|p| mine.next().is_some_and(|m| m == p))
    }
}

/// Every path of two or more segments in `code`, in which comments and strings are blank.
pub(super) fn paths(code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let (mut found, mut next) = (Vec::new(), 0);
    while next < tokens.len() {
        let before = next;
        if tokens[next].1.starts_with(is_word) {
            next = tree(&tokens, next, &[], &mut found);
        }
        next = next.max(before + 1);
    }
    found.retain(|named| named.segments.len() > 1);
    found
}

/// Reads one path or `use` tree from `next` on; returns the token after it.
fn tree(tokens: &[(usize, &str)], mut next: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
    let mut segments = prefix.to_vec();
    let begins = tokens.get(next).map_or(0, |t| t.0);
    while let Some((_, token)) = tokens.get(next).filter(|(_, t)| t.starts_with(is_word) || *t == "*") {
        segments.push((*token).to_owned());
        next += 1;
        if tokens.get(next).is_none_or(|(_, t)| *t != "::") {
            break;
        }
        next += 1;
        if tokens.get(next).is_some_and(|(_, t)| *t == "{") {
            return group(tokens, next + 1, &segments, found);
        }
    }
    if segments.last().is_some_and(|s| s == "self") && segments.len() > 1 {
        segments.pop();
    }
    found.push(Named { at: begins, segments });
    next
}

/// Reads the trees of a `{..}` after a path, up to and with its closing brace.
fn group(tokens: &[(usize, &str)], mut next: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
    while let Some((_, token)) = tokens.get(next) {
        match *token {
            "}" => return next + 1,
            "," => next += 1,
            "as" => next += 2,
            _ => {
                let before = next;
                next = tree(tokens, next, prefix, found).max(before + 1);
            }
        }
    }
    next
}

/// Words, `::`, and single characters.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(c) = code[at..].chars().next() {
        let rest = &code[at..];
        let length = if is_word(c) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        if !c.is_whitespace() {
            tokens.push((at, &rest[..length]));
        }
        at += length;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[test]
fn trees_and_paths_are_read() {
    let code = "use crate::{fact::{self, Cpu, ids::*}, scene as s};\nfn f() -> std::fs::File { super::g::<u8>(crate::x::Y { z: 1 }) }";
    let read: Vec<_> = paths(code).into_iter().map(|named| named.segments.join("::")).collect();
    assert_eq!(
        read,
        [
            "crate::fact",
            "crate::fact::Cpu",
            "crate::fact::ids::*",
            "crate::scene",
            "std::fs::File",
            "super::g",
            "crate::x::Y"
        ]
    );
    assert!(paths("use std::time::{Duration, Instant};").iter().any(|p| p.is_under("std::time::Instant")));
    assert!(!paths("use std::fsx::File;")[0].is_under("std::fs"));
    assert_eq!(paths("a; crate::b")[0].at, 3);
}
