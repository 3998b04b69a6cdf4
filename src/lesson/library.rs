//! All lessons together: a course in order, found by id, number or place. Pure: whoever reads the disk hands the bytes in.

use super::parse::{file_name, parse, text};
use super::{ClaimIds, Diagnostic, Lesson, check, nearest};
use crate::fact::{DemoSpec, clean_line};
use std::borrow::Cow;
use std::collections::HashSet;

/// A lesson's file, as the disk or the program has it.
#[derive(Debug, Clone)]
pub struct LessonFile {
    /// Its name, for messages and for the lesson's number.
    pub file: String,
    /// What is in it.
    pub bytes: Cow<'static, [u8]>,
    /// The language of its folder.
    pub lang: String,
}

/// A place in the course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The lesson, counted from 0 in the order of the course.
    pub lesson: usize,
    /// The step, counted from 0, if one was named.
    pub step: Option<usize>,
}

/// All lessons that were read, and the course that they are in one language.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// Every lesson in every language with its source.
    read: Vec<(Lesson, String)>,
    /// What parsing them had to say.
    diagnostics: Vec<Diagnostic>,
    /// The lessons of the course, in order.
    course: Vec<usize>,
}

impl Library {
    /// Reads `files`. The course is in `lang`; a lesson that is not there in `lang` is in English, or in what there is.
    ///
    /// A damaged lesson is in the course like any other: what of it can be read opens.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = LessonFile>, lang: &str) -> Self {
        let mut library = Self::default();
        for LessonFile { file, bytes, lang } in files {
            let (lesson, wrong) = parse(&bytes, &file, &lang);
            library.diagnostics.extend(wrong);
            library.read.push((lesson, text(&bytes)));
        }
        let order = |(lesson, _): &(Lesson, String)| (lesson.number, lesson.file.clone());
        library.read.sort_by_cached_key(order);
        let rank = |lesson: &Lesson| match lesson.lang.as_str() {
            own if own == lang => 0,
            "en" => 1,
            _ => 2,
        };
        let mut best: Vec<usize> = (0..library.read.len()).collect();
        best.sort_by_key(|i| rank(&library.read[*i].0));
        // Two lessons of one language with one id are a mistake that `check` reports; both open.
        let mut seen: HashSet<(&str, &str)> = HashSet::new();
        let mut ids: HashSet<&str> = HashSet::new();
        for i in best {
            let Lesson { id, lang, .. } = &library.read[i].0;
            if ids.insert(id) || seen.contains(&(id.as_str(), lang.as_str())) {
                seen.insert((id, lang));
                library.course.push(i);
            }
        }
        library.course.sort_unstable();
        library
    }

    /// The lessons of the course, in order.
    pub fn lessons(&self) -> impl ExactSizeIterator<Item = &Lesson> {
        self.course.iter().map(|i| &self.read[*i].0)
    }

    /// How many lessons the course has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.course.len()
    }

    /// Whether there is no lesson at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.course.is_empty()
    }

    /// A lesson of the course by its place in it.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Lesson> {
        self.course.get(index).map(|i| &self.read[*i].0)
    }

    /// What parsing the lessons had to say.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Everything there is to say about the lessons, in the order of files and places.
    #[must_use]
    pub fn check(&self, demos: &[&'static DemoSpec], claims: &ClaimIds) -> Vec<Diagnostic> {
        let mut all = self.diagnostics.clone();
        all.extend(check(&self.read, demos, claims));
        all.sort_by(|a, b| (&a.file, a.pos, a.severity).cmp(&(&b.file, b.pos, b.severity)));
        all
    }

    /// A diagnostic with its source line, as [`Diagnostic::render`].
    #[must_use]
    pub fn render(&self, diagnostic: &Diagnostic) -> String {
        let source = self.read.iter().find(|(lesson, _)| lesson.file == diagnostic.file);
        diagnostic.render(source.map_or("", |(_, source)| source))
    }

    /// Finds `crash`, `12`, `12-crash`, `12-crash.md` or a link `lesson:crash`, each perhaps with `:STEP`, counted from 1.
    ///
    /// # Errors
    /// A sentence that says what there is instead.
    pub fn find(&self, wanted: &str) -> Result<Place, String> {
        let name = wanted.strip_prefix("lesson:").unwrap_or(wanted);
        let (name, step) = name.split_once(':').map_or((name, None), |(name, step)| (name, Some(step)));
        let fits = self.lessons().enumerate().filter_map(|(i, lesson)| Some((how_well(lesson, name)?, i, lesson)));
        let Some((_, index, lesson)) = fits.min_by_key(|(rank, i, _)| (*rank, *i)) else {
            let meant = nearest(name, self.lessons().map(|l| l.id.as_str()));
            let meant = meant.map_or(String::new(), |id| format!("; did you mean {id}?"));
            return Err(format!("there is no lesson {}{meant}", clean_line(name)));
        };
        let steps = lesson.steps.len();
        let step = match step.map(str::parse::<usize>) {
            None => None,
            Some(Ok(step)) if (1..=steps).contains(&step) => Some(step - 1),
            Some(_) => return Err(format!("lesson {} has steps 1 to {steps}", clean_line(&lesson.id))),
        };
        Ok(Place { lesson: index, step })
    }
}

/// How a lesson answers to a name: first by its id, then by its number, then by its file.
fn how_well(lesson: &Lesson, name: &str) -> Option<u8> {
    let (number, stem) = file_name(name);
    let numbered = number == Some(lesson.number);
    if lesson.id == name {
        Some(0)
    } else if numbered && name.bytes().all(|c| c.is_ascii_digit()) {
        Some(1)
    } else {
        (stem == file_name(&lesson.file).1 && (number.is_none() || numbered)).then_some(2)
    }
}
