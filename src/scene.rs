//! Facts in, what is true now out. Pure: no file, process, thread, environment or clock; time is what the facts say.

mod cores;
pub mod lanes;
mod locks;
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

/// How long a refusal is news in a run that goes on.
const NEWS: Nanos = Nanos::from_millis(8000);

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
    pub refused: Vec<Refusal>,
    /// The last lines that the demo wrote, oldest first.
    pub said: VecDeque<String>,
    /// Bytes of output that were dropped.
    pub dropped: u64,
    pub(crate) tasks: tasks::Tasks,
}

/// Something that the machine refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What, and why.
    pub what: Unavailable,
    /// Since when it is news.
    pub at: Nanos,
}

impl Refusal {
    /// Whether a learner has not had the time to read it yet.
    #[must_use]
    pub fn is_news(&self, now: Nanos) -> bool {
        now.since(self.at) < NEWS
    }
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
                self.refuse(stamped.t, refused);
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

    /// The same again is news again only when the last news of it is old: or a demo, or a learner, that goes on asking would
    /// keep it on show for ever.
    fn refuse(&mut self, at: Nanos, what: &Unavailable) {
        let known = self.refused.iter().position(|r| r.what == *what);
        if known.and_then(|n| self.refused.get(n)).is_some_and(|r| r.is_news(at)) {
            return;
        }
        // The newest stands last.
        known.map(|n| self.refused.remove(n));
        if self.refused.len() < REFUSED {
            self.refused.push(Refusal { what: what.clone(), at });
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
    fn a_refusal_is_news_for_its_time_however_often_it_comes_again() {
        let mut scene = Scene::new();
        let refuse = |scene: &mut Scene, ms: u64, what: &str| {
            let refused = Unavailable::new(what, "enough");
            scene.apply(&Stamped::new(Nanos::from_millis(ms), Fact::Refused(refused)));
        };
        let news = |scene: &Scene, ms: u64| -> Vec<_> {
            let news = scene.refused.iter().filter(|r| r.is_news(Nanos::from_millis(ms)));
            news.map(|r| r.what.what.clone()).collect()
        };
        refuse(&mut scene, 1000, "a worker");
        (2..9).for_each(|s| refuse(&mut scene, s * 1000, "a worker"));
        refuse(&mut scene, 8500, "a core");
        assert_eq!(news(&scene, 8500), ["a worker", "a core"]);
        assert_eq!(news(&scene, 9000), ["a core"], "another refusal does not bring the old one back");
        refuse(&mut scene, 9500, "a worker");
        assert_eq!(news(&scene, 9500), ["a core", "a worker"], "a later try is answered anew");
        assert_eq!(news(&scene, 17_500), [""; 0]);
    }

    #[test]
    fn time_can_pass_without_a_fact_but_not_backwards() {
        let mut scene = Scene::new();
        scene.advance(Nanos(9));
        scene.advance(Nanos(4));
        assert_eq!((scene.now(), scene.lanes.now()), (Nanos(9), Nanos(9)));
    }
}
