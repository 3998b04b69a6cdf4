//! `shared`: one word that several threads, or several processes, write and read in turn, and beside it pages of one's own.
//!
//! Threads need nothing for it. Processes have the first page mapped in common before they are made; all others are
//! ordinary memory. Each tells of what it finds itself.

use super::Demo;
use super::area::Area;
use super::pace::{self, Cut, Look, Pace};
use crate::fact::{
    As, ColumnSpec, DemoSpec, Fact, Need, ParamKind, ParamSpec, Params, Picture, Pid, ReturnKind, ReturnSpec, SETTLED,
    TableSpec, Tally, Tid, Unavailable, Values,
};
use crate::stage::{Settings, Stage, Worker};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Shared;

/// Pages beside the common one.
const BESIDE: usize = 7;

/// A worker writes its number times this, so that one sees at a glance whose value it is.
const TIMES: u64 = 11;

/// How long all stay when all is written.
const STAY: Duration = Duration::from_secs(1);

static VIEWS: TableSpec = TableSpec {
    name: "views",
    head: "worker",
    columns: &[
        ColumnSpec { value: "address", head: "address", kind: ReturnKind::Word },
        ColumnSpec { value: "wrote", head: "wrote", kind: ReturnKind::Number },
        ColumnSpec { value: "reads", head: "reads", kind: ReturnKind::Number },
        ColumnSpec { value: "beside", head: "reads beside", kind: ReturnKind::Number },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "shared",
    title: "one word, and who sees it",
    part: "Memory",
    about: "Workers write to one word in turn, and after each write all of them read it. Threads have it in common as they \
            have all memory. Processes have one page mapped in common, and beside it pages of their own.",
    params: &[
        ParamSpec { name: "as", kind: ParamKind::Choice(&["threads", "processes"]), help: "what the workers are" },
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 2, max: 8, default: 3, unit: "" },
            help: "how many write and read",
        },
        pace::param(500),
    ],
    returns: &[
        ReturnSpec { name: "same_address", kind: ReturnKind::Flag, help: "all hold the same pointer" },
        ReturnSpec { name: "workers", kind: ReturnKind::Count, help: "workers that read" },
        ReturnSpec { name: "last", kind: ReturnKind::Number, help: "what was written last" },
        ReturnSpec { name: "values_seen", kind: ReturnKind::Count, help: "of the workers those that read it" },
        ReturnSpec { name: "beside_seen", kind: ReturnKind::Count, help: "those that read it in the page beside, too" },
        ReturnSpec { name: "sum", kind: ReturnKind::Number, help: "the sum of what all read in the end" },
        ReturnSpec { name: "shared_pages", kind: ReturnKind::Count, help: "pages that several processes have mapped" },
    ],
    pictures: &[Picture::Table(&VIEWS), Picture::Pages],
    controls: &[pace::SLOWER, pace::FASTER],
    needs: &[Need { capability: "page maps", without: "the pages, one by one" }],
    ..DemoSpec::BASE
};

