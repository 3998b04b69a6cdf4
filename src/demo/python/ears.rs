//! What a program says on its two pipes, however much it is and whatever: lines of JSON on one, words for its user on the other.

use crate::fact::clean_line;
use serde_json::Value;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Read};

/// Of what a program says, this much is read: a hundred times what ours say.
const MOST: usize = 1 << 20;

/// The longest line.
const LINE: usize = 4096;

/// Of what an interpreter says to its user, this much is kept: the end, where the error stands.
const TAIL: usize = 8192;

/// Readings at a time: who writes faster than we read must not keep the leader.
const AT_A_TIME: usize = 64;

/// Two pipes that are not waited for, and what came out of them.
#[derive(Debug)]
pub(super) struct Ears {
    says: Option<File>,
    errors: Option<File>,
    part: Vec<u8>,
    lines: VecDeque<Value>,
    tail: Vec<u8>,
    read: usize,
    odd: bool,
}

impl Ears {
    pub(super) fn new(says: File, errors: File) -> Self {
        let (part, tail, lines) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { says: Some(says), errors: Some(errors), part, lines, tail, read: 0, odd: false }
    }

    /// Reads what is there.
    pub(super) fn drain(&mut self) {
        for _ in 0..AT_A_TIME {
            let Some(bytes) = read(&mut self.says) else { break };
            self.take(&bytes);
        }
        for _ in 0..AT_A_TIME {
            let Some(bytes) = read(&mut self.errors) else { break };
            self.tail.extend(&bytes);
            let more = self.tail.len().saturating_sub(TAIL);
            self.tail.drain(..more);
        }
    }

    /// The next line.
    pub(super) fn line(&mut self) -> Option<Value> {
        self.lines.pop_front()
    }

    /// Something came that is no object of JSON, or too much of it.
    pub(super) fn odd(&self) -> bool {
        self.odd
    }

    /// Nobody has either pipe any more.
    pub(super) fn over(&self) -> bool {
        self.says.is_none() && self.errors.is_none()
    }

    /// The last line of what it said to its user: of an interpreter, the error, after the lines that led to it.
    pub(super) fn last_words(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.tail);
        text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(short)
    }

    /// What it said to its user from the first line on that begins so, up to the end of the paragraph.
    pub(super) fn error(&self, begins: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.tail);
        let mut lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with(begins));
        let head = lines.next()?;
        // Some begin with an empty line.
        let rest = lines.skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty());
        let whole: Vec<_> = std::iter::once(head).chain(rest).collect();
        Some(short(&whole.join(" ")))
    }

    fn take(&mut self, bytes: &[u8]) {
        self.read += bytes.len();
        self.odd |= self.read > MOST;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.odd {
                return;
            }
            self.part.extend(piece);
            if self.part.ends_with(b"\n") {
                match serde_json::from_slice(&self.part) {
                    Ok(line @ Value::Object(_)) => self.lines.push_back(line),
                    _ => self.odd = true,
                }
                self.part.clear();
            }
            self.odd |= self.part.len() > LINE;
        }
    }
}

/// The next bytes, if there are any; a pipe that nobody writes to any more is closed.
fn read(pipe: &mut Option<File>) -> Option<Vec<u8>> {
    let mut bytes = vec![0; LINE];
    match pipe.as_mut()?.read(&mut bytes) {
        Ok(length @ 1..) => {
            bytes.truncate(length);
            return Some(bytes);
        }
        Err(error) if [ErrorKind::WouldBlock, ErrorKind::Interrupted].contains(&error.kind()) => {}
        Ok(_) | Err(_) => *pipe = None,
    }
    None
}

/// A foreign line, short enough for a sentence.
fn short(line: &str) -> String {
    clean_line(line.trim()).chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};
    use serde_json::json;
    use std::io::Write;

    fn ears() -> (Ears, [File; 2]) {
        let pipe = || pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).expect("a pipe");
        let ((says, to), (errors, err)) = (pipe(), pipe());
        (Ears::new(says.into(), errors.into()), [to.into(), err.into()])
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let (mut ears, [mut to, err]) = ears();
        for part in ["{\"a\"", ":1}\n{\"b\":2}", "\n"] {
            to.write_all(part.as_bytes()).expect("it fits");
            ears.drain();
        }
        assert_eq!((ears.line(), ears.line(), ears.line()), (Some(json!({"a": 1})), Some(json!({"b": 2})), None));
        assert_eq!((ears.odd(), ears.over()), (false, false));
        drop((to, err));
        ears.drain();
        assert!(ears.over());
    }

    #[test]
    fn what_is_no_object_is_odd() {
        for odd in [&b"hello\n"[..], b"3\n", b"\n", b"{\"a\":1\n", b"\xff\n", &[b'x'; LINE + 1]] {
            let (mut ears, [mut to, _err]) = ears();
            to.write_all(odd).expect("it fits");
            ears.drain();
            assert_eq!((ears.odd(), ears.line()), (true, None), "{odd:?}");
        }
    }

    #[test]
    fn a_flood_is_cut_and_the_end_of_the_errors_is_kept() {
        let (mut ears, [_to, mut err]) = ears();
        let (line, lines) = (b"{\"a\":1}\n".repeat(64), MOST / 512 + 1);
        (0..lines).for_each(|_| ears.take(&line));
        assert!(ears.odd());
        for _ in 0..20 {
            err.write_all(&[&[b'e'; 1000][..], b"\n"].concat()).expect("it fits");
            ears.drain();
        }
        err.write_all(b"RuntimeError: \x1b[2Jno\n\n").expect("it fits");
        ears.drain();
        assert!(ears.tail.len() <= TAIL);
        assert_eq!(ears.last_words(), Some("RuntimeError: \u{fffd}[2Jno".to_owned()));
        assert_eq!((ears.error("RuntimeError"), ears.error("KeyError")), (ears.last_words(), None));
        err.write_all(b"OSError: \n\n   it is\n   so.\n\n   And more.\n").expect("it fits");
        ears.drain();
        assert_eq!(ears.error("OSError"), Some("OSError: it is so.".to_owned()));
    }
}
