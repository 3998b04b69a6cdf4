//! Where an interpreter may be: the folders of `PATH`, looked through as a shell does.

use nix::unistd::{AccessFlags, access};
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The files that may be an interpreter, the likeliest first; and one that has the name and may not be executed.
pub(super) fn candidates(path: Option<&OsStr>) -> (Vec<PathBuf>, Option<PathBuf>) {
    let folders: Vec<_> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    let named = |name: &'static str| folders.iter().map(move |folder| folder.join(name)).filter(|file| file.is_file());
    let files = ["python3", "python"].into_iter().filter_map(|name| named(name).find(|file| may_run(file)));
    (files.collect(), named("python3").find(|file| !may_run(file)))
}

/// As the shell sees it: a file, and somebody may execute it.
pub(super) fn may_run(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        && access(file, AccessFlags::X_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_may_not_be_executed_is_passed_over_and_remembered() {
        let (first, second) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let path = std::env::join_paths([first.path(), second.path()]).expect("no colons");
        assert_eq!(candidates(Some(&path)), (vec![], None));
        assert_eq!(candidates(None), (vec![], None));
        let closed = first.path().join("python3");
        fs::write(&closed, "").expect("ours");
        assert_eq!(candidates(Some(&path)), (vec![], Some(closed.clone())));
        let (open, other) = (second.path().join("python3"), first.path().join("python"));
        for file in [&open, &other] {
            fs::write(file, "").expect("ours");
            fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("ours");
        }
        assert_eq!(candidates(Some(&path)), (vec![open, other], Some(closed)));
    }
}
