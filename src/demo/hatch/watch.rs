//! What becomes of the others when somebody is killed asleep at a condition. The condition variable of the C library still counts
//! the dead among those that sleep; a later call may wait until it has woken (`__condvar_quiesce_and_switch_g1` in glibc's
//! nptl/pthread_cond_common.c, up to 2.40), and the caller has the mutex meanwhile.

use super::{FROZEN, Hatch, NOW, PICTURE, Side, says};
use crate::demo::script::row;
use crate::fact::{Pid, Tid};
use crate::stage::{Left, Stage};
use serde_json::json;

/// Looks in a row at the same sleeping caller after which it is taken for one that will not return.
const SURE: u32 = 10;

/// Looks at the hatch now and then.
#[derive(Debug, Default)]
pub(in crate::demo) struct Watch {
    dead: usize,
    caller: Option<(Tid, u64)>,
    looks: u32,
}

impl Watch {
    /// Says who was killed asleep, and once a caller sleeps in its call on account of it, that it does.
    pub(in crate::demo) fn look(&mut self, stage: &mut Stage, hatch: &Hatch) {
        let dead = died_asleep(stage, hatch);
        if dead.len() > self.dead {
            self.dead = dead.len();
            if self.looks < SURE {
                stage.tell(says(&death(&dead)));
            }
        }
        if dead.is_empty() || self.looks >= SURE {
            return;
        }
        let side = hatch.calls_at().filter(|side| dead.iter().any(|(_, at)| at == side));
        let owner = hatch.owner();
        let entry = stage.cast().iter().find(|entry| entry.tid == owner && entry.ended.is_none());
        let (Some(side), Some(entry)) = (side, entry.filter(|entry| sleeps(entry.pid))) else {
            (self.caller, self.looks) = (None, 0);
            return;
        };
        let caller = Some((owner, hatch.put_so_far() + hatch.taken_so_far()));
        self.looks = if self.caller == caller { self.looks + 1 } else { 0 };
        self.caller = caller;
        if self.looks == SURE {
            let whom = names(dead.iter().filter(|(_, at)| *at == side));
            let words = format!("{} has the mutex, called, and waits for {whom}, dead: nobody gets on.", entry.name);
            stage.tell(row(PICTURE.table, NOW, json!({ "says": words, FROZEN: true })));
        }
    }
}

/// Who was killed while it slept, and at which condition.
fn died_asleep(stage: &Stage, hatch: &Hatch) -> Vec<(String, Side)> {
    let killed = stage.cast().iter().filter(|entry| matches!(entry.ended, Some(Left::Signal(_))));
    killed.filter_map(|entry| Some((entry.name.clone(), hatch.sleeps_at(entry.tid)?))).collect()
}

fn names<'a>(dead: impl Iterator<Item = &'a (String, Side)>) -> String {
    dead.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

fn death(dead: &[(String, Side)]) -> String {
    let of = |side: Side| {
        let names = names(dead.iter().filter(|(_, at)| *at == side));
        (!names.is_empty()).then(|| format!("{names} at \"{}\"", side.name()))
    };
    let all: Vec<_> = [Side::NotEmpty, Side::NotFull].into_iter().filter_map(of).collect();
    format!("Killed asleep: {}. Who calls there may now wait for ever.", all.join(", "))
}

/// The process sleeps (state S in /proc/PID/stat, proc(5)).
fn sleeps(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.0)).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_killed_asleep_is_said_with_the_condition() {
        let of = |name: &str, side| (name.to_owned(), side);
        let dead = [of("A", Side::NotFull), of("C", Side::NotEmpty), of("D", Side::NotEmpty)];
        let said = death(&dead);
        assert_eq!(
            said,
            "Killed asleep: C, D at \"not empty\", A at \"not full\". Who calls there may now wait for ever."
        );
    }

    #[test]
    fn where_a_worker_sleeps_and_calls_is_known_to_all() {
        let hatch = Hatch::new(1).expect("memory");
        let (first, second) = (hatch.join(Tid(70)), hatch.join(Tid(71)));
        hatch.falls_asleep(second, Some(Side::NotEmpty));
        assert_eq!((hatch.sleeps_at(Tid(70)), hatch.sleeps_at(Tid(71))), (None, Some(Side::NotEmpty)));
        hatch.falls_asleep(second, None);
        hatch.falls_asleep(first, Some(Side::NotFull));
        assert_eq!((hatch.sleeps_at(Tid(70)), hatch.sleeps_at(Tid(71))), (Some(Side::NotFull), None));
        assert_eq!(hatch.calls_at(), None);
    }
}
