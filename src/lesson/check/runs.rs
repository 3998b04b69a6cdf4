//! The runs of a step: a demo with parameters it takes, expectations it can meet, and the prediction before it.

use super::{Course, Page, options};
use crate::fact::{DemoSpec, Params};
use crate::lesson::{Block, Demo, Predict, Step};

pub(super) fn check(course: &Course<'_>, page: &mut Page<'_>) {
    for step in &page.lesson.steps {
        order(page, step);
        for block in &step.blocks {
            if let Block::Demo(demo) = block {
                run(course, page, demo);
            }
        }
        let spec = step.demo().and_then(|demo| course.demo(&demo.name));
        if let (Some(predict), Some(spec)) = (step.predict(), spec) {
            prediction(page, predict, spec);
        }
    }
}

/// At most one demo and one prediction, the prediction first.
fn order(page: &mut Page<'_>, step: &Step) {
    let demos =
        step.blocks.iter().enumerate().filter_map(|(i, b)| if let Block::Demo(d) = b { Some((i, d)) } else { None });
    let predicts =
        step.blocks.iter().enumerate().filter_map(|(i, b)| if let Block::Predict(p) = b { Some((i, p)) } else { None });
    let (demos, predicts): (Vec<_>, Vec<_>) = (demos.collect(), predicts.collect());
    for (_, demo) in demos.iter().skip(1) {
        let at = page.line(demo.at.line);
        page.say(page.error(at, "this step already has a demo").help("give it a step of its own"));
    }
    for (_, predict) in predicts.iter().skip(1) {
        let at = page.line(predict.at.line);
        page.say(page.error(at, "this step already has a prediction").help("give it a step of its own"));
    }
    let Some((asked, predict)) = predicts.first() else { return };
    let at = page.line(predict.at.line);
    match demos.first() {
        Some((run, _)) if run < asked => {
            let what = "this prediction comes after its demo";
            page.say(page.error(at, what).help("ask before the run: move it above the demo"));
        }
        None if !step.blocks.iter().any(|b| matches!(b, Block::Wrong(_))) => {
            let what = "nothing answers this prediction: the step has no demo";
            page.say(page.error(at, what).help("add a demo block below it, or make it a quiz"));
        }
        _ => {}
    }
}

/// A demo block: its name, parameters and expectations.
fn run(course: &Course<'_>, page: &mut Page<'_>, demo: &Demo) {
    let fence = page.fence(demo.at);
    let Some(spec) = course.demo(&demo.name) else {
        let what = format!("there is no demo {}", demo.name);
        let at = page.word(fence, &demo.name);
        page.say(page.error(at, what).did_you_mean(&demo.name, course.demo_names()));
        return;
    };
    let body = fence.start + 1..fence.end;
    for wrong in Params::from_values(spec, &demo.params).err().unwrap_or_default() {
        let at = page.words(body.clone(), &wrong.param).next().unwrap_or_else(|| page.line(demo.at.line));
        let known = spec.params.iter().map(|p| p.name);
        let error = page.error(at, wrong.sentence.clone());
        page.say(if spec.param(&wrong.param).is_none() { error.did_you_mean(&wrong.param, known) } else { error });
    }
    if demo.expect.is_empty() {
        let at = page.line(demo.at.line);
        let what = format!("nothing is expected of {}", demo.name);
        page.say(page.warning(at, what).help("say what has to happen: expect = { value = 5 }"));
    }
    let expects = page.word(body.clone(), "expect").0.line.max(body.start)..body.end;
    for (name, expect) in &demo.expect {
        let at = page.word(expects.clone(), name);
        match spec.returns(name) {
            None => returns_no(page, spec, name, at),
            Some(returns) => {
                if let Err(wrong) = options::fits(returns, &expect.written, &expect.matches) {
                    page.say(page.error(at, wrong.sentence).help(wrong.remedy));
                }
            }
        }
    }
}

fn returns_no(page: &mut Page<'_>, spec: &DemoSpec, name: &str, at: (crate::lesson::Pos, usize)) {
    let what = format!("{} returns no {name}", spec.name);
    let names: Vec<_> = spec.returns.iter().map(|r| r.name).collect();
    let error = page.error(at, what).did_you_mean(name, names.iter().copied());
    let all = format!("it returns {}", names.join(", "));
    let remedy = error.remedy.clone().unwrap_or(all);
    page.say(error.help(remedy));
}

/// A prediction against the value that answers it.
fn prediction(page: &mut Page<'_>, predict: &Predict, spec: &DemoSpec) {
    let fence = page.fence(predict.at);
    let starts = |mark: &str| {
        let with_mark = |n: &usize| page.lines.get(n - 1).is_some_and(|line| line.trim_start().starts_with(mark));
        fence.clone().skip(1).filter(with_mark).collect::<Vec<_>>()
    };
    let (answers, places) = (starts("="), starts("- "));
    let answer = answers.first().copied().unwrap_or(fence.start);
    let Some(returns) = spec.returns(&predict.answer) else {
        let at = page.word(answer..answer + 1, &predict.answer);
        returns_no(page, spec, &predict.answer, at);
        return;
    };
    let place = |option: usize| page.line(places.get(option).copied().unwrap_or(fence.start));
    let mut found = Vec::new();
    for (i, option) in predict.options.iter().enumerate() {
        if let Err(wrong) = options::fits(returns, &option.label, &option.matches) {
            found.push(page.error(place(i), wrong.sentence).help(wrong.remedy));
        } else if let Some(other) =
            predict.options[..i].iter().find(|other| options::overlap(&other.matches, &option.matches))
        {
            let what = format!("“{}” and “{}” can both be right", other.label, option.label);
            found.push(page.error(place(i), what).help("let the options part what can happen among them"));
        }
    }
    if found.is_empty()
        && let Some((i, gap)) = options::gap(&predict.options)
    {
        let what = format!("no option covers {gap}");
        found.push(page.warning(place(i), what).help("a range ends just below its second number"));
    }
    found.into_iter().for_each(|d| page.say(d));
}
