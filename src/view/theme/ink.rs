//! How a theme file writes colours and looks, and the little arithmetic on them. Knows no role and no widget.

use super::ColourDepth;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// Red, green, blue.
pub(super) type Rgb = (u8, u8, u8);

/// A colour in full, and what stands for it among sixteen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ink {
    pub(super) full: Rgb,
    pub(super) sixteen: Color,
}

/// How a role looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Look {
    pub(super) fg: Option<Ink>,
    pub(super) bg: Option<Ink>,
    modifier: Modifier,
    plain: Modifier,
}

/// A worker's colour and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct WorkerInk {
    pub(super) ink: Ink,
    pub(super) word: String,
}

const SIXTEEN: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

impl Look {
    /// The style for a terminal of this depth. Without colour only bold, underline and reverse are left.
    pub(super) fn style(&self, depth: ColourDepth) -> Style {
        let colour = |ink: Option<Ink>| match depth {
            ColourDepth::None => None,
            ColourDepth::Sixteen => ink.map(|i| i.sixteen),
            ColourDepth::Full => ink.map(|i| rgb(i.full)),
        };
        let modifier = match depth {
            ColourDepth::None => self.plain & (Modifier::BOLD | Modifier::UNDERLINED | Modifier::REVERSED),
            _ => self.modifier,
        };
        Style { fg: colour(self.fg), bg: colour(self.bg), ..Style::new() }.add_modifier(modifier)
    }
}

impl TryFrom<String> for Look {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (coloured, plain) = text.split_once('|').map_or((text.as_str(), None), |(c, p)| (c, Some(p)));
        let mut look = Self::default();
        let mut words = coloured.split_whitespace().peekable();
        let mut below = false;
        while let Some(word) = words.next() {
            if word == "on" {
                below = true;
            } else if word.starts_with('#') {
                let ink = ink(word, words.next())?;
                *(if below { &mut look.bg } else { &mut look.fg }) = Some(ink);
            } else {
                look.modifier |= modifier(word)?;
            }
        }
        look.plain = match plain {
            None => look.modifier,
            Some(words) => words.split_whitespace().map(modifier).collect::<Result<Vec<_>, _>>()?.into_iter().collect(),
        };
        Ok(look)
    }
}

impl TryFrom<String> for WorkerInk {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let ink = ink(words.next().unwrap_or_default(), words.next())?;
        let word =
            words.next().ok_or("a worker is written “#rrggbb sixteen word”: the word for its colour is missing")?;
        Ok(Self { ink, word: crate::fact::clean_line(word) })
    }
}

fn ink(hex: &str, name: Option<&str>) -> Result<Ink, String> {
    let bytes = hex.strip_prefix('#').filter(|h| h.len() == 6 && h.bytes().all(|b| b.is_ascii_hexdigit()));
    let number = bytes.and_then(|h| u32::from_str_radix(h, 16).ok());
    let [_, r, g, b] = number.ok_or_else(|| format!("“{hex}” is no colour: it is written #rrggbb"))?.to_be_bytes();
    let name = name.unwrap_or_default();
    let (_, sixteen) = SIXTEEN.iter().find(|(known, _)| *known == name).ok_or_else(|| {
        let names: Vec<_> = SIXTEEN.iter().map(|(name, _)| *name).collect();
        format!("after {hex} stands one of {}, not “{name}”", names.join(", "))
    })?;
    Ok(Ink { full: (r, g, b), sixteen: *sixteen })
}

fn modifier(word: &str) -> Result<Modifier, String> {
    match word {
        "bold" => Ok(Modifier::BOLD),
        "italic" => Ok(Modifier::ITALIC),
        "underline" => Ok(Modifier::UNDERLINED),
        "reverse" => Ok(Modifier::REVERSED),
        other => Err(format!("“{other}” is neither a colour nor bold, italic, underline or reverse")),
    }
}

pub(super) const fn rgb((r, g, b): Rgb) -> Color {
    Color::Rgb(r, g, b)
}

/// `share` of `b` in `a`.
pub(super) fn mix(a: Rgb, b: Rgb, share: f64) -> Rgb {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
    let one = |a: u8, b: u8| (f64::from(a) * (1.0 - share) + f64::from(b) * share).round() as u8;
    (one(a.0, b.0), one(a.1, b.1), one(a.2, b.2))
}

/// Relative luminance, 0 to 1 (WCAG 2.2).
pub(super) fn luminance((r, g, b): Rgb) -> f64 {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// Black or white, whichever is easier to read on `ground`: they are equal at a luminance of 0.179.
pub(super) fn readable_on(ground: Rgb) -> Color {
    if luminance(ground) > 0.179 { rgb((0, 0, 0)) } else { rgb((255, 255, 255)) }
}

/// What can be read on one of the sixteen colours.
pub(super) const fn over(ground: Color) -> Color {
    match ground {
        Color::Black | Color::Blue | Color::Red | Color::Magenta | Color::DarkGray => Color::White,
        _ => Color::Black,
    }
}
