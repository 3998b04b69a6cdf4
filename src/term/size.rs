//! How large the terminal is, asked of the kernel alone.
//!
//! crossterm's own function runs `tput` from `$PATH` when the kernel does not know; a program in the wrong directory
//! would be started that way.

use ratatui::layout::Size;
use rustix::termios::tcgetwinsize;

/// What is assumed when the kernel knows no size: a hung-up terminal says 0 by 0.
const DEFAULT: Size = Size { width: 80, height: 24 };

/// No terminal is larger; a size that claims to be would only cost memory, cell by cell.
const LARGEST: u16 = 1024;

/// The terminal's size in cells; 80 by 24 if it is unknown.
#[must_use]
pub fn size() -> Size {
    let known = |fd| tcgetwinsize(fd).ok().map(|w| sensible(w.ws_col, w.ws_row));
    known(rustix::stdio::stdout()).or_else(|| known(rustix::stdio::stdin())).unwrap_or(DEFAULT)
}

fn sensible(width: u16, height: u16) -> Size {
    if width == 0 || height == 0 { DEFAULT } else { Size::new(width.min(LARGEST), height.min(LARGEST)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_size_is_that_of_a_teletype() {
        assert_eq!(sensible(0, 0), DEFAULT);
        assert_eq!(sensible(80, 0), DEFAULT);
        assert_eq!(sensible(1, 1), Size::new(1, 1));
        assert_eq!(sensible(u16::MAX, u16::MAX), Size::new(LARGEST, LARGEST));
    }
}
