//! What a run came to is kept when it is over; of one that settled and that the learner leaves, as it stood when they left.

use super::Shell;
use crate::keep;
use crate::progress::{By, Measured};
use crate::tour::Verdict;

/// Who ran it, and from which step of which lesson; steps count from 0.
pub(super) type Origin = (By, Option<(String, usize)>);

impl Shell {
    fn origin(&self) -> Origin {
        let place = self.tour.player().and_then(|player| Some((self.tour.lesson()?.id.clone(), player.step)));
        (if place.is_some() { By::Tour } else { By::Lore }, place)
    }

    /// The run on the screen can be judged: from now on it is worth keeping.
    pub(super) fn note(&mut self) {
        self.settled = Some(self.origin());
    }

    /// Keeps what the run that is over came to. The learner may have `asked` it to end.
    pub(super) fn keep(&mut self, asked: bool) {
        self.settled = None;
        let early = self.tour.player().map_or(asked, |player| player.verdict == Some(Verdict::EndedEarly));
        let origin = self.origin();
        if let Some(mut run) = keep::measured(&self.scene, origin.0) {
            run.early = early;
            self.put_aside(run, &origin);
        }
    }

    /// Keeps the run that is being left, if it was worth it. Its facts must still be in the scene.
    pub(super) fn keep_left(&mut self) {
        let Some(origin) = self.settled.take() else { return };
        if let Some(run) = keep::so_far(&self.scene, origin.0) {
            self.put_aside(run, &origin);
        }
    }

    fn put_aside(&mut self, run: Measured, (_, place): &Origin) {
        self.memory.measured(run, place.as_ref().map(|(lesson, step)| (lesson.as_str(), *step)));
    }
}
