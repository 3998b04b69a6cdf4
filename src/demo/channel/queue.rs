//! A queue in the memory that threads have in common: a mutex, a condition variable, and room for some messages. A message is
//! handed over where it lies; the kernel is asked only to sleep and to wake.

use super::{Level, Line, Side, Unit, broken, ended};
use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Messages that there is room for in one direction.
const ROOM: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: [Condvar; 2],
}

#[derive(Debug, Default)]
struct State {
    /// What is on its way to each side.
    to: [VecDeque<Vec<u8>>; 2],
    gone: [bool; 2],
}

impl Queue {
    pub(super) fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps as `side` until something has changed.
    fn sleep<'s>(&self, side: Side, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed[side.index()].wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line for Queue {
    fn send(&self, from: Side, message: &[u8]) -> io::Result<usize> {
        let (mine, to) = (message.to_vec(), from.other().index());
        let mut state = self.state();
        loop {
            if state.gone[to] {
                return Err(broken());
            }
            if state.to[to].len() < ROOM {
                break;
            }
            state = self.sleep(from, state);
        }
        state.to[to].push_back(mine);
        drop(state);
        self.changed[to].notify_one();
        Ok(0)
    }

    fn receive(&self, at: Side, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let message = loop {
            if let Some(message) = state.to[at.index()].pop_front() {
                break message;
            }
            if state.gone[at.other().index()] {
                return Err(ended());
            }
            state = self.sleep(at, state);
        };
        drop(state);
        self.changed[at.other().index()].notify_one();
        if message.len() != into.len() {
            let why = format!("a message of {} bytes", message.len());
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        into.copy_from_slice(&message);
        Ok(0)
    }

    fn wait(&self, at: Side) -> io::Result<()> {
        let mut state = self.state();
        while state.to[at.index()].is_empty() && !state.gone[at.other().index()] {
            state = self.sleep(at, state);
        }
        Ok(())
    }

    fn level(&self, to: Side) -> Option<Level> {
        let now = self.state().to[to.index()].len();
        Some(Level { now: now as u64, capacity: Some(ROOM as u64), unit: Unit::Messages })
    }

    fn hang_up(&self, side: Side) {
        self.state().gone[side.index()] = true;
        self.changed.iter().for_each(Condvar::notify_all);
    }
}
