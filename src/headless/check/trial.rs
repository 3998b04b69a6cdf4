//! Runs every demo that a lesson runs, each once with the same parameters, and tells what came of each step.

use super::super::out::Out;
use super::super::request::{self, ranges};
use super::super::signals::Signals;
use super::super::words::{count, fold};
use super::super::{Done, complain, tell};
use super::verdict::{differences, open};
use crate::conduct::{self, Request, Run};
use crate::demo;
use crate::fact::{DemoSpec, Fact, Nanos, Params, SourceChoice, Stamped, Values, clean_line};
use crate::kernel;
use crate::lesson::{Demo, Lesson, Library, Step};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The step by which a demo says that its values can be judged.
const SETTLED: &str = "settled";

/// How long a demo that neither settles nor ends is waited for, after the time it lasts by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// How soon a signal is seen.
const LOOK: Duration = Duration::from_millis(50);

/// What a run came to: its values, or why it broke.
type Came = Result<Values, String>;

/// Runs them; how many steps failed.
///
/// # Errors
/// How the command ends, if a signal or the end of its output ended it.
pub(super) fn run(library: &Library, source: SourceChoice) -> Result<usize, Done> {
    let signals = Signals::catch().map_err(|sentence| complain(&sentence))?;
    let mut trial = Trial { out: Out::new(&signals), source, done: BTreeMap::new() };
    let (mut steps, mut failed) = (0, 0);
    trial.say(&format!("running every demo on CPUs {}", ranges(&kernel::allowed_cpus())))?;
    for lesson in library.lessons() {
        for (index, step) in lesson.steps.iter().enumerate() {
            if let Some(demo) = step.demo() {
                steps += 1;
                failed += usize::from(!trial.step(lesson, index, step, demo)?);
            }
        }
    }
    trial.say(&format!("{} with a demo, {failed} failed", count(steps, "step")))?;
    Ok(failed)
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

    /// Whether the step did as it says.
    fn step(&mut self, lesson: &Lesson, index: usize, step: &Step, demo: &Demo) -> Result<bool, Done> {
        let place = format!(
            "(lesson {}, step {}, {}:{})",
            clean_line(&lesson.id),
            index + 1,
            clean_line(&lesson.file),
            demo.at.line
        );
        let came = match request(demo) {
            Ok((spec, params)) => self.came(spec, params)?.map(|values| (spec, values)),
            Err(sentence) => Err(sentence),
        };
        if let Some(line) = came.as_ref().ok().and_then(|(_, values)| open(step, values)) {
            self.say(&format!("open: {} {place}", clean_line(&line)))?;
        }
        let came = came.map(|(spec, values)| differences(spec, step, demo, &values));
        let (head, lines) = match came {
            Ok(said) if said.is_empty() => {
                self.say(&format!("ok: {} {place}", clean_line(&demo.name)))?;
                return Ok(true);
            }
            Ok(said) => ("not as expected", said),
            Err(sentence) => ("broke", vec![sentence]),
        };
        for line in lines {
            self.say(&format!("{head}: {} {place}", clean_line(&line)))?;
        }
        Ok(false)
    }

    /// What the demo came to, now or when it ran before.
    fn came(&mut self, spec: &'static DemoSpec, params: Params) -> Result<Came, Done> {
        let key = (spec.name.to_owned(), tell::params(params.values()));
        if let Some(came) = self.done.get(&key) {
            return Ok(came.clone());
        }
        self.say(&fold("running ", &format!("{} {}", key.0, key.1)).join("\n"))?;
        let came = self.play(spec, params)?;
        self.done.insert(key, came.clone());
        Ok(came)
    }

    fn play(&mut self, spec: &'static DemoSpec, params: Params) -> Result<Came, Done> {
        let Some(demo) = demo::find(spec.name) else { return Ok(Err("there is no such demo".to_owned())) };
        let (send, receive) = channel();
        let lasts = Duration::from_millis((spec.lasts_ms)(&params));
        let request = Request { demo, params, source: self.source, last: None };
        let started = conduct::start(request, move |batch| {
            // The trial was broken off; the run is being stopped.
            let _ = send.send(batch);
        });
        let run = match started {
            Ok(run) => run,
            Err(refused) => return Ok(Err(refused.to_string())),
        };
        let came = Judge::new(spec, lasts).judge(&run, &receive, &mut self.out);
        run.wait();
        came
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

/// Follows a run to the moment when its values can be judged, as the screen does, and then asks it to come to its end.
struct Judge {
    settles: Option<Nanos>,
    settled: bool,
    values: Option<Values>,
    late: Instant,
}

impl Judge {
    fn new(spec: &DemoSpec, lasts: Duration) -> Self {
        let settles = Some(spec.settles_ms).filter(|ms| *ms > 0).map(Nanos::from_millis);
        let late = Instant::now() + lasts + PATIENCE;
        Self { settles, settled: false, values: None, late }
    }

    fn judge(&mut self, run: &Run, receive: &Receiver<Vec<Stamped>>, out: &mut Out<'_>) -> Result<Came, Done> {
        let (mut finished, mut too_late) = (false, false);
        loop {
            if let Some(done) = out.ended() {
                run.stop();
                return Err(done);
            }
            match receive.recv_timeout(LOOK) {
                Ok(batch) => {
                    if let Some(came) = batch.into_iter().find_map(|fact| self.take(fact)) {
                        let never = || "it neither settled nor ended".to_owned();
                        return Ok(if too_late && self.values.is_none() { Err(never()) } else { came });
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Err("it ended without an outcome".to_owned())),
            }
            too_late |= !finished && Instant::now() >= self.late;
            if !finished && (self.values.is_some() || too_late) {
                finished = true;
                run.finish();
            }
        }
    }

    /// Takes a fact; the outcome decides, on the values of the moment when they were settled.
    fn take(&mut self, fact: Stamped) -> Option<Came> {
        self.settled |= self.settles.is_some_and(|at| fact.t >= at);
        match fact.fact {
            Fact::Step { name } if name == SETTLED => self.settled = true,
            Fact::SoFar { values } if self.settled && self.values.is_none() => self.values = Some(values),
            Fact::Outcome(outcome) => {
                return Some(match outcome.broke {
                    Some(broke) => Err(broke),
                    None => Ok(self.values.clone().unwrap_or(outcome.values)),
                });
            }
            _ => {}
        }
        None
    }
}
