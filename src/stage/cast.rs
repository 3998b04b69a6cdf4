//! What a demo's code has on stage: its workers, the learner's wishes, and a way to tell what happens.

mod enter;
mod worker;

pub use worker::{Pulse, Worker};

use super::board::{Board, Slot, State};
use super::now;
use super::wire::{Brief, Lines, line};
use crate::fact::{Cpu, DemoSpec, Fact, Nanos, Params, Pid, Stamped, Steer, Tally, Tid, Unavailable, Values};
use anyhow::Context;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use rustix::fs::{OFlags, fcntl_setfl};
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a worker may take to leave before its process is ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// The stage as the demo's code sees it. One thread owns it: the leader's main thread.
#[derive(Debug)]
pub struct Stage {
    brief: Brief,
    board: Board,
    report: Arc<File>,
    steer: Lines<File>,
    children: SignalFd,
    bell: Arc<EventFd>,
    cast: Vec<Entry>,
    cues: VecDeque<Cue>,
}

/// A worker as the leader knows it.
#[derive(Debug)]
pub struct Entry {
    /// Its letter.
    pub name: String,
    /// Its thread id.
    pub tid: Tid,
    /// Its process.
    pub pid: Pid,
    /// How it ended, if it did: the wait status of a process, its return for a thread.
    pub ended: Option<Ended>,
    slot: Slot,
    body: Body,
}

/// What a worker is made of.
#[derive(Debug)]
enum Body {
    /// A child process.
    Process,
    /// A child process that runs another program: it takes no orders but signals.
    Program,
    /// A thread of the leader, until it was joined.
    Thread(Option<JoinHandle<()>>),
    /// The leader's own main thread: never sent off, never reaped here.
    Leader,
    /// A thread or process that a program made: it goes with that program, and is never sent off or reaped here.
    Guest,
}

impl Entry {
    /// It is on and can be sent off.
    fn is_on(&self) -> bool {
        self.ended.is_none() && !matches!(self.body, Body::Leader | Body::Guest)
    }

    /// It is a process of its own, below the leader's.
    fn is_process(&self) -> bool {
        matches!(self.body, Body::Process | Body::Program)
    }

    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(target) = super::Target::open(self.pid) {
            let _ = target.signal(signal);
        }
    }
}

/// How a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code; a thread that returned counts as 0.
    Code(i32),
    /// By this signal.
    Signal(Signal),
}

/// What holds for a worker from its first instruction on.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The CPUs that it may use; all allowed ones if empty.
    pub cpus: Vec<Cpu>,
    /// Its nice value.
    pub nice: i32,
}

/// What the leader is to act upon next.
#[derive(Debug, Clone, PartialEq)]
pub enum Cue {
    /// The learner wishes something.
    Steer(Steer),
    /// The worker of this number ended.
    Ended(usize),
    /// The time that was waited for is over.
    Time,
    /// The run is to come to its end.
    Finish,
}

impl Stage {
    pub(super) fn new(brief: Brief, board: Board, report: File, steer: File) -> anyhow::Result<Self> {
        let flags = rustix::fs::fcntl_getfl(&steer).context("the steering pipe")?;
        fcntl_setfl(&steer, flags | OFlags::NONBLOCK).context("the steering pipe")?;
        let mut set = SigSet::empty();
        set.add(Signal::SIGCHLD);
        set.thread_block().context("cannot wait for children")?;
        let children = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let bell = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
        let (report, steer) = (Arc::new(report), Lines::new(steer));
        Ok(Self { brief, board, report, steer, children, bell, cast: Vec::new(), cues: VecDeque::new() })
    }

    /// The demo's name.
    #[must_use]
    pub fn demo(&self) -> &str {
        &self.brief.demo
    }

    /// The parameters, as the program checked them.
    #[must_use]
    pub fn params(&self, spec: &DemoSpec) -> Params {
        Params::from_values(spec, self.values()).unwrap_or_else(|_| Params::defaults(spec))
    }

