//! Two sides, and what has been found to belong on each; above them what is tried now, below them what is still to come.
//! Where it stands tells on which side a thing is, and a word says it too. Where two columns do not fit, each side is a list.

use super::Rows;
use crate::fact::{Row, SideSpec, SidesSpec, Tally, clean_line};
use crate::view::put::{cut, put_line, put_right, width};
use crate::view::text::{Piece, wrap};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

/// One picture of two sides.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The totals that hold the rows.
    pub tally: &'a Tally,
    /// Which table, and its sides.
    pub spec: &'a SidesSpec,
    /// How it looks.
    pub theme: &'a Theme,
}

/// A line, as what stands at which column.
type Placed = Vec<(u16, Line<'static>)>;

/// Columns beside a name for what was seen of it, or it is left out.
const ASIDE: usize = 20;

/// The rows, each where it belongs.
#[derive(Default)]
struct Sorted<'a> {
    left: Vec<&'a Row>,
    right: Vec<&'a Row>,
    neither: Vec<&'a Row>,
    to_come: Vec<&'a Row>,
    /// The row that was told of last.
    newest: Option<&'a Row>,
}

impl Sides<'_> {
    fn sorted(&self) -> Sorted<'_> {
        let mut sorted = Sorted::default();
        for row in self.tally.table(self.spec.name) {
            if !row.values.is_empty() && sorted.newest.is_none_or(|newest| newest.last <= row.last) {
                sorted.newest = Some(row);
            }
            match text(row, "side") {
                Some(side) if side == self.spec.left.side => sorted.left.push(row),
                Some(side) if side == self.spec.right.side => sorted.right.push(row),
                Some(_) => sorted.neither.push(row),
                None if row.values.is_empty() => sorted.to_come.push(row),
                // It is being tried: it stands above.
                None => {}
            }
        }
        sorted
    }

    fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// All of it, at this width; as columns if these fit the height.
    fn lines(&self, wide: u16, high: u16) -> Vec<Placed> {
        let sorted = self.sorted();
        if self.tally.table(self.spec.name).is_empty() {
            return vec![vec![(0, Line::styled("Nothing has been tried yet.", self.style(Role::Dim)))]];
        }
        let mut lines = self.trial(sorted.newest, wide);
        let rest = self.rest(&sorted, wide);
        let columns = self.columns(&sorted, wide);
        let fits = columns.as_ref().is_some_and(|c| lines.len() + c.len() + rest.len() < usize::from(high));
        match columns {
            Some(columns) if fits => lines.extend(std::iter::once(Vec::new()).chain(columns)),
            _ => {
                let trial = lines.len();
                for (side, rows) in [(&self.spec.left, &sorted.left), (&self.spec.right, &sorted.right)] {
                    lines.extend(self.list(&head(side, rows.len()), Role::Strong, rows, wide));
                }
                if lines.len() + rest.len() < usize::from(high) {
                    lines.insert(trial, Vec::new());
                }
            }
        }
        lines.extend(rest);
        lines
    }

    /// What is tried, or was tried last: what one does, what the other sees, and what follows.
    fn trial(&self, row: Option<&Row>, wide: u16) -> Vec<Placed> {
        let Some(row) = row else {
            let words = format!("{} acts, {} looks.", self.spec.acts, self.spec.looks);
            return vec![vec![(0, Line::styled(words, self.style(Role::Text)))], Vec::new(), Vec::new()];
        };
        let (verdict, role) = match text(row, "side") {
            Some(side) => (clean_line(side), Role::Accent),
            None => ("whose?".to_owned(), Role::Dim),
        };
        let title = Line::from(vec![
            Span::styled(format!("{}: ", clean_line(&row.name)), self.style(Role::Strong)),
            Span::styled(verdict, self.style(role)),
        ]);
        let mut lines = vec![vec![(0, title)]];
        if let Some(why) = text(row, "why") {
            lines.push(vec![(0, Line::styled(clean_line(why), self.style(Role::Text)))]);
        } else {
            for (who, what) in [(self.spec.acts, "act"), (self.spec.looks, "saw")] {
                let look = self.theme.worker(self.tally.worker(who).and_then(|task| task.slot));
                let said = text(row, what).map_or_else(|| "…".to_owned(), clean_line);
                let said = cut(&said, usize::from(wide).saturating_sub(width(who) + 3)).into_owned();
                let who = Span::styled(format!(" {who} "), look.fill);
                lines.push(vec![(0, Line::from(vec![who, Span::styled(format!(" {said}"), self.style(Role::Text))]))]);
            }
        }
        lines.resize(3, Vec::new());
        lines
    }

    /// The two columns, if every name fits.
    fn columns(&self, sorted: &Sorted<'_>, wide: u16) -> Option<Vec<Placed>> {
        let rows = self.tally.table(self.spec.name);
        let names = rows.iter().map(|row| width(&clean_line(&row.name))).max()?;
        let half = usize::from(wide.checked_sub(3)?) / 2;
        let heads = [(&self.spec.left, &sorted.left), (&self.spec.right, &sorted.right)];
        let heads = heads.map(|(side, rows)| head(side, rows.len()));
        if half < heads.iter().map(|head| width(head)).max()?.max(names + 2) {
            return None;
        }
        let (middle, right) = (u16::try_from(half + 1).ok()?, u16::try_from(half + 3).ok()?);
        let border = self.style(Role::Border);
        let beside = |left: Option<Line<'static>>, right_line: Option<Line<'static>>| -> Placed {
            let bar = (middle, Line::styled("│", border));
            left.map(|line| (0, line)).into_iter().chain([bar]).chain(right_line.map(|line| (right, line))).collect()
        };
        let [left, other] = heads.map(|head| Some(Line::styled(head, self.style(Role::Strong))));
        let rule = format!("{}┼{}", "─".repeat(half + 1), "─".repeat(usize::from(wide).saturating_sub(half + 2)));
        let mut lines = vec![beside(left, other), vec![(0, Line::styled(rule, border))]];
        // No lower than if both were equally long, so that what stands below moves little.
        let high = sorted.left.len().max(sorted.right.len()).max(rows.len().div_ceil(2));
        let cell = |rows: &[&Row], n: usize| rows.get(n).map(|row| self.cell(row, sorted.newest, names, half));
        lines.extend((0..high).map(|n| beside(cell(&sorted.left, n), cell(&sorted.right, n))));
        Some(lines)
    }

    /// A row in its column: the newest with a mark, each with what was seen of it if there is room.
    fn cell(&self, row: &Row, newest: Option<&Row>, names: usize, wide: usize) -> Line<'static> {
        let new = newest.is_some_and(|newest| newest.name == row.name);
        let (mark, role) = if new { ("▸ ", Role::Accent) } else { ("  ", Role::Text) };
        let name = clean_line(&row.name);
        let gap = " ".repeat((names + 2).saturating_sub(width(&name)));
        let room = wide.saturating_sub(names + 4);
        let mut spans = vec![Span::styled(format!("{mark}{name}"), self.style(role))];
        if let Some(saw) = text(row, "saw").filter(|_| room >= ASIDE) {
            let saw = clean_line(saw);
            spans.push(Span::styled(format!("{gap}{}", cut(&saw, room)), self.style(Role::Dim)));
        }
        Line::from(spans)
    }

    /// What stands on neither side, and what is still to come.
    fn rest(&self, sorted: &Sorted<'_>, wide: u16) -> Vec<Placed> {
        let mut lines = Vec::new();
        for row in &sorted.neither {
            let side = text(row, "side").unwrap_or_default();
            let why = text(row, "why").or_else(|| text(row, "saw")).unwrap_or_default();
            let words = format!("{}: {} ({})", clean_line(&row.name), clean_line(side), clean_line(why));
            lines.extend(self.wrapped(vec![Piece::new(words, self.style(Role::Warning))], wide));
        }
        if !sorted.to_come.is_empty() {
            lines.extend(self.list("to come", Role::Dim, &sorted.to_come, wide));
        }
        lines
    }

    /// Names behind a heading, as many lines as it takes.
    fn list(&self, head: &str, role: Role, rows: &[&Row], wide: u16) -> Vec<Placed> {
        let names: Vec<_> = rows.iter().map(|row| clean_line(&row.name)).collect();
        let names = if names.is_empty() { "–".to_owned() } else { names.join(", ") };
        let text = if role == Role::Dim { Role::Dim } else { Role::Text };
        let head = Piece::new(format!("{head}: "), self.style(role));
        self.wrapped(vec![head, Piece::new(names, self.style(text))], wide)
    }

    fn wrapped(&self, pieces: Vec<Piece>, wide: u16) -> Vec<Placed> {
        wrap(&pieces, wide.into()).into_iter().map(|line| vec![(0, line)]).collect()
    }
}

