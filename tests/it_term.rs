//! The terminal, from outside: a shell on a pseudo-terminal starts `examples/termtest` and everything is done to it
//! that ends a program. After each, the terminal is as it was and nothing is left alive.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::fs::{Mode, OFlags};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longer than anything takes on a loaded machine.
const DEADLINE: Duration = Duration::from_secs(20);

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A pseudo-terminal of this size: its master, and its other end as a child takes it.
fn pty(rows: u16, columns: u16) -> (File, impl Fn() -> Stdio) {
    // Closed on exec: a child that holds the master of its own terminal never sees it go.
    let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY | rustix::pty::OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags).expect("a pseudo-terminal");
    rustix::pty::unlockpt(&master).expect("our own");
    tcsetwinsize(&master, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).expect("a terminal");
    let name = rustix::pty::ptsname(&master, Vec::new()).expect("a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = rustix::fs::open(name, flags, Mode::empty()).expect("the other end");
    (File::from(master), move || Stdio::from(slave.try_clone().expect("a descriptor")))
}

/// What the terminal said, and what that looks like.
struct Heard {
    bytes: Vec<u8>,
    screen: vt100::Parser,
}

/// A shell with job control on a terminal of its own.
struct Shell {
    bash: Child,
    master: Option<File>,
    heard: Arc<Mutex<Heard>>,
    marker: String,
    before: Termios,
}

fn termtest() -> PathBuf {
    let here = std::env::current_exe().expect("a test has a path");
    here.ancestors().nth(2).expect("target/debug").join("examples/termtest")
}

impl Shell {
    fn new(rows: u16, columns: u16) -> Self {
        let (master, stdio) = pty(rows, columns);
        let marker = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        // A shell of its own session, with the terminal as the controlling one; no line editing, which would change
        // the terminal's settings at every prompt.
        let mut bash = Command::new("setsid");
        bash.args(["-c", "bash", "--norc", "--noprofile", "--noediting", "-i"]);
        bash.env("PS1", "ready> ").env("TERM", "xterm-256color");
        bash.env("FORKLORE_TEST", &marker).env("RUST_BACKTRACE", "0");
        let bash = bash.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().expect("setsid and bash");
        drop(stdio);
        // Larger than any picture, so that every picture fits.
        let (tall, wide) = (const { NonZero::new(210).unwrap() }, const { NonZero::new(510).unwrap() });
        let heard = Heard { bytes: Vec::new(), screen: vt100::Parser::new(tall, wide, 0) };
        let heard = Arc::new(Mutex::new(heard));
        let (mut reader, sink) = (master.try_clone().expect("a descriptor"), Arc::clone(&heard));
        std::thread::Builder::new()
            .spawn(move || {
                let mut bytes = [0; 65536];
                while let Ok(n) = reader.read(&mut bytes) {
                    let mut heard = sink.lock().expect("no panic there");
                    heard.bytes.extend_from_slice(&bytes[..n]);
                    heard.screen.process(&bytes[..n]);
                }
            })
            .expect("a thread");
        let before = tcgetattr(&master).expect("a terminal");
        let mut shell = Self { bash, master: Some(master), heard, marker, before };
        shell.wait_from(0, "ready> ");
        shell.before = tcgetattr(shell.master()).expect("a terminal");
        shell
    }

    fn master(&self) -> &File {
        self.master.as_ref().expect("not closed")
    }

    fn type_in(&self, text: &str) {
        self.master().write_all(text.as_bytes()).expect("the terminal takes keys");
    }

    fn now(&self) -> usize {
        self.heard.lock().expect("no panic there").bytes.len()
    }

    fn since(&self, from: usize) -> String {
        String::from_utf8_lossy(&self.heard.lock().expect("no panic there").bytes[from..]).into_owned()
    }

    #[track_caller]
    fn wait_from(&self, from: usize, needle: &str) -> String {
        self.wait(&format!("{needle:?} in {:?}", self.since(from)), || self.since(from).contains(needle));
        self.since(from)
    }

    /// What the terminal shows.
    fn shown(&self) -> String {
        self.heard.lock().expect("no panic there").screen.screen().contents()
    }

    #[track_caller]
    fn wait_shown(&self, needle: &str) {
        self.wait(&format!("{needle:?} on the screen {:?}", self.shown()), || self.shown().contains(needle));
    }

