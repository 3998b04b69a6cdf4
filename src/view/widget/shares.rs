//! What each worker had against what it should have had: a bar for the one, a mark for the other, and in words how far
//! they are apart.

use super::Rows;
use super::workers::FOLLOWED;
use crate::fact::{ReturnKind, TaskTally, Tid, clean_line, thousands};
use crate::scene::Scene;
use crate::view::put::{put, put_line, put_right, width};
use crate::view::text::{Piece, wrap};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;
use serde_json::Value;

/// The shares of a scene's workers.
#[derive(Debug, Clone, Copy)]
pub struct Shares<'a> {
    /// What is drawn.
    pub scene: &'a Scene,
    /// How it looks.
    pub theme: &'a Theme,
    /// The worker that the learner's keys act on.
    pub chosen: Option<Tid>,
}

/// Columns that a bar has at least, or it is left out.
const LEAST: u16 = 10;

/// One worker's line.
struct Entry<'a> {
    task: &'a TaskTally,
    share: f64,
    expected: f64,
    weight: Option<u64>,
}

impl Entry<'_> {
    fn apart(&self) -> f64 {
        (self.share - self.expected).abs()
    }
}

/// The texts beside the bars.
struct Texts {
    names: Vec<String>,
    settings: Vec<String>,
    shares: Vec<String>,
}

/// Where things stand in a line, and how many rows it has.
struct Places {
    settings: Option<u16>,
    /// First column, and how many.
    bar: Option<(u16, u16)>,
    shares_end: u16,
    /// With two rows the mark stands above the bar, with its figure; with one it lies on it.
    rows: u16,
}

impl Places {
    fn new(texts: &Texts, wide: u16, rows: u16) -> Self {
        let [names, settings, shares] = [&texts.names, &texts.settings, &texts.shares].map(|texts| widest(texts));
        let after_names = 2 + names + 2;
        // Without room for both, the bar is worth more than what is set.
        let left = wide.saturating_sub(after_names).saturating_sub(shares + 2);
        let set = (settings > 0 && left >= settings + 2 + LEAST).then_some(after_names);
        let from = after_names + set.map_or(0, |_| settings + 2);
        let bar = wide.saturating_sub(from).saturating_sub(shares + 2);
        let bar = (bar >= LEAST).then_some((from, bar));
        let shares_end = if bar.is_some() { wide } else { (from + shares).min(wide) };
        Self { settings: set, bar, shares_end, rows }
    }

    fn mark(&self) -> &'static str {
        if self.rows == 2 { "▼" } else { "│" }
    }
}

