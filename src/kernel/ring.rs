//! A ring of the kernel's records: reading it safely, and what its bytes mean.
//!
//! The layout is that of perf_event_open(2), with `sample_type` TID | TIME | CPU and `sample_id_all`, so that every record
//! ends in the same 24 bytes. [`decode`] is pure; the ring knows nothing of tasks and order.

use memmap2::{MmapOptions, MmapRaw};
use perf_event_open_sys::bindings as sys;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

/// A record that says who, where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub(super) t: u64,
    pub(super) cpu: u32,
    pub(super) pid: u32,
    pub(super) tid: u32,
    pub(super) what: What,
}

/// What a record tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    In,
    Out { preempted: bool },
    Fork { parent_pid: u32, parent_tid: u32 },
    Exit,
    Comm(String),
    Lost(u64),
}

/// The length of `struct perf_event_header`.
const HEADER: usize = 8;
/// The length of the sample_id at the end of each record: pid, tid, time, cpu, reserved.
const TRAILER: usize = 24;
/// No two of our records together are longer, so with less than this free the next one may not have fitted.
const NEARLY_FULL: u64 = 128;

/// One CPU's event and its ring.
pub(super) struct Ring {
    event: File,
    map: MmapRaw,
    data: usize,
    size: usize,
    bytes: Vec<u8>,
    /// The stamp of the newest record read.
    pub(super) newest: u64,
    /// Records lost of which the kernel, or we, have told.
    lost: u64,
    /// The last read found it full: records may be missing after `newest`.
    pub(super) full: bool,
    /// It was full, and no record has come since: the kernel tells of a loss only with the next one that fits.
    untold: bool,
}

impl Ring {
    /// Maps `pages` data pages of `event`; a power of two.
    pub(super) fn map(event: OwnedFd, pages: usize, page_size: usize) -> io::Result<Self> {
        let map = MmapOptions::new().len((pages + 1) * page_size).map_raw(event.as_raw_fd())?;
        Ok(Self {
            event: event.into(),
            map,
            data: page_size,
            size: pages * page_size,
            bytes: Vec::new(),
            newest: 0,
            lost: 0,
            full: false,
            untold: false,
        })
    }

    /// The share of the ring that the last read found used, in bytes, and its size.
    pub(super) fn used(&self) -> (usize, usize) {
        (self.bytes.len(), self.size)
    }

    /// Takes everything out of the ring. A loss is stamped with the last moment that is known: the record of it comes only
    /// with the next one that fits, which may be much later.
    pub(super) fn read(&mut self, mut each: impl FnMut(Record)) {
        self.take();
        let (mut newest, mut lost) = (self.newest, 0);
        let sound = decode(&self.bytes, |mut record| {
            match record.what {
                What::Lost(n) => {
                    record.t = newest;
                    lost = n.saturating_add(lost);
                }
                _ => newest = record.t.max(newest),
            }
            each(record);
        });
        self.newest = newest;
        self.lost = self.lost.saturating_add(lost);
        if !sound {
            each(self.loss_of(1));
        }
    }

    /// The loss that the kernel has had no occasion to tell of, for the last read of all. Before Linux 6.0 it cannot be
    /// asked how many records that is: at least one.
    pub(super) fn untold(&mut self) -> Option<Record> {
        if !std::mem::take(&mut self.untold) {
            return None;
        }
        let mut counts = [0; 16];
        let lost = match self.event.read(&mut counts) {
            Ok(16) => u64_at(&counts, 8)?.saturating_sub(self.lost),
            _ => 1,
        };
        self.lost = self.lost.saturating_add(lost);
        (lost > 0).then(|| self.loss_of(lost))
    }

    fn loss_of(&self, records: u64) -> Record {
        Record { t: self.newest, cpu: 0, pid: 0, tid: 0, what: What::Lost(records) }
    }

