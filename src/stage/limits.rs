//! The bounds of a demo, set in the leader before any of the demo's code runs and inherited by all its children.

use crate::fact::{Limits, Unavailable};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Sets `limits` for this process and its children. Lower limits that stand already are kept.
///
/// # Errors
/// The limit that could not be set: what cannot be bounded is not run.
pub(super) fn impose(limits: &Limits) -> Result<(), Unavailable> {
    const MIB: u64 = 1 << 20;
    lower(Resource::RLIMIT_AS, limits.process_mib.saturating_mul(MIB), "its address space")?;
    lower(Resource::RLIMIT_CPU, limits.cpu_seconds, "its CPU seconds")?;
    lower(Resource::RLIMIT_NOFILE, limits.files, "its open files")?;
    lower(Resource::RLIMIT_FSIZE, limits.file_mib.saturating_mul(MIB), "its files' size")?;
    // 1 and not 0: with a core_pattern that is a pipe the kernel ignores 0 and dumps all the same (core(5)).
    lower(Resource::RLIMIT_CORE, 1, "its core dumps")?;
    // Only a preference: without it the kernel may choose another victim when memory runs out.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}

fn lower(resource: Resource, to: u64, what: &str) -> Result<(), Unavailable> {
    let refused = |e: nix::Error| Unavailable::new(format!("a bound on {what}"), format!("setrlimit refused it ({e})"));
    let (soft, hard) = getrlimit(resource).map_err(refused)?;
    setrlimit(resource, to.min(soft), to.min(hard)).map_err(refused)
}