impl Shares<'_> {
    fn value(&self, table: &str, name: &str) -> Option<&Value> {
        self.scene.values().get(table)?.get(name)
    }

    fn entry<'a>(&'a self, task: &'a TaskTally) -> Option<Entry<'a>> {
        let share = self.value("share", &task.name)?.as_f64()?;
        let expected = self.value("expected", &task.name)?.as_f64()?;
        Some(Entry { task, share, expected, weight: self.value("weight", &task.name).and_then(Value::as_u64) })
    }

    /// The workers of which both are known.
    fn entries(&self) -> Vec<Entry<'_>> {
        self.scene.tally.workers().filter_map(|task| self.entry(task)).collect()
    }

    /// How far they are apart at most, and what disturbed them.
    fn words(&self, entries: &[Entry<'_>], mark: &str, wide: u16) -> Vec<Line<'static>> {
        let mut said = Vec::new();
        match entries.iter().reduce(|a, b| if b.apart() > a.apart() { b } else { a }) {
            None => said.push(("Nothing has been measured yet.".to_owned(), Role::Dim)),
            Some(most) => {
                let name = clean_line(&most.task.name);
                let (points, expected) = (most.apart() * 100.0, percent(most.expected));
                let words = format!("{mark} by weight. Furthest off: {name}, {points:.1} points from {expected}.");
                said.push((words, Role::Text));
            }
        }
        let disturbed = self.scene.values().get("disturbed").and_then(Value::as_str).filter(|by| *by != "nothing");
        said.extend(disturbed.map(|by| (format!("Disturbed: {}.", clean_line(by)), Role::Warning)));
        let pieces = said.into_iter().map(|(words, role)| Piece::new(words, self.theme.style(role)));
        pieces.flat_map(|piece| wrap(&[piece], wide.into())).collect()
    }

    /// The bar and its mark, and who is chosen.
    fn put_entry(&self, buf: &mut Buffer, line: Rect, entry: &Entry<'_>, places: &Places, full: f64) {
        let y = places.rows - 1;
        if Some(entry.task.tid) == self.chosen {
            put(buf, line, 0, y, "▸", self.theme.style(Role::Accent));
        }
        let Some((from, bar)) = places.bar else { return };
        let look = self.theme.worker(entry.task.slot);
        let filled = look.pattern.repeat(usize::from(columns(entry.share, full, bar)));
        put(buf, line, from, y, &filled, look.texture);
        let mark = from + columns(entry.expected, full, bar).min(bar - 1);
        let words = if places.rows == 2 { format!("▼ {}", percent(entry.expected)) } else { "│".to_owned() };
        put(buf, line, mark, 0, &words, self.theme.style(Role::Strong));
    }

    fn texts(&self, entries: &[Entry<'_>], wide: u16) -> Texts {
        let words = wide >= 50;
        let name = |e: &Entry<'_>| {
            let look = self.theme.worker(e.task.slot);
            let word = if words && !look.word.is_empty() { format!(" {}", look.word) } else { String::new() };
            format!("{} {}{word}", clean_line(&e.task.name), look.pattern)
        };
        let setting = |e: &Entry<'_>| {
            let nice = e.task.nice.map(|n| format!("nice {n}"));
            let weight = e.weight.filter(|_| wide >= 60).map(|w| format!("weight {}", thousands(w)));
            nice.into_iter().chain(weight).collect::<Vec<_>>().join(", ")
        };
        let share = |e: &Entry<'_>| percent(e.share);
        Texts {
            names: entries.iter().map(name).collect(),
            settings: entries.iter().map(setting).collect(),
            shares: entries.iter().map(share).collect(),
        }
    }
}

fn percent(share: f64) -> String {
    ReturnKind::Share.show(&share.into())
}

fn widest(texts: &[String]) -> u16 {
    u16::try_from(texts.iter().map(|t| width(t)).max().unwrap_or(0)).unwrap_or(u16::MAX / 8).min(u16::MAX / 8)
}

/// The columns of `share` where `full` has `cells`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the cells of the bar")]
fn columns(share: f64, full: f64, cells: u16) -> u16 {
    (share / full * f64::from(cells)).round().clamp(0.0, f64::from(cells)) as u16
}

impl Rows for Shares<'_> {
    /// Rows that it needs at least, and likes where it is `wide`.
    fn rows(&self, wide: u16, _: u16) -> (u16, u16) {
        let entries = self.entries();
        let liked = entries.len() * 2 + self.words(&entries, "▼", wide).len();
        let least = u16::try_from(entries.len()).unwrap_or(u16::MAX).clamp(3, FOLLOWED);
        (least, u16::try_from(liked).unwrap_or(u16::MAX).clamp(3, 20))
    }
}

