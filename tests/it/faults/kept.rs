//! Progress through the whole program: killed while it steps, nowhere to keep it, a full disk, several tours, and
//! whatever stands where the file should.

use super::common::{
    Dice, Lessons, home, is_root, leave, lesson, opened, rounds, run, sane_after, send, state, state_in, step, ui,
};
use crate::support::{Ended, Load, Patience, Pty, User};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, chown};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Steps of one lesson that the file says were seen.
fn seen(kept: &Value, lesson: &str) -> BTreeSet<u64> {
    let steps = kept["lessons"][lesson]["seen"].as_array().map_or(&[][..], Vec::as_slice);
    steps.iter().filter_map(Value::as_u64).collect()
}

/// A lesson of so many steps without demos.
fn reading(id: &str, steps: usize) -> String {
    let steps: String = (1..=steps).map(|n| format!("## On trial: {n} of it\nWords of {id}.\n\n")).collect();
    lesson(id, &format!("Reading {id}"), &steps)
}

#[test]
fn killed_at_any_moment_it_keeps_what_it_had() {
    let (lessons, mut dice) = (Lessons::empty(), Dice::new(45));
    lessons.write("01-read.md", reading("read", 40));
    for user in User::all() {
        let home = home(user);
        let mut before = BTreeSet::new();
        for round in 0..rounds(10) {
            let place = format!("read:{}", 1 + dice.below(30));
            let mut pty = lessons.tour(user, &place).env("HOME", home.path()).start();
            opened(&pty);
            pty.send("nnnnnnnnnn");
            dice.pause(Duration::from_millis(120));
            let screen = ui(&pty);
            send(&screen, Signal::SIGKILL);
            sane_after(&mut pty, Ended::Code(137));
            if !state_in(home.path()).exists() {
                assert!(before.is_empty(), "round {round}: the file is gone");
                continue;
            }
            let now = seen(&state(home.path()), "read");
            assert!(now.is_superset(&before), "round {round}: {before:?}, then {now:?}");
            before = now;
        }
        // What is ended in good order is kept whole.
        let mut pty = lessons.tour(user, "read:39").env("HOME", home.path()).start();
        opened(&pty);
        pty.send("n");
        pty.until(|screen| screen.contains("40 of it"), "the last step");
        leave(&mut pty);
        let now = seen(&state(home.path()), "read");
        assert!(now.is_superset(&before) && now.is_superset(&BTreeSet::from([39, 40])), "{now:?}");
        let folder = state_in(home.path()).parent().expect("a folder").to_owned();
        let litter: Vec<_> = fs::read_dir(folder).expect("the folder").flatten().map(|e| e.file_name()).collect();
        assert!(litter.iter().all(|n| !n.to_string_lossy().contains("tmp")), "{litter:?}");
    }
}

#[test]
fn eight_tours_keep_the_union() {
    let lessons = Lessons::empty();
    let names = ["a1", "b2", "c3", "d4", "e5", "f6", "g7", "h8"];
    for (n, name) in names.iter().enumerate() {
        lessons.write(format!("{:02}-{name}.md", n + 1), reading(name, 3));
    }
    let home = home(User::Me);
    let start = |name: &&str| lessons.tour(User::Me, name).env("HOME", home.path()).start();
    let mut tours: Vec<Pty> = names.iter().map(start).collect();
    for step in ["1 of it", "2 of it", "3 of it"] {
        for pty in &tours {
            pty.until(|screen| screen.contains(step), step);
            pty.send("n");
        }
    }
    tours.iter_mut().for_each(leave);
    let kept = state(home.path());
    for name in names {
        assert_eq!(seen(&kept, name), BTreeSet::from([1, 2, 3]), "{name}: {kept}");
    }
}

