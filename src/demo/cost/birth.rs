//! New threads and processes that do nothing: made, ended, and waited for, one after the other.

use super::pingpong::reap;
use super::tiny::Tiny;
use crate::stage::{Role, Worker};
use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use std::cell::OnceCell;
use std::ffi::{CStr, CString, c_void};
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// What is needed to make them, made when it is first needed.
#[derive(Debug)]
pub(super) struct Ward {
    tiny: OnceCell<Result<Tiny, String>>,
}

impl Ward {
    pub(super) fn new() -> Self {
        Self { tiny: OnceCell::new() }
    }

    /// Threads of the C library: neither the standard library's closure nor its name for the thread.
    pub(super) fn threads(times: u32) -> Result<Duration, String> {
        let begun = Instant::now();
        for _ in 0..times {
            thread().map_err(|errno| format!("pthread_create: {} ({errno:?})", errno.desc()))?;
        }
        Ok(begun.elapsed())
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

/// Makes a thread that returns at once, and joins it.
fn thread() -> Result<(), Errno> {
    let done = |errno: libc::c_int| if errno == 0 { Ok(()) } else { Err(Errno::from_raw(errno)) };
    let mut id = MaybeUninit::<libc::pthread_t>::uninit();
    let null = std::ptr::null_mut();
    // SAFETY: the function takes nothing and touches nothing. The id is written before pthread_create returns 0, and read
    // only then; the thread is joined once, by whoever made it.
    #[expect(unsafe_code, reason = "pthread_create(3), pthread_join(3)")]
    unsafe {
        done(libc::pthread_create(id.as_mut_ptr(), std::ptr::null(), nothing, null))?;
        done(libc::pthread_join(id.assume_init(), std::ptr::null_mut()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_made_and_waited_for() {
        let ward = Ward::new();
        assert!(Ward::threads(50).expect("threads") > Duration::ZERO);
        assert!(ward.spawns(5).expect("a program of one page") > Duration::ZERO);
    }

    #[test]
    fn what_cannot_be_executed_says_why() {
        let why = spawn(c"/nowhere/at/all", &[c"x"], 1).expect_err("there is no such file");
        assert!(why.contains("posix_spawn") && why.contains("ENOENT"), "{why}");
    }
}
