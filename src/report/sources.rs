//! What a report is made of, and the few questions that all its parts ask of it.

use super::date;
use crate::fact::{DemoSpec, Values, clean_line};
use crate::lesson::{Lesson, Library, Step};
use crate::lore::{Lang, Ledger};
use crate::progress::{Host, Measured, Progress, Results, When};
use serde_json::Value;

/// What a report is made of. Nothing else goes into it: the same gives the same report.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'s> {
    /// What the learner did and predicted.
    pub progress: &'s Progress,
    /// What was measured.
    pub results: &'s Results,
    /// The lessons, in the language of the report.
    pub library: &'s Library,
    /// The claims.
    pub ledger: &'s Ledger,
    /// The demos.
    pub specs: &'s [&'static DemoSpec],
    /// The machine on which the report is made, as far as it is known.
    pub here: Option<&'s Host>,
    /// When it is made.
    pub now: When,
    /// The language that it speaks.
    pub lang: Lang,
}

impl<'s> Sources<'s> {
    /// One of two texts.
    pub(super) fn pick<'t>(&self, en: &'t str, zh: &'t str) -> &'t str {
        self.lang.pick(en, zh)
    }

    /// The demo called `name`.
    pub(super) fn spec(&self, name: &str) -> Option<&'static DemoSpec> {
        self.specs.iter().find(|spec| spec.name == name).copied()
    }

    /// The lesson with this id.
    pub(super) fn lesson(&self, id: &str) -> Option<&'s Lesson> {
        self.library.lessons().find(|lesson| lesson.id == id)
    }

    /// A step of a lesson, counted from 1.
    pub(super) fn step(&self, id: &str, n: u32) -> Option<&'s Step> {
        self.lesson(id)?.steps.get(usize::try_from(n).ok()?.checked_sub(1)?)
    }

    /// A lesson as it is called, with its number; what is none of ours by its id.
    pub(super) fn title(&self, id: &str) -> String {
        match self.lesson(id) {
            Some(lesson) if lesson.number > 0 => format!("{} {}", lesson.number, clean_line(&lesson.title)),
            Some(lesson) => clean_line(&lesson.title),
            None => clean_line(id),
        }
    }

    /// The machines, those that measured last first.
    pub(super) fn machines(&self) -> Vec<(&'s str, Option<&'s Host>)> {
        let results = self.results;
        let runs = results.runs.values().map(|run| (run.host.as_str(), run.when));
        let answers = results.answers.values().map(|answer| (answer.host.as_str(), answer.when));
        let mut last: std::collections::BTreeMap<&str, When> = std::collections::BTreeMap::new();
        for (host, when) in runs.chain(answers) {
            let known = last.entry(host).or_default();
            *known = when.max(*known);
        }
        let mut names: Vec<_> = last.into_iter().collect();
        names.sort_by_key(|(name, when)| (std::cmp::Reverse(*when), *name));
        names.into_iter().map(|(name, _)| (name, results.hosts.get(name))).collect()
    }

    /// What a machine is called in this report: "machine 1".
    pub(super) fn machine(&self, name: &str) -> String {
        let place = self.machines().iter().position(|(known, _)| *known == name);
        let n = place.map_or_else(|| "?".to_owned(), |n| (n + 1).to_string());
        format!("{} {n}", self.pick("machine", "机器"))
    }

    /// A date, and the machine.
    pub(super) fn stamp(&self, when: When, host: &str) -> String {
        format!("{}{}{}", date::moment(when), self.pick(", ", "，"), self.machine(host))
    }

    /// The runs of each experiment, that is of one demo with one set of parameters, newest first; experiments in the order of
    /// the demos, those of demos that are not known last.
    pub(super) fn experiments(&self) -> Vec<Vec<&'s Measured>> {
        let mut runs: Vec<&Measured> = self.results.runs.values().collect();
        let place = |run: &Measured| self.specs.iter().position(|spec| spec.name == run.demo).unwrap_or(usize::MAX);
        runs.sort_by_cached_key(|run| {
            let params = serde_json::to_string(&run.params).unwrap_or_default();
            (place(run), run.demo.clone(), params, std::cmp::Reverse(run.when))
        });
        let alike = |a: &&Measured, b: &&Measured| a.demo == b.demo && a.params == b.params;
        let mut all: Vec<Vec<&Measured>> = runs.chunk_by(alike).map(<[_]>::to_vec).collect();
        // Of one demo the experiment that was made last comes first.
        all.sort_by_key(|runs| runs.first().map(|run| (place(run), run.demo.clone(), std::cmp::Reverse(run.when))));
        all
    }
}

/// The command that repeats a run. What a shell could take for more than a word stands in quotes.
pub(super) fn command(spec: Option<&DemoSpec>, demo: &str, params: &Values) -> String {
    let mut words = vec!["forklore run".to_owned(), quoted(demo)];
    for (name, value) in params {
        let default = spec.and_then(|spec| spec.param(name)).map(|param| param.kind.default());
        let says_nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if says_nothing && default.is_none_or(|default| default == *value) {
            continue;
        }
        words.push(quoted(&format!("{name}={}", word(value))));
    }
    words.join(" ")
}

/// Those parameters that are not as they are by default, as they are written on the command line.
pub(super) fn chosen(spec: Option<&DemoSpec>, params: &Values) -> Vec<String> {
    let default = |name: &str| spec.and_then(|spec| spec.param(name)).map(|param| param.kind.default());
    let differs = params.iter().filter(|(name, value)| default(name).as_ref() != Some(value) && !value.is_null());
    differs.map(|(name, value)| format!("{}={}", clean_line(name), word(value))).collect()
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(word) => clean_line(word),
        Value::Array(list) => list.iter().map(word).collect::<Vec<_>>().join(","),
        other => clean_line(&other.to_string()),
    }
}

fn quoted(word: &str) -> String {
    let word = clean_line(word);
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-=.,:+/".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_command_repeats_the_run_and_nothing_else() {
        let params: Values = [
            ("as", json!("threads")),
            ("cpu", json!(null)),
            ("nice", json!([])),
            ("resident_mib", json!([0, 64])),
            ("trap", json!("x; rm -rf ~ '")),
            ("yes", json!(true)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        assert_eq!(
            command(None, "new", &params),
            "forklore run new as=threads resident_mib=0,64 'trap=x; rm -rf ~ '\\''' yes=yes"
        );
        assert_eq!(command(None, "", &Values::new()), "forklore run ''");
        assert_eq!(command(None, "$(x)\n\u{1b}", &Values::new()), "forklore run '$(x) \u{fffd}'");
    }

    #[test]
    fn every_demos_command_is_read_back_as_what_it_was_made_of() {
        for spec in crate::demo::specs() {
            let params = crate::fact::Params::defaults(spec);
            let line = command(Some(spec), spec.name, params.values());
            let words: Vec<&str> = line.split(' ').skip(3).collect();
            assert_eq!(crate::fact::Params::from_words(spec, &words), Ok(params.clone()), "{line}");
            assert_eq!(chosen(Some(spec), params.values()), [""; 0], "{}", spec.name);
        }
    }
}
