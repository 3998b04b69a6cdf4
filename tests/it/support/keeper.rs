//! The process between a test and the program in its terminal: leader of the session, as a shell is.
//!
//! A program that were itself the leader would take the evidence with it: when a session's leader ends, the kernel hangs
//! the terminal up and resets its settings (`disassociate_ctty`), and a leader cannot be stopped with Ctrl-Z. The keeper
//! also adopts every orphan of the program (`PR_SET_CHILD_SUBREAPER`), so that nothing the program started gets out of
//! sight: it stays below the keeper, whatever it did to its session and environment.

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, Ordering};

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    Signal(Signal),
}

/// What the keeper tells of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It was started with this process id.
    Started(i32),
    /// It was stopped by a signal.
    Stopped,
    /// It goes on.
    Continued,
    /// It ended.
    Ended(Ended),
}

/// Bytes of one message: process id, then the wait status or [`STARTED`].
pub(super) const MESSAGE: usize = 8;

/// No wait status has this value.
const STARTED: i32 = -1;

/// Seconds after which a keeper ends that has no program or no terminal any more, should the test be gone too.
const LINGERS: i32 = 60;

impl News {
    /// Reads one message.
    pub(super) fn read(message: [u8; MESSAGE]) -> Self {
        let number = |at: usize| i32::from_ne_bytes([0, 1, 2, 3].map(|i| message[at + i]));
        let (pid, status) = (number(0), number(4));
        if status == STARTED {
            return Self::Started(pid);
        }
        match WaitStatus::from_raw(Pid::from_raw(pid), status).expect("the kernel's own status") {
            WaitStatus::Exited(_, code) => Self::Ended(Ended::Code(code)),
            WaitStatus::Signaled(_, signal, _) => Self::Ended(Ended::Signal(signal)),
            WaitStatus::Continued(_) => Self::Continued,
            _ => Self::Stopped,
        }
    }
}

/// Between fork and exec: makes this process the keeper and returns in a child of it, which is to be the program.
/// Standard input must be the terminal.
///
/// # Safety
/// Only in a child of `fork` that is to exec: nothing here allocates or takes a lock.
#[expect(unsafe_code, reason = "a session and its terminal are made with system calls after fork")]
pub(super) unsafe fn split(tell: RawFd, id: Option<u32>) -> io::Result<()> {
    let done = |result: i32| if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) };
    // SAFETY: plain system calls, all async-signal-safe; the child of fork goes on alone, as after any fork.
    unsafe {
        // A handler of the tests' own (a command's timeout installs one) would write to what is closed here.
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        done(libc::setsid())?;
        done(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
        done(libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1))?;
        let program = done(libc::fork())?;
        if program > 0 {
            keep(program, tell);
        }
        done(libc::setpgid(0, 0))?;
        // A process in the background that sets the foreground group is stopped by SIGTTOU, unless it ignores it.
        libc::signal(libc::SIGTTOU, libc::SIG_IGN);
        done(libc::tcsetpgrp(0, libc::getpid()))?;
        libc::signal(libc::SIGTTOU, libc::SIG_DFL);
    }
    // SAFETY: as above.
    id.map_or(Ok(()), |id| unsafe { become_user(id) })
}

/// Between fork and exec: gives up root for the user and group `id`.
///
/// # Safety
/// As [`split`].
#[expect(unsafe_code, reason = "called between fork and exec")]
pub(super) unsafe fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: three system calls without pointers that are read.
    let results = unsafe { [libc::setgroups(0, std::ptr::null()), libc::setgid(id), libc::setuid(id)] };
    if results == [0; 3] { Ok(()) } else { Err(io::Error::last_os_error()) }
}

static PROGRAM: AtomicI32 = AtomicI32::new(0);

/// The keeper's life: tells what becomes of the program, reaps orphans, waits to be ended.
#[expect(unsafe_code, reason = "the keeper lives between fork and exec, on system calls alone")]
fn keep(program: i32, tell: RawFd) -> ! {
    let told = |status: i32| {
        let mut message = [0; MESSAGE];
        message[..4].copy_from_slice(&program.to_ne_bytes());
        message[4..].copy_from_slice(&status.to_ne_bytes());
        // SAFETY: the buffer is ours. A reader that is gone is found below.
        unsafe { libc::write(tell, message.as_ptr().cast(), MESSAGE) };
    };
    PROGRAM.store(program, Ordering::Relaxed);
    // SAFETY: async-signal-safe calls on values of our own; the handler makes such calls only.
    unsafe {
        libc::signal(libc::SIGHUP, pass_on as *const () as libc::sighandler_t);
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        let tell = tell.unsigned_abs();
        libc::syscall(libc::SYS_close_range, 3, tell - 1, 0);
        libc::syscall(libc::SYS_close_range, tell + 1, u32::MAX, 0);
        told(STARTED);
        let mut status = 0;
        loop {
            let who = libc::waitpid(-1, &raw mut status, libc::WUNTRACED | libc::WCONTINUED);
            if who == program {
                told(status);
            } else if who < 0 && *libc::__errno_location() == libc::ECHILD {
                break;
            }
        }
        // The session lives on, so that its terminal can be looked at, until the reader of the news is gone.
        let mut reader = libc::pollfd { fd: tell.cast_signed(), events: 0, revents: 0 };
        libc::poll(&raw mut reader, 1, LINGERS * 1000);
        libc::_exit(0)
    }
}

/// The terminal was hung up: only the session's leader hears of it from the kernel, and passes it on, as shells do.
#[expect(unsafe_code, reason = "a signal handler")]
extern "C" fn pass_on(_: i32) {
    // SAFETY: async-signal-safe calls; the number is that of the program's process group.
    unsafe {
        libc::kill(-PROGRAM.load(Ordering::Relaxed), libc::SIGHUP);
        libc::alarm(LINGERS.unsigned_abs());
    }
}
