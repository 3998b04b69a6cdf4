//! The program of three steps, and two workers that are held before each until they are told to do it.
//!
//! A worker sleeps at its order, does one step on the shared word when the order comes, and tells what its register holds. So
//! while one steps, the other is asleep, and what the leader reads between two steps is what memory held between them. The
//! register is a variable of the worker's own: that of the CPU is saved with it whenever it sleeps.

use super::{Area, OVER, PROGRAM, STEP_A, STEP_B, settled};
use crate::demo::pace::{Cut, Look, Pace};
use crate::demo::script::row;
use crate::fact::{Fact, Params, Unavailable};
use crate::stage::{Cue, Stage, Worker};
use serde_json::{Value, json};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

/// The program.
pub(super) const LINES: [&str; 3] = ["load  r, [counter]", "add   r, 1", "store [counter], r"];

/// Its lines, as numbers.
const ALL: u64 = LINES.len() as u64;

/// How many steps an order can count in one attempt; the attempts are counted above.
const ATTEMPT: u64 = 1000;

/// How long the learner is waited for before the program goes on by itself, in milliseconds.
pub(super) const IDLE_MS: u64 = 15_000;

/// The letters of the two.
const LETTERS: [&str; 2] = ["A", "B"];

/// What the two and the leader have in common.
#[derive(Debug)]
pub(super) struct Desk {
    area: Area,
    rounds: u64,
}

impl Desk {
    pub(super) fn new(area: Area, rounds: u64) -> Self {
        Self { area, rounds }
    }

    fn counter(&self) -> &AtomicU64 {
        self.area.word(0)
    }

    /// What this side's register holds; 0 before the first load.
    fn register(&self, side: usize) -> &AtomicU64 {
        self.area.word_of(0, 16 * (side + 1))
    }
}

/// Where a worker is in the program.
#[derive(Debug, Default)]
pub(super) struct Program {
    attempt: u64,
    /// Steps that it has done.
    done: u64,
    register: Option<u64>,
}

impl Program {
    /// Does what the order says: the next step, or begins again.
    pub(super) fn obey(&mut self, order: u64, side: usize, desk: &Desk, worker: &Worker) {
        if order / ATTEMPT != self.attempt {
            *self = Self { attempt: order / ATTEMPT, ..Self::default() };
        }
        while self.done < order % ATTEMPT {
            self.step(desk.counter());
        }
        desk.register(side).store(self.register.unwrap_or(0), Release);
        worker.tell(row(PROGRAM.table, worker.name(), self.shown(desk.rounds)));
    }

    fn step(&mut self, counter: &AtomicU64) {
        match self.done % ALL {
            0 => self.register = Some(counter.load(Relaxed)),
            1 => self.register = self.register.map(|r| r + 1),
            _ => counter.store(self.register.unwrap_or(0), Relaxed),
        }
        self.done += 1;
    }

    /// Its row of the listing.
    fn shown(&self, rounds: u64) -> Value {
        let through = self.done >= rounds * ALL;
        let at = if through { ALL + 1 } else { self.done % ALL + 1 };
        let round = match (through, rounds) {
            (true, _) => "through".to_owned(),
            (false, 1) => "once".to_owned(),
            (false, _) => format!("round {} of {rounds}", self.done / ALL + 1),
        };
        json!({ "at": at, "round": round, "r": self.register })
    }
}

/// Whose step each is, in an order that leads to the least total there can be.
///
/// With one round, each loads before the other stores: 1. With more, A loads 0 and sleeps; B goes round until only its last round
/// is left; A stores its 1 over all that; B loads this 1 for its last round and sleeps in its turn; A goes round to its end; B stores
/// 2. Less cannot be: whoever stores last has loaded in its last round, after its own earlier store or the other's, or both had one round.
pub(super) fn wrong(rounds: usize) -> Vec<usize> {
    if rounds == 1 {
        return [0, 1].repeat(LINES.len());
    }
    let rest = LINES.len() * (rounds - 1);
    let parts = [(0, 1), (1, rest), (0, 2), (1, 1), (0, rest), (1, 2)];
    parts.iter().flat_map(|(side, steps)| vec![*side; *steps]).collect()
}

/// One after the other.
fn right(rounds: usize) -> Vec<usize> {
    (0..2).flat_map(|side| vec![side; LINES.len() * rounds]).collect()
}

/// The leader's side of one attempt.
struct Attempt {
    number: u64,
    done: [u64; 2],
    order: Vec<&'static str>,
}

impl Attempt {
    fn over(&self, desk: &Desk) -> bool {
        self.done.iter().all(|done| *done >= desk.rounds * ALL)
    }

