//! Two processes and one address: what each finds there, and page by page what they still share.

use super::Rows;
use crate::fact::{Pid, TaskTally, Tid, clean_line};
use crate::scene::Scene;
use crate::view::put::{put, put_right, thousands, width};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use serde_json::Value;

/// The pages of a scene's processes.
#[derive(Debug, Clone, Copy)]
pub struct Pages<'a> {
    /// What is drawn.
    pub scene: &'a Scene,
    /// How it looks.
    pub theme: &'a Theme,
}

/// One process's share of the picture.
struct Column<'a> {
    name: String,
    task: Option<&'a TaskTally>,
    map: &'a str,
}

/// The values shown above the grids: the name in the stream, what it is called here, its unit.
const VALUES: [(&str, &str, &str); 4] = [
    ("address", "address", ""),
    ("value", "value", ""),
    ("pss_kib", "Pss", " KiB"),
    ("private_dirty_kib", "Private_Dirty", " KiB"),
];

/// Columns that a grid should have at least to stand beside another.
const BESIDE: u16 = 20;

impl Pages<'_> {
    fn columns(&self) -> (&str, Vec<Column<'_>>) {
        let pages = &self.scene.tally.pages;
        let Some(((_, region), _)) = pages.first_key_value() else { return ("", Vec::new()) };
        let of_region: Vec<(Pid, &str)> =
            pages.iter().filter(|((_, r), _)| r == region).map(|((pid, _), map)| (*pid, map.as_str())).collect();
        let pids: Vec<Pid> = of_region.iter().map(|(pid, _)| *pid).collect();
        let mut columns: Vec<Column<'_>> = of_region
            .into_iter()
            .map(|(pid, map)| {
                let task =
                    self.scene.tally.task(Tid(pid.0)).or_else(|| self.scene.tally.tasks.iter().find(|t| t.pid == pid));
                Column { name: role(pid, task, &pids, &self.scene.tally.tasks), task, map }
            })
            .collect();
        let seen = |c: &Column<'_>| c.task.and_then(|t| self.scene.tally.tasks.iter().position(|o| o.tid == t.tid));
        columns.sort_by_key(seen);
        (region, columns)
    }

    /// The table of what each process finds. Returns the rows used.
    fn put_values(&self, buf: &mut Buffer, area: Rect, columns: &[Column<'_>]) -> u16 {
        let (dim, strong) = (self.theme.style(Role::Dim), self.theme.style(Role::Strong));
        let value = |c: &Column<'_>, name: &str, unit: &str| {
            let value = c.task.and_then(|t| t.values.get(name));
            value.map(|v| format!("{}{unit}", said(name, v)))
        };
        let shown: Vec<_> =
            VALUES.into_iter().filter(|(name, ..)| columns.iter().any(|c| value(c, name, "").is_some())).collect();
        if shown.is_empty() {
            return 0;
        }
        put(buf, area, 0, 0, &verdict(columns), strong);
        let first = columns.iter().map(|c| width(&c.name)).max().unwrap_or(0).max(7) + 2;
        let mut end = first;
        for (name, head, unit) in shown {
            let cells: Vec<_> =
                columns.iter().map(|c| value(c, name, unit).unwrap_or_else(|| "–".to_owned())).collect();
            let wide = cells.iter().map(|c| width(c)).chain([width(head)]).max().unwrap_or(0);
            if end + wide > usize::from(area.width) {
                break;
            }
            end += wide;
            let right = u16::try_from(end).unwrap_or(u16::MAX);
            put_right(buf, area, right, 1, head, dim);
            for (cell, y) in cells.iter().zip(2..) {
                let style = if name == "value" { strong } else { self.theme.style(Role::Text) };
                put_right(buf, area, right, y, cell, style);
            }
            end += 3;
        }
        for (column, y) in columns.iter().zip(2..) {
            put(buf, area, 0, y, &column.name, self.ink(column));
        }
        u16::try_from(columns.len()).unwrap_or(u16::MAX).saturating_add(2)
    }

    fn ink(&self, column: &Column<'_>) -> Style {
        self.theme.worker(column.task.and_then(|t| t.slot)).ink
    }

    fn put_grid(&self, buf: &mut Buffer, area: Rect, column: &Column<'_>) {
        let text = self.theme.style(Role::Text);
        let role = column.name.split(' ').next().unwrap_or_default();
        let own = column.map.matches('X').count();
        let short = format!("{own} of {} own", column.map.len());
        let captions = [(column.name.as_str(), counts(column.map)), (role, counts(column.map)), (role, short)];
        let fits = captions.iter().find(|(name, said)| width(name) + 2 + width(said) <= area.width.into());
        let (name, said) = fits.unwrap_or(&captions[2]);
        let x = put(buf, area, 0, 0, name, self.ink(column));
        put(buf, area, x, 0, &format!(": {said}"), text);
        let grid = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
        let shape = Shape::fit(column.map.len(), grid.width, grid.height);
        for (letter, i) in column.map.chars().zip(0_usize..) {
            let (x, y) = (i % shape.across * shape.wide, i / shape.across * shape.high);
            let (Ok(x), Ok(y)) = (u16::try_from(x), u16::try_from(y)) else { break };
            if y >= grid.height {
                break;
            }
            let (small, large, role) = glyph(letter);
            let style = role.map_or(self.ink(column), |role| self.theme.style(role));
            let parts = if shape.high == 1 { &[small][..] } else { &large[..] };
            for (part, y) in parts.iter().zip(y..) {
                put(buf, grid, x, y, part, style);
            }
        }
        let room = shape.across * (usize::from(grid.height) / shape.high);
        if column.map.len() > room && grid.height > 0 {
            let more = format!(" +{}", thousands((column.map.len() - room) as u64));
            put_right(buf, grid, grid.width, grid.height - 1, &more, self.theme.style(Role::Dim));
        }
    }

    fn put_legend(&self, buf: &mut Buffer, area: Rect, region: &str) {
        let (dim, text) = (self.theme.style(Role::Dim), self.theme.style(Role::Text));
        let legend = "■ its own   □ shared   · absent";
        let region = format!("{}, page by page:  ", clean_line(region));
        let named = width(&region) + width(legend) <= usize::from(area.width);
        let mut x = if named { put(buf, area, 0, 0, &region, text) } else { 0 };
        for (symbol, word) in [("■", " its own   "), ("□", " shared   "), ("·", " absent")] {
            x = put(buf, area, x, 0, symbol, text);
            x = put(buf, area, x, 0, word, dim);
        }
    }
}

