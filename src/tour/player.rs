//! A lesson being played: the step, its questions, its run, and what came of it.

use super::Tour;
use super::event::{Effect, Memory, StartRun};
use super::question::{Asked, Question};
use super::watch::Watch;
use crate::fact::RunId;
use crate::lesson::{Demo, Step};
use crate::scene::Scene;
use serde_json::Value;

/// Which pane is looked at, where only one fits or the keys must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The lesson's words.
    #[default]
    Text,
    /// The demo.
    Stage,
}

impl Pane {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Text => Self::Stage,
            Self::Stage => Self::Text,
        }
    }
}

/// What of the text is kept in sight, until the learner scrolls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sight {
    /// Nothing: it stands where it was scrolled to.
    #[default]
    Scrolled,
    /// The run's answer.
    Answer,
    /// The question of this block, with what was said to the learner's answer.
    Question(usize),
    /// The instructor's notes.
    Notes,
}

/// A lesson being played.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Player {
    /// Which lesson.
    pub lesson: usize,
    /// Which step, from 0.
    pub step: usize,
    /// Lines of text scrolled away.
    pub scroll: usize,
    /// What of it is kept in sight.
    pub sight: Sight,
    /// Lines of the waiting question that lie below what is seen.
    pub below: usize,
    /// The pane.
    pub pane: Pane,
    /// The questions of the step.
    pub asked: Vec<Asked>,
    /// Hints are shown.
    pub hints: bool,
    /// The instructor's notes are shown.
    pub notes: bool,
    /// The run, once there is one.
    pub watch: Option<Watch>,
    /// What came of it.
    pub verdict: Option<Verdict>,
    /// A run of this step was judged.
    judged: bool,
    /// The learner was told to choose first.
    warned: bool,
}

/// What a run came to, compared with what the author says must happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// As the lesson says.
    AsExpected,
    /// Not as the lesson says: name, what was expected, what was measured.
    Otherwise(Vec<(String, String, Value)>),
    /// The run says by this word that it decides nothing; and whether something that was expected was seen all the same.
    Undecided(String, bool),
    /// The learner changed it with the demo's keys before it could be judged.
    Changed,
    /// The learner ended it before there was anything to judge.
    EndedEarly,
    /// The demo broke.
    Broke(String),
}

impl Player {
    pub(super) fn new(lesson: usize) -> Self {
        Self { lesson, ..Self::default() }
    }

    /// What follows a demo is told when its values were judged once, or when it has ended by itself. Who ends it before has
    /// not seen yet what is spoken of.
    #[must_use]
    pub fn told(&self) -> bool {
        match &self.verdict {
            _ if self.judged => true,
            Some(verdict) => *verdict != Verdict::EndedEarly,
            None => self.watch.as_ref().is_some_and(|w| !w.running && !w.asked_to_end),
        }
    }

    /// The question that waits for an answer.
    #[must_use]
    pub fn asking(&self) -> Option<&Asked> {
        let told = self.told();
        self.asked.iter().find(|a| a.waits() && (told || !a.afterwards))
    }

    fn asking_mut(&mut self) -> Option<&mut Asked> {
        let told = self.told();
        self.asked.iter_mut().find(|a| a.waits() && (told || !a.afterwards))
    }

    /// The run could not even be started.
    pub(super) fn cannot_run(&mut self, sentence: String) {
        if let Some(watch) = &mut self.watch {
            watch.running = false;
        }
        self.verdict = Some(Verdict::Broke(sentence));
        self.sight = Sight::Answer;
    }

    /// Opens the question that was answered last, unless the machine or the lesson has answered it too.
    pub(super) fn take_back(&mut self) {
        if let Some(asked) =
            self.asked.iter_mut().rev().find(|a| a.chosen.is_some() && a.right.is_none() && a.measured.is_none())
        {
            asked.chosen = None;
        }
    }

    /// Shows the instructor's notes, or hides them.
    pub(super) fn turn_notes(&mut self) {
        self.notes = !self.notes;
        self.sight = if self.notes { Sight::Notes } else { Sight::Scrolled };
    }

    fn enter(&mut self, step: usize, content: &Step) {
        let (lesson, notes) = (self.lesson, self.notes);
        *self = Self { lesson, step, notes, asked: Asked::of(content), ..Self::default() };
    }
}

impl Tour {
    /// Goes to a step of the open lesson.
    pub(super) fn go(&mut self, step: usize) -> Vec<Effect> {
        let Some(player) = self.player() else { return Vec::new() };
        let lesson_at = player.lesson;
        let Some(lesson) = self.lessons.get(lesson_at) else { return Vec::new() };
        let last = lesson.steps.len().saturating_sub(1);
        let step = step.min(last);
        let id = lesson.id.clone();
        let content = lesson.steps.get(step).cloned().unwrap_or_default();
        if let Some(player) = self.player_mut() {
            player.enter(step, &content);
        }
        self.recall.seen.entry(id.clone()).or_default().insert(step);
        self.recall.place = Some((id.clone(), step));
        vec![Effect::Stop, Effect::Remember(Memory::Seen { lesson: id, step })]
    }

