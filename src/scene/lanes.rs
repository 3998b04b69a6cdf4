//! Who ran when on each core: a state machine per CPU with `Unknown`, and cells for any window of it.
//!
//! Single turns are kept as long as their number allows, and beside them three histories in bins of 10, 50 and 500 ms,
//! which reach further back and cost the same however often the CPU changed hands. What is kept is bounded, whatever the
//! length of the run: about 4 MB a CPU at most.

mod history;
mod levels;
mod paint;
#[cfg(test)]
mod tests;

use super::cores::{Change, Cores, End};
use crate::fact::{Cpu, Nanos, Stamped, Tid, Why};
use history::History;
use levels::Level;
use paint::Painter;

/// Turns that are kept: all lanes together, and the least and most of one lane.
const TURNS: (usize, usize, usize) = (1 << 20, 1 << 14, 1 << 16);

/// Up to this many turns a column, the turns themselves are painted, not the bins.
const TURNS_A_COLUMN: usize = 16;

/// The widths of the bins, in nanoseconds: each zoom of the screen from 10 ms a column up is a multiple of one of them, and
/// of no more than four.
const WIDTHS: [u32; 3] = [10_000_000, 50_000_000, 500_000_000];

/// Who had a CPU for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Occupant {
    /// Nobody of this run: idle, or somebody else's task.
    #[default]
    Nobody,
    /// This task.
    Task(Tid),
    /// Not known: records were lost, or it is before the beginning of what is kept.
    Unknown,
}

/// One column of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// Who had the CPU longest in this column.
    pub who: Occupant,
    /// Switches (in or out) in this column.
    pub switches: u32,
    /// Some of this column is not known.
    pub gap: bool,
}

/// One turn of a task on a CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The task.
    pub tid: Tid,
    /// When it got the CPU.
    pub from: Nanos,
    /// When it left it; none while it is on it.
    pub to: Option<Nanos>,
    /// Why it left.
    pub why: Why,
}

/// Turns that are looked back on for one that is long enough.
const LOOKED_BACK: usize = 4096;

/// The lanes of a run.
#[derive(Debug, Clone, Default)]
pub struct Lanes {
    cpus: Vec<Cpu>,
    cores: Cores,
    picture: Picture,
    now: Nanos,
}

/// What is kept of each CPU, in order of appearance.
#[derive(Debug, Clone, Default)]
struct Picture(Vec<Lane>);

#[derive(Debug, Clone)]
struct Lane {
    turns: u64,
    /// What tasks had of it, in the turns that are over.
    ran: Nanos,
    /// What is on now began with a switch.
    began: bool,
    history: History,
    levels: [Level; 3],
}

impl Lanes {
    /// The CPUs that have a lane: those that the demo may use, and any other on which one of its tasks was seen.
    #[must_use]
    pub fn cpus(&self) -> &[Cpu] {
        &self.cpus
    }

    /// The cells of `cpu` for `columns` columns of width `column`, the first beginning at `from`.
    /// Columns in the future (after the newest fact) are `Nobody`. A column that has begun is judged by what has passed.
    ///
    /// Exact as long as the turns of the window are kept and not more than 16 a column. Otherwise painted from bins: then
    /// switches, gaps and nobody's time are exact where `from` and `column` are multiples of the bin (10 ms; 50 ms from
    /// columns of 50 ms on, 500 ms from 500 ms on) and off by less than a bin at the edges of a column where they are not; and
    /// where a bin saw more than six tasks, `who` may be one that ran a little less than another.
    /// What is no longer kept is `Unknown`.
    #[must_use]
    pub fn cells(&self, cpu: Cpu, from: Nanos, column: Nanos, columns: usize) -> Vec<Cell> {
        let Some((core, lane)) = self.lane(cpu) else { return vec![Cell::default(); columns] };
        let until = paint::until(from, column, columns);
        self.paint(core, lane, lane.level(from, until, column, columns), (from, column, columns))
    }

