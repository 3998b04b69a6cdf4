//! Tasks that share a thread: who has it, who is ready in which order, and how long each has waited. The kernel's lanes are
//! another picture; this one says what the kernel does not see.

use super::Rows;
use crate::fact::{Nanos, Row, RunQueueSpec, Tally, clean_line, thousands};
use crate::view::put::{count, cut, put, put_right, width};
use crate::view::theme::{Role, Theme, Worker};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use serde_json::Value;

/// The queue of one picture.
#[derive(Debug, Clone, Copy)]
pub struct RunQueue<'a> {
    /// The totals that hold the rows.
    pub tally: &'a Tally,
    /// Which rows.
    pub spec: &'a RunQueueSpec,
    /// How it looks.
    pub theme: &'a Theme,
}

/// Where the columns of the table end.
const TURNS: u16 = 15;
const LONGEST: u16 = 29;
const WAITS: u16 = 41;

/// Columns that a bar has at least, or it is left out.
const LEAST: u16 = 8;

impl RunQueue<'_> {
    fn tasks(&self) -> &[Row] {
        self.tally.table(self.spec.table)
    }

    /// The tasks in the order of the queue, the one that runs first; none where the kernel keeps it.
    fn queue(&self) -> Vec<&Row> {
        let mut queue: Vec<_> = self.tasks().iter().filter(|row| number(row, "place").is_some()).collect();
        queue.sort_by_key(|row| number(row, "place"));
        queue
    }

    fn look(&self, row: &Row) -> Worker<'_> {
        self.theme.worker(number(row, "slot").and_then(|slot| u16::try_from(slot).ok()))
    }

    /// The thread on which all of them run.
    fn thread(&self) -> String {
        self.tally.workers().next().map(|worker| clean_line(&worker.name)).unwrap_or_default()
    }

    fn put_queue(&self, buf: &mut Buffer, area: Rect) {
        let dim = self.theme.style(Role::Dim);
        let queue = self.queue();
        let Some((runs, ready)) = queue.split_first() else {
            put(buf, area, 0, 0, "Each task is a thread: the queue is the kernel's.", dim);
            return;
        };
        let x = put(buf, area, 0, 0, &format!("thread {} runs ", self.thread()), dim);
        let mut x = self.put_tile(buf, area, x, runs);
        if !ready.is_empty() {
            x = put(buf, area, x, 0, "  ready ", dim);
        }
        for (n, row) in ready.iter().enumerate() {
            if n > 0 {
                x = put(buf, area, x, 0, " ◂ ", dim);
            }
            x = self.put_tile(buf, area, x, row);
        }
        put(buf, area, x, 0, "  (queue in user space)", dim);
    }

    fn put_tile(&self, buf: &mut Buffer, area: Rect, x: u16, row: &Row) -> u16 {
        put(buf, area, x, 0, &format!(" {} ", clean_line(&row.name)), self.look(row).fill)
    }

    fn put_task(&self, buf: &mut Buffer, area: Rect, y: u16, row: &Row, most: u64) {
        let (text, look) = (self.theme.style(Role::Text), self.look(row));
        let x = put(buf, area, 0, y, &format!(" {} ", clean_line(&row.name)), look.fill);
        put(buf, area, x, y, &format!(" {}", look.pattern), look.ink);
        put_right(buf, area, TURNS, y, &number(row, "turns").map_or_else(|| "–".to_owned(), thousands), text);
        put_right(buf, area, LONGEST, y, &time(number(row, "longest_ns")), text);
        let waits = number(row, "waiting_ns").filter(|_| number(row, "place") != Some(0));
        put_right(buf, area, WAITS, y, &waits.map_or_else(|| "runs".to_owned(), |n| time(Some(n))), text);
        let greedy = row.values.get("greedy").and_then(Value::as_bool) == Some(true);
        let note = if greedy { "never yields" } else { "" };
        let x = WAITS + 2;
        if greedy {
            put(buf, area, x, y, note, self.theme.style(Role::Warning));
        } else if area.width >= x + LEAST {
            let bar = bar(waits.unwrap_or(0), most, area.width - x);
            put(buf, area, x, y, &look.pattern.repeat(usize::from(bar)), look.texture);
        }
    }

    /// What the kernel sees of all this.
    fn words(&self) -> String {
        let accounts: Vec<_> = self.tally.workers().filter_map(|worker| worker.counters).collect();
        let kernel = accounts.iter().map(|account| account.voluntary + account.involuntary).sum::<u64>();
        let kernel = (!accounts.is_empty()).then_some(kernel);
        let ours = self.tally.workers().find_map(|worker| worker.number(self.spec.switches));
        match (ours.filter(|_| !self.queue().is_empty()), kernel) {
            (Some(ours), Some(kernel)) => {
                format!("In user space {}; the kernel counts {}.", count(ours, "switch", "switches"), thousands(kernel))
            }
            (Some(ours), None) => format!("In user space {}.", count(ours, "switch", "switches")),
            (None, Some(kernel)) => format!("The kernel counts {}.", count(kernel, "switch", "switches")),
            (None, None) => "Nothing has been counted yet.".to_owned(),
        }
    }
}

