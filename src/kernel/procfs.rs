//! Sampling: /proc, looked at so many times a second, where the kernel gives no records. Needs no permission at all.
//!
//! A look reads schedstat of every task on a kept descriptor, and stat only of those that ran. Looking for new tasks costs
//! more and is done less often. It knows no screen; who is drawn where is `occupancy`'s.

use super::files::{self, Schedstat, Stat, TaskFile};
use super::occupancy::{Occupancy, Ran};
use super::{Observer, clock};
use crate::fact::{Fact, Nanos, Pid, Source, Stamped, Tid, Unavailable};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;
use std::time::Duration;

/// New tasks are looked for no more often than this and no less often than that; in between, such that it takes no more
/// than this share (1 in so many) of a core's time.
const SCAN: Nanos = Nanos::from_millis(50);
const SCAN_AT_LEAST: Nanos = Nanos::from_millis(500);
const SCAN_SHARE: u64 = 400;
/// A task that ran for no more than this share (1 in so many) of an interval is left to a later look, when it has come to
/// more: its stat need not be read.
const TRIFLE: u64 = 64;
/// What is refused, in the learner's words.
const WHAT: &str = "sampling /proc";

/// An observer that looks at /proc.
pub(super) struct Sampled {
    hz: u32,
    tasks: BTreeMap<u32, Task>,
    occupancy: Occupancy,
    /// The kernel lists the children of each thread (`CONFIG_PROC_CHILDREN`).
    lists_children: bool,
    looked: Nanos,
    scan_due: Nanos,
    told_of_limit: bool,
    /// Facts that are known before the first look.
    first: Vec<Stamped>,
    buffer: Vec<u8>,
}

struct Task {
    pid: u32,
    parent: u32,
    name: String,
    stat: TaskFile,
    schedstat: TaskFile,
    /// Nanoseconds on a CPU that have been drawn, or will be.
    ran: u64,
}

impl Sampled {
    pub(super) fn attach(root: Pid, hz: u32) -> Result<Self, Unavailable> {
        let hz = hz.clamp(1, 1000);
        let now = clock::now();
        let mut sampled = Self {
            hz,
            tasks: BTreeMap::new(),
            occupancy: Occupancy::default(),
            lists_children: Path::new("/proc/thread-self/children").exists(),
            looked: now,
            scan_due: now,
            told_of_limit: false,
            first: Vec::new(),
            buffer: Vec::new(),
        };
        let task = sampled.meet(root.0, root.0).map_err(|error| refusal(root, &error))?;
        let mut first = vec![Stamped::new(now, introduction(root.0, &task))];
        sampled.tasks.insert(root.0, task);
        sampled.scan(now, &mut first);
        sampled.first = first;
        Ok(sampled)
    }

    /// Opens the files of a task and reads where its account stands.
    fn meet(&mut self, pid: u32, tid: u32) -> io::Result<Task> {
        let stat = TaskFile::open(pid, tid, "stat")?;
        let schedstat = TaskFile::open(pid, tid, "schedstat")?;
        let read = Stat::parse(stat.read(&mut self.buffer)?).ok_or(io::ErrorKind::InvalidData)?;
        let ran = Schedstat::parse(schedstat.read(&mut self.buffer)?).ok_or(io::ErrorKind::InvalidData)?.ran;
        // A thread's stat names its process's parent; who made the thread is its own process.
        let parent = if tid == pid { read.parent } else { pid };
        Ok(Task { pid, parent, name: read.name, stat, schedstat, ran })
    }

    /// Who ran since the last look, and who is gone. Tells new names.
    fn look(&mut self, now: Nanos, out: &mut Vec<Stamped>) {
        let Self { tasks, buffer, .. } = self;
        let length = now.since(self.looked).0;
        let (mut ran, mut gone) = (Vec::new(), Vec::new());
        for (&tid, task) in tasks.iter_mut() {
            let Ok(bytes) = task.schedstat.read(buffer) else {
                gone.push(tid);
                continue;
            };
            let Some(schedstat) = Schedstat::parse(bytes) else { continue };
            let time = schedstat.ran.saturating_sub(task.ran);
            if time <= length / TRIFLE {
                continue;
            }
            task.ran = schedstat.ran;
            let Some(stat) = task.stat.read(buffer).ok().and_then(Stat::parse) else { continue };
            ran.push(Ran { tid, cpu: stat.cpu, time });
            if stat.name != task.name {
                task.name = stat.name;
                out.push(Stamped::new(self.looked, introduction(tid, task)));
            }
        }
        self.occupancy.look(self.looked, length, &ran, out);
        self.looked = now;
        for tid in gone {
            self.part(tid, now, out);
        }
    }

