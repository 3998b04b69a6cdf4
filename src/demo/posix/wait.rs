//! What is waited at for others: condition variables and barriers.

use super::check;
use super::memory::Place;
use super::mutex::Mutex;
use nix::errno::Errno;
use std::io;
use std::mem::MaybeUninit;

/// A condition variable: no lock, but a place to sleep until somebody says that something has changed.
#[derive(Debug)]
pub(crate) struct Condition {
    place: Place<libc::pthread_cond_t>,
}

impl Condition {
    /// # Errors
    /// The kernel's refusal of the memory.
    pub(crate) fn new() -> io::Result<Self> {
        let place = Place::new()?;
        let mut attr = MaybeUninit::uninit();
        // SAFETY: `attr` is initialised by the first call before the others use it; the condition lies in `place`, zeroed and
        // large enough, and nobody else has it yet.
        #[expect(unsafe_code, reason = "a condition variable that processes share")]
        let made = unsafe {
            check(libc::pthread_condattr_init(attr.as_mut_ptr()))
                .and_then(|()| {
                    check(libc::pthread_condattr_setpshared(attr.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED))
                })
                .and_then(|()| check(libc::pthread_cond_init(place.at(), attr.as_ptr())))
        };
        made?;
        Ok(Self { place })
    }

    /// Gives `held` back, sleeps until it is woken, and has `held` again. It may wake for no reason: whoever calls looks again
    /// at what it waits for (pthread_cond_wait(3p), "spurious wakeups").
    ///
    /// # Errors
    /// EPERM: the mutex is another's.
    pub(crate) fn wait(&self, held: &Mutex) -> Result<(), Errno> {
        // SAFETY: both were made by their `new` and live; the mutex checks whose it is.
        #[expect(unsafe_code, reason = "a condition variable that processes share")]
        check(unsafe { libc::pthread_cond_wait(self.place.at(), held.place.at()) })
    }

    /// Wakes one that sleeps here, if there is one. If there is none, nobody will ever know.
    pub(crate) fn signal(&self) {
        // SAFETY: as for `wait`. The call has no errors on Linux.
        #[expect(unsafe_code, reason = "a condition variable that processes share")]
        unsafe {
            libc::pthread_cond_signal(self.place.at());
        }
    }

    /// Wakes all that sleep here.
    pub(crate) fn broadcast(&self) {
        // SAFETY: as for `signal`.
        #[expect(unsafe_code, reason = "a condition variable that processes share")]
        unsafe {
            libc::pthread_cond_broadcast(self.place.at());
        }
    }
}

/// A barrier: nobody goes on before all have come.
#[derive(Debug)]
pub(crate) struct Barrier {
    place: Place<libc::pthread_barrier_t>,
}

impl Barrier {
    /// For `count` that come.
    ///
    /// # Errors
    /// The kernel's refusal of the memory, or a count of none (EINVAL).
    pub(crate) fn new(count: u32) -> io::Result<Self> {
        let place = Place::new()?;
        let mut attr = MaybeUninit::uninit();
        // SAFETY: as for the condition variable.
        #[expect(unsafe_code, reason = "a barrier that processes share")]
        let made = unsafe {
            check(libc::pthread_barrierattr_init(attr.as_mut_ptr()))
                .and_then(|()| {
                    check(libc::pthread_barrierattr_setpshared(attr.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED))
                })
                .and_then(|()| check(libc::pthread_barrier_init(place.at(), attr.as_ptr(), count)))
        };
        made?;
        Ok(Self { place })
    }

    /// Waits for the others. True for one of them, which may do what is to be done once
    /// (`PTHREAD_BARRIER_SERIAL_THREAD`).
    pub(crate) fn wait(&self) -> bool {
        // SAFETY: the barrier was made by `new` and lives in `place`.
        #[expect(unsafe_code, reason = "a barrier that processes share")]
        let answer = unsafe { libc::pthread_barrier_wait(self.place.at()) };
        answer == libc::PTHREAD_BARRIER_SERIAL_THREAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::posix::Kind;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn who_sleeps_at_a_condition_has_given_the_mutex_back_and_has_it_again() {
        let shared = Arc::new((Mutex::new(Kind::Plain).expect("memory"), Condition::new().expect("memory")));
        let ready = Arc::new(AtomicU32::new(0));
        let (theirs, seen) = (Arc::clone(&shared), Arc::clone(&ready));
        assert_eq!(shared.0.lock(), Ok(()));
        let waker = std::thread::Builder::new().spawn(move || {
            // Only when the other sleeps can this be had.
            assert_eq!(theirs.0.lock(), Ok(()));
            seen.store(1, Ordering::Release);
            theirs.1.signal();
            theirs.1.broadcast();
            assert_eq!(theirs.0.unlock(), Ok(()));
        });
        while ready.load(Ordering::Acquire) == 0 {
            assert_eq!(shared.1.wait(&shared.0), Ok(()));
        }
        assert_eq!(shared.0.unlock(), Ok(()));
        waker.expect("a thread").join().expect("no panic");
    }

    #[test]
    fn a_wait_needs_the_mutex() {
        let (mutex, condition) = (Mutex::new(Kind::Plain).expect("memory"), Condition::new().expect("memory"));
        assert_eq!(condition.wait(&mutex), Err(Errno::EPERM));
    }

    #[test]
    fn nobody_passes_a_barrier_before_all_have_come_and_one_is_told_apart() {
        assert!(Barrier::new(0).is_err());
        let barrier = Arc::new(Barrier::new(3).expect("memory"));
        let come = Arc::new(AtomicU32::new(0));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (barrier, come) = (Arc::clone(&barrier), Arc::clone(&come));
                let pass = move || {
                    let mut told = 0;
                    for round in 1..=50 {
                        come.fetch_add(1, Ordering::AcqRel);
                        told += u32::from(barrier.wait());
                        assert!(come.load(Ordering::Acquire) >= 3 * round);
                    }
                    told
                };
                std::thread::Builder::new().spawn(pass).expect("a thread")
            })
            .collect();
        let told: u32 = threads.into_iter().map(|thread| thread.join().expect("no panic")).sum();
        assert_eq!(told, 50);
    }
}
