//! A run's process tree as the program holds it.

use super::board::Board;
use super::leader::{HELD, RELEASE};
use super::output::Output;
use super::wire::{Brief, Lines, Order, Word, line};
use super::{Role, SelfTimed, Target, launch, now, tree};
use crate::fact::{Fact, Nanos, Pid, Stamped, Steer, Tid, Unavailable};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use rustix::fd::AsRawFd;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How long raising a demo may take before it counts as refused. Generous: the machine may be busy with the last one.
const RAISING: Duration = Duration::from_secs(10);

/// How long the warden may take to end the tree once it is told to: more than its own grace and its own sweep.
const ENDING: Duration = Duration::from_secs(6);

/// Bytes of reports that are taken in a reading.
const REPORT: usize = 256 * 1024;

/// How a run's tree ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Nothing of the tree is alive.
    pub clean: bool,
    /// Processes that were still there when the leader had ended.
    pub left_behind: u64,
    /// The warden did not live to say so; the program swept the tree itself.
    pub warden_lost: bool,
}

/// A demo's process tree: held until [`Production::release`], gone after [`Production::drop`] at the latest.
#[derive(Debug)]
pub struct Production {
    control: Lines<UnixStream>,
    warden: Child,
    steer: File,
    report: Lines<File>,
    output: Output,
    board: Board,
    leader: Pid,
    released: Nanos,
    counted: BTreeMap<usize, (Tid, u64)>,
    /// When a warden that was told to end the tree is waited for no longer.
    overdue: Option<Instant>,
    ended: Option<Ended>,
    bound: Option<String>,
}

impl Production {
    /// Starts warden and leader for `brief`; returns when the leader is held at its pipe.
    ///
    /// # Errors
    /// What the machine refused.
    pub fn raise(brief: &Brief) -> Result<Self, Unavailable> {
        // Should the warden be killed, its children become ours and can be found.
        let _ = tree::adopt_orphans();
        let refused = |e: io::Error| launch::cannot_start("the demo", &e);
        let (board, board_fd) = Board::create().map_err(refused)?;
        let (report_read, report_write) = pipe_with(PipeFlags::CLOEXEC).map_err(|e| refused(e.into()))?;
        let (output_read, output_write) = pipe_with(PipeFlags::CLOEXEC).map_err(|e| refused(e.into()))?;
        let (steer_read, steer_write) = pipe_with(PipeFlags::CLOEXEC).map_err(|e| refused(e.into()))?;
        for end in [&report_read, &output_read, &steer_write] {
            rustix::io::ioctl_fionbio(end, true).map_err(|e| refused(e.into()))?;
        }
        let (control, theirs) = UnixStream::pair().map_err(refused)?;
        let stdio = [Stdio::from(OwnedFd::from(theirs)), Stdio::null(), Stdio::null()];
        let warden = launch::spawn(launch::again(Role::Warden), "the demo", stdio)?;
        let mut production = Self {
            control: Lines::new(control),
            warden,
            steer: File::from(steer_write),
            report: Lines::new(File::from(report_read)),
            output: Output::new(File::from(output_read)),
            board,
            leader: Pid(0),
            released: Nanos::ZERO,
            counted: BTreeMap::new(),
            overdue: None,
            ended: None,
            bound: None,
        };
        production.hand_over(brief, &[&board_fd, &report_write, &output_write, &steer_read]).map_err(refused)?;
        drop((board_fd, report_write, output_write, steer_read));
        production.await_held()?;
        Ok(production)
    }

    fn hand_over(&mut self, brief: &Brief, fds: &[&OwnedFd]) -> io::Result<()> {
        let raw: Vec<_> = fds.iter().map(|fd| fd.as_raw_fd()).collect();
        let control = self.control.get_ref();
        sendmsg::<()>(
            control.as_raw_fd(),
            &[IoSlice::new(b"!")],
            &[ControlMessage::ScmRights(&raw)],
            MsgFlags::MSG_NOSIGNAL,
            None,
        )?;
        (&*control).write_all(&line(&brief.limits))?;
        control.set_nonblocking(true)?;
        self.steer.write_all(&line(brief))
    }

    fn await_held(&mut self) -> Result<(), Unavailable> {
        let until = Instant::now() + RAISING;
        let refused = |why: String| Unavailable::new("cannot start the demo", why);
        // Leader and warden each say their word when they come to it: either may be first.
        let mut held = false;
        loop {
            let mut said = Vec::new();
            self.report.drain(REPORT, |line| held |= is_held(line));
            self.output.drain(Nanos::ZERO, &mut said);
            if let Some(Stamped { fact: Fact::Said { text, .. }, .. }) = said.first() {
                return Err(refused(text.clone()));
            }
            let mut failed = None;
            let mut leader = None;
            self.control.drain(usize::MAX, |line| match serde_json::from_slice(line) {
                Ok(Word::Leader { pid }) => leader = Some(Pid(pid)),
                Ok(Word::Failed { why }) => failed = Some(why),
                _ => {}
            });
            self.leader = leader.unwrap_or(self.leader);
            if let Some(why) = failed {
                return Err(refused(why));
            }
            if held && self.leader.0 > 1 {
                return Ok(());
            }
            if self.control.ended() {
                return Err(refused("its warden ended before it began".to_owned()));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(refused("it was not ready within ten seconds".to_owned()));
            }
            self.wait(None, left);
        }
    }

    /// The leader, whose descendants are the demo.
    #[must_use]
    pub fn leader(&self) -> Pid {
        self.leader
    }

    /// The workers' own slices.
    #[must_use]
    pub fn self_timed(&self) -> SelfTimed {
        SelfTimed::new(self.board.clone())
    }

