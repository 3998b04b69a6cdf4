//! The workers as a table: what each does now, and what it has had of the cores so far.
//!
//! Where the kernel's switch records or the workers' own clocks are the source, times are summed from the lanes; where
//! /proc is only sampled, they are the kernel's own account, which is exact even then. What a source cannot know is `–`.
//! Where there is room, the ids by which other programs know the workers stand beside their letters.

use super::Rows;
use crate::fact::{Nanos, Source, TaskTally, Tid, clean_line};
use crate::scene::Scene;
use crate::view::put::{paint, put, put_right, thousands, width};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

/// The table of a scene's workers.
#[derive(Debug, Clone, Copy)]
pub struct Workers<'a> {
    /// What is drawn.
    pub scene: &'a Scene,
    /// How it looks.
    pub theme: &'a Theme,
    /// Up to when open turns and waits are counted.
    pub now: Nanos,
    /// The worker that the learner's keys act on.
    pub chosen: Option<Tid>,
}

/// A column; those that come later are left out earlier when it is narrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Pid,
    Tid,
    State,
    Ran,
    Waited,
    Turns,
    PushedOff,
    Median,
    Work,
    Nice,
    Cpus,
}

/// In the order of the screen.
const SHOWN: [Column; 11] = [
    Column::Pid,
    Column::Tid,
    Column::State,
    Column::Ran,
    Column::Waited,
    Column::Turns,
    Column::PushedOff,
    Column::Median,
    Column::Nice,
    Column::Cpus,
    Column::Work,
];

/// The first goes last: without its time on the core a worker is only a letter.
const KEPT: [Column; 11] = [
    Column::Ran,
    Column::State,
    Column::Waited,
    Column::Nice,
    Column::Cpus,
    Column::Pid,
    Column::Tid,
    Column::PushedOff,
    Column::Turns,
    Column::Median,
    Column::Work,
];

const UNKNOWN: &str = "–";

/// In a narrower table there are no ids: what the workers did is worth more.
const IDS: u16 = 56;

impl Column {
    fn head(self) -> &'static str {
        match self {
            Self::Pid => "PID",
            Self::Tid => "TID",
            Self::State => "state",
            Self::Ran => "ran",
            Self::Waited => "waited",
            Self::Turns => "turns",
            Self::PushedOff => "pushed off",
            Self::Median => "median",
            Self::Work => "work",
            Self::Nice => "nice",
            Self::Cpus => "cores",
        }
    }

    /// So wide at least, so that the table does not jump as numbers grow.
    fn least(self) -> usize {
        match self {
            Self::State | Self::Ran | Self::Waited | Self::Median => 7,
            _ => 4,
        }
    }

    fn cell(self, task: &TaskTally, source: Source, now: Nanos) -> String {
        let sampled = source == Source::Sampled;
        let account = |take: fn(&crate::fact::Account) -> String| task.counters.as_ref().map(take);
        let text = match self {
            Self::Pid => Some(task.pid.to_string()),
            Self::Tid => Some(task.tid.to_string()),
            Self::State => Some(state(task, source).to_owned()),
            Self::Ran if sampled => account(|a| a.ran.to_string()),
            Self::Ran => Some(task.ran_until(now).to_string()),
            Self::Waited if sampled => account(|a| a.waited.to_string()),
            Self::Waited => Some(task.waited_until(now).to_string()),
            Self::Turns if sampled => account(|a| thousands(a.turns)),
            Self::Turns => Some(thousands(task.turns.count() + u64::from(task.on_since.is_some()))),
            Self::PushedOff if sampled => account(|a| thousands(a.involuntary)),
            // A worker sees that it did not run, not why.
            Self::PushedOff if source == Source::SelfTimed => None,
            Self::PushedOff => Some(thousands(task.preempted)),
            Self::Median => task.turns.median().filter(|_| !sampled).map(|m| m.to_string()),
            Self::Work => task.number("work").map(thousands),
            Self::Nice => task.nice.map(|n| n.to_string()),
            Self::Cpus => task.cpus.as_deref().map(cores),
        };
        text.unwrap_or_else(|| UNKNOWN.to_owned())
    }
}

