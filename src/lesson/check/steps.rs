//! The steps as texts: headings, length, links and figures.

use super::{Course, Page};
use crate::lesson::{Block, Diagnostic, Lesson, Pos, Severity, Span, Text};
use std::ops::Range;
use unicode_width::UnicodeWidthChar;

/// Words a step may have without a picture or a demo beside them.
const WORDS: usize = 120;

/// Columns that a drawing may have: on a screen of 100 columns the text beside the stage has no more.
const DRAWING: usize = 46;

pub(super) fn check(course: &Course<'_>, page: &mut Page<'_>) {
    let lesson = page.lesson;
    let before = 1..lesson.steps.first().map_or(page.lines.len() + 1, |step| step.at.line);
    references(course, page, &lesson.intro, &before, 0);
    for (index, step) in lesson.steps.iter().enumerate() {
        let lines = page.step(index);
        if step.title.is_empty() {
            let at = page.line(step.at.line);
            page.say(page.error(at, "this step has no heading text").help("write after ## what it is about"));
        }
        if step.blocks.is_empty() {
            let at = page.line(step.at.line);
            page.say(page.error(at, "this step is empty").help("write something under its heading"));
        }
        let words = step.blocks.iter().map(block_words).sum::<usize>();
        let shown = step.blocks.iter().any(|b| matches!(b, Block::Demo(_) | Block::Picture(_) | Block::Wrong(_)));
        if words > WORDS && !shown {
            let what = format!("this step has {words} words and neither a picture nor a demo; {WORDS} are enough");
            let at = page.line(step.at.line);
            page.say(page.warning(at, what).help("split it, shorten it, or show what it says"));
        }
        drawings(page, &step.blocks, &lines);
        references(course, page, &step.blocks, &lines, index + 1);
    }
}

/// Drawings that are cut where the text has the least room: beside the stage.
fn drawings(page: &mut Page<'_>, blocks: &[Block], lines: &Range<usize>) {
    let drawn =
        blocks.iter().filter_map(|block| if let Block::Picture(drawing) = block { Some(drawing) } else { None });
    for line in drawn.flat_map(|drawing| drawing.lines()) {
        let wide: usize = line.chars().map(|c| c.width().unwrap_or(0)).sum();
        if wide > DRAWING {
            let what =
                format!("this line of a drawing is {wide} columns wide: beside the stage there may be {DRAWING}");
            let at = page.word(lines.clone(), line.trim());
            page.say(page.warning(at, what).help("draw it narrower: what is wider is cut"));
            return;
        }
    }
}

/// Links and figures that lead nowhere, in blocks that are read when the demos of so many steps can have run.
fn references(course: &Course<'_>, page: &mut Page<'_>, blocks: &[Block], lines: &Range<usize>, steps: usize) {
    let mut seen: Vec<&str> = Vec::new();
    let mut spans: Vec<&Span> = Vec::new();
    for block in blocks {
        texts(block, &mut |text| spans.extend(&text.0));
    }
    for span in spans {
        let (Some(to), wrong) = (match (&span.figure, &span.link) {
            (Some(figure), _) => (Some(figure.as_str()), figure_wrong(course, page.lesson, figure, steps)),
            (None, Some(link)) => (Some(link.as_str()), link_wrong(course, link)),
            (None, None) => (None, None),
        }) else {
            continue;
        };
        if let Some(wrong) = wrong
            && !page.full()
            && !seen.contains(&to)
        {
            seen.push(to);
            let mut places: Vec<_> = page.words(lines.clone(), to).collect();
            if places.is_empty() {
                let name = to.strip_prefix("lesson:").unwrap_or(to).split(':').next().unwrap_or(to);
                places.push(page.word(lines.clone(), name));
            }
            for at in places {
                page.say(wrong.at(page, at));
            }
        }
    }
}

/// What is wrong with a link or a figure.
struct Wrong {
    severity: Severity,
    what: String,
    remedy: Option<String>,
}

impl Wrong {
    /// It is not there; perhaps another was meant.
    fn missing(what: String, near: Option<String>) -> Self {
        let remedy = near.map(|near| format!("did you mean “{near}”?"));
        Self { severity: Severity::Error, what, remedy }
    }

    fn at(&self, page: &Page<'_>, at: (Pos, usize)) -> Diagnostic {
        let said = match self.severity {
            Severity::Error => page.error(at, self.what.clone()),
            Severity::Warning => page.warning(at, self.what.clone()),
        };
        Diagnostic { remedy: self.remedy.clone(), ..said }
    }
}

