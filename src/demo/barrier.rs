//! `barrier`: everybody boards. Nobody leaves before the last has come, and then all do: a barrier of POSIX, in memory that
//! threads and processes share, round after round.

use super::Demo;
use super::area::Area;
use super::arenas;
use super::pace::{self, Cut};
use super::posix::Barrier;
use super::script::row;
use super::train::{self, Passenger};
use crate::fact::{
    As, ColumnSpec, DemoSpec, Fact, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Row, TableSpec,
    Tally, Unavailable, Values,
};
use crate::stage::{Entry, Left, Settings, Stage, Target, Worker};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Boarding;

/// Where all go together: who is told to have it is on board, who waits for it stands on the platform.
const PLACE: &str = "train";

/// How often it is looked whether those that are left wait in vain, and how long the end waits for them to come.
const LOOK: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_millis(500);

/// The value that a worker tells of itself: how often it passed before the last had come.
const EARLY: &str = "passed_early";

static ARRIVALS: TableSpec = TableSpec {
    name: "arrivals",
    head: "worker",
    columns: &[
        ColumnSpec { value: "round", head: "round", kind: ReturnKind::Count },
        ColumnSpec { value: "came", head: "came as number", kind: ReturnKind::Count },
        ColumnSpec { value: "waited", head: "waited", kind: ReturnKind::Nanos },
        ColumnSpec { value: "gone", head: "gone", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "barrier",
    title: "everybody boards",
    part: "Sharing without tears",
    about: "Each walks to the platform in its own time. A barrier lets nobody board before the last has come; then all ride \
            together, and the next round begins.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 2, max: 16, default: 4, unit: "" },
            help: "how many have to come",
        },
        ParamSpec {
            name: "rounds",
            kind: ParamKind::Int { min: 1, max: 100, default: 5, unit: "" },
            help: "how often they board",
        },
        ParamSpec {
            name: "hold",
            kind: ParamKind::Int { min: 1, max: 5000, default: 400, unit: "ms" },
            help: "how long the slowest walks",
        },
        ParamSpec {
            name: "victim",
            kind: ParamKind::Choice(&["none", "worker"]),
            help: "whether A never comes a second time: a process is killed, a thread ends",
        },
    ],
    returns: &[
        ReturnSpec { name: "rounds", kind: ReturnKind::Count, help: "rounds in which all boarded" },
        ReturnSpec {
            name: "passed_early",
            kind: ReturnKind::Count,
            help: "times that one passed before the last had come",
        },
        ReturnSpec { name: "earliest_wait_ns", kind: ReturnKind::Nanos, help: "wait of who came first, newest round" },
        ReturnSpec { name: "last_wait_ns", kind: ReturnKind::Nanos, help: "wait of who came last, newest round" },
        ReturnSpec { name: "longest_wait_ns", kind: ReturnKind::Nanos, help: "the longest wait that came to its end" },
        ReturnSpec { name: "last_to_come", kind: ReturnKind::Word, help: "who came last, newest round" },
        ReturnSpec { name: "stuck", kind: ReturnKind::Flag, help: "all that are left wait for somebody who has ended" },
    ],
    pictures: &[Picture::Queue, Picture::Table(&ARRIVALS), Picture::Lanes],
    controls: &[pace::SLOWER, pace::FASTER, train::KILL],
    lasts_ms: |params| if params.word("victim") == "none" { 0 } else { 4000 },
    limits: arenas::room,
    ..DemoSpec::BASE
};

