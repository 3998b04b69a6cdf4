//! The keys at the foot of the screen, and in the help.

use super::theme::Charset;
use super::widget::{Footer, Help};
use super::{View, ledger, panel, put};
use crate::tour::keys::{self, LedgerAction, WatchAction};
use crate::tour::{Key, Pane, Player, Screen, Side, Watch};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

impl View<'_> {
    pub(super) fn footer(&self, area: Rect, one: bool, buf: &mut Buffer) {
        let keys = self.hints(area.width, one);
        let keys: Vec<(&str, &str)> = keys.iter().map(|(k, w)| (k.as_str(), w.as_str())).collect();
        Footer { theme: self.theme, keys: &keys, keep: 2 }.render(area, buf);
    }

    /// A key's name. Where there are no arrows to draw, theirs are words: a letter would be another key.
    fn key(&self, key: Key) -> String {
        let word = match key {
            Key::Up => "up",
            Key::Down => "down",
            Key::Left => "left",
            Key::Right => "right",
            _ => return keys::name(key),
        };
        if self.theme.charset() == Charset::Ascii { word.to_owned() } else { keys::name(key) }
    }

    /// The keys for the foot of the screen, most important first, help and leave last. `one`: of two panes one is seen.
    fn hints(&self, width: u16, one: bool) -> Vec<(String, String)> {
        let mut hints: Vec<(u8, String, String)> = Vec::new();
        let covered = |player: &Player| player.watch.is_some() && player.pane == Pane::Stage && player.told();
        if one && matches!(&self.tour.screen, Screen::Lesson(player) if covered(player)) {
            hints.push((0, self.key(Key::Tab), "the answer".to_owned()));
        }
        let contexts = self.tour.contexts();
        if one && let Some(page) = self.tour.page().filter(|_| contexts.contains(&keys::Context::Ledger)) {
            hints.push((0, self.key(Key::Tab), self.next_side(page).to_owned()));
        }
        let running = self.tour.watch().is_some_and(|w| w.running);
        let reading = self.tour.page().filter(|page| page.side != Side::List);
        let several = self.tour.page().and_then(ledger::run_of).is_some();
        for context in &contexts {
            if *context == keys::Context::Stage && running && self.own_keys_count() {
                hints.extend(self.own_hints(width).into_iter().map(|(key, label)| (OWN, key, label)));
            }
            for binding in keys::of(*context).filter(|b| !b.hint.is_empty()) {
                let key = binding.keys.first().map(|k| self.key(*k)).unwrap_or_default();
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

    pub(super) fn help(&self, area: Rect, buf: &mut Buffer) {
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
                let names: Vec<_> = b.keys.iter().map(|k| self.key(*k)).collect();
                (names.join(", "), b.help.to_owned())
            }));
        }
        rows
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
