//! Workers that wait for each other in a circle: a learner can open it and see it close again, and sees it still when the run
//! has ended. That it is gone when somebody leaves is tried in `stuck`.

use super::common::{Lessons, below, leave, lesson, ui};
use crate::support::{Patience, Pty, User};

const BOTH: [&str; 2] = ["threads", "processes"];

/// The tour at a table of five who are stuck.
fn tour(user: User, what: &str) -> Pty {
    let lessons = Lessons::empty();
    let step = format!("## On trial\nWords.\n\n```demo deadlock\nas = \"{what}\"\npace = 100\nexpect = {{}}\n```\n\n");
    lessons.write("01-try.md", lesson("try", "Trying", &step));
    // Too small for a picture of a table: a line for each is easier to read, for a test too.
    let pty = lessons.tour(user, "try:1").size(80, 24).start();
    pty.until(|screen| screen.contains("On trial"), "the step");
    pty.send(" ");
    pty.until(|screen| screen.contains("A waits for B"), "a circle");
    pty
}

#[test]
fn who_ends_the_run_sees_the_circle_still() {
    for what in BOTH {
        let mut pty = tour(User::Me, what);
        let ui = ui(&pty).pid;
        pty.send(" ");
        pty.until(|screen| screen.contains("ended after"), "the end of the run");
        let gone = Patience::default().wait(|| (below(ui) == 0).then_some(()));
        assert!(gone.is_some(), "{what}: {:?}", pty.children());
        pty.until(|screen| screen.contains("A waits for B") && !screen.contains("dead,"), "the circle as it was");
        leave(&mut pty);
    }
}

#[test]
fn a_circle_opens_and_closes_again_and_does_not_once_one_is_turned() {
    let mut pty = tour(User::Me, "processes");
    // A gives its fork back: E eats, and in the end all are stuck again, with the same habit.
    pty.send("g");
    pty.until(|screen| screen.contains("No circle") || screen.contains("· 1 meal"), "an open circle");
    pty.until(|screen| screen.contains("A waits for B") && screen.contains("· 1 meal"), "the circle once more");
    // Turned, it is the one that does not fit into a circle.
    pty.send("og");
    pty.until(|screen| screen.contains("· 6 meals"), "meals without end");
    leave(&mut pty);
}

#[test]
fn the_fork_of_a_dead_one_stays_taken_and_a_thread_is_not_killed() {
    let mut pty = tour(User::Me, "processes");
    pty.send("x");
    pty.until(|screen| screen.contains("of A, who is dead") && screen.contains("4 wait for ever"), "the dead owner");
    leave(&mut pty);
    let mut pty = tour(User::Me, "threads");
    pty.send("x");
    pty.until(|screen| screen.contains("killing one thread"), "the refusal");
    leave(&mut pty);
}
