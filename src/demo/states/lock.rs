//! A fair lock in memory that processes share: who asks first is in first. Who waits sleeps in the kernel, by a futex.
//!
//! A mutex of the standard library lies in one process's memory and lets the running thread in again before the one that it
//! woke; the waiting worker would starve. Here a ticket says whose turn it is (a ticket lock), as at a counter.

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;
use rustix::thread::{Timespec, futex};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Where the two words stand: the next ticket, and the ticket whose turn it is.
const NEXT: usize = 0;
const SERVED: usize = 1;

/// The lock. A process that is forked later has the same one.
#[derive(Debug)]
pub(super) struct Lock {
    map: memmap2::MmapRaw,
}

impl Lock {
    pub(super) fn new() -> io::Result<Self> {
        let fd = memfd_create(c"forklore-lock", MFdFlags::MFD_CLOEXEC)?;
        let page = rustix::param::page_size();
        ftruncate(&fd, i64::try_from(page).map_err(io::Error::other)?)?;
        Ok(Self { map: memmap2::MmapOptions::new().len(page).map_raw(&File::from(fd))? })
    }

    /// Asks for the lock.
    pub(super) fn take_ticket(&self) -> u32 {
        self.word(NEXT).fetch_add(1, Ordering::Relaxed)
    }

    /// Whether who has this ticket has the lock.
    pub(super) fn is_turn(&self, ticket: u32) -> bool {
        self.word(SERVED).load(Ordering::Acquire) == ticket
    }

    /// Sleeps until it is this ticket's turn, or for `patience`. Whether it is.
    pub(super) fn wait(&self, ticket: u32, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        loop {
            let served = self.word(SERVED).load(Ordering::Acquire);
            let left = until.saturating_duration_since(Instant::now());
            if served == ticket || left.is_zero() {
                return served == ticket;
            }
            let Ok(left) = Timespec::try_from(left) else { return false };
            // A wake, a signal, another value and the time all mean the same here: look again.
            let _ = futex::wait(self.word(SERVED), futex::Flags::empty(), served, Some(&left));
        }
    }

    /// Gives the lock to the next. Only who has it may.
    pub(super) fn leave(&self) {
        self.word(SERVED).fetch_add(1, Ordering::Release);
        let _ = futex::wake(self.word(SERVED), futex::Flags::empty(), i32::MAX.unsigned_abs());
    }

    fn word(&self, index: usize) -> &AtomicU32 {
        assert!(index <= SERVED, "the lock has two words");
        let start = self.map.as_mut_ptr().cast::<AtomicU32>();
        // SAFETY: the mapping begins on a page, is a page long and lives as long as `self`; both words are within it and
        // aligned. Its descriptor is closed, so nobody can cut it short. All who have it touch these words atomically.
        #[expect(unsafe_code, reason = "a word of memory that processes share")]
        unsafe {
            &*start.add(index)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn one_at_a_time_in_the_order_of_the_tickets() {
        let lock = Arc::new(Lock::new().expect("memory"));
        let first = lock.take_ticket();
        assert!(lock.is_turn(first) && lock.wait(first, Duration::ZERO));
        let second = lock.take_ticket();
        assert!(!lock.is_turn(second) && !lock.wait(second, Duration::from_millis(1)), "the first has not left");
        let theirs = Arc::clone(&lock);
        let waits = std::thread::Builder::new().spawn(move || theirs.wait(second, Duration::from_secs(600)));
        lock.leave();
        assert!(waits.expect("a thread").join().expect("no panic"));
        assert!(!lock.is_turn(first));
    }

    #[test]
    fn nobody_is_counted_twice_and_nobody_is_left_out() {
        let lock = Arc::new(Lock::new().expect("memory"));
        let count = Arc::new(AtomicU32::new(0));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (lock, count) = (Arc::clone(&lock), Arc::clone(&count));
                let add = move || {
                    for _ in 0..200 {
                        let ticket = lock.take_ticket();
                        while !lock.wait(ticket, Duration::from_secs(60)) {}
                        // Read and write apart: without the lock, additions would be lost.
                        let before = count.load(Ordering::Relaxed);
                        std::thread::yield_now();
                        count.store(before + 1, Ordering::Relaxed);
                        lock.leave();
                    }
                };
                std::thread::Builder::new().spawn(add).expect("a thread")
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(count.load(Ordering::Relaxed), 800);
    }
}
