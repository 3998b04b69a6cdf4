//! How a run in rounds is told: a row for each variant and each comparison, one for each thing that was read of the machine,
//! and two curves of the first comparison: how often each ratio came out, and how narrow the interval has become.

use super::machine::words;
use super::{Bench, Variant};
use crate::demo::script::row;
use crate::fact::{
    BarsSpec, ColumnSpec, CurveSpec, CurvesSpec, Fact, ReturnKind, Scale, Stroke, TableSpec, Tally, Unavailable,
};
use crate::lab::{Compared, Conditions, Estimate, Noise, Series, Verdict, bins, compare, ratios};
use crate::stage::Stage;
use serde_json::{Map, Value, json};

/// The tables.
pub(in crate::demo) const FIGURES: &str = "figures";
pub(in crate::demo) const RATIOS: &str = "ratios";
const RUN: &str = "run";

/// From this share of the core's time on, that others had it is said even where it decides nothing.
const BUSY: f64 = 0.1;

/// The one row of [`RUN`] that has the values of the outcome.
const OUTCOME: &str = "outcome";

/// What a variant's figure is, and so which of its row's values it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) enum Unit {
    /// Nanoseconds that one takes: `ns`, `low`, `high`, `rounds`, and `p99_ns` where it is known.
    Nanos,
    /// KiB that one takes: `kib`, `low`, `high`, `rounds`.
    Kib,
    /// How many bytes a second go by, where one message of so many bytes takes so many nanoseconds: `bytes_per_s`, `rate_low`,
    /// `rate_high`. A second figure of a row that has one already.
    Rate {
        /// Bytes of a message.
        message: usize,
    },
}

impl Unit {
    /// The values of a row: the figure, and where its interval begins and ends.
    const fn keys(self) -> [&'static str; 3] {
        match self {
            Self::Nanos => ["ns", "low", "high"],
            Self::Kib => ["kib", "low", "high"],
            Self::Rate { .. } => ["bytes_per_s", "rate_low", "rate_high"],
        }
    }

    /// The figure of what was measured.
    #[expect(clippy::cast_precision_loss, reason = "bytes of a message, far below 2^52")]
    fn of(self, each: f64) -> f64 {
        match self {
            Self::Nanos | Self::Kib => each,
            Self::Rate { message } => message as f64 * 1e9 / each.max(f64::MIN_POSITIVE),
        }
    }

    /// The figure with its interval. Of a rate, the longest time is the least.
    fn estimate(self, found: &Estimate) -> Estimate {
        let of = |end: Option<f64>| end.map(|end| self.of(end));
        let (low, high) = match self {
            Self::Nanos | Self::Kib => (of(found.low), of(found.high)),
            Self::Rate { .. } => (of(found.high), of(found.low)),
        };
        Estimate { median: self.of(found.median), low, high, n: found.n }
    }
}

/// How wide a bin of the histogram is, as a share of what is in it.
const BIN: f64 = 0.02;

/// A bar for each variant whose figure is a time.
pub(in crate::demo) const fn bars(name: &'static str, head: &'static str) -> BarsSpec {
    bars_of(name, head, Unit::Nanos)
}

/// A bar for each variant whose figure is of this unit.
pub(in crate::demo) const fn bars_of(name: &'static str, head: &'static str, unit: Unit) -> BarsSpec {
    let [value, low, high] = unit.keys();
    let kind = match unit {
        Unit::Nanos => ReturnKind::Nanos,
        Unit::Kib => ReturnKind::Kib,
        Unit::Rate { .. } => ReturnKind::Rate,
    };
    BarsSpec { name, table: FIGURES, head, value, low, high, why: "why", note: "note", kind, scale: Scale::Logarithmic }
}

/// A row for each comparison; `head` says what is compared.
pub(in crate::demo) const fn ratio_table(head: &'static str) -> TableSpec {
    TableSpec {
        name: RATIOS,
        head,
        columns: &[
            ColumnSpec { value: "times", head: "times (95 %)", kind: ReturnKind::Word },
            ColumnSpec { value: "says", head: "verdict", kind: ReturnKind::Word },
        ],
    }
}

