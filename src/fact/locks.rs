//! Who is inside a lock, who waits for it and for how long: what the users of a lock told of it, added up.

use super::{Nanos, Tid};
use std::collections::{BTreeMap, BTreeSet};

/// A lock, a semaphore, a barrier: anything that tasks ask for, have and give back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockTally {
    /// Who has it, and since when. Several where it admits several; the dead too, for a lock does not learn of a death.
    pub inside: Vec<(Tid, Nanos)>,
    /// Who waits for it, and since when, in the order in which they asked.
    pub queue: Vec<(Tid, Nanos)>,
    /// The most that ever had it at a time.
    pub most_inside: usize,
    /// The most that ever waited for it at a time.
    pub most_waiting: usize,
    /// What each of its users came to.
    pub visits: BTreeMap<Tid, Visits>,
    /// Who had it, in the order in which they got it: the newest few.
    pub order: Vec<Tid>,
}

/// What one task has had of a lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visits {
    /// How often it asked.
    pub asked: u64,
    /// How often it got it.
    pub got: u64,
    /// How long it waited, all waits that are over together.
    pub waited: Nanos,
    /// The longest wait that is over.
    pub longest: Nanos,
    /// How long it had it, all visits that are over together.
    pub held: Nanos,
}

impl LockTally {
    /// How long each of those that wait has waited, in the order of the queue.
    pub fn waiting(&self, now: Nanos) -> impl Iterator<Item = (Tid, Nanos)> {
        self.queue.iter().map(move |(tid, since)| (*tid, now.since(*since)))
    }

    /// The longest wait of all, those that still last included.
    #[must_use]
    pub fn longest(&self, now: Nanos) -> Nanos {
        let over = self.visits.values().map(|v| v.longest).max().unwrap_or(Nanos::ZERO);
        self.waiting(now).map(|(_, wait)| wait).fold(over, Nanos::max)
    }
}

/// A circle of tasks, each with the lock that it wants and the next one has; the last waits for the first. Empty if there is
/// none. With locks that only one can have, such a circle is a deadlock: necessary and sufficient (Coffman, Elphick and
/// Shoshani 1971). So a lock that several have at the moment is passed over: one of the others may give it back. It begins with the smallest thread id, so that the same circle is always told in the same way.
#[must_use]
pub fn cycle(locks: &BTreeMap<String, LockTally>) -> Vec<(Tid, String)> {
    let mut wants: BTreeMap<Tid, Vec<(&str, Tid)>> = BTreeMap::new();
    for (name, lock) in locks.iter().filter(|(_, lock)| lock.inside.len() == 1) {
        for (waiter, _) in &lock.queue {
            let holders = lock.inside.iter().map(|(holder, _)| (name.as_str(), *holder));
            wants.entry(*waiter).or_default().extend(holders.filter(|(_, holder)| holder != waiter));
        }
    }
    let mut cleared = BTreeSet::new();
    for first in wants.keys() {
        let mut path: Vec<(Tid, &str)> = Vec::new();
        if close(*first, &wants, &mut cleared, &mut path) {
            let least = path.iter().enumerate().min_by_key(|(_, (tid, _))| *tid).map_or(0, |(at, _)| at);
            path.rotate_left(least);
            return path.into_iter().map(|(tid, lock)| (tid, lock.to_owned())).collect();
        }
    }
    Vec::new()
}

/// All who wait and can never go on: those of a circle, those who wait for one of them, and those who wait for what the dead
/// have. Nobody, if somebody who can go on will give each of them what it waits for.
#[must_use]
pub fn stuck(locks: &BTreeMap<String, LockTally>, is_dead: impl Fn(Tid) -> bool) -> BTreeSet<Tid> {
    let mut stuck: BTreeSet<Tid> = locks.values().flat_map(|lock| lock.queue.iter().map(|(tid, _)| *tid)).collect();
    loop {
        // Who waits for nothing that is had by those alone who never give it back can go on.
        let never = |lock: &LockTally| {
            !lock.inside.is_empty() && lock.inside.iter().all(|(tid, _)| is_dead(*tid) || stuck.contains(tid))
        };
        let waits_for_ever =
            |tid: &Tid| locks.values().any(|lock| never(lock) && lock.queue.iter().any(|(waiter, _)| waiter == tid));
        let left: BTreeSet<Tid> = stuck.iter().copied().filter(waits_for_ever).collect();
        if left.len() == stuck.len() {
            return left;
        }
        stuck = left;
    }
}

