//! That no text can leave its place, as a parser of Markdown sees it.

use super::*;
use crate::lore::Lang;
use crate::report::document::Column;
use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options
}

/// What a parser finds in a text: the kinds of its nodes, and its words.
fn parsed(markdown: &str) -> (Vec<String>, String) {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let (mut kinds, mut words) = (Vec::new(), String::new());
    for node in root.descendants() {
        let value = &node.data.borrow().value;
        match value {
            NodeValue::Text(text) => words.push_str(text),
            NodeValue::Code(code) => words.push_str(&code.literal),
            NodeValue::SoftBreak => words.push(' '),
            _ => {}
        }
        let kind = format!("{value:?}");
        let kind = kind.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
        if kind != "Text" && kind != "SoftBreak" {
            kinds.push(kind);
        }
    }
    (kinds, words)
}

fn document(blocks: Vec<Block>) -> Document {
    let section = Section { blocks, ..Section::new("s", 2, "S") };
    Document { lang: Lang::En, title: "T".into(), sections: vec![section] }
}

fn table(name: &str) -> Table {
    let mut table = Table::new(vec![Column::words("a"), Column::numbers("b")]);
    table.row(vec![name.into(), Text::new().code(name)]);
    table.row(vec![Text::new().strong(name), "2".into()]);
    table
}

/// What writers of Markdown fall over.
const NASTY: [&str; 16] = [
    "a | b",
    "*bold* _it_ **b**",
    "<script>alert(1)</script>",
    "`code` ``two``",
    "[text](https://example.org)",
    "https://example.org and www.example.org",
    "&lt; &amp;",
    "# heading",
    "- point",
    "1. one",
    "===",
    "back\\slash \\",
    "\\| ends",
    "`|`",
    "![x](y)",
    "~~gone~~ $x$",
];

#[test]
fn no_name_breaks_a_table_or_becomes_more_than_text() {
    for name in NASTY {
        let text = write(&document(vec![Block::Table(table(name))]), "<!-- mark -->");
        let (kinds, _) = parsed(&text);
        let count = |kind: &str| kinds.iter().filter(|k| *k == kind).count();
        assert_eq!((count("Table"), count("TableRow"), count("TableCell")), (1, 3, 6), "{name}:\n{text}");
        for kind in ["Link", "Image", "Emph", "HtmlInline", "Strikethrough", "BlockQuote", "List"] {
            assert_eq!(count(kind), 0, "{kind} of {name}:\n{text}");
        }
        assert_eq!((count("HtmlBlock"), count("Heading"), count("Code")), (1, 2, 1), "{name}:\n{text}");
    }
}

#[test]
fn a_fence_is_longer_than_what_is_in_it() {
    let text = write(&document(vec![Block::Command("forklore run '````'".into())]), "<!-- mark -->");
    assert!(text.contains("`````sh\nforklore run '````'\n`````"), "{text}");
    assert_eq!(parsed(&text).0.iter().filter(|kind| *kind == "CodeBlock").count(), 1);
}

#[test]
fn prose_is_folded_at_blanks_and_a_fold_makes_no_list() {
    let mut out = Vec::new();
    let words = "word ".repeat(15) + "- and 1. and + and 0.1.0 and === " + &"word ".repeat(20);
    fold("> ", "> ", &words.into(), &mut out);
    assert!(out.len() > 2 && out.iter().all(|line| line.width() <= COLUMNS && line.starts_with("> ")), "{out:#?}");
    for width in 60..80 {
        let mut out = Vec::new();
        fold("", "", &format!("{} - 1. + === 2) x", "x".repeat(width)).into(), &mut out);
        let (kinds, words) = parsed(&out.join("\n"));
        assert_eq!(kinds, ["Document", "Paragraph"], "{out:#?}");
        assert_eq!(words, format!("{} - 1. + === 2) x", "x".repeat(width)));
    }
}

proptest! {
    #[test]
    fn what_was_said_is_what_is_read(words in "[ -~线程\\n]{0,60}") {
        let said = Text::from(&words).words().split_whitespace().collect::<Vec<_>>().join(" ");
        let text = write(&document(vec![Block::Paragraph(Text::from(&words)), Block::Table(table(&words))]), "<!-- mark -->");
        let (kinds, read) = parsed(&text);
        prop_assert_eq!(kinds.iter().filter(|kind| *kind == "TableCell").count(), 6, "{}", text);
        let read = read.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert!(read.contains(&said), "{read} is without {said}:\n{text}");
    }
}
