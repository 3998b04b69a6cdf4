//! Lessons: plain markdown in, [`Lesson`] > [`Step`] > [`Block`] out, every part with its place in the source.
//!
//! Parsing never fails: what cannot be read becomes a [`Diagnostic`] and the rest of the lesson still opens. This module
//! touches no file, process, thread, environment or clock; the demos it may name are handed to it as specs.

mod block;
mod check;
mod claims;
mod diagnostic;
pub mod embed;
mod library;
mod matches;
mod parse;
pub mod read_limits;

pub use block::{
    Align, Block, Choice, Demo, Expect, Lesson, Matches, Pos, Predict, Quiz, QuizOption, Span, Step, Style, Text,
};
pub use check::check;
pub(crate) use check::fits;
pub use claims::ClaimIds;
pub use diagnostic::{Diagnostic, Severity, nearest};
pub use library::{LessonFile, Library, Place};
pub use matches::{Reading, Unit};
pub use parse::parse;
