//! How fast a demo goes on by itself, and the two keys that change it.

use crate::fact::{Arg, Control, On, ParamKind, ParamSpec, Params, Steer};
use std::time::Duration;

/// Milliseconds from one thing to the next.
const LEAST: i64 = 1;
const MOST: i64 = 2000;

/// A pace that the learner can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace(i64);

impl Pace {
    /// Its parameter, `default` milliseconds unless given.
    pub(super) const fn param(default: i64, help: &'static str) -> ParamSpec {
        ParamSpec { name: "pace", kind: ParamKind::Int { min: LEAST, max: MOST, default, unit: "ms" }, help }
    }

    /// Its keys.
    pub(super) const KEYS: [Control; 2] = [
        Control { key: '<', verb: "pace", label: "slower: twice the pause", on: On::Demo, arg: Arg::By(1) },
        Control { key: '>', verb: "pace", label: "faster: half the pause", on: On::Demo, arg: Arg::By(-1) },
    ];

    /// As the parameters have it.
    pub(super) fn of(params: &Params) -> Self {
        Self(params.int("pace").clamp(LEAST, MOST))
    }

    /// Takes a wish, if it is one for another pace.
    pub(super) fn obey(&mut self, steer: &Steer) -> bool {
        if steer.verb != "pace" {
            return false;
        }
        let steps = steer.value.as_i64().unwrap_or(0);
        let factor = 1_i64 << steps.unsigned_abs().min(11);
        self.0 = if steps < 0 { self.0 / factor } else { self.0 * factor }.clamp(LEAST, MOST);
        true
    }

    /// The pause.
    pub(super) fn pause(self) -> Duration {
        Duration::from_millis(self.millis())
    }

    /// The pause in milliseconds.
    pub(super) fn millis(self) -> u64 {
        self.0.unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_doubles_and_halves_within_its_bounds() {
        let after = |from: i64, by: i64| {
            let mut pace = Pace(from);
            assert!(pace.obey(&Steer { verb: "pace".to_owned(), worker: None, value: json!(by) }));
            pace.millis()
        };
        assert_eq!([after(40, 1), after(40, -1), after(40, 2), after(1, -1)], [80, 20, 160, 1]);
        assert_eq!([after(1500, 1), after(40, i64::MAX), after(40, i64::MIN)], [2000, 2000, 1]);
        assert!(!Pace(1).obey(&Steer { verb: "other".to_owned(), worker: None, value: json!(1) }));
    }
}
