//! One frame of 200x60: sixty-four lanes full of short slices, 4,096 tasks in the scene, frame and words included.
//!
//! `cargo bench --bench draw`. The goal is under 4 ms.

use criterion::{Criterion, criterion_group, criterion_main};
use forklore::fact::{Cpu, Fact, Nanos, Pid, Source, Stamped, Start, Tid, Values, Why};
use forklore::scene::Scene;
use forklore::view::scrub::scrub;
use forklore::view::theme::{Charset, Role, Theme};
use forklore::view::widget::{Footer, Header, Lanes, Window};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use std::hint::black_box;

const CORES: u32 = 64;
const TASKS: u32 = 4_096;
const SECONDS: u64 = 2;

/// Every core changes hands each two milliseconds.
fn scene() -> Scene {
    let start = Start {
        format: 1,
        demo: "bench".into(),
        params: Values::new(),
        source: Source::Exact,
        cpus: (0..CORES).map(Cpu).collect(),
        kernel: String::new(),
        hz: None,
        because: None,
        page_size: None,
    };
    let mut scene = Scene::new();
    scene.apply(&Stamped::new(Nanos::ZERO, Fact::Start(start)));
    for tid in 0..TASKS {
        let name = char::from(b'A' + u8::try_from(tid % 26).unwrap_or(0)).to_string();
        let slot = u16::try_from(tid).ok();
        scene.apply(&Stamped::new(Nanos::ZERO, Fact::Task { tid: Tid(tid), pid: Pid(1), parent: 0, name, slot }));
    }
    for turn in 0..SECONDS * 500 {
        let (from, to) = (Nanos::from_millis(turn * 2), Nanos::from_millis(turn * 2 + 2));
        let of = |cpu: u32| Tid((cpu * 61 + u32::try_from(turn).unwrap_or(0) * 7) % TASKS);
        for cpu in 0..CORES {
            scene.apply(&Stamped::new(from, Fact::In { cpu: Cpu(cpu), tid: of(cpu) }));
        }
        for cpu in 0..CORES {
            let out = Fact::Out { cpu: Cpu(cpu), tid: of(cpu), why: Why::Preempted };
            scene.apply(&Stamped::new(to, out));
        }
    }
    scene
}

/// Into a buffer that is used again and again, as the terminal's are.
fn frame(scene: &Scene, theme: &Theme, column: Nanos, buf: &mut Buffer) {
    buf.reset();
    let area = buf.area;
    buf.set_style(area, theme.style(Role::Screen));
    let truth = [("exact", Role::Good), ("64 cores", Role::Dim)];
    (&Header { theme, title: "bench", place: "step 1/1", truth: &truth }).render(Rect { height: 1, ..area }, buf);
    let body = Rect { y: 1, height: area.height - 2, ..area };
    let window = Window::Live { now: scene.now() };
    (&Lanes { scene, theme, column, window, tall: 1 }).render(body, buf);
    let foot = Rect { y: area.height - 1, height: 1, ..area };
    (&Footer { theme, keys: &[("space", "run"), ("q", "leave")], keep: 1 }).render(foot, buf);
    scrub(buf, Charset::Unicode);
}

fn draw(c: &mut Criterion) {
    let (scene, theme) = (scene(), Theme::default());
    let mut group = c.benchmark_group("draw");
    group.sample_size(30).measurement_time(std::time::Duration::from_secs(3));
    // In 60 rows two lanes share one; in 70 each has its own, which is the more work.
    for (rows, name) in [(60, "200x60, 64 lanes in halves"), (70, "200x70, 64 lanes")] {
        for (ms, zoom) in [(1, "1 ms"), (10, "10 ms")] {
            let mut buf = Buffer::empty(Rect::new(0, 0, 200, rows));
            group.bench_function(format!("{name}, {zoom} a column"), |b| {
                b.iter(|| frame(&scene, &theme, Nanos::from_millis(ms), black_box(&mut buf)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, draw);
criterion_main!(benches);
