//! Who is inside a lock and who waits for it, folded from what its users told.

use crate::fact::{LockStep, LockTally, Nanos, Tally, Tid};

/// Locks that are kept, and tasks at each: more than any demo has, so that a damaged stream cannot fill memory.
const MOST: usize = 256;

/// Entries that are remembered in order.
const MOST_ENTRIES: usize = 64;

/// A task asked for a lock, got it or gave it back. What comes twice, late or without its beginning is taken for what it says.
pub(super) fn apply(tally: &mut Tally, t: Nanos, tid: Tid, lock: &str, step: LockStep) {
    if tally.closing().is_some() {
        return;
    }
    if tally.locks.len() >= MOST && !tally.locks.contains_key(lock) {
        return;
    }
    let lock = tally.locks.entry(lock.to_owned()).or_default();
    if lock.visits.len() >= MOST && !lock.visits.contains_key(&tid) {
        return;
    }
    match step {
        LockStep::Wants => wants(lock, t, tid),
        LockStep::Has => has(lock, t, tid),
        LockStep::Leaves => leaves(lock, t, tid),
    }
}

/// The task ended: it waits no longer. What it had it has still, as far as the lock knows.
pub(super) fn ended(tally: &mut Tally, tid: Tid) {
    if tally.closing().is_some() {
        return;
    }
    tally.locks.values_mut().for_each(|lock| lock.queue.retain(|(waiter, _)| *waiter != tid));
}

fn wants(lock: &mut LockTally, t: Nanos, tid: Tid) {
    if lock.queue.iter().any(|(waiter, _)| *waiter == tid) {
        return;
    }
    lock.visits.entry(tid).or_default().asked += 1;
    lock.queue.push((tid, t));
    lock.most_waiting = lock.most_waiting.max(lock.queue.len());
}

fn has(lock: &mut LockTally, t: Nanos, tid: Tid) {
    end_wait(lock, t, tid);
    if lock.inside.iter().any(|(holder, _)| *holder == tid) {
        return;
    }
    lock.visits.entry(tid).or_default().got += 1;
    lock.inside.push((tid, t));
    lock.most_inside = lock.most_inside.max(lock.inside.len());
    lock.order.push(tid);
    if lock.order.len() > MOST_ENTRIES {
        lock.order.remove(0);
    }
}

fn end_wait(lock: &mut LockTally, t: Nanos, tid: Tid) {
    let Some(at) = lock.queue.iter().position(|(waiter, _)| *waiter == tid) else { return };
    let wait = t.since(lock.queue.remove(at).1);
    let visits = lock.visits.entry(tid).or_default();
    visits.waited = visits.waited + wait;
    visits.longest = visits.longest.max(wait);
}

fn leaves(lock: &mut LockTally, t: Nanos, tid: Tid) {
    // Who gives up waiting leaves the queue, and has had nothing.
    end_wait(lock, t, tid);
    if let Some(at) = lock.inside.iter().position(|(holder, _)| *holder == tid) {
        let (_, since) = lock.inside.remove(at);
        let visits = lock.visits.entry(tid).or_default();
        visits.held = visits.held + t.since(since);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Visits;
    use LockStep::{Has, Leaves, Wants};

    fn told(steps: &[(u64, u32, LockStep)]) -> LockTally {
        let mut tally = Tally::default();
        steps.iter().for_each(|(t, tid, step)| apply(&mut tally, Nanos(*t), Tid(*tid), "L", *step));
        tally.locks.remove("L").expect("told of")
    }

    #[test]
    fn waits_and_visits_add_up() {
        let steps =
            [(0, 1, Wants), (1, 1, Has), (2, 2, Wants), (3, 3, Wants), (9, 1, Leaves), (10, 2, Has), (20, 2, Leaves)];
        let lock = told(&steps);
        assert_eq!((&lock.inside[..], &lock.queue[..]), (&[][..], &[(Tid(3), Nanos(3))][..]));
        assert_eq!((lock.most_inside, lock.most_waiting, &lock.order[..]), (1, 2, &[Tid(1), Tid(2)][..]));
        let second = Visits { asked: 1, got: 1, waited: Nanos(8), longest: Nanos(8), held: Nanos(10) };
        assert_eq!(lock.visits[&Tid(2)], second);
        assert_eq!((lock.visits[&Tid(1)].held, lock.visits[&Tid(3)].got), (Nanos(8), 0));
        assert_eq!(lock.longest(Nanos(20)), Nanos(17));
    }

    #[test]
    fn locks_stay_as_they_were_when_the_demo_came_to_its_end() {
        let mut tally = Tally::default();
        [(1, Has), (2, Wants)].iter().for_each(|(tid, step)| apply(&mut tally, Nanos(1), Tid(*tid), "L", *step));
        let before = tally.locks.clone();
        tally.steps.push((Nanos(2), Tally::CLOSING.to_owned()));
        apply(&mut tally, Nanos(3), Tid(1), "L", Leaves);
        ended(&mut tally, Tid(2));
        assert_eq!(tally.locks, before, "who is sent off leaves and waits no longer; that is no part of the story");
    }

    #[test]
    fn several_inside_are_counted_and_giving_up_is_a_wait_and_no_visit() {
        let lock = told(&[(0, 1, Has), (1, 2, Has), (2, 3, Wants), (4, 3, Leaves), (5, 1, Leaves)]);
        assert_eq!((lock.most_inside, lock.inside.len(), lock.queue.len()), (2, 1, 0));
        let gave_up = Visits { asked: 1, waited: Nanos(2), longest: Nanos(2), ..Visits::default() };
        assert_eq!(lock.visits[&Tid(3)], gave_up);
    }

    #[test]
    fn what_comes_twice_counts_once() {
        let lock = told(&[(0, 1, Wants), (1, 1, Wants), (2, 1, Has), (3, 1, Has), (5, 1, Leaves), (6, 1, Leaves)]);
        let once = Visits { asked: 1, got: 1, waited: Nanos(2), longest: Nanos(2), held: Nanos(3) };
        assert_eq!((lock.visits[&Tid(1)], lock.most_inside), (once, 1));
    }

    #[test]
    fn the_dead_wait_no_longer_and_hold_on() {
        let mut tally = Tally::default();
        apply(&mut tally, Nanos(0), Tid(1), "L", Has);
        apply(&mut tally, Nanos(1), Tid(2), "L", Wants);
        ended(&mut tally, Tid(1));
        ended(&mut tally, Tid(2));
        assert_eq!((tally.locks["L"].inside.len(), tally.locks["L"].queue.len()), (1, 0));
    }

    #[test]
    fn a_damaged_stream_does_not_fill_memory() {
        let mut tally = Tally::default();
        for n in 0..2000 {
            apply(&mut tally, Nanos(0), Tid(1), &n.to_string(), Wants);
            apply(&mut tally, Nanos(0), Tid(n), "0", Has);
        }
        assert_eq!((tally.locks.len(), tally.locks["0"].visits.len()), (MOST, MOST));
        assert_eq!(tally.locks["0"].order.len(), MOST_ENTRIES);
    }
}
