//! `livelock`: philosophers too polite to insist. Each takes its left fork, finds the right one taken, puts the left one back,
//! waits, and tries again: all move and nobody eats, as long as they stay in step.
//!
//! Left to themselves they fall out of step: no two clocks of threads on one machine agree for long. So a bell rings for each
//! movement, and does not ring again before all have made it. In life a shared timer, a slotted network or one retry time for
//! all does the same. What they do at the ring is their own doing, with mutexes of POSIX that are tried and never waited for
//! (pthread_mutex_trylock(3)). With jitter the bell is silent, and each waits as long as chance says.

mod philosopher;

use super::Demo;
use super::arenas;
use super::company::switches;
use super::pace::{self, Cut, Pace};
use super::script::row;
use crate::fact::{
    Arg, As, ColumnSpec, Control, DemoSpec, On, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Row,
    SETTLED, TableSpec, Tally, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage};
use philosopher::{Order, Table};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Livelock;

/// Tries of each philosopher after which it may be judged.
const ENOUGH: u64 = 5;

/// How often the leader looks whether all have made a movement.
const LOOK: Duration = Duration::from_millis(2);

/// How often it looks how far those have come who go their own way.
const GLANCE: Duration = Duration::from_millis(100);

/// The row of the bell.
const BELL: &str = "bell";

static TABLE: TableSpec = TableSpec {
    name: "table",
    head: "who",
    columns: &[
        ColumnSpec { value: "meals", head: "meals", kind: ReturnKind::Count },
        ColumnSpec { value: "tries", head: "tries", kind: ReturnKind::Count },
        ColumnSpec { value: "gave_up", head: "gave up", kind: ReturnKind::Count },
        ColumnSpec { value: "now", head: "now", kind: ReturnKind::Word },
    ],
};

/// The key that silences the bell, and makes it ring again.
const JITTER: Control =
    Control { key: 'c', verb: "jitter", label: "waits by chance, or in step again", on: On::Demo, arg: Arg::None };

static SPEC: DemoSpec = DemoSpec {
    name: "livelock",
    title: "all move, nobody eats",
    part: "Sharing without tears",
    about: "Philosophers at a round table need both forks. Each takes the left one, finds the right one taken, puts the left \
            one back and tries again. A bell keeps them in step, as a shared retry timer does: left alone, their clocks would \
            drift apart. With jitter each waits as long as chance says.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "philosophers",
            kind: ParamKind::Int { min: 2, max: 8, default: 5, unit: "" },
            help: "how many sit at the table",
        },
        ParamSpec {
            name: "polite",
            kind: ParamKind::Choice(&["yes", "jitter"]),
            help: "all wait the same time, or as long as chance says",
        },
        pace::param(200),
    ],
    returns: &[
        ReturnSpec { name: "progress", kind: ReturnKind::Flag, help: "somebody has eaten" },
        ReturnSpec { name: "eaten", kind: ReturnKind::Count, help: "meals of all together" },
        ReturnSpec { name: "tried", kind: ReturnKind::Count, help: "tries of all together" },
        ReturnSpec { name: "gave_up", kind: ReturnKind::Count, help: "tries that ended without a meal" },
        ReturnSpec { name: "meals", kind: ReturnKind::Table, help: "meals of each" },
        ReturnSpec { name: "tries", kind: ReturnKind::Table, help: "tries of each" },
        ReturnSpec { name: "switches", kind: ReturnKind::Count, help: "times that one of them left a core" },
    ],
    pictures: &[Picture::Table(&TABLE), Picture::Lanes],
    controls: &[JITTER, pace::SLOWER, pace::FASTER],
    lasts_ms: |params| 4000 + 15 * params.int("pace").unsigned_abs(),
    limits: arenas::room,
    ..DemoSpec::BASE
};

