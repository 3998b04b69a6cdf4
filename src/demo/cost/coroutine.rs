//! The one place that knows the coroutines' crate, corosensei: a stack of their own, and a switch that saves the registers
//! that a function call must keep.

use corosensei::{Coroutine, Yielder, stack::DefaultStack};
use std::io;
use std::time::{Duration, Instant};

/// Bytes of a coroutine's stack. It calls next to nothing.
const STACK: usize = 64 * 1024;

/// A task with a stack of its own, which goes on where it was whenever it is resumed.
pub(in crate::demo) struct Task(Coroutine<(), (), ()>);

/// What a task holds while it is on: the right to give it up.
pub(in crate::demo) struct Turn<'a>(&'a Yielder<(), ()>);

impl Task {
    /// A task that has not begun. Once resumed it has to return before it is dropped: nobody unwinds its stack.
    ///
    /// # Errors
    /// The kernel's refusal of the stack.
    pub(in crate::demo) fn new(body: impl FnOnce(&Turn<'_>) + 'static) -> io::Result<Self> {
        let stack = DefaultStack::new(STACK)?;
        Ok(Self(Coroutine::with_stack(stack, move |yielder, ()| body(&Turn(yielder)))))
    }

    /// Lets it go on until it gives its turn up or returns, on this thread. True while it has not returned.
    pub(in crate::demo) fn resume(&mut self) -> bool {
        if !self.0.done() {
            self.0.resume(());
        }
        !self.0.done()
    }
}

impl Turn<'_> {
    /// Gives the turn up: returns when the task is resumed. The kernel sees nothing of it.
    pub(in crate::demo) fn give_up(&self) {
        self.0.suspend(());
    }
}

/// How long `times` round trips take into a coroutine and back: `ours` is done before each, `theirs` within. All runs on this
/// one thread; the kernel sees nothing of it.
///
/// # Errors
/// The kernel's refusal of the stack.
pub(super) fn round_trips(
    times: u32,
    mut ours: impl FnMut(),
    mut theirs: impl FnMut() + 'static,
) -> io::Result<Duration> {
    let mut other = Coroutine::with_stack(DefaultStack::new(STACK)?, move |yielder, ()| {
        // It goes on for as often as it is resumed, once for the warm-up, and then returns: a coroutine that is left behind
        // suspended could not be ended without unwinding.
        for _ in 0..=times {
            theirs();
            yielder.suspend(());
        }
    });
    other.resume(());
    let begun = Instant::now();
    for _ in 0..times {
        ours();
        other.resume(());
    }
    let took = begun.elapsed();
    other.resume(());
    debug_assert!(other.done(), "one that has not returned cannot be dropped");
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[test]
    fn a_task_goes_on_where_it_was() {
        let said = Rc::new(RefCell::new(String::new()));
        let task = |letter: char| {
            let said = Rc::clone(&said);
            let body = move |turn: &Turn<'_>| {
                for n in 0..2 {
                    said.borrow_mut().push_str(&format!("{letter}{n} "));
                    turn.give_up();
                }
            };
            Task::new(body).expect("a stack")
        };
        let (mut one, mut two) = (task('x'), task('y'));
        let going: Vec<_> = (0..3).flat_map(|_| [one.resume(), two.resume()]).collect();
        assert_eq!((said.borrow().as_str(), going), ("x0 y0 x1 y1 ", vec![true, true, true, true, false, false]));
        assert!(!one.resume(), "one that has returned is not resumed again");
    }

    #[test]
    fn the_two_take_turns_on_one_thread() {
        let said = Rc::new(RefCell::new(String::new()));
        let (ours, theirs) = (Rc::clone(&said), Rc::clone(&said));
        let thread = std::thread::current().id();
        let within = move || {
            assert_eq!(std::thread::current().id(), thread);
            theirs.borrow_mut().push('t');
        };
        round_trips(3, move || ours.borrow_mut().push('o'), within).expect("a stack");
        assert_eq!(*said.borrow(), "totototo"[..].trim_end_matches('o'));
    }
}
