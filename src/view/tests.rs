//! Every screen as a learner meets it, at four sizes: made from recorded runs and a small lesson, never from the machine
//! that the tests run on.

mod ends;
mod fixture;
mod keys;
mod ledger;
mod scroll;
mod sixteen;

use super::View;
use super::theme::{Charset, ColourDepth, Theme};
use crate::tour::Key::{self, Char, Down, Enter, Left, PageDown, Tab};
use crate::tour::{Event, Pane};
use fixture::{CRASH, CRASH_THREADS, ISOLATION, Set, TIMESLICE, rows};
use insta::assert_snapshot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use std::fmt::Write;

/// The sizes that screens are looked at: the least, the usual, a large window, a projector.
const SIZES: [(u16, u16); 4] = [(40, 12), (80, 24), (120, 36), (200, 60)];

/// Steps of the sample lesson, from 0.
const TURNS: usize = 0;
const MEMORIES: usize = 1;
const TABS: usize = 2;
const THREADS: usize = 3;
const LAST: usize = 4;

/// The screen at all sizes, one below the other.
fn at_all_sizes(set: &Set) -> String {
    let mut out = String::new();
    for (width, height) in SIZES {
        let drawn = set.draw(width, height, &Theme::default());
        let _ = writeln!(out, "{width}x{height}");
        rows(&drawn).iter().for_each(|row| _ = writeln!(out, "|{}", row.trim_end()));
    }
    out
}

fn catalogue() -> Set {
    Set::new()
}

fn catalogue_half_way() -> Set {
    let mut set = Set::new();
    set.tour.recall.seen.insert("sample".to_owned(), [0, 1].into());
    set.tour.recall.done.insert("plain".to_owned());
    set.tour.recall.place = Some(("sample".to_owned(), 1));
    set
}

fn before() -> Set {
    Set::at(TURNS)
}

/// A run that goes on: so many milliseconds of the recording have passed.
fn during(step: usize, recording: &str, ms: u64) -> Set {
    let mut set = Set::at(step);
    set.answer(1).run().play(recording, ms);
    set
}

/// A run that has ended and was judged.
fn after(step: usize, recording: &str, option: usize) -> Set {
    let mut set = Set::at(step);
    set.answer(option).run().play_all(recording);
    set
}

fn paused() -> Set {
    let mut set = during(TURNS, TIMESLICE, 700);
    set.keys([Char('p'), Left, Left, Left]);
    set
}

fn reading(mut set: Set) -> Set {
    // Learners on a small screen go back to the text when the run is over.
    if set.tour.player().is_some_and(|p| p.pane == Pane::Stage) {
        set.key(Tab);
    }
    set
}

fn help() -> Set {
    let mut set = during(TURNS, TIMESLICE, 700);
    set.key(Char('?'));
    set
}

fn presenting() -> Set {
    Set::presenting(TURNS)
}

fn presenting_a_run() -> Set {
    let mut set = Set::presenting(TURNS);
    set.answer(1).run().play(TIMESLICE, 700).key(Char('t'));
    set.event(Event::Clock(754));
    set
}

fn replay() -> Set {
    Set::replaying(CRASH)
}

fn notice() -> Set {
    let mut set = Set::at(TURNS);
    set.key(Char(' '));
    set
}

fn banner() -> Set {
    let mut set = Set::at(LAST);
    set.event(Event::Banner(Some(
        "Progress is not saved: No space left on device (ENOSPC). It is tried again.".into(),
    )));
    set
}