    fn take(&mut self) {
        let page = self.map.as_mut_ptr().cast::<sys::perf_event_mmap_page>();
        // SAFETY: the mapping begins with a perf_event_mmap_page and lives as long as `self`; both words are aligned u64s
        // that the kernel and we touch atomically only.
        let (head, tail) = unsafe {
            (
                AtomicU64::from_ptr(&raw mut (*page).data_head).load(Ordering::Acquire),
                AtomicU64::from_ptr(&raw mut (*page).data_tail),
            )
        };
        let from = tail.load(Ordering::Relaxed);
        let length = head.wrapping_sub(from).min(self.size as u64);
        self.full = self.size as u64 - length < NEARLY_FULL;
        self.untold = self.full || (self.untold && length == 0);
        #[expect(clippy::cast_possible_truncation, reason = "both are below the ring's size, a usize")]
        let (start, length) = ((from % self.size as u64) as usize, length as usize);
        let first = length.min(self.size - start);
        self.bytes.clear();
        // SAFETY: both ranges lie within the data area. Between tail and head the kernel writes nothing until the tail is
        // moved on, which happens below, after the copy.
        unsafe {
            let data = self.map.as_ptr().add(self.data);
            self.bytes.extend_from_slice(std::slice::from_raw_parts(data.add(start), first));
            self.bytes.extend_from_slice(std::slice::from_raw_parts(data, length - first));
        }
        tail.store(head, Ordering::Release);
    }
}

/// Calls `each` for every record in `bytes` that concerns us. False if they make no sense from some byte on: the rest is
/// passed over.
pub(super) fn decode(mut bytes: &[u8], mut each: impl FnMut(Record)) -> bool {
    while !bytes.is_empty() {
        let Some(size) = u16_at(bytes, 6).map(usize::from) else { return false };
        if size < HEADER {
            return false;
        }
        let Some((record, rest)) = bytes.split_at_checked(size) else { return false };
        bytes = rest;
        match known(record) {
            Some(Ok(record)) => each(record),
            Some(Err(Short)) => return false,
            None => {}
        }
    }
    true
}

/// A record ends before its fields do.
struct Short;

/// The record, if it is of a kind that concerns us.
fn known(record: &[u8]) -> Option<Result<Record, Short>> {
    let kind = u32_at(record, 0)?;
    if matches!(
        kind,
        sys::PERF_RECORD_SWITCH
            | sys::PERF_RECORD_FORK
            | sys::PERF_RECORD_EXIT
            | sys::PERF_RECORD_COMM
            | sys::PERF_RECORD_LOST
    ) {
        return Some(fields(kind, record).ok_or(Short));
    }
    None
}

