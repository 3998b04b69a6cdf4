//! Who may know whom: the layers of the house, and what the pure ones must not touch.

use super::paths::{Named, paths};
use super::source::{Source, item_end};

/// What a top-level module may import.
enum May {
    /// These modules.
    Only(&'static [&'static str]),
    /// All but the other shell.
    All,
}

/// Who may import whom. A module without a row may not exist.
const LAYERS: &[(&str, May)] = &[
    ("fact", May::Only(&[])),
    ("cli", May::Only(&[])),
    ("term", May::Only(&[])),
    ("lesson", May::Only(&["fact"])),
    ("lab", May::Only(&["fact"])),
    ("kernel", May::Only(&["fact"])),
    ("stage", May::Only(&["fact"])),
    ("progress", May::Only(&["fact"])),
    ("scene", May::Only(&["fact"])),
    ("demo", May::Only(&["fact", "stage", "lab"])),
    ("record", May::Only(&["fact", "scene"])),
    ("tour", May::Only(&["fact", "lesson", "lore", "scene"])),
    ("view", May::Only(&["tour", "scene", "lesson", "lore", "fact"])),
    ("lore", May::Only(&["fact", "lab", "lesson"])),
    ("report", May::Only(&["fact", "lab", "lesson", "lore", "progress"])),
    ("library", May::Only(&["cli", "fact", "lesson"])),
    ("conduct", May::Only(&["fact", "stage", "kernel", "demo", "scene"])),
    ("keep", May::Only(&["fact", "kernel", "progress", "scene"])),
    ("app", May::All),
    ("headless", May::All),
    ("main", May::Only(&["cli", "app", "headless", "stage"])),
];

/// Modules that are functions of what they are given.
const PURE: &[&str] = &["lesson", "lore", "report", "scene", "tour", "view"];

/// What a pure module does not touch.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::process",
    "std::thread",
    "std::env",
    "std::net",
    "std::os",
    "std::time::Instant",
    "std::time::SystemTime",
    "nix",
    "libc",
    "rustix",
];

/// Modules that may name ratatui.
const DRAWING: &[&str] = &["view", "app", "term"];

/// Where `unsafe` may stand: a file, or the folder of that name.
const UNSAFE: &[&str] =
    &["src/kernel/perf", "src/kernel/ring", "src/stage/launch", "src/stage/shared_memory", "src/demo/"];

/// Imports that go against the layers.
pub(super) fn imports(source: &Source) -> Vec<String> {
    let module = source.module();
    let Some(from) = module.first() else { return Vec::new() };
    let Some((_, may)) = LAYERS.iter().find(|(name, _)| name == from) else {
        return vec![format!(
            "{}:1: `{from}` has no row among the layers: add one to tests/it/tidy/layers.rs and to ARCHITECTURE.md",
            source.path
        )];
    };
    let May::Only(allowed) = may else { return Vec::new() };
    paths(&source.live)
        .iter()
        .filter_map(|named| Some((named, top_level(source, named)?)))
        .filter(|(_, to)| to != from && !allowed.contains(to))
        .map(|(named, to)| {
            let knows = if allowed.is_empty() { "no other module".to_owned() } else { allowed.join(", ") };
            format!(
                "{}:{}: `{from}` imports `{to}`, and may know {knows}: hand over what it needs as an argument, or move \
                 the type down to `fact`",
                source.path,
                source.line(named.at)
            )
        })
        .collect()
}

/// The top-level module of this crate that a path leads to, if it leads out to one.
fn top_level<'a>(source: &Source, named: &'a Named) -> Option<&'a str> {
    let segments = &named.segments;
    let first = segments.first()?.as_str();
    let skipped = match first {
        "crate" => 1,
        "forklore" if source.module() == ["main"] => 1,
        "self" | "super" => {
            let own = usize::from(first == "self");
            let up = segments[own..].iter().take_while(|s| *s == "super").count();
            if up == 0 || up < source.module().len() + inline_depth(&source.live, named.at) {
                return None;
            }
            own + up
        }
        _ => return None,
    };
    segments.get(skipped).map(String::as_str)
}

/// In how many `mod name { .. }` the byte at `place` lies.
fn inline_depth(code: &str, place: usize) -> usize {
    code.match_indices("mod ")
        .take_while(|(at, _)| *at < place)
        .filter(|(at, _)| {
            let opens = code[*at..].find(['{', ';']).map(|found| at + found);
            opens.is_some_and(|open| code.as_bytes()[open] == b'{' && open < place && place < item_end(code, open))
        })
        .count()
}

/// ratatui outside the modules that draw.
pub(super) fn ratatui(source: &Source) -> Vec<String> {
    if source.module().first().is_none_or(|module| DRAWING.contains(module)) {
        return Vec::new();
    }
    words(&source.code, "ratatui")
        .map(|at| {
            let line = source.line(at);
            format!(
                "{}:{line}: ratatui is for {} only: describe it here, draw it there",
                source.path,
                DRAWING.join(", ")
            )
        })
        .collect()
}

