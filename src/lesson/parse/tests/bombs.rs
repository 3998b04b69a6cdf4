//! Files that were made to hurt: each is refused or shown, and dropped, without a deep stack or an endless search.

use super::*;

const MIB: usize = read_limits::BYTES;

fn fill(unit: &str, bytes: usize) -> String {
    unit.repeat(bytes / unit.len())
}

/// Lines of `unit` again and again, each as long as a line may be.
fn lines(unit: &str) -> String {
    let line = fill(unit, read_limits::LINE - 1) + "\n";
    line.repeat((MIB - 40) / line.len())
}

/// As many lines as a lesson may have.
fn rows(unit: &str) -> String {
    unit.repeat(19_000 / unit.matches('\n').count())
}

/// `bomb` under a heading, within the limit of size.
fn explode(name: &str, bomb: &str) -> (Lesson, Vec<Diagnostic>) {
    let mut source = format!("+++\n+++\n## a\n{bomb}");
    let mut end = source.len().min(MIB);
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    source.truncate(end);
    // A shallow stack, so that whatever goes down with the nesting of its input is found here.
    let parsed = std::thread::Builder::new().stack_size(256 << 10).spawn(move || {
        let (lesson, wrong) = parse(source.as_bytes(), "01-a.md", "en");
        drop(lesson.clone());
        (lesson, wrong)
    });
    let (lesson, wrong) = parsed.expect("a thread").join().unwrap_or_else(|_| panic!("{name}"));
    assert!(!lesson.steps.is_empty() || !lesson.intro.is_empty(), "{name} leaves nothing");
    (lesson, wrong)
}

#[test]
fn nesting_that_has_no_end() {
    let stairs = |mark: &str| (0..).map(|i| format!("{}{mark} a\n", " ".repeat(2 * i))).take(700).collect::<String>();
    let deepest = || (0..4).map(|i| format!("{}{}a\n", " ".repeat(64 * i), "- ".repeat(64))).collect::<String>();
    for (name, bomb) in [
        ("quotations", lines(">")),
        ("quotations in lists", lines("> - ")),
        ("lists in lines", lines("+ ")),
        ("numbered lists", lines("1. ")),
        ("stairs of lists", stairs("-")),
        ("stairs and blank lines", stairs("-") + &"\n".repeat(400_000)),
        ("as deep as goes", deepest() + &"\n".repeat(19_000)),
        ("lazy quotation", ">".repeat(64) + "a\n" + &"a\n".repeat(19_000)),
        ("emphasis", fill("*a **a ", 30_000) + &fill("a** a* ", 30_000)),
        ("strong", "*".repeat(30_000) + "a" + &"*".repeat(30_000)),
        ("links in brackets", "[".repeat(12_000) + "a" + &"](b)".repeat(12_000)),
        ("images", lines("![[]()")),
        ("struck", lines("~~a ~b ")),
    ] {
        explode(name, &bomb);
    }
}

#[test]
fn searches_that_have_no_end() {
    for (name, bomb) in [
        ("open brackets", lines("[a](")),
        ("open angle links", lines("[a](<b")),
        ("open emphasis", lines("*a_ ")),
        ("code spans", (0..1400).map(|i| format!("e{}\n", "`".repeat(i))).collect()),
        ("open tags", lines("<a ")),
        ("open comments", lines("<!-- ")),
        ("open figures", lines("{{ ")),
        ("figures", lines("{{a.b}}")),
        ("references", (0..9_000).map(|i| format!("[{i:07}]: /u\n\n")).collect()),
        ("uses of a reference", "[a]: /u\n\n".to_owned() + &lines("[a] ")),
        ("entities", lines("&amp;")),
        ("escapes", lines("\\*")),
        ("chinese emphasis", lines("**好**")),
    ] {
        explode(name, &bomb);
    }
}

#[test]
fn more_than_anybody_reads() {
    let (lesson, wrong) = explode("headings", &"## a\n".repeat(19_000));
    assert_eq!((lesson.steps.len(), wrong.len()), (read_limits::STEPS, 2), "{wrong:?}");
    assert_eq!(wrong[1].pos.line, 3 + read_limits::STEPS);
    explode("underlined headings", &rows("a\n===\n"));
    explode("fences", &rows("```\n```\n"));
    explode("predictions", &rows("```predict\n```\n"));
    explode("demos", &rows("```demo a\n```\n"));
    explode("hints of hints", &rows("````hint\n```hint\n```\n````\n"));
    explode("paragraphs", &rows("a\n\n"));
    explode("wide table", &format!("{}\n{}\n{}", "|a".repeat(16_000), "|-".repeat(16_000), "|\n".repeat(19_000)));
    explode("table of 65", &format!("{}\n{}\n{}", "|a".repeat(65), "|-".repeat(65), "|\n".repeat(19_000)));
    explode("long toml", &format!("```demo a\n{}\n```", "a = 1\n".repeat(15_000)));
    explode("dotted toml", &format!("```demo a\n{}a = 1\n```", "a.".repeat(5_000)));
    explode("deep toml", &format!("```demo a\na = {}\n```", "[".repeat(16_000)));
    explode("options", &format!("```predict\na\n{}= b\n```", "- 1\n".repeat(15_000)));
}

