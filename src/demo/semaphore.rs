//! `semaphore`: a cafeteria with a few seats, and more diners than seats. A counting semaphore of POSIX, in memory that
//! threads and processes share.

use super::Demo;
use super::arenas;
use super::pace::{self, Cut};
use super::posix::Semaphore;
use super::script::row;
use super::train::{self, Passenger, returns};
use crate::fact::{
    Arg, As, Control, DemoSpec, Fact, On, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Tally,
    Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage, Target, Worker};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub(super) struct Cafeteria;

/// What the place is called.
const PLACE: &str = "cafeteria";

/// How often it is looked who sits, and who has sat.
const LOOK: Duration = Duration::from_millis(5);

/// The key by which somebody who has no seat gives one.
const POST: Control = Control {
    key: 'o',
    verb: "post",
    label: "post once: somebody gives a seat that is not theirs",
    on: On::Demo,
    arg: Arg::None,
};

static SPEC: DemoSpec = DemoSpec {
    name: "semaphore",
    title: "a cafeteria with a few seats",
    part: "Sharing without tears",
    about: "Diners want into a cafeteria. A semaphore counts the free seats: while there is one, it lets in; then the others \
            sleep until somebody gives a seat back. It knows how many seats are free, and not who has them.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 1, max: 24, default: 8, unit: "" },
            help: "how many want in",
        },
        ParamSpec {
            name: "seats",
            kind: ParamKind::Int { min: 1, max: 24, default: 3, unit: "" },
            help: "how many fit in",
        },
        ParamSpec {
            name: "hold",
            kind: ParamKind::Int { min: 1, max: 5000, default: 200, unit: "ms" },
            help: "how long each stays",
        },
        ParamSpec {
            name: "victim",
            kind: ParamKind::Choice(&["none", "diner"]),
            help: "whether A never leaves its seat: a process is killed in it, a thread ends",
        },
        ParamSpec {
            name: "posts",
            kind: ParamKind::Int { min: 0, max: 24, default: 0, unit: "" },
            help: "how often the leader posts, though it has no seat",
        },
    ],
    returns: &[
        returns::WAITS,
        returns::MAX_INSIDE,
        returns::CPU_WAITING,
        returns::FAIRNESS,
        ReturnSpec { name: "seats_left", kind: ReturnKind::Count, help: "seats that no dead diner has taken along" },
        ReturnSpec { name: "posted", kind: ReturnKind::Count, help: "posts by somebody who had no seat" },
    ],
    pictures: &[Picture::Queue, Picture::Waiting, Picture::Lanes],
    controls: &[pace::SLOWER, pace::FASTER, train::KILL, POST],
    lasts_ms: |_| 4000,
    limits: arenas::room,
    ..DemoSpec::BASE
};

impl Demo for Cafeteria {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        train::arrive(story(stage))
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        let mut values: Values = train::account(tally, &[PLACE]).into();
        let posted = tally.steps.iter().filter(|(_, step)| step == POSTED).count();
        let gone = |tid| tally.is_dead(tid);
        let taken = tally.locks.get(PLACE).map(|lock| lock.inside.iter().filter(|(tid, _)| gone(*tid)).count());
        // Before anybody has come, nothing is known of the seats.
        let left = taken.map_or(Value::Null, |taken| json!((params.count("seats") + posted).saturating_sub(taken)));
        values.extend([("seats_left".to_owned(), left), ("posted".to_owned(), json!(posted))]);
        values
    }
}

/// The step that tells of a post by somebody who had no seat.
const POSTED: &str = "posted";

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let seats = u32::try_from(params.int("seats")).unwrap_or(1);
    let semaphore = Semaphore::new(seats).map_err(|error| Unavailable::new("a semaphore", error.to_string()))?;
    let (semaphore, hold) = (Arc::new(semaphore), params.int("hold").unsigned_abs());
    stage.tell(seats_row(params.int("seats").unsigned_abs()));
    let victim = params.word("victim") == "diner";
    for number in 0..params.count("workers") {
        let semaphore = Arc::clone(&semaphore);
        let stays = (victim && number == 0).then(|| params.workers_as());
        stage.enter(params.workers_as(), &Settings::default(), move |worker| part(worker, &semaphore, hold, stays))?;
    }
    let mut there = params.int("seats").unsigned_abs();
    for _ in 0..params.count("posts") {
        post(stage, &semaphore, &mut there);
    }
    let (mut due, mut settled) = (victim && params.workers_as() == As::Processes, false);
    let enough = 2 * params.int("workers").unsigned_abs();
    let whole = train::travel_with(stage, params.int("hold"), |stage, cue| {
        if let Cue::Steer(steer) = cue {
            if steer.verb == POST.verb {
                post(stage, &semaphore, &mut there);
            }
        } else if due && stage.work(0) > 0 {
            // Its counter says that it has told that it is inside, and there it stays.
            due = false;
            let target = stage.cast().first().and_then(|entry| Target::open(entry.pid));
            target.map(|target| target.signal(rustix::process::Signal::KILL));
        }
        let visits: u64 = (0..stage.cast().len()).map(|number| stage.work(number)).sum();
        let gone = stage.cast().first().is_some_and(|a| a.ended.is_some());
        // Where A has taken the only seat along, there are no more visits.
        if !settled && (!victim || gone) && (visits >= enough || victim && seats == 1) {
            settled = true;
            stage.tell(Fact::settled());
        }
        Some(LOOK)
    });
    // Who sleeps at a semaphore whose seats are gone would sleep on. Each that is woken now has been told to leave.
    train::all_out(stage);
    for _ in 0..params.count("workers") {
        let _ = semaphore.post();
    }
    whole
}

