//! The tour as a learner drives it: the real program on a terminal, its keys, what is then on the screen, and what it
//! leaves behind. Nothing waits for a time; everything waits for what must be seen.

mod lab;
mod ledger;

use crate::support::{Ended, Launch, Patience, Pty, User};
use std::cell::RefCell;

const ENTER: &str = "\r";
const ESC: &str = "\x1b";
const LEFT: &str = "\x1b[D";
const DOWN: &str = "\x1b[B";

/// A screen on which text and stage stand side by side.
const WIDE: (u16, u16) = (120, 36);

fn forklore(args: &[&str], (columns, rows): (u16, u16), user: User) -> Pty {
    Launch::forklore().args(args).size(columns, rows).user(user).start()
}

/// Waits for all of `words` at once.
fn sees(pty: &Pty, words: &[&str]) -> String {
    pty.until(|screen| words.iter().all(|word| screen.contains(word)), &words.join(" and "))
}

/// Waits until none of `words` is there any more.
fn misses(pty: &Pty, words: &[&str]) -> String {
    pty.until(|screen| words.iter().all(|word| !screen.contains(word)), &format!("no {}", words.join(", no ")))
}

/// Presses `key` until the screen shows what it must: the first press may come before the screen that takes it.
fn press(pty: &Pty, key: &str, words: &[&str]) -> String {
    pty.send(key);
    sees(pty, words)
}

/// Goes down the catalogue to the lesson called `title`, wherever it stands.
fn choose(pty: &Pty, title: &str) {
    let chosen = |screen: &str| screen.lines().find(|line| line.contains('▸')).map(str::to_owned);
    let mut line = chosen(&sees(pty, &["Lessons", "▸"])).unwrap_or_default();
    while !line.contains(title) {
        pty.send(DOWN);
        let screen = pty.until(|screen| chosen(screen).is_some_and(|now| now != line), title);
        line = chosen(&screen).unwrap_or_default();
    }
}

/// Leaves with `keys`, and finds all as it was before.
fn leave(mut pty: Pty, keys: &str) {
    pty.send(keys);
    assert_eq!(pty.wait(), Ended::Code(0), "{}", pty.screen());
    assert_eq!((pty.modes_left(), pty.csi_foreign()), (vec![], vec![]));
    assert!(pty.termios_unchanged(), "the terminal's settings are not those it had");
    pty.assert_nothing_left(Patience::default());
    pty.surroundings.marker.assert_gone(Patience::default());
}

/// What stands behind `before` on the screen, up to a space or a frame.
fn word_after(screen: &str, before: &str) -> Option<String> {
    let (_, rest) = screen.split_once(before)?;
    let word: String = rest.trim_start().chars().take_while(|c| !c.is_whitespace()).collect();
    (!word.is_empty()).then_some(word)
}

/// Row and column of `words`, from 1, as mice count.
fn place(screen: &str, words: &str) -> (usize, usize) {
    let found = screen
        .lines()
        .enumerate()
        .find_map(|(row, line)| line.find(words).map(|at| (row + 1, line[..at].chars().count() + 1)));
    found.unwrap_or_else(|| panic!("no {words} on\n{screen}"))
}

#[test]
fn from_the_catalogue_to_a_measured_answer_and_back() {
    for user in User::all() {
        let pty = forklore(&[], WIDE, user);
        choose(&pty, "One core");
        press(&pty, ENTER, &["Two processes, one core", "step 1/", "over 40 %", "space run"]);
        press(&pty, "3", &["you said"]);
        press(&pty, " ", &["running", "changed hands", "2 processes", "core 0"]);
        pty.until(|s| s.contains("← measured") || s.contains("Measured here"), "the machine's answer");
        sees(&pty, &["%", "They never ran at the same moment"]);
        press(&pty, "p", &["paused at", "p go on"]);
        steer_while_paused(&pty);
        press(&pty, "p", &["running"]);
        press(&pty, "+", &["3 processes"]);
        press(&pty, "-", &["3 processes, 2 alive"]);
        press(&pty, "-", &["3 processes, 1 alive"]);
        press(&pty, "-", &["removing the last worker", "3 processes, 1 alive"]);
        press(&pty, "q", &["Lessons", "1 of 9 steps"]);
        leave(pty, "q");
    }
}

/// Moves the cursor, zooms, and goes from turn to turn.
fn steer_while_paused(pty: &Pty) {
    let moment = |screen: &str| word_after(screen, "paused at");
    let before = moment(&pty.screen());
    pty.send(LEFT.repeat(3));
    pty.until(|screen| moment(screen).is_some_and(|now| Some(now) != before), "the cursor elsewhere");
    // Some turn in words: of A or B, or who had the core before.
    pty.send(",,");
    pty.until(|screen| screen.contains(" on core 0") || screen.contains(" is on core"), "the turn in words");
    let scale = |screen: &str| word_after(screen, "┘ ");
    let before = scale(&pty.screen());
    pty.send("]]");
    pty.until(|screen| scale(screen) != before, "another scale");
    pty.send("[[");
}

