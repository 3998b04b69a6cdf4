//! The observers against this machine's own kernel: what they tell is compared with what the kernel counts.

use super::files::{Schedstat, Switches, TaskFile};
use super::{Accounts, Observer, allowed_cpus, attach_exact, attach_sampled, now};
use crate::fact::{Fact, Pid, Stamped, Tid, Unavailable, Why};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::signal::{Signal, killpg};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// However loaded the machine is, by then it has happened.
const DEADLINE: Duration = Duration::from_secs(60);

/// A shell script that waits for a line before it begins, pinned to one CPU. It must end when its input does.
struct Held {
    child: Child,
    said: String,
}

impl Held {
    fn new(script: &str) -> Self {
        let child = Command::new("sh")
            .args(["-c", &format!("read go; exec 3<&0; {script}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("sh starts");
        let mut one = CpuSet::new();
        one.set(allowed_cpus()[0].0 as usize).expect("a CPU below 1024");
        let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
        sched_setaffinity(pid, &one).expect("our own child is pinned");
        Self { child, said: String::new() }
    }

    fn pid(&self) -> Pid {
        Pid(self.child.id())
    }

    /// Writes the line that it waits for.
    fn release(&mut self) {
        self.child.stdin.as_mut().expect("piped").write_all(b"go\n").expect("it reads");
    }

    /// Hears what the script says within `longest`.
    fn listen(&mut self, longest: PollTimeout) {
        let stdout = self.child.stdout.as_mut().expect("piped");
        if poll(&mut [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)], longest).expect("polls") > 0 {
            let mut bytes = [0; 512];
            let n = stdout.read(&mut bytes).expect("reads");
            self.said.push_str(std::str::from_utf8(&bytes[..n]).expect("letters"));
        }
    }

    /// Drains until the script has said so many lines and each task of `asleep` is.
    fn watch(&mut self, observer: &mut dyn Observer, lines: usize, asleep: &[&str]) -> Vec<Stamped> {
        let (mut out, started) = (Vec::new(), Instant::now());
        while self.said.matches('\n').count() < lines || !asleep.iter().all(|name| sleeps(&self.said, name)) {
            assert!(started.elapsed() < DEADLINE, "it said only {:?}", self.said);
            self.listen(PollTimeout::try_from(observer.interval()).expect("short"));
            observer.drain(&mut out);
        }
        observer.finish(&mut out);
        out
    }

    /// Ends the input, and with it the script.
    fn end(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("reaped");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Its own group, and its leader not yet reaped: unless `end` did, when there is nothing left to end.
        if matches!(self.child.try_wait(), Ok(None)) {
            killpg(nix::unistd::Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL).ok();
            drop(self.child.wait());
        }
    }
}

/// The task that said "`name` PID".
fn said_pid(said: &str, name: &str) -> u32 {
    let line = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {said:?}")).parse().expect("a pid")
}

fn sleeps(said: &str, name: &str) -> bool {
    let pid = said_pid(said, name);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it is alive");
    stat.rsplit_once(')').expect("a stat").1.starts_with(" S")
}

/// What the kernel counts of a sleeping task.
fn counted(pid: u32) -> (Schedstat, Switches) {
    let mut buffer = Vec::new();
    let mut read = |name| {
        let file = TaskFile::open(pid, pid, name).expect("it is alive");
        file.read(&mut buffer).expect("read").to_vec()
    };
    let schedstat = Schedstat::parse(&read("schedstat")).expect("schedstat");
    (schedstat, Switches::parse(&read("status")).expect("status"))
}

/// What the facts tell of a task: time on CPUs, switch-outs that were voluntary, and that were not.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    ran: u64,
    voluntary: u64,
    involuntary: u64,
}

fn told(facts: &[Stamped], tid: u32) -> Told {
    let (mut told, mut since) = (Told::default(), None);
    for Stamped { t, fact } in facts {
        match fact {
            Fact::In { tid: who, .. } if who.0 == tid => since = Some(*t),
            Fact::Out { tid: who, why, .. } if who.0 == tid => {
                told.ran += since.take().map_or(0, |from| t.since(from).0);
                match why {
                    Why::Preempted => told.involuntary += 1,
                    Why::Blocked | Why::Unknown => told.voluntary += 1,
                }
            }
            _ => {}
        }
    }
    told
}

fn lost(facts: &[Stamped]) -> u64 {
    facts.iter().map(|f| if let Fact::Lost { records } = f.fact { records } else { 0 }).sum()
}

fn tasks(facts: &[Stamped]) -> HashMap<u32, (u32, u32, String)> {
    let task = |f: &Stamped| match &f.fact {
        Fact::Task { tid, pid, parent, name, .. } => Some((tid.0, (pid.0, *parent, name.clone()))),
        _ => None,
    };
    facts.iter().filter_map(task).collect()
}

/// The observer, or none where the kernel refuses and that is allowed.
fn or_skip(attached: Result<Box<dyn Observer>, Unavailable>) -> Option<Box<dyn Observer>> {
    let required = std::env::var_os("FORKLORE_REQUIRE_KERNEL").is_some_and(|v| v == "1");
    match attached {
        Ok(observer) => Some(observer),
        Err(refused) if required => panic!("{refused}"),
        Err(refused) => {
            println!("SKIP: {refused}");
            None
        }
    }
}

/// Two that spin for a while, say who they are, and sleep until the end.
const SPIN: &str =
    "spin() { i=0; while [ $i -lt 500000 ]; do i=$((i+1)); done; echo $1 $(exec sh -c 'echo $PPID'); read end; }
    for name in A B; do spin $name <&3 & done; wait";

/// Two that pass a ball to and fro, and say who they are when it is over.
const PLAY: &str = "mkfifo ping pong; exec 4<>ping 5<>pong
    (while read ball <&4; do echo >&5; done) & other=$!
    echo >&4; i=0; while [ $i -lt 20000 ]; do read ball <&5; echo >&4; i=$((i+1)); done
    echo A $$; echo B $other";

#[test]
fn switches_and_time_are_those_that_the_kernel_counts() {
    let mut held = Held::new(SPIN);
    let Some(mut observer) = or_skip(attach_exact(held.pid())) else { return };
    held.release();
    let facts = held.watch(&mut *observer, 2, &["A", "B"]);
    assert_eq!(lost(&facts), 0);
    assert!(facts.is_sorted_by_key(|f| f.t));
    for name in ["A", "B"] {
        let pid = said_pid(&held.said, name);
        let (schedstat, switches) = counted(pid);
        let told = told(&facts, pid);
        println!("{name}: {told:?} {switches:?} {schedstat:?}");
        assert!(told.voluntary.abs_diff(switches.voluntary) <= 1, "{told:?} {switches:?}");
        assert!(told.involuntary.abs_diff(switches.involuntary) <= 1, "{told:?} {switches:?}");
        // A lane is some microseconds a turn longer than schedstat (ARCHITECTURE.md, known limits), which tells with many turns.
        let allowed = (schedstat.ran / 100).max(10_000 * schedstat.turns);
        assert!(told.ran.abs_diff(schedstat.ran) <= allowed, "{told:?} {schedstat:?}");
        assert!(switches.involuntary > 10, "two that spin on one core are pushed off: {switches:?}");
    }
    held.end();
}

#[test]
fn a_ping_pong_is_kept_up_with_or_its_loss_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut held = Held::new(&format!("cd {}; {PLAY}; read end <&3; kill $other", folder.path().display()));
    let Some(mut observer) = or_skip(attach_exact(held.pid())) else { return };
    let (_, before) = counted(held.pid().0);
    held.release();
    // The other player still plays the last ball: only the first is asleep for certain.
    let facts = held.watch(&mut *observer, 2, &["A"]);
    let (_, after) = counted(held.pid().0);
    let counted = after.voluntary - before.voluntary + after.involuntary - before.involuntary;
    let told = told(&facts, held.pid().0);
    let seen = told.voluntary + told.involuntary;
    println!("{seen} of {counted} switch-outs seen, {} records lost", lost(&facts));
    assert!(counted > 10_000, "it plays: {counted}");
    assert!(seen <= counted + 1);
    if lost(&facts) == 0 {
        assert!(seen.abs_diff(counted) <= 1, "nothing is said to be lost, but {seen} of {counted} were seen");
    }
    held.end();
}

