//! A flag that one thread sets and another waits for: plain, and atomic.
//!
//! A data race on a plain variable is undefined behaviour in Rust, so the plain flag is that of a small C program of ours,
//! compiled here and now. Where there is no compiler, the reader does by hand what a compiler may make of the loop: it reads
//! the flag once, before it.

use super::{AS_IT_IS, ORDERED, RESULTS, gone, until};
use crate::fact::{As, Fact, Nanos, Unavailable, Values};
use crate::stage::{Left, Settings, Stage, Worker, now};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use serde_json::json;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;
use tempfile::TempDir;

/// The row.
pub(super) const ROW: &str = "flag seen";

const PROGRAM: &str = include_str!("../../../assets/programs/08-visibility.c");

/// How long a compiler may take for a page of C.
const COMPILES: Duration = Duration::from_secs(10);

/// How long whatever else may take, beyond what it is told to wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// Of what a program prints this much is read.
const MOST: usize = 4096;

/// A flag that was seen so many nanoseconds after it was set, or not in time.
type Seen = Option<u64>;

/// How a step went on: with something, not at all, or the run is to come to its end.
enum Went<T> {
    On(T),
    Refused(Unavailable),
    Finish,
}

/// Shows both flags. False if the run is to come to its end.
///
/// # Errors
/// The machine refuses a thread.
pub(super) fn show(stage: &mut Stage, patience: Duration) -> anyhow::Result<bool> {
    let why = match compiled(stage, patience) {
        Went::On((plain, atomic)) => {
            let how = format!("plain and atomic in C (cc -O2), up to {} ms", patience.as_millis());
            tell(stage, false, plain, &how, "compiled C");
            tell(stage, true, atomic, &how, "compiled C");
            return Ok(true);
        }
        Went::Finish => return Ok(false),
        Went::Refused(why) => why,
    };
    stage.tell(Fact::Refused(why));
    for atomic in [false, true] {
        let Some(seen) = by_hand(stage, !atomic, patience)? else { return Ok(false) };
        let how =
            format!("by hand: read once, as a compiler may make it, and each time; up to {} ms", patience.as_millis());
        tell(stage, atomic, seen, &how, "by hand");
    }
    Ok(true)
}

fn tell(stage: &mut Stage, atomic: bool, seen: Seen, how: &str, shown_by: &str) {
    let shown = seen.map_or_else(|| "never".to_owned(), |ns| format!("after {}", Nanos(ns)));
    let mut values = Values::new();
    let mut set = |name: &str, value| drop(values.insert(name.to_owned(), value));
    set(if atomic { ORDERED } else { AS_IT_IS }, json!(shown));
    set(if atomic { "atomic_seen" } else { "plain_seen" }, json!(seen.is_some()));
    if atomic {
        set("atomic_seen_ns", json!(seen));
    }
    set("how", json!(how));
    set("shown_by", json!(shown_by));
    stage.tell(Fact::Row { table: RESULTS.name.to_owned(), row: ROW.to_owned(), values });
}

/// Compiles the program and runs it: the plain flag, the atomic one.
fn compiled(stage: &mut Stage, patience: Duration) -> Went<(Seen, Seen)> {
    let refused = |why: String| {
        let without = "Install cc (gcc or clang); by hand it is shown what a compiler may do";
        Went::Refused(Unavailable::new("the plain flag in C", why).remedy(without))
    };
    let Some(compiler) = compiler(std::env::var_os("PATH").as_deref()) else {
        return refused("there is no C compiler here".to_owned());
    };
    let program = match build(stage, &compiler) {
        Went::On(program) => program,
        Went::Refused(why) => return Went::Refused(why),
        Went::Finish => return Went::Finish,
    };
    let output = match paper() {
        Ok(output) => output,
        Err(error) => return refused(format!("there is nowhere to print to ({error})")),
    };
    // The file is gone from its folder by now; the descriptor still leads to it, in the child too, until it is executed.
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    command.arg(patience.as_millis().to_string());
    if let Err(error) = output.try_clone().map(|to| command.stdout(to)) {
        return refused(format!("there is nowhere to print to ({error})"));
    }
    let number = match stage.enter_program("flags", &Settings::default(), command) {
        Ok(number) => number,
        Err(why) => return Went::Refused(why),
    };
    if !until(stage, patience * 2 + PATIENCE, |stage| gone(stage, number)) {
        return Went::Finish;
    }
    if !gone(stage, number) {
        stage.dismiss(&[number]);
    }
    match parse(&read(&output)) {
        Some(seen) => Went::On(seen),
        None => refused(format!("the compiled program could not be run ({})", ending(stage, number))),
    }
}

