//! What is shown: the tour and the scene to cells. It is told everything and touches nothing.

mod canvas;
mod catalogue;
mod document;
mod ledger;
mod notice;
mod panel;
mod pictures;
mod present;
pub mod put;
pub mod scrub;
mod stage;
mod step;
pub mod text;
pub mod theme;
pub mod widget;

use crate::fact::{Source, clean_line};
use crate::scene::Scene;
use crate::tour::keys::{self, LedgerAction, WatchAction};
use crate::tour::{Click, Key, Pane, Player, Screen, Scrolled, Side, Tour, Watch};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use theme::{Role, Theme};
use widget::{Footer, Header, Help, TooSmall};

/// Everything that a screen is made from.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Where the learner is.
    pub tour: &'a Tour,
    /// What is true of the run, or was when the picture was paused.
    pub scene: &'a Scene,
    /// How it looks.
    pub theme: &'a Theme,
}

/// What drawing found out and the tour must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// How far the text can be scrolled, in lines.
    pub text: usize,
    /// Lines of the waiting question that lie below what is seen.
    pub below: usize,
    /// How far it is scrolled now, in lines.
    pub scroll: usize,
    /// How far the pictures on the stage are scrolled.
    pub stage: Scrolled,
}

/// The three parts of the screen.
#[derive(Debug, Clone, Copy)]
struct Parts {
    header: Rect,
    body: Rect,
    footer: Rect,
}

impl Parts {
    fn of(area: Rect) -> Self {
        let row = |y| Rect { x: area.x, y, width: area.width, height: 1 };
        let body = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
        Self { header: row(area.y), body, footer: row(area.bottom().saturating_sub(1)) }
    }
}

