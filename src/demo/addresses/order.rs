//! What the leader may order the main thread of the process that is looked at to do.

use crate::stage::Worker;

/// What the leader orders the main thread to do. Each order that was carried out counts one on its counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Verb {
    /// Wait.
    Rest,
    /// All that compute, compute, until another order comes. Counts when they have begun.
    Compute,
    /// Tell where the threads sleep, from inside.
    Look,
    /// Touch the mapped file, page after page, this many milliseconds apart.
    Touch(u16),
}

impl Verb {
    /// As an order. `serial` makes two orders differ, so that none is missed that was given between two looks.
    pub(super) fn order(self, serial: u32) -> u64 {
        let (verb, arg) = match self {
            Self::Rest => (0, 0),
            Self::Compute => (1, 0),
            Self::Look => (2, 0),
            Self::Touch(pause) => (3, u64::from(pause)),
        };
        u64::from(serial) << 24 | arg << 8 | verb
    }

    /// What an order says; none for the order to leave.
    pub(super) fn of(order: u64) -> Option<Self> {
        let arg = u16::try_from(order >> 8 & 0xffff).unwrap_or(0);
        match (order, order & 0xff) {
            (Worker::HALT, _) => None,
            (_, 1) => Some(Self::Compute),
            (_, 2) => Some(Self::Look),
            (_, 3) => Some(Self::Touch(arg)),
            _ => Some(Self::Rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_says_what_it_said_and_no_two_are_alike() {
        for verb in [Verb::Rest, Verb::Compute, Verb::Look, Verb::Touch(0), Verb::Touch(2000)] {
            let orders = [1, 2, u32::MAX].map(|serial| verb.order(serial));
            assert!(orders[0] != orders[1] && orders[1] != orders[2] && !orders.contains(&Worker::HALT));
            assert_eq!(orders.map(Verb::of), [Some(verb); 3]);
        }
        assert_eq!((Verb::of(Worker::HALT), Verb::of(0)), (None, Some(Verb::Rest)));
    }
}
