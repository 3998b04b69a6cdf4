//! A card a worker: alive and counting, or how it ended. A dead card is told by its frame and its words, not its colour.

use super::Rows;
use super::workers::FOLLOWED;
use crate::fact::{Ending, Nanos, TaskTally, Tid, clean_line};
use crate::scene::Scene;
use crate::view::put::{paint, put, put_right, thousands, width};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

/// The cards of a scene's workers.
#[derive(Debug, Clone, Copy)]
pub struct Cards<'a> {
    /// What is drawn.
    pub scene: &'a Scene,
    /// How it looks.
    pub theme: &'a Theme,
    /// The card that the learner's keys act on.
    pub chosen: Option<Tid>,
}

const WIDE: u16 = 27;
const HIGH: u16 = 6;

/// What ends a process ends its threads at once; its parent is told no later than so long after, on a busy machine too.
/// A thread that ended longer before its process ended by itself.
const AT_ONCE: Nanos = Nanos::from_millis(200);

/// The corners and edges of a frame: alive, chosen, dead.
const THIN: [&str; 6] = ["╭", "╮", "╰", "╯", "─", "│"];
const THICK: [&str; 6] = ["┏", "┓", "┗", "┛", "━", "┃"];
const DOUBLE: [&str; 6] = ["╔", "╗", "╚", "╝", "═", "║"];

