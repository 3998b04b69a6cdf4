//! Which claims one run answers, where a claim is taken up, and what a run came to: the same for the command and the screen.

use super::{Came, Claim, Fault};
use crate::fact::{DemoSpec, Outcome, Params, Values};
use crate::lesson::Lesson;

/// Claims that one run answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Group<'l> {
    /// The run: its demo and its parameters; none if no run could answer them.
    pub run: Option<(&'static DemoSpec, Params)>,
    /// The claims, in the order in which they were given.
    pub claims: Vec<&'l Claim>,
}

/// The claims by what is run for them, in the order in which a run is first needed; those without one last.
pub fn groups<'l>(claims: impl IntoIterator<Item = &'l Claim>) -> Vec<Group<'l>> {
    let mut groups: Vec<Group<'l>> = Vec::new();
    for claim in claims {
        let run = claim.test.as_ref().map(|test| (test.spec, test.params.clone()));
        match groups.iter_mut().find(|group| group.run == run) {
            Some(group) => group.claims.push(claim),
            None => groups.push(Group { run, claims: vec![claim] }),
        }
    }
    groups.sort_by_key(|group| group.run.is_none());
    groups
}

/// The lesson that takes up `claim`, and which of its steps does, both counted from 0.
pub fn place<'l>(lessons: impl IntoIterator<Item = &'l Lesson>, claim: &Claim) -> Option<(usize, Option<usize>)> {
    let named = claim.lesson.as_deref();
    let takes_up = |lesson: &Lesson| lesson.claims.contains(&claim.id) && named.is_none_or(|id| lesson.id == id);
    let (at, lesson) = lessons.into_iter().enumerate().find(|(_, lesson)| takes_up(lesson))?;
    Some((at, lesson.steps.iter().position(|step| step.claims.contains(&claim.id))))
}

/// What a run came to that ended with `outcome`, if `settled` were its values when they could first be judged.
///
/// # Errors
/// It broke, or was refused before anything ran.
pub fn came(outcome: &Outcome, settled: Option<&Values>) -> Came {
    match &outcome.broke {
        // What was refused before anything ran is the machine's answer, not a mistake of the demo.
        Some(broke) if outcome.seconds > 0.0 => Err(Fault::Broke(broke.clone())),
        Some(refused) => Err(Fault::Refused(refused.clone())),
        None => Ok(settled.unwrap_or(&outcome.values).clone()),
    }
}

/// What came of a run that was ended because it would not end.
///
/// # Errors
/// Always: it broke.
pub fn too_late() -> Came {
    Err(Fault::Broke("it neither settled nor ended".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo;
    use crate::lesson::{Library, embed};
    use crate::lore::Ledger;
    use std::collections::BTreeSet;

    fn ledger() -> Ledger {
        let (file, text) = embed::lore();
        Ledger::read(&file, &text, &demo::specs(), &embed::claims()).expect("the ledger of the program")
    }

    #[test]
    fn each_claim_is_in_one_group_and_no_run_is_made_twice() {
        let ledger = ledger();
        let groups = groups(ledger.claims());
        let ids: Vec<_> = groups.iter().flat_map(|group| &group.claims).map(|claim| &claim.id).collect();
        assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (245, 245));
        for (n, group) in groups.iter().enumerate() {
            assert!(groups[..n].iter().all(|other| other.run != group.run), "{:?} twice", group.run);
            for claim in &group.claims {
                assert_eq!(claim.test.as_ref().map(|test| (test.spec, test.params.clone())), group.run);
            }
        }
        let without = groups.iter().position(|group| group.run.is_none());
        assert!(without.is_none_or(|at| at + 1 == groups.len()), "what needs no run stands last");
    }

    #[test]
    fn every_claim_has_its_place() {
        let (ledger, library) = (ledger(), Library::new(embed::lessons(), "en"));
        let lessons: Vec<_> = library.lessons().collect();
        for claim in ledger.claims() {
            let (at, step) = place(lessons.iter().copied(), claim).expect(&claim.id);
            assert!(lessons[at].claims.contains(&claim.id));
            assert!(step.is_none_or(|n| lessons[at].steps[n].claims.contains(&claim.id)), "{}", claim.id);
        }
    }

    #[test]
    fn what_breaks_has_no_values_and_what_settled_is_judged() {
        let values = |n: u64| Values::from([("n".to_owned(), n.into())]);
        let outcome = |seconds, broke: Option<&str>| Outcome {
            values: values(2),
            lost: 0,
            seconds,
            clean: true,
            left_behind: 0,
            broke: broke.map(str::to_owned),
        };
        assert_eq!(came(&outcome(1.0, None), None), Ok(values(2)));
        assert_eq!(came(&outcome(1.0, None), Some(&values(1))), Ok(values(1)));
        assert_eq!(came(&outcome(1.0, Some("x")), Some(&values(1))), Err(Fault::Broke("x".to_owned())));
        assert_eq!(came(&outcome(0.0, Some("x")), None), Err(Fault::Refused("x".to_owned())));
    }
}
