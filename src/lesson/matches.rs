//! What an author writes in an option of a prediction or in an `expect`, read into what it covers.
//!
//! | written | covers |
//! |---|---|
//! | `5`, `1,000`, `2.5` | that number |
//! | `40 ms`, `64 KiB`, `30 %` | that number in the value's own unit: nanoseconds, kibibytes, a share of one |
//! | `1 ms .. 10 ms`, `1 .. 10 ms` | from the first, included, to the last, excluded |
//! | `under 1 ms`, `over 10 ms`, `at least 5`, `at most 5` | everything on one side |
//! | `yes`, `no` | a flag |
//! | `[C]`, `[A, B]`, `[]` | a list |
//! | anything else | that word |
//!
//! `over 5` does not cover 5; a bound with a unit is covered by what lies above it, so that neighbours meet.

use super::Matches;
use serde_json::{Value, json};

/// What the numbers of an option are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Plain numbers, or no number at all.
    Plain,
    /// A time: ns, us, ms, s, min.
    Time,
    /// A size: B, KiB, MiB, GiB.
    Size,
    /// Per cent.
    Percent,
}

/// An option, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it covers.
    pub matches: Matches,
    /// What its numbers were written in.
    pub unit: Unit,
}

const UNITS: [(&str, Unit, f64); 17] = [
    ("ns", Unit::Time, 1.0),
    ("us", Unit::Time, 1e3),
    ("\u{b5}s", Unit::Time, 1e3),
    ("\u{3bc}s", Unit::Time, 1e3),
    ("ms", Unit::Time, 1e6),
    ("s", Unit::Time, 1e9),
    ("min", Unit::Time, 60e9),
    ("纳秒", Unit::Time, 1.0),
    ("微秒", Unit::Time, 1e3),
    ("毫秒", Unit::Time, 1e6),
    ("秒", Unit::Time, 1e9),
    ("B", Unit::Size, 1.0 / 1024.0),
    ("KiB", Unit::Size, 1.0),
    ("MiB", Unit::Size, 1024.0),
    ("GiB", Unit::Size, 1024.0 * 1024.0),
    ("%", Unit::Percent, 0.01),
    ("", Unit::Plain, 1.0),
];

/// Which side of a bound.
#[derive(Clone, Copy)]
enum Side {
    Under,
    Over,
    AtLeast,
    AtMost,
}

const BEFORE: [(&str, Side); 15] = [
    ("under ", Side::Under),
    ("below ", Side::Under),
    ("less than ", Side::Under),
    ("fewer than ", Side::Under),
    ("over ", Side::Over),
    ("above ", Side::Over),
    ("more than ", Side::Over),
    ("at least ", Side::AtLeast),
    ("at most ", Side::AtMost),
    ("低于", Side::Under),
    ("少于", Side::Under),
    ("不到", Side::Under),
    ("超过", Side::Over),
    ("至少", Side::AtLeast),
    ("至多", Side::AtMost),
];

const AFTER: [(&str, Side); 3] = [(" or more", Side::AtLeast), (" or less", Side::AtMost), (" or fewer", Side::AtMost)];

impl Reading {
    /// Reads an option.
    ///
    /// # Errors
    /// A sentence, for a range that is none: backwards, empty, or between two units.
    pub fn of(written: &str) -> Result<Self, String> {
        let written = written.trim();
        if let Some((from, to)) = written.split_once("..")
            && let Some(range) = range(written, from, to)
        {
            return range;
        }
        if let Some((side, bound)) = sided(written) {
            return Ok(bound.on(side));
        }
        if let Some(q) = Quantity::read(written) {
            return Ok(Self { matches: Matches::Number(q.value()), unit: q.unit });
        }
        Ok(Self { matches: Matches::Is(word(written)), unit: Unit::Plain })
    }
}

/// A range; none if neither end is a number, so that it is just words with dots.
fn range(written: &str, from: &str, to: &str) -> Option<Result<Reading, String>> {
    let (mut from, to) = match (Quantity::read(from), Quantity::read(to)) {
        (None, None) => return None,
        (Some(from), Some(to)) => (from, to),
        _ => return Some(Err(format!("“{written}” is no range: both of its ends have to be numbers"))),
    };
    if from.unit == Unit::Plain {
        (from.unit, from.scale) = (to.unit, to.scale);
    }
    Some(if from.unit != to.unit {
        Err(format!("“{written}” goes from one unit to another"))
    } else if from.value() >= to.value() {
        Err(format!("“{written}” is empty: a range goes from the smaller number to the larger"))
    } else {
        Ok(Reading { matches: Matches::Range(from.value(), to.value()), unit: to.unit })
    })
}

fn sided(written: &str) -> Option<(Side, Quantity)> {
    let before = BEFORE.iter().find_map(|(words, side)| written.strip_prefix(words).map(|rest| (*side, rest)));
    let after = || AFTER.iter().find_map(|(words, side)| written.strip_suffix(words).map(|rest| (*side, rest)));
    let (side, rest) = before.or_else(after)?;
    Some((side, Quantity::read(rest)?))
}

