//! Words for 80 columns: folded text, and the values of an outcome.

use crate::fact::{DemoSpec, ReturnKind, Values, clean_line};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// Columns of a terminal as they have always been, and of a page that is printed.
const COLUMNS: usize = 80;

/// `text` in lines that end before the last column: the first begins with `head`, the others are set in as far.
/// A word that is wider than a line stands alone.
pub(super) fn fold(head: &str, text: &str) -> Vec<String> {
    let indent = head.width();
    let mut lines = vec![head.to_owned()];
    let mut used = indent;
    let mut first = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = word.width();
        if !first && used + 1 + width >= COLUMNS {
            lines.push(" ".repeat(indent));
            (used, first) = (indent, true);
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if first { "" } else { " " });
            line.push_str(word);
        }
        used += width + usize::from(!first);
        first = false;
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// As [`fold`], and what stands between two commas stays together, as a number and its unit do.
fn fold_list(head: &str, list: &str) -> Vec<String> {
    let together = list.replace(' ', "\u{a0}").replace(",\u{a0}", ", ");
    fold(head, &together).iter().map(|line| line.replace('\u{a0}', " ")).collect()
}

/// The values of an outcome in the order of the spec; of an unknown demo, as they come.
pub(super) fn table(spec: Option<&DemoSpec>, values: &Values) -> Vec<String> {
    let rows: Vec<(String, String, &str)> = match spec {
        Some(spec) => {
            let shown = |r: &crate::fact::ReturnSpec| r.kind.show(values.get(r.name).unwrap_or(&Value::Null));
            spec.returns.iter().map(|r| (r.name.to_owned(), shown(r), r.help)).collect()
        }
        None => values.iter().map(|(name, v)| (clean_line(name), ReturnKind::Word.show(v), "")).collect(),
    };
    let name = rows.iter().map(|r| r.0.width()).max().unwrap_or(0);
    let value = rows.iter().map(|r| r.1.width()).filter(|w| *w <= 24).max().unwrap_or(0);
    let row = |(n, v, help): &(String, String, &str)| {
        let head = format!("  {}  ", pad(n, name));
        let short = v.width() <= value;
        let mut lines = if short { vec![format!("{head}{}", pad(v, value))] } else { fold_list(&head, v) };
        if !help.is_empty() {
            let beside = format!("{}  ", if short { lines.remove(0) } else { " ".repeat(head.width() + value) });
            lines.extend(fold(&beside, help));
        }
        lines
    };
    rows.iter().flat_map(row).map(|line| line.trim_end().to_owned()).collect()
}

/// `text` and as many blanks as make it `width` columns.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// "1 lesson", "3 lessons".
pub(super) fn count(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_folded_before_the_last_column() {
        let lines = fold("  name: ", &"word ".repeat(40));
        assert!(lines.len() > 2 && lines.iter().all(|l| l.width() < COLUMNS), "{lines:?}");
        assert!(lines[0].starts_with("  name: word") && lines[1].starts_with("        word"), "{lines:?}");
        assert_eq!(fold("a: ", ""), ["a:"]);
        assert_eq!(fold("", &"x".repeat(100)).len(), 1, "a word is not cut");
        assert!(fold("", &"线程 ".repeat(40)).iter().all(|l| l.width() < COLUMNS));
    }

    #[test]
    fn a_number_keeps_its_unit() {
        let lines = fold_list("  ", &["6.2 %"; 40].join(", "));
        assert!(lines.len() > 2 && lines.iter().all(|l| l.trim().starts_with("6.2 %")), "{lines:?}");
    }

    #[test]
    fn values_of_an_unknown_demo_are_shown_as_they_come() {
        let values = [("a\u{1b}b".to_owned(), json!("x\u{1b}[2J")), ("n".to_owned(), json!(1234))].into();
        assert_eq!(table(None, &values), ["  a\u{fffd}b  x\u{fffd}[2J", "  n    1,234"]);
    }

    #[test]
    fn a_long_list_keeps_within_the_columns_and_keeps_its_help() {
        for spec in crate::demo::specs() {
            let long = |name: &str| (name.to_owned(), json!(vec![987_654_321; 16]));
            let values: Values = spec.returns.iter().map(|r| long(r.name)).collect();
            let lines = table(Some(spec), &values);
            assert!(lines.iter().all(|l| l.width() < COLUMNS), "{lines:#?}");
            assert!(spec.returns.iter().all(|r| lines.join(" ").contains(r.name)));
        }
    }
}
