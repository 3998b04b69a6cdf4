//! What is kept, what is forgotten, and what is said of it.

use super::*;
use crate::fact::{Fact, Outcome, Values};

const CPU: Cpu = Cpu(0);

fn ms(n: u64) -> Nanos {
    Nanos::from_millis(n)
}

fn turn(lanes: &mut Lanes, tid: u32, from: Nanos, to: Nanos) {
    let tid = Tid(tid);
    lanes.apply(&Stamped::new(from, Fact::In { cpu: CPU, tid }));
    lanes.apply(&Stamped::new(to, Fact::Out { cpu: CPU, tid, why: Why::Preempted }));
}

fn who(cells: &[Cell]) -> Vec<Occupant> {
    cells.iter().map(|cell| cell.who).collect()
}

#[test]
fn a_column_is_its_longest_occupants_and_nobody_is_one() {
    let mut lanes = Lanes::default();
    turn(&mut lanes, 1, ms(10), ms(12));
    turn(&mut lanes, 2, ms(12), ms(15));
    turn(&mut lanes, 1, ms(15), ms(16));
    turn(&mut lanes, 3, ms(24), ms(26));
    lanes.advance(ms(30));
    let cells = lanes.cells(CPU, ms(10), ms(10), 3);
    // Tasks 1 and 2 have 3 ms each of the first column, nobody has 4.
    assert_eq!(who(&cells), [Occupant::Nobody, Occupant::Nobody, Occupant::Nobody]);
    assert_eq!(cells.iter().map(|c| c.switches).collect::<Vec<_>>(), [6, 2, 0]);
    assert_eq!(who(&lanes.cells(CPU, ms(10), ms(6), 1)), [Occupant::Task(Tid(1))], "of equals the first");
    assert_eq!(who(&lanes.cells(CPU, ms(23), ms(4), 1)), [Occupant::Task(Tid(3))], "of equals a task");
    assert!(lanes.cells(CPU, ms(0), ms(10), 1)[0].gap, "no start was seen, so the beginning is not known");
    assert_eq!(lanes.cells(Cpu(9), ms(0), ms(1), 2), [Cell::default(); 2], "a CPU without a lane");
    assert!(lanes.cells(CPU, ms(0), ms(1), 0).is_empty());
    assert_eq!(lanes.cells(CPU, Nanos(u64::MAX), Nanos(u64::MAX), 3).len(), 3);
    assert_eq!(lanes.cells(CPU, ms(1), Nanos::ZERO, 3).len(), 3);
}

#[test]
fn an_open_turn_reaches_to_now_and_no_further() {
    let mut lanes = Lanes::default();
    turn(&mut lanes, 1, ms(0), ms(2));
    lanes.apply(&Stamped::new(ms(2), Fact::In { cpu: CPU, tid: Tid(2) }));
    lanes.advance(ms(4));
    let (one, two) = (Occupant::Task(Tid(1)), Occupant::Task(Tid(2)));
    assert_eq!((lanes.ran(CPU), lanes.ran(Cpu(9))), (ms(4), Nanos::ZERO), "what is on now is counted");
    assert_eq!(who(&lanes.cells(CPU, ms(0), ms(1), 6)), [one, one, two, two, Occupant::Nobody, Occupant::Nobody]);
    for t in [2, 9] {
        assert_eq!(lanes.slice_at(CPU, ms(t)).map(|s| (s.tid, s.to)), Some((Tid(2), None)));
    }
    assert_eq!(lanes.slice_before(CPU, ms(2)).map(|s| (s.tid, s.to)), Some((Tid(1), Some(ms(2)))));
    assert_eq!(lanes.slice_after(CPU, ms(0)).map(|s| s.tid), Some(Tid(2)));
    assert_eq!(lanes.slice_after(CPU, ms(2)), None);
    assert_eq!(lanes.latest(Nanos::ZERO), Some(ms(4)), "it goes on");
}

#[test]
fn the_latest_turn_of_some_length_is_told_long_after() {
    let mut lanes = Lanes::default();
    assert_eq!(lanes.latest(Nanos::ZERO), None);
    turn(&mut lanes, 1, ms(0), ms(2));
    turn(&mut lanes, 1, ms(5), ms(7));
    turn(&mut lanes, 1, ms(8000), ms(8001));
    lanes.advance(ms(9000));
    assert_eq!([0, 1, 2, 3].map(|n| lanes.latest(ms(n))), [Some(ms(8001)), Some(ms(8001)), Some(ms(7)), None]);
}

#[test]
fn a_switch_is_counted_in_the_column_in_which_it_is_and_the_end_of_the_run_is_none() {
    let mut lanes = Lanes::default();
    turn(&mut lanes, 1, ms(1), ms(3));
    lanes.apply(&Stamped::new(ms(5), Fact::In { cpu: CPU, tid: Tid(2) }));
    let outcome = Outcome { values: Values::new(), lost: 0, seconds: 0.0, clean: true, left_behind: 0, broke: None };
    lanes.apply(&Stamped::new(ms(7), Fact::Outcome(outcome)));
    lanes.advance(ms(9));
    let switches = |from| lanes.cells(CPU, ms(from), ms(1), 3).iter().map(|c| c.switches).collect::<Vec<_>>();
    assert_eq!([0, 3, 6].map(switches), [[0, 1, 0], [1, 0, 1], [0, 0, 0]]);
}

