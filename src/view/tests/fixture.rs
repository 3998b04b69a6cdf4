//! A tour and a scene that a test can play with: a lesson in markdown, and runs that were recorded with
//! `forklore run DEMO --json`.

use super::super::theme::Theme;
use super::super::{Extent, View};
use crate::demo;
use crate::fact::{Nanos, RunId, Stamped};
use crate::lesson::{Block, Lesson, parse};
use crate::record::recording::read;
use crate::scene::Scene;
use crate::tour::{Effect, Event, Key, Recall, Tour};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub(super) const TIMESLICE: &str = include_str!("../../../tests/data/recordings/timeslice.jsonl");
pub(super) const ISOLATION: &str = include_str!("../../../tests/data/recordings/isolation.jsonl");
pub(super) const CRASH: &str = include_str!("../../../tests/data/recordings/crash.jsonl");
pub(super) const CRASH_THREADS: &str = include_str!("../../../tests/data/recordings/crash-threads.jsonl");

const SAMPLE: &str = include_str!("sample.md");
const PLAIN: &str = include_str!("plain.md");

/// The facts of a recording.
pub(super) fn facts(recording: &str) -> Vec<Stamped> {
    recording.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// A recording as `--record` writes it, as lines.
pub(super) fn unpacked(recording: &[u8]) -> String {
    let line = |fact| serde_json::to_string(&fact).expect("it was read from JSON") + "\n";
    read(recording, "a recording").map(|fact| line(fact.expect("it is whole"))).collect()
}

/// The blocks of a piece of markdown.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    parse(format!("## A step\n{text}").as_bytes(), "en/01-piece.md", "en").0.steps.remove(0).blocks
}

/// Where the learner is and what is known of the run.
pub(super) struct Set {
    pub(super) tour: Tour,
    pub(super) scene: Scene,
    run: RunId,
}

impl Set {
    /// At the catalogue of two lessons.
    pub(super) fn new() -> Self {
        let lessons = [("en/04-plain.md", PLAIN), ("en/05-sample.md", SAMPLE)].map(|(file, text)| {
            let (lesson, wrong) = parse(text.as_bytes(), file, "en");
            assert!(wrong.is_empty(), "{wrong:?}");
            lesson
        });
        Self::with(lessons.into())
    }

    /// At the catalogue of these lessons.
    pub(super) fn with(lessons: Vec<Lesson>) -> Self {
        let tour = Tour::new(lessons, demo::specs(), Recall::default());
        Self { tour, scene: Scene::new(), run: RunId(0) }
    }

    /// At a step of the sample lesson.
    pub(super) fn at(step: usize) -> Self {
        let mut set = Self::new();
        set.tour.open(1, step);
        set
    }

    /// At a step of the sample lesson, on a projector.
    pub(super) fn presenting(step: usize) -> Self {
        let mut set = Self::new();
        set.tour.present(1, step);
        set
    }

    /// At a recording.
    pub(super) fn replaying(recording: &str) -> Self {
        let mut set = Self::new();
        set.scene.extend(&facts(recording));
        let name = set.scene.tally.start.as_ref().map(|s| s.demo.clone()).expect("it begins with start");
        set.tour.replay(demo::find(&name).expect("a demo of ours").spec());
        set
    }

    pub(super) fn event(&mut self, event: Event) -> Vec<Effect> {
        let effects = self.tour.update(event, &self.scene);
        for effect in &effects {
            if let Effect::Start(start) = effect {
                self.run = start.run;
                self.scene = Scene::new();
            }
        }
        effects
    }

    pub(super) fn key(&mut self, key: Key) -> Vec<Effect> {
        self.event(Event::Key(key))
    }

    pub(super) fn keys(&mut self, keys: impl IntoIterator<Item = Key>) {
        keys.into_iter().for_each(|key| _ = self.key(key));
    }

    /// Answers the question with an option, from 0.
    pub(super) fn answer(&mut self, option: usize) -> &mut Self {
        let digit = char::from_digit(u32::try_from(option).expect("few options") + 1, 10).expect("a digit");
        self.key(Key::Char(digit));
        self
    }

    /// Runs the step's demo.
    pub(super) fn run(&mut self) -> &mut Self {
        let effects = self.key(Key::Char(' '));
        assert!(effects.iter().any(|e| matches!(e, Effect::Start(_))), "{effects:?}, {:?}", self.tour.notice);
        self
    }

    /// What a recording told in its first milliseconds.
    pub(super) fn play(&mut self, recording: &str, ms: u64) -> &mut Self {
        let facts = facts(recording);
        let end = facts.iter().position(|f| f.t > Nanos::from_millis(ms)).unwrap_or(facts.len());
        self.scene.extend(&facts[..end]);
        self
    }

    /// What it has told is judged, and it goes on.
    pub(super) fn settle(&mut self) {
        let run = self.run;
        self.event(Event::Settled { run });
    }

    /// A recording to its end.
    pub(super) fn play_all(&mut self, recording: &str) -> &mut Self {
        self.scene.extend(&facts(recording));
        self.over();
        self
    }

    /// What it has told is all.
    pub(super) fn over(&mut self) {
        let run = self.run;
        self.event(Event::Over { run });
    }

    /// Draws, and tells the tour what drawing found, as the shell does.
    pub(super) fn draw_and_tell(&mut self, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        let extent = View { tour: &self.tour, scene: &self.scene, theme: &Theme::default() }.draw(area, &mut buf);
        let Extent { text, below, scroll, stage } = extent;
        self.event(Event::Extent { text, below, scroll, stage });
        buf
    }

    pub(super) fn draw(&self, width: u16, height: u16, theme: &Theme) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        View { tour: &self.tour, scene: &self.scene, theme }.draw(area, &mut buf);
        buf
    }
}

/// The rows of a buffer as text, what lies under a wide character left out.
pub(super) fn rows(buf: &Buffer) -> Vec<String> {
    let row = |y| {
        let mut row = String::new();
        let mut x = 0;
        while x < buf.area.width {
            let symbol = buf[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(super::super::put::width(symbol)).expect("one character").max(1);
        }
        row
    };
    (0..buf.area.height).map(row).collect()
}
