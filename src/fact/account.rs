//! The kernel's own account of a task. It is read elsewhere.

use super::{Fact, Nanos, Tid};

/// The kernel's own account of a task (/proc status and schedstat), and when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// When it was read.
    pub at: Nanos,
    /// Voluntary switches.
    pub voluntary: u64,
    /// Involuntary switches.
    pub involuntary: u64,
    /// Time on a CPU.
    pub ran: Nanos,
    /// Time ready on a run queue.
    pub waited: Nanos,
    /// Times it got a CPU.
    pub turns: u64,
}

impl Account {
    /// As a fact about the task `tid`.
    #[must_use]
    pub fn fact(&self, tid: Tid) -> Fact {
        Fact::Counters {
            tid,
            voluntary: self.voluntary,
            involuntary: self.involuntary,
            ran: self.ran.0,
            waited: self.waited.0,
            turns: self.turns,
        }
    }
}
