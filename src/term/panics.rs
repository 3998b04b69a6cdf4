//! What a panic does: of the thread that draws, it ends the program readably; of any other, it is a message.

use super::modes;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write;
use std::panic::PanicHookInfo;

/// Installs the hook. The calling thread is the one that draws: its panic restores the terminal and is told on
/// standard error. A panic of any other thread leaves the screen alone and is handed to `worker` as a sentence.
///
/// Nothing in it can panic in turn: print macros do when standard error is gone, and that would abort.
pub fn install(worker: impl Fn(String) + Send + Sync + 'static) {
    let ui = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        let message = describe(info);
        if std::thread::current().id() == ui {
            super::restore();
            modes::say(&format!("\nforklore: a fault of the program itself ended it. {message}\n"));
        } else {
            worker(message);
        }
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let mut text = format!("Thread '{}' panicked", thread.name().unwrap_or("unnamed"));
    if let Some(place) = info.location() {
        // Writing to a String cannot fail.
        write!(text, " at {}:{}", place.file(), place.line()).ok();
    }
    write!(text, ": {}", info.payload_as_str().unwrap_or("no message")).ok();
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        write!(text, "\n{trace}").ok();
    }
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
