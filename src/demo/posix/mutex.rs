//! What one at a time can have: a mutex, whose waiters sleep, and a spinlock, whose waiters do not.

use super::check;
use super::memory::Place;
use crate::demo::script::realtime_in;
use nix::errno::Errno;
use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

/// What a mutex does when its owner dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing: whoever waits, waits for ever.
    Plain,
    /// The next one has it, and is told (EOWNERDEAD; pthread_mutexattr_setrobust(3)).
    Robust,
}

/// A mutex that says no to who unlocks what it has not locked (EPERM) and to who locks twice (EDEADLK).
#[derive(Debug)]
pub(crate) struct Mutex {
    pub(super) place: Place<libc::pthread_mutex_t>,
}

impl Mutex {
    /// # Errors
    /// The kernel's refusal of the memory, or the C library's of a robust mutex.
    pub(crate) fn new(kind: Kind) -> io::Result<Self> {
        let place = Place::new()?;
        let robust = match kind {
            Kind::Plain => libc::PTHREAD_MUTEX_STALLED,
            Kind::Robust => libc::PTHREAD_MUTEX_ROBUST,
        };
        let mut attr = MaybeUninit::uninit();
        // SAFETY: `attr` is initialised by the first call before the others use it; the mutex lies in `place`, zeroed and large
        // enough, and nobody else has it yet.
        #[expect(unsafe_code, reason = "a mutex that processes share")]
        let made = unsafe {
            check(libc::pthread_mutexattr_init(attr.as_mut_ptr()))
                .and_then(|()| {
                    check(libc::pthread_mutexattr_setpshared(attr.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED))
                })
                .and_then(|()| {
                    check(libc::pthread_mutexattr_settype(attr.as_mut_ptr(), libc::PTHREAD_MUTEX_ERRORCHECK))
                })
                .and_then(|()| check(libc::pthread_mutexattr_setrobust(attr.as_mut_ptr(), robust)))
                .and_then(|()| check(libc::pthread_mutex_init(place.at(), attr.as_ptr())))
        };
        made?;
        Ok(Self { place })
    }

    /// Locks it, asleep until it is free.
    ///
    /// # Errors
    /// EOWNERDEAD: it is ours, and its last owner died with it ([`Mutex::consistent`] is due). EDEADLK: it is ours already.
    /// ENOTRECOVERABLE: nobody put it in order.
    pub(crate) fn lock(&self) -> Result<(), Errno> {
        // SAFETY: the mutex was made by `new` and lives in `place`.
        #[expect(unsafe_code, reason = "a mutex that processes share")]
        check(unsafe { libc::pthread_mutex_lock(self.place.at()) })
    }

    /// Locks it if that is possible at once.
    ///
    /// # Errors
    /// EBUSY: somebody has it. Otherwise as [`Mutex::lock`].
    pub(crate) fn try_lock(&self) -> Result<(), Errno> {
        // SAFETY: as for `lock`.
        #[expect(unsafe_code, reason = "a mutex that processes share")]
        check(unsafe { libc::pthread_mutex_trylock(self.place.at()) })
    }

    /// Locks it if it becomes free within `patience`.
    ///
    /// # Errors
    /// ETIMEDOUT. Otherwise as [`Mutex::lock`].
    pub(crate) fn lock_within(&self, patience: Duration) -> Result<(), Errno> {
        let until = realtime_in(patience);
        // SAFETY: as for `lock`; the moment lives through the call.
        #[expect(unsafe_code, reason = "a mutex that processes share")]
        check(unsafe { libc::pthread_mutex_timedlock(self.place.at(), &raw const until) })
    }

    /// Gives it back.
    ///
    /// # Errors
    /// EPERM: it is another's.
    pub(crate) fn unlock(&self) -> Result<(), Errno> {
        // SAFETY: as for `lock`; this kind checks whose it is.
        #[expect(unsafe_code, reason = "a mutex that processes share")]
        check(unsafe { libc::pthread_mutex_unlock(self.place.at()) })
    }

