//! Whether the last session came to its end: each leaves a mark beside the progress while it lasts.
//!
//! The mark is a file that its process holds locked. A lock ends with its process, however that ends, and with the
//! machine; so a mark that nobody locks is that of a session which was cut off. A number and a start time would say
//! less: in another container, or on another machine with the same home, they are somebody else's.

use rustix::fs::{Mode, OFlags};
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What the names of marks begin with.
const MARK: &str = "session-";

/// A session that lasts. Dropped without [`Session::end`] it counts as cut off.
#[derive(Debug)]
pub struct Session {
    path: PathBuf,
    /// Holds the lock.
    _lock: File,
}

impl Session {
    /// Marks a session in `directory`. `temporary` is how names begin that a save tidies away.
    ///
    /// # Errors
    /// The file cannot be made, or the file system has no locks. Then a cut is not told; nothing else suffers.
    pub(super) fn begin(directory: &Path, temporary: &str) -> io::Result<Self> {
        // Locked before it has its name: another copy that starts now must not find it unlocked.
        let file = tempfile::Builder::new().prefix(temporary).tempfile_in(directory)?;
        file.as_file().try_lock()?;
        let own = file.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let path = directory.join(format!("{MARK}{}", own.trim_start_matches(temporary)));
        let _lock = file.persist_noclobber(&path).map_err(|e| e.error)?;
        Ok(Self { path, _lock })
    }

    /// The session came to its end in good order.
    pub fn end(self) {
        // Who cannot remove it now is told of a cut that was none. The lock goes after the name: a mark without
        // a lock has always been left.
        std::fs::remove_file(&self.path).ok();
    }
}

/// How many sessions were cut off. Each is counted by one caller only: its mark is gone then.
pub(super) fn cut_off(directory: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let marks = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(MARK));
    marks.filter(|entry| was_left(&entry.path()).unwrap_or(false)).count()
}

/// Whether the mark's process has gone without its end; if so, the mark is removed.
fn was_left(path: &Path) -> io::Result<bool> {
    // Writable, since NFS locks nothing else; and nothing here can make this wait.
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // Between our opening and our locking it may have ended in good order, or been counted by another copy.
    let named = file.metadata()?.is_file() && file.metadata()?.nlink() > 0;
    if named {
        std::fs::remove_file(path)?;
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    const TEMPORARY: &str = ".t-";

    fn begun(home: &Path) -> Session {
        Session::begin(home, TEMPORARY).expect("a directory of ours")
    }

    /// Counts until there are `wanted`. A test beside this one may be starting a program: its child has our locks, too,
    /// until it execs.
    fn counted(home: &Path, already: usize, wanted: usize) -> usize {
        let until = Instant::now() + Duration::from_secs(20);
        let mut counted = already;
        while counted < wanted && Instant::now() < until {
            counted += cut_off(home);
        }
        counted + cut_off(home)
    }

    #[test]
    fn a_session_that_lasts_or_ended_was_not_cut_off() {
        let home = tempfile::tempdir().expect("a directory");
        let (one, two) = (begun(home.path()), begun(home.path()));
        assert_eq!(cut_off(home.path()), 0);
        one.end();
        assert_eq!(cut_off(home.path()), 0);
        two.end();
        assert_eq!((cut_off(home.path()), std::fs::read_dir(home.path()).expect("it").count()), (0, 0));
    }

    #[test]
    fn each_that_was_cut_off_is_counted_once() {
        let home = tempfile::tempdir().expect("a directory");
        let _lasts = begun(home.path());
        drop((begun(home.path()), begun(home.path())));
        assert_eq!(counted(home.path(), 0, 2), 2);
    }

    #[test]
    fn many_that_start_at_once_accuse_nobody_and_count_each_cut_once() {
        let home = tempfile::tempdir().expect("a directory");
        drop(begun(home.path()));
        let found: usize = std::thread::scope(|scope| {
            let start = || {
                let mut found = 0;
                for _ in 0..50 {
                    found += cut_off(home.path());
                    begun(home.path()).end();
                }
                found
            };
            let all: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            all.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(counted(home.path(), found, 1), 1);
    }

    #[test]
    fn what_only_looks_like_a_mark_is_left_alone() {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(home.path().join("session-folder")).expect("ours");
        std::os::unix::fs::symlink("nowhere", home.path().join("session-link")).expect("ours");
        let fifo = home.path().join("session-fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("ours");
        assert_eq!(cut_off(home.path()), 0);
        assert_eq!(std::fs::read_dir(home.path()).expect("it").count(), 3);
    }
}
