//! The story: an order, its effect as /proc shows it, and a row that says so.

use super::parts::{self, NOTHING};
use super::{STORY, TABLE};
use crate::demo::glance::{Glance, file_of};
use crate::demo::pace::{Cut, Look, Pace};
use crate::fact::{As, Fact, Unavailable, Values};
use crate::stage::{Settings, Stage, Worker};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use serde_json::{Value, json};
use std::fs;
use std::io::{ErrorKind, PipeReader, Read, pipe};
use std::time::{Duration, Instant};

/// The state of a process that is no more.
pub(super) const GONE: &str = "gone";

/// How long those who were sent off may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// The story, as the director tells it.
pub(super) struct Story<'a> {
    stage: &'a mut Stage,
    pace: Pace,
    /// Rows of the tree, and sentences, that were told.
    told: usize,
    sentences: usize,
    /// A process that nobody on the stage would send off.
    orphan: Option<u32>,
}

/// Somebody of whom something is told.
#[derive(Debug, Clone, Copy)]
struct Who<'a> {
    name: &'a str,
    pid: u32,
    /// Its number, where it is a thread.
    tid: Option<u32>,
}

impl<'a> Who<'a> {
    fn process(name: &'a str, pid: u32) -> Self {
        Self { name, pid, tid: None }
    }

    fn thread(name: &'a str, pid: u32, tid: u32) -> Self {
        Self { name, pid, tid: Some(tid) }
    }

    fn look(self) -> Option<Glance> {
        self.tid.map_or_else(|| Glance::at(self.pid), |tid| Glance::at_thread(self.pid, tid))
    }
}

/// A, with what it says.
struct Parent {
    number: usize,
    pid: u32,
    answers: PipeReader,
}

impl<'a> Story<'a> {
    pub(super) fn new(stage: &'a mut Stage, pace: Pace) -> Self {
        Self { stage, pace, told: 0, sentences: 0, orphan: None }
    }

    pub(super) fn stage(&mut self) -> &mut Stage {
        self.stage
    }

    /// Lets the end stand, or until the learner has seen enough.
    pub(super) fn stay(&mut self, time: Duration) {
        let _ = Pace::new(i64::try_from(time.as_millis()).unwrap_or(0)).rest(self.stage);
    }

    /// Tells a chapter, or all.
    pub(super) fn tell(&mut self, chapter: &str) -> Result<(), Cut> {
        self.surroundings();
        if chapter == "threads" {
            return self.main_thread_first();
        }
        let mut a = self.parent()?;
        match chapter {
            "exec" => {
                let b = self.fork_and_exec(&mut a)?;
                self.end(&a, b)?;
                self.wait(&mut a, b)
            }
            "zombie" => {
                let b = self.fork(&mut a)?;
                self.zombie(&mut a, b)
            }
            "orphan" => self.orphan(&mut a),
            _ => {
                let b = self.fork_and_exec(&mut a)?;
                self.zombie(&mut a, b)?;
                self.orphan(&mut a)?;
                self.main_thread_first()
            }
        }
    }

    /// Tells what is seen of `who` now, and `more`. `step` names what the outcome asks for.
    fn row(&mut self, who: Who<'_>, step: Option<&str>, what: &str, more: &[(&str, Value)]) {
        self.told += 1;
        let mut values: Values = [("who", json!(who.name)), ("pid", json!(who.pid))].map(owned).into();
        let seen = who.look();
        values.extend(who.tid.map(|tid| owned(("tid", json!(tid)))));
        values.extend([("state", json!(seen.as_ref().map_or(GONE.to_owned(), |s| s.state.to_string())))].map(owned));
        if let Some(seen) = seen {
            let more =
                [("program", json!(seen.comm)), ("parent", json!(seen.parent)), ("started", json!(seen.started))];
            values.extend(more.map(owned));
        }
        if !what.is_empty() {
            values.extend([owned(("what", json!(what)))]);
            self.sentences += 1;
            let sentence = [("who", json!(who.name)), ("what", json!(what))].map(owned).into();
            let row = self.sentences.to_string();
            self.stage.tell(Fact::Row { table: STORY.name.to_owned(), row, values: sentence });
        }
        values.extend(step.map(|step| owned(("step", json!(step)))));
        values.extend(more.iter().cloned().map(owned));
        self.stage.tell(Fact::Row { table: TABLE.to_owned(), row: self.told.to_string(), values });
        if let Some(step) = step {
            self.stage.tell(Fact::Step { name: step.to_owned() });
        }
    }

    /// The warden, who adopts, and the leader, who forks A and D.
    fn surroundings(&mut self) {
        let leader = std::process::id();
        let warden = Glance::at(leader).map_or(0, |own| own.parent);
        self.row(Who::process("warden", warden), None, "", &[]);
        self.row(Who::process("leader", leader), None, "", &[]);
    }

