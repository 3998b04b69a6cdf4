//! The wall clock turned while the tour runs: only what is shown and kept of it may follow.

use super::common::{Lessons, home, leave, lesson, opened, state};
use crate::support::{Pty, Shim, User};
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

/// 2100-01-01 and the end of 32 bits in 2038.
const CENTURY: i64 = 4_102_444_800;
const END_OF_32_BITS: i64 = 1 << 31;

/// Runs the step's demo; meanwhile the clock is turned once more.
fn run(pty: &Pty, shim: &Shim, meanwhile: i64) {
    pty.send(" ");
    pty.until(|screen| screen.contains("running "), "the demo");
    shim.turn_clock(meanwhile);
    pty.send("?");
    pty.until(|screen| screen.contains("─ Keys ─"), "the help");
    pty.send("?");
    pty.until(|screen| screen.contains("running "), "the demo goes on");
    pty.send(" ");
    let screen = pty.until(|screen| screen.contains("ended after"), "its end");
    let seconds = screen.split("ended after").nth(1).and_then(|rest| rest.split_whitespace().next());
    let seconds: f64 = seconds.and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("how long it took: {screen}"));
    assert!((0.0..120.0).contains(&seconds), "{seconds} s\n{screen}");
}

#[test]
fn turned_to_any_time_it_loses_nothing_and_no_time_is_negative() {
    let Some(shim) = Shim::new("a clock that is turned") else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs().cast_signed();
    let times = [now - DAY, 0, -DAY, END_OF_32_BITS - 1, END_OF_32_BITS, CENTURY, 0, now];
    let steps: String = (1..=times.len())
        .map(|n| format!("## On trial: {n} of it\nWords.\n\n```demo timeslice\nexpect = {{}}\n```\n\n"))
        .collect();
    let lessons = Lessons::empty();
    lessons.write("01-turn.md", lesson("turn", "Turning", &steps));
    for user in User::all() {
        let home = home(user);
        let mut pty = shim.before(lessons.tour(user, "turn").env("HOME", home.path())).start();
        opened(&pty);
        let mut kept_at = Vec::new();
        for (n, time) in times.into_iter().enumerate() {
            shim.turn_clock(time);
            if n > 0 {
                pty.send("n");
            }
            pty.until(|screen| screen.contains(&format!("{} of it", n + 1)), "the next step");
            // Every second one is turned in the middle of a run, too.
            if n % 2 == 1 {
                run(&pty, &shim, times[(n + 1) % times.len()]);
            }
            kept_at.push(time);
        }
        leave(&mut pty);
        let kept = state(home.path());
        let seen = kept["lessons"]["turn"]["seen"].as_array().map(Vec::len);
        assert_eq!(seen, Some(times.len()), "{kept}");
        // Where the learner was last, though it was at other times "later": and no moment is before 1970.
        let (step, when) = (&kept["last"]["step"], kept["last"]["when"].as_u64());
        assert_eq!(step.as_u64(), Some(times.len() as u64), "{kept}");
        let latest = CENTURY.cast_unsigned();
        assert!(when.is_some_and(|when| (latest..latest + 60).contains(&when)), "the clock was turned: {kept}");
        assert!(!kept.to_string().contains("\"when\":-"), "{kept}");

        // And the next start, years before what it finds.
        shim.turn_clock(0);
        let mut pty = shim.before(lessons.tour(user, "").env("HOME", home.path())).start();
        let screen = pty.until(|screen| screen.contains("Lessons") && screen.contains("Turning"), "the catalogue");
        assert!(!screen.contains("cut off") && !screen.contains("not kept"), "{screen}");
        leave(&mut pty);
    }
}
