//! A reads two pipes and is killed. B writes into one of them and has prepared nothing, C into the other and has.

use super::row;
use crate::demo::eye;
use crate::demo::script::{Over, errno_name, pass, step, until_worker};
use crate::fact::As;
use crate::stage::{Settings, Stage, Target, Worker, now};
use nix::sys::signal::{SigSet, Signal};
use rustix::fd::OwnedFd;
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::json;
use std::time::Duration;

/// From one message to the next.
const PAUSE: Duration = Duration::from_millis(10);

const PATIENCE: Duration = Duration::from_secs(3);

const UNREADY: &str = "pipe: unready";

pub(super) fn play(stage: &mut Stage, after: Duration) -> Result<(), Over> {
    let ((first, to_first), (second, to_second)) = (pipe_with(PipeFlags::CLOEXEC)?, pipe_with(PipeFlags::CLOEXEC)?);
    let settings = Settings::default();
    // The reader is forked first: with its ends gone from the leader, no other process has them.
    let a = stage.enter_named("A", As::Processes, &settings, move |worker| read(worker, &first, &second))?;
    let b = stage.enter_named("B", As::Processes, &settings, move |worker| write(worker, &to_first, false))?;
    let c = stage.enter_named("C", As::Processes, &settings, move |worker| write(worker, &to_second, true))?;
    pass(stage, after)?;
    let target = |stage: &Stage, n: usize| stage.cast().get(n).and_then(|entry| Target::open(entry.pid));
    let (Some(reader), Some(writer)) = (target(stage, a), target(stage, b)) else { return Ok(()) };
    step(stage, "struck");
    let did = "died reading";
    // C is told sooner than B has ended, and its row is to come second.
    stage.tell(row(UNREADY, json!({ "did": did })));
    let begun = now();
    let _ = reader.signal(rustix::process::Signal::KILL);
    let ended = eye::end(&writer, PATIENCE);
    let values = match &ended {
        Some((at, status)) => {
            let (told, signal) = eye::words(status);
            json!({ "did": did, "reached": signal, "got": told, "alive": false, "took": at.since(begun).0 })
        }
        None => json!({ "did": did, "reached": "nothing", "got": "goes on", "alive": true }),
    };
    stage.tell(row(UNREADY, values));
    until_worker(stage, c, PATIENCE, |stage| stage.work(c) % 2 == 1)?;
    Ok(())
}

fn read(worker: &Worker, first: &OwnedFd, second: &OwnedFd) {
    let mut byte = [0];
    let mut count = 0;
    while worker.order() == 0 && [first, second].iter().all(|pipe| rustix::io::read(pipe, &mut byte) == Ok(1)) {
        count += 1;
        worker.set_work(count);
    }
}

/// Writes a byte now and then. Its counter is even, until it is told that nobody reads.
fn write(worker: &Worker, pipe: &OwnedFd, prepared: bool) {
    if prepared {
        let mut set = SigSet::empty();
        set.add(Signal::SIGPIPE);
        // A mask of this process's own can always be set.
        let _ = set.thread_block();
    }
    let mut count = 0;
    while worker.wait(0, PAUSE) == 0 {
        match rustix::io::write(pipe, b".") {
            Ok(_) => count += 2,
            Err(errno) if count % 2 == 0 => {
                count += 1;
                worker.tell(row(
                    "pipe: ready",
                    json!({
                        "did": "the same", "reached": errno_name(errno), "alive": true, "recovered": true,
                        "got": format!("goes on: it blocks SIGPIPE, and its write says {}", errno_name(errno)),
                    }),
                ));
            }
            Err(_) => count += 2,
        }
        worker.set_work(count);
    }
}
