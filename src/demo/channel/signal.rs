//! Real-time signals that carry a value (signal(7)): unlike others they queue, and each brings a word. They are sent to one
//! thread, which has them blocked and takes them from a descriptor (signalfd(2)): no handler runs.
//!
//! Who talks to whom is known when both have taken their sides; a message to one that has not waits. A process is addressed
//! by a pidfd, so that its number cannot have become somebody else's; a thread is one of this process's own.

use super::{Level, Line, Side, Unit, broken, ended, readable};
use crate::demo::area::{Area, Bells};
use crate::demo::glance::Glance;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::process::{PidfdFlags, pidfd_open};
use rustix::thread::futex;
use std::io;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;

/// Instead of a thread's number: the side has hung up.
const GONE: u32 = u32::MAX;

/// How many signals more than there are now may wait, of all that this user has.
const ROOM: u64 = 32;

/// Bells: the thread that is the left side, and the right; who sends and waits for room, towards each.
const WAITS: usize = 2;

/// Words of the page: how many signals were ever sent to each side, how many it took, its process and when
/// that was started.
const SENT: usize = 0;
const TAKEN: usize = 2;
const PROCESS: usize = 4;
const STARTED: usize = 6;

/// The signal that carries a message, and the one that says that no more will come. The lower number is delivered first.
fn data() -> i32 {
    libc::SIGRTMIN() + 1
}

fn no_more() -> i32 {
    libc::SIGRTMIN() + 2
}

/// What the kernel is told of a signal that is queued with a value: `siginfo_t` as of rt_tgsigqueueinfo(2).
#[repr(C)]
struct Info {
    number: i32,
    errno: i32,
    code: i32,
    sender: Sender,
    rest: [u64; 12],
}

/// The part that SI_QUEUE has. It is aligned as its value is, on every architecture.
#[repr(C)]
struct Sender {
    pid: i32,
    uid: u32,
    value: usize,
}

#[derive(Debug)]
pub(super) struct Signals {
    counts: Area,
    bells: Bells,
    inbox: SignalFd,
    /// The other's process, where it is another.
    peers: [OnceLock<OwnedFd>; 2],
}

impl Signals {
    /// # Errors
    /// The kernel's refusal of memory or of a descriptor.
    pub(super) fn open() -> io::Result<Self> {
        keep_within_bounds()?;
        // It gives each reader the signals of that reader, also in a child to which it was left (signalfd(2), fork).
        let inbox = SignalFd::with_flags(&both(), SfdFlags::SFD_CLOEXEC)?;
        let peers = [const { OnceLock::new() }; 2];
        Ok(Self { counts: Area::shared(1)?, bells: Bells::shared()?, inbox, peers })
    }

    fn count(&self, first: usize, side: Side) -> &std::sync::atomic::AtomicU64 {
        self.counts.word_of(0, first + side.index())
    }

    /// The thread that is `side`, once it is known; none if it has hung up.
    fn thread(&self, side: Side) -> Option<u32> {
        let bell = self.bells.bell(side.index());
        loop {
            match bell.load(SeqCst) {
                0 => drop(futex::wait(bell, futex::Flags::empty(), 0, None)),
                GONE => return None,
                tid => return Some(tid),
            }
        }
    }

    /// Queues a signal for the thread that is `side`.
    fn queue(&self, side: Side, tid: u32, number: i32, value: usize) -> io::Result<()> {
        let pid = self.count(PROCESS, side).load(SeqCst);
        let own = std::process::id();
        let uid = rustix::process::getuid().as_raw();
        let sender = Sender { pid: own.cast_signed(), uid, value };
        let info = Info { number, errno: 0, code: libc::SI_QUEUE, sender, rest: [0; 12] };
        if pid == u64::from(own) {
            // SAFETY: the kernel reads `info`, which is as long as a siginfo_t. The signal goes to a thread of this process
            // or to none (ESRCH), and whoever took the side has it blocked.
            #[expect(unsafe_code, reason = "rt_tgsigqueueinfo(2) has no safe wrapper")]
            let answer = unsafe { libc::syscall(libc::SYS_rt_tgsigqueueinfo, own, tid, number, &raw const info) };
            return if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
        }
        let peer = self.peer(side, tid)?;
        // SAFETY: the kernel reads `info`, as above, and sends to the process that the descriptor stands for and to no other.
        #[expect(unsafe_code, reason = "pidfd_send_signal(2) with a value has no safe wrapper")]
        let answer =
            unsafe { libc::syscall(libc::SYS_pidfd_send_signal, peer.as_raw_fd(), number, &raw const info, 0) };
        if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn peer(&self, side: Side, tid: u32) -> io::Result<&OwnedFd> {
        let slot = &self.peers[side.index()];
        if let Some(peer) = slot.get() {
            return Ok(peer);
        }
        let pid = i32::try_from(tid).ok().and_then(rustix::process::Pid::from_raw).ok_or_else(broken)?;
        let peer = pidfd_open(pid, PidfdFlags::empty())?;
        // It lived when it took its side; if it has ended since, the number may be somebody else's. While this descriptor is
        // open, what /proc says is of the process that it stands for, or of none.
        let started = Glance::at(tid).map(|process| process.started);
        if started != Some(self.count(STARTED, side).load(SeqCst)) {
            return Err(broken());
        }
        Ok(slot.get_or_init(|| peer))
    }

    /// Says which thread is `side`, from the thread itself, which blocks the signals first.
    fn come(&self, side: Side) -> io::Result<()> {
        both().thread_block()?;
        let tid = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
        let pid = std::process::id();
        let own = Glance::at(pid).ok_or_else(|| io::Error::other("/proc is not mounted"))?;
        self.count(PROCESS, side).store(pid.into(), SeqCst);
        self.count(STARTED, side).store(own.started, SeqCst);
        let bell = self.bells.bell(side.index());
        if bell.compare_exchange(0, tid, SeqCst, SeqCst).is_ok() {
            let _ = futex::wake(bell, futex::Flags::empty(), 1);
        }
        Ok(())
    }
}

/// Lowers this process's bound on signals that wait, and with it that of the workers: all programs of a user have one queue
/// (`RLIMIT_SIGPENDING`, getrlimit(2)), and who fills it takes from every other the room for its signals and timers.
fn keep_within_bounds() -> io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_SIGPENDING)?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let queued =
        status.lines().find_map(|line| line.strip_prefix("SigQ:")?.split('/').next()?.trim().parse::<u64>().ok());
    let bound = queued.unwrap_or(0).saturating_add(ROOM);
    setrlimit(Resource::RLIMIT_SIGPENDING, bound.min(soft), hard)?;
    Ok(())
}

