//! `condvar`: the hatch of a kitchen. Who wants to put waits until there is room, who wants to take until there is something:
//! two condition variables of POSIX and the mutex that goes with them. Two mistakes can be made with them, and are.

use super::Demo;
use super::arenas;
use super::hatch::{self, Account, Hand, Hatch, Side, Wake, specs};
use super::pace::{self, Cut, Look, Pace};
use super::train;
use crate::fact::{
    Arg, As, Control, DemoSpec, Fact, On, ParamError, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec,
    Tally, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage, Worker};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub(super) struct Kitchen;

/// Dishes after which the values can be judged.
const ENOUGH: u64 = 20;

/// How often it is looked how many dishes were taken.
const LOOK: Duration = Duration::from_millis(20);

/// The order to go on, to those that are held.
const GO: u64 = 1;

/// The key by which those that sleep are called once more.
const CALL: Control =
    Control { key: 'o', verb: "call", label: "call once more: signal \"not empty\"", on: On::Demo, arg: Arg::None };

static SPEC: DemoSpec = DemoSpec {
    name: "condvar",
    title: "a hatch between kitchen and guests",
    part: "Sharing without tears",
    about: "Some make dishes and put them into a hatch with a few slots, some take them. Who finds no room, or nothing, sleeps \
            at a condition variable until it is called, and then looks again; or does not, which is a mistake.",
    params: &[
        As::PARAM,
        specs::PRODUCERS,
        specs::CONSUMERS,
        specs::SLOTS,
        ParamSpec {
            name: "hold",
            kind: ParamKind::Int { min: 1, max: 5000, default: 200, unit: "ms" },
            help: "how long a dish takes, to make and to eat",
        },
        ParamSpec {
            name: "check",
            kind: ParamKind::Choice(&["while", "if"]),
            help: "whether who was woken to take looks again",
        },
        ParamSpec {
            name: "wake",
            kind: ParamKind::Choice(&["one", "all", "before"]),
            help: "whom a call wakes; before: the call comes between the look and the sleep",
        },
        ParamSpec {
            name: "victim",
            kind: ParamKind::Choice(&["none", "producer"]),
            help: "whether A ends with the mutex in its hands",
        },
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
            name: "slept_through",
            kind: ReturnKind::Count,
            help: "those that sleep on although something lies there, with nobody left to call",
        },
        ReturnSpec {
            name: "stuck",
            kind: ReturnKind::Flag,
            help: "nobody gets on any more: the mutex is lost, or all that are left sleep",
        },
    ],
    pictures: &[Picture::Buffer(&hatch::PICTURE), Picture::Lanes, Picture::Workers],
    controls: &[pace::SLOWER, pace::FASTER, train::KILL, CALL],
    lasts_ms: |_| 4000,
    check: |params| {
        let both = params.word("wake") == "before" && params.word("victim") != "none";
        if both { Err(ParamError::new("victim", "takes none where wake is before")) } else { Ok(()) }
    },
    limits: arenas::room,
    ..DemoSpec::BASE
};

impl Demo for Kitchen {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        train::arrive(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let account = Account::of(tally);
        let mut values = account.values(tally);
        values.insert("slept_through".to_owned(), json!(account.slept_through));
        values
    }
}

/// How it is played.
#[derive(Debug, Clone, Copy)]
struct Rules {
    hold: u64,
    again: bool,
    wake: Wake,
    before: bool,
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let hatch = Hatch::new(params.int("slots").unsigned_abs());
    let hatch = Arc::new(hatch.map_err(|error| Unavailable::new("a hatch", error.to_string()))?);
    hatch.show(stage);
    let word = params.word("wake");
    let rules = Rules {
        hold: params.int("hold").unsigned_abs(),
        again: params.word("check") == "while",
        wake: if word == "all" { Wake::All } else { Wake::One },
        before: word == "before",
    };
    let (makers, takers) = (params.count("producers"), params.count("consumers"));
    let victim = params.word("victim") == "producer";
    for number in 0..makers + takers {
        let hatch = Arc::clone(&hatch);
        let end = (victim && number == 0).then(|| params.workers_as());
        let makes = number < makers;
        stage.enter(params.workers_as(), &Settings::default(), move |worker| {
            let mut hand = Hand::new(worker, &hatch, makes);
            match (end, rules.before) {
                (Some(what), _) => hatch::end_inside(&mut hand, worker, what),
                (None, true) => once(&mut hand, worker, rules, makes),
                (None, false) => while cycle(&mut hand, rules, makes) {},
            }
        })?;
    }
    let whole = if rules.before { too_early(stage, &hatch, &params) } else { service(stage, &hatch, &params) };
    hatch.close(stage);
    whole
}

