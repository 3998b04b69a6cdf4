//! The desk over which the leader has things measured: it orders, a worker measures and puts down what it took.
//!
//! It is a page of atomic words that both have mapped, so nothing is asked of the kernel but a wake while something is being
//! measured.

use crate::demo::area::Area;
use crate::stage::Worker;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::fs;
use std::io;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

/// Words of one worker's place.
const WORDS: usize = 64;

/// Where things lie in it; the words of a refusal come last.
const DONE: usize = 0;
const EACH: usize = 1;
const WALL: usize = 2;
const OURS: usize = 3;
const WAITED: usize = 4;
const LENGTH: usize = 5;
const TEXT: usize = 6;

/// Bytes that a refusal may have.
const ROOM: usize = (WORDS - TEXT) * 8;

/// Where in an order its parts lie: the number of the order, how often, what.
const TIMES: u32 = 8;
const NUMBER: u32 = 40;

/// What a measurement came to.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::demo) struct Taken {
    /// Nanoseconds of one; or why it could not be done.
    pub(super) each: Result<f64, String>,
    /// How long it went on, the preparation included.
    pub(super) wall: Duration,
    /// CPU time of the worker and of all that it made, by the kernel's account.
    pub(super) ours: Duration,
    /// Time that the worker stood ready on a run queue while neither it nor what it made ran.
    pub(super) waited: Duration,
}

impl Taken {
    /// The share of the time in which the core was neither with the worker nor with what it made.
    #[must_use]
    pub(super) fn foreign(&self) -> f64 {
        let wall = self.wall.as_secs_f64().max(f64::MIN_POSITIVE);
        (self.wall.saturating_sub(self.ours).max(self.waited).as_secs_f64() / wall).min(1.0)
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
        Some(Taken { each, wall: nanos(WALL), ours: nanos(OURS), waited: nanos(WAITED) })
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
        for (at, time) in [(WALL, taken.wall), (OURS, taken.ours), (WAITED, taken.waited)] {
            words[at].store(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        }
        words[DONE].store(number, Release);
    }

    fn words(&self, place: usize) -> &[std::sync::atomic::AtomicU64] {
        let from = place * WORDS;
        &self.0.words(0)[from..from + WORDS]
    }

    /// A worker's part: it has `measure` do what is ordered, so often, until it is to leave. `measure` gives the nanoseconds of
    /// one, or why it cannot be done.
    pub(in crate::demo) fn serve(
        &self,
        worker: &Worker,
        place: usize,
        mut measure: impl FnMut(usize, u32) -> Result<f64, String>,
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
            let each = measure(usize::try_from(what).unwrap_or(0), u32::try_from(times).unwrap_or(1));
            let (wall, after) = (begun.elapsed(), Account::now());
            let (ours, waited) = after.since(before);
            self.put(place, order >> NUMBER, &Taken { each, wall, ours, waited });
        }
    }
}

/// What the kernel has on this process' account, in all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Account {
    /// CPU time of this process, threads that have ended included, and of children that were waited for.
    all: Duration,
    /// CPU time of this thread, and its time on a run queue.
    ran: Duration,
    waited: Duration,
}

impl Account {
    fn now() -> Self {
        let time = |who: UsageWho| {
            // What cannot be known is not ours; all is foreign then.
            let Ok(usage) = getrusage(who) else { return Duration::ZERO };
            let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
            Duration::from_micros(micros.unsigned_abs())
        };
        let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let mut fields = text.split_ascii_whitespace().map_while(|field| field.parse().ok()).map(Duration::from_nanos);
        let (ran, waited) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        Self { all: time(UsageWho::RUSAGE_SELF) + time(UsageWho::RUSAGE_CHILDREN), ran, waited }
    }

    /// What came to it since: CPU time in all, and the time on a run queue in which strangers ran. While its own children and
    /// threads run on its core, a worker may be ready and wait, too; that much is taken off.
    fn since(self, before: Self) -> (Duration, Duration) {
        let all = self.all.saturating_sub(before.all);
        let company = all.saturating_sub(self.ran.saturating_sub(before.ran));
        (all, self.waited.saturating_sub(before.waited).saturating_sub(company))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_down_is_found_at_its_own_place_and_number_only() {
        let desk = Desk::new(9).expect("memory");
        let ms = Duration::from_millis;
        let taken = |each| Taken { each, wall: ms(4), ours: ms(3), waited: ms(0) };
        let refused = taken(Err("fork: Resource temporarily unavailable (EAGAIN)".to_owned()));
        desk.put(8, 3, &refused);
        assert_eq!((desk.look(8, 3), desk.look(8, 4), desk.look(7, 3)), (Some(refused), None, None));
        desk.put(8, 4, &taken(Ok(1.25)));
        assert_eq!(desk.look(8, 4), Some(taken(Ok(1.25))), "an old refusal is gone");
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
        let foreign =
            |wall, ours, waited| Taken { each: Ok(1.0), wall: ms(wall), ours: ms(ours), waited: ms(waited) }.foreign();
        assert_eq!(
            [foreign(10, 10, 0), foreign(10, 5, 0), foreign(10, 9, 5), foreign(10, 12, 0)],
            [0.0, 0.5, 0.5, 0.0]
        );
        assert_eq!(foreign(0, 0, 1), 1.0);
    }

    #[test]
    fn company_on_ones_core_is_no_stranger() {
        let ms = Duration::from_millis;
        let account = |all, ran, waited| Account { all: ms(all), ran: ms(ran), waited: ms(waited) };
        // 10 ms of ours, 6 of them another thread's; 8 on the run queue: 2 of these at least were a stranger's.
        assert_eq!(account(110, 54, 28).since(account(100, 50, 20)), (ms(10), ms(2)));
        assert_eq!(account(110, 54, 25).since(account(100, 50, 20)).1, ms(0));
    }

    #[test]
    fn what_one_burns_is_on_ones_account() {
        let before = Account::now();
        // The account of a thread that runs is brought up to date when it is asked for: no tick has to pass.
        let until = Instant::now() + Duration::from_millis(20);
        while Instant::now() < until {}
        let (ours, _) = Account::now().since(before);
        assert!(ours > Duration::ZERO, "{ours:?}");
    }
}
