//! What holds for every stream of facts, in order or not, whole or not.

use super::lanes::{Occupant, Slice};
use super::{Scene, Totals};
use crate::fact::{Cpu, Fact, Nanos, Outcome, Pid, Source, Stamped, Start, Tid, Values, Why};
use proptest::prelude::*;

const CPUS: u32 = 3;

fn start(source: Source) -> Fact {
    let cpus = (0..CPUS).map(Cpu).collect();
    let (demo, kernel) = (String::new(), String::new());
    Fact::Start(Start {
        format: 1,
        demo,
        params: Values::new(),
        source,
        cpus,
        kernel,
        hz: None,
        because: None,
        page_size: None,
    })
}

fn outcome() -> Fact {
    Fact::Outcome(Outcome { values: Values::new(), lost: 0, seconds: 0.0, clean: true, left_behind: 0, broke: None })
}

fn any_fact() -> impl Strategy<Value = Fact> {
    // 1 and 234 have the same place among the painter's hints.
    let (cpu, tid) = ((0..CPUS).prop_map(Cpu), prop_oneof![4 => 1..5_u32, 1 => Just(234_u32)]);
    let why = prop_oneof![Just(Why::Preempted), Just(Why::Blocked), Just(Why::Unknown)];
    prop_oneof![
        8 => (cpu.clone(), tid.clone()).prop_map(|(cpu, tid)| Fact::In { cpu, tid: Tid(tid) }),
        8 => (cpu, tid.clone(), why).prop_map(|(cpu, tid, why)| Fact::Out { cpu, tid: Tid(tid), why }),
        1 => (tid.clone(), 1..3_u32).prop_map(|(tid, pid)| Fact::Task {
            tid: Tid(tid), pid: Pid(pid), parent: 0, name: "A".into(), slot: Some(0)
        }),
        1 => (tid.clone(), 1..3_u32).prop_map(|(tid, pid)| Fact::Exit {
            tid: Tid(tid), pid: Pid(pid), code: Some(0), signal: None, core: None
        }),
        1 => Just(Fact::Lost { records: 1 }),
        1 => (1..3_u32, any::<bool>()).prop_map(|(pid, stopped)| Fact::Stopped { pid: Pid(pid), stopped }),
        1 => tid.prop_map(|tid| Fact::Setting { tid: Tid(tid), nice: Some(1), cpus: None }),
        1 => prop::sample::select(Source::ALL.to_vec()).prop_map(start),
        1 => Just(outcome()),
    ]
}

/// Any facts, at times within a second and now and then anywhere.
fn any_stream() -> impl Strategy<Value = Vec<Stamped>> {
    let ms = 1_000_000_u64;
    let time = prop_oneof![20 => 0..1000 * ms, 10 => (0..1000_u64).prop_map(move |n| n * ms), 1 => any::<u64>()];
    prop::collection::vec((time, any_fact()).prop_map(|(t, fact)| Stamped::new(Nanos(t), fact)), 0..120)
}

fn slices(scene: &Scene, cpu: Cpu) -> Vec<Slice> {
    let first = scene.lanes.slice_at(cpu, Nanos::ZERO).or_else(|| scene.lanes.slice_after(cpu, Nanos::ZERO));
    std::iter::successors(first, |slice| scene.lanes.slice_after(cpu, slice.from)).collect()
}

fn length(slice: &Slice, now: Nanos) -> u128 {
    u128::from(slice.to.unwrap_or(now).since(slice.from).0)
}

