//! The same race on the small bytecode machine.

use super::{PATIENCE, Tried, WAYS, shown, tell_code};
use crate::demo::bytecode::{CALL, Machine, Op, PLAIN, SLEEP, locked};
use crate::demo::script::{Over, step, until};
use crate::fact::{As, Params, Unavailable};
use crate::stage::{Settings, Stage, Worker};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

/// How long a way may take, as in the program in Python.
const WAY: Duration = Duration::from_secs(2);

/// One way: the code, how often each thread executes it, and what came of it.
struct Heat {
    machine: Machine,
    code: Vec<Op>,
    adds: i64,
    done: AtomicU64,
    through: AtomicU64,
}

impl Heat {
    fn play(&self, worker: &Worker, me: usize) {
        let mut order = 0;
        while order == 0 {
            order = worker.wait(0, Duration::MAX);
        }
        let until = Instant::now() + WAY;
        let over = || worker.order() == Worker::HALT || Instant::now() > until;
        let done = self.machine.run(me, &self.code, self.adds, over);
        self.done.fetch_add(done.unsigned_abs(), Relaxed);
        self.through.fetch_add(1, Release);
    }
}

/// Runs all ways.
///
/// # Errors
/// The learner has seen enough, or the machine refuses threads.
pub(super) fn story(stage: &mut Stage, params: &Params) -> Result<(), Over> {
    let (threads, adds) = (params.count("threads"), params.int("adds"));
    let codes = [(PLAIN, adds), (CALL, adds), (SLEEP, adds / 100 + 1)];
    for ((way, _), (code, adds)) in WAYS.into_iter().zip(codes) {
        step(stage, way);
        let body = code.iter().filter(|op| **op != Op::Again);
        tell_code(stage, shown(way), &body.map(|op| format!("{op:?}")).collect::<Vec<_>>());
        for guarded in [false, true] {
            let code = if guarded { locked(code) } else { code.to_vec() };
            let (done, through) = (AtomicU64::new(0), AtomicU64::new(0));
            let heat = Arc::new(Heat { machine: Machine::default(), code, adds, done, through });
            run(stage, &heat, threads)?;
            let (expected, found) = (heat.done.load(Relaxed), heat.machine.global().unsigned_abs());
            Tried { way, locked: guarded, expected, found }.tell(stage);
        }
    }
    Ok(())
}

fn run(stage: &mut Stage, heat: &Arc<Heat>, threads: usize) -> Result<(), Over> {
    let mut numbers = Vec::new();
    for me in 0..threads {
        let theirs = Arc::clone(heat);
        numbers.push(stage.enter(As::Threads, &Settings::default(), move |worker| theirs.play(worker, me))?);
    }
    numbers.iter().for_each(|number| stage.order(*number, 1));
    if !until(stage, PATIENCE, |_| heat.through.load(Acquire) == threads as u64)? {
        let why = format!("it had not ended after {} s", PATIENCE.as_secs());
        return Err(Unavailable::new("the race on the machine of our own", why).into());
    }
    stage.dismiss(&numbers);
    Ok(())
}
