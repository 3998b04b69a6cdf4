//! What a demo writes to its standard output and error: read slowly, cut into lines, never believed.

use crate::fact::{Fact, Nanos, Stamped, clean_line};
use std::fs::File;
use std::io::{ErrorKind, Read};

/// Bytes taken in a reading; the pipe holds back who writes faster.
const BYTES: usize = 64 * 1024;
/// Lines kept of a reading; the rest is counted.
const LINES: usize = 20;
/// Bytes kept of a line.
const WIDTH: usize = 400;

/// The Rust runtime's advice to programmers, after a failed allocation: nothing that the demo had to say.
const RUSTS_OWN: &[u8] = b"note: run with `RUST_BACKTRACE";

/// The reading end of a demo's output.
#[derive(Debug)]
pub(super) struct Output {
    pipe: File,
    part: Vec<u8>,
    dropped: u64,
    ended: bool,
}

impl Output {
    pub(super) fn new(pipe: File) -> Self {
        Self { pipe, part: Vec::new(), dropped: 0, ended: false }
    }

    /// Appends what was said since the last call, at most [`LINES`] lines of it.
    pub(super) fn drain(&mut self, at: Nanos, out: &mut Vec<Stamped>) {
        let mut said = 0;
        let mut taken = 0;
        let mut buffer = [0_u8; 8192];
        while taken < BYTES && !self.ended {
            match self.pipe.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(n) => {
                    taken += n;
                    for byte in buffer.get(..n).unwrap_or_default() {
                        self.take(*byte, at, &mut said, out);
                    }
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.ended = true,
            }
        }
        if self.ended && !self.part.is_empty() {
            self.say(at, &mut said, out);
        }
    }

    fn take(&mut self, byte: u8, at: Nanos, said: &mut usize, out: &mut Vec<Stamped>) {
        match byte {
            b'\n' => self.say(at, said, out),
            _ if self.part.len() < WIDTH => self.part.push(byte),
            _ => self.dropped += 1,
        }
    }

    fn say(&mut self, at: Nanos, said: &mut usize, out: &mut Vec<Stamped>) {
        if self.part.starts_with(RUSTS_OWN) {
            self.part.clear();
        } else if *said < LINES {
            *said += 1;
            let text = clean_line(&String::from_utf8_lossy(&self.part));
            out.push(Stamped::new(at, Fact::Said { text, dropped: std::mem::take(&mut self.dropped) }));
        } else {
            self.dropped += self.part.len() as u64 + 1;
        }
        self.part.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn said(bytes: &[u8]) -> Vec<(String, u64)> {
        let (read, write) = rustix::pipe::pipe().expect("pipe");
        let mut write = File::from(write);
        write.write_all(bytes).expect("it fits the pipe");
        drop(write);
        let mut out = Vec::new();
        Output::new(File::from(read)).drain(Nanos(1), &mut out);
        let text = |s: &Stamped| match &s.fact {
            Fact::Said { text, dropped } => (text.clone(), *dropped),
            other => panic!("{other:?}"),
        };
        out.iter().map(text).collect()
    }

    #[test]
    fn escapes_are_shown_and_not_obeyed() {
        assert_eq!(said(b"a\x1b[2Jb\nc"), [("a\u{fffd}[2Jb".into(), 0), ("c".into(), 0)]);
    }

    #[test]
    fn a_character_cut_between_two_readings_is_whole() {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::NONBLOCK).expect("pipe");
        let (mut output, mut write) = (Output::new(File::from(read)), File::from(write));
        let mut out = Vec::new();
        for byte in "线程 é\n".as_bytes().iter().chain(b"\xe7\xba") {
            write.write_all(&[*byte]).expect("it fits the pipe");
            output.drain(Nanos(1), &mut out);
        }
        drop(write);
        output.drain(Nanos(1), &mut out);
        let said: Vec<_> = out
            .iter()
            .map(|s| if let Fact::Said { text, .. } = &s.fact { text.as_str() } else { panic!("{s:?}") })
            .collect();
        assert_eq!(said, ["线程 é", "\u{fffd}"], "what is cut at the end is shown as cut");
    }

    #[test]
    fn a_flood_is_counted() {
        let kept = said(&b"x\n".repeat(1000));
        assert_eq!(kept.len(), LINES);
        let long = said(&[&[b'y'; 10_000][..], b"\n"].concat());
        assert_eq!((long[0].0.len(), long[0].1), (WIDTH, 10_000 - WIDTH as u64));
    }
}
