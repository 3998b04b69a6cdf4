//! Lessons of somebody else's: what they say must not act on the terminal, what they ask for must not be run, and
//! however they are made they are read or refused in a moment.

use super::common::{Lessons, has, leave, lesson, status, ui};
use crate::support::{Load, Patience, Surroundings, User};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a terminal would obey, or what would deceive its reader: escapes, C1, OSC 8 and 52, DCS, CR, BS, bidi, tags.
const ACTS: &str = "\u{1b}[2J\u{1b}]0;mine\u{7}\u{1b}]8;;http://x\u{1b}\\\u{1b}]52;c;eA==\u{7}\u{1b}Pq\u{1b}\\\u{1b}c\u{9b}31m\u{9d}0;t\u{9c}\u{8}\u{202e}abc\u{2066}\u{e0041}\u{200b}\u{2028}";

/// The same as a document writes it, where every field is decoded.
const ENTITIES: &str = "&#27;[2J&#x1b;]0;mine&#7;&#155;31m&#8;&#x202e;&#x2066;&#xe0041;";

/// And as TOML writes it.
const TOML: &str = r"\u001b[2J\u001b]0;mine\u0007\u009b31m\b\u202e\u2066";

fn hostile() -> String {
    format!(
        "+++\nid = \"bad\"\ntitle = \"Bad {TOML}\"\npart = \"Part {TOML}\"\nminutes = 1\nafter = [\"{TOML}\"]\nclaims = [\"{TOML}\"]\n\"{TOML}\" = 1\n+++\n\
         About {ACTS} {ENTITIES}\n\n## On trial {ENTITIES} {ACTS}\n**b {ACTS}** *i {ENTITIES}* `c {ACTS}` [link {ENTITIES}](http://x/{ENTITIES}) [l](lesson:{ENTITIES}) ![i {ENTITIES}](x)\n\n\
         > quote {ACTS}\n\n- item {ENTITIES}\n\n| a {ENTITIES} | b |\n|--|--|\n| {ENTITIES} | {{{{bad.{ENTITIES}}}}} |\n\n\
         ```predict\nWhat {ACTS}\n- one {ACTS}\n- two {ENTITIES}\n= count\n```\n```demo unruly\nhow = \"line\"\nexpect = {{ count = \"{TOML}\" }}\n```\n\
         <b>{ACTS}</b>\n\n```hint\nhint {ACTS} {ENTITIES}\n```\n<!-- note: note {ACTS} {ENTITIES} -->\n\n\
         ## Next {ACTS}\n```{ENTITIES}\ncode {ACTS}\n```\n```quiz\nQ {ACTS}\n- [ ] a {ACTS} :: why {ENTITIES}\n- [x] b :: {ACTS}\n```\n```picture\n{ACTS}\n```\n```unknown{ACTS}\nx\n```\n",
    )
}

/// Nothing that acts in what a command wrote, to either end.
#[track_caller]
fn harmless(here: &Surroundings, args: &[&OsStr]) -> (i32, Duration) {
    let begun = Instant::now();
    // What it may have of its own, whoever fills it; more is refused by the kernel, and then it aborts.
    let memory = ["sh", "-c", "ulimit -d 262144; exec \"$0\" \"$@\""];
    let output = here.forklore_under(&memory, args).timeout(Patience::default().0).output().expect("it starts");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap_or_else(|e| panic!("{args:?}: {e}"));
    let acts = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{e0000}'..='\u{e007f}')
    };
    let found = text.lines().find(|line| line.chars().any(|c| acts(&c)));
    assert!(found.is_none(), "{args:?}: {found:?}");
    assert!(!text.contains("panicked"), "{args:?}: {text}");
    (output.status.code().unwrap_or_else(|| panic!("{args:?}: {:?}", output.status)), begun.elapsed())
}