impl Widget for &Shares<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let entries = self.entries();
        let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
        let below = u16::try_from(self.words(&entries, "▼", area.width).len()).unwrap_or(u16::MAX);
        let rows = if area.height.saturating_sub(below) >= count.saturating_mul(2) { 2 } else { 1 };
        let texts = self.texts(&entries, area.width);
        // What is said of those that have no row stands beside the bars.
        let more = match count.saturating_sub(area.height) {
            0 => String::new(),
            hidden => format!("  and {hidden} more"),
        };
        let beside = u16::try_from(width(&more)).unwrap_or(u16::MAX).min(area.width / 2);
        let places = Places::new(&texts, area.width - beside, rows);
        let lines = self.words(&entries, places.mark(), area.width);
        // Bars before words.
        let said = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(count));
        for (line, y) in lines.iter().zip(area.height - said..area.height) {
            put_line(buf, area, 0, y, line);
        }
        let room = Rect { height: area.height - said, ..area };
        let most = entries.iter().flat_map(|e| [e.share, e.expected]).fold(0.01, f64::max);
        let full = (most * 1.15).min(1.0);
        let shown = room.height / rows;
        let chosen = entries.iter().position(|e| Some(e.task.tid) == self.chosen).unwrap_or(0);
        let first = chosen.min(entries.len().saturating_sub(shown.into()));
        for ((n, entry), row) in entries.iter().enumerate().skip(first).take(shown.into()).zip(0..) {
            let line = Rect { y: room.y + row * rows, height: rows, ..room };
            self.put_entry(buf, line, entry, &places, full);
            let y = rows - 1;
            put(buf, line, 2, y, &texts.names[n], self.theme.worker(entry.task.slot).ink);
            put_right(buf, line, places.shares_end, y, &texts.shares[n], self.theme.style(Role::Text));
            if let Some(x) = places.settings {
                put(buf, line, x, y, &texts.settings[n], self.theme.style(Role::Text));
            }
        }
        if beside > 0 && room.height > 0 {
            let aside = Rect { x: room.x + places.shares_end, width: room.width - places.shares_end, ..room };
            put(buf, aside, 0, room.height - 1, &more, self.theme.style(Role::Dim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::widget::fixture::{self, any_size, shown};
    use insta::assert_snapshot;
    use serde_json::json;

    fn scene(disturbed: &str) -> Scene {
        let mut scene = fixture::three_workers();
        for (task, nice) in scene.tally.tasks.iter_mut().zip([0, 5, 10]) {
            task.nice = Some(nice);
        }
        for (name, value) in [
            ("share", json!({"A": 0.704, "B": 0.22, "C": 0.076})),
            ("expected", json!({"A": 0.6971, "B": 0.228, "C": 0.0749})),
            ("weight", json!({"A": 1024, "B": 335, "C": 110})),
            ("disturbed", json!(disturbed)),
        ] {
            scene.so_far.insert(name.into(), value);
        }
        scene
    }

    fn drawn(scene: &Scene, width: u16, height: u16) -> String {
        let theme = Theme::default();
        shown(&Shares { scene, theme: &theme, chosen: Some(Tid(102)) }, width, height)
    }

    #[test]
    fn bars_are_held_against_their_marks() {
        let scene = scene("nothing");
        let sizes = [(40, 12), (78, 8), (78, 4), (66, 7), (120, 8), (196, 8), (24, 5), (12, 3)];
        let all: Vec<String> = sizes.map(|(w, h)| drawn(&scene, w, h)).into();
        assert_snapshot!(all.join("----\n"));
    }

    #[test]
    fn there_are_as_many_bars_as_rows_the_chosen_one_first() {
        let scene = scene("nothing");
        assert_eq!(drawn(&scene, 60, 3).lines().filter(|line| line.contains('%')).count(), 3, "bars before words");
        for (wide, rows) in [(60, 2), (60, 1), (40, 2), (30, 1)] {
            let seen = drawn(&scene, wide, rows);
            let lines: Vec<&str> = seen.lines().collect();
            assert!(lines[0].starts_with("▸ B"), "{seen}");
            assert!(lines.iter().all(|line| line.contains(" %")), "{seen}");
            let more = format!("and {} more", 3 - rows);
            assert!(lines.last().is_some_and(|line| line.ends_with(&more)), "{seen}");
        }
    }

    #[test]
    fn what_disturbed_is_said_and_what_is_not_measured() {
        assert!(drawn(&scene("other tasks"), 78, 8).contains("Disturbed: other tasks."));
        assert!(!drawn(&scene("nothing"), 78, 8).contains("Disturbed"));
        assert_eq!(drawn(&Scene::new(), 40, 1), "Nothing has been measured yet.\n");
    }

    #[test]
    fn any_size_and_any_values_are_safe() {
        let mut scene = scene("other tasks");
        any_size(|w, h| drawn(&scene, w, h));
        scene.so_far.insert("share".into(), json!({"A": 7e300, "B": -1.0, "C": "x"}));
        any_size(|w, h| drawn(&scene, w, h));
        any_size(|w, h| drawn(&Scene::new(), w, h));
    }
}