impl Demo for Shared {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let rows = tally.table(VIEWS.name);
        let number = |value: Option<&Value>| value.and_then(Value::as_u64);
        let all = |name: &str| -> Vec<u64> { rows.iter().filter_map(|r| number(r.values.get(name))).collect() };
        let addresses: Vec<_> = rows.iter().filter_map(|r| r.values.get("address")).collect();
        // They write in the order of their letters, each a larger value.
        let last = all("wrote").into_iter().max();
        let (reads, beside) = (all("reads"), all("beside"));
        let seen = |found: &[u64]| last.map(|last| json!(found.iter().filter(|v| **v == last).count()));
        let shared = tally.pages.values().map(|map| map.matches('s').count()).max();
        [
            ("same_address", (addresses.len() > 1).then(|| json!(addresses.windows(2).all(|w| w[0] == w[1])))),
            ("workers", Some(json!(reads.len()))),
            ("last", last.map(|last| json!(last))),
            ("values_seen", seen(&reads)),
            ("beside_seen", seen(&beside)),
            ("sum", last.map(|_| json!(reads.iter().sum::<u64>()))),
            ("shared_pages", shared.map(|pages| json!(pages))),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

fn step(stage: &mut Stage, name: &str) {
    stage.tell(Fact::Step { name: name.to_owned() });
}

/// All of it: the workers come on, and write in turn.
fn story(stage: &mut Stage) -> Result<(), Cut> {
    let params = stage.params(&SPEC);
    let what = params.workers_as();
    let memory = Memory::new(what).map_err(|error| Unavailable::new("the pages", error.to_string()))?;
    let memory = Arc::new(memory);
    if what == As::Threads {
        let pid = Pid(std::process::id());
        stage.tell(Fact::Task { tid: Tid(pid.0), pid, parent: 0, name: "the process".to_owned(), slot: None });
    }
    step(stage, "mapped");
    for number in 0..params.count("workers") {
        let memory = Arc::clone(&memory);
        let worker = stage.enter(what, &Settings::default(), move |worker| part(worker, number as u64, &memory))?;
        // Rows keep the order in which they came: that of the letters, whoever reads first.
        let row = stage.cast().get(worker).map(|entry| entry.name.clone()).unwrap_or_default();
        stage.tell(Fact::Row { table: VIEWS.name.to_owned(), row, values: Values::new() });
    }
    let mut pace = Pace::new(params.int("pace"));
    let mut told = Told::default();
    // First everybody reads: each is to have touched its pages before the first write.
    let mut order = 0;
    for writer in std::iter::once(None).chain((0..params.count("workers")).map(Some)) {
        order += 2;
        turn(stage, &mut pace, writer, order)?;
        if what == As::Threads {
            told.look(&memory, &mut |fact| stage.tell(fact));
        }
        step(stage, if writer.is_some() { "written" } else { "touched" });
        pace.rest(stage)?;
    }
    step(stage, "done");
    step(stage, SETTLED);
    let done = Instant::now();
    pace.until(stage, "to stay", |_| if done.elapsed() < STAY { Look::NotYet } else { Look::Seen(()) })
}

/// Lets `writer` write, and then all read. The order is even for "read", one more for "write, then read". Who has ended is not
/// waited for.
fn turn(stage: &mut Stage, pace: &mut Pace, writer: Option<usize>, order: u64) -> Result<(), Cut> {
    let done = |stage: &Stage, number: usize| stage.work(number) >= order || stage.on().all(|n| n != number);
    let look = |all: bool| if all { Look::Seen(()) } else { Look::NotYet };
    if let Some(writer) = writer {
        stage.order(writer, order + 1);
        pace.until(stage, "a worker's write", |stage| look(done(stage, writer)))?;
    }
    let readers: Vec<_> = stage.on().filter(|n| Some(*n) != writer).collect();
    readers.iter().for_each(|n| stage.order(*n, order));
    pace.until(stage, "the others' reads", |stage| look(readers.iter().all(|n| done(stage, *n))))
}

/// A worker's part: it does what it is told, and tells what it finds.
fn part(worker: &Worker, number: u64, memory: &Memory) {
    // A write that changes nothing: the page is there, and in a process its own.
    (0..BESIDE).for_each(|n| {
        memory.beside.word(n).fetch_or(0, Release);
    });
    let mut told = Told::default();
    let mut known = 0;
    loop {
        let order = worker.wait(known, Duration::MAX);
        if order == Worker::HALT {
            return;
        }
        let value = (number + 1) * TIMES;
        let mut row = json!({ "address": format!("{:#x}", memory.common.address(0)) });
        if order % 2 == 1 {
            memory.common.word(0).store(value, Release);
            memory.beside.word(0).store(value, Release);
            row["wrote"] = json!(value);
        }
        row["reads"] = json!(memory.common.word(0).load(Acquire));
        row["beside"] = json!(memory.beside.word(0).load(Acquire));
        let values: Values = row.as_object().cloned().unwrap_or_default().into_iter().collect();
        worker.tell(Fact::Row { table: VIEWS.name.to_owned(), row: worker.name().to_owned(), values });
        if memory.what == As::Processes {
            told.look(memory, &mut |fact| worker.tell(fact));
        }
        worker.set_work(order);
        known = order;
    }
}

/// The word that all write to, and the pages beside it.
#[derive(Debug)]
struct Memory {
    what: As,
    common: Area,
    beside: Area,
}

impl Memory {
    fn new(what: As) -> std::io::Result<Self> {
        let common = match what {
            As::Threads => Area::private(1),
            As::Processes => Area::shared(1),
        }?;
        Ok(Self { what, common, beside: Area::private(BESIDE)? })
    }

    /// The page map of both: the common page first.
    fn map(&self) -> std::io::Result<String> {
        Ok(self.common.region().map()? + &self.beside.region().map()?)
    }
}

/// What a process has told of its memory: only what has changed is told again.
#[derive(Debug, Default)]
struct Told {
    map: String,
    value: Option<u64>,
    blind: bool,
}

impl Told {
    /// Tells where the word is, what this process finds there, and its pages.
    fn look(&mut self, memory: &Memory, tell: &mut dyn FnMut(Fact)) {
        let pid = Pid(std::process::id());
        let mut value = |name: &str, value: Value| tell(Fact::Value { tid: Tid(pid.0), name: name.to_owned(), value });
        if self.value.is_none() {
            value("address", json!(format!("{:#x}", memory.common.address(0))));
        }
        let found = memory.common.word(0).load(Acquire);
        if self.value.replace(found) != Some(found) {
            value("value", json!(found));
        }
        match memory.map() {
            Ok(map) if map != self.map => {
                self.map.clone_from(&map);
                let region = "the common page and seven beside it".to_owned();
                tell(Fact::Pages { pid, region, map });
            }
            Err(error) if !self.blind => {
                self.blind = true;
                let why = format!("/proc/self/pagemap cannot be read ({error})");
                tell(Fact::Refused(Unavailable::new("which pages are shared", why)));
            }
            Ok(_) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(rows: &[(&str, Value)]) -> Tally {
        let mut tally = Tally::default();
        tally.put_table(VIEWS.name, rows);
        tally
    }

    fn outcome(tally: &Tally) -> Values {
        Shared.outcome(&Params::defaults(&SPEC), tally)
    }

    #[test]
    fn before_a_write_nothing_can_have_been_seen() {
        let values = outcome(&tally(&[("A", json!({"address": "0x1000", "reads": 0, "beside": 0}))]));
        assert_eq!((&values["same_address"], &values["values_seen"]), (&Value::Null, &Value::Null));
        assert_eq!((&values["workers"], &values["sum"]), (&json!(1), &Value::Null));
    }

    #[test]
    fn those_are_counted_that_read_what_was_written_last() {
        let mut tally = tally(&[
            ("A", json!({"address": "0x1000", "wrote": 11, "reads": 22, "beside": 11})),
            ("B", json!({"address": "0x1000", "wrote": 22, "reads": 22, "beside": 22})),
        ]);
        tally.pages.insert((Pid(7), "memory".to_owned()), "sXXXXXXX".to_owned());
        let values = outcome(&tally);
        assert_eq!((&values["same_address"], &values["last"]), (&json!(true), &json!(22)));
        assert_eq!((&values["values_seen"], &values["beside_seen"]), (&json!(2), &json!(1)));
        assert_eq!((&values["sum"], &values["shared_pages"]), (&json!(44), &json!(1)));
    }

    #[test]
    fn other_addresses_and_other_contents_are_said_to_be_so() {
        let values = outcome(&tally(&[
            ("A", json!({"address": "0x1000", "wrote": 11, "reads": 11, "beside": 11})),
            ("B", json!({"address": "0x2000", "wrote": 22, "reads": 22, "beside": 22})),
        ]));
        assert_eq!((&values["same_address"], &values["values_seen"]), (&json!(false), &json!(1)));
        assert_eq!(values["shared_pages"], Value::Null, "no page map was told");
    }

    #[test]
    fn what_has_not_changed_is_not_told_again() {
        let memory = Memory::new(As::Processes).expect("a memfd");
        let mut told = Told::default();
        let mut look = || {
            let mut facts = Vec::new();
            told.look(&memory, &mut |fact| facts.push(fact));
            facts
        };
        assert!(look().len() >= 2);
        assert_eq!(look(), []);
        memory.common.word(0).store(5, Release);
        assert!(matches!(&look()[..], [Fact::Value { name, value, .. }, ..] if name == "value" && *value == json!(5)));
    }
}
