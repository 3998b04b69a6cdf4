//! Passengers of a train who want into a place, wait for it, stay and leave: what the demos about locks share. Each tells what
//! it does by its own clock. It knows no demo.
//!
//! `has` is told after a place was got and `leaves` before it is given back, into one pipe. So whoever is told to be inside was
//! inside, and two are never told to be where only one can be.

mod owner;
pub(super) mod returns;
mod roll;

pub(super) use owner::{After, Attendant, ENDED_BY, NEXT, TOLD, Ticket, VISITS_AFTER, check, outcome};
pub(super) use roll::Roll;

use super::labour::on_cpu;
use super::pace::{self, Cut, Pace};
use crate::fact::{Control, Ending, Fact, LockStep, Nanos, On, Steer, Tally, Tid, Unavailable};
use crate::stage::{Cue, Stage, Target, Worker};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The key by which the learner kills the chosen passenger, wherever it is.
pub(super) const KILL: Control =
    Control { key: 'x', verb: "kill", label: "kill the chosen process", on: On::Worker, arg: crate::fact::Arg::None };

/// The values that a passenger tells of itself: how often it had to wait, how long, and how much of that it was on a CPU; how
/// much it computed inside, and how long that took.
const WAITS: &str = "waits";
const WAITED: &str = "waited_ns";
pub(super) const BURNT: &str = "burnt_ns";
pub(super) const WORKED: &str = "worked_ns";
pub(super) const WORKED_IN: &str = "worked_in_ns";

/// How often who spins tells what it has burnt.
const NEWS: Duration = Duration::from_millis(50);

/// Attempts of who spins between two looks at its orders.
const ATTEMPTS: u32 = 512;

/// A worker that visits places.
#[derive(Debug)]
pub(super) struct Passenger<'w> {
    worker: &'w Worker,
    tid: Tid,
    visits: u64,
    waits: u64,
    waited: Nanos,
    burnt: Nanos,
    worked: Nanos,
    worked_in: Nanos,
    order: u64,
}

impl<'w> Passenger<'w> {
    pub(super) fn new(worker: &'w Worker) -> Self {
        let [waited, burnt, worked, worked_in] = [Nanos::ZERO; 4];
        Self { worker, tid: worker.tid(), visits: 0, waits: 0, waited, burnt, worked, worked_in, order: 0 }
    }

    /// The worker.
    pub(super) fn worker(&self) -> &'w Worker {
        self.worker
    }

    /// It is to leave the train.
    pub(super) fn is_called_off(&self) -> bool {
        self.worker.order() == Worker::HALT
    }

    /// The pause that the learner has set, `usual` if none was. An order is a pause in milliseconds.
    pub(super) fn pause(&mut self, usual: u64) -> Duration {
        let order = self.worker.order();
        self.order = order;
        Duration::from_millis(if order == 0 || order == Worker::HALT { usual } else { order })
    }

    /// Sleeps `parts` quarters of such a pause. False if it is to leave the train.
    pub(super) fn rest(&mut self, usual: u64, parts: u32) -> bool {
        if self.is_called_off() {
            return false;
        }
        let pause = self.pause(usual) * parts / 4;
        let _ = self.worker.wait(self.order, pause);
        !self.is_called_off()
    }

    /// Asks for `place`: `at_once` gets it if it is free, `wait` however long it takes. Whether it was got.
    pub(super) fn ask(&mut self, place: &str, at_once: impl FnOnce() -> bool, wait: impl FnOnce() -> bool) -> bool {
        self.tell(place, LockStep::Wants);
        if !at_once() {
            self.waits += 1;
            self.value(WAITS, self.waits);
            let (begun, before) = (Instant::now(), on_cpu());
            let got = wait();
            let burnt = on_cpu().since(before);
            self.spent(begun.elapsed().into(), burnt);
            if !got {
                return self.give_up(place);
            }
        }
        self.enter(place)
    }

    /// As [`Passenger::ask`], going round and round: what `pthread_spin_lock` does, but with a look at the orders now and then,
    /// and a word on what was burnt so far.
    pub(super) fn ask_spinning(&mut self, place: &str, mut attempt: impl FnMut() -> bool) -> bool {
        self.tell(place, LockStep::Wants);
        if attempt() {
            return self.enter(place);
        }
        self.waits += 1;
        self.value(WAITS, self.waits);
        let mut since = (Instant::now(), on_cpu());
        let got = loop {
            let round = (0..ATTEMPTS).any(|_| {
                std::hint::spin_loop();
                attempt()
            });
            let over = round || self.is_called_off();
            if over || since.0.elapsed() >= NEWS {
                let burnt = on_cpu().since(since.1);
                self.spent(since.0.elapsed().into(), burnt);
                since = (Instant::now(), on_cpu());
            }
            if over {
                break round;
            }
        };
        if got { self.enter(place) } else { self.give_up(place) }
    }

    /// Computes for as long on a CPU as `usual` says, or the pause that the learner has set. False if it is to leave the train.
    pub(super) fn work(&mut self, usual: u64) -> bool {
        let (begun, before) = (Instant::now(), on_cpu());
        let mut x = self.visits;
        while on_cpu().since(before) < self.pause(usual).into() && !self.is_called_off() {
            for _ in 0..20_000 {
                x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            }
            std::hint::black_box(x);
        }
        let worked = on_cpu().since(before);
        (self.worked, self.worked_in) = (self.worked + worked, self.worked_in + begun.elapsed().into());
        self.value(WORKED, self.worked.0);
        self.value(WORKED_IN, self.worked_in.0);
        !self.is_called_off()
    }

    /// It is inside.
    pub(super) fn enter(&mut self, place: &str) -> bool {
        self.tell(place, LockStep::Has);
        self.visits += 1;
        self.worker.set_work(self.visits);
        true
    }

    fn give_up(&self, place: &str) -> bool {
        self.tell(place, LockStep::Leaves);
        false
    }

    /// Adds to what waiting cost, and tells the two sums together.
    fn spent(&mut self, waited: Nanos, burnt: Nanos) {
        (self.waited, self.burnt) = (self.waited + waited, self.burnt + burnt);
        self.value(WAITED, self.waited.0);
        self.value(BURNT, self.burnt.0);
    }

    /// Gives `place` back by `leave`.
    pub(super) fn give_back(&self, place: &str, leave: impl FnOnce()) {
        self.tell(place, LockStep::Leaves);
        leave();
    }

    /// Gives `place` back, sleeps at `condition` until it is woken, and has `place` again: all by `wait`.
    pub(super) fn sleep_at(&self, condition: &str, place: &str, wait: impl FnOnce()) {
        self.tell(place, LockStep::Leaves);
        self.tell(condition, LockStep::Wants);
        wait();
        // Woken, it is no longer there: a condition variable is a place to sleep, and nothing that one can have.
        self.tell(condition, LockStep::Has);
        self.tell(condition, LockStep::Leaves);
        self.tell(place, LockStep::Has);
    }

    fn tell(&self, place: &str, step: LockStep) {
        self.worker.tell(Fact::Lock { tid: self.tid, lock: place.to_owned(), step });
    }

    fn value(&self, name: &str, value: u64) {
        self.say(name, json!(value));
    }

    /// Tells a value of its own.
    pub(super) fn say(&self, name: &str, value: Value) {
        self.worker.tell(Fact::Value { tid: self.tid, name: name.to_owned(), value });
    }
}