/// A game of which nothing is read until it is over: the ring holds a fifth of it.
fn overflown(folder: &tempfile::TempDir) -> Option<(Held, Box<dyn Observer>, Vec<Stamped>)> {
    let script = format!("cd {}; {PLAY}; read on <&3; echo C; read end <&3; kill $other", folder.path().display());
    let mut held = Held::new(&script);
    let mut observer = or_skip(attach_exact(held.pid()))?;
    held.release();
    while !held.said.contains('B') {
        held.listen(PollTimeout::NONE);
    }
    while !sleeps(&held.said, "A") {
        thread::yield_now();
    }
    let mut facts = Vec::new();
    observer.drain(&mut facts);
    Some((held, observer, facts))
}

#[test]
fn an_overflow_is_told_at_the_moment_at_which_the_ring_was_full() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some((mut held, mut observer, mut facts)) = overflown(&folder) else { return };
    let full_at = facts.last().expect("a full ring").t;
    held.release();
    facts.extend(held.watch(&mut *observer, 3, &["A"]));
    assert!(lost(&facts) > 10_000, "{}", lost(&facts));
    assert!(facts.is_sorted_by_key(|f| f.t));
    let losses: Vec<_> = facts.iter().filter(|f| matches!(f.fact, Fact::Lost { .. })).map(|f| f.t).collect();
    assert_eq!(losses, [full_at]);
    held.end();
}

#[test]
fn an_overflow_with_nothing_after_it_is_told_at_the_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some((held, mut observer, mut facts)) = overflown(&folder) else { return };
    assert_eq!(lost(&facts), 0, "the kernel has not told yet");
    observer.finish(&mut facts);
    let told = lost(&facts);
    assert!(told > 10_000 || told == 1, "how many is known since Linux 6.0, that there are some always: {told}");
    held.end();
}

