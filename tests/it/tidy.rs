//! What reviewers should not have to look for: the layers, the places of `unsafe`, sizes, names.
//!
//! Each rule reads the files of this repository and answers in sentences, `file:line: what is wrong: what to do`.

mod habits;
mod layers;
mod paths;
mod source;

use source::Source;
use std::fs;
use std::path::Path;

/// The median file of src/ should be no longer than this; said, not enforced.
const MEDIAN: usize = 150;

/// Files that are neither Rust nor under src/ or tests/, and that must make sense on any machine.
const PROSE: &[&str] = &[
    "lessons",
    "assets",
    "templates",
    ".ci",
    "fuzz",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "Cargo.toml",
];

/// Folders that git does not hold: what was built, and what a fuzzer found.
const NOT_HELD: [&str; 3] = ["target", "corpus", "artifacts"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text files at `path` and under it, as (path from the root, text).
fn texts(path: &Path, found: &mut Vec<(String, String)>) {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder of the repository can be read");
        let mut entries: Vec<_> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
        entries.sort();
        for entry in entries.iter().filter(|entry| !NOT_HELD.iter().any(|name| entry.ends_with(name))) {
            texts(entry, found);
        }
    } else if let Ok(text) = fs::read_to_string(path) {
        let name = path.strip_prefix(root()).expect("under the root").to_str().expect("a plain name");
        found.push((name.to_owned(), text));
    }
}

fn rust(folders: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        texts(&root().join(folder), &mut found);
    }
    found.retain(|(path, _)| path.ends_with(".rs"));
    assert!(!found.is_empty(), "no Rust files in {folders:?}: the rule would pass by looking at nothing");
    Source::all(&found)
}

fn none(found: impl IntoIterator<Item = String>) {
    let found: Vec<_> = found.into_iter().collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn modules_import_only_what_their_layer_may_know() {
    none(rust(&["src"]).iter().flat_map(layers::imports));
}

#[test]
fn only_view_app_and_term_draw() {
    none(rust(&["src"]).iter().flat_map(layers::ratatui));
}

#[test]
fn lesson_scene_tour_and_view_touch_nothing_outside() {
    none(rust(&["src"]).iter().flat_map(layers::purity));
}

#[test]
fn unsafe_stands_where_it_may() {
    none(rust(&["src"]).iter().flat_map(layers::unsafety));
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let files = rust(&["src", "tests", "benches"]);
    none(files.iter().flat_map(|file| [habits::length(file, habits::RATCHET), habits::heading(file)].concat()));
    let gone = habits::RATCHET.iter().filter(|(path, ..)| !files.iter().any(|file| file.path == *path));
    none(gone.map(|(path, ..)| format!("{path}:1: is on the ratchet list and does not exist: take it off")));

    let mut lengths: Vec<_> = rust(&["src"]).iter().map(|file| file.text.lines().count()).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    let verdict = if median > MEDIAN { "WARNING: more than" } else { "within" };
    println!("tidy: {} files in src/, median {median} lines, {verdict} {MEDIAN}", lengths.len());
}

#[test]
fn nothing_is_put_off_or_printed() {
    none(rust(&["src", "tests", "benches"]).iter().flat_map(habits::put_off));
    none(rust(&["src"]).iter().flat_map(habits::printing));
}

#[test]
fn no_module_but_demo_names_a_demo() {
    let files = rust(&["src"]);
    let demos = habits::demos(&files);
    if root().join("src/demo").is_dir() {
        assert!(!demos.is_empty(), "src/demo/ exists and no demo's name was found: the rule looks at nothing");
    }
    none(files.iter().flat_map(|file| habits::named_demos(file, &demos, habits::HOMONYMS)));
}

#[test]
fn nothing_leads_outside_the_repository() {
    let mut found = Vec::new();
    for path in PROSE.iter().chain(&["src", "tests", "benches"]) {
        texts(&root().join(path), &mut found);
    }
    none(found.iter().flat_map(|(path, text)| habits::foreign_paths(path, text)));
}