/// Lets the passengers travel until the learner has seen enough or none is left: hears the keys for the pace, and [`KILL`].
/// After every cue it is time for a `look`, which also hears of wishes that are not for the train. It says how long until the
/// next one, or zero when the journey is over.
///
/// # Errors
/// The learner has seen enough.
pub(super) fn travel_with(
    stage: &mut Stage,
    pause: i64,
    mut look: impl FnMut(&mut Stage, &Cue) -> Option<Duration>,
) -> Result<(), Cut> {
    let mut pace = Pace::new(pause);
    let mut patience = look(stage, &Cue::Time);
    while patience != Some(Duration::ZERO) {
        let cue = stage.next(patience);
        match &cue {
            Cue::Finish => return Err(Cut::Finish),
            Cue::Steer(steer) if pace.obey(steer) => {
                let all: Vec<_> = stage.on().collect();
                all.into_iter().for_each(|number| stage.order(number, pace.millis()));
            }
            Cue::Steer(steer) => kill(stage, steer),
            Cue::Ended(_) | Cue::Time => {}
        }
        patience = look(stage, &cue);
        if matches!(cue, Cue::Ended(_)) && stage.on().next().is_none() {
            return Ok(());
        }
    }
    Ok(())
}

/// Tells everybody to leave the train.
pub(super) fn all_out(stage: &Stage) {
    stage.on().for_each(|number| stage.order(number, Worker::HALT));
}

/// Ends at once the processes that are left, where those that wait cannot be told: the stage would give them time to leave.
/// What the tally knows of the locks stays as it is, and who dies from now on is not counted among the dead.
pub(super) fn end_those_left(stage: &mut Stage) {
    stage.tell(Fact::Step { name: Tally::CLOSING.to_owned() });
    let left = stage.on().filter_map(|number| stage.cast().get(number)).map(|entry| entry.pid);
    for target in left.filter(|pid| pid.0 != std::process::id()).filter_map(Target::open) {
        let _ = target.signal(rustix::process::Signal::KILL);
    }
}

