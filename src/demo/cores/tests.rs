//! Totals in, values out.

use super::*;
use crate::fact::{Nanos, Pid, Row, Source, Start, TaskTally, Tid};

fn tally(cpus: u32) -> Tally {
    let start = Start {
        format: 1,
        demo: SPEC.name.to_owned(),
        params: Values::new(),
        source: Source::Exact,
        cpus: (0..cpus).map(Cpu).collect(),
        kernel: String::new(),
        hz: None,
        because: None,
        page_size: None,
    };
    Tally { start: Some(start), ..Tally::default() }
}

fn row(name: &str, values: Values) -> Row {
    Row { name: name.to_owned(), first: Nanos::ZERO, last: Nanos::ZERO, values }
}

#[test]
fn the_outcome_is_made_of_rounds_workers_and_the_machine() {
    let mut tally = tally(2);
    for (n, moved) in [(0, Some(3)), (1, Some(4)), (2, None)] {
        let mut task = TaskTally::new(Tid(10 + n), Pid(10 + n), Nanos::ZERO);
        task.slot = u16::try_from(n).ok();
        task.values.extend(moved.map(|moved: u64| ("migrations".to_owned(), json!(moved))));
        tally.tasks.push(task);
    }
    let rounds = (1..=7).flat_map(|round| [(round, 1, 1e6), (round, 2, 1.9e6), (round, 3, 1.9e6), (round, 4, 1.9e6)]);
    let rounds =
        rounds.map(|(round, workers, rate)| Measured { round, workers, rate, busy: Some(1.9), others: Some(0.0) });
    tally.tables.insert(ROUNDS.to_owned(), rounds.map(|m| row(&m.name(), m.values())).collect());
    let machine = [("installed", json!(8)), ("physical", Value::Null)].map(|(n, v)| (n.to_owned(), v)).into();
    tally.tables.insert(MACHINE.to_owned(), vec![row("this machine", machine)]);
    let values = Cores.outcome(&Params::defaults(&SPEC), &tally);
    assert_eq!((&values["limit_is"], &values["best_speedup"]), (&json!("cores"), &json!(1.9)));
    assert_eq!((&values["one_more"], &values["busy"], &values["others"]), (&json!(1.0), &json!(1.9), &json!(0.0)));
    assert_eq!((&values["migrations"], &values["cores"]), (&json!(7), &json!(2)));
    assert_eq!((&values["installed"], &values["physical"]), (&json!(8), &Value::Null));
    assert_eq!((&values["rounds"], &values["verdict"]), (&json!(7), &json!("clear")));
}

#[test]
fn what_was_broken_off_is_inconclusive_and_nothing_is_made_up() {
    let values = Cores.outcome(&Params::defaults(&SPEC), &tally(4));
    assert_eq!((&values["verdict"], &values["rounds"]), (&json!("inconclusive"), &json!(0)));
    for name in ["best_speedup", "limit_is", "one_more", "busy", "others", "installed"] {
        assert_eq!(values[name], Value::Null, "{name}");
    }
    assert_eq!(values["speedup"], json!({}));
}
