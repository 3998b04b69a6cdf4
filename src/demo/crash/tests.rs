//! What the outcome of `crash` makes of ends of all kinds.

use super::*;

const LEADER: u32 = 100;

/// Six tabs, and how some of them ended.
fn outcome(what: As, ends: &[(&str, u64, Ending)], leader: Option<(u64, Ending)>, closing: Option<u64>) -> Values {
    let words: &[&str] = if what == As::Threads { &["as=threads"] } else { &[] };
    let params = Params::from_words(&SPEC, words).expect("good");
    let mut tally = Tally::default();
    let ended = |(ms, ending): (u64, Ending)| (Nanos::from_millis(ms), ending);
    let mut browser = TaskTally::new(Tid(LEADER), Pid(LEADER), Nanos::ZERO);
    browser.ended = leader.map(ended);
    tally.tasks.push(browser);
    for (n, name) in ["A", "B", "C", "D", "E", "F"].into_iter().enumerate() {
        let id = LEADER + 1 + u32::try_from(n).expect("small");
        let pid = if what == As::Threads { LEADER } else { id };
        let mut tab = TaskTally::new(Tid(id), Pid(pid), Nanos::ZERO);
        (tab.name, tab.slot, tab.parent) = (name.to_owned(), u16::try_from(n).ok(), LEADER);
        tab.ended = ends.iter().find(|end| end.0 == name).map(|end| ended((end.1, end.2.clone())));
        tally.tasks.push(tab);
    }
    tally.steps.extend(closing.map(|ms| (Nanos::from_millis(ms), "closing".to_owned())));
    Crash.outcome(&params, &tally)
}

fn by(signal: &str) -> Ending {
    Ending::Signal(signal.to_owned(), false)
}

fn all(ms: u64, ending: &Ending) -> Vec<(&'static str, u64, Ending)> {
    ["A", "B", "C", "D", "E", "F"].map(|name| (name, ms, ending.clone())).to_vec()
}

fn values(values: &Values) -> (u64, String, String, i64) {
    let died: Vec<_> = values["died"].as_array().expect("a list").iter().filter_map(|v| v.as_str()).collect();
    let word = values["signal"].as_str().expect("a word").to_owned();
    (values["survivors"].as_u64().expect("a count"), died.concat(), word, values["code"].as_i64().expect("a number"))
}

#[test]
fn one_process_dies_and_the_end_of_the_run_kills_nobody() {
    let mut ends = vec![("C", 1500, by("SIGSEGV"))];
    assert_eq!(values(&outcome(As::Processes, &ends, None, None)), (5, "C".into(), "SIGSEGV".into(), -1));
    ends.extend(all(3000, &Ending::Code(0)).into_iter().filter(|end| end.0 != "C"));
    let leader = Some((3001, Ending::Code(0)));
    assert_eq!(values(&outcome(As::Processes, &ends, leader, Some(2999))), (5, "C".into(), "SIGSEGV".into(), -1));
}

#[test]
fn threads_end_as_their_process_does() {
    for seen in [Ending::WithItsProcess, Ending::Unseen] {
        let threads = |leader| values(&outcome(As::Threads, &all(1500, &seen), Some((1500, leader)), None));
        assert_eq!(threads(by("SIGABRT")), (0, "ABCDEF".into(), "SIGABRT".into(), -1));
        assert_eq!(threads(Ending::Code(3)), (0, "ABCDEF".into(), "none".into(), 3));
        assert_eq!(threads(by("SIGKILL")), (0, "ABCDEF".into(), "SIGKILL".into(), -1), "out of memory");
    }
}

#[test]
fn an_exit_is_told_from_a_signal_and_the_last_end_is_reported() {
    let ends = [("C", 1500, Ending::Code(3))];
    assert_eq!(values(&outcome(As::Processes, &ends, None, None)), (5, "C".into(), "none".into(), 3));
    let ends = [("C", 2500, by("SIGILL")), ("D", 1500, Ending::Code(3))];
    assert_eq!(values(&outcome(As::Processes, &ends, None, None)), (4, "CD".into(), "SIGILL".into(), -1));
}

#[test]
fn a_run_that_is_broken_off_has_no_victims() {
    let nobody = (6, String::new(), "none".to_owned(), -1);
    let leader = || Some((700, by("SIGTERM")));
    assert_eq!(values(&outcome(As::Processes, &all(698, &by("SIGTERM")), leader(), None)), nobody);
    assert_eq!(values(&outcome(As::Threads, &all(700, &Ending::WithItsProcess), leader(), None)), nobody);
    let mut ends = all(700, &by("SIGTERM"));
    ends[2] = ("C", 400, by("SIGFPE"));
    assert_eq!(values(&outcome(As::Processes, &ends, leader(), None)), (5, "C".into(), "SIGFPE".into(), -1));
}

#[test]
fn a_victim_is_one_of_the_tabs() {
    let error = Params::from_words(&SPEC, &["tabs=2"]).expect_err("C is no tab");
    assert_eq!(error[0].sentence, "victim must be one of the tabs, A to B");
    assert!(Params::from_words(&SPEC, &["tabs=1", "victim=a"]).is_ok());
    assert!(Params::from_words(&SPEC, &["tabs=16", "victim=P"]).is_ok());
}

#[test]
fn each_fault_has_an_order_of_its_own() {
    let orders: std::collections::BTreeSet<_> = faults::NAMES.iter().filter_map(|name| faults::order(name)).collect();
    assert_eq!(orders.len(), 8);
    assert!(!orders.contains(&0) && !orders.contains(&Worker::HALT));
    assert_eq!(faults::order("meteorite"), None);
}
