//! The process that is looked at: a main thread and its crew, some memory of every kind, and what it tells of itself.

use super::crew::{ASK, COMPUTE, GLOBAL, LEAVE, Mate, REST, Shared, churn, computes, descend, enter};
use super::frame::asleep;
use super::maps::{self, Landmarks, Region, Thread, hex};
use super::order::Verb;
use super::raw;
use crate::fact::{Fact, Pid, Tid, Unavailable};
use crate::stage::{self, Worker};
use memmap2::{MmapOptions, MmapRaw};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// How often the pages of the mapped file are looked at, at most.
const LOOK: Duration = Duration::from_millis(15);

/// A block that goes on the heap, and how many there are; one that is far too large for it: above 128 KiB, or above the
/// largest block that was given back so far (mallopt(3), M_MMAP_THRESHOLD).
const SMALL: usize = 64 << 10;
const BLOCKS: usize = 8;
const LARGE: usize = 12 << 20;

static CONSTANT: [u8; 64] = *b"This stands in the program's file, and nobody can write to it.  ";

/// The main thread's part: it brings on the crew, tells what there is, and does what the leader orders.
pub(super) fn play(worker: &Worker, threads: usize, pages: usize) {
    descend(8, &mut || Subject::new(worker, threads, pages).run());
}

/// Where a process finds its own regions.
const MAPS: &str = "/proc/self/maps";

struct Subject<'a> {
    worker: &'a Worker,
    tid: Tid,
    shared: Arc<Shared>,
    crew: Vec<Mate>,
    marks: Landmarks,
    /// What was told of the regions, by their rows.
    told: BTreeMap<String, Region>,
    file: Option<MmapRaw>,
    pages: usize,
    done: u64,
    answers: mpsc::Receiver<String>,
    blocks: Vec<Box<[u8]>>,
    /// The pages of the mapped file, as they were told last.
    letters: String,
}

impl<'a> Subject<'a> {
    fn new(worker: &'a Worker, threads: usize, pages: usize) -> Self {
        let tid = worker.tid();
        let shared = Arc::new(Shared { phase: AtomicU64::new(REST), begun: AtomicU64::new(0), main: tid });
        let (send, answers) = mpsc::sync_channel(1);
        let crew = (1..threads).filter_map(|number| match enter(number, &shared, send.clone()) {
            Ok(mate) => Some(mate),
            Err(error) => {
                worker.tell(Fact::Refused(Unavailable::new("another thread", error.to_string())));
                None
            }
        });
        let crew: Vec<Mate> = crew.collect();
        for (mate, slot) in crew.iter().zip(1_u16..) {
            let (tid, pid) = (mate.tid, Pid(std::process::id()));
            let parent = std::os::unix::process::parent_id();
            worker.tell(Fact::Task { tid, pid, parent, name: mate.mark.letter.clone(), slot: Some(slot) });
        }
        let mut blocks: Vec<Box<[u8]>> = (0..BLOCKS).map(|_| vec![1; SMALL].into_boxed_slice()).collect();
        blocks.push(vec![0; LARGE].into_boxed_slice());
        let mut subject = Self {
            worker,
            tid,
            shared,
            crew,
            marks: Landmarks::default(),
            told: BTreeMap::new(),
            file: None,
            pages,
            done: 0,
            answers,
            blocks,
            letters: String::new(),
        };
        subject.tell_whether_shown();
        subject.map_file();
        subject.mark();
        subject
    }

    fn run(&mut self) {
        self.tell_regions();
        self.tell_pages();
        self.carried_out();
        let mut order = 0;
        while let Some(verb) = Verb::of(order) {
            match verb {
                Verb::Rest => {}
                Verb::Compute => self.compute(order),
                Verb::Look => self.look(),
                Verb::Touch(_) => order = self.touch(order),
            }
            order = self.worker.wait(order, Duration::MAX);
        }
        self.set_phase(LEAVE);
        for mate in self.crew.drain(..) {
            // How a thread of the crew ended is not what is shown.
            let _ = mate.thread.join();
        }
    }

    fn carried_out(&mut self) {
        self.done += 1;
        self.worker.set_work(self.done);
    }

    fn value(&self, name: &str, value: serde_json::Value) {
        self.worker.tell(Fact::Value { tid: self.tid, name: name.to_owned(), value });
    }

