//! A Rust file as the tidy rules see it: its code apart from its comments, its strings and its tests.
//!
//! This is a lexer of the least that the rules need, not a parser. Every text it makes has the length and the line ends
//! of the file, so that a place in one is the same place in all.

use std::ops::Range;

/// One file.
pub(super) struct Source {
    /// Its path from the root of the repository, with `/`.
    pub(super) path: String,
    /// What is in it.
    pub(super) text: String,
    /// The text with comments and the insides of strings blanked.
    pub(super) code: String,
    /// The code with what is under `#[cfg(test)]` blanked.
    pub(super) live: String,
    /// Where each string literal stands, and what is between its quotes, as written.
    pub(super) strings: Vec<(usize, String)>,
}

impl Source {
    /// Takes a file apart.
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (code, strings) = split(text);
        let live = without_tests(&code);
        Self { path: path.to_owned(), text: text.to_owned(), code, live, strings }
    }

    /// Takes files apart; one that another declares as a test module has no live code.
    pub(super) fn all(files: &[(String, String)]) -> Vec<Self> {
        let mut sources: Vec<_> = files.iter().map(|(path, text)| Self::new(path, text)).collect();
        let tests: Vec<_> = sources.iter().flat_map(Self::test_modules).collect();
        for source in &mut sources {
            let inside = |module: &String| {
                source.path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            if tests.iter().any(inside) {
                source.live = blank(&source.code, 0..source.code.len());
            }
        }
        sources
    }

    /// Where the modules are that this file declares with `#[cfg(test)] mod name;`, as paths without `.rs`.
    fn test_modules(&self) -> impl Iterator<Item = String> + '_ {
        let own = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let folder = own.strip_suffix("/lib").or(own.strip_suffix("/main")).unwrap_or(own);
        self.code.match_indices("#[cfg(test)]").filter_map(move |(at, attribute)| {
            let from = at + attribute.len();
            let item = self.code[from..item_end(&self.code, from)].trim();
            Some(format!("{folder}/{}", item.strip_prefix("mod ")?.strip_suffix(';')?.trim()))
        })
    }

    /// The number of the line that holds the byte at `place`, from 1.
    pub(super) fn line(&self, place: usize) -> usize {
        self.text.as_bytes()[..place].iter().filter(|b| **b == b'\n').count() + 1
    }

    /// The string literals that are not in tests.
    pub(super) fn live_strings(&self) -> impl Iterator<Item = &(usize, String)> {
        self.strings.iter().filter(|(at, _)| self.live.as_bytes()[*at] == b'"')
    }

    /// The path of the module under src/, `["view", "widget"]` for src/view/widget.rs; empty for the crate's root.
    pub(super) fn module(&self) -> Vec<&str> {
        let inside = self.path.strip_prefix("src/").and_then(|p| p.strip_suffix(".rs")).unwrap_or_default();
        if matches!(inside, "lib" | "") { Vec::new() } else { inside.split('/').collect() }
    }
}

