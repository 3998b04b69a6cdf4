//! What it costs to fold a stream, to read a recording and to paint the lanes.
//!
//! Goals: two million facts folded a second; the cells of 64 lanes in well under two milliseconds.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forklore::fact::{Cpu, Fact, Nanos, Pid, Source, Stamped, Start, Tid, Values, Why};
use forklore::record::recording::{Writer, read};
use forklore::scene::Scene;
use forklore::scene::lanes::Lanes;
use std::hint::black_box;

/// `count` switches of `tasks` tasks that take turns of about `turn` on `cpus` CPUs, after the start and the tasks.
fn stream(cpus: u32, tasks: u32, turn: u64, count: u64) -> Vec<Stamped> {
    let start = Start {
        format: 1,
        demo: "bench".into(),
        params: Values::new(),
        source: Source::Exact,
        cpus: (0..cpus).map(Cpu).collect(),
        kernel: String::new(),
        hz: None,
        because: None,
        page_size: None,
    };
    let mut facts = vec![Stamped::new(Nanos::ZERO, Fact::Start(start))];
    for i in 0..tasks {
        let task = Fact::Task { tid: Tid(100 + i), pid: Pid(100), parent: 1, name: i.to_string(), slot: None };
        facts.push(Stamped::new(Nanos::ZERO, task));
    }
    let per_cpu = tasks / cpus;
    for i in 0..count / 2 {
        let (n, cpu) = (i / u64::from(cpus), u32::try_from(i % u64::from(cpus)).expect("a CPU"));
        let nth = u32::try_from(n % u64::from(per_cpu)).expect("a task");
        let tid = Tid(100 + nth * cpus + cpu);
        let (from, to) = (n * turn + u64::from(cpu), (n + 1) * turn + u64::from(cpu));
        let cpu = Cpu(cpu);
        facts.push(Stamped::new(Nanos(from), Fact::In { cpu, tid }));
        facts.push(Stamped::new(Nanos(to), Fact::Out { cpu, tid, why: Why::Preempted }));
    }
    facts.sort_by_key(|fact| fact.t);
    facts
}

fn folded(facts: &[Stamped]) -> Scene {
    let mut scene = Scene::new();
    scene.extend(facts);
    scene
}

fn fold(c: &mut Criterion) {
    let mut group = c.benchmark_group("fold a million switches");
    group.sample_size(10).throughput(Throughput::Elements(1_000_000));
    for (name, cpus, tasks, turn) in [
        ("2 CPUs, 4 tasks", 2, 4, 4_000_000),
        ("64 CPUs, 4096 tasks", 64, 4096, 1_000_000),
        ("1 CPU, 2 tasks of 4 us", 1, 2, 4_000),
    ] {
        let facts = stream(cpus, tasks, turn, 1_000_000);
        group.bench_function(name, |b| b.iter(|| folded(black_box(&facts))));
        group.bench_function(format!("{name}, lanes only"), |b| {
            b.iter(|| {
                let mut lanes = Lanes::default();
                black_box(&facts).iter().for_each(|fact| lanes.apply(fact));
                lanes
            });
        });
    }
    group.finish();
}

fn cells(c: &mut Criterion) {
    let mut group = c.benchmark_group("cells of 64 lanes x 200 columns");
    for (name, turn) in [("turns of 4 ms", 4_000_000), ("turns of 100 us", 100_000)] {
        let scene = folded(&stream(64, 4096, turn, 4_000_000));
        for ms in [1, 5, 10, 40, 100, 200, 1000] {
            let column = Nanos::from_millis(ms);
            let from = Nanos(scene.now().0.saturating_sub(200 * column.0) / column.0 * column.0);
            group.bench_function(format!("{name}, {ms} ms a column"), |b| {
                b.iter(|| {
                    for cpu in scene.lanes.cpus() {
                        black_box(scene.lanes.cells(*cpu, black_box(from), column, 200));
                    }
                });
            });
        }
    }
    group.finish();
}

fn recording(c: &mut Criterion) {
    let facts = stream(2, 4, 4_000_000, 1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.forklore");
    let write = || {
        let mut writer = Writer::create(&path).expect("a file");
        facts.chunks(1000).for_each(|facts| writer.write(facts).expect("room"));
        writer.finish().expect("room");
    };
    let mut group = c.benchmark_group("a recording of a million switches");
    group.sample_size(10).throughput(Throughput::Elements(1_000_000));
    group.bench_function("write", |b| b.iter(write));
    // That may have been left out.
    write();
    let bytes = std::fs::read(&path).expect("it was written");
    group.bench_function("read", |b| b.iter(|| read(black_box(&bytes[..]), "bench").filter(Result::is_ok).count()));
    group.finish();
}

criterion_group!(benches, fold, cells, recording);
criterion_main!(benches);
