//! Where the learner is: `update(&mut Tour, Event, &Scene) -> Vec<Effect>`, pure.
//!
//! It changes the model and says what is to be done; only the shell does it. It knows no terminal, file, process or
//! clock: keys, clicks, results and the passing of time all come as events.

mod catalogue;
mod event;
pub mod keys;
mod ledger;
mod player;
mod pointer;
mod question;
mod watch;

pub use catalogue::Catalogue;
pub use event::{Click, Effect, Event, Key, Memory, StartRun};
pub use ledger::{Batch, Claims, Filter, Page, Place, Score, Side, Standing, Testing, Told};
pub use player::{Pane, Player, Sight, Verdict};
pub use question::{Asked, Question};
pub use watch::{Paused, Scrolled, Watch, ZOOMS};

use crate::fact::{DemoSpec, RunId};
use crate::lesson::Lesson;
use crate::lore::{Lang, Ledger};
use crate::scene::Scene;
use keys::{Action, Context};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything about where the learner is.
#[derive(Debug)]
pub struct Tour {
    /// The lessons, in the order of the course.
    pub lessons: Vec<Lesson>,
    /// What the demos say of themselves.
    pub specs: Vec<&'static DemoSpec>,
    /// The claims of the ledger.
    pub claims: Claims,
    /// What is on the screen.
    pub screen: Screen,
    /// How far the help is scrolled, while it is open.
    pub help: Option<usize>,
    /// What the learner has done before.
    pub recall: Recall,
    /// One sentence for the learner, until the next key.
    pub notice: Option<String>,
    /// A sentence that stays until what it says is over: "not saved".
    pub banner: Option<String>,
    /// The screens that one comes back to, the last on top.
    behind: Vec<Screen>,
    /// The claim at which the ledger was left.
    at_claim: usize,
    runs: u64,
}

/// What is on the screen.
#[derive(Debug)]
pub enum Screen {
    /// The lessons to choose from.
    Catalogue(Catalogue),
    /// A step beside its stage.
    Lesson(Player),
    /// The same for a projector.
    Present(Player, Clock),
    /// A recorded run.
    Replay(Watch),
    /// The claims of the ledger.
    Ledger(Page),
}

/// The presenter's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clock {
    /// It is shown.
    pub shown: bool,
    /// Seconds since the presentation began.
    pub seconds: u64,
}

/// What the learner has done before, as far as the tour shows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recall {
    /// Lessons that are done, by id.
    pub done: BTreeSet<String>,
    /// Steps seen, by lesson id; steps count from 0.
    pub seen: BTreeMap<String, BTreeSet<usize>>,
    /// Where the learner left.
    pub place: Option<(String, usize)>,
    /// What was measured: `demo.value`.
    pub figures: BTreeMap<String, Value>,
    /// Of figures that were measured before this session: when, and where if it was another machine.
    pub earlier: BTreeMap<String, String>,
    /// What the learner says of claims, by id; none: they cannot say.
    pub beliefs: BTreeMap<String, Option<bool>>,
    /// What a machine said of claims, by id.
    pub answers: BTreeMap<String, Told>,
}

impl Tour {
    /// A tour at its catalogue.
    #[must_use]
    pub fn new(lessons: Vec<Lesson>, specs: Vec<&'static DemoSpec>, recall: Recall) -> Self {
        let catalogue = Catalogue::at(&lessons, recall.place.as_ref());
        let screen = Screen::Catalogue(catalogue);
        let claims = Claims::new(Err("There is no ledger here.".to_owned()), Lang::En, &lessons);
        let (help, notice, banner, behind) = (None, None, None, Vec::new());
        Self { lessons, specs, claims, screen, help, recall, notice, banner, behind, at_claim: 0, runs: 0 }
    }

    /// The same with a ledger, or the sentence that says why there is none.
    #[must_use]
    pub fn with_ledger(mut self, ledger: Result<Ledger, String>, lang: Lang) -> Self {
        self.claims = Claims::new(ledger, lang, &self.lessons);
        self
    }

    /// Opens a step of a lesson, both counted from 0. The effects remember the place.
    pub fn open(&mut self, lesson: usize, step: usize) -> Vec<Effect> {
        let player = Player::new(lesson);
        self.screen = Screen::Lesson(player);
        self.go(step)
    }

    /// Opens a step for a projector.
    pub fn present(&mut self, lesson: usize, step: usize) -> Vec<Effect> {
        self.screen = Screen::Present(Player::new(lesson), Clock::default());
        self.go(step)
    }

    /// Opens a recording.
    pub fn replay(&mut self, spec: &'static DemoSpec) {
        self.runs += 1;
        self.screen = Screen::Replay(Watch::recorded(RunId(self.runs), spec));
    }

