//! The Python of this machine: found, asked what it is, and given programs of ours to run. It knows no demo.
//!
//! Whatever is called `python3` in `PATH` is foreign: it may hang, crash, print anything. It gets a deadline and a bound on what
//! it prints, and what went wrong is told.

mod ears;
mod run;
mod search;

use super::bytecode;
use super::script::{Over, row};
use crate::fact::{Fact, Need, Tally, Unavailable, clean_line};
use crate::stage::Stage;
pub(super) use run::{Heard, Program, Running};
use search::{candidates, may_run};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long an interpreter may take to say what it is. It takes a twentieth of a second, and on a busy machine a whole one.
const ANSWERS: Duration = Duration::from_secs(5);

/// Asks it.
static VERSION: Program = Program { name: "version.py", text: &[include_str!("../../assets/programs/20-version.py")] };

/// What a demo says that it needs.
pub(super) const NEED: Need = Need { capability: "python3", without: "an interpreter of this machine" };

/// An interpreter that has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Python {
    file: PathBuf,
    /// "CPython".
    pub(super) implementation: String,
    /// "3.11.7".
    pub(super) version: String,
    /// It was built so that it can do without the lock.
    pub(super) free_threaded: bool,
    /// Its threads take turns: one lock is held by whoever executes bytecode.
    pub(super) gil: bool,
    /// After how long another thread may ask for the lock, in nanoseconds.
    pub(super) switch_ns: u64,
}

/// What is asked for.
const WHAT: &str = "the Python of this machine";

/// Why there is no interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// In few words: "no python3 here", "/usr/bin/python3 does not answer".
    pub(super) words: String,
    /// In a sentence.
    pub(super) why: Unavailable,
}

impl Missing {
    fn new(words: String, why: String) -> Self {
        Self { words, why: Unavailable::new(WHAT, why) }
    }

    /// There is none, or one that may not be executed.
    fn none(closed: Option<&Path>) -> Self {
        if let Some(closed) = closed {
            let words = format!("{} may not be executed", shown(closed));
            return Self::new(words.clone(), format!("{words} (EACCES)"));
        }
        let Self { words, why } = Self::new("no python3 here".to_owned(), "there is no python3 in PATH".to_owned());
        Self { words, why: why.remedy("Install Python 3") }
    }

    /// It was asked, and this is how it went.
    fn asked(file: &Path, how: &str) -> Self {
        let does = if how.starts_with(run::SILENT) { "does not answer" } else { "is no Python 3 that answers" };
        let words = format!("{} {does}", shown(file));
        Self::new(
            words.clone(),
            if how.starts_with(run::SILENT) { format!("{words}: it {how}") } else { format!("{} {how}", shown(file)) },
        )
    }
}

impl Python {
    /// The interpreter of this machine, or why there is none that answers. Meanwhile `says` makes facts of what is waited for.
    /// Of several that were asked, what is wrong with all but the last is told.
    ///
    /// # Errors
    /// The run is to come to its end.
    pub(super) fn find(stage: &mut Stage, says: &dyn Fn(&str) -> Vec<Fact>) -> Result<Result<Self, Missing>, Over> {
        let (files, closed) = candidates(std::env::var_os("PATH").as_deref());
        let mut missing: Option<Missing> = None;
        for file in files {
            if let Some(Missing { why, .. }) = missing.take() {
                stage.tell(Fact::Refused(why));
            }
            match Self::ask(stage, &file, says)? {
                Ok(python) => return Ok(Ok(python)),
                Err(how) => missing = Some(Missing::asked(&file, &how)),
            }
        }
        Ok(Err(missing.unwrap_or_else(|| Missing::none(closed.as_deref()))))
    }

    /// What this file says of itself, or what is wrong with it.
    fn ask(stage: &mut Stage, file: &Path, says: &dyn Fn(&str) -> Vec<Fact>) -> Result<Result<Self, String>, Over> {
        let asking = format!("asking {} who it is", shown(file));
        says(&asking).into_iter().for_each(|fact| stage.tell(fact));
        let still = |stage: &mut Stage, seconds: u64| {
            let words = format!("{asking}: no answer for {seconds} s");
            says(&words).into_iter().for_each(|fact| stage.tell(fact));
        };
        let mut running = match Running::start(stage, file, "version", &VERSION, &[]) {
            Ok(running) => running,
            Err(refused) => return Ok(Err(format!("could not be started ({})", refused.why))),
        };
        let how = match running.next_meanwhile(stage, ANSWERS, still)? {
            Heard::Ended(how) => how,
            Heard::Line(line) => match (running.next(stage, ANSWERS)?, Self::parse(file, &line)) {
                (Heard::Ended(how), Some(python)) if how == run::WELL => return Ok(Ok(python)),
                (Heard::Ended(how), _) if how != run::WELL => how,
                _ => "is no Python 3 that we know".to_owned(),
            },
        };
        running.end(stage)?;
        let words = running.last_words().map(|words| format!(": {words}")).unwrap_or_default();
        Ok(Err(format!("{how}{words}")))
    }

