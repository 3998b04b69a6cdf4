//! `limits`: a bounded child starts threads until it is refused one more, and every limit is counted that could do it.

mod bounds;
mod child;
mod groups;

use super::Demo;
use super::pace::{self, Pace};
use crate::fact::{
    As, ColumnSpec, CurveSpec, CurvesSpec, DemoSpec, Limits as Bounds, ParamKind, ParamSpec, Params, Picture,
    ReturnKind, ReturnSpec, Stroke, TableSpec, Tally, Values,
};
use crate::stage::{Cue, Settings, Stage};
use serde_json::{Value, json};

/// See the module.
pub(super) struct Limits;

/// The choices of `bound`.
const ADDRESS_SPACE: &str = "address-space";
const TASKS: &str = "tasks";

static RESERVED: CurvesSpec = CurvesSpec {
    name: "reserved",
    x: "threads",
    y: "MiB",
    kind: ReturnKind::Number,
    curves: &[
        CurveSpec { curve: "reserved", label: "reserved (VSZ)", stroke: Stroke::Measured },
        CurveSpec { curve: "resident", label: "in RAM (RSS)", stroke: Stroke::Measured },
        CurveSpec { curve: "bound", label: "the bound", stroke: Stroke::Reference },
        CurveSpec { curve: "ram", label: "all RAM", stroke: Stroke::Reference },
    ],
};

