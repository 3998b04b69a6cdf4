//! Which pages of a process's memory are shared: proc_pid_smaps(5). It knows no demo.

/// What a process has in RAM, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Memory {
    /// Code of its program file that is in RAM (`Rss` of the mapping that may be executed).
    pub(super) text: u64,
    /// Of it in at least one other process as well (`Shared_*`).
    pub(super) text_shared: u64,
    /// Of it this process's part, where each page is divided among those that have it (`Pss`).
    pub(super) text_part: u64,
    /// Of all that it has, what no other process has (`Private_*`).
    pub(super) private: u64,
}

impl Memory {
    /// Adds up what /proc/PID/smaps says; `file` is the path of the program.
    pub(super) fn parse(smaps: &str, file: &str) -> Self {
        let mut memory = Self::default();
        let mut in_text = false;
        for line in smaps.lines() {
            let Some((name, rest)) = line.split_once(':').filter(|(name, _)| !name.contains(['-', ' '])) else {
                // address perms offset device inode path; the path may hold blanks.
                let of_file = line.find('/').is_some_and(|at| &line[at..] == file);
                in_text = of_file && line.split(' ').nth(1).is_some_and(|perms| perms.contains('x'));
                continue;
            };
            let Some(kib) = rest.split_ascii_whitespace().next().and_then(|n| n.parse::<u64>().ok()) else { continue };
            match name {
                "Rss" if in_text => memory.text += kib,
                "Pss" if in_text => memory.text_part += kib,
                "Shared_Clean" | "Shared_Dirty" if in_text => memory.text_shared += kib,
                "Private_Clean" | "Private_Dirty" => memory.private += kib,
                _ => {}
            }
        }
        memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
55d0a000-55d0b000 r--p 00000000 fd:00 77  /opt/my tools/prog
Size:                  4 kB
Rss:                   4 kB
Pss:                   2 kB
Shared_Clean:          4 kB
Shared_Dirty:          0 kB
Private_Clean:         0 kB
Private_Dirty:         0 kB
55d0b000-55d4b000 r-xp 00001000 fd:00 77  /opt/my tools/prog
Size:                256 kB
KernelPageSize:        4 kB
Rss:                 200 kB
Pss:                  70 kB
Pss_Dirty:             0 kB
Shared_Clean:        196 kB
Shared_Dirty:          0 kB
Private_Clean:         4 kB
Private_Dirty:         0 kB
VmFlags: rd ex mr mw me sd
7f00000-7f10000 r-xp 00000000 fd:00 78  /usr/lib/libc.so.6
Rss:                 900 kB
Shared_Clean:        900 kB
7ffc000-7ffd000 rw-p 00000000 00:00 0   [stack]
Rss:                  12 kB
Private_Dirty:        12 kB
";

    #[test]
    fn the_code_of_the_program_is_told_from_all_else() {
        let memory = Memory::parse(SMAPS, "/opt/my tools/prog");
        assert_eq!(memory, Memory { text: 200, text_shared: 196, text_part: 70, private: 16 });
        assert_eq!(Memory::parse(SMAPS, "/opt/other"), Memory { private: 16, ..Memory::default() });
        assert_eq!(Memory::parse("", "/x"), Memory::default());
    }

    #[test]
    fn ones_own_map_is_read() {
        let smaps = std::fs::read_to_string("/proc/self/smaps").expect("one may read one's own");
        let file = std::fs::read_link("/proc/self/exe").expect("a file");
        let memory = Memory::parse(&smaps, &file.to_string_lossy());
        assert!(memory.text > 0 && memory.private > 0 && memory.text_shared <= memory.text, "{memory:?}");
    }
}