    #[track_caller]
    fn wait(&self, what: &str, done: impl Fn() -> bool) {
        let until = Instant::now() + DEADLINE;
        while !done() {
            assert!(Instant::now() < until, "waited in vain for {what}; heard: {:?}", self.since(0));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts the program; its two processes, guard and screen.
    #[track_caller]
    fn start(&self) -> (Pid, Pid) {
        let from = self.now();
        self.type_in(&format!("{}; echo code=$?\n", termtest().display()));
        self.wait_from(from, "\x1b[?1049h");
        self.wait_shown("; beat");
        let text = self.shown();
        let ui =
            text.split("ui=").nth(1).and_then(|s| s.split(';').next()).and_then(|s| s.parse().ok()).expect("a pid");
        (Pid::from_raw(parent(ui)), Pid::from_raw(ui))
    }

    /// The program ended with this code, the terminal is as it was, and nothing is left.
    #[track_caller]
    fn is_sane_after(&self, from: usize, code: u8) {
        self.wait_from(from, &format!("code={code}\r\n"));
        self.is_ours_again(from);
        self.wait(&format!("the end of {:?}", self.alive()), || self.alive().is_empty());
    }

    #[track_caller]
    fn is_ours_again(&self, from: usize) {
        self.wait("the line settings to be as before", || {
            let now = tcgetattr(self.master()).expect("a terminal");
            (now.local_modes, now.input_modes, now.output_modes)
                == (self.before.local_modes, self.before.input_modes, self.before.output_modes)
        });
        self.wait(&format!("the modes to be reset: {:?}", modes(&self.since(0))), || modes(&self.since(0)).is_empty());
        assert!(!self.since(from).contains("\x1b[6n"), "nothing is asked of the terminal");
    }

    /// Processes started from this shell.
    fn alive(&self) -> Vec<i32> {
        let ours = format!("FORKLORE_TEST={}", self.marker);
        let pids =
            std::fs::read_dir("/proc").expect("/proc").filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
        pids.filter(|pid| *pid != self.bash.id() as i32)
            .filter(|pid| {
                let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                environ.split(|b| *b == 0).any(|v| v == ours.as_bytes())
            })
            .collect()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        for pid in self.alive().into_iter().filter(|pid| *pid > 1) {
            kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
        }
        drop(self.bash.kill());
        drop(self.bash.wait());
    }
}

fn parent(pid: i32) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
    stat.rsplit(')').next().and_then(|s| s.split_whitespace().nth(1)?.parse().ok()).expect("well formed")
}

fn state(pid: Pid) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.trim_start().chars().next()
}

/// Private modes that are not as a fresh terminal has them.
fn modes(text: &str) -> Vec<String> {
    let mut set = std::collections::BTreeMap::new();
    for part in text.split("\x1b[?").skip(1) {
        let number: String = part.chars().take_while(char::is_ascii_digit).collect();
        set.insert(number.clone(), part[number.len()..].starts_with('h'));
    }
    set.into_iter().filter(|(n, on)| *on != matches!(n.as_str(), "25" | "7")).map(|(n, _)| n).collect()
}

#[test]
fn leaving_leaves_nothing() {
    let shell = Shell::new(24, 80);
    let from = shell.now();
    shell.start();
    assert!(modes(&shell.since(0)).contains(&"1049".to_owned()), "it did take the terminal");
    shell.type_in("q");
    shell.is_sane_after(from, 0);
}

#[test]
fn a_killed_screen_is_cleaned_up_by_its_guard() {
    let shell = Shell::new(24, 80);
    // Not SIGSEGV: Rust's own handler takes a first one that no fault sent for its own.
    for signal in [Signal::SIGKILL, Signal::SIGILL, Signal::SIGABRT] {
        let from = shell.now();
        let (_, ui) = shell.start();
        shell.type_in("o");
        shell.wait("an orphan", || shell.alive().len() == 3);
        kill(ui, signal).expect("it lives");
        shell.is_sane_after(from, 128 + signal as u8);
        assert!(shell.since(from).contains(&format!("forklore was ended by {signal}; the terminal has been")));
    }
}

#[test]
fn a_screen_without_its_guard_leaves() {
    let shell = Shell::new(24, 80);
    let from = shell.now();
    let (guard, _) = shell.start();
    kill(guard, Signal::SIGKILL).expect("it lives");
    shell.wait_from(from, "outer process was killed");
    shell.is_sane_after(from, 137);
}

