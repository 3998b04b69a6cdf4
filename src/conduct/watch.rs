//! The observers of a run: which source tells who ran when, and the kernel's accounts beside it.

use super::departed::Departed;
use crate::fact::{DemoSpec, Fact, Nanos, Pid, Source, SourceChoice, Stamped, Tid, Unavailable};
use crate::kernel::{self, Accounts, Observer};
use crate::stage::{Production, SelfTimed};
use std::time::Duration;

/// Looks a second where /proc is sampled: a frame of the screen, and a share of a core that nobody misses.
const HZ: u32 = 60;

/// How often a run that nobody watches is looked after. What it tells itself is read at once.
const UNWATCHED: Duration = Duration::from_millis(100);

/// The observers of a run.
pub(super) struct Watch {
    lanes: Lanes,
    accounts: Accounts,
    departed: Departed,
    because: Option<String>,
}

/// Who tells who ran when.
enum Lanes {
    Kernel(Box<dyn Observer>),
    Workers(SelfTimed),
    Nobody,
}

impl Watch {
    /// The best source that works, or the one that was asked for.
    pub(super) fn attach(spec: &DemoSpec, choice: SourceChoice, production: &Production) -> Result<Self, Unavailable> {
        let wanted = match choice {
            SourceChoice::Best if spec.unwatched => &[Source::Unwatched],
            SourceChoice::Best => &Source::ALL[..],
            SourceChoice::Only(Source::Exact) => &Source::ALL[..1],
            SourceChoice::Only(Source::SelfTimed) => &Source::ALL[1..2],
            SourceChoice::Only(Source::Sampled) => &Source::ALL[2..],
            SourceChoice::Only(Source::Unwatched) => &[Source::Unwatched],
        };
        let root = production.leader();
        let mut refusals: Vec<Unavailable> = Vec::new();
        for source in wanted {
            let lanes = match source {
                Source::Exact => kernel::attach_exact(root).map(Lanes::Kernel),
                Source::SelfTimed if spec.self_timed => Ok(Lanes::Workers(production.self_timed())),
                Source::SelfTimed => {
                    Err(Unavailable::new("self-timed slices", format!("the workers of {} do not spin", spec.name)))
                }
                Source::Sampled => kernel::attach_sampled(root, HZ).map(Lanes::Kernel),
                Source::Unwatched => Ok(Lanes::Nobody),
            };
            match lanes {
                Ok(lanes) => {
                    let because = (!refusals.is_empty())
                        .then(|| refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
                    return Ok(Self { lanes, accounts: Accounts::default(), departed: Departed::default(), because });
                }
                Err(refused) => refusals.push(refused),
            }
        }
        Err(refusals.into_iter().next().unwrap_or_else(|| Unavailable::new("a source", "there is none")))
    }

    /// Why no better source is used.
    pub(super) fn because(&self) -> Option<String> {
        self.because.clone()
    }

    pub(super) fn source(&self) -> Source {
        match &self.lanes {
            Lanes::Kernel(observer) => observer.source(),
            Lanes::Workers(_) => Source::SelfTimed,
            Lanes::Nobody => Source::Unwatched,
        }
    }

    pub(super) fn hz(&self) -> Option<u32> {
        match &self.lanes {
            Lanes::Kernel(observer) => observer.hz(),
            Lanes::Workers(_) | Lanes::Nobody => None,
        }
    }

    pub(super) fn interval(&self) -> Duration {
        match &self.lanes {
            Lanes::Kernel(observer) => observer.interval(),
            Lanes::Workers(_) => Duration::from_millis(25),
            Lanes::Nobody => UNWATCHED,
        }
    }

    /// Learns from the batch who there is, and appends who ran when.
    pub(super) fn drain(&mut self, released: Nanos, over: bool, batch: &mut Vec<Stamped>) {
        let mut seen = Vec::new();
        match &mut self.lanes {
            // Not even /proc is read. The last account of each worker comes from the stage.
            Lanes::Nobody => return,
            Lanes::Kernel(observer) if over => observer.finish(&mut seen),
            Lanes::Kernel(observer) => observer.drain(&mut seen),
            Lanes::Workers(workers) => {
                for fact in batch.iter() {
                    if let Fact::Task { tid, slot: Some(slot), .. } = fact.fact {
                        workers.note(slot, tid);
                    }
                }
                workers.drain(&mut seen);
            }
        }
        seen.iter_mut().for_each(|fact| fact.t = fact.t.since(released));
        let known: Vec<(Tid, Pid)> = batch
            .iter()
            .chain(&seen)
            .filter_map(|f| if let Fact::Task { tid, pid, .. } = f.fact { Some((tid, pid)) } else { None })
            .collect();
        for (tid, pid) in known {
            // A task that is gone already has no account to read; its leader told the last one.
            let _ = self.accounts.note(pid, tid);
        }
        self.departed.hold_back(batch, &mut seen);
        batch.append(&mut seen);
        batch.sort_by_key(|fact| fact.t);
    }

    /// Appends the ends of processes that were seen to end and of which nobody tells how.
    pub(super) fn miss(&mut self, over: bool, batch: &mut Vec<Stamped>) {
        self.departed.tell(over, kernel::listed, batch);
    }

    pub(super) fn account(&mut self, released: Nanos, batch: &mut Vec<Stamped>) {
        let first = batch.len();
        self.accounts.drain(batch);
        batch.iter_mut().skip(first).for_each(|fact| fact.t = fact.t.since(released));
    }
}
