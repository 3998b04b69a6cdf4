//! What the cases share: a folder of lessons with one demo a step, the tour in a terminal, and what must hold after
//! every case whatever was done.

use crate::support::{Ended, Launch, Patience, Process, Pty, User, descendants};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Gid, Pid, Uid, chown};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The demos of the trial's steps, the first being step 1, with their parameters.
pub(super) const DEMOS: &[(&str, &str)] = &[
    ("timeslice", ""),
    ("crash", "fault = \"segv\""),
    ("isolation", ""),
    ("unruly", "how = \"stop\""),
    ("unruly", "how = \"ignore-term\""),
    ("unruly", "how = \"escape\""),
    ("unruly", "how = \"deadlock\""),
    ("unruly", "how = \"vfork-hang\""),
    ("unruly", "how = \"flood\""),
    ("unruly", "how = \"line\""),
    ("unruly", "how = \"linger\""),
    ("unruly", "how = \"memory\""),
    ("unruly", "how = \"segfaults\""),
    ("unruly", "how = \"threads\""),
];

/// The step of the demo that has `word` in its name or parameters.
pub(super) fn step(word: &str) -> usize {
    let found = DEMOS.iter().position(|(name, params)| *name == word || params.contains(&format!("\"{word}\"")));
    found.expect("a demo of the trial") + 1
}

/// A folder of lessons that every user may read.
pub(super) struct Lessons(TempDir);

impl Lessons {
    /// An empty one.
    pub(super) fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("our own folder");
        Self(folder)
    }

    /// One lesson, `try`, with a step for each of [`DEMOS`].
    pub(super) fn trial() -> Self {
        let steps = DEMOS.iter().map(|(name, params)| {
            format!("## On trial: {name}\nWords.\n\n```demo {name}\n{params}\nexpect = {{}}\n```\n\n")
        });
        let lessons = Self::empty();
        lessons.write("01-try.md", lesson("try", "Trying", &steps.collect::<String>()));
        lessons
    }

    /// With one more file.
    pub(super) fn write(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(name), text).expect("our own folder");
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The tour of these lessons at `place`, on 100 columns and 30 rows, not yet started.
    pub(super) fn tour(&self, user: User, place: &str) -> Launch {
        let lessons = ["--lessons".as_ref(), self.path().as_os_str()];
        Launch::forklore().args(lessons).args([place].iter().filter(|p| !p.is_empty())).size(100, 30).user(user)
    }
}

/// The text of a lesson.
pub(super) fn lesson(id: &str, title: &str, steps: &str) -> String {
    format!(
        "+++\nid = \"{id}\"\ntitle = \"{title}\"\npart = \"Trials\"\nminutes = 1\nafter = []\nclaims = []\n+++\nAbout.\n\n{steps}"
    )
}

/// An empty home of its own for `user`, for more than one run.
pub(super) fn home(user: User) -> TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    let (uid, gid) = (Some(Uid::from_raw(user.uid())), Some(Gid::from_raw(user.uid())));
    chown(home.path(), uid, gid).expect("root may give folders away, and others keep theirs");
    home
}

/// The state file in such a home.
pub(super) fn state_in(home: &Path) -> PathBuf {
    home.join(".local/state/forklore/progress.json")
}

/// Waits for the first save: what is done to the program from now on may not cost it.
#[track_caller]
pub(super) fn saved(home: &Path) {
    let there = Patience::default().wait(|| state_in(home).exists().then_some(()));
    assert!(there.is_some(), "nothing is saved in {}", home.display());
}

/// The state file, which has to be whole.
pub(super) fn state(home: &Path) -> serde_json::Value {
    let text = fs::read(state_in(home)).unwrap_or_else(|e| panic!("{}: {e}", state_in(home).display()));
    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{e} in {:?}", String::from_utf8_lossy(&text)))
}

/// Waits until the tour shows a lesson's step.
pub(super) fn opened(pty: &Pty) {
    pty.until(|screen| screen.contains("On trial"), "the step");
}

/// Starts the step's demo and waits until it is on.
pub(super) fn run(pty: &Pty) {
    pty.send(" ");
    pty.until(|screen| screen.contains("running ") || screen.contains("ended after"), "the demo on stage");
}

/// A process of this program that plays this part, by its hidden first argument.
fn part(pty: &Pty, argument: &str) -> Process {
    let found = Patience::default().wait(|| pty.children().into_iter().find(|p| plays(p, argument)));
    found.unwrap_or_else(|| panic!("there should be a {argument}: {:?}", pty.children()))
}

/// Whether its first argument is `argument`.
pub(super) fn plays(process: &Process, argument: &str) -> bool {
    let words = fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
    words.split(|b| *b == 0).nth(1) == Some(argument.as_bytes())
}

/// The process that draws. Its parent is the guard, which is the program itself.
pub(super) fn ui(pty: &Pty) -> Process {
    part(pty, "__tour")
}

