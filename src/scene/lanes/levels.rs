//! One CPU's history in bins of a fixed width: for wide columns, and for longer than single turns are kept.
//!
//! A bin names up to six tasks with their exact times; the time of further ones is summed without their names, so that a
//! cell over such bins may name a task that had a little less of the CPU than another. Switches, nobody's time and
//! unknown time are exact. Bins in which nothing changed are not stored.

use super::Occupant;
use super::paint::{Painter, Rest};
use crate::fact::{Nanos, Tid};
use std::collections::VecDeque;

/// Tasks that a bin names.
const NAMED: usize = 6;

/// Bins that are kept.
const KEPT: usize = 8192;

#[derive(Debug, Clone, Copy)]
struct Bin {
    /// Its number: it begins at this many widths.
    number: u64,
    tasks: [(Tid, u32); NAMED],
    others: u32,
    unknown: u32,
    switches: u32,
    /// Who has the CPU from its end to the next stored bin.
    after: Occupant,
}

/// The bins of one width.
#[derive(Debug, Clone)]
pub(super) struct Level {
    width: u32,
    bins: VecDeque<Bin>,
    /// Bins before this number were dropped.
    first: u64,
}

impl Level {
    /// A level of bins `width` nanoseconds wide.
    pub(super) fn new(width: u32) -> Self {
        Self { width, bins: VecDeque::new(), first: 0 }
    }

    /// The width of a bin.
    pub(super) fn width(&self) -> u64 {
        u64::from(self.width)
    }

    /// The moment from which on everything is kept.
    pub(super) fn begin(&self) -> Nanos {
        self.start(self.first)
    }

    /// `who` had the CPU from `from`, which is where the last interval ended, to `to`.
    pub(super) fn add(&mut self, who: Occupant, from: Nanos, to: Nanos) {
        if from == to {
            return;
        }
        let width = self.width();
        let bin = self.bin(from.0 / width);
        let end = Nanos(bin.number.saturating_add(1).saturating_mul(width));
        bin.add(who, to.min(end).since(from));
        if to <= end {
            return;
        }
        bin.after = who;
        let rest = to.0 % width;
        if rest > 0 && who != Occupant::Nobody {
            self.bin(to.0 / width).add(who, Nanos(rest));
        }
    }

    /// A switch happened at `at`.
    pub(super) fn mark(&mut self, at: Nanos) {
        let bin = self.bin(at.0 / self.width());
        bin.switches = bin.switches.saturating_add(1);
    }

    /// Paints what is kept of a window up to `closed`, the end of the last interval. A bin counts for the column in which
    /// it begins: exact when `from` and the columns are multiples of the width.
    pub(super) fn paint(&self, painter: &mut Painter, from: Nanos, until: Nanos, closed: Nanos) {
        painter.paint(Occupant::Unknown, Nanos::ZERO, self.begin());
        let first = self.bins.partition_point(|b| self.start(b.number.saturating_add(1)) <= from);
        let mut last = first.checked_sub(1).map(|i| self.bins[i]);
        for bin in self.bins.range(first..).take_while(|b| self.start(b.number) < until) {
            self.paint_after(painter, last, self.start(bin.number));
            let named = bin.tasks.iter().take_while(|(_, ns)| *ns > 0).map(|(tid, ns)| (*tid, u64::from(*ns)));
            let rest = Rest { others: u64::from(bin.others), unknown: u64::from(bin.unknown), switches: bin.switches };
            painter.pour(self.start(bin.number), named, rest);
            last = Some(*bin);
        }
        self.paint_after(painter, last, closed.min(until));
    }

    fn paint_after(&self, painter: &mut Painter, bin: Option<Bin>, to: Nanos) {
        if let Some(bin) = bin {
            painter.paint(bin.after, self.start(bin.number.saturating_add(1)), to);
        }
    }

    fn start(&self, number: u64) -> Nanos {
        Nanos(number.saturating_mul(self.width()))
    }

    /// The bin with this number, which is the newest or newer.
    fn bin(&mut self, number: u64) -> &mut Bin {
        if self.bins.back().is_none_or(|newest| newest.number < number) {
            if self.bins.len() >= KEPT {
                self.bins.pop_front();
                self.first = self.bins.front().map_or(number, |b| b.number);
            }
            self.bins.push_back(Bin::new(number));
        }
        let newest = self.bins.len() - 1;
        &mut self.bins[newest]
    }
}

impl Bin {
    fn new(number: u64) -> Self {
        let tasks = [(Tid(0), 0); NAMED];
        Self { number, tasks, others: 0, unknown: 0, switches: 0, after: Occupant::Nobody }
    }

    fn add(&mut self, who: Occupant, time: Nanos) {
        // No longer than the bin, whose width is a u32.
        let ns = u32::try_from(time.0).unwrap_or(u32::MAX);
        match who {
            Occupant::Nobody => {}
            Occupant::Unknown => self.unknown += ns,
            Occupant::Task(tid) => self.add_task(tid, ns),
        }
    }

    fn add_task(&mut self, tid: Tid, ns: u32) {
        if let Some((named, sum)) = self.tasks.iter_mut().find(|(t, sum)| *t == tid || *sum == 0) {
            *named = tid;
            *sum += ns;
            return;
        }
        let Some(least) = self.tasks.iter_mut().min_by_key(|(_, sum)| *sum) else { return };
        if least.1 < ns {
            self.others += least.1;
            *least = (tid, ns);
        } else {
            self.others += ns;
        }
    }
}
