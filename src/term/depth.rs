//! What the terminal can show, as far as the environment says: colours and characters.
//!
//! Nothing is asked of the terminal itself. An answer that does not come would be waited for, and one that comes late
//! would be typed.

use std::ffi::OsString;

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colours {
    /// None: bold, underline and reverse only.
    None,
    /// The sixteen of the terminal's own palette.
    Sixteen,
    /// The 256 of xterm's cube.
    Cube,
    /// Red, green and blue, eight bits each.
    True,
}

/// Which characters there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Glyphs {
    /// ASCII.
    Ascii,
    /// ASCII and single-line box drawing: the Linux console's font.
    Boxes,
    /// All of Unicode.
    Unicode,
}

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Colours.
    pub colours: Colours,
    /// Characters.
    pub glyphs: Glyphs,
    /// The terminal can move its cursor: a `dumb` one cannot, and gets words.
    pub screen: bool,
}

impl Depth {
    /// What the environment says of the terminal.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::from(|name| std::env::var_os(name))
    }

    /// The same from any environment.
    #[must_use]
    pub fn from(var: impl Fn(&str) -> Option<OsString>) -> Self {
        // Set to nothing counts as unset: for NO_COLOR by no-color.org, for the locale by POSIX.
        let var = |name: &str| var(name).filter(|v| !v.is_empty()).map(|v| v.to_string_lossy().into_owned());
        let term = var("TERM").unwrap_or_default();
        let screen = !matches!(term.as_str(), "" | "dumb");
        Self { colours: colours(&var, &term), glyphs: glyphs(&var, &term), screen }
    }
}

fn colours(var: &impl Fn(&str) -> Option<String>, term: &str) -> Colours {
    let true_colour = var("COLORTERM").is_some_and(|v| v == "truecolor" || v == "24bit");
    if var("NO_COLOR").is_some() || matches!(term, "" | "dumb") || term.starts_with("vt") || term.ends_with("-m") {
        Colours::None
    } else if term == "linux" {
        Colours::Sixteen
    } else if true_colour || term.ends_with("-direct") || matches!(term, "xterm-kitty" | "xterm-ghostty" | "alacritty")
    {
        Colours::True
    } else if term.contains("256color") {
        Colours::Cube
    } else {
        Colours::Sixteen
    }
}

fn glyphs(var: &impl Fn(&str) -> Option<String>, term: &str) -> Glyphs {
    let locale = var("LC_ALL").or_else(|| var("LC_CTYPE")).or_else(|| var("LANG")).unwrap_or_default();
    // "de_DE.UTF-8@euro": the part between the dot and the modifier.
    let charset = locale.split('@').next().and_then(|l| l.split_once('.')).map_or("", |(_, charset)| charset);
    let utf8 = charset.eq_ignore_ascii_case("UTF-8") || charset.eq_ignore_ascii_case("utf8") || locale == "UTF-8";
    match (utf8, term) {
        (false, _) | (_, "" | "dumb") => Glyphs::Ascii,
        (true, "linux") => Glyphs::Boxes,
        (true, _) => Glyphs::Unicode,
    }
}

/// The terminal surely passes over marks that it does not know (mode 2026, the cursor's shape).
pub(super) fn synchronized_updates() -> bool {
    let term = std::env::var_os("TERM").unwrap_or_default();
    !matches!(term.to_str(), Some("" | "dumb" | "linux") | None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(vars: &[(&str, &str)]) -> Depth {
        Depth::from(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)))
    }

    #[test]
    fn colours_follow_the_environment() {
        use Colours::{Cube, None, Sixteen, True};
        for (vars, want) in [
            (&[("TERM", "xterm-256color")][..], Cube),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], True),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "24bit"), ("NO_COLOR", "1")], None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], Cube),
            (&[("TERM", "linux"), ("COLORTERM", "truecolor")], Sixteen),
            (&[("TERM", "screen")], Sixteen),
            (&[("TERM", "bogus")], Sixteen),
            (&[("TERM", "vt100")], None),
            (&[("TERM", "dumb")], None),
            (&[], None),
        ] {
            assert_eq!(depth(vars).colours, want, "{vars:?}");
        }
    }

    #[test]
    fn characters_follow_the_locale() {
        use Glyphs::{Ascii, Boxes, Unicode};
        for (vars, want) in [
            (&[("TERM", "xterm"), ("LANG", "en_GB.UTF-8")][..], Unicode),
            (&[("TERM", "xterm"), ("LANG", "de_DE.utf8@euro")], Unicode),
            (&[("TERM", "xterm"), ("LC_CTYPE", "UTF-8")], Unicode),
            (&[("TERM", "xterm"), ("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")], Ascii),
            (&[("TERM", "xterm"), ("LANG", "en_GB.UTF-8"), ("LC_ALL", "")], Unicode),
            (&[("TERM", "xterm"), ("LANG", "de_DE.ISO-8859-1")], Ascii),
            (&[("TERM", "linux"), ("LANG", "en_GB.UTF-8")], Boxes),
            (&[("TERM", "xterm")], Ascii),
        ] {
            assert_eq!(depth(vars).glyphs, want, "{vars:?}");
        }
        assert!(!depth(&[("TERM", "dumb")]).screen && depth(&[("TERM", "vt100")]).screen);
    }
}
