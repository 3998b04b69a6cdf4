//! The ways in which processes, and threads, talk: two sides and a message that goes from one to the other whole, by a
//! mechanism of the kernel or through memory that both have. For demos about them; knows no demo.
//!
//! A [`Link`] is opened by the leader before its workers come on. Processes inherit it by `fork`, threads share it in an
//! `Arc`. Each worker says first which side it is ([`Link::take`]). Then it sends and receives whole messages, and sleeps in
//! the kernel for as long as it must: there is no timeout, and nothing spins.
//!
//! # How those end that wait
//! [`Link::hang_up`] ends a side. The other side's `receive` then gives what is still there and after it `UnexpectedEof`,
//! its `send` gives `BrokenPipe`, and one that sleeps in either is woken. Who leaves on `Worker::HALT` hangs up its own side.
//!
//! A process that is killed hangs up nothing. Its pipes and sockets are closed for it, but the leader has copies of their
//! ends as long as it keeps the link: so the leader hangs up for it on `Cue::Ended`, or lets go of its copies at the
//! beginning ([`Link::leave`]). A message queue, a signal and shared memory have no end of file at all: for those the
//! leader must hang up. At its own end it calls [`Link::close`] before it sends the workers off.
//!
//! Whatever process has copies of a side's ends keeps it from ending: one that is forked while several links are open takes
//! its side of one and leaves all others.
//!
//! If both sides wait for the other and neither hears its order, a process is ended by the stage with SIGKILL after a second,
//! and nothing of any way outlives it.

mod mqueue;
mod names;
mod queue;
mod ring;
mod rpc;
mod signal;
mod stream;
#[cfg(test)]
mod tests;

use crate::fact::{As, Unavailable};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use std::fmt::Debug;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// A way to talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Way {
    /// pipe(7), one for each direction.
    Pipe,
    /// fifo(7): a pipe with a name, which is gone as soon as both ends are open.
    Fifo,
    /// A pair of stream sockets of unix(7).
    Socket,
    /// tcp(7) over 127.0.0.1, at a port that the kernel chose.
    Tcp,
    /// Two queues of mq_overview(7).
    Mqueue,
    /// A ring in shared memory, and futex(2) to sleep.
    Shm,
    /// A real-time signal that carries a value (sigqueue(3)), sent to one thread.
    Signal,
    /// A call and its reply, marshalled, over a stream socket.
    Rpc,
    /// A queue with a mutex and a condition variable in the memory that threads have in common. For threads only.
    Queue,
}

/// One of the two that talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Left,
    Right,
}

impl Side {
    /// The one that it talks to.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    fn index(self) -> usize {
        usize::from(self == Self::Right)
    }
}

/// What lies between the two sides and has not been received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    /// How much now.
    pub(super) now: u64,
    /// How much there is room for, as the kernel says; none where it says nothing. For sockets that is memory, of which each
    /// piece of a message needs more than its own bytes (socket(7), `SO_SNDBUF`).
    pub(super) capacity: Option<u64>,
    /// Of what.
    pub(super) unit: Unit,
}

/// What a level is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    Messages,
}

impl Unit {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Messages => "messages",
        }
    }
}

impl Way {
    /// All of them.
    pub(super) const ALL: [Self; 9] = [
        Self::Pipe,
        Self::Fifo,
        Self::Socket,
        Self::Tcp,
        Self::Mqueue,
        Self::Shm,
        Self::Signal,
        Self::Rpc,
        Self::Queue,
    ];

    /// Its name in parameters and tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
            Self::Tcp => "tcp",
            Self::Mqueue => "mqueue",
            Self::Shm => "shm",
            Self::Signal => "signal",
            Self::Rpc => "rpc",
            Self::Queue => "queue",
        }
    }

    /// The most bytes of one message. A signal carries a word, `sizeof(sigval)`. A queue's messages have a bound of the
    /// machine (`/proc/sys/fs/mqueue/msgsize_max`); the others have none, and a mebibyte is enough here.
    pub(super) fn most(self) -> usize {
        match self {
            Self::Signal => size_of::<usize>(),
            Self::Mqueue => mqueue::most(),
            _ => 1 << 20,
        }
    }

    /// Opens both directions, for messages of `size` bytes. The queues of [`Way::Mqueue`] take none that are longer; to the
    /// others a message may have any size up to [`Way::most`].
    ///
    /// # Errors
    /// What the machine refused, with the errno; a message of nothing or of more than [`Way::most`]; a queue between
    /// processes.
    pub(super) fn open(self, what: As, size: usize) -> Result<Link, Unavailable> {
        if size == 0 || size > self.most() {
            let why = format!("a message there has 1 to {} bytes, not {size}", self.most());
            return Err(Unavailable::new(format!("a message by {}", self.name()), why));
        }
        let refused =
            |error: io::Error| Unavailable::new(format!("a way to talk by {}", self.name()), error.to_string());
        let line: Box<dyn Line> = match self {
            Self::Pipe => Box::new(stream::pipes(what).map_err(refused)?),
            Self::Fifo => Box::new(stream::fifos(what).map_err(refused)?),
            Self::Socket => Box::new(stream::sockets(what).map_err(refused)?),
            Self::Tcp => Box::new(stream::tcp(what)?),
            Self::Mqueue => Box::new(mqueue::Mqueue::open(size)?),
            Self::Shm => Box::new(ring::Ring::open().map_err(refused)?),
            Self::Signal => Box::new(signal::Signals::open().map_err(refused)?),
            Self::Rpc => Box::new(rpc::Rpc::new(stream::sockets(what).map_err(refused)?)),
            Self::Queue if what == As::Processes => {
                let why = "it lies in the memory of one process, and another process has a copy of its own";
                return Err(Unavailable::new("a queue between processes", why).remedy("Threads have one in common"));
            }
            Self::Queue => Box::new(queue::Queue::new()),
        };
        Ok(Link { line, moved: [const { AtomicU64::new(0) }; 2] })
    }
}

