//! A program in a terminal: a PTY, an emulator that reads it all the time, and hands on the keys.

use super::keeper::{self, Ended, MESSAGE, News};
use super::processes::{Process, descendants, list};
use super::screen::{Screen, at_least_one, ready, resize, terminal};
use super::{Patience, Surroundings, User, foreign, modes_left};
use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::{Pid, Uid, fchown, pipe2, write};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A program that is to be started in a terminal of its own.
#[derive(Debug)]
pub(crate) struct Launch {
    program: PathBuf,
    args: Vec<OsString>,
    under: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    bare: Vec<String>,
    size: (u16, u16),
    user: User,
    patience: Patience,
    mute: bool,
}

impl Launch {
    /// forklore, on 80 columns and 24 rows.
    pub(crate) fn forklore() -> Self {
        Self::program(Surroundings::under_test())
    }

    /// Any program, by its whole path.
    pub(crate) fn program(program: impl AsRef<Path>) -> Self {
        let program = program.as_ref().to_owned();
        assert!(program.is_file(), "{}: no such program", program.display());
        Self {
            program,
            args: Vec::new(),
            under: Vec::new(),
            env: Vec::new(),
            bare: Vec::new(),
            size: (80, 24),
            user: User::Me,
            patience: Patience::default(),
            mute: false,
        }
    }

    /// With these arguments.
    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Started by another program, which takes the program and its arguments as its own last arguments, such as
    /// `taskset -c 0`. What is said of the program's number and end is then that of the other, until it execs.
    pub(crate) fn under(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.under.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// Without this variable in its environment.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.bare.push(name.to_owned());
        self
    }

    /// With a variable in its environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// On so many columns and rows.
    pub(crate) fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }

    /// As another user.
    pub(crate) fn user(mut self, user: User) -> Self {
        self.user = user;
        self
    }

    /// With another patience than the usual.
    pub(crate) fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// On a terminal that answers no question.
    pub(crate) fn mute(mut self) -> Self {
        self.mute = true;
        self
    }

    /// Starts it.
    #[expect(unsafe_code, reason = "pre_exec")]
    pub(crate) fn start(self) -> Pty {
        let surroundings = Surroundings::new(self.user);
        let (master, slave) = terminal(self.size).expect("a terminal");
        let before = tcgetattr(&master).expect("its settings");
        if let Some(id) = self.user.id() {
            fchown(&slave, Some(Uid::from_raw(id)), None).expect("root may give terminals away");
        }
        let (news, tell) = pipe2(nix::fcntl::OFlag::O_CLOEXEC).expect("a pipe");
        let end = || slave.try_clone().expect("one more descriptor");
        let mut command = surroundings.command_under(&self.under, &self.program);
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        self.bare.iter().for_each(|name| _ = command.env_remove(name));
        command.stdin(end()).stdout(end()).stderr(end());
        let (fd, id) = (tell.as_raw_fd(), self.user.id());
        // SAFETY: `split` is made for this place.
        unsafe { command.pre_exec(move || keeper::split(fd, id)) };
        let keeper = command.spawn().expect("the program starts");
        drop((command, slave, tell));

        let master = Arc::new(master);
        let screen = Arc::new(Screen::new(self.size, !self.mute));
        let (m, s) = (Arc::clone(&master), Arc::clone(&screen));
        let reader = thread::Builder::new().spawn(move || s.follow(&m)).expect("a thread");
        let (news, ended) = (File::from(news), None);
        let (patience, master, reader) = (self.patience, Some(master), Some(reader));
        let mut pty = Pty { program: 0, surroundings, before, master, screen, reader, keeper, news, ended, patience };
        match pty.news() {
            Some(News::Started(pid)) => pty.program = pid,
            other => panic!("the keeper's first word is the program's number, not {other:?}"),
        }
        pty
    }
}

/// A program in a terminal. Dropping it ends everything that was started.
pub(crate) struct Pty {
    /// Home, mark and user.
    pub(crate) surroundings: Surroundings,
    program: i32,
    before: Termios,
    master: Option<Arc<OwnedFd>>,
    screen: Arc<Screen>,
    reader: Option<JoinHandle<()>>,
    keeper: Child,
    news: File,
    ended: Option<Ended>,
    patience: Patience,
}

impl Pty {
    /// The program's process id.
    pub(crate) fn pid(&self) -> i32 {
        self.program
    }

