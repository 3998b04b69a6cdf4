//! What may stand where the file should, and what may happen while it is written.

use super::*;
use crate::progress::When;
use serde_json::json;
use std::os::unix::fs::symlink;

const NAME: &str = "progress.json";
const BACKUP: &str = "progress.json.bak";
const LOCK: &str = "progress.lock";

fn home() -> (tempfile::TempDir, Place) {
    let home = tempfile::tempdir().expect("a directory");
    let place = Place::Directory(home.path().join("forklore"));
    (home, place)
}

fn some(lesson: &str) -> Progress {
    let mut p = Progress::default();
    p.see(lesson, 1, When(10));
    p.complete(lesson, When(11));
    p.measure("timeslice.median", json!(4_000_000), When(12));
    p
}

/// A store with two saves behind it: `a` in the backup, `a` and `b` in the file.
fn twice(place: &Place) -> (PathBuf, Vec<u8>) {
    let (store, ..) = Store::open(place);
    store.save(&some("a")).expect("saved");
    store.save(&some("b")).expect("saved");
    let path = store.directory.expect("kept").join(NAME);
    let bytes = std::fs::read(&path).expect("just written");
    (path, bytes)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("it exists");
    let mut names: Vec<_> = entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_is_saved_is_there_and_private() {
    let (_home, place) = home();
    let (path, _) = twice(&place);
    let (_, progress, notices) = Store::<Progress>::open(&place);
    assert!(progress.completed("a") && progress.completed("b") && notices.is_empty(), "{notices:?}");
    assert_eq!(names(path.parent().expect("a directory")), [NAME, BACKUP, LOCK]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("it exists").permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_cut_anywhere_is_kept_aside_and_the_backup_used() {
    let (_home, place) = home();
    let (path, whole) = twice(&place);
    let directory = path.parent().expect("a directory").to_path_buf();
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).expect("ours");
        let (store, progress, notices) = Store::<Progress>::open(&place);
        // Without its last line feed it is still whole.
        if cut == whole.len() - 1 {
            assert!(progress.completed("b"));
            continue;
        }
        assert!(progress.completed("a"), "cut at {cut}: {notices:?}");
        assert_eq!(notices.len(), 2, "{notices:?}");
        assert!(store.not_kept().is_none());
        let aside = names(&directory).into_iter().find(|n| n.contains(".bad-")).expect("kept aside");
        assert_eq!(std::fs::read(directory.join(&aside)).expect("readable"), &whole[..cut]);
        std::fs::remove_file(directory.join(aside)).expect("ours");
    }
}

#[test]
fn flipped_bits_never_panic_and_never_lose_the_rest() {
    let (_home, place) = home();
    let (path, whole) = twice(&place);
    let directory = path.parent().expect("a directory").to_path_buf();
    let mut seed = 88_172_645_463_325_252_u64;
    for _ in 0..1000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let mut bytes = whole.clone();
        let at = (seed >> 8) as usize % bytes.len();
        bytes[at] ^= 1 << (seed & 7);
        std::fs::write(&path, &bytes).expect("ours");
        let (_, progress, notices) = Store::<Progress>::open(&place);
        // Either it still says something, or it is aside and the backup speaks.
        let aside = names(&directory).into_iter().find(|n| n.contains(".bad-"));
        match aside {
            Some(aside) => {
                assert!(progress.completed("a"), "{notices:?}");
                assert_eq!(std::fs::read(directory.join(&aside)).expect("readable"), bytes);
                std::fs::remove_file(directory.join(aside)).expect("ours");
            }
            None => assert_eq!(std::fs::read(&path).expect("still there"), bytes, "nothing is overwritten"),
        }
    }
}

#[test]
fn whatever_stands_there_is_told_and_moved_and_saving_goes_on() {
    type Make = fn(&Path);
    let make: [(&str, Make); 5] = [
        ("is a directory", |p| std::fs::create_dir(p).expect("ours")),
        ("is a symbolic link", |p| symlink("/dev/zero", p).expect("ours")),
        ("is a FIFO", |p| nix::unistd::mkfifo(p, nix::sys::stat::Mode::S_IRWXU).expect("ours")),
        ("is larger", |p| File::create(p).and_then(|f| f.set_len(1 << 30)).expect("sparse")),
        ("is not a file", |p| drop(std::os::unix::net::UnixListener::bind(p).expect("ours"))),
    ];
    for (what, make) in make {
        let (_home, place) = home();
        let (path, _) = twice(&place);
        std::fs::remove_file(&path).expect("ours");
        make(&path);
        let begun = Instant::now();
        let (store, progress, notices) = Store::<Progress>::open(&place);
        assert!(begun.elapsed() < Duration::from_secs(10), "{what} held the start");
        assert!(notices[0].contains(what) && progress.completed("a"), "{notices:?}");
        store.save(&some("c")).expect("saved");
        let (_, progress, notices) = Store::<Progress>::open(&place);
        assert!(progress.completed("c") && notices.is_empty(), "{notices:?}");
        assert!(names(path.parent().expect("a directory")).iter().any(|n| n.contains(".bad-")));
    }
}

