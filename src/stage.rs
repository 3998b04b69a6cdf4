//! A demo's process tree: raised, held, released, bounded, stopped, reaped.
//!
//! Three processes take part. The *program* (tour or headless) holds a [`Production`]. Its child is the *warden*
//! ([`warden`]): single-threaded, a subreaper in a session of its own, which ends everything below it when it is told to
//! or when the program is gone. The warden's child is the *leader*, which runs the demo's code against a [`Stage`] and
//! brings on its workers. This module sends facts and knows no screen.

mod account;
mod board;
mod cast;
mod launch;
mod leader;
mod limits;
mod memory;
mod output;
mod production;
mod shared_memory;
mod slices;
mod target;
mod tree;
mod warden;
mod wire;

pub use cast::{Cue, Ended as Left, Entry, Pulse, Settings, Stage, Worker};
pub use leader::{BROKE, COULD_NOT, CannotRun, lead};
pub use memory::{Region, pss_and_private_dirty};
pub use production::{Ended, Production};
pub use slices::SelfTimed;
pub use target::Target;
pub use tree::{adopt_orphans, sweep_own};
pub use warden::run as warden;
pub use wire::Brief;

/// CLOCK_MONOTONIC now, in nanoseconds. One clock for the whole machine, so moments of all processes compare.
#[must_use]
pub fn now() -> crate::fact::Nanos {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(t.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(t.tv_nsec).unwrap_or(0);
    crate::fact::Nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
}

/// What ps and top show an instance as, once it has begun to wait.
pub const INSTANCE: &str = "forklore copy";

/// Waits to be ended, as [`Role::Instance`].
pub fn wait_for_the_end() -> ! {
    // Started through /proc/self/exe it would be called "exe". A refusal is no reason to stop.
    let _ = std::ffi::CString::new(INSTANCE).is_ok_and(|name| rustix::thread::set_name(&name).is_ok());
    loop {
        nix::unistd::pause();
    }
}

/// The parts that this program plays as one of its own children, by a hidden first argument. The check comes before
/// threads, command line and terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The warden of a run.
    Warden,
    /// The leader of a demo.
    Leader,
    /// An instance of the program that only waits to be ended.
    Instance,
    /// An instance of the program that ends at once: what it takes to start it is measured.
    Nothing,
}

impl Role {
    const WARDEN: &'static str = "__warden";
    const LEADER: &'static str = "__stage";
    const INSTANCE: &'static str = "__instance";
    const NOTHING: &'static str = "__nothing";

    /// The role that the first argument names, if any.
    #[must_use]
    pub fn of(first: Option<&std::ffi::OsStr>) -> Option<Self> {
        match first?.to_str()? {
            Self::WARDEN => Some(Self::Warden),
            Self::LEADER => Some(Self::Leader),
            Self::INSTANCE => Some(Self::Instance),
            Self::NOTHING => Some(Self::Nothing),
            _ => None,
        }
    }

    /// The hidden argument.
    #[must_use]
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Warden => Self::WARDEN,
            Self::Leader => Self::LEADER,
            Self::Instance => Self::INSTANCE,
            Self::Nothing => Self::NOTHING,
        }
    }
}
