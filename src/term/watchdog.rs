//! The thread that never draws: it reads signals, watches the terminal and the guard, and ends a screen that hangs.
//!
//! A screen can hang where no flag reaches it: in `write` to a terminal that nobody reads. The watchdog tells the UI
//! what happened, gives it a second to leave, and then restores the terminal and ends the process itself.

use super::guard::GuardedBy;
use super::{job, modes, restore};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::process::{Pid, PidfdFlags, getppid, pidfd_open};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Said by whoever ends the program because its guard is gone.
pub const GUARD_GONE: &str =
    "forklore's outer process was killed; the terminal has been restored; your progress is kept.\n";

/// Signals that mean: leave.
pub(super) const QUITS: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Signals that mean something else to a screen.
const OTHERS: [Signal; 3] = [Signal::SIGTSTP, Signal::SIGCONT, Signal::SIGWINCH];

/// What a screen may take to leave.
const GRACE: Duration = Duration::from_secs(1);

/// How often the parent is asked for where the kernel gives no pidfd.
const ASK: Duration = Duration::from_millis(300);

/// What happened outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// This signal asks the program to end; its exit code is 128 plus the number.
    Quit(i32),
    /// The terminal or another process asks for what Ctrl-Z does.
    Suspend,
    /// The program was stopped from outside and goes on: the terminal is to be taken again, clocks to be set. Not told
    /// after [`Screen::suspend`](super::Screen::suspend), which does so itself.
    Resumed,
    /// The terminal has another size.
    Resized,
    /// The terminal is gone.
    HangUp,
    /// The outer process is gone: nobody would restore the terminal after us.
    GuardGone,
}

impl Notice {
    /// The code that the process ends with after this notice, if it is one to end after.
    #[must_use]
    pub fn exit_code(self) -> Option<u8> {
        let signal = match self {
            Self::Quit(number) => number,
            Self::HangUp => Signal::SIGHUP as i32,
            Self::GuardGone => Signal::SIGKILL as i32,
            Self::Suspend | Self::Resumed | Self::Resized => return None,
        };
        u8::try_from(128 + signal).ok()
    }
}

/// Keeps the signals that the watchdog reads from ending or stopping any thread. To be called first in the tour's
/// `main`: threads inherit it. Processes started later inherit it, too; the stage gives them an empty mask.
///
/// # Errors
/// The kernel refused, which it has no reason to.
pub fn block_signals() -> io::Result<()> {
    let mut mask = watched();
    // Setting the terminal from the background, and a full file-size limit, are errors here, not an end.
    mask.extend([Signal::SIGTTOU, Signal::SIGXFSZ]);
    Ok(mask.thread_block()?)
}

fn watched() -> SigSet {
    QUITS.into_iter().chain(OTHERS).collect()
}

