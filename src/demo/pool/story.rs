//! What happens: hiring, submitting, cancelling, waiting, gathering, and the end of the block.

use super::board::{self, Board};
use super::{ASK, BLOCK, CALLBACK, CALLBACKS, CANCEL, MAIN, POLL, SPEC, SUBMIT};
use crate::demo::executor::{Executor, Future, Missing, Outcome};
use crate::demo::pace::Cut;
use crate::demo::primes::{NUMBERS, is_prime};
use crate::demo::{script, train};
use crate::fact::{As, Fact, Params, SETTLED, Steer, Unavailable};
use crate::stage::{Cue, Stage, Worker};
use serde_json::json;
use std::time::{Duration, Instant};

/// How often who sleeps for news hears the learner, and how often who polls asks.
const HEAR: Duration = Duration::from_millis(20);
const POLLS: Duration = Duration::from_millis(10);

/// How long the learner has for another task when all are done; and how long the result stays.
const IDLE: Duration = Duration::from_millis(1500);
const STAY: Duration = Duration::from_secs(1);

/// How long a worker may take for what it is at when the block ends. The machine may be very busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the learner's question waits.
const ASKED: Duration = Duration::from_millis(100);

/// A number that is neither prime nor composite: the task that is to fail.
const NO_NUMBER: u64 = 1;

/// The argument of a task that only waits.
const ONLY_WAIT: u64 = 0;

/// The main thread's side.
struct Main {
    executor: Executor,
    board: Board,
    params: Params,
    /// The futures whose results it has taken, in that order.
    taken: Vec<Future>,
    submitted: Vec<u64>,
    begun: Option<Instant>,
    asks: u64,
    timed_out: u64,
    closed: bool,
}

/// All of it.
///
/// # Errors
/// The learner has seen enough, or the machine refused something.
pub(super) fn tell(stage: &mut Stage) -> Result<(), Cut> {
    let executor = Executor::new().map_err(|error| Unavailable::new("the queue", error.to_string()))?;
    let mut main = Main {
        executor,
        board: Board::default(),
        params: stage.params(&SPEC),
        taken: Vec::new(),
        submitted: Vec::new(),
        begun: None,
        asks: 0,
        timed_out: 0,
        closed: false,
    };
    main.hire(stage)?;
    main.submit_all(stage);
    if main.params.flag("cancel") {
        main.cancel_two(stage)?;
    }
    if main.params.int("timeout") > 0 {
        let patience = Duration::from_millis(main.params.int("timeout").unsigned_abs());
        main.ask(stage, patience);
    }
    if main.params.word("learn") == BLOCK {
        main.close(stage)?;
    }
    main.gather(stage)?;
    main.tell_results(stage);
    if !main.closed {
        main.idle(stage)?;
        main.close(stage)?;
    }
    script::step(stage, SETTLED);
    main.rest(stage, STAY)
}

/// What a worker does with a task.
fn work(worker: &Worker, argument: u64, times: u64, wait: Duration) -> Outcome {
    let called_off = || worker.order() == Worker::HALT;
    if argument == NO_NUMBER {
        return Err(board::NOT_TESTABLE);
    }
    if argument == ONLY_WAIT {
        return if worker.wait(0, wait) == Worker::HALT { Err(board::CALLED_OFF) } else { Ok(2) };
    }
    let mut prime = None;
    for _ in 0..times {
        prime = Some(is_prime(std::hint::black_box(argument), || !called_off()).ok_or(board::CALLED_OFF)?);
    }
    prime.map(u64::from).ok_or(board::NOT_TESTABLE)
}

/// A callback: it tells who runs it.
fn called(by: &str, future: Future) -> Fact {
    let values = [("by".to_owned(), json!(by))].into();
    Fact::Row { table: CALLBACKS.to_owned(), row: future.number().to_string(), values }
}

/// What an order of the learner came to, in a line.
fn say(stage: &mut Stage, text: &str) {
    stage.tell(Fact::Said { text: text.to_owned(), dropped: 0 });
}

impl Main {
    fn hire(&mut self, stage: &mut Stage) -> Result<(), Cut> {
        let what = self.params.workers_as();
        let times = self.params.int("times").unsigned_abs();
        let wait = Duration::from_millis(self.params.int("wait").unsigned_abs());
        let calls = self.calls() && what == As::Threads;
        for _ in 0..self.params.count("workers") {
            let then = move |worker: &Worker, future| {
                if calls {
                    worker.tell(called(worker.name(), future));
                }
            };
            self.executor.hire(stage, what, move |worker, argument| work(worker, argument, times, wait), then)?;
        }
        script::step(stage, "hired");
        Ok(())
    }

