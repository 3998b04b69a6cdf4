//! One sealed piece of memory that program, leader and workers share.
//!
//! It is a `memfd` whose size is sealed before anybody else has it: a child that truncated it would make the next read
//! of the program a SIGBUS. Only whole 64-bit words are read and written, each once, atomically; nothing in it is
//! believed. The program maps it read-only.

use memmap2::{MmapOptions, MmapRaw};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

/// The shared words, mapped into this process.
#[derive(Debug)]
pub(super) struct Words {
    map: MmapRaw,
    writable: bool,
}

/// A new piece of `words` zero words: the descriptor to hand on.
pub(super) fn create(words: usize) -> io::Result<OwnedFd> {
    let fd = memfd_create(c"forklore-board", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    let bytes = i64::try_from(words * 8).map_err(io::Error::other)?;
    ftruncate(&fd, bytes)?;
    let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
    fcntl(&fd, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(fd)
}

impl Words {
    /// Maps the first `words` words of `fd`, for writing too if `writable`.
    pub(super) fn map(fd: impl AsFd, words: usize, writable: bool) -> io::Result<Self> {
        let file = std::fs::File::from(fd.as_fd().try_clone_to_owned()?);
        if file.metadata()?.len() < (words * 8) as u64 {
            return Err(io::Error::other("the board is smaller than it says"));
        }
        let mut options = MmapOptions::new();
        options.len(words * 8);
        let map = if writable { options.map_raw(&file)? } else { options.map_raw_read_only(&file)? };
        Ok(Self { map, writable })
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.map.len() / 8
    }

    /// The word at `index`; 0 beyond the end. Acquire.
    pub(super) fn load(&self, index: usize) -> u64 {
        self.at(index).map_or(0, |word| word.load(Ordering::Acquire))
    }

    /// Sets the word at `index`, if it exists and this mapping may write. Release.
    pub(super) fn store(&self, index: usize, value: u64) {
        if self.writable
            && let Some(word) = self.at(index)
        {
            word.store(value, Ordering::Release);
        }
    }

    fn at(&self, index: usize) -> Option<&AtomicU64> {
        if index >= self.len() {
            return None;
        }
        let start = self.map.as_ptr().cast::<AtomicU64>();
        // SAFETY: the mapping begins on a page, so every word is aligned; `index` is within it; its size is sealed, so
        // the page stays; other processes touch it by atomic words only, and an AtomicU64 may change at any time. On a
        // read-only mapping only `load` is called (`store` asks `writable`).
        #[expect(unsafe_code, reason = "a word of shared memory")]
        Some(unsafe { &*start.add(index) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_mappings_see_one_memory_and_one_of_them_cannot_write() {
        let fd = create(16).expect("memfd");
        let ours = Words::map(&fd, 16, true).expect("map");
        let theirs = Words::map(&fd, 16, false).expect("map");
        ours.store(3, 42);
        theirs.store(3, 7);
        assert_eq!((ours.load(3), theirs.load(3), theirs.load(99)), (42, 42, 0));
    }

    #[test]
    fn nobody_can_cut_it_short() {
        let fd = create(1024).expect("memfd");
        assert_eq!(ftruncate(&fd, 0), Err(nix::Error::EPERM));
        assert!(fcntl(&fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE)).is_err(), "sealed against further seals");
    }
}
