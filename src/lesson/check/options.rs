//! Whether what an author wrote can ever be so: an option or expectation against the kind of value it speaks of.

use crate::fact::{ReturnKind, ReturnSpec};
use crate::lesson::{Choice, Matches, Reading, Unit};
use serde_json::Value;

/// What is wrong, and what to write instead.
pub(crate) struct Wrong {
    pub(crate) sentence: String,
    pub(crate) remedy: String,
}

/// Whether a value of this kind can be covered by `matches`, which was `written` so.
pub(crate) fn fits(returns: &ReturnSpec, written: &str, matches: &Matches) -> Result<(), Wrong> {
    let unit = Reading::of(written).map_or(Unit::Plain, |reading| reading.unit);
    let number = match matches {
        Matches::Number(n) => Some((*n, *n)),
        Matches::Range(from, to) => Some((*from, *to)),
        Matches::Is(_) => None,
    };
    let zero = number == Some((0.0, 0.0));
    let positive = number.is_some_and(|(from, to)| to > 0.0 || from == 0.0);
    let good = match returns.kind {
        ReturnKind::Count => unit == Unit::Plain && positive && whole(matches),
        ReturnKind::Nanos => (unit == Unit::Time || zero) && positive,
        ReturnKind::Kib => (unit == Unit::Size || zero) && positive,
        ReturnKind::Rate => unit == Unit::Plain && positive,
        ReturnKind::Share => {
            matches!(unit, Unit::Percent | Unit::Plain) && positive && number.is_some_and(|(from, _)| from <= 1.0)
        }
        ReturnKind::Number => matches!(unit, Unit::Percent | Unit::Plain) && number.is_some(),
        ReturnKind::Word => matches!(matches, Matches::Is(Value::String(word)) if !word.is_empty()),
        ReturnKind::Flag => matches!(matches, Matches::Is(Value::Bool(_))),
        ReturnKind::List => matches!(matches, Matches::Is(Value::Array(_))),
        ReturnKind::Table => false,
    };
    if good {
        return Ok(());
    }
    let (is, remedy) = describe(returns.kind);
    let sentence = format!("“{}” can never be right: {} is {is}", crate::fact::clean_line(written), returns.name);
    Err(Wrong { sentence, remedy: remedy.to_owned() })
}

/// A count is a whole number; a range of counts may have any bounds.
fn whole(matches: &Matches) -> bool {
    !matches!(matches, Matches::Number(n) if n.fract() != 0.0)
}

fn describe(kind: ReturnKind) -> (&'static str, &'static str) {
    match kind {
        ReturnKind::Count => ("a whole number", "write it as 5, 1 .. 10 or over 100"),
        ReturnKind::Nanos => ("a time", "write it with its unit: 40 ms, 1 us .. 10 us, over 2 s"),
        ReturnKind::Kib => ("a size", "write it with its unit: 64 KiB, 1 MiB .. 8 MiB"),
        ReturnKind::Rate => ("bytes a second", "write it as a plain number: over 1000000000"),
        ReturnKind::Share => ("a share of the whole", "write it as 30 % .. 40 %"),
        ReturnKind::Number => ("a plain number", "write it as 1.5, 1 .. 2 or over 3"),
        ReturnKind::Word => ("a word", "write the word as the demo gives it: SIGSEGV"),
        ReturnKind::Flag => ("a yes or a no", "write yes or no"),
        ReturnKind::List => ("a list", "write it as [A, B]"),
        ReturnKind::Table => ("a table", "ask for another value: a table cannot be compared"),
    }
}

/// Whether some value is covered by both.
pub(super) fn overlap(a: &Matches, b: &Matches) -> bool {
    match (a, b) {
        (Matches::Number(a), Matches::Number(b)) => a == b,
        (Matches::Number(n), Matches::Range(from, to)) | (Matches::Range(from, to), Matches::Number(n)) => {
            (*from..*to).contains(n)
        }
        (Matches::Range(a, b), Matches::Range(c, d)) => a < d && c < b,
        (Matches::Is(a), Matches::Is(b)) => a == b,
        (Matches::Is(_), _) | (_, Matches::Is(_)) => false,
    }
}

