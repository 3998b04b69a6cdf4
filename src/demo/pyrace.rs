//! `pyrace`: threads of one interpreter add to one counter, in three ways, without and with a lock.

use super::Demo;
use super::python::{self, Heard, Program, Python, Running};
use super::script::{self, Over, row, told};
use crate::fact::{
    ColumnSpec, DOUBT, DemoSpec, Fact, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, TableSpec, Tally,
    Unavailable, Values, clean_line,
};
use crate::stage::Stage;
use serde_json::{Value, json};
use std::time::Duration;

mod own;

/// See the module.
pub(super) struct PyRace;

/// How long the interpreter may say nothing. A way takes two seconds; the machine may be very busy.
const PATIENCE: Duration = Duration::from_secs(30);

static PROGRAM: Program = Program { name: "pyrace.py", text: &[include_str!("../../assets/programs/20-pyrace.py")] };

/// The ways, as the program calls them and as they are shown.
const WAYS: [(&str, &str); 3] =
    [("plain", "c += 1"), ("call", "read, int(), write"), ("sleep", "read, sleep(0), write")];

static RESULTS: TableSpec = TableSpec {
    name: "adds",
    head: "way",
    columns: &[
        ColumnSpec { value: "expected", head: "should be", kind: ReturnKind::Count },
        ColumnSpec { value: "found", head: "found", kind: ReturnKind::Count },
        ColumnSpec { value: "lost", head: "lost", kind: ReturnKind::Count },
        ColumnSpec { value: "lost_locked", head: "lost with a lock", kind: ReturnKind::Count },
    ],
};

static WHO: TableSpec = TableSpec {
    name: "interpreter",
    head: "by",
    columns: &[
        ColumnSpec { value: "lock", head: "its lock", kind: ReturnKind::Word },
        ColumnSpec { value: "interpreter", head: "interpreter", kind: ReturnKind::Word },
    ],
};

/// What the interpreter makes of each way: as its own `dis` says it.
static CODE: TableSpec = TableSpec {
    name: "bytecode",
    head: "way",
    columns: &[
        ColumnSpec { value: "instructions", head: "instructions", kind: ReturnKind::Count },
        ColumnSpec { value: "code", head: "what is executed", kind: ReturnKind::Word },
    ],
};

/// The only row of [`WHO`].
const RUNS: &str = "run";

static SPEC: DemoSpec = DemoSpec {
    name: "pyrace",
    title: "Python threads add to one counter",
    part: "In practice",
    about: "Threads of one interpreter add 1 to one global variable, many times: with c += 1, with a call between read and \
            write, with sleep(0) between them. Then each again with a lock of their own around it. What the variable holds \
            in the end says whether the interpreter's lock guards it. Without Python, a small bytecode machine of our own.",
    params: &[
        ParamSpec {
            name: "threads",
            kind: ParamKind::Int { min: 2, max: 8, default: 2, unit: "" },
            help: "how many threads add",
        },
        ParamSpec {
            name: "adds",
            kind: ParamKind::Int { min: 1000, max: 10_000_000, default: 300_000, unit: "" },
            help: "how often each adds 1, a hundredth of it with sleep(0); at most, a way ends after 2 s",
        },
    ],
    returns: &[
        ReturnSpec { name: "expected", kind: ReturnKind::Count, help: "adds that were done, with a call between" },
        ReturnSpec { name: "found", kind: ReturnKind::Count, help: "what the variable holds then" },
        ReturnSpec { name: "lost_plain", kind: ReturnKind::Count, help: "adds that c += 1 lost" },
        ReturnSpec { name: "lost_call", kind: ReturnKind::Count, help: "adds lost with a call between" },
        ReturnSpec { name: "lost_sleep", kind: ReturnKind::Count, help: "adds lost with sleep(0) between" },
        ReturnSpec { name: "lost_locked", kind: ReturnKind::Count, help: "adds lost with a lock, all ways together" },
        ReturnSpec { name: "lost", kind: ReturnKind::Table, help: "the same by way" },
        ReturnSpec { name: "lost_share", kind: ReturnKind::Share, help: "of the adds with a call, those lost" },
        ReturnSpec { name: "instructions", kind: ReturnKind::Count, help: "bytecode instructions of c += 1" },
        ReturnSpec { name: "interpreter", kind: ReturnKind::Word, help: "what executed it" },
        ReturnSpec { name: "gil", kind: ReturnKind::Word, help: "its lock: yes, no, or own machine" },
        DOUBT,
    ],
    pictures: &[Picture::Table(&RESULTS), Picture::Table(&WHO), Picture::Table(&CODE), Picture::Lanes],
    needs: &[python::NEED],
    ..DemoSpec::BASE
};

