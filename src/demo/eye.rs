//! What the parent can see of a task: its wait status, before anybody takes it, and its line in /proc.

use crate::fact::{Nanos, Pid, Tid};
use crate::stage::{Target, now};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus, waitid};
use std::fs;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// The wait status of a child that has ended, left for the stage to take (`WNOWAIT`), and the moment when it was there. None
/// if the child has not ended within `patience`.
pub(in crate::demo) fn end(child: &Target, patience: Duration) -> Option<(Nanos, WaitIdStatus)> {
    let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
    let mut fds = [PollFd::new(child.handle().as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, timeout).ok().filter(|ready| *ready > 0)?;
    let status = look(child.pid(), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
    Some((now(), status))
}

/// The same for a child that is to stop or to go on, which `change` says. `NOWAIT` among it leaves the status to the stage.
pub(in crate::demo) fn change(child: Pid, change: WaitIdOptions, patience: Duration) -> Option<(Nanos, WaitIdStatus)> {
    let until = Instant::now() + patience;
    loop {
        if let Some(status) = look(child, change) {
            return Some((now(), status));
        }
        if Instant::now() > until {
            return None;
        }
        // A pidfd tells of an end and of nothing else, and SIGCHLD belongs to the stage: so this one is looked for.
        std::thread::sleep(Duration::from_micros(20));
    }
}

fn look(child: Pid, what: WaitIdOptions) -> Option<WaitIdStatus> {
    let raw = rustix::process::Pid::from_raw(i32::try_from(child.0).ok()?)?;
    waitid(WaitId::Pid(raw), what | WaitIdOptions::NOHANG).ok().flatten()
}

/// The state's letter of a task (proc(5), `stat`), or a dash if there is no such task any more.
pub(in crate::demo) fn letter(pid: Pid, tid: Tid) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/task/{tid}/stat")).unwrap_or_default();
    // The name in brackets may hold blanks and brackets; the letter comes after the last one.
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('-')
}

/// Two letters as words: what it was, and what it became.
pub(in crate::demo) fn from_to(before: char, after: char) -> String {
    if after == '-' { format!("{before} → gone") } else { format!("{before} → {after}") }
}

/// It does not exist or waits only to be asked how it ended.
pub(in crate::demo) fn is_over(letter: char) -> bool {
    matches!(letter, '-' | 'Z' | 'X')
}

/// What a task has done so far, in the kernel's own account: it grows when the task runs. Nanoseconds on a CPU (schedstat)
/// or, on a kernel that does not keep them, switches.
pub(in crate::demo) fn progress(pid: Pid, tid: Tid) -> u64 {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/task/{tid}/{file}")).unwrap_or_default();
    let ran = read("schedstat").split_ascii_whitespace().next().and_then(|n| n.parse().ok());
    ran.unwrap_or_else(|| {
        let status = read("status");
        let switches = status.lines().filter(|line| line.contains("ctxt_switches"));
        switches.filter_map(|line| line.rsplit_once('\t')?.1.trim().parse::<u64>().ok()).sum()
    })
}

/// Resident kibibytes of a process (proc(5), `statm`); none if it is not in the kernel's table any more.
pub(in crate::demo) fn resident_kib(pid: Pid) -> Option<u64> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * (rustix::param::page_size() as u64) / 1024)
}

/// Threads of a process that are not over.
pub(in crate::demo) fn threads(pid: Pid) -> usize {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    let tids = tasks.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Tid));
    tids.filter(|tid| !is_over(letter(pid, *tid))).count()
}

/// A status in words and as the number that wait(2) gives, with the name of its signal.
pub(in crate::demo) fn words(status: &WaitIdStatus) -> (String, Option<String>) {
    let signal = |number: i32| {
        nix::sys::signal::Signal::try_from(number)
            .map_or_else(|_| format!("signal {number}"), |s| s.as_str().to_owned())
    };
    if let Some(code) = status.exit_status() {
        (format!("status {:#06x}: exited with code {code}", (code & 0xff) << 8), None)
    } else if let Some(number) = status.terminating_signal() {
        let core = if status.dumped() { 0x80 } else { 0 };
        (format!("status {:#06x}: ended by {}", number | core, signal(number)), Some(signal(number)))
    } else if let Some(number) = status.stopping_signal() {
        (format!("status {:#06x}: stopped by {}", number << 8 | 0x7f, signal(number)), Some(signal(number)))
    } else if status.continued() {
        ("status 0xffff: goes on".to_owned(), None)
    } else {
        ("a status that says something else".to_owned(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_seen_in_proc_and_one_that_is_not_there_is_over() {
        let own = Pid(std::process::id());
        assert!(!is_over(letter(own, Tid(own.0))));
        assert!(is_over(letter(own, Tid(u32::MAX))) && is_over('Z') && !is_over('T'));
        assert_eq!((from_to('S', 'T'), from_to('R', '-')), ("S → T".to_owned(), "R → gone".to_owned()));
        assert!(progress(own, Tid(own.0)) > 0);
        assert!(resident_kib(own).is_some_and(|kib| kib > 0) && threads(own) > 0);
        assert_eq!((resident_kib(Pid(u32::MAX)), threads(Pid(u32::MAX))), (None, 0));
    }
}
