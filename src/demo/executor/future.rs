//! A future: what stands for an answer that is not there yet.

use super::Outcome;
use crate::fact::Nanos;

/// The place of a task's answer, before there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::demo) struct Future(pub(super) usize);

impl Future {
    /// Its number, from 1 on, in the order of submission.
    pub(in crate::demo) fn number(self) -> usize {
        self.0 + 1
    }
}

/// The states of a future, by the names of `concurrent.futures`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) enum State {
    /// In the queue.
    Pending,
    /// The worker of this number, in the order of hiring, is at it.
    Running(usize),
    /// It was cancelled before anybody began it.
    Cancelled,
    /// There is an answer, or there will be none.
    Finished,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) enum Missing {
    /// Not in the time that was given. The task goes on (`TimeoutError`).
    TimedOut,
    /// It was cancelled (`CancelledError`).
    Cancelled,
    /// The task failed with this error: its own exception.
    Failed(u32),
    /// Its worker ended in the middle of it (`BrokenExecutor`).
    Broken,
    /// No worker is left to begin it (`BrokenExecutor`, too).
    Abandoned,
}

/// What the question for a result comes to.
pub(in crate::demo) type Answer = Result<u64, Missing>;

/// All there is to know of a future at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::demo) struct Record {
    /// What was to be worked on.
    pub(in crate::demo) argument: u64,
    /// Its state.
    pub(in crate::demo) state: State,
    /// Who took it, in the order of hiring.
    pub(in crate::demo) worker: Option<usize>,
    /// When it was put into the queue.
    pub(in crate::demo) submitted: Nanos,
    /// When it was taken.
    pub(in crate::demo) began: Option<Nanos>,
    /// When there was an answer.
    pub(in crate::demo) ended: Option<Nanos>,
    /// CPU time that its worker spent on it.
    pub(in crate::demo) cpu: Option<Nanos>,
    /// What the task came to; none of a task whose worker ended, or that no worker was left for.
    pub(super) outcome: Option<Outcome>,
}

impl Record {
    /// Finished or cancelled: there is nothing to wait for (`done()`).
    pub(in crate::demo) fn is_done(&self) -> bool {
        matches!(self.state, State::Finished | State::Cancelled)
    }

    /// Somebody is at it, and it can no longer be cancelled (`running()`).
    pub(in crate::demo) fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// The answer, or why there is none; nothing while it may yet come.
    pub(in crate::demo) fn answer(&self) -> Option<Answer> {
        match self.state {
            State::Pending | State::Running(_) => None,
            State::Cancelled => Some(Err(Missing::Cancelled)),
            State::Finished => Some(match self.outcome {
                Some(Ok(value)) => Ok(value),
                Some(Err(error)) => Err(Missing::Failed(error)),
                None if self.began.is_none() => Err(Missing::Abandoned),
                None => Err(Missing::Broken),
            }),
        }
    }
}
