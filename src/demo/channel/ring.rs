//! A ring in shared memory: what one side writes the other reads, and no call of the kernel has a part in it. Who finds it
//! empty, or full, sleeps by futex(2); who changes that wakes a sleeper, and makes no call if nobody sleeps.

use super::{Level, Line, Side, Unit, broken, ended};
use crate::demo::area::{Area, Bells};
use rustix::thread::futex;
use std::io;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Words of eight bytes that a ring has room for: 64 KiB.
const WORDS: usize = 8192;

/// Words of the page in front, far enough apart that each has a cache line of its own: how many were ever written, and read.
const HEAD: usize = 0;
const TAIL: usize = 16;

/// A ring for each direction, and what the sides sleep at.
#[derive(Debug)]
pub(super) struct Ring {
    to: [Area; 2],
    bells: Bells,
}

/// Which bell of a ring.
#[derive(Debug, Clone, Copy)]
enum At {
    /// Who reads it sleeps here.
    Filled,
    /// Who writes to it sleeps here.
    Emptied,
}

impl Ring {
    /// Two empty rings.
    ///
    /// # Errors
    /// The kernel's refusal of the memory.
    pub(super) fn open() -> io::Result<Self> {
        let pages = 1 + (WORDS * size_of::<u64>()).div_ceil(rustix::param::page_size());
        Ok(Self { to: [Area::shared(pages)?, Area::shared(pages)?], bells: Bells::shared()? })
    }

    fn gone(&self, side: Side) -> bool {
        self.bells.bell(side.index()).load(SeqCst) != 0
    }

    /// The bell at a ring: one that counts the rings, and whether somebody sleeps at it.
    fn bell(&self, to: Side, at: At) -> (&AtomicU32, &AtomicU32) {
        let first = 16 + 32 * to.index() + 16 * usize::from(matches!(at, At::Emptied));
        (self.bells.bell(first), self.bells.bell(first + 8))
    }

    /// Wakes who sleeps at a bell, if anybody does.
    fn ring(&self, to: Side, at: At) {
        let (count, sleeps) = self.bell(to, at);
        if sleeps.swap(0, SeqCst) != 0 {
            count.fetch_add(1, SeqCst);
            // A word of one's own mapping can always be woken at.
            let _ = futex::wake(count, futex::Flags::empty(), 1);
        }
    }

    /// Sleeps at a bell until it rings, unless `go_on` holds. It is asked after this sleeper has said that it sleeps: who makes
    /// it hold before that is seen, who does so later rings.
    fn sleep(&self, to: Side, at: At, go_on: impl Fn() -> bool) -> io::Result<()> {
        let (count, sleeps) = self.bell(to, at);
        let heard = count.load(SeqCst);
        sleeps.store(1, SeqCst);
        if go_on() {
            sleeps.store(0, SeqCst);
            return Ok(());
        }
        match futex::wait(count, futex::Flags::empty(), heard, None) {
            Ok(()) | Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// How many words lie in the ring to `side`. The other side may be any process: a number that cannot be is cut.
    fn filled(&self, side: Side) -> usize {
        let ring = &self.to[side.index()];
        let filled = ring.word_of(0, HEAD).load(SeqCst).wrapping_sub(ring.word_of(0, TAIL).load(SeqCst));
        usize::try_from(filled).unwrap_or(WORDS).min(WORDS)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "below the number of words of a ring")]
fn place(count: u64) -> usize {
    (count % WORDS as u64) as usize
}

impl Line for Ring {
    fn send(&self, from: Side, message: &[u8]) -> io::Result<usize> {
        let to = from.other();
        let ring = &self.to[to.index()];
        let (words, head) = (ring.words(1), ring.word_of(0, HEAD));
        let mut left = message;
        while !left.is_empty() {
            if self.gone(to) {
                return Err(broken());
            }
            let room = WORDS - self.filled(to);
            if room == 0 {
                self.sleep(to, At::Emptied, || self.filled(to) < WORDS || self.gone(to))?;
                continue;
            }
            let begin = place(head.load(Relaxed));
            let run = room.min(WORDS - begin).min(left.len().div_ceil(8));
            let (now, later) = left.split_at(left.len().min(run * 8));
            // Whole words apart from the rest: with a length that varies each word would be a call of memcpy.
            let (whole, rest) = now.as_chunks::<8>();
            let slots = &words[begin..begin + run];
            slots.iter().zip(whole).for_each(|(word, piece)| word.store(u64::from_ne_bytes(*piece), Relaxed));
            if let Some(word) = slots.get(whole.len()) {
                let mut bytes = [0; 8];
                bytes[..rest.len()].copy_from_slice(rest);
                word.store(u64::from_ne_bytes(bytes), Relaxed);
            }
            head.fetch_add(run as u64, SeqCst);
            self.ring(to, At::Filled);
            left = later;
        }
        Ok(0)
    }

    fn receive(&self, at: Side, into: &mut [u8]) -> io::Result<usize> {
        let ring = &self.to[at.index()];
        let (words, tail) = (ring.words(1), ring.word_of(0, TAIL));
        let mut left = into;
        while !left.is_empty() {
            let filled = self.filled(at);
            if filled == 0 {
                if self.gone(at.other()) && self.filled(at) == 0 {
                    return Err(ended());
                }
                self.sleep(at, At::Filled, || self.filled(at) > 0 || self.gone(at.other()))?;
                continue;
            }
            let begin = place(tail.load(Relaxed));
            let run = filled.min(WORDS - begin).min(left.len().div_ceil(8));
            let (now, later) = left.split_at_mut(left.len().min(run * 8));
            let (whole, rest) = now.as_chunks_mut::<8>();
            let from = &words[begin..begin + run];
            if let Some(word) = from.get(whole.len()) {
                rest.copy_from_slice(&word.load(Relaxed).to_ne_bytes()[..rest.len()]);
            }
            from.iter().zip(whole).for_each(|(word, piece)| *piece = word.load(Relaxed).to_ne_bytes());
            tail.fetch_add(run as u64, SeqCst);
            self.ring(at, At::Emptied);
            left = later;
        }
        Ok(0)
    }

    fn wait(&self, at: Side) -> io::Result<()> {
        let come = || self.filled(at) > 0 || self.gone(at.other());
        while !come() {
            self.sleep(at, At::Filled, come)?;
        }
        Ok(())
    }

    fn level(&self, to: Side) -> Option<Level> {
        let bytes = |words: usize| (words * size_of::<u64>()) as u64;
        Some(Level { now: bytes(self.filled(to)), capacity: Some(bytes(WORDS)), unit: Unit::Bytes })
    }

    fn hang_up(&self, side: Side) {
        self.bells.bell(side.index()).store(1, SeqCst);
        self.ring(side.other(), At::Filled);
        self.ring(side, At::Emptied);
    }
}
