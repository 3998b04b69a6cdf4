//! A message that travels from one worker to another: what the demos about ways to talk share. First slowly, each step told
//! as it was found; then many at full speed, counted. It knows no demo.

mod part;
mod story;
#[cfg(test)]
mod tests;

use super::Demo;
use super::channel::Way;
use super::pace;
use super::script::NOW;
use crate::fact::{
    Arg, As, Control, DemoSpec, JourneySpec, On, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Tally,
    Values,
};
use crate::stage::Stage;
use serde_json::Value;

/// The table of the steps, and that of what came out in the end, in one row.
const STEPS: &str = "steps";
const SUMS: &str = "sums";
const ROW: &str = "all";

/// The key for who does not want to wait for the next step.
const NEXT: Control = Control { key: 'x', verb: NOW, label: "the next step now", on: On::Demo, arg: Arg::None };

/// A demo of one way to talk.
#[derive(Debug)]
pub(super) struct Journey {
    pub(super) spec: &'static DemoSpec,
    pub(super) tale: Tale,
}

/// What differs between the ways, in words.
#[derive(Debug)]
pub(super) struct Tale {
    pub(super) way: Way,
    /// What was made before the two came on: a whole sentence.
    pub(super) opened: &'static str,
    /// Where a message lies on its way: "the pipe's buffer, in the kernel".
    pub(super) between: &'static str,
    /// The call that sends: "write(2)".
    pub(super) sends: &'static str,
    /// The call that receives.
    pub(super) receives: &'static str,
    /// What the reader sleeps in until something is there.
    pub(super) waits: &'static str,
    /// How the writer waits when there is no room, as the end of "A ..".
    pub(super) full: &'static str,
    /// What else is to be known of how much there was room for: a sentence, or nothing.
    pub(super) room: &'static str,
}

/// The parameters of a demo whose messages have up to `most` bytes.
pub(super) const fn params(most: i64, size: i64) -> [ParamSpec; 4] {
    [
        As::PARAM,
        ParamSpec {
            name: "size",
            kind: ParamKind::Int { min: 1, max: most, default: size, unit: "bytes" },
            help: "how long a message is",
        },
        pace::param(700),
        ParamSpec {
            name: "messages",
            kind: ParamKind::Int { min: 1, max: 100_000, default: 1000, unit: "" },
            help: "how many more go at full speed in the end",
        },
    ]
}

/// What all of them return. `capacity` says what is counted: bytes or messages.
pub(super) const fn returns(copies: &'static str, capacity: &'static str) -> [ReturnSpec; 6] {
    [
        ReturnSpec { name: "copies", kind: ReturnKind::Count, help: copies },
        ReturnSpec { name: "bytes", kind: ReturnKind::Count, help: "bytes that the reader received at full speed" },
        ReturnSpec {
            name: "wakeups",
            kind: ReturnKind::Count,
            help: "how often the reader slept and was woken at full speed (voluntary switches, getrusage)",
        },
        ReturnSpec {
            name: "intact",
            kind: ReturnKind::Flag,
            help: "every message was what had been sent, byte by byte",
        },
        ReturnSpec { name: "capacity", kind: ReturnKind::Count, help: capacity },
        ReturnSpec {
            name: "per_second",
            kind: ReturnKind::Count,
            help: "messages a second at full speed, watched: not what a message costs",
        },
    ]
}

/// The pictures: the message, then who ran when.
pub(super) const fn pictures(spec: &'static JourneySpec) -> [Picture; 2] {
    [Picture::Journey(spec), Picture::Lanes]
}

/// The picture of a way, and what its two sides are: "writer" and "reader" mostly.
pub(super) const fn picture(roles: [&'static str; 2], between: &'static str) -> JourneySpec {
    JourneySpec { table: STEPS, writer: "A", reader: "B", roles, between }
}

/// What the two are where messages go one way.
pub(super) const ONE_WAY: [&str; 2] = ["writer", "reader"];

/// The spec of a demo, but for what it says of itself.
pub(super) const BASE: DemoSpec =
    DemoSpec { part: "Talking", controls: &[NEXT, pace::SLOWER, pace::FASTER], ..DemoSpec::BASE };

/// What `copies` counts where the kernel carries the message.
pub(super) const COPIES: &str = "times that a call moved the message between a worker's memory and the kernel";

/// What `capacity` counts where there are bytes.
pub(super) const BYTES: &str = "bytes that lay between the two when the writer had to wait for room";

/// What `capacity` counts where messages keep their bounds.
pub(super) const MESSAGES: &str = "messages that lay between the two when the writer had to wait for room";

impl Demo for Journey {
    fn spec(&self) -> &'static DemoSpec {
        self.spec
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        pace::end_of(story::play(stage, self))
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let found = |name: &str| tally.cell(SUMS, ROW, name).cloned().unwrap_or(Value::Null);
        self.spec.returns.iter().map(|value| (value.name.to_owned(), found(value.name))).collect()
    }
}
