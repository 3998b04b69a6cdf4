//! How far what was measured of a way can be believed. Others that want the cores make every way slow, and one that had no
//! cores to use shows nothing of a lock. Pure.

use super::{LONE, Measure};
use crate::demo::sweep;
use crate::fact::{INCONCLUSIVE, ONE_CORE};

/// Of a core that it could have had alone, one that computes without a break gets at least this share. The rest is for the
/// clocks, which are read one after the other.
const WHOLE: f64 = 0.85;

/// Why nothing can be said of a way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Doubt {
    /// There is one core: whatever takes turns on it does so with a lock and without.
    OneCore,
    /// Others had so many cores' worth of time.
    Others(f64),
    /// One worker had this share of a core, and nobody is seen who took the rest: a quota, or a hypervisor.
    KeptWaiting(f64),
}

impl Doubt {
    /// What speaks against believing this measure, made with so many cores.
    pub(super) fn of(measure: &Measure, cores: usize) -> Option<Self> {
        let share = measure.cpu / measure.seconds;
        match measure.others {
            _ if cores == 1 => Some(Self::OneCore),
            Some(others) if sweep::disturbs(others, cores) => Some(Self::Others(others)),
            _ if LONE.contains(&measure.way) && share < WHOLE => Some(Self::KeptWaiting(share)),
            _ => None,
        }
    }

    /// The word for a run.
    pub(super) fn verdict(self) -> &'static str {
        if self == Self::OneCore { ONE_CORE } else { INCONCLUSIVE }
    }

    /// Why, in words.
    pub(super) fn why(self) -> String {
        match self {
            Self::OneCore => "this says nothing of a lock".to_owned(),
            Self::Others(others) => format!("others had {others:.2} cores' worth"),
            Self::KeptWaiting(share) => format!("it got {share:.2} of a core"),
        }
    }

    /// In the table.
    pub(super) fn words(self) -> String {
        format!("{}: {}", self.verdict(), self.why())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubt(way: &'static str, cpu: f64, others: Option<f64>, cores: usize) -> Option<&'static str> {
        let measure = Measure { way, seconds: 1.0, cpu, others, passed: None };
        Doubt::of(&measure, cores).map(Doubt::verdict)
    }

    #[test]
    fn others_on_the_cores_leave_it_open() {
        assert_eq!(doubt("threads", 1.0, Some(0.05), 2), None);
        assert_eq!(doubt("threads", 0.33, Some(1.66), 2), Some("inconclusive"));
        assert_eq!(doubt("threads", 1.0, Some(0.5), 16), None, "there is room for all");
        assert_eq!(doubt("threads", 1.0, None, 2), None, "what the kernel does not say disturbs nobody");
    }

    #[test]
    fn one_who_computes_alone_has_a_whole_core_or_was_kept_waiting() {
        assert_eq!([doubt("serial", 0.3, Some(0.0), 2), doubt("hash serial", 0.3, None, 2)], [Some("inconclusive"); 2]);
        assert_eq!([doubt("serial", 0.97, Some(0.0), 2), doubt("threads", 0.8, Some(0.0), 2)], [None; 2]);
    }

    #[test]
    fn one_core_says_nothing_of_a_lock() {
        assert_eq!(doubt("threads", 1.0, Some(0.0), 1), Some("one core"));
        assert_eq!(doubt("threads", 0.5, Some(0.5), 1), Some("one core"));
    }
}
