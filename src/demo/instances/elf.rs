//! The sections of a program file: elf(5). It reads the few bytes that it needs, believes none of them, and knows no demo.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// A named part of a program file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Its name, such as ".text".
    pub(super) name: String,
    /// Bytes that it takes in memory.
    pub(super) size: u64,
    /// Its bytes stand in the file; those of .bss do not, they are zero.
    pub(super) in_file: bool,
}

/// Bytes of names that are read: far more than any linker writes.
const NAMES: u64 = 1 << 20;

/// `SHT_NOBITS`.
const NO_BITS: u64 = 8;

/// `SHN_XINDEX`: the number did not fit, and stands in the first section's header.
const ELSEWHERE: u64 = 0xffff;

/// How numbers stand in the file.
#[derive(Debug, Clone, Copy)]
struct Layout {
    wide: bool,
    little: bool,
}

impl Layout {
    /// The `size` bytes at `at` as a number.
    fn number(self, bytes: &[u8], at: usize, size: usize) -> Option<u64> {
        let bytes = bytes.get(at..at.checked_add(size)?)?;
        let add = |n: u64, byte: &u8| n << 8 | u64::from(*byte);
        Some(if self.little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
    }

    /// A field that is 4 bytes wide in a 32-bit file and 8 in a 64-bit one, at its place in each.
    fn word(self, bytes: &[u8], narrow: usize, wide: usize) -> Option<u64> {
        if self.wide { self.number(bytes, wide, 8) } else { self.number(bytes, narrow, 4) }
    }
}

/// A section's header.
struct Header {
    name: u64,
    kind: u64,
    offset: u64,
    size: u64,
    link: u64,
}

impl Header {
    fn read(layout: Layout, bytes: &[u8]) -> Option<Self> {
        Some(Self {
            name: layout.number(bytes, 0, 4)?,
            kind: layout.number(bytes, 4, 4)?,
            offset: layout.word(bytes, 16, 24)?,
            size: layout.word(bytes, 20, 32)?,
            link: layout.number(bytes, if layout.wide { 40 } else { 24 }, 4)?,
        })
    }
}

/// The sections of `file`, in its order; none if it is not a program file, is cut short, or names no sections.
pub(super) fn sections(file: &File) -> Option<Vec<Section>> {
    read(|at, size| {
        let mut bytes = vec![0; size];
        file.read_exact_at(&mut bytes, at).ok().map(|()| bytes)
    })
}

/// The same, of whatever gives `size` bytes at a place.
fn read(bytes: impl Fn(u64, usize) -> Option<Vec<u8>>) -> Option<Vec<Section>> {
    let ident = bytes(0, 16)?;
    let (wide, little) = match ident.get(..6)? {
        [0x7f, b'E', b'L', b'F', class @ 1..=2, order @ 1..=2] => (*class == 2, *order == 1),
        _ => return None,
    };
    let layout = Layout { wide, little };
    let head = bytes(0, if wide { 64 } else { 52 })?;
    let table = layout.word(&head, 32, 40)?;
    let tail = if wide { 58 } else { 46 };
    let size = usize::try_from(layout.number(&head, tail, 2)?).ok().filter(|size| *size >= 40)?;
    let (mut count, mut names) = (layout.number(&head, tail + 2, 2)?, layout.number(&head, tail + 4, 2)?);
    if table == 0 {
        return None;
    }
    let first = Header::read(layout, &bytes(table, size)?)?;
    count = if count == 0 { first.size } else { count };
    names = if names == ELSEWHERE { first.link } else { names };
    // As many as a number of two bytes can say: a file with more is none of ours.
    let count = usize::try_from(count).ok().filter(|count| *count <= 0xffff)?;
    let headers = bytes(table, size.checked_mul(count)?)?;
    let headers: Vec<Header> = headers.chunks(size).map(|h| Header::read(layout, h)).collect::<Option<_>>()?;
    let names = headers.get(usize::try_from(names).ok()?)?;
    let names = bytes(names.offset, usize::try_from(names.size.min(NAMES)).ok()?)?;
    let named = |header: Header| {
        let name = names.get(usize::try_from(header.name).ok()?..)?.split(|byte| *byte == 0).next()?;
        let name = String::from_utf8_lossy(name).into_owned();
        Some(Section { name, size: header.size, in_file: header.kind != NO_BITS })
    };
    headers.into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with .text, .bss and the names, and nothing in its sections.
    fn made(wide: bool, little: bool) -> Vec<u8> {
        let number = |n: u64, size: usize| {
            let bytes = n.to_le_bytes()[..size].to_vec();
            if little { bytes } else { bytes.into_iter().rev().collect() }
        };
        let (word, head, header) = if wide { (8, 64_u64, 64) } else { (4, 52, 40) };
        let names = b"\0.text\0.bss\0.shstrtab\0";
        let mut file = vec![0x7f, b'E', b'L', b'F', 1 + u8::from(wide), 2 - u8::from(little), 1];
        file.resize(16, 0);
        let ends = [number(2, 2), number(62, 2), number(1, 4), number(0, word), number(0, word)].concat();
        let table = head + names.len() as u64;
        let rest = [head, 0, 0, header, 4, 3].map(|n| number(n, 2)).concat();
        file.extend([ends, number(table, word), number(0, 4), rest].concat());
        assert_eq!(file.len() as u64, head);
        file.extend(names);
        for (name, kind, size) in [(0, 0, 0), (1, 1, 4096), (7, 8, 512), (12, 3, names.len() as u64)] {
            let place = [number(0, word), number(0, word), number(head, word), number(size, word)].concat();
            file.extend([number(name, 4), number(kind, 4), place, number(0, 4), number(0, 4)].concat());
            file.extend([number(0, word), number(0, word)].concat());
        }
        file
    }

    fn of(file: &[u8]) -> Option<Vec<Section>> {
        read(|at, size| {
            let at = usize::try_from(at).ok()?;
            file.get(at..at.checked_add(size)?).map(<[u8]>::to_vec)
        })
    }

    #[test]
    fn files_of_both_widths_and_orders_are_read() {
        for (wide, little) in [(true, true), (true, false), (false, true), (false, false)] {
            let sections = of(&made(wide, little)).expect("a file of ours");
            let told: Vec<_> = sections.iter().map(|s| (s.name.as_str(), s.size, s.in_file)).collect();
            assert_eq!(told[1..3], [(".text", 4096, true), (".bss", 512, false)], "{wide} {little}");
        }
    }

    #[test]
    fn a_file_cut_anywhere_or_with_any_wrong_byte_is_no_danger() {
        let file = made(true, true);
        for at in 0..file.len() {
            assert_eq!(of(&file[..at]), None, "cut at {at}");
            for wrong in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bad = file.clone();
                bad[at] = wrong;
                let _ = of(&bad);
            }
        }
        assert_eq!((of(b"#!/bin/sh\n# a script is no program file"), of(&[])), (None, None));
    }

    #[test]
    fn ones_own_file_has_code_and_data() {
        let file = File::open(std::env::current_exe().expect("a file")).expect("one may read it");
        let sections = sections(&file).expect("the tests are a program file");
        let of = |name: &str| sections.iter().find(|s| s.name == name).map(|s| (s.size > 0, s.in_file));
        assert_eq!(
            (of(".text"), of(".data"), of(".bss")),
            (Some((true, true)), Some((true, true)), Some((true, false)))
        );
    }
}
