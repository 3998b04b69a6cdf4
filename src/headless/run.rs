//! `forklore run`: one demo, its facts as JSON Lines or its outcome in words, and in a file if that is wanted.

use super::out::Out;
use super::signals::Signals;
use super::tell::Teller;
use super::{Done, complain, regret, request, tell};
use crate::cli::RunArgs;
use crate::conduct::{self, Request, Run};
use crate::fact::{Fact, Outcome, Params, SETTLED, SourceChoice, Stamped};
use crate::keep::{self, Notes};
use crate::progress::By;
use crate::record::recording::Writer;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Batches that may wait to be written. A reader slower than the demo holds the run back; its losses are counted.
const WAITING: usize = 256;

/// How soon a signal is seen while nothing happens.
const LOOK: Duration = Duration::from_millis(50);

/// How often somebody who waits in front of a terminal is told that it goes on.
const STILL: Duration = Duration::from_secs(10);

pub(super) fn run(args: &RunArgs, source: SourceChoice) -> Done {
    match prepare(args, source) {
        Ok((request, record)) => perform(request, record, args),
        Err(sentence) => complain(&sentence),
    }
}

/// Everything that can be found wrong before the run.
fn prepare(args: &RunArgs, source: SourceChoice) -> Result<(Request, Option<Recorder>), String> {
    let demo = request::demo(&args.demo)?;
    let params = Params::from_words(demo.spec(), &args.params).map_err(|errors| {
        let sentences: Vec<_> = errors.iter().map(ToString::to_string).collect();
        sentences.join("\nforklore: ")
    })?;
    request::allowed(demo.spec(), &params)?;
    let own = Some((demo.spec().lasts_ms)(&params)).filter(|ms| *ms > 0).map(Duration::from_millis);
    let last = args.seconds.map(Duration::from_secs_f64).or(own);
    let record = args.record.as_deref().map(Recorder::begin).transpose()?;
    Ok((Request { demo, params, source, last }, record))
}

fn perform(request: Request, record: Option<Recorder>, args: &RunArgs) -> Done {
    let signals = match Signals::catch() {
        Ok(signals) => signals,
        Err(sentence) => return complain(&sentence),
    };
    let stays = request.demo.spec().stays;
    let (send, receive) = sync_channel(WAITING);
    let started = conduct::start(request, move |batch| {
        // Nobody listens once the command has ended; the run is being stopped then.
        let _ = send.send(batch);
    });
    let run = match started {
        Ok(run) => run,
        Err(refused) => return complain(&refused.to_string()),
    };
    let out = Out::new(&signals);
    let notes = args.keep.then(Notes::default);
    let teller = Teller::new(false);
    let mut listener = Listener { run: &run, stays, out, teller, record, notes, json: args.json, outcome: None };
    listener.listen(&receive);
    let notes = listener.notes.take();
    let done = listener.conclude();
    drop(receive);
    run.wait();
    if let Some(run) = notes.and_then(|notes| notes.measured(By::Run, None)) {
        keep::add(|results, host| results.keep(host, run)).iter().for_each(|told| _ = regret(told));
    }
    done
}

/// The stream in a file. A disk that fails is told of once, and the run goes on.
struct Recorder {
    writer: Writer,
    failed: bool,
}

impl Recorder {
    fn begin(file: &Path) -> Result<Self, String> {
        Ok(Self { writer: Writer::create(file).map_err(|e| e.to_string())?, failed: false })
    }

    fn write(&mut self, batch: &[Stamped]) {
        if let Err(error) = self.writer.write(batch) {
            self.failed = true;
            let _ = regret(&format!("{error}; the recording ends here, the run goes on"));
        }
    }

    /// Whether all of it is on the disk.
    fn finish(self) -> bool {
        if self.failed {
            return false;
        }
        self.writer.finish().map_err(|error| regret(&error.to_string())).is_ok()
    }
}

/// Who hears a run and passes it on.
struct Listener<'r> {
    run: &'r Run,
    /// It would wait for a learner, and there is none.
    stays: bool,
    out: Out<'r>,
    teller: Teller,
    record: Option<Recorder>,
    notes: Option<Notes>,
    json: bool,
    outcome: Option<Outcome>,
}

impl Listener<'_> {
    /// Hears the run to its end, which a signal or a lost reader brings about early.
    fn listen(&mut self, receive: &Receiver<Vec<Stamped>>) {
        let begun = Instant::now();
        let mut still = begun + STILL;
        let mut stopped = false;
        loop {
            if !stopped && self.out.ended().is_some() {
                stopped = true;
                self.run.stop();
            }
            match receive.recv_timeout(LOOK) {
                Ok(batch) => self.take(batch),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if Instant::now() >= still {
                still += STILL;
                self.still(begun.elapsed());
            }
        }
    }

    fn take(&mut self, batch: Vec<Stamped>) {
        if let Some(record) = &mut self.record {
            record.write(&batch);
        }
        if let Some(notes) = &mut self.notes {
            notes.take(&batch);
        }
        let lines: Vec<String> = if self.json {
            batch.iter().filter_map(|stamped| serde_json::to_string(stamped).ok()).collect()
        } else {
            batch.iter().flat_map(|stamped| self.teller.tell(&stamped.fact)).collect()
        };
        self.say(&lines);
        for stamped in batch {
            match stamped.fact {
                Fact::Outcome(outcome) => self.outcome = Some(outcome),
                Fact::Step { name } if self.stays && name == SETTLED => self.run.finish(),
                _ => {}
            }
        }
    }

    fn say(&mut self, lines: &[String]) {
        if !lines.is_empty() {
            self.out.say(&lines.join("\n"), &mut || self.run.stop());
        }
    }

    /// A sign of life, for somebody at a terminal only.
    fn still(&self, elapsed: Duration) {
        let mut stderr = std::io::stderr();
        if !self.json && stderr.is_terminal() {
            // Nobody need hear it.
            let _ = writeln!(stderr, "  {} s, still running; Ctrl-C ends it", elapsed.as_secs());
        }
    }

    fn conclude(&mut self) -> Done {
        let recorded = self.record.take().map(Recorder::finish);
        if let Some(done) = self.out.ended() {
            return done;
        }
        match &self.outcome {
            None => regret("the run ended without an outcome"),
            Some(outcome) if outcome.broke.is_some() && !tell::ran(outcome) => Done::CouldNot,
            Some(outcome) if outcome.broke.is_some() || recorded == Some(false) => Done::Failed,
            Some(_) => Done::Well,
        }
    }
}
