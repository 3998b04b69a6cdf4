//! The table of demos. A new demo is one file and one line here; nothing else in the program names it.

mod account;
mod addresses;
mod amdahl;
mod area;
mod arenas;
mod barrier;
mod belongings;
mod bound;
mod bytecode;
mod channel;
mod company;
mod condvar;
mod cores;
mod coroutine;
mod cost;
mod crash;
mod create;
mod deadlock;
mod executor;
mod eye;
mod family;
mod fifo;
mod footprint;
mod gil;
mod glance;
mod hatch;
mod ignored;
mod instances;
mod interleave;
mod ipc;
mod isolation;
mod journey;
mod labour;
mod ladder;
mod limits;
mod livelock;
mod matrix;
mod meeting;
mod monitor;
mod mqueue;
mod mutex;
mod pace;
mod pinning;
mod pipe;
mod pool;
mod posix;
mod primes;
mod priority;
mod pyrace;
mod python;
mod race;
mod responsive;
mod rounds;
mod rpc;
mod rwlock;
mod script;
mod seats;
mod semaphore;
mod shared;
mod shm;
mod signal;
mod sizes;
mod socket;
mod spawn;
mod spinlock;
mod spoiled;
mod spread;
mod starvation;
mod states;
mod stop;
mod sweep;
mod switch;
mod tcp;
mod timeslice;
mod train;
mod trespass;
mod unruly;
mod visibility;

use crate::fact::{DemoSpec, Params, Tally, Values};
use crate::stage::Stage;

/// A demo: what it says of itself, what it does on stage, and what its run came to.
pub trait Demo: Sync {
    /// All that the program knows of it.
    fn spec(&self) -> &'static DemoSpec;

    /// Runs on stage, in the leader. Returns when the run is over; the stage sends off whoever is still on.
    ///
    /// # Errors
    /// The demo broke; an [`crate::fact::Unavailable`] within is what the machine refused.
    fn play(&self, stage: &mut Stage) -> anyhow::Result<()>;

    /// The values of the outcome if the run ended now. Pure: the same totals give the same values.
    fn outcome(&self, params: &Params, tally: &Tally) -> Values;
}

/// Every demo, in the order of the lessons.
pub static DEMOS: &[&dyn Demo] = &[
    &instances::Instances,
    &family::Family,
    &addresses::Addresses,
    &belongings::Belongings,
    &timeslice::Timeslice,
    &priority::Priority,
    &cores::Cores,
    &pinning::Pinning,
    &states::States,
    &isolation::Isolation,
    &trespass::Trespass,
    &shared::Shared,
    &visibility::Visibility,
    &create::Create,
    &switch::Switch,
    &ladder::Ladder,
    &footprint::Footprint,
    &limits::Limits,
    &crash::Crash,
    &spoiled::Spoiled,
    &stop::Stop,
    &pipe::DEMO,
    &fifo::DEMO,
    &socket::DEMO,
    &tcp::DEMO,
    &mqueue::DEMO,
    &shm::DEMO,
    &signal::DEMO,
    &rpc::DEMO,
    &ipc::Ipc,
    &race::Race,
    &interleave::Interleave,
    &seats::Seats,
    &mutex::Restroom,
    &spinlock::Desk,
    &rwlock::Timetable,
    &ignored::Ignored,
    &semaphore::Cafeteria,
    &condvar::Kitchen,
    &monitor::Pantry,
    &barrier::Boarding,
    &deadlock::Deadlock,
    &livelock::Livelock,
    &starvation::Starvation,
    &pool::Pool,
    &bound::Bound,
    &gil::Gil,
    &pyrace::PyRace,
    &spawn::Spawn,
    &coroutine::Cooperative,
    &responsive::Responsive,
    &amdahl::Amdahl,
    &unruly::Unruly,
];

/// The demo called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Demo> {
    DEMOS.iter().copied().find(|d| d.spec().name == name)
}

/// Plays the demo that the stage is set for.
///
/// # Errors
/// There is no such demo, or it broke.
pub fn play(stage: &mut Stage) -> anyhow::Result<()> {
    let demo = find(stage.demo()).ok_or_else(|| anyhow::anyhow!("there is no demo {}", stage.demo()))?;
    demo.play(stage)
}

/// What the demos say of themselves.
#[must_use]
pub fn specs() -> Vec<&'static DemoSpec> {
    DEMOS.iter().map(|d| d.spec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_demo_keeps_its_promises_before_anything_has_happened() {
        let mut names = BTreeSet::new();
        for demo in DEMOS {
            let spec = demo.spec();
            assert!(names.insert(spec.name), "two demos are called {}", spec.name);
            let params = Params::defaults(spec);
            assert_eq!((spec.check)(&params), Ok(()), "the defaults of {} are refused", spec.name);
            let values = demo.outcome(&params, &Tally::default());
            let promised: BTreeSet<_> = spec.returns.iter().map(|r| r.name.to_owned()).collect();
            let given: BTreeSet<_> = values.into_keys().collect();
            assert_eq!(given, promised, "{}: the outcome and the spec differ", spec.name);
        }
    }

    #[test]
    fn no_control_takes_a_key_of_another() {
        for spec in specs() {
            let mut keys = BTreeSet::new();
            for control in spec.controls {
                assert!(keys.insert(control.key), "{}: two controls on {}", spec.name, control.key);
            }
        }
    }
}
