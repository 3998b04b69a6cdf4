//! The elements between parser and screen.

use crate::fact::Values;
use serde_json::Value;
use std::collections::BTreeMap;

/// A place in a lesson's source. Lines and columns count from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pos {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A lesson.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lesson {
    /// Its number in the course, from the file's name `NN-name.md`.
    pub number: u32,
    /// Its name in links, progress and on the command line.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The part of the course it belongs to.
    pub part: String,
    /// Minutes it takes; 0 if not said.
    pub minutes: u32,
    /// Ids of the lessons that come before.
    pub after: Vec<String>,
    /// Ids of the claims it takes up.
    pub claims: Vec<String>,
    /// The language, "en" if the folder does not say.
    pub lang: String,
    /// The file as it was named, for messages.
    pub file: String,
    /// What the lesson is about: everything before the first step.
    pub intro: Vec<Block>,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A step: one idea, one screen.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// The level-2 heading.
    pub title: String,
    /// Where it begins.
    pub at: Pos,
    /// What it says, in order.
    pub blocks: Vec<Block>,
    /// The instructor's notes, from `<!-- note: ... -->`.
    pub notes: Vec<String>,
    /// Ids of the claims that it takes up, from `<!-- claims: ID, ID -->`.
    pub claims: Vec<String>,
}

impl Step {
    /// The demo of this step, if it runs one. A step has at most one.
    #[must_use]
    pub fn demo(&self) -> Option<&Demo> {
        self.blocks.iter().find_map(|b| if let Block::Demo(demo) = b { Some(demo) } else { None })
    }

    /// The question that is asked before the run. A step has at most one.
    #[must_use]
    pub fn predict(&self) -> Option<&Predict> {
        self.blocks.iter().find_map(|b| if let Block::Predict(predict) = b { Some(predict) } else { None })
    }
}

/// One element of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading of level 3 or deeper.
    Heading(u8, Text),
    /// A paragraph.
    Paragraph(Text),
    /// A list; the number of its first item if it is ordered. Each item is blocks.
    List(Option<u64>, Vec<Vec<Block>>),
    /// A quotation.
    Quote(Vec<Block>),
    /// Code to be highlighted, with its language ("" if none).
    Code(String, String),
    /// A picture made of text, shown as it stands: a fence of language `picture` or `text`.
    Picture(String),
    /// A table: alignments, head, rows.
    Table(Vec<Align>, Vec<Text>, Vec<Vec<Text>>),
    /// A rule across.
    Rule,
    /// A question whose right answer is what the demo does.
    Predict(Predict),
    /// A question with a fixed answer.
    Quiz(Quiz),
    /// Something shown when the learner asks for it.
    Hint(Vec<Block>),
    /// The demo to run.
    Demo(Demo),
    /// A block that could not be read: the sentence that says why.
    Wrong(String),
}

/// How a table's column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// To the left.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// To the right.
    Right,
}

/// A run of text with one look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Span {
    /// The words. Not yet cleaned: the screen does that.
    pub text: String,
    /// How they look.
    pub style: Style,
    /// Where they lead, for links: an address or `lesson:ID`.
    pub link: Option<String>,
    /// A figure that the learner measured, `{{demo.value}}`: "demo.value". `text` is then what stands if there is none.
    pub figure: Option<String>,
}

/// How a span looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Bold.
    pub strong: bool,
    /// Italic.
    pub emphasis: bool,
    /// Code.
    pub code: bool,
    /// Struck through.
    pub struck: bool,
}

/// A line or paragraph of spans. A `\n` within is a hard break.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub Vec<Span>);

impl Text {
    /// Text without any look.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self(vec![Span { text: text.to_owned(), ..Span::default() }])
    }

    /// The words alone.
    #[must_use]
    pub fn words(&self) -> String {
        self.0.iter().map(|s| s.text.as_str()).collect()
    }
}

/// A question whose right answer is what the demo just did on this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Predict {
    /// Where it begins.
    pub at: Pos,
    /// The question.
    pub question: Text,
    /// The answers to choose from.
    pub options: Vec<Choice>,
    /// The name of the outcome value that answers it.
    pub answer: String,
}

impl Predict {
    /// Which option the measured `value` makes right; none if it is outside all of them.
    #[must_use]
    pub fn right(&self, value: &Value) -> Option<usize> {
        self.options.iter().position(|o| o.matches.holds(value))
    }
}

/// One option of a prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// As the author wrote it.
    pub label: String,
    /// What it covers.
    pub matches: Matches,
}

/// What a prediction's option or an expectation covers. Numbers are in the value's own unit (nanoseconds, kibibytes, a
/// share of one), whatever unit the author wrote.
#[derive(Debug, Clone, PartialEq)]
pub enum Matches {
    /// This number; integers exactly, others to within a part in a million.
    Number(f64),
    /// From (included) to (excluded). Open ends are infinite: `under 1 ms`, `over 10 ms`.
    Range(f64, f64),
    /// This word, list or flag.
    Is(Value),
}

impl Matches {
    /// Whether `value` is covered.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        match (self, value.as_f64()) {
            (Self::Number(n), Some(v)) => (v - n).abs() <= n.abs() * 1e-6,
            (Self::Range(from, to), Some(v)) => (*from..*to).contains(&v),
            (Self::Is(want), _) => want == value,
            (Self::Number(_) | Self::Range(..), None) => false,
        }
    }
}

/// A question with a fixed answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Quiz {
    /// Where it begins.
    pub at: Pos,
    /// The question.
    pub question: Text,
    /// The options.
    pub options: Vec<QuizOption>,
}

/// One option of a quiz.
#[derive(Debug, Clone, PartialEq)]
pub struct QuizOption {
    /// As the author wrote it.
    pub label: Text,
    /// Whether it is right.
    pub right: bool,
    /// Why.
    pub reason: Text,
}

/// The demo that a step runs. The parameters are what the author wrote, already checked against the demo's spec.
#[derive(Debug, Clone, PartialEq)]
pub struct Demo {
    /// Where the block begins.
    pub at: Pos,
    /// The demo's name.
    pub name: String,
    /// Parameters that differ from the defaults.
    pub params: Values,
    /// What the author says must happen.
    pub expect: BTreeMap<String, Expect>,
}

/// What an author says of one outcome value.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// As written, for showing.
    pub written: String,
    /// What it covers.
    pub matches: Matches,
}
