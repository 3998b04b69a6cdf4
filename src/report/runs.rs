//! What was measured: each experiment with its newest run, what earlier ones came to, and the command that repeats it.

use super::date;
use super::document::{Block, Column, Section, Table, Text};
use super::figures;
use super::sources::{Sources, chosen, command};
use crate::fact::{DOUBT, DemoSpec, ReturnKind, ReturnSpec, Source, clean_line, thousands};
use crate::lab::median;
use crate::lesson::Step;
use crate::lore::Lang;
use crate::progress::{By, Measured};
use serde_json::Value;

/// What a demo calls a verdict that is none.
const INCONCLUSIVE: &str = "inconclusive";

/// All experiments: a heading, and a section for each.
pub(super) fn sections(sources: &Sources) -> Vec<Section> {
    let experiments = sources.experiments();
    if experiments.is_empty() {
        return Vec::new();
    }
    let mut head = Section::new("experiments", 2, sources.pick("Experiments", "实验"));
    head.say(sources.pick(
        "An experiment is a demo with its parameters. Its newest run leads; of earlier ones stands below how far they lie apart.",
        "一个实验是一个演示和它的参数。最新的一次运行在前；较早的各次之间相差多少写在下面。",
    ));
    head.blocks.push(Block::Table(overview(sources, &experiments)));
    let mut sections = vec![head];
    sections.extend(experiments.iter().enumerate().map(|(n, runs)| experiment(sources, n + 1, runs)));
    sections
}

/// A row for each experiment, with the value that stands for its newest run.
fn overview(sources: &Sources, experiments: &[Vec<&Measured>]) -> Table {
    let pick = |en, zh| sources.pick(en, zh);
    let mut table = Table::new(vec![
        Column::words(pick("experiment", "实验")),
        Column::words(pick("came to", "结果")),
        Column::numbers(pick("runs", "运行次数")),
        Column::words(pick("newest", "最新")),
    ]);
    for (n, runs) in experiments.iter().enumerate() {
        let Some(newest) = runs.first() else { continue };
        let spec = sources.spec(&newest.demo);
        let name = [vec![clean_line(&newest.demo)], chosen(spec, &newest.params)].concat().join(" ");
        let came = headline(sources, newest, spec).map_or_else(Text::new, |(name, kind)| {
            let text = Text::new().code(name).plain(" ").plain(said(sources, kind, newest.values.get(name)));
            let inconclusive = newest.values.get("verdict").and_then(Value::as_str) == Some(INCONCLUSIVE);
            let text = if inconclusive { text.plain(pick(", inconclusive", "，尚无定论")) } else { text };
            let watched = kind == ReturnKind::Nanos && source_of(newest) != Some(Source::Unwatched);
            if watched { text.plain(pick(" (watched)", "（有观察）")) } else { text }
        });
        table.row(vec![
            Text::new().link(format!("{}. {name}", n + 1), &id(n + 1)),
            came,
            thousands(runs.len() as u64).into(),
            sources.stamp(newest.when, &newest.host).into(),
        ]);
    }
    table
}

/// The name of an experiment's section.
fn id(n: usize) -> String {
    format!("run-{n}")
}

fn experiment(sources: &Sources, n: usize, runs: &[&Measured]) -> Section {
    let Some((newest, earlier)) = runs.split_first() else { return Section::new(id(n), 3, "") };
    let spec = sources.spec(&newest.demo);
    let mut section = Section::new(id(n), 3, heading(n, newest, spec));
    let about = match spec {
        Some(spec) if spec.title.ends_with('?') => super::capital(spec.title),
        Some(spec) => format!("{}.", super::capital(spec.title)),
        None => sources
            .pick(
                "This forklore has no such demo; its values are shown as they are.",
                "这个版本的 forklore 没有这个演示；它的值按原样列出。",
            )
            .to_owned(),
    };
    section.say(about);
    section.say(origin(sources, newest));
    section.say(how_known(sources, newest));
    section.blocks.extend(remarks(sources, newest, spec).into_iter().map(Block::Remark));
    let figures = figures::of(sources, newest, spec);
    section.blocks.extend(figures.blocks);
    if let Some(table) = values(sources, newest, spec, &figures.shown) {
        section.blocks.push(Block::Table(table));
    }
    let spread = earlier_runs(sources, newest, earlier, spec);
    if !spread.is_empty() {
        section.blocks.push(Block::List(spread));
    }
    if let Some(without) = without(sources, newest, spec, &figures.shown) {
        section.say(without);
    }
    section.say(sources.pick("To repeat it:", "重做一次："));
    section.blocks.push(Block::Command(command(spec, &newest.demo, &newest.params)));
    section
}