/// Every command that reads lessons.
#[track_caller]
fn commands(here: &Surroundings, folder: &Path) -> Duration {
    let option = OsStr::new("--lessons");
    let commands: [&[&OsStr]; 3] = [
        &[OsStr::new("list"), option, folder.as_os_str()],
        &[OsStr::new("list"), OsStr::new("--json"), option, folder.as_os_str()],
        &[OsStr::new("check"), folder.as_os_str()],
    ];
    let took = commands.map(|args| {
        let (code, took) = harmless(here, args);
        assert!((0..=2).contains(&code), "{args:?}: {code}");
        took
    });
    took.into_iter().max().unwrap_or_default()
}

#[test]
fn nothing_a_lesson_says_acts_on_the_terminal() {
    for user in User::all() {
        let lessons = Lessons::empty();
        lessons.write("01-bad.md", hostile());
        lessons.write("02-\u{1b}]0;mine\u{7}\u{202e}.md", hostile());
        lessons.write(OsStr::from_bytes(b"03-\xff\x1b[2J\x9b.md"), hostile());
        let folder = lessons.path().join("\u{1b}[2J");
        std::fs::create_dir(&folder).expect("our own folder");
        std::fs::write(folder.join("04-deeper.md"), hostile()).expect("our own folder");
        commands(&Surroundings::new(user), lessons.path());

        let mut pty = lessons.tour(user, "").start();
        pty.until(|screen| screen.contains("Lessons"), "the catalogue");
        for keys in
            ["?", "?", "\r", "u", "m", "1", " ", "jjjjjjjjjjjjGg", "p", "p", " ", "n", "1", "u", "m", "GggG", "T", "q"]
        {
            pty.send(keys);
            // Each is drawn, or the next is: none may wait for the other.
            pty.send("\x0c");
        }
        pty.until(|screen| screen.contains("done"), "the catalogue again");
        leave(&mut pty);
    }
}

#[test]
fn wishes_for_a_shell_are_not_heard() {
    if !has("strace") {
        return;
    }
    let lessons = Lessons::empty();
    let demos = [
        "demo sh\n-c = \"id\"",
        "demo ../../bin/sh",
        "demo /bin/sh",
        "demo crash -- sh -c id",
        "demo $(id)",
        "demo crash\nfault = \"$(id)\"",
        "demo crash\ntabs = 99999999999999999999",
        "demo crash\ntabs = -1",
        "demo crash\ntabs = 1e300",
        "demo crash\nenv = { LD_PRELOAD = \"/tmp/x.so\" }",
        "demo crash\nargs = [\"--\", \"sh\"]\ncommand = \"id\"",
        "demo crash\ntabs = 4\nfault = \"exit\"",
        "sh\nid",
        "run\nforklore run crash",
    ];
    let steps: String =
        demos.iter().map(|demo| format!("## On trial\n`{{{{$(id)}}}}`\n\n```{demo}\n```\n\n")).collect();
    lessons.write("01-wish.md", lesson("wish", "Wishes", &steps));
    let trace = tempfile::NamedTempFile::new().expect("a temporary file");
    let file = trace.path().display().to_string();
    let under = ["strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", &file];
    let mut pty = lessons.tour(User::Me, "wish").under(under).start();
    for n in 1..=demos.len() {
        pty.until(|screen| screen.contains(&format!("step {n}/")), &format!("step {n}"));
        pty.send(" ");
        pty.send("\x0c");
        if n == 12 {
            pty.until(
                |screen| screen.contains("running ") || screen.contains("ended after"),
                "the one that is allowed",
            );
        }
        pty.send("n");
    }
    leave(&mut pty);
    let calls = std::fs::read_to_string(trace.path()).expect("what strace saw");
    let run = |line: &&str| line.contains("execve") && line.ends_with("= 0");
    let programs: Vec<_> = calls.lines().filter(run).filter_map(|line| line.split('"').nth(1)).collect();
    assert!(programs.len() >= 4, "guard, tour, warden, leader: {calls}");
    let ours = |program: &&&str| program.ends_with("/forklore") || **program == "/proc/self/exe";
    assert_eq!(programs.iter().filter(ours).count(), programs.len(), "{calls}");
    commands(&Surroundings::new(User::Me), lessons.path());
}

