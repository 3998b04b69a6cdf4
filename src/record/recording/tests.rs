//! What the reader makes of good and bad recordings, and what the writer leaves behind.

use super::*;
use crate::fact::{Cpu, Fact, Nanos, Outcome, Source, Stamped, Start, Tid, Values, Why};
use proptest::prelude::*;
use std::fs;
use std::io::{Cursor, Read};

fn start(format: u32) -> Stamped {
    let start = Start {
        format,
        demo: "sample".into(),
        params: Values::new(),
        source: Source::Exact,
        cpus: vec![Cpu(0)],
        kernel: "6.18".into(),
        hz: None,
        because: None,
        page_size: None,
    };
    Stamped::new(Nanos::ZERO, Fact::Start(start))
}

fn turns(count: u64) -> Vec<Stamped> {
    let (cpu, tid) = (Cpu(0), Tid(7));
    let turn = |i| {
        let fact = if i % 2 == 0 { Fact::In { cpu, tid } } else { Fact::Out { cpu, tid, why: Why::Preempted } };
        Stamped::new(Nanos(i * 1000), fact)
    };
    (1..=count).map(turn).collect()
}

fn outcome() -> Stamped {
    let outcome = Outcome { values: Values::new(), lost: 0, seconds: 1.0, clean: true, left_behind: 0, broke: None };
    Stamped::new(Nanos(1_000_000_000), Fact::Outcome(outcome))
}

fn whole(count: u64) -> Vec<Stamped> {
    [vec![start(1)], turns(count), vec![outcome()]].concat()
}

/// The bytes of a recording that was written in batches of `batch`.
fn packed(facts: &[Stamped], batch: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.forklore");
    let mut writer = Writer::create(&path).expect("a new file");
    facts.chunks(batch).for_each(|facts| writer.write(facts).expect("room"));
    writer.finish().expect("room");
    fs::read(path).expect("it was written")
}

fn plain(facts: &[Stamped]) -> Vec<u8> {
    facts.iter().map(|fact| serde_json::to_string(fact).expect("plain data") + "\n").collect::<String>().into_bytes()
}

/// The facts, and the sentence at the end if there is one.
fn facts(bytes: impl AsRef<[u8]>) -> (Vec<Stamped>, Option<String>) {
    let (mut facts, mut error) = (Vec::new(), None);
    for fact in read(Cursor::new(bytes), "run") {
        assert!(error.is_none(), "nothing comes after an error");
        match fact {
            Ok(fact) => facts.push(fact),
            Err(e) => error = Some(e.to_string()),
        }
    }
    (facts, error)
}

#[test]
fn what_is_written_is_read() {
    for (count, batch) in [(0, 1), (10, 1), (10_000, 7), (10_000, 20_000)] {
        let stream = whole(count);
        assert_eq!(facts(packed(&stream, batch)), (stream.clone(), None));
        assert_eq!(facts(plain(&stream)), (stream, None));
    }
}

#[test]
fn a_recording_cut_anywhere_is_read_up_to_the_cut() {
    let stream = whole(200);
    let cut = "the recording ends before its run did";
    for bytes in [packed(&stream, 20), plain(&stream)] {
        let mut most = 0;
        for end in 0..bytes.len() {
            let (read, error) = facts(&bytes[..end]);
            assert_eq!(read[..], stream[..read.len()]);
            assert!(read.len() >= most, "a longer file gives no less");
            most = read.len();
            match read.len() {
                0 => assert!(error.is_some_and(|e| e.contains("this is no recording"))),
                n if n == stream.len() => assert_eq!(error, None),
                _ => assert!(error.as_ref().is_some_and(|e| e.contains(cut)), "{error:?}"),
            }
        }
        assert!(most >= 190, "{most} of 202");
    }
}

#[test]
fn what_was_written_is_there_before_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    let mut writer = Writer::create(&path).expect("a new file");
    writer.write(&[start(1)]).expect("room");
    writer.write(&turns(3)).expect("room");
    let (read, error) = facts(fs::read(&path).expect("it is there"));
    assert_eq!(read.len(), 4);
    assert_eq!(
        error.as_deref(),
        Some("run, line 4: the recording ends before its run did; what stands before was read")
    );
}