#[test]
fn a_hanging_screen_without_its_guard_is_ended_by_its_watchdog() {
    let shell = Shell::new(24, 80);
    let from = shell.now();
    let (guard, _) = shell.start();
    shell.type_in("h");
    kill(guard, Signal::SIGKILL).expect("it lives");
    shell.wait_from(from, "outer process was killed");
    shell.is_sane_after(from, 137);
}

#[test]
fn every_signal_to_either_process_ends_both() {
    let shell = Shell::new(24, 80);
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
        for hang in [false, true] {
            for to_guard in [false, true] {
                let from = shell.now();
                let (guard, ui) = shell.start();
                if hang {
                    shell.type_in("h");
                }
                kill(if to_guard { guard } else { ui }, signal).expect("it lives");
                shell.is_sane_after(from, 128 + signal as u8);
            }
        }
    }
}

#[test]
fn a_panic_is_readable_and_a_workers_panic_is_survived() {
    let shell = Shell::new(24, 80);
    // Between two frames, and in the middle of one.
    for key in ["p", "d"] {
        let from = shell.now();
        shell.start();
        shell.type_in("w");
        shell.wait_shown("worker was asked to");
        assert!(!shell.since(from).contains("\x1b[?1049l"), "the screen goes on");
        shell.type_in(key);
        shell.is_sane_after(from, 101);
        let text = shell.since(from);
        let (_, after) = text.rsplit_once("\x1b[?1049l").expect("the main screen again");
        assert!(after.contains("asked to\u{fffd}[31m"), "the message stands on the main screen, harmless: {after:?}");
    }
}

#[test]
fn an_abort_is_restored_by_the_guard() {
    let shell = Shell::new(24, 80);
    // Asked for; a panic while one unwinds; a stack that overflows: the latter two in the middle of a frame.
    for (key, words) in [("a", ""), ("n", "and again"), ("s", "has overflowed its stack")] {
        let from = shell.now();
        shell.start();
        shell.type_in(key);
        shell.is_sane_after(from, 134);
        assert!(shell.since(from).contains(words), "{:?}", shell.since(from));
    }
}

#[test]
fn ctrl_z_and_back_as_often_as_one_likes() {
    let shell = Shell::new(24, 80);
    let from = shell.now();
    let (guard, ui) = shell.start();
    let mut back = from;
    for round in 0..6 {
        let stopped = shell.now();
        match round % 3 {
            0 => shell.type_in("\x1a"),
            1 => kill(ui, Signal::SIGTSTP).expect("it lives"),
            _ => kill(guard, Signal::SIGTSTP).expect("it lives"),
        }
        shell.wait_from(stopped, "ready> ");
        shell.is_ours_again(from);
        back = shell.now();
        shell.type_in("fg; echo code=$?\n");
        shell.wait_from(back, "\x1b[?1049h");
        shell.wait_shown("; beat");
    }
    shell.type_in("q");
    shell.is_sane_after(back, 0);
}

#[test]
fn a_job_is_stopped_and_continued_as_a_whole() {
    let shell = Shell::new(24, 80);
    let from = shell.now();
    let (guard, ui) = shell.start();
    kill(ui, Signal::SIGSTOP).expect("it lives");
    shell.wait("the guard to stop, too", || state(guard) == Some('T'));
    shell.wait_from(from, "Stopped");
    shell.is_ours_again(from);
    let back = shell.now();
    shell.type_in("bg\n");
    shell.wait_from(back, "&");
    shell.wait("a background job to stop again", || state(guard) == Some('T') && state(ui) == Some('T'));
    shell.is_ours_again(from);
    let back = shell.now();
    shell.type_in("fg\n");
    shell.wait_from(back, "\x1b[?1049h");
    shell.wait_shown("; beat");
    shell.type_in("q");
    shell.wait("its end", || shell.alive().is_empty());
    shell.is_ours_again(from);
}

#[test]
fn killed_while_stopped() {
    let shell = Shell::new(24, 80);
    let from = shell.now();
    shell.start();
    shell.type_in("\x1a");
    shell.wait_from(from, "Stopped");
    shell.type_in("kill %1\n");
    shell.wait("its end", || shell.alive().is_empty());
    shell.is_ours_again(from);
}

