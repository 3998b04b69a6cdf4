//! `deadlock`: philosophers at a round table, a fork between each two, and each needs two forks to eat. All wait for each other
//! for ever, unless one of the four conditions of Coffman is off.
//!
//! Nobody here is stuck in earnest: who sleeps for a fork can be asked to give its own back, and is told of the end.

mod idle;
mod philosopher;
mod table;
#[cfg(test)]
mod tests;

use super::Demo;
use super::arenas;
use super::pace::{self, Cut, Pace};
use super::script;
use super::train;
use crate::fact::{
    Arg, As, Control, DemoSpec, Fact, Nanos, On, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec,
    SETTLED, Steer, Tally, Unavailable, Values, WaitForSpec, cycle, stuck,
};
use crate::stage::{Cue, Settings, Stage};
use idle::Idle;
use philosopher::{MEALS, Philosopher, RIGHT_FIRST};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use table::{Doing, Off, Table};

/// See the module.
pub(super) struct Deadlock;

/// How long nobody may have run before a circle counts as confirmed.
const CONFIRMED: Nanos = Nanos::from_millis(1000);

/// Meals that each has had when it is clear that all get on.
const ENOUGH: u64 = 2;

/// How long one that leaves its luck to chance is watched, if no circle closes.
const BY_CHANCE: Duration = Duration::from_secs(10);

static GRAPH: WaitForSpec = WaitForSpec { name: "wait-for graph", lock: "fork", count: (MEALS, "meal") };

/// A verb about the chosen philosopher.
const fn wish(key: char, verb: &'static str, label: &'static str) -> Control {
    Control { key, verb, label, on: On::Worker, arg: Arg::None }
}

static SPEC: DemoSpec = DemoSpec {
    name: "deadlock",
    title: "each has a fork and wants another's",
    part: "Sharing without tears",
    about: "Philosophers at a round table, a fork between each two. Each takes its left fork, then its right one, eats, and \
            puts both back. All have their first fork before anybody asks for the second: that is bad luck, and arranged; \
            luck=chance leaves it to chance. Turn off one of the four conditions of a deadlock, and there is none. With two \
            philosophers it is two locks in opposite order.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "philosophers",
            kind: ParamKind::Int { min: 2, max: table::SEATS as i64, default: 5, unit: "" },
            help: "how many sit at the table",
        },
        ParamSpec { name: "break", kind: ParamKind::Choice(Off::WORDS), help: "which condition of a deadlock is off" },
        ParamSpec {
            name: "luck",
            kind: ParamKind::Choice(&["arranged", "chance"]),
            help: "arranged: all take their first fork before anybody asks for the second",
        },
        pace::param(400),
    ],
    returns: &[
        ReturnSpec { name: "deadlocked", kind: ReturnKind::Flag, help: "some wait for each other in a circle" },
        ReturnSpec { name: "cycle", kind: ReturnKind::List, help: "the circle: who waits, for which fork, who has it" },
        ReturnSpec { name: "stuck", kind: ReturnKind::Count, help: "how many wait and can never go on" },
        ReturnSpec { name: "meals", kind: ReturnKind::Table, help: "how often each has eaten, by letter" },
        ReturnSpec { name: "eaten", kind: ReturnKind::Count, help: "meals of all together" },
        ReturnSpec { name: "fewest", kind: ReturnKind::Count, help: "meals of the one that had the fewest" },
        ReturnSpec { name: "turned", kind: ReturnKind::Count, help: "how many took their right fork first" },
        ReturnSpec {
            name: "detected_after_ns",
            kind: ReturnKind::Nanos,
            help: "from the start to the request that closed the circle",
        },
        ReturnSpec { name: "idle_ns", kind: ReturnKind::Nanos, help: "how long none of them has been on a CPU" },
        ReturnSpec {
            name: "confirmed",
            kind: ReturnKind::Flag,
            help: "a circle, and nobody ran for a second: by the kernel's accounts",
        },
    ],
    pictures: &[Picture::WaitFor(&GRAPH), Picture::Lanes, Picture::Workers],
    controls: &[
        wish('g', "give", "give its fork back"),
        // Not by the letter that a question without an answer takes for itself.
        Control { key: 'x', ..train::KILL },
        wish('o', "turn", "other fork first, from now on"),
        Control {
            key: 'c',
            verb: "break",
            label: "turn off a condition",
            on: On::Demo,
            arg: Arg::Choice { param: "break", next: 'w' },
        },
        pace::SLOWER,
        pace::FASTER,
    ],
    lasts_ms: |params| {
        let (pace, all) = (params.int("pace").unsigned_abs(), params.int("philosophers").unsigned_abs());
        let by_chance = params.word("luck") == "chance";
        2_500 + if by_chance { 10_000 } else { pace * (all + 2) * if params.word("break") == "none" { 1 } else { 3 } }
    },
    limits: arenas::room,
    ..DemoSpec::BASE
};

