//! A question with its options: what the learner points at, what they said, and what was measured or is right.

use crate::lesson::{Predict, Quiz, Text};
use crate::view::put::put_line;
use crate::view::text::{Context, Piece, layout_text, wrap};
use crate::view::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

/// Where the answer comes from, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Not yet.
    Open,
    /// The demo measured what this option says; none: something outside all of them.
    Measured(Option<usize>),
    /// The lesson says so.
    Told,
}

/// An option.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    label: Text,
    right: bool,
    reason: Option<Text>,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    theme: &'a Theme,
    context: Context<'a>,
    question: &'a Text,
    options: Vec<Choice>,
    /// The option that is pointed at; none while the question does not take keys.
    pub cursor: Option<usize>,
    /// The option that the learner chose.
    pub chosen: Option<usize>,
    /// The answer.
    pub answer: Answer,
    /// What was measured, as it is shown: "4.00 ms".
    pub measured: Option<&'a str>,
}

impl<'a> Question<'a> {
    /// A question whose answer the demo gives.
    #[must_use]
    pub fn predict(predict: &'a Predict, theme: &'a Theme, context: Context<'a>) -> Self {
        let choice = |o: &crate::lesson::Choice| Choice { label: Text::plain(&o.label), right: false, reason: None };
        Self::new(&predict.question, predict.options.iter().map(choice).collect(), theme, context)
    }

    /// A question whose answer stands in the lesson.
    #[must_use]
    pub fn quiz(quiz: &'a Quiz, theme: &'a Theme, context: Context<'a>) -> Self {
        let choice = |o: &crate::lesson::QuizOption| Choice {
            label: o.label.clone(),
            right: o.right,
            reason: (!o.reason.0.is_empty()).then(|| o.reason.clone()),
        };
        Self::new(&quiz.question, quiz.options.iter().map(choice).collect(), theme, context)
    }

    fn new(question: &'a Text, options: Vec<Choice>, theme: &'a Theme, context: Context<'a>) -> Self {
        Self { theme, context, question, options, cursor: None, chosen: None, answer: Answer::Open, measured: None }
    }

    /// The question and its options, none wider than `width`, with the line on which each option begins.
    #[must_use]
    pub fn lines(&self, width: u16) -> (Vec<Line<'static>>, Vec<usize>) {
        let mut lines = layout_text(self.question, width, Role::Strong, self.theme, &self.context);
        let mut begins = Vec::new();
        for (i, option) in self.options.iter().enumerate() {
            begins.push(lines.len());
            self.option(i, option, width, &mut lines);
        }
        if let (Answer::Measured(None), Some(measured)) = (self.answer, self.measured) {
            let text = Text::plain(&format!("Measured here: {measured}. None of the answers covers that."));
            lines.extend(layout_text(&text, width, Role::Warning, self.theme, &self.context));
        }
        (lines, begins)
    }

    fn option(&self, i: usize, option: &Choice, width: u16, lines: &mut Vec<Line<'static>>) {
        let style = |role| self.theme.style(role);
        let said = self.chosen == Some(i);
        let right = match self.answer {
            Answer::Open => None,
            Answer::Measured(which) => Some(which == Some(i)),
            Answer::Told => Some(option.right),
        };
        let (role, sign) = match (right, said) {
            (Some(true), _) => (Role::Good, "✓"),
            (Some(false), true) => (Role::Bad, "✗"),
            (None, true) => (Role::Accent, "•"),
            (Some(false) | None, false) => (Role::Text, " "),
        };
        let pointer = if self.cursor == Some(i) { "▸" } else { " " };
        let head = [
            Span::styled(format!("{pointer} "), style(Role::Accent)),
            Span::styled(format!("{} ", i + 1), style(Role::Key)),
            Span::styled(format!("{sign} "), style(role)),
        ];
        let indent = 6;
        let mut body = layout_text(&option.label, width.saturating_sub(indent).max(1), role, self.theme, &self.context);
        let measured = self.measured.map_or_else(|| "measured".to_owned(), |m| format!("measured: {m}"));
        let mut notes = Vec::new();
        match (self.answer, right) {
            (Answer::Measured(_), Some(true)) => notes.push(measured.as_str()),
            (Answer::Told, Some(true)) => notes.push("right"),
            _ => {}
        }
        if said {
            notes.push("you said");
        }
        if !notes.is_empty() {
            note(&mut body, &format!("← {}", notes.join(", ")), width.saturating_sub(indent), style(role));
        }
        // The reason of what was chosen, and of what would have been right.
        if let (Answer::Told, Some(reason), true) = (self.answer, &option.reason, said || option.right) {
            body.extend(layout_text(reason, width.saturating_sub(indent).max(1), Role::Dim, self.theme, &self.context));
        }
        for (n, mut line) in body.into_iter().enumerate() {
            let lead = if n == 0 { head.to_vec() } else { vec![Span::raw(" ".repeat(indent.into()))] };
            line.spans.splice(0..0, lead);
            if self.cursor == Some(i) {
                let rest = usize::from(width).saturating_sub(line.width());
                line.push_span(" ".repeat(rest));
                line.spans.iter_mut().for_each(|s| s.style = s.style.patch(style(Role::Selection)));
            }
            lines.push(line);
        }
    }
}

