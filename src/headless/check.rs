//! `forklore check`: what is wrong with lessons and the ledger, where, and what to do; with `--run`, whether what lessons
//! expect happens.

mod trial;
mod verdict;

use super::out::say;
use super::words::count;
use super::{Done, complain};
use crate::cli::Common;
use crate::demo;
use crate::fact::SourceChoice;
use crate::lesson::{Diagnostic, Library, Severity, embed};
use crate::library;
use crate::lore::Ledger;
use std::path::PathBuf;

/// Checks the lessons and ledgers at `paths`; with a source, runs the lessons' demos too.
pub(super) fn check(common: &Common, paths: &[PathBuf], run: Option<SourceChoice>) -> Done {
    let named: Vec<PathBuf> = if paths.is_empty() { common.lessons.iter().cloned().collect() } else { paths.to_vec() };
    match read(common, &named) {
        Ok(subject) => subject.check(run).unwrap_or_else(|done| done),
        Err(sentence) => complain(&sentence),
    }
}

/// What is checked.
struct Subject {
    lessons: Library,
    /// Lessons that those may refer to, and of which nothing is said.
    beside: Library,
    /// Ledgers: their names, and what is in them.
    ledgers: Vec<(String, String)>,
}

fn read(common: &Common, named: &[PathBuf]) -> Result<Subject, String> {
    let ledgers = library::ledgers(named)?;
    let paths: Vec<PathBuf> = named.iter().filter(|path| !library::is_ledger(path)).cloned().collect();
    let files = match (named.is_empty(), paths.is_empty()) {
        (true, _) => embed::lessons().collect(),
        (false, true) => Vec::new(),
        (false, false) => library::read(&paths)?,
    };
    let beside = Library::new(library::beside(&paths), "en");
    Ok(Subject { lessons: library::of(common, files)?, beside, ledgers })
}

impl Subject {
    fn check(&self, run: Option<SourceChoice>) -> Result<Done, Done> {
        let specs = demo::specs();
        let mut found = self.lessons.check(&self.beside, &specs, &embed::claims());
        for diagnostic in &found {
            say(&self.lessons.render(diagnostic))?;
        }
        let mut told =
            vec![format!("{} in {}", count(self.lessons.len(), "lesson"), count(self.lessons.files(), "file"))];
        if self.lessons.is_empty() && !self.ledgers.is_empty() {
            told.clear();
        }
        for (file, text) in &self.ledgers {
            match Ledger::read(file, text, &specs, &embed::claims()) {
                Ok(ledger) => told.push(claims(&ledger, run.is_some())),
                Err(wrong) => {
                    wrong.iter().try_for_each(|diagnostic| say(&diagnostic.render(text)))?;
                    told.push("a ledger".to_owned());
                    found.extend(wrong);
                }
            }
        }
        let tried = match run {
            Some(source) if !self.lessons.is_empty() => trial::run(&self.lessons, source)?,
            _ => trial::Tried::default(),
        };
        let errors = number(&found, Severity::Error);
        told.extend([count(errors, "error"), count(number(&found, Severity::Warning), "warning")]);
        say(&told.join(", "))?;
        Ok(match tried.could_not {
            _ if errors + tried.failed > 0 => Done::Failed,
            0 => Done::Well,
            _ => Done::CouldNot,
        })
    }
}

/// How many claims a ledger has, and where they are run, for somebody who runs all that there is.
fn claims(ledger: &Ledger, run: bool) -> String {
    let claims = format!("a ledger of {}", count(ledger.claims().len(), "claim"));
    if run { claims + " (`forklore lore` runs them)" } else { claims }
}

fn number(found: &[Diagnostic], severity: Severity) -> usize {
    found.iter().filter(|diagnostic| diagnostic.severity == severity).count()
}
