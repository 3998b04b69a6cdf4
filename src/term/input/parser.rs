//! Bytes to events, with bounded memory, for any bytes at all.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// What is kept of a paste, in bytes; the rest is read and dropped.
pub const PASTE: usize = 64 * 1024;

/// No sequence of any terminal is longer.
const SEQUENCE: usize = 64;

const PASTE_END: &[u8] = b"\x1b[201~";

#[derive(Default)]
enum State {
    #[default]
    Ground,
    /// A character whose first bytes came.
    Character(Vec<u8>),
    Escape,
    /// `ESC O`: the next byte is a key.
    Ss3,
    /// `ESC [`: parameters so far.
    Csi(Vec<u8>),
    /// The three bytes of an old mouse report: read, not believed (they cannot say more than 223 columns).
    OldMouse(u8),
    /// Answers to questions nobody asked (OSC, DCS, APC, PM): passed over up to their end.
    Words {
        escape: bool,
    },
    Paste(Paste),
}

#[derive(Default)]
struct Paste {
    text: Vec<u8>,
    /// The last bytes, for finding the end in what is dropped.
    tail: Vec<u8>,
}

/// The parser. Feed it what was read; tell it when nothing more came.
#[derive(Default)]
pub struct Parser {
    state: State,
}

impl Parser {
    /// A paste has begun and not ended.
    #[must_use]
    pub fn in_paste(&self) -> bool {
        matches!(self.state, State::Paste(_))
    }

    /// A sequence has begun and not ended.
    #[must_use]
    pub fn in_sequence(&self) -> bool {
        !matches!(self.state, State::Ground)
    }

    /// Reads `bytes`, telling each event as it is complete.
    pub fn feed(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Event)) {
        for &byte in bytes {
            self.state = step(std::mem::take(&mut self.state), byte, tell);
        }
    }

    /// Nothing more came for a while: a lone Esc is a key, an unfinished paste ends, a cut sequence is dropped.
    pub fn rest(&mut self, tell: &mut dyn FnMut(Event)) {
        match std::mem::take(&mut self.state) {
            State::Escape => key(KeyCode::Esc, KeyModifiers::NONE, tell),
            State::Ss3 => key(KeyCode::Char('O'), KeyModifiers::ALT | KeyModifiers::SHIFT, tell),
            State::Csi(held) if held.is_empty() => key(KeyCode::Char('['), KeyModifiers::ALT, tell),
            State::Paste(paste) => paste.end(tell),
            _ => {}
        }
    }
}

fn step(state: State, byte: u8, tell: &mut dyn FnMut(Event)) -> State {
    match state {
        State::Ground => ground(byte, KeyModifiers::NONE, tell),
        State::Character(held) => character(held, byte, tell),
        State::Escape => escape(byte, tell),
        State::Ss3 => {
            if byte < 0x20 {
                return ground(byte, KeyModifiers::NONE, tell);
            }
            letter_key(byte, KeyModifiers::NONE, tell);
            State::Ground
        }
        State::Csi(held) => csi(held, byte, tell),
        State::OldMouse(left) => {
            if left > 1 {
                State::OldMouse(left - 1)
            } else {
                State::Ground
            }
        }
        State::Words { escape } => words(escape, byte, tell),
        State::Paste(paste) => paste.take(byte, tell),
    }
}

fn ground(byte: u8, held: KeyModifiers, tell: &mut dyn FnMut(Event)) -> State {
    let control = held | KeyModifiers::CONTROL;
    match byte {
        0x1b => return State::Escape,
        b'\r' => key(KeyCode::Enter, held, tell),
        b'\t' => key(KeyCode::Tab, held, tell),
        0x7f => key(KeyCode::Backspace, held, tell),
        0 => key(KeyCode::Char(' '), control, tell),
        0x01..=0x1a => key(KeyCode::Char(char::from(byte - 1 + b'a')), control, tell),
        0x1c..=0x1f => key(KeyCode::Char(char::from(byte - 0x1c + b'4')), control, tell),
        0x20..=0x7e => character_key(char::from(byte), held, tell),
        0xc2..=0xf4 => return State::Character(vec![byte]),
        // Not the beginning of any character.
        0x80..=0xc1 | 0xf5.. => {}
    }
    State::Ground
}