fn figure_wrong(course: &Course<'_>, lesson: &Lesson, figure: &str, steps: usize) -> Option<Wrong> {
    let (demo, value) = figure.split_once('.')?;
    let Some(spec) = course.demo(demo) else {
        let near = crate::lesson::nearest(demo, course.demo_names());
        return Some(Wrong::missing(format!("there is no demo {demo}"), near.map(|near| format!("{near}.{value}"))));
    };
    if spec.returns(value).is_none() {
        let near = crate::lesson::nearest(value, spec.returns.iter().map(|r| r.name));
        return Some(Wrong::missing(format!("{demo} returns no {value}"), near.map(|near| format!("{demo}.{near}"))));
    }
    not_measured(course, lesson, demo, steps)
}

/// A figure of a demo that has not run when it is read, in this lesson or in one that is to be done first.
fn not_measured(course: &Course<'_>, lesson: &Lesson, demo: &str, steps: usize) -> Option<Wrong> {
    let runs = |lesson: &Lesson| lesson.steps.iter().position(|step| step.demo().is_some_and(|d| d.name == demo));
    let first = runs(lesson);
    let before = |id: &String| course.known().any(|other| other.id == *id && runs(other).is_some());
    if first.is_some_and(|first| first < steps) || lesson.after.iter().any(before) {
        return None;
    }
    let what = match first {
        Some(first) => format!("{demo} runs later, in step {}: there is no figure yet", first + 1),
        None => format!("{demo} does not run in this lesson: there may be no figure"),
    };
    let remedy = Some("quote a figure in the step that measures it, or after it".to_owned());
    Some(Wrong { severity: Severity::Warning, what, remedy })
}

fn link_wrong(course: &Course<'_>, link: &str) -> Option<Wrong> {
    let name = link.strip_prefix("lesson:")?;
    let (name, step) = name.split_once(':').map_or((name, None), |(name, step)| (name, Some(step)));
    let Some(lesson) = course.known().find(|l| l.id == name || file_is(&l.file, name)) else {
        let near = crate::lesson::nearest(name, course.ids());
        return Some(Wrong::missing(format!("there is no lesson {name}"), near.map(|near| format!("lesson:{near}"))));
    };
    let step = step?;
    let steps = lesson.steps.len();
    let there = step.parse().is_ok_and(|step: usize| (1..=steps).contains(&step));
    (!there).then(|| Wrong::missing(format!("lesson {name} has steps 1 to {steps}"), None))
}

fn file_is(file: &str, name: &str) -> bool {
    crate::lesson::parse::file_name(file).1 == name
}

/// Shows every text of a block, those of blocks inside it included.
fn texts<'b>(block: &'b Block, see: &mut dyn FnMut(&'b Text)) {
    match block {
        Block::Heading(_, text) | Block::Paragraph(text) => see(text),
        Block::List(_, items) => items.iter().flatten().for_each(|b| texts(b, see)),
        Block::Quote(blocks) | Block::Hint(blocks) => blocks.iter().for_each(|b| texts(b, see)),
        Block::Table(_, head, rows) => head.iter().chain(rows.iter().flatten()).for_each(see),
        Block::Predict(predict) => see(&predict.question),
        Block::Quiz(quiz) => {
            see(&quiz.question);
            quiz.options.iter().for_each(|option| {
                see(&option.label);
                see(&option.reason);
            });
        }
        Block::Code(..) | Block::Picture(_) | Block::Rule | Block::Demo(_) | Block::Wrong(_) => {}
    }
}

/// Words that are read when the step is opened: questions, hints and code are not counted.
fn block_words(block: &Block) -> usize {
    let mut count = 0;
    if !matches!(block, Block::Predict(_) | Block::Quiz(_) | Block::Hint(_)) {
        texts(block, &mut |text| count += words(&text.words()));
    }
    count
}

/// Words: what stands between blanks; two Chinese, Japanese or Korean characters count as one word.
fn words(text: &str) -> usize {
    let wide = text.chars().filter(|c| c.width() == Some(2)).count();
    let narrow = text.split(|c: char| c.is_whitespace() || c.width() == Some(2));
    narrow.filter(|word| word.chars().any(char::is_alphanumeric)).count() + wide / 2
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_counted_in_both_languages() {
        assert_eq!(
            (words("one  two-three, 4 –"), words("线程共享内存"), words("一个 CPU 核心"), words("")),
            (3, 3, 3, 0)
        );
    }
}
