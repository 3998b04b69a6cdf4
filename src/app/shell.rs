//! The loop: drain everything that waits, then draw at most once a frame, and only when something changed.

mod keeping;
mod kept;
mod runs;

use super::input::{self, Mouse};
use super::{look, step_of};
use crate::demo;
use crate::fact::{RunId, SourceChoice, Stamped};
use crate::lesson::{Library, Place};
use crate::lore::{Lang, Ledger};
use crate::scene::Scene;
use crate::term::{self, Notice, Screen, Suspended, guard::GuardedBy};
use crate::tour::{Effect, Event, Tour};
use crate::view::theme::Theme;
use crate::view::{Extent, View};
use keeping::Origin;
use kept::{Memoir, Which};
use ratatui::layout::Rect;
use runs::Runs;
use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Thirty frames a second at most.
const FRAME: Duration = Duration::from_millis(33);

/// Messages that may wait. Who sends more waits until they are taken: a demo's losses are counted by its observer.
const WAITING: usize = 256;

/// Messages taken between two looks at the frame's clock, so that no flood keeps the screen from being drawn.
const BURST: usize = 512;

/// What comes in: one closed list, one receiver.
pub(super) enum Shout {
    Input(crossterm::event::Event),
    Notice(Notice),
    Facts(RunId, Vec<Stamped>),
    WorkerPanicked(String),
    Kept(Which, crate::progress::Kept),
}

/// What to open with.
pub(super) enum Opening {
    Catalogue,
    Lesson(Place),
    Present(Place),
    Replay(Vec<Stamped>),
}

/// The whole program at work.
pub(super) struct Shell {
    tour: Tour,
    scene: Scene,
    /// The scene as it was when the picture was paused.
    held: Option<Scene>,
    theme: Theme,
    theme_names: Vec<&'static str>,
    runs: Runs,
    /// Where the run on the screen came from, once it can be judged and until it is kept.
    settled: Option<Origin>,
    memory: Memoir,
    send: SyncSender<Shout>,
    receive: Receiver<Shout>,
    changed: bool,
    begun: Instant,
}

/// Whether the loop goes on.
enum Flow {
    On,
    Leave(u8),
}

impl Shell {
    pub(super) fn new(
        library: &Library,
        lore: (Result<Ledger, String>, Lang),
        source: SourceChoice,
        theme: Option<Theme>,
        ascii: bool,
    ) -> Self {
        let (send, receive) = sync_channel(WAITING);
        let lessons: Vec<_> = library.lessons().cloned().collect();
        let (memory, mut notices) = Memoir::open();
        let last = || memory.theme().and_then(Theme::named).unwrap_or_default();
        let theme = look::fitted(theme.unwrap_or_else(last), ascii);
        let mut tour = Tour::new(lessons, demo::specs(), memory.recall()).with_ledger(lore.0, lore.1);
        let wrong = library.diagnostics().len();
        if wrong > 0 {
            notices.push(format!("the lessons have {wrong} mistakes; forklore check tells where"));
        }
        if !notices.is_empty() {
            tour.notice = Some(crate::fact::clean_line(&notices.join("; ")));
        }
        Self {
            tour,
            scene: Scene::new(),
            held: None,
            theme,
            theme_names: Theme::names().collect(),
            runs: Runs::new(source),
            settled: None,
            memory,
            send,
            receive,
            changed: true,
            begun: Instant::now(),
        }
    }

    /// Takes the terminal and runs until the learner leaves. The exit code is the process's.
    pub(super) fn run(mut self, by: Option<GuardedBy>, opening: &Opening) -> u8 {
        match self.on_screen(by, opening) {
            Ok(code) => code,
            Err(error) => {
                term::restore();
                let _ = writeln!(std::io::stderr(), "forklore: the terminal cannot be used: {error}");
                2
            }
        }
    }

    fn on_screen(&mut self, by: Option<GuardedBy>, opening: &Opening) -> std::io::Result<u8> {
        term::block_signals()?;
        let panics = self.send.clone();
        term::install_panic_hook(move |message| _ = panics.try_send(Shout::WorkerPanicked(message)));
        let notices = self.send.clone();
        let watchdog = term::watch(by, Box::new(move |notice| _ = notices.try_send(Shout::Notice(notice))))?;
        let kept = self.send.clone();
        self.memory.start(move |which, word| _ = kept.try_send(Shout::Kept(which, word)));
        let mut screen = Screen::new()?;
        let inputs = self.send.clone();
        let _input = term::input::listen(Box::new(move |event| _ = inputs.send(Shout::Input(event))))?;
        self.open(opening, &mut screen);
        let code = self.turn_round(&mut screen)?;
        watchdog.allow(Duration::from_secs(8));
        self.keep_left();
        self.runs.end(&self.receive);
        let last = self.memory.finish();
        self.memory.end_session();
        drop(screen);
        if let Some(sentence) = last {
            let _ = writeln!(std::io::stderr(), "forklore: {}", crate::fact::clean(&sentence));
        }
        if code == 128 + 9 {
            let _ = write!(std::io::stderr(), "{}", term::GUARD_GONE);
        }
        Ok(code)
    }

