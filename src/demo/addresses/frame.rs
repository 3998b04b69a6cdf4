//! A freeze-frame: every thread of a process stopped for a moment, and where its program counter and stack pointer stand.
//!
//! A process cannot trace itself (ptrace(2)), so the leader looks at its child, which the rules of Yama (scope 1) allow as
//! well. PTRACE_SEIZE stops nobody and PTRACE_INTERRUPT sends no signal: the threads notice nothing but the time.

use crate::fact::{Pid, Unavailable};
use nix::errno::Errno;
use nix::sys::ptrace;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid as Task;
use std::time::{Duration, Instant};

/// How long a thread may take until it has stopped: it must be scheduled once.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a thread stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stand {
    /// The letter of the thread.
    pub(super) letter: String,
    /// Its program counter.
    pub(super) pc: u64,
    /// Its stack pointer.
    pub(super) sp: u64,
}

/// The threads of `pid` with their letters, which they bear as the last word of their names.
pub(super) fn threads(pid: Pid) -> Vec<(Task, String)> {
    let folder = std::fs::read_dir(format!("/proc/{pid}/task"));
    let ids =
        folder.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let named = ids.filter_map(|id| {
        let comm = std::fs::read_to_string(format!("/proc/{pid}/task/{id}/comm")).ok()?;
        Some((Task::from_raw(id), comm.split_whitespace().next_back()?.to_owned()))
    });
    let mut named: Vec<_> = named.collect();
    named.sort_by(|a, b| a.1.cmp(&b.1));
    named
}

/// Those that are traced. Nobody is left so: what cannot be let go now is let go later, by [`Traced::release`].
#[derive(Debug, Default)]
pub(super) struct Traced(Vec<Task>);

impl Traced {
    /// Stops the threads, reads their registers, and lets them go on.
    ///
    /// # Errors
    /// The machine allows no tracing (EPERM), or a thread did not stop.
    pub(super) fn freeze(&mut self, threads: &[(Task, String)]) -> Result<Vec<Stand>, Unavailable> {
        let stands = self.stop(threads).and_then(|()| {
            let read = |(task, letter): &(Task, String)| {
                let (pc, sp) = registers(*task)?;
                Ok(Stand { letter: letter.clone(), pc, sp })
            };
            threads.iter().map(read).collect()
        });
        self.release();
        stands.map_err(refused)
    }

    fn stop(&mut self, threads: &[(Task, String)]) -> nix::Result<()> {
        for (task, _) in threads {
            ptrace::seize(*task, ptrace::Options::empty())?;
            self.0.push(*task);
            ptrace::interrupt(*task)?;
        }
        let until = Instant::now() + PATIENCE;
        threads.iter().try_for_each(|(task, _)| stopped(*task, until))
    }

    /// Lets go of those that have stopped. One that ended meanwhile needs no letting go; one that has not stopped yet
    /// cannot be let go of (ESRCH), and stays on the list.
    pub(super) fn release(&mut self) {
        self.0.retain(|task| ptrace::detach(*task, None) == Err(Errno::ESRCH) && exists(*task));
    }
}

/// Waits until the thread has stopped. Only stops are asked for: how it ends, if it ends, is for its parent to hear.
fn stopped(task: Task, until: Instant) -> nix::Result<()> {
    let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
    loop {
        match waitid(Id::Pid(task), flags)? {
            WaitStatus::StillAlive if Instant::now() >= until || !exists(task) => return Err(Errno::ETIMEDOUT),
            // No descriptor tells of one's tracees: SIGCHLD says only that something happened to some child.
            WaitStatus::StillAlive => std::thread::sleep(Duration::from_micros(200)),
            _ => return Ok(()),
        }
    }
}

fn exists(task: Task) -> bool {
    std::path::Path::new(&format!("/proc/{task}")).exists()
}

/// Program counter and stack pointer of a stopped thread.
fn registers(task: Task) -> nix::Result<(u64, u64)> {
    #[cfg(target_arch = "x86_64")]
    return ptrace::getregs(task).map(|regs| (regs.rip, regs.rsp));
    #[cfg(target_arch = "aarch64")]
    return ptrace::getregs(task).map(|regs| (regs.pc, regs.sp));
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let _ = task;
        Err(Errno::ENOSYS)
    }
}

fn refused(error: Errno) -> Unavailable {
    let why = match error {
        Errno::EPERM | Errno::EACCES => "this machine lets no process trace its child (EPERM)".to_owned(),
        Errno::ETIMEDOUT => "a thread did not stop within a second".to_owned(),
        error => format!("ptrace: {error}"),
    };
    let refused = Unavailable::new("a freeze-frame of all threads", why);
    match error {
        Errno::EPERM | Errno::EACCES => refused.remedy(
            "Needed: kernel.yama.ptrace_scope of at most 1, and a container that allows ptrace. The process looks at \
             itself instead: threads that sleep can be seen",
        ),
        _ => refused,
    }
}

/// Where a sleeping thread stands, as /proc/PID/task/TID/syscall says (proc_pid_syscall(5)): the last two words.
/// None if it runs.
pub(super) fn asleep(text: &str) -> Option<(u64, u64)> {
    let mut words = text.split_whitespace().rev().map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok());
    let (pc, sp) = (words.next()??, words.next()??);
    Some((pc, sp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeping_threads_line_ends_with_stack_pointer_and_program_counter() {
        assert_eq!(asleep("202 0x7f 0x80 0x0 0x0 0x0 0x0 0x7ffe10 0x7f3a22\n"), Some((0x7f_3a22, 0x7f_fe10)));
        assert_eq!(asleep("-1 0x7ffe10 0x7f3a22\n"), Some((0x7f_3a22, 0x7f_fe10)));
        assert_eq!((asleep("running\n"), asleep("")), (None, None));
    }

    #[test]
    fn a_refusal_names_the_errno_and_what_would_help() {
        let said = refused(Errno::EPERM);
        assert!(said.why.contains("EPERM") && said.remedy.is_some_and(|r| r.contains("ptrace_scope")));
        assert!(refused(Errno::ETIMEDOUT).why.contains("did not stop"));
    }
}
