//! `forklore check`: what is wrong with lessons, where, and what to do; with `--run`, whether what they expect happens.

mod trial;
mod verdict;

use super::out::say;
use super::words::count;
use super::{Done, complain};
use crate::cli::Common;
use crate::demo;
use crate::fact::SourceChoice;
use crate::lesson::{Library, Severity, embed};
use crate::library;
use std::path::PathBuf;

/// Checks the lessons at `paths`; with a source, runs their demos too.
pub(super) fn check(common: &Common, paths: &[PathBuf], run: Option<SourceChoice>) -> Done {
    let named: Vec<PathBuf> = if paths.is_empty() { common.lessons.iter().cloned().collect() } else { paths.to_vec() };
    let files = if named.is_empty() { Ok(embed::lessons().collect()) } else { library::read(&named) };
    match files.and_then(|files| library::of(common, files)) {
        Ok(library) => {
            let beside = Library::new(library::beside(&named), "en");
            lint(&library, &beside, run).unwrap_or_else(|done| done)
        }
        Err(sentence) => complain(&sentence),
    }
}

fn lint(library: &Library, beside: &Library, run: Option<SourceChoice>) -> Result<Done, Done> {
    let found = library.check(beside, &demo::specs(), &embed::claims());
    for diagnostic in &found {
        say(&library.render(diagnostic))?;
    }
    let wrong = |severity| found.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (wrong(Severity::Error), wrong(Severity::Warning));
    let tried = match run {
        Some(source) => trial::run(library, source)?,
        None => trial::Tried::default(),
    };
    let (lessons, files) = (count(library.len(), "lesson"), count(library.files(), "file"));
    say(&format!("{lessons} in {files}, {}, {}", count(errors, "error"), count(warnings, "warning")))?;
    Ok(match tried.could_not {
        _ if errors + tried.failed > 0 => Done::Failed,
        0 => Done::Well,
        _ => Done::CouldNot,
    })
}
