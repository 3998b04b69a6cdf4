//! The desk over which the leader has things measured: it orders, a worker measures and puts down what it took.
//!
//! It is a page of atomic words that both have mapped, so nothing is asked of the kernel but a wake while something is being
//! measured.

use super::account::{Account, Spent};
use crate::demo::area::Area;
use crate::stage::Worker;
use std::io;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

/// Words of one worker's place.
const WORDS: usize = 64;

/// Where things lie in it; the words of a refusal come last.
const DONE: usize = 0;
const EACH: usize = 1;
const WALL: usize = 2;
const RAN: usize = 3;
const WAITED: usize = 4;
const P99: usize = 5;
const LENGTH: usize = 6;
const TEXT: usize = 7;

/// Bytes that a refusal may have.
const ROOM: usize = (WORDS - TEXT) * 8;

/// Where in an order its parts lie: the number of the order, how often, what.
const TIMES: u32 = 8;
const NUMBER: u32 = 40;

/// What a worker has measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::demo) struct Measured {
    /// What one takes: nanoseconds, where it is a time.
    pub(in crate::demo) each: f64,
    /// Of all single ones so far, where each had a time of its own: what 99 in 100 take at most.
    pub(in crate::demo) p99: Option<f64>,
    /// What it took of the machine's time, where that is not all on the worker's own account: others had a part in it.
    pub(in crate::demo) spent: Option<Spent>,
}

impl From<f64> for Measured {
    fn from(each: f64) -> Self {
        Self { each, p99: None, spent: None }
    }
}

/// What a measurement came to.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::demo) struct Taken {
    /// What one takes; or why it could not be done.
    pub(super) each: Result<f64, String>,
    /// See [`Measured::p99`].
    pub(super) p99: Option<f64>,
    /// How long it went on, the preparation included.
    pub(super) wall: Duration,
    /// What it took of the machine's time.
    pub(super) spent: Spent,
}

impl Taken {
    /// The share of the time in which the core, which is never idle meanwhile, was with none of ours.
    #[must_use]
    pub(super) fn foreign(&self) -> f64 {
        self.share(self.wall.saturating_sub(self.spent.ran).max(self.spent.waited))
    }

    /// The share of the time in which one of ours was ready and a stranger ran. Where each of ours has a core, one is idle
    /// while the other works, and nothing else can be said of it.
    #[must_use]
    pub(super) fn queued(&self) -> f64 {
        self.share(self.spent.waited)
    }

    fn share(&self, time: Duration) -> f64 {
        (time.as_secs_f64() / self.wall.as_secs_f64().max(f64::MIN_POSITIVE)).min(1.0)
    }
}

/// See the module. Each worker has a place of its own.
#[derive(Debug)]
pub(in crate::demo) struct Desk(Area);

impl Desk {
    /// A desk for so many workers, who are to be forked later.
    ///
    /// # Errors
    /// The kernel's refusal of the memory.
    pub(in crate::demo) fn new(workers: usize) -> io::Result<Self> {
        Area::shared((workers * WORDS * 8).div_ceil(rustix::param::page_size()).max(1)).map(Self)
    }

    /// What the leader orders: `number` tells this order from all others.
    pub(super) fn order(number: u64, what: usize, times: u32) -> u64 {
        number << NUMBER | u64::from(times) << TIMES | (what as u64 & 0xff)
    }

    /// Whether the order of this number is done; and what it came to.
    pub(super) fn look(&self, place: usize, number: u64) -> Option<Taken> {
        let words = self.words(place);
        if words[DONE].load(Acquire) != number {
            return None;
        }
        let nanos = |at: usize| Duration::from_nanos(words[at].load(Relaxed));
        let length = usize::try_from(words[LENGTH].load(Relaxed)).unwrap_or(ROOM).min(ROOM);
        let bytes: Vec<u8> =
            words[TEXT..].iter().flat_map(|word| word.load(Relaxed).to_ne_bytes()).take(length).collect();
        let each = if length == 0 {
            Ok(f64::from_bits(words[EACH].load(Relaxed)))
        } else {
            Err(String::from_utf8_lossy(&bytes).into_owned())
        };
        let p99 = Some(f64::from_bits(words[P99].load(Relaxed))).filter(|p99| p99.is_finite());
        Some(Taken { each, p99, wall: nanos(WALL), spent: Spent { ran: nanos(RAN), waited: nanos(WAITED) } })
    }