/// A row for each thing that was read of the machine.
pub(in crate::demo) static RUN_TABLE: TableSpec = TableSpec {
    name: "machine",
    head: "was it quiet?",
    columns: &[ColumnSpec { value: "is", head: "", kind: ReturnKind::Word }],
};

/// How often each ratio of the first comparison came out.
pub(in crate::demo) static HISTOGRAM: CurvesSpec = CurvesSpec {
    name: "histogram",
    x: "ratio in a round",
    y: "rounds",
    kind: ReturnKind::Count,
    curves: &[CurveSpec { curve: "rounds", label: "rounds", stroke: Stroke::Counted }],
};

/// How narrow the interval of the first comparison has become.
pub(in crate::demo) static SURE: CurvesSpec = CurvesSpec {
    name: "how sure",
    x: "rounds",
    y: "half the interval, %",
    kind: ReturnKind::Number,
    curves: &[CurveSpec { curve: "half", label: "of the first ratio", stroke: Stroke::Measured }],
};

impl Bench {
    /// Tells all rows, so that they stand in their order from the beginning on.
    pub(super) fn announce(&self, stage: &mut Stage) {
        let place = words(self.machine.cpus());
        for Variant { row: name, place: measured, .. } in self.variants.iter().filter(|variant| variant.is_shown()) {
            stage.tell(row(FIGURES, name, json!({ "note": format!("warming up{place}") })));
            if let Err(why) = measured {
                stage.tell(Fact::Refused(Unavailable::new(name.clone(), why.clone())));
                stage.tell(row(FIGURES, name, json!({ "why": why })));
            }
        }
    }

    /// Tells what all has come to.
    pub(super) fn tell(&self, stage: &mut Stage, round: usize, rounds: usize) {
        let place = words(self.machine.cpus());
        let note = match round {
            0 => format!("warming up{place}"),
            n if n < rounds => format!("round {n} of {rounds}{place}"),
            n => format!("{n} rounds{place}"),
        };
        stage.tell(Fact::Step { name: note.clone() });
        for (n, variant) in self.variants.iter().enumerate().filter(|(_, variant)| variant.is_shown()) {
            stage.tell(row(FIGURES, &variant.row, figures(variant, &self.found[n], self.p99[n], &note)));
        }
        let (conditions, noises) = self.conditions();
        for pair in &self.pairs {
            let found = compare(&self.found[pair.a], &self.found[pair.b]);
            stage.tell(row(RATIOS, &pair.row, comparison(found.as_ref(), &noises, conditions.resolution())));
        }
        self.tell_first(stage, round);
        self.tell_machine(stage, &conditions, &noises);
    }

    /// The two curves of the first comparison.
    fn tell_first(&self, stage: &mut Stage, round: usize) {
        let Some(first) = self.pairs.first() else { return };
        let (a, b) = (&self.found[first.a], &self.found[first.b]);
        let mut point = |curve: &str, x: f64, y: f64| stage.tell(Fact::Point { curve: curve.to_owned(), x, y });
        for (ratio, rounds) in bins(&ratios(a, b), BIN) {
            point("rounds", rounded(ratio), f64::from(rounds));
        }
        let found = compare(a, b);
        if let Some((low, high)) = found.as_ref().and_then(|f| f.ratio.low.zip(f.ratio.high)) {
            let middle = found.map_or(1.0, |f| f.ratio.median);
            #[expect(clippy::cast_precision_loss, reason = "a number of rounds")]
            point("half", round as f64, rounded((high - low) / 2.0 / middle * 100.0));
        }
    }

