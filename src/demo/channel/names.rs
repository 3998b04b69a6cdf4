//! Names of this program's own in places that all share: a private folder for files, and names for message queues. Each says
//! whose it is, so that what a killed program left in the moment between making and removing is swept by the next.

use crate::demo::glance::Glance;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

const PREFIX: &str = "forklore-talk";

/// A folder that only this user can enter (0700), gone with all that is in it when it is dropped.
#[derive(Debug)]
pub(super) struct PrivateFolder {
    path: PathBuf,
}

impl PrivateFolder {
    /// A new one in the folder for temporary files; what a killed program left there is removed first.
    ///
    /// # Errors
    /// The kernel's refusal: no such folder (ENOENT), no right (EACCES), no room (ENOSPC).
    pub(super) fn make(purpose: &str) -> io::Result<Self> {
        let temp = std::env::temp_dir();
        for left in leavings(&temp) {
            // Somebody else may sweep at the same moment.
            let _ = fs::remove_dir_all(left);
        }
        let path = temp.join(format!("{}-{purpose}", unique()?));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A name that says whose it is and that nobody can guess: process, when that was started, and a random number.
///
/// # Errors
/// The kernel has no random numbers, or /proc is not there.
pub(super) fn unique() -> io::Result<String> {
    let pid = std::process::id();
    let own = Glance::at(pid).ok_or_else(|| io::Error::other("/proc is not mounted"))?;
    let mut random = [0; 8];
    io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut random)?;
    Ok(format!("{PREFIX}-{pid}-{}-{:016x}", own.started, u64::from_ne_bytes(random)))
}

/// Whether a name is one of ours, of a process that is no more.
pub(super) fn is_left(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('-')) else { return false };
    let mut parts = rest.split('-');
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (Some(pid), Some(started)) = (number(), number()) else { return false };
    let now = u32::try_from(pid).ok().and_then(Glance::at);
    now.is_none_or(|process| process.started != started)
}

/// What is left in a folder, of this user's.
pub(super) fn leavings(folder: &Path) -> Vec<PathBuf> {
    let me = rustix::process::geteuid().as_raw();
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_left))
        .map(|entry| entry.path())
        .filter(|path| fs::symlink_metadata(path).is_ok_and(|file| file.uid() == me))
        .collect()
}
