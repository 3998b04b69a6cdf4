//! A process's address space as /proc/PID/maps lists it (proc_pid_maps(5)), and what each region is for.

use serde_json::json;
use std::collections::BTreeSet;

/// A line of /proc/PID/maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) perms: String,
    pub(super) path: String,
}

/// A region with what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) mapping: Mapping,
    pub(super) kind: &'static str,
    pub(super) name: String,
}

/// Addresses of which it is known what lies there, by which regions without a name are recognised.
#[derive(Debug, Clone, Default)]
pub(super) struct Landmarks {
    /// A function of the program.
    pub(super) function: u64,
    /// A block that was asked for, small enough for the heap.
    pub(super) small: u64,
    /// A block so large that it got a mapping.
    pub(super) large: u64,
    /// The first byte of the file that the demo mapped.
    pub(super) file: u64,
    /// The threads, the main thread first.
    pub(super) threads: Vec<Thread>,
}

/// A thread, as far as its stack is concerned.
#[derive(Debug, Clone)]
pub(super) struct Thread {
    pub(super) letter: String,
    /// The address of a local variable of its own.
    pub(super) local: u64,
    /// Where its stack begins and ends, if it knows.
    pub(super) stack: Option<(u64, u64)>,
}

/// From here on addresses belong to the kernel: on x86 its `[vsyscall]` page is listed in every process.
const KERNEL: u64 = 1 << 63;

/// glibc gives threads heaps of their own, each at a multiple of its size (`HEAP_MAX_SIZE` in malloc/arena.c).
const ARENA: u64 = 64 << 20;

/// Reads /proc/PID/maps. What cannot be read of a line is left out with it.
pub(super) fn parse(text: &str) -> Vec<Mapping> {
    text.lines().filter_map(line).filter(|m| m.from < KERNEL).collect()
}

fn line(line: &str) -> Option<Mapping> {
    let mut rest = line;
    let mut word = || {
        let (word, after) = rest.trim_start().split_once(' ').unwrap_or((rest.trim_start(), ""));
        rest = after;
        word
    };
    let (range, perms, _, _, _) = (word(), word(), word(), word(), word());
    let (from, to) = range.split_once('-')?;
    let hex = |digits| u64::from_str_radix(digits, 16).ok();
    Some(Mapping { from: hex(from)?, to: hex(to)?, perms: perms.to_owned(), path: rest.trim().to_owned() })
}

impl Mapping {
    pub(super) fn holds(&self, address: u64) -> bool {
        (self.from..self.to).contains(&address)
    }

    pub(super) fn executable(&self) -> bool {
        self.perms.contains('x')
    }

    /// Nobody may read, write or execute it: kept free.
    fn barred(&self) -> bool {
        self.perms.starts_with("---")
    }
}

/// What each mapping is for, lowest first.
pub(super) fn regions(mappings: &[Mapping], marks: &Landmarks) -> Vec<Region> {
    let parts = split(mappings, marks);
    let program = parts.iter().find(|m| m.holds(marks.function)).map(|m| m.path.clone()).unwrap_or_default();
    let libraries: BTreeSet<&str> =
        parts.iter().filter(|m| m.executable() && m.path.starts_with('/')).map(|m| m.path.as_str()).collect();
    let each = parts.iter().enumerate().map(|(n, mapping)| {
        let before = n.checked_sub(1).and_then(|n| parts.get(n));
        let (kind, name) = purpose(mapping, before, parts.get(n + 1), marks, &program, &libraries);
        Region { mapping: mapping.clone(), kind, name }
    });
    each.collect()
}

/// Cuts a mapping where one stack ends and the next begins. A C library that guards stacks without a mapping between them
/// (MADV_GUARD_INSTALL, Linux 6.13) lets the kernel join them to one.
fn split(mappings: &[Mapping], marks: &Landmarks) -> Vec<Mapping> {
    let mut parts = Vec::new();
    for mapping in mappings {
        let mut cuts: BTreeSet<u64> = marks
            .threads
            .iter()
            .filter_map(|thread| thread.stack)
            .flat_map(|(from, to)| [from, to])
            .filter(|at| mapping.from < *at && *at < mapping.to)
            .collect();
        cuts.insert(mapping.to);
        let mut from = mapping.from;
        for to in cuts {
            parts.push(Mapping { from, to, ..mapping.clone() });
            from = to;
        }
    }
    parts
}

