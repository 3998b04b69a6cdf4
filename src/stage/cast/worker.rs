//! A worker from the inside.

use crate::fact::{Cpu, Fact, Nanos, Pid, Tid, Unavailable};
use crate::stage::account;
use crate::stage::board::{OwnSlice, Slot, State};
use crate::stage::launch::{cannot_start, fork_child};
use crate::stage::now;
use crate::stage::slices::GAP;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::eventfd::EventFd;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A worker, in its own process or thread.
#[derive(Debug)]
pub struct Worker {
    name: String,
    slot: Slot,
    bell: Arc<EventFd>,
    report: Arc<File>,
}

impl Worker {
    /// The order to leave.
    pub const HALT: u64 = u64::MAX;

    /// The order to wait until one is settled.
    pub(super) const HOLD: u64 = u64::MAX - 1;

    pub(super) fn new(name: String, slot: Slot, bell: Arc<EventFd>, report: Arc<File>) -> Self {
        Self { name, slot, bell, report }
    }

    /// Its letter.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its thread id. Only true when the worker itself asks.
    #[must_use]
    pub fn tid(&self) -> Tid {
        Tid(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs())
    }

    /// Tells a fact, true now, if it fits `PIPE_BUF` bytes; else that it did not.
    pub fn tell(&self, fact: Fact) {
        self.tell_at(now(), fact);
    }

    /// Tells a fact that was true at `at` (CLOCK_MONOTONIC).
    pub fn tell_at(&self, at: Nanos, fact: Fact) {
        // The program reads this pipe or has ended; then the warden ends us.
        let _ = (&*self.report).write_all(&super::report(&format!("worker {}", self.name), at, fact));
    }

    /// The order that stands: 0 for "go on".
    #[must_use]
    pub fn order(&self) -> u64 {
        self.slot.order()
    }

    /// Sleeps until the order that stands is another than `known`, but no longer than `patience`; the order then.
    #[must_use]
    pub fn wait(&self, known: u64, patience: Duration) -> u64 {
        let begun = Instant::now();
        loop {
            let order = self.order();
            let left = patience.saturating_sub(begun.elapsed());
            if order != known || left.is_zero() {
                return order;
            }
            self.slot.wait_order(known, left);
        }
    }

    /// Sets its counter, for a worker that does not beat: how far it has come. Shown as its "work".
    pub fn set_work(&self, work: u64) {
        self.slot.set_work(work);
    }

    /// Takes `order` down, so that the next one is seen; one that came meanwhile stands.
    pub fn done_with_order(&self, order: u64) {
        self.slot.clear_order(order);
    }

    /// Plays the part: held until settled, then `body`, then the kernel's account, then the bell.
    pub(super) fn play(&self, body: impl FnOnce(&Self)) {
        // Nobody's part depends on its name in ps; a refusal is no reason to stop.
        let _ = rustix::thread::set_name(&comm(&self.name));
        self.slot.set_state(State::Working);
        while self.wait(Self::HOLD, Duration::from_secs(1)) == Self::HOLD {}
        body(self);
        if let Some(account) = account::of_this_thread() {
            self.slot.set_account(&account);
        }
        self.slot.set_state(State::Done);
        let _ = self.bell.write(1);
    }

    /// Forks a child that runs `body` and ends with its code (101 if it panics). It sees the orders of this worker, and is
    /// nobody's worker: who forks it waits for it, or leaves it to whoever adopts it. Only for a worker that is a process
    /// and has made no thread.
    ///
    /// # Errors
    /// The machine refuses another process, or the worker is a thread: a copy of one thread alone could find locks taken
    /// that nobody will ever give back (fork(2)).
    pub fn fork(&self, body: impl FnOnce(&Self) -> u8) -> Result<Pid, Unavailable> {
        if self.tid().0 != std::process::id() {
            return Err(Unavailable::new("a child of a worker", "the worker is a thread, and its process has others"));
        }
        fork_child(|| body(self)).map_err(|e| cannot_start("a child of a worker", &e.into()))
    }

