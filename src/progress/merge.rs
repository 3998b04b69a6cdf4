//! Two copies become one: everything that either has; of two versions of the same thing the later.
//!
//! The result is the same in either order and any grouping, so it does not matter which program saved first.

use super::{Document, Figure, LastPlace, LessonProgress, Others, Prediction, Progress, SCHEMA};
use serde::Serialize;
use std::collections::BTreeMap;

impl Document for Progress {
    const NAME: &'static str = "progress";
    const WHAT: &'static str = "progress";
    const SCHEMA: u32 = SCHEMA;

    fn merge(&mut self, other: &Self) {
        self.schema = self.schema.max(other.schema);
        for (id, theirs) in &other.lessons {
            self.lessons.entry(id.clone()).or_default().merge(theirs);
        }
        if let Some(theirs) = &other.last {
            match &mut self.last {
                Some(ours) => latest(ours, theirs, |p: &LastPlace| p.when),
                none => *none = Some(theirs.clone()),
            }
        }
        merge_latest(&mut self.figures, &other.figures, |f: &Figure| f.when);
        merge_latest(&mut self.settings, &other.settings, |f: &Figure| f.when);
        merge_others(&mut self.others, &other.others);
    }
}

impl LessonProgress {
    fn merge(&mut self, other: &Self) {
        self.seen.extend(&other.seen);
        self.completed = self.completed.into_iter().chain(other.completed).min();
        merge_latest(&mut self.predictions, &other.predictions, |p: &Prediction| p.when);
        merge_others(&mut self.others, &other.others);
    }
}

pub(super) fn merge_latest<K: Ord + Clone, V: Clone + Serialize, W: Ord>(
    ours: &mut BTreeMap<K, V>,
    theirs: &BTreeMap<K, V>,
    when: impl Fn(&V) -> W,
) {
    for (key, value) in theirs {
        ours.entry(key.clone()).and_modify(|mine| latest(mine, value, &when)).or_insert_with(|| value.clone());
    }
}

/// Of two of the same second the one whose text is larger stays: any rule does that both sides follow.
fn latest<V: Clone + Serialize, W: Ord>(ours: &mut V, theirs: &V, when: impl Fn(&V) -> W) {
    let rank = |v: &V| (when(v), serde_json::to_string(v).unwrap_or_default());
    if rank(theirs) > rank(ours) {
        *ours = theirs.clone();
    }
}

pub(super) fn merge_others(ours: &mut Others, theirs: &Others) {
    merge_latest(ours, theirs, |_| ());
}

#[cfg(test)]
mod tests {
    use super::super::When;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn progress() -> impl Strategy<Value = Progress> {
        let act = (0u8..6, 0u8..3, 0u32..4, 0u64..3);
        proptest::collection::vec(act, 0..12).prop_map(|acts| {
            let mut p = Progress::default();
            for (what, lesson, n, when) in acts {
                let (lesson, when) = (format!("l{lesson}"), When(when));
                match what {
                    0 => p.see(&lesson, n, when),
                    1 => p.complete(&lesson, when),
                    2 => p.measure(&lesson, json!(n), when),
                    3 => p.set(&lesson, &n.to_string(), when),
                    4 => p.predict(&lesson, n, Prediction::new(n.to_string(), Some(n > 1), json!(when.0), when)),
                    _ => drop(p.others.insert(lesson, json!(n))),
                }
            }
            p
        })
    }

    fn merged(a: &Progress, b: &Progress) -> Progress {
        let mut a = a.clone();
        a.merge(b);
        a
    }

    proptest! {
        #[test]
        fn order_grouping_and_repetition_do_not_matter(a in progress(), b in progress(), c in progress()) {
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
            prop_assert_eq!(&merged(&a, &a), &a);
            let all = merged(&a, &b);
            for (id, lesson) in a.lessons.iter().chain(&b.lessons) {
                prop_assert!(all.lessons[id].seen.is_superset(&lesson.seen));
                prop_assert!(lesson.completed.is_none() || all.completed(id));
            }
        }

        #[test]
        fn the_file_gives_back_what_was_written(a in progress()) {
            let text = serde_json::to_string(&a).expect("plain data");
            prop_assert!(text.starts_with(r#"{"schema":1"#), "the version comes first");
            prop_assert_eq!(serde_json::from_str::<Progress>(&text).expect("our own"), a);
        }
    }

    #[test]
    fn what_is_done_after_the_clock_was_turned_back_is_later() {
        let mut before = Progress::default();
        before.see("a", 1, When(4_102_444_800));
        before.set("theme", "dark", When(4_102_444_800));
        before.predict("a", 1, Prediction::new("x".into(), None, json!(1), When(u64::MAX - 1)));
        before.measure("d.v", json!(1), When(9));
        let mut after = before.clone();
        after.see("a", 2, When(0));
        after.see("a", 1, When(0));
        after.set("theme", "light", When(0));
        after.predict("a", 1, Prediction::new("b".into(), None, json!(2), When(0)));
        after.measure("d.v", json!(0), When(9));
        for all in [merged(&before, &after), merged(&after, &before)] {
            assert_eq!(all.last.as_ref().map(|last| (last.step, last.when)), Some((1, When(4_102_444_802))));
            assert_eq!((all.setting("theme"), &all.figures["d.v"].value), (Some("light"), &json!(0)));
            assert_eq!(all.lessons["a"].predictions[&1].chosen, "b");
        }
    }

    #[test]
    fn what_a_later_version_added_is_carried_along_and_times_are_never_negative() {
        let text = r#"{"schema":1,"badges":[1],"lessons":{"a":{"seen":[1],"completed":-7,"mood":"fine"}},
            "figures":{"x.y":{"value":3,"when":-1e300}},"settings":{"lang":{"value":"zh","when":1.5}}}"#;
        let p: Progress = serde_json::from_str(text).expect("readable");
        assert_eq!((p.lessons["a"].completed, p.figures["x.y"].when), (Some(When(0)), When(0)));
        assert_eq!(p.setting("lang"), Some("zh"));
        let again = serde_json::to_string(&p).expect("plain data");
        assert!(again.contains(r#""badges":[1]"#) && again.contains(r#""mood":"fine""#), "{again}");
    }
}
