//! Totals in, values out; and the law and the cutting.

use super::*;
use crate::demo::sweep::Measured;
use crate::fact::{Cpu, Nanos, Row, Source, Start};

/// Seven rounds with these speed-ups on two cores.
fn tally(speedups: &[(usize, f64)], others: f64) -> Tally {
    let mut tally = Tally::default();
    let rows = (1..=7).flat_map(|round| {
        speedups.iter().map(move |(workers, rate)| {
            let measured = Measured { round, workers: *workers, rate: 5.0 * rate, busy: None, others: Some(others) };
            Row { name: measured.name(), first: Nanos::ZERO, last: Nanos::ZERO, values: measured.values() }
        })
    });
    tally.tables.insert(ROUNDS.to_owned(), rows.collect());
    tally.start = Some(Start {
        format: 1,
        demo: SPEC.name.to_owned(),
        params: Values::new(),
        source: Source::Exact,
        cpus: vec![Cpu(0), Cpu(1)],
        kernel: String::new(),
        hz: None,
        because: None,
        page_size: None,
    });
    tally
}

fn outcome(tally: &Tally) -> Values {
    Amdahl.outcome(&Params::defaults(&SPEC), tally)
}

#[test]
fn the_law_is_amdahls() {
    let found = [law(0.1, 1), law(0.1, 10), law(0.5, 1_000_000), law(0.0, 8), law(1.0, 8)].map(two);
    assert_eq!(found, [1.0, 5.26, 2.0, 8.0, 1.0]);
}

#[test]
fn what_was_measured_stands_beside_the_law() {
    let values = outcome(&tally(&[(1, 1.0), (2, 1.8), (4, 1.79)], 0.0));
    assert_eq!(values["speedup"], json!({"1": 1.0, "2": 1.8, "4": 1.79}));
    assert_eq!(values["law"], json!({"1": 1.0, "2": 1.82, "4": 3.08}));
    assert_eq!(values["here"], json!({"1": 1.0, "2": 1.82, "4": 1.82}));
    assert_eq!([&values["limit"], &values["best_speedup"]], [json!(10.0), json!(1.8)].each_ref());
    assert_eq!([&values["of_law"], &values["follows"]], [json!(0.99), json!("law")].each_ref());
}

#[test]
fn less_than_the_law_allows_is_below_it() {
    assert_eq!(outcome(&tally(&[(1, 1.0), (2, 1.2)], 0.0))["follows"], "below");
    assert_eq!(outcome(&tally(&[(1, 1.0), (2, 2.4)], 0.0))["follows"], "above");
}

#[test]
fn a_busy_machine_has_no_verdict() {
    let values = outcome(&tally(&[(1, 1.0), (2, 1.8)], 1.0));
    assert_eq!([&values["best_speedup"], &values["of_law"], &values["follows"]], [const { Value::Null }; 3].each_ref());
    assert_eq!(values["verdict"], "inconclusive");
    assert_eq!(outcome(&Tally::default())["verdict"], "inconclusive");
}

#[test]
fn the_work_is_cut_without_a_rest() {
    for (workers, pieces) in [(1, 60), (7, 56), (60, 60)] {
        let (alone, cut) = cut(10_007, 0.1, workers);
        assert_eq!((alone, cut.len(), cut.iter().sum::<u64>()), (vec![1001], pieces, 9006));
        assert!(cut.iter().max().zip(cut.iter().min()).is_some_and(|(most, least)| most - least <= 1));
    }
    assert_eq!(cut(100, 1.0, 2), (vec![100], vec![]));
    assert_eq!(cut(120, 0.0, 1).0, [0; 0]);
}
