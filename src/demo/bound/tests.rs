//! Totals in, values out.

use super::*;
use crate::demo::sweep::Measured;
use crate::fact::{Nanos, Row};

/// Rounds of both kinds, by workers and seconds.
fn tally(cpu: &[(usize, f64)], io: &[(usize, f64)], others: f64) -> Tally {
    let mut tally = Tally::default();
    for (kind, figures) in [("cpu", cpu), ("io", io)] {
        let rows = (1..=5).flat_map(|round| {
            figures.iter().map(move |(workers, seconds)| {
                let (workers, rate) = (*workers, 1.0 / seconds);
                let measured = Measured { round, workers, rate, busy: Some(1.0), others: Some(others) };
                Row { name: measured.name(), first: Nanos::ZERO, last: Nanos::ZERO, values: measured.values() }
            })
        });
        tally.tables.insert(rounds_of(kind), rows.collect());
    }
    tally
}

#[test]
fn seconds_and_speed_ups_are_told_by_workers() {
    let values = Bound.outcome(&Params::defaults(&SPEC), &tally(&[(1, 0.4), (2, 0.2)], &[(1, 0.8), (8, 0.1)], 0.0));
    assert_eq!(values["cpu_seconds"], json!({"1": 0.4, "2": 0.2}));
    assert_eq!(values["io_speedup"], json!({"1": 1.0, "8": 8.0}));
    assert_eq!(
        [&values["cpu_most"], &values["io_most"], &values["rounds"]],
        [json!(2.0), json!(8.0), json!(5)].each_ref()
    );
    assert_eq!([&values["errors"], &values["server"]], [Value::Null, Value::Null].each_ref());
}

#[test]
fn company_spoils_what_computes_and_not_what_waits() {
    let values = Bound.outcome(&Params::defaults(&SPEC), &tally(&[(1, 0.4), (2, 0.2)], &[(1, 0.8), (8, 0.1)], 1.5));
    assert_eq!([&values["cpu_most"], &values["io_most"]], [Value::Null, json!(8.0)].each_ref());
}

#[test]
fn what_was_not_tried_was_not_measured() {
    let values = Bound.outcome(&Params::defaults(&SPEC), &tally(&[], &[(1, 0.8), (8, 0.1)], 0.0));
    assert_eq!([&values["cpu_seconds"], &values["cpu_speedup"]], [Value::Null, Value::Null].each_ref());
}

#[test]
fn one_is_always_among_the_numbers_of_workers() {
    let words = Params::from_words(&SPEC, &["workers=4,2,4"]).expect("good");
    assert_eq!(counts(&words).into_iter().collect::<Vec<_>>(), [1, 2, 4]);
}

#[test]
fn a_number_to_test_is_no_name() {
    assert!((0..60).all(|n| usize::try_from(task("cpu", n)).ok().and_then(server::name).is_none()));
    assert!((0..60).all(|n| usize::try_from(task("io", n)).ok().and_then(server::name).is_some()));
}

#[test]
fn what_computes_is_what_was_chosen() {
    let compute = |word: &str| Compute::of(&Params::from_words(&SPEC, &[word]).expect("good"));
    assert_eq!([compute("compute=primes"), compute("compute=matrix")], [Compute::Primes, Compute::Matrix]);
    assert_eq!(Compute::of(&Params::defaults(&SPEC)), Compute::Primes);
}
