//! What is done to a worker, and what comes of it.

use super::TABLE;
use super::worker::{self, ASK, CANCEL, READY, TERM};
use crate::demo::eye;
use crate::demo::script::{self, Over, pass, until};
use crate::fact::{As, Fact, Nanos, Pid, Tid, Unavailable};
use crate::stage::{Settings, Stage, Target, now};
use rustix::process::{Signal, WaitIdOptions};
use serde_json::{Value, json};
use std::ffi::CStr;
use std::time::{Duration, Instant};

/// The names of the workers, and of those that are threads for ps.
pub(super) const NAMES: [&str; super::COMPANY] = ["A", "B", "C"];
pub(super) const COMMS: [&CStr; super::COMPANY] = [c"forklore A", c"forklore B", c"forklore C"];

/// The rows that others must know by name.
pub(super) const CONTINUE: &str = "SIGCONT";
pub(super) const FLAG: &str = "a flag";
pub(super) const HANDLED: &str = "SIGTERM handled";
pub(super) const ASLEEP: &str = "cancel asleep";
pub(super) const BUSY: &str = "cancel busy";
pub(super) const POINT: &str = "a point at last";

/// A pause is measured so many times; the table has the median.
const ROUNDS: usize = 5;

/// Threads are told as workers from this number on, above all that are on by themselves. The number decides how a worker
/// looks, and there are eight looks: one more than twice eight, so that the first thread has not the look of its process.
const THREADS_FROM: u16 = 17;

/// How long a signal that cannot be refused is waited for.
const SURE: Duration = Duration::from_secs(2);

/// How long it is watched who goes on: at least, and at most while somebody who could has not run.
const WATCH: (Duration, Duration) = (Duration::from_millis(700), Duration::from_millis(2500));

/// How long a stopped one stays so, that it can be seen.
const STAND: Duration = Duration::from_millis(2000);

/// A row of the table.
pub(super) fn row(name: &str, values: Value) -> Fact {
    script::row(TABLE, name, values)
}

/// The workers of one way.
pub(super) struct Company {
    what: As,
    members: Vec<Member>,
    victim: usize,
    /// The cast's number of the process that the victim is, or is in.
    process: usize,
}

struct Member {
    tid: Tid,
    pid: Pid,
    number: usize,
}

/// The number of the first of `size` threads in the process with the number `before`.
fn first_thread(before: u16, size: usize) -> u16 {
    THREADS_FROM + before * u16::try_from(size).unwrap_or(1)
}

impl Company {
    /// Brings `size` workers on, as processes, or as threads of one that is not the leader.
    pub(super) fn raise(stage: &mut Stage, what: As, how: &str, size: usize) -> Result<Self, Over> {
        let settings = Settings::default();
        let (mut members, own_how) = (Vec::new(), how.to_owned());
        match what {
            As::Processes => {
                for name in if size == 1 { &NAMES[1..2] } else { &NAMES[..] } {
                    let how = own_how.clone();
                    let number =
                        stage.enter_named(name, what, &settings, move |worker| worker::process(worker, &how))?;
                    let Some(entry) = stage.cast().get(number) else { continue };
                    members.push(Member { tid: entry.tid, pid: entry.pid, number });
                }
            }
            As::Threads => {
                let before = u16::try_from(stage.cast().len()).unwrap_or(0);
                let slot = first_thread(before, size);
                let grace = Duration::from_millis(stage.values().get("grace").and_then(Value::as_u64).unwrap_or(500));
                let main = stage.enter_named("main", As::Processes, &settings, move |worker| {
                    worker::company(worker, &own_how, size, slot, grace);
                })?;
                members = Self::threads(stage, main, size)?;
            }
        }
        let victim = members.len() / 2;
        let process = members.get(victim).map_or(0, |member| member.number);
        Ok(Self { what, members, victim, process })
    }

    /// The threads of the process `main`, by the names that they gave themselves.
    fn threads(stage: &mut Stage, main: usize, size: usize) -> Result<Vec<Member>, Over> {
        until(stage, SURE, |stage| stage.work(main) >= READY)?;
        let pid = stage.cast().get(main).map_or(Pid(0), |entry| entry.pid);
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let mut named: Vec<(String, Tid)> = tasks
            .filter_map(|task| Some((task.path(), task.file_name().to_str()?.parse().ok().map(Tid)?)))
            .filter(|(_, tid)| tid.0 != pid.0)
            .map(|(path, tid)| (std::fs::read_to_string(path.join("comm")).unwrap_or_default(), tid))
            .collect();
        named.sort();
        if named.len() < size {
            let why = format!("{} of {size} came on", named.len());
            return Err(Unavailable::new("a company of threads", why).into());
        }
        Ok(named.into_iter().map(|(_, tid)| Member { tid, pid, number: main }).collect())
    }