#[test]
fn each_fault_is_one_sentence_with_its_line() {
    let sentence = |bytes: &[u8]| facts(bytes).1.expect("a sentence");
    let make = "`forklore run DEMO --record FILE` makes one";
    assert_eq!(sentence(b""), format!("run: this is no recording (it is empty); {make}"));
    for odd in [&b"hello\n"[..], b"{}\n", b"\n\n", b"\xff\xfe\x00", b"{\"t\":0,\"kind\":\"in\",\"cpu\":0,\"tid\":1}\n"]
    {
        let first = "its first line is not the start of a stream";
        assert_eq!(sentence(odd), format!("run, line 1: this is no recording ({first}); {make}"));
    }
    assert_eq!(
        sentence(&plain(&[start(9)])),
        "run, line 1: this recording has format 9 and this forklore reads up to 1; a newer forklore reads it"
    );
    let damaged = [plain(&[start(1)]), b"{\"t\":1,\"kind\":\"in\"}\n".to_vec(), plain(&turns(2))].concat();
    let (read, error) = facts(damaged);
    assert_eq!(read.len(), 1);
    assert!(error.is_some_and(|e| e.starts_with("run, line 2: the recording is damaged here (missing field")));
    let mut flipped = packed(&whole(5000), 100);
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    let (read, error) = facts(&flipped);
    assert!(read.len() > 1000 && error.is_some_and(|e| e.contains("the recording is damaged here")), "{}", read.len());
}

#[test]
fn lines_and_the_whole_are_bounded() {
    let head = plain(&[start(1)]);
    let long = Cursor::new(head.clone()).chain(std::io::repeat(b'x'));
    let last = read(long, "run").last().expect("an end").expect_err("a line without end");
    assert_eq!(last.line(), Some(2));
    assert!(matches!(last.fault(), Fault::TooLarge(_)), "{last}");
    let nothing = read(std::io::repeat(b'\0'), "run").last().expect("an end").expect_err("no line at all");
    assert!(nothing.to_string().contains("this is no recording"), "{nothing}");
}

#[test]
fn newer_kinds_blank_lines_and_line_ends_of_other_systems_are_passed_over() {
    let mut text = vec![0xef, 0xbb, 0xbf];
    text.extend(plain(&[start(1)]));
    text.extend(b"\r\n\n{\"t\":3,\"kind\":\"aurora\",\"cpu\":1,\"tid\":2}\r\n");
    text.extend(plain(&[outcome()]));
    assert_eq!(facts(text), (vec![start(1), Stamped::new(Nanos(3), Fact::Unknown), outcome()], None));
}

#[test]
fn only_recordings_are_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("thesis.txt");
    for kept in [&b"My thesis"[..], b"{\"a\":1}", b"\x04\x22\x4d\x18 nearly"] {
        fs::write(&path, kept).expect("room");
        let error = Writer::create(&path).expect_err("not ours");
        assert!(matches!(error.fault(), Fault::NotOurs), "{error}");
        assert!(
            error.to_string().ends_with(
                "thesis.txt: this file is there and is no recording; choose another name or remove it first"
            )
        );
        assert_eq!(fs::read(&path).expect("still there"), kept);
    }
    for ours in [packed(&whole(9), 3), plain(&whole(9)), plain(&[start(9)]), Vec::new()] {
        fs::write(&path, ours).expect("room");
        Writer::create(&path).expect("a recording").finish().expect("room");
    }
    assert!(matches!(Writer::create(folder.path()).expect_err("a folder").fault(), Fault::Io { .. }));
    let missing = Writer::create(&folder.path().join("no/such")).expect_err("no folder").to_string();
    assert!(missing.contains("cannot open it: No such file"), "{missing}");
    let null = Writer::create(Path::new("/dev/null")).expect_err("no file");
    assert!(matches!(null.fault(), Fault::NotOurs), "{null}");
}

#[test]
fn two_do_not_write_one_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    let first = Writer::create(&path).expect("a new file");
    assert!(matches!(Writer::create(&path).expect_err("taken").fault(), Fault::Busy));
    drop(first);
    assert!(Writer::create(&path).is_ok());
}

#[test]
fn a_full_disk_is_told_once_and_again_at_the_end() {
    // Writing to /dev/full gives ENOSPC.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    let mut writer = Writer::create(&path).expect("a new file");
    writer.redirect(fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full"));
    let error = writer.write(&whole(3)).expect_err("full").to_string();
    assert!(error.contains("cannot write it: No space left on device"), "{error}");
    assert!(writer.write(&whole(3)).is_ok());
    assert!(writer.finish().is_err());
}

#[test]
fn what_is_not_there_or_no_file_is_said() {
    let missing = Reader::open(Path::new("/nonexistent/a\u{1b}[31m")).expect_err("missing").to_string();
    assert!(missing.contains("cannot open it: No such file") && !missing.contains('\u{1b}'), "{missing}");
    let null = Reader::open(Path::new("/dev/null")).expect_err("no file").to_string();
    assert!(null.starts_with("/dev/null: this is no recording (not an ordinary file)"), "{null}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        facts(&bytes);
        facts([&MAGIC[..], &bytes].concat());
    }

    #[test]
    fn a_damaged_recording_gives_what_stands_before(at in 0..3000_usize, to in any::<u8>(), batch in 1..300_usize) {
        let stream = whole(300);
        let mut bytes = packed(&stream, batch);
        let at = at % bytes.len();
        bytes[at] = to;
        let (read, _) = facts(&bytes);
        prop_assert_eq!(&read[..], &stream[..read.len()]);
    }
}
