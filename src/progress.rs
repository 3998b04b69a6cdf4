//! What the learner has done, and what they measured: sets that only grow, each kept in one file that several programs may
//! write.
//!
//! Two copies of it always merge without loss, in either order, so a file that another program changed meanwhile is no
//! conflict. The module knows files and nothing of lessons: they are names and numbers to it.

mod file;
mod merge;
mod place;
mod results;
mod saver;
mod session;
mod trial;

pub use file::{Document, NotSaved, Store};
pub use place::Place;
pub use results::{Answer, Belief, By, Host, Measured, Results, Row};
pub use saver::{Kept, Saver};
pub use session::Session;
pub use trial::{NotKept, try_out};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

/// The version of the progress file that this program writes.
pub const SCHEMA: u32 = 1;

/// Fields that a later version added: carried along, not understood.
type Others = BTreeMap<String, Value>;

/// Everything that is remembered of a learner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The file's version, [`SCHEMA`].
    pub schema: u32,
    /// By lesson id.
    #[serde(default)]
    pub lessons: BTreeMap<String, LessonProgress>,
    /// Where the learner was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastPlace>,
    /// What the learner measured, by `demo.value`.
    #[serde(default)]
    pub figures: BTreeMap<String, Figure>,
    /// What the learner chose, by name: `theme`, `lang`.
    #[serde(default)]
    pub settings: BTreeMap<String, Figure>,
    #[serde(flatten)]
    others: Others,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            lessons: BTreeMap::new(),
            last: None,
            figures: BTreeMap::new(),
            settings: BTreeMap::new(),
            others: Others::new(),
        }
    }
}

/// What was done of one lesson. Steps count from 1.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LessonProgress {
    /// The steps that were on the screen.
    #[serde(default)]
    pub seen: BTreeSet<u32>,
    /// When it was first completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<When>,
    /// The newest prediction of each step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub predictions: BTreeMap<u32, Prediction>,
    #[serde(flatten)]
    others: Others,
}

/// What the learner said would happen, and what did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The option's label.
    pub chosen: String,
    /// Whether the measured value was that option's; none if nothing was measured.
    #[serde(default)]
    pub right: Option<bool>,
    /// What was measured.
    #[serde(default)]
    pub measured: Value,
    /// When.
    #[serde(default)]
    pub when: When,
    #[serde(flatten)]
    others: Others,
}

impl Prediction {
    /// A prediction and its measurement.
    #[must_use]
    pub fn new(chosen: String, right: Option<bool>, measured: Value, when: When) -> Self {
        Self { chosen, right, measured, when, others: Others::new() }
    }
}

/// A place in the lessons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastPlace {
    /// The lesson's id.
    pub lesson: String,
    /// The step, from 1.
    pub step: u32,
    /// Since when.
    #[serde(default)]
    pub when: When,
}

/// A value and when it was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The value.
    pub value: Value,
    /// When.
    #[serde(default)]
    pub when: When,
}

/// A moment by the wall clock, for showing: seconds since 1970, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct When(pub u64);

impl When {
    /// Now. A clock before 1970 says 1970.
    #[must_use]
    pub fn now() -> Self {
        Self(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()))
    }

    /// This moment, or the next after `before`, whichever is later: what replaces something is newer than it even if
    /// the clock was turned back meanwhile, or was years ahead for a while. (L. Lamport, "Time, Clocks, and the
    /// Ordering of Events in a Distributed System", 1978.)
    #[must_use]
    fn after(self, before: Option<Self>) -> Self {
        before.map_or(self, |before| self.max(Self(before.0.saturating_add(1))))
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(from)?;
        // A float is cut by `as`, a negative one to 0.
        Ok(Self(number.as_u64().unwrap_or_else(|| number.as_f64().unwrap_or(0.0) as u64)))
    }
}

impl Progress {
    /// A step was on the screen: it is seen, and it is where the learner is.
    pub fn see(&mut self, lesson: &str, step: u32, when: When) {
        self.lessons.entry(lesson.into()).or_default().seen.insert(step);
        let when = when.after(self.last.as_ref().map(|last| last.when));
        self.last = Some(LastPlace { lesson: lesson.into(), step, when });
    }

    /// The learner predicted something at a step, and it was measured.
    pub fn predict(&mut self, lesson: &str, step: u32, mut prediction: Prediction) {
        let predictions = &mut self.lessons.entry(lesson.into()).or_default().predictions;
        prediction.when = prediction.when.after(predictions.get(&step).map(|before| before.when));
        predictions.insert(step, prediction);
    }

    /// The lesson is completed.
    pub fn complete(&mut self, lesson: &str, when: When) {
        self.lessons.entry(lesson.into()).or_default().completed.get_or_insert(when);
    }

    /// A figure was measured; `name` is `demo.value`.
    pub fn measure(&mut self, name: &str, value: Value, when: When) {
        replace(&mut self.figures, name, Figure { value, when });
    }

    /// The learner chose a setting.
    pub fn set(&mut self, name: &str, value: &str, when: When) {
        replace(&mut self.settings, name, Figure { value: value.into(), when });
    }

    /// A setting that the learner chose.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).and_then(|s| s.value.as_str())
    }

    /// The lesson was completed.
    #[must_use]
    pub fn completed(&self, lesson: &str) -> bool {
        self.lessons.get(lesson).is_some_and(|l| l.completed.is_some())
    }
}

fn replace(figures: &mut BTreeMap<String, Figure>, name: &str, mut new: Figure) {
    new.when = new.when.after(figures.get(name).map(|before| before.when));
    figures.insert(name.into(), new);
}
