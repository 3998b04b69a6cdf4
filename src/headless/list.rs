//! `forklore list`: lessons, and demos with their parameters.

use super::{Done, say};
use crate::cli::Common;
use crate::demo;
use crate::fact::DemoSpec;
use serde_json::{Value, json};

pub(super) fn list(_common: &Common, json: bool) -> Done {
    let text = if json { as_json().to_string() } else { as_words() };
    say(text);
    Done::Well
}

fn as_words() -> String {
    let mut out = vec!["Demos, for `forklore run DEMO key=value ...`".to_owned()];
    for spec in demo::specs() {
        out.push(String::new());
        out.push(format!("{}: {}", spec.name, spec.title));
        out.extend(spec.params.iter().map(|p| {
            let default = match p.kind.default() {
                Value::String(s) => s,
                Value::Null => "-".to_owned(),
                other => other.to_string(),
            };
            format!("  {:<10} {} [{default}]: {}", p.name, p.kind.takes(), p.help)
        }));
        let returns: Vec<_> = spec.returns.iter().map(|r| r.name).collect();
        out.push(format!("  outcome    {}", returns.join(", ")));
    }
    out.join("\n")
}

fn as_json() -> Value {
    json!({ "demos": demo::specs().into_iter().map(demo_json).collect::<Vec<_>>() })
}

fn demo_json(spec: &DemoSpec) -> Value {
    json!({
        "name": spec.name,
        "title": spec.title,
        "part": spec.part,
        "about": spec.about,
        "params": spec.params.iter().map(|p| json!({
            "name": p.name, "takes": p.kind.takes(), "default": p.kind.default(), "help": p.help,
        })).collect::<Vec<_>>(),
        "returns": spec.returns.iter().map(|r| json!({ "name": r.name, "help": r.help })).collect::<Vec<_>>(),
    })
}
