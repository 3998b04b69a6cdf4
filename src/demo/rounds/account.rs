//! Whose time it was: what the kernel has on the account of a process, or of one thread.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::fs;
use std::time::Duration;

/// What a measurement took of the machine's time, of all those of ours that had a part in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::demo) struct Spent {
    /// CPU time.
    pub(in crate::demo) ran: Duration,
    /// Time that one of ours stood ready on a run queue while none of ours ran there.
    pub(in crate::demo) waited: Duration,
}

impl Spent {
    /// What the thread that asks has had since it began: its CPU time (`CLOCK_THREAD_CPUTIME_ID`), and its time on a run queue,
    /// whoever ran there.
    #[must_use]
    pub(in crate::demo) fn of_this_thread() -> Self {
        Self { ran: crate::demo::labour::on_cpu().into(), waited: schedstat().1 }
    }

    /// What came to it since.
    #[must_use]
    pub(in crate::demo) fn since(self, before: Self) -> Self {
        Self { ran: self.ran.saturating_sub(before.ran), waited: self.waited.saturating_sub(before.waited) }
    }

    /// Of two threads that share one core: while one waits there, the other may run; that much of a wait is nobody else's.
    #[must_use]
    pub(in crate::demo) fn on_one_core(self, other: Self) -> Self {
        let waited = self.waited.saturating_sub(other.ran).max(other.waited.saturating_sub(self.ran));
        Self { ran: self.ran + other.ran, waited }
    }

    /// Of two threads that have a core each.
    #[must_use]
    pub(in crate::demo) fn on_two_cores(self, other: Self) -> Self {
        Self { ran: self.ran + other.ran, waited: self.waited.max(other.waited) }
    }
}

/// What the kernel has on this process' account, in all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Account {
    /// CPU time of this process, threads that have ended included, and of children that were waited for.
    all: Duration,
    /// CPU time of this thread, and its time on a run queue.
    ran: Duration,
    waited: Duration,
}

impl Account {
    pub(super) fn now() -> Self {
        let time = |who: UsageWho| {
            // What cannot be known is not ours; all is foreign then.
            let Ok(usage) = getrusage(who) else { return Duration::ZERO };
            let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
            Duration::from_micros(micros.unsigned_abs())
        };
        let (ran, waited) = schedstat();
        Self { all: time(UsageWho::RUSAGE_SELF) + time(UsageWho::RUSAGE_CHILDREN), ran, waited }
    }

    /// What came to it since. While its own children and threads run on its core, a worker may be ready and wait, too; that much
    /// is taken off.
    pub(super) fn since(self, before: Self) -> Spent {
        let all = self.all.saturating_sub(before.all);
        let company = all.saturating_sub(self.ran.saturating_sub(before.ran));
        Spent { ran: all, waited: self.waited.saturating_sub(before.waited).saturating_sub(company) }
    }
}

/// CPU time of this thread, as old as the last tick, and its time on a run queue (schedstat of proc(5)); nothing where the
/// kernel does not count them.
fn schedstat() -> (Duration, Duration) {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let mut fields = text.split_ascii_whitespace().map_while(|field| field.parse().ok()).map(Duration::from_nanos);
    (fields.next().unwrap_or_default(), fields.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn spent(ran: u64, waited: u64) -> Spent {
        Spent { ran: ms(ran), waited: ms(waited) }
    }

    #[test]
    fn company_on_ones_core_is_no_stranger() {
        let account = |all, ran, waited| Account { all: ms(all), ran: ms(ran), waited: ms(waited) };
        // 10 ms of ours, 6 of them another thread's; 8 on the run queue: 2 of these at least were a stranger's.
        assert_eq!(account(110, 54, 28).since(account(100, 50, 20)), spent(10, 2));
        assert_eq!(account(110, 54, 25).since(account(100, 50, 20)).waited, ms(0));
    }

    #[test]
    fn who_shares_a_core_waits_for_the_other_and_who_has_one_does_not() {
        // Each waits while the other runs, and the second 3 ms more: a stranger was there.
        assert_eq!(spent(4, 5).on_one_core(spent(5, 7)), spent(9, 3));
        assert_eq!(spent(4, 5).on_one_core(spent(5, 4)), spent(9, 0));
        assert_eq!(spent(4, 5).on_two_cores(spent(5, 7)), spent(9, 7));
        assert_eq!(spent(9, 8).since(spent(4, 8)), spent(5, 0));
    }

    #[test]
    fn what_one_burns_is_on_ones_account() {
        let (before, own) = (Account::now(), Spent::of_this_thread());
        // The account of a thread that runs is brought up to date when it is asked for: no tick has to pass.
        let until = Instant::now() + ms(20);
        while Instant::now() < until {}
        let spent = Account::now().since(before);
        assert!(spent.ran > Duration::ZERO, "{spent:?}");
        assert!(Spent::of_this_thread().since(own).ran > Duration::ZERO);
    }
}
