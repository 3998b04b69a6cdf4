//! Control groups of the machine under a test: few tasks, one core, little memory.

use crate::support::{Patience, Process, User};
use nix::unistd::{Uid, chown};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A control group of version 1, for root, with one controller's files set; gone when dropped.
pub(super) struct Group(PathBuf);

impl Group {
    /// None where this user or this machine makes no such group.
    pub(super) fn new(controller: &str, settings: &[(&str, &str)]) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("forklore-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new("/sys/fs/cgroup").join(controller).join(name);
        fs::create_dir(&folder).ok()?;
        let group = Self(folder);
        settings.iter().try_for_each(|(file, value)| fs::write(group.0.join(file), value)).ok()?;
        Some(group)
    }

    /// Has a process that runs enter it.
    pub(super) fn take(&self, process: &Process) {
        fs::write(self.0.join("cgroup.procs"), process.pid.to_string()).expect("root may move processes");
    }

    /// Lets a user enter it.
    pub(super) fn give(&self, user: User) {
        chown(&self.0.join("cgroup.procs"), Some(Uid::from_raw(user.uid())), None).expect("root may give files away");
    }

    /// What stands in one of its files.
    pub(super) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).expect("a file of the controller")
    }

    /// A shell's words that enter the group and become the program.
    pub(super) fn enter(&self) -> String {
        format!("echo $$ > '{}/cgroup.procs'; exec \"$0\" \"$@\"", self.0.display())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Busy until the last of its tasks is reaped.
        Patience::default().wait(|| fs::remove_dir(&self.0).ok());
    }
}
