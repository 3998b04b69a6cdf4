//! `addresses`: a process with memory of every kind and some threads, its address space drawn to scale.
//!
//! The process is a child of the leader, which starts its threads itself and tells of its own memory; so the leader has one
//! thread, may fork, and may look at the child's registers, which no process may do with its own.

mod crew;
mod frame;
mod maps;
mod order;
mod raw;
mod subject;

use super::{Demo, pace};
use crate::fact::{
    Arg, As, ColumnSpec, Control, DemoSpec, Fact, Limits, Need, On, ParamKind, ParamSpec, Params, Picture, Pid,
    ReturnKind, ReturnSpec, Row, SETTLED, TableSpec, Tally, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage, Worker};
use frame::Traced;
use maps::{hex, unhex};
use order::Verb;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Addresses;

/// Milliseconds between two touches.
const PACES: (i64, i64) = (0, 2000);

/// How often the leader looks whether an order was carried out.
const GLANCE: Duration = Duration::from_millis(10);

/// How long the process may take to come on, or its threads until all of them compute.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the first freeze-frame stands before the mapped file is touched.
const STAY: Duration = Duration::from_millis(700);

/// The tables of regions and threads.
const REGIONS: &str = "regions";
const THREADS: &str = "threads";

static PLACES: TableSpec = TableSpec {
    name: "places",
    head: "what",
    columns: &[
        ColumnSpec { value: "address", head: "address", kind: ReturnKind::Word },
        ColumnSpec { value: "perms", head: "allowed", kind: ReturnKind::Word },
        ColumnSpec { value: "lies", head: "lies in", kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "addresses",
    title: "one address space, and where its threads stand in it",
    part: "Anatomy",
    about: "A process with memory of every kind and a few threads. See its address space to scale, a stack for each thread, \
            and, in a freeze-frame, the place to which each thread's program counter and stack pointer point. Then a mapped \
            file is touched, page after page, and loaded by that.",
    params: &[
        ParamSpec {
            name: "threads",
            kind: ParamKind::Int { min: 1, max: 16, default: 3, unit: "" },
            help: "how many threads, the main thread included",
        },
        ParamSpec {
            name: "pages",
            kind: ParamKind::Int { min: 1, max: 512, default: 64, unit: "" },
            help: "how many pages of a file are mapped",
        },
        ParamSpec {
            name: "pace",
            kind: ParamKind::Int { min: PACES.0, max: PACES.1, default: 20, unit: "ms" },
            help: "from one touch of a page to the next",
        },
    ],
    returns: &[
        ReturnSpec { name: "regions", kind: ReturnKind::Count, help: "regions in use, as /proc/PID/maps lists them" },
        ReturnSpec { name: "stacks", kind: ReturnKind::Count, help: "regions that are the stack of a thread" },
        ReturnSpec { name: "distinct_stack_pointers", kind: ReturnKind::Count, help: "stack pointers that differ" },
        ReturnSpec { name: "stack_pointers_in", kind: ReturnKind::Count, help: "stacks with a stack pointer in them" },
        ReturnSpec { name: "same_text", kind: ReturnKind::Flag, help: "all who computed did so in one region of text" },
        ReturnSpec { name: "stacks_apart_kib", kind: ReturnKind::Kib, help: "from the lowest stack to the highest" },
        ReturnSpec { name: "largest_region_kib", kind: ReturnKind::Kib, help: "the largest region that may be used" },
        ReturnSpec { name: "heap_kib", kind: ReturnKind::Kib, help: "the heap" },
        ReturnSpec { name: "function_in", kind: ReturnKind::Word, help: "what the region of a function is" },
        ReturnSpec { name: "global_in", kind: ReturnKind::Word, help: "what the region of a global variable is" },
        ReturnSpec { name: "small_in", kind: ReturnKind::Word, help: "what the region of a small block is" },
        ReturnSpec { name: "large_in", kind: ReturnKind::Word, help: "what the region of a large block is" },
        ReturnSpec { name: "local_in", kind: ReturnKind::Word, help: "what the region of A's local variable is" },
        ReturnSpec { name: "text_at", kind: ReturnKind::Word, help: "where the program's text begins" },
        ReturnSpec { name: "text_at_again", kind: ReturnKind::Word, help: "where it begins in a second instance" },
        ReturnSpec { name: "same_addresses", kind: ReturnKind::Flag, help: "text and stack are there at one address" },
        ReturnSpec { name: "pages", kind: ReturnKind::Count, help: "pages of the mapped file" },
        ReturnSpec { name: "present_before", kind: ReturnKind::Count, help: "of them loaded before any touch" },
        ReturnSpec { name: "present_after", kind: ReturnKind::Count, help: "of them loaded when all were touched" },
        ReturnSpec { name: "faults_mapping", kind: ReturnKind::Count, help: "page faults when the file was mapped" },
        ReturnSpec { name: "faults_touching", kind: ReturnKind::Count, help: "page faults of the touches" },
    ],
    pictures: &[Picture::Space, Picture::Table(&PLACES), Picture::Pages],
    controls: &[
        Control { key: 'f', verb: "freeze", label: "freeze-frame: look again", on: On::Demo, arg: Arg::None },
        pace::SLOWER,
        pace::FASTER,
    ],
    lasts_ms: |params| {
        let touching = params.int("pages").saturating_mul(params.int("pace").saturating_add(1));
        3000_u64.saturating_add(touching.unsigned_abs())
    },
    // Address space is what it shows: sixteen stacks, and as many heaps of threads as the C library likes.
    limits: |_| Limits { process_mib: 8192, ..Limits::DEFAULT },
    needs: &[
        Need { capability: "registers of threads", without: "threads that compute; those that sleep can be seen" },
        Need { capability: "page maps", without: "which pages of the mapped file are loaded" },
    ],
    ..DemoSpec::BASE
};

impl Demo for Addresses {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let (threads, pages) = (params.count("threads"), params.count("pages"));
        let part = move |worker: &Worker| subject::play(worker, threads, pages);
        let number = stage.enter_named("A", As::Processes, &Settings::default(), part)?;
        let pid = stage.cast().get(number).map_or(Pid(0), |entry| entry.pid);
        let mut show = Show {
            stage,
            number,
            pid,
            given: 0,
            done: 0,
            pace: params.int("pace"),
            wanted: false,
            traced: Traced::default(),
        };
        if !show.carried_out() {
            let why = format!("it had not begun after {} s", PATIENCE.as_secs());
            return Err(Unavailable::new("the process to be looked at", why).into());
        }
        show.compare();
        show.frame();
        show.step("framed");
        show.go_on()
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        outcome(params, tally)
    }
}

/// The leader's view of the process.
struct Show<'a> {
    stage: &'a mut Stage,
    number: usize,
    pid: Pid,
    /// Orders that were given, and that were carried out.
    given: u32,
    done: u64,
    pace: i64,
    /// A freeze-frame was asked for while the process was busy.
    wanted: bool,
    traced: Traced,
}