/// The watchdog, until dropped.
#[must_use = "dropping it ends the watch"]
pub struct Watchdog {
    orders: Arc<Mutex<Orders>>,
    wake: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Orders {
    /// When the process ends whatever the UI does, with what code, and what is said then.
    deadline: Option<(Instant, u8, &'static str)>,
    /// The watch is over.
    stop: bool,
}

/// Starts the watch. `tell` is called on the watchdog's thread and must not block.
///
/// # Errors
/// The kernel refused a thread or a file descriptor.
pub fn watch(guard: Option<GuardedBy>, tell: Box<dyn Fn(Notice) + Send>) -> io::Result<Watchdog> {
    let orders = Arc::new(Mutex::new(Orders::default()));
    let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let mut watch = Watch {
        signals: SignalFd::with_flags(&watched(), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?,
        tty: Some(modes::reopen(rustix::stdio::stdin(), rustix::fs::OFlags::RDONLY)?),
        guard: guard.map(Bond::new),
        orders: Arc::clone(&orders),
        wake: Arc::clone(&wake),
        tell,
    };
    let thread = std::thread::Builder::new().name("watchdog".into()).spawn(move || while watch.turn() {})?;
    Ok(Watchdog { orders, wake, thread: Some(thread) })
}

impl Watchdog {
    /// Once the program is asked to end: it has so long from now. For an orderly end that takes more than a second.
    pub fn allow(&self, time: Duration) {
        if let Some((deadline, ..)) = &mut lock(&self.orders).deadline {
            *deadline = Instant::now() + time;
        }
        self.nudge();
    }

    fn nudge(&self) {
        rustix::io::write(&*self.wake, &1u64.to_ne_bytes()).ok();
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        lock(&self.orders).stop = true;
        self.nudge();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// The guard as its child sees it.
struct Bond {
    pid: Pid,
    pidfd: Option<OwnedFd>,
    gone: bool,
}

impl Bond {
    fn new(GuardedBy(pid): GuardedBy) -> Self {
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok();
        Self { pid, pidfd, gone: false }
    }

    /// Our parent is no longer the one that started us. Asked after the pidfd was opened, this also settles whose
    /// it is.
    fn broken(&self) -> bool {
        getppid() != Some(self.pid)
    }
}

struct Watch {
    signals: SignalFd,
    tty: Option<OwnedFd>,
    guard: Option<Bond>,
    orders: Arc<Mutex<Orders>>,
    wake: Arc<OwnedFd>,
    tell: Box<dyn Fn(Notice) + Send>,
}

impl Watch {
    /// Waits for one thing and deals with it; false when the watch is over.
    fn turn(&mut self) -> bool {
        self.check_guard();
        self.wait();
        rustix::io::read(&*self.wake, &mut [0u8; 8]).ok();
        let (stop, deadline) = {
            let orders = lock(&self.orders);
            (orders.stop, orders.deadline)
        };
        if let Some((at, code, words)) = deadline
            && !stop
            && at <= Instant::now()
        {
            end(code, words);
        }
        if self.tty.as_ref().is_some_and(hung_up) {
            self.tty = None;
            self.leave(Notice::HangUp, "");
        }
        while let Ok(Some(info)) = self.signals.read_signal() {
            if let Some(signal) = i32::try_from(info.ssi_signo).ok().and_then(|n| Signal::try_from(n).ok()) {
                self.signalled(signal);
            }
        }
        !stop
    }

    /// Sleeps until there is something to look at.
    fn wait(&self) {
        let due = lock(&self.orders).deadline.map(|(at, ..)| at.saturating_duration_since(Instant::now()));
        let bond = self.guard.as_ref().filter(|bond| !bond.gone);
        let ask = bond.filter(|bond| bond.pidfd.is_none()).map(|_| ASK);
        let timeout = due.into_iter().chain(ask).min().map(modes::timespec);
        let mut fds = vec![PollFd::new(&self.signals, PollFlags::IN), PollFd::new(&*self.wake, PollFlags::IN)];
        fds.extend(bond.and_then(|bond| bond.pidfd.as_ref()).map(|fd| PollFd::new(fd, PollFlags::IN)));
        // No events asked: hang-up and error are always told.
        fds.extend(self.tty.as_ref().map(|fd| PollFd::new(fd, PollFlags::empty())));
        if poll(&mut fds, timeout.as_ref()).is_err() {
            // Out of memory or interrupted: the conditions are looked at all the same.
            std::thread::yield_now();
        }
    }

    fn check_guard(&mut self) {
        if let Some(bond) = self.guard.as_mut().filter(|bond| !bond.gone && bond.broken()) {
            bond.gone = true;
            self.leave(Notice::GuardGone, GUARD_GONE);
        }
    }

    fn signalled(&self, signal: Signal) {
        match signal {
            Signal::SIGTSTP => (self.tell)(Notice::Suspend),
            Signal::SIGWINCH => (self.tell)(Notice::Resized),
            Signal::SIGCONT => {
                // The guard may have stopped because we were: one job runs or stands as a whole.
                if let Some(bond) = self.guard.as_ref().filter(|bond| !bond.broken() && job::is_stopped(bond.pid)) {
                    rustix::process::kill_process(bond.pid, rustix::process::Signal::CONT).ok();
                }
                if !job::STOPPED.swap(false, Ordering::AcqRel) {
                    (self.tell)(Notice::Resumed);
                }
            }
            quit => self.leave(Notice::Quit(quit as i32), ""),
        }
    }

    /// The UI is to leave. The first reason counts; its second runs from there.
    fn leave(&self, why: Notice, words: &'static str) {
        job::LEAVING.store(true, Ordering::Release);
        if let Some(code) = why.exit_code() {
            lock(&self.orders).deadline.get_or_insert((Instant::now() + GRACE, code, words));
        }
        (self.tell)(why);
    }
}

fn hung_up(tty: &OwnedFd) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(tty.as_fd(), PollFlags::empty())];
    let now = modes::timespec(Duration::ZERO);
    poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// The UI did not leave. Destructors would hang where it hangs.
#[expect(clippy::disallowed_methods, reason = "the thread that should return from main cannot")]
fn end(code: u8, words: &str) -> ! {
    restore();
    modes::say(words);
    std::process::exit(code.into())
}

fn lock(orders: &Mutex<Orders>) -> std::sync::MutexGuard<'_, Orders> {
    orders.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_a_shell() {
        assert_eq!(Notice::Quit(15).exit_code(), Some(143));
        assert_eq!(Notice::HangUp.exit_code(), Some(129));
        assert_eq!(Notice::GuardGone.exit_code(), Some(137));
        assert_eq!(Notice::Resized.exit_code(), None);
    }

    #[test]
    fn a_parent_that_never_was_is_a_broken_bond() {
        let parent = getppid().expect("tests are started by something");
        assert!(!Bond::new(GuardedBy(parent)).broken());
        assert!(Bond::new(GuardedBy(rustix::process::getpid())).broken());
    }
}
