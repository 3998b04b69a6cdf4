//! `belongings`: two workers; one changes something, the other looks whether it is changed for it as well.
//!
//! Whose a thing is, is decided by what the two find there and by nothing else.

mod items;

use super::{Demo, pace};
use crate::fact::{
    As, ColumnSpec, DemoSpec, Fact, ParamKind, ParamSpec, Params, Picture, ReturnKind, ReturnSpec, SideSpec, SidesSpec,
    TableSpec, Tally, Unavailable, Values,
};
use crate::stage::{Cue, Settings, Stage, Worker};
use anyhow::Context;
use items::{GROUPS, ITEMS, Item, Kit};
use serde_json::{Value, json};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// See the module.
pub(super) struct Belongings;

/// Milliseconds from what one does to what the other sees, and on to the next.
const PACES: (i64, i64) = (1, 5000);

/// How often it is looked whether a worker has done what it was told.
const LOOK: Duration = Duration::from_millis(5);

/// How long both stay when all is tried.
const STAY: Duration = Duration::from_secs(1);

/// The table of what was tried, and its words for whose it is.
const TABLE: &str = "whose it is";
const SHARED: &str = "shared";
const OWN: &str = "own";
const NOT_TRIED: &str = "not tried";
const UNCLEAR: &str = "cannot be told";

/// The letters of the one that acts and of the one that looks.
const ACTS: &str = "A";
const LOOKS: &str = "B";

static SIDES: SidesSpec = SidesSpec {
    name: TABLE,
    left: SideSpec { side: SHARED, head: "shared: one for both" },
    right: SideSpec { side: OWN, head: "own: one for each" },
    acts: ACTS,
    looks: LOOKS,
};

static ROWS: TableSpec = TableSpec {
    name: TABLE,
    head: "tried",
    columns: &[
        ColumnSpec { value: "act", head: ACTS, kind: ReturnKind::Word },
        ColumnSpec { value: "saw", head: LOOKS, kind: ReturnKind::Word },
    ],
};

static SPEC: DemoSpec = DemoSpec {
    name: "belongings",
    title: "one acts, the other looks: shared or own?",
    part: "Anatomy",
    about: "Two workers of one process, or two processes. One opens a file, changes directory, becomes nicer and more; \
            after each the other looks whether it happened to it as well. See what belongs to the process and what to \
            each thread.",
    params: &[
        ParamSpec {
            name: As::PARAM.name,
            kind: ParamKind::Choice(&["threads", "processes"]),
            help: "what the workers are",
        },
        ParamSpec { name: "items", kind: ParamKind::Choice(GROUPS), help: "what is tried" },
        ParamSpec {
            name: "pace",
            kind: ParamKind::Int { min: PACES.0, max: PACES.1, default: 700, unit: "ms" },
            help: "from what one does to what the other sees, and on",
        },
    ],
    returns: &[
        ReturnSpec { name: "items", kind: ReturnKind::Table, help: "of each item that was tried: shared or own" },
        ReturnSpec { name: "shared", kind: ReturnKind::Count, help: "how many are shared" },
        ReturnSpec { name: "own", kind: ReturnKind::Count, help: "of how many each has its own" },
        ReturnSpec { name: "global", kind: ReturnKind::Word, help: "a global variable: shared or own" },
        ReturnSpec { name: "heap", kind: ReturnKind::Word, help: "a block on the heap" },
        ReturnSpec { name: "thread_local", kind: ReturnKind::Word, help: "a thread-local variable" },
        ReturnSpec { name: "errno", kind: ReturnKind::Word, help: "errno, where failed calls say why" },
        ReturnSpec { name: "files", kind: ReturnKind::Word, help: "the numbers of open files" },
        ReturnSpec { name: "position", kind: ReturnKind::Word, help: "the position in a file opened before" },
        ReturnSpec { name: "directory", kind: ReturnKind::Word, help: "the working directory" },
        ReturnSpec { name: "umask", kind: ReturnKind::Word, help: "the umask" },
        ReturnSpec { name: "handlers", kind: ReturnKind::Word, help: "signal handlers" },
        ReturnSpec { name: "mask", kind: ReturnKind::Word, help: "the signal mask" },
        ReturnSpec { name: "nice", kind: ReturnKind::Word, help: "the nice value" },
        ReturnSpec { name: "affinity", kind: ReturnKind::Word, help: "the cores that may be used" },
        ReturnSpec { name: "name", kind: ReturnKind::Word, help: "the name that ps shows" },
    ],
    pictures: &[Picture::Sides(&SIDES), Picture::Table(&ROWS), Picture::Workers],
    controls: &[pace::SLOWER, pace::FASTER],
    ..DemoSpec::BASE
};