/// The demo, and those of its parameters that are not as they are by default.
fn heading(n: usize, run: &Measured, spec: Option<&DemoSpec>) -> Text {
    let chosen = chosen(spec, &run.params);
    let text = Text::from(format!("{n}. ")).code(&run.demo);
    if chosen.is_empty() { text } else { text.plain(" ").plain(chosen.join(" ")) }
}

/// Which run this is: when, where, by whom, how long.
fn origin(sources: &Sources, run: &Measured) -> String {
    let lesson = run.lesson.as_deref().map(|id| sources.title(id));
    let by = match (sources.lang, run.by, lesson, run.step) {
        (Lang::En, By::Tour, Some(lesson), Some(step)) => format!("step {step} of lesson {lesson}"),
        (Lang::Zh, By::Tour, Some(lesson), Some(step)) => format!("课程“{lesson}”的第 {step} 步"),
        (lang, By::Tour, ..) => lang.pick("a step of the tour", "导览中的一步").to_owned(),
        (lang, By::Lore, ..) => lang.pick("the ledger", "账本").to_owned(),
        (lang, By::Run, ..) => lang.pick("the command line", "命令行").to_owned(),
    };
    let (stamp, seconds, version) = (sources.stamp(run.when, &run.host), run.seconds, clean_line(&run.version));
    match sources.lang {
        Lang::En => format!("Run of {stamp}, by {by}: {seconds:.1} s, forklore {version}."),
        Lang::Zh => format!("运行：{stamp}，来自{by}，{seconds:.1} 秒，forklore {version}。"),
    }
}

fn source_of(run: &Measured) -> Option<Source> {
    serde_json::from_value(Value::String(run.source.clone())).ok()
}

/// Where its facts came from.
fn how_known(sources: &Sources, run: &Measured) -> Text {
    let meaning = match (source_of(run), sources.lang) {
        (Some(source), Lang::En) => source.meaning(),
        (Some(Source::Exact), Lang::Zh) => "内核记录了每一次切换。",
        (Some(Source::SelfTimed), Lang::Zh) => "每个工作者在循环里读时钟；出现空档说明它那时没有运行。",
        (Some(Source::Sampled), Lang::Zh) => "每秒多次查看 /proc；两次之间发生的事看不见。",
        (Some(Source::Unwatched), Lang::Zh) => "没有开记录器，因为它会改变要测的东西：数字是工作者自己测的。",
        (None, lang) => lang.pick("This forklore does not know that source.", "这个版本的 forklore 不认识这个来源。"),
    };
    let source = if run.source.is_empty() { sources.pick("not told", "未说明") } else { &run.source };
    let lost = match (run.lost, sources.lang) {
        (0, Lang::En) => " Nothing was lost.".to_owned(),
        (0, Lang::Zh) => "没有丢失记录。".to_owned(),
        (n, Lang::En) => format!(" {} records were lost: there are gaps.", thousands(n)),
        (n, Lang::Zh) => format!("丢失了 {} 条记录：有空缺。", thousands(n)),
    };
    Text::from(sources.pick("Source: ", "来源："))
        .strong(source)
        .plain(sources.pick(". ", "。"))
        .plain(meaning)
        .plain(lost)
}

