//! A demo's parameters: what it takes, and how a word of the command line or a value of a lesson is read.

use super::{DemoSpec, Values};
use serde_json::{Value, json};
use std::fmt;

/// A typed, range-checked parameter.
#[derive(Debug)]
pub struct ParamSpec {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// What it does, in a few words.
    pub help: &'static str,
}

/// What a parameter takes, with its default.
#[derive(Debug)]
pub enum ParamKind {
    /// A whole number from `min` to `max`, in `unit` ("" for a plain count).
    Int {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
        /// Value when not given.
        default: i64,
        /// "ms", "KiB" or "".
        unit: &'static str,
    },
    /// One of some words; the first is the default.
    Choice(&'static [&'static str]),
    /// A list of whole numbers, one a worker; workers beyond its end take 0.
    Ints {
        /// Least value of each.
        min: i64,
        /// Greatest value of each.
        max: i64,
        /// Longest list.
        most: usize,
        /// List when not given.
        default: &'static [i64],
    },
    /// A CPU number; by default the first that is allowed.
    Cpu,
    /// A worker's letter.
    Letter(char),
    /// yes or no.
    Flag(bool),
}

impl ParamKind {
    /// The value when none is given; null for "the first allowed CPU".
    #[must_use]
    pub fn default(&self) -> Value {
        match self {
            Self::Int { default, .. } => json!(default),
            Self::Choice(words) => json!(words.first().copied().unwrap_or_default()),
            Self::Ints { default, .. } => json!(default),
            Self::Cpu => Value::Null,
            Self::Letter(c) => json!(c.to_string()),
            Self::Flag(b) => json!(b),
        }
    }

    /// What it takes, in words: "1 to 16", "processes | threads".
    #[must_use]
    pub fn takes(&self) -> String {
        match self {
            Self::Int { min, max, unit: "", .. } => format!("{min} to {max}"),
            Self::Int { min, max, unit, .. } => format!("{min} to {max} {unit}"),
            Self::Choice(words) => words.join(" | "),
            Self::Ints { min, max, most, .. } => format!("up to {most} numbers from {min} to {max}"),
            Self::Cpu => "an allowed CPU's number".to_owned(),
            Self::Letter(_) => "a worker's letter, A to Z".to_owned(),
            Self::Flag(_) => "yes | no".to_owned(),
        }
    }

    /// Reads a value as a lesson or a recording gives it.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with the parameter's name.
    pub fn read(&self, value: &Value) -> Result<Value, String> {
        let wants = || format!("takes {}", self.takes());
        match self {
            Self::Int { min, max, unit, .. } => {
                let n = match value {
                    Value::String(s) => s.trim().trim_end_matches(unit).trim().parse().map_err(|_| wants())?,
                    other => other.as_i64().ok_or_else(wants)?,
                };
                if (*min..=*max).contains(&n) { Ok(json!(n)) } else { Err(format!("{}, not {n}", wants())) }
            }
            Self::Choice(words) => match value.as_str() {
                Some(word) if words.contains(&word) => Ok(json!(word)),
                Some(word) => Err(format!("{}, not \u{201c}{}\u{201d}", wants(), super::clean_line(word))),
                None => Err(wants()),
            },
            Self::Ints { min, max, most, .. } => {
                let list = value.as_array().ok_or_else(wants)?;
                let numbers: Option<Vec<i64>> = list.iter().map(Value::as_i64).collect();
                match numbers {
                    Some(n) if n.len() <= *most && n.iter().all(|n| (*min..=*max).contains(n)) => Ok(json!(n)),
                    _ => Err(wants()),
                }
            }
            Self::Cpu => match value {
                Value::Null => Ok(Value::Null),
                other => other.as_u64().filter(|n| *n < 65_536).map(|n| json!(n)).ok_or_else(wants),
            },
            Self::Letter(_) => match value.as_str().map(str::as_bytes) {
                Some([c]) if c.is_ascii_alphabetic() => Ok(json!((c.to_ascii_uppercase() as char).to_string())),
                _ => Err(wants()),
            },
            Self::Flag(_) => match value {
                Value::Bool(b) => Ok(json!(b)),
                Value::String(s) if s == "yes" => Ok(json!(true)),
                Value::String(s) if s == "no" => Ok(json!(false)),
                _ => Err(wants()),
            },
        }
    }

