//! Any bytes as a lesson: no panic, something to show, lines that keep to their width, and messages that cannot act on
//! a terminal.
#![no_main]

use forklore::lesson::{ClaimIds, LessonFile, Library};
use forklore::view::put;
use forklore::view::text::{Context, layout};
use forklore::view::theme::Theme;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static THEME: LazyLock<Theme> = LazyLock::new(Theme::default);

fuzz_target!(|bytes: &[u8]| {
    let file = LessonFile { file: "01-fuzz.md".into(), bytes: bytes.to_vec().into(), lang: "en".into() };
    let library = Library::new([file], "en");
    let lesson = library.get(0).expect("every file is a lesson");
    assert!(!lesson.intro.is_empty() || !lesson.steps.is_empty());
    let steps = lesson.steps.iter().map(|step| &step.blocks);
    for (blocks, width) in [&lesson.intro].into_iter().chain(steps).zip([44, 1, 78, 7].into_iter().cycle()) {
        for line in layout(blocks, width, &THEME, &Context::PLAIN) {
            let wide: usize = line.spans.iter().map(|span| put::width(&span.content)).sum();
            assert!(wide <= usize::from(width), "{wide} > {width}: {line:?}");
            assert!(!line.to_string().contains(char::is_control), "{line:?}");
        }
    }
    for diagnostic in library.check(&Library::default(), &[], &ClaimIds::default()) {
        let shown = library.render(&diagnostic);
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
    }
});
