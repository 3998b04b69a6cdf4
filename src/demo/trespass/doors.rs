//! Requests to the kernel, which can reach any memory, and asks first who wants it.

use super::{Came, Wall};
use crate::fact::Pid;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use std::fs::OpenOptions;
use std::io::{IoSlice, IoSliceMut};
use std::os::unix::fs::FileExt;

/// A door of the kernel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// /proc/PID/mem of one's own child.
    Mem,
    /// process_vm_writev(2) into one's own child.
    Write,
    /// process_vm_readv(2) from process 1.
    Stranger,
    /// The right to send a signal to process 1.
    Signal,
}

pub(super) const ALL: &[Door] = &[Door::Mem, Door::Write, Door::Stranger, Door::Signal];

impl Door {
    /// What it is called in the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Mem => "/proc/PID/mem",
            Self::Write => "process_vm_writev",
            Self::Stranger => "read process 1",
            Self::Signal => "signal process 1",
        }
    }
}

/// The stranger.
const FIRST: nix::unistd::Pid = nix::unistd::Pid::from_raw(1);

/// Asks the kernel. The neighbour is the caller's own child; its number is at `address`.
pub(super) fn knock(door: Door, neighbour: Pid, address: usize) -> Came {
    match door {
        Door::Mem => came(door, write_by_file(neighbour, address)),
        Door::Write => {
            let value = 44_u64.to_ne_bytes();
            let remote = [RemoteIoVec { base: address, len: value.len() }];
            let pid = nix::unistd::Pid::from_raw(i32::try_from(neighbour.0).unwrap_or(i32::MAX));
            came(door, process_vm_writev(pid, &[IoSlice::new(&value)], &remote).map(drop))
        }
        Door::Stranger => {
            // At address 0, where no page lies: the kernel asks who we are before it looks there. So the answer is known and
            // not a byte of the stranger's is read.
            let remote = [RemoteIoVec { base: 0, len: 1 }];
            came(door, process_vm_readv(FIRST, &mut [IoSliceMut::new(&mut [0])], &remote).map(drop))
        }
        // Signal 0 is never sent: the kernel only says whether one might be (kill(2)).
        Door::Signal => came(door, kill(FIRST, None)),
    }
}

fn write_by_file(neighbour: Pid, address: usize) -> nix::Result<()> {
    let write = || {
        let file = OpenOptions::new().write(true).open(format!("/proc/{neighbour}/mem"))?;
        file.write_all_at(&43_u64.to_ne_bytes(), address as u64)
    };
    write().map_err(|error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))
}

fn came(door: Door, answer: nix::Result<()>) -> Came {
    let allowed = |by: &str| Came { outcome: "allowed".to_owned(), wall: Wall::Nobody, by: by.to_owned() };
    match (door, answer) {
        (Door::Mem | Door::Write, Ok(())) => allowed("nobody: it is our own child"),
        (Door::Stranger, Ok(()) | Err(Errno::EFAULT)) => allowed("nobody: allowed here (no byte was read)"),
        (Door::Signal, Ok(())) => allowed("nobody: allowed here (none was sent)"),
        (Door::Mem | Door::Write, Err(errno @ (Errno::EPERM | Errno::EACCES))) => {
            refused(errno, "not even to a parent here")
        }
        (_, Err(errno @ (Errno::EPERM | Errno::EACCES))) => refused(errno, "it is not ours"),
        (_, Err(errno @ Errno::ENOSYS)) => refused(errno, "no such call here"),
        (_, Err(errno)) => refused(errno, errno.desc()),
    }
}

fn refused(errno: Errno, why: &str) -> Came {
    Came { outcome: format!("{errno:?}"), wall: Wall::Kernel, by: format!("kernel: {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_the_kernel_is_told_by_its_name() {
        let of = |door, answer| came(door, answer).wall;
        assert_eq!(of(Door::Mem, Ok(())), Wall::Nobody);
        assert_eq!(of(Door::Stranger, Err(Errno::EFAULT)), Wall::Nobody, "the right was given, no page was there");
        assert_eq!(of(Door::Write, Err(Errno::EFAULT)), Wall::Kernel);
        let refused = came(Door::Stranger, Err(Errno::EPERM));
        assert_eq!((refused.outcome.as_str(), refused.wall), ("EPERM", Wall::Kernel));
        assert_eq!(came(Door::Signal, Err(Errno::ENOSYS)).outcome, "ENOSYS");
    }
}
