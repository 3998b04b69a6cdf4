//! The faults, each for real. What ends the tab is what would end any program: the processor, the kernel, the allocator.
//!
//! The one place of this demo with `unsafe`. Dispositions are the default ones on stage, so no handler of the Rust runtime
//! stands between a fault and its signal.

use crate::fact::Fact;
use crate::stage::{Pulse, Worker};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::hint::black_box;
use std::time::Duration;

/// Their names, in the order of the lesson.
pub(super) const NAMES: &[&str] = &["segv", "abort", "fpe", "illegal", "stack", "exit", "hog", "oom"];

/// The code of a tab that ends by `exit`.
const CODE: i32 = 3;

/// What a tab may take beyond what it has when its memory runs wild. Small, so that the machine is never in danger, and the
/// bound of the whole run is not what stops it.
const WILD: u64 = 192 << 20;

/// What it takes at a time.
const BITE: usize = 8 << 20;

/// A stack that is larger than this would meet the bound on memory first, and then the signal would be another one.
const STACK: u64 = 16 << 20;

/// The order that means the fault called `name`; none if there is no such fault.
pub(super) fn order(name: &str) -> Option<u64> {
    NAMES.iter().position(|n| *n == name).map(|n| n as u64 + 1)
}

/// Does what `order` says to the calling task. Returns if the task survived it.
pub(super) fn strike(order: u64, worker: &Worker, pulse: &mut Pulse<'_>) {
    let name = usize::try_from(order).ok().and_then(|n| NAMES.get(n.checked_sub(1)?)).copied();
    match name {
        Some("segv") => write_through_null(),
        Some("abort") => std::process::abort(),
        Some("fpe") => divide_by_zero(),
        Some("illegal") => execute_nonsense(),
        Some("stack") => overflow(),
        Some("exit") => exit(),
        Some("hog") => hog(order, worker, pulse),
        Some("oom") => eat(worker, pulse),
        _ => {}
    }
}

/// A write to address 0, where no page lies.
fn write_through_null() {
    let null: *mut libc::c_void = black_box(std::ptr::null_mut());
    // SAFETY: it is not; that is the demonstration. It goes through memset, since Rust's own checks would stop a write
    // through a null pointer before the processor sees it. Page 0 is never mapped (vm.mmap_min_addr), so nothing is hit.
    #[expect(unsafe_code, reason = "this demo exists to misbehave")]
    unsafe {
        libc::memset(null, 1, 1);
    }
}

/// 7 / 0 by the processor's own instruction. x86 traps. Arm gives 0 and goes on, and so does the tab. On others the
/// signal is raised by name.
fn divide_by_zero() {
    let zero = black_box(0_u32);
    // SAFETY: registers only; the trap is the demonstration.
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "this demo exists to misbehave")]
    unsafe {
        std::arch::asm!("xor edx, edx", "div {zero:e}", zero = in(reg) zero, inout("eax") 7_u32 => _, out("edx") _);
    }
    // SAFETY: registers only.
    #[cfg(target_arch = "aarch64")]
    #[expect(unsafe_code, reason = "this demo exists to misbehave")]
    unsafe {
        std::arch::asm!("udiv {x:w}, {x:w}, {zero:w}", x = inout(reg) 7_u32 => _, zero = in(reg) zero);
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        black_box(zero);
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGFPE);
    }
}

/// An instruction that is defined to be none.
fn execute_nonsense() {
    // SAFETY: the trap is the demonstration; nothing is read or written.
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "this demo exists to misbehave")]
    unsafe {
        std::arch::asm!("ud2");
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    #[expect(unsafe_code, reason = "this demo exists to misbehave")]
    unsafe {
        std::arch::asm!("udf #0");
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGILL);
}

/// Calls itself until the stack meets its guard page.
fn overflow() {
    bound(Resource::RLIMIT_STACK, STACK);
    black_box(deeper(black_box(0)));
}

/// The array keeps each frame large; its use after the call keeps the optimiser from making a loop of it.
#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    let below = if black_box(true) { deeper(depth + 1) } else { 0 };
    below + frame.iter().sum::<u64>()
}

/// exit(3), from whichever task: it ends the process.
#[expect(clippy::disallowed_methods, reason = "this demo exists to misbehave")]
fn exit() {
    std::process::exit(CODE);
}

/// Never rests again, until another order comes.
fn hog(order: u64, worker: &Worker, pulse: &mut Pulse<'_>) {
    while worker.order() == order {
        pulse.beat();
    }
}

/// Takes and touches memory until the kernel refuses more. The allocator's caller here knows one answer to a refusal, the
/// usual one: abort.
fn eat(worker: &Worker, pulse: &mut Pulse<'_>) {
    bound(Resource::RLIMIT_AS, address_space().saturating_add(WILD));
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    loop {
        // Touched, not only asked for: Linux promises memory freely and finds it at the first touch.
        eaten.push(vec![black_box(1_u8); BITE]);
        let kib = eaten.len() * (BITE >> 10);
        worker.tell(Fact::Value { tid: worker.tid(), name: "eaten_kib".to_owned(), value: kib.into() });
        pulse.beat();
        if worker.wait(worker.order(), Duration::from_millis(8)) == Worker::HALT {
            return;
        }
    }
}

/// Bytes of address space that this process has now; nothing if it cannot be read, which makes the bound the stricter.
fn address_space() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split_ascii_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
    pages.saturating_mul(rustix::param::page_size() as u64)
}

/// Lowers a limit of this process. One that is lower already stands, and bounds as well.
fn bound(resource: Resource, to: u64) {
    if let Ok((soft, hard)) = getrlimit(resource) {
        let _ = setrlimit(resource, to.min(soft), hard);
    }
}
