//! Facts in, what is true now out. Pure: no file, process, thread, environment or clock; time is what the facts say.

pub mod lanes;
mod tasks;

use crate::fact::{Fact, Nanos, Outcome, Stamped, Tally, Unavailable, Values};
use std::collections::VecDeque;

/// Lines of demo output that are kept.
const SAID: usize = 200;

/// All that is known of a run.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    /// Totals, task by task.
    pub tally: Tally,
    /// Who ran when on each core.
    pub lanes: lanes::Lanes,
    /// The newest values that the outcome would have.
    pub so_far: Values,
    /// The outcome, when the run has ended.
    pub outcome: Option<Outcome>,
    /// What the machine refused.
    pub refused: Vec<Unavailable>,
    /// The last lines that the demo wrote, oldest first.
    pub said: VecDeque<String>,
    /// Bytes of output that were dropped.
    pub dropped: u64,
}

impl Scene {
    /// A scene in which nothing has happened.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The moment of the newest fact.
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.tally.now
    }

    /// The outcome's values, or what they would be if the run ended now.
    #[must_use]
    pub fn values(&self) -> &Values {
        self.outcome.as_ref().map_or(&self.so_far, |o| &o.values)
    }

    /// Takes one fact in.
    pub fn apply(&mut self, stamped: &Stamped) {
        tasks::apply(&mut self.tally, stamped);
        self.lanes.apply(stamped);
        match &stamped.fact {
            Fact::SoFar { values } => self.so_far.clone_from(values),
            Fact::Outcome(outcome) => self.outcome = Some(outcome.clone()),
            Fact::Refused(refused) if !self.refused.contains(refused) => self.refused.push(refused.clone()),
            Fact::Said { text, dropped } => {
                self.dropped += dropped;
                self.said.push_back(text.clone());
                if self.said.len() > SAID {
                    self.said.pop_front();
                }
            }
            _ => {}
        }
    }

    /// Takes facts in, in their order.
    pub fn extend<'a>(&mut self, facts: impl IntoIterator<Item = &'a Stamped>) {
        for fact in facts {
            self.apply(fact);
        }
    }
}

/// The fold without the picture: totals only, for those that need no screen.
#[derive(Debug, Default)]
pub struct Totals(Tally);

impl Totals {
    /// Takes one fact in.
    pub fn apply(&mut self, stamped: &Stamped) {
        tasks::apply(&mut self.0, stamped);
    }

    /// The totals so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.0
    }
}
