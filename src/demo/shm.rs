//! `shm`: a ring in shared memory, and futex(2) to sleep.

use super::channel::Way;
use super::journey::{self, Journey, Tale};
use crate::fact::{DemoSpec, JourneySpec};

static PICTURE: JourneySpec = journey::picture(journey::ONE_WAY, "ring in pages of both");

static SPEC: DemoSpec = DemoSpec {
    name: "shm",
    title: "one message through memory that both have",
    about: "A ring of bytes in pages that both workers have. A stores a message there and B loads it. The kernel moves \
            none of it: it is asked only to put one to sleep, and to wake it.",
    params: &journey::params(65_536, 64),
    returns: &journey::returns(
        "times that the kernel moved the message: the workers store and load it themselves",
        journey::BYTES,
    ),
    pictures: &journey::pictures(&PICTURE),
    ..journey::BASE
};

/// See the module.
pub(super) static DEMO: Journey = Journey {
    spec: &SPEC,
    tale: Tale {
        way: Way::Shm,
        opened: "Some pages were mapped before the two came on: both have them. In them lies a ring of 64 KiB, and two \
                 counters say how much of it is filled.",
        between: "the ring, in pages that both have",
        sends: "store",
        receives: "load",
        waits: "futex(2) at a word of the shared page",
        full: "sleeps in futex(2)",
        room: "",
    },
};