impl Demo for Deadlock {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let (off, pace) = (Off::of(params.word("break")), params.int("pace").unsigned_abs());
        let table = Arc::new(Table::new(params.count("philosophers"), off, pace)?);
        let mut host = Host::new(&params, Arc::clone(&table));
        let story = host.seat(stage, &params).and_then(|()| host.serve(stage));
        stage.tell(Fact::Step { name: Tally::CLOSING.to_owned() });
        // Who sleeps for a fork hears of its orders by this alone.
        table.close();
        pace::end_of(story)
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let circle = cycle(&tally.locks);
        let letter = |tid| tally.task(tid).map(|task| task.name.clone()).unwrap_or_default();
        let list: Vec<String> = circle.iter().flat_map(|(tid, lock)| [letter(*tid), lock.clone()]).collect();
        // The youngest wait of the circle is the one that closed it.
        let waits = circle.iter().filter_map(|(tid, lock)| {
            tally.locks.get(lock)?.queue.iter().find(|(waiter, _)| waiter == tid).map(|(_, since)| *since)
        });
        let closed = waits.max();
        let idle = idle::of(tally).filter(|_| tally.workers().any(|worker| !tally.is_dead(worker.tid)));
        let meals: Map<String, Value> =
            tally.workers().map(|w| (w.name.clone(), json!(w.number(MEALS).unwrap_or(0)))).collect();
        let turned = tally.workers().filter(|w| w.values.get(RIGHT_FIRST) == Some(&json!(true))).count();
        let each = || meals.values().filter_map(Value::as_u64);
        let nanos = |time: Option<Nanos>| json!(time.map(|time| time.0));
        [
            ("deadlocked", json!(!circle.is_empty())),
            ("cycle", json!(list)),
            ("stuck", json!(stuck(&tally.locks, |tid| tally.is_dead(tid)).len())),
            ("eaten", json!(each().sum::<u64>())),
            ("fewest", json!(each().min().unwrap_or(0))),
            ("meals", Value::Object(meals.clone())),
            ("turned", json!(turned)),
            ("detected_after_ns", nanos(closed)),
            ("idle_ns", nanos(idle)),
            ("confirmed", json!(idle.map(|idle| !circle.is_empty() && idle >= CONFIRMED))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// Who keeps the table: the leader.
struct Host {
    table: Arc<Table>,
    pace: Pace,
    idle: Idle,
    by_chance: bool,
    /// Letters of those that take their other fork first.
    turned: Vec<String>,
    begun: Instant,
    settled: bool,
}

impl Host {
    fn new(params: &Params, table: Arc<Table>) -> Self {
        Self {
            table,
            pace: Pace::new(params.int("pace")),
            idle: Idle::default(),
            by_chance: params.word("luck") == "chance",
            turned: Vec::new(),
            begun: Instant::now(),
            settled: false,
        }
    }

    /// Brings the philosophers on.
    fn seat(&self, stage: &mut Stage, params: &Params) -> Result<(), Cut> {
        self.note(stage);
        for seat in 0..self.table.seats() {
            let (table, arranged) = (Arc::clone(&self.table), !self.by_chance);
            stage.enter(params.workers_as(), &Settings::default(), move |worker| {
                Philosopher::new(worker, &table, seat, arranged).play();
            })?;
        }
        Ok(())
    }

    /// Hears the learner, and looks whether anybody runs, until the learner has seen enough or nobody is left.
    fn serve(&mut self, stage: &mut Stage) -> Result<(), Cut> {
        let mut look = Instant::now();
        loop {
            if Instant::now() >= look {
                self.idle.look(stage);
                self.settle(stage);
                look = Instant::now() + self.idle.pause();
            }
            match stage.next(Some(look.saturating_duration_since(Instant::now()))) {
                Cue::Finish => {
                    self.idle.look(stage);
                    return Err(Cut::Finish);
                }
                Cue::Steer(steer) if self.pace.obey(&steer) => self.table.set_pace(self.pace.millis()),
                Cue::Steer(steer) => self.obey(stage, &steer),
                Cue::Ended(number) => {
                    self.table.now(number, Doing::Gone);
                    self.table.open_round();
                    if stage.on().next().is_none() {
                        return Ok(());
                    }
                }
                Cue::Time => {}
            }
        }
    }

    fn obey(&mut self, stage: &mut Stage, steer: &Steer) {
        let seat = steer.worker.as_deref().and_then(|name| stage.find(name));
        let name = steer.worker.as_deref().unwrap_or_default();
        match (steer.verb.as_str(), seat) {
            ("break", _) => self.table.turn_off(Off::of(steer.value.as_str().unwrap_or_default())),
            ("give", Some(seat)) => {
                let what = format!("giving back a fork of {name}");
                let why = match (self.table.has(seat), self.table.doing(seat)) {
                    (_, Doing::Eats) => "it eats, and puts both back by itself",
                    (0, _) => "it has none",
                    _ => return self.table.ask_to_give(seat),
                };
                stage.tell(Fact::Refused(Unavailable::new(what, why)));
            }
            ("turn", Some(_)) if self.table.off() == Off::CircularWait => {
                let why =
                    "all take the fork with the lower number first: that is in force until another condition is off";
                stage.tell(Fact::Refused(Unavailable::new(format!("another order for {name}"), why)));
            }
            ("turn", Some(seat)) if self.table.turn(seat) => self.turned.push(name.to_owned()),
            ("turn", Some(_)) => self.turned.retain(|turned| turned != name),
            _ => train::kill(stage, steer),
        }
        self.note(stage);
    }

    /// Says what holds at this table.
    fn note(&self, stage: &mut Stage) {
        let rule = match (self.table.off(), self.by_chance) {
            (Off::None, false) => "All take a first fork before anybody asks for a second: bad luck, arranged.",
            (Off::None, true) => "Left fork, then right fork; when, is left to chance.",
            (Off::MutualExclusion, _) => "No mutual exclusion: two can have one fork at a time.",
            (Off::HoldAndWait, _) => "No hold and wait: both forks at once, or none.",
            (Off::NoPreemption, _) => "Preemption: who cannot have the second fork gives the first back.",
            (Off::CircularWait, _) => "No circular wait: the fork with the lower number first.",
        };
        let turned = match self.turned.as_slice() {
            [] => String::new(),
            turned => format!(" Other fork first: {}.", turned.join(", ")),
        };
        stage.tell(script::row(GRAPH.name, "note", json!({ "words": format!("{rule}{turned}") })));
    }

    /// Tells once that the values can be judged: all who are left sleep, or all get on.
    fn settle(&mut self, stage: &mut Stage) {
        if self.settled {
            return;
        }
        let mut on = stage.on().collect::<Vec<_>>().into_iter();
        let asleep = |seat| matches!(self.table.doing(seat), Doing::Waits(_));
        let still = self.idle.lasts() > Duration::from_nanos(CONFIRMED.0) + idle::EVERY;
        self.settled = match self.table.off() {
            Off::None if self.by_chance && self.begun.elapsed() > BY_CHANCE => true,
            Off::None => on.all(asleep) && still,
            _ => on.all(|number| stage.work(number) >= ENOUGH),
        };
        if self.settled {
            script::step(stage, SETTLED);
        }
    }
}
