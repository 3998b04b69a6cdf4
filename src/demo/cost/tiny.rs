//! The smallest program that there can be: a static one that only ends. It is written into memory, and executed from there.
//!
//! What exec costs depends on the program: a large one has more to be mapped, a dynamic one is linked each time it is
//! started. This one is one page, mapped as it is, with two or three instructions.

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;

/// Sizes of an ELF header and of a program header, for 64 bits (elf(5)).
const HEADER: u16 = 64;
const SEGMENT: u16 = 56;

/// Where it is mapped.
const BASE: u64 = 0x40_0000;

/// `exit(0)`, and the number by which ELF knows the processor.
#[cfg(target_arch = "x86_64")]
const MACHINE: (u16, &[u8]) = (62, &[0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]); // mov eax, 60; xor edi, edi; syscall
#[cfg(target_arch = "aarch64")]
const MACHINE: (u16, &[u8]) = (183, &[0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 0x01, 0, 0, 0xd4]); // mov x8, 93; mov x0, 0; svc 0
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const MACHINE: (u16, &[u8]) = (0, &[]);

/// The program, in memory without a name.
#[derive(Debug)]
pub(super) struct Tiny {
    path: CString,
    _file: File,
}

impl Tiny {
    /// # Errors
    /// The kernel's refusal of the memory, or that this processor's instructions are not known here.
    pub(super) fn new() -> io::Result<Self> {
        let (machine, code) = MACHINE;
        if code.is_empty() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "no smallest program is known for this processor"));
        }
        // Since Linux 6.3 one says whether it is to be executed (MFD_EXEC); before, the flag is refused and not needed.
        let exec = MFdFlags::from_bits_retain(libc::MFD_EXEC);
        let usual = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let fd = memfd_create(c"forklore-tiny", usual | exec).or_else(|_| memfd_create(c"forklore-tiny", usual))?;
        let mut file = File::from(fd);
        file.write_all(&elf(machine, code))?;
        fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW))?;
        // By our own number: to /proc/self every child would be another process, whose files are looked up anew (13 us).
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        let path = CString::new(path).map_err(io::Error::other)?;
        Ok(Self { path, _file: file })
    }

    /// By which the process that made it, and its children, can execute it, for as long as `self` lives.
    pub(super) fn path(&self) -> &CString {
        &self.path
    }
}

/// A file of one segment, which is all of it: read and executed.
fn elf(machine: u16, code: &[u8]) -> Vec<u8> {
    let begin = HEADER + SEGMENT;
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, if cfg!(target_endian = "big") { 2 } else { 1 }, 1];
    file.resize(16, 0);
    let half = |n: u16| n.to_ne_bytes().to_vec();
    let word = |n: u32| n.to_ne_bytes().to_vec();
    let long = |n: u64| n.to_ne_bytes().to_vec();
    let length = u64::from(begin) + code.len() as u64;
    // An executable of version 1; entry, program headers, no section headers, no flags.
    file.extend([half(2), half(machine), word(1)].concat());
    file.extend([long(BASE + u64::from(begin)), long(HEADER.into()), long(0), word(0)].concat());
    file.extend([HEADER, SEGMENT, 1, 0, 0, 0].map(half).concat());
    // PT_LOAD, PF_R | PF_X; offset, address twice, size twice, alignment.
    file.extend(
        [word(1), word(5), long(0), long(BASE), long(BASE), long(length), long(length), long(0x1_0000)].concat(),
    );
    file.extend_from_slice(code);
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;

    #[test]
    fn it_runs_and_ends_well() {
        let tiny = Tiny::new().expect("a known processor");
        let path = tiny.path().to_str().expect("ASCII");
        let status = std::process::Command::new(path).arg0("tiny").status().expect("it is executable");
        assert_eq!(status.code(), Some(0));
    }

    #[test]
    fn the_headers_are_as_long_as_they_say() {
        let file = elf(62, &[0x90]);
        assert_eq!(file.len(), usize::from(HEADER + SEGMENT) + 1);
        assert_eq!(&file[..4], b"\x7fELF");
    }
}
