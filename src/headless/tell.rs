//! A run in words: how it began, what was refused or said, how it ended. The same for a live and a recorded one.

use super::words;
use crate::demo;
use crate::fact::{DemoSpec, Fact, Outcome, Start, Values, clean_line, thousands};
use serde_json::Value;

/// Lines that are told of what one run refused, said or lost; of more, only how many there were.
const LINES: usize = 100;

/// Characters of one line of a demo's output.
const SAID: usize = 400;

/// Tells one run, fact by fact.
pub(super) struct Teller {
    recorded: bool,
    spec: Option<&'static DemoSpec>,
    told: usize,
    passed_over: usize,
}

impl Teller {
    /// For a run that goes on now, or for one from a recording.
    pub(super) fn new(recorded: bool) -> Self {
        Self { recorded, spec: None, told: 0, passed_over: 0 }
    }

    /// The lines that a fact is worth; most are worth none.
    pub(super) fn tell(&mut self, fact: &Fact) -> Vec<String> {
        match fact {
            Fact::Start(start) => {
                self.spec = demo::find(&start.demo).map(|demo| demo.spec());
                opening(start, self.spec, self.recorded)
            }
            Fact::Outcome(outcome) => {
                let more = self.passed_over;
                let more = (more > 0).then(|| format!("  {} more lines are not told", thousands(more as u64)));
                more.into_iter().chain(conclusion(self.spec, outcome)).collect()
            }
            other => {
                let lines = event(other);
                if self.told < LINES {
                    self.told += lines.len();
                    return lines;
                }
                self.passed_over += lines.len();
                Vec::new()
            }
        }
    }
}

fn event(fact: &Fact) -> Vec<String> {
    match fact {
        Fact::Refused(refused) => words::fold("  refused: ", &clean_line(&refused.to_string())),
        Fact::Said { text, dropped } => {
            let more = if text.chars().nth(SAID).is_some() { "\u{2026}" } else { "" };
            let text: String = clean_line(text).chars().take(SAID).collect();
            let dropped = (*dropped > 0).then(|| format!("  {} bytes of its output were dropped", thousands(*dropped)));
            dropped.into_iter().chain(words::fold("  it says: ", &format!("{text}{more}"))).collect()
        }
        Fact::Lost { records } => vec![format!("  {} records were lost: a gap", thousands(*records))],
        _ => Vec::new(),
    }
}

/// What runs, with which parameters, and how we know.
fn opening(start: &Start, spec: Option<&DemoSpec>, recorded: bool) -> Vec<String> {
    let name = clean_line(&start.demo);
    let title = match spec {
        Some(spec) => spec.title.to_owned(),
        None => "this forklore has no such demo; its values are shown as they are".to_owned(),
    };
    let mut lines = words::fold(&format!("{name}: "), &title);
    lines.extend(words::fold("  ", &params(&start.params)));
    if recorded {
        let cpus = super::request::ranges(&start.cpus);
        let what = format!("Linux {}, CPUs {cpus}.", clean_line(&start.kernel));
        lines.extend(words::fold("  recorded: ", &what));
    }
    lines.extend(words::fold(&format!("  {}: ", start.source), start.source.meaning()));
    if let Some(because) = &start.because {
        lines.extend(words::fold("  no better source: ", &clean_line(because)));
    }
    lines
}

/// How the run ended, and the values.
fn conclusion(spec: Option<&DemoSpec>, outcome: &Outcome) -> Vec<String> {
    if !ran(outcome) {
        // Why stands above: it was refused.
        return vec!["it could not run".to_owned()];
    }
    let lost =
        if outcome.lost == 0 { "nothing lost".into() } else { format!("{} records lost", thousands(outcome.lost)) };
    let left = match (outcome.clean, outcome.left_behind) {
        (false, _) => "something could not be ended".to_owned(),
        (true, 0) => "nothing left behind".to_owned(),
        (true, n) => format!("{n} left behind and ended"),
    };
    let mut lines = vec![format!("after {:.1} s: {lost}, {left}", outcome.seconds)];
    lines.extend(words::table(spec, &outcome.values));
    if let Some(broke) = &outcome.broke {
        lines.extend(words::fold("this demo broke: ", &clean_line(broke)));
    }
    lines
}

/// Whether anything ran: the stage or the source that was asked for may have been refused before.
pub(super) fn ran(outcome: &Outcome) -> bool {
    outcome.seconds > 0.0
}

/// Parameters as they are written on the command line; those that say nothing are left out.
pub(super) fn params(values: &Values) -> String {
    let says = |v: &Value| !v.is_null() && v.as_array().is_none_or(|list| !list.is_empty());
    let given = values.iter().filter(|(_, v)| says(v));
    given.map(|(name, v)| format!("{}={}", clean_line(name), param(v))).collect::<Vec<_>>().join(" ")
}

/// A parameter as it is written on the command line.
pub(super) fn param(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(word) => clean_line(word),
        Value::Array(list) => list.iter().map(param).collect::<Vec<_>>().join(","),
        other => clean_line(&other.to_string()),
    }
}
