//! From a run to what is kept of it for the lab report: its outcome and its tables, with the machine.
//!
//! Used by whatever runs demos for a learner, with a screen and without.

use crate::fact::{Fact, Stamped, Values, clean_line};
use crate::kernel::Machine;
use crate::progress::{By, Document, Host, Measured, Place, Results, Row, Store, When};
use crate::scene::Scene;

/// This machine, as it stands beside every number.
#[must_use]
pub fn host() -> Host {
    let machine = Machine::look();
    let count = |cpus: usize| u32::try_from(cpus).unwrap_or(u32::MAX);
    Host {
        cpu: clean_line(&machine.model),
        online: count(machine.online.len()),
        allowed: count(machine.allowed.len()),
        memory_mib: machine.memory >> 20,
        kernel: clean_line(&machine.kernel),
        governor: machine.governor.as_deref().map(clean_line),
        virtual_machine: machine.virtual_machine,
    }
}

/// What is kept of the run that `scene` shows; none while it goes on, and of one that was refused or broke.
#[must_use]
pub fn measured(scene: &Scene, by: By) -> Option<Measured> {
    let outcome = scene.outcome.as_ref().filter(|outcome| outcome.broke.is_none())?;
    let mut run = so_far(scene, by)?;
    (run.seconds, run.lost) = (outcome.seconds, outcome.lost);
    Some(run)
}

/// The same as it stands, of a run that the learner leaves after its values could be judged. None before it began.
#[must_use]
pub fn so_far(scene: &Scene, by: By) -> Option<Measured> {
    let start = scene.tally.start.as_ref()?;
    let rows = |rows: &[crate::fact::Row]| -> Vec<Row> {
        rows.iter().map(|row| Row { name: row.name.clone(), values: row.values.clone() }).collect()
    };
    let mut run = Measured::new(&start.demo, start.params.clone(), by, When::now());
    start.source.word().clone_into(&mut run.source);
    (run.seconds, run.lost) = (scene.now().seconds(), scene.tally.lost);
    run.values.clone_from(scene.values());
    run.tables = scene.tally.tables.iter().map(|(name, table)| (name.clone(), rows(table))).collect();
    Some(run)
}

/// Gathers what [`measured`] needs from a run without a screen, and nothing else of it.
#[derive(Debug, Default)]
pub struct Notes {
    scene: Scene,
}

impl Notes {
    /// Takes note of a batch.
    pub fn take(&mut self, batch: &[Stamped]) {
        for fact in batch.iter().filter(|f| matches!(f.fact, Fact::Start(_) | Fact::Row { .. } | Fact::Outcome(_))) {
            self.scene.apply(fact);
        }
    }

    /// What is kept of the run; `values`, where they are given, are those that were judged.
    #[must_use]
    pub fn measured(&self, by: By, values: Option<&Values>) -> Option<Measured> {
        let mut run = measured(&self.scene, by)?;
        if let Some(values) = values {
            run.values.clone_from(values);
        }
        Some(run)
    }
}

/// Puts into the learner's results what `add` adds. The sentences are what there is to be told of it: a file that was put
/// aside, or why nothing was kept.
#[must_use]
pub fn add(add: impl FnOnce(&mut Results, &Host)) -> Vec<String> {
    let (store, _, mut told) = Store::<Results>::open(&Place::Standard);
    let mut new = Results::default();
    add(&mut new, &host());
    if store.not_kept().is_none()
        && let Err(why) = store.save(&new)
    {
        told.push(format!("the {} is {why}", Results::WHAT));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{FORMAT, Nanos, Outcome, Source, Start};
    use serde_json::json;

    fn story(broke: Option<&str>) -> Vec<Stamped> {
        let (demo, kernel) = ("create".to_owned(), "6.1".to_owned());
        let params: Values = [("rounds".to_owned(), json!(20))].into();
        let (source, cpus, hz, because, page_size) = (Source::Unwatched, Vec::new(), None, None, None);
        let start = Start { format: FORMAT, demo, params, source, cpus, kernel, hz, because, page_size };
        let (table, row) = ("figures".to_owned(), "thread".to_owned());
        let values: Values = [("ns".to_owned(), json!(7))].into();
        let (lost, seconds, clean, left_behind) = (3, 1.5, true, 0);
        let broke = broke.map(str::to_owned);
        let outcome = Outcome { values: values.clone(), lost, seconds, clean, left_behind, broke };
        let facts = [Fact::Start(start), Fact::Row { table, row, values }, Fact::Outcome(outcome)];
        facts.into_iter().zip(0..).map(|(fact, t)| Stamped { t: Nanos(t), fact }).collect()
    }

    #[test]
    fn a_run_is_kept_with_its_tables_and_the_values_that_were_judged() {
        let mut notes = Notes::default();
        let story = story(None);
        notes.take(&story[..2]);
        assert_eq!(notes.measured(By::Lore, None), None, "it goes on");
        let left = so_far(&notes.scene, By::Tour).expect("it began");
        assert_eq!((left.by, left.demo.as_str(), left.tables["figures"].len()), (By::Tour, "create", 1));
        notes.take(&story[2..]);
        let run = notes.measured(By::Lore, None).expect("it is over");
        assert_eq!((run.demo.as_str(), run.source.as_str(), run.lost), ("create", "unwatched", 3));
        assert_eq!((&run.params["rounds"], &run.values["ns"]), (&json!(20), &json!(7)));
        assert_eq!(run.tables["figures"][0], Row { name: "thread".into(), values: run.values.clone() });
        let judged: Values = [("ns".to_owned(), json!(8))].into();
        let run = notes.measured(By::Run, Some(&judged)).expect("it is over");
        assert_eq!((run.by, run.values), (By::Run, judged));
    }

    #[test]
    fn what_broke_is_not_kept() {
        let mut notes = Notes::default();
        notes.take(&story(Some("its leader has gone")));
        assert_eq!(notes.measured(By::Run, None), None);
    }

    #[test]
    fn this_machine_has_a_name() {
        let host = host();
        assert!(host.online >= host.allowed && host.allowed >= 1 && host.memory_mib > 0, "{host:?}");
        assert!(host.name().contains(&host.kernel) && !host.kernel.is_empty());
    }
}
