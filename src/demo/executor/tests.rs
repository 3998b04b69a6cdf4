//! Each step of a future, and what happens where several want it.

use super::*;
use crate::fact::Nanos;

fn hall() -> Hall {
    Hall::new().expect("shared memory")
}

#[test]
fn a_future_goes_from_pending_to_running_to_finished() {
    let hall = hall();
    let future = hall.add(91, Nanos(5)).expect("there is room");
    assert_eq!((hall.record(future).state, hall.record(future).answer()), (State::Pending, None));
    assert_eq!(hall.take(2, Nanos(7)), Some(future));
    let running = hall.record(future);
    assert_eq!((running.state, running.worker, running.began), (State::Running(2), Some(2), Some(Nanos(7))));
    assert!(running.is_running() && !running.is_done() && running.answer().is_none());
    hall.finish(future, Ok(13), Nanos(9), Nanos(2));
    let finished = hall.record(future);
    assert_eq!((finished.answer(), finished.ended, finished.worker), (Some(Ok(13)), Some(Nanos(9)), Some(2)));
    assert!(finished.is_done() && !finished.is_running());
}

#[test]
fn what_is_pending_is_cancelled_and_what_runs_is_not() {
    let hall = hall();
    let [first, second] = [1, 2].map(|n| hall.add(n, Nanos(1)).expect("there is room"));
    assert_eq!(hall.take(0, Nanos(2)), Some(first));
    assert_eq!((hall.cancel(first), hall.cancel(second), hall.cancel(second)), (false, true, false));
    assert_eq!(hall.record(second).answer(), Some(Err(Missing::Cancelled)));
    assert_eq!(hall.take(1, Nanos(3)), None, "nobody begins what was cancelled");
    hall.finish(first, Err(7), Nanos(4), Nanos(1));
    assert_eq!(hall.record(first).answer(), Some(Err(Missing::Failed(7))));
    assert!(!hall.cancel(first), "it is finished");
}

#[test]
fn a_task_of_a_worker_that_ended_has_no_answer() {
    let hall = hall();
    let futures = [1, 2, 3].map(|n| hall.add(n, Nanos(1)).expect("there is room"));
    assert_eq!([hall.take(0, Nanos(2)), hall.take(1, Nanos(2))], [Some(futures[0]), Some(futures[1])]);
    hall.bereave(1, Nanos(3));
    let answers = futures.map(|future| hall.record(future).answer());
    assert_eq!(answers, [None, Some(Err(Missing::Broken)), None]);
    assert_eq!(hall.take(0, Nanos(4)), Some(futures[2]), "the others go on");
}

#[test]
fn what_nobody_is_left_to_begin_is_not_cancelled_but_broken() {
    let hall = hall();
    let [first, second] = [1, 2].map(|n| hall.add(n, Nanos(1)).expect("there is room"));
    assert_eq!(hall.take(0, Nanos(2)), Some(first));
    hall.finish(first, Ok(1), Nanos(3), Nanos(1));
    hall.abandon(Nanos(9));
    let (done, left) = (hall.record(first), hall.record(second));
    assert_eq!((done.answer(), done.ended, done.cpu), (Some(Ok(1)), Some(Nanos(3)), Some(Nanos(1))));
    assert_eq!((left.state, left.answer(), left.worker), (State::Finished, Some(Err(Missing::Abandoned)), None));
}

#[test]
fn each_task_is_taken_by_one_however_many_want_it() {
    let hall = hall();
    let all: Vec<_> = (0..MOST as u64).map(|n| hall.add(n, Nanos(1)).expect("there is room")).collect();
    assert_eq!(hall.add(0, Nanos(1)), None, "there is no room for more");
    let taken: Vec<Future> = std::thread::scope(|scope| {
        let take = |number| {
            let hall = &hall;
            scope.spawn(move || std::iter::from_fn(|| hall.take(number, Nanos(2))).collect::<Vec<_>>())
        };
        let workers: Vec<_> = (0..4).map(take).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    let mut sorted = taken.clone();
    sorted.sort();
    assert_eq!(sorted, all);
    hall.clear();
    assert_eq!(hall.futures().count(), 0);
}

#[test]
fn only_as_many_workers_as_are_let_take_tasks() {
    let hall = hall();
    let future = hall.add(1, Nanos(1));
    hall.set_open(2);
    assert_eq!((hall.take(2, Nanos(2)), hall.take(1, Nanos(2))), (None, future));
}

#[test]
fn who_waits_for_an_answer_is_woken_or_has_waited_long_enough() {
    let executor = Executor::new().expect("shared memory");
    let future = executor.submit(4).expect("there is room");
    assert_eq!(executor.result(future, Duration::from_millis(1)), Err(Missing::TimedOut));
    let hall = Arc::clone(&executor.hall);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let taken = hall.take(0, now()).expect("it is there");
            hall.finish(taken, Ok(2), now(), Nanos(1));
        });
        assert_eq!(executor.result(future, Duration::from_secs(120)), Ok(2));
    });
    assert!(executor.clear());
    executor.submit(5);
    assert!(!executor.clear(), "one is not done");
    executor.shut_down();
    assert!(executor.hall.is_closed());
}
