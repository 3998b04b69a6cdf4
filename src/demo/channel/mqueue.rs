//! Message queues of POSIX (mq_overview(7)): messages keep their bounds, and lie in the kernel until they are taken.
//!
//! A queue has no end of file. Who hangs up leaves a mark in memory that both have, and an empty message, which wakes one that
//! sleeps; to one that waits for room it gives some.

use super::names::{leavings, unique};
use super::{Level, Line, Side, Unit, broken, ended, readable};
use crate::demo::area::Area;
use crate::fact::Unavailable;
use nix::errno::Errno;
use nix::mqueue::{MQ_OFlag, MqAttr, MqdT, mq_close, mq_getattr, mq_open, mq_receive, mq_send, mq_unlink};
use nix::sys::stat::Mode;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;

/// The longest message that an ordinary user may have, unless the machine says another.
const USUAL_SIZE: usize = 8192;

/// The messages that a queue has room for, if the machine allows so many.
const USUAL_ROOM: usize = 10;

/// A limit of the machine in /proc/sys/fs/mqueue, or what it usually is.
fn limit(name: &str, usual: usize) -> usize {
    let text = fs::read_to_string(Path::new("/proc/sys/fs/mqueue").join(name));
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(usual)
}

/// The longest message here: no more than usual, so that the range of a parameter is the same everywhere.
pub(super) fn most() -> usize {
    limit("msgsize_max", USUAL_SIZE).min(USUAL_SIZE)
}

/// A queue for each direction.
#[derive(Debug)]
pub(super) struct Mqueue {
    queues: [Queue; 2],
    /// A word for each side that has hung up.
    gone: Area,
    size: usize,
}

/// A queue, opened twice: to wait at, and not to (`O_NONBLOCK` belongs to the open description, which processes share).
#[derive(Debug)]
struct Queue {
    wait: Descriptor,
    now: Descriptor,
}

/// A descriptor of a queue, closed when it is dropped.
#[derive(Debug)]
struct Descriptor(Option<MqdT>);

impl Descriptor {
    /// # Errors
    /// EBADF; it is never closed before it is dropped.
    fn get(&self) -> Result<&MqdT, Errno> {
        self.0.as_ref().ok_or(Errno::EBADF)
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // It was open; the name went long ago.
        let _ = self.0.take().map(mq_close);
    }
}

impl Queue {
    /// A queue without a name: it is removed as soon as it is open.
    fn open(size: usize) -> Result<Self, Errno> {
        let name = format!("/{}", unique().map_err(|e| e.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?);
        let room = USUAL_ROOM.min(limit("msg_max", USUAL_ROOM));
        let attr = MqAttr::new(0, i64::try_from(room).unwrap_or(1), i64::try_from(size).unwrap_or(1), 0);
        let flags = MQ_OFlag::O_RDWR | MQ_OFlag::O_CLOEXEC;
        let make = flags | MQ_OFlag::O_CREAT | MQ_OFlag::O_EXCL;
        let wait = mq_open(name.as_str(), make, Mode::S_IRUSR | Mode::S_IWUSR, Some(&attr))?;
        let wait = Descriptor(Some(wait));
        let now = mq_open(name.as_str(), flags | MQ_OFlag::O_NONBLOCK, Mode::empty(), None);
        mq_unlink(name.as_str())?;
        Ok(Self { wait, now: Descriptor(Some(now?)) })
    }
}

impl Mqueue {
    /// Two queues for messages of `size` bytes at most.
    ///
    /// # Errors
    /// The kernel's refusal, and what would help.
    pub(super) fn open(size: usize) -> Result<Self, Unavailable> {
        sweep();
        let queues = Queue::open(size).and_then(|there| Ok([there, Queue::open(size)?])).map_err(refused)?;
        let gone = Area::shared(1).map_err(|e| Unavailable::new("a shared page", e.to_string()))?;
        Ok(Self { queues, gone, size })
    }

    fn to(&self, side: Side) -> &Queue {
        &self.queues[side.index()]
    }

    fn is_gone(&self, side: Side) -> bool {
        self.gone.word_of(0, side.index()).load(SeqCst) != 0
    }
}

/// Removes the names that killed programs have left, where they can be listed.
fn sweep() {
    for left in leavings(Path::new("/dev/mqueue")) {
        if let Some(name) = left.file_name().and_then(|name| name.to_str()) {
            let _ = mq_unlink(format!("/{name}").as_str());
        }
    }
}

fn refused(errno: Errno) -> Unavailable {
    let (why, remedy) = match errno {
        Errno::ENOSYS => ("this kernel has none", "It takes a kernel with CONFIG_POSIX_MQUEUE"),
        Errno::EMFILE => (
            "no more memory for queues, or no more descriptors, for this user",
            "Raise the bounds (ulimit -q, ulimit -n), or remove queues: ls /dev/mqueue",
        ),
        Errno::ENOSPC => ("the machine has as many queues as it may", "Raise /proc/sys/fs/mqueue/queues_max"),
        Errno::EINVAL => (
            "the messages are longer, or more, than this machine allows",
            "See /proc/sys/fs/mqueue/msgsize_max, msg_max",
        ),
        Errno::EACCES | Errno::EPERM => ("it is not allowed here", "A container's seccomp filter may forbid mq_open"),
        _ => (errno.desc(), "See mq_open(3)"),
    };
    Unavailable::new("a message queue", format!("{why} ({errno:?})")).remedy(remedy)
}

impl Line for Mqueue {
    fn send(&self, from: Side, message: &[u8]) -> io::Result<usize> {
        let queue = self.to(from.other()).wait.get()?;
        loop {
            if self.is_gone(from.other()) {
                return Err(broken());
            }
            match mq_send(queue, message, 0) {
                Ok(()) => return Ok(message.len()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn receive(&self, at: Side, into: &mut [u8]) -> io::Result<usize> {
        let queue = self.to(at).wait.get()?;
        // The kernel wants room for the longest message that the queue may have (EMSGSIZE).
        let mut room = vec![0; if into.len() < self.size { self.size } else { 0 }];
        let short = !room.is_empty();
        loop {
            if self.is_gone(at.other()) && mq_getattr(queue)?.curmsgs() == 0 {
                return Err(ended());
            }
            let buffer = if short { &mut room[..] } else { &mut *into };
            match mq_receive(queue, buffer, &mut 0) {
                Ok(0) => return Err(ended()),
                Ok(bytes) if bytes == into.len() => {
                    if short {
                        into.copy_from_slice(&room[..bytes]);
                    }
                    return Ok(bytes);
                }
                Ok(bytes) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a message of {bytes} bytes")));
                }
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn wait(&self, at: Side) -> io::Result<()> {
        // On Linux it is a descriptor like others (mq_overview(7)).
        readable(self.to(at).wait.get()?)
    }

    fn level(&self, to: Side) -> Option<Level> {
        let attr = mq_getattr(self.to(to).now.get().ok()?).ok()?;
        let number = |n| u64::try_from(n).ok();
        Some(Level { now: number(attr.curmsgs())?, capacity: number(attr.maxmsg()), unit: Unit::Messages })
    }

    fn hang_up(&self, side: Side) {
        if self.gone.word_of(0, side.index()).swap(1, SeqCst) != 0 {
            return;
        }
        // Where the queue is full nobody sleeps that waits for a message; who comes later sees the mark.
        if let Ok(queue) = self.to(side.other()).now.get() {
            let _ = mq_send(queue, &[], 0);
        }
        if let Ok(queue) = self.to(side).now.get() {
            let _ = mq_receive(queue, &mut vec![0; self.size], &mut 0);
        }
    }
}
