//! A program of ours in an interpreter, and what it says: one JSON object a line.

use super::ears::Ears;
use crate::demo::script::Over;
use crate::fact::{Fact, Pid, Tid, Unavailable, clean_line};
use crate::stage::{Cue, Left, Settings, Stage};
use nix::poll::poll;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, killpg};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::Value;
use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How often the leader looks for a line.
const LOOK: Duration = Duration::from_millis(5);

/// How long what a program has started may take to end after it.
const FOLLOWS: Duration = Duration::from_secs(2);

/// How it ended when all went well.
pub(super) const WELL: &str = "ended with code 0";

/// How the sentence begins of one that had to be ended.
pub(super) const SILENT: &str = "said nothing";

/// A program of ours.
#[derive(Debug)]
pub(in crate::demo) struct Program {
    /// What it is called among open files.
    pub(in crate::demo) name: &'static str,
    /// Its parts, one after the other.
    pub(in crate::demo) text: &'static [&'static str],
}

/// What is heard of a program next.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::demo) enum Heard {
    /// A line of its own.
    Line(Value),
    /// It has ended, or was ended: how, as the end of a sentence.
    Ended(String),
}

/// A program that runs.
#[derive(Debug)]
pub(in crate::demo) struct Running {
    number: usize,
    group: Pid,
    ears: Ears,
    /// Processes that it has told of, and not yet of their ends.
    below: Vec<Pid>,
    /// The program's text. Its interpreter opens it by the leader's number, and so do the processes that this starts.
    _text: File,
}

