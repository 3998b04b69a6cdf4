//! Markdown in, rows out.

use super::*;
use crate::lesson::{Align, Span as Words, Style as LookOf};
use crate::view::put::width as width_of;
use insta::assert_snapshot;
use proptest::prelude::*;

fn shown(blocks: &[Block], width: u16) -> String {
    let context = Context {
        figure: &|name| (name == "crash.survivors").then(|| "5".to_owned()),
        lesson: &|id| (id == "isolation").then(|| "Isolation".to_owned()),
        special: &|_, _| vec![Line::raw("<special>")],
    };
    let lines = layout(blocks, width, &Theme::default(), &context);
    for line in &lines {
        let wide: usize = line.spans.iter().map(|s| width_of(&s.content)).sum();
        assert!(wide <= usize::from(width), "{wide} > {width}: {line}");
    }
    lines.iter().map(|l| format!("{}\n", l.to_string().trim_end())).collect()
}

fn plain(text: &str) -> Text {
    Text::plain(text)
}

fn page() -> Vec<Block> {
    let link = |text: &str, link: &str| Words { text: text.into(), link: Some(link.into()), ..Words::default() };
    vec![
        Block::Heading(3, plain("Six tabs, six processes")),
        Block::Paragraph(Text(vec![
            Words { text: "Of six tabs ".into(), ..Words::default() },
            Words { text: "many".into(), figure: Some("crash.survivors".into()), ..Words::default() },
            Words {
                text: " survive. See ".into(),
                style: LookOf { strong: true, ..LookOf::default() },
                ..Words::default()
            },
            link("an earlier lesson", "lesson:isolation"),
            Words { text: ", ".into(), ..Words::default() },
            link("lesson:pages", "lesson:pages"),
            Words { text: " and ".into(), ..Words::default() },
            link("the manual", "https://man7.org/"),
            Words { text: ".".into(), ..Words::default() },
        ])),
        Block::List(
            None,
            vec![
                vec![Block::Paragraph(plain("A process has an address space of its own."))],
                vec![
                    Block::Paragraph(plain("Threads share it:")),
                    Block::List(
                        Some(9),
                        vec![
                            vec![Block::Paragraph(plain("the heap"))],
                            vec![Block::Paragraph(plain("线程共享内存，进程不共享内存。"))],
                        ],
                    ),
                ],
            ],
        ),
        Block::Quote(vec![Block::Paragraph(plain("An analogy is a loan: it has to be paid back."))]),
        Block::Code("rust".into(), "fn main() {\n    let answer = 42; // the only one there is\n}\n".into()),
        Block::Picture("+------+\n| heap |\n+------+\n".into()),
        Block::Rule,
        Block::Wrong("demo crsh: there is no such demo".into()),
        Block::Hint(Vec::new()),
    ]
}

fn table() -> Block {
    let row = |cells: [&str; 3]| cells.map(plain).to_vec();
    Block::Table(
        vec![Align::Left, Align::Right, Align::Centre],
        row(["what", "median", "kind"]),
        vec![row(["fork and exit of a small parent", "110 µs", "process"]), row(["创建线程", "20 µs", "thread"])],
    )
}

#[test]
fn a_page_at_sixty_columns() {
    assert_snapshot!(shown(&page(), 60));
}

#[test]
fn a_page_at_twenty_four_columns() {
    assert_snapshot!(shown(&page(), 24));
}

#[test]
fn a_table_has_its_natural_width_shrinks_and_becomes_records() {
    assert_snapshot!(format!(
        "{}----\n{}----\n{}",
        shown(&[table()], 70),
        shown(&[table()], 36),
        shown(&[table()], 18)
    ));
}

#[test]
fn a_command_in_a_line_is_not_broken() {
    let code = LookOf { code: true, ..LookOf::default() };
    let text = |words: &str, style| Words { text: words.into(), style, ..Words::default() };
    let command = "grep Sig /proc/PID/status";
    for (before, after) in [("Look at it with ", ", while it runs."), ("用这个命令看一看它：", "，趁它在运行。")]
    {
        let words = [text(before, LookOf::default()), text(command, code), text(after, LookOf::default())];
        for width in 28..60 {
            let seen = shown(&[Block::Paragraph(Text(words.to_vec()))], width);
            assert!(seen.lines().any(|line| line.contains(command)), "{width}: {seen}");
        }
    }
}

#[test]
fn of_code_nothing_is_lost_at_any_width() {
    let code =
        "python3 -c 'for i in sorted({*a, *b}): print(i, a.get(i))' mine.jsonl theirs.jsonl\n线程线程线程线程 = 1";
    let shown = |width| shown(&[Block::Code("sh".into(), code.into())], width);
    for width in 5..90 {
        let lines = shown(width);
        let whole: String = lines.lines().map(|line| line.trim_start_matches('▏').trim_start_matches(ONWARD)).collect();
        let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        assert_eq!(bare(&whole), bare(code), "{width}: {lines}");
    }
    assert_snapshot!([76, 44, 20].map(shown).join("----\n"));
}

#[test]
fn nothing_is_too_wide_at_any_width() {
    let mut all = page();
    all.push(table());
    for width in 0..80 {
        let _ = shown(&all, width);
    }
}

#[test]
fn hostile_words_are_cleaned_wherever_they_stand() {
    let esc = "\u{1b}[31m\u{202e}";
    let text = || Text(vec![Words { text: esc.into(), link: Some(format!("http://{esc}")), ..Words::default() }]);
    let blocks = [
        Block::Heading(3, text()),
        Block::Paragraph(text()),
        Block::List(None, vec![vec![Block::Paragraph(text())]]),
        Block::Quote(vec![Block::Paragraph(text())]),
        Block::Code("c".into(), esc.into()),
        Block::Picture(esc.into()),
        Block::Table(vec![], vec![text()], vec![vec![text(), text()]]),
        Block::Wrong(esc.into()),
    ];
    let shown = shown(&blocks, 40);
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
}

proptest! {
    #[test]
    fn any_table_fits(columns in 0_usize..8, width in 1_u16..60, words in prop::collection::vec("[a-z线 ]{0,20}", 0..20)) {
        let rows = words.chunks(columns.max(1)).map(|row| row.iter().map(|w| plain(w)).collect()).collect();
        let head = (0..columns).map(|i| plain(&format!("head {i}"))).collect();
        shown(&[Block::Table(vec![Align::Right; 3], head, rows)], width);
    }
}
