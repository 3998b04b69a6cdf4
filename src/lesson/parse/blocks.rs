//! What stands between two headings: paragraphs, lists, quotations, tables, code, and the fences with a meaning.

use super::Parser;
use super::inline::comment;
use super::piece::Piece;
use crate::lesson::{Align, Block, Diagnostic, Text, read_limits};
use comrak::Node;
use comrak::nodes::{ListType, NodeHeading, NodeList, NodeTable, NodeValue, TableAlignment};

impl Parser<'_> {
    /// The blocks inside a container.
    pub(super) fn blocks(&mut self, parent: Node<'_>, piece: &Piece<'_>, depth: usize) -> Vec<Block> {
        if depth <= read_limits::DEPTH {
            return parent.children().filter_map(|node| self.block(node, piece, depth)).collect();
        }
        let what = format!("this is nested too deep; {} levels are the most", read_limits::DEPTH);
        let at = (piece.start(self, parent), 1);
        vec![Block::Wrong(self.wrong(Diagnostic::error(self.file, at, what)))]
    }

    /// One block; none for what is not shown. `depth` is the number of containers around it.
    pub(super) fn block(&mut self, node: Node<'_>, piece: &Piece<'_>, depth: usize) -> Option<Block> {
        if self.nodes_left == 0 {
            return None;
        }
        self.nodes_left -= 1;
        if self.nodes_left == 0 {
            let what = "the lesson has too many parts; the rest is left out";
            let at = (piece.start(self, node), 1);
            return Some(Block::Wrong(self.wrong(Diagnostic::error(self.file, at, what))));
        }
        let data = node.data();
        match &data.value {
            NodeValue::Paragraph => Some(Block::Paragraph(self.text(node, piece))).filter(|b| !empty(b)),
            NodeValue::Heading(heading) => Some(self.heading(node, heading, piece, depth)),
            NodeValue::List(list) => {
                let items = node.children().map(|item| self.blocks(item, piece, depth + 1)).collect();
                Some(Block::List(number(list), items))
            }
            NodeValue::BlockQuote => Some(Block::Quote(self.blocks(node, piece, depth + 1))),
            NodeValue::CodeBlock(code) if code.fenced => Some(self.fence(node, code, piece, depth)),
            NodeValue::CodeBlock(code) => Some(Block::Code(String::new(), code.literal.trim_end().to_owned())),
            NodeValue::HtmlBlock(html) => self.html(node, &html.literal, piece),
            NodeValue::ThematicBreak => Some(Block::Rule),
            NodeValue::Table(table) => Some(self.table(node, table, piece)),
            _ => None,
        }
    }

    fn heading(&mut self, node: Node<'_>, heading: &NodeHeading, piece: &Piece<'_>, depth: usize) -> Block {
        if heading.level <= 2 {
            let at = (piece.start(self, node), usize::from(heading.level));
            let warning = if heading.level == 1 {
                let what = "a level-1 heading is shown as an ordinary one: the lesson's title is in its front matter";
                Diagnostic::warning(self.file, at, what).help("write ## to begin a step, ### for a heading within it")
            } else {
                let what = format!("this heading begins no step: it stands inside {}", container(depth));
                Diagnostic::warning(self.file, at, what).help("move it to the left margin")
            };
            self.wrong(warning);
        }
        Block::Heading(heading.level.max(3), self.text(node, piece))
    }

    fn table(&mut self, node: Node<'_>, table: &NodeTable, piece: &Piece<'_>) -> Block {
        if table.num_columns > read_limits::COLUMNS {
            let what = format!("this table has {} columns; {} are the most", table.num_columns, read_limits::COLUMNS);
            let at = (piece.start(self, node), 1);
            return Block::Wrong(self.wrong(Diagnostic::error(self.file, at, what)));
        }
        let aligns = table.alignments.iter().map(|align| match align {
            TableAlignment::Center => Align::Centre,
            TableAlignment::Right => Align::Right,
            TableAlignment::None | TableAlignment::Left => Align::Left,
        });
        let aligns = aligns.collect();
        let mut rows = node.children().map(|row| row.children().map(|cell| self.text(cell, piece)).collect::<Vec<_>>());
        let head = rows.next().unwrap_or_default();
        Block::Table(aligns, head, rows.collect())
    }

    /// Notes and claims are kept, other comments are the author's own, other HTML is shown as it was written.
    fn html(&mut self, node: Node<'_>, html: &str, piece: &Piece<'_>) -> Option<Block> {
        if let Some(comment) = comment(html) {
            self.aside(comment);
            return None;
        }
        let at = (piece.start(self, node), 1);
        let warning = if html.trim_start().starts_with("<!--") && !html.contains("-->") {
            Diagnostic::error(self.file, at, "this comment is never closed").help("end it with -->")
        } else {
            Diagnostic::warning(self.file, at, "HTML is shown as it is written").help("write it in markdown")
        };
        self.wrong(warning);
        Some(Block::Paragraph(Text::plain(html.trim_end())))
    }
}

/// Where a block stands that should stand at the left margin.
pub(super) fn container(depth: usize) -> &'static str {
    if depth == 0 { "a hint" } else { "a list, a quotation or a hint" }
}

fn number(list: &NodeList) -> Option<u64> {
    (list.list_type == ListType::Ordered).then_some(list.start as u64)
}

/// A paragraph of which nothing is left: it was a note.
fn empty(block: &Block) -> bool {
    matches!(block, Block::Paragraph(text) if text.words().trim().is_empty())
}
