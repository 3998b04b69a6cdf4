//! How learner and machine stand to each other: on one claim, and on all.

use super::super::Tour;
use crate::lore::{self, Claim, Lang, Verdict};

/// What a machine said of a claim.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The verdict.
    pub verdict: Verdict,
    /// Why this verdict and no other.
    pub because: String,
    /// What was measured and looked at: name and value as a learner reads it.
    pub shown: Vec<(String, String)>,
    /// It was another machine, in a line.
    pub elsewhere: Option<String>,
}

/// How the learner and the machine stand to each other on a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The learner has said nothing.
    NotSaid,
    /// The machine has said nothing.
    NotTested,
    /// Both say the same.
    Agree,
    /// They say the contrary.
    Differ,
    /// One of them cannot say.
    Open,
}

/// Which claims are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// The learner has said nothing of it.
    NotSaid,
    /// The machine has said nothing of it.
    NotTested,
    /// Learner and machine say the contrary.
    Differ,
    /// It does not hold, and the learner has said something.
    Fails,
    /// The machine did not, or could not, say.
    Open,
}

impl Filter {
    const ALL: [Self; 6] = [Self::All, Self::NotSaid, Self::NotTested, Self::Differ, Self::Fails, Self::Open];

    /// The one after it.
    pub(super) fn next(self) -> Self {
        let at = Self::ALL.iter().position(|filter| *filter == self).map_or(0, |at| at + 1);
        Self::ALL[at % Self::ALL.len()]
    }

    /// In words.
    #[must_use]
    pub fn words(self, lang: Lang) -> &'static str {
        match self {
            Self::All => lang.pick("all claims", "全部说法"),
            Self::NotSaid => lang.pick("not said yet", "还没有说的"),
            Self::NotTested => lang.pick("not tested yet", "还没有检验的"),
            Self::Differ => lang.pick("you and the machine differ", "你和机器不一致的"),
            Self::Fails => lang.pick("does not hold here", "在此不成立的"),
            Self::Open => lang.pick("inconclusive, or not testable", "尚无定论或不可检验的"),
        }
    }
}

/// How many claims stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Score {
    /// All claims.
    pub all: usize,
    /// Those of which the learner has said something.
    pub said: usize,
    /// Those on which the machine agrees.
    pub agree: usize,
    /// Those on which it differs.
    pub differ: usize,
    /// Those that it, or the learner, leaves open.
    pub open: usize,
    /// Those that it was not asked yet.
    pub untested: usize,
}

impl Tour {
    /// What a machine said of `claim`; what no run could answer needs none.
    #[must_use]
    pub fn told(&self, claim: &Claim) -> Option<Told> {
        if claim.test.is_some() {
            return self.recall.answers.get(&claim.id).cloned();
        }
        let lore::Judgement { verdict, because, shown, .. } = lore::judge(claim, None, self.claims.lang);
        Some(Told { verdict, because, shown, elsewhere: None })
    }

    /// Whether both have spoken on `claim`: from then on what the learner said stays, as a prediction in a lesson does. What
    /// no run could answer settles nothing.
    #[must_use]
    pub fn settled(&self, claim: &Claim) -> bool {
        let said = self.recall.beliefs.contains_key(&claim.id);
        said && claim.test.is_some() && self.told(claim).is_some()
    }

    /// How learner and machine stand to each other on `claim`.
    #[must_use]
    pub fn standing(&self, claim: &Claim) -> Standing {
        let Some(so) = self.recall.beliefs.get(&claim.id) else { return Standing::NotSaid };
        let Some(told) = self.told(claim) else { return Standing::NotTested };
        let machine = match told.verdict {
            Verdict::Holds | Verdict::CpythonOnly => Some(true),
            Verdict::Fails => Some(false),
            Verdict::Inconclusive | Verdict::NotTestable => None,
        };
        match (so, machine) {
            (Some(learner), Some(machine)) if *learner == machine => Standing::Agree,
            (Some(_), Some(_)) => Standing::Differ,
            _ => Standing::Open,
        }
    }

    /// How many claims stand how.
    #[must_use]
    pub fn score(&self) -> Score {
        let mut score = Score { all: self.claims.len(), ..Score::default() };
        for claim in self.claims.iter() {
            let standing = self.standing(claim);
            score.said += usize::from(standing != Standing::NotSaid);
            match standing {
                Standing::NotSaid => {}
                Standing::NotTested => score.untested += 1,
                Standing::Agree => score.agree += 1,
                Standing::Differ => score.differ += 1,
                Standing::Open => score.open += 1,
            }
        }
        score
    }

    /// Whether `claim` is one that `filter` lists. No verdict is told before the learner has said something.
    pub(super) fn is_in(&self, filter: Filter, claim: &Claim) -> bool {
        let verdict = || self.told(claim).map(|told| told.verdict);
        match filter {
            Filter::All => true,
            Filter::NotSaid => self.standing(claim) == Standing::NotSaid,
            Filter::NotTested => self.told(claim).is_none_or(|told| told.elsewhere.is_some()),
            Filter::Differ => self.standing(claim) == Standing::Differ,
            Filter::Fails => self.standing(claim) != Standing::NotSaid && verdict() == Some(Verdict::Fails),
            Filter::Open => matches!(verdict(), Some(Verdict::Inconclusive | Verdict::NotTestable)),
        }
    }
}