fn number(row: &Row, name: &str) -> Option<u64> {
    row.values.get(name)?.as_u64()
}

fn time(nanos: Option<u64>) -> String {
    nanos.map_or_else(|| "–".to_owned(), |nanos| Nanos(nanos).to_string())
}

/// Columns of a bar: all of them for the longest wait, at least one for any that can be seen.
fn bar(nanos: u64, most: u64, columns: u16) -> u16 {
    let part = u128::from(nanos) * u128::from(columns) / u128::from(most.max(1));
    u16::try_from(part).unwrap_or(columns).min(columns)
}

impl Rows for RunQueue<'_> {
    /// Rows that it needs at least, and likes.
    fn rows(&self, _: u16, _: u16) -> (u16, u16) {
        let tasks = u16::try_from(self.tasks().len()).unwrap_or(u16::MAX);
        (tasks.saturating_add(2).max(3), tasks.saturating_add(3))
    }
}

impl Widget for &RunQueue<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let (text, dim) = (self.theme.style(Role::Text), self.theme.style(Role::Dim));
        let tasks = self.tasks();
        if tasks.is_empty() {
            put(buf, area, 0, 0, "No task has run yet.", dim);
            return;
        }
        self.put_queue(buf, area);
        let words = self.words();
        let last = area.height - 1;
        // The heads go first where there is no room, then the last tasks.
        let heads = usize::from(area.height) >= tasks.len() + 3;
        if heads {
            put(buf, area, 0, 1, "task", dim);
            for (end, head) in [(TURNS, "turns"), (LONGEST, "longest wait"), (WAITS, "waits now")] {
                if end <= area.width {
                    put_right(buf, area, end, 1, head, dim);
                }
            }
        }
        let most = tasks.iter().flat_map(|row| [number(row, "longest_ns"), number(row, "waiting_ns")]).flatten().max();
        let from = 1 + u16::from(heads);
        for (row, y) in tasks.iter().zip(from..last) {
            self.put_task(buf, area, y, row, most.unwrap_or(0));
        }
        if last > 0 {
            let hidden = tasks.len().saturating_sub(usize::from(last.saturating_sub(from)));
            let more = if hidden > 0 { format!("↓ {hidden} more") } else { String::new() };
            let room = usize::from(area.width).saturating_sub(width(&more) + usize::from(hidden > 0));
            put(buf, area, 0, last, &cut(&words, room), text);
            put_right(buf, area, area.width, last, &more, dim);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Account, Pid, TaskTally, Tid};
    use crate::view::widget::fixture::{any_size, shown};
    use insta::assert_snapshot;
    use serde_json::json;

    static SPEC: RunQueueSpec = RunQueueSpec { name: "run queue", table: "tasks", switches: "switches" };

    fn tally(queued: bool, greedy: bool) -> Tally {
        let mut tally = Tally::default();
        let at = Nanos::ZERO;
        let mut thread = TaskTally::new(Tid(9), Pid(8), at);
        (thread.slot, thread.name) = (Some(0), "A".to_owned());
        thread.values = [("switches".to_owned(), json!(2471))].into();
        thread.counters = Some(Account { at, voluntary: 1, involuntary: 31, ran: at, waited: at, turns: 33 });
        tally.tasks.push(thread);
        let places = if greedy { [0, 1, 2, 3] } else { [2, 3, 0, 1] };
        let rows = places.into_iter().enumerate().map(|(n, place)| {
            let waiting = if greedy && n > 0 { 2_310_000_000_u64 } else { [2_100_000, 1_000_000, 0, 3_050_000][n] };
            let values = json!({
                "place": queued.then_some(place), "slot": n + 1, "turns": 618 - n, "longest_ns": 3_120_000 + n,
                "waiting_ns": waiting, "greedy": greedy && n == 0,
            });
            let values = serde_json::from_value(values).expect("an object");
            Row { name: (n + 1).to_string(), first: at, last: at, values }
        });
        tally.tables.insert("tasks".to_owned(), rows.collect());
        tally
    }

    fn drawn(tally: &Tally, w: u16, h: u16) -> String {
        shown(&RunQueue { tally, spec: &SPEC, theme: &Theme::default() }, w, h)
    }

    #[test]
    fn who_runs_and_who_follows_in_which_order() {
        assert_snapshot!(drawn(&tally(true, false), 78, 7));
    }

    #[test]
    fn one_that_never_yields_keeps_all_others_waiting() {
        assert_snapshot!(drawn(&tally(true, true), 78, 7));
    }

    #[test]
    fn threads_have_the_kernels_queue() {
        assert_snapshot!(drawn(&tally(false, false), 78, 7));
    }

    #[test]
    fn where_there_is_little_room_the_queue_and_the_kernels_view_stay() {
        assert_snapshot!(drawn(&tally(true, false), 44, 4));
        assert_eq!(drawn(&Tally::default(), 40, 1), "No task has run yet.\n");
    }

    #[test]
    fn any_size_is_safe() {
        any_size(|w, h| drawn(&tally(true, true), w, h));
    }
}
