//! The terminal's other end: an emulator that reads all that the program writes, keeps it, and answers what is asked.

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::stat::Mode;
use nix::unistd::{read, write};
use std::num::NonZeroU16;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// How often the reader looks up from the terminal.
const LOOK: Duration = Duration::from_millis(20);

/// A new terminal: its master's end and its slave's, neither of which any program inherits. `openpty` cannot promise
/// that beside threads that fork, and a master that somebody still holds is never hung up.
pub(super) fn terminal(size: (u16, u16)) -> nix::Result<(OwnedFd, OwnedFd)> {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let slave = open(ptsname_r(&master)?.as_str(), OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC, Mode::empty())?;
    resize(&master, size)?;
    Ok((OwnedFd::from(master), slave))
}

/// Tells the kernel, and by SIGWINCH the program, how large the terminal is.
#[expect(unsafe_code, reason = "TIOCSWINSZ")]
pub(super) fn resize(terminal: &impl AsFd, (columns, rows): (u16, u16)) -> nix::Result<()> {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the kernel reads one `winsize`, which outlives the call.
    Errno::result(unsafe { libc::ioctl(terminal.as_fd().as_raw_fd(), libc::TIOCSWINSZ, &raw const size) }).map(drop)
}

/// The emulator that the terminal's bytes go to.
pub(super) struct Screen {
    seen: Mutex<Seen>,
    /// Something was read.
    pub(super) changed: Condvar,
    /// The reader is to end.
    pub(super) stop: AtomicBool,
    /// The reader is to leave what is written where it is.
    pub(super) hold: AtomicBool,
}

/// What was read so far.
pub(super) struct Seen {
    /// What it came to.
    pub(super) emulator: vt100::Parser<Answers>,
    /// Byte for byte.
    pub(super) log: Vec<u8>,
}

/// What a terminal says to the questions that programs ask it.
pub(super) struct Answers {
    waiting: Vec<u8>,
    answers: bool,
}

impl vt100::Callbacks for Answers {
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        mark: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        end: char,
    ) {
        let first = params.first().and_then(|p| p.first()).copied().unwrap_or(0);
        let answer = match (mark, first, end) {
            (None, 6, 'n') => {
                let (row, column) = screen.cursor_position();
                format!("\x1b[{};{}R", row + 1, column + 1)
            }
            (None, 0, 'c') => "\x1b[?62;22c".to_owned(),
            _ => return,
        };
        if self.answers {
            self.waiting.extend(answer.into_bytes());
        }
    }
}

impl Screen {
    /// An empty one, which answers questions or does not.
    pub(super) fn new((columns, rows): (u16, u16), answers: bool) -> Self {
        let (rows, columns) = (at_least_one(rows), at_least_one(columns));
        let answers = Answers { waiting: Vec::new(), answers };
        let emulator = vt100::Parser::new_with_callbacks(rows, columns, 0, answers);
        let seen = Mutex::new(Seen { emulator, log: Vec::new() });
        Self { seen, changed: Condvar::new(), stop: AtomicBool::new(false), hold: AtomicBool::new(false) }
    }

    /// What was read. Nothing more is while this is held.
    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("nothing panics while it holds the screen")
    }

    /// Reads the terminal until it is closed or the test is over.
    pub(super) fn follow(&self, master: &OwnedFd) {
        let mut buffer = [0; 16 * 1024];
        while !self.stop.load(Ordering::Relaxed) {
            if self.hold.load(Ordering::Relaxed) {
                thread::sleep(LOOK);
                continue;
            }
            ready(master, PollFlags::POLLIN, LOOK);
            // Read under the lock: whoever holds it and finds the terminal empty has seen everything.
            let mut seen = self.seen();
            match read(master, &mut buffer) {
                Ok(0) | Err(Errno::EIO) => break,
                Ok(length) => seen.take(&buffer[..length]),
                Err(_) => {}
            }
            let answer = std::mem::take(&mut seen.emulator.callbacks_mut().waiting);
            drop(seen);
            self.changed.notify_all();
            if !answer.is_empty() {
                // A program that asks and does not read loses the answer, as on any terminal.
                let _ = write(master, &answer);
            }
        }
    }
}

impl Seen {
    fn take(&mut self, bytes: &[u8]) {
        self.log.extend_from_slice(bytes);
        self.emulator.process(bytes);
    }
}

/// The emulator knows no size of nothing; the kernel does.
pub(super) fn at_least_one(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN)
}

/// Waits until `fd` can do what is asked or the time is over; whether it can.
pub(super) fn ready(fd: &impl AsFd, what: PollFlags, time: Duration) -> bool {
    let time = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
    poll(&mut [PollFd::new(fd.as_fd(), what)], time).is_ok_and(|ready| ready > 0)
}
