//! How things look: roles and workers to styles, from a theme file, for the colours that the terminal has.
//!
//! A widget names a role and never a colour. The module reads no file and no environment: the text of a theme, the
//! depth of colour and the set of characters are handed to it.

mod ink;

use ink::{Ink, Look, WorkerInk};
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourDepth {
    /// None (`NO_COLOR`): bold, reverse and underline must do.
    None,
    /// The sixteen of old.
    Sixteen,
    /// Red, green and blue of eight bits each.
    #[default]
    Full,
}

/// Which characters the terminal shows. [`super::scrub`] carries it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// All.
    #[default]
    Unicode,
    /// The ninety-five of ASCII.
    Ascii,
}

/// What a piece of the screen is, which decides how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The ground that everything stands on.
    Screen,
    /// Plain words.
    Text,
    /// What matters less.
    Dim,
    /// What matters more.
    Strong,
    /// What stands out.
    Accent,
    /// The frame of a panel.
    Border,
    /// The frame of the panel that takes the keys.
    BorderFocused,
    /// The name of a panel.
    Title,
    /// The row that is chosen.
    Selection,
    /// The one cell that is chosen.
    Cursor,
    /// As hoped.
    Good,
    /// Broken or dead.
    Bad,
    /// To be minded.
    Warning,
    /// Where nothing is known.
    Gap,
    /// A core on which nobody runs.
    Nobody,
    /// The moving head of the lanes.
    Head,
    /// A key to press.
    Key,
    /// A link's words.
    Link,
    /// A heading in the text.
    Heading,
    /// Quoted words.
    Quote,
    /// Code in a line.
    Code,
    /// The ground of a block of code.
    CodeBlock,
    /// A keyword.
    CodeKeyword,
    /// A string.
    CodeString,
    /// A number or constant.
    CodeNumber,
    /// A comment.
    CodeComment,
    /// A type.
    CodeType,
    /// A function or macro.
    CodeFunction,
}

/// A theme, for one terminal.
#[derive(Debug, Clone)]
pub struct Theme {
    name: String,
    roles: BTreeMap<Role, Look>,
    workers: Vec<WorkerInk>,
    depth: ColourDepth,
    charset: Charset,
}

/// How one worker looks: never by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worker<'a> {
    /// Its letter and pattern on the ground of the screen.
    pub ink: Style,
    /// The same on its own colour.
    pub fill: Style,
    /// The pattern that fills the rest of its colour.
    pub texture: Style,
    /// As `texture`, of a sweep that is about to be erased.
    pub faded: Style,
    /// As `fill`, of a sweep that is about to be erased.
    pub faded_letter: Style,
    /// Its pattern, one cell wide. Neighbours in the cast have patterns that differ.
    pub pattern: &'static str,
    /// What its colour is called; empty where there is no colour.
    pub word: &'a str,
}

/// A theme file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThemeError {
    /// The line, counted from 1, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong with it.
    pub sentence: String,
}

impl fmt::Display for ThemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line} of the theme: {}", self.sentence),
            None => write!(f, "the theme: {}", self.sentence),
        }
    }
}

impl std::error::Error for ThemeError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    base: Option<String>,
    workers: Option<Vec<WorkerInk>>,
    #[serde(default)]
    roles: BTreeMap<Role, Look>,
}

/// The themes that are built in, by name.
const BUILT_IN: [(&str, &str); 3] = [
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    ("contrast", include_str!("../../assets/themes/contrast.toml")),
];

const PATTERNS: [&str; 8] = ["▓", "▒", "░", "▚", "▙", "▞", "▟", "▜"];

impl Default for Theme {
    /// The dark theme in full colour.
    fn default() -> Self {
        Self::named("dark").unwrap_or(Self {
            name: String::new(),
            roles: BTreeMap::new(),
            workers: Vec::new(),
            depth: ColourDepth::None,
            charset: Charset::Unicode,
        })
    }
}

