//! The workers from the inside: what they do, what they answer to a request, and how a thread is ended from outside.
//!
//! The one place of this demo with `unsafe`: the handler, and threads made with pthread_create, so that pthread_cancel has
//! something to act on. A thread of Rust's own must not be cancelled: it may own things, and unwinding that nobody expects
//! runs through the code that owns them. These threads own nothing: numbers on the stack, and words that are static.

use crate::demo::eye;
use crate::demo::script::realtime_in;
use crate::fact::{Fact, Nanos, Pid, Tid};
use crate::stage::{Worker, now};
use libc::{c_int, c_void};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use serde_json::json;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A change takes this long: some work, then a wait in the middle of it. Then a rest.
const WORK: Duration = Duration::from_millis(2);
const MIDDLE: Duration = Duration::from_millis(5);
const REST: Duration = Duration::from_millis(2);

/// How often the counters of threads are told.
const TELL: Duration = Duration::from_millis(40);

/// What the main thread of a company of threads is told to do to its second.
pub(super) const ASK: u64 = 1;
pub(super) const TERM: u64 = 2;
pub(super) const CANCEL: u64 = 3;

const MOST: usize = super::COMPANY;
static COUNTERS: [AtomicU64; MOST] = [const { AtomicU64::new(0) }; MOST];
static LEAVE: [AtomicBool; MOST] = [const { AtomicBool::new(false) }; MOST];
static TIDS: [AtomicU32; MOST] = [const { AtomicU32::new(0) }; MOST];
/// A thread is about to return, and may: between the two its end is told, before the kernel's own word comes, which does not
/// say how it ended.
static RETURNS: [AtomicBool; MOST] = [const { AtomicBool::new(false) }; MOST];
static GO: [AtomicBool; MOST] = [const { AtomicBool::new(false) }; MOST];

/// Added to the number of a thread that is to come to no cancellation point.
const DEAF: usize = 64;

/// The thread in which the handler ran.
static HANDLED: AtomicU32 = AtomicU32::new(0);

// SAFETY: the C library has both, with these types; whoever calls keeps to what they ask for.
#[expect(unsafe_code, reason = "the libc crate declares them as functions that do not unwind")]
unsafe extern "C-unwind" {
    // As in the C library, but known to unwind: both are cancellation points (pthreads(7)).
    fn nanosleep(time: *const libc::timespec, left: *mut libc::timespec) -> c_int;
    fn pthread_testcancel();
}

/// What SIGTERM is to do in this process: for all its threads, since that is one setting for all of them (signal(7)).
fn answer(how: &str) {
    let handler = match how {
        "tidy" => SigHandler::Handler(on_term),
        "ignore" => SigHandler::SigIgn,
        _ => return,
    };
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler makes one system call and one atomic store, both of which a handler may make (signal-safety(7)).
    #[expect(unsafe_code, reason = "a signal handler is what is shown")]
    // The kernel refuses it for SIGKILL and SIGSTOP only.
    let _ = unsafe { sigaction(Signal::SIGTERM, &action) };
}

/// Notes who was asked. What is to be done about it is done where nothing is half made.
extern "C" fn on_term(_: c_int) {
    HANDLED.store(own_tid(), Ordering::Release);
}

fn own_tid() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}

fn was_asked() -> bool {
    HANDLED.load(Ordering::Acquire) == own_tid()
}