    /// Lets the demo go. The moment is the zero of the stream.
    pub fn release(&mut self) -> Nanos {
        self.released = now();
        let _ = self.steer.write_all(&[RELEASE, b"\n"].concat());
        self.released
    }

    /// Sends the demo a wish. A demo that does not read its wishes loses them; the pipe never blocks the program.
    pub fn steer(&mut self, steer: &Steer) {
        let _ = self.steer.write_all(&line(steer));
    }

    /// Ends the whole tree: TERM, a short grace, KILL. Should the warden not do it in time, it is killed and the program
    /// does it.
    pub fn stop(&mut self) {
        self.order(Order::Stop);
        self.wake_warden();
        self.overdue.get_or_insert(Instant::now() + ENDING);
    }

    /// A warden that somebody has stopped hears nothing until it goes on.
    fn wake_warden(&self) {
        let _ = Target::open(Pid(self.warden.id())).map(|warden| warden.signal(Signal::CONT));
    }

    /// Stops the tree with SIGSTOP, or lets it go on.
    pub fn freeze(&mut self, frozen: bool) {
        self.order(if frozen { Order::Freeze } else { Order::Thaw });
    }

    fn order(&mut self, order: Order) {
        let _ = self.control.get_ref().write_all(&line(&order));
    }

    /// Waits until anything can be read, `wake` included, or `patience` is over.
    pub fn wait(&self, wake: Option<BorrowedFd<'_>>, patience: Duration) {
        let mut fds = Vec::with_capacity(4);
        let mut watch = |fd| fds.push(PollFd::new(fd, PollFlags::POLLIN));
        wake.map(&mut watch);
        if !self.control.ended() {
            watch(self.control.get_ref().as_fd());
        }
        if !self.report.ended() {
            watch(self.report.get_ref().as_fd());
        }
        let patience = patience + Duration::from_micros(999);
        let _ = poll(&mut fds, PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX));
    }

    /// Appends what the demo and its warden told since the last call, moments counted from the release.
    pub fn drain(&mut self, out: &mut Vec<Stamped>) {
        let released = self.released;
        let at = now().since(released);
        let first = out.len();
        self.report.drain(REPORT, |line| {
            if let Ok(fact) = serde_json::from_slice::<Stamped>(line)
                && !is_held(line)
            {
                out.push(Stamped::new(fact.t.since(released), fact.fact));
            }
        });
        for fact in out.get(first..).unwrap_or_default() {
            if let Fact::Task { tid, slot: Some(slot), .. } = fact.fact {
                self.counted.insert(usize::from(slot), (tid, u64::MAX));
            }
        }
        self.output.drain(at, out);
        self.hear_warden(at, out);
    }

    /// Appends the workers' counters that have moved, as values called "work".
    pub fn count(&mut self, out: &mut Vec<Stamped>) {
        let at = now().since(self.released);
        for (slot, (tid, told)) in &mut self.counted {
            let work = self.board.slot(*slot).work();
            if work != *told {
                *told = work;
                out.push(Stamped::new(at, Fact::Value { tid: *tid, name: "work".to_owned(), value: work.into() }));
            }
        }
    }

    fn hear_warden(&mut self, at: Nanos, out: &mut Vec<Stamped>) {
        let mut left = None;
        let bound = &mut self.bound;
        self.control.drain(usize::MAX, |line| match serde_json::from_slice(line) {
            Ok(Word::Exit { pid, code, signal, core }) => {
                let core = signal.is_some().then_some(core);
                out.push(Stamped::new(at, Fact::Exit { tid: Tid(pid), pid: Pid(pid), code, signal, core }));
            }
            Ok(Word::Stopped { pid, stopped }) => out.push(Stamped::new(at, Fact::Stopped { pid: Pid(pid), stopped })),
            Ok(Word::Bound { what }) => {
                let refused = Unavailable::new("the demo went past its bounds and was ended", what.clone());
                out.push(Stamped::new(at, Fact::Refused(refused)));
                *bound = Some(what);
            }
            Ok(Word::Empty { left_behind }) => left = Some(left_behind),
            _ => {}
        });
        if self.ended.is_none() && self.overdue.is_some_and(|until| Instant::now() > until) {
            // Its end closes the control, which is what the next look sees.
            self.overdue = None;
            let _ = self.warden.kill();
        }
        if let Some(left_behind) = left {
            self.ended = Some(Ended { clean: true, left_behind, warden_lost: false });
        } else if self.control.ended() && self.ended.is_none() {
            let _ = self.warden.wait();
            tree::sweep_own(Duration::from_secs(5));
            let clean = tree::below(Pid(std::process::id())).is_empty();
            self.ended = Some(Ended { clean, left_behind: 0, warden_lost: true });
        }
    }

    /// How the tree ended, once it has.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// The bound that was passed, if one was.
    #[must_use]
    pub fn bound(&self) -> Option<&str> {
        self.bound.as_deref()
    }
}

impl Drop for Production {
    /// Nothing is left behind, whatever way this goes: the pipe's end tells the warden to end everything, and then the
    /// program waits for the warden; a warden that does not end in time is killed and its tree swept.
    fn drop(&mut self) {
        let _ = self.control.get_ref().shutdown(std::net::Shutdown::Both);
        self.wake_warden();
        let until = Instant::now() + ENDING;
        loop {
            match self.warden.try_wait() {
                Ok(Some(_)) | Err(_) => return,
                Ok(None) if Instant::now() > until => break,
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
        let _ = self.warden.kill();
        let _ = self.warden.wait();
        tree::sweep_own(Duration::from_secs(5));
    }
}

fn is_held(line: &[u8]) -> bool {
    serde_json::from_slice::<Stamped>(line).is_ok_and(|s| matches!(s.fact, Fact::Step { name } if name == HELD))
}
