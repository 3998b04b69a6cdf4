//! An address space: on the left the whole of it, to scale, which is nearly empty; beside it, enlarged, what is there, with the
//! places that each thread's program counter and stack pointer point to. The highest address is at the top.

mod model;
mod plan;

use super::Rows;
use crate::fact::{Tally, Tid};
use crate::view::put::{count, cut, put, put_right, width};
use crate::view::theme::{Role, Theme};
use model::{Area, Mark, Model, size};
use plan::{Item, Lens, Plan};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

/// The address space that the tables "regions" and "threads" tell of. A region's row has `from` and `to`, as numbers or in
/// hexadecimal, `perms`, `kind`, `name` and perhaps a `note`; it is gone when `to` is null. A thread's row has `pc` and `sp`.
#[derive(Debug, Clone, Copy)]
pub struct Space<'a> {
    /// The totals that hold the rows.
    pub tally: &'a Tally,
    /// How it looks.
    pub theme: &'a Theme,
    /// The thread whose arrows stand out and of which the last line speaks.
    pub chosen: Option<Tid>,
}

/// Columns of the whole, and how many the rest must have beside it.
const WHOLE: u16 = 10;
const BESIDE: u16 = 44;
/// From this height on there are headings.
const ROOMY: u16 = 14;

/// Where the parts of a row stand, from the left.
struct Columns {
    address: Option<u16>,
    bar: u16,
    wide: u16,
    size: u16,
    perms: Option<u16>,
    title: u16,
}

impl Columns {
    fn of(wide: u16) -> Self {
        let (address, bar) = if wide >= 56 { (Some(0), 13) } else { (None, 0) };
        let bars = match wide {
            70.. => 10,
            40.. => 5,
            24.. => 3,
            _ => 1,
        };
        let size = bar + bars + 1 + 8;
        let (perms, title) = if wide >= 34 { (Some(size + 1), size + 6) } else { (None, size + 1) };
        Self { address, bar, wide: bars, size, perms, title }
    }
}