fn text<'a>(row: &'a Row, value: &str) -> Option<&'a str> {
    row.values.get(value)?.as_str()
}

/// A side's heading, with how many are on it.
fn head(side: &SideSpec, count: usize) -> String {
    format!("{} ({count})", side.head)
}

impl Rows for Sides<'_> {
    /// Rows that it needs at least, and likes at this width.
    fn rows(&self, wide: u16, _: u16) -> (u16, u16) {
        let rows = |high| u16::try_from(self.lines(wide, high).len()).unwrap_or(u16::MAX).max(4);
        (rows(0), rows(u16::MAX))
    }
}

impl Widget for &Sides<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let lines = self.lines(area.width, area.height);
        for (line, y) in lines.iter().zip(0..area.height) {
            for (x, words) in line {
                put_line(buf, area, *x, y, words);
            }
        }
        let hidden = lines.len().saturating_sub(area.height.into());
        if hidden > 0 && area.height > 1 {
            put_right(buf, area, area.width, area.height - 1, &format!(" ↓ {hidden} more"), self.style(Role::Dim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Values};
    use crate::view::widget::fixture::{any_size, shown};
    use insta::assert_snapshot;
    use serde_json::{Value, json};

    static SPEC: SidesSpec = SidesSpec {
        name: "whose",
        left: SideSpec { side: "shared", head: "shared: one for both" },
        right: SideSpec { side: "own", head: "own: one for each" },
        acts: "A",
        looks: "B",
    };

    fn tally(rows: &[(&str, Value)]) -> Tally {
        let mut tally = Tally::default();
        let row = |(n, (name, values)): (usize, &(&str, Value))| Row {
            name: (*name).to_owned(),
            first: Nanos::ZERO,
            last: Nanos(if values == &json!({}) { 0 } else { n as u64 }),
            values: serde_json::from_value::<Values>(values.clone()).expect("an object"),
        };
        tally.tables.insert("whose".into(), rows.iter().enumerate().map(row).collect());
        tally
    }

    /// In the middle: one is being tried, one could not be, two are still to come.
    fn halfway() -> Tally {
        let found = |side: &str, act: &str, saw: &str| json!({"side": side, "act": act, "saw": saw});
        tally(&[
            ("global variable", found("shared", "writes 7 to it", "now 7 (was 0)")),
            ("block on the heap", found("shared", "writes 7 to it", "now 7 (was 0)")),
            ("errno", found("own", "opens a missing file", "still EISDIR")),
            ("working directory", found("shared", "changes to /tmp", "now /tmp (was /home/ada)")),
            ("cores it may use", json!({"side": "not tried", "why": "only one core may be used here"})),
            ("nice value", json!({"act": "raises it from 0 to 5"})),
            ("signal mask", json!({})),
            ("file position", json!({})),
        ])
    }

    fn sides(tally: &Tally, width: u16, height: u16) -> String {
        shown(&Sides { tally, spec: &SPEC, theme: &Theme::default() }, width, height)
    }

    #[test]
    fn two_columns() {
        assert_snapshot!(sides(&halfway(), 76, 16));
    }

    #[test]
    fn wide_ones_say_what_was_seen() {
        assert_snapshot!(sides(&halfway(), 110, 16));
        assert_snapshot!("two_columns_in_a_hall", sides(&halfway(), 190, 40));
    }

    #[test]
    fn lists_where_columns_do_not_fit() {
        assert_snapshot!(format!(
            "{}----\n{}----\n{}",
            sides(&halfway(), 40, 12),
            sides(&halfway(), 76, 9),
            sides(&halfway(), 24, 6)
        ));
    }

    #[test]
    fn the_newest_stays_above_and_is_marked() {
        let mut told = halfway();
        let rows = told.tables.get_mut("whose").expect("just made");
        let nice = rows.iter_mut().find(|row| row.name == "nice value").expect("one of them");
        nice.values.extend([("saw".to_owned(), json!("still 0")), ("side".to_owned(), json!("own"))]);
        let shown = sides(&told, 76, 16);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[..3], ["nice value: own", " A  raises it from 0 to 5", " B  still 0"]);
        assert!(shown.contains("│ ▸ nice value"), "{shown}");
    }

    #[test]
    fn before_anything_is_tried() {
        let nothing = tally(&[("errno", json!({})), ("nice value", json!({}))]);
        assert!(sides(&Tally::default(), 40, 3).starts_with("Nothing has been tried yet."));
        let shown = sides(&nothing, 60, 10);
        assert!(shown.starts_with("A acts, B looks.\n") && shown.contains("to come: errno, nice value"), "{shown}");
    }

    #[test]
    fn any_size_is_drawn_within_it() {
        for tally in [Tally::default(), tally(&[("x", json!({}))]), halfway()] {
            any_size(|w, h| sides(&tally, w, h));
        }
    }
}
