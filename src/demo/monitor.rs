//! `monitor`: the hatch once more, as an object that brings its own lock: nobody can forget to take it. Beside the two
//! procedures there is no way in.
//!
//! It signals and continues, as Mesa did (Lampson and Redell 1980) and as POSIX, Java and Python do: who calls goes on, and
//! who was called gets in later, as one of many. In Hoare's (1974) who was called goes on at once.

use super::Demo;
use super::arenas;
use super::hatch::{self, Account, Hand, Hatch, Side, Wake, specs};
use super::pace::{self, Cut};
use super::train;
use crate::fact::{
    As, DemoSpec, Fact, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Tally, Unavailable, Values,
};
use crate::stage::{Settings, Stage, Worker};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub(super) struct Pantry;

/// Calls that were heard after which the values can be judged.
const ENOUGH: u64 = 5;

/// How often it is looked how many were.
const LOOK: Duration = Duration::from_millis(20);

/// What a worker tells of itself: its calls while somebody slept, and those after which it was inside still.
const CALLS: &str = "calls_heard";
const WENT_ON: &str = "went_on";

static SPEC: DemoSpec = DemoSpec {
    name: "monitor",
    title: "a room with its own lock",
    part: "Sharing without tears",
    about: "The hatch with its mutex and its conditions inside one object with two procedures, put and take. One at a time is \
            in it. Who waits for a condition is outside meanwhile, and who calls goes on before who was called gets in.",
    params: &[
        As::PARAM,
        specs::PRODUCERS,
        specs::CONSUMERS,
        specs::SLOTS,
        ParamSpec {
            name: "hold",
            kind: ParamKind::Int { min: 1, max: 5000, default: 200, unit: "ms" },
            help: "how long a dish takes; a quarter of it each stays inside",
        },
        ParamSpec { name: "victim", kind: ParamKind::Choice(&["none", "producer"]), help: "whether A ends inside" },
    ],
    returns: &[
        specs::MADE,
        specs::TAKEN,
        specs::TOOK_NOTHING,
        specs::WOKEN_FOR_NOTHING,
        specs::MOST_IN_BUFFER,
        specs::WAITS,
        specs::MAX_INSIDE,
        ReturnSpec {
            name: "most_outside",
            kind: ReturnKind::Count,
            help: "the most that slept at one condition, outside",
        },
        ReturnSpec { name: "calls_heard", kind: ReturnKind::Count, help: "calls while somebody slept" },
        ReturnSpec {
            name: "went_on",
            kind: ReturnKind::Count,
            help: "of these, those after which the caller was inside still",
        },
        ReturnSpec {
            name: "next_inside",
            kind: ReturnKind::Word,
            help: "who is inside after a call: caller, woken, either",
        },
        ReturnSpec {
            name: "stuck",
            kind: ReturnKind::Flag,
            help: "nobody gets on any more: the lock is lost, or all that are left sleep",
        },
    ],
    pictures: &[Picture::Buffer(&hatch::PICTURE), Picture::Lanes, Picture::Workers],
    controls: &[pace::SLOWER, pace::FASTER, train::KILL],
    lasts_ms: |_| 4000,
    limits: arenas::room,
    ..DemoSpec::BASE
};

