//! Lessons in, complaints out. Each kind of mistake has a lesson with that mistake and a snapshot of what is said.

use super::*;
use crate::fact::{As, ParamKind, ParamSpec, ReturnKind, ReturnSpec};
use crate::lesson::{LessonFile, Library, parse};
use proptest::prelude::*;

const fn value(name: &'static str, kind: ReturnKind) -> ReturnSpec {
    ReturnSpec { name, kind, help: "" }
}

const CRASH: DemoSpec = DemoSpec {
    name: "crash",
    title: "a small browser",
    part: "When things go wrong",
    about: "",
    params: &[
        As::PARAM,
        ParamSpec { name: "tabs", kind: ParamKind::Int { min: 1, max: 12, default: 6, unit: "" }, help: "" },
        ParamSpec { name: "fault", kind: ParamKind::Choice(&["segv", "abort"]), help: "" },
    ],
    returns: &[
        value("tabs", ReturnKind::Count),
        value("survivors", ReturnKind::Count),
        value("died", ReturnKind::List),
        value("signal", ReturnKind::Word),
        value("lasted", ReturnKind::Nanos),
        value("share", ReturnKind::Share),
    ],
    ..DemoSpec::BASE
};
static DEMO: DemoSpec = CRASH;
static OTHER: DemoSpec = DemoSpec { name: "timeslice", ..CRASH };

