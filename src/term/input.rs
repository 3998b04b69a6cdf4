//! What comes from the terminal: a thread that reads it and a parser that turns bytes into crossterm's events.
//!
//! crossterm's own reader spins on a terminal that hung up, gathers a paste of any length, and waits for ever for the
//! rest of a cut sequence. This one ends with the terminal, keeps what it holds bounded, and gives up on what does
//! not come.

mod parser;

pub use parser::{PASTE, Parser};

use super::modes;
use crossterm::event::Event;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// A sequence's bytes come together. What does not come so soon does not come: Esc was a key.
const REST: Duration = Duration::from_millis(50);

/// A paste may stutter over a slow line, but it does not hold the keyboard for ever.
const PASTE_REST: Duration = Duration::from_secs(1);

/// The reader, until dropped.
#[must_use = "dropping it ends the reading"]
pub struct Input {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

/// Starts reading the terminal. `tell` is called on the reader's thread: keys, mouse, pastes (cut at [`PASTE`]) and
/// focus; sizes come from the watchdog. The thread ends by itself when the terminal is gone.
///
/// # Errors
/// The kernel refused a thread or a file descriptor.
pub fn listen(mut tell: Box<dyn FnMut(Event) + Send>) -> io::Result<Input> {
    let tty = modes::reopen(rustix::stdio::stdin(), rustix::fs::OFlags::RDONLY)?;
    let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let stopped = Arc::clone(&stop);
    let read = move || {
        let mut parser = Parser::default();
        let mut bytes = [0; 4096];
        loop {
            match next(&tty, &stopped, patience(&parser), &mut bytes) {
                Next::Bytes(n) => parser.feed(&bytes[..n], &mut tell),
                Next::Nothing => parser.rest(&mut tell),
                Next::Over => break,
            }
        }
    };
    let thread = std::thread::Builder::new().name("input".into()).spawn(read)?;
    Ok(Input { stop, thread: Some(thread) })
}

impl Drop for Input {
    fn drop(&mut self) {
        rustix::io::write(&*self.stop, &1u64.to_ne_bytes()).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

enum Next {
    Bytes(usize),
    Nothing,
    Over,
}

fn patience(parser: &Parser) -> Option<Duration> {
    if parser.in_paste() { Some(PASTE_REST) } else { parser.in_sequence().then_some(REST) }
}

fn next(tty: &OwnedFd, stop: &OwnedFd, patience: Option<Duration>, bytes: &mut [u8]) -> Next {
    let mut fds = [PollFd::new(tty, PollFlags::IN), PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN)];
    let timeout = patience.map(modes::timespec);
    match poll(&mut fds, timeout.as_ref()) {
        Ok(0) => return Next::Nothing,
        Ok(_) => {}
        Err(Errno::INTR) => return Next::Bytes(0),
        Err(_) => return Next::Over,
    }
    let (tty_says, stop_says) = (fds[0].revents(), fds[1].revents());
    if !stop_says.is_empty() || tty_says.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return Next::Over;
    }
    match rustix::io::read(tty, bytes) {
        // In raw mode a terminal never reads as ended, unless it is.
        Ok(0) => Next::Over,
        Ok(n) => Next::Bytes(n),
        Err(Errno::AGAIN | Errno::INTR) => Next::Bytes(0),
        Err(_) => Next::Over,
    }
}
