//! The ledger's page: made from a small ledger and recorded runs.

use super::fixture::{CRASH, ISOLATION, Set, TIMESLICE, rows};
use super::{SIZES, Theme};
use crate::demo;
use crate::lesson::ClaimIds;
use crate::lore::{Lang, Ledger, Verdict};
use crate::tour::Key::{self, Char, Down, Enter, Esc, Tab};
use crate::tour::{Click, Event, Side, Told};
use crate::view::View;
use crate::view::theme::{Charset, ColourDepth};

const LEDGER: &str = include_str!("ledger.toml");

/// The sample's claims, in the order of the page.
const CRASHES: &str = "001-01";

fn book() -> Ledger {
    let ids: ClaimIds =
        ["001-01", "001-01b", "001-02", "001-03", "001-04", "001-05"].map(|id| (id, "")).into_iter().collect();
    Ledger::read("ledger.toml", LEDGER, &demo::specs(), &ids).expect("the small ledger")
}

fn opened(lang: Lang) -> Set {
    let mut set = Set::new();
    set.tour.lessons[1].claims = ["001-01", "001-01b", "001-02", "001-03"].map(str::to_owned).into();
    set.tour.lessons[1].steps[2].claims = vec![CRASHES.to_owned()];
    set.tour.lessons[0].claims = vec!["001-05".to_owned()];
    set.tour = set.tour.with_ledger(Ok(book()), lang);
    set.key(Char('L'));
    set
}

/// At the claim with this id.
fn at(id: &str) -> Set {
    let mut set = opened(Lang::En);
    go(&mut set, id);
    set
}

fn go(set: &mut Set, id: &str) {
    let n = set.tour.claims.find(id).expect(id);
    if set.tour.page().expect("the ledger").cursor != n {
        set.event(Event::Click(Click::Claim(n)));
    }
}

fn said(id: &str, key: char) -> Set {
    let mut set = at(id);
    set.key(Char(key));
    set
}

fn testing() -> Set {
    let mut set = said(CRASHES, 'y');
    set.run().play(CRASH, 200);
    set
}

fn tested(id: &str, key: char, recording: &str) -> Set {
    let mut set = said(id, key);
    set.run().play_all(recording);
    set
}

fn reading(mut set: Set) -> Set {
    set.event(Event::Click(Click::Side(Side::Claim)));
    set
}

/// The second of three runs goes on, and the learner looks through the list.
fn testing_all() -> Set {
    let mut set = said(CRASHES, 'n');
    set.key(Char('a'));
    set.play_all(ISOLATION);
    set.play(CRASH, 200);
    set.key(Down);
    set
}

fn elsewhere() -> Set {
    let mut set = said("001-05", 'n');
    let elsewhere = Some("Some processor, 16 cores, 32000 MiB, Linux 6.1".to_owned());
    let told = Told { verdict: Verdict::Fails, because: "own_before 0".to_owned(), shown: Vec::new(), elsewhere };
    set.tour.recall.answers.insert("001-05".to_owned(), told);
    reading(set)
}

fn searching() -> Set {
    let mut set = opened(Lang::En);
    set.keys("/tabs live".chars().map(Char));
    set
}

fn chinese() -> Set {
    let mut set = opened(Lang::Zh);
    go(&mut set, CRASHES);
    set.key(Char('y'));
    set.run().play_all(CRASH);
    set
}

fn without() -> Set {
    let mut set = Set::new();
    let wrong = "the ledger cannot be used\nerror: a claim does not stand “perhaps”\n  --> lessons/lore.toml:22:10";
    set.tour = set.tour.with_ledger(Err(wrong.to_owned()), Lang::En);
    set.key(Char('L'));
    set
}

/// Each screen with its name.
pub(super) fn screens() -> Vec<(&'static str, Set)> {
    vec![
        ("ledger", opened(Lang::En)),
        ("ledger_asked", reading(at("001-03"))),
        ("ledger_testing", testing()),
        ("ledger_agrees", tested(CRASHES, 'y', CRASH)),
        ("ledger_differs", tested("001-03", 'y', TIMESLICE)),
        ("ledger_contrary", tested("001-02", 'd', CRASH)),
        ("ledger_not_testable", reading(said("001-04", 'y'))),
        ("ledger_testing_all", testing_all()),
        ("ledger_elsewhere", elsewhere()),
        ("ledger_searching", searching()),
        ("ledger_chinese", chinese()),
        ("ledger_damaged", without()),
    ]
}

fn seen(set: &mut Set, (width, height): (u16, u16)) -> String {
    rows(&set.draw_and_tell(width, height)).join("\n")
}

#[test]
fn no_verdict_is_told_before_the_learner_has_spoken() {
    for size in SIZES {
        let mut set = at("001-02");
        set.keys([Char(' '), Char(' ')]);
        set.play_all(CRASH);
        for side in [Side::List, Side::Claim] {
            set.event(Event::Click(Click::Side(side)));
            let before = seen(&mut set, size);
            for told in ["fails", "does not hold", "sides with", "As processes they do not"] {
                assert!(!before.contains(told), "{told} at {size:?}\n{before}");
            }
        }
        assert!(seen(&mut set, size).contains("Say first"), "{}", seen(&mut set, size));
        set.key(Char('y'));
        let after = seen(&mut set, size);
        assert!(after.contains("does not hold here, not as") || size.0 == 40, "{after}");
    }
}

