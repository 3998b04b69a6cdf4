//! Messages between two tasks, against the kernel: the calls that they sleep in, and what is left when the leader is killed.

use crate::support::{Patience, Surroundings, User, skip};
use forklore::fact::{Fact, Outcome, Stamped, Tid};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

/// A way to talk: the demo's name, the copies of a message, the call that one sleeps in who waits for a message, and for room.
struct Way {
    demo: &'static str,
    copies: u64,
    waits: &'static [libc::c_long],
    full: &'static [libc::c_long],
}

#[cfg(target_arch = "x86_64")]
const POLL: &[libc::c_long] = &[libc::SYS_poll, libc::SYS_ppoll];
#[cfg(not(target_arch = "x86_64"))]
const POLL: &[libc::c_long] = &[libc::SYS_ppoll];

const FUTEX: &[libc::c_long] = &[libc::SYS_futex];
const WRITE: &[libc::c_long] = &[libc::SYS_write];
const SEND: &[libc::c_long] = &[libc::SYS_sendto];

const WAYS: [Way; 8] = [
    Way { demo: "pipe", copies: 2, waits: POLL, full: WRITE },
    Way { demo: "fifo", copies: 2, waits: POLL, full: WRITE },
    Way { demo: "socket", copies: 2, waits: POLL, full: SEND },
    Way { demo: "tcp", copies: 2, waits: POLL, full: SEND },
    Way { demo: "mqueue", copies: 2, waits: POLL, full: &[libc::SYS_mq_timedsend] },
    Way { demo: "shm", copies: 0, waits: FUTEX, full: FUTEX },
    // It sleeps by itself between two tries.
    Way { demo: "signal", copies: 2, waits: POLL, full: FUTEX },
    Way { demo: "rpc", copies: 4, waits: POLL, full: &[] },
];

/// Runs a demo and hands each fact over as it comes, with the workers' ids; its outcome, if it did not refuse to begin.
fn listen(user: User, args: &[&str], mut hear: impl FnMut(&Fact, &BTreeMap<String, (Tid, u32)>)) -> Option<Outcome> {
    let here = Surroundings::new(user);
    let mut child = here.start(["run"].iter().chain(args).chain(&["--json"]).copied());
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (mut told, mut workers) = (None, BTreeMap::new());
    for line in lines {
        let fact = serde_json::from_str::<Stamped>(&line.expect("plain text")).expect("a fact").fact;
        if let Fact::Task { tid, parent, name, slot: Some(_), .. } = &fact {
            workers.insert(name.clone(), (*tid, *parent));
        }
        hear(&fact, &workers);
        if let Fact::Outcome(outcome) = fact {
            told = Some(outcome);
        }
    }
    assert!(Patience::default().wait(|| child.try_wait().expect("a child of ours")).is_some(), "it ends");
    here.marker.assert_gone(Patience::default());
    let told = told?;
    // Those whose leader was killed are ended by others.
    assert!(told.clean && (told.left_behind == 0 || told.broke.is_some()), "{told:?}");
    Some(told)
}

/// The number of the system call that a task sleeps in, if that may be seen and it sleeps in one.
fn call_of(tid: Tid) -> Option<libc::c_long> {
    let text = std::fs::read_to_string(format!("/proc/{tid}/syscall")).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// A refusal of what the machine may well not have.
fn is_refusal(way: &Way, outcome: &Outcome) -> bool {
    let refused = matches!(way.demo, "mqueue" | "tcp") && outcome.broke.is_some();
    if refused {
        skip(way.demo, outcome.broke.as_deref().unwrap_or_default());
    }
    refused
}

#[test]
fn a_message_arrives_whole_and_who_waits_sleeps_in_the_call_that_is_named() {
    for way in &WAYS {
        let (mut seen, mut others, mut unseen) = (0, Vec::new(), 0);
        for user in User::all() {
            for what in ["as=processes", "as=threads"] {
                let args = [way.demo, what, "pace=200", "messages=50"];
                let told = listen(user, &args, |fact, workers| {
                    let Fact::Step { name } = fact else { return };
                    let (who, calls) = match name.as_str() {
                        "waits" => ("B", way.waits),
                        "full" => ("A", way.full),
                        _ => return,
                    };
                    // It rests at this step for a fifth of a second; on a busy machine it may have gone on.
                    match call_of(workers[who].0) {
                        Some(call) if calls.contains(&call) => seen += 1,
                        Some(call) => others.push(call),
                        None => unseen += 1,
                    }
                });
                let told = told.expect("an outcome");
                if is_refusal(way, &told) {
                    continue;
                }
                let value = |name: &str| told.values[name].clone();
                let size = if way.demo == "signal" { 8 } else { 64 };
                assert_eq!(
                    (value("copies"), value("intact"), value("bytes")),
                    (json!(way.copies), json!(true), json!(50 * size)),
                    "{user:?}, {}, {what}: {told:?}",
                    way.demo
                );
                assert!(value("wakeups").as_u64() >= Some(1), "{}: {told:?}", way.demo);
                assert!(way.full.is_empty() == value("capacity").is_null(), "{}: {told:?}", way.demo);
            }
        }
        if seen == 0 && others.is_empty() {
            skip(&format!("{}: the call that it sleeps in", way.demo), "/proc/TID/syscall may not be read here");
        } else {
            assert!(seen > others.len(), "{}: {seen} times as said, and {others:?}; {unseen} unseen", way.demo);
        }
    }
}

/// Names that a way to talk may have left.
fn names() -> Vec<String> {
    let folders = [std::env::temp_dir(), "/tmp".into(), "/dev/mqueue".into(), "/dev/shm".into()];
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|n| n.starts_with("forklore-talk"))
        .collect()
}

#[test]
fn a_leader_that_is_killed_leaves_no_name_and_no_worker() {
    for way in &WAYS {
        for at in ["opened", "waits", "full"] {
            let mut killed = None;
            let told = listen(User::Me, &[way.demo, "as=processes", "pace=60", "messages=50"], |fact, workers| {
                if killed.is_none() && matches!(fact, Fact::Step { name } if name == at) {
                    let leader = workers["A"].1;
                    kill(Pid::from_raw(leader.cast_signed()), Signal::SIGKILL).expect("it is on stage");
                    killed = Some(leader);
                }
            });
            let Some(leader) = killed else { continue };
            let told = told.expect("an outcome");
            assert!(told.broke.is_some(), "{}: {told:?}", way.demo);
            // Others may be opening theirs; a name says whose it is.
            let left: Vec<_> = names().into_iter().filter(|n| n.contains(&format!("-{leader}-"))).collect();
            assert_eq!(left, [""; 0], "{} at {at}", way.demo);
        }
    }
}
