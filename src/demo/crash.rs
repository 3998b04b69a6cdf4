//! `crash`: a small browser whose tabs are processes or threads, and one of them breaks.

mod faults;

use super::Demo;
use crate::fact::{
    Arg, As, Control, DemoSpec, Ending, Fact, Nanos, On, ParamError, ParamKind, ParamSpec, Params, Picture, Pid,
    ReturnKind, ReturnSpec, SETTLED, Tally, TaskTally, Tid, Values,
};
use crate::stage::{Cue, Settings, Stage, Worker};
use serde_json::json;
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Crash;

/// A tab computes this long, then rests: busy enough to be seen on the lanes, and cool enough for a lecture.
const BUSY: Duration = Duration::from_millis(2);
const REST: Duration = Duration::from_millis(6);

/// From the strike to the moment when its effect can be judged.
const SETTLES: Duration = Duration::from_millis(1200);

/// The same, if the victim takes its time to die, or does not: what is a fault on one processor is none on another.
const SETTLES_AT_LAST: Duration = Duration::from_secs(5);

/// The same for one that must first eat: page after page, on a core that it shares with others.
const SETTLES_FULL: Duration = Duration::from_secs(30);

/// A run that is broken off is ended with TERM, leader and tabs within this time. Such ends are nobody's fault.
const BROKEN_OFF: Nanos = Nanos::from_millis(100);

static SPEC: DemoSpec = DemoSpec {
    name: "crash",
    title: "a small browser, and one of its tabs breaks",
    part: "When things go wrong",
    about: "Tabs that count, each a process of its own, or all of them threads of one. One tab breaks in a way of your \
            choice. See who goes on counting, and what the parent is told of the end.",
    params: &[
        As::PARAM,
        ParamSpec {
            name: "tabs",
            kind: ParamKind::Int { min: 1, max: 16, default: 6, unit: "" },
            help: "how many tabs",
        },
        ParamSpec { name: "fault", kind: ParamKind::Choice(faults::NAMES), help: "what goes wrong" },
        ParamSpec { name: "victim", kind: ParamKind::Letter('C'), help: "in which tab" },
        ParamSpec {
            name: "after",
            kind: ParamKind::Int { min: 200, max: 60_000, default: 1500, unit: "ms" },
            help: "when, unless you are first",
        },
    ],
    returns: &[
        ReturnSpec { name: "tabs", kind: ReturnKind::Count, help: "tabs that were opened" },
        ReturnSpec { name: "survivors", kind: ReturnKind::Count, help: "tabs that went on" },
        ReturnSpec { name: "died", kind: ReturnKind::List, help: "tabs that did not, by letter" },
        ReturnSpec { name: "signal", kind: ReturnKind::Word, help: "the signal that ended the last of them, or none" },
        ReturnSpec { name: "code", kind: ReturnKind::Number, help: "its exit code; -1 if it did not exit by itself" },
    ],
    pictures: &[Picture::Cards, Picture::Lanes, Picture::Workers],
    controls: &[Control {
        key: 'x',
        verb: "break",
        label: "break the chosen tab",
        on: On::Worker,
        arg: Arg::Choice { param: "fault", next: 'f' },
    }],
    lasts_ms: |params| u64::try_from(params.int("after")).unwrap_or(0) + 1500,
    check,
    ..DemoSpec::BASE
};

fn check(params: &Params) -> Result<(), ParamError> {
    let last = b'A' + u8::try_from(params.count("tabs")).unwrap_or(1) - 1;
    if params.word("victim").as_bytes().first().is_some_and(|victim| *victim > last) {
        let tabs = if last == b'A' { "A".to_owned() } else { format!("A to {}", char::from(last)) };
        return Err(ParamError::new("victim", &format!("must be one of the tabs, {tabs}")));
    }
    Ok(())
}

