//! Processes that the observers saw come to their end and of which nobody tells how. Who started a process and waits for it
//! tells its end, with its exit code; what a foreign program starts and waits for, nobody tells. So the observers' word is
//! held back until the process is gone from the kernel's list, and told if it is the only one.

use crate::fact::{Fact, Nanos, Pid, Stamped};
use std::collections::BTreeMap;

/// More than these are told at once: after losses some may be waited for in vain.
const MOST: usize = 1024;

/// The ends that are held back.
#[derive(Debug, Default)]
pub(super) struct Departed {
    ends: BTreeMap<Pid, End>,
}

/// When a process ended, and whether it was gone already when last looked at.
#[derive(Debug)]
struct End {
    at: Nanos,
    gone: bool,
}

impl Departed {
    /// Takes the ends of processes out of what was `seen`, unless `told` has them. Who tells the end of a process that was
    /// seen to end, and not how it ended, has noticed it later than the observer.
    pub(super) fn hold_back(&mut self, told: &mut [Stamped], seen: &mut Vec<Stamped>) {
        seen.retain(|stamped| {
            let Fact::Exit { tid, pid, .. } = &stamped.fact else { return true };
            if tid.0 == pid.0 {
                self.ends.insert(*pid, End { at: stamped.t, gone: false });
            } else if let Some(end) = self.ends.get_mut(pid) {
                // The first thread's end is the process's only where it is the last.
                end.at = end.at.max(stamped.t);
            }
            tid.0 != pid.0
        });
        for stamped in told {
            let Fact::Exit { tid, pid, code, signal, .. } = &stamped.fact else { continue };
            if tid.0 == pid.0
                && let Some(end) = self.ends.remove(pid)
                && code.is_none()
                && signal.is_none()
            {
                stamped.t = stamped.t.min(end.at);
            }
        }
    }

    /// Tells the ends of which nobody else has told since the last look. A process that has ended and was not waited for
    /// is still `listed`: it is a zombie, and not gone.
    pub(super) fn tell(&mut self, over: bool, listed: impl Fn(Pid) -> bool, out: &mut Vec<Stamped>) {
        let many = self.ends.len() > MOST;
        self.ends.retain(|pid, end| {
            if over || many || end.gone {
                out.push(Stamped::new(end.at, Fact::gone(*pid)));
                return false;
            }
            end.gone = !listed(*pid);
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Tid;

    fn at(t: u64, fact: Fact) -> Stamped {
        Stamped::new(Nanos(t), fact)
    }

    fn with_code(pid: u32) -> Fact {
        Fact::Exit { tid: Tid(pid), pid: Pid(pid), code: Some(1), signal: None, core: None }
    }

    fn ends(facts: &[Stamped]) -> Vec<(u64, u32)> {
        let end = |stamped: &Stamped| match stamped.fact {
            Fact::Exit { pid, .. } => Some((stamped.t.0, pid.0)),
            _ => None,
        };
        facts.iter().filter_map(end).collect()
    }

    #[test]
    fn an_end_of_which_nobody_tells_is_told_when_the_process_is_gone() {
        let (mut departed, mut out) = (Departed::default(), Vec::new());
        let mut seen = vec![at(5, Fact::gone(Pid(7))), at(6, Fact::Lost { records: 1 })];
        departed.hold_back(&mut [], &mut seen);
        assert_eq!(seen.len(), 1, "the rest of what was seen goes on");
        departed.tell(false, |_| true, &mut out);
        departed.tell(false, |_| true, &mut out);
        assert_eq!(ends(&out), [], "a zombie is not gone");
        departed.tell(false, |_| false, &mut out);
        assert_eq!(ends(&out), [], "who has waited for it may be about to tell");
        departed.tell(false, |_| false, &mut out);
        departed.tell(true, |_| false, &mut out);
        assert_eq!(ends(&out), [(5, 7)], "once, at the moment when it ended");
    }

    #[test]
    fn a_process_ends_with_the_last_of_its_threads() {
        let (mut departed, mut out) = (Departed::default(), Vec::new());
        let thread = Fact::Exit { tid: Tid(8), pid: Pid(7), code: None, signal: None, core: None };
        let mut seen = vec![at(5, Fact::gone(Pid(7))), at(9, thread)];
        departed.hold_back(&mut [], &mut seen);
        departed.tell(true, |_| false, &mut out);
        assert_eq!((ends(&seen), ends(&out)), (vec![(9, 7)], vec![(9, 7)]));
    }

    #[test]
    fn who_waited_for_it_tells_it_with_its_code() {
        let (mut departed, mut out) = (Departed::default(), Vec::new());
        let mut told = [at(9, with_code(7))];
        departed.hold_back(&mut [], &mut vec![at(5, Fact::gone(Pid(7)))]);
        departed.hold_back(&mut told, &mut Vec::new());
        departed.tell(true, |_| false, &mut out);
        assert_eq!((ends(&out), told[0].t), (vec![], Nanos(9)));
    }

    #[test]
    fn who_only_noticed_it_is_corrected_and_at_the_end_of_the_run_all_are_gone() {
        let (mut departed, mut out) = (Departed::default(), Vec::new());
        let mut told = [at(9, Fact::gone(Pid(7)))];
        departed.hold_back(&mut told, &mut vec![at(5, Fact::gone(Pid(7))), at(6, Fact::gone(Pid(8)))]);
        departed.tell(true, |_| true, &mut out);
        assert_eq!((ends(&told), ends(&out)), (vec![(5, 7)], vec![(6, 8)]));
    }
}
