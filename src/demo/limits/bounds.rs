//! What could refuse a process one more thread: every limit, how much of it is used, and which of them was reached.
//!
//! pthread_create(3) and fork(2) name the limits. The errno is EAGAIN for nearly all of them, so it does not tell which.

use super::groups::{self, Group};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use rustix::process::getuid;
use std::fs;

/// Tasks of every shared limit that are left to other programs: this many, or a tenth, whichever is more.
const LEFT_ALONE: u64 = 256;

/// RAM that a thread takes at most while it rests, kernel stack and page tables included.
const RESTING_KIB: u64 = 64;

/// Numbers that are never given away again (`RESERVED_PIDS`), and some that are held by sessions and groups.
const PIDS_KEPT: u64 = 400;

/// One limit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    /// What it is called, as the one that refused.
    pub(super) name: &'static str,
    /// The name with its unit, or with a number where there are several, for the table.
    pub(super) row: String,
    /// Of this it is shown one: 1024 for KiB that are shown as MiB.
    pub(super) per: u64,
    /// The group that it is of, if it is of one.
    pub(super) group: String,
    /// What is allowed; none if there is no limit.
    pub(super) allows: Option<u64>,
    /// What is used of it.
    pub(super) used: u64,
    /// What one more thread takes of it.
    pub(super) each: u64,
    /// How it is meant.
    pub(super) holds: Holds,
}

/// For whom a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// For this process alone: it may be reached.
    Own,
    /// For others too: a part is left to them.
    Shared,
    /// Not for this one.
    Exempt,
}

impl Limit {
    /// A limit of which each thread takes `each`.
    pub(super) fn new(name: &'static str, allows: Option<u64>, used: u64, each: u64, holds: Holds) -> Self {
        Self { name, row: name.to_owned(), per: 1, group: String::new(), allows, used, each, holds }
    }

    /// Counted in KiB, and shown in MiB under this name.
    fn in_mib(self, row: &str) -> Self {
        Self { row: row.to_owned(), per: 1024, ..self }
    }

    /// That of the `n`th group on the path.
    fn of_group(self, group: &Group, n: u32) -> Self {
        Self { row: format!("{} {n}", self.name), group: group.path.display().to_string(), ..self }
    }

    /// Threads that it still lets in; none if it is no bound.
    pub(super) fn room(&self) -> Option<u64> {
        let free = self.allows?.saturating_sub(self.used);
        (self.holds != Holds::Exempt).then(|| free / self.each.max(1))
    }

    /// Threads that may be started so that enough is left to others; none if it is no bound for that.
    pub(super) fn share(&self) -> Option<u64> {
        let allows = self.allows.filter(|_| self.holds == Holds::Shared)?;
        let free = allows.saturating_sub(self.used);
        // Where the whole limit is small, half of what is free is left.
        let left = (allows / 10).max((LEFT_ALONE * self.each.max(1)).min(free / 2));
        Some(free.saturating_sub(left) / self.each.max(1))
    }

    /// It is used up, so that one more thread cannot be. What is shared was counted a moment later: others may have left.
    pub(super) fn reached(&self) -> bool {
        let slack = if self.holds == Holds::Shared { (self.allows.unwrap_or(0) / 100).max(4) } else { 0 };
        self.room().is_some() && self.allows.is_some_and(|allows| self.used + self.each + slack > allows)
    }
}

/// Which limit refused, by what is used of each now: one's own first, since those were meant to be reached.
pub(super) fn refused_by(limits: &[Limit]) -> &'static str {
    let mut reached: Vec<_> = limits.iter().filter(|limit| limit.reached()).collect();
    reached.sort_by_key(|limit| limit.holds == Holds::Shared);
    reached.first().map_or("unknown", |limit| limit.name)
}

/// How many of `wished` threads may be started so that other programs are left enough, and which limit says so.
pub(super) fn share(limits: &[Limit], wished: u64) -> (u64, Option<&Limit>) {
    let least = limits.iter().filter_map(|limit| Some((limit.share()?, limit))).min_by_key(|(share, _)| *share);
    match least {
        Some((share, limit)) if share < wished => (share, Some(limit)),
        _ => (wished, None),
    }
}