fn character(mut held: Vec<u8>, byte: u8, tell: &mut dyn FnMut(Event)) -> State {
    if !(0x80..0xc0).contains(&byte) {
        return ground(byte, KeyModifiers::NONE, tell);
    }
    held.push(byte);
    let whole = match held[0] {
        ..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    if held.len() < whole {
        return State::Character(held);
    }
    if let Some(c) = std::str::from_utf8(&held).ok().and_then(|s| s.chars().next()).filter(|c| !c.is_control()) {
        character_key(c, KeyModifiers::NONE, tell);
    }
    State::Ground
}

fn escape(byte: u8, tell: &mut dyn FnMut(Event)) -> State {
    match byte {
        b'[' => State::Csi(Vec::new()),
        b'O' => State::Ss3,
        b']' | b'P' | b'_' | b'^' => State::Words { escape: false },
        0x1b => {
            key(KeyCode::Esc, KeyModifiers::NONE, tell);
            State::Escape
        }
        byte => ground(byte, KeyModifiers::ALT, tell),
    }
}

fn csi(mut held: Vec<u8>, byte: u8, tell: &mut dyn FnMut(Event)) -> State {
    match byte {
        // A control character in a sequence means that the sequence was cut.
        0x1b => State::Escape,
        ..0x20 | 0x7f.. => ground(byte, KeyModifiers::NONE, tell),
        // The Linux console's F1 to F5 are `ESC [ [ A` and so on.
        b'[' if held.is_empty() => State::Csi(vec![b'[']),
        b'A'..=b'E' if held == b"[" => {
            key(KeyCode::F(byte - b'A' + 1), KeyModifiers::NONE, tell);
            State::Ground
        }
        b'M' if held.is_empty() => State::OldMouse(3),
        b'~' if held == b"200" => State::Paste(Paste::default()),
        0x40..=0x7e => {
            sequence(&held, byte, tell);
            State::Ground
        }
        0x20..0x40 if held.len() < SEQUENCE => {
            held.push(byte);
            State::Csi(held)
        }
        0x20..0x40 => State::Ground,
    }
}

fn words(escape: bool, byte: u8, tell: &mut dyn FnMut(Event)) -> State {
    match byte {
        b'\\' if escape => State::Ground,
        // Not their end: another sequence begins, and the words were cut.
        byte if escape => self::escape(byte, tell),
        0x1b => State::Words { escape: true },
        // BEL ends words. Other controls cannot stand in them: the rest was cut, and the key counts.
        0x07 => State::Ground,
        ..0x20 => ground(byte, KeyModifiers::NONE, tell),
        _ => State::Words { escape: false },
    }
}

impl Paste {
    fn take(mut self, byte: u8, tell: &mut dyn FnMut(Event)) -> State {
        if self.text.len() < PASTE {
            self.text.push(byte);
        }
        if self.tail.len() == PASTE_END.len() {
            self.tail.remove(0);
        }
        self.tail.push(byte);
        if self.tail != PASTE_END {
            return State::Paste(self);
        }
        // What of the end mark was kept is not text.
        let mark = (1..=PASTE_END.len()).rev().find(|n| self.text.ends_with(&PASTE_END[..*n])).unwrap_or(0);
        self.text.truncate(self.text.len() - mark);
        self.end(tell);
        State::Ground
    }

    fn end(self, tell: &mut dyn FnMut(Event)) {
        tell(Event::Paste(String::from_utf8_lossy(&self.text).into_owned()));
    }
}

fn sequence(held: &[u8], last: u8, tell: &mut dyn FnMut(Event)) {
    if let Some(report) = held.strip_prefix(b"<") {
        if let (b'M' | b'm', &[button, column, row]) = (last, &numbers(report)[..]) {
            mouse(button, column, row, last == b'm', tell);
        }
        return;
    }
    if !held.iter().all(|b| b.is_ascii_digit() || matches!(b, b';' | b':')) {
        return;
    }
    let given = numbers(held);
    let (first, modifiers) = (given.first().copied().unwrap_or(0), modifiers(given.get(1).copied().unwrap_or(1)));
    match last {
        b'I' if held.is_empty() => tell(Event::FocusGained),
        b'O' if held.is_empty() => tell(Event::FocusLost),
        b'Z' => key(KeyCode::BackTab, modifiers | KeyModifiers::SHIFT, tell),
        b'~' => number_key(first, modifiers, tell),
        b'u' => {
            if let Some(c) = char::from_u32(first.into()) {
                coded_key(c, modifiers, tell);
            }
        }
        // A cursor position: the answer to somebody else's question.
        b'R' if given.len() > 1 => {}
        letter => letter_key(letter, modifiers, tell),
    }
}

/// `1;5` and the like. A number that is no number, or too large, is 0; what follows a colon is detail.
fn numbers(held: &[u8]) -> Vec<u16> {
    let number = |part: &[u8]| {
        let digits = part.split(|b| *b == b':').next().unwrap_or_default();
        std::str::from_utf8(digits).ok().and_then(|s| s.parse().ok()).unwrap_or(0)
    };
    held.split(|b| *b == b';').map(number).collect()
}

fn modifiers(code: u16) -> KeyModifiers {
    let bits = code.saturating_sub(1);
    let pairs = [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)];
    pairs.into_iter().filter(|(bit, _)| bits & bit != 0).map(|(_, m)| m).collect()
}

