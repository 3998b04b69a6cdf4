//! A holds two locks in shared memory, is in the middle of a change there, and is killed. B waits for the robust lock and is
//! told that its owner died; C tries the plain one and would wait for ever.
//!
//! `unsafe` for the two mutexes: a lock between processes lies in memory that all of them map, and only the C library has one
//! that is robust (pthread_mutexattr_setrobust(3)).

use super::row;
use crate::demo::script::{Over, pass, realtime_in, step, until_worker};
use crate::fact::{As, Nanos, Unavailable};
use crate::stage::{Settings, Stage, Target, Worker, now};
use anyhow::Context;
use memmap2::{MmapOptions, MmapRaw};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use serde_json::json;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// After so long C gives up. A lock whose owner is dead could be waited for until the machine is switched off.
const GIVE_UP: Duration = Duration::from_millis(800);

const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn play(stage: &mut Stage, after: Duration) -> Result<(), Over> {
    let shared = Arc::new(Shared::new().context("two locks in shared memory")?);
    let settings = Settings::default();
    let (theirs, others, last) = (Arc::clone(&shared), Arc::clone(&shared), Arc::clone(&shared));
    let a = stage.enter_named("A", As::Processes, &settings, move |worker| own(worker, &theirs))?;
    if !until_worker(stage, a, PATIENCE, |stage| stage.work(a) > 0)? {
        return Err(Unavailable::new("a lock that is held", "A did not get it").into());
    }
    let b = stage.enter_named("B", As::Processes, &settings, move |worker| inherit(worker, &others))?;
    let c = stage.enter_named("C", As::Processes, &settings, move |worker| give_up(worker, &last))?;
    pass(stage, after)?;
    let Some(owner) = stage.cast().get(a).and_then(|entry| Target::open(entry.pid)) else { return Ok(()) };
    step(stage, "struck");
    shared.word(Word::Struck).store(now().0, Ordering::Release);
    let _ = owner.signal(rustix::process::Signal::KILL);
    until_worker(stage, b, PATIENCE, |stage| stage.work(b) > 0)?;
    stage.order(c, TRY);
    until_worker(stage, c, GIVE_UP + PATIENCE, |stage| stage.work(c) > 0)?;
    Ok(())
}

/// C's order to try.
const TRY: u64 = 1;

/// A: takes both locks, changes one of two words that belong together, and gets no further.
fn own(worker: &Worker, shared: &Shared) {
    if shared.lock(Lock::Robust) != Ok(()) || shared.lock(Lock::Plain) != Ok(()) {
        return;
    }
    shared.word(Word::Left).fetch_add(1, Ordering::AcqRel);
    worker.set_work(1);
    while worker.wait(0, Duration::from_secs(60)) == 0 {}
    shared.word(Word::Right).fetch_add(1, Ordering::AcqRel);
    let _ = (shared.unlock(Lock::Robust), shared.unlock(Lock::Plain));
}

/// B: waits for the robust lock, and puts in order what it finds.
fn inherit(worker: &Worker, shared: &Shared) {
    let came = shared.lock(Lock::Robust);
    let took = now().since(Nanos(shared.word(Word::Struck).load(Ordering::Acquire)));
    let word = |word| shared.word(word).load(Ordering::Acquire);
    let half = word(Word::Left) != word(Word::Right);
    let mut recovered = false;
    if came == Err(Errno::EOWNERDEAD) {
        shared.word(Word::Right).store(word(Word::Left), Ordering::Release);
        let mended = shared.consistent() == Ok(()) && shared.unlock(Lock::Robust) == Ok(());
        recovered = mended && shared.lock(Lock::Robust) == Ok(());
    }
    let _ = shared.unlock(Lock::Robust);
    if worker.order() == Worker::HALT {
        return;
    }
    let (reached, record) = (name(came), if half { "a half-made record" } else { "a whole record" });
    let got = match (came, recovered) {
        (Err(Errno::EOWNERDEAD), true) => {
            format!("has the lock, and is told that its owner died; found {record}, mended it")
        }
        (Err(Errno::EOWNERDEAD), false) => format!("has the lock, and is told; found {record}, could not mend it"),
        _ => format!("has the lock, and was told nothing; found {record}"),
    };
    let did = "died with it";
    let values = json!({
        "did": did, "reached": reached, "got": got, "alive": true, "recovered": recovered, "took": took.0, "half_made": half,
    });
    worker.tell(row("robust lock", values));
    worker.set_work(1);
    while worker.wait(0, Duration::from_secs(60)) == 0 {}
}

/// C: tries the plain lock, and gives up in the end.
fn give_up(worker: &Worker, shared: &Shared) {
    while worker.wait(0, Duration::from_secs(60)) == 0 {}
    if worker.order() != TRY {
        return;
    }
    worker.done_with_order(TRY);
    let came = shared.lock_within(Lock::Plain, GIVE_UP);
    let got = match came {
        Ok(()) => "has the lock".to_owned(),
        Err(errno) => format!("{errno:?} after {} ms: it would have waited for ever", GIVE_UP.as_millis()),
    };
    worker.tell(row(
        "plain lock",
        json!({
            "did": "the same", "reached": name(came), "got": got, "alive": true, "recovered": false,
        }),
    ));
    worker.set_work(1);
    while worker.wait(0, Duration::from_secs(60)) == 0 {}
}

fn name(came: Result<(), Errno>) -> String {
    came.map_or_else(|errno| format!("{errno:?}"), |()| "nothing".to_owned())
}

#[derive(Debug, Clone, Copy)]
enum Lock {
    Robust,
    Plain,
}

#[derive(Debug, Clone, Copy)]
enum Word {
    Left,
    Right,
    Struck,
}

