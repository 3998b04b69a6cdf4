//! One value of an outcome, by its name.
//!
//! A value is named as the demo names it. Of a table, `table.entry` is one of its entries; of a table or a list,
//! `.least`, `.most` and `.length` are what they say.

use crate::fact::{DemoSpec, ReturnKind, Values};
use crate::lesson::nearest;
use serde_json::{Value, json};

/// One value of an outcome, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValuePath {
    written: String,
}

impl ValuePath {
    /// The value that is `written` so, if `spec` promises it.
    ///
    /// # Errors
    /// What is wrong, as a sentence, and what to do.
    pub fn read(spec: &DemoSpec, written: &str) -> Result<Self, (String, String)> {
        let root = written.split('.').next().unwrap_or_default();
        let Some(returns) = spec.returns(root) else {
            let names: Vec<_> = spec.returns.iter().map(|r| r.name).collect();
            let remedy = nearest(root, names.iter().copied()).map(|near| format!("did you mean “{near}”?"));
            let all = || format!("it returns {}", names.join(", "));
            return Err((format!("{} returns no {root}", spec.name), remedy.unwrap_or_else(all)));
        };
        let part = written.contains('.');
        match returns.kind {
            ReturnKind::Table => Ok(()),
            ReturnKind::List if !part || [".least", ".most", ".length"].iter().any(|e| written.ends_with(e)) => Ok(()),
            ReturnKind::List => {
                Err((format!("{root} is a list"), "its parts are .least, .most and .length".to_owned()))
            }
            _ if part => Err((format!("{root} has no parts"), format!("write {root} alone"))),
            _ => Ok(()),
        }?;
        Ok(Self { written: written.to_owned() })
    }

    /// As it is written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.written
    }

    /// As it is named in a sentence: a row of a cost or of a comparison by itself, since the demo's table says no more.
    #[must_use]
    pub fn label(&self) -> String {
        match self.written.split_once('.') {
            Some(("figures", row)) => row.to_owned(),
            Some(("ratios", row)) if row.contains(" / ") => row.to_owned(),
            Some(("ratios", row)) => format!("ratio, {row}"),
            _ => self.written.clone(),
        }
    }

    /// The name of the whole value.
    #[must_use]
    pub fn root(&self) -> &str {
        self.parts().next().unwrap_or_default()
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        self.written.split('.')
    }

    /// What it is in `values`; null if it was not measured.
    #[must_use]
    pub fn of(&self, values: &Values) -> Value {
        let mut parts = self.parts();
        let mut at = parts.next().and_then(|root| values.get(root)).cloned().unwrap_or(Value::Null);
        for part in parts {
            at = part_of(&at, part);
        }
        at
    }

    /// What kind of value it is; none for an entry of a table, which may be any.
    #[must_use]
    pub fn kind(&self, spec: &DemoSpec) -> Option<ReturnKind> {
        match self.parts().last() {
            Some("length") if self.root() != self.written => Some(ReturnKind::Count),
            _ if self.root() == self.written => spec.returns(&self.written).map(|r| r.kind),
            _ => None,
        }
    }

    /// The value as a learner reads it.
    #[must_use]
    pub fn show(&self, spec: &DemoSpec, values: &Values) -> String {
        let value = self.of(values);
        let time = |name: &str| name == "ns" || name.ends_with("_ns");
        let kind = match self.kind(spec) {
            Some(kind) => kind,
            None if self.parts().any(time) => ReturnKind::Nanos,
            None => ReturnKind::Word,
        };
        estimate(&value).unwrap_or_else(|| kind.show(&value))
    }
}

/// A median with its interval and the number of rounds, where a table is one.
fn estimate(value: &Value) -> Option<String> {
    let table = value.as_object()?;
    let (name, median) = ["ns", "latency_ns", "ratio", "kib"].iter().find_map(|n| Some((*n, table.get(*n)?)))?;
    let kind = match name {
        "ratio" => ReturnKind::Number,
        "kib" => ReturnKind::Kib,
        _ => ReturnKind::Nanos,
    };
    let end = |name: &str| {
        let found = table.get(name).or_else(|| table.get(&format!("{name}_ns")));
        found.filter(|v| !v.is_null()).map(|v| kind.show(v))
    };
    let rounds = table.get("rounds").map(|n| format!(", n = {n}")).unwrap_or_default();
    Some(match (end("low"), end("high")) {
        (Some(low), Some(high)) => format!("{} ({low} .. {high}{rounds})", kind.show(median)),
        _ => format!("{}{rounds}", kind.show(median)),
    })
}

fn part_of(value: &Value, part: &str) -> Value {
    let all: Vec<&Value> = match value {
        Value::Object(table) => match table.get(part) {
            Some(entry) => return entry.clone(),
            None => table.values().collect(),
        },
        Value::Array(list) => list.iter().collect(),
        _ => return Value::Null,
    };
    // The value itself, so that a count stays one.
    let numbers = || all.iter().filter_map(|v| Some((v.as_f64()?, *v)));
    let by = |a: &(f64, &Value), b: &(f64, &Value)| a.0.total_cmp(&b.0);
    match part {
        "length" => json!(all.len()),
        "least" => numbers().min_by(by).map_or(Value::Null, |(_, v)| v.clone()),
        "most" => numbers().max_by(by).map_or(Value::Null, |(_, v)| v.clone()),
        _ => Value::Null,
    }
}
