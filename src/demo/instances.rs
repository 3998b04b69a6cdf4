//! `instances`: one program file, started several times.
//!
//! Each copy is a real process that executed the file. What is said of it is what /proc says, looked up by the leader.

mod elf;
mod smaps;

use super::Demo;
use super::glance::{Glance, file_of};
use super::pace::{self, Cut, Look, Pace};
use crate::fact::{
    ColumnSpec, DemoSpec, Fact, Need, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Row, TableSpec,
    Tally, Unavailable, Values,
};
use crate::stage::{INSTANCE, Settings, Stage};
use serde_json::{Value, json};
use smaps::Memory;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

/// See the module.
pub(super) struct Instances;

/// How long the copies stay when all has been seen.
const STAY: Duration = Duration::from_millis(1500);

/// The sections that are shown, and what they hold.
const SECTIONS: [(&str, &str); 4] = [
    (".text", "machine code: what a core executes"),
    (".rodata", "constants: texts, tables"),
    (".data", "variables that begin with a value"),
    (".bss", "variables that begin with 0: not in the file"),
];

static FILE: TableSpec = TableSpec {
    name: "the file",
    head: "the file",
    columns: &[
        ColumnSpec { value: "bytes", head: "bytes", kind: ReturnKind::Count },
        ColumnSpec { value: "holds", head: "what it holds", kind: ReturnKind::Word },
    ],
};

