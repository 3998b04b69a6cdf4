//! The bounds of a demo, set in the leader before any of the demo's code runs and inherited by all its children.

use crate::fact::Unavailable;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
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

impl Default for Limits {
    fn default() -> Self {
        Self { tasks: 256, tree_mib: 768, process_mib: 1024, cpu_seconds: 3600, files: 256, file_mib: 16 }
    }
}

impl Limits {
    /// Sets them for this process and its children. Lower limits that stand already are kept.
    ///
    /// # Errors
    /// The limit that could not be set: what cannot be bounded is not run.
    pub(super) fn impose(&self) -> Result<(), Unavailable> {
        const MIB: u64 = 1 << 20;
        lower(Resource::RLIMIT_AS, self.process_mib.saturating_mul(MIB), "its address space")?;
        lower(Resource::RLIMIT_CPU, self.cpu_seconds, "its CPU seconds")?;
        lower(Resource::RLIMIT_NOFILE, self.files, "its open files")?;
        lower(Resource::RLIMIT_FSIZE, self.file_mib.saturating_mul(MIB), "its files' size")?;
        // 1 and not 0: with a core_pattern that is a pipe the kernel ignores 0 and dumps all the same (core(5)).
        lower(Resource::RLIMIT_CORE, 1, "its core dumps")?;
        // Only a preference: without it the kernel may choose another victim when memory runs out.
        let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
        Ok(())
    }
}

fn lower(resource: Resource, to: u64, what: &str) -> Result<(), Unavailable> {
    let refused = |e: nix::Error| Unavailable::new(format!("a bound on {what}"), format!("setrlimit refused it ({e})"));
    let (soft, hard) = getrlimit(resource).map_err(refused)?;
    setrlimit(resource, to.min(soft), to.min(hard)).map_err(refused)
}
