//! Workers that are stopped and go on, at the learner's wish, and for how long they were: a stopped worker is neither ready
//! nor blocked, and that time is no part of its life.

use crate::fact::{As, Fact, Unavailable};
use crate::stage::{Stage, Target};
use rustix::process::Signal;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A leader that has not looked for so long was stopped itself, and everybody with it.
const AWAY: Duration = Duration::from_millis(500);

/// Who is stopped, and for how long each has been, by numbers in the cast.
#[derive(Debug)]
pub(super) struct Stops {
    what: As,
    now: BTreeSet<usize>,
    spent: BTreeMap<usize, Duration>,
    looked: Instant,
}

impl Stops {
    pub(super) fn new(what: As) -> Self {
        Self { what, now: BTreeSet::new(), spent: BTreeMap::new(), looked: Instant::now() }
    }

    /// Stops a worker that is a process, or lets it go on.
    pub(super) fn toggle(&mut self, stage: &Stage, number: usize) -> Result<(), Unavailable> {
        if self.what == As::Threads {
            let why = "a stop signal stops a whole process, and these threads are all of one";
            return Err(Unavailable::new("stopping one thread", why).remedy("Try it with as=processes"));
        }
        if self.now.remove(&number) {
            signal(stage, number, Signal::CONT);
        } else {
            self.now.insert(number);
            signal(stage, number, Signal::STOP);
        }
        Ok(())
    }

    /// Adds up and tells the time since it looked last.
    pub(super) fn look(&mut self, stage: &mut Stage) {
        let elapsed = self.looked.elapsed();
        self.looked = Instant::now();
        let on: Vec<usize> = stage.on().filter(|n| elapsed > AWAY || self.now.contains(n)).collect();
        for number in on {
            let spent = self.spent.entry(number).or_default();
            *spent += elapsed;
            if let Some(tid) = stage.cast().get(number).map(|entry| entry.tid) {
                let nanos = crate::fact::Nanos::from(*spent).0;
                stage.tell(Fact::Value { tid, name: "stopped_ns".to_owned(), value: json!(nanos) });
            }
        }
    }

    /// Lets everybody go on.
    pub(super) fn end(self, stage: &Stage) {
        self.now.iter().for_each(|number| signal(stage, *number, Signal::CONT));
    }
}

fn signal(stage: &Stage, number: usize, signal: Signal) {
    if let Some(target) = stage.cast().get(number).filter(|e| e.ended.is_none()).and_then(|e| Target::open(e.pid)) {
        // One that is no longer there needs no signal.
        let _ = target.signal(signal);
    }
}
