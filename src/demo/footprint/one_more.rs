//! One more thread and one more process, in turn, round after round: what either adds to what the whole tree has in RAM.
//!
//! Each is added to a process that was forked for it alone, and has one of the kind already: a first one costs more, since pages
//! become its process' own that a second one finds. One that came after another has left would find that one's stack, with its
//! pages, and cost nothing.

use crate::demo::cost;
use crate::demo::pace::Cut;
use crate::demo::rounds::{self, Bench, Desk, Measured, Pair, Spent, Unit, Variant, figure_of, ratio_of, run_of};
use crate::demo::sizes::Sizes;
use crate::fact::{As, BarsSpec, Pid, TableSpec, Tally, Unavailable};
use crate::stage::{Settings, Stage, Worker};
use serde_json::{Value, json};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::Arc;

pub(super) static BARS: BarsSpec = rounds::bars_of("one more", "adds in RAM", Unit::Kib);
pub(super) static RATIOS: TableSpec = rounds::ratio_table("how many times");

/// What is added, and what its row is called.
const ADDED: [(As, &str); 2] = [(As::Threads, "a thread"), (As::Processes, "a process")];

/// The comparison.
const COMPARED: &str = "process / thread";

/// The stack of the thread that is added: larger than those of the stage's threads, so that none of these is found and used again.
const STACK: usize = 1024 * 1024;

/// It is there. Anything else begins the sentence why it is not.
const THERE: u8 = 0;

/// Measures both in so many rounds, each with `touch` bytes of its own. Nobody else may be on.
///
/// # Errors
/// The learner has seen enough; or the machine refuses what it takes.
pub(super) fn compare(stage: &mut Stage, touch: usize, rounds: usize) -> Result<(), Cut> {
    if stage.on().next().is_some() {
        return Err(Unavailable::new(
            "rounds of one more",
            "a worker did not leave, and beside a thread none may fork",
        )
        .into());
    }
    let desk = Desk::new(1).map_err(|refused| Unavailable::new("shared memory", refused.to_string()))?;
    let desk = Arc::new(desk);
    let orders = Arc::clone(&desk);
    // It is on no CPU of its own: where a page is written from makes it no larger.
    let scale = stage.enter_named("scale", As::Processes, &Settings::default(), move |worker| {
        orders.serve(worker, 0, |what, _| one_more(worker, ADDED[what.min(1)].0, touch));
    })?;
    let variant = |(what, (_, row)): (usize, &(As, &str))| Variant {
        row: (*row).to_owned(),
        place: Ok(0),
        what,
        most: 1,
        unit: Unit::Kib,
    };
    let variants = ADDED.iter().enumerate().map(variant).collect();
    let pairs = vec![Pair { row: COMPARED.to_owned(), a: 1, b: 0 }];
    let mut bench = Bench::new(desk, Vec::new(), vec![scale], variants, pairs);
    bench.twice(0);
    bench.run(stage, rounds)
}

/// What the one who measures has of a subject.
struct Hold {
    ear: PipeReader,
    go: PipeWriter,
    end: PipeWriter,
}

/// What the subject has, and those that are added to it.
struct Ends {
    tell: PipeWriter,
    go: PipeReader,
    end: PipeReader,
}

fn pipes() -> io::Result<(Hold, Ends)> {
    let ((ear, tell), (go_on, go), (ended, end)) = (io::pipe()?, io::pipe()?, io::pipe()?);
    Ok((Hold { ear, go, end }, Ends { tell, go: go_on, end: ended }))
}

/// One measurement, in KiB: a process is made that has one already, and weighed; one more comes, and all is weighed again.
fn one_more(worker: &Worker, what: As, touch: usize) -> Result<Measured, String> {
    let mut pipes = Some(pipes().map_err(|error| format!("a pipe to another process: {error}"))?);
    let subject = worker.fork(|worker| {
        // The child has copies of all ends. With its own copy of who holds them nobody would ever be hung up on.
        let Some((hold, ends)) = pipes.take() else { return 1 };
        drop(hold);
        if let Err(why) = subject(worker, what, touch, &ends) {
            // Nobody hears it if the one who measures is gone.
            let _ = (&ends.tell).write_all(why.as_bytes());
        }
        0
    });
    let subject = subject.map_err(|refused| refused.to_string())?;
    let Some((mut hold, ends)) = pipes.take() else { return Err("its pipes are gone".to_owned()) };
    drop(ends);
    let found = weighed(&mut hold, subject);
    // Whoever waits is hung up on, and ends.
    let Hold { ear, go, end } = hold;
    drop((ear, go, end));
    cost::reap(subject.0)?;
    // Bytes do not depend on whose time it was.
    found.map(|each| Measured { each, p99: None, spent: Some(Spent::default()) })
}

/// What all comes to with one more, less what it came to before.
#[expect(clippy::cast_precision_loss, reason = "KiB of some processes")]
fn weighed(hold: &mut Hold, subject: Pid) -> Result<f64, String> {
    let mut all = vec![subject];
    // A thread has no sizes of its own: it is in the subject's process.
    let mut come = |hold: &mut Hold| -> Result<u64, String> {
        let pid = Pid(hear(&mut hold.ear)?);
        if !all.contains(&pid) {
            all.push(pid);
        }
        weigh(&all)
    };
    let before = come(hold)?;
    hold.go.write_all(&[0]).map_err(|error| error.to_string())?;
    Ok(come(hold)? as f64 - before as f64)
}

