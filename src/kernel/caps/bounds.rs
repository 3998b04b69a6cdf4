//! What a demo may have and how it can be bounded: CPUs, quota, tasks, nice values, groups, namespaces.

use super::State::{No, Partly, Yes};
use super::{Capability, Files, cgroup, shown};
use crate::kernel::machine::{allowed_cpus, cpu_list};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use nix::sys::utsname::uname;
use nix::unistd::{AccessFlags, access};
use std::path::PathBuf;

pub(super) fn survey(files: &Files) -> Vec<Capability> {
    vec![
        cpus(files),
        quota(files),
        groups(files),
        namespaces(files),
        nice(files),
        tasks(files),
        kernel(),
        huge_pages(files),
        core_dumps(files),
    ]
}

fn cpus(files: &Files) -> Capability {
    let name = "allowed CPUs";
    let allowed = allowed_cpus().len();
    let path = "/sys/devices/system/cpu/online";
    let online = files.read(path);
    let Some(installed) = online.as_ref().ok().and_then(|list| cpu_list(list)).map(|list| list.len()) else {
        let found = format!("{allowed} allowed; {}", shown(path, &online));
        return Capability::new(name, Partly, found, "Demos use those that are allowed.");
    };
    let found = format!("{allowed} of {installed}");
    match allowed {
        1 => {
            Capability::new(name, Partly, found, "Nothing runs in parallel here: lessons show their one-core version.")
        }
        n if n < installed => Capability::new(
            name,
            Partly,
            found,
            "Demos use the allowed CPUs and show those only: an affinity or a cpuset leaves the others out.",
        ),
        _ => Capability::new(name, Yes, found, "Demos may use every CPU of this machine."),
    }
}

/// The tightest of a limit in our own group and its ancestors: `value` reads one folder's, smaller is tighter.
fn tightest<T: PartialOrd>(folders: Option<Vec<PathBuf>>, value: impl Fn(PathBuf) -> Option<T>) -> Option<T> {
    folders.into_iter().flatten().filter_map(value).reduce(|a, b| if b < a { b } else { a })
}

fn quota(files: &Files) -> Capability {
    let name = "CPU quota";
    if let error @ Err(_) = files.read("/proc/self/cgroup") {
        return Capability::new(
            name,
            Partly,
            shown("/proc/self/cgroup", &error),
            "Whether a quota throttles us is not known.",
        );
    }
    // Version 2: "QUOTA PERIOD" or "max PERIOD"; version 1: two files, -1 for none. Both in microseconds.
    let unified = tightest(cgroup::unified(files), |folder| {
        let text = files.read(folder.join("cpu.max")).ok()?;
        let (quota, period) = text.split_once(' ')?;
        Some(quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?)
    });
    let legacy = tightest(cgroup::legacy(files, "cpu"), |folder| {
        let quota = files.number(folder.join("cpu.cfs_quota_us")).filter(|quota| *quota > 0)?;
        Some(quota as f64 / files.number(folder.join("cpu.cfs_period_us"))? as f64)
    });
    let cpus = [unified, legacy].into_iter().flatten().filter(|c| c.is_finite()).reduce(f64::min);
    match cpus {
        Some(cpus) => Capability::new(
            name,
            Partly,
            format!("a control group allows {cpus:.2} CPUs' worth of time"),
            "When it is used up everything here stands still until the next period: the lanes will show it.",
        ),
        None => Capability::new(name, Yes, "no quota", "Demos get all the time that the scheduler gives them."),
    }
}

fn groups(files: &Files) -> Capability {
    let name = "cgroup v2 of our own";
    let Some(own) = cgroup::unified(files).and_then(|folders| folders.into_iter().next()) else {
        return Capability::new(
            name,
            No,
            "no cgroup v2 is mounted, or /proc does not tell",
            "Not needed: a demo is counted and ended by its warden.",
        );
    };
    let shown = own.display();
    let controllers = files.read(own.join("cgroup.controllers")).unwrap_or_default();
    let writable =
        [own.clone(), own.join("cgroup.procs")].iter().all(|path| access(&files.path(path), AccessFlags::W_OK).is_ok());
    let list = if controllers.is_empty() { "none" } else { &controllers };
    match (writable, controllers.split(' ').any(|c| c == "pids")) {
        (false, _) => Capability::new(
            name,
            No,
            format!("{shown} is not ours to write"),
            "Not needed: a demo is counted and ended by its warden.",
        )
        .remedy("Start it in a group of its own: systemd-run --user --scope -p Delegate=yes forklore"),
        (true, true) => Capability::new(
            name,
            Yes,
            format!("{shown}, controllers: {list}"),
            "Not needed: a demo is counted and ended by its warden. The kernel could do both.",
        ),
        (true, false) => Capability::new(
            name,
            Partly,
            format!("{shown}, controllers: {list}"),
            "Not needed: a demo is counted and ended by its warden.",
        ),
    }
}

