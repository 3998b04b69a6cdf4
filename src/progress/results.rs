//! What the learner measured, each with the machine on which it was measured: the stuff of the lab report.
//!
//! Numbers without their machine are worth nothing a week later, so no run is kept without its [`Host`]. The file is
//! bounded: of the same experiment the newest `MOST_ALIKE` runs are kept, of all experiments the newest `MOST`.

use super::merge::{merge_latest, merge_others};
use super::{Document, Others, When};
use crate::fact::Values;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Runs of one demo with the same parameters that are kept.
pub(super) const MOST_ALIKE: usize = 12;

/// Runs that are kept.
pub(super) const MOST: usize = 400;

/// Rows of one table that are kept with a run.
const MOST_ROWS: usize = 64;

/// Bytes that a run may take in the file; its tables are left out if they do not fit, and then it.
const LARGEST: usize = 16 * 1024;

/// Everything that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The file's version.
    pub schema: u32,
    /// The machines, by [`Host::name`].
    #[serde(default)]
    pub hosts: BTreeMap<String, Host>,
    /// The runs. Their ids begin with the moment, so they are in its order.
    #[serde(default)]
    pub runs: BTreeMap<String, Measured>,
    /// The newest verdict on each claim, by the claim's id.
    #[serde(default)]
    pub answers: BTreeMap<String, Answer>,
    /// What the learner says of each claim, by the claim's id.
    #[serde(default)]
    pub beliefs: BTreeMap<String, Belief>,
    #[serde(flatten)]
    others: Others,
}

/// A machine, as far as it matters to a number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Host {
    /// The processor's name; empty where the kernel does not say.
    #[serde(default)]
    pub cpu: String,
    /// Processors that run.
    #[serde(default)]
    pub online: u32,
    /// Processors that could be used.
    #[serde(default)]
    pub allowed: u32,
    /// MiB of memory.
    #[serde(default)]
    pub memory_mib: u64,
    /// The kernel's release.
    #[serde(default)]
    pub kernel: String,
    /// The governor of the clock speed; none where the kernel has none, as in most virtual machines.
    #[serde(default)]
    pub governor: Option<String>,
    /// A hypervisor stands below it.
    #[serde(default, rename = "virtual")]
    pub virtual_machine: bool,
}

/// Who ran a demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A step of the tour.
    Tour,
    /// The ledger.
    Lore,
    /// `forklore run --keep`.
    Run,
}

/// A run and what it came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The demo.
    pub demo: String,
    /// Its parameters, complete.
    #[serde(default)]
    pub params: Values,
    /// Who ran it.
    pub by: By,
    /// The lesson whose step ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lesson: Option<String>,
    /// The step, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// When it was over.
    #[serde(default)]
    pub when: When,
    /// The machine, by its name in [`Results::hosts`].
    #[serde(default)]
    pub host: String,
    /// The version of forklore that measured.
    #[serde(default)]
    pub version: String,
    /// Where its facts came from, in the word of [`crate::fact::Source`].
    #[serde(default)]
    pub source: String,
    /// How long it ran.
    #[serde(default)]
    pub seconds: f64,
    /// Records that were lost.
    #[serde(default)]
    pub lost: u64,
    /// The learner ended it before it had come to its end.
    #[serde(default)]
    pub early: bool,
    /// What it came to, by name.
    #[serde(default)]
    pub values: Values,
    /// Its tables, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, Vec<Row>>,
    #[serde(flatten)]
    others: Others,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// Its values.
    #[serde(default)]
    pub values: Values,
}

/// What a machine said of a claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// A verdict in the word of the contract: holds, fails, cpython-only, inconclusive, not-testable.
    pub verdict: String,
    /// Why this verdict and no other.
    #[serde(default)]
    pub because: String,
    /// What was measured and looked at: name and value as a learner reads it.
    #[serde(default)]
    pub shown: Vec<(String, String)>,
    /// The machine, by its name in [`Results::hosts`].
    #[serde(default)]
    pub host: String,
    /// When.
    #[serde(default)]
    pub when: When,
}

/// What the learner says of a claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Belief {
    /// It is so; none: they cannot say.
    pub so: Option<bool>,
    /// When they said it.
    #[serde(default)]
    pub when: When,
}

impl Default for Results {
    fn default() -> Self {
        let (hosts, runs, answers, beliefs, others) = Default::default();
        Self { schema: Self::SCHEMA, hosts, runs, answers, beliefs, others }
    }
}

