//! `unruly`: misbehaves on purpose, to try what the stage is for.

mod ways;

use super::Demo;
use crate::fact::{As, DemoSpec, Ending, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, Tally, Values};
use crate::stage::{Cue, Settings, Stage};
use serde_json::{Value, json};
use std::sync::Arc;

/// See the module.
pub(super) struct Unruly;

static SPEC: DemoSpec = DemoSpec {
    name: "unruly",
    title: "misbehaves on purpose, to try the stage",
    part: "Trying the stage",
    about: "A worker that does what a demo must never do to you: it will not leave, hides, floods, takes all it can get. \
            The stage bounds it, ends it and clears up. See how far it came, and what stopped it.",
    params: &[ParamSpec { name: "how", kind: ParamKind::Choice(ways::NAMES), help: "what it does" }],
    returns: &[
        ReturnSpec { name: "refused_by", kind: ReturnKind::Word, help: "what stopped it: an error, a signal, nothing" },
        ReturnSpec { name: "count", kind: ReturnKind::Count, help: "how far it came: files, threads, MiB" },
    ],
    pictures: &[Picture::Workers],
    lasts_ms: |_| 4000,
    ..DemoSpec::BASE
};

impl Demo for Unruly {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let how = params.word("how").to_owned();
        let nothing = Settings::default();
        match how.as_str() {
            "deadlock" => {
                let locks = Arc::new(ways::Locks::default());
                for order in [["L1", "L2"], ["L2", "L1"]] {
                    let locks = Arc::clone(&locks);
                    stage.enter(As::Threads, &nothing, move |worker| locks.take(order, worker))?;
                }
            }
            other => {
                if other == "ignore-term" {
                    ways::ignore_term();
                }
                let how = how.clone();
                stage.enter(As::Processes, &nothing, move |worker| ways::misbehave(&how, worker))?;
            }
        }
        loop {
            match stage.next(None) {
                Cue::Finish => return Ok(()),
                // Who escaped is to be looked for while the rest goes on.
                Cue::Ended(_) if how != "escape" && stage.on().next().is_none() => return Ok(()),
                Cue::Ended(_) | Cue::Steer(_) | Cue::Time => {}
            }
        }
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let told = |name: &str| tally.workers().find_map(|w| w.values.get(name)).cloned();
        let closing = tally.closing();
        // A signal that came before the end of the run was the answer to what the worker did.
        let ended = tally.workers().find_map(|w| match w.ended.as_ref()? {
            (at, Ending::Signal(signal, _)) if closing.is_none_or(|closing| *at < closing) => Some(json!(signal)),
            _ => None,
        });
        let count: u64 = tally.workers().filter_map(|w| w.number("count")).sum();
        let refused: Value = told("refused_by").or(ended).unwrap_or_else(|| json!("nothing"));
        [("refused_by", refused), ("count", json!(count))].map(|(name, value)| (name.to_owned(), value)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Pid, TaskTally, Tid};

    fn outcome(values: &[(&str, Value)], ended: Option<(u64, &str)>, closing: Option<u64>) -> (Value, Value) {
        let mut worker = TaskTally::new(Tid(5), Pid(5), Nanos::ZERO);
        worker.slot = Some(0);
        worker.values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        worker.ended = ended.map(|(at, signal)| (Nanos(at), Ending::Signal(signal.to_owned(), false)));
        let mut tally = Tally { tasks: vec![worker], ..Tally::default() };
        tally.steps.extend(closing.map(|at| (Nanos(at), "closing".to_owned())));
        let mut values = Unruly.outcome(&Params::defaults(&SPEC), &tally);
        (values.remove("refused_by").unwrap_or_default(), values.remove("count").unwrap_or_default())
    }

    #[test]
    fn what_stopped_it_is_an_error_a_signal_or_nothing() {
        let files = [("count", json!(250)), ("refused_by", json!("EMFILE"))];
        assert_eq!(outcome(&files, None, Some(9)), (json!("EMFILE"), json!(250)));
        let threads = [("count", json!(240))];
        assert_eq!(outcome(&threads, Some((5, "SIGKILL")), None), (json!("SIGKILL"), json!(240)));
        assert_eq!(outcome(&[], Some((12, "SIGKILL")), Some(9)), (json!("nothing"), json!(0)), "sent off at the end");
    }
}
