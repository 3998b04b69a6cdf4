//! The thread that ticks: an event loop, which sleeps until something is due and then does it.

use super::task::{self, Job};
use super::{Place, row};
use crate::demo::cost::coroutine::Task;
use crate::demo::labour::compute;
use crate::fact::{Fact, Unavailable};
use crate::stage::Worker;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// Ticks that are shown before a task and after it.
pub(super) const BESIDE: u32 = 6;

/// The order for task number `n` at a place.
pub(super) fn order(n: u64, place: Place) -> u64 {
    n * 8 + place as u64
}

/// The clock.
pub(super) struct Clock<'w> {
    worker: &'w Worker,
    size: Duration,
    lock: Arc<Mutex<()>>,
    other: mpsc::Sender<Job>,
    stop: Arc<AtomicBool>,
    ticks: Ticks,
    /// Marks of the last ticks, as they came.
    recent: VecDeque<char>,
    tasks: usize,
    task: Option<Running>,
}

/// A long task that is not over, or was a few ticks ago.
struct Running {
    name: String,
    place: Place,
    begun: Instant,
    took: Option<Duration>,
    /// Ticks that were due since it was over.
    after: u32,
    due: u64,
    came: u64,
    worst: Duration,
    marks: String,
    doing: Doing,
}

/// How it gets on.
enum Doing {
    /// It is over.
    Over,
    /// Another thread does it.
    Elsewhere(Arc<AtomicBool>),
    /// A slice of it is done now and then.
    Slices(Task),
}

/// What is due when.
#[derive(Debug)]
struct Ticks {
    every: Duration,
    begun: Instant,
    /// Ticks that were due so far, dropped ones included.
    due: u32,
    last: Instant,
}

/// A tick that came.
#[derive(Debug, PartialEq, Eq)]
struct Tick {
    /// Ticks before it that were due and did not come.
    dropped: u32,
    /// Since the tick before.
    gap: Duration,
}

impl Ticks {
    fn new(every: Duration, now: Instant) -> Self {
        Self { every, begun: now, due: 0, last: now }
    }

    /// How long until the next is due; none if it is.
    fn left(&self, now: Instant) -> Option<Duration> {
        let left = (self.begun + self.every * (self.due + 1)).saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Ticks, if that is due. Where several were due, all but one are dropped, as timers of event loops do.
    fn tick(&mut self, now: Instant) -> Option<Tick> {
        let due = now.saturating_duration_since(self.begun).as_nanos() / self.every.as_nanos().max(1);
        let due = u32::try_from(due).unwrap_or(u32::MAX);
        let new = due.checked_sub(self.due).filter(|new| *new > 0)?;
        let gap = now.saturating_duration_since(self.last);
        (self.due, self.last) = (due, now);
        Some(Tick { dropped: new - 1, gap })
    }
}

impl<'w> Clock<'w> {
    pub(super) fn new(
        worker: &'w Worker,
        every: Duration,
        size: Duration,
        lock: Arc<Mutex<()>>,
        other: mpsc::Sender<Job>,
    ) -> Self {
        let ticks = Ticks::new(every, Instant::now());
        Self { worker, size, lock, other, stop: Arc::default(), ticks, recent: VecDeque::new(), tasks: 0, task: None }
    }

    /// Ticks, and does what it is told, until it is to leave.
    pub(super) fn run(mut self) {
        let mut known = 0;
        while !self.is_called_off() {
            let order = self.worker.order();
            if order != known && self.is_free() {
                known = order;
                self.begin(Place::ALL[usize::try_from(order % 8).unwrap_or(0) % Place::ALL.len()]);
            }
            self.tick();
            // A task that was ordered while one goes on has to wait, and is no reason not to sleep.
            let seen = if self.is_free() { known } else { order };
            if !self.slice()
                && let Some(left) = self.ticks.left(Instant::now())
            {
                let _ = self.worker.wait(seen, left);
            }
        }
        // A coroutine that has begun must return before it is dropped.
        self.stop.store(true, Release);
        while self.slice() {}
    }

    fn is_called_off(&self) -> bool {
        self.worker.order() == Worker::HALT
    }

    /// No task goes on.
    fn is_free(&self) -> bool {
        self.task.as_ref().is_none_or(|task| task.took.is_some())
    }

