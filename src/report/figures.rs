//! The tables of a run, as charts and tables: what its demo's pictures say of them, and of tables that no picture knows,
//! what is in them.

use super::chart::{Curve, Curves, Intervals, Point};
use super::document::{Block, Column, Figure, Table, Text};
use super::sources::Sources;
use crate::fact::{
    BarsSpec, CountsSpec, CurvesSpec, DemoSpec, Picture, ReturnKind, SidesSpec, Stroke, TableSpec, Values,
};
use crate::progress::{Measured, Row};
use serde_json::Value;

/// Columns of a table that nothing is known of.
const MOST_COLUMNS: usize = 12;

/// Where two ratios are nearer to 1 than this many times, a chart of them has no room for one that is farther.
const FAR: f64 = 30.0;

/// What there is to see of a run, and the names of its values and tables that are seen there.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// In order.
    pub(super) blocks: Vec<Block>,
    /// The names.
    pub(super) shown: Vec<String>,
}

/// The figures of a run.
pub(super) fn of(sources: &Sources, run: &Measured, spec: Option<&DemoSpec>) -> Figures {
    let mut figures = Figures::default();
    for picture in spec.map(|spec| spec.pictures).unwrap_or_default() {
        let told = |name: &str| figures.shown.iter().any(|one| one == name);
        // Several pictures of one table differ as pictures; as words the first says it.
        match picture {
            Picture::Table(TableSpec { name, .. })
            | Picture::Counts(CountsSpec { table: name, .. })
            | Picture::Sides(SidesSpec { name, .. })
                if told(name) => {}
            Picture::Bars(bars) => figures.add(&bars.table, bars_of(sources, run, bars)),
            Picture::Table(table) => figures.add(&table.name, table_of(sources, run, table)),
            Picture::Counts(counts) => figures.add(&counts.table, counts_of(run, counts)),
            Picture::Sides(sides) => figures.add(&sides.name, sides_of(sources, run, sides)),
            Picture::Curves(curves) => {
                if let Some((figure, names)) = curves_of(sources, run, spec, curves) {
                    figures.add_curves(figure);
                    figures.shown.extend(names);
                }
            }
            _ => {}
        }
    }
    // What another version measured may be in tables that no picture here knows; those of our own are the demo's own notes.
    if spec.is_none() || run.version != env!("CARGO_PKG_VERSION") {
        let drawn = |name: &String| spec.is_some_and(|spec| spec.pictures.iter().any(|p| table_name(*p) == Some(name)));
        for (name, rows) in run.tables.iter().filter(|(name, _)| !drawn(name)) {
            figures.add(name, plain(name, rows));
        }
    }
    figures
}

/// The table that a picture draws.
fn table_name(picture: Picture) -> Option<&'static str> {
    match picture {
        Picture::Bars(bars) => Some(bars.table),
        Picture::Table(table) => Some(table.name),
        Picture::Counts(counts) => Some(counts.table),
        Picture::Sides(sides) => Some(sides.name),
        Picture::Tree(tree) => Some(tree.table),
        Picture::Listing(listing) => Some(listing.table),
        Picture::Buffer(buffer) => Some(buffer.table),
        Picture::Journey(journey) => Some(journey.table),
        _ => None,
    }
}

impl Figures {
    fn add(&mut self, name: &(impl AsRef<str> + ?Sized), block: Option<Block>) {
        if let Some(block) = block {
            self.blocks.push(block);
            self.shown.push(name.as_ref().to_owned());
        }
    }

    /// Curves take the place of a table of the same rows, and have that table as theirs: it says more of each point.
    fn add_curves(&mut self, mut figure: Figure) {
        let firsts = |table: &Table| table.rows.iter().map(|row| row[0].words()).collect::<Vec<_>>();
        let mut tables = self.blocks.iter_mut();
        let same = tables.find(|block| matches!(block, Block::Table(table) if firsts(table) == firsts(&figure.table)));
        match same {
            Some(block) => {
                if let Block::Table(table) = block {
                    figure.table = Table { caption: None, ..std::mem::take(table) };
                }
                *block = Block::Figure(Box::new(figure));
            }
            None => self.blocks.push(Block::Figure(Box::new(figure))),
        }
    }
}

/// The rows of a table; where the table was too long to be kept, those of the value of the same name.
fn rows(run: &Measured, name: &str) -> Vec<Row> {
    if let Some(rows) = run.tables.get(name) {
        return rows.clone();
    }
    let entries = run.values.get(name).and_then(Value::as_object).into_iter().flatten();
    let row = |(name, values): (&String, &Value)| {
        let values = values.as_object()?.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        Some(Row { name: name.clone(), values })
    };
    entries.filter_map(row).collect()
}

fn number(values: &Values, name: &str) -> Option<f64> {
    values.get(name).and_then(Value::as_f64)
}