fn letter_key(letter: u8, modifiers: KeyModifiers, tell: &mut dyn FnMut(Event)) {
    let code = match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        b'M' => KeyCode::Enter,
        _ => return,
    };
    key(code, modifiers, tell);
}

fn number_key(number: u16, modifiers: KeyModifiers, tell: &mut dyn FnMut(Event)) {
    let code = match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number as u8 - 10),
        17..=21 => KeyCode::F(number as u8 - 11),
        23..=24 => KeyCode::F(number as u8 - 12),
        _ => return,
    };
    key(code, modifiers, tell);
}

/// A key as its character's number, as xterm and kitty write what has no older form.
fn coded_key(c: char, modifiers: KeyModifiers, tell: &mut dyn FnMut(Event)) {
    match c {
        '\u{1b}' => key(KeyCode::Esc, modifiers, tell),
        '\r' => key(KeyCode::Enter, modifiers, tell),
        '\t' => key(KeyCode::Tab, modifiers, tell),
        '\u{7f}' | '\u{8}' => key(KeyCode::Backspace, modifiers, tell),
        c if !c.is_control() => character_key(c, modifiers, tell),
        _ => {}
    }
}

fn character_key(c: char, held: KeyModifiers, tell: &mut dyn FnMut(Event)) {
    let shift = if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    key(KeyCode::Char(c), held | shift, tell);
}

fn key(code: KeyCode, modifiers: KeyModifiers, tell: &mut dyn FnMut(Event)) {
    tell(Event::Key(KeyEvent::new(code, modifiers)));
}