    /// The player, on the screens that have one.
    #[must_use]
    pub fn player(&self) -> Option<&Player> {
        match &self.screen {
            Screen::Lesson(player) | Screen::Present(player, _) => Some(player),
            Screen::Catalogue(_) | Screen::Replay(_) | Screen::Ledger(_) => None,
        }
    }

    fn player_mut(&mut self) -> Option<&mut Player> {
        match &mut self.screen {
            Screen::Lesson(player) | Screen::Present(player, _) => Some(player),
            Screen::Catalogue(_) | Screen::Replay(_) | Screen::Ledger(_) => None,
        }
    }

    /// The run that is shown, on the screens that show one.
    #[must_use]
    pub fn watch(&self) -> Option<&Watch> {
        match &self.screen {
            Screen::Lesson(player) | Screen::Present(player, _) => player.watch.as_ref(),
            Screen::Replay(watch) => Some(watch),
            Screen::Ledger(page) => page.on_show(),
            Screen::Catalogue(_) => None,
        }
    }

    fn watch_mut(&mut self) -> Option<&mut Watch> {
        match &mut self.screen {
            Screen::Lesson(player) | Screen::Present(player, _) => player.watch.as_mut(),
            Screen::Replay(watch) => Some(watch),
            Screen::Ledger(page) => page.on_show_mut(),
            Screen::Catalogue(_) => None,
        }
    }

    /// The lesson that is open.
    #[must_use]
    pub fn lesson(&self) -> Option<&Lesson> {
        self.lessons.get(self.player()?.lesson)
    }

    /// The step that is open.
    #[must_use]
    pub fn step(&self) -> Option<&crate::lesson::Step> {
        self.lesson()?.steps.get(self.player()?.step)
    }

    /// The contexts whose keys count now, the most special first.
    #[must_use]
    pub fn contexts(&self) -> Vec<Context> {
        if self.help.is_some() {
            return vec![Context::Help];
        }
        if self.page().is_some_and(|page| page.typing) {
            return vec![Context::Search];
        }
        let mut contexts = Vec::new();
        if let Some(watch) = self.watch() {
            contexts.extend(watch.paused.is_some().then_some(Context::Paused));
            contexts.extend((watch.paused.is_some() && watch.has_lanes()).then_some(Context::Cursor));
        }
        let scrolls = self.watch().is_some_and(|watch| watch.scrolled.beyond > 0).then_some(Context::Picture);
        match &self.screen {
            Screen::Catalogue(_) => contexts.push(Context::Catalogue),
            Screen::Lesson(player) | Screen::Present(player, _) => {
                contexts.extend(player.asking().is_some().then_some(Context::Question));
                contexts.extend(matches!(self.screen, Screen::Present(..)).then_some(Context::Present));
                contexts.extend(scrolls.filter(|_| player.pane == Pane::Stage));
                contexts.push(Context::Lesson);
                contexts.extend(player.watch.is_some().then_some(Context::Stage));
            }
            Screen::Replay(_) => {
                contexts.extend(scrolls);
                contexts.extend([Context::Replay, Context::Stage]);
            }
            // Where there is none, there is nothing to do but leave.
            Screen::Ledger(_) if self.claims.wrong.is_some() => {}
            Screen::Ledger(page) => {
                contexts.extend(scrolls.filter(|_| page.side == Side::Stage));
                contexts.push(Context::Ledger);
                contexts.extend(page.on_show().is_some().then_some(Context::Stage));
            }
        }
        contexts.push(Context::Everywhere);
        contexts
    }

    /// Takes an event in; what the shell is to do.
    pub fn update(&mut self, event: Event, scene: &Scene) -> Vec<Effect> {
        let mut effects = self.take(event, scene);
        effects.extend(self.last_step_done(false));
        effects
    }

    fn take(&mut self, event: Event, scene: &Scene) -> Vec<Effect> {
        match event {
            Event::Key(key) => self.key(key, scene),
            Event::Click(click) => self.click(click, scene),
            Event::Wheel(pane, lines) => {
                let stage = pane == Pane::Stage && self.help.is_none();
                match self.watch_mut().filter(|_| stage) {
                    Some(watch) => watch.scrolled.by(isize::try_from(lines).unwrap_or(0)),
                    _ => self.scroll(lines),
                }
                Vec::new()
            }
            Event::Settled { run } if self.page().is_some() => self.test_settled(run, scene),
            Event::Settled { run } => self.judge(run, scene, false),
            Event::Over { run } if self.page().is_some() => self.test_over(run, scene),
            Event::Over { run } => self.judge(run, scene, true),
            Event::Late { run } => self.test_late(run),
            Event::CannotRun(sentence) => {
                let Some(player) = self.player_mut() else { return self.test_refused(sentence) };
                player.cannot_run(sentence);
                Vec::new()
            }
            Event::Notice(sentence) => {
                self.notice = Some(sentence);
                Vec::new()
            }
            Event::Banner(banner) => {
                self.banner = banner;
                Vec::new()
            }
            Event::Clock(seconds) => {
                if let Screen::Present(_, clock) = &mut self.screen {
                    clock.seconds = seconds;
                }
                Vec::new()
            }
            Event::Extent { text, below, scroll, stage } => {
                self.drawn((text, below, scroll), stage);
                Vec::new()
            }
        }
    }