/// The world outside, named in a pure module.
pub(super) fn purity(source: &Source) -> Vec<String> {
    let module = source.module();
    let Some(module) = module.first().filter(|module| PURE.contains(module)) else { return Vec::new() };
    paths(&source.live)
        .iter()
        .filter_map(|named| Some((named, OUTSIDE.iter().find(|outside| named.is_under(outside))?)))
        .map(|(named, outside)| {
            format!(
                "{}:{}: `{module}` is pure and names {outside}: let the shell do it and hand in the result",
                source.path,
                source.line(named.at)
            )
        })
        .collect()
}

/// `unsafe` where it has not been allowed.
pub(super) fn unsafety(source: &Source) -> Vec<String> {
    let allowed = |place: &str| {
        source.path.strip_prefix(place).is_some_and(|rest| place.ends_with('/') || rest.starts_with(['/', '.']))
    };
    if UNSAFE.iter().any(|place| allowed(place)) {
        return Vec::new();
    }
    words(&source.code, "unsafe")
        .map(|at| {
            let line = source.line(at);
            format!(
                "{}:{line}: `unsafe` is for {} only: use a safe call, or put it there",
                source.path,
                UNSAFE.join(", ")
            )
        })
        .collect()
}

/// Where `word` stands as a word of its own.
pub(super) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |c: Option<char>| c.is_some_and(|c| c == '_' || c.is_alphanumeric());
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| !part(code[..*at].chars().next_back()) && !part(code[at + word.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
        rule(&Source::new(path, text))
    }

    #[test]
    fn an_import_against_the_layers_is_found_however_it_is_written() {
        for (path, text, line) in [
            ("src/scene/lanes.rs", "//! x\nuse crate::view::Theme;", 2),
            ("src/view.rs", "use crate::{fact::Cpu,\n    stage::Target};", 2),
            ("src/tour/keys.rs", "fn f() {\n\n crate::record::open() }", 3),
            ("src/fact/ids.rs", "use super::super::lesson::Lesson;", 1),
            ("src/kernel.rs", "use super::stage::Target;", 1),
            ("src/scene.rs", "mod inner { use super::super::app::run; }", 1),
            ("src/main.rs", "use forklore::kernel::caps;", 1),
            ("src/view.rs", "pub(in crate::demo) fn f() {}", 1),
        ] {
            let found = found(imports, path, text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].starts_with(&format!("{path}:{line}: ")), "{}", found[0]);
        }
    }

    #[test]
    fn an_import_with_the_layers_is_none_of_tidys_business() {
        for (path, text) in [
            ("src/view/step.rs", "use crate::{fact::Cpu, tour::Tour, view::widget::Lanes};"),
            ("src/scene/lanes.rs", "use super::tasks; use super::super::scene::Scene;"),
            ("src/scene.rs", "mod inner { use super::Scene; }"),
            ("src/fact.rs", "//! [`crate::view`]\n/* crate::app */ const S: &str = \"crate::stage\";"),
            ("src/scene.rs", "#[cfg(test)] mod tests { use crate::record::read; }"),
            ("src/app/shell.rs", "use crate::{stage, kernel, view};"),
            ("src/main.rs", "use forklore::{app, cli};"),
            ("src/lib.rs", "pub use crate::app::run;"),
        ] {
            assert_eq!(found(imports, path, text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_module_that_nobody_placed_is_found() {
        let found = found(imports, "src/util/strings.rs", "//! x");
        assert!(found.len() == 1 && found[0].contains("`util` has no row"), "{found:?}");
    }

    #[test]
    fn drawing_belongs_to_those_that_draw() {
        assert_eq!(found(ratatui, "src/scene.rs", "use ratatui::style::Color;").len(), 1);
        assert_eq!(found(ratatui, "src/tour.rs", "#[cfg(test)] mod tests { fn f(_: ratatui::Frame) {} }").len(), 1);
        assert_eq!(found(ratatui, "src/view/theme.rs", "use ratatui::style::Color;"), [""; 0]);
        assert_eq!(found(ratatui, "src/scene.rs", "// ratatui draws this"), [""; 0]);
    }

    #[test]
    fn the_pure_touch_nothing() {
        for text in [
            "use std::{fmt, fs::File};",
            "use std::time::{Duration, Instant};",
            "fn f() { std::env::var(\"X\"); }",
            "use nix::unistd::getpid;",
        ] {
            assert_eq!(found(purity, "src/lesson/library.rs", text).len(), 1, "{text}");
            assert_eq!(found(purity, "src/app.rs", text), [""; 0], "{text}");
        }
        assert_eq!(found(purity, "src/view.rs", "use std::time::Duration; use std::fmt;"), [""; 0]);
        assert_eq!(found(purity, "src/lesson.rs", "#[cfg(test)] mod tests { use std::fs; }"), [""; 0]);
    }

    #[test]
    fn unsafe_has_its_places() {
        assert_eq!(found(unsafety, "src/view.rs", "fn f() { unsafe { g() } }").len(), 1);
        assert_eq!(found(unsafety, "src/kernel/ringing.rs", "unsafe fn g() {}").len(), 1);
        for path in ["src/kernel/ring.rs", "src/kernel/perf/open.rs", "src/demo/crash.rs"] {
            assert_eq!(found(unsafety, path, "unsafe fn g() {}"), [""; 0], "{path}");
        }
        assert_eq!(found(unsafety, "src/view.rs", "#![deny(unsafe_code)] // unsafe"), [""; 0]);
    }
}
