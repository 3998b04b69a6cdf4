//! The ways to misbehave, each for real. They are bounded by the stage and, should that fail, by a number far below what
//! would harm the machine. What they make in the file system has no name.

use crate::fact::{Fact, LockStep, Tid};
use crate::stage::Worker;
use memmap2::MmapMut;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, clone};
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, Signal, raise, signal};
use nix::sys::stat::Mode;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, mkfifo, pause, setsid};
use serde_json::json;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::sync::{Barrier, Mutex, PoisonError};
use std::time::Duration;

/// Their names.
pub(super) const NAMES: &[&str] = &[
    "ignore-term",
    "stop",
    "escape",
    "memory",
    "files",
    "disk",
    "flood",
    "line",
    "linger",
    "threads",
    "segfaults",
    "deadlock",
    "vfork-hang",
    "spawn",
];

const MIB: usize = 1 << 20;

/// The most of anything that is made one by one. The stage's bounds are far below.
const MOST: u64 = 2048;

/// Misbehaves, until it is stopped or told to leave. (Deadlock takes two: see [`Locks`].)
pub(super) fn misbehave(how: &str, worker: &Worker) {
    let result = match how {
        "ignore-term" => ignore_and_stay(worker),
        "stop" => stop(worker),
        "escape" => escape(worker),
        "memory" => memory(worker),
        "files" => files(worker),
        "disk" => disk(worker),
        "flood" => flood(worker),
        "line" => line(worker),
        "linger" => linger(worker),
        "threads" => threads(worker),
        "segfaults" => segfaults(worker),
        "vfork-hang" => vfork_hang(worker),
        "spawn" => spawn(worker),
        _ => Ok(()),
    };
    if let Err(error) = result {
        let word = error.raw_os_error().map_or_else(|| error.to_string(), |n| format!("{:?}", Errno::from_raw(n)));
        worker.tell(Fact::Value { tid: worker.tid(), name: "refused_by".to_owned(), value: json!(word) });
        stay(worker);
    }
}

/// Tells how far it has come.
fn count(worker: &Worker, n: u64) {
    worker.set_work(n);
    worker.tell(Fact::Value { tid: worker.tid(), name: "count".to_owned(), value: json!(n) });
}

/// Keeps what it has until it is told to leave.
fn stay(worker: &Worker) {
    while worker.wait(0, Duration::MAX) == 0 {}
}

fn told_to_leave(worker: &Worker) -> bool {
    worker.order() == Worker::HALT
}

fn set(what: Signal, to: SigHandler) {
    // SAFETY: ignored or default: no code of ours runs in a handler.
    #[expect(unsafe_code, reason = "signal dispositions are process-wide")]
    let _ = unsafe { signal(what, to) };
}

/// Ignores everything that asks politely.
pub(super) fn ignore_term() {
    for what in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
        set(what, SigHandler::SigIgn);
    }
}

/// Neither signals nor orders move it.
fn ignore_and_stay(worker: &Worker) -> io::Result<()> {
    ignore_term();
    count(worker, 4);
    loop {
        pause();
    }
}

/// Stops itself, and again whenever it is made to go on.
fn stop(worker: &Worker) -> io::Result<()> {
    for n in 1.. {
        count(worker, n);
        raise(Signal::SIGSTOP)?;
        if told_to_leave(worker) {
            break;
        }
    }
    Ok(())
}

/// A child that runs `body` and ends.
fn child(body: impl FnOnce()) -> io::Result<Pid> {
    // SAFETY: the worker is a process with this one thread, so no lock can be left taken in the child.
    #[expect(unsafe_code, reason = "fork")]
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            body();
            // SAFETY: _exit(2) takes any code and does not return.
            #[expect(unsafe_code, reason = "the parent's destructors are not the child's to run")]
            unsafe {
                libc::_exit(0)
            }
        }
    }
}

/// Leaves session, parent, descriptors, environment and name behind, and lives on.
fn escape(worker: &Worker) -> io::Result<()> {
    let between = child(|| {
        let _ = setsid();
        let _ = child(|| {
            let _ = setsid();
            // SAFETY: this process has one thread and uses neither descriptors nor environment any more.
            #[expect(unsafe_code, reason = "this demo exists to misbehave")]
            unsafe {
                libc::close_range(0, libc::c_uint::MAX, 0);
                libc::clearenv();
            }
            let _ = prctl::set_name(c"kworker/0:9");
            loop {
                pause();
            }
        });
    })?;
    waitpid(between, None)?;
    count(worker, 1);
    Ok(())
}

/// Wants 16 GiB: in one piece, then bit by bit, and touches what it gets.
fn memory(worker: &Worker) -> io::Result<()> {
    const BIT: usize = 16 * MIB;
    let page = rustix::param::page_size();
    let mut got = Vec::new();
    got.extend(MmapMut::map_anon(16 << 30).ok());
    for n in 1..=(16 << 30) / BIT {
        let mut bit = MmapMut::map_anon(BIT)?;
        bit.iter_mut().step_by(page).for_each(|byte| *byte = 1);
        got.push(bit);
        count(worker, (n * BIT / MIB) as u64);
        if told_to_leave(worker) {
            break;
        }
    }
    Ok(())
}

/// Opens files without end.
fn files(worker: &Worker) -> io::Result<()> {
    let mut open = Vec::new();
    while !told_to_leave(worker) {
        open.push(File::open("/dev/null")?);
        count(worker, open.len() as u64);
    }
    Ok(())
}

