//! What the tasks do, as coroutines of one thread and as threads of one core.

use super::desk::Desk;
use crate::demo::cost::coroutine::{Task, Turn};
use crate::demo::labour::{self, on_cpu};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A step: so much computing, by the thread's own CPU time.
const STEP: Duration = Duration::from_micros(100);

/// Who was off for longer than this has had another turn after it, nanoseconds. A look at two clocks takes less.
const GAP: u64 = 20_000;

/// Computes for a step.
fn compute() {
    labour::compute(STEP, || false);
}

/// Task `n`: so many steps, then a yield, until all is over.
fn task(desk: &Desk, n: usize, mut step: impl FnMut(), mut give_up: impl FnMut()) {
    let mut done = 0;
    while !desk.is_over() {
        step();
        desk.step(n);
        done += 1;
        if done >= desk.every() && !desk.is_greedy(n) {
            done = 0;
            give_up();
        }
    }
}

/// All tasks as coroutines of this thread, which take turns in the order in which they gave up.
///
/// # Errors
/// The kernel's refusal of a stack.
pub(super) fn coroutines(desk: &Arc<Desk>) -> io::Result<()> {
    let body = |n: usize| {
        let desk = Arc::clone(desk);
        Task::new(move |turn: &Turn<'_>| task(&desk, n, compute, || turn.give_up()))
    };
    let mut tasks = (0..desk.tasks()).map(body).collect::<io::Result<Vec<_>>>()?;
    take_turns(desk, |n| tasks[n].resume());
    Ok(())
}

/// A scheduler, all of it: whoever is first in the queue is resumed, and put to its end when it comes back.
fn take_turns(desk: &Desk, mut resume: impl FnMut(usize) -> bool) {
    let mut ready: VecDeque<usize> = (0..desk.tasks()).collect();
    let mut last = None;
    while let Some(n) = ready.pop_front() {
        desk.set_queue(std::iter::once(n).chain(ready.iter().copied()));
        if last.replace(n).is_some_and(|last| last != n) {
            desk.handed_over();
        }
        desk.comes(n);
        let goes_on = resume(n);
        desk.leaves(n);
        if goes_on {
            ready.push_back(n);
        }
    }
}

/// Task `n` as a thread: it yields to the kernel (sched_yield(2)). How long it was off is what the clock says beyond its own CPU time, whether
/// it gave the core up or had it taken away.
pub(super) fn thread(desk: &Desk, n: usize) {
    let (mut wall, mut cpu) = (1, on_cpu());
    let step = || {
        compute();
        let (now, ran) = (desk.now(), on_cpu());
        let off = (now - wall).saturating_sub(ran.since(cpu).0);
        if off > GAP {
            desk.waited(n, off);
        }
        (wall, cpu) = (now, ran);
        desk.leaves(n);
    };
    task(desk, n, step, std::thread::yield_now);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_round_and_one_that_returns_leaves_the_queue() {
        let desk = Desk::new(3, 1, false);
        let mut order = Vec::new();
        take_turns(&desk, |n| {
            order.push((n, desk.look().iter().map(|seen| seen.place).collect::<Vec<_>>()));
            order.len() < 5 && !(n == 1 && order.len() > 1)
        });
        let who: Vec<_> = order.iter().map(|(n, _)| *n).collect();
        assert_eq!(who, [0, 1, 2, 0, 2, 0]);
        assert_eq!(order[0].1, [Some(0), Some(1), Some(2)]);
        assert_eq!(order[3].1, [Some(0), None, Some(1)]);
        assert_eq!((desk.handings_over(), desk.look()[0].turns), (5, 3));
    }

    #[test]
    fn who_yields_lets_the_others_on_and_who_is_greedy_does_not() {
        for (greedy, others) in [(false, true), (true, false)] {
            let desk = Arc::new(Desk::new(3, 2, greedy));
            let runs = Arc::clone(&desk);
            let thread = std::thread::Builder::new().spawn(move || coroutines(&runs)).expect("a thread");
            while desk.look()[0].steps < 20 {
                std::thread::yield_now();
            }
            let seen = desk.look();
            desk.end();
            thread.join().expect("no panic").expect("stacks");
            assert_eq!(seen[1].turns > 0 && seen[2].turns > 0, others, "greedy {greedy}: {seen:?}");
        }
    }
}