    fn parent(&mut self) -> Result<Parent, Cut> {
        let refused = |e: std::io::Error| Cut::Refused(Unavailable::new("a pipe", e.to_string()));
        let (answers, mut ours) = pipe().map_err(refused)?;
        let flags = fcntl_getfl(&answers).map_err(|e| refused(e.into()))?;
        fcntl_setfl(&answers, flags | OFlags::NONBLOCK).map_err(|e| refused(e.into()))?;
        let part = move |worker: &Worker| parts::parent(worker, &mut ours);
        let number = self.stage.enter_named("A", As::Processes, &Settings::default(), part)?;
        let pid = self.stage.cast().get(number).map_or(0, |entry| entry.pid.0);
        let a = Who::process("A", pid);
        self.until_named(a, "forklore A")?;
        self.row(a, Some("begun"), &format!("A is there: process {pid}."), &[]);
        self.pace.rest(self.stage)?;
        Ok(Parent { number, pid, answers })
    }

    /// Till a new process has taken its name.
    fn until_named(&mut self, who: Who<'_>, name: &str) -> Result<(), Cut> {
        self.pace.until(self.stage, &format!("process {}", who.name), |_| match who.look() {
            None => Look::Never,
            Some(seen) => Look::maybe((seen.comm == name).then_some(())),
        })
    }

    /// Gives A an order that it answers with a number.
    fn ask(&mut self, a: &mut Parent, order: u64, what: &str) -> Result<u32, Cut> {
        self.stage.order(a.number, order);
        self.pace.until(self.stage, what, |_| {
            let mut answer = [0; 4];
            match a.answers.read_exact(&mut answer).map(|()| u32::from_ne_bytes(answer)) {
                Ok(NOTHING) => Look::Never,
                Ok(answer) => Look::Seen(answer),
                Err(error) if error.kind() == ErrorKind::WouldBlock && Glance::at(a.pid).is_some() => Look::NotYet,
                Err(_) => Look::Never,
            }
        })
    }

    fn fork(&mut self, a: &mut Parent) -> Result<u32, Cut> {
        let pid = self.ask(a, parts::FORK, "a child of A")?;
        let b = Who::process("B", pid);
        let name = b.look().map(|seen| seen.comm).unwrap_or_default();
        let what = format!("A forked B: process {pid}, a copy of A, named {name} too.");
        self.row(b, Some("forked"), &what, &[]);
        self.pace.rest(self.stage)?;
        Ok(pid)
    }

    fn fork_and_exec(&mut self, a: &mut Parent) -> Result<u32, Cut> {
        let pid = self.fork(a)?;
        let b = Who::process("B", pid);
        let before = file_of(pid).ok();
        self.stage.order(a.number, parts::EXECUTE);
        let seen = self.pace.until(self.stage, "another program in B", |_| match b.look() {
            None => Look::Never,
            // It could not, and said so; its end is seen next.
            Some(seen) if seen.state == 'Z' => Look::Seen(None),
            // Its file is looked up where that is allowed; its name is there for everybody.
            Some(seen) => {
                let other = before.is_none() || file_of(pid).is_ok_and(|file| Some(file) != before);
                Look::maybe((other && seen.comm == parts::PROGRAM).then_some(Some(seen)))
            }
        })?;
        if let Some(seen) = seen {
            let what = format!("B called exec: it runs {} now, and is still process {pid}.", seen.comm);
            self.row(b, Some("executed"), &what, &[]);
            self.pace.rest(self.stage)?;
        }
        Ok(pid)
    }

    /// B ends, and nobody has waited for it.
    fn end(&mut self, a: &Parent, pid: u32) -> Result<(), Cut> {
        self.stage.order(a.number, parts::END);
        let b = Who::process("B", pid);
        let state = self.pace.until(self.stage, "the end of B", |_| match b.look() {
            None => Look::Seen(GONE.to_owned()),
            Some(seen) => Look::maybe((seen.state == 'Z').then(|| seen.state.to_string())),
        })?;
        let what = if state == GONE {
            "B has ended, and is gone at once.".to_owned()
        } else {
            format!("B has ended, a zombie ({state}): number and exit status are kept.")
        };
        self.row(b, Some("ended"), &what, &[("state", json!(state))]);
        Ok(())
    }

    fn wait(&mut self, a: &mut Parent, pid: u32) -> Result<(), Cut> {
        let code = self.ask(a, parts::WAIT, "B's exit code")?;
        let b = Who::process("B", pid);
        self.pace.until(self.stage, "B gone", |_| Look::maybe(b.look().is_none().then_some(())))?;
        let (what, code) = match code.checked_sub(parts::SIGNAL) {
            None => (format!("A called wait, and got exit code {code}. Now B is gone."), json!(code)),
            Some(signal) => (format!("A called wait: signal {signal} had ended B. Now B is gone."), Value::Null),
        };
        self.row(b, Some("reaped"), &what, &[("code", code)]);
        self.pace.rest(self.stage)
    }

    fn zombie(&mut self, a: &mut Parent, pid: u32) -> Result<(), Cut> {
        self.end(a, pid)?;
        self.pace.rest(self.stage)?;
        self.pace.rest(self.stage)?;
        self.wait(a, pid)
    }

