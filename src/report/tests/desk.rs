//! What a learner may have done and measured, for the tests of the report.

use super::super::{Form, Sources, compose};
use crate::fact::{DemoSpec, Values};
use crate::lesson::{ClaimIds, LessonFile, Library};
use crate::lore::{Lang, Ledger};
use crate::progress::{Answer, By, Host, Measured, Prediction, Progress, Results, Row, When};
use serde_json::{Value, json};

pub(super) const LESSON: &str = "+++
id = \"shares\"
title = \"Fair shares\"
part = \"P\"
claims = [\"000-08\"]
+++
X.

## Four on one core
```predict
What share does the one get that gets least?
- under 10 %
- over 10 %
= least_share
```
```demo timeslice
workers = 4
```
<!-- claims: 000-08 -->
";

const LEDGER: &str = "
[[claim]]
id = \"000-08\"
en = \"A process may have several threads.\"
zh = \"一个进程可以有几个线程。\"
stands = \"holds\"
why = \"Four of them, on one core.\"
why_zh = \"四个线程，一个核。\"
contradicts = [\"000-09\"]
demo = \"timeslice\"
params = { as = \"threads\", workers = 4 }
holds_if = { least_share = \"over 10 %\" }

[[claim]]
id = \"000-09\"
en = \"A process has one thread.\"
zh = \"一个进程只有一个线程。\"
stands = \"wrong\"
why = \"See the other.\"
why_zh = \"见另一条。\"
untested = \"It is the contrary of the other\"
untested_zh = \"它与另一条相反\"
contradicts = [\"000-08\"]
";

/// The beginning of 2026.
pub(super) const NOW: u64 = 1_767_225_600;

pub(super) struct Desk {
    pub(super) progress: Progress,
    pub(super) results: Results,
    pub(super) library: Library,
    pub(super) ledger: Ledger,
    pub(super) specs: Vec<&'static DemoSpec>,
    pub(super) here: Option<Host>,
    pub(super) lang: Lang,
}

impl Desk {
    pub(super) fn empty() -> Self {
        let file =
            LessonFile { file: "en/04-shares.md".into(), bytes: LESSON.as_bytes().to_vec().into(), lang: "en".into() };
        let specs = crate::demo::specs();
        let ids: ClaimIds = [("000-08", "threads"), ("000-09", "threads")].into_iter().collect();
        let ledger = Ledger::read("lore.toml", LEDGER, &specs, &ids).expect("a good one");
        let (progress, results) = Default::default();
        let library = Library::new([file], "en");
        Self { progress, results, library, ledger, specs, here: None, lang: Lang::En }
    }

    /// With a prediction, two runs that are alike, one that measures, an answer and a belief.
    pub(super) fn full() -> Self {
        let mut desk = Self::empty();
        for when in [NOW, NOW + 600] {
            let values = values(json!({"least_share": 0.248, "median_turn_ns": 4_000_000, "switches": 395}));
            let params = values_of("timeslice", json!({"workers": 4}));
            let (lesson, step) = (Some("shares".to_owned()), Some(1));
            let mut run = run("timeslice", params, when);
            (run.values, run.lesson, run.step, run.seconds) = (values, lesson, step, 3.0);
            run.source = "exact".into();
            desk.results.keep(&host("6.1"), run);
        }
        let tables = [("figures".to_owned(), figures()), ("ratios".to_owned(), ratios())].into();
        let values =
            values(json!({"fork_by_thread": 10.91, "fork_says": "more", "noise": "none", "figures": {"x": {"ns": 1}}}));
        let params = values_of("create", json!({"rounds": 40}));
        let mut run = run("create", params, NOW + 900);
        (run.values, run.tables, run.seconds) = (values, tables, 5.2);
        run.source = "unwatched".into();
        desk.results.keep(&host("6.2"), run);
        let prediction = Prediction::new("under 10 %".into(), Some(false), json!(0.248), When(NOW + 601));
        desk.progress.predict("shares", 1, prediction);
        desk.progress.see("shares", 1, When(NOW));
        desk.progress.complete("shares", When(NOW + 700));
        let answer = |verdict: &str, because: &str| Answer {
            verdict: verdict.into(),
            because: because.into(),
            shown: vec![("least_share".into(), "24.8 %".into()), ("switches".into(), "395".into())],
            host: String::new(),
            when: When(NOW + 800),
        };
        desk.results.answer(&host("6.1"), "000-08", answer("holds", "least_share 24.8 % (over 10 %)"));
        desk.results.answer(&host("6.1"), "000-09", answer("fails", ""));
        desk.results.believe("000-08", Some(false), When(NOW));
        desk.results.believe("000-09", None, When(NOW));
        desk
    }

    pub(super) fn sources(&self) -> Sources<'_> {
        let Self { progress, results, library, ledger, specs, here, lang } = self;
        Sources { progress, results, library, ledger, specs, here: here.as_ref(), now: When(NOW + 3_600), lang: *lang }
    }

    pub(super) fn write(&self, form: Form) -> String {
        form.write(&compose(&self.sources()))
    }
}

pub(super) fn host(kernel: &str) -> Host {
    let (cpu, kernel) = ("Model 7".to_owned(), kernel.to_owned());
    Host { cpu, online: 4, allowed: 2, kernel, memory_mib: 16_000, virtual_machine: true, ..Host::default() }
}

pub(super) fn run(demo: &str, params: Values, when: u64) -> Measured {
    let mut run = Measured::new(demo, params, By::Tour, When(when));
    // It stands in the snapshots.
    run.version = "0.0.1".into();
    run
}

pub(super) fn values(from: Value) -> Values {
    serde_json::from_value(from).expect("an object")
}

/// The defaults of a demo, and these.
pub(super) fn values_of(demo: &str, given: Value) -> Values {
    let spec = crate::demo::find(demo).expect("it exists").spec();
    crate::fact::Params::from_values(spec, &values(given)).expect("good ones").values().clone()
}

pub(super) fn row(name: &str, values_are: Value) -> Row {
    Row { name: name.into(), values: values(values_are) }
}

fn figures() -> Vec<Row> {
    vec![
        row("thread, 0 MiB", json!({"ns": 24_830.0, "low": 24_450.0, "high": 25_280.0, "rounds": 39, "note": "n"})),
        row("fork, 0 MiB", json!({"ns": 275_000.0, "low": 267_600.0, "high": 280_100.0, "rounds": 39})),
        row("fork, 512 MiB", json!({"ns": null, "why": "too little memory"})),
    ]
}

fn ratios() -> Vec<Row> {
    let of = |ratio, low, high, verdict: &str| {
        json!({"ratio": ratio, "low": low, "high": high, "verdict": verdict,
        "says": verdict, "times": format!("{ratio} ({low} .. {high})")})
    };
    vec![row("fork / thread, 0 MiB", of(10.91, 10.73, 11.34, "more")), row("a / b", of(1.05, 0.8, 1.4, "inconclusive"))]
}