/// What has to be known before its numbers are read.
fn remarks(sources: &Sources, run: &Measured, spec: Option<&DemoSpec>) -> Vec<Text> {
    let mut remarks = Vec::new();
    if run.early {
        remarks.push(sources.pick(
            "The learner ended it before it had come to its end: it is what was known by then.",
            "学习者提前结束了它：这里是到那时为止所知的。",
        ));
    }
    if source_of(run) != Some(Source::Unwatched) && has_times(run, spec) {
        remarks.push(sources.pick(
            "This run was watched, and watching costs: its times are what happened in this run, and are not quoted as costs.",
            "这次运行有记录器在看，而观察有代价：这些时间是这次运行里发生的，不能当作开销来引用。",
        ));
    }
    remarks.into_iter().map(Text::from).collect()
}

/// Whether it came to a time.
fn has_times(run: &Measured, spec: Option<&DemoSpec>) -> bool {
    let is_time = |name: &str| match spec.and_then(|spec| spec.returns(name)) {
        Some(value) => value.kind == ReturnKind::Nanos,
        None => name.ends_with("_ns"),
    };
    run.values.iter().any(|(name, value)| is_time(name) && value.is_number())
}

/// The values of the outcome in the order of the spec, then those that this version does not know. What `shown` names stands
/// in a figure already.
fn values(sources: &Sources, run: &Measured, spec: Option<&DemoSpec>, shown: &[String]) -> Option<Table> {
    let pick = |en, zh| sources.pick(en, zh);
    let mut table = Table::new(vec![
        Column::words(pick("value", "值")),
        Column::words(pick("measured", "测得")),
        Column::words(pick("what it is", "含义")),
    ]);
    let returns = spec.map(|spec| spec.returns).unwrap_or_default();
    let not_shown = |name: &str| !shown.iter().any(|one| one == name);
    let was = |name: &str| run.values.get(name).filter(|value| !value.is_null());
    for ReturnSpec { name, kind, help } in returns.iter().filter(|value| not_shown(value.name)) {
        if let Some(value) = was(name) {
            table.row(vec![Text::new().code(name), kind.show(value).into(), (*help).into()]);
        }
    }
    let known = |name: &String| returns.iter().any(|value| value.name == name);
    for (name, value) in run.values.iter().filter(|(name, _)| !known(name) && not_shown(name)) {
        let remark =
            if spec.is_some() { pick("(not known to this version)", "（这个版本不认识）") } else { "" };
        table.row(vec![Text::new().code(name), ReturnKind::Word.show(value).into(), remark.into()]);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// What its demo promises and this run did not come to: with these parameters there is no such thing, or it was ended before.
fn without(sources: &Sources, run: &Measured, spec: Option<&DemoSpec>, shown: &[String]) -> Option<Text> {
    let missing = |name: &str| run.values.get(name).is_none_or(Value::is_null) && name != DOUBT.name;
    let names = spec?.returns.iter().map(|value| value.name);
    let mut names = names.filter(|name| missing(name) && !shown.iter().any(|one| one == name));
    let first = Text::from(sources.pick("Not measured in this run: ", "这次运行没有测到：")).code(names.next()?);
    let all = names.fold(first, |text, name| text.plain(sources.pick(", ", "、")).code(name));
    Some(all.plain(sources.pick(".", "。")))
}

fn said(sources: &Sources, kind: ReturnKind, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => sources.pick("not measured", "没有测到").to_owned(),
        Some(value) => kind.show(value),
    }
}

/// The value that stands for a run: what its own step asks for, or a step that runs this demo in the same way, or in another;
/// or else the first value. Of all these, only what was measured.
fn headline<'r>(
    sources: &Sources<'r>,
    run: &'r Measured,
    spec: Option<&'static DemoSpec>,
) -> Option<(&'r str, ReturnKind)> {
    let own = run.lesson.as_deref().zip(run.step).and_then(|(id, n)| sources.step(id, n));
    let all = sources.library.lessons().flat_map(|lesson| &lesson.steps);
    let steps = all.filter_map(|step| Some((step, step.demo().filter(|demo| demo.name == run.demo)?)));
    let mut steps: Vec<_> = steps.collect();
    // The likest first: that of which most parameters are as in this run, and fewest are not.
    steps.sort_by_key(|(_, demo)| {
        let as_here = |(name, value): &(&String, &Value)| run.params.get(*name) == Some(*value);
        let (same, other): (Vec<_>, Vec<_>) = demo.params.iter().partition(as_here);
        (other.len(), std::cmp::Reverse(same.len()))
    });
    let all = own.into_iter().chain(steps.into_iter().map(|(step, _)| step));
    let asked = all.filter_map(|step: &Step| Some(step.predict()?.answer.as_str()));
    let whole = |kind: &ReturnKind| !matches!(kind, ReturnKind::List | ReturnKind::Table);
    let kind = |name: &str| spec.and_then(|spec| spec.returns(name)).map(|value| value.kind).filter(whole);
    let measured = |name: &str| run.values.get(name).is_some_and(|value| !value.is_null());
    let mut asked = asked.filter(|name| measured(name)).filter_map(|name| Some((name, kind(name)?)));
    asked.next().or_else(|| {
        let returns = spec.into_iter().flat_map(|spec| spec.returns);
        let first = returns.filter(|value| whole(&value.kind)).find(|value| measured(value.name));
        let number = |name: &&String| run.values.get(*name).is_some_and(Value::is_number);
        let other = || run.values.keys().find(number).map(|name| (name.as_str(), ReturnKind::Number));
        first.map(|value| (value.name, value.kind)).or_else(other)
    })
}

