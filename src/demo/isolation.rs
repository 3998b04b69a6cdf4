//! `isolation`: a process forks, and the same pointer means two memories.
//!
//! The leader is the parent. Each of the two reads its own page map and tells of it; nobody looks into the other.

use super::{Demo, pace};
use crate::fact::{
    As, DemoSpec, Fact, Need, ParamKind, ParamSpec, Params, Picture, Pid, ReturnKind, ReturnSpec, SETTLED, Tally, Tid,
    Unavailable, Values,
};
use crate::stage::{Cue, Region, Settings, Stage, Worker, pss_and_private_dirty};
use anyhow::Context;
use memmap2::{Advice, MmapOptions, MmapRaw};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Isolation;

/// What the parent writes through the pointer, and what the child writes later.
const BEFORE: u64 = 10;
const AFTER: u64 = 99;

/// Milliseconds between two writes.
const PACES: (i64, i64) = (1, 2000);

/// How often each looks at its own pages, at most.
const LOOK: Duration = Duration::from_millis(20);

/// How often each adds its memory up, which takes the kernel a walk over all of it.
const ADD_UP: Duration = Duration::from_millis(250);

/// How long both stay when all is written.
const STAY: Duration = Duration::from_secs(1);

static SPEC: DemoSpec = DemoSpec {
    name: "isolation",
    title: "one address, two memories",
    part: "Memory",
    about: "A process fills some pages and forks. The child writes through the same pointer, page after page. See the one \
            address with two contents, and each page turn from shared into two of one's own.",
    params: &[
        ParamSpec {
            name: "pages",
            kind: ParamKind::Int { min: 4, max: 1024, default: 64, unit: "" },
            help: "how many pages are filled before the fork",
        },
        ParamSpec {
            name: "pace",
            kind: ParamKind::Int { min: PACES.0, max: PACES.1, default: 40, unit: "ms" },
            help: "from one write of the child to the next",
        },
    ],
    returns: &[
        ReturnSpec { name: "same_address", kind: ReturnKind::Flag, help: "both hold the same pointer" },
        ReturnSpec { name: "parent_value", kind: ReturnKind::Number, help: "what the parent finds there" },
        ReturnSpec { name: "child_value", kind: ReturnKind::Number, help: "what the child finds there" },
        ReturnSpec { name: "pages", kind: ReturnKind::Count, help: "pages filled before the fork" },
        ReturnSpec { name: "own_before", kind: ReturnKind::Count, help: "of them the child's alone after the fork" },
        ReturnSpec { name: "own_after", kind: ReturnKind::Count, help: "of them the child's alone in the end" },
    ],
    pictures: &[Picture::Pages, Picture::Lanes, Picture::Workers],
    controls: &[pace::SLOWER, pace::FASTER],
    needs: &[Need { capability: "page maps", without: "the pages, one by one" }],
    ..DemoSpec::BASE
};