/// What is due next.
enum Due {
    /// The mapped file is touched from this moment on.
    Touch(Instant),
    /// The process is at it.
    Touching,
    /// Nothing.
    Nothing,
}

impl Show<'_> {
    fn step(&mut self, name: &str) {
        self.stage.tell(Fact::Step { name: name.to_owned() });
    }

    fn order(&mut self, verb: Verb) {
        self.given = self.given.wrapping_add(1);
        self.stage.order(self.number, verb.order(self.given));
    }

    fn touch(&mut self) {
        self.order(Verb::Touch(u16::try_from(self.pace).unwrap_or(u16::MAX)));
    }

    /// Waits until one more order was carried out; false if it was not.
    fn carried_out(&mut self) -> bool {
        let until = Instant::now() + PATIENCE;
        while self.stage.work(self.number) <= self.done {
            if Instant::now() >= until || self.stage.cast().get(self.number).is_none_or(|e| e.ended.is_some()) {
                return false;
            }
            // Not `next`: a wish of the learner stays where it is until this is done.
            std::thread::sleep(Duration::from_millis(1));
        }
        self.done = self.stage.work(self.number);
        true
    }

    /// A freeze-frame while all that compute do so. Where it is refused, the process looks at itself.
    fn frame(&mut self) {
        // One that was carried out too late for us counts for nothing.
        (self.wanted, self.done) = (false, self.stage.work(self.number));
        self.order(Verb::Compute);
        if !self.carried_out() {
            self.order(Verb::Rest);
            let why = "the threads had not all begun to compute after two seconds";
            return self.stage.tell(Fact::Refused(Unavailable::new("a freeze-frame", why)));
        }
        let threads = frame::threads(self.pid);
        let stands = self.traced.freeze(&threads);
        self.order(Verb::Rest);
        match stands {
            Ok(stands) => {
                for (number, at) in stands.iter().enumerate() {
                    let Fact::Row { table, row, mut values } = stand(&at.letter, at.pc, at.sp) else { continue };
                    values.insert("computes".to_owned(), json!(crew::computes(number)));
                    self.stage.tell(Fact::Row { table, row, values });
                }
            }
            Err(refused) => {
                self.stage.tell(Fact::Refused(refused));
                self.order(Verb::Look);
                self.carried_out();
            }
        }
    }

    /// Starts the program once more, for as long as it takes to look where the kernel has put it.
    fn compare(&mut self) {
        let layout = |pid: u32| {
            let text = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
            let program = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
            let mappings = maps::parse(&text);
            let text = mappings.iter().find(|m| m.executable() && program == std::path::Path::new(&m.path))?.from;
            Some((text, mappings.iter().find(|m| m.path == "[stack]")?.from))
        };
        let again = Stage::another_instance().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let theirs = again.map_err(|e| e.to_string()).and_then(|mut child| {
            // The call that starts it returns while the kernel is still at putting the program into place.
            let until = Instant::now() + PATIENCE;
            let mut theirs = layout(child.id());
            while theirs.is_none() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
                theirs = layout(child.id());
            }
            let theirs = theirs.ok_or_else(|| "its /proc/PID/maps does not show where it is".to_owned());
            // It does nothing but wait; were it gone, there would be nothing to end.
            let _ = child.kill();
            let _ = child.wait();
            theirs
        });
        let tid = crate::fact::Tid(self.pid.0);
        let ours = layout(self.pid.0);
        let mut told = vec![("text_at", json!(ours.map(|(text, _)| hex(text))))];
        match theirs {
            Ok(theirs) => {
                told.push(("text_at_again", json!(hex(theirs.0))));
                told.push(("same_addresses", json!(ours.map(|ours| ours == theirs))));
            }
            Err(why) => self.stage.tell(Fact::Refused(Unavailable::new("a second instance to compare with", why))),
        }
        for (name, value) in told {
            self.stage.tell(Fact::Value { tid, name: name.to_owned(), value });
        }
    }

    fn go_on(&mut self) -> anyhow::Result<()> {
        let mut due = Due::Touch(Instant::now() + STAY);
        loop {
            self.traced.release();
            match self.stage.next(matches!(due, Due::Nothing).then_some(GLANCE * 20).or(Some(GLANCE))) {
                Cue::Steer(steer) if steer.verb == "freeze" => self.wanted = true,
                Cue::Steer(steer) if steer.verb == "pace" => {
                    self.pace = scaled(self.pace, steer.value.as_i64().unwrap_or(0));
                    if matches!(due, Due::Touching) {
                        self.touch();
                    }
                }
                Cue::Finish | Cue::Ended(_) => return Ok(()),
                Cue::Steer(_) | Cue::Time => {}
            }
            match due {
                Due::Touch(at) if Instant::now() >= at => {
                    self.touch();
                    due = Due::Touching;
                }
                Due::Touching if self.stage.work(self.number) > self.done => {
                    self.done = self.stage.work(self.number);
                    self.order(Verb::Rest);
                    self.step("touched");
                    self.step(SETTLED);
                    due = Due::Nothing;
                }
                Due::Touch(_) | Due::Nothing if self.wanted => self.frame(),
                Due::Touch(_) | Due::Touching | Due::Nothing => {}
            }
        }
    }
}

