//! What one more costs, from curves that are known.

use super::*;

fn curve(first: f64, each: f64, count: u32) -> Vec<(f64, f64)> {
    (0..=count).map(|n| (f64::from(n), first + each * f64::from(n))).collect()
}

#[test]
fn one_more_costs_what_the_curves_rise_by() {
    let mut tally = Tally::default();
    let params = Params::defaults(&SPEC);
    let nothing = Footprint.outcome(&params, &tally);
    assert_eq!((&nothing["workers"], &nothing["pss_per_worker_kib"]), (&json!(0), &Value::Null));
    for (name, first, each) in
        [("pss", 1000.0, 100.0), ("paid", 4000.0, 90.0), ("rss", 2000.0, 900.0), ("vsz", 9000.0, 9000.0)]
    {
        tally.curves.insert(name.to_owned(), curve(first, each, 8));
    }
    let values = Footprint.outcome(&params, &tally);
    assert_eq!(values["kib_per_worker"], json!({"pss": 90, "rss": 900, "vsz": 9000}));
    assert_eq!((&values["pss_kib"], &values["rss_kib"]), (&json!(1800), &json!(9200)));
    assert_eq!((&values["rss_over_pss"], &values["workers"]), (&json!(5.1), &json!(8)));
    assert_eq!(values["private_per_worker_kib"], Value::Null, "it was not seen");
    assert_eq!(values["steps"]["pss"], json!({"kib": 90, "low": 90, "high": 90, "n": 7}));
    assert_eq!(values["thread_kib"], Value::Null, "there has been no round");
}

#[test]
fn a_step_is_the_median_one_and_the_first_does_not_count() {
    assert_eq!(median_step(&[]), None);
    assert_eq!(median_step(&[(0.0, 10.0), (1.0, 900.0)]), None, "one worker is no step from a worker to the next");
    let mut points = curve(500.0, 20.0, 9);
    points[0].1 = 0.0;
    points[5].1 += 4000.0;
    let step = median_step(&points).expect("steps");
    assert_eq!((step.median, step.low, step.high, step.n), (20.0, Some(-3980.0), Some(4020.0), 8));
}

#[test]
fn the_bounds_leave_room_for_what_is_asked() {
    let limits = |words: &[&str]| (SPEC.limits)(&Params::from_words(&SPEC, words).expect("good"));
    let (least, most) = (limits(&["count=2"]), limits(&["count=62", "touch_kib=4096"]));
    assert!(least.tree_mib < most.tree_mib && most.tree_mib >= 512 + 62 * 4 && most.process_mib >= 1024 + 62 * 4);
}
