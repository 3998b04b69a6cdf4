//! The vocabulary of the whole program: what can be true of a run, and how it is written down.
//!
//! Everything that is seen, stored, replayed, exported or tested is a fold over one stream of [`Stamped`] facts.
//! This module is a leaf. It knows no kernel, no stage and no screen; every other module speaks its words.

mod account;
mod clean;
mod ids;
mod limits;
mod locks;
mod params;
mod picture;
mod source;
mod spec;
mod steer;
mod tally;
mod words;

pub use account::Account;
pub use clean::{clean, clean_line};
pub use ids::{Cpu, Nanos, Pid, RunId, Tid};
pub use limits::Limits;
pub use locks::{LockTally, Visits, cycle, stuck};
pub use params::{As, ParamError, ParamKind, ParamSpec, Params};
pub use picture::{
    BarsSpec, BufferSpec, ColumnSpec, CountsSpec, CurveSpec, CurvesSpec, JourneySpec, ListingSpec, Picture,
    RunQueueSpec, Scale, SideSpec, SidesSpec, Stroke, TableSpec, TreeSpec, WaitForSpec,
};
pub use source::{Source, SourceChoice, Unavailable};
pub use spec::{
    Arg, Control, DOUBT, DemoSpec, INCONCLUSIVE, Need, ONE_CORE, On, ReturnKind, ReturnSpec, SETTLED, VERDICT,
    undecided,
};
pub use steer::Steer;
pub use tally::{Ending, Row, State, Tally, TaskTally, Turns};
pub use words::thousands;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the stream's format that this program writes.
pub const FORMAT: u32 = 1;

/// Named values: a demo's parameters or what its outcome carries.
pub type Values = BTreeMap<String, serde_json::Value>;

/// A fact with the moment it was true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Nanoseconds since the demo was released.
    pub t: Nanos,
    /// What was true then.
    #[serde(flatten)]
    pub fact: Fact,
}

impl Stamped {
    /// `fact`, true at `t`.
    #[must_use]
    pub fn new(t: Nanos, fact: Fact) -> Self {
        Self { t, fact }
    }
}

/// Why a task left its CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// It could have gone on: the scheduler took the CPU away (an involuntary switch).
    Preempted,
    /// It waits for something, or it ended (a voluntary switch).
    Blocked,
    /// The source cannot tell: self-timed workers see that they did not run, not why.
    #[serde(other)]
    Unknown,
}

/// One step in the life of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LockStep {
    /// The task asks for the lock.
    Wants,
    /// The task holds the lock.
    Has,
    /// The task gives the lock back.
    Leaves,
}

/// One thing that was true of a run at a moment. In JSON it is an object with the moment as `t` and its own name, in lower
/// case, as `kind`: a contract with whoever reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Fact {
    /// Always the first fact of a stream.
    Start(Start),
    /// A task (thread) exists. Repeated when a name or a parent becomes known.
    Task {
        /// The thread's id; equal to `pid` for a main thread.
        tid: Tid,
        /// The process it belongs to.
        pid: Pid,
        /// The process that created it, as far as known (0 otherwise).
        parent: u32,
        /// What it is called: a letter for a worker, the kernel's `comm` otherwise.
        name: String,
        /// The worker's number in the demo's cast, absent for helpers and strangers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slot: Option<u16>,
    },
    /// The task got the CPU.
    In {
        /// Which CPU.
        cpu: Cpu,
        /// Which task.
        tid: Tid,
    },
    /// The task left the CPU.
    Out {
        /// Which CPU.
        cpu: Cpu,
        /// Which task.
        tid: Tid,
        /// Why it left.
        why: Why,
    },
    /// A named value of a task changed: a counter, an address, a phase.
    Value {
        /// Whose value.
        tid: Tid,
        /// The value's name, one of those the demo documents.
        name: String,
        /// The value.
        value: serde_json::Value,
    },
    /// The kernel's own account of a task, read from /proc at that moment. Totals since the task began.
    Counters {
        /// Whose account.
        tid: Tid,
        /// Voluntary switches (status: `voluntary_ctxt_switches`).
        voluntary: u64,
        /// Involuntary switches (status: `nonvoluntary_ctxt_switches`).
        involuntary: u64,
        /// Nanoseconds on a CPU (schedstat, first field).
        ran: u64,
        /// Nanoseconds on a run queue, ready and waiting (schedstat, second field).
        waited: u64,
        /// Times it got a CPU (schedstat, third field).
        turns: u64,
    },
    /// The pages of a region of a process, one letter each: `X` mapped by this process alone, `s` shared, `.` not present.
    Pages {
        /// Whose pages.
        pid: Pid,
        /// The region's name.
        region: String,
        /// One letter a page.
        map: String,
    },
    /// A row of one of the demo's tables: values that are new or have changed. Rows keep the order in which they came.
    Row {
        /// The table.
        table: String,
        /// What the row is called.
        row: String,
        /// Its values.
        values: Values,
    },
    /// A point of one of the demo's curves. A later one with the same `x` takes its place.
    Point {
        /// The curve.
        curve: String,
        /// What goes to the right.
        x: f64,
        /// What goes up.
        y: f64,
    },
    /// A lock was asked for, taken or given back.
    Lock {
        /// By whom.
        tid: Tid,
        /// Which lock.
        lock: String,
        /// What happened.
        step: LockStep,
    },
    /// What is set for a task changed: its nice value or the CPUs it may use.
    Setting {
        /// Whose setting.
        tid: Tid,
        /// The nice value, where that is what changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nice: Option<i32>,
        /// The CPUs it may use, where that is what changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cpus: Option<Vec<Cpu>>,
    },
    /// The demo reached a named step of its script.
    Step {
        /// The step's name.
        name: String,
    },
    /// The demo wrote to its output. Never raw on a terminal: see [`clean`].
    Said {
        /// One line, or as much of it as was kept.
        text: String,
        /// How many bytes before this line were dropped because too much came.
        #[serde(default, skip_serializing_if = "is_zero")]
        dropped: u64,
    },
    /// A process or thread ended. `tid == pid` means the whole process.
    Exit {
        /// The thread.
        tid: Tid,
        /// Its process.
        pid: Pid,
        /// Exit code, if it ended by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<i32>,
        /// The signal that ended it, by name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<String>,
        /// Whether the kernel set the core-dump bit of the wait status.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        core: Option<bool>,
    },
    /// A process was stopped (`SIGSTOP` and its like) or went on.
    Stopped {
        /// The process.
        pid: Pid,
        /// True while stopped.
        stopped: bool,
    },
    /// Records were lost: every open interval is unknown from here on.
    Lost {
        /// How many.
        records: u64,
    },
    /// The machine or the kernel refused something; the demo goes on without it.
    Refused(Unavailable),
    /// What the outcome would be if the run ended now.
    SoFar {
        /// The demo's outcome values.
        values: Values,
    },
    /// Always the last fact of a stream.
    Outcome(Outcome),
    /// A kind that this version does not know. Readers pass over it.
    #[serde(other)]
    Unknown,
}