/// Puts `words` behind the last line of `body`, or below it where they do not fit.
fn note(body: &mut Vec<Line<'static>>, words: &str, width: u16, style: Style) {
    let wide = crate::view::put::width(words);
    match body.last_mut() {
        Some(line) if line.width() + 2 + wide <= usize::from(width) => {
            line.push_span(Span::styled(format!("  {words}"), style));
        }
        _ => body.extend(wrap(&[Piece::new(words, style)], width.max(1).into())),
    }
}

impl Widget for &Question<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        for (line, y) in self.lines(area.width).0.iter().zip(0..area.height) {
            put_line(buf, area, 0, y, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::{self, Matches, Pos, QuizOption};
    use crate::view::widget::fixture::{self, shown};
    use insta::assert_snapshot;

    fn predict() -> Predict {
        let choice = |label: &str| lesson::Choice { label: label.into(), matches: Matches::Number(0.0) };
        Predict {
            at: Pos::default(),
            question: Text::plain("How long is one turn?"),
            options: vec![choice("under 1 ms"), choice("1 ms .. 10 ms"), choice("over 10 ms")],
            answer: "median_turn_ns".into(),
        }
    }

    fn state(width: u16, height: u16, set: impl Fn(&mut Question<'_>)) -> String {
        let (predict, theme) = (predict(), Theme::default());
        let mut question = Question::predict(&predict, &theme, Context::PLAIN);
        set(&mut question);
        shown(&question, width, height)
    }

    fn measured(width: u16, height: u16) -> String {
        state(width, height, |q| {
            (q.chosen, q.answer, q.measured) = (Some(0), Answer::Measured(Some(1)), Some("4.00 ms"));
        })
    }

    #[test]
    fn asked_chosen_and_answered() {
        let asked = state(40, 4, |q| q.cursor = Some(1));
        let chosen = state(40, 4, |q| (q.cursor, q.chosen) = (Some(1), Some(2)));
        let outside = state(40, 6, |q| (q.answer, q.measured) = (Answer::Measured(None), Some("no turn at all")));
        assert_snapshot!([asked, chosen, measured(44, 4), measured(20, 8), outside].join("----\n"));
    }

    #[test]
    fn a_quiz_gives_its_reasons() {
        let option = |label: &str, right, reason: &str| QuizOption {
            label: Text::plain(label),
            right,
            reason: Text::plain(reason),
        };
        let quiz = Quiz {
            at: Pos::default(),
            question: Text::plain("Whose is the heap?"),
            options: vec![
                option("each thread's", false, "A thread owns only its stack and its registers."),
                option("the process's", true, "All its threads share it."),
                option("the kernel's", false, "Hidden."),
            ],
        };
        let theme = Theme::default();
        let mut question = Question::quiz(&quiz, &theme, Context::PLAIN);
        (question.chosen, question.answer) = (Some(0), Answer::Told);
        assert_snapshot!(shown(&question, 40, 8));
    }

    #[test]
    fn any_size_is_safe() {
        fixture::any_size(measured);
    }
}
