//! The warden: a small single-threaded process between the program and a demo, which ends everything below it.
//!
//! It is a subreaper in a session of its own. It stops the tree when it is told to, when its pipe to the program ends,
//! when the leader has ended, and when a bound is passed. It knows no demo.

use super::cast::{Ended, exit_fact};
use super::launch::{again, default_signals, spawn};
use super::wire::{Lines, Order, Word, line};
use super::{Role, adopt_orphans, tree};
use crate::fact::{Fact, Limits, Pid};
use anyhow::Context;
use nix::cmsg_space;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use rustix::fd::AsRawFd;
use rustix::process::Signal as Sig;
use std::io::{ErrorKind, IoSliceMut, Write};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Between TERM and KILL.
const GRACE: Duration = Duration::from_millis(300);

/// How often the bounds are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// After this a sweep gives up (a task in uninterruptible sleep cannot be killed) and says so.
const SWEEP: Duration = Duration::from_secs(5);

/// Runs as the warden until the tree is empty. The exit code is the process's.
#[must_use]
pub fn run() -> u8 {
    match Warden::start() {
        Ok(Some(mut warden)) => {
            warden.watch();
            0
        }
        Ok(None) => 0,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            1
        }
    }
}

struct Warden {
    control: Lines<UnixStream>,
    voice: Voice,
    signals: SignalFd,
    leader: Pid,
    limits: Limits,
    stop: Stop,
    /// The tree is to stand still.
    frozen: bool,
}

/// How far the ending has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Nobody wants it.
    No,
    /// TERM was sent; KILL follows at this moment.
    Grace(Instant),
}

impl Warden {
    fn start() -> anyhow::Result<Option<Self>> {
        default_signals();
        let _ = rustix::process::setsid();
        adopt_orphans().context("cannot adopt orphans")?;
        let _ = rustix::thread::set_name(c"forklore warden");
        let mut set = SigSet::empty();
        set.extend([Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT]);
        set.thread_block().context("cannot block signals")?;
        let signals = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let control = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        let fds = receive(&control)?;
        let mut voice = Voice { to: control.try_clone()?, unsaid: Vec::new() };
        let mut control = Lines::new(control);
        let Ok(limits) = control.wait() else { return Ok(None) };
        let limits = serde_json::from_slice(&limits).context("the limits")?;
        match raise(fds) {
            Ok(pid) => {
                voice.say(&Word::Leader { pid: pid.0 });
                control.get_ref().set_nonblocking(true)?;
                Ok(Some(Self { control, voice, signals, leader: pid, limits, stop: Stop::No, frozen: false }))
            }
            Err(why) => {
                voice.say(&Word::Failed { why: why.to_string() });
                Ok(None)
            }
        }
    }

    /// Until the tree is empty: orders, ends, bounds.
    fn watch(&mut self) {
        let mut left_behind = 0;
        let mut look = Instant::now() + LOOK;
        loop {
            self.wait(look);
            self.voice.flush();
            let mut orders = Vec::new();
            self.control.drain(usize::MAX, |line| orders.extend(serde_json::from_slice::<Order>(line)));
            orders.extend(self.control.ended().then_some(Order::Stop));
            while let Ok(Some(signal)) = self.signals.read_signal() {
                orders.extend((signal.ssi_signo != Signal::SIGCHLD as u32).then_some(Order::Stop));
            }
            orders.into_iter().for_each(|order| self.obey(order));
            if self.reap() {
                // When everybody was told to end, whoever ends after the leader was not left behind by it.
                if self.stop == Stop::No {
                    left_behind = tree::below(Pid(std::process::id())).len() as u64;
                }
                break;
            }
            let now = Instant::now();
            if matches!(self.stop, Stop::Grace(until) if now >= until) {
                break;
            }
            if now >= look {
                look = now + LOOK;
                self.look();
            }
        }
        self.end(left_behind);
    }

