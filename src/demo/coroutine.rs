//! `coroutine`: tasks that hand one thread on to each other, and the same tasks as threads of one core.

mod desk;
mod parts;

use super::Demo;
use super::company;
use crate::fact::{
    Arg, As, Control, DemoSpec, Fact, On, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, RunQueueSpec,
    Steer, Tally, Tid, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage, Worker};
use desk::Desk;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub(super) struct Cooperative;

/// What the tasks are, in the words of the parameter.
const THREADS: &str = "threads";

/// Steps between two yields.
const EVERY: (i64, i64) = (1, 4096);

/// How often the leader looks at the tasks.
const LOOK: Duration = Duration::from_millis(100);

/// The worker's value that counts the handings over.
const SWITCHES: &str = "switches";

static QUEUE: RunQueueSpec = RunQueueSpec { name: "run queue", table: "tasks", switches: SWITCHES };

static SPEC: DemoSpec = DemoSpec {
    name: "coroutine",
    title: "tasks hand one thread on to each other",
    part: "In practice",
    about: "Tasks that only compute, each with a stack of its own, on one thread: a task goes on until it yields, and the \
            first in the queue follows. Or the same tasks as threads of one core, which yield to the kernel.",
    params: &[
        ParamSpec { name: "as", kind: ParamKind::Choice(&["coroutines", THREADS]), help: "what the tasks are" },
        ParamSpec {
            name: "tasks",
            kind: ParamKind::Int { min: 2, max: 8, default: 4, unit: "" },
            help: "how many take turns",
        },
        ParamSpec {
            name: "yield_every",
            kind: ParamKind::Int { min: EVERY.0, max: EVERY.1, default: 10, unit: "" },
            help: "steps of 0.1 ms of computing from one yield to the next",
        },
        ParamSpec { name: "greedy", kind: ParamKind::Choice(&["none", "one"]), help: "whether task 1 never yields" },
        company::CPU,
    ],
    returns: &[
        ReturnSpec {
            name: "worst_wait_ns",
            kind: ReturnKind::Nanos,
            help: "the longest that a task waited for a turn, since the last change",
        },
        ReturnSpec { name: "switches", kind: ReturnKind::Count, help: "from task to task, in user space" },
        ReturnSpec { name: "kernel_switches", kind: ReturnKind::Count, help: "times that the kernel counts" },
        ReturnSpec {
            name: "per_kernel_switch",
            kind: ReturnKind::Number,
            help: "switches in user space for each of those",
        },
        ReturnSpec { name: "turns", kind: ReturnKind::Table, help: "turns of each task" },
        ReturnSpec { name: "least_turns", kind: ReturnKind::Count, help: "turns of the task with the fewest" },
        ReturnSpec { name: "fairness", kind: ReturnKind::Share, help: "fewest steps of one task against most of one" },
    ],
    pictures: &[Picture::RunQueue(&QUEUE), Picture::Lanes, Picture::Workers],
    controls: &[
        Control {
            key: '>',
            verb: "every",
            label: "yield less often: after twice the steps",
            on: On::Demo,
            arg: Arg::By(1),
        },
        Control {
            key: '<',
            verb: "every",
            label: "yield more often: after half the steps",
            on: On::Demo,
            arg: Arg::By(-1),
        },
        Control { key: 'y', verb: "greedy", label: "task 1 never yields, or does again", on: On::Demo, arg: Arg::None },
    ],
    settles_ms: 2500,
    lasts_ms: |_| 3000,
    ..DemoSpec::BASE
};

