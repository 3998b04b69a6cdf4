//! Every demo started and left again and again, at moments that nobody chose: nothing is left, nothing grows, and no name
//! stays in the places that all programs share.

use super::common::{Dice, Lessons, below, descriptors, leave, lesson, plays, rounds, send, status, ui};
use super::names::Names;
use crate::support::{Patience, Pty, Surroundings, User, descendants};
use forklore::fact::{DemoSpec, Fact, Params, Stamped};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::thread::JoinHandle;
use std::time::Duration;

/// The longest that a demo is on before it is left: it may not have begun, be in the middle, or be over.
const ON: Duration = Duration::from_millis(250);

/// What a process has of what could grow.
#[derive(Debug, Clone, Copy)]
struct Size {
    descriptors: usize,
    maps: usize,
    threads: u64,
    resident_kib: u64,
}

impl Size {
    fn of(pid: i32) -> Self {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("it lives");
        Self {
            descriptors: descriptors(pid),
            maps: maps.lines().count(),
            threads: status(pid, "Threads").expect("it lives"),
            resident_kib: status(pid, "VmRSS").expect("it lives"),
        }
    }

    /// Whether it is no more than `before`: of memory a twentieth more, and two mebibytes for what an allocator keeps.
    fn is_as(self, before: Self) -> bool {
        // The allocator splits and joins the regions of its arenas as it likes.
        self.descriptors <= before.descriptors
            && self.threads <= before.threads
            && self.maps <= before.maps + 16
            && self.resident_kib <= before.resident_kib * 21 / 20 + 2048
    }
}

/// A lesson with a step for each demo, in which each runs as it does by default.
fn lessons() -> Lessons {
    let mut steps = String::new();
    for demo in forklore::demo::specs() {
        write!(steps, "## Trial of {}.\nWords.\n\n```demo {}\nexpect = {{}}\n```\n\n", demo.name, demo.name)
            .expect("a string grows");
    }
    let lessons = Lessons::empty();
    lessons.write("01-try.md", lesson("try", "Trying", &steps));
    lessons
}

/// Goes through all steps; starts the demo of each and leaves it for the next, or the last for the catalogue. How many of
/// them were seen to run when they were left.
fn through(pty: &Pty, ui: i32, dice: &mut Dice) -> usize {
    let mut on = 0;
    let demos = forklore::demo::specs();
    let title = |n: usize| demos.get(n).map_or_else(|| "of 1 done".to_owned(), |d| format!("Trial of {}.", d.name));
    for (n, demo) in demos.iter().enumerate() {
        pty.until(|screen| screen.contains(&title(n)), &title(n));
        pty.send(" ");
        dice.pause(ON);
        on += usize::from(below(ui) > 0);
        pty.send(if n + 1 < demos.len() { "n" } else { "\x1b" });
        pty.until(|screen| screen.contains(&title(n + 1)), &format!("what follows {}", demo.name));
        let alone = Patience::default().wait(|| (below(ui) == 0).then_some(()));
        assert!(alone.is_some(), "{}: {:?}", demo.name, pty.children());
    }
    on
}

#[test]
fn every_demo_is_left_at_any_moment_and_the_tour_does_not_grow() {
    let (lessons, mut dice) = (lessons(), Dice::new(7));
    let mut pty = lessons.tour(User::Me, "try:1").start();
    let names = Names::of(&pty.surroundings);
    pty.until(|screen| screen.contains("Trial of "), "the first step");
    let ui = ui(&pty).pid;
    let again = |pty: &Pty| {
        pty.send("\r");
        pty.until(|screen| screen.contains("Trial of "), "a step");
        // It opens where it was left; the first step is a few keys back.
        pty.send("b".repeat(forklore::demo::specs().len()));
    };
    let mut on = through(&pty, ui, &mut dice);
    let rounds = rounds(1);
    // What the allocator keeps is found in the first rounds.
    let warm = rounds.div_ceil(10);
    let mut before = None;
    for round in 0..rounds + warm {
        if round == warm {
            before = Some(Size::of(ui));
        }
        again(&pty);
        on += through(&pty, ui, &mut dice);
    }
    let left = (1 + warm + rounds) as usize * forklore::demo::specs().len();
    assert!(on > left / 4, "only {on} of {left} runs were on when they were left");
    let before = before.expect("there is a round after those for warmth");
    // The thread of the last run closes what it had after its processes are gone.
    let as_before = Patience::default().wait(|| Size::of(ui).is_as(before).then_some(()));
    println!("{on} of {left} were on; {before:?}, then {:?}", Size::of(ui));
    assert!(as_before.is_some(), "{rounds} rounds: {:?}, {before:?} before", Size::of(ui));
    leave(&mut pty);
    assert_eq!(names.left(&pty.surroundings), [""; 0]);
}

/// A run without a screen, and what it writes.
struct Going {
    child: Child,
    out: JoinHandle<std::io::Result<String>>,
}

impl Going {
    /// Starts it; somebody reads what it writes, however much that is.
    fn start(here: &Surroundings, demo: &str, words: &[&str]) -> Self {
        let mut child = here.start(["run", demo, "--json", "--for", "600"].iter().chain(words));
        let mut stream = child.stdout.take().expect("a pipe");
        let out = std::thread::Builder::new().spawn(move || {
            let mut out = String::new();
            stream.read_to_string(&mut out).map(|_| out)
        });
        Self { child, out: out.expect("a thread") }
    }

