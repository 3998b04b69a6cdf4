//! `forklore report`: the learner's lab report, on standard output or in a file.

use super::{Done, complain, lore, out};
use crate::cli::Common;
use crate::demo;
use crate::fact::clean_line;
use crate::keep;
use crate::library;
use crate::lore::{Lang, Ledger};
use crate::progress::{Document, Place, Progress, Results, Store, When};
use crate::report::{self, Form, Sources};
use nix::sys::signal::{SigSet, Signal};
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// More of a file than its first line need not be read to know whose it is.
const BEGINNING: u64 = 128;

/// Writes the report.
pub(super) fn report(common: &Common, file: Option<&Path>) -> Done {
    let library = match library::open(common) {
        Ok(library) => library,
        Err(sentence) => return complain(&sentence),
    };
    // A folder of lessons need not have a ledger; what was measured is told all the same.
    let ledger = lore::ledger(common).unwrap_or_else(|sentence| {
        notice(&format!("claims are told by their ids only: {sentence}"));
        Ledger::default()
    });
    let (progress, results, here) = (read::<Progress>(), read::<Results>(), keep::host());
    let sources = Sources {
        progress: &progress,
        results: &results,
        library: &library,
        ledger: &ledger,
        specs: &demo::specs(),
        here: Some(&here),
        now: When::now(),
        lang: Lang::of(&library::language(common)),
    };
    let document = report::compose(&sources);
    // A dash is the standard output, as everywhere.
    let done = match file.filter(|file| *file != Path::new("-")) {
        None => out::say(Form::Markdown.write(&document).trim_end()).err().unwrap_or(Done::Well),
        Some(file) => match form(file).and_then(|form| save(file, &form.write(&document))) {
            Ok(()) => Done::Well,
            Err(sentence) => complain(&sentence),
        },
    };
    if done == Done::Well && report::nothing_yet(&sources) {
        notice("nothing was measured yet; `forklore` begins with the lessons, `forklore lore` tests every claim");
    }
    done
}

/// What is kept, with a word on what is wrong with it.
fn read<D: Document>() -> D {
    let (_, document, notices) = Store::<D>::open(&Place::Standard);
    notices.iter().for_each(|sentence| notice(sentence));
    document
}

fn notice(sentence: &str) {
    let _ = complain(sentence);
}

/// Endings of a file, and the forms that they ask for.
const FORMS: [(&str, Form); 5] = [
    ("html", Form::Page),
    ("htm", Form::Page),
    ("md", Form::Markdown),
    ("markdown", Form::Markdown),
    ("txt", Form::Markdown),
];

/// The form that a file's name asks for; Markdown, where it asks for none.
///
/// # Errors
/// It asks for one that there is not: a sentence.
fn form(file: &Path) -> Result<Form, String> {
    let Some(end) = file.extension() else { return Ok(Form::Markdown) };
    let known = FORMS.iter().find(|(name, _)| end.eq_ignore_ascii_case(name));
    known.map(|(_, form)| *form).ok_or_else(|| {
        let named = clean_line(&file.display().to_string());
        format!("-o {named}: a report is Markdown or a page; let its name end in .md or .html")
    })
}

/// Writes `text` to `file`: whole, or not at all. What stands there is replaced only if it is a report of ours.
///
/// # Errors
/// What was refused, and what to do: a sentence.
fn save(file: &Path, text: &str) -> Result<(), String> {
    // A file-size limit is then an error, not an end.
    SigSet::from(Signal::SIGXFSZ).thread_block().ok();
    let named = clean_line(&file.display().to_string());
    let failed = |error: &io::Error| {
        let why = error.to_string();
        // tempfile adds the name of its own file, which the learner does not know.
        let why = why.split(" at path ").next().unwrap_or_default();
        format!("-o {named}: {why}; name a file in a folder that is there and that you may write in")
    };
    let (place, before) = look(file, &named)?;
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fresh = before.is_none();
    // Whoever could read the report before can read it still; a new one has the mode of any new file.
    let mode = before.unwrap_or(Permissions::from_mode(0o666));
    let mut new = tempfile::Builder::new()
        .prefix(".report-")
        .permissions(mode.clone())
        .tempfile_in(folder)
        .map_err(|error| failed(&error))?;
    let written = new.write_all(text.as_bytes()).and_then(|()| match fresh {
        true => Ok(()),
        false => new.as_file().set_permissions(mode),
    });
    written.and_then(|()| new.as_file().sync_all()).map_err(|error| failed(&error))?;
    let renamed = if fresh { new.persist_noclobber(&place) } else { new.persist(&place) };
    renamed.map_err(|refused| match refused.error.kind() {
        io::ErrorKind::AlreadyExists => foreign(&named),
        _ => failed(&refused.error),
    })?;
    // If the folder cannot be synced, the report is there and survives all but a power cut.
    File::open(folder).and_then(|folder| folder.sync_all()).ok();
    Ok(())
}

/// Where a file really is, and the mode of the report that stands there, if one does. Nothing there can make this wait.
///
/// # Errors
/// What stands there is none of ours, or cannot be looked at.
fn look(file: &Path, named: &str) -> Result<(PathBuf, Option<Permissions>), String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let mut there = match rustix::fs::open(file, flags, Mode::empty()) {
        Ok(there) => File::from(there),
        Err(rustix::io::Errno::NOENT) if file.is_symlink() => return Err(no_file(named, "a link that leads nowhere")),
        Err(rustix::io::Errno::NOENT) => return Ok((file.to_owned(), None)),
        Err(rustix::io::Errno::NXIO | rustix::io::Errno::NODEV) => return Err(no_file(named, "a device or a socket")),
        Err(errno) => return Err(format!("-o {named}: {}; name another file", io::Error::from(errno))),
    };
    let kind = rustix::fs::fstat(&there).map(|stat| FileType::from_raw_mode(stat.st_mode));
    let mut beginning = Vec::new();
    match kind {
        Ok(FileType::Directory) => return Err(no_file(named, "a folder")),
        Ok(FileType::Fifo) => return Err(no_file(named, "a pipe")),
        Ok(FileType::CharacterDevice | FileType::BlockDevice) => return Err(no_file(named, "a device")),
        _ => {}
    }
    let ours = kind == Ok(FileType::RegularFile)
        && (&mut there).take(BEGINNING).read_to_end(&mut beginning).is_ok()
        && report::is_ours(&beginning);
    if !ours {
        return Err(foreign(named));
    }
    let mode = there.metadata().map_or(Permissions::from_mode(0o600), |data| data.permissions());
    let place = std::fs::canonicalize(file).map_err(|error| format!("-o {named}: {error}; name another file"))?;
    Ok((place, Some(mode)))
}

fn no_file(named: &str, what: &str) -> String {
    format!("-o {named}: that is {what}; name a file, as report.html or report.md")
}

fn foreign(named: &str) -> String {
    format!("-o {named}: something stands there that is no report of forklore; name another file, or move it away")
}