#[test]
fn a_closed_terminal_ends_everything() {
    for hang in [false, true] {
        let mut shell = Shell::new(24, 80);
        shell.start();
        if hang {
            shell.type_in("h");
        }
        // The reader holds the other copy; it ends with the shell's session, so the session goes first.
        kill(Pid::from_raw(shell.bash.id() as i32), Signal::SIGKILL).expect("it lives");
        shell.master = None;
        shell.wait("everything to end", || shell.alive().is_empty());
    }
}

#[test]
fn a_terminal_that_nobody_reads_holds_nobody() {
    let (mut master, stdio) = pty(24, 80);
    let mut child = Command::new("setsid");
    let child = child.arg("-c").arg(termtest()).env("TERM", "xterm");
    let mut child = child.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().expect("setsid");
    let mut some = [0; 4096];
    let mut text = String::new();
    while !text.contains("ui=") {
        let n = master.read(&mut some).expect("it speaks");
        text.push_str(&String::from_utf8_lossy(&some[..n]));
    }
    master.write_all(b"f").expect("it listens");
    // Blocked in `write`: the program sleeps although it writes without end.
    let until = Instant::now() + DEADLINE;
    let full = |fd: &File| rustix::io::ioctl_fionread(fd).is_ok_and(|n| n >= 2048);
    while !full(&master) {
        assert!(Instant::now() < until, "it never filled the terminal");
        std::thread::sleep(Duration::from_millis(10));
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).expect("it lives");
    let until = Instant::now() + DEADLINE;
    let status = loop {
        if let Some(status) = child.try_wait().expect("our child") {
            break status;
        }
        assert!(Instant::now() < until, "held by a terminal that nobody reads");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(143));
}

#[test]
fn sizes_from_none_to_large_are_drawn() {
    for (rows, columns, shown) in [(0, 0, "80x24"), (24, 80, "80x24"), (200, 500, "500x200")] {
        let shell = Shell::new(rows, columns);
        let from = shell.now();
        shell.start();
        shell.wait_shown(shown);
        shell.type_in("q");
        shell.is_sane_after(from, 0);
    }
}

#[test]
fn a_thousand_resizes_end_in_the_last() {
    let shell = Shell::new(24, 80);
    let from = shell.now();
    shell.start();
    let resize = |ws_col, ws_row| {
        tcsetwinsize(shell.master(), Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 }).expect("a terminal");
    };
    for n in 0..1000u16 {
        resize(n % 90, n % 31);
    }
    resize(77, 13);
    shell.wait_shown("77x13");
    shell.type_in("q");
    shell.is_sane_after(from, 0);
}

#[test]
fn noise_and_a_huge_paste_are_survived() {
    let shell = Shell::new(24, 80);
    let from = shell.now();
    shell.start();
    // Everything but Ctrl-Z and the keys that mean something here, from a fixed generator.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let noise: Vec<u8> = (0..1 << 18)
        .map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 32) as u8
        })
        .filter(|b| !b"\x1aqpwahfozdns~".contains(b))
        .collect();
    let mut master = shell.master();
    master.write_all(&noise).expect("the terminal takes keys");
    let paste = vec![b'q'; 10 << 20];
    shell.type_in("\x1b\x1b[200~");
    master.write_all(&paste).expect("the terminal takes keys");
    shell.type_in("\x1b[201~");
    shell.wait_shown("paste of 65536");
    shell.type_in("q");
    shell.is_sane_after(from, 0);
}

#[test]
fn without_a_terminal_it_says_so_and_writes_no_escape() {
    for (stdin, stdout) in [(Stdio::null(), Stdio::null()), (Stdio::piped(), Stdio::piped())] {
        let child =
            Command::new(termtest()).stdin(stdin).stdout(stdout).stderr(Stdio::piped()).spawn().expect("it starts");
        let output = child.wait_with_output().expect("our child");
        let words = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(!words.contains('\x1b') && words.lines().count() == 1, "{words:?}");
    }
    // A terminal, but of no session.
    let (_master, stdio) = pty(24, 80);
    let mut child = Command::new("setsid");
    let child = child.arg("-w").arg(termtest()).stdin(stdio()).stdout(stdio()).stderr(Stdio::piped());
    let output = child.spawn().and_then(std::process::Child::wait_with_output).expect("setsid");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no controlling terminal"));
}
