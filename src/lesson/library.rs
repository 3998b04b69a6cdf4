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

    /// How many files were read, in every language.
    #[must_use]
    pub fn files(&self) -> usize {
        self.read.len()
    }

    /// What parsing the lessons had to say.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Everything there is to say about the lessons, in the order of files and places. They may refer to those of `beside`
    /// as well, of which nothing is said.
    #[must_use]
    pub fn check(&self, beside: &Self, demos: &[&'static DemoSpec], claims: &ClaimIds) -> Vec<Diagnostic> {
        let mut all = self.diagnostics.clone();
        let others: Vec<&Lesson> = beside.read.iter().map(|(lesson, _)| lesson).collect();
        all.extend(check(&self.read, &others, demos, claims));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn library(files: &[(&str, &str)], lang: &str) -> Library {
        let file = |(name, text): &(&str, &str)| LessonFile {
            file: (*name).to_owned(),
            bytes: text.as_bytes().to_vec().into(),
            lang: name.split('/').next().unwrap_or_default().to_owned(),
        };
        Library::new(files.iter().map(file), lang)
    }

    fn lesson(id: &str) -> String {
        format!("+++\nid = \"{id}\"\ntitle = \"T\"\npart = \"P\"\n+++\n## One\na\n## Two\nb\n")
    }

    fn course(library: &Library) -> Vec<&str> {
        library.lessons().map(|l| l.file.as_str()).collect()
    }

    #[test]
    fn the_course_is_in_the_order_of_numbers() {
        let (a, b) = (lesson("a"), lesson("b"));
        let library = library(&[("en/10-a.md", &a), ("en/9-b.md", &b), ("en/11-bad.md", "\u{0}")], "en");
        assert_eq!(course(&library), ["en/9-b.md", "en/10-a.md", "en/11-bad.md"], "a damaged one stays");
        assert_eq!((library.len(), library.diagnostics().len(), library.get(3)), (3, 1, None));
    }

    #[test]
    fn a_lesson_that_is_not_translated_is_in_english() {
        let (a, b, c) = (lesson("a"), lesson("b"), lesson("c"));
        let files = [("en/1-a.md", &*a), ("zh/1-a.md", &*a), ("en/2-b.md", &*b), ("zh/3-c.md", &*c)];
        assert_eq!(course(&library(&files, "zh")), ["zh/1-a.md", "en/2-b.md", "zh/3-c.md"]);
        assert_eq!(course(&library(&files, "en")), ["en/1-a.md", "en/2-b.md", "zh/3-c.md"]);
    }

    #[test]
    fn two_lessons_with_one_id_both_open_and_the_first_is_found() {
        let a = lesson("a");
        let library = library(&[("en/1-a.md", &a), ("en/2-b.md", &a), ("zh/1-a.md", &a)], "en");
        assert_eq!(course(&library), ["en/1-a.md", "en/2-b.md"]);
        assert_eq!(library.find("a"), Ok(Place { lesson: 0, step: None }));
        assert_eq!(library.find("2"), Ok(Place { lesson: 1, step: None }));
    }

    #[test]
    fn lessons_are_found_by_every_name_they_have() {
        let (one, crash) = (lesson("one"), lesson("crash"));
        let library = library(&[("en/04-one-core.md", &one), ("en/12-crash.md", &crash)], "en");
        let whole = Ok(Place { lesson: 1, step: None });
        for name in ["crash", "12", "12-crash", "12-crash.md", "lesson:crash"] {
            assert_eq!(library.find(name), whole, "{name}");
        }
        assert_eq!(library.find("one-core"), Ok(Place { lesson: 0, step: None }), "by its file");
        assert_eq!(library.find("crash:2"), Ok(Place { lesson: 1, step: Some(1) }));
        assert_eq!(library.find("lesson:12:1"), Ok(Place { lesson: 1, step: Some(0) }));
        assert_eq!(library.find("crash:0"), Err("lesson crash has steps 1 to 2".into()));
        assert_eq!(library.find("crash:x"), library.find("crash:99"));
        assert_eq!(library.find("crahs"), Err("there is no lesson crahs; did you mean crash?".into()));
        assert_eq!(library.find("7-crash"), Err("there is no lesson 7-crash; did you mean crash?".into()));
        assert!(library.find("\u{1b}[2J").is_err_and(|e| !e.contains('\u{1b}')));
        assert!(Library::default().find("1").is_err() && Library::default().is_empty());
    }
}