    /// The cells from the bins of `level`, or from the turns.
    fn paint(&self, core: usize, lane: &Lane, level: Option<&Level>, window: (Nanos, Nanos, usize)) -> Vec<Cell> {
        let (from, column, columns) = window;
        let (who, since) = self.cores.open(core);
        let until = paint::until(from, column, columns);
        let mut painter = Painter::new(from, column, columns, self.now);
        match level {
            Some(level) => level.paint(&mut painter, from, until, since),
            None => {
                lane.history.paint(&mut painter, from, until);
                if lane.began {
                    painter.mark(since);
                }
            }
        }
        painter.paint(who, since, self.now);
        painter.finish()
    }

    /// The slice of `cpu` that covers the moment `t`, or else the last one before it.
    #[must_use]
    pub fn slice_at(&self, cpu: Cpu, t: Nanos) -> Option<Slice> {
        let (core, lane) = self.lane(cpu)?;
        self.open(core).filter(|open| open.from <= t).or_else(|| lane.history.at(t))
    }

    /// The slice of `cpu` that follows the one that begins at `from`.
    #[must_use]
    pub fn slice_after(&self, cpu: Cpu, from: Nanos) -> Option<Slice> {
        let (core, lane) = self.lane(cpu)?;
        let open = self.open(core).filter(|open| open.from > from);
        lane.history.after(from).filter(|next| open.is_none_or(|open| next.from < open.from)).or(open)
    }

    /// The slice of `cpu` that ends before the one that begins at `from`.
    #[must_use]
    pub fn slice_before(&self, cpu: Cpu, from: Nanos) -> Option<Slice> {
        let (core, lane) = self.lane(cpu)?;
        self.open(core).filter(|open| open.from < from).or_else(|| lane.history.before(from))
    }

    /// How often `cpu` changed hands: how many turns began on it.
    #[must_use]
    pub fn switches(&self, cpu: Cpu) -> u64 {
        self.lane(cpu).map_or(0, |(_, lane)| lane.turns)
    }

    /// How long tasks of this run were on `cpu`, the one that is on it now included.
    #[must_use]
    pub fn ran(&self, cpu: Cpu) -> Nanos {
        let Some((core, lane)) = self.lane(cpu) else { return Nanos::ZERO };
        let open = self.open(core).map_or(Nanos::ZERO, |slice| self.now.since(slice.from));
        Nanos(lane.ran.0.saturating_add(open.0))
    }

    /// The earliest moment that is still kept, at the coarsest zoom of the lane that reaches back furthest.
    #[must_use]
    pub fn earliest(&self) -> Nanos {
        self.picture.0.iter().map(Lane::earliest).min().unwrap_or_default()
    }

    /// The end of the newest turn on any of the CPUs that took at least `least` (now, while it goes on); none if there is
    /// none among the newest turns.
    #[must_use]
    pub fn latest(&self, least: Nanos) -> Option<Nanos> {
        let newest = |cpu: &Cpu| {
            let turns = std::iter::successors(self.slice_at(*cpu, self.now), |turn| self.slice_before(*cpu, turn.from));
            let mut spans = turns.take(LOOKED_BACK).map(|turn| (turn.from, turn.to.unwrap_or(self.now)));
            spans.find(|(from, to)| to.since(*from) >= least).map(|(_, to)| to)
        };
        self.cpus.iter().filter_map(newest).max()
    }

    /// The moment of the newest fact, or the last one given to [`Lanes::advance`].
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// Switches that did not fit and were left out: double ones, late ones, an out of a task that was not on.
    #[must_use]
    pub fn strays(&self) -> u64 {
        self.cores.strays()
    }

    /// Lets time pass: what is on a CPU is still on it.
    pub fn advance(&mut self, now: Nanos) {
        self.now = self.now.max(now);
    }

    /// Takes one fact in.
    pub fn apply(&mut self, stamped: &Stamped) {
        self.apply_and_tell(stamped, &mut |_| {});
    }