/// Wants a file of a terabyte with a hole in it, then one without end and without holes.
fn disk(worker: &Worker) -> io::Result<()> {
    // Its default ends the process before the error can be seen.
    set(Signal::SIGXFSZ, SigHandler::SigIgn);
    let hole = tempfile::tempfile()?;
    let holed = hole.set_len(1 << 40);
    let mut full = tempfile::tempfile()?;
    let mebibyte = vec![1_u8; MIB];
    for n in 1..=MOST {
        full.write_all(&mebibyte)?;
        count(worker, n);
        if told_to_leave(worker) {
            break;
        }
    }
    holed
}

/// A gibibyte of lines on standard output and standard error.
fn flood(worker: &Worker) -> io::Result<()> {
    let lines = b"All work and no play makes a dull demo.\n".repeat(MIB / 40);
    for n in 1..=1024 {
        io::stdout().write_all(&lines)?;
        io::stderr().write_all(&lines)?;
        count(worker, n);
        if told_to_leave(worker) {
            break;
        }
    }
    Ok(())
}

/// One line without end, and in it what a terminal would obey: clear the screen, set the title, change the colours.
fn line(worker: &Worker) -> io::Result<()> {
    let part = b"\x1b[2J\x1b[H\x1b]0;mine\x07\x1b[31;1m\x9b2Jx".repeat(MIB / 32);
    for n in 1..=1024 {
        io::stderr().write_all(&part)?;
        count(worker, n);
        if told_to_leave(worker) {
            break;
        }
    }
    Ok(())
}

/// Ends, and leaves a child that holds every pipe open.
fn linger(worker: &Worker) -> io::Result<()> {
    child(|| {
        loop {
            pause();
        }
    })?;
    count(worker, 1);
    Ok(())
}

/// Starts threads until it is refused one.
fn threads(worker: &Worker) -> io::Result<()> {
    for n in 1..=MOST {
        let builder = std::thread::Builder::new().stack_size(64 * 1024);
        builder.spawn(|| {
            loop {
                std::thread::park();
            }
        })?;
        count(worker, n);
        if worker.wait(0, Duration::from_millis(1)) == Worker::HALT {
            break;
        }
    }
    stay(worker);
    Ok(())
}

/// A thousand children that crash, one after the other.
fn segfaults(worker: &Worker) -> io::Result<()> {
    for n in 1..=1000 {
        let victim = child(|| {
            let null: *mut libc::c_void = std::hint::black_box(std::ptr::null_mut());
            // SAFETY: it is not; that is the demonstration. Page 0 is never mapped, so nothing is hit.
            #[expect(unsafe_code, reason = "this demo exists to misbehave")]
            unsafe {
                libc::memset(null, 1, 1);
            }
        })?;
        waitpid(victim, None)?;
        count(worker, n);
        if told_to_leave(worker) {
            return Ok(());
        }
    }
    Ok(())
}

/// A child that shares its memory opens a FIFO which nobody writes to. Till it ends, which it never does, its parent is not
/// even to be interrupted: the kernel holds it as vfork(2) does.
fn vfork_hang(worker: &Worker) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("fifo");
    mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR)?;
    let handle = open(&path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
    folder.close()?;
    // The name is gone; through its descriptor it can be opened still.
    let again = std::ffi::CString::new(format!("/proc/self/fd/{}", handle.as_raw_fd()))?;
    count(worker, 1);
    let mut stack = vec![0_u8; 64 * 1024];
    let wait = || {
        // SAFETY: one system call on a string that the parent, which is held meanwhile, keeps alive.
        #[expect(unsafe_code, reason = "after vfork only such calls are allowed")]
        let fd = unsafe { libc::open(again.as_ptr(), libc::O_RDONLY) };
        isize::from(fd < 0)
    };
    let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
    // SAFETY: the child has a stack of its own and makes one system call; the parent is held until it has ended.
    #[expect(unsafe_code, reason = "vfork, with a stack of its own")]
    let child = unsafe { clone(Box::new(wait), &mut stack, flags, Some(libc::SIGCHLD)) }?;
    waitpid(child, None)?;
    Ok(())
}

/// Forks and forks: children that only live.
fn spawn(worker: &Worker) -> io::Result<()> {
    for n in 1..=MOST {
        child(|| {
            loop {
                pause();
            }
        })?;
        count(worker, n);
        if worker.wait(0, Duration::from_millis(1)) == Worker::HALT {
            break;
        }
    }
    Ok(())
}

/// Two locks, and two threads that take them in opposite order.
#[derive(Debug)]
pub(super) struct Locks {
    first: Mutex<()>,
    second: Mutex<()>,
    /// Both hold one before either asks for the other; nothing is left to chance.
    each_has_one: Barrier,
}

impl Default for Locks {
    fn default() -> Self {
        Self { first: Mutex::new(()), second: Mutex::new(()), each_has_one: Barrier::new(2) }
    }
}

impl Locks {
    /// Takes both in this order; the second for ever.
    pub(super) fn take(&self, order: [&str; 2], worker: &Worker) {
        let tid = worker.tid();
        let tell = |lock: &str, step| worker.tell(told(tid, lock, step));
        let [first, second] = order.map(|name| if name == "L1" { &self.first } else { &self.second });
        tell(order[0], LockStep::Wants);
        let _one = first.lock().unwrap_or_else(PoisonError::into_inner);
        tell(order[0], LockStep::Has);
        count(worker, 1);
        self.each_has_one.wait();
        tell(order[1], LockStep::Wants);
        let _other = second.lock().unwrap_or_else(PoisonError::into_inner);
        tell(order[1], LockStep::Has);
    }
}

fn told(tid: Tid, lock: &str, step: LockStep) -> Fact {
    Fact::Lock { tid, lock: lock.to_owned(), step }
}
