//! A holds two locks in shared memory, is in the middle of a change there, and is killed. B waits for the robust lock and is
//! told that its owner died; C tries the plain one and would wait for ever.

use super::row;
use crate::demo::area::Area;
use crate::demo::posix::{Kind, Mutex};
use crate::demo::script::{Over, pass, step, until_worker};
use crate::fact::{As, Nanos, Unavailable};
use crate::stage::{Settings, Stage, Target, Worker, now};
use anyhow::Context;
use nix::errno::Errno;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// After so long C gives up. A lock whose owner is dead could be waited for until the machine is switched off.
const GIVE_UP: Duration = Duration::from_millis(800);

const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn play(stage: &mut Stage, after: Duration) -> Result<(), Over> {
    let shared = Arc::new(Shared::new().context("two locks in shared memory")?);
    let settings = Settings::default();
    let (theirs, others, last) = (Arc::clone(&shared), Arc::clone(&shared), Arc::clone(&shared));
    let a = stage.enter_named("A", As::Processes, &settings, move |worker| own(worker, &theirs))?;
    if !until_worker(stage, a, PATIENCE, |stage| stage.work(a) > 0)? {
        return Err(Unavailable::new("a lock that is held", "A did not get it").into());
    }
    let b = stage.enter_named("B", As::Processes, &settings, move |worker| inherit(worker, &others))?;
    let c = stage.enter_named("C", As::Processes, &settings, move |worker| give_up(worker, &last))?;
    pass(stage, after)?;
    let Some(owner) = stage.cast().get(a).and_then(|entry| Target::open(entry.pid)) else { return Ok(()) };
    step(stage, "struck");
    shared.word(Word::Struck).store(now().0, Ordering::Release);
    let _ = owner.signal(rustix::process::Signal::KILL);
    until_worker(stage, b, PATIENCE, |stage| stage.work(b) > 0)?;
    stage.order(c, TRY);
    until_worker(stage, c, GIVE_UP + PATIENCE, |stage| stage.work(c) > 0)?;
    Ok(())
}

/// C's order to try.
const TRY: u64 = 1;

/// A: takes both locks, changes one of two words that belong together, and gets no further.
fn own(worker: &Worker, shared: &Shared) {
    if shared.robust.lock() != Ok(()) || shared.plain.lock() != Ok(()) {
        return;
    }
    shared.word(Word::Left).fetch_add(1, Ordering::AcqRel);
    worker.set_work(1);
    while worker.wait(0, Duration::from_secs(60)) == 0 {}
    shared.word(Word::Right).fetch_add(1, Ordering::AcqRel);
    let _ = (shared.robust.unlock(), shared.plain.unlock());
}

/// B: waits for the robust lock, and puts in order what it finds.
fn inherit(worker: &Worker, shared: &Shared) {
    let came = shared.robust.lock();
    let took = now().since(Nanos(shared.word(Word::Struck).load(Ordering::Acquire)));
    let word = |word| shared.word(word).load(Ordering::Acquire);
    let half = word(Word::Left) != word(Word::Right);
    let mut recovered = false;
    if came == Err(Errno::EOWNERDEAD) {
        shared.word(Word::Right).store(word(Word::Left), Ordering::Release);
        let mended = shared.robust.consistent() == Ok(()) && shared.robust.unlock() == Ok(());
        recovered = mended && shared.robust.lock() == Ok(());
    }
    let _ = shared.robust.unlock();
    if worker.order() == Worker::HALT {
        return;
    }
    let (reached, record) = (name(came), if half { "a half-made record" } else { "a whole record" });
    let got = match (came, recovered) {
        (Err(Errno::EOWNERDEAD), true) => {
            format!("has the lock, and is told that its owner died; found {record}, mended it")
        }
        (Err(Errno::EOWNERDEAD), false) => format!("has the lock, and is told; found {record}, could not mend it"),
        _ => format!("has the lock, and was told nothing; found {record}"),
    };
    let did = "died with it";
    let values = json!({
        "did": did, "reached": reached, "got": got, "alive": true, "recovered": recovered, "took": took.0, "half_made": half,
    });
    worker.tell(row("robust lock", values));
    worker.set_work(1);
    while worker.wait(0, Duration::from_secs(60)) == 0 {}
}

/// C: tries the plain lock, and gives up in the end.
fn give_up(worker: &Worker, shared: &Shared) {
    while worker.wait(0, Duration::from_secs(60)) == 0 {}
    if worker.order() != TRY {
        return;
    }
    worker.done_with_order(TRY);
    let came = shared.plain.lock_within(GIVE_UP);
    let got = match came {
        Ok(()) => "has the lock".to_owned(),
        Err(errno) => format!("{errno:?} after {} ms: it would have waited for ever", GIVE_UP.as_millis()),
    };
    worker.tell(row(
        "plain lock",
        json!({
            "did": "the same", "reached": name(came), "got": got, "alive": true, "recovered": false,
        }),
    ));
    worker.set_work(1);
    while worker.wait(0, Duration::from_secs(60)) == 0 {}
}

fn name(came: Result<(), Errno>) -> String {
    came.map_or_else(|errno| format!("{errno:?}"), |()| "nothing".to_owned())
}

#[derive(Debug, Clone, Copy)]
enum Word {
    Left,
    Right,
    Struck,
}

/// Two mutexes and a page of words, mapped by all processes that come after.
#[derive(Debug)]
struct Shared {
    robust: Mutex,
    plain: Mutex,
    words: Area,
}

impl Shared {
    fn new() -> std::io::Result<Self> {
        let words = Area::shared(1)?;
        Ok(Self { robust: Mutex::new(Kind::Robust)?, plain: Mutex::new(Kind::Plain)?, words })
    }

    fn word(&self, word: Word) -> &AtomicU64 {
        self.words.word_of(0, word as usize)
    }
}
