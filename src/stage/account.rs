//! A task's own reading of the kernel's account of it.

use super::now;
use crate::fact::{Account, Nanos};
use std::fs;

/// The kernel's account of the calling thread, this moment.
///
/// The kernel brings a task's run time up to date at ticks and switches only; a yield does it too (`yield_task_fair` calls
/// `update_curr`), so the account is read right after one.
pub(super) fn of_this_thread() -> Option<Account> {
    std::thread::yield_now();
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let status = fs::read_to_string("/proc/thread-self/status").ok()?;
    let mut account = Account { at: now(), voluntary: 0, involuntary: 0, ran: Nanos(0), waited: Nanos(0), turns: 0 };
    for line in status.lines() {
        let number = |rest: &str| rest.trim().parse().unwrap_or(0);
        if let Some(rest) = line.strip_prefix("voluntary_ctxt_switches:") {
            account.voluntary = number(rest);
        } else if let Some(rest) = line.strip_prefix("nonvoluntary_ctxt_switches:") {
            account.involuntary = number(rest);
        }
    }
    let mut fields = schedstat.iter().flat_map(|s| s.split_ascii_whitespace()).map(|n| n.parse().unwrap_or(0));
    account.ran = Nanos(fields.next().unwrap_or(0));
    account.waited = Nanos(fields.next().unwrap_or(0));
    account.turns = fields.next().unwrap_or(0);
    Some(account)
}