/// "0-3,7" as the kernel writes a list of CPUs.
fn cores(cpus: &[crate::fact::Cpu]) -> String {
    let mut numbers: Vec<u32> = cpus.iter().map(|c| c.0).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let runs = numbers.chunk_by(|a, b| a + 1 == *b);
    let text = |run: &[u32]| match run {
        [a, .., b] => format!("{a}-{b}"),
        [a] => a.to_string(),
        [] => String::new(),
    };
    runs.map(text).collect::<Vec<_>>().join(",")
}

fn state(task: &TaskTally, source: Source) -> &'static str {
    match task {
        TaskTally { ended: Some(_), .. } => "ended",
        TaskTally { stopped: true, .. } => "stopped",
        TaskTally { on_since: Some(_), .. } => "running",
        TaskTally { ready_since: Some(_), .. } => "ready",
        // A look at /proc sees that it did not run, not why.
        TaskTally { cpu: None, .. } if source == Source::Sampled => "off core",
        TaskTally { cpu: None, .. } => "new",
        _ if source == Source::Sampled => "off core",
        _ => "blocked",
    }
}

impl Workers<'_> {
    /// The columns that fit beside the workers' names, each with its width, in the order of the screen.
    fn fitted(&self, tasks: &[&TaskTally], source: Source, ids: bool, room: usize) -> Vec<(Column, usize)> {
        let wide = |column: Column| {
            let cells = tasks.iter().map(|t| width(&column.cell(t, source, self.now)));
            cells.chain([width(column.head()), column.least()]).max().unwrap_or(0)
        };
        // What nobody has, has no column; nor have nice values where nobody is nicer, the CPUs where they are the same for
        // all, and the threads' ids where each is the first of its process and has its id.
        let has = |column: Column| match column {
            Column::Pid => ids,
            Column::Tid => ids && tasks.iter().any(|t| t.tid.0 != t.pid.0),
            Column::Work => tasks.iter().any(|t| column.cell(t, source, self.now) != UNKNOWN),
            Column::Nice => tasks.iter().any(|t| t.nice.is_some_and(|nice| nice != 0)),
            Column::Cpus => tasks.windows(2).any(|pair| pair[0].cpus != pair[1].cpus),
            _ => true,
        };
        let mut left = room;
        let mut kept = Vec::new();
        for column in KEPT.into_iter().filter(|c| has(*c)) {
            let Some(rest) = left.checked_sub(wide(column) + 2) else { break };
            left = rest;
            kept.push(column);
        }
        SHOWN.into_iter().filter(|c| kept.contains(c)).map(|c| (c, wide(c))).collect()
    }

    fn name(&self, task: &TaskTally, words: bool) -> String {
        let look = self.theme.worker(task.slot);
        let name = clean_line(&task.name);
        let word = if words && !look.word.is_empty() { format!(" {}", look.word) } else { String::new() };
        format!("{name} {}{word}", look.pattern)
    }
}

impl Rows for Workers<'_> {
    fn rows(&self, _: u16, _: u16) -> (u16, u16) {
        let workers = u16::try_from(self.scene.tally.workers().count()).unwrap_or(u16::MAX);
        let all = workers.saturating_add(1).max(2);
        (all.min(FOLLOWED), all)
    }
}

