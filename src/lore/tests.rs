//! The ledger that comes with the program is whole, and each of its claims can come out either way; a ledger with mistakes
//! says where they are.

use super::condition::Wants;
use super::*;
use crate::fact::{DemoSpec, ParamKind, ParamSpec, ReturnKind, ReturnSpec, Values};
use crate::lesson::{ClaimIds, Matches};
use serde_json::{Value, json};
use std::collections::BTreeMap;

static SPEC: DemoSpec = DemoSpec {
    name: "sample",
    params: &[ParamSpec {
        name: "workers",
        kind: ParamKind::Int { min: 1, max: 16, default: 3, unit: "" },
        help: "how many",
    }],
    returns: &[
        ReturnSpec { name: "left", kind: ReturnKind::Count, help: "" },
        ReturnSpec { name: "right", kind: ReturnKind::Count, help: "" },
        ReturnSpec { name: "says", kind: ReturnKind::Word, help: "" },
    ],
    ..DemoSpec::BASE
};

fn ids(of: &[&str]) -> ClaimIds {
    of.iter().map(|id| (*id, "about something")).collect()
}

/// A claim with these lines more.
fn claim(id: &str, lines: &str) -> String {
    let text = format!(
        "[[claim]]\nid = \"{id}\"\nen = \"It is.\"\nzh = \"是。\"\nstands = \"holds\"\nwhy = \"So.\"\nwhy_zh = \"如此。\"\n{lines}\n"
    );
    if lines.contains("demo = ") { text } else { text + EXCUSE }
}

/// What a claim without a test says of that.
const EXCUSE: &str = "untested = \"nobody can\"\nuntested_zh = \"谁也不能\"\n";

fn tested(conditions: &str) -> String {
    claim("000-01", &format!("demo = \"sample\"\n{conditions}"))
}

fn read(text: &str, of: &[&str]) -> Ledger {
    Ledger::read("lore.toml", text, &[&SPEC], &ids(of)).unwrap_or_else(|wrong| panic!("{wrong:#?}"))
}

fn verdict(text: &str, outcome: &Value) -> (Verdict, String) {
    let ledger = read(text, &["000-01"]);
    let judged = judge(&ledger.claims()[0], Some(&Ok(values(outcome))), Lang::En);
    (judged.verdict, judged.because)
}

