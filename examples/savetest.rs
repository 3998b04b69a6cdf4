//! Saves progress as fast as it can and says what was kept: what the progress tests kill, starve and deceive.
//!
//! `savetest DIRECTORY NAME COUNT` completes NAME-0, NAME-1, ... and prints `kept NAME-n` once the disk has it.

use forklore::progress::{Place, Progress, Store, When};
use std::io::Write;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, directory, name, count] = &args[..] else { return };
    let (store, mut progress, notices): (Store<Progress>, Progress, _) =
        Store::open(&Place::Directory(directory.into()));
    let mut say = |text: String| drop(writeln!(std::io::stdout(), "{text}"));
    notices.into_iter().for_each(&mut say);
    for n in 0..count.parse().unwrap_or(u64::MAX) {
        let lesson = format!("{name}-{n}");
        progress.complete(&lesson, When::now());
        match store.save(&progress) {
            Ok(_) => say(format!("kept {lesson}")),
            Err(not_saved) => say(not_saved.to_string()),
        }
    }
}
