//! A small bytecode machine of our own, with one lock that whoever executes bytecode must hold, for machines without Python. It
//! knows no demo.
//!
//! Its lock does what `CPython`'s does since 3.2: who waits for it asks for it after an interval, whoever has it looks for such
//! a wish at jumps back and after calls, gives the lock away, and does not take it again before another has had it
//! (Python/ceval_gil.c). Its threads are the machine's own: real threads, or a process each with a copy of all of it.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After how long one that waits asks for the lock.
pub(super) const INTERVAL: Duration = Duration::from_millis(5);

/// What it is called on screen.
pub(super) const NAME: &str = "a small bytecode machine of our own, one lock, 5 ms";

/// One instruction. The stack holds whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    /// Puts a number on the stack.
    Const(i64),
    /// Puts a thread's own variable on the stack.
    Load(usize),
    /// Takes one off the stack into a thread's own variable.
    Store(usize),
    /// Puts the global variable on the stack.
    LoadGlobal,
    /// Takes one off the stack into the global variable.
    StoreGlobal,
    /// Takes two, puts their sum.
    Add,
    /// Takes two, puts their bits in common.
    And,
    /// Calls a function that gives back what it got. Afterwards the lock may go to another.
    Call,
    /// Gives the lock away, sleeps for no time, takes it again.
    Sleep,
    /// Waits for the program's own lock.
    Acquire,
    /// Gives the program's own lock back.
    Release,
    /// Goes back to the beginning while the first variable is above zero, after taking one off it. The lock may go to another.
    Again,
}

/// A loop that computes, in variables of its own.
pub(super) const COUNT: &[Op] = &[Op::Load(1), Op::Load(0), Op::Const(3), Op::And, Op::Add, Op::Store(1), Op::Again];

/// `c += 1`, again and again.
pub(super) const PLAIN: &[Op] = &[Op::LoadGlobal, Op::Const(1), Op::Add, Op::StoreGlobal, Op::Again];

/// Read, call, write.
pub(super) const CALL: &[Op] = &[Op::LoadGlobal, Op::Call, Op::Const(1), Op::Add, Op::StoreGlobal, Op::Again];

/// Read, sleep, write.
pub(super) const SLEEP: &[Op] = &[Op::LoadGlobal, Op::Sleep, Op::Const(1), Op::Add, Op::StoreGlobal, Op::Again];

/// The same with the program's own lock around it.
pub(super) fn locked(code: &[Op]) -> Vec<Op> {
    let body = code.iter().filter(|op| **op != Op::Again).copied();
    [Op::Acquire].into_iter().chain(body).chain([Op::Release, Op::Again]).collect()
}

/// The machine: the lock, one global variable, and one lock for programs.
#[derive(Debug, Default)]
pub(super) struct Machine {
    held: Mutex<Held>,
    /// It was given back.
    free: Condvar,
    /// It was taken.
    taken: Condvar,
    /// Somebody has waited for an interval.
    wish: AtomicBool,
    global: AtomicI64,
    own: Mutex<bool>,
    released: Condvar,
}

