//! Markdown in, blocks out; and everything that is no lesson in, a message out.

use super::*;
use crate::lesson::{Align, Matches, Span, Text};
use proptest::prelude::*;
use serde_json::json;

mod bombs;
mod outline;

const ESC: char = '\u{1b}';

const EXAMPLE: &str = include_str!("../../../tests/data/lessons/en/12-crash.md");

/// A lesson of one step with this inside.
fn step(body: &str) -> (Step, Vec<Diagnostic>) {
    let source = format!("+++\nid = \"a\"\ntitle = \"A\"\npart = \"P\"\n+++\n## One\n{body}\n");
    let (lesson, wrong) = parse(source.as_bytes(), "01-a.md", "en");
    assert_eq!(lesson.steps.len(), 1, "{wrong:?}");
    (lesson.steps.into_iter().next().expect("one step"), wrong)
}

/// The blocks of a body in which nothing is wrong.
fn good(body: &str) -> Vec<Block> {
    let (step, wrong) = step(body);
    assert_eq!(wrong, [], "{body}");
    step.blocks
}

/// What is wrong with a body: line and column within it, and the sentence.
fn wrong(body: &str) -> Vec<(usize, usize, String)> {
    step(body).1.into_iter().map(|d| (d.pos.line - 6, d.pos.column, d.sentence)).collect()
}

fn text(block: &Block) -> &[Span] {
    match block {
        Block::Paragraph(Text(spans)) => spans,
        other => panic!("no paragraph: {other:?}"),
    }
}

#[test]
fn the_example_is_read_whole() {
    let (lesson, wrong) = parse(EXAMPLE.as_bytes(), "lessons/en/12-crash.md", "en");
    assert_eq!(wrong, []);
    insta::assert_snapshot!("example", outline::lesson(&lesson));
}

#[test]
fn line_ends_and_byte_order_marks_make_no_difference() {
    let (plain, _) = parse(EXAMPLE.as_bytes(), "12-crash.md", "en");
    for other in [EXAMPLE.replace('\n', "\r\n"), EXAMPLE.replace('\n', "\r"), format!("\u{feff}{EXAMPLE}")] {
        assert_eq!(parse(other.as_bytes(), "12-crash.md", "en"), (plain.clone(), vec![]));
    }
}

#[test]
fn files_are_named_by_number_and_name() {
    assert_eq!(file_name("lessons/en/12-crash.md"), (Some(12), "crash".into()));
    assert_eq!(file_name("12.md"), (Some(12), "12".into()));
    assert_eq!(file_name("crash.md"), (None, "crash".into()));
    assert_eq!(file_name("one-two.md"), (None, "one-two".into()));
    assert_eq!(file_name("99999999999-a.md"), (None, "99999999999-a".into()));
    assert_eq!(file_name(""), (None, String::new()));
}

#[test]
fn looks_links_and_figures() {
    let blocks = good("a *b **c*** `d` ~~e~~ [f](12-crash.md#x) ![g](h.png) {{ crash.survivors }} i\\\nj");
    let Block::Paragraph(looks) = &blocks[0] else { panic!("{blocks:?}") };
    assert_eq!(
        outline::text(looks),
        "a |/b |/*c| |`d| |~e| |f->lesson:crash| |g->h.png| |(not measured yet)=crash.survivors| i⏎j"
    );
    let Block::Paragraph(elsewhere) = &good("[a](https://example.org/b.md)")[0] else { panic!("no paragraph") };
    assert_eq!(outline::text(elsewhere), "a->https://example.org/b.md", "not every .md is a lesson of ours");
}

#[test]
fn a_line_end_is_a_blank_except_between_chinese_characters() {
    let words = |body| text(&good(body)[0]).iter().map(|s| s.text.clone()).collect::<String>();
    assert_eq!(words("one\ntwo"), "one two");
    assert_eq!(words("线程\n进程"), "线程进程");
    assert_eq!(words("线程\ntwo"), "线程 two");
    assert_eq!(words("**线程**\n进程，**“好”**的"), "线程进程，“好”的");
    assert_eq!(words("프로세스\n스레드"), "프로세스 스레드", "Korean has blanks");
    assert_eq!(words("{{crash.tabs}}\nleft"), "(not measured yet) left");
    assert_eq!(outline::text(&Text(text(&good("`one`\ntwo")[0]).to_vec())), "`one| two");
}

#[test]
fn lists_tables_and_rules() {
    let blocks = good("- a\n  - b\n\n7. c\n8. d\n\n***\n\n|x|y|z|\n|-|:-:|-:|\n|1|2|\n");
    let Block::List(None, items) = &blocks[0] else { panic!("{blocks:?}") };
    assert!(matches!(items[0].as_slice(), [Block::Paragraph(_), Block::List(None, inner)] if inner.len() == 1));
    assert!(matches!(&blocks[1], Block::List(Some(7), items) if items.len() == 2));
    assert_eq!(blocks[2], Block::Rule);
    let Block::Table(aligns, head, rows) = &blocks[3] else { panic!("{blocks:?}") };
    assert_eq!(aligns, &[Align::Left, Align::Centre, Align::Right]);
    assert_eq!((head.len(), rows[0].iter().map(Text::words).collect::<String>()), (3, "12".into()));
}

