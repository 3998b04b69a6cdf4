//! Owners of a lock that die with it: how one is brought about, what it was to the others, and when all of it can be judged.

use super::{KILL, Passenger, Roll, kill, travel_with};
use crate::demo::pace::Cut;
use crate::fact::{As, Fact, LockStep, ParamError, Params, ReturnKind, ReturnSpec, Steer, Tally};
use crate::stage::{Cue, Left, Stage, Worker};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The table of who died inside: what it was `ended_by` and on which `visit`, who was `next` and what it was `told`.
const DEATHS: &str = "deaths";

/// What [`outcome`] gives.
pub(in crate::demo) const ENDED_BY: ReturnSpec =
    ReturnSpec { name: "ended_by", kind: ReturnKind::Word, help: "what ended the one that died inside" };
/// See [`ENDED_BY`].
pub(in crate::demo) const NEXT: ReturnSpec =
    ReturnSpec { name: "next", kind: ReturnKind::Word, help: "who was inside next; nobody, if nobody got in" };
/// See [`ENDED_BY`].
pub(in crate::demo) const TOLD: ReturnSpec =
    ReturnSpec { name: "told", kind: ReturnKind::Word, help: "what the lock told the next one of it" };
/// See [`ENDED_BY`].
pub(in crate::demo) const VISITS_AFTER: ReturnSpec =
    ReturnSpec { name: "visits_after", kind: ReturnKind::Count, help: "visits since then" };

/// On which of its visits the victim is killed: by the second one the others stand in line.
const LAST_VISIT: u64 = 2;

/// Visits that each has made before a run is judged, and how long they are waited for.
const ENOUGH: u64 = 2;
const PATIENCE: Duration = Duration::from_secs(10);

/// How long nobody gets in before it is said that nobody will.
const IN_VAIN: Duration = Duration::from_millis(1500);

/// How long a run whose owner died goes on once it can be judged.
const STAY: Duration = Duration::from_secs(3);

/// How often the roll is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A thread cannot be killed alone.
///
/// # Errors
/// A victim among threads.
pub(in crate::demo) fn check(params: &Params) -> Result<(), ParamError> {
    if params.word("victim") != "none" && params.workers_as() == As::Threads {
        return Err(ParamError::new("victim", "needs as=processes: SIGKILL ends a whole process, never one thread"));
    }
    Ok(())
}

/// What of the roll concerns one passenger.
#[derive(Debug, Clone)]
pub(in crate::demo) struct Ticket {
    pub(in crate::demo) roll: Arc<Roll>,
    pub(in crate::demo) number: usize,
    pub(in crate::demo) passengers: usize,
    /// It dies inside.
    pub(in crate::demo) doomed: bool,
}

impl Ticket {
    /// It has the lock. Who died with it is inside no longer, and what the lock `told` of that is told.
    pub(in crate::demo) fn inherit(&self, worker: &Worker, place: &str, told: &str) {
        if let Some((dead, tid)) = self.roll.take_over(self.passengers) {
            worker.tell(Fact::Lock { tid, lock: place.to_owned(), step: LockStep::Leaves });
            worker.tell(row(&letter(dead), json!({ "next": worker.name(), "told": told })));
            let says = format!("{} died inside; {} came next, told {told}.", letter(dead), worker.name());
            worker.tell(says_of(place, &says));
        }
        self.enter(worker);
    }

    /// It is inside.
    pub(in crate::demo) fn enter(&self, worker: &Worker) {
        self.roll.enter(self.number, worker.tid());
    }

    /// It is about to give the lock back.
    pub(in crate::demo) fn leave(&self) {
        self.roll.leave(self.number);
    }

    /// If this is its last visit, it stays until it is killed.
    pub(in crate::demo) fn meet_end(&self, passenger: &mut Passenger<'_>) {
        if self.doomed && self.roll.visits_of(self.number) >= LAST_VISIT {
            self.roll.await_end(self.number);
            while passenger.rest(1000, 4) {}
        }
    }
}

/// The letter of a passenger: the stage gives them in turn.
fn letter(number: usize) -> String {
    u8::try_from(number).map_or_else(|_| number.to_string(), |n| char::from(b'A' + n % 26).to_string())
}

fn row(dead: &str, values: Value) -> Fact {
    crate::demo::script::row(DEATHS, dead, values)
}

/// What the picture of the queue says of a place.
fn says_of(place: &str, says: &str) -> Fact {
    crate::demo::script::row("places", place, json!({ "says": says }))
}

/// What is expected after an owner's death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) enum After {
    /// Somebody gets in.
    Heir,
    /// Nobody knows.
    Unknown,
}

/// A leader who lets the passengers travel, kills the victim where it stands, and says when all can be judged. A run with a
/// victim ends by itself.
#[derive(Debug)]
pub(in crate::demo) struct Attendant {
    pub(in crate::demo) roll: Arc<Roll>,
    /// What the lock is called.
    pub(in crate::demo) place: &'static str,
    pub(in crate::demo) passengers: usize,
    /// One of them is to die inside.
    pub(in crate::demo) victim: bool,
    pub(in crate::demo) after: After,
}

/// What the attendant has seen.
#[derive(Debug)]
struct Seen {
    begun: Instant,
    /// The victim was killed.
    killed: bool,
    /// A death of which it is not yet known what it came to.
    died: Option<Death>,
    /// Since when all can be judged.
    settled: Option<Instant>,
}

/// A death inside.
#[derive(Debug, Clone)]
struct Death {
    letter: String,
    at: Instant,
    visit: u64,
}

