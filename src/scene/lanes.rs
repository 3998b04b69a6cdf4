//! Who ran when on each core: a state machine per CPU with `Unknown`, and cells for any window of it.

use crate::fact::{Cpu, Nanos, Stamped, Tid, Why};

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

/// The lanes of a run.
#[derive(Debug, Clone, Default)]
pub struct Lanes {
    cpus: Vec<Cpu>,
}

impl Lanes {
    /// The CPUs that have a lane: those that the demo may use, and any other on which one of its tasks was seen.
    #[must_use]
    pub fn cpus(&self) -> &[Cpu] {
        &self.cpus
    }

    /// The cells of `cpu` for `columns` columns of width `column`, the first beginning at `from`.
    /// Columns in the future (after the newest fact) are `Nobody`.
    #[must_use]
    pub fn cells(&self, _cpu: Cpu, _from: Nanos, _column: Nanos, columns: usize) -> Vec<Cell> {
        vec![Cell::default(); columns]
    }

    /// The slice of `cpu` that covers the moment `t`, or else the last one before it.
    #[must_use]
    pub fn slice_at(&self, _cpu: Cpu, _t: Nanos) -> Option<Slice> {
        None
    }

    /// The slice of `cpu` that follows the one that begins at `from`.
    #[must_use]
    pub fn slice_after(&self, _cpu: Cpu, _from: Nanos) -> Option<Slice> {
        None
    }

    /// The slice of `cpu` that ends before the one that begins at `from`.
    #[must_use]
    pub fn slice_before(&self, _cpu: Cpu, _from: Nanos) -> Option<Slice> {
        None
    }

    /// How often `cpu` changed hands.
    #[must_use]
    pub fn switches(&self, _cpu: Cpu) -> u64 {
        0
    }

    /// The earliest moment that is still kept.
    #[must_use]
    pub fn earliest(&self) -> Nanos {
        Nanos::ZERO
    }

    /// Takes one fact in.
    pub fn apply(&mut self, _stamped: &Stamped) {}
}
