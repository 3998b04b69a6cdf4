//! The same demos without a screen: words or JSON Lines. Not an escape byte is written here.

mod list;
mod run;
mod words;

use crate::cli::{Cli, Command};
use crate::fact::{SourceChoice, clean};
use std::fmt;
use std::io::Write;

/// How a command ended. The numbers are the exit codes of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Done {
    /// All went well.
    Well,
    /// It ran, and something failed.
    Failed,
    /// It could not run.
    CouldNot,
    /// This signal ended it.
    Signalled(u8),
}

impl Done {
    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Failed => 1,
            Self::CouldNot => 2,
            Self::Signalled(n) => 128_u8.saturating_add(n),
        }
    }
}

/// Carries out a command that needs no screen.
pub fn perform(cli: &Cli, command: &Command) -> Done {
    let source: SourceChoice = match cli.common.source.parse() {
        Ok(source) => source,
        Err(sentence) => return complain(&format!("--source {}: {sentence}", cli.common.source)),
    };
    match command {
        Command::List { json } => list::list(&cli.common, *json),
        Command::Run(args) => run::run(args, source),
        _ => complain("this command needs a terminal"),
    }
}

/// The facts of a recording.
///
/// # Errors
/// It cannot be read: file, line, remedy.
pub fn recording(file: &std::path::Path) -> Result<Vec<crate::fact::Stamped>, String> {
    Err(format!("{}: no reader yet", file.display()))
}

/// Writes one sentence to standard error.
pub fn complain(sentence: &str) -> Done {
    // Standard error may be gone; then nobody is there to be told.
    let _ = writeln!(std::io::stderr(), "forklore: {}", clean(sentence));
    Done::CouldNot
}

/// Writes to standard output; false when nobody reads it any more.
fn say(text: impl fmt::Display) -> bool {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
}
