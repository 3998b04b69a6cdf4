//! What demos that tell a story share: time that passes, steps that are told, and the two reasons to leave early.

use crate::fact::{Fact, SETTLED, Unavailable};
use crate::stage::{Cue, Stage};
use std::time::{Duration, Instant};

/// The verb by which the learner does not want to wait.
pub(super) const NOW: &str = "now";

/// How long the result stays on stage.
const STAY: Duration = Duration::from_secs(1);

/// Why a story was not told to its end.
#[derive(Debug)]
pub(super) enum Over {
    /// The learner has seen enough.
    Finish,
    /// The machine refused something.
    Broke(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Over {
    fn from(error: E) -> Self {
        Self::Broke(error.into())
    }
}

/// Tells a story: its result stays for a moment; that the learner had enough is no error.
pub(super) fn told(stage: &mut Stage, story: impl FnOnce(&mut Stage) -> Result<(), Over>) -> anyhow::Result<()> {
    let whole = story(stage).and_then(|()| {
        step(stage, SETTLED);
        pass(stage, STAY)
    });
    match whole {
        Ok(()) | Err(Over::Finish) => Ok(()),
        Err(Over::Broke(error)) => Err(error),
    }
}

/// Lets time pass, or less if the learner wishes.
pub(super) fn pass(stage: &mut Stage, time: Duration) -> Result<(), Over> {
    let until = Instant::now() + time;
    loop {
        match stage.next(Some(until.saturating_duration_since(Instant::now()))) {
            Cue::Finish => return Err(Over::Finish),
            Cue::Steer(steer) if steer.verb == NOW => return Ok(()),
            Cue::Time => return Ok(()),
            Cue::Steer(_) | Cue::Ended(_) => {}
        }
    }
}

/// Waits until something holds, but no longer than `patience`; whether it does.
pub(super) fn until(
    stage: &mut Stage,
    patience: Duration,
    mut holds: impl FnMut(&mut Stage) -> bool,
) -> Result<bool, Over> {
    let late = Instant::now() + patience;
    while !holds(stage) {
        if Instant::now() > late {
            return Ok(false);
        }
        if stage.next(Some(Duration::from_millis(2))) == Cue::Finish {
            return Err(Over::Finish);
        }
    }
    Ok(true)
}

/// The same for something that worker `number` does: it is not waited for once that has ended.
pub(super) fn until_worker(
    stage: &mut Stage,
    number: usize,
    patience: Duration,
    holds: impl Fn(&Stage) -> bool,
) -> Result<bool, Over> {
    let ended = |stage: &Stage| stage.cast().get(number).is_none_or(|entry| entry.ended.is_some());
    until(stage, patience, |stage| holds(stage) || ended(stage))?;
    Ok(holds(stage))
}

/// Tells a step of the story.
pub(super) fn step(stage: &mut Stage, name: &str) {
    stage.tell(Fact::Step { name: name.to_owned() });
}

/// A row of a table of the demo's own.
pub(super) fn row(table: &str, name: &str, values: serde_json::Value) -> Fact {
    let values = if let serde_json::Value::Object(values) = values { values.into_iter().collect() } else { [].into() };
    Fact::Row { table: table.to_owned(), row: name.to_owned(), values }
}

/// The refusal of a thing that the machine was asked for, with the errno by name.
pub(super) fn refused(what: &str, errno: rustix::io::Errno) -> Unavailable {
    Unavailable::new(what, format!("the kernel refused it ({})", errno_name(errno)))
}

/// The name of an errno: "EPERM".
pub(super) fn errno_name(errno: rustix::io::Errno) -> String {
    format!("{:?}", nix::errno::Errno::from_raw(errno.raw_os_error()))
}

/// The moment of `CLOCK_REALTIME` after `patience`, which the timed calls of pthreads(7) want.
pub(super) fn realtime_in(patience: Duration) -> libc::timespec {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let nanos = clock.tv_nsec + i64::from(patience.subsec_nanos());
    libc::timespec {
        tv_sec: clock.tv_sec + i64::try_from(patience.as_secs()).unwrap_or(0) + nanos / 1_000_000_000,
        tv_nsec: nanos % 1_000_000_000,
    }
}