impl Demo for Belongings {
    fn spec(&self) -> &'static DemoSpec {
        &SPEC
    }

    fn play(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let params = stage.params(&SPEC);
        let items = chosen(params.word("items"));
        // All are announced, so that it is seen what is still to come.
        items.iter().for_each(|item| stage.tell(row(item, json!({}))));
        let kit = Arc::new(Kit::new());
        let (says, hears) = UnixDatagram::pair().context("cannot join the two workers")?;
        let actor = {
            let (kit, items) = (Arc::clone(&kit), items.clone());
            stage.enter(params.workers_as(), &Settings::default(), move |worker| act(worker, &items, &kit, &says))?
        };
        let looker = {
            let items = items.clone();
            stage.enter(params.workers_as(), &Settings::default(), move |worker| look(worker, &items, &kit, &hears))?
        };
        let mut pace = params.int("pace");
        for (item, order) in items.iter().zip((1..).step_by(2)) {
            stage.tell(Fact::Step { name: item.value.to_owned() });
            // The one that looks does so before and after.
            for (worker, order, rests) in [(looker, order, false), (actor, order, true), (looker, order + 1, true)] {
                stage.order(worker, order);
                if !done(stage, worker, order, &mut pace) || (rests && !rest(stage, &mut pace)) {
                    return Ok(());
                }
            }
        }
        stage.tell(Fact::Step { name: "done".to_owned() });
        stage.tell(Fact::settled());
        let until = Instant::now() + STAY;
        pause(stage, &mut pace, |_, _| until.saturating_duration_since(Instant::now()));
        Ok(())
    }

    fn outcome(&self, _params: &Params, tally: &Tally) -> Values {
        let word = |item: &Item, value: &str| tally.cell(TABLE, item.name, value).and_then(Value::as_str);
        let side_of = |item: &Item| side(word(item, "before")?, word(item, "mine")?, word(item, "theirs")?);
        let sides: Vec<_> = ITEMS.iter().map(|item| (item.value, side_of(item))).collect();
        let count = |wanted: &str| json!(sides.iter().filter(|(_, side)| *side == Some(wanted)).count());
        let mut values: Values = sides.iter().map(|(value, side)| ((*value).to_owned(), json!(side))).collect();
        let known = sides.iter().filter_map(|(value, side)| Some(((*value).to_owned(), json!((*side)?))));
        values.insert("items".to_owned(), Value::Object(known.collect()));
        values.insert("shared".to_owned(), count(SHARED));
        values.insert("own".to_owned(), count(OWN));
        values
    }
}

/// The items of a group.
fn chosen(group: &str) -> Vec<&'static Item> {
    ITEMS.iter().filter(|item| group == GROUPS[0] || item.group == group).collect()
}

/// Whose a thing is, by what the one that looks found before, what the one that acted finds after it, and what the other
/// finds then. None if that decides nothing: the act changed nothing, or somebody else did.
fn side(before: &str, mine: &str, theirs: &str) -> Option<&'static str> {
    match (theirs == before, theirs == mine) {
        (false, true) => Some(SHARED),
        (true, false) => Some(OWN),
        _ => None,
    }
}

fn row(item: &Item, values: Value) -> Fact {
    let values = serde_json::from_value(values).unwrap_or_default();
    Fact::Row { table: TABLE.to_owned(), row: item.name.to_owned(), values }
}

/// The part of the one that acts: each order is an item's place in the list, counted in twos from one.
fn act(worker: &Worker, items: &[&Item], kit: &Kit, says: &UnixDatagram) {
    let mut order = 0;
    while let Some((item, _)) = next_item(worker, items, &mut order) {
        let mine = (item.act)(kit).and_then(|did| Ok((did, (item.view)(kit)?)));
        if let Ok((did, mine)) = &mine {
            worker.tell(row(item, json!({"act": did, "mine": mine})));
        }
        // Both ends are this run's own, and a line fits. Were it lost, the other would say that it heard nothing.
        let _ = says.send(&serde_json::to_vec(&mine.map(|(_, mine)| mine)).unwrap_or_default());
        worker.set_work(order);
    }
}