    fn calls(&self) -> bool {
        self.params.word("learn") == CALLBACK
    }

    fn submit_all(&mut self, stage: &mut Stage) {
        for number in NUMBERS.into_iter().cycle().take(self.params.count("tasks")) {
            self.submit(stage, if self.params.word("task") == "wait" { ONLY_WAIT } else { number });
        }
        if self.params.flag("fail") {
            self.submit(stage, NO_NUMBER);
        }
        script::step(stage, "submitted");
        let mut each = self.submitted.clone();
        each.sort_unstable();
        board::tell_all(stage, "submit_ns", json!(each.get(each.len() / 2)));
    }

    fn submit(&mut self, stage: &mut Stage, argument: u64) {
        let begun = Instant::now();
        self.begun.get_or_insert(begun);
        if self.executor.submit(argument).is_none() {
            let why = "as many as there is room for have been submitted";
            return stage.tell(Fact::Refused(Unavailable::new("another task", why)));
        }
        self.submitted.push(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.give_up_if_alone(stage);
        self.look(stage);
    }

    /// Tries to cancel the first when it runs, and the last, which has not begun.
    fn cancel_two(&mut self, stage: &mut Stage) -> Result<(), Cut> {
        let all: Vec<_> = self.executor.futures().collect();
        let (Some(first), Some(last)) = (all.first(), all.last()) else { return Ok(()) };
        loop {
            let news = self.executor.news();
            let record = self.executor.record(*first);
            if record.is_running() || record.is_done() {
                break;
            }
            self.executor.wait(news, HEAR);
            self.hear(stage, Duration::ZERO)?;
        }
        let said = self.executor.cancel(*first);
        // Still running after the attempt: so it was in the moment of it.
        let ran = self.executor.record(*first).is_running();
        board::tell_all(stage, "cancel_running", json!(ran.then_some(said)));
        let queued = !self.executor.record(*last).is_running() && !self.executor.record(*last).is_done();
        let said = self.executor.cancel(*last);
        board::tell_all(stage, "cancel_queued", json!((queued || said).then_some(said)));
        script::step(stage, "cancelled");
        self.look(stage);
        Ok(())
    }

    /// Asks for the next result that was not taken, or else for the last of all, and waits so long.
    fn ask(&mut self, stage: &mut Stage, patience: Duration) {
        let open = self.executor.futures().find(|future| !self.taken.contains(future));
        let Some(next) = open.or(self.taken.last().copied()) else { return };
        let answer = self.executor.result(next, patience);
        let said = match answer {
            Err(Missing::TimedOut) => format!("time-out after {} ms; the task goes on", patience.as_millis()),
            answer => board::words(answer).to_owned(),
        };
        say(stage, &format!("task {}: result() says {said}", next.number()));
        if answer == Err(Missing::TimedOut) {
            self.timed_out += 1;
            script::step(stage, "timed out");
        }
        board::tell_all(stage, "timed_out", json!(self.timed_out));
        self.look(stage);
    }

    /// Takes the results, until there are no more.
    fn gather(&mut self, stage: &mut Stage) -> Result<(), Cut> {
        let polls = self.params.word("learn") == POLL;
        loop {
            let news = self.executor.news();
            self.look(stage);
            self.asks += u64::from(polls);
            self.take(stage);
            if self.taken.len() == self.executor.futures().count() {
                return Ok(());
            }
            if polls {
                self.hear(stage, POLLS)?;
            } else {
                self.executor.wait(news, HEAR);
                self.hear(stage, Duration::ZERO)?;
            }
        }
    }

    /// Takes those that are done and have their turn.
    fn take(&mut self, stage: &mut Stage) {
        let done = |future: &Future| self.executor.record(*future).is_done();
        let left = || self.executor.futures().filter(|future| !self.taken.contains(future));
        // Who is called is called at once, whoever's turn it is.
        let as_they_come = self.params.word("order") == "completion" || self.calls();
        let mut ready: Vec<_> =
            if as_they_come { left().filter(done).collect() } else { left().take_while(done).collect() };
        if as_they_come {
            ready.sort_by_key(|future| self.executor.record(*future).ended);
        }
        if self.params.word("learn") != POLL && !self.calls() {
            self.asks += ready.len() as u64;
        }
        if self.calls() && self.params.workers_as() == As::Processes {
            // A worker's process cannot run a function in the memory of this one.
            ready.iter().for_each(|future| stage.tell(called(MAIN, *future)));
        }
        if !ready.is_empty()
            && let Some(begun) = self.begun
        {
            let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
            board::tell_all(stage, "result_ns", json!(nanos));
        }
        self.taken.extend(ready);
    }

    fn tell_results(&self, stage: &mut Stage) {
        let answers = self.taken.iter().filter_map(|future| self.executor.record(*future).answer());
        let words: Vec<_> = answers.map(board::words).collect();
        board::tell_all(stage, "results", json!(words));
        board::tell_all(stage, "asks", json!(self.asks));
        board::tell_all(stage, "timed_out", json!(self.timed_out));
        script::step(stage, "gathered");
    }

    /// Nothing is left to do: waits for the learner for a while.
    fn idle(&mut self, stage: &mut Stage) -> Result<(), Cut> {
        let mut since = Instant::now();
        while since.elapsed() < IDLE {
            let tasks = self.executor.futures().count();
            self.hear(stage, HEAR)?;
            if self.executor.futures().count() > tasks {
                self.gather(stage)?;
                self.tell_results(stage);
                since = Instant::now();
            }
        }
        Ok(())
    }

    /// The end of the block: no more tasks, and a wait for all workers.
    fn close(&mut self, stage: &mut Stage) -> Result<(), Cut> {
        let begun = Instant::now();
        self.closed = true;
        self.executor.shut_down();
        while stage.on().next().is_some() {
            self.look(stage);
            self.hear(stage, HEAR)?;
            if begun.elapsed() > PATIENCE {
                return Err(Unavailable::new("the end of the block", "a worker does not come to its end").into());
            }
        }
        self.look(stage);
        let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        board::tell_all(stage, "close_ns", json!(nanos));
        board::tell_all(stage, "alive_after", json!(stage.on().count()));
        script::step(stage, "closed");
        Ok(())
    }

    fn look(&mut self, stage: &mut Stage) {
        self.board.look(stage, &self.executor);
    }

    fn rest(&mut self, stage: &mut Stage, time: Duration) -> Result<(), Cut> {
        let begun = Instant::now();
        while begun.elapsed() < time {
            self.hear(stage, time.saturating_sub(begun.elapsed()))?;
        }
        Ok(())
    }

    /// Hears the learner, and of workers that ended, for `patience` at most.
    fn hear(&mut self, stage: &mut Stage, patience: Duration) -> Result<(), Cut> {
        match stage.next(Some(patience)) {
            Cue::Finish => return Err(Cut::Finish),
            Cue::Steer(steer) => self.obey(stage, &steer),
            Cue::Ended(worker) => {
                self.executor.bereave(worker);
                self.give_up_if_alone(stage);
                self.look(stage);
            }
            Cue::Time => {}
        }
        Ok(())
    }

    /// Where no worker is left, nobody will do what is in the queue.
    fn give_up_if_alone(&self, stage: &Stage) {
        if stage.on().next().is_none() {
            self.executor.abandon();
        }
    }

    fn obey(&mut self, stage: &mut Stage, steer: &Steer) {
        if steer.verb == SUBMIT.verb {
            if self.closed {
                let why = "the pool is shut down (Python: RuntimeError)";
                return stage.tell(Fact::Refused(Unavailable::new("another task", why)));
            }
            let next = NUMBERS[self.submitted.len() % NUMBERS.len()];
            self.submit(stage, if self.params.word("task") == "wait" { ONLY_WAIT } else { next });
        } else if steer.verb == CANCEL.verb {
            let all: Vec<_> = self.executor.futures().collect();
            match all.into_iter().rev().find(|future| self.executor.cancel(*future)) {
                Some(future) => say(stage, &format!("task {}: cancel() says yes", future.number())),
                None => {
                    let why = "none is pending: what runs or is done cannot be cancelled";
                    stage.tell(Fact::Refused(Unavailable::new("cancelling a task", why)));
                }
            }
            self.look(stage);
        } else if steer.verb == ASK.verb {
            self.ask(stage, ASKED);
        } else {
            train::kill(stage, steer);
        }
    }
}
