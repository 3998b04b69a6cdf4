//! What the worker that does input and output waits for, for real: a pipe, a timer, a disk. And a file that is in memory
//! already, for which nobody has to wait.

use super::{BUSY, busy};
use crate::fact::{Fact, Unavailable};
use crate::stage::{Stage, Worker};
use rustix::fs::{Advice, OFlags, fadvise, fcntl_setfl, statfs};
use rustix::pipe::{PipeFlags, pipe_with};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of the file that is read, and of each reading.
const FILE: u64 = 8 << 20;
const PIECE: usize = 256 << 10;

/// File systems that keep files in memory only (statfs(2)): tmpfs and ramfs.
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// A device, for the worker that waits for it and for the leader, who is at the far end of the pipe.
#[derive(Debug, Clone)]
pub(super) struct Device {
    kind: Kind,
    pace: Duration,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Both ends. The leader keeps the reading one too: else writing would end it (SIGPIPE) when the worker has gone.
    Pipe {
        read: Arc<File>,
        write: Arc<File>,
    },
    Timer,
    /// A file without a name: it is gone with the last who has it open, however that one ends.
    Disk(Arc<File>),
    /// The same, and its pages stay in memory.
    Cached(Arc<File>),
}

impl Device {
    /// What `word` names. Where the machine has no such thing, that is told, and a timer takes its place.
    pub(super) fn prepare(stage: &mut Stage, word: &str, pace: Duration) -> io::Result<Self> {
        let file = match word {
            "disk" => Some(a_file(true).map(Kind::Disk)),
            "cached" => Some(a_file(false).map(Kind::Cached)),
            _ => None,
        };
        let kind = match file {
            Some(Ok(file)) => file,
            Some(Err(refused)) => {
                stage.tell(Fact::Refused(refused));
                Kind::Timer
            }
            None if word == "pipe" => {
                let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
                // The leader must not wait when the pipe is full. The flag belongs to this end alone.
                fcntl_setfl(&write, OFlags::NONBLOCK)?;
                Kind::Pipe { read: Arc::new(read.into()), write: Arc::new(write.into()) }
            }
            None => Kind::Timer,
        };
        Ok(Self { kind, pace })
    }

    /// What a worker at it waits for.
    pub(super) fn word(&self) -> &'static str {
        match self.kind {
            Kind::Pipe { .. } => "pipe",
            Kind::Timer => "timer",
            Kind::Disk(_) => "disk",
            Kind::Cached(_) => "nothing",
        }
    }

    /// From one message to the next.
    pub(super) fn pace(&self) -> Duration {
        self.pace
    }

    /// A message arrives, if there is a pipe for it.
    pub(super) fn send(&self) {
        if let Kind::Pipe { write, .. } = &self.kind {
            // A full pipe (EAGAIN) has messages enough.
            let _ = (&**write).write(b".");
        }
    }

    /// The worker's part: it waits, has something to do, and waits again.
    pub(super) fn serve(&self, worker: &Worker) {
        let mut buffer = vec![0_u8; PIECE];
        let mut pieces = 0;
        while worker.order() == 0 {
            match &self.kind {
                Kind::Pipe { read, .. } => {
                    let mut byte = [0];
                    if (&**read).read(&mut byte).is_err() {
                        return;
                    }
                    busy(worker, BUSY);
                }
                Kind::Timer => {
                    std::thread::sleep(self.pace);
                    busy(worker, BUSY);
                }
                Kind::Disk(file) | Kind::Cached(file) => {
                    if matches!(self.kind, Kind::Disk(_)) {
                        // Its pages are clean, so the kernel can drop them at once; the next reading must ask the disk.
                        let _ = fadvise(&**file, 0, None, Advice::DontNeed);
                    }
                    if file.read_exact_at(&mut buffer, pieces * PIECE as u64 % FILE).is_err() {
                        return;
                    }
                    pieces += 1;
                    worker.set_work(pieces);
                }
            }
        }
    }
}

/// A file without a name, full of bytes and written out; on a disk, if it has to be.
fn a_file(on_disk: bool) -> Result<Arc<File>, Unavailable> {
    let mut why = String::new();
    for folder in [std::env::temp_dir(), PathBuf::from("/var/tmp"), PathBuf::from("/tmp")] {
        if on_disk && in_memory(&folder) {
            why = format!("{} is a file system in memory", folder.display());
            continue;
        }
        match filled(&folder) {
            Ok(file) => return Ok(Arc::new(file)),
            Err(error) => why = format!("no file can be written in {} ({error})", folder.display()),
        }
    }
    Err(Unavailable::new("a file to read; B waits for a timer instead", why)
        .remedy("Let TMPDIR name a folder on a disk, with 8 MiB free"))
}

fn in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|fs| u64::try_from(fs.f_type).is_ok_and(|kind| IN_MEMORY.contains(&kind)))
}

fn filled(folder: &Path) -> io::Result<File> {
    // O_TMPFILE where the file system has it, else made and unlinked at once.
    let file = tempfile::tempfile_in(folder)?;
    let piece = vec![b'.'; PIECE];
    for _ in 0..FILE / PIECE as u64 {
        (&file).write_all(&piece)?;
    }
    file.sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn the_file_has_no_name_and_is_full() {
        let file = a_file(false).expect("a file somewhere");
        let about = file.metadata().expect("its inode");
        assert_eq!((about.nlink(), about.len()), (0, FILE));
    }

    #[test]
    fn what_is_in_memory_is_known() {
        assert!(!in_memory(Path::new("/proc")) && !in_memory(Path::new("/no such folder")));
        if std::fs::read_to_string("/proc/mounts").is_ok_and(|mounts| mounts.contains(" /dev/shm tmpfs ")) {
            assert!(in_memory(Path::new("/dev/shm")));
        }
    }

    #[test]
    fn a_pipe_that_is_full_holds_nobody() {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
        fcntl_setfl(&write, OFlags::NONBLOCK).expect("a flag");
        let kind = Kind::Pipe { read: Arc::new(read.into()), write: Arc::new(write.into()) };
        let device = Device { kind, pace: Duration::ZERO };
        (0..1 << 17).for_each(|_| device.send());
        let Kind::Pipe { read, .. } = &device.kind else { panic!("a pipe") };
        assert_eq!((&**read).read(&mut [0; 8]).expect("messages"), 8);
    }
}