    /// Takes one fact in and hands on what it changed.
    pub(super) fn apply_and_tell(&mut self, stamped: &Stamped, tell: &mut impl FnMut(Change)) {
        self.advance(stamped.t);
        let Self { cpus, cores, picture, .. } = self;
        cores.apply(stamped, &mut |change| {
            if let Change::Core(cpu) = change {
                let place = cpus.partition_point(|c| *c < cpu);
                cpus.insert(place, cpu);
            }
            picture.change(change);
            tell(change);
        });
    }

    fn lane(&self, cpu: Cpu) -> Option<(usize, &Lane)> {
        let core = self.cores.position(cpu)?;
        Some((core, self.picture.0.get(core)?))
    }

    /// The cells painted from the turns, and the same painted from bins.
    #[cfg(test)]
    pub(super) fn cells_both_ways(&self, cpu: Cpu, from: Nanos, column: Nanos, columns: usize) -> [Vec<Cell>; 2] {
        let (core, lane) = self.lane(cpu).expect("a lane");
        let level = lane.coarsest(from, column).expect("columns of 10 ms or more");
        [None, Some(level)].map(|level| self.paint(core, lane, level, (from, column, columns)))
    }

    fn open(&self, core: usize) -> Option<Slice> {
        match self.cores.open(core) {
            (Occupant::Task(tid), from) => Some(Slice { tid, from, to: None, why: Why::Unknown }),
            _ => None,
        }
    }
}

impl Picture {
    fn change(&mut self, change: Change) {
        let (share, least, most) = TURNS;
        let cap = (share / self.0.len().max(1)).clamp(least, most);
        match change {
            Change::Core(_) => self.0.push(Lane::new()),
            Change::In { core, at, .. } => {
                let lane = &mut self.0[core];
                lane.began = true;
                lane.turns += 1;
                lane.mark(at);
            }
            Change::Over { core, who, from, to, why, end } => {
                let lane = &mut self.0[core];
                let ended = matches!(who, Occupant::Task(_)) && end != End::RunOver;
                let began = std::mem::take(&mut lane.began);
                if matches!(who, Occupant::Task(_)) {
                    lane.ran = Nanos(lane.ran.0.saturating_add(to.since(from).0));
                }
                lane.history.push(who, (from, to), why, (began, ended), cap);
                for level in &mut lane.levels {
                    level.add(who, from, to);
                }
                if ended {
                    lane.mark(to);
                }
            }
            Change::Out { core, at, .. } => {
                self.0[core].history.mark_end();
                self.0[core].mark(at);
            }
            Change::Late { core, tid, from, why, .. } => self.0[core].history.explain(tid, from, why),
            Change::Void { .. } => {}
        }
    }
}

impl Lane {
    fn new() -> Self {
        Self { turns: 0, ran: Nanos::ZERO, began: false, history: History::default(), levels: WIDTHS.map(Level::new) }
    }

    fn mark(&mut self, at: Nanos) {
        for level in &mut self.levels {
            level.mark(at);
        }
    }

    fn earliest(&self) -> Nanos {
        self.levels.iter().map(Level::begin).fold(self.history.begin(), Nanos::min)
    }

    /// The level from which a window is best painted; none if from the turns themselves.
    fn level(&self, from: Nanos, until: Nanos, column: Nanos, columns: usize) -> Option<&Level> {
        let turns_do =
            from >= self.history.begin() && self.history.count(from, until) <= TURNS_A_COLUMN.saturating_mul(columns);
        if turns_do { None } else { self.coarsest(from, column) }
    }

    /// The coarsest level that a window falls in with, or else the coarsest whose bins are not wider than its columns.
    fn coarsest(&self, from: Nanos, column: Nanos) -> Option<&Level> {
        let narrower = || self.levels.iter().rev().filter(|level| level.width() <= column.0);
        let fits = |l: &&Level| column.0.is_multiple_of(l.width()) && from.0.is_multiple_of(l.width());
        narrower().find(fits).or_else(|| narrower().next())
    }
}
