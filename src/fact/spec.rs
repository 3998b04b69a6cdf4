//! How a demo describes itself: parameters, values, pictures, controls. Everything that the rest of the program knows
//! of a demo stands in its [`DemoSpec`], so that a new demo needs no edit elsewhere.

use super::{Limits, ParamError, ParamSpec, Params, Picture, Values};

/// All that the program knows of a demo.
#[derive(Debug)]
pub struct DemoSpec {
    /// The name on the command line and in lessons.
    pub name: &'static str,
    /// What runs, in a few words: "three workers take turns on one core".
    pub title: &'static str,
    /// The part of the subject it belongs to: "Who runs when".
    pub part: &'static str,
    /// What it shows, in two or three sentences.
    pub about: &'static str,
    /// Its parameters, in the order of the help.
    pub params: &'static [ParamSpec],
    /// The values of its outcome.
    pub returns: &'static [ReturnSpec],
    /// The pictures that show it, most important first.
    pub pictures: &'static [Picture],
    /// What the learner can do to it while it runs.
    pub controls: &'static [Control],
    /// These change what its lesson speaks of: a run in which the learner used one is theirs, and not judged.
    pub keys_change_it: bool,
    /// Its workers time their own slices, so [`super::Source::SelfTimed`] works for it.
    pub self_timed: bool,
    /// It measures what the recorder would change: it is run with [`super::Source::Unwatched`] unless an observer is asked for.
    pub unwatched: bool,
    /// Milliseconds after which its values can be judged while it goes on; 0: when it tells the step [`SETTLED`], or has ended.
    pub settles_ms: u64,
    /// Once settled it waits for the learner, who may want more of it. Without a screen it ends there.
    pub stays: bool,
    /// Milliseconds that it runs without a screen; 0: it ends by itself.
    pub lasts_ms: fn(&Params) -> u64,
    /// What must hold between parameters.
    pub check: fn(&Params) -> Result<(), ParamError>,
    /// The bounds that it runs in, given its parameters.
    pub limits: fn(&Params) -> Limits,
    /// What it needs of the machine to show all that it can.
    pub needs: &'static [Need],
}

/// A thing that a demo shows only where the machine allows it.
#[derive(Debug)]
pub struct Need {
    /// What is needed, by the name under which the survey of the machine speaks of it: "page maps".
    pub capability: &'static str,
    /// What is not shown without it, as the end of "without it: ..".
    pub without: &'static str,
}

impl PartialEq for DemoSpec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl DemoSpec {
    /// What holds for a demo that says nothing else: no parameters, no pictures, it ends by itself, the usual bounds. For
    /// `..DemoSpec::BASE`.
    pub const BASE: Self = Self {
        name: "",
        title: "",
        part: "",
        about: "",
        params: &[],
        returns: &[],
        pictures: &[],
        controls: &[],
        keys_change_it: false,
        self_timed: false,
        unwatched: false,
        settles_ms: 0,
        stays: false,
        lasts_ms: |_| 0,
        check: |_| Ok(()),
        limits: |_| Limits::DEFAULT,
        needs: &[],
    };

    /// The parameter called `name`.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'static ParamSpec> {
        self.params.iter().find(|p| p.name == name)
    }

    /// The outcome value called `name`.
    #[must_use]
    pub fn returns(&self, name: &str) -> Option<&'static ReturnSpec> {
        self.returns.iter().find(|r| r.name == name)
    }
}

/// One value of an outcome.
#[derive(Debug)]
pub struct ReturnSpec {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: ReturnKind,
    /// What it means, in a few words.
    pub help: &'static str,
}

/// What an outcome value is, so that options and `expect` can be compared with it and it can be shown with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReturnKind {
    /// A whole number of things.
    Count,
    /// Nanoseconds.
    Nanos,
    /// Kibibytes.
    Kib,
    /// Bytes a second.
    Rate,
    /// A share of one: 0.333 is shown as 33.3 %.
    Share,
    /// A plain number: a ratio, a speed-up.
    Number,
    /// A word: a signal's name, an errno.
    Word,
    /// true or false.
    Flag,
    /// A list of values.
    List,
    /// A table of values by worker, size or way.
    Table,
}

/// The step by which a demo says that its values can be judged.
pub const SETTLED: &str = "settled";

/// The value by which a demo says what its measurement is worth, where it may be worth nothing.
pub const VERDICT: &str = "verdict";

/// That verdict, where it cannot be told, mostly because others used the cores.
pub const INCONCLUSIVE: &str = "inconclusive";

/// Why a run comes to no conclusion, of demos that can tell.
pub const DOUBT: ReturnSpec =
    ReturnSpec { name: "doubt", kind: ReturnKind::Word, help: "why nothing can be concluded; none if something can" };

/// That verdict, where one core alone cannot show it.
pub const ONE_CORE: &str = "one core";

/// The verdict of a run that decides nothing: what it did not measure is neither as expected nor otherwise.
#[must_use]
pub fn undecided(values: &Values) -> Option<&str> {
    values.get(VERDICT)?.as_str().filter(|word| [INCONCLUSIVE, ONE_CORE].contains(word))
}

/// One thing that a learner can do to a running demo.
#[derive(Debug)]
pub struct Control {
    /// The key.
    pub key: char,
    /// What the steer says.
    pub verb: &'static str,
    /// What the help says.
    pub label: &'static str,
    /// Whether it is done to the demo or to the worker that is chosen.
    pub on: On,
    /// What goes with it.
    pub arg: Arg,
}

/// Whom a control concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The whole demo.
    Demo,
    /// The chosen worker.
    Worker,
}

/// What a control carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg {
    /// Nothing.
    None,
    /// A number to add.
    By(i64),
    /// The word chosen for the choice parameter of this name; the key that changes the choice comes with it.
    Choice {
        /// The parameter whose words are the choices.
        param: &'static str,
        /// The key that goes on to the next word.
        next: char,
    },
}