#[test]
fn what_a_step_measured_is_kept_with_the_step_and_the_machine() {
    let lessons = Lessons::trial();
    let home = home(User::Me);
    let mut pty = lessons.tour(User::Me, &format!("try:{}", step("isolation"))).env("HOME", home.path()).start();
    opened(&pty);
    run(&pty);
    let results = state_in(home.path()).with_file_name("results.json");
    let kept = Patience::default().wait(|| serde_json::from_slice::<Value>(&fs::read(&results).ok()?).ok());
    let kept = kept.expect("results.json");
    let run = kept["runs"].as_object().and_then(|runs| runs.values().next()).expect("a run");
    assert_eq!((&run["demo"], &run["by"], &run["early"]), (&json!("isolation"), &json!("tour"), &json!(false)));
    assert_eq!((&run["lesson"], run["step"].as_u64()), (&json!("try"), Some(step("isolation") as u64)));
    assert!(run["values"]["own_after"].is_u64() && kept["hosts"][run["host"].as_str().expect("a name")].is_object());
    leave(&mut pty);
}

#[test]
fn a_full_disk_is_told_and_an_emptied_one_is_used() {
    if !is_root() {
        println!("SKIP: mounting a small disk needs root");
        return;
    }
    let lessons = Lessons::empty();
    lessons.write("01-read.md", reading("read", 9));
    let home = home(User::Me);
    let state_home = home.path().join("small");
    fs::create_dir(&state_home).expect("our own folder");
    let mount = r#"mount -t tmpfs -o size=64k none "$XDG_STATE_HOME" && mkdir "$XDG_STATE_HOME/forklore" &&
        (dd if=/dev/zero of="$XDG_STATE_HOME/fill" bs=1k 2>/dev/null; exec "$0" "$@")"#;
    let mut pty = lessons
        .tour(User::Me, "read")
        .env("XDG_STATE_HOME", &state_home)
        .under(["unshare", "-m", "sh", "-c", mount])
        .start();
    opened(&pty);
    pty.send("n");
    pty.until(|screen| screen.contains("Not saved"), "that nothing is saved");
    // In the program's own view of the file system, which is not ours.
    let inside = Path::new("/proc")
        .join(ui(&pty).pid.to_string())
        .join("root")
        .join(state_home.strip_prefix("/").expect("absolute"));
    assert!(!inside.join("forklore/progress.json").exists());
    fs::remove_file(inside.join("fill")).expect("the filling");
    pty.send("n");
    pty.until(|screen| !screen.contains("Not saved"), "that it is saved after all");
    let saved = Patience::default().wait(|| {
        let text = fs::read(inside.join("forklore/progress.json")).ok()?;
        let kept: Value = serde_json::from_slice(&text).expect("whole at every moment");
        (seen(&kept, "read").len() == 3).then_some(())
    });
    assert!(saved.is_some(), "all three steps");
    leave(&mut pty);
}

#[test]
fn without_a_place_it_runs_and_says_so() {
    let lessons = Lessons::empty();
    lessons.write("01-read.md", reading("read", 3));
    for user in User::all() {
        let closed = home(user);
        fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o555)).expect("our own folder");
        let theirs = tempfile::tempdir().expect("a temporary folder");
        if is_root() {
            chown(theirs.path(), Some(Uid::from_raw(1)), Some(Gid::from_raw(1))).expect("root may");
        }
        let file = closed.path().join("none/such");
        let path = |p: &Path| p.display().to_string();
        for (variable, value, kept) in [
            ("HOME", String::new(), false),
            ("HOME", "not/absolute".into(), false),
            ("HOME", "/proc/1/none".into(), false),
            ("HOME", "/dev/null".into(), false),
            // Root writes where no mode allows it.
            ("HOME", path(closed.path()), user.uid() == 0),
            ("HOME", path(&file), user.uid() == 0),
            ("HOME", path(theirs.path()), user.uid() == 0),
            ("XDG_STATE_HOME", "relative".into(), true),
            ("XDG_STATE_HOME", "/dev/null/x".into(), false),
        ] {
            let mut pty = lessons.tour(user, "read").env(variable, &value).start();
            opened(&pty);
            // A notice goes with the next key; what fails only in saving is a banner, which stays.
            let notice = || pty.screen().contains("not kept").then_some(());
            let noticed = Patience(Duration::from_millis(if kept { 0 } else { 2000 })).wait(notice).is_some();
            pty.send("n");
            pty.until(|screen| screen.contains("2 of it"), "the next step");
            let wanted = if kept || noticed { "2 of it" } else { "Not saved" };
            pty.until(|screen| screen.contains(wanted), &format!("{wanted}, with {variable}={value} as {user:?}"));
            assert!(!(kept && noticed), "{variable}={value} as {user:?}");
            pty.send("\x03");
            assert_eq!(pty.wait(), Ended::Code(0));
        }
        let mut pty = lessons.tour(user, "read").without("HOME").start();
        pty.until(|screen| screen.contains("not kept"), "that nothing is kept");
        leave(&mut pty);
    }
}

