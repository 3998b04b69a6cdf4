//! A look at a process in /proc, as `ps` takes it: proc_pid_stat(5). It knows no demo.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

/// What /proc says of a process, or of one of its threads, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glance {
    /// What it is called (`comm`).
    pub(super) comm: String,
    /// Its state: R, S, D, T, t, Z, X, I.
    pub(super) state: char,
    /// The process that is its parent.
    pub(super) parent: u32,
    /// Threads of its process; a main thread that has ended counts until all have.
    pub(super) threads: u64,
    /// When it was forked, in ticks since boot. Together with its number this is one process and no other.
    pub(super) started: u64,
}

impl Glance {
    /// A look at the process `pid`; none if there is none.
    pub(super) fn at(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// A look at one thread.
    pub(super) fn at_thread(pid: u32, tid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/task/{tid}/stat")).ok()?)
    }

    fn parse(stat: &str) -> Option<Self> {
        // The name may hold blanks and brackets; the fields begin after the last one.
        let (head, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        let number = |n: usize| fields.get(n - 3)?.parse::<u64>().ok();
        Some(Self {
            comm: head.split_once('(')?.1.to_owned(),
            state: fields.first()?.chars().next()?,
            parent: number(4)?.try_into().ok()?,
            threads: number(20)?,
            started: number(22)?,
        })
    }
}

/// The file that a process executes: its device and its inode.
///
/// # Errors
/// That of following /proc/PID/exe, which only the process's own user may.
pub(super) fn file_of(pid: u32) -> io::Result<(u64, u64)> {
    let file = fs::metadata(format!("/proc/{pid}/exe"))?;
    Ok((file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "4121 (a) R (b c) S 99 4121 4121 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 3 0 81234 1 2 3";
        let glance = Glance::parse(stat).expect("a line of /proc/PID/stat");
        let wanted = Glance { comm: "a) R (b c".into(), state: 'S', parent: 99, threads: 3, started: 81234 };
        assert_eq!(glance, wanted);
        for cut in ["", "4121", "4121 (a", "4121 (a)", "4121 (a) S", "4121 (a) S x 1", &stat[..60]] {
            assert_eq!(Glance::parse(cut), None, "{cut}");
        }
    }

    #[test]
    fn one_sees_oneself() {
        let pid = std::process::id();
        let own = Glance::at(pid).expect("this process");
        assert_eq!(Some(own.parent), rustix::process::getppid().map(|p| p.as_raw_nonzero().get().unsigned_abs()));
        let thread = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
        assert_eq!(Glance::at_thread(pid, thread).map(|t| (t.started >= own.started, t.state)), Some((true, 'R')));
        let file = fs::metadata(std::env::current_exe().expect("a file")).expect("it is there");
        assert_eq!(file_of(pid).ok(), Some((file.dev(), file.ino())));
        assert_eq!(Glance::at(u32::MAX), None);
    }
}
