//! A message on its way: who writes on the left, what it lies in in the middle, who reads on the right, and what was found at
//! the newest step. Where the message is says a mark and a word; below stand the steps before. It moves only with the steps.

use super::Rows;
use crate::fact::{JourneySpec, Row, Tally, clean_line, thousands};
use crate::view::put::{cut, put, put_line, put_right, width};
use crate::view::text::{Piece, wrap};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

/// One journey.
#[derive(Debug, Clone, Copy)]
pub struct Journey<'a> {
    /// The totals that hold the steps.
    pub tally: &'a Tally,
    /// Which table, and who takes part.
    pub spec: &'a JourneySpec,
    /// How it looks.
    pub theme: &'a Theme,
}

/// The least room for three boxes side by side.
const WIDE: u16 = 58;

/// Rows that the boxes take, and the least below them: the step and a sentence of two lines.
const BOXES: u16 = 4;
const BELOW: u16 = 3;

/// The three places, as a row names them.
const PLACES: [&str; 3] = ["writer", "between", "reader"];

impl Journey<'_> {
    /// The steps, newest last. A step that was told anew is the newest again.
    fn steps(&self) -> Vec<&Row> {
        let mut steps: Vec<&Row> = self.tally.table(self.spec.table).iter().collect();
        steps.sort_by_key(|step| step.last);
        steps
    }

    fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// A worker's letter as it is shown everywhere.
    fn letter(&self, who: &str) -> Span<'static> {
        let look = self.theme.worker(self.tally.worker(who).and_then(|task| task.slot));
        Span::styled(format!(" {who} "), look.fill)
    }

    /// How the newest step is called, where the message is, and how often it was copied.
    fn head(&self, step: &Row) -> Line<'static> {
        let place = match text(step, "at") {
            "writer" => format!(" · {} has it", self.spec.writer),
            "reader" => format!(" · {} has it", self.spec.reader),
            "between" => " · in between".to_owned(),
            _ => String::new(),
        };
        let mut spans = vec![Span::styled(clean_line(&step.name), self.style(Role::Accent))];
        if let Some(copies) = number(step, "copies") {
            spans.push(Span::styled(format!(" · copies so far: {copies}"), self.style(Role::Strong)));
        }
        spans.push(Span::styled(place, self.style(Role::Text)));
        Line::from(spans)
    }

    /// What was found, as lines.
    fn what(&self, step: &Row, wide: u16) -> Vec<Line<'static>> {
        wrap(&[Piece::new(clean_line(text(step, "what")), self.style(Role::Text))], wide.into())
    }

    /// The three places as three boxes.
    fn put_boxes(&self, buf: &mut Buffer, area: Rect, step: &Row) {
        let side = (area.width / 5).clamp(15, 26);
        let gap = 4;
        let middle = area.width.saturating_sub(2 * (side + gap));
        let at = |x: u16, width: u16| Rect { x: area.x + x, width, height: BOXES, ..area };
        let boxes = [at(0, side), at(side + gap, middle), at(area.width.saturating_sub(side), side)];
        let here = PLACES.iter().position(|place| *place == text(step, "at"));
        for (n, place) in boxes.iter().enumerate() {
            self.put_frame(buf, *place, here == Some(n));
            if n > 0 {
                let from = place.x.saturating_sub(area.x + gap);
                put(buf, area, from + 1, 1, "─▶", self.style(Role::Dim));
            }
        }
        let [left, right] = self.spec.roles;
        let sides = [(0, self.spec.writer, left, "writer"), (2, self.spec.reader, right, "reader")];
        for (place, who, role, does) in sides.map(|(n, who, role, does)| (boxes[n], who, role, does)) {
            put_line(buf, place, 1, 0, &Line::from(vec![self.letter(who)]));
            put(buf, place, 5, 0, &cut(&format!(" {role} "), inner(place)), self.style(Role::Dim));
            put(buf, place, 2, 1, &cut(&clean_line(text(step, does)), inner(place)), self.style(Role::Strong));
        }
        let title = format!(" {} ", self.spec.between);
        put(buf, boxes[1], 1, 0, &cut(&title, inner(boxes[1]) + 2), self.style(Role::Dim));
        self.put_bar(buf, boxes[1], step);
        put(buf, boxes[1], 2, 2, &cut(&level(step), inner(boxes[1])), self.style(Role::Text));
        if let Some(place) = here.and_then(|n| boxes.get(n)) {
            // Those of many messages are not counted.
            let what = if number(step, "copies").is_some() { " ● message " } else { " ● messages " };
            put_right(buf, *place, place.width.saturating_sub(1), BOXES - 1, what, self.style(Role::Accent));
        }
    }

    fn put_frame(&self, buf: &mut Buffer, area: Rect, here: bool) {
        let style = self.style(if here { Role::Accent } else { Role::Border });
        let edge = "─".repeat(usize::from(area.width.saturating_sub(2)));
        put(buf, area, 0, 0, &format!("╭{edge}╮"), style);
        for y in 1..BOXES - 1 {
            put(buf, area, 0, y, "│", style);
            put(buf, area, area.width.saturating_sub(1), y, "│", style);
        }
        put(buf, area, 0, BOXES - 1, &format!("╰{edge}╯"), style);
    }

    /// How full it is. What is there at all has a cell, however little it is.
    fn put_bar(&self, buf: &mut Buffer, area: Rect, step: &Row) {
        let (Some(now), Some(capacity)) = (number(step, "now"), number(step, "capacity")) else { return };
        let cells = inner(area) as u64;
        let full = u128::from(now) * u128::from(cells) / u128::from(capacity.max(1));
        let full = u64::try_from(full).unwrap_or(cells).max(u64::from(now > 0)).min(cells);
        let bar = |cells: u64, what: &str| what.repeat(usize::try_from(cells).unwrap_or(0));
        let x = put(buf, area, 2, 1, &bar(full, "█"), self.style(Role::Accent));
        put(buf, area, x, 1, &bar(cells - full, "·"), self.style(Role::Dim));
    }

    /// The three places in a line, without what there is room for if that does not fit.
    fn line(&self, step: &Row, wide: u16) -> Line<'static> {
        let whole = self.line_with(step, level(step));
        if whole.width() <= usize::from(wide) { whole } else { self.line_with(step, amount(step)) }
    }

    fn line_with(&self, step: &Row, level: String) -> Line<'static> {
        let strong = |words: &str| Span::styled(format!(" {}", clean_line(words)), self.style(Role::Strong));
        let arrow = || Span::styled(" ─▶ ", self.style(Role::Dim));
        Line::from(vec![
            self.letter(self.spec.writer),
            strong(text(step, "writer")),
            arrow(),
            Span::styled(level, self.style(Role::Text)),
            arrow(),
            self.letter(self.spec.reader),
            strong(text(step, "reader")),
        ])
    }

    /// The steps before, the last of them nearest; what does not fit is the oldest.
    fn put_before(&self, buf: &mut Buffer, area: Rect, steps: &[&Row]) {
        let names = steps.iter().map(|step| width(&clean_line(&step.name))).max().unwrap_or(0);
        for (step, y) in steps.iter().rev().zip(0..area.height) {
            let name = clean_line(&step.name);
            let after = put(buf, area, 0, y, &name, self.style(Role::Dim)).max(u16::try_from(names).unwrap_or(0));
            let room = usize::from(area.width).saturating_sub(names + 2);
            put(buf, area, after + 2, y, &cut(&clean_line(text(step, "what")), room), self.style(Role::Dim));
        }
    }
}