    /// Reads a word of the command line: `3`, `processes`, `0,5,10`, `40ms`.
    ///
    /// # Errors
    /// As [`ParamKind::read`].
    pub fn read_word(&self, word: &str) -> Result<Value, String> {
        let wants = || format!("takes {}, not \u{201c}{}\u{201d}", self.takes(), super::clean_line(word));
        let value = match self {
            Self::Int { unit, .. } => {
                json!(word.trim().trim_end_matches(unit).trim().parse::<i64>().map_err(|_| wants())?)
            }
            Self::Cpu => json!(word.parse::<u64>().map_err(|_| wants())?),
            Self::Ints { .. } => {
                let inner = word.trim().trim_start_matches('[').trim_end_matches(']');
                let numbers = inner.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::parse::<i64>);
                json!(numbers.collect::<Result<Vec<_>, _>>().map_err(|_| wants())?)
            }
            Self::Choice(_) | Self::Letter(_) | Self::Flag(_) => json!(word),
        };
        self.read(&value)
    }
}

/// A parameter that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamError {
    /// Which one.
    pub param: String,
    /// The whole sentence.
    pub sentence: String,
}

impl ParamError {
    /// "`param` `rest`", as one sentence.
    #[must_use]
    pub fn new(param: &str, rest: &str) -> Self {
        let param = super::clean_line(param);
        Self { sentence: format!("{param} {rest}"), param }
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for ParamError {}

/// Whether a demo's workers are processes or threads: the same work, twice, is the point of the whole program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As {
    /// Each worker is a process of its own.
    Processes,
    /// All workers are threads of one process.
    Threads,
}

impl As {
    /// The parameter's kind, processes by default.
    pub const PARAM: ParamSpec =
        ParamSpec { name: "as", kind: ParamKind::Choice(&["processes", "threads"]), help: "what the workers are" };
}

/// A demo's parameters, complete and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    values: Values,
}

impl Params {
    /// All defaults of `spec`.
    #[must_use]
    pub fn defaults(spec: &DemoSpec) -> Self {
        Self { values: spec.params.iter().map(|p| (p.name.to_owned(), p.kind.default())).collect() }
    }

    /// `given` over the defaults of `spec`.
    ///
    /// # Errors
    /// Every parameter that is unknown, ill-typed or out of range.
    pub fn from_values(spec: &DemoSpec, given: &Values) -> Result<Self, Vec<ParamError>> {
        Self::collect(spec, given.iter().map(|(name, value)| (name.as_str(), value)), ParamKind::read)
    }

    /// `name=value` words of a command line over the defaults of `spec`.
    ///
    /// # Errors
    /// Every word that is no `name=value`, and as [`Params::from_values`].
    pub fn from_words<S: AsRef<str>>(spec: &DemoSpec, words: &[S]) -> Result<Self, Vec<ParamError>> {
        let mut pairs = Vec::new();
        for word in words {
            match word.as_ref().split_once('=') {
                Some((name, _)) if pairs.iter().any(|(known, _)| *known == name) => {
                    return Err(vec![ParamError::new(name, "is given twice")]);
                }
                Some(pair) => pairs.push(pair),
                None => return Err(vec![ParamError::new(word.as_ref(), "is not of the form name=value")]),
            }
        }
        Self::collect(spec, pairs.into_iter(), |kind, word: &str| kind.read_word(word))
    }

    fn collect<'a, V>(
        spec: &DemoSpec,
        given: impl Iterator<Item = (&'a str, V)>,
        read: impl Fn(&ParamKind, V) -> Result<Value, String>,
    ) -> Result<Self, Vec<ParamError>> {
        let mut params = Self::defaults(spec);
        let mut errors = Vec::new();
        for (name, value) in given {
            match spec.param(name).map(|p| read(&p.kind, value)) {
                Some(Ok(value)) => {
                    params.values.insert(name.to_owned(), value);
                }
                Some(Err(wrong)) => errors.push(ParamError::new(name, &wrong)),
                None => {
                    let known: Vec<_> = spec.params.iter().map(|p| p.name).collect();
                    let known = if known.is_empty() { "no parameters".to_owned() } else { known.join(", ") };
                    errors.push(ParamError::new(name, &format!("is no parameter of {}, which has {known}", spec.name)));
                }
            }
        }
        if errors.is_empty()
            && let Err(error) = (spec.check)(&params)
        {
            errors.push(error);
        }
        if errors.is_empty() { Ok(params) } else { Err(errors) }
    }

