//! What the kernel says of the machine's cores: which there are, who had them, and for how long. Knows no demo.

use crate::fact::{Cpu, Pid, Tid};
use std::collections::BTreeSet;
use std::fs;

/// CPUs that run on this machine, if the kernel says so.
pub(super) fn installed() -> Option<usize> {
    listed(&fs::read_to_string("/sys/devices/system/cpu/online").ok()?)
}

/// How many CPUs a list like `0-3,8` names.
fn listed(list: &str) -> Option<usize> {
    let count = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (usize, usize) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        (to.checked_sub(from)?).checked_add(1)
    };
    list.trim().split(',').map(count).sum::<Option<usize>>().filter(|n| *n > 0)
}

/// Cores in hardware behind these CPUs, if the kernel says so: two threads of one core name the same siblings.
pub(super) fn physical(cpus: &[Cpu]) -> Option<usize> {
    let siblings = |cpu: &Cpu| {
        let path = format!("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu.0);
        fs::read_to_string(path).ok().map(|list| list.trim().to_owned())
    };
    Some(cpus.iter().map(siblings).collect::<Option<BTreeSet<_>>>()?.len())
}

/// Seconds that a sleeping task was on a CPU since it began. The account of one that runs is as old as the last tick.
pub(super) fn ran(pid: Pid, tid: Tid) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat")).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok().map(|ns: f64| ns / 1e9)
}

/// Seconds that these CPUs were not idle since the machine started, whoever had them, a hypervisor included. In steps of
/// a tick.
pub(super) fn not_idle(cpus: &[Cpu]) -> Option<f64> {
    ticks(&fs::read_to_string("/proc/stat").ok()?, cpus).map(|ticks| ticks / per_second())
}

fn per_second() -> f64 {
    let rate = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten();
    rate.and_then(|rate| u32::try_from(rate).ok()).map_or(100.0, f64::from)
}

/// The fields of proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user already.
fn ticks(stat: &str, cpus: &[Cpu]) -> Option<f64> {
    let names: BTreeSet<String> = cpus.iter().map(|cpu| format!("cpu{}", cpu.0)).collect();
    let mut seen = 0;
    let mut sum = 0.0;
    for line in stat.lines() {
        let mut fields = line.split_ascii_whitespace();
        if !fields.next().is_some_and(|name| names.contains(name)) {
            continue;
        }
        seen += 1;
        let numbers: Vec<f64> = fields.map_while(|f| f.parse().ok()).collect();
        sum += [0, 1, 2, 5, 6, 7].iter().filter_map(|at| numbers.get(*at)).sum::<f64>();
    }
    (seen == names.len()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_counted() {
        assert_eq!([listed("0-3,8\n"), listed("0"), listed("0-63")], [Some(5), Some(1), Some(64)]);
        assert_eq!([listed(""), listed("3-1"), listed("a")], [None; 3]);
    }

    #[test]
    fn idle_and_guests_are_left_out_and_every_cpu_must_be_there() {
        let stat = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 4 1000 1000 8 16 32 500 500\ncpu1 1 0 0 0 0 0 0 0 0 0\n";
        assert_eq!(ticks(stat, &[Cpu(0)]), Some(63.0));
        assert_eq!(ticks(stat, &[Cpu(0), Cpu(1)]), Some(64.0));
        assert_eq!(ticks(stat, &[Cpu(0), Cpu(2)]), None);
    }

    #[test]
    fn this_thread_has_run() {
        let me = std::process::id();
        // A kernel without schedstat has no such file.
        if std::path::Path::new("/proc/self/schedstat").exists() {
            assert!(ran(Pid(me), Tid(me)).is_some_and(|s| s >= 0.0));
        }
    }
}