/// Each screen with its name.
fn screens() -> Vec<(&'static str, Set)> {
    [
        ("catalogue", catalogue()),
        ("catalogue_half_way", catalogue_half_way()),
        ("before", before()),
        ("turns_during", during(TURNS, TIMESLICE, 700)),
        ("turns_right", after(TURNS, TIMESLICE, 1)),
        ("turns_right_read", reading(after(TURNS, TIMESLICE, 1))),
        ("turns_wrong", reading(after(TURNS, TIMESLICE, 0))),
        ("memories_during", during(MEMORIES, ISOLATION, 200)),
        ("memories_outside", reading(after(MEMORIES, ISOLATION, 0))),
        ("memories_after", after(MEMORIES, ISOLATION, 0)),
        ("tabs_during", during(TABS, CRASH, 200)),
        ("tabs_after", after(TABS, CRASH, 1)),
        ("threads_after", after(THREADS, CRASH_THREADS, 0)),
        ("threads_after_read", reading(after(THREADS, CRASH_THREADS, 0))),
        ("paused", paused()),
        ("help", help()),
        ("presenting", presenting()),
        ("presenting_a_run", presenting_a_run()),
        ("replay", replay()),
        ("notice", notice()),
        ("banner", banner()),
    ]
    .into_iter()
    .chain(ledger::screens())
    .collect()
}

#[test]
fn every_screen_at_four_sizes() {
    for (name, set) in screens() {
        assert_snapshot!(name, at_all_sizes(&set));
    }
}

#[test]
fn a_screen_that_is_too_small_is_a_sentence() {
    let mut out = String::new();
    for (width, height) in [(39, 12), (40, 11), (20, 3)] {
        let drawn = before().draw(width, height, &Theme::default());
        let _ = writeln!(out, "{width}x{height}");
        rows(&drawn).iter().for_each(|row| _ = writeln!(out, "|{}", row.trim_end()));
    }
    assert_snapshot!("too_small", out);
}

#[test]
fn any_size_is_drawn_and_can_be_clicked() {
    for (name, set) in screens() {
        for (width, height) in [(0, 0), (1, 1), (0, 30), (120, 0), (1, 60), (300, 1), (40, 12), (99, 23), (100, 24)] {
            let drawn = set.draw(width, height, &Theme::default());
            assert_eq!(*drawn.area(), Rect::new(0, 0, width, height), "{name}");
            let theme = Theme::default();
            let view = View { tour: &set.tour, scene: &set.scene, theme: &theme };
            for y in (0..height.saturating_add(1)).step_by(3) {
                for x in (0..width.saturating_add(1)).step_by(7) {
                    let _ = view.hit(*drawn.area(), x, y);
                }
            }
        }
    }
    let set = paused();
    for width in 38..60 {
        for height in 10..26 {
            set.draw(width, height, &Theme::default());
        }
    }
}

/// The columns of `buf`'s row `y` that its cells take, wide characters with what they cover.
fn taken(buf: &Buffer, y: u16) -> u16 {
    let mut x = 0;
    while x < buf.area.width {
        x += u16::try_from(super::put::width(buf[(x, y)].symbol())).expect("one character").max(1);
    }
    x
}

#[test]
fn cells_hold_what_a_terminal_can_show() {
    for (name, set) in screens() {
        for (width, height) in SIZES {
            let drawn = set.draw(width, height, &Theme::default());
            for y in 0..height {
                assert_eq!(taken(&drawn, y), width, "{name} at {width}x{height}: row {y} does not end with the screen");
            }
            let acts = drawn.content().iter().find(|cell| cell.symbol().chars().any(char::is_control));
            assert!(acts.is_none(), "{name} at {width}x{height}: {acts:?}");
        }
    }
}

#[test]
fn without_colours_there_is_none_and_in_ascii_nothing_else() {
    for name in Theme::names() {
        let theme = Theme::named(name).expect("it is on the list").on(ColourDepth::None, Charset::Ascii);
        for (screen, set) in screens() {
            for (width, height) in SIZES {
                let drawn = set.draw(width, height, &theme);
                for cell in drawn.content() {
                    assert!(
                        [cell.fg, cell.bg, cell.underline_color] == [Color::Reset; 3],
                        "{screen} in {name}: {cell:?} has a colour"
                    );
                    assert!(cell.symbol().is_ascii(), "{screen} in {name}: {cell:?}");
                }
            }
        }
    }
}

#[test]
fn what_is_chosen_is_seen_without_colour() {
    let theme = Theme::default().on(ColourDepth::None, Charset::Ascii);
    let drawn = catalogue().draw(80, 24, &theme);
    let marked = |cell: &&ratatui::buffer::Cell| cell.modifier.intersects(Modifier::REVERSED | Modifier::BOLD);
    assert!(drawn.content().iter().any(|c| marked(&c)), "nothing marks the chosen lesson");
    assert!(rows(&drawn).iter().any(|row| row.contains("> ") && row.contains("Words only")), "{:#?}", rows(&drawn));
}