impl Demo for Cooperative {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let mut wish = Wish::of(&params);
        let desk = Arc::new(Desk::new(params.count("tasks"), wish.every(), wish.greedy));
        let played = enter(stage, &params, &desk).map(|()| watch(stage, &desk, &mut wish));
        // Whatever happened: a task that never yields listens to nothing else.
        desk.end();
        Ok(played?)
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        let rows = tally.table(QUEUE.table);
        let all = |name: &str| rows.iter().filter_map(|r| r.values.get(name)?.as_u64()).collect::<Vec<_>>();
        let longest = all("longest_ns").into_iter().chain(all("waiting_ns")).max();
        let (steps, turns) = (all("steps"), all("turns"));
        let switches =
            (params.word("as") != THREADS).then(|| tally.workers().find_map(|w| w.number(SWITCHES))).flatten();
        let accounts: Vec<_> = tally.workers().filter_map(|w| w.counters).collect();
        let kernel = accounts.iter().map(|a| a.voluntary + a.involuntary).sum::<u64>();
        let kernel = (!accounts.is_empty()).then_some(kernel);
        let each = rows.iter().filter_map(|r| Some((r.name.clone(), r.values.get("turns")?.clone())));
        let turns_of: serde_json::Map<String, Value> = each.collect();
        [
            ("worst_wait_ns", longest.map(|nanos| json!(nanos))),
            ("switches", switches.map(|n| json!(n))),
            ("kernel_switches", kernel.map(|n| json!(n))),
            ("per_kernel_switch", switches.zip(kernel).and_then(|(ours, its)| ratio(ours, its))),
            ("turns", (!turns_of.is_empty()).then_some(Value::Object(turns_of))),
            ("least_turns", turns.iter().min().map(|n| json!(n))),
            ("fairness", steps.iter().min().zip(steps.iter().max()).and_then(|(least, most)| ratio(*least, *most))),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

/// One number in terms of another, with three figures after the point; none of nothing.
fn ratio(part: u64, of: u64) -> Option<Value> {
    #[expect(clippy::cast_precision_loss, reason = "counts, far below 2^53")]
    let ratio = part as f64 / of as f64;
    (of > 0).then(|| json!((ratio * 1e3).round() / 1e3))
}

/// What the learner wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wish {
    every: i64,
    greedy: bool,
}

impl Wish {
    fn of(params: &Params) -> Self {
        Self { every: params.int("yield_every"), greedy: params.word("greedy") == "one" }
    }

    fn every(self) -> u64 {
        self.every.unsigned_abs()
    }

    /// Takes a wish; whether it is one for this.
    fn obey(&mut self, steer: &Steer) -> bool {
        match steer.verb.as_str() {
            "every" => {
                let more = steer.value.as_i64().unwrap_or(0) > 0;
                self.every = if more { self.every * 2 } else { self.every / 2 }.clamp(EVERY.0, EVERY.1);
            }
            "greedy" => self.greedy = !self.greedy,
            _ => return false,
        }
        true
    }
}

/// Brings on the thread of the coroutines, or a thread for each task: all on one core.
fn enter(stage: &mut Stage, params: &Params, desk: &Arc<Desk>) -> Result<(), Unavailable> {
    let settings = Settings { cpus: vec![company::home(stage, params)?], ..Settings::default() };
    if params.word("as") == THREADS {
        for n in 0..desk.tasks() {
            let desk = Arc::clone(desk);
            stage.enter_named(&name(n), As::Threads, &settings, move |_| parts::thread(&desk, n))?;
        }
        return Ok(());
    }
    let desk = Arc::clone(desk);
    let part = move |worker: &Worker| {
        if let Err(error) = parts::coroutines(&desk) {
            worker.tell(Fact::Refused(Unavailable::new("a stack for each coroutine", error.to_string())));
        }
    };
    stage.enter(As::Threads, &settings, part).map(drop)
}

/// Tells of the tasks, and does what the learner wishes, until all is over.
fn watch(stage: &mut Stage, desk: &Desk, wish: &mut Wish) {
    let mut told = Vec::new();
    loop {
        let cue = stage.next(Some(LOOK));
        if let Cue::Steer(steer) = &cue
            && wish.obey(steer)
        {
            desk.wish(wish.every(), wish.greedy);
        }
        tell(stage, desk, *wish, &mut told);
        if cue == Cue::Finish || stage.on().next().is_none() {
            return;
        }
    }
}

/// Tells what is new of each task.
fn tell(stage: &mut Stage, desk: &Desk, wish: Wish, told: &mut Vec<Value>) {
    let seen = desk.look();
    told.resize(seen.len(), Value::Null);
    let queued = seen.iter().any(|seen| seen.place.is_some());
    for (n, (seen, told)) in seen.iter().zip(told).enumerate() {
        let row = json!({
            "place": seen.place,
            // The thread itself has the first colour.
            "slot": if queued { n + 1 } else { n },
            "turns": seen.turns,
            "steps": seen.steps,
            // Nothing yet, or nothing since the last wish.
            "longest_ns": (seen.longest > 0).then_some(seen.longest),
            "waiting_ns": seen.waiting,
            "every": wish.every,
            "greedy": n == 0 && wish.greedy,
        });
        if row != *told {
            stage.tell(super::script::row(QUEUE.table, &name(n), row.clone()));
            *told = row;
        }
    }
    let thread: Option<Tid> = stage.cast().first().map(|entry| entry.tid).filter(|_| queued);
    if let Some(tid) = thread {
        stage.tell(Fact::Value { tid, name: SWITCHES.to_owned(), value: json!(desk.handings_over()) });
    }
}

/// A task's name: its number, from 1. Letters are threads'.
fn name(n: usize) -> String {
    (n + 1).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Account, Nanos, Pid, Row, TaskTally};

