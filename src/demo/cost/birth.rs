//! New threads and processes that do nothing: made, ended, and waited for, one after the other.

use super::pingpong::reap;
use super::tiny::Tiny;
use crate::demo::area::Area;
use crate::stage::{Role, Worker, now};
use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use std::cell::OnceCell;
use std::ffi::{CStr, CString, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// What is needed to make them, made when it is first needed.
#[derive(Debug)]
pub(super) struct Ward {
    tiny: OnceCell<Result<Tiny, String>>,
    /// The first word: when who ends looked at the clock for the last time.
    last: Area,
}

impl Ward {
    /// # Errors
    /// The kernel's refusal of a shared page.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { tiny: OnceCell::new(), last: Area::shared(1)? })
    }

    /// Threads of the C library: neither the standard library's closure nor its name for the thread.
    pub(super) fn threads(times: u32) -> Result<Duration, String> {
        let begun = Instant::now();
        for _ in 0..times {
            thread(nothing, std::ptr::null_mut())?;
        }
        Ok(begun.elapsed())
    }

    /// How long such threads take to end, one after the other.
    pub(super) fn thread_ends(&self, times: u32) -> Result<Duration, String> {
        let word = std::ptr::from_ref(self.last.word(0)).cast_mut().cast();
        let mut took = 0;
        for _ in 0..times {
            thread(stamp, word)?;
            took += self.since_the_last();
        }
        Ok(Duration::from_nanos(took))
    }

    /// How long forked processes take to end, one after the other.
    pub(super) fn fork_ends(&self, worker: &Worker, times: u32) -> Result<Duration, String> {
        let mut took = 0;
        for _ in 0..times {
            let child = |_: &Worker| {
                self.last.word(0).store(now().0, Relaxed);
                0
            };
            let pid = worker.fork(child).map_err(|refused| refused.to_string())?;
            reap(pid.0)?;
            took += self.since_the_last();
        }
        Ok(Duration::from_nanos(took))
    }

    fn since_the_last(&self) -> u64 {
        now().0.saturating_sub(self.last.word(0).load(Relaxed))
    }

    /// Processes that execute the smallest program.
    pub(super) fn spawns(&self, times: u32) -> Result<Duration, String> {
        let tiny = self.tiny.get_or_init(|| Tiny::new().map_err(|error| error.to_string()));
        spawn(tiny.as_ref()?.path(), &[c"tiny"], times)
    }
}

/// Processes that are copies of this one and end at once.
pub(super) fn forks(worker: &Worker, times: u32) -> Result<Duration, String> {
    let begun = Instant::now();
    for _ in 0..times {
        let pid = worker.fork(|_| 0).map_err(|refused| refused.to_string())?;
        reap(pid.0)?;
    }
    Ok(begun.elapsed())
}

/// Processes that execute this program, which ends at once in that part.
pub(super) fn programs(times: u32) -> Result<Duration, String> {
    let part = CString::new(Role::Nothing.argument()).map_err(|error| error.to_string())?;
    spawn(c"/proc/self/exe", &[c"forklore", &part], times)
}

/// Processes that execute a program with `posix_spawn`: like vfork(2), the parent waits until the other has its own memory,
/// and none of the parent's is copied.
fn spawn(path: &CStr, args: &[&CStr], times: u32) -> Result<Duration, String> {
    let refused = |errno: Errno| format!("posix_spawn: {} ({errno:?})", errno.desc());
    let actions = PosixSpawnFileActions::init().map_err(refused)?;
    let attributes = PosixSpawnAttr::init().map_err(refused)?;
    let nobody: [&CStr; 0] = [];
    let begun = Instant::now();
    for _ in 0..times {
        let pid = posix_spawn(path, &actions, &attributes, args, &nobody).map_err(refused)?;
        reap(pid.as_raw().unsigned_abs())?;
    }
    Ok(begun.elapsed())
}

extern "C" fn nothing(_: *mut c_void) -> *mut c_void {
    std::ptr::null_mut()
}

/// Its last deed is a look at the clock.
extern "C" fn stamp(word: *mut c_void) -> *mut c_void {
    // SAFETY: `thread_ends` hands over a word of a page that it holds until the thread is joined; all touch it atomically.
    #[expect(unsafe_code, reason = "what a thread of the C library is given is a pointer")]
    let word = unsafe { &*word.cast::<AtomicU64>() };
    word.store(now().0, Relaxed);
    std::ptr::null_mut()
}

/// Makes a thread that does next to nothing, and joins it.
fn thread(part: extern "C" fn(*mut c_void) -> *mut c_void, with: *mut c_void) -> Result<(), String> {
    let done = |call: &str, errno: libc::c_int| match errno {
        0 => Ok(()),
        errno => Err(format!("{call}: {} ({:?})", Errno::from_raw(errno).desc(), Errno::from_raw(errno))),
    };
    let mut id = MaybeUninit::<libc::pthread_t>::uninit();
    // SAFETY: both parts touch nothing but what they are given, which outlives the thread. The id is written before
    // pthread_create returns 0, and read only then; the thread is joined once, by whoever made it.
    #[expect(unsafe_code, reason = "pthread_create(3), pthread_join(3)")]
    unsafe {
        done("pthread_create", libc::pthread_create(id.as_mut_ptr(), std::ptr::null(), part, with))?;
        done("pthread_join", libc::pthread_join(id.assume_init(), std::ptr::null_mut()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_made_and_waited_for() {
        let ward = Ward::new().expect("a shared page");
        assert!(Ward::threads(50).expect("threads") > Duration::ZERO);
        let (whole, end) = (Ward::threads(50).expect("threads"), ward.thread_ends(50).expect("threads"));
        assert!(end > Duration::ZERO && end < whole * 100, "{end:?} of {whole:?}");
        assert!(ward.spawns(5).expect("a program of one page") > Duration::ZERO);
    }

    #[test]
    fn what_cannot_be_executed_says_why() {
        let why = spawn(c"/nowhere/at/all", &[c"x"], 1).expect_err("there is no such file");
        assert!(why.contains("posix_spawn") && why.contains("ENOENT"), "{why}");
    }
}
