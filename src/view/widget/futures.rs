//! A pool: the queue of tasks that nobody has begun, the workers with what each is at, and what is done, in the order of
//! completion. Where there is no room for that, a line for each future.

use super::Rows;
use crate::fact::{Ending, Nanos, Row, Tally, TaskTally, Tid, clean_line};
use crate::view::put::{cut, put, put_right, width};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use serde_json::Value;

/// The futures of a run.
#[derive(Debug, Clone, Copy)]
pub struct Futures<'a> {
    /// The totals that hold the futures.
    pub tally: &'a Tally,
    /// How it looks.
    pub theme: &'a Theme,
    /// The worker that the learner's keys act on.
    pub chosen: Option<Tid>,
}

/// The table that the futures' rows name.
const TABLE: &str = "futures";

/// Columns from which on there are three columns; columns between two of them.
const ROOMY: u16 = 48;
const APART: u16 = 2;

/// A future as its row tells it.
struct Future<'a> {
    name: String,
    row: &'a Row,
}

impl<'a> Future<'a> {
    fn word(&self, name: &str) -> Option<&'a str> {
        self.row.values.get(name).and_then(Value::as_str)
    }

    fn nanos(&self, name: &str) -> Option<u64> {
        self.row.values.get(name).and_then(Value::as_u64)
    }

    fn is(&self, state: &str) -> bool {
        self.word("state") == Some(state)
    }

    fn is_done(&self) -> bool {
        self.is("finished") || self.is("cancelled")
    }

    /// The letter of the worker that took it.
    fn letter(&self) -> Option<&'a str> {
        self.word("by")?.split(' ').next()
    }

    fn failed(&self) -> bool {
        self.row.values.contains_key("error")
    }

    /// A mark of its state, which is no colour.
    fn mark(&self) -> (&'static str, Role) {
        match self.word("state") {
            Some("finished") if self.failed() => ("✗", Role::Bad),
            Some("finished") => ("✓", Role::Good),
            Some("cancelled") => ("–", Role::Dim),
            Some("running") => ("▸", Role::Accent),
            _ => ("·", Role::Dim),
        }
    }

    fn number(&self) -> String {
        clean_line(self.word("number").unwrap_or_default())
    }
}