/// Hears that somebody is there, and in which process.
fn hear(ear: &mut PipeReader) -> Result<u32, String> {
    let mut word = [0; 5];
    let ended = |_| "a process that was to be measured has ended".to_owned();
    ear.read_exact(&mut word[..1]).map_err(ended)?;
    if word[0] == THERE {
        ear.read_exact(&mut word[1..]).map_err(ended)?;
        return Ok(u32::from_ne_bytes([word[1], word[2], word[3], word[4]]));
    }
    let mut why = String::from(char::from(word[0]));
    ear.read_to_string(&mut why).map_err(ended)?;
    Err(why)
}

/// KiB in RAM that these processes take, this one and the one above it, of which all are copies: their Pss without the pages of
/// files. Those are in RAM once however many come, and programs that have no part in this map them too, and come and go.
/// Nobody else has the pages that are left, so each is counted in full by those who share it.
fn weigh(below: &[Pid]) -> Result<u64, String> {
    let ids = [Some(rustix::process::getpid()), rustix::process::getppid()];
    let own = ids.into_iter().flatten().map(|id| Pid(id.as_raw_nonzero().get().unsigned_abs()));
    let walk = |pid: Pid| {
        let walked = Sizes::of(pid).and_then(|sizes| sizes.walked);
        let gone = || "a process that was to be measured is gone".to_owned();
        let walked = walked.ok_or_else(|| Sizes::unwalked(pid).unwrap_or_else(gone))?;
        Ok(walked.pss.saturating_sub(walked.of_files))
    };
    below.iter().copied().chain(own).map(walk).sum()
}

/// The part of the process to which one is added, and one more.
fn subject(worker: &Worker, what: As, touch: usize, ends: &Ends) -> Result<(), String> {
    match what {
        As::Threads => threads(touch, ends).map_err(|error| error.to_string()),
        As::Processes => {
            let more = || worker.fork(|_| rest(touch, ends)).map_err(|refused| refused.to_string());
            let mut made = vec![more()?];
            if is_wanted(ends) {
                made.push(more()?);
            }
            made.into_iter().try_for_each(|pid| cost::reap(pid.0))
        }
    }
}

fn threads(touch: usize, ends: &Ends) -> io::Result<()> {
    std::thread::scope(|scope| {
        let more = || std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || rest(touch, ends));
        more()?;
        if is_wanted(ends) {
            more()?;
        }
        Ok(())
    })
}

/// Waits to hear that one more is to come; false if nobody measures any more.
fn is_wanted(ends: &Ends) -> bool {
    (&ends.go).read_exact(&mut [0]).is_ok()
}

/// The part of who is added: it writes to memory of its own, says that it is there, and waits to be hung up on.
fn rest(touch: usize, ends: &Ends) -> u8 {
    let own = std::hint::black_box(vec![1_u8; touch]);
    if there(&ends.tell).is_ok() {
        let _ = (&ends.end).read(&mut [0]);
    }
    drop(own);
    0
}

fn there(mut tell: &PipeWriter) -> io::Result<()> {
    let mut word = [THERE; 5];
    word[1..].copy_from_slice(&std::process::id().to_ne_bytes());
    tell.write_all(&word)
}

/// What the rounds came to.
pub(super) fn account(tally: &Tally) -> Vec<(&'static str, Value)> {
    let [thread, process] = ADDED.map(|(_, row)| figure_of(tally, row, Unit::Kib));
    let compared = ratio_of(tally, COMPARED);
    let run = ["rounds", "outliers", "noise", "same"].map(|name| (name, run_of(tally, name)));
    let own = [
        ("thread_kib", thread["kib"].clone()),
        ("process_kib", process["kib"].clone()),
        ("process_by_thread", compared["ratio"].clone()),
        ("process_says", compared["verdict"].clone()),
        ("figures", json!({ "thread": thread, "process": process })),
    ];
    own.into_iter().chain(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounds_are_told_as_they_came_out() {
        let mut tally = Tally::default();
        assert!(account(&tally).iter().all(|(name, value)| *name == "figures" || value.is_null()));
        let row = |kib: f64| json!({"kib": kib, "low": kib - 1.0, "high": kib + 1.0, "rounds": 20});
        tally.put_table(rounds::FIGURES, &[("a thread", row(12.0)), ("a process", row(120.0))]);
        let ratio = json!({"ratio": 10.0, "low": 9.0, "high": 11.0, "verdict": "more"});
        tally.put_table(rounds::RATIOS, &[(COMPARED, ratio)]);
        let found: crate::fact::Values =
            account(&tally).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!((&found["thread_kib"], &found["process_kib"]), (&json!(12.0), &json!(120.0)));
        assert_eq!((&found["process_by_thread"], &found["process_says"]), (&json!(10.0), &json!("more")));
        assert_eq!(found["figures"]["process"], row(120.0));
    }

    #[test]
    fn who_is_there_is_heard_with_its_process_and_who_is_not_with_a_reason() {
        let heard = |act: &dyn Fn(PipeWriter)| {
            let (mut ear, mouth) = io::pipe().expect("a pipe");
            act(mouth);
            hear(&mut ear)
        };
        assert_eq!(heard(&|mouth| there(&mouth).expect("room")), Ok(std::process::id()));
        assert_eq!(heard(&|mut mouth| mouth.write_all(b"EAGAIN").expect("room")), Err("EAGAIN".to_owned()));
        assert_eq!(heard(&drop), Err("a process that was to be measured has ended".to_owned()));
    }

    #[test]
    fn who_is_gone_cannot_be_weighed() {
        assert!(weigh(&[Pid(u32::MAX)]).is_err(), "there is no such process");
    }
}
