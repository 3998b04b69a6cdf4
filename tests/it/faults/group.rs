//! Control groups of the machine under a test: few tasks, one core, little memory.

use crate::support::{Patience, Process};
use std::fs;
use std::path::{Path, PathBuf};

/// A control group of version 1, for root, with one controller's files set; gone when dropped.
pub(super) struct Group(PathBuf);

impl Group {
    /// None where this user or this machine makes no such group.
    pub(super) fn new(controller: &str, settings: &[(&str, &str)]) -> Option<Self> {
        let name = format!("forklore-test-{}-{}", std::process::id(), settings.last()?.1);
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
