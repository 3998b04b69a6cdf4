//! What a process can tell of its own memory: pages from /proc/self/pagemap, totals from smaps_rollup.
//!
//! Kernel documentation: admin-guide/mm/pagemap.rst. An ordinary user gets the flags of its own pages (the frame number
//! reads 0): bit 63 present, bit 56 mapped by this process alone.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// A range of whole pages of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The address of the first page.
    pub start: usize,
    /// How many pages.
    pub pages: usize,
}

const PRESENT: u64 = 1 << 63;
const EXCLUSIVE: u64 = 1 << 56;

impl Region {
    /// One letter a page: `X` mapped by this process alone, `s` shared, `.` not present.
    ///
    /// # Errors
    /// That of opening or reading /proc/self/pagemap.
    pub fn map(&self) -> std::io::Result<String> {
        let page = rustix::param::page_size();
        let file = File::open("/proc/self/pagemap")?;
        let mut bytes = vec![0_u8; self.pages * 8];
        file.read_exact_at(&mut bytes, (self.start / page * 8) as u64)?;
        Ok(bytes.as_chunks::<8>().0.iter().map(|entry| letter(u64::from_ne_bytes(*entry))).collect())
    }
}

fn letter(entry: u64) -> char {
    match (entry & PRESENT != 0, entry & EXCLUSIVE != 0) {
        (false, _) => '.',
        (true, true) => 'X',
        (true, false) => 's',
    }
}

/// Proportional set size and private dirty memory of this process in KiB, from /proc/self/smaps_rollup.
#[must_use]
pub fn pss_and_private_dirty() -> Option<(u64, u64)> {
    let text = fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let field = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.split_ascii_whitespace().next()?.parse::<u64>().ok())
    };
    Some((field("Pss:")?, field("Private_Dirty:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_the_kernel_documents_them() {
        assert_eq!(letter(0), '.');
        assert_eq!(letter(PRESENT), 's');
        assert_eq!(letter(PRESENT | EXCLUSIVE), 'X');
    }

    #[test]
    fn own_touched_pages_are_ones_own() {
        let page = rustix::param::page_size();
        let bytes = vec![1_u8; page * 8];
        let start = bytes.as_ptr().addr().next_multiple_of(page);
        let map = Region { start, pages: 4 }.map().expect("one may read one's own pagemap");
        assert_eq!(map, "XXXX");
        assert!(pss_and_private_dirty().is_some_and(|(pss, _)| pss > 0));
    }
}
