//! Any text as a theme: no panic, one clear sentence where it is none, and a look for everything where it is one.
#![no_main]

use forklore::view::theme::{Charset, ColourDepth, Role, Theme};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let theme = match Theme::parse(text) {
        Ok(theme) => theme,
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
            assert!(error.line.is_none_or(|line| (1..=text.split('\n').count()).contains(&line)), "{error:?}");
            return;
        }
    };
    assert!(!theme.name().contains(char::is_control));
    for depth in [ColourDepth::None, ColourDepth::Sixteen, ColourDepth::Full] {
        let theme = theme.clone().on(depth, Charset::Ascii);
        for slot in [None, Some(0), Some(7), Some(u16::MAX)] {
            let worker = theme.worker(slot);
            assert!(!worker.word.contains(char::is_control), "{worker:?}");
            let colour = theme.worker_colour(slot);
            assert!(depth != ColourDepth::None || slot.is_none() || colour.is_none());
        }
        for role in [Role::Screen, Role::Text, Role::Key, Role::CodeFunction] {
            let style = theme.style(role);
            assert!(depth != ColourDepth::None || (style.fg, style.bg) == (None, None), "{style:?}");
        }
    }
});
