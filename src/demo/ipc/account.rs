//! What the rounds came to, of the rows that were told. Pure.

use super::{GROWN, LATENCY, THROUGHPUT, compared};
use crate::demo::channel::Way;
use crate::demo::rounds::{FIGURES, RATIOS, ratio_of, run_of};
use crate::fact::{Params, Row, Tally, Values};
use serde_json::{Map, Value, json};

/// As many ways may share an end of the ladder.
const ALIKE: usize = 3;
/// What is said when there are more.
const INCONCLUSIVE: &str = "inconclusive";

/// A row's figures, if it has any.
fn figures(row: &Row) -> Option<Value> {
    row.values.get(LATENCY.value).filter(|ns| !ns.is_null())?;
    let keys = [
        ("latency_ns", LATENCY.value),
        ("low_ns", "low"),
        ("high_ns", "high"),
        ("p99_ns", "p99_ns"),
        ("bytes_per_s", "bytes_per_s"),
        ("rounds", "rounds"),
    ];
    let one = |(name, key): (&str, &str)| (name.to_owned(), row.values.get(key).cloned().unwrap_or(Value::Null));
    Some(Value::Object(keys.map(one).into_iter().collect::<Map<_, _>>()))
}

/// Which end of a ladder.
#[derive(Clone, Copy, PartialEq)]
enum Most {
    Least,
    Greatest,
}

/// Who is at an end of a ladder.
#[derive(Default)]
struct Best {
    words: Option<String>,
    value: Option<f64>,
}

impl Best {
    /// The way with the least or the greatest value, and with it those that cannot be told from it: their intervals meet.
    fn of(rows: &[&Row], value: &str, most: Most) -> Self {
        let [low, high] =
            if value == LATENCY.value { [LATENCY.low, LATENCY.high] } else { [THROUGHPUT.low, THROUGHPUT.high] };
        let number = |row: &Row, key: &str| row.values.get(key).and_then(Value::as_f64);
        let known = || rows.iter().copied().filter_map(|row| Some((number(row, value)?, row)));
        let end = match most {
            Most::Least => known().min_by(|a, b| a.0.total_cmp(&b.0)),
            Most::Greatest => known().max_by(|a, b| a.0.total_cmp(&b.0)),
        };
        let Some((value, end)) = end else { return Self::default() };
        // Without an interval a row meets everybody.
        let ends = |row: &Row| (number(row, low).unwrap_or(0.0), number(row, high).unwrap_or(f64::INFINITY));
        let meet = |a: &Row, b: &Row| ends(a).0 <= ends(b).1 && ends(b).0 <= ends(a).1;
        let same: Vec<&str> =
            known().filter(|(_, row)| meet(row, end)).filter_map(|(_, row)| row.values.get("way")?.as_str()).collect();
        let words = if same.len() > ALIKE { INCONCLUSIVE.to_owned() } else { same.join(" or ") };
        Self { words: Some(words), value: Some(value) }
    }
}

