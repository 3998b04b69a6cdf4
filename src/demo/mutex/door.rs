//! The door of the restroom, in three kinds that processes can share: a mutex, a robust mutex, and a lock of a file.

use crate::demo::posix::{Kind, Mutex};
use crate::fact::Unavailable;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// What the lock told of the last owner.
const NOTHING: &str = "nothing";
const OWNER_DIED: &str = "EOWNERDEAD";

/// The kinds, as the parameter calls them.
pub(super) const KINDS: &[&str] = &["plain", "robust", "flock"];

/// One for all.
#[derive(Debug)]
pub(super) enum Door {
    /// A mutex in common memory.
    Mutex(Mutex),
    /// A file without a name, of which flock(2) locks the whole.
    File(File),
}

/// What a passenger has of it.
#[derive(Debug)]
pub(super) enum Handle<'d> {
    Mutex(&'d Mutex),
    /// A lock of flock belongs to the open file description: who shares one has it together. So each opens the file anew.
    File(File),
}

impl Door {
    pub(super) fn new(kind: &str) -> Result<Self, Unavailable> {
        let refused = |error: io::Error| Unavailable::new("the lock", error.to_string());
        match kind {
            "flock" => {
                let file = memfd_create(c"forklore-door", MFdFlags::MFD_CLOEXEC).map_err(|e| refused(e.into()))?;
                Ok(Self::File(file.into()))
            }
            "robust" => Mutex::new(Kind::Robust).map(Self::Mutex).map_err(refused),
            _ => Mutex::new(Kind::Plain).map(Self::Mutex).map_err(refused),
        }
    }

    pub(super) fn handle(&self) -> io::Result<Handle<'_>> {
        match self {
            Self::Mutex(mutex) => Ok(Handle::Mutex(mutex)),
            Self::File(file) => File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).map(Handle::File),
        }
    }
}

impl Handle<'_> {
    /// Takes it, at once or after a wait without end. What it told of its last owner; none if it was not got.
    pub(super) fn take(&self, wait: bool) -> Option<&'static str> {
        match self {
            Self::Mutex(mutex) => match if wait { mutex.lock() } else { mutex.try_lock() } {
                Ok(()) => Some(NOTHING),
                // Ours, and it stays usable for the next one only if we say that all is in order.
                Err(Errno::EOWNERDEAD) => mutex.consistent().ok().map(|()| OWNER_DIED),
                Err(_) => None,
            },
            Self::File(file) => {
                let how = if wait { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
                flock(file, how).ok().map(|()| NOTHING)
            }
        }
    }

    /// Gives it back.
    pub(super) fn give_back(&self) {
        match self {
            Self::Mutex(mutex) => drop(mutex.unlock().ok()),
            Self::File(file) => drop(flock(file, FlockOperation::Unlock).ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In another thread, for a mutex of this one is its own.
    fn another(door: &Door) -> Option<&'static str> {
        std::thread::scope(|scope| {
            let take = || {
                let handle = door.handle().expect("/proc");
                let told = handle.take(false);
                told.inspect(|_| handle.give_back())
            };
            scope.spawn(take).join().expect("no panic")
        })
    }

    #[test]
    fn each_kind_lets_one_in() {
        for kind in KINDS {
            let door = Door::new(kind).expect("memory");
            let handle = door.handle().expect("/proc");
            assert_eq!((handle.take(true), another(&door)), (Some(NOTHING), None), "{kind}");
            handle.give_back();
            assert_eq!(another(&door), Some(NOTHING), "{kind}");
        }
    }

    #[test]
    fn only_a_robust_one_tells_of_a_dead_owner() {
        // To the C library a thread that ends is an owner that died; a file is closed with whoever had it open.
        for (kind, told) in [("plain", None), ("robust", Some(OWNER_DIED)), ("flock", Some(NOTHING))] {
            let door = Door::new(kind).expect("memory");
            std::thread::scope(|scope| {
                scope.spawn(|| assert!(door.handle().expect("/proc").take(true).is_some()));
            });
            assert_eq!(another(&door), told, "{kind}");
        }
    }
}