/// A file of its own in a folder of its own, through every command, and in the tour.
#[track_caller]
fn borne(what: &str, text: impl AsRef<[u8]>, opens: bool) {
    let lessons = Lessons::empty();
    lessons.write("01-try.md", text);
    let load = Load::watch();
    let took = commands(&Surroundings::new(User::Me), lessons.path());
    // A second is promised of the program as it is installed; this one is not optimised.
    load.assert_within(Duration::from_secs(8), took, what);
    if opens {
        let mut pty = lessons.tour(User::Me, "").start();
        pty.until(|screen| screen.contains("Lessons"), what);
        pty.send("\r");
        pty.send("nnn GgGjjj?");
        pty.until(|screen| screen.contains("Keys"), what);
        let most = status(ui(&pty).pid, "VmHWM").expect("it lives");
        assert!(most < 256 * 1024, "{what}: {most} kB resident");
        leave(&mut pty);
    }
}

#[test]
fn bombs_are_shown_or_refused_in_a_moment() {
    const MIB: usize = 1 << 20;
    let front = lesson("try", "Bomb", "## On trial\n");
    let fill = |part: &str| front.clone() + &part.repeat((MIB - front.len()) / part.len());
    for (what, part, opens) in [
        ("quotes", ">", true),
        ("brackets", "[", true),
        ("links", "[a](", false),
        ("stars", "*a _", true),
        ("ticks", "`a``", false),
        ("entities", "&amp;", false),
        ("lists", "- ", false),
        ("table", "|a", true),
        ("headings", "## x\n", true),
        ("fences", "```demo crash\n```\n", false),
        ("comments", "<!--", false),
        ("one line", "abcdefgh", true),
        ("over the size", "", false),
    ] {
        let text = if part.is_empty() { "x".repeat(MIB + 2) } else { fill(part) };
        borne(what, text, opens);
    }
}

#[test]
fn what_is_hardly_text_is_shown_or_refused() {
    let front = lesson("try", "Text", "## On trial\nWords.\n");
    let utf16: Vec<u8> = front.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marks = "e".to_owned() + &"\u{301}".repeat(4096) + " 👩\u{200d}👩\u{200d}👧\u{200d}👦 ";
    let cases: [(&str, Vec<u8>); 9] = [
        ("nothing", Vec::new()),
        ("UTF-16", utf16),
        ("no UTF-8", [front.as_bytes(), b"\xff\xfe\x80 \xc3"].concat()),
        ("a byte order mark", ["\u{feff}".as_bytes(), front.as_bytes()].concat()),
        ("CRLF", front.replace('\n', "\r\n").into_bytes()),
        ("NUL", front.replace("Words", "W\0rds").into_bytes()),
        ("binary", (0..65536_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()),
        ("marks", front.replace("Words", &marks).into_bytes()),
        ("no front matter", b"## On trial\nWords.\n".to_vec()),
    ];
    for (what, bytes) in cases {
        borne(what, bytes, true);
    }
}

#[test]
fn what_is_no_file_is_told() {
    let here = Surroundings::new(User::Me);
    for name in ["/dev/zero", "/dev/null", "/proc/self/mem", "/nowhere", "/etc/passwd"] {
        let args = ["list".as_ref(), "--json".as_ref(), "--lessons".as_ref(), OsStr::new(name)];
        let (code, took) = harmless(&here, &args);
        assert!((0..=2).contains(&code) && took < Duration::from_secs(10), "{name}: {code} {took:?}");
    }
    let lessons = Lessons::empty();
    nix::unistd::mkfifo(&lessons.path().join("01-fifo.md"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
    std::os::unix::fs::symlink("02-loop.md", lessons.path().join("02-loop.md")).expect("links");
    std::os::unix::fs::symlink("/dev/zero", lessons.path().join("03-zero.md")).expect("links");
    commands(&here, lessons.path());
}