fn fields(kind: u32, record: &[u8]) -> Option<Record> {
    let misc = u32::from(u16_at(record, 4)?);
    let body = record.get(HEADER..record.len().checked_sub(TRAILER)?)?;
    let trailer = &record[record.len() - TRAILER..];
    // The trailer's task is the one that was running; a fork's record is about the child, named in the body.
    let (mut pid, mut tid) = (u32_at(trailer, 0)?, u32_at(trailer, 4)?);
    let what = match kind {
        sys::PERF_RECORD_SWITCH if misc & sys::PERF_RECORD_MISC_SWITCH_OUT == 0 => What::In,
        sys::PERF_RECORD_SWITCH => What::Out { preempted: misc & sys::PERF_RECORD_MISC_SWITCH_OUT_PREEMPT != 0 },
        sys::PERF_RECORD_LOST => What::Lost(u64_at(body, 8)?),
        sys::PERF_RECORD_COMM => {
            (pid, tid) = (u32_at(body, 0)?, u32_at(body, 4)?);
            let name = body.get(8..)?.split(|b| *b == 0).next().unwrap_or_default();
            What::Comm(String::from_utf8_lossy(name).into_owned())
        }
        _ => {
            (pid, tid) = (u32_at(body, 0)?, u32_at(body, 8)?);
            let (parent_pid, parent_tid) = (u32_at(body, 4)?, u32_at(body, 12)?);
            if kind == sys::PERF_RECORD_EXIT { What::Exit } else { What::Fork { parent_pid, parent_tid } }
        }
    };
    Some(Record { t: u64_at(trailer, 8)?, cpu: u32_at(trailer, 16)?, pid, tid, what })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A record as the kernel writes it: header, body of words, trailer.
    fn raw(kind: u32, misc: u32, body: &[u8], (pid, tid, t, cpu): (u32, u32, u64, u32)) -> Vec<u8> {
        let size = u16::try_from(HEADER + body.len() + TRAILER).expect("short");
        let misc = u16::try_from(misc).expect("16 bits");
        [
            &kind.to_ne_bytes()[..],
            &misc.to_ne_bytes(),
            &size.to_ne_bytes(),
            body,
            &pid.to_ne_bytes(),
            &tid.to_ne_bytes(),
            &t.to_ne_bytes(),
            &cpu.to_ne_bytes(),
            &[0; 4],
        ]
        .concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|w| w.to_ne_bytes()).collect()
    }

    fn all(bytes: &[u8]) -> (Vec<Record>, bool) {
        let mut records = Vec::new();
        let sound = decode(bytes, |r| records.push(r));
        (records, sound)
    }

    const WHO: (u32, u32, u64, u32) = (10, 11, 99, 1);
    const OUT: u32 = sys::PERF_RECORD_MISC_SWITCH_OUT;

    #[test]
    fn each_kind_is_read_with_its_flags() {
        let time = 7u64.to_ne_bytes();
        let bytes = [
            raw(sys::PERF_RECORD_SWITCH, 0, &[], WHO),
            raw(sys::PERF_RECORD_SWITCH, OUT, &[], WHO),
            raw(sys::PERF_RECORD_SWITCH, OUT | sys::PERF_RECORD_MISC_SWITCH_OUT_PREEMPT, &[], WHO),
            raw(sys::PERF_RECORD_FORK, 0, &[words(&[20, 10, 21, 11]), time.to_vec()].concat(), WHO),
            raw(sys::PERF_RECORD_EXIT, 0, &[words(&[20, 10, 21, 11]), time.to_vec()].concat(), WHO),
            raw(sys::PERF_RECORD_COMM, 0, &[words(&[10, 12]), b"w\xc3\xb6rker\0\0".to_vec()].concat(), WHO),
            raw(sys::PERF_RECORD_LOST, 0, &[5u64.to_ne_bytes(), 12u64.to_ne_bytes()].concat(), WHO),
            raw(sys::PERF_RECORD_THROTTLE, 0, &[0; 24], WHO),
        ]
        .concat();
        let (records, sound) = all(&bytes);
        assert!(sound);
        let what: Vec<_> = records.iter().map(|r| (r.pid, r.tid, r.t, r.cpu, r.what.clone())).collect();
        assert_eq!(
            what,
            [
                (10, 11, 99, 1, What::In),
                (10, 11, 99, 1, What::Out { preempted: false }),
                (10, 11, 99, 1, What::Out { preempted: true }),
                (20, 21, 99, 1, What::Fork { parent_pid: 10, parent_tid: 11 }),
                (20, 21, 99, 1, What::Exit),
                (10, 12, 99, 1, What::Comm("wörker".into())),
                (10, 11, 99, 1, What::Lost(12)),
            ]
        );
    }

    #[test]
    fn lengths_that_lie_end_the_reading_and_keep_what_came_before() {
        let good = raw(sys::PERF_RECORD_SWITCH, 0, &[], WHO);
        for size in [0u16, 1, 7, 33, u16::MAX] {
            let mut bad = good.clone();
            bad[6..8].copy_from_slice(&size.to_ne_bytes());
            let (records, sound) = all(&[good.clone(), bad].concat());
            assert_eq!((records.len(), sound), (1, false), "size {size}");
        }
        // Long enough for a header, too short for its own fields.
        let mut short = good.clone();
        short[6..8].copy_from_slice(&24u16.to_ne_bytes());
        assert!(!all(&short[..24]).1);
    }

    #[test]
    fn a_record_cut_at_any_byte_is_told() {
        let whole = raw(sys::PERF_RECORD_FORK, 0, &words(&[20, 10, 21, 11, 0, 0]), WHO);
        for cut in 1..whole.len() {
            assert!(!all(&whole[..cut]).1, "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            all(&bytes);
        }

        #[test]
        fn no_body_brings_it_down(kind in 0u32..22, misc in 0u32..65536, body in proptest::collection::vec(any::<u8>(), 0..64)) {
            all(&raw(kind, misc, &body, WHO));
        }
    }
}