impl Demo for PyRace {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        told(stage, story)
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let of = |way: &str, value: &str| tally.cell(RESULTS.name, shown(way), value).cloned();
        let who = |value: &str| tally.cell(WHO.name, RUNS, value).cloned();
        let locked: Option<Vec<u64>> = WAYS.iter().map(|(way, _)| of(way, "lost_locked")?.as_u64()).collect();
        let lost = WAYS.iter().filter_map(|(way, _)| Some(((*way).to_owned(), of(way, "lost")?)));
        let lost: serde_json::Map<_, _> = lost.collect();
        [
            ("expected", of("call", "expected")),
            ("found", of("call", "found")),
            ("lost_plain", of("plain", "lost")),
            ("lost_call", of("call", "lost")),
            ("lost_sleep", of("sleep", "lost")),
            ("lost_locked", locked.map(|lost| json!(lost.iter().sum::<u64>()))),
            ("lost", (!lost.is_empty()).then_some(Value::Object(lost))),
            ("lost_share", of("call", "lost_share")),
            ("instructions", tally.cell(CODE.name, shown("plain"), "instructions").cloned()),
            // Who has not said yet what it is is still asked.
            ("interpreter", who("gil").and(who("interpreter"))),
            ("gil", who("gil")),
            (DOUBT.name, python::missing(tally, WHO.name, RUNS)),
        ]
        .map(|(name, value)| (name.to_owned(), value.unwrap_or(Value::Null)))
        .into()
    }
}

/// A way as it is shown.
fn shown(way: &str) -> &'static str {
    WAYS.iter().find(|(name, _)| *name == way).map_or("", |(_, shown)| shown)
}

fn story(stage: &mut Stage) -> Result<(), Over> {
    let params = stage.params(&SPEC);
    let found = Python::find(stage, &|words| vec![row(WHO.name, RUNS, json!({ "interpreter": words }))])?;
    let why = match found {
        Err(missing) => {
            stage.tell(Fact::Refused(missing.why));
            missing.words
        }
        Ok(python) => {
            python.tell(stage, WHO.name, RUNS);
            if in_python(stage, &params, &python)? {
                return Ok(());
            }
            python::broke(&python)
        }
    };
    python::tell_own(stage, WHO.name, RUNS, &why);
    own::story(stage, &params)
}

/// Whether the interpreter came to any result.
fn in_python(stage: &mut Stage, params: &Params, python: &Python) -> Result<bool, Over> {
    let words = ["threads", "adds"].map(|name| params.int(name).to_string());
    // What it has done so far is not mixed with what another machine does.
    Ok(match python.start(stage, "M", &PROGRAM, &words) {
        Ok(running) => match hear(stage, running)? {
            (None, _) => true,
            (Some(why), any) => {
                stage.tell(Fact::Refused(Unavailable::new("the race in Python", why)));
                any
            }
        },
        Err(refused) => {
            stage.tell(Fact::Refused(refused));
            false
        }
    })
}

/// Hears the program to its end: what was wrong with that, if anything, and whether it came to any result.
fn hear(stage: &mut Stage, mut running: Running) -> Result<(Option<String>, bool), Over> {
    let mut any = false;
    loop {
        let line = match running.next(stage, PATIENCE)? {
            Heard::Line(line) => line,
            Heard::Ended(how) => return Ok((Some(running.broke(&how)), any)),
        };
        if line.get("done").is_some() {
            running.leave(stage)?;
            return Ok((None, any));
        }
        let word = |name: &str| line.get(name).and_then(Value::as_str);
        if let Some(way) = word("begins").filter(|way| !shown(way).is_empty()) {
            script::step(stage, way);
        }
        if let Some((way, code)) = word("way").zip(line.get("code").and_then(Value::as_array)) {
            let names: Vec<_> = code.iter().filter_map(Value::as_str).map(clean_line).take(40).collect();
            tell_code(stage, shown(way), &names);
        }
        if let Some(result) = Tried::parse(&line) {
            result.tell(stage);
            any = true;
        }
    }
}