impl View<'_> {
    /// Draws the whole screen.
    pub fn render(&self, frame: &mut Frame) -> Extent {
        let area = frame.area();
        self.draw(area, frame.buffer_mut())
    }

    /// Draws the whole screen into a buffer.
    pub fn draw(&self, area: Rect, buf: &mut Buffer) -> Extent {
        buf.set_style(area, self.theme.style(Role::Screen));
        let extent = if TooSmall::applies(area) {
            TooSmall { theme: self.theme }.render(area, buf);
            Extent::default()
        } else {
            let extent = self.screen(area, buf);
            self.help(area, buf);
            extent
        };
        scrub::scrub(buf, self.theme.charset());
        extent
    }

    fn screen(&self, area: Rect, buf: &mut Buffer) -> Extent {
        let parts = Parts::of(area);
        let extent = match &self.tour.screen {
            Screen::Catalogue(catalogue) => {
                self.catalogue(catalogue, parts.body, buf);
                Extent::default()
            }
            Screen::Lesson(player) => self.step(player, parts.body, buf),
            Screen::Present(player, clock) => return self.present(player, *clock, area, buf),
            Screen::Replay(watch) => Extent { stage: self.stage(watch, true, parts.body, buf), ..Extent::default() },
            Screen::Ledger(page) => self.ledger(page, parts.body, buf),
        };
        self.header(parts.header, buf);
        match self.tour.notice.as_ref().or(self.tour.banner.as_ref()) {
            Some(words) => self.notice(words, area, buf),
            None => self.footer(parts.footer, panel::one_at_a_time(parts.body), buf),
        }
        extent
    }

    fn header(&self, area: Rect, buf: &mut Buffer) {
        let (title, place) = match &self.tour.screen {
            Screen::Catalogue(_) => ("Processes and threads, tested on your own cores".to_owned(), String::new()),
            Screen::Replay(watch) => (format!("{} (recorded)", watch.spec.name), String::new()),
            Screen::Ledger(page) => {
                let title = self.tour.claims.lang.pick("The ledger: what is true?", "账本：什么是真的？");
                (title.to_owned(), ledger::run_of(page).unwrap_or_default())
            }
            Screen::Lesson(player) | Screen::Present(player, _) => {
                let lesson = self.tour.lesson();
                let title = lesson.map(|l| format!("{} {}", l.number, l.title)).unwrap_or_default();
                let steps = lesson.map_or(0, |l| l.steps.len());
                (title, format!("step {}/{steps}", player.step + 1))
            }
        };
        let truth = self.truth();
        let truth: Vec<(&str, Role)> = truth.iter().map(|(words, role)| (words.as_str(), *role)).collect();
        let title = clean_line(&title);
        Header { theme: self.theme, title: &title, place: &place, truth: &truth }.render(area, buf);
    }

    /// How we know what is shown: source, cores, losses.
    fn truth(&self) -> Vec<(String, Role)> {
        let Some(watch) = self.tour.watch() else { return Vec::new() };
        let Some(start) = &self.scene.tally.start else { return Vec::new() };
        let mut truth = Vec::new();
        if watch.recorded {
            truth.push(("recorded".to_owned(), Role::Warning));
        }
        let source = match start.hz {
            Some(hz) => format!("{} at {hz} Hz", start.source),
            None => start.source.to_string(),
        };
        truth.push((source, Role::Dim));
        truth.push((put::count(start.cpus.len() as u64, "core", "cores"), Role::Dim));
        if start.source == Source::Unwatched {
            return truth;
        }
        truth.push(match self.scene.tally.lost {
            0 => ("nothing lost".to_owned(), Role::Dim),
            n => (format!("{} lost", put::thousands(n)), Role::Warning),
        });
        truth
    }

    fn footer(&self, area: Rect, one: bool, buf: &mut Buffer) {
        let keys = self.hints(area.width, one);
        let keys: Vec<(&str, &str)> = keys.iter().map(|(k, w)| (k.as_str(), w.as_str())).collect();
        Footer { theme: self.theme, keys: &keys, keep: 2 }.render(area, buf);
    }

    /// The keys for the foot of the screen, most important first, help and leave last. `one`: of two panes one is seen.
    fn hints(&self, width: u16, one: bool) -> Vec<(String, String)> {
        let mut hints: Vec<(u8, String, String)> = Vec::new();
        let covered = |player: &Player| player.watch.is_some() && player.pane == Pane::Stage && player.told();
        if one && matches!(&self.tour.screen, Screen::Lesson(player) if covered(player)) {
            hints.push((0, keys::name(Key::Tab), "the answer".to_owned()));
        }
        let contexts = self.tour.contexts();
        if one && let Some(page) = self.tour.page().filter(|_| contexts.contains(&keys::Context::Ledger)) {
            hints.push((0, keys::name(Key::Tab), self.next_side(page).to_owned()));
        }
        let running = self.tour.watch().is_some_and(|w| w.running);
        let reading = self.tour.page().filter(|page| page.side != Side::List);
        let several = self.tour.page().and_then(ledger::run_of).is_some();
        for context in &contexts {
            if *context == keys::Context::Stage && running && self.own_keys_count() {
                hints.extend(self.own_hints(width).into_iter().map(|(key, label)| (OWN, key, label)));
            }
            for binding in keys::of(*context).filter(|b| !b.hint.is_empty()) {
                let key = binding.keys.first().map(|k| keys::name(*k)).unwrap_or_default();
                let hint = match binding.action {
                    keys::Action::Pane if self.tour.watch().is_none() || !self.other_pane(width) => continue,
                    keys::Action::Pane if self.tour.player().is_some_and(|player| player.pane == Pane::Stage) => "text",
                    keys::Action::Pane => "stage",
                    keys::Action::Ledger(LedgerAction::Side) if panel::beside(width) => continue,
                    keys::Action::Ledger(LedgerAction::Next) if reading.is_none() => continue,
                    keys::Action::Ledger(LedgerAction::Test) if running && several => continue,
                    keys::Action::Ledger(LedgerAction::TestAll) if running && !several => continue,
                    keys::Action::Ledger(LedgerAction::TestAll) if running => "stop all",
                    keys::Action::Run | keys::Action::Ledger(LedgerAction::Test) if running => "end",
                    keys::Action::Back if self.tour.page().is_some_and(|page| !page.search.is_empty()) => "all again",
                    keys::Action::Run if self.tour.step().is_none_or(|s| s.demo().is_none()) => continue,
                    keys::Action::Watch(WatchAction::Picture) if !self.more_pictures(one) => continue,
                    keys::Action::Watch(WatchAction::ZoomOut) if !self.tour.watch().is_some_and(Watch::has_lanes) => {
                        continue;
                    }
                    _ => binding.hint,
                };
                // A key that a context before has taken means that.
                if hints.iter().all(|(_, taken, _)| *taken != key) {
                    hints.push((turn(*context, binding.action, running), key, hint.to_owned()));
                }
            }
        }
        hints.sort_by_key(|(turn, ..)| *turn);
        hints.into_iter().map(|(_, key, hint)| (key, hint)).collect()
    }

    /// The demo's own keys for the foot of the screen; where they would take it all, a word for each, or only which keys
    /// they are.
    fn own_hints(&self, width: u16) -> Vec<(String, String)> {
        let own: Vec<_> = self.controls().into_iter().map(|(key, label)| (key, first_words(&label))).collect();
        let fits = |hints: &[(String, String)]| {
            let wide: usize = hints.iter().map(|(key, label)| put::width(key) + put::width(label) + 3).sum();
            wide <= usize::from(width.saturating_sub(ESSENTIAL))
        };
        if fits(&own) {
            return own;
        }
        let short = self.short_controls();
        if fits(&short) {
            return short;
        }
        let keys: Vec<_> = own.into_iter().map(|(key, _)| key).collect();
        vec![(keys.join(" "), "this demo's keys".to_owned())]
    }

    /// Whether the other pane is smaller for being the other, or has something to scroll.
    fn other_pane(&self, width: u16) -> bool {
        self.tour.watch().is_some_and(|watch| !panel::beside(width) || watch.scrolled.beyond > 0)
    }

    /// Whether there may be pictures that the stage on the screen has no room for, and a key brings them on.
    fn more_pictures(&self, one: bool) -> bool {
        // While paused the lanes are always the first.
        let several =
            self.tour.watch().is_some_and(|w| w.spec.pictures.len() > 1 && !(w.paused.is_some() && w.has_lanes()));
        several && !(one && self.tour.player().is_some_and(|player| player.pane == Pane::Text))
    }

    /// The demo's own keys with what they do.
    fn controls(&self) -> Vec<(String, String)> {
        let Some(watch) = self.tour.watch() else { return Vec::new() };
        let mut rows = Vec::new();
        for control in watch.spec.controls {
            rows.push((control.key.to_string(), control.label.to_owned()));
            if let crate::fact::Arg::Choice { param, next } = control.arg {
                rows.push((next.to_string(), format!("next {param}")));
            }
        }
        rows
    }

    /// The same with a word for each; keys with one word stand together.
    fn short_controls(&self) -> Vec<(String, String)> {
        let controls = self.tour.watch().map_or(&[][..], |watch| watch.spec.controls);
        let mut rows: Vec<(String, String)> = Vec::new();
        let words = controls.iter().flat_map(|control| {
            let next = match control.arg {
                crate::fact::Arg::Choice { param, next } => Some((next, param)),
                _ => None,
            };
            [Some((control.key, control.verb)), next].into_iter().flatten()
        });
        for (key, word) in words {
            match rows.iter_mut().find(|(_, known)| known == word) {
                Some((keys, _)) => *keys = format!("{keys} {key}"),
                None => rows.push((key.to_string(), word.to_owned())),
            }
        }
        rows
    }

    fn help(&self, area: Rect, buf: &mut Buffer) {
        let Some(scroll) = self.tour.help else { return };
        let rows = self.help_rows();
        let help = Help { theme: self.theme, title: "Keys", rows: &rows, scroll };
        Help { scroll: scroll.min(help.furthest(area)), ..help }.render(area, buf);
    }

    /// The key table as rows: the contexts of the screen behind the help first.
    fn help_rows(&self) -> Vec<(String, String)> {
        use keys::Context as C;
        let all = [
            C::Question,
            C::Present,
            C::Lesson,
            C::Stage,
            C::Picture,
            C::Paused,
            C::Cursor,
            C::Catalogue,
            C::Ledger,
            C::Search,
            C::Replay,
            C::Everywhere,
        ];
        let stage = [C::Stage, C::Picture, C::Paused, C::Cursor, C::Everywhere];
        let here: Vec<C> = match &self.tour.screen {
            Screen::Catalogue(_) => vec![C::Catalogue, C::Everywhere],
            Screen::Replay(_) => [C::Replay].into_iter().chain(stage).collect(),
            Screen::Ledger(_) => [C::Ledger, C::Search].into_iter().chain(stage).collect(),
            Screen::Lesson(_) => [C::Lesson, C::Question].into_iter().chain(stage).collect(),
            Screen::Present(..) => [C::Present, C::Lesson, C::Question].into_iter().chain(stage).collect(),
        };
        let rest = all.into_iter().filter(|c| !here.contains(c));
        let mut rows = Vec::new();
        let controls = self.controls();
        if !controls.is_empty() {
            rows.push((String::new(), "This demo".to_owned()));
            rows.extend(controls);
        }
        for context in here.iter().copied().chain(rest) {
            rows.push((String::new(), context.title().to_owned()));
            let lines = keys::of(context).filter(|b| !b.help.is_empty());
            rows.extend(lines.map(|b| {
                let names: Vec<_> = b.keys.iter().map(|k| keys::name(*k)).collect();
                (names.join(", "), b.help.to_owned())
            }));
        }
        rows
    }

    /// What a click at (`x`, `y`) hits.
    #[must_use]
    pub fn hit(&self, area: Rect, x: u16, y: u16) -> Option<Click> {
        if TooSmall::applies(area) || self.tour.help.is_some() {
            return None;
        }
        let body = Parts::of(area).body;
        match &self.tour.screen {
            Screen::Catalogue(_) => self.hit_catalogue(body, x, y),
            Screen::Lesson(player) => self.hit_step(player, body, x, y),
            Screen::Present(..) => None,
            Screen::Replay(watch) => self.hit_stage(watch, body, x, y),
            Screen::Ledger(page) => self.hit_ledger(page, body, x, y),
        }
    }

    /// The pane that the wheel turns over at (`x`, `y`).
    #[must_use]
    pub fn pane_at(&self, area: Rect, x: u16, y: u16) -> Pane {
        match &self.tour.screen {
            Screen::Catalogue(_) => Pane::Text,
            Screen::Lesson(player) => self.pane_of(player, Parts::of(area).body, x, y),
            Screen::Present(player, _) => {
                if player.watch.is_some() {
                    Pane::Stage
                } else {
                    Pane::Text
                }
            }
            Screen::Replay(_) => Pane::Stage,
            Screen::Ledger(page) => match self.hit_ledger(page, Parts::of(area).body, x, y) {
                Some(Click::Side(Side::Stage) | Click::Worker(_) | Click::Moment(..)) => Pane::Stage,
                _ => Pane::Text,
            },
        }
    }
}