/// How a run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The stream's format, [`FORMAT`].
    pub format: u32,
    /// The demo's name.
    pub demo: String,
    /// Its parameters, all of them, defaults included.
    pub params: Values,
    /// Where the facts on who ran when come from.
    pub source: Source,
    /// The CPUs that the demo may use.
    pub cpus: Vec<Cpu>,
    /// The kernel's release.
    pub kernel: String,
    /// Sampling rate, for [`Source::Sampled`] only.
    pub hz: Option<u32>,
    /// Why no better source was used, if none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The threads' page size in bytes, where pages are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u64>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The values that the demo's spec promises.
    pub values: Values,
    /// Records lost on the way.
    pub lost: u64,
    /// Seconds from release to the end; 0 where nothing could run.
    pub seconds: f64,
    /// Nothing of the demo's process tree was alive after the run.
    pub clean: bool,
    /// Processes that the demo left behind and that had to be ended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_behind: u64,
    /// Why the demo broke, if it did: a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broke: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Fact {
    /// The step by which a demo says that its values can be judged.
    #[must_use]
    pub fn settled() -> Self {
        Self::Step { name: SETTLED.to_owned() }
    }

    /// The whole process ended, and nobody saw how.
    #[must_use]
    pub fn gone(pid: Pid) -> Self {
        Self::Exit { tid: Tid(pid.0), pid, code: None, signal: None, core: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(t: u64, fact: Fact) -> String {
        serde_json::to_string(&Stamped::new(Nanos(t), fact)).expect("facts are plain data")
    }

    #[test]
    fn the_lines_are_those_of_the_contract() {
        let tid = Tid(4121);
        assert_eq!(line(90_110, Fact::In { cpu: Cpu(0), tid }), r#"{"t":90110,"kind":"in","cpu":0,"tid":4121}"#);
        assert_eq!(
            line(4_090_110, Fact::Out { cpu: Cpu(0), tid, why: Why::Preempted }),
            r#"{"t":4090110,"kind":"out","cpu":0,"tid":4121,"why":"preempted"}"#
        );
        assert_eq!(
            line(81_250, Fact::Task { tid, pid: Pid(4121), parent: 4119, name: "A".into(), slot: None }),
            r#"{"t":81250,"kind":"task","tid":4121,"pid":4121,"parent":4119,"name":"A"}"#
        );
        assert_eq!(
            line(
                8_000_000,
                Fact::Exit { tid, pid: Pid(4121), code: None, signal: Some("SIGSEGV".into()), core: Some(false) }
            ),
            r#"{"t":8000000,"kind":"exit","tid":4121,"pid":4121,"signal":"SIGSEGV","core":false}"#
        );
        assert_eq!(line(8_100_000, Fact::Lost { records: 12 }), r#"{"t":8100000,"kind":"lost","records":12}"#);
    }

    #[test]
    fn the_start_line_of_the_contract_is_read_and_written() {
        let text = r#"{"t":0,"kind":"start","format":1,"demo":"crash","params":{"as":"processes","tabs":6},"source":"exact","cpus":[0,1],"kernel":"6.18.44","hz":null}"#;
        let fact: Stamped = serde_json::from_str(text).expect("the contract's own example");
        assert_eq!(serde_json::to_string(&fact).expect("plain data"), text);
    }

    #[test]
    fn unknown_kinds_and_keys_are_passed_over() {
        let fact: Stamped = serde_json::from_str(r#"{"t":1,"kind":"aurora","x":1}"#).expect("unknown kind");
        assert_eq!(fact.fact, Fact::Unknown);
        let fact: Stamped =
            serde_json::from_str(r#"{"t":1,"kind":"lost","records":3,"colour":"red"}"#).expect("unknown key");
        assert_eq!(fact.fact, Fact::Lost { records: 3 });
    }
}