impl Cards<'_> {
    /// Cards a row, for those that move the choice up and down; 1 where cards are lines.
    #[must_use]
    pub fn across(&self, area: Rect) -> usize {
        let cards = self.scene.tally.workers().count();
        self.shape(area, cards).map_or(1, |(across, _)| across.into())
    }

    /// Cards a row and the width of each; none where only lines fit.
    fn shape(&self, area: Rect, cards: usize) -> Option<(u16, u16)> {
        let cards = u16::try_from(cards).ok().filter(|n| *n > 0)?;
        let most = ((area.width + 1) / (WIDE + 1)).min(cards);
        let rows = area.height / HIGH;
        if most == 0 || u32::from(most) * u32::from(rows) < u32::from(cards) {
            return None;
        }
        // Rows of equal length: six cards are three and three, not four and two.
        let across = cards.div_ceil(cards.div_ceil(most));
        Some((across, ((area.width + 1) / across - 1).min(WIDE * 3 / 2)))
    }

    /// What the worker does, or how it ended.
    fn state(&self, task: &TaskTally) -> String {
        match &task.ended {
            Some((_, Ending::Signal(name, _))) => format!("ended by {}", clean_line(name)),
            Some((_, Ending::Code(0))) => "ended by itself".to_owned(),
            Some((_, Ending::Code(code))) => format!("exited with code {code}"),
            Some((_, Ending::WithItsProcess)) => "ended with its process".to_owned(),
            Some((_, Ending::Unseen)) if self.ended_its_process(task).is_some() => "ended with its process".to_owned(),
            Some((_, Ending::Unseen)) if is_thread(task) => "ended".to_owned(),
            Some((_, Ending::Unseen)) => "gone, nobody saw how".to_owned(),
            None if task.stopped => "stopped".to_owned(),
            None if task.ready_since.is_some() => "pushed off".to_owned(),
            None => "alive and counting".to_owned(),
        }
    }

    fn status(&self, task: &TaskTally) -> Option<String> {
        match self.ended_its_process(task) {
            Some(Ending::Signal(name, _)) => Some(format!("which {} ended", clean_line(name))),
            Some(Ending::Code(code)) => Some(format!("which exited with code {code}")),
            _ => status(task),
        }
    }

    /// How the process of a thread ended, and the thread with it. Nobody waits for a thread: the kernel tells that it is
    /// gone, a moment before its process is, and a status is the process's only.
    fn ended_its_process(&self, task: &TaskTally) -> Option<&Ending> {
        let (at, ending) = task.ended.as_ref().filter(|_| is_thread(task))?;
        let (last, process) = self.scene.tally.task(Tid(task.pid.0))?.ended.as_ref()?;
        let with_it = match ending {
            Ending::WithItsProcess => true,
            Ending::Unseen => last.since(*at) <= AT_ONCE,
            Ending::Code(_) | Ending::Signal(..) => false,
        };
        (with_it && matches!(process, Ending::Signal(..) | Ending::Code(_))).then_some(process)
    }

    /// It ended as it should: with code 0, or as a thread of a process that went on or did so itself.
    fn left(&self, task: &TaskTally) -> bool {
        match (&task.ended, self.ended_its_process(task)) {
            (Some((_, Ending::Code(0))), _) | (Some(_), Some(Ending::Code(0))) => true,
            (Some((_, Ending::Unseen)), None) => is_thread(task),
            _ => false,
        }
    }

    fn mark_of(&self, task: &TaskTally) -> (&'static str, Role) {
        match (&task.ended, task.stopped) {
            (Some(_), _) if self.left(task) => ("○", Role::Dim),
            (Some(_), _) => ("✗", Role::Bad),
            (None, true) => ("‖", Role::Warning),
            (None, false) if task.ready_since.is_some() => ("◦", Role::Warning),
            (None, false) => ("●", Role::Good),
        }
    }

    fn put_card(&self, buf: &mut Buffer, area: Rect, task: &TaskTally) {
        let chosen = Some(task.tid) == self.chosen;
        let look = self.theme.worker(task.slot);
        let (frame, style) = match (task.alive(), chosen) {
            (false, _) if self.left(task) => (THIN, self.theme.style(Role::Dim)),
            (false, _) => (DOUBLE, self.theme.style(Role::Bad)),
            (true, true) => (THICK, self.theme.style(Role::BorderFocused)),
            (true, false) => (THIN, self.theme.style(Role::Border)),
        };
        let [tl, tr, bl, br, h, v] = frame;
        let (right, bottom) = (area.width.saturating_sub(1), area.height.saturating_sub(1));
        let edge = h.repeat(usize::from(area.width.saturating_sub(2)));
        put(buf, area, 0, 0, &format!("{tl}{edge}{tr}"), style);
        put(buf, area, 0, bottom, &format!("{bl}{edge}{br}"), style);
        for y in 1..bottom {
            put(buf, area, 0, y, v, style);
            put(buf, area, right, y, v, style);
        }
        let title = Rect { width: right, ..area };
        let mark = if chosen { "▸" } else { " " };
        let x = put(buf, title, 2, 0, mark, self.theme.style(Role::Accent));
        let x = put(buf, title, x, 0, &format!(" {} ", clean_line(&task.name)), look.fill);
        put(buf, title, x, 0, &look.pattern.repeat(2), look.ink);

        let inner = Rect {
            x: area.x + 2,
            y: area.y + 1,
            width: area.width.saturating_sub(3),
            height: area.height.saturating_sub(2),
        };
        let (text, dim) = (self.theme.style(Role::Text), self.theme.style(Role::Dim));
        put(buf, inner, 0, 0, &ids(task), dim);
        put(buf, inner, 0, 1, "counter", dim);
        let number = if task.alive() { self.theme.style(Role::Strong) } else { dim };
        put_right(buf, inner, inner.width.saturating_sub(1), 1, &counter(task), number);
        let (mark, role) = self.mark_of(task);
        let x = put(buf, inner, 0, 2, &format!("{mark} "), self.theme.style(role));
        put(buf, inner, x, 2, &self.state(task), if task.alive() { text } else { self.theme.style(role) });
        if let Some(status) = self.status(task) {
            put(buf, inner, 0, 3, &status, dim);
        }
    }

    fn put_lines(&self, buf: &mut Buffer, area: Rect, tasks: &[&TaskTally]) {
        let chosen = || tasks.iter().position(|t| Some(t.tid) == self.chosen).unwrap_or(0);
        let (from, rows, hidden) = super::workers::visible(tasks.len(), area.height.into(), chosen);
        let ids_wide = tasks.iter().map(|t| width(&ids(t))).max().unwrap_or(0);
        let names = tasks.iter().map(|t| width(&clean_line(&t.name))).max().unwrap_or(1);
        let numbers = tasks.iter().map(|t| width(&counter(t))).max().unwrap_or(0);
        let (text, dim) = (self.theme.style(Role::Text), self.theme.style(Role::Dim));
        for (task, y) in tasks.iter().skip(from).take(rows).zip(0..) {
            let look = self.theme.worker(task.slot);
            let chosen = Some(task.tid) == self.chosen;
            put(buf, area, 0, y, if chosen { "▸" } else { " " }, self.theme.style(Role::Accent));
            put(buf, area, 2, y, &clean_line(&task.name), look.fill);
            let mut x = u16::try_from(names + 3).unwrap_or(u16::MAX);
            x = put(buf, area, x, y, look.pattern, look.ink).saturating_add(1);
            if area.width >= 60 {
                put(buf, area, x, y, &ids(task), dim);
                x = x.saturating_add(u16::try_from(ids_wide + 2).unwrap_or(u16::MAX));
            }
            if area.width >= 40 {
                let end = x.saturating_add(u16::try_from(numbers).unwrap_or(u16::MAX));
                put_right(buf, area, end, y, &counter(task), if task.alive() { text } else { dim });
                x = end.saturating_add(2);
            }
            let (mark, role) = self.mark_of(task);
            x = put(buf, area, x, y, &format!("{mark} "), self.theme.style(role));
            put(buf, area, x, y, &self.state(task), if task.alive() { text } else { self.theme.style(role) });
            if chosen {
                paint(buf, area, 0, y, area.width, self.theme.style(Role::Selection));
            }
        }
        if hidden > 0 {
            let ended = tasks.iter().filter(|t| !t.alive()).count();
            let line = format!("and {hidden} more; {ended} of {} ended", tasks.len());
            put(buf, area, 2, area.height - 1, &line, dim);
        }
    }
}

