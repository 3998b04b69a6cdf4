//! `rpc`: a remote procedure call over a socket.

use super::channel::Way;
use super::journey::{self, Journey, Tale};
use crate::fact::{DemoSpec, JourneySpec};

static PICTURE: JourneySpec = journey::picture(["caller", "server"], "B's socket queue (kernel)");

static SPEC: DemoSpec = DemoSpec {
    name: "rpc",
    title: "a procedure called in another process",
    about: "A calls a procedure that B runs. The argument is marshalled into a frame and sent over a socket, and the \
            result comes back the same way; meanwhile A sleeps, as if it had called a function of its own.",
    params: &journey::params(65_536, 64),
    returns: &journey::returns(
        "times that a call moved the argument, or the result, between a worker's memory and the kernel",
        "not measured: a caller has one call under way at most",
    ),
    pictures: &journey::pictures(&PICTURE),
    ..journey::BASE
};

/// See the module.
pub(super) static DEMO: Journey = Journey {
    spec: &SPEC,
    tale: Tale {
        way: Way::Rpc,
        opened: "Two connected sockets, and an agreement: a frame begins with its length, the number of the call and \
                 the number of the procedure.",
        between: "the queue of B's socket, in the kernel",
        sends: "send(2)",
        receives: "recv(2)",
        waits: "poll(2) at its socket",
        full: "sleeps in send(2)",
        room: "",
    },
};