/// The first of the usual compilers that is there.
fn compiler(path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
    let folders: Vec<_> = std::env::split_paths(path?).collect();
    let all = ["cc", "gcc", "clang"].iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let may = |file: &PathBuf| {
        use std::os::unix::fs::PermissionsExt;
        file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    all.into_iter().find(may)
}

/// The program, compiled, as an open file that has no name any more.
fn build(stage: &mut Stage, compiler: &PathBuf) -> Went<File> {
    let refused = |why: String| Went::Refused(Unavailable::new("the plain flag in C", why));
    let shop = match Workshop::open() {
        Ok(shop) => shop,
        Err(error) => return refused(format!("there is no room for a compiler's files ({error})")),
    };
    let (source, target) = (shop.dir.path().join("flags.c"), shop.dir.path().join("flags"));
    let paper = match std::fs::write(&source, PROGRAM).and_then(|()| paper()) {
        Ok(paper) => paper,
        Err(error) => return refused(format!("there is no room for a compiler's files ({error})")),
    };
    let mut command = Command::new(compiler);
    command.args(["-O2", "-pthread", "-o"]).arg(&target).arg(&source);
    // What lies between source and program lies in the same folder. A group of its own: a compiler is several processes.
    command.env("TMPDIR", shop.dir.path()).process_group(0);
    match (paper.try_clone(), paper.try_clone()) {
        (Ok(out), Ok(err)) => drop(command.stdout(out).stderr(err)),
        _ => return refused("there is nowhere to print to".to_owned()),
    }
    let number = match stage.enter_program("compiler", &Settings::default(), command) {
        Ok(number) => number,
        Err(why) => return Went::Refused(why),
    };
    let mut told_to_end = false;
    let go_on = until(stage, COMPILES, |stage| {
        told_to_end = shop.told_to_end();
        told_to_end || gone(stage, number)
    });
    if !gone(stage, number) {
        end_group(stage, number);
    }
    if !go_on || told_to_end {
        return Went::Finish;
    }
    match (stage.cast().get(number).and_then(|entry| entry.ended.as_ref()), File::open(&target)) {
        (Some(Left::Code(0)), Ok(program)) => Went::On(program),
        (Some(Left::Signal(Signal::SIGKILL)), _) => {
            refused(format!("the compiler had not finished after {} s", COMPILES.as_secs()))
        }
        _ => {
            let said = read(&paper).lines().next().map(|line| format!(": {line}")).unwrap_or_default();
            refused(format!("the compiler failed ({}){said}", ending(stage, number)))
        }
    }
}

/// A folder for a compiler's files. While it is there, TERM waits: whoever leaves the run early leaves no folder behind.
struct Workshop {
    dir: TempDir,
    term: SignalFd,
    set: SigSet,
}

impl Workshop {
    fn open() -> std::io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("forklore-cc-").tempdir()?;
        let mut set = SigSet::empty();
        set.add(Signal::SIGTERM);
        let term = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        set.thread_block()?;
        Ok(Self { dir, term, set })
    }

    /// TERM has come.
    fn told_to_end(&self) -> bool {
        matches!(self.term.read_signal(), Ok(Some(_)))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What cannot be removed has no reader for the error: the run goes on without.
        let _ = std::fs::remove_dir_all(self.dir.path());
        let _ = self.set.thread_unblock();
    }
}

/// Ends the worker's whole process group, of which it is the first, and takes in its end.
fn end_group(stage: &mut Stage, number: usize) {
    let Some(pid) = stage.cast().get(number).map(|entry| entry.pid) else { return };
    // It has not been reaped, so the number is still its own.
    let _ = killpg(nix::unistd::Pid::from_raw(i32::try_from(pid.0).unwrap_or(i32::MAX)), Signal::SIGKILL);
    until(stage, Duration::from_millis(200), |stage| gone(stage, number));
}

