//! The lanes in words.

use super::fold::used;
use super::glyph::crowded;
use crate::fact::{Cpu, Nanos, Tid, Why, clean_line};
use crate::scene::Scene;
use crate::scene::lanes::Slice;
use crate::view::put::{count, moment};

/// Slices of a core that are looked through for a worker's turn before; more would be felt when a cursor moves.
const BACK: usize = 512;

/// What happened on the cores up to `now`, in a sentence or three. `most` is the number of switches in the fullest column.
pub(super) fn of_the_run(scene: &Scene, cpus: &[Cpu], now: Nanos, most: u32) -> String {
    let used = used(scene, cpus);
    let times = |n| count(n, "time", "times");
    // Tenths of a second: the words are read, and each change of them is written to the terminal.
    let now = format!("{:.1} s", now.seconds());
    if let Some(hz) = scene.tally.start.as_ref().and_then(|start| start.hz) {
        return format!("In {now}: who was seen on each core, {hz} looks a second. What lies between two is not seen.");
    }
    let mut text = match used[..] {
        [] => format!("In {now} no core changed hands."),
        [(n, cpu)] => format!("One at a time: in {now} core {cpu} changed hands {}.", times(n)),
        [(a, x), (b, y)] => {
            format!("In {now} core {x} changed hands {}, and core {y}: {}.", times(a), times(b))
        }
        _ => {
            let all = used.iter().map(|(n, _)| n).sum();
            let (n, cpu) =
                used.iter().max_by_key(|(n, cpu)| (*n, std::cmp::Reverse(*cpu))).copied().unwrap_or((0, Cpu(0)));
            format!("In {now} {} cores changed hands {}, core {cpu} most often: {}.", used.len(), times(all), times(n))
        }
    };
    if crowded(most) {
        text.push_str(&format!(
            " ≡ is finer than a column: up to {} in one.",
            count(most.into(), "switch", "switches")
        ));
    }
    if scene.tally.lost > 0 {
        text.push_str(&format!(" {} lost: ? is not known.", count(scene.tally.lost, "record was", "records were")));
    }
    text
}

/// The slice of `cpu` at the moment `t` in words, or who of the run had the core before: what others did
/// with it since then was not watched.
#[must_use]
pub fn describe_slice(scene: &Scene, cpu: Cpu, t: Nanos) -> String {
    let Some(slice) = scene.lanes.slice_at(cpu, t) else {
        return if t < scene.lanes.earliest() {
            format!("What core {cpu} did at {} is no longer kept.", moment(t))
        } else {
            format!("Nobody of this run has been on core {cpu} before {}.", moment(t))
        };
    };
    let who = name(scene, slice.tid);
    sentence(&who, (cpu, slice), before(scene, cpu, slice), t, scene.now())
}

/// The slice of `who`, the one before it, the moment that is asked for and the moment it is.
fn sentence(who: &str, (cpu, slice): (Cpu, Slice), before: Option<(Slice, Cpu)>, t: Nanos, now: Nanos) -> String {
    if let Some(to) = slice.to.filter(|to| *to <= t) {
        return format!("Nobody of this run is on core {cpu} at {}; {who} left it at {}.", moment(t), moment(to));
    }
    let from = moment(slice.from);
    let mut text = match slice.to {
        None if now <= slice.from => format!("{who} came on core {cpu} at {from}."),
        None => format!("{who} is on core {cpu} since {from}, for {} so far.", now.since(slice.from)),
        Some(to) => {
            let left = match slice.why {
                Why::Preempted => "then it was pushed off (preempted)",
                Why::Blocked => "then it went by itself, to wait or to end (blocked)",
                Why::Unknown => "then it was off the core, why is not known",
            };
            format!("{who} ran on core {cpu} for {}, from {from}; {left}.", to.since(slice.from))
        }
    };
    if let Some((last, at)) = before {
        let gap = slice.from.since(last.to.unwrap_or(slice.from));
        let elsewhere = if at == cpu { String::new() } else { format!(" after it left core {at}") };
        text.push_str(&match last.why {
            Why::Preempted => format!(" Before that it had waited {gap}{elsewhere}."),
            Why::Blocked => format!(" Before that it had been blocked for {gap}{elsewhere}."),
            Why::Unknown => format!(" Before that it had been off the cores for {gap}{elsewhere}."),
        });
    }
    text
}

/// The turn of the same task before `slice`, and its core.
fn before(scene: &Scene, cpu: Cpu, slice: Slice) -> Option<(Slice, Cpu)> {
    let ended = |s: &Slice| s.to.is_some_and(|to| to <= slice.from);
    let mine = |s: &Slice| s.tid == slice.tid && s.from != slice.from && ended(s);
    let lanes = &scene.lanes;
    let last_on = |c: Cpu| {
        let first = if c == cpu { lanes.slice_before(c, slice.from) } else { lanes.slice_at(c, slice.from) };
        std::iter::successors(first, |s| lanes.slice_before(c, s.from)).take(BACK).find(mine)
    };
    let all = lanes.cpus().iter().filter_map(|c| last_on(*c).map(|s| (s, *c)));
    all.max_by_key(|(s, _)| s.to)
}

fn name(scene: &Scene, tid: Tid) -> String {
    let name = scene.tally.task(tid).map(|t| clean_line(&t.name)).unwrap_or_default();
    if name.is_empty() { format!("thread {tid}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(from: u64, to: u64, why: Why) -> Slice {
        Slice { tid: Tid(1), from: Nanos(from * 1_000), to: Some(Nanos(to * 1_000)), why }
    }

    #[test]
    fn a_slice_is_told_with_what_came_before() {
        let (here, now) = (Cpu(0), Nanos::from_millis(2_000));
        let turn = slice(1_234_000, 1_238_000, Why::Preempted);
        let told = |before, t: u64| sentence("B", (here, turn), before, Nanos::from_millis(t), now);
        assert_eq!(
            told(Some((slice(1_220_000, 1_225_990, Why::Preempted), here)), 1_236),
            "B ran on core 0 for 4.00 ms, from 1.2340 s; then it was pushed off (preempted). Before that it had waited 8.01 ms."
        );
        assert!(
            told(Some((slice(0, 1_034_000, Why::Blocked), Cpu(3))), 1_236)
                .ends_with("Before that it had been blocked for 200 ms after it left core 3.")
        );
        assert_eq!(told(None, 1_240), "Nobody of this run is on core 0 at 1.2400 s; B left it at 1.2380 s.");
        let open = Slice { to: None, ..turn };
        assert_eq!(sentence("B", (here, open), None, now, now), "B is on core 0 since 1.2340 s, for 766 ms so far.");
    }

    #[test]
    fn where_nothing_was_seen_that_is_said() {
        assert_eq!(
            describe_slice(&Scene::new(), Cpu(1), Nanos::from_millis(13)),
            "Nobody of this run has been on core 1 before 0.0130 s."
        );
        assert_eq!(
            of_the_run(&Scene::new(), &[Cpu(0)], Nanos::from_millis(4_200), 0),
            "In 4.2 s no core changed hands."
        );
    }
}
