//! What stands between the workers and the counter, and an add under each.
//!
//! Without a guard an add is a load, an addition and a store, each of them whole: two atomic accesses, relaxed. So what is lost
//! is lost by the order of the steps alone. A plain variable would be a data race besides, of which Rust and C promise nothing.

use crate::demo::posix::{Kind, Mutex, Prefer, RwLock, Spin};
use std::hint::black_box;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// The words for the guards, in the order in which they are tried.
pub(super) const WORDS: [&str; 5] = ["none", "atomic", "mutex", "spin", "rwlock"];

/// A guard that processes have in common, too.
#[derive(Debug)]
pub(super) enum Guard {
    /// Nothing.
    Open,
    /// The three steps are one: a fetch-and-add.
    Atomic,
    /// pthread_mutex_lock(3p) around them.
    Mutex(Mutex),
    /// pthread_spin_lock(3).
    Spin(Spin),
    /// The writer's side of pthread_rwlock_wrlock(3p).
    RwLock(RwLock),
}

impl Guard {
    /// The guard of this word of [`WORDS`]; for any other, none.
    ///
    /// # Errors
    /// The kernel's refusal of memory for the lock.
    pub(super) fn of(word: &str) -> io::Result<Self> {
        Ok(match word {
            "atomic" => Self::Atomic,
            "mutex" => Self::Mutex(Mutex::new(Kind::Plain)?),
            "spin" => Self::Spin(Spin::new()?),
            "rwlock" => Self::RwLock(RwLock::new(Prefer::Readers)?),
            _ => Self::Open,
        })
    }

    /// Adds 1 to `counter`, `times` times, each under the guard. False if a lock was refused: then it added less.
    pub(super) fn add(&self, counter: &AtomicU64, times: u64) -> bool {
        match self {
            Self::Open => (0..times).for_each(|_| bump(counter)),
            Self::Atomic => (0..times).for_each(|_| {
                counter.fetch_add(1, Relaxed);
            }),
            Self::Mutex(lock) => return under(times, counter, || lock.lock().is_ok(), || lock.unlock().is_ok()),
            Self::Spin(lock) => (0..times).for_each(|_| {
                lock.lock();
                bump(counter);
                lock.unlock();
            }),
            Self::RwLock(lock) => return under(times, counter, || lock.write().is_ok(), || lock.unlock().is_ok()),
        }
        true
    }
}

fn under(times: u64, counter: &AtomicU64, lock: impl Fn() -> bool, unlock: impl Fn() -> bool) -> bool {
    (0..times).all(|_| {
        lock() && {
            bump(counter);
            unlock()
        }
    })
}

/// Load, add, store. They are kept apart: a compiler may make one instruction of them, an addition to memory. Several cores lose
/// adds by that one just the same, but no interrupt comes in the middle of it, so that one core alone never would.
pub(in crate::demo) fn bump(counter: &AtomicU64) {
    let register = black_box(counter.load(Relaxed));
    counter.store(register + 1, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_loses_nothing_under_any_guard() {
        for word in WORDS {
            let counter = AtomicU64::new(5);
            assert!(Guard::of(word).expect("a guard").add(&counter, 1000), "{word}");
            assert_eq!(counter.into_inner(), 1005, "{word}");
        }
    }

    #[test]
    fn two_lose_nothing_under_a_guard() {
        for word in &WORDS[1..] {
            let (guard, counter) = (Guard::of(word).expect("a guard"), AtomicU64::new(0));
            let both = std::thread::scope(|scope| {
                let add = || guard.add(&counter, 20_000);
                [scope.spawn(add), scope.spawn(add)].map(|thread| thread.join().expect("no panic"))
            });
            assert_eq!((both, counter.load(Relaxed)), ([true; 2], 40_000), "{word}");
        }
    }

    #[test]
    fn a_store_between_load_and_store_is_lost() {
        // The two steps of an add, with another's add between them: what the demo does, in an order that is certain.
        let counter = AtomicU64::new(0);
        let register = counter.load(Relaxed);
        assert!(Guard::Open.add(&counter, 7));
        counter.store(register + 1, Relaxed);
        assert_eq!(counter.into_inner(), 1, "seven of eight are gone");
    }
}
