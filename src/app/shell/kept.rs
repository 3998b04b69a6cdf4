//! What the learner has done: from the tour's words to the file's, and back.

use crate::progress::{Kept, Place, Prediction, Progress, Saver, Session, Store, When};
use crate::tour::{Memory, Recall};
use std::time::Duration;

/// How long saving may take when the learner leaves.
const LEAVING: Duration = Duration::from_secs(3);

/// The setting that keeps the theme.
const THEME: &str = "theme";

/// The learner's progress, and the thread that keeps it.
pub(super) struct Memoir {
    progress: Progress,
    store: Option<Store<Progress>>,
    saver: Option<Saver<Progress>>,
    session: Option<Session>,
    /// Something was remembered since the start.
    touched: bool,
}

impl Memoir {
    /// Reads what there is; the sentences are what was wrong with it, and with how the last session ended.
    pub(super) fn open() -> (Self, Vec<String>) {
        let (store, progress, mut notices) = Store::open(&Place::Standard);
        let (cut_off, session) = store.begin();
        notices.splice(0..0, told(cut_off));
        let store = store.not_kept().is_none().then_some(store);
        (Self { progress, store, saver: None, session, touched: false }, notices)
    }

    /// Starts the thread that saves. Without one, or without a place, progress ends with the program, as was told.
    pub(super) fn start(&mut self, tell: Box<dyn Fn(Kept) + Send>) {
        self.saver = self.store.take().and_then(|store| Saver::start(store, tell).ok());
    }

    /// As the tour knows it.
    pub(super) fn recall(&self) -> Recall {
        let mut recall = Recall::default();
        for (id, lesson) in &self.progress.lessons {
            let seen = lesson.seen.iter().map(|step| from_file(*step)).collect();
            recall.seen.insert(id.clone(), seen);
            if lesson.completed.is_some() {
                recall.done.insert(id.clone());
            }
        }
        let last = self.progress.last.as_ref();
        recall.place = last.map(|last| (last.lesson.clone(), from_file(last.step)));
        recall.figures = self.progress.figures.iter().map(|(name, f)| (name.clone(), f.value.clone())).collect();
        recall
    }

    /// The theme that the learner chose last.
    pub(super) fn theme(&self) -> Option<&str> {
        self.progress.setting(THEME)
    }

    pub(super) fn set_theme(&mut self, name: &str) {
        self.progress.set(THEME, name, When::now());
        self.save();
    }

    /// Takes something in and has it saved.
    pub(super) fn remember(&mut self, memory: Memory) {
        let now = When::now();
        let step = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        match memory {
            Memory::Seen { lesson, step: n } => self.progress.see(&lesson, step(n), now),
            Memory::Done { lesson } => self.progress.complete(&lesson, now),
            Memory::Predicted { lesson, step: n, chosen, right, measured } => {
                self.progress.predict(&lesson, step(n), Prediction::new(chosen, right, measured, now));
            }
            Memory::Figure { name, value } => self.progress.measure(&name, value, now),
        }
        self.save();
    }

    fn save(&mut self) {
        self.touched = true;
        if let Some(saver) = &self.saver {
            saver.save(self.progress.clone());
        }
    }

    /// The banner after a word of the saver's: a new one, none any more, or (no value) as it was.
    pub(super) fn hear(&self, kept: Kept, banner: &Option<String>) -> Option<Option<String>> {
        match kept {
            Kept::Saved => banner.is_some().then_some(None),
            Kept::NotSaved(why) => Some(Some(format!("Not saved: {why}. It will be tried again."))),
        }
    }

    /// The session ends in good order.
    pub(super) fn end_session(&mut self) {
        if let Some(session) = self.session.take() {
            session.end();
        }
    }

    /// Saves what waits. A sentence if the last of it could not be kept.
    pub(super) fn finish(&mut self) -> Option<String> {
        match self.saver.take()?.finish(LEAVING) {
            Kept::NotSaved(why) if self.touched => Some(format!("your progress of this session is not saved: {why}")),
            Kept::Saved | Kept::NotSaved(_) => None,
        }
    }
}

impl Drop for Memoir {
    /// On the way out of a panic, too, what was done is saved; the session stays marked.
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

/// What is told of sessions that were cut off: killed with their guard, or with the machine.
fn told(cut_off: usize) -> Option<String> {
    match cut_off {
        0 => None,
        1 => Some("The last session was cut off; all that it had saved is here".to_owned()),
        n => Some(format!("The last {n} sessions were cut off; all that they had saved is here")),
    }
}

/// The file counts steps from 1, as people do.
fn from_file(step: u32) -> usize {
    usize::try_from(step.saturating_sub(1)).unwrap_or(0)
}
