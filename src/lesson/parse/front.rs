//! The front matter: TOML between two `+++` lines.

use super::piece::Piece;
use super::toml_body::{self, Entry};
use super::{Parser, START};
use crate::lesson::{Diagnostic, Lesson};
use serde_json::Value;

/// The keys there are, and what each takes.
const KEYS: [(&str, &str); 6] = [
    ("id", "a word of lower-case letters, digits and hyphens"),
    ("title", "a text"),
    ("part", "a text"),
    ("minutes", "a whole number up to 1000"),
    ("after", "a list of lesson ids"),
    ("claims", "a list of claim ids"),
];

/// The keys without which there is no lesson.
const NEEDED: [&str; 3] = ["id", "title", "part"];

impl<'t> Parser<'t> {
    /// Reads the front matter into `lesson` and returns the rest of the file.
    pub(super) fn front(&mut self, text: &'t str, lesson: &mut Lesson) -> Piece<'t> {
        let Some(end) = self.fences() else {
            return Piece::new(text, 1);
        };
        let line_start = |line: usize| self.lines.iter().take(line).map(|l| l.len() + 1).sum::<usize>();
        let inside = &text[line_start(1)..line_start(end)];
        let body = text.get(line_start(end + 1)..).unwrap_or_default();
        let piece = Piece::new(inside, 2);
        let (entries, broken) = toml_body::read(self, &piece);
        let mut given = Vec::new();
        for entry in entries {
            if let Err(wrong) = self.key(&entry, lesson)
                && broken.is_none()
            {
                self.wrong(wrong);
            }
            given.push(entry.key);
        }
        let missing: Vec<_> = NEEDED.into_iter().filter(|k| !given.iter().any(|g| g == k)).collect();
        if !missing.is_empty() && broken.is_none() {
            let what = format!("the front matter does not say {}", missing.join(", "));
            let help: Vec<_> = missing.iter().map(|k| format!("{k} = \"...\"")).collect();
            self.wrong(Diagnostic::error(self.file, (START.0, 3), what).help(format!("add {}", help.join(", "))));
        }
        Piece::new(body, end + 2)
    }

    /// The index of the line that ends the front matter, if there is front matter.
    fn fences(&mut self) -> Option<usize> {
        let fence = |line: &&str| line.trim_end() == "+++";
        let begins = self.lines.first().is_some_and(fence);
        let end = self.lines.iter().skip(1).position(fence).map(|n| n + 1);
        match (begins, end) {
            (true, Some(end)) => Some(end),
            (true, None) => {
                let what = "the front matter is never closed";
                self.wrong(Diagnostic::error(self.file, (START.0, 3), what).help("end it with a line +++"));
                None
            }
            (false, _) => {
                let what = "there is no front matter: the first line is not +++";
                let help = "begin with a line +++, then id, title and part, and a line +++";
                self.wrong(Diagnostic::error(self.file, START, what).help(help));
                None
            }
        }
    }

    /// Takes one key over into `lesson`.
    fn key(&self, entry: &Entry, lesson: &mut Lesson) -> Result<(), Diagnostic> {
        let Some((key, takes)) = KEYS.iter().find(|(key, _)| *key == entry.key) else {
            let what = format!("there is no key {} in the front matter", entry.key);
            let known = KEYS.map(|(key, _)| key);
            let near = Diagnostic::error(self.file, entry.at, what).did_you_mean(&entry.key, known);
            let remedy = near.remedy.clone().unwrap_or_else(|| format!("there are {}", known.join(", ")));
            return Err(near.help(remedy));
        };
        let good = match *key {
            "id" => word(&entry.value).map(|id| lesson.id = id),
            "title" => filled(&entry.value).map(|title| lesson.title = title),
            "part" => filled(&entry.value).map(|part| lesson.part = part),
            "minutes" => minutes(&entry.value).map(|minutes| lesson.minutes = minutes),
            "after" => list(&entry.value).map(|after| lesson.after = after),
            _ => list(&entry.value).map(|claims| lesson.claims = claims),
        };
        good.ok_or_else(|| Diagnostic::error(self.file, entry.value_at, format!("{key} takes {takes}")))
    }
}

fn filled(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned)
}

fn word(value: &Value) -> Option<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    filled(value).filter(|id| id.chars().all(plain) && !id.bytes().all(|c| c.is_ascii_digit()))
}

fn minutes(value: &Value) -> Option<u32> {
    value.as_u64().filter(|n| *n <= 1000).and_then(|n| u32::try_from(n).ok())
}

fn list(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|v| v.as_str().map(str::to_owned)).collect()
}