#[test]
fn without_arrows_their_keys_are_words_and_a_cut_is_no_full_stop() {
    let theme = Theme::default().on(ColourDepth::None, Charset::Ascii);
    let drawn = rows(&catalogue().draw(80, 24, &theme)).join("\n");
    assert!(drawn.contains("down choose") && !drawn.contains("v choose"), "{drawn}");
    let mut buf = Buffer::with_lines(["becom…"]);
    super::scrub::scrub(&mut buf, Charset::Ascii);
    assert_eq!(rows(&buf), ["becom~"]);
}

#[test]
fn lines_beyond_the_screen_are_counted_and_reached() {
    let mut set = reading(after(TURNS, TIMESLICE, 1));
    let first = rows(&set.draw(40, 12, &Theme::default())).join("\n");
    assert!(first.contains(" more "), "{first}");
    set.keys([Down; 60]);
    let last = rows(&set.draw(40, 12, &Theme::default())).join("\n");
    assert!(last.contains("Last words") && !last.contains(" more "), "{last}");
}

#[test]
fn a_click_hits_what_is_under_it() {
    use crate::tour::Click;
    let mut set = before();
    let theme = Theme::default();
    let drawn = set.draw(80, 24, &theme);
    let place = |drawn: &Buffer, words: &str| {
        let row = rows(drawn).iter().position(|row| row.contains(words)).unwrap_or_else(|| panic!("no {words}"));
        u16::try_from(row).expect("a row")
    };
    let hit = |set: &Set, y: u16| View { tour: &set.tour, scene: &set.scene, theme: &theme }.hit(drawn.area, 6, y);
    let options = ["under 1 ms", "1 ms .. 10 ms", "over 10 ms"];
    for (n, option) in options.into_iter().enumerate() {
        assert_eq!(hit(&set, place(&drawn, option)), Some(Click::Option(n)), "{option}");
    }
    assert_eq!(hit(&set, place(&drawn, "Watch how long")), Some(Click::Pane(Pane::Text)), "words are no option");
    set.event(Event::Click(Click::Option(2)));
    assert_eq!(set.tour.player().and_then(|p| p.asked[0].chosen), Some(2));
}

#[test]
fn a_question_below_the_screen_is_scrolled_to_before_it_is_answered() {
    let mut set = Set::at(TABS);
    let seen = |set: &mut Set| {
        let drawn = set.draw_and_tell(40, 12);
        rows(&drawn).join("\n")
    };
    let lines = "A line of its own.\n\n".repeat(9);
    set.tour.lessons[1].steps[TABS].blocks.splice(0..0, fixture::blocks(&lines));
    set.tour.open(1, TABS);
    assert!(!seen(&mut set).contains("How many"));
    for _ in 0..40 {
        if seen(&mut set).contains("  3   6") {
            break;
        }
        set.key(Down);
    }
    assert!(seen(&mut set).contains("▸ 1   0"), "the text was scrolled, the mark stayed: {}", seen(&mut set));
    set.key(Down);
    assert!(seen(&mut set).contains("▸ 2   5"), "then the mark moves: {}", seen(&mut set));
    set.tour.open(1, TABS);
    seen(&mut set);
    set.key(Enter);
    assert!(seen(&mut set).contains("  3   6") && set.tour.player().is_some_and(|p| p.asked[0].chosen.is_none()));
    set.key(Enter);
    assert!(set.tour.player().is_some_and(|p| p.asked[0].chosen == Some(0)));
}