    fn set_phase(&self, phase: u64) {
        self.shared.phase.store(phase, Ordering::SeqCst);
        self.crew.iter().for_each(|mate| mate.thread.thread().unpark());
    }

    /// Maps the program's own file a second time, as data, and counts the page faults of that.
    fn map_file(&mut self) {
        let page = rustix::param::page_size();
        let mapped = File::open("/proc/self/exe").and_then(|file| {
            let all = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX) / page;
            self.pages = self.pages.min(all.max(1));
            let map = || MmapOptions::new().len(page * self.pages).map_raw_read_only(&file);
            // Once for nothing: the code that maps is itself loaded when it is first used.
            drop(map()?);
            let before = faults();
            let map = map()?;
            Ok((map, faults().saturating_sub(before)))
        });
        match mapped {
            Ok((map, faults)) => {
                self.value("pages", json!(self.pages));
                self.value("faults_mapping", json!(faults));
                self.file = Some(map);
            }
            Err(error) => {
                self.worker.tell(Fact::Refused(Unavailable::new("a mapped file", error.to_string())));
            }
        }
    }

    /// Notes what lies where, and tells it.
    fn mark(&mut self) {
        let local = 0_u8;
        let at = |pointer: *const u8| pointer.addr() as u64;
        let blocks = |n: usize| self.blocks.get(n).map_or(0, |block| at(block.as_ptr()));
        let mut threads = vec![Thread { letter: "A".to_owned(), local: at(&raw const local), stack: None }];
        threads.extend(self.crew.iter().map(|mate| mate.mark.clone()));
        let function: fn(u8, &mut dyn FnMut()) = descend;
        self.marks = Landmarks {
            function: (function as *const ()).addr() as u64,
            small: blocks(0),
            large: blocks(BLOCKS),
            file: self.file.as_ref().map_or(0, |map| at(map.as_ptr())),
            threads,
        };
        let constant = at(std::hint::black_box(CONSTANT.as_ptr()));
        let global = (&raw const GLOBAL).addr() as u64;
        let mut places = vec![
            ("a function".to_owned(), self.marks.function),
            ("a constant".to_owned(), constant),
            ("a global variable".to_owned(), global),
            ("a small block".to_owned(), self.marks.small),
            ("a large block".to_owned(), self.marks.large),
        ];
        if self.file.is_some() {
            places.push(("a byte of a file".to_owned(), self.marks.file));
        }
        let local = |t: &Thread| (format!("a local variable of {}", t.letter), t.local);
        let locals = self.marks.threads.iter().map(local);
        places.extend(locals);
        let regions = self.regions();
        for (row, at) in places {
            let region = regions.iter().find(|r| r.mapping.holds(at));
            let values = [
                ("address", json!(hex(at))),
                ("perms", json!(region.map(|r| r.mapping.perms.as_str()))),
                ("kind", json!(region.map(|r| r.kind))),
                ("lies", json!(region.map(Region::title))),
            ];
            let values = values.map(|(name, value)| (name.to_owned(), value)).into();
            self.worker.tell(Fact::Row { table: super::PLACES.name.to_owned(), row, values });
        }
    }

    /// Says so, once, where the kernel shows a process not even its own regions.
    fn tell_whether_shown(&self) {
        if let Err(error) = std::fs::read_to_string(MAPS) {
            let why = format!("{MAPS} cannot be read ({error})");
            self.worker.tell(Fact::Refused(Unavailable::new("the regions of its memory", why)));
        }
    }

    /// The regions that there are now.
    fn regions(&self) -> Vec<Region> {
        let text = std::fs::read_to_string(MAPS).unwrap_or_default();
        maps::regions(&maps::parse(&text), &self.marks)
    }

    /// Tells of the regions that are new, have changed, or are no more.
    fn tell_regions(&mut self) {
        let mut gone = std::mem::take(&mut self.told);
        for region in self.regions() {
            let row = region.row();
            if gone.remove(&row).as_ref() != Some(&region) {
                let (table, values) = (super::REGIONS.to_owned(), region.values());
                self.worker.tell(Fact::Row { table, row: row.clone(), values });
            }
            self.told.insert(row, region);
        }
        for row in gone.into_keys() {
            let values = [("to".to_owned(), json!(null))].into();
            self.worker.tell(Fact::Row { table: super::REGIONS.to_owned(), row, values });
        }
    }

    /// Everyone who computes does so, until there is another order.
    fn compute(&mut self, order: u64) {
        self.tell_regions();
        self.shared.begun.store(0, Ordering::SeqCst);
        let others = self.crew.iter().zip(1..).filter(|(_, number)| computes(*number)).count() as u64;
        self.set_phase(COMPUTE);
        while self.shared.begun.load(Ordering::SeqCst) < others && self.worker.order() == order {
            std::thread::yield_now();
        }
        self.carried_out();
        churn(1, || self.worker.order() == order);
        self.set_phase(REST);
    }

    /// Where the threads sleep, for a machine on which nobody may trace: a process may always look at its own threads.
    /// The one that looks runs; so the first of the crew looks at the main thread, while that waits for the answer.
    fn look(&mut self) {
        self.tell_regions();
        let read = |tid: Tid| std::fs::read_to_string(format!("/proc/self/task/{tid}/syscall")).unwrap_or_default();
        let mut seen: Vec<(String, String)> = Vec::new();
        if !self.crew.is_empty() {
            self.set_phase(ASK);
            let answer = self.answers.recv_timeout(Duration::from_millis(500)).unwrap_or_default();
            self.set_phase(REST);
            seen.push(("A".to_owned(), answer));
        }
        for mate in &self.crew {
            let until = Instant::now() + Duration::from_millis(500);
            let mut text = read(mate.tid);
            // It was told to rest, and is on its way.
            while asleep(&text).is_none() && Instant::now() < until {
                std::thread::yield_now();
                text = read(mate.tid);
            }
            seen.push((mate.mark.letter.clone(), text));
        }
        for (letter, text) in seen {
            let Some((pc, sp)) = asleep(&text) else { continue };
            self.worker.tell(super::stand(&letter, pc, sp));
        }
        self.carried_out();
    }

    /// Which pages of the mapped file are in this process's page table, as the kernel says; told.
    fn tell_pages(&mut self) -> Option<usize> {
        let map = self.file.as_ref()?;
        let region = stage::Region { start: map.as_ptr().addr(), pages: self.pages };
        let letters = match region.map() {
            Ok(letters) => letters,
            Err(error) => {
                let why = format!("/proc/self/pagemap cannot be read ({error})");
                self.worker.tell(Fact::Refused(Unavailable::new("which pages are there", why)));
                return None;
            }
        };
        let there = letters.bytes().filter(|letter| *letter != b'.').count();
        if letters == self.letters {
            return Some(there);
        }
        self.letters.clone_from(&letters);
        let note = format!("{there}/{} pages loaded", letters.len());
        self.worker.tell(Fact::Pages { pid: Pid(self.tid.0), region: "the mapped file".to_owned(), map: letters });
        let (table, values) = (super::REGIONS.to_owned(), [("note".to_owned(), json!(note))].into());
        self.worker.tell(Fact::Row { table, row: hex(self.marks.file), values });
        Some(there)
    }

    /// Touches the mapped file, page after page, and counts the page faults of that. The order that stands then.
    fn touch(&mut self, mut order: u64) -> u64 {
        let page = rustix::param::page_size();
        let there = self.tell_pages();
        self.value("present_before", json!(there));
        let (mut faulted, mut looked) = (0, Instant::now());
        for n in 0..self.pages {
            let touched = Instant::now();
            while let Some(Verb::Touch(pause)) = Verb::of(order) {
                let left = Duration::from_millis(pause.into()).saturating_sub(touched.elapsed());
                let next = self.worker.wait(order, left);
                if next == order {
                    break;
                }
                order = next;
            }
            let (Some(map), Some(Verb::Touch(_))) = (&self.file, Verb::of(order)) else { break };
            let before = faults();
            std::hint::black_box(raw::touch(map, n * page));
            faulted += faults().saturating_sub(before);
            if looked.elapsed() >= LOOK || n + 1 == self.pages {
                looked = Instant::now();
                self.value("touched", json!(n + 1));
                self.value("faults_touching", json!(faulted));
                self.tell_pages();
            }
        }
        let there = self.tell_pages();
        self.value("present_after", json!(there));
        // What was asked for meanwhile may have made the heap grow.
        self.tell_regions();
        self.carried_out();
        order
    }
}

/// Page faults of the calling thread so far, those that needed a disk and those that did not (getrusage(2)).
fn faults() -> u64 {
    let usage = getrusage(UsageWho::RUSAGE_THREAD);
    usage.map_or(0, |u| (u.minor_page_faults() + u.major_page_faults()).unsigned_abs())
}
