//! `mqueue`: a message queue of POSIX (mq_overview(7)).

use super::channel::Way;
use super::journey::{self, Journey, Tale};
use crate::fact::{DemoSpec, JourneySpec, Need};

static PICTURE: JourneySpec = journey::picture(journey::ONE_WAY, "message queue (kernel)");

static SPEC: DemoSpec = DemoSpec {
    name: "mqueue",
    title: "one message in a message queue",
    about: "A message queue of POSIX keeps the bounds of messages, and their order by priority. What was sent lies in \
            the kernel until somebody takes it, even if the sender is long gone.",
    params: &journey::params(8192, 64),
    returns: &journey::returns(journey::COPIES, journey::MESSAGES),
    pictures: &journey::pictures(&PICTURE),
    needs: &[Need { capability: "POSIX message queues", without: "anything of this demo" }],
    ..journey::BASE
};

/// See the module.
pub(super) static DEMO: Journey = Journey {
    spec: &SPEC,
    tale: Tale {
        way: Way::Mqueue,
        opened: "mq_open(3) has made a queue in the kernel that holds whole messages. Its name was removed at once: a \
                 queue that keeps its name stays until the machine is restarted.",
        between: "the queue, in the kernel",
        sends: "mq_send(3)",
        receives: "mq_receive(3)",
        waits: "poll(2) at the queue",
        full: "sleeps in mq_send(3)",
        room: "It is full by messages, however short they are.",
    },
};
