//! Finding every process below this one and ending them all.
//!
//! A process group or session is no boundary: a child may leave both. The parent relation is, as long as a subreaper
//! stands above (prctl(2), PR_SET_CHILD_SUBREAPER): whoever loses its parent becomes the subreaper's child.

use super::Target;
use crate::fact::Pid;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

/// Makes this process the one to which orphans below it are given.
///
/// # Errors
/// The kernel's refusal; it knows none for this call since 3.4.
pub fn adopt_orphans() -> Result<(), nix::Error> {
    nix::sys::prctl::set_child_subreaper(true)
}

/// Every process below `root`, children before grandchildren.
pub(super) fn below(root: Pid) -> Vec<Pid> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([root]);
    let mut next = vec![root];
    while let Some(parent) = next.pop() {
        let Some(children) = children(parent) else { return below_by_parents(root) };
        for child in children {
            if seen.insert(child) {
                found.push(child);
                next.push(child);
            }
        }
    }
    found
}

/// The children of all threads of `pid`; none where the kernel has no such file (CONFIG_PROC_CHILDREN).
fn children(pid: Pid) -> Option<Vec<Pid>> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Some(Vec::new()) };
    let mut out = Vec::new();
    for task in tasks.flatten() {
        match fs::read_to_string(task.path().join("children")) {
            Ok(list) => out.extend(list.split_ascii_whitespace().filter_map(|n| n.parse().ok().map(Pid))),
            Err(_) if task.path().join("stat").exists() => return None,
            Err(_) => {}
        }
    }
    Some(out)
}

/// The same from the PPid of everybody: slower, and works everywhere.
fn below_by_parents(root: Pid) -> Vec<Pid> {
    let mut by_parent: BTreeMap<Pid, Vec<Pid>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()).map(Pid) else { continue };
        if let Some(parent) = parent(pid) {
            by_parent.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        for child in by_parent.remove(&pid).unwrap_or_default() {
            found.push(child);
            next.push(child);
        }
    }
    found
}

fn parent(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold blanks and brackets; the fields begin after the last one.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok().map(Pid)
}

/// Tasks and resident bytes of the processes `pids`.
pub(super) fn weigh(pids: &[Pid]) -> (u64, u64) {
    let page = rustix::param::page_size() as u64;
    let mut tasks = 0;
    let mut bytes = 0;
    for pid in pids {
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let Some((_, fields)) = stat.rsplit_once(')') else { continue };
        let field = |n: usize| fields.split_ascii_whitespace().nth(n - 3).and_then(|f| f.parse::<u64>().ok());
        tasks += field(20).unwrap_or(1);
        bytes += field(24).unwrap_or(0) * page;
    }
    (tasks, bytes)
}

/// Sends `signal` to every process below `root`; how many there were.
pub(super) fn signal_below(root: Pid, signal: Signal) -> usize {
    let pids = below(root);
    for target in pids.iter().filter_map(|pid| Target::open(*pid)) {
        // Refused only for a process that became somebody else's (setuid): it stays for the count.
        let _ = target.signal(signal);
    }
    pids.len()
}

/// Ends every process below this one for good: stop all until none is new, kill, reap, again until empty. What it
/// reaped goes to `reaped`. True if nobody is left.
pub(super) fn sweep(deadline: Instant, mut reaped: impl FnMut(WaitStatus)) -> bool {
    let own = Pid(std::process::id());
    loop {
        let mut stopped = BTreeSet::new();
        loop {
            let fresh: Vec<_> = below(own).into_iter().filter(|pid| !stopped.contains(pid)).collect();
            for target in fresh.iter().filter_map(|pid| Target::open(*pid)) {
                let _ = target.signal(Signal::STOP);
            }
            let grew = !fresh.is_empty();
            stopped.extend(fresh);
            if !grew || Instant::now() > deadline {
                break;
            }
        }
        for target in stopped.iter().filter_map(|pid| Target::open(*pid)) {
            let _ = target.signal(Signal::KILL);
        }
        reap_until_quiet(deadline, &mut reaped);
        if below(own).is_empty() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
    }
}

/// Reaps until no child is left or, with children that take their time to die, for some milliseconds.
fn reap_until_quiet(deadline: Instant, reaped: &mut impl FnMut(WaitStatus)) {
    let patience = Instant::now() + Duration::from_millis(50);
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => {
                let now = Instant::now();
                if now > patience || now > deadline {
                    return;
                }
                // SIGKILL is on its way; the kernel tells of the end by SIGCHLD only, which the callers may block.
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(status) => reaped(status),
            Err(nix::Error::EINTR) => {}
            Err(_) => return,
        }
    }
}

/// Ends whatever is below this process: the last resort of a program whose warden was killed. How many there were.
pub fn sweep_own(within: Duration) -> usize {
    let before = below(Pid(std::process::id())).len();
    sweep(Instant::now() + within, drop);
    before
}
