//! `forklore replay` without a terminal: a recorded run in words. With one, the facts of a recording for the screen.

use super::out::say;
use super::tell::Teller;
use super::{Done, complain, regret};
use crate::fact::{Fact, Nanos, Stamped, Unavailable};
use crate::record::recording::{Reader, RecordError};
use std::path::Path;

/// Facts that are kept of a recording for the screen: some hundred megabytes.
const KEPT: usize = 2 << 20;

/// The facts of a recording. Of one that breaks off, or is longer than can be kept, those up to there, and last a
/// refusal that says so.
///
/// # Errors
/// It cannot be read: file, line, remedy.
pub fn recording(file: &Path) -> Result<Vec<Stamped>, String> {
    let mut facts: Vec<Stamped> = Vec::new();
    for fact in Reader::open(file).map_err(|e| e.to_string())? {
        let why = match fact {
            Ok(fact) if facts.len() < KEPT => {
                facts.push(fact);
                continue;
            }
            Ok(_) => format!("only its first {KEPT} facts are shown; record a shorter run with `--for SECS`"),
            Err(error) if error.is_cut() => error.to_string(),
            Err(error) => return Err(error.to_string()),
        };
        let at = facts.last().map_or(Nanos::ZERO, |last| last.t);
        facts.push(Stamped::new(at, Fact::Refused(Unavailable::new("the rest of this recording", why))));
        break;
    }
    Ok(facts)
}

/// Tells a recorded run in words.
pub(super) fn replay(file: &Path) -> Done {
    match read(file) {
        Err(error) => complain(&error.to_string()),
        Ok(told) => tell(&told).unwrap_or_else(|done| done),
    }
}

/// What is told of a recording, and what is wrong at its end.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
    cut: Option<RecordError>,
    broke: bool,
}

fn read(file: &Path) -> Result<Told, RecordError> {
    let mut told = Told::default();
    let mut teller = Teller::new(true);
    for fact in Reader::open(file)? {
        match fact {
            Ok(Stamped { fact, .. }) => {
                told.broke = matches!(&fact, Fact::Outcome(outcome) if outcome.broke.is_some());
                told.lines.extend(teller.tell(&fact));
            }
            Err(error) if error.is_cut() => told.cut = Some(error),
            Err(error) => return Err(error),
        }
    }
    Ok(told)
}

fn tell(told: &Told) -> Result<Done, Done> {
    say(&told.lines.join("\n"))?;
    Ok(match &told.cut {
        Some(cut) => regret(&cut.to_string()),
        None if told.broke => Done::Failed,
        None => Done::Well,
    })
}