impl Attendant {
    /// # Errors
    /// The learner has seen enough.
    pub(in crate::demo) fn travel(&self, stage: &mut Stage, pause: i64) -> Result<(), Cut> {
        let mut seen = Seen { begun: Instant::now(), killed: false, died: None, settled: None };
        travel_with(stage, pause, |stage, cue| self.look(stage, cue, &mut seen))
    }

    /// Takes a cue. How long until the next look, if one is due; zero at the end.
    fn look(&self, stage: &mut Stage, cue: &Cue, seen: &mut Seen) -> Option<Duration> {
        if let Cue::Ended(number) = cue {
            seen.died = self.death(stage, *number).or_else(|| seen.died.take());
        }
        if let Some(victim) = self.roll.awaits_end().filter(|_| !seen.killed) {
            seen.killed = true;
            let wish = Steer { verb: KILL.verb.to_owned(), worker: Some(letter(victim)), value: Value::Null };
            kill(stage, &wish);
        }
        let concluded = seen.died.take_if(|death| self.is_over(death)).map(|death| self.conclude(stage, &death));
        let due = if self.victim { concluded.is_some() } else { self.is_seen_enough(seen.begun) };
        if due && seen.settled.is_none() {
            seen.settled = Some(Instant::now());
            stage.tell(Fact::settled());
        }
        match seen.settled {
            Some(at) if self.victim => Some(STAY.saturating_sub(at.elapsed())),
            Some(_) if seen.died.is_none() => None,
            _ => Some(LOOK),
        }
    }

    /// Tells of a passenger that ended, if it was inside.
    fn death(&self, stage: &mut Stage, number: usize) -> Option<Death> {
        let visit = self.roll.died_on(number)?;
        let entry = stage.cast().get(number)?;
        let by = match entry.ended.as_ref()? {
            Left::Signal(signal) => signal.as_str().to_owned(),
            Left::Code(code) => format!("code {code}"),
        };
        let letter = entry.name.clone();
        stage.tell(row(&letter, json!({ "ended_by": by, "visit": visit })));
        Some(Death { letter, at: Instant::now(), visit })
    }

    /// It is known what a death came to.
    fn is_over(&self, death: &Death) -> bool {
        let since = self.roll.visits().saturating_sub(death.visit);
        match self.after {
            After::Heir => since > 1 || death.at.elapsed() >= PATIENCE,
            After::Unknown => death.at.elapsed() >= IN_VAIN,
        }
    }

    fn is_seen_enough(&self, begun: Instant) -> bool {
        let all = (0..self.passengers).all(|n| self.roll.visits_of(n) >= ENOUGH);
        begun.elapsed() >= if all { IN_VAIN } else { PATIENCE }
    }

    /// Says that nobody got in after a death, if that is so.
    fn conclude(&self, stage: &mut Stage, death: &Death) {
        if self.roll.visits() == death.visit {
            let time = death.at.elapsed().as_secs_f64();
            let says = format!("{} died inside. In the {time:.1} s after it nobody got in.", death.letter);
            stage.tell(says_of(self.place, &says));
            stage.tell(row(&death.letter, json!({ "next": "nobody", "told": "nothing" })));
        }
    }
}

/// What the last death inside came to, if there was one, of all visits to `place`.
pub(in crate::demo) fn outcome(tally: &Tally, place: &str) -> [(String, Value); 4] {
    let death = tally.table(DEATHS).iter().rfind(|row| row.values.contains_key("visit"));
    let cell = |name: &str| death.and_then(|row| row.values.get(name)).cloned().unwrap_or(Value::Null);
    let visits: u64 = tally.locks.get(place).map_or(0, |lock| lock.visits.values().map(|v| v.got).sum());
    let after = cell("visit").as_u64().map(|visit| json!(visits.saturating_sub(visit)));
    [
        (ENDED_BY.name, cell("ended_by")),
        (NEXT.name, cell("next")),
        (TOLD.name, cell("told")),
        (VISITS_AFTER.name, after.unwrap_or(Value::Null)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{LockTally, Tid, Visits};

    fn tally(got: u64, rows: &[(&str, Value)]) -> Tally {
        let mut tally = Tally::default();
        tally.put_table(DEATHS, rows);
        let visits = [(Tid(1), Visits { got, ..Visits::default() })].into();
        tally.locks.insert("door".to_owned(), LockTally { visits, ..LockTally::default() });
        tally
    }

    fn values(tally: &Tally) -> [Value; 4] {
        outcome(tally, "door").map(|(_, value)| value)
    }

    #[test]
    fn where_nobody_died_nothing_is_known() {
        assert_eq!(values(&tally(5, &[])), [Value::Null, Value::Null, Value::Null, Value::Null]);
        // The heir has told already, the leader has not seen the end yet.
        assert_eq!(values(&tally(5, &[("A", json!({"next": "B", "told": "EOWNERDEAD"}))]))[0], Value::Null);
    }

    #[test]
    fn the_last_death_counts() {
        let rows = [
            ("A", json!({"ended_by": "SIGKILL", "visit": 2, "next": "B", "told": "EOWNERDEAD"})),
            ("B", json!({"ended_by": "SIGKILL", "visit": 7, "next": "C", "told": "EOWNERDEAD"})),
        ];
        assert_eq!(values(&tally(9, &rows)), [json!("SIGKILL"), json!("C"), json!("EOWNERDEAD"), json!(2)]);
    }

    #[test]
    fn the_letters_are_those_of_the_stage() {
        assert_eq!([0, 1, 25].map(letter), ["A", "B", "Z"]);
    }
}
