//! `spawn`: Python's ways to start a process, and a main module without its guard in each.

use super::Demo;
use super::python::{self, Heard, Program, Python, Running};
use super::script::{self, Over, row, told};
use crate::fact::{
    ColumnSpec, DemoSpec, Fact, ParamKind, ParamSpec, Params, Picture, Pid, ReturnKind, ReturnSpec, TableSpec, Tally,
    TreeSpec, Unavailable, Values,
};
use crate::stage::{CannotRun, Stage};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// See the module.
pub(super) struct Spawn;

/// How long the interpreter may say nothing. A start takes a tenth of a second; the machine may be very busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// What keeps names in shared places from outliving a program that is killed.
const NAMELESS: &str = include_str!("../../assets/programs/21-nameless.py");

static GUARDED: Program =
    Program { name: "spawn.py", text: &[NAMELESS, include_str!("../../assets/programs/21-spawn.py")] };

static BARE: Program =
    Program { name: "no-guard.py", text: &[NAMELESS, include_str!("../../assets/programs/21-no-guard.py")] };

/// The methods, as Python calls them.
const METHODS: [&str; 3] = ["fork", "spawn", "forkserver"];

/// The row of a function that cannot be sent.
const LAMBDA: &str = "lambda";

static RESULTS: TableSpec = TableSpec {
    name: "methods",
    head: "method",
    columns: &[
        ColumnSpec { value: "first_ns", head: "first", kind: ReturnKind::Nanos },
        ColumnSpec { value: "next_ns", head: "next", kind: ReturnKind::Nanos },
        ColumnSpec { value: "child_of", head: "child of", kind: ReturnKind::Word },
        ColumnSpec { value: "runs", head: "file run", kind: ReturnKind::Count },
        ColumnSpec { value: "what", head: "what came", kind: ReturnKind::Word },
    ],
};

/// The processes that the programs told of.
static TREE: TreeSpec = TreeSpec { name: "processes", table: "processes" };

static SPEC: DemoSpec = DemoSpec {
    name: "spawn",
    title: "Python starts processes: fork, spawn, forkserver",
    part: "In practice",
    about: "The Python of this machine starts processes in each of its three ways: how long a start takes, whose child it is, \
            what it finds in a variable, and how often the file was run. Or a main module without its guard starts a pool in \
            each of them, and says itself what comes of it.",
    params: &[
        ParamSpec {
            name: "method",
            kind: ParamKind::Choice(&["all", "fork", "spawn", "forkserver"]),
            help: "how multiprocessing starts a process",
        },
        ParamSpec {
            name: "guard",
            kind: ParamKind::Choice(&["yes", "no"]),
            help: "whether the main module asks for its name before it starts anything",
        },
        ParamSpec {
            name: "children",
            kind: ParamKind::Int { min: 1, max: 6, default: 3, unit: "" },
            help: "how many are started; without a guard it is a pool of one",
        },
    ],
    returns: &[
        ReturnSpec { name: "started", kind: ReturnKind::Count, help: "children that came so far as to do their work" },
        ReturnSpec {
            name: "fork_ns",
            kind: ReturnKind::Nanos,
            help: "how long a start took, the median after the first",
        },
        ReturnSpec { name: "spawn_ns", kind: ReturnKind::Nanos, help: "the same with spawn" },
        ReturnSpec { name: "forkserver_ns", kind: ReturnKind::Nanos, help: "and with forkserver" },
        ReturnSpec { name: "spawn_over_fork", kind: ReturnKind::Number, help: "how many times longer spawn took" },
        ReturnSpec { name: "finds", kind: ReturnKind::Table, help: "what a child found in the variable, by method" },
        ReturnSpec { name: "finds_fork", kind: ReturnKind::Word, help: "the same for fork" },
        ReturnSpec { name: "finds_spawn", kind: ReturnKind::Word, help: "and for spawn" },
        ReturnSpec { name: "own_numbers", kind: ReturnKind::Flag, help: "each child had its own process number" },
        ReturnSpec { name: "thread_within", kind: ReturnKind::Flag, help: "a thread had the program's own number" },
        ReturnSpec { name: "runs", kind: ReturnKind::Table, help: "how often the file was run, by method" },
        ReturnSpec { name: "runs_fork", kind: ReturnKind::Count, help: "the same for fork" },
        ReturnSpec { name: "runs_spawn", kind: ReturnKind::Count, help: "and for spawn" },
        ReturnSpec { name: "runs_forkserver", kind: ReturnKind::Count, help: "and for forkserver" },
        ReturnSpec { name: "error", kind: ReturnKind::Word, help: "the error in the child, without a guard" },
        ReturnSpec { name: "error_parent", kind: ReturnKind::Word, help: "the error in the parent, without a guard" },
        ReturnSpec { name: "failed", kind: ReturnKind::Count, help: "methods that came to an error" },
        ReturnSpec {
            name: "lambda",
            kind: ReturnKind::Word,
            help: "the error of a pool that gets a lambda, or none; tried with method=fork",
        },
        ReturnSpec {
            name: "consistent",
            kind: ReturnKind::Flag,
            help: "nothing seen speaks against Python's own word",
        },
        ReturnSpec { name: "method_default", kind: ReturnKind::Word, help: "the method when none is chosen" },
        ReturnSpec { name: "interpreter", kind: ReturnKind::Word, help: "what executed it" },
    ],
    pictures: &[Picture::Table(&RESULTS), Picture::Tree(&TREE), Picture::Lanes],
    needs: &[python::NEED],
    ..DemoSpec::BASE
};