    /// Begins to time its own turns.
    #[must_use]
    pub fn pulse(&self) -> Pulse<'_> {
        let at = now();
        let cpu = this_cpu();
        self.slot.begin(cpu, at);
        Pulse { slot: &self.slot, slice: OwnSlice { cpu, from: at, to: at }, work: self.slot.work() }
    }

    /// Computes and counts, on and on, until an order other than 0 stands, which it returns.
    pub fn spin(&self) -> u64 {
        let mut pulse = self.pulse();
        loop {
            pulse.beat();
            let order = self.order();
            if order != 0 {
                return order;
            }
        }
    }
}

/// A spinning worker's look at the clock: once a beat, some microseconds of work apart.
#[derive(Debug)]
pub struct Pulse<'a> {
    slot: &'a Slot,
    slice: OwnSlice,
    work: u64,
}

/// Steps of the generator in a beat: about 2 µs, fifty times the price of the clock.
const STEPS: u64 = 1500;

impl Pulse<'_> {
    /// Some microseconds of work, one more on the counter, and a look at the clock and the CPU's number.
    pub fn beat(&mut self) {
        let mut x = self.work;
        for _ in 0..STEPS {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        }
        std::hint::black_box(x);
        self.work += 1;
        self.slot.set_work(self.work);
        let at = now();
        let cpu = this_cpu();
        if at.since(self.slice.to) > GAP || cpu != self.slice.cpu {
            self.slot.push(self.slice);
            self.slice = OwnSlice { cpu, from: at, to: at };
            self.slot.begin(cpu, at);
        } else {
            self.slice.to = at;
            self.slot.last(at);
        }
    }
}

/// The CPU that this thread is on (getcpu(3), from the rseq area or the vDSO).
fn this_cpu() -> u32 {
    rustix::thread::sched_getcpu().try_into().unwrap_or(0)
}

/// What ps, top and perf show a worker as.
pub(super) fn comm(name: &str) -> std::ffi::CString {
    std::ffi::CString::new(format!("forklore {name}")).unwrap_or_default()
}

/// Sets the nice value of one task. On Linux it belongs to the thread, whatever POSIX says (setpriority(2), NOTES).
pub(super) fn set_nice(tid: Tid, nice: i32) -> Result<(), Unavailable> {
    let raw = i32::try_from(tid.0).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::setpriority_process(raw, nice).map_err(|e| {
        let what = format!("nice {nice}");
        match e {
            rustix::io::Errno::ACCESS | rustix::io::Errno::PERM => {
                Unavailable::new(what, "only root may lower a nice value (EACCES)")
                    .remedy("Raise the others' instead: only the difference counts")
            }
            e => Unavailable::new(what, format!("the kernel refused it ({e})")),
        }
    })
}

/// Sets the CPUs that one task may use.
pub(super) fn set_cpus(tid: Tid, cpus: &[Cpu]) -> Result<(), Unavailable> {
    let refused = |e: nix::Error| {
        let list: Vec<_> = cpus.iter().map(ToString::to_string).collect();
        Unavailable::new(format!("CPU {}", list.join(", ")), format!("the kernel refused it ({e})"))
            .remedy("Only the CPUs that this session may use can be chosen")
    };
    let mut set = CpuSet::new();
    for cpu in cpus {
        set.set(cpu.0 as usize).map_err(refused)?;
    }
    sched_setaffinity(nix::unistd::Pid::from_raw(i32::try_from(tid.0).unwrap_or(-1)), &set).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::board::Board;
    use nix::sys::eventfd::EfdFlags;

    #[test]
    fn a_worker_that_is_a_thread_has_no_children() {
        let (_, fd) = Board::create().expect("memfd");
        let bell = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC).expect("an eventfd"));
        let report = Arc::new(File::create("/dev/null").expect("it is there"));
        let worker = Worker::new("A".to_owned(), Board::open(&fd).expect("map").slot(0), bell, report);
        // The test harness runs every test in a thread of its own.
        let thread = std::thread::Builder::new().spawn(move || worker.fork(|_| 0)).expect("a thread");
        let refused = thread.join().expect("no panic").expect_err("it is a thread");
        assert!(refused.to_string().contains("the worker is a thread"), "{refused}");
    }
}
