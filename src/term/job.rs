//! Job control: whether the terminal is ours to use, and stopping as Ctrl-Z does.

use rustix::process::{Pid, Signal, getpgrp, getppid, getsid, kill_current_process_group};
use rustix::termios::tcgetpgrp;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The program was asked to end: it does not stop any more.
pub(super) static LEAVING: AtomicBool = AtomicBool::new(false);

/// We stopped the group ourselves: whoever did so takes the terminal again, and nobody else needs to be told.
pub(super) static STOPPED: AtomicBool = AtomicBool::new(false);

/// A signal that came with the one that continues us is read by another thread: it gets so long.
const HEAR: Duration = Duration::from_millis(250);

/// How a suspension went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Suspended {
    /// Stopped, continued, and the terminal is ours again (or the program was asked to end meanwhile).
    AndBack,
    /// Nothing was done: no shell of this session would ever continue the program.
    NoShell,
}

/// Another process group has the terminal. A terminal that cannot say so (hung up) counts as ours.
pub(super) fn in_background() -> bool {
    tcgetpgrp(rustix::stdio::stdin()).is_ok_and(|foreground| foreground != getpgrp())
}

/// Stops the process group until the shell has put it in the foreground. False if it is to end instead.
pub(super) fn wait_for_foreground() -> io::Result<bool> {
    while in_background() && !LEAVING.load(Ordering::Acquire) {
        if !can_stop() {
            return Err(io::Error::other("in the background, without a shell to bring it forward"));
        }
        stop_group()?;
    }
    Ok(!LEAVING.load(Ordering::Acquire))
}

/// Stops every process of the group, this one included, unless it is to end; returns when it goes on.
pub(super) fn stop_group() -> io::Result<()> {
    STOPPED.store(true, Ordering::Release);
    // Not SIGTSTP: the watchdog reads that one, so it would stop nobody.
    kill_current_process_group(Signal::STOP)?;
    // `kill %1` sends TERM and then CONT, so that a stopped job hears it.
    let until = Instant::now() + HEAR;
    while in_background() && !LEAVING.load(Ordering::Acquire) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Somebody of this session but not of this process group is above us: a shell that does job control. This is what
/// POSIX calls a group that is not orphaned.
pub(super) fn can_stop() -> bool {
    let (group, session) = (getpgrp(), getsid(None));
    let mut above = getppid();
    while let Some(pid) = above {
        match rustix::process::getpgid(Some(pid)) {
            Ok(g) if g == group => above = parent_of(pid),
            Ok(_) => return getsid(Some(pid)) == session,
            Err(_) => return false,
        }
    }
    false
}

fn parent_of(pid: Pid) -> Option<Pid> {
    stat(pid).and_then(|s| Pid::from_raw(s.parent))
}

/// The process is stopped by a signal.
pub(super) fn is_stopped(pid: Pid) -> bool {
    stat(pid).is_some_and(|s| s.state == 'T')
}

/// What /proc says of a process (`proc_pid_stat(5)`).
pub(super) struct Stat {
    pub(super) state: char,
    pub(super) parent: i32,
    pub(super) started: u64,
}

/// Reads a process's state, parent and start time; none if it is gone.
pub(super) fn stat(pid: Pid) -> Option<Stat> {
    parse_stat(&std::fs::read(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?)
}

/// The name stands in brackets and may itself contain brackets, spaces and anything but NUL.
fn parse_stat(line: &[u8]) -> Option<Stat> {
    let rest = &line[line.iter().rposition(|&b| b == b')')? + 1..];
    let mut fields = std::str::from_utf8(rest).ok()?.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Stat { state, parent, started })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_brackets_does_not_mislead() {
        let line = b"42 (a) T 1 (x)) S 7 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 98765 0 0";
        let stat = parse_stat(line).expect("well formed");
        assert_eq!((stat.state, stat.parent, stat.started), ('S', 7, 98765));
        assert!(parse_stat(b"42 (cut").is_none() && parse_stat(b"").is_none());
    }

    #[test]
    fn our_own_parent_is_found() {
        let me = rustix::process::getpid();
        assert_eq!(parent_of(me), getppid());
        assert!(!is_stopped(me));
    }
}
