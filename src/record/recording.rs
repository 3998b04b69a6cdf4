//! A recording: the stream as JSON Lines in an LZ4 frame, so that `lz4 -dc FILE` shows it. Plain JSON Lines are read too.
//!
//! A recording may come from anywhere. The reader bounds every line and the whole, and turns whatever is wrong into one
//! sentence with file, line and remedy. It reads a stream that breaks off up to where it does.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::{Reader, read};
pub use writer::Writer;

use crate::fact::{FORMAT, clean_line};
use std::fmt;
use std::io;
use std::path::Path;

/// The first bytes of an LZ4 frame (`lz4_Frame_format.md`, "Magic Number", little-endian).
const MAGIC: [u8; 4] = 0x184D_2204_u32.to_le_bytes();

/// What is wrong with a recording.
#[derive(Debug)]
pub struct RecordError {
    file: String,
    line: Option<u64>,
    fault: Fault,
}

/// The kinds of faults.
#[derive(Debug)]
pub enum Fault {
    /// The machine refused.
    Io {
        /// What was wanted: "open", "write".
        doing: &'static str,
        /// What it said.
        error: io::Error,
    },
    /// The file is there and is no recording, so it is not overwritten.
    NotOurs,
    /// Another program is writing it.
    Busy,
    /// It holds no recording.
    NoRecording(String),
    /// A newer forklore wrote it.
    Newer(u64),
    /// Something in it cannot be read.
    Damaged(String),
    /// It ends before the run did.
    Cut,
    /// It is larger than is read.
    TooLarge(&'static str),
}

impl RecordError {
    fn new(file: &str, line: Option<u64>, fault: Fault) -> Self {
        Self { file: file.to_owned(), line, fault }
    }

    fn io(path: &Path, doing: &'static str, error: io::Error) -> Self {
        Self::new(&path.to_string_lossy(), None, Fault::Io { doing, error })
    }

    /// The line of the stream, from 1 on, where one is concerned.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        self.line
    }

    /// What kind of fault it is.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// The stream is good as far as it goes, and ends before its run did.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        matches!(self.fault, Fault::Cut)
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&clean_line(&self.file))?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        f.write_str(": ")?;
        match &self.fault {
            Fault::Io { doing, error } => write!(f, "cannot {doing} it: {error}"),
            Fault::NotOurs => {
                f.write_str("this file is there and is no recording; choose another name or remove it first")
            }
            Fault::Busy => f.write_str("another program is recording to this file; choose another name"),
            Fault::NoRecording(why) => {
                write!(f, "this is no recording ({}); `forklore run DEMO --record FILE` makes one", clean_line(why))
            }
            Fault::Newer(format) => write!(
                f,
                "this recording has format {format} and this forklore reads up to {FORMAT}; a newer forklore reads it"
            ),
            Fault::Damaged(why) => {
                write!(f, "the recording is damaged here ({}); record the run again", clean_line(why))
            }
            Fault::Cut => f.write_str("the recording ends before its run did; what stands before was read"),
            Fault::TooLarge(what) => {
                write!(f, "{what}, and more is not read; record a shorter run with `--for SECS`")
            }
        }
    }
}

impl std::error::Error for RecordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            Fault::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
