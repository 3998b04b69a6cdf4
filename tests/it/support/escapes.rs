//! The bytes that a program wrote to its terminal, taken apart: what it set and did not reset, and what it should
//! never have written.

use std::collections::BTreeMap;

/// One thing in a terminal's input, after ECMA-48.
#[derive(Debug, PartialEq)]
enum Piece<'a> {
    /// Printable bytes.
    Text(&'a [u8]),
    /// A control character.
    Control(u8),
    /// `ESC`, intermediates, final.
    Escape(&'a str),
    /// `CSI`, the private mark, parameters, intermediates, final.
    Csi { private: &'a str, params: &'a str, end: &'a str },
    /// A `CSI` that was cut off and given up for the escape that follows, as terminals do.
    Cut(&'a [u8]),
    /// OSC, DCS, APC, PM and SOS strings, and what is cut off in the middle.
    Other(&'a [u8]),
}

/// Takes the bytes apart.
fn pieces(mut bytes: &[u8]) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    while let Some(first) = bytes.first() {
        let (piece, length) = match first {
            0x1b => escape(bytes),
            0..0x20 | 0x7f => (Piece::Control(*first), 1),
            _ => {
                let length = bytes.iter().position(|b| *b < 0x20 || *b == 0x7f).unwrap_or(bytes.len());
                (Piece::Text(&bytes[..length]), length)
            }
        };
        found.push(piece);
        bytes = &bytes[length..];
    }
    found
}

/// Takes one escape sequence from the beginning of `bytes`, and its length.
fn escape(bytes: &[u8]) -> (Piece<'_>, usize) {
    let cut = (Piece::Other(bytes), bytes.len());
    let part = |range: std::ops::Range<usize>| std::str::from_utf8(&bytes[range]).unwrap_or_default();
    let run = |from: usize, kind: fn(&u8) -> bool| from + bytes[from..].iter().take_while(|b| kind(b)).count();
    match bytes.get(1) {
        Some(b'[') => {
            let private = run(2, |b| (b'<'..=b'?').contains(b));
            let params = run(private, |b| (b'0'..=b';').contains(b));
            let middle = run(params, |b| (b' '..=b'/').contains(b));
            match bytes.get(middle) {
                Some(b'@'..=b'~') => {}
                Some(0x1b) => return (Piece::Cut(&bytes[..middle]), middle),
                _ => return cut,
            }
            let end = part(params..middle + 1);
            (Piece::Csi { private: part(2..private), params: part(private..params), end }, middle + 1)
        }
        Some(b']' | b'P' | b'_' | b'^' | b'X') => {
            let ends = |at: &usize| bytes[*at] == 0x07 || bytes[*at..].starts_with(b"\x1b\\");
            let Some(end) = (2..bytes.len()).find(ends) else { return cut };
            let length = end + if bytes[end] == 0x07 { 1 } else { 2 };
            (Piece::Other(&bytes[..length]), length)
        }
        // The program was stopped or killed after this one byte.
        Some(0x1b) => (Piece::Cut(&bytes[..1]), 1),
        Some(_) => {
            let end = run(1, |b| (b' '..=b'/').contains(b));
            if end < bytes.len() { (Piece::Escape(part(1..end + 1)), end + 1) } else { cut }
        }
        None => cut,
    }
}

/// What the bytes set on the terminal and did not set back, in words; nothing after a tidy program.
pub(crate) fn modes_left(bytes: &[u8]) -> Vec<String> {
    let mut left = Modes::default();
    for piece in pieces(bytes) {
        match piece {
            Piece::Escape("c") => left = Modes::default(),
            Piece::Escape("=") => left.set("keypad", "application", true),
            Piece::Escape(">") => left.set("keypad", "application", false),
            Piece::Csi { private, params, end } => left.csi(private, params, end),
            _ => {}
        }
    }
    left.words()
}

/// A terminal's modes, as far as they are not those it began with.
#[derive(Default)]
struct Modes {
    odd: BTreeMap<String, String>,
    alternate: bool,
    /// Depth of the stacks of kitty keyboard flags. The alternate screen has one of its own.
    kitty: [i64; 2],
}

impl Modes {
    fn set(&mut self, what: &str, how: &str, odd: bool) {
        if odd {
            self.odd.insert(what.to_owned(), how.to_owned());
        } else {
            self.odd.remove(what);
        }
    }

    fn csi(&mut self, private: &str, params: &str, end: &str) {
        let count = || params.parse().unwrap_or(1);
        match (private, end) {
            ("?", "h" | "l") => {
                for mode in params.split(';') {
                    // The cursor is shown (25) and lines wrap (7) on a terminal that nobody touched.
                    let odd = (end == "h") != matches!(mode, "7" | "25");
                    self.set(&format!("?{mode}"), if end == "h" { "set" } else { "reset" }, odd);
                    self.alternate = if matches!(mode, "47" | "1047" | "1049") { end == "h" } else { self.alternate };
                }
            }
            (">", "u") => self.kitty[usize::from(self.alternate)] += 1,
            ("<", "u") => {
                let depth = &mut self.kitty[usize::from(self.alternate)];
                *depth = (*depth - count()).max(0);
            }
            (">", "m") => self.set("modifyOtherKeys", params, !matches!(params, "" | "4" | "4;0")),
            ("", " q") => self.set("cursor shape", params, !matches!(params, "" | "0")),
            ("", "r") => self.set("scrolling region", params, !params.is_empty()),
            ("", "m") => self.set("SGR", params, !matches!(params.rsplit(';').next(), None | Some("" | "0"))),
            _ => {}
        }
    }

    fn words(self) -> Vec<String> {
        let mut words: Vec<_> = self.odd.iter().map(|(what, how)| format!("{what} {how}")).collect();
        for (screen, depth) in ["main", "alternate"].iter().zip(self.kitty) {
            if depth > 0 {
                words.push(format!("kitty keyboard flags pushed {depth} times on the {screen} screen"));
            }
        }
        words
    }
}

/// Private modes that the program may set: cursor keys, wrapping, cursor, mouse, focus, paste, alternate screen,
/// synchronised update.
const MODES: &[&str] = &["1", "7", "25", "1000", "1002", "1003", "1004", "1006", "1015", "1049", "2004", "2026"];

/// What stands among the bytes and is not on the list of what the program may write, in words.
pub(crate) fn foreign(bytes: &[u8]) -> Vec<String> {
    pieces(bytes).into_iter().filter_map(|piece| (!allowed(&piece)).then(|| format!("{piece:?}"))).collect()
}

fn allowed(piece: &Piece<'_>) -> bool {
    match piece {
        Piece::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => !text.chars().any(acts),
            // A program killed while it wrote: a character cut at its end.
            Err(error) => error.error_len().is_none(),
        },
        Piece::Cut(_) => true,
        Piece::Control(b) => matches!(b, b'\r' | b'\n' | b'\t'),
        Piece::Escape(_) | Piece::Other(_) => false,
        Piece::Csi { private: "", params, end } => match *end {
            "A" | "B" | "C" | "D" | "G" | "H" | "J" | "K" | "X" | "d" | "m" | " q" | "c" => true,
            "n" => *params == "6",
            _ => false,
        },
        Piece::Csi { private: "?", params, end: "h" | "l" } => params.split(';').all(|mode| MODES.contains(&mode)),
        Piece::Csi { private: ">" | "<" | "?", end: "u", .. } => true,
        Piece::Csi { .. } => false,
    }
}

/// Characters that act on a terminal or reorder a line: C1 controls, bidi controls, separators, tags.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{e0000}'..='\u{e007f}')
}

#[test]
fn bytes_are_taken_apart() {
    assert_eq!(
        pieces(b"a\x1b[?25l\x1b[1;2H\x1b[2 q\x1b]0;t\x07\x1b]8;;u\x1b\\\x1b(B\r\x1b["),
        [
            Piece::Text(b"a"),
            Piece::Csi { private: "?", params: "25", end: "l" },
            Piece::Csi { private: "", params: "1;2", end: "H" },
            Piece::Csi { private: "", params: "2", end: " q" },
            Piece::Other(b"\x1b]0;t\x07"),
            Piece::Other(b"\x1b]8;;u\x1b\\"),
            Piece::Escape("(B"),
            Piece::Control(b'\r'),
            Piece::Other(b"\x1b["),
        ]
    );
}

#[test]
fn what_is_set_and_not_reset_is_named() {
    let tidy =
        b"\x1b[?1049h\x1b[>1u\x1b[?1000;1006h\x1b[?25l\x1b[31mx\x1b[0m\x1b[<u\x1b[?1006;1000l\x1b[?25h\x1b[?1049l";
    assert_eq!(modes_left(tidy), [""; 0]);
    assert_eq!(
        modes_left(b"\x1b[?25l\x1b[?2004h\x1b[4 q\x1b[1;31m"),
        ["?2004 set", "?25 reset", "SGR 1;31", "cursor shape 4"]
    );
    assert_eq!(modes_left(b"\x1b[?7l\x1b[2;5r\x1b=\x1bc"), [""; 0], "a full reset resets");
    let popped_too_late = modes_left(b"\x1b[?1049h\x1b[>1u\x1b[?1049l\x1b[<u");
    assert!(popped_too_late.len() == 1 && popped_too_late[0].contains("alternate"), "{popped_too_late:?}");
    let killed_in_writing = b"\x1b[?25l\x1b[38;2;1\x1b[0m\x1b[?25h";
    assert_eq!((modes_left(killed_in_writing), foreign(killed_in_writing)), (vec![], vec![]));
}

#[test]
fn what_may_not_be_written_is_found() {
    assert_eq!(foreign("\x1b[?1049h\x1b[2J\x1b[3;4H\x1b[38;5;4m线程 ▓\x1b[0m\x1b[6n\r\n".as_bytes()), [""; 0]);
    for bad in [
        "\x1b]52;c;eA==\x07",
        "\x1bc",
        "\x1b[?47h",
        "\x1b[5n",
        "\x07",
        "\x08",
        "\u{9b}2J",
        "a\u{202e}b",
        "\x1b[8;9;9t",
        "\x1b[",
    ] {
        assert_eq!(foreign(bad.as_bytes()).len(), 1, "{bad:?}");
    }
    assert_eq!(foreign(b"\xff").len(), 1, "not UTF-8");
}
