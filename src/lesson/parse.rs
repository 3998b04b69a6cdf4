//! A lesson's bytes into a [`Lesson`]. Never fails, never panics: what is wrong becomes a [`Diagnostic`], and a block that
//! could not be read becomes [`Block::Wrong`]. Knows no demo: whether a name exists is for `check` to say.

mod blocks;
mod fence;
mod front;
mod inline;
mod piece;
mod raw;
mod toml_body;

use super::{Block, Diagnostic, Lesson, Pos, Step, read_limits};
use comrak::nodes::NodeValue;
use comrak::{Arena, Node, Options, try_parse_document};
use piece::Piece;
use std::cell::Cell;

pub(in crate::lesson) use raw::text;

/// Reads a lesson. `file` is its name, `NN-name.md` with or without folders before it; `lang` the language of its folder.
///
/// A file that is refused as a whole (too large, not text) is a lesson without steps whose `intro` says why. Otherwise
/// what can be read is there, in order. Diagnostics come in the order of their places.
#[must_use]
pub fn parse(source: &[u8], file: &str, lang: &str) -> (Lesson, Vec<Diagnostic>) {
    let (number, name) = file_name(file);
    let mut lesson = Lesson {
        number: number.unwrap_or(0),
        id: name.clone(),
        title: name,
        lang: lang.to_owned(),
        file: file.to_owned(),
        ..Lesson::default()
    };
    let (text, spoilt) = match raw::read(source, file) {
        Ok(read) => read,
        Err(refused) => {
            lesson.intro.push(Block::Wrong(refused.sentence.clone()));
            return (lesson, vec![refused]);
        }
    };
    let mut parser = Parser::new(file, lang, &text);
    parser.diagnostics.extend(spoilt);
    if number.is_none() {
        let what = "the file's name does not begin with a number";
        let help = "call it NN-name.md, NN being its place in the course";
        parser.diagnostics.push(Diagnostic::warning(file, START, what).help(help));
    }
    let body = parser.front(&text, &mut lesson);
    parser.body_line = body.first;
    parser.lesson(&body, &mut lesson);
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|d| d.pos);
    (lesson, diagnostics)
}

/// The first character of a file.
const START: (Pos, usize) = (Pos { line: 1, column: 1 }, 1);

/// The number and the name in `12-crash.md`.
pub(in crate::lesson) fn file_name(file: &str) -> (Option<u32>, String) {
    let base = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = base.strip_suffix(".md").unwrap_or(base);
    match stem.split_once('-').and_then(|(number, name)| Some((number.parse().ok()?, name))) {
        Some((number, name)) if !name.is_empty() => (Some(number), name.to_owned()),
        _ => (stem.parse().ok(), stem.to_owned()),
    }
}

/// Everything that parsing one file needs.
struct Parser<'t> {
    file: &'t str,
    lang: &'t str,
    /// The lines of the whole file: places in pieces of it are found again in them.
    lines: Vec<&'t str>,
    /// The line on which the body begins, after the front matter.
    body_line: usize,
    diagnostics: Vec<Diagnostic>,
    notes: Vec<String>,
    claims: Vec<String>,
    /// Blocks and spans that may still come.
    nodes_left: usize,
    /// Work that the markdown parser may still do.
    work_left: Cell<u32>,
}

impl<'t> Parser<'t> {
    fn new(file: &'t str, lang: &'t str, text: &'t str) -> Self {
        Self {
            file,
            lang,
            lines: text.split('\n').collect(),
            body_line: 1,
            diagnostics: Vec::new(),
            notes: Vec::new(),
            claims: Vec::new(),
            nodes_left: read_limits::NODES,
            work_left: Cell::new(read_limits::WORK),
        }
    }

    /// Says that something is wrong, and gives the sentence back for a [`Block::Wrong`]. One message to a place: what else
    /// is wrong there follows from the first.
    fn wrong(&mut self, diagnostic: Diagnostic) -> String {
        let sentence = diagnostic.sentence.clone();
        let said = self.diagnostics.iter().any(|d| d.pos == diagnostic.pos && d.severity <= diagnostic.severity);
        if self.diagnostics.len() < read_limits::MESSAGES && !said {
            self.diagnostics.push(diagnostic);
        }
        sentence
    }

    /// Hands a piece of the file to the markdown parser, within its share of work.
    fn markdown<'a>(&mut self, arena: &'a Arena<'a>, piece: &Piece<'_>) -> Option<Node<'a>> {
        let mut options = Options::default();
        options.extension.table = true;
        options.extension.strikethrough = true;
        options.extension.cjk_friendly_emphasis = true;
        let too_much = || {
            let left = self.work_left.get();
            self.work_left.set(left.saturating_sub(1));
            left == 0
        };
        let root = try_parse_document(arena, piece.text, &options, &too_much).ok();
        if root.is_none() {
            let at = (piece.pos(self, 1, 1), 1);
            let what = "this is too tangled to be read: it nests deeper or repeats more than any lesson has to";
            self.wrong(Diagnostic::error(self.file, at, what));
        }
        root
    }

    /// The body: what stands before the first level-2 heading, then a step for each.
    fn lesson(&mut self, body: &Piece<'_>, lesson: &mut Lesson) {
        let arena = Arena::new();
        let Some(root) = self.markdown(&arena, body) else {
            lesson.intro.extend(self.diagnostics.last().map(|d| Block::Wrong(d.sentence.clone())));
            return;
        };
        for node in root.children() {
            if let NodeValue::Heading(heading) = &node.data().value
                && heading.level == 2
            {
                if lesson.steps.len() == read_limits::STEPS {
                    let what = format!("a lesson has at most {} steps; the rest is left out", read_limits::STEPS);
                    self.wrong(Diagnostic::error(self.file, (body.start(self, node), 2), what));
                    break;
                }
                let title = self.text(node, body).words().trim().to_owned();
                lesson.steps.push(Step { title, at: body.start(self, node), ..Step::default() });
                continue;
            }
            let block = self.block(node, body, 0);
            match lesson.steps.last_mut() {
                Some(step) => {
                    step.blocks.extend(block);
                    step.notes.append(&mut self.notes);
                    step.claims.append(&mut self.claims);
                }
                None => lesson.intro.extend(block),
            }
        }
        if let Some(step) = lesson.steps.last_mut() {
            step.notes.append(&mut self.notes);
            step.claims.append(&mut self.claims);
        } else {
            let what = "the lesson has no steps";
            let help = "begin each step with a level-2 heading: ## What it is about";
            self.wrong(Diagnostic::error(self.file, (body.pos(self, 1, 1), 1), what).help(help));
            if lesson.intro.is_empty() {
                lesson.intro.push(Block::Wrong(what.to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
