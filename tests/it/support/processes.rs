//! What runs on this machine, from /proc, and which of it belongs to a test.

use super::Patience;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// A process at the moment it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its id.
    pub(crate) pid: i32,
    /// Its parent's id.
    pub(crate) parent: i32,
    /// The kernel's letter for its state: `R`, `S`, `T`, `Z` and so on.
    pub(crate) state: char,
    /// The kernel's name for it, `comm`.
    pub(crate) name: String,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, parent, state, name } = self;
        write!(f, "{pid} ({name}, state {state}, child of {parent})")
    }
}

impl Process {
    /// Ends it at once. What is gone already is no fault.
    pub(crate) fn kill(&self) {
        assert!(self.pid > 1, "0 and 1 are never ours");
        // ESRCH: it ended while we looked.
        let _ = kill(Pid::from_raw(self.pid), Signal::SIGKILL);
    }

    fn read(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name is in parentheses and may itself hold spaces and parentheses.
        let (name, rest) = (stat.find('(')? + 1, stat.rfind(')')?);
        let mut fields = stat[rest + 1..].split_whitespace();
        let state = fields.next()?.chars().next()?;
        Some(Self { pid, parent: fields.next()?.parse().ok()?, state, name: stat[name..rest].to_owned() })
    }
}

/// Every process that can be seen.
pub(crate) fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    entries.filter_map(|entry| Process::read(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// The processes below `ancestor`, zombies included.
pub(crate) fn descendants(ancestor: i32) -> Vec<Process> {
    let all = all();
    let (mut family, mut size) = (BTreeSet::from([ancestor]), 0);
    while family.len() > size {
        size = family.len();
        family.extend(all.iter().filter(|p| family.contains(&p.parent)).map(|p| p.pid).collect::<Vec<_>>());
    }
    all.into_iter().filter(|p| p.pid != ancestor && family.contains(&p.pid)).collect()
}

/// A mark in the environment of everything that a test starts, however far it goes from its parent.
#[derive(Debug)]
pub(crate) struct Marker(String);

impl Marker {
    /// The variable that holds the mark.
    pub(crate) const NAME: &str = "FORKLORE_TEST_RUN";

    /// A mark that no other run has.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(format!("{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The mark: what the variable is to be set to.
    pub(crate) fn value(&self) -> &str {
        &self.0
    }

    /// What lives and carries the mark. A zombie carries nothing: its environment is gone.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let variable = format!("{}={}", Self::NAME, self.0);
        let carries = |p: &Process| {
            let environment = fs::read(format!("/proc/{}/environ", p.pid)).unwrap_or_default();
            environment.split(|b| *b == 0).any(|one| one == variable.as_bytes())
        };
        all().into_iter().filter(carries).collect()
    }

    /// Waits until nothing carries the mark.
    ///
    /// # Panics
    /// When patience ends before, naming what is left.
    pub(crate) fn assert_gone(&self, patience: Patience) {
        let mut left = Vec::new();
        let gone = patience.wait(|| {
            left = self.processes();
            left.is_empty().then_some(())
        });
        assert!(gone.is_some(), "left behind after {:?}: {}", patience.0, list(&left));
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        for left in self.processes() {
            left.kill();
        }
    }
}

/// Processes in a line of words.
pub(crate) fn list(processes: &[Process]) -> String {
    processes.iter().map(Process::to_string).collect::<Vec<_>>().join(", ")
}