fn purpose(
    mapping: &Mapping,
    below: Option<&Mapping>,
    above: Option<&Mapping>,
    marks: &Landmarks,
    program: &str,
    libraries: &BTreeSet<&str>,
) -> (&'static str, String) {
    let owner = |m: &Mapping| marks.threads.iter().find(|thread| m.holds(thread.local)).map(|thread| &thread.letter);
    let path = mapping.path.as_str();
    let file = path.rsplit('/').next().unwrap_or(path).to_owned();
    let touches = |other: Option<&&Mapping>| other.is_some_and(|o| o.to == mapping.from || o.from == mapping.to);
    if let Some(letter) = owner(mapping) {
        return ("stack", format!("of {letter}"));
    }
    if mapping.holds(marks.file) {
        return ("file", file);
    }
    if path == "[heap]" || mapping.holds(marks.small) {
        return ("heap", if path == "[heap]" { String::new() } else { "small blocks".to_owned() });
    }
    if let Some(letter) = above.filter(|a| touches(Some(a))).and_then(owner)
        && path.is_empty()
    {
        return ("guard", format!("below stack {letter}"));
    }
    if !path.is_empty() && path == program {
        let kind = match (mapping.executable(), mapping.perms.contains('w')) {
            (true, _) => "text",
            (false, true) => "data",
            (false, false) => "constants",
        };
        return (kind, file);
    }
    let data = |m: &Mapping| m.path == program && m.perms.contains('w');
    if path.is_empty() && !mapping.barred() && below.is_some_and(|b| touches(Some(&b)) && data(b)) {
        return ("data", "zeroed at start".to_owned());
    }
    if path.starts_with("[v") {
        return ("vdso", path.trim_matches(['[', ']']).trim_start_matches("vdso").to_owned());
    }
    if libraries.contains(path) {
        return ("library", file);
    }
    if path.starts_with("/memfd:") || (mapping.perms.ends_with('s') && path.starts_with("/dev/")) {
        return ("shared", "memory".to_owned());
    }
    if !path.is_empty() {
        return ("file", file);
    }
    let arena = |m: &Mapping| m.from.is_multiple_of(ARENA) && m.perms.starts_with("rw");
    if arena(mapping) && above.is_some_and(|a| touches(Some(&a)) && a.barred() && a.to.is_multiple_of(ARENA)) {
        return ("arena", "heap for threads".to_owned());
    }
    if mapping.barred() {
        let for_arena = below.is_some_and(|b| touches(Some(&b)) && arena(b)) && mapping.to.is_multiple_of(ARENA);
        return if for_arena { ("reserve", "of the arena".to_owned()) } else { ("guard", "kept free".to_owned()) };
    }
    ("mapping", if mapping.holds(marks.large) { "a large block" } else { "no file" }.to_owned())
}

impl Region {
    /// What its row is called: the address that it begins at.
    pub(super) fn row(&self) -> String {
        hex(self.mapping.from)
    }

    /// What it is, in words.
    pub(super) fn title(&self) -> String {
        if self.name.is_empty() { self.kind.to_owned() } else { format!("{}: {}", self.kind, self.name) }
    }

