//! `signal`: a real-time signal with a value (signal(7)).

use super::channel::Way;
use super::journey::{self, Journey, Tale};
use crate::fact::{DemoSpec, JourneySpec};

static PICTURE: JourneySpec = journey::picture(journey::ONE_WAY, "pending signals (kernel)");

static SPEC: DemoSpec = DemoSpec {
    name: "signal",
    title: "one word, carried by a signal",
    about: "A real-time signal is queued and carries one word, the size of a pointer. That is all that it can say. B \
            has it blocked and takes it from a descriptor: no handler runs.",
    params: &journey::params(8, 8),
    returns: &journey::returns(journey::COPIES, journey::MESSAGES),
    pictures: &journey::pictures(&PICTURE),
    ..journey::BASE
};

/// See the module.
pub(super) static DEMO: Journey = Journey {
    spec: &SPEC,
    tale: Tale {
        way: Way::Signal,
        opened: "Nothing was opened for A: it must only know B's number, and have the right. B has the signal blocked, \
                 so that it waits in a queue until it is taken.",
        between: "B's queue of pending signals, in the kernel",
        sends: "call that queues a signal (as sigqueue(3) makes it)",
        receives: "read(2) of signalfd(2)",
        waits: "poll(2) at a signalfd(2)",
        full: "is told EAGAIN by each call, sleeps a little by itself and tries again",
        room: "All programs of a user share that room; this one has taken a small part of it.",
    },
};