    /// A task is gone. How it ended is not seen.
    fn part(&mut self, tid: u32, now: Nanos, out: &mut Vec<Stamped>) {
        self.occupancy.forget(tid);
        if let Some(task) = self.tasks.remove(&tid) {
            let fact = Fact::Exit { tid: Tid(tid), pid: Pid(task.pid), code: None, signal: None, core: None };
            out.push(Stamped::new(now, fact));
        }
    }

    /// Walks the tree from every process that is known, so that one whose parent died is not lost.
    fn scan(&mut self, now: Nanos, out: &mut Vec<Stamped>) {
        let before = clock::spent();
        let by_parent = if self.lists_children { HashMap::new() } else { children_by_parent() };
        let mut seen: HashSet<u32> = self.tasks.values().map(|task| task.pid).collect();
        let mut walk: Vec<u32> = seen.iter().copied().collect();
        while let Some(pid) = walk.pop() {
            for tid in files::numbered(format!("/proc/{pid}/task")).unwrap_or_default() {
                self.greet(pid, tid, now, out);
                let children = self.lists_children.then(|| TaskFile::open(pid, tid, "children").ok()).flatten();
                if let Some(Ok(bytes)) = children.map(|file| file.read(&mut self.buffer)) {
                    walk.extend(files::numbers(bytes).filter(|child| seen.insert(*child)));
                }
            }
            walk.extend(by_parent.get(&pid).into_iter().flatten().filter(|child| seen.insert(**child)));
        }
        let price = clock::spent().since(before).0;
        self.scan_due = now + Nanos(price.saturating_mul(SCAN_SHARE)).clamp(SCAN, SCAN_AT_LEAST);
    }

    /// Begins to watch a task that is not known yet.
    fn greet(&mut self, pid: u32, tid: u32, now: Nanos, out: &mut Vec<Stamped>) {
        if self.tasks.contains_key(&tid) {
            return;
        }
        match self.meet(pid, tid) {
            Ok(task) => {
                out.push(Stamped::new(now, introduction(tid, &task)));
                self.tasks.insert(tid, task);
            }
            Err(error) if error.raw_os_error() == Some(libc::EMFILE) && !self.told_of_limit => {
                self.told_of_limit = true;
                let refused = Unavailable::new(
                    WHAT,
                    format!("no file descriptor is left (EMFILE): only {} tasks are watched", self.tasks.len()),
                );
                out.push(Stamped::new(now, Fact::Refused(refused.remedy("Allow more open files: ulimit -n 4096"))));
            }
            // Gone again, or not ours to see.
            Err(_) => {}
        }
    }
}

impl Observer for Sampled {
    fn source(&self) -> Source {
        Source::Sampled
    }

    fn drain(&mut self, out: &mut Vec<Stamped>) {
        out.append(&mut self.first);
        let now = clock::now();
        // Called too soon, there is nothing new to see: the kernel brings schedstat up to date at its ticks.
        if Duration::from(now.since(self.looked)) < self.interval() / 2 {
            return;
        }
        self.look(now, out);
        if now >= self.scan_due {
            self.scan(now, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Stamped>) {
        out.append(&mut self.first);
        let now = clock::now();
        self.look(now, out);
        self.scan(now, out);
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1) / self.hz
    }

    fn hz(&self) -> Option<u32> {
        Some(self.hz)
    }
}

fn introduction(tid: u32, task: &Task) -> Fact {
    Fact::Task { tid: Tid(tid), pid: Pid(task.pid), parent: task.parent, name: task.name.clone(), slot: None }
}

/// Every process's children, from every process's stat: for kernels that do not list them.
fn children_by_parent() -> HashMap<u32, Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for pid in files::numbered("/proc").unwrap_or_default() {
        if let Some(stat) = files::stat_of(pid) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    children
}

fn refusal(root: Pid, error: &io::Error) -> Unavailable {
    if !Path::new("/proc/self/stat").exists() {
        return Unavailable::new(WHAT, "/proc is not there").remedy("Mount it: mount -t proc proc /proc");
    }
    if !Path::new("/proc/self/schedstat").exists() {
        return Unavailable::new(WHAT, "this kernel keeps no schedstat (CONFIG_SCHED_INFO)");
    }
    Unavailable::new(WHAT, format!("/proc/{root}/task/{root} cannot be read ({error})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_that_do_not_list_children_are_asked_for_parents() {
        let mut child = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().expect("cat");
        let mut sampled = Sampled::attach(Pid(std::process::id()), 60).expect("we are there");
        sampled.tasks.retain(|_, task| task.pid == std::process::id());
        sampled.lists_children = false;
        let mut out = Vec::new();
        sampled.scan(clock::now(), &mut out);
        assert!(sampled.tasks.contains_key(&child.id()), "{out:?}");
        drop(child.stdin.take());
        child.wait().expect("reaped");
    }
}
