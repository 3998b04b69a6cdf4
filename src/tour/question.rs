//! A question's life: asked, answered by the learner, answered by the machine.

use crate::fact::Nanos;
use crate::lesson::{Block, Predict, Quiz, Step};
use serde_json::Value;

/// A question of the open step, with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Which block of the step asks it.
    pub block: usize,
    /// It stands after the demo and is asked when the run has been judged.
    pub afterwards: bool,
    /// How many options there are.
    pub options: usize,
    /// The marked option.
    pub cursor: usize,
    /// The learner's answer.
    pub chosen: Option<usize>,
    /// What the machine answered, for predictions.
    pub measured: Option<Value>,
    /// How much of the run that answer is about.
    pub measured_in: Nanos,
    /// The right option, once it is known; none of them if the measured value is outside all.
    pub right: Option<usize>,
}

/// A question as the lesson has it.
#[derive(Debug, Clone, Copy)]
pub enum Question<'a> {
    /// The machine answers it.
    Predict(&'a Predict),
    /// The lesson answers it.
    Quiz(&'a Quiz),
}

impl Asked {
    /// The questions of `step`, in order, none answered.
    pub(super) fn of(step: &Step) -> Vec<Self> {
        let options = |block: &Block| match block {
            Block::Predict(predict) => Some(predict.options.len()),
            Block::Quiz(quiz) => Some(quiz.options.len()),
            _ => None,
        };
        let demo = step.blocks.iter().position(|b| matches!(b, Block::Demo(_)));
        let asked = |(block, b): (usize, &Block)| {
            let options = options(b)?;
            let afterwards = demo.is_some_and(|demo| block > demo);
            Some(Self {
                block,
                afterwards,
                options,
                cursor: 0,
                chosen: None,
                measured: None,
                measured_in: Nanos::ZERO,
                right: None,
            })
        };
        step.blocks.iter().enumerate().filter_map(asked).collect()
    }

    /// The question itself.
    #[must_use]
    pub fn question<'a>(&self, step: &'a Step) -> Option<Question<'a>> {
        match step.blocks.get(self.block)? {
            Block::Predict(predict) => Some(Question::Predict(predict)),
            Block::Quiz(quiz) => Some(Question::Quiz(quiz)),
            _ => None,
        }
    }

    /// It waits for the learner: a prediction only until the machine has answered.
    pub(super) fn waits(&self) -> bool {
        self.chosen.is_none() && self.measured.is_none()
    }

    /// Takes the learner's answer; a quiz knows the right one at once.
    pub(super) fn answer(&mut self, chosen: usize, step: &Step) {
        if chosen >= self.options {
            return;
        }
        self.cursor = chosen;
        self.chosen = Some(chosen);
        if let Some(Question::Quiz(quiz)) = self.question(step) {
            self.right = quiz.options.iter().position(|o| o.right);
        }
    }
}