impl Theme {
    /// The names of the themes that are built in.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The theme of this name that is built in.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        Self::parse(text).ok()
    }

    /// Reads a theme file. What it leaves out is taken from the theme that it names as `base`, or from the dark one.
    ///
    /// # Errors
    /// The first thing in it that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, ThemeError> {
        let file = read(text)?;
        let mut theme = Self {
            name: crate::fact::clean_line(&file.name),
            roles: BTreeMap::new(),
            workers: Vec::new(),
            depth: ColourDepth::Full,
            charset: Charset::Unicode,
        };
        let base = file.base.as_deref().unwrap_or("dark");
        let Some((_, below)) = BUILT_IN.iter().find(|(name, _)| *name == base) else {
            let names: Vec<_> = Self::names().collect();
            let line = text.lines().position(|l| l.trim_start().starts_with("base")).map(|n| n + 1);
            let base = crate::fact::clean_line(base);
            let sentence = format!("there is no theme “{base}” to build on, only {}", names.join(", "));
            return Err(ThemeError { line, sentence });
        };
        for layer in [read(below)?, file] {
            theme.roles.extend(layer.roles);
            theme.workers = layer.workers.filter(|w| !w.is_empty()).unwrap_or(theme.workers);
        }
        Ok(theme)
    }

    /// The same theme for a terminal with these colours and characters.
    #[must_use]
    pub fn on(mut self, depth: ColourDepth, charset: Charset) -> Self {
        (self.depth, self.charset) = (depth, charset);
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The depth of colour that it is for.
    #[must_use]
    pub fn depth(&self) -> ColourDepth {
        self.depth
    }

    /// The characters that it is for.
    #[must_use]
    pub fn charset(&self) -> Charset {
        self.charset
    }

    /// How `role` looks.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.roles.get(&role).map_or(Style::new(), |look| look.style(self.depth))
    }

    /// How the worker with this number in the cast looks; how a helper or stranger looks without one.
    #[must_use]
    pub fn worker(&self, slot: Option<u16>) -> Worker<'_> {
        let Some((slot, paint)) =
            slot.map(usize::from).and_then(|s| Some((s, self.workers.get(s.checked_rem(self.workers.len())?)?)))
        else {
            let dim = self.style(Role::Dim);
            return Worker {
                ink: dim, fill: dim, texture: dim, faded: dim, faded_letter: dim, pattern: "▪", word: ""
            };
        };
        let pattern = PATTERNS[slot % PATTERNS.len()];
        let ground = self.roles.get(&Role::Screen).and_then(|look| look.bg);
        let bold = Style::new().add_modifier(Modifier::BOLD);
        match self.depth {
            ColourDepth::None => {
                let fill = bold.add_modifier(Modifier::REVERSED);
                let plain = Style::new();
                Worker { ink: bold, fill, texture: plain, faded: plain, faded_letter: plain, pattern, word: "" }
            }
            ColourDepth::Sixteen => {
                let ink = Style::new().fg(paint.ink.sixteen);
                let fill = bold.fg(ink::over(paint.ink.sixteen)).bg(paint.ink.sixteen);
                Worker { ink, fill, texture: ink, faded: ink, faded_letter: ink, pattern, word: &paint.word }
            }
            ColourDepth::Full => self.full(paint.ink, ground, pattern, &paint.word),
        }
    }

    fn full<'a>(&self, paint: Ink, ground: Option<Ink>, pattern: &'static str, word: &'a str) -> Worker<'a> {
        let ground = ground.map_or((16, 16, 20), |g| g.full);
        let on_top = ink::readable_on(paint.full);
        let mixed = |share| ink::rgb(ink::mix(paint.full, ground, share));
        let colour = ink::rgb(paint.full);
        let on = Style::new().bg(colour);
        Worker {
            ink: Style::new().fg(colour),
            fill: on.fg(on_top).add_modifier(Modifier::BOLD),
            texture: on.fg(ink::rgb(ink::mix(paint.full, ground, 0.22))),
            faded: Style::new().bg(mixed(0.60)).fg(mixed(0.72)),
            faded_letter: Style::new().bg(mixed(0.60)).fg(colour),
            pattern,
            word,
        }
    }

    /// The colour of a worker alone, for pictures too small for letters; none where there is no colour.
    #[must_use]
    pub fn worker_colour(&self, slot: Option<u16>) -> Option<Color> {
        self.worker(slot).ink.fg
    }
}

fn read(text: &str) -> Result<File, ThemeError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        ThemeError { line, sentence: crate::fact::clean_line(error.message()) }
    })
}

#[cfg(test)]
mod tests;