/// A gap between two neighbouring ranges: which option comes after it, and what is in it.
pub(super) fn gap(options: &[Choice]) -> Option<(usize, String)> {
    let mut spans: Vec<_> = options
        .iter()
        .enumerate()
        .filter_map(|(i, option)| match option.matches {
            Matches::Number(n) => Some((n, n.next_up(), i)),
            Matches::Range(from, to) => Some((from, to, i)),
            Matches::Is(_) => None,
        })
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ranges = |i: usize| matches!(options[i].matches, Matches::Range(..));
    spans.windows(2).find(|w| ranges(w[0].2) && ranges(w[1].2) && w[0].1 < w[1].0).map(|w| {
        let [before, after] = [w[0].2, w[1].2].map(|i| options[i].label.as_str());
        (w[1].2, format!("what lies between “{before}” and “{after}”"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(kind: ReturnKind) -> ReturnSpec {
        ReturnSpec { name: "it", kind, help: "" }
    }

    fn fit(kind: ReturnKind, written: &str) -> bool {
        fits(&spec(kind), written, &Reading::of(written).expect(written).matches).is_ok()
    }

    #[test]
    fn an_option_has_to_be_of_the_values_kind() {
        let good = [
            (ReturnKind::Count, ["5", "0", "1 .. 10", "over 100"]),
            (ReturnKind::Nanos, ["0", "40 ms", "under 1 us", "1 .. 2 s"]),
            (ReturnKind::Kib, ["0", "64 KiB", "over 1 MiB", "1 B .. 2 B"]),
            (ReturnKind::Share, ["0.5", "30 % .. 40 %", "0", "over 90 %"]),
            (ReturnKind::Number, ["1.5", "-2", "150 %", "1 .. 2"]),
            (ReturnKind::Word, ["SIGSEGV", "no difference", "EAGAIN", "Z"]),
            (ReturnKind::Flag, ["yes", "no", "true", "否"]),
            (ReturnKind::List, ["[C]", "[]", "[1, 2]", "[A, B]"]),
        ];
        let bad = [
            (ReturnKind::Count, ["5 ms", "2.5", "-1", "many"]),
            (ReturnKind::Nanos, ["5", "5 KiB", "-1 ms", "soon"]),
            (ReturnKind::Kib, ["5", "5 ms", "-1 KiB", "big"]),
            (ReturnKind::Share, ["150 %", "5", "-0.1", "1 ms"]),
            (ReturnKind::Number, ["1 ms", "more", "yes", "1 KiB"]),
            (ReturnKind::Word, ["5", "yes", "[A]", "1 .. 2"]),
            (ReturnKind::Flag, ["1", "maybe", "[]", "Yes!"]),
            (ReturnKind::List, ["C", "1", "yes", "all"]),
            (ReturnKind::Table, ["C", "1", "yes", "[A]"]),
        ];
        for (kind, written) in good.iter().flat_map(|(k, w)| w.map(|w| (*k, w))) {
            assert!(fit(kind, written), "{written} for {kind:?}");
        }
        for (kind, written) in bad.iter().flat_map(|(k, w)| w.map(|w| (*k, w))) {
            assert!(!fit(kind, written), "{written} for {kind:?}");
        }
    }

    #[test]
    fn overlaps_are_found_and_neighbours_are_none() {
        let both = |a: &str, b: &str| overlap(&Reading::of(a).expect(a).matches, &Reading::of(b).expect(b).matches);
        assert!(both("5", "at least 5") && both("1 .. 5", "4 .. 9") && both("yes", "true") && both("0", "under 1 ms"));
        assert!(!both("5", "over 5") && !both("1 .. 5", "5 .. 9") && !both("yes", "no") && !both("1", "2"));
    }

    #[test]
    fn a_gap_between_ranges_is_found() {
        let options = |written: &[&str]| -> Vec<Choice> {
            let read = |w: &&str| Choice { label: (*w).into(), matches: Reading::of(w).expect("good").matches };
            written.iter().map(read).collect()
        };
        assert!(gap(&options(&["0", "5", "6"])).is_none());
        assert!(gap(&options(&["under 1 ms", "1 ms .. 10 ms", "over 10 ms"])).is_none());
        assert!(gap(&options(&["at most 5", "over 5"])).is_none());
        assert_eq!(gap(&options(&["1 .. 5", "over 5"])).map(|(i, _)| i), Some(1), "5 itself");
        assert_eq!(gap(&options(&["1 .. 5", "6 .. 10"])).map(|(i, _)| i), Some(1));
        assert_eq!(gap(&options(&["over 10 ms", "under 1 ms"])).map(|(i, _)| i), Some(0));
    }
}