    fn tell_machine(&self, stage: &mut Stage, conditions: &Conditions, noises: &[Noise]) {
        let outliers: usize = self.found.iter().map(Series::outliers).sum();
        let left_out: usize = self.found.iter().map(Series::left_out).sum();
        let pinned = !self.machine.cpus().is_empty();
        let disturbed = format!("{} of {}, {left_out} of them left out", conditions.disturbed, conditions.measured);
        let same = conditions.same.map(|same| format!("{:.3} times{}", same.median, interval(&same)));
        let verdict = match (noises.first(), conditions.others) {
            (Some(noise), _) => {
                format!("no: {}; a ratio can be off by {:.0} %", noise.why, (noise.reach - 1.0) * 100.0)
            }
            (None, Some(others)) if others > BUSY => {
                format!("enough: others had {:.0} % of the time; what they disturbed is left out", others * 100.0)
            }
            (None, _) => "yes".to_owned(),
        };
        let of_rounds = [
            ("in short", Some(verdict)),
            ("disturbed", pinned.then_some(disturbed)),
            (
                "outliers",
                Some(if outliers > 0 { format!("{outliers}, kept: a median does not mind") } else { "none".into() }),
            ),
            ("same thing twice", same),
        ];
        let read = self.machine.rows(conditions).into_iter().map(|(name, is)| (name, Some(is)));
        let rows = of_rounds.into_iter().chain(read);
        for (name, is) in rows.into_iter().filter_map(|(name, is)| Some((name, is?))) {
            stage.tell(row(RUN_TABLE.name, name, json!({ "is": is })));
        }
        let outcome = json!({
            "rounds": self.found.iter().map(Series::measured).max(),
            "left_out": left_out,
            "outliers": outliers,
            "noise": noises.first().map_or("none", |noise| noise.why.as_str()),
            "same": conditions.same.map(|same| rounded(same.median)),
            "cpu": self.machine.cpus().last().map(|cpu| cpu.0),
        });
        stage.tell(row(RUN, OUTCOME, outcome));
    }
}

/// What a variant's row says.
fn figures(variant: &Variant, series: &Series, p99: Option<f64>, note: &str) -> Value {
    let mut values = json!({ "note": note });
    let [figure, low, high] = variant.unit.keys();
    if let Err(why) = &variant.place {
        // A figure from before is no figure of what cannot be measured.
        (values[figure], values["why"]) = (Value::Null, json!(why));
        return values;
    }
    let Some(found) = series.estimate() else { return values };
    let (found, n) = (variant.unit.estimate(&found), found.n);
    values[figure] = json!(rounded(found.median));
    if let Some((from, to)) = found.low.zip(found.high) {
        (values[low], values[high]) = (json!(rounded(from)), json!(rounded(to)));
    }
    if !matches!(variant.unit, Unit::Rate { .. }) {
        values["rounds"] = json!(n);
    }
    if let Some(p99) = p99 {
        values["p99_ns"] = json!(rounded(p99));
    }
    values
}

fn comparison(found: Option<&Compared>, noises: &[Noise], resolution: f64) -> Value {
    let own = found.and_then(|found| found.noise.clone());
    let noises: Vec<Noise> = own.into_iter().chain(noises.iter().cloned()).collect();
    let ratio = found.map(|found| &found.ratio);
    let verdict = Verdict::of(ratio, &noises, resolution);
    let says = verdict.why().map_or(verdict.word().to_owned(), |why| format!("{}: {why}", verdict.word()));
    json!({
        "ratio": ratio.map(|found| rounded(found.median)),
        "low": ratio.and_then(|found| found.low).map(rounded),
        "high": ratio.and_then(|found| found.high).map(rounded),
        "times": ratio.map(|found| format!("{}{}", rounded(found.median), interval(found))),
        "verdict": verdict.word(),
        "says": says,
    })
}

/// " (0.98 .. 1.02)", or nothing where there is none.
fn interval(found: &Estimate) -> String {
    let ends = found.low.zip(found.high);
    ends.map_or(String::new(), |(low, high)| format!(" ({} .. {})", rounded(low), rounded(high)))
}

/// Four figures: more would be noise.
pub(super) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powf(3.0 - value.abs().log10().floor());
    (value * scale).round() / scale
}

/// What a variant's row says for the outcome, where its figure is a time.
pub(in crate::demo) fn figure(tally: &Tally, name: &str) -> Value {
    figure_of(tally, name, Unit::Nanos)
}

/// The same, where its figure is of this unit.
pub(in crate::demo) fn figure_of(tally: &Tally, name: &str, unit: Unit) -> Value {
    let [figure, low, high] = unit.keys();
    cells(tally, FIGURES, name, [figure, low, high, "rounds"])
}

/// A comparison for the outcome.
pub(in crate::demo) fn ratio_of(tally: &Tally, name: &str) -> Value {
    cells(tally, RATIOS, name, ["ratio", "low", "high", "verdict"])
}

