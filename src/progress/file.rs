//! The file: read whatever stands there without harm, and written so that no moment of dying loses anything.
//!
//! A save is a new file beside the old one, synced, renamed over it, and the directory synced; under a lock, with what
//! the file holds by then merged in. What cannot be read is moved aside, never overwritten.

use super::{Place, Progress, Session, When, session};
use nix::sys::signal::{SigSet, Signal};
use rustix::fs::{FileType, Mode, OFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What one file holds: a set that only grows, so that two copies of it always become one.
pub trait Document: Clone + Default + Serialize + DeserializeOwned + Send + 'static {
    /// The file's name without its end.
    const NAME: &'static str;
    /// What it is to the learner.
    const WHAT: &'static str;
    /// The version of the file that this program writes. A file with a larger number is read and never written.
    const SCHEMA: u32;

    /// Takes everything of `other` that is not here or is later there. In any order and grouping it comes to the same.
    fn merge(&mut self, other: &Self);

    /// The file's name.
    fn file() -> String {
        format!("{}.json", Self::NAME)
    }

    /// That of the save before.
    fn backup() -> String {
        format!("{}.json.bak", Self::NAME)
    }

    /// That of the file which is locked while one is written.
    fn lock() -> String {
        format!("{}.lock", Self::NAME)
    }

    /// How the names of its half-written files begin. They are its own: another document's are written under another lock.
    fn temporary() -> String {
        format!(".{}-", Self::NAME)
    }
}

/// A larger file is none of ours.
const LARGEST: u64 = 8 << 20;

/// How long a save waits for another program's.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Why progress was not saved: one sentence that names the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSaved(pub String);

impl fmt::Display for NotSaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not saved: {}", self.0)
    }
}

impl std::error::Error for NotSaved {}

/// Where a document is kept, if it is.
#[derive(Debug, Clone)]
pub struct Store<D> {
    directory: Result<PathBuf, String>,
    of: PhantomData<D>,
}

/// What stands where the file should.
enum Found<D> {
    Nothing,
    Ours(Box<D>),
    /// Written by a later version; what of it can be read.
    Newer(u64, Box<D>),
    /// Something else, and what.
    Bad(String),
}

impl<D: Document> Store<D> {
    /// Finds the place and reads what is there. Never fails and never waits: what is wrong is in the notices, and
    /// with nowhere to keep it the document lives as long as the program.
    #[must_use]
    pub fn open(place: &Place) -> (Self, D, Vec<String>) {
        let mut notices = Vec::new();
        let mut store = Self { directory: place.directory(), of: PhantomData };
        let mut document = D::default();
        if let Ok(directory) = store.directory.clone() {
            store.directory = prepare::<D>(&directory).map(|()| directory.clone());
            document = store.load(&directory, &mut notices);
        }
        if let (Err(why), false) = (&store.directory, *place == Place::Nowhere) {
            notices.push(format!("{} is not kept: {why}", D::WHAT));
        }
        (store, document, notices)
    }

    /// Why it is not kept; none if it is.
    #[must_use]
    pub fn not_kept(&self) -> Option<&str> {
        self.directory.as_ref().err().map(String::as_str)
    }

    /// Saves a document with everything that the file holds by now, and returns both. When it returns, the disk has
    /// it. The calling thread's `SIGXFSZ` stays blocked: a file-size limit is an error, not an end.
    ///
    /// # Errors
    /// The operation that failed and why. The file is then as it was.
    pub fn save(&self, document: &D) -> Result<D, NotSaved> {
        let directory = self.directory.as_ref().map_err(|why| NotSaved(why.clone()))?;
        SigSet::from(Signal::SIGXFSZ).thread_block().ok();
        // Somebody may have tidied it away meanwhile; if it cannot be made again, the lock says why.
        DirBuilder::new().recursive(true).mode(0o700).create(directory).ok();
        let lock = lock(directory, &D::lock())?;
        let path = directory.join(D::file());
        let mut all = document.clone();
        match find::<D>(&path).map_err(failed("read", &path))? {
            Found::Nothing => {}
            Found::Ours(theirs) => all.merge(&theirs),
            Found::Newer(schema, _) => return Err(NotSaved(newer::<D>(schema))),
            Found::Bad(_) => {
                set_aside(&path)?;
                if let Ok(Found::Ours(theirs)) = find::<D>(&directory.join(D::backup())) {
                    all.merge(&theirs);
                }
            }
        }
        if lock.is_some() {
            remove_leftovers(directory, &D::temporary());
        }
        write(directory, &path, &all)?;
        Ok(all)
    }