/// A file without a name, for what a program prints.
fn paper() -> std::io::Result<File> {
    Ok(File::from(memfd_create(c"forklore-output", MFdFlags::MFD_CLOEXEC)?))
}

fn read(paper: &File) -> String {
    let mut bytes = vec![0; MOST];
    let length = paper.read_at(&mut bytes, 0).unwrap_or(0);
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// What the program printed: of the plain flag, of the atomic one. None if it did not come so far.
fn parse(text: &str) -> Option<(Seen, Seen)> {
    let of = |name: &str| {
        let rest = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" flag: "))?;
        let words: Vec<_> = rest.split(' ').collect();
        match words[..] {
            ["seen", "after", ns, "ns"] => Some(Some(ns.parse().ok()?)),
            ["not", "seen", "in", _, "ms"] => Some(None),
            _ => None,
        }
    };
    Some((of("plain")?, of("atomic")?))
}

/// How a worker ended, in a few words.
fn ending(stage: &Stage, number: usize) -> String {
    match stage.cast().get(number).and_then(|entry| entry.ended.as_ref()) {
        Some(Left::Code(code)) => format!("it ended with code {code}"),
        Some(Left::Signal(signal)) => format!("it ended by {signal}"),
        None => "it did not end".to_owned(),
    }
}

/// What the reader and the writer have in common, where there is no compiler.
#[derive(Debug, Default)]
struct Common {
    flag: AtomicBool,
    ready: AtomicBool,
    /// When the reader saw the flag; 0: never.
    seen: AtomicU64,
}

/// The flag by hand; none if the run is to come to its end. The leader is the writer.
fn by_hand(stage: &mut Stage, plain: bool, patience: Duration) -> anyhow::Result<Option<Seen>> {
    let common = Arc::new(Common::default());
    let theirs = Arc::clone(&common);
    let number = stage.enter_named("reader", As::Threads, &Settings::default(), move |worker| {
        let held = theirs.flag.load(Relaxed);
        theirs.ready.store(true, Release);
        while worker.order() != Worker::HALT {
            let seen = if plain { held } else { theirs.flag.load(Acquire) };
            if seen {
                theirs.seen.store(now().0, Release);
                return;
            }
            std::hint::spin_loop();
        }
    })?;
    if !until(stage, PATIENCE, |_| common.ready.load(Acquire)) {
        return Ok(None);
    }
    let set = now();
    common.flag.store(true, Release);
    if !until(stage, patience, |stage| gone(stage, number)) {
        return Ok(None);
    }
    stage.dismiss(&[number]);
    let seen = common.seen.load(Acquire);
    Ok(Some((seen > 0).then(|| seen.saturating_sub(set.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_prints_is_read_and_nothing_else() {
        let text = "atomic flag: seen after 812 ns\nplain flag: not seen in 500 ms\n";
        assert_eq!(parse(text), Some((None, Some(812))));
        assert_eq!(parse("plain flag: seen after 7 ns\natomic flag: seen after 812 ns\n"), Some((Some(7), Some(812))));
        for odd in ["", "plain flag: seen after 7 ns\n", "plain flag: seen\natomic flag: seen after x ns\n"] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_compiler_is_what_may_be_executed() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().as_os_str();
        assert_eq!((compiler(Some(path)), compiler(None)), (None, None));
        std::fs::write(dir.path().join("cc"), "").expect("a file");
        assert_eq!(compiler(Some(path)), None, "it may not be executed");
        let gcc = dir.path().join("gcc");
        std::fs::write(&gcc, "").expect("a file");
        std::fs::set_permissions(&gcc, std::fs::Permissions::from_mode(0o755)).expect("its rights");
        assert_eq!(compiler(Some(path)), Some(gcc));
    }

    #[test]
    fn the_workshop_goes_with_its_files() {
        let shop = Workshop::open().expect("a folder");
        let path = shop.dir.path().to_owned();
        std::fs::write(path.join("flags.c"), PROGRAM).expect("a file");
        assert!(!shop.told_to_end());
        drop(shop);
        assert!(!path.exists());
    }
}
