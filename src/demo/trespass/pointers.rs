//! Pointers that lead where they should not, and what the MMU makes of them.
//!
//! The kernel tells a process why it gets SIGSEGV: the address, and whether there is no page or one that forbids this access
//! (sigaction(2), `siginfo_t`). A handler puts that down in memory that the leader can read, once; the access is then
//! repeated and ends the process by the signal's default action.

use super::{Came, Site, Wall, ending};
use crate::stage::Left;
use nix::sys::mman::{ProtFlags, mprotect, munmap};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU64};

/// A stray pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pointer {
    Null,
    Wild,
    ReadOnly,
    Guard,
    Code,
    Kernel,
}

pub(super) const ALL: &[Pointer] =
    &[Pointer::Null, Pointer::Wild, Pointer::ReadOnly, Pointer::Guard, Pointer::Code, Pointer::Kernel];

/// An address in the kernel's part of every address space: with 64 bits where x86-64 puts it, and within it on Arm.
const KERNELS: usize = usize::MAX << (usize::BITS / 4 * 3 - 1);

/// The instruction "return", as it lies in memory; nothing that means anything on other machines.
const RETURN: u64 = if cfg!(target_arch = "x86_64") {
    0xc3
} else if cfg!(target_arch = "aarch64") {
    0xd65f_03c0
} else {
    0
};

/// What an offender reports: the words of the first page.
const CODE: usize = 0;
const ADDRESS: usize = 1;
const PASSED: usize = 2;

/// `si_code` of SIGSEGV (asm-generic/siginfo.h): no page there; a page that forbids it.
const MAPERR: u64 = 1;
const ACCERR: u64 = 2;

/// No fault was reported.
const NONE: u64 = u64::MAX;

impl Pointer {
    /// What it is called in the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Null => "null pointer",
            Self::Wild => "neighbour's address",
            Self::ReadOnly => "read-only page",
            Self::Guard => "guard page",
            Self::Code => "data run as code",
            Self::Kernel => "kernel address",
        }
    }
}

/// Where the handler puts what it is told.
static REPORT: AtomicPtr<AtomicU64> = AtomicPtr::new(std::ptr::null_mut());

/// Only stores to memory that is there: safe in a signal handler.
extern "C" fn note(_signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    let report = REPORT.load(Acquire);
    if report.is_null() || info.is_null() {
        return;
    }
    // SAFETY: the kernel hands a valid siginfo_t to a handler that was set with SA_SIGINFO, and si_addr is set for the signals
    // that this one is for. `report` is the start of a page that stays mapped as long as this process lives.
    #[expect(unsafe_code, reason = "what the kernel tells of a fault")]
    unsafe {
        (*report.add(ADDRESS)).store((*info).si_addr().addr() as u64, Relaxed);
        (*report.add(CODE)).store(u64::from((*info).si_code.unsigned_abs()), Release);
    }
}

/// The offender's part: follow the pointer. What comes after is reached only if nothing stopped it.
pub(super) fn follow(pointer: Pointer, site: &Site) {
    let report = |word| site.report.word_of(0, word);
    report(CODE).store(NONE, Relaxed);
    report(PASSED).store(0, Relaxed);
    REPORT.store(std::ptr::from_ref(report(0)).cast_mut(), Release);
    let action =
        SigAction::new(SigHandler::SigAction(note), SaFlags::SA_SIGINFO | SaFlags::SA_RESETHAND, SigSet::empty());
    for signal in [Signal::SIGSEGV, Signal::SIGBUS] {
        // SAFETY: `note` does nothing that a handler may not. Without it the fault would still be seen, and not its reason.
        #[expect(unsafe_code, reason = "this demo exists to misbehave")]
        let _ = unsafe { sigaction(signal, &action) };
    }
    let other = site.other.address(0);
    match pointer {
        Pointer::Null => poke(0),
        Pointer::Wild => {
            // The fork has copied the page; an offender that had it would write to its own.
            unmap(site.kept.address(0));
            poke(site.kept.address(0));
        }
        Pointer::ReadOnly => {
            protect(other, ProtFlags::PROT_READ);
            poke(other);
        }
        Pointer::Guard => {
            protect(other, ProtFlags::PROT_NONE);
            poke(other);
        }
        Pointer::Code => {
            site.other.word(0).store(u64::from_ne_bytes(RETURN.to_le_bytes()), Release);
            call(other);
        }
        Pointer::Kernel => poke(KERNELS),
    }
    report(PASSED).store(1, Release);
}

/// Writes a byte to `address`, whatever is there.
fn poke(address: usize) {
    let target = black_box(std::ptr::without_provenance_mut::<c_void>(address));
    // SAFETY: it is not; that is the demonstration. It goes through memset, since Rust's own checks would stop a null pointer
    // before the processor sees it. If the write is not stopped, it hits a page that only this process has, and it ends now.
    #[expect(unsafe_code, reason = "this demo exists to misbehave")]
    unsafe {
        libc::memset(target, 7, 1);
    }
}

/// Calls `address` as if a function were there.
fn call(address: usize) {
    // SAFETY: it is not; that is the demonstration. What lies there is one "return", so that a machine which executes data
    // comes back at once.
    #[expect(unsafe_code, reason = "this demo exists to misbehave")]
    let function = unsafe { std::mem::transmute::<usize, extern "C" fn()>(black_box(address)) };
    function();
}

