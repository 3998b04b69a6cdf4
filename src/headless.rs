//! The same demos without a screen: words or JSON Lines. Not an escape byte is written here.

mod check;
mod doctor;
mod judge;
mod list;
mod lore;
mod out;
mod replay;
mod report;
mod request;
mod run;
mod signals;
mod tell;
mod words;

pub use lore::ledger;
pub use replay::recording;

use crate::cli::{Cli, Command};
use crate::fact::{SourceChoice, clean};
use crate::library;
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
    // Who reads no lessons is told too that those asked for are not there.
    let reads =
        matches!(command, Command::List { .. } | Command::Check { .. } | Command::Lore { .. } | Command::Report { .. });
    if let (false, Err(sentence)) = (reads, library::open(&cli.common)) {
        return complain(&sentence);
    }
    match command {
        Command::List { json } => list::list(&cli.common, *json),
        Command::Run(args) => run::run(args, source),
        Command::Replay { file } => replay::replay(file),
        Command::Check { paths, run } => check::check(&cli.common, paths, run.then_some(source)),
        Command::Lore { json, claims } => lore::lore(&cli.common, claims, *json, source),
        Command::Report { output } => report::report(&cli.common, output.as_deref()),
        Command::Doctor { json } => doctor::doctor(source, *json),
        Command::Present { .. } => complain("presenting needs a terminal"),
    }
}

/// Writes a sentence to standard error.
pub fn complain(sentence: &str) -> Done {
    // Standard error may be gone; then nobody is there to be told.
    let _ = writeln!(std::io::stderr(), "forklore: {}", clean(sentence));
    Done::CouldNot
}

/// As [`complain`], of something that went wrong on the way.
fn regret(sentence: &str) -> Done {
    let _ = complain(sentence);
    Done::Failed
}