/// What is known of this process when its limits are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Own {
    /// Its address space in KiB, and what one more thread takes of it.
    pub(super) vsz: u64,
    pub(super) vsz_each: u64,
    /// The bound on that in KiB that the demo sets, if it does.
    pub(super) room: Option<u64>,
    /// The bound on the user's tasks is of the demo's making: it may be reached.
    pub(super) tasks_bounded: bool,
    /// Tasks of its user.
    pub(super) users: u64,
}

/// All limits as they are now.
pub(super) fn read(own: &Own) -> Vec<Limit> {
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let tasks = tasks_of_all();
    let space = own.room.or_else(|| soft(Resource::RLIMIT_AS).map(|bytes| bytes / 1024));
    let user = match (own.tasks_bounded, exempt()) {
        (true, _) => Holds::Own,
        (false, true) => Holds::Exempt,
        (false, false) => Holds::Shared,
    };
    let mut limits = vec![
        Limit::new("address space", space, own.vsz, own.vsz_each, Holds::Own).in_mib("addresses, MiB"),
        Limit::new("RLIMIT_NPROC", soft(Resource::RLIMIT_NPROC), own.users, 1, user),
    ];
    limits.extend(
        groups::tasks().into_iter().zip(1..).map(|(group, n)| {
            Limit::new("pids.max", Some(group.most), group.used, 1, Holds::Shared).of_group(&group, n)
        }),
    );
    limits.extend([
        Limit::new("threads-max", number("/proc/sys/kernel/threads-max"), tasks, 1, Holds::Shared),
        Limit::new("pid_max", number("/proc/sys/kernel/pid_max"), tasks + PIDS_KEPT, 1, Holds::Shared),
        // A stack and the guard page below it.
        Limit::new("max_map_count", number("/proc/sys/vm/max_map_count"), maps(), 2, Holds::Own),
    ]);
    limits.extend(memory(own.vsz_each));
    limits
}

/// Limits of memory. That of a group is only for keeping away from: a group that is full does not refuse, it ends.
fn memory(stack: u64) -> Vec<Limit> {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |name: &str| field(&text, name);
    let mut limits = Vec::new();
    if let (Some(total), Some(available)) = (field("MemTotal:"), field("MemAvailable:")) {
        let used = total.saturating_sub(available);
        limits.push(Limit::new("memory", Some(total), used, RESTING_KIB, Holds::Shared).in_mib("memory, MiB"));
    }
    limits.extend(groups::memory().into_iter().zip(1..).map(|(group, n)| {
        let limit = Limit::new("memory", Some(group.most / 1024), group.used / 1024, RESTING_KIB, Holds::Shared);
        limit.of_group(&group, n).in_mib(&format!("memory {n}, MiB"))
    }));
    // Only here does a reservation count as if it were memory (overcommit-accounting.rst).
    if fs::read_to_string("/proc/sys/vm/overcommit_memory").is_ok_and(|mode| mode.trim() == "2")
        && let (Some(most), Some(used)) = (field("CommitLimit:"), field("Committed_AS:"))
    {
        limits.push(Limit::new("commit limit", Some(most), used, stack, Holds::Shared).in_mib("promised, MiB"));
    }
    limits
}

/// KiB of RAM that the machine has.
pub(super) fn ram() -> Option<u64> {
    field(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.split_ascii_whitespace().next()?.parse().ok())
}

fn soft(resource: Resource) -> Option<u64> {
    getrlimit(resource).ok().map(|(soft, _)| soft).filter(|soft| *soft != RLIM_INFINITY)
}

/// Mappings of this process.
pub(super) fn maps() -> u64 {
    fs::read("/proc/self/maps").map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count() as u64)
}

/// Tasks of the machine: the number after the slash in /proc/loadavg.
fn tasks_of_all() -> u64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(['/', ' ']).nth(4).and_then(|tasks| tasks.parse().ok()).unwrap_or(0)
}

