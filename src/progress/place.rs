//! Where progress is kept: `$XDG_STATE_HOME/forklore`, or `~/.local/state/forklore`.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where to keep progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Where the XDG base directories say.
    Standard,
    /// In this directory.
    Directory(PathBuf),
    /// Nowhere: it ends with the program.
    Nowhere,
}

impl Place {
    /// The directory, whether it exists or not.
    ///
    /// # Errors
    /// Why there is none: a phrase.
    pub fn directory(&self) -> Result<PathBuf, String> {
        match self {
            Self::Standard => standard(|name| std::env::var_os(name), rustix::process::geteuid().as_raw()),
            Self::Directory(directory) => Ok(directory.clone()),
            Self::Nowhere => Err("as asked".into()),
        }
    }
}

/// By the XDG specification: a relative path is as good as none.
fn standard(var: impl Fn(&str) -> Option<OsString>, user: u32) -> Result<PathBuf, String> {
    let path = |name| var(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let state = match (path("XDG_STATE_HOME"), path("HOME")) {
        (Some(state), _) => state,
        (None, Some(home)) => home.join(".local/state"),
        (None, None) if var("HOME").is_none_or(|h| h.is_empty()) => return Err("HOME is not set".into()),
        (None, None) => return Err("HOME is not an absolute path".into()),
    };
    // Root by sudo with the caller's HOME: a file of root's there would lock its owner out.
    if user == 0
        && var("SUDO_UID").is_some_and(|uid| uid != "0")
        && let Some(owner) = owner(&state).filter(|owner| *owner != 0)
    {
        return Err(format!("this is root, and {} belongs to user {owner}", state.display()));
    }
    Ok(state.join("forklore"))
}

/// Whose the path is, or would be: the owner of the nearest directory that exists.
fn owner(path: &Path) -> Option<u32> {
    path.ancestors().find_map(|p| std::fs::metadata(p).ok()).map(|m| m.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vars: &[(&str, &str)], user: u32) -> Result<PathBuf, String> {
        standard(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)), user)
    }

    #[test]
    fn the_environment_decides() {
        assert_eq!(of(&[("HOME", "/h")], 9), Ok("/h/.local/state/forklore".into()));
        assert_eq!(of(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s")], 9), Ok("/s/forklore".into()));
        assert_eq!(of(&[("HOME", "/h"), ("XDG_STATE_HOME", "s")], 9), Ok("/h/.local/state/forklore".into()));
        assert_eq!(of(&[("XDG_STATE_HOME", "/s")], 9), Ok("/s/forklore".into()));
        assert!(of(&[], 9).is_err() && of(&[("HOME", "")], 9).is_err() && of(&[("HOME", "h")], 9).is_err());
    }

    #[test]
    fn root_by_sudo_leaves_another_users_home_alone() {
        let home = tempfile::tempdir().expect("a directory");
        let owner = home.path().metadata().expect("it exists").uid();
        let path = home.path().to_str().expect("a plain path");
        let by_sudo = of(&[("HOME", path), ("SUDO_UID", "1000")], 0);
        assert_eq!(by_sudo.is_err(), owner != 0);
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(home.path(), Some(12345), None).expect("root may");
            assert!(of(&[("HOME", path), ("SUDO_UID", "12345")], 0).expect_err("not root's").contains("12345"));
            assert!(of(&[("HOME", path)], 0).is_ok(), "without sudo it is root's own choice");
        }
    }
}
