//! `gil`: one amount of Python, executed one after the other, by threads, by processes.

mod own;
mod sure;

use super::Demo;
use super::python::{self, Heard, Program, Python, Running};
use super::script::{self, Over, row, told};
use super::spread::two;
use crate::fact::{
    ColumnSpec, DOUBT, DemoSpec, Fact, INCONCLUSIVE, Need, ParamKind, ParamSpec, Params, Picture, ReturnKind,
    ReturnSpec, TableSpec, Tally, Unavailable, Values,
};
use crate::stage::Stage;
use serde_json::{Value, json};
use std::time::Duration;
use sure::Doubt;

/// See the module.
pub(super) struct Gil;

/// How long the interpreter may say nothing. It speaks when all parts are done; the machine may be very busy.
fn patience(params: &Params) -> Duration {
    let parts =
        Duration::from_millis(params.int("part").unsigned_abs()) * u32::try_from(params.count("workers")).unwrap_or(1);
    Duration::from_secs(20) + parts * 20
}

/// Cores that may be too many: CPU time and the clock are read one after the other, and threads also do what needs no lock.
const SLACK: f64 = 0.25;

static PROGRAM: Program = Program { name: "gil.py", text: &[include_str!("../../assets/programs/20-gil.py")] };

/// The ways, as the program calls them; all but the first are compared with one after the other.
const WAYS: [(&str, &str); 5] = [
    ("serial", "serial"),
    ("threads", "serial"),
    ("processes", "serial"),
    ("hash serial", "hash serial"),
    ("hash threads", "hash serial"),
];

/// The ways in which one computes alone.
const LONE: [&str; 2] = ["serial", "hash serial"];

static RESULTS: TableSpec = TableSpec {
    name: "ways",
    head: "way",
    columns: &[
        ColumnSpec { value: "took", head: "took", kind: ReturnKind::Nanos },
        ColumnSpec { value: "speedup", head: "speed-up", kind: ReturnKind::Number },
        ColumnSpec { value: "cores", head: "cores' worth", kind: ReturnKind::Number },
        ColumnSpec { value: "how", head: "what", kind: ReturnKind::Word },
    ],
};

static WHO: TableSpec = TableSpec {
    name: "interpreter",
    head: "by",
    columns: &[
        ColumnSpec { value: "switch_ns", head: "interval", kind: ReturnKind::Nanos },
        ColumnSpec { value: "lock", head: "its lock", kind: ReturnKind::Word },
        ColumnSpec { value: "interpreter", head: "interpreter", kind: ReturnKind::Word },
    ],
};

/// The only row of [`WHO`].
const RUNS: &str = "run";

static SPEC: DemoSpec = DemoSpec {
    name: "gil",
    title: "Python: one after the other, threads, processes",
    part: "In practice",
    about: "The Python of this machine does the same amount of work several times: one part after the other, a thread for \
            each, a process for each. Its lock lets one thread at a time execute bytecode. Then sha256 in threads: C code \
            that gives the lock back while it computes. Without Python, a small bytecode machine of our own.",
    params: &[
        ParamSpec {
            name: "workers",
            kind: ParamKind::Int { min: 2, max: 4, default: 2, unit: "" },
            help: "how many parts, and as many threads or processes",
        },
        ParamSpec {
            name: "kind",
            kind: ParamKind::Choice(&["all", "serial", "threads", "processes", "hash"]),
            help: "what is tried, beside one after the other; hash: sha256, in C",
        },
        ParamSpec {
            name: "part",
            kind: ParamKind::Int { min: 50, max: 3000, default: 400, unit: "ms" },
            help: "how long a core needs for one part",
        },
    ],
    returns: &[
        ReturnSpec { name: "serial_s", kind: ReturnKind::Number, help: "seconds, one after the other" },
        ReturnSpec { name: "threads_s", kind: ReturnKind::Number, help: "seconds, in threads" },
        ReturnSpec { name: "processes_s", kind: ReturnKind::Number, help: "seconds, in processes" },
        ReturnSpec { name: "speedup_threads", kind: ReturnKind::Number, help: "how many times faster threads were" },
        ReturnSpec { name: "speedup_processes", kind: ReturnKind::Number, help: "and how many times processes" },
        ReturnSpec { name: "speedup_hash", kind: ReturnKind::Number, help: "and threads with sha256, which is C" },
        ReturnSpec { name: "cores_threads", kind: ReturnKind::Number, help: "CPU seconds a second, in threads" },
        ReturnSpec { name: "cores_processes", kind: ReturnKind::Number, help: "CPU seconds a second, in processes" },
        ReturnSpec { name: "cores_hash", kind: ReturnKind::Number, help: "CPU seconds a second, sha256 in threads" },
        ReturnSpec { name: "others", kind: ReturnKind::Number, help: "cores' worth of time that others had, at most" },
        ReturnSpec { name: "passed", kind: ReturnKind::Count, help: "how often the lock went to another thread" },
        ReturnSpec { name: "kept_ns", kind: ReturnKind::Nanos, help: "how long one thread had it, the median" },
        ReturnSpec { name: "switch_ns", kind: ReturnKind::Nanos, help: "after how long who waits asks for it" },
        ReturnSpec {
            name: "consistent",
            kind: ReturnKind::Flag,
            help: "nothing measured speaks against its lock; none if it is not clear",
        },
        ReturnSpec { name: "verdict", kind: ReturnKind::Word, help: "clear, inconclusive or one core" },
        DOUBT,
        ReturnSpec { name: "interpreter", kind: ReturnKind::Word, help: "what executed it" },
        ReturnSpec { name: "gil", kind: ReturnKind::Word, help: "its lock: yes, no, or own machine" },
    ],
    pictures: &[Picture::Table(&RESULTS), Picture::Table(&WHO), Picture::Lanes],
    needs: &[python::NEED, Need { capability: "a second core", without: "what a lock takes away" }],
    ..DemoSpec::BASE
};

