//! Where the lessons come from: the program itself, or the folder that `--lessons` names.

use crate::cli::Common;
use crate::fact::clean_line;
use crate::lesson::{LessonFile, Library, embed, read_limits};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Folders in a folder of lessons that are looked into: one a language.
const FOLDERS: usize = 32;
/// Lessons that are read.
const FILES: usize = 500;
/// Bytes of a ledger that are read.
const LEDGER: usize = 1 << 20;

/// The lessons that `common` asks for, in its language.
///
/// # Errors
/// The folder cannot be read or holds no lesson, or there are no lessons in that language: a sentence.
pub fn open(common: &Common) -> Result<Library, String> {
    match &common.lessons {
        None => of(common, spoken(embed::lessons().collect(), &language(common))),
        Some(folder) => of(common, read(std::slice::from_ref(folder))?),
    }
}

/// Of the program's own lessons those in `lang`, and in English those that are not told in it: what is not shown need not be
/// parsed before the first frame. A translation has its original's file name.
fn spoken(mut files: Vec<LessonFile>, lang: &str) -> Vec<LessonFile> {
    let name = |file: &LessonFile| file.file.rsplit('/').next().unwrap_or_default().to_owned();
    let own: BTreeSet<String> = files.iter().filter(|file| file.lang == lang).map(name).collect();
    files.retain(|file| file.lang == lang || (file.lang == "en" && !own.contains(&name(file))));
    files
}

/// These lessons, in the language that `common` asks for.
///
/// # Errors
/// Neither they nor those of the program are in it: a sentence.
pub fn of(common: &Common, files: Vec<LessonFile>) -> Result<Library, String> {
    let lang = language(common);
    if let Some(asked) = &common.lang {
        let known: BTreeSet<_> = files.iter().map(|file| file.lang.clone()).chain(embed::languages()).collect();
        if !known.contains(&lang) {
            let known: Vec<_> = known.into_iter().collect();
            return Err(format!("--lang {}: the languages are: {}", clean_line(asked), known.join(", ")));
        }
    }
    Ok(Library::new(files, &lang))
}

/// The ledger of the lessons that `common` asks for: its name, and what is in it.
///
/// # Errors
/// The folder has none, or it cannot be read: a sentence.
pub fn lore(common: &Common) -> Result<(String, String), String> {
    let Some(folder) = &common.lessons else { return Ok(embed::lore()) };
    ledger(&folder.join(embed::LORE))
}

/// The ledgers of what is checked at `paths`: those that are named, and those of the folders that have one. Where nothing is
/// named, that of the program.
///
/// # Errors
/// One of them cannot be read: a sentence.
pub fn ledgers(paths: &[PathBuf]) -> Result<Vec<(String, String)>, String> {
    if paths.is_empty() {
        return Ok(vec![embed::lore()]);
    }
    let of_folders = paths.iter().filter(|path| path.is_dir()).map(|folder| folder.join(embed::LORE));
    // One that leads nowhere is there all the same, and is told of.
    let there = of_folders.filter(|path| path.symlink_metadata().is_ok());
    paths.iter().filter(|path| is_ledger(path)).cloned().chain(there).map(|path| ledger(&path)).collect()
}

/// Whether `path` names a ledger and no lesson.
#[must_use]
pub fn is_ledger(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == embed::LORE) && !path.is_dir()
}

fn ledger(path: &Path) -> Result<(String, String), String> {
    let LessonFile { file, bytes, .. } = read_one(path, LEDGER)?;
    if bytes.len() > LEDGER {
        return Err(format!("{}: more than {LEDGER} bytes; that is no ledger", clean_line(&file)));
    }
    let text = String::from_utf8(bytes.into_owned()).map_err(|e| format!("{}: {e}", clean_line(&file)))?;
    Ok((file, text))
}

/// The language asked for: `--lang`, or what the environment says of messages.
#[must_use]
pub fn language(common: &Common) -> String {
    let of = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let said = common.lang.clone().or_else(|| of("LC_ALL")).or_else(|| of("LC_MESSAGES")).or_else(|| of("LANG"));
    let code = said.unwrap_or_default();
    let code = code.split(['_', '.', '-', '@']).next().unwrap_or_default().to_ascii_lowercase();
    if embed::languages().contains(&code) || common.lang.is_some() { code } else { "en".to_owned() }
}