/// The part of the one that looks: twice at each item.
fn look(worker: &Worker, items: &[&Item], kit: &Kit, hears: &UnixDatagram) {
    let mut order = 0;
    let mut before = Err(String::new());
    while let Some((item, first)) = next_item(worker, items, &mut order) {
        if first {
            (item.ready)();
            before = (item.view)(kit);
        } else {
            // Looked at before anything else is done: whatever fails on the way sets errno.
            let theirs = (item.view)(kit);
            let mine = hear(hears);
            worker.tell(row(item, judged(&before, &mine, &theirs)));
        }
        worker.set_work(order);
    }
}

/// What the one that looks tells of an item.
fn judged(before: &Result<String, String>, mine: &Result<String, String>, theirs: &Result<String, String>) -> Value {
    match (before, mine, theirs) {
        (Ok(before), Ok(mine), Ok(theirs)) => {
            let saw = if before == theirs { format!("still {theirs}") } else { format!("now {theirs} (was {before})") };
            let side = side(before, mine, theirs).unwrap_or(UNCLEAR);
            json!({"before": before, "theirs": theirs, "saw": saw, "side": side})
        }
        (Err(why), ..) | (_, Err(why), _) | (_, _, Err(why)) => json!({"side": NOT_TRIED, "why": why}),
    }
}

/// The item of the next order, and whether it is the first of the item's two; none on the order to leave.
fn next_item<'a>(worker: &Worker, items: &[&'a Item], order: &mut u64) -> Option<(&'a Item, bool)> {
    *order = worker.wait(*order, Duration::MAX);
    let n = usize::try_from(order.checked_sub(1)?).ok()?;
    items.get(n / 2).map(|item| (*item, n % 2 == 0))
}

/// What the one that acted finds, as it says itself. It has said it, or never will.
fn hear(hears: &UnixDatagram) -> Result<String, String> {
    let mut line = [0; libc::PIPE_BUF];
    let heard = hears.set_nonblocking(true).and_then(|()| hears.recv(&mut line));
    let long = heard.map_err(|e| format!("nothing was heard of {ACTS} ({e})"))?;
    serde_json::from_slice(&line[..long]).unwrap_or_else(|e| Err(format!("{ACTS} was not understood ({e})")))
}

/// Goes on once nothing is left to wait for, given the pace; false if the run is over before.
fn pause(stage: &mut Stage, pace: &mut i64, left: impl Fn(&Stage, i64) -> Duration) -> bool {
    loop {
        let left = left(stage, *pace);
        if left.is_zero() {
            return true;
        }
        match stage.next(Some(left)) {
            Cue::Steer(steer) if steer.verb == "pace" => *pace = scaled(*pace, steer.value.as_i64().unwrap_or(0)),
            Cue::Finish => return false,
            Cue::Ended(_) => {
                let why = "a worker ended before it was told to";
                stage.tell(Fact::Refused(Unavailable::new("what was still to be tried", why)));
                return false;
            }
            Cue::Steer(_) | Cue::Time => {}
        }
    }
}

/// Waits until the worker has done what it was told. False if the run is over before.
fn done(stage: &mut Stage, worker: usize, order: u64, pace: &mut i64) -> bool {
    pause(stage, pace, |stage, _| if stage.work(worker) == order { Duration::ZERO } else { LOOK })
}

/// Gives the learner the time to read. A new pace holds from the last step on. False if the run is over before.
fn rest(stage: &mut Stage, pace: &mut i64) -> bool {
    let since = Instant::now();
    pause(stage, pace, |_, pace| Duration::from_millis(pace.unsigned_abs()).saturating_sub(since.elapsed()))
}