#[test]
fn the_list_says_in_words_what_learner_and_machine_say() {
    let mut set = tested("001-02", 'y', CRASH);
    set.event(Event::Click(Click::Side(Side::List)));
    let theme = Theme::default().on(ColourDepth::None, Charset::Ascii);
    for (width, height) in SIZES {
        let drawn = rows(&set.draw(width, height, &theme));
        let row = drawn.iter().find(|row| row.contains("001-02") && row.contains('>')).expect("the chosen claim");
        assert!(row.contains("yes") && row.contains("fails") && row.contains('!'), "{width}x{height}: {row}");
    }
}

#[test]
fn the_score_adds_up_what_was_said() {
    let mut set = tested("001-02", 'y', CRASH);
    go(&mut set, CRASHES);
    set.key(Char('y'));
    go(&mut set, "001-03");
    set.key(Char('n'));
    let screen = seen(&mut set, (200, 60));
    let score = "you said 3 of 6; the machine agrees on 1, differs on 1, leaves 0 open, 1 not tested";
    assert!(screen.contains(score), "{screen}");
    let small = seen(&mut set, (40, 12));
    assert!(small.contains("3 of 6 said") && small.contains("agrees 1, differs 1, open 0"), "{small}");
}

#[test]
fn what_goes_on_is_counted_and_timed() {
    let mut set = testing_all();
    for size in SIZES {
        let screen = seen(&mut set, size);
        assert!(screen.contains("run 2 of 3"), "{size:?}\n{screen}");
        let told = screen.contains("run 2 of 3: crash, 3 claims; about 5 s left");
        assert!(told || size.0 == 40, "{size:?}\n{screen}");
    }
    let foot = |set: &mut Set| seen(set, (120, 36)).lines().last().unwrap_or_default().to_owned();
    assert!(foot(&mut set).contains("a stop all"), "{}", foot(&mut set));
    set.key(Char('a'));
    assert!(seen(&mut set, (120, 36)).contains("it is the last"));
}

#[test]
fn the_parts_take_turns_on_a_small_screen_and_the_foot_says_how() {
    let mut set = testing();
    for (words, next) in [("crash: 6", "tab list"), ("001-01", "tab claim"), ("A process that crashes", "tab stage")] {
        let screen = seen(&mut set, (40, 12));
        assert!(screen.contains(words) && screen.contains(next), "{words}, {next}\n{screen}");
        set.key(Tab);
    }
}

#[test]
fn a_click_hits_a_claim_an_answer_or_a_part() {
    let mut set = at(CRASHES);
    let theme = Theme::default();
    for (width, height) in [(80, 24), (120, 36), (200, 60)] {
        let drawn = set.draw(width, height, &theme);
        let screen = rows(&drawn);
        let place = |words: &str| {
            let y = screen.iter().position(|row| row.contains(words)).unwrap_or_else(|| panic!("no {words}"));
            let x = screen[y].find(words).map_or(0, |at| screen[y][..at].chars().count());
            (u16::try_from(x).expect("a column"), u16::try_from(y).expect("a row"))
        };
        let hit = |words: &str| {
            let (x, y) = place(words);
            View { tour: &set.tour, scene: &set.scene, theme: &theme }.hit(drawn.area, x + 1, y)
        };
        let number = |id: &str| set.tour.claims.find(id).expect(id);
        assert_eq!(hit("001-01b Tabs"), Some(Click::Claim(number("001-01b"))), "{width}x{height}");
        assert_eq!(hit("it is not so"), Some(Click::Option(1)));
        assert_eq!(hit("What do you say?"), Some(Click::Side(Side::Claim)));
        assert_eq!(hit("┃ 5 A sample"), Some(Click::Side(Side::List)), "a heading is no claim");
    }
    set.event(Event::Click(Click::Option(1)));
    assert_eq!(set.tour.recall.beliefs[CRASHES], Some(false));
}

#[test]
fn a_long_claim_is_read_to_its_end() {
    let mut set = reading(tested("001-01", 'n', CRASH));
    let mut all = String::new();
    for _ in 0..30 {
        all += &seen(&mut set, (40, 12));
        set.key(Down);
    }
    for words in ["whoever started it", "survivors 5", "own, and the", "Read: 5 A sample", "step 3"] {
        assert!(all.contains(words), "{words}\n{all}");
    }
    let last = seen(&mut set, (40, 12));
    assert!(!last.contains(" more "), "{last}");
    set.key(Key::Home);
    assert!(seen(&mut set, (40, 12)).contains("A process that crashes"));
}

#[test]
fn enter_leads_to_the_step_and_esc_back() {
    let mut set = at(CRASHES);
    set.key(Enter);
    assert!(seen(&mut set, (120, 36)).contains("Six tabs") && set.tour.player().is_some_and(|player| player.step == 2));
    set.key(Esc);
    assert!(seen(&mut set, (120, 36)).contains("The ledger: what is true?"));
}