impl Widget for &Workers<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let tasks: Vec<&TaskTally> = self.scene.tally.workers().collect();
        if area.is_empty() || tasks.is_empty() {
            return;
        }
        let source = self.scene.tally.start.as_ref().map_or(Source::Exact, |s| s.source);
        let words = area.width >= 36;
        let names: Vec<String> = tasks.iter().map(|t| self.name(t, words)).collect();
        let first = names.iter().map(|n| width(n)).chain([6]).max().unwrap_or(6) + 2;
        // With one row for them all, what is said of the others stands beside it.
        let others = tasks.len() - 1;
        let beside = match area.height {
            2 if others > 0 && area.width >= 36 => format!("and {others} more"),
            2 if others > 0 => format!("+{others}"),
            _ => String::new(),
        };
        let aside = if beside.is_empty() { 0 } else { width(&beside) + 2 };
        let room = usize::from(area.width).saturating_sub(first + aside);
        let columns = self.fitted(&tasks, source, area.width >= IDS, room);
        let (dim, text) = (self.theme.style(Role::Dim), self.theme.style(Role::Text));

        let mut ends = Vec::new();
        let mut end = first;
        for (column, wide) in &columns {
            end += wide + 2;
            ends.push((*column, *wide, u16::try_from(end).unwrap_or(u16::MAX)));
        }
        put(buf, area, 2, 0, "worker", dim);
        for (column, wide, end) in &ends {
            match column {
                Column::State => drop(put(buf, area, end - u16::try_from(*wide).unwrap_or(0), 0, column.head(), dim)),
                _ => put_right(buf, area, *end, 0, column.head(), dim),
            }
        }

        let (from, rows, hidden) = visible(tasks.len(), usize::from(area.height) - 1, || {
            tasks.iter().position(|t| Some(t.tid) == self.chosen).unwrap_or(0)
        });
        for ((task, name), y) in tasks.iter().zip(&names).skip(from).take(rows).zip(1..) {
            let chosen = Some(task.tid) == self.chosen;
            let style = if task.alive() { text } else { dim };
            let look = self.theme.worker(task.slot);
            if chosen {
                put(buf, area, 0, y, "▸", self.theme.style(Role::Accent));
            }
            put(buf, area, 2, y, name, if task.alive() { look.ink } else { dim });
            for (column, wide, end) in &ends {
                let cell = column.cell(task, source, self.now);
                match column {
                    Column::State => drop(put(buf, area, end - u16::try_from(*wide).unwrap_or(0), y, &cell, style)),
                    _ => put_right(buf, area, *end, y, &cell, style),
                }
            }
            if chosen {
                paint(buf, area, 0, y, u16::try_from(end).unwrap_or(u16::MAX), self.theme.style(Role::Selection));
            }
        }
        if first + aside <= area.width.into() {
            put(buf, area, u16::try_from(end + 2).unwrap_or(u16::MAX), 1, &beside, dim);
        }
        if hidden > 0 {
            let y = u16::try_from(rows + 1).unwrap_or(u16::MAX);
            put(buf, area, 2, y, &format!("and {hidden} more"), dim);
        }
    }
}

/// From so many rows on, what has a row for each worker need not have them all: the chosen one's is seen, whoever it is.
pub(super) const FOLLOWED: u16 = 8;

