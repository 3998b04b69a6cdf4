//! A report as Markdown that reads well as plain text too: prose within 80 columns, one row of a table a line.
//!
//! What came from elsewhere is escaped, so that no name can open a table, a link or a tag.

use super::document::{Block, Document, Entry, Figure, Section, Span, Table, Text};
use unicode_width::UnicodeWidthStr;

/// Columns of a line of prose.
const COLUMNS: usize = 80;

/// Characters that begin or end something in Markdown, wherever they stand.
const SPECIAL: &[char] = &['\\', '`', '*', '_', '[', ']', '<', '>', '|', '~', '&', '#', '$'];

/// The report as Markdown. Its first line is `mark`.
pub(super) fn write(document: &Document, mark: &str) -> String {
    let mut out = vec![mark.to_owned(), String::new()];
    out.push(format!("# {}", escaped(&document.title)));
    for section in &document.sections {
        write_section(section, &mut out);
    }
    out.push(String::new());
    out.join("\n")
}

fn write_section(section: &Section, out: &mut Vec<String>) {
    out.push(String::new());
    out.push(format!("{} {}", "#".repeat(section.level.into()), inline(&section.heading)));
    for block in &section.blocks {
        out.push(String::new());
        match block {
            Block::Paragraph(text) => fold("", "", text, out),
            Block::Remark(text) => fold("> ", "> ", text, out),
            Block::List(items) => items.iter().for_each(|item| fold("- ", "  ", item, out)),
            Block::Table(table) => write_table(table, out),
            Block::Command(command) => out.extend(fenced(command)),
            Block::Figure(figure) => write_figure(figure, out),
            Block::Entries(entries) => entries.iter().for_each(|entry| write_entry(entry, out)),
        }
    }
}

fn write_figure(figure: &Figure, out: &mut Vec<String>) {
    fold("", "", &Text::new().strong(figure.chart.title()), out);
    out.push(String::new());
    write_table(&figure.table, out);
}

fn write_entry(entry: &Entry, out: &mut Vec<String>) {
    fold("- ", "  ", &Text::new().strong(&entry.mark).plain(" ").then(&entry.said), out);
    fold("  - ", "    ", &entry.word, out);
    entry.lines.iter().for_each(|line| fold("  - ", "    ", line, out));
}

fn write_table(table: &Table, out: &mut Vec<String>) {
    if let Some(caption) = &table.caption {
        fold("", "", caption, out);
        out.push(String::new());
    }
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let head: Vec<_> = table.head.iter().map(|column| cell(&column.title)).collect();
    let body: Vec<Vec<_>> = table.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let width = |n: usize| {
        let all = body.iter().filter_map(|row| row.get(n)).chain(head.get(n));
        // One long cell is no reason to fill all others up.
        all.map(|cell| cell.width()).filter(|width| *width <= 32).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let padded = |cells: &[String]| -> Vec<String> {
        let pad = |(n, cell): (usize, &String)| {
            let blanks = " ".repeat(widths[n].saturating_sub(cell.width()));
            if table.head[n].numbers { format!("{blanks}{cell}") } else { format!("{cell}{blanks}") }
        };
        cells.iter().enumerate().map(pad).collect()
    };
    out.push(line(&padded(&head)));
    let rule = table.head.iter().zip(&widths).map(|(column, width)| match column.numbers {
        true => format!("{}:", "-".repeat(width - 1)),
        false => "-".repeat(*width),
    });
    out.push(line(&rule.collect::<Vec<_>>()));
    out.extend(body.iter().map(|row| line(&padded(row))));
}

/// A cell: also in code a bar would end it (GitHub Flavored Markdown, "Tables").
fn cell(text: &Text) -> String {
    let span = |span: &Span| match span {
        Span::Code(words) => code(&words.replace('|', "\\|")),
        other => styled(other),
    };
    text.spans().map(span).collect()
}

fn inline(text: &Text) -> String {
    text.spans().map(styled).collect()
}

fn styled(span: &Span) -> String {
    match span {
        Span::Plain(words) | Span::Link(words, _) => escaped(words),
        Span::Code(words) => code(words),
        // Stars that touch a blank on the inside would be stars.
        Span::Strong(words) if words.trim() == words => format!("**{}**", escaped(words)),
        Span::Strong(words) => escaped(words),
    }
}

fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        if SPECIAL.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    // GitHub makes links of addresses that nobody marked as such.
    out.replace("://", "\\://").replace("www.", "www\\.")
}

/// In more backticks than there are in it (CommonMark, "Code spans").
fn code(words: &str) -> String {
    let runs = words.split(|c| c != '`').map(str::len);
    let ticks = "`".repeat(runs.max().unwrap_or(0) + 1);
    let blank = if words.contains('`') || words.trim() != words { " " } else { "" };
    format!("{ticks}{blank}{words}{blank}{ticks}")
}

fn fenced(command: &str) -> [String; 3] {
    let runs = command.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0).max(2) + 1);
    [format!("{fence}sh"), command.to_owned(), fence]
}

/// A text in lines of at most 80 columns, broken at blanks: the first begins with `head`, the others with `indent`. A word
/// that is wider than a line stands alone, and so does Chinese, where a break would be read as a blank.
fn fold(head: &str, indent: &str, text: &Text, out: &mut Vec<String>) {
    let words: Vec<String> = text.spans().flat_map(pieces).collect();
    let mut line = head.to_owned();
    let mut begun = false;
    let mut glue = false;
    for word in words {
        if word == " " {
            glue = false;
            continue;
        }
        let blank = usize::from(begun && !glue);
        if begun && !glue && line.width() + blank + word.width() > COLUMNS {
            out.push(std::mem::replace(&mut line, indent.to_owned()));
            line.push_str(&at_the_beginning(&word));
        } else {
            line.push_str(&" ".repeat(blank));
            line.push_str(&if begun { word } else { at_the_beginning(&word) });
        }
        begun = true;
        glue = true;
    }
    out.push(line.trim_end().to_owned());
}

/// The words of a span and the blanks between them; what has a look of its own stays in one piece.
fn pieces(span: &Span) -> Vec<String> {
    let (Span::Plain(words) | Span::Link(words, _)) = span else { return vec![styled(span)] };
    let mut pieces = Vec::new();
    for (n, word) in words.split(' ').enumerate() {
        if n > 0 {
            pieces.push(" ".to_owned());
        }
        if !word.is_empty() {
            pieces.push(escaped(word));
        }
    }
    pieces
}

/// A word at the beginning of a line that would there be a point, a number of a list, or a rule.
fn at_the_beginning(word: &str) -> String {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    match &word[digits..] {
        "." | ")" if digits > 0 => format!("{}\\{}", &word[..digits], &word[digits..]),
        rest if digits == 0 && !rest.is_empty() && rest.bytes().all(|byte| b"-+=".contains(&byte)) => {
            format!("\\{rest}")
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
#[path = "markdown_tests.rs"]
mod tests;
