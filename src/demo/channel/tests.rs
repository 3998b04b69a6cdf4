//! Every way, between threads and between processes: messages arrive whole, ends are told, nothing is left.

use super::names::{is_left, leavings};
use super::{Level, Link, Side, Unit, Way};
use crate::fact::{As, Unavailable};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(120);

/// Held by each test that opens something: a child that another forks meanwhile would have copies of the ends, and the end
/// of a file would not come before that child's.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child that runs `body` and ends with 0 if it came to its end.
fn child(body: impl FnOnce()) -> Pid {
    // SAFETY: the child uses what it has and ends by `_exit`; the C library's own locks are given back over a fork.
    #[expect(unsafe_code, reason = "fork")]
    match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            // SAFETY: _exit(2) takes any code and does not return.
            #[expect(unsafe_code, reason = "_exit in a forked child")]
            unsafe {
                libc::_exit(i32::from(ended.is_err()))
            }
        }
    }
}

fn ended(pid: Pid) -> WaitStatus {
    waitpid(pid, None).expect("a child of ours")
}

fn well(pid: Pid) -> bool {
    ended(pid) == WaitStatus::Exited(pid, 0)
}

fn thread(body: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()> {
    std::thread::Builder::new().spawn(body).expect("a thread")
}

/// Both kinds, where a way has both.
fn kinds(way: Way) -> &'static [As] {
    if way == Way::Queue { &[As::Threads] } else { &[As::Threads, As::Processes] }
}

/// Opens a link, or says why not where the machine may well not have it.
fn opened(way: Way, what: As, size: usize) -> Option<Arc<Link>> {
    match way.open(what, size) {
        Ok(link) => Some(Arc::new(link)),
        Err(refused) if matches!(way, Way::Mqueue | Way::Tcp) => {
            println!("SKIP: {refused}");
            None
        }
        Err(refused) => panic!("{refused}"),
    }
}

/// Plays the two sides, each in a task of its own, and waits for both.
fn play(
    link: &Arc<Link>,
    what: As,
    left: impl FnOnce(&Link) + Send + 'static,
    right: impl FnOnce(&Link) + Send + 'static,
) {
    match what {
        As::Processes => {
            let (left, right) = (child(|| left(link)), child(|| right(link)));
            link.leave();
            assert!(well(left), "the left side");
            assert!(well(right), "the right side");
        }
        As::Threads => {
            let (to_left, to_right) = (Arc::clone(link), Arc::clone(link));
            let (left, right) = (thread(move || left(&to_left)), thread(move || right(&to_right)));
            left.join().expect("the left side");
            right.join().expect("the right side");
        }
    }
}

/// A message that is nowhere like itself.
fn message(size: usize, round: usize) -> Vec<u8> {
    let byte = |n: usize| u8::try_from((n * 31 + n / 251 + round * 7) % 256).expect("below 256");
    (0..size).map(byte).collect()
}

#[test]
fn messages_of_every_size_arrive_whole_in_both_directions() {
    let _alone = alone();
    for way in Way::ALL {
        for size in [1, 4, 8, 64, 4096, 65_536, 100_000].into_iter().filter(|size| *size <= way.most()) {
            for what in kinds(way) {
                let Some(link) = opened(way, *what, size) else { continue };
                let left = move |link: &Link| {
                    link.take(Side::Left).expect("its side");
                    let mut answer = vec![0; size];
                    for round in 0..5 {
                        link.send(Side::Left, &message(size, round)).expect("a reader");
                        assert_eq!(link.receive(Side::Left, &mut answer).expect("an answer"), size);
                        assert_eq!(answer, message(size, round + 1), "{way:?}, {size}, {round}");
                    }
                    link.hang_up(Side::Left);
                };
                let right = move |link: &Link| {
                    link.take(Side::Right).expect("its side");
                    let mut found = vec![0; size];
                    for round in 0..5 {
                        assert_eq!(link.receive(Side::Right, &mut found).expect("a message"), size);
                        assert_eq!(found, message(size, round), "{way:?}, {size}, {round}");
                        link.send(Side::Right, &message(size, round + 1)).expect("a reader");
                    }
                    let over = link.receive(Side::Right, &mut found).expect_err("the other has hung up");
                    assert_eq!(over.kind(), ErrorKind::UnexpectedEof, "{way:?}");
                    let kernel = if matches!(way, Way::Shm | Way::Queue) { 0 } else { 10 * size as u64 };
                    assert_eq!(link.moved(Side::Right), kernel, "{way:?}");
                };
                play(&link, *what, left, right);
            }
        }
    }
}

