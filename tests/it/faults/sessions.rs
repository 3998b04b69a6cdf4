//! What a start says of the session before it: that it was cut off if it was, and nothing if it was not.

use super::common::{Lessons, home, is_restored, leave, log, opened, sane_after, send, tells_of_a_cut, ui};
use crate::support::{Ended, Patience, Pty, User};
use nix::sys::signal::Signal;
use std::path::Path;
use std::time::Duration;

fn start(lessons: &Lessons, user: User, home: &Path) -> Pty {
    let pty = lessons.tour(user, "try:1").env("HOME", home).start();
    opened(&pty);
    pty
}

/// Kills guard and screen in one go: nobody is left to say or to restore anything, as when the machine goes.
fn cut_off(pty: &mut Pty) {
    let screen = ui(pty);
    pty.signal(Signal::SIGSTOP);
    assert!(send(&screen, Signal::SIGKILL));
    pty.signal(Signal::SIGKILL);
    while pty.wait() != Ended::Signal(Signal::SIGKILL) {}
    pty.assert_nothing_left(Patience(Duration::from_secs(10)));
    assert!(!log(pty).contains("forklore was ended"), "nobody was there to say so");
}

#[test]
fn a_start_after_a_cut_says_so_once() {
    let lessons = Lessons::trial();
    for user in User::all() {
        let home = home(user);
        for _ in 0..2 {
            let mut pty = start(&lessons, user, home.path());
            pty.send(" ");
            cut_off(&mut pty);
        }
        // In a lesson as in the catalogue, and before the first key.
        let mut pty = start(&lessons, user, home.path());
        pty.until(|screen| screen.contains("The last session was cut off; all that it had saved is here"), "the cut");
        assert_eq!(log(&pty).matches("cut off").count(), 1);
        leave(&mut pty);
        assert!(!tells_of_a_cut(&lessons, user, home.path()), "it was said already");
    }
}

#[test]
fn an_end_in_good_order_is_no_cut() {
    let lessons = Lessons::trial();
    for user in User::all() {
        let home = home(user);
        let mut pty = start(&lessons, user, home.path());
        leave(&mut pty);
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
            let mut pty = start(&lessons, user, home.path());
            pty.signal(signal);
            sane_after(&mut pty, Ended::Code(128 + signal as i32));
        }
        let mut pty = start(&lessons, user, home.path());
        pty.send("\x1a");
        pty.wait_stopped();
        // What the screen shows before that is the last frame, and a key would be the terminal's.
        let back = Patience::default().wait(|| pty.modes_left().is_empty().then_some(()));
        assert!(back.is_some(), "{:?}", pty.modes_left());
        pty.bring_back();
        opened(&pty);
        leave(&mut pty);
        assert!(!tells_of_a_cut(&lessons, user, home.path()));
        let left = std::fs::read_dir(home.path().join(".local/state/forklore")).expect("the state").flatten();
        let marks: Vec<_> = left.filter(|e| e.file_name().to_string_lossy().starts_with("session")).collect();
        assert!(marks.is_empty(), "{marks:?}");
    }
}

#[test]
fn several_at_once_accuse_each_other_of_nothing() {
    let lessons = Lessons::trial();
    let home = home(User::Me);
    let (mut one, mut two) = (start(&lessons, User::Me, home.path()), start(&lessons, User::Me, home.path()));
    assert!(!log(&one).contains("cut off") && !log(&two).contains("cut off"));
    // One that is stopped lives.
    one.send("\x1a");
    one.wait_stopped();
    assert!(!tells_of_a_cut(&lessons, User::Me, home.path()));
    one.bring_back();
    cut_off(&mut two);
    assert!(tells_of_a_cut(&lessons, User::Me, home.path()), "two was cut off, though one lives");
    assert!(!tells_of_a_cut(&lessons, User::Me, home.path()));
    opened(&one);
    leave(&mut one);
    assert!(!tells_of_a_cut(&lessons, User::Me, home.path()));
}

/// Nowhere to leave a mark: nothing is told, and nothing else suffers.
#[test]
fn without_a_place_for_a_mark_nothing_is_told() {
    let lessons = Lessons::trial();
    for _ in 0..2 {
        let mut pty = lessons.tour(User::Me, "try:1").env("XDG_STATE_HOME", "/dev/null/x").start();
        opened(&pty);
        let screen = ui(&pty);
        assert!(send(&screen, Signal::SIGKILL));
        assert_eq!(pty.wait(), Ended::Code(137));
        is_restored(&pty);
        assert!(!log(&pty).contains("cut off"));
    }
}
