//! Records of many CPUs in one order of time. Pure: it knows records and moments, no ring and no clock.
//!
//! **The release rule.** Each ring is in order, but one is read after the other. A record is released when every ring has
//! been read since a moment later than its stamp; the caller names that moment. A ring that was found full names an
//! earlier one, its newest record, because a loss that it has still to tell belongs right after that.
//! Nothing is dropped: a record that comes too late for its place is released next, stamped with the moment already
//! reached. No more than `limit` records are held; beyond that the oldest go early.

use super::ring::Record;

/// Records read but not yet released.
pub(super) struct Order {
    held: Vec<Record>,
    reached: u64,
    limit: usize,
}

impl Order {
    pub(super) fn new(limit: usize) -> Self {
        Self { held: Vec::new(), reached: 0, limit }
    }

    pub(super) fn hold(&mut self, record: Record) {
        self.held.push(record);
    }

    /// Hands over, in order of time, every record stamped `until` or earlier.
    pub(super) fn release(&mut self, until: u64, mut each: impl FnMut(Record)) {
        // Stable, so that the records of one ring with one stamp stay as they were written. A few sorted runs: cheap.
        self.held.sort_by_key(|r| r.t);
        let due = self.held.partition_point(|r| r.t <= until).max(self.held.len().saturating_sub(self.limit));
        for mut record in self.held.drain(..due) {
            self.reached = self.reached.max(record.t);
            record.t = self.reached;
            each(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ring::What;
    use super::*;
    use proptest::prelude::*;

    fn record(cpu: u32, t: u64, id: u32) -> Record {
        Record { t, cpu, pid: id, tid: id, what: What::In }
    }

    fn released(order: &mut Order, until: u64) -> Vec<(u64, u32)> {
        let mut out = Vec::new();
        order.release(until, |r| out.push((r.t, r.tid)));
        out
    }

    #[test]
    fn two_rings_become_one_line() {
        let mut order = Order::new(100);
        for r in [record(0, 1, 1), record(0, 5, 5), record(1, 2, 2), record(1, 9, 9)] {
            order.hold(r);
        }
        assert_eq!(released(&mut order, 5), [(1, 1), (2, 2), (5, 5)]);
        assert_eq!(released(&mut order, 8), []);
        assert_eq!(released(&mut order, 9), [(9, 9)]);
    }

    #[test]
    fn a_late_record_is_kept_and_stamped_with_the_moment_reached() {
        let mut order = Order::new(100);
        order.hold(record(0, 10, 1));
        assert_eq!(released(&mut order, 10), [(10, 1)]);
        order.hold(record(1, 4, 2));
        assert_eq!(released(&mut order, 10), [(10, 2)]);
    }

    /// Batches as drains bring them: (cpu, steps in time), and how far each release goes.
    fn batches() -> impl Strategy<Value = Vec<(Vec<(u32, u64)>, u64)>> {
        proptest::collection::vec((proptest::collection::vec((0u32..4, 0u64..1000), 0..20), 0u64..1000), 0..20)
    }

    proptest! {
        #[test]
        fn never_out_of_order_never_dropped_never_unbounded(batches in batches()) {
            let mut order = Order::new(8);
            let (mut sent, mut out) = (0, Vec::new());
            for (batch, until) in batches {
                for (cpu, t) in batch {
                    sent += 1;
                    order.hold(record(cpu, t, sent));
                }
                out.extend(released(&mut order, until));
                prop_assert!(order.held.len() <= 8);
            }
            out.extend(released(&mut order, u64::MAX));
            prop_assert!(out.is_sorted_by_key(|(t, _)| *t));
            let mut ids: Vec<_> = out.iter().map(|(_, id)| *id).collect();
            ids.sort_unstable();
            prop_assert_eq!(ids, (1..=sent).collect::<Vec<_>>());
        }

        #[test]
        fn records_within_the_rule_keep_their_stamps(gaps in proptest::collection::vec((0u32..3, 1u64..50), 1..60)) {
            // One time line dealt to three CPUs, read in passes of ten; each pass releases up to what it has read.
            let mut order = Order::new(1000);
            let (mut t, mut line, mut out) = (0, Vec::new(), Vec::new());
            for (i, (cpu, gap)) in gaps.iter().enumerate() {
                t += gap;
                line.push((t, u32::try_from(i).expect("few")));
                order.hold(record(*cpu, t, line[i].1));
                if i % 10 == 9 {
                    out.extend(released(&mut order, t));
                }
            }
            out.extend(released(&mut order, u64::MAX));
            prop_assert_eq!(out, line);
        }
    }
}
