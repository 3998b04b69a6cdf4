//! `states`: one worker computes, one waits for a device, one for a lock; each spends its life in other states.
//!
//! Who is on a core is observed from outside, as in every demo. What a worker waits for it says itself; that the kernel
//! agrees is read from its letter in /proc/PID/task/TID/stat and from wchan.

mod device;
mod kernel_says;
mod lock;
mod stops;

use super::Demo;
use super::company;
use crate::fact::{
    Account, Arg, As, Control, DemoSpec, Fact, Nanos, On, ParamKind, ParamSpec, Params, Picture, ReturnKind,
    ReturnSpec, Tally, TaskTally, Values,
};
use crate::stage::{Cue, Settings, Stage, Worker};
use device::Device;
use kernel_says::Ear;
use lock::Lock;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stops::Stops;

/// See the module.
pub(super) struct States;

/// How long each of those who wait computes when it has what it waited for.
const BUSY: Duration = Duration::from_millis(1);

/// How often the kernel is asked for the workers' states.
const LOOK: Duration = Duration::from_millis(50);

/// The workers, by their number in the cast.
const COMPUTES: u16 = 0;
const WAITS_FOR_IO: u16 = 1;
const WAITS_FOR_LOCK: u16 = 2;

static SPEC: DemoSpec = DemoSpec {
    name: "states",
    title: "running, ready, blocked",
    part: "Who runs when",
    about: "On one core, A only computes, B waits for input or output again and again, and C wants a lock that A holds most \
            of the time. See each go from state to state, and who leaves the core of its own accord. The shares are the \
            kernel's own account, in which a worker that was woken and has no core yet is ready; switches do not show that.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "io",
            kind: ParamKind::Choice(&["pipe", "sleep", "disk", "cached"]),
            help: "what B waits for; cached: it reads a file that is in memory already",
        },
        ParamSpec {
            name: "pace",
            kind: ParamKind::Int { min: 2, max: 500, default: 20, unit: "ms" },
            help: "from one message to the next, or how long B sleeps",
        },
        ParamSpec {
            name: "hold",
            kind: ParamKind::Int { min: 1, max: 500, default: 40, unit: "ms" },
            help: "how long A keeps the lock each time",
        },
        company::CPU,
    ],
    returns: &[
        ReturnSpec { name: "ran", kind: ReturnKind::Table, help: "share of its life on a core, by letter" },
        ReturnSpec { name: "ready", kind: ReturnKind::Table, help: "share on the run queue, by letter" },
        ReturnSpec {
            name: "blocked",
            kind: ReturnKind::Table,
            help: "share of its life that is left, stops apart, by letter",
        },
        ReturnSpec { name: "voluntary", kind: ReturnKind::Table, help: "switches of its own accord, by letter" },
        ReturnSpec { name: "involuntary", kind: ReturnKind::Table, help: "times that it was pushed off, by letter" },
        ReturnSpec { name: "waits_for", kind: ReturnKind::Table, help: "what it says that it waits for, by letter" },
        ReturnSpec { name: "wchan", kind: ReturnKind::Table, help: "where in the kernel it last waited, by letter" },
        ReturnSpec { name: "cpu_ran", kind: ReturnKind::Share, help: "share of its life that A ran" },
        ReturnSpec { name: "cpu_ready", kind: ReturnKind::Share, help: "that A was ready" },
        ReturnSpec { name: "cpu_blocked", kind: ReturnKind::Share, help: "that A was blocked" },
        ReturnSpec { name: "cpu_voluntary", kind: ReturnKind::Share, help: "of A's switches, those of its own accord" },
        ReturnSpec { name: "io_ran", kind: ReturnKind::Share, help: "share of its life that B ran" },
        ReturnSpec { name: "io_ready", kind: ReturnKind::Share, help: "that B was ready" },
        ReturnSpec { name: "io_blocked", kind: ReturnKind::Share, help: "that B was blocked" },
        ReturnSpec { name: "io_voluntary", kind: ReturnKind::Share, help: "of B's switches, those of its own accord" },
        ReturnSpec { name: "lock_ran", kind: ReturnKind::Share, help: "share of its life that C ran" },
        ReturnSpec { name: "lock_ready", kind: ReturnKind::Share, help: "that C was ready" },
        ReturnSpec { name: "lock_blocked", kind: ReturnKind::Share, help: "that C was blocked" },
        ReturnSpec {
            name: "lock_voluntary",
            kind: ReturnKind::Share,
            help: "of C's switches, those of its own accord",
        },
    ],
    pictures: &[Picture::States, Picture::Lanes, Picture::Workers],
    controls: &[Control { key: 'x', verb: "stop", label: "stop, or let go on", on: On::Worker, arg: Arg::None }],
    settles_ms: 3000,
    lasts_ms: |_| 3000,
    ..DemoSpec::BASE
};

