//! `trespass`: ways to reach memory that one has no business with, tried one after another, and the wall that stops each.
//!
//! A neighbour keeps a number. Stray pointers are followed by offenders, each a process of its own, for most of them die of
//! it. What goes through the kernel is done by the leader, who is the parent of them all. After each try the neighbour looks
//! at its number itself.

mod doors;
mod pointers;

use super::Demo;
use super::area::Area;
use super::pace::{self, Cut, Look, Pace};
use crate::fact::{
    As, ColumnSpec, DemoSpec, Fact, Params, Picture, Pid, ReturnKind, ReturnSpec, TableSpec, Tally, Unavailable, Values,
};
use crate::stage::{Left, Settings, Stage, Worker};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Trespass;

/// What the neighbour keeps.
const KEPT: u64 = 42;

/// How long the table stays when all is tried.
const STAY: Duration = Duration::from_secs(1);

static TRIES: TableSpec = TableSpec {
    name: "tries",
    head: "tried",
    columns: &[
        ColumnSpec { value: "outcome", head: "outcome", kind: ReturnKind::Word },
        ColumnSpec { value: "neighbour", head: "neighbour", kind: ReturnKind::Number },
        ColumnSpec { value: "by", head: "stopped by", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "trespass",
    title: "into memory that is not yours",
    part: "When things go wrong",
    about: "A neighbour keeps the number 42. Six stray pointers and four requests to the kernel are tried one after \
            another. See for each what stopped it, the MMU or the kernel, and whether the neighbour's number has changed.",
    params: &[pace::param(400)],
    returns: &[
        ReturnSpec { name: "pointers", kind: ReturnKind::Count, help: "stray pointers that were followed" },
        ReturnSpec {
            name: "changed_by_pointer",
            kind: ReturnKind::Count,
            help: "of them those that changed the neighbour's number",
        },
        ReturnSpec {
            name: "changed_by_kernel",
            kind: ReturnKind::Count,
            help: "requests to the kernel that changed it",
        },
        ReturnSpec { name: "stopped_by_mmu", kind: ReturnKind::Count, help: "tries that the MMU stopped" },
        ReturnSpec { name: "stopped_by_kernel", kind: ReturnKind::Count, help: "tries that the kernel refused" },
        ReturnSpec { name: "allowed", kind: ReturnKind::Count, help: "tries that nobody stopped" },
        ReturnSpec { name: "tries", kind: ReturnKind::Table, help: "the outcome of each" },
    ],
    pictures: &[Picture::Log(&TRIES)],
    controls: &[pace::SLOWER, pace::FASTER],
    ..DemoSpec::BASE
};

/// Who or what stopped a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wall {
    /// A fault: the access never took place.
    Mmu,
    /// The kernel was asked, and refused.
    Kernel,
    /// It went through.
    Nobody,
    /// It ended in a way that tells nothing of a wall.
    Unknown,
}

impl Wall {
    const fn word(self) -> &'static str {
        match self {
            Self::Mmu => "MMU",
            Self::Kernel => "kernel",
            Self::Nobody => "nobody",
            Self::Unknown => "unknown",
        }
    }
}

/// What came of a try.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    /// A signal's name, an errno, or "allowed".
    outcome: String,
    /// What stopped it.
    wall: Wall,
    /// The same, as the rest of a sentence with its reason.
    by: String,
}

