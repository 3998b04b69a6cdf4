//! The kernel's own switch records, without root: one `perf_event_open` a CPU on the demo's first task, inherited by all
//! that come from it. Needs `perf_event_paranoid` of 2 or less, the kernel's default.
//!
//! It opens, reads and paces; what bytes mean is `ring`'s, their order `order`'s, what they tell `follow`'s.

use super::follow::Follow;
use super::order::Order;
use super::ring::Ring;
use super::{Observer, clock, files};
use crate::fact::{Cpu, Nanos, Pid, Source, Stamped, Unavailable};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use perf_event_open_sys::bindings as sys;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::time::Duration;

/// Data pages of a ring, each with one more for control. The kernel grants each user 129 pages for each CPU
/// (`perf_event_mlock_kb`, 516), and beyond that what RLIMIT_MEMLOCK allows each process. Where that limit alone would do we
/// take twice as much, because on a busy machine it is some time before we may read again; else we leave room for others.
const PAGES: usize = 64;
const MORE_PAGES: usize = 128;
/// Drained this often when much happens, and this seldom when little does.
const FASTEST: Duration = Duration::from_millis(4);
const SLOWEST: Duration = Duration::from_millis(33);
/// With the smallest rings: 128 records fit.
const TINY: (usize, Duration) = (8, Duration::from_millis(1));
/// Held back this long: a record is visible in its ring well within that after its stamp, unless the virtual CPU was
/// taken away while it wrote.
const SETTLED: Nanos = Nanos::from_millis(1);
/// Records held back at most, a few drains' worth of the largest rate seen.
const HELD: usize = 1 << 17;
/// What is refused, in the learner's words.
const WHAT: &str = "exact switch records";

/// An observer that reads the kernel's switch records.
pub(super) struct Exact {
    rings: Vec<Ring>,
    order: Order,
    follow: Follow,
    /// Facts that are known before anything was read.
    first: Vec<Stamped>,
    drained: Nanos,
    interval: Duration,
    fastest: Duration,
}

impl Exact {
    /// Follows `root`, a held process with one thread, on `cpus`. Tasks that it made before are not seen.
    pub(super) fn attach(root: Pid, cpus: &[Cpu]) -> Result<Self, Unavailable> {
        // Before the first ring is open: what the rings hold comes after it, however busy the machine.
        let begun = clock::now();
        let mut pages = first_try(cpus.len());
        let rings = loop {
            match rings(root, cpus, pages) {
                Ok(rings) if rings.is_empty() => return Err(refusal(Errno::ENODEV)),
                Ok(rings) => break rings,
                // The user's locked memory is used up, or this much is not to be had in one piece.
                Err(Refused::Map(Errno::EPERM | Errno::ENOMEM)) if pages > 1 => pages /= 2,
                Err(Refused::Map(errno)) => return Err(map_refusal(errno)),
                Err(Refused::Open(errno)) => return Err(refusal(errno)),
            }
        };
        let mut follow = Follow::new(files::name_of);
        let stat = files::stat_of(root.0);
        let parent = stat.as_ref().map_or(0, |stat| stat.parent);
        let name = stat.map(|stat| stat.name).unwrap_or_default();
        let first = vec![Stamped::new(begun, follow.introduce(root.0, root.0, parent, name))];
        let fastest = if pages < TINY.0 { TINY.1 } else { FASTEST };
        Ok(Self { rings, order: Order::new(HELD), follow, first, drained: begun, interval: fastest, fastest })
    }

    /// Reads every ring and releases what was stamped `settled` ago or earlier; with no such time, all.
    fn pass(&mut self, settled: Option<Nanos>, out: &mut Vec<Stamped>) {
        out.append(&mut self.first);
        let now = clock::now();
        let mut until = settled.map_or(u64::MAX, |settled| now.since(settled).0);
        for ring in &mut self.rings {
            ring.read(|record| self.order.hold(record));
            match settled {
                Some(_) if ring.full => until = until.min(ring.newest),
                Some(_) => {}
                None => ring.untold().into_iter().for_each(|record| self.order.hold(record)),
            }
        }
        self.order.release(until, |record| self.follow.apply(record, out));
        self.interval = pace(&self.rings, now.since(self.drained).into(), self.interval, self.fastest);
        self.drained = now;
    }
}

impl Observer for Exact {
    fn source(&self) -> Source {
        Source::Exact
    }

