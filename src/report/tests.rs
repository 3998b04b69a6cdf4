//! A small report in both forms, and what is told of other versions, of nothing, and of the whole ledger.

mod desk;
mod foreign;

use super::{Form, is_ours, nothing_yet};
use crate::fact::Values;
use crate::lesson::{Library, embed};
use crate::lore::{Lang, Ledger};
use crate::progress::{Answer, When};
use desk::{Desk, NOW, host, row, run, values};
use serde_json::json;

/// A new version of forklore changes no snapshot.
fn any_version(report: &str) -> String {
    report.replace(&format!("forklore {}", env!("CARGO_PKG_VERSION")), "forklore VERSION")
}

#[test]
fn a_small_report_as_markdown() {
    insta::assert_snapshot!("markdown", any_version(&Desk::full().write(Form::Markdown)));
}

#[test]
fn a_small_report_as_a_page() {
    let page = Desk::full().write(Form::Page);
    let own = any_version(&page);
    let (head, style) = own.split_once("<style>").expect("a style");
    insta::assert_snapshot!("page", format!("{head}{}", style.split_once("</style>").expect("its end").1));
}

#[test]
fn a_report_in_chinese_speaks_it() {
    let report = Desk { lang: Lang::Zh, ..Desk::full() }.write(Form::Markdown);
    insta::assert_snapshot!("chinese", any_version(&report));
}

#[test]
fn both_forms_are_known_again_and_nothing_else_is() {
    for form in [Form::Markdown, Form::Page] {
        assert!(is_ours(Desk::empty().write(form).as_bytes()), "{form:?}");
    }
    for other in ["", "# Report\n", "<!DOCTYPE html>\n", "<!-- forklore reports -->\n", " <!-- forklore report -->\n"] {
        assert!(!is_ours(other.as_bytes()), "{other:?}");
    }
}

#[test]
fn where_nothing_was_measured_it_says_how_to_begin_and_on_what() {
    let mut desk = Desk { here: Some(host("6.9")), ..Desk::empty() };
    desk.progress.see("shares", 1, When(NOW));
    assert!(nothing_yet(&desk.sources()));
    let report = desk.write(Form::Markdown);
    assert!(report.contains("Nothing was measured yet. `forklore` begins") && report.contains("Linux 6.9"), "{report}");
    desk.progress.complete("shares", When(NOW));
    assert!(!nothing_yet(&desk.sources()) && desk.write(Form::Markdown).contains("1 of 1 lessons are done"));
}

#[test]
fn what_a_later_version_measured_is_shown_plainly_and_not_lost() {
    let mut desk = Desk::empty();
    let tables = [("new table".to_owned(), vec![row("r1", json!({"deep": {"er": [1, 2]}, "word": "w"}))])].into();
    let mut unknown = run("aurora", values(json!({"how": "new", "many": 3})), NOW);
    unknown.values = values(json!({"a_ns": 5, "list": [1, "x"], "nested": {"a": {"b": null}}}));
    (unknown.version, unknown.source) = ("9.9.9".into(), "telepathic".into());
    (unknown.tables, unknown.lost, unknown.early) = (tables, 12, true);
    desk.results.keep(&host("6.1"), unknown);
    let mut known = run("timeslice", values(json!({"new": [1]})), NOW);
    known.values = values(json!({"least_share": "a word", "new_value": 7}));
    desk.results.keep(&host("6.1"), known);
    let answer: Answer = serde_json::from_value(json!({"verdict": "maybe", "because": "of it"})).expect("a later one");
    desk.results.answer(&host("6.1"), "999-99", answer);
    let report = desk.write(Form::Markdown);
    for part in [
        "has no such demo",
        "forklore run aurora how=new many=3",
        "| `a_ns` ",
        "| r1  | er 1, 2 | w    |",
        "Source: **telepathic**. This forklore does not know that source. 12 records were",
        "ended it before",
        "This run was watched",
        "forklore run timeslice new=1",
        "(not known to this version)",
        "a word",
        "### Other verdicts (1)",
        "**maybe**: of it.",
    ] {
        assert!(report.contains(part), "{part} is not in:\n{report}");
    }
}

#[test]
fn a_table_that_was_too_long_to_be_kept_is_made_of_the_values() {
    let mut desk = Desk::empty();
    let figures = json!({"thread, 0 MiB": {"ns": 24_830.0, "low": 24_450.0, "high": 25_280.0, "rounds": 39}});
    let mut run = run("create", Values::new(), NOW);
    run.values = values(json!({ "figures": figures }));
    desk.results.keep(&host("6"), run);
    let report = desk.write(Form::Markdown);
    assert!(report.contains("| thread, 0 MiB | 24.8 µs | 24.4 µs .. 25.3 µs |     39 |"), "{report}");
    assert!(!report.contains("| `figures`"), "it is not told twice:\n{report}");
}

#[test]
fn speed_ups_are_drawn_beside_the_law_and_share_the_table_of_their_rows() {
    let mut desk = Desk::empty();
    let rows = ["1", "2"].map(|n| row(n, json!({"speedup": 1.5, "law": 1.82, "half": "1 – 2", "says": "steady"})));
    let mut run = run("amdahl", Values::new(), NOW);
    run.values = values(json!({"speedup": {"1": 1.0, "2": 1.5}, "law": {"1": 1.0, "2": 1.82}, "serial": 0.1}));
    run.tables = [("by workers".to_owned(), rows.to_vec())].into();
    desk.results.keep(&host("6"), run);
    let page = desk.write(Form::Page);
    for part in ["curve measured", "curve reference-1", ">the law</text>", "<span>1 – 2</span>"] {
        assert!(page.contains(part), "{part} is not in:\n{page}");
    }
    assert_eq!(page.matches("1 – 2").count(), 2, "one table, with both rows:\n{page}");
}

#[test]
fn a_page_asks_the_network_for_nothing_and_runs_nothing() {
    let page = Desk::full().write(Form::Page);
    for part in ["http:", "https:", "src=", "@import", "url(h", "<script", "<link"] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(
        page.contains("default-src 'none'")
            && page.contains("prefers-color-scheme: dark")
            && page.contains("@media print")
    );
    let svgs = page.matches("<svg role=\"img\"").count();
    assert!(svgs >= 4, "{svgs}");
    assert_eq!((page.matches("<title id=").count(), page.matches("<desc id=").count()), (svgs, svgs));
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
}

#[test]
fn the_ledger_of_the_program_is_reported_whole() {
    let (file, text) = embed::lore();
    let specs = crate::demo::specs();
    let ledger = Ledger::read(&file, &text, &specs, &embed::claims()).expect("our own");
    let mut desk = Desk { ledger, library: Library::new(embed::lessons(), "en"), ..Desk::empty() };
    let ids: Vec<String> = desk.ledger.claims().iter().map(|claim| claim.id.clone()).collect();
    for id in &ids {
        let answer: Answer = serde_json::from_value(json!({"verdict": "holds"})).expect("an answer");
        desk.results.answer(&host("6"), id, answer);
    }
    let report = desk.write(Form::Markdown);
    assert!(ids.iter().all(|id| report.contains(&format!("- **{id}** "))), "one is missing");
    assert!(
        report
            .lines()
            .filter(|line| !line.starts_with('|'))
            .all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80)
    );
}
