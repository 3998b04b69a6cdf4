//! The self-timed source: what the workers wrote on the board of their own turns, as facts.
//!
//! A worker that spins sees its own absences as gaps between two looks at the clock, and can write a turn down only
//! when it runs again. So the turn that is on, and the clock's last reading in it, stand on the board as well: a reading
//! older than [`GAP`] means that the worker is off since then.

use super::board::{Board, OwnSlice, SLOTS, State};
use super::now;
use crate::fact::{Cpu, Fact, Nanos, Stamped, Tid, Why};
use std::collections::BTreeMap;

/// A worker that has not looked at the clock for so long was not running. Interrupts take less, time slices more; on a
/// virtual machine the hypervisor may take the CPU for so long too, and then the worker truly did not run.
pub(super) const GAP: Nanos = Nanos(150_000);

/// Reads the board's slices.
#[derive(Debug)]
pub struct SelfTimed {
    board: Board,
    workers: BTreeMap<usize, Reading>,
    held: Vec<Stamped>,
}

#[derive(Debug)]
struct Reading {
    tid: Tid,
    next: u64,
    /// The turn whose beginning was told and whose end was not.
    open: Option<OwnSlice>,
}

impl SelfTimed {
    pub(super) fn new(board: Board) -> Self {
        Self { board, workers: BTreeMap::new(), held: Vec::new() }
    }

    /// The worker in `slot` is the task `tid`.
    pub fn note(&mut self, slot: u16, tid: Tid) {
        let slot = usize::from(slot);
        if slot < SLOTS {
            self.workers.entry(slot).or_insert(Reading { tid, next: 0, open: None });
        }
    }

    /// Appends what has happened since the last call, in the order of time. Moments are absolute.
    pub fn drain(&mut self, out: &mut Vec<Stamped>) {
        let horizon = now() - GAP;
        for (index, reading) in &mut self.workers {
            let slot = self.board.slot(*index);
            if slot.state() == State::Empty {
                continue;
            }
            let head = slot.head();
            let (slices, lost) = slot.slices(reading.next, head);
            reading.next = head;
            if lost > 0 {
                self.held.push(Stamped::new(horizon, Fact::Lost { records: lost }));
            }
            for slice in slices {
                reading.tell(slice, true, &mut self.held);
            }
            if let Some(current) = slot.current().filter(|_| slot.head() == head) {
                let ended = current.to < horizon || slot.state() == State::Done;
                reading.tell(current, ended, &mut self.held);
            }
        }
        self.held.sort_by_key(|fact| fact.t);
        let ready = self.held.partition_point(|fact| fact.t <= horizon);
        out.extend(self.held.drain(..ready));
    }
}

impl Reading {
    fn tell(&mut self, slice: OwnSlice, ended: bool, out: &mut Vec<Stamped>) {
        let cpu = Cpu(slice.cpu);
        let known = self.open.is_some_and(|open| open.from == slice.from);
        let told_out = self.open.is_some_and(|open| open.from == slice.from && open.to != Nanos::ZERO);
        if !known {
            out.push(Stamped::new(slice.from, Fact::In { cpu, tid: self.tid }));
            self.open = Some(OwnSlice { to: Nanos::ZERO, ..slice });
        }
        if ended && !told_out {
            out.push(Stamped::new(slice.to.max(slice.from), Fact::Out { cpu, tid: self.tid, why: Why::Unknown }));
            self.open = Some(OwnSlice { to: slice.to.max(Nanos(1)), ..slice });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_told_once_however_it_becomes_known() {
        let (board, fd) = Board::create().expect("memfd");
        let slot = Board::open(&fd).expect("map").slot(0);
        let mut reader = SelfTimed::new(board);
        reader.note(0, Tid(9));
        let start = now() - Nanos::from_millis(10);
        let at = |ms: u64| start + Nanos::from_millis(ms);
        slot.set_state(State::Working);
        slot.begin(1, at(0));
        slot.last(at(4));
        let mut out = Vec::new();
        reader.drain(&mut out);
        slot.push(OwnSlice { cpu: 1, from: at(0), to: at(4) });
        slot.begin(1, at(8));
        slot.last(at(8));
        reader.drain(&mut out);
        reader.drain(&mut out);
        let (cpu, tid) = (Cpu(1), Tid(9));
        let turn = |from, to| {
            let out = Fact::Out { cpu, tid, why: Why::Unknown };
            [Stamped::new(from, Fact::In { cpu, tid }), Stamped::new(to, out)]
        };
        assert_eq!(out, [turn(at(0), at(4)), turn(at(8), at(8))].concat());
    }
}