fn word(values: &Values, name: &str) -> Text {
    values.get(name).map_or_else(Text::new, |value| ReturnKind::Word.show(value).into())
}

/// Medians with intervals, one bar a row.
fn bars_of(sources: &Sources, run: &Measured, bars: &BarsSpec) -> Option<Block> {
    let rows = rows(run, bars.table);
    let show = |value: f64| bars.kind.show(&Value::from(value));
    let pick = |en, zh| sources.pick(en, zh);
    let mut table = Table::new(vec![
        Column::words(bars.head),
        Column::numbers(pick("median", "中位数")),
        Column::numbers(pick("95 % interval", "95 % 区间")),
        Column::numbers(pick("rounds", "轮数")),
        Column::words(pick("remark", "备注")),
    ]);
    let mut points = Vec::new();
    for Row { name, values } in &rows {
        let value = number(values, bars.value);
        let ends = number(values, bars.low).zip(number(values, bars.high));
        let interval = ends.map(|(low, high)| format!("{} .. {}", show(low), show(high)));
        let said = value.map_or_else(|| pick("not measured", "没有测到").to_owned(), show);
        table.row(vec![
            name.into(),
            (&said).into(),
            interval.clone().unwrap_or("–".to_owned()).into(),
            word(values, "rounds"),
            if values.contains_key(bars.why) { word(values, bars.why) } else { Text::new() },
        ]);
        if let Some(value) = value {
            let said = interval.map_or(said.clone(), |interval| format!("{said} ({interval})"));
            points.push(Point { name: name.clone(), value, ends, said, open: false });
        }
    }
    drop_empty(&mut table);
    let stamp = sources.stamp(run.when, &run.host);
    let title = format!("{}: {}, {stamp}", bars.name, pick("median and 95 % interval", "中位数和 95 % 区间"));
    let chart = Intervals::chart(&title, bars.kind, None, points);
    figure(chart, table)
}

/// A table as its spec has it; with ratios in it, a chart of them against 1 too.
fn table_of(sources: &Sources, run: &Measured, spec: &TableSpec) -> Option<Block> {
    let rows = rows(run, spec.name);
    let numbers = |kind: ReturnKind| !matches!(kind, ReturnKind::Word | ReturnKind::List | ReturnKind::Flag);
    let mut head = vec![Column::words(spec.head)];
    head.extend(spec.columns.iter().map(|column| Column { title: column.head.into(), numbers: numbers(column.kind) }));
    let mut table = Table::new(head);
    let mut points = Vec::new();
    for Row { name, values } in &rows {
        let cell =
            |value: Option<&Value>, kind: ReturnKind| value.map_or_else(Text::new, |value| kind.show(value).into());
        let cells = spec.columns.iter().map(|column| cell(values.get(column.value), column.kind));
        table.row(std::iter::once(Text::from(name)).chain(cells).collect());
        if let Some(value) = number(values, "ratio") {
            let ends = number(values, "low").zip(number(values, "high"));
            let verdict = values.get("verdict").and_then(Value::as_str).unwrap_or_default();
            let show = |value: f64| ReturnKind::Number.show(&Value::from(value));
            let interval = ends.map(|(low, high)| format!(" ({} .. {})", show(low), show(high))).unwrap_or_default();
            let said = format!("{}{interval}, {verdict}", show(value));
            points.push(Point { name: name.clone(), value, ends, said, open: verdict == "inconclusive" });
        }
    }
    let stamp = sources.stamp(run.when, &run.host);
    let beyond = beyond(&mut points);
    let against = sources.pick("how many times, against 1", "几倍，与 1 相比");
    let title = format!(
        "{}: {against}{}, {stamp}",
        spec.name,
        beyond.map_or_else(String::new, |names| {
            format!("{}{names}", sources.pick("; beyond the chart: ", "；图外："))
        })
    );
    match Intervals::chart(&title, ReturnKind::Number, Some(1.0), points) {
        Some(chart) => figure(Some(chart), table),
        None => figure(None, table.called(super::capital(spec.name).into())),
    }
}

/// Takes those ratios away beside which the others could not be told from 1, and says which.
fn beyond(points: &mut Vec<Point>) -> Option<String> {
    let far = |point: &Point| !(1.0 / FAR..FAR).contains(&point.value);
    if points.iter().filter(|point| !far(point)).count() < 2 {
        return None;
    }
    let (out, near): (Vec<_>, Vec<_>) = std::mem::take(points).into_iter().partition(far);
    *points = near;
    let names: Vec<_> = out.iter().map(|point| point.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join("; "))
}

fn counts_of(run: &Measured, spec: &CountsSpec) -> Option<Block> {
    let mut table = Table::new(vec![Column::words(spec.head), Column::numbers(spec.of), Column::words("")]);
    for Row { name, values } in &rows(run, spec.table) {
        table.row(vec![name.into(), word(values, spec.count), word(values, "note")]);
    }
    drop_empty(&mut table);
    figure(None, table.called(super::capital(spec.name).into()))
}