#[test]
fn a_prediction_reads_its_options_in_the_values_unit() {
    let blocks =
        good("```predict\nHow long is\none *turn*?\n\n- under 1 ms\n- 1 ms .. 10 ms\n- over 10 ms\n= turn\n```");
    let Block::Predict(predict) = &blocks[0] else { panic!("{blocks:?}") };
    assert_eq!((predict.question.words().as_str(), predict.answer.as_str()), ("How long is one turn?", "turn"));
    assert_eq!(predict.options[1].matches, Matches::Range(1e6, 1e7));
    assert_eq!(predict.right(&json!(4_000_000)), Some(1));
    assert_eq!(predict.at, Pos { line: 7, column: 1 });
}

#[test]
fn a_demo_has_parameters_and_expectations() {
    let blocks = good(
        "~~~demo crash\ntabs = 6\nnice = [0, 5]\npin = true\nexpect.share = \"30 % .. 40 %\"\nexpect.ok = true\n~~~",
    );
    let Block::Demo(demo) = &blocks[0] else { panic!("{blocks:?}") };
    assert_eq!(json!(demo.params), json!({"tabs": 6, "nice": [0, 5], "pin": true}));
    assert_eq!(demo.expect["share"].written, "30 % .. 40 %");
    assert!(demo.expect["share"].matches.holds(&json!(0.333)) && demo.expect["ok"].matches.holds(&json!(true)));
}

#[test]
fn notes_are_for_the_instructor_and_comments_for_nobody() {
    let (step, wrong) = step(
        "a <!-- note: one --> b\n\n<!-- note: two\nlines -->\n\n<!-- mine -->\n\n<!-- note: -->\n\nc\n\n<!-- claims: 000-17,\n001-02 -->",
    );
    assert_eq!(wrong, []);
    assert_eq!(step.notes, ["one", "two\nlines"]);
    assert_eq!(step.claims, ["000-17", "001-02"]);
    assert_eq!(step.blocks.len(), 2);
}

#[test]
fn what_is_wrong_in_a_fence_is_shown_at_its_own_place() {
    assert_eq!(wrong("```predict\nWhy?\n- a\n- 3 ms .. 1 ms\n= x\n```")[0].0, 4);
    assert_eq!(
        wrong("```predict\nWhy?\n- a\n- b\n```")[0],
        (1, 1, "this predict does not say which value answers it".into())
    );
    assert_eq!(wrong("```demo crash\ntabs = 6\nexpect = { a = 1979-05-27 }\n```")[0].0, 3);
    let toml = &wrong("```demo crash\ntabs = = 6\n```")[0];
    assert_eq!((toml.0, toml.1), (2, 8), "{toml:?}");
    let indented = &wrong("1. x\n\n   ```hint\n   ok\n   ```")[0];
    assert_eq!((indented.0, indented.1), (3, 4), "{indented:?}");
    assert_eq!(wrong("```hint\n \n```")[0], (1, 1, "this hint says nothing".into()));
    let inside = &wrong("```hint\n线程 {{nothing}}\n```")[0];
    assert_eq!((inside.0, inside.1, inside.2.as_str()), (2, 4, "{{nothing}} is no figure"));
}

#[test]
fn each_mistake_in_a_question_is_shown_on_its_own_line() {
    for (lines, line, sentence) in [
        ("predict\nWhy?\n- 1\n-\n= x", 4, "this option is empty"),
        ("predict\nWhy?\n- 1\n- 2\n= x\n= y", 6, "one value answers a prediction"),
        ("predict\nWhy?\n- 1\n- 2\n=", 5, "the value's name is missing"),
        ("predict\nWhy?\n- 1\n- 2\n= x\n  more", 6, "this line is neither an option nor goes on with one"),
        ("quiz\nWhy?\n- [x] a :: b\n- [x] c :: d", 1, "more than one of these options is right"),
        ("quiz\nWhy?\n- [ ] a :: b\n- [ ] c :: d", 1, "none of these options is right"),
        ("quiz\nWhy?\n- [x] a :: b\n- [ ] c", 4, "this option gives no reason"),
        ("demo crash\ntabs = inf", 2, "tabs is not a finite number"),
        ("demo crash\na.a.a.a.a.a.a.a.a.a = 1", 2, "this is nested too deep; 8 levels are the most"),
    ] {
        let said = wrong(&format!("```{lines}\n```"));
        assert!(said.iter().any(|(at, _, what)| (*at, what.as_str()) == (line, sentence)), "{lines:?}: {said:?}");
    }
}

