//! Outcome values in words.

use crate::fact::{DemoSpec, Values};
use serde_json::Value;

/// The values of an outcome, a line each, in the order of the spec.
pub(super) fn table(spec: &DemoSpec, values: &Values) -> Vec<String> {
    let rows: Vec<_> = spec
        .returns
        .iter()
        .map(|r| (r.name, r.kind.show(values.get(r.name).unwrap_or(&Value::Null)), r.help))
        .collect();
    let name = rows.iter().map(|r| r.0.len()).max().unwrap_or(0);
    let value = rows.iter().map(|r| r.1.chars().count()).max().unwrap_or(0).min(40);
    rows.iter().map(|(n, v, help)| format!("  {n:name$}  {v:value$}  {help}")).collect()
}
