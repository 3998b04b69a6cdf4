//! Observers: they turn what the kernel does with a demo's tasks into facts.
//!
//! Two ways are here: [`attach_exact`], the kernel's own switch records, and [`attach_sampled`], /proc looked at so many
//! times a second. (The third, self-timed workers, needs no observer: the workers tell.) [`Accounts`] reads the kernel's
//! counters beside either. [`survey`] says what this machine allows. This module knows no demo and no screen, starts no
//! process and decides nothing; a refusal is handed back as a sentence.

mod accounts;
mod caps;
mod clock;
mod files;
mod follow;
#[cfg(test)]
mod live;
mod machine;
mod occupancy;
mod order;
#[expect(unsafe_code, reason = "perf_event_open has no safe wrapper")]
mod perf;
mod procfs;
#[expect(unsafe_code, reason = "the ring is memory shared with the kernel")]
mod ring;

pub use accounts::Accounts;
pub use caps::{Capability, State, survey};
pub use clock::now;
pub use machine::{Machine, allowed_cpus, online_cpus};

use crate::fact::{Pid, Source, Stamped, Unavailable};
use std::time::Duration;

/// Something that sees tasks come, run, leave and end. That a process has ended is seen, and not how; and it may be a zombie
/// for a while: see [`listed`].
pub trait Observer: Send {
    /// How it knows.
    fn source(&self) -> Source;

    /// Appends what has happened since the last call, in order of time, stamped in nanoseconds of `CLOCK_MONOTONIC`.
    ///
    /// It may hold back the newest: see [`Observer::finish`].
    fn drain(&mut self, out: &mut Vec<Stamped>);

    /// As [`Observer::drain`], and nothing is held back: for the last call.
    fn finish(&mut self, out: &mut Vec<Stamped>) {
        self.drain(out);
    }

    /// How soon to drain again, adapted to the rate at which things happen.
    fn interval(&self) -> Duration;

    /// Looks a second, for a source that samples.
    fn hz(&self) -> Option<u32>;
}

/// The kernel lists a process of this number: it lives, or has ended and was not waited for.
#[must_use]
pub fn listed(pid: Pid) -> bool {
    std::path::Path::new("/proc").join(pid.to_string()).exists()
}

/// The kernel's switch records of `root`, a held process with one thread, and of every task that comes from it.
///
/// # Errors
/// The kernel refuses: the errno is named and explained.
pub fn attach_exact(root: Pid) -> Result<Box<dyn Observer>, Unavailable> {
    Ok(Box::new(perf::Exact::attach(root, &online_cpus())?))
}

/// /proc, looked at `hz` times a second, for `root` and every task below it.
///
/// # Errors
/// /proc does not show `root`, or the kernel keeps no schedstat.
pub fn attach_sampled(root: Pid, hz: u32) -> Result<Box<dyn Observer>, Unavailable> {
    Ok(Box::new(procfs::Sampled::attach(root, hz)?))
}
