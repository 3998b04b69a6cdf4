//! The smallest ratatui loop: thirty frames a second, a fifth of the cells changed in each. What the tour's own drawing
//! is measured against (`benches/figures.py`); it knows nothing of forklore. Any key leaves.

use ratatui::Frame;
use ratatui::crossterm::event::{Event, poll, read};
use ratatui::style::{Color, Style};
use std::time::{Duration, Instant};

const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// One cell of this many is another one in each frame.
const SHARE: usize = 5;

fn main() -> std::io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let mut next = Instant::now();
    let mut count = 0;
    let ended = loop {
        if let Err(error) = terminal.draw(|frame| draw(frame, count)) {
            break Err(error);
        }
        // A frame that came too late is not made up for.
        (count, next) = (count + 1, (next + FRAME).max(Instant::now()));
        match poll(next.saturating_duration_since(Instant::now())) {
            Ok(false) => {}
            Ok(true) => match read() {
                Ok(Event::Key(_)) => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(error),
            },
            Err(error) => break Err(error),
        }
    };
    ratatui::try_restore()?;
    ended
}

/// Each cell keeps its letter and its colour for as many frames as make it its turn again.
fn draw(frame: &mut Frame, count: usize) {
    const LETTERS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];
    for (i, cell) in frame.buffer_mut().content.iter_mut().enumerate() {
        let version = (count + i % SHARE) / SHARE + i;
        cell.set_symbol(LETTERS[version % LETTERS.len()]);
        cell.set_style(Style::new().fg(Color::Indexed(u8::try_from(version % 200).unwrap_or(0) + 16)));
    }
}
