//! Two tasks that wake each other in turn, on the core to which the worker is pinned: threads of one process, or two processes.
//!
//! Both do the same calls. The futex is one for processes even between threads, where a private one would spare the kernel a
//! look at the mapping: what is compared is the switch.

use super::Set;
use crate::demo::area::Bells;
use crate::fact::As;
use crate::stage::Worker;
use nix::sys::wait::{WaitStatus, waitpid};
use rustix::io::Errno;
use rustix::thread::futex;
use std::io::{self, Read, Write};
use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};
use std::time::{Duration, Instant};

/// Round trips before the clock is read: the other has come to life, and has pages of its own.
const WARM_UP: u32 = 20;

/// Bytes of a thread's stack.
const STACK: usize = 256 * 1024;

/// One end of a way to wake the other and to wait for it.
pub(super) trait End {
    /// Wakes the other.
    fn wake(&mut self) -> io::Result<()>;
    /// Waits to be woken.
    fn wait(&mut self) -> io::Result<()>;
}

/// Two words in shared memory at which one sleeps and is woken.
pub(super) struct Futex<'a> {
    pub(super) bells: &'a Bells,
    pub(super) own: usize,
}

impl End for Futex<'_> {
    fn wake(&mut self) -> io::Result<()> {
        let bell = self.bells.bell(1 - self.own);
        bell.store(1, Release);
        futex::wake(bell, futex::Flags::empty(), 1)?;
        Ok(())
    }

    fn wait(&mut self) -> io::Result<()> {
        let bell = self.bells.bell(self.own);
        while bell.swap(0, AcqRel) == 0 {
            match futex::wait(bell, futex::Flags::empty(), 0, None) {
                Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Ok(())
    }
}

/// Two pipes, a byte each way.
pub(super) struct Pipes {
    to: io::PipeWriter,
    from: io::PipeReader,
}

impl Pipes {
    pub(super) fn pair() -> io::Result<(Self, Self)> {
        let ((left, to_left), (right, to_right)) = (io::pipe()?, io::pipe()?);
        Ok((Self { to: to_right, from: left }, Self { to: to_left, from: right }))
    }
}

impl End for Pipes {
    fn wake(&mut self) -> io::Result<()> {
        self.to.write_all(&[1])
    }

    fn wait(&mut self) -> io::Result<()> {
        self.from.read_exact(&mut [0])
    }
}

/// How long `times` round trips take between this task and another, which is made for it and has ended when this returns.
/// Each writes to every cache line of its own working set before it wakes the other.
///
/// # Errors
/// The machine refuses the other task, or a call.
pub(super) fn round_trips(
    worker: &Worker,
    what: As,
    times: u32,
    (ours, theirs): (Set, Set),
    (mut left, mut right): (impl End, impl End + Send),
) -> Result<Duration, String> {
    let answer = move || -> io::Result<()> {
        for _ in 0..WARM_UP + times {
            right.wait()?;
            touch(theirs);
            right.wake()?;
        }
        Ok(())
    };
    let mut call = move || -> io::Result<Duration> {
        let mut begun = Instant::now();
        for n in 0..WARM_UP + times {
            if n == WARM_UP {
                begun = Instant::now();
            }
            touch(ours);
            left.wake()?;
            left.wait()?;
        }
        Ok(begun.elapsed())
    };
    let took = match what {
        As::Threads => std::thread::scope(|scope| -> io::Result<Duration> {
            let other = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, answer)?;
            let took = call()?;
            // The end of the scope waits for what a thread does, not for its end. Whoever forks next is to be alone.
            let answered = other.join().map_err(|_| io::Error::other("the other thread panicked"))?;
            answered.map(|()| took)
        }),
        As::Processes => {
            let mut answer = answer;
            let pid = worker.fork(move |_| u8::from(answer().is_err())).map_err(|refused| refused.to_string())?;
            let took = call();
            reap(pid.0)?;
            took
        }
    };
    took.map_err(|refused| refused.to_string())
}

/// Waits for a child and says if it did not end well.
pub(in crate::demo) fn reap(pid: u32) -> Result<(), String> {
    let raw = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX));
    match waitpid(raw, None) {
        Ok(WaitStatus::Exited(_, 0)) => Ok(()),
        Ok(ended) => Err(format!("a child ended otherwise than it should: {ended:?}")),
        Err(errno) => Err(format!("a child could not be waited for ({errno})")),
    }
}

/// Writes to each cache line of a working set.
pub(super) fn touch(set: Set) {
    /// Words of eight bytes in a line of 64.
    const LINE: usize = 8;
    for word in set.iter().step_by(LINE) {
        // Nobody else writes to it: a plain addition, no locked one.
        word.store(word.load(Relaxed) + 1, Relaxed);
    }
}
