//! Processes that begin and end: what the demos say that /proc showed, against the file, the kernel's records and the wait
//! statuses.

use super::{Heard, alone, exact, run};
use crate::support::{Surroundings, User, skip};
use forklore::fact::{Fact, Tid};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

/// The values of the rows of a table, by row, as they were in the end.
fn table(heard: &Heard, name: &str) -> BTreeMap<String, BTreeMap<String, Value>> {
    let mut rows: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for fact in &heard.facts {
        if let Fact::Row { table, row, values } = &fact.fact
            && table == name
        {
            rows.entry(row.clone()).or_default().extend(values.clone());
        }
    }
    rows
}

fn number(values: &BTreeMap<String, Value>, name: &str) -> u32 {
    values.get(name).and_then(Value::as_u64).and_then(|n| n.try_into().ok()).unwrap_or_else(|| panic!("{values:?}"))
}

#[test]
fn every_copy_executes_the_file_that_was_started() {
    let _alone = alone();
    for user in User::all() {
        let file = Surroundings::new(user).forklore([""; 0]).get_program().to_owned();
        let file = std::fs::metadata(&file).expect("it is there");
        let heard = run(user, &[], &["run", "instances", "copies=4", "pace=1", "--json"]).expect("it runs");
        heard.assert_well();
        let copies = table(&heard, "copies");
        assert_eq!(copies.len(), 4, "{copies:?}");
        for (name, values) in &copies {
            assert_eq!(values["file"], json!(format!("{}:{}", file.dev(), file.ino())), "{name}");
            let task = |fact: &Fact| match fact {
                Fact::Task { pid, parent, name: called, slot: Some(_), .. } if called == name => Some((pid.0, *parent)),
                _ => None,
            };
            let (pid, parent) = heard.facts.iter().find_map(|f| task(&f.fact)).expect("it was introduced");
            assert_eq!((&values["pid"], &values["parent"]), (&json!(pid.to_string()), &json!(parent.to_string())));
            let ended =
                |fact: &Fact| matches!(fact, Fact::Exit { tid, signal: Some(s), .. } if tid.0 == pid && s == "SIGTERM");
            assert!(heard.facts.iter().any(|f| ended(&f.fact)), "{name} was sent off in the end");
        }
    }
}

#[test]
fn the_family_is_as_the_kernel_recorded_it() {
    let _alone = alone();
    for user in User::all() {
        let Some(heard) = exact(user, &["family", "pace=20"]) else { continue };
        heard.assert_well();
        let values = &heard.outcome.values;
        if values["program_after"] != json!("cat") {
            skip("a family", "there is no cat");
            continue;
        }
        assert_eq!(
            (&values["pid_kept"], &values["zombie_seen"], &values["reaped"]),
            (&json!(true), &json!(true), &json!(true))
        );
        assert_eq!((&values["new_parent"], &values["main_thread_gone_first"]), (&json!("warden"), &json!(true)));
        let rows = table(&heard, "family");
        let step = |name: &str| rows.values().find(|v| v.get("step") == Some(&json!(name))).expect(name);
        let (forked, adopted) = (step("forked"), step("adopted"));
        let b = number(forked, "pid");
        let names = |tid: u32| {
            let name = |fact: &Fact| match fact {
                Fact::Task { tid: of, parent, name, .. } if of.0 == tid => Some((name.clone(), *parent)),
                _ => None,
            };
            heard.facts.iter().filter_map(|f| name(&f.fact)).collect::<Vec<_>>()
        };
        let a = number(forked, "parent");
        assert!(names(b).contains(&("forklore A".to_owned(), a)), "the record of the fork: {:?}", names(b));
        assert!(names(b).iter().any(|(name, _)| name == "cat"), "the record of the exec: {:?}", names(b));
        let code = |pid: u32| {
            let code = |fact: &Fact| match fact {
                Fact::Exit { tid, code, .. } if *tid == Tid(pid) => *code,
                _ => None,
            };
            heard.facts.iter().find_map(|f| code(&f.fact))
        };
        // B's status is what its parent was given, C's what the warden was.
        assert_eq!((code(b), code(number(adopted, "pid"))), (Some(0), Some(0)));
        assert_eq!(values["exit_code"], json!(0));
        let threads = step("two threads");
        let (other, d) = (number(threads, "tid"), number(threads, "pid"));
        let at = |wanted: &dyn Fn(&Fact) -> bool| heard.facts.iter().filter(|f| wanted(&f.fact)).map(|f| f.t).max();
        let last_of_main = at(&|f| matches!(f, Fact::Out { tid, .. } if tid.0 == d)).expect("it ran");
        let last_of_other = at(&|f| matches!(f, Fact::In { tid, .. } if tid.0 == other)).expect("it ran");
        assert!(last_of_main < last_of_other, "the other thread ran when the main one ran no more");
    }
}