    fn parse(asked: &Path, line: &Value) -> Option<Self> {
        let word = |name: &str| Some(clean_line(line.get(name)?.as_str()?).chars().take(40).collect::<String>());
        let flag = |name: &str| line.get(name)?.as_bool();
        // What is in PATH may be a script that looks for the interpreter anew each time, a dozen processes long.
        let own = line.get("executable").and_then(Value::as_str).map(PathBuf::from);
        let file = own.filter(|own| own.is_absolute() && may_run(own)).unwrap_or_else(|| asked.to_owned());
        let (implementation, version) = (word("implementation")?, word("version")?);
        let (free_threaded, gil) = (flag("free_threaded")?, flag("gil")?);
        let switch_ns = line.get("switch_ns")?.as_u64()?;
        version.starts_with("3.").then_some(Self { file, implementation, version, free_threaded, gil, switch_ns })
    }

    /// Its name, in few words: "CPython 3.13.0, free-threaded".
    pub(super) fn words(&self) -> String {
        let build = match (self.free_threaded, self.gil) {
            (true, false) => ", free-threaded",
            (true, true) => ", a free-threaded build with its lock switched on",
            (false, _) => "",
        };
        format!("{} {}{build}", self.implementation, self.version)
    }

    /// Tells what it is, in a row of a table.
    pub(super) fn tell(&self, stage: &mut Stage, table: &str, name: &str) {
        let (gil, lock) = match (self.gil, self.implementation.as_str()) {
            (true, "CPython") => ("yes", "one for all its threads"),
            (true, _) => ("yes", "has one, as far as it says"),
            (false, _) => ("no", "none: its threads may all execute at once"),
        };
        let values = json!({ "interpreter": self.words(), "gil": gil, "lock": lock, "switch_ns": self.switch_ns });
        stage.tell(row(table, name, values));
    }

    /// Starts a program of ours, called `name` on the lanes.
    ///
    /// # Errors
    /// The machine refuses a process or a file without a name.
    pub(super) fn start(
        &self,
        stage: &mut Stage,
        name: &str,
        program: &Program,
        words: &[String],
    ) -> Result<Running, Unavailable> {
        Running::start(stage, &self.file, name, program, words)
    }
}

/// What is said of the lock of the machine of our own.
const OWN: &str = "own machine";

/// Tells that the machine of our own takes the part of an interpreter, and in few words why.
pub(super) fn tell_own(stage: &mut Stage, table: &str, name: &str, why: &str) {
    let switch = u64::try_from(bytecode::INTERVAL.as_nanos()).unwrap_or(u64::MAX);
    let words = format!("{why}: {}", bytecode::NAME);
    let values = json!({ "interpreter": words, "gil": OWN, "lock": "one for all its threads", "switch_ns": switch });
    stage.tell(row(table, name, values));
}

/// Where the machine of our own took the part of an interpreter, why.
pub(super) fn missing(tally: &Tally, table: &str, name: &str) -> Option<Value> {
    let own = tally.cell(table, name, "gil").and_then(Value::as_str) == Some(OWN);
    tally.cell(table, name, "interpreter").filter(|_| own).cloned()
}

/// In few words, that an interpreter answered and then did not do the work.
pub(super) fn broke(python: &Python) -> String {
    format!("{} did not do it", python.words())
}

fn shown(file: &Path) -> String {
    clean_line(&file.to_string_lossy()).chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_is_what_says_so_in_full() {
        let line = json!({"version": "3.13.0", "implementation": "CPython", "executable": "python", "free_threaded": true,
                          "gil": false, "switch_ns": 5_000_000});
        let python = Python::parse(Path::new("/x/python3"), &line).expect("all is there");
        assert_eq!(
            (python.words(), python.file),
            ("CPython 3.13.0, free-threaded".into(), PathBuf::from("/x/python3"))
        );
        for name in ["version", "implementation", "free_threaded", "gil", "switch_ns"] {
            let mut odd = line.clone();
            odd[name] = json!([]);
            assert_eq!(Python::parse(Path::new("/x/python3"), &odd), None, "{name}");
        }
        let mut old = line.clone();
        old["version"] = json!("2.7.18");
        assert_eq!(Python::parse(Path::new("/x/python3"), &old), None);
        let mut own = line;
        (own["executable"], own["version"]) = (json!("/bin/sh"), json!("3.9\u{1b}[2J"));
        let python = Python::parse(Path::new("/x/python3"), &own).expect("all is there");
        assert_eq!((python.file, python.version.contains('\u{1b}')), (PathBuf::from("/bin/sh"), false));
    }
}
