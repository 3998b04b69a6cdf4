//! The long task, wherever it is done: so much CPU time of computing.

use super::Place;
use crate::demo::cost::coroutine::{Task, Turn};
use crate::demo::labour::compute;
use crate::stage::Worker;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

/// A task that yields does so after so much computing.
const SLICE: Duration = Duration::from_millis(2);

/// One that holds a lock holds it for so many ticks, and then does without it for one.
const HOLDS: u32 = 4;

/// A task for the other thread.
pub(super) struct Job {
    pub(super) size: Duration,
    pub(super) place: Place,
    /// Set when it is done.
    pub(super) done: Arc<AtomicBool>,
}

/// The task as a coroutine, which yields after each slice. With `stop` it returns at its next turn.
///
/// # Errors
/// The kernel's refusal of a stack.
pub(super) fn in_slices(size: Duration, stop: Arc<AtomicBool>) -> io::Result<Task> {
    Task::new(move |turn: &Turn<'_>| {
        let mut left = size;
        while !left.is_zero() && !stop.load(Acquire) {
            let slice = left.min(SLICE);
            compute(slice, || false);
            left -= slice;
            turn.give_up();
        }
    })
}

/// The other thread's part: it does what it is handed, until nobody can hand it anything.
pub(super) fn serve(worker: &Worker, jobs: &mpsc::Receiver<Job>, lock: &Mutex<()>, tick: Duration) {
    let stop = || worker.order() == Worker::HALT;
    while let Ok(job) = jobs.recv() {
        if job.place == Place::Locked {
            let mut left = job.size;
            while !left.is_zero() && !stop() {
                let (with, without) = (left.min(tick * HOLDS), left.saturating_sub(tick * HOLDS).min(tick));
                let held = lock.lock().unwrap_or_else(PoisonError::into_inner);
                compute(with, stop);
                drop(held);
                compute(without, stop);
                left -= with + without;
            }
        } else {
            compute(job.size, stop);
        }
        job.done.store(true, Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::labour::on_cpu;

    #[test]
    fn a_task_in_slices_takes_its_cpu_time_and_gives_its_turn_up() {
        let mut task = in_slices(SLICE * 3, Arc::default()).expect("a stack");
        let before = on_cpu();
        let turns = std::iter::from_fn(|| task.resume().then_some(())).count();
        assert_eq!(turns, 3);
        assert!(on_cpu().since(before) >= (SLICE * 3).into());
    }

    #[test]
    fn one_in_slices_can_be_stopped() {
        let stop = Arc::new(AtomicBool::new(false));
        let mut task = in_slices(Duration::from_secs(3600), Arc::clone(&stop)).expect("a stack");
        assert!(task.resume());
        stop.store(true, Release);
        assert!(!task.resume());
    }
}
