//! How long an executor takes for some tasks, and who else had the cores meanwhile.

use super::{Executor, Future, Missing};
use crate::demo::account;
use crate::demo::pace::Cut;
use crate::demo::sweep::Measured;
use crate::fact::{Cpu, Unavailable};
use crate::stage::{Cue, Stage};
use std::time::{Duration, Instant};

/// How long the leader sleeps for news before it hears the learner; and between two measurements, until all sleep.
const HEAR: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_millis(40);

/// How long some tasks may take. The machine may be very busy.
const PATIENCE: Duration = Duration::from_secs(300);

/// An executor whose time is taken.
#[derive(Debug)]
pub(in crate::demo) struct Timed {
    /// The executor.
    pub(in crate::demo) executor: Executor,
    cpus: Vec<Cpu>,
}

impl Timed {
    /// One without workers, on the CPUs of this stage.
    ///
    /// # Errors
    /// The kernel's refusal of the memory.
    pub(in crate::demo) fn new(stage: &Stage) -> Result<Self, Unavailable> {
        let executor = Executor::new().map_err(|error| Unavailable::new("the queue", error.to_string()))?;
        Ok(Self { executor, cpus: stage.cpus().to_vec() })
    }

    /// The CPUs that may be used.
    pub(in crate::demo) fn cpus(&self) -> &[Cpu] {
        &self.cpus
    }

    /// Lets so many workers do batches of tasks, each when the one before is done. The time, as the rate at which all of it is
    /// done; and how many tasks ended with an error.
    ///
    /// # Errors
    /// The learner has seen enough, or a worker ended.
    pub(in crate::demo) fn measure(
        &self,
        stage: &mut Stage,
        round: usize,
        workers: usize,
        batches: &[&[u64]],
    ) -> Result<(Measured, usize), Cut> {
        self.executor.open(workers);
        pause(stage)?;
        let (ran, not_idle) = (ran(stage), account::not_idle(&self.cpus));
        let begun = Instant::now();
        let mut errors = 0;
        for batch in batches {
            errors += self.finish(stage, batch)?;
        }
        let seconds = begun.elapsed().as_secs_f64();
        let not_idle = since(account::not_idle(&self.cpus), not_idle);
        pause(stage)?;
        // The kernel's account of who sleeps is exact; that of who runs is as old as the last tick.
        let ran = since(self::ran(stage), ran);
        let others = since(not_idle, ran).map(|s| s.max(0.0) / seconds);
        Ok((Measured { round, workers, rate: 1.0 / seconds, busy: ran.map(|s| s / seconds), others }, errors))
    }

    /// Submits tasks and waits for all of them; how many ended with an error.
    ///
    /// # Errors
    /// As [`Timed::measure`].
    pub(in crate::demo) fn finish(&self, stage: &mut Stage, tasks: &[u64]) -> Result<usize, Cut> {
        let lost = || Unavailable::new("the rest of the rounds", "a worker ended before its time");
        self.executor.clear();
        let futures: Vec<Future> = tasks.iter().filter_map(|argument| self.executor.submit(*argument)).collect();
        let begun = Instant::now();
        loop {
            let news = self.executor.news();
            let answers: Vec<_> = futures.iter().filter_map(|future| self.executor.record(*future).answer()).collect();
            if answers.iter().any(|answer| matches!(answer, Err(Missing::Broken | Missing::Abandoned))) {
                return Err(lost().into());
            }
            if answers.len() == futures.len() {
                return Ok(answers.iter().filter(|answer| answer.is_err()).count());
            }
            if begun.elapsed() > PATIENCE {
                return Err(Unavailable::new("the tasks", "they do not come to their end").into());
            }
            self.executor.wait(news, HEAR);
            match stage.next(Some(Duration::ZERO)) {
                Cue::Finish => return Err(Cut::Finish),
                Cue::Ended(_) => return Err(lost().into()),
                Cue::Steer(_) | Cue::Time => {}
            }
        }
    }
}

/// Until all sleep.
fn pause(stage: &mut Stage) -> Result<(), Cut> {
    if stage.next(Some(PAUSE)) == Cue::Finish { Err(Cut::Finish) } else { Ok(()) }
}

/// Seconds of CPU time that all on stage have had.
fn ran(stage: &Stage) -> Option<f64> {
    stage.cast().iter().map(|entry| account::ran(entry.pid, entry.tid)).sum()
}

/// The difference of two readings, if both were to be had.
fn since(now: Option<f64>, then: Option<f64>) -> Option<f64> {
    Some(now? - then?)
}