/// The instructions of a way.
fn tell_code(stage: &mut Stage, way: &str, names: &[String]) {
    if !way.is_empty() {
        let values = json!({ "instructions": names.len(), "code": names.join(", ") });
        stage.tell(row(CODE.name, way, values));
    }
}

/// What one way came to, without or with the lock.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tried {
    way: &'static str,
    locked: bool,
    expected: u64,
    found: u64,
}

impl Tried {
    fn parse(line: &Value) -> Option<Self> {
        let way = line.get("way")?.as_str()?;
        let way = WAYS.iter().find(|(name, _)| *name == way)?.0;
        let number = |name: &str| line.get(name)?.as_u64().filter(|n| *n < 1 << 40);
        Some(Self {
            way,
            locked: line.get("locked")?.as_bool()?,
            expected: number("expected")?,
            found: number("found")?,
        })
    }

    fn values(&self) -> Value {
        let lost = self.expected.saturating_sub(self.found);
        if self.locked {
            return json!({ "lost_locked": lost });
        }
        #[expect(clippy::cast_precision_loss, reason = "below 2^40")]
        let share = (self.expected > 0).then(|| (lost as f64 / self.expected as f64 * 1e4).round() / 1e4);
        json!({ "expected": self.expected, "found": self.found, "lost": lost, "lost_share": share })
    }

    fn tell(&self, stage: &mut Stage) {
        stage.tell(row(RESULTS.name, shown(self.way), self.values()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Row};

    fn outcome(tried: &[Tried]) -> Values {
        let mut tally = Tally::default();
        for one in tried {
            let values: Values = serde_json::from_value(one.values()).expect("an object");
            let rows = tally.tables.entry(RESULTS.name.to_owned()).or_default();
            match rows.iter_mut().find(|row| row.name == shown(one.way)) {
                Some(row) => row.values.extend(values),
                None => {
                    let name = shown(one.way).to_owned();
                    rows.push(Row { name, first: Nanos::ZERO, last: Nanos::ZERO, values });
                }
            }
        }
        PyRace.outcome(&Params::defaults(&SPEC), &tally)
    }

    fn tried(way: &'static str, locked: bool, found: u64) -> Tried {
        Tried { way, locked, expected: 600, found }
    }

    #[test]
    fn what_is_lost_is_told_by_way() {
        let free = [tried("plain", false, 600), tried("call", false, 450), tried("sleep", false, 300)];
        let values = outcome(&free);
        assert_eq!(values["lost"], json!({"plain": 0, "call": 150, "sleep": 300}));
        assert_eq!(
            (&values["expected"], &values["found"], &values["lost_share"]),
            (&json!(600), &json!(450), &json!(0.25))
        );
        assert_eq!(values["lost_locked"], Value::Null, "not tried yet");
        let all = free.into_iter().chain(WAYS.map(|(way, _)| tried(way, true, 600))).collect::<Vec<_>>();
        assert_eq!(outcome(&all)["lost_locked"], json!(0));
        let mut leaky = all.clone();
        leaky[4].found = 590;
        assert_eq!(outcome(&leaky)["lost_locked"], json!(10));
    }

    #[test]
    fn what_the_program_says_is_not_believed_blindly() {
        let line = json!({"way": "call", "locked": false, "expected": 600, "found": 450});
        assert_eq!(Tried::parse(&line), Some(tried("call", false, 450)));
        for (name, value) in
            [("way", json!("x")), ("locked", json!(1)), ("expected", json!(-1)), ("found", json!(u64::MAX))]
        {
            let mut odd = line.clone();
            odd[name] = value;
            assert_eq!(Tried::parse(&odd), None, "{name}");
        }
    }
}
