//! Lesson blocks to lines of a given width. Knows markdown's elements and the theme; not the screen, the scroll or the
//! learner: figures and titles of other lessons are asked of a [`Context`].

mod highlight;
mod table;
mod wrap;

pub use wrap::{Piece, wrap};

use super::put::{cut, width as width_of};
use super::theme::{Role, Theme};
use crate::fact::{clean, clean_line};
use crate::lesson::{Block, Text};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

/// What a text asks of its surroundings.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The figure that the learner measured, by "demo.value", as it is shown.
    pub figure: &'a dyn Fn(&str) -> Option<String>,
    /// The title of the lesson with this id.
    pub lesson: &'a dyn Fn(&str) -> Option<String>,
    /// The lines of a block that is more than text (a question, a hint, a demo), for this width.
    pub special: &'a dyn Fn(&Block, u16) -> Vec<Line<'static>>,
}

impl Context<'_> {
    /// Nothing measured, no other lesson, special blocks left out.
    pub const PLAIN: Context<'static> = Context { figure: &|_| None, lesson: &|_| None, special: &|_, _| Vec::new() };
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Context")
    }
}

/// The lines of `blocks`, none of them wider than `width`, an empty line between two blocks.
#[must_use]
pub fn layout(blocks: &[Block], width: u16, theme: &Theme, context: &Context<'_>) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if width == 0 {
        return lines;
    }
    for block in blocks {
        let more = one(block, width, theme, context);
        if !lines.is_empty() && !more.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(more);
    }
    lines
}

/// The lines of one text, none of them wider than `width`, on the style of `role`.
#[must_use]
pub fn layout_text(text: &Text, width: u16, role: Role, theme: &Theme, context: &Context<'_>) -> Vec<Line<'static>> {
    wrap(&pieces(text, theme.style(role), theme, context), usize::from(width))
}

fn one(block: &Block, width: u16, theme: &Theme, context: &Context<'_>) -> Vec<Line<'static>> {
    match block {
        Block::Heading(level, text) => {
            let role = if *level <= 3 { Role::Heading } else { Role::Strong };
            layout_text(text, width, role, theme, context)
        }
        Block::Paragraph(text) => layout_text(text, width, Role::Text, theme, context),
        Block::List(first, items) => list(*first, items, width, theme, context),
        Block::Quote(blocks) => {
            let bar = Span::styled("│ ", theme.style(Role::Border));
            let mut lines = layout(blocks, width.saturating_sub(2).max(1), theme, context);
            let quote = theme.style(Role::Quote);
            lines.iter_mut().flat_map(|l| &mut l.spans).for_each(|s| s.style = quote.patch(s.style));
            indent(lines, &bar, &bar, width)
        }
        Block::Code(language, code) => code_block(code, language, width, theme),
        Block::Picture(picture) => {
            let lines = clean(picture.trim_end_matches('\n'));
            let text = theme.style(Role::Text);
            lines.lines().map(|l| Line::styled(cut(l, width.into()).into_owned(), text)).collect()
        }
        Block::Table(aligns, head, rows) => table::layout(aligns, head, rows, width.into(), theme, context),
        Block::Rule => vec![Line::styled("─".repeat(width.into()), theme.style(Role::Border))],
        Block::Wrong(sentence) => {
            wrap(&[Piece::new(format!("✗ {}", clean(sentence)), theme.style(Role::Warning))], width.into())
        }
        Block::Predict(_) | Block::Quiz(_) | Block::Hint(_) | Block::Demo(_) => {
            (context.special)(block, width).into_iter().map(|line| clip(line, width.into())).collect()
        }
    }
}

fn list(
    first: Option<u64>,
    items: &[Vec<Block>],
    width: u16,
    theme: &Theme,
    context: &Context<'_>,
) -> Vec<Line<'static>> {
    let mark = |i: usize| first.map_or("•".to_owned(), |n| format!("{}.", n.saturating_add(i as u64)));
    let widest = (0..items.len()).map(|i| width_of(&mark(i))).max().unwrap_or(1);
    // Loose where an item is more than a paragraph with perhaps a list below it.
    let loose = items.iter().any(|item| item.iter().filter(|b| !matches!(b, Block::List(..))).count() > 1);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let inner = width.saturating_sub(u16::try_from(widest).unwrap_or(u16::MAX).saturating_add(1)).max(1);
        let mut body = Vec::new();
        for block in item {
            let more = one(block, inner, theme, context);
            if loose && !body.is_empty() {
                body.push(Line::default());
            }
            body.extend(more);
        }
        if body.is_empty() {
            body.push(Line::default());
        }
        if loose && i > 0 {
            lines.push(Line::default());
        }
        let head = Span::styled(format!("{:>widest$} ", mark(i)), theme.style(Role::Accent));
        lines.extend(indent(body, &head, &Span::raw(" ".repeat(widest + 1)), width));
    }
    lines
}

