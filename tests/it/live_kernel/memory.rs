//! Who has which memory, against the kernel: its list of mappings, what lies in them seen from outside, and wait statuses.

use crate::support::{Patience, Surroundings, User, skip};
use forklore::fact::{Fact, Outcome, Stamped, Tid, Values};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;

/// The line of /proc/PID/maps that holds `address`: its rights, and the inode of what is mapped.
fn mapping(tid: Tid, address: u64) -> Option<(String, String)> {
    let maps = std::fs::read_to_string(format!("/proc/{tid}/maps")).ok()?;
    maps.lines().find_map(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let (from, to) = words.first()?.split_once('-')?;
        let number = |hex| u64::from_str_radix(hex, 16).ok();
        (number(from)? <= address && address < number(to)?).then(|| (words[1].to_owned(), words[4].to_owned()))
    })
}

/// The word at `address` of another task.
fn word(tid: Tid, address: u64) -> std::io::Result<u64> {
    let mut bytes = [0; 8];
    File::open(format!("/proc/{tid}/mem"))?.read_exact_at(&mut bytes, address)?;
    Ok(u64::from_ne_bytes(bytes))
}

/// Runs `demo` and hands each fact over as it comes; the outcome.
fn listen(user: User, args: &[&str], mut hear: impl FnMut(&Fact)) -> Outcome {
    let here = Surroundings::new(user);
    let mut child = here.start(["run"].iter().chain(args).chain(&["--json"]).copied());
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut told = None;
    for line in lines {
        let fact = serde_json::from_str::<Stamped>(&line.expect("plain text")).expect("a fact").fact;
        hear(&fact);
        if let Fact::Outcome(outcome) = fact {
            told = Some(outcome);
        }
    }
    assert!(Patience::default().wait(|| child.try_wait().expect("a child of ours")).is_some(), "it ends");
    here.marker.assert_gone(Patience::default());
    let told = told.expect("an outcome");
    assert!(told.clean && told.broke.is_none(), "{told:?}");
    told
}

#[test]
fn what_all_see_lies_in_memory_that_the_kernel_says_is_common() {
    for user in User::all() {
        for (what, rights) in [("as=threads", "rw-p"), ("as=processes", "rw-s")] {
            let (mut workers, mut rows) = (BTreeMap::new(), BTreeMap::<String, Values>::new());
            let mut looked = 0;
            let told = listen(user, &["shared", what, "pace=200"], |fact| match fact {
                Fact::Task { tid, name, slot: Some(_), .. } => drop(workers.insert(name.clone(), *tid)),
                Fact::Row { row, values, .. } => rows.entry(row.clone()).or_default().extend(values.clone()),
                // All have written and nobody writes any more, and all stay for a second.
                Fact::Step { name } if name == "done" => {
                    let address = |row: &str| {
                        let hex = rows[row]["address"].as_str().and_then(|hex| hex.strip_prefix("0x"));
                        u64::from_str_radix(hex.expect("an address"), 16).expect("a number")
                    };
                    let kernels: Vec<_> = workers.iter().map(|(row, tid)| mapping(*tid, address(row))).collect();
                    if kernels.iter().any(Option::is_none) {
                        return skip("the mappings of another's process", "they cannot be read, or it took too long");
                    }
                    assert!(kernels.iter().flatten().all(|(r, _)| r == rights), "{user:?}, {what}: {kernels:?}");
                    assert!(kernels.windows(2).all(|two| two[0] == two[1]), "one thing is mapped: {kernels:?}");
                    for (row, tid) in &workers {
                        match word(*tid, address(row)) {
                            Ok(found) => assert_eq!(rows[row]["reads"], found, "{user:?}, {what}: {row}"),
                            Err(why) => skip("another's memory", &why.to_string()),
                        }
                    }
                    looked += 1;
                }
                _ => {}
            });
            assert_eq!((workers.len(), rows.len()), (3, 3), "{told:?}");
            assert!(looked <= 1, "{looked}");
            assert_eq!(told.values["values_seen"], 3, "{told:?}");
        }
    }
}

#[test]
fn as_many_stray_pointers_end_in_a_signal_as_processes_were_ended_by_it() {
    for user in User::all() {
        let mut died = 0;
        let told = listen(user, &["trespass", "pace=1"], |fact| {
            died += usize::from(matches!(fact, Fact::Exit { signal: Some(signal), .. } if signal == "SIGSEGV"));
        });
        let tries = told.values["tries"].as_object().expect("a table");
        assert_eq!(tries.values().filter(|outcome| *outcome == "SIGSEGV").count(), died, "{user:?}: {told:?}");
        assert_eq!((&told.values["pointers"], &told.values["changed_by_pointer"]), (&6.into(), &0.into()), "{told:?}");
        assert_eq!(tries.len(), 10, "{tries:?}");
    }
}