fn ids(task: &TaskTally) -> String {
    if task.tid.0 == task.pid.0 { format!("PID {}", task.pid) } else { format!("PID {} TID {}", task.pid, task.tid) }
}

fn counter(task: &TaskTally) -> String {
    task.number("counter").or_else(|| task.number("work")).map_or_else(|| "–".to_owned(), thousands)
}

/// The status that `waitpid` gave, as a word of two bytes and what it means.
fn status(task: &TaskTally) -> Option<String> {
    match &task.ended.as_ref()?.1 {
        Ending::Code(code) => Some(format!("status {:#06x}", (code & 0xff) << 8)),
        Ending::Signal(name, core) => {
            let number = signal_number(name)?;
            let dump = if *core { "with core" } else { "no core" };
            Some(format!("status {:#06x}, {dump}", number | if *core { 0x80 } else { 0 }))
        }
        Ending::WithItsProcess => Some("no status of its own".to_owned()),
        Ending::Unseen => None,
    }
}

fn is_thread(task: &TaskTally) -> bool {
    task.tid.0 != task.pid.0
}

/// The numbers of signal(7) on x86 and ARM.
fn signal_number(name: &str) -> Option<i32> {
    const NUMBERS: [(&str, i32); 17] = [
        ("SIGHUP", 1),
        ("SIGINT", 2),
        ("SIGQUIT", 3),
        ("SIGILL", 4),
        ("SIGTRAP", 5),
        ("SIGABRT", 6),
        ("SIGBUS", 7),
        ("SIGFPE", 8),
        ("SIGKILL", 9),
        ("SIGUSR1", 10),
        ("SIGSEGV", 11),
        ("SIGUSR2", 12),
        ("SIGPIPE", 13),
        ("SIGALRM", 14),
        ("SIGTERM", 15),
        ("SIGXCPU", 24),
        ("SIGSYS", 31),
    ];
    NUMBERS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

impl Rows for Cards<'_> {
    fn rows(&self, wide: u16, left: u16) -> (u16, u16) {
        let workers = u16::try_from(self.scene.tally.workers().count()).unwrap_or(u16::MAX);
        let across = (wide / 26).max(1);
        let cards = workers.div_ceil(across).saturating_mul(6).max(6);
        // Where the cards do not fit, each is a line.
        if cards <= left { (cards, cards) } else { (workers.clamp(2, FOLLOWED), workers.max(2)) }
    }
}

