//! Messages between two sides of a link, and the time they take: half a round trip, each timed by itself, and what one takes
//! that goes in one direction among many.
//!
//! The answering side waits in a call of the link; the byte in front of a message says what becomes of it, so that no second
//! way to talk is needed while the time is taken.

use crate::demo::channel::{Link, Side};
use crate::stage::now;
use hdrhistogram::Histogram;
use std::io;

/// Send it back.
const ECHO: u8 = 0;
/// Take it and wait for the next.
const SWALLOW: u8 = 1;
/// Send it back, and that is all.
const LAST: u8 = 2;

/// Trips before the time is taken: the answering side has to be woken, caches are cold.
const COLD: u32 = 3;

/// The answering side's part of a measurement; `closing` is called before the last answer.
///
/// # Errors
/// The other side is gone, or what the kernel refused.
pub(super) fn answer(link: &Link, message: &mut [u8], closing: impl FnOnce()) -> io::Result<()> {
    loop {
        link.receive(Side::Right, message)?;
        match message.first().copied().unwrap_or(LAST) {
            SWALLOW => {}
            LAST => {
                closing();
                return link.send(Side::Right, message);
            }
            _ => link.send(Side::Right, message)?,
        }
    }
}

/// The timing side's part, where so many round trips are timed: nanoseconds of half of the median one. The median, since a
/// single trip in which another program had the core would move the mean of them all. The clock's own 20 ns are in each of
/// them. The other side must have been called to [`answer`].
///
/// # Errors
/// As [`answer`].
#[expect(clippy::cast_precision_loss, reason = "nanoseconds of a measurement, far below 2^52")]
pub(super) fn latency(link: &Link, trips: u32, message: &mut [u8], singles: &mut Histogram<u64>) -> io::Result<f64> {
    warm_up(link, message)?;
    let mut all = Vec::with_capacity(trips as usize);
    for _ in 0..trips.max(1) {
        let begun = now();
        trip(link, ECHO, message)?;
        let took = now().since(begun).0.max(1);
        all.push(took);
        // It grows to fit, and 64 bits of nanoseconds always do.
        let _ = singles.record(took);
    }
    trip(link, LAST, message)?;
    all.sort_unstable();
    Ok(all.get(all.len() / 2).copied().unwrap_or(0) as f64 / 2.0)
}

/// The timing side's part, where so many messages go in one direction and the sender waits for no answer but that to the last:
/// nanoseconds of one. The other side must have been called to [`answer`].
///
/// # Errors
/// As [`answer`].
#[expect(clippy::cast_precision_loss, reason = "nanoseconds of a measurement, far below 2^52")]
pub(super) fn stream(link: &Link, messages: u32, message: &mut [u8]) -> io::Result<f64> {
    warm_up(link, message)?;
    let begun = now();
    for _ in 1..messages {
        send(link, SWALLOW, message)?;
    }
    // All of it has arrived when the last has been answered. That it was answered is one message in very many.
    trip(link, ECHO, message)?;
    let took = now().since(begun).0.max(1);
    trip(link, LAST, message)?;
    Ok(took as f64 / f64::from(messages.max(1)))
}

fn warm_up(link: &Link, message: &mut [u8]) -> io::Result<()> {
    (0..COLD).try_for_each(|_| trip(link, ECHO, message))
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
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    /// A link whose other side answers twice, in a thread, and counts how often it closed.
    fn answered(way: Way, act: impl FnOnce(&Link)) -> u32 {
        let (link, closed) = (Arc::new(way.open(As::Threads, 64).expect("a link")), Arc::new(AtomicU32::new(0)));
        let (theirs, counted) = (Arc::clone(&link), Arc::clone(&closed));
        let answering = std::thread::Builder::new().spawn(move || -> io::Result<()> {
            theirs.take(Side::Right)?;
            for _ in 0..2 {
                answer(&theirs, &mut [0; 64], || _ = counted.fetch_add(1, Relaxed))?;
            }
            Ok(())
        });
        let answering = answering.expect("a thread");
        link.take(Side::Left).expect("it is free");
        act(&link);
        answering.join().expect("no panic").expect("the last message ends it");
        closed.load(Relaxed)
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "some microseconds")]
    fn trips_are_answered_and_each_has_a_time() {
        for way in [Way::Pipe, Way::Shm, Way::Queue] {
            let closed = answered(way, |link| {
                let mut singles = Histogram::new(3).expect("three figures");
                let half = latency(link, 30, &mut [0; 64], &mut singles).expect("it answers");
                assert_eq!(singles.len(), 30);
                let p99 = singles.value_at_quantile(0.99);
                assert!(p99 as f64 / 2.0 >= half * 0.99, "{p99} and {half}");
                assert!(half > 50.0, "a round trip takes longer than a call");
                assert!(stream(link, 10, &mut [0; 64]).expect("it answers") > 0.0);
            });
            assert_eq!(closed, 2, "once for each part");
        }
    }

    #[test]
    fn who_is_hung_up_on_is_not_waited_for() {
        let link = Way::Shm.open(As::Threads, 8).expect("shared memory");
        link.hang_up(Side::Right);
        let mut singles = Histogram::new(3).expect("three figures");
        assert!(latency(&link, 8, &mut [0; 8], &mut singles).is_err());
        assert!(stream(&link, 8, &mut [0; 8]).is_err());
    }
}