/// Tasks of the user `uid`, as far as /proc shows them.
pub(super) fn tasks_of(uid: u32) -> u64 {
    let status = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.ok()?.path();
        path.file_name()?.to_str()?.parse::<u32>().ok()?;
        let text = fs::read_to_string(path.join("status")).ok()?;
        (field(&text, "Uid:")? == u64::from(uid)).then(|| field(&text, "Threads:").unwrap_or(1))
    };
    fs::read_dir("/proc").into_iter().flatten().filter_map(status).sum()
}

/// `RLIMIT_NPROC` does not hold for this process: it is the machine's own root, or has one of the two capabilities that
/// lift it (`copy_process` in kernel/fork.c). The root of a user namespace is an ordinary user outside.
pub(super) fn exempt() -> bool {
    const SYS_ADMIN: u64 = 1 << 21;
    const SYS_RESOURCE: u64 = 1 << 24;
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let outermost = map.split_ascii_whitespace().eq(["0", "0", "4294967295"]);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let caps = status.lines().find_map(|line| line.strip_prefix("CapEff:")).map(str::trim);
    let caps = caps.and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0);
    outermost && (getuid().is_root() || caps & (SYS_ADMIN | SYS_RESOURCE) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_is_used_up_refused() {
        let space = |used| Limit::new("address space", Some(1_048_576), used, 8196, Holds::Own);
        let user = |used, holds| Limit::new("RLIMIT_NPROC", Some(300), used, 1, holds);
        assert_eq!(refused_by(&[space(1_044_000), user(120, Holds::Shared)]), "address space");
        assert_eq!(refused_by(&[space(500_000), user(300, Holds::Own)]), "RLIMIT_NPROC");
        assert_eq!(refused_by(&[space(500_000), user(299, Holds::Own)]), "unknown", "one was left");
        assert_eq!(refused_by(&[space(500_000), user(298, Holds::Shared)]), "RLIMIT_NPROC", "counted a moment late");
        assert_eq!(refused_by(&[space(500_000), user(400, Holds::Exempt)]), "unknown", "it does not hold for root");
        assert_eq!(refused_by(&[user(300, Holds::Shared), space(1_044_000)]), "address space", "ones own first");
        assert_eq!(refused_by(&[Limit::new("pids.max", None, 9, 1, Holds::Shared)]), "unknown", "there is no limit");
    }

    #[test]
    fn others_are_left_a_tenth_or_256_or_half() {
        let of = |allows, used| Limit::new("pids.max", Some(allows), used, 1, Holds::Shared).share();
        assert_eq!(of(32_768, 300), Some(32_768 - 300 - 3276));
        assert_eq!(of(1000, 100), Some(900 - 256));
        assert_eq!(of(100, 60), Some(20), "a small one: half of what is free");
        assert_eq!(of(100, 200), Some(0));
        let own = Limit::new("max_map_count", Some(10), 0, 2, Holds::Own);
        assert_eq!((own.share(), own.room()), (None, Some(5)));
        let limits = [Limit::new("pids.max", Some(100), 60, 1, Holds::Shared), own];
        assert_eq!(share(&limits, 2000).0, 20);
        assert_eq!(share(&limits, 2000).1.map(|limit| limit.name), Some("pids.max"));
        assert_eq!(share(&limits, 20), (20, None));
    }

    #[test]
    fn this_machine_is_read() {
        let limits = read(&Own { vsz: 1000, vsz_each: 10, users: 3, ..Own::default() });
        let of = |name: &str| limits.iter().find(|limit| limit.name == name).unwrap_or_else(|| panic!("no {name}"));
        assert!(
            of("threads-max").used > 0 && of("threads-max").allows.is_some_and(|most| most > of("threads-max").used)
        );
        assert!(of("max_map_count").used > 5 && of("memory").used > 0);
        assert!(tasks_of(getuid().as_raw()) >= 1 && tasks_of(4_000_000_000) == 0);
        assert!(ram().is_some_and(|kib| kib > 1024));
    }
}
