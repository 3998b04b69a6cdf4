//! What waiting cost: of the time that each worker waited, how much it was on a CPU meanwhile, and how much it was not. One
//! bar of two parts for each, and the same in words.

use super::Rows;
use crate::fact::{Nanos, Tally, TaskTally, Tid, clean_line};
use crate::view::put::{put, put_right, width};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

/// The waits of a run's workers.
#[derive(Debug, Clone, Copy)]
pub struct Waiting<'a> {
    /// The totals that hold the workers, with their values `waited_ns` and `burnt_ns`.
    pub tally: &'a Tally,
    /// How it looks.
    pub theme: &'a Theme,
}

/// Columns that a bar has at least, or it is left out.
const LEAST: u16 = 8;
/// A wait that lasts longer is spoken of before it is over.
const LONG: Nanos = Nanos::from_millis(3000);
/// What is not burnt, in a bar.
const OFF: &str = "·";

/// One worker's waits.
struct Wait<'a> {
    task: &'a TaskTally,
    waited: Nanos,
    burnt: Nanos,
}

impl Wait<'_> {
    fn name(&self) -> String {
        clean_line(&self.task.name)
    }

    fn off(&self) -> Nanos {
        self.waited.since(self.burnt)
    }
}

impl Waiting<'_> {
    /// Those that have told of a wait, and what.
    fn waits(&self) -> Vec<Wait<'_>> {
        let wait = |task| {
            let time = |name| TaskTally::number(task, name).map(Nanos);
            let (waited, burnt) = (time("waited_ns")?, time("burnt_ns")?);
            // Two clocks are read one after the other: the one may be ahead by a hair.
            Some(Wait { task, waited, burnt: burnt.min(waited) })
        };
        self.tally.workers().filter_map(wait).collect()
    }

    /// Those whose wait has long been going on: it is in no bar before it is over.
    fn still(&self) -> Option<String> {
        let name = |tid| self.tally.task(tid).map_or_else(String::new, |task| clean_line(&task.name));
        // As the queues are, at the end of the run they stay as they were.
        let now = self.tally.closing().unwrap_or(self.tally.now);
        let waits = self.tally.locks.values().flat_map(|lock| lock.waiting(now));
        let long: Vec<(Tid, Nanos)> = waits.filter(|(_, wait)| *wait >= LONG).collect();
        let longest = long.iter().map(|(_, wait)| *wait).max()?;
        let names: Vec<String> = long.iter().map(|(tid, _)| name(*tid)).collect();
        Some(format!("Not in the bars: {} still wait, for {longest} by now.", names.join(", ")))
    }

    /// Who burnt most, and all together.
    fn words(&self, waits: &[Wait<'_>], wide: u16) -> String {
        let Some(most) = waits.iter().reduce(|a, b| if b.burnt > a.burnt { b } else { a }) else {
            return "Nobody has waited yet.".to_owned();
        };
        if let Some(still) = self.still() {
            return still;
        }
        let words = format!("{} waited {} and burnt {} of it.", most.name(), most.waited, most.burnt);
        let sum = |part: fn(&Wait<'_>) -> Nanos| waits.iter().map(part).fold(Nanos::ZERO, |a, b| a + b);
        let all = format!(" All: {} of {}.", sum(|w| w.burnt), sum(|w| w.waited));
        let fits = width(&words) + width(&all) <= usize::from(wide);
        if fits && waits.len() > 1 { words + &all } else { words }
    }
}

/// The cells of `part`, where `whole` has `cells`.
fn share(part: Nanos, whole: Nanos, cells: u16) -> u16 {
    let (part, whole) = (u128::from(part.0), u128::from(whole.0.max(1)));
    let filled = (part * u128::from(cells) + whole / 2) / whole;
    u16::try_from(filled).unwrap_or(cells).min(cells)
}

impl Rows for Waiting<'_> {
    /// Rows that it needs at least, and likes.
    fn rows(&self, _: u16, _: u16) -> (u16, u16) {
        let workers = u16::try_from(self.tally.workers().count()).unwrap_or(u16::MAX);
        (workers.saturating_add(1).max(2), workers.saturating_add(2))
    }
}

