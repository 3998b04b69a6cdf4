//! A piece of a lesson's file (its body, the inside of a fence), and where its parts stand in the whole file.

use super::Parser;
use crate::lesson::Pos;
use comrak::Node;

/// Some lines of the file, perhaps without what stood before each (an indentation, a quotation mark).
pub(super) struct Piece<'p> {
    pub(super) text: &'p str,
    pub(super) lines: Vec<&'p str>,
    /// The line of the file on which it begins.
    pub(super) first: usize,
}

impl<'p> Piece<'p> {
    pub(super) fn new(text: &'p str, first: usize) -> Self {
        Self { text, lines: text.split('\n').collect(), first }
    }

    /// The place in the file of a line of the piece and a byte of that line, both counted from 1.
    pub(super) fn pos(&self, parser: &Parser<'_>, line: usize, byte: usize) -> Pos {
        let in_file = self.first + line - 1;
        let whole = parser.lines.get(in_file.saturating_sub(1)).copied().unwrap_or_default();
        let own = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let bytes = whole.strip_suffix(own).map_or(0, str::len) + byte.saturating_sub(1);
        Pos { line: in_file, column: whole.char_indices().take_while(|(i, _)| *i < bytes).count() + 1 }
    }

    /// The place in the file of a byte of the piece, counted from 0.
    pub(super) fn at(&self, parser: &Parser<'_>, byte: usize) -> Pos {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let line = before.matches('\n').count();
        let in_line = before.len() - before.rfind('\n').map_or(0, |n| n + 1);
        self.pos(parser, line + 1, in_line + 1)
    }

    /// Where a node begins.
    pub(super) fn start(&self, parser: &Parser<'_>, node: Node<'_>) -> Pos {
        let start = node.data().sourcepos.start;
        self.pos(parser, start.line, start.column)
    }

    /// The place of a whole line, without the blanks around it, and its width in characters.
    pub(super) fn line(&self, parser: &Parser<'_>, line: usize) -> (Pos, usize) {
        let own = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let blank = own.len() - own.trim_start().len();
        (self.pos(parser, line, blank + 1), own.trim().chars().count())
    }
}