    fn wait(&self, look: Instant) {
        let until = if let Stop::Grace(until) = self.stop { until.min(look) } else { look };
        let patience = until.saturating_duration_since(Instant::now()) + Duration::from_micros(999);
        let ready = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let control = self.control.get_ref().as_fd();
        let both = [ready(self.signals.as_fd()), ready(control)];
        // A closed pipe is readable for ever; once it is known it is not asked again.
        let mut fds = if self.control.ended() { both[..1].to_vec() } else { both.to_vec() };
        let _ = poll(&mut fds, PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO));
    }

    fn obey(&mut self, order: Order) {
        let own = Pid(std::process::id());
        match order {
            Order::Stop if self.stop == Stop::No => {
                tree::signal_below(own, Sig::TERM);
                // A stopped process gets its TERM when it goes on.
                tree::signal_below(own, Sig::CONT);
                self.stop = Stop::Grace(Instant::now() + GRACE);
                self.frozen = false;
            }
            Order::Stop => {}
            Order::Freeze => {
                tree::signal_below(own, Sig::STOP);
                self.frozen = self.stop == Stop::No;
            }
            Order::Thaw => {
                tree::signal_below(own, Sig::CONT);
                self.frozen = false;
            }
        }
    }

    /// Takes every wait status there is; true if the leader's was among them.
    fn reap(&mut self) -> bool {
        let flags = WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED | WaitPidFlag::WCONTINUED;
        let mut leader_ended = false;
        loop {
            match waitpid(None, Some(flags)) {
                Ok(WaitStatus::StillAlive) => return leader_ended,
                // No child at all: the leader was reaped by an earlier call.
                Err(nix::Error::ECHILD) => return true,
                Err(_) => {}
                Ok(status) => {
                    leader_ended |= self.tell(status);
                }
            }
        }
    }

    /// Passes a wait status on; true if it is the leader's end.
    fn tell(&mut self, status: WaitStatus) -> bool {
        let Some(word) = word(status) else { return false };
        self.voice.say(&word);
        matches!(word, Word::Exit { pid, .. } if pid == self.leader.0)
    }

    /// Compares the tree with its bounds, and stops in it what is new and should rest.
    fn look(&mut self) {
        if self.frozen {
            // Who was told to stop in the middle of fork(2) stops after it, and its child was not there to be told.
            tree::signal_below(Pid(std::process::id()), Sig::STOP);
        }
        let (tasks, bytes) = tree::weigh(&tree::below(Pid(std::process::id())));
        let what = if tasks > self.limits.tasks {
            format!("{tasks} tasks, more than the {} allowed", self.limits.tasks)
        } else if bytes >> 20 > self.limits.tree_mib {
            format!("{} MiB of memory, more than the {} allowed", bytes >> 20, self.limits.tree_mib)
        } else {
            return;
        };
        if self.stop == Stop::No {
            self.voice.say(&Word::Bound { what });
            // No grace for what grows: everything is stopped and killed now.
            self.stop = Stop::Grace(Instant::now());
        }
    }

    fn end(&mut self, left_behind: u64) {
        let mut statuses = Vec::new();
        tree::sweep(Instant::now() + SWEEP, |status| statuses.push(status));
        for status in statuses {
            self.tell(status);
        }
        self.voice.say(&Word::Empty { left_behind });
        self.voice.finish();
    }
}

/// What the program is told. It never waits for the program, which may be stopped or busy: what cannot be said now is said
/// later. (The socket does not block, since the control is the same one.)
struct Voice {
    to: UnixStream,
    unsaid: Vec<u8>,
}

/// Bytes that may wait to be said. A demo can end processes faster than a stopped program listens.
const UNSAID: usize = 1 << 20;

impl Voice {
    /// Says `word`, now or later; with too much unsaid only the last word is kept.
    fn say(&mut self, word: &Word) {
        if self.unsaid.len() < UNSAID || matches!(word, Word::Empty { .. }) {
            self.unsaid.extend(line(word));
        }
        self.flush();
    }

