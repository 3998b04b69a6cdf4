//! A bounded buffer: its slots, who puts and who takes, who is at it, and who sleeps because there is no room, or nothing.
//! A slot that is filled shows the number of what lies in it; words say the same.

use super::Rows;
use crate::fact::{BufferSpec, Ending, LockTally, Tally, TaskTally, Tid, clean_line, thousands};
use crate::view::put::{count, cut, put, put_line, width};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer as Cells;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use serde_json::Value;

/// One picture of a bounded buffer.
#[derive(Debug, Clone, Copy)]
pub struct Buffer<'a> {
    /// The totals that hold its rows and locks.
    pub tally: &'a Tally,
    /// Which table, which locks.
    pub spec: &'a BufferSpec,
    /// How it looks.
    pub theme: &'a Theme,
    /// The worker that the learner's keys act on.
    pub chosen: Option<Tid>,
}

/// Columns of a slot, borders apart, and of one of the two sides beside the slots.
const SLOT: usize = 4;
const SIDE: usize = 21;
/// Columns between a side and the slots.
const WAY: usize = 2;

/// The worker puts, or takes.
const MADE: &str = "made";
const TAKEN: &str = "taken";

impl Buffer<'_> {
    /// What lies in each slot; none in an empty one.
    fn slots(&self) -> Vec<Option<String>> {
        let items = self.tally.table(self.spec.table).iter().filter_map(|row| row.values.get("item"));
        items.map(|item| (!item.is_null()).then(|| clean_line(&item.to_string()))).collect()
    }

    fn workers(&self, does: &str) -> Vec<&TaskTally> {
        self.tally.workers().filter(|worker| worker.values.contains_key(does)).collect()
    }

    fn lock(&self, name: &str) -> Option<&LockTally> {
        self.tally.locks.get(name)
    }

    /// Rows of slots and sides, where these stand beside each other.
    fn middle(&self) -> usize {
        self.workers(MADE).len().max(self.workers(TAKEN).len()).max(3)
    }

    fn beside(&self, wide: usize) -> bool {
        wide >= 2 * (SIDE + WAY) + self.broad()
    }

    fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    fn letter(&self, task: &TaskTally) -> Span<'static> {
        Span::styled(format!(" {} ", clean_line(&task.name)), self.theme.worker(task.slot).fill)
    }

    /// Where a worker is, in a word or two.
    fn whereabouts(&self, task: &TaskTally) -> (String, Role) {
        let in_queue = |name: &str| {
            let queue = self.lock(name).map_or(&[][..], |lock| &lock.queue);
            queue.iter().find(|(tid, _)| *tid == task.tid).map(|(_, since)| self.tally.now.since(*since).seconds())
        };
        match &task.ended {
            Some((_, Ending::Code(0))) => return ("ended".to_owned(), Role::Dim),
            Some((_, Ending::Signal(name, _))) => return (clean_line(name), Role::Bad),
            Some(_) => return ("ended".to_owned(), Role::Bad),
            None => {}
        }
        if self.lock(self.spec.lock).is_some_and(|lock| lock.inside.iter().any(|(tid, _)| *tid == task.tid)) {
            return (format!("at the {}", self.spec.name), Role::Strong);
        }
        if let Some(seconds) = in_queue(self.spec.puts).or_else(|| in_queue(self.spec.takes)) {
            return (format!("asleep {}", short(seconds)), Role::Warning);
        }
        if let Some(seconds) = in_queue(self.spec.lock) {
            return (format!("asks {}", short(seconds)), Role::Warning);
        }
        ("busy".to_owned(), Role::Dim)
    }

    /// "hatch: 2 of 4 full".
    fn title(&self) -> String {
        let slots = self.slots();
        let full = slots.iter().flatten().count();
        format!("{}: {full} of {} full", self.spec.name, slots.len())
    }

    /// Who is in `tids`, as letters, each with how long.
    fn people(&self, head: &str, tids: &[(Tid, crate::fact::Nanos)], role: Role) -> Line<'static> {
        let mut spans = vec![Span::styled(format!("{head}: "), self.style(Role::Text))];
        for (tid, since) in tids {
            let Some(task) = self.tally.task(*tid) else { continue };
            spans.push(self.letter(task));
            let (said, role) = if task.alive() {
                (format!(" {}  ", short(self.tally.now.since(*since).seconds())), role)
            } else {
                (" (ended)  ".to_owned(), Role::Bad)
            };
            spans.push(Span::styled(said, self.style(role)));
        }
        if tids.is_empty() {
            spans.push(Span::styled("nobody", self.style(Role::Dim)));
        }
        Line::from(spans)
    }

    fn inside(&self) -> Line<'static> {
        let lock = self.lock(self.spec.lock);
        self.people(&format!("at the {}", self.spec.name), lock.map_or(&[], |lock| &lock.inside), Role::Strong)
    }

    fn asleep(&self, condition: &str) -> Line<'static> {
        let lock = self.lock(condition);
        self.people(&format!("asleep until {condition}"), lock.map_or(&[], |lock| &lock.queue), Role::Warning)
    }

    /// What came about, in a sentence: the demo's own, or the sums.
    fn words(&self) -> String {
        let says = self.tally.cell(self.spec.table, "now", "says").and_then(Value::as_str);
        if let Some(says) = says {
            return clean_line(says);
        }
        let sum = |name: &str| thousands(self.tally.workers().filter_map(|worker| worker.number(name)).sum());
        let known = |name: &str| self.tally.workers().any(|worker| worker.values.contains_key(name));
        let made = self.tally.workers().filter_map(|worker| worker.number(MADE)).sum();
        let mut words = format!("{} put, {} taken", count(made, self.spec.items.0, self.spec.items.1), sum(TAKEN));
        for (name, said) in [("took_nothing", "grasps into an empty one"), ("woken_for_nothing", "woken for nothing")] {
            if known(name) {
                words.push_str(&format!(", {} {said}", sum(name)));
            }
        }
        words + "."
    }

    /// The slots as boxes, three rows, from column `x` on.
    fn put_slots(&self, buf: &mut Cells, area: Rect, x: u16, y: u16) {
        let slots = self.slots();
        let border = self.style(Role::Border);
        let edge = |left: &str, middle: &str, right: &str| {
            let cells = vec!["─".repeat(SLOT); slots.len()];
            format!("{left}{}{right}", cells.join(middle))
        };
        put(buf, area, x, y, &edge("┌", "┬", "┐"), border);
        let mut at = put(buf, area, x, y + 1, "│", border);
        for slot in &slots {
            at = match slot {
                Some(item) => {
                    let item = cut(item, SLOT).into_owned();
                    let gap = SLOT - width(&item);
                    put(buf, area, at, y + 1, &format!("{}{item}", " ".repeat(gap)), self.style(Role::Strong))
                }
                None => put(buf, area, at, y + 1, &format!("{:>SLOT$}", "·"), self.style(Role::Dim)),
            };
            at = put(buf, area, at, y + 1, "│", border);
        }
        put(buf, area, x, y + 2, &edge("└", "┴", "┘"), border);
    }

    /// The slots in one row, for where there is no room for boxes: `[17][18][ ][ ]`.
    fn slots_line(&self) -> Line<'static> {
        let mut spans = Vec::new();
        for slot in self.slots() {
            let (said, role) = slot.map_or(("·".to_owned(), Role::Dim), |item| (item, Role::Strong));
            spans.push(Span::styled("[", self.style(Role::Border)));
            spans.push(Span::styled(said, self.style(role)));
            spans.push(Span::styled("]", self.style(Role::Border)));
        }
        Line::from(spans)
    }

    /// One side: a worker a row, with its number and where it is.
    fn put_side(&self, buf: &mut Cells, area: Rect, x: u16, does: &str) {
        for (task, y) in self.workers(does).into_iter().zip((1..area.height.saturating_sub(1)).take(self.middle())) {
            let (said, role) = self.whereabouts(task);
            let mark = if Some(task.tid) == self.chosen { "▸" } else { " " };
            let done = task.number(does).map(thousands).unwrap_or_default();
            let line = Line::from(vec![
                Span::styled(mark, self.style(Role::Accent)),
                self.letter(task),
                Span::styled(format!(" {done:>3} "), self.style(Role::Text)),
                Span::styled(said, self.style(role)),
            ]);
            put_line(buf, area, x, y, &line);
        }
    }

    /// Columns of what stands in the middle.
    fn broad(&self) -> usize {
        (self.slots().len() * (SLOT + 1) + 1).max(width(&self.title()))
    }

    /// Slots in the middle, those who put on the left, those who take on the right.
    fn draw_beside(&self, buf: &mut Cells, area: Rect) {
        let columns = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let middle = columns(SIDE + WAY);
        let right = columns(SIDE + WAY + self.broad() + WAY);
        let (strong, dim) = (self.style(Role::Strong), self.style(Role::Dim));
        put(buf, area, 0, 0, " who puts", strong);
        put(buf, area, middle, 0, &self.title(), strong);
        put(buf, area, right, 0, " who takes", strong);
        self.put_side(buf, area, 0, MADE);
        put(buf, area, columns(SIDE), 2, "─▶", dim);
        self.put_slots(buf, area, middle, 1);
        put(buf, area, columns(SIDE + WAY + self.slots().len() * (SLOT + 1) + 1), 2, "─▶", dim);
        self.put_side(buf, area, right, TAKEN);
        let foot = columns(self.middle()) + 1;
        if foot + 2 <= area.height {
            put_line(buf, area, 0, foot, &self.inside());
        }
        let last = area.height.min(foot + 2) - 1;
        put(buf, area, 0, last, &cut(&self.words(), area.width.into()), self.style(Role::Text));
    }
}

