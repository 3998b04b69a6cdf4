//! A step's words as lines: its blocks, its questions with what became of them, and what is kept for after the run.

use super::View;
use super::text::{Context, Piece, layout, wrap};
use super::theme::Role;
use super::widget::{Answer, Question};
use crate::fact::{Nanos, clean_line};
use crate::lesson::{Block, Step};
use crate::tour::{Asked, Player, Question as Of, Sight, Verdict};
use ratatui::text::Line;
use serde_json::Value;

/// Laid out text: on which line each option of the waiting question begins and the last one ends, and where a run's answer
/// stands.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) lines: Vec<Line<'static>>,
    pub(super) options: Vec<usize>,
    pub(super) ends: usize,
    /// Once the run was judged.
    pub(super) answer: Option<Answered>,
    /// What else is to be kept in sight: its first line and its last.
    kept: Option<(usize, usize)>,
}

/// The lines on which a run's answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answered {
    /// The prediction begins.
    question: usize,
    /// Its verdict.
    verdict: usize,
    /// The first of what comes after the demo.
    after: usize,
}

impl Answered {
    /// Rows that show the verdict and what comes after the demo at once.
    pub(super) fn rows(self) -> u16 {
        u16::try_from(self.after + 1 - self.verdict.min(self.after)).unwrap_or(u16::MAX)
    }

    /// How far to scroll so that the verdict and what comes after the demo are in `height` lines, with as much of the
    /// question as fits. Where not even these two fit, what comes after: the stage tells the verdict too.
    fn scroll(self, height: usize) -> usize {
        let fits = |first: &usize| self.after < first + height;
        [self.question, self.verdict].into_iter().find(fits).unwrap_or(self.after)
    }
}

