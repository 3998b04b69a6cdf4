//! What the learner did: lessons, and predictions beside what was measured.

use super::chart::Counts;
use super::date;
use super::document::{Block, Column, Figure, Section, Table, Text};
use super::sources::Sources;
use crate::fact::ReturnKind;
use crate::lesson::{Predict, Step};
use crate::lore::Lang;
use crate::progress::{LessonProgress, Prediction};

/// How soon after a run its prediction is written down: they belong together.
const TOGETHER: u64 = 120;

/// How the predictions came out: right, not right, open.
pub(super) fn outcomes(sources: &Sources) -> [usize; 3] {
    let all = sources.progress.lessons.values().flat_map(|lesson| lesson.predictions.values());
    let mut counts = [0; 3];
    for prediction in all {
        counts[place(prediction)] += 1;
    }
    counts
}

fn place(prediction: &Prediction) -> usize {
    match prediction.right {
        Some(true) => 0,
        Some(false) => 1,
        None => 2,
    }
}

/// The words for them, each with its sign.
fn words(sources: &Sources) -> [&'static str; 3] {
    match sources.lang {
        Lang::En => ["✓ right", "✗ not right", "– open"],
        Lang::Zh => ["✓ 正确", "✗ 不正确", "– 未定"],
    }
}

/// Lessons with something done in them: those of the course in its order, then others.
fn touched<'s>(sources: &Sources<'s>) -> Vec<(&'s str, &'s LessonProgress)> {
    let known: Vec<&str> = sources.library.lessons().map(|lesson| lesson.id.as_str()).collect();
    let place = |id: &str| known.iter().position(|one| *one == id).unwrap_or(usize::MAX);
    let mut all: Vec<_> = sources.progress.lessons.iter().map(|(id, done)| (id.as_str(), done)).collect();
    all.sort_by_key(|(id, _)| (place(id), *id));
    all
}

/// How many lessons of the course are done.
pub(super) fn done(sources: &Sources) -> usize {
    sources.library.lessons().filter(|lesson| sources.progress.completed(&lesson.id)).count()
}

/// What was done of which lesson.
pub(super) fn section(sources: &Sources) -> Section {
    let mut section = Section::new("lessons", 2, sources.pick("Lessons", "课程"));
    let (done, all) = (done(sources), sources.library.len());
    section.say(match sources.lang {
        Lang::En => format!("{done} of {all} lessons are done."),
        Lang::Zh => format!("{all} 课中完成了 {done} 课。"),
    });
    let lessons = touched(sources);
    if lessons.is_empty() {
        return section;
    }
    let pick = |en, zh| sources.pick(en, zh);
    let mut table = Table::new(vec![
        Column::words(pick("lesson", "课")),
        Column::numbers(pick("steps seen", "看过的步骤")),
        Column::words(pick("done", "完成")),
        Column::numbers(pick("predictions right", "预测正确")),
    ]);
    for (id, lesson) in lessons {
        let steps = sources.lesson(id).map_or("?".to_owned(), |lesson| lesson.steps.len().to_string());
        let right = lesson.predictions.values().filter(|prediction| prediction.right == Some(true)).count();
        let judged = lesson.predictions.values().filter(|prediction| prediction.right.is_some()).count();
        let of = pick(" of ", " / ");
        let right = if judged == 0 { "–".to_owned() } else { format!("{right}{of}{judged}") };
        let completed = lesson.completed.map_or_else(|| pick("not yet", "尚未").to_owned(), date::day);
        table.row(vec![
            sources.title(id).into(),
            format!("{}{of}{steps}", lesson.seen.len()).into(),
            completed.into(),
            right.into(),
        ]);
    }
    section.blocks.push(Block::Table(table));
    section
}

/// Every prediction: what was asked, said and measured.
pub(super) fn predictions(sources: &Sources) -> Option<Section> {
    let pick = |en, zh| sources.pick(en, zh);
    let mut section = Section::new("predictions", 2, pick("Predictions", "预测"));
    let counts = outcomes(sources);
    let words = words(sources);
    let parts: Vec<_> = words.iter().zip(counts).map(|(word, n)| ((*word).to_owned(), n)).collect();
    let title = pick("How the predictions came out", "预测的结果");
    let chart = Counts::chart(title, parts.clone())?;
    section.say(pick(
        "Before each run the learner said what would happen. What the machine then did is the right answer.",
        "每次运行之前，学习者先说出会发生什么。正确答案是机器随后的实际表现。",
    ));
    let table = super::counted(pick("outcome", "结果"), pick("predictions", "预测数"), &parts);
    section.blocks.push(Block::Figure(Box::new(Figure { chart, table })));
    let mut table = Table::new(vec![
        Column::words(pick("lesson, step", "课，步骤")),
        Column::words(pick("question", "问题")),
        Column::words(pick("the learner said", "学习者的预测")),
        Column::words(pick("measured", "测得")),
        Column::words(pick("came out", "结果")),
        Column::words(pick("when, where", "时间，机器")),
    ]);
    for (id, lesson) in touched(sources) {
        for (n, prediction) in &lesson.predictions {
            let step = sources.step(id, *n);
            let asked = step.and_then(Step::predict);
            let question = asked.map_or_else(
                || pick("(this step has no question any more)", "（这一步已不再有问题）").to_owned(),
                |predict| predict.question.words(),
            );
            table.row(vec![
                format!("{}, {n}", sources.title(id)).into(),
                question.into(),
                (&prediction.chosen).into(),
                measured(sources, step, asked, prediction),
                words[place(prediction)].into(),
                taken(sources, id, *n, prediction).into(),
            ]);
        }
    }
    section.blocks.push(Block::Table(table));
    Some(section)
}

/// The measured value in its unit, and by what name the demo knows it.
fn measured(sources: &Sources, step: Option<&Step>, asked: Option<&Predict>, prediction: &Prediction) -> Text {
    if prediction.measured.is_null() {
        return sources.pick("nothing", "没有测到").into();
    }
    let spec = step.and_then(Step::demo).and_then(|demo| sources.spec(&demo.name));
    let returned = spec.zip(asked).and_then(|(spec, asked)| spec.returns(&asked.answer));
    let shown = returned.map_or(ReturnKind::Word, |value| value.kind).show(&prediction.measured);
    match returned {
        Some(value) => Text::from(shown).plain(" (").code(value.name).plain(")"),
        None => shown.into(),
    }
}

/// When, and on which machine, if the run of it is still kept.
fn taken(sources: &Sources, id: &str, n: u32, prediction: &Prediction) -> String {
    let of_it = sources.results.runs.values().filter(|run| run.lesson.as_deref() == Some(id) && run.step == Some(n));
    let run = of_it.min_by_key(|run| run.when.0.abs_diff(prediction.when.0));
    match run.filter(|run| run.when.0.abs_diff(prediction.when.0) <= TOGETHER) {
        Some(run) => sources.stamp(prediction.when, &run.host),
        None => date::moment(prediction.when),
    }
}
