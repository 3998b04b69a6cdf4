//! A story at a pace that a person can follow and the learner can change: rests, and waiting for what is to be seen. It
//! knows no demo.

use super::script::NOW;
use crate::fact::{Arg, Control, On, ParamKind, ParamSpec, Steer, Unavailable};
use crate::stage::{Cue, Stage};
use std::time::{Duration, Instant};

/// Milliseconds from one step to the next.
const PACES: (i64, i64) = (1, 5000);

/// How often what is waited for is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// How long the machine may take for one step. It may be very busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// The keys that change the pace.
pub(super) const SLOWER: Control =
    Control { key: '<', verb: "pace", label: "slower: twice the pause", on: On::Demo, arg: Arg::By(1) };
/// See [`SLOWER`].
pub(super) const FASTER: Control =
    Control { key: '>', verb: "pace", label: "faster: half the pause", on: On::Demo, arg: Arg::By(-1) };

/// The parameter that sets it.
pub(super) const fn param(default: i64) -> ParamSpec {
    let kind = ParamKind::Int { min: PACES.0, max: PACES.1, default, unit: "ms" };
    ParamSpec { name: "pace", kind, help: "from one step to the next" }
}

/// The pace of a story.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    ms: i64,
}

/// Why a story ends before its end.
#[derive(Debug)]
pub(super) enum Cut {
    /// The learner has seen enough.
    Finish,
    /// What was to come did not come, or the machine refused it.
    Refused(Unavailable),
}

/// The end of a demo's play, as its story went: one that the learner cut short has ended well.
///
/// # Errors
/// What was refused.
pub(super) fn end_of(story: Result<(), Cut>) -> anyhow::Result<()> {
    match story {
        Ok(()) | Err(Cut::Finish) => Ok(()),
        Err(Cut::Refused(why)) => Err(why.into()),
    }
}

impl From<Unavailable> for Cut {
    fn from(refused: Unavailable) -> Self {
        Self::Refused(refused)
    }
}

/// What a look at the machine came to.
#[derive(Debug)]
pub(super) enum Look<T> {
    /// It is there.
    Seen(T),
    /// It may yet come.
    NotYet,
    /// It can no longer come.
    Never,
}

impl<T> Look<T> {
    /// It is there, or may yet come.
    pub(super) fn maybe(seen: Option<T>) -> Self {
        seen.map_or(Self::NotYet, Self::Seen)
    }
}

impl Pace {
    pub(super) fn new(ms: i64) -> Self {
        Self { ms }
    }

    /// Milliseconds of a pause.
    pub(super) fn millis(self) -> u64 {
        self.ms.unsigned_abs()
    }

    /// Takes a wish, if it is one for another pace.
    pub(super) fn obey(&mut self, steer: &Steer) -> bool {
        let mine = steer.verb == SLOWER.verb;
        if mine {
            self.ms = scaled(self.ms, steer.value.as_i64().unwrap_or(0));
        }
        mine
    }

    /// Lets a step stand for a while, or less if the learner wishes (verb [`NOW`], where the demo has a key for it).
    pub(super) fn rest(&mut self, stage: &mut Stage) -> Result<(), Cut> {
        let begun = Instant::now();
        loop {
            // A new pace holds from the beginning of the step on.
            let left = Duration::from_millis(self.millis()).saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            if self.hear(stage, left)? {
                return Ok(());
            }
        }
    }

    /// Looks until `what` is seen.
    pub(super) fn until<T>(
        &mut self,
        stage: &mut Stage,
        what: &str,
        mut look: impl FnMut(&mut Stage) -> Look<T>,
    ) -> Result<T, Cut> {
        let begun = Instant::now();
        loop {
            let why = match look(stage) {
                Look::Seen(seen) => return Ok(seen),
                Look::Never => "a process that it takes has ended".to_owned(),
                Look::NotYet if begun.elapsed() > PATIENCE => format!("it did not come in {} s", PATIENCE.as_secs()),
                Look::NotYet => {
                    self.hear(stage, LOOK)?;
                    continue;
                }
            };
            return Err(Unavailable::new(what, why).into());
        }
    }

    /// Hears the learner for `patience` at most; whether the next step is wanted now.
    fn hear(&mut self, stage: &mut Stage, patience: Duration) -> Result<bool, Cut> {
        match stage.next(Some(patience)) {
            Cue::Finish => Err(Cut::Finish),
            Cue::Steer(steer) => Ok(!self.obey(&steer) && steer.verb == NOW),
            Cue::Ended(_) | Cue::Time => Ok(false),
        }
    }
}

/// The pace twice as slow for each step up, twice as fast for each step down.
fn scaled(pace: i64, steps: i64) -> i64 {
    let factor = 1_i64 << steps.unsigned_abs().min(12);
    if steps < 0 { pace / factor } else { pace * factor }.clamp(PACES.0, PACES.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_doubles_and_halves_within_its_bounds() {
        assert_eq!([scaled(40, 1), scaled(40, -1), scaled(40, 2), scaled(1, -1)], [80, 20, 160, 1]);
        assert_eq!([scaled(4000, 1), scaled(40, i64::MAX), scaled(40, i64::MIN)], [5000, 5000, 1]);
    }
}