/// The lesson files at `paths`: files as they are named, folders with their `*.md` and those of the folders in them.
///
/// # Errors
/// A path cannot be read, or there is no lesson at all.
pub fn read(paths: &[PathBuf]) -> Result<Vec<LessonFile>, String> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in lessons_in(path, true)? {
                files.push(file);
            }
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        let names: Vec<_> = paths.iter().map(|p| shown(p)).collect();
        return Err(format!("{}: no lesson (a file called NN-name.md) is there", names.join(", ")));
    }
    if files.len() > FILES {
        return Err(format!("{} lessons are more than are read: {FILES}; name some of them", files.len()));
    }
    files.iter().map(|path| read_one(path, read_limits::BYTES)).collect()
}

/// The lessons that those at `paths` may refer to: of a file that is named alone, those of its folder and those that come
/// with the program. Of a folder none: it is a course of its own. What cannot be read is left out.
#[must_use]
pub fn beside(paths: &[PathBuf]) -> Vec<LessonFile> {
    let alone: Vec<&PathBuf> = paths.iter().filter(|path| !path.is_dir()).collect();
    let folders: BTreeSet<&Path> = alone.iter().filter_map(|path| path.parent()).collect();
    let here = |folder: &&Path| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_path_buf() };
    let around = folders.iter().map(here).filter_map(|folder| lessons_in(&folder, false).ok()).flatten().take(FILES);
    let files = around.filter_map(|path| read_one(&path, read_limits::BYTES).ok());
    files.chain(embed::lessons().filter(|_| !alone.is_empty())).collect()
}

fn lessons_in(folder: &Path, deeper: bool) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", shown(folder)))?;
    let mut paths: Vec<_> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    let mut out = Vec::new();
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "md")) {
        out.push(path.clone());
    }
    if deeper {
        for path in paths.iter().filter(|p| p.is_dir() && !p.is_symlink()).take(FOLDERS) {
            out.extend(lessons_in(path, false)?);
        }
    }
    Ok(out)
}

/// One file, bounded. Opened without waiting, so that a FIFO or a device is an error and not a hang.
fn read_one(path: &Path, most: usize) -> Result<LessonFile, String> {
    let wrong = |e: &dyn std::fmt::Display| format!("{}: {e}", shown(path));
    let flags = libc::O_NONBLOCK | libc::O_CLOEXEC;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|e| wrong(&e))?;
    if !file.metadata().map_err(|e| wrong(&e))?.is_file() {
        return Err(wrong(&"not a regular file"));
    }
    let mut bytes = Vec::new();
    // One byte more than it may have, so that the parser sees and says that it is too long.
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|e| wrong(&e))?;
    let lang = path.parent().and_then(|p| p.file_name()).and_then(|n| n.to_str()).filter(|n| n.len() == 2);
    Ok(LessonFile { file: path.display().to_string(), bytes: Cow::Owned(bytes), lang: lang.unwrap_or("en").to_owned() })
}

fn shown(path: &Path) -> String {
    clean_line(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_lesson_one_language_is_parsed_and_english_is_the_last_resort() {
        let file =
            |file: &str, lang: &str| LessonFile { file: file.into(), bytes: Cow::Borrowed(b""), lang: lang.into() };
        let all = || vec![file("en/01-a.md", "en"), file("en/02-b.md", "en"), file("zh/01-a.md", "zh")];
        let names = |lang| spoken(all(), lang).into_iter().map(|f| f.file).collect::<Vec<_>>();
        assert_eq!(names("zh"), ["en/02-b.md", "zh/01-a.md"]);
        assert_eq!(names("en"), ["en/01-a.md", "en/02-b.md"]);
        assert_eq!(names("fr"), ["en/01-a.md", "en/02-b.md"]);
        for lang in embed::languages() {
            let whole = Library::new(embed::lessons(), &lang);
            let spoken = Library::new(spoken(embed::lessons().collect(), &lang), &lang);
            assert!(whole.lessons().eq(spoken.lessons()), "{lang}");
        }
    }
}
