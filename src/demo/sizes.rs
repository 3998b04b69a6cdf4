//! How big a process is, as the kernel tells it.
//!
//! Pss is from /proc/PID/smaps_rollup (Linux 4.14), a walk over all the pages of the process; the rest from its status.

use crate::fact::Pid;
use nix::sys::prctl;
use std::fs;
use std::io;
use std::ops::Add;

/// The sizes of a process in KiB, or those of some added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sizes {
    /// Addresses that may be used (`VmSize`).
    pub(super) vsz: u64,
    /// Pages in RAM that are mapped, each counted in full.
    pub(super) rss: u64,
    /// Page tables (`VmPTE`), which are in none of the others.
    pub(super) tables: u64,
    /// What only the walk can tell, if it is allowed.
    pub(super) walked: Option<Walked>,
}

/// What is told by a walk over the pages, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Walked {
    /// Pages in RAM, each divided by the number of those who map it.
    pub(super) pss: u64,
    /// Of these, pages of files: code and libraries. 0 where the kernel does not tell (before 5.4).
    pub(super) of_files: u64,
    /// Pages in RAM that nobody else maps.
    pub(super) private: u64,
}

impl Add for Sizes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let both = self.walked.zip(other.walked);
        Self {
            vsz: self.vsz + other.vsz,
            rss: self.rss + other.rss,
            tables: self.tables + other.tables,
            walked: both.map(|(a, b)| Walked {
                pss: a.pss + b.pss,
                of_files: a.of_files + b.of_files,
                private: a.private + b.private,
            }),
        }
    }
}

impl Sizes {
    /// Those of `pid`, if there is such a process.
    pub(super) fn of(pid: Pid) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok();
        Self::parse(&status, rollup.as_deref())
    }

    /// Why the pages of `pid` cannot be walked over; nothing if they can.
    pub(super) fn unwalked(pid: Pid) -> Option<String> {
        let error = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).err()?;
        let since = if error.kind() == io::ErrorKind::NotFound { "; it came with Linux 4.14" } else { "" };
        Some(format!("/proc/PID/smaps_rollup cannot be read ({error}){since}"))
    }

    /// Processes above this one that run the same program, as the warden does and whoever started it.
    pub(super) fn above() -> Vec<Pid> {
        let program = |pid: &str| fs::read_link(format!("/proc/{pid}/exe")).ok();
        let own = program("self");
        let mut found = Vec::new();
        let mut next = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
        while let Some(pid) = next.take().filter(|pid| own.is_some() && program(&pid.to_string()) == own) {
            found.push(Pid(pid));
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            next = kib(&status, "PPid:").and_then(|pid| u32::try_from(pid).ok());
        }
        found
    }

    fn parse(status: &str, rollup: Option<&str>) -> Option<Self> {
        let walked = rollup.and_then(|text| {
            let private = kib(text, "Private_Clean:")? + kib(text, "Private_Dirty:")?;
            Some(Walked { pss: kib(text, "Pss:")?, of_files: kib(text, "Pss_File:").unwrap_or(0), private })
        });
        // The kernel counts the status' RSS per CPU and adds it up late (since 6.2): what was walked is exact.
        let rss = rollup.and_then(|text| kib(text, "Rss:")).or_else(|| kib(status, "VmRSS:"))?;
        Some(Self { vsz: kib(status, "VmSize:")?, rss, tables: kib(status, "VmPTE:").unwrap_or(0), walked })
    }
}

/// The number after `name`.
fn kib(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.split_ascii_whitespace().next()?.parse().ok())
}

/// Makes the memory of this process and of its children to come plain to count. glibc's malloc would reserve an arena of
/// 64 MiB for each of the first threads (mallopt(3), `M_ARENA_MAX`), and the kernel could back a touched page by a huge one
/// of 2 MiB (`PR_SET_THP_DISABLE`): true of some programs, and nothing that a thread needs.
pub(super) fn make_plain() {
    // An old kernel that does not know the wish has it not fulfilled: the sizes are then what they are.
    let _ = prctl::set_thp_disable(true);
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: it takes two numbers; glibc locks for it.
        #[expect(unsafe_code, reason = "mallopt(3)")]
        let _ = unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tx\nVmPeak:\t 9 kB\nVmSize:\t    2000 kB\nVmRSS:\t     120 kB\nVmPTE:\t      44 kB\n";
    const ROLLUP: &str = "1-2 ---p 0 0:0 0 [rollup]\nRss: 100 kB\nPss: 30 kB\nPss_Dirty: 9 kB\nPss_File: 11 kB\nPrivate_Clean: 4 kB\n\
                          Private_Dirty: 8 kB\n";

    #[test]
    fn they_are_read_as_the_kernel_writes_them() {
        let both = Sizes::parse(STATUS, Some(ROLLUP)).expect("sizes");
        let walked = Some(Walked { pss: 30, of_files: 11, private: 12 });
        assert_eq!(both, Sizes { vsz: 2000, rss: 100, tables: 44, walked });
        let blind = Sizes::parse(STATUS, None).expect("sizes");
        assert_eq!((blind.rss, blind.walked), (120, None), "the walk is not allowed");
        assert_eq!((both + both).walked, Some(Walked { pss: 60, of_files: 22, private: 24 }));
        assert_eq!((both + blind).walked, None, "a sum that lacks a part is no sum");
        assert_eq!(Sizes::parse("Name:\tkthreadd\n", None), None, "a kernel thread has no memory");
    }

    #[test]
    fn ones_own_pss_is_no_more_than_ones_rss() {
        let own = Sizes::of(Pid(std::process::id())).expect("this process");
        assert!(own.rss <= own.vsz, "{own:?}");
        let walked = own.walked.expect("one may walk over one's own pages");
        assert!(walked.private <= walked.pss + 1 && walked.pss <= own.rss, "{own:?}");
    }

    #[test]
    fn a_walk_that_is_refused_has_a_reason() {
        assert_eq!(Sizes::unwalked(Pid(std::process::id())), None);
        let why = Sizes::unwalked(Pid(u32::MAX)).expect("there is no such process");
        assert!(why.contains("No such file") && why.ends_with("it came with Linux 4.14"), "{why}");
    }
}
