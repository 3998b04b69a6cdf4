//! Standard output, which may be a pipe that nobody reads any more, a full disk, or a reader that does not read on.

use super::signals::Signals;
use super::{Done, regret};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// A pipe that is ready takes so many bytes without waiting (`PIPE_BUF`, pipe(7)).
const PIECE: usize = 4096;

/// How long a reader that does not read may hold up a run that a signal has ended.
const GRACE: Duration = Duration::from_secs(1);

/// Writes lines to standard output. An error is how the command ends.
pub(super) fn say(text: &str) -> Result<(), Done> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).map_err(unheard)
}

/// What it means that standard output takes nothing.
fn unheard(error: io::Error) -> Done {
    if error.kind() == ErrorKind::BrokenPipe {
        return Done::Signalled(libc::SIGPIPE.try_into().unwrap_or_default());
    }
    regret(&format!("standard output cannot be written: {error}"))
}

/// Standard output that a signal can interrupt, even while it waits for its reader.
pub(super) struct Out<'s> {
    signals: &'s Signals,
    signal: Option<u8>,
    hurry: Option<Instant>,
    silent: Option<Done>,
}

impl<'s> Out<'s> {
    pub(super) fn new(signals: &'s Signals) -> Self {
        Self { signals, signal: None, hurry: None, silent: None }
    }

    /// How the command ends, if a signal or the end of its output decides that.
    pub(super) fn ended(&mut self) -> Option<Done> {
        self.look();
        self.signal.map(Done::Signalled).or(self.silent)
    }

    /// Writes lines. `stop` is called, at most once, when a signal comes while the reader is waited for.
    pub(super) fn say(&mut self, text: &str, stop: &mut dyn FnMut()) {
        let line = [text.as_bytes(), b"\n"].concat();
        let mut left = &line[..];
        while !left.is_empty() && self.silent.is_none() {
            match self.ready(stop).and_then(|()| put(left)) {
                Ok(count) => left = &left[count..],
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                Err(error) if error.kind() == ErrorKind::TimedOut => self.silent = Some(Done::Failed),
                Err(error) => self.silent = Some(unheard(error)),
            }
        }
    }

    /// Waits until something can be written.
    fn ready(&mut self, stop: &mut dyn FnMut()) -> io::Result<()> {
        loop {
            let out = io::stdout();
            let out = PollFd::new(out.as_fd(), PollFlags::POLLOUT);
            let patience = match self.hurry {
                None => PollTimeout::NONE,
                Some(until) => until.saturating_duration_since(Instant::now()).try_into().unwrap_or(PollTimeout::ZERO),
            };
            let mut both = [out, self.signals.poll()];
            // Once a signal has come, the second would be ready for ever.
            let watched = if self.signal.is_some() { 1 } else { 2 };
            poll(&mut both[..watched], patience)?;
            let writable = both[0].any() == Some(true);
            if self.signal.is_none() && self.look() {
                stop();
            } else if writable {
                return Ok(());
            } else if self.hurry.is_some_and(|until| Instant::now() >= until) {
                return Err(ErrorKind::TimedOut.into());
            }
        }
    }

    /// Takes a signal that has come; true if it is the first.
    fn look(&mut self) -> bool {
        if self.signal.is_some() {
            return false;
        }
        self.signal = self.signals.take();
        self.hurry = self.signal.map(|_| Instant::now() + GRACE);
        self.signal.is_some()
    }
}

/// Writes what surely fits.
fn put(bytes: &[u8]) -> io::Result<usize> {
    Ok(nix::unistd::write(io::stdout(), &bytes[..bytes.len().min(PIECE)])?)
}
