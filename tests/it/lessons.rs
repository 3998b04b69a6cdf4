//! The lessons that come with the program: nothing is wrong with them, and each says the same in every language.

use forklore::demo;
use forklore::lesson::{Lesson, Library, embed};
use forklore::lore::Ledger;
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

#[test]
fn every_claim_is_taken_up_by_a_step() {
    let library = Library::new(embed::lessons().filter(|file| file.lang == "en"), "en");
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for lesson in library.lessons() {
        for (step, n) in lesson.steps.iter().zip(1..) {
            for id in &step.claims {
                places.entry(id.clone()).or_default().push(format!("{}:{n}", lesson.id));
            }
        }
        let placed = |id: &&String| lesson.steps.iter().any(|step| step.claims.contains(id));
        let lost: Vec<_> = lesson.claims.iter().filter(|id| !placed(id)).collect();
        assert!(lost.is_empty(), "{}: no step says that it takes up {lost:?}", lesson.id);
    }
    let mut missing = Vec::new();
    for (id, subject) in embed::claims().iter() {
        match places.get(id) {
            Some(steps) => println!("{id}  {}  {subject}", steps.join(" ")),
            None => missing.push(format!("{id} {subject}")),
        }
    }
    assert!(missing.is_empty(), "no step takes up:\n{}", missing.join("\n"));
}

#[test]
fn every_claim_stands_in_the_ledger_with_the_lesson_that_takes_it_up() {
    let (file, text) = embed::lore();
    let ledger = Ledger::read(&file, &text, &demo::specs(), &embed::claims()).unwrap_or_else(|wrong| {
        let said: String = wrong.iter().map(|diagnostic| diagnostic.render(&text)).collect();
        panic!("\n{said}")
    });
    let known: Vec<&str> = ledger.claims().iter().map(|claim| claim.id.as_str()).collect();
    let claims = embed::claims();
    assert_eq!(known, claims.iter().map(|(id, _)| id).collect::<Vec<_>>());
    for lang in embed::languages() {
        let library = Library::new(embed::lessons(), &lang);
        for claim in ledger.claims() {
            let taken: Vec<&str> =
                library.lessons().filter(|l| l.claims.contains(&claim.id)).map(|l| l.id.as_str()).collect();
            match &claim.lesson {
                Some(lesson) => assert!(taken.contains(&lesson.as_str()), "{}: {lesson} does not take it up", claim.id),
                None => assert!(!taken.is_empty(), "{}: no lesson", claim.id),
            }
            let step = library.lessons().flat_map(|l| &l.steps).find(|step| step.claims.contains(&claim.id));
            assert!(step.is_some(), "{}: no step in {lang}", claim.id);
        }
    }
}
