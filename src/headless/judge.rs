//! A run without a screen, followed to the moment when its values can be judged.

use super::Done;
use super::out::Out;
use crate::conduct::{self, Request, Run};
use crate::demo;
use crate::fact::{DemoSpec, Fact, Nanos, Params, SETTLED, SourceChoice, Stamped, Values};
use crate::keep::Notes;
use crate::lore::{self, Came, Fault};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a demo that neither settles nor ends is waited for, after the time it lasts by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// How soon a signal is seen.
const LOOK: Duration = Duration::from_millis(50);

/// Runs a demo and tells what it came to; `notes` is taken of it on the way.
///
/// # Errors
/// How the command ends, if a signal or the end of its output ended it.
pub(super) fn play(
    spec: &DemoSpec,
    params: Params,
    source: SourceChoice,
    out: &mut Out<'_>,
    notes: &mut Notes,
) -> Result<Came, Done> {
    let broke = |what: &str| Ok(Err(Fault::Broke(what.to_owned())));
    let Some(demo) = demo::find(spec.name) else { return broke("there is no such demo") };
    let (send, receive) = channel();
    let lasts = Duration::from_millis((spec.lasts_ms)(&params));
    let request = Request { demo, params, source, last: None };
    let started = conduct::start(request, move |batch| {
        // It was broken off; the run is being stopped.
        let _ = send.send(batch);
    });
    let run = match started {
        Ok(run) => run,
        Err(refused) => return Ok(Err(Fault::Refused(refused.to_string()))),
    };
    let came = Judge::new(spec, lasts, notes).judge(&run, &receive, out);
    run.wait();
    came
}

/// Follows a run to the moment when its values can be judged, as the screen does, and then asks it to come to its end.
struct Judge<'n> {
    notes: &'n mut Notes,
    settles: Option<Nanos>,
    settled: bool,
    values: Option<Values>,
    late: Instant,
}

impl<'n> Judge<'n> {
    fn new(spec: &DemoSpec, lasts: Duration, notes: &'n mut Notes) -> Self {
        let settles = Some(spec.settles_ms).filter(|ms| *ms > 0).map(Nanos::from_millis);
        let late = Instant::now() + lasts + PATIENCE;
        Self { notes, settles, settled: false, values: None, late }
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
                    self.notes.take(&batch);
                    if let Some(came) = batch.into_iter().find_map(|fact| self.take(fact)) {
                        return Ok(if too_late && self.values.is_none() { lore::too_late() } else { came });
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Ok(Err(Fault::Broke("it ended without an outcome".to_owned())));
                }
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
                return Some(lore::came(&outcome, self.values.as_ref()));
            }
            _ => {}
        }
        None
    }
}
