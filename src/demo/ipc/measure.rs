//! The two that talk: one sends and takes the time, the other answers. It knows no table and no screen.
//!
//! The first byte of a message says what the answering side is to do with it, so both need no other agreement while the time
//! is taken.

use crate::demo::channel::{Link, Side};
use crate::stage::now;
use hdrhistogram::Histogram;
use std::io;

/// Send it back.
const ECHO: u8 = 0;
/// Take it and wait for the next.
const SWALLOW: u8 = 1;
/// Send it back, and the round is over.
const LAST: u8 = 2;

/// Trips before the time is taken: the answering side has to be woken, caches are cold.
const COLD: u32 = 3;

/// How long each part of a round is to take, in nanoseconds: long against the clock's 20 ns, short against the patience of
/// whoever watches.
const TRIPS: f64 = 8e6;
const SINGLES: f64 = 4e6;
const STREAM: f64 = 6e6;

/// Fewer round trips would be no round, more no round of this length.
const LEAST: f64 = 4.0;
const MOST: f64 = 100_000.0;

/// How much a round of one way has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// Round trips between two looks at the clock.
    trips: u32,
    /// Round trips that are timed one by one.
    singles: u32,
    /// Messages in one direction between two looks at the clock.
    stream: u32,
}

impl Plan {
    /// To find out how much is right.
    pub(super) const FIRST: Self = Self { trips: 8, singles: 0, stream: 8 };

    /// As much as takes the time that it is to take, if everything is as fast as in `round`.
    pub(super) fn after(round: &Round, size: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "the size of a message, below 2^52")]
        let message_ns = 1e9 * size as f64 / round.bytes_per_s.max(1.0);
        let trip_ns = round.latency_ns * 2.0;
        Self { trips: fit(TRIPS, trip_ns), singles: fit(SINGLES, trip_ns), stream: fit(STREAM, message_ns) }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between LEAST and MOST")]
fn fit(whole: f64, one: f64) -> u32 {
    (whole / one.max(1.0)).clamp(LEAST, MOST) as u32
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Round {
    /// Half a round trip, in nanoseconds.
    pub(super) latency_ns: f64,
    /// What went in one direction while the sender did not wait for answers.
    pub(super) bytes_per_s: f64,
}

/// The answering side's part of a round.
///
/// # Errors
/// The other side is gone, or what the kernel refused.
pub(super) fn answer(link: &Link, message: &mut [u8]) -> io::Result<()> {
    loop {
        link.receive(Side::Right, message)?;
        let what = message.first().copied().unwrap_or(LAST);
        if what != SWALLOW {
            link.send(Side::Right, message)?;
        }
        if what == LAST {
            return Ok(());
        }
    }
}

/// The timing side's part of a round. The other side must have been called to [`answer`].
///
/// # Errors
/// As [`answer`].
pub(super) fn round(link: &Link, plan: Plan, message: &mut [u8], singles: &mut Histogram<u64>) -> io::Result<Round> {
    for _ in 0..COLD {
        trip(link, ECHO, message)?;
    }
    let begun = now();
    for _ in 0..plan.trips {
        trip(link, ECHO, message)?;
    }
    let trips = now().since(begun).0;
    for _ in 0..plan.singles {
        let begun = now();
        trip(link, ECHO, message)?;
        // It grows to fit, and 64 bits of nanoseconds always do.
        let _ = singles.record(now().since(begun).0.max(1));
    }
    let begun = now();
    for _ in 0..plan.stream {
        send(link, SWALLOW, message)?;
    }
    // All of it has arrived when the last has been answered. That it was answered is one message in very many.
    trip(link, LAST, message)?;
    let stream = now().since(begun).0;
    let bytes = (u64::from(plan.stream) + 1) * message.len() as u64;
    #[expect(clippy::cast_precision_loss, reason = "times and bytes of some milliseconds, far below 2^52")]
    Ok(Round {
        latency_ns: trips as f64 / f64::from(plan.trips) / 2.0,
        bytes_per_s: 1e9 * bytes as f64 / stream.max(1) as f64,
    })
}

fn send(link: &Link, what: u8, message: &mut [u8]) -> io::Result<()> {
    if let Some(first) = message.first_mut() {
        *first = what;
    }
    link.send(Side::Left, message)
}

fn trip(link: &Link, what: u8, message: &mut [u8]) -> io::Result<()> {
    send(link, what, message)?;
    link.receive(Side::Left, message)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::channel::Way;
    use crate::fact::As;
    use std::sync::Arc;

    #[test]
    fn a_plan_takes_as_long_as_it_is_to() {
        let plan = Plan::after(&Round { latency_ns: 2_500.0, bytes_per_s: 1e9 }, 1_000);
        assert_eq!(plan, Plan { trips: 1_600, singles: 800, stream: 6_000 });
        let slow = Plan::after(&Round { latency_ns: 1e9, bytes_per_s: 1.0 }, 65_536);
        assert_eq!(slow, Plan { trips: 4, singles: 4, stream: 4 });
    }

    #[test]
    fn a_round_is_answered_and_has_a_time() {
        let link = Arc::new(Way::Pipe.open(As::Threads, 64).expect("a pipe"));
        let theirs = Arc::clone(&link);
        let answering = std::thread::Builder::new().spawn(move || {
            theirs.take(Side::Right)?;
            answer(&theirs, &mut [0; 64])
        });
        let answering = answering.expect("a thread");
        link.take(Side::Left).expect("it is free");
        let mut singles = Histogram::new(3).expect("three figures");
        let plan = Plan { trips: 20, singles: 30, stream: 10 };
        let round = round(&link, plan, &mut [0; 64], &mut singles).expect("it answers");
        assert!(round.latency_ns > 0.0 && round.bytes_per_s > 0.0, "{round:?}");
        assert_eq!(singles.len(), 30);
        assert!(singles.value_at_quantile(0.99) > 100, "a round trip takes longer than a call");
        answering.join().expect("no panic").expect("the last message ends the round");
    }

    #[test]
    fn who_is_hung_up_on_is_not_waited_for() {
        let link = Way::Shm.open(As::Threads, 8).expect("shared memory");
        link.hang_up(Side::Right);
        let mut singles = Histogram::new(3).expect("three figures");
        assert!(round(&link, Plan::FIRST, &mut [0; 8], &mut singles).is_err());
    }
}
