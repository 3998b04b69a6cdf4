//! What as many can have as there are permits.

use super::check_errno;
use super::memory::Place;
use nix::errno::Errno;
use std::io;

/// A counting semaphore (sem_overview(7)).
#[derive(Debug)]
pub(crate) struct Semaphore {
    place: Place<libc::sem_t>,
}

impl Semaphore {
    /// With `permits` to give.
    ///
    /// # Errors
    /// The kernel's refusal of the memory, or more permits than `SEM_VALUE_MAX` (EINVAL).
    pub(crate) fn new(permits: u32) -> io::Result<Self> {
        let place = Place::new()?;
        // SAFETY: the semaphore lies in `place`, large enough, and nobody else has it yet.
        #[expect(unsafe_code, reason = "a semaphore that processes share")]
        check_errno(unsafe { libc::sem_init(place.at(), 1, permits) })?;
        Ok(Self { place })
    }

    /// Takes a permit, asleep until there is one.
    ///
    /// # Errors
    /// EINTR: a signal came first.
    pub(crate) fn wait(&self) -> Result<(), Errno> {
        // SAFETY: the semaphore was made by `new` and lives in `place`.
        #[expect(unsafe_code, reason = "a semaphore that processes share")]
        check_errno(unsafe { libc::sem_wait(self.place.at()) })
    }

    /// Takes a permit if there is one.
    ///
    /// # Errors
    /// EAGAIN: there is none.
    pub(crate) fn try_wait(&self) -> Result<(), Errno> {
        // SAFETY: as for `wait`.
        #[expect(unsafe_code, reason = "a semaphore that processes share")]
        check_errno(unsafe { libc::sem_trywait(self.place.at()) })
    }

    /// Gives a permit: anybody may, it has no owner.
    ///
    /// # Errors
    /// EOVERFLOW: more than it can count.
    pub(crate) fn post(&self) -> Result<(), Errno> {
        // SAFETY: as for `wait`.
        #[expect(unsafe_code, reason = "a semaphore that processes share")]
        check_errno(unsafe { libc::sem_post(self.place.at()) })
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
    fn a_semaphore_counts_and_has_no_owner() {
        let semaphore = Arc::new(Semaphore::new(2).expect("memory"));
        assert_eq!((semaphore.wait(), semaphore.try_wait()), (Ok(()), Ok(())));
        assert_eq!(semaphore.try_wait(), Err(Errno::EAGAIN));
        let theirs = Arc::clone(&semaphore);
        assert_eq!(another(move || theirs.post()), Ok(()));
        assert_eq!((semaphore.wait(), semaphore.try_wait()), (Ok(()), Err(Errno::EAGAIN)));
        assert!(Semaphore::new(u32::MAX).is_err());
    }
}