    fn orphan(&mut self, a: &mut Parent) -> Result<(), Cut> {
        let pid = self.ask(a, parts::FORK_AGAIN, "another child of A")?;
        self.orphan = Some(pid);
        let c = Who::process("C", pid);
        self.row(c, Some("forked again"), &format!("A forked C, process {pid}."), &[]);
        self.pace.rest(self.stage)?;
        self.stage.order(a.number, parts::LEAVE);
        let number = a.number;
        self.pace.until(self.stage, "the end of A", |stage| {
            Look::maybe(stage.cast().get(number).is_some_and(|entry| entry.ended.is_some()).then_some(()))
        })?;
        self.row(Who::process("A", a.pid), None, "", &[]);
        let parent = self.pace.until(self.stage, "a new parent for C", |_| match c.look() {
            None => Look::Never,
            Some(seen) => Look::maybe((seen.parent != a.pid).then_some(seen.parent)),
        })?;
        let adopter = adopter(parent);
        let what = format!("A has ended. C goes on; its parent is the {adopter}, {parent}.");
        self.row(c, Some("adopted"), &what, &[("adopter", json!(adopter))]);
        self.pace.rest(self.stage)?;
        self.stage.order(a.number, parts::END_LAST);
        self.pace.until(self.stage, "the end of C", |_| Look::maybe(c.look().is_none().then_some(())))?;
        self.orphan = None;
        self.row(c, Some("buried"), &format!("C has ended, and the {adopter} waited for it at once."), &[]);
        self.pace.rest(self.stage)
    }

    fn main_thread_first(&mut self) -> Result<(), Cut> {
        let number = self.stage.enter_named("D", As::Processes, &Settings::default(), parts::outlived)?;
        let pid = self.stage.cast().get(number).map_or(0, |entry| entry.pid.0);
        let tid = self.pace.until(self.stage, "another thread of D", |_| match Glance::at(pid) {
            None => Look::Never,
            Some(_) => Look::maybe(other_thread(pid)),
        })?;
        let (d, main, other) = (Who::process("D", pid), Who::thread("main", pid, pid), Who::thread("other", pid, tid));
        self.row(d, None, "", &[]);
        self.row(main, None, "", &[]);
        let what = format!("D is process {pid}, with two threads: {pid} and {tid}.");
        self.row(other, Some("two threads"), &what, &[]);
        self.pace.rest(self.stage)?;
        self.stage.order(number, parts::END_MAIN);
        let counted = self.pace.until(self.stage, "the end of D's main thread", |stage| match main.look() {
            None => Look::Never,
            Some(seen) => Look::maybe((seen.state == 'Z').then(|| stage.work(number))),
        })?;
        let went_on = self.pace.until(self.stage, "D's other thread going on", |stage| match other.look() {
            None => Look::Seen(false),
            Some(seen) => Look::maybe((seen.state != 'Z' && stage.work(number) > counted + 1).then_some(true)),
        })?;
        let what = if went_on {
            "D's main thread has ended (Z). The other counts on: D lives."
        } else {
            "D's main thread has ended, and the other with it."
        };
        self.row(main, Some("main ended"), what, &[("went_on", json!(went_on))]);
        self.pace.rest(self.stage)?;
        self.pace.rest(self.stage)?;
        self.stage.order(number, Worker::HALT);
        self.pace.until(self.stage, "the end of D", |stage| {
            Look::maybe(stage.cast().get(number).is_some_and(|entry| entry.ended.is_some()).then_some(()))
        })?;
        self.row(main, None, "", &[]);
        self.row(other, None, "", &[]);
        self.row(d, Some("last thread ended"), "D's last thread has ended, and with it D.", &[]);
        self.pace.rest(self.stage)
    }

    /// Ends everybody, those too whom the stage does not know.
    pub(super) fn send_off(&mut self) {
        for number in 0..self.stage.cast().len() {
            // C sees A's orders when A is gone.
            self.stage.order(number, Worker::HALT);
        }
        self.stage.close();
        let until = Instant::now() + GOODBYE;
        // Only the time of its end is waited for: it has its order, and the warden would see to it.
        while self.orphan.is_some_and(|pid| Glance::at(pid).is_some()) && Instant::now() < until {
            let _ = self.stage.next(Some(Duration::from_millis(5)));
        }
    }
}

fn owned((name, value): (&str, Value)) -> (String, Value) {
    (name.to_owned(), value)
}

/// Who has taken in an orphan.
pub(super) fn adopter(parent: u32) -> String {
    let warden = rustix::process::getppid().map_or(0, |p| p.as_raw_nonzero().get().unsigned_abs());
    match parent {
        _ if parent == warden => "warden".to_owned(),
        _ if parent == std::process::id() => "leader".to_owned(),
        1 => "init".to_owned(),
        _ => Glance::at(parent).map_or_else(|| parent.to_string(), |seen| seen.comm),
    }
}

/// A thread of `pid` that is not its main thread.
fn other_thread(pid: u32) -> Option<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    tasks.flatten().find_map(|task| task.file_name().to_str()?.parse().ok().filter(|tid| *tid != pid))
}
