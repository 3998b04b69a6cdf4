//! A report before it has a form: sections of paragraphs, tables and figures. It knows nothing of what they are about.
//!
//! Every string passes through [`clean_line`] when it becomes a part of one, so no form has to ask where it came from.

use super::chart::Chart;
use crate::fact::clean_line;
use crate::lore::Lang;

/// A whole report.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The language that it speaks.
    pub lang: Lang,
    /// What stands at its head.
    pub title: String,
    /// Its sections, in order.
    pub sections: Vec<Section>,
}

/// A heading and what stands below it, up to the next heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Its name within the page, for links.
    pub id: String,
    /// 2 for a part of the report, 3 within a part.
    pub level: u8,
    /// The heading.
    pub heading: Text,
    /// What stands below it.
    pub blocks: Vec<Block>,
}

/// One thing in a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph.
    Paragraph(Text),
    /// What has to be known before the numbers are read.
    Remark(Text),
    /// Points.
    List(Vec<Text>),
    /// Rows and columns.
    Table(Table),
    /// A command to type.
    Command(String),
    /// A chart, and the same numbers as a table.
    Figure(Box<Figure>),
    /// Claims and the like: each a sentence, a word on it, and lines.
    Entries(Vec<Entry>),
}

/// Rows and columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What it shows, if the text does not say so.
    pub caption: Option<Text>,
    /// What stands above the columns.
    pub head: Vec<Column>,
    /// Rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<Text>>,
}

/// The head of a column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Column {
    /// What it says.
    pub title: Text,
    /// It holds numbers, which stand to the right.
    pub numbers: bool,
}

/// A chart with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The chart.
    pub chart: Chart,
    /// The same in numbers.
    pub table: Table,
}

/// A sentence that something is said of.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// By which it is named.
    pub mark: String,
    /// The sentence.
    pub said: Text,
    /// The word on it.
    pub word: Text,
    /// What else there is to say.
    pub lines: Vec<Text>,
}

/// A run of spans on one line or in one paragraph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(Vec<Span>);

/// A part of a text with one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Words.
    Plain(String),
    /// A name or a command, letter by letter.
    Code(String),
    /// What the sentence turns on.
    Strong(String),
    /// Words that lead to the section of this name, where a form has links.
    Link(String, String),
}

impl Text {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds words.
    #[must_use]
    pub fn plain(mut self, text: impl AsRef<str>) -> Self {
        self.0.push(Span::Plain(clean_line(text.as_ref())));
        self
    }

    /// Adds words in which names stand between backticks, as in a lesson.
    #[must_use]
    pub fn marked(self, text: &str) -> Self {
        // One without its like is a letter.
        let (text, rest) = match text.rsplit_once('`') {
            Some((text, rest)) if text.matches('`').count() % 2 == 0 => (text, format!("`{rest}")),
            _ => (text, String::new()),
        };
        let all = text.split('`').zip([false, true].into_iter().cycle());
        let all = all.filter(|(part, _)| !part.is_empty());
        let marked = all.fold(self, |to, (part, code)| if code { to.code(part) } else { to.plain(part) });
        if rest.is_empty() { marked } else { marked.plain(rest) }
    }

    /// Adds the parts of another text.
    #[must_use]
    pub fn then(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// Adds a name.
    #[must_use]
    pub fn code(mut self, text: impl AsRef<str>) -> Self {
        self.0.push(Span::Code(clean_line(text.as_ref())));
        self
    }

    /// Adds what the sentence turns on.
    #[must_use]
    pub fn strong(mut self, text: impl AsRef<str>) -> Self {
        self.0.push(Span::Strong(clean_line(text.as_ref())));
        self
    }

    /// Adds words that lead to a section.
    #[must_use]
    pub fn link(mut self, text: impl AsRef<str>, to: &str) -> Self {
        self.0.push(Span::Link(clean_line(text.as_ref()), to.to_owned()));
        self
    }

    /// Its parts; those that say nothing are passed over.
    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        self.0.iter().filter(|span| !span.words().is_empty())
    }

    /// The words alone.
    #[must_use]
    pub fn words(&self) -> String {
        self.spans().map(Span::words).collect()
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans().next().is_none()
    }
}

impl Span {
    /// What it says.
    #[must_use]
    pub fn words(&self) -> &str {
        let (Self::Plain(words) | Self::Code(words) | Self::Strong(words) | Self::Link(words, _)) = self;
        words
    }
}

impl<S: AsRef<str>> From<S> for Text {
    fn from(text: S) -> Self {
        Self::new().plain(text)
    }
}

impl Column {
    /// One with words.
    pub fn words(title: impl AsRef<str>) -> Self {
        Self { title: title.into(), numbers: false }
    }

    /// One with numbers.
    pub fn numbers(title: impl AsRef<str>) -> Self {
        Self { title: title.into(), numbers: true }
    }
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(head: Vec<Column>) -> Self {
        Self { caption: None, head, rows: Vec::new() }
    }

    /// What it shows.
    #[must_use]
    pub fn called(mut self, caption: Text) -> Self {
        self.caption = Some(caption);
        self
    }

    /// Adds a row; cells that it lacks are empty, and those beyond the last column are left out.
    pub fn row(&mut self, mut cells: Vec<Text>) {
        cells.resize(self.head.len(), Text::new());
        self.rows.push(cells);
    }
}

impl Section {
    /// A section without content.
    pub fn new(id: impl Into<String>, level: u8, heading: impl Into<Text>) -> Self {
        Self { id: id.into(), level, heading: heading.into(), blocks: Vec::new() }
    }

    /// Adds a paragraph, unless it says nothing.
    pub fn say(&mut self, text: impl Into<Text>) {
        let text = text.into();
        if !text.is_empty() {
            self.blocks.push(Block::Paragraph(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, Text};

    #[test]
    fn what_stands_between_backticks_is_a_name() {
        let spans = |text: &str| -> Vec<Span> { Text::new().marked(text).spans().cloned().collect() };
        let (plain, code) = (|s: &str| Span::Plain(s.to_owned()), |s: &str| Span::Code(s.to_owned()));
        assert_eq!(spans("see `ps -L`."), [plain("see "), code("ps -L"), plain(".")]);
        assert_eq!(spans("`top`"), [code("top")]);
        assert_eq!(spans("`a` and ` alone"), [code("a"), plain(" and "), plain("` alone")]);
        assert_eq!(spans("a ` alone"), [plain("a "), plain("` alone")]);
        assert_eq!(spans("none"), [plain("none")]);
    }
}
