//! `socket`: a pair of stream sockets (unix(7)).

use super::channel::Way;
use super::journey::{self, Journey, Tale};
use crate::fact::{DemoSpec, JourneySpec};

static PICTURE: JourneySpec = journey::picture(journey::ONE_WAY, "B's socket queue (kernel)");

static SPEC: DemoSpec = DemoSpec {
    name: "socket",
    title: "one message through a pair of sockets",
    about: "Two connected sockets of this machine (AF_UNIX). Each of the two can be written to and read from, and what \
            the kernel keeps for the reader lies in a queue of its socket.",
    params: &journey::params(65_536, 64),
    returns: &journey::returns(journey::COPIES, journey::BYTES),
    pictures: &journey::pictures(&PICTURE),
    ..journey::BASE
};

/// See the module.
pub(super) static DEMO: Journey = Journey {
    spec: &SPEC,
    tale: Tale {
        way: Way::Socket,
        opened: "socketpair(2) has made two sockets that are connected to each other. A has the one, B the other; \
                 messages can go both ways.",
        between: "the queue of B's socket, in the kernel",
        sends: "send(2)",
        receives: "recv(2)",
        waits: "poll(2) at its socket",
        full: "sleeps in send(2)",
        room: "The kernel counts the memory that each message takes (SO_SNDBUF), and that is more than its bytes.",
    },
};
