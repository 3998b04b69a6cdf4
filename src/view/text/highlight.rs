//! Code to coloured lines, by tree-sitter. The queries of a language are compiled when it is first met.

use crate::view::theme::{Role, Theme};
use ratatui::style::Style;
use ratatui::text::Span;
use std::sync::OnceLock;
use tree_sitter_highlight::{HighlightConfiguration, HighlightEvent, Highlighter};

/// The captures that have a look of their own. One that is not named takes the longest name that it begins with.
const NAMES: [(&str, Role); 13] = [
    ("attribute", Role::CodeComment),
    ("comment", Role::CodeComment),
    ("constant", Role::CodeNumber),
    ("constructor", Role::CodeType),
    ("escape", Role::CodeNumber),
    ("function", Role::CodeFunction),
    ("keyword", Role::CodeKeyword),
    ("label", Role::CodeNumber),
    ("number", Role::CodeNumber),
    ("string", Role::CodeString),
    ("type", Role::CodeType),
    ("variable.builtin", Role::CodeKeyword),
    ("constant.builtin", Role::CodeNumber),
];

/// More code than this is shown plain: it is no lesson's, and parsing it would be felt.
const MOST: usize = 64 * 1024;

/// The lines of `code`, which is clean.
pub(super) fn lines(code: &str, language: &str, theme: &Theme) -> Vec<Vec<Span<'static>>> {
    let coloured = config(language).filter(|_| code.len() <= MOST).and_then(|config| events(code, config, theme));
    let parts = coloured.unwrap_or_else(|| vec![(code.to_owned(), Style::new())]);
    let mut lines = vec![Vec::new()];
    for (text, style) in parts {
        for (i, part) in text.split('\n').enumerate() {
            if i > 0 {
                lines.push(Vec::new());
            }
            if let Some(line) = lines.last_mut().filter(|_| !part.is_empty()) {
                line.push(Span::styled(part.to_owned(), style));
            }
        }
    }
    lines
}

fn events(code: &str, config: &HighlightConfiguration, theme: &Theme) -> Option<Vec<(String, Style)>> {
    let mut highlighter = Highlighter::new();
    let events = highlighter.highlight(config, code.as_bytes(), None, None, |_| None).ok()?;
    let mut open: Vec<Style> = Vec::new();
    let mut parts = Vec::new();
    for event in events {
        match event.ok()? {
            HighlightEvent::HighlightStart(name) => {
                open.push(NAMES.get(name.0).map_or(Style::new(), |(_, role)| theme.style(*role)));
            }
            HighlightEvent::HighlightEnd => drop(open.pop()),
            HighlightEvent::Source { start, end } => {
                parts.push((code.get(start..end)?.to_owned(), open.last().copied().unwrap_or_default()));
            }
        }
    }
    Some(parts)
}

fn config(language: &str) -> Option<&'static HighlightConfiguration> {
    static RUST: OnceLock<Option<HighlightConfiguration>> = OnceLock::new();
    static C: OnceLock<Option<HighlightConfiguration>> = OnceLock::new();
    let ready = |config: Result<HighlightConfiguration, ()>| {
        let mut config = config.ok()?;
        config.configure(&NAMES.map(|(name, _)| name));
        Some(config)
    };
    match language {
        "rust" | "rs" => RUST.get_or_init(|| {
            let query = tree_sitter_rust::HIGHLIGHTS_QUERY;
            ready(HighlightConfiguration::new(tree_sitter_rust::LANGUAGE.into(), "rust", query, "", "").map_err(drop))
        }),
        "c" | "h" => C.get_or_init(|| {
            let query = tree_sitter_c::HIGHLIGHT_QUERY;
            ready(HighlightConfiguration::new(tree_sitter_c::LANGUAGE.into(), "c", query, "", "").map_err(drop))
        }),
        _ => return None,
    }
    .as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style_of(word: &str, code: &str, language: &str) -> Style {
        let spans = lines(code, language, &Theme::default()).concat();
        spans.iter().find(|s| s.content.contains(word)).unwrap_or_else(|| panic!("{word} in {spans:?}")).style
    }

    #[test]
    fn rust_and_c_are_coloured_and_nothing_is_lost() {
        let theme = Theme::default();
        let rust = "fn main() {\n    let x = \"hi\"; // there\n}";
        assert_eq!(style_of("fn", rust, "rust"), theme.style(Role::CodeKeyword));
        assert_eq!(style_of("\"hi\"", rust, "rust"), theme.style(Role::CodeString));
        assert_eq!(style_of("// there", rust, "rust"), theme.style(Role::CodeComment));
        assert_eq!(style_of("int", "int main(void) { return 0; }", "c"), theme.style(Role::CodeType));
        let back: Vec<String> =
            lines(rust, "rust", &theme).iter().map(|l| l.iter().map(|s| s.content.as_ref()).collect()).collect();
        assert_eq!(back.join("\n"), rust);
    }

    #[test]
    fn other_languages_and_broken_code_are_plain_text() {
        assert_eq!(style_of("fn main", "fn main() {}", "brainfuck"), Style::new());
        let broken = "fn (((( {{ 线程 \" ";
        let back: String =
            lines(broken, "rust", &Theme::default()).concat().iter().map(|s| s.content.to_string()).collect();
        assert_eq!(back, broken);
    }
}