    fn drain(&mut self, out: &mut Vec<Stamped>) {
        self.pass(Some(SETTLED), out);
    }

    fn finish(&mut self, out: &mut Vec<Stamped>) {
        self.pass(None, out);
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    fn hz(&self) -> Option<u32> {
        None
    }
}

/// The next interval, by which the busiest ring would be a quarter full. Faster at once, slower little by little.
fn pace(rings: &[Ring], passed: Duration, last: Duration, fastest: Duration) -> Duration {
    let wanted = rings
        .iter()
        .map(Ring::used)
        .filter(|(used, _)| *used > 0)
        .map(|(used, size)| passed.mul_f64(size as f64 / 4.0 / used as f64))
        .min()
        .unwrap_or(SLOWEST);
    wanted.min(last * 5 / 4).clamp(fastest, SLOWEST)
}

/// How many pages to begin with.
fn first_try(cpus: usize) -> usize {
    let more = (MORE_PAGES + 1) * cpus * super::machine::page_size();
    let limit = getrlimit(Resource::RLIMIT_MEMLOCK).map_or(0, |(soft, _)| soft);
    if limit >= more as u64 { MORE_PAGES } else { PAGES }
}

/// Which call was refused.
#[derive(Debug)]
enum Refused {
    Open(Errno),
    Map(Errno),
}

fn rings(root: Pid, cpus: &[Cpu], pages: usize) -> Result<Vec<Ring>, Refused> {
    let page_size = super::machine::page_size();
    let mut rings = Vec::with_capacity(cpus.len());
    for &cpu in cpus {
        match open(root, cpu) {
            Ok(event) => rings.push(Ring::map(event, pages, page_size).map_err(|e| Refused::Map(errno(&e)))?),
            // It went offline since we looked.
            Err(Errno::ENODEV) => {}
            Err(errno) => return Err(Refused::Open(errno)),
        }
    }
    Ok(rings)
}

/// An event that counts nothing and records switches, forks, exits and names of `task` and its descendants on `cpu`.
fn open(task: Pid, cpu: Cpu) -> Result<OwnedFd, Errno> {
    let mut attr = sys::perf_event_attr::default();
    attr.type_ = sys::PERF_TYPE_SOFTWARE;
    attr.size = u32::try_from(size_of::<sys::perf_event_attr>()).unwrap_or(u32::MAX);
    attr.config = sys::PERF_COUNT_SW_DUMMY.into();
    attr.sample_type = (sys::PERF_SAMPLE_TID | sys::PERF_SAMPLE_TIME | sys::PERF_SAMPLE_CPU).into();
    attr.clockid = libc::CLOCK_MONOTONIC;
    attr.set_inherit(1);
    attr.set_exclude_kernel(1);
    attr.set_exclude_hv(1);
    attr.set_comm(1);
    attr.set_task(1);
    attr.set_context_switch(1);
    attr.set_sample_id_all(1);
    attr.set_use_clockid(1);
    attr.set_watermark(1);
    attr.read_format = sys::PERF_FORMAT_LOST.into();
    match open_with(attr, task, cpu) {
        // Before Linux 6.0 it keeps no count of what was lost.
        Err(Errno::EINVAL) => {
            attr.read_format = 0;
            open_with(attr, task, cpu)
        }
        opened => opened,
    }
}

fn open_with(mut attr: sys::perf_event_attr, task: Pid, cpu: Cpu) -> Result<OwnedFd, Errno> {
    let (pid, cpu) = (task.0.cast_signed(), cpu.0.cast_signed());
    // SAFETY: `attr` is a whole perf_event_attr of the size it names, and outlives the call.
    let fd =
        unsafe { perf_event_open_sys::perf_event_open(&raw mut attr, pid, cpu, -1, sys::PERF_FLAG_FD_CLOEXEC.into()) };
    let fd = Errno::result(fd)?;
    // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw)
}

/// Whether records can be had here, by really opening and mapping them for the calling thread.
pub(super) fn probe() -> Result<(), Unavailable> {
    let me = Pid(nix::unistd::gettid().as_raw().cast_unsigned());
    Exact::attach(me, &super::online_cpus()).map(|_| ())
}

/// The sentence for a refused `perf_event_open`.
fn refusal(errno: Errno) -> Unavailable {
    match errno {
        Errno::EACCES => no_access(files::number("/proc/sys/kernel/perf_event_paranoid")),
        Errno::EPERM => Unavailable::new(
            WHAT,
            "the system call perf_event_open is forbidden here (EPERM), as containers do with a seccomp filter",
        )
        .remedy("Run it outside the container, or in one that allows perf_event_open."),
        Errno::ENOSYS => Unavailable::new(
            WHAT,
            "this kernel has no perf_event_open (ENOSYS): it was built without it, or a sandbox stands in for it",
        ),
        Errno::ENOENT => {
            Unavailable::new(WHAT, "this kernel does not know the software event that carries switch records (ENOENT)")
        }
        Errno::EMFILE | Errno::ENFILE => Unavailable::new(WHAT, format!("no file descriptor is left ({errno:?})"))
            .remedy("Allow more open files: ulimit -n 1024"),
        Errno::ENOMEM => Unavailable::new(WHAT, "the kernel has no memory left for its records (ENOMEM)"),
        Errno::EBUSY => {
            Unavailable::new(WHAT, "somebody else holds the kernel's performance events for themselves (EBUSY)")
        }
        Errno::EINVAL | Errno::E2BIG | Errno::EOPNOTSUPP => Unavailable::new(
            WHAT,
            format!("this kernel does not know what we ask of perf_event_open ({errno:?}); those before 4.17 do not"),
        )
        .remedy("Linux 5.10 or later is what this program is made for."),
        Errno::ESRCH => Unavailable::new(WHAT, "the task to be watched is gone already (ESRCH)"),
        Errno::ENODEV => Unavailable::new(WHAT, "no CPU of this machine takes the event (ENODEV)"),
        errno => Unavailable::new(WHAT, format!("perf_event_open was refused ({errno:?}: {})", errno.desc())),
    }
}

/// EACCES has two meanings: the machine's level for ordinary users, and a task that is not ours to look into.
fn no_access(paranoid: Option<i64>) -> Unavailable {
    match paranoid {
        Some(level @ 3..) => Unavailable::new(
            WHAT,
            format!("kernel.perf_event_paranoid is {level} (EACCES): ordinary users may not use perf_event_open"),
        )
        .remedy("As root, until the next boot: sysctl kernel.perf_event_paranoid=2"),
        Some(level) => Unavailable::new(
            WHAT,
            format!(
                "the kernel denies access (EACCES) although kernel.perf_event_paranoid is {level}: the task belongs to \
                 somebody else, or a security module forbids it"
            ),
        ),
        None => Unavailable::new(
            WHAT,
            "the kernel denies access (EACCES), and /proc/sys/kernel/perf_event_paranoid, which would say why, cannot \
             be read",
        ),
    }
}

/// The sentence for a refused `mmap` of even the smallest ring.
fn map_refusal(errno: Errno) -> Unavailable {
    match errno {
        Errno::EPERM => Unavailable::new(WHAT, "not even the smallest ring fits into the memory we may lock (EPERM)")
            .remedy("Close other programs that use perf, or raise the limit: ulimit -l 8192"),
        Errno::ENOMEM => Unavailable::new(WHAT, "there is no memory for even the smallest ring (ENOMEM)"),
        errno => Unavailable::new(WHAT, format!("the ring cannot be mapped ({errno:?}: {})", errno.desc())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_names_its_errno() {
        use Errno::*;
        for errno in [
            EACCES, EPERM, ENOSYS, ENOENT, EMFILE, ENFILE, ENOMEM, EBUSY, EINVAL, E2BIG, ESRCH, ENODEV, EOPNOTSUPP, EIO,
        ] {
            let said = refusal(errno);
            assert!(said.why.contains(&format!("{errno:?}")), "{said}");
        }
        let sentences: std::collections::BTreeSet<_> =
            [EACCES, EPERM, ENOSYS, ENOENT, EMFILE, ENOMEM, EBUSY, EINVAL, ESRCH, ENODEV]
                .map(|errno| refusal(errno).why)
                .into();
        assert_eq!(sentences.len(), 10, "each has its own");
    }

    #[test]
    fn the_paranoid_level_is_named_only_where_it_is_the_reason() {
        assert!(no_access(Some(4)).why.contains("perf_event_paranoid is 4"));
        assert!(no_access(Some(4)).remedy.is_some());
        assert!(no_access(Some(2)).why.contains("although"));
        assert!(no_access(None).why.contains("cannot be read"));
    }
}