fn sides_of(sources: &Sources, run: &Measured, spec: &SidesSpec) -> Option<Block> {
    let mut table =
        Table::new(vec![Column::words(""), Column::words(""), Column::words(spec.acts), Column::words(spec.looks)]);
    for Row { name, values } in &rows(run, spec.name) {
        let side = values.get("side").and_then(Value::as_str);
        let known = [&spec.left, &spec.right].into_iter().find(|one| Some(one.side) == side);
        let on = match known {
            Some(one) => one.head.into(),
            None if side.is_none() => sources.pick("not tried", "没有试").into(),
            None => word(values, "why"),
        };
        table.row(vec![name.into(), on, word(values, "act"), word(values, "saw")]);
    }
    drop_empty(&mut table);
    figure(None, table.called(super::capital(spec.name).into()))
}

/// Curves of those values that are tables by a whole number: by workers, by size.
fn curves_of(
    sources: &Sources,
    run: &Measured,
    spec: Option<&DemoSpec>,
    picture: &CurvesSpec,
) -> Option<(Figure, Vec<String>)> {
    let tables = spec?.returns.iter().filter(|value| value.kind == ReturnKind::Table);
    let found: Vec<_> = tables.filter_map(|value| Some((value.name, points(run.values.get(value.name)?)?))).collect();
    let told = |name: &str| picture.curves.iter().find(|curve| curve.curve == name);
    let label = |name: &str| told(name).map_or(picture.y, |curve| curve.label);
    let curves = found.iter().map(|(name, points)| Curve {
        label: label(name).to_owned(),
        measured: told(name).is_none_or(|curve| curve.stroke != Stroke::Reference),
        points: points.clone(),
    });
    let title = format!("{}, {}", picture.name, sources.stamp(run.when, &run.host));
    let chart = Curves::chart(&title, picture.x, picture.y, curves.collect())?;
    let mut head = vec![Column::numbers(picture.x)];
    head.extend(found.iter().map(|(name, _)| Column::numbers(label(name))));
    let mut table = Table::new(head);
    let all: std::collections::BTreeSet<u32> =
        found.iter().flat_map(|(_, points)| points.iter().map(|p| p.0)).collect();
    for x in all {
        let at = |points: &[(u32, f64)]| points.iter().find(|point| point.0 == x).map(|point| point.1.to_string());
        let cells = found.iter().map(|(_, points)| at(points).unwrap_or_default().into());
        table.row(std::iter::once(Text::from(x.to_string())).chain(cells).collect());
    }
    let names = found.into_iter().map(|(name, _)| name.to_owned()).collect();
    Some((Figure { chart, table }, names))
}

/// A value that is a table of numbers by whole numbers.
fn points(value: &Value) -> Option<Vec<(u32, f64)>> {
    let point = |(x, y): (&String, &Value)| Some((x.parse().ok()?, y.as_f64()?));
    let points: Option<Vec<(u32, f64)>> = value.as_object()?.iter().map(point).collect();
    let mut points = points.filter(|points| points.len() > 1)?;
    points.sort_by_key(|(x, _)| *x);
    Some(points)
}

/// A table of which nothing is known but what is in it.
fn plain(name: &str, rows: &[Row]) -> Option<Block> {
    let all: std::collections::BTreeSet<&String> = rows.iter().flat_map(|row| row.values.keys()).collect();
    let keys: Vec<&String> = all.into_iter().take(MOST_COLUMNS).collect();
    let mut head = vec![Column::words("")];
    head.extend(keys.iter().map(Column::words));
    let mut table = Table::new(head);
    for row in rows {
        let cells = keys.iter().map(|key| word(&row.values, key));
        table.row(std::iter::once(Text::from(&row.name)).chain(cells).collect());
    }
    figure(None, table.called(super::capital(name).into()))
}

fn figure(chart: Option<super::chart::Chart>, table: Table) -> Option<Block> {
    if table.rows.is_empty() {
        return None;
    }
    Some(match chart {
        Some(chart) => Block::Figure(Box::new(Figure { chart, table })),
        None => Block::Table(table),
    })
}

/// Takes the columns away in which nothing stands.
fn drop_empty(table: &mut Table) {
    let keep: Vec<bool> =
        (0..table.head.len()).map(|n| n == 0 || table.rows.iter().any(|row| !row[n].is_empty())).collect();
    let kept = |n: usize| keep.get(n).copied().unwrap_or(true);
    let mut n = 0;
    table.head.retain(|_| (kept(n), n += 1).0);
    for row in &mut table.rows {
        let mut n = 0;
        row.retain(|_| (kept(n), n += 1).0);
    }
}