#[test]
fn a_victims_card_says_how_it_ended() {
    for user in User::all() {
        let pty = forklore(&["crash"], WIDE, user);
        sees(&pty, &["Six tabs, six processes", "space run"]);
        press(&pty, "2", &["you said"]);
        press(&pty, " ", &["crash: 6 processes", "alive and counting"]);
        sees(&pty, &["ended by SIGSEGV", "6 processes, 5 alive"]);
        // The learner breaks another one.
        press(&pty, "f", &["fault abort"]);
        pty.send(".x");
        pty.until(|screen| screen.contains("ended by SIGABRT"), "a second victim");
        press(&pty, " ", &["ended after", "ended by itself"]);
        leave(pty, "qq");
    }
}

#[test]
fn pages_turn_one_by_one() {
    for user in User::all() {
        let pty = forklore(&["isolation:3"], WIDE, user);
        press(&pty, "2", &["you said"]);
        press(&pty, " ", &["isolation: 2 processes", "the same address"]);
        // "child 4121: 12 own, 52 shared", above the child's grid.
        let own = |screen: &str| {
            let heads = screen.split("child ").skip(1).filter_map(|rest| rest.split_once(": "));
            let mut grids = heads.filter(|(pid, _)| pid.parse::<u32>().is_ok());
            grids.next()?.1.split_once(" own")?.0.parse::<u32>().ok()
        };
        let counts = RefCell::new(Vec::new());
        pty.until(
            |screen| {
                let mut counts = counts.borrow_mut();
                counts.extend(own(screen));
                counts.dedup();
                counts.iter().any(|n| (1..64).contains(n)) && counts.last() == Some(&64)
            },
            "pages that turn until all are the child's own",
        );
        assert!(counts.borrow().is_sorted(), "no page turns back: {counts:?}");
        leave(pty, "qq");
    }
}

#[test]
fn the_projectors_screen_has_a_clock_and_no_chrome() {
    let pty = forklore(&["present", "one-core:3"], (80, 24), User::Me);
    let screen = sees(&pty, &["How long is a turn?", "over 25 ms"]);
    assert!(!screen.contains("forklore ") && !screen.contains("leave"), "{screen}");
    press(&pty, "t", &["0:0"]);
    press(&pty, "2", &["you said"]);
    press(&pty, " ", &["timeslice: 3 processes", "changed hands"]);
    leave(pty, "q");
}

#[test]
fn a_recording_is_shown_and_said_to_be_one() {
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recordings/crash.jsonl");
    let pty = forklore(&["replay", recording], WIDE, User::Me);
    sees(&pty, &["crash", "recorded", "ended by SIGSEGV"]);
    press(&pty, "v", &["core 0", "changed hands"]);
    press(&pty, "p", &["paused at"]);
    press(&pty, " ", &["recorded, 1.0 s"]);
    leave(pty, "q");
}

#[test]
fn one_goes_on_where_one_left() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let start = |args: &[&str]| Launch::forklore().args(args).env("XDG_STATE_HOME", state.path()).start();
    let pty = start(&[]);
    choose(&pty, "Crash containment");
    press(&pty, ENTER, &["Six tabs, six processes"]);
    press(&pty, "n", &["The same six, as threads", "step 2/"]);
    press(&pty, "n", &["Eight ways to go wrong", "step 3/"]);
    press(&pty, "T", &["Theme: "]);
    leave(pty, "\x03");
    let pty = start(&[]);
    sees(&pty, &["3 of 9 steps"]);
    press(&pty, ENTER, &["Eight ways to go wrong", "step 3/"]);
    leave(pty, "\x03");
}

#[test]
fn help_is_over_the_screen_and_goes() {
    let pty = forklore(&["one-core"], (80, 24), User::Me);
    sees(&pty, &["Two processes, one core"]);
    press(&pty, "?", &["Keys", "In a lesson", "the next step"]);
    pty.send(DOWN.repeat(40));
    sees(&pty, &["leave the program"]);
    pty.send(ESC);
    misses(&pty, &["leave the program", "Keys"]);
    leave(pty, "qq");
}

#[test]
fn themes_take_turns() {
    let pty = Launch::forklore().env("COLORTERM", "truecolor").start();
    sees(&pty, &["Lessons", "leave"]);
    let ground = || pty.cell(12, 70).bgcolor();
    let dark = ground();
    // The notice stands in the last row, which is drawn last.
    let grounds = ["light", "contrast", "dark"].map(|name| {
        press(&pty, "T", &[&format!("Theme: {name}")]);
        ground()
    });
    assert_ne!(grounds[0], dark, "the light theme has another ground");
    assert_eq!(grounds[2], dark);
    leave(pty, "q");
}