    /// Says that what a dead owner left half done is in order again.
    ///
    /// # Errors
    /// EINVAL: no owner of it died.
    pub(crate) fn consistent(&self) -> Result<(), Errno> {
        // SAFETY: as for `lock`.
        #[expect(unsafe_code, reason = "a mutex that processes share")]
        check(unsafe { libc::pthread_mutex_consistent(self.place.at()) })
    }
}

/// A spinlock: who waits goes round a loop (pthread_spin_lock(3)).
#[derive(Debug)]
pub(crate) struct Spin {
    place: Place<libc::pthread_spinlock_t>,
}

impl Spin {
    /// # Errors
    /// The kernel's refusal of the memory.
    pub(crate) fn new() -> io::Result<Self> {
        let place = Place::new()?;
        // SAFETY: the lock lies in `place`, large enough, and nobody else has it yet.
        #[expect(unsafe_code, reason = "a spinlock that processes share")]
        check(unsafe { libc::pthread_spin_init(place.at(), libc::PTHREAD_PROCESS_SHARED) })?;
        Ok(Self { place })
    }

    /// Takes it, going round until it is free.
    pub(crate) fn lock(&self) {
        // SAFETY: the lock was made by `new` and lives in `place`. The call has no errors on Linux.
        #[expect(unsafe_code, reason = "a spinlock that processes share")]
        unsafe {
            libc::pthread_spin_lock(self.place.at());
        }
    }

    /// Takes it if that is possible at once.
    pub(crate) fn try_lock(&self) -> bool {
        // SAFETY: as for `lock`.
        #[expect(unsafe_code, reason = "a spinlock that processes share")]
        let answer = unsafe { libc::pthread_spin_trylock(self.place.at()) };
        answer == 0
    }

    /// Gives it back. It does not know whose it is.
    pub(crate) fn unlock(&self) {
        // SAFETY: as for `lock`. Unlocking what another has locked frees it; memory stays whole.
        #[expect(unsafe_code, reason = "a spinlock that processes share")]
        unsafe {
            libc::pthread_spin_unlock(self.place.at());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// What `ask` is answered in another thread.
    fn another<T: Send + 'static>(ask: impl FnOnce() -> T + Send + 'static) -> T {
        std::thread::Builder::new().spawn(ask).expect("a thread").join().expect("no panic")
    }

    #[test]
    fn a_mutex_knows_whose_it_is() {
        let mutex = Arc::new(Mutex::new(Kind::Plain).expect("memory"));
        assert_eq!((mutex.lock(), mutex.lock()), (Ok(()), Err(Errno::EDEADLK)));
        let theirs = Arc::clone(&mutex);
        let found = another(move || (theirs.try_lock(), theirs.lock_within(Duration::from_millis(2)), theirs.unlock()));
        assert_eq!(found, (Err(Errno::EBUSY), Err(Errno::ETIMEDOUT), Err(Errno::EPERM)));
        assert_eq!((mutex.unlock(), mutex.unlock()), (Ok(()), Err(Errno::EPERM)));
    }

    #[test]
    fn who_dies_with_a_robust_mutex_hands_it_on() {
        let mutex = Arc::new(Mutex::new(Kind::Robust).expect("memory"));
        let theirs = Arc::clone(&mutex);
        // To the C library a thread that ends is an owner that died.
        assert_eq!(another(move || theirs.lock()), Ok(()));
        assert_eq!(mutex.lock(), Err(Errno::EOWNERDEAD));
        assert_eq!((mutex.consistent(), mutex.unlock()), (Ok(()), Ok(())));
        assert_eq!((mutex.lock(), mutex.unlock(), mutex.consistent()), (Ok(()), Ok(()), Err(Errno::EINVAL)));
    }

    #[test]
    fn a_spinlock_has_room_for_one() {
        let spin = Spin::new().expect("memory");
        assert!(spin.try_lock());
        assert!(!spin.try_lock());
        spin.unlock();
        assert!(spin.try_lock());
    }
}
