//! The files of /proc about one task: kept open, read again and again, and parsed.
//!
//! A task may vanish, and a read be cut, at any byte: what does not parse is as good as not there. A kept descriptor can
//! never show another task that was given the same number: it answers ESRCH. This module knows no observer.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// One file of one task, kept open.
pub(super) struct TaskFile(File);

impl TaskFile {
    /// Opens /proc/PID/task/TID/`name`.
    pub(super) fn open(pid: u32, tid: u32, name: &str) -> io::Result<Self> {
        File::open(format!("/proc/{pid}/task/{tid}/{name}")).map(Self)
    }

    /// Reads the whole file anew into `buffer`.
    pub(super) fn read<'b>(&self, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]> {
        if buffer.len() < 512 {
            buffer.resize(512, 0);
        }
        let mut length = 0;
        loop {
            match self.0.read_at(&mut buffer[length..], length as u64) {
                Ok(n) if length + n < buffer.len() => return Ok(&buffer[..length + n]),
                Ok(_) => {
                    length = buffer.len();
                    buffer.resize(length * 2, 0);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

/// /proc/PID/task/TID/schedstat: what the scheduler has given the task so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Schedstat {
    /// Nanoseconds on a CPU.
    pub(super) ran: u64,
    /// Nanoseconds ready on a run queue.
    pub(super) waited: u64,
    /// Times it got a CPU.
    pub(super) turns: u64,
}

impl Schedstat {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        // The line feed shows that the last number is whole.
        let mut fields = bytes.strip_suffix(b"\n")?.split(u8::is_ascii_whitespace).map(number_in);
        Some(Self { ran: fields.next()??, waited: fields.next()??, turns: fields.next()?? })
    }
}

/// The voluntary and involuntary switches in /proc/PID/task/TID/status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Switches {
    pub(super) voluntary: u64,
    pub(super) involuntary: u64,
}

impl Switches {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.strip_suffix(b"\n")?.rsplit(|b| *b == b'\n');
        // Searched from the end, where they are: a thread's name, further up, could say the same.
        let mut value = |key: &[u8]| lines.find_map(|line| number_in(line.strip_prefix(key)?.trim_ascii()));
        let involuntary = value(b"nonvoluntary_ctxt_switches:")?;
        Some(Self { voluntary: value(b"voluntary_ctxt_switches:")?, involuntary })
    }
}

/// What we need of /proc/PID/task/TID/stat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stat {
    /// The kernel's name for it, as its owner set it: any bytes.
    pub(super) name: String,
    /// Field 4: the process that it is a child of.
    pub(super) parent: u32,
    /// Field 39: the CPU that it ran on last.
    pub(super) cpu: u32,
}

impl Stat {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        // A name may hold brackets and spaces: it goes from the first bracket to the last.
        let from = bytes.iter().position(|b| *b == b'(')? + 1;
        let to = bytes.iter().rposition(|b| *b == b')')?;
        let name = String::from_utf8_lossy(bytes.get(from..to)?).into_owned();
        let mut fields = bytes.get(to + 2..)?.strip_suffix(b"\n")?.split(|b| *b == b' ');
        let parent = number_in(fields.nth(1)?)?;
        let cpu = number_in(fields.nth(34)?)?;
        Some(Self { name, parent: u32::try_from(parent).ok()?, cpu: u32::try_from(cpu).ok()? })
    }
}

/// The stat of a process, read once.
pub(super) fn stat_of(pid: u32) -> Option<Stat> {
    Stat::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// What the kernel calls a task now.
pub(super) fn name_of(pid: u32, tid: u32) -> Option<String> {
    let name = fs::read(format!("/proc/{pid}/task/{tid}/comm")).ok()?;
    Some(String::from_utf8_lossy(name.strip_suffix(b"\n").unwrap_or(&name)).into_owned())
}

/// The one number in a file.
pub(super) fn number(path: impl AsRef<Path>) -> Option<i64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Numbers, one after the other, in a file such as `children`.
pub(super) fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.split(u8::is_ascii_whitespace).filter_map(|word| u32::try_from(number_in(word)?).ok())
}

/// The numbers that are names in a folder: the tasks of a process, the processes of /proc.
pub(super) fn numbered(folder: impl AsRef<Path>) -> io::Result<Vec<u32>> {
    Ok(fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

fn number_in(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &[u8] = b"4121 (a) b (c)) R 4119 4121 4121 34816 4121 4194304 92 0 0 0 0 0 0 0 20 0 1 0 8563 2621440 \
        229 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn stat_is_read_past_a_name_with_brackets() {
        let stat = Stat::parse(STAT).expect("whole");
        assert_eq!(stat, Stat { name: "a) b (c)".into(), parent: 4119, cpu: 3 });
    }

    #[test]
    fn our_own_files_are_read() {
        let (pid, tid) = (std::process::id(), nix::unistd::gettid().as_raw().cast_unsigned());
        let mut buffer = Vec::new();
        let mut read = |name| TaskFile::open(pid, tid, name).and_then(|f| f.read(&mut buffer).map(<[u8]>::to_vec));
        assert!(Schedstat::parse(&read("schedstat").expect("schedstat")).expect("three numbers").turns > 0);
        assert!(Switches::parse(&read("status").expect("status")).is_some());
        assert_eq!(Stat::parse(&read("stat").expect("stat")).map(|s| s.name), name_of(pid, tid));
        assert!(numbered(format!("/proc/{pid}/task")).expect("tasks").contains(&tid));
    }

    #[test]
    fn a_name_cannot_pose_as_a_counter() {
        let status =
            b"Name:\tnonvoluntary_ctxt_switches:\t9\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t4\n";
        assert_eq!(Switches::parse(status), Some(Switches { voluntary: 3, involuntary: 4 }));
    }

    #[test]
    fn a_read_cut_at_any_byte_is_nothing_rather_than_a_wrong_number() {
        for cut in 0..STAT.len() {
            assert_eq!(Stat::parse(&STAT[..cut]), None, "cut at {cut}");
        }
        for cut in 0..12 {
            assert_eq!(Schedstat::parse(&b"123 456 789\n"[..cut]), None, "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop((Schedstat::parse(&bytes), Switches::parse(&bytes), Stat::parse(&bytes)));
            numbers(&bytes).for_each(drop);
        }
    }
}