/// Of `all` rows those that are seen in `room`: the first, how many, and how many are left for the line that says so.
pub(super) fn visible(all: usize, room: usize, chosen: impl Fn() -> usize) -> (usize, usize, usize) {
    if all <= room {
        return (0, all, 0);
    }
    if room <= 1 {
        return (chosen(), room, 0);
    }
    let rows = room.saturating_sub(1);
    let from = chosen().saturating_sub(rows.saturating_sub(1)).min(all - rows);
    (from, rows, all - rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Account, Cpu};
    use crate::view::widget::fixture::{self, shown};
    use insta::assert_snapshot;

    fn table(width: u16, height: u16) -> String {
        let scene = fixture::three_workers();
        let theme = Theme::default();
        let table = Workers { scene: &scene, theme: &theme, now: scene.now(), chosen: Some(Tid(102)) };
        shown(&table, width, height)
    }

    #[test]
    fn all_columns_where_there_is_room() {
        assert_snapshot!(table(110, 5));
    }

    #[test]
    fn columns_are_left_out_in_order() {
        let all: Vec<_> = [80, 66, 50, 36, 20, 10].map(|w| table(w, 4)).into();
        assert_snapshot!(all.join("----\n"));
    }

    #[test]
    fn processes_have_a_pid_and_threads_share_one() {
        let mut scene = fixture::three_workers();
        let theme = Theme::default();
        let table =
            |scene: &Scene, width| shown(&Workers { scene, theme: &theme, now: scene.now(), chosen: None }, width, 4);
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let head = words(table(&scene, IDS).lines().next().expect("a head"));
        assert_eq!(head[..4], ["worker", "PID", "TID", "state"], "threads have both");
        let ids = |line: &str| words(line)[3..5].to_vec();
        assert_eq!(
            table(&scene, IDS).lines().skip(1).map(ids).collect::<Vec<_>>(),
            [["100", "101"], ["100", "102"], ["100", "103"]]
        );
        assert!(!table(&scene, IDS - 1).contains("PID"), "not where it is narrow");
        for task in &mut scene.tally.tasks {
            task.pid = crate::fact::Pid(task.tid.0);
        }
        let told = table(&scene, IDS);
        assert!(told.contains("PID") && told.contains("103") && !told.contains("TID"), "{told}");
    }

    #[test]
    fn a_nice_value_is_shown_as_soon_as_one_worker_is_nicer() {
        assert!(!table(110, 4).contains("nice"));
        let mut scene = fixture::three_workers();
        scene.tally.tasks[1].nice = Some(5);
        let theme = Theme::default();
        let told = shown(&Workers { scene: &scene, theme: &theme, now: scene.now(), chosen: None }, 50, 4);
        assert!(told.contains("nice"), "{told}");
    }

    #[test]
    fn too_few_rows_keep_the_chosen_worker() {
        assert_snapshot!(table(60, 3));
    }

    #[test]
    fn one_row_says_beside_it_that_there_are_more() {
        for (wide, more) in [(110, "and 2 more"), (60, "and 2 more"), (40, "and 2 more"), (24, "+2")] {
            let seen = table(wide, 2);
            let row = seen.lines().nth(1).expect("a row");
            assert!(
                row.starts_with("▸ B ▒") && row.contains("ms") | row.contains(" s ") && row.ends_with(more),
                "{seen}"
            );
        }
        assert!(!table(60, 4).contains("more"));
    }

    #[test]
    fn any_size_is_safe() {
        fixture::any_size(table);
    }

    #[test]
    fn each_source_says_what_it_knows() {
        let mut scene = fixture::three_workers();
        let account = Account {
            at: scene.now(),
            voluntary: 1,
            involuntary: 77,
            ran: Nanos::from_millis(500),
            waited: Nanos::from_millis(600),
            turns: 78,
        };
        scene.tally.tasks[0].counters = Some(account);
        let mut row = |source| {
            scene.tally.start.as_mut().expect("a start").source = source;
            let task = &scene.tally.tasks[0];
            let columns = [Column::Ran, Column::Waited, Column::Turns, Column::PushedOff, Column::Median];
            columns.map(|c| c.cell(task, source, scene.now())).join(" | ")
        };
        assert_eq!(row(Source::Exact), "1.40 s | 2.79 s | 352 | 350 | 4.01 ms");
        assert_eq!(row(Source::SelfTimed), "1.40 s | 2.79 s | 352 | – | 4.01 ms");
        assert_eq!(row(Source::Sampled), "500 ms | 600 ms | 78 | 77 | –");
        scene.tally.tasks[0].counters = None;
        assert_eq!(Column::Ran.cell(&scene.tally.tasks[0], Source::Sampled, scene.now()), UNKNOWN);
    }

    #[test]
    fn a_list_of_cores_is_written_as_the_kernel_writes_it() {
        assert_eq!(cores(&[3, 0, 1, 2, 7].map(Cpu)), "0-3,7");
        assert_eq!(cores(&[]), "");
    }
}