    /// A long task comes.
    fn begin(&mut self, place: Place) {
        self.tasks += 1;
        let mut task = Running {
            name: self.tasks.to_string(),
            place,
            begun: Instant::now(),
            took: None,
            after: 0,
            due: 0,
            came: 0,
            worst: Duration::ZERO,
            marks: format!("{}│", self.recent.iter().collect::<String>()),
            doing: Doing::Over,
        };
        self.worker.tell(row(&task.name, json!({ "where": place.word(), "marks": task.marks })));
        match place {
            Place::Same => {
                let worker = self.worker;
                compute(self.size, || worker.order() == Worker::HALT);
                task.took = Some(task.begun.elapsed());
            }
            Place::Other | Place::Locked => {
                let done = Arc::new(AtomicBool::new(false));
                task.doing = Doing::Elsewhere(Arc::clone(&done));
                // The other thread leaves after this one only.
                let _ = self.other.send(Job { size: self.size, place, done });
            }
            Place::Yielding => match task::in_slices(self.size, Arc::clone(&self.stop)) {
                Ok(slices) => task.doing = Doing::Slices(slices),
                Err(error) => {
                    self.worker.tell(Fact::Refused(Unavailable::new("a stack for the task", error.to_string())));
                    return;
                }
            },
        }
        self.task = Some(task);
    }

    /// Does a slice of the task, if it is done in slices on this thread. Whether it was.
    fn slice(&mut self) -> bool {
        let Some(task) = &mut self.task else { return false };
        let Doing::Slices(slices) = &mut task.doing else { return false };
        if !slices.resume() {
            (task.doing, task.took) = (Doing::Over, Some(task.begun.elapsed()));
        }
        true
    }

    /// Ticks, if it is time, and tells of it.
    fn tick(&mut self) {
        if self.ticks.left(Instant::now()).is_some() {
            return;
        }
        let needs_lock = self.task.as_ref().is_some_and(|task| task.place == Place::Locked);
        // What the two share has to be looked at for each tick.
        let held = needs_lock.then(|| self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(tick) = self.ticks.tick(Instant::now()) else { return };
        drop(held);
        self.worker.set_work(self.ticks.due.into());
        self.recent.extend(std::iter::repeat_n('○', tick.dropped.min(BESIDE) as usize).chain(['●']));
        self.recent.drain(..self.recent.len().saturating_sub(BESIDE as usize));
        let Some(task) = &mut self.task else { return };
        if task.after >= BESIDE {
            return;
        }
        task.take(&tick);
        let facts = task.facts();
        let settled = task.after >= BESIDE && task.name == "1";
        let x = f64::from(u32::try_from(task.due).unwrap_or(u32::MAX));
        let point = Fact::Point { curve: task.place.word().to_owned(), x, y: tick.gap.as_nanos() as f64 };
        self.worker.tell(point);
        self.worker.tell(facts);
        if settled {
            self.worker.tell(Fact::settled());
        }
    }
}

impl Running {
    /// Takes a tick into account.
    fn take(&mut self, tick: &Tick) {
        if let Doing::Elsewhere(done) = &self.doing
            && done.load(Acquire)
        {
            (self.doing, self.took) = (Doing::Over, Some(self.begun.elapsed()));
        }
        self.due += u64::from(tick.dropped) + 1;
        self.came += 1;
        self.worst = self.worst.max(tick.gap);
        self.marks.push_str(&"○".repeat(tick.dropped.min(200) as usize));
        if self.took.is_some() {
            if self.after == 0 {
                self.marks.push('│');
            }
            self.after += 1;
        }
        self.marks.push('●');
    }

    fn facts(&self) -> Fact {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        row(
            &self.name,
            json!({
                "where": self.place.word(),
                "dropped": self.due - self.came,
                "worst_gap_ns": nanos(self.worst),
                "ticks": self.came,
                "expected_ticks": self.due,
                "took_ns": self.took.map(nanos),
                "marks": self.marks,
            }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_due_meanwhile_is_dropped_but_for_one() {
        let now = Instant::now();
        let at = |ms: u64| now + Duration::from_millis(ms);
        let mut ticks = Ticks::new(Duration::from_millis(50), now);
        assert_eq!((ticks.tick(at(49)), ticks.left(at(49))), (None, Some(Duration::from_millis(1))));
        assert_eq!(ticks.tick(at(51)), Some(Tick { dropped: 0, gap: Duration::from_millis(51) }));
        assert_eq!(ticks.tick(at(99)), None);
        // Due were those of 100, 150, 200 and 250 ms.
        assert_eq!(ticks.tick(at(260)), Some(Tick { dropped: 3, gap: Duration::from_millis(209) }));
        assert_eq!(ticks.left(at(260)), Some(Duration::from_millis(40)));
    }

    #[test]
    fn marks_say_what_came_and_when_the_task_was_over() {
        let mut task = Running {
            name: "1".to_owned(),
            place: Place::Same,
            begun: Instant::now(),
            took: None,
            after: 0,
            due: 0,
            came: 0,
            worst: Duration::ZERO,
            marks: "│".to_owned(),
            doing: Doing::Over,
        };
        let gap = Duration::from_millis(10);
        task.take(&Tick { dropped: 0, gap });
        task.took = Some(gap * 4);
        task.take(&Tick { dropped: 2, gap: gap * 3 });
        task.take(&Tick { dropped: 0, gap });
        assert_eq!((task.marks.as_str(), task.due, task.came, task.worst), ("│●○○│●●", 5, 3, gap * 3));
    }
}
