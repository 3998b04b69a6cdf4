//! A lesson as lines that a reviewer can read: one a block, what is inside it indented.

use super::*;
use std::fmt::Write as _;

pub(super) fn lesson(lesson: &Lesson) -> String {
    let Lesson { number, id, title, part, minutes, after, claims, lang, .. } = lesson;
    let mut out =
        format!("{number} {id} ({lang}): {title} / {part}, {minutes} min, after {after:?}, claims {claims:?}\n");
    blocks(&lesson.intro, 1, &mut out);
    for step in &lesson.steps {
        let _ = writeln!(out, "{}:{} step {}", step.at.line, step.at.column, step.title);
        blocks(&step.blocks, 1, &mut out);
        for note in &step.notes {
            let _ = writeln!(out, "  note {note:?}");
        }
        if !step.claims.is_empty() {
            let _ = writeln!(out, "  claims {:?}", step.claims);
        }
    }
    out
}

/// Spans parted by `|`: strong `*`, emphasised `/`, code `` ` ``, struck `~`, links `->to`, figures `=name`.
pub(super) fn text(text: &Text) -> String {
    let span = |s: &Span| {
        let marks = [(s.style.emphasis, '/'), (s.style.strong, '*'), (s.style.code, '`'), (s.style.struck, '~')];
        let marks: String = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| mark).collect();
        let link = s.link.as_ref().map(|to| format!("->{to}")).unwrap_or_default();
        let figure = s.figure.as_ref().map(|name| format!("={name}")).unwrap_or_default();
        format!("{marks}{}{link}{figure}", s.text.replace('\n', "⏎"))
    };
    text.0.iter().map(span).collect::<Vec<_>>().join("|")
}

fn blocks(inside: &[Block], depth: usize, out: &mut String) {
    for one in inside {
        block(one, depth, out);
    }
}

fn block(one: &Block, depth: usize, out: &mut String) {
    let mut line = |depth: usize, words: String| *out += &format!("{}{words}\n", "  ".repeat(depth));
    match one {
        Block::Heading(level, words) => line(depth, format!("heading {level}: {}", text(words))),
        Block::Paragraph(words) => line(depth, format!("paragraph {}", text(words))),
        Block::List(first, items) => {
            line(depth, format!("list {first:?}"));
            for item in items {
                blocks(item, depth + 1, out);
            }
        }
        Block::Quote(inside) => {
            line(depth, "quote".into());
            blocks(inside, depth + 1, out);
        }
        Block::Hint(inside) => {
            line(depth, "hint".into());
            blocks(inside, depth + 1, out);
        }
        Block::Code(lang, code) => line(depth, format!("code {lang:?} {code:?}")),
        Block::Picture(picture) => line(depth, format!("picture {picture:?}")),
        Block::Table(aligns, head, rows) => {
            line(depth, format!("table {aligns:?}"));
            for row in std::iter::once(head).chain(rows) {
                line(depth + 1, row.iter().map(text).collect::<Vec<_>>().join(" ¦ "));
            }
        }
        Block::Rule => line(depth, "rule".into()),
        Block::Predict(p) => {
            line(depth, format!("{}:{} predict {}: {}", p.at.line, p.at.column, p.answer, text(&p.question)));
            p.options.iter().for_each(|o| line(depth + 1, format!("{} covers {:?}", o.label, o.matches)));
        }
        Block::Quiz(q) => {
            line(depth, format!("{}:{} quiz {}", q.at.line, q.at.column, text(&q.question)));
            for o in &q.options {
                line(depth + 1, format!("{} {} because {}", o.right, text(&o.label), text(&o.reason)));
            }
        }
        Block::Demo(d) => {
            line(depth, format!("{}:{} demo {} {}", d.at.line, d.at.column, d.name, json!(d.params)));
            for (name, e) in &d.expect {
                line(depth + 1, format!("expect {name} {} covers {:?}", e.written, e.matches));
            }
        }
        Block::Wrong(why) => line(depth, format!("wrong: {why}")),
    }
}
