//! What is tried: for each thing how one worker changes it, and how a worker sees what it holds. Both ask for themselves
//! alone; nobody looks into the other.
//!
//! The one place of this demo with `unsafe`.

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use rustix::fs::{MemfdFlags, Mode, memfd_create};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::cell::Cell;
use std::fs::File;
use std::io::{Error, Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A thing that two workers may share, or have one each of.
pub(super) struct Item {
    /// The outcome value that says whose it is.
    pub(super) value: &'static str,
    /// What it is called.
    pub(super) name: &'static str,
    /// The group that it is tried with.
    pub(super) group: &'static str,
    /// Lets whoever is going to look have something of its own there first.
    pub(super) ready: fn(),
    /// Changes it. What was done, or why it was not.
    pub(super) act: fn(&Kit) -> Result<String, String>,
    /// What the calling worker finds there, or why that cannot be seen.
    pub(super) view: fn(&Kit) -> Result<String, String>,
}

/// The word for all groups, and the groups.
pub(super) const GROUPS: &[&str] = &["all", "memory", "files", "signals", "task"];

/// All of them, in the order in which they are tried.
pub(super) static ITEMS: &[Item] = &[
    item("global", "global variable", "memory", act_global, |_| Ok(load(&GLOBAL))),
    item("heap", "block on the heap", "memory", act_heap, |kit| Ok(load(&kit.heap))),
    item("thread_local", "thread-local variable", "memory", act_thread_local, |_| Ok(OWN.get().to_string())),
    Item { ready: fail_to_write, ..item("errno", "errno", "memory", act_errno, |_| Ok(errno())) },
    item("files", "open files", "files", act_files, |_| descriptor()),
    item("position", "file position", "files", act_position, view_position),
    item("directory", "working directory", "files", act_directory, |_| Ok(directory())),
    item("umask", "umask", "files", act_umask, |_| of_this_task("Umask")),
    item("handlers", "signal handlers", "signals", act_handlers, view_handlers),
    item("mask", "signal mask", "signals", act_mask, view_mask),
    item("nice", "nice value", "task", act_nice, |_| Ok(nice()?.to_string())),
    item("affinity", "cores it may use", "task", act_affinity, |_| Ok(format!("cores {}", ranges(&cores()?)))),
    item("name", "name in ps", "task", act_name, view_name),
];

const fn item(
    value: &'static str,
    name: &'static str,
    group: &'static str,
    act: fn(&Kit) -> Result<String, String>,
    view: fn(&Kit) -> Result<String, String>,
) -> Item {
    Item { value, name, group, ready: || {}, act, view }
}

/// What a variable holds once somebody has written to it.
const WRITTEN: u64 = 7;

/// A descriptor's number that no process has who has opened a few files only.
const NUMBER: RawFd = 30;

/// The signal that gets a handler, and the one that is blocked. Nothing here uses them otherwise.
const HANDLED: Signal = Signal::SIGUSR1;
const BLOCKED: Signal = Signal::SIGUSR2;

static GLOBAL: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static OWN: Cell<u64> = const { Cell::new(0) };
}

/// What there was before the two workers came on.
pub(super) struct Kit {
    heap: Box<AtomicU64>,
    file: Result<File, String>,
    opened: OnceLock<OwnedFd>,
}

impl Kit {
    /// A block on the heap, and an open file of twenty-six letters.
    pub(super) fn new() -> Self {
        let file = memfd_create("letters", MemfdFlags::CLOEXEC).map_err(Error::from).and_then(|fd| {
            let mut file = File::from(fd);
            file.write_all(b"abcdefghijklmnopqrstuvwxyz")?;
            file.rewind()?;
            Ok(file)
        });
        let file = file.map_err(|e| format!("no file in memory can be had ({e})"));
        Self { heap: Box::default(), file, opened: OnceLock::new() }
    }
}

fn load(cell: &AtomicU64) -> String {
    cell.load(Ordering::SeqCst).to_string()
}

fn wrote() -> Result<String, String> {
    Ok(format!("writes {WRITTEN} to it"))
}

fn act_global(_: &Kit) -> Result<String, String> {
    GLOBAL.store(WRITTEN, Ordering::SeqCst);
    wrote()
}

fn act_heap(kit: &Kit) -> Result<String, String> {
    kit.heap.store(WRITTEN, Ordering::SeqCst);
    wrote()
}

fn act_thread_local(_: &Kit) -> Result<String, String> {
    OWN.set(WRITTEN);
    wrote()
}

/// A call of the C library that fails with EISDIR.
fn fail_to_write() {
    drop(File::options().write(true).open("/"));
}

