//! How we know: the sources of facts on who ran when, and the sentence said when one cannot be had.

use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where the facts on who ran when come from. Every live picture names its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The kernel's own switch records (`perf_event_open`).
    Exact,
    /// The workers' own clocks: exact for a spinning worker, blind for a sleeping one.
    SelfTimed,
    /// /proc, looked at so many times a second.
    Sampled,
    /// Nobody watches: watching would cost what is being measured.
    Unwatched,
}

impl Source {
    /// All that tell who ran when, best first.
    pub const ALL: [Self; 3] = [Self::Exact, Self::SelfTimed, Self::Sampled];

    /// The word on screen and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::SelfTimed => "self-timed",
            Self::Sampled => "sampled",
            Self::Unwatched => "unwatched",
        }
    }

    /// What the word means, in a sentence for the learner.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Exact => "The kernel recorded every switch.",
            Self::SelfTimed => "Each worker reads the clock in its loop; a gap means that it was not running.",
            Self::Sampled => "We look at /proc many times a second; what happens between two looks is not seen.",
            Self::Unwatched => {
                "The recorder is off, since it would cost what is measured: the figures are the workers' own."
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Which source the learner asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceChoice {
    /// The best that works here.
    #[default]
    Best,
    /// This one or none.
    Only(Source),
}

impl FromStr for SourceChoice {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        if s == "best" {
            return Ok(Self::Best);
        }
        Source::ALL
            .into_iter()
            .chain([Source::Unwatched])
            .find(|source| source.word() == s)
            .map(Self::Only)
            .ok_or_else(|| "the sources are: best, exact, self-timed, sampled, unwatched".to_owned())
    }
}

/// Something that this machine cannot do or would not allow, said so that a learner understands it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// What was wanted: "exact switch records".
    pub what: String,
    /// Why it was refused, the errno named: "`perf_event_paranoid` is 3 (EACCES)".
    pub why: String,
    /// What would allow it, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Unavailable {
    /// `what` cannot be had because of `why`.
    #[must_use]
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: named(why.into()), remedy: None }
    }

    /// Adds what would allow it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// The standard library ends what it says of an error with the errno's number, "(os error 13)". It can be looked up by its
/// name only: "(EACCES)".
fn named(why: String) -> String {
    let Some((head, tail)) = why.split_once("(os error ") else { return why };
    let Some((number, tail)) = tail.split_once(')') else { return why };
    match number.parse().map(Errno::from_raw) {
        Ok(errno) if errno != Errno::UnknownErrno => format!("{head}({errno:?}){}", named(tail.to_owned())),
        _ => why,
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)?;
        if let Some(remedy) = &self.remedy {
            write!(f, ". {remedy}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Unavailable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errno_has_its_name() {
        let why = |text: &str| Unavailable::new("a file", text).why;
        let error = std::io::Error::from_raw_os_error(libc::EACCES);
        assert_eq!(why(&error.to_string()), "Permission denied (EACCES)");
        assert_eq!(why("it (No space (os error 28)) and (os error 2)."), "it (No space (ENOSPC)) and (ENOENT).");
        for whole in ["", "it is so", "(os error ", "(os error x)", "(os error 99999)", "(os error 13"] {
            assert_eq!(why(whole), whole);
        }
    }
}
