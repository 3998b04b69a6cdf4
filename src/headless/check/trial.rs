//! Runs every demo that a lesson runs, each once with the same parameters, and tells what came of each step.

use super::super::judge::play;
use super::super::out::Out;
use super::super::request::{self, ranges};
use super::super::signals::Signals;
use super::super::words::{count, fold};
use super::super::{Done, complain, tell};
use super::verdict::{differences, open};
use crate::fact::{DemoSpec, Params, SourceChoice, Values, clean_line};
use crate::keep::Notes;
use crate::kernel;
use crate::lesson::{Demo, Lesson, Library, Step};
use crate::lore::Fault;
use std::collections::BTreeMap;

/// What a run came to: its values, or why it broke or could not even begin.
type Came = Result<Values, Fault>;

/// How many steps did not do as they say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tried {
    /// They did otherwise, or broke.
    pub(super) failed: usize,
    /// This machine has not what they need.
    pub(super) could_not: usize,
}

/// Runs them.
///
/// # Errors
/// How the command ends, if a signal or the end of its output ended it.
pub(super) fn run(library: &Library, source: SourceChoice) -> Result<Tried, Done> {
    let signals = Signals::catch().map_err(|sentence| complain(&sentence))?;
    let mut trial = Trial { out: Out::new(&signals), source, done: BTreeMap::new() };
    let (mut steps, mut tried) = (0, Tried::default());
    trial.say(&format!("running every demo on CPUs {}", ranges(&kernel::allowed_cpus())))?;
    for lesson in library.lessons() {
        for (index, step) in lesson.steps.iter().enumerate() {
            if let Some(demo) = step.demo() {
                steps += 1;
                match trial.step(lesson, index, step, demo)? {
                    Went::AsItSays => {}
                    Went::Otherwise => tried.failed += 1,
                    Went::CouldNot => tried.could_not += 1,
                }
            }
        }
    }
    let Tried { failed, could_not } = tried;
    let here = if could_not > 0 { format!(", {could_not} could not run here") } else { String::new() };
    trial.say(&format!("{} with a demo, {failed} failed{here}", count(steps, "step")))?;
    Ok(tried)
}

/// How a step went.
enum Went {
    AsItSays,
    Otherwise,
    CouldNot,
}

struct Trial<'s> {
    out: Out<'s>,
    source: SourceChoice,
    /// What came of each demo with its parameters.
    done: BTreeMap<(String, String), Came>,
}

impl Trial<'_> {
    fn say(&mut self, text: &str) -> Result<(), Done> {
        self.out.say(text, &mut || ());
        self.out.ended().map_or(Ok(()), Err)
    }

    fn step(&mut self, lesson: &Lesson, index: usize, step: &Step, demo: &Demo) -> Result<Went, Done> {
        let place = format!(
            "(lesson {}, step {}, {}:{})",
            clean_line(&lesson.id),
            index + 1,
            clean_line(&lesson.file),
            demo.at.line
        );
        let came = match request(demo) {
            Ok((spec, params)) => self.came(spec, params)?.map(|values| (spec, values)),
            Err(sentence) => Err(Fault::Broke(sentence)),
        };
        if let Some(line) = came.as_ref().ok().and_then(|(_, values)| open(step, values)) {
            self.say(&format!("open: {} {place}", clean_line(&line)))?;
        }
        let came = came.map(|(spec, values)| differences(spec, step, demo, &values));
        let (went, head, lines) = match came {
            Ok(said) if said.is_empty() => {
                self.say(&format!("ok: {} {place}", clean_line(&demo.name)))?;
                return Ok(Went::AsItSays);
            }
            Ok(said) => (Went::Otherwise, "not as expected", said),
            Err(Fault::Broke(sentence)) => (Went::Otherwise, "broke", vec![sentence]),
            Err(Fault::Refused(sentence)) => (Went::CouldNot, "could not run here", vec![sentence]),
        };
        for line in lines {
            self.say(&format!("{head}: {} {place}", clean_line(&line)))?;
        }
        Ok(went)
    }

    /// What the demo came to, now or when it ran before.
    fn came(&mut self, spec: &'static DemoSpec, params: Params) -> Result<Came, Done> {
        let key = (spec.name.to_owned(), tell::params(params.values()));
        if let Some(came) = self.done.get(&key) {
            return Ok(came.clone());
        }
        self.say(&fold("running ", &format!("{} {}", key.0, key.1)).join("\n"))?;
        let came = play(spec, params, self.source, &mut self.out, &mut Notes::default())?;
        self.done.insert(key, came.clone());
        Ok(came)
    }
}

/// The demo of a step with its parameters, if it can run here.
fn request(demo: &Demo) -> Result<(&'static DemoSpec, Params), String> {
    let spec = request::demo(&demo.name)?.spec();
    let params = Params::from_values(spec, &demo.params)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    request::allowed(spec, &params)?;
    Ok((spec, params))
}
