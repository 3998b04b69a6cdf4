//! Libraries between the program and its C library: see `shim.c` and `refuse.c`. Nothing of them is in the program.

use super::{Launch, skip};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// One folder with the library and its orders; for one program at a time.
pub(crate) struct Shim(TempDir);

impl Shim {
    /// Compiled for this test. None, and said so, where there is no C compiler.
    pub(crate) fn new(what: &str) -> Option<Self> {
        compiled(what, include_str!("shim.c")).map(Self)
    }

    /// `launch` with the library in between.
    pub(crate) fn before(&self, launch: Launch) -> Launch {
        launch.env("LD_PRELOAD", self.library()).env("FORKLORE_SHIM", self.0.path())
    }

    /// Turns the wall clock to so many seconds since 1970; it stands there.
    pub(crate) fn turn_clock(&self, seconds: i64) {
        self.order("clock", &seconds.to_string());
    }

    /// Has the thread that draws meet this fault when it next looks at the clock.
    pub(crate) fn fault(&self, word: &str) {
        self.order("fault", word);
    }

    /// Whether the last fault was met.
    pub(crate) fn met(&self) -> bool {
        !self.0.path().join("fault").exists()
    }

    /// Renamed into place: half an order would be another.
    fn order(&self, name: &str, text: &str) {
        let new = self.0.path().join("new");
        fs::write(&new, text).expect("our own folder");
        fs::set_permissions(&new, fs::Permissions::from_mode(0o644)).expect("our own file");
        fs::rename(new, self.0.path().join(name)).expect("our own folder");
    }

    fn library(&self) -> PathBuf {
        self.0.path().join(LIBRARY)
    }
}

/// What a library is called in its folder.
const LIBRARY: &str = "library.so";

/// A folder, open to everybody, with the library that `text` makes. None, and said so, where there is no C compiler.
fn compiled(what: &str, text: &str) -> Option<TempDir> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Whoever runs the program takes a fault's order away when it is heard.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("our own folder");
    let source = folder.path().join("library.c");
    fs::write(&source, text).expect("our own folder");
    // Not optimised: an overflow must not become a loop.
    let compiler = Command::new("cc")
        .args(["-shared", "-fPIC", "-O0", "-w", "-o"])
        .args([folder.path().join(LIBRARY), source])
        .args(["-ldl", "-lpthread"])
        .output();
    match compiler {
        Err(error) => {
            skip(what, &format!("no C compiler: cc: {error}"));
            None
        }
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(folder)
        }
    }
}

/// A library that refuses system calls and files of /proc: see `refuse.c`.
pub(crate) struct Refuser(TempDir);

impl Refuser {
    /// Compiled for this test. None, and said so, where there is no C compiler.
    pub(crate) fn new(what: &str) -> Option<Self> {
        compiled(what, include_str!("refuse.c")).map(Self)
    }

    /// Words to start a program under: these calls fail (`ptrace:1`, the errno's number last), these files are closed.
    pub(crate) fn words(&self, calls: &str, files: &str) -> Vec<String> {
        let mut words = vec!["env".to_owned(), format!("LD_PRELOAD={}", self.0.path().join(LIBRARY).display())];
        let lists = [("FORKLORE_NO_CALLS", calls), ("FORKLORE_NO_FILES", files)];
        words.extend(lists.iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| format!("{name}={list}")));
        words
    }
}
