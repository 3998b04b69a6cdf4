//! Ways to talk that a machine may not have: message queues, which a kernel may be built without, and TCP, whose loopback
//! may be down. Each is really used once; nothing is left of it.

use super::Capability;
use super::State::{No, Yes};
use nix::errno::Errno;
use nix::mqueue::{MQ_OFlag, MqAttr, mq_attr_member_t, mq_close, mq_open, mq_unlink};
use nix::sys::stat::Mode;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How long loopback may take to let itself be called. It answers at once, or a filter has swallowed the call.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn survey() -> Vec<Capability> {
    vec![queues(queue()), loopback(tcp())]
}

fn queues(tried: Result<(), Errno>) -> Capability {
    let name = "POSIX message queues";
    let errno = match tried {
        Ok(()) => return Capability::new(name, Yes, "one was opened and removed", "Messages can be sent by mq_send."),
        Err(errno) => errno,
    };
    let no = Capability::new(
        name,
        No,
        format!("mq_open: {}", said(errno)),
        "Messages go all the other ways; that by a queue is left out.",
    );
    match errno {
        Errno::ENOSYS => no.remedy("A kernel with CONFIG_POSIX_MQUEUE, or a sandbox that passes mq_open on"),
        Errno::EPERM | Errno::EACCES => {
            no.remedy("In a container: a seccomp profile that allows mq_open and mq_unlink")
        }
        Errno::EMFILE => no.remedy("Raise the bytes that queues may take (ulimit -q), or the open files (ulimit -n)"),
        Errno::ENOSPC => no.remedy("As root: raise /proc/sys/fs/mqueue/queues_max, or remove old queues"),
        _ => no,
    }
}

/// Makes the smallest queue there can be, under a name that nobody else takes, and removes it.
fn queue() -> Result<(), Errno> {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let name = format!("/forklore-{}-{}.{}", nix::unistd::gettid(), now.tv_sec, now.tv_nsec);
    let flags = MQ_OFlag::O_CREAT | MQ_OFlag::O_EXCL | MQ_OFlag::O_RDWR | MQ_OFlag::O_CLOEXEC;
    let one: mq_attr_member_t = 1;
    let queue = mq_open(name.as_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR, Some(&MqAttr::new(0, one, one, 0)))?;
    // First its name: a process that is killed has no descriptors left, but names stay.
    let removed = mq_unlink(name.as_str());
    mq_close(queue)?;
    removed
}

fn loopback(tried: io::Result<()>) -> Capability {
    let name = "TCP on loopback";
    let error = match tried {
        Ok(()) => {
            let found = "a connection was made over 127.0.0.1";
            return Capability::new(name, Yes, found, "Two processes can talk by TCP. No packet leaves this machine.");
        }
        Err(error) => error,
    };
    let errno = error.raw_os_error().map(Errno::from_raw);
    let found = errno.map_or_else(|| error.to_string(), said);
    let no = Capability::new(name, No, found, "Messages go all the other ways; that by TCP is left out.");
    match errno {
        Some(Errno::ENETUNREACH | Errno::EADDRNOTAVAIL) => {
            no.remedy("As root, in this network namespace: ip link set lo up")
        }
        Some(Errno::EPERM | Errno::EACCES | Errno::EAFNOSUPPORT) => {
            no.remedy("A sandbox or a unit of systemd that allows AF_INET (RestrictAddressFamilies=)")
        }
        None if error.kind() == io::ErrorKind::TimedOut => no.remedy("A firewall that accepts what comes in by lo"),
        _ => no,
    }
}

/// Listens on a port that the kernel chooses, and calls it.
fn tcp() -> io::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    TcpStream::connect_timeout(&listener.local_addr()?, PATIENCE).map(drop)
}

/// The errno by its name, and in the words of strerror(3).
fn said(errno: Errno) -> String {
    format!("{errno:?}, {}", errno.desc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_queue_leaves_no_name() {
        // The names of this namespace are in a file system that is seldom mounted where nobody needs it.
        let ours = || -> Vec<_> {
            let prefix = format!("forklore-{}-", nix::unistd::gettid());
            let names = fs::read_dir("/dev/mqueue").into_iter().flatten().flatten().map(|e| e.file_name());
            names.filter(|name| name.to_string_lossy().starts_with(&prefix)).collect()
        };
        let tried = queue();
        println!("{tried:?}");
        assert_eq!(ours(), [""; 0]);
        // It was no name that was there already, in which case the first would have failed and this one not.
        assert_eq!(queue(), tried);
    }

    #[test]
    fn every_refusal_is_named_and_says_what_would_help() {
        for errno in [Errno::ENOSYS, Errno::EPERM, Errno::EMFILE, Errno::ENOSPC] {
            let no = queues(Err(errno));
            assert!(no.state == No && no.found.contains(&format!("{errno:?}, ")) && no.remedy.is_some(), "{no:?}");
        }
        for errno in [Errno::ENETUNREACH, Errno::EPERM, Errno::EAFNOSUPPORT] {
            let no = loopback(Err(errno.into()));
            assert!(no.state == No && no.found.starts_with(&format!("{errno:?}, ")) && no.remedy.is_some(), "{no:?}");
        }
        // The standard library's own timeout has no errno.
        let no = loopback(Err(io::ErrorKind::TimedOut.into()));
        assert!(no.state == No && no.remedy.is_some_and(|r| r.contains("firewall")), "{}", no.found);
    }

    #[test]
    fn what_works_is_said_to_work() {
        assert_eq!([queues(Ok(())).state, loopback(Ok(())).state], [Yes, Yes]);
    }
}
