//! What the visits to the hatch came to: a fold over what was told, without clock or memory.

use super::{
    CALLS, HATCH, MADE, MOST, NOT_EMPTY, NOT_FULL, NOW, PICTURE, SLEPT, TAKEN, TOOK_NOTHING, WOKEN_FOR_NOTHING,
};
use crate::fact::{LockTally, Nanos, Tally, Tid};
use serde_json::Value;

/// What the visits came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::demo) struct Account {
    pub(in crate::demo) made: u64,
    pub(in crate::demo) taken: u64,
    pub(in crate::demo) took_nothing: u64,
    pub(in crate::demo) woken_for_nothing: u64,
    pub(in crate::demo) most_in_buffer: u64,
    /// How often somebody went to sleep at a condition.
    pub(in crate::demo) waits: u64,
    /// The most that had the mutex at a time.
    pub(in crate::demo) max_inside: usize,
    /// Those that sleep at "not empty" while something lies there, and nobody is left to call them.
    pub(in crate::demo) slept_through: u64,
}

impl Account {
    pub(in crate::demo) fn of(tally: &Tally) -> Self {
        let sum = |name: &str| tally.workers().filter_map(|worker| worker.number(name)).sum::<u64>();
        let asked = |lock: &LockTally| lock.visits.values().map(|visits| visits.asked).sum::<u64>();
        let told = tally.cell(PICTURE.table, NOW, SLEPT).and_then(Value::as_u64).unwrap_or(0);
        Self {
            made: sum(MADE),
            taken: sum(TAKEN),
            took_nothing: sum(TOOK_NOTHING),
            woken_for_nothing: sum(WOKEN_FOR_NOTHING),
            most_in_buffer: tally.workers().filter_map(|worker| worker.number(MOST)).max().unwrap_or(0),
            waits: [NOT_FULL, NOT_EMPTY].iter().filter_map(|name| tally.locks.get(*name)).map(asked).sum(),
            max_inside: tally.locks.get(HATCH).map_or(0, |lock| lock.most_inside),
            slept_through: slept_through(tally).max(told),
        }
    }
}

/// See [`Account::slept_through`]. It can only be said where everybody alive sleeps and was not called since.
fn slept_through(tally: &Tally) -> u64 {
    let lies =
        tally.table(PICTURE.table).iter().any(|slot| slot.values.get("item").is_some_and(|item| !item.is_null()));
    let called =
        |side: &str| tally.table(CALLS).iter().find(|row| row.name == side).map_or(Nanos::ZERO, |row| row.last);
    let uncalled = |side: &str| -> Vec<Tid> {
        let queue = tally.locks.get(side).map_or(&[][..], |lock| &lock.queue);
        queue.iter().filter(|(_, since)| *since > called(side)).map(|(tid, _)| *tid).collect()
    };
    let (takers, makers) = (uncalled(NOT_EMPTY), uncalled(NOT_FULL));
    let everybody = tally.workers().filter(|w| w.alive()).all(|w| takers.contains(&w.tid) || makers.contains(&w.tid));
    if lies && everybody { takers.len() as u64 } else { 0 }
}

/// The mutex went with somebody who has ended: whoever asks for it waits for ever.
pub(in crate::demo) fn is_stuck(tally: &Tally) -> bool {
    let ended = |tid| tally.task(tid).is_some_and(|task| !task.alive());
    tally.locks.get(HATCH).is_some_and(|lock| lock.inside.iter().any(|(tid, _)| ended(*tid)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Ending, Pid, Row, TaskTally, Values};
    use serde_json::json;

    /// A has made one and ended. B sleeps at "not empty" since `since`; the last call was at 5.
    fn asleep(since: u64, item: serde_json::Value) -> Tally {
        let mut tally = Tally::default();
        for tid in [1, 2] {
            let mut task = TaskTally::new(Tid(tid), Pid(tid), Nanos::ZERO);
            task.slot = u16::try_from(tid).ok();
            task.ended = (tid == 1).then_some((Nanos(6), Ending::Code(0)));
            tally.tasks.push(task);
        }
        let row =
            |name: &str, values: Values| vec![Row { name: name.to_owned(), first: Nanos(5), last: Nanos(5), values }];
        tally.tables.insert(PICTURE.table.to_owned(), row("1", [("item".to_owned(), item)].into()));
        tally.tables.insert(CALLS.to_owned(), row(NOT_EMPTY, Values::new()));
        tally
            .locks
            .insert(NOT_EMPTY.to_owned(), LockTally { queue: vec![(Tid(2), Nanos(since))], ..LockTally::default() });
        tally
    }

    #[test]
    fn who_began_to_sleep_after_the_call_sleeps_through_it() {
        assert_eq!(slept_through(&asleep(7, json!(1))), 1);
        assert_eq!(slept_through(&asleep(4, json!(1))), 0, "it was called, and is about to wake");
        assert_eq!(slept_through(&asleep(7, json!(null))), 0, "there is nothing");
        let mut tally = asleep(7, json!(1));
        tally.tasks[0].ended = None;
        assert_eq!(slept_through(&tally), 0, "the other may yet call");
        assert_eq!(slept_through(&Tally::default()), 0);
    }
}