    /// All of them.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// A whole number; 0 if there is no such parameter.
    #[must_use]
    pub fn int(&self, name: &str) -> i64 {
        self.values.get(name).and_then(Value::as_i64).unwrap_or(0)
    }

    /// A count; 0 if there is no such parameter.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        usize::try_from(self.int(name)).unwrap_or(0)
    }

    /// A word; empty if there is no such parameter.
    #[must_use]
    pub fn word(&self, name: &str) -> &str {
        self.values.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A list of numbers.
    #[must_use]
    pub fn ints(&self, name: &str) -> Vec<i64> {
        let list = self.values.get(name).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(Value::as_i64).collect()).unwrap_or_default()
    }

    /// A number that may be left open, as a CPU may.
    #[must_use]
    pub fn maybe(&self, name: &str) -> Option<u64> {
        self.values.get(name).and_then(Value::as_u64)
    }

    /// yes or no.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.values.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// What the workers are, by the parameter `as`.
    #[must_use]
    pub fn workers_as(&self) -> As {
        if self.word("as") == "threads" { As::Threads } else { As::Processes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SPEC: DemoSpec = DemoSpec {
        name: "sample",
        title: "a sample",
        part: "Tests",
        about: "",
        params: &[
            As::PARAM,
            ParamSpec { name: "workers", kind: ParamKind::Int { min: 1, max: 16, default: 3, unit: "" }, help: "" },
            ParamSpec { name: "pace", kind: ParamKind::Int { min: 1, max: 1000, default: 40, unit: "ms" }, help: "" },
            ParamSpec { name: "nice", kind: ParamKind::Ints { min: -20, max: 19, most: 16, default: &[] }, help: "" },
            ParamSpec { name: "cpu", kind: ParamKind::Cpu, help: "" },
            ParamSpec { name: "victim", kind: ParamKind::Letter('C'), help: "" },
        ],
        check: |p| {
            if p.word("victim") == "Z" { Err(ParamError::new("victim", "is not there")) } else { Ok(()) }
        },
        ..DemoSpec::BASE
    };

    #[test]
    fn defaults_are_complete() {
        let p = Params::defaults(&SPEC);
        assert_eq!((p.workers_as(), p.int("workers"), p.maybe("cpu")), (As::Processes, 3, None));
    }

    #[test]
    fn words_are_read_with_units_and_lists() {
        let p =
            Params::from_words(&SPEC, &["pace=80ms", "nice=0,5,10", "cpu=1", "as=threads", "victim=b"]).expect("good");
        assert_eq!((p.int("pace"), p.ints("nice"), p.maybe("cpu")), (80, vec![0, 5, 10], Some(1)));
        assert_eq!((p.workers_as(), p.word("victim")), (As::Threads, "B"));
    }

    #[test]
    fn each_wrong_word_is_one_sentence() {
        let wrong = |word: &str| Params::from_words(&SPEC, &[word]).expect_err(word)[0].sentence.clone();
        assert_eq!(wrong("workers=0"), "workers takes 1 to 16, not 0");
        assert_eq!(wrong("workers=99999999999999999999"), "workers takes 1 to 16, not “99999999999999999999”");
        assert_eq!(wrong("as=fibers"), "as takes processes | threads, not “fibers”");
        assert_eq!(wrong("nice=40"), "nice takes up to 16 numbers from -20 to 19");
        assert_eq!(wrong("--"), "-- is not of the form name=value");
        assert!(wrong("shell=rm").starts_with("shell is no parameter of sample, which has as, workers"));
        assert_eq!(wrong("victim=z"), "victim is not there");
        let twice = Params::from_words(&SPEC, &["workers=2", "workers=3"]).expect_err("which?");
        assert_eq!(twice[0].sentence, "workers is given twice");
        assert!(!wrong("as=\u{1b}[31m").contains('\u{1b}'));
    }

    #[test]
    fn what_is_written_to_a_stream_is_read_back() {
        let p = Params::from_words(&SPEC, &["workers=5", "nice=1,2"]).expect("good");
        assert_eq!(Params::from_values(&SPEC, p.values()), Ok(p));
    }
}
