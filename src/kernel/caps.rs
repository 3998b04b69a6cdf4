//! What this machine allows: each thing tried or read, what was found, what it means, and how to allow more.
//!
//! It decides nothing: who needs a capability tries it. What cannot be read is said to be so, never guessed.

mod bounds;
mod cgroup;
mod talking;
mod tools;
mod watching;

use serde::Serialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One thing that the machine allows, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// What it is called: "exact switch records".
    pub name: &'static str,
    /// Whether it can be had.
    pub state: State,
    /// What was read or tried: "`perf_event_paranoid` = 2".
    pub found: String,
    /// What that means for the learner, in a sentence.
    pub means: String,
    /// What would allow more, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Whether something can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// All of it.
    Yes,
    /// Some of it, or perhaps: the sentence says.
    Partly,
    /// Nothing.
    No,
}

impl Capability {
    fn new(name: &'static str, state: State, found: impl Into<String>, means: impl Into<String>) -> Self {
        Self { name, state, found: found.into(), means: means.into(), remedy: None }
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// Looks at everything, in the order in which `doctor` shows it.
#[must_use]
pub fn survey() -> Vec<Capability> {
    survey_at(&Files { root: "/".into() })
}

fn survey_at(files: &Files) -> Vec<Capability> {
    let mut all = watching::survey(files);
    all.extend(bounds::survey(files));
    all.extend(talking::survey(files));
    all.extend(tools::survey());
    all
}

/// The machine's files, under a root that a test may move.
struct Files {
    root: PathBuf,
}

impl Files {
    fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path.as_ref().strip_prefix("/").unwrap_or(path.as_ref()))
    }

    /// The file's text, trimmed.
    fn read(&self, path: impl AsRef<Path>) -> io::Result<String> {
        fs::read(self.path(path)).map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// The one number in a file.
    fn number(&self, path: impl AsRef<Path>) -> Option<i64> {
        self.read(path).ok()?.parse().ok()
    }
}

/// "FILE = VALUE", or that it could not be read and why.
fn shown(path: &str, value: &io::Result<String>) -> String {
    match value {
        Ok(value) => format!("{path} = {value}"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => format!("there is no {path}"),
        Err(error) => format!("{path} cannot be read ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine made of the given files.
    pub(super) fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in files {
            let path = folder.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        let files = Files { root: folder.path().into() };
        (folder, files)
    }

    pub(super) fn find(all: &[Capability], name: &str) -> Capability {
        all.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no {name}")).clone()
    }

    #[test]
    fn this_machine_is_surveyed() {
        for capability in survey() {
            println!(
                "{:?} {}: {}. {} {:?}",
                capability.state, capability.name, capability.found, capability.means, capability.remedy
            );
            assert!(!capability.found.is_empty() && capability.means.ends_with('.'), "{capability:?}");
        }
    }

    #[test]
    fn a_machine_without_files_is_surveyed_all_the_same() {
        let (_folder, files) = machine(&[]);
        let all = survey_at(&files);
        assert!(all.len() >= 16);
        let release = find(&all, "CPU quota");
        assert!(release.found.contains("cannot be read") || release.found.contains("there is no"), "{release:?}");
    }

    #[test]
    fn garbage_in_every_file_is_no_reason_to_fall() {
        let paths = ["/proc/self/mountinfo", "/proc/self/cgroup", "/proc/self/status", "/proc/sys/kernel/core_pattern"];
        for garbage in ["", "\0\u{1b}[2J", "- - -", "0::\n:::\n", "99999999999999999999999"] {
            let (_folder, files) = machine(&paths.map(|path| (path, garbage)));
            survey_at(&files);
        }
    }
}