    fn load(&mut self, directory: &Path, notices: &mut Vec<String>) -> D {
        let path = directory.join(D::file());
        match find(&path) {
            Ok(Found::Ours(document)) => *document,
            Ok(Found::Newer(schema, document)) => {
                self.directory = Err(newer::<D>(schema));
                *document
            }
            Ok(Found::Nothing) => D::default(),
            Ok(Found::Bad(_)) if self.directory.is_ok() => recover(directory, &path, notices),
            Ok(Found::Bad(what)) => {
                notices.push(format!("{} {what}", path.display()));
                D::default()
            }
            Err(error) => {
                self.directory = Err(failed("read", &path)(error).0);
                D::default()
            }
        }
    }
}

impl Store<Progress> {
    /// Begins a session: how many before it were cut off, and the session, where it can be marked.
    #[must_use]
    pub fn begin(&self) -> (usize, Option<Session>) {
        let Ok(directory) = &self.directory else { return (0, None) };
        // A session without a mark is a session: only its being cut off would not be told.
        (session::cut_off(directory), Session::begin(directory, &Progress::temporary()).ok())
    }
}

/// Moves what is not ours aside and goes on with the copy of the save before. If it cannot be moved now, the next
/// save tries again before it writes.
fn recover<D: Document>(directory: &Path, path: &Path, notices: &mut Vec<String>) -> D {
    let lock = lock(directory, &D::lock());
    // Another program may have put it right since.
    let what = match find(path) {
        Ok(Found::Ours(document)) => return *document,
        Ok(Found::Bad(what)) => what,
        _ => return D::default(),
    };
    notices.push(match lock.and_then(|_held| set_aside(path)) {
        Ok(aside) => format!("{} {what}; it was moved to {}", path.display(), aside.display()),
        Err(NotSaved(why)) => format!("{} {what}; {why}", path.display()),
    });
    match find(&directory.join(D::backup())) {
        Ok(Found::Ours(document)) => {
            notices.push(format!("of your {}, the copy of the save before is used", D::WHAT));
            *document
        }
        _ => D::default(),
    }
}

/// The directory exists and a save could begin.
fn prepare<D: Document>(directory: &Path) -> Result<(), String> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(directory).map_err(|e| failed("create", directory)(e).0)?;
    // A lock can be opened where nothing can be written any more; a new file tells.
    tempfile::Builder::new().prefix(&D::temporary()).tempfile_in(directory).map(drop).or_else(|error| {
        // A full disk may be emptied; a read-only one stays.
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            Ok(())
        } else {
            Err(failed("write in", directory)(error).0)
        }
    })
}

/// What is at `path`. Nothing there can make this wait or grow: no FIFO, no device, no file of any size.
fn find<D: Document>(path: &Path) -> io::Result<Found<D>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(rustix::io::Errno::NOENT) => return Ok(Found::Nothing),
        Err(rustix::io::Errno::LOOP) => return Ok(Found::Bad("is a symbolic link".into())),
        // A socket, or a device without a driver.
        Err(rustix::io::Errno::NXIO | rustix::io::Errno::NODEV) => return Ok(Found::Bad("is not a file".into())),
        Err(errno) => return Err(errno.into()),
    };
    let stat = rustix::fs::fstat(&file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Ok(Found::Bad("is a directory".into())),
        FileType::Fifo => return Ok(Found::Bad("is a FIFO".into())),
        _ => return Ok(Found::Bad("is not a file".into())),
    }
    let mut bytes = Vec::new();
    File::from(file).take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Ok(Found::Bad(format!("is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(parse(&bytes))
}

fn parse<D: Document>(bytes: &[u8]) -> Found<D> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema: u64,
    }
    match serde_json::from_slice::<Version>(bytes) {
        Ok(Version { schema }) if schema > u64::from(D::SCHEMA) => {
            Found::Newer(schema, Box::new(serde_json::from_slice(bytes).unwrap_or_default()))
        }
        Ok(_) => serde_json::from_slice(bytes)
            .map_or_else(|e| Found::Bad(format!("cannot be read ({e})")), |p| Found::Ours(Box::new(p))),
        Err(e) => Found::Bad(format!("cannot be read ({e})")),
    }
}