impl Host {
    /// The machine in a line, by which it is told from others.
    #[must_use]
    pub fn name(&self) -> String {
        let cpu = if self.cpu.is_empty() { "a processor without a name" } else { &self.cpu };
        let cores = match (self.allowed, self.online) {
            (1, 1) => "1 core".to_owned(),
            (allowed, online) if allowed == online => format!("{online} cores"),
            (allowed, online) => format!("{allowed} of {online} cores"),
        };
        let governor = self.governor.as_ref().map(|name| format!(", governor {name}")).unwrap_or_default();
        let below = if self.virtual_machine { ", a virtual machine" } else { "" };
        format!("{cpu}, {cores}, {} MiB, Linux {}{governor}{below}", self.memory_mib, self.kernel)
    }
}

impl Measured {
    /// A run of `demo` that is over by now.
    #[must_use]
    pub fn new(demo: &str, params: Values, by: By, when: When) -> Self {
        let (lesson, step, host, version, source, seconds, lost, early, values, tables, others) = Default::default();
        let demo = demo.to_owned();
        let mut new = Self {
            demo,
            params,
            by,
            lesson,
            step,
            when,
            host,
            version,
            source,
            seconds,
            lost,
            early,
            values,
            tables,
            others,
        };
        env!("CARGO_PKG_VERSION").clone_into(&mut new.version);
        new
    }

    /// The same experiment: one demo with one set of parameters.
    fn alike(&self) -> (&str, String) {
        (&self.demo, serde_json::to_string(&self.params).unwrap_or_default())
    }

    /// Cuts what is too long for the file; whether it can be kept.
    fn fit(&mut self) -> bool {
        let bytes = |run: &Self| serde_json::to_string(run).map_or(usize::MAX, |text| text.len());
        for rows in self.tables.values_mut() {
            rows.truncate(MOST_ROWS);
        }
        if bytes(self) > LARGEST {
            self.tables.clear();
        }
        bytes(self) <= LARGEST
    }
}

impl Results {
    /// Keeps a run, and the machine on which it was.
    pub fn keep(&mut self, host: &Host, mut run: Measured) {
        run.host = self.know(host);
        if run.fit() {
            // Two copies of the program may end a run in the same second.
            let id = format!("{:010}-{}-{}", run.when.0, run.demo, std::process::id());
            let ids = (0_u32..).map(|n| if n == 0 { id.clone() } else { format!("{id}-{n}") });
            if let Some(free) = ids.into_iter().find(|id| !self.runs.contains_key(id)) {
                self.runs.insert(free, run);
            }
            self.prune();
        }
    }

    /// Keeps a machine's verdict on a claim.
    pub fn answer(&mut self, host: &Host, claim: &str, mut answer: Answer) {
        answer.host = self.know(host);
        answer.when = answer.when.after(self.answers.get(claim).map(|before| before.when));
        self.answers.insert(claim.to_owned(), answer);
        self.prune();
    }

    /// Keeps what the learner says of a claim.
    pub fn believe(&mut self, claim: &str, so: Option<bool>, when: When) {
        let when = when.after(self.beliefs.get(claim).map(|before| before.when));
        self.beliefs.insert(claim.to_owned(), Belief { so, when });
    }

    /// Nothing was measured yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.answers.is_empty() && self.beliefs.is_empty()
    }

    fn know(&mut self, host: &Host) -> String {
        let name = host.name();
        self.hosts.entry(name.clone()).or_insert_with(|| host.clone());
        name
    }

    /// Forgets the oldest runs of which there are too many, and machines of which nothing is left.
    fn prune(&mut self) {
        let mut alike: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut kept = 0;
        let mut ids: Vec<_> = self.runs.keys().cloned().collect();
        // Newest first; ids of one second are in an order that is the same for everybody.
        ids.sort_by_key(|id| std::cmp::Reverse((self.runs[id].when, id.clone())));
        for id in ids {
            let (demo, params) = self.runs[&id].alike();
            let n = alike.entry((demo.to_owned(), params)).or_default();
            *n += 1;
            if *n > MOST_ALIKE || kept == MOST {
                self.runs.remove(&id);
            } else {
                kept += 1;
            }
        }
        let used = |name: &String| {
            self.runs.values().any(|run| run.host == *name) || self.answers.values().any(|a| a.host == *name)
        };
        let gone: Vec<_> = self.hosts.keys().filter(|name| !used(name)).cloned().collect();
        for name in gone {
            self.hosts.remove(&name);
        }
    }
}

impl Document for Results {
    const NAME: &'static str = "results";
    const WHAT: &'static str = "record of measurements";
    const SCHEMA: u32 = 1;

    fn merge(&mut self, other: &Self) {
        self.schema = self.schema.max(other.schema);
        merge_latest(&mut self.hosts, &other.hosts, |_| ());
        merge_latest(&mut self.runs, &other.runs, |run| run.when);
        merge_latest(&mut self.answers, &other.answers, |answer| answer.when);
        merge_latest(&mut self.beliefs, &other.beliefs, |belief| belief.when);
        merge_others(&mut self.others, &other.others);
        self.prune();
    }
}

#[cfg(test)]
#[path = "results_tests.rs"]
mod tests;
