//! What the terminal is asked to do at entry, and the one way back.
//!
//! Restoring must work from a panic hook, from another thread while the UI hangs in `write`, and on a terminal that is
//! gone: it takes no lock, formats nothing, waits a bounded time and ignores every error.

use super::job;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::termios::{OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Alternate screen, no cursor, bracketed paste, mouse buttons and wheel in SGR coordinates, a blank page.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1000h\x1b[?1006h\x1b[0m\x1b[2J\x1b[H";

/// The cursor's own shape. Apart, because consoles that do not know it print the `q`.
const SHAPE: &str = "\x1b[0 q";

/// Everything off that we, or a version of us, ever turn on: an unfinished frame, every mouse mode, paste and focus
/// reports; wrapping on, the cursor shown, plain writing, and last the main screen.
const LEAVE: &str = concat!(
    "\x1b[0 q\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l\x1b[?1006l",
    "\x1b[?2004l\x1b[?1004l\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l"
);

/// How long a way back waits for a terminal that takes no bytes.
const PATIENCE: Duration = Duration::from_millis(200);

static SAVED: OnceLock<Saved> = OnceLock::new();
static ENTERED: AtomicBool = AtomicBool::new(false);

/// What is needed to give a terminal back.
pub(super) struct Saved {
    termios: Termios,
    tty: OwnedFd,
    leave: &'static [u8],
}

impl Saved {
    /// Remembers how the terminal is set now.
    pub(super) fn take() -> io::Result<Self> {
        let leave = if super::depth::synchronized_updates() { LEAVE } else { &LEAVE[SHAPE.len()..] };
        Ok(Self {
            termios: tcgetattr(rustix::stdio::stdin())?,
            tty: reopen(rustix::stdio::stdout(), OFlags::WRONLY)?,
            leave: leave.as_bytes(),
        })
    }

    /// Puts the terminal back. Its line settings stay alone while the terminal belongs to somebody else: a shell that
    /// took it back has set its own.
    pub(super) fn reset(&self) {
        without_ttou(|| {
            if !write_patiently(self.tty.as_fd(), self.leave, PATIENCE) {
                // What nobody reads is in the way of what they need.
                tcflush(&self.tty, QueueSelector::OFlush).ok();
                write_patiently(self.tty.as_fd(), self.leave, PATIENCE);
            }
            let stdin = rustix::stdio::stdin();
            if !job::in_background() {
                // Not TCSAFLUSH: it waits until all output is read, which may be never.
                tcflush(stdin, QueueSelector::IFlush).ok();
                tcsetattr(stdin, OptionalActions::Now, &self.termios).ok();
            }
        });
    }

    /// The terminal's line settings are what they were.
    pub(super) fn unchanged(&self) -> bool {
        let Ok(now) = tcgetattr(rustix::stdio::stdin()) else { return true };
        let was = &self.termios;
        was.input_modes == now.input_modes
            && was.output_modes == now.output_modes
            && was.control_modes == now.control_modes
            && was.local_modes == now.local_modes
    }
}

/// Takes the terminal. May be called again after a stop. A program that was asked to end leaves it alone.
pub(super) fn enter() -> io::Result<()> {
    if !job::wait_for_foreground()? {
        return Ok(());
    }
    if SAVED.get().is_none() {
        drop(SAVED.set(Saved::take()?));
    }
    let Some(saved) = SAVED.get() else { return Err(Errno::NOTTY.into()) };
    let mut raw = saved.termios.clone();
    raw.make_raw();
    raw.special_codes[SpecialCodeIndex::VMIN] = 1;
    raw.special_codes[SpecialCodeIndex::VTIME] = 0;
    ENTERED.store(true, Ordering::Release);
    without_ttou(|| tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &raw)).inspect_err(|_| restore())?;
    if write_patiently(saved.tty.as_fd(), ENTER, Duration::from_secs(2)) {
        return Ok(());
    }
    restore();
    Err(io::Error::new(io::ErrorKind::TimedOut, "the terminal takes no output"))
}

/// Gives the terminal back as it was. Does nothing if it is not ours; never fails, never waits long.
pub fn restore() {
    if ENTERED.swap(false, Ordering::AcqRel)
        && let Some(saved) = SAVED.get()
    {
        saved.reset();
    }
}

/// The terminal is ours at the moment.
pub(super) fn entered() -> bool {
    ENTERED.load(Ordering::Acquire)
}

/// Says something on standard error, if it can be said without waiting long.
pub(super) fn say(text: &str) {
    write_patiently(rustix::stdio::stderr(), text.as_bytes(), PATIENCE);
}

/// A non-blocking way of its own to an open terminal: the flag would be shared by everybody who has it open
/// otherwise, the shell included. A terminal that may not be opened again (after `su`) is shared as it is.
pub(super) fn reopen(fd: BorrowedFd<'_>, access: OFlags) -> io::Result<OwnedFd> {
    use std::os::fd::AsRawFd;
    let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let own = format!("/proc/self/fd/{}", fd.as_raw_fd());
    rustix::fs::open(own.as_str(), flags, Mode::empty())
        .or_else(|_| rustix::fs::open("/dev/tty", flags, Mode::empty()))
        .map_or_else(|_| fd.try_clone_to_owned(), Ok)
}

/// Writes all of `bytes` or gives up after `patience`; true if all was written.
fn write_patiently(fd: BorrowedFd<'_>, mut bytes: &[u8], patience: Duration) -> bool {
    let until = Instant::now() + patience;
    while !bytes.is_empty() {
        if !wait_for(fd, PollFlags::OUT, until.saturating_duration_since(Instant::now())) {
            return false;
        }
        match rustix::io::write(fd, bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return false,
        }
    }
    true
}

/// Waits until `fd` is ready for `what`.
pub(super) fn wait_for(fd: BorrowedFd<'_>, what: PollFlags, patience: Duration) -> bool {
    let timeout = timespec(patience);
    let mut fds = [PollFd::from_borrowed_fd(fd, what)];
    matches!(retry_on_intr(|| poll(&mut fds, Some(&timeout))), Ok(1)) && fds[0].revents().contains(what)
}

/// A duration as the kernel writes it.
pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec::try_from(duration).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 })
}

/// A process in the background that sets the terminal is stopped by SIGTTOU, unless it blocks it.
fn without_ttou<T>(act: impl FnOnce() -> T) -> T {
    let ttou: SigSet = Signal::SIGTTOU.into();
    let before = ttou.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let result = act();
    if let Ok(before) = before {
        before.thread_set_mask().ok();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_set_is_reset() {
        let enter = std::str::from_utf8(ENTER).expect("escape sequences are ASCII");
        for mode in enter.split("\x1b[?").skip(1).filter_map(|rest| rest.split_once('h')).map(|(mode, _)| mode) {
            assert!(LEAVE.contains(&format!("\x1b[?{mode}l")) || mode == "25", "{mode}");
        }
        assert!(LEAVE.contains("\x1b[?25h"), "the cursor is shown");
        assert!(LEAVE.starts_with(SHAPE) && LEAVE.ends_with("\x1b[?1049l"));
    }

    #[test]
    fn a_reader_who_does_not_read_is_not_waited_for() {
        let (_reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::NONBLOCK).expect("a pipe");
        let flood = vec![0; 1 << 20];
        assert!(!write_patiently(writer.as_fd(), &flood, Duration::from_millis(20)));
    }
}
