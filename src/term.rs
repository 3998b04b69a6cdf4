//! The terminal: taking it, drawing on it, listening to it, and giving it back whatever happens.
//!
//! There is one way back, [`restore`], for leaving, panics, signals, hang-ups and suspension. A small outer process
//! ([`guard`]) does the same when this one is killed outright. The module knows what a terminal is and nothing of
//! lessons, demos or pictures.

mod backend;
pub mod depth;
pub mod guard;
pub mod input;
mod job;
mod modes;
mod panics;
mod size;
mod watchdog;

pub use backend::Counting;
pub use job::Suspended;
pub use modes::restore;
pub use panics::install as install_panic_hook;
pub use size::size;
pub use watchdog::{GUARD_GONE, Notice, Watchdog, block_signals, watch};

use ratatui::{Frame, Terminal};
use std::io;

/// Why there can be no screen here: a sentence for standard error.
///
/// # Errors
/// Standard input or output is not a terminal, it is not the terminal that controls this session, or it is one that
/// cannot move its cursor.
pub fn interactive() -> Result<(), &'static str> {
    let (stdin, stdout) = (rustix::stdio::stdin(), rustix::stdio::stdout());
    if !rustix::termios::isatty(stdin) {
        return Err("standard input is not a terminal");
    }
    if !rustix::termios::isatty(stdout) {
        return Err("standard output is not a terminal");
    }
    if !depth::Depth::of_environment().screen {
        return Err("TERM names none that can move its cursor (dumb, or nothing at all)");
    }
    // Without a controlling terminal there is no hang-up signal and no job control: nobody could end or suspend it.
    rustix::termios::tcgetpgrp(stdin).map(drop).map_err(|_| "this session has no controlling terminal")
}

/// Whether the program can draw on, and be driven from, the terminal it was started in.
#[must_use]
pub fn is_interactive() -> bool {
    interactive().is_ok()
}

/// The terminal while it is ours. Dropping it gives it back.
pub struct Screen {
    terminal: Terminal<Counting>,
}

impl Screen {
    /// Takes the terminal: raw mode, the alternate screen, no cursor, bracketed paste, mouse buttons and wheel.
    /// In the background it first stops, as any program does that wants the terminal, until it is in the foreground.
    ///
    /// # Errors
    /// The terminal refused, or there is no shell to wait for.
    pub fn new() -> io::Result<Self> {
        modes::enter()?;
        match Terminal::new(Counting::new(depth::synchronized_updates())) {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Draws a frame: only what changed since the last one is written, in one piece.
    ///
    /// # Errors
    /// The terminal cannot be written to: it is gone.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame)) -> io::Result<()> {
        self.terminal.draw(render).map(drop)
    }

    /// The terminal as ratatui sees it.
    pub fn terminal(&mut self) -> &mut Terminal<Counting> {
        &mut self.terminal
    }

    /// Bytes written to the terminal so far: a part of what watching costs.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.terminal.backend().written()
    }

    /// Takes the terminal again after this process was stopped and went on, and redraws everything at the next frame.
    ///
    /// # Errors
    /// As for [`Screen::new`].
    pub fn resume(&mut self) -> io::Result<()> {
        modes::enter()?;
        // Unlike `clear`, `resize` asks the terminal nothing, so it cannot wait for an answer that never comes.
        self.terminal.resize(size().into())
    }

    /// Gives the terminal back, stops the whole process group as Ctrl-Z does, and takes the terminal again when the
    /// shell lets it go on. Without a shell nothing is stopped: nobody could continue it.
    ///
    /// # Errors
    /// As for [`Screen::new`].
    pub fn suspend(&mut self) -> io::Result<Suspended> {
        if !job::can_stop() {
            return Ok(Suspended::NoShell);
        }
        restore();
        job::stop_group()?;
        self.resume()?;
        Ok(Suspended::AndBack)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}