    fn put(&self, place: usize, number: u64, taken: &Taken) {
        let words = self.words(place);
        let why = taken.each.as_ref().err().map_or("", String::as_str).as_bytes();
        let why = &why[..why.len().min(ROOM)];
        for (word, bytes) in words[TEXT..].iter().zip(why.chunks(8)) {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_ne_bytes(whole), Relaxed);
        }
        words[LENGTH].store(why.len() as u64, Relaxed);
        words[EACH].store(taken.each.as_ref().copied().unwrap_or(0.0).to_bits(), Relaxed);
        words[P99].store(taken.p99.unwrap_or(f64::NAN).to_bits(), Relaxed);
        for (at, time) in [(WALL, taken.wall), (RAN, taken.spent.ran), (WAITED, taken.spent.waited)] {
            words[at].store(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        }
        words[DONE].store(number, Release);
    }

    fn words(&self, place: usize) -> &[std::sync::atomic::AtomicU64] {
        let from = place * WORDS;
        &self.0.words(0)[from..from + WORDS]
    }

    /// A worker's part: it has `measure` do what is ordered, so often, until it is to leave. `measure` gives what one
    /// takes, or why it cannot be done.
    pub(in crate::demo) fn serve(
        &self,
        worker: &Worker,
        place: usize,
        mut measure: impl FnMut(usize, u32) -> Result<Measured, String>,
    ) {
        let mut known = 0;
        loop {
            let order = worker.wait(known, Duration::MAX);
            if order == Worker::HALT {
                return;
            }
            known = order;
            let (what, times) = (order & 0xff, order >> TIMES & 0xffff_ffff);
            let (before, begun) = (Account::now(), Instant::now());
            let found = measure(usize::try_from(what).unwrap_or(0), u32::try_from(times).unwrap_or(1));
            let (wall, after) = (begun.elapsed(), Account::now());
            let told = found.as_ref().ok();
            let (p99, spent) = (told.and_then(|found| found.p99), told.and_then(|found| found.spent));
            let spent = spent.unwrap_or_else(|| after.since(before));
            self.put(place, order >> NUMBER, &Taken { each: found.map(|found| found.each), p99, wall, spent });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_down_is_found_at_its_own_place_and_number_only() {
        let desk = Desk::new(9).expect("memory");
        let ms = Duration::from_millis;
        let spent = Spent { ran: ms(3), waited: ms(0) };
        let taken = |each| Taken { each, p99: None, wall: ms(4), spent };
        let refused = taken(Err("fork: Resource temporarily unavailable (EAGAIN)".to_owned()));
        desk.put(8, 3, &refused);
        assert_eq!((desk.look(8, 3), desk.look(8, 4), desk.look(7, 3)), (Some(refused), None, None));
        desk.put(8, 4, &taken(Ok(1.25)));
        assert_eq!(desk.look(8, 4), Some(taken(Ok(1.25))), "an old refusal is gone");
        let slow = Taken { p99: Some(7.5), ..taken(Ok(1.0)) };
        desk.put(8, 5, &slow);
        assert_eq!(desk.look(8, 5), Some(slow));
        let long = taken(Err("x".repeat(5_000)));
        desk.put(0, 1, &long);
        assert_eq!(desk.look(0, 1).expect("done").each.expect_err("refused").len(), ROOM);
    }

    #[test]
    fn an_order_never_is_one_of_those_that_mean_something_else() {
        let order = Desk::order(1, 255, u32::MAX);
        assert_eq!((order & 0xff, order >> TIMES & 0xffff_ffff, order >> NUMBER), (255, u64::from(u32::MAX), 1));
        assert!(Desk::order((1 << 23) - 1, 255, u32::MAX) < Worker::HALT - 1);
    }

    #[test]
    fn time_that_is_nobodys_of_ours_is_foreign() {
        let ms = Duration::from_millis;
        let taken = |wall, ran, waited| {
            let spent = Spent { ran: ms(ran), waited: ms(waited) };
            Taken { each: Ok(1.0), p99: None, wall: ms(wall), spent }
        };
        let foreign = |wall, ran, waited| taken(wall, ran, waited).foreign();
        assert_eq!(
            [foreign(10, 10, 0), foreign(10, 5, 0), foreign(10, 9, 5), foreign(10, 12, 0)],
            [0.0, 0.5, 0.5, 0.0]
        );
        assert_eq!(taken(10, 5, 2).queued(), 0.2, "the rest of the time a core was idle");
        assert_eq!(foreign(0, 0, 1), 1.0);
    }
}