#[test]
fn the_mouse_answers_and_the_wheel_scrolls() {
    let pty = forklore(&["one-core"], (80, 36), User::Me);
    let screen = sees(&pty, &["10 % .. 40 %"]);
    let (row, column) = place(&screen, "10 % .. 40 %");
    pty.send(format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"));
    let screen = sees(&pty, &["you said"]);
    let (said, _) = place(&screen, "you said");
    assert_eq!(said, place(&screen, "10 % .. 40 %").0, "{screen}");
    pty.resize(40, 12);
    sees(&pty, &[" more ", "You type"]);
    pty.send("\x1b[<65;10;5M".repeat(2));
    misses(&pty, &["You type"]);
    pty.send("\x1b[<64;10;5M".repeat(9));
    // The screen right after the resize is nothing to compare with: the rest of a frame of the old size may still come.
    let screen = sees(&pty, &[" more ", "You type"]);
    assert_eq!(place(&screen, "You type").0, 3, "the top of the text again: {screen}");
    leave(pty, "qq");
}

#[test]
fn a_click_on_the_stage_pauses_or_chooses() {
    let click = |(row, column): (usize, usize)| format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m");
    let pty = forklore(&["one-core"], WIDE, User::Me);
    sees(&pty, &["Two processes, one core", "over 40 %"]);
    press(&pty, "3", &["you said"]);
    let screen = press(&pty, " ", &["running", "core 0 ▏", "worker", "B ▒ gold"]);
    let (row, column) = place(&screen, "B ▒ gold");
    press(&pty, &click((row, column)), &["▸ B ▒ gold"]);
    let (row, column) = place(&screen, "core 0 ▏");
    press(&pty, &click((row, column + 20)), &["paused at", "▲"]);
    press(&pty, ESC, &["running"]);
    leave(pty, "qq");
}

#[test]
fn small_screens_show_one_pane_and_smaller_ones_a_sentence() {
    let pty = forklore(&["one-core"], (40, 12), User::Me);
    sees(&pty, &["Two processes, one core", " more "]);
    // The question is below: the arrow leads to it.
    press(&pty, &DOWN.repeat(26), &["over 40 %"]);
    press(&pty, "3", &["you said"]);
    press(&pty, " ", &["timeslice", "core 0"]);
    press(&pty, "\t", &["Two processes"]);
    press(&pty, "\t", &["timeslice"]);
    pty.resize(39, 11);
    sees(&pty, &["forklore needs 40 columns"]);
    pty.resize(40, 12);
    misses(&pty, &["forklore needs"]);
    leave(pty, "qq");
}

#[test]
fn a_screen_may_change_its_size_while_a_demo_runs() {
    let pty = forklore(&["one-core"], WIDE, User::Me);
    sees(&pty, &["Two processes, one core"]);
    press(&pty, "1", &["you said"]);
    press(&pty, " ", &["running"]);
    for (columns, rows) in [(80, 24), (39, 11), (200, 60), (40, 12), (1, 1), (400, 120)] {
        pty.resize(columns, rows);
        let wanted = if columns < 40 { "n" } else { "core 0" };
        pty.until(|screen| screen.contains(wanted) || columns == 1, &format!("{wanted} at {columns}x{rows}"));
    }
    sees(&pty, &["running", "core 0", "worker"]);
    // What is seen in between is still of the size before.
    let wide = |screen: &str| screen.lines().any(|line| line.chars().count() > 390);
    pty.until(wide, "that the whole of a large screen is used");
    leave(pty, "qq");
}

#[test]
fn leaving_in_the_middle_of_a_run_leaves_nothing() {
    for keys in ["\x03", "qq", " qq"] {
        let pty = forklore(&["crash:2"], (80, 24), User::Me);
        sees(&pty, &["The same six, as threads"]);
        pty.send("1 ");
        sees(&pty, &["crash: 6 threads"]);
        leave(pty, keys);
    }
}

#[test]
fn a_measuring_demo_goes_on_and_stops_as_the_learner_wishes() {
    let pty = forklore(&["switching:7"], WIDE, User::Me);
    sees(&pty, &["The ladder", "How many function calls"]);
    // Past the prediction, then the run.
    pty.send(" ");
    press(&pty, " ", &["function call", "of 80 on CPU"]);
    press(&pty, "o", &["of 160 on CPU"]);
    pty.send("e");
    let screen = pty.until(|screen| screen.contains(" rounds on CPU"), "the end");
    let rounds = screen.split(" rounds on CPU").next().and_then(|before| before.split_whitespace().next_back());
    let rounds: u32 = rounds.and_then(|word| word.parse().ok()).expect("a number of rounds");
    assert!(rounds < 160, "{screen}");
    leave(pty, "qq");
}
