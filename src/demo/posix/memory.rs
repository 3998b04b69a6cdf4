//! Objects of the C library in shared memory, and those that are asked for, had and given back.

use super::check;
use crate::demo::script::realtime_in;
use memmap2::{MmapOptions, MmapRaw};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;
use std::io;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::time::Duration;

/// Memory for one object of the C library. Processes that are forked later have the same one. Its size is sealed: nobody can
/// cut it short, which would end the others by SIGBUS.
#[derive(Debug)]
pub(super) struct Place<T> {
    map: MmapRaw,
    holds: PhantomData<fn() -> T>,
}

impl<T> Place<T> {
    pub(super) fn new() -> io::Result<Self> {
        let size = i64::try_from(size_of::<T>()).map_err(io::Error::other)?;
        let fd = memfd_create(c"forklore-lock", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        ftruncate(&fd, size)?;
        fcntl(&fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL))?;
        let map = MmapOptions::new().len(size_of::<T>()).map_raw(&std::fs::File::from(fd))?;
        Ok(Self { map, holds: PhantomData })
    }

    /// Where the object lies: at the beginning of a page, for as long as `self` lives.
    pub(super) fn at(&self) -> *mut T {
        self.map.as_mut_ptr().cast()
    }
}

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

    /// Takes it if that is possible at once. Who goes round until it is ends when it likes, as it cannot in
    /// `pthread_spin_lock`.
    pub(crate) fn try_lock(&self) -> bool {
        // SAFETY: the lock was made by `new` and lives in `place`.
        #[expect(unsafe_code, reason = "a spinlock that processes share")]
        let answer = unsafe { libc::pthread_spin_trylock(self.place.at()) };
        answer == 0
    }

    /// Gives it back. It does not know whose it is.
    pub(crate) fn unlock(&self) {
        // SAFETY: as for `try_lock`. Unlocking what another has locked frees it; memory stays whole.
        #[expect(unsafe_code, reason = "a spinlock that processes share")]
        unsafe {
            libc::pthread_spin_unlock(self.place.at());
        }
    }
}

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