    /// The cast's numbers of its processes.
    pub(super) fn numbers(&self) -> Vec<usize> {
        let mut numbers: Vec<_> = self.members.iter().map(|member| member.number).collect();
        numbers.dedup();
        numbers
    }

    fn of_threads(&self) -> bool {
        self.what == As::Threads
    }

    fn victim(&self) -> &Member {
        &self.members[self.victim]
    }

    fn letter(&self) -> char {
        eye::letter(self.victim().pid, self.victim().tid)
    }

    /// The letter of the victim's process, whose entry outlives its threads.
    fn letter_of_process(&self) -> char {
        eye::letter(self.victim().pid, Tid(self.victim().pid.0))
    }

    /// Sends a signal to the victim and nobody else: to the process, or to the one thread (tgkill(2)).
    fn signal(&self, target: &Target, signal: Signal) {
        if !self.of_threads() {
            // It is our child and not reaped; that it has ended is no error.
            let _ = target.signal(signal);
            return;
        }
        let _ = tgkill(self.victim().pid, self.victim().tid, signal);
    }
}

/// Sends a signal to one thread of a process that is this one, or a child that was not reaped.
fn tgkill(pid: Pid, tid: Tid, signal: Signal) -> std::io::Result<()> {
    let id = |n: u32| i32::try_from(n).unwrap_or(-1);
    // SAFETY: it takes numbers. The process is there, so its number is nobody else's, and the thread's number is looked for in
    // that process only.
    #[expect(unsafe_code, reason = "tgkill(2), the call that is shown")]
    let done = unsafe { libc::syscall(libc::SYS_tgkill, id(pid.0), id(tid.0), signal.as_raw()) };
    if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Does it, and tells what came of it.
pub(super) fn act(stage: &mut Stage, company: &Company, how: &str, grace: Duration) -> Result<(), Over> {
    let Some(target) = Target::open(company.victim().pid) else {
        return Err(
            Unavailable::new("a process to stop", "it has ended, or this kernel has no pidfd (Linux 5.3)").into()
        );
    };
    match how {
        "pause" => pause(stage, company, &target),
        "flag" if company.of_threads() => order_thread(stage, company, ASK, FLAG),
        "tidy" if company.of_threads() => order_thread(stage, company, TERM, HANDLED),
        "cancel" => order_thread(stage, company, CANCEL, ASLEEP),
        "no-point" => order_thread(stage, company, CANCEL, POINT),
        "flag" => deadly(stage, company, &target, FLAG, None, SURE),
        "tidy" => deadly(stage, company, &target, HANDLED, Some(Signal::TERM), SURE),
        "term" => deadly(stage, company, &target, "SIGTERM", Some(Signal::TERM), SURE),
        "ignore" => {
            deadly(stage, company, &target, "SIGTERM ignored", Some(Signal::TERM), grace)?;
            deadly(stage, company, &target, "SIGKILL after it", Some(Signal::KILL), SURE)
        }
        _ => deadly(stage, company, &target, "SIGKILL", Some(Signal::KILL), SURE),
    }
}

/// Stops the victim some times for the clock, then once for the eye; then lets it go on.
fn pause(stage: &mut Stage, company: &Company, target: &Target) -> Result<(), Over> {
    let pid = company.victim().pid;
    let stop = |keep| {
        let begun = now();
        company.signal(target, Signal::STOP);
        let change = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | keep;
        eye::change(pid, change, SURE).map(|(at, status)| (at.since(begun), status))
    };
    let go_on = |keep| {
        let begun = now();
        company.signal(target, Signal::CONT);
        let change = WaitIdOptions::CONTINUED | WaitIdOptions::EXITED | keep;
        eye::change(pid, change, SURE).map(|(at, status)| (at.since(begun), status))
    };
    let before = company.letter();
    let (mut stops, mut goes) = (Vec::new(), Vec::new());
    for _ in 1..ROUNDS {
        // Statuses that are taken here are not told: the learner would see a flicker.
        stops.extend(stop(WaitIdOptions::empty()).map(|(took, _)| took));
        goes.extend(go_on(WaitIdOptions::empty()).map(|(took, _)| took));
    }
    let Some((took, status)) = stop(WaitIdOptions::NOWAIT) else {
        return Err(Unavailable::new("a stopped process", "it did not stop within two seconds").into());
    };
    stops.push(took);
    let (told, signal) = eye::words(&status);
    let letter = company.letter();
    stage.tell(row(
        "SIGSTOP",
        json!({
            "ended": "nothing", "letters": eye::from_to(before, letter), "took": median(&mut stops), "n": stops.len(),
            "told": told, "signal": signal, "letter": letter,
        }),
    ));
    let watched = watch(stage, company, "SIGSTOP", STAND);
    let Some((took, status)) = go_on(WaitIdOptions::NOWAIT) else { return watched };
    watched?;
    goes.push(took);
    // It is continued before it has run: its letter comes when it does.
    pass(stage, Duration::from_millis(50))?;
    stage.tell(row(CONTINUE, json!({
        "ended": "nothing", "letters": eye::from_to(letter, company.letter()), "took": median(&mut goes), "n": goes.len(),
        "told": eye::words(&status).0, "alive": alive(company),
    })));
    Ok(())
}

fn median(all: &mut [Nanos]) -> Option<u64> {
    all.sort_unstable();
    all.get(all.len() / 2).map(|n| n.0)
}

/// Sends the victim a signal that may be deadly (or, without one, the order to leave), and waits for its process to end.
fn deadly(
    stage: &mut Stage,
    company: &Company,
    target: &Target,
    name: &str,
    signal: Option<Signal>,
    patience: Duration,
) -> Result<(), Over> {
    let before = company.letter();
    if !company.of_threads() {
        worker::struck_in_the_middle(|| stage.work(company.process));
    }
    let begun = now();
    match signal {
        Some(signal) => company.signal(target, signal),
        None => stage.order(company.process, crate::stage::Worker::HALT),
    }
    match eye::end(target, patience) {
        None => {
            let letter = company.letter();
            let (letters, told) = (eye::from_to(before, letter), format!("nothing, in {} ms", patience.as_millis()));
            stage.tell(row(name, json!({ "ended": "nothing", "letters": letters, "letter": letter, "told": told })));
        }
        Some((at, status)) => {
            // Not reaped yet: what the kernel still has of it is the entry.
            let (letter, left) = (company.letter_of_process(), eye::resident_kib(target.pid()));
            let (told, signal) = eye::words(&status);
            let half = (!company.of_threads()).then(|| stage.work(company.process) % 2 == 1);
            let threads = (company.of_threads() && signal.is_some()).then(|| eye::threads(target.pid()));
            stage.tell(row(name, json!({
                "ended": "process", "letters": eye::from_to(before, letter), "took": at.since(begun).0, "n": 1,
                "told": told, "signal": signal, "letter": letter, "left_kib": left, "half_made": half, "threads": threads,
            })));
        }
    }
    watch(stage, company, name, WATCH.0)
}

/// Has the main thread end the victim, which tells of it itself on the row `name`.
fn order_thread(stage: &mut Stage, company: &Company, order: u64, name: &str) -> Result<(), Over> {
    stage.order(company.process, order);
    until(stage, SURE + SURE, |stage| stage.work(company.process) == order)?;
    watch(stage, company, name, WATCH.0)
}

fn alive(company: &Company) -> usize {
    company.members.iter().filter(|member| !eye::is_over(eye::letter(member.pid, member.tid))).count()
}

/// Watches who goes on, and adds it to the row.
fn watch(stage: &mut Stage, company: &Company, name: &str, least: Duration) -> Result<(), Over> {
    let all = &company.members;
    let before: Vec<_> = all.iter().map(|member| eye::progress(member.pid, member.tid)).collect();
    let begun = Instant::now();
    loop {
        pass(stage, Duration::from_millis(20))?;
        let moved = |n: usize| eye::progress(all[n].pid, all[n].tid) > before[n];
        let able = |n: &usize| !matches!(eye::letter(all[*n].pid, all[*n].tid), 'T' | 't' | 'Z' | 'X' | '-');
        let waits = (0..all.len()).filter(able).any(|n| !moved(n));
        let time = begun.elapsed();
        if time >= WATCH.1 || (time >= least && !waits) {
            let went_on = (0..all.len()).filter(|n| moved(*n)).count();
            stage.tell(row(name, json!({ "went_on": went_on, "alive": alive(company) })));
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_finds_its_thread_and_no_other() {
        let own = (Pid(std::process::id()), Tid(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()));
        assert!(tgkill(own.0, own.1, Signal::CONT).is_ok());
        let stranger = tgkill(own.0, Tid(1), Signal::CONT).map_err(|error| error.raw_os_error());
        assert_eq!(stranger, Err(Some(libc::ESRCH)), "a thread of somebody else");
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(&mut [Nanos(9), Nanos(1), Nanos(5)]), Some(5));
        assert_eq!(median(&mut []), None);
    }

    #[test]
    fn no_thread_has_the_look_of_its_process() {
        const LOOKS: u16 = 8;
        for (before, size) in [(0, 3), (0, 1), (1, 1), (7, 1), (8, 1)] {
            let first = first_thread(before, size);
            let mut looks: Vec<u16> = (0..3).take(size).map(|n| (first + n) % LOOKS).collect();
            looks.push(before % LOOKS);
            looks.sort_unstable();
            looks.dedup();
            assert_eq!(looks.len(), size + 1, "{size} threads of process {before}");
        }
    }
}
