//! What the tests stand on: the program in a terminal, the program as a command, and what it leaves behind.

mod deadline;
mod escapes;
mod keeper;
mod load;
mod processes;
mod pty;
mod screen;
mod shim;
mod skip;
mod surroundings;

pub(crate) use deadline::Patience;
pub(crate) use escapes::{foreign, modes_left};
pub(crate) use keeper::Ended;
pub(crate) use load::{Load, p99};
pub(crate) use processes::{Marker, Process, all, descendants};
pub(crate) use pty::{Launch, Pty};
pub(crate) use shim::{Refuser, Shim};
pub(crate) use skip::{inconclusive, skip};
pub(crate) use surroundings::{Surroundings, User};
