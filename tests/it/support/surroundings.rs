//! Where the program runs in a test: a home of its own, a mark, an environment of known things, a user.

use super::{Marker, keeper};
use nix::unistd::{Gid, Uid, chown, geteuid};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tempfile::TempDir;

/// The program under test.
const FORKLORE: &str = env!("CARGO_BIN_EXE_forklore");

/// `nobody`, and its group, on Debian and its kin.
const NOBODY: u32 = 65534;

/// Who runs the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// Who runs the tests.
    Me,
    /// `nobody`, an ordinary user without rights. Only root can start it.
    Nobody,
}

impl User {
    /// All that this machine can try: root and `nobody` for root, oneself otherwise.
    pub(crate) fn all() -> Vec<Self> {
        if geteuid().is_root() { vec![Self::Me, Self::Nobody] } else { vec![Self::Me] }
    }

    /// The number of that user.
    pub(crate) fn uid(self) -> u32 {
        self.id().unwrap_or_else(|| geteuid().as_raw())
    }

    /// User and group to change to.
    pub(super) fn id(self) -> Option<u32> {
        (self == Self::Nobody).then_some(NOBODY)
    }
}

/// Where and as whom the program runs. What still runs in them when they are dropped is ended.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// Who runs it.
    pub(crate) user: User,
    /// The mark that all it starts carries.
    pub(crate) marker: Marker,
    home: TempDir,
    forklore: Arc<Reachable>,
}

impl Surroundings {
    /// New ones, with an empty home that belongs to `user`.
    pub(crate) fn new(user: User) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        if let Some(id) = user.id() {
            chown(home.path(), Some(Uid::from_raw(id)), Some(Gid::from_raw(id))).expect("root may give folders away");
        }
        Self { user, marker: Marker::new(), home, forklore: Reachable::shared() }
    }

    /// The user's home.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// forklore with these arguments, not yet started, as a command whose output is caught.
    pub(crate) fn forklore(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> assert_cmd::Command {
        self.program(Path::new(FORKLORE), args)
    }

    /// As [`Self::forklore`], started by another program that takes it and its arguments as its own last arguments.
    pub(crate) fn forklore_under(
        &self,
        under: &[&str],
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> assert_cmd::Command {
        assert_cmd::Command::from_std(self.as_user(self.command_under(under, Path::new(FORKLORE)), args))
    }

    /// As [`Self::forklore`], for any program.
    pub(crate) fn program(
        &self,
        program: &Path,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> assert_cmd::Command {
        assert_cmd::Command::from_std(self.as_user(self.command(program), args))
    }

    /// A shell script, in which `$0` is forklore, not yet started, as a command whose output is caught.
    pub(crate) fn shell(&self, script: &str) -> assert_cmd::Command {
        self.program(Path::new("/bin/sh"), [OsStr::new("-c"), OsStr::new(script), self.forklore.path.as_os_str()])
    }

    /// forklore with these arguments, started; its standard output is a pipe.
    pub(crate) fn start(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Child {
        self.spawn(Path::new(FORKLORE), args)
    }

    /// The same from a file of its own, whose pages nobody else maps.
    pub(crate) fn start_copy(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Child {
        let copy = self.home().join("forklore");
        fs::copy(FORKLORE, &copy).expect("room for a copy");
        self.spawn(&copy, args)
    }

    fn spawn(&self, program: &Path, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Child {
        let mut command = self.as_user(self.command(program), args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("forklore starts")
    }

    fn as_user(&self, mut command: Command, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        command.args(args);
        if let Some(id) = self.user.id() {
            #[expect(unsafe_code, reason = "pre_exec")]
            // SAFETY: `become_user` is made for this place.
            unsafe {
                command.pre_exec(move || keeper::become_user(id))
            };
        }
        command
    }

    /// As [`Self::command`], started by the program that `under` begins with, if it has any words.
    pub(super) fn command_under(&self, under: &[impl AsRef<OsStr>], program: &Path) -> Command {
        let Some((first, rest)) = under.split_first() else { return self.command(program) };
        let mut command = self.command(Path::new(first));
        command.args(rest).arg(self.reach(program));
        command
    }

    /// Where the program is that may be the one under test.
    fn reach<'a>(&'a self, program: &'a Path) -> &'a Path {
        if program == Path::new(FORKLORE) { &self.forklore.path } else { program }
    }

    /// A program that finds nothing in its environment but what it needs and the mark.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(self.reach(program));
        command.env_clear().current_dir(self.home());
        command.envs([("HOME", self.home().as_os_str()), (Marker::NAME, OsStr::new(self.marker.value()))]);
        // What it leaves of temporary files is then found where a test looks for litter.
        command.env("TMPDIR", self.home());
        command.envs([("TERM", "xterm-256color"), ("LANG", "C.UTF-8")]);
        command.envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
        command
    }

    /// The program under test.
    pub(super) fn under_test() -> &'static Path {
        Path::new(FORKLORE)
    }
}

/// The program where every user can reach it: as it was built, or a copy, should it lie in somebody's closed folder.
#[derive(Debug)]
struct Reachable {
    path: PathBuf,
    /// Goes with the last that needs it.
    _copy: Option<TempDir>,
}

impl Reachable {
    /// One for all that run at the same time.
    fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Reachable>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let found = shared.upgrade().unwrap_or_else(|| Arc::new(Self::new()));
        *shared = Arc::downgrade(&found);
        found
    }

    fn new() -> Self {
        let built = Path::new(FORKLORE);
        let open = |folder: &Path| fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & 0o001 != 0);
        if !geteuid().is_root() || built.ancestors().all(open) {
            return Self { path: built.to_owned(), _copy: None };
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("our own folder");
        let path = folder.path().join("forklore");
        fs::copy(built, &path).expect("a copy of the program");
        Self { path, _copy: Some(folder) }
    }
}