/// What the addresses and values say.
fn verdict(columns: &[Column<'_>]) -> String {
    let of = |name: &str| -> Vec<&Value> { columns.iter().filter_map(|c| c.task?.values.get(name)).collect() };
    let same = |values: &[&Value]| values.windows(2).all(|w| w[0] == w[1]);
    let (addresses, values) = (of("address"), of("value"));
    let contents = match values.len() {
        0 | 1 => return "one address".to_owned(),
        _ if same(&values) => "the same content",
        2 => "two contents",
        _ => "different contents",
    };
    if addresses.len() > 1 && same(&addresses) {
        format!("the same address, {contents}")
    } else {
        format!("different addresses, {contents}")
    }
}

fn said(name: &str, value: &Value) -> String {
    match value {
        Value::Number(n) if name == "address" => n.as_u64().map_or_else(|| n.to_string(), |n| format!("{n:#x}")),
        Value::Number(n) => n.as_u64().map_or_else(|| n.to_string(), thousands),
        Value::String(s) => clean_line(s),
        other => clean_line(&other.to_string()),
    }
}

/// "parent", "child", or the worker's own name, with the process's number.
fn role(pid: Pid, task: Option<&TaskTally>, shown: &[Pid], tasks: &[TaskTally]) -> String {
    // A thread's parent is its own process, which is no parent for that.
    let child = task.is_some_and(|t| t.parent != pid.0 && shown.contains(&Pid(t.parent)));
    let parent = tasks.iter().any(|t| t.parent == pid.0 && t.pid != pid && shown.contains(&t.pid));
    let name = task.map(|t| clean_line(&t.name)).unwrap_or_default();
    match (parent, child) {
        (true, false) => format!("parent {pid}"),
        (false, true) => format!("child {pid}"),
        _ => format!("{name} {pid}").trim().to_owned(),
    }
}

/// "12 own, 52 shared".
fn counts(map: &str) -> String {
    let of = |letter| map.chars().filter(|c| *c == letter).count();
    let (own, shared) = (of('X'), of('s'));
    let absent = map.chars().count() - own - shared;
    let mut text = format!("{own} own, {shared} shared");
    if absent > 0 {
        text.push_str(&format!(", {absent} absent"));
    }
    text
}

/// A page in one cell, in a box of four by two, and its role; none is the process's own ink.
fn glyph(letter: char) -> (&'static str, [&'static str; 2], Option<Role>) {
    match letter {
        'X' => ("■", ["▄▄▄▄", "▀▀▀▀"], None),
        's' => ("□", ["┌──┐", "└──┘"], Some(Role::Dim)),
        _ => ("·", [" ·· ", "    "], Some(Role::Nobody)),
    }
}

/// How a grid is laid out.
struct Shape {
    /// Pages a row.
    across: usize,
    /// Columns a page, the gap included.
    wide: usize,
    /// Rows a page.
    high: usize,
}

