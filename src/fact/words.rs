//! Values and numbers in words, the same on every screen and without one.

use super::{Nanos, ReturnKind, clean_line};
use serde_json::{Map, Value};

impl ReturnKind {
    /// `value` as a learner reads it, with its unit.
    #[must_use]
    pub fn show(self, value: &Value) -> String {
        match (self, value) {
            (_, Value::Null) => "not measured".to_owned(),
            // Below this a clock's nanosecond is no longer small.
            (Self::Nanos, v) if v.as_f64().is_some_and(|n| n > 0.0 && n < 99.95 && n.fract() != 0.0) => {
                format!("{:.1} ns", v.as_f64().unwrap_or(0.0))
            }
            (Self::Nanos, v) => v.as_f64().map_or_else(|| plain(v), |n| nanos(n).to_string()),
            (Self::Share, v) => v.as_f64().map_or_else(|| plain(v), percent),
            (Self::Kib, v) => format!("{} KiB", plain(v)),
            (Self::Rate, v) => v.as_f64().map_or_else(|| plain(v), rate),
            (Self::Table, Value::Object(table)) if are_shares(table) => entries(table, |_, v| Self::Share.show(v)),
            (_, v) => plain(v),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time, shown with three figures")]
fn nanos(n: f64) -> Nanos {
    Nanos(n.max(0.0) as u64)
}

/// Bytes a second, with three figures and the units of the SI.
fn rate(bytes: f64) -> String {
    let units = [(1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s")];
    let Some((unit, word)) = units.into_iter().find(|(unit, _)| bytes >= *unit) else {
        return format!("{bytes:.0} B/s");
    };
    let n = bytes / unit;
    let places = if n < 10.0 { 2 } else { usize::from(n < 100.0) };
    format!("{n:.places$} {word}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(s) => clean_line(s),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(n) => n.as_u64().map(thousands).or_else(|| n.as_f64().map(number)).unwrap_or_default(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(table) if table.is_empty() => "none".to_owned(),
        Value::Object(table) => entries(table, named),
        Value::Null => "not measured".to_owned(),
    }
}

/// A number with three figures, or with all before the point if they are more, in groups of three. What was measured seldom
/// has more that mean something.
fn number(n: f64) -> String {
    if !n.is_finite() || n.abs() >= 1e15 {
        return format!("{n:e}");
    }
    let sign = if n < 0.0 { "-" } else { "" };
    let places = (0..=8).find(|places| n.abs() * 10_f64.powi(*places) >= 99.95).unwrap_or(8);
    let text = format!("{:.*}", usize::try_from(places).unwrap_or(0), n.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), thousands);
    let part = part.trim_end_matches('0');
    let sign = if whole == "0" && part.is_empty() { "" } else { sign };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// A value in the unit that its name ends with.
fn named(name: &str, value: &Value) -> String {
    let kind = match name {
        _ if !value.is_number() => return plain(value),
        _ if name.ends_with("_ns") => ReturnKind::Nanos,
        _ if name.ends_with("bytes_per_s") => ReturnKind::Rate,
        _ if name.ends_with("_kib") => ReturnKind::Kib,
        _ => return plain(value),
    };
    kind.show(value)
}

fn entries(table: &Map<String, Value>, show: impl Fn(&str, &Value) -> String) -> String {
    // "90,000 – 99,999" begins with a number, too.
    let number = |name: &str| name.split(' ').next().and_then(|word| word.replace(',', "").parse::<u64>().ok());
    let mut named: Vec<(Option<u64>, &String, &Value)> = table.iter().map(|(n, v)| (number(n), n, v)).collect();
    // A map is in the order of its letters, where 16 comes before 2.
    named.sort_by_key(|(number, ..)| *number);
    let entry = |(number, name, v): (Option<u64>, &String, &Value)| {
        // Two numbers side by side would be read as one thing.
        let mark = if number.is_some() { ":" } else { "" };
        let shown = show(name, v);
        // A table in a table: where it ends must be seen.
        let shown = if v.is_object() { format!("({shown})") } else { shown };
        format!("{}{mark} {shown}", clean_line(name))
    };
    named.into_iter().map(entry).collect::<Vec<_>>().join(", ")
}

/// Fractions that make up one together are shares of it.
fn are_shares(table: &Map<String, Value>) -> bool {
    let fractions: Option<Vec<f64>> = table.values().map(|v| v.as_f64().filter(|_| v.is_f64())).collect();
    // Each is rounded to a tenth of a per mille.
    fractions.is_some_and(|all| (all.iter().sum::<f64>() - 1.0).abs() < 0.005)
}

/// `n` with a comma between thousands.
#[must_use]
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let first = digits.len() % 3;
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && i % 3 == first {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_with_their_units() {
        assert_eq!(ReturnKind::Nanos.show(&json!(4_000_000)), "4.00 ms");
        let short = [json!(1.62), json!(52), json!(98.76), json!(166.7)].map(|n| ReturnKind::Nanos.show(&n));
        assert_eq!(short, ["1.6 ns", "52 ns", "98.8 ns", "166 ns"]);
        assert_eq!(ReturnKind::Share.show(&json!(0.3333)), "33.3 %");
        let rates = [0.0, 999.0, 1_500.0, 23_400_000.0, 345e6, 9.876e9].map(|n| ReturnKind::Rate.show(&json!(n)));
        assert_eq!(rates, ["0 B/s", "999 B/s", "1.50 kB/s", "23.4 MB/s", "345 MB/s", "9.88 GB/s"]);
        assert_eq!(ReturnKind::Count.show(&json!(1_051)), "1,051");
        assert_eq!(ReturnKind::Flag.show(&json!(true)), "yes");
        assert_eq!(ReturnKind::List.show(&json!(["C"])), "C");
        assert_eq!(ReturnKind::Table.show(&json!({"A": 0.5})), "A 0.5");
        assert_eq!(ReturnKind::Table.show(&json!({"A": 0.3322, "B": 0.6678})), "A 33.2 %, B 66.8 %");
        assert_eq!(ReturnKind::Table.show(&json!({"A": 1, "B": 0})), "A 1, B 0");
        let way = json!({"pipe": {"latency_ns": 2500.0, "bytes_per_s": 6e7, "rounds": 25}});
        assert_eq!(ReturnKind::Table.show(&way), "pipe (bytes_per_s 60.0 MB/s, latency_ns 2.50 µs, rounds 25)");
        assert_eq!(ReturnKind::Table.show(&json!({})), "none");
        let bins = json!({"100,000 – 109,999": 1, "90,000 – 99,999": 2});
        assert_eq!(ReturnKind::Table.show(&bins), "90,000 – 99,999: 2, 100,000 – 109,999: 1");
        assert_eq!(
            ReturnKind::Table.show(&json!({"1": 1.0, "16": 9.31, "2": 1.98, "17": 9.4})),
            "1: 1, 2: 1.98, 16: 9.31, 17: 9.4"
        );
        assert_eq!(ReturnKind::Nanos.show(&Value::Null), "not measured");
    }

    #[test]
    fn a_measured_number_has_three_figures_and_no_point_without_need() {
        let shown = |n: f64| ReturnKind::Number.show(&json!(n));
        let large = [148_768.0, 1161.0, 3651.4, 1_753_700.0, 999.6, 100.4].map(shown);
        assert_eq!(large, ["148,768", "1,161", "3,651", "1,753,700", "1,000", "100"]);
        let usual = [17.437, 99.99, 2.654, 1.0, 1.3, 0.94, 0.333_33, 0.001_234, 0.0].map(shown);
        assert_eq!(usual, ["17.4", "100", "2.65", "1", "1.3", "0.94", "0.333", "0.00123", "0"]);
        assert_eq!([-2.654, -0.0, -1234.5].map(shown), ["-2.65", "0", "-1,234"]);
        assert_eq!([ReturnKind::Number.show(&json!(-7)), ReturnKind::Kib.show(&json!(17.437))], ["-7", "17.4 KiB"]);
        assert_eq!(ReturnKind::Table.show(&json!({"work": {"least": 1_753_700.0}})), "work least 1,753,700");
    }

    #[test]
    fn numbers_have_their_commas() {
        let shown = [0, 999, 1_000, 1_051, 1_234_567].map(thousands);
        assert_eq!(shown, ["0", "999", "1,000", "1,051", "1,234,567"]);
    }
}
