//! `fifo`: a pipe that was opened by a name (fifo(7)).

use super::channel::Way;
use super::journey::{self, Journey, Tale};
use crate::fact::{DemoSpec, JourneySpec};

static PICTURE: JourneySpec = journey::picture(journey::ONE_WAY, "FIFO's buffer (kernel)");

static SPEC: DemoSpec = DemoSpec {
    name: "fifo",
    title: "one message through a pipe that had a name",
    about: "A FIFO is a pipe with a name in a folder, so that processes which have nothing in common can open it. Once \
            it is open the name is not needed, and here it is gone.",
    params: &journey::params(65_536, 64),
    returns: &journey::returns(journey::COPIES, journey::BYTES),
    pictures: &journey::pictures(&PICTURE),
    ..journey::BASE
};

/// See the module.
pub(super) static DEMO: Journey = Journey {
    spec: &SPEC,
    tale: Tale {
        way: Way::Fifo,
        opened: "mkfifo(3) made a name in a folder; both ends were opened by it, and the name was removed. No byte of a \
                 message ever lies in the file.",
        between: "the FIFO's buffer, in the kernel",
        sends: "write(2)",
        receives: "read(2)",
        waits: "poll(2) at its end of the FIFO",
        full: "sleeps in write(2)",
        room: "",
    },
};