    fn open(&mut self, opening: &Opening, screen: &mut Screen) {
        let effects = match opening {
            Opening::Catalogue => Vec::new(),
            Opening::Lesson(place) => self.tour.open(place.lesson, step_of(*place)),
            Opening::Present(place) => self.tour.present(place.lesson, step_of(*place)),
            Opening::Replay(facts) => {
                self.scene.extend(facts);
                let demo = self.scene.tally.start.as_ref().and_then(|start| demo::find(&start.demo));
                if let Some(demo) = demo {
                    self.tour.replay(demo.spec());
                }
                Vec::new()
            }
        };
        self.perform(effects, screen);
    }

    /// The loop itself.
    fn turn_round(&mut self, screen: &mut Screen) -> std::io::Result<u8> {
        let mut next_frame = Instant::now();
        loop {
            if self.changed && Instant::now() >= next_frame {
                self.draw(screen)?;
                next_frame = Instant::now() + FRAME;
            }
            let first = match self.patience(next_frame) {
                None => self.receive.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(patience) => self.receive.recv_timeout(patience),
            };
            let mut waiting = match first {
                Ok(shout) => Some(shout),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(1),
            };
            for _ in 0..BURST {
                let Some(shout) = waiting else { break };
                if let Flow::Leave(code) = self.hear(shout, screen)? {
                    return Ok(code);
                }
                waiting = self.receive.try_recv().ok();
            }
            self.tick();
        }
    }

    /// How long to wait for a message: until the frame that is due, or the next second of a clock; else for ever.
    fn patience(&self, next_frame: Instant) -> Option<Duration> {
        let frame = self.changed.then(|| next_frame.saturating_duration_since(Instant::now()));
        let clock = match &self.tour.screen {
            crate::tour::Screen::Present(_, clock) if clock.shown => {
                Some(Duration::from_millis(1000 - u64::from(self.begun.elapsed().subsec_millis())))
            }
            _ => None,
        };
        frame.into_iter().chain(clock).min()
    }

    fn tick(&mut self) {
        if let crate::tour::Screen::Present(_, clock) = &self.tour.screen
            && clock.shown
            && clock.seconds != self.begun.elapsed().as_secs()
        {
            let _ = self.tour.update(Event::Clock(self.begun.elapsed().as_secs()), &self.scene);
            self.changed = true;
        }
    }

    fn draw(&mut self, screen: &mut Screen) -> std::io::Result<()> {
        self.changed = false;
        let view = self.seen();
        let mut extent = None;
        screen.draw(|frame| extent = Some(view.render(frame)))?;
        if let Some(extent) = extent {
            let Extent { text, below, scroll, stage } = extent;
            let _ = self.tour.update(Event::Extent { text, below, scroll, stage }, &self.scene);
        }
        Ok(())
    }

    fn hear(&mut self, shout: Shout, screen: &mut Screen) -> std::io::Result<Flow> {
        match shout {
            Shout::Facts(run, facts) => {
                let events = self.runs.take(run, &facts, &mut self.scene);
                self.changed |= self.held.is_none() || !events.is_empty();
                for event in events {
                    // A run that was left, with its step or with the ledger, is nobody's any more.
                    let shown = |run| self.tour.watch().is_some_and(|watch| watch.run == run);
                    let over = matches!(event, Event::Over { run } if shown(run));
                    let settled = matches!(event, Event::Settled { run } if shown(run));
                    let asked = self.tour.watch().is_some_and(|watch| watch.asked_to_end);
                    let effects = self.tour.update(event, &self.scene);
                    // Before the next run begins with an empty scene.
                    if over {
                        self.keep(asked);
                    } else if settled {
                        self.note();
                    }
                    self.perform(effects, screen);
                }
                if let Some(start) = self.runs.due() {
                    self.start(start, screen);
                }
                return Ok(Flow::On);
            }
            Shout::Input(event) => return self.input(event, screen),
            Shout::Notice(notice) => return self.notice(notice, screen),
            Shout::Kept(which, kept) => {
                if let Some(banner) = self.memory.hear(which, kept, &self.tour.banner) {
                    self.tell(Event::Banner(banner), screen);
                }
            }
            Shout::WorkerPanicked(message) => {
                let first = message.lines().next().unwrap_or_default();
                self.tell(Event::Notice(format!("A fault of the program itself: {first}")), screen);
            }
        }
        Ok(Flow::On)
    }