#[test]
fn messages_come_in_the_order_of_their_places_and_once_for_each() {
    let said = wrong("{{b}}\n\n```quiz\nWhy?\n- [x] a\n- [ ] c\n```\n\n# a\n\n```quzi\n```");
    let lines: Vec<_> = said.iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, [1, 5, 6, 9, 11], "{said:?}");
    let said = wrong("```quiz\nWhy?\n- [x] a :: b\n- [x] c :: d");
    assert_eq!(said, [(1, 1, "this block is never closed".into())], "what else is wrong there may follow from it");
    assert!(
        matches!(step("# a").0.blocks[..], [Block::Heading(3, _)]),
        "no heading in a step is larger than its title"
    );
    let (lesson, wrong) =
        parse(b"+++\ntitle = 1\nid = \"7\"\npart = \"P\"\nminutes = 1001\n+++\n## a\nb\n", "07-x.md", "en");
    assert_eq!(wrong.iter().map(|d| d.pos.line).collect::<Vec<_>>(), [2, 3, 5], "{wrong:?}");
    assert_eq!((lesson.id.as_str(), lesson.minutes), ("x", 0), "an id is no number: that is the lesson's place");
    let (lesson, wrong) =
        parse(b"+++\nid = \"a\"\ntitle = \"A\"\npart = \"P\"\nminutes = 1000\n+++\n## a\nb\n", "1-a.md", "en");
    assert_eq!((wrong, lesson.minutes), (vec![], 1000));
}

#[test]
fn a_block_that_cannot_be_read_leaves_the_others() {
    let (step, wrong) = step("a\n\n```quiz\nWho?\n- b\n- c\n```\n\nd");
    assert_eq!(wrong.len(), 1);
    assert!(matches!(step.blocks.as_slice(), [Block::Paragraph(_), Block::Wrong(why), Block::Paragraph(_)]
        if *why == wrong[0].sentence));
}

#[test]
fn a_lesson_without_front_matter_or_number_still_opens() {
    let (lesson, wrong) = parse(b"## One\nword\n", "a.md", "en");
    assert_eq!((lesson.id.as_str(), lesson.number, lesson.steps.len()), ("a", 0, 1));
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    let (lesson, wrong) = parse(b"+++\nid = \n+++\n## One\nword\n", "03-a.md", "en");
    assert_eq!((lesson.id.as_str(), lesson.number, lesson.steps[0].at.line), ("a", 3, 4));
    assert_eq!((wrong.len(), wrong[0].pos.line), (1, 2), "{wrong:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (lesson, wrong) = parse(&bytes, "01-a.md", "en");
        prop_assert!(!lesson.intro.is_empty() || !lesson.steps.is_empty());
        let source = super::text(&bytes);
        prop_assert!(wrong.iter().all(|d| !d.render(&source).contains(ESC)));
    }

    #[test]
    fn no_markup_makes_it_panic(words in proptest::collection::vec(proptest::sample::select(vec![
        "+++\n", "## ", "```", "```predict\n", "```demo a\n", "```quiz\n", "```hint\n", "- ", "- [x] ", " :: ", "= a\n",
        "> ", "|", "|-|\n", "\n", "\n\n", "    ", "\t", "*", "**", "`", "[", "](", ")", "<!--", "-->", "{{", "}}", ".",
        "a", "线", "id = \"x\"\n", "expect", "=", "{", "}", "\"", "1 ms", " .. ", "\r", "&#27;", "~~~", "1. ", "\\",
    ]), 0..120)) {
        let source = words.concat();
        let (lesson, wrong) = parse(source.as_bytes(), "01-a.md", "zh");
        prop_assert!(source.trim().is_empty() || !lesson.intro.is_empty() || !lesson.steps.is_empty());
        let source = super::text(source.as_bytes());
        for d in wrong {
            prop_assert!(d.pos.line >= 1 && d.pos.line <= source.split('\n').count() + 1, "{d:?}");
            prop_assert!(!d.render(&source).contains(ESC));
        }
    }

    #[test]
    fn every_step_that_is_written_is_read(
        steps in proptest::collection::vec(("[a-zA-Z][a-z A-Z0-9]{0,20}", "[a-z .,\n]{0,80}", any::<bool>()), 1..30)
    ) {
        let mut source = "+++\nid = \"a\"\ntitle = \"A\"\npart = \"P\"\n+++\n".to_owned();
        for (title, body, runs) in &steps {
            source += &format!("## {title}\nA {body}\n\n");
            if *runs {
                source += "```predict\nHow many?\n- 1\n- 2\n= tabs\n```\n\n```demo crash\ntabs = 2\n```\n\n";
            }
        }
        let (lesson, wrong) = parse(source.as_bytes(), "01-a.md", "en");
        prop_assert_eq!(wrong, vec![]);
        prop_assert_eq!(lesson.steps.len(), steps.len());
        for (read, (title, _, runs)) in lesson.steps.iter().zip(&steps) {
            prop_assert_eq!(&read.title, title.trim());
            prop_assert_eq!((read.demo().is_some(), read.predict().is_some()), (*runs, *runs));
        }
    }
}