impl Demo for Gil {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        told(stage, story)
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let of = |way: &str, value: &str| tally.cell(RESULTS.name, way, value).cloned();
        let sure =
            |way: &str, value: &str| of(way, value).filter(|_| of(way, "doubt").is_none_or(|doubt| doubt.is_null()));
        let most = WAYS.iter().filter_map(|(way, _)| of(way, "others")?.as_f64()).reduce(f64::max);
        let seconds = |way: &str| of(way, "took")?.as_f64().map(|ns| json!((ns / 1e6).round() / 1e3));
        let who = |value: &str| tally.cell(WHO.name, RUNS, value).cloned();
        [
            ("serial_s", seconds("serial")),
            ("threads_s", seconds("threads")),
            ("processes_s", seconds("processes")),
            ("speedup_threads", of("threads", "speedup")),
            ("speedup_processes", of("processes", "speedup")),
            ("speedup_hash", of("hash threads", "speedup")),
            ("cores_threads", sure("threads", "cores")),
            ("cores_processes", sure("processes", "cores")),
            ("cores_hash", sure("hash threads", "cores")),
            ("others", most.map(|others| json!(others))),
            ("passed", of("threads", "passed")),
            ("kept_ns", of("threads", "kept_ns")),
            ("switch_ns", who("switch_ns")),
            ("consistent", consistent(tally).map(|so| json!(so))),
            ("verdict", Some(json!(verdict(tally)))),
            (DOUBT.name, python::missing(tally, WHO.name, RUNS).or_else(|| doubted(tally))),
            // Who has not said yet what it is is still asked.
            ("interpreter", who("gil").and(who("interpreter"))),
            ("gil", who("gil")),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

/// Whether what was measured can be believed. Where nothing was, there is nothing to conclude.
fn verdict(tally: &Tally) -> &str {
    let cell = |way: &str, value: &str| tally.cell(RESULTS.name, way, value);
    let measured = || WAYS.iter().filter(|(way, _)| cell(way, "took").is_some());
    match measured().find_map(|(way, _)| cell(way, "doubt")?.as_str()) {
        Some(doubt) => doubt,
        None if measured().next().is_none() => INCONCLUSIVE,
        None => "clear",
    }
}

/// What the first way that is not to be believed says of itself.
fn doubted(tally: &Tally) -> Option<Value> {
    let cell = |way: &str, value: &str| tally.cell(RESULTS.name, way, value);
    WAYS.iter().find_map(|(way, _)| cell(way, "why").filter(|why| why.is_string())).cloned()
}

/// Under a lock for all threads these have one core's worth between them, and nobody has more cores than there are. What was
/// not measured speaks against nothing; and what may be others' doing speaks for nothing.
fn consistent(tally: &Tally) -> Option<bool> {
    let cores = |way: &str| tally.cell(RESULTS.name, way, "cores").and_then(Value::as_f64);
    let locked = tally.cell(WHO.name, RUNS, "gil").and_then(Value::as_str).is_some_and(|gil| gil != "no");
    let all = tally.start.as_ref().map_or(1, |start| start.cpus.len());
    let all = f64::from(u32::try_from(all).unwrap_or(u32::MAX));
    let most = |way: &str| if locked && way == "threads" { 1.0 } else { all };
    let so = WAYS.iter().all(|(way, _)| cores(way).is_none_or(|cores| cores <= most(way) + SLACK));
    (!so || verdict(tally) == "clear").then_some(so)
}

fn story(stage: &mut Stage) -> Result<(), Over> {
    let params = stage.params(&SPEC);
    let mut results = Results { cores: stage.cpus().len(), all: Vec::new() };
    let found = Python::find(stage, &|words| vec![row(WHO.name, RUNS, json!({ "interpreter": words }))])?;
    let why = match found {
        Err(missing) => {
            stage.tell(Fact::Refused(missing.why));
            missing.words
        }
        Ok(python) => {
            python.tell(stage, WHO.name, RUNS);
            let words = words(&params);
            match python.start(stage, "M", &PROGRAM, &words) {
                Ok(running) => match hear(stage, running, &mut results, patience(&params))? {
                    None => return Ok(()),
                    Some(how) => stage.tell(Fact::Refused(Unavailable::new("the work in Python", how))),
                },
                Err(refused) => stage.tell(Fact::Refused(refused)),
            }
            // What it has done so far is not mixed with what another machine does.
            if results.any() {
                return Ok(());
            }
            python::broke(&python)
        }
    };
    python::tell_own(stage, WHO.name, RUNS, &why);
    own::story(stage, &params, &mut results)
}

/// The program's arguments.
fn words(params: &Params) -> Vec<String> {
    let kind = params.word("kind");
    let ways: &[&str] = match kind {
        "all" => &["serial", "threads", "processes", "hash"],
        "hash" => &["hash"],
        "serial" => &["serial"],
        other => &["serial", other],
    };
    let numbers = ["workers", "part"].map(|name| params.int(name).to_string());
    numbers.into_iter().chain(ways.iter().map(|way| (*way).to_owned())).collect()
}

/// Hears the program to its end; what was wrong with that, if anything.
fn hear(
    stage: &mut Stage,
    mut running: Running,
    results: &mut Results,
    patience: Duration,
) -> Result<Option<String>, Over> {
    loop {
        let line = match running.next(stage, patience)? {
            Heard::Line(line) => line,
            Heard::Ended(how) => return Ok(Some(running.broke(&how))),
        };
        if line.get("done").is_some() {
            running.leave(stage)?;
            return Ok(None);
        }
        if let Some(way) = line.get("begins").and_then(Value::as_str) {
            results.begins(stage, way);
        }
        if let Some(measure) = Measure::parse(&line) {
            results.add(stage, &measure);
        }
    }
}

/// What one way came to.
#[derive(Debug, Clone, PartialEq)]
struct Measure {
    way: &'static str,
    seconds: f64,
    /// Seconds of CPU time of all of it.
    cpu: f64,
    /// Cores' worth of time that others had meanwhile, if the kernel says so.
    others: Option<f64>,
    /// How often the lock went to another thread, and for how many nanoseconds one had it.
    passed: Option<(u64, u64)>,
}

impl Measure {
    fn parse(line: &Value) -> Option<Self> {
        let way = line.get("way")?.as_str()?;
        let way = WAYS.iter().find(|(name, _)| *name == way)?.0;
        let positive = |name: &str| line.get(name)?.as_f64().filter(|n| n.is_finite() && *n > 0.0 && *n < 1e6);
        let number = |name: &str| line.get(name).and_then(Value::as_u64);
        let passed = number("passed").zip(number("kept_ns"));
        let others = line.get("others").and_then(Value::as_f64).filter(|others| (0.0..1e6).contains(others));
        Some(Self { way, seconds: positive("seconds")?, cpu: positive("cpu")?, others, passed })
    }
}

/// What all came to so far.
#[derive(Debug, Default)]
struct Results {
    /// Cores that may be used.
    cores: usize,
    all: Vec<Measure>,
}

impl Results {
    fn any(&self) -> bool {
        !self.all.is_empty()
    }

    fn begins(&self, stage: &mut Stage, way: &str) {
        if let Some((way, _)) = WAYS.iter().find(|(name, _)| *name == way) {
            stage.tell(row(RESULTS.name, way, json!({ "how": "runs now" })));
            script::step(stage, way);
        }
    }

    fn add(&mut self, stage: &mut Stage, measure: &Measure) {
        stage.tell(row(RESULTS.name, measure.way, self.values(measure)));
        self.all.push(measure.clone());
    }

    /// The values of a row.
    fn values(&self, measure: &Measure) -> Value {
        let with = WAYS.iter().find(|(way, _)| *way == measure.way).map(|(_, with)| *with);
        let alone = self.all.iter().find(|other| Some(other.way) == with && other.way != measure.way);
        let doubt = Doubt::of(measure, self.cores);
        let sure = alone.filter(|alone| doubt.is_none() && Doubt::of(alone, self.cores).is_none());
        let mut values = json!({
            "took": nanos(measure.seconds),
            "cores": two(measure.cpu / measure.seconds),
            "speedup": sure.map(|alone| two(alone.seconds / measure.seconds)),
            "others": measure.others.map(two),
            "doubt": doubt.map(Doubt::verdict),
            "why": doubt.map(Doubt::why),
            "how": doubt.map_or_else(|| how(measure), Doubt::words),
        });
        if let Some((passed, kept)) = measure.passed {
            values["passed"] = json!(passed);
            values["kept_ns"] = json!(kept);
        }
        values
    }
}

fn how(measure: &Measure) -> String {
    match (measure.way, measure.passed) {
        (_, Some((passed, kept))) => {
            format!("the lock went over {passed} times, kept {} (median)", crate::fact::Nanos(kept))
        }
        ("serial", _) => "one part after the other".to_owned(),
        ("processes", _) => "each with an interpreter and a lock of its own".to_owned(),
        ("hash serial", _) => "sha256 in C, one after the other".to_owned(),
        ("hash threads", _) => "sha256 in C, which gives the lock back".to_owned(),
        _ => "one interpreter for all".to_owned(),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and below 2^53")]
fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

#[cfg(test)]
mod tests;
