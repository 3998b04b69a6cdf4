//! The room with the timetable, and those who read it in turns.

use super::{PLACE, TABLE, give_back, role};
use crate::demo::area::Area;
use crate::demo::posix::{Prefer, RwLock};
use crate::demo::script::row;
use crate::demo::train::Passenger;
use crate::fact::Nanos;
use crate::stage::Worker;
use serde_json::json;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::time::Duration;

/// How often one that is to be relieved looks whether it is.
const LOOK: Duration = Duration::from_millis(2);

/// The lock, and beside it who is there: a lock does not tell.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) lock: RwLock,
    words: Area,
}

impl Room {
    /// # Errors
    /// See [`RwLock::new`].
    pub(super) fn new(prefer: Prefer) -> io::Result<Self> {
        Ok(Self { lock: RwLock::new(prefer)?, words: Area::shared(1)? })
    }

    /// Readers that have the lock for sure: counted after they got it, and no more before they give it back.
    fn readers(&self) -> &AtomicU64 {
        self.words.word_of(0, 0)
    }

    /// Readers that came and were made to wait.
    fn sent_to_wait(&self) -> &AtomicU64 {
        self.words.word_of(0, 1)
    }

    /// Since when the writer waits, in nanoseconds of `CLOCK_MONOTONIC`; 0 if it does not.
    fn asked_at(&self) -> &AtomicU64 {
        self.words.word_of(0, 2)
    }

    /// How many readers are inside.
    pub(super) fn inside(&self) -> u64 {
        self.readers().load(Acquire)
    }

    /// The writer begins to wait.
    pub(super) fn writer_asks(&self) {
        self.asked_at().store(monotonic().0, Release);
    }

    /// The writer waits no longer; how long it did.
    pub(super) fn writer_is_answered(&self) -> Nanos {
        monotonic().since(Nanos(self.asked_at().swap(0, AcqRel)))
    }

    /// How long the writer has waited by now, if it waits.
    pub(super) fn writer_waits(&self) -> Option<Nanos> {
        Some(self.asked_at().load(Acquire)).filter(|at| *at > 0).map(|at| monotonic().since(Nanos(at)))
    }

    /// Takes one reader off the count, if another stays inside or stands outside and is not let in.
    fn is_relieved(&self) -> bool {
        let least = if self.sent_to_wait().load(Acquire) > 0 { 1 } else { 2 };
        self.readers().fetch_update(AcqRel, Acquire, |inside| (inside >= least).then(|| inside - 1)).is_ok()
    }
}

fn monotonic() -> Nanos {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Nanos(time.tv_sec.unsigned_abs().saturating_mul(1_000_000_000) + time.tv_nsec.unsigned_abs())
}

/// A reader's part: in beside the others, stay, wait for its relief, out.
pub(super) fn read(worker: &Worker, room: &Room, hold: u64) {
    let mut passenger = Passenger::new(worker);
    role(worker, "reads");
    let mut visits = 0;
    let tell = |visits: u64, now: &str| {
        worker.tell(row(TABLE.name, worker.name(), json!({ "visits": visits, "now": now })));
    };
    loop {
        let got = passenger.ask(
            PLACE,
            || room.lock.try_read().is_ok(),
            || {
                tell(visits, "is sent to wait behind the writer");
                room.sent_to_wait().fetch_add(1, AcqRel);
                let got = room.lock.read().is_ok();
                room.sent_to_wait().fetch_sub(1, AcqRel);
                got
            },
        );
        if !got {
            return;
        }
        room.readers().fetch_add(1, AcqRel);
        visits += 1;
        tell(visits, "reads");
        let mut on = passenger.rest(hold, 4);
        if on && room.inside() < 2 {
            tell(visits, "reads until another comes");
        }
        while !room.is_relieved() {
            if passenger.is_called_off() {
                room.readers().fetch_sub(1, AcqRel);
                on = false;
                break;
            }
            let _ = worker.wait(worker.order(), LOOK);
        }
        passenger.give_back(PLACE, || give_back(&room.lock));
        tell(visits, "has read");
        if !on || !passenger.rest(hold, 2) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_stays_unless_its_relief_is_sent_to_wait() {
        let room = Room::new(Prefer::Readers).expect("memory");
        assert!(!room.is_relieved(), "nobody is inside");
        room.readers().store(2, Release);
        assert!(room.is_relieved());
        assert!(!room.is_relieved(), "it is the last");
        room.sent_to_wait().store(1, Release);
        assert!(room.is_relieved());
        assert_eq!(room.inside(), 0);
    }

    #[test]
    fn a_wait_is_known_while_it_lasts() {
        let room = Room::new(Prefer::Readers).expect("memory");
        assert_eq!(room.writer_waits(), None);
        room.writer_asks();
        let waits = room.writer_waits().expect("it waits");
        assert!(room.writer_is_answered() >= waits);
        assert_eq!(room.writer_waits(), None);
    }
}