    fn notice(&mut self, notice: Notice, screen: &mut Screen) -> std::io::Result<Flow> {
        if let Some(code) = notice.exit_code() {
            return Ok(Flow::Leave(code));
        }
        match notice {
            Notice::Suspend => return self.suspend(screen),
            Notice::Resumed => screen.resume()?,
            _ => {}
        }
        self.changed = true;
        Ok(Flow::On)
    }

    /// The demo rests while the learner is elsewhere: its clocks would run on unseen.
    fn suspend(&mut self, screen: &mut Screen) -> std::io::Result<Flow> {
        self.runs.freeze(true);
        let suspended = screen.suspend()?;
        self.runs.freeze(false);
        if matches!(suspended, Suspended::NoShell) {
            self.tour.notice = Some("There is no shell to go back to.".to_owned());
        }
        self.changed = true;
        Ok(Flow::On)
    }

    fn input(&mut self, event: crossterm::event::Event, screen: &mut Screen) -> std::io::Result<Flow> {
        use crossterm::event::Event as Input;
        let event = match event {
            Input::Key(event) => input::key(event).map(Event::Key),
            Input::Mouse(event) => match input::mouse(event) {
                Some(Mouse::Wheel(lines, x, y)) => Some(Event::Wheel(self.seen().pane_at(whole(), x, y), lines)),
                Some(Mouse::Press(x, y)) => self.seen().hit(whole(), x, y).map(Event::Click),
                None => None,
            },
            _ => None,
        };
        let Some(event) = event else { return Ok(Flow::On) };
        self.changed = true;
        let scene = self.held.as_ref().unwrap_or(&self.scene);
        let effects = self.tour.update(event, scene);
        if effects.contains(&Effect::Quit) {
            return Ok(Flow::Leave(0));
        }
        if effects.contains(&Effect::Suspend) {
            return self.suspend(screen);
        }
        self.perform(effects, screen);
        Ok(Flow::On)
    }

    /// What is on the screen.
    fn seen(&self) -> View<'_> {
        View { tour: &self.tour, scene: self.held.as_ref().unwrap_or(&self.scene), theme: &self.theme }
    }

    fn tell(&mut self, event: Event, screen: &mut Screen) {
        let effects = self.tour.update(event, &self.scene);
        self.changed = true;
        self.perform(effects, screen);
    }

    fn perform(&mut self, effects: Vec<Effect>, screen: &mut Screen) {
        for effect in effects {
            match effect {
                Effect::Start(start) => {
                    self.held = None;
                    self.runs.stop();
                    self.keep_left();
                    self.scene = Scene::new();
                    if let Some(start) = self.runs.ask(start) {
                        self.start(start, screen);
                    }
                }
                Effect::Steer(steer) => self.runs.steer(steer),
                Effect::Finish => {
                    self.held = None;
                    self.runs.finish();
                }
                Effect::Stop => {
                    self.held = None;
                    self.runs.stop();
                    self.keep_left();
                }
                Effect::Hold => self.held = Some(self.scene.clone()),
                Effect::Release => self.held = None,
                Effect::Remember(memory) => self.memory.remember(memory),
                Effect::NextTheme => self.next_theme(),
                Effect::Redraw => _ = screen.resume(),
                Effect::Suspend | Effect::Quit => {}
            }
        }
    }

    fn start(&mut self, start: crate::tour::StartRun, screen: &mut Screen) {
        self.changed = true;
        if let Err(sentence) = self.runs.start(start, &self.send) {
            self.tell(Event::CannotRun(sentence), screen);
        }
    }

    fn next_theme(&mut self) {
        let at = self.theme_names.iter().position(|name| *name == self.theme.name()).map_or(0, |at| at + 1);
        let name = self.theme_names.get(at % self.theme_names.len().max(1)).copied().unwrap_or("dark");
        if let Some(theme) = Theme::named(name) {
            let ascii = self.theme.charset() == crate::view::theme::Charset::Ascii;
            self.theme = look::fitted(theme, ascii);
            self.memory.set_theme(name);
            self.tour.notice = Some(format!("Theme: {name}"));
        }
    }
}

fn whole() -> Rect {
    let (width, height) = term::size().into();
    Rect::new(0, 0, width, height)
}
