//! Lessons: plain markdown in, [`Lesson`] > [`Step`] > [`Block`] out, every part with its place in the source.
//!
//! Parsing never fails: what cannot be read becomes a [`Diagnostic`] and the rest of the lesson still opens. This module
//! touches no file, process, thread, environment or clock; the demos it may name are handed to it as specs.

mod block;

pub use block::{
    Align, Block, Choice, Demo, Expect, Lesson, Matches, Pos, Predict, Quiz, QuizOption, Span, Step, Style, Text,
};