/// The usual service, until the learner has seen enough.
fn service(stage: &mut Stage, hatch: &Hatch, params: &Params) -> Result<(), Cut> {
    let mut due = params.word("victim") == "producer";
    let (mut settled, mut watch) = (false, hatch::Watch::default());
    train::travel_with(stage, params.int("hold"), |stage, cue| {
        hear(stage, hatch, cue);
        watch.look(stage, hatch);
        due = due && !hatch::kill_inside(stage, params.workers_as());
        let gone = params.word("victim") == "producer" && stage.cast().first().is_some_and(|a| a.ended.is_some());
        if !settled && (hatch.taken_so_far() >= ENOUGH || gone) {
            settled = true;
            stage.tell(Fact::settled());
        }
        Some(LOOK)
    })
}

/// Calls once more, if that is the wish.
fn hear(stage: &mut Stage, hatch: &Hatch, cue: &Cue) {
    if !matches!(cue, Cue::Steer(steer) if steer.verb == CALL.verb) {
        return;
    }
    if hatch.has_dead(stage) {
        let why = "somebody was killed; if it slept, who calls may wait for it for ever";
        stage.tell(Fact::Refused(Unavailable::new("one more call", why)));
    } else if hatch.mutex.lock_within(LOOK).is_ok() {
        hatch::call(hatch, Side::NotEmpty, Wake::One, |fact| stage.tell(fact));
        let _ = hatch.mutex.unlock();
    }
}

/// A call that comes between a look and a sleep. The gap is nanoseconds wide and seldom hit; here those that take are held in
/// it until those that put have called.
fn too_early(stage: &mut Stage, hatch: &Hatch, params: &Params) -> Result<(), Cut> {
    let (makers, takers) = (params.count("producers"), params.count("consumers"));
    let mut pace = Pace::new(params.int("hold"));
    let look = |all: bool| if all { Look::Seen(()) } else { Look::NotYet };
    let number = |count: usize| count as u64;
    pace.until(stage, "a look at the hatch", |_| look(hatch.aside() == number(takers)))?;
    stage.tell(hatch::says("They have looked: empty. They go to sleep, but are not there yet."));
    pace.rest(stage)?;
    (0..makers).for_each(|maker| stage.order(maker, GO));
    pace.until(stage, "a dish", |stage| look(stage.on().all(|worker| worker >= makers)))?;
    stage.tell(hatch::says("A dish is there, and the call went out. Nobody was asleep to hear it."));
    pace.rest(stage)?;
    (makers..makers + takers).for_each(|taker| stage.order(taker, GO));
    // Each says under the mutex that it goes to sleep, and the sleep gives the mutex back: who has the mutex then knows that
    // all of them sleep.
    pace.until(stage, "their sleep", |_| look(hatch.aside() == number(2 * takers)))?;
    pace.until(stage, "their sleep", |_| look(hatch.mutex.lock_within(LOOK).is_ok()))?;
    let _ = hatch.mutex.unlock();
    let asleep = stage.on().filter(|worker| *worker >= makers).count();
    stage.tell(hatch::slept(if hatch.is_empty() { 0 } else { number(asleep) }));
    stage.tell(hatch::says("They sleep, and the dish lies there. Nobody is left who would call."));
    stage.tell(Fact::settled());
    let mut known = (hatch.taken_so_far(), asleep);
    train::travel_with(stage, params.int("hold"), |stage, cue| {
        hear(stage, hatch, cue);
        let now = (hatch.taken_so_far(), stage.on().filter(|worker| *worker >= makers).count());
        if now != known {
            known = now;
            stage.tell(hatch::says(&afterwards(now.0, now.1, takers)));
        }
        None
    })
}