#[test]
fn exact_records_tell_of_threads_their_names_and_their_end() {
    let me = nix::unistd::gettid().as_raw().cast_unsigned();
    let Some(mut observer) = or_skip(attach_exact(Pid(me))) else { return };
    let body = || nix::unistd::gettid().as_raw().cast_unsigned();
    let thread = thread::Builder::new().name("apprentice".into()).spawn(body).expect("a thread");
    let tid = thread.join().expect("it ends");
    let (mut facts, started) = (Vec::new(), Instant::now());
    // join returns when the kernel clears the thread's word in memory; its exit record comes soon after.
    let ended = |f: &Stamped| matches!(f.fact, Fact::Exit { tid: who, .. } if who == Tid(tid));
    while !facts.iter().any(ended) {
        assert!(started.elapsed() < DEADLINE, "{facts:?}");
        thread::sleep(observer.interval());
        observer.drain(&mut facts);
    }
    let pid = std::process::id();
    assert_eq!(tasks(&facts)[&tid], (pid, pid, "apprentice".to_owned()));
    let mine =
        |f: &&Stamped| matches!(f.fact, Fact::In { tid: who, .. } | Fact::Out { tid: who, .. } if who == Tid(tid));
    assert!(facts.iter().rfind(mine).is_some_and(|f| matches!(f.fact, Fact::Out { .. })), "{facts:?}");
}

#[test]
fn a_task_that_is_gone_cannot_be_watched() {
    let mut child = Command::new("true").spawn().expect("true starts");
    child.wait().expect("reaped");
    let pid = Pid(child.id());
    assert!(attach_exact(pid).is_err());
    assert!(attach_sampled(pid, 60).is_err());
}

#[test]
fn samples_find_forks_and_draw_the_share_that_each_ran() {
    let mut held = Held::new(SPIN);
    let Some(mut observer) = or_skip(attach_sampled(held.pid(), 100)) else { return };
    assert_eq!(observer.hz(), Some(100));
    held.release();
    let released = now();
    let facts = held.watch(&mut *observer, 2, &["A", "B"]);
    let lasted = now().since(released).0;
    for name in ["A", "B"] {
        let pid = said_pid(&held.said, name);
        assert_eq!(tasks(&facts)[&pid], (pid, held.pid().0, "sh".to_owned()));
        let (drawn, ran) = (told(&facts, pid).ran, counted(pid).0.ran);
        println!("{name}: drawn {drawn}, ran {ran}, all {lasted}");
        assert!(drawn.abs_diff(ran) < lasted / 4, "{name}: drawn {drawn}, ran {ran} of {lasted}");
    }
    let certain = facts.iter().any(|f| matches!(f.fact, Fact::Out { why: Why::Preempted | Why::Blocked, .. }));
    assert!(!certain, "a sample cannot know why");
    held.end();
}

#[test]
fn samples_find_threads_and_miss_them_when_they_are_gone() {
    let Some(mut observer) = or_skip(attach_sampled(Pid(std::process::id()), 100)) else { return };
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let body = move || ended.recv().is_err();
    let thread = thread::Builder::new().name("apprentice".into()).spawn(body).expect("a thread");
    let (mut facts, started) = (Vec::new(), Instant::now());
    let mut drain_until = |facts: &mut Vec<Stamped>, done: &dyn Fn(&[Stamped]) -> bool| {
        while !done(facts) {
            assert!(started.elapsed() < DEADLINE, "{facts:?}");
            thread::sleep(observer.interval());
            observer.drain(facts);
        }
    };
    let named =
        |facts: &[Stamped]| tasks(facts).into_iter().find(|(_, task)| task.2 == "apprentice").map(|(tid, _)| tid);
    drain_until(&mut facts, &|facts| named(facts).is_some());
    let tid = named(&facts).expect("found");
    drop(end);
    thread.join().expect("it ends");
    drain_until(&mut facts, &|facts| {
        facts.iter().any(|f| matches!(f.fact, Fact::Exit { tid: who, .. } if who == Tid(tid)))
    });
}

#[test]
fn accounts_end_at_the_kernels_own_totals() {
    let mut held = Held::new("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo A $$; read end <&3");
    let Some(mut observer) = or_skip(attach_sampled(held.pid(), 60)) else { return };
    let mut accounts = Accounts::default();
    assert!(accounts.note(held.pid(), Tid(held.pid().0)));
    held.release();
    held.watch(&mut *observer, 1, &["A"]);
    let mut facts = Vec::new();
    accounts.drain(&mut facts);
    let (s, n) = counted(held.pid().0);
    let Fact::Counters { voluntary, involuntary, ran, waited, turns, .. } = facts[0].fact else { panic!("{facts:?}") };
    assert_eq!((voluntary, involuntary, ran, waited, turns), (n.voluntary, n.involuntary, s.ran, s.waited, s.turns));
    held.end();
}