fn newer<D: Document>(schema: u64) -> String {
    let (file, known) = (D::file(), D::SCHEMA);
    let is = format!("{file} was written by a later forklore (schema {schema}, this one knows {known})");
    format!("{is}; what can be read of it is read, and it stays as it is")
}

/// Why a file that a later version wrote in `directory` keeps this one from saving; none where there is no such file.
pub(super) fn newer_at<D: Document>(directory: &Path) -> Option<NotSaved> {
    match find::<D>(&directory.join(D::file())) {
        Ok(Found::Newer(schema, _)) => Some(NotSaved(newer::<D>(schema))),
        _ => None,
    }
}

/// Holds the lock until dropped; nothing to hold on a file system without locks, where merging has to do.
fn lock(directory: &Path, name: &str) -> Result<Option<File>, NotSaved> {
    let path = directory.join(name);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR).map_err(|e| failed("open", &path)(e.into()))?;
    let file = File::from(file);
    let until = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            Err(TryLockError::WouldBlock) => return Err(NotSaved("another copy of forklore holds the lock".into())),
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
}

/// Renames what is at `path`, whatever it is, to a name of its own.
fn set_aside(path: &Path) -> Result<PathBuf, NotSaved> {
    let (now, file) = (When::now().0, path.file_name().unwrap_or_default().to_string_lossy());
    let names = (0..100).map(|n| if n == 0 { format!("{file}.bad-{now}") } else { format!("{file}.bad-{now}-{n}") });
    let aside = names.map(|name| path.with_file_name(name)).find(|p| p.symlink_metadata().is_err());
    let aside = aside.ok_or_else(|| NotSaved(format!("cannot find a free name to move {} to", path.display())))?;
    std::fs::rename(path, &aside).map_err(failed("move aside", path))?;
    Ok(aside)
}

/// What killed programs left half-written. Only under the lock: nobody else is writing then.
fn remove_leftovers(directory: &Path, temporary: &str) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(temporary)) {
        std::fs::remove_file(entry.path()).ok();
    }
}

fn write<D: Document>(directory: &Path, path: &Path, document: &D) -> Result<(), NotSaved> {
    let mut text = serde_json::to_vec_pretty(document).map_err(|e| NotSaved(format!("cannot write it down: {e}")))?;
    text.push(b'\n');
    // tempfile makes it with O_EXCL and mode 0600.
    let mut file = tempfile::Builder::new()
        .prefix(&D::temporary())
        .tempfile_in(directory)
        .map_err(failed("create a file in", directory))?;
    file.as_file_mut().write_all(&text).map_err(failed("write", file.path()))?;
    file.as_file().sync_all().map_err(failed("sync", file.path()))?;
    keep_backup::<D>(directory, path);
    file.persist(path).map_err(|e| failed("rename to", path)(e.error))?;
    // The rename itself is only kept once the directory is.
    File::open(directory).and_then(|d| d.sync_all()).map_err(failed("sync", directory))
}

/// The save before stays under another name. A file system without hard links has no backup; the save goes on.
fn keep_backup<D: Document>(directory: &Path, path: &Path) {
    let name = D::backup();
    let link = directory.join(format!("{}{name}", D::temporary()));
    std::fs::remove_file(&link).ok();
    if std::fs::hard_link(path, &link).is_ok() {
        std::fs::rename(&link, directory.join(&name)).ok();
        // When both names are links to one file, rename does nothing and leaves the first (rename(2)).
        std::fs::remove_file(&link).ok();
    }
}

fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> NotSaved {
    let words = format!("cannot {what} {}", path.display());
    move |error| NotSaved(format!("{words}: {error}"))
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