/// What has become of those that slept through the call: so many dishes taken since, so many of all still asleep.
fn afterwards(taken: u64, asleep: usize, takers: usize) -> String {
    let then = match (taken, takers) {
        (0, _) => "Killed asleep; the dish lies there.".to_owned(),
        (1, 1) => "Called once more: it woke and took the dish.".to_owned(),
        (1, _) => "Called once more: one woke and took the dish.".to_owned(),
        (taken, _) => format!("Called once more: they woke one by one and took {taken} dishes."),
    };
    match (asleep, takers) {
        (0, 1) => then,
        (0, _) => format!("{then} Nobody sleeps any more."),
        (1, _) => format!("{then} One sleeps on."),
        (asleep, _) => format!("{then} {asleep} sleep on."),
    }
}

/// One dish made and put, or taken and eaten. False if it is to leave.
fn cycle(hand: &mut Hand<'_>, rules: Rules, makes: bool) -> bool {
    if makes && !hand.rest(rules.hold, 4) || !hand.enter() {
        return false;
    }
    let on = if makes {
        let on = hand.sleep_while(Side::NotFull, Hatch::is_full);
        if on {
            hand.put();
            hand.call(Side::NotEmpty, rules.wake);
        }
        on
    } else {
        let on = if rules.again { hand.sleep_while(Side::NotEmpty, Hatch::is_empty) } else { sleep_if_empty(hand) };
        if on {
            hand.take();
            hand.call(Side::NotFull, rules.wake);
        }
        on
    };
    hand.leave();
    on && (makes || hand.eat(rules.hold))
}

/// The first mistake: who was called believes it.
fn sleep_if_empty(hand: &Hand<'_>) -> bool {
    if hand.hatch().is_empty() && !hand.is_called_off() {
        hand.sleep(Side::NotEmpty);
    }
    !hand.is_called_off()
}

/// The second mistake: who takes looks, lets go of the mutex, and then sleeps without another look.
fn once(hand: &mut Hand<'_>, worker: &Worker, rules: Rules, makes: bool) {
    let held = |hand: &Hand<'_>| worker.wait(0, Duration::MAX) != Worker::HALT && !hand.is_called_off();
    if makes {
        if held(hand) && hand.enter() {
            if hand.sleep_while(Side::NotFull, Hatch::is_full) {
                hand.put();
                hand.call(Side::NotEmpty, rules.wake);
            }
            hand.leave();
        }
        return;
    }
    if !hand.enter() {
        return;
    }
    let empty = hand.hatch().is_empty();
    hand.leave();
    hand.hatch().step_aside();
    if !held(hand) || !hand.enter() {
        return;
    }
    hand.hatch().step_aside();
    if empty && !hand.is_called_off() {
        hand.sleep(Side::NotEmpty);
    }
    if !hand.is_called_off() {
        hand.take();
    }
    hand.leave();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Pid, TaskTally, Tid};

    #[test]
    fn what_became_of_those_that_slept_through_it_is_said() {
        assert_eq!(afterwards(1, 0, 1), "Called once more: it woke and took the dish.");
        assert_eq!(afterwards(1, 2, 3), "Called once more: one woke and took the dish. 2 sleep on.");
        assert_eq!(afterwards(0, 0, 1), "Killed asleep; the dish lies there.");
        assert_eq!(afterwards(0, 1, 2), "Killed asleep; the dish lies there. One sleeps on.");
    }

    #[test]
    fn what_each_has_done_is_added_up() {
        let mut tally = Tally::default();
        for (slot, values) in (0..).zip([
            json!({"made": 7, "most_in_buffer": 3}),
            json!({"made": 2, "most_in_buffer": 4}),
            json!({"taken": 6, "took_nothing": 1, "woken_for_nothing": 2}),
        ]) {
            let mut task = TaskTally::new(Tid(u32::from(slot) + 1), Pid(1), Nanos::ZERO);
            task.slot = Some(slot);
            task.values = serde_json::from_value(values).expect("an object");
            tally.tasks.push(task);
        }
        let values = Kitchen.outcome(&Params::defaults(&SPEC), &tally);
        let found = ["made", "taken", "took_nothing", "woken_for_nothing", "most_in_buffer", "waits", "slept_through"];
        assert_eq!(found.map(|name| values[name].as_u64()), [9, 6, 1, 2, 4, 0, 0].map(Some));
        assert_eq!(values["stuck"], json!(false));
    }
}
