//! What the kernel says of each worker, from outside: the letter of its state, as ps shows it, and where it waits.
//!
//! /proc/PID/task/TID/stat, third field: R on a core or on a run queue, S asleep until something or a signal comes, D asleep
//! and deaf to signals (mostly for a disk), T stopped, Z ended and not yet waited for (`proc_pid_stat(5)`). wchan is the
//! function of the kernel in which it sleeps; some kernels keep it to themselves.

use crate::fact::{Fact, Tid};
use crate::stage::Stage;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;

/// Asks, and tells what is new.
#[derive(Debug, Default)]
pub(super) struct Ear {
    told: BTreeMap<(Tid, &'static str), String>,
}

impl Ear {
    pub(super) fn listen(&mut self, stage: &mut Stage) {
        let tids: Vec<Tid> = stage.on().filter_map(|n| stage.cast().get(n)).map(|entry| entry.tid).collect();
        for tid in tids {
            let read = |name: &str| fs::read_to_string(format!("/proc/{tid}/task/{tid}/{name}")).ok();
            let Some(letter) = read("stat").as_deref().and_then(letter) else { continue };
            let mut news = vec![("state", letter.to_string())];
            // Of one that is awake wchan says 0; then the place where it last waited stands.
            news.extend(
                read("wchan").filter(|place| !matches!(place.as_str(), "" | "0")).map(|place| ("wchan", place)),
            );
            for (name, value) in news {
                if self.told.get(&(tid, name)) != Some(&value) {
                    stage.tell(Fact::Value { tid, name: name.to_owned(), value: json!(value) });
                    self.told.insert((tid, name), value);
                }
            }
        }
    }
}

/// The letter behind the name, which stands in brackets and may hold any character.
fn letter(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letter_is_found_behind_any_name() {
        assert_eq!(letter("12 (forklore A) R 11 12"), Some('R'));
        assert_eq!(letter("12 (a) S (b)) D 11"), Some('D'));
        assert_eq!((letter("12 forklore"), letter("")), (None, None));
    }
}
