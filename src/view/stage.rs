//! The stage: the demo's pictures, most important first, as many as fit; below them what is to be said.

use super::View;
use super::canvas::ROOMY;
use super::panel::{inside, panel};
use super::put::{put_line, put_right, thousands};
use super::text::{Piece, wrap};
use super::theme::Role;
use super::widget::{Lanes, Window};
use crate::fact::{As, Nanos, On, Picture, SETTLED, Source, Tid, clean_line};
use crate::tour::{Click, Player, Scrolled, Verdict, Watch};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::collections::BTreeSet;

/// A sweep that takes less is not read but suffered: such lanes stand still, as a triggered oscilloscope's do.
const SWEEP: Nanos = Nanos::from_millis(1500);
/// How long they stand.
const STILL: Nanos = Nanos::from_millis(1000);

/// How much of the pictures is above what is seen, and how much below; nothing where all is seen.
fn mark(scrolled: Scrolled) -> Option<String> {
    let (above, below) = (scrolled.at, scrolled.beyond.saturating_sub(scrolled.at));
    match (above, below) {
        (0, 0) => None,
        (0, below) => Some(format!(" ↓ {below} more ")),
        (above, 0) => Some(format!(" ↑ {above} more ")),
        (above, below) => Some(format!(" ↑ {above}  ↓ {below} more ")),
    }
}

/// Where the part begins that stands still at `now`, if a page of the lanes is that short: the page before each full
/// second, so that it is complete when it is first shown.
fn still(page: u64, now: Nanos) -> Option<Nanos> {
    (page < SWEEP.0).then(|| Nanos((now.0 / STILL.0 * STILL.0).saturating_sub(page)))
}

/// Where the page begins that `at` is on, all in nanoseconds. Pages are counted back from `now`, the end of what is kept,
/// so that a pause shows what has just been; the window moves a page at a time, so that the cursor moves and the picture
/// stands.
fn page_of(at: u64, now: u64, column: u64, page: u64) -> u64 {
    let (column, page) = (column.max(1), page.max(1));
    let end = (now / column).saturating_add(1).saturating_mul(column);
    let back = end.saturating_sub(1).saturating_sub(at) / page + 1;
    end.saturating_sub(back.saturating_mul(page))
}

