//! Where processes are made: the few calls that need `unsafe`, each with its argument.

use super::Role;
use crate::fact::{Pid, Unavailable};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use nix::unistd::{ForkResult, fork};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command, Stdio};

/// This program, to be started again in another role. /proc/self/exe is the running file itself, even where it was
/// replaced on disk meanwhile.
pub(super) fn again(role: Role) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(role.argument());
    // Demos panic and run out of memory on purpose. Resolving a backtrace takes a second, and memory that is not there.
    command.env("RUST_BACKTRACE", "0");
    // The screen's own economy with addresses is none of the demo's, which shows what is usual.
    command.env_remove("MALLOC_ARENA_MAX");
    command
}

/// Starts `command` with the three standard descriptors given.
///
/// # Errors
/// In the learner's words, the errno named.
pub(super) fn spawn(mut command: Command, what: &str, stdio: [Stdio; 3]) -> Result<Child, Unavailable> {
    let [input, output, error] = stdio;
    command.stdin(input).stdout(output).stderr(error);
    command.spawn().map_err(|e| cannot_start(what, &e))
}

/// The sentence for a process or thread that could not be made.
pub(super) fn cannot_start(what: &str, error: &std::io::Error) -> Unavailable {
    let what = format!("cannot start {what}");
    if error.raw_os_error() == Some(libc::EAGAIN) {
        Unavailable::new(what, "a limit on the number of tasks is reached (EAGAIN)")
            .remedy("Close other programs, or raise ulimit -u or the cgroup's pids.max")
    } else {
        Unavailable::new(what, error.to_string())
    }
}

/// Takes over the descriptor `number` that this process was started with.
pub(super) fn inherited(number: RawFd) -> std::io::Result<OwnedFd> {
    // SAFETY: the warden passes the numbers of descriptors that it leaves open for this process alone; nothing else
    // here owns them, and each is taken once, first thing.
    #[expect(unsafe_code, reason = "a descriptor that was inherited by number")]
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    // Fails for a number that is not open, before anything is done with it.
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    Ok(fd)
}

/// Closes every descriptor above the standard three but `keep`. One that leaked into the shell which started the program
/// must not end up in a demo.
pub(super) fn close_all_but(mut keep: [RawFd; 3]) {
    keep.sort_unstable();
    let mut from = 3;
    for fd in keep.into_iter().map(RawFd::unsigned_abs).chain([u32::MAX]) {
        if from < fd {
            // SAFETY: called by the leader before it has opened anything: what it owns is in `keep`, and the standard
            // three are below the range.
            #[expect(unsafe_code, reason = "close_range(2)")]
            let _ = unsafe { libc::close_range(from, fd - 1, 0) };
        }
        from = fd.saturating_add(1);
    }
}

/// Puts every signal back to its default and unblocks all: dispositions and masks are inherited over exec, a parent's
/// `nohup` as well.
pub(super) fn default_signals() {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in Signal::iterator().filter(|s| !matches!(s, Signal::SIGKILL | Signal::SIGSTOP)) {
        // SAFETY: SIG_DFL runs no code of ours. Rust's own handler for stack overflow is meant to go: a demo's
        // overflow shall end by SIGSEGV, as it would in a program in C.
        // Only a signal that this kernel does not know is refused.
        #[expect(unsafe_code, reason = "signal dispositions are process-wide")]
        let _ = unsafe { sigaction(signal, &default) };
    }
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
}

/// Puts this process under the ordinary scheduling policy, whatever the shell that began it all had (`chrt`): spinning
/// workers under a real-time policy would starve the machine, and the warden that is to end them (sched(7)).
///
/// # Errors
/// The kernel's refusal.
pub(super) fn ordinary_policy() -> std::io::Result<()> {
    let ordinary = libc::sched_param { sched_priority: 0 };
    // SAFETY: 0 is the calling thread, the parameter lives through the call, and going down to SCHED_OTHER takes no right.
    #[expect(unsafe_code, reason = "sched_setscheduler(2)")]
    let refused = unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const ordinary) };
    if refused == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Forks a child that runs `body` and ends with its code (101 if it panics).
///
/// # Errors
/// The kernel's refusal.
pub(super) fn fork_child(body: impl FnOnce() -> u8) -> Result<Pid, nix::Error> {
    // SAFETY: called by the leader while it has a single thread (a demo has either processes or threads as workers, never
    // both at a time, and threads that have left are joined), or by the only thread of a worker's process (Worker::fork), so no lock can be left taken in the
    // child.
    #[expect(unsafe_code, reason = "fork")]
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(Pid(child.as_raw().unsigned_abs())),
        ForkResult::Child => {
            let code = catch_unwind(AssertUnwindSafe(body)).unwrap_or(101);
            leave(code)
        }
    }
}

/// Ends this process at once, without the destructors and exit handlers that belong to its parent.
pub(super) fn leave(code: u8) -> ! {
    // SAFETY: _exit(2) takes any code and does not return.
    #[expect(unsafe_code, reason = "_exit in a forked child")]
    unsafe {
        libc::_exit(i32::from(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::Pid as RawPid;

    #[test]
    fn a_forked_child_ends_with_its_code_and_a_panic_with_101() {
        for (panics, code) in [(false, 7), (true, 101)] {
            let child = fork_child(|| {
                std::panic::set_hook(Box::new(|_| {}));
                assert!(!panics, "on purpose");
                7
            })
            .expect("fork");
            let pid = RawPid::from_raw(i32::try_from(child.0).expect("a pid"));
            assert_eq!(waitpid(pid, None), Ok(WaitStatus::Exited(pid, code)));
        }
    }

    #[test]
    fn a_real_time_policy_is_left() {
        let child = fork_child(|| {
            let urgent = libc::sched_param { sched_priority: 1 };
            // SAFETY: as in `ordinary_policy`; the child is this test's own and ends at once.
            #[expect(unsafe_code, reason = "sched_setscheduler(2)")]
            let refused = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const urgent) } != 0;
            // SAFETY: it takes a number and gives one back.
            #[expect(unsafe_code, reason = "sched_getscheduler(2)")]
            let policy = || unsafe { libc::sched_getscheduler(0) };
            let was = policy();
            match (refused, ordinary_policy()) {
                (true, _) => 2,
                (false, Ok(())) if was == libc::SCHED_FIFO && policy() == libc::SCHED_OTHER => 0,
                (false, _) => 1,
            }
        })
        .expect("fork");
        let pid = RawPid::from_raw(i32::try_from(child.0).expect("a pid"));
        match waitpid(pid, None) {
            Ok(WaitStatus::Exited(_, 2)) => {
                println!("SKIP: only root, or whoever has RLIMIT_RTPRIO, can have a real-time policy");
            }
            ended => assert_eq!(ended, Ok(WaitStatus::Exited(pid, 0))),
        }
    }
}
