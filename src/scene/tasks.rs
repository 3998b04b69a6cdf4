//! Totals, task by task.

use crate::fact::{Stamped, Tally};

/// Takes one fact into the totals.
pub(super) fn apply(tally: &mut Tally, stamped: &Stamped) {
    tally.now = tally.now.max(stamped.t);
}
