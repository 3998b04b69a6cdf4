//! One sealed piece of memory that program, leader and workers share.
//!
//! It is a `memfd` whose size is sealed before anybody else has it: a child that truncated it would make the next read
//! of the program a SIGBUS. Only whole 64-bit words are read and written, each once, atomically; nothing in it is
//! believed. The program maps it read-only.

use memmap2::{MmapOptions, MmapRaw};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;
use rustix::thread::{Timespec, futex};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

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

    /// Sets the word at `index` to `value` if it is `known`.
    pub(super) fn replace(&self, index: usize, known: u64, value: u64) {
        if self.writable
            && let Some(word) = self.at(index)
        {
            let _ = word.compare_exchange(known, value, Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    /// Sleeps while the lower half of the word at `index` is that of `known`, for `patience` (or an hour) at most, until [`Words::wake`];
    /// may return sooner. (futex(2) knows 32 bits, so orders are told apart by their lower half.)
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is compared")]
    pub(super) fn wait(&self, index: usize, known: u64, patience: Duration) {
        let hours = patience.min(Duration::from_secs(3600));
        let Ok(patience) = Timespec::try_from(hours) else { return };
        if let Some(half) = self.lower_half(index) {
            // A wake, a signal, another value and the time all mean the same to the caller: look again.
            let _ = futex::wait(half, futex::Flags::empty(), known as u32, Some(&patience));
        }
    }

    /// Wakes all who wait for the word at `index` to change, in whatever process.
    pub(super) fn wake(&self, index: usize) {
        if let Some(half) = self.lower_half(index) {
            let _ = futex::wake(half, futex::Flags::empty(), i32::MAX.unsigned_abs());
        }
    }

    fn lower_half(&self, index: usize) -> Option<&AtomicU32> {
        let word: *const AtomicU32 = std::ptr::from_ref(self.at(index)?).cast();
        let half = usize::from(cfg!(target_endian = "big"));
        // SAFETY: within the word that `at` found, aligned for half of it, and living as long. Nothing here reads or writes
        // through it: only its address goes to the kernel, which reads it atomically.
        #[expect(unsafe_code, reason = "the half of a word that the kernel can wait for")]
        Some(unsafe { &*word.add(half) })
    }

    fn at(&self, index: usize) -> Option<&AtomicU64> {
        if index >= self.len() {
            return None;
        }
        let start = self.map.as_ptr().cast::<AtomicU64>();
        // SAFETY: the mapping begins on a page, so every word is aligned; `index` is within it; its size is sealed, so
        // the page stays; other processes touch it by atomic words only, and an AtomicU64 may change at any time. On a
        // read-only mapping only `load` is called (`store` and `replace` ask `writable`).
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