impl Demo for Boarding {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        train::arrive(story(stage))
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        let lock = tally.locks.get(PLACE);
        let got = tally.workers().map(|w| lock.and_then(|lock| lock.visits.get(&w.tid)).map_or(0, |visits| visits.got));
        let newest = |came: usize| newest(tally.table(ARRIVALS.name), came as u64);
        let waited = |row: Option<&Row>| row.and_then(|row| row.values.get("waited")).cloned().unwrap_or(Value::Null);
        let (first, last) = (newest(1), newest(params.count("workers")));
        let longest = lock.and_then(|lock| lock.visits.values().map(|v| v.longest).max()).filter(|t| t.0 > 0);
        let told = |name: &str| tally.workers().filter_map(|w| w.number(name)).sum::<u64>();
        [
            // Who has been killed boards no more; what it boarded before, it boarded.
            ("rounds", json!(got.min().unwrap_or(0))),
            (EARLY, json!(told(EARLY))),
            ("earliest_wait_ns", waited(first)),
            ("last_wait_ns", waited(last)),
            ("longest_wait_ns", longest.map_or(Value::Null, |t| json!(t.0))),
            ("last_to_come", last.map_or(Value::Null, |row| json!(row.name))),
            ("stuck", json!(is_stuck(tally) || tally.step(STUCK).is_some())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// The step that tells that those that are left wait in vain.
const STUCK: &str = "stuck";

/// The newest row of those that came as number `came`.
fn newest(rows: &[Row], came: u64) -> Option<&Row> {
    let number = |row: &Row, name: &str| row.values.get(name).and_then(Value::as_u64);
    rows.iter().filter(|row| number(row, "came") == Some(came)).max_by_key(|row| number(row, "round"))
}

/// Somebody has ended, and all others wait.
fn is_stuck(tally: &Tally) -> bool {
    let waits = |tid| tally.locks.get(PLACE).is_some_and(|lock| lock.queue.iter().any(|(waiter, _)| *waiter == tid));
    let mut alive = tally.workers().filter(|worker| !tally.is_dead(worker.tid)).peekable();
    tally.workers().any(|worker| tally.is_dead(worker.tid))
        && alive.peek().is_some()
        && alive.all(|worker| waits(worker.tid))
}

/// Words of the page from which on each worker has one.
const WAITS: usize = 2;

/// What they have in common.
#[derive(Debug)]
struct Platform {
    barrier: Barrier,
    area: Area,
    workers: u64,
}

impl Platform {
    fn new(workers: u64) -> std::io::Result<Self> {
        Ok(Self { barrier: Barrier::new(u32::try_from(workers).unwrap_or(1))?, area: Area::shared(1)?, workers })
    }

    /// How often anybody ever came.
    fn come(&self) -> &AtomicU64 {
        self.area.word_of(0, 0)
    }

    /// Not 0 if nobody boards any more. Written only by who comes last, before it comes; so all that pass read the same.
    fn closed(&self) -> &AtomicU64 {
        self.area.word_of(0, 1)
    }

    /// The round in which worker `number` waits for the others, counted from 1; 0 while it does not.
    fn waits(&self, number: usize) -> &AtomicU64 {
        self.area.word_of(0, WAITS + number)
    }

    /// All of `left` wait, in a round that has begun and that nobody else can come to.
    fn waits_in_vain(&self, left: &[usize]) -> bool {
        let come = self.come().load(Acquire);
        let all = left.iter().all(|number| self.waits(*number).load(Acquire) == come / self.workers + 1);
        !left.is_empty() && (left.len() as u64) < self.workers && !come.is_multiple_of(self.workers) && all
    }

    /// Comes, as which number of the round, counted from 1. If it is the last, it says whether nobody is to board.
    fn arrive(&self, closes: impl FnOnce() -> bool) -> u64 {
        let came = self.come().fetch_add(1, AcqRel) % self.workers + 1;
        if came == self.workers && closes() {
            self.closed().store(1, Release);
        }
        came
    }
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let platform = Platform::new(params.int("workers").unsigned_abs());
    let platform = Arc::new(platform.map_err(|error| Unavailable::new("a barrier", error.to_string()))?);
    let (rounds, hold) = (params.int("rounds").unsigned_abs(), params.int("hold").unsigned_abs());
    let (what, victim) = (params.workers_as(), params.word("victim") == "worker");
    for number in 0..platform.workers {
        let platform = Arc::clone(&platform);
        let end = (victim && number == 0).then_some(what);
        let number = stage
            .enter(what, &Settings::default(), move |worker| part(worker, &platform, number, (rounds, hold), end))?;
        // Rows keep the order in which they came: that of the letters, whoever comes first.
        let name = stage.cast().get(number).map(|entry| entry.name.clone()).unwrap_or_default();
        stage.tell(row(ARRIVALS.name, &name, json!({})));
    }
    let (mut due, mut stuck) = (victim && what == As::Processes, false);
    let mut missed = Vec::new();
    let whole = train::travel_with(stage, params.int("hold"), |stage, _| {
        if due && stage.work(0) > 0 {
            due = false;
            let target = stage.cast().first().and_then(|entry| Target::open(entry.pid));
            target.map(|target| target.signal(rustix::process::Signal::KILL));
        }
        let left: Vec<usize> = stage.on().collect();
        let in_vain = !stuck && platform.waits_in_vain(&left);
        let now = missing(stage, platform.come().load(Acquire) >= rounds * platform.workers);
        if in_vain || now.len() > missed.len() {
            missed = now;
            stuck |= in_vain;
            say_missing(stage, &missed, stuck);
        }
        if in_vain {
            stage.tell(Fact::Step { name: STUCK.to_owned() });
            stage.tell(Fact::settled());
        }
        Some(LOOK)
    });
    if whole.is_err() {
        close(stage, &platform, what);
    }
    whole
}

/// Who comes no more, and how it went. Who leaves `at_the_end` of all rounds is missed by nobody.
fn missing(stage: &Stage, at_the_end: bool) -> Vec<(String, &'static str)> {
    let gone = |entry: &Entry| match entry.ended {
        Some(Left::Signal(_)) => Some((entry.name.clone(), "dead")),
        Some(_) if !at_the_end => Some((entry.name.clone(), "left")),
        _ => None,
    };
    stage.cast().iter().filter_map(gone).collect()
}

/// Says who is missing, and once the others wait `in_vain` that they do.
fn say_missing(stage: &mut Stage, missed: &[(String, &str)], in_vain: bool) {
    for (name, how) in missed {
        stage.tell(row(ARRIVALS.name, name, json!({ "gone": how })));
    }
    let names: Vec<_> = missed.iter().map(|(name, how)| format!("{name} ({how})")).collect();
    let then = if in_vain { "the others wait for ever" } else { "no barrier notices that" };
    let says = format!("Will not come: {}; {then}.", names.join(", "));
    stage.tell(row("places", PLACE, json!({ "says": says })));
}

/// Lets all come once more, and leave instead of boarding. Where a thread is missing, the leader comes in its stead. Where a process
/// is, those that wait are ended: they might wait for more than one.
fn close(stage: &mut Stage, platform: &Platform, what: As) {
    train::all_out(stage);
    let missing = platform.workers.saturating_sub(stage.on().count() as u64);
    if what == As::Processes && missing > 0 {
        return train::end_those_left(stage);
    }
    if what == As::Processes || missing != 1 {
        return;
    }
    let until = Instant::now() + PATIENCE;
    while platform.come().load(Acquire) % platform.workers != platform.workers - 1 {
        if Instant::now() > until {
            return;
        }
        stage.next(Some(LOOK));
    }
    platform.arrive(|| true);
    platform.barrier.wait();
}

/// A passenger's part: walk, wait for all, ride.
fn part(worker: &Worker, platform: &Platform, number: u64, (rounds, hold): (u64, u64), end: Option<As>) {
    let (mut passenger, mut early) = (Passenger::new(worker), 0);
    let slot = usize::try_from(number).unwrap_or(0);
    for round in 1..=rounds {
        if round > 1 {
            match end {
                None => {}
                Some(As::Threads) => return,
                // It is to be killed on its way.
                Some(As::Processes) => {
                    while worker.wait(worker.order(), Duration::MAX) != Worker::HALT {}
                    return;
                }
            }
        }
        // Each its own way, and another in each round; none of them shorter than a workers-th of the longest.
        let steps = (number + round) % platform.workers + 1;
        // Called off or not, it comes: the others count on it.
        passenger.rest(hold * steps / platform.workers, 4);
        let mut came = 0;
        let begun = Instant::now();
        let wait = || {
            platform.waits(slot).store(round, Release);
            came = platform.arrive(|| worker.order() == Worker::HALT);
            platform.barrier.wait();
            platform.waits(slot).store(0, Release);
            platform.closed().load(Acquire) == 0
        };
        if !passenger.ask(PLACE, || false, wait) {
            return;
        }
        let waited = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        // All of this round have come by now, or this one has passed too early.
        early += u64::from(platform.come().load(Acquire) < round * platform.workers);
        passenger.say(EARLY, json!(early));
        let values = json!({ "round": round, "came": came, "waited": waited });
        worker.tell(row(ARRIVALS.name, worker.name(), values));
        passenger.rest(hold, 2);
        passenger.give_back(PLACE, || ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Ending, LockTally, Nanos, Pid, TaskTally, Tid};

    fn tally(alive: &[bool], waiting: &[u32]) -> Tally {
        let mut tally = Tally::default();
        for (slot, alive) in (0..).zip(alive) {
            let mut task = TaskTally::new(Tid(u32::from(slot)), Pid(1), Nanos::ZERO);
            task.slot = Some(slot);
            task.ended = (!alive).then_some((Nanos(3), Ending::Code(0)));
            tally.tasks.push(task);
        }
        let queue = waiting.iter().map(|tid| (Tid(*tid), Nanos(1))).collect();
        tally.locks.insert(PLACE.to_owned(), LockTally { queue, ..LockTally::default() });
        tally
    }

    #[test]
    fn it_is_stuck_when_all_that_are_left_wait_for_one_that_is_not() {
        assert!(is_stuck(&tally(&[true, false, true], &[0, 2])));
        assert!(!is_stuck(&tally(&[true, true, true], &[0, 1, 2])), "the last has come and they are about to go");
        assert!(!is_stuck(&tally(&[true, false, true], &[0])), "one is on its way");
        assert!(!is_stuck(&tally(&[false, false, false], &[])), "it is over");
    }

    #[test]
    fn the_newest_round_tells_who_came_first_and_last() {
        let mut tally = tally(&[true; 4], &[]);
        let row = |name: &str, round: u64, came: u64, waited: u64| Row {
            name: name.to_owned(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: serde_json::from_value(json!({"round": round, "came": came, "waited": waited})).expect("an object"),
        };
        // C has told of the second round already, D of the first only.
        let rows = vec![row("A", 2, 1, 900), row("B", 2, 2, 500), row("C", 2, 4, 10), row("D", 1, 4, 20)];
        tally.tables.insert(ARRIVALS.name.to_owned(), rows);
        let values = Boarding.outcome(&Params::defaults(&SPEC), &tally);
        assert_eq!((&values["earliest_wait_ns"], &values["last_wait_ns"]), (&json!(900), &json!(10)));
        assert_eq!(values["last_to_come"], json!("C"));
    }

    #[test]
    fn they_wait_in_vain_once_all_that_are_left_wait_in_a_round_that_is_not_full() {
        let platform = Platform::new(3).expect("memory");
        let come = |number: usize, round: u64| {
            platform.waits(number).store(round, Release);
            platform.arrive(|| false);
        };
        come(0, 1);
        come(1, 1);
        assert!(!platform.waits_in_vain(&[0, 1, 2]), "the third is on its way");
        assert!(!platform.waits_in_vain(&[1, 2]), "who died on the platform has come");
        assert!(platform.waits_in_vain(&[0, 1]), "the third is dead");
        come(2, 1);
        assert!(!platform.waits_in_vain(&[0, 1]), "all have come");
        come(0, 2);
        assert!(!platform.waits_in_vain(&[0, 1]), "one is about to pass, out of the round before");
        assert!(!platform.waits_in_vain(&[]));
    }

    #[test]
    fn the_last_of_a_round_alone_decides_whether_all_leave() {
        let platform = Platform::new(3).expect("memory");
        assert_eq!((platform.arrive(|| true), platform.arrive(|| true)), (1, 2));
        assert_eq!(platform.closed().load(Acquire), 0);
        assert_eq!((platform.arrive(|| false), platform.closed().load(Acquire)), (3, 0));
        (0..3).for_each(|_| _ = platform.arrive(|| true));
        assert_eq!(platform.closed().load(Acquire), 1);
    }
}