#[test]
fn what_is_no_text_is_refused_in_one_sentence() {
    let refused = |bytes: &[u8]| {
        let (lesson, wrong) = parse(bytes, "07-isolation.md", "en");
        assert_eq!((lesson.id.as_str(), lesson.number, lesson.steps.len(), wrong.len()), ("isolation", 7, 0, 1));
        assert_eq!(lesson.intro, [Block::Wrong(wrong[0].sentence.clone())]);
        wrong[0].sentence.clone()
    };
    assert_eq!(refused(b""), "the file is empty");
    assert_eq!(refused(b"\xef\xbb\xbf \r\n"), "the file is empty");
    assert_eq!(refused(b"\xff\xfe+\0+\0+\0"), "the file is UTF-16");
    assert_eq!(refused(b"\x7fELF\x02\x01\x01\0\0"), "the file is not text: here is a NUL");
    assert_eq!(refused(&vec![b'a'; 10 << 20]), "the file has 10485760 bytes; a lesson has at most 1048576");
    assert_eq!(refused(&vec![b'a'; MIB]), "this line is too long; a line has at most 65536 bytes");
    assert_eq!(refused(&[b'>'; 65]), "this line is nested too deep; 32 levels are the most");
    assert_eq!(refused(&b"## a\n".repeat(100_000)), "the file goes on after line 20000, the last that is read");
}

#[test]
fn each_limit_is_the_most_that_is_read() {
    let read = |body: String| parse(format!("+++\n+++\n## a\n{body}").as_bytes(), "01-a.md", "en");
    let steps = |body: String| read(body).0.steps.len();
    let line = |bytes: usize| "a".repeat(bytes);
    assert_eq!([0, 1].map(|more| steps(line(read_limits::LINE + more))), [1, 0]);
    assert_eq!([0, 1].map(|more| steps("\n".repeat(read_limits::LINES - 4 + more))), [1, 0]);
    assert_eq!([0, 1].map(|more| steps(" ".repeat(read_limits::INDENT + more) + "a")), [1, 0]);
    let lines = (line(99) + "\n").repeat(MIB / 100 + 1);
    assert_eq!([MIB, MIB + 1].map(|bytes| parse(&lines.as_bytes()[..bytes], "01-a.md", "en").0.intro.len()), [1, 1]);
    let refused =
        |bytes: usize| matches!(parse(&lines.as_bytes()[..bytes], "01-a.md", "en").0.intro[0], Block::Wrong(_));
    assert_eq!([MIB, MIB + 1].map(refused), [false, true]);
    let table = |columns| {
        read(format!("{0}|\n{1}|\n", "|a".repeat(columns), "|-".repeat(columns))).0.steps[0].blocks[0].clone()
    };
    assert!(matches!(table(read_limits::COLUMNS), Block::Table(..)));
    assert!(matches!(table(read_limits::COLUMNS + 1), Block::Wrong(_)));
}

#[test]
fn what_is_almost_text_is_shown_with_a_message() {
    let (lesson, wrong) = parse(b"+++\n+++\n## a\ncaf\xe9 \xff\n", "01-a.md", "en");
    let spoilt = wrong.iter().find(|d| d.sentence.contains("not UTF-8")).expect("a message");
    assert_eq!((spoilt.pos, lesson.steps.len()), (Pos { line: 4, column: 4 }, 1));
    assert!(wrong.len() > 1 && wrong.is_sorted_by_key(|d| d.pos), "the front matter's come first: {wrong:?}");
    let marks = format!("+++\n+++\n## a\ne{} 👩\u{200d}🚀\n", "\u{301}".repeat(4096));
    let (lesson, _) = parse(marks.as_bytes(), "01-a.md", "en");
    let Block::Paragraph(text) = &lesson.steps[0].blocks[0] else { panic!("no paragraph") };
    assert_eq!(text.words().chars().filter(|c| *c == '\u{301}').count(), 4096, "the screen cleans, not the parser");
}

#[test]
fn what_acts_on_a_terminal_never_reaches_a_message() {
    let nasty = "&#27;]52;c;x&#7; \u{1b}[31m \u{9b}2J \u{202e} \u{8}";
    let source = format!(
        "+++\nid = \"{nasty}\"\n{nasty} = 1\n+++\n# {nasty}\n## {nasty}\n{{{{{nasty}}}}}\n\n```demo {nasty}\n{nasty}\n```\n"
    );
    let (_, wrong) = parse(source.as_bytes(), &format!("{nasty}.md"), "en");
    assert!(wrong.len() >= 4, "{wrong:?}");
    for shown in wrong.iter().map(|d| d.render(&source)) {
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.contains(acts), "{shown:?}");
    }
}