fn hold(scene: &Scene) -> Result<(), TestCaseError> {
    let now = scene.now();
    let (mut drawn, mut counted) = (0, 0);
    for &cpu in scene.lanes.cpus() {
        let slices = slices(scene, cpu);
        for pair in slices.windows(2) {
            prop_assert!(pair[0].to.is_some_and(|to| to <= pair[1].from), "{pair:?} overlap");
            prop_assert!(scene.lanes.slice_before(cpu, pair[1].from).is_some_and(|s| s.from <= pair[0].from));
        }
        let sum: u128 = slices.iter().map(|s| length(s, now)).sum();
        prop_assert!(sum <= u128::from(now.0), "{cpu}: {sum} of {now}");
        drawn += sum;
    }
    for task in &scene.tally.tasks {
        let ran = task.ran_until(now);
        prop_assert!(ran <= now, "task {}: {ran} of {now}", task.tid);
        // A wait that was cut short by an end can overlap a turn of which word comes only after it.
        prop_assert!(!task.alive() || scene.outcome.is_some() || ran + task.waited_until(now) <= now);
        prop_assert!(task.preempted <= task.switches && task.turns.count() <= task.switches);
        counted += u128::from(ran.0);
    }
    prop_assert_eq!(drawn, counted, "what is drawn is what is counted");
    Ok(())
}

/// The cells of a window by the plainest of means: every slice against every column.
fn plainly(scene: &Scene, cpu: Cpu, from: u64, column: u64, columns: u64) -> Vec<Option<Tid>> {
    let slices = slices(scene, cpu);
    let of_column = |i: u64| {
        let (begin, end) = (from + i * column, from + (i + 1) * column);
        let mut sums: Vec<(Tid, u64)> = Vec::new();
        for slice in &slices {
            let to = slice.to.unwrap_or(scene.now()).0.min(end);
            let ns = to.saturating_sub(slice.from.0.max(begin));
            match sums.iter_mut().find(|(tid, _)| *tid == slice.tid) {
                Some((_, sum)) => *sum += ns,
                None => sums.push((slice.tid, ns)),
            }
        }
        // More than half of what has passed: then nobody and unknown cannot have had more.
        let passed = end.min(scene.now().0).saturating_sub(begin);
        sums.into_iter().find(|(_, ns)| *ns > passed / 2).map(|(tid, _)| tid)
    };
    (0..columns).map(of_column).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_stream_counts_time_twice(stream in any_stream()) {
        let mut scene = Scene::new();
        for fact in &stream {
            scene.apply(fact);
            hold(&scene)?;
        }
    }

    #[test]
    fn totals_are_the_same_without_the_picture(stream in any_stream()) {
        let (mut scene, mut totals) = (Scene::new(), Totals::default());
        for fact in &stream {
            scene.apply(fact);
            totals.apply(fact);
        }
        prop_assert_eq!(format!("{:?}", scene.tally.tasks), format!("{:?}", totals.tally().tasks));
    }

    #[test]
    fn cells_show_the_slices(
        stream in any_stream(),
        from in 0..1_200_000_000_u64,
        column in prop_oneof![1..3_000_000_u64, 1..100_000_000_u64],
        columns in 0..70_u64,
    ) {
        let mut scene = Scene::new();
        scene.extend(&stream);
        for &cpu in scene.lanes.cpus() {
            let count = usize::try_from(columns).expect("few");
            let cells = scene.lanes.cells(cpu, Nanos(from), Nanos(column), count);
            prop_assert_eq!(cells.len(), count);
            for (cell, tid) in cells.iter().zip(plainly(&scene, cpu, from, column, columns)) {
                if let Some(tid) = tid {
                    prop_assert_eq!(cell.who, Occupant::Task(tid));
                }
                prop_assert!(cell.gap || cell.who != Occupant::Unknown);
            }
        }
    }

    #[test]
    fn bins_show_what_the_turns_show(stream in any_stream(), zoom in 0..8_usize, first in 0..5_u64) {
        let mut scene = Scene::new();
        scene.extend(&stream);
        let column = [10, 20, 40, 50, 100, 200, 500, 1000][zoom] * 1_000_000;
        for &cpu in scene.lanes.cpus() {
            let [turns, bins] = scene.lanes.cells_both_ways(cpu, Nanos(first * column), Nanos(column), 20);
            prop_assert_eq!(turns, bins);
        }
    }
}
