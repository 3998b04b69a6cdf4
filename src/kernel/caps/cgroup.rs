//! Where our control groups are, in either hierarchy. It reads the two tables of /proc and knows no limit's meaning.

use super::Files;
use std::path::{Path, PathBuf};

/// The folders of our own group and its ancestors, own first, in the version 2 hierarchy. None where it is not mounted.
pub(super) fn unified(files: &Files) -> Option<Vec<PathBuf>> {
    folders(files, |kind, _| kind == "cgroup2", |controllers| controllers.is_empty())
}

/// As [`unified`], in the version 1 hierarchy of `controller`.
pub(super) fn legacy(files: &Files, controller: &str) -> Option<Vec<PathBuf>> {
    let names = |list: &str| list.split(',').any(|name| name == controller);
    folders(files, |kind, options| kind == "cgroup" && names(options), names)
}

/// `mounted` picks the mount by file system and super options, `ours` our line of /proc/self/cgroup by its controllers.
fn folders(files: &Files, mounted: impl Fn(&str, &str) -> bool, ours: impl Fn(&str) -> bool) -> Option<Vec<PathBuf>> {
    let mounts = files.read("/proc/self/mountinfo").ok()?;
    let (root, top) = mounts.lines().find_map(|line| {
        // proc(5): id parent major:minor root mount-point options ... - type source super-options
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let mut file_system = file_system.split(' ');
        let (kind, options) = (file_system.next()?, file_system.nth(1)?);
        mounted(kind, options).then_some((mount.next()?, PathBuf::from(mount.next()?)))
    })?;
    let groups = files.read("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        ours(parts.next()?).then_some(parts.next()?)
    })?;
    // In a container the mount shows only a part of the tree, from `root` down.
    let below = Path::new(group).strip_prefix(root).unwrap_or(Path::new(""));
    // Component by component: joining an empty path would add a slash.
    let own: PathBuf = top.components().chain(below.components()).collect();
    Some(own.ancestors().take_while(|folder| folder.starts_with(&top)).map(Path::to_path_buf).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::machine;
    use super::*;

    #[test]
    fn own_groups_are_found_in_both_hierarchies() {
        let (_folder, files) = machine(&[
            (
                "/proc/self/mountinfo",
                "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
                 32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:3 - cgroup cgroup rw,cpu,cpuacct\n\
                 41 31 0:38 /pod /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
            ),
            ("/proc/self/cgroup", "3:cpuset:/\n1:cpu,cpuacct:/a/b\n0::/pod/c\n"),
        ]);
        let texts = |folders: Option<Vec<PathBuf>>| {
            folders.map(|all| all.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(texts(unified(&files)).as_deref(), Some("/sys/fs/cgroup/unified/c /sys/fs/cgroup/unified"));
        assert_eq!(
            texts(legacy(&files, "cpu")).as_deref(),
            Some("/sys/fs/cgroup/cpu/a/b /sys/fs/cgroup/cpu/a /sys/fs/cgroup/cpu")
        );
        assert_eq!(legacy(&files, "pids"), None);
    }
}