#[test]
fn a_column_of_which_most_is_unknown_names_nobody() {
    let mut lanes = Lanes::default();
    turn(&mut lanes, 1, ms(6), ms(10));
    assert_eq!(who(&lanes.cells(CPU, ms(0), ms(10), 1)), [Occupant::Unknown]);
}

#[test]
fn late_word_explains_the_turn_of_its_task_and_no_other_that_began_with_it() {
    let mut lanes = Lanes::default();
    for (t, tid) in [(3, 1), (3, 2), (6, 3)] {
        lanes.apply(&Stamped::new(ms(t), Fact::In { cpu: CPU, tid: Tid(tid) }));
    }
    lanes.apply(&Stamped::new(ms(6), Fact::Out { cpu: CPU, tid: Tid(1), why: Why::Blocked }));
    assert_eq!(lanes.slice_at(CPU, ms(4)).map(|s| (s.tid, s.why)), Some((Tid(2), Why::Unknown)));
    lanes.apply(&Stamped::new(ms(6), Fact::Out { cpu: CPU, tid: Tid(2), why: Why::Preempted }));
    assert_eq!(lanes.slice_at(CPU, ms(4)).map(|s| (s.tid, s.why)), Some((Tid(2), Why::Preempted)));
}

#[test]
fn what_is_kept_is_bounded_and_what_is_not_kept_is_unknown() {
    let mut lanes = Lanes::default();
    let turns = 200_000;
    for i in 0..turns {
        turn(&mut lanes, 1 + u32::try_from(i % 2).expect("a bit"), ms(i), ms(i + 1));
    }
    let lane = &lanes.picture.0[0];
    assert_eq!(lane.history.begin(), ms(turns - 65_536));
    assert_eq!(lanes.earliest(), Nanos::ZERO, "bins of half a second reach back to the start");
    let old = lanes.cells(CPU, ms(1000), ms(1), 3);
    assert!(old.iter().all(|c| c.gap && c.who == Occupant::Unknown), "{old:?}");
    let old = lanes.cells(CPU, ms(1000), ms(500), 3);
    assert!(old.iter().all(|c| !c.gap && c.switches == 1000), "{old:?}");
    let edge = lanes.cells(CPU, ms(turns - 65_538), ms(1), 4);
    assert_eq!(edge.iter().map(|c| c.gap).collect::<Vec<_>>(), [true, true, false, false]);
    assert_eq!(lanes.slice_at(CPU, ms(5)), None);
    assert_eq!(lanes.switches(CPU), turns);
}

#[test]
fn half_second_bins_are_dropped_in_their_turn() {
    let mut lanes = Lanes::default();
    for i in 0..10_000 {
        turn(&mut lanes, 1, ms(500 * i), ms(500 * i + 1));
    }
    // The turns themselves reach further back here than the bins.
    assert_eq!(lanes.earliest(), Nanos::ZERO);
    assert_eq!(lanes.picture.0[0].levels[2].begin(), ms(500 * (10_000 - 8192)));
}

#[test]
fn a_bin_of_many_tasks_keeps_their_sum_and_the_longest() {
    let mut lanes = Lanes::default();
    let us = |n: u64| Nanos(n * 1000);
    for i in 0..20 {
        let tid = u32::try_from(i).expect("few") + 1;
        turn(&mut lanes, tid, us(500 * i), us(500 * i + if i == 13 { 400 } else { 200 }));
    }
    lanes.advance(ms(10));
    let [turns, bins] = lanes.cells_both_ways(CPU, ms(0), ms(10), 1);
    assert_eq!((turns[0].switches, turns[0].gap), (40, false));
    assert_eq!(turns, bins, "nobody had the most of it: 5.8 ms");
    for i in 0..20 {
        turn(&mut lanes, i + 1, us(10_000 + 500 * u64::from(i)), us(10_500 + 500 * u64::from(i)));
    }
    turn(&mut lanes, 50, ms(20), ms(21));
    let [turns, bins] = lanes.cells_both_ways(CPU, ms(10), ms(10), 1);
    assert!(matches!((turns[0].who, bins[0].who), (Occupant::Task(_), Occupant::Task(_))));
}

#[test]
fn a_cpu_that_cannot_be_is_left_out() {
    let mut lanes = Lanes::default();
    lanes.apply(&Stamped::new(ms(1), Fact::In { cpu: Cpu(u32::MAX), tid: Tid(1) }));
    lanes.apply(&Stamped::new(ms(1), Fact::Out { cpu: Cpu(8192), tid: Tid(1), why: Why::Blocked }));
    assert!(lanes.cpus().is_empty());
    assert_eq!(lanes.strays(), 2);
}