/// How many runs there were before on each machine, and between what their headline value lay.
fn earlier_runs(
    sources: &Sources,
    newest: &Measured,
    earlier: &[&Measured],
    spec: Option<&'static DemoSpec>,
) -> Vec<Text> {
    let headline = headline(sources, newest, spec);
    let machines = sources.machines();
    let lines = machines.iter().filter_map(|(machine, _)| {
        let runs: Vec<&Measured> = earlier.iter().filter(|run| run.host == *machine).copied().collect();
        let (last, first) = (runs.first()?, runs.last()?);
        let times = if first.when == last.when {
            date::moment(first.when)
        } else {
            format!("{} – {}", date::moment(first.when), date::moment(last.when))
        };
        let on = sources.machine(machine);
        let n = runs.len();
        let text = Text::from(match (sources.lang, n) {
            (Lang::En, 1) => format!("1 earlier run on {on}, {times}"),
            (Lang::En, n) => format!("{n} earlier runs on {on}, {times}"),
            (Lang::Zh, n) => format!("{on} 上较早的运行 {n} 次，{times}"),
        });
        let (name, kind) = headline?;
        let mut found: Vec<f64> = runs.iter().filter_map(|run| run.values.get(name)?.as_f64()).collect();
        found.sort_by(f64::total_cmp);
        let show = |value: f64| kind.show(&whole(value));
        let (least, most) = (found.first().copied(), found.last().copied());
        let text = text.plain(sources.pick(": ", "："));
        Some(match (least.zip(most), median(&found)) {
            (Some((least, most)), Some(middle)) if found.len() > 1 => {
                let [least, most, middle] = [least, most, middle].map(show);
                text.code(name).plain(match sources.lang {
                    Lang::En => format!(" from {least} to {most}, median {middle}"),
                    Lang::Zh => format!(" 从 {least} 到 {most}，中位数 {middle}"),
                })
            }
            (Some((only, _)), _) => text.code(name).plain(format!(" {}", show(only))),
            _ => {
                let mut all: Vec<_> = runs.iter().map(|run| said(sources, kind, run.values.get(name))).collect();
                all.sort_unstable();
                all.dedup();
                text.code(name).plain(" ").plain(all.join(sources.pick(", ", "，")))
            }
        })
    });
    lines.collect()
}

/// A number as it would stand in a file: a whole one without a fraction.
fn whole(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "within the whole numbers that a float holds exactly")]
    if value.fract() == 0.0 && value.abs() < 9e15 { Value::from(value as i64) } else { Value::from(value) }
}
