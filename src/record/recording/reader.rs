//! Reads a recording, whatever it may turn out to be.

use super::{Fault, MAGIC, RecordError};
use crate::fact::{Cpu, FORMAT, Fact, Nanos, Stamped, Tid, Why};
use lz4_flex::frame::FrameDecoder;
use serde::Deserialize;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Chain, Cursor, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The longest line that is read.
const LINE: usize = 1 << 20;

/// The most that is read of a stream, unpacked.
const WHOLE: u64 = 2 << 30;

/// What was read of the head goes before the rest again.
type Input<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

enum Body<R: Read> {
    Packed(Box<FrameDecoder<Input<R>>>),
    Plain(Input<R>),
}

/// The facts of a recording, in their order, and last an error if something is wrong with it.
pub struct Reader<R: Read> {
    file: String,
    body: Body<R>,
    line: Vec<u8>,
    /// Lines read so far.
    count: u64,
    bytes: u64,
    /// The newest fact is the outcome, which ends a stream.
    whole: bool,
    over: bool,
}

impl<R: Read> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("file", &self.file).field("line", &self.count).finish_non_exhaustive()
    }
}

/// The facts of a recording that `input` gives; `file` is its name in sentences.
pub fn read<R: Read>(mut input: R, file: &str) -> Reader<R> {
    let mut head = Vec::new();
    // An input that fails here fails again when lines are read, and is told of then.
    drop(input.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head));
    let packed = head == MAGIC;
    let input = BufReader::with_capacity(1 << 16, Cursor::new(head).chain(input));
    let body = if packed { Body::Packed(Box::new(FrameDecoder::new(input))) } else { Body::Plain(input) };
    Reader { file: file.to_owned(), body, line: Vec::new(), count: 0, bytes: 0, whole: false, over: false }
}

impl Reader<File> {
    /// The facts of the recording at `path`.
    ///
    /// # Errors
    /// When the file cannot be opened or is no ordinary file. What is wrong with its contents comes with the facts.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let fail = |error| RecordError::io(path, "open", error);
        // A pipe by that name, to which nobody writes, must not hold us up.
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(fail)?;
        if !file.metadata().map_err(fail)?.is_file() {
            let fault = Fault::NoRecording("not an ordinary file".to_owned());
            return Err(RecordError::new(&path.to_string_lossy(), None, fault));
        }
        Ok(read(file, &path.to_string_lossy()))
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Stamped, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.fact();
        self.over = !matches!(next, Ok(Some(_)));
        match next {
            Ok(fact) => fact.map(Ok),
            Err(fault) => Some(Err(RecordError::new(&self.file, Some(self.count).filter(|&n| n > 0), fault))),
        }
    }
}

impl<R: Read> Reader<R> {
    /// The next fact, or none when the stream ends as it should.
    fn fact(&mut self) -> Result<Option<Stamped>, Fault> {
        loop {
            let ended = self.next_line()?;
            if self.line.is_empty() {
                return match (self.count, self.whole) {
                    (0, _) => Err(Fault::NoRecording("it is empty".to_owned())),
                    (_, true) => Ok(None),
                    (_, false) => Err(Fault::Cut),
                };
            }
            self.count += 1;
            let line = self.line.trim_ascii();
            if line.is_empty() && self.count > 1 {
                continue;
            }
            let fact = if self.count == 1 { first(line)? } else { parse(line).map_err(|e| broken(&e, ended))? };
            self.whole = matches!(fact.fact, Fact::Outcome(_));
            return Ok(Some(fact));
        }
    }

    /// Reads a line with its end; false if the stream ends before the line does.
    fn next_line(&mut self) -> Result<bool, Fault> {
        self.line.clear();
        loop {
            let chunk = match &mut self.body {
                Body::Packed(body) => body.fill_buf(),
                Body::Plain(body) => body.fill_buf(),
            };
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return end_or_fault(error, self.count),
            };
            let end = chunk.iter().position(|&b| b == b'\n');
            let take = end.map_or(chunk.len(), |end| end + 1);
            if take == 0 {
                return Ok(false);
            }
            self.bytes = self.bytes.saturating_add(take as u64);
            if self.line.len() + take > LINE {
                self.count += 1;
                return Err(match self.count {
                    1 => Fault::NoRecording("its first line has more than 1 MiB".to_owned()),
                    _ => Fault::TooLarge("this line has more than 1 MiB"),
                });
            }
            if self.bytes > WHOLE {
                return Err(Fault::TooLarge("the recording has more than 2 GiB"));
            }
            self.line.extend_from_slice(&chunk[..take]);
            match &mut self.body {
                Body::Packed(body) => body.consume(take),
                Body::Plain(body) => body.consume(take),
            }
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

/// A frame that breaks off ends the stream; anything else is a fault.
fn end_or_fault(error: io::Error, lines: u64) -> Result<bool, Fault> {
    match error.kind() {
        ErrorKind::UnexpectedEof => Ok(false),
        // What lz4_flex finds wrong with a frame is of these kinds.
        ErrorKind::Other | ErrorKind::InvalidData if lines == 0 => Err(Fault::NoRecording(error.to_string())),
        ErrorKind::Other | ErrorKind::InvalidData => Err(Fault::Damaged(error.to_string())),
        _ => Err(Fault::Io { doing: "read", error }),
    }
}

/// A last line without its end was cut; any other that cannot be read is damaged.
fn broken(error: &serde_json::Error, ended: bool) -> Fault {
    if ended { Fault::Damaged(error.to_string()) } else { Fault::Cut }
}

/// The first line, which must be the start of a format that we know.
fn first(line: &[u8]) -> Result<Stamped, Fault> {
    #[derive(Deserialize)]
    struct Head {
        kind: String,
        format: u64,
    }
    // Editors of some systems put a byte order mark before the text.
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    let none = || Fault::NoRecording("its first line is not the start of a stream".to_owned());
    let head: Head = serde_json::from_slice(line).map_err(|_| none())?;
    if head.kind != "start" {
        return Err(none());
    }
    if head.format > u64::from(FORMAT) {
        return Err(Fault::Newer(head.format));
    }
    serde_json::from_slice(line).map_err(|error| Fault::NoRecording(error.to_string()))
}

/// A switch: by far the most frequent fact, and read several times faster than as one of all kinds.
#[derive(Deserialize)]
struct Switch<'a> {
    t: Nanos,
    kind: &'a str,
    cpu: Cpu,
    tid: Tid,
    why: Option<Why>,
}

fn parse(line: &[u8]) -> serde_json::Result<Stamped> {
    if let Ok(Switch { t, kind, cpu, tid, why }) = serde_json::from_slice(line) {
        match (kind, why) {
            ("in", _) => return Ok(Stamped::new(t, Fact::In { cpu, tid })),
            ("out", Some(why)) => return Ok(Stamped::new(t, Fact::Out { cpu, tid, why })),
            _ => {}
        }
    }
    serde_json::from_slice(line)
}