impl Demo for Isolation {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        stage.appear("parent")?;
        let memory = Arc::new(Memory::fill(params.count("pages")).context("cannot have the pages")?);
        step(stage, "touched");
        let mut eye = Eye::new(&memory);
        eye.look(&mut |fact| stage.tell(fact));
        let childs = Arc::clone(&memory);
        let child =
            stage.enter_named("child", As::Processes, &Settings::default(), move |worker| write(worker, &childs))?;
        step(stage, "forked");
        eye.look(&mut |fact| stage.tell(fact));
        let mut pace = params.int("pace");
        set_pace(stage, child, pace);
        let mut leave = None;
        loop {
            let now = Instant::now();
            if leave.is_some_and(|at| now >= at) {
                return Ok(());
            }
            match stage.next(Some(LOOK)) {
                Cue::Steer(steer) if steer.verb == "pace" => {
                    pace = scaled(pace, steer.value.as_i64().unwrap_or(0));
                    set_pace(stage, child, pace);
                }
                Cue::Finish | Cue::Ended(_) => return Ok(()),
                Cue::Steer(_) | Cue::Time => {}
            }
            let done = stage.work(child) >= memory.pages as u64;
            eye.look(&mut |fact| stage.tell(fact));
            if done && leave.is_none() {
                eye.add_up(&mut |fact| stage.tell(fact));
                step(stage, "done");
                step(stage, SETTLED);
                leave = Some(now + STAY);
            }
        }
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        let of = |who: &str, what: &str| tally.worker(who).and_then(|w| w.values.get(what)).cloned();
        let (ours, theirs) = (of("parent", "address"), of("child", "address"));
        let same = ours.zip(theirs).map(|(ours, theirs)| json!(ours == theirs));
        [
            ("same_address", same),
            ("parent_value", of("parent", "value")),
            ("child_value", of("child", "value")),
            ("pages", Some(json!(params.int("pages")))),
            ("own_before", of("child", "own_before")),
            ("own_after", of("child", "own")),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

fn step(stage: &mut Stage, name: &str) {
    stage.tell(Fact::Step { name: name.to_owned() });
}

/// The pace twice as slow for each step up, twice as fast for each step down.
fn scaled(pace: i64, steps: i64) -> i64 {
    let factor = 1_i64 << steps.unsigned_abs().min(11);
    if steps < 0 { pace / factor } else { pace * factor }.clamp(PACES.0, PACES.1)
}

/// The pace is the child's standing order.
fn set_pace(stage: &mut Stage, child: usize, pace: i64) {
    let Some(tid) = stage.cast().get(child).map(|entry| entry.tid) else { return };
    stage.tell(Fact::Value { tid, name: "pace_ms".to_owned(), value: json!(pace) });
    stage.order(child, pace.unsigned_abs());
}

/// The child's part: page after page, in the memory that it was forked with.
fn write(worker: &Worker, memory: &Memory) {
    let mut eye = Eye::new(memory);
    let mut tell = |fact| worker.tell(fact);
    if let Some(own) = eye.look(&mut tell) {
        tell(Fact::Value { tid: eye.tid, name: "own_before".to_owned(), value: json!(own) });
    }
    let mut pace = worker.wait(0, Duration::MAX);
    for page in 0..memory.pages {
        let written = Instant::now();
        // A new pace holds from the last write on, not from the moment when it was asked for.
        loop {
            let left = Duration::from_millis(pace).saturating_sub(written.elapsed());
            let order = worker.wait(pace, left);
            if order == Worker::HALT {
                return;
            }
            if order == pace {
                break;
            }
            pace = order;
        }
        memory.write(page, AFTER);
        let last = page + 1 == memory.pages;
        if page == 0 || last || eye.looked.elapsed() >= LOOK {
            eye.look(&mut tell);
        }
        if page == 0 {
            tell(Fact::Step { name: "written".to_owned() });
        }
        if last {
            eye.add_up(&mut tell);
        }
        worker.set_work(page as u64 + 1);
    }
    while worker.wait(pace, Duration::MAX) != Worker::HALT {
        pace = worker.order();
    }
}

/// Pages of this process's own, and the pointer to the first of them.
#[derive(Debug)]
struct Memory {
    map: MmapRaw,
    page: usize,
    pages: usize,
}

impl Memory {
    /// New pages, each touched: it holds [`BEFORE`].
    fn fill(pages: usize) -> std::io::Result<Self> {
        let page = rustix::param::page_size();
        let map = MmapRaw::from(MmapOptions::new().len(page * pages).map_anon()?);
        // A huge page would be copied as one. A kernel without huge pages refuses the advice (EINVAL), and needs none.
        let _ = map.advise(Advice::NoHugePage);
        let memory = Self { map, page, pages };
        (0..pages).for_each(|n| memory.write(n, BEFORE));
        Ok(memory)
    }

    fn pointer(&self) -> *mut u64 {
        self.map.as_mut_ptr().cast()
    }

    /// Writes to the first word of page `n`.
    fn write(&self, n: usize, value: u64) {
        assert!(n < self.pages, "page {n} of {}", self.pages);
        // SAFETY: page `n` is in the mapping, which is private, writable and lives as long as `self`; its start is aligned.
        // One thread of each process touches it. Volatile, since the write itself is what the demo is about.
        #[expect(unsafe_code, reason = "memory that two processes hold at one address")]
        unsafe {
            self.pointer().byte_add(n * self.page).write_volatile(value);
        }
    }

    /// What the pointer points to.
    fn value(&self) -> u64 {
        // SAFETY: as for `write`.
        #[expect(unsafe_code, reason = "memory that two processes hold at one address")]
        unsafe {
            self.pointer().read_volatile()
        }
    }
}

/// One process's view of its own memory. It tells what has changed since it looked last.
struct Eye<'a> {
    memory: &'a Memory,
    tid: Tid,
    pid: Pid,
    looked: Instant,
    added_up: Option<Instant>,
    map: String,
    told: Vec<(&'static str, Value)>,
    blind: bool,
}

impl<'a> Eye<'a> {
    /// The eye of the process that calls this, in its only thread.
    fn new(memory: &'a Memory) -> Self {
        let pid = Pid(std::process::id());
        let looked = Instant::now();
        let (map, told) = (String::new(), Vec::new());
        Self { memory, tid: Tid(pid.0), pid, looked, added_up: None, map, told, blind: false }
    }

    /// Tells address, content and pages. How many pages are this process's alone, if that can be seen.
    fn look(&mut self, tell: &mut dyn FnMut(Fact)) -> Option<usize> {
        self.looked = Instant::now();
        self.tell("address", json!(format!("{:p}", self.memory.pointer())), tell);
        self.tell("value", json!(self.memory.value()), tell);
        if self.added_up.is_none_or(|at| at.elapsed() >= ADD_UP) {
            self.add_up(tell);
        }
        if self.blind {
            return None;
        }
        let region = Region { start: self.memory.pointer().addr(), pages: self.memory.pages };
        let map = match region.map() {
            Ok(map) => map,
            Err(error) => {
                self.blind = true;
                let why = format!("/proc/self/pagemap cannot be read ({error})");
                tell(Fact::Refused(Unavailable::new("which pages are shared", why)));
                return None;
            }
        };
        let own = map.bytes().filter(|letter| *letter == b'X').count();
        if map != self.map {
            self.map.clone_from(&map);
            tell(Fact::Pages { pid: self.pid, region: "memory".to_owned(), map });
            self.tell("own", json!(own), tell);
        }
        Some(own)
    }

    /// Tells the totals of this process's memory, where the kernel has them (4.14).
    fn add_up(&mut self, tell: &mut dyn FnMut(Fact)) {
        self.added_up = Some(Instant::now());
        if let Some((pss, dirty)) = pss_and_private_dirty() {
            self.tell("pss_kib", json!(pss), tell);
            self.tell("private_dirty_kib", json!(dirty), tell);
        }
    }

    fn tell(&mut self, name: &'static str, value: Value, tell: &mut dyn FnMut(Fact)) {
        match self.told.iter_mut().find(|(told, _)| *told == name) {
            Some((_, old)) if *old == value => return,
            Some((_, old)) => old.clone_from(&value),
            None => self.told.push((name, value.clone())),
        }
        tell(Fact::Value { tid: self.tid, name: name.to_owned(), value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, TaskTally};

    #[test]
    fn the_outcome_is_what_both_told_and_nothing_else() {
        let params = Params::defaults(&SPEC);
        let mut tally = Tally::default();
        let unknown = Isolation.outcome(&params, &tally);
        assert_eq!((&unknown["same_address"], &unknown["own_before"]), (&Value::Null, &Value::Null));
        for (n, name, address, value) in [(0, "parent", "0x1000", 10), (1, "child", "0x1000", 99)] {
            let mut task = TaskTally::new(Tid(5 + n), Pid(5 + n), Nanos::ZERO);
            (task.name, task.slot) = (name.to_owned(), u16::try_from(n).ok());
            task.values = [("address", json!(address)), ("value", json!(value)), ("own", json!(64))]
                .map(|(name, value)| (name.to_owned(), value))
                .into();
            tally.tasks.push(task);
        }
        let values = Isolation.outcome(&params, &tally);
        assert_eq!((&values["same_address"], &values["own_before"]), (&json!(true), &Value::Null), "no page map");
        assert_eq!((&values["parent_value"], &values["child_value"]), (&json!(10), &json!(99)));
        tally.tasks[1].values.insert("address".to_owned(), json!("0x2000"));
        tally.tasks[1].values.insert("own_before".to_owned(), json!(0));
        let values = Isolation.outcome(&params, &tally);
        assert_eq!((&values["same_address"], &values["own_before"]), (&json!(false), &json!(0)));
        assert_eq!((&values["own_after"], &values["pages"]), (&json!(64), &json!(64)));
    }

    #[test]
    fn the_pace_doubles_and_halves_within_its_bounds() {
        assert_eq!([scaled(40, 1), scaled(40, -1), scaled(40, 2), scaled(1, -1)], [80, 20, 160, 1]);
        assert_eq!([scaled(1500, 1), scaled(40, i64::MAX), scaled(40, i64::MIN)], [2000, 2000, 1]);
    }

    #[test]
    fn what_has_not_changed_is_not_told_again() {
        let memory = Memory::fill(4).expect("four pages");
        let mut eye = Eye::new(&memory);
        let told = |eye: &mut Eye<'_>| {
            let mut facts = Vec::new();
            eye.look(&mut |fact| facts.push(fact));
            facts.into_iter().filter(|f| matches!(f, Fact::Value { name, .. } if name == "value")).collect::<Vec<_>>()
        };
        assert_eq!(told(&mut eye).len(), 1);
        assert_eq!(told(&mut eye), []);
        memory.write(0, AFTER);
        assert!(matches!(&told(&mut eye)[..], [Fact::Value { value, .. }] if *value == json!(99)));
    }
}
