//! Whether there is memory enough for a parent of some size and its copy.

use std::fs;

/// MiB that are left to the rest of the machine.
const SPARE: u64 = 256;

/// Why a process of so many MiB had better not be made here; none if it may. Its child shares its pages, but a page table for
/// each takes a five hundredth more, and what is written is copied.
pub(super) fn short_of(mib: usize) -> Option<String> {
    let wanted = mib as u64 + mib as u64 / 8 + if mib == 0 { 0 } else { SPARE };
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let left = available(&meminfo).into_iter().chain(group_left()).min()?;
    (left < wanted).then(|| format!("too little memory: {left} MiB are available, {wanted} are wanted"))
}

/// `MemAvailable` of proc_meminfo(5), in MiB.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
}

/// What the control groups above this process leave of their bounds, in MiB, if they have any (cgroup v2, memory.max).
fn group_left() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let number = |path: String| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let left = |group: &str| {
        let bound = number(format!("/sys/fs/cgroup/{group}/memory.max"))?;
        Some(bound.saturating_sub(number(format!("/sys/fs/cgroup/{group}/memory.current"))?) >> 20)
    };
    let above = std::iter::successors(Some(own), |group| group.rsplit_once('/').map(|(above, _)| above));
    above.filter_map(left).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_always_fits_and_too_much_says_what_is_missing() {
        assert_eq!(short_of(0), None);
        let why = short_of(1 << 40).expect("an exbibyte");
        assert!(why.starts_with("too little memory: "), "{why}");
    }

    #[test]
    fn it_is_read_as_the_kernel_writes_it() {
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:   204800 kB\n"), Some(200));
        assert_eq!(available("MemTotal: 9 kB\n"), None);
    }
}
