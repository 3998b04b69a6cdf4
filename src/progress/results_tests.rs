//! What is kept of measurements, and what becomes of files that are not as they should be.

use super::*;
use crate::progress::{Place, Store};
use proptest::prelude::*;
use serde_json::json;

fn host(kernel: &str) -> Host {
    Host { cpu: "Model 7".into(), online: 4, allowed: 2, kernel: kernel.into(), memory_mib: 900, ..Host::default() }
}

fn run(demo: &str, n: u64, when: u64) -> Measured {
    let params = [("n".to_owned(), json!(n))].into();
    Measured { values: [("ns".to_owned(), json!(when))].into(), ..Measured::new(demo, params, By::Tour, When(when)) }
}

fn answer(verdict: &str, when: u64) -> Answer {
    let (because, host) = Default::default();
    Answer { verdict: verdict.into(), because, shown: vec![("a".into(), "1".into())], host, when: When(when) }
}

fn results() -> impl Strategy<Value = Results> {
    let act = (0u8..4, 0u64..3, 0u64..40);
    proptest::collection::vec(act, 0..60).prop_map(|acts| {
        let mut r = Results::default();
        for (what, which, when) in acts {
            let name = format!("c{which}");
            match what {
                0 => r.answer(&host("6"), &name, answer(if when % 2 == 0 { "holds" } else { "fails" }, when)),
                1 => r.believe(&name, Some(when % 2 == 0), When(when)),
                // What has one id is one run.
                _ => r.keep(&host(&format!("{}", when / 30)), run("sample", when % 3, when)),
            }
        }
        r
    })
}

fn merged(a: &Results, b: &Results) -> Results {
    let mut a = a.clone();
    a.merge(b);
    a
}

proptest! {
    #[test]
    fn order_grouping_and_repetition_do_not_matter(a in results(), b in results(), c in results()) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(&merged(&a, &a), &a);
    }

    #[test]
    fn the_file_gives_back_what_was_written(a in results()) {
        let text = serde_json::to_string(&a).expect("plain data");
        prop_assert_eq!(serde_json::from_str::<Results>(&text).expect("our own"), a);
    }
}

#[test]
fn of_the_same_experiment_the_newest_are_kept_and_a_machine_as_long_as_it_is_needed() {
    let mut r = Results::default();
    r.keep(&host("5"), run("sample", 0, 1));
    r.keep(&host("5"), run("sample", 1, 1));
    for when in 2..2 + MOST_ALIKE as u64 {
        r.keep(&host("6"), run("sample", 0, when));
    }
    assert_eq!(r.runs.len(), MOST_ALIKE + 1, "the other parameters are another experiment");
    assert!(r.runs.values().all(|run| run.params["n"] == json!(1) || run.when > When(1)));
    assert_eq!(r.hosts.len(), 2);
    r.runs.retain(|_, run| run.params["n"] == json!(0));
    r.keep(&host("6"), run("other", 0, 99));
    assert_eq!(r.hosts.into_keys().collect::<Vec<_>>(), [host("6").name()]);
}

#[test]
fn there_is_an_end_to_what_is_kept() {
    let mut r = Results::default();
    for n in 0..MOST as u64 + 10 {
        r.keep(&host("6"), run("sample", n, n + 1));
    }
    assert_eq!(r.runs.len(), MOST);
    assert!(r.runs.values().all(|run| run.when > When(10)), "the oldest go first");
    let mut long = run("other", 0, 5_000);
    let row = |n: usize| Row { name: format!("row {n} {}", "x".repeat(300)), values: Values::new() };
    long.tables.insert("figures".into(), (0..1_000).map(row).collect());
    r.keep(&host("6"), long.clone());
    let kept = r.runs.values().find(|run| run.demo == "other").expect("without its table");
    assert!(kept.tables.is_empty() && kept.values == long.values);
    long.values.insert("text".into(), json!("x".repeat(LARGEST)));
    long.when = When(6_000);
    r.keep(&host("6"), long);
    assert!(r.runs.values().all(|run| run.when < When(6_000)), "what does not fit is not kept");
}

#[test]
fn who_changes_their_mind_is_heard_even_after_the_clock_was_turned_back() {
    let mut r = Results::default();
    r.believe("000-01", Some(true), When(50));
    let before = r.clone();
    r.believe("000-01", None, When(10));
    r.answer(&host("6"), "000-01", answer("holds", 50));
    r.answer(&host("6"), "000-01", answer("fails", 1));
    let all = merged(&before, &r);
    assert_eq!((all.beliefs["000-01"].so, all.answers["000-01"].verdict.as_str()), (None, "fails"));
}

#[test]
fn a_machine_is_named_in_a_line() {
    assert_eq!(host("6.1").name(), "Model 7, 2 of 4 cores, 900 MiB, Linux 6.1");
    let governor = Some("performance".to_owned());
    let virtual_machine = Host { governor, virtual_machine: true, online: 1, allowed: 1, ..Host::default() };
    let said = virtual_machine.name();
    assert_eq!(said, "a processor without a name, 1 core, 0 MiB, Linux , governor performance, a virtual machine");
}

#[test]
fn a_damaged_file_is_kept_aside_and_a_newer_one_left_as_it_is_each_with_a_word() {
    let home = tempfile::tempdir().expect("a directory");
    let place = Place::Directory(home.path().into());
    let mut r = Results::default();
    r.keep(&host("6"), run("sample", 0, 1));
    Store::open(&place).0.save(&r).expect("saved");
    let path = home.path().join("results.json");
    let text = std::fs::read_to_string(&path).expect("just written");
    std::fs::write(&path, &text[..text.len() / 2]).expect("ours");
    let (store, found, notices) = Store::<Results>::open(&place);
    assert_eq!(found, Results::default(), "there is no save before that");
    let said = notices.join("; ");
    assert!(said.contains("results.json") && said.contains("it was moved to"), "{said}");
    let aside = std::fs::read_dir(home.path()).expect("it exists").flatten();
    let aside = aside.map(|e| e.path()).find(|p| p.to_string_lossy().contains("results.json.bad-"));
    assert_eq!(std::fs::read_to_string(aside.expect("kept")).expect("readable"), text[..text.len() / 2]);
    store.save(&r).expect("there is room again");
    let newer = text.replacen("\"schema\": 1", "\"schema\": 9", 1);
    assert_ne!(newer, text);
    std::fs::write(&path, &newer).expect("ours");
    let (store, found, notices) = Store::<Results>::open(&place);
    assert_eq!(found.runs.len(), 1, "what can be read of it is");
    assert!(notices.iter().any(|said| said.contains("later forklore")), "{notices:?}");
    store.save(&Results::default()).expect_err("a newer file is not written");
    assert_eq!(std::fs::read_to_string(&path).expect("readable"), newer);
}