    /// Says as much as is taken.
    fn flush(&mut self) {
        while !self.unsaid.is_empty() {
            match self.to.write(&self.unsaid) {
                Ok(n) => drop(self.unsaid.drain(..n)),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                // Nobody listens any more: the control ends, and with it everything.
                Err(_) => self.unsaid.clear(),
            }
        }
    }

    /// Waits until all is said or nobody listens.
    fn finish(&mut self) {
        while !self.unsaid.is_empty() {
            let _ = poll(&mut [PollFd::new(self.to.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE);
            self.flush();
        }
    }
}

fn word(status: WaitStatus) -> Option<Word> {
    let pid = |p: nix::unistd::Pid| p.as_raw().unsigned_abs();
    let (pid, ended, core) = match status {
        WaitStatus::Exited(p, code) => (pid(p), Ended::Code(code), false),
        WaitStatus::Signaled(p, signal, core) => (pid(p), Ended::Signal(signal), core),
        WaitStatus::Stopped(p, _) => return Some(Word::Stopped { pid: pid(p), stopped: true }),
        WaitStatus::Continued(p) => return Some(Word::Stopped { pid: pid(p), stopped: false }),
        _ => return None,
    };
    match exit_fact(Pid(pid), &ended, core) {
        Fact::Exit { code, signal, core, .. } => Some(Word::Exit { pid, code, signal, core: core == Some(true) }),
        _ => None,
    }
}

/// Takes the descriptors that come with the first byte: board, report, output, steering.
fn receive(control: &UnixStream) -> anyhow::Result<Vec<OwnedFd>> {
    let mut byte = [0_u8; 1];
    let mut space = cmsg_space!([RawFd; 4]);
    let mut parts = [IoSliceMut::new(&mut byte)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message =
        recvmsg::<()>(control.as_raw_fd(), &mut parts, Some(&mut space), flags).context("no descriptors came")?;
    let mut fds = Vec::new();
    for part in message.cmsgs().context("no descriptors came")? {
        if let ControlMessageOwned::ScmRights(rights) = part {
            for fd in rights {
                fds.push(super::launch::inherited(fd)?);
            }
        }
    }
    Ok(fds)
}

/// Starts the leader with the descriptors it is to inherit, and keeps none of them.
fn raise(fds: Vec<OwnedFd>) -> anyhow::Result<Pid> {
    let [board, report, output, steer]: [OwnedFd; 4] =
        fds.try_into().map_err(|_| anyhow::anyhow!("the descriptors are incomplete"))?;
    let mut command = again(Role::Leader);
    for fd in [&board, &report, &steer] {
        // This process has one thread and starts one child: nobody else can inherit them.
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())?;
        command.arg(fd.as_raw_fd().to_string());
    }
    let error = Stdio::from(output.try_clone()?);
    let child = spawn(command, "the demo", [Stdio::null(), Stdio::from(output), error])?;
    Ok(Pid(child.id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_on_a_program_that_listens_late() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        ours.set_nonblocking(true).expect("a socket");
        let mut voice = Voice { to: ours, unsaid: Vec::new() };
        let word = |pid| Word::Exit { pid, code: Some(0), signal: None, core: false };
        (0..5000).for_each(|pid| voice.say(&word(pid)));
        assert!(!voice.unsaid.is_empty(), "more than a socket holds");
        let listener = std::thread::Builder::new().spawn(move || {
            let mut heard = 0;
            Lines::new(theirs).drain(usize::MAX, |line| {
                assert_eq!(serde_json::from_slice::<Word>(line).expect("a word"), word(heard));
                heard += 1;
            });
            heard
        });
        voice.finish();
        drop(voice);
        assert_eq!(listener.expect("a thread").join().expect("no panic"), 5000);
    }
}
