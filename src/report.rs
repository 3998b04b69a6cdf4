//! The learner's lab report: what was done, predicted and measured, on which machine, and what the machine says of each claim.
//!
//! Pure: the files are read, and the report is written, elsewhere. What is said is made once, as a [`Document`]; two writers give
//! it a form, and each of them knows how to escape what came from strangers. No demo is named: tables and charts follow what
//! a demo's spec says of its pictures and values, and what it does not say is shown plainly.

mod chart;
mod date;
mod document;
mod draw;
mod figures;
mod ledger;
mod lessons;
mod machine;
mod markdown;
mod method;
mod page;
mod runs;
mod sources;
#[cfg(test)]
mod tests;

pub use document::Document;
pub use sources::Sources;

use crate::fact::thousands;
use crate::lore::Lang;
use document::{Block, Column, Section, Table, Text};

/// The first line of a report in Markdown.
const MARK: &str = "<!-- forklore report -->";

/// That of a page.
const PAGE_MARK: &str = "<!DOCTYPE html><!-- forklore report -->";

/// A form that a report is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Markdown.
    Markdown,
    /// One page of HTML that needs nothing else.
    Page,
}

impl Form {
    /// The report in this form.
    #[must_use]
    pub fn write(self, document: &Document) -> String {
        match self {
            Self::Markdown => markdown::write(document, MARK),
            Self::Page => page::write(document),
        }
    }
}

/// Whether a file that begins so is a report that forklore wrote.
#[must_use]
pub fn is_ours(beginning: &[u8]) -> bool {
    let line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line == MARK.as_bytes() || line == PAGE_MARK.as_bytes()
}

/// What there is to report.
#[must_use]
pub fn compose(sources: &Sources) -> Document {
    let mut sections = vec![short(sources), machine::section(sources)];
    if !nothing_yet(sources) {
        sections.push(lessons::section(sources));
        sections.extend(lessons::predictions(sources));
        sections.extend(runs::sections(sources));
        sections.extend(ledger::sections(sources));
        sections.push(method::section(sources));
    }
    let title = sources.pick("Processes and threads: lab report", "进程与线程：实验报告");
    Document { lang: sources.lang, title: title.to_owned(), sections }
}

/// Whether nothing was done and nothing measured.
#[must_use]
pub fn nothing_yet(sources: &Sources) -> bool {
    let done = sources.progress.lessons.values();
    sources.results.is_empty() && done.into_iter().all(|l| l.completed.is_none() && l.predictions.is_empty())
}

/// The report in a few points, or how to begin.
fn short(sources: &Sources) -> Section {
    let mut section = Section::new("short", 2, sources.pick("In short", "概要"));
    section.say(format!("{}{}", sources.pick("Made ", "生成于 "), date::moment(sources.now)) + sources.pick(".", "。"));
    if nothing_yet(sources) {
        section.say(
            Text::from(sources.pick("Nothing was measured yet. ", "还没有测量过任何东西。"))
                .code("forklore")
                .plain(sources.pick(" begins with the lessons, ", " 从课程开始，"))
                .code("forklore lore")
                .plain(sources.pick(" tests every claim on this machine.", " 在这台机器上检验每一条说法。")),
        );
        return section;
    }
    section.blocks.push(Block::List(points(sources).into_iter().map(Text::from).collect()));
    if let Some(legend) = machine::legend(sources) {
        section.say(legend);
    }
    section
}

fn points(sources: &Sources) -> Vec<String> {
    let count = |n: usize, one: &str| format!("{} {one}{}", thousands(n as u64), if n == 1 { "" } else { "s" });
    let (done, all) = (lessons::done(sources), sources.library.len());
    let [right, wrong, open] = lessons::outcomes(sources);
    let (runs, experiments) = (sources.results.runs.len(), sources.experiments().len());
    let [agrees, disagrees, unsure] = ledger::beliefs(sources);
    let verdicts: Vec<_> = ledger::counts(sources)
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(verdict, n)| format!("{} {n}", verdict.words(sources.lang)))
        .collect();
    let verdicts = verdicts.join(sources.pick(", ", "，"));
    let answers = sources.results.answers.len();
    let colon = if verdicts.is_empty() { "" } else { sources.pick(": ", "：") };
    let points = match sources.lang {
        Lang::En => [
            (true, format!("Lessons: {done} of {all} done.")),
            (right + wrong + open > 0, format!("Predictions: {right} right, {wrong} not right, {open} open.")),
            (runs > 0, format!("Measured: {} in {}.", count(experiments, "experiment"), count(runs, "run"))),
            (answers > 0, format!("Claims: {answers} with a verdict{colon}{verdicts}.")),
            (
                agrees + disagrees + unsure > 0,
                format!("Beliefs: {agrees} agree with the machine, {disagrees} do not, {unsure} open."),
            ),
        ],
        Lang::Zh => [
            (true, format!("课程：{all} 课中完成 {done} 课。")),
            (right + wrong + open > 0, format!("预测：{right} 个正确，{wrong} 个不正确，{open} 个未定。")),
            (runs > 0, format!("测量：{experiments} 个实验，{runs} 次运行。")),
            (answers > 0, format!("说法：{answers} 条有结论{colon}{verdicts}。")),
            (
                agrees + disagrees + unsure > 0,
                format!("所信：{agrees} 条与机器一致，{disagrees} 条不一致，{unsure} 条未定。"),
            ),
        ],
    };
    points.into_iter().filter_map(|(said, point)| said.then_some(point)).collect()
}

/// Words as a sentence begins.
fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Names with their numbers, as a table.
fn counted(head: &str, of: &str, parts: &[(String, usize)]) -> Table {
    let mut table = Table::new(vec![Column::words(head), Column::numbers(of)]);
    for (name, n) in parts {
        table.row(vec![name.into(), thousands(*n as u64).into()]);
    }
    table
}