/// Both signals as a set. The types for signals know no real-time ones.
fn both() -> SigSet {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` makes a whole set of it, and the two numbers are signals on every Linux.
    #[expect(unsafe_code, reason = "a set with real-time signals has no safe constructor")]
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), data());
        libc::sigaddset(set.as_mut_ptr(), no_more());
        SigSet::from_sigset_t_unchecked(set.assume_init())
    }
}

impl Line for Signals {
    fn send(&self, from: Side, message: &[u8]) -> io::Result<usize> {
        let to = from.other();
        let mut value = [0; size_of::<usize>()];
        let bytes = value.get_mut(..message.len()).ok_or_else(|| io::Error::from_raw_os_error(libc::EMSGSIZE))?;
        bytes.copy_from_slice(message);
        let waits = self.bells.bell(WAITS + to.index());
        loop {
            let tid = self.thread(to).ok_or_else(broken)?;
            self.count(SENT, to).fetch_add(1, SeqCst);
            let Err(error) = self.queue(to, tid, data(), usize::from_ne_bytes(value)) else { return Ok(message.len()) };
            self.count(SENT, to).fetch_sub(1, SeqCst);
            match error.raw_os_error() {
                // The user's queue is full (RLIMIT_SIGPENDING), be it with others' signals: so there is an end to the sleep.
                Some(libc::EAGAIN) => {
                    waits.store(1, SeqCst);
                    let while_full = rustix::time::Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
                    let _ = futex::wait(waits, futex::Flags::empty(), 1, Some(&while_full));
                }
                Some(libc::ESRCH) => return Err(broken()),
                _ => return Err(error),
            }
        }
    }

    fn receive(&self, at: Side, into: &mut [u8]) -> io::Result<usize> {
        if into.len() > size_of::<usize>() {
            return Err(io::Error::from_raw_os_error(libc::EMSGSIZE));
        }
        loop {
            let over = self.bells.bell(at.other().index()).load(SeqCst) == GONE;
            if over && self.count(SENT, at).load(SeqCst) <= self.count(TAKEN, at).load(SeqCst) {
                return Err(ended());
            }
            match self.inbox.read_signal() {
                Ok(Some(info)) if info.ssi_signo.cast_signed() == data() => {
                    self.count(TAKEN, at).fetch_add(1, SeqCst);
                    let waits = self.bells.bell(WAITS + at.index());
                    if waits.load(SeqCst) != 0 {
                        waits.store(0, SeqCst);
                        let _ = futex::wake(waits, futex::Flags::empty(), 1);
                    }
                    let value = usize::try_from(info.ssi_ptr).map_err(io::Error::other)?.to_ne_bytes();
                    into.copy_from_slice(&value[..into.len()]);
                    return Ok(into.len());
                }
                Ok(Some(_)) => return Err(ended()),
                Ok(None) | Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn wait(&self, at: Side) -> io::Result<()> {
        debug_assert!(self.bells.bell(at.index()).load(SeqCst) != 0, "nobody has taken this side");
        readable(&self.inbox)
    }

    fn level(&self, to: Side) -> Option<Level> {
        let now = self.count(SENT, to).load(SeqCst).saturating_sub(self.count(TAKEN, to).load(SeqCst));
        let capacity = getrlimit(Resource::RLIMIT_SIGPENDING).ok().map(|(soft, _)| soft);
        Some(Level { now, capacity: capacity.filter(|n| *n != libc::RLIM_INFINITY), unit: Unit::Messages })
    }

    fn take(&self, side: Side) -> io::Result<()> {
        self.come(side)
    }

    fn hang_up(&self, side: Side) {
        let bell = self.bells.bell(side.index());
        if bell.swap(GONE, SeqCst) == GONE {
            return;
        }
        let _ = futex::wake(bell, futex::Flags::empty(), 1);
        let peer = self.bells.bell(side.other().index()).load(SeqCst);
        if peer != 0 && peer != GONE {
            // Who has ended meanwhile need not know.
            let _ = self.queue(side.other(), peer, no_more(), 0);
        }
    }
}