    /// Begins attempt `number`: memory holds 0, and both stand before the first line.
    fn begin(stage: &mut Stage, desk: &Desk, number: u64, pace: &mut Pace) -> Result<Self, Cut> {
        desk.counter().store(0, Relaxed);
        for side in 0..2 {
            order(stage, side, number * ATTEMPT, pace)?;
        }
        stage.tell(row(PROGRAM.table, "memory", json!({ "counter": 0 })));
        let words = "Both stand before line 1, and memory holds 0. Key a: A does its next step; b: B does.";
        stage.tell(row(PROGRAM.table, "last", json!({ "words": words, "order": "" })));
        Ok(Self { number, done: [0; 2], order: Vec::new() })
    }

    /// Lets `side` do its next step, unless it is through.
    fn step(&mut self, stage: &mut Stage, desk: &Desk, side: usize, pace: &mut Pace) -> Result<(), Cut> {
        if self.done[side] >= desk.rounds * ALL || self.over(desk) {
            return Ok(());
        }
        let line = self.done[side] % ALL;
        let before = desk.counter().load(Acquire);
        self.done[side] += 1;
        order(stage, side, self.number * ATTEMPT + self.done[side], pace)?;
        let (register, memory) = (desk.register(side).load(Acquire), desk.counter().load(Acquire));
        self.order.push(LETTERS[side]);
        let words = sentence(LETTERS[side], line, (before, register));
        stage.tell(row(PROGRAM.table, "memory", json!({ "counter": memory })));
        let mut last = json!({ "words": words, "order": self.order.join(" ") });
        if self.over(desk) {
            let right = 2 * desk.rounds;
            last["words"] = json!(format!("{words} Both are through: {memory}, and {right} would be right."));
            last["total"] = json!(memory);
            last["whole"] = json!(self.order.join(" "));
        }
        stage.tell(row(PROGRAM.table, "last", last));
        Ok(())
    }
}

/// What a step did: `line` of the program, counted from 0, with what memory held before and the register after it.
fn sentence(who: &str, line: u64, (before, register): (u64, u64)) -> String {
    match line {
        0 => format!("{who} loads {register}."),
        1 => format!("{who} adds 1: its register holds {register}, memory still {before}."),
        // Whoever loaded `register - 1` has not seen what was stored since.
        _ => match before.saturating_sub(register.saturating_sub(1)) {
            0 => format!("{who} stores {register}."),
            1 => format!("{who} stores {register} over {before}: an add is lost."),
            lost => format!("{who} stores {register} over {before}: {lost} adds are lost."),
        },
    }
}

/// Gives `side` an order and waits until it is done.
fn order(stage: &mut Stage, side: usize, order: u64, pace: &mut Pace) -> Result<(), Cut> {
    stage.order(side, order);
    pace.until(stage, "a worker's step", |stage| {
        let gone = stage.cast().get(side).is_none_or(|entry| entry.ended.is_some());
        match stage.work(side) >= order {
            true => Look::Seen(()),
            false if gone => Look::Never,
            false => Look::NotYet,
        }
    })
}

/// What decides whose step is next.
#[derive(Debug)]
enum Turns {
    /// The rest of a schedule, at the pace.
    Schedule(std::vec::IntoIter<usize>),
    /// The keys, as long as there are any; else a schedule.
    Learner,
    /// The keys.
    Keys,
}

impl Turns {
    fn of(word: &str, rounds: usize) -> Self {
        match word {
            "right" => Self::Schedule(right(rounds).into_iter()),
            "learner" => Self::Learner,
            _ => Self::Schedule(wrong(rounds).into_iter()),
        }
    }

    /// How long the learner is listened to before the next step.
    fn patience(&self, pace: Pace) -> Option<Duration> {
        match self {
            Self::Schedule(steps) if steps.len() == 0 => None,
            Self::Schedule(_) => Some(Duration::from_millis(pace.millis())),
            Self::Learner => Some(Duration::from_millis(IDLE_MS)),
            Self::Keys => None,
        }
    }

    /// Nobody pressed a key: whose step is next.
    fn go_on(&mut self, rounds: usize) -> Option<usize> {
        if matches!(self, Self::Learner) {
            *self = Self::Schedule(wrong(rounds).into_iter());
        }
        if let Self::Schedule(steps) = self { steps.next() } else { None }
    }
}

