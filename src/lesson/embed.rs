//! The lessons inside the program: everything under `lessons/`, so that a new lesson is a new file and nothing else.

use super::{ClaimIds, LessonFile};
use include_dir::{Dir, include_dir};
use std::borrow::Cow;

/// What the ledger is called in a folder of lessons.
pub const LORE: &str = "lore.toml";

static LESSONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/lessons");

/// Every lesson, `lessons/LANG/NN-name.md`, in the order of the file names.
pub fn lessons() -> impl Iterator<Item = LessonFile> {
    LESSONS.dirs().flat_map(|folder| {
        let lang = folder.path().to_string_lossy().into_owned();
        folder.files().filter(|file| file.path().extension().is_some_and(|e| e == "md")).map(move |file| LessonFile {
            file: format!("lessons/{}", file.path().display()),
            bytes: Cow::Borrowed(file.contents()),
            lang: lang.clone(),
        })
    })
}

/// The languages there are lessons in.
#[must_use]
pub fn languages() -> Vec<String> {
    LESSONS.dirs().map(|folder| folder.path().to_string_lossy().into_owned()).collect()
}

/// The ledger: its name, and what is in it.
#[must_use]
pub fn lore() -> (String, String) {
    let text = LESSONS.get_file(LORE).and_then(|file| file.contents_utf8()).unwrap_or_default();
    (format!("lessons/{LORE}"), text.to_owned())
}

/// The claims there are.
#[must_use]
pub fn claims() -> ClaimIds {
    let text = LESSONS.get_file("claims.toml").and_then(|file| file.contents_utf8()).unwrap_or_default();
    ClaimIds::read(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_is_known_and_said_in_a_few_words() {
        let claims = claims();
        for (text, last) in [("000", 68), ("001", 47), ("002", 40), ("003", 38), ("004", 52)] {
            for row in 1..=last {
                let id = format!("{text}-{row:02}");
                let words = claims.subject(&id).map_or(0, |subject| subject.split_whitespace().count());
                assert!((3..=9).contains(&words), "{id} is said in {words} words");
            }
        }
        assert_eq!(claims.iter().count(), 68 + 47 + 40 + 38 + 52);
    }

    #[test]
    fn lessons_know_their_language() {
        for lesson in lessons() {
            assert!(lesson.file.starts_with(&format!("lessons/{}/", lesson.lang)), "{}", lesson.file);
        }
    }
}
