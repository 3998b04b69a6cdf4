//! The bounds of a demo: how much of the machine it may use, whatever it does.

use serde::{Deserialize, Serialize};

/// Bounds on a demo's whole tree (tasks, memory, output) and on each of its processes (the others).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Tasks (threads) in the tree; the warden counts them and ends the tree beyond.
    pub tasks: u64,
    /// Resident mebibytes of the tree; the warden adds them up and ends the tree beyond.
    pub tree_mib: u64,
    /// Mebibytes of address space of each process (`RLIMIT_AS`).
    pub process_mib: u64,
    /// CPU seconds of each process (`RLIMIT_CPU`).
    pub cpu_seconds: u64,
    /// Open files of each process (`RLIMIT_NOFILE`).
    pub files: u64,
    /// Mebibytes of the largest file (`RLIMIT_FSIZE`).
    pub file_mib: u64,
}

impl Limits {
    /// The usual bounds: far more than a demo needs, far less than would be felt.
    pub const DEFAULT: Self =
        Self { tasks: 256, tree_mib: 768, process_mib: 1024, cpu_seconds: 3600, files: 256, file_mib: 16 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
