//! Names in places that all programs share, and files in a user's own: what a program that was killed may leave behind.

use super::common::{has, is_root};
use crate::support::{Patience, Surroundings, User};
use nix::mqueue::{MQ_OFlag, MqAttr, mq_close, mq_open, mq_unlink};
use nix::sys::stat::Mode;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Where POSIX shared memory and named semaphores have their names (`shm_overview(7)`).
const MEMORY: &str = "/dev/shm";

/// Where the kernel lists message queues, if somebody mounted it there (`mq_overview(7)`).
const QUEUES: &str = "/dev/mqueue";

/// Others on this machine make names, too, and remove them: so long a name must stay to be one that is left.
const STAYS: Duration = Duration::from_secs(5);

/// What a user has in the shared places and in its home, which is its folder for temporary files as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// As they are now.
    pub(super) fn of(here: &Surroundings) -> Self {
        let mut names = BTreeSet::new();
        below(here.home(), here.user, &mut names);
        below(Path::new(MEMORY), here.user, &mut names);
        names.extend(queues(here.user).into_iter().flatten());
        // The program's own notes, which are to stay.
        let notes = here.home().join(".local");
        Self(names.into_iter().filter(|name| !Path::new(name).starts_with(&notes)).collect())
    }

    /// Those that are there now and were not, and stay.
    pub(super) fn left(&self, here: &Surroundings) -> Vec<String> {
        let mut left: BTreeSet<String> = Self::of(here).0.difference(&self.0).cloned().collect();
        let gone = Patience(STAYS).wait(|| {
            left.retain(|name| Self::of(here).0.contains(name));
            left.is_empty().then_some(())
        });
        if gone.is_some() { Vec::new() } else { left.into_iter().collect() }
    }
}

/// Everything of this user's below a folder.
fn below(folder: &Path, user: User, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(found) = fs::symlink_metadata(entry.path()) else { continue };
        if found.uid() == user.uid() {
            names.insert(entry.path().display().to_string());
        }
        if found.is_dir() {
            below(&entry.path(), user, names);
        }
    }
}

/// The message queues of this user. Where nobody has mounted their list, root does for a moment, in a mount namespace that
/// ends with the look; others cannot, and have none.
fn queues(user: User) -> Option<Vec<String>> {
    let named = |name: &str| format!("{QUEUES}/{name}");
    if fs::read_to_string("/proc/mounts").is_ok_and(|mounts| mounts.contains(" mqueue ")) {
        let mut names = BTreeSet::new();
        below(Path::new(QUEUES), user, &mut names);
        return Some(names.into_iter().collect());
    }
    if !is_root() || !has("unshare") || !has("find") {
        println!("SKIP: message queues cannot be listed");
        return None;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = "mount -t mqueue none \"$0\" && exec find \"$0\" -mindepth 1 -printf '%U %f\\n'";
    let out = Command::new("unshare").args(["--mount", "sh", "-c", script]).arg(folder.path()).output();
    let out = out.expect("unshare starts");
    if !out.status.success() {
        println!("SKIP: message queues cannot be listed ({})", String::from_utf8_lossy(&out.stderr).trim());
        return None;
    }
    let mine = |line: &str| line.strip_prefix(&format!("{} ", user.uid())).map(named);
    Some(String::from_utf8_lossy(&out.stdout).lines().filter_map(mine).collect())
}

#[test]
fn what_is_left_anywhere_is_noticed() {
    let here = Surroundings::new(User::Me);
    let before = Names::of(&here);
    let name = format!("forklore-test-{}", std::process::id());
    fs::create_dir_all(here.home().join("left")).expect("our own folder");
    let file = here.home().join("left").join("fifo");
    fs::write(&file, "").expect("our own folder");
    let mut expected = vec![file.parent().expect("a folder").display().to_string(), file.display().to_string()];
    let memory = Path::new(MEMORY).join(&name);
    if fs::write(&memory, "").is_ok() {
        expected.insert(0, memory.display().to_string());
    }
    let (shown, in_call) = (format!("{QUEUES}/{name}"), format!("/{name}"));
    let queue = Queue::new(&in_call);
    if queue.is_some() && queues(User::Me).is_some() {
        expected.insert(0, shown);
    }
    let left = before.left(&here);
    drop(queue);
    let _ = fs::remove_file(&memory);
    println!("{left:?}");
    assert!(expected.iter().all(|name| left.contains(name)), "{left:?} is not all of {expected:?}");
    fs::remove_dir_all(here.home().join("left")).expect("our own folder");
    assert!(expected.iter().all(|name| !before.left(&here).contains(name)));
}

/// A message queue with a name, which goes with it.
struct Queue<'n>(&'n str);

impl<'n> Queue<'n> {
    /// None where there are no queues.
    fn new(name: &'n str) -> Option<Self> {
        let flags = MQ_OFlag::O_CREAT | MQ_OFlag::O_EXCL | MQ_OFlag::O_RDONLY;
        // Without attributes nix passes no mode either, and O_CREAT takes what happens to be there.
        let queue = match mq_open(name, flags, Mode::S_IRUSR, Some(&MqAttr::new(0, 1, 1, 0))) {
            Ok(queue) => queue,
            Err(why) => {
                println!("SKIP: no message queue ({why})");
                return None;
            }
        };
        mq_close(queue).expect("it was open");
        Some(Self(name))
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        let _ = mq_unlink(self.0);
    }
}