fn namespaces(files: &Files) -> Capability {
    let name = "user namespaces";
    let most = "/proc/sys/user/max_user_namespaces";
    // Debian's and Ubuntu's own switches; elsewhere they do not exist.
    let clone = files.number("/proc/sys/kernel/unprivileged_userns_clone");
    let apparmor = files.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
    let value = files.read(most);
    let found = shown(most, &value);
    let fallback = "Not needed: a demo that forks wildly is counted by its warden, and ended.";
    match (value.ok().and_then(|n| n.parse::<u64>().ok()), clone, apparmor) {
        (Some(0), ..) => Capability::new(name, No, found, fallback)
            .remedy("As root, until the next boot: sysctl user.max_user_namespaces=10000"),
        (_, Some(0), _) => Capability::new(name, No, "kernel.unprivileged_userns_clone = 0", fallback)
            .remedy("As root, until the next boot: sysctl kernel.unprivileged_userns_clone=1"),
        (_, _, Some(1..)) => {
            Capability::new(name, Partly, "kernel.apparmor_restrict_unprivileged_userns = 1", fallback)
        }
        (Some(_), ..) => Capability::new(
            name,
            Yes,
            format!("{found} (read, not tried: a sandbox may still refuse)"),
            "Not needed: a demo that forks wildly is counted by its warden, and ended.",
        ),
        (None, ..) => Capability::new(name, Partly, found, "Whether namespaces can be made is seen when it is tried."),
    }
}

fn nice(files: &Files) -> Capability {
    let name = "nice values";
    // CAP_SYS_NICE is bit 23 of the effective set.
    let free = files.read("/proc/self/status").ok().and_then(|status| {
        let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?.trim().to_owned();
        u64::from_str_radix(&set, 16).ok()
    });
    if free.is_some_and(|set| set >> 23 & 1 == 1) {
        return Capability::new(name, Yes, "CAP_SYS_NICE", "Workers can be given any nice value from -20 to 19.");
    }
    match getrlimit(Resource::RLIMIT_NICE) {
        // getrlimit(2): the limit is 20 minus the lowest nice value that may be set.
        Ok((soft, _)) => match 20 - i64::try_from(soft.clamp(1, 40)).unwrap_or(1) {
            lowest @ ..0 => Capability::new(
                name,
                Yes,
                format!("RLIMIT_NICE = {soft}"),
                format!("Workers can be given nice values from {lowest} to 19."),
            ),
            _ => Capability::new(
                name,
                Partly,
                format!("RLIMIT_NICE = {soft}"),
                "Workers can be made nicer, from 0 to 19, and not less nice again.",
            )
            .remedy("An administrator can allow more: a line \"you - nice -5\" in /etc/security/limits.conf"),
        },
        Err(errno) => {
            Capability::new(name, Partly, format!("RLIMIT_NICE cannot be read ({errno})"), "It will be tried.")
        }
    }
}

fn tasks(files: &Files) -> Capability {
    let name = "number of tasks";
    let most = |folder: PathBuf| files.number(folder.join("pids.max"));
    let group = [tightest(cgroup::unified(files), most), tightest(cgroup::legacy(files, "pids"), most)];
    let user = getrlimit(Resource::RLIMIT_NPROC)
        .ok()
        .filter(|(soft, _)| *soft != RLIM_INFINITY)
        .and_then(|(soft, _)| i64::try_from(soft).ok());
    let in_words = |limit: Option<i64>| limit.map_or_else(|| "no limit".to_owned(), |n| n.to_string());
    let group = group.into_iter().flatten().min();
    let found = format!("RLIMIT_NPROC {}, pids.max {}", in_words(user), in_words(group));
    match [user, group].into_iter().flatten().min() {
        Some(n @ ..64) => Capability::new(
            name,
            Partly,
            found,
            format!("With no more than {n} tasks for everything of yours, larger demos will not start."),
        )
        .remedy("Close other programs, or raise the limit: ulimit -u 4096"),
        _ => Capability::new(name, Yes, found, "Enough for every demo."),
    }
}