/// Everything that is said of these files, as it is shown.
fn complaints(files: &[(&str, &str)]) -> String {
    let file = |(name, text): &(&str, &str)| LessonFile {
        file: (*name).to_owned(),
        bytes: text.as_bytes().to_vec().into(),
        lang: name.split('/').next().unwrap_or("en").to_owned(),
    };
    let library = Library::new(files.iter().map(file), "en");
    let claims: ClaimIds = [("000-17", "a"), ("000-27", "b")].into_iter().collect();
    library
        .check(&Library::default(), &[&DEMO, &OTHER], &claims)
        .iter()
        .map(|d| library.render(d))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What is said of the first file, with the second beside it.
fn beside(text: &str, other: &str) -> String {
    let file = |name: &str, text: &str| LessonFile {
        file: name.to_owned(),
        bytes: text.as_bytes().to_vec().into(),
        lang: "en".to_owned(),
    };
    let library = Library::new([file("en/01-a.md", text)], "en");
    let others = Library::new([file("en/02-b.md", other)], "en");
    let said = library.check(&others, &[&DEMO, &OTHER], &ClaimIds::default());
    said.iter().map(|d| library.render(d)).collect::<Vec<_>>().join("\n")
}

/// What is said of one lesson with this body after a good front matter.
fn body(body: &str) -> String {
    complaints(&[("en/01-a.md", &format!("{FRONT}{body}\n"))])
}

const FRONT: &str = "+++\nid = \"a\"\ntitle = \"A\"\npart = \"P\"\n+++\n";
const RUN: &str = "```demo crash\nexpect = { survivors = 5 }\n```\n";

#[test]
fn nothing_is_said_of_good_lessons() {
    let en = include_str!("../../../tests/data/lessons/en/12-crash.md");
    let zh = include_str!("../../../tests/data/lessons/zh/12-crash.md");
    assert_eq!(complaints(&[("en/12-crash.md", en), ("zh/12-crash.md", zh)]), "");
}

/// One snapshot for each kind of mistake.
macro_rules! mistakes {
    ($($name:ident: $said:expr;)*) => {
        $(#[test] fn $name() { insta::assert_snapshot!(stringify!($name), $said); })*
    };
}

mistakes! {
    front_matter_missing: complaints(&[("en/01-a.md", "## One\nword\n")]);
    front_matter_open: complaints(&[("en/01-a.md", "+++\nid = \"a\"\n## One\nword\n")]);
    front_matter_incomplete: complaints(&[("en/01-a.md", "+++\nid = \"a\"\n+++\n## One\nword\n")]);
    front_matter_types: complaints(&[(
        "en/01-a.md",
        "+++\nid = \"Not Good\"\ntitle = 5\npart = \"\"\nminutes = -1\nafter = \"b\"\nclaims = [17]\n+++\n## One\nword\n",
    )]);
    front_matter_keys: complaints(&[("en/01-a.md", &format!("{}## One\nword\n", FRONT.replace("part", "claim = []\nauthor = \"me\"\npart")))]);
    front_matter_toml: complaints(&[("en/01-a.md", "+++\nid = \"a\ntitle == \"A\"\n+++\n## One\nword\n")]);
    file_not_numbered: complaints(&[("en/a.md", &format!("{FRONT}## One\nword\n"))]);
    ids_twice: complaints(&[
        ("en/01-a.md", &format!("{FRONT}## One\nword\n")),
        ("en/01-b.md", &format!("{}## One\nword\n", FRONT.replace("\"a\"", "\"b\""))),
        ("en/02-c.md", &format!("{FRONT}## One\nword\n")),
    ]);
    after_unknown: complaints(&[
        ("en/01-isolation.md", &format!("{}## One\nword\n", FRONT.replace("\"a\"", "\"isolation\""))),
        ("en/02-a.md", &format!("{}## One\nword\n", FRONT.replace("part", "after = [\"isolaton\", \"a\"]\npart"))),
    ]);
    claims_unknown: complaints(&[("en/01-a.md", &format!("{}## One\nword\n", FRONT.replace("part", "claims = [\"000-17\", \"000-99\", \"000-17\"]\npart")))]);
    claims_placed: complaints(&[(
        "en/01-a.md",
        &format!(
            "{}## One\nword\n\n<!-- claims: 000-27 -->\n\n## Two\nword\n",
            FRONT.replace("part", "claims = [\"000-17\"]\npart")
        ),
    )]);
    demo_unknown: body("## One\nword\n\n```demo crahs\n```");
    demo_unnamed: body("## One\nword\n\n```demo\n```\n\n```demo crash timeslice\n```");
    demo_parameters: body("## One\nword\n\n```demo crash\ntabz = 3\ntabs = 99999999999\nfault = \"$(rm)\"\nexpect = { survivors = 5 }\n```");
    demo_toml: body("## One\nword\n\n```demo crash\ntabs = six\n```");
    demo_in_a_list: body("## One\n- word\n\n  ```demo crash\n  ```");
    demos_two: body(&format!("## One\nword\n\n{RUN}\n{RUN}"));
    demo_expects_nothing: body("## One\nword\n\n```demo crash\n```");
    expect_unknown: body("## One\nword\n\n```demo crash\nexpect = { surviors = 5, counter = 1 }\n```");
    expect_never: body("## One\nword\n\n```demo crash\nexpect = { survivors = \"5 ms\", signal = 11, lasted = \"9 ms .. 1 ms\" }\n```");
    expect_no_table: body("## One\nword\n\n```demo crash\nexpect = 5\n```");
    predict_without_demo: body("## One\nword\n\n```predict\nHow many?\n- 1\n- 2\n= tabs\n```");
    predict_after_demo: body(&format!("## One\nword\n\n{RUN}\n```predict\nHow many?\n- 1\n- 2\n= tabs\n```"));
    predict_twice: body(&format!("## One\nword\n\n```predict\nHow many?\n- 1\n- 2\n= tabs\n```\n\n```predict\nWhat?\n- A\n- B\n= signal\n```\n\n{RUN}"));
    predict_value_unknown: body(&format!("## One\nword\n\n```predict\nHow many survivers?\n- 1\n- 2\n= survivers\n```\n\n{RUN}"));
    predict_options_overlap: body(&format!("## One\nword\n\n```predict\nHow long?\n- under 2 ms\n- 1 .. 10 ms\n- 5 ms\n= lasted\n```\n\n{RUN}"));
    predict_options_never: body(&format!("## One\nword\n\n```predict\nHow many?\n- 2.5\n- many\n- 5\n= survivors\n```\n\n{RUN}"));
    predict_options_gap: body(&format!("## One\nword\n\n```predict\nHow many?\n- 1 .. 5\n- 6 .. 10\n= survivors\n```\n\n{RUN}"));
    predict_unreadable: body(&format!("## One\nword\n\n```predict\n- 1\n- 2\n= tabs\n```\n\n```predict\nWhy?\n- 1\n= tabs\n```\n\n```predict\nWhy?\n- 1\n- 9 .. 2\n= tabs\n```\n\n```predict\nWhy?\n- 1\nor\n- 2\n= tabs\n```\n\n{RUN}"));
    quiz_unreadable: body("## One\nword\n\n```quiz\nWho?\n- [ ] a :: no\n- [ ] b :: no\n```\n\n```quiz\nWho?\n- a\n- b\n```\n\n```quiz\nWho?\n- [x] a\n- [ ] b :: no\n```");
    links_nowhere: body("## One\n线程 [word](lesson:b), [there](12-crush.md), [here](lesson:a:1), [far](lesson:a:7), [web](https://example.org).");
    figures_unknown: body("## One\n线程 {{crash.survivers}} and {{crsh.tabs}}, {{crash.tabs}}, {{nothing}}; {{crash.survivers}}.");
    figures_not_measured: body(&format!("## One\n线程 {{{{crash.tabs}}}} and {{{{timeslice.tabs}}}}.\n\n## Two\n{{{{crash.died}}}}\n\n{RUN}\n## Three\n{{{{crash.tabs}}}}, {{{{timeslice.tabs}}}}"));
    step_too_long: body(&format!("## One\n{}", "word ".repeat(121)));
    step_too_long_in_chinese: body(&format!("## 一\n{}", "线程".repeat(121)));
    step_without_heading: body("##\nword");
    step_empty: body("## One\n\n## Two\nword");
    steps_missing: body("word");
    fence_open: body("## One\n```c\nint x;\n\n## Two");
    fence_mistyped: body("## One\nword\n\n```predcit\nWhy?\n```\n\n```pyton\nx\n```");
    heading_misplaced: body("# One\nword\n\n## Two\n> ## Three\n> word");
    html: body("## One\n<b>word</b>\n\n<div>\nword\n</div>\n\n<!-- note: never closed");
    translation_differs: complaints(&[
        ("en/01-a.md", &format!("{FRONT}## One\nword\n\n```predict\nHow many?\n- 1\n- 2\n= tabs\n```\n\n{RUN}\n## Two\nword\n\n## Three\nword\n")),
        ("zh/01-a.md", &format!("{}## 一\n词\n\n```predict\n多少？\n- 1\n- 3\n= tabs\n```\n\n{RUN}\n## 二\n- 词\n", FRONT.replace("part", "minutes = 3\npart"))),
    ]);
    translation_claims: complaints(&[
        ("en/01-a.md", &format!("{}## One\nword\n\n<!-- claims: 000-17 -->\n", FRONT.replace("part", "claims = [\"000-17\"]\npart"))),
        ("zh/01-a.md", &format!("{}## 一\n词\n", FRONT.replace("part", "claims = [\"000-17\"]\npart"))),
    ]);
    refused: complaints(&[("en/01-a.md", "\u{0}"), ("en/02-b.md", "")]);
}

#[test]
fn a_lesson_may_quote_what_the_one_before_it_measures() {
    let text = format!("{}## One\n{{{{crash.tabs}}}}\n", FRONT.replace("part", "after = [\"b\"]\npart"));
    let other = |run: &str| format!("{}## One\nword\n\n{run}", FRONT.replace("\"a\"", "\"b\""));
    assert_eq!(beside(&text, &other(RUN)), "");
    assert!(beside(&text, &other("")).contains("crash does not run in this lesson"));
}

#[test]
fn a_lesson_may_refer_to_those_beside_it() {
    let text = format!(
        "{}## One\n[by id](lesson:b:2), [by file](02-b.md), [wrong step](lesson:b:3)\n",
        FRONT.replace("part", "after = [\"b\"]\npart")
    );
    let other = format!("{}## One\n[nowhere](lesson:z)\n\n## Two\nword\n", FRONT.replace("\"a\"", "\"b\""));
    let said = beside(&text, &other);
    assert_eq!(said.matches("error").count(), 1, "{said}");
    assert!(said.contains("lesson b has steps 1 to 2"), "{said}");
    assert!(complaints(&[("en/01-a.md", &text)]).contains("there is no lesson b"), "without it there is none");
}

#[test]
fn what_acts_on_a_terminal_is_never_shown() {
    let nasty = "\u{1b}]52;c;x\u{7}\u{202e}";
    let said = body(&format!(
        "## {nasty}\n[a](lesson:{nasty}) {{{{crash.{nasty}}}}}\n\n```demo crash\n\"{nasty}\" = 1\nexpect = {{ \"{nasty}\" = \"{nasty}\" }}\n```"
    ));
    assert!(!said.is_empty() && !said.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{said:?}");
}

#[test]
fn a_lesson_full_of_mistakes_is_not_searched_for_ever() {
    let links: String = (0..50_000).map(|i| format!("[a](lesson:x{i})\n")).take(19_000).collect();
    let (lesson, said) = parse(format!("{FRONT}## One\n{links}").as_bytes(), "01-a.md", "en");
    assert_eq!(said, []);
    let said = check(&[(lesson, links)], &[], &[&DEMO], &ClaimIds::default());
    assert_eq!(said.len(), read_limits::MESSAGES);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_markup_makes_it_panic(words in proptest::collection::vec(proptest::sample::select(vec![
        "## 线\n", "```\n", "\n```predict\nWhy?\n- 1\n- 2 .. 3\n= tabs\n```\n", "\n```demo crash\n", "\n```demo x\n```\n",
        "tabs = 99\n", "é = 1\n", "expect = { tabs = \"5 ms\", x = 1 }\n", "[线](lesson:a:9) ", "[a](9-é.md) ", "{{crash.线}} ",
        "{{crash.x}} ", "\n", "- ", "> ", "a ", "=", "\r\n", "+++\n", "id = \"é\"\n", "claims = [\"é\"]\n", "after = [\"\"]\n",
    ]), 0..60), front: bool) {
        let text = format!("{}{}", if front { FRONT } else { "+++\n" }, words.concat());
        let said = complaints(&[("en/01-a.md", &text), ("zh/01-a.md", &text.replace('1', "2"))]);
        prop_assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
    }
}

#[test]
fn a_drawing_that_is_cut_beside_the_stage_is_told() {
    let lesson = |wide: usize| {
        let drawing = "x".repeat(wide);
        format!(
            "+++\nid = \"a\"\ntitle = \"A\"\nminutes = 5\n+++\nHello.\n\n## One\n```picture\nabc\n {drawing}\n```\n"
        )
    };
    let said = |wide| complaints(&[("en/01-a.md", &lesson(wide))]);
    assert!(!said(45).contains("drawing"), "{}", said(45));
    assert!(said(46).contains("this line of a drawing is 47 columns wide"), "{}", said(46));
}