/// The pace twice as slow for each step up, twice as fast for each step down.
fn scaled(pace: i64, steps: i64) -> i64 {
    let factor = 1_i64 << steps.unsigned_abs().min(11);
    if steps < 0 { pace / factor } else { pace.max(1) * factor }.clamp(PACES.0, PACES.1)
}

/// Where a thread stands, as a row.
fn stand(letter: &str, pc: u64, sp: u64) -> Fact {
    let values = [("pc".to_owned(), json!(hex(pc))), ("sp".to_owned(), json!(hex(sp)))].into();
    Fact::Row { table: THREADS.to_owned(), row: letter.to_owned(), values }
}

/// A region as its row tells it.
struct Told<'a> {
    from: u64,
    to: u64,
    row: &'a Row,
}

impl<'a> Told<'a> {
    fn all(tally: &'a Tally) -> Vec<Self> {
        let each = tally.table(REGIONS).iter().filter_map(|row| {
            let address = |name| row.values.get(name).and_then(unhex);
            Some(Told { from: address("from")?, to: address("to")?, row })
        });
        each.collect()
    }

    fn word(&self, name: &str) -> &str {
        self.row.values.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn kib(&self) -> u64 {
        self.to.saturating_sub(self.from) / 1024
    }
}

fn outcome(params: &Params, tally: &Tally) -> Values {
    let regions = Told::all(tally);
    let any = |value: Value| if regions.is_empty() { Value::Null } else { value };
    let of_kind = |kind: &'static str| regions.iter().filter(move |r| r.word("kind") == kind);
    let stacks: Vec<_> = of_kind("stack").collect();
    let apart = stacks.iter().map(|r| r.from).max().zip(stacks.iter().map(|r| r.from).min());
    let usable = regions.iter().filter(|r| !r.word("perms").starts_with("---")).map(Told::kib);

    let threads = tally.table(THREADS);
    let register = |row: &Row, name: &str| row.values.get(name).and_then(unhex);
    let pointers: BTreeSet<u64> = threads.iter().filter_map(|row| register(row, "sp")).collect();
    let held = stacks.iter().filter(|r| pointers.iter().any(|sp| (r.from..r.to).contains(sp))).count();
    let seen = |value: Value| if threads.is_empty() { Value::Null } else { value };
    let computed = threads.iter().filter(|row| row.values.get("computes") == Some(&json!(true)));
    let texts: Vec<Option<u64>> = computed
        .filter_map(|row| register(row, "pc"))
        .map(|pc| of_kind("text").find(|r| (r.from..r.to).contains(&pc)).map(|r| r.from))
        .collect();
    let same_text = texts.first().map(|first| json!(first.is_some() && texts.iter().all(|text| text == first)));

    let kind = |row: &str| tally.cell(PLACES.name, row, "kind").cloned().unwrap_or_default();
    let value = |name: &str| tally.worker("A").and_then(|a| a.values.get(name)).cloned().unwrap_or_default();
    let pages = value("pages");
    [
        ("regions", any(json!(regions.len()))),
        ("stacks", any(json!(stacks.len()))),
        ("distinct_stack_pointers", seen(json!(pointers.len()))),
        ("stack_pointers_in", seen(json!(held))),
        ("same_text", same_text.unwrap_or_default()),
        ("stacks_apart_kib", json!(apart.map(|(most, least)| (most - least) / 1024))),
        ("largest_region_kib", json!(usable.max())),
        ("heap_kib", any(json!(of_kind("heap").map(Told::kib).sum::<u64>()))),
        ("function_in", kind("a function")),
        ("global_in", kind("a global variable")),
        ("small_in", kind("a small block")),
        ("large_in", kind("a large block")),
        ("local_in", kind("a local variable of A")),
        ("text_at", value("text_at")),
        ("text_at_again", value("text_at_again")),
        ("same_addresses", value("same_addresses")),
        ("pages", if pages.is_null() { json!(params.int("pages")) } else { pages }),
        ("present_before", value("present_before")),
        ("present_after", value("present_after")),
        ("faults_mapping", value("faults_mapping")),
        ("faults_touching", value("faults_touching")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

#[cfg(test)]
mod tests;
