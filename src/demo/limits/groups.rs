//! The control groups on the path of this process, and what they allow.
//!
//! Kernel documentation: admin-guide/cgroup-v2.rst (Process Number Controller), admin-guide/cgroup-v1/pids.rst. A limit of
//! any group on the path binds, so all are read, from one's own group up to the root that can be seen.

use std::fs;
use std::path::{Path, PathBuf};

/// A group's limit and how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// The group's folder.
    pub(super) path: PathBuf,
    /// What it allows at most.
    pub(super) most: u64,
    /// What is used of it.
    pub(super) used: u64,
}

/// The groups that bound the number of tasks.
pub(super) fn tasks() -> Vec<Group> {
    read(&folders("pids"), [("pids.max", "pids.current")])
}

/// The groups that bound memory, in bytes.
pub(super) fn memory() -> Vec<Group> {
    let names = [("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")];
    read(&folders("memory"), names)
}

fn read<const N: usize>(folders: &[PathBuf], names: [(&str, &str); N]) -> Vec<Group> {
    let number = |path: PathBuf| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let group = |(path, (most, used)): (&PathBuf, (&str, &str))| {
        // "max", and a v1 group's largest number of pages, are no limit.
        let most = number(path.join(most)).filter(|most| *most < 1 << 62)?;
        Some(Group { path: path.clone(), most, used: number(path.join(used))? })
    };
    let all = folders.iter().flat_map(|path| names.map(|names| (path, names)));
    all.filter_map(group).collect()
}

/// The folders of this process's groups, of the old hierarchy of `controller` and of the new one.
fn folders(controller: &str) -> Vec<PathBuf> {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    on_path(&text("/proc/self/cgroup"), &text("/proc/self/mountinfo"), controller)
}

/// As [`folders`], from the texts of the two files (cgroups(7), `proc_pid_mountinfo(5)`).
fn on_path(cgroup: &str, mountinfo: &str, controller: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for line in mountinfo.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let mut right = right.split(' ');
        let (kind, options) = (right.next().unwrap_or_default(), right.nth(1).unwrap_or_default());
        let new = kind == "cgroup2";
        if !new && (kind != "cgroup" || !options.split(',').any(|option| option == controller)) {
            continue;
        }
        let own = cgroup.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            let this = if new { controllers.is_empty() } else { controllers.split(',').any(|c| c == controller) };
            this.then_some(path)
        });
        let mut left = left.split(' ').skip(3);
        let (Some(own), Some(root), Some(mount)) = (own, left.next(), left.next()) else { continue };
        let mount = Path::new(mount);
        // A container that sees a part of the tree has that part's root mounted, and paths that begin with it. A group
        // outside of what a namespace shows has a path that begins with `..`: then there is only what is mounted.
        let below = Path::new(own).strip_prefix(root).ok();
        let below = below.filter(|path| !path.as_os_str().is_empty() && !path.starts_with(".."));
        let leaf = below.map_or_else(|| mount.to_owned(), |below| mount.join(below));
        out.extend(leaf.ancestors().take_while(|folder| folder.starts_with(mount)).map(Path::to_owned));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n\
                          33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n\
                          41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

    fn paths(cgroup: &str, mounts: &str) -> Vec<String> {
        on_path(cgroup, mounts, "pids").iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn each_group_from_ones_own_up_is_on_the_path() {
        let found = paths("8:pids:/user/me\n7:cpuacct:/\n0::/\n", MOUNTS);
        let expected = [
            "/sys/fs/cgroup/pids/user/me",
            "/sys/fs/cgroup/pids/user",
            "/sys/fs/cgroup/pids",
            "/sys/fs/cgroup/unified",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_container_sees_its_own_part_of_the_tree() {
        let mounts = "1 0 0:1 /docker/7 /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n";
        assert_eq!(paths("8:pids:/docker/7/a\n", mounts), ["/sys/fs/cgroup/pids/a", "/sys/fs/cgroup/pids"]);
        assert_eq!(paths("8:pids:/elsewhere\n", mounts), ["/sys/fs/cgroup/pids"], "at least what is mounted");
        assert_eq!(paths("0::/../..\n", "1 0 0:1 / /sys/fs/cgroup ro - cgroup2 cgroup2 ro\n"), ["/sys/fs/cgroup"]);
        assert_eq!(paths("", "no mounts\n\n"), [""; 0]);
    }

    #[test]
    fn no_limit_is_no_group() {
        let here = tempfile::tempdir().expect("a folder");
        let set = |most: &str| {
            fs::write(here.path().join("pids.max"), most).expect("a file");
            fs::write(here.path().join("pids.current"), "7\n").expect("a file");
            read(&[here.path().to_owned()], [("pids.max", "pids.current")])
        };
        assert_eq!(set("max\n"), []);
        assert_eq!(set("9223372036854771712\n"), []);
        assert_eq!(set("100\n"), [Group { path: here.path().to_owned(), most: 100, used: 7 }]);
    }
}