    fn tally(rows: &[Value]) -> Tally {
        let mut tally = Tally::default();
        let mut thread = TaskTally::new(Tid(7), Pid(7), Nanos::ZERO);
        thread.slot = Some(0);
        thread.values = [(SWITCHES.to_owned(), json!(3000))].into();
        let (at, ran, waited) = (Nanos::ZERO, Nanos::ZERO, Nanos::ZERO);
        thread.counters = Some(Account { at, voluntary: 5, involuntary: 20, ran, waited, turns: 25 });
        tally.tasks.push(thread);
        let row = |(n, values): (usize, &Value)| Row {
            name: name(n),
            first: at,
            last: at,
            values: serde_json::from_value(values.clone()).expect("an object"),
        };
        tally.tables.insert(QUEUE.table.to_owned(), rows.iter().enumerate().map(row).collect());
        tally
    }

    #[test]
    fn a_wait_that_goes_on_counts_and_so_does_a_task_that_never_came_on() {
        let values = Cooperative.outcome(
            &Params::defaults(&SPEC),
            &tally(&[
                json!({"turns": 1, "steps": 900, "longest_ns": 10, "waiting_ns": 0}),
                json!({"turns": 0, "steps": 0, "longest_ns": 0, "waiting_ns": 2_000_000_000_u64}),
            ]),
        );
        assert_eq!((&values["worst_wait_ns"], &values["least_turns"]), (&json!(2_000_000_000_u64), &json!(0)));
        assert_eq!((&values["fairness"], &values["turns"]), (&json!(0.0), &json!({"1": 1, "2": 0})));
        assert_eq!((&values["switches"], &values["kernel_switches"]), (&json!(3000), &json!(25)));
        assert_eq!(values["per_kernel_switch"], json!(120.0));
    }

    #[test]
    fn threads_have_no_queue_of_ours() {
        let params = Params::from_words(&SPEC, &["as=threads"]).expect("they are the spec's");
        let values = Cooperative.outcome(&params, &tally(&[json!({"turns": 4, "steps": 5, "longest_ns": 8_000_000})]));
        assert_eq!((&values["switches"], &values["per_kernel_switch"]), (&Value::Null, &Value::Null));
        assert_eq!((&values["worst_wait_ns"], &values["fairness"]), (&json!(8_000_000), &json!(1.0)));
    }

    #[test]
    fn wishes_stay_within_bounds() {
        let mut wish = Wish { every: 3000, greedy: false };
        let by = |n: i64| Steer { value: json!(n), ..Steer::plain("every") };
        assert!(wish.obey(&by(1)) && wish.every == 4096);
        (0..20).for_each(|_| assert!(wish.obey(&by(-1))));
        assert!(wish.obey(&Steer::plain("greedy")) && !wish.obey(&Steer::plain("pace")));
        assert_eq!(wish, Wish { every: 1, greedy: true });
    }
}
