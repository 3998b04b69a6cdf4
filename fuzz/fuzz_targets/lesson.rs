//! Any bytes as a lesson: no panic, something to show, and messages that cannot act on a terminal.
//! `cargo +nightly fuzz run lesson tests/data/lessons/en lessons/en`
#![no_main]

use forklore::lesson::{ClaimIds, LessonFile, Library};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = LessonFile { file: "01-fuzz.md".into(), bytes: bytes.to_vec().into(), lang: "en".into() };
    let library = Library::new([file], "en");
    let lesson = library.get(0).expect("every file is a lesson");
    assert!(!lesson.intro.is_empty() || !lesson.steps.is_empty());
    for diagnostic in library.check(&Library::default(), &[], &ClaimIds::default()) {
        let shown = library.render(&diagnostic);
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
    }
});
