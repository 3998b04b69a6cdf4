//! `tcp`: a connection over the loopback interface (tcp(7)).

use super::channel::Way;
use super::journey::{self, Journey, Tale};
use crate::fact::{DemoSpec, JourneySpec, Need};

static PICTURE: JourneySpec = journey::picture(journey::ONE_WAY, "B's receive queue (kernel)");

static SPEC: DemoSpec = DemoSpec {
    name: "tcp",
    title: "one message by TCP, from this machine to itself",
    about: "The same calls as for other sockets, and below them the whole of TCP and IP: segments, acknowledgements, \
            two buffers. Here both ends are on one machine (127.0.0.1).",
    params: &journey::params(65_536, 64),
    returns: &journey::returns(journey::COPIES, journey::BYTES),
    pictures: &journey::pictures(&PICTURE),
    needs: &[Need { capability: "TCP on loopback", without: "anything of this demo" }],
    ..journey::BASE
};

/// See the module.
pub(super) static DEMO: Journey = Journey {
    spec: &SPEC,
    tale: Tale {
        way: Way::Tcp,
        opened: "A connection over 127.0.0.1. The kernel chose a port that nobody had (port 0), so none that is taken \
                 can be in the way.",
        between: "the receive queue of B's socket, in the kernel",
        sends: "send(2)",
        receives: "recv(2)",
        waits: "poll(2) at its socket",
        full: "sleeps in send(2)",
        room: "Some of it lies at A's end, and the rest at B's.",
    },
};
