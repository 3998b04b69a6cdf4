//! Tables fitted to a width: columns shrink and cells wrap; where even that is too narrow, rows become records.

use super::{Context, pieces, wrap};
use crate::lesson::{Align, Text};
use crate::view::put::width as width_of;
use crate::view::text::wrap::Piece;
use crate::view::theme::{Role, Theme};
use ratatui::text::{Line, Span};

/// Below this width a table is records.
const NARROW: usize = 20;
/// Columns between two columns: ` │ `.
const BETWEEN: usize = 3;
/// No column is narrower, unless all that stands in it is.
const LEAST: usize = 4;

/// The lines of a table, none wider than `width`.
pub(super) fn layout(
    aligns: &[Align],
    head: &[Text],
    rows: &[Vec<Text>],
    width: usize,
    theme: &Theme,
    context: &Context<'_>,
) -> Vec<Line<'static>> {
    let cells = |row: &[Text], role| -> Vec<Vec<Piece>> {
        row.iter().map(|text| pieces(text, theme.style(role), theme, context)).collect()
    };
    let columns = head.len();
    let head = cells(head, Role::Strong);
    // Rows may be ragged in a hostile lesson.
    let rows: Vec<_> = rows.iter().map(|row| cells(&row[..row.len().min(columns)], Role::Text)).collect();
    let natural: Vec<usize> = (0..columns)
        .map(|c| rows.iter().chain([&head]).filter_map(|row| row.get(c)).map(|cell| longest(cell)).max().unwrap_or(0))
        .collect();
    let room = width.saturating_sub(BETWEEN * columns.saturating_sub(1));
    let least: usize = natural.iter().map(|n| LEAST.min(*n)).sum();
    if columns == 0 || width < NARROW && natural.iter().sum::<usize>() > room || least > room {
        return records(&head, &rows, width);
    }
    let widths = shrink(natural, room);
    let mut lines = row(&head, &widths, aligns, theme);
    let rule: Vec<_> = widths.iter().map(|w| "─".repeat(*w)).collect();
    lines.push(Line::styled(rule.join("─┼─"), theme.style(Role::Border)));
    // Where a cell takes several lines, rows need air to be told apart.
    let rows: Vec<_> = rows.iter().map(|cells| row(cells, &widths, aligns, theme)).collect();
    let airy = rows.iter().any(|lines| lines.len() > 1);
    for (i, more) in rows.into_iter().enumerate() {
        if airy && i > 0 {
            let dots: Vec<_> = widths.iter().map(|w| " ".repeat(*w)).collect();
            lines.push(Line::styled(dots.join(" │ "), theme.style(Role::Border)));
        }
        lines.extend(more);
    }
    lines
}

fn longest(cell: &[Piece]) -> usize {
    let text: String = cell.iter().map(|p| p.text.as_str()).collect();
    text.split('\n').map(width_of).max().unwrap_or(0)
}

/// Takes columns from the widest until all fit into `room`.
fn shrink(mut widths: Vec<usize>, room: usize) -> Vec<usize> {
    let mut over = widths.iter().sum::<usize>().saturating_sub(room);
    while over > 0 {
        let most = widths.iter().copied().max().unwrap_or(0);
        let next = widths.iter().copied().filter(|w| *w < most).max().unwrap_or(0).max(LEAST);
        let wide = widths.iter().filter(|w| **w == most).count();
        let each = (over / wide).clamp(1, most.saturating_sub(next).max(1));
        for width in widths.iter_mut().filter(|w| **w == most) {
            let take = each.min(over);
            *width = width.saturating_sub(take);
            over -= take;
        }
    }
    widths
}

fn row(cells: &[Vec<Piece>], widths: &[usize], aligns: &[Align], theme: &Theme) -> Vec<Line<'static>> {
    let wrapped: Vec<Vec<Line<'static>>> =
        widths.iter().enumerate().map(|(c, w)| wrap(cells.get(c).map_or(&[], Vec::as_slice), *w)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    let bar = Span::styled(" │ ", theme.style(Role::Border));
    (0..height)
        .map(|y| {
            let mut line = Line::default();
            for (c, (width, cell)) in widths.iter().zip(&wrapped).enumerate() {
                if c > 0 {
                    line.push_span(bar.clone());
                }
                let spans = cell.get(y).map_or(&[][..], |l| l.spans.as_slice());
                let left = width.saturating_sub(spans.iter().map(|s| width_of(&s.content)).sum());
                let before = match aligns.get(c).copied().unwrap_or_default() {
                    Align::Left => 0,
                    Align::Centre => left / 2,
                    Align::Right => left,
                };
                line.push_span(" ".repeat(before));
                line.spans.extend_from_slice(spans);
                line.push_span(" ".repeat(left - before));
            }
            line
        })
        .collect()
}

/// "head: cell", a line or more each, an empty line between two rows.
fn records(head: &[Vec<Piece>], rows: &[Vec<Vec<Piece>>], width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        if i > 0 {
            lines.push(Line::default());
        }
        for (head, cell) in head.iter().zip(row) {
            let style = head.first().map_or_else(Default::default, |p| p.style);
            let mut pieces = head.clone();
            pieces.push(Piece::new(": ", style));
            pieces.extend(cell.iter().cloned());
            lines.extend(wrap(&pieces, width));
        }
    }
    if rows.is_empty() {
        lines.extend(head.iter().flat_map(|cell| wrap(cell, width)));
    }
    lines
}