impl Demo for Spawn {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        told(stage, story)
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        let of = |method: &str, value: &str| tally.cell(RESULTS.name, method, value).filter(|v| !v.is_null()).cloned();
        let by_method = |value: &str| -> Option<Value> {
            let table: serde_json::Map<_, _> =
                METHODS.iter().filter_map(|method| Some(((*method).to_owned(), of(method, value)?))).collect();
            (!table.is_empty()).then_some(Value::Object(table))
        };
        let first = |value: &str| METHODS.iter().find_map(|method| of(method, value));
        let all = |value: &str| {
            METHODS.iter().filter_map(|method| of(method, value)).reduce(|a, b| json!(a == b && a == true))
        };
        let tried = || METHODS.iter().filter(|method| of(method, "over").is_some());
        let failed = tried().filter(|method| of(method, "error_parent").is_some() || of(method, "error").is_some());
        let started: Option<Vec<u64>> = tried().map(|method| of(method, "started")?.as_u64()).collect();
        let took = |method: &str| of(method, "start_ns")?.as_f64().filter(|ns| *ns > 0.0);
        let over = took("spawn").zip(took("fork")).map(|(spawn, fork)| json!((spawn / fork * 10.0).round() / 10.0));
        [
            ("started", started.filter(|s| !s.is_empty()).map(|started| json!(started.iter().sum::<u64>()))),
            ("fork_ns", of("fork", "start_ns")),
            ("spawn_ns", of("spawn", "start_ns")),
            ("forkserver_ns", of("forkserver", "start_ns")),
            ("spawn_over_fork", over),
            ("finds", by_method("finds")),
            ("finds_fork", of("fork", "finds")),
            ("finds_spawn", of("spawn", "finds")),
            ("own_numbers", all("own_numbers")),
            ("thread_within", all("thread_within")),
            ("runs", by_method("runs")),
            ("runs_fork", of("fork", "runs")),
            ("runs_spawn", of("spawn", "runs")),
            ("runs_forkserver", of("forkserver", "runs")),
            ("error", first("error")),
            ("error_parent", first("error_parent")),
            ("failed", tried().next().map(|_| json!(failed.count()))),
            ("lambda", of(LAMBDA, "error")),
            ("consistent", tried().next().map(|_| json!(consistent(params, tally)))),
            ("method_default", first("default")),
            ("interpreter", first("interpreter")),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

/// As the documentation of multiprocessing says: a fork does not run the file again and needs no guard, a spawned child runs it
/// once and is an error without. A server's children may find it run already, which depends on the version. What was not
/// tried, or did not come to its end, speaks against nothing.
fn consistent(params: &Params, tally: &Tally) -> bool {
    let number = |method: &str, value: &str| tally.cell(RESULTS.name, method, value).and_then(Value::as_u64);
    let over = |method: &str| tally.cell(RESULTS.name, method, "over").is_some_and(|over| *over == json!(true));
    let error = |method: &str| tally.cell(RESULTS.name, method, "error_parent").is_some_and(|error| !error.is_null());
    let guarded = params.word("guard") == "yes";
    let children = if guarded { params.count("children") as u64 } else { 1 };
    let fork = number("fork", "runs") == Some(1) && !error("fork");
    let spawn = number("spawn", "runs") == Some(1 + children) && error("spawn") != guarded;
    (fork || !over("fork")) && (spawn || !over("spawn"))
}

fn story(stage: &mut Stage) -> Result<(), Over> {
    let params = stage.params(&SPEC);
    let asked = params.word("method");
    let methods = METHODS.into_iter().filter(|method| ["all", method].contains(&asked));
    let says =
        |words: &str| methods.clone().map(|method| row(RESULTS.name, method, json!({ "what": words }))).collect();
    let python = match Python::find(stage, &says)? {
        Ok(python) => python,
        // Without Python there is nothing of it to show.
        Err(missing) => {
            let facts: Vec<Fact> = says(&format!("could not run: {}", missing.words));
            facts.into_iter().for_each(|fact| stage.tell(fact));
            return Err(CannotRun(missing.why).into());
        }
    };
    let guarded = params.word("guard") == "yes";
    for method in methods.clone() {
        script::step(stage, method);
        let (program, words) = if guarded {
            let mut words = vec![method.to_owned(), params.int("children").to_string()];
            if asked == "fork" {
                words.push(LAMBDA.to_owned());
            }
            (&GUARDED, words)
        } else {
            (&BARE, vec![method.to_owned()])
        };
        let mut seen = Seen { interpreter: python.words(), ..Seen::default() };
        seen.tell(stage, method);
        let mut running = match python.start(stage, "M", program, &words) {
            Ok(running) => running,
            Err(refused) => {
                stage.tell(Fact::Refused(refused));
                return Ok(());
            }
        };
        if let Some(why) = hear(stage, &mut running, &mut seen, method)? {
            stage.tell(Fact::Refused(Unavailable::new(format!("starting by {method}"), why)));
            continue;
        }
        // The interpreter's own words to its user are on its standard error.
        if let Some(words) = running.error("RuntimeError") {
            seen.error = words.split(':').next().map(str::to_owned);
            seen.words = Some(words);
        }
        seen.over = true;
        seen.tell(stage, method);
    }
    Ok(())
}

/// Hears the program to its end; what was wrong with that, if anything.
fn hear(stage: &mut Stage, running: &mut Running, seen: &mut Seen, method: &str) -> Result<Option<String>, Over> {
    loop {
        let line = match running.next(stage, PATIENCE)? {
            Heard::Line(line) => line,
            Heard::Ended(how) => return Ok(Some(running.broke(&how))),
        };
        if line.get("done").is_some() {
            running.leave(stage)?;
            return Ok(None);
        }
        if let Some(what) = lambda(&line) {
            stage.tell(row(RESULTS.name, LAMBDA, what));
        } else {
            seen.hear(&line);
            seen.tell(stage, method);
            if let Some(pid) = seen.plant(stage, method, &line) {
                running.outlives(pid);
            }
        }
    }
}

/// A foreign word, short enough for a cell.
fn word(line: &Value, name: &str) -> Option<String> {
    let word = line.get(name)?.as_str()?;
    Some(crate::fact::clean_line(word).chars().take(160).collect())
}

/// What a pool made of a function without a name.
fn lambda(line: &Value) -> Option<Value> {
    line.get("function")?;
    let Some(error) = word(line, "error") else { return Some(json!({ "error": "none", "what": "a pool took it" })) };
    let words = word(line, "words").unwrap_or_default();
    Some(json!({ "error": error, "what": format!("sent to a pool: {error}: {words}") }))
}

/// What was seen of one method.
#[derive(Debug, Clone, Default, PartialEq)]
struct Seen {
    interpreter: String,
    default: Option<String>,
    /// The process of the main program.
    main: Option<u64>,
    runs: u64,
    /// How long each start took, in nanoseconds, in the order of the letters.
    took: Vec<(String, u64)>,
    children: BTreeSet<u64>,
    /// A thread had the main program's number.
    thread_within: Option<bool>,
    child_of: Option<&'static str>,
    finds: Option<String>,
    came: bool,
    error: Option<String>,
    error_parent: Option<String>,
    words: Option<String>,
    over: bool,
}

impl Seen {
    fn hear(&mut self, line: &Value) {
        let number = |name: &str| line.get(name).and_then(Value::as_u64);
        if let Some(name) = word(line, "runs") {
            self.runs += 1;
            if name == "__main__" {
                self.main = number("pid");
            }
        }
        // A child has the method that its parent chose.
        if let Some(method) = word(line, "default").filter(|_| self.default.is_none()) {
            self.default = Some(method);
        }
        if let Some(letter) = word(line, "child") {
            let took = line.get("took").and_then(Value::as_f64).filter(|took| (0.0..1e6).contains(took)).unwrap_or(0.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and below 2^53")]
            self.took.push((letter, (took * 1e9).round() as u64));
            self.took.sort();
            self.children.extend(number("pid").filter(|pid| Some(*pid) != self.main));
            self.child_of = Some(if number("parent") == self.main { "program" } else { "server" });
            self.finds = word(line, "sees");
        }
        if line.get("thread").is_some() {
            self.thread_within = Some(number("pid") == self.main);
        }
        self.came |= line.get("came").is_some();
        if let Some(error) = word(line, "error") {
            self.error_parent = Some(error);
        }
    }

    /// The row of the method.
    fn values(&self) -> Value {
        let first = self.took.first().map(|(_, ns)| *ns);
        let mut others: Vec<_> = self.took.iter().skip(1).map(|(_, ns)| *ns).collect();
        others.sort_unstable();
        let next = others.get(others.len() / 2).copied();
        let started = self.took.len() as u64 + u64::from(self.came);
        json!({
            "first_ns": first, "next_ns": next, "start_ns": next.or(first), "child_of": self.child_of,
            "runs": self.runs, "started": started, "finds": self.finds, "error": self.error,
            "error_parent": self.error_parent, "default": self.default, "interpreter": self.interpreter,
            "own_numbers": (!self.took.is_empty()).then_some(self.children.len() == self.took.len()),
            "thread_within": self.thread_within, "over": self.over.then_some(true), "what": self.what(),
        })
    }

    /// Puts whoever the line tells of into the tree: which process that is.
    fn plant(&self, stage: &mut Stage, method: &str, line: &Value) -> Option<Pid> {
        let number = |name: &str| line.get(name).and_then(Value::as_u64);
        let (pid, main) = number("pid").zip(self.main)?;
        let mut told = |who: &str, pid: u64, parent: Option<u64>, what: String| {
            let values = json!({ "who": who, "pid": pid, "parent": parent, "what": what });
            stage.tell(row(TREE.table, &format!("{who} {pid}"), values));
        };
        let parent = number("parent").filter(|_| pid != main);
        if let Some(server) = parent.filter(|parent| *parent != main) {
            told(&format!("{method}: server"), server, Some(main), format!("A server, process {server}, forks."));
        }
        match (word(line, "child"), word(line, "runs")) {
            _ if line.get("worker").is_some() => {
                told(
                    &format!("{method}: worker"),
                    pid,
                    parent,
                    "The pool has a worker, which has not run the file.".into(),
                );
            }
            (Some(letter), _) => {
                let finds = self.finds.as_deref().unwrap_or("nothing");
                told(&format!("{method}: {letter}"), pid, parent, format!("{letter} finds the variable {finds}."));
            }
            (None, Some(_)) if pid == main => {
                told(method, pid, None, format!("The program starts children by {method}."))
            }
            (None, Some(_)) if parent.is_some() => {
                told(
                    &format!("{method}: child"),
                    pid,
                    parent,
                    "A child runs the file, up to the line that starts one.".into(),
                );
            }
            _ => {}
        }
        u32::try_from(pid).ok().map(Pid)
    }

    fn what(&self) -> String {
        match (&self.error_parent, &self.words, &self.finds) {
            (Some(parent), Some(words), _) => format!("in the child {words} The parent gets {parent}"),
            (Some(parent), None, _) => format!("the parent gets {parent}"),
            (None, _, Some(finds)) => format!("finds {finds}"),
            (None, _, None) if self.came => "the pool gives its result".to_owned(),
            _ if self.over => "nothing".to_owned(),
            _ => "starts".to_owned(),
        }
    }

    fn tell(&self, stage: &mut Stage, method: &str) {
        stage.tell(row(RESULTS.name, method, self.values()));
    }
}

#[cfg(test)]
mod tests;
