//! A fills a small disk; B's write of a single page is refused. The disk is a tmpfs of 1 MiB, mounted in a mount namespace of
//! A's own, where root or a user namespace allows that; else a file that neither may let grow over 1 MiB.

use super::row;
use crate::demo::script::{Over, errno_name, pass, refused, step, until_worker};
use crate::fact::{As, Fact};
use crate::stage::{Settings, Stage, Target, Worker};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use nix::{cmsg_space, sched};
use rustix::io::Errno;
use serde_json::json;
use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How large the disk is, or the file.
const SIZE: u64 = 1 << 20;

/// A writes so much at a time, and pauses for so long.
const BITE: usize = 64 << 10;
const PAUSE: Duration = Duration::from_millis(30);

const PATIENCE: Duration = Duration::from_secs(5);

/// What the two are ordered to do.
const FILL: u64 = 1;
const AGAIN: u64 = 2;

pub(super) fn play(stage: &mut Stage, after: Duration) -> Result<(), Over> {
    let (ours, theirs) = UnixStream::pair()?;
    let settings = Settings::default();
    let a = stage.enter_named("A", As::Processes, &settings, move |worker| fill(worker, &ours))?;
    let b = stage.enter_named("B", As::Processes, &settings, move |worker| write(worker, &theirs))?;
    pass(stage, after)?;
    step(stage, "struck");
    stage.order(a, FILL);
    until_worker(stage, b, PATIENCE, |stage| stage.work(b) % 2 == 1)?;
    // Does it help that A is gone?
    let Some(owner) = stage.cast().get(a).and_then(|entry| Target::open(entry.pid)) else { return Ok(()) };
    let _ = owner.signal(rustix::process::Signal::KILL);
    let _ = crate::demo::eye::end(&owner, PATIENCE);
    let before = stage.work(b);
    stage.order(b, AGAIN);
    until_worker(stage, b, PATIENCE, |stage| stage.work(b) != before)?;
    Ok(())
}

/// A: makes the disk, gives B a file on it, and fills it with another when it is told to.
fn fill(worker: &Worker, to: &UnixStream) {
    let made = small_disk().and_then(|()| Ok((file("forklore-a")?, file("forklore-b")?)));
    let (mut own, disk) = match made {
        Ok((own, theirs)) => {
            send(to, b"d", &theirs);
            (own, true)
        }
        Err(errno) => {
            worker.tell(Fact::Refused(refused("a disk of one's own (mount)", errno).remedy(
                "A file with a bound on its size does instead; as root, or where user namespaces are allowed, it is a disk",
            )));
            let Ok(file) = shared_file() else { return };
            send(to, b"f", &file);
            (file, false)
        }
    };
    if !disk {
        bound();
    }
    while worker.wait(0, Duration::from_secs(60)) == 0 {}
    let block = vec![1; BITE];
    let mut count = 0;
    while worker.order() == FILL {
        match own.write(&block) {
            Ok(n) => count += n as u64,
            // Full, to the last page.
            Err(_) => break,
        }
        worker.set_work(count >> 10);
        let _ = worker.wait(FILL, PAUSE);
    }
    while worker.wait(worker.order(), Duration::from_secs(60)) != Worker::HALT {}
}

/// B: writes a page now and then. Its counter is even, until a write was refused.
fn write(worker: &Worker, from: &UnixStream) {
    let Some((kind, mut file)) = receive(from) else { return };
    let disk = kind == b'd';
    if !disk {
        bound();
    }
    let name = if disk { "full disk" } else { "file at its bound" };
    let page = vec![2; rustix::param::page_size()];
    let mut count = 0;
    let mut known = 0;
    loop {
        let order = worker.wait(known, Duration::from_millis(100));
        if order == Worker::HALT {
            return;
        }
        let came = if count % 2 == 0 || order != known { Some(file.write_all(&page)) } else { None };
        match (came, order) {
            (Some(came), AGAIN) if order != known => {
                let still = came.err().and_then(|error| Errno::from_io_error(&error));
                let got = match still {
                    Some(errno) => {
                        format!("{} again, though A is dead: files outlive who wrote them", errno_name(errno))
                    }
                    None => "may write again, now that A is dead".to_owned(),
                };
                worker.tell(row(name, json!({ "got": got, "recovered": still.is_none() })));
                count += 2;
            }
            (Some(Err(error)), _) => {
                count += 1;
                let reached = Errno::from_io_error(&error).map_or_else(|| error.to_string(), errno_name);
                let (did, got) = if disk {
                    ("filled it", "could not write a single page")
                } else {
                    ("filled it", "could not add a single page")
                };
                worker.tell(row(
                    name,
                    json!({
                        "did": did, "reached": reached, "got": got, "alive": true, "recovered": false,
                    }),
                ));
            }
            (Some(Ok(())), _) => count += 2,
            (None, _) => {}
        }
        known = order;
        worker.set_work(count);
    }
}