/// A number with its unit.
struct Quantity {
    number: f64,
    unit: Unit,
    scale: f64,
}

impl Quantity {
    fn read(written: &str) -> Option<Self> {
        let written = written.trim();
        let digits = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '_' | '-' | '+');
        let end = written.find(|c| !digits(c)).unwrap_or(written.len());
        let (number, unit) = written.split_at(end);
        if !number.ends_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (_, unit, scale) = *UNITS.iter().find(|(name, ..)| *name == unit.trim_start())?;
        let number: f64 = number.replace([',', '_'], "").parse().ok()?;
        number.is_finite().then_some(Self { number, unit, scale })
    }

    fn value(&self) -> f64 {
        self.number * self.scale
    }

    fn on(&self, side: Side) -> Reading {
        let bound = self.value();
        let matches = match side {
            Side::Under => Matches::Range(f64::NEG_INFINITY, bound),
            Side::AtMost => Matches::Range(f64::NEG_INFINITY, bound.next_up()),
            Side::Over if self.unit == Unit::Plain => Matches::Range(bound.next_up(), f64::INFINITY),
            Side::Over | Side::AtLeast => Matches::Range(bound, f64::INFINITY),
        };
        Reading { matches, unit: self.unit }
    }
}

/// A flag, a list or a word.
fn word(written: &str) -> Value {
    match written {
        "yes" | "true" | "是" => json!(true),
        "no" | "false" | "否" => json!(false),
        _ => match written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(list) => list.split([',', '，']).map(str::trim).filter(|s| !s.is_empty()).map(element).collect(),
            None => json!(written),
        },
    }
}

fn element(written: &str) -> Value {
    if let Ok(n) = written.parse::<i64>() { json!(n) } else { json!(written.trim_matches('"')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(written: &str, value: &Value) -> bool {
        Reading::of(written).expect(written).matches.holds(value)
    }

    #[test]
    fn numbers_are_in_the_values_own_unit() {
        let read = |written| Reading::of(written).expect(written);
        assert_eq!(read("40 ms"), Reading { matches: Matches::Number(40e6), unit: Unit::Time });
        assert_eq!(read("1 MiB"), Reading { matches: Matches::Number(1024.0), unit: Unit::Size });
        assert_eq!(read("30 %").unit, Unit::Percent);
        assert!(covers("30 %", &json!(0.3)) && covers("3µs", &json!(3000)) && covers("1,000", &json!(1000)));
        assert!(covers("5", &json!(5)) && !covers("5", &json!(6)) && covers("-2", &json!(-2)));
    }

    #[test]
    fn ranges_meet_without_overlapping() {
        for options in [["under 1 ms", "1 ms .. 10 ms", "over 10 ms"], ["under 1 ms", "1 .. 10 ms", "at least 10 ms"]] {
            for (ns, right) in [(0, 0), (999_999, 0), (1_000_000, 1), (9_999_999, 1), (10_000_000, 2), (u64::MAX, 2)] {
                let held: Vec<_> = (0..3).filter(|i| covers(options[*i], &json!(ns))).collect();
                assert_eq!(held, [right], "{ns} ns in {options:?}");
            }
        }
    }

    #[test]
    fn a_count_is_over_a_number_only_when_it_is_more() {
        assert!(!covers("over 5", &json!(5)) && covers("over 5", &json!(6)));
        assert!(covers("at least 5", &json!(5)) && covers("5 or more", &json!(5)));
        assert!(covers("at most 5", &json!(5)) && !covers("at most 5", &json!(6)));
        assert!(!covers("fewer than 5", &json!(5)) && covers("少于 5", &json!(4)));
    }

    #[test]
    fn words_flags_and_lists() {
        assert!(covers("SIGSEGV", &json!("SIGSEGV")) && !covers("SIGSEGV", &json!("SIGKILL")));
        assert!(covers("yes", &json!(true)) && covers("否", &json!(false)));
        assert!(covers("[C]", &json!(["C"])) && covers("[1, 2]", &json!([1, 2])) && covers("[]", &json!([])));
        assert!(covers("over the hills", &json!("over the hills")), "not every “over” is a bound");
        assert!(covers("3 tabs", &json!("3 tabs")), "an unknown unit makes it a word");
        assert!(covers("...", &json!("...")) && covers("", &json!("")) && covers("-", &json!("-")));
    }

    #[test]
    fn a_range_that_is_none_says_so() {
        for (written, part) in
            [("10 ms .. 1 ms", "is empty"), ("1 ms .. 3 KiB", "one unit to another"), ("1 .. many", "both of its ends")]
        {
            let sentence = Reading::of(written).expect_err(written);
            assert!(sentence.contains(part), "{sentence}");
        }
    }
}
