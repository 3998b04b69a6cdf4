//! Any bytes as a progress file, or as two that become one: no panic, and nothing of either is lost.
#![no_main]

use forklore::progress::Progress;

fn merged(a: &Progress, b: &Progress) -> Progress {
    let mut all = a.clone();
    all.merge(b);
    all
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // Two files stand on two sides of the first NUL, which no JSON contains.
    let mut parts = data.splitn(2, |byte| *byte == 0).map(serde_json::from_slice::<Progress>);
    let Some(Ok(a)) = parts.next() else { return };
    let text = serde_json::to_vec(&a).expect("what was read can be written");
    assert_eq!(serde_json::from_slice::<Progress>(&text).expect("our own"), a);
    assert_eq!(merged(&a, &a), a);
    let Some(Ok(b)) = parts.next() else { return };
    let all = merged(&a, &b);
    assert_eq!(all, merged(&b, &a));
    assert_eq!(all, merged(&all, &a));
    for (id, lesson) in a.lessons.iter().chain(&b.lessons) {
        assert!(all.lessons[id].seen.is_superset(&lesson.seen));
        assert!(lesson.completed.is_none() || all.completed(id));
    }
});
