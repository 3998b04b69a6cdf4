//! The theme: what was asked for, as far as this terminal can show it.

use crate::cli::Common;
use crate::fact::clean_line;
use crate::term::depth::{Colours, Depth, Glyphs};
use crate::view::theme::{Charset, ColourDepth, Theme};
use std::io::Read;

/// A theme file is small; what is longer is none.
const MOST: u64 = 64 * 1024;

/// The theme that `common` asks for, if it does: built in by name, or a file of the user's.
///
/// # Errors
/// The file cannot be read, or what is wrong with it: a sentence.
pub(super) fn theme(common: &Common) -> Result<Option<Theme>, String> {
    let Some(name) = common.theme.as_deref() else { return Ok(None) };
    Theme::named(name).map_or_else(|| read(name), Ok).map(Some)
}

/// `theme` for this terminal.
pub(super) fn fitted(theme: Theme, ascii: bool) -> Theme {
    let depth = Depth::of_environment();
    let colours = match depth.colours {
        Colours::None => ColourDepth::None,
        Colours::Sixteen => ColourDepth::Sixteen,
        // Terminals with a cube of 256 take the nearest of it for a full colour, or show full colours without saying so.
        Colours::Cube | Colours::True => ColourDepth::Full,
    };
    let glyphs = match depth.glyphs {
        Glyphs::Unicode if !ascii => Charset::Unicode,
        _ => Charset::Ascii,
    };
    theme.on(colours, glyphs)
}

fn read(name: &str) -> Result<Theme, String> {
    let shown = clean_line(name);
    let known: Vec<_> = Theme::names().collect();
    let file = std::fs::File::open(name).map_err(|e| {
        format!("--theme {shown}: neither a theme ({}) nor a file that can be read ({e})", known.join(", "))
    })?;
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).map_err(|e| format!("{shown}: {e}"))?;
    Theme::parse(&text).map_err(|e| {
        let line = e.line.map_or(String::new(), |line| format!(":{line}"));
        format!("{shown}{line}: {}", e.sentence)
    })
}