fn values(of: &Value) -> Values {
    of.as_object().expect("a table").iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[test]
fn a_claim_holds_fails_or_stays_open() {
    let text = tested("holds_if = { left = \"at least 5\" }\nfails_if = { left = \"under 3\" }");
    let of = |left: Value| verdict(&text, &json!({ "left": left }));
    assert_eq!(of(json!(5)), (Verdict::Holds, "left 5 (at least 5)".to_owned()));
    assert_eq!(of(json!(2)), (Verdict::Fails, "left 2 (under 3)".to_owned()));
    assert_eq!(
        of(json!(4)),
        (Verdict::Inconclusive, "left 4; it would take at least 5; for the contrary, left under 3".to_owned())
    );
    assert_eq!(of(Value::Null), (Verdict::Inconclusive, "left was not measured; it would take at least 5".to_owned()));
}

#[test]
fn what_is_not_so_speaks_against_it_if_nothing_else_does() {
    let text = tested("holds_if = { left = \"over right\", says = \"more\" }");
    assert_eq!(verdict(&text, &json!({ "left": 5, "right": 4, "says": "more" })).0, Verdict::Holds);
    let (verdict_, because) = verdict(&text, &json!({ "left": 4, "right": 4, "says": "more" }));
    assert_eq!((verdict_, because.as_str()), (Verdict::Fails, "left 4; it would take over right, 4"));
    assert_eq!(verdict(&text, &json!({ "left": 5, "right": null, "says": "more" })).0, Verdict::Inconclusive);
    assert_eq!(verdict(&text, &json!({ "left": null, "says": "less" })).0, Verdict::Fails, "one is enough");
}

#[test]
fn what_it_needs_comes_first() {
    let text = tested("needs = { right = \"at least 2\" }\nholds_if = { left = \"5\" }");
    assert_eq!(verdict(&text, &json!({ "left": 5, "right": 2 })).0, Verdict::Holds);
    let (verdict_, because) = verdict(&text, &json!({ "left": 5, "right": 1 }));
    assert_eq!(verdict_, Verdict::Inconclusive);
    assert_eq!(because, "right 1; to say anything, the run needs at least 2");
}

#[test]
fn a_measurement_that_cannot_tell_is_not_asked_for_more() {
    let text = tested("needs = { says = \"clear\" }\nholds_if = { left = \"5\" }");
    let (verdict_, because) = verdict(&text, &json!({ "left": 5, "says": "inconclusive" }));
    assert_eq!(verdict_, Verdict::Inconclusive);
    assert_eq!(because, "says inconclusive: its rounds do not decide");
    let noise = json!({ "left": 5, "says": "inconclusive", "noise": "others had the core 52 % of the time" });
    assert_eq!(verdict(&text, &noise).1, "says inconclusive: others had the core 52 % of the time");
    let doubt =
        json!({ "left": 5, "says": "inconclusive", "noise": "x", "doubt": "too few rounds: of 2 workers, 3 rounds" });
    assert_eq!(verdict(&text, &doubt).1, "too few rounds: of 2 workers, 3 rounds");
    assert_eq!(verdict(&text, &json!({ "left": 5, "says": "clear" })).0, Verdict::Holds);
}

#[test]
fn what_holds_because_of_the_default_python_says_so() {
    let text = tested("holds_if = { left = \"5\" }").replace("\"holds\"", "\"cpython\"");
    assert_eq!(verdict(&text, &json!({ "left": 5 })).0, Verdict::CpythonOnly);
    assert_eq!(verdict(&text, &json!({ "left": 4 })).0, Verdict::Fails);
}

#[test]
fn a_run_without_values_decides_nothing() {
    let ledger = read(&tested("holds_if = { left = \"5\" }"), &["000-01"]);
    let judged = |came: Option<&Came>, lang| judge(&ledger.claims()[0], came, lang);
    let broke = judged(Some(&Err(Fault::Broke("the leader died".into()))), Lang::En);
    assert_eq!((broke.verdict, broke.because.as_str()), (Verdict::Inconclusive, "the demo broke: the leader died"));
    let refused = judged(Some(&Err(Fault::Refused("no pagemap".into()))), Lang::Zh);
    assert_eq!(refused.because, "这台机器拒绝了：no pagemap");
    assert_eq!(judged(None, Lang::En).verdict, Verdict::Inconclusive);
}

#[test]
fn a_claim_without_a_test_says_why_it_has_none() {
    let bare = read(&claim("000-01", ""), &["000-01"]);
    let says = |lang| judge(&bare.claims()[0], None, lang);
    assert_eq!((says(Lang::En).verdict, says(Lang::En).because), (Verdict::NotTestable, "nobody can".to_owned()));
    assert_eq!(says(Lang::Zh).because, "谁也不能");
    // What is no claim says it by its reason.
    let none = read(&claim("000-01", "").replace(EXCUSE, "").replace("\"holds\"", "\"not-testable\""), &["000-01"]);
    let judged = judge(&none.claims()[0], None, Lang::En);
    assert_eq!((judged.verdict, judged.because.as_str()), (Verdict::NotTestable, ""));
}

#[test]
fn a_claim_may_contradict_itself() {
    let ledger = read(&claim("000-01", "contradicts = [\"000-01\"]"), &["000-01"]);
    assert_eq!(ledger.claims()[0].contradicts, ["000-01"]);
}

#[test]
fn a_ledger_full_of_mistakes_is_not_searched_for_ever() {
    let text: String = (0..5000).map(|i| claim(&format!("x{i}"), "")).collect();
    let wrong = Ledger::read("lore.toml", &text, &[&SPEC], &ids(&["000-01"])).expect_err("no such claims");
    assert_eq!(wrong.len(), crate::lesson::read_limits::MESSAGES);
}

#[test]
fn of_two_that_contradict_each_other_the_machine_sides_with_the_one_that_holds() {
    let text = claim("000-01", "contradicts = [\"000-02\"]") + &claim("000-02", "contradicts = [\"000-01\"]");
    let ledger = read(&text, &["000-01", "000-02"]);
    let sides = |a, b| sides_with(&ledger, ("000-01", a), ("000-02", b)).map(|claim| claim.id.as_str());
    assert_eq!(sides(Verdict::Holds, Verdict::Fails), Some("000-01"));
    assert_eq!(sides(Verdict::Fails, Verdict::CpythonOnly), Some("000-02"));
    assert_eq!(sides(Verdict::Holds, Verdict::Inconclusive), None);
    assert_eq!(sides(Verdict::Fails, Verdict::Fails), None);
    assert_eq!(sides(Verdict::Holds, Verdict::Holds), None);
}

#[test]
fn each_mistake_is_said_with_its_line_and_a_remedy() {
    let says = |text: &str, of: &[&str]| -> Vec<(usize, String, String)> {
        let wrong = Ledger::read("lore.toml", text, &[&SPEC], &ids(of)).expect_err(text);
        wrong.into_iter().map(|d| (d.pos.line, d.sentence, d.remedy.unwrap_or_default())).collect()
    };
    let one = |lines: &str| says(&claim("000-01", lines), &["000-01"]);
    for (lines, line, sentence, remedy) in [
        ("demo = \"sampel\"\nholds_if = { left = \"5\" }", 8, "there is no demo sampel", "did you mean “sample”?"),
        ("demo = \"sample\"\nholds_if = { lefd = \"5\" }", 9, "sample returns no lefd", "did you mean “left”?"),
        ("demo = \"sample\"\nholds_if = { left = \"many\" }", 9, "“many” can never be right", "write it as 5"),
        ("demo = \"sample\"\nholds_if = { left = \"over says\" }", 9, "of two kinds", "one kind"),
        (
            "demo = \"sample\"\nparams = { workers = 99 }\nholds_if = { left = 5 }",
            9,
            "workers takes 1 to 16, not 99",
            "list",
        ),
        (
            "demo = \"sample\"\nparams = { worker = 3 }\nholds_if = { left = 5 }",
            9,
            "worker is no parameter",
            "“workers”",
        ),
        ("demo = \"sample\"", 8, "nothing says what sample has to come to", "holds_if"),
        ("holds_if = { left = 5 }", 8, "no demo is named", "demo ="),
        ("as = \"000-02\"", 8, "there is no claim 000-02 here", "name one"),
        ("contradicts = [\"000-02\"]", 8, "000-02 does not contradict 000-01 in turn", "there too"),
        (
            "demo = \"sample\"\nholds_if = { left = 5 }\nshow = [\"wrong\"]",
            10,
            "sample returns no wrong",
            "it returns left",
        ),
        ("colour = \"red\"", 8, "unknown field `colour`", "head of the file"),
        ("= 3", 8, "key", "head of the file"),
    ] {
        let said = one(lines);
        assert!(
            said.iter().any(|(at, what, help)| *at == line && what.contains(sentence) && help.contains(remedy)),
            "{lines}: {said:#?}"
        );
    }
    let twice = says(&claim("000-01", "").repeat(2), &["000-01"]);
    assert_eq!((twice[0].0, twice[0].1.as_str()), (12, "claim 000-01 stands here twice"));
    let lost = says(&claim("000-01", ""), &["000-01", "000-02", "000-03"]);
    assert_eq!(lost[0].1, "claim 000-02, about something, and 1 more is missing");
    let unknown = says(&claim("000-10", ""), &["000-01"]);
    assert!(unknown.iter().any(|(at, what, _)| (*at, what.as_str()) == (2, "there is no claim 000-10")), "{unknown:?}");
    let word = says(&claim("000-01", "").replace("\"holds\"", "\"maybe\""), &["000-01"]);
    assert_eq!(word[0].1, "a claim does not stand “maybe”");
    for lacks in [EXCUSE, "untested_zh = \"谁也不能\"\n"] {
        let silent = says(&claim("000-01", "").replace(lacks, ""), &["000-01"]);
        assert!(silent[0].1.contains("has no test and does not say why"), "{silent:?}");
    }
    let both = one("demo = \"sample\"\nholds_if = { left = 5 }\nuntested = \"nobody can\"");
    assert_eq!((both[0].0, both[0].1.as_str()), (10, "claim 000-01 has a test, and says why it has none"));
    let mute = says(&claim("000-01", "").replace("why_zh = \"如此。\"\n", ""), &["000-01"]);
    assert!(mute[0].1.contains("does not say why"), "{mute:?}");
}

#[test]
fn a_claim_may_be_as_another() {
    let text = tested("holds_if = { left = \"5\" }")
        + "[[claim]]\nid = \"000-02\"\nen = \"Also.\"\nzh = \"也。\"\nstands = \"partly\"\nas = \"000-01\"\n";
    let ledger = read(&text, &["000-01", "000-02"]);
    let broken = text.replace("left", "lefd");
    let wrong = Ledger::read("lore.toml", &broken, &[&SPEC], &ids(&["000-01", "000-02"])).expect_err("a wrong name");
    assert_eq!(wrong.len(), 1, "said once: {wrong:#?}");
    let [one, other] = ledger.claims() else { panic!("two") };
    assert_eq!((&one.test, &one.why), (&other.test, &other.why));
    assert_eq!(other.stands, Stands::Partly);
}

#[test]
fn a_claim_is_found_by_its_id_or_the_nearest_is_named() {
    let ledger = read(&(claim("000-01", "") + &claim("000-15", "")), &["000-01", "000-15"]);
    assert_eq!(ledger.find("000-15").map(|c| c.id.as_str()), Ok("000-15"));
    assert_eq!(ledger.find("00-15"), Err("there is no claim 00-15; did you mean 000-15?".to_owned()));
    assert_eq!(ledger.find("everything"), Err("there is no claim everything; they look like 000-04".to_owned()));
}

mod shipped {
    //! Outcomes for and against every claim of the ledger that comes with the program.

    use super::*;
    use crate::demo::specs;
    use crate::lesson::embed;

    fn ledger() -> Ledger {
        let (file, text) = embed::lore();
        Ledger::read(&file, &text, &specs(), &embed::claims()).unwrap_or_else(|wrong| {
            let said: Vec<_> = wrong.iter().map(|d| d.render(&text)).collect();
            panic!("{}", said.concat())
        })
    }

    /// Values of one part of an outcome that conditions could part, and one that was not measured.
    fn candidates(path: &ValuePath, conditions: &[&Condition]) -> Vec<Value> {
        let mut out = vec![json!(0), json!(1), json!(3), json!(100), json!(1e12), Value::Null];
        for condition in conditions.iter().filter(|c| c.looks_at().any(|p| p == path)) {
            match &condition.wants {
                Wants::Covered(matches) | Wants::Not(matches) => match matches {
                    Matches::Number(n) => out.extend([json!(n), json!(n + 1.0)]),
                    Matches::Range(from, to) => {
                        let ends = [from - 1.0, from + from.abs() * 0.01, to - to.abs() * 0.01, to + 1.0, *from, *to];
                        let middle = f64::midpoint(*from, *to);
                        out.extend(ends.iter().chain([&middle]).filter(|n| n.is_finite()).map(|n| json!(n)));
                    }
                    Matches::Is(Value::Bool(_)) => out = vec![json!(true), json!(false), Value::Null],
                    Matches::Is(Value::String(word)) => out.extend([json!(word), json!("something else")]),
                    Matches::Is(other) => out.extend([other.clone(), json!(["nothing of the kind"])]),
                },
                Wants::Than(..) => {}
            }
        }
        out
    }

    /// An outcome with these parts.
    fn outcome(parts: &[(&ValuePath, &Value)]) -> Values {
        let mut whole = Values::new();
        for (path, value) in parts {
            let names: Vec<&str> = path.parts().collect();
            let value = match names.last() {
                // The only entry is the least and the most.
                Some(&"least" | &"most") => json!([value]),
                Some(&"length") => json!(vec![0; usize::try_from(value.as_u64().unwrap_or(0).min(99)).expect("few")]),
                _ => names[1..].iter().rev().fold((*value).clone(), |inner, name| json!({ *name: inner })),
            };
            let known = whole.entry(names[0].to_owned()).or_insert(Value::Null);
            match (known, value) {
                (Value::Object(known), Value::Object(more)) => known.extend(more),
                (known, value) => *known = value,
            }
        }
        whole
    }

    /// Every verdict that some outcome leads to.
    fn reached(claim: &Claim) -> BTreeMap<Verdict, Values> {
        let test = claim.test.as_ref().expect("a test");
        let conditions: Vec<&Condition> = test.needs.iter().chain(&test.holds).chain(&test.fails).collect();
        let mut paths: Vec<&ValuePath> = conditions.iter().flat_map(|c| c.looks_at()).collect();
        paths.sort();
        paths.dedup();
        let choices: Vec<Vec<Value>> = paths.iter().map(|path| candidates(path, &conditions)).collect();
        let mut found = BTreeMap::new();
        let mut look = |at: &[usize]| {
            let parts: Vec<_> = paths.iter().zip(&choices).zip(at).map(|((p, c), i)| (*p, &c[*i])).collect();
            let values = outcome(&parts);
            let verdict = judge(claim, Some(&Ok(values.clone())), Lang::En).verdict;
            found.entry(verdict).or_insert(values);
            found.len()
        };
        // Where much has to be so at once, it is found soonest if all parts go on together.
        for together in 0..choices.iter().map(Vec::len).max().unwrap_or(0) {
            look(&choices.iter().map(|c| together.min(c.len() - 1)).collect::<Vec<_>>());
        }
        let (mut at, mut tried) = (vec![0; paths.len()], 0);
        loop {
            tried += 1;
            if look(&at) == 3 || tried > 300_000 {
                return found;
            }
            // Counts on as an odometer does.
            let Some(wheel) = (0..at.len()).find(|w| at[*w] + 1 < choices[*w].len()) else { return found };
            at[..wheel].fill(0);
            at[wheel] += 1;
        }
    }

    #[test]
    fn each_claim_can_hold_and_fail_and_stay_open() {
        let ledger = ledger();
        let mut tested = 0;
        for claim in ledger.claims().iter().filter(|claim| claim.test.is_some()) {
            let found = reached(claim);
            let yes = if claim.stands == Stands::Cpython { Verdict::CpythonOnly } else { Verdict::Holds };
            for wanted in [yes, Verdict::Fails, Verdict::Inconclusive] {
                assert!(found.contains_key(&wanted), "{}: no outcome makes it {wanted:?}; found {found:#?}", claim.id);
            }
            tested += 1;
        }
        assert!(tested > 100, "only {tested} claims have a test");
    }

    #[test]
    fn claims_that_stand_apart_are_not_judged_by_a_run() {
        for claim in ledger().claims() {
            assert!(claim.stands != Stands::NotTestable || claim.test.is_none(), "{}", claim.id);
            let excused = claim.test.is_some() || claim.stands == Stands::NotTestable;
            assert_eq!(excused, claim.untested.is_empty() && claim.untested_zh.is_empty(), "{}", claim.id);
            for text in [&claim.en, &claim.zh, &claim.why, &claim.why_zh] {
                assert!(!text.trim().is_empty(), "{}", claim.id);
                assert!(text.chars().count() < 300, "{}: {text}", claim.id);
            }
            assert!(!claim.zh.is_ascii() && !claim.why_zh.is_ascii(), "{}", claim.id);
        }
    }

    #[test]
    fn contradictions_are_those_of_the_texts() {
        let ledger = ledger();
        let pairs: Vec<_> = ledger
            .claims()
            .iter()
            .flat_map(|claim| claim.contradicts.iter().map(move |other| (claim.id.as_str(), other.as_str())))
            .collect();
        for pair in [
            ("001-04", "001-05"),
            ("001-04", "000-20"),
            ("000-57", "000-62"),
            ("000-61", "000-62"),
            ("003-13", "003-30"),
            ("004-06", "004-07"),
            ("003-28", "001-24"),
            ("003-28", "004-07"),
            ("001-10", "000-66"),
            ("001-10", "004-23"),
            ("000-44", "000-28"),
            ("001-35", "001-36"),
            ("002-25", "002-25"),
        ] {
            assert!(pairs.contains(&pair) && pairs.contains(&(pair.1, pair.0)), "{pair:?}");
        }
    }
}
