//! What else may have had a core: the hypervisor, as /proc/stat says, and a quota, as the control groups say.

use crate::fact::Cpu;
use std::fs;
use std::path::{Path, PathBuf};

/// The files that speak of those who take time from a core.
pub(super) struct Rivals {
    cpu: Cpu,
    /// cpu.stat of this process's control group and of all above it.
    groups: Vec<PathBuf>,
}

impl Rivals {
    pub(super) fn new(cpu: Cpu) -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self { cpu, groups: groups(&own).into_iter().filter(|file| file.exists()).collect() }
    }

    /// Nanoseconds that the hypervisor has had of the core since the machine started, to a clock tick (a hundredth of a
    /// second on most machines).
    pub(super) fn stolen(&self) -> u64 {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        stolen_ticks(&stat, self.cpu).saturating_mul(1_000_000_000 / rustix::param::clock_ticks_per_second().max(1))
    }

    /// Nanoseconds that quotas have held tasks of these groups.
    pub(super) fn throttled(&self) -> u64 {
        self.groups.iter().filter_map(|file| fs::read_to_string(file).ok()).map(|text| throttled(&text)).sum()
    }
}

/// The eighth number behind the core's name (`proc_stat(5)`).
fn stolen_ticks(stat: &str, cpu: Cpu) -> u64 {
    let name = format!("cpu{cpu}");
    let mut lines = stat.lines().map(str::split_ascii_whitespace);
    let line = lines.find_map(|mut words| (words.next()? == name).then_some(words));
    line.and_then(|mut words| words.nth(7)?.parse().ok()).unwrap_or(0)
}

/// cpu.stat counts microseconds in version 2 of control groups, nanoseconds in version 1.
fn throttled(text: &str) -> u64 {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    field("throttled_usec ").map(|us| us.saturating_mul(1000)).or_else(|| field("throttled_time ")).unwrap_or(0)
}

/// The files of the group that /proc/self/cgroup names, and of those above it.
fn groups(own: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let mount = match controllers {
            "" => "/sys/fs/cgroup".to_owned(),
            list if list.split(',').any(|name| name == "cpu") => format!("/sys/fs/cgroup/{list}"),
            _ => continue,
        };
        let below = path.trim_start_matches('/');
        files.extend(Path::new(below).ancestors().map(|group| Path::new(&mount).join(group).join("cpu.stat")));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hypervisors_part_is_read_from_the_cores_own_line() {
        let stat = "cpu  9 9 9 9 9 9 9 99 9 9\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu10 1 1 1 1 1 1 1 77 1 1\nintr 5\n";
        assert_eq!([Cpu(0), Cpu(10), Cpu(1)].map(|cpu| stolen_ticks(stat, cpu)), [8, 77, 0]);
    }

    #[test]
    fn both_versions_of_control_groups_are_read() {
        assert_eq!(throttled("nr_throttled 3\nthrottled_usec 1500\n"), 1_500_000);
        assert_eq!(throttled("nr_periods 0\nnr_throttled 0\nthrottled_time 42\n"), 42);
        assert_eq!(throttled("usage_usec 5\n"), 0);
        let files = groups("9:name=systemd:/x\n1:cpu,cpuacct:/\n0::/user.slice/a b\n");
        let files: Vec<_> = files.iter().map(|f| f.to_string_lossy().into_owned()).collect();
        assert_eq!(
            files,
            [
                "/sys/fs/cgroup/cpu,cpuacct/cpu.stat",
                "/sys/fs/cgroup/user.slice/a b/cpu.stat",
                "/sys/fs/cgroup/user.slice/cpu.stat",
                "/sys/fs/cgroup/cpu.stat",
            ]
        );
    }
}