    fn key(&mut self, key: Key, scene: &Scene) -> Vec<Effect> {
        self.notice = None;
        // The demo's own controls come before the general keys, after those of a pause or a question.
        let contexts = self.contexts();
        let special = contexts
            .iter()
            .take_while(|c| matches!(c, Context::Paused | Context::Cursor | Context::Question | Context::Help));
        if let Some(action) = keys::action(special.copied(), key) {
            return self.act(action, scene);
        }
        if let Key::Char(c) = key
            && self.typed(c)
        {
            return Vec::new();
        }
        if !contexts.contains(&Context::Help)
            && let Some(effects) = self.control(key, scene)
        {
            return effects;
        }
        keys::action(contexts.iter().copied(), key).map_or_else(Vec::new, |action| self.act(action, scene))
    }

    /// A key of the demo's own, while it runs.
    fn control(&mut self, key: Key, scene: &Scene) -> Option<Vec<Effect>> {
        let Key::Char(c) = key else { return None };
        // In the ledger its own keys come first, but on the stage.
        if self.page().is_some_and(|page| page.side != Side::Stage) {
            return None;
        }
        let watch = self.watch_mut().filter(|w| w.running)?;
        match watch.control(c, scene)? {
            Ok(effects) => Some(effects),
            Err(sentence) => {
                self.notice = Some(sentence);
                Some(Vec::new())
            }
        }
    }

    fn act(&mut self, action: Action, scene: &Scene) -> Vec<Effect> {
        match action {
            Action::Quit => return vec![Effect::Quit],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Redraw => return vec![Effect::Redraw],
            Action::Theme => return vec![Effect::NextTheme],
            Action::Help => self.help = Some(0),
            Action::CloseHelp => self.help = None,
            Action::Back => return self.back(),
            Action::Up => self.scroll(-1),
            Action::Down => self.scroll(1),
            Action::First => self.scroll(i32::MIN / 2),
            Action::Last => self.scroll(i32::MAX / 2),
            Action::Open => return self.open_chosen(),
            Action::Next => return self.step_by(1),
            Action::Previous => return self.step_by(-1),
            Action::Go => return self.go_on(),
            Action::Run => return self.run(),
            Action::Again => return self.again(),
            Action::Choose(n) => self.choose_option(Some(n)),
            Action::OptionUp => self.move_option(-1),
            Action::OptionDown => self.move_option(1),
            Action::Answer => self.answer_marked(),
            Action::TakeBack => self.with_player(Player::take_back),
            Action::Hint => self.with_player(|p| p.hints = !p.hints),
            Action::Notes => self.with_player(Player::turn_notes),
            Action::Pane => self.with_player(|p| p.pane = p.pane.other()),
            Action::Clock => {
                if let Screen::Present(_, clock) = &mut self.screen {
                    clock.shown = !clock.shown;
                }
            }
            Action::Ledger(action) => return self.ledger(action),
            Action::Watch(action) => {
                return self.watch_mut().map_or_else(Vec::new, |watch| watch.act(action, scene));
            }
        }
        Vec::new()
    }

    fn with_player(&mut self, f: impl FnOnce(&mut Player)) {
        if let Some(player) = self.player_mut() {
            f(player);
        }
    }

    fn back(&mut self) -> Vec<Effect> {
        match &self.screen {
            Screen::Lesson(player) => {
                // Who came to the last step by way of the others has read what there is; who only looked in has not.
                let read = player.step > 0;
                let done = self.last_step_done(read);
                self.screen = self.behind.pop().unwrap_or_else(|| self.catalogue());
                std::iter::once(Effect::Stop).chain(done).collect()
            }
            Screen::Ledger(_) => self.leave_ledger(),
            Screen::Catalogue(_) | Screen::Present(..) | Screen::Replay(_) => vec![Effect::Quit],
        }
    }

    fn catalogue(&self) -> Screen {
        Screen::Catalogue(Catalogue::at(&self.lessons, self.recall.place.as_ref()))
    }

    fn open_chosen(&mut self) -> Vec<Effect> {
        let Screen::Catalogue(catalogue) = &self.screen else { return Vec::new() };
        let lesson = catalogue.cursor;
        let id = self.lessons.get(lesson).map(|l| l.id.as_str());
        let here = self.recall.place.as_ref().filter(|(place, _)| Some(place.as_str()) == id);
        let step = here.map_or(0, |(_, step)| *step);
        if id.is_some() { self.open(lesson, step) } else { Vec::new() }
    }

    fn next_run(&mut self) -> RunId {
        self.runs += 1;
        RunId(self.runs)
    }
}

#[cfg(test)]
mod tests;
