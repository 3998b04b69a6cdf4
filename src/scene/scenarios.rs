//! Scenario files: a stream and the lanes and totals that it must give. `tests/data/scenarios` holds them, and
//! `README.md` there says how they are written.

use super::Scene;
use super::lanes::Occupant;
use crate::fact::{Cpu, Fact, LockStep, Nanos, Outcome, Pid, Source, Stamped, Start, Tid, Values, Why, cycle};
use std::fmt::Write;
use std::path::Path;

const FIRST: u32 = 10;

/// A letter is task 10 for A, 11 for B, ...
fn tid(letter: &str) -> Tid {
    let c = letter.chars().next().expect("a letter");
    Tid(FIRST + u32::from(c) - u32::from('A'))
}

fn letter(tid: Tid) -> char {
    char::from_u32(u32::from('A') + tid.0 - FIRST).expect("a letter")
}

fn fact(line: &str) -> Stamped {
    if line.starts_with('{') {
        return serde_json::from_str(line).expect(line);
    }
    let words: Vec<_> = line.split_whitespace().collect();
    let cpu = |word: &str| Cpu(word.parse().expect(line));
    let fact = match words[1..] {
        ["start", source, cpus] => Fact::Start(Start {
            format: 1,
            demo: "sample".into(),
            params: Values::new(),
            source: Source::ALL.into_iter().find(|s| s.word() == source).expect(line),
            cpus: cpus.split(',').map(cpu).collect(),
            kernel: String::new(),
            hz: None,
            because: None,
            page_size: None,
        }),
        ["task", name, of] => {
            Fact::Task { tid: tid(name), pid: Pid(tid(of).0), parent: 0, name: name.into(), slot: Some(0) }
        }
        ["in", on, name] => Fact::In { cpu: cpu(on), tid: tid(name) },
        ["out", on, name, why] => Fact::Out {
            cpu: cpu(on),
            tid: tid(name),
            why: match why {
                "preempted" => Why::Preempted,
                "blocked" => Why::Blocked,
                "unknown" => Why::Unknown,
                _ => panic!("{line}"),
            },
        },
        ["exit", name, of] => {
            Fact::Exit { tid: tid(name), pid: Pid(tid(of).0), code: Some(0), signal: None, core: None }
        }
        ["stopped", name] => Fact::Stopped { pid: Pid(tid(name).0), stopped: true },
        ["lost", records] => Fact::Lost { records: records.parse().expect(line) },
        [step @ ("wants" | "has" | "leaves"), lock, name] => {
            let step = match step {
                "wants" => LockStep::Wants,
                "has" => LockStep::Has,
                _ => LockStep::Leaves,
            };
            Fact::Lock { tid: tid(name), lock: lock.into(), step }
        }
        ["outcome"] => Fact::Outcome(Outcome {
            values: Values::new(),
            lost: 0,
            seconds: 0.0,
            clean: true,
            left_behind: 0,
            broke: None,
        }),
        _ => panic!("no fact: {line}"),
    };
    Stamped::new(Nanos::from_millis(words[0].parse().expect(line)), fact)
}

/// The lanes at a millisecond a column, and a line a task: all that a scenario expects, written as it is expected.
fn picture(scene: &Scene) -> String {
    let ms = Nanos::from_millis(1);
    let columns = usize::try_from(scene.now().0.div_ceil(ms.0)).expect("a short scenario");
    let mut out = String::new();
    for &cpu in scene.lanes.cpus() {
        let cells = scene.lanes.cells(cpu, Nanos::ZERO, ms, columns);
        let row: String = cells
            .iter()
            .map(|cell| match cell.who {
                Occupant::Nobody => '·',
                Occupant::Unknown => '?',
                Occupant::Task(tid) => letter(tid),
            })
            .collect();
        writeln!(out, "cpu {cpu} {row} switches {}", scene.lanes.switches(cpu)).expect("memory");
    }
    for task in &scene.tally.tasks {
        let ms = |t: Nanos| t.0 / 1_000_000;
        writeln!(
            out,
            "{} ran {} waited {} turns {} switches {} preempted {} migrations {} {:?}",
            letter(task.tid),
            ms(task.ran_until(scene.now())),
            ms(task.waited_until(scene.now())),
            task.turns.count(),
            task.switches,
            task.preempted,
            task.migrations,
            task.state(),
        )
        .expect("memory");
    }
    locks(scene, &mut out);
    out
}

/// A line a lock, a line for each of its users, and the circle of those that wait for each other.
fn locks(scene: &Scene, out: &mut String) {
    let ms = |t: Nanos| t.0 / 1_000_000;
    let list = |tids: &[(Tid, Nanos)]| {
        let each: Vec<_> = tids.iter().map(|(tid, since)| format!("{}@{}", letter(*tid), ms(*since))).collect();
        if each.is_empty() { "-".to_owned() } else { each.join(" ") }
    };
    for (name, lock) in &scene.tally.locks {
        let order: String = lock.order.iter().map(|tid| letter(*tid)).collect();
        let (inside, queue, longest) = (list(&lock.inside), list(&lock.queue), ms(lock.longest(scene.now())));
        let most = format!("most {} {}", lock.most_inside, lock.most_waiting);
        writeln!(out, "lock {name} inside {inside} queue {queue} {most} order {order} longest {longest}")
            .expect("memory");
        for (tid, visits) in &lock.visits {
            let (waited, held) = (ms(visits.waited), ms(visits.held));
            let name = letter(*tid);
            writeln!(out, "  {name} asked {} got {} waited {waited} held {held}", visits.asked, visits.got)
                .expect("memory");
        }
    }
    let circle = cycle(&scene.tally.locks);
    if !circle.is_empty() {
        let each: Vec<_> = circle.iter().map(|(tid, lock)| format!("{} waits for {lock}", letter(*tid))).collect();
        writeln!(out, "circle: {}", each.join(", ")).expect("memory");
    }
}

#[test]
fn every_scenario_gives_the_lanes_and_totals_it_names() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scenarios");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of scenarios") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "scenario") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a scenario");
        let (facts, expected) = text.split_once("\n---\n").expect("facts, ---, what they give");
        let mut scene = Scene::new();
        let is_fact = |line: &&str| !line.is_empty() && !line.starts_with('#');
        facts.lines().filter(is_fact).for_each(|line| scene.apply(&fact(line)));
        assert_eq!(picture(&scene), expected, "{}", path.display());
        count += 1;
    }
    assert!(count >= 8, "only {count} scenarios were found");
}