/// `first` before the first line and `rest` before the others, cut where even that is too much.
fn indent(lines: Vec<Line<'static>>, first: &Span<'static>, rest: &Span<'static>, width: u16) -> Vec<Line<'static>> {
    let with = |(i, mut line): (usize, Line<'static>)| {
        line.spans.insert(0, if i == 0 { first.clone() } else { rest.clone() });
        clip(line, width.into())
    };
    lines.into_iter().enumerate().map(with).collect()
}

/// `line` cut to `width` columns, with `…` where something was cut.
fn clip(line: Line<'static>, width: usize) -> Line<'static> {
    if line.spans.iter().map(|s| width_of(&s.content)).sum::<usize>() <= width {
        return line;
    }
    let mut left = width;
    let mut spans = Vec::new();
    for span in line.spans {
        let wide = width_of(&span.content);
        // The mark of the cut needs a column, so a span that ends exactly at the edge is cut as well.
        if wide < left {
            left -= wide;
            spans.push(span);
        } else {
            let text = format!("{}{}", span.content, if wide == left { " " } else { "" });
            spans.push(Span::styled(cut(&text, left).into_owned(), span.style));
            break;
        }
    }
    Line { spans, ..line }
}

fn code_block(code: &str, language: &str, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let ground = theme.style(Role::CodeBlock);
    let code = clean(code.trim_end_matches('\n'));
    let width = usize::from(width);
    let bar = |mark| vec![Span::styled("▏", theme.style(Role::Border)), Span::styled(mark, theme.style(Role::Dim))];
    let framed = |(n, spans): (usize, Vec<Span<'static>>)| {
        let mut line = clip(Line::from([bar(if n == 0 { "" } else { ONWARD }), spans].concat()), width);
        let used: usize = line.spans.iter().map(|s| width_of(&s.content)).sum();
        line.push_span(Span::raw(" ".repeat(width.saturating_sub(used))));
        line.style(ground)
    };
    let lines = highlight::lines(&code, language, theme).into_iter();
    lines.flat_map(|spans| chopped(spans, width).into_iter().enumerate()).map(framed).collect()
}

/// What stands before the rest of a line of code that was too long.
const ONWARD: &str = "↳ ";

/// A line of code in pieces that fit a frame of `width` columns: the first after its bar, the others after the mark too.
/// It is broken after a blank, if one is near the end.
fn chopped(spans: Vec<Span<'static>>, width: usize) -> Vec<Vec<Span<'static>>> {
    let graphemes: Vec<(&str, Style)> =
        spans.iter().flat_map(|span| span.content.graphemes(true).map(|g| (g, span.style))).collect();
    let mut pieces: Vec<Vec<Span<'static>>> = Vec::new();
    let mut rest = graphemes.as_slice();
    loop {
        let mark = if pieces.is_empty() { 0 } else { width_of(ONWARD) };
        let room = width.saturating_sub(1 + mark).max(1);
        let mut used = 0;
        let fits = rest.iter().take_while(|(g, _)| (used += width_of(g), used <= room).1).count();
        let near = |at: &usize| at * 2 > fits;
        let blank = rest[..fits].iter().rposition(|(g, _)| *g == " ").map(|at| at + 1).filter(near);
        let end = if fits == rest.len() { fits } else { blank.unwrap_or(fits).max(1) };
        let (now, later) = rest.split_at(end.min(rest.len()));
        pieces.push(joined(now));
        rest = later;
        if rest.is_empty() {
            return pieces;
        }
    }
}

/// Graphemes as spans: neighbours of one style together.
fn joined(graphemes: &[(&str, Style)]) -> Vec<Span<'static>> {
    let same = graphemes.chunk_by(|a, b| a.1 == b.1);
    same.map(|run| Span::styled(run.iter().map(|(g, _)| *g).collect::<String>(), run[0].1)).collect()
}

/// The spans of a text, cleaned, with figures filled in and links followed by where they lead.
fn pieces(text: &Text, base: Style, theme: &Theme, context: &Context<'_>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let spans = &text.0;
    for (i, span) in spans.iter().enumerate() {
        let mut style = base;
        let look = span.style;
        if look.code {
            style = style.patch(theme.style(Role::Code));
        }
        if look.strong {
            style = style.patch(theme.style(Role::Strong));
        }
        for (on, modifier) in [(look.emphasis, Modifier::ITALIC), (look.struck, Modifier::CROSSED_OUT)] {
            if on {
                style = style.add_modifier(modifier);
            }
        }
        let words = match span.figure.as_deref().and_then(|name| (context.figure)(name)) {
            Some(figure) => {
                style = style.patch(theme.style(Role::Strong));
                clean_line(&figure)
            }
            None => clean(&span.text),
        };
        let Some(link) = &span.link else {
            let piece = Piece::new(words, style);
            pieces.push(if look.code { piece.whole() } else { piece });
            continue;
        };
        let place = place(link, context);
        let words = if words.is_empty() || words == *link { place.clone() } else { words };
        // A link of several spans is followed by its place once, after the last of them.
        let last = spans.get(i + 1).is_none_or(|next| next.link.as_ref() != Some(link));
        let said = words == place;
        pieces.push(Piece::new(words, style.patch(theme.style(Role::Link))));
        if last && !said {
            pieces.push(Piece::new(format!(" ({place})"), base.patch(theme.style(Role::Dim))));
        }
    }
    pieces
}

fn place(link: &str, context: &Context<'_>) -> String {
    let place = match link.strip_prefix("lesson:") {
        Some(id) => (context.lesson)(id).unwrap_or_else(|| id.to_owned()),
        None => link.to_owned(),
    };
    clean_line(&place)
}

#[cfg(test)]
mod tests;