impl Widget for &Cards<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let tasks: Vec<&TaskTally> = self.scene.tally.workers().collect();
        if area.is_empty() || tasks.is_empty() {
            return;
        }
        let Some((across, wide)) = self.shape(area, tasks.len()) else {
            self.put_lines(buf, area, &tasks);
            return;
        };
        for (task, i) in tasks.iter().zip(0_u16..) {
            let (x, y) = (i % across * (wide + 1), i / across * HIGH);
            let card = Rect { x: area.x + x, y: area.y + y, width: wide, height: HIGH };
            self.put_card(buf, card.intersection(area), task);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Fact, Nanos, Pid, Stamped};
    use crate::view::widget::fixture::{self, shown};
    use insta::assert_snapshot;

    fn cards(width: u16, height: u16) -> String {
        let (scene, theme) = (fixture::six_tabs(), Theme::default());
        shown(&Cards { scene: &scene, theme: &theme, chosen: Some(Tid(201)) }, width, height)
    }

    #[test]
    fn three_and_three() {
        assert_snapshot!(cards(90, 12));
    }

    #[test]
    fn lines_where_cards_do_not_fit() {
        assert_snapshot!(format!("{}----\n{}----\n{}", cards(70, 7), cards(44, 6), cards(30, 4)));
    }

    #[test]
    fn the_status_is_that_of_waitpid() {
        let scene = fixture::six_tabs();
        let of = |letter| status(scene.tally.worker(letter).expect(letter));
        assert_eq!(of("C").as_deref(), Some("status 0x000b, no core"));
        assert_eq!(of("D").as_deref(), Some("status 0x0300"));
        assert_eq!(of("A"), None);
    }

    #[test]
    fn a_thread_ends_with_its_process_and_has_no_status() {
        let mut scene = Scene::new();
        let task = |tid, slot| Fact::Task { tid: Tid(tid), pid: Pid(10), parent: 1, name: "A".into(), slot };
        let exit = |tid, signal: Option<&str>| {
            let signal = signal.map(str::to_owned);
            Fact::Exit { tid: Tid(tid), pid: Pid(10), code: None, signal, core: None }
        };
        let told = |scene: &Scene| {
            let cards = Cards { scene, theme: &Theme::default(), chosen: None };
            let task = scene.tally.worker("A").expect("a worker");
            (cards.state(task), cards.status(task))
        };
        let facts = [task(10, None), task(11, Some(0)), exit(11, None)];
        scene.extend(&facts.map(|fact| Stamped::new(Nanos(1), fact)));
        assert_eq!(told(&scene), ("ended".to_owned(), None));
        scene.apply(&Stamped::new(Nanos(2), exit(10, Some("SIGSEGV"))));
        assert_eq!(told(&scene), ("ended with its process".to_owned(), Some("which SIGSEGV ended".to_owned())));
    }

    #[test]
    fn a_thread_whose_process_exits_says_so_and_one_that_leaves_is_no_crash() {
        let task = |tid, slot| Fact::Task { tid: Tid(tid), pid: Pid(10), parent: 1, name: "A".into(), slot };
        let exit = |tid, code| Fact::Exit { tid: Tid(tid), pid: Pid(10), code, signal: None, core: None };
        let scene_of = |later: u64, code: Option<i32>| {
            let mut scene = Scene::new();
            let facts = [task(10, None), task(11, Some(0)), exit(11, None)];
            scene.extend(&facts.map(|fact| Stamped::new(Nanos(1), fact)));
            if code.is_some() {
                scene.apply(&Stamped::new(Nanos::from_millis(later), exit(10, code)));
            }
            scene
        };
        let drawn = |scene: &Scene| {
            let theme = Theme::default();
            shown(&Cards { scene, theme: &theme, chosen: None }, 40, 6)
        };
        let broke = drawn(&scene_of(5, Some(3)));
        assert!(broke.contains("✗ ended with its process") && broke.contains("which exited with code 3"), "{broke}");
        assert!(broke.starts_with('╔'), "{broke}");
        let over = drawn(&scene_of(5, Some(0)));
        assert!(over.contains("○ ended with its process") && over.starts_with('╭'), "{over}");
        for scene in [scene_of(0, None), scene_of(900, Some(3))] {
            let left = drawn(&scene);
            assert!(left.contains("○ ended ") && left.starts_with('╭') && !left.contains("which"), "{left}");
        }
    }

    #[test]
    fn any_size_is_safe() {
        fixture::any_size(cards);
    }
}