impl View<'_> {
    /// Draws the stage; how its pictures are scrolled.
    pub(super) fn stage(&self, watch: &Watch, focused: bool, area: Rect, buf: &mut Buffer) -> Scrolled {
        let inner = panel(self.theme, &self.stage_title(watch), &self.stage_state(watch), focused, area, buf);
        let (page, words) = self.page(watch, inner);
        let canvas = self.canvas(watch, page, self.remarks(page.width));
        self.put_canvas(&canvas, watch, buf);
        let below = Rect { y: page.bottom(), height: inner.bottom() - page.bottom(), ..inner };
        for (y, line) in (0..below.height).zip(&words) {
            put_line(buf, below, 0, y, line);
        }
        if let Some(mark) = mark(canvas.scrolled).filter(|_| area.height > 2) {
            put_right(buf, area, area.width.saturating_sub(2), area.height - 1, &mark, self.theme.style(Role::Accent));
        }
        canvas.scrolled
    }

    /// The room for the pictures, and what is said below it.
    fn page(&self, watch: &Watch, inner: Rect) -> (Rect, Vec<Line<'static>>) {
        let words = self.stage_words(watch, inner.width, inner.height >= ROOMY);
        let high = u16::try_from(words.len()).unwrap_or(u16::MAX).min(inner.height / 2);
        (Rect { height: inner.height - high, ..inner }, words)
    }

    fn stage_title(&self, watch: &Watch) -> String {
        let tally = &self.scene.tally;
        let all = tally.workers().count();
        let alive = tally.workers().filter(|w| w.alive()).count();
        if all == 0 {
            return watch.spec.name.to_owned();
        }
        let what = tally.start.as_ref().and_then(|s| s.params.get(As::PARAM.name)).and_then(|v| v.as_str());
        // A demo whose workers are always threads has no parameter to say so.
        let in_one = || tally.workers().map(|w| w.pid).collect::<BTreeSet<_>>().len() < all;
        let (one, many) = match what {
            Some("threads") => ("thread", "threads"),
            None if in_one() => ("thread", "threads"),
            _ => ("process", "processes"),
        };
        let words = super::put::count(all as u64, one, many);
        match watch.running && alive < all {
            true => format!("{}: {words}, {alive} alive", watch.spec.name),
            false => format!("{}: {words}", watch.spec.name),
        }
    }

    fn stage_state(&self, watch: &Watch) -> String {
        let seconds = self.scene.now().seconds();
        match (watch.paused, watch.running, self.scene.tally.start.is_some()) {
            (Some(paused), ..) => format!("paused at {:.3} s", paused.at.seconds()),
            (None, true, false) => "starting".to_owned(),
            (None, true, true) if self.stays(watch) => format!("measured, running {seconds:.1} s"),
            (None, true, true) => format!("running {seconds:.1} s"),
            (None, false, _) if watch.recorded => format!("recorded, {seconds:.1} s"),
            (None, false, _) => format!("ended after {seconds:.1} s"),
        }
    }

    /// Whether the demo waits for the learner: it has said that its values can be judged, and has begun nothing since.
    fn stays(&self, watch: &Watch) -> bool {
        let settled = || self.scene.tally.steps.last().is_some_and(|(_, step)| step == SETTLED);
        watch.spec.stays && watch.running && settled()
    }

    pub(super) fn chosen(&self, watch: &Watch) -> Option<Tid> {
        let name = watch.chosen(self.scene)?;
        self.scene.tally.worker(name).map(|w| w.tid)
    }

    pub(super) fn lanes(&self, watch: &Watch, area: Rect) -> Lanes<'_> {
        let (scene, theme, column) = (self.scene, self.theme, watch.column());
        let live = Lanes { scene, theme, column, tall: self.tall(), window: Window::Live { now: scene.now() } };
        let page = column.0.saturating_mul(u64::from(live.columns(area).max(1)));
        let frozen = |from| Lanes { window: Window::Frozen { from, cursor: None }, ..live };
        let Some(paused) = watch.paused else {
            if let Some(latest) = watch.last_seen(scene) {
                let last = latest.0.saturating_sub(1);
                return frozen(Nanos(page_of(last, last, column.0, page)));
            }
            return still(page, scene.now()).map_or(live, frozen);
        };
        let from = Nanos(page_of(paused.at.0, scene.now().0, column.0, page));
        Lanes { window: Window::Frozen { from, cursor: Some((paused.cpu, paused.at)) }, ..live }
    }

    /// Rows that a core may have: more for the last row of a hall.
    pub(super) fn tall(&self) -> u16 {
        if matches!(self.tour.screen, crate::tour::Screen::Present(..)) { 4 } else { 3 }
    }

    /// What is said below the pictures.
    fn stage_words(&self, watch: &Watch, width: u16, roomy: bool) -> Vec<Line<'static>> {
        let mut said: Vec<(String, Role)> = Vec::new();
        let lanes = watch.spec.pictures.contains(&Picture::Lanes) && watch.paused.is_none();
        let page = watch.column().0.saturating_mul(width.into());
        if lanes && watch.running && roomy && still(page, self.scene.now()).is_some() {
            said.push(("The lanes show one page a second, to be read. ] shows all, p pauses.".to_owned(), Role::Dim));
        }
        said.extend(self.tour.page().and_then(super::ledger::progress).map(|words| (words, Role::Accent)));
        said.extend(self.choices(watch));
        said.extend(self.refusals(watch).map(|words| (words, Role::Warning)));
        if let Some(line) = self.scene.said.back() {
            said.push((format!("it says: {}", clean_line(line)), Role::Dim));
        }
        if self.scene.dropped > 0 {
            said.push((format!("{} bytes of its output were not kept", thousands(self.scene.dropped)), Role::Dim));
        }
        if let Some(outcome) = self.scene.outcome.as_ref().filter(|o| o.left_behind > 0) {
            let words = super::put::count(outcome.left_behind, "process", "processes");
            let them = if outcome.left_behind == 1 { "it" } else { "them" };
            said.push((format!("It left {words} behind; forklore ended {them}."), Role::Warning));
        }
        said.extend(self.tour.player().and_then(|player| self.verdict(player, watch)));
        self.said(said, width)
    }

    /// What holds for the whole run, for below the pictures.
    fn remarks(&self, width: u16) -> Vec<Line<'static>> {
        let Some(start) = &self.scene.tally.start else { return Vec::new() };
        let unwatched = (start.source == Source::Unwatched).then(|| Source::Unwatched.meaning().to_owned());
        let because = start.because.as_ref().map(|because| format!("No better source: {}", clean_line(because)));
        self.said(unwatched.into_iter().chain(because).map(|words| (words, Role::Dim)), width)
    }

    fn said(&self, said: impl IntoIterator<Item = (String, Role)>, width: u16) -> Vec<Line<'static>> {
        let lines = |(words, role): (String, Role)| wrap(&[Piece::new(words, self.theme.style(role))], width.into());
        said.into_iter().flat_map(lines).collect()
    }

    /// The last refusals: while the run goes on, those that are news; then all that the verdict does not say itself.
    fn refusals(&self, watch: &Watch) -> impl Iterator<Item = String> {
        let broke = match self.tour.player().and_then(|player| player.verdict.as_ref()) {
            Some(Verdict::Broke(why)) => Some(clean_line(why)),
            _ => None,
        };
        let now = self.scene.now();
        let news = self.scene.refused.iter().rev().filter(move |r| !watch.running || r.is_news(now));
        news.map(|r| clean_line(&r.what.to_string())).filter(move |words| broke.as_ref() != Some(words)).take(2)
    }

    /// What the demo's own keys would do now.
    fn choices(&self, watch: &Watch) -> Option<(String, Role)> {
        let param = watch.choices.keys().next().filter(|_| watch.running)?;
        let control = watch.spec.controls.iter().find(|c| matches!(c.arg, crate::fact::Arg::Choice { .. }))?;
        let crate::fact::Arg::Choice { next, .. } = control.arg else { return None };
        let word = watch.choice(param)?;
        let (whom, other) = match control.on {
            On::Demo => (String::new(), ""),
            On::Worker => (format!("{}, ", watch.chosen(self.scene).unwrap_or("-")), ", . next worker"),
        };
        let words = format!("{} {}: {whom}{param} {word}   ({next} next {param}{other})", control.key, control.label);
        Some((words, Role::Text))
    }

    fn verdict(&self, player: &Player, watch: &Watch) -> Option<(String, Role)> {
        let answered = player.asked.iter().filter(|a| a.chosen.is_some() && a.measured.is_some());
        let right: Option<bool> = answered.map(|a| a.right == a.chosen).reduce(|all, one| all && one);
        Some(match player.verdict.as_ref()? {
            Verdict::AsExpected if right == Some(false) => {
                ("✓ As the lesson says; not as you predicted.".to_owned(), Role::Accent)
            }
            Verdict::Undecided(..) if right == Some(false) => ("Not as you predicted.".to_owned(), Role::Accent),
            Verdict::AsExpected | Verdict::Undecided(..) if right == Some(true) => {
                ("✓ As you predicted.".to_owned(), Role::Good)
            }
            Verdict::Undecided(word, rest) => {
                let open = if player.asked.iter().any(|a| self.open(a)) { " Your prediction stays open." } else { "" };
                let rest = if *rest { " The rest is as the lesson says." } else { "" };
                let word = clean_line(word);
                (format!("This run cannot tell: {word}.{open}{rest}"), Role::Accent)
            }
            Verdict::AsExpected if player.asked.iter().any(|a| self.open(a)) => {
                let expects = self.tour.step().and_then(|step| step.demo()).is_some_and(|demo| !demo.expect.is_empty());
                let rest = if expects { " The rest is as the lesson says." } else { "" };
                (format!("Your prediction stays open: this run could not answer it.{rest}"), Role::Accent)
            }
            Verdict::AsExpected => ("✓ As the lesson says.".to_owned(), Role::Good),
            Verdict::Otherwise(list) => {
                let each = |(name, wanted, value): &(String, String, serde_json::Value)| {
                    format!(
                        "{name}: expected {}, measured {}",
                        clean_line(wanted),
                        self.shown(watch.spec.name, name, value)
                    )
                };
                let list: Vec<_> = list.iter().map(each).collect();
                (format!("✗ Not as the lesson says. {}.", list.join("; ")), Role::Warning)
            }
            Verdict::Changed => {
                let open = if player.asked.iter().any(|a| self.open(a)) { " Your prediction stays open." } else { "" };
                (format!("You changed this run by a key, so it is not judged.{open}"), Role::Accent)
            }
            Verdict::EndedEarly => {
                ("You ended it before it could be judged. Space runs it again.".to_owned(), Role::Dim)
            }
            Verdict::Broke(why) => {
                let began = self.scene.outcome.is_some() && !self.could_not_run();
                let what = if began { "This demo broke" } else { "It could not run here" };
                (format!("✗ {what}: {}", clean_line(why)), Role::Bad)
            }
        })
    }

    /// A prediction that was made and that the run did not answer.
    fn open(&self, asked: &crate::tour::Asked) -> bool {
        let question = self.tour.step().and_then(|step| asked.question(step));
        asked.chosen.is_some()
            && asked.measured.is_none()
            && matches!(question, Some(crate::tour::Question::Predict(_)))
    }

    pub(super) fn hit_stage(&self, watch: &Watch, area: Rect, x: u16, y: u16) -> Option<Click> {
        let (page, _) = self.page(watch, inside(area));
        if !page.contains((x, y).into()) {
            return None;
        }
        let canvas = self.canvas(watch, page, self.remarks(page.width));
        let y = canvas.row(y);
        let (picture, place) = canvas.places.iter().find(|(_, place)| place.contains((x, y).into()))?;
        let place = *place;
        match picture {
            Picture::Lanes => self.lanes(watch, place).at(place, x, y).map(|(cpu, t)| Click::Moment(cpu, t)),
            Picture::Workers => {
                let row = usize::from(y - place.y).checked_sub(1)?;
                self.scene.tally.workers().nth(row).map(|w| Click::Worker(w.name.clone()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::page_of;

    #[test]
    fn pages_are_counted_back_from_the_pause() {
        // Columns of 2, pages of 20, paused at 105: its column is the last of the first page.
        let begins = |at| page_of(at, 105, 2, 20);
        assert_eq!([105, 104, 86, 85, 66, 65].map(begins), [86, 86, 86, 66, 66, 46]);
        assert_eq!([5, 0].map(begins), [0, 0]);
        assert_eq!(page_of(7, 7, 2, 20), 0, "a run shorter than a page begins at its beginning");
        assert_eq!(page_of(u64::MAX, u64::MAX, 0, 0), u64::MAX - 1);
    }
}
