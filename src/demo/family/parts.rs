//! What the members of the family do, each in a process of its own, as they are ordered. A and those that come from it see
//! the same order; whom it does not concern waits on.

use crate::fact::{Fact, Pid, Tid, Unavailable};
use crate::stage::Worker;
use nix::sys::wait::{WaitStatus, waitpid};
use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A forks B and says its number.
pub(super) const FORK: u64 = 1;
/// B executes another program.
pub(super) const EXECUTE: u64 = 2;
/// B ends: by itself, or because nobody will write any more to the program that it executes.
pub(super) const END: u64 = 3;
/// A waits for B and says its exit code.
pub(super) const WAIT: u64 = 4;
/// A forks C and says its number.
pub(super) const FORK_AGAIN: u64 = 5;
/// A ends.
pub(super) const LEAVE: u64 = 6;
/// C ends.
pub(super) const END_LAST: u64 = 7;
/// D's main thread ends.
pub(super) const END_MAIN: u64 = 8;

/// The program that B executes: it waits until its input ends, and is everywhere.
pub(super) const PROGRAM: &str = "cat";

/// What A says where it has nothing to say.
pub(super) const NOTHING: u32 = u32::MAX;

/// What A adds to the number of the signal that ended B, to tell it from an exit code.
pub(super) const SIGNAL: u32 = 0x100;

/// What B ends with if it has not executed another program.
const CODE: u8 = 3;

/// What a shell's child ends with, and B, if there is no such program.
const NOT_FOUND: u8 = 127;

/// How often D's other thread counts.
const BEAT: Duration = Duration::from_millis(20);

/// A child for which A has not waited yet.
struct Child {
    pid: Pid,
    /// Where the program that it executes reads from.
    input: Option<PipeWriter>,
}

/// A: forks B and C, and waits for B when it is told to and no sooner.
pub(super) fn parent(worker: &Worker, answers: &mut PipeWriter) {
    let mut child: Option<Child> = None;
    let mut order = 0;
    loop {
        order = worker.wait(order, Duration::MAX);
        let answer = match order {
            FORK => match fork_first(worker) {
                Ok(born) => child.insert(born).pid.0,
                Err(refused) => refuse(worker, refused),
            },
            END => {
                child.as_mut().map(|child| child.input.take());
                continue;
            }
            WAIT => child.take().map_or(NOTHING, |child| wait_for(worker, child.pid)),
            FORK_AGAIN => worker.fork(last).map_or_else(|refused| refuse(worker, refused), |pid| pid.0),
            LEAVE | Worker::HALT => return,
            _ => continue,
        };
        // An error says that nobody reads: the director has left, and the warden sees to the rest.
        if answers.write_all(&answer.to_ne_bytes()).is_err() {
            return;
        }
    }
}

fn refuse(worker: &Worker, refused: Unavailable) -> u32 {
    worker.tell(Fact::Refused(refused));
    NOTHING
}

fn fork_first(worker: &Worker) -> Result<Child, Unavailable> {
    let (reader, writer) = pipe().map_err(|e| Unavailable::new("a pipe", e.to_string()))?;
    let pid = worker.fork(move |worker| first(worker, reader))?;
    Ok(Child { pid, input: Some(writer) })
}

/// Fetches the exit code of `pid`: from here on it is no more.
fn wait_for(worker: &Worker, pid: Pid) -> u32 {
    let Ok(raw) = i32::try_from(pid.0) else { return NOTHING };
    let (code, signal, answer) = match waitpid(nix::unistd::Pid::from_raw(raw), None) {
        Ok(WaitStatus::Exited(_, code)) => (Some(code), None, code.unsigned_abs()),
        Ok(WaitStatus::Signaled(_, signal, _)) => {
            (None, Some(signal.as_str().to_owned()), SIGNAL + (signal as i32).unsigned_abs())
        }
        _ => return NOTHING,
    };
    worker.tell(Fact::Exit { tid: Tid(pid.0), pid, code, signal, core: None });
    answer
}

/// B: executes another program, or ends.
fn first(worker: &Worker, input: PipeReader) -> u8 {
    let mut order = FORK;
    loop {
        order = worker.wait(order, Duration::MAX);
        match order {
            EXECUTE => {
                // It comes back only if it failed.
                let error = Command::new(PROGRAM).stdin(Stdio::from(input)).stdout(Stdio::null()).exec();
                worker.tell(Fact::Refused(Unavailable::new(format!("another program, {PROGRAM}"), error.to_string())));
                return NOT_FOUND;
            }
            END => return CODE,
            Worker::HALT => return 0,
            _ => {}
        }
    }
}

/// C: outlives its parent.
fn last(worker: &Worker) -> u8 {
    let mut order = FORK_AGAIN;
    while !matches!(order, END_LAST | Worker::HALT) {
        order = worker.wait(order, Duration::MAX);
    }
    0
}

/// D: two threads, of which the main one ends first.
pub(super) fn outlived(worker: &Worker) {
    std::thread::scope(|scope| {
        let other = std::thread::Builder::new().spawn_scoped(scope, || {
            let (mut order, mut count) = (0, 0);
            while order != Worker::HALT {
                count += 1;
                worker.set_work(count);
                order = worker.wait(order, BEAT);
            }
        });
        if let Err(error) = other {
            return worker.tell(Fact::Refused(Unavailable::new("another thread", error.to_string())));
        }
        let mut order = 0;
        while order != Worker::HALT {
            order = worker.wait(order, Duration::MAX);
            if order == END_MAIN {
                end_this_thread();
            }
        }
    });
}

/// Ends the thread that calls it and nothing else: exit(2), which exit(3) and a return from `main` never call alone.
fn end_this_thread() -> ! {
    // SAFETY: the call takes a number and does not return; the kernel unmaps nothing. What this thread lends to others
    // lies on its stack, which stays: that of a main thread is never unmapped, and a thread of the standard library that
    // ends so is never joined, and its stack stays mapped as well.
    #[expect(unsafe_code, reason = "no safe call ends a main thread alone")]
    unsafe {
        libc::syscall(libc::SYS_exit, 0);
    }
    // Not reached. Were it, the thread would sleep: it must not return.
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::sync::mpsc;
    use std::time::Instant;

    #[test]
    fn a_thread_ends_alone() {
        let (send, receive) = mpsc::channel();
        let thread = std::thread::Builder::new().spawn(move || {
            let tid = rustix::thread::gettid().as_raw_nonzero();
            send.send(tid).expect("somebody listens");
            end_this_thread();
        });
        // Not joined: it has no result.
        drop(thread.expect("a thread"));
        let tid = receive.recv().expect("its id");
        let until = Instant::now() + Duration::from_secs(60);
        while Path::new(&format!("/proc/self/task/{tid}")).exists() {
            assert!(Instant::now() < until, "the thread is still there");
            std::thread::yield_now();
        }
        assert!(Path::new("/proc/self/task").exists(), "and the process goes on");
    }
}