impl View<'_> {
    pub(super) fn document(&self, player: &Player, step: &Step, width: u16) -> Document {
        let mut document = Document::default();
        let figure = |name: &str| self.figure(name);
        let lesson = |id: &str| self.title_of(id);
        let context = Context { figure: &figure, lesson: &lesson, special: &|_, _| Vec::new() };
        if player.step == 0
            && player.watch.is_none()
            && let Some(lesson) = self.tour.lesson()
        {
            document.add(layout(&lesson.intro, width, self.theme, &context));
        }
        let after = step.blocks.iter().position(|b| matches!(b, Block::Demo(_)));
        let mut predicted = None;
        for (n, block) in step.blocks.iter().enumerate() {
            if after.is_some_and(|demo| n > demo) && !player.told() {
                document.add(self.waiting(width));
                break;
            }
            if after.is_some_and(|demo| n == demo + 1) {
                let line = document.next();
                let (question, verdict) = predicted.unwrap_or((line, line));
                document.answer = Some(Answered { question, verdict, after: line });
            }
            match (block, player.asked.iter().find(|a| a.block == n).and_then(|a| Some((a, a.question(step)?)))) {
                (_, Some((asked, question))) => {
                    let (lines, begins) = self.question(player, asked, question, width);
                    let last = lines.len().saturating_sub(1);
                    let first = document.add(lines);
                    if matches!(question, Of::Predict(_)) {
                        let right = asked.right.or(asked.chosen.filter(|_| asked.measured.is_none()));
                        let verdict = right.and_then(|option| begins.get(option)).copied().unwrap_or(last);
                        predicted = Some((first, first + verdict));
                    }
                    if player.sight == Sight::Question(n) {
                        document.kept = Some((first, first + last));
                    }
                    if player.asking() == Some(asked) {
                        document.ends = document.lines.len();
                        document.options = begins.into_iter().map(|line| line + first).collect();
                    }
                }
                (Block::Hint(blocks), _) => _ = document.add(self.hint(player, blocks, width, &context)),
                (Block::Demo(demo), _) => _ = document.add(self.demo_line(player, demo, width)),
                (block, _) => _ = document.add(layout(std::slice::from_ref(block), width, self.theme, &context)),
            }
        }
        if player.notes {
            let first = document.add(self.notes(step, width));
            document.kept = document.kept.or((player.sight == Sight::Notes).then(|| (first, document.lines.len() - 1)));
        }
        document
    }

    fn waiting(&self, width: u16) -> Vec<Line<'static>> {
        let words = "What it means comes after the run.";
        wrap(&[Piece::new(words, self.theme.style(Role::Dim))], width.into())
    }

    /// The lines of one question, and on which of them each option begins.
    fn question(
        &self,
        player: &Player,
        asked: &Asked,
        question: Of<'_>,
        width: u16,
    ) -> (Vec<Line<'static>>, Vec<usize>) {
        let measured = asked.measured.as_ref().map(|value| self.measured(question, value, asked.measured_in));
        let figure = |name: &str| self.figure(name);
        let lesson = |id: &str| self.title_of(id);
        let context = Context { figure: &figure, lesson: &lesson, special: &|_, _| Vec::new() };
        let mut widget = match question {
            Of::Predict(predict) => Question::predict(predict, self.theme, context),
            Of::Quiz(quiz) => Question::quiz(quiz, self.theme, context),
        };
        widget.cursor = (player.asking() == Some(asked)).then_some(asked.cursor);
        widget.chosen = asked.chosen;
        widget.measured = measured.as_deref();
        widget.answer = match question {
            Of::Predict(_) if asked.measured.is_some() => Answer::Measured(asked.right),
            Of::Quiz(_) if asked.chosen.is_some() => Answer::Told,
            _ => Answer::Open,
        };
        widget.lines(width)
    }

    /// The lines of the question `asked`, for screens that show it by itself.
    pub(super) fn asked(&self, player: &Player, asked: &Asked, width: u16) -> Vec<Line<'static>> {
        let question = self.tour.step().and_then(|step| asked.question(step));
        question.map(|question| self.question(player, asked, question, width).0).unwrap_or_default()
    }

    fn title_of(&self, id: &str) -> Option<String> {
        self.tour.lessons.iter().find(|l| l.id == id).map(|l| clean_line(&l.title))
    }

    /// A measured value with the unit that its demo's spec gives it. Where the figure of that name has changed since, it
    /// is said how much of the run the value is about.
    fn measured(&self, question: Of<'_>, value: &Value, within: Nanos) -> String {
        let Of::Predict(predict) = question else { return String::new() };
        let demo = self.tour.step().and_then(|s| s.demo()).map(|d| d.name.clone()).unwrap_or_default();
        let shown = self.shown(&demo, &predict.answer, value);
        match self.figure(&format!("{demo}.{}", predict.answer)) {
            Some(now) if now != shown => format!("{shown} in the first {:.1} s", within.seconds()),
            _ => shown,
        }
    }

    /// The figure `demo.value` as the learner measured it; of a run that was judged and goes on, as it is by now: as on the
    /// stage beside it. One of an earlier session says so.
    fn figure(&self, name: &str) -> Option<String> {
        let (demo, value_name) = name.split_once('.')?;
        let by_now = self.goes_on(demo).then(|| self.scene.values().get(value_name)).flatten();
        if let Some(value) = by_now.filter(|v| !v.is_null()) {
            return Some(self.shown(demo, value_name, value));
        }
        let value = self.tour.recall.figures.get(name).filter(|v| !v.is_null())?;
        let shown = self.shown(demo, value_name, value);
        Some(match self.tour.recall.earlier.get(name) {
            Some(when) => format!("{shown} ({when})"),
            None => shown,
        })
    }

    /// Whether the run beside the text is one of `demo`'s, was judged and goes on.
    fn goes_on(&self, demo: &str) -> bool {
        let verdict = self.tour.player().and_then(|player| player.verdict.as_ref());
        matches!(verdict, Some(Verdict::AsExpected | Verdict::Otherwise(_) | Verdict::Undecided(..)))
            && self.tour.watch().is_some_and(|watch| watch.running && watch.spec.name == demo)
    }

    pub(super) fn shown(&self, demo: &str, name: &str, value: &Value) -> String {
        let spec = self.tour.specs.iter().find(|s| s.name == demo);
        let kind = spec.and_then(|s| s.returns(name)).map_or(crate::fact::ReturnKind::Word, |r| r.kind);
        kind.show(value)
    }

    fn hint(&self, player: &Player, blocks: &[Block], width: u16, context: &Context<'_>) -> Vec<Line<'static>> {
        if player.hints {
            return layout(&[Block::Quote(blocks.to_vec())], width, self.theme, context);
        }
        wrap(
            &[
                Piece::new("u", self.theme.style(Role::Key)),
                Piece::new(" uncovers a hint", self.theme.style(Role::Dim)),
            ],
            width.into(),
        )
    }

    fn demo_line(&self, player: &Player, demo: &crate::lesson::Demo, width: u16) -> Vec<Line<'static>> {
        let params: Vec<_> =
            demo.params.iter().map(|(k, v)| format!("{k} = {}", crate::fact::ReturnKind::Word.show(v))).collect();
        let what = if params.is_empty() { demo.name.clone() } else { format!("{}, {}", demo.name, params.join(", ")) };
        let action = match &player.watch {
            None => "space runs it",
            Some(watch) if watch.running => "it runs; space ends it",
            Some(_) if self.could_not_run() => "it could not run; space tries again",
            Some(_) => "it has run; space runs it again",
        };
        let pieces = [
            Piece::new("▶ ", self.theme.style(Role::Accent)),
            Piece::new(clean_line(&what), self.theme.style(Role::Code)),
            Piece::new(format!(": {action}."), self.theme.style(Role::Dim)),
        ];
        wrap(&pieces, width.into())
    }

    /// There was nothing to run with, or it was refused.
    pub(super) fn could_not_run(&self) -> bool {
        self.scene.outcome.as_ref().is_some_and(|outcome| outcome.broke.is_some() && outcome.seconds <= 0.0)
    }

    fn notes(&self, step: &Step, width: u16) -> Vec<Line<'static>> {
        let style = self.theme.style(Role::Quote);
        let title = if step.notes.is_empty() { "No notes for the instructor here." } else { "For the instructor" };
        let mut lines = vec![Line::styled(title, self.theme.style(Role::Heading))];
        for note in &step.notes {
            lines.extend(wrap(&[Piece::new(crate::fact::clean(note), style)], width.into()));
        }
        lines
    }
}

