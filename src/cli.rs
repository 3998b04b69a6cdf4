//! The command line: clap types only.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Processes and threads, tested on your own cores.
#[derive(Debug, Parser)]
#[command(name = "forklore", version, about, long_about = None, max_term_width = 100)]
#[command(
    after_help = "Without a command: the tour. `forklore crash:3` opens step 3 of the lesson \u{201c}crash\u{201d}.\n\
                        Exit codes: 0 done; 1 it ran and something failed; 2 it could not run; 128+n on a signal."
)]
pub struct Cli {
    /// What to do; the tour if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// A lesson to open: its name or number, and a step after a colon.
    #[arg(value_name = "LESSON[:STEP]")]
    pub lesson: Option<String>,
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,
}

/// What holds for every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// Read the lessons from this folder instead of the built-in ones.
    #[arg(long, global = true, value_name = "DIR")]
    pub lessons: Option<PathBuf>,
    /// The language of the lessons, where they are translated: en, zh.
    #[arg(long, global = true, value_name = "LANG")]
    pub lang: Option<String>,
    /// Where the facts on who ran when come from: best, exact, self-timed, sampled, unwatched.
    #[arg(long, global = true, value_name = "SOURCE", default_value = "best")]
    pub source: String,
    /// dark, light, contrast, or a theme file of your own.
    #[arg(long, global = true, value_name = "THEME")]
    pub theme: Option<String>,
    /// Plain ASCII instead of box drawing and patterns.
    #[arg(long, global = true)]
    pub ascii: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The lesson for a projector: large, without chrome.
    Present {
        /// The lesson, and a step after a colon.
        #[arg(value_name = "LESSON[:STEP]")]
        lesson: String,
    },
    /// Lessons, and demos with their parameters.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run a demo without a screen.
    Run(RunArgs),
    /// Show a recorded run in the same screens.
    Replay {
        /// The recording.
        file: PathBuf,
    },
    /// Check lessons: what is wrong, where, and what to do.
    Check {
        /// Lesson files or folders; the built-in lessons if none is named.
        paths: Vec<PathBuf>,
        /// Run every demo of every step too, and compare with what the step expects.
        #[arg(long)]
        run: bool,
    },
    /// What is said of processes and threads, each claim tested on this machine.
    Lore {
        /// As JSON, one claim a line.
        #[arg(long)]
        json: bool,
        /// Claims by their ids; all of them if none is named.
        #[arg(value_name = "CLAIM")]
        claims: Vec<String>,
    },
    /// Your lab report: what you predicted and measured, on which machine, and what is true there.
    Report {
        /// Write it to this file instead: Markdown, or one page where the name ends in .html.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// What this machine allows, and how to allow more.
    Doctor {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What `run` takes.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The demo.
    pub demo: String,
    /// Its parameters; `forklore list` tells them.
    #[arg(value_name = "key=value")]
    pub params: Vec<String>,
    /// Ask it to finish after so many seconds.
    #[arg(long = "for", value_name = "SECS", value_parser = seconds)]
    pub seconds: Option<f64>,
    /// Print the facts as JSON Lines.
    #[arg(long)]
    pub json: bool,
    /// Write the stream to this file.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Keep what it comes to for `forklore report`, as the tour does.
    #[arg(long)]
    pub keep: bool,
}

fn seconds(word: &str) -> Result<f64, String> {
    match word.parse::<f64>() {
        Ok(s) if s.is_finite() && (0.001..=86_400.0).contains(&s) => Ok(s),
        _ => Err("seconds, from 0.001 to 86400".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_those_of_the_contract() {
        Cli::command().debug_assert();
        let cli = Cli::parse_from(["forklore", "crash:3"]);
        assert_eq!((cli.lesson.as_deref(), cli.command.is_none()), (Some("crash:3"), true));
        let cli = Cli::parse_from(["forklore", "run", "crash", "as=threads", "--for", "2", "--json"]);
        let Some(Command::Run(run)) = cli.command else { panic!("not run") };
        assert_eq!(
            (run.demo.as_str(), run.params, run.seconds, run.json),
            ("crash", vec!["as=threads".into()], Some(2.0), true)
        );
        assert!(Cli::try_parse_from(["forklore", "run", "crash", "--for", "-1"]).is_err());
        assert!(Cli::try_parse_from(["forklore", "run", "crash", "--for", "inf"]).is_err());
    }
}
