//! What the demo tells of itself besides its tasks: rows of tables and points of curves.

use crate::fact::{Nanos, Row, Tally, Values};

/// Tables and curves that are kept, and values of a row: more than any demo has, so that a damaged stream cannot fill
/// memory.
const MOST: usize = 64;
/// Rows of a table that are kept.
const MOST_ROWS: usize = 1024;
/// Points of a curve that are kept.
const MOST_POINTS: usize = 16_384;

/// Adds a row to its table, or new values to the row.
pub(super) fn row(tally: &mut Tally, t: Nanos, table: &str, name: &str, values: &Values) {
    let Some(rows) = entry(&mut tally.tables, table) else { return };
    let at = rows.iter().position(|row| row.name == name);
    let row = match at {
        Some(at) => &mut rows[at],
        None if rows.len() < MOST_ROWS => {
            rows.push(Row { name: name.to_owned(), first: t, last: t, values: Values::new() });
            let last = rows.len() - 1;
            &mut rows[last]
        }
        None => return,
    };
    row.last = row.last.max(t);
    for (name, value) in values {
        if row.values.len() < MOST || row.values.contains_key(name) {
            row.values.insert(name.clone(), value.clone());
        }
    }
}

/// Adds a point to its curve, in order of `x`.
pub(super) fn point(tally: &mut Tally, curve: &str, x: f64, y: f64) {
    if !(x.is_finite() && y.is_finite()) {
        return;
    }
    let Some(points) = entry(&mut tally.curves, curve) else { return };
    match points.binary_search_by(|(known, _)| known.total_cmp(&x)) {
        Ok(at) => points[at].1 = y,
        Err(at) if points.len() < MOST_POINTS => points.insert(at, (x, y)),
        Err(_) => {}
    }
}

fn entry<'a, T: Default>(kept: &'a mut std::collections::BTreeMap<String, T>, name: &str) -> Option<&'a mut T> {
    if kept.len() >= MOST && !kept.contains_key(name) {
        return None;
    }
    Some(kept.entry(name.to_owned()).or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_keeps_its_place_and_its_newest_values() {
        let mut tally = Tally::default();
        let values = |list: &[(&str, i32)]| list.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect::<Values>();
        row(&mut tally, Nanos(1), "tries", "null", &values(&[("a", 1), ("b", 2)]));
        row(&mut tally, Nanos(2), "tries", "guard", &values(&[("a", 3)]));
        row(&mut tally, Nanos(5), "tries", "null", &values(&[("b", 7)]));
        let names: Vec<_> = tally.table("tries").iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["null", "guard"]);
        assert_eq!(
            (tally.cell("tries", "null", "a"), tally.cell("tries", "null", "b")),
            (Some(&json!(1)), Some(&json!(7)))
        );
        assert_eq!((tally.table("tries")[0].first, tally.table("tries")[0].last), (Nanos(1), Nanos(5)));
        assert_eq!((tally.table("else").len(), tally.cell("tries", "stack", "a")), (0, None));
    }

    #[test]
    fn points_are_in_order_and_the_newest_counts() {
        let mut tally = Tally::default();
        for (x, y) in [(4.0, 1.0), (1.0, 2.0), (2.0, 3.0), (4.0, 9.0), (f64::NAN, 1.0), (3.0, f64::INFINITY)] {
            point(&mut tally, "speed", x, y);
        }
        assert_eq!(tally.curve("speed"), [(1.0, 2.0), (2.0, 3.0), (4.0, 9.0)]);
    }

    #[test]
    fn a_damaged_stream_does_not_fill_memory() {
        let mut tally = Tally::default();
        for n in 0..2000 {
            row(&mut tally, Nanos(n), "one", &n.to_string(), &Values::new());
            row(&mut tally, Nanos(n), &n.to_string(), "row", &Values::new());
            let many: Values = [(n.to_string(), json!(n))].into();
            row(&mut tally, Nanos(n), "wide", "row", &many);
            point(&mut tally, &n.to_string(), 0.0, 0.0);
        }
        assert_eq!((tally.table("one").len(), tally.tables.len(), tally.curves.len()), (MOST_ROWS, MOST, MOST));
        assert!(tally.table("wide").iter().all(|row| row.values.len() <= MOST));
    }
}
