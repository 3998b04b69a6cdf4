//! An address space as its rows tell it: regions, lowest first, and where threads point into them.

use crate::fact::{Row, Tally, Tid, clean_line};
use serde_json::Value;

/// The tables that it is told in.
pub(super) const REGIONS: &str = "regions";
pub(super) const THREADS: &str = "threads";

/// A region: a row of the table of regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) perms: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) note: String,
}

impl Area {
    pub(super) fn size(&self) -> u64 {
        self.to - self.from
    }

    /// Nobody may use it: it is only kept free.
    pub(super) fn barred(&self) -> bool {
        self.perms.starts_with("---")
    }

    /// What it is, in words: "text forklore".
    pub(super) fn title(&self) -> String {
        [self.kind.as_str(), &self.name].map(str::trim).join(" ").trim().to_owned()
    }
}

/// Where a register of a thread points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) letter: String,
    pub(super) slot: Option<u16>,
    /// "pc" or "sp".
    pub(super) register: &'static str,
    pub(super) at: u64,
    pub(super) chosen: bool,
}

/// All that is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) areas: Vec<Area>,
    pub(super) marks: Vec<Mark>,
}

impl Model {
    /// As the rows tell it. A region that is gone, is empty or overlaps one below it is left out.
    pub(super) fn read(tally: &Tally, chosen: Option<Tid>) -> Self {
        let mut areas: Vec<Area> = tally.table(REGIONS).iter().filter_map(area).collect();
        areas.sort_by_key(|area| area.from);
        let mut end = 0;
        areas.retain(|area| {
            let apart = area.from >= end;
            end = if apart { area.to } else { end };
            apart
        });
        let mut marks = Vec::new();
        for row in tally.table(THREADS) {
            let worker = tally.worker(&row.name);
            for register in ["pc", "sp"] {
                let Some(at) = row.values.get(register).and_then(address) else { continue };
                let (letter, slot) = (clean_line(&row.name), worker.and_then(|w| w.slot));
                let chosen = worker.is_some_and(|w| Some(w.tid) == chosen);
                marks.push(Mark { letter, slot, register, at, chosen });
            }
        }
        Self { areas, marks }
    }

    /// The end of the addresses that there can be: the power of two above all of them.
    pub(super) fn top(&self) -> u64 {
        let last = self.areas.last().map_or(1, |area| area.to);
        last.checked_next_power_of_two().unwrap_or(u64::MAX)
    }

    /// The region that `at` points into.
    pub(super) fn area(&self, at: u64) -> Option<&Area> {
        self.areas.iter().find(|area| (area.from..area.to).contains(&at))
    }

    /// What may be used, in bytes.
    pub(super) fn used(&self) -> u64 {
        self.areas.iter().filter(|area| !area.barred()).map(Area::size).fold(0, u64::saturating_add)
    }
}

fn area(row: &Row) -> Option<Area> {
    let at = |name: &str| row.values.get(name).and_then(address);
    let word = |name: &str| row.values.get(name).and_then(Value::as_str).map(clean_line).unwrap_or_default();
    let (from, to) = (at("from")?, at("to")?);
    (from < to).then(|| Area {
        from,
        to,
        perms: word("perms"),
        kind: word("kind"),
        name: word("name"),
        note: word("note"),
    })
}

/// A number, or hexadecimal digits as they are written.
fn address(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| u64::from_str_radix(value.as_str()?.trim_start_matches("0x"), 16).ok())
}

/// A size in the unit that suits it: "132 KiB", "8.0 MiB", "85 TiB".
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut unit = 0;
    while unit + 1 < UNITS.len() && bytes >> (10 * unit) >= 1024 {
        unit += 1;
    }
    let whole = bytes >> (10 * unit);
    let tenth = if unit == 0 { 0 } else { (bytes >> (10 * (unit - 1)) & 1023) * 10 / 1024 };
    if whole < 10 && unit > 1 { format!("{whole}.{tenth} {}", UNITS[unit]) } else { format!("{whole} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Values};
    use serde_json::json;

    #[test]
    fn sizes_are_told_in_the_unit_that_suits_them() {
        let shown = [0, 4096, 135_168, 8 << 20, 9_961_472, 40 << 20, 1 << 47, u64::MAX].map(size);
        assert_eq!(shown, ["0 B", "4 KiB", "132 KiB", "8.0 MiB", "9.5 MiB", "40 MiB", "128 TiB", "15 EiB"]);
    }

    #[test]
    fn what_cannot_be_is_left_out() {
        let mut tally = Tally::default();
        let row = |name: &str, values: Value| Row {
            name: name.into(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: serde_json::from_value::<Values>(values).expect("an object"),
        };
        let rows = [
            json!({"from": "0x3000", "to": "0x4000", "kind": "heap"}),
            json!({"from": 4096, "to": 8192, "perms": "---p"}),
            json!({"from": "0x3800", "to": "0x5000", "kind": "overlaps"}),
            json!({"from": "0x6000", "to": "0x6000"}),
            json!({"from": "0x7000", "to": null}),
            json!({"from": "what", "to": "0x9000"}),
        ];
        let rows = rows.into_iter().enumerate().map(|(n, values)| row(&n.to_string(), values)).collect();
        tally.tables.insert(REGIONS.into(), rows);
        tally.tables.insert(THREADS.into(), vec![row("A", json!({"pc": "0x1000", "sp": null}))]);
        let model = Model::read(&tally, None);
        assert_eq!(model.areas.iter().map(|a| a.from).collect::<Vec<_>>(), [0x1000, 0x3000]);
        assert_eq!((model.used(), model.top(), model.marks.len()), (0x1000, 0x4000, 1));
        assert_eq!(model.area(0x1fff).map(Area::barred), Some(true));
        assert_eq!((Model::default().top(), Model::default().used()), (1, 0));
    }
}
