//! Runs of text: emphasis, code, links, and the figures that the learner measured.

use super::Parser;
use super::piece::Piece;
use crate::lesson::{Diagnostic, Pos, Span, Style, Text, read_limits};
use comrak::nodes::NodeValue;
use comrak::{Arena, Node};
use unicode_width::UnicodeWidthChar;

/// How a run looks and where it leads.
#[derive(Clone, Default, PartialEq)]
struct Look {
    style: Style,
    link: Option<String>,
}

/// What is being gathered.
#[derive(Default)]
struct Run {
    spans: Vec<Span>,
    /// A line ended here: a blank, unless wide characters stand on both sides.
    line_ended: bool,
}

impl Run {
    fn push(&mut self, text: &str, look: &Look) {
        let Some(next) = text.chars().next() else { return };
        self.join(next);
        match self.spans.last_mut() {
            Some(last) if last.style == look.style && last.link == look.link && last.figure.is_none() => {
                last.text.push_str(text);
            }
            _ => self.span(text, look, None),
        }
    }

    fn figure(&mut self, name: &str, missing: &str, look: &Look) {
        self.join(' ');
        self.span(missing, look, Some(name.to_owned()));
    }

    fn span(&mut self, text: &str, look: &Look, figure: Option<String>) {
        self.spans.push(Span { text: text.to_owned(), style: look.style, link: look.link.clone(), figure });
    }

    /// Puts the blank of a line's end before `next`.
    fn join(&mut self, next: char) {
        if std::mem::take(&mut self.line_ended)
            && let Some(last) = self.spans.last_mut()
            && !(wide(next) && last.text.chars().next_back().is_some_and(wide))
        {
            if last.figure.is_some() || last.style.code || last.link.is_some() {
                self.span(" ", &Look::default(), None);
            } else {
                last.text.push(' ');
            }
        }
    }
}

/// Chinese and Japanese have no blanks between words: a line end between two such characters is nothing.
fn wide(c: char) -> bool {
    c.width() == Some(2) && !('\u{ac00}'..='\u{d7a3}').contains(&c) && !('\u{1f000}'..'\u{20000}').contains(&c)
}

impl Parser<'_> {
    /// The text inside a paragraph, heading or cell.
    pub(super) fn text(&mut self, node: Node<'_>, piece: &Piece<'_>) -> Text {
        let mut run = Run::default();
        self.run(node, piece, &Look::default(), 0, &mut run);
        Text(run.spans)
    }

    /// A few lines that hold only text: a question, an option. `at` is the place of its first line in the file.
    pub(super) fn line_text(&mut self, text: &str, at: Pos) -> Text {
        let arena = Arena::new();
        let piece = Piece::new(text, at.line);
        let Some(root) = self.markdown(&arena, &piece) else { return Text::plain(text) };
        let mut spans: Vec<Span> = Vec::new();
        for node in root.children() {
            if let Some(last) = spans.last_mut() {
                last.text.push('\n');
            }
            match node.data().value {
                NodeValue::Paragraph => spans.append(&mut self.text(node, &piece).0),
                // A number alone, or a dash, is a list to markdown: here it is what was written.
                _ => return Text::plain(text),
            }
        }
        Text(spans)
    }

    fn run(&mut self, parent: Node<'_>, piece: &Piece<'_>, look: &Look, depth: usize, run: &mut Run) {
        for node in parent.children() {
            if self.nodes_left == 0 {
                return;
            }
            self.nodes_left -= 1;
            let data = node.data();
            let mut inner = look.clone();
            match &data.value {
                NodeValue::Text(text) => self.figures(text, data.sourcepos.start.line, piece, look, run),
                NodeValue::Code(code) => {
                    inner.style.code = true;
                    run.push(&code.literal, &inner);
                }
                NodeValue::SoftBreak => run.line_ended = true,
                NodeValue::LineBreak => run.push("\n", look),
                NodeValue::HtmlInline(html) => match comment(html) {
                    Some(comment) => self.aside(comment),
                    None => run.push(html, look),
                },
                NodeValue::Emph => inner.style.emphasis = true,
                NodeValue::Strong => inner.style.strong = true,
                NodeValue::Strikethrough => inner.style.struck = true,
                NodeValue::Link(to) | NodeValue::Image(to) => inner.link = Some(destination(&to.url)),
                _ => {}
            }
            if depth < read_limits::DEPTH {
                self.run(node, piece, &inner, depth + 1, run);
            } else {
                for inside in node.descendants().skip(1) {
                    if let NodeValue::Text(text) = &inside.data().value {
                        run.push(text, &inner);
                    }
                }
            }
        }
    }

    /// Text in which `{{demo.value}}` stands for a figure.
    fn figures(&mut self, text: &str, line: usize, piece: &Piece<'_>, look: &Look, run: &mut Run) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((written, after)) = after.split_once("}}") else { break };
            run.push(before, look);
            let name = written.trim();
            if is_figure(name) {
                let missing = if self.lang.starts_with("zh") { "（尚未测量）" } else { "(not measured yet)" };
                run.figure(name, missing, look);
            } else {
                let written = format!("{{{{{written}}}}}");
                let own = piece.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
                let at = piece.pos(self, line, own.find(&written).unwrap_or(0) + 1);
                let help = "a figure is the name of a demo, a dot and the name of a value: {{crash.survivors}}";
                let wrong =
                    Diagnostic::error(self.file, (at, written.chars().count()), format!("{written} is no figure"));
                self.wrong(wrong.help(help));
                run.push(&written, look);
            }
            rest = after;
        }
        run.push(rest, look);
    }
}

/// `demo.value`, both plain words.
fn is_figure(name: &str) -> bool {
    let plain = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    name.split_once('.').is_some_and(|(demo, value)| plain(demo) && plain(value))
}

/// Where a link leads: `NN-name.md`, with or without folders, is the lesson of that name.
fn destination(url: &str) -> String {
    let path = url.split('#').next().unwrap_or_default();
    if path.ends_with(".md") && !path.contains("://") {
        format!("lesson:{}", super::file_name(path).1)
    } else {
        url.to_owned()
    }
}

/// The inside of an HTML comment.
pub(super) fn comment(html: &str) -> Option<&str> {
    html.trim().strip_prefix("<!--")?.strip_suffix("-->").map(str::trim)
}

impl Parser<'_> {
    /// Keeps what a comment says to the instructor, `note: ..`, or of the claims that the step takes up, `claims: ID, ID`.
    /// Other comments are the author's own.
    pub(super) fn aside(&mut self, comment: &str) {
        if let Some(note) = comment.strip_prefix("note:").map(str::trim).filter(|note| !note.is_empty()) {
            self.notes.push(note.to_owned());
        } else if let Some(claims) = comment.strip_prefix("claims:") {
            let ids = claims.split([',', ' ', '\n']).map(str::trim).filter(|id| !id.is_empty());
            self.claims.extend(ids.map(str::to_owned));
        }
    }
}