#[test]
fn what_was_sent_before_the_end_is_received_first() {
    let _alone = alone();
    for way in Way::ALL {
        for what in kinds(way) {
            let Some(link) = opened(way, *what, 8) else { continue };
            let left = |link: &Link| {
                link.take(Side::Left).expect("its side");
                (0..3).for_each(|round| link.send(Side::Left, &message(8, round)).expect("room"));
                link.hang_up(Side::Left);
            };
            let right = move |link: &Link| {
                link.take(Side::Right).expect("its side");
                let mut found = [0; 8];
                for round in 0..3 {
                    link.receive(Side::Right, &mut found).expect("a message");
                    assert_eq!(found[..], message(8, round), "{way:?}");
                }
                assert!(link.receive(Side::Right, &mut found).is_err(), "{way:?}");
            };
            play(&link, *what, left, right);
        }
    }
}

#[test]
fn who_waits_for_room_is_told_that_the_reader_has_gone() {
    let _alone = alone();
    for way in Way::ALL.into_iter().filter(|way| *way != Way::Signal) {
        let size = 4096.min(way.most());
        for what in kinds(way) {
            let Some(link) = opened(way, *what, size) else { continue };
            let left = move |link: &Link| {
                link.take(Side::Left).expect("its side");
                let broken = (0..100_000).find_map(|round| link.send(Side::Left, &message(size, round)).err());
                // A connection that is reset says so instead (tcp(7)).
                let kind = broken.map(|error| error.kind());
                assert!(matches!(kind, Some(ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)), "{way:?}: {kind:?}");
            };
            let right = move |link: &Link| {
                link.take(Side::Right).expect("its side");
                let mut found = vec![0; size];
                link.receive(Side::Right, &mut found).expect("a message");
                link.hang_up(Side::Right);
            };
            play(&link, *what, left, right);
        }
    }
}

#[test]
fn the_leader_can_hang_up_for_one_that_was_killed() {
    let _alone = alone();
    for way in Way::ALL.into_iter().filter(|way| *way != Way::Queue) {
        let Some(link) = opened(way, As::Processes, 8) else { continue };
        let left = child(|| {
            link.take(Side::Left).expect("its side");
            link.send(Side::Left, &message(8, 0)).expect("room");
            loop {
                nix::unistd::pause();
            }
        });
        let right = child(|| {
            link.take(Side::Right).expect("its side");
            link.receive(Side::Right, &mut [0; 8]).expect("a message");
            kill(left, Signal::SIGKILL).expect("it lives");
            let over = link.receive(Side::Right, &mut [0; 8]).expect_err("it is dead");
            assert_eq!(over.kind(), ErrorKind::UnexpectedEof, "{way:?}");
        });
        assert_eq!(ended(left), WaitStatus::Signaled(left, Signal::SIGKILL, false));
        link.hang_up(Side::Left);
        link.leave();
        assert!(well(right), "{way:?}");
    }
}

#[test]
fn the_level_rises_and_falls() {
    let _alone = alone();
    for way in Way::ALL {
        let Some(link) = opened(way, kinds(way)[0], 8) else { continue };
        let level = |to| link.level(to).expect("an end to ask at");
        let by = |level: Level, messages: u64| match (level.unit, way) {
            (Unit::Messages, _) => messages,
            // A frame has a head.
            (Unit::Bytes, Way::Rpc) => messages * (8 + super::rpc::HEAD as u64),
            (Unit::Bytes, _) => messages * 8,
        };
        link.take(Side::Left).expect("its side");
        link.take(Side::Right).expect("its side, in the same thread");
        for messages in [1, 2] {
            link.send(Side::Left, &message(8, 0)).expect("room");
            // What TCP carries is there a moment later.
            let begun = Instant::now();
            while level(Side::Right).now != by(level(Side::Right), messages) && begun.elapsed() < PATIENCE {}
            assert_eq!(level(Side::Right).now, by(level(Side::Right), messages), "{way:?}");
            assert_eq!(level(Side::Left).now, 0, "{way:?}");
        }
        (0..2).for_each(|_| assert_eq!(link.receive(Side::Right, &mut [0; 8]).expect("a message"), 8));
        assert_eq!(level(Side::Right).now, 0, "{way:?}");
        assert!(level(Side::Right).capacity.is_none_or(|room| room >= 8), "{way:?}");
    }
}

