//! The kernel's own account of tasks, beside whatever source tells who ran when: schedstat and status of /proc.
//!
//! It is told which tasks to read and knows nothing else of them.

use super::clock;
use super::files::{Schedstat, Switches, TaskFile};
use crate::fact::{Fact, Pid, Stamped, Tid};
use std::collections::BTreeMap;

/// Reads the counters of the tasks that it was told of. Two descriptors a task are kept open.
#[derive(Default)]
pub struct Accounts {
    tasks: BTreeMap<Tid, Account>,
    buffer: Vec<u8>,
}

struct Account {
    schedstat: TaskFile,
    status: TaskFile,
    last: Option<Schedstat>,
}

impl Accounts {
    /// Begins to read the account of a task. False if /proc does not show it, or no descriptor is left for it.
    pub fn note(&mut self, pid: Pid, tid: Tid) -> bool {
        let open = |name| TaskFile::open(pid.0, tid.0, name);
        let (Ok(schedstat), Ok(status)) = (open("schedstat"), open("status")) else { return false };
        self.tasks.insert(tid, Account { schedstat, status, last: None });
        true
    }

    /// Ends the reading of a task's account.
    pub fn forget(&mut self, tid: Tid) {
        self.tasks.remove(&tid);
    }

    /// Appends [`Fact::Counters`] for every task whose account has changed since the last call, stamped in nanoseconds of
    /// `CLOCK_MONOTONIC`. A task that is gone is forgotten.
    pub fn drain(&mut self, out: &mut Vec<Stamped>) {
        let buffer = &mut self.buffer;
        self.tasks.retain(|tid, account| {
            let t = clock::now();
            let Ok(bytes) = account.schedstat.read(buffer) else { return false };
            let schedstat = Schedstat::parse(bytes);
            // A task that has not run has not switched either: status, the dearer file, is left alone.
            if schedstat.is_none() || schedstat == account.last {
                return true;
            }
            let Ok(bytes) = account.status.read(buffer) else { return false };
            if let (Some(Schedstat { ran, waited, turns }), Some(Switches { voluntary, involuntary })) =
                (schedstat, Switches::parse(bytes))
            {
                account.last = schedstat;
                out.push(Stamped::new(t, Fact::Counters { tid: *tid, voluntary, involuntary, ran, waited, turns }));
            }
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_account_is_read_and_only_when_it_changed() {
        let (pid, tid) = (Pid(std::process::id()), Tid(nix::unistd::gettid().as_raw().cast_unsigned()));
        let mut accounts = Accounts::default();
        assert!(accounts.note(pid, tid));
        let mut out = Vec::new();
        accounts.drain(&mut out);
        let Fact::Counters { voluntary: before, .. } = out[0].fact else { panic!("{:?}", out[0]) };
        std::thread::yield_now();
        nix::poll::poll(&mut [], 1u16).expect("a wait: one voluntary switch");
        accounts.drain(&mut out);
        let Fact::Counters { voluntary, turns, .. } = out[1].fact else { panic!("{:?}", out[1]) };
        assert!(voluntary > before && turns > 0);
        accounts.forget(tid);
        accounts.drain(&mut out);
        assert_eq!(out.len(), 2);
    }

    #[test]
    fn what_is_not_there_is_not_noted_and_what_goes_is_forgotten() {
        let mut accounts = Accounts::default();
        assert!(!accounts.note(Pid(1), Tid(u32::MAX)));
        let mut child = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().expect("cat");
        assert!(accounts.note(Pid(child.id()), Tid(child.id())));
        drop(child.stdin.take());
        child.wait().expect("reaped");
        accounts.drain(&mut Vec::new());
        assert!(accounts.tasks.is_empty());
    }
}
