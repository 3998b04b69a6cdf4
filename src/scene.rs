//! Facts in, what is true now out. Pure: no file, process, thread, environment or clock; time is what the facts say.

mod cores;
pub mod lanes;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenarios;
mod tasks;

use crate::fact::{Fact, Nanos, Outcome, Stamped, Tally, Unavailable, Values};
use std::collections::VecDeque;

/// Lines of demo output that are kept.
const SAID: usize = 200;

/// Refusals that are kept. A demo has a handful; a damaged stream could have any number.
const REFUSED: usize = 64;

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
    /// When it refused something last, the same again included.
    pub refused_at: Nanos,
    /// The last lines that the demo wrote, oldest first.
    pub said: VecDeque<String>,
    /// Bytes of output that were dropped.
    pub dropped: u64,
    pub(crate) tasks: tasks::Tasks,
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
        let Self { tally, lanes, tasks, .. } = self;
        lanes.apply_and_tell(stamped, &mut |change| tasks.change(tally, &change));
        tasks.apply(tally, stamped);
        match &stamped.fact {
            Fact::SoFar { values } => self.so_far.clone_from(values),
            Fact::Outcome(outcome) => self.outcome = Some(outcome.clone()),
            Fact::Refused(refused) => {
                self.refused_at = self.refused_at.max(stamped.t);
                if self.refused.len() < REFUSED && !self.refused.contains(refused) {
                    self.refused.push(refused.clone());
                }
            }
            Fact::Said { text, dropped } => {
                self.dropped = self.dropped.saturating_add(*dropped);
                self.said.push_back(text.clone());
                if self.said.len() > SAID {
                    self.said.pop_front();
                }
            }
            _ => {}
        }
    }

    /// Lets time pass without a fact: what is on a CPU is still on it.
    pub fn advance(&mut self, now: Nanos) {
        self.tally.now = self.tally.now.max(now);
        self.lanes.advance(now);
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
pub struct Totals {
    tally: Tally,
    cores: cores::Cores,
    tasks: tasks::Tasks,
}

impl Totals {
    /// Takes one fact in.
    pub fn apply(&mut self, stamped: &Stamped) {
        let Self { tally, cores, tasks } = self;
        cores.apply(stamped, &mut |change| tasks.change(tally, &change));
        tasks.apply(tally, stamped);
    }

    /// The totals so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Stamped {
        Stamped::new(Nanos(1), Fact::Said { text: text.into(), dropped: 3 })
    }

    #[test]
    fn only_the_last_lines_are_kept_and_what_was_dropped_is_counted() {
        let mut scene = Scene::new();
        scene.extend(&(0..300).map(|i| said(&i.to_string())).collect::<Vec<_>>());
        assert_eq!((scene.said.len(), scene.dropped), (SAID, 900));
        assert_eq!(scene.said.back().map(String::as_str), Some("299"));
    }

    #[test]
    fn a_refusal_is_kept_once_and_values_are_the_outcomes_when_there_is_one() {
        let mut scene = Scene::new();
        let refused = Stamped::new(Nanos(1), Fact::Refused(Unavailable::new("pages", "EPERM")));
        scene.extend([&refused, &refused]);
        assert_eq!(scene.refused.len(), 1);
        let values = |n: u64| Values::from([("n".to_owned(), n.into())]);
        scene.apply(&Stamped::new(Nanos(2), Fact::SoFar { values: values(1) }));
        assert_eq!(scene.values(), &values(1));
        let outcome = Outcome { values: values(2), lost: 0, seconds: 1.0, clean: true, left_behind: 0, broke: None };
        scene.apply(&Stamped::new(Nanos(3), Fact::Outcome(outcome)));
        assert_eq!((scene.values(), scene.now()), (&values(2), Nanos(3)));
    }

    #[test]
    fn time_can_pass_without_a_fact_but_not_backwards() {
        let mut scene = Scene::new();
        scene.advance(Nanos(9));
        scene.advance(Nanos(4));
        assert_eq!((scene.now(), scene.lanes.now()), (Nanos(9), Nanos(9)));
    }
}