fn act_errno(_: &Kit) -> Result<String, String> {
    match File::open("/no/such/file") {
        Err(_) => Ok("opens a missing file".to_owned()),
        Ok(_) => Err("/no/such/file is there".to_owned()),
    }
}

/// errno of the calling thread, by name, as the C library keeps it.
fn errno() -> String {
    format!("{:?}", nix::errno::Errno::last())
}

fn act_files(kit: &Kit) -> Result<String, String> {
    let file = File::open("/dev/null").map_err(|e| format!("/dev/null cannot be opened ({e})"))?;
    let fd = rustix::io::fcntl_dupfd_cloexec(&file, NUMBER).map_err(|e| format!("no descriptor {NUMBER} ({e})"))?;
    let number = fd.as_raw_fd();
    let _ = kit.opened.set(fd);
    if number == NUMBER {
        Ok(format!("opens /dev/null as {NUMBER}"))
    } else {
        Err(format!("descriptor {NUMBER} is taken"))
    }
}

/// What descriptor [`NUMBER`] of the calling task is.
fn descriptor() -> Result<String, String> {
    let all = Path::new("/proc/thread-self/fd");
    match all.join(NUMBER.to_string()).read_link() {
        Ok(file) => Ok(format!("{} at {NUMBER}", file.display())),
        Err(_) if all.is_dir() => Ok(format!("nothing at {NUMBER}")),
        Err(error) => Err(format!("{} cannot be read ({error})", all.display())),
    }
}

fn act_position(kit: &Kit) -> Result<String, String> {
    let mut letters = [0; 10];
    kit.file.as_ref()?.read_exact(&mut letters).map_err(|e| format!("it cannot be read ({e})"))?;
    Ok(format!("reads {} bytes", letters.len()))
}

fn view_position(kit: &Kit) -> Result<String, String> {
    let position = kit.file.as_ref()?.stream_position().map_err(|e| format!("it cannot be asked for ({e})"))?;
    Ok(format!("byte {position}"))
}

fn act_directory(_: &Kit) -> Result<String, String> {
    let old = directory();
    let go = |to: &&str| *to != old && std::env::set_current_dir(to).is_ok();
    let to = ["/tmp", "/"].into_iter().find(go).ok_or("there is nowhere else to go")?;
    Ok(format!("changes to {to}"))
}

/// A directory that was removed under somebody has no name, which is an answer too.
fn directory() -> String {
    std::env::current_dir().map_or_else(|e| format!("nowhere ({e})"), |path| path.display().to_string())
}

fn act_umask(_: &Kit) -> Result<String, String> {
    let strict = Mode::RWXG | Mode::RWXO;
    let mut set = strict;
    if rustix::process::umask(set) == strict {
        set = Mode::WGRP | Mode::WOTH;
        rustix::process::umask(set);
    }
    Ok(format!("sets it to {:04o}", set.bits()))
}

/// A line of the calling task's own status.
fn of_this_task(field: &str) -> Result<String, String> {
    let path = "/proc/thread-self/status";
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path} cannot be read ({e})"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    Ok(line.ok_or_else(|| format!("{path} has no {field}"))?.trim().to_owned())
}

extern "C" fn caught(_: libc::c_int) {}

