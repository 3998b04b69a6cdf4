//! Progress under faults: processes killed while they save, full and read-only disks, system calls that fail.

use forklore::progress::{Place, Progress, Store, When};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn savetest() -> PathBuf {
    let here = std::env::current_exe().expect("a test has a path");
    here.ancestors().nth(2).expect("target/debug").join("examples/savetest")
}

fn kept(directory: &Path) -> Progress {
    let (_, progress, notices) = Store::<Progress>::open(&Place::Directory(directory.into()));
    assert!(notices.is_empty(), "{notices:?}");
    progress
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn has(program: &str) -> bool {
    Command::new(program).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Runs a shell script with `$1` the directory and `$2` savetest.
fn script(wrap: &[&str], text: &str, directory: &Path) -> Output {
    let words = [wrap, &["sh", "-ec", text, "sh"]].concat();
    Command::new(words[0]).args(&words[1..]).arg(directory).arg(savetest()).output().expect("it starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn whatever_was_said_to_be_kept_survives_kills_at_any_moment() {
    let home = tempfile::tempdir().expect("a directory");
    let mut said = Vec::new();
    let mut seed = 0x9e37_79b9_u64;
    for round in 0..60 {
        let mut child = Command::new(savetest())
            .arg(home.path())
            .args([&format!("r{round}"), "1000000"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("it speaks");
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // A random moment is the point here, not a wait for something.
        std::thread::sleep(Duration::from_micros((seed >> 33) % 9000));
        child.kill().expect("our child");
        child.wait().expect("our child");
        out.read_to_string(&mut line).expect("what it said before");
        // A last line may be cut in writing; then it was said by nobody.
        said.extend(line.split_inclusive('\n').filter(|l| l.ends_with('\n')).map(|l| l.trim().to_owned()));
    }
    let progress = kept(home.path());
    assert!(said.len() >= 60);
    for line in said {
        let lesson = line.strip_prefix("kept ").expect(&line);
        assert!(progress.completed(lesson), "{lesson} was said to be kept");
    }
}

/// Not at a moment but at a step: each call of each kind, one after the other, is the last one.
#[test]
fn killed_at_each_call_of_a_save_it_keeps_what_it_had() {
    if !has("strace") {
        eprintln!("SKIP: no strace");
        return;
    }
    for call in ["openat", "flock", "write", "fsync", "linkat", "rename,renameat,renameat2", "unlink,unlinkat"] {
        let home = tempfile::tempdir().expect("a directory");
        let (store, mut progress, _) = Store::<Progress>::open(&Place::Directory(home.path().into()));
        for lesson in ["before", "before that"] {
            progress.complete(lesson, When(1));
            store.save(&progress).expect("saved");
        }
        // The loader's calls are the first; how many there are is known when one more is never made.
        let last = (1..100).find(|n| {
            let inject = format!("-e trace={call} -e inject={call}:signal=KILL:when={n}");
            // cargo's library path would have the loader look in many places.
            let text = format!("unset LD_LIBRARY_PATH; strace -qq -o /dev/null {inject} \"$2\" \"$1\" new 1");
            let output = script(&[], &text, home.path());
            let progress = kept(home.path());
            assert!(progress.completed("before") && progress.completed("before that"), "{call} {n}");
            assert!(!said(&output).contains("kept new-0") || progress.completed("new-0"), "{call} {n}");
            output.status.success()
        });
        assert!(last.is_some_and(|n| n > 1), "{call}: {last:?}");
        let names = std::fs::read_dir(home.path()).expect("it").flatten().map(|e| e.file_name());
        let half: Vec<_> = names.filter(|n| n.to_string_lossy().starts_with(".progress-")).collect();
        assert!(half.is_empty(), "the last save tidied up: {half:?}");
    }
}

#[test]
fn eight_processes_keep_the_union() {
    let home = tempfile::tempdir().expect("a directory");
    let start = |n: u32| {
        Command::new(savetest()).arg(home.path()).args([&format!("p{n}"), "25"]).stdout(Stdio::piped()).spawn()
    };
    let all: Vec<_> = (0..8).map(|n| start(n).expect("it starts")).collect();
    let mut lines = Vec::new();
    for child in all {
        let output = child.wait_with_output().expect("our child");
        lines.extend(said(&output).lines().map(str::to_owned).collect::<Vec<_>>());
    }
    let progress = kept(home.path());
    assert_eq!(lines.len(), 8 * 25);
    // A save that did not get the lock is in the next of the same process.
    for lesson in lines.iter().filter_map(|l| l.strip_prefix("kept ")) {
        assert!(progress.completed(lesson));
    }
    assert!(lines.iter().filter(|l| l.starts_with("kept ")).count() > 100, "{lines:?}");
}

#[test]
fn failing_calls_are_named_and_the_old_file_stays() {
    if !has("strace") {
        eprintln!("SKIP: no strace");
        return;
    }
    for (call, error, word) in [
        ("write", "EDQUOT", "write"),
        ("write", "EIO", "write"),
        ("fsync", "EIO", "sync"),
        ("fsync", "ENOSPC", "sync"),
        ("rename,renameat,renameat2", "EIO", "rename"),
        ("flock", "ENOLCK", "kept"),
    ] {
        let home = tempfile::tempdir().expect("a directory");
        let (store, mut progress, _) = Store::<Progress>::open(&Place::Directory(home.path().into()));
        progress.complete("before", When(1));
        store.save(&progress).expect("saved");
        // The first write is the file's; the words on standard output come later, by the same call.
        let when = if call == "write" { ":when=1" } else { "" };
        let text =
            format!("strace -qq -o /dev/null -e trace={call} -e inject={call}:error={error}{when} \"$2\" \"$1\" new 1");
        let output = script(&[], &text, home.path());
        let text = said(&output);
        assert!(text.contains(word), "{call} {error}: {text}");
        let progress = kept(home.path());
        assert!(progress.completed("before"), "{call} {error}");
        assert!(!text.contains("kept new-0") || progress.completed("new-0"), "{call} {error}");
        assert_eq!(text.contains("not saved"), call != "flock", "{text}");
    }
}

#[test]
fn a_full_disk_is_told_and_an_emptied_one_is_used() {
    if !is_root() {
        eprintln!("SKIP: mounting a small disk needs root");
        return;
    }
    let home = tempfile::tempdir().expect("a directory");
    let text = r#"
        mount -t tmpfs -o size=64k,nr_inodes=16 none "$1"
        "$2" "$1" before 1
        dd if=/dev/zero of="$1/fill" bs=1k 2>/dev/null || true
        "$2" "$1" full 1
        "$2" "$1" before 0
        rm "$1/fill"
        "$2" "$1" after 1
        grep -c -e before-0 -e after-0 "$1/progress.json"
        i=0; while touch "$1/i$i" 2>/dev/null; do i=$((i+1)); done
        "$2" "$1" inodes 1"#;
    let output = script(&["unshare", "-m"], text, home.path());
    let lines: Vec<_> = said(&output).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!((&*lines[0], &*lines[2], &*lines[3]), ("kept before-0", "kept after-0", "2"));
    for line in [&lines[1], &lines[4]] {
        assert!(line.starts_with("not saved: ") && line.contains("No space left"), "{line}");
    }
}

#[test]
fn a_read_only_disk_is_read_and_told() {
    if !is_root() {
        eprintln!("SKIP: mounting read-only needs root");
        return;
    }
    let home = tempfile::tempdir().expect("a directory");
    let text = r#"
        "$2" "$1" before 1
        mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"
        "$2" "$1" after 1"#;
    let text = said(&script(&["unshare", "-m"], text, home.path()));
    assert!(text.contains("progress is not kept: ") && text.contains("Read-only file system"), "{text}");
    assert!(kept(home.path()).completed("before-0"));
}

#[test]
fn a_file_size_limit_is_an_error_and_not_an_end() {
    let home = tempfile::tempdir().expect("a directory");
    let text = r#""$2" "$1" before 1; ulimit -f 0; "$2" "$1" after 1 | cat"#;
    let text = said(&script(&[], text, home.path()));
    assert!(text.contains("kept before-0\nnot saved: cannot write"), "{text}");
    assert!(text.contains("File too large") && kept(home.path()).completed("before-0"), "{text}");
}

#[test]
fn somebody_elses_directory_is_not_written_to() {
    if !is_root() {
        eprintln!("SKIP: becoming another user needs root");
        return;
    }
    let home = tempfile::tempdir().expect("a directory");
    let output = script(
        &[],
        r#"cp "$2" "$1/savetest"; chmod 755 "$1" "$1/savetest"; cd "$1"; setpriv --reuid 65534 --clear-groups ./savetest "$1/state" x 1"#,
        home.path(),
    );
    let text = said(&output);
    assert!(text.contains("not kept: cannot create") && text.contains("Permission denied"), "{text}");
}
