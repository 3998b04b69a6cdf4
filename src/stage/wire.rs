//! What program, warden and leader say to one another: one JSON value a line, lines bounded.

use crate::fact::{Cpu, Limits, Values};
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind, Read};

/// What a leader needs to know to begin. The first line on its steering pipe.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Brief {
    /// The demo's name.
    pub demo: String,
    /// Its parameters, complete and checked.
    pub params: Values,
    /// The CPUs it may use.
    pub cpus: Vec<Cpu>,
    /// The bounds it runs in.
    pub limits: Limits,
}

/// What the program tells the warden. That the pipe ends means [`Order::Stop`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    /// End everything: TERM, a short grace, then KILL until the tree is empty.
    Stop,
    /// Stop every process of the tree with SIGSTOP.
    Freeze,
    /// Let them go on.
    Thaw,
}

/// What the warden tells the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Word {
    /// The leader exists.
    Leader {
        /// Its process id.
        pid: u32,
    },
    /// A process ended and was reaped.
    Exit {
        /// Which.
        pid: u32,
        /// Its exit code, if it ended by itself.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<String>,
        /// The core-dump bit.
        core: bool,
    },
    /// A process was stopped or went on.
    Stopped {
        /// Which.
        pid: u32,
        /// True while stopped.
        stopped: bool,
    },
    /// A bound was reached and the tree is being ended for it.
    Bound {
        /// The sentence.
        what: String,
    },
    /// The leader could not be started.
    Failed {
        /// Why.
        why: String,
    },
    /// The tree is empty. The last word.
    Empty {
        /// Processes that were still there when the leader had ended.
        left_behind: u64,
    },
}

/// The longest line that is taken from a child; what is longer is dropped whole.
const LINE: usize = 64 * 1024;

/// Cuts what a non-blocking descriptor yields into lines.
#[derive(Debug)]
pub(super) struct Lines<R> {
    from: R,
    kept: Vec<u8>,
    skipping: bool,
    ended: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, kept: Vec::new(), skipping: false, ended: false }
    }

    pub(super) fn get_ref(&self) -> &R {
        &self.from
    }

    /// The descriptor, without what was read and not yet used: only where lines come one by one.
    pub(super) fn into_inner(self) -> R {
        self.from
    }

    /// True when the other side has closed.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Calls `each` with every complete line of up to `bytes` bytes that wait now. Never blocks on a non-blocking
    /// descriptor.
    pub(super) fn drain(&mut self, bytes: usize, mut each: impl FnMut(&[u8])) {
        let mut buffer = [0_u8; 8192];
        let mut taken = 0;
        while taken < bytes && !self.ended {
            match self.from.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(n) => {
                    taken += n;
                    self.cut(buffer.get(..n).unwrap_or_default(), &mut each);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.ended = true,
            }
        }
    }

    /// Waits for one line on a blocking descriptor.
    pub(super) fn wait(&mut self) -> io::Result<Vec<u8>> {
        let mut byte = [0_u8; 1];
        let mut line = Vec::new();
        loop {
            match self.from.read(&mut byte) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) if byte[0] == b'\n' => return Ok(line),
                Ok(_) if line.len() < LINE => line.push(byte[0]),
                Ok(_) => return Err(ErrorKind::InvalidData.into()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn cut(&mut self, mut bytes: &[u8], each: &mut impl FnMut(&[u8])) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            let (head, tail) = bytes.split_at(end);
            bytes = tail.get(1..).unwrap_or_default();
            if std::mem::take(&mut self.skipping) {
                self.kept.clear();
                continue;
            }
            self.kept.extend_from_slice(head);
            each(&self.kept);
            self.kept.clear();
        }
        if self.kept.len() + bytes.len() > LINE {
            self.skipping = true;
            self.kept.clear();
        } else if !self.skipping {
            self.kept.extend_from_slice(bytes);
        }
    }
}

/// `value` as one line.
pub(super) fn line<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        Lines::new(bytes).drain(usize::MAX, |line| out.push(String::from_utf8_lossy(line).into_owned()));
        out
    }

    #[test]
    fn lines_are_cut_and_an_unfinished_one_waits() {
        assert_eq!(lines(b"one\ntwo\nthr"), ["one", "two"]);
    }

    #[test]
    fn an_endless_line_is_dropped_whole_and_costs_no_memory() {
        let mut bytes = vec![b'x'; 10 * LINE];
        bytes.extend_from_slice(b"\nnext\n");
        assert_eq!(lines(&bytes), ["next"]);
    }

    #[test]
    fn words_survive_the_wire() {
        let word = Word::Exit { pid: 7, code: None, signal: Some("SIGSEGV".into()), core: false };
        let back: Word = serde_json::from_slice(&line(&word)).expect("our own line");
        assert_eq!(back, word);
    }
}