fn kernel() -> Capability {
    let name = "kernel release";
    let release = uname().map(|name| name.release().to_string_lossy().into_owned()).unwrap_or_default();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= (5, 10) => {
            Capability::new(name, Yes, release, "Recent enough for everything here.")
        }
        (Some(_), Some(_)) => Capability::new(
            name,
            Partly,
            release,
            "Older than 5.10, which this program is made for: some demos will be refused, each with its reason.",
        ),
        _ => Capability::new(name, Partly, format!("uname says {release:?}"), "The release is not known."),
    }
}

fn huge_pages(files: &Files) -> Capability {
    let path = "/sys/kernel/mm/transparent_hugepage/enabled";
    let value = files.read(path);
    let found = shown(path, &value);
    let name = "transparent huge pages";
    match value {
        Ok(value) if value.contains("[never]") => Capability::new(name, No, found, "Every page is small."),
        Ok(_) => Capability::new(name, Yes, found, "A demo that shows pages asks for small ones."),
        Err(_) => Capability::new(name, No, found, "Every page is small."),
    }
}

fn core_dumps(files: &Files) -> Capability {
    let path = "/proc/sys/kernel/core_pattern";
    let value = files.read(path);
    let found = shown(path, &value);
    let name = "core dumps";
    match value {
        Ok(pattern) if pattern.starts_with('|') => Capability::new(
            name,
            Partly,
            found,
            "A crash is handed to a program of the system; demos ask for dumps of one byte, so that it gets nothing.",
        ),
        Ok(_) => Capability::new(name, Yes, found, "A crash would leave a file; demos ask for none to be written."),
        Err(_) => Capability::new(name, Partly, found, "Where a crash leaves its dump is not known."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{find, machine};
    use super::*;

    const MOUNTS: &str = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
        33 31 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    const OURS: &str = "8:pids:/a\n1:cpu:/a\n0::/a/b\n";

    fn with(files: &[(&str, &str)]) -> Vec<Capability> {
        let mut all = vec![("/proc/self/mountinfo", MOUNTS), ("/proc/self/cgroup", OURS)];
        all.extend_from_slice(files);
        let (_folder, files) = machine(&all);
        survey(&files)
    }

    #[test]
    fn the_tightest_quota_of_the_ancestors_counts() {
        let unified = with(&[
            ("/sys/fs/cgroup/unified/a/b/cpu.max", "max 100000"),
            ("/sys/fs/cgroup/unified/a/cpu.max", "10000 100000"),
        ]);
        assert!(find(&unified, "CPU quota").found.contains("0.10 CPUs"));
        let legacy = with(&[
            ("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "50000"),
            ("/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000"),
            ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1"),
        ]);
        assert!(find(&legacy, "CPU quota").found.contains("0.50 CPUs"));
        assert_eq!(find(&with(&[]), "CPU quota").state, Yes);
        let zero = with(&[("/sys/fs/cgroup/unified/a/cpu.max", "0 0")]);
        assert_eq!(find(&zero, "CPU quota").state, Yes);
    }

    #[test]
    fn a_group_that_allows_few_tasks_is_told() {
        let few = with(&[("/sys/fs/cgroup/pids/a/pids.max", "8"), ("/sys/fs/cgroup/pids/pids.max", "max")]);
        let tasks = find(&few, "number of tasks");
        assert_eq!(tasks.state, Partly);
        assert!(tasks.found.ends_with("pids.max 8"), "{}", tasks.found);
    }

    #[test]
    fn namespaces_follow_each_of_the_three_switches() {
        let most = ("/proc/sys/user/max_user_namespaces", "1000");
        let state = |files: &[_]| find(&with(files), "user namespaces").state;
        assert_eq!(state(&[most]), Yes);
        assert_eq!(state(&[("/proc/sys/user/max_user_namespaces", "0")]), No);
        assert_eq!(state(&[most, ("/proc/sys/kernel/unprivileged_userns_clone", "0")]), No);
        assert_eq!(state(&[most, ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")]), Partly);
        assert_eq!(state(&[]), Partly);
    }

    #[test]
    fn nice_values_follow_the_capability() {
        let nice = |set| find(&with(&[("/proc/self/status", set)]), "nice values").found;
        assert_eq!(nice("CapEff:\t0000000000800000"), "CAP_SYS_NICE");
        assert!(nice("CapEff:\t0000000000000000").starts_with("RLIMIT_NICE"));
    }
}
