//! The lessons to choose from.

use crate::lesson::Lesson;

/// The catalogue's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Catalogue {
    /// The lesson that is marked.
    pub cursor: usize,
}

impl Catalogue {
    /// Marks the lesson where the learner left, or the first.
    pub(super) fn at(lessons: &[Lesson], place: Option<&(String, usize)>) -> Self {
        let cursor = place.and_then(|(id, _)| lessons.iter().position(|l| l.id == *id)).unwrap_or(0);
        Self { cursor }
    }

    pub(super) fn move_by(&mut self, lines: i32, lessons: usize) {
        let last = lessons.saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(isize::try_from(lines).unwrap_or(0)).min(last);
    }
}
