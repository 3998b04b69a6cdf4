//! What all demos about places tell of the visits to them.

use crate::fact::{ReturnKind, ReturnSpec};

pub(in crate::demo) const WAITS: ReturnSpec =
    ReturnSpec { name: "waits", kind: ReturnKind::Count, help: "visits that had to wait" };
pub(in crate::demo) const MAX_INSIDE: ReturnSpec =
    ReturnSpec { name: "max_inside", kind: ReturnKind::Count, help: "the most that were inside at a time" };
pub(in crate::demo) const CPU_WAITING: ReturnSpec =
    ReturnSpec { name: "cpu_waiting", kind: ReturnKind::Share, help: "of the waiting, what was spent on a CPU" };
pub(in crate::demo) const FAIRNESS: ReturnSpec =
    ReturnSpec { name: "fairness", kind: ReturnKind::Share, help: "fewest visits of one against most of one" };
