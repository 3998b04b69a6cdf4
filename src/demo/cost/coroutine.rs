//! The one place that knows the coroutines' crate, corosensei: a stack of their own, and a switch that saves the registers
//! that a function call must keep.

use corosensei::{Coroutine, stack::DefaultStack};
use std::io;
use std::time::{Duration, Instant};

/// Bytes of a coroutine's stack. It calls next to nothing.
const STACK: usize = 64 * 1024;

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