/// What each way can do. A call that moves bytes between a user's memory and the kernel says how many.
trait Line: Debug + Send + Sync {
    /// Sends the whole message; how many of its bytes the kernel took out of the sender's memory.
    fn send(&self, from: Side, message: &[u8]) -> io::Result<usize>;

    /// Receives a whole message; how many of its bytes the kernel put into the receiver's memory.
    fn receive(&self, at: Side, into: &mut [u8]) -> io::Result<usize>;

    /// Sleeps until something is there for `at`, or nothing will be; takes nothing.
    fn wait(&self, at: Side) -> io::Result<()>;

    fn level(&self, to: Side) -> Option<Level>;

    /// This task is `side`.
    fn take(&self, _side: Side) -> io::Result<()> {
        Ok(())
    }

    /// This process, one of several, is neither side.
    fn leave(&self) {}

    fn hang_up(&self, side: Side);
}

/// Two sides that can talk, in both directions. See the module for how that ends.
#[derive(Debug)]
pub(super) struct Link {
    line: Box<dyn Line>,
    moved: [AtomicU64; 2],
}

impl Link {
    /// To be called by each worker first: it is `side`, and the only one. In a process it closes what belongs to the other
    /// side, so that an end of file can come. A broken pipe becomes an error of the call and not the end of the process: it
    /// blocks SIGPIPE. A signal's receiver blocks the signals and says who it is.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub(super) fn take(&self, side: Side) -> io::Result<()> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGPIPE);
        set.thread_block()?;
        self.line.take(side)
    }

    /// To be called by a leader of processes that does not need [`Link::level`]: it closes its copies of the ends, so that
    /// the end of a worker is an end of file to the other at once. Does nothing where the workers are threads.
    pub(super) fn leave(&self) {
        self.line.leave();
    }

    /// Sends the whole message, however long that takes.
    ///
    /// # Errors
    /// `BrokenPipe` if the other side is gone, and what the kernel refuses.
    pub(super) fn send(&self, from: Side, message: &[u8]) -> io::Result<()> {
        let moved = self.line.send(from, message)?;
        self.moved[from.index()].fetch_add(moved as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Receives a whole message of `into.len()` bytes, however long that takes.
    ///
    /// # Errors
    /// `UnexpectedEof` if the other side is gone and has left none, and what the kernel refuses.
    pub(super) fn receive(&self, at: Side, into: &mut [u8]) -> io::Result<usize> {
        let moved = self.line.receive(at, into)?;
        self.moved[at.index()].fetch_add(moved as u64, Ordering::Relaxed);
        Ok(into.len())
    }

    /// Sleeps until something can be received, without receiving it, or until the other side is gone: poll(2), where there
    /// is a descriptor.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub(super) fn wait(&self, at: Side) -> io::Result<()> {
        self.line.wait(at)
    }

    /// What lies between the sides on the way to `to`, at this moment. None if this process has no end to ask at.
    pub(super) fn level(&self, to: Side) -> Option<Level> {
        self.line.level(to)
    }

    /// Bytes of messages that `side` has had moved by the kernel, out of its memory or into it: what its calls returned. A
    /// process knows only its own.
    pub(super) fn moved(&self, side: Side) -> u64 {
        self.moved[side.index()].load(Ordering::Relaxed)
    }

    /// Ends `side`: the other is told, and woken if it sleeps. Whoever it is that calls; a second time it does nothing.
    pub(super) fn hang_up(&self, side: Side) {
        self.line.hang_up(side);
    }

    /// Ends both sides.
    pub(super) fn close(&self) {
        self.hang_up(Side::Left);
        self.hang_up(Side::Right);
    }
}

/// Sleeps until a descriptor can be read from, or will never again have anything to read.
fn readable(fd: impl AsFd) -> io::Result<()> {
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    loop {
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// The other side is gone: for who sends.
fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the other side has hung up (EPIPE)")
}

/// The other side is gone: for who receives.
fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the other side has hung up (end of file)")
}
