//! What a claim asks of one value of an outcome: `survivors` is `at least 1`, `child_value` is `not parent_value`.
//!
//! The words are those of a lesson's `expect`, and three more: `not WORD`, a bound or an equality that is another value of
//! the same outcome (`over parent_value`, `same as parent_value`), and that one a number of times (`over 2 x thread_ns`).

use super::ValuePath;
use crate::fact::{DemoSpec, ReturnKind, ReturnSpec, Values};
use crate::lesson::{Matches, Reading, fits};
use serde_json::{Value, json};

/// How one value stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Same,
    Not,
    Under,
    Over,
    AtLeast,
    AtMost,
}

const SIDES: [(&str, Side); 6] = [
    ("same as ", Side::Same),
    ("not ", Side::Not),
    ("under ", Side::Under),
    ("over ", Side::Over),
    ("at least ", Side::AtLeast),
    ("at most ", Side::AtMost),
];

/// What is asked of the value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wants {
    /// It is covered.
    Covered(Matches),
    /// It is anything else.
    Not(Matches),
    /// So it stands to another value, taken so many times.
    Than(Side, f64, ValuePath),
}

/// What a claim asks of one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The value.
    pub value: ValuePath,
    /// As the author wrote it.
    pub written: String,
    pub(super) wants: Wants,
}

impl Condition {
    /// Reads what is asked of the value called `name`.
    ///
    /// # Errors
    /// What is wrong, as a sentence, and what to do.
    pub fn read(spec: &DemoSpec, name: &str, written: &str) -> Result<Self, (String, String)> {
        let value = ValuePath::read(spec, name)?;
        let wants = wants(spec, &value, written.trim())?;
        Ok(Self { value, written: written.to_owned(), wants })
    }

    /// Whether it holds; none if a value was not measured.
    #[must_use]
    pub fn holds(&self, values: &Values) -> Option<bool> {
        let value = Some(self.value.of(values)).filter(|v| !v.is_null())?;
        match &self.wants {
            Wants::Covered(matches) => Some(matches.holds(&value)),
            Wants::Not(matches) => Some(!matches.holds(&value)),
            Wants::Than(side, times, other) => {
                let other = Some(other.of(values)).filter(|v| !v.is_null())?;
                compare(*side, *times, &value, &other)
            }
        }
    }

    /// The values that it looks at.
    pub fn looks_at(&self) -> impl Iterator<Item = &ValuePath> {
        let other = if let Wants::Than(_, _, other) = &self.wants { Some(other) } else { None };
        std::iter::once(&self.value).chain(other)
    }
}

fn compare(side: Side, times: f64, value: &Value, other: &Value) -> Option<bool> {
    let (a, b) = match (value.as_f64(), other.as_f64()) {
        (Some(a), Some(b)) => (a, b * times),
        _ => {
            return match side {
                Side::Same => Some(value == other),
                Side::Not => Some(value != other),
                _ => None,
            };
        }
    };
    let same = (a - b).abs() <= b.abs() * 1e-9;
    Some(match side {
        Side::Same => same,
        Side::Not => !same,
        Side::Under => a < b,
        Side::Over => a > b,
        Side::AtLeast => a >= b,
        Side::AtMost => a <= b,
    })
}

fn wants(spec: &DemoSpec, value: &ValuePath, written: &str) -> Result<Wants, (String, String)> {
    let sided = SIDES.iter().find_map(|(word, side)| Some((*side, written.strip_prefix(word)?.trim())));
    if let Some((side, rest)) = sided {
        let (times, name) = times(rest);
        let root = name.split('.').next().unwrap_or_default();
        if spec.returns(root).is_some() {
            let other = ValuePath::read(spec, name)?;
            return than(spec, value, side, times, other);
        }
        if side == Side::Not {
            return covered(spec, value, rest).map(Wants::Not);
        }
        if side == Side::Same {
            let remedy = format!("name a value of {}: same as VALUE", spec.name);
            return Err((format!("{} returns no {root}", spec.name), remedy));
        }
    }
    covered(spec, value, written).map(Wants::Covered)
}

/// `2 x thread_ns`: how many times which value.
fn times(written: &str) -> (f64, &str) {
    let factor = written.split_once(" x ").and_then(|(n, name)| Some((n.trim().parse::<f64>().ok()?, name.trim())));
    factor.filter(|(n, _)| n.is_finite()).unwrap_or((1.0, written))
}

fn than(
    spec: &DemoSpec,
    value: &ValuePath,
    side: Side,
    times: f64,
    other: ValuePath,
) -> Result<Wants, (String, String)> {
    let sided = !matches!(side, Side::Same | Side::Not);
    let kinds = [value.kind(spec), other.kind(spec)];
    let number = |kind: &ReturnKind| {
        matches!(kind, ReturnKind::Count | ReturnKind::Nanos | ReturnKind::Kib | ReturnKind::Share | ReturnKind::Number)
    };
    if let [Some(a), Some(b)] = kinds
        && (a != b && !(number(&a) && number(&b)))
    {
        let what = format!("{} and {} are of two kinds", value.name(), other.name());
        return Err((what, "compare two values of one kind".to_owned()));
    }
    if (sided || times != 1.0) && kinds.iter().flatten().any(|kind| !number(kind)) {
        let what = format!("{} and {} are no numbers", value.name(), other.name());
        return Err((what, "of words and flags, only “same as” and “not” can be asked".to_owned()));
    }
    Ok(Wants::Than(side, times, other))
}