impl Shape {
    /// As large as fits, a power of two a row and about as high as wide.
    fn fit(pages: usize, width: u16, height: u16) -> Self {
        let (width, height) = (usize::from(width).max(1), usize::from(height).max(1));
        for (wide, high) in [(5, 2), (2, 1), (1, 1)] {
            // The gap behind the last box of a row may lie outside.
            let gap = usize::from(wide > 1);
            let fits = (3..10).map(|n| 1_usize << n).find(|across| {
                let rows = pages.div_ceil(*across);
                across * wide <= width + gap && rows * high <= height && rows <= *across
            });
            if let Some(across) = fits {
                return Self { across, wide, high };
            }
        }
        Self { across: width, wide: 1, high: 1 }
    }
}

impl Rows for Pages<'_> {
    fn rows(&self, wide: u16, _: u16) -> (u16, u16) {
        let longest = self.scene.tally.pages.values().map(String::len).max().unwrap_or(64);
        let across = usize::from(wide / 2).max(8);
        (6, u16::try_from(longest / across).unwrap_or(8).saturating_add(9).min(20))
    }

    fn in_parts(&self) -> bool {
        false
    }
}

impl Widget for &Pages<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let (region, columns) = self.columns();
        if area.is_empty() {
            return;
        }
        if columns.is_empty() {
            put(buf, area, 0, 0, "No page has been looked at yet.", self.theme.style(Role::Dim));
            return;
        }
        let below =
            |rows: u16| Rect { y: area.y.saturating_add(rows), height: area.height.saturating_sub(rows), ..area };
        let many = u16::try_from(columns.len()).unwrap_or(u16::MAX);
        let beside = (area.width + 2) / many >= BESIDE + 2;
        // The grids with a row each come first, then the values, the legend, and last a gap between them.
        let grids = if beside { 2 } else { many.saturating_mul(2) };
        let used = if area.height >= grids + many + 2 { self.put_values(buf, area, &columns) } else { 0 };
        let spare = area.height.saturating_sub(used + grids);
        let legend = u16::from(spare >= 1);
        let gap = u16::from(used > 0 && spare >= 2);
        if legend > 0 {
            self.put_legend(buf, below(used + gap), region);
        }
        let grids = below(used + gap + legend);
        for (column, i) in columns.iter().zip(0_u16..) {
            let part = if beside {
                let wide = (grids.width + 2) / many;
                Rect { x: grids.x + i * wide, width: wide - 2, ..grids }
            } else {
                let high = grids.height / many;
                Rect { y: grids.y + i * high, height: high, ..grids }
            };
            self.put_grid(buf, part, column);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::widget::fixture::{self, shown};
    use insta::assert_snapshot;

    fn pages(width: u16, height: u16) -> String {
        let (scene, theme) = (fixture::two_processes(), Theme::default());
        shown(&Pages { scene: &scene, theme: &theme }, width, height)
    }

    #[test]
    fn two_grids_side_by_side() {
        assert_snapshot!(pages(80, 14));
    }

    #[test]
    fn stacked_and_small() {
        assert_snapshot!([(38, 20), (36, 8), (30, 6), (16, 2)].map(|(w, h)| pages(w, h)).join("----\n"));
    }

    #[test]
    fn a_process_is_no_parent_of_its_own_threads() {
        let task = |tid, name: &str, parent| {
            let mut task = TaskTally::new(Tid(tid), Pid(7), crate::fact::Nanos::ZERO);
            (task.name, task.parent) = (name.to_owned(), parent);
            task
        };
        let mut tasks = vec![task(7, "the process", 0), task(8, "A", 7)];
        assert_eq!(role(Pid(7), tasks.first(), &[Pid(7)], &tasks), "the process 7");
        assert_eq!(role(Pid(7), tasks.get(1), &[Pid(7)], &tasks), "A 7");
        tasks[1].pid = Pid(8);
        assert_eq!(role(Pid(7), tasks.first(), &[Pid(7), Pid(8)], &tasks), "parent 7");
        assert_eq!(role(Pid(8), tasks.get(1), &[Pid(7), Pid(8)], &tasks), "child 8");
    }

    #[test]
    fn before_the_first_look() {
        let (scene, theme) = (Scene::new(), Theme::default());
        assert!(shown(&Pages { scene: &scene, theme: &theme }, 40, 3).contains("No page has been looked at"));
    }

    #[test]
    fn any_size_is_safe() {
        fixture::any_size(pages);
    }

    #[test]
    fn no_box_of_a_row_is_cut() {
        for pages in [4, 8, 64, 1024] {
            for (width, height) in (1..90).flat_map(|w| (1..20).map(move |h| (w, h))) {
                let Shape { across, wide, .. } = Shape::fit(pages, width, height);
                let gap = usize::from(wide > 1);
                assert!(across * wide - gap <= usize::from(width).max(1), "{pages} pages at {width}x{height}");
            }
        }
    }
}
