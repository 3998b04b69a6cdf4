//! Where frames go: crossterm's encoding, written one frame at a time, counted, and without asking the terminal
//! anything.

use super::{modes, size};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use rustix::event::PollFlags;
use rustix::io::Errno;
use std::io;
use std::time::Duration;

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// A ratatui backend that gathers a frame, writes it in one piece and counts the bytes.
pub struct Counting {
    frame: Vec<u8>,
    written: u64,
    synchronized: bool,
    cursor: Position,
}

impl Counting {
    /// `synchronized`: frames are marked, so that a terminal that knows the marks shows each at once (mode 2026).
    #[must_use]
    pub fn new(synchronized: bool) -> Self {
        Self { frame: Vec::new(), written: 0, synchronized, cursor: Position::ORIGIN }
    }

    /// Bytes written to the terminal so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The frame as it is to be written, without the empty string's marks.
    fn take_frame(&mut self) -> Vec<u8> {
        let mut frame = std::mem::take(&mut self.frame);
        if self.synchronized && !frame.is_empty() {
            frame.splice(0..0, BEGIN.iter().copied());
            frame.extend_from_slice(END);
        }
        frame
    }

    /// crossterm, writing into the frame. It flushes after a cursor's move; the frame does not mind.
    fn encode(&mut self) -> CrosstermBackend<&mut Vec<u8>> {
        CrosstermBackend::new(&mut self.frame)
    }
}

impl Backend for Counting {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        // An unchanged frame is no frame: crossterm would reset the colours all the same.
        let mut content = content.peekable();
        if content.peek().is_none() { Ok(()) } else { self.encode().draw(content) }
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        // Hidden at entry. ratatui hides it again with every frame that shows none.
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        // The screen is a picture; text fields draw their own cursor. Restoring shows it.
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // Never asked of the terminal: one that does not answer would hold the screen for two seconds.
        Ok(self.cursor)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.cursor = position.into();
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, kind: ClearType) -> io::Result<()> {
        self.encode().clear_region(kind)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(size())
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: size(), pixels: Size::ZERO })
    }

    /// Writes the frame. A frame for a terminal that was given back meanwhile is dropped.
    fn flush(&mut self) -> io::Result<()> {
        let frame = self.take_frame();
        let stdout = rustix::stdio::stdout();
        let mut rest = &frame[..];
        while !rest.is_empty() && modes::entered() {
            match rustix::io::write(stdout, rest) {
                Ok(n) => {
                    self.written += n as u64;
                    rest = &rest[n..];
                }
                Err(Errno::INTR) => {}
                // Somebody who shares the terminal made it non-blocking.
                Err(Errno::AGAIN) => drop(modes::wait_for(stdout, PollFlags::OUT, Duration::from_millis(100))),
                Err(errno) => return Err(errno.into()),
            }
        }
        self.frame = frame;
        self.frame.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_marked_piece_and_nothing_is_nothing() {
        let mut backend = Counting::new(true);
        assert!(backend.take_frame().is_empty());
        backend.draw(std::iter::empty()).expect("in memory");
        assert!(backend.take_frame().is_empty(), "an unchanged frame writes nothing");
        let cell = Cell::new("x");
        backend.draw([(3, 2, &cell)].into_iter()).expect("in memory");
        let frame = backend.take_frame();
        assert!(frame.starts_with(BEGIN) && frame.ends_with(END));
        assert!(String::from_utf8_lossy(&frame).contains("\x1b[3;4Hx"));
    }

    #[test]
    fn nothing_is_asked_of_the_terminal() {
        let mut backend = Counting::new(false);
        backend.set_cursor_position((4, 5)).expect("in memory");
        assert_eq!(backend.get_cursor_position().expect("remembered"), Position::new(4, 5));
        assert!(backend.take_frame().is_empty());
    }
}
