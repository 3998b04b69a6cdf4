//! The same work on the small bytecode machine: the lock of an interpreter, without Python.

use super::{Measure, RESULTS, Results, patience};
use crate::demo::account;
use crate::demo::area::Area;
use crate::demo::bytecode::{COUNT, Machine};
use crate::demo::labour::on_cpu;
use crate::demo::meeting::LINE;
use crate::demo::script::{Over, row, until};
use crate::fact::{As, Params, Unavailable};
use crate::stage::{Settings, Stage, Worker, now};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

/// Loops that are timed before it begins.
const TRIAL: i64 = 100_000;

/// What a worker says of itself, in words of its own.
#[derive(Debug, Clone, Copy)]
enum Says {
    Begun,
    Ended,
    /// Nanoseconds of its CPU time.
    Cpu,
    Done,
}

/// The parts, in memory that processes share as well.
#[derive(Debug)]
struct Ground {
    area: Area,
    machine: Machine,
    loops: i64,
}

impl Ground {
    fn said(&self, number: usize, what: Says) -> &AtomicU64 {
        self.area.word_of(0, number * LINE + what as usize)
    }

    /// A worker's part: so many times the work, when it is told to go.
    fn play(&self, worker: &Worker, number: usize, times: usize) {
        let mut order = 0;
        while order == 0 {
            order = worker.wait(0, Duration::MAX);
        }
        let before = on_cpu();
        self.said(number, Says::Begun).store(now().0, Relaxed);
        for _ in 0..times {
            self.machine.run(number, COUNT, self.loops, || worker.order() == Worker::HALT);
        }
        self.said(number, Says::Ended).store(now().0, Relaxed);
        self.said(number, Says::Cpu).store(on_cpu().since(before).0, Relaxed);
        self.said(number, Says::Done).store(1, Release);
    }
}

/// Does the work in all ways that are asked for. Processes come before the first thread: a fork copies one thread only.
///
/// # Errors
/// The learner has seen enough, or the machine refuses workers.
pub(super) fn story(stage: &mut Stage, params: &Params, results: &mut Results) -> Result<(), Over> {
    let (workers, part) = (params.count("workers"), params.int("part").unsigned_abs());
    let kind = params.word("kind");
    if ["hash", "all"].contains(&kind) {
        let what = json!({ "how": "not tried: the machine of our own has no functions in C" });
        stage.tell(row(RESULTS.name, "hash threads", what));
    }
    if kind == "hash" {
        return Ok(());
    }
    let before = on_cpu();
    Machine::default().run(0, COUNT, TRIAL, || false);
    let each = (on_cpu().since(before).0 / TRIAL.unsigned_abs()).max(1);
    let loops = i64::try_from(part * 1_000_000 / each).unwrap_or(TRIAL).max(1);
    let ways = [("serial", As::Processes, 1), ("processes", As::Processes, workers), ("threads", As::Threads, workers)];
    for (way, what, count) in ways {
        if way == "serial" || [way, "all"].contains(&kind) {
            let measure = measured(stage, results, (way, what), (count, workers / count), (loops, patience(params)))?;
            results.add(stage, &measure);
        }
    }
    Ok(())
}

fn measured(
    stage: &mut Stage,
    results: &Results,
    (way, what): (&'static str, As),
    (count, times): (usize, usize),
    (loops, patience): (i64, Duration),
) -> Result<Measure, Over> {
    let area = Area::shared(1).map_err(|error| Unavailable::new("the machine of our own", error.to_string()))?;
    let ground = Arc::new(Ground { area, machine: Machine::default(), loops });
    let mut numbers = Vec::new();
    for number in 0..count {
        let theirs = Arc::clone(&ground);
        numbers.push(stage.enter(what, &Settings::default(), move |worker| theirs.play(worker, number, times))?);
    }
    results.begins(stage, way);
    let cpus = stage.cpus().to_vec();
    let (from, not_idle) = (Instant::now(), account::not_idle(&cpus));
    numbers.iter().for_each(|number| stage.order(*number, 1));
    let all = |what: Says| (0..count).map(|number| ground.said(number, what).load(Acquire)).collect::<Vec<_>>();
    if !until(stage, patience, |_| all(Says::Done).iter().all(|done| *done == 1))? {
        let why = format!("it had not ended after {} s", patience.as_secs());
        return Err(Unavailable::new("the work on the machine of our own", why).into());
    }
    let not_idle = account::not_idle(&cpus).zip(not_idle).map(|(now, then)| now - then);
    let lasted = from.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
    stage.dismiss(&numbers);
    let (begun, ended) = (all(Says::Begun).into_iter().min(), all(Says::Ended).into_iter().max());
    let took = ended.zip(begun).map_or(1, |(ended, begun)| ended.saturating_sub(begun).max(1));
    #[expect(clippy::cast_precision_loss, reason = "a minute in nanoseconds is far below 2^53")]
    let seconds = |ns: u64| ns as f64 / 1e9;
    let passed = ground.machine.passed().filter(|_| what == As::Threads);
    let passed = passed.map(|(times, kept)| (times as u64, u64::try_from(kept.as_nanos()).unwrap_or(u64::MAX)));
    let cpu = seconds(all(Says::Cpu).iter().sum());
    let others = not_idle.map(|not_idle| ((not_idle - cpu) / lasted).max(0.0));
    Ok(Measure { way, seconds: seconds(took), cpu, others, passed })
}
