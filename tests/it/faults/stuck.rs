//! Demos that are stuck, each in a wait that nothing within it will ever end: they are gone as soon as somebody leaves them.

use super::common::{Lessons, below, leave, lesson, run, ui};
use crate::support::{Load, Patience, Pty, Surroundings, User, descendants};
use forklore::fact::{Fact, LockStep, Stamped};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// How soon such a demo is gone.
const SOON: Duration = Duration::from_secs(1);

/// How long a killed worker may take to be shown where it was killed, before the next one is tried.
const SHOWN: Duration = Duration::from_secs(3);

/// What makes it stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Itself: it says that there is nothing more to come.
    Itself,
    /// The end of a worker inside a lock that does not learn of it.
    DeadOwner,
}

/// A demo that gets stuck.
struct Stuck {
    demo: &'static str,
    params: &'static [(&'static str, &'static str)],
    by: By,
    /// What the screen says then.
    sign: &'static str,
}

const fn stuck(
    demo: &'static str,
    params: &'static [(&'static str, &'static str)],
    by: By,
    sign: &'static str,
) -> Stuck {
    Stuck { demo, params, by, sign }
}

const DEMOS: &[Stuck] = &[
    // Each stays inside long enough to be killed there.
    stuck("mutex", &[("as", "processes"), ("workers", "8"), ("hold", "5000")], By::DeadOwner, "died inside"),
    stuck("starvation", &[("as", "processes")], By::Itself, "As the lesson says"),
    stuck("starvation", &[("as", "threads")], By::Itself, "As the lesson says"),
    stuck("deadlock", &[("as", "processes")], By::Itself, "As the lesson says"),
    stuck("deadlock", &[("as", "threads")], By::Itself, "As the lesson says"),
];

/// Those that this program has.
fn demos() -> impl Iterator<Item = (usize, &'static Stuck)> {
    DEMOS.iter().filter(|stuck| forklore::demo::find(stuck.demo).is_some()).enumerate()
}

impl Stuck {
    fn what(&self) -> String {
        format!("{} {:?}", self.demo, self.params)
    }

    /// Its step of a lesson.
    fn step(&self) -> String {
        let mut step = format!("## Stuck: {}\nWords.\n\n```demo {}\n", self.demo, self.demo);
        for (name, value) in self.params {
            let value = if value.parse::<u64>().is_ok() { (*value).to_owned() } else { format!("\"{value}\"") };
            writeln!(step, "{name} = {value}").expect("a string grows");
        }
        step + "expect = {}\n```\n\n"
    }

    /// Does what makes it stuck, and waits until the screen says that it is.
    fn until_stuck(&self, pty: &Pty, ui: i32) {
        if self.by == By::Itself {
            pty.until(|screen| screen.contains(self.sign), &format!("that {} is stuck", self.what()));
            return;
        }
        // Who is inside is not known here: one after another is killed, until it was that one.
        loop {
            // Not their number: it may still be rising.
            let before: Vec<i32> = descendants(ui).iter().map(|process| process.pid).collect();
            pty.send("x");
            let gone = || {
                let now = descendants(ui);
                before.iter().any(|pid| now.iter().all(|process| process.pid != *pid)).then_some(())
            };
            let died = Patience::default().wait(gone);
            assert!(died.is_some(), "{}: nobody was killed: {}", self.what(), pty.screen());
            let inside = Patience(SHOWN).wait(|| pty.screen().contains(self.sign).then_some(()));
            if inside.is_some() {
                return;
            }
            assert!(pty.screen().contains("running "), "{}: all are dead: {}", self.what(), pty.screen());
            pty.send(".");
        }
    }
}

#[test]
fn a_stuck_demo_is_gone_when_the_learner_leaves() {
    let lessons = Lessons::empty();
    let steps: String = demos().map(|(_, stuck)| stuck.step()).collect();
    lessons.write("01-try.md", lesson("try", "Trying", &steps));
    for (n, stuck) in demos() {
        let users = User::all();
        let mut pty = lessons.tour(users[n % users.len()], &format!("try:{}", n + 1)).start();
        pty.until(|screen| screen.contains("Stuck: "), "the step");
        run(&pty);
        let ui = ui(&pty).pid;
        stuck.until_stuck(&pty, ui);
        let load = Load::watch();
        let left = Instant::now();
        pty.send("\x1b");
        let gone = Patience::default().wait(|| (below(ui) == 0).then_some(()));
        let took = left.elapsed();
        assert!(gone.is_some(), "{}: {:?}", stuck.what(), pty.children());
        load.assert_within(SOON, took, &format!("the end of {}", stuck.what()));
        println!("{}: gone after {took:?}", stuck.what());
        leave(&mut pty);
    }
}

/// The facts that a run writes, as they come.
fn facts(child: &mut Child) -> Receiver<Stamped> {
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let (send, facts) = mpsc::channel();
    let reader = std::thread::Builder::new().spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            let fact = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
            if send.send(fact).is_err() {
                return;
            }
        }
    });
    drop(reader.expect("a thread"));
    facts
}

/// The first of the facts that `is` so; all others are passed over.
#[track_caller]
fn first(facts: &Receiver<Stamped>, what: &str, is: impl Fn(&Fact) -> bool) -> Fact {
    let ends = Patience::default().ends();
    loop {
        let next = facts.recv_timeout(ends.saturating_duration_since(Instant::now()));
        let next = next.unwrap_or_else(|e| panic!("{what}: {e}")).fact;
        if is(&next) {
            return next;
        }
    }
}

#[test]
fn a_stuck_run_is_gone_at_a_signal() {
    for (n, stuck) in demos() {
        let users = User::all();
        let here = Surroundings::new(users[n % users.len()]);
        let words = stuck.params.iter().map(|(name, value)| format!("{name}={value}"));
        let args = ["run", stuck.demo, "--json", "--for", "600"].map(str::to_owned).into_iter().chain(words);
        let mut child = here.start(args);
        let facts = facts(&mut child);
        match stuck.by {
            By::Itself => {
                first(&facts, &stuck.what(), |fact| matches!(fact, Fact::Step { name } if name == "settled"));
            }
            By::DeadOwner => {
                let has = |fact: &Fact| matches!(fact, Fact::Lock { step: LockStep::Has, .. });
                let Fact::Lock { tid: owner, .. } = first(&facts, &stuck.what(), has) else {
                    unreachable!("asked for")
                };
                kill(Pid::from_raw(owner.0.try_into().expect("an id")), Signal::SIGKILL).expect("it lives");
                first(&facts, &stuck.what(), |fact| matches!(fact, Fact::Exit { tid, .. } if *tid == owner));
            }
        }
        let load = Load::watch();
        let asked = Instant::now();
        kill(Pid::from_raw(child.id().try_into().expect("a pid")), Signal::SIGTERM).expect("it is not reaped yet");
        let ended = Patience::default().wait(|| child.try_wait().expect("a child of ours"));
        let took = asked.elapsed();
        let ended = ended.unwrap_or_else(|| panic!("{}: SIGTERM did not end it", stuck.what()));
        assert_eq!(ended.code(), Some(128 + Signal::SIGTERM as i32), "{}", stuck.what());
        load.assert_within(SOON, took, &format!("the end of {}", stuck.what()));
        println!("{}: gone after {took:?}", stuck.what());
        let outcome = first(&facts, &stuck.what(), |fact| matches!(fact, Fact::Outcome(_)));
        assert!(matches!(&outcome, Fact::Outcome(outcome) if outcome.clean), "{}: {outcome:?}", stuck.what());
        here.marker.assert_gone(Patience::default());
    }
}
