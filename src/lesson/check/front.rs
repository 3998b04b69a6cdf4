//! The front matter against the course: ids that are taken, lessons and claims that are not there.

use super::{Course, Page};
use crate::lesson::Block;

pub(super) fn check(course: &Course<'_>, index: usize, page: &mut Page<'_>) {
    let lesson = page.lesson;
    if lesson.steps.is_empty() && matches!(lesson.intro.as_slice(), [Block::Wrong(_)]) {
        return;
    }
    let front = page.front();
    let mut others = course.lessons[..index].iter().map(|(other, _)| other).filter(|other| other.lang == lesson.lang);
    if let Some(other) = others.clone().find(|other| other.id == lesson.id) {
        let what = format!("the id {} is already that of {}", lesson.id, other.file);
        let at = page.word(front.clone(), &lesson.id);
        page.say(page.error(at, what).help("give each lesson an id of its own"));
    } else if let Some(other) = others.find(|other| other.number == lesson.number && lesson.number != 0) {
        let what = format!("the number {} is already that of {}", lesson.number, other.file);
        let at = page.line(1);
        page.say(page.warning(at, what).help("rename one of the files"));
    }
    for id in &lesson.after {
        if id == &lesson.id || !course.ids().any(|known| known == id) {
            let what = format!("there is no other lesson {id}");
            let at = page.word(front.clone(), id);
            page.say(page.error(at, what).did_you_mean(id, course.ids().filter(|known| known != &lesson.id)));
        }
    }
    for (i, id) in lesson.claims.iter().enumerate() {
        let at = page.word(front.clone(), id);
        if !course.claims.contains(id) {
            page.say(
                page.error(at, format!("there is no claim {id}")).help("lessons/claims.toml lists the ids there are"),
            );
        } else if lesson.claims[..i].contains(id) {
            let at = page.words(front.clone(), id).nth(1).unwrap_or(at);
            page.say(page.warning(at, format!("claim {id} stands here twice")).help("remove one"));
        }
    }
    placed(page);
}

/// Where steps say which claims they take up: those of the front matter, all of them and no others.
fn placed(page: &mut Page<'_>) {
    let lesson = page.lesson;
    let steps = || lesson.steps.iter().flat_map(|step| step.claims.iter().map(move |id| (step, id)));
    if steps().next().is_none() {
        return;
    }
    let front = page.front();
    for id in lesson.claims.iter().filter(|id| !steps().any(|(_, placed)| placed == *id)) {
        let at = page.word(front.clone(), id);
        let what = format!("no step says that it takes up claim {id}");
        page.say(page.warning(at, what).help("in the step that does: <!-- claims: ID, ID -->"));
    }
    for (step, id) in steps().filter(|(_, id)| !lesson.claims.contains(id)) {
        let at = page.line(step.at.line);
        let what = format!("this step takes up claim {id}, and the front matter does not name it");
        page.say(page.warning(at, what).help("add it to the claims there"));
    }
}