#[test]
fn who_waits_is_woken_by_a_message_and_takes_nothing_and_by_the_end() {
    let _alone = alone();
    for way in Way::ALL {
        for what in kinds(way) {
            let Some(link) = opened(way, *what, 8) else { continue };
            let left = |link: &Link| {
                link.take(Side::Left).expect("its side");
                link.send(Side::Left, &message(8, 0)).expect("room");
                // The end comes when the other has answered, and so waits for it or soon will.
                link.receive(Side::Left, &mut [0; 8]).expect("an answer");
                link.hang_up(Side::Left);
            };
            let right = move |link: &Link| {
                link.take(Side::Right).expect("its side");
                (0..2).for_each(|_| link.wait(Side::Right).expect("something comes"));
                let mut found = [0; 8];
                link.receive(Side::Right, &mut found).expect("it was left where it was");
                assert_eq!(found[..], message(8, 0), "{way:?}");
                link.send(Side::Right, &found).expect("a reader");
                link.wait(Side::Right).expect("the end wakes too");
                assert!(link.receive(Side::Right, &mut found).is_err(), "{way:?}");
            };
            play(&link, *what, left, right);
        }
    }
}

#[test]
fn a_message_must_fit() {
    let _alone = alone();
    for way in Way::ALL {
        let refused = |size| way.open(As::Threads, size).expect_err("too much or nothing").to_string();
        assert!(refused(0).contains("not 0"), "{way:?}");
        assert!(refused(way.most() + 1).contains(&format!("1 to {} bytes", way.most())), "{way:?}");
    }
    let refused: Unavailable = Way::Queue.open(As::Processes, 8).expect_err("no memory in common");
    assert!(refused.remedy.is_some());
}

/// The names of a process that are still there.
fn left_by(pid: Pid) -> Vec<String> {
    let mine = format!("forklore-talk-{pid}-");
    let folders = [std::env::temp_dir(), "/dev/mqueue".into()];
    let names = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    names.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name.starts_with(&mine)).collect()
}

#[test]
fn no_name_outlives_the_opening() {
    let _alone = alone();
    for way in [Way::Fifo, Way::Mqueue] {
        let pid = child(|| {
            let link = opened(way, As::Processes, 64);
            assert_eq!(left_by(Pid::this()), [""; 0]);
            if link.is_some() {
                kill(Pid::this(), Signal::SIGKILL).expect("oneself");
            }
        });
        ended(pid);
        assert_eq!(left_by(pid), [""; 0], "{way:?}");
    }
}

#[test]
fn what_a_killed_program_left_is_swept_by_the_next() {
    let _alone = alone();
    let pid = child(|| {});
    assert!(well(pid));
    let name = format!("forklore-talk-{pid}-1-0123456789abcdef");
    let folder = std::env::temp_dir().join(&name);
    std::fs::create_dir(&folder).expect("a folder for temporary files");
    std::fs::write(folder.join("there"), "").expect("a file");
    drop(opened(Way::Fifo, As::Threads, 64));
    assert!(!folder.exists());
    let attr = nix::mqueue::MqAttr::new(0, 1, 8, 0);
    let flags = nix::mqueue::MQ_OFlag::O_CREAT | nix::mqueue::MQ_OFlag::O_RDWR;
    let mode = nix::sys::stat::Mode::S_IRUSR;
    if let Ok(queue) = nix::mqueue::mq_open(format!("/{name}").as_str(), flags, mode, Some(&attr)) {
        nix::mqueue::mq_close(queue).expect("it was open");
        if Path::new("/dev/mqueue").join(&name).exists() {
            drop(opened(Way::Mqueue, As::Threads, 64));
            assert_eq!(leavings(Path::new("/dev/mqueue")).len(), 0);
        } else {
            println!("SKIP: /dev/mqueue is not mounted, so queues cannot be listed");
            nix::mqueue::mq_unlink(format!("/{name}").as_str()).expect("it is there");
        }
    }
}

#[test]
fn names_of_the_living_and_of_others_are_left_alone() {
    let _alone = alone();
    let own = super::names::unique().expect("/proc");
    assert!(!is_left(&own));
    for other in ["", "forklore-talk", "forklore-talk-", "forklore-talk-x-1-2", "forklore-talker-999999999-1-2"] {
        assert!(!is_left(other), "{other}");
    }
    assert!(is_left(&format!("forklore-talk-{}-1-2", std::process::id())), "a number used again");
}