impl Demo for States {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let (what, settings) = (params.workers_as(), Settings { cpus: vec![company::home(stage, &params)?], nice: 0 });
        let millis = |name: &str| Duration::from_millis(params.int(name).unsigned_abs());
        let lock = Arc::new(Lock::new()?);
        let device = Device::prepare(stage, params.word("io"), millis("pace"))?;
        let (hers, hold) = (Arc::clone(&lock), millis("hold"));
        stage.enter(what, &settings, move |worker| compute(worker, &hers, hold))?;
        let (word, theirs) = (device.word(), device.clone());
        let io = stage.enter(what, &settings, move |worker| theirs.serve(worker))?;
        stage.enter(what, &settings, move |worker| want(worker, &lock))?;
        for (number, waits_for) in ["nothing", word, "lock"].into_iter().enumerate() {
            if let Some(tid) = stage.cast().get(number).map(|entry| entry.tid) {
                stage.tell(Fact::Value { tid, name: "waits_for".to_owned(), value: json!(waits_for) });
            }
        }
        let mut ear = Ear::default();
        let mut stops = Stops::new(what);
        let (mut look, mut send) = (Instant::now(), Instant::now());
        loop {
            let now = Instant::now();
            if now >= look {
                ear.listen(stage);
                stops.look(stage);
                look = now + LOOK;
            }
            if now >= send {
                device.send();
                send = now + device.pace();
            }
            match stage.next(Some(look.min(send).saturating_duration_since(now))) {
                Cue::Steer(steer) if steer.verb == "stop" => {
                    let chosen = steer.worker.as_deref().and_then(|name| stage.find(name));
                    if let Err(refused) = chosen.map_or(Ok(()), |n| stops.toggle(stage, n)) {
                        stage.tell(Fact::Refused(refused));
                    }
                }
                Cue::Finish => break,
                Cue::Steer(_) | Cue::Ended(_) | Cue::Time => {}
            }
        }
        stops.end(stage);
        // Who waits for a message hears of the end by one.
        stage.order(io, Worker::HALT);
        device.send();
        Ok(())
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let lives: Vec<(&TaskTally, Life)> = tally.workers().filter_map(|w| Some((w, Life::of(w, tally)?))).collect();
        let table = |value: fn(&TaskTally, &Life) -> Value| {
            let entries = lives.iter().map(|(w, life)| (w.name.clone(), value(w, life)));
            Value::Object(entries.filter(|(_, v)| !v.is_null()).collect::<Map<_, _>>())
        };
        let mut values: Values = [
            ("ran", table(|_, life| json!(life.ran))),
            ("ready", table(|_, life| json!(life.ready))),
            ("blocked", table(|_, life| json!(life.blocked))),
            ("voluntary", table(|_, life| json!(life.account.voluntary))),
            ("involuntary", table(|_, life| json!(life.account.involuntary))),
            ("waits_for", table(|w, _| w.values.get("waits_for").cloned().unwrap_or_default())),
            ("wchan", table(|w, _| w.values.get("wchan").cloned().unwrap_or_default())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (slot, who) in [(COMPUTES, "cpu"), (WAITS_FOR_IO, "io"), (WAITS_FOR_LOCK, "lock")] {
            let life = lives.iter().find(|(w, _)| w.slot == Some(slot)).map(|(_, life)| life);
            let shares = [
                ("ran", life.map(|l| l.ran)),
                ("ready", life.map(|l| l.ready)),
                ("blocked", life.map(|l| l.blocked)),
                ("voluntary", life.and_then(Life::voluntary)),
            ];
            values.extend(shares.map(|(what, share)| (format!("{who}_{what}"), json!(share))));
        }
        values
    }
}

/// The part of the one that computes: it never waits. It has the lock most of the time; while it is not its turn, it goes on
/// without.
fn compute(worker: &Worker, lock: &Lock, hold: Duration) {
    let mut pulse = worker.pulse();
    let mut ticket = lock.take_ticket();
    while worker.order() == 0 {
        if !lock.is_turn(ticket) {
            pulse.beat();
            continue;
        }
        let until = Instant::now() + hold;
        while Instant::now() < until && worker.order() == 0 {
            pulse.beat();
        }
        lock.leave();
        ticket = lock.take_ticket();
    }
}

/// The part of the one that wants the lock, has it for a moment, and wants it again.
fn want(worker: &Worker, lock: &Lock) {
    while worker.order() == 0 {
        let ticket = lock.take_ticket();
        // Not for ever: who has the lock may be stopped or dead, and the order to leave comes by another way.
        while !lock.wait(ticket, Duration::from_millis(250)) {
            if worker.order() != 0 {
                return;
            }
        }
        busy(worker, BUSY);
        lock.leave();
    }
}

/// Computes for a while.
fn busy(worker: &Worker, long: Duration) {
    let mut pulse = worker.pulse();
    let until = Instant::now() + long;
    while Instant::now() < until {
        pulse.beat();
    }
}

/// How a worker spent its life, by the kernel's account.
struct Life {
    account: Account,
    ran: f64,
    ready: f64,
    blocked: f64,
}

impl Life {
    /// None while no account was read. All accounts are read together, and told where they changed: so an older one still
    /// holds at the moment of the newest.
    fn of(worker: &TaskTally, tally: &Tally) -> Option<Self> {
        let account = worker.counters?;
        let newest = tally.workers().filter_map(|w| w.counters).map(|a| a.at).max()?;
        // One that was killed told no last account: then its life is known up to the one before.
        let until = if worker.alive() { newest } else { account.at };
        let stopped = Nanos(worker.number("stopped_ns").unwrap_or(0));
        let life = (until.since(worker.born) - stopped).max(Nanos(1)).seconds();
        let ran = (account.ran.seconds() / life).min(1.0);
        let ready = (account.waited.seconds() / life).min(1.0 - ran);
        let round = company::round;
        Some(Self { account, ran: round(ran), ready: round(ready), blocked: round((1.0 - ran - ready).max(0.0)) })
    }

    /// Of its switches, the share of those of its own accord; none without switches.
    fn voluntary(&self) -> Option<f64> {
        let all = self.account.voluntary + self.account.involuntary;
        #[expect(clippy::cast_precision_loss, reason = "a share of counts far below 2^53")]
        (all > 0).then(|| company::round(self.account.voluntary as f64 / all as f64))
    }
}

#[cfg(test)]
mod tests;