/// Steps through the program: by the schedule until the learner takes over. With `then`, it is left when both are through;
/// without, when the learner has seen enough.
pub(super) fn show(stage: &mut Stage, desk: &Desk, params: &Params, then: bool) -> Result<(), Cut> {
    let mut pace = Pace::new(params.int("pace"));
    let rounds = params.count("rounds");
    let mut turns = Turns::of(params.word("schedule"), rounds);
    let mut attempt = Attempt::begin(stage, desk, 1, &mut pace)?;
    let (mut since, mut first) = (Instant::now(), true);
    loop {
        let side = match stage.next(turns.patience(pace).map(|patience| patience.saturating_sub(since.elapsed()))) {
            Cue::Finish => return Err(Cut::Finish),
            Cue::Time => turns.go_on(rounds),
            Cue::Ended(_) => return Err(Unavailable::new("the next step", "a worker has ended").into()),
            Cue::Steer(steer) if pace.obey(&steer) => None,
            Cue::Steer(steer) => {
                // Whoever steps by hand goes on by hand.
                turns = Turns::Keys;
                if steer.verb == OVER.verb {
                    attempt = Attempt::begin(stage, desk, attempt.number + 1, &mut pace)?;
                }
                [STEP_A, STEP_B].iter().position(|step| step.verb == steer.verb)
            }
        };
        if let Some(side) = side {
            since = Instant::now();
            attempt.step(stage, desk, side, &mut pace)?;
        }
        if attempt.over(desk) && first {
            first = false;
            stage.tell(Fact::Step { name: "stepped".to_owned() });
            if then {
                return pace.rest(stage);
            }
            settled(stage);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two go through the program in this order: what memory holds in the end.
    fn total(order: &[usize]) -> u64 {
        let counter = AtomicU64::new(0);
        let mut both = [Program::default(), Program::default()];
        order.iter().for_each(|side| both[*side].step(&counter));
        counter.into_inner()
    }

    /// Every order of the steps of two that have `left` to do, after `done`.
    fn orders(left: [usize; 2], done: &mut Vec<usize>, each: &mut impl FnMut(&[usize])) {
        if left == [0, 0] {
            return each(done);
        }
        for side in (0..2).filter(|side| left[*side] > 0) {
            let mut rest = left;
            rest[side] -= 1;
            done.push(side);
            orders(rest, done, each);
            done.pop();
        }
    }

    #[test]
    fn one_after_the_other_is_right_and_the_wrong_one_reaches_the_least_that_any_order_does() {
        for rounds in 1..=3 {
            let steps = LINES.len() * rounds;
            let (mut least, mut most) = (u64::MAX, 0);
            orders([steps; 2], &mut Vec::new(), &mut |order| {
                least = least.min(total(order));
                most = most.max(total(order));
            });
            assert_eq!((total(&wrong(rounds)), total(&right(rounds))), (least, most), "{rounds} rounds");
            assert_eq!((least, most), (if rounds == 1 { 1 } else { 2 }, 2 * rounds as u64), "{rounds} rounds");
        }
    }

    #[test]
    fn of_the_twenty_orders_of_one_round_two_are_right() {
        let (mut all, mut right) = (0, 0);
        orders([LINES.len(); 2], &mut Vec::new(), &mut |order| {
            all += 1;
            right += u32::from(total(order) == 2);
        });
        assert_eq!((all, right), (20, 2));
    }

    #[test]
    fn a_learner_who_presses_no_key_is_shown_an_order() {
        let mut turns = Turns::of("learner", 2);
        assert_eq!(turns.patience(Pace::new(5)), Some(Duration::from_millis(IDLE_MS)));
        let shown: Vec<_> = std::iter::from_fn(|| turns.go_on(2)).collect();
        assert_eq!(shown, wrong(2));
        let mut turns = Turns::Keys;
        assert_eq!((turns.patience(Pace::new(5)), turns.go_on(2)), (None, None));
    }

    #[test]
    fn a_schedule_has_each_step_once() {
        for rounds in 1..=5 {
            for order in [wrong(rounds), right(rounds)] {
                let of = |side| order.iter().filter(|s| **s == side).count();
                assert_eq!((of(0), of(1)), (3 * rounds, 3 * rounds), "{order:?}");
            }
        }
    }

    #[test]
    fn a_step_says_what_it_did_and_what_was_lost() {
        assert_eq!(sentence("A", 0, (0, 0)), "A loads 0.");
        assert_eq!(sentence("A", 1, (0, 1)), "A adds 1: its register holds 1, memory still 0.");
        assert_eq!(sentence("B", 2, (0, 1)), "B stores 1.");
        assert_eq!(sentence("B", 2, (1, 1)), "B stores 1 over 1: an add is lost.");
        assert_eq!(sentence("A", 2, (5, 1)), "A stores 1 over 5: 5 adds are lost.");
    }

    #[test]
    fn the_cursor_stands_at_the_next_line() {
        let counter = AtomicU64::new(0);
        let mut program = Program::default();
        let at = |program: &Program| program.shown(2)["at"].clone();
        let mut seen = vec![at(&program)];
        for _ in 0..6 {
            program.step(&counter);
            seen.push(at(&program));
        }
        assert_eq!(seen, [1, 2, 3, 1, 2, 3, 4].map(|n| json!(n)));
        assert_eq!((program.shown(2)["round"].clone(), counter.into_inner()), (json!("through"), 2));
    }
}