/// Follows who waits for whom from `at` on, depth first. True when the path has come back upon itself; what led to the circle
/// is cut off then.
fn close<'l>(
    at: Tid,
    wants: &BTreeMap<Tid, Vec<(&'l str, Tid)>>,
    cleared: &mut BTreeSet<Tid>,
    path: &mut Vec<(Tid, &'l str)>,
) -> bool {
    if let Some(begin) = path.iter().position(|(tid, _)| *tid == at) {
        path.drain(..begin);
        return true;
    }
    if cleared.contains(&at) {
        return false;
    }
    for (lock, holder) in wants.get(&at).into_iter().flatten() {
        path.push((at, lock));
        if close(*holder, wants, cleared, path) {
            return true;
        }
        path.pop();
    }
    cleared.insert(at);
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(inside: &[u32], queue: &[u32]) -> LockTally {
        let all = |tids: &[u32]| tids.iter().map(|tid| (Tid(*tid), Nanos::ZERO)).collect();
        LockTally { inside: all(inside), queue: all(queue), ..LockTally::default() }
    }

    fn found(locks: &[(&str, LockTally)]) -> Vec<(u32, String)> {
        let locks = locks.iter().map(|(name, lock)| ((*name).to_owned(), lock.clone())).collect();
        cycle(&locks).into_iter().map(|(tid, lock)| (tid.0, lock)).collect()
    }

    #[test]
    fn two_that_hold_what_the_other_wants_are_a_circle() {
        let circle = [(1, "2".to_owned()), (2, "1".to_owned())];
        assert_eq!(found(&[("1", lock(&[1], &[2])), ("2", lock(&[2], &[1]))]), circle);
        // Who waits at the circle, or is waited for by it, is not part of it.
        assert_eq!(found(&[("1", lock(&[1], &[9, 2])), ("2", lock(&[2], &[1])), ("3", lock(&[9], &[]))]), circle);
    }

    #[test]
    fn a_chain_is_no_circle() {
        assert_eq!(found(&[]), []);
        assert_eq!(found(&[("1", lock(&[1], &[2])), ("2", lock(&[2], &[3])), ("3", lock(&[3], &[4]))]), []);
        assert_eq!(found(&[("1", lock(&[1], &[1]))]), [], "who asks twice waits for itself, which is another fault");
    }

    #[test]
    fn philosophers_at_a_table_close_one_circle() {
        let names = ["a", "b", "c", "d", "e"];
        let table: Vec<_> = (0..5_u32).map(|n| (names[n as usize], lock(&[n], &[(n + 4) % 5]))).collect();
        let circle: Vec<_> = (0..5).map(|n| (n, names[(n as usize + 1) % 5].to_owned())).collect();
        assert_eq!(found(&table), circle);
        assert_eq!(found(&table[..4]), [], "one fork that nobody has ends it");
    }

    #[test]
    fn what_several_have_closes_no_circle() {
        assert_eq!(found(&[("1", lock(&[1, 3], &[2])), ("2", lock(&[2], &[1]))]), [], "3 may give it back");
    }

    #[test]
    fn stuck_are_the_circle_and_all_who_wait_for_it_or_for_the_dead() {
        let all = |locks: &[(&str, LockTally)], dead: u32| {
            let locks = locks.iter().map(|(name, lock)| ((*name).to_owned(), lock.clone())).collect();
            stuck(&locks, |tid| tid.0 == dead).into_iter().map(|tid| tid.0).collect::<Vec<_>>()
        };
        let circle = [("1", lock(&[1], &[9, 2])), ("2", lock(&[2], &[1])), ("3", lock(&[9], &[8]))];
        assert_eq!(all(&circle, 0), [1, 2, 8, 9]);
        let chain = [("1", lock(&[1], &[2])), ("2", lock(&[2], &[3]))];
        assert_eq!((all(&chain, 0), all(&chain, 1)), (vec![], vec![2, 3]), "it depends on whether 1 lives");
        assert_eq!(all(&[("1", lock(&[], &[2]))], 0), Vec::<u32>::new(), "it is free: 2 is about to have it");
        assert_eq!(all(&[("1", lock(&[1, 7], &[2]))], 1), Vec::<u32>::new(), "7 may give its place back");
    }

    #[test]
    fn the_longest_wait_may_still_last() {
        let mut lock = lock(&[1], &[2]);
        lock.visits.insert(Tid(3), Visits { longest: Nanos(7), ..Visits::default() });
        assert_eq!((lock.longest(Nanos(5)), lock.longest(Nanos(9))), (Nanos(7), Nanos(9)));
    }
}