/// The turn of a demo's own keys at the foot of the screen.
const OWN: u8 = 2;

/// Columns at the foot of the screen for what ends a run, helps and leaves.
const ESSENTIAL: u16 = 34;

/// The turn of a key at the foot of the screen; those of equal turns stand as in the table. What is not on the screen is
/// known to nobody, so the key that shows it comes before the demo's own, and these before the next step.
fn turn(context: keys::Context, action: keys::Action, running: bool) -> u8 {
    match (context, action) {
        (keys::Context::Everywhere, _) => u8::MAX,
        (_, keys::Action::Watch(WatchAction::Picture)) => OWN - 1,
        // Who runs it again while it runs ends it first.
        (keys::Context::Lesson, keys::Action::Again) if running => OWN + 3,
        (keys::Context::Lesson, keys::Action::Again) => OWN + 2,
        (keys::Context::Lesson, keys::Action::Run) => 0,
        (keys::Context::Lesson, keys::Action::Ledger(_)) => OWN + 5,
        (keys::Context::Ledger, keys::Action::Ledger(LedgerAction::Test | LedgerAction::TestAll)) => 0,
        (keys::Context::Ledger, keys::Action::Ledger(LedgerAction::Next)) => 1,
        (keys::Context::Ledger, keys::Action::Ledger(LedgerAction::Say(_))) if !running => 0,
        (keys::Context::Ledger, _) => OWN + 1,
        (keys::Context::Picture, _) => OWN + 1,
        (keys::Context::Lesson, _) => OWN + 1,
        (keys::Context::Stage, _) => OWN + 4,
        _ => 0,
    }
}

/// What stands before a comma or a colon: the foot of the screen has little room.
fn first_words(label: &str) -> String {
    label.split([',', ':']).next().unwrap_or(label).to_owned()
}

#[cfg(test)]
mod tests;
