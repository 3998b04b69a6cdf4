//! The lessons that come with the program: nothing is wrong with them, and each says the same in every language.

use forklore::demo;
use forklore::lesson::{Lesson, Library, embed};
use std::collections::BTreeMap;

#[test]
fn nothing_is_wrong_with_them() {
    let library = Library::new(embed::lessons(), "en");
    assert!(!library.is_empty());
    let found = library.check(&Library::default(), &demo::specs(), &embed::claims());
    let said: String = found.iter().map(|diagnostic| library.render(diagnostic)).collect();
    assert!(found.is_empty(), "\n{said}");
}

#[test]
fn each_is_told_in_every_language_with_the_same_steps_and_runs() {
    type Shape = (u32, u32, Vec<String>, Vec<String>);
    let shape = |lesson: &Lesson| -> Shape {
        let runs = lesson.steps.iter().map(|step| match step.demo() {
            Some(demo) => format!("{} {:?} {:?}", demo.name, demo.params, demo.expect.keys()),
            None => "no demo".to_owned(),
        });
        (lesson.number, lesson.minutes, lesson.claims.clone(), runs.collect())
    };
    let mut told: BTreeMap<String, Vec<(String, Shape)>> = BTreeMap::new();
    for lang in embed::languages() {
        let library = Library::new(embed::lessons().filter(|file| file.lang == lang), &lang);
        for lesson in library.lessons() {
            told.entry(lesson.id.clone()).or_default().push((lang.clone(), shape(lesson)));
        }
    }
    for (id, all) in told {
        let langs: Vec<_> = all.iter().map(|(lang, _)| lang.clone()).collect();
        assert_eq!(langs, embed::languages(), "lesson {id} is not told in every language");
        for (lang, shape) in &all[1..] {
            assert_eq!(shape, &all[0].1, "lesson {id}: {lang} is not like {}", all[0].0);
        }
    }
}
