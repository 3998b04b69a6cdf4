//! A lesson in another language: the same steps and blocks, so that the same runs answer the same questions.

use super::{Course, Page};
use crate::lesson::{Block, Lesson, Pos, Step};

pub(super) fn check(course: &Course<'_>, page: &mut Page<'_>) {
    let lesson = page.lesson;
    let same = course.lessons.iter().map(|(other, _)| other).filter(|other| other.id == lesson.id);
    let Some(original) = same.min_by_key(|other| other.lang != "en") else { return };
    if original.lang == lesson.lang || original.steps.is_empty() {
        return;
    }
    let differs = |page: &mut Page<'_>, line: usize, what: String| {
        let at = page.line(line);
        page.say(page.error(at, format!("{what} in {}", original.file)).help("make the two the same"));
    };
    if let Some(what) = front(original, lesson) {
        differs(page, 1, what);
    }
    for (step, theirs) in lesson.steps.iter().zip(&original.steps) {
        if let Some((at, what)) = difference(step, theirs) {
            differs(page, at.line, what);
        }
    }
    let (ours, theirs) = (lesson.steps.len(), original.steps.len());
    if ours != theirs {
        let line = lesson.steps.get(theirs).or(lesson.steps.last()).map_or(1, |step| step.at.line);
        differs(page, line, format!("there are {ours} steps here and {theirs}"));
    }
}

fn front(original: &Lesson, lesson: &Lesson) -> Option<String> {
    let pairs = [
        ("number", original.number == lesson.number),
        ("minutes", original.minutes == lesson.minutes),
        ("after", original.after == lesson.after),
        ("claims", original.claims == lesson.claims),
    ];
    pairs.into_iter().find(|(_, same)| !same).map(|(what, _)| format!("{what} is not the same as"))
}

/// The first difference between two steps.
fn difference(step: &Step, theirs: &Step) -> Option<(Pos, String)> {
    for (i, (a, b)) in step.blocks.iter().zip(&theirs.blocks).enumerate() {
        if kind(a) != kind(b) {
            let what = format!("block {} of this step is {}, and {}", i + 1, kind(a), kind(b));
            return Some((step.at, what));
        }
        match (a, b) {
            (Block::Demo(a), Block::Demo(b)) if (&a.name, &a.params, &a.expect) != (&b.name, &b.params, &b.expect) => {
                return Some((a.at, "this demo is not as".to_owned()));
            }
            (Block::Predict(a), Block::Predict(b)) => {
                let options =
                    |p: &crate::lesson::Predict| p.options.iter().map(|o| o.matches.clone()).collect::<Vec<_>>();
                if a.answer != b.answer || options(a) != options(b) {
                    return Some((
                        a.at,
                        "this prediction asks for another value or offers other options than".to_owned(),
                    ));
                }
            }
            (Block::Quiz(a), Block::Quiz(b)) => {
                let right = |q: &crate::lesson::Quiz| q.options.iter().map(|o| o.right).collect::<Vec<_>>();
                if right(a) != right(b) {
                    return Some((a.at, "the options of this quiz are not as".to_owned()));
                }
            }
            _ => {}
        }
    }
    let (ours, others) = (step.blocks.len(), theirs.blocks.len());
    if ours != others {
        return Some((step.at, format!("this step has {ours} blocks, and {others}")));
    }
    let said = |step: &Step| match step.claims.as_slice() {
        [] => "no claim".to_owned(),
        claims => claims.join(", "),
    };
    (step.claims != theirs.claims)
        .then(|| (step.at, format!("this step takes up {}, and {}", said(step), said(theirs))))
}

fn kind(block: &Block) -> &'static str {
    match block {
        Block::Heading(..) => "a heading",
        Block::Paragraph(_) => "a paragraph",
        Block::List(..) => "a list",
        Block::Quote(_) => "a quotation",
        Block::Code(..) => "code",
        Block::Picture(_) => "a picture",
        Block::Table(..) => "a table",
        Block::Rule => "a rule",
        Block::Predict(_) => "a prediction",
        Block::Quiz(_) => "a quiz",
        Block::Hint(_) => "a hint",
        Block::Demo(_) => "a demo",
        Block::Wrong(_) => "damaged",
    }
}