impl Running {
    pub(super) fn start(
        stage: &mut Stage,
        interpreter: &Path,
        name: &str,
        program: &Program,
        words: &[String],
    ) -> Result<Self, Unavailable> {
        let refused = |error: &dyn std::fmt::Display| Unavailable::new("a program in Python", error.to_string());
        let title = CString::new(program.name).unwrap_or_default();
        let mut text = File::from(memfd_create(title.as_c_str(), MFdFlags::MFD_CLOEXEC).map_err(|e| refused(&e))?);
        program.text.iter().try_for_each(|part| text.write_all(part.as_bytes())).map_err(|e| refused(&e))?;
        let pipe = || -> std::io::Result<_> {
            let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
            // This end only: the program's own writes may wait for the leader.
            fcntl_setfl(&read, OFlags::NONBLOCK)?;
            Ok((File::from(read), write))
        };
        let ((says, to), (errors, err)) = (pipe().map_err(|e| refused(&e))?, pipe().map_err(|e| refused(&e))?);
        let mut command = Command::new(interpreter);
        // Without what the user has set for Python, without packages, and without leaving compiled files anywhere.
        command.args(["-I", "-S", "-B"]).arg(format!("/proc/{}/fd/{}", std::process::id(), text.as_raw_fd()));
        command.args(words).stdout(to).stderr(err).process_group(0);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PYTHON")) {
            command.env_remove(name);
        }
        let number = stage.enter_program(name, &Settings::default(), command)?;
        let group = stage.cast().get(number).map_or(Pid(0), |entry| entry.pid);
        Ok(Self { number, group, ears: Ears::new(says, errors), below: Vec::new(), _text: text })
    }

    /// What is heard next. One who says nothing for so long is ended. A task that the program tells of is listed among the
    /// workers, and the end of a process is told; neither is heard.
    ///
    /// # Errors
    /// The learner has seen enough; the program is ended.
    pub(in crate::demo) fn next(&mut self, stage: &mut Stage, patience: Duration) -> Result<Heard, Over> {
        self.next_meanwhile(stage, patience, |_, _| {})
    }

    /// The same, and `still` hears each second that nothing is heard.
    pub(super) fn next_meanwhile(
        &mut self,
        stage: &mut Stage,
        patience: Duration,
        mut still: impl FnMut(&mut Stage, u64),
    ) -> Result<Heard, Over> {
        let (begun, mut seconds) = (Instant::now(), 0);
        loop {
            // Looked at before the pipe is read: what it said before it ended is heard.
            let gone = ending(stage, self.number);
            self.ears.drain();
            while let Some(line) = self.ears.line() {
                if !self.introduced(stage, &line) && !self.took_leave(stage, &line) {
                    return Ok(Heard::Line(line));
                }
            }
            let how = if self.ears.odd() {
                "printed something else than it was asked for".to_owned()
            } else if let Some(how) = gone {
                how
            } else if begun.elapsed() > patience {
                format!("{SILENT} for {} s, and was ended", patience.as_secs())
            } else {
                if begun.elapsed().as_secs() > seconds {
                    seconds = begun.elapsed().as_secs();
                    still(stage, seconds);
                }
                if stage.next(Some(LOOK)) == Cue::Finish {
                    self.kill(stage);
                    return Err(Over::Finish);
                }
                continue;
            };
            self.end(stage)?;
            return Ok(Heard::Ended(how));
        }
    }

    /// Lets it come to its own end, when it has said all that was wanted. One that does not is ended.
    ///
    /// # Errors
    /// As [`Running::next`].
    pub(in crate::demo) fn leave(&mut self, stage: &mut Stage) -> Result<(), Over> {
        while let Heard::Line(_) = self.next(stage, FOLLOWS)? {}
        Ok(())
    }

    /// What is wrong with a program that ended before it had said all, in a sentence.
    pub(in crate::demo) fn broke(&self, how: &str) -> String {
        let words = self.ears.last_words().map(|words| format!(": {words}")).unwrap_or_default();
        format!("the interpreter {how}{words}")
    }

    /// The last line of what the interpreter said to its user.
    pub(in crate::demo) fn last_words(&self) -> Option<String> {
        self.ears.last_words()
    }

    /// The first line of what it said to its user that begins so.
    pub(in crate::demo) fn error(&self, begins: &str) -> Option<String> {
        self.ears.error(begins)
    }

    /// Ends it and all that it has started, if they have not ended yet.
    ///
    /// # Errors
    /// The learner has seen enough.
    pub(in crate::demo) fn end(&mut self, stage: &mut Stage) -> Result<(), Over> {
        if ending(stage, self.number).is_none() {
            self.kill(stage);
        }
        // Who still has a pipe was started by it. Some only wait for its end, and go as soon as they notice.
        let begun = Instant::now();
        loop {
            self.ears.drain();
            if self.ears.over() {
                // They are gone, and who could have told how has gone with them.
                for pid in self.below.drain(..) {
                    stage.tell(Fact::gone(pid));
                }
                return Ok(());
            }
            if begun.elapsed() > FOLLOWS {
                self.kill(stage);
                return Ok(());
            }
            if stage.next(Some(LOOK)) == Cue::Finish {
                self.kill(stage);
                return Err(Over::Finish);
            }
        }
    }

    /// A process that the program has told of in words of its own: its end is told with the program's at the latest.
    pub(in crate::demo) fn outlives(&mut self, pid: Pid) {
        if pid != self.group && !self.below.contains(&pid) {
            self.below.push(pid);
        }
    }

    /// Takes a line that tells of a task: its name, its process, its id. A task that finds no room is one without a letter.
    fn introduced(&mut self, stage: &mut Stage, line: &Value) -> bool {
        let Some(name) = line.get("task").and_then(Value::as_str) else { return false };
        let (Some(pid), Some(tid)) = (number(line, "pid"), number(line, "tid")) else { return true };
        let name: String = clean_line(name).chars().take(8).collect();
        if !stage.cast().iter().any(|entry| entry.tid == Tid(tid) && entry.name == name) {
            let _ = stage.introduce(&name, Tid(tid), Pid(pid), number(line, "parent").unwrap_or(0));
            if pid == tid {
                self.outlives(Pid(pid));
            }
        }
        true
    }

    /// Takes a line that tells of the end of a process, by whoever has waited for it.
    fn took_leave(&mut self, stage: &mut Stage, line: &Value) -> bool {
        let Some(pid) = number(line, "ended").map(Pid) else { return false };
        if let Some(at) = self.below.iter().position(|known| *known == pid) {
            self.below.remove(at);
            let code = line.get("code").and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok());
            stage.tell(Fact::Exit { tid: Tid(pid.0), pid, code, signal: None, core: None });
        }
        true
    }

    /// Kills all of its process group, and waits until nobody of it is left: whom it has started has become the warden's child,
    /// which would count one that is still dying as left behind. It has not been reaped, or somebody of its group is left: the
    /// number is its own.
    fn kill(&self, stage: &mut Stage) {
        let group = i32::try_from(self.group.0).ok().filter(|group| *group > 1).map(nix::unistd::Pid::from_raw);
        if let Some(group) = group {
            let _ = killpg(group, Signal::SIGKILL);
        }
        stage.dismiss(&[self.number]);
        let begun = Instant::now();
        while group.is_some_and(|group| killpg(group, None).is_ok()) && begun.elapsed() < FOLLOWS {
            let _ = poll(&mut [], 5_u8);
        }
    }
}

/// How the worker of this number ended, if it did, as the end of a sentence.
fn ending(stage: &Stage, number: usize) -> Option<String> {
    match stage.cast().get(number)?.ended.as_ref()? {
        Left::Code(code) => Some(format!("ended with code {code}")),
        Left::Signal(signal) => Some(format!("ended by {signal}")),
    }
}

fn number(line: &Value, name: &str) -> Option<u32> {
    line.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok())
}