    /// Its row's values.
    pub(super) fn values(&self) -> crate::fact::Values {
        [
            ("from", json!(hex(self.mapping.from))),
            ("to", json!(hex(self.mapping.to))),
            ("perms", json!(self.mapping.perms)),
            ("kind", json!(self.kind)),
            ("name", json!(self.name)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// An address as it is written.
pub(super) fn hex(address: u64) -> String {
    format!("{address:#x}")
}

/// An address as it was written.
pub(super) fn unhex(value: &serde_json::Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As on Linux 6.1 with glibc 2.36: a program, its heap, an arena, a stack of a thread, a library.
    const TEXT: &str = "\
555555554000-555555560000 r--p 00000000 08:01 77 /opt/a b/prog
555555560000-555555590000 r-xp 0000c000 08:01 77 /opt/a b/prog
555555590000-5555555a0000 r--p 0003c000 08:01 77 /opt/a b/prog
5555555a0000-5555555a2000 rw-p 0004c000 08:01 77 /opt/a b/prog
5555555a2000-5555555a4000 rw-p 00000000 00:00 0 
5555555c0000-5555555e1000 rw-p 00000000 00:00 0                          [heap]
7ffff0000000-7ffff0021000 rw-p 00000000 00:00 0 
7ffff0021000-7ffff4000000 ---p 00000000 00:00 0 
7ffff6000000-7ffff6001000 ---p 00000000 00:00 0 
7ffff6001000-7ffff6801000 rw-p 00000000 00:00 0 
7ffff6900000-7ffff6910000 r--s 00000000 08:01 77 /opt/a b/prog
7ffff7d00000-7ffff7d20000 r--p 00000000 08:01 80 /lib/libc.so.6
7ffff7d20000-7ffff7e80000 r-xp 00020000 08:01 80 /lib/libc.so.6
7ffff7f00000-7ffff7f40000 rw-p 00000000 00:00 0 
7ffff7fc9000-7ffff7fcd000 r--p 00000000 00:00 0                          [vvar]
7ffff7fcd000-7ffff7fcf000 r-xp 00000000 00:00 0                          [vdso]
7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
not a line
";

    fn marks() -> Landmarks {
        Landmarks {
            function: 0x5555_5556_1234,
            small: 0x5555_555c_0010,
            large: 0x7fff_f7f0_0010,
            file: 0x7fff_f690_0000,
            threads: vec![
                Thread { letter: "A".into(), local: 0x7fff_ffff_e000, stack: None },
                Thread {
                    letter: "B".into(),
                    local: 0x7fff_f680_0f00,
                    stack: Some((0x7fff_f600_1000, 0x7fff_f680_1000)),
                },
            ],
        }
    }

    fn said(text: &str, marks: &Landmarks) -> Vec<String> {
        regions(&parse(text), marks).iter().map(|r| format!("{} {}", r.kind, r.name)).collect()
    }

    #[test]
    fn every_region_has_its_purpose() {
        let expected = [
            "constants prog",
            "text prog",
            "constants prog",
            "data prog",
            "data zeroed at start",
            "heap ",
            "arena heap for threads",
            "reserve of the arena",
            "guard below stack B",
            "stack of B",
            "file prog",
            "library libc.so.6",
            "library libc.so.6",
            "mapping a large block",
            "vdso vvar",
            "vdso ",
            "stack of A",
        ];
        assert_eq!(said(TEXT, &marks()), expected);
        assert_eq!(parse(TEXT).len(), 17, "neither the kernel's page nor what is no line");
    }

    #[test]
    fn stacks_that_the_kernel_joined_are_told_apart() {
        let text = "7000000-9000000 rw-p 00000000 00:00 0 \n";
        let thread = |letter: &str, local, from, to| Thread { letter: letter.into(), local, stack: Some((from, to)) };
        let threads =
            vec![thread("C", 0x7ff_f000, 0x700_1000, 0x800_0000), thread("B", 0x8ff_f000, 0x800_1000, 0x900_0000)];
        let marks = Landmarks { threads, ..Landmarks::default() };
        assert_eq!(said(text, &marks), ["guard below stack C", "stack of C", "guard below stack B", "stack of B"]);
    }

    #[test]
    fn addresses_come_back_as_they_were_written() {
        assert_eq!((hex(0x7fff_0000), unhex(&json!("0x7fff0000"))), ("0x7fff0000".to_owned(), Some(0x7fff_0000)));
        assert_eq!((unhex(&json!("7fff")), unhex(&json!(12)), unhex(&json!("0x"))), (None, None, None));
    }
}