    /// A lesson is done with its last step: the demo has run, or the questions are answered, or, where there is neither,
    /// the learner is `going_on` from it.
    pub(super) fn last_step_done(&mut self, going_on: bool) -> Option<Effect> {
        let (player, lesson) = (self.player()?, self.lesson()?);
        let step = lesson.steps.get(player.step).filter(|_| player.step + 1 == lesson.steps.len())?;
        let done = match step.demo() {
            Some(_) => player.told(),
            None if player.asked.is_empty() => going_on,
            None => player.asked.iter().all(|asked| asked.chosen.is_some()),
        };
        let id = lesson.id.clone();
        (done && self.recall.done.insert(id.clone())).then_some(Effect::Remember(Memory::Done { lesson: id }))
    }

    pub(super) fn step_by(&mut self, by: isize) -> Vec<Effect> {
        let Some(player) = self.player() else { return Vec::new() };
        let steps = self.lesson().map_or(0, |l| l.steps.len());
        match player.step.checked_add_signed(by) {
            Some(step) if step < steps => self.go(step),
            Some(_) => {
                self.notice = Some("This was the last step. q leads back to the lessons.".to_owned());
                self.last_step_done(true).into_iter().collect()
            }
            None => {
                self.notice = Some("This is the first step.".to_owned());
                Vec::new()
            }
        }
    }

    /// Enter, when no question waits: run what has not run, then the next step.
    pub(super) fn go_on(&mut self) -> Vec<Effect> {
        let unseen = self.step().is_some_and(|s| s.demo().is_some()) && self.watch().is_none();
        if unseen { self.run() } else { self.step_by(1) }
    }

    /// Space: run the demo, or end the one that runs.
    pub(super) fn run(&mut self) -> Vec<Effect> {
        let Some(demo) = self.step().and_then(|s| s.demo()).cloned() else {
            self.notice = Some("This step has no demo. n goes on.".to_owned());
            return Vec::new();
        };
        let Some(player) = self.player_mut() else { return Vec::new() };
        if let Some(watch) = player.watch.as_mut().filter(|w| w.running) {
            watch.asked_to_end = true;
            return vec![Effect::Finish];
        }
        if player.asking().is_some() && !player.warned {
            player.warned = true;
            self.notice =
                Some("First say what you think will happen; space again runs it without an answer.".to_owned());
            return Vec::new();
        }
        self.start(&demo)
    }

    /// The step from its beginning: questions open, demo started anew if there was a run.
    pub(super) fn again(&mut self) -> Vec<Effect> {
        let Some(content) = self.step().cloned() else { return Vec::new() };
        let Some(player) = self.player_mut() else { return Vec::new() };
        player.enter(player.step, &content);
        vec![Effect::Stop]
    }

    fn start(&mut self, demo: &Demo) -> Vec<Effect> {
        let Some(spec) = self.specs.iter().copied().find(|s| s.name == demo.name) else {
            self.notice = Some(format!("There is no demo called {}.", demo.name));
            return Vec::new();
        };
        let run = self.next_run();
        let Some(player) = self.player_mut() else { return Vec::new() };
        player.watch = Some(Watch::new(run, spec, &demo.params));
        player.verdict = None;
        player.sight = Sight::Scrolled;
        player.pane = Pane::Stage;
        vec![Effect::Start(StartRun { run, demo: demo.name.clone(), params: demo.params.clone() })]
    }

    /// Moves the mark to another option; before the options can be seen, and past the first, the text is scrolled.
    pub(super) fn move_option(&mut self, by: isize) {
        let Some(player) = self.player_mut() else { return };
        let first = player.asking().is_some_and(|asked| asked.cursor == 0);
        if by < 0 && first && player.scroll == 0 {
            return;
        }
        if (by > 0 && player.below > 0) || (by < 0 && first) {
            player.sight = Sight::Scrolled;
            player.scroll = player.scroll.saturating_add_signed(by);
            player.below = player.below.saturating_add_signed(-by);
        } else if let Some(asked) = player.asking_mut() {
            let last = asked.options.saturating_sub(1);
            asked.cursor = asked.cursor.saturating_add_signed(by).min(last);
        }
    }

    /// Answers with the marked option; a question that cannot be seen whole is brought into sight instead.
    pub(super) fn answer_marked(&mut self) {
        match self.player_mut().filter(|p| p.below > 0) {
            Some(player) => {
                player.sight = Sight::Scrolled;
                player.scroll += std::mem::take(&mut player.below);
            }
            None => self.choose_option(None),
        }
    }