    /// Types `keys`.
    pub(crate) fn send(&self, keys: impl AsRef<[u8]>) {
        let (mut keys, ends) = (keys.as_ref(), self.patience.ends());
        while !keys.is_empty() {
            let left = ends.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} bytes of input were not taken\n{}", keys.len(), self.picture());
            ready(self.master(), PollFlags::POLLOUT, left);
            match write(self.master(), keys) {
                Ok(written) => keys = &keys[written..],
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(e) => panic!("the terminal takes no input: {e}\n{}", self.picture()),
            }
        }
    }

    /// The screen as text, without the blanks at the ends of lines.
    pub(crate) fn screen(&self) -> String {
        self.screen.seen().emulator.screen().contents()
    }

    /// One cell, with its text, colours and attributes.
    pub(crate) fn cell(&self, row: u16, column: u16) -> vt100::Cell {
        self.screen.seen().emulator.screen().cell(row, column).expect("a cell of this screen").clone()
    }

    /// Waits until `shows` is true of the screen; returns that screen.
    ///
    /// # Panics
    /// When patience ends before, with `what` and the last screen.
    pub(crate) fn until(&self, shows: impl Fn(&str) -> bool, what: &str) -> String {
        let ends = self.patience.ends();
        let mut seen = self.screen.seen();
        loop {
            let text = seen.emulator.screen().contents();
            if shows(&text) {
                return text;
            }
            let left = ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(seen);
                panic!("not seen within {:?}: {what}\n{}", self.patience.0, self.picture());
            }
            seen = self.screen.changed.wait_timeout(seen, left).expect("nothing panics while it holds the screen").0;
        }
    }

    /// Makes the terminal so large, as a window that is dragged.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let mut seen = self.screen.seen();
        resize(self.master(), (columns, rows)).expect("an open terminal has a size");
        seen.emulator.set_size(at_least_one(rows), at_least_one(columns));
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        assert!(self.program > 1 && self.ended.is_none(), "a signal is for a program that runs");
        kill(Pid::from_raw(self.program), signal).expect("the program is there");
    }

    /// Lets the stopped job go on, all of it, as a shell's `fg` does.
    pub(crate) fn bring_back(&self) {
        assert!(self.program > 1 && self.ended.is_none(), "only what runs can go on");
        killpg(Pid::from_raw(self.program), Signal::SIGCONT).expect("the program is there");
    }

    /// Stops reading what the program writes, or goes on: a terminal under Ctrl-S, a slow line.
    pub(crate) fn hold_output(&self, hold: bool) {
        self.screen.hold.store(hold, Ordering::Relaxed);
    }

    /// Closes the terminal under the program, as a window that is closed or a line that drops.
    pub(crate) fn hang_up(&mut self) {
        self.stop_reading();
        self.master = None;
    }

    /// Waits until the program ends, and until what it wrote last was read.
    ///
    /// # Panics
    /// When patience ends before, with the last screen.
    pub(crate) fn wait(&mut self) -> Ended {
        while self.ended.is_none() {
            assert!(self.news().is_some(), "it did not end within {:?}\n{}", self.patience.0, self.picture());
        }
        let quiet = || self.master.as_ref().is_none_or(|master| !ready(master, PollFlags::POLLIN, Duration::ZERO));
        if !self.screen.hold.load(Ordering::Relaxed) {
            let drained = self.patience.wait(|| {
                let _nothing_on_the_way = self.screen.seen();
                quiet().then_some(())
            });
            drained.expect("a program that ended writes no more");
        }
        self.ended.expect("the loop above ends with it")
    }

    /// Waits until the program is stopped, as by Ctrl-Z.
    pub(crate) fn wait_stopped(&mut self) {
        while let news = self.news()
            && news != Some(News::Stopped)
        {
            let goes_on = news.is_some() && self.ended.is_none();
            assert!(goes_on, "it was not stopped within {:?}\n{}", self.patience.0, self.picture());
        }
    }

    /// All that was written to the terminal.
    pub(crate) fn raw_log(&self) -> Vec<u8> {
        self.screen.seen().log.clone()
    }

    /// What was set on the terminal and not set back, in words.
    pub(crate) fn modes_left(&self) -> Vec<String> {
        modes_left(&self.raw_log())
    }

    /// Everything that was written and is not on the list of what may be, in words.
    pub(crate) fn csi_foreign(&self) -> Vec<String> {
        foreign(&self.raw_log())
    }

    /// Whether the terminal's settings are those that the program found.
    pub(crate) fn termios_unchanged(&self) -> bool {
        tcgetattr(self.master()).expect("an open terminal has settings") == self.before
    }

    /// All that the program started, at whatever distance, zombies and adopted orphans included.
    pub(crate) fn children(&self) -> Vec<Process> {
        let keeper = self.keeper.id().cast_signed();
        descendants(keeper).into_iter().filter(|p| p.pid != self.program).collect()
    }

    /// Waits until nothing is left of what the program started.
    ///
    /// # Panics
    /// When patience ends before, naming what is left.
    pub(crate) fn assert_nothing_left(&self, patience: Patience) {
        let mut left = Vec::new();
        let gone = patience.wait(|| {
            left = self.children();
            left.is_empty().then_some(())
        });
        assert!(gone.is_some(), "left behind after {:?}: {}", patience.0, list(&left));
    }

    /// The next that the keeper tells, if it comes in time.
    fn news(&mut self) -> Option<News> {
        let mut message = [0; MESSAGE];
        if !ready(&self.news, PollFlags::POLLIN, self.patience.0) {
            return None;
        }
        self.news.read_exact(&mut message).ok()?;
        let news = News::read(message);
        if let News::Ended(ended) = news {
            self.ended = Some(ended);
        }
        Some(news)
    }

    fn master(&self) -> &OwnedFd {
        self.master.as_ref().expect("the terminal was hung up")
    }

    /// The screen in a frame, for a failure's message.
    fn picture(&self) -> String {
        let seen = self.screen.seen();
        let (rows, columns) = seen.emulator.screen().size();
        let mut picture = format!("last screen, {columns}x{rows}, {} bytes written:\n", seen.log.len());
        for row in seen.emulator.screen().rows(0, columns.get()) {
            picture.extend(["  |", &row, "\n"]);
        }
        picture.truncate(picture.trim_end_matches(['|', ' ', '\n']).len());
        picture
    }

    fn stop_reading(&mut self) {
        self.screen.stop.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let keeper = self.keeper.id().cast_signed();
        // What is killed may just have forked: look again until there is nothing.
        let gone = self.patience.wait(|| {
            let left = descendants(keeper);
            left.iter().for_each(Process::kill);
            left.is_empty().then_some(())
        });
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
        self.stop_reading();
        if gone.is_none() && !thread::panicking() {
            panic!("something below the keeper cannot be killed");
        }
    }
}