static TABLE: TableSpec = TableSpec {
    name: "limits",
    head: "limit",
    columns: &[
        ColumnSpec { value: "allows", head: "allows", kind: ReturnKind::Count },
        ColumnSpec { value: "used", head: "used", kind: ReturnKind::Count },
        ColumnSpec { value: "stops", head: "stops at", kind: ReturnKind::Count },
        ColumnSpec { value: "note", head: "remark", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "limits",
    title: "threads, until one is refused",
    part: "Memory",
    about: "A child process starts threads that do nothing, until it is refused one more or has as many as its cap. See \
            what they reserve and what of it is memory, how much is used of each limit that could refuse, and which did. \
            Of what other programs need, a part is always left.",
    params: &[
        ParamSpec {
            name: "stack_kib",
            kind: ParamKind::Int { min: 64, max: 65_536, default: 8192, unit: "KiB" },
            help: "the stack that is reserved for each",
        },
        ParamSpec {
            name: "cap",
            kind: ParamKind::Int { min: 1, max: 4000, default: 2000, unit: "" },
            help: "threads that are started at most",
        },
        ParamSpec {
            name: "bound",
            kind: ParamKind::Choice(&[ADDRESS_SPACE, TASKS, "none"]),
            help: "a limit of the child's own, to be met",
        },
        ParamSpec {
            name: "room_mib",
            kind: ParamKind::Int { min: 128, max: 65_536, default: 1024, unit: "MiB" },
            help: "its address space, with bound=address-space",
        },
        ParamSpec {
            name: "tasks",
            kind: ParamKind::Int { min: 1, max: 4000, default: 200, unit: "" },
            help: "more tasks of its user, with bound=tasks",
        },
        pace::param(40),
    ],
    returns: &[
        ReturnSpec { name: "started", kind: ReturnKind::Count, help: "threads that were started" },
        ReturnSpec { name: "refused_by", kind: ReturnKind::Word, help: "the limit that refused one more, or the cap" },
        ReturnSpec { name: "errno", kind: ReturnKind::Word, help: "the error that the child got, or none" },
        ReturnSpec { name: "cap", kind: ReturnKind::Count, help: "threads that it would have started at most" },
        ReturnSpec { name: "formula_says", kind: ReturnKind::Count, help: "RAM divided by the size of a stack" },
        ReturnSpec {
            name: "room_says",
            kind: ReturnKind::Count,
            help: "its address space, where bounded, divided by it",
        },
        ReturnSpec { name: "vsz_kib_per_thread", kind: ReturnKind::Kib, help: "addresses that one more reserved" },
        ReturnSpec { name: "rss_kib_per_thread", kind: ReturnKind::Kib, help: "RAM of the process that one more took" },
    ],
    pictures: &[Picture::Curves(&RESERVED), Picture::Table(&TABLE)],
    controls: &[pace::SLOWER, pace::FASTER],
    limits: |params| {
        let (cap, stack) = (params.int("cap").unsigned_abs(), params.int("stack_kib").unsigned_abs());
        Bounds {
            tasks: cap + 64,
            tree_mib: 768 + cap / 16,
            process_mib: 1024 + cap * (stack + 64) / 1024,
            ..Bounds::DEFAULT
        }
    },
    ..DemoSpec::BASE
};

impl Demo for Limits {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let mut pace = Pace::new(params.int("pace"));
        let child = stage.enter_named("child", As::Processes, &Settings::default(), move |worker| {
            child::grow(worker, &params);
        })?;
        stage.order(child, pace.millis());
        loop {
            match stage.next(None) {
                Cue::Steer(steer) => {
                    if pace.obey(&steer) {
                        stage.order(child, pace.millis());
                    }
                }
                Cue::Finish | Cue::Ended(_) => return Ok(()),
                Cue::Time => {}
            }
        }
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        let child = tally.worker("child");
        let of = |name: &str| child.and_then(|child| child.values.get(name)).cloned().unwrap_or(Value::Null);
        let stack = params.int("stack_kib").unsigned_abs();
        let fit = |kib: u64| json!(kib.checked_div(stack));
        let ram = of("ram_kib").as_u64().filter(|kib| *kib > 0);
        let room = (params.word("bound") == ADDRESS_SPACE).then(|| params.int("room_mib").unsigned_abs() * 1024);
        [
            ("started", of("threads")),
            ("refused_by", of("refused_by")),
            ("errno", of("errno")),
            ("cap", of("cap")),
            ("formula_says", ram.map_or(Value::Null, fit)),
            ("room_says", room.map_or(Value::Null, fit)),
            ("vsz_kib_per_thread", of("vsz_each_kib")),
            ("rss_kib_per_thread", of("rss_each_kib")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Pid, TaskTally, Tid};

    fn outcome(words: &[&str], told: &[(&str, Value)]) -> Values {
        let mut child = TaskTally::new(Tid(5), Pid(5), Nanos::ZERO);
        (child.name, child.slot) = ("child".to_owned(), Some(0));
        child.values = told.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let tally = Tally { tasks: vec![child], ..Tally::default() };
        Limits.outcome(&Params::from_words(&SPEC, words).expect("good words"), &tally)
    }

    #[test]
    fn a_formula_is_what_it_says_and_not_what_was_seen() {
        let told = [("threads", json!(119)), ("refused_by", json!("address space")), ("errno", json!("EAGAIN"))];
        let values = outcome(&[], &[&told[..], &[("ram_kib", json!(8 * 1024 * 1024))]].concat());
        assert_eq!((&values["started"], &values["refused_by"]), (&json!(119), &json!("address space")));
        assert_eq!((&values["formula_says"], &values["room_says"]), (&json!(1024), &json!(128)));
        let small = outcome(&["stack_kib=64", "bound=none"], &[("ram_kib", json!(8 * 1024 * 1024))]);
        assert_eq!((&small["formula_says"], &small["room_says"]), (&json!(131_072), &Value::Null));
    }

    #[test]
    fn what_was_not_seen_is_not_known() {
        let values = outcome(&["bound=none"], &[("threads", json!(40)), ("cap", json!(2000))]);
        assert_eq!((&values["started"], &values["cap"]), (&json!(40), &json!(2000)));
        assert_eq!(
            [&values["refused_by"], &values["errno"], &values["formula_says"]],
            [&Value::Null; 3],
            "ended early"
        );
    }

    #[test]
    fn the_bounds_are_a_little_more_than_what_is_asked() {
        let limits = |words: &[&str]| (SPEC.limits)(&Params::from_words(&SPEC, words).expect("good"));
        let (small, large) = (limits(&["cap=10", "stack_kib=64"]), limits(&["cap=4000", "stack_kib=65536"]));
        assert_eq!((small.tasks, large.tasks), (74, 4064));
        assert!(large.process_mib > 4000 * 64 && small.process_mib < 1100);
    }
}
