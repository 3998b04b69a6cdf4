//! Whole pages with words in them that threads, or processes, read and write: for demos about memory. Knows no demo.
//!
//! Every word is an atomic one, so whoever touches it at the same time, it is never half of a value.

use crate::stage::Region;
use memmap2::{Advice, MmapOptions, MmapRaw};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;
use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Some whole pages.
#[derive(Debug)]
pub(super) struct Area {
    map: MmapRaw,
    page: usize,
}

impl Area {
    /// Pages that a process has for itself: after a fork each of the two writes to its own (`MAP_PRIVATE`).
    ///
    /// # Errors
    /// The kernel's refusal of the mapping.
    pub(super) fn private(pages: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        let map = MmapRaw::from(MmapOptions::new().len(page * pages).map_anon()?);
        // A huge page would be one page. A kernel without huge pages refuses the advice (EINVAL), and needs none.
        let _ = map.advise(Advice::NoHugePage);
        Ok(Self { map, page })
    }

    /// Pages that this process and all that it forks from now on have together (`MAP_SHARED`). They are those of a memfd
    /// whose size is sealed: nobody can cut them short, which would end the others by SIGBUS.
    ///
    /// # Errors
    /// The kernel's refusal of the memfd, its size, its seals or the mapping.
    pub(super) fn shared(pages: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        let fd = memfd_create(c"forklore-shared", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        ftruncate(&fd, i64::try_from(page * pages).map_err(io::Error::other)?)?;
        fcntl(&fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL))?;
        let map = MmapOptions::new().len(page * pages).map_raw(&std::fs::File::from(fd))?;
        Ok(Self { map, page })
    }

    /// How many pages.
    pub(super) fn pages(&self) -> usize {
        self.map.len() / self.page
    }

    /// Where page `n` begins.
    pub(super) fn address(&self, n: usize) -> usize {
        self.map.as_ptr().addr() + n * self.page
    }

    /// The first word of page `n`.
    pub(super) fn word(&self, n: usize) -> &AtomicU64 {
        self.word_of(n, 0)
    }

    /// Word `k` of page `n`. Who took the page away, or its rights, dies of the next access.
    pub(super) fn word_of(&self, n: usize, k: usize) -> &AtomicU64 {
        assert!(n < self.pages() && k < self.page / size_of::<u64>(), "word {k} of page {n} of {}", self.pages());
        // SAFETY: within the mapping, which is writable and lives as long as `self`, and aligned, since a page is. Whoever
        // else touches the word, in whatever process, does so through this function, and so atomically.
        #[expect(unsafe_code, reason = "a word of memory that several hold")]
        unsafe {
            &*self.map.as_ptr().byte_add(n * self.page).cast::<AtomicU64>().add(k)
        }
    }

    /// All words from page `n` on.
    pub(super) fn words(&self, n: usize) -> &[AtomicU64] {
        assert!(n < self.pages(), "page {n} of {}", self.pages());
        let count = (self.pages() - n) * self.page / size_of::<u64>();
        // SAFETY: as for one word; the last of them is the last of the mapping.
        #[expect(unsafe_code, reason = "words of memory that several hold")]
        unsafe {
            std::slice::from_raw_parts(self.map.as_ptr().byte_add(n * self.page).cast::<AtomicU64>(), count)
        }
    }

    /// For a look at the page map.
    pub(super) fn region(&self) -> Region {
        Region { start: self.map.as_ptr().addr(), pages: self.pages() }
    }
}

/// A page of words of half the size, which is what futex(2) sleeps at.
#[derive(Debug)]
pub(super) struct Bells(Area);

impl Bells {
    /// As [`Area::shared`].
    ///
    /// # Errors
    /// The same.
    pub(super) fn shared() -> io::Result<Self> {
        Area::shared(1).map(Self)
    }

    /// Bell `k`.
    pub(super) fn bell(&self, k: usize) -> &AtomicU32 {
        assert!(k < self.0.page / size_of::<u64>(), "bell {k} of a page");
        // SAFETY: within the mapping, which is writable and lives as long as `self`, and aligned. The area is this one's own,
        // so nobody ever touches a word of it in another size.
        #[expect(unsafe_code, reason = "a word of memory that several hold")]
        unsafe {
            &*self.0.map.as_ptr().cast::<AtomicU32>().add(2 * k)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn each_page_has_words_of_its_own() {
        for area in [Area::private(3).expect("mmap"), Area::shared(3).expect("memfd")] {
            (0..3).for_each(|n| area.word(n).store(n as u64 + 7, Relaxed));
            area.word_of(1, 5).store(99, Relaxed);
            let found: Vec<u64> = (0..3).map(|n| area.word(n).load(Relaxed)).collect();
            assert_eq!((found, area.word_of(1, 5).load(Relaxed), area.pages()), (vec![7, 8, 9], 99, 3));
            assert_eq!(area.address(2) - area.address(0), 2 * rustix::param::page_size());
        }
    }

    #[test]
    fn the_words_are_those_of_the_pages() {
        let area = Area::shared(2).expect("memfd");
        area.word_of(1, 3).store(7, Relaxed);
        let words = area.words(1);
        assert_eq!((words[3].load(Relaxed), words.len()), (7, rustix::param::page_size() / 8));
        assert_eq!(area.words(0).len(), 2 * words.len());
        let bells = Bells::shared().expect("memfd");
        (0..9).for_each(|k| bells.bell(k).store(u32::try_from(k).expect("small"), Relaxed));
        assert!((0..9).all(|k| bells.bell(k).load(Relaxed) as usize == k));
        // It says so at once where the word is another than the one that is waited for (EAGAIN).
        let (flags, word) = (rustix::thread::futex::Flags::empty(), bells.bell(2));
        assert_eq!(rustix::thread::futex::wait(word, flags, 9, None), Err(rustix::io::Errno::AGAIN));
    }

    #[test]
    #[should_panic(expected = "page 3 of 3")]
    fn nobody_gets_past_the_end() {
        let _ = Area::private(3).expect("mmap").word(3);
    }
}
