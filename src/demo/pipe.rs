//! `pipe`: two pipes between A and B, and a message through one of them (pipe(7)).

use super::channel::Way;
use super::journey::{self, Journey, Tale};
use crate::fact::{DemoSpec, JourneySpec};

static PICTURE: JourneySpec = journey::picture(journey::ONE_WAY, "pipe's buffer (kernel)");

static SPEC: DemoSpec = DemoSpec {
    name: "pipe",
    title: "one message through a pipe",
    about: "A writes a message into a pipe and B reads it: first step by step, then many at full speed. See where the \
            message is, who sleeps, and how often it is copied.",
    params: &journey::params(65_536, 64),
    returns: &journey::returns(journey::COPIES, journey::BYTES),
    pictures: &journey::pictures(&PICTURE),
    ..journey::BASE
};

/// See the module.
pub(super) static DEMO: Journey = Journey {
    spec: &SPEC,
    tale: Tale {
        way: Way::Pipe,
        opened: "pipe(2) has made a buffer in the kernel, with an end to write into and an end to read from. A has the \
                 one, B the other.",
        between: "the pipe's buffer, in the kernel",
        sends: "write(2)",
        receives: "read(2)",
        waits: "poll(2) at its end of the pipe",
        full: "sleeps in write(2)",
        room: "",
    },
};