fn text<'a>(row: &'a Row, value: &str) -> &'a str {
    row.values.get(value).and_then(|value| value.as_str()).unwrap_or_default()
}

fn number(row: &Row, value: &str) -> Option<u64> {
    row.values.get(value)?.as_u64()
}

/// Columns between the edges of a box, with a space at either.
fn inner(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(4))
}

/// What lies in between, in words.
fn level(step: &Row) -> String {
    match (number(step, "now"), number(step, "capacity")) {
        (Some(now), Some(capacity)) => {
            format!("{} of {} {}", thousands(now), thousands(capacity), clean_line(text(step, "unit")))
        }
        _ => amount(step),
    }
}

/// The same without what there is room for.
fn amount(step: &Row) -> String {
    let now = number(step, "now").map(|now| format!("{} {}", thousands(now), clean_line(text(step, "unit"))));
    now.unwrap_or_else(|| "not known".to_owned())
}

impl Rows for Journey<'_> {
    /// Rows that it needs at least, and likes: the boxes, what was found, and a line for each step before.
    fn rows(&self, wide: u16, left: u16) -> (u16, u16) {
        let steps = self.steps();
        let before = u16::try_from(steps.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let what = steps.last().map_or(1, |step| self.what(step, wide).len());
        let what = u16::try_from(what).unwrap_or(u16::MAX).max(2);
        let boxes = if wide < WIDE { 2 } else { BOXES };
        let all = |boxes: u16| boxes.saturating_add(1).saturating_add(what).saturating_add(before);
        if all(boxes) <= left { (all(boxes), all(boxes)) } else { (all(1), all(boxes)) }
    }
}