impl Demo for Pantry {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        train::arrive(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let sum = |name: &str| tally.workers().filter_map(|worker| worker.number(name)).sum::<u64>();
        let (calls, went_on) = (sum(CALLS), sum(WENT_ON));
        let most = [hatch::NOT_FULL, hatch::NOT_EMPTY].iter().filter_map(|name| tally.locks.get(*name));
        let next = match (calls, went_on) {
            (0, _) => Value::Null,
            (calls, went_on) if went_on == calls => json!("caller"),
            (_, 0) => json!("woken"),
            _ => json!("either"),
        };
        let own = [
            ("most_outside", json!(most.map(|lock| lock.most_waiting).max().unwrap_or(0))),
            ("calls_heard", json!(calls)),
            ("went_on", json!(went_on)),
            ("next_inside", next),
        ];
        let mut values = Account::of(tally).values(tally);
        values.extend(own.map(|(name, value)| (name.to_owned(), value)));
        values
    }
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let hatch = Hatch::new(params.int("slots").unsigned_abs());
    let hatch = Arc::new(hatch.map_err(|error| Unavailable::new("a monitor", error.to_string()))?);
    hatch.show(stage);
    let (makers, takers) = (params.count("producers"), params.count("consumers"));
    let (hold, victim) = (params.int("hold").unsigned_abs(), params.word("victim") == "producer");
    for number in 0..makers + takers {
        let hatch = Arc::clone(&hatch);
        let end = (victim && number == 0).then(|| params.workers_as());
        stage.enter(params.workers_as(), &Settings::default(), move |worker| {
            let mut monitor = Monitor::new(worker, &hatch, hold, number < makers);
            match end {
                Some(what) => hatch::end_inside(&mut monitor.hand, worker, what),
                None if number < makers => while monitor.hand.rest(hold, 4) && monitor.put() {},
                None => while monitor.take() && monitor.hand.eat(hold) {},
            }
        })?;
    }
    let (mut due, mut settled, mut watch) = (victim, false, hatch::Watch::default());
    let whole = train::travel_with(stage, params.int("hold"), |stage, _| {
        watch.look(stage, &hatch);
        due = due && !hatch::kill_inside(stage, params.workers_as());
        let gone = victim && stage.cast().first().is_some_and(|a| a.ended.is_some());
        if !settled && (hatch.heard() >= ENOUGH || gone) {
            settled = true;
            stage.tell(Fact::settled());
        }
        Some(LOOK)
    });
    hatch.close(stage);
    whole
}

/// The monitor, as one of those that use it sees it.
#[derive(Debug)]
struct Monitor<'w> {
    hand: Hand<'w>,
    hold: u64,
    calls: u64,
    went_on: u64,
}

impl<'w> Monitor<'w> {
    fn new(worker: &'w Worker, hatch: &'w Hatch, hold: u64, makes: bool) -> Self {
        Self { hand: Hand::new(worker, hatch, makes), hold, calls: 0, went_on: 0 }
    }

    /// The procedure that puts. False if whoever calls is to leave.
    fn put(&mut self) -> bool {
        self.within(|monitor| {
            let room = monitor.hand.sleep_while(Side::NotFull, Hatch::is_full);
            if room {
                monitor.hand.put();
                monitor.call(Side::NotEmpty);
            }
            room
        })
    }

    /// The procedure that takes. False if whoever calls is to leave.
    fn take(&mut self) -> bool {
        self.within(|monitor| {
            let there = monitor.hand.sleep_while(Side::NotEmpty, Hatch::is_empty);
            if there {
                monitor.hand.take();
                monitor.call(Side::NotFull);
            }
            there
        })
    }

    /// What every procedure of a monitor begins and ends with.
    fn within(&mut self, procedure: impl FnOnce(&mut Self) -> bool) -> bool {
        if !self.hand.enter() {
            return false;
        }
        let on = procedure(self);
        self.hand.leave();
        on
    }

    /// Calls who sleeps at `side`, and goes on. Who is inside after that is looked up.
    fn call(&mut self, side: Side) {
        let heard = self.hand.hatch().asleep(side) > 0;
        self.hand.call(side, Wake::One);
        let _ = self.hand.rest(self.hold, 1);
        if heard {
            self.hand.hatch().hear();
            self.calls += 1;
            self.went_on += u64::from(self.hand.hatch().owner() == self.hand.tid());
            // The smaller one first: who reads between the two sees no call that the caller did not survive.
            self.hand.value(WENT_ON, self.went_on);
            self.hand.value(CALLS, self.calls);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Pid, TaskTally, Tid};

    fn next_inside(calls: u64, went_on: u64) -> Value {
        let mut tally = Tally::default();
        let mut task = TaskTally::new(Tid(1), Pid(1), Nanos::ZERO);
        task.slot = Some(0);
        task.values = [(CALLS.to_owned(), json!(calls)), (WENT_ON.to_owned(), json!(went_on))].into();
        tally.tasks.push(task);
        Pantry.outcome(&Params::defaults(&SPEC), &tally)["next_inside"].clone()
    }

    #[test]
    fn who_is_inside_after_a_call_is_said_if_there_was_one() {
        assert_eq!(
            [(0, 0), (4, 4), (4, 0), (4, 3)].map(|(calls, on)| next_inside(calls, on)),
            [Value::Null, json!("caller"), json!("woken"), json!("either")]
        );
    }
}