#[repr(C)]
struct Layout {
    locks: [libc::pthread_mutex_t; 2],
    words: [AtomicU64; 3],
}

/// Two mutexes and three words, mapped by all processes that come after.
#[derive(Debug)]
struct Shared {
    map: MmapRaw,
}

impl Shared {
    fn new() -> std::io::Result<Self> {
        let size = size_of::<Layout>();
        let fd = memfd_create(c"forklore-locks", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        nix::unistd::ftruncate(&fd, i64::try_from(size).map_err(std::io::Error::other)?)?;
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
        fcntl(&fd, FcntlArg::F_ADD_SEALS(seals))?;
        let shared = Self { map: MmapOptions::new().len(size).map_raw(&std::fs::File::from(fd))? };
        shared.make(Lock::Robust, libc::PTHREAD_MUTEX_ROBUST)?;
        shared.make(Lock::Plain, libc::PTHREAD_MUTEX_STALLED)?;
        Ok(shared)
    }

    fn layout(&self) -> *mut Layout {
        self.map.as_mut_ptr().cast()
    }

    fn word(&self, word: Word) -> &AtomicU64 {
        // SAFETY: the mapping begins at a page, is as large as the layout, cannot shrink, and lives as long as `self`. Zero is
        // a value of an atomic word, and all processes use it as one.
        #[expect(unsafe_code, reason = "words that several processes write")]
        unsafe {
            &(&(*self.layout()).words)[word as usize]
        }
    }

    fn mutex(&self, lock: Lock) -> *mut libc::pthread_mutex_t {
        // SAFETY: as for `word`; only an address is made.
        #[expect(unsafe_code, reason = "a mutex in shared memory")]
        unsafe {
            (&raw mut (*self.layout()).locks).cast::<libc::pthread_mutex_t>().add(lock as usize)
        }
    }

    fn make(&self, lock: Lock, robust: libc::c_int) -> std::io::Result<()> {
        let mut kind = MaybeUninit::uninit();
        // SAFETY: `kind` is initialised by the first call before the others use it; the mutex lies in the mapping, and no
        // other process has it yet.
        #[expect(unsafe_code, reason = "a mutex that processes share")]
        let refused = unsafe {
            libc::pthread_mutexattr_init(kind.as_mut_ptr());
            libc::pthread_mutexattr_setpshared(kind.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED);
            let refused = libc::pthread_mutexattr_setrobust(kind.as_mut_ptr(), robust);
            if refused == 0 { libc::pthread_mutex_init(self.mutex(lock), kind.as_ptr()) } else { refused }
        };
        if refused == 0 { Ok(()) } else { Err(std::io::Error::from_raw_os_error(refused)) }
    }

    fn lock(&self, lock: Lock) -> Result<(), Errno> {
        // SAFETY: the mutex was made by `new` and lives in the mapping.
        #[expect(unsafe_code, reason = "a mutex in shared memory")]
        check(unsafe { libc::pthread_mutex_lock(self.mutex(lock)) })
    }

    fn lock_within(&self, lock: Lock, patience: Duration) -> Result<(), Errno> {
        let until = realtime_in(patience);
        // SAFETY: as for `lock`; the moment lives through the call.
        #[expect(unsafe_code, reason = "a mutex in shared memory")]
        check(unsafe { libc::pthread_mutex_timedlock(self.mutex(lock), &raw const until) })
    }

    fn consistent(&self) -> Result<(), Errno> {
        // SAFETY: as for `lock`; whoever calls holds the robust mutex.
        #[expect(unsafe_code, reason = "a mutex in shared memory")]
        check(unsafe { libc::pthread_mutex_consistent(self.mutex(Lock::Robust)) })
    }

    fn unlock(&self, lock: Lock) -> Result<(), Errno> {
        // SAFETY: as for `lock`. One that this thread does not hold is refused or, if plain, was locked by it just before.
        #[expect(unsafe_code, reason = "a mutex in shared memory")]
        check(unsafe { libc::pthread_mutex_unlock(self.mutex(lock)) })
    }
}

fn check(errno: libc::c_int) -> Result<(), Errno> {
    if errno == 0 { Ok(()) } else { Err(Errno::from_raw(errno)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locks_lock_and_a_wait_has_an_end() {
        let shared = Shared::new().expect("shared memory");
        assert_eq!((shared.lock(Lock::Robust), shared.lock(Lock::Plain)), (Ok(()), Ok(())));
        assert_eq!(shared.lock_within(Lock::Plain, Duration::from_millis(2)), Err(Errno::ETIMEDOUT));
        assert_eq!((shared.unlock(Lock::Plain), shared.unlock(Lock::Robust)), (Ok(()), Ok(())));
        assert_eq!(shared.lock_within(Lock::Robust, Duration::from_secs(1)), Ok(()));
        assert_eq!(shared.unlock(Lock::Robust), Ok(()));
        assert_eq!(shared.word(Word::Left).fetch_add(1, Ordering::AcqRel), 0);
    }

    #[test]
    fn who_dies_with_a_robust_lock_hands_it_on() {
        let shared = Arc::new(Shared::new().expect("shared memory"));
        let theirs = Arc::clone(&shared);
        // To the C library a thread that ends is an owner that died.
        let owner = std::thread::Builder::new().spawn(move || theirs.lock(Lock::Robust)).expect("a thread");
        assert_eq!(owner.join().expect("no panic"), Ok(()));
        assert_eq!(shared.lock(Lock::Robust), Err(Errno::EOWNERDEAD));
        assert_eq!((shared.consistent(), shared.unlock(Lock::Robust)), (Ok(()), Ok(())));
        assert_eq!((shared.lock(Lock::Robust), shared.unlock(Lock::Robust)), (Ok(()), Ok(())));
    }
}
