//! Ways in which processes talk that a machine may be without: each is tried.

use super::Capability;
use super::State::{No, Yes};
use super::{Files, shown};
use nix::errno::Errno;
use nix::mqueue::{MQ_OFlag, MqAttr, mq_close, mq_open, mq_unlink};
use nix::sys::stat::Mode;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

pub(super) fn survey(files: &Files) -> Vec<Capability> {
    vec![queues(files, open_queue()), loopback(connect())]
}

/// Makes a queue, and removes it at once. No two programs try the same name.
fn open_queue() -> Result<(), Errno> {
    let name = format!("/forklore-survey-{}-{:?}", std::process::id(), std::thread::current().id());
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "/-".contains(*c)).collect();
    let flags = MQ_OFlag::O_RDWR | MQ_OFlag::O_CREAT | MQ_OFlag::O_EXCL | MQ_OFlag::O_CLOEXEC;
    let make = || mq_open(name.as_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR, Some(&MqAttr::new(0, 1, 8, 0)));
    let queue = match make() {
        // A program of this number was killed between the two calls.
        Err(Errno::EEXIST) => {
            mq_unlink(name.as_str())?;
            make()?
        }
        opened => opened?,
    };
    mq_unlink(name.as_str())?;
    mq_close(queue)
}

fn queues(files: &Files, tried: Result<(), Errno>) -> Capability {
    let name = "POSIX message queues";
    let without = "A message in a message queue cannot be shown.";
    let errno = match tried {
        Ok(()) => {
            let (room, size) = ("/proc/sys/fs/mqueue/msg_max", "/proc/sys/fs/mqueue/msgsize_max");
            let found = [room, size].map(|path| shown(path, &files.read(path))).join(", ");
            let means = "A queue was opened: messages keep their bounds, and wait in the kernel.";
            return Capability::new(name, Yes, found, means);
        }
        Err(errno) => errno,
    };
    let remedy = match errno {
        Errno::ENOSYS => "It takes a kernel with CONFIG_POSIX_MQUEUE",
        Errno::EMFILE => "Raise the bound on this user's queues (ulimit -q), or remove some: ls /dev/mqueue",
        Errno::ENOSPC => "Raise /proc/sys/fs/mqueue/queues_max",
        _ => "Allow mq_open(2): a container's seccomp filter may forbid it",
    };
    Capability::new(name, No, format!("mq_open: {} ({errno:?})", errno.desc()), without).remedy(remedy)
}

/// Connects to itself at a port of the kernel's choice.
fn connect() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    TcpStream::connect(listener.local_addr()?).map(drop)
}

fn loopback(tried: io::Result<()>) -> Capability {
    let name = "TCP on loopback";
    match tried {
        Ok(()) => {
            let means = "Two processes can talk by TCP on this machine, at a port that the kernel finds free.";
            Capability::new(name, Yes, "connected to a port of 127.0.0.1", means)
        }
        Err(error) => {
            let errno = error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw);
            let found = format!("127.0.0.1: {} ({errno:?})", errno.desc());
            Capability::new(name, No, found, "A message by TCP cannot be shown.")
                .remedy("The loopback interface must be up: ip link set lo up")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::caps::tests::machine;

    #[test]
    fn a_refusal_names_the_errno_and_says_what_would_help() {
        let (_folder, files) = machine(&[("/proc/sys/fs/mqueue/msg_max", "10\n")]);
        for errno in [Errno::ENOSYS, Errno::EMFILE, Errno::ENOSPC, Errno::EACCES] {
            let refused = queues(&files, Err(errno));
            assert_eq!(refused.state, No);
            assert!(refused.found.contains(&format!("({errno:?})")) && refused.remedy.is_some(), "{refused:?}");
        }
        let opened = queues(&files, Ok(()));
        assert!(opened.found.starts_with("/proc/sys/fs/mqueue/msg_max = 10, there is no"), "{opened:?}");
        let down = loopback(Err(io::Error::from_raw_os_error(libc::ENETUNREACH)));
        assert!(down.state == No && down.found.contains("(ENETUNREACH)"), "{down:?}");
        assert_eq!(loopback(Ok(())).state, Yes);
    }

    #[test]
    fn what_is_tried_leaves_no_name() {
        // What cannot be made the first time cannot be made the second.
        assert_eq!(open_queue(), open_queue());
        assert_eq!(connect().is_ok(), connect().is_ok());
    }
}