/// The warden of the run.
pub(super) fn warden(pty: &Pty) -> Process {
    part(pty, "__warden")
}

/// Sends a signal to what lives; true if it was still there.
pub(super) fn send(process: &Process, signal: Signal) -> bool {
    assert!(process.pid > 1, "0 and 1 are never ours");
    kill(Pid::from_raw(process.pid), signal).is_ok()
}

/// A number that `/proc/PID/status` tells.
pub(super) fn status(pid: i32, key: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with(&format!("{key}:")))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Open file descriptors of a process.
pub(super) fn descriptors(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// Leaves the program from wherever it is and checks that all is as before.
#[track_caller]
pub(super) fn leave(pty: &mut Pty) {
    pty.send("\x03");
    sane_after(pty, Ended::Code(0));
}

/// It ended like this; the terminal is as it was, nothing that may not be written was written, nothing is left.
#[track_caller]
pub(super) fn sane_after(pty: &mut Pty, how: Ended) {
    assert_eq!(pty.wait(), how, "{}", pty.screen());
    is_sane(pty);
}

/// As [`sane_after`], however it ended.
#[track_caller]
pub(super) fn is_sane(pty: &Pty) {
    is_restored(pty);
    let said = log(pty);
    assert!(!said.contains("panicked at") && !said.contains("fault of the program"), "{said}");
}

/// As [`is_sane`], though the program may have said that it had a fault.
#[track_caller]
pub(super) fn is_restored(pty: &Pty) {
    pty.assert_nothing_left(Patience(Duration::from_secs(10)));
    let restored = Patience::default().wait(|| (pty.modes_left().is_empty() && pty.termios_unchanged()).then_some(()));
    assert!(restored.is_some(), "left on: {:?}; settings as before: {}", pty.modes_left(), pty.termios_unchanged());
    assert_eq!(pty.csi_foreign(), [""; 0], "nothing that acts on a terminal in ways of its own");
    let in_home = fs::read_dir(pty.surroundings.home()).expect("the home").flatten().map(|e| e.file_name());
    let litter: Vec<_> = in_home.filter(|name| name != ".local").collect();
    assert!(litter.is_empty(), "left in the working directory: {litter:?}");
}

/// All that was written to the terminal, as text.
pub(super) fn log(pty: &Pty) -> String {
    String::from_utf8_lossy(&pty.raw_log()).into_owned()
}

/// The longest that the screen may stand still while a demo misbehaves.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(250);

/// How long it takes from a key to what it shows, for so many keys.
#[track_caller]
pub(super) fn echoes(pty: &Pty, keys: usize) -> Vec<Duration> {
    let echo = |n: usize| {
        let (pressed, open) = (Instant::now(), n.is_multiple_of(2));
        pty.send("?");
        pty.until(|screen| screen.contains("─ Keys ─") == open, "what the key is for");
        pressed.elapsed()
    };
    // Each key opens or closes the help; in the end it is closed.
    (0..keys.next_multiple_of(2)).map(echo).collect()
}

/// Waits until nothing that the program started lives; how long it took since `from`.
#[track_caller]
pub(super) fn all_gone(pty: &Pty, from: Instant) -> Duration {
    pty.assert_nothing_left(Patience(Duration::from_secs(10)));
    from.elapsed()
}

/// What a start says of the session before it.
const CUT_OFF: &str = "cut off";

/// Starts the tour of these lessons once more and leaves it: whether it says that the last session was cut off.
#[track_caller]
pub(super) fn tells_of_a_cut(lessons: &Lessons, user: User, home: &Path) -> bool {
    let mut pty = lessons.tour(user, "").env("HOME", home).start();
    // A frame is drawn before a key is heard, and it is the first that has the notice.
    pty.until(|screen| screen.contains("Lessons"), "the catalogue");
    pty.send("?");
    pty.until(|screen| screen.contains("─ Keys ─"), "the help");
    leave(&mut pty);
    log(&pty).contains(CUT_OFF)
}

/// Everything below a process is gone or was never there.
pub(super) fn below(pid: i32) -> usize {
    descendants(pid).len()
}

/// How often what is random is tried: `FORKLORE_FAULT_ROUNDS`, or a few times.
pub(super) fn rounds(few: u32) -> u32 {
    std::env::var("FORKLORE_FAULT_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

/// Moments that nobody chose, and the same in every run.
pub(super) struct Dice(u64);

impl Dice {
    /// From this beginning.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `n`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// Lets a random time pass. The moment is what is tried, not a wait for something.
    pub(super) fn pause(&mut self, most: Duration) {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX).max(1);
        std::thread::sleep(Duration::from_micros(self.below(most)));
    }
}

/// Whether this is root.
pub(super) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Whether a program that a case needs is there; says so if not.
pub(super) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !there {
        println!("SKIP: {program} is not installed");
    }
    there
}
