//! A run from start to outcome: stage and observers below, one stream of facts above.
//!
//! One thread owns everything of a run: the process tree, the observers, the totals. What others want of it comes as a
//! message; what it knows goes to a sink. It knows no screen.

mod departed;
mod ending;
mod watch;

use crate::demo::Demo;
use crate::fact::{
    Cpu, FORMAT, Fact, Nanos, Outcome, Params, Pid, Source, SourceChoice, Stamped, Start, Steer, Unavailable,
};
use crate::kernel;
use crate::scene::Totals;
use crate::stage::{BROKE, Brief, COULD_NOT, Production};
use ending::Ending;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::os::fd::AsFd;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use watch::Watch;

/// How often the outcome so far and the kernel's accounts are told.
const SOON: Duration = Duration::from_millis(250);

/// How often counters that the workers keep are looked at.
const COUNT: Duration = Duration::from_millis(100);

/// How long to wait for an order to be given.
const GIVEN: Duration = Duration::from_millis(250);

/// What is to be run.
#[derive(Clone)]
pub struct Request {
    /// The demo.
    pub demo: &'static dyn Demo,
    /// Its parameters.
    pub params: Params,
    /// The source that is wanted.
    pub source: SourceChoice,
    /// When it is asked to finish; never if none.
    pub last: Option<Duration>,
}

/// What a running run can be told.
#[derive(Debug)]
enum Message {
    Steer(Steer),
    Finish,
    Stop,
    /// And who waits for the order to be given.
    Freeze(bool, mpsc::SyncSender<()>),
}

/// A run that goes on in its own thread. Dropping it ends the run and waits until nothing of it is left.
#[derive(Debug)]
pub struct Run {
    send: mpsc::Sender<Message>,
    wake: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl Run {
    fn tell(&self, message: Message) {
        // A run that has ended hears nothing, and needs to hear nothing.
        let _ = self.send.send(message);
        let _ = self.wake.write(1);
    }

    /// Passes a wish of the learner on.
    pub fn steer(&self, steer: Steer) {
        self.tell(Message::Steer(steer));
    }

    /// Asks the demo to come to its end and report.
    pub fn finish(&self) {
        self.tell(Message::Finish);
    }

    /// Ends the run now. The outcome still comes.
    pub fn stop(&self) {
        self.tell(Message::Stop);
    }

    /// Stops the demo's processes (SIGSTOP) or lets them go on. Returns when the order is given, since the caller may be
    /// about to stop itself and all its threads; not later than in a moment, since the run may have other worries.
    pub fn freeze(&self, frozen: bool) {
        let (done, wait) = mpsc::sync_channel(1);
        self.tell(Message::Freeze(frozen, done));
        let _ = wait.recv_timeout(GIVEN);
    }

    /// Lets the thread be: for a program that leaves without waiting. Its warden ends the demo when the pipe ends.
    pub fn abandon(mut self) {
        self.tell(Message::Stop);
        self.thread = None;
    }

    /// Waits for the end.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.tell(Message::Stop);
            let _ = thread.join();
        }
    }
}

/// Starts a run. `sink` gets the facts in batches, in order; the last batch ends with the outcome.
///
/// # Errors
/// The machine refuses the thread. What it refuses of the run itself comes as facts: `start`, `refused`, `outcome`.
pub fn start(request: Request, sink: impl FnMut(Vec<Stamped>) + Send + 'static) -> Result<Run, Unavailable> {
    let refused = |e: &dyn std::fmt::Display| Unavailable::new("cannot start the run", e.to_string());
    let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
    let wake = Arc::new(EventFd::from_flags(flags).map_err(|e| refused(&e))?);
    let (send, receive) = mpsc::channel();
    let bell = Arc::clone(&wake);
    let builder = std::thread::Builder::new().name("forklore run".to_owned());
    let thread =
        builder.spawn(move || Conductor::new(request, sink, receive, bell).conduct()).map_err(|e| refused(&e))?;
    Ok(Run { send, wake, thread: Some(thread) })
}

struct Conductor<S> {
    request: Request,
    sink: S,
    receive: mpsc::Receiver<Message>,
    wake: Arc<EventFd>,
    totals: Totals,
    /// What was refused last.
    refused: Option<Unavailable>,
    /// The signal that ended the leader, if it is one that no demo ends by itself with, and nobody here had it sent.
    killed: Option<String>,
}

impl<S: FnMut(Vec<Stamped>)> Conductor<S> {
    fn new(request: Request, sink: S, receive: mpsc::Receiver<Message>, wake: Arc<EventFd>) -> Self {
        Self { request, sink, receive, wake, totals: Totals::default(), refused: None, killed: None }
    }

    fn conduct(mut self) {
        let cpus = kernel::allowed_cpus();
        match self.raise(&cpus) {
            Ok((production, watch)) => self.run(production, watch, &cpus),
            Err(refused) => {
                let source = self.wanted_source();
                let broke = Some(refused.to_string());
                let outcome =
                    Outcome { values: self.values(), lost: 0, seconds: 0.0, clean: true, left_behind: 0, broke };
                let start = self.start_fact(&cpus, source, None, None);
                self.tell(vec![
                    start,
                    Stamped::new(Nanos::ZERO, Fact::Refused(refused)),
                    Stamped::new(Nanos::ZERO, Fact::Outcome(outcome)),
                ]);
            }
        }
    }

