//! The machine: its CPUs, allowed and online, its memory, its kernel. Read once, when asked. It knows no task.

use crate::fact::Cpu;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::utsname::uname;
use nix::unistd::{Pid, SysconfVar, sysconf};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What a learner should know of the machine that the answers come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The CPUs that we may use: affinity and cpuset.
    pub allowed: Vec<Cpu>,
    /// The CPUs that run.
    pub online: Vec<Cpu>,
    /// The processor's name, empty where the kernel does not say.
    pub model: String,
    /// Bytes of memory.
    pub memory: u64,
    /// The kernel's release, as uname says it.
    pub kernel: String,
    /// The processor says that a hypervisor stands below it.
    pub virtual_machine: bool,
    /// What governs the clock speed of the first allowed CPU; none where the kernel does not: most virtual machines.
    pub governor: Option<String>,
    /// Bytes in a page.
    pub page_size: usize,
}

impl Machine {
    /// Looks.
    #[must_use]
    pub fn look() -> Self {
        let (model, memory) = model_and_memory();
        let allowed = allowed_cpus();
        Self {
            governor: allowed.first().and_then(|cpu| governor(*cpu)),
            allowed,
            online: online_cpus(),
            model,
            memory,
            kernel: uname().map(|name| name.release().to_string_lossy().into_owned()).unwrap_or_default(),
            virtual_machine: virtual_machine(),
            page_size: page_size(),
        }
    }
}

/// The CPUs that this thread may use, in order, never none. The kernel has taken cpusets into account already.
#[must_use]
pub fn allowed_cpus() -> Vec<Cpu> {
    // The C library's set ends at CPU 1023; the kernel refuses it (EINVAL) where more are possible.
    let set = sched_getaffinity(Pid::from_raw(0)).ok().map(|set| {
        let is_set = |i: &usize| set.is_set(*i).unwrap_or(false);
        (0..CpuSet::count()).filter(is_set).filter_map(|i| u32::try_from(i).ok()).map(Cpu).collect()
    });
    set.or_else(|| {
        let status = fs::read_to_string("/proc/thread-self/status").ok()?;
        cpu_list(status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?)
    })
    .filter(|cpus: &Vec<Cpu>| !cpus.is_empty())
    .unwrap_or_else(|| vec![Cpu(0)])
}

/// The CPUs that run, in order. Never fewer than are allowed: in a container the list may be another's.
#[must_use]
pub fn online_cpus() -> Vec<Cpu> {
    let online = fs::read_to_string("/sys/devices/system/cpu/online").ok().and_then(|list| cpu_list(&list));
    let all: BTreeSet<_> = online.into_iter().flatten().chain(allowed_cpus()).collect();
    all.into_iter().collect()
}

/// The cpufreq governor of a CPU ("performance", "schedutil"), by the kernel's admin-guide/pm/cpufreq.
fn governor(cpu: Cpu) -> Option<String> {
    let path = format!("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor", cpu.0);
    fs::read_to_string(path).ok().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Bytes in a page.
pub(super) fn page_size() -> usize {
    sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|size| usize::try_from(size).ok()).unwrap_or(4096)
}

/// Reads the kernel's way to list CPUs: `0-3,8,10-11`. None if it is not one.
pub(super) fn cpu_list(text: &str) -> Option<Vec<Cpu>> {
    /// More CPUs than any kernel is built for: a list that names them is not one.
    const MOST: u32 = 1 << 16;
    let mut cpus = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
        if to >= MOST {
            return None;
        }
        cpus.extend((from..=to).map(Cpu));
    }
    Some(cpus)
}

fn model_and_memory() -> (String, u64) {
    let Ok(mut system) = sysinfo::System::new() else { return Default::default() };
    system.refresh_memory();
    system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
    let model = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default();
    (model, system.total_memory())
}

fn virtual_machine() -> bool {
    let flagged = fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| {
        text.lines().filter(|line| line.starts_with("flags")).any(|line| line.split(' ').any(|f| f == "hypervisor"))
    });
    // Other processors than x86 have no such flag; their kernels say it here.
    flagged || ["/sys/hypervisor/type", "/proc/device-tree/hypervisor"].iter().any(|p| Path::new(p).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus_are_read() {
        let list = |text| cpu_list(text).map(|cpus| cpus.iter().map(|c| c.0).collect::<Vec<_>>());
        assert_eq!(list("0-3,8,10-11\n"), Some(vec![0, 1, 2, 3, 8, 10, 11]));
        assert_eq!(list(""), Some(vec![]));
        assert_eq!(list("3-1"), Some(vec![]));
        for bad in ["0-4294967295", "a", "1-", "-1", "0,,x"] {
            assert_eq!(list(bad), None, "{bad}");
        }
    }

    #[test]
    fn this_machine_has_what_every_machine_has() {
        let machine = Machine::look();
        assert!(!machine.allowed.is_empty() && machine.allowed.iter().all(|cpu| machine.online.contains(cpu)));
        assert!(machine.page_size.is_power_of_two() && machine.memory > 0);
        assert!(machine.kernel.contains('.'));
    }
}