fn act_handlers(_: &Kit) -> Result<String, String> {
    let action = SigAction::new(SigHandler::Handler(caught), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing, so it may interrupt anything; nobody on stage has another one for this signal.
    #[expect(unsafe_code, reason = "a signal handler")]
    unsafe { sigaction(HANDLED, &action) }.map_err(|e| format!("it was refused ({e})"))?;
    Ok(format!("sets one for {HANDLED}"))
}

fn view_handlers(_: &Kit) -> Result<String, String> {
    let caught = of_this_task("SigCgt")?;
    let caught = u64::from_str_radix(&caught, 16).map_err(|e| format!("SigCgt is no number ({e})"))?;
    let has = caught >> (HANDLED as u32 - 1) & 1 == 1;
    Ok(if has { "a handler" } else { "no handler" }.to_owned())
}

fn act_mask(_: &Kit) -> Result<String, String> {
    let set: SigSet = [BLOCKED].into_iter().collect();
    set.thread_block().map_err(|e| format!("it was refused ({e})"))?;
    Ok(format!("blocks {BLOCKED}"))
}

fn view_mask(_: &Kit) -> Result<String, String> {
    let mask = SigSet::thread_get_mask().map_err(|e| format!("it cannot be asked for ({e})"))?;
    Ok(if mask.contains(BLOCKED) { "blocked" } else { "not blocked" }.to_owned())
}

/// The nice value of the calling thread: on Linux 0 means the thread, whatever POSIX says (setpriority(2), NOTES).
fn nice() -> Result<i32, String> {
    rustix::process::getpriority_process(None).map_err(|e| format!("it cannot be asked for ({e})"))
}

fn act_nice(_: &Kit) -> Result<String, String> {
    let old = nice()?;
    let new = (old + 5).min(19);
    if new == old {
        return Err("19 is the nicest there is".to_owned());
    }
    rustix::process::setpriority_process(None, new).map_err(|e| format!("it was refused ({e})"))?;
    Ok(format!("raises it from {old} to {new}"))
}

/// The cores that the calling thread may use.
fn cores() -> Result<Vec<usize>, String> {
    let set = sched_getaffinity(None).map_err(|e| format!("they cannot be asked for ({e})"))?;
    Ok((0..CpuSet::MAX_CPU).filter(|n| set.is_set(*n)).collect())
}

fn act_affinity(_: &Kit) -> Result<String, String> {
    let all = cores()?;
    let Some((given_up, kept)) = all.split_last().filter(|(_, kept)| !kept.is_empty()) else {
        return Err("only one core may be used here".to_owned());
    };
    let mut set = CpuSet::new();
    kept.iter().for_each(|n| set.set(*n));
    sched_setaffinity(None, &set).map_err(|e| format!("it was refused ({e})"))?;
    Ok(format!("gives up core {given_up}"))
}

/// Rising numbers as ranges: "0-3, 6".
fn ranges(numbers: &[usize]) -> String {
    let runs = numbers.chunk_by(|a, b| a + 1 == *b);
    let runs = runs.map(|run| match run {
        [first, .., last] => format!("{first}-{last}"),
        run => run.iter().map(ToString::to_string).collect(),
    });
    runs.collect::<Vec<_>>().join(", ")
}

fn act_name(_: &Kit) -> Result<String, String> {
    rustix::thread::set_name(c"another name").map_err(|e| format!("it was refused ({e})"))?;
    Ok("takes another name".to_owned())
}

fn view_name(_: &Kit) -> Result<String, String> {
    let name = rustix::thread::name().map_err(|e| format!("it cannot be asked for ({e})"))?;
    Ok(name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_has_its_own_value_and_name_and_a_group_that_can_be_chosen() {
        let values: BTreeSet<_> = ITEMS.iter().map(|item| item.value).collect();
        let names: BTreeSet<_> = ITEMS.iter().map(|item| item.name).collect();
        assert_eq!((values.len(), names.len()), (ITEMS.len(), ITEMS.len()));
        assert!(ITEMS.iter().all(|item| GROUPS[1..].contains(&item.group)));
        assert!(GROUPS[1..].iter().all(|group| ITEMS.iter().any(|item| item.group == *group)));
    }

    #[test]
    fn a_handler_that_was_set_is_seen_in_every_thread() {
        let kit = Kit::new();
        assert_eq!(view_handlers(&kit).as_deref(), Ok("no handler"));
        assert_eq!(act_handlers(&kit).as_deref(), Ok("sets one for SIGUSR1"));
        let elsewhere = std::thread::scope(|scope| scope.spawn(|| view_handlers(&kit)).join().expect("no panic"));
        assert_eq!(elsewhere.as_deref(), Ok("a handler"));
        nix::sys::signal::raise(HANDLED).expect("it is caught");
    }

    #[test]
    fn what_belongs_to_a_thread_is_changed_for_it_alone() {
        let kit = Kit::new();
        for value in ["thread_local", "errno", "mask", "nice", "affinity", "name"] {
            let item = ITEMS.iter().find(|item| item.value == value).expect(value);
            (item.ready)();
            let before = (item.view)(&kit);
            let mine = std::thread::scope(|scope| {
                let acts = || (item.act)(&kit).map(|_| (item.view)(&kit).expect("it was seen before"));
                scope.spawn(acts).join().expect("no panic")
            });
            match mine {
                Ok(mine) => assert_ne!(Ok(mine), before, "{value} was not changed"),
                Err(why) => println!("SKIP {value}: {why}"),
            }
            assert_eq!((item.view)(&kit), before, "{value}");
        }
    }

    #[test]
    fn the_position_moves_with_whoever_reads() {
        let kit = Kit::new();
        assert_eq!(view_position(&kit).as_deref(), Ok("byte 0"));
        act_position(&kit).expect("it can be read");
        assert_eq!(view_position(&kit).as_deref(), Ok("byte 10"));
    }

    #[test]
    fn cores_are_told_as_ranges() {
        assert_eq!([ranges(&[0]), ranges(&[0, 1, 2, 5, 7, 8]), ranges(&[])], ["0", "0-2, 5, 7-8", ""]);
    }
}