/// Who has the lock.
#[derive(Debug, Default)]
struct Held {
    by: Option<usize>,
    last: Option<usize>,
    /// How often it was taken.
    times: u64,
    /// When it went to another than the one before.
    changes: Vec<Instant>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What it guards is whole after every instruction, whoever panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Machine {
    /// What the global variable holds.
    pub(super) fn global(&self) -> i64 {
        self.global.load(Relaxed)
    }

    /// Executes `code` as thread `me`, `times` over; one that is `cut` leaves at its next jump back. The lock is held until it
    /// is asked for, and given back at the end.
    pub(super) fn run(&self, me: usize, code: &[Op], times: i64, cut: impl Fn() -> bool) -> i64 {
        let (mut stack, mut own) = (Vec::with_capacity(8), [times - 1, 0]);
        let mut done = 0;
        self.take(me);
        while done < times {
            for op in code {
                self.execute(me, *op, &mut stack, &mut own);
            }
            done += 1;
            if done % 64 == 0 && cut() {
                break;
            }
        }
        self.give();
        done
    }

    fn execute(&self, me: usize, op: Op, stack: &mut Vec<i64>, own: &mut [i64; 2]) {
        let mut pop = || stack.pop().unwrap_or(0);
        match op {
            Op::Const(number) => stack.push(number),
            Op::Load(n) => stack.push(own[n]),
            Op::Store(n) => own[n] = pop(),
            Op::LoadGlobal => stack.push(self.global.load(Relaxed)),
            Op::StoreGlobal => self.global.store(pop(), Relaxed),
            Op::Add => {
                let sum = pop().wrapping_add(pop());
                stack.push(sum);
            }
            Op::And => {
                let common = pop() & pop();
                stack.push(common);
            }
            Op::Call => self.look(me),
            Op::Sleep => {
                self.give();
                std::thread::yield_now();
                self.take(me);
            }
            Op::Acquire => self.acquire(me),
            Op::Release => {
                *lock(&self.own) = false;
                self.released.notify_one();
            }
            Op::Again => {
                own[0] -= 1;
                self.look(me);
            }
        }
    }

    /// Gives the lock to one that has asked for it, and waits until it is taken.
    fn look(&self, me: usize) {
        if !self.wish.load(Relaxed) {
            return;
        }
        let mut held = lock(&self.held);
        let times = held.times;
        held.by = None;
        self.wish.store(false, Relaxed);
        self.free.notify_one();
        // One that asked may have gone meanwhile: then nobody takes it.
        let patience = INTERVAL * 4;
        let taken = self.taken.wait_timeout_while(held, patience, |held| held.times == times);
        drop(taken.unwrap_or_else(PoisonError::into_inner));
        self.take(me);
    }

    fn take(&self, me: usize) {
        let mut held = lock(&self.held);
        while held.by.is_some() {
            let times = held.times;
            let waited = self.free.wait_timeout(held, INTERVAL).unwrap_or_else(PoisonError::into_inner);
            held = waited.0;
            if waited.1.timed_out() && held.by.is_some() && held.times == times {
                self.wish.store(true, Relaxed);
            }
        }
        held.by = Some(me);
        held.times += 1;
        if held.last.replace(me) != Some(me) && held.changes.len() < 100_000 {
            held.changes.push(Instant::now());
        }
        self.taken.notify_all();
    }

    fn give(&self) {
        lock(&self.held).by = None;
        self.free.notify_one();
    }

    /// A lock of the program's own: who waits for it lets others execute.
    fn acquire(&self, me: usize) {
        let mut taken = lock(&self.own);
        if *taken {
            self.give();
            taken = self.released.wait_while(taken, |taken| *taken).unwrap_or_else(PoisonError::into_inner);
            *taken = true;
            drop(taken);
            self.take(me);
        } else {
            *taken = true;
        }
    }

    /// How often the lock went to another thread, and for how long one had it: the median.
    pub(super) fn passed(&self) -> Option<(usize, Duration)> {
        let held = lock(&self.held);
        // The first and the last are cut short by the beginning and the end.
        let whole = held.changes.get(1..held.changes.len().checked_sub(1)?)?;
        let mut kept: Vec<_> = whole.windows(2).map(|pair| pair[1] - pair[0]).collect();
        kept.sort();
        Some((held.changes.len() - 1, *kept.get(kept.len() / 2)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    fn together(machine: &Machine, code: &[Op], times: i64) {
        let ready = Barrier::new(2);
        std::thread::scope(|scope| {
            for me in 0..2 {
                let ready = &ready;
                scope.spawn(move || {
                    ready.wait();
                    assert_eq!(machine.run(me, code, times, || false), times);
                });
            }
        });
    }

    #[test]
    fn one_thread_computes_as_it_should() {
        let machine = Machine::default();
        assert_eq!(machine.run(0, PLAIN, 1000, || false), 1000);
        assert_eq!(machine.run(0, CALL, 500, || false), 500);
        assert_eq!(machine.run(0, &locked(SLEEP), 10, || false), 10);
        assert_eq!(machine.global(), 1510);
        assert_eq!(machine.passed(), None, "nobody else had it");
        assert_eq!(machine.run(0, PLAIN, 1000, || true), 64, "it was cut");
    }

    #[test]
    fn under_a_lock_of_its_own_nothing_is_lost() {
        let machine = Machine::default();
        together(&machine, &locked(CALL), 3000);
        together(&machine, &locked(SLEEP), 300);
        assert_eq!(machine.global(), 6600);
    }

    #[test]
    fn the_lock_goes_from_hand_to_hand_and_a_write_after_a_call_is_late() {
        // How soon they meet is the scheduler's affair: as long as it takes.
        let lost = (0..1000).any(|_| {
            let machine = Machine::default();
            together(&machine, CALL, 200_000);
            let passed = machine.passed().map_or(0, |(times, _)| times);
            assert!((200_000..=400_000).contains(&machine.global()), "{}", machine.global());
            passed > 1 && machine.global() < 400_000
        });
        assert!(lost);
    }

    #[test]
    fn between_two_looks_nobody_comes_in() {
        let machine = Machine::default();
        together(&machine, PLAIN, 200_000);
        assert_eq!(machine.global(), 400_000, "load, add and store are without a look between them");
    }
}