    /// Answers the waiting question, with the marked option if none is named.
    pub(super) fn choose_option(&mut self, option: Option<usize>) {
        let Some(step) = self.step().cloned() else { return };
        let Some(player) = self.player_mut() else { return };
        let Some(asked) = player.asking_mut() else { return };
        asked.answer(option.unwrap_or(asked.cursor), &step);
        // Where the lesson answers at once, that is read next.
        if let (block, Some(_)) = (asked.block, asked.right) {
            player.sight = Sight::Question(block);
        }
    }

    /// Compares what the run came to with what the learner and the author said.
    pub(super) fn judge(&mut self, run: RunId, scene: &Scene, over: bool) -> Vec<Effect> {
        let Some(watch) = self.watch_mut().filter(|w| w.run == run) else { return Vec::new() };
        if over {
            watch.running = false;
        }
        if watch.recorded {
            return Vec::new();
        }
        let (demo, early, changed) = (watch.spec.name, over && watch.asked_to_end, watch.changed);
        let broke = scene.outcome.as_ref().and_then(|o| o.broke.clone());
        let lesson = self.lesson().map(|l| l.id.clone()).unwrap_or_default();
        let Some(step) = self.step().cloned() else { return Vec::new() };
        let Some(player) = self.player_mut() else { return Vec::new() };
        let values = scene.values();
        // What was judged while the demo went on stays: what the learner did to it afterwards is another experiment. Only
        // the figures go on to what the stage shows at its end.
        if player.verdict.is_some() && broke.is_none() {
            return if over { self.figures(demo, values) } else { Vec::new() };
        }
        player.sight = Sight::Answer;
        if early && broke.is_none() {
            player.verdict = Some(Verdict::EndedEarly);
            return Vec::new();
        }
        if changed && broke.is_none() {
            player.verdict = Some(Verdict::Changed);
            return self.figures(demo, values);
        }
        let place = (lesson, player.step);
        let first = player.verdict.is_none();
        let answered = if first { player.measure(&step, scene, &place) } else { None };
        let mut effects: Vec<_> = answered.into_iter().collect();
        if broke.is_none() {
            // The words beside a run that was judged speak of this run, not of one before.
            let of_this = format!("{demo}.");
            self.recall.figures.retain(|name, _| !name.starts_with(&of_this));
        }
        if let Some(player) = self.player_mut() {
            player.verdict = step.demo().map(|demo| verdict(demo, values, broke));
            player.judged = true;
        }
        effects.extend(self.figures(demo, values));
        effects
    }

    /// Makes these values of `demo` its figures; what was not measured stays as it was.
    fn figures(&mut self, demo: &str, values: &crate::fact::Values) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (name, value) in values.iter().filter(|(_, value)| !value.is_null()) {
            let name = format!("{demo}.{name}");
            self.recall.figures.insert(name.clone(), value.clone());
            self.recall.earlier.remove(&name);
            effects.push(Effect::Remember(Memory::Figure { name, value: value.clone() }));
        }
        effects
    }
}

impl Player {
    /// Gives the machine's answer to the prediction.
    fn measure(&mut self, step: &Step, scene: &Scene, place: &(String, usize)) -> Option<Effect> {
        let asked = self.asked.iter_mut().find(|a| matches!(a.question(step), Some(Question::Predict(_))))?;
        let Some(Question::Predict(predict)) = asked.question(step) else { return None };
        // What this source cannot measure answers nothing.
        let measured = scene.values().get(&predict.answer).filter(|value| !value.is_null())?.clone();
        asked.right = predict.right(&measured);
        asked.measured_in = scene.now();
        asked.measured = Some(measured.clone());
        let chosen = asked.chosen?;
        Some(Effect::Remember(Memory::Predicted {
            lesson: place.0.clone(),
            step: place.1,
            chosen: predict.options.get(chosen)?.label.clone(),
            right: asked.right.map(|right| right == chosen),
            measured,
        }))
    }
}

fn verdict(demo: &Demo, values: &crate::fact::Values, broke: Option<String>) -> Verdict {
    if let Some(broke) = broke {
        return Verdict::Broke(broke);
    }
    let undecided = crate::fact::undecided(values);
    let measured = |name: &str| values.get(name).cloned().unwrap_or(Value::Null);
    let judged = || demo.expect.iter().filter(|(name, _)| undecided.is_none() || !measured(name).is_null());
    let otherwise: Vec<_> = judged()
        .filter(|(name, expect)| !expect.matches.holds(&measured(name)))
        .map(|(name, expect)| (name.clone(), expect.written.clone(), measured(name)))
        .collect();
    match undecided {
        _ if !otherwise.is_empty() => Verdict::Otherwise(otherwise),
        Some(word) => Verdict::Undecided(word.to_owned(), judged().next().is_some()),
        None => Verdict::AsExpected,
    }
}