static COPIES: TableSpec = TableSpec {
    name: "copies",
    head: "copy",
    columns: &[
        ColumnSpec { value: "pid", head: "PID", kind: ReturnKind::Word },
        ColumnSpec { value: "parent", head: "parent", kind: ReturnKind::Word },
        ColumnSpec { value: "state", head: "state", kind: ReturnKind::Word },
        ColumnSpec { value: "shared_kib", head: "shared KiB", kind: ReturnKind::Count },
        ColumnSpec { value: "private_kib", head: "own KiB", kind: ReturnKind::Count },
        ColumnSpec { value: "runs", head: "runs", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "instances",
    title: "one program file, several processes",
    part: "Anatomy",
    about: "One program file is started several times. See the file once, and of each copy its number, its parent and its \
            state; how much of the code in RAM the copies share, and how much memory each has alone.",
    params: &[
        ParamSpec {
            name: "copies",
            kind: ParamKind::Int { min: 1, max: 16, default: 3, unit: "" },
            help: "how often the program is started",
        },
        pace::param(500),
    ],
    returns: &[
        ReturnSpec { name: "copies", kind: ReturnKind::Count, help: "copies that were seen running" },
        ReturnSpec { name: "pids", kind: ReturnKind::List, help: "their process ids" },
        ReturnSpec { name: "processes", kind: ReturnKind::Count, help: "how many different ids these are" },
        ReturnSpec { name: "files", kind: ReturnKind::Count, help: "how many different files they execute" },
        ReturnSpec { name: "same_inode", kind: ReturnKind::Flag, help: "all execute one file: device and inode agree" },
        ReturnSpec {
            name: "text_shared_kib",
            kind: ReturnKind::Kib,
            help: "code in RAM that others use too, where it is least",
        },
        ReturnSpec {
            name: "text_shared",
            kind: ReturnKind::Share,
            help: "the same as a share of a copy's code in RAM",
        },
        ReturnSpec { name: "private_kib", kind: ReturnKind::Table, help: "memory of each alone in KiB, by letter" },
    ],
    pictures: &[Picture::Table(&COPIES), Picture::Table(&FILE)],
    controls: &[pace::SLOWER, pace::FASTER],
    needs: &[Need { capability: "memory totals", without: "what of the code is shared" }],
    ..DemoSpec::BASE
};

impl Demo for Instances {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let mut pace = Pace::new(params.int("pace"));
        match start(stage, &mut pace, params.count("copies")) {
            Err(Cut::Finish) => return Ok(()),
            Err(Cut::Refused(refused)) if stage.on().next().is_none() => return Err(refused.into()),
            Err(Cut::Refused(refused)) => stage.tell(Fact::Refused(refused)),
            Ok(()) => {}
        }
        stage.tell(Fact::settled());
        // Whether it is over or the learner has seen enough comes to the same.
        let _ = Pace::new(i64::try_from(STAY.as_millis()).unwrap_or(0)).rest(stage);
        Ok(())
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let rows = tally.table(COPIES.name);
        let all = |name: &str| -> Option<Vec<&Value>> {
            let values: Option<Vec<_>> = rows.iter().map(|r| r.values.get(name).filter(|v| !v.is_null())).collect();
            values.filter(|values| !values.is_empty())
        };
        let different = |values: &[&Value]| values.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len();
        let pids: Vec<Value> =
            rows.iter().filter_map(|r| r.values.get("pid").filter(|pid| pid.is_string()).cloned()).collect();
        let files = all("file").map(|files| different(&files));
        let shares: Option<Vec<(u64, u64)>> = all("shared_kib").map(|_| rows.iter().filter_map(shared).collect());
        let least = shares.as_ref().and_then(|shares| shares.iter().map(|(shared, _)| *shared).min());
        let share =
            shares.as_ref().and_then(|shares| shares.iter().map(|(shared, all)| part(*shared, *all)).reduce(f64::min));
        let private: serde_json::Map<String, Value> =
            rows.iter().filter_map(|r| Some((r.name.clone(), r.values.get("private_kib")?.clone()))).collect();
        [
            ("copies", json!(rows.len())),
            ("processes", json!(different(&pids.iter().collect::<Vec<_>>()))),
            ("pids", Value::Array(pids)),
            ("files", json!(files)),
            ("same_inode", json!(files.map(|n| n == 1))),
            ("text_shared_kib", json!(least)),
            ("text_shared", json!(share)),
            ("private_kib", if private.is_empty() { Value::Null } else { Value::Object(private) }),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// What a copy shares of its code in RAM, and all of that code, in KiB.
fn shared(row: &Row) -> Option<(u64, u64)> {
    let of = |name: &str| row.values.get(name).and_then(Value::as_u64);
    of("shared_kib").zip(of("code_kib"))
}

#[expect(clippy::cast_precision_loss, reason = "kibibytes of a program")]
fn part(some: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { (some as f64 / all as f64 * 1e4).round() / 1e4 }
}

/// Shows the file and starts the copies, one after the other.
fn start(stage: &mut Stage, pace: &mut Pace, copies: usize) -> Result<(), Cut> {
    show_file(stage);
    let mut blind = false;
    for name in ('A'..='Z').take(copies) {
        let number = stage.enter_program(&name.to_string(), &Settings::default(), Stage::another_instance())?;
        pace.until(stage, "another copy of the program", |stage| match &stage.cast()[number] {
            entry if entry.ended.is_some() => Look::Never,
            // Till it has executed the file anew it is a fork of the leader, which executes the same file.
            entry => Look::maybe(Glance::at(entry.pid.0).filter(|seen| seen.comm == INSTANCE && seen.state == 'S')),
        })?;
        // With each one that comes, the others share more.
        for number in 0..stage.cast().len() {
            if let Err(error) = look(stage, number)
                && !std::mem::replace(&mut blind, true)
            {
                let why = format!("/proc/PID/exe or /proc/PID/smaps cannot be read ({error})");
                stage.tell(Fact::Refused(Unavailable::new("the files and the memory of the copies", why)));
            }
        }
        stage.tell(Fact::Step { name: format!("copy {name}") });
        pace.rest(stage)?;
    }
    Ok(())
}

fn row(stage: &mut Stage, table: &TableSpec, row: &str, values: &[(&str, Value)]) {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    stage.tell(Fact::Row { table: table.name.to_owned(), row: row.to_owned(), values });
}

/// Tells the program file: its inode, its size, its sections.
fn show_file(stage: &mut Stage) {
    let open = || -> std::io::Result<_> {
        let file = File::open("/proc/self/exe")?;
        let facts = file.metadata()?;
        Ok((file, facts))
    };
    let (file, facts) = match open() {
        Ok(both) => both,
        Err(error) => {
            let why = format!("/proc/self/exe cannot be read ({error})");
            return stage.tell(Fact::Refused(Unavailable::new("the program file", why)));
        }
    };
    let name = fs::read_link("/proc/self/exe").unwrap_or_default();
    let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let holds = format!("{name}, inode {}: the program", facts.ino());
    row(stage, &FILE, "all of it", &[("bytes", json!(facts.len())), ("holds", json!(holds))]);
    let Some(sections) = elf::sections(&file) else {
        let why = "it is no ELF file, or names no sections";
        return stage.tell(Fact::Refused(Unavailable::new("the sections of the program file", why)));
    };
    for (name, holds) in SECTIONS {
        let of_name = || sections.iter().filter(|s| s.name == name);
        if of_name().next().is_some() {
            let bytes: u64 = of_name().map(|s| s.size).fold(0, u64::saturating_add);
            row(stage, &FILE, name, &[("bytes", json!(bytes)), ("holds", json!(holds))]);
        }
    }
}

/// Tells what /proc says of a copy.
fn look(stage: &mut Stage, number: usize) -> std::io::Result<()> {
    let Some(entry) = stage.cast().get(number) else { return Ok(()) };
    let (name, pid, ended) = (entry.name.clone(), entry.pid.0, entry.ended.is_some());
    let Some(seen) = Glance::at(pid).filter(|_| !ended) else {
        row(stage, &COPIES, &name, &[("state", json!("gone"))]);
        return Ok(());
    };
    let ids = [
        ("pid", json!(pid.to_string())),
        ("parent", json!(seen.parent.to_string())),
        ("state", json!(seen.state.to_string())),
    ];
    row(stage, &COPIES, &name, &ids);
    let (device, inode) = file_of(pid)?;
    let file = [("file", json!(format!("{device}:{inode}"))), ("runs", json!(format!("inode {inode}")))];
    row(stage, &COPIES, &name, &file);
    let path = fs::read_link(format!("/proc/{pid}/exe"))?;
    let smaps = fs::read_to_string(format!("/proc/{pid}/smaps"))?;
    let memory = Memory::parse(&smaps, &path.to_string_lossy());
    let kib = [
        ("code_kib", json!(memory.text)),
        ("shared_kib", json!(memory.text_shared)),
        ("part_kib", json!(memory.text_part)),
        ("private_kib", json!(memory.private)),
    ];
    row(stage, &COPIES, &name, &kib);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Nanos;

    fn outcome(rows: &[Value]) -> Values {
        let mut tally = Tally::default();
        let rows = rows.iter().zip('A'..).map(|(values, name)| Row {
            name: name.to_string(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: serde_json::from_value(values.clone()).expect("an object"),
        });
        tally.tables.insert(COPIES.name.to_owned(), rows.collect());
        Instances.outcome(&Params::defaults(&SPEC), &tally)
    }

    fn copy(pid: &str, file: &str, shared: u64, private: u64) -> Value {
        json!({"pid": pid, "file": file, "code_kib": 400, "shared_kib": shared, "private_kib": private})
    }

    #[test]
    fn copies_of_one_file_are_as_many_processes() {
        let values = outcome(&[copy("101", "1:7", 400, 90), copy("102", "1:7", 396, 96), copy("104", "1:7", 400, 92)]);
        assert_eq!((&values["copies"], &values["processes"], &values["files"]), (&json!(3), &json!(3), &json!(1)));
        assert_eq!((&values["pids"], &values["same_inode"]), (&json!(["101", "102", "104"]), &json!(true)));
        assert_eq!((&values["text_shared_kib"], &values["text_shared"]), (&json!(396), &json!(0.99)));
        assert_eq!(values["private_kib"], json!({"A": 90, "B": 96, "C": 92}));
    }

    #[test]
    fn one_inode_on_two_devices_is_two_files() {
        let values = outcome(&[copy("101", "1:7", 0, 90), copy("102", "2:7", 0, 96)]);
        assert_eq!((&values["files"], &values["same_inode"]), (&json!(2), &json!(false)));
        assert_eq!((&values["text_shared_kib"], &values["text_shared"]), (&json!(0), &json!(0.0)));
    }

    #[test]
    fn what_could_not_be_read_is_not_known() {
        let values = outcome(&[copy("101", "1:7", 400, 90), json!({"pid": "102", "parent": "1", "state": "S"})]);
        assert_eq!((&values["copies"], &values["processes"]), (&json!(2), &json!(2)));
        assert_eq!(values["private_kib"], json!({"A": 90}));
        for name in ["files", "same_inode", "text_shared_kib", "text_shared"] {
            assert_eq!(values[name], Value::Null, "{name}");
        }
        let values = outcome(&[]);
        assert_eq!((&values["same_inode"], &values["private_kib"]), (&Value::Null, &Value::Null));
    }
}
