//! What a learner can do to a running demo.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One wish of the learner, sent to the demo's leader on its own pipe. Which verbs a demo understands stands in
/// its spec ([`super::Control`]), so that a new demo brings its controls with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Steer {
    /// What to do: "add", "remove", "nice", "pin", "pace", "break".
    pub verb: String,
    /// The worker it is done to, by letter, where the verb needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// How much, or which.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
}

impl Steer {
    /// The wish that every demo understands: come to an end and report.
    pub const FINISH: &'static str = "finish";

    /// A wish without worker or value.
    #[must_use]
    pub fn plain(verb: &str) -> Self {
        Self { verb: verb.to_owned(), worker: None, value: Value::Null }
    }

    /// A wish about one worker.
    #[must_use]
    pub fn to(verb: &str, worker: &str, value: Value) -> Self {
        Self { verb: verb.to_owned(), worker: Some(worker.to_owned()), value }
    }
}
