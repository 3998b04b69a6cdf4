//! Rounds in, what is said of them out.

use super::*;

/// Seven rounds on so many cores; each number of workers with its rate, which differs a little from round to round.
fn sweep(cores: usize, rates: &[(usize, f64)], noise: f64, others: f64) -> Sweep {
    let mut sweep = Sweep::new(cores);
    for round in 1..=7 {
        let wave = [1.0, -1.0, 0.5, 0.0, -0.5, 0.8, -0.8][round - 1] * noise;
        for &(workers, rate) in rates {
            let rate = 1e6 * rate * if workers == 1 { 1.0 } else { 1.0 + wave };
            sweep.add(Measured { round, workers, rate, busy: Some(1.0), others: Some(others) });
        }
    }
    sweep
}

fn value(sweep: &Sweep, name: &str) -> Value {
    sweep.values().into_iter().find(|(n, _)| *n == name).map(|(_, value)| value).expect(name)
}

#[test]
fn the_plan_has_one_for_each_core_and_one_more() {
    assert_eq!(plan(1, 2), [1, 2]);
    assert_eq!(plan(2, 4), [1, 2, 3, 4]);
    assert_eq!(plan(6, 12), [1, 2, 4, 6, 7, 8, 12]);
    assert_eq!(plan(64, 64), [1, 2, 4, 8, 16, 32, 64]);
    assert_eq!((plan(8, 1), plan(8, 3)), (vec![1], vec![1, 2, 3]));
}

#[test]
fn what_the_limit_was_is_told_by_the_most_workers() {
    let limit = |cores, rates: &[(usize, f64)]| value(&sweep(cores, rates, 0.02, 0.0), "limit_is");
    assert_eq!(limit(2, &[(1, 1.0), (2, 1.95), (3, 1.93), (4, 1.9)]), json!("cores"));
    assert_eq!(limit(1, &[(1, 1.0), (2, 0.99)]), json!("cores"), "one core");
    assert_eq!(limit(64, &[(1, 1.0), (32, 31.0), (64, 60.0)]), json!("workers"), "no more workers than cores");
    assert_eq!(limit(4, &[(1, 1.0), (4, 2.5), (8, 2.6)]), json!("between"), "two cores with two threads each");
    assert_eq!(limit(8, &[(1, 1.0), (8, 1.02), (16, 1.0)]), json!("one"), "a quota of one core");
    assert_eq!(limit(2, &[(1, 1.0), (2, 2.0), (4, 3.9)]), Value::Null, "more than there can be");
    assert_eq!(limit(2, &[(1, 1.0)]), Value::Null, "nothing to compare");
}

#[test]
fn rounds_that_differ_or_were_disturbed_are_inconclusive() {
    let rates = [(1, 1.0), (2, 1.95), (4, 1.9)];
    for (noise, others, sure) in [(0.02, 0.0, Sure::Steady), (0.3, 0.0, Sure::Unsteady), (0.02, 0.5, Sure::Disturbed)] {
        let sweep = sweep(2, &rates, noise, others);
        assert_eq!(sweep.sure(4), sure);
        let inconclusive = sure != Sure::Steady;
        assert_eq!(value(&sweep, "limit_is").is_null(), inconclusive, "{sure:?}");
        assert_eq!(value(&sweep, "best_speedup").is_null(), inconclusive, "{sure:?}");
        assert_eq!(value(&sweep, "verdict"), json!(if inconclusive { "inconclusive" } else { "clear" }));
        assert_eq!(value(&sweep, "rounds"), json!(7));
        let doubt = match sure {
            Sure::Unsteady => json!("the rounds are too far apart: of 2 workers, 7 rounds"),
            Sure::Disturbed => json!("others had 0.50 cores' worth of time"),
            _ => Value::Null,
        };
        assert_eq!(value(&sweep, "doubt"), doubt);
    }
    let mut few = Sweep::new(2);
    for round in 1..LEAST {
        for workers in [1, 2] {
            few.add(Measured { round, workers, rate: 1e6, busy: None, others: None });
        }
    }
    assert_eq!((few.sure(2), value(&few, "limit_is")), (Sure::TooFew, Value::Null));
    assert_eq!(value(&few, "busy"), Value::Null);
    assert_eq!(value(&few, "doubt"), json!("too few rounds: of 2 workers, 4 rounds"));
}

#[test]
fn one_worker_that_is_unsteady_makes_all_unsteady() {
    let mut sweep = Sweep::new(2);
    for (round, rate) in (1..).zip([1.0, 0.6, 1.0, 0.6, 1.0, 0.6, 1.0]) {
        for workers in [1, 2] {
            sweep.add(Measured { round, workers, rate, busy: None, others: None });
        }
    }
    assert_eq!(sweep.sure(2), Sure::Unsteady, "although each ratio is one");
}

#[test]
fn one_more_is_compared_with_one_a_core() {
    let of = |cores, rates: &[(usize, f64)]| value(&sweep(cores, rates, 0.0, 0.0), "one_more");
    assert_eq!(of(2, &[(1, 1.0), (2, 1.9), (3, 1.9)]), json!(1.0));
    assert_eq!(of(1, &[(1, 1.0), (2, 0.9)]), json!(0.9));
    assert_eq!(of(2, &[(1, 1.0), (2, 1.9)]), Value::Null);
}

#[test]
fn what_was_told_is_read_back() {
    let measured = Measured { round: 3, workers: 4, rate: 5e5, busy: Some(1.5), others: None };
    assert_eq!(Measured::read(&measured.values()), Some(measured));
    assert_eq!(Measured::read(&Values::new()), None);
    let table = value(&sweep(2, &[(1, 1.0), (2, 1.5)], 0.0, 0.0), "speedup");
    assert_eq!(table, json!({"1": 1.0, "2": 1.5}));
}
