//! Who is drawn on a CPU between two looks at /proc. Pure: it is told who ran how long, and knows no file and no clock.
//!
//! Between two looks several tasks may have run, and only one can be drawn. Each has a credit, what it ran and was not yet
//! drawn for, and so has "nobody of ours". Of those who ran since the last look, the one with most credit is drawn for the
//! whole interval and pays for it. So a picture of many looks gives each its share, and a task that ran for a tenth of the
//! time is drawn in one interval of ten.

use crate::fact::{Cpu, Fact, Nanos, Stamped, Tid, Why};
use std::collections::{BTreeMap, HashMap};

/// What a task ran since the last look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ran {
    pub(super) tid: u32,
    /// Where it ran last.
    pub(super) cpu: u32,
    /// Nanoseconds.
    pub(super) time: u64,
}

/// The CPUs with their occupants.
#[derive(Default)]
pub(super) struct Occupancy {
    lanes: BTreeMap<u32, Lane>,
    credits: HashMap<u32, i64>,
}

#[derive(Default)]
struct Lane {
    occupant: Option<u32>,
    nobody: i64,
}

/// Credit is bounded, in nanoseconds: a task that moves between CPUs may be owed what can never be drawn.
const BOUND: i64 = 100_000_000;

impl Occupancy {
    /// Draws the interval of `length` nanoseconds that began at `from`, where `ran` ran in it.
    pub(super) fn look(&mut self, from: Nanos, length: u64, ran: &[Ran], out: &mut Vec<Stamped>) {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        for task in ran {
            self.lanes.entry(task.cpu).or_default();
            let credit = self.credits.entry(task.tid).or_default();
            *credit = credit.saturating_add_unsigned(task.time).clamp(-BOUND, BOUND);
        }
        for (&cpu, lane) in &mut self.lanes {
            let here = || ran.iter().filter(|task| task.cpu == cpu);
            let used = here().fold(0, |sum: i64, task| sum.saturating_add_unsigned(task.time));
            lane.nobody = lane.nobody.saturating_add(length.saturating_sub(used)).clamp(-BOUND, BOUND);
            let most = here().max_by_key(|task| (self.credits[&task.tid], lane.occupant == Some(task.tid)));
            let occupant = most.map(|task| task.tid).filter(|tid| self.credits[tid] > lane.nobody);
            let payer = occupant.and_then(|tid| self.credits.get_mut(&tid)).unwrap_or(&mut lane.nobody);
            *payer = payer.saturating_sub(length);
            if occupant == lane.occupant {
                continue;
            }
            let cpu = Cpu(cpu);
            if let Some(tid) = lane.occupant {
                out.push(Stamped::new(from, Fact::Out { cpu, tid: Tid(tid), why: Why::Unknown }));
            }
            if let Some(tid) = occupant {
                out.push(Stamped::new(from, Fact::In { cpu, tid: Tid(tid) }));
            }
            lane.occupant = occupant;
        }
    }

    /// Forgets a task that is gone. The next look draws it out of its CPU.
    pub(super) fn forget(&mut self, tid: u32) {
        self.credits.remove(&tid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOOK: u64 = 16;

    fn ran(tid: u32, cpu: u32, time: u64) -> Ran {
        Ran { tid, cpu, time }
    }

    /// Looks one after the other, and who occupied CPU `cpu` in each.
    fn drawn(looks: &[Vec<Ran>], cpu: u32) -> Vec<Option<u32>> {
        let (mut occupancy, mut out) = (Occupancy::default(), Vec::new());
        let mut lane = Vec::new();
        for (i, look) in looks.iter().enumerate() {
            occupancy.look(Nanos(i as u64 * LOOK), LOOK, look, &mut out);
            lane.push(occupancy.lanes.get(&cpu).and_then(|l| l.occupant));
        }
        lane
    }

    #[test]
    fn facts_come_only_when_the_occupant_changes() {
        let (mut occupancy, mut out) = (Occupancy::default(), Vec::new());
        for (i, look) in [vec![ran(1, 0, 16)], vec![ran(1, 0, 16)], vec![ran(2, 0, 16)], vec![]].iter().enumerate() {
            occupancy.look(Nanos(i as u64 * LOOK), LOOK, look, &mut out);
        }
        let tid = Tid;
        let (cpu, why) = (Cpu(0), Why::Unknown);
        assert_eq!(
            out,
            [
                Stamped::new(Nanos(0), Fact::In { cpu, tid: tid(1) }),
                Stamped::new(Nanos(32), Fact::Out { cpu, tid: tid(1), why }),
                Stamped::new(Nanos(32), Fact::In { cpu, tid: tid(2) }),
                Stamped::new(Nanos(48), Fact::Out { cpu, tid: tid(2), why }),
            ]
        );
    }

    #[test]
    fn a_clock_that_ticks_unevenly_does_not_make_a_spinner_flicker() {
        let looks: Vec<_> = [12, 20, 16, 12, 20, 12, 20, 16].map(|time| vec![ran(1, 0, time)]).into();
        assert!(drawn(&looks, 0).iter().all(|who| *who == Some(1)));
    }

    #[test]
    fn a_task_that_ran_a_tenth_is_drawn_a_tenth() {
        let looks = vec![vec![ran(1, 0, 2)]; 800];
        assert_eq!(drawn(&looks, 0).iter().filter(|who| **who == Some(1)).count(), 100);
    }

    #[test]
    fn three_that_share_a_core_are_drawn_in_turn() {
        let looks = vec![vec![ran(1, 0, 5), ran(2, 0, 5), ran(3, 0, 6)]; 300];
        let lane = drawn(&looks, 0);
        for tid in 1..=3 {
            let n = lane.iter().filter(|who| **who == Some(tid)).count();
            assert!((90..=115).contains(&n), "{tid}: {n}");
        }
    }

    proptest! {
        #[test]
        fn any_looks_give_ins_and_outs_in_pairs(
            looks in proptest::collection::vec(proptest::collection::vec((1u32..5, 0u32..3, any::<u64>()), 0..6), 0..30)
        ) {
            let (mut occupancy, mut out) = (Occupancy::default(), Vec::new());
            for (i, look) in looks.iter().enumerate() {
                let look: Vec<_> = look.iter().map(|(tid, cpu, time)| ran(*tid, *cpu, *time)).collect();
                occupancy.look(Nanos(i as u64 * LOOK), LOOK, &look, &mut out);
            }
            let mut on = HashMap::new();
            for fact in out {
                match fact.fact {
                    Fact::In { cpu, tid } => prop_assert_eq!(on.insert(cpu, tid), None),
                    Fact::Out { cpu, tid, .. } => prop_assert_eq!(on.remove(&cpu), Some(tid)),
                    other => prop_assert!(false, "{other:?}"),
                }
            }
        }
    }
}
