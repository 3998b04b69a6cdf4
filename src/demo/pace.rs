//! A story told at a pace that the learner can change: for demos that go on step by step. Knows no demo.

use crate::fact::{Arg, Control, On, ParamKind, ParamSpec, Params, Steer};
use crate::stage::{Cue, Stage};
use std::time::{Duration, Instant};

/// Milliseconds from one step to the next.
const RANGE: (i64, i64) = (1, 2000);

/// How often a condition is looked at that nobody announces.
const LOOK: Duration = Duration::from_millis(2);

/// The pace of a run.
#[derive(Debug)]
pub(super) struct Pace {
    ms: i64,
}

impl Pace {
    /// The keys that change it.
    pub(super) const CONTROLS: [Control; 2] = [
        Control { key: '<', verb: "pace", label: "slower: twice the pause", on: On::Demo, arg: Arg::By(1) },
        Control { key: '>', verb: "pace", label: "faster: half the pause", on: On::Demo, arg: Arg::By(-1) },
    ];

    /// The parameter, with its default in milliseconds.
    pub(super) const fn param(default: i64) -> ParamSpec {
        ParamSpec {
            name: "pace",
            kind: ParamKind::Int { min: RANGE.0, max: RANGE.1, default, unit: "ms" },
            help: "from one step to the next",
        }
    }

    /// The pace that the parameters ask for.
    pub(super) fn of(params: &Params) -> Self {
        Self { ms: params.int("pace") }
    }

    /// Waits for the time between two steps. False if the run is to come to its end.
    pub(super) fn rest(&mut self, stage: &mut Stage) -> bool {
        let begun = Instant::now();
        loop {
            let left = Duration::from_millis(self.ms.unsigned_abs()).saturating_sub(begun.elapsed());
            if left.is_zero() {
                return true;
            }
            if !self.heed(&stage.next(Some(left))) {
                return false;
            }
        }
    }

    /// Waits until `done`, for `patience` at most. False if the run is to come to its end.
    pub(super) fn until(
        &mut self,
        stage: &mut Stage,
        patience: Duration,
        mut done: impl FnMut(&Stage) -> bool,
    ) -> bool {
        let begun = Instant::now();
        while !done(stage) && begun.elapsed() < patience {
            if !self.heed(&stage.next(Some(LOOK))) {
                return false;
            }
        }
        true
    }

    /// Takes in a wish. False if the run is to come to its end.
    fn heed(&mut self, cue: &Cue) -> bool {
        match cue {
            Cue::Steer(Steer { verb, value, .. }) if verb == "pace" => {
                self.ms = scaled(self.ms, value.as_i64().unwrap_or(0));
            }
            Cue::Finish => return false,
            Cue::Steer(_) | Cue::Ended(_) | Cue::Time => {}
        }
        true
    }
}

/// Twice as slow for each step up, twice as fast for each step down.
fn scaled(ms: i64, steps: i64) -> i64 {
    let factor = 1_i64 << steps.unsigned_abs().min(11);
    if steps < 0 { ms / factor } else { ms * factor }.clamp(RANGE.0, RANGE.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_doubles_and_halves_within_its_bounds() {
        assert_eq!([scaled(40, 1), scaled(40, -1), scaled(40, 2), scaled(1, -1)], [80, 20, 160, 1]);
        assert_eq!([scaled(1500, 1), scaled(40, i64::MAX), scaled(40, i64::MIN)], [2000, 2000, 1]);
    }

    #[test]
    fn only_the_end_ends_it() {
        let mut pace = Pace { ms: 100 };
        let steer = |verb: &str| Cue::Steer(Steer { verb: verb.to_owned(), worker: None, value: serde_json::json!(1) });
        assert!(pace.heed(&steer("pace")) && pace.heed(&steer("other")) && pace.heed(&Cue::Time));
        assert_eq!(pace.ms, 200);
        assert!(!pace.heed(&Cue::Finish));
    }
}
