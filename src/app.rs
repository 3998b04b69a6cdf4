//! The shell: threads, channel, clock, effects, draw pacing. What the tour decides is done here and nowhere else.

mod input;
mod look;
mod shell;

pub use crate::demo::play;

use crate::cli::{Cli, Command};
use crate::headless::{self, complain};
use crate::lesson::Place;
use crate::library;
use crate::lore::Lang;
use crate::term::{self, guard};
use clap::Parser;
use shell::{Opening, Shell};
use std::ffi::OsString;

/// The program. The exit code is the process's.
#[must_use]
pub fn main(args: Vec<OsString>) -> u8 {
    let guarded = guard::recognise(args.get(1..).unwrap_or_default());
    let (by, words) = match guarded {
        Some((by, rest)) => (Some(by), args.iter().take(1).chain(rest).cloned().collect()),
        None => (None, args.clone()),
    };
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output, mistakes to standard error; clap knows.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    match &cli.command {
        None | Some(Command::Present { .. }) => screen(&cli, by, &args),
        Some(Command::Replay { .. }) if by.is_some() || term::is_interactive() => screen(&cli, by, &args),
        // A theme is of no use to them; a wrong one is wrong all the same.
        Some(command) => match look::theme(&cli.common) {
            Ok(_) => headless::perform(&cli, command).code(),
            Err(sentence) => complain(&sentence).code(),
        },
    }
}

/// Whatever has a screen: as the guard first, and then, guarded, as itself.
fn screen(cli: &Cli, by: Option<guard::GuardedBy>, args: &[OsString]) -> u8 {
    if by.is_none() {
        if let Err(why) = term::interactive() {
            return complain(&format!(
                "the tour needs a terminal, and {why}. Without one: forklore list, run, check, lore, doctor (forklore --help)."
            ))
            .code();
        }
        if let Ok(code) = guard::guard(args.get(1..).unwrap_or_default()) {
            return code;
        }
        // The machine has no room for another process; the tour can do without its guard.
    }
    // Executed as /proc/self/exe, it would be called "exe" in ps.
    let _ = rustix::thread::set_name(c"forklore");
    match prepare(cli) {
        Ok((shell, opening)) => shell.run(by, &opening),
        Err(sentence) => complain(&sentence).code(),
    }
}

/// Everything that can be found wrong before the terminal is taken.
fn prepare(cli: &Cli) -> Result<(Shell, Opening), String> {
    let source = cli.common.source.parse().map_err(|e| format!("--source {}: {e}", cli.common.source))?;
    let theme = look::theme(&cli.common)?;
    let library = library::open(&cli.common)?;
    let find = |wanted: &str| library.find(wanted);
    let opening = match &cli.command {
        Some(Command::Present { lesson }) => Opening::Present(find(lesson)?),
        Some(Command::Replay { file }) => Opening::Replay(headless::recording(file)?),
        _ => match &cli.lesson {
            Some(lesson) => Opening::Lesson(find(lesson)?),
            None => Opening::Catalogue,
        },
    };
    let lore = (headless::ledger(&cli.common), Lang::of(&library::language(&cli.common)));
    Ok((Shell::new(&library, lore, source, theme, cli.common.ascii), opening))
}

/// A place with a step, the first if none was named.
fn step_of(place: Place) -> usize {
    place.step.unwrap_or(0)
}
