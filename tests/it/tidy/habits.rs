//! Sizes, headings, and words that have no place in the code.

use super::layers::words;
use super::source::Source;
use std::collections::BTreeSet;

/// A file longer than this wants splitting.
const LONG: usize = 400;

/// No file is longer than this.
const TOO_LONG: usize = 600;

/// Files longer than [`LONG`]: how many lines each may have, and why it is not split. Only ever shorten this list.
pub(super) const RATCHET: &[(&str, usize, &str)] = &[
    ("src/term/input/parser.rs", 444, "one state machine, from a terminal's bytes to keys, with its tests"),
    ("tests/it_term.rs", 480, "one harness and the cases that share it"),
];

/// Words that are a demo's name and mean something else where they stand: file, word, what it means there.
pub(super) const HOMONYMS: &[(&str, &str, &str)] = &[
    ("src/progress/file.rs", "create", "what was refused of a folder"),
    ("src/view.rs", "cores", "the header counts the cores of the run"),
    ("src/lore/path.rs", "rounds", "of how many a figure is"),
    ("src/report/figures.rs", "rounds", "of how many a figure is"),
    ("src/report/machine.rs", "cores", "how many a machine has"),
    ("src/view/widget/queue/model.rs", "seats", "how many have room in a place"),
    ("src/view/widget/lanes/fold.rs", "cores", "how many have no row of their own"),
    ("src/view/widget/lanes/words.rs", "switch", "how many turns ended within a column"),
    ("src/view/widget/run_queue.rs", "switch", "how many were counted"),
    ("src/view/widget/workers.rs", "cores", "the heading of the column with those that a task may use"),
];

/// Files that are too long, and files on the ratchet list that no longer need it.
pub(super) fn length(source: &Source, ratchet: &[(&str, usize, &str)]) -> Vec<String> {
    let (path, lines) = (&source.path, source.text.lines().count());
    let listed = ratchet.iter().find(|(listed, ..)| listed == path).map(|(_, most, _)| *most);
    let most = listed.unwrap_or(LONG).min(TOO_LONG);
    if lines > most {
        vec![format!("{path}:{most}: {lines} lines, {most} allowed: move what belongs together to a file of its own")]
    } else if listed.is_some() && lines <= LONG {
        vec![format!("{path}:{lines}: short enough now: take it off the ratchet list in tests/it/tidy/habits.rs")]
    } else {
        Vec::new()
    }
}

/// A file without its `//!`, and a `mod.rs`.
pub(super) fn heading(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    if !source.text.trim_start().starts_with("//!") {
        found.push(format!(
            "{}:1: no `//!` at the top: say what the file is for and what it must not know",
            source.path
        ));
    }
    if let Some(folder) = source.path.strip_suffix("/mod.rs") {
        found.push(format!("{}:1: a mod.rs: call it {folder}.rs", source.path));
    }
    found
}

/// Tests that never run and work that is put off.
pub(super) fn put_off(source: &Source) -> Vec<String> {
    let ignored = source
        .code
        .match_indices("#[ignore")
        .map(|(at, _)| (at, "#[ignore]", "say SKIP and why at run time, or fix it"));
    let todo = words(&source.code, "todo").chain(words(&source.code, "unimplemented"));
    let todo = todo.filter(|at| source.code[*at..].trim_start_matches(char::is_alphabetic).starts_with('!'));
    ignored
        .chain(todo.map(|at| (at, "work that is put off", "do it, or return `Unavailable`")))
        .map(|(at, what, instead)| format!("{}:{}: {what}: {instead}", source.path, source.line(at)))
        .collect()
}

/// Printing, which on a dead terminal panics and on a live one spoils the screen.
pub(super) fn printing(source: &Source) -> Vec<String> {
    if source.module().first().is_none_or(|module| matches!(*module, "headless" | "main")) {
        return Vec::new();
    }
    ["print", "println", "eprint", "eprintln"]
        .iter()
        .flat_map(|name| words(&source.live, name).map(move |at| (at, name)))
        .filter(|(at, name)| source.live[at + name.len()..].starts_with('!'))
        .map(|(at, name)| {
            format!(
                "{}:{}: {name}! outside headless and main: send a fact, or return an error",
                source.path,
                source.line(at)
            )
        })
        .collect()
}

/// The demos' names: files directly in src/demo/ whose name is also a string in the table or in that file.
pub(super) fn demos(sources: &[Source]) -> BTreeSet<String> {
    let says = |path: &str, word: &str| {
        sources.iter().filter(|s| s.path == path).any(|s| s.live_strings().any(|(_, string)| string == word))
    };
    sources
        .iter()
        .filter_map(|s| s.path.strip_prefix("src/demo/")?.strip_suffix(".rs"))
        .filter(|name| says("src/demo.rs", name) || says(&format!("src/demo/{name}.rs"), name))
        .map(str::to_owned)
        .collect()
}