/// Code with comments and strings blanked (the opening quote stays), and the strings.
fn split(text: &str) -> (String, Vec<(usize, String)>) {
    let bytes = text.as_bytes();
    let (mut code, mut strings, mut at) = (text.as_bytes().to_vec(), Vec::new(), 0);
    while at < bytes.len() {
        let rest = &text[at..];
        let after_word = at > 0 && is_word(bytes[at - 1]);
        let end = if rest.starts_with("//") {
            at + rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            at + block_comment(rest)
        } else if let Some((open, inside, close)) = string(rest, after_word) {
            let from = at + open;
            strings.push((from - 1, text[from..from + inside].to_owned()));
            erase(&mut code, from..from + inside + close);
            at = from + inside + close;
            continue;
        } else if bytes[at] == b'\'' {
            at + character(rest)
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        erase(&mut code, at..end);
        at = end;
    }
    (String::from_utf8(code).expect("only whole characters are blanked"), strings)
}

/// If a string literal begins here: bytes of its opening, inside, closing.
fn string(rest: &str, after_word: bool) -> Option<(usize, usize, usize)> {
    let prefix = if after_word {
        0
    } else {
        ["br", "cr", "b", "c", "r"].iter().find(|p| rest.starts_with(**p)).map_or(0, |p| p.len())
    };
    let raw = rest[..prefix].ends_with('r');
    let hashes = if raw { rest[prefix..].bytes().take_while(|b| *b == b'#').count() } else { 0 };
    let open = prefix + hashes + 1;
    if rest.as_bytes().get(open - 1) != Some(&b'"') {
        return None;
    }
    let body = &rest[open..];
    if raw {
        let close = format!("\"{}", "#".repeat(hashes));
        return Some((open, body.find(&close).unwrap_or(body.len()), close.len().min(body.len())));
    }
    let mut escaped = false;
    let inside = body
        .bytes()
        .position(|b| {
            let ends = b == b'"' && !escaped;
            escaped = b == b'\\' && !escaped;
            ends
        })
        .unwrap_or(body.len());
    Some((open, inside, usize::from(inside < body.len())))
}

/// Length of a block comment; they nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length of a character literal, or of the quote alone where it begins a lifetime.
fn character(rest: &str) -> usize {
    let mut inside = rest[1..].chars();
    match (inside.next(), inside.next()) {
        (Some('\\'), Some(_)) => rest.len().min(4 + rest.get(3..).and_then(|r| r.find('\'')).unwrap_or(0)),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 1,
    }
}

/// Blanks every item under `#[cfg(test)]` or `#[cfg(all(test, ..))]`.
fn without_tests(code: &str) -> String {
    let mut live = code.to_owned();
    for attribute in ["#[cfg(test)]", "#[cfg(all(test"] {
        while let Some(from) = live.find(attribute) {
            let to = item_end(&live, from + attribute.len());
            live = blank(&live, from..to);
        }
    }
    live
}

/// The end of the item that begins after `from`: its `;`, or the brace that closes its first one.
pub(super) fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0;
    for (at, b) in code.bytes().enumerate().skip(from) {
        match b {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

fn blank(text: &str, range: Range<usize>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    erase(&mut bytes, range);
    String::from_utf8(bytes).expect("only whole characters are blanked")
}

fn erase(bytes: &mut [u8], range: Range<usize>) {
    for b in bytes[range].iter_mut().filter(|b| **b != b'\n') {
        *b = b' ';
    }
}

fn is_word(b: u8) -> bool {
    b == b'_' || b.is_ascii_alphanumeric()
}

#[test]
fn comments_strings_and_tests_are_told_from_code() {
    let text = r##"//! use crate::a;
use crate::b; /* use /* crate::c */ "d" */
fn f<'a>(x: &'a str) { g('"', "crate::e \" f", r#"a "raw" one"#, b'\'', br"x"); }
#[cfg(test)]
mod tests { use crate::h; const S: &str = "in tests"; }
fn after() { i("后") }
"##;
    let source = Source::new("src/x.rs", text);
    for gone in ["crate::a", "crate::c", "crate::e", "raw"] {
        assert!(!source.code.contains(gone), "{gone} is no code:\n{}", source.code);
    }
    assert!(source.code.contains("use crate::b;") && source.code.contains("crate::h"));
    assert!(!source.live.contains("crate::h") && source.live.contains("fn after()"), "{}", source.live);
    let strings: Vec<_> = source.strings.iter().map(|(_, s)| s.as_str()).collect();
    assert_eq!(strings, ["crate::e \\\" f", "a \"raw\" one", "x", "in tests", "后"]);
    let live: Vec<_> = source.live_strings().map(|(at, s)| (source.line(*at), s.as_str())).collect();
    assert_eq!(live, [(3, "crate::e \\\" f"), (3, "a \"raw\" one"), (3, "x"), (6, "后")]);
    assert_eq!(source.code.len(), text.len());
}

#[test]
fn a_test_item_ends_where_its_brace_closes() {
    let source = Source::new(
        "src/x.rs",
        "#[cfg(test)]\nuse a::b;\nfn live() {}\n#[cfg(all(test, unix))]\nfn t() { {} }\nfn too() {}",
    );
    assert!(source.live.contains("live()") && source.live.contains("too()"));
    assert!(!source.live.contains("a::b") && !source.live.contains("t()"));
}

#[test]
fn a_file_of_tests_is_tests() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let sources = Source::all(&[
        file("src/lib.rs", "#[cfg(test)] mod proofs;"),
        file("src/proofs.rs", "fn f() {}"),
        file("src/scene.rs", "#[cfg(test)]\nmod scenarios;\nmod lanes;"),
        file("src/scene/scenarios.rs", "fn f() {}"),
        file("src/scene/scenarios/more.rs", "fn f() {}"),
        file("src/scene/lanes.rs", "fn f() {}"),
    ]);
    let dead: Vec<_> = sources.iter().filter(|s| !s.live.contains("fn")).map(|s| s.path.as_str()).collect();
    assert_eq!(
        dead,
        ["src/lib.rs", "src/proofs.rs", "src/scene.rs", "src/scene/scenarios.rs", "src/scene/scenarios/more.rs"]
    );
}

#[test]
fn a_path_is_a_module() {
    assert_eq!(Source::new("src/view/widget/lanes.rs", "").module(), ["view", "widget", "lanes"]);
    assert!(Source::new("src/lib.rs", "").module().is_empty());
}