/// Mounts a tmpfs of [`SIZE`] over /tmp, seen by this process alone, and gone with it and its files.
fn small_disk() -> Result<(), Errno> {
    use sched::{CloneFlags, unshare};
    let refused = |errno: nix::Error| Errno::from_raw_os_error(errno as i32);
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    if unshare(CloneFlags::CLONE_NEWNS).is_err() {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).map_err(refused)?;
        let say = |file: &str, text: String| {
            std::fs::write(Path::new("/proc/self").join(file), text)
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::PERM))
        };
        // Without it an ordinary user may not map groups (user_namespaces(7)); kernels before 3.19 have no such file.
        let _ = say("setgroups", "deny".to_owned());
        say("uid_map", format!("{uid} {uid} 1"))?;
        say("gid_map", format!("{gid} {gid} 1"))?;
    }
    mount(None, c"/", libc::MS_REC | libc::MS_PRIVATE, None)?;
    mount(Some(c"tmpfs"), c"/tmp", libc::MS_NODEV | libc::MS_NOSUID, Some(c"size=1m"))
}

fn mount(
    kind: Option<&std::ffi::CStr>,
    place: &std::ffi::CStr,
    flags: libc::c_ulong,
    data: Option<&std::ffi::CStr>,
) -> Result<(), Errno> {
    let pointer = |text: Option<&std::ffi::CStr>| text.map_or(std::ptr::null(), std::ffi::CStr::as_ptr);
    // SAFETY: all strings are constants that end in a zero. It changes the mounts of this process alone, which has just left
    // the others' namespace: every path to this call goes through `small_disk`.
    #[expect(unsafe_code, reason = "mount(2)")]
    let refused = unsafe { libc::mount(pointer(kind), place.as_ptr(), pointer(kind), flags, pointer(data).cast()) };
    if refused == 0 {
        Ok(())
    } else {
        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::PERM))
    }
}

fn file(name: &str) -> Result<File, Errno> {
    let path = Path::new("/tmp").join(name);
    File::create_new(path).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// A file without a name, for all who get the descriptor.
fn shared_file() -> Result<File, nix::Error> {
    let flags = nix::sys::memfd::MFdFlags::MFD_CLOEXEC;
    Ok(File::from(nix::sys::memfd::memfd_create(c"forklore-file", flags)?))
}

/// No file that this process writes grows over [`SIZE`]; it is told so by EFBIG, not by SIGXFSZ.
fn bound() {
    let mut set = SigSet::empty();
    set.add(Signal::SIGXFSZ);
    // A mask of one's own can always be set, and a bound can always be lowered.
    let _ = set.thread_block();
    let _ = setrlimit(Resource::RLIMIT_FSIZE, SIZE, SIZE);
}

fn send(to: &UnixStream, kind: &[u8; 1], file: &File) {
    let fds = [file.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&fds)];
    // If it does not go, B has nothing to write to and leaves; the row says nothing then.
    let _ = sendmsg::<()>(to.as_raw_fd(), &[IoSlice::new(kind)], &rights, MsgFlags::empty(), None);
}

fn receive(from: &UnixStream) -> Option<(u8, File)> {
    let mut kind = [0];
    let mut space = cmsg_space!([RawFd; 1]);
    let mut parts = [IoSliceMut::new(&mut kind)];
    let message = recvmsg::<()>(from.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC).ok()?;
    let fd = message.cmsgs().ok()?.find_map(|part| match part {
        ControlMessageOwned::ScmRights(rights) => rights.first().copied(),
        _ => None,
    })?;
    // SAFETY: the kernel has just made this descriptor for this process, and nothing else here owns it.
    #[expect(unsafe_code, reason = "a descriptor that came over a socket")]
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    Some((kind[0], File::from(fd)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek};

    #[test]
    fn a_file_goes_over_a_socket() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let mut file = shared_file().expect("a file");
        file.write_all(b"here").expect("written");
        send(&ours, b"f", &file);
        let (kind, mut came) = receive(&theirs).expect("it came");
        came.rewind().expect("the beginning");
        let mut text = String::new();
        came.read_to_string(&mut text).expect("plain text");
        assert_eq!((kind, text.as_str()), (b'f', "here"));
    }
}
