//! The outer process. The shell starts it; it starts the tour as its child and does nothing but wait.
//!
//! A killed process restores nothing: not its terminal, not the processes it started. Somebody has to survive it. The
//! guard has one thread, touches the terminal only when the tour is dead or stopped, and stays in the tour's process
//! group, so that the shell and the terminal treat both as one job.

use super::job::{self, Stat};
use super::modes::{self, Saved};
use super::watchdog::QUITS;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::PollFlags;
use rustix::process::{self, Pid, WaitOptions, WaitStatus};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// The hidden first argument that says: this is the tour itself, the guard is outside.
pub const MARKER: &str = "__tour";

/// How many arenas the C library's allocator may have.
const ARENAS: &str = "MALLOC_ARENA_MAX";

/// Stopping takes a moment to reach both of us: only a child that stays stopped alone was stopped alone.
const SETTLE: Duration = Duration::from_millis(150);

/// What the dead tour's supervisors get to clean up by themselves.
const GRACE: Duration = Duration::from_millis(300);

/// The longest that the sweep may take: an unkillable process must not hold the shell.
const SWEEP: Duration = Duration::from_secs(3);

/// The tour's end of the bond: which process guards it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardedBy(pub(super) Pid);

/// Recognises the arguments (program name excluded) that a guard gave: who guards, and the user's own arguments.
#[must_use]
pub fn recognise(args: &[OsString]) -> Option<(GuardedBy, &[OsString])> {
    let [marker, guard, rest @ ..] = args else { return None };
    let guard = guard.to_str()?.parse().ok().filter(|n| *n > 0).and_then(Pid::from_raw)?;
    (marker == OsStr::new(MARKER)).then_some((GuardedBy(guard), rest))
}

/// Runs this program again as the guarded tour, with `args` after the marker, and waits for its end.
/// Returns the exit code: the tour's own, or 128+n if signal n ended it.
///
/// # Errors
/// The tour could not be started; the caller may run it unguarded. The terminal is then untouched.
pub fn guard(args: &[OsString]) -> io::Result<u8> {
    job::wait_for_foreground()?;
    let saved = Saved::take()?;
    // The child inherits the mask: until it reads signals itself none can end it unrestored.
    let mut mask: SigSet = QUITS.into_iter().collect();
    mask.extend([Signal::SIGCHLD, Signal::SIGCONT, Signal::SIGTSTP, Signal::SIGTTOU]);
    mask.thread_block()?;
    let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    let strangers = strangers();
    nix::sys::prctl::set_child_subreaper(true).ok();
    let child = Command::new("/proc/self/exe")
        .arg0(std::env::args_os().next().unwrap_or_else(|| "forklore".into()))
        .arg(MARKER)
        // The C library reserves 64 MiB of addresses for each thread that allocates at the same time as another
        // (mallopt(3)). Under a bound on addresses that is what the screen would lack.
        .env(ARENAS, std::env::var_os(ARENAS).unwrap_or_else(|| "1".into()))
        .arg(process::getpid().as_raw_pid().to_string())
        .args(args)
        .spawn();
    let child = match child {
        Ok(child) => Pid::from_child(&child),
        Err(error) => {
            mask.thread_unblock().ok();
            return Err(error);
        }
    };
    let mut guard = Guard { child, saved, signals, strangers, stopped: None, asked: None };
    let end = guard.wait();
    Ok(guard.settle(end))
}

struct Guard {
    child: Pid,
    saved: Saved,
    signals: SignalFd,
    strangers: HashSet<(i32, u64)>,
    /// When the child is to be looked at again, because it stopped.
    stopped: Option<Instant>,
    /// When the child is to be told to suspend, because we were.
    asked: Option<Instant>,
}

impl Guard {
    /// Until the child has ended.
    fn wait(&mut self) -> WaitStatus {
        loop {
            if let Some(end) = self.reap() {
                return end;
            }
            let due = [self.stopped, self.asked].into_iter().flatten().min();
            let patience = due.map_or(Duration::from_secs(3600), |d| d.saturating_duration_since(Instant::now()));
            match self.signal(patience) {
                Some(Signal::SIGCHLD | Signal::SIGTTOU) => {}
                Some(Signal::SIGTSTP) => self.asked = Some(Instant::now() + SETTLE),
                Some(Signal::SIGCONT) => self.go_on(),
                Some(quit) => self.tell(quit),
                None => self.mirror(),
            }
        }
    }

    /// The next signal, if one comes in time.
    fn signal(&self, patience: Duration) -> Option<Signal> {
        if !modes::wait_for(self.signals.as_fd(), PollFlags::IN, patience) {
            return None;
        }
        let info = self.signals.read_signal().ok().flatten()?;
        Signal::try_from(i32::try_from(info.ssi_signo).ok()?).ok()
    }