impl Demo for Livelock {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let rows: Vec<&Row> = tally.table(TABLE.name).iter().filter(|row| row.name != BELL).collect();
        let number = |row: &Row, name: &str| row.values.get(name).and_then(Value::as_u64).unwrap_or(0);
        let all = |name: &str| rows.iter().map(|row| number(row, name)).sum::<u64>();
        let each =
            |name: &str| -> Map<_, _> { rows.iter().map(|row| (row.name.clone(), json!(number(row, name)))).collect() };
        let source = tally.start.as_ref().map(|start| start.source);
        let tried = all("tries");
        [
            ("progress", if tried == 0 { Value::Null } else { json!(all("meals") > 0) }),
            ("eaten", json!(all("meals"))),
            ("tried", json!(tried)),
            ("gave_up", json!(all("gave_up"))),
            ("meals", Value::Object(each("meals"))),
            ("tries", Value::Object(each("tries"))),
            ("switches", json!(tally.workers().map(|w| switches(w, source)).sum::<u64>())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let seats = params.count("philosophers");
    let table = Table::lay(seats).map_err(|error| Unavailable::new("forks on the table", error.to_string()))?;
    let table = Arc::new(table);
    let mut bell =
        Bell { table: Arc::clone(&table), pace: Pace::new(params.int("pace")), silent: false, rung: 0, settled: false };
    bell.tell(stage);
    for seat in 0..seats {
        let table = Arc::clone(&table);
        let number = stage.enter(params.workers_as(), &Settings::default(), move |worker| table.seat(seat, worker))?;
        // Rows keep the order in which they came: that of the seats, whoever moves first.
        let name = stage.cast().get(number).map(|entry| entry.name.clone()).unwrap_or_default();
        stage.tell(row(TABLE.name, &name, json!({})));
    }
    if params.word("polite") == "jitter" {
        bell.toggle(stage);
    }
    loop {
        if bell.silent { bell.keep_silent(stage)? } else { bell.ring(stage)? }
    }
}

/// What keeps them in step, unless it is silent.
#[derive(Debug)]
struct Bell {
    table: Arc<Table>,
    pace: Pace,
    silent: bool,
    rung: u64,
    settled: bool,
}

impl Bell {
    /// Rings, waits until all have moved, and then as long as the pace says. The learner may silence it meanwhile.
    fn ring(&mut self, stage: &mut Stage) -> Result<(), Cut> {
        self.rung += 1;
        let on: Vec<_> = stage.on().collect();
        on.iter().for_each(|seat| stage.order(*seat, Order::Ring(self.rung).encode()));
        self.tell(stage);
        // Who has ended is not waited for; who is stopped or slow is.
        while !self.silent && stage.on().any(|seat| self.table.moved(seat) < self.rung) {
            self.hear(stage, LOOK)?;
        }
        let all_have = Instant::now();
        while !self.silent {
            let left = Duration::from_millis(self.pace.millis()).saturating_sub(all_have.elapsed());
            if left.is_zero() {
                break;
            }
            self.hear(stage, left)?;
        }
        self.judge(stage);
        Ok(())
    }

    /// Lets all go their own way for a while.
    fn keep_silent(&mut self, stage: &mut Stage) -> Result<(), Cut> {
        self.hear(stage, GLANCE)?;
        self.judge(stage);
        Ok(())
    }

    /// Says once that enough has been tried.
    fn judge(&mut self, stage: &mut Stage) {
        if !self.settled && stage.on().all(|seat| self.table.tries(seat) >= ENOUGH) {
            self.settled = true;
            super::script::step(stage, SETTLED);
        }
    }

    fn hear(&mut self, stage: &mut Stage, patience: Duration) -> Result<(), Cut> {
        match stage.next(Some(patience)) {
            Cue::Finish => return Err(Cut::Finish),
            Cue::Steer(steer) if steer.verb == JITTER.verb => self.toggle(stage),
            Cue::Steer(steer) if self.pace.obey(&steer) && self.silent => self.release(stage),
            Cue::Ended(_) if stage.on().next().is_none() => return Err(Cut::Finish),
            Cue::Steer(_) | Cue::Ended(_) | Cue::Time => {}
        }
        Ok(())
    }

    /// From the bell to chance, or back.
    fn toggle(&mut self, stage: &mut Stage) {
        self.silent = !self.silent;
        if self.silent {
            self.release(stage);
        } else {
            // The next ring is for the left fork, whichever was due when it fell silent.
            self.rung = self.rung.next_multiple_of(philosopher::MOVEMENTS);
        }
        self.tell(stage);
    }

    fn release(&self, stage: &Stage) {
        let order = Order::OwnWay(self.pace.millis()).encode();
        stage.on().for_each(|seat| stage.order(seat, order));
    }

    fn tell(&self, stage: &mut Stage) {
        let now = if self.silent {
            "silent: each waits as long as chance says".to_owned()
        } else {
            format!("has rung {} times: all move in step", self.rung)
        };
        stage.tell(row(TABLE.name, BELL, json!({ "now": now })));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(rows: &[(&str, Value)]) -> Values {
        let mut tally = Tally::default();
        tally.put_table(TABLE.name, rows);
        Livelock.outcome(&Params::defaults(&SPEC), &tally)
    }

    #[test]
    fn before_anybody_has_tried_nothing_is_said_of_progress() {
        let values = outcome(&[(BELL, json!({"now": "has rung 0 times"}))]);
        assert_eq!((&values["progress"], &values["meals"]), (&Value::Null, &json!({})));
    }

    #[test]
    fn tries_without_a_meal_are_no_progress_and_one_meal_is() {
        let rows = |meals: u64| {
            [("A", json!({"tries": 5, "gave_up": 5, "meals": 0})), ("B", json!({"tries": 6, "meals": meals}))]
        };
        let values = outcome(&rows(0));
        assert_eq!((&values["progress"], &values["tried"], &values["gave_up"]), (&json!(false), &json!(11), &json!(5)));
        let values = outcome(&rows(1));
        assert_eq!((&values["progress"], &values["eaten"]), (&json!(true), &json!(1)));
        assert_eq!((&values["meals"], &values["tries"]), (&json!({"A": 0, "B": 1}), &json!({"A": 5, "B": 6})));
    }
}
