//! What many can have to read, and one to write.

use super::check;
use super::memory::Place;
use nix::errno::Errno;
use std::io;
use std::mem::MaybeUninit;

/// Who goes first at a read-write lock (pthread_rwlockattr_setkind_np(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefer {
    /// A reader gets in beside other readers even while a writer waits: the C library's default.
    Readers,
    /// Once a writer waits, new readers wait behind it.
    Writers,
}

/// A read-write lock.
#[derive(Debug)]
pub(crate) struct RwLock {
    place: Place<libc::pthread_rwlock_t>,
}

/// `PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP` of glibc's pthread.h, and the call that takes it.
#[cfg(target_env = "gnu")]
mod glibc {
    pub(super) const PREFER_WRITER_NONRECURSIVE: libc::c_int = 2;

    #[expect(unsafe_code, reason = "a call of glibc that the libc crate does not declare")]
    unsafe extern "C" {
        pub(super) fn pthread_rwlockattr_setkind_np(
            attr: *mut libc::pthread_rwlockattr_t,
            kind: libc::c_int,
        ) -> libc::c_int;
    }
}

/// Lets writers go first. Other C libraries than glibc have no such choice: ENOSYS.
fn prefer_writers(attr: &mut MaybeUninit<libc::pthread_rwlockattr_t>) -> Result<(), Errno> {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: whoever calls has initialised `attr`; the declaration is that of glibc's pthread.h.
        #[expect(unsafe_code, reason = "a call of glibc that the libc crate does not declare")]
        check(unsafe { glibc::pthread_rwlockattr_setkind_np(attr.as_mut_ptr(), glibc::PREFER_WRITER_NONRECURSIVE) })
    }
    #[cfg(not(target_env = "gnu"))]
    {
        let _ = attr;
        Err(Errno::ENOSYS)
    }
}

impl RwLock {
    /// # Errors
    /// The kernel's refusal of the memory; ENOSYS where the C library cannot let writers go first.
    pub(crate) fn new(prefer: Prefer) -> io::Result<Self> {
        let place = Place::new()?;
        let mut attr = MaybeUninit::uninit();
        // SAFETY: `attr` is initialised by the first call before the others use it; the lock lies in `place`, zeroed and large
        // enough, and nobody else has it yet.
        #[expect(unsafe_code, reason = "a lock that processes share")]
        let made = unsafe {
            check(libc::pthread_rwlockattr_init(attr.as_mut_ptr()))
                .and_then(|()| {
                    check(libc::pthread_rwlockattr_setpshared(attr.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED))
                })
                .and_then(|()| match prefer {
                    Prefer::Readers => Ok(()),
                    Prefer::Writers => prefer_writers(&mut attr),
                })
                .and_then(|()| check(libc::pthread_rwlock_init(place.at(), attr.as_ptr())))
        };
        made?;
        Ok(Self { place })
    }

    /// Asks to read: with others who read.
    ///
    /// # Errors
    /// EDEADLK: this thread writes.
    pub(crate) fn read(&self) -> Result<(), Errno> {
        // SAFETY: the lock was made by `new` and lives in `place`.
        #[expect(unsafe_code, reason = "a lock that processes share")]
        check(unsafe { libc::pthread_rwlock_rdlock(self.place.at()) })
    }

    /// Reads if that is possible at once.
    ///
    /// # Errors
    /// EBUSY: somebody writes, or a writer waits and goes first.
    pub(crate) fn try_read(&self) -> Result<(), Errno> {
        // SAFETY: as for `read`.
        #[expect(unsafe_code, reason = "a lock that processes share")]
        check(unsafe { libc::pthread_rwlock_tryrdlock(self.place.at()) })
    }

    /// Asks to write: alone.
    ///
    /// # Errors
    /// EDEADLK: this thread writes already.
    pub(crate) fn write(&self) -> Result<(), Errno> {
        // SAFETY: as for `read`.
        #[expect(unsafe_code, reason = "a lock that processes share")]
        check(unsafe { libc::pthread_rwlock_wrlock(self.place.at()) })
    }

    /// Writes if that is possible at once.
    ///
    /// # Errors
    /// EBUSY: somebody reads or writes.
    pub(crate) fn try_write(&self) -> Result<(), Errno> {
        // SAFETY: as for `read`.
        #[expect(unsafe_code, reason = "a lock that processes share")]
        check(unsafe { libc::pthread_rwlock_trywrlock(self.place.at()) })
    }

    /// Gives it back. Only who reads or writes may.
    ///
    /// # Errors
    /// None that Linux tells.
    pub(crate) fn unlock(&self) -> Result<(), Errno> {
        // SAFETY: as for `read`; the demos give back only what they have.
        #[expect(unsafe_code, reason = "a lock that processes share")]
        check(unsafe { libc::pthread_rwlock_unlock(self.place.at()) })
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
    fn many_read_and_one_writes() {
        for prefer in [Prefer::Readers, Prefer::Writers] {
            let lock = Arc::new(RwLock::new(prefer).expect("memory"));
            assert_eq!((lock.read(), lock.try_read(), lock.try_write()), (Ok(()), Ok(()), Err(Errno::EBUSY)));
            assert_eq!((lock.unlock(), lock.unlock(), lock.write()), (Ok(()), Ok(()), Ok(())));
            let theirs = Arc::clone(&lock);
            assert_eq!(another(move || theirs.try_read()), Err(Errno::EBUSY));
            assert_eq!(lock.unlock(), Ok(()));
        }
    }

    #[test]
    fn a_waiting_writer_keeps_readers_out_only_where_it_goes_first() {
        for (prefer, comes_in) in [(Prefer::Readers, Ok(())), (Prefer::Writers, Err(Errno::EBUSY))] {
            let lock = Arc::new(RwLock::new(prefer).expect("memory"));
            assert_eq!(lock.read(), Ok(()));
            let theirs = Arc::clone(&lock);
            let (send, tid) = std::sync::mpsc::channel();
            let writer = std::thread::Builder::new().spawn(move || {
                send.send(rustix::thread::gettid().as_raw_nonzero().get()).expect("the test waits");
                assert_eq!((theirs.write(), theirs.unlock()), (Ok(()), Ok(())));
            });
            let task = format!("/proc/self/task/{}/stat", tid.recv().expect("it runs"));
            // It waits in the lock as soon as it sleeps: nothing else that it does could.
            while !std::fs::read_to_string(&task).expect("it runs").contains(") S ") {
                std::thread::yield_now();
            }
            let other = Arc::clone(&lock);
            let found = another(move || other.try_read().and_then(|()| other.unlock()));
            assert_eq!(found, comes_in, "{prefer:?}");
            assert_eq!(lock.unlock(), Ok(()));
            writer.expect("a thread").join().expect("no panic");
        }
    }
}
