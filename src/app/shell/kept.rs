//! What the learner has done and measured: from the tour's words to the file's, and back.

use crate::keep;
use crate::lore::Verdict;
use crate::progress::{
    Answer, Document, Figure, Host, Kept, Measured, Place, Prediction, Progress, Results, Saver, Session, Store, When,
};
use crate::tour::{Memory, Recall, Told};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long saving may take when the learner leaves.
const LEAVING: Duration = Duration::from_secs(3);

/// The setting that keeps the theme.
const THEME: &str = "theme";

/// A document, and the thread that keeps it.
struct Shelf<D> {
    document: D,
    store: Option<Store<D>>,
    saver: Option<Saver<D>>,
}

impl<D: Document> Shelf<D> {
    /// What stands at `place`; the sentences are what was wrong with it.
    fn open(place: &Place) -> (Self, Store<D>, Vec<String>) {
        let (store, document, notices) = Store::open(place);
        let kept = store.not_kept().is_none().then(|| store.clone());
        (Self { document, store: kept, saver: None }, store, notices)
    }

    /// Starts the thread that saves. Without one, or without a place, all ends with the program, as was told.
    fn start(&mut self, tell: Box<dyn Fn(Kept) + Send>) {
        self.saver = self.store.take().and_then(|store| Saver::start(store, tell).ok());
    }

    fn save(&self) {
        if let Some(saver) = &self.saver {
            saver.save(self.document.clone());
        }
    }

    fn finish(&mut self) -> Option<Kept> {
        Some(self.saver.take()?.finish(LEAVING))
    }
}

/// What the learner has done, and what they measured.
pub(super) struct Memoir {
    progress: Shelf<Progress>,
    results: Shelf<Results>,
    /// Why the one and the other are not saved now.
    troubles: [Option<String>; 2],
    host: Host,
    session: Option<Session>,
    /// Something was remembered since the start.
    touched: bool,
}

/// Which of the two is spoken of.
#[derive(Debug, Clone, Copy)]
pub(in crate::app) enum Which {
    Progress,
    Results,
}

impl Memoir {
    /// Reads what there is; the sentences are what was wrong with it, and with how the last session ended.
    pub(super) fn open() -> (Self, Vec<String>) {
        let (progress, store, mut notices) = Shelf::open(&Place::Standard);
        let (cut_off, session) = store.begin();
        notices.splice(0..0, told(cut_off));
        // Where one cannot be kept the other cannot either, and saying it once will do.
        let place = if store.not_kept().is_none() { Place::Standard } else { Place::Nowhere };
        let (results, _, more) = Shelf::open(&place);
        notices.extend(more);
        (Self { progress, results, troubles: [None, None], host: keep::host(), session, touched: false }, notices)
    }

    /// Starts the threads that save.
    pub(super) fn start(&mut self, tell: impl Fn(Which, Kept) + Clone + Send + 'static) {
        let other = tell.clone();
        self.progress.start(Box::new(move |kept| tell(Which::Progress, kept)));
        self.results.start(Box::new(move |kept| other(Which::Results, kept)));
    }

    /// As the tour knows it.
    pub(super) fn recall(&self) -> Recall {
        let mut recall = Recall::default();
        let Results { beliefs, answers, .. } = &self.results.document;
        recall.beliefs = beliefs.iter().map(|(id, belief)| (id.clone(), belief.so)).collect();
        let here = self.host.name();
        recall.answers =
            answers.iter().filter_map(|(id, answer)| Some((id.clone(), recalled(answer, &here)?))).collect();
        let progress = &self.progress.document;
        for (id, lesson) in &progress.lessons {
            let seen = lesson.seen.iter().map(|step| from_file(*step)).collect();
            recall.seen.insert(id.clone(), seen);
            if lesson.completed.is_some() {
                recall.done.insert(id.clone());
            }
        }
        let last = progress.last.as_ref();
        recall.place = last.map(|last| (last.lesson.clone(), from_file(last.step)));
        recall.earlier = earlier(progress, &self.results.document, &here, When::now());
        recall.figures = progress.figures.iter().map(|(name, f)| (name.clone(), f.value.clone())).collect();
        recall
    }

    /// The theme that the learner chose last.
    pub(super) fn theme(&self) -> Option<&str> {
        self.progress.document.setting(THEME)
    }

    pub(super) fn set_theme(&mut self, name: &str) {
        self.progress.document.set(THEME, name, When::now());
        self.touched = true;
        self.progress.save();
    }

    /// Takes something in and has it saved.
    pub(super) fn remember(&mut self, memory: Memory) {
        let now = When::now();
        let step = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        let Self { progress: Shelf { document: progress, .. }, results: Shelf { document: results, .. }, .. } = self;
        match memory {
            Memory::Seen { lesson, step: n } => progress.see(&lesson, step(n), now),
            Memory::Done { lesson } => progress.complete(&lesson, now),
            Memory::Predicted { lesson, step: n, chosen, right, measured } => {
                progress.predict(&lesson, step(n), Prediction::new(chosen, right, measured, now));
            }
            Memory::Figure { name, value } => progress.measure(&name, value, now),
            Memory::Believed { claim, so } => {
                results.believe(&claim, so, now);
                return self.save_results();
            }
            Memory::Answered { claim, told } => {
                let Told { verdict, because, shown, elsewhere: _ } = told;
                let (verdict, host) = (verdict.word().to_owned(), String::new());
                results.answer(&self.host, &claim, Answer { verdict, because, shown, host, when: now });
                return self.save_results();
            }
        }
        self.touched = true;
        self.progress.save();
    }

