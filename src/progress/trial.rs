//! Whether progress could be kept: tried, without leaving anything behind.

use super::file::newer_at;
use super::{NotSaved, Place, Progress, Results};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Bytes that the trial writes: a small save. A full disk refuses them and not the file.
const SAVE: usize = 4096;

/// Why progress cannot be kept, and what would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotKept {
    /// Where it would be; none if there is no such place.
    pub place: Option<PathBuf>,
    /// What was refused: a phrase that names the path.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

/// Tries whether progress can be kept at `place`: the directory, if it can be.
///
/// The trial is a file without a name (`O_TMPFILE`, open(2)) in the nearest directory that exists: it is gone when it is
/// closed.
///
/// # Errors
/// What a save would be refused.
pub fn try_out(place: &Place) -> Result<PathBuf, NotKept> {
    let directory = place.directory().map_err(|why| {
        let remedy = "set XDG_STATE_HOME to a directory of your own".to_owned();
        NotKept { place: None, why, remedy }
    })?;
    let not_kept = |why: String, remedy: String| NotKept { place: Some(directory.clone()), why, remedy };
    let there = directory.ancestors().find(|path| path.symlink_metadata().is_ok()).unwrap_or(Path::new("/"));
    write_in(there)
        .map_err(|error| not_kept(format!("cannot write in {}: {error}", there.display()), remedy(&error, there)))?;
    if let Some(NotSaved(why)) = newer_at::<Progress>(&directory).or_else(|| newer_at::<Results>(&directory)) {
        return Err(not_kept(why, "install that version, or move the file away".to_owned()));
    }
    Ok(directory)
}

fn write_in(directory: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(directory)?;
    file.write_all(&[b' '; SAVE])?;
    file.sync_all()
}

fn remedy(error: &io::Error, path: &Path) -> String {
    let path = path.display();
    match error.kind() {
        ErrorKind::PermissionDenied => format!("make {path} yours (chown, chmod u+rwx), or set XDG_STATE_HOME"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => format!("free some room where {path} is"),
        ErrorKind::NotADirectory => format!("move the file {path} away"),
        _ => "set XDG_STATE_HOME to a directory that can be written".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SCHEMA, Store};
    use super::*;
    use std::fs;

    #[test]
    fn a_place_that_can_be_made_is_one_and_nothing_is_left_there() {
        let home = tempfile::tempdir().expect("a directory");
        let place = home.path().join("a/b");
        assert_eq!(try_out(&Place::Directory(place.clone())), Ok(place));
        assert_eq!(fs::read_dir(home.path()).expect("ours").count(), 0);
    }

    #[test]
    fn what_a_save_would_be_refused_is_told_with_path_and_remedy() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("file");
        fs::write(&file, "").expect("ours");
        let refused = try_out(&Place::Directory(file.join("forklore"))).expect_err("a file is no directory");
        assert!(refused.why.starts_with(&format!("cannot write in {}: ", file.display())), "{refused:?}");
        assert_eq!(refused.remedy, format!("move the file {} away", file.display()));
        // Nobody can write in /proc, root neither.
        let refused = try_out(&Place::Directory("/proc/forklore".into())).expect_err("no disk");
        assert!(refused.why.starts_with("cannot write in /proc: "), "{refused:?}");
        assert!(!refused.remedy.is_empty());
        assert_eq!(try_out(&Place::Nowhere).expect_err("asked for").place, None);
    }

    #[test]
    fn the_trial_says_what_a_save_says_of_a_later_version() {
        let home = tempfile::tempdir().expect("a directory");
        fs::write(home.path().join("progress.json"), format!("{{\"schema\": {}}}", SCHEMA + 1)).expect("ours");
        let place = Place::Directory(home.path().into());
        let refused = try_out(&place).expect_err("it would be overwritten");
        assert_eq!(Store::<Progress>::open(&place).0.not_kept(), Some(&*refused.why));
    }
}