impl<'a> Futures<'a> {
    fn futures(&self) -> Vec<Future<'a>> {
        self.tally.table(TABLE).iter().map(|row| Future { name: clean_line(&row.name), row }).collect()
    }

    fn workers(&self) -> Vec<&'a TaskTally> {
        self.tally.workers().collect()
    }

    /// How long a running one has been at it.
    fn running_for(&self, future: &Future<'_>) -> String {
        format!("{:.1} s", self.tally.now.since(future.row.last).seconds())
    }

    fn pending_lines(&self, futures: &[Future<'_>]) -> Vec<Vec<(String, Style)>> {
        let pending = futures.iter().filter(|future| future.is("pending"));
        let line = |future: &Future<'_>| {
            vec![
                (format!("{} ", future.name), self.theme.style(Role::Strong)),
                (future.number(), self.theme.style(Role::Text)),
            ]
        };
        pending.map(line).collect()
    }

    fn worker_line(&self, worker: &TaskTally, futures: &[Future<'_>]) -> Vec<(String, Style)> {
        let (look, dim) = (self.theme.worker(worker.slot), self.theme.style(Role::Dim));
        let name = clean_line(&worker.name);
        let mark = if Some(worker.tid) == self.chosen { "▸" } else { " " };
        let mut line = vec![
            (mark.to_owned(), self.theme.style(Role::Accent)),
            (name.clone(), look.fill),
            (format!("{} {} ", look.pattern, worker.tid), look.ink),
        ];
        let at = futures.iter().find(|future| future.is("running") && future.letter() == Some(&name));
        match at {
            Some(future) => {
                line.push(("at ".to_owned(), dim));
                line.push((future.name.clone(), self.theme.style(Role::Strong)));
                line.push((format!(", {}", self.running_for(future)), self.theme.style(Role::Text)));
            }
            None => line.push(match &worker.ended {
                Some((_, Ending::Signal(name, _))) => (clean_line(name), self.theme.style(Role::Bad)),
                Some(_) => ("has left".to_owned(), dim),
                None => ("sleeps".to_owned(), dim),
            }),
        }
        line
    }

    fn done_lines(&self, futures: &[Future<'_>]) -> Vec<Vec<(String, Style)>> {
        let mut done: Vec<_> = futures.iter().filter(|future| future.is_done()).collect();
        done.sort_by_key(|future| future.nanos("ended_ns").unwrap_or(u64::MAX));
        done.into_iter().map(|future| self.done_line(future)).collect()
    }

    fn done_line(&self, future: &Future<'_>) -> Vec<(String, Style)> {
        let ((mark, role), text) = (future.mark(), self.theme.style(Role::Text));
        let mut line = vec![
            (format!("{} ", future.name), self.theme.style(Role::Strong)),
            (format!("{mark} "), self.theme.style(role)),
        ];
        if let (Some(letter), Some(took)) = (future.letter(), future.nanos("took_ns")) {
            line.push((format!("{} {}  ", clean_line(letter), Nanos(took)), self.theme.style(Role::Dim)));
        }
        let answer = clean_line(future.word("answer").unwrap_or("cancelled"));
        let answer = answer.strip_prefix("none: ").unwrap_or(&answer).to_owned();
        line.push((answer, if future.failed() { self.theme.style(Role::Bad) } else { text }));
        line
    }

    /// A heading and lines below it; where they do not all fit, the first or the last of them, and how many are not shown.
    fn put_column(&self, buf: &mut Buffer, area: Rect, head: &str, lines: &[Vec<(String, Style)>], newest: bool) {
        let dim = self.theme.style(Role::Dim);
        put(buf, area, 0, 0, &cut(head, area.width.into()), dim);
        let room = usize::from(area.height.saturating_sub(1));
        let hidden = lines.len().saturating_sub(room);
        let skip = if newest { hidden } else { 0 };
        for (line, y) in lines.iter().skip(skip).take(room).zip(1..) {
            self.put_pieces(buf, area, y, line);
        }
        if hidden > 0 {
            let words = format!("{}{hidden}", if newest { "↑ " } else { "↓ " });
            if width(&words) + width(head) < usize::from(area.width) {
                put_right(buf, area, area.width, 0, &words, dim);
            }
        }
    }

    fn put_pieces(&self, buf: &mut Buffer, area: Rect, y: u16, line: &[(String, Style)]) {
        let mut x = 0;
        for (words, style) in line {
            let room = usize::from(area.width.saturating_sub(x));
            x = put(buf, area, x, y, &cut(words, room), *style);
        }
    }

    fn put_columns(&self, buf: &mut Buffer, area: Rect) {
        let futures = self.futures();
        let (pending, done) = (self.pending_lines(&futures), self.done_lines(&futures));
        let workers: Vec<_> = self.workers().iter().map(|worker| self.worker_line(worker, &futures)).collect();
        let wide = |lines: &[Vec<(String, Style)>], least: usize| -> u16 {
            let all = lines.iter().map(|line| line.iter().map(|(words, _)| width(words)).sum::<usize>());
            u16::try_from(all.max().unwrap_or(0).max(least)).unwrap_or(u16::MAX)
        };
        // The queue is as wide as it was at first, so that the others stay where they are.
        let numbers = futures.iter().map(|future| width(&future.name) + 1 + width(&future.number())).max();
        let first = u16::try_from(numbers.unwrap_or(0).max(10)).unwrap_or(u16::MAX).min(area.width / 3);
        let second = wide(&workers, 24).min(area.width / 3 + 2);
        let column = |x: u16, width: u16| {
            let x = x.min(area.width);
            Rect { x: area.x + x, width: width.min(area.width - x), ..area }
        };
        let cancelled = futures.iter().filter(|future| future.is("cancelled")).count();
        let more = if cancelled > 0 { format!(", {cancelled} cancelled") } else { String::new() };
        let finished = done.len() - cancelled;
        self.put_column(buf, column(0, first), &format!("{} pending", pending.len()), &pending, false);
        let running = futures.iter().filter(|future| future.is("running")).count();
        let at = first + APART;
        self.put_column(buf, column(at, second), &format!(" {running} running"), &workers, false);
        let at = at + second + APART;
        let head = format!("{finished} finished{more}");
        self.put_column(buf, column(at, area.width), &head, &done, true);
    }

    /// A line for each future.
    fn put_lines(&self, buf: &mut Buffer, area: Rect) {
        let futures = self.futures();
        let hidden = futures.len().saturating_sub(area.height.into());
        for (future, y) in futures.iter().skip(hidden).zip(0..area.height) {
            let line = if future.is_done() {
                self.done_line(future)
            } else {
                let ((mark, role), text) = (future.mark(), self.theme.style(Role::Text));
                let words = match future.letter().filter(|_| future.is("running")) {
                    Some(letter) => format!("running  {} {}", clean_line(letter), self.running_for(future)),
                    None => "pending".to_owned(),
                };
                vec![
                    (format!("{} ", future.name), self.theme.style(Role::Strong)),
                    (format!("{mark} "), self.theme.style(role)),
                    (words, text),
                ]
            };
            self.put_pieces(buf, area, y, &line);
        }
    }
}

impl Rows for Futures<'_> {
    /// Rows that it needs at least, and likes. They depend on all that there are, so that nothing jumps while they move on.
    fn rows(&self, wide: u16, _: u16) -> (u16, u16) {
        let (futures, workers) = (self.tally.table(TABLE).len(), self.workers().len());
        let liked = if wide < ROOMY { futures } else { futures.max(workers) + 1 };
        let all = u16::try_from(liked).unwrap_or(u16::MAX).max(3);
        (all, all)
    }
}

