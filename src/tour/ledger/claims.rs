//! The claims in the order of the lessons that take them up, as they are read.

use super::Batch;
use crate::lesson::Lesson;
use crate::lore::{self, Claim, Lang, Ledger};
use std::collections::BTreeMap;

/// The claims, in the order of the lessons that take them up, and in a lesson in that of their ids.
#[derive(Debug, Clone)]
pub struct Claims {
    ledger: Ledger,
    places: Vec<Place>,
    batches: Vec<Batch>,
    /// The language of the claims, and of the verdicts.
    pub lang: Lang,
    /// Why there are none: a sentence.
    pub wrong: Option<String>,
}

/// A claim, and where it is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    claim: usize,
    /// The lesson.
    pub lesson: Option<usize>,
    /// Its step.
    pub step: Option<usize>,
}

impl Claims {
    /// The claims of a ledger, or why there is none.
    pub(crate) fn new(read: Result<Ledger, String>, lang: Lang, lessons: &[Lesson]) -> Self {
        let (ledger, wrong) = match read {
            Ok(ledger) => (ledger, None),
            Err(sentence) => (Ledger::default(), Some(sentence)),
        };
        let place = |(claim, said): (usize, &Claim)| {
            let place = lore::place(lessons, said);
            Place { claim, lesson: place.map(|(lesson, _)| lesson), step: place.and_then(|(_, step)| step) }
        };
        let mut places: Vec<_> = ledger.claims().iter().enumerate().map(place).collect();
        places.sort_by_key(|place| (place.lesson.unwrap_or(usize::MAX), place.claim));
        let batches = batches(&ledger, &places);
        Self { ledger, places, batches, lang, wrong }
    }

    /// The runs that answer them, in the order of the lessons.
    #[must_use]
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// The run that answers the claim with this number; none if no run could.
    #[must_use]
    pub fn batch_of(&self, n: usize) -> Option<&Batch> {
        self.batches.iter().find(|batch| batch.claims.contains(&n))
    }

    /// The ledger that they are from.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Claim> {
        self.places.iter().filter_map(|place| self.ledger.claims().get(place.claim))
    }

    /// The claim with this number.
    #[must_use]
    pub fn get(&self, n: usize) -> Option<&Claim> {
        self.ledger.claims().get(self.places.get(n)?.claim)
    }

    /// Where the claim with this number is taken up.
    #[must_use]
    pub fn place(&self, n: usize) -> Option<Place> {
        self.places.get(n).copied()
    }

    /// The number of the claim with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        self.iter().position(|claim| claim.id == id)
    }
}

fn batches(ledger: &Ledger, places: &[Place]) -> Vec<Batch> {
    let numbers: BTreeMap<&str, usize> = places
        .iter()
        .enumerate()
        .filter_map(|(n, place)| Some((ledger.claims().get(place.claim)?.id.as_str(), n)))
        .collect();
    let claims = places.iter().filter_map(|place| ledger.claims().get(place.claim));
    let batch = |group: lore::Group<'_>| {
        let (spec, params) = group.run?;
        let claims = group.claims.iter().filter_map(|claim| numbers.get(claim.id.as_str()).copied()).collect();
        Some(Batch { spec, params, claims })
    };
    lore::groups(claims).into_iter().filter_map(batch).collect()
}