#[test]
fn a_later_version_is_read_and_never_written() {
    let (_home, place) = home();
    let (path, _) = twice(&place);
    let text = br#"{"schema":2,"lessons":{"a":{"seen":[1],"completed":5}},"new":[]}"#;
    std::fs::write(&path, text).expect("ours");
    let (store, progress, notices) = Store::<Progress>::open(&place);
    assert!(progress.completed("a") && notices[0].contains("later forklore"), "{notices:?}");
    let NotSaved(why) = store.save(&some("b")).expect_err("read only");
    assert!(why.contains("schema 2"), "{why}");
    assert_eq!(std::fs::read(&path).expect("there"), text);
    // Also if it appears while we run.
    std::fs::remove_file(&path).expect("ours");
    let (store, ..) = Store::open(&place);
    std::fs::write(&path, text).expect("ours");
    store.save(&some("b")).expect_err("read only");
    assert_eq!(std::fs::read(&path).expect("there"), text);
}

#[test]
fn eight_at_once_keep_the_union() {
    let (_home, place) = home();
    let rounds = 25;
    std::thread::scope(|scope| {
        for who in 0..8 {
            let place = &place;
            scope.spawn(move || {
                let (store, mut mine, _) = Store::<Progress>::open(place);
                for round in 0..rounds {
                    mine.complete(&format!("{who}-{round}"), When(round));
                    let until = Instant::now() + Duration::from_secs(60);
                    while store.save(&mine).is_err() {
                        assert!(Instant::now() < until, "the lock is never free");
                    }
                }
            });
        }
    });
    let (_, all, notices) = Store::<Progress>::open(&place);
    assert_eq!((all.lessons.len(), notices), (8 * rounds as usize, vec![]));
}

#[test]
fn a_held_lock_is_not_waited_for_long() {
    let (_home, place) = home();
    let (path, whole) = twice(&place);
    let holder = File::open(path.with_file_name(LOCK)).expect("it exists");
    holder.lock().expect("free");
    let begun = Instant::now();
    let (store, ..) = Store::open(&place);
    let NotSaved(why) = store.save(&some("c")).expect_err("held");
    assert!(why.contains("another copy") && begun.elapsed() >= LOCK_WAIT, "{why}");
    assert_eq!(std::fs::read(&path).expect("there"), whole);
    drop(holder);
    store.save(&some("c")).expect("free again");
}

#[test]
fn nowhere_to_keep_it_is_told_once_and_lived_with() {
    let (store, progress, notices) = Store::<Progress>::open(&Place::Directory("/proc/forklore".into()));
    assert_eq!((progress, notices.len()), (Progress::default(), 1), "{notices:?}");
    assert!(notices[0].contains("not kept") && notices[0].contains("/proc/forklore"), "{notices:?}");
    assert!(store.save(&some("a")).is_err() && store.not_kept().is_some());
    let (store, _, notices) = Store::<Progress>::open(&Place::Nowhere);
    assert!(notices.is_empty() && store.save(&some("a")).is_err());
}

#[test]
fn what_killed_programs_left_is_removed() {
    let (_home, place) = home();
    let (path, _) = twice(&place);
    let directory = path.parent().expect("a directory");
    std::fs::write(directory.join(".progress-Xy12"), "half").expect("ours");
    Store::open(&place).0.save(&some("c")).expect("saved");
    assert_eq!(names(directory), [NAME, BACKUP, LOCK]);
}

#[test]
fn what_another_document_is_being_written_to_is_left_alone() {
    let (_home, place) = home();
    let (path, _) = twice(&place);
    let directory = path.parent().expect("a directory");
    let half = directory.join(".progress-Xy12");
    std::fs::write(&half, "half").expect("ours");
    let (results, empty, _) = Store::<crate::progress::Results>::open(&place);
    results.save(&empty).expect("saved");
    assert!(half.exists(), "it is under another lock");
}

#[test]
fn two_documents_are_saved_at_the_same_time() {
    let (_home, place) = home();
    let (progress, results) = (Store::open(&place).0, Store::<crate::progress::Results>::open(&place));
    std::thread::scope(|scope| {
        scope.spawn(|| (0..100).for_each(|_| _ = results.0.save(&results.1).expect("saved")));
        (0..100).for_each(|_| _ = progress.save(&some("a")).expect("saved"));
    });
}
