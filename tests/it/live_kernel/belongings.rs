//! Whose a thing is, against the kernel: kcmp(2) says of two tasks whether they have one memory, one table of files, one set of handlers.

use crate::support::{Patience, Surroundings, User, skip};
use forklore::fact::{Fact, Stamped, Tid};
use std::io::{BufRead, BufReader};

/// What kcmp compares, by its numbers in linux/kcmp.h, and the values that should say the same.
const COMPARED: [(i32, &[&str]); 4] =
    [(1, &["global", "heap"]), (2, &["files"]), (3, &["directory", "umask"]), (4, &["handlers"])];

/// Whether two tasks have the same thing, if the kernel says it.
#[expect(unsafe_code, reason = "kcmp(2) has no safe wrapper")]
fn same(what: i32, tasks: (Tid, Tid)) -> std::io::Result<bool> {
    // SAFETY: numbers only.
    match unsafe { libc::syscall(libc::SYS_kcmp, tasks.0.0, tasks.1.0, what, 0, 0) } {
        0 => Ok(true),
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(false),
    }
}

#[test]
fn two_share_what_the_kernel_says_that_they_share() {
    for user in User::all() {
        for what in ["as=threads", "as=processes"] {
            let here = Surroundings::new(user);
            let mut child = here.start(["run", "belongings", what, "pace=40", "--json"]);
            let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
            let mut next = || {
                let line = lines.next()?.expect("plain text");
                Some(serde_json::from_str::<Stamped>(&line).expect("a fact").fact)
            };
            // Both are on while things are tried.
            let mut workers = Vec::new();
            while let Some(fact) = next() {
                match fact {
                    Fact::Task { tid, slot: Some(_), .. } => workers.push(tid),
                    Fact::Step { .. } => break,
                    _ => {}
                }
            }
            let [a, b] = workers[..] else { panic!("{user:?}, {what}: {workers:?}") };
            let kernels: Vec<_> = COMPARED.iter().map(|(number, values)| (same(*number, (a, b)), *values)).collect();
            let mut told = None;
            while let Some(fact) = next() {
                if let Fact::Outcome(outcome) = fact {
                    told = Some(outcome);
                }
            }
            let told = told.expect("an outcome");
            assert!(Patience::default().wait(|| child.try_wait().expect("a child of ours")).is_some(), "it ends");
            here.marker.assert_gone(Patience::default());
            assert!(told.clean && told.broke.is_none(), "{told:?}");
            for (kernel, values) in kernels {
                match kernel {
                    Ok(same) => {
                        let wanted = if same { "shared" } else { "own" };
                        let said = values.iter().map(|value| (*value, &told.values[*value]));
                        said.for_each(|(value, said)| assert_eq!(said, wanted, "{user:?}, {what}: {value}"));
                    }
                    Err(why) => skip("what two tasks share", &format!("kcmp(2) was refused ({why})")),
                }
            }
        }
    }
}