/// The outcome.
pub(super) fn account(params: &Params, tally: &Tally) -> Values {
    let rows = tally.table(FIGURES);
    let of = |row: &Row, key: &str| row.values.get(key).cloned().unwrap_or(Value::Null);
    let of_size = |row: Option<&Row>| -> Vec<&Row> {
        let size = row.map_or(Value::Null, |row| of(row, "size"));
        rows.iter().filter(|row| of(row, "size") == size).collect()
    };
    let (first, last) = (of_size(rows.first()), of_size(rows.last()));
    let among =
        |rows: &[&Row], way: &str| rows.iter().find(|row| of(row, "way") == json!(way)).map(|row| (*row).clone());
    let find = |way: &str| among(&first, way);
    let long = |way: &str| among(&last, way).filter(|_| first != last);
    let [fastest, slowest] = [Most::Least, Most::Greatest].map(|most| Best::of(&first, LATENCY.value, most));
    let widest = Best::of(&last, THROUGHPUT.value, Most::Greatest);
    let from = |row: Option<Row>, key: &str| row.map_or(Value::Null, |row| of(&row, key));
    let by_queue = ratio_of(tally, &compared(Way::Shm, Way::Queue));
    let mut sizes: Map<String, Value> = Map::new();
    for row in rows.iter().filter(|row| !first.contains(row)) {
        let name = of(row, "way").as_str().unwrap_or_default().to_owned();
        let size = sizes.entry(of(row, "size").to_string()).or_insert_with(|| json!({}));
        size[name] = figures(row).unwrap_or(Value::Null);
    }
    let missing: Vec<&String> = rows.iter().filter(|r| r.values.contains_key("why")).map(|r| &r.name).collect();
    let ratios = tally.table(RATIOS).iter().map(|row| (row.name.clone(), ratio_of(tally, &row.name)));
    let cpus: Vec<u32> = tally.workers().filter_map(|w| w.cpus.as_ref()?.first()).map(|cpu| cpu.0).collect();
    let ways = Way::ALL.map(|way| (way.name(), find(way.name()).as_ref().and_then(figures).unwrap_or(Value::Null)));
    let others = [
        ("sizes", Value::Object(sizes)),
        ("fastest", json!(fastest.words)),
        ("fastest_ns", json!(fastest.value)),
        ("slowest", json!(slowest.words)),
        ("slowest_ns", json!(slowest.value)),
        ("widest", json!(widest.words)),
        ("widest_rate", json!(widest.value)),
        ("pipe_ns", from(find("pipe"), LATENCY.value)),
        ("shm_ns", from(find("shm"), LATENCY.value)),
        ("queue_ns", from(find("queue"), LATENCY.value)),
        ("shm_by_queue", by_queue["ratio"].clone()),
        ("shm_says", by_queue["verdict"].clone()),
        ("long_pipe_ns", from(long("pipe"), LATENCY.value)),
        ("long_shm_ns", from(long("shm"), LATENCY.value)),
        ("pipe_growth", ratio_of(tally, GROWN)["ratio"].clone()),
        ("ratios", Value::Object(ratios.collect())),
        ("missing", json!(missing)),
        ("place", json!(params.word("place"))),
        ("cpus", json!(cpus)),
    ];
    let run = ["rounds", "left_out", "outliers", "noise", "same"].map(|name| (name, run_of(tally, name)));
    ways.into_iter().chain(others).chain(run).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Demo;
    use crate::demo::ipc::{Ipc, SPEC};

    fn tally(rows: &[(&str, Value)]) -> Tally {
        let mut tally = Tally::default();
        tally.put_table(FIGURES, rows);
        tally
    }

    fn outcome(tally: &Tally) -> Values {
        Ipc.outcome(&Params::defaults(&SPEC), tally)
    }

    fn with_ratios(mut tally: Tally, ratios: &[(&str, Value)]) -> Tally {
        tally.put_table(RATIOS, ratios);
        tally.put_table("run", &[("outcome", json!({"rounds": 24, "left_out": 3, "noise": "none"}))]);
        tally
    }

    fn pipe() -> Value {
        json!({"way": "pipe", "size": 64, "ns": 2500.5, "low": 2480.0, "high": 2533.0, "p99_ns": 4000,
               "bytes_per_s": 6e7, "rate_low": 5e7, "rate_high": 7e7, "rounds": 25})
    }

    #[test]
    fn each_way_has_its_figures_and_a_missing_one_is_null() {
        let figures = tally(&[
            ("pipe 64 B", pipe()),
            (
                "tcp 64 B",
                json!({"way": "tcp", "size": 64, "ns": 7000, "low": 6900, "high": 7100,
                                "bytes_per_s": 9e7, "rate_low": 8e7, "rate_high": 10e7, "rounds": 24}),
            ),
            ("mqueue 64 B", json!({"way": "mqueue", "size": 64, "why": "ENOSYS"})),
            ("pipe 64 KiB", json!({"way": "pipe", "size": 65536, "ns": 10002})),
            ("tcp 64 KiB", json!({"way": "tcp", "size": 65536, "ns": 1, "bytes_per_s": 2e9, "rounds": 24})),
        ]);
        let grown = json!({"ratio": 4.0, "low": 3.9, "high": 4.1, "verdict": "more"});
        let shm = json!({"ratio": 0.9, "low": 0.8, "high": 0.95, "verdict": "less"});
        let values = outcome(&with_ratios(figures, &[("shm / queue", shm), (GROWN, grown.clone())]));
        let pipe = json!({"latency_ns": 2500.5, "low_ns": 2480.0, "high_ns": 2533.0, "p99_ns": 4000, "bytes_per_s": 6e7, "rounds": 25});
        assert_eq!((&values["pipe"], &values["mqueue"]), (&pipe, &Value::Null));
        assert_eq!((&values["fastest"], &values["slowest"]), (&json!("pipe"), &json!("tcp")), "the first size only");
        assert_eq!((&values["widest"], &values["pipe_ns"]), (&json!("tcp"), &json!(2500.5)));
        assert_eq!((&values["missing"], &values["rounds"]), (&json!(["mqueue 64 B"]), &json!(24)));
        assert_eq!(values["sizes"]["65536"]["tcp"]["bytes_per_s"], json!(2e9));
        assert_eq!((&values["pipe_growth"], &values["long_pipe_ns"]), (&json!(4.0), &json!(10002)));
        assert_eq!(values["sizes"]["65536"]["tcp"]["low_ns"], Value::Null, "too few rounds for an interval");
        assert_eq!(values["sizes"]["64"], Value::Null, "each size is told once");
        assert_eq!((&values["shm_by_queue"], &values["shm_says"]), (&json!(0.9), &json!("less")));
        assert_eq!((&values["ratios"][GROWN], &values["noise"]), (&grown, &json!("none")));
        assert_eq!(values["left_out"], json!(3));
    }

    #[test]
    fn who_cannot_be_told_apart_is_not() {
        let row = |way: &str, low: f64| {
            (way.to_owned(), json!({"way": way, "size": 8, "ns": low + 5.0, "low": low, "high": low + 10.0}))
        };
        let fastest = |rows: &[(String, Value)]| {
            let rows: Vec<(&str, Value)> = rows.iter().map(|(name, values)| (name.as_str(), values.clone())).collect();
            outcome(&tally(&rows))["fastest"].clone()
        };
        let mut rows = vec![row("pipe", 105.0), row("shm", 100.0), row("tcp", 200.0)];
        assert_eq!(fastest(&rows), json!("pipe or shm"));
        rows.extend([row("fifo", 101.0), row("mqueue", 102.0)]);
        assert_eq!(fastest(&rows), json!("inconclusive"));
        rows.push(row("signal", 10.0));
        assert_eq!(fastest(&rows), json!("signal"));
        rows.push(("rpc".to_owned(), json!({"way": "rpc", "size": 8, "ns": 50.0})));
        assert_eq!(fastest(&rows), json!("signal or rpc"), "after few rounds nobody knows");
    }

    #[test]
    fn before_the_first_round_nothing_is_known() {
        let values = outcome(&tally(&[("pipe", json!({"way": "pipe", "size": 8}))]));
        let names = ["pipe", "fastest", "slowest_ns", "rounds", "shm_by_queue", "pipe_growth"];
        assert!(names.iter().all(|name| values[*name] == Value::Null), "{values:?}");
    }
}