impl Widget for &Waiting<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let (text, dim) = (self.theme.style(Role::Text), self.theme.style(Role::Dim));
        let waits = self.waits();
        put(buf, area, 0, 0, &self.words(&waits, area.width), if waits.is_empty() { dim } else { text });
        if waits.is_empty() {
            return;
        }
        let names = waits.iter().map(|wait| width(&wait.name())).max().unwrap_or(0);
        let from = u16::try_from(names).unwrap_or(u16::MAX).saturating_add(3);
        let (head, figures) = if area.width >= 56 { ("burnt     not", 24) } else { ("burnt", 10) };
        let bar = Some(area.width.saturating_sub(from).saturating_sub(figures)).filter(|bar| *bar >= LEAST);
        let longest = waits.iter().map(|wait| wait.waited).max().unwrap_or(Nanos::ZERO);
        let below = area.height.saturating_sub(1);
        let rows = u16::try_from(waits.len()).unwrap_or(u16::MAX);
        let first = if below > rows { 2 } else { 1 };
        if first == 2 {
            put_right(buf, area, area.width, 1, head, dim);
            let short = format!("pattern: on a CPU   {OFF} not on one");
            let room = usize::from(area.width.saturating_sub(from)).saturating_sub(width(head) + 2);
            let legends = [format!("{short}   (as told so far)"), short];
            if let Some(legend) = legends.iter().find(|legend| width(legend) <= room) {
                put(buf, area, from, 1, legend, dim);
            }
        }
        for (wait, y) in waits.iter().zip(first..area.height) {
            let look = self.theme.worker(wait.task.slot);
            put(buf, area, 0, y, &format!("{} {}", wait.name(), look.pattern), look.ink);
            let off = format!("{:>10}", wait.off().to_string());
            let words = if figures > 10 { format!("{}{off}", wait.burnt) } else { wait.burnt.to_string() };
            let Some(bar) = bar else {
                put(buf, area, from, y, &words, text);
                continue;
            };
            let whole = share(wait.waited, longest, bar);
            let burnt = share(wait.burnt, longest, bar).min(whole);
            let after = put(buf, area, from, y, &look.pattern.repeat(usize::from(burnt)), look.texture);
            put(buf, area, after, y, &OFF.repeat(usize::from(whole - burnt)), dim);
            put_right(buf, area, area.width, y, &words, text);
        }
        let hidden = waits.len().saturating_sub(usize::from(area.height - first.min(area.height)));
        if hidden > 0 && area.height > 1 {
            put_right(buf, area, area.width, 0, &format!(" and {hidden} more"), dim);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::widget::fixture::{any_size, shown, three_workers};
    use insta::assert_snapshot;
    use serde_json::json;

    fn tally(told: &[(u64, u64)]) -> Tally {
        let mut tally = three_workers().tally;
        for (task, (waited, burnt)) in tally.tasks.iter_mut().zip(told) {
            task.values.insert("waited_ns".to_owned(), json!(waited));
            task.values.insert("burnt_ns".to_owned(), json!(burnt));
        }
        tally
    }

    fn drawn(tally: &Tally, wide: u16, high: u16) -> String {
        let theme = Theme::default();
        shown(&Waiting { tally, theme: &theme }, wide, high)
    }

    const SPUN: [(u64, u64); 3] = [(900_000_000, 870_000_000), (1_200_000_000, 1_190_000_000), (600_000_000, 90_000)];

    #[test]
    fn what_was_burnt_is_told_from_what_was_slept() {
        let tally = tally(&SPUN);
        let all: Vec<String> = [(78, 6), (78, 4), (100, 20), (40, 6), (20, 4)].map(|(w, h)| drawn(&tally, w, h)).into();
        assert_snapshot!(all.join("----\n"));
        assert!(drawn(&tally, 78, 1).starts_with("B waited 1.20 s and burnt 1.19 s of it."));
    }

    #[test]
    fn who_has_not_waited_is_left_out() {
        assert_eq!(drawn(&tally(&[]), 40, 1), "Nobody has waited yet.\n");
        let seen = drawn(&tally(&SPUN[..1]), 78, 5);
        assert!(seen.contains("A waited 900 ms and burnt 870 ms of it.\n") && !seen.contains("\nB"), "{seen}");
    }

    #[test]
    fn who_still_waits_is_spoken_of_once_it_has_been_long() {
        let mut tally = tally(&SPUN);
        let since = Nanos(tally.now.0 - 2_900_000_000);
        let queue = tally.tasks.iter().skip(1).map(|task| (task.tid, since)).collect();
        tally.locks.insert("desk".to_owned(), crate::fact::LockTally { queue, ..crate::fact::LockTally::default() });
        assert!(drawn(&tally, 78, 1).starts_with("B waited"), "not long yet");
        tally.now = tally.now + Nanos::from_millis(200);
        assert_eq!(drawn(&tally, 78, 1), "Not in the bars: B, C still wait, for 3.10 s by now.\n");
        tally.steps.push((tally.now, Tally::CLOSING.to_owned()));
        tally.now = tally.now + Nanos::from_millis(1000);
        assert!(drawn(&tally, 78, 1).contains("for 3.10 s"), "the end of the run is no wait");
    }

    #[test]
    fn clocks_that_disagree_by_a_hair_give_no_more_than_all() {
        let seen = drawn(&tally(&[(1_000, 1_005)]), 78, 5);
        assert!(seen.contains("waited 1.00 µs and burnt 1.00 µs of it"), "{seen}");
    }

    #[test]
    fn any_size_and_any_times_are_safe() {
        for told in [&SPUN[..], &[], &[(0, 0), (u64::MAX, 5), (u64::MAX / 4, u64::MAX)]] {
            any_size(|w, h| drawn(&tally(told), w, h));
        }
    }
}
