//! Names that strangers chose, and files that hold whatever a file can hold.

use super::desk::{Desk, LESSON, host, row, run, values};
use crate::fact::Values;
use crate::lesson::{LessonFile, Library};
use crate::lore::Lang;
use crate::progress::{Answer, Host, Measured, Prediction, Row, When};
use crate::report::{Form, is_ours};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Names that want to be more than names.
const HOSTILE: &str = "</title></svg><script>alert(1)</script>\" onload=\"x' & | ` * _ \u{1b}[2J\u{202e}";

fn hostile() -> Desk {
    let mut desk = Desk::full();
    let file = LESSON.replace("Fair shares", "<img src=x> | shares").replace("What share", "<b>What</b> `share`");
    let file = LessonFile { file: "en/04-shares.md".into(), bytes: file.into_bytes().into(), lang: "en".into() };
    desk.library = Library::new([file], "en");
    let host = Host { cpu: HOSTILE.into(), kernel: HOSTILE.into(), governor: Some(HOSTILE.into()), ..Host::default() };
    let tables = ["figures", HOSTILE]
        .map(|name| (name.to_owned(), vec![row(HOSTILE, json!({"ns": 5.0, "why": HOSTILE, HOSTILE: HOSTILE}))]));
    for demo in ["create", HOSTILE] {
        let mut run = run(demo, values(json!({HOSTILE: HOSTILE})), u64::MAX / 2);
        run.values = values(json!({HOSTILE: HOSTILE, "cheapest": HOSTILE}));
        run.tables = tables.clone().into();
        [&mut run.source, &mut run.version].into_iter().for_each(|word| HOSTILE.clone_into(word));
        (run.lesson, run.step) = (Some(HOSTILE.into()), Some(u32::MAX));
        desk.results.keep(&host, run);
    }
    let (shown, because) = (vec![(HOSTILE.into(), HOSTILE.into())], HOSTILE.into());
    let answer = Answer { verdict: HOSTILE.into(), because, shown, host: String::new(), when: When(5) };
    desk.results.answer(&host, HOSTILE, answer);
    desk.results.believe(HOSTILE, Some(true), When(1));
    desk.progress.predict(HOSTILE, 0, Prediction::new(HOSTILE.into(), None, json!(HOSTILE), When(u64::MAX)));
    desk
}

#[test]
fn hostile_names_stay_names_on_a_page() {
    let page = hostile().write(Form::Page);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"), "a tag of theirs");
    assert!(!page.contains(['\u{1b}', '\u{202e}']), "a character that acts");
    assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"), "it is shown, not dropped");
    let tags: std::collections::BTreeSet<&str> = page
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split([' ', '>', '\n', '/']).next())
        .filter(|tag| !tag.is_empty())
        .collect();
    let known = Desk::full().write(Form::Page);
    for tag in tags {
        assert!(known.contains(&format!("<{tag}")) || tag == "pre", "{tag} is none of ours");
    }
    // Quotes end no attribute: whatever stands in one was escaped.
    assert!(!page.contains("onload=\""), "{page}");
}

#[test]
fn hostile_names_break_no_table_in_markdown() {
    let text = hostile().write(Form::Markdown);
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "a character that acts");
    let plain = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
    let mut columns = None;
    for line in text.lines() {
        if line.starts_with('|') {
            assert_eq!(plain(line), *columns.get_or_insert(plain(line)), "{line}");
        } else {
            columns = None;
        }
    }
}

/// Any value that a file may hold, some of them such as a demo tells.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0.0..1e9).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = prop_oneof!["[a-z]{1,6}", "[0-9]{1,3}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_values() -> impl Strategy<Value = Values> {
    let key = prop::sample::select(vec![
        "ns",
        "low",
        "high",
        "ratio",
        "verdict",
        "speedup",
        "law",
        "figures",
        "least_share",
        "latency_ns",
        "side",
        "why",
        "x|y",
    ]);
    proptest::collection::btree_map(key.prop_map(str::to_owned), any_value(), 0..8)
}

fn any_run() -> impl Strategy<Value = Measured> {
    let demos = crate::demo::specs().into_iter().map(|spec| spec.name.to_owned()).chain(["new".to_owned()]);
    let tables = ["figures", "ratios", "by workers", "ways", "machine", "owned", "unheard of"];
    let rows =
        proptest::collection::vec(("\\PC{0,12}", any_values()).prop_map(|(name, values)| Row { name, values }), 0..4);
    let tables =
        proptest::collection::btree_map(prop::sample::select(tables.to_vec()).prop_map(str::to_owned), rows, 0..4);
    let more = (prop::sample::select(vec!["exact", "unwatched", ""]), any::<f64>(), any::<u64>(), any::<bool>());
    (prop::sample::select(demos.collect::<Vec<_>>()), any_values(), any_values(), tables, any::<u64>(), more).prop_map(
        |(demo, params, values, tables, when, (source, seconds, lost, early))| {
            let (lesson, step) = (Some("shares".to_owned()), u32::try_from(when % 3).ok());
            let version = if early { "9" } else { env!("CARGO_PKG_VERSION") }.to_owned();
            let source = source.to_owned();
            let mut run = run(&demo, params, when);
            (run.values, run.tables, run.source, run.version) = (values, tables, source, version);
            (run.seconds, run.lost, run.early, run.lesson, run.step) = (seconds, lost, early, lesson, step);
            run
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_results_give_a_report(
        runs in proptest::collection::vec((any_run(), "\\PC{0,8}"), 0..6),
        answers in proptest::collection::vec(("00[0-9]-0[89]|\\PC{0,6}", "holds|fails|inconclusive|\\PC{0,6}", any::<u64>()), 0..6),
        predicted in proptest::collection::vec(("shares|\\PC{0,6}", any::<u32>(), any_value(), any::<Option<bool>>()), 0..6),
        zh in any::<bool>(),
    ) {
        let mut desk = Desk { lang: if zh { Lang::Zh } else { Lang::En }, ..Desk::empty() };
        for (run, kernel) in runs {
            desk.results.keep(&host(&kernel), run);
        }
        for (id, verdict, when) in answers {
            let shown = vec![(id.clone(), verdict.clone())];
            desk.results.believe(&id, Some(when % 2 == 0), When(when / 2));
            desk.results.answer(&host("6"), &id, Answer { verdict, because: id.clone(), shown, host: String::new(), when: When(when / 2) });
        }
        for (lesson, step, measured, right) in predicted {
            desk.progress.predict(&lesson, step, Prediction::new("a".into(), right, measured, When(step.into())));
        }
        for form in [Form::Markdown, Form::Page] {
            let text = desk.write(form);
            prop_assert!(is_ours(text.as_bytes()));
            prop_assert!(!text.bytes().any(|byte| byte == 0x1b));
        }
        let page = desk.write(Form::Page);
        prop_assert!(page.trim_end().ends_with("</html>") && !page.contains("NaN") && !page.contains("=\"inf"));
    }
}