fn mouse(bits: u16, column: u16, row: u16, released: bool, tell: &mut dyn FnMut(Event)) {
    let button = match bits & 3 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let (wheel, motion) = (bits & 64 != 0, bits & 32 != 0);
    let kind = match (wheel, motion, button) {
        (true, ..) => {
            let turns = [
                MouseEventKind::ScrollUp,
                MouseEventKind::ScrollDown,
                MouseEventKind::ScrollLeft,
                MouseEventKind::ScrollRight,
            ];
            turns[usize::from(bits & 3)]
        }
        (_, true, Some(button)) => MouseEventKind::Drag(button),
        (_, true, None) => MouseEventKind::Moved,
        (.., Some(button)) if released => MouseEventKind::Up(button),
        (.., Some(button)) => MouseEventKind::Down(button),
        (.., None) => return,
    };
    let pairs = [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)];
    let modifiers = pairs.into_iter().filter(|(bit, _)| bits & bit != 0).map(|(_, m)| m).collect();
    // Columns and rows count from 1; a 0 is a terminal's mistake.
    let (column, row) = (column.saturating_sub(1), row.saturating_sub(1));
    tell(Event::Mouse(MouseEvent { kind, column, row, modifiers }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(chunks: &[&[u8]]) -> Vec<Event> {
        let (mut parser, mut all) = (Parser::default(), Vec::new());
        for chunk in chunks {
            parser.feed(chunk, &mut |e| all.push(e));
        }
        parser.rest(&mut |e| all.push(e));
        all
    }

    fn keys(bytes: &[u8]) -> Vec<(KeyCode, KeyModifiers)> {
        let key = |e| if let Event::Key(k) = e { Some((k.code, k.modifiers)) } else { None };
        events(&[bytes]).into_iter().filter_map(key).collect()
    }

    #[test]
    fn keys_are_those_of_the_keyboard() {
        const NONE: KeyModifiers = KeyModifiers::NONE;
        for (bytes, code, modifiers) in [
            (&b"q"[..], KeyCode::Char('q'), NONE),
            (b"Q", KeyCode::Char('Q'), KeyModifiers::SHIFT),
            (b"\x03", KeyCode::Char('c'), KeyModifiers::CONTROL),
            (b"\x1a", KeyCode::Char('z'), KeyModifiers::CONTROL),
            (b"\r", KeyCode::Enter, NONE),
            (b"\x7f", KeyCode::Backspace, NONE),
            (b"\x1b", KeyCode::Esc, NONE),
            (b"\x1bx", KeyCode::Char('x'), KeyModifiers::ALT),
            (b"\x1b[A", KeyCode::Up, NONE),
            (b"\x1bOB", KeyCode::Down, NONE),
            (b"\x1b[1;5C", KeyCode::Right, KeyModifiers::CONTROL),
            (b"\x1b[Z", KeyCode::BackTab, KeyModifiers::SHIFT),
            (b"\x1b[5~", KeyCode::PageUp, NONE),
            (b"\x1b[24~", KeyCode::F(12), NONE),
            (b"\x1b[[C", KeyCode::F(3), NONE),
            (b"\x1b[122;5u", KeyCode::Char('z'), KeyModifiers::CONTROL),
            ("程".as_bytes(), KeyCode::Char('程'), NONE),
        ] {
            assert_eq!(keys(bytes), [(code, modifiers)], "{bytes:?}");
        }
    }

    #[test]
    fn a_cut_sequence_costs_itself_only() {
        let q = (KeyCode::Char('q'), KeyModifiers::NONE);
        for cut in [
            &b"\xe7\xa8"[..],
            b"\xff\xfe",
            b"\x1b[12;34R",
            b"\x1b]11;rgb:0/0/0\x07",
            b"\x1bP1$r0m\x1b\\",
            b"\x1b]cut\x1b[12;34R",
        ] {
            assert_eq!(keys(&[cut, b"q"].concat()), [q], "{cut:?}");
        }
        let (mut parser, mut all) = (Parser::default(), Vec::new());
        for bytes in [&b"\x1b[1;"[..], b"q"] {
            parser.feed(bytes, &mut |e| all.push(e));
            parser.rest(&mut |e| all.push(e));
        }
        assert_eq!(all, [Event::Key(KeyEvent::new(q.0, q.1))]);
    }

    #[test]
    fn the_mouse_reports_cells_from_zero() {
        let at = |kind, column, row| Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
        assert_eq!(events(&[b"\x1b[<0;1;1M"]), [at(MouseEventKind::Down(MouseButton::Left), 0, 0)]);
        assert_eq!(events(&[b"\x1b[<0;0;0m"]), [at(MouseEventKind::Up(MouseButton::Left), 0, 0)]);
        assert_eq!(events(&[b"\x1b[<65;80;24M"]), [at(MouseEventKind::ScrollDown, 79, 23)]);
        assert_eq!(events(&[b"\x1b[<0;99999999;1M"]).len(), 1);
        assert_eq!(events(&[b"\x1b[Mabc"]), [], "an old report is read, not typed");
    }

    #[test]
    fn a_paste_is_one_event_however_long_it_is_and_wherever_it_is_cut() {
        let text = "ls; rm\nq";
        let whole = format!("\x1b[200~{text}\x1b[201~");
        for cut in 0..=whole.len() {
            let (a, b) = whole.as_bytes().split_at(cut);
            assert_eq!(events(&[a, b]), [Event::Paste(text.into())], "cut at {cut}");
        }
        for len in [PASTE - 3, PASTE, 10 << 20] {
            let long = [b"\x1b[200~", &vec![b'x'; len][..], b"\x1b[201~q"].concat();
            let all = events(&[&long]);
            let Event::Paste(kept) = &all[0] else { panic!("{:?}", all[0]) };
            assert_eq!((kept.len(), all.len()), (len.min(PASTE), 2), "the paste and the key after it");
        }
        assert_eq!(events(&[b"\x1b[200~never ends"]), [Event::Paste("never ends".into())]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived_and_q_still_counts(bytes: Vec<u8>) {
            let (mut parser, mut last) = (Parser::default(), None);
            parser.feed(&bytes, &mut |_| {});
            parser.rest(&mut |_| {});
            parser.feed(b"q", &mut |e| last = Some(e));
            prop_assert_eq!(last, Some(Event::Key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE))));
        }
    }
}