/// Kills the chosen worker, if that is the wish: a process alone, for a thread cannot be killed alone.
pub(super) fn kill(stage: &mut Stage, steer: &Steer) {
    if steer.verb != KILL.verb {
        return;
    }
    let Some(name) = steer.worker.as_deref() else { return };
    let Some(pid) = stage.find(name).and_then(|number| stage.cast().get(number)).map(|entry| entry.pid) else {
        return stage.tell(Fact::Refused(Unavailable::new(format!("killing {name}"), "it has ended already")));
    };
    if pid.0 == std::process::id() {
        let why = "SIGKILL ends the whole process, and with it every other worker";
        let refused = Unavailable::new("killing one thread", why).remedy("With as=processes one can be killed");
        stage.tell(Fact::Refused(refused));
    } else if let Some(target) = Target::open(pid) {
        let _ = target.signal(rustix::process::Signal::KILL);
    }
}

/// What the passengers' visits to the places of these names came to: `waits`, `max_inside`, `cpu_waiting` and `fairness`.
pub(super) fn account(tally: &Tally, places: &[&str]) -> [(String, Value); 4] {
    let locks: Vec<_> = places.iter().filter_map(|place| tally.locks.get(*place)).collect();
    let sum = |name: &str| tally.workers().filter_map(|w| w.number(name)).sum::<u64>();
    let waited = sum(WAITED);
    // Who was killed could come no more; that is no unfairness of the lock.
    let there = tally.workers().filter(|w| !matches!(w.ended, Some((_, Ending::Signal(..)))));
    let got = there.map(|w| locks.iter().filter_map(|l| l.visits.get(&w.tid)).map(|v| v.got).sum::<u64>());
    let got: Vec<u64> = got.collect();
    let (least, most) = (got.iter().min().copied().unwrap_or(0), got.iter().max().copied().unwrap_or(0));
    #[expect(clippy::cast_precision_loss, reason = "2^53 ns are 104 days")]
    let share = |part: u64, of: u64| (of > 0).then(|| (part as f64 / of as f64).min(1.0));
    let three = |share: Option<f64>| share.map_or(Value::Null, |share| json!((share * 1e3).round() / 1e3));
    [
        ("waits", json!(sum(WAITS))),
        ("max_inside", json!(locks.iter().map(|lock| lock.most_inside).max().unwrap_or(0))),
        ("cpu_waiting", three(share(sum(BURNT), waited).filter(|_| waited > 1_000_000))),
        ("fairness", three(share(least, most).filter(|_| got.len() > 1))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

/// How the story of a train ends: as every story.
///
/// # Errors
/// What the machine refused.
pub(super) fn arrive(story: Result<(), Cut>) -> anyhow::Result<()> {
    pace::end_of(story)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{LockTally, Pid, TaskTally, Visits};

    /// Passengers with their visits, and how often and how long they waited, on a CPU and in all.
    fn train(passengers: &[(u32, u64, u64, u64, u64)]) -> Tally {
        let mut tally = Tally::default();
        let mut lock = LockTally { most_inside: 1, ..LockTally::default() };
        for (slot, (tid, got, waited, waits, burnt)) in (0..).zip(passengers) {
            let mut task = TaskTally::new(Tid(*tid), Pid(1), Nanos::ZERO);
            task.slot = Some(slot);
            task.values =
                [(WAITS, waits), (WAITED, waited), (BURNT, burnt)].map(|(k, v)| (k.to_owned(), json!(v))).into();
            tally.tasks.push(task);
            lock.visits.insert(Tid(*tid), Visits { got: *got, ..Visits::default() });
        }
        tally.locks.insert("seat".to_owned(), lock);
        tally
    }

    fn values(tally: &Tally) -> [Value; 4] {
        account(tally, &["seat"]).map(|(_, value)| value)
    }

    #[test]
    fn visits_are_added_up_over_all_passengers() {
        let found = values(&train(&[(1, 4, 6_000_000, 3, 1_000_000), (2, 2, 2_000_000, 2, 1_000_000)]));
        assert_eq!(found, [json!(5), json!(1), json!(0.25), json!(0.5)]);
    }

    #[test]
    fn what_cannot_be_known_is_null() {
        assert_eq!(values(&Tally::default()), [json!(0), json!(0), Value::Null, Value::Null]);
        // Nobody has waited long enough for a share to mean anything, and one alone cannot be treated unfairly.
        assert_eq!(values(&train(&[(1, 3, 10, 1, 9)]))[2..], [Value::Null, Value::Null]);
        // Somebody who never got in is the least.
        assert_eq!(values(&train(&[(1, 3, 0, 0, 0), (2, 0, 0, 0, 0)]))[3], json!(0.0));
    }

    #[test]
    fn only_what_runs_burns() {
        let (begun, before) = (Instant::now(), on_cpu());
        while on_cpu().since(before) < Nanos::from_millis(2) && begun.elapsed() < Duration::from_secs(60) {
            std::hint::spin_loop();
        }
        let burnt = on_cpu().since(before);
        // CLOCK_MONOTONIC is slewed by NTP and the CPU's clock is not: by 500 parts in a million at most.
        let passed = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(0);
        assert!(burnt >= Nanos::from_millis(2) && burnt.0 <= passed + passed / 1000, "{burnt} of {passed} ns");
    }
}
