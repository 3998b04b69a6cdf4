//! Turns intervals, given in the order of time, into the cells of a window. It does not know where they are kept.

use super::{Cell, Occupant};
use crate::fact::{Nanos, Tid};

/// How many thread ids are told apart without a search.
const HINTS: usize = 256;

/// How long each occupant had a column. Nobody's share is what is left.
#[derive(Debug)]
struct Sum {
    tasks: Vec<(Tid, u64)>,
    /// Where in `tasks` the newest id of each place is. Where it points to an id of another place, there is none.
    hints: [usize; HINTS],
    taken: u64,
    unknown: u64,
    switches: u32,
}

impl Sum {
    fn add(&mut self, tid: Tid, ns: u64) {
        self.taken += ns;
        let hint = &mut self.hints[place(tid)];
        match self.tasks.get_mut(*hint) {
            Some((hinted, sum)) if *hinted == tid => *sum += ns,
            Some((hinted, _)) if place(*hinted) == place(tid) => self.add_searching(tid, ns),
            _ => {
                *hint = self.tasks.len();
                self.tasks.push((tid, ns));
            }
        }
    }

    fn add_searching(&mut self, tid: Tid, ns: u64) {
        match self.tasks.iter_mut().find(|(t, _)| *t == tid) {
            Some((_, sum)) => *sum += ns,
            None => self.tasks.push((tid, ns)),
        }
    }

    /// The cell of a column of which `extent` nanoseconds have passed. Of equals the one seen first wins, a task before
    /// nobody.
    fn cell(&self, extent: u64) -> Cell {
        let nobody = extent.saturating_sub(self.taken).saturating_sub(self.unknown);
        let best = self.tasks.iter().rev().max_by_key(|(_, ns)| *ns);
        let who = match best {
            Some((tid, ns)) if *ns > 0 && *ns >= nobody && *ns >= self.unknown => Occupant::Task(*tid),
            _ if self.unknown > 0 && self.unknown >= nobody => Occupant::Unknown,
            _ => Occupant::Nobody,
        };
        Cell { who, switches: self.switches, gap: self.unknown > 0 }
    }

    fn clear(&mut self) {
        self.tasks.clear();
        (self.taken, self.unknown, self.switches) = (0, 0, 0);
    }
}

/// The place of a thread id among the hints. Knuth's multiplier spreads ids that follow each other in steps.
fn place(tid: Tid) -> usize {
    usize::from(tid.0.wrapping_mul(0x9E37_79B1).to_be_bytes()[0])
}

/// Fills columns from left to right.
#[derive(Debug)]
pub(super) struct Painter {
    cells: Vec<Cell>,
    columns: usize,
    column: u64,
    from: u64,
    until: u64,
    /// The column being filled.
    begin: u64,
    end: u64,
    now: u64,
    sum: Sum,
}

impl Painter {
    /// A painter of `columns` columns of width `column` from `from` on, of which those after `now` are the future.
    pub(super) fn new(from: Nanos, column: Nanos, columns: usize, now: Nanos) -> Self {
        let column = column.0.max(1);
        Self {
            cells: Vec::with_capacity(columns),
            columns,
            column,
            from: from.0,
            until: until(from, Nanos(column), columns).0,
            begin: from.0,
            end: from.0.saturating_add(column),
            now: now.0,
            sum: Sum { tasks: Vec::new(), hints: [0; HINTS], taken: 0, unknown: 0, switches: 0 },
        }
    }

    /// Somebody was there from `from` to `to`. Nobody's time need not be told.
    pub(super) fn paint(&mut self, who: Occupant, from: Nanos, to: Nanos) {
        let (mut at, to) = (from.0.max(self.from), to.0.min(self.until).min(self.now));
        while at < to && who != Occupant::Nobody {
            self.go(at);
            let stop = to.min(self.end);
            match who {
                Occupant::Task(tid) => self.sum.add(tid, stop - at),
                _ => self.sum.unknown += stop - at,
            }
            at = stop;
        }
    }

    /// A switch happened at `at`.
    pub(super) fn mark(&mut self, at: Nanos) {
        if self.go(at.0) {
            self.sum.switches += 1;
        }
    }

    /// Many short intervals and switches lie in one column, the one of `at`.
    pub(super) fn pour(&mut self, at: Nanos, tasks: impl Iterator<Item = (Tid, u64)>, rest: Rest) {
        if !self.go(at.0.max(self.from)) {
            return;
        }
        for (tid, ns) in tasks {
            self.sum.add(tid, ns);
        }
        self.sum.taken += rest.others;
        self.sum.unknown += rest.unknown;
        self.sum.switches = self.sum.switches.saturating_add(rest.switches);
    }

    /// The cells.
    pub(super) fn finish(mut self) -> Vec<Cell> {
        if self.cells.len() < self.columns {
            self.flush();
        }
        self.cells.resize(self.columns, Cell::default());
        self.cells
    }

    /// Goes on to the column that contains `at`; false outside the window.
    fn go(&mut self, at: u64) -> bool {
        if at < self.begin || at >= self.until {
            return false;
        }
        while at >= self.end {
            self.flush();
        }
        true
    }

    fn flush(&mut self) {
        self.cells.push(self.sum.cell(self.end.min(self.now).saturating_sub(self.begin)));
        self.sum.clear();
        self.begin = self.end;
        self.end = self.end.saturating_add(self.column);
    }
}

/// What a bin holds besides the tasks it names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    pub(super) others: u64,
    pub(super) unknown: u64,
    pub(super) switches: u32,
}

/// Where a window ends.
pub(super) fn until(from: Nanos, column: Nanos, columns: usize) -> Nanos {
    let width = u64::try_from(columns).unwrap_or(u64::MAX).saturating_mul(column.0.max(1));
    Nanos(from.0.saturating_add(width))
}