/// The scroll nearest to `scroll` with lines `first` to `last` among the `height` that are seen; the first of them, where
/// not all have room.
fn into_sight(first: usize, last: usize, scroll: usize, height: usize) -> usize {
    scroll.max((last + 1).saturating_sub(height)).min(first)
}

impl Document {
    /// Lines of the waiting question that lie below what is seen.
    pub(super) fn below(&self, scroll: usize, height: u16) -> usize {
        self.ends.saturating_sub(scroll + usize::from(height))
    }

    /// How far the text is scrolled in a pane of this height, and how far it could be.
    pub(super) fn scroll(&self, player: &Player, height: u16) -> (usize, usize) {
        let beyond = self.lines.len().saturating_sub(height.into());
        let answer = self.answer.filter(|_| player.sight == Sight::Answer).map(|answer| answer.scroll(height.into()));
        let kept = || self.kept.map(|(first, last)| into_sight(first, last, player.scroll, height.into()));
        (answer.or_else(kept).unwrap_or(player.scroll).min(beyond), beyond)
    }

    /// The line on which what is added next begins.
    fn next(&self) -> usize {
        self.lines.len() + usize::from(!self.lines.is_empty())
    }

    /// Adds lines after an empty one; on which line they begin.
    fn add(&mut self, lines: Vec<Line<'static>>) -> usize {
        if !self.lines.is_empty() && !lines.is_empty() {
            self.lines.push(Line::default());
        }
        let first = self.lines.len();
        self.lines.extend(lines);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::into_sight;

    #[test]
    fn as_little_is_scrolled_as_brings_it_into_sight() {
        assert_eq!(into_sight(4, 8, 2, 10), 2, "it is in sight");
        assert_eq!(into_sight(14, 18, 2, 10), 9, "it was below");
        assert_eq!(into_sight(4, 8, 7, 10), 4, "it was above");
        assert_eq!(into_sight(4, 30, 0, 10), 4, "it is higher than the pane");
    }
}