    fn pid(&self) -> i32 {
        self.child.id().try_into().expect("a pid")
    }

    /// Waits for its end, which `what` has brought about; how it ended, and all that it has written.
    fn end(mut self, what: &str) -> (ExitStatus, String) {
        let ended = Patience::default().wait(|| self.child.try_wait().expect("a child of ours"));
        let ended = ended.unwrap_or_else(|| panic!("{what} did not end it"));
        (ended, self.out.join().expect("it only reads").expect("plain text"))
    }
}

/// Whether a run may end by itself, so that it may have done so before anything was done to it.
fn ends_by_itself(demo: &DemoSpec) -> bool {
    (demo.lasts_ms)(&Params::defaults(demo)) == 0
}

#[test]
fn a_run_of_every_demo_is_ended_by_a_signal_at_any_moment() {
    let signals = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT];
    let mut dice = Dice::new(11);
    for round in 0..rounds(1) as usize {
        for (n, demo) in forklore::demo::specs().into_iter().enumerate() {
            let users = User::all();
            let (user, signal) = (users[(n / 4 + round) % users.len()], signals[(n + round) % signals.len()]);
            let here = Surroundings::new(user);
            let before = Names::of(&here);
            let run = Going::start(&here, demo.name, &[]);
            dice.pause(ON);
            kill(Pid::from_raw(run.pid()), signal).expect("it is not reaped yet");
            let (ended, out) = run.end(&format!("{}: {signal}", demo.name));
            // Before it listens for signals there is nothing to end in order. Some also end by themselves.
            let early = ended.signal() == Some(signal as i32) && out.is_empty();
            let by_itself = ended.code() == Some(0) && ends_by_itself(demo);
            let in_order = ended.code() == Some(128 + signal as i32);
            assert!(early || by_itself || in_order, "{}: {ended:?} after {signal}: {out}", demo.name);
            if let (false, Some(last)) = (early, out.lines().last()) {
                let last: Stamped = serde_json::from_str(last).unwrap_or_else(|e| panic!("{}: {e}: {last}", demo.name));
                assert!(matches!(&last.fact, Fact::Outcome(o) if o.clean), "{}: {last:?}", demo.name);
            }
            assert!(!out.contains("panicked"), "{}: {out}", demo.name);
            here.marker.assert_gone(Patience::default());
            assert_eq!(before.left(&here), [""; 0], "{}", demo.name);
        }
    }
}

/// The parts whose demos make names that all can see, and locks that outlive their owners.
const PARTS: [&str; 2] = ["Talking", "Sharing without tears"];

#[test]
fn a_demo_whose_leader_is_killed_leaves_no_process_and_no_name() {
    let mut dice = Dice::new(13);
    for round in 0..rounds(1) as usize {
        let demos = forklore::demo::specs().into_iter().filter(|demo| PARTS.contains(&demo.part));
        for (n, demo) in demos.enumerate() {
            let kinds: &[&str] = if demo.param("as").is_some() { &["as=processes", "as=threads"] } else { &[] };
            // One without the choice is tried once, as it is.
            let all = kinds.chunks(1).chain(kinds.is_empty().then_some(kinds));
            for (k, words) in all.enumerate() {
                let users = User::all();
                let here = Surroundings::new(users[(n + k + round) % users.len()]);
                leader_killed(&here, demo, words, &mut dice);
            }
        }
    }
}

/// Kills the leader of one run at a moment that nobody chose, and looks at what is left.
fn leader_killed(here: &Surroundings, demo: &DemoSpec, words: &[&str], dice: &mut Dice) {
    let (what, before) = (format!("{} {words:?}", demo.name), Names::of(here));
    let run = Going::start(here, demo.name, words);
    let leads = |run: &Going| descendants(run.pid()).into_iter().find(|p| plays(p, "__stage"));
    let leader = Patience::default().wait(|| leads(&run)).unwrap_or_else(|| panic!("{what}: it has no leader"));
    dice.pause(ON);
    let killed = send(&leader, Signal::SIGKILL);
    let (ended, out) = run.end(&format!("{what}: SIGKILL to its leader"));
    let by_itself = ended.code() == Some(0) && ends_by_itself(demo);
    assert!((killed && ended.code() == Some(1)) || by_itself, "{what}: {ended:?}: {out}");
    assert!(!out.contains("panicked"), "{what}: {out}");
    here.marker.assert_gone(Patience::default());
    let left = before.left(here);
    if !left.is_empty() {
        // Between making a name and removing it there is a moment. Whoever comes next removes what it finds.
        println!("{what} was killed just then: {left:?}");
        let next = Going::start(here, demo.name, words);
        let on = Patience::default().wait(|| descendants(next.pid()).iter().any(|p| plays(p, "__stage")).then_some(()));
        assert!(on.is_some(), "{what}: it has no leader");
        kill(Pid::from_raw(next.pid()), Signal::SIGTERM).expect("it is not reaped yet");
        next.end(&format!("{what}: SIGTERM"));
        assert_eq!(before.left(here), [""; 0], "{what}");
    }
}