#[test]
fn what_a_run_answers_is_in_sight_when_it_was_judged() {
    for (width, height) in [(80, 24), (100, 24), (80, 30), (120, 36)] {
        let mut set = Set::at(TURNS);
        let lines = "A line of its own.\n\n".repeat(20);
        set.tour.lessons[1].steps[TURNS].blocks.splice(0..0, fixture::blocks(&lines));
        set.tour.open(1, TURNS);
        let seen = |set: &mut Set| rows(&set.draw_and_tell(width, height)).join("\n");
        set.answer(1).run().play(TIMESLICE, 700);
        assert!(!seen(&mut set).contains("Yours was"), "{}", seen(&mut set));
        set.play_all(TIMESLICE);
        let answered = seen(&mut set);
        assert!(answered.contains("measured: 3.98 ms, you said"), "{width}x{height}: {answered}");
        assert!(answered.contains("Yours was 3.98 ms"), "{width}x{height}: {answered}");
        // From there the learner goes on as from anywhere.
        set.keys([Tab, Key::Home]);
        assert!(seen(&mut set).contains("A line of its own"), "{}", seen(&mut set));
        set.play_all(TIMESLICE);
        assert!(seen(&mut set).contains("A line of its own"), "who has scrolled stays: {}", seen(&mut set));
    }
}

#[test]
fn where_one_pane_hides_the_answer_the_foot_says_how_to_see_it() {
    let mut set = during(TURNS, TIMESLICE, 700);
    let seen = |set: &mut Set| rows(&set.draw_and_tell(40, 12)).join("\n");
    assert!(!seen(&mut set).contains("the answer"));
    set.play_all(TIMESLICE);
    assert!(seen(&mut set).contains(" tab the answer "), "{}", seen(&mut set));
    set.key(Tab);
    let read = seen(&mut set);
    assert!(read.contains("Yours was 3.98 ms") && !read.contains("the answer"), "{read}");
}

#[test]
fn a_long_notice_keeps_its_file_and_its_remedy() {
    let path = format!("/home/{}/state/forklore/progress.json", "a-long-name/".repeat(12).trim_end_matches('/'));
    let notice = format!("{path} cannot be read (EOF while parsing); it was moved aside to {path}.bad-1790000000");
    for (width, height) in SIZES {
        for mut set in [before(), presenting(), during(TURNS, TIMESLICE, 700)] {
            set.event(Event::Notice(notice.clone()));
            let drawn = rows(&set.draw(width, height, &Theme::default()));
            let said =
                drawn[usize::from(height) - 3..].iter().flat_map(|row| row.split_whitespace()).collect::<Vec<_>>();
            let said = said.join(" ");
            assert!(said.contains("progress.json cannot be read"), "{width}x{height}: {drawn:#?}");
            assert!(said.ends_with("progress.json.bad-1790000000"), "{width}x{height}: {drawn:#?}");
        }
    }
}

#[test]
fn on_a_small_screen_the_panes_take_turns() {
    let mut set = during(TURNS, TIMESLICE, 700);
    let seen = |set: &Set| rows(&set.draw(40, 12, &Theme::default())).join("\n");
    assert!(seen(&set).contains("timeslice"), "a run is looked at first: {}", seen(&set));
    set.key(Tab);
    assert!(seen(&set).contains("Taking turns"), "{}", seen(&set));
    set.keys([PageDown, Enter] as [Key; 2]);
    assert!(set.tour.player().is_some_and(|p| p.step > TURNS));
}

#[test]
fn the_foot_offers_the_next_picture_before_the_zoom_wherever_the_stage_is_seen() {
    let foot = |set: &Set, (width, height): (u16, u16)| {
        rows(&set.draw(width, height, &Theme::default())).pop().unwrap_or_default()
    };
    let (running, ended) = (during(TURNS, TIMESLICE, 700), after(THREADS, CRASH_THREADS, 0));
    for size in SIZES {
        assert!(foot(&running, size).contains("v picture"), "{size:?}");
        if size != SIZES[0] {
            assert!(foot(&ended, size).contains("v picture"), "{size:?}");
        }
    }
    let wide = foot(&ended, SIZES[3]);
    assert!(wide.find("v picture") < wide.find("] zoom"), "{wide}");
    assert!(!foot(&reading(during(TURNS, TIMESLICE, 700)), SIZES[0]).contains("v picture"), "only the text is seen");
    assert!(!foot(&paused(), SIZES[3]).contains("v picture"), "while paused the lanes stay");
}
