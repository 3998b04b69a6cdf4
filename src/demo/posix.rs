//! The locks of POSIX, in memory that processes share: mutex, read-write lock, spinlock, semaphore, condition variable,
//! barrier. For demos about them; knows no demo.
//!
//! Those of the standard library lie in one process's memory. The C library's can be made for several processes
//! (`PTHREAD_PROCESS_SHARED`), and are the ones that pthreads(7), `strace` and every textbook speak of. Threads use the same,
//! so that threads and processes can be compared.
//!
//! Waits are those of the calls themselves, without an end. Who waits for a lock whose owner is gone is ended with its process.

mod memory;
mod semaphore;
mod wait;

pub(super) use memory::{Kind, Mutex, Prefer, RwLock, Spin};
pub(super) use semaphore::Semaphore;
pub(super) use wait::{Barrier, Condition};

use nix::errno::Errno;

fn check(errno: libc::c_int) -> Result<(), Errno> {
    if errno == 0 { Ok(()) } else { Err(Errno::from_raw(errno)) }
}

/// The same for calls that answer -1 and say why in `errno`.
fn check_errno(answer: libc::c_int) -> Result<(), Errno> {
    Errno::result(answer).map(drop)
}