fn covered(spec: &DemoSpec, value: &ValuePath, written: &str) -> Result<Matches, (String, String)> {
    let remedy = || "write it as in a lesson's expect".to_owned();
    // A word is what it is, even if it is "yes" or looks like a number.
    let word = value.kind(spec) == Some(ReturnKind::Word);
    let read = |reading: Result<Reading, String>| reading.map_err(|sentence| (sentence, remedy()));
    let matches = if word { Matches::Is(json!(written)) } else { read(Reading::of(written))?.matches };
    let whole = spec.returns(value.name());
    match (whole, value.kind(spec)) {
        (Some(returns), _) => fits(returns, written, &matches).map_err(|wrong| (wrong.sentence, wrong.remedy))?,
        (None, Some(kind)) => {
            let part = ReturnSpec { name: "its length", kind, help: "" };
            fits(&part, written, &matches).map_err(|wrong| (wrong.sentence, wrong.remedy))?;
        }
        (None, None) => {}
    }
    Ok(matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) static SPEC: DemoSpec = DemoSpec {
        name: "sample",
        returns: &[
            ReturnSpec { name: "left", kind: ReturnKind::Count, help: "" },
            ReturnSpec { name: "right", kind: ReturnKind::Count, help: "" },
            ReturnSpec { name: "took_ns", kind: ReturnKind::Nanos, help: "" },
            ReturnSpec { name: "says", kind: ReturnKind::Word, help: "" },
            ReturnSpec { name: "died", kind: ReturnKind::List, help: "" },
            ReturnSpec { name: "figures", kind: ReturnKind::Table, help: "" },
        ],
        ..DemoSpec::BASE
    };

    fn values(value: &Value) -> Values {
        value.as_object().expect("a table").iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    fn holds(name: &str, written: &str, of: &Value) -> Option<bool> {
        Condition::read(&SPEC, name, written).expect(written).holds(&values(of))
    }

    #[test]
    fn a_value_is_held_against_words_as_in_a_lesson() {
        let of = json!({ "left": 5, "took_ns": 2_000_000, "says": "more", "died": ["C"] });
        for (name, written, right) in [
            ("left", "5", true),
            ("left", "at least 6", false),
            ("left", "not 5", false),
            ("took_ns", "1 ms .. 3 ms", true),
            ("says", "more", true),
            ("says", "not more", false),
            ("says", "yes", false),
            ("says", "not yes", true),
            ("died", "[C]", true),
            ("died.length", "over 1", false),
        ] {
            assert_eq!(holds(name, written, &of), Some(right), "{name} {written}");
        }
    }

    #[test]
    fn a_value_is_held_against_another() {
        let of = json!({ "left": 5, "right": 3, "figures": { "a": { "low": 1.5 }, "b": 2 } });
        for (written, right) in [
            ("over right", true),
            ("over 2 x right", false),
            ("same as right", false),
            ("not right", true),
            ("under right", false),
            ("at most 2 x right", true),
            ("at least 1.5 x right", true),
        ] {
            assert_eq!(holds("left", written, &of), Some(right), "{written}");
        }
        assert_eq!(holds("figures.a.low", "over 1", &of), Some(true));
        assert_eq!(holds("figures.b", "under right", &of), Some(true));
    }

    #[test]
    fn what_was_not_measured_decides_nothing() {
        assert_eq!(holds("left", "5", &json!({ "left": null })), None);
        assert_eq!(holds("left", "over right", &json!({ "left": 5 })), None);
        assert_eq!(holds("figures.least", "over 1", &json!({ "figures": {} })), None);
        assert_eq!(holds("figures.none.low", "over 1", &json!({ "figures": { "a": 1 } })), None);
    }

    #[test]
    fn parts_of_tables_and_lists() {
        let of = json!({ "figures": { "a": 1, "b": 4 }, "died": [] });
        assert_eq!(holds("figures.least", "1", &of), Some(true));
        assert_eq!(holds("figures.most", "over 3", &of), Some(true));
        assert_eq!(holds("died.length", "0", &of), Some(true));
    }

    #[test]
    fn what_cannot_be_is_an_error_with_a_remedy() {
        for (name, written, sentence, remedy) in [
            ("lefd", "5", "sample returns no lefd", "did you mean “left”?"),
            ("left", "many", "“many” can never be right", "write it as 5"),
            ("left", "over says", "of two kinds", "of one kind"),
            ("says", "over says", "are no numbers", "same as"),
            ("left", "same as lost", "sample returns no lost", "name a value"),
            ("says.length", "1", "says has no parts", "write says alone"),
            ("died.first", "1", "died is a list", ".least"),
            ("left", "3 .. 2", "is empty", "as in a lesson"),
            ("died.length", "[C]", "can never be right", "write it as 5"),
        ] {
            let (what, help) = Condition::read(&SPEC, name, written).expect_err(written);
            assert!(what.contains(sentence) && help.contains(remedy), "{written}: {what}; {help}");
        }
    }

    #[test]
    fn a_table_that_is_an_estimate_is_shown_with_its_interval() {
        let of = json!({ "figures": { "fork, 0 MiB": { "ns": 240_800.0, "low": 229_200.0, "high": 257_600.0, "rounds": 10 },
            "fork / thread": { "ratio": 13.58, "low": 12.97, "high": 14.67 } } });
        let show = |name| ValuePath::read(&SPEC, name).expect(name).show(&SPEC, &values(&of));
        assert_eq!(show("figures.fork, 0 MiB"), "241 µs (229 µs .. 258 µs, n = 10)");
        assert_eq!(show("figures.fork / thread"), "13.6 (13 .. 14.7)");
    }

    #[test]
    fn a_row_is_named_by_itself() {
        let label = |name| ValuePath::read(&SPEC, name).expect(name).label();
        assert_eq!(
            [label("figures.fork, 0 MiB"), label("died.length"), label("left")],
            ["fork, 0 MiB", "died.length", "left"]
        );
    }
}