impl Space<'_> {
    /// The words below: how much there is, and where the chosen thread stands.
    fn words(&self, model: &Model) -> Vec<String> {
        let regions = count(model.areas.len() as u64, "region", "regions");
        let mut words = vec![format!("{regions}, {} in use of {}", size(model.used()), size(model.top()))];
        for mark in model.marks.iter().filter(|m| m.chosen) {
            let area = model.area(mark.at);
            let into = area.map_or_else(|| "no region".to_owned(), Area::title);
            let below = area.filter(|_| mark.register == "sp");
            let below = below.map_or(String::new(), |a| format!(", {} below its top", size(a.to - mark.at)));
            words.push(format!("{} {} {:x}: {into}{below}", mark.letter, mark.register, mark.at));
        }
        words
    }

    /// The whole, to scale: where in it the lenses are.
    fn put_whole(&self, buf: &mut Buffer, area: Rect, model: &Model, plan: &Plan) {
        let (dim, accent) = (self.theme.style(Role::Dim), self.theme.style(Role::Accent));
        let (top, last) = (model.top(), area.height.saturating_sub(1));
        let axis = WHOLE - 2;
        for y in 0..area.height {
            put(buf, area, axis, y, "│", dim);
        }
        put_right(buf, area, axis, last, "0", dim);
        let mut places: Vec<(u16, String)> = Vec::new();
        for (n, lens) in plan.lenses.iter().enumerate().rev() {
            let at = lens.items.first().map_or(0, |item| item.from(model));
            let down = u128::from(top.saturating_sub(at)) * u128::from(area.height) / u128::from(top).max(1);
            let y = u16::try_from(down).unwrap_or(last).min(last);
            match places.last_mut().filter(|(row, _)| *row == y) {
                Some((_, words)) => words.push_str(&format!(" {}", n + 1)),
                None => places.push((y, (n + 1).to_string())),
            }
        }
        for (y, words) in places {
            put_right(buf, area, axis, y, &format!("{words} "), accent);
            put(buf, area, axis, y, "┤", accent);
        }
    }

    /// A break: so much of nothing, and the lens below it.
    fn put_break(&self, buf: &mut Buffer, area: Rect, y: u16, bytes: u64, below: Option<(usize, &Lens)>) {
        let (dim, accent) = (self.theme.style(Role::Dim), self.theme.style(Role::Accent));
        let words = format!("╌╌ {} of nothing ", size(bytes));
        put(buf, area, 0, y, &"╌".repeat(area.width.into()), dim);
        let mut x = put(buf, area, 0, y, &words, dim);
        if let Some((n, lens)) = below {
            let long = format!(" lens {}: 1 row = {} ", n + 1, size(lens.unit));
            let short = format!(" 1 row = {} ", size(lens.unit));
            let fits = [long, short].into_iter().find(|w| usize::from(x) + width(w) <= area.width.into());
            if let Some(words) = fits {
                x = area.width - u16::try_from(width(&words)).unwrap_or(0);
                put(buf, area, x, y, &words, accent);
            }
        }
    }

    /// The rows of an item, the highest first.
    fn put_item(&self, buf: &mut Buffer, area: Rect, y: u16, drawn: (&Model, &Lens, &Item)) {
        let (model, lens, item) = drawn;
        let columns = Columns::of(area.width);
        let (dim, text) = (self.theme.style(Role::Dim), self.theme.style(Role::Text));
        let areas: Vec<&Area> = item.shown(model);
        let areas = areas.as_slice();
        let usable = item.usable(model);
        let (glyph, style) = self.ink(model, areas);
        for row in 0..item.rows {
            let here = y + row;
            // The part of the last unit that is not filled is at the bottom.
            let filled = usable.saturating_sub(u64::from(row) * lens.unit).min(lens.unit);
            let bar = u128::from(filled) * u128::from(columns.wide) / u128::from(lens.unit.max(1));
            let bar = usize::try_from(bar).unwrap_or(1).clamp(1, columns.wide.into());
            put(buf, area, columns.bar, here, &glyph.repeat(bar), style);
            if row + 1 == item.rows
                && let Some(x) = columns.address
            {
                put(buf, area, x, here, &format!("{:012x}", areas.first().map_or(0, |a| a.from)), dim);
            }
            let mut x = columns.title;
            let marks: Vec<&Mark> =
                model.marks.iter().filter(|m| row_of(model, lens, item, m.at) == Some(row)).collect();
            let arrows = arrows_width(&marks);
            if row == 0 {
                let all = if usable == 0 { item.to(model) - item.from(model) } else { usable };
                put_right(buf, area, columns.size, here, &size(all), text);
                if let Some(at) = columns.perms {
                    put(buf, area, at, here, &cut(&perms(areas), 4), dim);
                }
                let room = usize::from(area.width.saturating_sub(x)).saturating_sub(arrows);
                let role = if usable == 0 { dim } else { text };
                x = put(buf, area, x, here, &cut(&title(areas), room), role);
                x += u16::from(x > columns.title) * 2;
            }
            self.put_arrows(buf, area, (x, here), &marks);
        }
    }

    /// "◀ A B pc ◀ C sp".
    fn put_arrows(&self, buf: &mut Buffer, area: Rect, (mut x, y): (u16, u16), marks: &[&Mark]) {
        for (register, marks) in by_register(marks) {
            x = put(buf, area, x, y, "◀ ", self.theme.style(Role::Accent));
            for mark in marks {
                let ink = self.theme.worker(mark.slot);
                let style = if mark.chosen { ink.fill } else { ink.ink };
                x = put(buf, area, x, y, &mark.letter, style);
                x = put(buf, area, x, y, " ", Style::new());
            }
            x = put(buf, area, x, y, register, self.theme.style(Role::Text)).saturating_add(1);
        }
    }

    /// A pattern for each kind; a stack has that of its thread.
    fn ink(&self, model: &Model, areas: &[&Area]) -> (&'static str, Style) {
        let kind = weightiest(areas).map_or("", |area| area.kind.as_str());
        let role = |glyph, role| (glyph, self.theme.style(role));
        match kind {
            "stack" => {
                let into = |m: &&Mark| m.register == "sp" && areas.iter().any(|a| (a.from..a.to).contains(&m.at));
                let owner = model.marks.iter().find(into).and_then(|m| m.slot);
                match owner {
                    Some(slot) => (self.theme.worker(Some(slot)).pattern, self.theme.worker(Some(slot)).ink),
                    None => role("▪", Role::Text),
                }
            }
            "text" => role("≡", Role::Accent),
            "constants" => role("─", Role::Text),
            "data" => role("=", Role::Good),
            "heap" => role("●", Role::Warning),
            "arena" => role("○", Role::Warning),
            "file" => role("◆", Role::Text),
            _ if areas.iter().all(|a| a.barred()) => role("╌", Role::Nobody),
            _ => role("·", Role::Dim),
        }
    }
}

/// The row of an item, counted from its top, that an address is in.
fn row_of(model: &Model, lens: &Lens, item: &Item, at: u64) -> Option<u16> {
    if !(item.from(model)..item.to(model)).contains(&at) {
        return None;
    }
    let above: u64 = item
        .areas(model)
        .iter()
        .filter(|area| !area.barred() && area.to > at)
        .map(|area| area.to - area.from.max(at))
        .fold(0, u64::saturating_add);
    let row = above.saturating_sub(1) / lens.unit.max(1);
    Some(u16::try_from(row).unwrap_or(u16::MAX).min(item.rows.saturating_sub(1)))
}

/// The marks of each register.
fn by_register<'m>(marks: &[&'m Mark]) -> impl Iterator<Item = (&'static str, Vec<&'m Mark>)> {
    let of = |register| (register, marks.iter().copied().filter(|m| m.register == register).collect::<Vec<_>>());
    ["pc", "sp"].map(of).into_iter().filter(|(_, marks)| !marks.is_empty())
}

fn arrows_width(marks: &[&Mark]) -> usize {
    by_register(marks).map(|(_, marks)| marks.iter().map(|m| width(&m.letter) + 1).sum::<usize>() + 7).sum()
}