    fn wanted_source(&self) -> Source {
        match self.request.source {
            SourceChoice::Best => Source::Exact,
            SourceChoice::Only(source) => source,
        }
    }

    fn raise(&self, cpus: &[Cpu]) -> Result<(Production, Watch), Unavailable> {
        let spec = self.request.demo.spec();
        let params = self.request.params.values().clone();
        let brief = Brief {
            demo: spec.name.to_owned(),
            params,
            cpus: cpus.to_vec(),
            limits: (spec.limits)(&self.request.params),
        };
        let production = Production::raise(&brief)?;
        let watch = Watch::attach(spec, self.request.source, &production)?;
        Ok((production, watch))
    }

    fn start_fact(&self, cpus: &[Cpu], source: Source, hz: Option<u32>, because: Option<String>) -> Stamped {
        let start = Start {
            format: FORMAT,
            demo: self.request.demo.spec().name.to_owned(),
            params: self.request.params.values().clone(),
            source,
            cpus: cpus.to_vec(),
            kernel: release(),
            hz,
            because,
            page_size: Some(rustix::param::page_size() as u64),
        };
        Stamped::new(Nanos::ZERO, Fact::Start(start))
    }

    fn run(&mut self, mut production: Production, mut watch: Watch, cpus: &[Cpu]) {
        let released = production.release();
        let start = self.start_fact(cpus, watch.source(), watch.hz(), watch.because());
        self.tell(vec![start]);
        let begun = Instant::now();
        let mut ending = Ending::new(self.request.last.map(|last| begun + last));
        let (mut soon, mut count) = (begun, begun);
        loop {
            let patience = watch.interval().min(ending.patience());
            production.wait(Some(self.wake.as_fd()), patience);
            let _ = self.wake.read();
            while let Ok(message) = self.receive.try_recv() {
                ending.hear(message, &mut production);
            }
            ending.keep(&mut production);
            let mut batch = Vec::new();
            let over = production.ended().is_some();
            production.drain(&mut batch);
            if !ending.ordered() {
                self.killed = self.killed.take().or_else(|| killed(production.leader(), &batch));
            }
            watch.drain(released, over, &mut batch);
            let now = Instant::now();
            if now >= count || over {
                count = now + COUNT;
                production.count(&mut batch);
            }
            if now >= soon {
                soon = now + SOON;
                watch.account(released, &mut batch);
                watch.miss(false, &mut batch);
                self.tell(batch);
                let values = self.values();
                batch = vec![Stamped::new(now_since(released), Fact::SoFar { values })];
            }
            if over {
                watch.miss(true, &mut batch);
            }
            self.tell(batch);
            if over {
                break;
            }
        }
        self.conclude(&production, released);
    }

    fn conclude(&mut self, production: &Production, released: Nanos) {
        let Some(ended) = production.ended() else { return };
        let tally = self.totals.tally();
        let broke = if ended.warden_lost {
            Some("its warden was killed; forklore ended the rest itself".to_owned())
        } else if let Some(bound) = production.bound() {
            Some(format!("it went past its bounds: {bound}"))
        } else if let Some(signal) = &self.killed {
            Some(format!("its leader was ended by {signal}, from outside or for want of memory"))
        } else {
            self.refused.as_ref().filter(|_| tally.step(BROKE).is_some()).map(ToString::to_string)
        };
        let outcome = Outcome {
            values: self.values(),
            lost: tally.lost,
            seconds: if tally.step(COULD_NOT).is_some() { 0.0 } else { now_since(released).seconds() },
            clean: ended.clean,
            left_behind: ended.left_behind,
            broke,
        };
        self.tell(vec![Stamped::new(now_since(released), Fact::Outcome(outcome))]);
    }

    fn values(&self) -> crate::fact::Values {
        self.request.demo.outcome(&self.request.params, self.totals.tally())
    }

    fn tell(&mut self, batch: Vec<Stamped>) {
        if batch.is_empty() {
            return;
        }
        for fact in &batch {
            self.totals.apply(fact);
            if let Fact::Refused(refused) = &fact.fact {
                self.refused = Some(refused.clone());
            }
        }
        (self.sink)(batch);
    }
}

/// The signal by which the leader was ended from outside, if it was.
fn killed(leader: Pid, batch: &[Stamped]) -> Option<String> {
    batch.iter().find_map(|stamped| match &stamped.fact {
        Fact::Exit { pid, signal: Some(signal), .. }
            if *pid == leader && ["SIGKILL", "SIGTERM"].contains(&signal.as_str()) =>
        {
            Some(signal.clone())
        }
        _ => None,
    })
}

/// The kernel's release, as uname says it.
fn release() -> String {
    nix::sys::utsname::uname().map(|name| name.release().to_string_lossy().into_owned()).unwrap_or_default()
}

fn now_since(released: Nanos) -> Nanos {
    crate::stage::now().since(released)
}
