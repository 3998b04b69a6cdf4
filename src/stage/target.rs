//! Whom a signal may reach: a process of our own tree, held by a pidfd, never a number below 2.

use crate::fact::Pid;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process that may be signalled. It holds the process, not its number: when the number is used again the signal
/// goes nowhere (pidfd_open(2)).
#[derive(Debug)]
pub struct Target {
    pid: Pid,
    handle: OwnedFd,
}

impl Target {
    /// The process `pid`, if it is there and is neither nobody, everybody nor init (0, -1 and 1 of kill(2)).
    #[must_use]
    pub fn open(pid: Pid) -> Option<Self> {
        let raw = i32::try_from(pid.0).ok().filter(|n| *n >= 2)?;
        let handle = pidfd_open(rustix::process::Pid::from_raw(raw)?, PidfdFlags::empty()).ok()?;
        Some(Self { pid, handle })
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends it `signal`. That it has ended already is no error.
    pub fn signal(&self, signal: Signal) -> Result<(), Errno> {
        match pidfd_send_signal(&self.handle, signal) {
            Err(Errno::SRCH) => Ok(()),
            other => other,
        }
    }

    /// The descriptor: readable when the process has ended.
    #[must_use]
    pub fn handle(&self) -> &OwnedFd {
        &self.handle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_everybody_and_init_are_no_targets() {
        for pid in [0, 1, u32::MAX] {
            assert!(Target::open(Pid(pid)).is_none(), "{pid}");
        }
        assert!(Target::open(Pid(std::process::id())).is_some());
    }
}
