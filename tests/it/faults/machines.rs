//! Machines that refuse: what a program is started under, so that the kernel tells it no.

use super::common::{has, is_root};
use super::group::Group;
use crate::support::{Refuser, User};
use nix::unistd::{Gid, Uid, chown};
use std::path::Path;

/// `EPERM` and `EACCES`.
const CALLS: &str = "ptrace:1 perf_event_open:13";

/// Files that only who may trace a process may read, and such as some containers and kernels do not show.
const LITTLE_PROC: &str = "maps smaps smaps_rollup pagemap syscall stack wchan io children sched schedstat";

/// With those that every machine shows.
const NO_PROC: &str = "maps smaps smaps_rollup pagemap syscall stack wchan io children sched schedstat status exe comm \
                       limits cmdline mounts mountinfo cpuinfo meminfo loadavg interrupts";

/// A machine that refuses something, and the user who meets it.
pub(super) struct Machine {
    /// What it is, for a failure's message.
    pub(super) name: String,
    /// What the program is started under.
    under: Vec<String>,
    /// Who starts it. It may be another who runs it in the end.
    pub(super) starter: User,
    /// Who runs it.
    runs: User,
    _library: Option<Refuser>,
    _group: Option<Group>,
}

impl Machine {
    fn new(name: &str, user: User, under: Vec<String>) -> Self {
        let (starter, runs, name) = (user, user, format!("{name}, as {user:?}"));
        Self { name, under, starter, runs, _library: None, _group: None }
    }

    /// One that refuses nothing but what it refuses to this user.
    pub(super) fn plain(user: User) -> Self {
        Self::new("a plain machine", user, Vec::new())
    }

    /// One core, no tracing, no records, no program in PATH, no folder for what is temporary. None where something that
    /// this takes is missing, which is said.
    pub(super) fn poor(user: User) -> Option<Self> {
        let library = Refuser::new("a machine without tracing and records").filter(|_| has("taskset"))?;
        let core = forklore::kernel::allowed_cpus().first()?.to_string();
        let mut under = words(&["taskset", "-c", &core]);
        under.extend(library.words(CALLS, ""));
        under.extend(words(&["PATH=/nonexistent", "TMPDIR=/nonexistent"]));
        Some(Self { _library: Some(library), ..Self::new("a poor machine", user, under) })
    }

    /// Closed files of /proc: for who runs the tests those that containers close, for others nearly all.
    pub(super) fn closed(user: User) -> Option<Self> {
        let library = Refuser::new("a machine with a closed /proc")?;
        let files = if user == User::Me { LITTLE_PROC } else { NO_PROC };
        let under = library.words("", files);
        Some(Self { _library: Some(library), ..Self::new("a closed /proc", user, under) })
    }

    /// Other users' processes are hidden, /dev/shm is empty and closed, and nothing can be written in any folder for
    /// what is temporary, homes of tests included. Only root can make such a machine.
    pub(super) fn hidden(user: User) -> Option<Self> {
        if !is_root() || !has("unshare") || !has("setpriv") {
            println!("SKIP: a /proc that hides others: only root can mount one, and takes unshare and setpriv");
            return None;
        }
        let mounts = "mount -t proc -o hidepid=2 proc /proc && mount -t tmpfs -o ro,mode=700 none /dev/shm && \
                      for d in /tmp /var/tmp; do mount --bind $d $d && mount -o remount,ro,bind $d; done && exec \"$@\"";
        let mut under = words(&["unshare", "--mount", "--propagation", "private", "sh", "-c", mounts, "sh"]);
        if user == User::Nobody {
            let id = user.uid();
            under.extend(["setpriv".into(), format!("--reuid={id}"), format!("--regid={id}"), "--clear-groups".into()]);
        }
        Some(Self { starter: User::Me, ..Self::new("a machine that hides", user, under) })
    }

    /// So many tasks at most: by a group of the kernel's where one can be made, else by a limit of the user's.
    pub(super) fn few(user: User, tasks: usize) -> Option<Self> {
        let name = format!("{tasks} tasks at most");
        if let Some(group) = Group::new("pids", &[("pids.max", &tasks.to_string())]) {
            group.give(user);
            let under = words(&["sh", "-c", &group.enter()]);
            return Some(Self { _group: Some(group), ..Self::new(&name, user, under) });
        }
        if is_root() && user == User::Me || !has("prlimit") {
            println!("SKIP: no group for pids can be made here, and root has no limit of its own");
            return None;
        }
        let limit = format!("--nproc={}", super::machine::tasks_of(user.uid()) + tasks);
        Some(Self::new(&name, user, words(&["prlimit", &limit])))
    }

    /// A disk that has no room, under the folders for what is temporary; the last of them is closed. Only for root.
    pub(super) fn full() -> Option<Self> {
        if !is_root() || !has("unshare") {
            println!("SKIP: a full disk: only root can mount one, and takes unshare");
            return None;
        }
        let full = "mount -t tmpfs -o size=4k,mode=777 none /mnt && mount --bind /mnt /var/tmp && \
                    mount --bind /tmp /tmp && mount -o remount,ro,bind /tmp && \
                    { head -c 8192 /dev/zero > /mnt/all 2> /dev/null; TMPDIR=/mnt exec \"$@\"; }";
        let under = words(&["unshare", "--mount", "--propagation", "private", "sh", "-c", full, "sh"]);
        Some(Self::new("a full disk", User::Me, under))
    }

    /// Started under this machine's words.
    pub(super) fn under(&self) -> Vec<&str> {
        self.under.iter().map(String::as_str).collect()
    }

    /// Gives a home to who runs the program, who may not be who starts it.
    pub(super) fn settle(&self, home: &Path) {
        if self.runs != self.starter {
            let (uid, gid) = (Uid::from_raw(self.runs.uid()), Gid::from_raw(self.runs.uid()));
            chown(home, Some(uid), Some(gid)).expect("root may give folders away");
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
