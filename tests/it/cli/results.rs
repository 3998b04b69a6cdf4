//! What is kept of runs: by `run --keep` and by `lore`, with the machine, and never without being asked.

use super::forklore;
use crate::support::{Surroundings, User};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

fn file(here: &Surroundings) -> PathBuf {
    here.home().join(".local/state/forklore/results.json")
}

fn results(here: &Surroundings) -> Value {
    let text = fs::read_to_string(file(here)).unwrap_or_else(|e| panic!("{}: {e}", file(here).display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// The runs of a demo.
fn runs(results: &Value, demo: &str) -> Vec<Value> {
    let runs = results["runs"].as_object().expect("runs by id");
    runs.values().filter(|run| run["demo"] == demo).cloned().collect()
}

#[test]
fn a_run_is_kept_with_its_machine_when_that_is_asked_for() {
    for user in User::all() {
        let here = Surroundings::new(user);
        assert_eq!(forklore(&here, "run shared").code, 0);
        assert!(!file(&here).exists(), "nobody asked");
        let said = forklore(&here, "run shared --keep --json");
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        let (kept, outcome) = (results(&here), said.facts().pop().expect("an outcome"));
        let [run] = runs(&kept, "shared").try_into().expect("one run");
        let outcome: Value = serde_json::to_value(&outcome).expect("plain data");
        assert_eq!((&run["by"], &run["values"]), (&json!("run"), &outcome["values"]));
        let host = &kept["hosts"][run["host"].as_str().expect("a name")];
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").expect("Linux");
        assert_eq!((&host["kernel"], &host["virtual"]), (&json!(kernel.trim()), &json!(host["virtual"] == true)));
        assert!(host["online"].as_u64() >= host["allowed"].as_u64() && host["memory_mib"].as_u64() > Some(0));
    }
}

#[test]
fn the_ledger_keeps_its_verdicts_and_its_runs() {
    let here = Surroundings::new(User::Me);
    assert_eq!(forklore(&here, "lore 004-06 004-07").code, 0);
    let kept = results(&here);
    assert_eq!(
        (&kept["answers"]["004-06"]["verdict"], &kept["answers"]["004-07"]["verdict"]),
        (&json!("fails"), &json!("holds"))
    );
    let [run] = runs(&kept, "shared").try_into().expect("one run for both");
    assert_eq!((&run["by"], &run["values"]["values_seen"]), (&json!("lore"), &json!(3)));
    assert_eq!(run["host"], kept["answers"]["004-06"]["host"]);
}

#[test]
fn a_damaged_file_is_kept_aside_and_a_newer_one_is_left_alone_and_both_are_told() {
    let here = Surroundings::new(User::Me);
    fs::create_dir_all(file(&here).parent().expect("a folder")).expect("our own home");
    fs::write(file(&here), "{\"schema\":1,\"runs\":").expect("our own home");
    let said = forklore(&here, "run shared --keep");
    assert_eq!(said.code, 0);
    assert!(said.err.starts_with("forklore: ") && said.err.contains("it was moved to"), "{}", said.err);
    assert_eq!(runs(&results(&here), "shared").len(), 1);
    let newer = "{\"schema\":99,\"badges\":[]}";
    fs::write(file(&here), newer).expect("our own home");
    let said = forklore(&here, "run shared --keep");
    assert_eq!(said.code, 0, "the run itself went well");
    assert!(said.err.contains("not kept") && said.err.contains("later forklore"), "{}", said.err);
    assert_eq!(fs::read_to_string(file(&here)).expect("ours"), newer);
}
