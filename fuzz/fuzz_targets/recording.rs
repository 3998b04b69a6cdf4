//! Any bytes as a recording: no panic, bounded memory, and whatever is read can be folded.
#![no_main]

use forklore::fact::{Cpu, Nanos};
use forklore::record::recording::read;
use forklore::scene::Scene;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut scene = Scene::new();
    for fact in read(data, "fuzz") {
        match fact {
            Ok(fact) => scene.apply(&fact),
            Err(error) => assert!(!error.to_string().contains(['\u{1b}', '\n'])),
        }
    }
    for &cpu in scene.lanes.cpus().iter().take(64) {
        let from = scene.now().since(Nanos::from_millis(200));
        assert_eq!(scene.lanes.cells(cpu, from, Nanos::from_millis(1), 200).len(), 200);
    }
    let _ = scene.lanes.slice_at(Cpu(0), scene.now());
});
