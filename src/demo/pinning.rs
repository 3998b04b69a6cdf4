//! `pinning`: workers walk through memory of their own and are sent from core to core.
//!
//! A worker moves itself (sched_setaffinity(2)), and times its walks: the first one after the move, and those before it. As a
//! control it goes through the same call every other time without leaving its core. What the call costs, the two share.

mod travel;
mod walk;

use super::{Demo, pace};
use crate::fact::{
    Arg, As, ColumnSpec, Control, Cpu, CurveSpec, CurvesSpec, DemoSpec, Fact, Limits, Need, On, ParamKind, ParamSpec,
    Params, Picture, ReturnKind, ReturnSpec, Stroke, TableSpec, Tally, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage};
use serde_json::json;
use std::time::{Duration, Instant};
use travel::{Totals, Traveller};

/// See the module.
pub(super) struct Pinning;

/// Milliseconds from one move to the next.
const PACES: (i64, i64) = (50, 2000);

/// How soon one that is still on its way is looked after again, and how long it is waited for at the end.
const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(2);

/// How long everybody stays when all moves are made.
const STAY: Duration = Duration::from_secs(1);

/// The tables of what came of the moves, and of each of them.
const KINDS: &str = "walks";
const TRIPS: &str = "moves";

/// The curves: the walks after a move, and after a call that moved nobody.
const MOVED: &str = "moved";
const STAYED: &str = "stayed";

static CURVES: CurvesSpec = CurvesSpec {
    name: "walk by walk",
    x: "walks",
    y: "median time of a walk",
    kind: ReturnKind::Nanos,
    curves: &[
        CurveSpec { curve: MOVED, label: "after a move", stroke: Stroke::Measured },
        CurveSpec { curve: STAYED, label: "after staying", stroke: Stroke::Reference },
    ],
};

static TABLE: TableSpec = TableSpec {
    name: KINDS,
    head: "the walk",
    columns: &[
        ColumnSpec { value: "count", head: "times", kind: ReturnKind::Count },
        ColumnSpec { value: "median", head: "median", kind: ReturnKind::Nanos },
        ColumnSpec { value: "half", head: "half lie in", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "pinning",
    title: "a worker is sent from core to core",
    part: "Who runs when",
    about: "Each worker walks through memory of its own, again and again, pinned to one core. Now and then it is sent to \
            the next core, or told to stay. See the move on the lanes, and how long the first walk on the new core takes.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 1, max: 16, default: 1, unit: "" },
            help: "how many walk; they are sent in turn",
        },
        ParamSpec {
            name: "moves",
            kind: ParamKind::Int { min: 5, max: 200, default: 12, unit: "" },
            help: "how often each is sent on; as often it is told to stay",
        },
        ParamSpec {
            name: "pace",
            kind: ParamKind::Int { min: PACES.0, max: PACES.1, default: 300, unit: "ms" },
            help: "from one move to the next",
        },
        ParamSpec {
            name: "kib",
            kind: ParamKind::Int { min: 16, max: 4096, default: 256, unit: "KiB" },
            help: "the memory of each",
        },
    ],
    returns: &[
        ReturnSpec {
            name: "migrations",
            kind: ReturnKind::Count,
            help: "times that a worker found itself on another core",
        },
        ReturnSpec { name: "moves", kind: ReturnKind::Count, help: "times that one was sent to another core" },
        ReturnSpec { name: "stays", kind: ReturnKind::Count, help: "times that one was told to stay" },
        ReturnSpec { name: "cold_first_turn", kind: ReturnKind::Nanos, help: "median of the first walk after a move" },
        ReturnSpec { name: "warm_turn_ns", kind: ReturnKind::Nanos, help: "median of the walks before a move" },
        ReturnSpec { name: "stay_turn_ns", kind: ReturnKind::Nanos, help: "median of the first walk after staying" },
        ReturnSpec {
            name: "cold_to_warm",
            kind: ReturnKind::Number,
            help: "first walk after a move over first walk after staying; none if inconclusive",
        },
        ReturnSpec { name: "spread", kind: ReturnKind::Word, help: "between what half of these ratios lie" },
        ReturnSpec {
            name: "verdict",
            kind: ReturnKind::Word,
            help: "slower, no difference or inconclusive; none if nobody could move",
        },
    ],
    pictures: &[Picture::Lanes, Picture::Table(&TABLE), Picture::Curves(&CURVES), Picture::Workers],
    controls: &[
        Control { key: 'c', verb: "move", label: "send to the next core", on: On::Worker, arg: Arg::None },
        pace::SLOWER,
        pace::FASTER,
    ],
    self_timed: true,
    // The C library sets 128 MiB of addresses aside for each thread that allocates (glibc's HEAP_MAX_SIZE, twice).
    limits: |_| Limits { process_mib: 4 * 1024, ..Limits::DEFAULT },
    needs: &[Need { capability: "a second core", without: "moves, and what they cost" }],
    ..DemoSpec::BASE
};