/// Takes rights away from a page of this process.
fn protect(address: usize, rights: ProtFlags) {
    let Some(page) = NonNull::new(std::ptr::with_exposed_provenance_mut::<c_void>(address)) else { return };
    // SAFETY: a page of the site, which nothing in this process uses but the try that is to fail. A refusal leaves it
    // writable, and the table then says that nobody stopped the write.
    #[expect(unsafe_code, reason = "this demo exists to misbehave")]
    let _ = unsafe { mprotect(page, rustix::param::page_size(), rights) };
}

/// Takes a page out of this process's address space.
fn unmap(address: usize) {
    let Some(page) = NonNull::new(std::ptr::with_exposed_provenance_mut::<c_void>(address)) else { return };
    // SAFETY: a page of the site, which nothing in this process uses any more: it ends before the site is dropped.
    #[expect(unsafe_code, reason = "this demo exists to misbehave")]
    let _ = unsafe { munmap(page, rustix::param::page_size()) };
}

/// What came of it: how the offender ended, and what it was told of its fault.
pub(super) fn came(pointer: Pointer, left: &Left, site: &Site) -> Came {
    let word = |word| site.report.word_of(0, word).load(Acquire);
    judge(pointer, left, word(CODE), word(ADDRESS), word(PASSED) == 1)
}

fn judge(pointer: Pointer, left: &Left, code: u64, address: u64, passed: bool) -> Came {
    let faulted = matches!(left, Left::Signal(Signal::SIGSEGV | Signal::SIGBUS));
    let (outcome, wall, by) = match (faulted, code) {
        // Of its own part the kernel says the same, page or no page (x86's fault handler, so that nobody can probe it).
        (true, _) if pointer == Pointer::Kernel && address == KERNELS as u64 => {
            (ending(left), Wall::Mmu, format!("MMU: kernel's, {address:#x}"))
        }
        (true, MAPERR) => (ending(left), Wall::Mmu, format!("MMU: no page at {address:#x}")),
        (true, ACCERR) => {
            let what = if pointer == Pointer::Code { "execution" } else { "write" };
            (ending(left), Wall::Mmu, format!("MMU: no {what} at {address:#x}"))
        }
        (true, NONE) => (ending(left), Wall::Mmu, "MMU; the kernel gave no reason".to_owned()),
        (true, code) => (ending(left), Wall::Mmu, format!("MMU (si_code {code})")),
        (false, _) if passed => ("allowed".to_owned(), Wall::Nobody, "nobody".to_owned()),
        (false, _) => (ending(left), Wall::Unknown, "it ended otherwise".to_owned()),
    };
    Came { outcome, wall, by }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork};
    use std::sync::Arc;

    /// Follows the pointer in a child; its end as the stage would see it.
    fn follow_in_a_child(pointer: Pointer, site: &Site) -> Left {
        // SAFETY: the child touches only the site and its own pages, takes no lock, and ends by _exit.
        #[expect(unsafe_code, reason = "each pointer is for real, and ends its process")]
        let child = unsafe {
            match fork().expect("fork") {
                ForkResult::Parent { child } => child,
                ForkResult::Child => {
                    follow(pointer, site);
                    libc::_exit(0)
                }
            }
        };
        match waitpid(child, None).expect("our own child") {
            WaitStatus::Signaled(_, signal, _) => Left::Signal(signal),
            WaitStatus::Exited(_, code) => Left::Code(code),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_pointer_meets_the_wall_that_it_is_for() {
        let site = Arc::new(Site::new().expect("pages"));
        site.kept.word(0).store(42, Release);
        let (kept, other) = (site.kept.address(0), site.other.address(0));
        for (pointer, why, at) in [
            (Pointer::Null, "no page", 0),
            (Pointer::Wild, "no page", kept),
            (Pointer::ReadOnly, "no write", other),
            (Pointer::Guard, "no write", other),
        ] {
            let left = follow_in_a_child(pointer, &site);
            assert_eq!(left, Left::Signal(Signal::SIGSEGV), "{pointer:?}");
            let came = came(pointer, &left, &site);
            assert_eq!((came.outcome.as_str(), came.wall), ("SIGSEGV", Wall::Mmu), "{pointer:?}");
            assert!(came.by.contains(why) && came.by.contains(&format!("{at:#x}")), "{pointer:?}: {}", came.by);
        }
        // Which of the reasons is given, and whether data may be executed, depends on the machine.
        for pointer in [Pointer::Code, Pointer::Kernel] {
            let left = follow_in_a_child(pointer, &site);
            assert_ne!(came(pointer, &left, &site).wall, Wall::Kernel, "{pointer:?}");
        }
        assert_eq!(site.kept.word(0).load(Acquire), 42);
    }

    #[test]
    fn what_went_through_and_what_ended_otherwise_are_told_apart() {
        let judged = |left, code, passed| judge(Pointer::Code, left, code, 0x1000, passed);
        assert_eq!(judged(&Left::Code(0), NONE, true).wall, Wall::Nobody);
        let killed = judged(&Left::Signal(Signal::SIGKILL), NONE, false);
        assert_eq!((killed.outcome.as_str(), killed.wall), ("SIGKILL", Wall::Unknown));
        assert!(judged(&Left::Signal(Signal::SIGSEGV), ACCERR, false).by.contains("no execution"));
        let kernels = judge(Pointer::Kernel, &Left::Signal(Signal::SIGSEGV), MAPERR, KERNELS as u64, false);
        assert!(kernels.by.contains("kernel's") && kernels.wall == Wall::Mmu, "{}", kernels.by);
        assert!(judged(&Left::Signal(Signal::SIGSEGV), 128, false).by.contains("si_code 128"));
    }
}
