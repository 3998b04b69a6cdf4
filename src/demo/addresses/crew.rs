//! The threads beside the main thread: each has a stack of its own, and computes or waits as all are told.

use super::frame::asleep;
use super::maps::Thread;
use super::raw;
use crate::fact::Tid;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The stack of a thread of the crew: what most Linux systems give a thread of a C program.
const STACK: usize = 8 << 20;

/// A variable that is there from the start to the end, and a value that nobody may change.
pub(super) static GLOBAL: AtomicU64 = AtomicU64::new(7);

/// What the crew is told to do, all of them at once.
pub(super) const REST: u64 = 0;
pub(super) const COMPUTE: u64 = 1;
pub(super) const ASK: u64 = 2;
pub(super) const LEAVE: u64 = 3;

/// A thread of the crew, as the main thread knows it.
pub(super) struct Mate {
    pub(super) mark: Thread,
    pub(super) tid: Tid,
    pub(super) thread: JoinHandle<()>,
}

/// What the threads have in common.
pub(super) struct Shared {
    pub(super) phase: AtomicU64,
    /// How many have begun to compute.
    pub(super) begun: AtomicU64,
    pub(super) main: Tid,
}

/// Every third thread waits while the others compute, so that both can be seen.
pub(super) fn computes(number: usize) -> bool {
    number % 3 != 2
}

/// Calls `bottom` some calls deep, each with a kilobyte of its own on the stack.
#[inline(never)]
pub(super) fn descend(deep: u8, bottom: &mut dyn FnMut()) {
    let own = std::hint::black_box([deep; 1024]);
    match deep {
        0 => bottom(),
        _ => descend(deep - 1, bottom),
    }
    std::hint::black_box(own);
}

/// Computes while `on` says so, some calls deep: work for which a thread needs its registers.
#[inline(never)]
pub(super) fn churn(seed: u64, on: impl Fn() -> bool) {
    let mut x = seed;
    while on() {
        for _ in 0..1000 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(x >> 33 | 1);
        }
        GLOBAL.store(x, Ordering::Relaxed);
    }
}

/// Brings on the thread of this number and waits until it has said where it is.
pub(super) fn enter(number: usize, shared: &Arc<Shared>, answer: mpsc::SyncSender<String>) -> std::io::Result<Mate> {
    let letter = char::from(b'A' + u8::try_from(number % 26).unwrap_or(0)).to_string();
    let (send, receive) = mpsc::sync_channel(1);
    let (shared, name) = (Arc::clone(shared), format!("forklore {letter}"));
    let deep = u8::try_from(number * 16).unwrap_or(u8::MAX);
    let part = move || {
        descend(deep, &mut || {
            let local = 0_u8;
            let tid = Tid(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs());
            let _ = send.send((tid, (&raw const local).addr() as u64, raw::own_stack()));
            follow(number, &shared, &answer);
        });
    };
    let thread = std::thread::Builder::new().name(name).stack_size(STACK).spawn(part)?;
    let gone = |_| std::io::Error::other("it ended at once");
    let (tid, local, stack) = receive.recv().map_err(gone)?;
    Ok(Mate { mark: Thread { letter, local, stack }, tid, thread })
}

/// A thread of the crew: it rests, computes if it is one of those, and looks at the main thread when asked.
fn follow(number: usize, shared: &Shared, answer: &mpsc::SyncSender<String>) {
    let phase = || shared.phase.load(Ordering::SeqCst);
    let mut asked = false;
    loop {
        let now = phase();
        match now {
            LEAVE => return,
            COMPUTE if computes(number) => {
                shared.begun.fetch_add(1, Ordering::SeqCst);
                churn(number as u64 + 1, || phase() == COMPUTE);
            }
            ASK if number == 1 && !asked => {
                let until = Instant::now() + Duration::from_millis(400);
                let path = format!("/proc/self/task/{}/syscall", shared.main);
                let mut text = String::new();
                while asleep(&text).is_none() && Instant::now() < until {
                    text = std::fs::read_to_string(&path).unwrap_or_default();
                }
                let _ = answer.try_send(text);
            }
            _ => std::thread::park(),
        }
        asked = now == ASK;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_sees_where_its_own_threads_sleep() {
        let shared = Arc::new(Shared { phase: AtomicU64::new(REST), begun: AtomicU64::new(0), main: Tid(1) });
        let (send, _answers) = mpsc::sync_channel(1);
        let mate = enter(2, &shared, send).expect("a thread");
        let path = format!("/proc/self/task/{}/syscall", mate.tid);
        let until = Instant::now() + Duration::from_secs(20);
        let mut seen = None;
        while seen.is_none() && Instant::now() < until {
            match std::fs::read_to_string(&path) {
                Ok(text) => seen = asleep(&text),
                // A kernel without CONFIG_HAVE_ARCH_TRACEHOOK has no such file.
                Err(_) => break,
            }
            std::thread::yield_now();
        }
        shared.phase.store(LEAVE, Ordering::SeqCst);
        mate.thread.thread().unpark();
        mate.thread.join().expect("it left");
        if let Some((_, sp)) = seen {
            let (from, to) = mate.mark.stack.expect("the C library knows");
            assert!((from..to).contains(&sp), "{sp:#x} in {from:#x} to {to:#x}");
            assert!(sp < mate.mark.local, "it sleeps deeper than its part");
        }
    }
}