/// The pace twice as slow for each step up, twice as fast for each step down.
fn scaled(pace: i64, steps: i64) -> i64 {
    let factor = 1_i64 << steps.unsigned_abs().min(13);
    if steps < 0 { pace / factor } else { pace * factor }.clamp(PACES.0, PACES.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Nanos, Row};
    use std::collections::BTreeSet;

    fn outcome(rows: &[(&str, Value)]) -> Values {
        let mut tally = Tally::default();
        let rows = rows.iter().map(|(value, values)| {
            let name = ITEMS.iter().find(|item| item.value == *value).expect(value).name.to_owned();
            let values = serde_json::from_value(values.clone()).expect("an object");
            Row { name, first: Nanos::ZERO, last: Nanos::ZERO, values }
        });
        tally.tables.insert(TABLE.to_owned(), rows.collect());
        Belongings.outcome(&Params::defaults(&SPEC), &tally)
    }

    #[test]
    fn whose_it_is_is_what_the_two_find_and_nothing_else() {
        let values = outcome(&[
            // What a row says besides does not count.
            ("directory", json!({"before": "/a", "mine": "/tmp", "theirs": "/tmp", "side": "own"})),
            ("nice", json!({"before": "0", "mine": "5", "theirs": "0"})),
            ("umask", json!({"before": "0077", "mine": "0077", "theirs": "0077"})),
            ("name", json!({"before": "a", "mine": "b", "theirs": "c"})),
            ("mask", json!({"before": "open", "mine": "blocked"})),
            ("affinity", json!({"side": NOT_TRIED, "why": "only one core may be used here"})),
        ]);
        let told = |name: &str| values[name].clone();
        assert_eq!(["directory", "nice"].map(told), [json!("shared"), json!("own")]);
        assert_eq!(["umask", "name", "mask", "affinity", "heap"].map(told), [const { Value::Null }; 5]);
        assert_eq!((told("shared"), told("own")), (json!(1), json!(1)));
        assert_eq!(values["items"], json!({"directory": "shared", "nice": "own"}));
    }

    #[test]
    fn what_the_other_tells_is_judged_by_the_same_rule() {
        let ok = |word: &str| Ok(word.to_owned());
        let told = judged(&ok("0"), &ok("7"), &ok("7"));
        assert_eq!((&told["side"], &told["saw"]), (&json!(SHARED), &json!("now 7 (was 0)")));
        let told = judged(&ok("0"), &ok("7"), &ok("0"));
        assert_eq!((&told["side"], &told["saw"]), (&json!(OWN), &json!("still 0")));
        assert_eq!(judged(&ok("0"), &ok("7"), &ok("3"))["side"], json!(UNCLEAR));
        let told = judged(&ok("0"), &Err("it was refused".to_owned()), &ok("0"));
        assert_eq!(told, json!({"side": NOT_TRIED, "why": "it was refused"}));
    }

    #[test]
    fn every_item_has_its_value_and_every_group_its_items() {
        let returns: BTreeSet<_> = SPEC.returns.iter().map(|r| r.name).collect();
        assert!(ITEMS.iter().all(|item| returns.contains(item.value)));
        assert_eq!(chosen("all").len(), ITEMS.len());
        let parts: usize = GROUPS[1..].iter().map(|group| chosen(group).len()).sum();
        assert_eq!(parts, ITEMS.len());
    }

    #[test]
    fn threads_unless_processes_are_asked_for() {
        let of = |words: &[&str]| Params::from_words(&SPEC, words).expect("good").workers_as();
        assert_eq!((of(&[]), of(&["as=processes"])), (As::Threads, As::Processes));
    }

    #[test]
    fn what_was_not_said_is_not_waited_for() {
        let (says, hears) = UnixDatagram::pair().expect("a pair");
        assert!(hear(&hears).is_err_and(|why| why.starts_with("nothing was heard of A")));
        says.send(br#"{"Ok":"7"}"#).expect("room");
        assert_eq!(hear(&hears).as_deref(), Ok("7"));
        says.send(b"?").expect("room");
        assert!(hear(&hears).is_err_and(|why| why.starts_with("A was not understood")));
    }

    #[test]
    fn the_pace_doubles_and_halves_within_its_bounds() {
        assert_eq!([scaled(700, 1), scaled(700, -1), scaled(1, -1)], [1400, 350, 1]);
        assert_eq!([scaled(3000, 1), scaled(700, i64::MAX), scaled(700, i64::MIN)], [5000, 5000, 1]);
    }
}