impl Widget for &Journey<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let steps = self.steps();
        let Some((newest, before)) = steps.split_last() else {
            put(buf, area, 0, 0, "Nothing has been sent yet.", self.style(Role::Dim));
            return;
        };
        let boxes = area.width >= WIDE && area.height >= BOXES + BELOW;
        let mut y = if boxes {
            self.put_boxes(buf, area, newest);
            BOXES
        } else {
            put_line(buf, area, 0, 0, &self.line(newest, area.width));
            1
        };
        let lines = std::iter::once(self.head(newest)).chain(self.what(newest, area.width));
        for line in lines.take(usize::from(area.height.saturating_sub(y))) {
            put_line(buf, area, 0, y, &line);
            y += 1;
        }
        let rest = Rect { y: area.y + y, height: area.height - y, ..area };
        self.put_before(buf, rest, before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Pid, TaskTally, Tid, Values};
    use crate::view::widget::fixture::{any_size, shown};
    use insta::assert_snapshot;
    use serde_json::{Value, json};

    static SPEC: JourneySpec = JourneySpec {
        table: "journey",
        writer: "A",
        reader: "B",
        roles: ["writer", "reader"],
        between: "pipe's buffer (kernel)",
    };

    fn tally(steps: &[(&str, Value)]) -> Tally {
        let mut tally = Tally::default();
        for (slot, name) in [(0_u16, "A"), (1, "B")] {
            let mut task = TaskTally::new(Tid(40 + u32::from(slot)), Pid(40 + u32::from(slot)), Nanos::ZERO);
            (task.name, task.slot) = (name.into(), Some(slot));
            tally.tasks.push(task);
        }
        let row = |(n, (name, values)): (u64, &(&str, Value))| Row {
            name: (*name).to_owned(),
            first: Nanos(n),
            last: Nanos(n),
            values: serde_json::from_value::<Values>(values.clone()).expect("an object"),
        };
        tally.tables.insert("journey".into(), (0..).zip(steps).map(row).collect());
        tally
    }

    /// The message is in the pipe, and the reader has been woken.
    fn under_way() -> Vec<(&'static str, Value)> {
        vec![
            (
                "opened",
                json!({"writer": "rests", "reader": "rests", "at": "writer", "now": 0, "capacity": 65_536,
                    "unit": "bytes", "copies": 0, "what": "pipe(2) has made a buffer in the kernel."}),
            ),
            (
                "waits",
                json!({"writer": "rests", "reader": "sleeps", "at": "writer", "now": 0, "capacity": 65_536,
                    "unit": "bytes", "copies": 0, "what": "B waits in poll(2). There is nothing: it sleeps."}),
            ),
            (
                "written",
                json!({"writer": "goes on", "reader": "woken", "at": "between", "now": 64, "capacity": 65_536,
                    "unit": "bytes", "copies": 1, "what": "A's write(2) took 64 bytes out of its memory: a copy is in \
                    the pipe's buffer, in the kernel. A goes on: it does not wait for B."}),
            ),
        ]
    }

    fn full() -> Vec<(&'static str, Value)> {
        let mut steps = under_way();
        steps.push((
            "full",
            json!({"writer": "sleeps", "reader": "rests", "at": "between", "now": 65_536, "capacity": 65_536,
                "unit": "bytes", "what": "B reads nothing. After 1,024 more messages there is no room: A sleeps."}),
        ));
        steps
    }

    fn drawn(steps: &[(&str, Value)], width: u16, height: u16) -> String {
        let (theme, tally) = (Theme::default(), tally(steps));
        shown(&Journey { tally: &tally, spec: &SPEC, theme: &theme }, width, height)
    }

    #[test]
    fn a_message_lies_in_the_kernel() {
        assert_snapshot!(drawn(&under_way(), 78, 10));
    }

    #[test]
    fn a_full_buffer_is_told_from_one_with_a_message() {
        assert_snapshot!(drawn(&full(), 78, 10));
    }

    #[test]
    fn the_least_room_says_the_most_important() {
        assert_snapshot!(drawn(&under_way(), 40, 4));
    }

    #[test]
    fn a_wide_screen_shows_the_steps_before() {
        assert_snapshot!(drawn(&full(), 120, 14));
    }

    #[test]
    fn nothing_sent_is_said() {
        assert_eq!(drawn(&[], 40, 1), "Nothing has been sent yet.\n");
    }

    #[test]
    fn the_liked_rows_are_those_that_are_used() {
        let (theme, tally) = (Theme::default(), tally(&full()));
        let journey = Journey { tally: &tally, spec: &SPEC, theme: &theme };
        for wide in [40, 60, 78, 120, 200] {
            let liked = journey.rows(wide, 0).1;
            assert!(shown(&journey, wide, liked).contains("opened"), "{wide}: the first step is there");
        }
    }

    #[test]
    fn any_size_and_any_values_are_drawn_within_it() {
        any_size(|w, h| drawn(&full(), w, h));
        for (width, height) in [(40, 4), (58, 7), (57, 9), (200, 40)] {
            let strange = json!({"writer": 7, "reader": "\u{1b}[2J", "at": "nowhere", "now": u64::MAX, "capacity": 0,
                "unit": "线线线", "copies": u64::MAX, "what": "线".repeat(300)});
            drawn(&[("", json!({})), ("线\n线", strange)], width, height);
        }
    }
}