    /// Keeps what a run came to, with the place in the lessons where it was run, if there is one; steps count from 0.
    pub(super) fn measured(&mut self, mut run: Measured, place: Option<(&str, usize)>) {
        run.lesson = place.map(|(lesson, _)| lesson.to_owned());
        run.step = place.map(|(_, step)| u32::try_from(step + 1).unwrap_or(u32::MAX));
        self.results.document.keep(&self.host, run);
        self.save_results();
    }

    fn save_results(&mut self) {
        self.touched = true;
        self.results.save();
    }

    /// The banner after a word of the saver's: a new one, none any more, or (no value) as it was.
    pub(super) fn hear(&mut self, which: Which, kept: Kept, banner: &Option<String>) -> Option<Option<String>> {
        self.troubles[which as usize] = match kept {
            Kept::Saved => None,
            Kept::NotSaved(why) => Some(format!("Not saved: {why}. It will be tried again.")),
        };
        let trouble = self.troubles.iter().flatten().next();
        (trouble != banner.as_ref()).then(|| trouble.cloned())
    }

    /// The session ends in good order.
    pub(super) fn end_session(&mut self) {
        if let Some(session) = self.session.take() {
            session.end();
        }
    }

    /// Saves what waits. A sentence if the last of it could not be kept.
    pub(super) fn finish(&mut self) -> Option<String> {
        let (progress, results) = (self.progress.finish(), self.results.finish());
        let lost = |kept, what: &str| match kept {
            Some(Kept::NotSaved(why)) if self.touched => Some(format!("{what} in this session is not saved: {why}")),
            _ => None,
        };
        lost(progress, "your progress").or_else(|| lost(results, "what you measured"))
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

/// When each figure was measured, and where, if that was not `here`.
fn earlier(progress: &Progress, results: &Results, here: &str, now: When) -> BTreeMap<String, String> {
    let elsewhere = |name: &str, figure: &Figure| {
        let (demo, value) = name.split_once('.').unwrap_or_default();
        let of = |run: &&Measured| run.demo == demo && run.values.get(value) == Some(&figure.value);
        results.runs.values().rfind(of).is_some_and(|run| run.host != here)
    };
    let said = |(name, figure): (&String, &Figure)| {
        let place = if elsewhere(name, figure) { ", on another machine" } else { "" };
        (name.clone(), format!("measured {}{place}", ago(figure.when, now)))
    };
    progress.figures.iter().map(said).collect()
}

/// How long ago, in the words in which one remembers.
fn ago(then: When, now: When) -> String {
    const HOUR: u64 = 3600;
    match now.0.saturating_sub(then.0) / HOUR {
        0 => "within the hour".to_owned(),
        hours @ 1..24 => format!("{hours} h ago"),
        24..48 => "a day ago".to_owned(),
        hours => format!("{} days ago", hours / 24),
    }
}

/// A verdict as the tour knows it; none in a word that this version does not know.
fn recalled(answer: &Answer, here: &str) -> Option<Told> {
    let elsewhere = (answer.host != here).then(|| answer.host.clone());
    let (because, shown) = (answer.because.clone(), answer.shown.clone());
    Some(Told { verdict: Verdict::of(&answer.verdict)?, because, shown, elsewhere })
}

/// The file counts steps from 1, as people do.
fn from_file(step: u32) -> usize {
    usize::try_from(step.saturating_sub(1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::By;
    use serde_json::json;

    #[test]
    fn a_figure_of_before_says_when_it_was_measured_and_on_which_machine() {
        let host = |cpu: &str| Host { cpu: cpu.into(), ..Host::default() };
        let (mut progress, mut results) = (Progress::default(), Results::default());
        for (name, value, cpu, hours) in [("a.x", 1, "here", 0), ("b.x", 2, "there", 30), ("c.x", 3, "here", 100)] {
            let when = When(1_000_000 - hours * 3600);
            progress.measure(name, json!(value), when);
            let mut run = Measured::new(&name[..1], crate::fact::Values::new(), By::Tour, when);
            run.values.insert("x".into(), json!(value));
            results.keep(&host(cpu), run);
        }
        let said = earlier(&progress, &results, &host("here").name(), When(1_000_000));
        let said: Vec<_> = said.values().map(String::as_str).collect();
        assert_eq!(said, ["measured within the hour", "measured a day ago, on another machine", "measured 4 days ago"]);
    }

    #[test]
    fn time_that_ran_backwards_is_no_time() {
        assert_eq!(ago(When(9_999), When(0)), "within the hour");
        assert_eq!(ago(When(0), When(5 * 3600)), "5 h ago");
    }
}