/// These cells of a row; null where the first of them is not known.
fn cells(tally: &Tally, table: &str, row: &str, keys: [&str; 4]) -> Value {
    let cell = |value: &str| tally.cell(table, row, value).cloned().unwrap_or(Value::Null);
    if cell(keys[0]).is_null() {
        return Value::Null;
    }
    Value::Object(keys.map(|key| (key.to_owned(), cell(key))).into_iter().collect::<Map<_, _>>())
}

/// A value of the run as a whole for the outcome: `rounds`, `left_out`, `outliers`, `noise`, `same`, `cpu`.
pub(in crate::demo) fn run_of(tally: &Tally, value: &str) -> Value {
    tally.cell(RUN, OUTCOME, value).cloned().unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Sample;

    fn series(values: &[f64]) -> Series {
        let mut series = Series::default();
        values.iter().for_each(|value| series.push(Some(Sample { value: *value, foreign: 0.0 })));
        series
    }

    fn variant(unit: Unit) -> Variant {
        Variant { row: "x".to_owned(), place: Ok(0), what: 0, most: 1, unit }
    }

    #[test]
    fn a_figure_has_its_interval_as_soon_as_there_are_rounds_enough() {
        let nanos = variant(Unit::Nanos);
        let few = figures(&nanos, &series(&[1.0, 2.0, 3.0]), None, "round 3 of 9");
        assert_eq!((&few["ns"], &few["low"], &few["note"]), (&json!(2.0), &Value::Null, &json!("round 3 of 9")));
        let many = figures(&nanos, &series(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), Some(90.0), "");
        assert_eq!((&many["ns"], &many["low"], &many["high"]), (&json!(4.0), &json!(1.0), &json!(7.0)));
        assert_eq!((&many["rounds"], &many["p99_ns"]), (&json!(7), &json!(90.0)));
    }

    #[test]
    fn a_rate_is_the_greater_the_less_time_a_message_takes() {
        let found = figures(&variant(Unit::Rate { message: 8 }), &series(&[1.0, 2.0, 2.0, 4.0, 2.0, 2.0]), None, "");
        assert_eq!(
            (&found["bytes_per_s"], &found["rate_low"], &found["rate_high"]),
            (&json!(4e9), &json!(2e9), &json!(8e9))
        );
        assert_eq!(
            (&found["rounds"], &found["ns"]),
            (&Value::Null, &Value::Null),
            "a row has those of its first figure"
        );
    }

    #[test]
    fn what_cannot_be_measured_has_a_reason_and_no_figure() {
        let why = "fork: EAGAIN".to_owned();
        let refused = Variant { place: Err(why.clone()), ..variant(Unit::Kib) };
        let values = figures(&refused, &series(&[1.0, 2.0]), None, "");
        assert_eq!((&values["kib"], &values["why"]), (&Value::Null, &json!(why)));
    }

    #[test]
    fn a_verdict_says_why_it_is_none() {
        let ratio = Estimate { median: 1.05, low: Some(1.02), high: Some(1.08), n: 50 };
        let ratio = Compared { ratio, noise: None };
        let quiet = comparison(Some(&ratio), &[], 1.01);
        assert_eq!(
            (&quiet["verdict"], &quiet["says"], &quiet["times"]),
            (&json!("more"), &json!("more"), &json!("1.05 (1.02 .. 1.08)"))
        );
        let noise = [Noise { why: "the clock speed changed by 20 %".to_owned(), reach: 1.2 }];
        let loud = comparison(Some(&ratio), &noise, 1.01);
        assert_eq!(loud["says"], json!("inconclusive: the clock speed changed by 20 %"));
        assert_eq!(comparison(None, &[], 1.01)["ratio"], Value::Null);
    }

    #[test]
    fn figures_have_four_places() {
        assert_eq!(
            [rounded(1.234_56), rounded(98_765.4), rounded(0.012_345), rounded(0.0)],
            [1.235, 98_770.0, 0.012_35, 0.0]
        );
    }

    #[test]
    fn what_was_not_told_is_null() {
        let nothing = Tally::default();
        assert_eq!(
            [figure(&nothing, "x"), ratio_of(&nothing, "x"), run_of(&nothing, "rounds")],
            [Value::Null, Value::Null, Value::Null]
        );
    }
}