    /// The parameters as plain values.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.brief.params
    }

    /// The CPUs that the demo may use; never empty.
    #[must_use]
    pub fn cpus(&self) -> &[Cpu] {
        &self.brief.cpus
    }

    /// The workers that have ever been brought on, by number.
    #[must_use]
    pub fn cast(&self) -> &[Entry] {
        &self.cast
    }

    /// The number of the worker with this letter, if it is still on.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.cast.iter().position(|e| e.name == name && e.is_on())
    }

    /// The numbers of the workers that are still on.
    pub fn on(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.cast.iter().enumerate().filter(|(_, e)| e.is_on()).map(|(n, _)| n)
    }

    /// Tells a fact, true now.
    pub fn tell(&mut self, fact: Fact) {
        self.tell_at(now(), fact);
    }

    /// Tells a fact that was true at `at` (CLOCK_MONOTONIC).
    pub fn tell_at(&mut self, at: Nanos, fact: Fact) {
        // The program reads this pipe or has ended; then the warden ends us.
        let _ = (&*self.report).write_all(&report("the leader", at, fact));
    }

    /// What to act upon next, waiting no longer than `patience` (for ever if none).
    pub fn next(&mut self, patience: Option<Duration>) -> Cue {
        let until = patience.map(|p| Instant::now() + p);
        loop {
            if let Some(cue) = self.cues.pop_front() {
                return cue;
            }
            let left = until.map(|u| u.saturating_duration_since(Instant::now()));
            self.listen(left);
            if self.cues.is_empty() && left == Some(Duration::ZERO) {
                return Cue::Time;
            }
        }
    }

    /// Waits for anything to happen and turns it into cues.
    fn listen(&mut self, patience: Option<Duration>) {
        let timeout = patience.map_or(PollTimeout::NONE, |p| {
            // Rounded up, so that the last part of a millisecond is not spun away.
            PollTimeout::try_from(p + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX)
        });
        let ready = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let mut fds = [ready(self.steer.get_ref().as_fd()), ready(self.children.as_fd()), ready(self.bell.as_fd())];
        let _ = poll(&mut fds, timeout);
        self.hear_learner();
        while let Ok(Some(_)) = self.children.read_signal() {}
        self.reap();
        if self.bell.read().is_ok() {
            self.join();
        }
    }

    fn hear_learner(&mut self) {
        let cues = &mut self.cues;
        self.steer.drain(usize::MAX, |line| {
            if let Ok(steer) = serde_json::from_slice::<Steer>(line) {
                cues.push_back(if steer.verb == Steer::FINISH { Cue::Finish } else { Cue::Steer(steer) });
            }
        });
        if self.steer.ended() {
            cues.push_back(Cue::Finish);
        }
    }

    /// Takes the wait status of every child that ended, stopped or went on.
    fn reap(&mut self) {
        let flags = WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED | WaitPidFlag::WCONTINUED;
        loop {
            match waitpid(None, Some(flags)) {
                Ok(WaitStatus::Exited(pid, code)) => self.process_ended(pid, Ended::Code(code), false),
                Ok(WaitStatus::Signaled(pid, signal, core)) => self.process_ended(pid, Ended::Signal(signal), core),
                Ok(WaitStatus::Stopped(pid, _)) => self.tell(Fact::Stopped { pid: ours(pid), stopped: true }),
                Ok(WaitStatus::Continued(pid)) => self.tell(Fact::Stopped { pid: ours(pid), stopped: false }),
                Ok(WaitStatus::StillAlive) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    fn process_ended(&mut self, pid: nix::unistd::Pid, ended: Ended, core: bool) {
        let pid = ours(pid);
        self.tell(exit_fact(pid, &ended, core));
        if let Some(number) = self.cast.iter().position(|e| e.pid == pid && e.is_process() && e.is_on()) {
            self.left(number, ended);
        }
    }

    /// Takes in the threads that returned.
    fn join(&mut self) {
        for number in 0..self.cast.len() {
            let Some(entry) = self.cast.get_mut(number) else { continue };
            if entry.ended.is_some() || entry.slot.state() != State::Done {
                continue;
            }
            let Body::Thread(thread) = &mut entry.body else { continue };
            let Some(thread) = thread.take() else { continue };
            let code = if thread.join().is_ok() { 0 } else { 101 };
            let (tid, pid) = (entry.tid, entry.pid);
            self.tell(Fact::Exit { tid, pid, code: Some(code), signal: None, core: None });
            self.left(number, Ended::Code(code));
        }
    }

    fn left(&mut self, number: usize, ended: Ended) {
        let Some(entry) = self.cast.get_mut(number) else { return };
        entry.ended = Some(ended);
        let (tid, account, done) = (entry.tid, entry.slot.account(), entry.slot.state() == State::Done);
        if done && account.at != Nanos::ZERO {
            self.tell_at(account.at, account.fact(tid));
        }
        self.cues.push_back(Cue::Ended(number));
    }

    /// Gives a worker an order that the demo understands: 0 means "go on", [`Worker::HALT`] "leave".
    pub fn order(&self, number: usize, order: u64) {
        if let Some(entry) = self.cast.get(number) {
            entry.slot.set_order(order);
        }
    }

    /// A worker's counter.
    #[must_use]
    pub fn work(&self, number: usize) -> u64 {
        self.cast.get(number).map_or(0, |entry| entry.slot.work())
    }

    /// Sets a worker's nice value.
    ///
    /// # Errors
    /// A value below the present one needs a right that an ordinary user lacks (EACCES).
    pub fn nice(&mut self, number: usize, nice: i32) -> Result<(), Unavailable> {
        let Some(entry) = self.cast.get(number) else { return Ok(()) };
        let tid = entry.tid;
        worker::set_nice(tid, nice)?;
        self.tell(Fact::Setting { tid, nice: Some(nice), cpus: None });
        Ok(())
    }

    /// Sets the CPUs that a worker may use.
    ///
    /// # Errors
    /// None of them can be used (EINVAL).
    pub fn pin(&mut self, number: usize, cpus: &[Cpu]) -> Result<(), Unavailable> {
        let Some(entry) = self.cast.get(number) else { return Ok(()) };
        let tid = entry.tid;
        worker::set_cpus(tid, cpus)?;
        self.tell(Fact::Setting { tid, nice: None, cpus: Some(cpus.to_vec()) });
        Ok(())
    }

    /// Sends a worker off and waits until it has left; one that does not leave has its process ended.
    pub fn dismiss(&mut self, numbers: &[usize]) {
        for number in numbers {
            self.order(*number, Worker::HALT);
            if let Some(entry) = self.cast.get(*number).filter(|e| e.is_on() && matches!(e.body, Body::Program)) {
                entry.signal(rustix::process::Signal::TERM);
            }
        }
        let until = Instant::now() + PATIENCE;
        let still = |stage: &Self| numbers.iter().any(|n| stage.cast.get(*n).is_some_and(Entry::is_on));
        while still(self) && Instant::now() < until {
            self.listen(Some(Duration::from_millis(20)));
        }
        for number in numbers {
            if let Some(entry) = self.cast.get(*number).filter(|e| e.is_on() && e.is_process()) {
                entry.signal(rustix::process::Signal::KILL);
            }
        }
        // A thread that has not left by now sits in a call that nothing ends but the end of its process, the leader's own.
        let killed = |e: &Entry| e.is_on() && e.is_process();
        let dying = |stage: &Self| numbers.iter().any(|n| stage.cast.get(*n).is_some_and(killed));
        let until = Instant::now() + PATIENCE;
        while dying(self) && Instant::now() < until {
            self.listen(Some(Duration::from_millis(20)));
        }
    }

    /// Sends everybody off. What the workers do from here on is no part of the demo's story.
    pub fn close(&mut self) {
        self.tell(Fact::Step { name: Tally::CLOSING.to_owned() });
        let all: Vec<_> = self.on().collect();
        self.dismiss(&all);
    }
}

/// A fact as a line. Workers and leader write to one pipe: what fits `PIPE_BUF` bytes goes in whole (pipe(7)), what does not
/// is refused, and the refusal told.
fn report(who: &str, at: Nanos, fact: Fact) -> Vec<u8> {
    let bytes = line(&Stamped::new(at, fact));
    if bytes.len() <= libc::PIPE_BUF {
        return bytes;
    }
    let why = format!("{} bytes, and {} fit the pipe in one piece", bytes.len(), libc::PIPE_BUF);
    line(&Stamped::new(at, Fact::Refused(Unavailable::new(format!("a report of {who}"), why))))
}

fn ours(pid: nix::unistd::Pid) -> Pid {
    Pid(pid.as_raw().unsigned_abs())
}

/// The fact of a process's end.
pub(super) fn exit_fact(pid: Pid, ended: &Ended, core: bool) -> Fact {
    let (code, signal, core) = match ended {
        Ended::Code(code) => (Some(*code), None, None),
        Ended::Signal(signal) => (None, Some(signal.as_str().to_owned()), Some(core)),
    };
    Fact::Exit { tid: Tid(pid.0), pid, code, signal, core }
}