impl Demo for Trespass {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story(stage))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let rows = tally.table(TRIES.name);
        let word =
            |values: &Values, name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let count = |name: &str, is: &str| rows.iter().filter(|r| word(&r.values, name) == is).count();
        let changed = |kind: &str| {
            let of_kind = rows.iter().filter(|r| word(&r.values, "kind") == kind);
            of_kind.filter(|r| r.values.get("changed") == Some(&json!(true))).count()
        };
        let tries: serde_json::Map<String, Value> =
            rows.iter().map(|r| (r.name.clone(), json!(word(&r.values, "outcome")))).collect();
        [
            ("pointers", json!(count("kind", "pointer"))),
            ("changed_by_pointer", json!(changed("pointer"))),
            ("changed_by_kernel", json!(changed("request"))),
            ("stopped_by_mmu", json!(count("wall", Wall::Mmu.word()))),
            ("stopped_by_kernel", json!(count("wall", Wall::Kernel.word()))),
            ("allowed", json!(count("wall", Wall::Nobody.word()))),
            ("tries", Value::Object(tries)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// All of it: pointers first, then requests.
fn story(stage: &mut Stage) -> Result<(), Cut> {
    let mut pace = Pace::new(stage.params(&SPEC).int("pace"));
    let site = Arc::new(Site::new().map_err(|error| Unavailable::new("the pages", error.to_string()))?);
    let mut scene = Scene { neighbour: enter_neighbour(stage, &site)?, site, looks: 0 };
    for pointer in pointers::ALL {
        pace.rest(stage)?;
        let site = Arc::clone(&scene.site);
        let follow = move |_: &Worker| pointers::follow(*pointer, &site);
        let offender = stage.enter_named("stray", As::Processes, &Settings::default(), follow)?;
        let left = pace.until(stage, "the end of a stray pointer", |stage| {
            Look::maybe(stage.cast().get(offender).and_then(|entry| entry.ended.clone()))
        })?;
        let came = pointers::came(*pointer, &left, &scene.site);
        scene.tell(stage, &mut pace, ("pointer", pointer.name()), &came)?;
    }
    for door in doors::ALL {
        pace.rest(stage)?;
        let Some(neighbour) = scene.neighbour(stage) else {
            return Err(Unavailable::new("the neighbour's memory", "the neighbour has ended").into());
        };
        let came = doors::knock(*door, neighbour, scene.site.kept.address(0));
        scene.tell(stage, &mut pace, ("request", door.name()), &came)?;
    }
    stage.tell(Fact::settled());
    let done = Instant::now();
    pace.until(stage, "to stay", |_| if done.elapsed() < STAY { Look::NotYet } else { Look::Seen(()) })
}

/// The pages that the tries are about.
#[derive(Debug)]
struct Site {
    /// The neighbour's number: its own page, since it writes there after the fork.
    kept: Area,
    /// A page that the offenders may make something else of.
    other: Area,
    /// What the offenders and the neighbour report: this alone is common to all.
    report: Area,
}

impl Site {
    fn new() -> std::io::Result<Self> {
        Ok(Self { kept: Area::private(1)?, other: Area::private(1)?, report: Area::shared(2)? })
    }
}

/// Brings the neighbour on: it keeps its number, and looks at it when it is asked to.
fn enter_neighbour(stage: &mut Stage, site: &Arc<Site>) -> Result<usize, Unavailable> {
    let site = Arc::clone(site);
    let keep = move |worker: &Worker| {
        site.kept.word(0).store(KEPT, Release);
        let mut known = 0;
        loop {
            let order = worker.wait(known, Duration::MAX);
            if order == Worker::HALT {
                return;
            }
            site.report.word(1).store(site.kept.word(0).load(Acquire), Release);
            worker.set_work(order);
            known = order;
        }
    };
    stage.enter_named("neighbour", As::Processes, &Settings::default(), keep)
}

/// The neighbour, and how often it has looked.
struct Scene {
    neighbour: usize,
    site: Arc<Site>,
    looks: u64,
}

impl Scene {
    /// The neighbour's process, while it is there.
    fn neighbour(&self, stage: &Stage) -> Option<Pid> {
        stage.cast().get(self.neighbour).filter(|entry| entry.ended.is_none()).map(|entry| entry.pid)
    }

    /// Lets the neighbour look, and tells what came of a try.
    fn tell(&mut self, stage: &mut Stage, pace: &mut Pace, (kind, name): (&str, &str), came: &Came) -> Result<(), Cut> {
        let before = if self.looks == 0 { KEPT } else { self.site.report.word(1).load(Acquire) };
        self.looks += 1;
        stage.order(self.neighbour, self.looks);
        pace.until(stage, "the neighbour's look", |stage| match self.neighbour(stage) {
            _ if stage.work(self.neighbour) >= self.looks => Look::Seen(()),
            Some(_) => Look::NotYet,
            None => Look::Never,
        })?;
        let found = self.site.report.word(1).load(Acquire);
        let values = [
            ("kind", json!(kind)),
            ("outcome", json!(came.outcome)),
            ("wall", json!(came.wall.word())),
            ("by", json!(came.by)),
            ("neighbour", json!(found)),
            ("changed", json!(found != before)),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        stage.tell(Fact::Row { table: TRIES.name.to_owned(), row: name.to_owned(), values: values.into() });
        Ok(())
    }
}

/// The name of the signal that ended a process, or its code in words.
fn ending(left: &Left) -> String {
    match left {
        Left::Signal(signal) => signal.as_str().to_owned(),
        Left::Code(code) => format!("code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Row};

    #[test]
    fn tries_are_counted_by_what_stopped_them_and_by_what_they_changed() {
        let mut tally = Tally::default();
        let params = Params::defaults(&SPEC);
        assert_eq!(Trespass.outcome(&params, &tally)["pointers"], json!(0));
        let row = |name: &str, kind: &str, outcome: &str, wall: Wall, changed: Value| Row {
            name: name.to_owned(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: [
                ("kind", json!(kind)),
                ("outcome", json!(outcome)),
                ("wall", json!(wall.word())),
                ("changed", changed),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        };
        let rows = vec![
            row("null", "pointer", "SIGSEGV", Wall::Mmu, json!(false)),
            row("data", "pointer", "allowed", Wall::Nobody, json!(false)),
            row("odd", "pointer", "code 3", Wall::Unknown, Value::Null),
            row("mem", "request", "allowed", Wall::Nobody, json!(true)),
            row("stranger", "request", "EPERM", Wall::Kernel, json!(false)),
        ];
        tally.tables.insert(TRIES.name.to_owned(), rows);
        let values = Trespass.outcome(&params, &tally);
        assert_eq!((&values["pointers"], &values["changed_by_pointer"]), (&json!(3), &json!(0)));
        assert_eq!((&values["changed_by_kernel"], &values["allowed"]), (&json!(1), &json!(2)));
        assert_eq!((&values["stopped_by_mmu"], &values["stopped_by_kernel"]), (&json!(1), &json!(1)));
        assert_eq!(values["tries"]["stranger"], json!("EPERM"));
    }
}
