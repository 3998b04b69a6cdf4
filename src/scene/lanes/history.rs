//! The turns of one CPU as they were, as many of the newest as are kept. Nobody's time is what lies between them.

use super::paint::Painter;
use super::{Occupant, Slice};
use crate::fact::{Nanos, Tid, Why};
use std::collections::VecDeque;

/// One turn, or one stretch that is not known.
#[derive(Debug, Clone, Copy)]
struct Entry {
    from: Nanos,
    to: Nanos,
    tid: Tid,
    known: bool,
    why: Why,
    /// A switch stands at its beginning.
    began: bool,
    /// A switch stands at its end.
    ended: bool,
}

/// The turns of one CPU, in the order of time.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    entries: VecDeque<Entry>,
    begin: Nanos,
}

impl History {
    /// Adds a turn of a task or an unknown stretch; `began` and `ended` say whether a switch stands there.
    pub(super) fn push(
        &mut self,
        who: Occupant,
        span: (Nanos, Nanos),
        why: Why,
        (began, ended): (bool, bool),
        cap: usize,
    ) {
        let (tid, known) = match who {
            Occupant::Nobody => return,
            Occupant::Task(tid) => (tid, true),
            Occupant::Unknown => (Tid(0), false),
        };
        while self.entries.len() >= cap.max(1) {
            self.begin = self.entries.pop_front().map_or(self.begin, |e| e.to);
        }
        self.entries.push_back(Entry { from: span.0, to: span.1, tid, known, why, began, ended });
    }

    /// A switch stands at the end of the newest entry after all.
    pub(super) fn mark_end(&mut self) {
        if let Some(newest) = self.entries.back_mut() {
            newest.ended = true;
        }
    }

    /// Says why the turn that began at `from` ended, if it is still kept.
    pub(super) fn explain(&mut self, tid: Tid, from: Nanos, why: Why) {
        let first = self.entries.partition_point(|e| e.from < from);
        let same = self.entries.range_mut(first..).take_while(|e| e.from == from);
        for entry in same.filter(|e| e.known && e.tid == tid) {
            entry.why = why;
        }
    }

    /// The moment from which on everything is kept.
    pub(super) fn begin(&self) -> Nanos {
        self.begin
    }

    /// How many entries lie in a window.
    pub(super) fn count(&self, from: Nanos, until: Nanos) -> usize {
        let end = self.entries.partition_point(|e| e.from < until);
        end.saturating_sub(self.entries.partition_point(|e| e.to < from))
    }

    /// Paints what is kept of a window.
    pub(super) fn paint(&self, painter: &mut Painter, from: Nanos, until: Nanos) {
        painter.paint(Occupant::Unknown, Nanos::ZERO, self.begin);
        let first = self.entries.partition_point(|e| e.to < from);
        for entry in self.entries.range(first..).take_while(|e| e.from < until) {
            if entry.began {
                painter.mark(entry.from);
            }
            let who = if entry.known { Occupant::Task(entry.tid) } else { Occupant::Unknown };
            painter.paint(who, entry.from, entry.to);
            if entry.ended {
                painter.mark(entry.to);
            }
        }
    }

    /// The newest turn that began at `t` or before.
    pub(super) fn at(&self, t: Nanos) -> Option<Slice> {
        let end = self.entries.partition_point(|e| e.from <= t);
        self.entries.range(..end).rev().find_map(Entry::slice)
    }

    /// The newest turn that began before `from`.
    pub(super) fn before(&self, from: Nanos) -> Option<Slice> {
        let end = self.entries.partition_point(|e| e.from < from);
        self.entries.range(..end).rev().find_map(Entry::slice)
    }

    /// The oldest turn that began after `from`. Of those that began at one moment all but the last are empty: the last.
    pub(super) fn after(&self, from: Nanos) -> Option<Slice> {
        let first = self.entries.partition_point(|e| e.from <= from);
        let next = self.entries.range(first..).find_map(Entry::slice)?;
        self.at(next.from)
    }
}

impl Entry {
    fn slice(&self) -> Option<Slice> {
        self.known.then_some(Slice { tid: self.tid, from: self.from, to: Some(self.to), why: self.why })
    }
}