/// How many seats there are, for the picture.
fn seats_row(seats: u64) -> Fact {
    row("places", PLACE, json!({ "seats": seats }))
}

/// Gives a seat that nobody has left: so many are there then.
fn post(stage: &mut Stage, semaphore: &Semaphore, there: &mut u64) {
    *there += 1;
    stage.tell(seats_row(*there));
    // Told first: whoever takes the seat then is inside later than this. EOVERFLOW is two thousand million seats away.
    stage.tell(Fact::Step { name: POSTED.to_owned() });
    let _ = semaphore.post();
}

/// A diner's part: in, eat, out, sit elsewhere for a while.
fn part(worker: &Worker, semaphore: &Semaphore, hold: u64, stays: Option<As>) {
    let mut diner = Passenger::new(worker);
    loop {
        let called_off = || worker.order() == Worker::HALT;
        // EINTR is no seat (sem_wait(3)).
        let wait = || {
            while semaphore.wait().is_err() && !called_off() {}
            !called_off()
        };
        if !diner.ask(PLACE, || semaphore.try_wait().is_ok() && !called_off(), wait) {
            return;
        }
        match stays {
            None => {}
            Some(As::Threads) => return,
            // It is to be killed in its seat.
            Some(As::Processes) => {
                while worker.wait(worker.order(), Duration::MAX) != Worker::HALT {}
                return;
            }
        }
        let on = diner.rest(hold, 4);
        diner.give_back(PLACE, || _ = semaphore.post());
        if !on || !diner.rest(hold, 2) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Ending, LockTally, Nanos, Pid, TaskTally, Tid};

    fn cafeteria(inside: &[u32], dead: &[u32], posted: usize) -> Values {
        let mut tally = Tally::default();
        for tid in 1..=4 {
            let mut task = TaskTally::new(Tid(tid), Pid(tid), Nanos::ZERO);
            task.slot = u16::try_from(tid).ok();
            task.ended = dead.contains(&tid).then(|| (Nanos(9), Ending::Signal("SIGKILL".to_owned(), false)));
            tally.tasks.push(task);
        }
        let inside = inside.iter().map(|tid| (Tid(*tid), Nanos::ZERO)).collect();
        tally.locks.insert(PLACE.to_owned(), LockTally { inside, most_inside: 3, ..LockTally::default() });
        tally.steps = vec![(Nanos(1), POSTED.to_owned()); posted];
        Cafeteria.outcome(&Params::defaults(&SPEC), &tally)
    }

    #[test]
    fn who_dies_inside_takes_the_seat_along_and_who_dies_outside_does_not() {
        assert_eq!(cafeteria(&[1, 2], &[], 0)["seats_left"], json!(3));
        assert_eq!(cafeteria(&[1, 2], &[1, 4], 0)["seats_left"], json!(2));
        assert_eq!(cafeteria(&[1, 2, 3], &[1, 2, 3], 0)["seats_left"], json!(0));
    }

    #[test]
    fn a_post_of_a_stranger_is_one_seat_more() {
        let values = cafeteria(&[1], &[1], 2);
        assert_eq!((&values["seats_left"], &values["posted"]), (&json!(4), &json!(2)));
    }

    #[test]
    fn before_anybody_came_nothing_is_known() {
        let values = Cafeteria.outcome(&Params::defaults(&SPEC), &Tally::default());
        assert_eq!((&values["seats_left"], &values["posted"]), (&Value::Null, &json!(0)));
    }
}
