//! `forklore run`: one demo, its facts as JSON Lines or its outcome in words.

use super::{Done, complain, say, words};
use crate::cli::RunArgs;
use crate::conduct::{self, Request, Run};
use crate::demo::{self, Demo};
use crate::fact::{Fact, Outcome, Params, SourceChoice, Stamped, Start, clean_line};
use nix::sys::signal::{SigSet, Signal};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Batches that may wait to be written. A reader slower than the demo holds the run back; its losses are counted.
const WAITING: usize = 256;

pub(super) fn run(args: &RunArgs, source: SourceChoice) -> Done {
    let Some(demo) = demo::find(&args.demo) else {
        let names: Vec<_> = demo::specs().iter().map(|s| s.name).collect();
        return complain(&format!(
            "there is no demo \u{201c}{}\u{201d}; there are: {}",
            clean_line(&args.demo),
            names.join(", ")
        ));
    };
    let params = match Params::from_words(demo.spec(), &args.params) {
        Ok(params) => params,
        Err(errors) => {
            let sentences: Vec<_> = errors.iter().map(ToString::to_string).collect();
            return complain(&sentences.join("\nforklore: "));
        }
    };
    let lasts = args.seconds.map(Duration::from_secs_f64);
    let own = Some(demo.spec().lasts_ms).filter(|ms| *ms > 0).map(Duration::from_millis);
    perform(Request { demo, params, source, last: lasts.or(own) }, args)
}

fn perform(request: Request, args: &RunArgs) -> Done {
    let demo = request.demo;
    let signals = wanted_signals();
    let _ = signals.thread_block();
    let (send, receive) = sync_channel(WAITING);
    let started = conduct::start(request, move |batch| {
        // Nobody listens once the command has ended; the run is being stopped then.
        let _ = send.send(batch);
    });
    let run = match started {
        Ok(run) => run,
        Err(refused) => return complain(&refused.to_string()),
    };
    let heard = listen(&run, &receive, args, &signals);
    drop(receive);
    run.wait();
    conclude(demo, args, heard)
}

/// What came of listening to a run.
#[derive(Default)]
struct Heard {
    outcome: Option<Outcome>,
    signal: Option<Signal>,
    deaf: bool,
}

fn wanted_signals() -> SigSet {
    let mut set = SigSet::empty();
    set.extend([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT]);
    set
}

fn listen(run: &Run, receive: &Receiver<Vec<Stamped>>, args: &RunArgs, signals: &SigSet) -> Heard {
    let mut heard = Heard::default();
    loop {
        if heard.signal.is_none()
            && let Some(signal) = pending(signals)
        {
            heard.signal = Some(signal);
            run.stop();
        }
        match receive.recv_timeout(Duration::from_millis(50)) {
            Ok(batch) => {
                if !heard.deaf && !tell(&batch, args) {
                    heard.deaf = true;
                    run.stop();
                }
                for fact in batch {
                    if let Fact::Outcome(outcome) = fact.fact {
                        heard.outcome = Some(outcome);
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return heard,
        }
    }
}

/// A signal of `set` that waits, taken. They are blocked in every thread, so none acts by itself.
fn pending(set: &SigSet) -> Option<Signal> {
    let fd = nix::sys::signalfd::SignalFd::with_flags(set, nix::sys::signalfd::SfdFlags::SFD_NONBLOCK).ok()?;
    let info = fd.read_signal().ok()??;
    Signal::try_from(i32::try_from(info.ssi_signo).ok()?).ok()
}

/// Writes a batch; false when nobody reads.
fn tell(batch: &[Stamped], args: &RunArgs) -> bool {
    batch.iter().all(|stamped| match (&stamped.fact, args.json) {
        (_, true) => serde_json::to_string(stamped).is_ok_and(say),
        (Fact::Start(start), false) => say(opening(start)),
        (Fact::Refused(refused), false) => say(format!("  refused: {}", clean_line(&refused.to_string()))),
        (Fact::Said { text, .. }, false) => say(format!("  it says: {}", clean_line(text))),
        (_, false) => true,
    })
}

fn opening(start: &Start) -> String {
    let Some(demo) = demo::find(&start.demo) else { return String::new() };
    let params: Vec<_> = start.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut out = format!(
        "{}: {}\n  {}\n  {}: {}",
        start.demo,
        demo.spec().title,
        params.join(" "),
        start.source,
        start.source.meaning()
    );
    if let Some(because) = &start.because {
        out.push_str(&format!("\n  no better source: {}", clean_line(because)));
    }
    out
}

fn conclude(demo: &dyn Demo, args: &RunArgs, heard: Heard) -> Done {
    let Some(outcome) = heard.outcome else { return complain("the run ended without an outcome") };
    if !args.json && !heard.deaf {
        let lost = if outcome.lost == 0 { "nothing lost".to_owned() } else { format!("{} records lost", outcome.lost) };
        let left = match (outcome.clean, outcome.left_behind) {
            (false, _) => "something could not be ended".to_owned(),
            (true, 0) => "nothing left behind".to_owned(),
            (true, n) => format!("{n} left behind and ended"),
        };
        say(format!("after {:.1} s; {lost}; {left}", outcome.seconds));
        words::table(demo.spec(), &outcome.values).into_iter().for_each(|line| _ = say(line));
        if let Some(broke) = &outcome.broke {
            say(format!("this demo broke: {}", clean_line(broke)));
        }
    }
    match heard {
        Heard { signal: Some(signal), .. } => Done::Signalled(u8::try_from(signal as i32).unwrap_or(0)),
        Heard { deaf: true, .. } => Done::Signalled(13),
        _ if outcome.broke.is_some() => Done::Failed,
        _ => Done::Well,
    }
}