#[test]
fn root_by_sudo_leaves_nothing_of_its_own_in_a_users_home() {
    if !is_root() {
        println!("SKIP: this is about root");
        return;
    }
    let lessons = Lessons::empty();
    lessons.write("01-read.md", reading("read", 3));
    let home = home(User::Nobody);
    let mut pty = lessons.tour(User::Me, "read").env("HOME", home.path()).env("SUDO_UID", "65534").start();
    opened(&pty);
    pty.send("n");
    leave(&mut pty);
    assert_eq!(fs::read_dir(home.path()).expect("the home").count(), 0);
}

#[test]
fn whatever_stands_where_the_file_should_is_kept_aside_and_told() {
    let lessons = Lessons::empty();
    lessons.write("01-read.md", reading("read", 3));
    type Put = fn(&Path);
    let puts: [(&str, Put); 9] = [
        ("nothing in it", |file| fs::write(file, "").expect("writes")),
        ("no JSON", |file| fs::write(file, b"\x1b]0;title\x07{{{\xff").expect("writes")),
        ("half of it", |file| fs::write(file, r#"{"schema":1,"lessons":{"read":{"seen":[1,"#).expect("writes")),
        ("another kind of JSON", |file| fs::write(file, "[1e999, -1]").expect("writes")),
        ("deep", |file| fs::write(file, "[".repeat(100_000)).expect("writes")),
        ("a gigabyte", |file| fs::File::create(file).and_then(|f| f.set_len(1 << 30)).expect("writes")),
        ("a folder", |file| fs::create_dir_all(file.join("with/something")).expect("makes")),
        ("a link to itself", |file| std::os::unix::fs::symlink(file, file).expect("links")),
        ("a FIFO", |file| nix::unistd::mkfifo(file, nix::sys::stat::Mode::S_IRWXU).expect("makes")),
    ];
    for (what, put) in puts {
        let home = home(User::Me);
        let file = state_in(home.path());
        fs::create_dir_all(file.parent().expect("a folder")).expect("our own");
        put(&file);
        let (load, begun) = (Load::watch(), Instant::now());
        let mut pty = lessons.tour(User::Me, "read").env("HOME", home.path()).start();
        opened(&pty);
        load.assert_within(Duration::from_secs(1), begun.elapsed(), &format!("a start with {what}"));
        pty.send("n");
        pty.until(|screen| screen.contains("2 of it"), "the next step");
        leave(&mut pty);
        let kept = state(home.path());
        assert_eq!(seen(&kept, "read"), BTreeSet::from([1, 2]), "{what}: {kept}");
    }
}

#[test]
fn a_newer_file_is_left_as_it_is() {
    let lessons = Lessons::empty();
    lessons.write("01-read.md", reading("read", 3));
    let home = home(User::Me);
    let file = state_in(home.path());
    fs::create_dir_all(file.parent().expect("a folder")).expect("our own");
    let newer = r#"{"schema":99,"lessons":{},"what":"is to come"}"#;
    fs::write(&file, newer).expect("our own");
    let mut pty = lessons.tour(User::Me, "read").env("HOME", home.path()).start();
    opened(&pty);
    pty.until(|screen| screen.contains("not kept") || screen.contains("newer") || screen.contains("later"), "why");
    pty.send("n");
    pty.until(|screen| screen.contains("2 of it"), "the next step");
    leave(&mut pty);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), newer);
}
