//! The linter: what an author said that is not so. Knows the demos by their specs and the claims by their ids, and finds
//! the place of every complaint again in the lesson's source.

mod front;
mod options;
mod runs;
mod steps;
mod translation;

pub(crate) use options::fits;

use super::diagnostic::lines;
use super::{ClaimIds, Diagnostic, Lesson, Pos, Step, read_limits};
use crate::fact::DemoSpec;
use std::ops::Range;

/// Checks lessons, each with its source, against each other, the demos and the claims; they may refer to those `beside`
/// them too. What parsing already said is not said again.
#[must_use]
pub fn check(
    lessons: &[(Lesson, String)],
    beside: &[&Lesson],
    demos: &[&'static DemoSpec],
    claims: &ClaimIds,
) -> Vec<Diagnostic> {
    let course = Course { lessons, beside, demos, claims };
    let mut out = Vec::new();
    for (index, (lesson, source)) in lessons.iter().enumerate() {
        let most = out.len() + read_limits::MESSAGES;
        let mut page = Page { lesson, lines: lines(source).collect(), out: &mut out, most };
        front::check(&course, index, &mut page);
        steps::check(&course, &mut page);
        runs::check(&course, &mut page);
        translation::check(&course, &mut page);
    }
    out
}

/// Everything that a lesson can refer to.
struct Course<'c> {
    lessons: &'c [(Lesson, String)],
    beside: &'c [&'c Lesson],
    demos: &'c [&'static DemoSpec],
    claims: &'c ClaimIds,
}

impl<'c> Course<'c> {
    fn demo(&self, name: &str) -> Option<&'static DemoSpec> {
        self.demos.iter().copied().find(|demo| demo.name == name)
    }

    fn demo_names(&self) -> impl Iterator<Item = &'c str> {
        self.demos.iter().map(|demo| demo.name)
    }

    fn ids(&self) -> impl Iterator<Item = &'c str> {
        self.known().map(|lesson| lesson.id.as_str())
    }

    /// The lessons that can be referred to, those that are checked first.
    fn known(&self) -> impl Iterator<Item = &'c Lesson> {
        self.lessons.iter().map(|(lesson, _)| lesson).chain(self.beside.iter().copied())
    }
}

/// One lesson with its source, and where the complaints go.
struct Page<'p> {
    lesson: &'p Lesson,
    lines: Vec<&'p str>,
    out: &'p mut Vec<Diagnostic>,
    /// So many complaints there may be when this lesson is done.
    most: usize,
}

impl<'p> Page<'p> {
    fn error(&self, at: (Pos, usize), what: impl Into<String>) -> Diagnostic {
        Diagnostic::error(&self.lesson.file, at, what)
    }

    fn warning(&self, at: (Pos, usize), what: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(&self.lesson.file, at, what)
    }

    fn say(&mut self, diagnostic: Diagnostic) {
        if !self.full() {
            self.out.push(diagnostic);
        }
    }

    /// Enough has been said: what would take time to find need not be looked for.
    fn full(&self) -> bool {
        self.out.len() >= self.most
    }

    /// The lines of the front matter, those with `+++` included.
    fn front(&self) -> Range<usize> {
        let end = self.lines.iter().skip(1).position(|line| line.trim_end() == "+++");
        1..end.map_or(2, |n| n + 3)
    }

    /// The lines from the heading of a step to the next, counted from 1.
    fn step(&self, index: usize) -> Range<usize> {
        let begins = |step: &Step| step.at.line;
        let from = self.lesson.steps.get(index).map_or(1, begins);
        from..self.lesson.steps.get(index + 1).map_or(self.lines.len() + 1, begins)
    }

    /// The lines from the opening of a fence to its end.
    fn fence(&self, at: Pos) -> Range<usize> {
        let closes = |line: &&str| line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        let end = self.lines.iter().skip(at.line).position(closes);
        at.line..end.map_or(self.lines.len() + 1, |n| at.line + n + 1)
    }

    /// The whole of a line.
    fn line(&self, line: usize) -> (Pos, usize) {
        let text = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let blank = text.chars().take_while(|c| c.is_whitespace()).count();
        (Pos { line, column: blank + 1 }, text.trim().chars().count().max(1))
    }

    /// The first place of a whole word within lines; the first of the lines if it is not there.
    fn word(&self, within: Range<usize>, word: &str) -> (Pos, usize) {
        self.words(within.clone(), word).next().unwrap_or_else(|| self.line(within.start))
    }

    /// Every place of a whole word within lines.
    fn words(&self, within: Range<usize>, word: &str) -> impl Iterator<Item = (Pos, usize)> {
        let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let width = word.chars().count();
        within.filter_map(|n| Some((n, *self.lines.get(n.checked_sub(1)?)?))).flat_map(move |(line, text)| {
            let hits = text.match_indices(word).filter(move |(i, _)| {
                let edges = [text[..*i].chars().next_back(), text[i + word.len()..].chars().next()];
                !word.is_empty() && !edges.into_iter().flatten().any(part_of_word)
            });
            hits.map(move |(i, _)| (Pos { line, column: text[..i].chars().count() + 1 }, width))
        })
    }
}

#[cfg(test)]
mod tests;