impl Demo for Crash {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let pid = Pid(std::process::id());
        stage.tell(Fact::Task { tid: Tid(pid.0), pid, parent: 0, name: "browser".to_owned(), slot: None });
        for _ in 0..params.count("tabs") {
            stage.enter(params.workers_as(), &Settings::default(), tab)?;
        }
        step(stage, "open");
        let mut due = Due::strike(&params);
        loop {
            let patience = due.at().map(|at| at.saturating_duration_since(Instant::now()));
            match stage.next(patience) {
                Cue::Steer(steer) if steer.verb == "break" => {
                    let fault = steer.value.as_str().unwrap_or(params.word("fault"));
                    let victim = steer.worker.as_deref().unwrap_or(params.word("victim"));
                    due = strike(stage, victim, fault).unwrap_or(due);
                }
                Cue::Finish => return Ok(()),
                Cue::Steer(_) | Cue::Ended(_) | Cue::Time => due = due.keep(stage, &params),
            }
        }
    }

    fn outcome(&self, params: &Params, tally: &Tally) -> Values {
        let until = end_of_play(params, tally);
        let deaths: Vec<_> = tally.workers().filter_map(|tab| Some((tab, death(tab, tally, until)?))).collect();
        let last = deaths.iter().max_by_key(|(_, (at, _))| *at).map(|(_, (_, ending))| *ending);
        let signal = if let Some(Ending::Signal(name, _)) = last { name } else { "none" };
        let code = if let Some(Ending::Code(code)) = last { *code } else { -1 };
        let tabs = params.count("tabs");
        [
            ("tabs", json!(tabs)),
            ("survivors", json!(tabs.saturating_sub(deaths.len()))),
            ("died", deaths.iter().map(|(tab, _)| tab.name.as_str()).collect()),
            ("signal", json!(signal)),
            ("code", json!(code)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// A tab: it counts and rests, in turns, and does what its orders say.
fn tab(worker: &Worker) {
    let mut pulse = worker.pulse();
    loop {
        let until = Instant::now() + BUSY;
        while Instant::now() < until {
            pulse.beat();
        }
        match worker.wait(0, REST) {
            0 => {}
            Worker::HALT => return,
            order => {
                faults::strike(order, worker, &mut pulse);
                worker.done_with_order(order);
            }
        }
    }
}

fn step(stage: &mut Stage, name: &str) {
    stage.tell(Fact::Step { name: name.to_owned() });
}

/// What the browser waits for besides the learner.
#[derive(Debug, Clone, Copy)]
enum Due {
    /// The strike that the parameters ask for.
    Strike(Instant),
    /// The strike on this tab to show its effect.
    Settle { victim: usize, patience: Duration, struck: Instant },
    /// Nothing.
    Nothing,
}

impl Due {
    fn strike(params: &Params) -> Self {
        let after = u64::try_from(params.int("after")).unwrap_or(0);
        Self::Strike(Instant::now() + Duration::from_millis(after))
    }

    fn at(self) -> Option<Instant> {
        match self {
            Self::Strike(at) => Some(at),
            Self::Settle { struck, .. } if Instant::now() < struck + SETTLES => Some(struck + SETTLES),
            Self::Settle { struck, patience, .. } => Some(struck + patience),
            Self::Nothing => None,
        }
    }

    /// Does what is due; what is due next.
    fn keep(self, stage: &mut Stage, params: &Params) -> Self {
        let now = Instant::now();
        match self {
            Self::Strike(at) if now >= at => {
                strike(stage, params.word("victim"), params.word("fault")).unwrap_or(Self::Nothing)
            }
            Self::Settle { victim, patience, struck } if now >= struck + SETTLES => {
                let still_dying = stage.on().any(|n| n == victim) && now < struck + patience;
                if still_dying {
                    return self;
                }
                step(stage, SETTLED);
                Self::Nothing
            }
            other => other,
        }
    }
}

/// Lets `fault` happen in the tab with this letter; none if there is no such tab or fault.
fn strike(stage: &mut Stage, victim: &str, fault: &str) -> Option<Due> {
    let number = stage.find(victim)?;
    let order = faults::order(fault)?;
    let tid = stage.cast().get(number)?.tid;
    step(stage, "struck");
    stage.tell(Fact::Value { tid, name: "fault".to_owned(), value: json!(fault) });
    stage.order(number, order);
    let patience = match fault {
        "hog" => SETTLES,
        "oom" => SETTLES_FULL,
        _ => SETTLES_AT_LAST,
    };
    Some(Due::Settle { victim: number, patience, struck: Instant::now() })
}

/// The moment from which on the end of a tab is the end of the run, and no crash.
fn end_of_play(params: &Params, tally: &Tally) -> Option<Nanos> {
    let broken_off = || {
        let tab = tally.workers().next()?;
        let threads = params.workers_as() == As::Threads;
        let leader = tally.task(Tid(if threads { tab.pid.0 } else { tab.parent }))?;
        match leader.ended.as_ref()? {
            (at, Ending::Signal(name, _)) if name == "SIGTERM" || !threads => Some(at.since(BROKEN_OFF)),
            _ => None,
        }
    };
    tally.closing().or_else(broken_off)
}

/// When and how the tab came to its end, if that was before `until`. A thread ends as its process does.
fn death<'a>(tab: &'a TaskTally, tally: &'a Tally, until: Option<Nanos>) -> Option<(Nanos, &'a Ending)> {
    let (at, ending) = tab.ended.as_ref()?;
    if until.is_some_and(|until| *at >= until) {
        return None;
    }
    let process = match ending {
        Ending::WithItsProcess | Ending::Unseen => tally.task(Tid(tab.pid.0)).and_then(|main| main.ended.as_ref()),
        Ending::Code(_) | Ending::Signal(..) => None,
    };
    Some((*at, process.map_or(ending, |(_, ending)| ending)))
}

#[cfg(test)]
mod tests;
