//! Writes a recording. What a call to `write` was given is with the kernel when the call returns: a crash of this program
//! loses nothing of it.

use super::{Fault, RecordError};
use crate::fact::Stamped;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A recording being written.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    frame: FrameEncoder<BufWriter<File>>,
    lines: Vec<u8>,
    broken: bool,
}

impl Writer {
    /// Begins a recording at `path`. A recording that is there is overwritten, and nothing else is.
    ///
    /// # Errors
    /// When the file cannot be opened, is no ordinary file, holds something that is no recording, or is being written by
    /// another program.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let fail = |doing| move |error| RecordError::io(path, doing, error);
        let refuse = |fault| RecordError::new(&path.to_string_lossy(), None, fault);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            // A terminal or a pipe by that name must neither block nor become ours.
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .map_err(fail("open"))?;
        if !file.metadata().map_err(fail("open"))?.is_file() {
            return Err(refuse(Fault::NotOurs));
        }
        // Where the file system knows no locks we do without.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(refuse(Fault::Busy));
        }
        if !is_ours(&mut file).map_err(fail("read"))? {
            return Err(refuse(Fault::NotOurs));
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(fail("empty"))?;
        let info = FrameInfo::new()
            .block_size(BlockSize::Max64KB)
            .block_mode(BlockMode::Linked)
            .block_checksums(true)
            .content_checksum(true);
        let frame = FrameEncoder::with_frame_info(info, BufWriter::new(file));
        Ok(Self { path: path.to_owned(), frame, lines: Vec::new(), broken: false })
    }

    /// Writes facts, the first of a recording being its `start`.
    ///
    /// # Errors
    /// When the disk is full or refuses otherwise. After that nothing more is written, so that the file stays readable up
    /// to there; the error is told once.
    pub fn write(&mut self, facts: &[Stamped]) -> Result<(), RecordError> {
        if self.broken || facts.is_empty() {
            return Ok(());
        }
        let written = self.put(facts);
        self.broken = written.is_err();
        written.map_err(|error| RecordError::io(&self.path, "write", error))
    }

    /// From here on writes elsewhere.
    #[cfg(test)]
    pub(super) fn redirect(&mut self, file: File) {
        *self.frame.get_mut() = BufWriter::new(file);
    }

    fn put(&mut self, facts: &[Stamped]) -> io::Result<()> {
        self.lines.clear();
        for fact in facts {
            serde_json::to_writer(&mut self.lines, fact)?;
            self.lines.push(b'\n');
        }
        self.frame.write_all(&self.lines)?;
        // The frame's own flush ends the block; it does not reach the file.
        self.frame.flush()?;
        self.frame.get_mut().flush()
    }

    /// Ends the recording and sees it onto the disk.
    ///
    /// # Errors
    /// When the disk is full or refuses otherwise, now or at an earlier `write`.
    pub fn finish(self) -> Result<(), RecordError> {
        let Self { path, frame, broken, .. } = self;
        let fail = |error| RecordError::io(&path, "write", error);
        if broken {
            return Err(fail(io::Error::other("an earlier part was refused")));
        }
        let mut file = frame.finish().map_err(|error| fail(error.into()))?;
        file.flush().and_then(|()| file.get_ref().sync_all()).map_err(fail)
    }
}

/// Whether a file is empty or a recording, and so may be overwritten. One of a newer format is a recording too.
fn is_ours(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let ours = match super::read(&*file, "").next() {
        Some(Ok(_)) => true,
        Some(Err(error)) => matches!(error.fault(), Fault::Newer(_)),
        None => false,
    };
    file.rewind()?;
    Ok(ours)
}
