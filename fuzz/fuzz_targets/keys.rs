//! Any bytes as what a terminal sends: no panic, bounded memory, the same events however the bytes are cut, and a key
//! that comes after a pause is always that key.
#![no_main]

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use forklore::term::input::{PASTE, Parser};

/// The events of `bytes`, read in pieces of `piece`.
fn events(parser: &mut Parser, bytes: &[u8], piece: usize) -> Vec<Event> {
    let mut all = Vec::new();
    bytes.chunks(piece).for_each(|chunk| parser.feed(chunk, &mut |event| all.push(event)));
    all
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (mut whole, mut cut) = (Parser::default(), Parser::default());
    let all = events(&mut whole, data, data.len().max(1));
    assert_eq!(all, events(&mut cut, data, 1));
    assert!(all.len() <= data.len());
    let bounded = |event: &Event| !matches!(event, Event::Paste(text) if text.chars().count() > PASTE);
    assert!(all.iter().all(bounded));
    assert!(!whole.in_paste() || whole.in_sequence());
    whole.rest(&mut |event| assert!(bounded(&event)));
    assert!(!whole.in_sequence());
    let q = Event::Key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE));
    assert_eq!(events(&mut whole, b"q", 1), [q]);
});
