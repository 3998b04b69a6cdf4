//! What of a run's locks is drawn. Knows no cells.

use crate::fact::{LockTally, Nanos, Tally, Tid, clean_line};
use crate::view::put::count;
use serde_json::Value;

/// The table in which a demo tells what it says of its places: a row's name is the lock's, its value `seats` how many it
/// admits, its value `says` what has just happened there, in a sentence.
const TABLE: &str = "places";

/// A lock, as a place.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) name: String,
    /// How many it admits, where that is a number.
    pub(super) seats: Option<usize>,
    pub(super) inside: Vec<Guest>,
    /// The first in line first.
    pub(super) waiting: Vec<Guest>,
    /// The longest wait so far, those that still last included.
    pub(super) longest: Nanos,
    /// What the demo says of it.
    pub(super) says: Option<String>,
    most: (usize, usize),
    visits: u64,
}

/// Somebody inside or before the door.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) tid: Tid,
    pub(super) name: String,
    pub(super) slot: Option<u16>,
    /// What it is there for: "reads".
    pub(super) role: Option<String>,
    /// It ended inside.
    pub(super) dead: bool,
    /// How long it has been there; for the dead, how long they have been dead.
    pub(super) time: Nanos,
}

impl Guest {
    fn new(tally: &Tally, tid: Tid, since: Nanos) -> Self {
        let task = tally.task(tid);
        // At the end of a run all end: only who did before is dead.
        let died = task.and_then(|task| task.ended.as_ref()).map(|(at, _)| *at).filter(|_| tally.is_dead(tid));
        let now = tally.closing().unwrap_or(tally.now);
        Self {
            tid,
            name: task.map_or_else(|| tid.0.to_string(), |task| clean_line(&task.name)),
            slot: task.and_then(|task| task.slot),
            role: task.and_then(|task| task.values.get("role")).and_then(Value::as_str).map(clean_line),
            dead: died.is_some(),
            time: now.since(died.unwrap_or(since)),
        }
    }

    /// "312 ms", "dead 1.20 s".
    pub(super) fn since(&self) -> String {
        if self.dead { format!("dead {}", self.time) } else { self.time.to_string() }
    }
}

/// The places of a run: those that its demo told of in that order, then all others.
pub(super) fn places(tally: &Tally) -> Vec<Place> {
    let told = tally.table(TABLE);
    let rank = |name: &str| told.iter().position(|row| row.name == name).unwrap_or(told.len());
    let mut locks: Vec<_> = tally.locks.iter().collect();
    locks.sort_by_key(|(name, _)| rank(name));
    locks.into_iter().map(|(name, lock)| Place::new(tally, name, lock)).collect()
}

impl Place {
    fn new(tally: &Tally, name: &str, lock: &LockTally) -> Self {
        let seats = tally.cell(TABLE, name, "seats").and_then(Value::as_u64);
        let guest = |(tid, since): &(Tid, Nanos)| Guest::new(tally, *tid, *since);
        Self {
            name: clean_line(name),
            seats: seats.and_then(|n| usize::try_from(n).ok()),
            inside: lock.inside.iter().map(guest).collect(),
            waiting: lock.queue.iter().map(guest).collect(),
            longest: lock.longest(tally.closing().unwrap_or(tally.now)),
            says: tally.cell(TABLE, name, "says").and_then(Value::as_str).map(clean_line),
            most: (lock.most_inside, lock.most_waiting),
            visits: lock.visits.values().map(|visits| visits.got).sum(),
        }
    }

    /// Rows within the room for all that ever were there.
    pub(super) fn body(&self) -> usize {
        self.most.0.max(self.seats.unwrap_or(0)).max(self.most.1.saturating_sub(1))
    }

    /// "cafeteria: 2 of 3 seats".
    pub(super) fn title(&self) -> String {
        match self.seats {
            Some(1) | None => self.name.clone(),
            Some(seats) => format!("{}: {} of {seats}", self.name, self.inside.len()),
        }
    }

    /// Somebody has ever stood in line.
    pub(super) fn is_asked_for(&self) -> bool {
        self.most.1 > 0
    }

    pub(super) fn died_inside(&self) -> bool {
        self.inside.iter().any(|guest| guest.dead)
    }

    /// Who died inside, and whether the dead have all seats.
    fn death(&self) -> Option<String> {
        let dead: Vec<_> = self.inside.iter().filter(|guest| guest.dead).map(|guest| guest.name.as_str()).collect();
        let (last, others) = dead.split_last()?;
        let names = if others.is_empty() { (*last).to_owned() } else { format!("{} and {last}", others.join(", ")) };
        let full = self.seats.is_some_and(|seats| dead.len() >= seats) && !self.waiting.is_empty();
        Some(format!("{names} died inside.{}", if full { " Nobody will get in." } else { "" }))
    }

    /// What it came to so far.
    pub(super) fn words(&self, named: bool) -> String {
        let name = if named { format!("{}: ", self.name) } else { String::new() };
        let (inside, waiting) = self.most;
        let visits = count(self.visits, "visit", "visits");
        let line = if waiting > 1 { format!(", {waiting} in line") } else { String::new() };
        let longest = if waiting > 0 { format!("; longest wait {}", self.longest) } else { String::new() };
        match self.says.clone().or_else(|| self.death()) {
            Some(says) => format!("{name}{says} {visits}."),
            None => format!("{name}{visits}, at most {inside} inside{line}{longest}."),
        }
    }
}
