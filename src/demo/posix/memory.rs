//! Objects of the C library in shared memory.

use memmap2::{MmapOptions, MmapRaw};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;
use std::io;
use std::marker::PhantomData;

/// Memory for one object of the C library. Processes that are forked later have the same one. Its size is sealed: nobody can
/// cut it short, which would end the others by SIGBUS.
#[derive(Debug)]
pub(super) struct Place<T> {
    map: MmapRaw,
    holds: PhantomData<fn() -> T>,
}

impl<T> Place<T> {
    pub(super) fn new() -> io::Result<Self> {
        let size = i64::try_from(size_of::<T>()).map_err(io::Error::other)?;
        let fd = memfd_create(c"forklore-lock", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        ftruncate(&fd, size)?;
        fcntl(&fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL))?;
        let map = MmapOptions::new().len(size_of::<T>()).map_raw(&std::fs::File::from(fd))?;
        Ok(Self { map, holds: PhantomData })
    }

    /// Where the object lies: at the beginning of a page, for as long as `self` lives.
    pub(super) fn at(&self) -> *mut T {
        self.map.as_mut_ptr().cast()
    }
}
