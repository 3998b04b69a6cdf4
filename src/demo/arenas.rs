//! Bounds with room for the addresses that the C library sets aside for threads. It knows no demo.

use crate::fact::{Limits, Params};

/// Mebibytes of addresses that a thread's first allocation takes for a moment: glibc maps twice `HEAP_MAX_SIZE`, of which it
/// keeps the half that is aligned (malloc/arena.c). Up to eight arenas a core may be; a thread's stack is small beside one.
const ARENA_MIB: u64 = 128;

/// The most threads that there are beside the leader's own.
const THREADS: u64 = 24;

/// The bounds of a demo that may bring on so many threads. Addresses are no memory: that is bounded as ever.
pub(super) const fn room(_: &Params) -> Limits {
    let usual = Limits::DEFAULT;
    Limits { process_mib: usual.process_mib + THREADS * ARENA_MIB, ..usual }
}