/// The region that an item is about: a stack rather than the heap, the heap rather than text, and the larger of equals.
fn weightiest<'m>(areas: &[&'m Area]) -> Option<&'m Area> {
    let weight = |area: &&&Area| {
        let kinds = ["stack", "heap", "text", "data", "constants", "file", "library"];
        let rank = kinds.iter().position(|kind| *kind == area.kind).unwrap_or(kinds.len());
        (std::cmp::Reverse(rank), area.size())
    };
    areas.iter().max_by_key(weight).copied()
}

/// "text prog", "library libc.so.6 (5)", "file, 16/64 pages loaded", "library, mapping (14)".
fn title(areas: &[&Area]) -> String {
    let Some(first) = areas.first() else { return String::new() };
    let parts = if areas.len() > 1 { format!(" ({})", areas.len()) } else { String::new() };
    if areas.iter().all(|a| a.kind == first.kind && a.name == first.name) {
        return match areas.iter().find(|a| !a.note.is_empty()) {
            Some(noted) => format!("{}, {}", first.kind, noted.note),
            None => format!("{}{parts}", first.title()),
        };
    }
    if let Some(noted) = areas.iter().find(|a| !a.note.is_empty()) {
        return format!("{}, {}, and {} more", noted.kind, noted.note, areas.len() - 1);
    }
    let mut kinds: Vec<&str> = Vec::new();
    for area in areas.iter().rev() {
        if !kinds.contains(&area.kind.as_str()) {
            kinds.push(&area.kind);
        }
    }
    format!("{}{parts}", kinds.join(", "))
}

/// What may be done in each of them; blank where that is not the same for all.
fn perms(areas: &[&Area]) -> String {
    match areas {
        [first, rest @ ..] if rest.iter().all(|area| area.perms == first.perms) => first.perms.clone(),
        _ => String::new(),
    }
}

impl Rows for Space<'_> {
    /// Rows that it needs at least, and likes.
    fn rows(&self, _: u16, left: u16) -> (u16, u16) {
        let model = Model::read(self.tally, self.chosen);
        let liked = u16::try_from(Plan::liked(&model)).unwrap_or(u16::MAX).saturating_add(6);
        (6, liked.max(8).min(left))
    }

    fn in_parts(&self) -> bool {
        false
    }
}

impl Widget for &Space<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let dim = self.theme.style(Role::Dim);
        let model = Model::read(self.tally, self.chosen);
        if model.areas.is_empty() {
            put(buf, area, 0, 0, "Nobody has looked at the address space yet.", dim);
            return;
        }
        let roomy = area.height >= ROOMY;
        let words = self.words(&model);
        let below = u16::try_from(words.len()).unwrap_or(u16::MAX).min(area.height / 6);
        let above = u16::from(roomy);
        let high = area.height - below - above;
        let plan = Plan::new(&model, high, roomy);
        let left = if roomy && area.width >= WHOLE + BESIDE { WHOLE } else { 0 };
        let right = Rect { x: area.x + left, y: area.y + above, width: area.width - left, height: high };
        if above > 0 {
            let head = "enlarged: the highest address is at the top";
            put(buf, Rect { y: area.y, height: 1, ..right }, 0, 0, head, dim);
        }
        if left > 0 {
            put_right(buf, area, left - 2, 0, &size(model.top()), dim);
            put(buf, area, left - 2, 0, "│", dim);
            self.put_whole(buf, Rect { width: left, y: right.y, height: high, ..area }, &model, &plan);
        }
        self.put_lenses(buf, right, &model, &plan);
        // Of too many lines those about the chosen thread stay.
        let skipped = words.len() - usize::from(below);
        for (line, y) in words.iter().skip(skipped).zip(area.height - below..) {
            put(buf, area, 0, y, line, self.theme.style(Role::Text));
        }
    }
}

impl Space<'_> {
    fn put_lenses(&self, buf: &mut Buffer, area: Rect, model: &Model, plan: &Plan) {
        let mut y = 0;
        let mut end = model.top();
        for (n, lens) in plan.lenses.iter().enumerate().rev() {
            let to = lens.items.last().map_or(end, |item| item.to(model));
            if plan.ends || n + 1 < plan.lenses.len() {
                self.put_break(buf, area, y, end.saturating_sub(to), Some((n, lens)));
                y += 1;
            }
            for (i, item) in lens.items.iter().enumerate().rev() {
                self.put_item(buf, area, y, (model, lens, item));
                y += item.rows;
                let lower = i.checked_sub(1).and_then(|i| lens.items.get(i));
                if let Some(gap) = lower.and_then(|lower| plan.gap(model, lower, item)) {
                    let columns = Columns::of(area.width);
                    put(buf, area, columns.bar, y, ":", self.theme.style(Role::Dim));
                    put_right(buf, area, columns.size, y, &size(gap), self.theme.style(Role::Dim));
                    put(buf, area, columns.title, y, "of nothing", self.theme.style(Role::Dim));
                    y += 1;
                }
                end = item.from(model);
            }
        }
        if plan.ends {
            self.put_break(buf, area, y, end, None);
        }
    }
}

#[cfg(test)]
mod tests;
