//! Whether anybody runs: the kernel's account of each worker, looked at from outside again and again. An account that has not
//! changed from one look to the next is that of a task that was not on a CPU in between.
//!
//! Two rows of a table say what was seen: `ran` is told when an account has changed, `looked` at each look. So the time from
//! the one to the other is time in which nobody ran, and never more than there was.

use crate::demo::script;
use crate::fact::{Nanos, Tally};
use crate::stage::Stage;
use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};

/// How often the accounts are looked at.
pub(super) const EVERY: Duration = Duration::from_millis(100);

/// Nobody has run for so long that it hardly begins again by itself.
const SURE: Duration = Duration::from_secs(2);

const TABLE: &str = "accounts";
const RAN: &str = "ran";
const LOOKED: &str = "looked";
/// The value of both rows: whether the accounts of all could be read.
const READ: &str = "read";

/// What was seen at the last look.
#[derive(Debug, Default)]
pub(super) struct Idle {
    accounts: Vec<String>,
    since: Option<Instant>,
}

impl Idle {
    /// Looks at all who are on.
    pub(super) fn look(&mut self, stage: &mut Stage) {
        let numbers: Vec<usize> = stage.on().collect();
        let read = |n: &usize| stage.cast().get(*n).and_then(|entry| account(entry.pid.0, entry.tid.0));
        let accounts: Vec<Option<String>> = numbers.iter().map(read).collect();
        let all_read = accounts.iter().all(Option::is_some);
        let accounts: Vec<String> = accounts.into_iter().flatten().collect();
        if accounts != self.accounts || !all_read || self.since.is_none() {
            (self.accounts, self.since) = (accounts, Some(Instant::now()));
            stage.tell(script::row(TABLE, RAN, json!({ READ: all_read })));
        }
        stage.tell(script::row(TABLE, LOOKED, json!({ READ: all_read })));
    }

    /// How long it takes to the next look: a while once it is known that nobody runs, so that the stage is as still as they are.
    pub(super) fn pause(&self) -> Duration {
        if self.lasts() > SURE { EVERY * 10 } else { EVERY }
    }

    /// How long nobody has run, as far as it was looked at.
    pub(super) fn lasts(&self) -> Duration {
        self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// The kernel's account of a thread: time on a CPU and turns (schedstat, which a kernel may lack), and its switches.
fn account(pid: u32, tid: u32) -> Option<String> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/task/{tid}/{file}")).ok();
    let status = read("status")?;
    let switches = status.lines().filter(|line| line.contains("ctxt_switches"));
    Some(switches.chain([read("schedstat").unwrap_or_default().as_str()]).collect())
}

/// How long none of the workers has been on a CPU, up to the last look; none if their accounts could not be read.
pub(super) fn of(tally: &Tally) -> Option<Nanos> {
    let last = |row: &str| {
        let row = tally.table(TABLE).iter().find(|r| r.name == row)?;
        (row.values.get(READ)? == &json!(true)).then_some(row.last)
    };
    Some(last(LOOKED)?.since(last(RAN)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_of_one_that_runs_changes_and_of_one_that_sleeps_does_not() {
        let (send, receive) = std::sync::mpsc::channel::<()>();
        let (tell, tid) = std::sync::mpsc::channel();
        let sleeper = std::thread::Builder::new().spawn(move || {
            tell.send(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()).expect("the test waits");
            let _ = receive.recv();
        });
        let (pid, tid) = (std::process::id(), tid.recv().expect("it runs"));
        let late = Instant::now() + Duration::from_secs(120);
        let mut before = account(pid, tid);
        assert!(before.is_some());
        loop {
            // It sleeps sooner or later; then two looks are the same, and a busy moment of ours between them is no moment of it.
            let mine = account(pid, pid_of_this_thread()).expect("we live");
            while account(pid, pid_of_this_thread()).expect("we live") == mine && Instant::now() < late {
                std::thread::yield_now();
            }
            let now = account(pid, tid);
            if now == before {
                break;
            }
            assert!(Instant::now() < late, "{before:?} {now:?}");
            before = now;
        }
        drop(send);
        sleeper.expect("a thread").join().expect("no panic");
        // `join` is woken as soon as the thread has left its memory; the kernel takes its directory away a moment later.
        while account(pid, tid).is_some() {
            assert!(Instant::now() < late, "it is gone");
            std::thread::yield_now();
        }
    }

    fn pid_of_this_thread() -> u32 {
        rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
    }
}