    fn tell(&self, signal: Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.child.as_raw_pid()), signal).ok();
    }

    /// We were continued; so is the child, if it is not yet.
    fn go_on(&mut self) {
        (self.stopped, self.asked) = (None, None);
        if job::is_stopped(self.child) {
            self.tell(Signal::SIGCONT);
        }
    }

    /// What was put off, if it is due: the shell must see one job that is stopped, or one that runs.
    fn mirror(&mut self) {
        let now = Instant::now();
        if self.asked.take_if(|at| *at <= now).is_some() && !job::is_stopped(self.child) {
            self.tell(Signal::SIGTSTP);
        }
        if self.stopped.take_if(|at| *at <= now).is_some() && job::is_stopped(self.child) && job::can_stop() {
            self.saved.reset();
            process::kill_process(process::getpid(), process::Signal::STOP).ok();
        }
    }

    /// Collects every status that waits. Orphans of the tour are ours, too.
    fn reap(&mut self) -> Option<WaitStatus> {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
        while let Ok(Some((pid, status))) = process::wait(options) {
            if pid == self.child {
                if status.stopped() {
                    self.stopped = Some(Instant::now() + SETTLE);
                } else if status.continued() {
                    self.stopped = None;
                } else {
                    return Some(status);
                }
            }
        }
        None
    }

    /// After the tour: the terminal, the stragglers, the exit code.
    fn settle(&self, end: WaitStatus) -> u8 {
        let signal = end.terminating_signal();
        if signal.is_some() || !self.saved.unchanged() {
            self.saved.reset();
        }
        if let Some(number) = signal {
            let name = Signal::try_from(number).map_or_else(|_| format!("signal {number}"), |s| s.as_str().to_owned());
            modes::say(&format!(
                "\nforklore was ended by {name}; the terminal has been restored; your progress is kept.\n"
            ));
        }
        self.sweep();
        let code = signal.map_or_else(|| end.exit_status().unwrap_or(1), |number| 128 + number);
        u8::try_from(code).unwrap_or(1)
    }

    /// Ends whatever the tour left. Every orphan of it became our child, so nothing can hide.
    fn sweep(&self) {
        let begun = Instant::now();
        while self.any_left() && begun.elapsed() < GRACE {
            self.signal(GRACE.saturating_sub(begun.elapsed()).min(Duration::from_millis(20)));
        }
        while self.any_left() && begun.elapsed() < SWEEP {
            let mut frozen = HashSet::new();
            // A process that forks while it is looked for is found by the next look; a frozen one forks no more.
            loop {
                let new: Vec<_> = descendants(&self.strangers).into_iter().filter(|p| frozen.insert(*p)).collect();
                if new.is_empty() {
                    break;
                }
                signal_all(&new, process::Signal::STOP);
            }
            signal_all(&frozen.into_iter().collect::<Vec<_>>(), process::Signal::KILL);
            self.signal(Duration::from_millis(20));
        }
    }

    /// Reaps what has ended; true while something of the tour is still there.
    fn any_left(&self) -> bool {
        loop {
            match process::wait(WaitOptions::NOHANG) {
                Ok(Some(_)) => {}
                Ok(None) => return !descendants(&self.strangers).is_empty(),
                Err(_) => return false,
            }
        }
    }
}

/// Sends to each by number, checked against its start time just before; [`Pid`] holds no 0 and no negative.
fn signal_all(processes: &[(i32, u64)], signal: process::Signal) {
    for &(number, started) in processes {
        if let Some(pid) = Pid::from_raw(number).filter(|p| !p.is_init())
            && job::stat(pid).is_some_and(|s| s.started == started)
        {
            process::kill_process(pid, signal).ok();
        }
    }
}

/// Whatever a shell left us by `exec`: it is not ours to end. Nearly always nothing, and then the whole of /proc, which
/// would hold up the first frame, need not be read. The list of children is there where the kernel has
/// CONFIG_PROC_CHILDREN.
fn strangers() -> HashSet<(i32, u64)> {
    match std::fs::read("/proc/thread-self/children") {
        Ok(children) if children.is_empty() => HashSet::new(),
        _ => descendants(&HashSet::new()).into_iter().collect(),
    }
}

/// Everything below this process in the tree, with start times, without `strangers` and what is below them.
fn descendants(strangers: &HashSet<(i32, u64)>) -> Vec<(i32, u64)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let all: Vec<(i32, Stat)> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|number| Some((number, job::stat(Pid::from_raw(number)?)?)))
        .collect();
    let (mut found, mut level) = (Vec::new(), vec![process::getpid().as_raw_pid()]);
    while !level.is_empty() {
        let below = all.iter().filter(|(number, stat)| {
            level.contains(&stat.parent) && !strangers.contains(&(*number, stat.started)) && stat.state != 'Z'
        });
        let below: Vec<_> = below.map(|(number, stat)| (*number, stat.started)).collect();
        level = below.iter().map(|(number, _)| *number).collect();
        found.extend(below);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_guards_arguments_are_recognised() {
        let args = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>();
        let given = args(&[MARKER, "71", "crash:2"]);
        let (by, rest) = recognise(&given).expect("what a guard gives");
        assert_eq!((by.0.as_raw_pid(), rest), (71, &given[2..]));
        for bad in [&["crash"][..], &[MARKER], &[MARKER, "0"], &[MARKER, "-1"], &["x", "71"], &[]] {
            assert!(recognise(&args(bad)).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_child_and_its_child_are_found_and_strangers_are_not() {
        let mut child = Command::new("sh").args(["-c", "sleep 60 & wait"]).spawn().expect("sh");
        let until = Instant::now() + Duration::from_secs(10);
        let mine = |found: &[(i32, u64)]| {
            let child = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
            let child = child.expect("a pid");
            found.iter().find(|(p, _)| *p == child.as_raw_pid()).copied()
        };
        let (root, leaf) = loop {
            let found = descendants(&HashSet::new());
            let leaf = found.iter().find(|(p, _)| {
                mine(&found)
                    .is_some_and(|(root, _)| Pid::from_raw(*p).and_then(job::stat).is_some_and(|s| s.parent == root))
            });
            if let (Some(root), Some(leaf)) = (mine(&found), leaf) {
                break (root, *leaf);
            }
            assert!(Instant::now() < until, "the grandchild never appeared");
            std::thread::yield_now();
        };
        let without = descendants(&HashSet::from([root]));
        assert!(!without.contains(&root) && !without.contains(&leaf));
        assert!(strangers().contains(&root) && strangers().contains(&leaf));
        signal_all(&[root, leaf], process::Signal::KILL);
        child.wait().expect("our child");
    }
}
