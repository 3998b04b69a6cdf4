//! The signals that ask a command to end, taken one by one instead of ending it in the middle.

use nix::poll::{PollFd, PollFlags};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::AsFd;

/// Those that mean: end.
const ENDS: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// The signals of this process, from now on.
pub(super) struct Signals(SignalFd);

impl Signals {
    /// To be called before the first thread, so that all of them inherit the mask.
    ///
    /// # Errors
    /// The kernel refuses: a sentence.
    pub(super) fn catch() -> Result<Self, String> {
        let ignored = ignored();
        // Blocking would bring back what `nohup` or a shell's `&` has switched off: a blocked signal is kept even if it
        // is ignored (signal(7)).
        let wanted: SigSet = ENDS.into_iter().filter(|s| ignored & (1 << (*s as i32 - 1)) == 0).collect();
        let mut blocked = wanted;
        // A full file-size limit is an error of `write`, not an end.
        blocked.add(Signal::SIGXFSZ);
        let fd = blocked
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&wanted, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC));
        fd.map(Self).map_err(|e| format!("signals cannot be caught: {e}"))
    }

    /// One that has come, by its number.
    pub(super) fn take(&self) -> Option<u8> {
        self.0.read_signal().ok()??.ssi_signo.try_into().ok()
    }

    /// Ready when one has come.
    pub(super) fn poll(&self) -> PollFd<'_> {
        PollFd::new(self.0.as_fd(), PollFlags::POLLIN)
    }
}

/// The signals that were ignored when this process began, a bit each.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