/// "0.4 s", "12 s".
fn short(seconds: f64) -> String {
    if seconds < 9.95 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

impl Rows for Buffer<'_> {
    /// Rows that it needs at least, and likes at this width.
    fn rows(&self, wide: u16, left: u16) -> (u16, u16) {
        let beside = u16::try_from(self.middle()).unwrap_or(u16::MAX).saturating_add(2);
        if self.beside(wide.into()) && beside <= left { (beside, beside + 1) } else { (6, 7) }
    }
}

impl Widget for &Buffer<'_> {
    fn render(self, area: Rect, buf: &mut Cells) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        if self.slots().is_empty() {
            put(buf, area, 0, 0, "Nothing has been put anywhere yet.", self.style(Role::Dim));
            return;
        }
        if self.beside(area.width.into()) && usize::from(area.height) >= self.middle() + 2 {
            self.draw_beside(buf, area);
            return;
        }
        let title = Line::styled(self.title(), self.style(Role::Strong));
        let words = Line::styled(cut(&self.words(), area.width.into()).into_owned(), self.style(Role::Text));
        let mut lines =
            vec![title, self.slots_line(), self.asleep(self.spec.takes), self.asleep(self.spec.puts), self.inside()];
        // What has come about goes last, and before it whoever is at it for a moment only.
        let keep = usize::from(area.height.saturating_sub(1)).max(1);
        lines.truncate(keep);
        lines.push(words);
        for (line, y) in lines.iter().zip(0..area.height) {
            put_line(buf, area, 0, y, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Pid, Row, Values};
    use crate::view::widget::fixture::{any_size, shown};
    use insta::assert_snapshot;
    use serde_json::json;

    static SPEC: BufferSpec = BufferSpec {
        name: "hatch",
        table: "slots",
        lock: "hatch",
        puts: "not full",
        takes: "not empty",
        items: ("dish", "dishes"),
    };

    /// Slots with these numbers; two that put, three that take, each with its sum. D is at the hatch, B asks, C and E sleep.
    fn tally(items: &[u64]) -> Tally {
        let mut tally = Tally { now: Nanos::from_millis(12_000), ..Tally::default() };
        let row = |(n, item): (usize, &u64)| Row {
            name: (n + 1).to_string(),
            first: Nanos::ZERO,
            last: Nanos::ZERO,
            values: [("item".to_owned(), if *item > 0 { json!(item) } else { Value::Null })].into(),
        };
        tally.tables.insert("slots".to_owned(), items.iter().enumerate().map(row).collect());
        for (slot, (name, does, sum)) in
            (0..).zip([("A", MADE, 1_017), ("B", MADE, 4), ("C", TAKEN, 512), ("D", TAKEN, 7), ("E", TAKEN, 0)])
        {
            let mut task = TaskTally::new(Tid(u32::from(slot) + 1), Pid(1), Nanos::ZERO);
            (task.name, task.slot) = (name.to_owned(), Some(slot));
            task.values = [(does.to_owned(), json!(sum))].into();
            tally.tasks.push(task);
        }
        let at = |tid: u32, ms: u64| vec![(Tid(tid), Nanos::from_millis(ms))];
        let mutex = LockTally { inside: at(4, 11_900), queue: at(2, 11_300), ..LockTally::default() };
        tally.locks.insert("hatch".to_owned(), mutex);
        let asleep = [at(3, 11_600), at(5, 1_000)].concat();
        tally.locks.insert("not empty".to_owned(), LockTally { queue: asleep, ..LockTally::default() });
        tally
    }

    fn drawn(tally: &Tally, width: u16, height: u16) -> String {
        shown(&Buffer { tally, spec: &SPEC, theme: &Theme::default(), chosen: Some(Tid(3)) }, width, height)
    }

    #[test]
    fn the_slots_stand_between_those_that_put_and_those_that_take() {
        let tally = tally(&[17, 18, 0, 0]);
        let all = [(76, 8), (70, 6), (120, 10)].map(|(w, h)| drawn(&tally, w, h));
        assert_snapshot!(all.join("----\n"));
    }

    #[test]
    fn where_they_do_not_fit_beside_each_other_they_are_lines() {
        let tally = tally(&[17, 18, 0, 0]);
        let all = [(76, 4), (40, 6), (40, 4), (24, 3), (20, 1)].map(|(w, h)| drawn(&tally, w, h));
        assert_snapshot!(all.join("----\n"));
    }

    #[test]
    fn what_went_wrong_is_said() {
        let mut told = tally(&[0, 0]);
        told.tasks[2].values.insert("took_nothing".to_owned(), json!(3));
        assert!(drawn(&told, 90, 9).contains("3 grasps into an empty one"));
        told.tasks[3].ended = Some((Nanos::ZERO, Ending::Signal("SIGKILL".to_owned(), false)));
        let shown = drawn(&told, 90, 9);
        assert!(shown.contains("at the hatch:  D  (ended)") && shown.contains(" D    7 SIGKILL"), "{shown}");
        let says: Values = [("says".to_owned(), json!("Nobody is left who would call."))].into();
        let now = Row { name: "now".to_owned(), first: Nanos::ZERO, last: Nanos::ZERO, values: says };
        told.tables.get_mut("slots").expect("just made").push(now);
        assert!(
            drawn(&told, 90, 9).contains("Nobody is left who would call.") && drawn(&told, 90, 9).contains("0 of 2")
        );
    }

    #[test]
    fn any_size_and_any_number_of_slots_are_drawn_within_it() {
        assert!(drawn(&Tally::default(), 60, 3).starts_with("Nothing has been put"));
        for items in [&[][..], &[0], &[17, 18, 0, 0], &[u64::MAX; 40]] {
            let tally = tally(items);
            any_size(|w, h| drawn(&tally, w, h));
            (40..200).step_by(7).for_each(|w| (3..40).step_by(4).for_each(|h| _ = drawn(&tally, w, h)));
        }
    }
}