impl Demo for Pinning {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let cpus = stage.cpus().to_vec();
        if let [only] = cpus[..] {
            let why = format!("only core {} may be used here", only.0);
            let remedy = "Nothing is missing but the comparison: the worker stays, and its walks are timed";
            stage.tell(Fact::Refused(Unavailable::new("a move to another core", why).remedy(remedy)));
        }
        let on = bring_on(stage, &params, &cpus)?;
        let mut guide = Guide::new(&params, cpus.len(), on);
        let all = 2 * on * params.count("moves");
        let mut next = Instant::now() + guide.pause();
        while guide.made < all {
            match stage.next(Some(next.saturating_duration_since(Instant::now()))) {
                Cue::Time => next = Instant::now() + if guide.send_next(stage) { guide.pause() } else { LOOK },
                Cue::Steer(steer) if steer.verb == "pace" => {
                    guide.pace = scaled(guide.pace, steer.value.as_i64().unwrap_or(0));
                    next = Instant::now() + guide.pause();
                }
                Cue::Steer(steer) if steer.verb == "move" => {
                    if let Some(number) = steer.worker.as_deref().and_then(|name| stage.find(name)) {
                        guide.send_by_hand(stage, number);
                    }
                }
                Cue::Steer(_) => {}
                Cue::Finish => return Ok(()),
                Cue::Ended(number) => {
                    let name = stage.cast().get(number).map(|entry| entry.name.clone()).unwrap_or_default();
                    let why = format!("worker {name} ended before its time");
                    stage.tell(Fact::Refused(Unavailable::new("the rest of the moves", why)));
                    break;
                }
            }
        }
        let late = Instant::now() + PATIENCE;
        while stage.on().any(|n| !guide.is_back(stage, n)) && Instant::now() < late {
            if !wait(stage, LOOK) {
                return Ok(());
            }
        }
        // What the last one told of its walks is on its way to the screen.
        if wait(stage, 5 * LOOK) {
            stage.tell(Fact::settled());
            wait(stage, STAY);
        }
        Ok(())
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let moved: u64 = tally.workers().filter_map(|w| w.number("migrations")).sum();
        let mut values = Totals::told(tally).values();
        values.push(("migrations", json!(moved)));
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Lets time pass; false if the run is to end.
fn wait(stage: &mut Stage, time: Duration) -> bool {
    let until = Instant::now() + time;
    loop {
        match stage.next(Some(until.saturating_duration_since(Instant::now()))) {
            Cue::Time => return true,
            Cue::Finish => return false,
            Cue::Steer(_) | Cue::Ended(_) => {}
        }
    }
}

/// Brings the workers on, each on a core of its own while there are some; how many there are.
fn bring_on(stage: &mut Stage, params: &Params, cpus: &[Cpu]) -> Result<usize, Unavailable> {
    let kib = params.count("kib");
    let wanted = params.count("workers");
    for (n, home) in (0..wanted).zip((0..cpus.len()).cycle()) {
        let settings = Settings { cpus: vec![cpus[home]], nice: 0 };
        let cpus = cpus.to_vec();
        // The curves and the table of the walks are the first worker's: one line each.
        let part = move |worker: &crate::stage::Worker| Traveller::new(worker, cpus, home, kib, n == 0).travel();
        match stage.enter(params.workers_as(), &settings, part) {
            Ok(_) => {}
            Err(refused) if n == 0 => return Err(refused),
            Err(refused) => {
                stage.tell(Fact::Refused(refused));
                return Ok(n);
            }
        }
    }
    Ok(wanted)
}

/// The pace twice as slow for each step up, twice as fast for each step down.
fn scaled(pace: i64, steps: i64) -> i64 {
    let factor = 1_i64 << steps.unsigned_abs().min(11);
    if steps < 0 { pace / factor } else { pace * factor }.clamp(PACES.0, PACES.1)
}

/// Who sends the workers on.
struct Guide {
    cpus: usize,
    /// Orders that each has had, and how far its counter must be for the last one to have been done.
    sent: Vec<(u64, u64)>,
    made: usize,
    pace: i64,
    /// What an order adds to a counter.
    trip: u64,
}

impl Guide {
    fn new(params: &Params, cpus: usize, workers: usize) -> Self {
        let trip = travel::beats(params.count("kib"));
        Self { cpus, sent: vec![(0, 0); workers], made: 0, pace: params.int("pace"), trip }
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(self.pace.unsigned_abs())
    }

    /// Whether the worker has done what it was told last.
    fn is_back(&self, stage: &Stage, number: usize) -> bool {
        self.sent.get(number).is_none_or(|(_, due)| stage.work(number) >= *due)
    }

    /// Sends the one whose turn it is, or tells it to stay: a move and a stay in turns for each. False if it is still on
    /// its way: on a busy core the walks take their time.
    fn send_next(&mut self, stage: &Stage) -> bool {
        let workers = self.sent.len();
        let (number, stays) = (self.made % workers, self.made / workers % 2 == 1);
        if !self.is_back(stage, number) {
            return false;
        }
        self.made += 1;
        self.send(stage, number, !stays);
        true
    }

    fn send_by_hand(&mut self, stage: &mut Stage, number: usize) {
        if self.is_back(stage, number) {
            self.send(stage, number, true);
        } else {
            let why = "it has not walked its walks after the last one yet";
            stage.tell(Fact::Refused(Unavailable::new("another move", why)));
        }
    }

    /// Orders are numbered, so that the same one twice is two orders.
    fn send(&mut self, stage: &Stage, number: usize, to_another: bool) {
        let Some((sent, due)) = self.sent.get_mut(number) else { return };
        *sent += 1;
        *due = stage.work(number) + self.trip;
        stage.order(number, travel::order(*sent, to_another && self.cpus > 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_doubles_and_halves_within_its_bounds() {
        assert_eq!([scaled(300, 1), scaled(300, -1), scaled(60, -1)], [600, 150, 50]);
        assert_eq!([scaled(300, i64::MAX), scaled(300, i64::MIN)], [2000, 50]);
    }

    #[test]
    fn nobody_moved_and_nothing_is_made_up() {
        let values = Pinning.outcome(&Params::defaults(&SPEC), &Tally::default());
        assert_eq!((&values["moves"], &values["migrations"]), (&json!(0), &json!(0)));
        for name in ["cold_first_turn", "warm_turn_ns", "stay_turn_ns", "cold_to_warm", "spread", "verdict"] {
            assert!(values[name].is_null(), "{name}");
        }
    }
}
