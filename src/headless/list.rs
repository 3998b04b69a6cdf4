//! `forklore list`: lessons, and demos with their parameters.

use super::out::say;
use super::words::{count, fold};
use super::{Done, complain, tell};
use crate::cli::Common;
use crate::demo;
use crate::fact::{DemoSpec, ParamKind, ParamSpec, ReturnKind, clean_line};
use crate::lesson::{Lesson, Library};
use crate::library;
use serde_json::{Value, json};

pub(super) fn list(common: &Common, json: bool) -> Done {
    let library = match library::open(common) {
        Ok(library) => library,
        Err(sentence) => return complain(&sentence),
    };
    let text = if json { as_json(&library).to_string() } else { as_words(&library).join("\n") };
    say(&text).map_or_else(|done| done, |()| Done::Well)
}

fn as_words(library: &Library) -> Vec<String> {
    let mut out = vec!["Lessons, for `forklore LESSON`".to_owned()];
    let mut part = None;
    for lesson in library.lessons() {
        if part != Some(&lesson.part) {
            part = Some(&lesson.part);
            out.push(String::new());
            out.extend(fold("  ", &clean_line(&lesson.part)));
        }
        out.extend(lesson_words(lesson));
    }
    out.extend([String::new(), "Demos, for `forklore run DEMO key=value ...`".to_owned()]);
    for spec in demo::specs() {
        out.push(String::new());
        out.extend(demo_words(spec));
    }
    out
}

fn lesson_words(lesson: &Lesson) -> Vec<String> {
    let minutes = match lesson.minutes {
        0 => String::new(),
        n => format!(", {}", count(usize::try_from(n).unwrap_or(usize::MAX), "minute")),
    };
    let about = format!("{} ({}{minutes})", clean_line(&lesson.title), count(lesson.steps.len(), "step"));
    fold(&format!("  {:>4}  {:<12}  ", lesson.number, clean_line(&lesson.id)), &about)
}

fn demo_words(spec: &DemoSpec) -> Vec<String> {
    let mut out = fold(&format!("  {}: ", spec.name), spec.title);
    for param in spec.params {
        let takes = format!("{}; {} if not given: {}", param.kind.takes(), default(param), param.help);
        out.extend(fold(&format!("      {:<10}  ", param.name), &takes));
    }
    let returns: Vec<_> = spec.returns.iter().map(|r| r.name).collect();
    out.extend(fold("      outcome     ", &returns.join(", ")));
    out
}

/// The value of a parameter that is not given, in words.
fn default(param: &ParamSpec) -> String {
    match param.kind.default() {
        Value::Null => "the first allowed one".to_owned(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        value => tell::param(&value),
    }
}

fn as_json(library: &Library) -> Value {
    json!({
        "lessons": library.lessons().map(lesson_json).collect::<Vec<_>>(),
        "demos": demo::specs().into_iter().map(demo_json).collect::<Vec<_>>(),
    })
}

/// Strings are those of the lesson: whoever shows them cleans them. JSON itself writes no control character as it is.
fn lesson_json(lesson: &Lesson) -> Value {
    json!({
        "number": lesson.number,
        "id": clean_line(&lesson.id),
        "title": clean_line(&lesson.title),
        "part": clean_line(&lesson.part),
        "minutes": lesson.minutes,
        "lang": clean_line(&lesson.lang),
        "steps": lesson.steps.iter().map(|step| clean_line(&step.title)).collect::<Vec<_>>(),
    })
}

fn demo_json(spec: &DemoSpec) -> Value {
    json!({
        "name": spec.name,
        "title": spec.title,
        "part": spec.part,
        "about": spec.about,
        "params": spec.params.iter().map(param_json).collect::<Vec<_>>(),
        "returns": spec.returns.iter().map(|r| json!({
            "name": r.name, "kind": kind(r.kind), "help": r.help,
        })).collect::<Vec<_>>(),
    })
}

fn param_json(param: &ParamSpec) -> Value {
    let (kind, bounds) = match param.kind {
        ParamKind::Int { min, max, unit, .. } => ("int", json!({ "min": min, "max": max, "unit": unit })),
        ParamKind::Choice(words) => ("choice", json!({ "words": words })),
        ParamKind::Ints { min, max, most, .. } => ("ints", json!({ "min": min, "max": max, "most": most })),
        ParamKind::Cpu => ("cpu", json!({})),
        ParamKind::Letter(_) => ("letter", json!({})),
        ParamKind::Flag(_) => ("flag", json!({})),
    };
    let mut out = json!({
        "name": param.name, "kind": kind, "takes": param.kind.takes(), "default": param.kind.default(),
        "help": param.help,
    });
    if let (Value::Object(out), Value::Object(bounds)) = (&mut out, bounds) {
        out.extend(bounds);
    }
    out
}

/// What an outcome value is, in a word.
fn kind(kind: ReturnKind) -> &'static str {
    match kind {
        ReturnKind::Count => "count",
        ReturnKind::Nanos => "nanoseconds",
        ReturnKind::Kib => "kibibytes",
        ReturnKind::Rate => "bytes a second",
        ReturnKind::Share => "share",
        ReturnKind::Number => "number",
        ReturnKind::Word => "word",
        ReturnKind::Flag => "flag",
        ReturnKind::List => "list",
        ReturnKind::Table => "table",
    }
}