fn compute(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

/// A worker that is a process. Its counter is odd in the middle of a change.
pub(super) fn process(worker: &Worker, how: &str) {
    answer(how);
    let mut count = 0;
    while !was_asked() && worker.order() == 0 {
        worker.set_work(count + 1);
        compute(WORK);
        std::thread::sleep(MIDDLE);
        count += 2;
        worker.set_work(count);
        let _ = worker.wait(0, REST);
    }
}

/// A company of `size` threads in a process of its own. Its main thread does what it is ordered to and reports on a row of
/// `table`; its own counter says how much it has done.
pub(super) fn company(worker: &Worker, how: &str, size: usize, slot: u16, grace: Duration) {
    answer(how);
    let mut crew = Crew::raise(worker, size, slot, how == "no-point");
    let mut known = 0;
    loop {
        let order = worker.wait(known, TELL);
        crew.tell(worker);
        if order == Worker::HALT {
            crew.leave(worker);
            return;
        }
        if order != known {
            known = order;
            crew.end(worker, order, grace);
            worker.set_work(order);
        }
    }
}

/// The threads, until they are joined.
struct Crew {
    threads: Vec<Option<libc::pthread_t>>,
    victim: usize,
    deaf: bool,
}

impl Crew {
    fn raise(worker: &Worker, size: usize, slot: u16, deaf: bool) -> Self {
        let victim = size / 2;
        let numbers = 0..size.min(MOST);
        let threads: Vec<_> = numbers.map(|n| make(if deaf && n == victim { n + DEAF } else { n })).collect();
        let pid = Pid(std::process::id());
        for n in 0..threads.len() {
            while threads[n].is_some() && TIDS[n].load(Ordering::Acquire) == 0 {
                std::thread::yield_now();
            }
            let (name, slot) =
                (super::act::NAMES[n + usize::from(size == 1)].to_owned(), slot + u16::try_from(n).unwrap_or(0));
            worker.tell(Fact::Task { tid: tid(n), pid, parent: 0, name, slot: Some(slot) });
        }
        worker.set_work(READY);
        Self { threads, victim, deaf }
    }

    fn tell(&self, worker: &Worker) {
        let joined = self.threads.iter().filter(|thread| thread.is_none()).count();
        worker.tell(Fact::Value { tid: worker.tid(), name: "counter".to_owned(), value: json!(joined) });
        for (n, _) in self.threads.iter().enumerate().filter(|(_, thread)| thread.is_some()) {
            let value = json!(COUNTERS[n].load(Ordering::Relaxed));
            worker.tell(Fact::Value { tid: tid(n), name: "counter".to_owned(), value });
        }
    }

    /// Ends the victim as ordered, and tells how that went.
    fn end(&mut self, worker: &Worker, order: u64, grace: Duration) {
        let Some(thread) = self.threads[self.victim] else { return };
        let before = self.letter();
        struck_in_the_middle(|| COUNTERS[self.victim].load(Ordering::Acquire));
        let begun = now();
        let row = match order {
            ASK => {
                LEAVE[self.victim].store(true, Ordering::Release);
                super::act::FLAG
            }
            TERM => {
                // SAFETY: the thread has not been joined, so its handle is good.
                #[expect(unsafe_code, reason = "pthread_kill")]
                let _ = unsafe { libc::pthread_kill(thread, libc::SIGTERM) };
                super::act::HANDLED
            }
            _ => {
                cancel(thread);
                if self.deaf { super::act::BUSY } else { super::act::ASLEEP }
            }
        };
        if !self.deaf {
            self.joined(worker, row, before, begun, SURE);
            return;
        }
        let soon = self.joined(worker, row, before, begun, grace);
        if !soon {
            let letter = self.letter();
            let told = "nothing: it is noted, and nobody looks";
            let letters = eye::from_to(before, letter);
            let values =
                json!({ "ended": "nothing", "letters": letters, "cancelled": false, "letter": letter, "told": told });
            worker.tell(super::act::row(row, values));
            // Now it comes to a point where it looks.
            let asked = now();
            LEAVE[self.victim].store(true, Ordering::Release);
            self.joined(worker, super::act::POINT, letter, asked, SURE);
        }
    }

    fn letter(&self) -> char {
        eye::letter(Pid(std::process::id()), tid(self.victim))
    }

    /// Joins the victim within `patience`, and tells of it on `row`; whether it ended.
    fn joined(&mut self, worker: &Worker, row: &str, before: char, begun: Nanos, patience: Duration) -> bool {
        let Some(thread) = self.threads[self.victim] else { return false };
        let Some((at, by_cancel)) = ended(self.victim, thread, patience, || worker.tell(exit(self.victim, Some(0))))
        else {
            return false;
        };
        if by_cancel {
            worker.tell(exit(self.victim, None));
        }
        self.tell(worker);
        self.threads[self.victim] = None;
        let told = if by_cancel { "pthread_join: PTHREAD_CANCELED" } else { "pthread_join: it returned by itself" };
        let letter = self.letter();
        let values = json!({
            "ended": "thread", "letters": eye::from_to(before, letter), "took": at.since(begun).0, "told": told, "n": 1,
            "cancelled": by_cancel.then_some(true), "letter": letter,
            "half_made": COUNTERS[self.victim].load(Ordering::Acquire) % 2 == 1,
        });
        worker.tell(super::act::row(row, values));
        true
    }

    /// Sends all of them off.
    fn leave(&mut self, worker: &Worker) {
        LEAVE.iter().for_each(|leave| leave.store(true, Ordering::Release));
        for (n, thread) in self.threads.iter_mut().enumerate() {
            if let Some(thread) = thread.take() {
                let _ = ended(n, thread, Duration::from_millis(500), || worker.tell(exit(n, Some(0))));
            }
        }
    }
}

/// The end of the thread of this number: by itself if it has a code.
fn exit(n: usize, code: Option<i32>) -> Fact {
    Fact::Exit { tid: tid(n), pid: Pid(std::process::id()), code, signal: None, core: None }
}

/// Joins a thread within `patience`; when that was, and whether cancellation ended it. `returns` is called before it returns.
fn ended(n: usize, thread: libc::pthread_t, patience: Duration, mut returns: impl FnMut()) -> Option<(Nanos, bool)> {
    let until = Instant::now() + patience;
    loop {
        if RETURNS[n].load(Ordering::Acquire) {
            returns();
            GO[n].store(true, Ordering::Release);
            return join(thread, SURE);
        }
        if let Some(end) = join(thread, Duration::from_micros(200)) {
            return Some(end);
        }
        if Instant::now() > until {
            return None;
        }
    }
}

/// The id of the thread of this number.
fn tid(n: usize) -> Tid {
    Tid(TIDS[n].load(Ordering::Acquire))
}

/// Makes the thread of this number.
fn make(number: usize) -> Option<libc::pthread_t> {
    type May<R> = extern "C-unwind" fn(R) -> R;
    type MayNot<R> = extern "C" fn(R) -> R;
    let start: May<*mut c_void> = body;
    // SAFETY: the two types of pointer differ in what Rust assumes of unwinding; the call is the same. It is the C library that
    // calls, and that knows of cancellation.
    #[expect(unsafe_code, reason = "pthread_create takes a function that does not unwind, and cancellation unwinds it")]
    let start = unsafe { std::mem::transmute::<May<*mut c_void>, MayNot<*mut c_void>>(start) };
    let mut thread = 0;
    // SAFETY: `thread` is written before it is read; the argument is a number dressed as a pointer, and never followed.
    #[expect(unsafe_code, reason = "pthread_create")]
    let refused =
        unsafe { libc::pthread_create(&raw mut thread, ptr::null(), start, ptr::without_provenance_mut(number)) };
    (refused == 0).then_some(thread)
}

fn cancel(thread: libc::pthread_t) {
    // SAFETY: whoever calls has not joined it. The thread owns nothing, and every frame of it may be unwound: see `body`.
    #[expect(unsafe_code, reason = "pthread_cancel is what is shown")]
    let _ = unsafe { libc::pthread_cancel(thread) };
}

/// How long a thread is waited for that is sure to end.
const SURE: Duration = Duration::from_secs(2);

/// What the main thread says of itself when its threads are there. Orders are smaller.
pub(super) const READY: u64 = 100;

/// Waits until the counter is odd, so that what comes next comes in the middle of a change; not for ever.
pub(super) fn struck_in_the_middle(counter: impl Fn() -> u64) {
    let until = Instant::now() + Duration::from_millis(500);
    while counter().is_multiple_of(2) && Instant::now() < until {
        std::thread::yield_now();
    }
}

/// Joins a thread within `patience`; when that was, and whether cancellation ended it.
fn join(thread: libc::pthread_t, patience: Duration) -> Option<(Nanos, bool)> {
    let mut value = ptr::null_mut();
    let until = realtime_in(patience);
    // SAFETY: whoever calls has not joined it yet, and forgets the handle when this succeeds.
    #[expect(unsafe_code, reason = "pthread_timedjoin_np")]
    let refused = unsafe { libc::pthread_timedjoin_np(thread, &raw mut value, &raw const until) };
    (refused == 0).then(|| (now(), value.addr() == usize::MAX))
}

/// A thread of the company. No frame of it owns anything, so cancellation, which unwinds them, passes over nothing
/// ("plain old frames" of RFC 2945); what it calls while it may be cancelled is declared as able to unwind.
extern "C-unwind" fn body(number: *mut c_void) -> *mut c_void {
    let (n, deaf) = (number.addr() % DEAF, number.addr() >= DEAF);
    let _ = rustix::thread::set_name(super::act::COMMS[n]);
    TIDS[n].store(own_tid(), Ordering::Release);
    while !LEAVE[n].load(Ordering::Acquire) && !was_asked() {
        COUNTERS[n].fetch_add(1, Ordering::AcqRel);
        compute(WORK);
        if !deaf {
            nap(MIDDLE);
        }
        COUNTERS[n].fetch_add(1, Ordering::AcqRel);
        if !deaf {
            nap(REST);
        }
    }
    // SAFETY: no argument, and declared as able to unwind.
    #[expect(unsafe_code, reason = "a cancellation point")]
    unsafe {
        pthread_testcancel();
    }
    RETURNS[n].store(true, Ordering::Release);
    while !GO[n].load(Ordering::Acquire) {
        std::thread::yield_now();
    }
    ptr::null_mut()
}

/// Sleeps, and may be cancelled meanwhile: the standard library's sleep is not made for that.
fn nap(time: Duration) {
    let time = libc::timespec { tv_sec: 0, tv_nsec: i64::from(time.subsec_nanos()) };
    // SAFETY: the time lives through the call; what is left of it is not asked for.
    #[expect(unsafe_code, reason = "a cancellation point")]
    let _ = unsafe { nanosleep(&raw const time, ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_cancelled_where_it_waits_and_nowhere_else() {
        let sleeps = make(0).expect("a thread");
        cancel(sleeps);
        assert!(join(sleeps, Duration::from_secs(30)).is_some_and(|(_, by_cancel)| by_cancel));
        let computes = make(1 + DEAF).expect("a thread");
        while TIDS[1].load(Ordering::Acquire) == 0 {
            std::thread::yield_now();
        }
        cancel(computes);
        assert_eq!(join(computes, Duration::from_millis(50)), None, "it comes to no point");
        LEAVE[1].store(true, Ordering::Release);
        assert!(join(computes, Duration::from_secs(30)).is_some_and(|(_, by_cancel)| by_cancel), "and here is one");
        let asked = make(1).expect("a thread");
        let mut told = 0;
        let end = ended(1, asked, Duration::from_secs(30), || told += 1);
        assert_eq!((end.map(|(_, by_cancel)| by_cancel), told), (Some(false), 1), "it returns");
    }
}