impl Widget for &Futures<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        if self.tally.table(TABLE).is_empty() {
            put(buf, area, 0, 0, "Nothing has been submitted yet.", self.theme.style(Role::Dim));
        } else if area.width < ROOMY || area.height < 3 {
            self.put_lines(buf, area);
        } else {
            self.put_columns(buf, area);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Pid;
    use crate::view::widget::fixture::{any_size, shown};
    use insta::assert_snapshot;
    use serde_json::json;

    fn tally() -> Tally {
        let mut tally = Tally { now: Nanos::from_millis(1500), ..Tally::default() };
        for (slot, name) in (0..).zip(["A", "B", "C", "D"]) {
            let mut task = TaskTally::new(Tid(4121 + u32::from(slot)), Pid(4120), Nanos::ZERO);
            (task.name, task.slot) = (name.to_owned(), Some(slot));
            if name == "D" {
                task.ended = Some((Nanos::from_millis(900), Ending::Signal("SIGKILL".to_owned(), false)));
            }
            tally.tasks.push(task);
        }
        let done = |by: &str, ended: u64, answer: &str| {
            let took = 300_000_000_u64;
            json!({"state": "finished", "by": by, "took_ns": took, "ended_ns": ended, "answer": answer})
        };
        let mut failed = done("B 4122", 600_000_000, "error: no such question");
        failed["error"] = json!("error: no such question");
        let rows = [
            done("A 4121", 900_000_000, "prime"),
            failed,
            json!({"state": "running", "by": "A 4121"}),
            json!({"state": "running", "by": "C 4123"}),
            json!({"state": "pending", "by": null}),
            json!({"state": "cancelled", "by": null, "answer": "none: cancelled"}),
        ];
        let row = |(mut values, n): (Value, usize)| {
            values["number"] = json!("112272535095293");
            Row {
                name: n.to_string(),
                first: Nanos::ZERO,
                last: Nanos::from_millis(1000),
                values: serde_json::from_value(values).expect("an object"),
            }
        };
        tally.tables.insert(TABLE.to_owned(), rows.into_iter().zip(1..).map(row).collect());
        tally
    }

    fn futures(wide: u16, high: u16) -> String {
        let (tally, theme) = (tally(), Theme::default());
        shown(&Futures { tally: &tally, theme: &theme, chosen: Some(Tid(4122)) }, wide, high)
    }

    #[test]
    fn from_the_queue_by_the_workers_to_what_is_done() {
        assert_snapshot!(format!("{}----\n{}", futures(78, 7), futures(58, 4)));
    }

    #[test]
    fn a_line_each_where_there_is_no_room() {
        assert_snapshot!(format!("{}----\n{}", futures(40, 6), futures(20, 3)));
    }

    #[test]
    fn nothing_submitted_is_said() {
        let (tally, theme) = (Tally::default(), Theme::default());
        let futures = Futures { tally: &tally, theme: &theme, chosen: None };
        assert_eq!(shown(&futures, 40, 1), "Nothing has been submitted yet.\n");
        assert_eq!(futures.rows(80, 9), (3, 3));
    }

    #[test]
    fn any_size_is_safe() {
        any_size(futures);
    }
}
