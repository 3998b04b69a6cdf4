//! The run that is on stage, the one that is being ended, and the one that waits for its end.

use super::Shout;
use crate::conduct::{self, Request, Run};
use crate::demo;
use crate::fact::{Fact, Nanos, Params, RunId, SETTLED, SourceChoice, Stamped, Steer};
use crate::scene::Scene;
use crate::tour::{Event, StartRun};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

/// How long a demo that neither settles nor ends is waited for, after the time it lasts by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the end of the last run may take when the learner leaves.
const LEAVING: Duration = Duration::from_secs(7);

/// One run at a time: the next one starts when nothing of the last is left.
pub(super) struct Runs {
    source: SourceChoice,
    on: Option<OnStage>,
    waiting: Option<StartRun>,
}

struct OnStage {
    id: RunId,
    run: Run,
    settles: Option<Nanos>,
    /// The values can be judged by the next word on them.
    ripe: bool,
    settled: bool,
    /// When it should have settled or ended; none once that was told.
    late: Option<Nanos>,
    /// Its facts are still shown; not so when it was ended to make room.
    shown: bool,
}

impl Drop for Runs {
    /// On the way out of a panic nobody takes facts any more, and a run's thread that waits for it would be waited for.
    fn drop(&mut self) {
        if let Some(on) = self.on.take() {
            on.run.abandon();
        }
    }
}

impl Runs {
    pub(super) fn new(source: SourceChoice) -> Self {
        Self { source, on: None, waiting: None }
    }

    /// A run is wanted: now, if the stage is free; else it waits.
    pub(super) fn ask(&mut self, start: StartRun) -> Option<StartRun> {
        match &mut self.on {
            None => Some(start),
            Some(on) => {
                on.shown = false;
                self.waiting = Some(start);
                None
            }
        }
    }

    /// The run that waited, once the stage is free.
    pub(super) fn due(&mut self) -> Option<StartRun> {
        if self.on.is_some() { None } else { self.waiting.take() }
    }

    pub(super) fn start(&mut self, start: StartRun, send: &SyncSender<Shout>) -> Result<(), String> {
        let demo = demo::find(&start.demo).ok_or_else(|| format!("There is no demo called {}.", start.demo))?;
        let spec = demo.spec();
        let params = Params::from_values(spec, &start.params)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let lasts = Duration::from_millis((spec.lasts_ms)(&params)).saturating_add(PATIENCE);
        let late = u64::try_from(lasts.as_nanos()).ok().map(Nanos);
        let request = Request { demo, params, source: self.source, last: None };
        let (id, send) = (start.run, send.clone());
        let sink = move |facts| {
            // The shell has left; the run is being ended.
            let _ = send.send(Shout::Facts(id, facts));
        };
        let run = conduct::start(request, sink).map_err(|refused| refused.to_string())?;
        let settles = Some(spec.settles_ms).filter(|ms| *ms > 0).map(Nanos::from_millis);
        self.on = Some(OnStage { id, run, settles, ripe: false, settled: false, late, shown: true });
        Ok(())
    }

    /// Folds a batch into the scene; what the tour must hear of it.
    pub(super) fn take(&mut self, run: RunId, facts: &[Stamped], scene: &mut Scene) -> Vec<Event> {
        let Some(on) = self.on.as_mut().filter(|on| on.id == run) else { return Vec::new() };
        let mut events = Vec::new();
        if on.shown {
            scene.extend(facts);
        }
        for fact in facts {
            let says_so = matches!(&fact.fact, Fact::Step { name } if name == SETTLED);
            on.ripe |= says_so || on.settles.is_some_and(|at| fact.t >= at);
            // What is judged is the next word on the values: the last one may be older than what settled them.
            if on.ripe && on.shown && !on.settled && matches!(fact.fact, Fact::SoFar { .. }) {
                on.settled = true;
                events.push(Event::Settled { run });
            }
        }
        let due = on.late.is_some_and(|late| facts.last().is_some_and(|fact| fact.t >= late));
        if due && std::mem::take(&mut on.late).is_some() && on.shown && !on.settled {
            events.push(Event::Late { run });
        }
        if facts.iter().any(|f| matches!(f.fact, Fact::Outcome(_))) {
            if on.shown {
                events.push(Event::Over { run });
            }
            self.on = None;
        }
        events
    }

    pub(super) fn steer(&self, steer: Steer) {
        if let Some(on) = &self.on {
            on.run.steer(steer);
        }
    }

    pub(super) fn freeze(&self, frozen: bool) {
        if let Some(on) = &self.on {
            on.run.freeze(frozen);
        }
    }

    /// Asks the run to come to its end and report.
    pub(super) fn finish(&self) {
        if let Some(on) = &self.on {
            on.run.finish();
        }
    }

    /// Ends the run now; what waited is forgotten.
    pub(super) fn stop(&mut self) {
        self.waiting = None;
        if let Some(on) = &self.on {
            on.run.stop();
        }
    }

    /// Ends what is on and waits until nothing of it is left, taking in what it still says.
    pub(super) fn end(&mut self, receive: &Receiver<Shout>) {
        self.stop();
        let until = Instant::now() + LEAVING;
        let mut scene = Scene::new();
        while self.on.is_some() {
            let left = until.saturating_duration_since(Instant::now());
            match receive.recv_timeout(left) {
                Ok(Shout::Facts(run, facts)) => _ = self.take(run, &facts, &mut scene),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        // Its thread may wait for us to take its facts, and we will not any more.
        if let Some(on) = self.on.take() {
            on.run.abandon();
        }
    }
}