/// A demo named outside `demo`: as a string or as a path.
pub(super) fn named_demos(source: &Source, demos: &BTreeSet<String>, homonyms: &[(&str, &str, &str)]) -> Vec<String> {
    if source.module().first().is_none_or(|module| *module == "demo") {
        return Vec::new();
    }
    let strings = source.live_strings().filter(|(_, string)| demos.contains(string));
    let strings = strings.filter(|(_, word)| !homonyms.iter().any(|(path, w, _)| *path == source.path && w == word));
    let code = demos.iter().flat_map(|demo| {
        source.live.match_indices("demo::").filter(|(at, found)| {
            let rest = &source.live[at + found.len()..];
            words(rest, demo).next() == Some(0)
        })
    });
    let code = code.map(|(at, _)| at);
    strings
        .map(|(at, _)| *at)
        .chain(code)
        .map(|at| {
            let line = source.line(at);
            format!(
                "{}:{line}: names a demo: put what differs between demos into its `DemoSpec`; if the word means \
                 something else here, list it among the homonyms in tests/it/tidy/habits.rs",
                source.path
            )
        })
        .collect()
}

/// Paths that exist on nobody else's machine, in any kind of file.
pub(super) fn foreign_paths(path: &str, text: &str) -> Vec<String> {
    let foreign = [concat!("..", "/shared"), concat!("/work", "/")];
    text.lines()
        .enumerate()
        .filter(|(_, line)| foreign.iter().any(|f| line.contains(f)))
        .map(|(at, _)| format!("{path}:{}: leads outside the repository: say it here", at + 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source::new(path, text)
    }

    #[test]
    fn length_has_a_limit_and_a_ratchet_that_only_tightens() {
        let file = |lines: usize| source("src/a.rs", &"x\n".repeat(lines));
        let list = [("src/a.rs", 450, "a table")];
        assert_eq!(length(&file(400), &[]), [""; 0]);
        assert!(length(&file(401), &[])[0].contains("401 lines, 400 allowed"));
        assert_eq!(length(&file(450), &list), [""; 0]);
        assert_eq!(length(&file(451), &list).len(), 1);
        assert!(length(&file(400), &list)[0].contains("take it off"));
        assert_eq!(length(&file(601), &[("src/a.rs", 700, "no reason is good enough")]).len(), 1);
    }

    #[test]
    fn a_file_says_what_it_is_for() {
        assert_eq!(heading(&source("src/a.rs", "// no\nfn f() {}")).len(), 1);
        assert_eq!(heading(&source("src/a.rs", "\n//! Yes.\n")), [""; 0]);
        assert!(heading(&source("src/view/mod.rs", "//! x"))[0].contains("src/view.rs"));
    }

    #[test]
    fn work_put_off_is_found() {
        for text in ["#[ignore]\nfn f() {}", "#[ignore = \"slow\"]", "fn f() { todo!() }", "unimplemented!(\"x\")"] {
            assert_eq!(put_off(&source("src/a.rs", text)).len(), 1, "{text}");
        }
        assert_eq!(put_off(&source("src/a.rs", "// todo!\nlet todo = \"todo!()\";")), [""; 0]);
    }

    #[test]
    fn printing_is_for_headless() {
        assert_eq!(printing(&source("src/view.rs", "fn f() { eprintln!(\"x\") }")).len(), 1);
        assert_eq!(printing(&source("src/headless/words.rs", "println!()")), [""; 0]);
        assert_eq!(printing(&source("src/view.rs", "fn println() {} writeln!(w)")), [""; 0]);
    }

    #[test]
    fn only_demo_names_demos() {
        let tree = [
            source("src/demo.rs", "static ALL: &[&DemoSpec] = &[&timeslice::SPEC];"),
            source("src/demo/timeslice.rs", "spec(\"timeslice\")"),
            source("src/demo/cast.rs", "fn letter() {}"),
        ];
        let demos = demos(&tree);
        assert_eq!(demos.iter().collect::<Vec<_>>(), ["timeslice"], "a helper is no demo");
        let found =
            |path, text| named_demos(&source(path, text), &demos, &[("src/view.rs", "timeslice", "the kernel's word")]);
        assert!(found("src/app.rs", "//! x\n\nrun(\"timeslice\")")[0].starts_with("src/app.rs:3: "));
        assert_eq!(found("src/conduct.rs", "crate::demo::timeslice::SPEC").len(), 1);
        assert_eq!(found("src/view.rs", "\"timeslice\""), [""; 0], "a homonym");
        assert_eq!(found("src/app.rs", "crate::demo::timeslices(); \"a timeslice\" // timeslice"), [""; 0]);
        assert_eq!(found("src/app.rs", "#[cfg(test)] mod tests { run(\"timeslice\") }"), [""; 0]);
        assert_eq!(found("src/demo/crash.rs", "\"timeslice\""), [""; 0]);
    }

    #[test]
    fn nothing_leads_outside() {
        assert_eq!(foreign_paths("README.md", concat!("a\nsee ..", "/shared/x.md")).len(), 1);
        assert_eq!(foreign_paths("README.md", "a shared page"), [""; 0]);
    }
}
