//! A screen with nothing on it but a heartbeat: what the terminal tests drive, and a way to try a terminal by hand.
//!
//! Keys: q leaves, p panics, w panics in a worker, a aborts, h hangs, f floods, o leaves an orphan, Ctrl-Z suspends.
//! In the middle of a frame: d panics, n panics and once more while that unwinds, s overflows the stack.

use crossterm::event::{Event, KeyCode, KeyModifiers};
use forklore::term::{self, Notice, Screen, Suspended, guard};
use ratatui::widgets::{Paragraph, Wrap};
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

enum Happened {
    Input(Event),
    Notice(Notice),
    WorkerPanicked(String),
}

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some((by, _)) = guard::recognise(&args) {
        return tour(Some(by));
    }
    if let Err(why) = term::interactive() {
        eprintln!("termtest: {why}");
        return ExitCode::from(2);
    }
    match guard::guard(&args) {
        Ok(code) => ExitCode::from(code),
        Err(_) => tour(None),
    }
}

fn tour(by: Option<guard::GuardedBy>) -> ExitCode {
    let run = || -> std::io::Result<u8> {
        term::block_signals()?;
        let (tell, told) = channel();
        let panics = tell.clone();
        term::install_panic_hook(move |message| drop(panics.send(Happened::WorkerPanicked(message))));
        let notices = tell.clone();
        let _watchdog = term::watch(by, Box::new(move |notice| drop(notices.send(Happened::Notice(notice)))))?;
        let mut screen = Screen::new()?;
        let keys = tell.clone();
        let _input = term::input::listen(Box::new(move |event| drop(keys.send(Happened::Input(event)))))?;
        let (mut last, mut trap) = (String::from("nothing"), None);
        for beat in 0.. {
            screen.draw(|frame| {
                let size = frame.area();
                let text =
                    format!("ui={}; beat {beat}\n{}x{}\nlast {last};", std::process::id(), size.width, size.height);
                frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), size);
                trap.into_iter().for_each(spring);
            })?;
            let first = told.recv_timeout(Duration::from_millis(100));
            for happened in first.into_iter().chain(told.try_iter()) {
                match happened {
                    Happened::Notice(Notice::Resumed) => screen.resume()?,
                    Happened::Notice(Notice::Suspend) => last = suspend(&mut screen)?,
                    Happened::Notice(notice) => match notice.exit_code() {
                        Some(code) => {
                            drop(screen);
                            if notice == Notice::GuardGone {
                                eprint!("{}", term::GUARD_GONE);
                            }
                            return Ok(code);
                        }
                        None => last = format!("{notice:?}"),
                    },
                    Happened::WorkerPanicked(message) => {
                        last = format!("worker: {}", message.rsplit(": ").next().unwrap_or_default());
                    }
                    Happened::Input(Event::Key(key)) => match (key.code, key.modifiers) {
                        (KeyCode::Char('q'), KeyModifiers::NONE) => return Ok(0),
                        (KeyCode::Char(c @ ('d' | 'n' | 's')), KeyModifiers::NONE) => trap = Some(c),
                        (KeyCode::Char('z'), KeyModifiers::CONTROL) => last = suspend(&mut screen)?,
                        (KeyCode::Char(c), KeyModifiers::NONE) => last = act(c),
                        _ => last = format!("{:?}", key.code),
                    },
                    Happened::Input(Event::Paste(text)) => last = format!("paste of {}", text.len()),
                    Happened::Input(_) => {}
                }
            }
        }
        Ok(1)
    };
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            term::restore();
            // The terminal may be gone: a print macro would panic.
            drop(std::io::Write::write_all(&mut std::io::stderr(), format!("termtest: {error}\n").as_bytes()));
            ExitCode::from(1)
        }
    }
}

fn suspend(screen: &mut Screen) -> std::io::Result<String> {
    Ok(match screen.suspend()? {
        Suspended::AndBack => "back".into(),
        Suspended::NoShell => "no shell".into(),
    })
}

fn act(key: char) -> String {
    match key {
        'p' => panic!("asked to\u{1b}[31m"),
        'a' => std::process::abort(),
        'h' => loop {
            std::thread::park();
        },
        'w' => {
            let worker = std::thread::Builder::new().name("worker".into()).spawn(|| panic!("worker was asked to"));
            drop(worker.map(|w| w.join().is_err()));
            "asked a worker".into()
        }
        'f' => {
            // Blocks in `write` as soon as nobody reads.
            loop {
                if std::io::Write::write_all(&mut std::io::stdout(), &[b'.'; 65536]).is_err() {
                    break "the terminal is gone".into();
                }
            }
        }
        'o' => {
            let orphan = std::process::Command::new("setsid").args(["-f", "sleep", "1000"]).status();
            format!("orphan {}", orphan.is_ok_and(|s| s.success()))
        }
        key => format!("key {key}"),
    }
}

/// In the middle of a frame.
fn spring(trap: char) {
    struct Again;
    impl Drop for Again {
        fn drop(&mut self) {
            panic!("and again");
        }
    }
    fn deeper(depth: u64) -> u64 {
        let frame = std::hint::black_box([depth; 512]);
        if depth == u64::MAX { depth } else { deeper(depth + 1) + frame[0] }
    }
    let _again = (trap == 'n').then(|| Again);
    if trap == 's' {
        deeper(0);
    }
    panic!("asked to\u{1b}[31m");
}
