//! The address space that the demo tells, against what the kernel tells anybody of it while the demo is on.

use super::alone;
use crate::support::{Patience, Surroundings, User};
use forklore::fact::{Fact, Pid, Stamped, Tid, Values};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

/// Regions whose size may change at any time, with what the process asks for.
const GROWING: [&str; 3] = ["heap", "arena", "reserve"];

/// What a running demo has told up to a step.
#[derive(Default)]
struct Told {
    rows: BTreeMap<(String, String), Values>,
    threads: BTreeMap<String, (Tid, Pid)>,
    frozen: bool,
}

impl Told {
    fn until(lines: &mut impl Iterator<Item = std::io::Result<String>>, step: &str) -> Self {
        let mut told = Self { frozen: true, ..Self::default() };
        for line in lines {
            let line = line.expect("UTF-8");
            match serde_json::from_str::<Stamped>(&line).expect("a fact").fact {
                Fact::Row { table, row, values } => told.rows.entry((table, row)).or_default().extend(values),
                Fact::Task { tid, pid, name, slot: Some(_), .. } => drop(told.threads.insert(name, (tid, pid))),
                Fact::Refused(refused) if refused.what.contains("freeze-frame") => told.frozen = false,
                Fact::Step { name } if name == step => return told,
                _ => {}
            }
        }
        panic!("it ended before the step {step}");
    }

    fn table(&self, table: &str) -> impl Iterator<Item = (&str, &Values)> {
        self.rows.iter().filter(move |((t, _), _)| t == table).map(|((_, row), values)| (row.as_str(), values))
    }

    /// The regions: where each begins and ends, what may be done, and what it is.
    fn regions(&self) -> Vec<(u64, u64, String, String)> {
        let word = |values: &Values, name: &str| values.get(name).and_then(Value::as_str).map(str::to_owned);
        let each = self.table("regions").filter_map(|(_, values)| {
            let from = address(values.get("from")?)?;
            Some((from, address(values.get("to")?)?, word(values, "perms")?, word(values, "kind")?))
        });
        each.collect()
    }
}

fn address(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// The kernel's list, without what belongs to the kernel itself.
fn kernels(pid: Pid) -> Vec<(u64, u64, String)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("the demo is on");
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (from, to) = words.next()?.split_once('-')?;
        let hex = |digits| u64::from_str_radix(digits, 16).ok();
        Some((hex(from)?, hex(to)?, words.next()?.to_owned()))
    };
    text.lines().filter_map(line).filter(|(from, ..)| *from < 1 << 63).collect()
}

#[test]
fn the_address_space_is_the_one_that_the_kernel_lists() {
    let _alone = alone();
    for user in User::all() {
        let here = Surroundings::new(user);
        let mut child = here.start(["run", "addresses", "threads=4", "pages=16", "pace=1", "--json"]);
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let told = Told::until(&mut lines, "settled");
        let (_, pid) = told.threads["A"];
        let (regions, kernels) = (told.regions(), kernels(pid));
        lines.for_each(drop);
        assert!(child.wait().expect("it ends").success());
        here.marker.assert_gone(Patience::default());

        assert_eq!(told.threads.keys().map(String::as_str).collect::<String>(), "ABCD");
        for (from, to, perms) in &kernels {
            let within: Vec<_> = regions.iter().filter(|r| (*from..*to).contains(&r.0)).collect();
            let first = within.first().unwrap_or_else(|| panic!("{from:x} was not told"));
            let last = within.last().expect("as the first");
            assert_eq!((first.0, &first.2), (*from, perms), "{from:x}");
            assert!(last.1 == *to || GROWING.contains(&last.3.as_str()), "{from:x} ends at {to:x}: {last:x?}");
        }
        let listed = |from: u64| kernels.iter().any(|(f, to, _)| (*f..*to).contains(&from));
        let unlisted: Vec<_> = regions.iter().filter(|r| !listed(r.0) && !GROWING.contains(&r.3.as_str())).collect();
        assert!(unlisted.is_empty(), "told and not listed: {unlisted:x?}");
        registers(&told, &regions);
    }
}

/// Each stack pointer that was seen is in a stack, and no two in one; program counters are where code is.
fn registers(told: &Told, regions: &[(u64, u64, String, String)]) {
    let region = |at: u64| regions.iter().find(|r| (r.0..r.1).contains(&at)).unwrap_or_else(|| panic!("{at:x}"));
    let mut stacks = Vec::new();
    for (letter, values) in told.table("threads") {
        let (pc, sp) = (address(&values["pc"]).expect("a pc"), address(&values["sp"]).expect("an sp"));
        let (stack, text) = (region(sp), region(pc));
        assert_eq!(stack.3, "stack", "the stack pointer of {letter}");
        assert!(text.2.contains('x'), "the program counter of {letter} is in {text:x?}");
        stacks.push(stack.0);
    }
    stacks.sort_unstable();
    stacks.dedup();
    // Without tracing only threads that sleep are seen; how many do is not ours to say.
    assert!(stacks.len() == told.threads.len() || !told.frozen, "{} stacks", stacks.len());
}
